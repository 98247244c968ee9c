//! The result in tiles: how many rows and vectors of columns are summed in registers at once.
//!
//! What must stay true: tiles fit the registers of their level, and together they are the result.
//! How it is cut changes no element's sum.

use super::shape::Shape;
use crate::jit::wide::Level;

/// Rows, and vectors of columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tile {
    pub rows: usize,
    pub vectors: usize,
}

/// Most vectors a tile is wide.
const WIDE: usize = 8;

/// Cycles until the next term can be added to a sum.
const LATENCY: usize = 4;

/// Cycles to begin and end a tile, besides its stores.
const AROUND: usize = 6;

impl Tile {
    /// True where sums, a vector of every column, an element of the left factor and a mask fit.
    fn fits(self, level: Level) -> bool {
        let registers = if level == Level::L512 { 31 } else { 14 };
        let Tile { rows, vectors } = self;
        let columns = if rows == 1 { 1 } else { vectors };
        rows * vectors + columns <= registers
    }

    /// Cycles, about: two multiplications or two loads each.
    fn cost(self, terms: usize) -> usize {
        let Tile { rows, vectors } = self;
        let term = (rows * vectors).max(rows + vectors).div_ceil(2).max(LATENCY);
        term * terms + rows * vectors + AROUND
    }
}

/// So many of a length, in order.
pub(super) type Runs = [(usize, usize); 2];

/// A length in as few parts as may be, each at most `most` long and nearly as long as the others.
pub(super) fn runs(length: usize, most: usize) -> Runs {
    let parts = length.div_ceil(most);
    let (short, longer) = (length / parts, length % parts);
    [(longer, short + 1), (parts - longer, short)]
}

/// The greatest tiles of the cheapest way to cut a result, and cycles for all of it; `around` are
/// those of a tile's way besides its sums.
pub(super) fn tiling(shape: &Shape, around: impl Fn(Tile) -> usize) -> (Tile, usize) {
    let vectors = shape.columns.div_ceil(shape.lanes());
    let mut best = (Tile { rows: 1, vectors: 1 }, usize::MAX);
    for wide in 1..=WIDE.min(vectors) {
        let tall = (1..=shape.rows.min(32)).rev();
        for tile in tall.map(|rows| Tile { rows, vectors: wide }).filter(|tile| tile.fits(shape.level)) {
            let cost = cut_cost(shape.rows, vectors, tile, shape.terms).saturating_add(around(tile));
            if cost < best.1 {
                best = (tile, cost);
            }
        }
    }
    best
}

fn cut_cost(rows: usize, vectors: usize, tile: Tile, terms: usize) -> usize {
    let mut cost = 0usize;
    for (tall, rows) in runs(rows, tile.rows) {
        for (wide, vectors) in runs(vectors, tile.vectors) {
            let one = Tile { rows, vectors }.cost(terms);
            cost = cost.saturating_add(one.saturating_mul(tall * wide));
        }
    }
    cost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_the_length() {
        for (length, most) in (1..60).flat_map(|l| (1..20).map(move |m| (l, m))) {
            let runs = runs(length, most);
            assert_eq!(runs.iter().map(|(n, each)| n * each).sum::<usize>(), length);
            assert!(runs.iter().all(|&(n, each)| n == 0 || (1..=most).contains(&each)));
        }
    }
}
