//! The commands on programs: files of a model instead of one formula.
//!
//! `text` finds and reads the file; `derive` prints matrix derivatives; `train` runs a training and
//! keeps its weights; `predict` and `score` put them to work; `data` binds tables.

mod data;
mod derive;
mod predict;
mod score;
mod scores;
mod text;
mod train;

pub use derive::run as derive;
pub use predict::run as predict;
pub use score::run as score;
pub use text::{is_program, is_weights};
pub use train::run as train;
