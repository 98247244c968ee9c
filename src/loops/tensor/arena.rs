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
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// Bytes of a cache line.
const LINE: usize = 64;

/// The steps a buffer is in use: from the first to the last.
#[derive(Clone, Copy)]
struct Life {
    first: usize,
    last: usize,
}

/// Which of the arena is free: gaps by offset, and everything from the end on.
#[derive(Default)]
struct Room {
    gaps: BTreeMap<usize, usize>,
    end: usize,
}

impl Room {
    /// The first place that so many elements fit in.
    fn take(&mut self, size: usize) -> usize {
        let found = self.gaps.iter().find(|gap| *gap.1 >= size).map(|(&offset, &length)| (offset, length));
        let Some((offset, length)) = found else {
            // The last gap may reach to the end.
            let last = self.gaps.last_key_value().map(|(&offset, &length)| (offset, length));
            let start = match last.filter(|(offset, length)| offset + length == self.end) {
                Some((offset, _)) => {
                    self.gaps.remove(&offset);
                    offset
                }
                None => self.end,
            };
            self.end = start + size;
            return start;
        };
        self.gaps.remove(&offset);
        if length > size {
            self.gaps.insert(offset + size, length - size);
        }
        offset
    }

    /// Gives a place back, which becomes one with the gaps beside it.
    fn free(&mut self, mut offset: usize, mut size: usize) {
        if let Some(behind) = self.gaps.remove(&(offset + size)) {
            size += behind;
        }
        if let Some((&before, &length)) = self.gaps.range(..offset).next_back()
            && before + length == offset
        {
            (offset, size) = (before, length + size);
        }
        self.gaps.insert(offset, size);
    }
}

/// How much of the arena a buffer takes: whole lines.
fn taken(size: usize, line: usize) -> usize {
    size.next_multiple_of(line).max(line)
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
    let (mut buffers, arena) = placed(&steps, (sizes, &lives), line);
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

/// The buffers in their places, and how long the arena is. Each, in the order in which they come into
/// use, takes the first place that is free.
fn placed(steps: &[Step], (sizes, lives): (&[usize], &[Option<Life>]), line: usize) -> (Vec<Buffer>, usize) {
    let life = |b: usize| lives[b].expect("only such are in the order");
    let mut order: Vec<usize> = (0..sizes.len()).filter(|&b| lives[b].is_some()).collect();
    order.sort_by_key(|&b| (life(b).last != usize::MAX, life(b).first, b));
    let mut buffers: Vec<Buffer> = sizes.iter().map(|&size| Buffer { size, offset: 0 }).collect();
    let mut room = Room::default();
    // What is in use for a time, the first to end on top; and what has handed its place on.
    let mut living: BinaryHeap<Reverse<(usize, usize)>> = BinaryHeap::new();
    let mut is_left = vec![false; sizes.len()];
    for b in order {
        let Life { first, last } = life(b);
        while living.peek().is_some_and(|next| next.0.0 < first)
            && let Some(Reverse((_, x))) = living.pop()
        {
            if !is_left[x] {
                room.free(buffers[x].offset, taken(sizes[x], line));
            }
        }
        let before = steps.get(first).and_then(|step| taken_over(step, b, (sizes, lives)));
        buffers[b].offset = match before.filter(|&x| !is_left[x]) {
            Some(x) => {
                is_left[x] = true;
                buffers[x].offset
            }
            None => room.take(taken(sizes[b], line)),
        };
        if last != usize::MAX {
            living.push(Reverse((last, b)));
        }
    }
    (buffers, room.end)
}

/// Bytes of a number.
pub(super) fn element_size(precision: Precision) -> usize {
    match precision {
        Precision::F32 => 4,
        Precision::F64 => 8,
    }
}
