//! Matching rules: each side of a rule is a little graph of its own, whose inputs stand for
//! any expression.

use super::product::{Base, Exponent, Factor, Product};
use super::rules::{Rule, RuleSet, Soundness};
use super::sum::{SEARCHED, Term};
use super::{Sign, Simplifier};
use crate::elaborate;
use crate::ir::{Elementwise, Function, Graph, Id, Number, Op, Selection, Symbol};
use crate::{Error, Limits};
use smallvec::SmallVec;

/// Roots of the rules tried on pairs of terms, and on factors and pairs of them.
pub const SUMS: [Elementwise; 2] = [Elementwise::Add, Elementwise::Sub];
pub const PRODUCTS: [Elementwise; 3] = [Elementwise::Mul, Elementwise::Div, Elementwise::Pow];

/// Distinct ops fit one word of flags.
type Ops = u64;

/// Levels below a node that a rule can see.
const LEVELS: usize = 4;

/// For every node, the ops within 0, 1, 2, … levels of it.
#[derive(Default)]
pub struct Nearby(Vec<[Ops; LEVELS]>);

impl Nearby {
    fn of(&mut self, graph: &Graph, node: Id) -> Ops {
        for id in graph.ids_from(self.0.len()) {
            let own = flag(graph, id);
            let mut levels = [own; LEVELS];
            for x in graph.operands(id).iter().take(3) {
                let below = self.0[x.index()];
                for k in 1..LEVELS {
                    levels[k] |= below[k - 1];
                }
            }
            self.0.push(levels);
        }
        self.0[node.index()][LEVELS - 1]
    }
}

/// A rule ready to be matched.
pub struct Pattern {
    pub rule: &'static Rule,
    left: Graph,
    left_root: Id,
    right: Graph,
    right_root: Id,
    conditions: Vec<Condition>,
    /// Letters on the right side.
    mentioned: Vec<Symbol>,
    pub root: Elementwise,
    /// Elementwise ops the left side has, signs and sums aside: without them it cannot match.
    needs: Ops,
}

/// What each letter of a rule stands for.
#[derive(Clone, Default)]
struct Bindings {
    bound: SmallVec<[(Symbol, Id); 4]>,
}

impl Bindings {
    fn get(&self, symbol: Symbol) -> Option<Id> {
        self.bound.iter().find(|(s, _)| *s == symbol).map(|&(_, id)| id)
    }
}

impl Pattern {
    pub fn new(rule: &'static Rule) -> Result<Pattern, Error> {
        let left = read(rule.left, None)?;
        let names: Vec<String> = left.input_names().map(str::to_owned).collect();
        let right = read(rule.right, Some(&names))?;
        let conditions = match rule.soundness {
            Soundness::Given(text) => conditions_of(&left, text)?,
            _ => Vec::new(),
        };
        let (left_root, right_root) = (left.outputs()[0], right.outputs()[0]);
        let Op::Elementwise(root) = left.graph().op(left_root) else {
            return Err(Error::internal(
                "the rule list",
                format!("{}: its left side is no elementwise op", rule.name),
            ));
        };
        // What a factor is to a power does not show beside it, so only sums are told apart by powers.
        let seen = if SUMS.contains(&root) { Ops::MAX } else { !ARITHMETIC };
        let needs = left.graph().ids().fold(0, |needs, id| needs | flag(left.graph(), id)) & seen;
        Ok(Pattern {
            rule,
            left: left.graph().clone(),
            left_root,
            right: right.graph().clone(),
            right_root,
            conditions,
            mentioned: right.used_inputs(),
            root,
            needs,
        })
    }
}

fn read(text: &str, variables: Option<&[String]>) -> Result<Function, Error> {
    let ast = crate::syntax::parse(text, &Limits::default())?;
    let options = elaborate::Options { variables, limits: Limits::default() };
    Ok(elaborate::elaborate(&ast, &options)?.function)
}

/// What a rule needs to know of its letters.
enum Condition {
    Sign(Symbol, Sign),
    /// The first is at most the second.
    Ordered(Symbol, Symbol),
}

