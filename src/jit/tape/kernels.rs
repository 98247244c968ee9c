//! The loop of each operation over columns, numbers and truth values alike: those are 1 and 0.

use crate::ir::{Elementwise, Selection};
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

    fn arity(self) -> usize {
        match self {
            Operation::Elementwise(op) => op.arity(),
            Operation::Selection(op) => op.arity(),
        }
    }

    /// True for an operand that is a truth value.
    fn is_truth(self, operand: usize) -> bool {
        match self {
            Operation::Elementwise(_) => false,
            Operation::Selection(Selection::Select) => operand == 0,
            Operation::Selection(op) => !op.is_comparison(),
        }
    }
}

/// The loop of an operation; none where the machine has no wide loops. Compiled once a process, and kept.
pub(super) fn kernel(operation: Operation) -> Option<&'static LoopKernel> {
    static KERNELS: Mutex<Vec<(Operation, Option<&'static LoopKernel>)>> = Mutex::new(Vec::new());
    let mut kernels = KERNELS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, known)) = kernels.iter().find(|(known, _)| *known == operation) {
        return *known;
    }
    let made = compiled(operation).map(|made| &*Box::leak(Box::new(made)));
    kernels.push((operation, made));
    made
}

fn compiled(operation: Operation) -> Option<LoopKernel> {
    let level = Level::best();
    if level == Level::L128 {
        return None;
    }
    let mut block = Block::default();
    let address = |buffer, offset: usize| Address { buffer, offset: offset as u32, stride: 0 };
    let arity = operation.arity();
    let [one, zero] = [1.0, 0.0].map(|x| block.push(Inst::number(x)));
    let operands: Vec<Value> = (0..arity)
        .map(|k| {
            let x = block.push(Inst::Load(address(Buffer::Inputs, k)));
            match operation.is_truth(k) {
                true => block.push(Inst::Selection(Selection::NotEqual, Operands::new(&[x, zero]))),
                false => x,
            }
        })
        .collect();
    let operands = Operands::new(&operands);
    let value = match operation {
        Operation::Elementwise(op) => block.push(Inst::Elementwise(op, operands)),
        Operation::Selection(op) => {
            let value = block.push(Inst::Selection(op, operands));
            match op.is_bool() {
                true => block.push(Inst::Selection(Selection::Select, Operands::new(&[value, one, zero]))),
                false => value,
            }
        }
    };
    block.push(Inst::Store(address(Buffer::Outputs, 0), value));
    LoopKernel::compile(lower(&block, &vec![Stream::Column; arity], level, Width::Double)?).ok()
}
