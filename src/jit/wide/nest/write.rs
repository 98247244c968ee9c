//! A nest as a tree: levels, lanes and accumulators.
//!
//! An instruction stands at the level of the innermost loop it depends on; what does not differ
//! between lanes is a vector of equal lanes. The loop in lanes runs in up to three forms: several
//! vectors at once, those that are left, and the tail; few rounds of short bodies are written out.
//!
//! What must stay true: the elements of a sum meet in the order that `loops::tensor` says.

use super::access::Row;
use super::sink::{Held, Sink};
use super::tree::{CHUNK, LoopId};
use crate::jit::wide::{Level, Op, Width};
use crate::loops::tensor::{Combine, Nest, TensorProgram, is_arithmetic};
use crate::loops::{Inst, Value as Name};
use smallvec::SmallVec;

/// Loops of so little work in all are written out.
const UNROLL: u32 = 160;

/// Vectors at once, where a nest gains by several.
const PARTS: usize = 4;

/// Rounds of several vectors that a loop has at least where its body is not short: the code of what is left
/// over is as long as theirs.
const ROUNDS: usize = 16;

/// What is emitted at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// One element; also what is the same for all lanes.
    One,
    /// So many whole vectors.
    Whole(usize),
    /// The elements of no whole vector; how many vectors come before them.
    Tail { lanes: usize, after: usize },
}

impl Mode {
    /// How many vectors there are of a value.
    fn parts(self) -> usize {
        match self {
            Mode::Whole(parts) => parts,
            Mode::One | Mode::Tail { .. } => 1,
        }
    }
}

/// How much of a nest is written, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    All,
    /// All, and no loop is left.
    Whole,
    /// A round of the outermost loop.
    Chunk,
}

/// A loop's counter: the loop, if it is not written out, its step, and a number.
#[derive(Clone, Copy)]
pub(super) struct Counter {
    pub variable: Option<(LoopId, i64)>,
    pub constant: i64,
}

/// What each instruction of the body has become, by part.
type Known = Vec<SmallVec<[Held; 4]>>;

/// A nest being written.
pub(super) struct NestWriter<'n, 's> {
    pub(super) sink: &'s mut Sink,
    pub(super) nest: &'n Nest,
    pub(super) program: &'n TensorProgram,
    pub(super) level: Level,
    pub(super) element: Width,
    pub(super) counters: Vec<Counter>,
    pub(super) mode: Mode,
    /// The level of each instruction, and whether it differs between lanes.
    levels: Vec<usize>,
    varies: Vec<bool>,
    /// Products that go into fused sums.
    fused: Vec<bool>,
    /// Work of one round of each level, that of loops inside included.
    work: Vec<u32>,
    /// Whether all loops are written out.
    extent: Extent,
    /// Vectors at once, and vectors of partial sums where lanes are summed.
    parts: usize,
    sums: usize,
    /// Of each store, by part.
    accumulators: Vec<SmallVec<[Held; 4]>>,
    /// The rows that indices have chosen, by load and by store.
    pub(super) rows: Vec<Option<Row>>,
    pub(super) store_rows: Vec<Option<Row>>,
}

/// How many vectors at once a nest gains by: the most in short bodies; in long ones over elementary
/// functions, which wait for themselves, as many as registers suffice for (see `lockstep`).
fn vectors(nest: &Nest, level: Level, lanes: usize) -> usize {
    let is_long = nest.lanes.is_some_and(|l| nest.loops[l].extent as usize >= ROUNDS * PARTS * lanes);
    match (nest.is_short(), nest.has_functions() && is_long) {
        (true, _) => PARTS,
        (_, true) if level == Level::L512 => PARTS,
        (_, true) => PARTS / 2,
        _ => 1,
    }
}

impl<'n, 's> NestWriter<'n, 's> {
    pub fn new(
        sink: &'s mut Sink,
        program: &'n TensorProgram,
        nest: &'n Nest,
        costs: impl Fn(&Inst) -> u32,
        extent: Extent,
    ) -> Self {
        let (level, element) = (sink.level, sink.element);
        let (mut levels, mut varies): (Vec<usize>, Vec<bool>) = (Vec::new(), Vec::new());
        for inst in &nest.block().insts {
            let of = |x: &Name| (levels[x.index()], varies[x.index()]);
            let (at, vary) = match inst {
                Inst::Load(address) => {
                    let load = &nest.loads[address.offset as usize];
                    (load.depth(), nest.lanes.is_some_and(|l| load.varies(l)))
                }
                Inst::Store(..) => (nest.loops.len(), true),
                _ => (
                    inst.operands().iter().map(|x| of(x).0).max().unwrap_or(0),
                    inst.operands().iter().any(|x| of(x).1),
                ),
            };
            levels.push(at);
            varies.push(vary);
        }
        let mut work = vec![1u32; nest.loops.len() + 1];
        for (inst, &at) in nest.block().insts.iter().zip(&levels) {
            work[at] += costs(inst);
        }
        let lanes = level.bytes() / element.bytes();
        let sums = nest.partial_sums(element.bytes()) / lanes;
        let parts = vectors(nest, level, lanes);
        let parts = if nest.lanes_are_reduced() { parts.max(sums) } else { parts };
        let fused = nest.fused_products();
        let mut writer = NestWriter {
            sink,
            nest,
            program,
            level,
            element,
            counters: Vec::new(),
            mode: Mode::One,
            levels,
            varies,
            fused,
            work,
            extent,
            parts,
            sums,
            accumulators: Vec::new(),
            rows: vec![None; nest.loads.len()],
            store_rows: vec![None; nest.stores.len()],
        };
        writer.sum_work();
        writer
    }

