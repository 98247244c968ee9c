//! A function lowered to loops over straight-line code: graph → `lower` → `schedule` → `chunk` → [`Program`].
//!
//! The graph passes at the front ([`lower`]) are shared by every engine, so the interpreter and
//! machine code compute the same bits. What must stay true of a program is checked by [`verify`]
//! and spelled out by [`interpret`].

mod chunk;
mod contract;
mod factor;
mod fold;
mod interpret;
mod lower;
mod order;
mod program;
mod rewrite;
mod schedule;
mod sign;
pub mod tensor;
mod verify;

pub use chunk::{CHUNK, chunk};
pub use interpret::interpret;
pub(crate) use lower::host_has_fma;
pub use lower::{POWER, lower};
pub use program::{Address, Block, Buffer, Extent, Inst, Kind, Nest, Operands, Program, Value};
pub use schedule::schedule;
pub use verify::verify;

use crate::ir::{Function, verify::debug_verify};

/// The program of a function: lowered, scheduled and cut into chunks.
///
/// It takes the scalars of the function's inputs and makes those of its outputs, one after
/// another, row-major.
pub fn build(function: &Function) -> Program {
    let chunked = chunk(&scheduled(function), CHUNK);
    debug_assert_eq!(verify(&chunked), Ok(()), "after chunk:\n{chunked}");
    chunked
}

/// The program of a function in one piece: lowered and scheduled.
pub fn scheduled(function: &Function) -> Program {
    let lowered = lower(function);
    debug_verify(lowered.graph(), lowered.outputs(), "lower");
    let scheduled = schedule(&lowered);
    debug_assert_eq!(verify(&scheduled), Ok(()), "after schedule:\n{scheduled}");
    scheduled
}
