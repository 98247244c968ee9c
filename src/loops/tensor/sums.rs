//! How sums and their like go together: what every engine computes alike.
//!
//! Along a loop in lanes, round i is combined into partial result i modulo their number, starting
//! from what changes nothing; in the end halves of the partial results are combined with halves, the
//! lower with the upper, until one is left. All other reductions go from the first round to the last.
//!
//! What must stay true: the order depends on the nest and the precision only, not on how wide vectors are.

use super::program::{Combine, Load, Nest, Write};
use crate::ir::Elementwise;
use crate::loops::{Inst, host_has_fma};

/// Bytes of the partial results of a sum: several vectors, as additions wait for each other.
const PARTIAL: usize = 256;

/// And of bodies long enough for that not to matter.
const PARTIAL_OF_LONG: usize = 64;

/// Instructions of a short body.
const SHORT: u32 = 12;

/// What an elementary function counts for.
const FUNCTION: u32 = 20;

impl Nest {
    /// How many partial results a reduction along the loop in lanes has, of numbers of so many bytes.
    pub fn partial_sums(&self, bytes: usize) -> usize {
        (if self.is_short() { PARTIAL } else { PARTIAL_OF_LONG }) / bytes
    }

    /// How a store is reduced; `None` for one that is set each time round.
    pub fn reduction(&self, store: usize) -> Option<Combine> {
        match self.stores[store].write {
            Write::Reduce(combine) => Some(combine),
            _ => None,
        }
    }

    /// True where what lanes hold is combined in the end.
    pub fn lanes_are_reduced(&self) -> bool {
        self.lanes.is_some_and(|l| self.loops[l].reduced)
    }

    /// True for bodies of few instructions.
    pub fn is_short(&self) -> bool {
        self.body_length() <= SHORT
    }

    /// True where an elementary function is computed.
    pub fn has_functions(&self) -> bool {
        let is_function = |inst: &Inst| matches!(inst, Inst::Elementwise(op, _) if !is_arithmetic(*op));
        self.block().insts.iter().any(is_function)
    }

    /// The work of one iteration, in instructions or so; the same on every machine.
    pub fn body_length(&self) -> u32 {
        let lengths = self.block().insts.iter().map(|inst| match inst {
            Inst::Constant(_) | Inst::Load(_) | Inst::Store(..) => 0,
            Inst::Elementwise(op, _) if !is_arithmetic(*op) => FUNCTION,
            Inst::Elementwise(..) | Inst::Selection(..) => 1,
        });
        lengths.sum()
    }

    /// The products that are summed and used for nothing else: they are rounded once, with the sum,
    /// where the host can.
    pub fn fused_products(&self) -> Vec<bool> {
        let insts = &self.block().insts;
        let mut uses = vec![0u32; insts.len()];
        insts.iter().flat_map(Inst::operands).for_each(|x| uses[x.index()] += 1);
        let mut fused = vec![false; insts.len()];
        for inst in insts.iter().filter(|_| host_has_fma()) {
            let Inst::Store(address, value) = inst else { continue };
            let sums = self.stores[address.offset as usize].write == Write::Reduce(Combine::Sum);
            let is_product = matches!(insts[value.index()], Inst::Elementwise(Elementwise::Mul, _));
            fused[value.index()] = sums && is_product && uses[value.index()] == 1;
        }
        fused
    }
}

/// True for ops that are an instruction or few.
pub(crate) fn is_arithmetic(op: Elementwise) -> bool {
    use Elementwise::{Abs, Add, Ceil, Div, Floor, Fma, Max, Min, Mul, Neg, Relu, Sign, Sqrt, Sub};
    matches!(op, Neg | Add | Sub | Mul | Div | Fma | Sqrt | Abs | Floor | Ceil | Min | Max | Relu | Sign)
}

impl Combine {
    /// What leaves the other operand as it is.
    pub fn identity(self) -> f64 {
        match self {
            Combine::Sum => 0.0,
            Combine::Max => f64::NEG_INFINITY,
            Combine::Min => f64::INFINITY,
        }
    }

    /// Two elements combined; a NaN stays.
    pub fn of(self, a: f64, b: f64) -> f64 {
        match self {
            Combine::Sum => a + b,
            Combine::Max if a.is_nan() || a >= b => a,
            Combine::Min if a.is_nan() || a <= b => a,
            Combine::Max | Combine::Min => b,
        }
    }
}

impl Load {
    /// The innermost loop it depends on, counted from 1.
    pub fn depth(&self) -> usize {
        match self {
            Load::Element(place) => place.at.depth(),
            Load::Gathered(place, chosen) => place.at.depth().max(chosen.index.at.depth()),
            Load::Position(form) => form.depth(),
        }
    }

    /// True when it differs from round to round of a loop.
    pub fn varies(&self, l: usize) -> bool {
        match self {
            Load::Element(place) => place.at.strides[l] != 0,
            Load::Gathered(place, chosen) => place.at.strides[l] != 0 || chosen.index.at.strides[l] != 0,
            Load::Position(form) => form.strides[l] != 0,
        }
    }
}
