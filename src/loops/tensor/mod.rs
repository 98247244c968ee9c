//! A function over tensors lowered to loops that stay loops: graph → `prepare` → `fuse` → `assemble`
//! (nests of `trace`d code) → `order` → `arena` → [`TensorProgram`].
//!
//! What must stay true of a program is checked by [`verify`] and spelled out by [`interpret`]. The
//! scalar code inside a nest is the scalar loop IR's, lowered by its passes.

mod affine;
mod arena;
mod assemble;
mod build;
mod cost;
mod fuse;
mod interpret;
mod order;
mod prepare;
mod program;
mod shape;
mod text;
mod trace;
mod verify;

pub use affine::Affine;
pub use build::build;
pub use interpret::interpret;
pub use program::{
    Buffer, BufferId, Chosen, Combine, Load, Loop, Matrix, Nest, Place, Product, Step, Store, TensorProgram,
    Write,
};
pub use verify::verify;

use crate::ir::Precision;

/// How a function over tensors is compiled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TensorOptions {
    /// What numbers are stored and computed in.
    pub precision: Precision,
    /// Outputs that are stored where inputs are: the next run's old values.
    pub in_place: Vec<(usize, usize)>,
    /// Threads for large matrix products; 0 and 1 are the same. Results do not depend on it.
    pub threads: usize,
}

impl TensorOptions {
    /// Elements of a 128-bit vector.
    pub fn lanes(&self) -> usize {
        16 / self.element_size()
    }

    /// Bytes of a number.
    pub fn element_size(&self) -> usize {
        arena::element_size(self.precision)
    }
}
