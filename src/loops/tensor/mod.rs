//! A function over tensors lowered to loops that stay loops: graph → `prepare` → `fuse` → `assemble`
//! (nests of `trace`d code) → `order` → `arena` → [`TensorProgram`].
//!
//! What must stay true of a program is checked by [`verify`] and spelled out by [`interpret`]. The
//! scalar code inside a nest is the scalar loop IR's, lowered by its passes.

mod affine;
mod arena;
mod assemble;
mod build;
mod chunk;
mod cost;
mod fuse;
mod interpret;
mod layout;
mod linear;
mod order;
mod pack;
mod prepare;
mod program;
mod region;
mod room;
mod rounds;
mod scan;
mod shape;
mod space;
mod sums;
mod text;
mod trace;
mod verify;
mod view;

pub use affine::Affine;
pub use build::build;
pub use chunk::{Chunked, chunked};
pub use interpret::interpret;
pub use program::{
    Buffer, BufferId, Chosen, Combine, Load, Loop, Matrix, Nest, Place, Product, Repeated, Rounds, Step,
    Store, TensorProgram, Transfer, When, Write,
};
pub(crate) use sums::is_arithmetic;
pub use verify::verify;

use crate::ir::Precision;

/// What becomes of numbers too small for full precision (below 2.3e-308, in single 1.2e-38).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subnormals {
    /// They are computed with, as everywhere else.
    #[default]
    Keep,
    /// They are taken and made as zero, where the processor can (x86-64). Averages that decay, as an
    /// optimiser's do, end among them and stay there, and processors are many times slower on them.
    Flush,
}

/// Which roundings may be others than those of the function as it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rounding {
    /// Those that make loops cheaper: products are contracted with sums, and many elements that are
    /// divided by one number are multiplied by its reciprocal.
    #[default]
    Loose,
    /// None: the function was lowered before, and this is how.
    AsLowered,
}

/// How a function over tensors is compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorOptions {
    /// What numbers are stored and computed in.
    pub precision: Precision,
    /// Outputs that are stored where inputs are: the next run's old values.
    pub in_place: Vec<(usize, usize)>,
    pub subnormals: Subnormals,
    pub rounding: Rounding,
    /// Threads for large nests and matrix products; 0 and 1 are the same. Results do not depend on it.
    pub threads: usize,
    /// Most bytes of all arrays that are needed at once.
    pub arena_bytes: usize,
}

impl Default for TensorOptions {
    fn default() -> Self {
        TensorOptions {
            precision: Precision::default(),
            in_place: Vec::new(),
            subnormals: Subnormals::default(),
            threads: 0,
            rounding: Rounding::default(),
            arena_bytes: crate::Limits::default().arena_bytes,
        }
    }
}

impl TensorOptions {
    /// Elements of the vectors that loops are chosen for; those of the machine may be shorter.
    pub fn lanes(&self) -> usize {
        64 / self.element_size()
    }

    /// Bytes of a number.
    pub fn element_size(&self) -> usize {
        arena::element_size(self.precision)
    }
}
