//! Removable singularities, and zeros: `cos(x)/x - sin(x)/x^2` is small near 0, and its terms are not.
//!
//! Around a point where a divisor vanishes, or terms cancel, everything that depends on one variable is
//! developed in a Laurent series with exact coefficients. A result that has a value there although terms on
//! the way to it cancel is computed from that series near the point, and as it stands elsewhere. At the
//! point itself it stays what it was: undefined, where it was that.
//!
//! What must stay true: that terms cancel is known from exact numbers, never from rounded ones.

mod coefficient;
mod functions;
mod polynomial;
mod rounding;
mod series;

use super::product::is_sum;
use super::{Simplifier, Task};
use crate::ir::{Elementwise, Graph, Id, Number, Op, Selection, reachable, use_counts};
use coefficient::{Coefficient, Double};
use polynomial::Polynomial;
use rounding::Rounding;
use rustc_hash::{FxHashMap, FxHashSet};
use series::Series;
use smallvec::SmallVec;
use std::borrow::Cow;

/// Terms of the exact series: enough to see what cancels.
const EXACT: usize = 16;

/// Terms of those by which points are found: most functions have none, and are not to wait.
const PROBE: usize = 4;

/// Terms of the series in many digits.
const LONG: usize = 80;

/// Divisors looked at that depend on several variables.
const MOST_OF_MANY: usize = 16;

/// Nodes above which nothing is looked for.
const LARGEST: usize = 2_000;

/// Where a divisor vanishes, or terms cancel.
#[derive(Clone, PartialEq)]
struct Point {
    variable: Id,
    centre: Number,
}

type All<T> = FxHashMap<Id, Series<T>>;

impl Simplifier<'_> {
    /// Puts series in place of what cancels near a removable singularity or a zero.
    pub(super) fn fill_removable(&mut self, task: &mut Task) {
        let nodes = reachable(self.graph, &task.roots);
        if nodes.len() > LARGEST {
            return;
        }
        for point in points(self.graph, &nodes) {
            let roots = [task.roots.as_slice(), &task.kept].concat();
            let by = replacements(self.graph, &roots, &point);
            if !by.is_empty() {
                task.roots = self.graph.replaced(&task.roots, &by);
                task.kept = self.graph.replaced(&task.kept, &by);
            }
        }
    }
}

/// What a node divides by, whether it says so or not.
fn divisor(graph: &Graph, id: Id) -> Option<Id> {
    use Elementwise::{Cot, Coth, Csc, Csch, Div, Pow};
    let Op::Elementwise(op) = graph.op(id) else { return None };
    let found = match op {
        Div => graph.operand(id, 1),
        Csc | Csch | Cot | Coth => graph.operand(id, 0),
        Pow if graph.constant(graph.operand(id, 1)).is_some_and(Number::is_negative) => graph.operand(id, 0),
        _ => return None,
    };
    graph.constant(found).is_none().then_some(found)
}

/// The points at which divisors vanish or sums cancel, in the order in which they are met.
fn points(graph: &Graph, nodes: &[Id]) -> Vec<Point> {
    let variables = variables(graph, nodes);
    let mut by_variable: FxHashMap<Id, Vec<Id>> = FxHashMap::default();
    for &id in nodes {
        if let Some(variable) = variables.get(&id).copied().flatten() {
            by_variable.entry(variable).or_default().push(id);
        }
    }
    let mut candidates: Vec<Id> = Vec::new();
    let mut seen: FxHashSet<Id> = FxHashSet::default();
    let mut of_many = 0;
    for &id in nodes {
        let variable = match divisor(graph, id) {
            Some(d) => variables.get(&d).map(|variable| variable.unwrap_or(d)),
            None if may_cancel(graph, id) => variables.get(&id).copied().flatten(),
            None => None,
        };
        let Some(variable) = variable.filter(|&v| seen.insert(v)) else { continue };
        let is_of_one = by_variable.contains_key(&variable);
        of_many += usize::from(!is_of_one);
        if is_of_one || of_many <= MOST_OF_MANY {
            candidates.push(variable);
        }
    }
    let mut points = Vec::new();
    for variable in candidates {
        points.extend(points_of(graph, variable, by_variable.get(&variable).map_or(nodes, Vec::as_slice)));
    }
    points
}

