//! Products summed along the terms, which lie side by side in both factors: few rows, long sums.
//!
//! Where several tiles read factors that do not stay near, they take blocks of terms in turn, and
//! partial sums wait on the stack.
//!
//! What must stay true: an element has as many partial sums as [`SPAN`] bytes hold, whatever the
//! level; term i goes to number i modulo that, and they are added in halves: i + n/2, i + n/4, ….

use super::code::{BLOCK, COLUMN, Code, Pointer, ROW, TERM};
use super::shape::Shape;
use super::tiling::runs;
use crate::jit::wide::{Level, Memory, Opcode, Place, Register};

/// Bytes of an element's partial sums.
const SPAN: usize = 64;

/// Bytes of both factors that stay near beside the sums, and most bytes of sums that wait.
const NEAR: usize = 24 << 10;
const WAITING: usize = 16 << 10;

/// Rows and columns of one tile, at most.
const TILE: usize = 4;

/// Cycles, about, with vectors of 512 bits: a vector of each sum, and its partial sums' halves.
pub(super) fn cost(shape: &Shape) -> usize {
    let elements = shape.rows.saturating_mul(shape.columns);
    let vectors = (shape.terms * shape.unit()).div_ceil(SPAN);
    let [rows, columns] = [shape.rows, shape.columns].map(|n| n.min(4));
    // Of each tile: loads, two a cycle.
    let loads = (rows + columns) * vectors * 8 / (rows * columns);
    elements.saturating_mul((vectors * 8).max(loads) + 80) / 16 + 20
}

/// True where terms lie side by side in both factors.
pub(super) fn is_possible(shape: &Shape) -> bool {
    let unit = shape.unit() as i64;
    shape.left.column == unit && shape.right.row == unit
}

/// Rows and columns of a tile, and the vectors of an element's partial sums.
#[derive(Clone, Copy)]
struct Tile {
    rows: usize,
    columns: usize,
    parts: usize,
}

impl Tile {
    fn sum(self, row: usize, column: usize, part: usize) -> Register {
        ((row * self.columns + column) * self.parts + part) as Register
    }

    fn sums(self) -> Register {
        (self.rows * self.columns * self.parts) as Register
    }
}

/// Terms of a block: whole vectors of all levels, or all terms.
pub(super) fn block(shape: &Shape) -> usize {
    let near = NEAR / ((shape.rows + shape.columns) * shape.unit());
    let each = SPAN / shape.unit();
    let is_one_tile = shape.rows.max(shape.columns) <= TILE;
    match is_one_tile || near < 4 * each || shape.terms < 2 * near || room(shape) > WAITING {
        true => shape.terms,
        false => near / each * each,
    }
}

/// Bytes of all partial sums.
fn room(shape: &Shape) -> usize {
    shape.rows.saturating_mul(shape.columns).saturating_mul(SPAN)
}

/// Bytes of stack for blocks of so many terms.
pub(super) fn frame_size(shape: &Shape, block: usize) -> usize {
    if block < shape.terms { room(shape) } else { 0 }
}

/// Some of the terms of all elements.
#[derive(Clone, Copy)]
struct Block {
    terms: usize,
    first: bool,
    last: bool,
}

/// Writes a product in blocks of so many terms.
pub(super) fn write(code: &mut Code, shape: &Shape, most: usize) {
    let mut done = 0;
    let mut block = |code: &mut Code, terms: usize, times: usize| {
        let block = Block { terms, first: done == 0, last: done + terms * times == shape.terms };
        code.repeat(BLOCK, times, |code| {
            tiles(code, shape, block);
            code.advance(Pointer::Left, terms as i64 * code.unit);
            code.advance(Pointer::Right, terms as i64 * code.unit);
        });
        done += terms * times;
    };
    let blocks = shape.terms.div_ceil(most);
    if blocks > 1 {
        block(code, most, 1);
        block(code, most, blocks - 2);
    }
    block(code, shape.terms - (blocks - 1) * most, 1);
    code.advance(Pointer::Left, -(shape.terms as i64) * code.unit);
    code.advance(Pointer::Right, -(shape.terms as i64) * code.unit);
}

