//! Products collected: one exact coefficient, and every base once with its whole exponent.
//!
//! Exponents are added only where that keeps the domain: `x^2*x` is x³, but `sqrt(x)*sqrt(x)`
//! is x only where x ≥ 0 is known, and `x/x` is 1 only where x ≠ 0 is.

use super::{Purpose, Simplifier};
use crate::ir::{Elementwise, Graph, Id, Number, Op};
use rustc_hash::FxHashMap;
use smallvec::{SmallVec, smallvec};
use std::cmp::Ordering;

/// What is raised to a power. `e^u` is kept apart so that `exp(a)*exp(b)` is `exp(a + b)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Base {
    E,
    Node(Id),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exponent {
    Number(Number),
    Node(Id),
}

impl Exponent {
    fn is_negative_number(&self) -> bool {
        matches!(self, Exponent::Number(n) if n.is_negative())
    }

    pub fn number(&self) -> Option<&Number> {
        match self {
            Exponent::Number(n) => Some(n),
            Exponent::Node(_) => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factor {
    pub base: Base,
    pub exponent: Exponent,
}

pub type Factors = SmallVec<[Factor; 4]>;

/// `coefficient · ∏ base^exponent`.
pub struct Product {
    pub coefficient: Number,
    pub factors: Factors,
}

/// A base with the exponents met so far.
pub struct Group {
    pub base: Base,
    pub exponents: SmallVec<[Exponent; 1]>,
}

/// Products longer than this find equal bases by hashing, shorter ones by looking.
const HASHED: usize = 12;

/// Factors being gathered.
pub struct Gather {
    coefficient: Number,
    pub groups: SmallVec<[Group; 4]>,
    index: FxHashMap<Base, usize>,
}

impl Gather {
    pub fn new() -> Self {
        Gather { coefficient: Number::integer(1), groups: SmallVec::new(), index: FxHashMap::default() }
    }

    fn push(&mut self, base: Base, exponent: Exponent) {
        let found = match self.groups.len() {
            0..HASHED => self.groups.iter().position(|g| g.base == base),
            _ => {
                if self.index.is_empty() {
                    self.index.extend(self.groups.iter().enumerate().map(|(i, g)| (g.base, i)));
                }
                self.index.get(&base).copied()
            }
        };
        match found {
            Some(i) => self.groups[i].exponents.push(exponent),
            None => {
                if !self.index.is_empty() {
                    self.index.insert(base, self.groups.len());
                }
                self.groups.push(Group { base, exponents: smallvec![exponent] });
            }
        }
    }
}

impl Simplifier<'_> {
    /// Multiplies what is gathered by `node^power`; `node` is simplified already. Its own factors
    /// are taken apart when `open`; below it, a shared node is computed once and stays whole.
    pub fn push_factor(&mut self, into: &mut Gather, node: Id, power: &Number, open: bool) {
        let mut pending: SmallVec<[(Id, Number, bool); 4]> = smallvec![(node, power.clone(), open)];
        while let Some((node, power, open)) = pending.pop() {
            let open = open || self.costs_little(node);
            let whole = power.is_integer();
            if let Some(c) = self.graph.constant(node) {
                match power.to_i64().filter(|_| whole).and_then(|n| c.powi(n)) {
                    Some(value) if into.coefficient.mul(&value).is_small() => {
                        into.coefficient = into.coefficient.mul(&value);
                    }
                    _ => into.push(Base::Node(node), Exponent::Number(power)),
                }
                continue;
            }
            let Op::Elementwise(op) = self.graph.op(node) else {
                into.push(Base::Node(node), Exponent::Number(power));
                continue;
            };
            let operand = |i: usize| self.graph.operand(node, i);
            match op {
                Elementwise::Neg if whole => {
                    if !power.is_even() {
                        into.coefficient = into.coefficient.negate();
                    }
                    pending.push((operand(0), power, self.may_open(operand(0))));
                }
                Elementwise::Mul if open && whole => {
                    pending.push((operand(1), power.clone(), self.may_open(operand(1))));
                    pending.push((operand(0), power, self.may_open(operand(0))));
                }
                // Turned upside down, the quotient would forget that its denominator is not zero.
                Elementwise::Div
                    if (open || self.is_share_over_length(node))
                        && whole
                        && (!power.is_negative() || self.facts().is_non_zero(self.graph, operand(1))) =>
                {
                    pending.push((operand(1), power.negate(), self.may_open(operand(1))));
                    pending.push((operand(0), power, self.may_open(operand(0))));
                }
                Elementwise::Abs if power.is_even() => pending.push((operand(0), power, false)),
                Elementwise::Exp if open => {
                    let (u, n) = (operand(0), self.graph.exact(power));
                    let exponent = self.make(Elementwise::Mul, &[n, u]);
                    into.push(Base::E, Exponent::Node(exponent));
                }
                Elementwise::Pow | Elementwise::Sqrt if open => self.push_power(into, node, power),
                _ => into.push(Base::Node(node), Exponent::Number(power)),
            }
        }
    }

    /// Reciprocals and squares of sums, for results that a machine computes: to compute one again takes one
    /// operation, and what divides by both the sum and its square meets in one power. So do squares of what
    /// grows exponentially, which overflow beside it.
    fn costs_little(&self, node: Id) -> bool {
        let (graph, operands) = (&*self.graph, self.graph.operands(node));
        let number = |x: Id, n: i64| graph.constant(x).is_some_and(|c| c.to_i64() == Some(n));
        self.purpose == super::Purpose::Compute
            && match graph.op(node) {
                Op::Elementwise(Elementwise::Div) => number(operands[0], 1) && is_sum(graph, operands[1]),
                Op::Elementwise(Elementwise::Pow) => {
                    let grows = matches!(
                        graph.op(operands[0]),
                        Op::Elementwise(Elementwise::Cosh | Elementwise::Sinh)
                    );
                    number(operands[1], 2) && (grows || is_sum(graph, operands[0]))
                }
                _ => false,
            }
    }

    /// `(u^k)^power`, as a power of `u` where the domain allows it.
    fn push_power(&mut self, into: &mut Gather, node: Id, power: Number) {
        let u = self.graph.operand(node, 0);
        let inner = match self.graph.op(node) {
            Op::Elementwise(Elementwise::Sqrt) => Number::ratio(1, 2),
            _ => self.graph.constant(self.graph.operand(node, 1)).cloned(),
        };
        let Some(inner) = inner else {
            let symbolic = self.graph.operand(node, 1);
            if power.is_one() {
                into.push(Base::Node(u), Exponent::Node(symbolic));
            } else if power.negate().is_one() {
                let minus = self.make(Elementwise::Neg, &[symbolic]);
                into.push(Base::Node(u), Exponent::Node(minus));
            } else {
                into.push(Base::Node(node), Exponent::Number(power));
            }
            return;
        };
        if power.is_one() {
            into.push(Base::Node(u), Exponent::Number(inner));
            return;
        }
        let product = inner.mul(&power);
        // Roots of roots of roots: an exponent past the budget of exact numbers stays in two.
        if !product.is_small() {
            into.push(Base::Node(node), Exponent::Number(power));
            return;
        }
        // An even power makes the base's sign disappear: what comes back is |u|.
        if inner.is_even() && !power.is_integer() && !self.facts().is_non_negative(self.graph, u) {
            if inner.is_negative() {
                into.push(Base::Node(node), Exponent::Number(power));
                return;
            }
            let absolute = self.make(Elementwise::Abs, &[u]);
            into.push(Base::Node(absolute), Exponent::Number(product));
            return;
        }
        let keeps = self.keeps_domain(u, std::slice::from_ref(&inner), &product);
        let real = power.is_integer() || inner.is_even() || self.facts().is_non_negative(self.graph, u);
        if keeps && real {
            into.push(Base::Node(u), Exponent::Number(product));
        } else {
            into.push(Base::Node(node), Exponent::Number(power));
        }
    }

    /// True when `base^total` is undefined wherever one of `base^each` is.
    pub(super) fn keeps_domain(&self, base: Id, each: &[Number], total: &Number) -> bool {
        let undefined_at_zero = |n: &Number| n.is_negative();
        let undefined_below = |n: &Number| !n.is_integer();
        let loses_zero = each.iter().any(undefined_at_zero) && !undefined_at_zero(total);
        let loses_below = each.iter().any(undefined_below) && !undefined_below(total);
        (!loses_zero || self.facts().is_non_zero(self.graph, base))
            && (!loses_below || self.facts().is_non_negative(self.graph, base))
            && (!total.is_zero() || self.facts().is_defined(self.graph, base))
    }

    /// Adds up exponents, base by base.
    pub fn resolve_product(&mut self, mut gather: Gather) -> Product {
        self.open_inverses(&mut gather);
        let mut factors = Factors::new();
        for Group { base, exponents } in gather.groups {
            match exponents.into_inner() {
                Ok([exponent]) => factors.push(Factor { base, exponent }),
                Err(exponents) => self.add_exponents(base, exponents.into_vec(), &mut factors),
            }
        }
        let is_one = |f: &Factor| f.exponent.number().is_some_and(Number::is_zero);
        factors.retain(|f| !is_one(f));
        Product { coefficient: gather.coefficient, factors }
    }

    fn add_exponents(&mut self, base: Base, exponents: Vec<Exponent>, factors: &mut Factors) {
        let numbers: Vec<Number> = exponents.iter().filter_map(|e| e.number().cloned()).collect();
        let total = numbers.iter().fold(Number::integer(0), |sum, n| sum.add(n));
        let Base::Node(u) = base else {
            // e^a · e^b: exponents of e are nodes, and e is positive.
            let nodes: Vec<Id> = exponents.iter().map(|e| self.exponent_node(e)).collect();
            let sum = self.add_up(&nodes);
            factors.push(Factor { base, exponent: Exponent::Node(sum) });
            return;
        };
        if numbers.len() < exponents.len() {
            self.add_symbolic(u, &exponents, numbers.len(), factors);
            return;
        }
        if self.keeps_domain(u, &numbers, &total) {
            factors.push(Factor { base, exponent: Exponent::Number(total) });
            return;
        }
        if self.purpose == Purpose::Compute
            && self.stage == super::Stage::Last
            && numbers.iter().all(Number::is_integer)
            && !total.is_zero()
            && self.facts().is_defined(self.graph, u)
        {
            // x²/x is x·(x/x): 0/0 at 0, and in range where x² is not.
            let share = self.graph.apply(Elementwise::Div, &[u, u]);
            factors.push(Factor { base, exponent: Exponent::Number(total) });
            factors.push(Factor { base: Base::Node(share), exponent: Exponent::Number(Number::integer(1)) });
            return;
        }
        // Only together they would lose a condition: whole and fractional, positive and negative
        // exponents are added among themselves.
        let kinds: [fn(&Number) -> bool; 3] = [
            |n| n.is_integer() && !n.is_negative(),
            |n| n.is_integer() && n.is_negative(),
            |n| !n.is_integer(),
        ];
        for kind in kinds {
            let alike: Vec<Number> = numbers.iter().filter(|n| kind(n)).cloned().collect();
            let Some(first) = alike.first() else { continue };
            let sum = alike.iter().fold(Number::integer(0), |sum, n| sum.add(n));
            if self.keeps_domain(u, &alike, &sum) {
                factors.push(Factor { base, exponent: Exponent::Number(sum) });
            } else if alike.iter().all(|n| n == first) {
                let root = self.power_node(base, &Exponent::Number(first.clone()));
                let times = Number::integer(alike.len() as i64);
                factors.push(Factor { base: Base::Node(root), exponent: Exponent::Number(times) });
            } else {
                factors.extend(alike.into_iter().map(|n| Factor { base, exponent: Exponent::Number(n) }));
            }
        }
    }

    /// `u^p · u^q` with an exponent that varies: added where u is known not to be zero and no
    /// condition on its sign gets lost.
    fn add_symbolic(&mut self, u: Id, exponents: &[Exponent], numbers: usize, factors: &mut Factors) {
        let positive = self.facts().is_non_negative(self.graph, u);
        let one_symbol = exponents.len() - numbers == 1;
        let whole = exponents.iter().filter_map(Exponent::number).all(Number::is_integer);
        if self.facts().is_non_zero(self.graph, u) && (positive || one_symbol && whole) {
            let nodes: Vec<Id> = exponents.iter().map(|e| self.exponent_node(e)).collect();
            let sum = self.add_up(&nodes);
            let exponent = match self.graph.constant(sum) {
                Some(n) => Exponent::Number(n.clone()),
                None => Exponent::Node(sum),
            };
            factors.push(Factor { base: Base::Node(u), exponent });
        } else {
            let (numbers, symbols): (Vec<_>, Vec<_>) =
                exponents.iter().cloned().partition(|e| e.number().is_some());
            factors.extend(symbols.into_iter().map(|exponent| Factor { base: Base::Node(u), exponent }));
            if !numbers.is_empty() {
                self.add_exponents(Base::Node(u), numbers, factors);
            }
        }
    }

    fn exponent_node(&mut self, exponent: &Exponent) -> Id {
        match exponent {
            Exponent::Number(n) => self.graph.exact(n.clone()),
            Exponent::Node(id) => *id,
        }
    }

    fn add_up(&mut self, nodes: &[Id]) -> Id {
        let zero = self.graph.integer(0);
        nodes.iter().fold(zero, |sum, &x| self.make(Elementwise::Add, &[sum, x]))
    }

    /// `base^exponent`, with roots written as roots.
    pub fn power_node(&mut self, base: Base, exponent: &Exponent) -> Id {
        if let (Base::Node(node), Some(n)) = (base, exponent.number())
            && n.is_one()
        {
            return node;
        }
        let exponent_id = self.exponent_node(exponent);
        match base {
            Base::E => self.graph.apply(Elementwise::Exp, &[exponent_id]),
            Base::Node(node) if exponent.number().and_then(Number::to_ratio) == Some((1, 2)) => {
                self.graph.apply(Elementwise::Sqrt, &[node])
            }
            Base::Node(node) => self.graph.apply(Elementwise::Pow, &[node, exponent_id]),
        }
    }

    /// The product as nodes: constants first, then variables, functions, and sums.
    pub fn emit_product(&mut self, mut product: Product) -> Id {
        if product.coefficient.is_zero() {
            return self.emit_zero(product);
        }
        let (graph, order, purpose) = (&*self.graph, &self.order, self.purpose);
        if product.factors.len() > 1 {
            product.factors.sort_by(|a, b| compare_factors(graph, order, purpose, a, b));
        }
        let is_below = |f: &Factor| f.exponent.is_negative_number();
        let (below, above): (Factors, Factors) = product.factors.into_iter().partition(is_below);
        if below.is_empty() {
            return self.chain(&product.coefficient, &above);
        }
        self.emit_quotient(&product.coefficient, above, below)
    }

    /// `coefficient·above/below`, the exponents in `below` negative.
    fn emit_quotient(&mut self, coefficient: &Number, mut above: Factors, mut below: Factors) -> Id {
        let divides_singly = !above.is_empty() && self.purpose == Purpose::Compute;
        let ratios = self.take_ratios(&mut above, &mut below);
        let (mut p, mut q) = coefficient.fraction();
        let minus = p.is_negative();
        p = p.absolute();
        let is_constant = |s: &Self, f: &Factor| {
            s.purpose == Purpose::Compute && matches!(f.base, Base::Node(id) if is_numeric(s.graph, id))
        };
        let (constants, below): (Factors, Factors) = below.into_iter().partition(|f| is_constant(self, f));
        let mut quotient = if constants.is_empty() {
            self.chain(&p, &above)
        } else {
            // 180/π is one constant, and does not push the denominator over the edge.
            let divisors: Factors = constants.into_iter().filter_map(inverted).collect();
            let (top, bottom) = (self.graph.exact(p), self.chain(&q, &divisors));
            q = Number::integer(1);
            let constant = self.graph.apply(Elementwise::Div, &[top, bottom]);
            let ordered = self.in_safe_order(&above);
            ordered.as_deref().unwrap_or(&above).iter().fold(constant, |product, f| {
                let power = self.power_node(f.base, &f.exponent);
                self.graph.apply(Elementwise::Mul, &[product, power])
            })
        };
        quotient = self.times_ratios(quotient, &ratios);
        let mut whole = Factors::new();
        for factor in below.into_iter().filter_map(inverted) {
            // hypot exists so as not to overflow, and its square would: divide one by one. So would that of a
            // sum, where the quotient is in range: x/(x^2 + 1)^2.
            let is_sum = |base: Base| matches!(base, Base::Node(id) if is_sum(self.graph, id));
            match factor.exponent.number().and_then(Number::to_i64) {
                Some(times @ 2..=4)
                    if self.is_hypot(factor.base) || divides_singly && is_sum(factor.base) =>
                {
                    let h = self.power_node(factor.base, &Exponent::Number(Number::integer(1)));
                    for _ in 0..times {
                        quotient = self.graph.apply(Elementwise::Div, &[quotient, h]);
                    }
                }
                _ => whole.push(factor),
            }
        }
        if !whole.is_empty() || !q.is_one() {
            let denominator = self.chain(&q, &whole);
            quotient = self.graph.apply(Elementwise::Div, &[quotient, denominator]);
        }
        if minus { self.graph.apply(Elementwise::Neg, &[quotient]) } else { quotient }
    }

    /// `a·b` in canonical order, for factors that stay whole.
    pub fn emit_pair(&mut self, a: Id, b: Id) -> Id {
        let factor = |id| Factor { base: Base::Node(id), exponent: Exponent::Number(Number::integer(1)) };
        let in_order = compare_factors(self.graph, &self.order, self.purpose, &factor(a), &factor(b)).is_le();
        let operands = if in_order { [a, b] } else { [b, a] };
        self.graph.apply(Elementwise::Mul, &operands)
    }

    pub(super) fn is_hypot(&self, base: Base) -> bool {
        let is = |id: Id| self.graph.op(id) == Op::Elementwise(Elementwise::Hypot);
        self.purpose == Purpose::Compute && matches!(base, Base::Node(id) if is(id))
    }

    /// Zero, unless a factor may be undefined: then `0*factor` says so.
    fn emit_zero(&mut self, product: Product) -> Id {
        let kept: Factors = product.factors.into_iter().filter(|f| !self.is_defined_factor(f)).collect();
        let zero = self.graph.integer(0);
        if kept.is_empty() {
            return zero;
        }
        let rest = self.emit_product(Product { coefficient: Number::integer(1), factors: kept });
        self.graph.apply(Elementwise::Mul, &[zero, rest])
    }

    fn is_defined_factor(&mut self, factor: &Factor) -> bool {
        let node = self.power_node(factor.base, &factor.exponent);
        self.facts().is_defined(self.graph, node)
    }

    /// `coefficient·f₁·f₂·…` from the left; a coefficient of −1 is a minus sign.
    fn chain(&mut self, coefficient: &Number, factors: &[Factor]) -> Id {
        let minus = coefficient.negate().is_one() && !factors.is_empty();
        let ordered = self.in_safe_order(factors);
        let factors = ordered.as_deref().unwrap_or(factors);
        let mut product = None;
        if !minus && (factors.is_empty() || !coefficient.is_one()) {
            product = Some(self.graph.exact(coefficient.clone()));
        }
        for factor in factors {
            let power = self.power_node(factor.base, &factor.exponent);
            product = Some(match product {
                Some(product) => self.graph.apply(Elementwise::Mul, &[product, power]),
                None => power,
            });
        }
        let product = product.unwrap_or_else(|| self.graph.integer(1));
        if minus { self.graph.apply(Elementwise::Neg, &[product]) } else { product }
    }
}

/// A factor turned from denominator to numerator or back.
fn inverted(factor: Factor) -> Option<Factor> {
    let n = factor.exponent.number()?.negate();
    Some(Factor { base: factor.base, exponent: Exponent::Number(n) })
}

/// Constants, variables by name, everything else by structure; then by exponent.
fn compare_factors(
    graph: &Graph,
    order: &super::order::Order,
    purpose: Purpose,
    a: &Factor,
    b: &Factor,
) -> Ordering {
    let sample = |f: &Factor| match (f.base, &f.exponent) {
        (Base::Node(id), _) => Some(id),
        (Base::E, _) => None,
    };
    let rank = |f: &Factor| match f.base {
        Base::Node(id) if f.exponent.number().is_some() && is_plain_constant(graph, id) => 0,
        // A machine folds log(2) into the coefficient beside it; a reader finds it with the functions.
        Base::Node(id) if purpose != Purpose::Read && is_numeric(graph, id) => 0,
        Base::Node(id) if order.variable(graph, id).is_some() && f.exponent.number().is_some() => 1,
        Base::Node(id) if order.variable(graph, id).is_some() => 2,
        Base::E => 3,
        Base::Node(id) if is_sum(graph, id) => 5,
        Base::Node(_) => 4,
    };
    let by_exponent = || match (&a.exponent, &b.exponent) {
        (Exponent::Number(m), Exponent::Number(n)) => n.cmp(m),
        (Exponent::Node(m), Exponent::Node(n)) => order.compare(graph, *m, *n),
        (Exponent::Number(_), Exponent::Node(_)) => Ordering::Less,
        (Exponent::Node(_), Exponent::Number(_)) => Ordering::Greater,
    };
    let by_base = || match (sample(a), sample(b)) {
        (Some(x), Some(y)) => order.compare(graph, x, y),
        _ => Ordering::Equal,
    };
    rank(a).cmp(&rank(b)).then_with(by_base).then_with(by_exponent)
}

fn is_plain_constant(graph: &Graph, id: Id) -> bool {
    graph.constant(id).is_some() || graph.op(id) == Op::Elementwise(Elementwise::Pi)
}

/// A constant that is not rational: π, log(2), sqrt(3).
fn is_numeric(graph: &Graph, id: Id) -> bool {
    match graph.op(id) {
        Op::Elementwise(Elementwise::Pi) => true,
        Op::Elementwise(_) => graph
            .operands(id)
            .iter()
            .all(|&x| graph.constant(x).is_some() || graph.op(x) == Op::Elementwise(Elementwise::Pi)),
        _ => false,
    }
}

pub(super) fn is_sum(graph: &Graph, id: Id) -> bool {
    matches!(graph.op(id), Op::Elementwise(Elementwise::Add | Elementwise::Sub))
}
