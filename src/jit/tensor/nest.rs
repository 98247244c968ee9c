//! A nest as CLIF: loops, levels, lanes and accumulators.
//!
//! An instruction is emitted at the level of the innermost loop it depends on, and as a vector only
//! if it differs from lane to lane. The loop in lanes runs in up to three forms: several vectors at
//! once, one vector, one element; few rounds of short bodies are written out.
//!
//! What must stay true: the elements of a sum meet in an order that depends on the program only.

use super::access::Row;
use super::lanes::{Lanes, float_constant, integer};
use super::math;
use crate::elementary::Machine;
use crate::jit::isa::Host;
use crate::loops::tensor::{Combine, Nest, TensorProgram};
use crate::loops::{Inst, Kind, Value as Name};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{BlockArg, InstBuilder, Type, Value, types};
use cranelift_frontend::FunctionBuilder;
use smallvec::SmallVec;

/// Loops of so little work in all are written out.
const UNROLL: u32 = 96;

/// Vectors at once where sums of lanes would wait for each other.
const PARTS: usize = 4;

/// How elements are handled at the moment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Scalar,
    /// So many vectors at once.
    Vector(usize),
}

/// A loop's counter: a variable, if the loop is not written out, and a number.
#[derive(Clone, Copy)]
pub(super) struct Counter {
    pub variable: Option<Value>,
    pub constant: i64,
}

/// What an instruction of the body has become so far.
#[derive(Clone, Default)]
struct Slot {
    scalar: Option<Value>,
    vectors: SmallVec<[Value; 4]>,
}

/// What is known at a level, by instruction and by store.
#[derive(Clone)]
pub(super) struct Known {
    slots: Vec<Slot>,
    pub rows: Vec<Option<Row>>,
    pub store_rows: Vec<Option<Row>>,
}

/// A reduction under way: vectors, or where nothing is in lanes a number.
#[derive(Clone, Default)]
struct Accumulator {
    vectors: SmallVec<[Value; 4]>,
    scalar: Option<Value>,
}

/// Where an element behind the last whole vector is summed: in a lane of a vector.
#[derive(Clone, Copy)]
struct Lane {
    vector: usize,
    lane: u8,
}

/// Where code goes.
pub(super) struct Emitter<'a, 'f> {
    pub builder: FunctionBuilder<'f>,
    pub host: &'a Host,
    pub program: &'a TensorProgram,
    /// F32 or F64, and the vector of it.
    pub float: Type,
    pub vector: Type,
    pub arena: Value,
}

/// A nest being written.
pub(super) struct NestWriter<'e, 'a, 'f> {
    pub emitter: &'e mut Emitter<'a, 'f>,
    pub nest: &'a Nest,
    pub counters: Vec<Counter>,
    pub mode: Mode,
    /// The level of each instruction, and whether it differs between lanes.
    levels: Vec<usize>,
    pub varies: Vec<bool>,
    /// Products that go into fused sums.
    fused: Vec<bool>,
    /// Work of one round of each level, that of loops inside included.
    work: Vec<u32>,
    parts: usize,
    accumulators: Vec<Accumulator>,
    lane: Option<Lane>,
    /// The counter of the outermost loop, where the caller counts.
    given: Option<Value>,
}

/// How much code a nest is, in instructions or so.
pub(super) fn code_size(nest: &Nest, host: &Host) -> u32 {
    body_length(nest, host) + 8 * nest.loops.len() as u32 + 8
}

/// How much work one iteration is, in instructions or so.
pub(super) fn body_length(nest: &Nest, host: &Host) -> u32 {
    nest.block().insts.iter().map(|inst| inst_length(inst, host)).sum()
}

/// How much work an instruction is, in machine instructions or so.
pub(super) fn inst_length(inst: &Inst, host: &Host) -> u32 {
    match inst {
        Inst::Elementwise(op, _) => math::length(*op, host),
        Inst::Constant(_) => 0,
        _ => 1,
    }
}

impl<'a, 'f> Emitter<'a, 'f> {
    pub fn lanes(&self) -> usize {
        self.vector.lane_count() as usize
    }

