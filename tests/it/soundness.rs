//! No rewrite changes what an expression means: every rule, row and fold, and the simplifier as a
//! whole, compared on both sides with intervals around the true values.
//!
//! A rule fails at a point where the left side is real and the right one is another number or none,
//! where the left side is undefined and the right one a number, or where rounding, overflow or
//! cancellation make the right side a worse number than the left one. Rules for readers alone may
//! round worse; everything else holds for them too.

use crate::samples::{Random, expression, points};
use crate::tally::Tally;
use symdiff::ir::{Elementwise, Enclosed, Interval, Number, Truth, Value};
use symdiff::simplify::{RULES, Rule, STRUCTURE, Soundness, between, prepared, simplified};
use symdiff::{Function, Level, Purpose, parse_with};

/// Rules that lose digits or overflow where a letter is larger than this, and why they may.
#[rustfmt::skip]
const EXCUSED: [(&str, f64, &str); 19] = [
    ("log-power",            f64::MAX, "1^∞ is 1 to a machine, and ∞*log(1) is no number"),
    ("factor-out",           8.9e307, "b + c may overflow where a*b + a*c, with a small a, does not"),
    ("exp-times",            30.0,    "x + y is rounded, and exp magnifies that by |x + y|; factors overflow instead"),
    ("sin-of-double",        8.9e307, "2*x overflows; neighbouring floats are 1e291 periods apart there"),
    ("cos-of-double",        8.9e307, "as above"),
    ("cos-of-double-by-sin", 8.9e307, "as above"),
    ("cos-of-double-by-cos", 8.9e307, "as above"),
    ("expm1-share",          709.0,   "expm1(-x) overflows where the quotient is below the normal numbers"),
    ("softmax-two",          30.0,    "x - y is rounded, and sigmoid magnifies that by |x - y|; exponentials overflow instead"),
    ("softmax-three",        30.0,    "as above"),
    ("logit-loss-first",     700.0,   "the exponent of a number near the smallest is rounded"),
    ("sine-difference",      4.0,     "x + y/2 is rounded where x + y may not be"),
    ("cosine-difference",    4.0,     "as above"),
    ("hypot-slope",          f64::MAX, "an infinite leg is an infinite length"),
    ("hypot-slope-mirror",   f64::MAX, "as above"),
    ("one-less-share",       8.9e307, "x + a may overflow: x/∞ is 0, and so is a/∞"),
    ("one-less-share-times", 8.9e307, "as above"),
    ("one-less-shifted",     8.9e307, "as above"),
    ("one-less-size",        8.9e307, "as above"),
];

/// A rule to be compared.
pub struct Sides {
    pub name: String,
    left: Enclosed,
    right: Enclosed,
    /// Letters the right side does not mention: they are defined wherever the rule is applied.
    dropped: Vec<usize>,
    condition: Option<Condition>,
    exact: bool,
    /// The right side must be as good a number as the left one.
    computes: bool,
}

/// What must be known of the letters before a rule is applied.
struct Condition {
    letter: usize,
    relation: String,
    /// A letter, or zero.
    other: Option<usize>,
}

impl Condition {
    fn holds(&self, x: &[f64]) -> bool {
        let (a, b) = (x[self.letter], self.other.map_or(0.0, |i| x[i]));
        match self.relation.as_str() {
            ">" => a > b,
            ">=" => a >= b,
            "<" => a < b,
            "<=" => a <= b,
            _ => !a.is_nan() && !b.is_nan() && a != b,
        }
    }
}

/// Letters of a text, in order of the alphabet of rules.
fn letters(text: &str) -> Vec<&'static str> {
    let all = ["x", "y", "a", "b", "c", "d"];
    let is_in = |n: &&&str| text.split(|c: char| !c.is_alphanumeric()).any(|word| word == **n);
    all.iter().filter(is_in).copied().collect()
}

