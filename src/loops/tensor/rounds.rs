//! Steps in a row that each do the same for every round of an outer loop: they are run round by round,
//! so that what one writes the next reads while it is near, and threads share the rounds.
//!
//! What must stay true: of the steps of a run, no round touches what another round writes; so every
//! element is what it was when step came after step.

use super::affine::Affine;
use super::program::{BufferId, Load, Loop, Nest, Product, Step, TensorProgram, Write};
use std::ops::Range;

/// Elements that the steps of a run touch, at least: less stays near anyway.
const ELEMENTS: i64 = 1 << 15;

/// Points of a round of each step on average, at least: a round is a call.
const POINTS: u64 = 1 << 8;

/// Rounds of a run, at least.
const ROUNDS: u32 = 4;

/// Steps in a row, cut into so many rounds each.
pub struct Run {
    pub at: Range<usize>,
    pub rounds: u32,
    /// Nests whose outermost loop counts the rounds, and products whose outermost loop does.
    pub steps: Vec<Step>,
}

/// What a step touches in round 0, from the first element of the arena to the last, and how far that
/// moves with each round.
#[derive(Clone, Copy)]
struct Touched {
    first: i64,
    last: i64,
    stride: i64,
    written: bool,
}

/// The runs of a program, in order and apart from each other.
pub fn runs(program: &TensorProgram) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut at = 0;
    while at < program.steps.len() {
        match run(program, at) {
            Some(run) => {
                at = run.at.end;
                runs.push(run);
            }
            None => at += 1,
        }
    }
    runs
}

/// How many rounds a step's outermost loop has that a run may be made of.
pub(super) fn rounds(step: &Step) -> Option<u32> {
    match step {
        Step::Nest(nest) => {
            nest.loops.first().filter(|l| !l.reduced && nest.lanes != Some(0)).map(|l| l.extent)
        }
        Step::Product(product) => product.outer.first().map(|o| o.0),
        Step::Repeated(_) => None,
    }
}

/// The longest run from a step on.
fn run(program: &TensorProgram, first: usize) -> Option<Run> {
    let rounds = rounds(&program.steps[first]).filter(|&rounds| rounds >= ROUNDS)?;
    let mut steps = Vec::new();
    let mut all: Vec<Touched> = Vec::new();
    let mut total = 0;
    for step in &program.steps[first..] {
        let Some(step) = cut(step, rounds) else { break };
        let Some(touched) = touched(program, &step) else { break };
        let apart = |a: &Touched| touched.iter().chain(&all).all(|b| are_apart(a, b, rounds));
        if !touched.iter().all(apart) {
            break;
        }
        total += points(&step);
        all.extend(touched);
        steps.push(step);
    }
    let reach = all.iter().map(|t| (t.last - t.first + 1).min(t.stride.abs()) * i64::from(rounds));
    let pays = total / u64::from(rounds) >= POINTS * steps.len() as u64;
    let pays = pays && steps.len() > 1 && reach.max().is_some_and(|reach| reach >= ELEMENTS);
    pays.then(|| Run { at: first..first + steps.len(), rounds, steps })
}

/// The step with an outermost loop of so many rounds.
fn cut(step: &Step, rounds: u32) -> Option<Step> {
    match step {
        Step::Nest(nest) => cut_nest(nest, rounds).map(Step::Nest),
        Step::Product(product) => product.outer.first().is_some_and(|o| o.0 == rounds).then(|| step.clone()),
        Step::Repeated(_) => None,
    }
}

fn cut_nest(nest: &Nest, rounds: u32) -> Option<Nest> {
    let outer = nest.loops.first().filter(|l| !l.reduced && l.extent.is_multiple_of(rounds))?;
    if nest.lanes == Some(0) {
        return None;
    }
    let size = outer.extent / rounds;
    let mut nest = nest.clone();
    if size > 1 {
        nest.loops[0].extent = size;
        nest.loops.insert(0, Loop { extent: rounds, reduced: false });
        nest.lanes = nest.lanes.map(|l| l + 1);
        for form in nest.forms_mut() {
            let stride = form.strides[0] * i64::from(size);
            form.strides.insert(0, stride);
        }
    }
    Some(nest)
}

/// Points of all loops of a step.
pub(super) fn points(step: &Step) -> u64 {
    let all = |extents: &mut dyn Iterator<Item = u64>| extents.fold(1u64, u64::saturating_mul);
    match step {
        Step::Nest(nest) => all(&mut nest.loops.iter().map(|l| u64::from(l.extent))),
        Step::Product(Product { size, outer, .. }) => {
            all(&mut size.iter().map(|&d| d as u64).chain(outer.iter().map(|o| u64::from(o.0))))
        }
        Step::Repeated(_) => 0,
    }
}

/// All that a step in rounds touches; none where that depends on numbers in memory.
fn touched(program: &TensorProgram, step: &Step) -> Option<Vec<Touched>> {
    match step {
        Step::Nest(nest) => {
            let one = |buffer: BufferId, at: &Affine, written| {
                let start = program.buffers[buffer.index()].offset as i64;
                let (least, greatest) =
                    at.range([1].into_iter().chain(nest.loops[1..].iter().map(|l| l.extent)));
                let [first, last] = [least, greatest].map(|x| start + x as i64);
                Touched { first, last, stride: at.strides[0], written }
            };
            let reads = nest.loads.iter().filter_map(|load| match load {
                Load::Element(place) => Some(Some(one(place.buffer, &place.at, false))),
                Load::Gathered(..) => Some(None),
                Load::Position(_) => None,
            });
            let writes = nest.stores.iter().map(|store| match store.write {
                Write::Scatter(_) => None,
                _ => Some(one(store.to.buffer, &store.to.at, true)),
            });
            reads.chain(writes).collect()
        }
        Step::Product(product) => Some(touched_by_product(program, product)),
        Step::Repeated(_) => None,
    }
}

fn touched_by_product(program: &TensorProgram, product: &Product) -> Vec<Touched> {
    let [m, n, k] = product.size.map(|d| d as i64);
    let matrices = [(product.to, m, n), (product.left, m, k), (product.right, k, n)];
    let one = |(which, (matrix, rows, columns)): (usize, (super::Matrix, i64, i64))| {
        let start = program.buffers[matrix.buffer.index()].offset as i64 + matrix.offset;
        let outer = product.outer[1..].iter().map(|(extent, strides)| (i64::from(*extent), strides[which]));
        let inner = [(rows, matrix.row), (columns, matrix.column)].into_iter().chain(outer);
        let (mut first, mut last) = (start, start);
        for (extent, stride) in inner {
            let end = stride * (extent - 1);
            (first, last) = (first + end.min(0), last + end.max(0));
        }
        Touched { first, last, stride: product.outer[0].1[which], written: which == 0 }
    };
    matrices.into_iter().enumerate().map(one).collect()
}

/// True where no round of the one touches what another round of the other writes.
fn are_apart(a: &Touched, b: &Touched, rounds: u32) -> bool {
    if !a.written && !b.written {
        return true;
    }
    let whole = |t: &Touched| {
        let end = t.stride * i64::from(rounds - 1);
        (t.first + end.min(0), t.last + end.max(0))
    };
    let ((a_first, a_last), (b_first, b_last)) = (whole(a), whole(b));
    let never = a_last < b_first || b_last < a_first;
    let (stride, alike) = (a.stride.abs(), a.stride == b.stride);
    never || alike && b.last - a.first < stride && a.last - b.first < stride
}
