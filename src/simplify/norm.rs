//! Lengths at 0, where they have a kink: of their subgradients there 0 is the shortest.
//!
//! A length that is about to be differentiated is written as `if(r == 0, 0, r)`. So its slope is masked at 0,
//! where `x/r` has no value, and it is the slope of the branch that is 0.
//!
//! What must stay true: only where what a length is used for is smooth at 0. `log(r)` and `1/r` have no slope
//! there. In results nothing is left of it but the mask.

use super::rebuild::{Rebuild, remade};
use super::{Simplifier, Task};
use crate::differentiate::{is_length, is_mark};
use crate::ir::{Elementwise, Graph, Id, Number, Op, Selection, reachable};

impl Simplifier<'_> {
    /// Writes lengths so that their slopes at 0 are 0.
    pub(super) fn mark_kinks(&mut self, task: &mut Task) {
        let nodes = reachable(self.graph, &task.results());
        if !nodes.iter().any(|&id| is_length(self.graph, id)) {
            return;
        }
        let mut rebuild = Rebuild::of(self.graph);
        for &id in &nodes {
            let mut operands = rebuild.operands(self.graph, id);
            for (i, x) in operands.iter_mut().enumerate() {
                if is_length(self.graph, self.graph.operand(id, i)) && is_smooth_in(self.graph, id, i) {
                    *x = marked(self.graph, *x);
                }
            }
            let same = operands.as_slice() == self.graph.operands(id);
            let made = if same { id } else { remade(self.graph, id, &operands) };
            rebuild.put(id, made);
        }
        for root in &mut task.roots {
            let is_length = is_length(self.graph, *root);
            let now = rebuild.now(*root);
            *root = if is_length { marked(self.graph, now) } else { now };
        }
        rebuild.rename(&mut task.kept);
    }

    /// What is marked, in what is not about to be differentiated.
    pub(super) fn unmarked(&self, choice: Id) -> Option<Id> {
        let is_left = self.stage == super::Stage::Before || !is_mark(self.graph, choice);
        let length = (!is_left).then(|| self.graph.operand(choice, 2))?;
        self.facts().is_non_negative(self.graph, length).then_some(length)
    }
}

fn marked(graph: &mut Graph, length: Id) -> Id {
    let zero = graph.integer(0);
    let at_zero = graph.compare(Selection::Equal, &[length, zero]);
    graph.select(at_zero, zero, length)
}

/// Whether a node is a smooth function of its operand `i` where that is 0; not if it is the mark.
fn is_smooth_in(graph: &Graph, id: Id, i: usize) -> bool {
    use Elementwise::{Add, Div, Exp, Expm1, Max, Min, Mul, Neg, Pow, Relu, Sigmoid, Softplus, Sub, Tanh};
    match graph.op(id) {
        Op::Elementwise(Div) => i == 0,
        Op::Elementwise(Pow) => {
            i == 0 && graph.constant(graph.operand(id, 1)).and_then(Number::to_i64).is_some_and(|n| n > 0)
        }
        Op::Elementwise(op) => {
            [Add, Exp, Expm1, Max, Min, Mul, Neg, Relu, Sigmoid, Softplus, Sub, Tanh].contains(&op)
        }
        Op::Selection(Selection::Select) => i > 0 && !is_mark(graph, id),
        Op::Structural(op) => op.is_linear_in(i),
        Op::Contract { .. } => true,
        _ => false,
    }
}
