//! Graph in, graph out: derivatives as more nodes of the same graph.
//!
//! One table row gives both modes: reverse pulls cotangents back through it, forward pushes
//! tangents through it. Nothing here simplifies beyond what insertion does.

mod forward;
mod guarded;
mod jacobian;
mod length;
mod reverse;
mod scan;

pub use forward::jvp;
pub use jacobian::{Mode, gradient, hessian, hvp, jacobian};
pub use length::{is_length, is_mark};
pub use reverse::vjp;

use crate::ir::{Graph, Id, Op, Selection};

/// True when operand `i` of node `id` can pass a derivative on.
fn passes(graph: &Graph, id: Id, i: usize) -> bool {
    match graph.op(id) {
        Op::Elementwise(op) => op.has_partial(i),
        Op::Selection(op) => op == Selection::Select && i > 0,
        Op::Structural(op) => op.is_linear_in(i),
        Op::Reduce { op, .. } => op.has_partial(),
        Op::Contract { .. } | Op::Scan { .. } => true,
        Op::Input(_) | Op::Constant(_) => false,
    }
}

/// Which of `nodes` (operands first) vary with one of `wrt`; indexed by id.
fn active(graph: &Graph, nodes: &[Id], wrt: &[Id]) -> Vec<bool> {
    let last = nodes.iter().chain(wrt).max();
    let mut active = vec![false; last.map_or(0, |id| id.index() + 1)];
    for x in wrt {
        active[x.index()] = true;
    }
    for &id in nodes {
        let operands = graph.operands(id).iter().enumerate();
        let reached = operands.into_iter().any(|(i, x)| active[x.index()] && passes(graph, id, i));
        active[id.index()] |= reached;
    }
    active
}
