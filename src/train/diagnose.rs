//! Why a descent with a fixed learning rate went as it did: curvature, growth, oscillation, crawl.
//!
//! What must stay true: a verdict names the numbers it rests on, and where the path shows nothing
//! wrong it says nothing is wrong.

use super::objective::{Probe, Sense};
use super::report::{Status, short};
use super::vector::{dot, norm, scale, subtract};

/// What ended the loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    AllSteps,
    SmallGradient,
    Stopped,
    NotFinite,
}

/// A gradient below this, relative to `max(1, |f|)`, is as good as zero.
const SMALL: f64 = 1e-8;
/// Steps shorter than this part of the point carry rounding, not curvature.
const SHORTEST_TELLING: f64 = 1e-8;
/// The value below which a function is called unbounded.
const BOTTOM: f64 = -1e300;
/// A rate this many times smaller than 1/curvature, with the gradient hardly reduced, crawls.
const CRAWL: f64 = 10.0;
/// Rate times curvature beyond which descent diverges. At exactly 2 it does not, and rounding may
/// put it on either side.
const LIMIT: f64 = 2.0 * (1.0 + 1e-9);
/// Power iterations for the largest eigenvalue of the Hessian: enough for four digits.
const POWER_ITERATIONS: usize = 50;

/// What is remembered of the path.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    rate: f64,
    along_path: Option<f64>,
    /// The largest measured, and where.
    measured: Option<(f64, &'static str)>,
    steps: usize,
    /// Steps after which the gradient pointed back.
    turns: usize,
    values: Option<Ends>,
    norms: Option<Ends>,
    delta_x: Vec<f64>,
    delta_g: Vec<f64>,
}

#[derive(Debug, Clone, Copy)]
struct Ends {
    first: f64,
    last: f64,
}

fn extend(ends: &mut Option<Ends>, value: f64) {
    *ends = Some(Ends { first: ends.map_or(value, |e| e.first), last: value });
}

impl Watch {
    pub(super) fn new(rate: f64) -> Watch {
        Watch {
            rate,
            along_path: None,
            measured: None,
            steps: 0,
            turns: 0,
            values: None,
            norms: None,
            delta_x: Vec::new(),
            delta_g: Vec::new(),
        }
    }

    /// A point was reached.
    pub(super) fn arrive(&mut self, value: f64, norm: f64) {
        extend(&mut self.values, value);
        extend(&mut self.norms, norm);
    }

    /// A step was taken between two finite points.
    pub(super) fn step(&mut self, x: &[f64], g: &[f64], x_next: &[f64], g_next: &[f64]) {
        self.delta_x.resize(x.len(), 0.0);
        self.delta_g.resize(x.len(), 0.0);
        subtract(&mut self.delta_x, x_next, x);
        subtract(&mut self.delta_g, g_next, g);
        self.steps += 1;
        if dot(g, g_next) < 0.0 {
            self.turns += 1;
        }
        let length = dot(&self.delta_x, &self.delta_x);
        let curvature = dot(&self.delta_g, &self.delta_x) / length;
        let tells = length > SHORTEST_TELLING * SHORTEST_TELLING * dot(x_next, x_next);
        if tells && curvature.is_finite() {
            self.along_path = Some(self.along_path.map_or(curvature, |c| c.max(curvature)));
        }
    }

    /// The largest eigenvalue of the Hessian at a point by power iteration (Golub & Van Loan
    /// 2013, section 7.3.1), if the objective offers products; `place` names the point.
    pub(super) fn measure(&mut self, probe: &mut Probe<'_>, x: &[f64], place: &'static str) {
        let n = x.len();
        let mut found = None;
        // An arbitrary fixed vector with no symmetry that an eigenvector might be orthogonal to.
        let mut v: Vec<f64> = (0..n).map(|i| 1.0 + 0.5 * ((i * i + 1) as f64).sin()).collect();
        let mut product = vec![0.0; n];
        for _ in 0..POWER_ITERATIONS {
            let length = norm(&v);
            if length == 0.0 || !length.is_finite() {
                break;
            }
            scale(&mut v, 1.0 / length);
            if !probe.hessian_vector(x, &v, &mut product) {
                break;
            }
            let estimate = dot(&v, &product);
            if estimate.is_finite() {
                found = Some(estimate);
            }
            std::mem::swap(&mut v, &mut product);
        }
        if let Some(found) = found.filter(|found| self.measured.is_none_or(|known| known.0 < *found)) {
            self.measured = Some((found, place));
        }
    }

