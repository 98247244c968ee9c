//! symdiff: a compiler for differentiable mathematics.
//!
//! Text goes in; derivatives a person can read and machine code for value and gradient come out.
//!
//! ```
//! let f = symdiff::parse("sin(x^2)")?;                      // a Function
//! let df = symdiff::grad(&f)?;                              // another one
//! assert_eq!(df.to_string(), "2*x*cos(x^2)");
//!
//! let kernel = symdiff::jit(&symdiff::value_and_grad(&f)?)?; // machine code, Send + Sync
//! let mut out = [0.0; 2];
//! kernel.call(&[0.0], &mut out)?;                           // value and gradient in one call
//! assert_eq!(out, [0.0, 0.0]);
//! # Ok::<(), symdiff::Error>(())
//! ```
//!
//! Expressions can be built in code as well: see [`Builder`]. [`train`] descends with them.
//! The stages, in the order text passes through them: [`syntax`], [`elaborate`], [`ir`],
//! [`differentiate`], [`simplify`], then [`print`](mod@print) for people or [`loops`] and `jit` for machines.

mod derivation;
mod engine;
mod equivalence;
mod error;
#[cfg(feature = "training")]
mod gradients;
mod limits;
#[cfg(feature = "training")]
pub mod models;
#[cfg(feature = "training")]
mod objective;
mod reading;
mod suggest;

pub mod elementary;

#[cfg(feature = "training")]
pub mod data;
#[cfg(feature = "training")]
pub mod weights;

pub mod ir;
pub mod syntax;

pub mod elaborate;

pub mod batch;

pub mod differentiate;

pub mod simplify;

pub mod print;

pub mod precise;

pub mod loops;

#[cfg(feature = "jit")]
pub mod jit;

pub mod train;

#[cfg(feature = "cli")]
pub mod cli;

pub use derivation::{Derivation, Variable, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp};
pub use differentiate::Mode;
pub use elaborate::{Elaborated, condition};
pub use engine::{Engine, Evaluator};
#[cfg(feature = "jit")]
pub use engine::{jit, map, map_with};
pub use equivalence::{Difference, Equivalence, assert_equivalent, equivalence};
pub use error::{Diagnostic, Error, Position, Severity, Span};
#[cfg(feature = "training")]
pub use gradients::{ArrayKind, ArrayRequest, derive_arrays, gradients};
pub use ir::{Builder, Expr, Function, Real, Scalar};
#[cfg(feature = "jit")]
pub use jit::wide::Level as VectorLevel;
#[cfg(feature = "jit")]
pub use jit::{Kernel, MapKernel, MapOptions, Results, column_sum};
pub use limits::Limits;
#[cfg(feature = "training")]
pub use models::ArrayEvaluator;
#[cfg(feature = "training")]
pub use objective::{ObjectiveKernel, objective};
pub use reading::{parse, parse_with, read, read_located};
pub use simplify::{Level, Purpose, simplify};
