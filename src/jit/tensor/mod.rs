//! Tensor programs to machine code: [`TensorProgram`](crate::loops::tensor::TensorProgram) → CLIF →
//! [`TensorKernel`], run over the arena of a [`Workspace`].
//!
//! `code` cuts a program into functions, `nest` writes loops, `access` addresses, `math` and `lanes`
//! the arithmetic of scalars and vectors; matrix products are the `gemm` crate's.
//!
//! What must stay true: all `unsafe` is in `kernel`.

mod access;
mod code;
mod kernel;
mod lanes;
mod math;
mod nest;

pub use kernel::{TensorKernel, Workspace};