/// Those of one variable, which is all that some nodes depend on.
fn points_of(graph: &Graph, variable: Id, nodes: &[Id]) -> Vec<Point> {
    let at_zero = Point { variable, centre: Number::integer(0) };
    let around = exact_series(graph, nodes, &at_zero, PROBE);
    let vanishes = |id: &Id| divisor(graph, *id).is_some_and(|d| around.get(&d).is_some_and(|s| s.low > 0));
    let mut points: Vec<Point> = Vec::new();
    if nodes.iter().any(|id| vanishes(id) || cancels(graph, *id, &around)) {
        points.push(at_zero);
    }
    for centre in nodes.iter().filter_map(|&id| centre(graph, id, &around)) {
        let point = Point { variable, centre };
        if !points.contains(&point) {
            points.push(point);
        }
    }
    points
}

fn may_cancel(graph: &Graph, id: Id) -> bool {
    is_sum(graph, id) || graph.op(id) == Op::Elementwise(Elementwise::Log)
}

/// Whether a sum begins later than its terms, or a logarithm's argument is near 1. What is left of `x - 1`
/// beside 1 is exact.
fn cancels(graph: &Graph, id: Id, all: &All<Number>) -> bool {
    if graph.op(id) == Op::Elementwise(Elementwise::Log) {
        let above = all.get(&graph.operand(id, 0)).and_then(|x| x.plus(-1));
        return above.is_some_and(|above| above.low > 0 && !above.is_distance());
    }
    let Some(series) = all.get(&id).filter(|s| is_sum(graph, id) && !s.is_distance()) else { return false };
    // A constant that is not 0 begins at order 0.
    let low = |x: &Id| all.get(x).map(|s| s.low).or_else(|| graph.constant(*x).map(|_| 0));
    graph.operands(id).iter().filter_map(low).min().is_some_and(|low| series.low > low)
}

/// Where a linear divisor, or a logarithm of something linear, is 0.
fn centre(graph: &Graph, id: Id, around: &All<Number>) -> Option<Number> {
    match graph.op(id) {
        Op::Elementwise(Elementwise::Log) => root_of_linear(&around.get(&graph.operand(id, 0))?.plus(-1)?),
        _ => root_of_linear(around.get(&divisor(graph, id)?)?),
    }
}

/// For every node of elementwise ops: the one node of another kind it depends on, or `None` if these are
/// several. Constants are not in the map.
fn variables(graph: &Graph, nodes: &[Id]) -> FxHashMap<Id, Option<Id>> {
    let mut found: FxHashMap<Id, Option<Id>> = FxHashMap::default();
    for &id in nodes {
        let Op::Elementwise(_) = graph.op(id) else {
            if graph.constant(id).is_none() {
                found.insert(id, Some(id));
            }
            continue;
        };
        let below = graph.operands(id).iter().filter_map(|x| found.get(x).copied());
        let joined = below.reduce(|a, b| if a == b { a } else { None });
        found.extend(joined.map(|variable| (id, variable)));
    }
    found
}

/// Where `a + b·x` is 0.
fn root_of_linear(series: &Series<Number>) -> Option<Number> {
    let [a, b, rest @ ..] = series.terms.as_slice() else { return None };
    let is_linear = series.low == 0 && !b.is_zero() && rest.iter().all(Number::is_zero);
    if is_linear { Number::div(&a.negate(), b) } else { None }
}

/// The series of all nodes that depend on the point's variable alone.
fn exact_series(graph: &Graph, nodes: &[Id], point: &Point, count: usize) -> All<Number> {
    let mut all = All::default();
    for &id in nodes {
        let series = series_of(graph, id, point, &all, count);
        all.extend(series.filter(|s| s.terms.iter().all(Number::is_small)).map(|s| (id, s)));
    }
    all
}

/// The same in many digits and terms; where they begin is known from the exact ones.
fn long_series(graph: &Graph, nodes: &[Id], point: &Point, exact: &All<Number>) -> All<Double> {
    let mut all = All::default();
    for &id in nodes {
        let Some(known) = exact.get(&id) else { continue };
        let series = series_of(graph, id, point, &all, LONG).and_then(|s| s.starting_at(known.low));
        all.extend(series.map(|s| (id, s)));
    }
    all
}

