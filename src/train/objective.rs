//! What is minimised: the `Objective` trait, closures as objectives, and the sense of the search.
//!
//! `Probe` is the only place that calls an objective; it counts, turns a maximisation into a
//! minimisation, and so keeps every algorithm ignorant of both.

use super::bounds::Bounds;
pub use crate::elaborate::program::Sense;

/// A differentiable function of `dimension` real variables.
pub trait Objective {
    /// The number of variables.
    fn dimension(&self) -> usize;

    /// The value at `x`; the gradient is written into `gradient`. Both slices have length
    /// [`dimension`](Self::dimension). Outside its domain it returns NaN or an infinity.
    fn value_and_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64;

    /// The product of the Hessian at `x` with `v`, written into `out`; `false`, with `out`
    /// untouched, when the objective has none to offer (the default).
    fn hessian_vector(&mut self, _x: &[f64], _v: &[f64], _out: &mut [f64]) -> bool {
        false
    }
}

impl<O: Objective + ?Sized> Objective for &mut O {
    fn dimension(&self) -> usize {
        (**self).dimension()
    }

    fn value_and_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        (**self).value_and_gradient(x, gradient)
    }

    fn hessian_vector(&mut self, x: &[f64], v: &[f64], out: &mut [f64]) -> bool {
        (**self).hessian_vector(x, v, out)
    }
}

/// A closure as an objective; made by [`from_fn`].
#[derive(Debug, Clone)]
pub struct FromFn<F> {
    dimension: usize,
    function: F,
}

/// An objective from a closure `(x, gradient) -> value`.
///
/// ```
/// use symdiff::train::{from_fn, Objective};
/// let mut square = from_fn(1, |x: &[f64], g: &mut [f64]| { g[0] = 2.0 * x[0]; x[0] * x[0] });
/// let mut gradient = [0.0];
/// assert_eq!(square.value_and_gradient(&[3.0], &mut gradient), 9.0);
/// assert_eq!(gradient, [6.0]);
/// ```
pub fn from_fn<F: FnMut(&[f64], &mut [f64]) -> f64>(dimension: usize, function: F) -> FromFn<F> {
    FromFn { dimension, function }
}

impl<F: FnMut(&[f64], &mut [f64]) -> f64> Objective for FromFn<F> {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn value_and_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        (self.function)(x, gradient)
    }
}

impl Sense {
    /// A value of the minimised function as a value of the caller's.
    pub(super) fn caller(self, value: f64) -> f64 {
        match self {
            Sense::Minimize => value,
            Sense::Maximize => -value,
        }
    }

    /// "below" or "above": the side on which an objective is unbounded.
    pub(super) fn far_side(self) -> &'static str {
        match self {
            Sense::Minimize => "below",
            Sense::Maximize => "above",
        }
    }

    /// How the caller's value moves when the search goes well.
    pub(super) fn improves(self) -> &'static str {
        match self {
            Sense::Minimize => "falls",
            Sense::Maximize => "rises",
        }
    }
}

/// An infinite slope against a bound is as good as this one; its square is still finite.
const STEEPEST_AT_A_BOUND: f64 = 1e150;

/// Value and gradient at a point, of the minimised function.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub x: Vec<f64>,
    pub gradient: Vec<f64>,
    pub value: f64,
}

/// The objective as the algorithms see it: minimised, counted, and finite against its bounds.
pub(super) struct Probe<'a> {
    objective: &'a mut dyn Objective,
    pub(super) sense: Sense,
    pub(super) bounds: &'a Bounds,
    pub(super) evaluations: usize,
}

impl<'a> Probe<'a> {
    pub(super) fn new(objective: &'a mut dyn Objective, sense: Sense, bounds: &'a Bounds) -> Self {
        Probe { objective, sense, bounds, evaluations: 0 }
    }

    /// Value and gradient of the minimised function.
    pub(super) fn evaluate(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        self.evaluations += 1;
        let value = self.objective.value_and_gradient(x, gradient);
        if self.sense == Sense::Maximize {
            gradient.iter_mut().for_each(|g| *g = -*g);
        }
        self.tame(x, gradient);
        self.sense.caller(value)
    }

    /// The Hessian of the minimised function times `v`, if the objective offers it.
    pub(super) fn hessian_vector(&mut self, x: &[f64], v: &[f64], out: &mut [f64]) -> bool {
        let offered = self.objective.hessian_vector(x, v, out);
        if offered && self.sense == Sense::Maximize {
            out.iter_mut().for_each(|h| *h = -*h);
        }
        offered
    }

    /// √x at its bound 0 has slope +∞, which holds `x` there; a large finite slope says the same.
    fn tame(&self, x: &[f64], gradient: &mut [f64]) {
        if self.bounds.is_free() {
            return;
        }
        for (i, g) in gradient.iter_mut().enumerate() {
            if g.is_infinite() && self.bounds.holds(i, x[i], *g) {
                *g = STEEPEST_AT_A_BOUND.copysign(*g);
            }
        }
    }
}

/// The value is finite and so is every component of the gradient.
pub(super) fn is_finite(value: f64, gradient: &[f64]) -> bool {
    value.is_finite() && gradient.iter().all(|g| g.is_finite())
}
