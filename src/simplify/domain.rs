//! What is known of signs and definedness, so that a conditional rule can be refused.
//!
//! Knowledge comes from assumptions, from the domain of the original function (the derivative of
//! log(x²) may use x ≠ 0, for log(x²) already needs it) and from the ops (exp(x) > 0). All of it
//! is over the reals and holds where the original function is finite. Unknown means no.

use crate::ir::{Domain, Elementwise, Graph, Id, Number, Op, Range, Selection, leaf};
use rustc_hash::{FxHashMap, FxHashSet};

/// Levels an inference descends before it gives up.
const DEPTH: usize = 6;

/// Nodes looked at before definedness counts as unknown.
const NODES: usize = 256;

/// A set of sign facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Sign(u8);

impl Sign {
    pub const UNKNOWN: Sign = Sign(0);
    pub const NON_NEGATIVE: Sign = Sign(1);
    pub const NON_POSITIVE: Sign = Sign(2);
    pub const NON_ZERO: Sign = Sign(4);
    pub const POSITIVE: Sign = Sign(1 | 4);
    pub const NEGATIVE: Sign = Sign(2 | 4);

    pub fn has(self, facts: Sign) -> bool {
        self.0 & facts.0 == facts.0
    }

    pub fn and(self, facts: Sign) -> Sign {
        Sign(self.0 | facts.0)
    }

    fn only(self, facts: Sign) -> Sign {
        Sign(self.0 & facts.0)
    }

    /// The sign of the negated value.
    fn flipped(self) -> Sign {
        Sign((self.0 & 1) << 1 | (self.0 & 2) >> 1 | self.0 & 4)
    }

    fn of(number: &Number) -> Sign {
        match (number.is_zero(), number.is_negative()) {
            (true, _) => Sign::NON_NEGATIVE.and(Sign::NON_POSITIVE),
            (false, true) => Sign::NEGATIVE,
            (false, false) => Sign::POSITIVE,
        }
    }

    fn times(self, other: Sign) -> Sign {
        let known = |s: Sign| s.has(Sign::NON_NEGATIVE) || s.has(Sign::NON_POSITIVE);
        let mut product = Sign::UNKNOWN;
        if known(self) && known(other) {
            let same = self.has(Sign::NON_NEGATIVE) == other.has(Sign::NON_NEGATIVE);
            product = if same { Sign::NON_NEGATIVE } else { Sign::NON_POSITIVE };
        }
        product.and(Sign(self.0 & other.0 & Sign::NON_ZERO.0))
    }

    fn plus(self, other: Sign) -> Sign {
        let shared = self.only(other).only(Sign(3));
        let strict = shared != Sign::UNKNOWN && (self.has(Sign::NON_ZERO) || other.has(Sign::NON_ZERO));
        if strict { shared.and(Sign::NON_ZERO) } else { shared }
    }
}

/// Facts about the nodes of one graph.
#[derive(Clone, Default)]
pub struct Facts {
    learned: FxHashMap<Id, Sign>,
    /// Nodes the original function computes whatever branch is taken: finite where it is.
    defined: FxHashSet<Id>,
}

impl Facts {
    /// What truth values that are given say.
    pub fn given(graph: &mut Graph, assumptions: &[Id]) -> Self {
        let mut facts = Facts::default();
        for &truth in assumptions {
            facts.assume(graph, truth);
        }
        facts
    }

    /// Uses a truth value: comparisons with zero give signs, others give the sign of a difference.
    fn assume(&mut self, graph: &mut Graph, truth: Id) {
        let Op::Selection(op) = graph.op(truth) else { return };
        let operands: Vec<Id> = graph.operands(truth).to_vec();
        if op == Selection::And {
            self.assume(graph, operands[0]);
            self.assume(graph, operands[1]);
            return;
        }
        let sign = match op {
            Selection::Less => Sign::POSITIVE,
            Selection::LessEqual => Sign::NON_NEGATIVE,
            Selection::NotEqual => Sign::NON_ZERO,
            _ => return,
        };
        // a < b: b − a is positive, and so on; with a constant bound, also the sign it implies.
        let (a, b) = (operands[0], operands[1]);
        let difference = graph.apply(Elementwise::Sub, &[b, a]);
        self.learn(graph, difference, sign);
        let opposite = graph.apply(Elementwise::Sub, &[a, b]);
        self.learn(graph, opposite, sign.flipped());
        if let Some(bound) = graph.constant(a).map(Sign::of) {
            self.learn(graph, b, bound.plus(sign));
        }
        if let Some(bound) = graph.constant(b).map(Sign::of) {
            self.learn(graph, a, bound.plus(sign.flipped()));
        }
    }

