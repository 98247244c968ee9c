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

/// A place in the arena, in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    pub strides: Strides,
    pub offset: i32,
}

/// Straight code over streams at addresses.
pub struct Region {
    pub body: Body,
    pub streams: Vec<Address>,
}

/// One thing to do.
pub enum Item {
    /// The code of the region with this number.
    Straight(usize),
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
    /// Lanes of the tail; the same for all that have one.
    pub tail: Option<usize>,
}
