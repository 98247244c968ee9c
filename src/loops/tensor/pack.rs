//! Elements that a nest reads apart from each other, lane by lane, and over and over: a copy of them
//! side by side is made first.
//!
//! What must stay true: the nest computes what it did, in the order it did; copies are made where
//! their elements are read several times each, and are no larger than what they are copies of.

use super::affine::{Affine, counters, flatten};
use super::order::copied;
use super::program::{BufferId, Load, Loop, Nest, Place, Step};
use super::shape::choose_lanes;
use smallvec::SmallVec;

/// Times an element is read, at least: a copy costs as much as two readings, one of them a vector's.
const TIMES: u64 = 4;

/// The steps with copies before the nests that read them; new buffers are added to the sizes of those
/// there are.
pub(super) fn packed(steps: Vec<Step>, sizes: &mut Vec<usize>, lanes: usize) -> Vec<Step> {
    let mut all = Vec::with_capacity(steps.len());
    for mut step in steps {
        if let Step::Nest(nest) = &mut step {
            all.extend(copies(nest, sizes, lanes).into_iter().map(Step::Nest));
        }
        all.push(step);
    }
    all
}

/// The copies a nest is better for; it reads them.
fn copies(nest: &mut Nest, sizes: &mut Vec<usize>, lanes: usize) -> Vec<Nest> {
    let Some(lane) = nest.lanes else { return Vec::new() };
    let mut copies = Vec::new();
    for at in 0..nest.loads.len() {
        let Load::Element(place) = &nest.loads[at] else { continue };
        let Some(loops) = loops_of_copy(nest, place, lane, sizes[place.buffer.index()]) else { continue };
        let to = BufferId(sizes.len() as u32);
        let extents: SmallVec<[u32; 4]> = loops.iter().map(|&l| nest.loops[l].extent).collect();
        sizes.push(extents.iter().map(|&d| d as usize).product());
        let inside = |l: &usize| loops.iter().position(|own| own == l);
        let row_major = flatten(&counters(0, extents.len(), extents.len()), &extents, extents.len());
        let from =
            Affine { offset: place.at.offset, strides: loops.iter().map(|&l| place.at.strides[l]).collect() };
        let strides = (0..nest.loops.len()).map(|l| inside(&l).map_or(0, |own| row_major.strides[own]));
        let read = Place { buffer: to, at: Affine { offset: 0, strides: strides.collect() } };
        let from = Place { buffer: place.buffer, at: from };
        let loops = extents.iter().map(|&extent| Loop { extent, reduced: false }).collect();
        let mut copy = copied(loops, from, Place { buffer: to, at: row_major });
        copy.lanes = choose_lanes(&copy, lanes);
        copies.push(copy);
        nest.loads[at] = Load::Element(read);
    }
    copies
}

/// The loops along which a load is copied, that in lanes last; none where a copy does not pay.
fn loops_of_copy(nest: &Nest, place: &Place, lane: usize, size: usize) -> Option<SmallVec<[usize; 4]>> {
    if matches!(place.at.strides[lane], 0 | 1) {
        return None;
    }
    let varies = |&l: &usize| place.at.strides[l] != 0 && l != lane;
    let loops: SmallVec<[usize; 4]> = (0..nest.loops.len()).filter(varies).chain([lane]).collect();
    let points = |l: &usize| u64::from(nest.loops[*l].extent);
    let all = (0..nest.loops.len()).fold(1u64, |all, l| all.saturating_mul(points(&l)));
    let own = loops.iter().fold(1u64, |all, l| all.saturating_mul(points(l)));
    (own <= size as u64 && all / own >= TIMES).then_some(loops)
}
