//! Nodes in canonical form: like terms and powers of one base collected, constants folded, signs
//! taken out; nothing cancelled that is not known to be defined.
//!
//! The functions `…_in` put a new node into the class `within`, when it is that very node.

use super::super::Sign;
use super::egraph::{Class, EGraph, Factors, Node, Terms};
use crate::ir::{Elementwise, Number, Op};
use smallvec::SmallVec;

impl EGraph<'_> {
    pub fn make_sum(&mut self, terms: Terms) -> Class {
        self.sum_in(terms, None)
    }

    /// Collects terms; those that cancel stay, with coefficient 0, unless they are defined anyway.
    pub fn sum_in(&mut self, terms: Terms, within: Option<Class>) -> Class {
        let merged = self.merge_terms(terms);
        self.outgrown |= merged.iter().any(|(_, k)| !k.is_small());
        match merged.as_slice() {
            [] => self.intern(Node::Number(Number::integer(0)), within),
            [(Class::ONE, k)] => self.intern(Node::Number(k.clone()), within),
            [(class, k)] if k.is_one() => *class,
            _ => self.intern(Node::Sum(merged), within),
        }
    }

    /// Constants, scaled classes and a lone negated sum looked into, like terms added.
    fn merge_terms(&self, terms: Terms) -> Terms {
        let mut pending: Terms = terms;
        pending.reverse();
        let mut collected: Terms = Vec::new();
        while let Some((class, k)) = pending.pop() {
            let class = self.find(class);
            if let Some(n) = self.value(class) {
                collected.push((Class::ONE, n.mul(&k)));
            } else if let Some((rest, c)) = self.scaled(class).filter(|(rest, _)| *rest != class) {
                pending.push((rest, c.mul(&k)));
            } else {
                collected.push((class, k));
            }
        }
        // A minus sign goes into a lone sum, so that -(x - y) is y - x.
        if let [(class, k)] = collected.as_slice()
            && k.negate().is_one()
            && let Some(inner) = self.sum(*class)
        {
            collected = inner.iter().map(|(c, k)| (self.find(*c), k.negate())).collect();
        }
        collected.sort_by_key(|(class, _)| *class);
        let mut merged: Terms = Vec::with_capacity(collected.len());
        for (class, k) in collected {
            match merged.last_mut().filter(|(last, _)| *last == class) {
                Some((_, sum)) => *sum = sum.add(&k),
                None => merged.push((class, k)),
            }
        }
        merged.retain(|(class, k)| !(k.is_zero() && (*class == Class::ONE || self.is_defined(*class))));
        merged
    }

    pub fn make_product(&mut self, coefficient: Number, factors: Factors) -> Class {
        self.product_in(coefficient, factors, None)
    }

    /// Collects factors; positive and negative exponents of one base meet only where it is known
    /// not to be zero.
    pub fn product_in(&mut self, coefficient: Number, factors: Factors, within: Option<Class>) -> Class {
        let mut coefficient = coefficient;
        let mut collected: Factors = Vec::new();
        let mut pending = factors;
        while let Some((class, n)) = pending.pop() {
            let class = self.find(class);
            let power = |k: &Number| k.powi(n).filter(Number::is_small);
            if let Some(value) = self.value(class).and_then(power) {
                coefficient = coefficient.mul(&value);
            } else if let Some((rest, value)) = self.scaled(class).and_then(|(c, k)| Some((c, power(&k)?)))
                && rest != class
            {
                coefficient = coefficient.mul(&value);
                pending.push((rest, n));
            } else {
                collected.push((class, n));
            }
        }
        let merged = self.merge_factors(collected);
        let whole = coefficient.is_one();
        let within = within.filter(|_| whole);
        let product = match merged.as_slice() {
            [] => self.intern(Node::Number(Number::integer(1)), within),
            [(class, 1)] => *class,
            _ => self.intern(Node::Product(merged), within),
        };
        if whole { product } else { self.make_sum(vec![(product, coefficient)]) }
    }

    fn merge_factors(&self, mut factors: Factors) -> Factors {
        factors.sort_by_key(|&(class, n)| (class, n < 0));
        let mut merged: Factors = Vec::with_capacity(factors.len());
        for (class, n) in factors {
            let Some(last) = merged.last_mut().filter(|(last, _)| *last == class) else {
                merged.push((class, n));
                continue;
            };
            let total = last.1.saturating_add(n);
            let alike = (last.1 < 0) == (n < 0);
            if alike || self.has_sign(class, Sign::NON_ZERO) && (total != 0 || self.is_defined(class)) {
                last.1 = total;
            } else {
                merged.push((class, n));
            }
        }
        merged.retain(|&(_, n)| n != 0);
        merged
    }

    /// `base^exponent` with a whole exponent.
    pub fn power(&mut self, base: Class, exponent: i64) -> Class {
        self.make_product(Number::integer(1), vec![(base, exponent)])
    }

    pub fn make_call(&mut self, op: Op, operands: &[Class]) -> Class {
        self.call_in(op, operands, None)
    }

    pub fn call_in(&mut self, op: Op, operands: &[Class], within: Option<Class>) -> Class {
        let mut operands: SmallVec<[Class; 3]> = operands.iter().map(|&c| self.find(c)).collect();
        let Op::Elementwise(name) = op else { return self.intern(Node::Call(op, operands), within) };
        if let Some(collected) = self.arithmetic_in(name, &operands, within) {
            return collected;
        }
        let values: Option<SmallVec<[&Number; 3]>> = operands.iter().map(|&c| self.value(c)).collect();
        if let Some(folded) = values.filter(|v| !v.is_empty()).and_then(|v| name.fold(&v)) {
            return self.intern(Node::Number(folded), within);
        }
        // Signs come out of odd and even functions.
        if (name.is_odd() || name.is_even())
            && let Some((rest, k)) = self.scaled(operands[0]).filter(|(_, k)| k.is_negative())
        {
            let positive = self.make_sum(vec![(rest, k.negate())]);
            let value = self.call_in(op, &[positive], None);
            return if name.is_odd() {
                self.sum_in(vec![(value, Number::integer(-1))], within)
            } else {
                value
            };
        }
        if name.is_commutative() {
            operands.sort_unstable();
        }
        self.intern(Node::Call(op, operands), within)
    }

    /// Sums, products and whole powers, which are no calls here.
    fn arithmetic_in(&mut self, op: Elementwise, operands: &[Class], within: Option<Class>) -> Option<Class> {
        let (one, minus) = (Number::integer(1), Number::integer(-1));
        Some(match (op, operands) {
            (Elementwise::Neg, &[x]) => self.sum_in(vec![(x, minus)], within),
            (Elementwise::Add, &[a, b]) => self.sum_in(vec![(a, one.clone()), (b, one)], within),
            (Elementwise::Sub, &[a, b]) => self.sum_in(vec![(a, one), (b, minus)], within),
            (Elementwise::Mul, &[a, b]) => self.product_in(one, vec![(a, 1), (b, 1)], within),
            (Elementwise::Div, &[a, b]) => self.product_in(one, vec![(a, 1), (b, -1)], within),
            (Elementwise::Pow, &[base, exponent]) => {
                let n = self.value(exponent).and_then(Number::to_i64).filter(|n| *n != 0)?;
                self.product_in(one, vec![(base, n)], within)
            }
            _ => return None,
        })
    }
}