    /// Appends a nest; of its outermost loop, if a round of it is given, that one only.
    pub fn nest(&mut self, nest: &'a Nest, round: Option<Value>) {
        let mut writer = NestWriter::new(self, nest);
        writer.given = round;
        let mut known = Known {
            slots: vec![Slot::default(); nest.block().insts.len()],
            rows: vec![None; nest.loads.len()],
            store_rows: vec![None; nest.stores.len()],
        };
        writer.level(0, &mut known);
    }
}

impl<'e, 'a, 'f> NestWriter<'e, 'a, 'f> {
    fn new(emitter: &'e mut Emitter<'a, 'f>, nest: &'a Nest) -> Self {
        let insts = &nest.block().insts;
        let (mut levels, mut varies) = (Vec::new(), Vec::new());
        for inst in insts {
            let (level, vary) = match inst {
                Inst::Load(address) => {
                    let load = &nest.loads[address.offset as usize];
                    (load.depth(), nest.lanes.is_some_and(|l| load.varies(l)))
                }
                Inst::Store(..) => (nest.loops.len(), true),
                _ => (
                    inst.operands().iter().map(|x| levels[x.index()]).max().unwrap_or(0),
                    inst.operands().iter().any(|x| varies[x.index()]),
                ),
            };
            levels.push(level);
            varies.push(vary);
        }
        let fused = nest.fused_products();
        let mut work = vec![1u32; nest.loops.len() + 1];
        for (inst, &level) in insts.iter().zip(&levels) {
            work[level] += inst_length(inst, emitter.host);
        }
        let size = emitter.vector.lane_type().bytes() as usize;
        let parts = match nest.lanes {
            Some(l) if nest.loops[l].reduced => nest.partial_sums(size) / emitter.lanes(),
            _ if nest.kept() < nest.loops.len() && nest.is_short() => PARTS,
            _ => 1,
        };
        let mut writer = NestWriter {
            emitter,
            nest,
            counters: Vec::new(),
            mode: Mode::Scalar,
            levels,
            varies,
            fused,
            work,
            parts,
            accumulators: Vec::new(),
            lane: None,
            given: None,
        };
        writer.sum_work();
        writer
    }

    /// Adds the work of loops inside to each level's own.
    fn sum_work(&mut self) {
        for l in (0..self.nest.loops.len()).rev() {
            let extent = self.nest.loops[l].extent;
            let rounds = if self.nest.lanes == Some(l) { self.rounds(extent) } else { extent };
            let inside = self.work[l + 1];
            // A loop that is not written out counts as one round.
            let inside = match rounds.saturating_mul(inside) {
                all if all <= UNROLL => all,
                _ => UNROLL + inside,
            };
            self.work[l] = self.work[l].saturating_add(inside);
        }
    }

    /// How many bodies there are in a loop in lanes, were it written out.
    fn rounds(&self, extent: u32) -> u32 {
        let lanes = self.emitter.lanes() as u32;
        extent / lanes + extent % lanes
    }

