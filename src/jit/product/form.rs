//! How a product is done: which factor's elements are repeated, how the other one's vectors are come
//! by, and where a library does better.
//!
//! What must stay true: the form depends on shape, strides and precision; what depends on the level
//! are tiles only, which change no sum.

use super::dot;
use super::panel::{Lay, quarter};
use super::shape::Shape;
use super::tiling::{Tile, tiling};
use crate::jit::wide::Level;

/// How sums are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Vectors of the right factor as they lie.
    Direct(Tile),
    /// Vectors of a panel, filled for so many terms at a time.
    Panel(Tile, Lay, usize),
    /// Vectors along the terms of both factors, so many terms at a time.
    Dot(usize),
}

/// A product, turned or not, and how it is done.
pub(super) struct Form {
    pub shape: Shape,
    pub way: Way,
}

/// Multiplications above which a library packs both factors to better effect.
const LARGE: usize = 1 << 27;

/// Bytes of a panel: most of a small first cache.
pub(super) const PANEL: usize = 1 << 15;

/// The cheapest form; none where the library is to do it.
pub(super) fn choose(shape: Shape) -> Option<Form> {
    if shape.work() > LARGE || shape.work() == 0 {
        return None;
    }
    if is_dot(&shape) {
        let way = Way::Dot(dot::block(&shape));
        return Some(Form { shape, way });
    }
    cheapest(shape).map(|(_, form)| form)
}

/// True where sums along the terms cost least; whatever the level, as the sums are others.
fn is_dot(shape: &Shape) -> bool {
    let wide = Shape { level: Level::L512, ..shape.clone() };
    dot::is_possible(shape) && cheapest(wide).is_none_or(|(cost, _)| dot::cost(shape) < cost)
}

/// The cheapest form whose sums run term by term, and its cost.
fn cheapest(shape: Shape) -> Option<(usize, Form)> {
    let turned = shape.turned();
    let forms = [shape, turned].into_iter().flat_map(|shape| {
        let ways = ways(&shape);
        ways.into_iter().map(move |(cost, way)| (cost, Form { shape: shape.clone(), way }))
    });
    forms.min_by_key(|(cost, _)| *cost)
}

/// The ways that a product may be done with its columns in lanes, and cycles of each, about.
fn ways(shape: &Shape) -> Vec<(usize, Way)> {
    let unit = shape.unit() as i64;
    let mut ways = Vec::new();
    if shape.to.column != unit {
        return ways;
    }
    if shape.right.column == unit {
        let (tile, cost) = tiling(shape, |tile| far_cost(shape, tile));
        ways.push((cost, Way::Direct(tile)));
    }
    let lay = match (shape.right.column == unit, shape.right.row == unit) {
        (true, _) => Lay::Columns,
        (_, true) if shape.terms >= quarter(shape.unit()) => Lay::Terms,
        _ => Lay::Apart,
    };
    let (tile, cost) = tiling(shape, |tile| blocks_cost(shape, tile));
    let block = block(shape, tile);
    ways.push((cost + fill_cost(shape, lay), Way::Panel(tile, lay, block)));
    ways
}

/// Terms of a block: as many as a panel of the greatest tile holds, all blocks nearly alike.
fn block(shape: &Shape, tile: Tile) -> usize {
    let most = PANEL / (tile.vectors * shape.level.bytes());
    let blocks = shape.terms.div_ceil(most);
    shape.terms.div_ceil(blocks).next_multiple_of(4).min(most)
}

/// Vectors of the result, or of the right factor.
fn vectors(shape: &Shape, length: usize) -> usize {
    shape.columns.div_ceil(shape.lanes()).saturating_mul(length)
}

/// Cycles, about, to fetch vectors of the right factor for every tile of rows from where it does not
/// stay near.
fn far_cost(shape: &Shape, tile: Tile) -> usize {
    match shape.terms * tile.vectors * shape.level.bytes() > PANEL {
        true => vectors(shape, shape.terms).saturating_mul(shape.rows.div_ceil(tile.rows)),
        false => 0,
    }
}

/// Cycles, about, to fetch and store sums once more for every block but the first.
fn blocks_cost(shape: &Shape, tile: Tile) -> usize {
    let blocks = shape.terms.div_ceil(block(shape, tile));
    vectors(shape, shape.rows).saturating_mul(3 * (blocks - 1))
}

/// Cycles to fill all panels, about.
fn fill_cost(shape: &Shape, lay: Lay) -> usize {
    let vectors = vectors(shape, 1);
    let each = match lay {
        Lay::Columns => 2 * vectors,
        Lay::Terms => 3 * vectors,
        Lay::Apart => shape.columns + vectors,
    };
    each * shape.terms + 20
}
