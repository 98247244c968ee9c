//! The order of evaluation: depth first from the outputs, so that values die young.
//!
//! What must stay true: operands before users, each node once, and the same order for the same
//! graph whatever ran before.

use crate::ir::{Graph, Id};

/// `roots` and what they need, operands first. `is_leaf` nodes are neither listed nor entered.
pub(super) fn depth_first(graph: &Graph, roots: &[Id], is_leaf: impl Fn(Id) -> bool) -> Vec<Id> {
    let mut seen = vec![false; graph.len()];
    let mut order = Vec::new();
    let mut stack: Vec<(Id, u32)> = Vec::new();
    let heights = heights(graph, roots, &is_leaf);
    for &root in roots {
        if is_leaf(root) || std::mem::replace(&mut seen[root.index()], true) {
            continue;
        }
        stack.push((root, 0));
        while let Some((id, visited)) = stack.last_mut() {
            let Some(next) = nth_operand(graph, *id, *visited, &heights) else {
                order.push(*id);
                stack.pop();
                continue;
            };
            *visited += 1;
            if !is_leaf(next) && !std::mem::replace(&mut seen[next.index()], true) {
                stack.push((next, 0));
            }
        }
    }
    order
}

/// The operand to visit as the `n`-th: the one with the longest way to a leaf first, because
/// while it is computed nothing else has to be held.
fn nth_operand(graph: &Graph, id: Id, n: u32, heights: &[u32]) -> Option<Id> {
    let operands = graph.operands(id);
    let rank = |i: usize| {
        let before = |j: usize| {
            let (a, b) = (heights[operands[j].index()], heights[operands[i].index()]);
            a > b || (a == b && j < i)
        };
        (0..operands.len()).filter(|&j| j != i && before(j)).count()
    };
    (0..operands.len()).find(|&i| rank(i) == n as usize).map(|i| operands[i])
}

/// The longest way from each node to a leaf.
fn heights(graph: &Graph, roots: &[Id], is_leaf: &impl Fn(Id) -> bool) -> Vec<u32> {
    let mut heights = vec![0u32; graph.len()];
    for id in crate::ir::reachable(graph, roots) {
        if !is_leaf(id) {
            let tallest = graph.operands(id).iter().map(|x| heights[x.index()]).max();
            heights[id.index()] = 1 + tallest.unwrap_or(0);
        }
    }
    heights
}
