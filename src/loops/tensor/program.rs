//! The loop IR of tensors: steps over the buffers of one arena.
//!
//! A *nest* is a set of loops around one straight line of scalar code; its loads and stores are at
//! affine addresses. A *product* is a matrix product; no order of its sums is
//! promised. Steps run in order.
//!
//! What must stay true: kept loops come before reduced ones; in an iteration every load comes
//! before every store; the body is a program over one row, whose inputs are the nest's loads and
//! whose outputs are its stores. Where loops are reduced, a store is a reduction, or set each time
//! round at a place of its own.

use super::affine::Affine;
use crate::loops;
use std::fmt;

/// A buffer of one program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BufferId(pub(super) u32);

impl BufferId {
    /// The buffer at a place in the list of them.
    pub fn new(at: u32) -> BufferId {
        BufferId(at)
    }

    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for BufferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b{}", self.0)
    }
}

/// A stretch of the arena, in elements. Buffers that are not in use at once may overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffer {
    pub size: usize,
    pub offset: usize,
}

/// An element of a buffer, different from iteration to iteration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    pub buffer: BufferId,
    pub at: Affine,
}

/// The entry an index read from memory chooses: added to a place, `stride` times the index.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Chosen {
    pub index: Place,
    pub rows: u32,
    pub stride: i64,
}

/// What an input of the body is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Load {
    Element(Place),
    /// NaN where the index is outside `0..rows`.
    Gathered(Place, Chosen),
    /// The value of a form of the counters.
    Position(Affine),
}

/// How elements of a reduced space become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Combine {
    Sum,
    Max,
    Min,
}

/// What becomes of an output of the body.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Write {
    /// Stored, each time round.
    Set,
    /// Added to what is there, each time round.
    Add,
    /// Added to what is there in the row chosen; dropped where the index is outside.
    Scatter(Chosen),
    /// Combined over the reduced loops, then stored.
    Reduce(Combine),
}

/// Where an output of the body goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Store {
    pub to: Place,
    pub write: Write,
}

/// One loop, its counter from 0 up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loop {
    pub extent: u32,
    pub reduced: bool,
}

/// Loops around one straight line.
#[derive(Clone, Debug, PartialEq)]
pub struct Nest {
    /// Outermost first.
    pub loops: Vec<Loop>,
    /// The loop to run in vector lanes.
    pub lanes: Option<usize>,
    pub loads: Vec<Load>,
    pub stores: Vec<Store>,
    pub body: loops::Program,
}

impl Nest {
    /// The only block of the body.
    pub fn block(&self) -> &loops::Block {
        &self.body.nests[0].blocks[0]
    }

    /// The value of each store, with its place in the list of stores.
    pub fn stored(&self) -> Vec<(usize, loops::Value)> {
        let insts = self.block().insts.iter();
        let stores = insts.filter_map(|inst| match inst {
            loops::Inst::Store(address, value) => Some((address.offset as usize, *value)),
            _ => None,
        });
        stores.collect()
    }

    /// How many loops are kept.
    pub fn kept(&self) -> usize {
        self.loops.iter().take_while(|l| !l.reduced).count()
    }

    /// Makes the outermost loop two: `count` rounds of `size` iterations each.
    pub(super) fn split_outermost(&mut self, count: u32, size: u32) {
        self.loops[0].extent = size;
        self.loops.insert(0, Loop { extent: count, reduced: false });
        self.lanes = self.lanes.map(|l| l + 1);
        for form in self.forms_mut() {
            let stride = form.strides[0] * i64::from(size);
            form.strides.insert(0, stride);
        }
    }

    /// Every affine form there is, to be changed.
    pub(super) fn forms_mut(&mut self) -> Vec<&mut Affine> {
        let mut forms = Vec::new();
        for load in &mut self.loads {
            match load {
                Load::Element(place) => forms.push(&mut place.at),
                Load::Gathered(place, chosen) => forms.extend([&mut place.at, &mut chosen.index.at]),
                Load::Position(at) => forms.push(at),
            }
        }
        for store in &mut self.stores {
            forms.push(&mut store.to.at);
            if let Write::Scatter(chosen) = &mut store.write {
                forms.push(&mut chosen.index.at);
            }
        }
        forms
    }

    /// The buffers read through loads and indices.
    pub fn reads(&self) -> impl Iterator<Item = BufferId> {
        let loads = self.loads.iter().flat_map(|load| match load {
            Load::Element(place) => vec![place.buffer],
            Load::Gathered(place, chosen) => vec![place.buffer, chosen.index.buffer],
            Load::Position(_) => Vec::new(),
        });
        let indices = self.stores.iter().filter_map(|store| match &store.write {
            Write::Scatter(chosen) => Some(chosen.index.buffer),
            _ => None,
        });
        loads.chain(indices)
    }

    pub fn writes(&self) -> impl Iterator<Item = BufferId> {
        self.stores.iter().map(|store| store.to.buffer)
    }

