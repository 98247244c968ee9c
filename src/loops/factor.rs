//! `c·a ± c·b` as `c·(a ± b)`, for a small number c: one product less, and a sum that contracts.
//!
//! What must stay true: signs of zero; and the factor is more than 1, so that a sum in range stays
//! in range, and no more than 4, so that what is below the normal numbers is off by two of the
//! smallest at most.

use crate::ir::{Elementwise, Graph, Id, Number, Op, TypeId};

/// Products deep in which a number is looked for.
const DEPTH: usize = 4;

/// `op(left, right)`, a sum or difference of two products that no one else uses, with the number
/// outside that both have.
pub(super) fn factored(g: &mut Graph, op: Elementwise, left: Id, right: Id) -> Option<Id> {
    let (c, d) = (coefficient(g, left, DEPTH)?, coefficient(g, right, DEPTH)?);
    let size = g.constant(c)?.absolute();
    if g.constant(d)?.absolute() != size || !(1.0 < size.to_f64() && size.to_f64() <= 4.0) {
        return None;
    }
    let (a, b) = (without(g, left, c)?, without(g, right, d)?);
    let is_negative = |x: Id| g.constant(x).is_some_and(Number::is_negative);
    let sum = match (is_negative(c), is_negative(d) != (op == Elementwise::Sub)) {
        (false, false) => build(g, Elementwise::Add, a, b),
        (false, true) => build(g, Elementwise::Sub, a, b),
        (true, false) => build(g, Elementwise::Sub, b, a),
        // −(a + b) is −0 where −a − b is 0.
        (true, true) => return None,
    };
    let size = g.exact(size);
    Some(build(g, Elementwise::Mul, size, sum))
}

/// The first number among the factors of a product.
fn coefficient(g: &Graph, product: Id, depth: usize) -> Option<Id> {
    let (a, b) = factors(g, product).filter(|_| depth > 0)?;
    [a, b].into_iter().find(|&x| g.constant(x).is_some()).or_else(|| coefficient(g, a, depth - 1))
}

/// The product without that factor.
fn without(g: &mut Graph, product: Id, factor: Id) -> Option<Id> {
    let (a, b) = factors(g, product)?;
    if a == factor || b == factor {
        return Some(if a == factor { b } else { a });
    }
    let a = without(g, a, factor)?;
    Some(build(g, Elementwise::Mul, a, b))
}

fn factors(g: &Graph, product: Id) -> Option<(Id, Id)> {
    let is_product = g.op(product) == Op::Elementwise(Elementwise::Mul);
    is_product.then(|| (g.operand(product, 0), g.operand(product, 1)))
}

fn build(g: &mut Graph, op: Elementwise, a: Id, b: Id) -> Id {
    g.intern(Op::Elementwise(op), &[a, b], TypeId::F64)
}
