//! The reference interpreter: the oracle every kernel is compared with, bit for bit.
//!
//! It runs the nodes the outputs need, in id order, over one flat array of doubles (truth values
//! are 1 and 0). Elementwise values come from the op table on the plain machine.

use super::structural::Flow;
use super::{
    Graph, Id, Op, Reduction, ScanBody, ScanResult, Selection, Shape, Structural, Symbol, reachable,
};
use crate::elementary::Plain;
use smallvec::SmallVec;

/// A function prepared for interpretation. Inputs and outputs are laid out one after another,
/// row-major.
pub struct Interpreter<'g> {
    graph: &'g Graph,
    order: Vec<Id>,
    offsets: Vec<usize>,
    inputs: Vec<usize>,
    outputs: Vec<Id>,
    cells: usize,
}

impl<'g> Interpreter<'g> {
    pub fn new(graph: &'g Graph, inputs: &[Symbol], outputs: &[Id]) -> Self {
        let order = reachable(graph, outputs);
        let mut offsets = vec![usize::MAX; order.last().map_or(0, |id| id.index() + 1)];
        let mut cells = 0;
        for &id in &order {
            offsets[id.index()] = cells;
            cells += graph.shape(id).size();
        }
        let mut starts = vec![usize::MAX; graph.symbols().len()];
        let mut at = 0;
        for &symbol in inputs {
            starts[symbol.index()] = at;
            at += graph.type_of(graph.symbol_type(symbol)).shape.size();
        }
        Interpreter { graph, order, offsets, inputs: starts, outputs: outputs.to_vec(), cells }
    }

    /// The outputs' values for the inputs' values. An input that was not declared is NaN.
    pub fn run(&self, inputs: &[f64]) -> Vec<f64> {
        let cells = self.cells(inputs, |x| x);
        let mut results = Vec::new();
        for &id in &self.outputs {
            results.extend_from_slice(self.cells_of(id, &cells));
        }
        results
    }

    /// The values of all nodes the outputs need, each after `round`.
    fn cells(&self, inputs: &[f64], round: impl Fn(f64) -> f64) -> Vec<f64> {
        let mut cells = vec![0.0; self.cells];
        for &id in &self.order {
            let at = self.offsets[id.index()];
            let size = self.graph.shape(id).size();
            // Operands come before their users, so the split leaves them all on the left.
            let (before, rest) = cells.split_at_mut(at);
            self.step(id, inputs, before, &mut rest[..size]);
            rest[..size].iter_mut().for_each(|y| *y = round(*y));
        }
        cells
    }

    /// The values of every node on the way to the outputs, in id order. In single precision every
    /// value is rounded to it: what overflows there is infinite here.
    #[cfg(feature = "training")]
    pub(crate) fn values(&self, inputs: &[f64], precision: super::Precision) -> Vec<(Id, Vec<f64>)> {
        let cells = match precision {
            super::Precision::F64 => self.cells(inputs, |x| x),
            super::Precision::F32 => self.cells(inputs, |x| f64::from(x as f32)),
        };
        self.order.iter().map(|&id| (id, self.cells_of(id, &cells).to_vec())).collect()
    }

    fn cells_of<'a>(&self, id: Id, cells: &'a [f64]) -> &'a [f64] {
        let at = self.offsets[id.index()];
        &cells[at..at + self.graph.shape(id).size()]
    }

    fn step(&self, id: Id, inputs: &[f64], before: &[f64], out: &mut [f64]) {
        let operands: SmallVec<[&[f64]; 3]> =
            self.graph.operands(id).iter().map(|&x| self.cells_of(x, before)).collect();
        match self.graph.op(id) {
            Op::Input(symbol) => {
                let start = self.inputs[symbol.index()];
                match inputs.get(start..).and_then(|rest| rest.get(..out.len())) {
                    Some(values) => out.copy_from_slice(values),
                    None => out.fill(f64::NAN),
                }
            }
            Op::Constant(constant) => out.fill(self.graph.number(constant).to_f64()),
            Op::Elementwise(op) => {
                for (i, y) in out.iter_mut().enumerate() {
                    let element: SmallVec<[f64; 3]> = operands.iter().map(|x| x[i]).collect();
                    *y = op.value(&mut Plain, &element);
                }
            }
            Op::Selection(op) => select(op, &operands, out),
            Op::Structural(op) => self.structural(op, id, &operands, out),
            Op::Reduce { op, axes } => self.reduce(id, op, axes, operands[0], out),
            Op::Contract { batch, over } => self.contract(id, batch, over, &operands, out),
            Op::Scan { body, output } => scan(self.graph.body(body), output, &operands, out),
        }
    }

    fn structural(&self, op: Structural, id: Id, operands: &[&[f64]], out: &mut [f64]) {
        let shape = |i: usize| self.graph.shape(self.graph.operand(id, i));
        match op {
            Structural::Iota => out.iter_mut().enumerate().for_each(|(i, y)| *y = i as f64),
            Structural::Stack => {
                for (row, operand) in out.chunks_mut(operands[0].len().max(1)).zip(operands) {
                    row.copy_from_slice(operand);
                }
            }
            Structural::Gather => {
                let rows = shape(0).extents()[0] as usize;
                let length = operands[0].len() / rows.max(1);
                for (entry, &index) in out.chunks_mut(length.max(1)).zip(operands[1]) {
                    match row_at(index, rows) {
                        Some(row) => entry.copy_from_slice(&operands[0][row * length..][..length]),
                        None => entry.fill(f64::NAN),
                    }
                }
            }
            Structural::Scatter { rows } => {
                out.fill(0.0);
                let length = out.len() / (rows as usize).max(1);
                for (entry, &index) in operands[0].chunks(length.max(1)).zip(operands[1]) {
                    if let Some(row) = row_at(index, rows as usize) {
                        let row = &mut out[row * length..][..length];
                        row.iter_mut().zip(entry).for_each(|(y, x)| *y += x);
                    }
                }
            }
            _ => match op.flow(shape(0), self.graph.shape(id)) {
                Flow::Pull(from) => {
                    let element = |at: &Option<usize>| at.map_or(0.0, |at| operands[0][at]);
                    out.iter_mut().zip(&from).for_each(|(y, at)| *y = element(at));
                }
                Flow::Push(to) => {
                    out.fill(0.0);
                    operands[0].iter().zip(&to).for_each(|(x, &at)| out[at] += x);
                }
            },
        }
    }

    fn reduce(&self, id: Id, op: Reduction, axes: u8, x: &[f64], out: &mut [f64]) {
        let from = self.graph.shape(self.graph.operand(id, 0));
        for (y, elements) in out.iter_mut().zip(reduced(from, self.graph.shape(id), axes)) {
            let elements: Vec<f64> = elements.into_iter().map(|at| x[at]).collect();
            *y = op.value(&elements);
        }
    }

    fn contract(&self, id: Id, batch: u8, over: u8, operands: &[&[f64]], out: &mut [f64]) {
        let right = self.graph.shape(self.graph.operand(id, 1)).extents();
        for (y, terms) in out.iter_mut().zip(products(right, batch, over, operands[0].len())) {
            *y = terms.map(|(i, j)| operands[0][i] * operands[1][j]).fold(0.0, |sum, t| sum + t);
        }
    }
}

