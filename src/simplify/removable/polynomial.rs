//! The polynomial that stands for a function near a point, and how far it does.

use super::Point;
use super::coefficient::{Coefficient, Double};
use super::rounding::{ROUNDING, Rounded, Rounding};
use super::series::Series;
use crate::ir::{Elementwise, Graph, Id, Number, Selection};

/// Distances up to which a polynomial may stand are `2^(k/4)` times its scale.
const NEAREST: i32 = -24;
const FARTHEST: i32 = 12;

/// Terms a polynomial may have.
const LONGEST: usize = 64;

/// Terms at the end of a series that must be negligible, or those cut off may not be.
const LAST: usize = 4;

/// What may be cut off, against the sizes of the terms.
const NEGLIGIBLE: f64 = 1.0 / (1_u64 << 56) as f64;

/// Roundings that are no reason for a polynomial.
const FEW: f64 = 6.0;

/// Many roundings rarely add up to their bound: how many times that of a polynomial what it replaces must have.
const CAREFUL: f64 = 1.75;

/// `h^low·(c₀ + c₁·z + …)` for distances h within the reach, to the left and to the right.
pub struct Polynomial {
    low: i32,
    /// 1, or 2 for a polynomial in h².
    stride: usize,
    coefficients: Vec<Number>,
    /// Where there is none z is w = h^stride, else w/(w - bend).
    bend: Option<f64>,
    reach: [f64; 2],
}

impl Polynomial {
    /// As far as it is nearer to the truth than what it stands for; `None` where that is nowhere.
    pub fn near(
        series: &Series<Double>,
        exact: &Series<Number>,
        otherwise: &Rounding<'_>,
    ) -> Option<Polynomial> {
        let rounded: Vec<f64> = series.terms.iter().map(Double::rounded).collect();
        let stride = if exact.terms.iter().skip(1).step_by(2).all(Number::is_zero) { 2 } else { 1 };
        let every: Vec<Double> = series.terms.iter().step_by(stride).copied().collect();
        let coefficient = |k: usize| match exact.terms.get(k * stride) {
            Some(c) if c.to_ratio().is_some() => Some(c.clone()),
            _ => Number::from_f64(every[k].rounded()),
        };
        let coefficients = (0..every.len()).map(coefficient).collect::<Option<_>>()?;
        let scale = scale(&rounded);
        let radii = (NEAREST..=FARTHEST).map(|k| coarse(scale * 2.0_f64.powf(f64::from(k) / 4.0)));
        let sides = [-1.0, 1.0].map(|side| {
            let at = |h: f64| Some((h, otherwise.at(h)?));
            radii.clone().map_while(|r| at(side * r)).collect::<Vec<(f64, Rounded)>>()
        });
        let whole = |coefficients: Vec<Number>, bend: Option<f64>| {
            Polynomial { low: series.low, stride, coefficients, bend, reach: [0.0; 2] }.within(&sides)
        };
        let plain = whole(coefficients, None);
        let bent = bent(&every).map(|(coefficients, bend)| whole(coefficients, Some(bend)));
        let bent = bent.filter(|bent| bent.width() > 1.1 * plain.width());
        Some(bent.unwrap_or(plain)).filter(|p| p.width() > 0.0)
    }

    fn width(&self) -> f64 {
        self.reach.iter().sum()
    }

    /// With its reach, and no more terms than that takes.
    fn within(mut self, sides: &[Vec<(f64, Rounded)>; 2]) -> Polynomial {
        let numbers: Vec<f64> = self.coefficients.iter().map(Number::to_f64).collect();
        self.reach = sides.each_ref().map(|others| self.side(&numbers, others));
        let count = |h: f64| needed(&self.sizes(&numbers, h));
        let count = count(-self.reach[0]).max(count(self.reach[1]));
        self.coefficients.truncate(count);
        self
    }

    /// How far it reaches to one side, where the other form is so far off.
    fn side(&self, numbers: &[f64], others: &[(f64, Rounded)]) -> f64 {
        let mut reach = 0.0;
        for &(h, other) in others {
            let least = FEW * ROUNDING * other.value.abs();
            let own = self.value(numbers, h);
            let is_better = own.error <= (other.error / CAREFUL).max(least);
            // A function may turn aside beyond the point, as atan(tan(x)) does where its tangent has a pole.
            let is_same = (own.value - other.value).abs() <= 2.0 * (own.error + other.error).max(least);
            let sizes = self.sizes(numbers, h);
            if !is_better || !is_same || !is_whole(&sizes) || needed(&sizes) > LONGEST {
                break;
            }
            if other.error > least {
                reach = h.abs();
            }
        }
        reach
    }

    fn z(&self, h: f64) -> f64 {
        let w = h.powi(self.stride as i32);
        self.bend.map_or(w, |bend| w / (w - bend))
    }

    /// The sizes of the terms within the parentheses.
    fn sizes(&self, numbers: &[f64], h: f64) -> Vec<f64> {
        let z = self.z(h).abs();
        numbers.iter().zip(0..).map(|(c, k)| c.abs() * z.powi(k)).collect()
    }

