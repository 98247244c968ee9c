//! Quotients by `x² + a`, and higher powers, where the power overflows: beyond 1e17 `x²/(x² + a)` is `x/x`, and
//! `x/(x² + a)` is `1/x`, to the last place. Where `x` grows exponentially, as in `atan(sinh(u))`, so may its
//! slope: anything is divided by it twice.
//!
//! What must stay true: this is done last, to results. Collection would not know the sum again.

use super::factors::{factors, grows_exponentially, is, power, product, quotient};
use super::product::is_sum;
use super::rebuild::Rebuild;
use super::{Simplifier, Task};
use crate::ir::{Elementwise, Graph, Id, Number, Op, Selection, reachable, use_counts};
use rustc_hash::FxHashSet;

/// From here on a square outweighs constants, and is in range in 32 bits as well.
const FAR: i64 = 100_000_000_000_000_000;

/// The largest of these constants.
const LARGEST: i64 = 1_000_000;

impl Simplifier<'_> {
    /// Divides squares by sums with them so that both are in range.
    pub(super) fn divide_squares(&mut self, task: &mut Task) {
        let results = task.results();
        let nodes = reachable(self.graph, &results);
        if !nodes.iter().any(|&id| SummedPower::of(self.graph, id).is_some()) {
            return;
        }
        let uses = use_counts(self.graph, &results);
        let divided_again: FxHashSet<Id> =
            nodes.iter().filter_map(|&id| twice_by_one(self.graph, id)).collect();
        let mut growing: FxHashSet<Id> = FxHashSet::default();
        let mut rebuild = Rebuild::of(self.graph);
        for &id in &nodes {
            let is_left = divided_again.contains(&id) && uses[id.index()] == 1;
            let same = rebuild.remade(self.graph, id);
            let divided = if is_left { None } else { divided(self.graph, same, &growing) };
            rebuild.put(id, divided.unwrap_or(same));
            let below = matches!(self.graph.op(id), Op::Elementwise(_));
            if grows(self.graph, id) || below && self.graph.operands(id).iter().any(|x| growing.contains(x)) {
                growing.extend([id, same]);
            }
        }
        task.rename_results(&rebuild);
    }
}

/// `p/q` of `p/q/q`, which is 0 where the square overflows.
fn twice_by_one(graph: &Graph, id: Id) -> Option<Id> {
    let (above, divisor) = quotient(graph, id)?;
    (quotient(graph, above)?.1 == divisor).then_some(above)
}

/// The quotient in range, where one is by `xⁿ + a`, beside other factors or alone.
fn divided(graph: &mut Graph, id: Id, growing: &FxHashSet<Id>) -> Option<Id> {
    let (numerator, divisor) = quotient(graph, id)?;
    let mut divisors = factors(graph, divisor);
    let (at, sum) = divisors.iter().enumerate().find_map(|(k, &d)| Some((k, SummedPower::of(graph, d)?)))?;
    let half = |graph: &mut Graph, n: i64| {
        let n = graph.integer(n);
        graph.apply(Elementwise::Pow, &[sum.x, n])
    };
    let (root, rest) = (half(graph, (sum.n + 1) / 2), half(graph, sum.n / 2));
    let far_numerator = sum.over_root(graph, numerator, root, growing.contains(&sum.x))?;
    let far_divisor = if sum.is_negative { graph.apply(Elementwise::Neg, &[rest]) } else { rest };
    let (far, size) = (graph.integer(FAR), graph.apply(Elementwise::Abs, &[root]));
    let is_near = graph.compare(Selection::Less, &[size, far]);
    let numerator = graph.select(is_near, numerator, far_numerator);
    divisors[at] = graph.select(is_near, divisors[at], far_divisor);
    let divisor = product(graph, divisors)?;
    Some(graph.apply(Elementwise::Div, &[numerator, divisor]))
}

/// `xⁿ + a`, `xⁿ - a` or, negative, `a - xⁿ`, with a small constant a and n of at least 2.
struct SummedPower {
    x: Id,
    n: i64,
    is_negative: bool,
}

impl SummedPower {
    fn of(graph: &Graph, id: Id) -> Option<Self> {
        if !is_sum(graph, id) {
            return None;
        }
        let (first, second) = (graph.operand(id, 0), graph.operand(id, 1));
        let is_small = |a: Id| graph.constant(a).is_some_and(|a| a.absolute() <= Number::integer(LARGEST));
        let (square, is_negative) = match [is_small(first), is_small(second)] {
            [false, true] => (first, false),
            [true, false] => (second, is(graph, id, Elementwise::Sub)),
            _ => return None,
        };
        let (x, n) = power(graph, square);
        (n >= 2).then_some(SummedPower { x, n, is_negative })
    }

    /// What is divided by the sum, divided by the root of its power instead; `None` where it has no power of
    /// `x` and is not `as_large` as one.
    fn over_root(&self, graph: &mut Graph, numerator: Id, root: Id, as_large: bool) -> Option<Id> {
        let mut factors = factors(graph, numerator);
        let of_x = factors.iter().enumerate().find_map(|(k, &f)| match power(graph, f) {
            (base, n) if base == self.x && n > 0 => Some((k, n)),
            _ => None,
        });
        match of_x {
            Some((k, n)) if self.n == 2 => {
                let fewer = graph.integer(n - 1);
                factors[k] = graph.apply(Elementwise::Pow, &[self.x, fewer]);
                product(graph, factors)
            }
            None if !as_large => None,
            _ => Some(graph.apply(Elementwise::Div, &[numerator, root])),
        }
    }
}

/// Whether a node grows exponentially with something, or as more than its square, by its own op.
fn grows(graph: &Graph, id: Id) -> bool {
    grows_exponentially(graph, id) || is(graph, id, Elementwise::Pow) && power(graph, id).1 != 2
}
