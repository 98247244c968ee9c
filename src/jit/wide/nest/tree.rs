//! What a function of nests does, as a tree: straight code, and loops around it.
//!
//! What must stay true: an address names only loops it is inside of, outermost first; a region uses
//! slots that regions before it have kept.

use crate::jit::wide::Body;
use smallvec::SmallVec;

/// A loop that is not written out, counted over the whole function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LoopId(pub u32);

/// The loop of chunks: its counter is given.
pub const CHUNK: LoopId = LoopId(0);

/// Bytes that are added with each round of loops, outermost first.
pub type Strides = SmallVec<[(LoopId, i32); 4]>;

/// What a pointer counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Base {
    Arena,
    /// Numbers, not places.
    Zero,
    /// The row of this number that was looked up.
    Row(u32),
    /// Where it says whether there is such a row: 0, or else all ones.
    Absent(u32),
}

/// What changes of a place from round to round.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pointer {
    pub base: Base,
    pub strides: Strides,
}

impl Pointer {
    /// The pointer before the innermost of its loops.
    pub fn parent(&self) -> Pointer {
        self.prefix(self.strides.len().saturating_sub(1))
    }

    /// The pointer within so many of its loops.
    pub fn prefix(&self, loops: usize) -> Pointer {
        Pointer { base: self.base, strides: self.strides[..loops].iter().copied().collect() }
    }

    /// True where it changes with a loop that is the innermost of its own.
    pub fn ends_with(&self, id: LoopId) -> bool {
        self.strides.last().is_some_and(|last| last.0 == id)
    }
}

/// A place in bytes, or a number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    pub pointer: Pointer,
    pub offset: i32,
}

/// Looks up the row that an index in memory chooses.
pub struct Row {
    pub number: u32,
    pub index: Address,
    /// Row 0.
    pub place: Pointer,
    pub rows: u32,
    /// From one row to the next.
    pub bytes: i32,
}

/// Straight code over streams at addresses.
pub struct Region {
    pub body: Body,
    pub streams: Vec<Address>,
    /// Lanes of the tail.
    pub tail: Option<usize>,
}

/// One thing to do.
pub enum Item {
    /// The code of the region with this number.
    Straight(usize),
    Row(Row),
    Loop {
        id: LoopId,
        rounds: u32,
        items: Vec<Item>,
    },
}

/// Things to do, one after another.
pub struct Tree {
    pub regions: Vec<Region>,
    pub items: Vec<Item>,
    /// How many slots regions keep vectors in.
    pub slots: u32,
}

impl Tree {
    /// Lanes of the tail, where it is the same for all regions that have one.
    pub fn tail(&self) -> Option<usize> {
        let mut tails = self.regions.iter().filter_map(|region| region.tail);
        let first = tails.next()?;
        tails.all(|tail| tail == first).then_some(first)
    }
}
