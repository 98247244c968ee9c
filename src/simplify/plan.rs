//! What a pass looks at together: which nodes belong to longer chains of sums and of products.

use crate::ir::{Elementwise, Graph, Id, Op};

/// The size of the roots written out without sharing; saturating.
pub fn tree_size(graph: &Graph, roots: &[Id], nodes: &[Id]) -> usize {
    let mut sizes = vec![0usize; nodes.last().map_or(0, |id| id.index() + 1)];
    for &id in nodes {
        let below = graph.operands(id).iter().map(|x| sizes[x.index()]);
        sizes[id.index()] = below.fold(1, usize::saturating_add);
    }
    roots.iter().map(|r| sizes[r.index()]).fold(0, usize::saturating_add)
}

/// What a node begins, or goes on with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Chain {
    Sum,
    Product,
}

/// Which nodes are collected as part of a longer chain, at its top.
pub struct Plan {
    inside: Vec<bool>,
}

impl Plan {
    pub fn new(graph: &Graph, nodes: &[Id], uses: &[u32]) -> Self {
        let mut inside = vec![false; graph.len()];
        for &id in nodes {
            let Some(chain) = chain_of(graph, id) else { continue };
            for (i, &x) in graph.operands(id).iter().enumerate() {
                // A node used once belongs to its user's chain; shared ones are chains of their
                // own, and so are quotients in denominators, which carry a condition.
                let below = i == 1 && graph.op(id) == Op::Elementwise(Elementwise::Div);
                inside[x.index()] = uses[x.index()] == 1 && !below && chain_of(graph, x) == Some(chain);
            }
        }
        Plan { inside }
    }

    pub fn is_inside_chain(&self, id: Id) -> bool {
        self.inside[id.index()]
    }

    pub fn chain(&self, graph: &Graph, id: Id) -> Option<Chain> {
        chain_of(graph, id)
    }
}

fn chain_of(graph: &Graph, id: Id) -> Option<Chain> {
    match graph.op(id) {
        Op::Elementwise(Elementwise::Add | Elementwise::Sub) => Some(Chain::Sum),
        Op::Elementwise(Elementwise::Mul | Elementwise::Div) => Some(Chain::Product),
        _ => None,
    }
}
