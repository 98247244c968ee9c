//! Quotients by what may be as large as `exp(x)`: divided by that first, before other divisors, and what
//! is as large itself before other factors, as products with it may overflow where the quotient does not.
//!
//! What must stay true: this is done last, to results. Collection would put the divisors together again.

use super::factors::{factors, grows_exponentially, power, product, quotient};
use super::rebuild::Rebuild;
use super::{Simplifier, Task};
use crate::ir::{Elementwise, Graph, Id, Op, Selection, reachable};
use rustc_hash::FxHashSet;

impl Simplifier<'_> {
    /// Divides by what grows exponentially apart from other divisors, and first what grows itself.
    pub(super) fn divide_singly(&mut self, task: &mut Task) {
        let mut growing: FxHashSet<Id> = FxHashSet::default();
        let mut rebuild = Rebuild::of(self.graph);
        for id in reachable(self.graph, &task.results()) {
            let same = rebuild.remade(self.graph, id);
            let made = if growing.is_empty() { None } else { divided(self.graph, same, &growing) };
            rebuild.put(id, made.unwrap_or(same));
            if self.grows(id, &growing) {
                growing.extend([id, same]);
                growing.extend(made);
            }
        }
        task.rename_results(&rebuild);
    }

    /// Whether a node may be as large as `exp(x)`: by its own op, or by one of its operands.
    fn grows(&self, id: Id, growing: &FxHashSet<Id>) -> bool {
        use Elementwise::{Abs, Add, Div, Mul, Neg, Pow, Relu, Sub};
        let graph = &*self.graph;
        let operands = graph.operands(id);
        let any = |of: &[Id]| of.iter().any(|x| growing.contains(x));
        match graph.op(id) {
            _ if grows_exponentially(graph, id) => !self.is_bounded(id),
            Op::Elementwise(Pow) => graph.constant(operands[1]).is_none() && !self.is_bounded(id),
            Op::Elementwise(Abs | Add | Mul | Neg | Relu | Sub) => any(operands),
            Op::Elementwise(Div) => any(&operands[..1]),
            Op::Selection(Selection::Select) => any(&operands[1..]),
            _ => false,
        }
    }
}

/// The quotient in a safe order, where it is by something that grows, and not one factor by another.
fn divided(graph: &mut Graph, id: Id, growing: &FxHashSet<Id>) -> Option<Id> {
    let (numerator, divisor) = quotient(graph, id)?;
    let mut divisors: Vec<Id> = Vec::new();
    for factor in factors(graph, divisor) {
        match power(graph, factor) {
            (base, times @ 2..=4) if growing.contains(&base) => divisors.extend((0..times).map(|_| base)),
            _ => divisors.push(factor),
        }
    }
    let grows = |x: &Id| growing.contains(x);
    let (large, rest): (Vec<Id>, Vec<Id>) = divisors.into_iter().partition(grows);
    let (&first, others) = large.split_first()?;
    let (large_above, above): (Vec<Id>, Vec<Id>) = factors(graph, numerator).into_iter().partition(grows);
    if others.is_empty() && rest.is_empty() && (large_above.is_empty() || above.is_empty()) {
        return None;
    }
    let quotient = match product(graph, large_above) {
        Some(large) => {
            let quotient = graph.apply(Elementwise::Div, &[large, first]);
            above.into_iter().fold(quotient, |made, f| graph.apply(Elementwise::Mul, &[made, f]))
        }
        None => graph.apply(Elementwise::Div, &[numerator, first]),
    };
    let left: Vec<Id> = others.iter().copied().chain(product(graph, rest)).collect();
    Some(left.into_iter().fold(quotient, |made, d| graph.apply(Elementwise::Div, &[made, d])))
}
