//! Structural ops, reductions and contractions on simplified operands: moves that undo each other
//! go, and numbers come out of sums and products.
//!
//! What must stay true: every rewrite is linear algebra that holds for all values; only sums of a
//! factor may round differently.

use super::shapes::repeated;
use super::{Purpose, Simplifier};
use crate::ir::structural::{pack_order, source_axis};
use crate::ir::{Elementwise, Graph, Id, Op, Structural};

fn structural(graph: &mut Graph, op: Structural, id: Id, operands: &[Id]) -> Option<Id> {
    let &[x] = operands else { return None };
    let shape = graph.shape(id).clone();
    match (op, graph.op(x)) {
        (Structural::Reshape, Op::Structural(Structural::Reshape)) => {
            let inner = graph.operand(x, 0);
            Some(graph.reshape(inner, &shape))
        }
        (Structural::Permute { order }, Op::Structural(Structural::Permute { order: inner })) => {
            let composed = (0..shape.rank()).map(|i| source_axis(inner, source_axis(order, i)));
            let (of, composed) = (graph.operand(x, 0), pack_order(composed));
            Some(graph.permute(of, composed))
        }
        (Structural::Permute { .. }, Op::Contract { batch: 0, over: 1 }) => transposed_product(graph, x),
        (Structural::Permute { .. }, Op::Contract { batch: 0, over: 0 }) if shape.rank() == 2 => {
            let (a, b) = (graph.operand(x, 0), graph.operand(x, 1));
            let are_vectors = graph.shape(a).rank() == 1 && graph.shape(b).rank() == 1;
            are_vectors.then(|| graph.contract(b, a, 0))
        }
        (_, Op::Structural(Structural::Broadcast { .. })) if graph.is_scalar(graph.operand(x, 0)) => {
            of_equal_elements(graph, op, id, x)
        }
        (Structural::Sum { axes: 0b01 | 0b10 }, Op::Elementwise(Elementwise::Mul)) => row_sums(graph, x),
        (Structural::Sum { axes }, Op::Structural(Structural::Broadcast { axes: repeated }))
            if axes == repeated =>
        {
            let count = graph.shape(x).size() / shape.size().max(1);
            let (of, count) = (graph.operand(x, 0), graph.integer(count as i64));
            Some(graph.apply(Elementwise::Mul, &[count, of]))
        }
        _ => None,
    }
}

/// The vector of a diagonal matrix, which its rows and columns sum to.
fn row_sums(graph: &Graph, product: Id) -> Option<Id> {
    let (a, b) = (graph.operand(product, 0), graph.operand(product, 1));
    let repeated = match (graph.is_identity(a), graph.is_identity(b)) {
        (true, _) => b,
        (_, true) => a,
        _ => return None,
    };
    let is_repeated = matches!(graph.op(repeated), Op::Structural(Structural::Broadcast { .. }));
    let vector = is_repeated.then(|| graph.operand(repeated, 0))?;
    (graph.shape(vector).rank() == 1).then_some(vector)
}

/// (A·B)ᵀ is Bᵀ·Aᵀ, of which one loses a transposition.
fn transposed_product(graph: &mut Graph, product: Id) -> Option<Id> {
    let (a, b) = (graph.operand(product, 0), graph.operand(product, 1));
    let is_turned = |x: Id| matches!(graph.op(x), Op::Structural(Structural::Permute { .. }));
    let are_matrices = graph.shape(a).rank() == 2 && graph.shape(b).rank() == 2;
    if !are_matrices || !(is_turned(a) || is_turned(b)) {
        return None;
    }
    let mut turned = |x: Id| match graph.op(x) {
        Op::Structural(Structural::Permute { .. }) => graph.operand(x, 0),
        _ => graph.permute(x, pack_order([1, 0])),
    };
    let (b, a) = (turned(b), turned(a));
    Some(graph.contract(b, a, 1))
}

