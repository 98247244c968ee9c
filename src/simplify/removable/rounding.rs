//! How far off a computed value may be: a running error analysis, in doubles.
//!
//! Source: Higham, Accuracy and Stability of Numerical Algorithms, section 3.3.

use super::Point;
use crate::elementary::Plain;
use crate::ir::{Elementwise, Graph, Id, Op, reachable};
use rustc_hash::FxHashMap;

/// Half a unit in the last place of 1.
pub const ROUNDING: f64 = f64::EPSILON / 2.0;

/// What an operand is moved by to see how far it moves a result, relatively.
const STEP: f64 = 1.0 / (1_u64 << 20) as f64;

/// A number, and a bound on its error.
#[derive(Clone, Copy)]
pub struct Rounded {
    pub value: f64,
    pub error: f64,
}

/// A node that depends on one variable alone.
pub struct Rounding<'a> {
    graph: &'a Graph,
    point: &'a Point,
    nodes: Vec<Id>,
}

impl<'a> Rounding<'a> {
    pub fn of(graph: &'a Graph, point: &'a Point, id: Id) -> Self {
        Rounding { graph, point, nodes: reachable(graph, &[id]) }
    }

    /// What is computed at a distance from the point; `None` where that is nothing finite.
    pub fn at(&self, h: f64) -> Option<Rounded> {
        let mut all: FxHashMap<Id, Rounded> = FxHashMap::default();
        let mut last = None;
        for &id in &self.nodes {
            let here = if id == self.point.variable {
                Rounded { value: self.point.centre.to_f64() + h, error: 0.0 }
            } else if let Some(c) = self.graph.constant(id) {
                let value = c.to_f64();
                Rounded { value, error: if c.is_integer() { 0.0 } else { value.abs() * ROUNDING } }
            } else if let Op::Elementwise(op) = self.graph.op(id) {
                let operands: Option<Vec<Rounded>> =
                    self.graph.operands(id).iter().map(|x| all.get(x).copied()).collect();
                match operands {
                    Some(operands) => apply(op, &operands),
                    // Below the variable.
                    None => continue,
                }
            } else {
                continue;
            };
            all.insert(id, here);
            last = Some(here);
        }
        last.filter(|y| y.value.is_finite() && y.error.is_finite())
    }
}

fn apply(op: Elementwise, operands: &[Rounded]) -> Rounded {
    let mut at: Vec<f64> = operands.iter().map(|x| x.value).collect();
    let value = op.value(&mut Plain, &at);
    let own = match op {
        Elementwise::Neg | Elementwise::Abs => 0.0,
        Elementwise::Add | Elementwise::Sub | Elementwise::Mul | Elementwise::Div | Elementwise::Sqrt => 1.0,
        _ => 2.0,
    };
    let mut error = own * ROUNDING * value.abs();
    for (i, x) in operands.iter().enumerate().filter(|(_, x)| x.error > 0.0) {
        let step = STEP * if x.value == 0.0 { 1.0 } else { x.value.abs() };
        at[i] = x.value + step;
        error += (op.value(&mut Plain, &at) - value).abs() / step * x.error;
        at[i] = x.value;
    }
    Rounded { value, error }
}