    pub fn builder(&mut self) -> &mut FunctionBuilder<'f> {
        &mut self.emitter.builder
    }

    /// Everything inside the first `level` loops.
    fn level(&mut self, level: usize, known: &mut Known) {
        self.find_rows(level, known);
        for i in 0..self.levels.len() {
            let inst = &self.nest.block().insts[i];
            let here = self.levels[i] == level && !self.fused[i];
            if here && !matches!(inst, Inst::Constant(_) | Inst::Store(..)) {
                self.compute(i, inst, known);
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
    fn run(&mut self, level: usize, known: &Known) {
        if let (0, Some(round)) = (level, self.given) {
            self.counters.push(Counter { variable: Some(round), constant: 0 });
            self.level(1, &mut known.clone());
            self.counters.pop();
            return;
        }
        let extent = self.nest.loops[level].extent as usize;
        if self.nest.lanes != Some(level) {
            return self.rounds_of(level, 0, extent, 1, known);
        }
        if self.nest.lanes_are_reduced() {
            return self.run_reduced(level, extent, known);
        }
        let lanes = self.emitter.lanes();
        let forms =
            [(lanes * self.parts, Mode::Vector(self.parts)), (lanes, Mode::Vector(1)), (1, Mode::Scalar)];
        let mut start = 0;
        for (step, mode) in forms {
            let count = (extent - start) / step;
            if count > 0 {
                self.mode = mode;
                self.rounds_of(level, start, count, step, known);
                start += count * step;
            }
        }
        self.mode = Mode::Scalar;
    }

    /// The loop in lanes inside `level`, which is reduced: each element goes to the partial result
    /// of its number.
    fn run_reduced(&mut self, level: usize, extent: usize, known: &Known) {
        let lanes = self.emitter.lanes();
        let (count, rest) = (extent / (lanes * self.parts), extent % (lanes * self.parts));
        let mut start = extent - rest;
        if count > 0 {
            self.mode = Mode::Vector(self.parts);
            self.rounds_of(level, 0, count, lanes * self.parts, known);
        }
        if rest >= lanes {
            self.mode = Mode::Vector(rest / lanes);
            self.rounds_of(level, start, 1, lanes, known);
            start += rest / lanes * lanes;
        }
        self.mode = Mode::Scalar;
        for lane in 0..extent - start {
            self.lane = Some(Lane { vector: rest / lanes, lane: lane as u8 });
            self.rounds_of(level, start + lane, 1, 1, known);
        }
        self.lane = None;
    }

    /// `count` rounds of the loop inside `level`: written out if they are little work.
    fn rounds_of(&mut self, level: usize, start: usize, count: usize, step: usize, known: &Known) {
        let inside = self.work[level + 1].saturating_mul(count as u32);
        if count == 1 || inside <= UNROLL {
            for round in 0..count {
                let constant = (start + round * step) as i64;
                self.counters.push(Counter { variable: None, constant });
                self.level(level + 1, &mut known.clone());
                self.counters.pop();
            }
            return;
        }
        let carried = level >= self.nest.kept();
        let [head, done] = [(); 2].map(|()| self.builder().create_block());
        let first = self.builder().ins().iconst(types::I64, start as i64);
        let mut arguments = vec![BlockArg::Value(first)];
        if carried {
            arguments.extend(self.running().map(|x| BlockArg::Value(*x)));
        }
        self.builder().ins().jump(head, &arguments);
        self.builder().switch_to_block(head);
        let counter = self.builder().append_block_param(head, types::I64);
        if carried {
            let emitter = &mut *self.emitter;
            for x in running(&mut self.accumulators) {
                let ty = emitter.builder.func.dfg.value_type(*x);
                *x = emitter.builder.append_block_param(head, ty);
            }
        }
        self.counters.push(Counter { variable: Some(counter), constant: 0 });
        self.level(level + 1, &mut known.clone());
        self.counters.pop();
        let next = self.builder().ins().iadd_imm_s(counter, step as i64);
        let end = (start + count * step) as i64;
        let again = self.builder().ins().icmp_imm_s(IntCC::SignedLessThan, next, end);
        let mut arguments = vec![BlockArg::Value(next)];
        if carried {
            arguments.extend(self.running().map(|x| BlockArg::Value(*x)));
        }
        self.builder().ins().brif(again, head, &arguments, done, &[]);
        self.builder().switch_to_block(done);
    }

    fn running(&mut self) -> impl Iterator<Item = &mut Value> {
        running(&mut self.accumulators)
    }

    fn compute(&mut self, i: usize, inst: &Inst, known: &mut Known) {
        let Mode::Vector(parts) = self.mode else {
            let made = self.scalar_of(inst, known);
            known.slots[i].scalar = Some(made);
            return;
        };
        if !self.varies[i] {
            let made = self.scalar_of(inst, known);
            known.slots[i].scalar = Some(made);
            return;
        }
        for part in 0..parts {
            let made = self.vector_of(inst, part, known);
            known.slots[i].vectors.push(made);
        }
    }

    fn scalar_of(&mut self, inst: &Inst, known: &mut Known) -> Value {
        if let Inst::Load(address) = inst {
            return self.load_scalar(address.offset as usize, 0, known);
        }
        let operands: SmallVec<[Value; 3]> = inst.operands().iter().map(|x| self.scalar(*x, known)).collect();
        let (float, host) = (self.emitter.float, self.emitter.host);
        match inst {
            Inst::Elementwise(op, _) => math::elementwise(self.builder(), host, *op, float, &operands),
            Inst::Selection(op, _) => math::selection(self.builder(), *op, float, &operands),
            _ => unreachable!("loads are done; constants and stores are none of these"),
        }
    }

    fn vector_of(&mut self, inst: &Inst, part: usize, known: &mut Known) -> Value {
        if let Inst::Load(address) = inst {
            return self.load_vector(address.offset as usize, part, known);
        }
        let operands: SmallVec<[Value; 3]> =
            inst.operands().iter().map(|x| self.vector(*x, part, known)).collect();
        let (vector, host) = (self.emitter.vector, self.emitter.host);
        match inst {
            Inst::Elementwise(op, _) => math::elementwise(self.builder(), host, *op, vector, &operands),
            Inst::Selection(op, _) => math::selection(self.builder(), *op, vector, &operands),
            _ => unreachable!("loads are done; constants and stores are none of these"),
        }
    }

    /// The scalar of an instruction; constants are made where they are used.
    fn scalar(&mut self, name: Name, known: &Known) -> Value {
        match &self.nest.block().insts[name.index()] {
            Inst::Constant(bits) => {
                let float = self.emitter.float;
                float_constant(self.builder(), float, f64::from_bits(*bits))
            }
            _ => known.slots[name.index()].scalar.expect("operands are at the same level or further out"),
        }
    }

    fn vector(&mut self, name: Name, part: usize, known: &Known) -> Value {
        let inst = &self.nest.block().insts[name.index()];
        let vector = self.emitter.vector;
        if let Inst::Constant(bits) = inst {
            return float_constant(self.builder(), vector, f64::from_bits(*bits));
        }
        if let Some(&made) = known.slots[name.index()].vectors.get(part) {
            return made;
        }
        let scalar = self.scalar(name, known);
        let builder = self.builder();
        match inst.kind() {
            Kind::Truth => splat_mask(builder, vector, scalar),
            _ => builder.ins().splat(vector, scalar),
        }
    }

    fn store_all(&mut self, known: &Known) {
        for (store, name) in self.nest.stored() {
            self.set(store, name, known);
        }
    }

    /// Stores a value at the round's place.
    fn set(&mut self, store: usize, name: Name, known: &Known) {
        match self.mode {
            Mode::Scalar => {
                let value = self.scalar(name, known);
                self.write_scalar(store, value, known);
            }
            Mode::Vector(parts) => {
                for part in 0..parts {
                    let value = self.vector(name, part, known);
                    self.write_vector(store, part, value, known);
                }
            }
        }
    }

    fn open_accumulators(&mut self) {
        let lanes = self.emitter.lanes();
        let reduced = self.nest.lanes.filter(|_| self.nest.lanes_are_reduced());
        let (float, vector) = (self.emitter.float, self.emitter.vector);
        self.accumulators.clear();
        for store in 0..self.nest.stores.len() {
            let Some(combine) = self.nest.reduction(store) else {
                self.accumulators.push(Accumulator::default());
                continue;
            };
            let start = combine.identity();
            let (vectors, is_scalar) = match (self.mode, reduced) {
                (Mode::Vector(parts), _) => (parts, false),
                (Mode::Scalar, Some(l)) => {
                    (self.parts.min((self.nest.loops[l].extent as usize).div_ceil(lanes)), false)
                }
                (Mode::Scalar, None) => (0, true),
            };
            let builder = self.builder();
            let vectors = (0..vectors).map(|_| float_constant(builder, vector, start)).collect();
            let scalar = is_scalar.then(|| float_constant(builder, float, start));
            self.accumulators.push(Accumulator { vectors, scalar });
        }
    }

    fn accumulate(&mut self, known: &Known) {
        for (store, name) in self.nest.stored() {
            let Some(combine) = self.nest.reduction(store) else {
                self.set(store, name, known);
                continue;
            };
            let factors = match (&self.nest.block().insts[name.index()], self.fused[name.index()]) {
                (Inst::Elementwise(_, operands), true) => Some((operands[0], operands[1])),
                _ => None,
            };
            match self.mode {
                Mode::Scalar => {
                    let so_far = match self.lane {
                        Some(Lane { vector, lane }) => {
                            let all = self.accumulators[store].vectors[vector];
                            self.builder().ins().extractlane(all, lane)
                        }
                        None => self.accumulators[store].scalar.expect("opened for scalars"),
                    };
                    let float = self.emitter.float;
                    let all = match factors {
                        Some((a, b)) => {
                            let (a, b) = (self.scalar(a, known), self.scalar(b, known));
                            self.builder().ins().fma(a, b, so_far)
                        }
                        None => {
                            let value = self.scalar(name, known);
                            combined(self.builder(), float, combine, so_far, value)
                        }
                    };
                    match self.lane {
                        Some(Lane { vector, lane }) => {
                            let before = self.accumulators[store].vectors[vector];
                            let after = self.builder().ins().insertlane(before, all, lane);
                            self.accumulators[store].vectors[vector] = after;
                        }
                        None => self.accumulators[store].scalar = Some(all),
                    }
                }
                Mode::Vector(parts) => {
                    let vector = self.emitter.vector;
                    for part in 0..parts {
                        let so_far = self.accumulators[store].vectors[part];
                        let all = match factors {
                            Some((a, b)) => {
                                let (a, b) = (self.vector(a, part, known), self.vector(b, part, known));
                                self.builder().ins().fma(a, b, so_far)
                            }
                            None => {
                                let value = self.vector(name, part, known);
                                combined(self.builder(), vector, combine, so_far, value)
                            }
                        };
                        self.accumulators[store].vectors[part] = all;
                    }
                }
            }
        }
    }

    fn close_accumulators(&mut self) {
        let in_lanes = self.nest.lanes_are_reduced();
        let none = Known { slots: Vec::new(), rows: Vec::new(), store_rows: Vec::new() };
        for store in 0..self.nest.stores.len() {
            let Accumulator { vectors, scalar } = std::mem::take(&mut self.accumulators[store]);
            let Some(combine) = self.nest.reduction(store) else { continue };
            match scalar {
                _ if in_lanes => {
                    let all = self.across(combine, &vectors);
                    self.write_scalar(store, all, &none);
                }
                Some(scalar) => self.write_scalar(store, scalar, &none),
                None => {
                    for (part, &value) in vectors.iter().enumerate() {
                        self.write_vector(store, part, value, &none);
                    }
                }
            }
        }
        self.accumulators.clear();
    }

    /// All lanes of all vectors combined, as a tree: halves with halves. Vectors that are not there
    /// have had no elements.
    fn across(&mut self, combine: Combine, vectors: &[Value]) -> Value {
        let (float, vector, lanes) = (self.emitter.float, self.emitter.vector, self.emitter.lanes());
        let parts = self.parts;
        let builder = self.builder();
        let mut vectors = vectors.to_vec();
        let mut half = parts / 2;
        while half > 0 {
            for upper in half..vectors.len() {
                let (a, b) = (vectors[upper - half], vectors[upper]);
                vectors[upper - half] = combined(builder, vector, combine, a, b);
            }
            vectors.truncate(half);
            half /= 2;
        }
        let mut all: Vec<Value> =
            (0..lanes).map(|lane| builder.ins().extractlane(vectors[0], lane as u8)).collect();
        while all.len() > 1 {
            let upper = all.split_off(all.len() / 2);
            let pairs = all.iter().zip(&upper);
            all = pairs.map(|(&a, &b)| combined(builder, float, combine, a, b)).collect();
        }
        all[0]
    }
}

/// The values of accumulators that loops carry.
fn running(accumulators: &mut [Accumulator]) -> impl Iterator<Item = &mut Value> {
    accumulators.iter_mut().flat_map(|a| a.vectors.iter_mut().chain(&mut a.scalar))
}

/// Two values combined as [`Combine::of`] says.
fn combined(builder: &mut FunctionBuilder<'_>, float: Type, combine: Combine, a: Value, b: Value) -> Value {
    let condition = match combine {
        Combine::Sum => return builder.ins().fadd(a, b),
        Combine::Max => FloatCC::GreaterThanOrEqual,
        Combine::Min => FloatCC::LessThanOrEqual,
    };
    let better = builder.ins().fcmp(condition, a, b);
    let is_nan = builder.ins().fcmp(FloatCC::NotEqual, a, a);
    let first = builder.ins().bor(better, is_nan);
    Lanes::new(builder, float).select(first, a, b)
}

/// A truth value in all lanes.
fn splat_mask(builder: &mut FunctionBuilder<'_>, vector: Type, truth: Value) -> Value {
    let integer = integer(vector);
    let all = builder.ins().iconst(integer.lane_type(), -1);
    let none = builder.ins().iconst(integer.lane_type(), 0);
    let lane = builder.ins().select(truth, all, none);
    builder.ins().splat(integer, lane)
}