impl Sides {
    /// A rule as the tables have it; `None` when a text cannot be read.
    pub fn new(rule: &Rule) -> Option<Sides> {
        let condition = match rule.soundness {
            Soundness::Given(text) => Some(text),
            _ => None,
        };
        let computes = rule.purpose != Some(Purpose::Read);
        let exact = rule.soundness == Soundness::Exactly;
        Sides::of(rule.name, rule.left, rule.right, condition, exact, computes)
    }

    pub fn of(
        name: &str,
        left: &str,
        right: &str,
        condition: Option<&str>,
        exact: bool,
        computes: bool,
    ) -> Option<Sides> {
        let names = letters(left);
        let (l, r) = (parse_with(left, &names).ok()?, parse_with(right, &names).ok()?);
        let place = |word: &str| names.iter().position(|n| *n == word);
        let condition = match condition {
            None => None,
            Some(text) => {
                let words: Vec<&str> = text.split_whitespace().collect();
                let [letter, relation, other] = words.as_slice() else { return None };
                Some(Condition {
                    letter: place(letter)?,
                    relation: (*relation).to_owned(),
                    other: place(other),
                })
            }
        };
        let mentioned = letters(right);
        let dropped = (0..names.len()).filter(|&i| !mentioned.contains(&names[i])).collect();
        let (left, right) = (Enclosed::new(l)?, Enclosed::new(r)?);
        Some(Sides { name: name.to_owned(), left, right, dropped, condition, exact, computes })
    }

    /// What is wrong with the rule at a point, if anything; `None` also where it is not applied.
    pub fn fault_at(&self, x: &[f64]) -> Option<String> {
        let undefined = |i: &usize| !x[*i].is_finite();
        if self.condition.as_ref().is_some_and(|c| !c.holds(x)) || self.dropped.iter().any(undefined) {
            return None;
        }
        let (left, right) = (self.left.at(x), self.right.at(x));
        let is_same = left.computed.to_bits() == right.computed.to_bits()
            || left.computed.is_nan() && right.computed.is_nan();
        let is_larger = |limit: &f64| x.iter().any(|v| v.abs() > *limit);
        let fault = match self.exact {
            true => (!is_same).then(|| "not the same bits".to_owned()),
            false if EXCUSED.iter().any(|(name, limit, _)| *name == self.name && is_larger(limit)) => None,
            false => disagreement(left, right, self.computes),
        };
        let (l, r) = (left.computed, right.computed);
        fault.map(|what| format!("{} at {x:?}: {l:e} became {r:e}: {what}", self.name))
    }

    pub fn letters(&self) -> usize {
        self.left.function().inputs().len()
    }
}

/// What is wrong with `right` standing for `left`.
pub fn disagreement(left: Value, right: Value, computes: bool) -> Option<String> {
    let (l, r) = (left.computed, right.computed);
    match (left.truth, right.truth) {
        (Truth::Real(_), Truth::Undefined) => return Some("a number became undefined".to_owned()),
        (Truth::Real(a), Truth::Real(b)) if a.meet(b).is_empty() && !is_rounded(a, b, l, r) => {
            return Some(format!("another number: {a:?} and {b:?}"));
        }
        (Truth::Undefined, Truth::Real(_)) if !came_back(l, r) => {
            return Some("undefined became a number".to_owned());
        }
        _ => {}
    }
    let Truth::Real(values) = left.truth else { return None };
    if !computes || !l.is_finite() {
        return None;
    }
    if !r.is_finite() {
        return Some("a finite number overflowed".to_owned());
    }
    let allowed = tolerance(values, l);
    ((l - r).abs() > allowed).then(|| format!("off by {:e}, allowed {allowed:e}", (l - r).abs()))
}

/// Whether one number is the other rounded: `exp(-1e6)` is 0, and `exp(exp(-1e6))` 1. The intervals touch, and
/// both are computed alike, or the left side is not computed at all.
fn is_rounded(a: Interval, b: Interval, l: f64, r: f64) -> bool {
    let touch = a.low() == b.high() || b.low() == a.high();
    touch && (l == r || !l.is_finite())
}

/// Both computed the same number beyond an infinity: 1/(1/x) is 0 at 0.
fn came_back(l: f64, r: f64) -> bool {
    l.is_finite() && (l - r).abs() <= 1e-9 * l.abs()
}

