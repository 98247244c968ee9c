//! Differences of 1 and a ratio of inputs: `1 - a/b` loses the digits that the quotient lost where it nears 1,
//! `(b - a)/b` none, as the difference of near numbers is exact. So is `1 - (a/b)^2`, and what functions that
//! end at 1 or begin there make of the ratio: the inverse secant is `acos(1/x)`.
//!
//! What must stay true: numbers that were rounded themselves are left alone, as the digits are lost before; and
//! farther from 1 the quotient stands, as it is finite where its parts are not.

use super::factors::{power, quotient};
use super::rebuild::Rebuild;
use super::{Simplifier, Task, half};
use crate::ir::{Elementwise, Graph, Id, Number, Op, Selection, reachable};

impl Simplifier<'_> {
    /// Subtracts before it divides, where a ratio nears 1.
    pub(super) fn subtract_first(&mut self, task: &mut Task) {
        let graph = &mut *self.graph;
        let mut rebuild = Rebuild::of(graph);
        for id in reachable(graph, &task.results()) {
            let same = rebuild.remade(graph, id);
            let made = difference(graph, same).or_else(|| function(graph, same));
            rebuild.put(id, made.unwrap_or(same));
        }
        task.rename_results(&rebuild);
    }
}

/// A quotient of inputs, or of a constant and an input.
#[derive(Clone, Copy)]
struct Ratio {
    above: Id,
    below: Id,
}

impl Ratio {
    fn of(graph: &Graph, node: Id) -> Option<Ratio> {
        let (above, below) = quotient(graph, node)?;
        Ratio { above, below }.checked(graph)
    }

    /// Of which a node is the square.
    fn squared(graph: &Graph, node: Id) -> Option<Ratio> {
        let is_one = |id: Id| graph.constant(id).is_some_and(Number::is_one);
        let root = |id: Id| match power(graph, id) {
            (x, 2) => Some(x),
            _ => is_one(id).then_some(id),
        };
        if let (ratio, 2) = power(graph, node) {
            return Ratio::of(graph, ratio);
        }
        let (above, below) = quotient(graph, node)?;
        match (quotient(graph, above), root(above), root(below)) {
            (_, Some(above), Some(below)) => Ratio { above, below }.checked(graph),
            (Some((one, x)), ..) if x == below && is_one(one) => Ratio { above: one, below }.checked(graph),
            _ => None,
        }
    }

    fn checked(self, graph: &Graph) -> Option<Ratio> {
        let is_input = |id: Id| matches!(graph.op(id), Op::Input(_));
        let is_held =
            |id: Id| graph.constant(id).is_some_and(|c| Number::from_f64(c.to_f64()).as_ref() == Some(c));
        let is_exact = |id: Id| is_input(id) || is_held(id);
        (is_exact(self.above) && is_exact(self.below) && is_input(self.below)).then_some(self)
    }

    fn value(self, graph: &mut Graph) -> Id {
        graph.apply(Elementwise::Div, &[self.above, self.below])
    }

    /// One value where the ratio's size is more than 1/2, another elsewhere.
    fn if_near(self, graph: &mut Graph, near: Id, far: Id) -> Id {
        let [above, below] = [self.above, self.below].map(|x| size(graph, x));
        let half = graph.exact(half());
        let least = graph.apply(Elementwise::Mul, &[half, below]);
        let is_near = graph.compare(Selection::Less, &[least, above]);
        graph.select(is_near, near, far)
    }

    /// `(b - a)/b`.
    fn to_one(self, graph: &mut Graph) -> Id {
        let difference = graph.apply(Elementwise::Sub, &[self.below, self.above]);
        graph.apply(Elementwise::Div, &[difference, self.below])
    }

