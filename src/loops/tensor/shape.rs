//! The loops of a nest, made few: loops of one round go, neighbours that step alike become one,
//! and the one fit for vector lanes is chosen.
//!
//! What must stay true: the same elements are visited, and in the same order but for
//! [`reorder_loops`].

use super::program::{Load, Loop, Nest, Store, Write};

/// Puts the loops in an order, from the outermost in: kept ones are still first.
pub(super) fn reorder_loops(nest: &mut Nest, order: &[usize]) {
    nest.loops = order.iter().map(|&l| nest.loops[l]).collect();
    for form in nest.forms_mut() {
        form.strides = order.iter().map(|&l| form.strides[l]).collect();
    }
}

/// Drops loops that run once and merges those that can be.
pub(super) fn simplify_loops(nest: &mut Nest) {
    for l in (0..nest.loops.len()).rev() {
        if nest.loops[l].extent == 1 {
            nest.loops.remove(l);
            for form in nest.forms_mut() {
                form.strides.remove(l);
            }
        }
    }
    for l in (1..nest.loops.len()).rev() {
        let inner = nest.loops[l];
        let outer = nest.loops[l - 1];
        let step = i64::from(inner.extent);
        let alike = nest.forms_mut().iter().all(|form| form.strides[l - 1] == form.strides[l] * step);
        let Some(extent) = outer.extent.checked_mul(inner.extent) else { continue };
        if alike && outer.reduced == inner.reduced {
            nest.loops[l - 1] = Loop { extent, ..outer };
            nest.loops.remove(l);
            for form in nest.forms_mut() {
                form.strides.remove(l - 1);
            }
        }
    }
    if !nest.loops.iter().any(|l| l.reduced) {
        for Store { write, .. } in &mut nest.stores {
            if let Write::Reduce(_) = write {
                *write = Write::Set;
            }
        }
    }
}

/// What lanes cost beside the instructions of the body: a load whose elements are apart, and a sum
/// across lanes at the end of a reduction.
const SCATTERED: u64 = 8;
const ACROSS: u64 = 8;

/// The loop to run in lanes, if that is less work than none: of those whose elements are written
/// side by side, or reduced.
pub(super) fn choose_lanes(nest: &Nest, lanes: usize) -> Option<usize> {
    let extents = || nest.loops.iter().map(|l| u64::from(l.extent));
    let work = u64::from(nest.body_length()) + nest.loads.len() as u64;
    let points = extents().fold(1, u64::saturating_mul);
    let cost = |l: usize| {
        let extent = u64::from(nest.loops[l].extent);
        let scattered = nest.loads.iter().filter(|load| !is_regular(load, l)).count() as u64;
        let rounds = (points / extent.max(1)).saturating_mul(extent.div_ceil(lanes as u64));
        let results = match nest.loops[l].reduced {
            true => extents().take(nest.kept()).fold(nest.stores.len() as u64, u64::saturating_mul),
            false => 0,
        };
        rounds.saturating_mul(work + SCATTERED * scattered).saturating_add(ACROSS.saturating_mul(results))
    };
    let candidates = (0..nest.loops.len())
        .rev()
        .filter(|&l| nest.loops[l].extent > 1 && nest.stores.iter().all(|s| can_store(nest, s, l)));
    let best = candidates.min_by_key(|&l| (cost(l), nest.loops[l].reduced))?;
    (cost(best) < points.saturating_mul(work)).then_some(best)
}

/// True when lanes of loop `l` read one vector, or one element.
fn is_regular(load: &Load, l: usize) -> bool {
    match load {
        Load::Element(place) => matches!(place.at.strides[l], 0 | 1),
        Load::Gathered(place, chosen) => {
            chosen.index.at.strides[l] == 0 && matches!(place.at.strides[l], 0 | 1)
        }
        Load::Position(_) => true,
    }
}

/// True when lanes of loop `l` write one vector, or what they reduce is written after them.
fn can_store(nest: &Nest, store: &Store, l: usize) -> bool {
    let stride = store.to.at.strides[l];
    match &store.write {
        Write::Set | Write::Add => stride == 1,
        Write::Scatter(chosen) => stride == 1 && chosen.index.at.strides[l] == 0,
        Write::Reduce(_) => nest.loops[l].reduced || stride == 1,
    }
}
