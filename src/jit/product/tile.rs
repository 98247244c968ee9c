//! A tile's sums: rows of the left factor, element by element, times vectors of the right one.
//!
//! What must stay true: an element's terms are added one after another in order, each fused with its
//! multiplication; the first is only multiplied.

use super::code::{Code, Pointer, TERM};
use super::shape::Shape;
use super::tiling::Tile;
use crate::jit::wide::{Level, Memory, Place, Register};

/// Multiplications that are written out; longer sums are loops.
const STRAIGHT: usize = 160;

/// Terms of one round of a loop.
const ROUND: usize = 4;

/// Where vectors of the right factor are: how far apart from term to term.
#[derive(Clone, Copy)]
pub(super) struct Source {
    pub pointer: Pointer,
    pub stride: i64,
}

/// Whether terms are the first ones, and the last.
#[derive(Clone, Copy)]
pub(super) struct Block {
    pub first: bool,
    pub last: bool,
}

/// A tile to be written.
#[derive(Clone, Copy)]
pub(super) struct Piece {
    pub tile: Tile,
    pub source: Source,
    /// Terms of this block.
    pub terms: usize,
    pub block: Block,
    /// The last vector of columns is not whole.
    pub masked: bool,
}

/// Writes a tile; pointers are at its first elements, and will be.
pub(super) fn write(code: &mut Code, shape: &Shape, piece: Piece) {
    let Piece { tile, terms, block: Block { first, last }, .. } = piece;
    if !first {
        each(code, shape, piece, |code, sum, memory, masked| code.load(sum, memory, masked));
    }
    let rounds = match terms * tile.rows * tile.vectors <= STRAIGHT {
        true => 0,
        // One term at least is before the loop where it is the first of all.
        false => (terms - usize::from(first)) / ROUND,
    };
    for term in 0..terms - rounds * ROUND {
        step(code, shape, piece, first && term == 0);
    }
    code.repeat(TERM, rounds, |code| (0..ROUND).for_each(|_| step(code, shape, piece, false)));
    code.advance(Pointer::Left, -shape.left.column * terms as i64);
    code.advance(piece.source.pointer, -piece.source.stride * terms as i64);
    let epilogue = shape.epilogue.as_ref().filter(|_| last);
    if epilogue.is_none_or(|epilogue| epilogue.keeps) {
        each(code, shape, piece, |code, sum, memory, masked| code.store(sum, memory, masked));
    }
    if let Some(epilogue) = epilogue {
        let sums = tile.rows * tile.vectors;
        for sum in 0..sums {
            let place = (sum / tile.vectors, sum % tile.vectors);
            let is_tail = piece.masked && place.1 + 1 == tile.vectors;
            epilogue.write(code, (sums, sum), place, is_tail);
        }
    }
}

/// Every sum and its place in the result, and whether that is masked.
fn each(
    code: &mut Code,
    shape: &Shape,
    Piece { tile, masked, .. }: Piece,
    mut act: impl FnMut(&mut Code, Register, Memory, bool),
) {
    for (row, vector) in (0..tile.rows).flat_map(|r| (0..tile.vectors).map(move |v| (r, v))) {
        let distance = row as i64 * shape.to.row + vector as i64 * code.vector();
        let memory = code.at(Pointer::To, distance);
        act(code, (row * tile.vectors + vector) as Register, memory, masked && vector + 1 == tile.vectors);
    }
}

/// Adds one term to every sum, and moves on to the next.
fn step(code: &mut Code, shape: &Shape, Piece { tile, source, masked, .. }: Piece, first: bool) {
    let Tile { rows, vectors } = tile;
    let right = (rows * vectors) as Register;
    // Masked columns of the factor itself end where it ends; a panel's are whole.
    let masked = masked && source.pointer == Pointer::Right;
    let memory = |code: &Code, vector: usize| code.at(source.pointer, vector as i64 * code.vector());
    let is_masked = |vector: usize| masked && vector + 1 == vectors;
    // One row reads every vector once: from memory, but for a masked one.
    let held = |vector: usize| if rows == 1 { right } else { right + vector as Register };
    for vector in (0..vectors).filter(|&vector| rows > 1 || is_masked(vector)) {
        code.load(held(vector), memory(code, vector), is_masked(vector));
    }
    let left = right + if rows == 1 { 1 } else { vectors as Register };
    for row in 0..rows {
        let element = code.at(Pointer::Left, row as i64 * shape.left.row);
        if vectors == 1 && rows > 1 && code.level == Level::L512 {
            let element = Memory { broadcast: true, ..element };
            code.multiply(first, row as Register, held(0), Place::Memory(element));
            continue;
        }
        code.unary(code.words.broadcast, left, Place::Memory(element));
        for vector in 0..vectors {
            let last = match rows == 1 && !is_masked(vector) {
                true => Place::Memory(memory(code, vector)),
                false => Place::Register(held(vector)),
            };
            code.multiply(first, (row * vectors + vector) as Register, left, last);
        }
    }
    code.advance(Pointer::Left, shape.left.column);
    code.advance(source.pointer, source.stride);
}
