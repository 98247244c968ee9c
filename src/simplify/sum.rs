//! Sums collected: like terms added exactly, in canonical order, common factors taken out.

use super::order::TermKey;
use super::product::{Base, Exponent, Factor, Factors, Gather, Product, is_sum};
use super::{Purpose, Simplifier};
use crate::ir::{Elementwise, Id, Number, Op};
use rustc_hash::FxHashMap;
use smallvec::{SmallVec, smallvec};

/// Longest sum a constant factor is multiplied into, inside another sum. Longer ones stay whole,
/// so that nested sums cost linear time.
const DISTRIBUTED: usize = 8;

/// Longest sum searched for a common factor and for rules on pairs of its terms.
pub const SEARCHED: usize = 8;

/// `rest` times an exact coefficient.
#[derive(Clone, Debug)]
pub struct Term {
    pub coefficient: Number,
    pub rest: Id,
}

/// Terms being gathered; `1` stands for the constant term.
pub struct Terms {
    terms: Vec<Term>,
    index: FxHashMap<Id, usize>,
}

/// Sums longer than this find like terms by hashing, shorter ones by looking.
const HASHED: usize = 12;

impl Terms {
    pub fn new() -> Self {
        Terms { terms: Vec::with_capacity(4), index: FxHashMap::default() }
    }

    fn push(&mut self, rest: Id, coefficient: Number) {
        let found = match self.terms.len() {
            0..HASHED => self.terms.iter().position(|t| t.rest == rest),
            _ => {
                if self.index.is_empty() {
                    self.index.extend(self.terms.iter().enumerate().map(|(i, t)| (t.rest, i)));
                }
                self.index.get(&rest).copied()
            }
        };
        if let Some(i) = found {
            self.terms[i].coefficient = self.terms[i].coefficient.add(&coefficient);
            return;
        }
        if !self.index.is_empty() {
            self.index.insert(rest, self.terms.len());
        }
        self.terms.push(Term { coefficient, rest });
    }
}

