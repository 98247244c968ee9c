//! Arrays, seen as one of their elements: elementwise arithmetic is simplified as if on numbers.
//!
//! Before the passes, nodes that only repeat a number to an array's shape are taken out; after
//! them they are put back. Between, an elementwise op takes arrays of one shape, and numbers, so
//! that `log(1 + exp(v))` meets the rule for `log(1 + exp(x))`.
//!
//! What must stay true: what is not elementwise keeps the shapes of its operands, whatever they
//! were simplified to.

use super::rebuild::{rebuilt, remade};
use crate::ir::{Graph, Id, Op, Repetition, Structural, reachable};

/// True where some of the work is on arrays.
pub(super) fn has_arrays(graph: &Graph, roots: &[Id]) -> bool {
    let works = |id: &Id| match graph.op(*id) {
        Op::Elementwise(_) | Op::Selection(_) => true,
        // A number times an array, as yet.
        Op::Contract { .. } => graph.operands(*id).iter().any(|&x| graph.is_scalar(x)),
        _ => false,
    };
    reachable(graph, roots).iter().any(|id| works(id) && !graph.is_scalar(*id))
}

/// The nodes with repetition left to the ops; the graph is in that state from here on.
pub(super) fn implicit(graph: &mut Graph, lists: &mut [&mut Vec<Id>]) {
    graph.set_repetition(Repetition::Implicit);
    rebuilt(graph, lists, |graph, id, operands| match graph.op(id) {
        Op::Elementwise(_) | Op::Selection(_) => {
            for x in operands.iter_mut() {
                while let Op::Structural(Structural::Broadcast { .. }) = graph.op(*x)
                    && graph.is_scalar(graph.operand(*x, 0))
                {
                    *x = graph.operand(*x, 0);
                }
            }
            let shape = graph.shape(id).clone();
            let made = remade(graph, id, operands);
            repeated(graph, made, &shape)
        }
        _ => remade(graph, id, operands),
    });
}

/// The nodes with every repetition a node again.
pub(super) fn explicit(graph: &mut Graph, lists: &mut [&mut Vec<Id>]) {
    graph.set_repetition(Repetition::Explicit);
    rebuilt(graph, lists, |graph, id, operands| remade(graph, id, operands));
}

/// `x`, repeated to a shape if it is a number and that is none.
pub(super) fn repeated(graph: &mut Graph, x: Id, shape: &crate::ir::Shape) -> Id {
    match graph.is_scalar(x) {
        true => graph.broadcast(x, ((1u16 << shape.rank()) - 1) as u8, shape),
        false => x,
    }
}
