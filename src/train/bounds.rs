//! Boxes: a lower and an upper bound for each variable, either of them possibly infinite.
//!
//! A constructed `Bounds` is never empty and never NaN; equal bounds fix a variable.

use super::report::Invalid;

/// `lowerᵢ ≤ xᵢ ≤ upperᵢ`.
#[derive(Debug, Clone, PartialEq)]
pub struct Bounds {
    lower: Vec<f64>,
    upper: Vec<f64>,
    free: bool,
}

/// A coordinate this many roundings from its bound is on it: `x + (b − x)` need not be `b`.
const SNAP: f64 = 4.0 * f64::EPSILON;

impl Bounds {
    /// Bounds from one lower and one upper limit for each variable; use infinities for none.
    ///
    /// # Errors
    /// When the lengths differ, a limit is NaN, or no number lies between the two.
    ///
    /// ```
    /// use symdiff::train::Bounds;
    /// let bounds = Bounds::new(vec![0.0, f64::NEG_INFINITY], vec![1.0, 5.0])?;
    /// assert_eq!(bounds.upper(), [1.0, 5.0]);
    /// assert!(Bounds::new(vec![2.0], vec![1.0]).is_err());
    /// # Ok::<(), symdiff::train::Invalid>(())
    /// ```
    pub fn new(lower: Vec<f64>, upper: Vec<f64>) -> Result<Bounds, Invalid> {
        if lower.len() != upper.len() {
            return Err(Invalid::Length {
                what: "the upper bounds",
                expected: lower.len(),
                found: upper.len(),
            });
        }
        for (index, (&low, &high)) in lower.iter().zip(&upper).enumerate() {
            if low.is_nan() || high.is_nan() {
                return Err(Invalid::BoundNan { index });
            }
            if low > high || low == f64::INFINITY || high == f64::NEG_INFINITY {
                return Err(Invalid::BoundsCrossed { index, lower: low, upper: high });
            }
        }
        let free = lower.iter().all(|b| b.is_infinite()) && upper.iter().all(|b| b.is_infinite());
        Ok(Bounds { lower, upper, free })
    }

    /// No bounds at all on `dimension` variables.
    pub fn free(dimension: usize) -> Bounds {
        Bounds {
            lower: vec![f64::NEG_INFINITY; dimension],
            upper: vec![f64::INFINITY; dimension],
            free: true,
        }
    }

    /// The lower limits.
    pub fn lower(&self) -> &[f64] {
        &self.lower
    }

    /// The upper limits.
    pub fn upper(&self) -> &[f64] {
        &self.upper
    }

    /// No variable has a finite limit.
    pub fn is_free(&self) -> bool {
        self.free
    }

    /// The nearest point of the box, coordinate by coordinate.
    pub fn project(&self, x: &mut [f64]) {
        if !self.free {
            for (i, x) in x.iter_mut().enumerate() {
                *x = self.nearest(i, *x);
            }
        }
    }

    /// The nearest admissible value of variable `i`.
    pub(super) fn nearest(&self, i: usize, x: f64) -> f64 {
        x.clamp(self.lower[i], self.upper[i])
    }

    /// Projects `x`, reached from `from`, and puts on its bound what missed it by rounding only.
    pub(super) fn snap(&self, from: &[f64], x: &mut [f64]) {
        if self.free {
            return;
        }
        for (i, x) in x.iter_mut().enumerate() {
            *x = self.nearest(i, *x);
            for bound in [self.lower[i], self.upper[i]] {
                if bound.is_finite() && (*x - bound).abs() <= SNAP * from[i].abs().max(bound.abs()) {
                    *x = bound;
                }
            }
        }
    }

    /// The bound that variable `i` runs towards when it descends against `slope`.
    pub(super) fn ahead(&self, i: usize, slope: f64) -> f64 {
        if slope > 0.0 { self.lower[i] } else { self.upper[i] }
    }

    /// Variable `i` is on a bound and descent, against `slope`, would push it through.
    pub(super) fn holds(&self, i: usize, x: f64, slope: f64) -> bool {
        (x <= self.lower[i] && slope > 0.0) || (x >= self.upper[i] && slope < 0.0)
    }

    /// `max |P(x − g) − x|`: zero exactly at a first-order point of the box
    /// (Byrd, Lu, Nocedal & Zhu 1995, eq. 6.1).
    pub(super) fn projected_norm(&self, x: &[f64], gradient: &[f64]) -> f64 {
        if self.free {
            return super::vector::max_norm(gradient);
        }
        let mut norm = 0.0f64;
        for (i, (&x, &g)) in x.iter().zip(gradient).enumerate() {
            if g.is_nan() {
                return f64::NAN;
            }
            let room = if g > 0.0 { x - self.lower[i] } else { self.upper[i] - x };
            norm = norm.max(g.abs().min(room));
        }
        norm
    }

    /// The longest step `t` with `x + t·d` still in the box.
    pub(super) fn longest_step(&self, x: &[f64], d: &[f64]) -> f64 {
        if self.free {
            return f64::INFINITY;
        }
        let mut longest = f64::INFINITY;
        for (i, (&x, &d)) in x.iter().zip(d).enumerate() {
            let limit = if d > 0.0 { self.upper[i] } else { self.lower[i] };
            if d != 0.0 {
                longest = longest.min((limit - x) / d);
            }
        }
        longest
    }

    /// How many variables rest on a bound, and the first of them.
    pub(super) fn resting(&self, x: &[f64]) -> (usize, Option<usize>) {
        let mut rest = (0..x.len()).filter(|&i| x[i] <= self.lower[i] || x[i] >= self.upper[i]).peekable();
        let first = rest.peek().copied();
        (rest.count(), first)
    }

    /// The bounds fit `dimension` variables.
    pub(super) fn check(&self, dimension: usize) -> Result<(), Invalid> {
        if self.lower.len() == dimension {
            return Ok(());
        }
        Err(Invalid::Length { what: "the bounds", expected: dimension, found: self.lower.len() })
    }
}
