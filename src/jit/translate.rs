//! Functions around the blocks of a program, as CLIF: their signatures, names and loops.
//!
//! Two shapes of function. An *entry* takes inputs, outputs, scratch and the number of rows, and
//! loops over the rows; the one block of a short program is written into its loop, otherwise it
//! calls *chunks*, which take inputs, outputs and scratch at the row.
//!
//! What must stay true: a loop runs at least once; its caller sees to empty calls.

use super::block::Row;
use super::constants::Constants;
use super::isa::Host;
use super::side_by_side::Ops;
use crate::ir::Elementwise;
use crate::loops::{Block, Extent, Nest, Program, Value as Of};
use cranelift_codegen::ir::{
    AbiParam, BlockArg, ExtFuncData, ExternalName, FuncRef, Function, InstBuilder, Signature, StackSlotData,
    StackSlotKind, UserExternalName, UserFuncName, Value, types,
};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use rustc_hash::FxHashMap;

/// Namespaces of the names in generated code: chunks by number, ops by place in their table, the
/// constants, wide loops by number, and pairs by place in their table.
pub(super) const CHUNKS: u32 = 1;
pub(super) const OPS: u32 = 2;
pub(super) const CONSTANTS: u32 = 3;
pub(super) const WIDE: u32 = 4;
pub(super) const PAIRED: u32 = 5;

/// Scratch that fits a page lives on the entry's stack; more comes from the kernel's pool.
pub(super) const STACK_SCRATCH: u32 = 512;

/// Bytes of an element.
pub(super) const ELEMENT: i64 = 8;

/// How functions and constants are referred to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// By numbers that the linker resolves.
    Linked,
    /// Readably; constants where they are used.
    Text,
}

/// Writes CLIF functions for one host.
pub(super) struct Translator<'h> {
    host: &'h Host,
    names: Names,
    context: FunctionBuilderContext,
    pub constants: Constants,
    /// The wide loops called so far.
    pub wide: Vec<Ops>,
}

/// A function being written.
pub(super) struct Writer<'a> {
    pub host: &'a Host,
    pub names: Names,
    pub builder: FunctionBuilder<'a>,
    /// The functions called so far.
    pub callees: FxHashMap<Elementwise, FuncRef>,
    pub constants: &'a mut Constants,
    pub wide: &'a mut Vec<Ops>,
    /// Calls of the block that come in pairs: the other one, and the pair.
    pub pairs: FxHashMap<Of, (Of, usize)>,
    /// Results of calls whose pair has been made.
    pub ready: FxHashMap<Of, Value>,
    /// Where they are, if the block needs them.
    pub constants_base: Option<Value>,
}

impl<'h> Translator<'h> {
    pub fn new(host: &'h Host, names: Names) -> Self {
        let (context, constants) = (FunctionBuilderContext::new(), Constants::default());
        Translator { host, names, context, constants, wide: Vec::new() }
    }

    /// The function of one chunk.
    pub fn chunk(&mut self, function: &mut Function, number: u32, block: &Block) {
        function.name = match self.names {
            Names::Linked => UserFuncName::user(CHUNKS, number),
            Names::Text => UserFuncName::testcase(chunk_name(number)),
        };
        let (mut writer, parameters) = self.begin(function, 3);
        writer.open_constants(block);
        writer.block(block, row(&parameters));
        writer.finish();
    }

    /// The entry of a program, with its only block in it or calls of its chunks.
    pub fn entry(&mut self, function: &mut Function, program: &Program) {
        function.name = match self.names {
            Names::Linked => UserFuncName::user(0, 0),
            Names::Text => UserFuncName::testcase("kernel"),
        };
        let (mut writer, parameters) = self.begin(function, 4);
        let (mut row, rows) = (row(&parameters), parameters[3]);
        if program.scratch > 0 && program.scratch <= STACK_SCRATCH {
            row.scratch = writer.stack_scratch(program.scratch);
        }
        if let Some(block) = only_block(program) {
            writer.open_constants(block);
        }
        let mut first = 0;
        for nest in &program.nests {
            let chunks = first..first + nest.blocks.len() as u32;
            first = chunks.end;
            writer.nest(program, nest, row, rows, |writer, row| match only_block(program) {
                Some(block) => writer.block(block, row),
                None => writer.calls(chunks, row),
            });
        }
        writer.finish();
    }