/// A move of an array whose elements are all one number.
fn of_equal_elements(graph: &mut Graph, op: Structural, id: Id, x: Id) -> Option<Id> {
    let (value, shape) = (graph.operand(x, 0), graph.shape(id).clone());
    match op {
        Structural::Sum { .. } => {
            let count = graph.shape(x).size() / shape.size().max(1);
            let count = graph.integer(count as i64);
            let sum = graph.apply(Elementwise::Mul, &[count, value]);
            Some(repeated(graph, sum, &shape))
        }
        Structural::Pad { .. } | Structural::Overlap { .. } | Structural::Stack | Structural::Iota => None,
        Structural::Gather | Structural::Scatter { .. } => None,
        _ => Some(repeated(graph, value, &shape)),
    }
}

/// Moves that a factor may be taken out of, in results for readers: a machine scales the smaller
/// side.
fn carries_factor(op: Structural) -> bool {
    use Structural::{Broadcast, Permute, Reshape, Slice};
    matches!(op, Broadcast { .. } | Permute { .. } | Reshape | Slice { .. })
}

impl Simplifier<'_> {
    /// The node `id` with other operands; they have its operands' shapes, or are numbers.
    pub(super) fn make_structure(&mut self, id: Id, operands: &[Id]) -> Id {
        let shapes: Vec<_> = self.graph.operands(id).iter().map(|&x| self.graph.shape(x).clone()).collect();
        let operands: Vec<Id> =
            operands.iter().zip(&shapes).map(|(&x, shape)| repeated(self.graph, x, shape)).collect();
        let (op, ty) = (self.graph.op(id), self.graph.node(id).ty);
        let made = match op {
            Op::Structural(op) => {
                structural(self.graph, op, id, &operands).or_else(|| self.scaled_move(op, id, &operands))
            }
            Op::Contract { batch, over } => self.contraction(batch, over, &operands),
            _ => None,
        };
        made.unwrap_or_else(|| self.graph.intern(op, &operands, ty))
    }

    /// A sum or move of c·a is c times that of a.
    fn scaled_move(&mut self, op: Structural, id: Id, operands: &[Id]) -> Option<Id> {
        let &[x] = operands else { return None };
        let is_sum = matches!(op, Structural::Sum { .. });
        let is_wanted = is_sum || self.purpose == Purpose::Read && carries_factor(op);
        if !is_wanted {
            return None;
        }
        let (factor, rest) = self.split_factor(x)?;
        let ty = self.graph.node(id).ty;
        let moved = self.graph.intern(Op::Structural(op), &[rest], ty);
        Some(self.graph.apply(Elementwise::Mul, &[factor, moved]))
    }

    /// A contraction with its numeric factors outside: (c·a)·b is c·(a·b).
    fn contraction(&mut self, batch: u8, over: u8, operands: &[Id]) -> Option<Id> {
        let &[a, b] = operands else { return None };
        if self.graph.is_scalar(a) || self.graph.is_scalar(b) {
            return Some(self.graph.apply(Elementwise::Mul, operands));
        }
        match (batch, over) {
            (0, 1) if self.graph.is_identity(a) => return Some(b),
            (0, 1) if self.graph.is_identity(b) => return Some(a),
            _ => {}
        }
        let (left, right) = (self.split_factor(a), self.split_factor(b));
        if left.is_none() && right.is_none() {
            return None;
        }
        let one = self.graph.integer(1);
        let (c, a) = left.unwrap_or((one, a));
        let (d, b) = right.unwrap_or((one, b));
        let factor = self.graph.apply(Elementwise::Mul, &[c, d]);
        let product = self.graph.contract_batched(a, b, batch, over);
        Some(self.graph.apply(Elementwise::Mul, &[factor, product]))
    }

    /// `factor · rest` with a constant factor and an array `rest` of the same shape.
    fn split_factor(&mut self, x: Id) -> Option<(Id, Id)> {
        let (factor, rest) = self.peel(x);
        if factor.is_one() || factor.is_zero() || self.graph.shape(rest) != self.graph.shape(x) {
            return None;
        }
        Some((self.graph.exact(factor), rest))
    }
}
