//! Plain gradient descent with a fixed learning rate, `x ← x − lr·g`, and its path.
//!
//! What must stay true: a step is that one subtraction and that one product in each coordinate, no
//! more, so a loop written by hand gives the same bits; all steps asked for are taken unless a
//! number stops being finite, the caller stops, or a tolerance was given.

use super::bounds::Bounds;
use super::diagnose::{Ending, Watch};
use super::objective::{Objective, Place, Probe, Sense, is_finite};
use super::report::{Flow, Invalid, Names, Report, Step, check_positive, check_start};

/// The learning rate, the number of steps, and what to keep of the path.
#[derive(Debug, Clone, PartialEq)]
pub struct GradientDescent {
    /// The factor of the gradient in each step.
    pub learning_rate: f64,
    /// Steps to take.
    pub steps: usize,
    /// Minimise (the default) or maximise, which adds the gradient instead.
    pub sense: Sense,
    /// With bounds every step is followed by the projection into the box.
    pub bounds: Option<Bounds>,
    /// Stop early when the gradient norm is at most this; none takes all the steps.
    pub tolerance: Option<f64>,
    /// Which points [`Descent::path`] keeps.
    pub record: Record,
    /// Names of the variables in messages; `x[0]`, `x[1]`, … when empty.
    pub names: Vec<String>,
}

impl GradientDescent {
    /// `steps` steps of minimisation with `learning_rate`, everything recorded.
    pub fn new(learning_rate: f64, steps: usize) -> GradientDescent {
        GradientDescent {
            learning_rate,
            steps,
            sense: Sense::Minimize,
            bounds: None,
            tolerance: None,
            record: Record::default(),
            names: Vec::new(),
        }
    }
}

/// Which points of a path are kept: every `stride`-th, up to `most`, and the last one always.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Keep steps 0, `stride`, 2·`stride`, …
    pub stride: usize,
    /// Keep no more points than this, besides the last.
    pub most: usize,
}

impl Default for Record {
    /// Every step of the first 10,000.
    fn default() -> Self {
        Record { stride: 1, most: 10_000 }
    }
}

/// A point of the path.
#[derive(Debug, Clone, PartialEq)]
pub struct PathPoint {
    /// Steps taken before it.
    pub index: usize,
    /// Where.
    pub x: Vec<f64>,
    /// The objective there, in the caller's sense.
    pub value: f64,
    /// The norm of [`Report::gradient_norm`].
    pub gradient_norm: f64,
}

impl PathPoint {
    fn keep(step: &Step<'_>) -> PathPoint {
        let Step { index, x, value, gradient_norm } = *step;
        PathPoint { index, x: x.to_vec(), value, gradient_norm }
    }
}

/// A descent: how it ended, where it went, and what was learnt of the objective on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct Descent {
    /// How it ended; `x` is the last finite point.
    pub report: Report,
    /// The recorded points.
    pub path: Vec<PathPoint>,
    /// The best point met, which after a divergence is not the last.
    pub best: PathPoint,
    /// The largest curvature found: `Δg·Δx / Δx·Δx` along the path or, where the objective offers
    /// Hessian products, the largest eigenvalue at the start if that is more. None without a step.
    pub curvature: Option<f64>,
}

/// Descends from `start`, showing every point, the start first, to `visit`.
///
/// The message says whether the learning rate was too large (gradient descent on a quadratic
/// converges exactly for rates below 2/curvature: Nesterov 2004, th. 2.1.14), makes the iterates
/// oscillate, or is so small that they crawl.
///
/// # Errors
/// [`Invalid`] when the question makes no sense; a descent that fails is a [`Report`].
///
/// ```
/// use symdiff::train::{from_fn, gradient_descent, Flow, GradientDescent};
/// let mut parabola = from_fn(1, |w, g| { g[0] = 2.0 * (w[0] - 3.0); (w[0] - 3.0).powi(2) });
/// let options = GradientDescent::new(0.1, 20);
/// let descent = gradient_descent(&mut parabola, &[0.0], &options, &mut |_| Flow::Continue)?;
/// assert_eq!(descent.path[1].x, [0.6000000000000001]);
/// assert_eq!(format!("{:.6}", descent.report.x[0]), "2.965412");
/// # Ok::<(), symdiff::train::Invalid>(())
/// ```
pub fn gradient_descent(
    objective: &mut dyn Objective,
    start: &[f64],
    options: &GradientDescent,
    visit: &mut dyn FnMut(&Step<'_>) -> Flow,
) -> Result<Descent, Invalid> {
    let n = objective.dimension();
    check_start(n, start)?;
    check_positive("the learning rate", options.learning_rate)?;
    if let Some(tolerance) = options.tolerance {
        check_positive("the tolerance", tolerance)?;
    }
    let free = Bounds::free(n);
    let bounds = options.bounds.as_ref().unwrap_or(&free);
    bounds.check(n)?;
    let mut run = Run::begin(Probe::new(objective, options.sense, bounds), start, options);
    let ending = run.descend(visit);
    Ok(run.finish(ending, start))
}

struct Run<'a> {
    probe: Probe<'a>,
    options: &'a GradientDescent,
    start: Vec<f64>,
    here: Place,
    next: Place,
    index: usize,
    path: Vec<PathPoint>,
    best: Option<PathPoint>,
    watch: Watch,
}

