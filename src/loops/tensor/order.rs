//! The order of steps, and outputs stored in place of inputs.
//!
//! Steps that a run can be made of follow each other where they can.
//!
//! What must stay true: an input whose place an output takes is read by nobody after that, and in
//! the writing nest only where and before the same iteration writes. Where no order makes it so,
//! the output has its own buffer and is copied at the end.

use super::affine::Affine;
use super::program::{BufferId, Load, Loop, Nest, Place, Step, Store, Write};
use super::rounds::{points, rounds};
use super::shape::choose_lanes;
use crate::loops::{Address, Block, Buffer, Extent, Inst, Program, Value};
use smallvec::smallvec;
use std::collections::BTreeSet;

/// Points of a unit that is large: the order of large ones is chosen for runs of [`super::rounds`].
const LARGE: u64 = 1 << 13;

/// Steps that stay together.
pub(super) struct Unit {
    pub steps: Vec<Step>,
}

/// Steps in order, over buffers of some sizes.
pub(super) struct Placed {
    pub steps: Vec<Step>,
    pub sizes: Vec<usize>,
    pub inputs: Vec<BufferId>,
    pub outputs: Vec<BufferId>,
}

/// Orders the units; `pairs` are outputs and the inputs whose places they take.
pub(super) fn order(
    mut units: Vec<Unit>,
    sizes: Vec<usize>,
    inputs: Vec<BufferId>,
    mut outputs: Vec<BufferId>,
    pairs: &[(usize, usize)],
    lanes: usize,
) -> Placed {
    // The input whose place a buffer takes.
    let mut place_of: Vec<Option<BufferId>> = vec![None; sizes.len()];
    let mut taken = vec![false; sizes.len()];
    let mut copies: Vec<(BufferId, BufferId)> = Vec::new();
    let writers = writers(&units, sizes.len());
    for &(output, input) in pairs {
        let (from, to) = (outputs[output], inputs[input]);
        let free = !taken[to.index()] && place_of[from.index()].is_none();
        match free && writers[from.index()].iter().all(|&at| is_safe(&units[at], from, to)) {
            true => (place_of[from.index()], taken[to.index()]) = (Some(to), true),
            false => copies.push((from, to)),
        }
        outputs[output] = to;
    }
    let sorted = loop {
        match sort(&units, &place_of) {
            Ok(sorted) => break sorted,
            Err(given_up) => {
                let to = place_of[given_up.index()].take().expect("only such units wait");
                copies.push((given_up, to));
            }
        }
    };
    let mut steps: Vec<Step> =
        sorted.into_iter().flat_map(|at| std::mem::take(&mut units[at].steps)).collect();
    let size = |id: BufferId| sizes[id.index()];
    steps.extend(
        copies.into_iter().filter_map(|(from, to)| copy(from, to, size(from), lanes)).map(Step::Nest),
    );
    for buffer in steps.iter_mut().flat_map(Step::buffers_mut).chain(&mut outputs) {
        if let Some(place) = place_of[buffer.index()] {
            *buffer = place;
        }
    }
    Placed { steps, sizes, inputs, outputs }
}

/// The units that write each of so many buffers.
fn writers(units: &[Unit], count: usize) -> Vec<Vec<usize>> {
    let mut writers: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (at, unit) in units.iter().enumerate() {
        for buffer in unit.steps.iter().flat_map(Step::writes) {
            writers[buffer.index()].push(at);
        }
    }
    writers
}

/// True when a unit that writes `from` may do so into the place of `to`: it does not read `to`, or only
/// at the elements it writes.
fn is_safe(unit: &Unit, from: BufferId, to: BufferId) -> bool {
    let reading = unit.steps.iter().any(|step| step.reads().contains(&to));
    // Nests of one unit write apart from each other.
    !reading || unit.steps.iter().all(|step| reads_where_it_writes(step, from, to))
}

/// True when a nest writes `from` once a round, and reads `to` only at the element it writes.
pub(super) fn reads_where_it_writes(step: &Step, from: BufferId, to: BufferId) -> bool {
    if !step.reads().contains(&to) {
        return true;
    }
    let Step::Nest(nest) = step else { return false };
    let written: Vec<&Store> = nest.stores.iter().filter(|s| s.to.buffer == from).collect();
    let [Store { to: target, write: Write::Set }] = written.as_slice() else { return false };
    let elements = nest.loads.iter().filter(|load| matches!(load, Load::Element(p) if p.buffer == to));
    let alike = elements.clone().all(|load| matches!(load, Load::Element(p) if p.at == target.at));
    alike && elements.count() == nest.reads().filter(|&buffer| buffer == to).count()
}

