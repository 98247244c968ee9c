//! Sums over what is linear in them, taken where there is less: Σₚ A[p,·]·B is (Σₚ A[p,·])·B, and a
//! factor that does not depend on p stands outside.
//!
//! What must stay true: sums are of the same terms in another order; what is used elsewhere as well
//! is left alone, for it is made anyway.

use crate::ir::structural::source_axis;
use crate::ir::{Elementwise, Graph, Id, Op, Structural, structural::pack_order};

/// Operators between a sum and what it is moved to, at most.
const DEPTH: usize = 8;

/// How a sum over some axes gets past a node.
enum Past {
    Neg(Id),
    Both(Elementwise, [Id; 2]),
    /// A repeated factor, and the sum of the other one.
    Factor(Id, Id),
    /// The sum of one of a contraction's operands, over axes of its own.
    Factors(usize, u8),
    Turned(Id, u8, u32),
}

fn past(graph: &Graph, x: Id, axes: u8) -> Option<Past> {
    let operand = |i: usize| graph.operand(x, i);
    let repeats = |y: Id| match graph.op(y) {
        Op::Structural(Structural::Broadcast { axes: repeated }) => repeated & axes == axes,
        _ => false,
    };
    match graph.op(x) {
        Op::Elementwise(Elementwise::Neg) => Some(Past::Neg(operand(0))),
        Op::Elementwise(op @ (Elementwise::Add | Elementwise::Sub)) => {
            Some(Past::Both(op, [operand(0), operand(1)]))
        }
        Op::Elementwise(Elementwise::Mul) if repeats(operand(0)) => {
            Some(Past::Factor(operand(0), operand(1)))
        }
        Op::Elementwise(Elementwise::Mul) if repeats(operand(1)) => {
            Some(Past::Factor(operand(1), operand(0)))
        }
        Op::Structural(Structural::Permute { order }) => {
            let rank = graph.shape(x).rank();
            let inner = (0..rank).filter(|&axis| axes >> axis & 1 == 1);
            let inner = inner.fold(0, |set, axis| set | 1 << source_axis(order, axis));
            Some(Past::Turned(operand(0), inner, order))
        }
        Op::Contract { batch, over } if over > 0 => {
            let (batch, over) = (batch as usize, over as usize);
            let rows = graph.shape(operand(0)).rank() - over;
            let set = |range: std::ops::Range<usize>| range.fold(0u8, |set, axis| set | 1 << axis);
            let columns = graph.shape(x).rank();
            match axes {
                _ if axes & !set(batch..rows) == 0 => Some(Past::Factors(0, axes)),
                // Of the second operand, the summed axes lie between the paired ones and its own.
                _ if axes & !set(rows..columns) == 0 => {
                    Some(Past::Factors(1, axes >> rows << (batch + over)))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// True where a sum over some axes of `x` ends at repeated factors and contractions, and nothing on
/// the way is needed for something else.
pub(super) fn moves_in(graph: &Graph, x: Id, axes: u8, uses: &[u32]) -> bool {
    let mut waiting = vec![(x, axes, 0)];
    while let Some((x, axes, depth)) = waiting.pop() {
        if uses[x.index()] != 1 || depth == DEPTH {
            return false;
        }
        match past(graph, x, axes) {
            Some(Past::Neg(y)) => waiting.push((y, axes, depth + 1)),
            Some(Past::Turned(y, inner, _)) => waiting.push((y, inner, depth + 1)),
            Some(Past::Both(_, both)) => waiting.extend(both.map(|y| (y, axes, depth + 1))),
            Some(Past::Factor(..) | Past::Factors(..)) => {}
            None => return false,
        }
    }
    true
}

/// The sum of `x` over some axes, moved inwards; `None` where the graph is no longer as
/// [`moves_in`] saw it.
pub(super) fn moved_in(graph: &mut Graph, x: Id, axes: u8, depth: usize) -> Option<Id> {
    if depth > DEPTH {
        return None;
    }
    match past(graph, x, axes)? {
        Past::Neg(y) => {
            let sum = moved_in(graph, y, axes, depth + 1)?;
            Some(graph.apply(Elementwise::Neg, &[sum]))
        }
        Past::Both(op, [a, b]) => {
            let [a, b] = [moved_in(graph, a, axes, depth + 1)?, moved_in(graph, b, axes, depth + 1)?];
            Some(graph.apply(op, &[a, b]))
        }
        Past::Turned(y, inner, order) => {
            let rank = graph.shape(x).rank();
            let sum = moved_in(graph, y, inner, depth + 1)?;
            // What is left of the order, in numbers of the axes that are left.
            let kept = (0..rank).filter(|&axis| axes >> axis & 1 == 0).map(|axis| source_axis(order, axis));
            let below = |axis: usize| (inner & ((1u16 << axis) - 1) as u8).count_ones() as usize;
            Some(graph.permute(sum, pack_order(kept.map(|axis| axis - below(axis)))))
        }
        Past::Factor(factor, of) => {
            let Op::Structural(Structural::Broadcast { axes: repeated }) = graph.op(factor) else {
                return None;
            };
            let sum = graph.sum(of, axes);
            let shape = graph.shape(sum).clone();
            let rank = graph.shape(of).rank();
            let kept = (0..rank).filter(|&axis| axes >> axis & 1 == 0).enumerate();
            let left = kept.fold(0u8, |set, (at, axis)| set | (repeated >> axis & 1) << at);
            let source = graph.operand(factor, 0);
            let factor = graph.broadcast(source, left, &shape);
            Some(graph.apply(Elementwise::Mul, &[factor, sum]))
        }
        Past::Factors(which, inner) => {
            let Op::Contract { batch, over } = graph.op(x) else { return None };
            let mut factors = [graph.operand(x, 0), graph.operand(x, 1)];
            factors[which] = graph.sum(factors[which], inner);
            Some(graph.contract_batched(factors[0], factors[1], batch, over))
        }
    }
}
