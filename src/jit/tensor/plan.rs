//! What a kernel does, one after another: calls of compiled functions, products, and the copies and
//! jumps of loops.
//!
//! What must stay true: places are in elements, from the start of the arena or of a loop's room in
//! it; pieces of a step are apart, and together they are the step.

use super::code::Stretch;
use crate::loops::tensor::{Buffer, Product, Repeated, TensorProgram, When};

/// A compiled function: takes the arena, and which chunk. Of the two emitters only Cranelift knows
/// other conventions.
#[cfg(target_arch = "x86_64")]
pub(super) type Entry = unsafe extern "sysv64" fn(*mut u8, u64);
#[cfg(not(target_arch = "x86_64"))]
pub(super) type Entry = unsafe extern "C" fn(*mut u8, u64);

/// A step.
pub(super) enum Native {
    Code(Entry),
    /// A function of one chunk, and how many chunks there are.
    Chunks(Entry, u32),
    Product(Cut),
    /// Steps of so many pieces each, a piece of all of them at a time.
    Rounds(Vec<Native>, u32, Turns),
}

/// When rounds run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Turns {
    /// In any order, and at once.
    Any,
    /// One after another: they use the same room.
    InOrder,
}

impl Native {
    pub fn pieces(&self) -> u32 {
        match self {
            Native::Code(_) => 1,
            Native::Chunks(_, count) | Native::Rounds(_, count, Turns::Any) => *count,
            Native::Rounds(_, _, Turns::InOrder) => 1,
            Native::Product(cut) => (cut.rounds.div_ceil(cut.together) * cut.parts) as u32,
        }
    }
}

/// One thing to do; places are elements from the start of the arena.
pub(super) enum Order {
    /// A step over the arena from `base` on.
    Step { step: usize, base: usize },
    /// Copies so many elements; one side moves by as many with each round of a loop.
    Copy { from: usize, to: usize, size: usize, moves: Option<Moves> },
    /// Goes back to an order until a loop has had all its rounds.
    Again { to: usize, level: usize, rounds: u32 },
}

/// A side of a copy that goes along the rounds of a loop.
#[derive(Clone, Copy)]
pub(super) struct Moves {
    pub source: bool,
    pub level: usize,
    /// The rounds, where it goes from the last entry to the first.
    pub backwards: Option<u32>,
}

/// Orders under construction.
pub(super) struct Plan {
    pub steps: Vec<Native>,
    pub orders: Vec<Order>,
    pub tops: Vec<usize>,
    pub threads: usize,
}

impl Plan {
    /// The only function there is to call, over all of the arena.
    pub fn whole(&self) -> Option<Entry> {
        match (&self.steps[..], &self.orders[..]) {
            ([Native::Code(entry)], [Order::Step { base: 0, .. }]) => Some(*entry),
            _ => None,
        }
    }

    /// The orders of a stretch of a program whose arena begins at `base`, inside `level` loops.
    pub fn push(
        &mut self,
        stretch: &Stretch,
        program: &TensorProgram,
        base: usize,
        level: usize,
        entry: &mut impl FnMut() -> Entry,
    ) {
        let native = match stretch {
            Stretch::Rounds(stretches, run) => {
                let turns = if run.are_apart() { Turns::Any } else { Turns::InOrder };
                let each = stretches.iter().map(|stretch| match stretch {
                    Stretch::Product(product) => Native::Product(Cut::rounds(product, &program.buffers)),
                    _ => Native::Chunks(entry(), run.rounds),
                });
                Native::Rounds(each.collect(), run.rounds, turns)
            }
            Stretch::Product(product) => Native::Product(Cut::of(product, &program.buffers, self.threads)),
            Stretch::Generated(_, code, _) => Native::Chunks(entry(), code.pieces()),
            Stretch::Nests(..) => Native::Code(entry()),
            Stretch::Chunks(nest, _) => Native::Chunks(entry(), nest.loops[0].extent),
            Stretch::Repeated(repeated, stretches) => {
                let room = base + program.buffers[repeated.room.index()].offset;
                self.transfers(repeated, When::First, program, (base, room), level);
                let head = self.orders.len();
                self.transfers(repeated, When::Entry, program, (base, room), level);
                self.transfers(repeated, When::Before, program, (base, room), level);
                for stretch in stretches {
                    self.push(stretch, &repeated.program, room, level + 1, entry);
                }
                self.transfers(repeated, When::Emit, program, (base, room), level);
                self.orders.push(Order::Again { to: head, level, rounds: repeated.steps });
                self.transfers(repeated, When::Last, program, (base, room), level);
                return;
            }
        };
        self.orders.push(Order::Step { step: self.steps.len(), base });
        self.steps.push(native);
    }

