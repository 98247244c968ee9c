//! The steps of a program as functions: nests in a row become one, a large nest one that does a
//! chunk of it; products are code of ours, with a nest as their epilogue, or the library's.
//!
//! What must stay true: the order of steps, but for epilogues; a function takes the arena and, of chunks, a number,
//! and nothing else. What is a chunk depends on the program only, not on the threads there are.

use super::epilogues::epilogue;
use super::nest::{self, body_length, code_size, inst_length};
use crate::error::Error;
use crate::ir::Precision;
use crate::jit::isa::Host;
use crate::jit::product::{Generated, generate};
use crate::jit::wide::{Assembly, Level, Width, foreign_address, nest as wide};
use crate::loops::Inst;
use crate::loops::tensor::{
    BufferId, Chunked, Nest, Product, Repeated, Rounds, Step, TensorProgram, When, chunked,
};
use cranelift_codegen::Context;
use cranelift_codegen::ir::{AbiParam, Function, InstBuilder, Signature, types};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::JITModule;
use cranelift_module::{FuncId, Module, ModuleError};
use std::borrow::Cow;
use std::fmt;

/// Instructions of one function, or so: register allocation is superlinear.
const FUNCTION: u32 = 1500;

/// The same for the wide emitter, which is linear.
const WIDE_FUNCTION: u32 = 20_000;

/// Who writes the code of nests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Emitter {
    Cranelift,
    /// Vectors of more than 128 bits.
    Wide(Level),
}

impl Emitter {
    fn of(nest: &Nest, program: &TensorProgram, level: Level) -> Emitter {
        match level > Level::L128 && wide::is_supported(nest, program) {
            true => Emitter::Wide(level),
            false => Emitter::Cranelift,
        }
    }

    fn most(self) -> u32 {
        match self {
            Emitter::Cranelift => FUNCTION,
            Emitter::Wide(_) => WIDE_FUNCTION,
        }
    }
}

/// A stretch of a program.
pub(super) enum Stretch<'p> {
    /// A program run several times over, in stretches.
    Repeated(&'p Repeated, Vec<Stretch<'p>>),
    Nests(Vec<Cow<'p, Nest>>, Emitter),
    /// One nest, whose outermost loop counts chunks.
    Chunks(Nest, Emitter),
    /// Steps in a row that are run round by round; each is chunks, or a product in as many pieces.
    Rounds(Vec<Stretch<'p>>, &'p Rounds),
    /// A product left to the library.
    Product(&'p Product),
    /// A product with code of ours, and the nest that is its epilogue.
    Generated(&'p Product, Generated, Option<&'p Nest>),
}

impl Stretch<'_> {
    /// The wide function of nests in a row, of the chunks of one, or of a product.
    fn assembly(
        &self,
        program: &TensorProgram,
        host: &Host,
        precision: Precision,
    ) -> Option<Result<Assembly, Error>> {
        let (nests, level, is_chunk): (Vec<&Nest>, Level, bool) = match self {
            Stretch::Nests(nests, Emitter::Wide(level)) => {
                (nests.iter().map(Cow::as_ref).collect(), *level, false)
            }
            Stretch::Chunks(nest, Emitter::Wide(level)) => (vec![nest], *level, true),
            Stretch::Generated(_, code, _) => return Some(Ok(code.assembly())),
            _ => return None,
        };
        let element = Width::from(precision);
        let costs = |inst: &Inst| inst_length(inst, host);
        let trees = wide::trees(program, &nests, (level, element), costs, is_chunk);
        Some(wide::assemble(&trees, level, element, foreign_address()))
    }
}

/// A stretch that is a function, and the program whose buffers it is over.
type Written<'p> = (&'p Stretch<'p>, &'p TensorProgram);

/// The stretches that are functions, those within loops in their place.
fn functions<'p>(stretches: &'p [Stretch<'p>], program: &'p TensorProgram, into: &mut Vec<Written<'p>>) {
    for stretch in stretches {
        match stretch {
            Stretch::Repeated(repeated, stretches) => functions(stretches, &repeated.program, into),
            Stretch::Rounds(stretches, _) => functions(stretches, program, into),
            Stretch::Product(_) => {}
            Stretch::Nests(..) | Stretch::Chunks(..) | Stretch::Generated(..) => {
                into.push((stretch, program))
            }
        }
    }
}

