//! Lengths, and the mark that gives them a slope of 0 at 0, where they have a kink.

use crate::ir::{Elementwise, Graph, Id, Number, Op, Selection, Structural};

/// Nodes of a sum of squares that are looked at.
const TERMS: usize = 64;

/// True for `if(r == 0, 0, r)` of a length `r`.
pub fn is_mark(graph: &Graph, id: Id) -> bool {
    let &[condition, zero, r] = graph.operands(id) else { return false };
    let is_zero = |id: Id| graph.repeated_constant(id).is_some_and(Number::is_zero);
    graph.op(id) == Op::Selection(Selection::Select)
        && graph.op(condition) == Op::Selection(Selection::Equal)
        && is_zero(zero)
        && matches!(*graph.operands(condition), [a, b] if a == r && is_zero(b) || b == r && is_zero(a))
        && is_length(graph, r)
}

/// `hypot(x, y)`, and roots of sums of squares.
pub fn is_length(graph: &Graph, id: Id) -> bool {
    match graph.op(id) {
        Op::Elementwise(Elementwise::Hypot) => {
            graph.operands(id).iter().all(|&leg| graph.constant(leg).is_none_or(Number::is_zero))
        }
        Op::Elementwise(Elementwise::Sqrt) => is_sum_of_squares(graph, graph.operand(id, 0)),
        _ => false,
    }
}

fn is_sum_of_squares(graph: &Graph, sum: Id) -> bool {
    let mut pending = vec![sum];
    for _ in 0..TERMS {
        let Some(id) = pending.pop() else { return true };
        let operands = graph.operands(id);
        let positive =
            |i: usize| graph.constant(operands[i]).is_some_and(|c| !c.is_negative() && !c.is_zero());
        match (graph.op(id), operands) {
            (Op::Elementwise(Elementwise::Add), _) => pending.extend(operands),
            (Op::Elementwise(Elementwise::Mul), [a, b]) if a == b => {}
            (Op::Elementwise(Elementwise::Mul), &[_, b]) if positive(0) => pending.push(b),
            (Op::Elementwise(Elementwise::Mul | Elementwise::Div), &[a, _]) if positive(1) => pending.push(a),
            (Op::Elementwise(Elementwise::Pow), _) if positive(1) => {
                if !graph.constant(operands[1]).is_some_and(Number::is_even) {
                    return false;
                }
            }
            (Op::Contract { batch, over }, [a, b])
                if a == b && usize::from(batch + over) == graph.shape(*a).rank() => {}
            (Op::Structural(Structural::Iota), _) => return false,
            (Op::Structural(Structural::Stack), _) => pending.extend(operands),
            (Op::Structural(_), _) => pending.push(operands[0]),
            _ => return false,
        }
    }
    false
}
