//! Programs of the loop IR to machine code: [`Program`](crate::loops::Program) → CLIF → bytes → [`Kernel`].
//!
//! `translate` and `block` write CLIF, `code` compiles it chunk by chunk, `kernel` makes it executable and
//! calls it. The elementary functions are Rust functions of `library`, called by address; those
//! that take a few instructions are written in line on the CLIF machine, from the same source; and
//! where a block calls one several times at once, `side_by_side` has a wide loop compute them all.
//! Very long programs are tables of such loops, without code of their own (`tape`).
//! `thread_pool` is the threads that kernels share their work with.
//!
//! What must stay true: all `unsafe` is in `kernel`, `tensor/kernel` and `wide/kernel`; a kernel computes the interpreter's bits.

mod block;
mod code;
mod constants;
mod cost;
mod grouped;
mod isa;
mod kernel;
mod library;
mod machine;
mod map;
mod paired;
pub mod product;
mod side_by_side;
pub mod tape;
pub mod tensor;
mod thread_pool;
mod translate;
pub mod wide;

pub use code::clif;
pub use kernel::Kernel;
pub use map::{MapKernel, MapOptions, Results, column_sum};
