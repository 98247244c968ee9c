//! A block with calls [side by side](super::side_by_side), as CLIF.
//!
//! What must stay true: an argument is stored as soon as it is known, and all of a group's before
//! its call; results are fetched from memory where they are used.

use super::block::Row;
use super::side_by_side::{self, Group, Ops, Plan};
use super::translate::{ELEMENT, WIDE, Writer};
use crate::loops::{Block, Value as Of};
use cranelift_codegen::ir::{
    AbiParam, ExtFuncData, FuncRef, InstBuilder, Signature, StackSlot, StackSlotData, StackSlotKind, Value,
    types,
};
use cranelift_codegen::isa::CallConv;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// Where an argument goes: a group's memory, and which number of it.
type Place = (usize, usize);

/// A block being written.
struct Grouped<'p> {
    plan: &'p Plan,
    memory: Vec<StackSlot>,
    called: Vec<bool>,
    values: Vec<Option<Value>>,
    wanted: FxHashMap<Of, SmallVec<[Place; 2]>>,
}

impl Writer<'_> {
    /// Appends the block's instructions in the order of the plan.
    pub fn grouped(&mut self, block: &Block, plan: &Plan, row: Row) {
        let memory = plan.groups.iter().map(|group| self.memory(group)).collect();
        let (called, values) = (vec![false; plan.groups.len()], vec![None; block.insts.len()]);
        let mut grouped = Grouped { plan, memory, called, values, wanted: wanted(plan) };
        let mut operands: Vec<Value> = Vec::with_capacity(3);
        for at in plan.order.iter().map(|&at| Of::new(at as usize)) {
            if let Some(&(group, _)) = plan.members.get(&at) {
                self.call_group(&mut grouped, group as usize);
            } else {
                operands.clear();
                let inst = &block.insts[at.index()];
                operands.extend(inst.operands().iter().map(|&x| self.fetch(&grouped, x)));
                grouped.values[at.index()] = Some(self.inst(at, inst, &operands, row));
            }
            for &(group, number) in grouped.wanted.get(&at).into_iter().flatten() {
                let value = self.fetch(&grouped, at);
                self.builder.ins().stack_store(types::I64, value, grouped.memory[group], offset(number));
            }
        }
    }

    fn memory(&mut self, group: &Group) -> StackSlot {
        let numbers = group.slices() * group.arguments.len();
        self.slot(numbers as u32 * ELEMENT as u32)
    }

    fn slot(&mut self, bytes: u32) -> StackSlot {
        self.builder.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, bytes, 3))
    }

    /// A value where it is used.
    fn fetch(&mut self, grouped: &Grouped, x: Of) -> Value {
        match grouped.plan.members.get(&x) {
            Some(&(group, number)) => {
                let group = group as usize;
                let results = grouped.plan.groups[group].arity() * grouped.plan.groups[group].arguments.len();
                let place = offset(results + number as usize);
                self.builder.ins().stack_load(types::I64, types::F64, grouped.memory[group], place)
            }
            None => grouped.values[x.index()].expect("operands come first"),
        }
    }

    /// Calls the group's loop, before its first result.
    fn call_group(&mut self, grouped: &mut Grouped, number: usize) {
        if std::mem::replace(&mut grouped.called[number], true) {
            return;
        }
        let group = &grouped.plan.groups[number];
        let loop_of = self.wide_loop(&group.ops);
        let table = self.slot(group.slices() as u32 * 8);
        for slice in 0..group.slices() {
            let from = offset(slice * group.arguments.len());
            let address = self.builder.ins().stack_addr(types::I64, grouped.memory[number], from);
            self.builder.ins().stack_store(types::I64, address, table, slice as i32 * 8);
        }
        let slots = self.slot(side_by_side::wide(&group.ops).map_or(0, |l| l.scratch()).max(8) as u32);
        let table = self.builder.ins().stack_addr(types::I64, table, 0);
        let count = self.builder.ins().iconst(types::I64, group.arguments.len() as i64);
        let slots = self.builder.ins().stack_addr(types::I64, slots, 0);
        self.builder.ins().call(loop_of, &[table, count, slots]);
    }

    fn wide_loop(&mut self, ops: &Ops) -> FuncRef {
        let index = self.wide.iter().position(|known| known == ops).unwrap_or_else(|| {
            self.wide.push(ops.clone());
            self.wide.len() - 1
        });
        let signature = self.builder.import_signature(wide_signature());
        let name = self.linked_name(WIDE, index as u32);
        let data = ExtFuncData { name, signature, colocated: false, patchable: false };
        self.builder.import_function(data)
    }
}

/// The signature of a wide loop: a table of streams, elements, slots.
pub(super) fn wide_signature() -> Signature {
    let mut signature = Signature::new(CallConv::SystemV);
    signature.params = vec![AbiParam::new(types::I64); 3];
    signature
}

fn offset(number: usize) -> i32 {
    i32::try_from(number as i64 * ELEMENT).expect("a block is bounded by its chunk")
}

/// Where each argument goes.
fn wanted(plan: &Plan) -> FxHashMap<Of, SmallVec<[Place; 2]>> {
    let mut wanted: FxHashMap<Of, SmallVec<[Place; 2]>> = FxHashMap::default();
    for (number, group) in plan.groups.iter().enumerate() {
        for (lane, operands) in group.arguments.iter().enumerate() {
            for (k, &operand) in operands.iter().enumerate() {
                let place = (number, k * group.arguments.len() + lane);
                wanted.entry(operand).or_default().push(place);
            }
        }
    }
    wanted
}
