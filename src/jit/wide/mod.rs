//! Loop bodies to wide vector code on x86-64: [`Body`] → `select` → `allocate` → `encode` → [`LoopKernel`].
//!
//! `level` says how wide, `lower` makes bodies of the loop IR's blocks, `frame` holds what the code
//! around a body shares with it, `pool` the constants, `non_temporal` says when stores pass the caches,
//! `interleave` how many vectors a round has, `lockstep` computes a function of several; `uses` and
//! `operands` serve the allocation, which `verify` checks; `assemble` puts the function together, `inset`
//! puts a body into other code, `dump` is the code as text.
//!
//! What must stay true: all `unsafe` is in `kernel`; every level computes the interpreter's bits.

mod allocate;
mod assemble;
mod body;
mod call;
mod dump;
mod element;
mod encode;
mod frame;
mod inset;
mod instr;
mod interleave;
mod kernel;
mod level;
mod lockstep;
mod lower;
pub mod nest;
mod non_temporal;
mod opcode;
mod operands;
mod pool;
mod select;
mod uses;
mod verify;

pub use assemble::{Assembly, assemble};
pub use body::{Body, Inst, Lanes, Op, Rounding, Val, Width};
pub use element::Element;
pub use frame::SUM_LANES;
pub(super) use inset::{Constants, Inset};
pub(super) use instr::{Condition, Gpr, Instr, Label, Memory, Order, Place, Register, Vector};
pub(in crate::jit) use kernel::foreign_address;
pub use kernel::{LoopKernel, Pieces};
pub use level::{Level, VARIABLE};
pub(in crate::jit) use lower::apply_each;
pub use lower::{Stream, apply, lower};
pub use non_temporal::cached_bytes;
pub(super) use opcode::Opcode;
pub(super) use pool::Pool;