    /// Its value, and how far that may be off: what Horner's rule rounds, and what the error of z makes of it.
    fn value(&self, numbers: &[f64], h: f64) -> Rounded {
        let z = self.z(h);
        let (mut sum, mut slope, mut rounded) = (0.0, 0.0, 0.0);
        for c in numbers.iter().rev() {
            slope = sum + z * slope;
            sum = c + z * sum;
            rounded = sum.abs() + z.abs() * rounded;
        }
        let in_z = (self.stride - 1) as f64 + if self.bend.is_some() { 2.0 } else { 0.0 };
        let error = ROUNDING * (1.5 * rounded + in_z * (z * slope).abs());
        Rounded { value: sum * h.powi(self.low), error: error * h.abs().powi(self.low) }
    }

    /// Itself near the point, the node elsewhere, and at the point itself.
    pub fn before(&self, graph: &mut Graph, point: &Point, otherwise: Id) -> Id {
        let centre = graph.exact(point.centre.clone());
        let h = graph.apply(Elementwise::Sub, &[point.variable, centre]);
        let value = self.at(graph, h);
        let zero = graph.integer(0);
        let near = self.is_near(graph, h);
        let beside = graph.compare(Selection::NotEqual, &[h, zero]);
        let condition = graph.compare(Selection::And, &[near, beside]);
        graph.select(condition, value, otherwise)
    }

    fn is_near(&self, graph: &mut Graph, h: Id) -> Id {
        let [left, right] = self.reach;
        let far = float(graph, right);
        if left == right {
            let distance = graph.apply(Elementwise::Abs, &[h]);
            return graph.compare(Selection::Less, &[distance, far]);
        }
        let below = float(graph, -left);
        let bounds = [[below, h], [h, far]].map(|pair| graph.compare(Selection::Less, &pair));
        graph.compare(Selection::And, &bounds)
    }

    /// By Horner's rule.
    fn at(&self, graph: &mut Graph, h: Id) -> Id {
        let stride = graph.integer(self.stride as i64);
        let mut z = graph.apply(Elementwise::Pow, &[h, stride]);
        if let Some(bend) = self.bend {
            let bend = float(graph, bend);
            let away = graph.apply(Elementwise::Sub, &[z, bend]);
            z = graph.apply(Elementwise::Div, &[z, away]);
        }
        let mut coefficients = self.coefficients.iter().rev();
        let last = coefficients.next().cloned().unwrap_or_else(|| Number::integer(0));
        let mut sum = graph.exact(last);
        for c in coefficients {
            let (product, c) = (graph.apply(Elementwise::Mul, &[z, sum]), graph.exact(c.clone()));
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

/// A series in w whose nearest singularity is w₀, on the real axis, as one in z = w/(w - 2w₀): that maps w₀
/// to -1 and infinity to 1, so that it converges on the whole half of the line before the singularity.
/// From w = -2w₀·z/(1 - z). The coefficients, and 2w₀.
fn bent(every: &[Double]) -> Option<(Vec<Number>, f64)> {
    let [.., a, b, c] = every else { return None };
    let ratios = [a.div(b)?.rounded(), b.div(c)?.rounded()];
    if !(ratios[0] / ratios[1] - 1.0).abs().le(&0.25) {
        return None;
    }
    let bend = 2.0 * coarse(ratios[1]);
    let factor = Double::exact(&Number::from_f64(-bend)?);
    let mut scaled = every.to_vec();
    let mut power = Double::integer(1);
    for c in &mut scaled {
        *c = c.mul(&power);
        power = power.mul(&factor);
    }
    // The powers (z/(1 - z))^k have the coefficients (m - 1 over k - 1).
    let mut row = vec![Double::integer(1)];
    let mut coefficients = vec![Number::from_f64(every[0].rounded())?];
    for m in 1..every.len() {
        let sum = row.iter().zip(&scaled[1..]).fold(Double::integer(0), |sum, (n, c)| sum.add(&n.mul(c)));
        coefficients.push(Number::from_f64(sum.rounded())?);
        row.push(Double::integer(0));
        for k in (1..=m).rev() {
            row[k] = row[k].add(&row[k - 1]);
        }
    }
    Some((coefficients, bend))
}

/// The distance at which the first of the other terms is as large as the first of all.
fn scale(coefficients: &[f64]) -> f64 {
    let [first, others @ ..] = coefficients else { return 1.0 };
    let alike = |(c, k): (&f64, i32)| (first / c).abs().powf(1.0 / f64::from(k));
    others.iter().zip(1..).map(alike).fold(f64::INFINITY, f64::min).clamp(f64::MIN_POSITIVE, f64::MAX)
}

/// To the nearest number of three binary digits.
fn coarse(x: f64) -> f64 {
    let unit = 2.0_f64.powi(x.abs().log2().floor() as i32 - 2);
    (x / unit).round() * unit
}

fn float(graph: &mut Graph, x: f64) -> Id {
    graph.exact(Number::from_f64(x).unwrap_or_else(|| Number::integer(0)))
}

/// Whether a series ends in terms that are negligible.
fn is_whole(sizes: &[f64]) -> bool {
    let sum: f64 = sizes.iter().sum();
    sum.is_finite() && sizes.iter().rev().take(LAST).all(|size| *size <= NEGLIGIBLE * sum / 16.0)
}

/// How many of the terms are not.
fn needed(sizes: &[f64]) -> usize {
    let all: f64 = sizes.iter().sum();
    let (mut cut_off, mut count) = (0.0, sizes.len());
    while count > 1 && cut_off + sizes[count - 1] <= NEGLIGIBLE * all {
        cut_off += sizes[count - 1];
        count -= 1;
    }
    count
}
