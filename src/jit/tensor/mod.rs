//! Tensor programs to machine code: [`TensorProgram`](crate::loops::tensor::TensorProgram) → CLIF →
//! [`TensorKernel`], run over the arena of a [`Workspace`].
//!
//! `code` cuts a program into functions, `plan` says in which order they run, `nest` writes loops,
//! `access` addresses, `math` and `lanes` the arithmetic of scalars and vectors; matrix products are
//! those of `jit/product`, or the `gemm` crate's where that has none. Large steps are cut into pieces,
//! which the threads of a `jit/thread_pool` share.
//!
//! What must stay true: all `unsafe` is in `kernel`.

mod access;
mod code;
mod epilogues;
mod kernel;
mod lanes;
mod math;
mod nest;
mod plan;
mod workspace;

pub(crate) use kernel::Control;
pub use kernel::TensorKernel;
pub use workspace::Workspace;
