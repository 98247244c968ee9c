//! Whole derivatives of scalar nodes: gradient, Jacobian, Hessian, and Hessian times a vector.

use super::{jvp, vjp};
use crate::ir::{Graph, Id};

/// How first derivatives are computed; both give the same functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Mode {
    /// Tangents from the inputs up: one sweep per input.
    Forward,
    /// Cotangents from the outputs down: one sweep per output.
    #[default]
    Reverse,
}

/// ∂y/∂x for each `x` of `wrt`, all scalar nodes; zero where `y` does not depend on `x`.
pub fn gradient(graph: &mut Graph, y: Id, wrt: &[Id], mode: Mode) -> Vec<Id> {
    let one = graph.integer(1);
    let found = match mode {
        Mode::Reverse => vjp(graph, &[(y, one)], wrt),
        Mode::Forward => wrt.iter().map(|&x| jvp(graph, &[y], &[(x, one)])[0]).collect(),
    };
    let zero = graph.integer(0);
    found.into_iter().map(|d| d.unwrap_or(zero)).collect()
}

/// Row `i`, column `j` is ∂yᵢ/∂xⱼ, all scalar nodes.
pub fn jacobian(graph: &mut Graph, ys: &[Id], wrt: &[Id], mode: Mode) -> Vec<Vec<Id>> {
    match mode {
        Mode::Reverse => ys.iter().map(|&y| gradient(graph, y, wrt, mode)).collect(),
        Mode::Forward => {
            let (zero, one) = (graph.integer(0), graph.integer(1));
            let column = |x: &Id| jvp(graph, ys, &[(*x, one)]);
            let columns: Vec<Vec<Option<Id>>> = wrt.iter().map(column).collect();
            let row = |i: usize| columns.iter().map(|c| c[i].unwrap_or(zero)).collect();
            (0..ys.len()).map(row).collect()
        }
    }
}

/// ∂²y/∂xᵢ∂xⱼ: the gradient by reverse mode, differentiated again by `mode`.
pub fn hessian(graph: &mut Graph, y: Id, wrt: &[Id], mode: Mode) -> Vec<Vec<Id>> {
    let slopes = gradient(graph, y, wrt, Mode::Reverse);
    jacobian(graph, &slopes, wrt, mode)
}

/// The Hessian of `y` times a direction (one node per `wrt`): the gradient's tangent along it,
/// at a constant factor of the gradient's cost.
pub fn hvp(graph: &mut Graph, y: Id, wrt: &[Id], direction: &[Id]) -> Vec<Id> {
    let slopes = gradient(graph, y, wrt, Mode::Reverse);
    let seeds: Vec<(Id, Id)> = wrt.iter().copied().zip(direction.iter().copied()).collect();
    let zero = graph.integer(0);
    let tangents = jvp(graph, &slopes, &seeds);
    tangents.into_iter().map(|t| t.unwrap_or(zero)).collect()
}