fn series_of<T: Coefficient>(
    graph: &Graph,
    id: Id,
    point: &Point,
    all: &All<T>,
    count: usize,
) -> Option<Series<T>> {
    if id == point.variable {
        return Series::variable(&point.centre, count);
    }
    let Op::Elementwise(op) = graph.op(id) else { return None };
    let operands = graph.operands(id);
    if op == Elementwise::Pow {
        let (p, q) = graph.constant(operands[1])?.to_ratio()?;
        return all.get(&operands[0])?.power(p, u32::try_from(q).ok()?);
    }
    if operands.iter().all(|x| !all.contains_key(x)) {
        return None;
    }
    let of = |x: &Id| match graph.constant(*x) {
        Some(c) => Series::constant(c, count).map(Cow::Owned),
        None => all.get(x).map(Cow::Borrowed),
    };
    let series: SmallVec<[Cow<'_, Series<T>>; 3]> = operands.iter().map(of).collect::<Option<_>>()?;
    functions::apply(op, &series)
}

/// Nodes, and what is to be computed instead.
fn replacements(graph: &mut Graph, roots: &[Id], point: &Point) -> Vec<(Id, Id)> {
    let nodes = reachable(graph, roots);
    let exact = exact_series(graph, &nodes, point, EXACT);
    let found = cancelling(graph, &nodes, roots, &exact);
    if found.is_empty() {
        return Vec::new();
    }
    let long = long_series(graph, &nodes, point, &exact);
    let mut by = Vec::new();
    for id in found {
        let otherwise = Rounding::of(graph, point, id);
        let polynomial = long.get(&id).and_then(|series| Polynomial::near(series, &exact[&id], &otherwise));
        by.extend(polynomial.map(|polynomial| (id, polynomial.before(graph, point, id))));
    }
    by
}

/// The largest nodes in which terms cancel, and which have a value at the point.
fn cancelling(graph: &Graph, nodes: &[Id], roots: &[Id], exact: &All<Number>) -> Vec<Id> {
    let mut within: FxHashMap<Id, bool> = FxHashMap::default();
    for &id in nodes {
        if !exact.contains_key(&id) {
            continue;
        }
        let here = cancels(graph, id, exact);
        let below = graph.operands(id).iter().any(|x| within.get(x).copied().unwrap_or(false));
        within.insert(id, here || below);
    }
    let is_found = |id: Id| within.get(&id) == Some(&true) && exact[&id].low >= 0;
    let mut uses = use_counts(graph, roots);
    for &user in nodes {
        let is_covered = |x: Id| is_found(user) || guards(graph, user, x, exact);
        for &x in graph.operands(user) {
            uses[x.index()] -= u32::from(is_covered(x));
        }
    }
    nodes.iter().copied().filter(|&id| is_found(id) && uses[id.index()] > 0).collect()
}

/// Whether a node takes another only away from the point: what an earlier visit has made.
fn guards(graph: &Graph, user: Id, otherwise: Id, exact: &All<Number>) -> bool {
    if graph.op(user) != Op::Selection(Selection::Select) || graph.operand(user, 2) != otherwise {
        return false;
    }
    let is_distance = |x: Id| exact.get(&x).is_some_and(Series::is_distance);
    let is_beyond =
        |x: Id, sign: i64| graph.constant(x).is_some_and(|c| !c.is_zero() && c.is_negative() == (sign < 0));
    let (mut is_left, mut is_right) = (false, false);
    let mut pending = vec![graph.operand(user, 0)];
    while let Some(truth) = pending.pop() {
        match (graph.op(truth), graph.operands(truth)) {
            (Op::Selection(Selection::And), both) => pending.extend(both),
            (Op::Selection(Selection::Less), &[a, b]) => {
                let is_abs = graph.op(a) == Op::Elementwise(Elementwise::Abs);
                let is_near = is_abs && is_distance(graph.operand(a, 0));
                is_left |= is_near || is_beyond(a, -1) && is_distance(b);
                is_right |= is_near || is_distance(a) && is_beyond(b, 1);
            }
            _ => {}
        }
    }
    is_left && is_right
}
