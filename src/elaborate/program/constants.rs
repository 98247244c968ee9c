//! Values of nodes that need no input.

use crate::ir::{Graph, Id, Op, reachable};

/// The value of a number that depends on no input.
pub(super) fn value(graph: &Graph, id: Id) -> Option<f64> {
    if let Some(number) = graph.constant(id) {
        return Some(number.to_f64());
    }
    let is_constant = graph.is_scalar(id)
        && reachable(graph, &[id]).iter().all(|&node| !matches!(graph.op(node), Op::Input(_)));
    is_constant.then(|| crate::ir::eval::evaluate(graph, &[], &[id], &[])[0])
}

/// All elements of an array that depends on no input, row-major.
pub(super) fn values(graph: &Graph, id: Id) -> Option<Vec<f64>> {
    if let Some(number) = graph.constant(id) {
        return Some(vec![number.to_f64()]);
    }
    let is_constant = reachable(graph, &[id]).iter().all(|&node| !matches!(graph.op(node), Op::Input(_)));
    is_constant.then(|| crate::ir::eval::evaluate(graph, &[], &[id], &[]))
}