/// The functions that are not Cranelift's, in order.
pub(super) fn assemblies(
    stretches: &[Stretch],
    program: &TensorProgram,
    host: &Host,
    precision: Precision,
) -> Result<Vec<Assembly>, Error> {
    let mut all = Vec::new();
    functions(stretches, program, &mut all);
    all.iter().filter_map(|(stretch, program)| stretch.assembly(program, host, precision)).collect()
}

/// The buffers a stretch writes, in order.
impl fmt::Display for Stretch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Stretch::Rounds(stretches, run) = self {
            write!(f, "{} rounds", run.rounds)?;
            return stretches.iter().try_for_each(|stretch| write!(f, ", {stretch}"));
        }
        let writes: Vec<BufferId> = match self {
            Stretch::Nests(nests, _) => nests.iter().flat_map(|nest| nest.writes()).collect(),
            Stretch::Chunks(nest, _) => nest.writes().collect(),
            Stretch::Product(product) => vec![product.to.buffer],
            Stretch::Generated(product, _, epilogue) => {
                let after = epilogue.iter().flat_map(|nest| nest.writes());
                [product.to.buffer].into_iter().chain(after).collect()
            }
            Stretch::Repeated(repeated, _) => {
                repeated.transfers.iter().filter(|t| t.when > When::Entry).map(|t| t.outer).collect()
            }
            Stretch::Rounds(..) => Vec::new(),
        };
        let what = match self {
            Stretch::Nests(..) => "nests",
            Stretch::Chunks(..) => "chunks",
            Stretch::Product(_) | Stretch::Generated(..) => "product",
            Stretch::Repeated(..) => "repeated",
            Stretch::Rounds(..) => "rounds",
        };
        write!(f, "{what}")?;
        writes.iter().try_for_each(|buffer| write!(f, " {buffer}"))
    }
}

/// The program in stretches.
pub(super) fn stretches<'p>(
    program: &'p TensorProgram,
    host: &Host,
    target: (Level, Precision),
) -> Vec<Stretch<'p>> {
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut size = 0;
    let mut taken = vec![false; program.steps.len()];
    for (at, step) in program.steps.iter().enumerate() {
        let nest = match step {
            Step::Product(_) => {
                stretches.extend(product(program, (&program.steps, at), target, None, &mut taken));
                continue;
            }
            Step::Repeated(repeated) => {
                let inside = self::stretches(&repeated.program, host, target);
                stretches.push(Stretch::Repeated(repeated, inside));
                continue;
            }
            Step::Rounds(run) => {
                stretches.push(in_rounds(program, run, target));
                continue;
            }
            Step::Nest(_) if taken[at] => continue,
            Step::Nest(nest) => nest,
        };
        let emitter = Emitter::of(nest, program, target.0);
        let nest = match chunked(nest, body_length(nest, host)) {
            None => Cow::Borrowed(nest),
            Some(Chunked { nest, rest }) => {
                stretches.push(Stretch::Chunks(nest, emitter));
                let Some(rest) = rest else { continue };
                Cow::Owned(rest)
            }
        };
        let more = code_size(&nest, host);
        match stretches.last_mut() {
            Some(Stretch::Nests(nests, own)) if *own == emitter && size + more <= emitter.most() => {
                size += more;
                nests.push(nest);
            }
            _ => {
                size = more;
                stretches.push(Stretch::Nests(vec![nest], emitter));
            }
        }
    }
    stretches
}

/// Steps that are run round by round.
fn in_rounds<'p>(
    program: &'p TensorProgram,
    run: &'p Rounds,
    (level, precision): (Level, Precision),
) -> Stretch<'p> {
    let mut taken = vec![false; run.steps.len()];
    let mut each = Vec::new();
    for (at, step) in run.steps.iter().enumerate() {
        match step {
            Step::Nest(_) if taken[at] => {}
            Step::Nest(nest) => {
                each.push(Stretch::Chunks(nest.clone(), Emitter::of(nest, program, level)));
            }
            Step::Product(_) => {
                let target = (level, precision);
                each.extend(product(program, (&run.steps, at), target, Some(run.rounds), &mut taken));
            }
            // `verify` has seen that there are none.
            Step::Repeated(_) | Step::Rounds(_) => {}
        }
    }
    Stretch::Rounds(each, run)
}