    /// A function of pointer-sized parameters, and these.
    fn begin<'a>(&'a mut self, function: &'a mut Function, parameters: usize) -> (Writer<'a>, Vec<Value>) {
        function.signature = pointers(self.host, parameters);
        let mut builder = FunctionBuilder::new(function, &mut self.context);
        let block = builder.create_block();
        builder.append_block_params_for_function_params(block);
        builder.switch_to_block(block);
        let parameters = builder.block_params(block).to_vec();
        let writer = Writer {
            host: self.host,
            names: self.names,
            builder,
            callees: FxHashMap::default(),
            constants: &mut self.constants,
            wide: &mut self.wide,
            pairs: FxHashMap::default(),
            ready: FxHashMap::default(),
            constants_base: None,
        };
        (writer, parameters)
    }
}

/// The block of a program that has just one; it goes into the entry.
pub(super) fn only_block(program: &Program) -> Option<&Block> {
    match program.nests.as_slice() {
        [Nest { blocks, .. }] if blocks.len() == 1 => blocks.first(),
        _ => None,
    }
}

/// The first three parameters of every function.
fn row(parameters: &[Value]) -> Row {
    Row { inputs: parameters[0], outputs: parameters[1], scratch: parameters[2] }
}

/// The name of a chunk in CLIF text.
fn chunk_name(number: u32) -> String {
    format!("chunk{number}")
}

/// A signature of `count` pointer-sized parameters.
fn pointers(host: &Host, count: usize) -> Signature {
    let mut signature = Signature::new(host.call_conv());
    signature.params = vec![AbiParam::new(types::I64); count];
    signature
}

/// The signature of an op's native function.
pub(super) fn signature(host: &Host, op: Elementwise) -> Signature {
    let mut signature = Signature::new(host.call_conv());
    signature.params = vec![AbiParam::new(types::F64); op.arity()];
    signature.returns = vec![AbiParam::new(types::F64)];
    signature
}

impl Writer<'_> {
    fn stack_scratch(&mut self, slots: u32) -> Value {
        let data = StackSlotData::new(StackSlotKind::ExplicitSlot, slots * ELEMENT as u32, 3);
        let slot = self.builder.create_sized_stack_slot(data);
        self.builder.ins().stack_addr(types::I64, slot, 0)
    }

    fn finish(mut self) {
        self.builder.ins().return_(&[]);
        self.builder.seal_all_blocks();
        self.builder.finalize(self.host.isa.frontend_config());
    }

    /// A loop over rows, tested at its end: a call for one row falls straight through.
    fn nest(
        &mut self,
        program: &Program,
        nest: &Nest,
        row: Row,
        rows: Value,
        body: impl FnOnce(&mut Self, Row),
    ) {
        if nest.extent == Extent::Once {
            return body(self, row);
        }
        let [head, again, done] = [(); 3].map(|()| self.builder.create_block());
        let [inputs, outputs, left] = [(); 3].map(|()| self.builder.append_block_param(head, types::I64));
        self.builder.ins().jump(head, &[row.inputs, row.outputs, rows].map(BlockArg::Value));
        self.builder.switch_to_block(head);
        body(self, Row { inputs, outputs, ..row });
        let left = self.builder.ins().iadd_imm_s(left, -1);
        self.builder.ins().brif(left, again, &[], done, &[]);
        self.builder.switch_to_block(again);
        let inputs = self.builder.ins().iadd_imm_s(inputs, i64::from(program.inputs) * ELEMENT);
        let outputs = self.builder.ins().iadd_imm_s(outputs, i64::from(program.outputs) * ELEMENT);
        self.builder.ins().jump(head, &[inputs, outputs, left].map(BlockArg::Value));
        self.builder.switch_to_block(done);
    }

    fn calls(&mut self, chunks: std::ops::Range<u32>, row: Row) {
        let signature = self.builder.import_signature(pointers(self.host, 3));
        for number in chunks {
            let name = match self.names {
                Names::Text => ExternalName::testcase(chunk_name(number)),
                Names::Linked => self.linked_name(CHUNKS, number),
            };
            let data = ExtFuncData { name, signature, colocated: true, patchable: false };
            let chunk = self.builder.import_function(data);
            self.builder.ins().call(chunk, &[row.inputs, row.outputs, row.scratch]);
        }
    }

    pub fn linked_name(&mut self, namespace: u32, index: u32) -> ExternalName {
        let name = UserExternalName::new(namespace, index);
        ExternalName::user(self.builder.func.declare_imported_user_function(name))
    }
}