    /// What the original function needs to be finite: the domains of the ops it always computes.
    pub fn read_domain(&mut self, graph: &Graph, origin: &[Id]) {
        let mut pending: Vec<Id> = origin.to_vec();
        while let Some(id) = pending.pop() {
            if !self.defined.insert(id) {
                continue;
            }
            match graph.op(id) {
                Op::Elementwise(op) => {
                    self.read_op_domain(graph, op, id);
                    pending.extend(graph.operands(id));
                }
                Op::Selection(Selection::Select) => pending.push(graph.operand(id, 0)),
                _ => pending.extend(graph.operands(id)),
            }
        }
    }

    fn read_op_domain(&mut self, graph: &Graph, op: Elementwise, id: Id) {
        let operand = |i: usize| graph.operand(id, i);
        match op.domain() {
            Domain::Positive(i) => self.learn(graph, operand(i), Sign::POSITIVE),
            Domain::NonNegative(i) => self.learn(graph, operand(i), Sign::NON_NEGATIVE),
            Domain::NonZero(i) => self.learn(graph, operand(i), Sign::NON_ZERO),
            Domain::Power => {
                let sign = match graph.constant(operand(1)) {
                    Some(n) if n.is_integer() && n.is_negative() => Sign::NON_ZERO,
                    Some(n) if n.is_integer() => Sign::UNKNOWN,
                    Some(n) if n.is_negative() => Sign::POSITIVE,
                    Some(_) => Sign::NON_NEGATIVE,
                    // An exponent that varies makes a = 0 a boundary, where nothing is smooth.
                    None => Sign::NON_ZERO,
                };
                self.learn(graph, operand(0), sign);
            }
            Domain::Everywhere | Domain::Other => {}
        }
    }

    /// Adds a fact, and those that follow for the operands of powers, products and the like.
    fn learn(&mut self, graph: &Graph, id: Id, sign: Sign) {
        let mut pending = vec![(id, sign)];
        while let Some((id, sign)) = pending.pop() {
            let known = self.learned.entry(id).or_default();
            if known.has(sign) {
                continue;
            }
            *known = known.and(sign);
            let Op::Elementwise(op) = graph.op(id) else { continue };
            let operand = |i: usize| graph.operand(id, i);
            let non_zero = sign.only(Sign::NON_ZERO);
            match op {
                Elementwise::Neg => pending.push((operand(0), sign.flipped())),
                Elementwise::Cbrt => pending.push((operand(0), sign)),
                Elementwise::Sqrt | Elementwise::Abs => pending.push((operand(0), non_zero)),
                Elementwise::Mul => pending.extend([(operand(0), non_zero), (operand(1), non_zero)]),
                Elementwise::Div => pending.push((operand(0), non_zero)),
                Elementwise::Pow => match graph.constant(operand(1)) {
                    Some(n) if n.is_integer() && !n.is_even() => pending.push((operand(0), sign)),
                    Some(n) if n.is_integer() && !n.is_zero() => pending.push((operand(0), non_zero)),
                    _ => {}
                },
                _ => {}
            }
            if op == Elementwise::Mul
                && let Some(c) = graph.constant(operand(0))
            {
                let sign = if c.is_negative() { sign.flipped() } else { sign };
                pending.push((operand(1), sign));
            }
        }
    }

    /// What is known of a node's sign.
    pub fn sign(&self, graph: &Graph, id: Id) -> Sign {
        self.sign_to_depth(graph, id, DEPTH)
    }

