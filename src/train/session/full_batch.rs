//! Drivers that choose their own steps, on the full batch: L-BFGS, a line search along the
//! gradient, Newton's method. The algorithms are those of problems without data.
//!
//! What must stay true: value and gradient are those of one function, weight decay included. A
//! driver's memory is in no file: a resumed run goes the same way again from the beginning, and
//! shows what comes after.

use super::curvature::Curvature;
use super::run::Training;
use super::standing::{Ending, Progress, Standing};
use crate::elaborate::program::{Driver, Model};
use crate::error::{Diagnostic, Error};
use crate::train::{
    Bounds, Flow, FromFn, Options, Report, Status, Step, from_fn, minimize_with, newton_with,
};
use std::cell::RefCell;
use std::ops::ControlFlow;

/// Parameters of Newton's method, at most: a step solves a system of as many equations.
const NEWTON: usize = 500;

/// Newton's method is for few parameters.
pub(super) fn check(model: &Model) -> Result<(), Error> {
    let sizes = model.params.iter().map(|param| model.graph.shape(param.node).size());
    let size: usize = sizes.sum();
    let optimizer = &model.train.optimizer;
    if optimizer.driver != Some(Driver::Newton) || size <= NEWTON {
        return Ok(());
    }
    let text = format!("`newton` is for at most {NEWTON} parameters, and there are {size}");
    let place = optimizer.span.unwrap_or_default();
    Err(Error::input(Diagnostic::error(text).at(place, "solves as many equations a step").hint("take lbfgs")))
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
            let seen = training.reached(index, step.x, step.value, step.gradient_norm);
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
                let (step, loss) = (report.iterations as u64, report.value);
                Ending::Diverged { step, loss, message: report.message }
            }
            _ => Ending::Finished,
        })
    }

    fn options(&self, driver: Driver) -> Options {
        let default = Options::default();
        Options {
            sense: self.sense(),
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

    fn value_and_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<f64, Error> {
        self.set_flat(x)?;
        self.evaluate_step()?;
        let mut rest = gradient;
        for (param, &output) in self.model.params.iter().zip(&self.layout.gradients) {
            let (values, others) = rest.split_at_mut(self.model.graph.shape(param.node).size());
            self.workspace.get(output, values)?;
            rest = others;
        }
        self.loss()
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