impl Simplifier<'_> {
    /// Adds `coefficient·node` to what is gathered; `node` is simplified already. Its own terms
    /// are taken apart when `open`; below it, a shared node is computed once and stays whole.
    pub fn push_term(&mut self, into: &mut Terms, node: Id, coefficient: &Number, open: bool) {
        let mut pending: SmallVec<[(Id, Number, bool); 4]> = smallvec![(node, coefficient.clone(), open)];
        while let Some((node, coefficient, open)) = pending.pop() {
            let operand = |i: usize| self.graph.operand(node, i);
            match self.graph.op(node) {
                Op::Elementwise(Elementwise::Add | Elementwise::Sub) if open => {
                    let minus = self.graph.op(node) == Op::Elementwise(Elementwise::Sub);
                    let second = if minus { coefficient.negate() } else { coefficient.clone() };
                    pending.push((operand(1), second, self.may_open(operand(1))));
                    pending.push((operand(0), coefficient, self.may_open(operand(0))));
                }
                Op::Elementwise(Elementwise::Neg) => {
                    pending.push((operand(0), coefficient.negate(), self.may_open(operand(0))));
                }
                Op::Constant(c) => {
                    let value = self.graph.number(c).mul(&coefficient);
                    let one = self.graph.integer(1);
                    into.push(one, value);
                }
                _ => {
                    let (own, rest) = if open { self.peel(node) } else { (Number::integer(1), node) };
                    let coefficient = coefficient.mul(&own);
                    if open
                        && self.as_tree
                        && let Some(parts) = self.distribute(rest)
                    {
                        pending.extend(parts.into_iter().map(|part| (part, coefficient.clone(), true)));
                        continue;
                    }
                    // A single step, so that a sum of a sum does not come back here forever.
                    if open && rest != node && self.may_open(rest) && self.is_short_sum(rest) {
                        pending.push((rest, coefficient, true));
                    } else {
                        into.push(rest, coefficient);
                    }
                }
            }
        }
    }

    /// `f·(a + b)` as `f·a` and `f·b`, for a function f: what all terms of the whole sum share is
    /// taken out again later, so that a result does not depend on where it was first taken out.
    /// Squares of sums of functions are multiplied out as well.
    fn distribute(&mut self, node: Id) -> Option<Vec<Id>> {
        if !matches!(self.graph.op(node), Op::Elementwise(Elementwise::Mul | Elementwise::Pow)) {
            return None;
        }
        let product = self.product_of(node);
        let coefficient = product.coefficient;
        let sums = |f: &Factor| matches!(f.base, Base::Node(id) if self.is_short_sum(id));
        let at = product.factors.iter().position(sums)?;
        let mut others = product.factors.clone();
        let Factor { base: Base::Node(sum), exponent } = others.remove(at) else { return None };
        let mut inner = Terms::new();
        self.push_term(&mut inner, sum, &Number::integer(1), true);
        let power = exponent.number().and_then(Number::to_i64)?;
        let is_function = |s: &Self, t: &Term| {
            s.order.variable(s.graph, t.rest).is_none() && s.term_key(t.rest).variables.is_empty()
        };
        match power {
            1 if !others.is_empty() => {}
            2 if inner.terms.iter().all(|t| is_function(self, t)) => {
                others.push(Factor { base: Base::Node(sum), exponent: Exponent::Number(Number::integer(1)) })
            }
            _ => return None,
        }
        let plain = |s: &Self, f: &Factor| {
            s.is_shareable(f) && (power == 2 || !matches!(f.base, Base::Node(id) if s.is_short_sum(id)))
        };
        if !others.iter().all(|f| plain(self, f)) {
            return None;
        }
        let parts = inner.terms.iter().map(|term| {
            let mut gather = Gather::new();
            let one = Number::integer(1);
            for factor in &others {
                let power = self.power_node(factor.base, &factor.exponent);
                self.push_factor(&mut gather, power, &one, true);
            }
            self.push_factor(&mut gather, term.rest, &one, true);
            let mut product = self.resolve_product(gather);
            product.coefficient = product.coefficient.mul(&term.coefficient).mul(&coefficient);
            self.emit_product(product)
        });
        Some(parts.collect())
    }

    fn is_short_sum(&self, id: Id) -> bool {
        let mut node = id;
        for length in 1..=DISTRIBUTED {
            match self.graph.op(node) {
                Op::Elementwise(Elementwise::Add | Elementwise::Sub) => node = self.graph.operand(node, 0),
                _ => return length > 1,
            }
        }
        false
    }

    /// Coefficient and rest of a product as [`Self::emit_product`] makes it.
    pub fn peel(&mut self, node: Id) -> (Number, Id) {
        let one = Number::integer(1);
        let (above, below) = match self.graph.op(node) {
            Op::Elementwise(Elementwise::Neg) => {
                let (c, rest) = self.peel_quotient(self.graph.operand(node, 0));
                return (c.negate(), rest);
            }
            Op::Elementwise(Elementwise::Mul) => (node, None),
            Op::Elementwise(Elementwise::Div) => {
                (self.graph.operand(node, 0), Some(self.graph.operand(node, 1)))
            }
            _ => return (one, node),
        };
        let has_constant = |id: Id| self.graph.constant(self.leftmost(id)).is_some_and(|c| !c.is_one());
        if has_constant(above) || below.is_some_and(has_constant) {
            self.peel_quotient(node)
        } else {
            (one, node)
        }
    }

    fn peel_quotient(&mut self, node: Id) -> (Number, Id) {
        let product = self.product_of(node);
        // 0 included: 0*log(x) - log(x) is a term of log(x), not of 0*log(x).
        let coefficient = product.coefficient.clone();
        let rest = self.emit_product(Product { coefficient: Number::integer(1), factors: product.factors });
        (coefficient, rest)
    }

    /// The first factor of a chain of multiplications.
    fn leftmost(&self, id: Id) -> Id {
        let mut node = id;
        while let Op::Elementwise(Elementwise::Mul | Elementwise::Div | Elementwise::Neg) =
            self.graph.op(node)
        {
            node = self.graph.operand(node, 0);
            if !self.may_open(node) {
                break;
            }
        }
        node
    }

    /// A simplified node as a product.
    pub fn product_of(&mut self, node: Id) -> Product {
        let mut gather = Gather::new();
        let open = self.may_open(node);
        self.push_factor(&mut gather, node, &Number::integer(1), open);
        self.resolve_product(gather)
    }

    /// Drops cancelled terms (those that are defined anyway), applies rules on pairs, takes out
    /// common factors, and emits.
    pub fn resolve_sum(&mut self, terms: Terms, fuel: usize) -> Id {
        let mut terms: Vec<Term> = terms.terms;
        let graph = &*self.graph;
        let facts = self.facts();
        terms.retain(|t| !(t.coefficient.is_zero() && facts.is_defined(graph, t.rest)));
        if (2..=SEARCHED).contains(&terms.len()) {
            if let Some(rewritten) = self.rewrite_pairs(&terms, fuel) {
                return rewritten;
            }
            if let Some(product) = self.factor_out(&terms, fuel) {
                return product;
            }
        }
        self.emit_sum(terms)
    }

    /// Takes out what all terms share: powers of functions and of sums, not of variables, so that
    /// polynomials stay expanded as they are written by hand. For a machine also divisors that are sums or
    /// variables, and lengths: divided by one by one, each term could leave the range where their sum does not.
    /// But a leg keeps the length it is divided by.
    fn factor_out(&mut self, terms: &[Term], fuel: usize) -> Option<Id> {
        if fuel == 0 || terms.iter().any(|t| t.coefficient.is_zero() || self.graph.constant(t.rest).is_some())
        {
            return None;
        }
        let shared = self.shared_coefficient(terms);
        let mut products: SmallVec<[Factors; 4]> = SmallVec::new();
        let mut coefficients: SmallVec<[Number; 4]> = SmallVec::new();
        for term in terms {
            let Product { coefficient, factors } = self.product_of(term.rest);
            if products.is_empty() && shared.is_one() && !factors.iter().any(|f| self.is_shareable(f)) {
                return None;
            }
            let coefficient = coefficient.mul(&term.coefficient);
            coefficients.push(coefficient.div(&shared).unwrap_or(coefficient));
            products.push(factors);
        }
        let first = products[0].clone();
        let mut common = Factors::new();
        for factor in first.iter().filter(|f| self.is_shareable(f)) {
            // Once, though a product may hold it twice: the others may not.
            if common.iter().any(|taken| is_alike(taken, factor)) {
                continue;
            }
            let least = products.iter().map(|p| self.spared(p, factor)).collect::<Option<Vec<_>>>();
            if let Some(exponent) = least.and_then(least_of) {
                common.push(Factor { base: factor.base, exponent });
            }
        }
        if common.is_empty() && shared.is_one() {
            return None;
        }
        let mut inner = Terms::new();
        for (coefficient, factors) in coefficients.into_iter().zip(&products) {
            let rest = divided(factors, &common);
            let node = self.emit_product(Product { coefficient, factors: rest });
            self.push_term(&mut inner, node, &Number::integer(1), true);
        }
        let sum = self.resolve_sum(inner, fuel - 1);
        let mut gather = Gather::new();
        self.push_factor(&mut gather, sum, &Number::integer(1), true);
        let mut product = self.resolve_product(gather);
        product.factors.extend(common);
        product.coefficient = product.coefficient.mul(&shared);
        Some(self.emit_product(product))
    }

    /// The size of all coefficients, where a reader sees arrays: (A - B)/10, not A/10 - B/10.
    fn shared_coefficient(&self, terms: &[Term]) -> Number {
        let size = terms[0].coefficient.absolute();
        let is_array = |t: &Term| !self.graph.is_scalar(t.rest);
        let alike = terms.iter().all(|t| is_array(t) && t.coefficient.absolute() == size);
        if alike && self.purpose == super::Purpose::Read { size } else { Number::integer(1) }
    }

    fn is_shareable(&self, factor: &Factor) -> bool {
        match (&factor.base, &factor.exponent) {
            (Base::E, _) | (_, Exponent::Node(_)) => true,
            (Base::Node(id), Exponent::Number(n)) => {
                let is_variable = self.order.variable(self.graph, *id).is_some();
                let divides = self.is_hypot(factor.base)
                    || self.purpose == super::Purpose::Compute && (is_variable || is_sum(self.graph, *id));
                let is_taken = if n.is_negative() { divides } else { !is_variable };
                is_taken && self.graph.constant(*id).is_none()
            }
        }
    }

    /// The exponent of `factor`'s base in a product, as far as it can be taken out of there.
    fn spared(&self, product: &Factors, factor: &Factor) -> Option<Exponent> {
        let found = &product.iter().find(|f| is_alike(f, factor))?.exponent;
        let (Base::Node(length), true) = (factor.base, self.is_hypot(factor.base)) else {
            return Some(found.clone());
        };
        let whole = |f: &Factor| f.exponent.number().and_then(Number::to_i64);
        let is_leg = |f: &&Factor| matches!(f.base, Base::Node(leg) if self.is_leg(leg, length));
        let legs: i64 = product.iter().filter(is_leg).filter_map(whole).filter(|n| *n > 0).sum();
        let spared = found.number()?.add(&Number::integer(legs));
        spared.is_negative().then_some(Exponent::Number(spared))
    }

    /// The sum as nodes, in canonical order, subtracting what is negative.
    pub fn emit_sum(&mut self, mut terms: Vec<Term>) -> Id {
        if terms.len() > 1 {
            self.sort_terms(&mut terms);
        }
        let is_negative = |t: &Term| t.coefficient.is_negative();
        if self.purpose == Purpose::Compute && terms.len() > 1 && terms.iter().all(is_negative) {
            // -a - b is -(a + b), which may be there already.
            let negated = terms.into_iter().map(|t| Term { coefficient: t.coefficient.negate(), ..t });
            let sum = self.emit_sum(negated.collect());
            return self.graph.apply(Elementwise::Neg, &[sum]);
        }
        // 1 - x reads better than -x + 1.
        if let Some((last, others)) = terms.split_last()
            && !is_negative(last)
            && !others.is_empty()
            && others.iter().all(is_negative)
        {
            terms.rotate_right(1);
        }
        let mut sum = None;
        for Term { coefficient, rest } in terms {
            let subtract = sum.is_some() && coefficient.is_negative();
            let coefficient = if subtract { coefficient.negate() } else { coefficient };
            let term = self.scaled(rest, &coefficient);
            sum = Some(match sum {
                None => term,
                Some(sum) if subtract => self.graph.apply(Elementwise::Sub, &[sum, term]),
                Some(sum) => self.graph.apply(Elementwise::Add, &[sum, term]),
            });
        }
        sum.unwrap_or_else(|| self.graph.integer(0))
    }

    /// `a ± b` in canonical order, for terms that stay whole; a difference that would have to be
    /// turned round is left to the general way.
    pub fn emit_sum_of_atoms(&mut self, op: Elementwise, a: Id, b: Id) -> Option<Id> {
        let (first, second) = (self.term_key(a), self.term_key(b));
        let in_order = first.compare(&second, &self.order, self.graph).is_le();
        match (op, in_order) {
            (_, true) => Some(self.graph.apply(op, &[a, b])),
            (Elementwise::Add, false) => Some(self.graph.apply(op, &[b, a])),
            _ => None,
        }
    }

    /// `coefficient·rest`, in the form products take.
    fn scaled(&mut self, rest: Id, coefficient: &Number) -> Id {
        if coefficient.is_one() {
            return rest;
        }
        if self.graph.constant(rest).is_some_and(Number::is_one) {
            return self.graph.exact(coefficient.clone());
        }
        // What may be undefined keeps a coefficient of 0: twice that is still 0.
        let (own, factors) = match self.graph.op(rest) {
            Op::Elementwise(Elementwise::Mul | Elementwise::Div) => {
                let product = self.product_of(rest);
                (product.coefficient, product.factors)
            }
            _ => {
                let factor =
                    Factor { base: Base::Node(rest), exponent: Exponent::Number(Number::integer(1)) };
                (Number::integer(1), smallvec![factor])
            }
        };
        if coefficient.is_zero() {
            let zero = self.graph.integer(0);
            return self.graph.intern(
                Op::Elementwise(Elementwise::Mul),
                &[zero, rest],
                self.graph.node(rest).ty,
            );
        }
        self.emit_product(Product { coefficient: coefficient.mul(&own), factors })
    }

    fn sort_terms(&mut self, terms: &mut [Term]) {
        let mut keyed: Vec<(TermKey, Term)> =
            terms.iter().map(|t| (self.term_key(t.rest), t.clone())).collect();
        let (graph, order) = (&*self.graph, &self.order);
        keyed.sort_by(|a, b| a.0.compare(&b.0, order, graph));
        for (slot, (_, term)) in terms.iter_mut().zip(keyed) {
            *slot = term;
        }
    }

    fn term_key(&self, rest: Id) -> TermKey {
        let mut key = TermKey { degree: 0.0, variables: SmallVec::new(), rest: SmallVec::new() };
        let mut pending: SmallVec<[Id; 8]> = smallvec![rest];
        while let Some(id) = pending.pop() {
            let graph = &*self.graph;
            match graph.op(id) {
                Op::Constant(_) => {}
                _ if id != rest && !self.may_open(id) => self.key_factor(&mut key, id),
                Op::Elementwise(Elementwise::Mul) => {
                    pending.push(graph.operand(id, 1));
                    pending.push(graph.operand(id, 0));
                }
                Op::Elementwise(Elementwise::Div) => {
                    key.rest.push(graph.operand(id, 1));
                    pending.push(graph.operand(id, 0));
                }
                _ => self.key_factor(&mut key, id),
            }
        }
        key
    }

    fn key_factor(&self, key: &mut TermKey, id: Id) {
        let graph = &*self.graph;
        let (base, exponent) = match graph.op(id) {
            Op::Elementwise(Elementwise::Pow) => match graph.constant(graph.operand(id, 1)) {
                Some(n) => (graph.operand(id, 0), n.clone()),
                None => (id, Number::integer(1)),
            },
            _ => (id, Number::integer(1)),
        };
        match self.order.variable(graph, base) {
            Some(variable) => {
                key.degree += exponent.to_f64();
                key.variables.push((variable, exponent));
            }
            None => {
                // W @ x is a product, and stands before b.
                if matches!(graph.op(base), Op::Contract { .. }) {
                    key.degree += 2.0;
                }
                key.rest.push(id);
            }
        }
    }
}

