//! Room for one round: arrays that live within one run of rounds hold a round's elements only, and what
//! is cheap to compute is computed anew in every run, so that it lives within each.
//!
//! What must stay true: rounds run one after another, and every step reads what it read.

use super::program::{BufferId, Load, Nest, Rounds, Step, Write};
use super::rounds::{Touched, cut, touched};

/// Instructions of what is computed anew, at most.
const CHEAP: u32 = 4;

/// How much smaller what it is computed from is.
const FROM: usize = 4;

/// Computes cheap arrays anew in runs after the first that uses them.
pub(super) fn made_again(steps: &mut [Step], sizes: &mut Vec<usize>) {
    for at in 0..steps.len() {
        let Step::Rounds(run) = &steps[at] else { continue };
        let mut read: Vec<BufferId> = run.steps.iter().flat_map(Step::reads).collect();
        read.sort_unstable();
        read.dedup();
        for buffer in read {
            let Some(nest) = maker(&steps[..=at], buffer, sizes) else { continue };
            let Step::Rounds(run) = &mut steps[at] else { continue };
            let own = BufferId::new(sizes.len() as u32);
            if let Some(step) = made_in(run, &nest, buffer) {
                run.steps.insert(0, step);
                sizes.push(sizes[buffer.index()]);
                let names = run.steps.iter_mut().flat_map(Step::buffers_mut);
                names.filter(|name| **name == buffer).for_each(|name| *name = own);
            }
        }
    }
}

/// The nest that makes all of a buffer in one of these steps, if it is cheap and in an earlier run, and
/// what it reads is still there.
fn maker(steps: &[Step], buffer: BufferId, sizes: &[usize]) -> Option<Nest> {
    let writes = |step: &Step, buffer| step.writes().contains(&buffer);
    let mut writers = steps.iter().enumerate().filter(|(_, step)| writes(step, buffer));
    let (Some((at, Step::Rounds(run))), None) = (writers.next(), writers.next()) else { return None };
    let mut makers = run.steps.iter().filter(|step| writes(step, buffer));
    let (Some(Step::Nest(nest)), None) = (makers.next(), makers.next()) else { return None };
    let plain = matches!(nest.stores.as_slice(), [store] if store.write == Write::Set);
    let element = |load: &Load| matches!(load, Load::Element(_));
    let cheap = plain && nest.body_length() <= CHEAP && nest.loads.iter().all(element);
    let small = nest.reads().map(|x| sizes[x.index()]).sum::<usize>() * FROM <= sizes[buffer.index()];
    // Also in the run itself, as its other steps come later.
    let stays = nest.reads().all(|x| !steps[at..].iter().any(|step| writes(step, x)));
    (cheap && small && stays).then(|| nest.clone())
}

/// The nest as a step of a run that makes a buffer there, where every round reads no more of it than
/// the same round makes.
fn made_in(run: &Rounds, nest: &Nest, buffer: BufferId) -> Option<Step> {
    let step = cut(&Step::Nest(nest.clone()), run.rounds)?;
    let of_buffer =
        |step: &Step| touched(step).unwrap_or_default().into_iter().filter(|t| t.buffer == buffer);
    let Touched { first, last, stride, .. } = of_buffer(&step).find(|t| t.written)?;
    let inside = |t: &Touched| !t.written && t.stride == stride && first <= t.first && t.last <= last;
    run.steps.iter().all(|step| of_buffer(step).all(|t| inside(&t))).then_some(step)
}

/// Gives arrays that live within one run room for one round.
pub(super) fn contracted(steps: &mut [Step], sizes: &mut [usize], lasting: &[BufferId]) {
    let mut users: Vec<u32> = vec![0; sizes.len()];
    for step in steps.iter() {
        let mut used: Vec<BufferId> = step.reads().into_iter().chain(step.writes()).collect();
        used.sort_unstable();
        used.dedup();
        used.iter().for_each(|buffer| users[buffer.index()] += 1);
    }
    for step in steps {
        let Step::Rounds(run) = step else { continue };
        let mut written: Vec<BufferId> = run.steps.iter().flat_map(Step::writes).collect();
        written.sort_unstable();
        written.dedup();
        written.retain(|buffer| users[buffer.index()] == 1 && !lasting.contains(buffer));
        for buffer in written {
            if let Some(size) = size_of_round(run, buffer) {
                sizes[buffer.index()] = size;
                run.steps.iter_mut().for_each(|step| stay(step, buffer));
            }
        }
    }
}

/// Elements of a buffer that one round touches, if every round touches as many of its own.
fn size_of_round(run: &Rounds, buffer: BufferId) -> Option<usize> {
    let touches = run.steps.iter().flat_map(|step| touched(step).unwrap_or_default());
    let touches: Vec<Touched> = touches.filter(|t| t.buffer == buffer).collect();
    let stride = touches.first()?.stride;
    let alike = touches.iter().all(|t| t.stride == stride && t.first >= 0 && t.last < stride);
    alike.then_some(stride as usize)
}

/// Makes every round of a step use the place that round 0 uses in a buffer.
fn stay(step: &mut Step, buffer: BufferId) {
    match step {
        Step::Nest(nest) => {
            let loads = nest.loads.iter_mut().filter_map(|load| match load {
                Load::Element(place) => Some(place),
                Load::Gathered(..) | Load::Position(_) => None,
            });
            let places = loads.chain(nest.stores.iter_mut().map(|store| &mut store.to));
            places.filter(|place| place.buffer == buffer).for_each(|place| place.at.strides[0] = 0);
        }
        Step::Product(product) => {
            let of = [product.to, product.left, product.right].map(|matrix| matrix.buffer == buffer);
            let strides = product.outer[0].1.iter_mut().zip(of);
            strides.filter(|(_, of)| *of).for_each(|(stride, _)| *stride = 0);
        }
        Step::Repeated(_) | Step::Rounds(_) => {}
    }
}
