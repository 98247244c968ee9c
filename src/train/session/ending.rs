//! When a run is over: early stopping, divergence, and which weights are kept.
//!
//! What must stay true: a run that goes wrong ends with weights no worse than those it began with,
//! and says why in numbers it has measured.

use super::curvature::Curvature;
use super::run::Training;
use super::standing::{Best, Ending, Progress};
use crate::elaborate::program::Sense;
use crate::error::Error;
use crate::train::Bounds;
use crate::train::diagnose::Watch;
use crate::train::objective::Probe;

/// Reports without improvement that count as a plateau, for schedules.
const PLATEAU: u64 = 10;
/// A loss that ends this many times its first size above its first value has diverged, if the rate
/// is too large for the curvature.
const GROWN: f64 = 10.0;
/// One that far above needs no other sign at the end.
const FAR: f64 = 1e3;
/// One that far above ends the run: no schedule brings it back.
const RUNAWAY: f64 = 1e8;
/// Optimizers whose limit of stability is 2/curvature.
const PLAIN: [&str; 2] = ["gd", "sgd"];

impl Training {
    /// Keeps the weights if they are the best so far; says whether to stop.
    pub(super) fn remember(&mut self, progress: &Progress) -> Result<Option<Ending>, Error> {
        let score = self.downhill(progress.validation.as_ref().map_or(progress.loss, |v| v.loss));
        if self.has_diverged(progress.loss, RUNAWAY, RUNAWAY)? {
            return self.diverged(progress.loss).map(Some);
        }
        if self.standing.best.as_ref().is_none_or(|best| score < best.score) {
            self.standing.stalled = 0;
            self.standing.best = Some(Best { score, step: self.standing.step, params: self.params()? });
            return Ok(None);
        }
        self.standing.stalled += 1;
        if self.standing.stalled.is_multiple_of(PLATEAU) {
            self.standing.plateaus += 1;
        }
        let spent = self.model.train.patience.is_some_and(|patience| self.standing.stalled >= patience);
        match (spent, &self.standing.best) {
            (true, Some(best)) => {
                let (best_step, params) = (best.step, best.params.clone());
                self.set_params(&params)?;
                Ok(Some(Ending::StoppedEarly { best_step }))
            }
            _ => Ok(None),
        }
    }

    /// All steps are done. With early stopping the run ends with its best weights.
    pub(super) fn finish(&mut self) -> Result<Ending, Error> {
        // Steps on all rows never show what the last one did: it is looked at where it may be bad.
        let rose =
            self.standing.first.is_none_or(|first| self.downhill(self.last_loss) >= self.downhill(first));
        let last = match rose && self.takes_all() {
            true => self.score(&self.training_rows())?.loss,
            false => self.last_loss,
        };
        if !last.is_finite() || self.has_diverged(last, GROWN, FAR)? {
            return self.diverged(last);
        }
        if self.model.train.patience.is_some()
            && let Some(best) = self.standing.best.clone()
        {
            self.set_params(&best.params)?;
        }
        Ok(Ending::Finished)
    }

    /// The step whose weights a run with early stopping ends with.
    pub fn best_step(&self) -> Option<u64> {
        self.model.train.patience?;
        self.standing.best.as_ref().map(|best| best.step)
    }

    /// Goes back to the best weights, and says what happened and why.
    pub(super) fn diverged(&mut self, loss: f64) -> Result<Ending, Error> {
        let step = self.standing.step;
        let first = self.standing.first.unwrap_or(f64::NAN);
        let what = match loss.is_finite() {
            true if self.norm.is_finite() => {
                let steps = if step == 1 { "step" } else { "steps" };
                format!("the loss went from {} to {} in {step} {steps}", seven(first), seven(loss))
            }
            true => format!("the gradient is not finite at step {step}"),
            false => format!("the loss is {loss} at step {step}"),
        };
        let improved = |best: &Best| best.score < self.downhill(first);
        let (kept, place) = match self.standing.best.clone().filter(improved) {
            Some(best) => {
                self.set_params(&best.params)?;
                (format!("the weights are those of step {}", best.step), "at the best weights")
            }
            None => {
                self.initialise()?;
                ("the weights are the initial ones".to_owned(), "at the start")
            }
        };
        let why = match self.too_fast(place)? {
            Some(why) => format!("{why}; {what}"),
            None => format!("diverges: {what}"),
        };
        Ok(Ending::Diverged { step, loss, message: format!("{why}; {kept}") })
    }

    /// The sentence about a rate beyond 2/curvature, the curvature taken at the weights at hand.
    fn too_fast(&self, place: &'static str) -> Result<Option<String>, Error> {
        let plain = PLAIN.contains(&self.model.train.optimizer.name.as_str());
        let Some(rate) = self.learning_rate()?.filter(|_| plain) else { return Ok(None) };
        let mut curvature = Curvature::of(self, false)?;
        let x = self.params()?.concat();
        let free = Bounds::free(x.len());
        let mut watch = Watch::new(rate);
        watch.measure(&mut Probe::new(&mut curvature, self.sense(), &free), &x, place);
        match curvature.fault {
            Some(error) => Err(error),
            None => Ok(watch.too_fast()),
        }
    }

    /// A loss as it is minimized.
    fn downhill(&self, loss: f64) -> f64 {
        if self.sense() == Sense::Maximize { -loss } else { loss }
    }

    /// Whether a loss lies far above the first one: `times` its size, and the rate is too large; or
    /// `far` times, and it did not begin at an optimum, from where every step leads up.
    fn has_diverged(&self, loss: f64, times: f64, far: f64) -> Result<bool, Error> {
        let Some(first) = self.standing.first else { return Ok(false) };
        let rise = self.downhill(loss) - self.downhill(first);
        if rise > far * first.abs().max(1.0) {
            return Ok(true);
        }
        Ok(rise > times * first.abs() && self.too_fast("at the end")?.is_some())
    }
}

/// A number to seven digits.
fn seven(x: f64) -> String {
    let rounded: f64 = format!("{x:.6e}").parse().unwrap_or(x);
    if rounded == 0.0 || (1e-4..1e9).contains(&rounded.abs()) {
        format!("{rounded}")
    } else {
        format!("{rounded:e}")
    }
}
