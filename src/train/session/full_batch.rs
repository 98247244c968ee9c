//! Drivers that choose their own steps, on the full batch: L-BFGS, a line search along the
//! gradient, Newton's method. The algorithms are those of problems without data.
//!
//! What must stay true: value and gradient are those of one function, weight decay included. A
//! driver's memory is in no file: a resumed run goes the same way again from the beginning, and
//! shows what comes after.

use super::curvature::Curvature;
use super::run::{Ending, Progress, Standing, Training};
use crate::elaborate::program::{Batch, Driver, Model, Sense};
use crate::error::{Diagnostic, Error};
use crate::train::{
    Bounds, Flow, FromFn, Options, Report, Status, Step, from_fn, minimize_with, newton_with,
};
use std::cell::RefCell;
use std::ops::ControlFlow;

/// Parameters of Newton's method, at most: a step solves a system of as many equations.
const NEWTON: usize = 500;

/// What a driver needs of its program.
pub(super) fn check(model: &Model) -> Result<(), Error> {
    let plan = &model.train;
    let Some(driver) = plan.optimizer.driver else { return Ok(()) };
    let name = &plan.optimizer.name;
    let refuse = |key: &str, text: String, hint: &str| {
        let span = plan.spans.iter().find(|span| span.0 == key).map_or(model_span(model), |span| span.1);
        Err(Error::input(Diagnostic::error(text).at(span, "").hint(hint)))
    };
    let sizes = model.params.iter().map(|param| model.graph.shape(param.node).size());
    let size: usize = sizes.sum();
    if let Batch::Size(_) = plan.batch {
        let hint = "leave `batch` out, or take an optimizer of mini-batches such as adam";
        return refuse("batch", format!("`{name}` needs all examples in each step"), hint);
    }
    if plan.clip_norm.or(plan.clip_value).is_some() {
        let key = if plan.clip_norm.is_some() { "clip_norm" } else { "clip_value" };
        return refuse(key, format!("`{name}` chooses its own steps"), "leave the clipping out");
    }
    if driver == Driver::Newton && size > NEWTON {
        let text = format!("`newton` is for at most {NEWTON} parameters, and there are {size}");
        return refuse("optimizer", text, "take lbfgs");
    }
    Ok(())
}

fn model_span(model: &Model) -> crate::error::Span {
    model.train.optimizer.span.unwrap_or_default()
}

/// Taken from an observer that breaks off, and from evaluations that fail.
#[derive(Default)]
struct Broken {
    interrupted: bool,
    error: Option<Error>,
}

