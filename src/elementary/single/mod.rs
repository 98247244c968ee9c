//! Functions whose straight line is another in single precision: no pairs are needed there, or
//! fewer, and polynomials reach further.
//!
//! What must stay true: each is right on the whole range within 2 ulp by itself; the functions of
//! the same name outside choose between the formats.

mod error_function;
mod hyperbolic;
mod inverse_trigonometric;
mod logarithm;
mod trigonometric;

pub(super) use error_function::erf;
pub(super) use hyperbolic::{sech, tanh};
pub(super) use inverse_trigonometric::atan;
pub(super) use logarithm::{log, log1p, log2};
pub(super) use trigonometric::{cos, cospi, sin, sinpi};
