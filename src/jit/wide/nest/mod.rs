//! Loop nests of tensor programs at full width: nest → `write` into a `sink` → [`Tree`] → `code`.

mod access;
mod code;
mod sink;
mod tree;
mod write;

pub use code::assemble;
pub use tree::Tree;

use super::{Level, Width};
use crate::loops::Inst;
use crate::loops::tensor::{Nest, TensorProgram};

/// True for nests that there is code for; others are left to Cranelift.
pub fn is_supported(nest: &Nest, program: &TensorProgram) -> bool {
    access::is_supported(nest, program.arena)
}

/// The tree of a nest; of one in chunks, a round of its outermost loop.
pub fn tree(
    program: &TensorProgram,
    nest: &Nest,
    (level, element): (Level, Width),
    costs: impl Fn(&Inst) -> u32,
    is_chunk: bool,
) -> Tree {
    let mut sink = sink::Sink::new(level, element);
    write::NestWriter::new(&mut sink, program, nest, costs, is_chunk).write();
    sink.finish()
}
