//! The instructions of a block, as CLIF.
//!
//! What must stay true: addresses are those of the program, which [`crate::loops::verify`] has
//! checked; constants reach the code as the bits they are.

use super::cost::is_inline;
use super::library;
use super::machine::{Clif, selected};
use super::paired::{self, PAIRS, pairs};
use super::side_by_side::plan;
use super::translate::{CONSTANTS, ELEMENT, Names, OPS, PAIRED, Writer, signature};
use crate::elementary::{Format, Machine};
use crate::ir::{Elementwise, Selection};
use crate::loops::{Address, Block, Buffer, Inst, Value as Of};
use cranelift_codegen::ir::{
    ExtFuncData, ExternalName, FuncRef, GlobalValueData, InstBuilder, MemFlagsData, Value, types,
};
use rustc_hash::FxHashMap;

/// The pointers a block works on, at the row it works for.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub inputs: Value,
    pub outputs: Value,
    pub scratch: Value,
}

impl Writer<'_> {
    /// Appends the block's instructions.
    pub fn block(&mut self, block: &Block, row: Row) {
        // Text shows the block as it stands, whatever the machine has.
        if self.names == Names::Linked {
            (self.pairs, self.ready) = (pairs(block, self.host), FxHashMap::default());
            if let Some(plan) = plan(block, self.host) {
                return self.grouped(block, &plan, row);
            }
        }
        let mut values: Vec<Value> = Vec::with_capacity(block.insts.len());
        let mut operands: Vec<Value> = Vec::with_capacity(3);
        for (at, inst) in block.insts.iter().enumerate() {
            operands.clear();
            operands.extend(inst.operands().iter().map(|x| values[x.index()]));
            let result = self.inst(Of::new(at), inst, &operands, row);
            values.push(result);
        }
    }

    /// Appends one instruction on operands that are known.
    pub fn inst(&mut self, at: Of, inst: &Inst, operands: &[Value], row: Row) -> Value {
        if let Some(value) = self.ready.remove(&at) {
            return value;
        }
        match inst {
            Inst::Constant(bits) => self.constant(*bits),
            Inst::Load(address) => self.load(address, row),
            Inst::Store(address, _) => self.store(address, row, operands[0]),
            Inst::Elementwise(op, _) => match self.pairs.get(&at).copied() {
                Some((other, pair)) => self.pair(*op, other, pair, operands[0]),
                None => self.elementwise(*op, operands),
            },
            Inst::Selection(op, _) => self.selection(*op, operands),
        }
    }

    /// Calls for two results, and keeps the other one.
    fn pair(&mut self, op: Elementwise, other: Of, pair: usize, operand: Value) -> Value {
        let signature = self.builder.import_signature(paired::signature(self.host));
        let name = self.linked_name(PAIRED, pair as u32);
        let data = ExtFuncData { name, signature, colocated: false, patchable: false };
        let callee = self.builder.import_function(data);
        let call = self.builder.ins().call(callee, &[operand]);
        let results = self.builder.inst_results(call);
        let [own, others] = match PAIRS[pair][0] == op {
            true => [results[0], results[1]],
            false => [results[1], results[0]],
        };
        self.ready.insert(other, others);
        own
    }

    /// Fetches the address of the constants, if the block has any that are in memory.
    pub fn open_constants(&mut self, block: &Block) {
        let in_memory = |inst: &Inst| matches!(inst, Inst::Constant(bits) if *bits != 0);
        if self.names == Names::Linked && block.insts.iter().any(in_memory) {
            let name = self.linked_name(CONSTANTS, 0);
            let data = GlobalValueData::Symbol { name, offset: 0.into(), colocated: false, tls: false };
            let constants = self.builder.create_global_value(data);
            self.constants_base = Some(self.builder.ins().symbol_value(types::I64, constants));
        }
    }

    /// A constant from memory, where it can be another instruction's operand; 0 is made.
    fn constant(&mut self, bits: u64) -> Value {
        match self.constants_base {
            Some(base) if bits != 0 => {
                let place = self.constants.place(bits);
                self.builder.ins().load(types::F64, unchanging(), base, place)
            }
            _ => Clif(&mut self.builder).f(f64::from_bits(bits)),
        }
    }

    fn load(&mut self, address: &Address, row: Row) -> Value {
        let (base, offset) = place(address, row);
        self.builder.ins().load(types::F64, unchanging(), base, offset)
    }

    fn store(&mut self, address: &Address, row: Row, value: Value) -> Value {
        let (base, offset) = place(address, row);
        self.builder.ins().store(MemFlagsData::trusted(), value, base, offset);
        value
    }

    fn elementwise(&mut self, op: Elementwise, operands: &[Value]) -> Value {
        if is_inline(op, self.host, Format::Double) {
            return op.value(&mut Clif(&mut self.builder), operands);
        }
        let callee = match self.callees.get(&op) {
            Some(&callee) => callee,
            None => self.import(op),
        };
        let call = self.builder.ins().call(callee, operands);
        self.builder.inst_results(call)[0]
    }

    fn import(&mut self, op: Elementwise) -> FuncRef {
        let signature = self.builder.import_signature(signature(self.host, op));
        let name = match self.names {
            Names::Text => ExternalName::testcase(library::symbol(op)),
            Names::Linked => self.linked_name(OPS, op as u32),
        };
        let data = ExtFuncData { name, signature, colocated: false, patchable: false };
        let callee = self.builder.import_function(data);
        self.callees.insert(op, callee);
        callee
    }

    fn selection(&mut self, op: Selection, operands: &[Value]) -> Value {
        selected(&mut Clif(&mut self.builder), op, operands)
    }
}

/// Memory that does not change while a block runs, so that a load may move next to its use:
/// inputs, constants, and scratch, of which `chunk` reuses a slot only in later blocks.
fn unchanging() -> MemFlagsData {
    MemFlagsData::trusted().with_readonly().with_can_move()
}

/// Base pointer and byte offset; the row is in the base already.
fn place(address: &Address, row: Row) -> (Value, i32) {
    let base = match address.buffer {
        Buffer::Inputs => row.inputs,
        Buffer::Outputs => row.outputs,
        Buffer::Scratch => row.scratch,
    };
    let offset = i64::from(address.offset) * ELEMENT;
    (base, i32::try_from(offset).expect("`code` bounds the buffers"))
}
