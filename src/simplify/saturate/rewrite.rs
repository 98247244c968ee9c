//! A rule at work: found at a node, checked against what is known, and its right side made.

use super::super::Sign;
use super::super::rules::{Rule, Soundness};
use super::egraph::{Class, EGraph, Factors, Node, Terms};
use super::matching::{Bindings, Rest, assign_factors, assign_terms, match_node};
use super::pattern::{Pattern, compile, condition, read};
use crate::Error;
use crate::ir::Number;
use smallvec::SmallVec;

/// A rule ready to be matched.
pub struct Rewrite {
    left: Pattern,
    right: Pattern,
    letters: usize,
    condition: Option<(usize, Sign)>,
    /// Letters that the right side does not mention.
    dropped: Vec<usize>,
}

impl Rewrite {
    pub fn new(rule: &Rule) -> Result<Rewrite, Error> {
        let left = read(rule.left, None)?;
        let names: Vec<String> = left.input_names().map(str::to_owned).collect();
        let right = read(rule.right, Some(&names))?;
        let condition = match rule.soundness {
            Soundness::Given(text) => Some(condition(text, &names).ok_or_else(|| {
                Error::internal("the rule list", format!("{}: an unknown condition: {text}", rule.name))
            })?),
            _ => None,
        };
        let mentioned = right.used_inputs();
        let is_dropped = |i: &usize| !mentioned.iter().any(|&s| right.graph().symbol_name(s) == names[*i]);
        Ok(Rewrite {
            left: compile(&left, &names)?,
            right: compile(&right, &names)?,
            letters: names.len(),
            condition,
            dropped: (0..names.len()).filter(is_dropped).collect(),
        })
    }

    /// All `(class, equal class)` the rule finds at a node of `class`.
    pub fn apply(&self, egraph: &mut EGraph, node: &Node, class: Class) -> Vec<(Class, Class)> {
        let unbound: Bindings = SmallVec::from_elem(None, self.letters);
        let mut found = Vec::new();
        match (&self.left, node) {
            (Pattern::Sum(parts), Node::Sum(terms)) => self.apply_to_sum(egraph, parts, terms, &mut found),
            (Pattern::Product(parts), Node::Product(factors)) => {
                self.apply_to_product(egraph, parts, factors, &mut found);
            }
            (Pattern::Call(..), Node::Call(..)) => {
                for bindings in match_node(egraph, &self.left, node, &unbound) {
                    if self.holds(egraph, &bindings) {
                        found.push(instantiate(egraph, &self.right, &bindings));
                    }
                }
            }
            _ => {}
        }
        found.into_iter().map(|equal| (class, equal)).collect()
    }

    /// Some terms of a sum, up to a common coefficient.
    fn apply_to_sum(
        &self,
        egraph: &mut EGraph,
        parts: &[(Number, Pattern)],
        terms: &Terms,
        found: &mut Vec<Class>,
    ) {
        if terms.len() < parts.len() {
            return;
        }
        let mut scales = vec![Number::integer(1)];
        if !parts.iter().any(|(_, p)| takes_coefficients(p)) {
            for (_, k) in terms {
                let scale = k.div(&parts[0].0).filter(|s| !s.is_zero() && !scales.contains(s));
                scales.extend(scale);
            }
        }
        for scale in scales {
            let unbound: Bindings = SmallVec::from_elem(None, self.letters);
            let mut ways = Vec::new();
            assign_terms(egraph, parts, terms.clone(), &scale, Rest::Stays, unbound, &mut ways);
            for (bindings, mut rest) in ways {
                if self.holds(egraph, &bindings) {
                    rest.push((instantiate(egraph, &self.right, &bindings), scale.clone()));
                    found.push(egraph.make_sum(rest));
                }
            }
        }
    }

    /// Some factors of a product, or all of them under a fraction bar.
    fn apply_to_product(
        &self,
        egraph: &mut EGraph,
        parts: &[(Pattern, i64)],
        factors: &Factors,
        found: &mut Vec<Class>,
    ) {
        for sign in [1, -1] {
            let signed: Vec<(Pattern, i64)> = parts.iter().map(|(p, n)| (p.clone(), n * sign)).collect();
            if sign < 0 && parts.iter().any(|(_, n)| *n < 0) {
                continue;
            }
            let unbound: Bindings = SmallVec::from_elem(None, self.letters);
            let mut ways = Vec::new();
            let one = Number::integer(1);
            assign_factors(egraph, &signed, factors.clone(), &one, Rest::Stays, unbound, &mut ways);
            for (bindings, coefficient, mut rest) in ways {
                if self.holds(egraph, &bindings) {
                    rest.push((instantiate(egraph, &self.right, &bindings), sign));
                    found.push(egraph.make_product(coefficient, rest));
                }
            }
        }
    }

    /// The condition is known to hold, and what the right side drops is defined anyway.
    fn holds(&self, egraph: &EGraph, bindings: &Bindings) -> bool {
        bindings.iter().all(Option::is_some)
            && self.condition.is_none_or(|(i, sign)| bindings[i].is_some_and(|c| egraph.has_sign(c, sign)))
            && self.dropped.iter().all(|&i| bindings[i].is_some_and(|c| egraph.is_defined(c)))
    }
}

/// A letter to the first power takes any coefficient with it.
fn takes_coefficients(pattern: &Pattern) -> bool {
    match pattern {
        Pattern::Letter(_) => true,
        Pattern::Product(parts) => {
            parts.iter().filter(|(p, n)| matches!(p, Pattern::Letter(_)) && *n == 1).count() > 0
                && parts.iter().all(|(p, _)| matches!(p, Pattern::Letter(_)))
                && parts.iter().all(|(_, n)| n.abs() == 1)
                && parts.len() > 1
        }
        _ => false,
    }
}

pub fn instantiate(egraph: &mut EGraph, pattern: &Pattern, bindings: &Bindings) -> Class {
    match pattern {
        Pattern::Letter(i) => bindings[*i].unwrap_or(Class::ONE),
        Pattern::Number(n) => egraph.number(n),
        Pattern::Sum(terms) => {
            let terms = terms.iter().map(|(k, p)| (instantiate(egraph, p, bindings), k.clone()));
            let terms = terms.collect();
            egraph.make_sum(terms)
        }
        Pattern::Product(factors) => {
            let factors = factors.iter().map(|(p, n)| (instantiate(egraph, p, bindings), *n)).collect();
            egraph.make_product(Number::integer(1), factors)
        }
        Pattern::Call(op, operands) => {
            let operands: Vec<Class> = operands.iter().map(|p| instantiate(egraph, p, bindings)).collect();
            egraph.make_call(*op, &operands)
        }
    }
}