/// `x > 0` and the like as sign facts on letters, `x >= y` as their order.
fn conditions_of(left: &Function, text: &str) -> Result<Vec<Condition>, Error> {
    let mut conditioned = left.clone();
    elaborate::condition(&mut conditioned, text, &Limits::default())?;
    let graph = conditioned.graph();
    let read = |&truth: &Id| {
        let (a, b) = (graph.operand(truth, 0), graph.operand(truth, 1));
        let signs = match graph.op(truth) {
            Op::Selection(Selection::Less) => [Sign::POSITIVE, Sign::NEGATIVE],
            Op::Selection(Selection::LessEqual) => [Sign::NON_NEGATIVE, Sign::NON_POSITIVE],
            _ => [Sign::NON_ZERO, Sign::NON_ZERO],
        };
        match (graph.op(a), graph.op(b)) {
            (Op::Input(low), Op::Input(high)) => Some(Condition::Ordered(low, high)),
            (_, Op::Input(symbol)) => Some(Condition::Sign(symbol, signs[0])),
            (Op::Input(symbol), _) => Some(Condition::Sign(symbol, signs[1])),
            _ => None,
        }
    };
    Ok(conditioned.assumptions().iter().filter_map(read).collect())
}

/// Squares and cubes, and quotients by what varies: arithmetic that rules on sums may be about.
const POWER: Ops = 1 << 63;
const QUOTIENT: Ops = 1 << 62;
const ARITHMETIC: Ops = POWER | QUOTIENT;

/// A bit for an op that must be present for a pattern to match.
fn flag(graph: &Graph, id: Id) -> Ops {
    use Elementwise::{Add, Div, Mul, Neg, Pow, Sub};
    let constant = |i: usize| graph.constant(graph.operand(id, i));
    match graph.op(id) {
        Op::Elementwise(Pow) if matches!(constant(1).and_then(Number::to_i64), Some(2 | 3)) => POWER,
        Op::Elementwise(Div) if constant(1).is_none() => QUOTIENT,
        Op::Elementwise(Add | Sub | Neg | Mul | Div | Pow) => 0,
        Op::Elementwise(op) => 1 << (op as u32),
        _ => 0,
    }
}

