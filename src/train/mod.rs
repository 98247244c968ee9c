//! Descend: from an objective with its gradient to its minimum, and to words about how it went.
//!
//! What must stay true: nothing here prints, reads a clock or draws a random seed, so the same
//! objective and start give the same bits; every way of ending has a [`Status`] and a sentence;
//! values and gradients are internally those of the *minimised* function, and only
//! [`Sense::caller`] turns them back. The module knows nothing of formulas: an objective is
//! anything that fills in a gradient.
//!
//! ```
//! use symdiff::train::{from_fn, minimize, Options};
//! let mut rosenbrock = from_fn(2, |x, g| {
//!     let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
//!     g[0] = -2.0 * a - 400.0 * x[0] * b;
//!     g[1] = 200.0 * b;
//!     a * a + 100.0 * b * b
//! });
//! let report = minimize(&mut rosenbrock, &[-1.2, 1.0], &Options::default())?;
//! assert!(report.status.is_success());
//! assert!((report.x[0] - 1.0).abs() < 1e-8);
//! # Ok::<(), symdiff::train::Invalid>(())
//! ```

mod bounds;
mod box_step;
mod critical;
mod dense;
mod diagnose;
mod endings;
#[cfg(feature = "training")]
mod finding;
mod gradient_descent;
mod kink;
mod lbfgs;
mod line_search;
mod minimize;
mod newton;
mod objective;
mod report;
#[cfg(feature = "training")]
mod session;
#[cfg(feature = "training")]
mod trace;
mod vector;

pub use bounds::Bounds;
pub use critical::Critical;
#[cfg(feature = "training")]
pub use finding::{Cause, Finding, Grade};
pub use gradient_descent::{Descent, GradientDescent, PathPoint, Record, gradient_descent};
pub use minimize::{Options, minimize, minimize_with};
pub use newton::{newton, newton_with};
pub use objective::{FromFn, Objective, Sense, from_fn};
pub use report::{Flow, Invalid, Report, Status, Step};
#[cfg(feature = "training")]
pub use session::{
    Beside, Confusion, Diagnosis, Ending, Layer, Predictions, Predictor, Program, Progress, Score, Scored,
    Training, TrainingOptions, class_counts, diagnose, diagnose_point, encodings_of, initialise,
    input_shapes, params_of, program_of, wishes_of,
};
#[cfg(feature = "cli")]
pub(crate) use trace::Undefined;
#[cfg(feature = "training")]
pub use trace::diagnose_at;
