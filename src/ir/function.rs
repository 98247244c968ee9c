//! A function: some outputs over some inputs of one graph.

use super::{Graph, Id, Op, Symbol, reachable};
use std::sync::Arc;

/// Expressions of named inputs: what is parsed, differentiated, simplified, printed and compiled.
///
/// Inputs and outputs may be vectors; engines lay them out one after another, row-major.
#[derive(Clone)]
pub struct Function {
    graph: Arc<Graph>,
    inputs: Vec<Symbol>,
    outputs: Vec<Id>,
    /// Truth values that hold wherever the function is used: assumptions the user made.
    assumptions: Vec<Id>,
    /// The function this one was derived from: its domain bounds what may be simplified.
    origin: Vec<Id>,
}

impl Function {
    pub fn new(graph: Graph, inputs: Vec<Symbol>, outputs: Vec<Id>) -> Self {
        Function { graph: Arc::new(graph), inputs, outputs, assumptions: Vec::new(), origin: Vec::new() }
    }

    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    pub fn inputs(&self) -> &[Symbol] {
        &self.inputs
    }

    pub fn outputs(&self) -> &[Id] {
        &self.outputs
    }

    pub fn assumptions(&self) -> &[Id] {
        &self.assumptions
    }

    pub fn origin(&self) -> &[Id] {
        &self.origin
    }

    pub fn input_names(&self) -> impl Iterator<Item = &str> {
        self.inputs.iter().map(|&s| self.graph.symbol_name(s))
    }

    /// The name of every scalar the inputs are made of: `x`, or `x[0]`, `x[1]`, … for a vector.
    pub fn scalar_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for &symbol in &self.inputs {
            let name = self.graph.symbol_name(symbol);
            let shape = &self.graph.type_of(self.graph.symbol_type(symbol)).shape;
            match shape.is_scalar() {
                true => names.push(name.to_owned()),
                false => names.extend((0..shape.size()).map(|i| format!("{name}[{i}]"))),
            }
        }
        names
    }

    /// The name and the extents of every input.
    pub fn input_shapes(&self) -> Vec<(String, Vec<u32>)> {
        let shape = |&s: &Symbol| self.graph.type_of(self.graph.symbol_type(s)).shape.extents().to_vec();
        self.inputs.iter().map(|s| (self.graph.symbol_name(*s).to_owned(), shape(s))).collect()
    }

    /// How many numbers the inputs take.
    pub fn input_size(&self) -> usize {
        let size = |&s: &Symbol| self.graph.type_of(self.graph.symbol_type(s)).shape.size();
        self.inputs.iter().map(size).sum()
    }

    /// How many numbers the outputs make.
    pub fn output_size(&self) -> usize {
        self.outputs.iter().map(|&id| self.graph.shape(id).size()).sum()
    }

    /// The extent of every axis of an output; none of a number.
    pub fn output_extents(&self, i: usize) -> Vec<usize> {
        let extents = self.outputs.get(i).map(|&id| self.graph.shape(id).extents());
        extents.unwrap_or_default().iter().map(|&d| d as usize).collect()
    }

    /// The extent of every axis of an input; none of a number.
    pub fn input_extents(&self, i: usize) -> Vec<usize> {
        let shape = |&symbol: &Symbol| &self.graph.type_of(self.graph.symbol_type(symbol)).shape;
        let extents = self.inputs.get(i).map(|symbol| shape(symbol).extents());
        extents.unwrap_or_default().iter().map(|&d| d as usize).collect()
    }

    /// The same function with outputs computed from it by `f`, whose domain it keeps as origin.
    pub fn derive(&self, f: impl FnOnce(&mut Graph) -> Vec<Id>) -> Function {
        self.clone().into_derived(f)
    }

    /// [`Function::derive`] of a function that is not needed any more: without copying its graph,
    /// when nobody else holds it.
    pub fn into_derived(mut self, f: impl FnOnce(&mut Graph) -> Vec<Id>) -> Function {
        let outputs = f(Arc::make_mut(&mut self.graph));
        let before = std::mem::replace(&mut self.outputs, outputs);
        if self.origin.is_empty() {
            self.origin = before;
        }
        self
    }

    /// The function as one to derive from: its own domain is what counts from here on.
    pub fn rooted(mut self) -> Function {
        self.origin.clear();
        self
    }

    /// Some of the outputs.
    pub fn with_outputs(mut self, outputs: Vec<Id>) -> Function {
        self.outputs = outputs;
        self
    }

    /// The same expressions with inputs in another order, or with inputs they do not use.
    pub fn with_inputs(mut self, inputs: Vec<Symbol>) -> Function {
        self.inputs = inputs;
        self
    }

    /// Adds a truth value that holds wherever the function is used.
    pub fn assume(&mut self, f: impl FnOnce(&mut Graph) -> Id) {
        let id = f(Arc::make_mut(&mut self.graph));
        self.assumptions.push(id);
    }

    /// The function in a graph of its own, which knows its inputs, in order, and what its outputs need.
    pub fn compacted(&self) -> Function {
        let mut graph = Graph::new();
        let mut inputs = Vec::with_capacity(self.inputs.len());
        for &symbol in &self.inputs {
            let ty = graph.type_id(self.graph.type_of(self.graph.symbol_type(symbol)).clone());
            inputs.push(graph.input_of(self.graph.symbol_name(symbol), ty));
        }
        let outputs = graph.instance(self, &inputs);
        let symbols = graph.symbols().collect();
        Function::new(graph, symbols, outputs)
    }

    /// Inputs the outputs really depend on, in input order.
    pub fn used_inputs(&self) -> Vec<Symbol> {
        let mut used = vec![false; self.graph.symbols().len()];
        for id in reachable(&self.graph, &self.outputs) {
            if let Op::Input(symbol) = self.graph.op(id) {
                used[symbol.index()] = true;
            }
        }
        self.inputs.iter().copied().filter(|s| used[s.index()]).collect()
    }
}
