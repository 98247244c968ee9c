//! Negations moved out of products and into sums, where they cost nothing.
//!
//! What must stay true: every identity here is exact, signs of zero included; only the sign of a
//! NaN may change. So `(−a) − b` stays: `−(a + b)` is −0, not 0, where a = −b.

use crate::ir::{Elementwise, Graph, Id, Number, Op, TypeId};

/// A better way to write `op(operands)` in `g`, if a sign is in the way.
pub(super) fn moved_sign(g: &mut Graph, op: Elementwise, operands: &[Id]) -> Option<Id> {
    let minus = |g: &Graph, x: Id| (g.op(x) == Op::Elementwise(Elementwise::Neg)).then(|| g.operand(x, 0));
    match (op, operands) {
        (Elementwise::Neg, &[x]) => minus(g, x).or_else(|| negated_product(g, x)),
        (Elementwise::Add, &[a, b]) => match (minus(g, a), minus(g, b)) {
            (_, Some(b)) => Some(build(g, Elementwise::Sub, &[a, b])),
            (Some(a), None) => Some(build(g, Elementwise::Sub, &[b, a])),
            (None, None) => None,
        },
        (Elementwise::Sub, &[a, b]) => minus(g, b).map(|b| build(g, Elementwise::Add, &[a, b])),
        (Elementwise::Mul | Elementwise::Div, &[a, b]) => match (minus(g, a), minus(g, b)) {
            (Some(a), Some(b)) => Some(build(g, op, &[a, b])),
            (Some(a), None) => Some(negated_quotient(g, op, a, b)),
            (None, Some(b)) => Some(negated_quotient(g, op, a, b)),
            (None, None) => None,
        },
        _ => None,
    }
}

/// −(a·b) or −(a/b), with the sign in a constant if there is one.
fn negated_quotient(g: &mut Graph, op: Elementwise, a: Id, b: Id) -> Id {
    let exact = |g: &Graph, x: Id| g.constant(x).map(Number::negate);
    let operands = match (exact(g, a), exact(g, b)) {
        (Some(a), _) => [g.exact(a), b],
        (None, Some(b)) => [a, g.exact(b)],
        (None, None) => {
            let y = build(g, op, &[a, b]);
            return build(g, Elementwise::Neg, &[y]);
        }
    };
    build(g, op, &operands)
}

/// −(c·x) as (−c)·x, for a constant c.
fn negated_product(g: &mut Graph, x: Id) -> Option<Id> {
    let Op::Elementwise(op @ (Elementwise::Mul | Elementwise::Div)) = g.op(x) else { return None };
    let (a, b) = (g.operand(x, 0), g.operand(x, 1));
    let signed = g.constant(a).or_else(|| g.constant(b)).is_some_and(|c| !c.is_zero());
    signed.then(|| negated_quotient(g, op, a, b))
}

fn build(g: &mut Graph, op: Elementwise, operands: &[Id]) -> Id {
    g.intern(Op::Elementwise(op), operands, TypeId::F64)
}
