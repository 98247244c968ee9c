//! Newton's method with the exact Hessian, damped where it is not positive definite.
//!
//! For few variables: a step factors an n×n matrix. What must stay true: the value never rises
//! beyond rounding, and the damping only ever grows within one iteration, so it ends.

use super::bounds::Bounds;
use super::dense::Cholesky;
use super::minimize::Options;
use super::objective::{Objective, Place, Probe, Sense, is_finite};
use super::report::{Flow, Invalid, Names, Report, Status, Step, check_positive, check_start, short};
use super::vector::dot;

/// Sufficient decrease along the projected step (Bertsekas 1982).
const DECREASE: f64 = 1e-4;
/// Halvings of a step before more damping is tried.
const HALVINGS: usize = 30;
/// Relative change of the value below which it is rounding.
const NOISE: f64 = 10.0 * f64::EPSILON;
/// The value below which a function is called unbounded.
const BOTTOM: f64 = -1e300;
/// Damping relative to the Hessian's largest entry: the first tried, and the last.
const FIRST_DAMPING: f64 = 1e-3;
const LAST_DAMPING: f64 = 1e10;

/// Minimises `objective` by Newton's method from `start`; `hessian` fills in the row-major n×n
/// Hessian at a point. `options.memory` plays no part.
///
/// A step solves `(H + λI)·d = −g` over the variables that no bound holds, with λ = 0 where the
/// Hessian is positive definite and growing from there otherwise (Nocedal & Wright 2006,
/// alg. 3.3; projection as in Bertsekas 1982), and is halved until the value falls.
///
/// # Errors
/// [`Invalid`] when the question makes no sense; a search that fails is a [`Report`].
///
/// ```
/// use symdiff::train::{from_fn, newton, Options};
/// let mut parabola = from_fn(1, |w, g| { g[0] = 2.0 * (w[0] - 3.0); (w[0] - 3.0).powi(2) });
/// let report = newton(&mut parabola, &mut |_, h| h[0] = 2.0, &[0.0], &Options::default())?;
/// assert_eq!((report.x[0], report.iterations), (3.0, 1));
/// # Ok::<(), symdiff::train::Invalid>(())
/// ```
pub fn newton(
    objective: &mut dyn Objective,
    hessian: &mut dyn FnMut(&[f64], &mut [f64]),
    start: &[f64],
    options: &Options,
) -> Result<Report, Invalid> {
    newton_with(objective, hessian, start, options, &mut |_| Flow::Continue)
}

/// [`newton`], showing every accepted point to `visit`, the start first.
///
/// # Errors
/// As [`newton`].
pub fn newton_with(
    objective: &mut dyn Objective,
    hessian: &mut dyn FnMut(&[f64], &mut [f64]),
    start: &[f64],
    options: &Options,
    visit: &mut dyn FnMut(&Step<'_>) -> Flow,
) -> Result<Report, Invalid> {
    let n = objective.dimension();
    check_start(n, start)?;
    check_positive("the tolerance", options.tolerance)?;
    let free = Bounds::free(n);
    let bounds = options.bounds.as_ref().unwrap_or(&free);
    bounds.check(n)?;
    let mut x = start.to_vec();
    bounds.project(&mut x);
    let mut run = Run {
        start: x.clone(),
        place: Place { x, gradient: vec![0.0; n], value: 0.0 },
        probe: Probe::new(objective, options.sense, bounds),
        options,
        iterations: 0,
        largest_norm: 0.0,
    };
    let (status, mut message) = run.descend(hessian, visit);
    message += &Names(&options.names).projection_note(start, &run.start);
    Ok(Report {
        gradient_norm: run.norm(),
        value: options.sense.caller(run.place.value),
        iterations: run.iterations,
        evaluations: run.probe.evaluations,
        status,
        message,
        x: run.place.x,
    })
}

struct Run<'a> {
    probe: Probe<'a>,
    options: &'a Options,
    start: Vec<f64>,
    place: Place,
    iterations: usize,
    largest_norm: f64,
}