    /// Adds the work of loops inside to each level's own.
    fn sum_work(&mut self) {
        for l in (0..self.nest.loops.len()).rev() {
            let extent = self.nest.loops[l].extent;
            let rounds =
                if self.nest.lanes == Some(l) { extent.div_ceil(self.lanes() as u32) } else { extent };
            let inside = self.work[l + 1];
            // A loop that is not written out counts as one round.
            let inside = match rounds.saturating_mul(inside) {
                all if all <= UNROLL => all,
                _ => UNROLL + inside,
            };
            self.work[l] = self.work[l].saturating_add(inside);
        }
    }

    pub(super) fn lanes(&self) -> usize {
        self.level.bytes() / self.element.bytes()
    }

    /// All of the nest.
    pub fn write(mut self) {
        let mut known = vec![SmallVec::new(); self.nest.block().insts.len()];
        self.within(0, &mut known);
    }

    /// Everything inside the first `level` loops. What is known of loops further in is of rounds that are
    /// over; each round makes it anew before it reads it.
    fn within(&mut self, level: usize, known: &mut Known) {
        self.find_rows(level);
        for at in 0..self.levels.len() {
            let inst = &self.nest.block().insts[at];
            let is_here = self.levels[at] == level && !self.fused[at];
            if is_here && !matches!(inst, Inst::Constant(_) | Inst::Store(..)) {
                let parts = if self.varies[at] { self.mode.parts() } else { 1 };
                known[at] = match inst {
                    Inst::Elementwise(op, _) if parts > 1 && !is_arithmetic(*op) => {
                        let operands: Vec<_> =
                            (0..parts).map(|part| self.operands(inst, part, known)).collect();
                        self.sink.apply_each(inst, &operands)
                    }
                    _ => (0..parts).map(|part| self.compute(inst, part, known)).collect(),
                };
            }
        }
        let reduces = self.nest.kept() < self.nest.loops.len();
        if level == self.nest.kept() && reduces {
            self.open_accumulators();
        }
        match level == self.nest.loops.len() {
            true if reduces => self.accumulate(known),
            true => self.store_all(known),
            false => self.run(level, known),
        }
        if level == self.nest.kept() && reduces {
            self.close_accumulators();
        }
    }

    /// The loop inside `level`.
    fn run(&mut self, level: usize, known: &mut Known) {
        if level == 0 && self.extent == Extent::Chunk {
            self.counters.push(Counter { variable: Some((CHUNK, 1)), constant: 0 });
            self.within(1, known);
            self.counters.pop();
            return;
        }
        let extent = self.nest.loops[level].extent as usize;
        if self.nest.lanes != Some(level) {
            return self.rounds(level, (extent, 1), known);
        }
        let lanes = self.lanes();
        let step = lanes * self.parts;
        let (count, rest) = (extent / step, extent % step);
        if count > 0 {
            self.mode = Mode::Whole(self.parts);
            self.rounds(level, (count, step), known);
        }
        let (vectors, tail) = (rest / lanes, rest % lanes);
        if vectors > 0 {
            self.mode = Mode::Whole(vectors);
            self.round(level, count * step, known);
        }
        if tail > 0 {
            self.sink.open_tail(tail);
            self.mode = Mode::Tail { lanes: tail, after: vectors };
            self.round(level, count * step + vectors * lanes, known);
            self.sink.close_tail();
        }
        self.mode = Mode::One;
    }

    /// One round of the loop inside `level`, at a counter that is a number.
    fn round(&mut self, level: usize, constant: usize, known: &mut Known) {
        self.counters.push(Counter { variable: None, constant: constant as i64 });
        self.within(level + 1, known);
        self.counters.pop();
    }

    /// So many rounds of the loop inside `level`, from 0 up: written out if they are little work.
    fn rounds(&mut self, level: usize, (count, step): (usize, usize), known: &mut Known) {
        let parts = self.mode.parts() as u32;
        let inside = self.work[level + 1].saturating_mul(count as u32);
        let inside = if self.nest.lanes == Some(level) { inside.saturating_mul(parts) } else { inside };
        if count == 1 || inside <= UNROLL || self.extent == Extent::Whole {
            (0..count).for_each(|round| self.round(level, round * step, known));
            return;
        }
        let carried = level >= self.nest.kept();
        let slots: Vec<Vec<u32>> = match carried {
            true => self.accumulators.iter().map(|parts| self.sink.keep_all(parts)).collect(),
            false => Vec::new(),
        };
        let id = self.sink.open_loop();
        if carried {
            self.accumulators = slots.iter().map(|slots| self.sink.slots(slots)).collect();
        }
        self.counters.push(Counter { variable: Some((id, step as i64)), constant: 0 });
        self.within(level + 1, known);
        self.counters.pop();
        if carried {
            let after = std::mem::take(&mut self.accumulators);
            after.iter().zip(&slots).for_each(|(parts, slots)| self.sink.keep_in(parts, slots));
        }
        self.sink.close_loop(id, count as u32);
        if carried {
            self.accumulators = slots.iter().map(|slots| self.sink.slots(slots)).collect();
        }
    }

