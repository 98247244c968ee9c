//! What is known of the arena while code is written: which value and lane an element was stored from
//! last, which stretches are written at all.
//!
//! What must stay true: an element that is known is in memory as well; a store at a place that is
//! no number makes everything unknown.

use crate::jit::wide::{Val, Width};
use crate::loops::tensor::{Buffer, BufferId, Nest, TensorProgram};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// Bytes of a cache line.
const LINE: usize = 64;

/// Where an element came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub value: Val,
    pub lane: usize,
}

/// Elements by their places in bytes.
#[derive(Default)]
pub(super) struct Memory {
    /// With the number of the store.
    known: FxHashMap<i32, (Piece, u32)>,
    /// Stores so far, and the last of them that was anywhere.
    stores: u32,
    anywhere: u32,
}

impl Memory {
    pub fn clear(&mut self) {
        *self = Memory::default();
    }

    /// Stores so far.
    pub fn stores(&self) -> u32 {
        self.stores
    }

    /// Takes note of lanes stored at places, or at places that are no numbers; the store's number.
    pub fn store(&mut self, value: Val, places: Option<&[i32]>) -> u32 {
        self.stores += 1;
        match places {
            Some(places) => {
                for (lane, &place) in places.iter().enumerate() {
                    self.known.insert(place, (Piece { value, lane }, self.stores));
                }
            }
            None => {
                self.known.clear();
                self.anywhere = self.stores;
            }
        }
        self.stores
    }

    /// The last store to any of some places.
    pub fn last_store(&self, places: &[i32]) -> u32 {
        let stores = places.iter().filter_map(|place| Some(self.known.get(place)?.1));
        stores.max().unwrap_or(0).max(self.anywhere)
    }

    /// Where each element came from; `None` where one is not known.
    pub fn pieces(&self, places: &[i32]) -> Option<SmallVec<[Piece; 16]>> {
        places.iter().map(|place| Some(self.known.get(place)?.0)).collect()
    }
}

/// What a function's nests have to know of the arena they run over; all in bytes.
pub(super) struct Arena {
    written: Stretches,
    /// Where it ends, if every buffer begins on a cache line: what is left of a buffer's last line is
    /// no one's, then.
    padded_to: Option<usize>,
}

impl Arena {
    pub fn new<'n>(
        program: &TensorProgram,
        nests: impl IntoIterator<Item = &'n Nest>,
        element: Width,
    ) -> Arena {
        let bytes = element.bytes();
        let stretch = |buffer: BufferId| {
            let Buffer { offset, size } = program.buffers[buffer.index()];
            (offset * bytes, (offset + size) * bytes)
        };
        let written = nests.into_iter().flat_map(|nest| nest.writes().map(stretch)).collect();
        let is_padded = program.buffers.iter().all(|buffer| (buffer.offset * bytes).is_multiple_of(LINE));
        let padded_to = is_padded.then_some(program.arena * bytes);
        Arena { written: Stretches::new(written), padded_to }
    }

    /// True where any nest writes to a stretch.
    pub fn is_written(&self, start: usize, end: usize) -> bool {
        self.written.overlap(start, end)
    }

    /// True where a store may go on from the end of a buffer to some place.
    pub fn is_spare(&self, end: usize, to: usize) -> bool {
        self.padded_to.is_some_and(|all| to <= end.next_multiple_of(LINE).min(all))
    }
}

/// Stretches in order, and apart.
struct Stretches(Vec<(usize, usize)>);

impl Stretches {
    fn new(mut stretches: Vec<(usize, usize)>) -> Stretches {
        stretches.sort_unstable();
        let mut merged: Vec<(usize, usize)> = Vec::new();
        for (start, end) in stretches {
            match merged.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => merged.push((start, end)),
            }
        }
        Stretches(merged)
    }

    fn overlap(&self, start: usize, end: usize) -> bool {
        let after = self.0.partition_point(|stretch| stretch.1 <= start);
        self.0.get(after).is_some_and(|stretch| stretch.0 < end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jit::wide::{Body, Level, Op};

    #[test]
    fn stretches_that_touch_are_one() {
        let written = Stretches::new(vec![(16, 24), (0, 8), (8, 12), (40, 48)]);
        assert_eq!(written.0, [(0, 12), (16, 24), (40, 48)]);
        assert!(written.overlap(11, 12) && written.overlap(0, 100) && written.overlap(23, 30));
        assert!(!written.overlap(12, 16) && !written.overlap(24, 40) && !written.overlap(48, 50));
    }

    #[test]
    fn a_store_anywhere_leaves_nothing_known() {
        let mut memory = Memory::default();
        let value = Body::new(Level::L256, Width::Double).push(Op::Constant(0), Width::Double, &[]);
        assert_eq!(memory.store(value, Some(&[0, 8])), 1);
        assert_eq!(memory.pieces(&[8, 0]).map(|p| (p[0].lane, p[1].lane)), Some((1, 0)));
        assert_eq!((memory.last_store(&[8]), memory.last_store(&[16])), (1, 0));
        assert_eq!(memory.store(value, None), 2);
        assert_eq!((memory.pieces(&[0]), memory.last_store(&[16])), (None, 2));
    }
}
