//! Where the nodes of a graph come from in its text: for messages about values, long after reading.
//!
//! What must stay true: a node has the place that made it first; nodes are told apart by their
//! content, so places survive copying into other graphs; unknown is `None`, never a guess.

use crate::error::Span;
use crate::ir::{Graph, Id, Op};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The place that made a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// In the user's own text.
    pub span: Span,
    /// The function of the library that was called there, if it made the node.
    pub within: Option<Arc<str>>,
}

/// Origins by the content of nodes.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    by_key: FxHashMap<u64, Origin>,
}

impl Origins {
    /// Where a node comes from.
    pub fn of(&self, graph: &Graph, id: Id) -> Option<&Origin> {
        self.by_key.get(&graph.key(id))
    }

    /// A node that is like another one whose place is known.
    pub fn also(&mut self, key: u64, origin: &Origin) {
        self.by_key.entry(key).or_insert_with(|| origin.clone());
    }
}

/// Origins while a text is read: runs of nodes that one place made.
#[derive(Default)]
pub(super) struct Journal {
    /// The first node of each run.
    runs: Vec<(usize, Origin)>,
}

impl Journal {
    /// Nodes from `first` on were made at a place, until the next entry.
    pub(super) fn enter(&mut self, first: usize, span: Span, within: Option<&str>) {
        let known = self.runs.last().and_then(|run| run.1.within.clone());
        let within = within.map(|name| known.filter(|known| **known == *name).unwrap_or_else(|| name.into()));
        let origin = Origin { span, within };
        if self.runs.last().is_none_or(|run| run.1 != origin) {
            self.runs.push((first, origin));
        }
    }

    /// The place of a node.
    pub(super) fn place(&self, id: Id) -> Option<&Origin> {
        let after = self.runs.partition_point(|run| run.0 <= id.index());
        after.checked_sub(1).map(|at| &self.runs[at].1)
    }

    /// Origins of all nodes that compute something.
    pub(super) fn origins(&self, graph: &Graph) -> Origins {
        let mut origins = Origins::default();
        for id in graph.ids() {
            if let (false, Some(origin)) = (matches!(graph.op(id), Op::Constant(_)), self.place(id)) {
                origins.also(graph.key(id), origin);
            }
        }
        origins
    }
}
