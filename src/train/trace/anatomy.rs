//! The graph that is computed, with names and places for its nodes.
//!
//! What must stay true: names are those of the user's text. A node that simplification made has the
//! place of what it was made of, or else of what uses it.

use crate::elaborate::{Origin, Origins};
use crate::ir::{DType, Function, Graph, Id, Op, Symbol, reachable};
use crate::simplify::{Level, Purpose, simplified};
use rustc_hash::FxHashMap;

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

    /// A node without a place stands where its user does.
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