impl<'a> Run<'a> {
    fn begin(mut probe: Probe<'a>, start: &[f64], options: &'a GradientDescent) -> Run<'a> {
        let mut x = start.to_vec();
        probe.bounds.project(&mut x);
        let mut gradient = vec![0.0; x.len()];
        let value = probe.evaluate(&x, &mut gradient);
        let here = Place { x, gradient, value };
        Run {
            watch: Watch::new(options.learning_rate),
            probe,
            options,
            start: here.x.clone(),
            next: here.clone(),
            here,
            index: 0,
            path: Vec::new(),
            best: None,
        }
    }

    fn descend(&mut self, visit: &mut dyn FnMut(&Step<'_>) -> Flow) -> Ending {
        if !is_finite(self.here.value, &self.here.gradient) {
            return Ending::NotFinite;
        }
        loop {
            let norm = self.probe.bounds.projected_norm(&self.here.x, &self.here.gradient);
            self.watch.arrive(self.here.value, norm);
            if self.show(norm, visit) == Flow::Stop {
                return Ending::Stopped;
            }
            if self.options.tolerance.is_some_and(|tolerance| norm <= tolerance) {
                return Ending::SmallGradient;
            }
            if self.index == self.options.steps {
                return Ending::AllSteps;
            }
            self.step();
            if !is_finite(self.next.value, &self.next.gradient) {
                return Ending::NotFinite;
            }
            let (here, next) = (&self.here, &self.next);
            self.watch.step(&here.x, &here.gradient, &next.x, &next.gradient);
            std::mem::swap(&mut self.here, &mut self.next);
            self.index += 1;
        }
    }

    /// Visits and records the current point.
    fn show(&mut self, norm: f64, visit: &mut dyn FnMut(&Step<'_>) -> Flow) -> Flow {
        let value = self.probe.sense.caller(self.here.value);
        let step = Step { index: self.index, x: &self.here.x, value, gradient_norm: norm };
        let Record { stride, most } = self.options.record;
        if self.index.is_multiple_of(stride.max(1)) && self.path.len() < most {
            self.path.push(PathPoint::keep(&step));
        }
        let sense = self.probe.sense;
        match &mut self.best {
            Some(best) if sense.caller(best.value) <= self.here.value => {}
            best => *best = Some(PathPoint::keep(&step)),
        }
        visit(&step)
    }

    /// From here to the next point, which may turn out not to be finite.
    fn step(&mut self) {
        let rate = self.options.learning_rate;
        for ((next, x), g) in self.next.x.iter_mut().zip(&self.here.x).zip(&self.here.gradient) {
            *next = x - rate * g;
        }
        self.probe.bounds.project(&mut self.next.x);
        self.next.value = self.probe.evaluate(&self.next.x, &mut self.next.gradient);
    }

    fn finish(mut self, ending: Ending, asked: &[f64]) -> Descent {
        self.watch.measure(&mut self.probe, &self.start, "at the start");
        let sense = self.probe.sense;
        let failed = (ending == Ending::NotFinite).then(|| self.failure());
        let (status, mut message) = self.watch.verdict(ending, sense, self.next.value, failed);
        message += &Names(&self.options.names).projection_note(asked, &self.start);
        let report = Report {
            gradient_norm: self.probe.bounds.projected_norm(&self.here.x, &self.here.gradient),
            value: sense.caller(self.here.value),
            iterations: self.index,
            evaluations: self.probe.evaluations,
            status,
            message,
            x: self.here.x,
        };
        let last = PathPoint {
            index: report.iterations,
            x: report.x.clone(),
            value: report.value,
            gradient_norm: report.gradient_norm,
        };
        if self.path.last().is_none_or(|point| point.index != last.index) {
            self.path.push(last.clone());
        }
        let (curvature, best) = (self.watch.curvature(), self.best.unwrap_or(last));
        Descent { curvature, best, path: self.path, report }
    }

    /// Which step led where to what that is not finite; the start itself if it was never shown.
    fn failure(&self) -> String {
        let names = Names(&self.options.names);
        let sense = self.probe.sense;
        let mut gradient = self.next.gradient.clone();
        if sense == Sense::Maximize {
            gradient.iter_mut().for_each(|g| *g = -*g);
        }
        let culprit = names.culprit(sense.caller(self.next.value), &gradient);
        match self.best {
            Some(_) => {
                let at = names.point(&self.next.x);
                format!("at step {} {culprit}, at {at}", self.index + 1)
            }
            None => format!("{culprit} at the start: {}", names.point(&self.start)),
        }
    }
}
