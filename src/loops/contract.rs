//! `a·b ± c` contracted into one fused multiply-add, which rounds once.
//!
//! What must stay true: a product that is used elsewhere stays a product, and of two products
//! that meet neither is contracted. Then `a·b − c·d` is 0 where they are equal, and a fused sum
//! has the sign of the exact sum of its operands: contraction makes no square root of a negative.
//! (Where `a·b` overflows but `a·b ± c` does not, the contracted form is the finite, right one.)

use super::fold::constant_nodes;
use super::rewrite::rewrite;
use crate::ir::{Elementwise, Function, Graph, Id, Op, TypeId, use_counts};

/// The function with its sums of a product and something else contracted.
///
/// Products are not negated here: `sign` has turned `c + −(a·b)` into `c − a·b`.
pub(super) fn contract(function: &Function) -> Function {
    let graph = function.graph();
    let uses = use_counts(graph, function.outputs());
    let constant = constant_nodes(graph, function.outputs());
    let is_product = |id: Id| {
        let unsigned = if is(graph, id, Elementwise::Neg) { graph.operand(id, 0) } else { id };
        is(graph, unsigned, Elementwise::Mul) && !constant[id.index()]
    };
    let contracts = |id: Id| uses[id.index()] == 1 && is(graph, id, Elementwise::Mul);
    rewrite(function, |source, id, operands, target| {
        let Op::Elementwise(op @ (Elementwise::Add | Elementwise::Sub)) = source.op(id) else { return None };
        let (left, right) = (source.operand(id, 0), source.operand(id, 1));
        // Operands were copied before their users, as they were.
        let factors = |target: &Graph, product: Id| (target.operand(product, 0), target.operand(product, 1));
        let (a, b, c) = match (is_product(left), is_product(right)) {
            (true, false) if contracts(left) => {
                let (a, b) = factors(target, operands[0]);
                let subtracted = op == Elementwise::Sub;
                (a, b, if subtracted { negated(target, operands[1]) } else { operands[1] })
            }
            (false, true) if contracts(right) => {
                let (a, b) = factors(target, operands[1]);
                let subtracted = op == Elementwise::Sub;
                (if subtracted { negated(target, a) } else { a }, b, operands[0])
            }
            _ => return None,
        };
        Some(target.intern(Op::Elementwise(Elementwise::Fma), &[a, b, c], TypeId::F64))
    })
}

fn is(graph: &Graph, id: Id, op: Elementwise) -> bool {
    graph.op(id) == Op::Elementwise(op)
}

fn negated(g: &mut Graph, x: Id) -> Id {
    g.intern(Op::Elementwise(Elementwise::Neg), &[x], TypeId::F64)
}