    /// `1 - (a/b)^2` near 1: `(|b| - |a|)/|b|*(1 + |a/b|)`.
    fn square_to_one(self, graph: &mut Graph) -> Id {
        let (above, below) = (size(graph, self.above), size(graph, self.below));
        let short = Ratio { above, below }.to_one(graph);
        let value = self.value(graph);
        let (value, one) = (size(graph, value), graph.integer(1));
        let rest = graph.apply(Elementwise::Add, &[one, value]);
        graph.apply(Elementwise::Mul, &[short, rest])
    }

    /// `sqrt(1 - (a/b)^2)`.
    fn leg(self, graph: &mut Graph) -> Id {
        let (value, two, one) = (self.value(graph), graph.integer(2), graph.integer(1));
        let square = graph.apply(Elementwise::Pow, &[value, two]);
        let far = graph.apply(Elementwise::Sub, &[one, square]);
        let near = self.square_to_one(graph);
        let square = self.if_near(graph, near, far);
        graph.apply(Elementwise::Sqrt, &[square])
    }
}

fn size(graph: &mut Graph, x: Id) -> Id {
    match graph.constant(x).map(Number::absolute) {
        Some(size) => graph.exact(size),
        None => graph.apply(Elementwise::Abs, &[x]),
    }
}

/// A difference of 1 and a ratio, or its square.
fn difference(graph: &mut Graph, node: Id) -> Option<Id> {
    let Op::Elementwise(Elementwise::Sub) = graph.op(node) else { return None };
    let (first, second) = (graph.operand(node, 0), graph.operand(node, 1));
    let is_one = |id: Id| graph.constant(id).is_some_and(Number::is_one);
    let (other, is_negated) = match (is_one(first), is_one(second)) {
        (true, _) => (second, false),
        (_, true) => (first, true),
        _ => return None,
    };
    let (ratio, near) = match Ratio::of(graph, other) {
        Some(ratio) => (ratio, ratio.to_one(graph)),
        None => {
            let ratio = Ratio::squared(graph, other)?;
            (ratio, ratio.square_to_one(graph))
        }
    };
    let near = if is_negated { graph.apply(Elementwise::Neg, &[near]) } else { near };
    Some(ratio.if_near(graph, near, node))
}

/// A function of a ratio that ends at 1, or begins there.
fn function(graph: &mut Graph, node: Id) -> Option<Id> {
    use Elementwise::{Acos, Acosh, Add, Asin, Asinh, Atan2, Atanh, Div, Log, Mul, Neg, Sqrt, Sub};
    let Op::Elementwise(op @ (Acos | Asin | Acosh | Atanh)) = graph.op(node) else { return None };
    let value = graph.operand(node, 0);
    let ratio = Ratio::of(graph, value)?;
    Some(match op {
        Acos => {
            let leg = ratio.leg(graph);
            graph.apply(Atan2, &[leg, value])
        }
        Asin => {
            let leg = ratio.leg(graph);
            graph.apply(Atan2, &[value, leg])
        }
        // log((b + a)/(b - a))/2
        Atanh => {
            let parts = [Add, Sub].map(|op| graph.apply(op, &[ratio.below, ratio.above]));
            let quotient = graph.apply(Div, &parts);
            let (log, half) = (graph.apply(Log, &[quotient]), graph.exact(half()));
            let near = graph.apply(Mul, &[half, log]);
            ratio.if_near(graph, near, node)
        }
        // asinh of sqrt(r - 1)*sqrt(r + 1), which is NaN for r < 1 as well.
        _ => {
            let short = ratio.to_one(graph);
            let (less, one) = (graph.apply(Neg, &[short]), graph.integer(1));
            let more = graph.apply(Add, &[value, one]);
            let roots = [less, more].map(|x| graph.apply(Sqrt, &[x]));
            let sine = graph.apply(Mul, &roots);
            let near = graph.apply(Asinh, &[sine]);
            // Up to r = 2.
            let two = graph.integer(2);
            let is_near = graph.compare(Selection::Less, &[value, two]);
            graph.select(is_near, near, node)
        }
    })
}
