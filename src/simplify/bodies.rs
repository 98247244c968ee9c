//! Bodies of scans: each is simplified as a function of its own, before the graph around it.
//!
//! What must stay true: nothing is known in a body of what is outside, and the other way round.

use super::rebuild::{rebuilt, remade};
use super::{Level, Purpose, simplified};
use crate::ir::{Body, Graph, Id, Op, ScanBody, reachable};
use rustc_hash::FxHashMap;

/// Simplifies the bodies of all scans the lists need, and renames the nodes in the lists.
pub(super) fn simplify_bodies(graph: &mut Graph, lists: &mut [&mut Vec<Id>], level: Level, purpose: Purpose) {
    let roots: Vec<Id> = lists.iter().flat_map(|list| list.iter().copied()).collect();
    if reachable(graph, &roots).iter().all(|&id| !matches!(graph.op(id), Op::Scan { .. })) {
        return;
    }
    let mut done: FxHashMap<Body, Body> = FxHashMap::default();
    rebuilt(graph, lists, |graph, id, operands| {
        let Op::Scan { body, output } = graph.op(id) else { return remade(graph, id, operands) };
        let new = *done.entry(body).or_insert_with(|| {
            let scan = ScanBody::clone(graph.body(body));
            let function = simplified(scan.function, level, purpose).compacted();
            graph.intern_body(ScanBody { function, ..scan })
        });
        let ty = graph.node(id).ty;
        graph.intern(Op::Scan { body: new, output }, operands, ty)
    });
}
