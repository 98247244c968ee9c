//! Steps in a row that each do the same for every round of an outer loop are run round by round: what
//! one writes the next reads while it is near, and threads share the rounds.
//!
//! Where one thread runs them, an array that only one run uses has room for one round (`room`).
//!
//! What must stay true: of the steps of a run, no round touches what another round writes; so every
//! element is what it was when step came after step.

use super::affine::Affine;
use super::program::{BufferId, Load, Matrix, Nest, Place, Product, Rounds, Step, Write};
use super::room;

/// Elements that the steps of a run touch, at least: less stays near anyway.
const ELEMENTS: i64 = 1 << 15;

/// Points of a round of each step on average, at least: a round is a call.
const POINTS: u64 = 1 << 8;

/// Rounds of a run, at least.
const ROUNDS: u32 = 4;

/// What a step touches of a buffer in round 0, from the first element to the last, and how far that
/// moves with each round.
#[derive(Clone, Copy, Debug)]
pub(super) struct Touched {
    pub buffer: BufferId,
    pub first: i64,
    pub last: i64,
    pub stride: i64,
    pub written: bool,
}

/// The steps, runs of them made one. `lasting` are buffers that somebody else reads or sets.
pub(super) fn gathered(
    steps: Vec<Step>,
    sizes: &mut Vec<usize>,
    lasting: &[BufferId],
    threads: usize,
) -> Vec<Step> {
    let mut all = Vec::with_capacity(steps.len());
    let mut rest = steps.as_slice();
    while let Some(step) = rest.first() {
        match run(rest) {
            Some(run) => {
                rest = &rest[run.steps.len()..];
                all.push(Step::Rounds(run));
            }
            None => {
                all.push(step.clone());
                rest = &rest[1..];
            }
        }
    }
    if threads < 2 {
        room::made_again(&mut all, sizes);
        room::contracted(&mut all, sizes, lasting);
    }
    all
}

/// How many rounds a step's outermost loop has that a run may be made of.
pub(super) fn rounds(step: &Step) -> Option<u32> {
    match step {
        Step::Nest(nest) => {
            nest.loops.first().filter(|l| !l.reduced && nest.lanes != Some(0)).map(|l| l.extent)
        }
        Step::Product(product) => product.outer.first().map(|o| o.0),
        Step::Repeated(_) | Step::Rounds(_) => None,
    }
}

/// The longest run that steps begin with.
fn run(all: &[Step]) -> Option<Rounds> {
    let rounds = rounds(&all[0]).filter(|&rounds| rounds >= ROUNDS)?;
    let mut steps = Vec::new();
    let mut touches: Vec<Touched> = Vec::new();
    let mut total = 0u64;
    for step in all {
        let Some(step) = cut(step, rounds) else { break };
        let Some(touched) = touched(&step) else { break };
        let apart = |a: &Touched| touched.iter().chain(&touches).all(|b| are_apart(a, b, rounds));
        if !touched.iter().all(apart) {
            break;
        }
        total = total.saturating_add(points(&step));
        touches.extend(touched);
        steps.push(step);
    }
    let reach = touches.iter().map(|t| (t.last - t.first + 1).min(t.stride.abs()) * i64::from(rounds));
    let pays = total / u64::from(rounds) >= POINTS * steps.len() as u64;
    let pays = pays && steps.len() > 1 && reach.max().is_some_and(|reach| reach >= ELEMENTS);
    pays.then_some(Rounds { rounds, steps })
}

/// The step with an outermost loop of so many rounds.
pub(super) fn cut(step: &Step, rounds: u32) -> Option<Step> {
    match step {
        Step::Nest(nest) => cut_nest(nest, rounds).map(Step::Nest),
        Step::Product(product) => product.outer.first().is_some_and(|o| o.0 == rounds).then(|| step.clone()),
        Step::Repeated(_) | Step::Rounds(_) => None,
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
        nest.split_outermost(rounds, size);
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
        Step::Repeated(_) | Step::Rounds(_) => 0,
    }
}

/// All that a step in rounds touches; none where that depends on numbers in memory.
pub(super) fn touched(step: &Step) -> Option<Vec<Touched>> {
    match step {
        Step::Nest(nest) => touched_by_nest(nest),
        Step::Product(product) => Some(touched_by_product(product)),
        Step::Repeated(_) | Step::Rounds(_) => None,
    }
}

fn touched_by_nest(nest: &Nest) -> Option<Vec<Touched>> {
    let one = |&Place { buffer, ref at }: &Place, written| {
        let inside = Affine { offset: at.offset, strides: at.strides[1..].into() };
        let (least, greatest) = inside.range(nest.loops[1..].iter().map(|l| l.extent));
        // Places of a program that verifies are far inside 63 bits.
        Touched { buffer, first: least as i64, last: greatest as i64, stride: at.strides[0], written }
    };
    let reads = nest.loads.iter().filter_map(|load| match load {
        Load::Element(place) => Some(Some(one(place, false))),
        Load::Gathered(..) => Some(None),
        Load::Position(_) => None,
    });
    let writes = nest.stores.iter().map(|store| match store.write {
        Write::Scatter(_) => None,
        _ => Some(one(&store.to, true)),
    });
    reads.chain(writes).collect()
}

fn touched_by_product(product: &Product) -> Vec<Touched> {
    let [m, n, k] = product.size.map(|d| d as i64);
    let matrices = [(product.to, m, n), (product.left, m, k), (product.right, k, n)];
    let one = |(which, (matrix, rows, columns)): (usize, (Matrix, i64, i64))| {
        let outer = product.outer[1..].iter().map(|(extent, strides)| (i64::from(*extent), strides[which]));
        let inner = [(rows, matrix.row), (columns, matrix.column)].into_iter().chain(outer);
        let (mut first, mut last) = (matrix.offset, matrix.offset);
        for (extent, stride) in inner {
            let end = stride * (extent - 1);
            (first, last) = (first + end.min(0), last + end.max(0));
        }
        Touched { buffer: matrix.buffer, first, last, stride: product.outer[0].1[which], written: which == 0 }
    };
    matrices.into_iter().enumerate().map(one).collect()
}

/// True where no round of the one touches what another round of the other writes.
pub(super) fn are_apart(a: &Touched, b: &Touched, rounds: u32) -> bool {
    if a.buffer != b.buffer || !a.written && !b.written {
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

impl Rounds {
    /// True where rounds may run in any order, and at once.
    pub fn are_apart(&self) -> bool {
        let touches: Option<Vec<Vec<Touched>>> = self.steps.iter().map(touched).collect();
        let Some(touches) = touches else { return false };
        let touches = touches.concat();
        touches.iter().all(|a| touches.iter().all(|b| are_apart(a, b, self.rounds)))
    }

    /// The steps of one round.
    pub fn round(&self, round: u32) -> impl Iterator<Item = Step> {
        self.steps.iter().map(move |step| one_round(step, round))
    }
}

fn one_round(step: &Step, round: u32) -> Step {
    let mut step = step.clone();
    let round = i64::from(round);
    match &mut step {
        Step::Nest(nest) => {
            nest.loops.remove(0);
            nest.lanes = nest.lanes.map(|l| l - 1);
            for form in nest.forms_mut() {
                form.offset += round * form.strides.remove(0);
            }
        }
        Step::Product(product) => {
            let (_, strides) = product.outer.remove(0);
            let matrices = [&mut product.to, &mut product.left, &mut product.right];
            matrices.into_iter().zip(strides).for_each(|(matrix, stride)| matrix.offset += round * stride);
        }
        Step::Repeated(_) | Step::Rounds(_) => {}
    }
    step
}
