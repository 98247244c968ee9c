//! Walks over the part of a graph that some roots need, operands first, without recursion.

use super::{Graph, Id, Op};

/// The nodes reachable from `roots`, operands before users (ascending ids).
pub fn reachable(graph: &Graph, roots: &[Id]) -> Vec<Id> {
    let Some(last) = roots.iter().max() else {
        return Vec::new();
    };
    let mut needed = vec![false; last.index() + 1];
    for root in roots {
        needed[root.index()] = true;
    }
    let mut found = Vec::new();
    for id in graph.ids().take(last.index() + 1).rev() {
        if needed[id.index()] {
            found.push(id);
            for operand in graph.operands(id) {
                needed[operand.index()] = true;
            }
        }
    }
    found.reverse();
    found
}

/// How many times each node is used by nodes reachable from `roots`, each root counting once.
/// Indexed by id; nodes that are not reachable have 0.
pub fn use_counts(graph: &Graph, roots: &[Id]) -> Vec<u32> {
    let mut counts = vec![0u32; graph.len()];
    for root in roots {
        counts[root.index()] += 1;
    }
    for id in graph.ids().rev() {
        if counts[id.index()] > 0 {
            for operand in graph.operands(id) {
                counts[operand.index()] += 1;
            }
        }
    }
    counts
}

/// Operations needed to compute `roots`: every reachable node that is not an input or a constant.
pub fn operation_count(graph: &Graph, roots: &[Id]) -> usize {
    let is_operation = |id: &&Id| !matches!(graph.op(**id), Op::Input(_) | Op::Constant(_));
    reachable(graph, roots).iter().filter(is_operation).count()
}
