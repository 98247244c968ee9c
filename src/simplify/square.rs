//! Quotients by `x² + a` where the square overflows: beyond 1e17 `x²/(x² + a)` is `x/x`, and `x/(x² + a)` is
//! `1/x`, to the last place.
//!
//! What must stay true: this is done last, to results. Collection would not know the sum again.

use super::product::is_sum;
use super::rebuild::Rebuild;
use super::{Simplifier, Task};
use crate::ir::{Elementwise, Graph, Id, Number, Op, Selection, reachable, use_counts};
use rustc_hash::FxHashSet;

/// Factors of a numerator that are looked at.
const FACTORS: usize = 8;

/// From here on a square outweighs constants, and is in range in 32 bits as well.
const FAR: i64 = 100_000_000_000_000_000;

/// The largest of these constants.
const LARGEST: i64 = 1_000_000;

impl Simplifier<'_> {
    /// Divides squares by sums with them so that both are in range.
    pub(super) fn divide_squares(&mut self, task: &mut Task) {
        let results = task.results();
        let nodes = reachable(self.graph, &results);
        if !nodes.iter().any(|&id| summed_square(self.graph, id).is_some()) {
            return;
        }
        let uses = use_counts(self.graph, &results);
        let divided_again: FxHashSet<Id> =
            nodes.iter().filter_map(|&id| twice_by_one(self.graph, id)).collect();
        let mut rebuild = Rebuild::of(self.graph);
        for &id in &nodes {
            let same = rebuild.remade(self.graph, id);
            let is_left = divided_again.contains(&id) && uses[id.index()] == 1;
            rebuild.put(id, if is_left { same } else { divided(self.graph, same).unwrap_or(same) });
        }
        task.rename_results(&rebuild);
    }
}

fn is(graph: &Graph, id: Id, op: Elementwise) -> bool {
    graph.op(id) == Op::Elementwise(op)
}

/// `p/q` of `p/q/q`, which is 0 where the square overflows.
fn twice_by_one(graph: &Graph, id: Id) -> Option<Id> {
    let parts =
        |id: Id| is(graph, id, Elementwise::Div).then(|| (graph.operand(id, 0), graph.operand(id, 1)));
    let (quotient, divisor) = parts(id)?;
    (parts(quotient)?.1 == divisor).then_some(quotient)
}

/// `x` and `n` of `x^n`, n a whole number.
fn power(graph: &Graph, id: Id) -> (Id, i64) {
    let exponent = || graph.constant(graph.operand(id, 1)).and_then(Number::to_i64);
    match is(graph, id, Elementwise::Pow).then(exponent).flatten() {
        Some(n) => (graph.operand(id, 0), n),
        None => (id, 1),
    }
}

/// `x` of `x² + a` and `x² - a`.
fn summed_square(graph: &Graph, id: Id) -> Option<Id> {
    if !is_sum(graph, id) {
        return None;
    }
    let is_small = |a: Id| graph.constant(a).is_some_and(|a| a.absolute() <= Number::integer(LARGEST));
    let (a, b) = (graph.operand(id, 0), graph.operand(id, 1));
    let square = if is_small(b) { a } else { Some(b).filter(|_| is_small(a))? };
    Some(power(graph, square)).filter(|&(_, n)| n == 2).map(|(x, _)| x)
}

/// The quotient in range, where one is of a power of `x` by `x² + a`.
fn divided(graph: &mut Graph, id: Id) -> Option<Id> {
    if !is(graph, id, Elementwise::Div) {
        return None;
    }
    let (numerator, divisor) = (graph.operand(id, 0), graph.operand(id, 1));
    let x = summed_square(graph, divisor)?;
    let mut factors = vec![numerator];
    while is(graph, factors[0], Elementwise::Mul) && factors.len() < FACTORS {
        let product = factors[0];
        factors.splice(..1, graph.operands(product).iter().copied());
    }
    let (k, n) = factors.iter().enumerate().find_map(|(k, &f)| match power(graph, f) {
        (base, n) if base == x && n > 0 => Some((k, n)),
        _ => None,
    })?;
    let fewer = graph.integer(n - 1);
    factors[k] = graph.apply(Elementwise::Pow, &[x, fewer]);
    let far_numerator = factors.into_iter().reduce(|a, b| graph.apply(Elementwise::Mul, &[a, b]))?;
    let (far, size) = (graph.integer(FAR), graph.apply(Elementwise::Abs, &[x]));
    let is_near = graph.compare(Selection::Less, &[size, far]);
    let numerator = graph.select(is_near, numerator, far_numerator);
    let divisor = graph.select(is_near, divisor, x);
    Some(graph.apply(Elementwise::Div, &[numerator, divisor]))
}
