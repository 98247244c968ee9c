//! The meaning of a tensor program, element by element: the oracle of the code generator.
//!
//! What must stay true: elementwise values come from the op table on the plain machines, in the
//! precision or, where the op says so, in double and rounded; sums run as [`sums`](super::sums) says,
//! those of matrix products in the order of their terms.

use super::arena::element_size;
use super::program::{
    Buffer, BufferId, Chosen, Combine, Load, Matrix, Nest, Place, Product, Repeated, Step, TensorProgram,
    When, Write,
};
use crate::ir::Precision;
use crate::loops::fold::{selected, value_in};
use crate::loops::{Inst, Kind, Value as Name};
use smallvec::SmallVec;

/// The outputs, one after another, for inputs one after another; of a program that
/// [`verify`](super::verify) accepts.
///
/// # Panics
/// Where `inputs` are too few.
pub fn interpret(program: &TensorProgram, precision: Precision, inputs: &[f64]) -> Vec<f64> {
    let mut machine = Machine { program, precision, arena: vec![f64::NAN; program.arena], base: 0 };
    let mut rest = inputs;
    for &input in &program.inputs {
        let Buffer { size, offset } = program.buffers[input.index()];
        let (values, others) = rest.split_at(size);
        for (at, &x) in values.iter().enumerate() {
            machine.arena[offset + at] = machine.rounded(x);
        }
        rest = others;
    }
    machine.run();
    let output = |id: &BufferId| {
        let Buffer { size, offset } = program.buffers[id.index()];
        machine.arena[offset..offset + size].to_vec()
    };
    program.outputs.iter().flat_map(output).collect()
}

struct Machine<'p> {
    program: &'p TensorProgram,
    precision: Precision,
    /// Of the outermost program.
    arena: Vec<f64>,
    /// Where the program's own arena begins.
    base: usize,
}

