//! Places in the arena: inputs and outputs for good, everything else for as long as it is used.
//!
//! What must stay true: buffers in use at once do not overlap, unless the one ends where the other
//! begins, in a nest that reads the one only where it writes the other; every buffer starts on a cache
//! line.

use super::TensorOptions;
use super::order::reads_where_it_writes;
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

/// True for buffers in use at once.
fn meets(a: Life, b: Life) -> bool {
    a.last >= b.first && b.last >= a.first
}

/// The buffer whose place another, `b`, may take in the step that first writes it: one as large that
/// is read there for the last time, and only where `b` is written.
fn taken_over(step: &Step, b: usize, (sizes, lives): (&[usize], &[Option<Life>])) -> Option<usize> {
    let life = lives[b]?;
    let fits = |x: &BufferId| {
        let dies = lives[x.index()].is_some_and(|other| other.last == life.first && other.first < other.last);
        x.index() != b && dies && sizes[x.index()] == sizes[b]
    };
    let is_here = life.last != usize::MAX && step.writes().contains(&BufferId::new(b as u32));
    let reads = if is_here { step.reads() } else { Vec::new() };
    let found = reads.into_iter().filter(fits);
    let mut found = found.filter(|&x| reads_where_it_writes(step, BufferId::new(b as u32), x));
    found.next().map(BufferId::index)
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
        let before = steps.get(life(b).first).and_then(|step| taken_over(step, b, (sizes, &lives)));
        let is_free = |&x: &usize| {
            let others = placed.iter().filter(|&&other| other != x && meets(life(other), life(b)));
            let mut others = others.map(|&other| buffers[other]);
            others.all(|o| o.offset >= buffers[x].offset + room || o.offset + o.size <= buffers[x].offset)
        };
        if let Some(x) = before.filter(is_free) {
            buffers[b].offset = buffers[x].offset;
            let at = placed.partition_point(|&other| buffers[other].offset <= buffers[b].offset);
            placed.insert(at, b);
            continue;
        }
        let mut offset = 0;
        for &other in &placed {
            if !meets(life(other), life(b)) {
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
