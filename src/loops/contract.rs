//! `a·b ± c` contracted into one fused multiply-add, which rounds once.
//!
//! What must stay true: a product that is used elsewhere stays a product, and of two products
//! that meet neither is contracted, unless they are squares that are added. Then `a·b − c·d` is 0
//! where they are equal, and a fused sum has the sign of the exact sum of its operands: contraction
//! makes no square root of a negative.
//! (Where `a·b` overflows but `a·b ± c` does not, the contracted form is the finite, right one.)

use super::fold::constant_nodes;
use super::rewrite::rewrite;
use crate::ir::{Elementwise, Function, Graph, Id, Op, TypeId, use_counts};

/// Products deep in which squares are looked for.
const DEPTH: usize = 4;

/// The function with its sums of a product and something else contracted.
///
/// Products are not negated here: `sign` has turned `c + −(a·b)` into `c − a·b`.
pub(super) fn contract(function: &Function) -> Function {
    let graph = function.graph();
    let uses = use_counts(graph, function.outputs());
    let sums = Sums { graph, uses, constant: constant_nodes(graph, function.outputs()) };
    rewrite(function, |source, id, operands, target| {
        let i = sums.contracted(id)?;
        // Operands were copied before their users, as they were.
        let (a, b) = (target.operand(operands[i], 0), target.operand(operands[i], 1));
        let other = operands[1 - i];
        let subtracted = source.op(id) == Op::Elementwise(Elementwise::Sub);
        let (a, c) = match (subtracted, i) {
            (false, _) => (a, other),
            (true, 0) => (a, negated(target, other)),
            (true, _) => (negated(target, a), other),
        };
        Some(target.intern(Op::Elementwise(Elementwise::Fma), &[a, b, c], TypeId::F64))
    })
}

/// The sums of a function.
struct Sums<'a> {
    graph: &'a Graph,
    uses: Vec<u32>,
    constant: Vec<bool>,
}

impl Sums<'_> {
    /// Which operand of a sum is the product to contract.
    fn contracted(&self, id: Id) -> Option<usize> {
        let graph = self.graph;
        let Op::Elementwise(op @ (Elementwise::Add | Elementwise::Sub)) = graph.op(id) else { return None };
        let operands = [graph.operand(id, 0), graph.operand(id, 1)];
        let candidates: &[usize] = match operands.map(|x| self.is_product(x)) {
            [true, false] => &[0],
            [false, true] => &[1],
            [true, true] if op == Elementwise::Add && operands.iter().all(|&x| self.is_square(x, DEPTH)) => {
                &[0, 1]
            }
            _ => &[],
        };
        let is_free = |x: Id| self.uses[x.index()] == 1 && is(graph, x, Elementwise::Mul);
        candidates.iter().copied().find(|&i| is_free(operands[i]))
    }

    fn is_product(&self, id: Id) -> bool {
        let graph = self.graph;
        let unsigned = if is(graph, id, Elementwise::Neg) { graph.operand(id, 0) } else { id };
        is(graph, unsigned, Elementwise::Mul) && !self.constant[id.index()]
    }

    /// True for a product of squares and positive numbers.
    fn is_square(&self, id: Id, depth: usize) -> bool {
        let graph = self.graph;
        if let Some(c) = graph.constant(id) {
            return !c.is_zero() && !c.is_negative();
        }
        if depth == 0 || !is(graph, id, Elementwise::Mul) {
            return false;
        }
        let (a, b) = (graph.operand(id, 0), graph.operand(id, 1));
        a == b || self.is_square(a, depth - 1) && self.is_square(b, depth - 1)
    }
}

fn is(graph: &Graph, id: Id, op: Elementwise) -> bool {
    graph.op(id) == Op::Elementwise(op)
}

fn negated(g: &mut Graph, x: Id) -> Id {
    g.intern(Op::Elementwise(Elementwise::Neg), &[x], TypeId::F64)
}
