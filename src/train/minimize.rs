//! `minimize`: descent with nothing to tune. L-BFGS or L-BFGS-B, a Wolfe line search, and reasons.
//!
//! What must stay true: the point is finite and in the box from the first evaluation on; every
//! pass round the loop either moves the point, empties the memory or ends the run, so it ends.

use super::bounds::Bounds;
use super::box_step::{self, Products};
use super::kink;
use super::lbfgs::History;
use super::line_search::{LineSearch, Obstacle, Outcome, Ray};
use super::objective::{Objective, Probe, Sense, is_finite};
use super::report::{Flow, Invalid, Names, Report, Status, Step, check_positive, check_start, short};
use super::vector::{dot, max_norm, norm, subtract};

/// What to look for and when to give up. The default minimises without bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Minimise (the default) or maximise.
    pub sense: Sense,
    /// The box to stay in; the start is projected into it.
    pub bounds: Option<Bounds>,
    /// Converged when the projected gradient's largest component is at most
    /// `tolerance · min(1, G)`, where G is the largest such norm met so far. Default 1e-8. The
    /// value of the objective plays no part: adding a constant to it does not loosen the test.
    /// Where rounding makes this unreachable the run ends when no decrease can be seen any more.
    pub tolerance: f64,
    /// Default 100,000.
    pub max_iterations: usize,
    /// Default 1,000,000; looked at between iterations, which take 80 at most.
    pub max_evaluations: usize,
    /// Pairs L-BFGS remembers. Default 10; with none it is gradient descent with a line search.
    pub memory: usize,
    /// Names of the variables in messages; `x[0]`, `x[1]`, … when empty.
    pub names: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            sense: Sense::Minimize,
            bounds: None,
            tolerance: 1e-8,
            max_iterations: 100_000,
            max_evaluations: 1_000_000,
            memory: 10,
            names: Vec::new(),
        }
    }
}

/// Iterations without visible decrease or smaller gradient after which the run is over.
const PATIENCE: usize = 8;
/// A step shorter than this part of the point is no visible progress.
const SHORTEST: f64 = 1e-13;
/// Line searches that found no Wolfe step after which this is a kink: they cost 30 trials each.
const ROUGHEST: usize = 20;
/// How far a run that can do no better may be from stationary and still count as converged:
/// this times `max(1, |f|)`, …
const ROUNDING: f64 = 1e-6;
/// … or this times the largest gradient met.
const REDUCTION: f64 = 1e-9;
/// How often a run that stalled is taken up again after the polishing of a kink moved it.
const RESCUES: usize = 3;

/// Minimises (or maximises) `objective` from `start`.
///
/// L-BFGS (Nocedal & Wright 2006, alg. 7.5), with bounds L-BFGS-B (Byrd, Lu, Nocedal & Zhu 1995);
/// where the line search fails at a kink and there are few variables, gradient sampling (Burke,
/// Lewis & Overton 2005). O(mn) a step without bounds, O(m²n) with them.
///
/// # Errors
/// [`Invalid`] when the question makes no sense; a search that fails is a [`Report`].
pub fn minimize(objective: &mut dyn Objective, start: &[f64], options: &Options) -> Result<Report, Invalid> {
    minimize_with(objective, start, options, &mut |_| Flow::Continue)
}

/// [`minimize`], showing every accepted point to `visit`, the start first.
///
/// # Errors
/// As [`minimize`].
pub fn minimize_with(
    objective: &mut dyn Objective,
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
    let mut run = Run::begin(Probe::new(objective, options.sense, bounds), start, options);
    let (status, message) = run.descend(visit);
    Ok(run.report(status, message, start))
}

/// Status and sentence.
pub(super) type End = (Status, String);

pub(super) struct Run<'a> {
    pub(super) probe: Probe<'a>,
    pub(super) options: &'a Options,
    pub(super) names: Names<'a>,
    pub(super) start: Vec<f64>,
    pub(super) x: Vec<f64>,
    pub(super) gradient: Vec<f64>,
    pub(super) value: f64,
    pub(super) direction: Vec<f64>,
    pub(super) history: History,
    pub(super) products: Products,
    pub(super) search: LineSearch,
    pub(super) iterations: usize,
    pub(super) rescues: usize,
    /// The largest and the least projected gradient norm met.
    pub(super) norms: (f64, f64),
    /// Iterations since value or gradient visibly improved.
    pub(super) idle: usize,
    /// Line searches without a Wolfe step, less those with one.
    pub(super) rough: usize,
}

