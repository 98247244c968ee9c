//! Structural ops, reductions and contractions on simplified operands: moves that undo each other
//! go, and numbers come out of sums and products.
//!
//! What must stay true: every rewrite is linear algebra that holds for all values; only sums of a
//! factor may round differently.

use super::shapes::repeated;
use crate::ir::structural::{pack_order, source_axis};
use crate::ir::{Elementwise, Graph, Id, Op, Structural};

/// The node `id` with other operands; they have its operands' shapes, or are numbers.
pub(super) fn make(graph: &mut Graph, id: Id, operands: &[Id]) -> Id {
    let shapes: Vec<_> = graph.operands(id).iter().map(|&x| graph.shape(x).clone()).collect();
    let operands: Vec<Id> =
        operands.iter().zip(&shapes).map(|(&x, shape)| repeated(graph, x, shape)).collect();
    let (op, ty) = (graph.op(id), graph.node(id).ty);
    let made = match op {
        Op::Structural(op) => structural(graph, op, id, &operands),
        Op::Contract { batch, over } => contraction(graph, batch, over, &operands),
        _ => None,
    };
    made.unwrap_or_else(|| graph.intern(op, &operands, ty))
}

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
        (_, Op::Structural(Structural::Broadcast { .. })) if graph.is_scalar(graph.operand(x, 0)) => {
            of_equal_elements(graph, op, id, x)
        }
        (Structural::Sum { axes }, Op::Structural(Structural::Broadcast { axes: repeated }))
            if axes == repeated =>
        {
            let count = graph.shape(x).size() / shape.size().max(1);
            let (of, count) = (graph.operand(x, 0), graph.integer(count as i64));
            Some(graph.apply(Elementwise::Mul, &[count, of]))
        }
        (Structural::Sum { axes }, _) => {
            let (factor, rest) = split_factor(graph, x)?;
            let sum = graph.sum(rest, axes);
            Some(graph.apply(Elementwise::Mul, &[factor, sum]))
        }
        _ => None,
    }
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

/// A contraction with its numeric factors outside: (c·a)·b is c·(a·b).
fn contraction(graph: &mut Graph, batch: u8, over: u8, operands: &[Id]) -> Option<Id> {
    let &[a, b] = operands else { return None };
    if graph.is_scalar(a) || graph.is_scalar(b) {
        return Some(graph.apply(Elementwise::Mul, operands));
    }
    let (left, right) = (split_factor(graph, a), split_factor(graph, b));
    if left.is_none() && right.is_none() {
        return None;
    }
    let one = graph.integer(1);
    let (c, a) = left.unwrap_or((one, a));
    let (d, b) = right.unwrap_or((one, b));
    let (factor, product) =
        (graph.apply(Elementwise::Mul, &[c, d]), graph.contract_batched(a, b, batch, over));
    Some(graph.apply(Elementwise::Mul, &[factor, product]))
}

/// `factor · rest` with a constant factor and an array `rest` of the same shape.
fn split_factor(graph: &mut Graph, x: Id) -> Option<(Id, Id)> {
    match graph.op(x) {
        Op::Elementwise(Elementwise::Neg) => Some((graph.integer(-1), graph.operand(x, 0))),
        Op::Elementwise(op @ (Elementwise::Mul | Elementwise::Div)) => {
            let (a, b) = (graph.operand(x, 0), graph.operand(x, 1));
            let keeps_shape = |rest: Id| graph.shape(rest) == graph.shape(x);
            match (graph.constant(a), graph.constant(b)) {
                (Some(_), _) if op == Elementwise::Mul && keeps_shape(b) => Some((a, b)),
                (_, Some(n)) if keeps_shape(a) => {
                    let n = if op == Elementwise::Mul { n.clone() } else { n.recip()? };
                    Some((graph.exact(n), a))
                }
                _ => None,
            }
        }
        _ => None,
    }
}