    /// Every buffer named, to be renamed.
    pub(super) fn buffers_mut(&mut self) -> Vec<&mut BufferId> {
        let mut buffers = Vec::new();
        for load in &mut self.loads {
            match load {
                Load::Element(place) => buffers.push(&mut place.buffer),
                Load::Gathered(place, chosen) => {
                    buffers.extend([&mut place.buffer, &mut chosen.index.buffer]);
                }
                Load::Position(_) => {}
            }
        }
        for store in &mut self.stores {
            buffers.push(&mut store.to.buffer);
            if let Write::Scatter(chosen) = &mut store.write {
                buffers.push(&mut chosen.index.buffer);
            }
        }
        buffers
    }
}

/// A matrix inside a buffer, in elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matrix {
    pub buffer: BufferId,
    pub offset: i64,
    pub row: i64,
    pub column: i64,
}

/// `to[m, n] = left[m, k] · right[k, n]`, for each of some outer loops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    pub size: [usize; 3],
    pub to: Matrix,
    pub left: Matrix,
    pub right: Matrix,
    /// Extent of each outer loop, and its strides in `to`, `left` and `right`.
    pub outer: Vec<(u32, [i64; 3])>,
}

/// When something is copied between a loop's room and the buffers around it; in order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// Into the room, before the first round.
    First,
    /// An entry into the room, before each round.
    Entry,
    /// Out of the room, to its entry, before each round.
    Before,
    /// Out of the room, to its entry, after each round.
    Emit,
    /// Out of the room, after the last round.
    Last,
}

/// Something copied between a loop's room and the buffers around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    pub when: When,
    pub outer: BufferId,
    /// A buffer of the loop's own program: all of it is copied.
    pub inner: BufferId,
}

/// A program run several times over, in an arena inside a buffer.
#[derive(Clone, Debug, PartialEq)]
pub struct Repeated {
    pub program: Box<TensorProgram>,
    /// The buffer that holds the program's arena.
    pub room: BufferId,
    /// Rounds.
    pub steps: u32,
    /// Entries are taken from the last to the first.
    pub backwards: bool,
    /// In order of time.
    pub transfers: Vec<Transfer>,
}

impl Repeated {
    /// The transfers at some time.
    pub fn at(&self, when: When) -> impl Iterator<Item = &Transfer> {
        self.transfers.iter().filter(move |transfer| transfer.when == when)
    }

    /// The entry of a round.
    pub fn entry(&self, round: u32) -> usize {
        (if self.backwards { self.steps - 1 - round } else { round }) as usize
    }
}

/// Steps run round by round: first round 0 of each, then round 1, and so on.
#[derive(Clone, Debug, PartialEq)]
pub struct Rounds {
    pub rounds: u32,
    /// Nests whose outermost loop has as many rounds and is neither reduced nor in lanes, and products
    /// whose first outer loop has.
    pub steps: Vec<Step>,
}

/// One step of a program.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Nest(Nest),
    Product(Product),
    Repeated(Repeated),
    Rounds(Rounds),
}

/// Steps over the buffers of one arena.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorProgram {
    /// Elements of the arena.
    pub arena: usize,
    pub buffers: Vec<Buffer>,
    /// Where the inputs are, and, in the end, the outputs.
    pub inputs: Vec<BufferId>,
    pub outputs: Vec<BufferId>,
    pub steps: Vec<Step>,
}

impl Step {
    pub fn reads(&self) -> Vec<BufferId> {
        match self {
            Step::Nest(nest) => nest.reads().collect(),
            Step::Product(product) => vec![product.left.buffer, product.right.buffer],
            Step::Repeated(repeated) => {
                let read = |t: &&Transfer| matches!(t.when, When::First | When::Entry);
                repeated.transfers.iter().filter(read).map(|t| t.outer).collect()
            }
            Step::Rounds(run) => run.steps.iter().flat_map(Step::reads).collect(),
        }
    }

    pub fn writes(&self) -> Vec<BufferId> {
        match self {
            Step::Nest(nest) => nest.writes().collect(),
            Step::Product(product) => vec![product.to.buffer],
            Step::Repeated(repeated) => {
                let written = |t: &&Transfer| !matches!(t.when, When::First | When::Entry);
                let outer = repeated.transfers.iter().filter(written).map(|t| t.outer);
                outer.chain([repeated.room]).collect()
            }
            Step::Rounds(run) => run.steps.iter().flat_map(Step::writes).collect(),
        }
    }

    pub(super) fn buffers_mut(&mut self) -> Vec<&mut BufferId> {
        match self {
            Step::Nest(nest) => nest.buffers_mut(),
            Step::Product(Product { to, left, right, .. }) => {
                vec![&mut to.buffer, &mut left.buffer, &mut right.buffer]
            }
            Step::Repeated(Repeated { room, transfers, .. }) => {
                transfers.iter_mut().map(|transfer| &mut transfer.outer).chain([room]).collect()
            }
            Step::Rounds(run) => run.steps.iter_mut().flat_map(Step::buffers_mut).collect(),
        }
    }
}
