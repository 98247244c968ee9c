//! Patterns matched against classes.
//!
//! Matching is up to order and grouping: a pattern with two terms finds them among many, and the
//! last letter of a nested sum or product takes all that is left there. Recursion is bounded by
//! the depth of the patterns, which are ours.

use super::egraph::{Class, EGraph, Factors, Node, Terms};
use super::pattern::Pattern;
use crate::ir::{Number, Op};
use smallvec::SmallVec;

/// Ways one pattern is matched against one node at most.
const WAYS: usize = 24;

/// What each letter stands for.
pub type Bindings = SmallVec<[Option<Class>; 4]>;

/// What happens to terms and factors that no part of the pattern takes.
#[derive(Clone, Copy, PartialEq)]
pub enum Rest {
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
pub fn match_node(egraph: &mut EGraph, pattern: &Pattern, node: &Node, bindings: &Bindings) -> Vec<Bindings> {
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
        (Pattern::Call(op, parts), Node::Call(found, operands)) if op == found => {
            let mut ways = match_operands(egraph, parts, operands, bindings);
            let is_commutative = matches!(op, Op::Elementwise(op) if op.is_commutative());
            if is_commutative && operands[0] != operands[1] {
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
fn match_scaled(
    egraph: &mut EGraph,
    k: &Number,
    i: usize,
    terms: &Terms,
    bindings: &Bindings,
) -> Vec<Bindings> {
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
pub fn assign_terms(
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

fn bound_to(part: &Pattern, bindings: &Bindings) -> Option<Class> {
    match part {
        Pattern::Letter(i) => bindings[*i],
        _ => None,
    }
}

type FactorWays = Vec<(Bindings, Number, Factors)>;

/// Finds factors for every part, of `coefficient·∏ remaining`.
pub fn assign_factors(
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
    if let Some(earlier) = bound_to(part, &bindings) {
        if let Some((k, left)) = taken_out(egraph, earlier, *m, coefficient, &remaining) {
            assign_factors(egraph, parts_left, left, &k, rest, bindings, ways);
        }
        return;
    }
    if let (Pattern::Letter(i), true) = (part, parts_left.is_empty() && (rest == Rest::Taken || *m == 1)) {
        let letter = root_of(egraph, coefficient, &remaining, *m);
        let whole = Number::integer(1);
        ways.extend(letter.map(|letter| (bound(&bindings, *i, letter), whole, Vec::new())));
        return;
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
