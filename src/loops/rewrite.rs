//! A graph copied node by node into a fresh one, with a rule that may replace nodes on the way.
//!
//! What must stay true: inputs keep their symbols, and nothing but the rule changes a node; in
//! particular nothing is folded, as insertion through `Graph::apply` would.

use crate::ir::{Function, Graph, Id, Op, reachable};
use smallvec::SmallVec;

/// The function with every node for which `rule` has a replacement replaced.
///
/// The rule sees the source, the node, its operands' copies, and the graph to build in.
pub(super) fn rewrite(
    function: &Function,
    mut rule: impl FnMut(&Graph, Id, &[Id], &mut Graph) -> Option<Id>,
) -> Function {
    let source = function.graph();
    let needed = reachable(source, function.outputs());
    let mut target = Graph::beside(source, needed.len());
    for symbol in source.symbols() {
        target.input_node(symbol);
    }
    let mut copies: Vec<Option<Id>> = vec![None; needed.last().map_or(0, |id| id.index() + 1)];
    let copied = |copies: &[Option<Id>], id: Id| copies[id.index()].expect("operands come first");
    for id in needed {
        let operands: SmallVec<[Id; 3]> = source.operands(id).iter().map(|&x| copied(&copies, x)).collect();
        let replaced = rule(source, id, &operands, &mut target);
        copies[id.index()] = Some(replaced.unwrap_or_else(|| copy(source, id, &operands, &mut target)));
    }
    let outputs = function.outputs().iter().map(|&id| copied(&copies, id)).collect();
    Function::new(target, function.inputs().to_vec(), outputs)
}

fn copy(source: &Graph, id: Id, operands: &[Id], target: &mut Graph) -> Id {
    match source.op(id) {
        op @ Op::Scan { .. } => {
            let op = target.adopted(op, source);
            target.intern(op, operands, source.node(id).ty)
        }
        // Types, numbers and inputs are numbered alike in both.
        op => target.intern(op, operands, source.node(id).ty),
    }
}
