//! What is known of signs, of the intervals values lie in, and of definedness, so that a
//! conditional rule can be refused.
//!
//! Knowledge comes from assumptions, from the domain of the original function (the derivative of
//! log(x²) may use x ≠ 0, for log(x²) already needs it) and from the ops (exp(x) > 0). All of it
//! is over the reals and holds where the original function is finite; a number computed may round
//! to an end that the real one does not reach (exp(-800) is 0). Unknown means no.

use super::Sign;
use crate::ir::{Domain, Elementwise, Graph, Id, Interval, Op, Reduction, Selection, Structural, leaf};
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::RefCell;

/// Nodes looked at before definedness counts as unknown.
const NODES: usize = 256;

/// What is known of the values of a node.
#[derive(Clone, Copy)]
struct Known {
    sign: Sign,
    values: Interval,
}

impl Known {
    const NOTHING: Known = Known { sign: Sign::UNKNOWN, values: Interval::ALL };

    fn in_interval(values: Interval) -> Known {
        Known { sign: Sign::UNKNOWN, values }
    }

    /// Both at once; each says what it can of the other. What contradicts itself says nothing.
    fn and(self, other: Known) -> Known {
        let values = self.values.meet(other.values);
        if values.is_empty() {
            return Known::NOTHING;
        }
        let sign = self.sign.and(other.sign).and(Sign::of_all(values));
        let values = values.meet(sign.numbers());
        if values.is_empty() { Known::NOTHING } else { Known { sign, values } }
    }

    /// What holds of either.
    fn or(self, other: Known) -> Known {
        Known { sign: self.sign.only(other.sign), values: self.values.hull(other.values) }
    }
}

/// Facts about the nodes of one graph.
#[derive(Clone, Default)]
pub struct Facts {
    learned: FxHashMap<Id, Sign>,
    bounds: FxHashMap<Id, Interval>,
    /// What was inferred already, by node; forgotten when something is learned.
    inferred: RefCell<Vec<Option<Known>>>,
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
            Selection::Equal => Sign::NON_NEGATIVE.and(Sign::NON_POSITIVE),
            _ => return,
        };
        self.assume_bounds(graph, op, &operands);
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

    /// A comparison with a constant bounds the other operand.
    fn assume_bounds(&mut self, graph: &Graph, op: Selection, operands: &[Id]) {
        let sides = [(operands[0], operands[1], false), (operands[1], operands[0], true)];
        for (constant, other, turned) in sides {
            let Some(bound) = graph.constant(constant).map(Interval::around) else { continue };
            let above = match op {
                Selection::Less => Interval::above(bound.low()),
                Selection::LessEqual => Interval::within(bound.low(), f64::INFINITY),
                Selection::Equal => bound,
                _ => continue,
            };
            let below = match op {
                Selection::Less => Interval::below(bound.high()),
                Selection::LessEqual => Interval::within(f64::NEG_INFINITY, bound.high()),
                _ => bound,
            };
            self.learn_bounds(other, if turned { below } else { above });
        }
    }

    fn learn_bounds(&mut self, id: Id, values: Interval) {
        let known = self.bounds.entry(id).or_insert(Interval::ALL);
        let met = known.meet(values);
        if !met.is_empty() {
            *known = met;
        }
        self.inferred.borrow_mut().clear();
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
            Domain::Within(low, high) => self.learn_bounds(operand(0), Interval::within(low, high)),
            Domain::Between(low, high) => self.learn_bounds(operand(0), Interval::between(low, high)),
            Domain::Everywhere | Domain::Other => {}
        }
    }

    /// Adds a fact, and those that follow for the operands of powers, products and the like.
    fn learn(&mut self, graph: &Graph, id: Id, sign: Sign) {
        self.inferred.borrow_mut().clear();
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
        self.known(graph, id).sign
    }

    /// The interval a node's values are known to lie in.
    ///
    /// ```
    /// use symdiff::simplify::Facts;
    /// let f = symdiff::parse("3 + sin(x)^2")?;
    /// let values = Facts::default().interval(f.graph(), f.outputs()[0]);
    /// assert_eq!((values.low(), values.high()), (3.0, 4.0));
    /// # Ok::<(), symdiff::Error>(())
    /// ```
    pub fn interval(&self, graph: &Graph, id: Id) -> Interval {
        self.known(graph, id).values
    }

    /// Infers operands first, each node once.
    fn known(&self, graph: &Graph, id: Id) -> Known {
        let mut inferred = self.inferred.borrow_mut();
        if inferred.len() <= id.index() {
            inferred.resize(graph.len().max(id.index() + 1), None);
        }
        let mut pending = vec![id];
        while let Some(&next) = pending.last() {
            if inferred[next.index()].is_some() {
                pending.pop();
                continue;
            }
            let before = pending.len();
            if leaf(graph, next).is_none() {
                let operands = graph.operands(next).iter();
                pending.extend(operands.filter(|x| inferred[x.index()].is_none()));
            }
            if pending.len() == before {
                inferred[next.index()] = Some(self.infer(graph, next, &inferred));
                pending.pop();
            }
        }
        inferred[id.index()].unwrap_or(Known::NOTHING)
    }

    fn infer(&self, graph: &Graph, id: Id, inferred: &[Option<Known>]) -> Known {
        let learned = Known {
            sign: self.learned.get(&id).copied().unwrap_or_default(),
            values: self.bounds.get(&id).copied().unwrap_or(Interval::ALL),
        };
        let operand = |i: usize| inferred[graph.operand(id, i).index()].unwrap_or(Known::NOTHING);
        let found = match graph.op(id) {
            _ if leaf(graph, id).is_some() => Known::NOTHING,
            Op::Constant(c) => {
                let number = graph.number(c);
                Known { sign: Sign::of(number), values: Interval::around(number) }
            }
            Op::Elementwise(op) => by_table(graph, op, id, operand),
            Op::Selection(Selection::Select) => operand(1).or(operand(2)),
            Op::Structural(op) => moved(graph, op, id, operand),
            Op::Reduce { op: Reduction::Max | Reduction::Min, .. } => operand(0),
            _ => Known::NOTHING,
        };
        learned.and(found)
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
        // Each with what a choice around it says is not 0.
        let mut pending: Vec<(Id, Option<Id>)> = vec![(id, None)];
        let mut visited = FxHashSet::default();
        while let Some((id, non_zero)) = pending.pop() {
            if self.defined.contains(&id) || leaf(graph, id).is_some() || !visited.insert((id, non_zero)) {
                continue;
            }
            if visited.len() > NODES || !self.is_inside_domain(graph, id, non_zero) {
                return false;
            }
            let operands = graph.operands(id);
            match (graph.op(id), tested_for_zero(graph, id)) {
                (Op::Selection(Selection::Select), Some(x)) => {
                    pending.extend([
                        (operands[0], non_zero),
                        (operands[1], non_zero),
                        (operands[2], Some(x)),
                    ]);
                }
                _ => pending.extend(operands.iter().map(|&x| (x, non_zero))),
            }
        }
        true
    }

    /// True when the op is defined for its operands, if those are.
    fn is_inside_domain(&self, graph: &Graph, id: Id, non_zero: Option<Id>) -> bool {
        let Op::Elementwise(op) = graph.op(id) else { return true };
        let operand = |i: usize| graph.operand(id, i);
        let by_sign = match op.domain() {
            Domain::Everywhere => true,
            Domain::Positive(i) => self.sign(graph, operand(i)).has(Sign::POSITIVE),
            Domain::NonNegative(i) => self.is_non_negative(graph, operand(i)),
            Domain::NonZero(i) => Some(operand(i)) == non_zero || self.is_non_zero(graph, operand(i)),
            Domain::Power => match graph.constant(operand(1)) {
                Some(n) if n.is_integer() && !n.is_negative() => true,
                Some(n) if n.is_integer() => self.is_non_zero(graph, operand(0)),
                _ => self.sign(graph, operand(0)).has(Sign::POSITIVE),
            },
            Domain::Within(..) | Domain::Between(..) | Domain::Other => false,
        };
        let intervals = || graph.operands(id).iter().map(|&x| self.interval(graph, x)).collect::<Vec<_>>();
        by_sign || op.image(&intervals()).total
    }
}

