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
pub(super) fn contract(function: &Function) -> Function {
    let uses = use_counts(function.graph(), function.outputs());
    let constant = constant_nodes(function.graph(), function.outputs());
    let products = Products { uses, constant };
    rewrite(function, |source, id, operands, target| {
        let Op::Elementwise(op @ (Elementwise::Add | Elementwise::Sub)) = source.op(id) else { return None };
        let (left, right) = (source.operand(id, 0), source.operand(id, 1));
        let (product, other) = match (products.factor(source, left), products.factor(source, right)) {
            (Some(product), None) if !products.is_product(source, right) => (product, 1),
            (None, Some(product)) if !products.is_product(source, left) => (product, 0),
            _ => return None,
        };
        let subtracted = op == Elementwise::Sub;
        // Operands are copied before users, and a copy has the copies as operands.
        let copy = operands[1 - other];
        let (a, b) = factors_of_copy(target, copy);
        let a = if product.negated != (subtracted && other == 0) { negated(target, a) } else { a };
        let c = if subtracted && other == 1 { negated(target, operands[1]) } else { operands[other] };
        Some(target.intern(Op::Elementwise(Elementwise::Fma), &[a, b, c], TypeId::F64))
    })
}

struct Products {
    uses: Vec<u32>,
    constant: Vec<bool>,
}

/// A product that may be contracted.
struct Factor {
    negated: bool,
}

impl Products {
    /// A product, or a negated one, that is computed for one user alone.
    fn factor(&self, g: &Graph, id: Id) -> Option<Factor> {
        let single = |id: Id| self.uses[id.index()] == 1 && !self.constant[id.index()];
        match g.op(id) {
            Op::Elementwise(Elementwise::Mul) if single(id) => Some(Factor { negated: false }),
            Op::Elementwise(Elementwise::Neg) if single(id) => {
                let x = g.operand(id, 0);
                let product = g.op(x) == Op::Elementwise(Elementwise::Mul) && single(x);
                product.then_some(Factor { negated: true })
            }
            _ => None,
        }
    }

    /// Any product or negated product, however often used.
    fn is_product(&self, g: &Graph, id: Id) -> bool {
        match g.op(id) {
            Op::Elementwise(Elementwise::Mul) => !self.constant[id.index()],
            Op::Elementwise(Elementwise::Neg) => self.is_product_plain(g, g.operand(id, 0)),
            _ => false,
        }
    }

    fn is_product_plain(&self, g: &Graph, id: Id) -> bool {
        g.op(id) == Op::Elementwise(Elementwise::Mul) && !self.constant[id.index()]
    }
}

/// The factors of a copied product, looking through one negation.
fn factors_of_copy(g: &Graph, id: Id) -> (Id, Id) {
    let product = match g.op(id) {
        Op::Elementwise(Elementwise::Neg) => g.operand(id, 0),
        _ => id,
    };
    (g.operand(product, 0), g.operand(product, 1))
}

fn negated(g: &mut Graph, x: Id) -> Id {
    g.intern(Op::Elementwise(Elementwise::Neg), &[x], TypeId::F64)
}
