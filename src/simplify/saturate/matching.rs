//! Rules over the e-graph: patterns in its n-ary form, matched against classes.
//!
//! Matching is up to order and grouping: a pattern with two terms finds them among many, and the
//! last letter of a nested sum or product takes all that is left there. Recursion is bounded by
//! the depth of the patterns, which are ours.

use super::super::rules::{Rule, Soundness};
use super::super::Sign;
use super::egraph::{Class, EGraph, Factors, Node, Terms};
use crate::ir::{Elementwise, Function, Graph, Id, Number, Op};
use crate::{Error, Limits, elaborate};
use smallvec::SmallVec;

/// Ways one pattern is matched against one node at most.
const WAYS: usize = 24;

/// What each letter stands for.
pub type Bindings = SmallVec<[Option<Class>; 4]>;

/// A side of a rule, in the e-graph's form.
#[derive(Clone, Debug, PartialEq)]
pub enum Pattern {
    Letter(usize),
    Number(Number),
    Sum(Vec<(Number, Pattern)>),
    Product(Vec<(Pattern, i64)>),
    Call(Elementwise, Vec<Pattern>),
}

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
            left: compile(&left, &names),
            right: compile(&right, &names),
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

fn read(text: &str, variables: Option<&[String]>) -> Result<Function, Error> {
    let ast = crate::syntax::parse(text, &Limits::default())?;
    let options = elaborate::Options { variables, limits: Limits::default() };
    Ok(elaborate::elaborate(&ast, &options)?.function)
}

/// `x > 0` and the like.
fn condition(text: &str, names: &[String]) -> Option<(usize, Sign)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [name, relation, "0"] = words.as_slice() else { return None };
    let sign = match *relation {
        ">" => Sign::POSITIVE,
        ">=" => Sign::NON_NEGATIVE,
        "<" => Sign::NEGATIVE,
        "<=" => Sign::NON_POSITIVE,
        "!=" => Sign::NON_ZERO,
        _ => return None,
    };
    Some((names.iter().position(|n| n == name)?, sign))
}

fn compile(side: &Function, names: &[String]) -> Pattern {
    let graph = side.graph();
    let mut compiled: Vec<Pattern> = Vec::new();
    for id in graph.ids() {
        compiled.push(compile_node(graph, id, &compiled, names));
    }
    compiled[side.outputs()[0].index()].clone()
}

fn compile_node(graph: &Graph, id: Id, done: &[Pattern], names: &[String]) -> Pattern {
    use Elementwise::{Add, Div, Mul, Neg, Pow, Sub};
    let operand = |i: usize| done[graph.operand(id, i).index()].clone();
    let (one, minus) = (Number::integer(1), Number::integer(-1));
    match graph.op(id) {
        Op::Input(symbol) => {
            let name = graph.symbol_name(symbol);
            Pattern::Letter(names.iter().position(|n| n == name).unwrap_or(0))
        }
        Op::Constant(c) => Pattern::Number(graph.number(c).clone()),
        Op::Elementwise(Neg) => sum_of(vec![(minus, operand(0))]),
        Op::Elementwise(Add) => sum_of(vec![(one.clone(), operand(0)), (one, operand(1))]),
        Op::Elementwise(Sub) => sum_of(vec![(one, operand(0)), (minus, operand(1))]),
        Op::Elementwise(Mul) => product_of(vec![(operand(0), 1), (operand(1), 1)]),
        Op::Elementwise(Div) => product_of(vec![(operand(0), 1), (operand(1), -1)]),
        Op::Elementwise(Pow) => match operand(1) {
            Pattern::Number(n) if n.to_i64().is_some() => {
                product_of(vec![(operand(0), n.to_i64().unwrap_or(1))])
            }
            exponent => Pattern::Call(Pow, vec![operand(0), exponent]),
        },
        Op::Elementwise(op) => {
            Pattern::Call(op, (0..op.arity()).map(operand).collect())
        }
        // Rules are elementwise throughout; anything else would be a mistake the tests find.
        _ => Pattern::Number(one),
    }
}

/// Flattened; functions before letters, so that letters are bound by what can be looked up.
fn sum_of(terms: Vec<(Number, Pattern)>) -> Pattern {
    let mut flat: Vec<(Number, Pattern)> = Vec::new();
    for (k, term) in terms {
        match term {
            Pattern::Sum(inner) => flat.extend(inner.into_iter().map(|(c, p)| (c.mul(&k), p))),
            Pattern::Number(n) => flat.push((n.mul(&k), Pattern::Number(Number::integer(1)))),
            other => flat.push((k, other)),
        }
    }
    flat.sort_by_key(|(_, p)| matches!(p, Pattern::Letter(_)));
    Pattern::Sum(flat)
}