impl Run<'_> {
    fn descend(
        &mut self,
        hessian: &mut dyn FnMut(&[f64], &mut [f64]),
        visit: &mut dyn FnMut(&Step<'_>) -> Flow,
    ) -> (Status, String) {
        let n = self.place.x.len();
        let mut matrix = vec![0.0; n * n];
        if let Some(end) = self.begin() {
            return end;
        }
        loop {
            let value = self.options.sense.caller(self.place.value);
            let (index, x) = (self.iterations, &self.place.x);
            if visit(&Step { index, x, value, gradient_norm: self.norm() }) == Flow::Stop {
                return (Status::Stopped, "stopped by the caller".to_owned());
            }
            if let Some(end) = self.finished() {
                return end;
            }
            hessian(&self.place.x, &mut matrix);
            if matrix.iter().any(|h| !h.is_finite()) {
                let at = Names(&self.options.names).point(&self.place.x);
                return (Status::NotFinite, format!("the Hessian is not finite at {at}"));
            }
            if self.options.sense == Sense::Maximize {
                matrix.iter_mut().for_each(|h| *h = -*h);
            }
            match improve(&mut self.probe, &self.place, &matrix) {
                Some(next) => self.place = next,
                None => return self.stuck(),
            }
            self.iterations += 1;
        }
    }

    /// The first evaluation.
    fn begin(&mut self) -> Option<(Status, String)> {
        let Run { probe, place, options, .. } = self;
        place.value = probe.evaluate(&place.x, &mut place.gradient);
        if is_finite(place.value, &place.gradient) {
            return None;
        }
        let names = Names(&options.names);
        let culprit = names.culprit(options.sense.caller(place.value), &place.gradient);
        let message = format!("{culprit} at the start: {}", names.point(&place.x));
        Some((Status::NotFinite, message))
    }

    fn norm(&self) -> f64 {
        self.probe.bounds.projected_norm(&self.place.x, &self.place.gradient)
    }

    fn say(&self, what: &str) -> String {
        format!("{what}: gradient norm {} after {} iterations", short(self.norm()), self.iterations)
    }

    fn finished(&mut self) -> Option<(Status, String)> {
        let (norm, options) = (self.norm(), self.options);
        self.largest_norm = self.largest_norm.max(norm);
        if self.place.value <= BOTTOM {
            let (side, moves) = (options.sense.far_side(), options.sense.improves());
            let message = format!("unbounded {side}: the value {moves} without end");
            return Some((Status::Unbounded, message));
        }
        if norm <= options.tolerance * self.largest_norm.min(1.0) {
            return Some((Status::Converged, self.say("converged")));
        }
        let spent =
            self.iterations >= options.max_iterations || self.probe.evaluations >= options.max_evaluations;
        spent.then(|| (Status::MaxIterations, self.say("the budget is spent")))
    }

    /// No step lowers the value: rounding, or trouble.
    fn stuck(&self) -> (Status, String) {
        let enough = (1e-6 * self.place.value.abs().max(1.0)).max(1e-9 * self.largest_norm);
        if self.norm() <= enough {
            (Status::Converged, self.say("converged to rounding"))
        } else {
            (Status::Stalled, self.say("stalled, no damped step makes the value better"))
        }
    }
}

/// The next point, with as little damping as lets the value fall.
fn improve(probe: &mut Probe<'_>, place: &Place, matrix: &[f64]) -> Option<Place> {
    let free: Vec<usize> =
        (0..place.x.len()).filter(|&i| !probe.bounds.holds(i, place.x[i], place.gradient[i])).collect();
    let size = super::vector::max_norm(matrix).max(f64::MIN_POSITIVE);
    let mut damping = 0.0;
    while damping <= LAST_DAMPING {
        let direction = damped_step(place, matrix, &free, damping * size);
        if let Some(next) = direction.and_then(|d| search(probe, place, &d)) {
            return Some(next);
        }
        damping = if damping == 0.0 { FIRST_DAMPING } else { 4.0 * damping };
    }
    None
}

fn damped_step(place: &Place, matrix: &[f64], free: &[usize], damping: f64) -> Option<Vec<f64>> {
    let (n, k) = (place.x.len(), free.len());
    let mut reduced = vec![0.0; k * k];
    for (a, &i) in free.iter().enumerate() {
        for (b, &j) in free.iter().enumerate() {
            reduced[a * k + b] = matrix[i * n + j];
        }
        reduced[a * k + a] += damping;
    }
    let mut step: Vec<f64> = free.iter().map(|&i| -place.gradient[i]).collect();
    Cholesky::factor(reduced, k)?.solve(&mut step);
    let mut direction = vec![0.0; n];
    for (&i, s) in free.iter().zip(step) {
        direction[i] = s;
    }
    Some(direction)
}

/// Halves the step until the value falls enough along the projected path.
fn search(probe: &mut Probe<'_>, place: &Place, direction: &[f64]) -> Option<Place> {
    let mut next = place.clone();
    let mut share = 1.0;
    for _ in 0..HALVINGS {
        for ((next, x), d) in next.x.iter_mut().zip(&place.x).zip(direction) {
            *next = x + share * d;
        }
        probe.bounds.project(&mut next.x);
        next.value = probe.evaluate(&next.x, &mut next.gradient);
        let moved: Vec<f64> = next.x.iter().zip(&place.x).map(|(a, b)| a - b).collect();
        let slope = dot(&place.gradient, &moved);
        let falls = next.value <= place.value + DECREASE * slope;
        // Where values are level to rounding, a smaller gradient is progress.
        let level = next.value <= place.value + NOISE * place.value.abs()
            && probe.bounds.projected_norm(&next.x, &next.gradient)
                < 0.5 * probe.bounds.projected_norm(&place.x, &place.gradient);
        if slope < 0.0 && (falls || level) && is_finite(next.value, &next.gradient) {
            return Some(next);
        }
        share *= 0.5;
    }
    None
}
