//! Quotients by what may be as large as `exp(x)`: divided by that first, before other divisors, and what
//! is as large itself before other factors, as products with it may overflow where the quotient does not. And
//! squares over powers of 4, as `csch(x)^2/4`: what is squared is divided.
//!
//! What must stay true: this is done last, to results. Collection would put the divisors together again.

use super::factors::{factors, grows_exponentially, is, power, product, quotient};
use super::rebuild::Rebuild;
use super::{Simplifier, Task};
use crate::ir::{Elementwise, Graph, Id, Number, Op, Selection, reachable};
use rustc_hash::FxHashSet;

impl Simplifier<'_> {
    /// Divides by what grows exponentially apart from other divisors, and first what grows itself.
    pub(super) fn divide_singly(&mut self, task: &mut Task) {
        let mut growing: FxHashSet<Id> = FxHashSet::default();
        let mut rebuild = Rebuild::of(self.graph);
        for id in reachable(self.graph, &task.results()) {
            let same = rebuild.remade(self.graph, id);
            let made = match growing.is_empty() {
                true => halved(self.graph, same),
                false => halved(self.graph, same).or_else(|| divided(self.graph, same, &growing)),
            };
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

/// A square over a power of 4 as the square of a quotient, which is the same but for its range.
fn halved(graph: &mut Graph, id: Id) -> Option<Id> {
    if !is(graph, id, Elementwise::Mul) {
        return None;
    }
    let (scale, (base, 2)) = (graph.operand(id, 0), power(graph, graph.operand(id, 1))) else { return None };
    let scale = graph.constant(scale)?;
    let (1 | -1, below) = scale.to_ratio()? else { return None };
    let twos = below.trailing_zeros();
    if below == 1 || below.count_ones() > 1 || twos % 2 == 1 {
        return None;
    }
    let (is_negative, root) = (scale.is_negative(), Number::ratio(1, 1 << (twos / 2))?);
    let (root, two) = (graph.exact(root), graph.integer(2));
    let quotient = graph.apply(Elementwise::Mul, &[root, base]);
    let made = graph.apply(Elementwise::Pow, &[quotient, two]);
    Some(if is_negative { graph.apply(Elementwise::Neg, &[made]) } else { made })
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