impl<'a> Run<'a> {
    fn begin(mut probe: Probe<'a>, start: &[f64], options: &'a Options) -> Run<'a> {
        let n = start.len();
        let mut x = start.to_vec();
        probe.bounds.project(&mut x);
        let mut gradient = vec![0.0; n];
        let value = probe.evaluate(&x, &mut gradient);
        Run {
            probe,
            options,
            names: Names(&options.names),
            start: x.clone(),
            x,
            gradient,
            value,
            direction: vec![0.0; n],
            history: History::new(options.memory),
            products: Products::default(),
            search: LineSearch::new(n),
            iterations: 0,
            rescues: 0,
            norms: (0.0, f64::INFINITY),
            idle: 0,
            rough: 0,
        }
    }

    fn descend(&mut self, visit: &mut dyn FnMut(&Step<'_>) -> Flow) -> End {
        if !is_finite(self.value, &self.gradient) {
            return self.not_finite_at_start();
        }
        let mut shown = None;
        loop {
            let norm = self.norm();
            if shown != Some(self.iterations) {
                shown = Some(self.iterations);
                let value = self.probe.sense.caller(self.value);
                let step = Step { index: self.iterations, x: &self.x, value, gradient_norm: norm };
                if visit(&step) == Flow::Stop {
                    return (Status::Stopped, "stopped by the caller".to_owned());
                }
            }
            if let Some(end) = self.finished(norm).or_else(|| self.advance()) {
                return end;
            }
        }
    }

    /// The projected gradient norm here.
    pub(super) fn norm(&self) -> f64 {
        self.probe.bounds.projected_norm(&self.x, &self.gradient)
    }

    /// The tests made at every point.
    fn finished(&mut self, norm: f64) -> Option<End> {
        if norm < 0.9 * self.norms.1 {
            self.idle = 0;
        }
        self.norms = (self.norms.0.max(norm), self.norms.1.min(norm));
        let tolerance = self.options.tolerance * self.norms.0.min(1.0);
        if norm <= tolerance {
            return Some(self.converged(norm));
        }
        if self.idle >= PATIENCE || self.rough >= ROUGHEST {
            self.rough = 0;
            return self.stuck(Obstacle::Wall);
        }
        let spent = |what: &str, many: usize| {
            let norm = short(norm);
            Some((
                Status::MaxIterations,
                format!("the budget of {many} {what} is spent; gradient norm {norm}"),
            ))
        };
        if self.iterations >= self.options.max_iterations {
            return spent("iterations", self.options.max_iterations);
        }
        if self.probe.evaluations >= self.options.max_evaluations {
            return spent("evaluations", self.options.max_evaluations);
        }
        None
    }

    /// One iteration; an end when there is nowhere to go.
    fn advance(&mut self) -> Option<End> {
        let slope = self.choose_direction();
        let length = norm(&self.direction);
        if slope >= 0.0 || !slope.is_finite() || length == 0.0 {
            return self.forget_or(Obstacle::Wall);
        }
        let ray = Ray {
            x: &self.x,
            direction: &self.direction,
            value: self.value,
            slope,
            first_step: if self.history.is_empty() { 1.0f64.min(1.0 / length) } else { 1.0 },
            longest_step: self.probe.bounds.longest_step(&self.x, &self.direction),
        };
        let outcome = self.search.search(&mut self.probe, &ray);
        self.rough = match outcome {
            Outcome::Rough(_) => self.rough + 1,
            _ => self.rough.saturating_sub(1),
        };
        match outcome {
            Outcome::Found(value) | Outcome::Rough(value) if self.search.x != self.x => {
                self.accept(value);
                None
            }
            Outcome::Found(_) | Outcome::Rough(_) => self.forget_or(Obstacle::Wall),
            Outcome::Nothing(obstacle) => self.forget_or(obstacle),
            Outcome::Endless(value) => Some(self.unbounded(value)),
        }
    }

    /// Fills in the direction and returns its slope.
    fn choose_direction(&mut self) -> f64 {
        let bounds = self.probe.bounds;
        if bounds.is_free() {
            self.history.direction(&self.gradient, &mut self.direction);
        } else {
            let (x, g) = (&self.x, &self.gradient);
            match box_step::target(&self.history, &self.products, bounds, x, g) {
                Some(target) => subtract(&mut self.direction, &target, x),
                None => self.direction.fill(f64::NAN),
            }
        }
        dot(&self.gradient, &self.direction)
    }

    /// Starts afresh from the plain gradient; from there, gives up.
    fn forget_or(&mut self, obstacle: Obstacle) -> Option<End> {
        if self.history.is_empty() {
            return self.stuck(obstacle);
        }
        self.forget();
        None
    }

    fn forget(&mut self) {
        self.history.clear();
        self.products.clear();
    }

    fn accept(&mut self, value: f64) {
        let n = self.x.len();
        let (mut s, mut y) = (vec![0.0; n], vec![0.0; n]);
        subtract(&mut s, &self.search.x, &self.x);
        subtract(&mut y, &self.search.gradient, &self.gradient);
        let moved = max_norm(&s) > SHORTEST * max_norm(&self.x);
        let offer = self.history.offer(s, y);
        if !self.probe.bounds.is_free() {
            self.products.follow(&self.history, offer);
        }
        std::mem::swap(&mut self.x, &mut self.search.x);
        std::mem::swap(&mut self.gradient, &mut self.search.gradient);
        let visible = 4.0 * f64::EPSILON * self.value.abs().max(value.abs());
        self.idle = if moved && self.value - value > visible { 0 } else { self.idle + 1 };
        self.value = value;
        self.iterations += 1;
    }

    /// No decrease can be found: it is rounding, a kink, the edge of the domain, or a wrong gradient.
    fn stuck(&mut self, obstacle: Obstacle) -> Option<End> {
        let norm = self.norm();
        let enough = (ROUNDING * self.value.abs().max(1.0)).max(REDUCTION * self.norms.0);
        if norm <= enough {
            return Some(self.converged(norm));
        }
        if obstacle == Obstacle::Edge || self.x.len() > kink::MOST_VARIABLES {
            return Some(self.stalled(obstacle, norm));
        }
        let budget = self.options.max_evaluations;
        let before = self.value;
        let polished = kink::polish(&mut self.probe, &mut self.x, &mut self.gradient, self.value, budget);
        self.value = polished.value;
        if let Some(radius) = polished.stationary_within {
            return Some(self.converged_at_kink(radius));
        }
        let helped = before - self.value > 1e-12 * before.abs().max(1.0);
        if helped && self.rescues < RESCUES {
            self.rescues += 1;
            self.iterations += 1;
            self.idle = 0;
            self.forget();
            return None;
        }
        Some(self.stalled(obstacle, self.norm()))
    }
}
