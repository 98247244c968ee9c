//! Circular functions of multiples of π, in half turns: `sin(pi*x)` is 0 at whole numbers, where π itself
//! cannot be written in floats, and right where x is large.
//!
//! In other units, as of degrees, whole half turns are taken off before the angle is divided by them:
//! `sin(pi*x/180)` is ±sinpi(r/180) with `r = x - 180*round(x/180)`, which is exact, and the cosine is
//! ±sinpi((90 - |r|)/180), as near its zeros only the difference is.
//!
//! What must stay true: this is done last, to results. Everything before knows sines by their angles.

use super::rebuild::Rebuild;
use super::{Simplifier, Task};
use crate::ir::{Elementwise, Graph, Id, Number, Op, reachable};

/// Nodes of an angle that are looked at.
const SEARCHED: usize = 64;

impl Simplifier<'_> {
    /// Computes circular functions of multiples of π without π.
    pub(super) fn count_half_turns(&mut self, task: &mut Task) {
        let graph = &mut *self.graph;
        let nodes = reachable(graph, &task.results());
        if !nodes.iter().any(|&id| graph.op(id) == Op::Elementwise(Elementwise::Pi)) {
            return;
        }
        let mut rebuild = Rebuild::of(graph);
        for id in nodes {
            let same = rebuild.remade(graph, id);
            rebuild.put(id, in_half_turns(graph, same).unwrap_or(same));
        }
        task.rename_results(&rebuild);
    }
}

/// A circular function of a multiple of π.
fn in_half_turns(graph: &mut Graph, node: Id) -> Option<Id> {
    use Elementwise::{Cos, Cot, Csc, Div, Sec, Sin, Tan};
    let Op::Elementwise(op @ (Sin | Cos | Tan | Sec | Csc | Cot)) = graph.op(node) else { return None };
    let mut left = SEARCHED;
    let turns = half_turns(graph, graph.operand(node, 0), &mut left)?;
    let circle = Circle::at(graph, turns);
    let one = graph.integer(1);
    // Of a quotient the signs cancel.
    Some(match op {
        Sin => circle.signed(graph, circle.sine),
        Cos => circle.signed(graph, circle.cosine),
        Tan => graph.apply(Div, &[circle.sine, circle.cosine]),
        Cot => graph.apply(Div, &[circle.cosine, circle.sine]),
        op => {
            let below = circle.signed(graph, if op == Sec { circle.cosine } else { circle.sine });
            graph.apply(Div, &[one, below])
        }
    })
}

/// An angle over π, where it is a multiple, and few nodes; `left` is how many may still be looked at.
fn half_turns(graph: &mut Graph, angle: Id, left: &mut usize) -> Option<Id> {
    use Elementwise::{Add, Div, Mul, Neg, Pi, Sub};
    let Op::Elementwise(op) = graph.op(angle) else { return None };
    *left = left.checked_sub(1)?;
    let mut part = |graph: &mut Graph, i: usize| half_turns(graph, graph.operand(angle, i), left);
    match op {
        Pi => Some(graph.integer(1)),
        Neg => {
            let x = part(graph, 0)?;
            Some(graph.apply(Neg, &[x]))
        }
        Add | Sub => {
            let (a, b) = (part(graph, 0)?, part(graph, 1)?);
            Some(graph.apply(op, &[a, b]))
        }
        Mul => {
            let (first, second) = (graph.operand(angle, 0), graph.operand(angle, 1));
            let (a, b) = match part(graph, 0) {
                Some(a) => (a, second),
                None => (first, part(graph, 1)?),
            };
            let is_one = |x: Id| graph.constant(x).is_some_and(Number::is_one);
            Some(match (is_one(a), is_one(b)) {
                (true, _) => b,
                (_, true) => a,
                _ => graph.apply(Mul, &[a, b]),
            })
        }
        Div => {
            let (x, divisor) = (part(graph, 0)?, graph.operand(angle, 1));
            Some(graph.apply(Div, &[x, divisor]))
        }
        _ => None,
    }
}

/// Sine and cosine, but for a sign that both have.
struct Circle {
    sine: Id,
    cosine: Id,
    sign: Option<Id>,
}

impl Circle {
    /// At so many half turns.
    fn at(graph: &mut Graph, turns: Id) -> Circle {
        use Elementwise::{Abs, Cospi, Div, Floor, Mul, Round, Sinpi, Sub};
        let Some((x, unit)) = in_units(graph, turns) else {
            let (sine, cosine) = (graph.apply(Sinpi, &[turns]), graph.apply(Cospi, &[turns]));
            return Circle { sine, cosine, sign: None };
        };
        let half_turn = graph.exact(unit.clone());
        let turns = graph.apply(Div, &[x, half_turn]);
        let count = graph.apply(Round, &[turns]);
        let whole = graph.apply(Mul, &[half_turn, count]);
        let rest = graph.apply(Sub, &[x, whole]);
        let sine_of = |graph: &mut Graph, angle: Id| {
            let turns = graph.apply(Div, &[angle, half_turn]);
            graph.apply(Sinpi, &[turns])
        };
        let sine = sine_of(graph, rest);
        let half = Number::ratio(1, 2).expect("2 is not 0");
        let quarter_turn = graph.exact(unit.mul(&half));
        let size = graph.apply(Abs, &[rest]);
        let to_zero = graph.apply(Sub, &[quarter_turn, size]);
        let cosine = sine_of(graph, to_zero);
        // 1 after an even number of half turns, else -1: 1 - 4*frac(count/2).
        let half = graph.exact(half);
        let turns = graph.apply(Mul, &[half, count]);
        let floor = graph.apply(Floor, &[turns]);
        let odd = graph.apply(Sub, &[turns, floor]);
        let (one, four) = (graph.integer(1), graph.integer(4));
        let odd = graph.apply(Mul, &[four, odd]);
        Circle { sine, cosine, sign: Some(graph.apply(Sub, &[one, odd])) }
    }

    fn signed(&self, graph: &mut Graph, value: Id) -> Id {
        match self.sign {
            Some(sign) => graph.apply(Elementwise::Mul, &[sign, value]),
            None => value,
        }
    }
}

/// A number of half turns as an angle and how much of it is half a turn, where floats hold that and its
/// multiples, and dividing by it rounds.
fn in_units(graph: &Graph, turns: Id) -> Option<(Id, Number)> {
    let (mut x, mut unit) = (turns, Number::integer(1));
    loop {
        let operand = |i: usize| graph.operand(x, i);
        (x, unit) = match graph.op(x) {
            Op::Elementwise(Elementwise::Div) => match graph.constant(operand(1)) {
                Some(c) => (operand(0), unit.mul(c)),
                None => break,
            },
            Op::Elementwise(Elementwise::Mul) => match graph.constant(operand(0)) {
                Some(c) => (operand(1), unit.div(c)?),
                None => break,
            },
            _ => break,
        };
    }
    let (above, below) = unit.to_ratio()?;
    let is_power = |n: i64| n.unsigned_abs().is_power_of_two();
    (is_power(below) && !is_power(above) && above > 0).then_some((x, unit))
}