impl Training {
    /// Descends to a minimum of the mean loss, at most as many iterations as there are steps.
    pub(super) fn descend(
        &mut self,
        driver: Driver,
        mut pause: impl FnMut() -> bool,
        mut observe: impl FnMut(&mut Training, &Progress) -> Result<ControlFlow<()>, Error>,
    ) -> Result<Ending, Error> {
        let done = self.standing.step;
        self.standing = Standing::default();
        self.initialise()?;
        let start = self.params()?.concat();
        let broken = RefCell::new(Broken::default());
        let curvature = (driver == Driver::Newton).then(|| Curvature::of(self, true)).transpose()?;
        // The objective and the observer take turns with the training.
        let training = RefCell::new(&mut *self);
        let sign = training.borrow().sign();
        let mut objective = from_fn(start.len(), |x: &[f64], gradient: &mut [f64]| {
            let value = training.borrow_mut().value_and_gradient(x, gradient);
            value.unwrap_or_else(|error| {
                broken.borrow_mut().error.get_or_insert(error);
                f64::NAN
            })
        });
        let mut visit = |step: &Step<'_>| {
            let mut training = training.borrow_mut();
            let index = step.index as u64;
            let seen = training.reached(index, step.x, sign * step.value, step.gradient_norm);
            let flow = seen.and_then(|progress| match progress.filter(|_| index > done || done == 0) {
                Some(progress) => observe(&mut training, &progress),
                None => Ok(ControlFlow::Continue(())),
            });
            let mut broken = broken.borrow_mut();
            broken.interrupted = flow.as_ref().is_ok_and(|flow| flow.is_break()) || pause();
            if let Err(error) = flow {
                broken.error.get_or_insert(error);
            }
            if broken.interrupted || broken.error.is_some() { Flow::Stop } else { Flow::Continue }
        };
        let options = training.borrow().options(driver);
        let report = drive(&mut objective, curvature, &start, &options, &mut visit);
        let Broken { interrupted, error } = broken.into_inner();
        let report = error.map_or(report, Err)?;
        self.set_flat(&report.x)?;
        self.standing.step = report.iterations as u64;
        Ok(match report.status {
            _ if interrupted => Ending::Interrupted,
            Status::NotFinite | Status::Diverged | Status::Unbounded => {
                let (step, loss) = (report.iterations as u64, sign * report.value);
                Ending::Diverged { step, loss, message: report.message }
            }
            _ => Ending::Finished,
        })
    }

    fn options(&self, driver: Driver) -> Options {
        let default = Options::default();
        Options {
            bounds: self.bounds(),
            max_iterations: usize::try_from(self.steps()).unwrap_or(usize::MAX),
            memory: if driver == Driver::LineSearch { 0 } else { default.memory },
            ..default
        }
    }

    fn bounds(&self) -> Option<Bounds> {
        let mut sides = (Vec::new(), Vec::new());
        for param in &self.model().params {
            let size = self.model().graph.shape(param.node).size();
            let (least, most) = param.bounds.unwrap_or((None, None));
            sides.0.extend(vec![least.unwrap_or(f64::NEG_INFINITY); size]);
            sides.1.extend(vec![most.unwrap_or(f64::INFINITY); size]);
        }
        Bounds::new(sides.0, sides.1).ok().filter(|bounds| !bounds.is_free())
    }

    /// −1 for a loss that is maximized: drivers see what is minimized.
    fn sign(&self) -> f64 {
        let sense = self.model.objective.as_ref().map(|objective| objective.sense);
        if sense == Some(Sense::Maximize) { -1.0 } else { 1.0 }
    }

    /// Sets all parameters from one row of numbers.
    pub(super) fn set_flat(&mut self, x: &[f64]) -> Result<(), Error> {
        let mut rest = x;
        let sizes: Vec<usize> =
            self.model().params.iter().map(|param| self.model().graph.shape(param.node).size()).collect();
        let mut params = Vec::with_capacity(sizes.len());
        for size in sizes {
            let (values, others) = rest.split_at(size);
            params.push(values.to_vec());
            rest = others;
        }
        self.set_params(&params)
    }

    /// What is minimized at a point: the mean loss and what decay adds to it.
    fn value_and_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<f64, Error> {
        self.set_flat(x)?;
        self.evaluate_step()?;
        let mut rest = gradient;
        for (param, &output) in self.model.params.iter().zip(&self.layout.gradients) {
            let (values, others) = rest.split_at_mut(self.model.graph.shape(param.node).size());
            self.workspace.get(output, values)?;
            rest = others;
        }
        let decay = self.model.train.l2.unwrap_or(0.0) / 2.0 * x.iter().map(|x| x * x).sum::<f64>();
        Ok(self.sign() * self.loss()? + decay)
    }
}

/// Runs the algorithm: Newton's where there is a curvature.
fn drive<F: FnMut(&[f64], &mut [f64]) -> f64>(
    objective: &mut FromFn<F>,
    curvature: Option<Curvature>,
    start: &[f64],
    options: &Options,
    visit: &mut dyn FnMut(&Step<'_>) -> Flow,
) -> Result<Report, Error> {
    let report = match curvature {
        None => minimize_with(objective, start, options, visit),
        Some(mut curvature) => {
            let mut hessian = |x: &[f64], out: &mut [f64]| curvature.matrix(x, out);
            let report = newton_with(objective, &mut hessian, start, options, visit);
            if let Some(error) = curvature.fault {
                return Err(error);
            }
            report
        }
    };
    report.map_err(|invalid| Error::input(Diagnostic::error(invalid.to_string())))
}
