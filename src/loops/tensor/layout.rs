//! In which order the axes of a stored node lie in memory, and in which order loops run.
//!
//! What a nest reads side by side it is to write side by side: its loops, and the axes of what it
//! stores, follow the loads.
//!
//! What must stay true: inputs and outputs of a function are row-major; the choice changes speed,
//! and the order in which sums are taken, only.

use super::affine::{Affine, flatten};
use super::cost::{LONG, NARROW, behind_turns};
use super::program::{BufferId, Load};
use crate::ir::structural::{pack_order, source_axis};
use crate::ir::{Graph, Id, Op};
use smallvec::SmallVec;
use std::ops::Range;

/// Where a stored node is.
#[derive(Clone, Copy)]
pub(super) struct Home {
    pub buffer: BufferId,
    /// The axes from the outermost in, packed as permutations are; `None` for row-major.
    pub order: Option<u32>,
}

impl Home {
    /// The place of the element at some coordinates.
    pub fn at(self, coordinates: &[Affine], extents: &[u32], loops: usize) -> Affine {
        let Some(order) = self.order else { return flatten(coordinates, extents, loops) };
        let axes = (0..extents.len()).map(|i| source_axis(order, i));
        let turned: SmallVec<[Affine; 4]> = axes.clone().map(|axis| coordinates[axis].clone()).collect();
        let extents: SmallVec<[u32; 4]> = axes.map(|axis| extents[axis]).collect();
        flatten(&turned, &extents, loops)
    }
}

/// An order of axes or loops, from the outermost in.
pub(super) type Order = SmallVec<[usize; 8]>;

/// The packed form of an order; `None` for the one there is anyway.
pub(super) fn packed(order: &[usize]) -> Option<u32> {
    (!order.is_sorted()).then(|| pack_order(order.iter().copied()))
}

/// True where some load prefers an order of loops `first..first + count`.
pub(super) fn is_voted(loads: &[Load], first: usize, extents: &[u32]) -> bool {
    loads.iter().any(|load| match load {
        Load::Element(place) | Load::Gathered(place, _) => {
            extents.iter().enumerate().all(|(l, &extent)| extent <= 1 || place.at.strides[first + l] != 0)
        }
        Load::Position(_) => false,
    })
}

/// The orders of axes in which products read their factors, by id; the first product decides.
pub(super) fn wanted_by_products(graph: &Graph, needed: &[Id]) -> Vec<Option<u32>> {
    let mut wanted = vec![None; graph.len()];
    for &id in needed.iter().filter(|&&id| matches!(graph.op(id), Op::Contract { over: 1.., .. })) {
        for &factor in graph.operands(id) {
            if let (x, Some(order)) = behind_turns(graph, factor) {
                wanted[x.index()].get_or_insert(order);
            }
        }
    }
    wanted
}

/// The order of the axes of many products at once, of which `rows` are the first factor's: a long side
/// behind a narrow one, so that vectors are whole.
pub(super) fn order_of_products(extents: &[u32], rows: Range<usize>) -> Order {
    let size = |range: Range<usize>| extents[range].iter().map(|&d| u64::from(d)).product::<u64>();
    let (paired, columns) = (0..rows.start, rows.end..extents.len());
    let turns = size(paired.clone()) > 1 && size(columns.clone()) <= NARROW && size(rows.clone()) >= LONG;
    match turns {
        true => paired.chain(columns).chain(rows).collect(),
        false => (0..extents.len()).collect(),
    }
}

/// The order of loops `first..first + count` that most loads step through from large strides to
/// small: of those that differ in every one of these loops. With no such load, or as many for it
/// as for another, the order there is.
pub(super) fn order_of(loads: &[Load], first: usize, extents: &[u32]) -> Order {
    let same: Order = (0..extents.len()).collect();
    let mut found: SmallVec<[(Order, usize); 4]> = SmallVec::from_iter([(same.clone(), 0)]);
    for load in loads {
        let (Load::Element(place) | Load::Gathered(place, _)) = load else { continue };
        let stride = |l: usize| place.at.strides[first + l].unsigned_abs();
        if extents.iter().enumerate().any(|(l, &extent)| extent > 1 && stride(l) == 0) {
            continue;
        }
        let mut order = same.clone();
        order.sort_by_key(|&l| std::cmp::Reverse(if extents[l] > 1 { stride(l) } else { u64::MAX }));
        match found.iter_mut().find(|(known, _)| *known == order) {
            Some((_, votes)) => *votes += 1,
            None => found.push((order, 1)),
        }
    }
    let mut best = &found[0];
    for next in &found[1..] {
        if next.1 > best.1 {
            best = next;
        }
    }
    best.0.clone()
}