/// How far off a result may be that was as hard to compute: the width of the interval around it.
fn tolerance(values: Interval, computed: f64) -> f64 {
    2.0 * (values.high() - values.low()) + 16.0 * f64::EPSILON * computed.abs() + 1e-321
}

/// All rules of both lists.
pub fn all_rules() -> Vec<Sides> {
    let all = RULES.iter().chain(STRUCTURE);
    all.map(|rule| Sides::new(rule).unwrap_or_else(|| panic!("rule {} cannot be read", rule.name))).collect()
}

/// Compares both sides of every rule at `cases` points each.
pub fn measure(cases: usize, seed: u64) -> Tally {
    let mut tally = Tally::default();
    for sides in all_rules() {
        tally.add(measure_rule(&sides, cases, seed));
    }
    tally
}

/// Compares both sides of one rule; of its faults one is kept.
pub fn measure_rule(sides: &Sides, cases: usize, seed: u64) -> Tally {
    let mut tally = Tally::default();
    let mut random = Random::new(seed);
    for point in points(sides.letters(), cases, &mut random) {
        match sides.fault_at(&point) {
            None => tally.pass(),
            Some(fault) => {
                let first = tally.failed == 0;
                tally.fail(|| fault);
                if !first {
                    tally.failures.truncate(1);
                }
            }
        }
    }
    tally
}

#[test]
fn every_rule_means_the_same_on_both_sides() {
    measure(crate::samples::cases(1000), 1).assert_holds();
}

/// Compares `cases` random expressions with what every level and purpose makes of them, at 40
/// points each.
pub fn measure_simplifier(cases: usize, seed: u64) -> Tally {
    let mut tally = Tally::default();
    let mut random = Random::new(seed);
    for _ in 0..cases {
        let depth = 1 + random.below(4);
        let text = expression(&mut random, depth, &mut Vec::new());
        let f = parse_with(&text, &["x", "y"]).unwrap_or_else(|e| panic!("{text}: {e}"));
        let at = points(2, 40, &mut random);
        tally.add(simplified_alike(&text, &f, &at, &WAYS));
    }
    tally
}

const WAYS: [(Level, Purpose); 5] = [
    (Level::Fast, Purpose::Read),
    (Level::Fast, Purpose::Both),
    (Level::Fast, Purpose::Compute),
    (Level::Full, Purpose::Read),
    (Level::Full, Purpose::Compute),
];

/// What is made of a function on the way to its derivatives, and at its end.
type Make = fn(Function, Level, Purpose) -> Function;
const STAGES: [(&str, Make); 3] = [("before", prepared), ("between", between), ("last", simplified)];

/// What the simplifier makes of a function in these ways, at every stage, compared at these points.
fn simplified_alike(text: &str, f: &Function, at: &[Vec<f64>], ways: &[(Level, Purpose)]) -> Tally {
    let mut tally = Tally::default();
    let before = Enclosed::new(f.clone()).expect("numbers only");
    let all = ways.iter().flat_map(|way| STAGES.iter().map(move |stage| (way, stage)));
    for (&(level, purpose), (stage, make)) in all {
        let after = Enclosed::new(make(f.clone(), level, purpose)).expect("numbers only");
        let fault = at.iter().filter(|x| x.iter().all(|v| v.is_finite())).find_map(|x| {
            let (l, r) = (before.at(x), after.at(x));
            let what = disagreement(l, r, false)?;
            let (l, r) = (l.computed, r.computed);
            Some(format!(
                "{text} as {} ({level:?}, {purpose:?}, {stage}) at {x:?}: {l:e} became {r:e}: {what}",
                after.function()
            ))
        });
        tally.check(fault.is_none(), || fault.unwrap_or_default());
    }
    tally
}

#[test]
fn simplification_means_the_same() {
    measure_simplifier(crate::samples::cases(60), 2).assert_holds();
}