/// Writes all tiles of a block.
fn tiles(code: &mut Code, shape: &Shape, block: Block) {
    let parts = SPAN / code.level.bytes();
    let most = if code.level == Level::L512 { TILE } else { TILE / 2 };
    // Bytes of an element's sums, where they wait for another block.
    let waits = if block.first && block.last { 0 } else { SPAN as i64 };
    for (times, rows) in runs(shape.rows, most) {
        code.repeat(ROW, times, |code| {
            for (times, columns) in runs(shape.columns, most) {
                code.repeat(COLUMN, times, |code| {
                    tile(code, shape, Tile { rows, columns, parts }, block);
                    code.advance(Pointer::Panel, (rows * columns) as i64 * waits);
                    code.advance(Pointer::To, columns as i64 * shape.to.column);
                    code.advance(Pointer::Right, columns as i64 * shape.right.column);
                });
            }
            code.advance(Pointer::To, -(shape.columns as i64) * shape.to.column);
            code.advance(Pointer::Right, -(shape.columns as i64) * shape.right.column);
            code.advance(Pointer::To, rows as i64 * shape.to.row);
            code.advance(Pointer::Left, rows as i64 * shape.left.row);
        });
    }
    code.advance(Pointer::Panel, -((shape.rows * shape.columns) as i64) * waits);
    code.advance(Pointer::To, -(shape.rows as i64) * shape.to.row);
    code.advance(Pointer::Left, -(shape.rows as i64) * shape.left.row);
}

fn tile(code: &mut Code, shape: &Shape, tile: Tile, block: Block) {
    for sum in 0..tile.sums() {
        match block.first {
            true => code.binary(Opcode::XorPd, sum, sum, Place::Register(sum)),
            false => code.load(sum, waiting(code, sum), false),
        }
    }
    let each = SPAN / shape.unit();
    let (whole, rest) = (block.terms / each, block.terms % each);
    code.repeat(TERM, whole, |code| step(code, shape, tile, each));
    if rest > 0 {
        step(code, shape, tile, rest);
        code.advance(Pointer::Left, -(SPAN as i64));
        code.advance(Pointer::Right, -(SPAN as i64));
    }
    code.advance(Pointer::Left, -((whole * SPAN) as i64));
    code.advance(Pointer::Right, -((whole * SPAN) as i64));
    if !block.last {
        (0..tile.sums()).for_each(|sum| code.store(sum, waiting(code, sum), false));
        return;
    }
    for (row, column) in (0..tile.rows).flat_map(|r| (0..tile.columns).map(move |c| (r, c))) {
        let sum = tile.sum(row, column, 0);
        halve(code, shape, sum, tile.parts);
        let distance = row as i64 * shape.to.row + column as i64 * shape.to.column;
        code.unary(code.words.store_one, sum, Place::Memory(code.at(Pointer::To, distance)));
    }
}

/// Where a partial sum of a tile waits.
fn waiting(code: &Code, sum: Register) -> Memory {
    code.at(Pointer::Panel, i64::from(sum) * code.vector())
}

/// Adds so many terms, at most as many as there are partial sums, to them, and moves on.
fn step(code: &mut Code, shape: &Shape, tile: Tile, terms: usize) {
    let lanes = shape.lanes();
    let (right, left) = (tile.sums(), tile.sums() + tile.columns as Register);
    for part in 0..terms.div_ceil(lanes) {
        let distance = part as i64 * code.vector();
        let masked = (part + 1) * lanes > terms;
        for column in 0..tile.columns {
            let memory = code.at(Pointer::Right, column as i64 * shape.right.column + distance);
            code.load(right + column as Register, memory, masked);
        }
        for row in 0..tile.rows {
            let memory = code.at(Pointer::Left, row as i64 * shape.left.row + distance);
            code.load(left, memory, masked);
            for column in 0..tile.columns {
                let other = Place::Register(right + column as Register);
                code.multiply(false, tile.sum(row, column, part), left, other);
            }
        }
    }
    code.advance(Pointer::Left, SPAN as i64);
    code.advance(Pointer::Right, SPAN as i64);
}

/// Adds partial sums in halves, until the first lane holds all.
fn halve(code: &mut Code, shape: &Shape, sum: Register, parts: usize) {
    let (add, spare) = (code.words.add, spare(code.level));
    match parts {
        1 => {
            code.chosen(Opcode::Blocks512, spare, sum, Place::Register(sum), 0x4E);
            code.binary(add, sum, sum, Place::Register(spare));
            code.chosen(Opcode::Blocks512, spare, sum, Place::Register(sum), 0xB1);
        }
        _ => {
            code.binary(add, sum, sum, Place::Register(sum + 1));
            code.chosen(Opcode::Blocks256, spare, sum, Place::Register(sum), 0x01);
        }
    }
    code.binary(add, sum, sum, Place::Register(spare));
    permute(code, Opcode::LanesPd, sum, 0x55);
    if shape.unit() == 4 {
        permute(code, Opcode::LanesPs, sum, 0xB1);
    }
}

/// A register that no sum, factor or mask is in.
fn spare(level: Level) -> Register {
    if level == Level::L512 { 31 } else { 14 }
}

fn permute(code: &mut Code, opcode: Opcode, sum: Register, immediate: u8) {
    let spare = spare(code.level);
    code.chosen(opcode, spare, 0, Place::Register(sum), immediate);
    code.binary(code.words.add, sum, sum, Place::Register(spare));
}
