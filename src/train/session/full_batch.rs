//! L-BFGS on the full batch: the driver of problems without data, with a program's loss.

use super::run::{Ending, Progress, Training};
use crate::error::Error;
use crate::train::{Bounds, Flow, Options, Status, from_fn, minimize_with};
use std::ops::ControlFlow;

impl Training {
    /// Descends to a minimum of the mean loss, at most as many iterations as there are steps.
    pub(super) fn descend(
        &mut self,
        mut pause: impl FnMut() -> bool,
        mut observe: impl FnMut(&mut Training, &Progress) -> Result<ControlFlow<()>, Error>,
    ) -> Result<Ending, Error> {
        let start = self.params()?.concat();
        let options = Options {
            sense: self.sense(),
            bounds: self.bounds(),
            max_iterations: usize::try_from(self.steps()).unwrap_or(usize::MAX),
            ..Options::default()
        };
        let mut fault = None;
        let mut interrupted = false;
        // The objective and the observer take turns with the training.
        let training = std::cell::RefCell::new(&mut *self);
        let mut objective = from_fn(start.len(), |x: &[f64], gradient: &mut [f64]| {
            training.borrow_mut().value_and_gradient(x, gradient).unwrap_or_else(|error| {
                fault.get_or_insert(error);
                f64::NAN
            })
        });
        let mut broken = None;
        let report = minimize_with(&mut objective, &start, &options, &mut |step| {
            let mut training = training.borrow_mut();
            let seen = training.reached(step.index as u64, step.x, step.value, step.gradient_norm);
            let flow = seen.and_then(|progress| match progress {
                Some(progress) => observe(&mut training, &progress),
                None => Ok(ControlFlow::Continue(())),
            });
            interrupted = pause() || flow.as_ref().is_ok_and(|flow| flow.is_break());
            broken = flow.err();
            if interrupted || broken.is_some() { Flow::Stop } else { Flow::Continue }
        });
        if let Some(error) = fault.or(broken) {
            return Err(error);
        }
        let report =
            report.map_err(|invalid| Error::input(crate::error::Diagnostic::error(invalid.to_string())))?;
        self.set_flat(&report.x)?;
        Ok(match report.status {
            _ if interrupted => Ending::Interrupted,
            Status::NotFinite | Status::Diverged | Status::Unbounded => {
                Ending::Diverged { step: report.iterations as u64, message: report.message }
            }
            _ => Ending::Finished,
        })
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