/// `x` of `if(x == 0, a, b)`.
fn tested_for_zero(graph: &Graph, choice: Id) -> Option<Id> {
    let &[condition, ..] = graph.operands(choice) else { return None };
    let is_zero = |id: Id| graph.constant(id).is_some_and(|c| c.is_zero());
    match *graph.operands(condition) {
        [a, b] if graph.op(condition) == Op::Selection(Selection::Equal) => {
            if is_zero(b) {
                Some(a)
            } else {
                Some(b).filter(|_| is_zero(a))
            }
        }
        _ => None,
    }
}

/// What the op's row says, and what follows from signs that are no intervals.
fn by_table(graph: &Graph, op: Elementwise, id: Id, operand: impl Fn(usize) -> Known) -> Known {
    let count = graph.operands(id).len();
    let sign = |i: usize| operand(i).sign;
    let is_square = op == Elementwise::Mul && graph.operand(id, 0) == graph.operand(id, 1);
    let followed = match op {
        Elementwise::Neg => sign(0).flipped(),
        Elementwise::Add => sign(0).plus(sign(1)),
        Elementwise::Sub => sign(0).plus(sign(1).flipped()),
        Elementwise::Mul if is_square => Sign::NON_NEGATIVE.and(sign(0).only(Sign::NON_ZERO)),
        Elementwise::Mul | Elementwise::Div => sign(0).times(sign(1)),
        Elementwise::Cbrt => sign(0),
        Elementwise::Sqrt | Elementwise::Abs => sign(0).only(Sign::NON_ZERO),
        Elementwise::Pow => match graph.constant(graph.operand(id, 1)) {
            Some(n) if n.is_integer() => sign(0).only(Sign::NON_ZERO),
            _ => Sign::UNKNOWN,
        },
        Elementwise::Max | Elementwise::Min => sign(0).only(sign(1)),
        _ => Sign::UNKNOWN,
    };
    let values: Vec<Interval> = (0..count).map(|i| operand(i).values).collect();
    let image = if is_square { values[0].abs() * values[0].abs() } else { op.image(&values).values };
    let image = if image.is_empty() { Interval::ALL } else { image };
    Known { sign: followed, values: Interval::ALL }.and(Known::in_interval(image))
}

/// Elements that only move keep what is known of them.
fn moved(graph: &Graph, op: Structural, id: Id, operand: impl Fn(usize) -> Known) -> Known {
    use Structural::{Broadcast, Gather, Iota, Pad, Permute, Reshape, Slice, Stack, Sum};
    match op {
        Broadcast { .. } | Reshape | Permute { .. } | Slice { .. } | Gather => operand(0),
        Stack => (1..graph.operands(id).len()).fold(operand(0), |all, i| all.or(operand(i))),
        Pad { .. } => operand(0).or(Known::in_interval(Interval::point(0.0))),
        Iota => Known::in_interval(Interval::NON_NEGATIVE),
        Sum { .. } => {
            let count = graph.shape(graph.operand(id, 0)).size() / graph.shape(id).size().max(1);
            let values = operand(0).values * Interval::point(count as f64);
            if values.is_empty() { Known::NOTHING } else { Known::in_interval(values) }
        }
        _ => Known::NOTHING,
    }
}
