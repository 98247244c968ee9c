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
use write::{Extent, NestWriter};

/// A program that is one function of so much work in all has no loops: what its nests hand on stays in
/// registers. (Beside large products that gains nothing, and would only be more code.)
const WHOLE: u32 = 2000;

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
    let new = || Sink::new(level, element, arena.clone());
    let lanes = level.bytes() / element.bytes();
    let work = nests.iter().map(|nest| work(nest, lanes, &costs)).fold(0, u32::saturating_add);
    let extent = match is_chunk {
        true => Extent::Chunk,
        false if work <= WHOLE && nests.len() == program.steps.len() => Extent::Whole,
        false => Extent::All,
    };
    let (mut trees, mut sink) = (Vec::new(), new());
    for (at, nest) in nests.iter().enumerate() {
        if at > 0 && !sink.goes_on() {
            trees.push(std::mem::replace(&mut sink, new()).finish());
        }
        NestWriter::new(&mut sink, program, nest, &costs, extent).write();
    }
    trees.push(sink.finish());
    trees
}

/// The work of all rounds of a nest, in instructions or so.
fn work(nest: &Nest, lanes: usize, costs: impl Fn(&Inst) -> u32) -> u32 {
    let body = nest.block().insts.iter().map(costs).fold(0, u32::saturating_add);
    let rounds = nest.loops.iter().enumerate().map(|(l, each)| match nest.lanes == Some(l) {
        true => each.extent.div_ceil(lanes as u32),
        false => each.extent,
    });
    rounds.fold(body, u32::saturating_mul)
}