    fn compute(&mut self, inst: &Inst, part: usize, known: &Known) -> Held {
        if let Inst::Load(address) = inst {
            return self.load(address.offset as usize, part);
        }
        let operands = self.operands(inst, part, known);
        self.sink.apply(inst, &operands)
    }

    fn operands(&mut self, inst: &Inst, part: usize, known: &Known) -> SmallVec<[Held; 3]> {
        inst.operands().iter().map(|x| self.value(*x, part, known)).collect()
    }

    /// A part of an instruction's value; constants are made where they are used.
    fn value(&mut self, name: Name, part: usize, known: &Known) -> Held {
        match &self.nest.block().insts[name.index()] {
            Inst::Constant(bits) => self.sink.number(f64::from_bits(*bits)),
            _ if self.varies[name.index()] => known[name.index()][part],
            _ => known[name.index()][0],
        }
    }

    fn store_all(&mut self, known: &Known) {
        for (store, name) in self.nest.stored() {
            self.set(store, name, known);
        }
    }

    /// Stores a value at the round's place.
    fn set(&mut self, store: usize, name: Name, known: &Known) {
        for part in 0..self.mode.parts() {
            let value = self.value(name, part, known);
            self.store(store, part, value);
        }
    }

    fn open_accumulators(&mut self) {
        let parts = match self.nest.lanes {
            Some(l) if self.nest.lanes_are_reduced() => {
                self.sums.min((self.nest.loops[l].extent as usize).div_ceil(self.lanes()))
            }
            _ => self.mode.parts(),
        };
        self.accumulators.clear();
        for store in 0..self.nest.stores.len() {
            let start = self.nest.reduction(store).map(|combine| self.sink.number(combine.identity()));
            self.accumulators.push(start.into_iter().flat_map(|x| std::iter::repeat_n(x, parts)).collect());
        }
    }

    fn accumulate(&mut self, known: &Known) {
        let first = match self.mode {
            Mode::Tail { after, .. } if self.nest.lanes_are_reduced() => after,
            _ => 0,
        };
        for (store, name) in self.nest.stored() {
            let Some(combine) = self.nest.reduction(store) else {
                self.set(store, name, known);
                continue;
            };
            let factors = match (&self.nest.block().insts[name.index()], self.fused[name.index()]) {
                (Inst::Elementwise(_, operands), true) => Some([operands[0], operands[1]]),
                _ => None,
            };
            for part in 0..self.mode.parts() {
                let at = if self.nest.lanes_are_reduced() { (first + part) % self.sums } else { part };
                let so_far = self.accumulators[store][at];
                let all = match factors {
                    Some(factors) => {
                        let [a, b] = factors.map(|x| self.value(x, part, known));
                        self.sink.push(Op::Fma, &[a, b, so_far])
                    }
                    None => {
                        let value = self.value(name, part, known);
                        self.sink.combined(combine, so_far, value)
                    }
                };
                // What is outside the tail takes no part.
                let is_tail = matches!(self.mode, Mode::Tail { .. }) && self.nest.lanes_are_reduced();
                let all = if is_tail { self.sink.in_tail(all, so_far) } else { all };
                self.accumulators[store][at] = all;
            }
        }
    }

    fn close_accumulators(&mut self) {
        for (store, parts) in std::mem::take(&mut self.accumulators).into_iter().enumerate() {
            let Some(combine) = self.nest.reduction(store) else { continue };
            if self.nest.lanes_are_reduced() {
                let all = self.across(combine, &parts);
                self.store(store, 0, all);
                continue;
            }
            for (part, value) in parts.into_iter().enumerate() {
                self.store(store, part, value);
            }
        }
    }

    /// All lanes of all vectors combined, as a tree: halves with halves. Vectors that are not there
    /// have had no elements.
    fn across(&mut self, combine: Combine, parts: &[Held]) -> Held {
        let mut parts = parts.to_vec();
        let mut half = self.sums / 2;
        while half > 0 {
            for upper in half..parts.len() {
                parts[upper - half] = self.sink.combined(combine, parts[upper - half], parts[upper]);
            }
            parts.truncate(half);
            half /= 2;
        }
        let mut all = parts[0];
        let mut bytes = self.level.bytes() / 2;
        while bytes >= self.element.bytes() {
            let other = self.sink.push(Op::Swap(bytes as u8), &[all]);
            all = self.sink.combined(combine, all, other);
            bytes /= 2;
        }
        self.sink.set_equal(all);
        all
    }
}