impl Simplifier<'_> {
    /// Applies the first rule that matches the node itself.
    pub fn rewrite(&mut self, node: Id, fuel: usize) -> Id {
        if fuel == 0 {
            return node;
        }
        let Op::Elementwise(op) = self.graph.op(node) else { return node };
        // Sums and products of several operands are searched pair by pair where they are made.
        if matches!(op, Elementwise::Add | Elementwise::Sub | Elementwise::Mul | Elementwise::Neg) {
            return node;
        }
        let present = self.ops_near(node);
        self.first_match(node, op, present, fuel).unwrap_or(node)
    }

    fn first_match(&mut self, node: Id, root: Elementwise, present: Ops, fuel: usize) -> Option<Id> {
        for pattern in RuleSet::get().rooted(root) {
            if pattern.needs & !present != 0 || !self.wants(pattern.rule) {
                continue;
            }
            let mut bindings = Bindings::default();
            if self.matches(pattern, pattern.left_root, node, &mut bindings) && self.holds(pattern, &bindings)
            {
                return Some(self.instantiate(pattern, &bindings, fuel - 1));
            }
        }
        None
    }

    fn wants(&self, rule: &Rule) -> bool {
        rule.is_wanted(self.purpose, self.stage)
    }

    fn holds(&self, pattern: &Pattern, bindings: &Bindings) -> bool {
        let facts = self.facts();
        let is_known = |condition: &Condition| match *condition {
            Condition::Sign(symbol, sign) => {
                bindings.get(symbol).is_some_and(|id| facts.sign(self.graph, id).has(sign))
            }
            Condition::Ordered(low, high) => {
                let values = |symbol| Some(facts.interval(self.graph, bindings.get(symbol)?));
                values(low).zip(values(high)).is_some_and(|(low, high)| low.is_not_after(high))
            }
        };
        pattern.conditions.iter().all(is_known) && self.keeps_defined(pattern, bindings)
    }

    /// A letter that the right side does not mention must be defined anyway.
    fn keeps_defined(&self, pattern: &Pattern, bindings: &Bindings) -> bool {
        let mentioned = |symbol: Symbol| pattern.mentioned.contains(&symbol);
        let mut dropped = bindings.bound.iter().filter(|(s, _)| !mentioned(*s));
        dropped.all(|&(_, id)| self.facts().is_defined(self.graph, id))
    }

    /// Structural matching; letters bind to whole expressions. Pattern depth bounds the recursion.
    fn matches(&mut self, pattern: &Pattern, p: Id, node: Id, bindings: &mut Bindings) -> bool {
        let op = match pattern.left.op(p) {
            Op::Input(symbol) => {
                return match bindings.get(symbol) {
                    Some(bound) => bound == node,
                    None => {
                        bindings.bound.push((symbol, node));
                        true
                    }
                };
            }
            Op::Constant(c) => return self.graph.constant(node) == Some(pattern.left.number(c)),
            Op::Elementwise(op) => op,
            _ => return false,
        };
        let part = |i: usize| pattern.left.operand(p, i);
        let found = self.graph.op(node);
        let of = |s: &Self, i: usize| s.graph.operand(node, i);
        match (op, found) {
            (Elementwise::Neg, _) => match self.negated(node) {
                Some(positive) => self.matches(pattern, part(0), positive, bindings),
                None => false,
            },
            // x - y as x + (-y).
            (Elementwise::Add, Op::Elementwise(Elementwise::Sub)) => {
                let (a, b) = (of(self, 0), of(self, 1));
                let minus = self.make_with(Elementwise::Neg, &[b], 0);
                self.matches_either(pattern, [part(0), part(1)], [a, minus], bindings)
            }
            _ if found != Op::Elementwise(op) => false,
            _ if op.is_commutative() => {
                let operands = [of(self, 0), of(self, 1)];
                self.matches_either(pattern, [part(0), part(1)], operands, bindings)
            }
            _ => (0..op.arity()).all(|i| {
                let x = of(self, i);
                self.matches(pattern, part(i), x, bindings)
            }),
        }
    }

    fn matches_either(
        &mut self,
        pattern: &Pattern,
        parts: [Id; 2],
        nodes: [Id; 2],
        bindings: &mut Bindings,
    ) -> bool {
        for [a, b] in [nodes, [nodes[1], nodes[0]]] {
            let mut attempt = bindings.clone();
            if self.matches(pattern, parts[0], a, &mut attempt)
                && self.matches(pattern, parts[1], b, &mut attempt)
            {
                *bindings = attempt;
                return true;
            }
        }
        false
    }

    /// `-node`, when that has the simpler sign.
    fn negated(&mut self, node: Id) -> Option<Id> {
        self.is_negated(node).then(|| self.make_with(Elementwise::Neg, &[node], 0))
    }

    fn instantiate(&mut self, pattern: &Pattern, bindings: &Bindings, fuel: usize) -> Id {
        let mut built: SmallVec<[Id; 16]> = SmallVec::new();
        for id in pattern.right.ids() {
            let operands: SmallVec<[Id; 3]> =
                pattern.right.operands(id).iter().map(|x| built[x.index()]).collect();
            let node = match pattern.right.op(id) {
                Op::Input(symbol) => bindings.get(symbol).unwrap_or_else(|| self.graph.integer(0)),
                Op::Constant(c) => self.graph.exact(pattern.right.number(c).clone()),
                Op::Elementwise(op) => self.make_with(op, &operands, fuel),
                Op::Selection(op) => self.make_selection(op, &operands),
                _ => self.graph.integer(0),
            };
            built.push(node);
        }
        built[pattern.right_root.index()]
    }

    /// Ops close to a node: what a rule can see.
    pub fn ops_near(&mut self, node: Id) -> Ops {
        self.nearby.of(self.graph, node)
    }

    /// True when a rule with one of these roots finds the ops it needs.
    pub fn any_rule(&self, roots: &[Elementwise], present: Ops) -> bool {
        let fits = |p: &Pattern| p.needs & !present == 0 && self.wants(p.rule);
        // Rules on products are about functions.
        let seen = if roots == SUMS { present } else { present & !ARITHMETIC };
        seen != 0 && roots.iter().any(|&root| RuleSet::get().rooted(root).iter().any(fits))
    }

    /// Looks for two terms that together are the left side of a rule, up to a common coefficient.
    pub fn rewrite_pairs(&mut self, terms: &[Term], fuel: usize) -> Option<Id> {
        if fuel == 0 {
            return None;
        }
        let near: SmallVec<[Ops; 8]> = terms.iter().map(|t| self.ops_near(t.rest)).collect();
        let all = near.iter().fold(0, |all, ops| all | ops);
        if !self.any_rule(&SUMS, all) {
            return None;
        }
        for i in 0..terms.len() {
            for j in i + 1..terms.len() {
                let present = near[i] | near[j];
                if !self.any_rule(&SUMS, present) || terms[i].coefficient.is_zero() {
                    continue;
                }
                let Some(result) = self.rewrite_pair(&terms[i], &terms[j], present, fuel) else { continue };
                let one = Number::integer(1);
                let mut all = super::sum::Terms::new();
                for (_, term) in terms.iter().enumerate().filter(|&(k, _)| k != i && k != j) {
                    self.push_term(&mut all, term.rest, &term.coefficient, false);
                }
                self.push_term(&mut all, result, &one, true);
                return Some(self.resolve_sum(all, fuel - 1));
            }
        }
        None
    }

    /// `a + b` with the first coefficient divided out, and the other way round.
    fn rewrite_pair(&mut self, a: &Term, b: &Term, present: Ops, fuel: usize) -> Option<Id> {
        for (first, second) in [(a, b), (b, a)] {
            let ratio = second.coefficient.div(&first.coefficient)?;
            let unit = |rest, coefficient| Term { coefficient, rest };
            let pair = vec![unit(first.rest, Number::integer(1)), unit(second.rest, ratio)];
            let node = self.emit_sum(pair);
            let Op::Elementwise(root) = self.graph.op(node) else { continue };
            if let Some(result) = self.first_match(node, root, present, fuel) {
                let scale = self.graph.exact(first.coefficient.clone());
                return Some(self.make_with(Elementwise::Mul, &[scale, result], 0));
            }
        }
        None
    }

    /// Rules on single factors (`1/(1 + exp(x))`) and on pairs of them (`sin(x)/cos(x)`).
    pub fn rewrite_factors(&mut self, product: &mut Product, fuel: usize) {
        if fuel == 0 || product.factors.len() > SEARCHED {
            return;
        }
        let near: Ops = product.factors.iter().map(|f| self.factor_ops(f)).fold(0, |all, ops| all | ops);
        if near == 0 || !self.any_rule(&PRODUCTS, near) {
            return;
        }
        for i in 0..product.factors.len() {
            if let Some(result) = self.rewrite_factor(&product.factors[i].clone(), fuel) {
                let rest = without(product, &[i]);
                *product = self.multiplied(rest, result);
                return self.rewrite_factors(product, fuel - 1);
            }
            for j in i + 1..product.factors.len() {
                let pair = Product {
                    coefficient: Number::integer(1),
                    factors: SmallVec::from_iter([product.factors[i].clone(), product.factors[j].clone()]),
                };
                let present = self.factor_ops(&product.factors[i]) | self.factor_ops(&product.factors[j]);
                let node = self.emit_product(pair);
                let Op::Elementwise(root) = self.graph.op(node) else { continue };
                if let Some(result) = self.first_match(node, root, present, fuel) {
                    let rest = without(product, &[i, j]);
                    *product = self.multiplied(rest, result);
                    return self.rewrite_factors(product, fuel - 1);
                }
            }
        }
    }

    fn factor_ops(&mut self, factor: &Factor) -> Ops {
        match factor.base {
            Base::E => 1 << (Elementwise::Exp as u32),
            Base::Node(id) => self.ops_near(id),
        }
    }

    /// `base^n` by the rules for `1/base` (n < 0) and for powers.
    fn rewrite_factor(&mut self, factor: &Factor, fuel: usize) -> Option<Id> {
        let n = factor.exponent.number()?.clone();
        let Base::Node(base) = factor.base else { return None };
        let present = self.ops_near(base);
        if present == 0 {
            return None;
        }
        let square = self.power_node(factor.base, &Exponent::Number(n.absolute()));
        let present = present | self.ops_near(square);
        if !n.absolute().is_one()
            && let Op::Elementwise(root) = self.graph.op(square)
            && let Some(result) = self.first_match(square, root, present, fuel)
        {
            let sign = self.graph.integer(if n.is_negative() { -1 } else { 1 });
            return Some(self.make_with(Elementwise::Pow, &[result, sign], 0));
        }
        if n.is_integer() && n.is_negative() {
            let one = self.graph.integer(1);
            let reciprocal = self.graph.apply(Elementwise::Div, &[one, base]);
            let result = self.first_match(reciprocal, Elementwise::Div, present, fuel)?;
            let power = self.graph.exact(n.negate());
            return Some(self.make_with(Elementwise::Pow, &[result, power], 0));
        }
        None
    }

    fn multiplied(&mut self, rest: Product, by: Id) -> Product {
        let one = Number::integer(1);
        let mut gather = super::product::Gather::new();
        for factor in &rest.factors {
            let node = self.power_node(factor.base, &factor.exponent);
            self.push_factor(&mut gather, node, &one, true);
        }
        self.push_factor(&mut gather, by, &one, true);
        let mut product = self.resolve_product(gather);
        product.coefficient = product.coefficient.mul(&rest.coefficient);
        product
    }
}

fn without(product: &Product, positions: &[usize]) -> Product {
    let kept = product.factors.iter().enumerate().filter(|(k, _)| !positions.contains(k));
    Product { coefficient: product.coefficient.clone(), factors: kept.map(|(_, f)| f.clone()).collect() }
}