/// The product among some steps, and the nest after it that can be its epilogue, which is `taken` then.
fn product<'p>(
    program: &'p TensorProgram,
    (steps, at): (&'p [Step], usize),
    (level, precision): (Level, Precision),
    rounds: Option<u32>,
    taken: &mut [bool],
) -> Option<Stretch<'p>> {
    let Step::Product(product) = &steps[at] else { return None };
    let Some(code) = generate(product, &program.buffers, precision, level, rounds) else {
        return Some(Stretch::Product(product));
    };
    Some(match epilogue(program, (steps, at), &code, taken) {
        None => Stretch::Generated(product, code, None),
        Some((place, nest, code)) => {
            taken[place] = true;
            Stretch::Generated(product, code, Some(nest))
        }
    })
}

/// A function of the wide emitter begins on a cache line.
const ALIGNMENT: usize = 64;

/// Where the code of a function begins.
#[derive(Clone, Copy)]
pub(super) enum Start {
    Own(FuncId),
    /// So many bytes into what the wide emitter wrote, which is one piece: the module maps, protects and
    /// unmaps pages for each.
    Wide(FuncId, usize),
}

/// Functions under definition.
pub(super) struct Definition<'h> {
    pub host: &'h Host,
    pub precision: Precision,
    pub functions: Vec<Start>,
    /// Bytes in all.
    pub size: usize,
}

impl Definition<'_> {
    /// Compiles every function of a program, those within loops in their place.
    pub fn define(
        &mut self,
        module: &mut JITModule,
        program: &TensorProgram,
        stretches: &[Stretch],
    ) -> Result<(), Error> {
        let failed = |error: ModuleError| Error::internal("jit", error);
        let mut all = Vec::new();
        functions(stretches, program, &mut all);
        let wide = module.declare_anonymous_function(&signature(self.host)).map_err(failed)?;
        let mut bytes: Vec<u8> = Vec::new();
        let mut context = (Context::new(), FunctionBuilderContext::new());
        for (stretch, program) in all {
            let Some(assembly) = stretch.assembly(program, self.host, self.precision) else {
                self.define_stretch(module, &mut context, program, stretch)?;
                continue;
            };
            bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
            self.functions.push(Start::Wide(wide, bytes.len()));
            bytes.extend(assembly?.bytes());
        }
        if !bytes.is_empty() {
            module.define_function_bytes(wide, ALIGNMENT as u64, &bytes, &[]).map_err(failed)?;
            self.size += bytes.len();
        }
        Ok(())
    }

    /// A function of Cranelift's.
    fn define_stretch(
        &mut self,
        module: &mut JITModule,
        (context, builder): &mut (Context, FunctionBuilderContext),
        program: &TensorProgram,
        stretch: &Stretch,
    ) -> Result<(), Error> {
        let failed = |error: ModuleError| Error::internal("jit", error);
        context.clear();
        write(&mut context.func, builder, self.host, program, self.precision, stretch);
        let id = module.declare_anonymous_function(&signature(self.host)).map_err(failed)?;
        module.define_function(id, context).map_err(failed)?;
        self.size += context.compiled_code().map_or(0, |code| code.code_buffer().len());
        self.functions.push(Start::Own(id));
        Ok(())
    }
}

/// The signature of every function: the arena, and which chunk.
fn signature(host: &Host) -> Signature {
    let convention = if cfg!(target_arch = "x86_64") { CallConv::SystemV } else { host.call_conv() };
    let mut signature = Signature::new(convention);
    signature.params = vec![AbiParam::new(types::I64); 2];
    signature
}

/// Writes the function of a stretch of nests; others have none.
fn write(
    function: &mut Function,
    context: &mut FunctionBuilderContext,
    host: &Host,
    program: &TensorProgram,
    precision: Precision,
    stretch: &Stretch,
) {
    function.signature = signature(host);
    let mut builder = FunctionBuilder::new(function, context);
    let block = builder.create_block();
    builder.append_block_params_for_function_params(block);
    builder.switch_to_block(block);
    let (arena, chunk) = (builder.block_params(block)[0], builder.block_params(block)[1]);
    let (float, vector) = match precision {
        Precision::F32 => (types::F32, types::F32X4),
        Precision::F64 => (types::F64, types::F64X2),
    };
    let mut emitter = nest::Emitter { builder, host, program, float, vector, arena };
    match stretch {
        Stretch::Nests(nests, _) => nests.iter().for_each(|nest| emitter.nest(nest, None)),
        Stretch::Chunks(nest, _) => emitter.nest(nest, Some(chunk)),
        _ => {}
    }
    let mut builder = emitter.builder;
    builder.ins().return_(&[]);
    builder.seal_all_blocks();
    builder.finalize(host.isa.frontend_config());
}
