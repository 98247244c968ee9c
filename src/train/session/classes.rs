//! Inputs that choose: those a one-hot vector is made of (`cross_entropy`, `onehot`), and those
//! that index (`embedding`).
//!
//! What must stay true: unknown means no. An input counts only where all of its entries reach the
//! choice unchanged; one whose entries are taken apart or computed with is left alone.

use crate::data::Examples;
use crate::elaborate::program::{Input, Model};
use crate::error::Error;
use crate::ir::{Graph, Id, Op, Selection, Structural, reachable};

/// Refuses examples in which a choosing input has no whole number in range; `used` are the
/// places of the examples' inputs among the program's.
pub fn check(
    graph: &Graph,
    inputs: &[Input],
    used: &[usize],
    roots: &[Id],
    examples: &Examples,
) -> Result<(), Error> {
    for id in reachable(graph, roots) {
        let Some((chosen_by, count)) = choice(graph, id) else { continue };
        let place = used.iter().position(|&i| inputs[i].node == chosen_by);
        if let Some(place) = place {
            examples.check_classes(place, &inputs[used[place]].name, count)?;
        }
    }
    Ok(())
}

/// For each input of a program the number of classes it chooses among, where it does.
pub fn class_counts(model: &Model) -> Vec<Option<usize>> {
    let mut counts = vec![None; model.inputs.len()];
    for id in model.graph.ids() {
        let Some((chosen_by, count)) = choice(&model.graph, id) else { continue };
        if let Some(place) = model.inputs.iter().position(|input| input.node == chosen_by) {
            counts[place] = Some(counts[place].map_or(count, |known: usize| known.min(count)));
        }
    }
    counts
}

/// What a node chooses by, and among how many.
pub(super) fn choice(graph: &Graph, id: Id) -> Option<(Id, usize)> {
    match (graph.op(id), graph.operands(id)) {
        (Op::Structural(Structural::Gather), &[of, index]) => {
            let count = graph.shape(of).extents().first()?;
            Some((moved(graph, index), *count as usize))
        }
        // One-hot: 1 where 0, 1, …, n − 1 is the class, else 0.
        (Op::Selection(Selection::Select), &[condition, one, zero]) => {
            let is = |x: Id, n: i64| graph.constant(moved(graph, x)).and_then(|c| c.to_i64()) == Some(n);
            let &[a, b] = graph.operands(condition) else { return None };
            if graph.op(condition) != Op::Selection(Selection::Equal) || !is(one, 1) || !is(zero, 0) {
                return None;
            }
            let (a, b) = (moved(graph, a), moved(graph, b));
            let is_iota = |x: Id| graph.op(x) == Op::Structural(Structural::Iota);
            match (is_iota(a), is_iota(b)) {
                (true, false) => Some((b, graph.shape(a).size())),
                (false, true) => Some((a, graph.shape(b).size())),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The node whose elements, all of them, are those of `id`, repeated or in another shape.
pub(super) fn moved(graph: &Graph, mut id: Id) -> Id {
    while let Op::Structural(
        Structural::Broadcast { .. } | Structural::Reshape | Structural::Permute { .. },
    ) = graph.op(id)
    {
        id = graph.operand(id, 0);
    }
    id
}