impl Machine<'_> {
    fn rounded(&self, x: f64) -> f64 {
        match self.precision {
            Precision::F32 => f64::from(x as f32),
            Precision::F64 => x,
        }
    }

    fn run(&mut self) {
        self.program.steps.iter().for_each(|step| self.step(step));
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Nest(nest) => self.nest(nest),
            Step::Product(product) => self.product(product),
            Step::Repeated(repeated) => self.repeated(repeated),
            Step::Rounds(run) => {
                // Steps of runs are no runs.
                (0..run.rounds).for_each(|round| run.round(round).for_each(|step| self.step(&step)));
            }
        }
    }

    fn repeated(&mut self, repeated: &Repeated) {
        let room = self.base + self.program.buffers[repeated.room.index()].offset;
        self.transfer(repeated, When::First, room, 0);
        for round in 0..repeated.steps {
            let entry = repeated.entry(round);
            self.transfer(repeated, When::Entry, room, entry);
            self.transfer(repeated, When::Before, room, entry);
            let arena = std::mem::take(&mut self.arena);
            let mut inner =
                Machine { program: &repeated.program, precision: self.precision, arena, base: room };
            inner.run();
            self.arena = inner.arena;
            self.transfer(repeated, When::Emit, room, entry);
        }
        self.transfer(repeated, When::Last, room, 0);
    }

    fn transfer(&mut self, repeated: &Repeated, when: When, room: usize, entry: usize) {
        for transfer in repeated.at(when) {
            let Buffer { size, offset } = repeated.program.buffers[transfer.inner.index()];
            let inner = room + offset;
            let outer = self.base + self.program.buffers[transfer.outer.index()].offset + entry * size;
            match when {
                When::First | When::Entry => self.arena.copy_within(outer..outer + size, inner),
                When::Before | When::Emit | When::Last => self.arena.copy_within(inner..inner + size, outer),
            }
        }
    }

    fn nest(&mut self, nest: &Nest) {
        let kept = nest.kept();
        let fused = nest.fused_products();
        let in_lanes = nest.lanes.filter(|&l| nest.loops[l].reduced);
        let count = in_lanes.map_or(1, |_| nest.partial_sums(element_size(self.precision)));
        let extents: Vec<u32> = nest.loops.iter().map(|l| l.extent).collect();
        let mut counters = vec![0u32; extents.len()];
        loop {
            // Once around the reduced loops.
            let start = nest.stores.iter().map(|store| match store.write {
                Write::Reduce(combine) => vec![combine.identity(); count],
                _ => Vec::new(),
            });
            let mut partial: Vec<Vec<f64>> = start.collect();
            loop {
                let at = in_lanes.map_or(0, |l| counters[l] as usize % count);
                self.iteration(nest, &fused, &counters, (&mut partial, at));
                if !advance(&mut counters[kept..], &extents[kept..]) {
                    break;
                }
            }
            for (store, partial) in nest.stores.iter().zip(partial) {
                if let Write::Reduce(combine) = store.write {
                    let at = self.address(&store.to, &counters);
                    self.arena[at] = self.joined(combine, partial);
                }
            }
            if !advance(&mut counters[..kept], &extents[..kept]) {
                break;
            }
        }
    }

    /// Halves combined with halves.
    fn joined(&self, combine: Combine, mut partial: Vec<f64>) -> f64 {
        while partial.len() > 1 {
            let upper = partial.split_off(partial.len() / 2);
            let pairs = partial.iter().zip(&upper);
            partial = pairs.map(|(&a, &b)| self.rounded(combine.of(a, b))).collect();
        }
        partial[0]
    }

    fn iteration(
        &mut self,
        nest: &Nest,
        fused: &[bool],
        counters: &[u32],
        (partial, at_partial): (&mut [Vec<f64>], usize),
    ) {
        let mut values: Vec<f64> = Vec::new();
        let mut stored = vec![None; nest.stores.len()];
        for inst in &nest.block().insts {
            let operands: SmallVec<[f64; 3]> = inst.operands().iter().map(|x| values[x.index()]).collect();
            let result = match inst {
                Inst::Constant(bits) => f64::from_bits(*bits),
                Inst::Load(address) => self.load(&nest.loads[address.offset as usize], counters),
                Inst::Store(address, value) => {
                    stored[address.offset as usize] = Some(*value);
                    operands[0]
                }
                Inst::Elementwise(op, _) => value_in(self.precision, *op, &operands),
                Inst::Selection(op, _) => selected(*op, &operands),
            };
            values.push(if inst.kind() == Kind::Number { self.rounded(result) } else { result });
        }
        for (number, (store, stored)) in nest.stores.iter().zip(stored).enumerate() {
            let name: Name = stored.expect("`verify` has seen a store of each output");
            let value = values[name.index()];
            let mut at = self.address(&store.to, counters);
            match &store.write {
                Write::Set => self.arena[at] = value,
                Write::Add => self.arena[at] = self.rounded(self.arena[at] + value),
                Write::Scatter(chosen) => {
                    if let Some(row) = self.row(chosen, counters) {
                        at = (at as i64 + row) as usize;
                        self.arena[at] = self.rounded(self.arena[at] + value);
                    }
                }
                Write::Reduce(combine) => {
                    let so_far = &mut partial[number][at_partial];
                    *so_far = match (&nest.block().insts[name.index()], fused[name.index()]) {
                        (Inst::Elementwise(_, x), true) => {
                            self.fused(values[x[0].index()], values[x[1].index()], *so_far)
                        }
                        _ => self.rounded(combine.of(*so_far, value)),
                    };
                }
            }
        }
    }

    /// a·b + c, rounded once.
    fn fused(&self, a: f64, b: f64, c: f64) -> f64 {
        match self.precision {
            Precision::F32 => f64::from((a as f32).mul_add(b as f32, c as f32)),
            Precision::F64 => a.mul_add(b, c),
        }
    }

    fn load(&self, load: &Load, counters: &[u32]) -> f64 {
        match load {
            Load::Element(place) => self.arena[self.address(place, counters)],
            Load::Gathered(place, chosen) => match self.row(chosen, counters) {
                Some(row) => self.arena[(self.address(place, counters) as i64 + row) as usize],
                None => f64::NAN,
            },
            Load::Position(form) => form.at(counters) as f64,
        }
    }

    fn address(&self, place: &Place, counters: &[u32]) -> usize {
        let base = (self.base + self.program.buffers[place.buffer.index()].offset) as i64;
        (base + place.at.at(counters)) as usize
    }

    /// How far the row chosen is from the first, if there is such a row.
    fn row(&self, chosen: &Chosen, counters: &[u32]) -> Option<i64> {
        let row = self.arena[self.address(&chosen.index, counters)].trunc();
        (row >= 0.0 && row < f64::from(chosen.rows)).then(|| row as i64 * chosen.stride)
    }

    fn product(&mut self, product: &Product) {
        let extents: Vec<u32> = product.outer.iter().map(|o| o.0).collect();
        let mut counters = vec![0u32; extents.len()];
        let [m, n, k] = product.size;
        loop {
            let start = |matrix: &Matrix, which: usize| {
                let outer = product.outer.iter().zip(&counters);
                let outer: i64 = outer.map(|((_, strides), &i)| strides[which] * i64::from(i)).sum();
                let base = self.base + self.program.buffers[matrix.buffer.index()].offset;
                base as i64 + matrix.offset + outer
            };
            let starts = [start(&product.to, 0), start(&product.left, 1), start(&product.right, 2)];
            let at = |which: usize, matrix: &Matrix, row: usize, column: usize| {
                (starts[which] + matrix.row * row as i64 + matrix.column * column as i64) as usize
            };
            for (i, j) in (0..m).flat_map(|i| (0..n).map(move |j| (i, j))) {
                let term = |l: usize| {
                    self.arena[at(1, &product.left, i, l)] * self.arena[at(2, &product.right, l, j)]
                };
                let sum: f64 = (0..k).map(term).sum();
                self.arena[at(0, &product.to, i, j)] = self.rounded(sum);
            }
            if !advance(&mut counters, &extents) {
                break;
            }
        }
    }
}

/// The next counters in row-major order; false, and all zero, after the last.
fn advance(counters: &mut [u32], extents: &[u32]) -> bool {
    for (counter, &extent) in counters.iter_mut().zip(extents).rev() {
        *counter += 1;
        if *counter < extent {
            return true;
        }
        *counter = 0;
    }
    false
}
