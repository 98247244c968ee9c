//! Comparisons and selections: canonical order, truths that are known, one-hot vectors.

use super::{Sign, Simplifier};
use crate::ir::{Elementwise, Id, Number, Op, Selection, Structural};

impl Simplifier<'_> {
    pub fn make_selection(&mut self, op: Selection, operands: &[Id]) -> Id {
        if op != Selection::Select {
            let mut operands = operands.to_vec();
            if matches!(op, Selection::Equal | Selection::NotEqual | Selection::And | Selection::Or) {
                let (graph, order) = (&*self.graph, &self.order);
                operands.sort_by(|&a, &b| order.compare(graph, a, b));
            }
            return self.graph.compare(op, &operands);
        }
        match self.decide(operands[0]) {
            Some(true) => operands[1],
            Some(false) => operands[2],
            None => self.select_or_onehot(operands[0], operands[1], operands[2]),
        }
    }

    /// `if(k == i, c, 0)` over places i is c times a vector with one 1: as such it is collected.
    fn select_or_onehot(&mut self, condition: Id, then: Id, otherwise: Id) -> Id {
        let number = |id: Id| self.graph.constant(id).filter(|c| !c.is_one());
        let is_zero = self.graph.constant(otherwise).is_some_and(Number::is_zero);
        let is_place = |&x: &Id| self.graph.op(x) == Op::Structural(Structural::Iota);
        let picks_one = self.graph.op(condition) == Op::Selection(Selection::Equal)
            && self.graph.operands(condition).iter().any(is_place);
        if !is_zero || !picks_one || number(then).is_none() {
            return self.graph.select(condition, then, otherwise);
        }
        let one = self.graph.integer(1);
        let onehot = self.graph.select(condition, one, otherwise);
        self.make_with(Elementwise::Mul, &[then, onehot], 0)
    }

    /// A truth value that is known, from constants or from signs.
    fn decide(&self, truth: Id) -> Option<bool> {
        let Op::Selection(op) = self.graph.op(truth) else { return None };
        let operand = |i: usize| self.graph.operand(truth, i);
        match op {
            Selection::Not => return self.decide(operand(0)).map(|b| !b),
            Selection::And | Selection::Or | Selection::Select => return None,
            _ => {}
        }
        let (a, b) = (operand(0), operand(1));
        if let (Some(x), Some(y)) = (self.graph.constant(a), self.graph.constant(b)) {
            return Some(match op {
                Selection::Less => x < y,
                Selection::LessEqual => x <= y,
                Selection::Equal => x == y,
                _ => x != y,
            });
        }
        let zero = |id: Id| self.graph.constant(id).is_some_and(Number::is_zero);
        let sign = |id: Id| self.facts().sign(self.graph, id);
        let defined = |id: Id| self.facts().is_defined(self.graph, id);
        match op {
            Selection::Less if zero(a) && sign(b).has(Sign::POSITIVE) && defined(b) => Some(true),
            Selection::Less if zero(a) && sign(b).has(Sign::NON_POSITIVE) => Some(false),
            Selection::Less if zero(b) && sign(a).has(Sign::NEGATIVE) && defined(a) => Some(true),
            Selection::Less if zero(b) && sign(a).has(Sign::NON_NEGATIVE) => Some(false),
            Selection::LessEqual if zero(a) && sign(b).has(Sign::NON_NEGATIVE) && defined(b) => Some(true),
            Selection::LessEqual if zero(b) && sign(a).has(Sign::NON_POSITIVE) && defined(a) => Some(true),
            _ => None,
        }
    }
}
