//! Comparisons and selections: canonical order, truths that are known, one-hot vectors.

use super::Simplifier;
use crate::ir::{Elementwise, Id, Number, Op, Selection, Structural};

/// Levels of `and`, `or` and `not` looked through.
const DEPTH: usize = 4;

/// Sums and products looked through.
const TERMS: usize = 8;

impl Simplifier<'_> {
    pub fn make_selection(&mut self, op: Selection, operands: &[Id]) -> Id {
        if op != Selection::Select {
            let mut operands = self.turned(op, operands).unwrap_or_else(|| operands.to_vec());
            if matches!(op, Selection::Equal | Selection::NotEqual | Selection::And | Selection::Or) {
                let (graph, order) = (&*self.graph, &self.order);
                operands.sort_by(|&a, &b| order.compare(graph, a, b));
            }
            return self.graph.compare(op, &operands);
        }
        match self.decide(operands[0]) {
            Some(true) => operands[1],
            Some(false) => operands[2],
            None if self.guards_itself(operands[0], operands[1], operands[2]) => operands[1],
            None => {
                let made = self.select_or_onehot(operands[0], operands[1], operands[2]);
                self.unmarked(made).unwrap_or(made)
            }
        }
    }

    /// `-x > c` as `x < -c`, and the like.
    fn turned(&mut self, op: Selection, operands: &[Id]) -> Option<Vec<Id>> {
        use Selection::{Equal, Less, LessEqual, NotEqual};
        if !matches!(op, Equal | Less | LessEqual | NotEqual) {
            return None;
        }
        let negated = |id: Id| match self.graph.op(id) {
            Op::Elementwise(Elementwise::Neg) => Some(self.graph.operand(id, 0)),
            _ => None,
        };
        let number = |id: Id| self.graph.constant(id).map(Number::negate);
        let (a, b) = (operands[0], operands[1]);
        match (negated(a), negated(b), number(a), number(b)) {
            (Some(a), Some(b), ..) => Some(vec![b, a]),
            (Some(a), _, _, Some(c)) => Some(vec![self.graph.exact(c), a]),
            (_, Some(b), Some(c), _) => Some(vec![b, self.graph.exact(c)]),
            _ => None,
        }
    }

    /// True of `if(c or d, if(c, a, 0) + if(d, b, 0), 0)`, whose sum is 0 where neither holds.
    fn guards_itself(&self, condition: Id, then: Id, otherwise: Id) -> bool {
        let is_zero = self.graph.constant(otherwise).is_some_and(Number::is_zero);
        let is_either = self.graph.op(condition) == Op::Selection(Selection::Or);
        is_zero && is_either && self.vanishes_without(condition, then, TERMS)
    }

    /// Whether a value is known to be 0 where a condition does not hold.
    fn vanishes_without(&self, condition: Id, value: Id, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let operand = |i: usize| self.graph.operand(value, i);
        let vanishes = |i: usize| self.vanishes_without(condition, operand(i), depth);
        let is_number = |i: usize| self.graph.constant(operand(i)).is_some_and(|c| !c.is_zero());
        let is_zero = |i: usize| self.graph.constant(operand(i)).is_some_and(Number::is_zero);
        match self.graph.op(value) {
            Op::Selection(Selection::Select) => {
                is_zero(2) && self.implies(operand(0), condition, DEPTH) || vanishes(1) && vanishes(2)
            }
            Op::Elementwise(Elementwise::Add | Elementwise::Sub) => vanishes(0) && vanishes(1),
            Op::Elementwise(Elementwise::Mul) => vanishes(0) && is_number(1) || is_number(0) && vanishes(1),
            Op::Elementwise(Elementwise::Div) => vanishes(0) && is_number(1),
            Op::Elementwise(Elementwise::Neg) => vanishes(0),
            _ => false,
        }
    }

    /// Whether one truth is known to bring the other about.
    fn implies(&self, truth: Id, other: Id, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return truth == other };
        let parts = |id: Id| self.graph.operands(id).iter();
        truth == other
            || self.graph.op(other) == Op::Selection(Selection::Or)
                && parts(other).any(|&part| self.implies(truth, part, depth))
            || self.graph.op(truth) == Op::Selection(Selection::And)
                && parts(truth).any(|&part| self.implies(part, other, depth))
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

    /// A truth value that is known, from constants or from facts.
    fn decide(&self, truth: Id) -> Option<bool> {
        self.decide_to_depth(truth, DEPTH)
    }

    fn decide_to_depth(&self, truth: Id, depth: usize) -> Option<bool> {
        let Op::Selection(op) = self.graph.op(truth) else { return None };
        let operand = |i: usize| self.graph.operand(truth, i);
        let decided = |i: usize| self.decide_to_depth(operand(i), depth.checked_sub(1)?);
        match op {
            Selection::Select => return None,
            Selection::Not => return decided(0).map(|b| !b),
            Selection::And | Selection::Or => {
                let enough = op == Selection::Or;
                return match (decided(0), decided(1)) {
                    (Some(b), _) | (_, Some(b)) if b == enough => Some(b),
                    (Some(a), Some(b)) if a == b => Some(a),
                    _ => None,
                };
            }
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
        self.decide_by_facts(op, a, b)
    }

    /// A comparison of what is known to lie apart. A truth needs both sides defined: comparisons
    /// with NaN are false (and `!=` true).
    fn decide_by_facts(&self, op: Selection, a: Id, b: Id) -> Option<bool> {
        let (facts, graph) = (self.facts(), &*self.graph);
        let zero = |id: Id| graph.constant(id).is_some_and(Number::is_zero);
        let (x, y) = (facts.interval(graph, a), facts.interval(graph, b));
        let is_non_zero = |id: Id| facts.is_non_zero(graph, id);
        let apart =
            x.is_before(y) || y.is_before(x) || zero(a) && is_non_zero(b) || zero(b) && is_non_zero(a);
        let known = match op {
            Selection::Less if x.is_before(y) => true,
            Selection::Less if y.is_not_after(x) => false,
            Selection::LessEqual if x.is_not_after(y) => true,
            Selection::LessEqual if y.is_before(x) => false,
            Selection::Equal if apart => false,
            Selection::NotEqual if apart => true,
            _ => return None,
        };
        let needs_both = known && op != Selection::NotEqual;
        let defined = |id: Id| facts.is_defined(graph, id);
        (!needs_both || defined(a) && defined(b)).then_some(known)
    }
}