    fn sign_to_depth(&self, graph: &Graph, id: Id, depth: usize) -> Sign {
        let learned = self.learned.get(&id).copied().unwrap_or_default();
        let Op::Elementwise(op) = graph.op(id) else {
            return graph.constant(id).map_or(learned, Sign::of);
        };
        if depth == 0 {
            return learned;
        }
        let operand = |i: usize| self.sign_to_depth(graph, graph.operand(id, i), depth - 1);
        let inferred = match op {
            Elementwise::Neg => operand(0).flipped(),
            Elementwise::Add => operand(0).plus(operand(1)),
            Elementwise::Sub => operand(0).plus(operand(1).flipped()),
            Elementwise::Mul if graph.operand(id, 0) == graph.operand(id, 1) => {
                Sign::NON_NEGATIVE.and(operand(0).only(Sign::NON_ZERO))
            }
            Elementwise::Mul | Elementwise::Div => operand(0).times(operand(1)),
            Elementwise::Sqrt | Elementwise::Abs => operand(0).only(Sign::NON_ZERO),
            Elementwise::Pow => {
                let base = operand(0);
                match graph.constant(graph.operand(id, 1)) {
                    Some(n) if n.is_even() => Sign::NON_NEGATIVE.and(base.only(Sign::NON_ZERO)),
                    _ if base.has(Sign::POSITIVE) => Sign::POSITIVE,
                    _ if base.has(Sign::NON_NEGATIVE) => Sign::NON_NEGATIVE,
                    _ => Sign::UNKNOWN,
                }
            }
            Elementwise::Max => {
                let (a, b) = (operand(0), operand(1));
                let best = [Sign::POSITIVE, Sign::NON_NEGATIVE];
                let found = best.into_iter().find(|&s| a.has(s) || b.has(s));
                found.unwrap_or(Sign::UNKNOWN).and(a.only(b))
            }
            Elementwise::Min => operand(0).only(operand(1)),
            _ => Sign::UNKNOWN,
        };
        let by_range = match op.range() {
            Range::Any => Sign::UNKNOWN,
            Range::NonNegative => Sign::NON_NEGATIVE,
            Range::Positive => Sign::POSITIVE,
        };
        learned.and(inferred).and(by_range)
    }

    pub fn is_non_zero(&self, graph: &Graph, id: Id) -> bool {
        self.sign(graph, id).has(Sign::NON_ZERO)
    }

    pub fn is_non_negative(&self, graph: &Graph, id: Id) -> bool {
        self.sign(graph, id).has(Sign::NON_NEGATIVE)
    }

    /// True when the node is defined wherever the original function is, so that dropping it
    /// cannot make an undefined expression defined.
    pub fn is_defined(&self, graph: &Graph, id: Id) -> bool {
        let mut pending = vec![id];
        let mut visited = FxHashSet::default();
        while let Some(id) = pending.pop() {
            if self.defined.contains(&id) || leaf(graph, id).is_some() || !visited.insert(id) {
                continue;
            }
            if visited.len() > NODES || !self.is_inside_domain(graph, id) {
                return false;
            }
            pending.extend(graph.operands(id));
        }
        true
    }

    /// True when the op is defined for its operands, if those are.
    fn is_inside_domain(&self, graph: &Graph, id: Id) -> bool {
        let Op::Elementwise(op) = graph.op(id) else { return true };
        let operand = |i: usize| graph.operand(id, i);
        match op.domain() {
            Domain::Everywhere => true,
            Domain::Positive(i) => self.sign(graph, operand(i)).has(Sign::POSITIVE),
            Domain::NonNegative(i) => self.is_non_negative(graph, operand(i)),
            Domain::NonZero(i) => self.is_non_zero(graph, operand(i)),
            Domain::Power => match graph.constant(operand(1)) {
                Some(n) if n.is_integer() && !n.is_negative() => true,
                Some(n) if n.is_integer() => self.is_non_zero(graph, operand(0)),
                _ => self.sign(graph, operand(0)).has(Sign::POSITIVE),
            },
            Domain::Other => false,
        }
    }
}