fn product_of(factors: Vec<(Pattern, i64)>) -> Pattern {
    let mut coefficient = Number::integer(1);
    let mut flat: Vec<(Pattern, i64)> = Vec::new();
    for (factor, n) in factors {
        match factor {
            Pattern::Product(inner) => flat.extend(inner.into_iter().map(|(p, m)| (p, m * n))),
            Pattern::Number(c) => coefficient = coefficient.mul(&c.powi(n).unwrap_or_else(|| c.clone())),
            Pattern::Sum(inner) if inner.len() == 1 => {
                coefficient = coefficient.mul(&inner[0].0.powi(n).unwrap_or_else(|| inner[0].0.clone()));
                flat.push((inner[0].1.clone(), n));
            }
            other => flat.push((other, n)),
        }
    }
    flat.sort_by_key(|(p, n)| (matches!(p, Pattern::Letter(_)), *n == 1));
    let product = match flat.as_slice() {
        [] => Pattern::Number(Number::integer(1)),
        [(factor, 1)] => factor.clone(),
        _ => Pattern::Product(flat),
    };
    if coefficient.is_one() { product } else { sum_of(vec![(coefficient, product)]) }
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
            egraph.make_call(Op::Elementwise(*op), &operands)
        }
    }
}

/// What happens to terms and factors that no part of the pattern takes.
#[derive(Clone, Copy, PartialEq)]
enum Rest {
    /// They stay beside the result: at the root of a rule.
    Stays,
    /// There must be none, or a last letter takes them.
    Taken,
}

fn match_class(egraph: &mut EGraph, pattern: &Pattern, class: Class, bindings: &Bindings) -> Vec<Bindings> {
    let class = egraph.find(class);
    match pattern {
        Pattern::Letter(i) => match bindings[*i] {
            Some(bound) if egraph.find(bound) == class => vec![bindings.clone()],
            Some(_) => Vec::new(),
            None => vec![bound(bindings, *i, class)],
        },
        Pattern::Number(n) if egraph.value(class) == Some(n) => vec![bindings.clone()],
        Pattern::Number(_) => Vec::new(),
        Pattern::Product(parts) => match_product(egraph, parts, class, &Number::integer(1), bindings),
        _ => {
            let members: Vec<Node> = egraph.members(class).cloned().collect();
            let mut ways = Vec::new();
            for node in members {
                ways.extend(match_node(egraph, pattern, &node, bindings));
                if ways.len() >= WAYS {
                    break;
                }
            }
            ways
        }
    }
}

/// A sum or a call, as this very node.
fn match_node(egraph: &mut EGraph, pattern: &Pattern, node: &Node, bindings: &Bindings) -> Vec<Bindings> {
    match (pattern, node) {
        (Pattern::Sum(parts), Node::Sum(terms)) => {
            if let [(k, Pattern::Letter(i))] = parts.as_slice() {
                return match_scaled(egraph, k, *i, terms, bindings);
            }
            let mut ways = Vec::new();
            let one = Number::integer(1);
            assign_terms(egraph, parts, terms.clone(), &one, Rest::Taken, bindings.clone(), &mut ways);
            ways.into_iter().map(|(bindings, _)| bindings).collect()
        }
        (Pattern::Call(op, parts), Node::Call(found, operands)) if Op::Elementwise(*op) == *found => {
            let mut ways = match_operands(egraph, parts, operands, bindings);
            if op.is_commutative() && operands[0] != operands[1] {
                ways.extend(match_operands(egraph, parts, &[operands[1], operands[0]], bindings));
            }
            ways
        }
        _ => Vec::new(),
    }
}

fn match_operands(
    egraph: &mut EGraph,
    parts: &[Pattern],
    operands: &[Class],
    bindings: &Bindings,
) -> Vec<Bindings> {
    let mut ways = vec![bindings.clone()];
    for (part, &operand) in parts.iter().zip(operands) {
        let each = ways.iter().flat_map(|b| match_class(egraph, part, operand, b)).take(WAYS);
        ways = each.collect();
    }
    ways
}

