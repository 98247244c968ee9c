//! The reference interpreter: the oracle every kernel is compared with, bit for bit.
//!
//! It runs the nodes the outputs need, in id order, over one flat array of doubles (truth values
//! are 1 and 0). Elementwise values come from the op table on the plain machine.

use super::structural::source_axis;
use super::{Graph, Id, Op, Selection, Structural, Symbol, reachable};
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
        let mut cells = vec![0.0; self.cells];
        for &id in &self.order {
            let at = self.offsets[id.index()];
            let size = self.graph.shape(id).size();
            // Operands come before their users, so the split leaves them all on the left.
            let (before, rest) = cells.split_at_mut(at);
            self.step(id, inputs, before, &mut rest[..size]);
        }
        let mut results = Vec::new();
        for &id in &self.outputs {
            results.extend_from_slice(self.cells_of(id, &cells));
        }
        results
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
            Op::Contract { over } => self.contract(id, over, &operands, out),
        }
    }

    fn structural(&self, op: Structural, id: Id, operands: &[&[f64]], out: &mut [f64]) {
        let shape = self.graph.shape(id).extents();
        let x = operands[0];
        if let Structural::Stack = op {
            for (row, operand) in out.chunks_mut(x.len().max(1)).zip(operands) {
                row.copy_from_slice(operand);
            }
            return;
        }
        let from = self.graph.shape(self.graph.operand(id, 0)).extents();
        let strides = row_major(from);
        match op {
            Structural::Sum { axes } => {
                out.fill(0.0);
                let to = strides_without(shape, from.len(), axes);
                for_each_index(from, |i, at| out[dot(at, &to)] += x[i]);
            }
            Structural::Broadcast { axes } => {
                let to = strides_without(from, shape.len(), axes);
                for_each_index(shape, |i, at| out[i] = x[dot(at, &to)]);
            }
            Structural::Reshape | Structural::Stack => out.copy_from_slice(x),
            Structural::Permute { order } => {
                let to: Vec<usize> = (0..shape.len()).map(|i| strides[source_axis(order, i)]).collect();
                for_each_index(shape, |i, at| out[i] = x[dot(at, &to)]);
            }
            Structural::Slice { axis, start, .. } => {
                let base = strides[axis as usize] * start as usize;
                for_each_index(shape, |i, at| out[i] = x[base + dot(at, &strides)]);
            }
            Structural::Pad { axis, start, .. } => {
                out.fill(0.0);
                let to = row_major(shape);
                let base = to[axis as usize] * start as usize;
                for_each_index(from, |i, at| out[base + dot(at, &to)] = x[i]);
            }
        }
    }

    fn contract(&self, id: Id, over: u8, operands: &[&[f64]], out: &mut [f64]) {
        let right = self.graph.shape(self.graph.operand(id, 1)).extents();
        let inner: usize = right[..over as usize].iter().map(|&d| d as usize).product();
        let columns: usize = right[over as usize..].iter().map(|&d| d as usize).product();
        for (at, y) in out.iter_mut().enumerate() {
            let (row, column) = (at / columns, at % columns);
            let term = |k: usize| operands[0][row * inner + k] * operands[1][k * columns + column];
            *y = (0..inner).map(term).fold(0.0, |sum, t| sum + t);
        }
    }
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

fn row_major(extents: &[u32]) -> Vec<usize> {
    let mut strides = vec![1usize; extents.len()];
    for i in (1..extents.len()).rev() {
        strides[i - 1] = strides[i] * extents[i] as usize;
    }
    strides
}

/// Strides of the smaller shape for an index of the larger one: 0 along the axes in the set.
fn strides_without(smaller: &[u32], rank: usize, axes: u8) -> Vec<usize> {
    let mut kept = row_major(smaller).into_iter();
    let stride = |i: usize| if axes >> i & 1 == 1 { 0 } else { kept.next().unwrap_or(0) };
    (0..rank).map(stride).collect()
}

fn dot(index: &[usize], strides: &[usize]) -> usize {
    index.iter().zip(strides).map(|(i, s)| i * s).sum()
}

/// Calls `f` with every flat position and index of a shape, in row-major order.
fn for_each_index(extents: &[u32], mut f: impl FnMut(usize, &[usize])) {
    let size: usize = extents.iter().map(|&d| d as usize).product();
    let mut index = vec![0usize; extents.len()];
    for flat in 0..size {
        f(flat, &index);
        for axis in (0..extents.len()).rev() {
            index[axis] += 1;
            if index[axis] < extents[axis] as usize {
                break;
            }
            index[axis] = 0;
        }
    }
}

/// Evaluates outputs once; see [`Interpreter`].
pub fn evaluate(graph: &Graph, inputs: &[Symbol], outputs: &[Id], values: &[f64]) -> Vec<f64> {
    Interpreter::new(graph, inputs, outputs).run(values)
}
