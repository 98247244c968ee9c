//! Loop nests of tensor programs at full width: nest → `write` into a `sink` → [`Tree`] → `code`.

mod access;
mod code;
mod memory;
mod sink;
mod traffic;
mod tree;
mod write;

pub use code::assemble;
pub use tree::Tree;

use super::{Level, Width};
use crate::loops::Inst;
use crate::loops::tensor::{Nest, TensorProgram};
use memory::Arena;
use sink::Sink;
use std::rc::Rc;
use write::NestWriter;

/// Work of a function's nests whose loops are written out, however many rounds they have.
const WHOLE: u32 = 1500;

/// True for nests that there is code for; others are left to Cranelift.
pub fn is_supported(nest: &Nest, program: &TensorProgram) -> bool {
    access::is_supported(nest, program.arena)
}

/// The trees of nests in a row: one for those that share a region, or of one in chunks for a round of
/// its outermost loop.
pub fn trees(
    program: &TensorProgram,
    nests: &[&Nest],
    (level, element): (Level, Width),
    costs: impl Fn(&Inst) -> u32,
    is_chunk: bool,
) -> Vec<Tree> {
    let arena = Rc::new(Arena::new(program, nests.iter().copied(), element));
    let new = |spare: u32| Sink::new(level, element, arena.clone(), spare);
    let (mut trees, mut sink) = (Vec::new(), new(WHOLE));
    for (at, nest) in nests.iter().enumerate() {
        if at > 0 && !sink.goes_on() {
            let next = new(sink.spare);
            trees.push(std::mem::replace(&mut sink, next).finish());
        }
        NestWriter::new(&mut sink, program, nest, &costs, is_chunk).write();
    }
    trees.push(sink.finish());
    trees
}
