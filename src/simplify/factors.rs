//! Products, quotients and powers as they stand in the graph, for what is done last.

use super::sum::SEARCHED;
use crate::ir::{Elementwise, Graph, Id, Number, Op};

pub(super) fn is(graph: &Graph, id: Id, op: Elementwise) -> bool {
    graph.op(id) == Op::Elementwise(op)
}

/// What is divided, and by what.
pub(super) fn quotient(graph: &Graph, id: Id) -> Option<(Id, Id)> {
    is(graph, id, Elementwise::Div).then(|| (graph.operand(id, 0), graph.operand(id, 1)))
}

/// `x` and `n` of `x^n`, n a whole number.
pub(super) fn power(graph: &Graph, id: Id) -> (Id, i64) {
    let exponent = || graph.constant(graph.operand(id, 1)).and_then(Number::to_i64);
    match is(graph, id, Elementwise::Pow).then(exponent).flatten() {
        Some(n) => (graph.operand(id, 0), n),
        None => (id, 1),
    }
}

/// The factors of a product, the first of them as they stand if they are many.
pub(super) fn factors(graph: &Graph, product: Id) -> Vec<Id> {
    let mut factors = vec![product];
    while is(graph, factors[0], Elementwise::Mul) && factors.len() < SEARCHED {
        let first = factors[0];
        factors.splice(..1, graph.operands(first).iter().copied());
    }
    factors
}

/// The product of some nodes, if there are any.
pub(super) fn product(graph: &mut Graph, factors: Vec<Id>) -> Option<Id> {
    factors.into_iter().reduce(|a, b| graph.apply(Elementwise::Mul, &[a, b]))
}

pub(super) fn grows_exponentially(graph: &Graph, id: Id) -> bool {
    use Elementwise::{Cosh, Exp, Exp2, Expm1, Sinh};
    matches!(graph.op(id), Op::Elementwise(Exp | Exp2 | Expm1 | Sinh | Cosh))
}
