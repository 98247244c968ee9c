//! Where a run stands, what is told of it, and how it ends.

use super::score::Score;

/// A run at one of its reports.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Steps done, and planned.
    pub step: u64,
    pub steps: u64,
    /// Whole passes over the training rows.
    pub epoch: u64,
    /// The mean loss of the steps since the last report, each before its update.
    pub loss: f64,
    /// The length of the last step's gradient, before clipping.
    pub gradient_norm: f64,
    pub learning_rate: Option<f64>,
    /// On the validation rows, where there are any.
    pub validation: Option<Score>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// All steps were done.
    Finished,
    /// Validation did not improve any more; the weights are the best ones.
    StoppedEarly { best_step: u64 },
    /// The observer asked to stop.
    Interrupted,
    /// The loss grew without end, or it or the gradient stopped being finite; the weights are the
    /// best ones before.
    Diverged { step: u64, loss: f64, message: String },
}

/// Weights worth going back to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Best {
    pub score: f64,
    pub step: u64,
    pub params: Vec<Vec<f64>>,
}

/// Where a run stands, apart from weights and optimiser states.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Standing {
    pub step: u64,
    pub plateaus: u64,
    /// Reports since the best score.
    pub stalled: u64,
    /// Of the losses since the last report: their sum and number.
    pub sum: f64,
    pub count: u64,
    /// The loss of the first step, before its update.
    pub first: Option<f64>,
    pub best: Option<Best>,
}