    /// The largest curvature known.
    pub(super) fn curvature(&self) -> Option<f64> {
        self.place_of_curvature().map(|(curvature, _)| curvature)
    }

    fn place_of_curvature(&self) -> Option<(f64, &'static str)> {
        match (self.along_path, self.measured) {
            (Some(path), Some((most, place))) if most > path * (1.0 + 1e-6) => Some((most, place)),
            (Some(path), _) => Some((path, "along the path")),
            (None, measured) => measured,
        }
    }

    /// Status and sentence. `failed` describes the point that is not finite, if that ended it;
    /// `next` is the minimised value there.
    pub(super) fn verdict(
        &self,
        ending: Ending,
        sense: Sense,
        next: f64,
        failed: Option<String>,
    ) -> (Status, String) {
        let (Some(values), Some(norms)) = (self.values, self.norms) else {
            return (Status::NotFinite, failed.unwrap_or_default());
        };
        if values.last <= BOTTOM || (ending == Ending::NotFinite && next == f64::NEG_INFINITY) {
            let (side, moves) = (sense.far_side(), sense.improves());
            return (Status::Unbounded, format!("unbounded {side}: the value {moves} without end"));
        }
        let worse = values.last > values.first;
        let small = norms.last <= SMALL * values.last.abs().max(1.0);
        let (norm, steps) = (short(norms.last), self.steps);
        match (ending, self.too_fast()) {
            (Ending::NotFinite, Some(why)) if worse || next == f64::INFINITY => {
                (Status::Diverged, format!("{why}; {}", failed.unwrap_or_default()))
            }
            (Ending::NotFinite, _) => (Status::NotFinite, failed.unwrap_or_default()),
            (ending, _) if small || ending == Ending::SmallGradient => {
                (Status::Converged, format!("converged: gradient norm {norm} after {steps} steps"))
            }
            (Ending::Stopped, _) => (Status::Stopped, format!("stopped by the caller after {steps} steps")),
            (_, Some(why)) if worse => (Status::Diverged, why),
            _ => (Status::MaxIterations, self.pace(sense, values, norms)),
        }
    }

    /// The sentence about a learning rate beyond the limit of stability.
    pub(super) fn too_fast(&self) -> Option<String> {
        let (curvature, place) = self.place_of_curvature()?;
        (self.rate * curvature > LIMIT).then(|| {
            format!(
                "diverges: the learning rate {} exceeds 2/curvature = {} (curvature {} {place})",
                self.rate,
                short(2.0 / curvature),
                short(curvature)
            )
        })
    }

    /// The sentence about a descent that used all its steps.
    fn pace(&self, sense: Sense, values: Ends, norms: Ends) -> String {
        let done = format!("{} steps taken, gradient norm {}", self.steps, short(norms.last));
        let Some((curvature, _)) = self.place_of_curvature().filter(|c| c.0 > 0.0) else {
            return done;
        };
        let (rate, best, limit) = (self.rate, short(1.0 / curvature), short(2.0 / curvature));
        let product = rate * curvature;
        let turns_mostly = self.steps >= 3 && self.turns * 10 >= self.steps * 8;
        if values.last > values.first && product < 1.0 {
            return format!("{done}; {}", suspicion(sense, values));
        }
        let more = if turns_mostly && product > 1.99 {
            format!(
                "oscillates without closing in: the learning rate {rate} is at 2/curvature = \
                 {limit}; try {best}"
            )
        } else if turns_mostly {
            format!(
                "oscillates: the steps overshoot and come back, as the learning rate {rate} lies \
                 between 1/curvature = {best} and 2/curvature = {limit}; {best} would settle sooner"
            )
        } else if product * CRAWL < 1.0 && norms.last > 0.1 * norms.first {
            let times = short(1.0 / product);
            format!(
                "crawls: the learning rate {rate} is {times} times smaller than 1/curvature = \
                 {best}; try that"
            )
        } else if product > LIMIT {
            format!("does not settle: the learning rate {rate} exceeds 2/curvature = {limit}; try {best}")
        } else {
            return done;
        };
        format!("{done}; {more}")
    }
}

fn suspicion(sense: Sense, values: Ends) -> String {
    let [from, to] = [values.first, values.last].map(|value| short(sense.caller(value)));
    format!(
        "the value got worse, from {from} to {to}, at a learning rate that should not do that: is \
         the gradient that of the objective?"
    )
}
