//! Places in the arena: inputs and outputs for good, everything else for as long as it is used.
//!
//! What must stay true: buffers in use at once do not overlap, unless they are one buffer; every
//! buffer starts on a cache line.

use super::TensorOptions;
use super::program::{Buffer, BufferId, Step, TensorProgram};
use crate::error::{Diagnostic, Error};
use crate::ir::Precision;

/// Bytes of a cache line.
const LINE: usize = 64;

/// The steps a buffer is in use: from the first to the last.
#[derive(Clone, Copy)]
struct Life {
    first: usize,
    last: usize,
}

/// Gives every buffer its place.
pub(super) fn place(
    steps: Vec<Step>,
    sizes: &[usize],
    inputs: Vec<BufferId>,
    outputs: Vec<BufferId>,
    options: &TensorOptions,
) -> Result<TensorProgram, Error> {
    let mut lives: Vec<Option<Life>> = vec![None; sizes.len()];
    for (at, step) in steps.iter().enumerate() {
        for buffer in step.reads().into_iter().chain(step.writes()) {
            lives[buffer.index()].get_or_insert(Life { first: at, last: at }).last = at;
        }
    }
    for buffer in inputs.iter().chain(&outputs) {
        lives[buffer.index()] = Some(Life { first: 0, last: usize::MAX });
    }
    let element = options.element_size();
    let line = LINE / element;
    let mut order: Vec<usize> = (0..sizes.len()).filter(|&b| lives[b].is_some()).collect();
    let life = |b: usize| lives[b].expect("only such are in the order");
    order.sort_by_key(|&b| (life(b).last != usize::MAX, life(b).first, b));
    let mut buffers: Vec<Buffer> = sizes.iter().map(|&size| Buffer { size, offset: 0 }).collect();
    // What is placed, by offset.
    let mut placed: Vec<usize> = Vec::new();
    let mut arena = 0;
    for b in order {
        let room = sizes[b].next_multiple_of(line).max(line);
        let mut offset = 0;
        for &other in &placed {
            let apart = life(other).last < life(b).first || life(b).last < life(other).first;
            if apart {
                continue;
            }
            if offset + room <= buffers[other].offset {
                break;
            }
            let end = buffers[other].offset + buffers[other].size.next_multiple_of(line).max(line);
            offset = offset.max(end);
        }
        buffers[b].offset = offset;
        arena = arena.max(offset + room);
        let at = placed.partition_point(|&other| buffers[other].offset <= offset);
        placed.insert(at, b);
    }
    let (needed, most) = (arena.saturating_mul(element), options.arena_bytes);
    if needed > most {
        let message = format!("the arrays of one step need {needed} bytes at once; at most {most} are taken");
        let hint =
            "take smaller arrays or batches, or single precision; in training --max-arena-bytes raises it";
        return Err(Error::limit(Diagnostic::error(message).hint(hint)));
    }
    let unused = |b: usize| lives[b].is_none();
    for (b, buffer) in buffers.iter_mut().enumerate().filter(|(b, _)| unused(*b)) {
        debug_assert!(lives[b].is_none());
        buffer.size = 0;
    }
    Ok(TensorProgram { arena, buffers, inputs, outputs, steps })
}

/// Bytes of a number.
pub(super) fn element_size(precision: Precision) -> usize {
    match precision {
        Precision::F32 => 4,
        Precision::F64 => 8,
    }
}
