//! The constants of a kernel, kept behind its code and read from memory.
//!
//! What must stay true: they are bit patterns from the program to the processor; each stands
//! once, in order of first use, so that equal programs have equal bytes.

use rustc_hash::FxHashMap;

/// Distinct constants and where they are.
#[derive(Default)]
pub(super) struct Constants {
    bits: Vec<u64>,
    places: FxHashMap<u64, i32>,
}

impl Constants {
    /// The byte offset of a constant, which is added if it is new.
    pub fn place(&mut self, bits: u64) -> i32 {
        let place = i32::try_from(self.bits.len() * size_of::<u64>());
        let place = place.expect("a program has fewer constants than the node budget");
        *self.places.entry(bits).or_insert_with(|| {
            self.bits.push(bits);
            place
        })
    }

    /// The bytes to be put behind the code.
    pub fn bytes(&self) -> impl Iterator<Item = u8> {
        self.bits.iter().flat_map(|bits| bits.to_ne_bytes())
    }
}
