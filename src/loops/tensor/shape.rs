//! The loops of a nest, made few: loops of one round go, neighbours that step alike become one,
//! and the one fit for vector lanes is chosen.
//!
//! What must stay true: the same elements are visited, and in the same order but for
//! [`reorder_loops`].

use super::program::{Load, Loop, Nest, Store, Write};
use crate::loops::Inst;

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

/// The loop to run in lanes: one along which elements are adjacent or the same, if one runs
/// often enough.
pub(super) fn choose_lanes(nest: &Nest, lanes: usize) -> Option<usize> {
    let block = nest.block();
    let work = block.insts.iter().filter(|inst| !matches!(inst, Inst::Load(_) | Inst::Constant(_))).count();
    let candidates = (0..nest.loops.len()).rev().filter(|&l| {
        nest.loops[l].extent as usize >= lanes && nest.stores.iter().all(|s| can_store(nest, s, l))
    });
    let scattered = |l: usize| nest.loads.iter().filter(|load| !is_regular(load, l)).count();
    let best = candidates.min_by_key(|&l| (scattered(l), nest.loops[l].reduced))?;
    (2 * scattered(best) <= work).then_some(best)
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
