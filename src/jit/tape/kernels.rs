//! The loop of each operation over columns, numbers and truth values alike: those are 1 and 0.

use crate::ir::{Elementwise, Selection};
use crate::jit::side_by_side::wide;
use crate::jit::wide::{Level, LoopKernel, Stream, Width, lower};
use crate::loops::{Address, Block, Buffer, Inst, Operands, Value};
use std::sync::{Mutex, PoisonError};

/// An operation of a strip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Operation {
    Elementwise(Elementwise),
    Selection(Selection),
}

impl Operation {
    pub fn of(inst: &Inst) -> Option<Operation> {
        match inst {
            Inst::Elementwise(op, _) => Some(Operation::Elementwise(*op)),
            Inst::Selection(op, _) => Some(Operation::Selection(*op)),
            Inst::Constant(_) | Inst::Load(_) | Inst::Store(..) => None,
        }
    }
}

/// The loop of an operation; none where the machine has no wide loops. Compiled once a process, and kept.
pub(super) fn kernel(operation: Operation) -> Option<&'static LoopKernel> {
    match operation {
        Operation::Elementwise(op) => wide(&[op]),
        Operation::Selection(op) => selection(op),
    }
}

fn selection(op: Selection) -> Option<&'static LoopKernel> {
    static KERNELS: Mutex<Vec<(Selection, Option<&'static LoopKernel>)>> = Mutex::new(Vec::new());
    let mut kernels = KERNELS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, known)) = kernels.iter().find(|(known, _)| *known == op) {
        return *known;
    }
    let made = compiled(op).map(|made| &*Box::leak(Box::new(made)));
    kernels.push((op, made));
    made
}

/// True for an operand that is a truth value.
fn is_truth(op: Selection, operand: usize) -> bool {
    if op == Selection::Select { operand == 0 } else { !op.is_comparison() }
}

fn compiled(op: Selection) -> Option<LoopKernel> {
    let mut block = Block::default();
    let address = |buffer, offset: usize| Address { buffer, offset: offset as u32, stride: 0 };
    let select = |op, operands: &[Value]| Inst::Selection(op, Operands::new(operands));
    let [one, zero] = [1.0, 0.0].map(|x| block.push(Inst::number(x)));
    let operands: Vec<Value> = (0..op.arity())
        .map(|k| {
            let x = block.push(Inst::Load(address(Buffer::Inputs, k)));
            if is_truth(op, k) { block.push(select(Selection::NotEqual, &[x, zero])) } else { x }
        })
        .collect();
    let value = block.push(select(op, &operands));
    let number = match op.is_bool() {
        true => block.push(select(Selection::Select, &[value, one, zero])),
        false => value,
    };
    block.push(Inst::Store(address(Buffer::Outputs, 0), number));
    let body = lower(&block, &vec![Stream::Column; op.arity()], Level::best(), Width::Double)?;
    LoopKernel::compile(body).ok()
}
