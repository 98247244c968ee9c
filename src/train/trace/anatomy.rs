//! The graph that is computed, with names and places for its nodes.
//!
//! What must stay true: names are those of the user's text. A node that simplification made has the
//! place of what it was made of, or else of what uses it.

use crate::elaborate::{Origin, Origins};
use crate::ir::eval::Interpreter;
use crate::ir::{DType, Function, Graph, Id, Op, Precision, Symbol, reachable};
use crate::simplify::{Level, Purpose, simplified};
use rustc_hash::FxHashMap;

/// Elements of both graphs, at most, for nodes to be recognised by their values.
const ELEMENTS: usize = 2_000_000;

/// Whether two arrays of numbers are equal but for rounding; arrays of one number tell nothing.
fn are_close(a: &[f64], b: &[f64]) -> bool {
    let varies = a.len() == 1 || a.iter().any(|x| *x != a[0]);
    let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-9 * a.abs().max(b.abs());
    varies && a.iter().zip(b).all(near)
}

/// A function as it is computed, and how its nodes are called.
pub(crate) struct Anatomy {
    pub graph: Graph,
    pub inputs: Vec<Symbol>,
    pub outputs: Vec<Id>,
    names: FxHashMap<u64, String>,
    origins: FxHashMap<u64, Origin>,
    /// Places of what stands in bodies of scans.
    inner: Origins,
}

impl Anatomy {
    /// Of a function whose nodes' places are known; `named` are nodes of its graph with names.
    pub fn new(function: &Function, origins: &Origins, named: &[(String, Id)]) -> Anatomy {
        let stable = simplified(function.clone(), Level::Fast, Purpose::Compute);
        let mut anatomy = Anatomy {
            graph: stable.graph().clone(),
            inputs: stable.inputs().to_vec(),
            outputs: stable.outputs().to_vec(),
            names: FxHashMap::default(),
            origins: FxHashMap::default(),
            inner: origins.clone(),
        };
        anatomy.place(function, origins, named);
        anatomy.recognise(function, origins, named);
        for (&output, &id) in function.outputs().iter().zip(stable.outputs()) {
            if let Some(origin) = origins.of(function.graph(), output) {
                anatomy.origins.entry(stable.graph().key(id)).or_insert_with(|| origin.clone());
            }
        }
        anatomy.inherit();
        anatomy
    }

    /// Names and places of what the nodes of the text have become.
    fn place(&mut self, function: &Function, origins: &Origins, named: &[(String, Id)]) {
        let graph = function.graph();
        let roots: Vec<Id> = function.outputs().iter().copied().chain(named.iter().map(|n| n.1)).collect();
        let is_number = |id: &Id| graph.ty(*id).dtype == DType::F64;
        let nodes: Vec<Id> = reachable(graph, &roots).into_iter().filter(is_number).collect();
        let all = function.clone().with_outputs(nodes.clone());
        let all = simplified(all, Level::Fast, Purpose::Compute);
        for (&id, &image) in nodes.iter().zip(all.outputs()) {
            let key = all.graph().key(image);
            if let Op::Input(symbol) = all.graph().op(image) {
                self.names.entry(key).or_insert_with(|| all.graph().symbol_name(symbol).to_owned());
            }
            if let Some(origin) = origins.of(graph, id) {
                self.origins.entry(key).or_insert_with(|| origin.clone());
            }
            if let Some((name, _)) = named.iter().find(|named| named.1 == id) {
                self.names.entry(key).or_insert_with(|| name.clone());
            }
        }
    }

    /// Places of nodes that simplification has put in another form: those of nodes with the same
    /// values at a point that means nothing.
    fn recognise(&mut self, function: &Function, origins: &Origins, named: &[(String, Id)]) {
        let roots: Vec<Id> = function.outputs().iter().copied().chain(named.iter().map(|n| n.1)).collect();
        let elements = |graph: &Graph, roots: &[Id]| -> usize {
            reachable(graph, roots).iter().map(|&id| graph.shape(id).size()).sum()
        };
        let graph = function.graph();
        let is_known = |id: &Id| {
            matches!(self.graph.op(*id), Op::Input(_) | Op::Constant(_))
                || self.origins.contains_key(&self.graph.key(*id))
        };
        let open: Vec<Id> =
            reachable(&self.graph, &self.outputs).into_iter().filter(|id| !is_known(id)).collect();
        if open.is_empty() || elements(graph, &roots) + elements(&self.graph, &self.outputs) > ELEMENTS {
            return;
        }
        let count = function.input_size();
        let point: Vec<f64> = (0..count).map(|i| 0.5 + 0.4 * ((i * i + 1) as f64).sin()).collect();
        let values =
            |graph, inputs, roots| Interpreter::new(graph, inputs, roots).values(&point, Precision::F64);
        let old = values(graph, function.inputs(), &roots);
        let new = values(&self.graph, &self.inputs, &self.outputs);
        let mut found = Vec::new();
        for (id, values) in new.iter().filter(|new| open.contains(&new.0)) {
            let same = |(other, numbers): &&(Id, Vec<f64>)| {
                graph.shape(*other) == self.graph.shape(*id) && are_close(numbers, values)
            };
            if let Some((other, _)) = old.iter().find(same) {
                found.push((self.graph.key(*id), *other));
            }
        }
        for (key, id) in found {
            if let Some(origin) = origins.of(graph, id) {
                self.origins.insert(key, origin.clone());
            }
            if let Some((name, _)) = named.iter().find(|named| named.1 == id) {
                self.names.entry(key).or_insert_with(|| name.clone());
            }
        }
    }

    /// A node without a place stands where its user does, the outputs where they are in the text.
    fn inherit(&mut self) {
        for id in reachable(&self.graph, &self.outputs).into_iter().rev() {
            let Some(origin) = self.origins.get(&self.graph.key(id)).cloned() else { continue };
            for &x in self.graph.operands(id) {
                self.origins.entry(self.graph.key(x)).or_insert_with(|| origin.clone());
            }
        }
    }

    /// What the node of some graph is called, if it has a name.
    pub fn name(&self, graph: &Graph, id: Id) -> Option<&str> {
        self.names.get(&graph.key(id)).map(String::as_str)
    }

    /// Where the node of some graph stands.
    pub fn origin(&self, graph: &Graph, id: Id) -> Option<&Origin> {
        self.origins.get(&graph.key(id)).or_else(|| self.inner.of(graph, id))
    }
}