/// The units in an order in which everything is written before it is read, and inputs are read
/// before their places are taken; or a buffer that takes a place and cannot.
fn sort(units: &[Unit], place_of: &[Option<BufferId>]) -> Result<Vec<usize>, BufferId> {
    let count = place_of.len();
    let writers = writers(units, count);
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (at, unit) in units.iter().enumerate() {
        for step in &unit.steps {
            step.reads().into_iter().for_each(|buffer| readers[buffer.index()].push(at));
        }
    }
    let mut after: Vec<Vec<usize>> = vec![Vec::new(); units.len()];
    for buffer in 0..count {
        for &writer in &writers[buffer] {
            after[writer].extend(readers[buffer].iter().filter(|&&reader| reader != writer));
            if let Some(place) = place_of[buffer] {
                let before = readers[place.index()].iter().filter(|&&reader| reader != writer);
                before.for_each(|&reader| after[reader].push(writer));
            }
        }
    }
    after.iter_mut().for_each(|list| {
        list.sort_unstable();
        list.dedup();
    });
    let mut waits = vec![0u32; units.len()];
    after.iter().flatten().for_each(|&at| waits[at] += 1);
    let rounds: Vec<Option<u32>> = units.iter().map(rounds_of).collect();
    let mut ready: BTreeSet<usize> = (0..units.len()).filter(|&at| waits[at] == 0).collect();
    let mut sorted = Vec::new();
    let mut last = None;
    while let Some(at) = next(&ready, &rounds, last) {
        ready.remove(&at);
        last = rounds[at].map(|own| last.filter(|&of| own.is_multiple_of(of)).unwrap_or(own));
        sorted.push(at);
        for &user in &after[at] {
            waits[user] -= 1;
            if waits[user] == 0 {
                ready.insert(user);
            }
        }
    }
    let waiting = |buffer: &usize| writers[*buffer].iter().any(|&at| waits[at] > 0);
    match (0..count).find(|buffer| place_of[*buffer].is_some() && waiting(buffer)) {
        Some(buffer) if sorted.len() < units.len() => Err(BufferId(buffer as u32)),
        _ => Ok(sorted),
    }
}

/// How many rounds a large unit's outermost loop has.
fn rounds_of(unit: &Unit) -> Option<u32> {
    let step = unit.steps.last().filter(|step| points(step) >= LARGE)?;
    rounds(step).filter(|&rounds| rounds > 1)
}

/// Of the units that are ready the one to come next: one that goes on with the rounds of the last, or
/// else a small one, or else the first.
fn next(ready: &BTreeSet<usize>, rounds: &[Option<u32>], last: Option<u32>) -> Option<usize> {
    let goes_on = |at: &&usize| last.zip(rounds[**at]).is_some_and(|(last, own)| own.is_multiple_of(last));
    let is_small = |at: &&usize| rounds[**at].is_none();
    ready.iter().find(goes_on).or_else(|| ready.iter().find(is_small)).or_else(|| ready.first()).copied()
}

/// A nest that copies a buffer; none for an empty one.
pub(super) fn copy(from: BufferId, to: BufferId, size: usize, lanes: usize) -> Option<Nest> {
    if size == 0 {
        return None;
    }
    let at = Affine { offset: 0, strides: smallvec![1] };
    let place = |buffer| Place { buffer, at: at.clone() };
    let loops = vec![Loop { extent: size as u32, reduced: false }];
    let mut nest = copied(loops, place(from), place(to));
    nest.lanes = choose_lanes(&nest, lanes);
    Some(nest)
}

/// A nest that copies element by element.
pub(super) fn copied(loops: Vec<Loop>, from: Place, to: Place) -> Nest {
    let address = |buffer| Address { buffer, offset: 0, stride: 1 };
    let insts =
        vec![Inst::Load(address(Buffer::Inputs)), Inst::Store(address(Buffer::Outputs), Value::new(0))];
    let nests = vec![crate::loops::Nest { extent: Extent::Rows, blocks: vec![Block { insts }] }];
    Nest {
        loops,
        lanes: None,
        loads: vec![Load::Element(from)],
        stores: vec![Store { to, write: Write::Set }],
        body: Program { inputs: 1, outputs: 1, scratch: 0, nests },
    }
}