/// `k·letter` against a sum: the letter is the sum over `k` where that has the simpler sign.
fn match_scaled(egraph: &mut EGraph, k: &Number, i: usize, terms: &Terms, bindings: &Bindings) -> Vec<Bindings> {
    let simpler = terms.iter().all(|(_, c)| c.is_negative() == k.is_negative());
    if bindings[i].is_none() && !simpler {
        return Vec::new();
    }
    let Some(inverse) = k.recip() else { return Vec::new() };
    let letter = egraph.make_sum(terms.iter().map(|(c, n)| (*c, n.mul(&inverse))).collect());
    match bindings[i] {
        None => vec![bound(bindings, i, letter)],
        Some(earlier) if egraph.find(earlier) == egraph.find(letter) => vec![bindings.clone()],
        Some(_) => Vec::new(),
    }
}

fn bound(bindings: &Bindings, i: usize, class: Class) -> Bindings {
    let mut bindings = bindings.clone();
    bindings[i] = Some(class);
    bindings
}

/// Finds a term for every part; `scale` times the pattern is what is looked for.
fn assign_terms(
    egraph: &mut EGraph,
    parts: &[(Number, Pattern)],
    remaining: Terms,
    scale: &Number,
    rest: Rest,
    bindings: Bindings,
    ways: &mut Vec<(Bindings, Terms)>,
) {
    if ways.len() >= WAYS {
        return;
    }
    let Some(((k, part), parts_left)) = parts.split_first() else {
        if rest == Rest::Stays || remaining.is_empty() {
            ways.push((bindings, remaining));
        }
        return;
    };
    let Some(inverse) = k.mul(scale).recip() else { return };
    if let (Pattern::Letter(i), Rest::Taken, true) = (part, rest, parts_left.is_empty()) {
        if remaining.is_empty() {
            return;
        }
        let taken = remaining.iter().map(|(c, n)| (*c, n.mul(&inverse))).collect();
        let letter = egraph.make_sum(taken);
        if bindings[*i].is_none_or(|earlier| egraph.find(earlier) == egraph.find(letter)) {
            ways.push((bound(&bindings, *i, letter), Vec::new()));
        }
        return;
    }
    for j in 0..remaining.len() {
        let (class, n) = remaining[j].clone();
        let ratio = n.mul(&inverse);
        for bindings in match_term(egraph, part, class, &ratio, &bindings) {
            let mut left = remaining.clone();
            left.remove(j);
            assign_terms(egraph, parts_left, left, scale, rest, bindings, ways);
        }
    }
}

/// One part of a sum against `ratio·class`.
fn match_term(
    egraph: &mut EGraph,
    part: &Pattern,
    class: Class,
    ratio: &Number,
    bindings: &Bindings,
) -> Vec<Bindings> {
    match part {
        Pattern::Letter(i) => {
            let letter = egraph.make_sum(vec![(class, ratio.clone())]);
            match bindings[*i] {
                None => vec![bound(bindings, *i, letter)],
                Some(earlier) if egraph.find(earlier) == letter => vec![bindings.clone()],
                Some(_) => Vec::new(),
            }
        }
        Pattern::Product(parts) => match_product(egraph, parts, class, ratio, bindings),
        _ if ratio.is_one() => match_class(egraph, part, class, bindings),
        _ => Vec::new(),
    }
}

/// The ways `ratio·class` is a product.
fn match_product(
    egraph: &mut EGraph,
    parts: &[(Pattern, i64)],
    class: Class,
    ratio: &Number,
    bindings: &Bindings,
) -> Vec<Bindings> {
    let class = egraph.find(class);
    let mut views: Vec<(Number, Factors)> = Vec::new();
    match egraph.value(class) {
        Some(n) => views.push((n.mul(ratio), Vec::new())),
        None => {
            for node in egraph.members(class) {
                match node {
                    Node::Product(factors) => views.push((ratio.clone(), factors.clone())),
                    Node::Sum(terms) if terms.len() == 1 && terms[0].0 != class => {
                        let (inner, k) = (terms[0].0, terms[0].1.mul(ratio));
                        views.push((k.clone(), vec![(inner, 1)]));
                        for inner in egraph.members(inner) {
                            if let Node::Product(factors) = inner {
                                views.push((k.clone(), factors.clone()));
                            }
                        }
                    }
                    _ => {}
                }
            }
            views.push((ratio.clone(), vec![(class, 1)]));
        }
    }
    let mut ways = Vec::new();
    for (coefficient, factors) in views {
        assign_factors(egraph, parts, factors, &coefficient, Rest::Taken, bindings.clone(), &mut ways);
    }
    ways.into_iter().map(|(bindings, _, _)| bindings).collect()
}

type FactorWays = Vec<(Bindings, Number, Factors)>;

