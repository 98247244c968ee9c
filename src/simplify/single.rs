//! Quotients by several factors of which one may be as large as `exp(x)`: divided by that one first, as
//! its product with the others may overflow where the quotient does not.
//!
//! What must stay true: this is done last, to results. Collection would put the divisors together again.

use super::rebuild::Rebuild;
use super::standing::{factors, power, product, quotient};
use super::{Simplifier, Task};
use crate::ir::{Elementwise, Id, Op, Selection, reachable};
use rustc_hash::FxHashSet;

impl Simplifier<'_> {
    /// Divides by what grows exponentially apart from other divisors.
    pub(super) fn divide_singly(&mut self, task: &mut Task) {
        let mut growing: FxHashSet<Id> = FxHashSet::default();
        let mut rebuild = Rebuild::of(self.graph);
        for id in reachable(self.graph, &task.results()) {
            let mut made = rebuild.remade(self.graph, id);
            if let Some((first, rest)) = self.divisors(made, &growing) {
                made = self.graph.operand(made, 0);
                for divisor in first.into_iter().chain(rest) {
                    made = self.graph.apply(Elementwise::Div, &[made, divisor]);
                }
            }
            rebuild.put(id, made);
            if self.grows(id, &growing) {
                growing.extend([id, made]);
            }
        }
        task.rename_results(&rebuild);
    }

    /// The divisors of a quotient that grow, and the product of the others.
    fn divisors(&mut self, id: Id, growing: &FxHashSet<Id>) -> Option<(Vec<Id>, Option<Id>)> {
        let (_, divisor) = quotient(self.graph, id).filter(|_| !growing.is_empty())?;
        let mut divisors: Vec<Id> = Vec::new();
        for factor in factors(self.graph, divisor) {
            match power(self.graph, factor) {
                (base, times @ 2..=4) if growing.contains(&base) => divisors.extend((0..times).map(|_| base)),
                _ => divisors.push(factor),
            }
        }
        if divisors.len() < 2 || !divisors.iter().any(|f| growing.contains(f)) {
            return None;
        }
        let (first, rest): (Vec<Id>, Vec<Id>) = divisors.into_iter().partition(|f| growing.contains(f));
        Some((first, product(self.graph, rest)))
    }

    /// Whether a node may be as large as `exp(x)`: by its own op, or by one of its operands.
    fn grows(&self, id: Id, growing: &FxHashSet<Id>) -> bool {
        use Elementwise::{Abs, Add, Cosh, Div, Exp, Exp2, Expm1, Mul, Neg, Pow, Relu, Sinh, Sub};
        let graph = &*self.graph;
        let operands = graph.operands(id);
        let any = |of: &[Id]| of.iter().any(|x| growing.contains(x));
        match graph.op(id) {
            Op::Elementwise(Exp | Exp2 | Expm1 | Sinh | Cosh) => !self.is_bounded(id),
            Op::Elementwise(Pow) => graph.constant(operands[1]).is_none() && !self.is_bounded(id),
            Op::Elementwise(Abs | Add | Mul | Neg | Relu | Sub) => any(operands),
            Op::Elementwise(Div) => any(&operands[..1]),
            Op::Selection(Selection::Select) => any(&operands[1..]),
            _ => false,
        }
    }
}
