//! Nodes made anew, operands first.

use super::Task;
use crate::ir::{Graph, Id, Op, Selection, reachable};
use smallvec::SmallVec;

/// What nodes have become so far; the others are as they were.
pub(super) struct Rebuild {
    new: Vec<Id>,
}

impl Rebuild {
    pub fn of(graph: &Graph) -> Self {
        Rebuild { new: graph.ids().collect() }
    }

    /// What a node is now.
    pub fn now(&self, id: Id) -> Id {
        self.new.get(id.index()).copied().unwrap_or(id)
    }

    pub fn put(&mut self, id: Id, made: Id) {
        self.new[id.index()] = made;
    }

    /// The operands of a node as they are now.
    pub fn operands(&self, graph: &Graph, id: Id) -> SmallVec<[Id; 3]> {
        graph.operands(id).iter().map(|&x| self.now(x)).collect()
    }

    /// The node of those operands.
    pub fn remade(&self, graph: &mut Graph, id: Id) -> Id {
        let operands = self.operands(graph, id);
        if operands.as_slice() == graph.operands(id) { id } else { remade(graph, id, &operands) }
    }

    pub fn rename<'a>(&self, ids: impl IntoIterator<Item = &'a mut Id>) {
        ids.into_iter().for_each(|id| *id = self.now(*id));
    }
}

impl Task {
    /// What is computed in the end.
    pub(super) fn results(&self) -> Vec<Id> {
        [self.roots.as_slice(), &self.kept].concat()
    }

    pub(super) fn rename_results(&mut self, rebuild: &Rebuild) {
        rebuild.rename(self.roots.iter_mut().chain(&mut self.kept));
    }
}

/// A node with other operands of the same shapes, up to repetition.
pub(super) fn remade(graph: &mut Graph, id: Id, operands: &[Id]) -> Id {
    match graph.op(id) {
        Op::Elementwise(op) => graph.apply(op, operands),
        Op::Selection(Selection::Select) => graph.select(operands[0], operands[1], operands[2]),
        Op::Selection(op) => graph.compare(op, operands),
        op => {
            let ty = graph.node(id).ty;
            graph.intern(op, operands, ty)
        }
    }
}

/// Remakes every node the lists need, operands first, and renames them in the lists.
pub(super) fn rebuilt(
    graph: &mut Graph,
    lists: &mut [&mut Vec<Id>],
    mut make: impl FnMut(&mut Graph, Id, &mut SmallVec<[Id; 3]>) -> Id,
) {
    let roots: Vec<Id> = lists.iter().flat_map(|list| list.iter().copied()).collect();
    let mut rebuild = Rebuild::of(graph);
    for id in reachable(graph, &roots) {
        if !graph.operands(id).is_empty() {
            let mut operands = rebuild.operands(graph, id);
            rebuild.put(id, make(graph, id, &mut operands));
        }
    }
    rebuild.rename(lists.iter_mut().flat_map(|list| list.iter_mut()));
}