/// Finds factors for every part, of `coefficient·∏ remaining`.
fn assign_factors(
    egraph: &mut EGraph,
    parts: &[(Pattern, i64)],
    remaining: Factors,
    coefficient: &Number,
    rest: Rest,
    bindings: Bindings,
    ways: &mut FactorWays,
) {
    if ways.len() >= WAYS {
        return;
    }
    let Some(((part, m), parts_left)) = parts.split_first() else {
        if rest == Rest::Stays || remaining.is_empty() && coefficient.is_one() {
            ways.push((bindings, coefficient.clone(), remaining));
        }
        return;
    };
    if let Pattern::Letter(i) = part {
        if let Some(earlier) = bindings[*i] {
            if let Some((k, left)) = taken_out(egraph, earlier, *m, coefficient, &remaining) {
                assign_factors(egraph, parts_left, left, &k, rest, bindings, ways);
            }
            return;
        }
        if parts_left.is_empty() && (rest == Rest::Taken || *m == 1) {
            let letter = root_of(egraph, coefficient, &remaining, *m);
            let whole = Number::integer(1);
            ways.extend(letter.map(|letter| (bound(&bindings, *i, letter), whole, Vec::new())));
            return;
        }
    }
    for j in 0..remaining.len() {
        let (class, n) = remaining[j];
        for taken in powers_taken(part, *m, n) {
            let mut left = remaining.clone();
            match n - taken {
                0 => drop(left.remove(j)),
                others => left[j].1 = others,
            }
            let found = match part {
                Pattern::Letter(i) => vec![bound(&bindings, *i, egraph.power(class, taken / m))],
                _ => match_class(egraph, part, class, &bindings),
            };
            for bindings in found {
                assign_factors(egraph, parts_left, left.clone(), coefficient, rest, bindings, ways);
            }
        }
    }
}

/// Which part of `factor^n` a part `pattern^m` may take: never across the sign of the exponent,
/// where a base that is zero makes the difference.
fn powers_taken(pattern: &Pattern, m: i64, n: i64) -> SmallVec<[i64; 2]> {
    let mut taken = SmallVec::new();
    match pattern {
        // A letter stands for a power itself; under a fraction bar, for what stands there.
        Pattern::Letter(_) if m == 1 => {
            taken.push(n);
            if n.abs() > 1 {
                taken.push(n.signum());
            }
        }
        Pattern::Letter(_) => {
            if n % m == 0 && (n < 0) == (m < 0) {
                taken.push(n);
            }
        }
        _ => {
            if (n < 0) == (m < 0) && n.abs() >= m.abs() {
                taken.push(m);
            }
        }
    }
    taken
}

/// The letter whose `m`-th power is `coefficient·∏ factors`.
fn root_of(egraph: &mut EGraph, coefficient: &Number, factors: &Factors, m: i64) -> Option<Class> {
    if m < 0 && factors.iter().any(|&(_, n)| n > 0) || factors.iter().any(|&(_, n)| n % m != 0) {
        return None;
    }
    let root = coefficient.root(u32::try_from(m.abs()).ok().filter(|&m| m <= 8)?)?;
    let root = if m < 0 { root.recip()? } else { root };
    Some(egraph.make_product(root, factors.iter().map(|&(c, n)| (c, n / m)).collect()))
}

/// `coefficient·∏ factors` without `class^m`, if that is among them.
fn taken_out(
    egraph: &EGraph,
    class: Class,
    m: i64,
    coefficient: &Number,
    factors: &Factors,
) -> Option<(Number, Factors)> {
    let class = egraph.find(class);
    if let Some(n) = egraph.value(class) {
        return Some((coefficient.div(&n.powi(m)?)?, factors.clone()));
    }
    let mut views: Vec<(Number, Factors)> = vec![(Number::integer(1), vec![(class, 1)])];
    for node in egraph.members(class) {
        match node {
            Node::Product(inner) => views.push((Number::integer(1), inner.clone())),
            Node::Sum(terms) if terms.len() == 1 => {
                views.push((terms[0].1.clone(), vec![(terms[0].0, 1)]));
            }
            _ => {}
        }
    }
    views.iter().find_map(|(k, wanted)| {
        let mut left = factors.clone();
        for &(class, n) in wanted {
            // (1/g)^-1 needs g ≠ 0, which g does not.
            if n < 0 && m < 0 {
                return None;
            }
            let n = n * m;
            let holds = |f: &(Class, i64)| f.0 == class && (f.1 < 0) == (n < 0) && f.1.abs() >= n.abs();
            let at = left.iter().position(holds)?;
            left[at].1 -= n;
        }
        left.retain(|&(_, n)| n != 0);
        Some((coefficient.div(&k.powi(m)?)?, left))
    })
}
