//! Programs trained on data: model and examples → one compiled step → [`Training`] → weights →
//! [`Predictor`].
//!
//! `step` writes forward, backward, clipping and update as one function, which becomes one kernel;
//! `run` calls it with what `feed` gives it, `full_batch` with drivers that choose their own steps;
//! `ending` says when it is over and why, with the `curvature` of the loss; `evaluation` computes
//! losses, metrics and predictions; `keep` saves and resumes.

mod classes;
mod curvature;
mod diagnose;
mod ending;
mod evaluation;
mod feed;
mod full_batch;
mod initial;
mod keep;
mod names;
mod oracle;
mod orthogonal;
mod predictor;
mod program;
mod run;
mod score;
mod standing;
mod step;

pub use classes::class_counts;
pub use diagnose::{Diagnosis, Layer, diagnose, diagnose_point};
pub use initial::initialise;
pub use keep::{encodings_of, params_of, program_of};
pub use oracle::Beside;
pub use predictor::{Predictions, Predictor, Scored, input_shapes, wishes_of};
pub use program::Program;
pub use run::{Training, TrainingOptions};
pub use score::{Confusion, Score};
pub use standing::{Ending, Progress};
