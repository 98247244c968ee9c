//! A lowered function in one straight line: what is computed when, loaded and stored where.
//!
//! What must stay true: an output is stored as soon as it is known; inputs and constants are
//! fetched at their first use; what no input reaches is a constant.

use super::fold::fold;
use super::order::depth_first;
use super::program::{Address, Block, Buffer, Extent, Inst, Nest, Operands, Program, Value};
use crate::ir::{DType, Function, Graph, Id, Op, Selection, leaf, reachable};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// The program of a function whose outputs are scalars: one nest over rows, of one block.
pub fn schedule(lowered: &Function) -> Program {
    let graph = lowered.graph();
    let needed = reachable(graph, lowered.outputs());
    let mut line = Line::new(lowered, fold(graph, &needed));
    for (position, &output) in lowered.outputs().iter().enumerate() {
        line.stores.entry(output).or_default().push(position as u32);
    }
    let order = depth_first(graph, lowered.outputs(), |id| line.is_leaf(id));
    for id in order {
        let value = line.compute(id);
        line.keep(id, value);
    }
    // Outputs that are inputs or constants were not in the order.
    for &output in lowered.outputs() {
        if line.is_leaf(output) && line.stores.contains_key(&output) {
            let value = line.fetch(output);
            line.store(output, value);
        }
    }
    let (inputs, outputs) = (line.inputs, line.outputs);
    let nest = Nest { extent: Extent::Rows, blocks: vec![line.block] };
    Program { inputs, outputs, scratch: 0, nests: vec![nest] }
}

struct Line<'g> {
    graph: &'g Graph,
    folded: Vec<Option<f64>>,
    /// Where each input starts in a row, by symbol.
    starts: Vec<Option<usize>>,
    inputs: u32,
    outputs: u32,
    /// Output positions still to be stored.
    stores: FxHashMap<Id, SmallVec<[u32; 1]>>,
    values: Vec<Option<Value>>,
    constants: FxHashMap<u64, Value>,
    block: Block,
}

impl<'g> Line<'g> {
    fn new(function: &'g Function, folded: Vec<Option<f64>>) -> Line<'g> {
        let graph = function.graph();
        let mut starts = vec![None; graph.symbols().len()];
        let mut inputs = 0;
        for &symbol in function.inputs() {
            starts[symbol.index()] = Some(inputs);
            inputs += graph.type_of(graph.symbol_type(symbol)).shape.size();
        }
        Line {
            graph,
            folded,
            starts,
            inputs: inputs as u32,
            outputs: function.outputs().len() as u32,
            stores: FxHashMap::default(),
            values: vec![None; graph.len()],
            constants: FxHashMap::default(),
            block: Block::default(),
        }
    }

    /// Nodes that are fetched where they are used and not computed.
    fn is_leaf(&self, id: Id) -> bool {
        self.folded[id.index()].is_some() || leaf(self.graph, id).is_some()
    }

    fn compute(&mut self, id: Id) -> Value {
        let operands: SmallVec<[Value; 3]> = self.graph.operands(id).iter().map(|&x| self.fetch(x)).collect();
        let operands = Operands::new(&operands);
        match self.graph.op(id) {
            Op::Elementwise(op) => self.block.push(Inst::Elementwise(op, operands)),
            Op::Selection(op) => self.block.push(Inst::Selection(op, operands)),
            op => unreachable!("{op:?} is not a scalar op; `lower` takes tensors apart"),
        }
    }

    /// The value of a node: computed before, or an input or a constant.
    fn fetch(&mut self, id: Id) -> Value {
        if let Some(value) = self.values[id.index()] {
            return value;
        }
        let number = match (self.folded[id.index()], leaf(self.graph, id)) {
            (Some(constant), _) => self.constant(constant),
            (None, Some((symbol, at))) => match self.starts[symbol.index()] {
                Some(start) => self.load((start + at) as u32),
                None => self.constant(f64::NAN),
            },
            (None, None) => unreachable!("{id} comes before its users in the order"),
        };
        let value = match self.graph.ty(id).dtype {
            DType::Bool => self.truth(number),
            _ => number,
        };
        self.values[id.index()] = Some(value);
        value
    }

    fn load(&mut self, offset: u32) -> Value {
        self.block.push(Inst::Load(Address { buffer: Buffer::Inputs, offset, stride: self.inputs }))
    }

    fn constant(&mut self, constant: f64) -> Value {
        let block = &mut self.block;
        *self.constants.entry(constant.to_bits()).or_insert_with(|| block.push(Inst::number(constant)))
    }

    /// A number as a truth value.
    fn truth(&mut self, number: Value) -> Value {
        let zero = self.constant(0.0);
        self.block.push(Inst::Selection(Selection::NotEqual, Operands::new(&[number, zero])))
    }

    fn keep(&mut self, id: Id, value: Value) {
        self.values[id.index()] = Some(value);
        self.store(id, value);
    }

    /// Writes every output that is this node.
    fn store(&mut self, id: Id, value: Value) {
        let Some(positions) = self.stores.remove(&id) else { return };
        let number = match self.graph.ty(id).dtype {
            DType::Bool => {
                let (one, zero) = (self.constant(1.0), self.constant(0.0));
                self.block.push(Inst::Selection(Selection::Select, Operands::new(&[value, one, zero])))
            }
            _ => value,
        };
        for offset in positions {
            let to = Address { buffer: Buffer::Outputs, offset, stride: self.outputs };
            self.block.push(Inst::Store(to, number));
        }
    }
}