/// Whether two powers are of one base and one kind: whole or broken, above or below, or of one symbol. Powers
/// of several kinds are kept apart, as in x/x and x^2*x^y.
fn is_alike(a: &Factor, b: &Factor) -> bool {
    a.base == b.base
        && match (&a.exponent, &b.exponent) {
            (Exponent::Number(n), Exponent::Number(m)) => {
                n.is_integer() == m.is_integer() && n.is_negative() == m.is_negative()
            }
            (a, b) => a == b,
        }
}

/// The exponent nearest to 0: all have one sign.
fn least_of(exponents: Vec<Exponent>) -> Option<Exponent> {
    let mut exponents = exponents.into_iter();
    let first = exponents.next()?;
    exponents.try_fold(first, |least, next| match (&least, &next) {
        (Exponent::Number(a), Exponent::Number(b)) => {
            Some(if a.absolute() <= b.absolute() { least } else { next })
        }
        _ if least == next => Some(least),
        _ => None,
    })
}

/// A product after the common factors have been taken out.
fn divided(factors: &Factors, common: &Factors) -> Factors {
    let mut rest = factors.clone();
    for taken in common {
        let Some(at) = rest.iter().position(|f| is_alike(f, taken)) else { continue };
        match (&rest[at].exponent, &taken.exponent) {
            (Exponent::Number(n), Exponent::Number(m)) if n != m => {
                rest[at].exponent = Exponent::Number(n.sub(m));
            }
            _ => {
                rest.remove(at);
            }
        }
    }
    rest
}
