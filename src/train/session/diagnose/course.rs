//! One run of a program, watched: how the loss went, and how long the gradient was.

use super::Case;
use crate::elaborate::program::Sense;
use crate::error::Error;
use crate::train::session::program::Program;
use crate::train::session::run::{Training, TrainingOptions};
use crate::train::session::standing::Ending;
use std::ops::ControlFlow;

/// A loss this part of what the best constant prediction has is learnt.
const LEARNT: f64 = 0.7;
/// Without such a measure: this part of what it was.
const FALLEN: f64 = 0.5;
/// A loss that moved by less than this part of itself stands still.
const STANDS: f64 = 0.02;
/// A gradient this part of the first one is that of an optimum.
const SETTLED: f64 = 1e-3;

/// Losses that rise at so many of the reports, if there are so many, do not settle.
const RESTLESS: f64 = 0.25;
const REPORTS: usize = 20;

/// How a run went.
pub(super) struct Course {
    pub ending: Ending,
    pub steps: u64,
    /// The mean loss of the training rows before and after, without dropout and the like.
    pub first: f64,
    pub last: f64,
    pub start: Vec<Vec<f64>>,
    pub end: Vec<Vec<f64>>,
    /// Gradient lengths at the reports, before clipping, and losses.
    pub norms: Vec<f64>,
    pub losses: Vec<f64>,
    /// Whether each step takes all rows, so that losses of steps can be compared.
    takes_all: bool,
}

impl Course {
    /// The run of a case as it is.
    pub fn of(case: &Case<'_>) -> Result<Course, Error> {
        Course::changed(case.program, case, case.options, 1.0)
    }

    /// The run of another program or with other steps; `stretch` multiplies the way of each step.
    pub fn changed(
        program: &Program,
        case: &Case<'_>,
        options: &TrainingOptions,
        stretch: f64,
    ) -> Result<Course, Error> {
        let mut training = Training::stretched(program.clone(), case.prepared.clone(), options, stretch)?;
        let rows = training.training_rows();
        let start = training.params()?;
        let first = training.score(&rows)?.loss;
        let (mut norms, mut losses) = (Vec::new(), Vec::new());
        let ending = training.run(
            || false,
            |_, progress| {
                norms.push(progress.gradient_norm);
                losses.push(progress.loss);
                Ok(ControlFlow::Continue(()))
            },
        )?;
        let last = match &ending {
            Ending::Diverged { loss, .. } => *loss,
            _ => training.score(&rows)?.loss,
        };
        let steps = match &ending {
            Ending::Diverged { step, .. } => *step,
            _ => training.step_count(),
        };
        let (end, takes_all) = (training.params()?, training.takes_all());
        Ok(Course { ending, steps, first, last, start, end, norms, losses, takes_all })
    }

    pub fn has_failed(&self) -> bool {
        matches!(self.ending, Ending::Diverged { .. }) || !self.last.is_finite()
    }

    /// How much better the objective became.
    pub fn gain(&self, sense: Sense) -> f64 {
        if sense == Sense::Maximize { self.last - self.first } else { self.first - self.last }
    }

    /// Whether the objective became much better, better than without looking at the inputs, or
    /// as good as it gets.
    pub fn has_learnt(&self, baseline: Option<f64>, sense: Sense) -> bool {
        if self.has_failed() {
            return false;
        }
        let settled = match (self.norms.first(), self.norms.last()) {
            (Some(first), Some(last)) if self.norms.len() > 1 => *last <= SETTLED * first,
            _ => false,
        };
        // A net that happens to begin well has learnt nothing yet.
        if !settled && self.gain(sense).abs() < STANDS * self.first.abs() {
            return false;
        }
        match baseline {
            Some(baseline) => self.last <= LEARNT * baseline,
            None => settled || self.gain(sense) >= FALLEN * self.first.abs(),
        }
    }

    /// Whether the loss went up and down to the end, though each step takes all rows.
    pub fn is_restless(&self, sense: Sense) -> bool {
        let worse =
            |pair: &&[f64]| if sense == Sense::Maximize { pair[1] < pair[0] } else { pair[1] > pair[0] };
        let rises = self.losses.windows(2).filter(worse).count();
        self.takes_all && self.losses.len() >= REPORTS && rises as f64 >= RESTLESS * self.losses.len() as f64
    }

    /// Whether the objective went far beyond zero, as losses do not.
    pub fn fell_far(&self, sense: Sense) -> bool {
        let (first, last) =
            if sense == Sense::Maximize { (-self.first, -self.last) } else { (self.first, self.last) };
        last < -first.abs().max(1.0)
    }
}
