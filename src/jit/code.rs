//! A program compiled to position-independent pieces: bytes and the relocations still to be done.
//!
//! What must stay true: the entry is at offset 0 and chunks follow; each is compiled by itself,
//! so that compile time is linear in the number of chunks.

use super::isa::Host;
use super::side_by_side::Ops;
use super::translate::{CHUNKS, CONSTANTS, Names, Translator, only_block};
use crate::error::{Diagnostic, Error};
use crate::ir::Function;
use crate::loops::{Block, Program, build};
use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_module::{FuncId, ModuleReloc, ModuleRelocTarget};
use std::fmt::Write;

/// Longest row, and most scratch, in elements: byte offsets are 32-bit immediates.
const ROW: u32 = i32::MAX as u32 / 8;

/// Functions start on a cache line, and constants share none with code.
const ALIGNMENT: usize = 64;

/// Machine code before it has an address.
#[derive(Default)]
pub(super) struct Code {
    pub bytes: Vec<u8>,
    /// Against ops by name, and within the code.
    pub relocations: Vec<ModuleReloc>,
    pub alignment: u64,
    /// Wide loops, by the number of their name.
    pub wide: Vec<Ops>,
}

/// The CLIF text of a function's kernel: its entry, and its chunks if it has several; that of straight code
/// also where the kernel is a [`Tape`](super::tape::Tape).
pub fn clif(function: &Function) -> Result<String, Error> {
    let program = build(function);
    check_sizes(&program)?;
    let mut translator = Translator::new(Host::get()?, Names::Text);
    let mut text = String::new();
    let mut write = |clif: &cranelift_codegen::ir::Function| {
        write!(text, "{}", clif.display()).map_err(|e| Error::internal("clif", e))
    };
    let mut clif = cranelift_codegen::ir::Function::new();
    translator.entry(&mut clif, &program);
    write(&clif)?;
    for (number, block) in chunks(&program) {
        clif.clear();
        translator.chunk(&mut clif, number, block);
        write(&clif)?;
    }
    Ok(text)
}

/// Compiles a program that `verify` accepts; `own` will be the name of the whole.
pub(super) fn compile(program: &Program, host: &Host, own: FuncId) -> Result<Code, Error> {
    check_sizes(program)?;
    let mut translator = Translator::new(host, Names::Linked);
    let mut context = Context::new();
    let mut code = Code { alignment: ALIGNMENT as u64, ..Code::default() };
    let mut starts = Vec::new();
    translator.entry(&mut context.func, program);
    code.append(&mut context, host, own)?;
    for (number, block) in chunks(program) {
        context.clear();
        translator.chunk(&mut context.func, number, block);
        starts.push(code.append(&mut context, host, own)?);
    }
    let constants = code.align(ALIGNMENT)?;
    code.bytes.extend(translator.constants.bytes());
    code.wide = translator.wide;
    for relocation in &mut code.relocations {
        let within = match relocation.name {
            ModuleRelocTarget::User { namespace: CHUNKS, index } => starts[index as usize],
            ModuleRelocTarget::User { namespace: CONSTANTS, .. } => constants,
            _ => continue,
        };
        relocation.name = ModuleRelocTarget::FunctionOffset(own, within);
    }
    Ok(code)
}

/// The blocks that become functions of their own, numbered.
fn chunks(program: &Program) -> impl Iterator<Item = (u32, &Block)> {
    let blocks = program.nests.iter().flat_map(|nest| &nest.blocks);
    (0..).zip(blocks).take(if only_block(program).is_some() { 0 } else { usize::MAX })
}

fn check_sizes(program: &Program) -> Result<(), Error> {
    let longest = program.inputs.max(program.outputs).max(program.scratch);
    if longest <= ROW {
        return Ok(());
    }
    let message = format!("a kernel cannot have rows of {longest} numbers");
    Err(Error::limit(Diagnostic::error(message).hint(format!("{ROW} is the most"))))
}

impl Code {
    /// Compiles the context's function to the end of the bytes, and says where it starts.
    fn append(&mut self, context: &mut Context, host: &Host, own: FuncId) -> Result<u32, Error> {
        context
            .compile(&*host.isa, &mut ControlPlane::default())
            .map_err(|e| Error::internal("jit", e.inner))?;
        let compiled = context.compiled_code().expect("`compile` has just succeeded");
        let buffer = &compiled.buffer;
        let alignment = ALIGNMENT.max(buffer.alignment as usize);
        self.alignment = self.alignment.max(alignment as u64);
        let start = self.align(alignment)?;
        self.bytes.extend_from_slice(compiled.code_buffer());
        for relocation in buffer.relocs() {
            let mut relocation = ModuleReloc::from_mach_reloc(relocation, &context.func, own);
            relocation.offset += start;
            // Jumps within the function are relative to its own start.
            if let ModuleRelocTarget::FunctionOffset(_, offset) = &mut relocation.name {
                *offset += start;
            }
            self.relocations.push(relocation);
        }
        Ok(start)
    }

    /// Fills up to a multiple of `alignment`, and says where that is.
    fn align(&mut self, alignment: usize) -> Result<u32, Error> {
        self.bytes.resize(self.bytes.len().next_multiple_of(alignment), 0);
        u32::try_from(self.bytes.len()).map_err(|_| Error::internal("jit", "more than 4 GiB of code"))
    }
}
