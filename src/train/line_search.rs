//! The line search: a step along a descent direction that satisfies the strong Wolfe conditions.
//!
//! One bracket, kept by one invariant: at `low` the value has fallen enough and the slope is still
//! steeply negative; at `high`, once there is one, the value is too high, the slope is positive, or
//! the objective is not finite. A finite bracket contains acceptable steps (Moré & Thuente 1994,
//! th. 2.1), so a trial outside the domain only shortens the step. Near the limit of rounding
//! values say nothing and slopes decide (the approximate Wolfe condition of Hager & Zhang 2005).

use super::objective::{Probe, is_finite};
use super::vector::{add_scaled, dot};

/// Sufficient decrease (Nocedal & Wright 2006, eq. 3.7a).
const DECREASE: f64 = 1e-4;
/// Curvature condition (ibid., eq. 3.7b): loose, as quasi-Newton directions want it.
const CURVATURE: f64 = 0.9;
/// Values closer than this, relatively, are equal for all a line search can tell.
const NOISE: f64 = 10.0 * f64::EPSILON;
/// Trials in one search once it has something to show: at a kink more would not help.
const TRIALS: usize = 30;
/// Trials in one search that has nothing to show, enough to halve a step down to rounding.
const DESPERATE_TRIALS: usize = 80;
/// The value below which a function is called unbounded.
const BOTTOM: f64 = -1e300;
/// Lengthening beyond this many tries means a ray without end: from then on in giant strides.
const PATIENCE: usize = 12;
/// The factor of a giant stride.
const STRIDE: f64 = 1e12;

/// Where the search starts and which way it goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ray<'a> {
    pub(super) x: &'a [f64],
    pub(super) direction: &'a [f64],
    pub(super) value: f64,
    /// `g·d`, negative.
    pub(super) slope: f64,
    pub(super) first_step: f64,
    /// The step at which the box ends; infinite without bounds.
    pub(super) longest_step: f64,
}

impl Ray<'_> {
    fn origin(&self) -> Trial {
        Trial { step: 0.0, value: self.value, slope: self.slope }
    }
}

/// A step tried: the value and the slope along the ray.
#[derive(Debug, Clone, Copy)]
struct Trial {
    step: f64,
    value: f64,
    slope: f64,
}

/// How a search ended. The point found is in [`LineSearch::x`] and [`LineSearch::gradient`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Outcome {
    /// A step that satisfies the strong Wolfe conditions, with its value.
    Found(f64),
    /// A lower value, but no such step: a kink, or the limit of rounding.
    Rough(f64),
    /// Nothing better along the ray; `Edge` when the objective is not finite just beyond.
    Nothing(Obstacle),
    /// The value falls for ever along the ray; the last finite one.
    Endless(f64),
}

/// What kept a search from finding anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// Values that do not fall.
    Wall,
    /// Values that are not finite.
    Edge,
}

/// The buffers of a search, reused by the next.
#[derive(Debug, Clone)]
pub(super) struct LineSearch {
    /// The point found.
    pub(super) x: Vec<f64>,
    /// The gradient there.
    pub(super) gradient: Vec<f64>,
    /// The finite point at which the objective was -infinity, if that ended the search.
    pub(super) pit: Option<Vec<f64>>,
    trial_x: Vec<f64>,
    trial_gradient: Vec<f64>,
}

/// The far end of a bracket.
#[derive(Debug, Clone, Copy)]
enum High {
    /// Not found yet.
    Open,
    /// Finite, and too far.
    Wall(Trial),
    /// Not finite.
    Edge(f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Accept,
    TooShort,
    TooFar,
    /// Too far, yet lower than the start: worth keeping in case nothing better is found.
    Usable,
    NotFinite,
    Endless,
}

impl LineSearch {
    pub(super) fn new(n: usize) -> LineSearch {
        let zeros = || vec![0.0; n];
        LineSearch { x: zeros(), gradient: zeros(), pit: None, trial_x: zeros(), trial_gradient: zeros() }
    }

    /// Searches along `ray`.
    pub(super) fn search(&mut self, probe: &mut Probe<'_>, ray: &Ray<'_>) -> Outcome {
        let mut bracket = Bracket::from(ray.origin());
        let (mut kept, mut usable) = (None, false);
        let mut step = ray.first_step.min(ray.longest_step);
        for count in 1..=DESPERATE_TRIALS {
            let trial = self.try_step(probe, ray, step);
            match judge(ray, &trial, self.is_trial_finite(&trial)) {
                Verdict::Endless => return Outcome::Endless(kept.unwrap_or(ray.value)),
                Verdict::Accept => return Outcome::Found(self.keep(trial)),
                Verdict::TooShort => {
                    // Past a kink the gradient has turned, which teaches more than a point before it.
                    if !usable {
                        kept = Some(self.keep(trial));
                    }
                    bracket.raise(trial);
                }
                Verdict::Usable => {
                    (kept, usable) = (Some(self.keep(trial)), true);
                    bracket.high = High::Wall(trial);
                }
                Verdict::TooFar => bracket.high = High::Wall(trial),
                Verdict::NotFinite => bracket.high = High::Edge(step),
            }
            let tired = bracket.is_closed() && kept.is_some() && count >= TRIALS;
            match bracket.next(ray.longest_step) {
                Some(next) if !tired => step = next,
                _ => break,
            }
        }
        let Some(value) = kept else {
            return Outcome::Nothing(bracket.obstacle());
        };
        if step >= ray.longest_step { Outcome::Found(value) } else { Outcome::Rough(value) }
    }

