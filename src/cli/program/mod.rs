//! The commands on programs: files of a model instead of one formula.
//!
//! `text` finds and reads the file; `derive` prints matrix derivatives; `evaluate` puts
//! numbers into it at a `point`; `minimize` solves problems without data;
//! `diagnose` says what is wrong; `check` compares gradients at points that `sample` finds; `train` runs
//! a training and keeps its weights; `emit` prints its code; `predict` and `score` put weights to work;
//! `data` binds tables.

mod check;
pub mod data;
mod derive;
mod diagnose;
mod emit;
mod evaluate;
mod minimize;
mod point;
mod predict;
mod sample;
mod score;
mod scores;
mod text;
mod train;

pub use check::run as check;
pub use derive::run as derive;
pub use diagnose::run as diagnose;
pub use emit::run as emit;
pub use evaluate::run as evaluate;
pub use minimize::run as minimize;
pub use predict::run as predict;
pub use score::run as score;
pub use text::{is_program, is_weights};
pub use train::run as train;
