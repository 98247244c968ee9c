//! The values of a formula's graph in high precision, with a bound on their error: what every other
//! way of computing them is measured by.
//!
//! What must stay true: a value that is given lies within its bound of the exact one, over the real
//! numbers, for inputs that are exactly the doubles given. Precision is raised until the outputs are
//! known to 100 bits, or to be 0 as far as doubles can tell; what cannot be known is said to be
//! [`Stuck`]. Nothing is shared with `elementary`, nor with any engine.

mod accuracy;
mod ball;
mod evaluate;
mod float;
mod functions;
mod series;
mod special;

pub use accuracy::{ALL_BITS, Accuracy, Loss, accuracy, advice, points_inside};
pub use ball::{Ball, Stuck};
pub use evaluate::{Precise, Truth, Value};