/// Exact folding of constants lies in the interval that the op's row gives.
pub fn measure_folding(cases: usize, seed: u64) -> Tally {
    let mut tally = Tally::default();
    let mut random = Random::new(seed);
    for &op in Elementwise::ALL {
        for _ in 0..cases {
            let mut number = || {
                let (p, q) = (random.below(41) as i64 - 20, 1 + random.below(4) as i64);
                Number::ratio(p, q).expect("a denominator that is not zero")
            };
            let exact: Vec<Number> = (0..op.arity()).map(|_| number()).collect();
            let intervals: Vec<Interval> = exact.iter().map(Interval::around).collect();
            let folded = op.fold(&exact.iter().collect::<Vec<_>>());
            let image = op.image(&intervals);
            let holds = folded.as_ref().is_none_or(|n| !Interval::around(n).meet(image.values).is_empty());
            tally.check(holds, || format!("{} of {exact:?} is folded to {folded:?}: {image:?}", op.name()));
        }
    }
    tally
}

#[test]
fn folding_is_exact() {
    measure_folding(crate::samples::cases(100), 3).assert_holds();
}

/// Parts that are undefined somewhere, or whose sign is known: what letters of rules stand for.
const PARTS: [&str; 9] =
    ["log(x)", "sqrt(y)", "1/x", "asin(y/4)", "x/y", "exp(x)", "(x - y)", "abs(y)", "(x^2 + 1)"];

/// The text with parts for its letters.
fn with_parts(text: &str, random: &mut Random) -> String {
    let stand_ins: Vec<(&str, &str)> = letters(text).into_iter().map(|n| (n, random.pick(&PARTS))).collect();
    let mut made = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length =
            rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len()).max(c.len_utf8());
        let word = &rest[..length];
        made += &stand_ins
            .iter()
            .find(|(n, _)| *n == word)
            .map_or(word.to_owned(), |(_, part)| format!("({part})"));
        rest = &rest[length..];
    }
    made
}

/// The left side of every rule with parts for its letters, each simplified at one level for one
/// purpose:
/// what a rule drops must be defined anyway, and its condition known.
pub fn measure_compositions(cases: usize, seed: u64) -> Tally {
    let mut tally = Tally::default();
    let mut random = Random::new(seed);
    for rule in RULES.iter().chain(STRUCTURE) {
        for _ in 0..cases {
            let text = with_parts(rule.left, &mut random);
            let f = parse_with(&text, &["x", "y"]).unwrap_or_else(|e| panic!("{text}: {e}"));
            let at = points(2, 60, &mut random);
            tally.add(simplified_alike(&text, &f, &at, &[random.pick(&WAYS)]));
        }
    }
    tally
}

#[test]
fn rules_drop_only_what_is_defined() {
    measure_compositions(crate::samples::cases(2), 7).assert_holds();
}

/// Rules with a condition: without it they change nothing, and where it is assumed the result is
/// right wherever it holds.
pub fn measure_conditions(cases: usize, seed: u64) -> Tally {
    let mut tally = Tally::default();
    let mut random = Random::new(seed);
    for rule in RULES.iter().chain(STRUCTURE) {
        let Soundness::Given(condition) = rule.soundness else { continue };
        let (names, sides) = (letters(rule.left), Sides::new(rule).expect("a rule that can be read"));
        let f = parse_with(rule.left, &names).expect("a left side that can be read");
        let at = points(names.len(), cases, &mut random);
        tally.add(simplified_alike(rule.left, &f, &at, &WAYS));
        let mut assumed = f.clone();
        symdiff::condition(&mut assumed, condition, &symdiff::Limits::default()).expect("a condition");
        let holds = |x: &Vec<f64>| sides.condition.as_ref().is_some_and(|c| c.holds(x));
        let inside: Vec<Vec<f64>> = at.into_iter().filter(holds).collect();
        tally.add(simplified_alike(rule.left, &assumed, &inside, &WAYS));
    }
    tally
}

#[test]
fn conditional_rules_fire_only_where_their_condition_is_known() {
    measure_conditions(crate::samples::cases(300), 6).assert_holds();
}