    fn try_step(&mut self, probe: &mut Probe<'_>, ray: &Ray<'_>, step: f64) -> Trial {
        self.trial_x.copy_from_slice(ray.x);
        add_scaled(&mut self.trial_x, step, ray.direction);
        probe.bounds.snap(ray.x, &mut self.trial_x);
        if self.trial_x.iter().any(|x| !x.is_finite()) {
            return Trial { step, value: f64::NEG_INFINITY, slope: f64::NAN };
        }
        let value = probe.evaluate(&self.trial_x, &mut self.trial_gradient);
        if value == f64::NEG_INFINITY {
            self.pit = Some(self.trial_x.clone());
        }
        Trial { step, value, slope: dot(&self.trial_gradient, ray.direction) }
    }

    fn is_trial_finite(&self, trial: &Trial) -> bool {
        trial.slope.is_finite() && is_finite(trial.value, &self.trial_gradient)
    }

    fn keep(&mut self, trial: Trial) -> f64 {
        std::mem::swap(&mut self.x, &mut self.trial_x);
        std::mem::swap(&mut self.gradient, &mut self.trial_gradient);
        trial.value
    }
}

fn judge(ray: &Ray<'_>, trial: &Trial, finite: bool) -> Verdict {
    if trial.value <= BOTTOM {
        return Verdict::Endless;
    }
    if !finite {
        return Verdict::NotFinite;
    }
    let decreases = trial.value <= ray.value + DECREASE * trial.step * ray.slope;
    // A fall too small to show in the value: only then may the slopes alone decide.
    let level = -DECREASE * trial.step * ray.slope <= NOISE * ray.value.abs()
        && trial.value <= ray.value + NOISE * ray.value.abs()
        && trial.slope <= (2.0 * DECREASE - 1.0) * ray.slope;
    if !decreases && !level {
        Verdict::TooFar
    } else if trial.slope.abs() <= -CURVATURE * ray.slope {
        Verdict::Accept
    } else if trial.slope < 0.0 {
        Verdict::TooShort
    } else if decreases {
        Verdict::Usable
    } else {
        Verdict::TooFar
    }
}

/// The interval that holds an acceptable step.
#[derive(Debug, Clone, Copy)]
struct Bracket {
    /// The low end before this one, for the secant rule.
    before: Trial,
    low: Trial,
    high: High,
    /// The width at the last trial decides between interpolation and bisection.
    width: f64,
    lengthened: usize,
}

impl Bracket {
    fn from(start: Trial) -> Bracket {
        Bracket { before: start, low: start, high: High::Open, width: f64::INFINITY, lengthened: 0 }
    }

    fn raise(&mut self, low: Trial) {
        self.before = std::mem::replace(&mut self.low, low);
    }

    fn obstacle(&self) -> Obstacle {
        if matches!(self.high, High::Edge(_)) { Obstacle::Edge } else { Obstacle::Wall }
    }

    fn is_closed(&self) -> bool {
        !matches!(self.high, High::Open)
    }

    /// The next step to try; none when the interval has shrunk to rounding.
    fn next(&mut self, longest: f64) -> Option<f64> {
        let low = self.low.step;
        let (end, guess) = match self.high {
            High::Open => return self.lengthen(longest),
            High::Edge(end) => (end, f64::NAN),
            High::Wall(high) => (high.step, cubic(&self.low, &high)),
        };
        let width = end - low;
        if width <= 2.0 * f64::EPSILON * end || width <= f64::MIN_POSITIVE {
            return None;
        }
        let interpolates = guess.is_finite() && width <= 0.6 * self.width;
        self.width = width;
        if interpolates || (guess.is_finite() && low == 0.0) {
            // From a start a wall may be far too far: the cubic knows better than the middle.
            return Some(guess.clamp(low + 0.05 * width, end - 0.05 * width));
        }
        Some(low + if low == 0.0 { 0.25 } else { 0.5 } * width)
    }

    /// Beyond `low`: to where the slope vanishes by the secant rule, 1.5 to 10 times as far;
    /// none when the box ends here.
    fn lengthen(&mut self, longest: f64) -> Option<f64> {
        let Bracket { before, low, .. } = *self;
        if low.step >= longest {
            return None;
        }
        self.lengthened += 1;
        if self.lengthened > PATIENCE {
            return Some((STRIDE * low.step).min(longest));
        }
        let secant = low.step - low.slope * (low.step - before.step) / (low.slope - before.slope);
        let convex = low.slope > before.slope && secant.is_finite();
        let next = if convex { secant.max(1.5 * low.step) } else { f64::INFINITY };
        Some(next.min(10.0 * low.step).min(longest))
    }
}

/// The minimiser of the cubic through two values and slopes (Nocedal & Wright 2006, eq. 3.59).
fn cubic(a: &Trial, b: &Trial) -> f64 {
    let d1 = a.slope + b.slope - 3.0 * (a.value - b.value) / (a.step - b.step);
    let d2 = (d1 * d1 - a.slope * b.slope).sqrt();
    b.step - (b.step - a.step) * (b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2)
}