/// Runs a scan for one of its results.
fn scan(scan: &ScanBody, output: u32, operands: &[&[f64]], out: &mut [f64]) {
    let f = &scan.function;
    let step = Interpreter::new(f.graph(), f.inputs(), f.outputs());
    let size = |&id: &Id| f.graph().shape(id).size();
    let carried: usize = f.outputs()[..scan.carries].iter().map(size).sum();
    let mut state = operands[..scan.carries].concat();
    let (entries, constants) = operands[scan.carries..].split_at(scan.sequences);
    let length = out.len() / scan.steps.max(1) as usize;
    for t in scan.order() {
        let mut inputs = state.clone();
        for (i, entries) in entries.iter().enumerate() {
            let size = scan.input_type(scan.carries + i).shape.size();
            inputs.extend_from_slice(&entries[t * size..][..size]);
        }
        constants.iter().for_each(|constant| inputs.extend_from_slice(constant));
        let made = step.run(&inputs);
        match scan.result(output) {
            ScanResult::Last(_) => {}
            ScanResult::Emitted(j) => {
                let at: usize = f.outputs()[..scan.carries + j].iter().map(size).sum();
                out[t * length..][..length].copy_from_slice(&made[at..at + length]);
            }
            ScanResult::Before(i) => {
                let at: usize = f.outputs()[..i].iter().map(size).sum();
                out[t * length..][..length].copy_from_slice(&state[at..at + length]);
            }
        }
        state.copy_from_slice(&made[..carried]);
    }
    if let ScanResult::Last(i) = scan.result(output) {
        let at: usize = f.outputs()[..i].iter().map(size).sum();
        out.copy_from_slice(&state[at..at + out.len()]);
    }
}

/// The row an index names, truncated, if there is one.
pub(crate) fn row_at(index: f64, rows: usize) -> Option<usize> {
    let row = index.trunc();
    (row >= 0.0 && row < rows as f64).then_some(row as usize)
}

/// For each element of a reduction's result, the operand's elements it is made of, in order.
pub(crate) fn reduced(from: &Shape, to: &Shape, axes: u8) -> Vec<Vec<usize>> {
    let mut elements = vec![Vec::new(); to.size()];
    if let Flow::Push(places) = (Structural::Sum { axes }).flow(from, to) {
        for (at, place) in places.into_iter().enumerate() {
            elements[place].push(at);
        }
    }
    elements
}

/// For each element of a contraction's result, the pairs of elements whose products it sums; given
/// the right operand's extents and the left one's size.
pub(crate) fn products(
    right: &[u32],
    batch: u8,
    over: u8,
    left: usize,
) -> impl Iterator<Item = impl Iterator<Item = (usize, usize)>> {
    let size = |extents: &[u32]| extents.iter().map(|&d| d as usize).product::<usize>();
    let (paired, rest) = right.split_at(batch as usize);
    let (inner, columns) = (size(&rest[..over as usize]), size(&rest[over as usize..]));
    let pairs = size(paired);
    let rows = left / (pairs * inner).max(1);
    (0..pairs * rows * columns).map(move |at| {
        let (pair, row, column) = (at / columns / rows, at / columns % rows, at % columns);
        (0..inner).map(move |k| ((pair * rows + row) * inner + k, (pair * inner + k) * columns + column))
    })
}

fn select(op: Selection, operands: &[&[f64]], out: &mut [f64]) {
    let truth = |b: bool| f64::from(u8::from(b));
    for (i, y) in out.iter_mut().enumerate() {
        let at = |k: usize| operands[k][i];
        *y = match op {
            Selection::Select => at(if at(0) != 0.0 { 1 } else { 2 }),
            Selection::Not => truth(at(0) == 0.0),
            Selection::And => truth(at(0) != 0.0 && at(1) != 0.0),
            Selection::Or => truth(at(0) != 0.0 || at(1) != 0.0),
            _ => truth(op.compare(at(0), at(1))),
        };
    }
}

/// Evaluates outputs once; see [`Interpreter`].
pub fn evaluate(graph: &Graph, inputs: &[Symbol], outputs: &[Id], values: &[f64]) -> Vec<f64> {
    Interpreter::new(graph, inputs, outputs).run(values)
}