    fn transfers(
        &mut self,
        repeated: &Repeated,
        when: When,
        program: &TensorProgram,
        (base, room): (usize, usize),
        level: usize,
    ) {
        for transfer in repeated.at(when) {
            let inner = repeated.program.buffers[transfer.inner.index()];
            let outer = base + program.buffers[transfer.outer.index()].offset;
            let source = when <= When::Entry;
            let backwards = repeated.backwards.then_some(repeated.steps);
            let moves = matches!(when, When::Entry | When::Before | When::Emit).then_some(Moves {
                source,
                level,
                backwards,
            });
            let inside = room + inner.offset;
            let (from, to) = if source { (outer, inside) } else { (inside, outer) };
            self.orders.push(Order::Copy { from, to, size: inner.size, moves });
        }
    }
}

/// A product in pieces: several rounds of its outer loops, or part of one.
pub(super) struct Cut {
    pub product: Product,
    pub rounds: usize,
    /// How many rounds a piece has at most.
    pub together: usize,
    /// Along which side a round is cut, how many rows or columns a part has at most, and how many
    /// parts there are; one where a piece has several rounds.
    pub along: Side,
    pub size: usize,
    pub parts: usize,
}

/// A side of a product.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Rows,
    Columns,
}

/// Multiplications of one piece of a product, at least.
const PIECE: usize = 1 << 19;

/// Rows or columns of a piece are a multiple of this: whole tiles of the library's.
const TILE: usize = 64;

impl Cut {
    /// An element is summed over in blocks whose size depends on the number of terms and the
    /// machine alone, so a product has the same bits in one piece and in many.
    pub fn of(product: &Product, buffers: &[Buffer], threads: usize) -> Cut {
        let product = in_arena(product, buffers);
        let [m, n, k] = product.size;
        let (along, length) = if m >= n { (Side::Rows, m) } else { (Side::Columns, n) };
        let rounds: usize = product.outer.iter().map(|o| o.0 as usize).product();
        let work = m * n * k;
        let most = if threads < 2 { 1 } else { (2 * threads).div_ceil(rounds) };
        let wanted = (work / PIECE).clamp(1, most);
        let size = length.div_ceil(wanted).next_multiple_of(TILE).min(length).max(1);
        let together = if threads < 2 { rounds } else { (PIECE / work.max(1)).clamp(1, rounds) };
        Cut { product, rounds, together, along, size, parts: length.div_ceil(size).max(1) }
    }
    /// A piece for each round of the outermost loop.
    pub fn rounds(product: &Product, buffers: &[Buffer]) -> Cut {
        let product = in_arena(product, buffers);
        let rounds: usize = product.outer.iter().map(|o| o.0 as usize).product();
        let together = rounds / product.outer.first().map_or(1, |o| o.0 as usize);
        let size = product.size[0];
        Cut { product, rounds, together, along: Side::Rows, size, parts: 1 }
    }
}

/// The product with places that count from the start of the arena, not of the buffers.
fn in_arena(product: &Product, buffers: &[Buffer]) -> Product {
    let mut product = product.clone();
    for matrix in [&mut product.to, &mut product.left, &mut product.right] {
        matrix.offset += buffers[matrix.buffer.index()].offset as i64;
    }
    product
}
