//! The elementary functions, each written once over an op trait.
//!
//! Pipeline: below every engine. The interpreter runs them on [`Plain`], the code
//! generators on machines that emit instructions; all give the same bits.
//!
//! A machine has a [`Format`]. What `ir::Elementwise` calls native is right in both; the other
//! functions are for doubles, and single precision widens their operands.
//!
//! What must stay true: a function is a straight line of [`Machine`] operations,
//! no branch and no table look-up; special cases are selects, and what cannot be
//! a straight line is a [`Foreign`] call, behind [`Machine::rare`] where arguments
//! that need it are rare. Each error bound in the documentation is that of
//! doubles, and measured by `tests/it/elementary.rs`; `docs/accuracy.md` has both formats'.
//!
//! ```
//! use symdiff::elementary::{self, Plain};
//!
//! assert_eq!(elementary::log2(&mut Plain, 8.0), 3.0);
//! assert_eq!(elementary::pow(&mut Plain, -2.0, 3.0), -8.0);
//! ```

mod error_function;
mod exponential;
mod foreign;
mod format;
mod gamma;
mod huge;
mod hyperbolic;
mod hyperbolic_tangent;
mod inverse_trigonometric;
mod log_gamma;
mod logarithm;
mod logistic;
mod machine;
pub(crate) mod pair;
mod plain;
mod power;
mod reciprocal;
mod rounding;
mod single;
mod trigonometric;

pub use error_function::{erf, erfc};
pub use exponential::{exp, exp2, expm1};
pub use foreign::{Foreign, Function};
pub use format::Format;
pub use gamma::{digamma, gamma, lgamma, polygamma, trigamma};
pub use hyperbolic::{acosh, asinh, atanh, cosh, coth, sinh};
pub use hyperbolic_tangent::{sech, tanh};
pub use inverse_trigonometric::{acos, asin, atan, atan2};
pub use logarithm::{log, log1p, log2, log10};
pub use logistic::{log_sigmoid, log1mexp, logaddexp, sigmoid, softplus};
pub use machine::Machine;
pub use plain::{Plain, PlainSingle};
pub use power::{cbrt, hypot, pow};
pub use reciprocal::{cot, csc, csch, pi, relu, sec};
pub use rounding::{max, min, round, sign};
pub use trigonometric::{cos, cospi, sin, sinpi, tan};
