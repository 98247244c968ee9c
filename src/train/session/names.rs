//! What a class is called: the labels of the input it is compared with.
//!
//! What must stay true: unknown means no. Two inputs it could be leave a class a number.

use super::classes::{choice, moved};
use crate::data::{Encodings, Labels};
use crate::elaborate::program::{MetricKind, Model};
use crate::ir::{Graph, Id, Op, Reduction, Selection, Structural, reachable};

/// The labels of the classes a node holds: it is an input of labels, or compared with one for
/// equality or in a confusion matrix, or it is the argmax of as many scores as one has classes.
pub(super) fn labels_of<'e>(model: &Model, encodings: &'e Encodings, node: Id) -> Option<&'e Labels> {
    let labelled: Vec<(Id, &Labels)> = model
        .inputs
        .iter()
        .filter_map(|input| Some((input.node, encodings.get(&input.name)?.labels.as_ref()?)))
        .collect();
    let labels = |id: Id| labelled.iter().find(|of| of.0 == id).map(|of| of.1);
    let node = origin(&model.graph, node);
    if let Some(found) = labels(node) {
        return Some(found);
    }
    let mut found: Vec<Id> = companions(model, node);
    found.retain(|&id| labels(id).is_some());
    found.sort_unstable();
    found.dedup();
    match found.as_slice() {
        &[one] => labels(one),
        _ => None,
    }
}

/// What the rows and columns of a confusion matrix are called: the labels of either of its sides.
pub(super) fn confusion_names<'e>(
    model: &Model,
    encodings: &'e Encodings,
    name: &str,
) -> Option<&'e [String]> {
    let metric = model.metrics.iter().find(|metric| metric.name == name)?;
    let sides = model.graph.operands(metric.node);
    let labels = sides.iter().rev().find_map(|&side| labels_of(model, encodings, side))?;
    Some(labels.texts())
}

/// The node whose elements are those of `id`, or some of them.
fn origin(graph: &Graph, mut id: Id) -> Id {
    loop {
        id = moved(graph, id);
        match graph.op(id) {
            Op::Structural(Structural::Slice { .. }) => id = graph.operand(id, 0),
            _ => return id,
        }
    }
}

/// The inputs a node is compared with.
fn companions(model: &Model, node: Id) -> Vec<Id> {
    let graph = &model.graph;
    let roots = model.values.iter().map(|value| value.node).chain(model.metrics.iter().map(|m| m.node));
    let roots: Vec<Id> = roots.chain(model.objective.iter().map(|objective| objective.node)).collect();
    let pairs = model.metrics.iter().filter(|metric| metric.kind == MetricKind::Confusion);
    let pairs: Vec<Id> = pairs.map(|metric| metric.node).collect();
    let scores = match graph.op(node) {
        Op::Reduce { op: Reduction::ArgMax, .. } => Some(graph.shape(graph.operand(node, 0)).size()),
        _ => None,
    };
    let mut found = Vec::new();
    for id in reachable(graph, &roots) {
        let is_pair = pairs.contains(&id) && graph.op(id) == Op::Structural(Structural::Stack);
        if let (true, &[a, b]) =
            (is_pair || graph.op(id) == Op::Selection(Selection::Equal), graph.operands(id))
        {
            let (a, b) = (origin(graph, a), origin(graph, b));
            found.extend((a == node).then_some(b));
            found.extend((b == node).then_some(a));
        }
        if let Some((chosen_by, count)) = choice(graph, id) {
            found.extend((scores == Some(count)).then_some(chosen_by));
        }
    }
    found
}
