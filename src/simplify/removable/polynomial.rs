//! The polynomial that stands for a function near a point, and how far it does.

use super::Point;
use super::coefficient::Double;
use super::series::Series;
use crate::ir::{Elementwise, Graph, Id, Number, Selection};

/// Distances up to which a polynomial may stand, the farthest first. Farther out its own terms cancel;
/// nearer, those of what it stands for.
const RADII: [f64; 9] = [2.0, 1.5, 1.0, 0.75, 0.5, 0.375, 0.25, 0.125, 0.0625];

/// Terms a polynomial may have.
const LONGEST: usize = 64;

/// Terms at the end of a series that must be negligible, or those cut off may not be.
const LAST: usize = 8;

/// What may be cut off, against the least value within the radius.
const NEGLIGIBLE: f64 = 1.0 / (1_u64 << 56) as f64;

/// How many times that value the terms may add up to.
const CONDITION: f64 = 8.0;

/// `h^low·(c₀ + c₁·h + …)` for |h| below the radius.
pub struct Polynomial {
    low: i32,
    /// 1, or 2 for a polynomial in h².
    stride: usize,
    coefficients: Vec<Number>,
    radius: f64,
}

impl Polynomial {
    /// As far as a series reaches; `None` where that is nowhere.
    pub fn near(series: &Series<Double>, exact: &Series<Number>) -> Option<Polynomial> {
        let rounded: Vec<f64> = series.terms.iter().map(Double::rounded).collect();
        let (radius, count, least) = RADII.iter().find_map(|&r| reach(&rounded, r))?;
        let is_seen = |k: usize| rounded[k].abs() * radius.powi(k as i32) > NEGLIGIBLE * NEGLIGIBLE * least;
        let stride = if (1..count).step_by(2).any(is_seen) { 1 } else { 2 };
        let coefficient = |k: usize| match exact.terms.get(k) {
            Some(c) if c.to_ratio().is_some() => Some(c.clone()),
            _ => Number::from_f64(rounded[k]),
        };
        let coefficients = (0..count).step_by(stride).map(coefficient).collect::<Option<_>>()?;
        Some(Polynomial { low: series.low, stride, coefficients, radius })
    }

    /// Itself near the point, the node elsewhere, and at the point itself.
    pub fn before(&self, graph: &mut Graph, point: &Point, otherwise: Id) -> Id {
        let centre = graph.exact(point.centre.clone());
        let h = graph.apply(Elementwise::Sub, &[point.variable, centre]);
        let value = self.at(graph, h);
        let distance = graph.apply(Elementwise::Abs, &[h]);
        let radius = Number::from_f64(self.radius).unwrap_or_else(|| Number::integer(0));
        let (radius, zero) = (graph.exact(radius), graph.integer(0));
        let near = graph.compare(Selection::Less, &[distance, radius]);
        let beside = graph.compare(Selection::NotEqual, &[h, zero]);
        let condition = graph.compare(Selection::And, &[near, beside]);
        graph.select(condition, value, otherwise)
    }

    /// By Horner's rule.
    fn at(&self, graph: &mut Graph, h: Id) -> Id {
        let stride = graph.integer(self.stride as i64);
        let step = graph.apply(Elementwise::Pow, &[h, stride]);
        let mut coefficients = self.coefficients.iter().rev();
        let last = coefficients.next().cloned().unwrap_or_else(|| Number::integer(0));
        let mut sum = graph.exact(last);
        for c in coefficients {
            let (product, c) = (graph.apply(Elementwise::Mul, &[step, sum]), graph.exact(c.clone()));
            sum = graph.apply(Elementwise::Add, &[product, c]);
        }
        if self.low == 0 {
            return sum;
        }
        let low = graph.integer(i64::from(self.low));
        let power = graph.apply(Elementwise::Pow, &[h, low]);
        graph.apply(Elementwise::Mul, &[power, sum])
    }
}

/// Whether so many terms are right to the last place and do not cancel within a radius: the radius, the
/// terms, and the least value.
fn reach(coefficients: &[f64], radius: f64) -> Option<(f64, usize, f64)> {
    let terms: Vec<f64> = coefficients.iter().zip(0..).map(|(c, k)| c * radius.powi(k)).collect();
    let right: f64 = terms.iter().sum();
    let left: f64 = terms.iter().zip(0..).map(|(t, k)| if k % 2 == 0 { *t } else { -t }).sum();
    let least = coefficients.first()?.abs().min(right.abs()).min(left.abs());
    let sizes = || terms.iter().map(|t| t.abs());
    let ends = sizes().rev().take(LAST).all(|t| t <= NEGLIGIBLE * least / 16.0);
    if !ends || !sizes().sum::<f64>().le(&(CONDITION * least)) {
        return None;
    }
    let mut cut_off = 0.0;
    let mut count = terms.len();
    while count > 1 && cut_off + terms[count - 1].abs() <= NEGLIGIBLE * least {
        cut_off += terms[count - 1].abs();
        count -= 1;
    }
    (count <= LONGEST).then_some((radius, count, least))
}
