//! Nodes that no input reaches: computed once, while compiling, on the plain machine.
//!
//! What must stay true: the same operations on the same doubles as at run time, so folding never
//! changes a bit; nothing here is exact arithmetic (that is the graph's).

use crate::elementary::{Plain, PlainSingle};
use crate::ir::{Elementwise, Graph, Id, Op, Precision, Selection, Single, reachable};
use smallvec::SmallVec;

/// The value of every node that no input reaches, by id; truth values are 1 and 0.
pub(super) fn fold(graph: &Graph, needed: &[Id]) -> Vec<Option<f64>> {
    let mut folded: Vec<Option<f64>> = vec![None; graph.len()];
    for &id in needed {
        let operands = graph.operands(id).iter().map(|x| folded[x.index()]);
        folded[id.index()] = match graph.op(id) {
            Op::Constant(constant) => Some(graph.number(constant).to_f64()),
            Op::Elementwise(op) => operands.collect::<Option<SmallVec<[f64; 3]>>>().map(|x| value(op, &x)),
            Op::Selection(op) => operands.collect::<Option<SmallVec<[f64; 3]>>>().map(|x| selected(op, &x)),
            _ => None,
        };
    }
    folded
}

/// By id: true for nodes that no input reaches.
pub(super) fn constant_nodes(graph: &Graph, roots: &[Id]) -> Vec<bool> {
    let mut constant = vec![false; graph.len()];
    for id in reachable(graph, roots) {
        constant[id.index()] = match graph.op(id) {
            Op::Constant(_) => true,
            Op::Elementwise(_) | Op::Selection(_) => graph.operands(id).iter().all(|x| constant[x.index()]),
            _ => false,
        };
    }
    constant
}

/// One copy of the whole op table on the plain machine for this stretch of the pipeline.
#[inline(never)]
pub(super) fn value(op: Elementwise, operands: &[f64]) -> f64 {
    op.value(&mut Plain, operands)
}

/// The same op as loops of a precision compute it, on numbers of it.
#[inline(never)]
pub(super) fn value_in(precision: Precision, op: Elementwise, operands: &[f64]) -> f64 {
    match (precision, op.single()) {
        (Precision::F64, _) => value(op, operands),
        (Precision::F32, Single::Widened) => f64::from(value(op, operands) as f32),
        (Precision::F32, Single::Native) => {
            let operands: SmallVec<[f32; 3]> = operands.iter().map(|&x| x as f32).collect();
            f64::from(op.value(&mut PlainSingle, &operands))
        }
    }
}

/// A selection op on doubles, truth values 1 and 0.
pub(super) fn selected(op: Selection, operands: &[f64]) -> f64 {
    let is = |i: usize| operands[i] != 0.0;
    let truth = match op {
        Selection::Select => return operands[if is(0) { 1 } else { 2 }],
        Selection::Not => !is(0),
        Selection::And => is(0) && is(1),
        Selection::Or => is(0) || is(1),
        comparison => comparison.compare(operands[0], operands[1]),
    };
    f64::from(u8::from(truth))
}
