//! Mutation testing of the tables: every seeded fault is caught by the checks of this test binary.
//! (Faults in what is code and not a table: `source`.)
//!
//! The tables are data, so a fault is a changed row that goes through the checks the rows go
//! through: a rewrite with other text, a partial of which one operation is done wrong, a row that
//! claims another course, interval, kink or symmetry. A fault that changes nothing is no fault: it
//! is listed with its reason, and counted apart.

mod scalar;
mod source;

use crate::partials::{Claims, false_claims, faults};
use crate::samples::{Random, points};
use crate::soundness::Sides;
use crate::tally::Tally;
use symdiff::ir::{Course, Elementwise, Interval, Kink};
use symdiff::simplify::{RULES, Rule, STRUCTURE, Soundness};

/// Faults of one kind: how many were seeded, caught, and argued to be none.
#[derive(Clone, Debug, Default)]
pub struct Kind {
    pub name: &'static str,
    pub seeded: usize,
    pub caught: usize,
    pub equivalent: usize,
    pub missed: Vec<String>,
}

impl Kind {
    fn count(&mut self, what: String, caught: bool) {
        self.seeded += 1;
        match caught {
            true => self.caught += 1,
            false if is_equivalent(&what) => self.equivalent += 1,
            false => self.missed.push(format!("{}: {what}", self.name)),
        }
    }
}

const EVEN: &str = "a square, an absolute value or an even function of it";
const ALIKE: &str = "both forms are the same but for rounding, which rows of the stability table hold";

/// Changes after which a row still says the same, and why.
#[rustfmt::skip]
const EQUIVALENT: &[(&str, &str)] = &[
    ("abs-abs: abs(abs(x)) => abs((-x))", EVEN),
    ("sign-times: x*sign(x) => abs((-x))", EVEN),
    ("one-minus-sin: 1 - sin(x)^2 => cos((-x))^2", EVEN),
    ("one-minus-cos: 1 - cos(x)^2 => sin((-x))^2", EVEN),
    ("pythagoras-sec: tan(x)^2 + 1 => sec((-x))^2", EVEN),
    ("pythagoras-csc: cot(x)^2 + 1 => csc((-x))^2", EVEN),
    ("one-minus-tanh: 1 - tanh(x)^2 => sech((-x))^2", EVEN),
    ("one-plus-sinh: sinh(x)^2 + 1 => cosh((-x))^2", EVEN),
    ("sech-from-exp: exp(x)/(exp(x)^2 + 1) => sech((-x))/2", EVEN),
    ("sech-from-cosh: 1/cosh(x) => sech((-x))", EVEN),
    ("sech-tanh: sinh(x)/cosh(x)^2 => sech((-x))*tanh(x)", EVEN),
    ("cosh-from-exp: exp(x) + exp(-x) => 2*cosh((-x))", EVEN),
    ("hypot: sqrt(x^2 + y^2) => hypot((-x), y)", EVEN),
    ("power-of-zero: (0*x)^a => 0*(-x)", "zeros of either sign are the same number"),
    ("hypot: sqrt(x^2 + y^2) => hypot(x, (-y))", EVEN),
    ("versine: 1 - cos(x) => 2*sin((-x)/2)^2", EVEN),
    ("sine-difference: sin(x + y) - sin(x) => cos((-x))*sin(y) - 2*sin(x)*sin(y/2)^2", EVEN),
    ("sine-difference: sin(x + y) - sin(x) => cos(x)*sin(y) - 2*sin(x)*sin((-y)/2)^2", EVEN),
    ("cosine-difference: cos(x + y) - cos(x) => -sin(x)*sin(y) - 2*cos((-x))*sin(y/2)^2", EVEN),
    ("cosine-difference: cos(x + y) - cos(x) => -sin(x)*sin(y) - 2*cos(x)*sin((-y)/2)^2", EVEN),
    ("hypot-square-first: hypot(x, y)^2 => (-x)^2 + y^2", EVEN),
    ("hypot-square-first: hypot(x, y)^2 => x^2 + (-y)^2", EVEN),
    ("hypot-square: hypot(x, y)^2 => (-x)^2 + y^2", EVEN),
    ("hypot-square: hypot(x, y)^2 => x^2 + (-y)^2", EVEN),
    ("expand-square: (x + y)^2 => (-x)^2 + 2*x*y + y^2", EVEN),
    ("expand-square: (x + y)^2 => x^2 + 2*x*y + (-y)^2", EVEN),
    ("sum-times-difference: (x - y)*(x + y) => (-x)^2 - y^2", EVEN),
    ("sum-times-difference: (x - y)*(x + y) => x^2 - (-y)^2", EVEN),
    ("cos-of-double: cos(x)^2 - sin(x)^2 => cos(2*(-x))", EVEN),
    ("cos-of-double-by-sin: 1 - 2*sin(x)^2 => cos(2*(-x))", EVEN),
    ("cos-of-double-by-cos: 2*cos(x)^2 - 1 => cos(2*(-x))", EVEN),
    ("sin-square: sin(x)^2 => 1 - cos((-x))^2", EVEN),
    ("cos-square: cos(x)^2 => 1 - sin((-x))^2", EVEN),
    ("cosh-of-double: cosh(x)^2 + sinh(x)^2 => cosh(2*(-x))", EVEN),
    ("cosh-square: cosh(x)^2 => 1 + sinh((-x))^2", EVEN),
    ("abs-times-abs: abs(x)*abs(y) => abs((-x)*y)", EVEN),
    ("expm1-pair: expm1(x)*expm1(-x) => -4*sinh((-x)/2)^2", EVEN),
    ("abs-times-abs: abs(x)*abs(y) => abs(x*(-y))", EVEN),
    ("one-less-size: 1 - x/(abs(x) + a)*sign(x) => a/(abs((-x)) + a)", EVEN),
    ("log-erf: log(erf(x)) => if((-x) < 1/2, log(2*erf(x)) - log(2), log1p(-erfc(x)))", ALIKE),
    ("log-erf: log(erf(x)) => if(x < 2/2, log(2*erf(x)) - log(2), log1p(-erfc(x)))", ALIKE),
    ("log-erf: log(erf(x)) => if(x < 1*2, log(2*erf(x)) - log(2), log1p(-erfc(x)))", ALIKE),
    ("log-erf: log(erf(x)) => if(x < 1/3, log(2*erf(x)) - log(2), log1p(-erfc(x)))", ALIKE),
    ("log-erf: log(erf(x)) => if(x < 1/1, log(2*erf(x)) - log(2), log1p(-erfc(x)))", ALIKE),
    ("tan: operation (0, 0) Sign", "what is squared has any sign"),
    ("cot: operation (0, 0) Sign", "what is squared has any sign"),
    ("tanh: operation (0, 0) Sign", "what is squared has any sign"),
    ("coth: operation (0, 0) Sign", "what is squared has any sign"),
    ("add: partial 0 is that of 1", "both are 1"),
    ("add: partial 1 is that of 0", "both are 1"),
    ("polygamma: operation (0, 0) Off", "its first operand is a whole number, by which nothing is derived"),
    ("polygamma: no partial 0", "its first operand is a whole number, by which nothing is derived"),
    ("polygamma: partial 0 is that of 1", "its first operand is a whole number, by which nothing is derived"),
    ("neg: odd", "it is; the product rules know, not this flag"),
    ("round: odd", "it is; the simplifier makes no use of that"),
    ("expm1-curve: exp(x)/expm1(x)^2 => (csch((-x)/2)/2)^2", "the function is even"),
    ("log-cosh: log(cosh(x)) => if(relu(x) < 1, log1p(2*sinh(x/2)^2), abs(x) + log1p(exp(-2*abs(x))) - log(2))", "both branches are the same number, with other ranges"),
    ("log-cosh: log(cosh(x)) => if(abs((-x)) < 1, log1p(2*sinh(x/2)^2), abs(x) + log1p(exp(-2*abs(x))) - log(2))", "the function is even"),
    ("log-cosh: log(cosh(x)) => if(abs(x) < 2, log1p(2*sinh(x/2)^2), abs(x) + log1p(exp(-2*abs(x))) - log(2))", "both branches are the same number, with other ranges"),
    ("log-cosh: log(cosh(x)) => if(abs(x) < 0, log1p(2*sinh(x/2)^2), abs(x) + log1p(exp(-2*abs(x))) - log(2))", "both branches are the same number, with other ranges"),
    ("log-cosh: log(cosh(x)) => if(abs(x) < 1, log1p(2*sinh((-x)/2)^2), abs(x) + log1p(exp(-2*abs(x))) - log(2))", "the function is even"),
    ("log-cosh: log(cosh(x)) => if(abs(x) < 1, log1p(2*sinh(x/2)^2), abs((-x)) + log1p(exp(-2*abs(x))) - log(2))", "the function is even"),
    ("log-cosh: log(cosh(x)) => if(abs(x) < 1, log1p(2*sinh(x/2)^2), abs(x) + log1p(exp(-2*abs((-x)))) - log(2))", "the function is even"),
    ("log1p-square: log1p(x^2) => if(abs((-x)) < 1e17, 1, 2)*log1p(if(abs(x) < 1e17, x^2, abs(x)))", EVEN),
    ("log1p-square: log1p(x^2) => if(abs(x) < 1e17, 1, 2)*log1p(if(abs((-x)) < 1e17, x^2, abs(x)))", EVEN),
    ("log1p-square: log1p(x^2) => if(abs(x) < 1e17, 1, 2)*log1p(if(abs(x) < 1e17, (-x)^2, abs(x)))", EVEN),
    ("log1p-square: log1p(x^2) => if(abs(x) < 1e17, 1, 2)*log1p(if(abs(x) < 1e17, x^2, abs((-x))))", EVEN),
    ("softsign-slope: 1/(abs(x) + 1) - x*sign(x)/(abs(x) + 1)^2 => 1/(abs((-x)) + 1)^2", "the function is even"),
    ("softsign-shared: 1/(abs(x) + 1) - x/(abs(x) + 1)*sign(x)/(abs(x) + 1) => 1/(abs((-x)) + 1)^2", "the function is even"),
    ("hypot-one: sqrt(x^2 + 1) => hypot((-x), 1)", "the function is even"),
    ("hypot-slope: 1/hypot(x, y) - x/hypot(x, y)*(x/hypot(x, y)/hypot(x, y)) => y/hypot((-x), y)*(y/hypot(x, y)/hypot(x, y))", EVEN),
    ("hypot-slope: 1/hypot(x, y) - x/hypot(x, y)*(x/hypot(x, y)/hypot(x, y)) => y/hypot(x, (-y))*(y/hypot(x, y)/hypot(x, y))", EVEN),
    ("hypot-slope: 1/hypot(x, y) - x/hypot(x, y)*(x/hypot(x, y)/hypot(x, y)) => y/hypot(x, y)*(y/hypot((-x), y)/hypot(x, y))", EVEN),
    ("hypot-slope: 1/hypot(x, y) - x/hypot(x, y)*(x/hypot(x, y)/hypot(x, y)) => y/hypot(x, y)*(y/hypot(x, (-y))/hypot(x, y))", EVEN),
    ("hypot-slope: 1/hypot(x, y) - x/hypot(x, y)*(x/hypot(x, y)/hypot(x, y)) => y/hypot(x, y)*(y/hypot(x, y)/hypot((-x), y))", EVEN),
    ("hypot-slope: 1/hypot(x, y) - x/hypot(x, y)*(x/hypot(x, y)/hypot(x, y)) => y/hypot(x, y)*(y/hypot(x, y)/hypot(x, (-y)))", EVEN),
    ("hypot-slope-mirror: 1/hypot(x, y) - y/hypot(x, y)*(y/hypot(x, y)/hypot(x, y)) => x/hypot((-x), y)*(x/hypot(x, y)/hypot(x, y))", EVEN),
    ("hypot-slope-mirror: 1/hypot(x, y) - y/hypot(x, y)*(y/hypot(x, y)/hypot(x, y)) => x/hypot(x, (-y))*(x/hypot(x, y)/hypot(x, y))", EVEN),
    ("hypot-slope-mirror: 1/hypot(x, y) - y/hypot(x, y)*(y/hypot(x, y)/hypot(x, y)) => x/hypot(x, y)*(x/hypot((-x), y)/hypot(x, y))", EVEN),
    ("hypot-slope-mirror: 1/hypot(x, y) - y/hypot(x, y)*(y/hypot(x, y)/hypot(x, y)) => x/hypot(x, y)*(x/hypot(x, (-y))/hypot(x, y))", EVEN),
    ("hypot-slope-mirror: 1/hypot(x, y) - y/hypot(x, y)*(y/hypot(x, y)/hypot(x, y)) => x/hypot(x, y)*(x/hypot(x, y)/hypot((-x), y))", EVEN),
    ("hypot-slope-mirror: 1/hypot(x, y) - y/hypot(x, y)*(y/hypot(x, y)/hypot(x, y)) => x/hypot(x, y)*(x/hypot(x, y)/hypot(x, (-y)))", EVEN),
];

fn is_equivalent(what: &str) -> bool {
    EQUIVALENT.iter().any(|(fault, _)| what == *fault)
}

/// Words and signs of a rule's text, and what stands for them in a fault.
#[rustfmt::skip]
const WORDS: &[(&str, &[&str])] = &[
    ("+", &["-"]), ("-", &["+"]), ("*", &["/", "+"]), ("/", &["*"]),
    ("0", &["1"]), ("1", &["2", "0"]), ("2", &["3", "1"]), ("3", &["2"]),
    ("x", &["(-x)", "y"]), ("y", &["(-y)", "x"]), ("a", &["(-a)", "(2*a)"]), ("b", &["d"]), ("c", &["b"]), ("d", &["a"]),
    ("sin", &["cos"]), ("cos", &["sin"]), ("tan", &["cot"]), ("cot", &["tan"]), ("sec", &["csc"]), ("csc", &["sec"]),
    ("sinh", &["cosh"]), ("cosh", &["sinh"]), ("tanh", &["coth"]), ("coth", &["tanh"]), ("sech", &["csch"]),
    ("exp", &["expm1"]), ("expm1", &["exp"]), ("log", &["log1p"]), ("log1p", &["log"]), ("log1mexp", &["log"]),
    ("sqrt", &["cbrt"]), ("abs", &["relu"]), ("relu", &["abs"]), ("sign", &["tanh"]), ("max", &["min"]), ("min", &["max"]),
    ("sigmoid", &["tanh"]), ("log_sigmoid", &["softplus"]), ("softplus", &["log_sigmoid"]), ("logaddexp", &["hypot"]),
    ("hypot", &["max"]), ("erf", &["erfc"]), ("erfc", &["erf"]), ("floor", &["ceil"]), ("ceil", &["floor"]), ("round", &["floor"]),
];

/// A text with one of its words replaced, in every way.
fn changed(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len()).max(1);
        let word = &rest[..length];
        let others = WORDS.iter().find(|(w, _)| *w == word).map_or(&[][..], |(_, others)| others);
        all.extend(others.iter().map(|other| format!("{}{other}{}", &text[..at], &rest[length..])));
        at += length;
    }
    all
}

/// Points at which a faulty rule is looked at before it counts as missed.
const POINTS: usize = 1_500;

fn is_caught(sides: &Sides) -> bool {
    let at = points(sides.letters(), POINTS, &mut Random::new(11));
    at.iter().any(|x| sides.fault_at(x).is_some())
}

/// Rules whose right side says something else.
pub fn rule_texts() -> Kind {
    let mut kind = Kind { name: "rewrite, other text", ..Kind::default() };
    for rule in RULES.iter().chain(STRUCTURE) {
        let Rule { name, left, right, soundness, purpose, .. } = *rule;
        let (condition, exact) = parts(soundness);
        let computes = purpose != Some(symdiff::Purpose::Read);
        for text in changed(right) {
            // What cannot be read is refused when the list is.
            let caught =
                Sides::of(name, left, &text, condition, exact, computes).is_none_or(|s| is_caught(&s));
            kind.count(format!("{name}: {left} => {text}"), caught);
        }
    }
    kind
}

fn parts(soundness: Soundness) -> (Option<&'static str>, bool) {
    match soundness {
        Soundness::Given(text) => (Some(text), false),
        other => (None, other == Soundness::Exactly),
    }
}

/// Rules whose condition is weaker, or gone, or whose class promises more.
pub fn rule_conditions() -> Kind {
    let mut kind = Kind { name: "rewrite, other condition or class", ..Kind::default() };
    for rule in RULES.iter().chain(STRUCTURE) {
        let Rule { name, left, right, soundness, purpose, .. } = *rule;
        let computes = purpose != Some(symdiff::Purpose::Read);
        let weaker: Vec<(Option<String>, bool)> = match soundness {
            Soundness::Given(text) => {
                let turned = if text.contains('>') { text.replace('>', "<") } else { text.replace('<', ">") };
                let mut all = vec![(None, false)];
                if turned != text {
                    all.push((Some(turned), false));
                }
                all
            }
            Soundness::OverReals => vec![(None, true)],
            Soundness::Exactly => Vec::new(),
        };
        for (condition, exact) in weaker {
            let sides = Sides::of(name, left, right, condition.as_deref(), exact, computes);
            let class = if exact { "exactly".to_owned() } else { format!("{condition:?}") };
            kind.count(
                format!("{name}: {left} => {right} given {class}"),
                sides.is_none_or(|s| is_caught(&s)),
            );
        }
    }
    kind
}

/// Partials of which one operation is done wrong, or of which one is missing or another operand's.
pub fn partials() -> Kind {
    let mut kind = Kind { name: "partial", ..Kind::default() };
    for &op in Elementwise::ALL {
        let sites = scalar::sites(op);
        for (site, change) in sites {
            let wrong = |i: usize, x: &[f64], y: f64| scalar::partial(op, i, x, y, site, change);
            kind.count(
                format!("{}: operation {site:?} {change:?}", op.name()),
                !faults(op, &wrong).is_empty(),
            );
        }
        for i in (0..op.arity()).filter(|&i| op.has_partial(i)) {
            let missing = |k: usize, x: &[f64], y: f64| if k == i { None } else { op.partial(k, x, y) };
            kind.count(format!("{}: no partial {i}", op.name()), !faults(op, &missing).is_empty());
            let other = (i + 1) % op.arity();
            let turned = |k: usize, x: &[f64], y: f64| op.partial(if k == i { other } else { k }, x, y);
            if other != i {
                kind.count(
                    format!("{}: partial {i} is that of {other}", op.name()),
                    !faults(op, &turned).is_empty(),
                );
            }
        }
    }
    kind
}

/// Rows that claim another course, interval, kink or symmetry.
pub fn claims() -> Kind {
    let mut kind = Kind { name: "claim of a row", ..Kind::default() };
    for &op in Elementwise::ALL.iter().filter(|op| op.arity() > 0) {
        for (what, claims) in false_rows(op) {
            kind.count(format!("{}: {what}", op.name()), !false_claims(op, claims).is_empty());
        }
    }
    kind
}

fn false_rows(op: Elementwise) -> Vec<(String, Claims)> {
    let row = Claims::of(op);
    let mut all = Vec::new();
    if op.arity() == 1 {
        let courses = [Course::Rising, Course::Falling, Course::Bowl, Course::Hill];
        let others = courses.into_iter().filter(|c| *c != row.course);
        all.extend(others.map(|course| (format!("{course:?}"), Claims { course, ..row })));
        // A symmetry that is not mentioned is no lie.
        all.extend((!row.odd).then(|| ("odd".to_owned(), Claims { odd: true, ..row })));
        all.extend((!row.even).then(|| ("even".to_owned(), Claims { even: true, ..row })));
        let kinks = [Kink::AtZero(-1.0, 1.0), Kink::AtZero(0.0, 1.0), Kink::Jump, Kink::Smooth];
        let others = kinks.into_iter().filter(|k| *k != row.kink);
        all.extend(others.map(|kink| (format!("{kink:?}"), Claims { kink, ..row })));
    }
    if op.arity() == 2 && !row.commutative {
        all.push(("commutative".to_owned(), Claims { commutative: true, ..row }));
    }
    let narrower = [Interval::POSITIVE, Interval::NEGATIVE, Interval::within(-0.5, 0.5)];
    let others = narrower.into_iter().filter(|range| !row.range.is_in(*range));
    all.extend(others.map(|range| (format!("{range:?}"), Claims { range, ..row })));
    all
}

/// All kinds of faults that are seeded without building anything again.
pub fn seed() -> Vec<Kind> {
    vec![rule_texts(), rule_conditions(), partials(), claims()]
}

/// Seeds every fault; one that no check catches and no reason excuses is a failure. One tally a kind.
pub fn measure(_cases: usize, _seed: u64) -> Vec<(&'static str, Tally)> {
    let mut all = Vec::new();
    for Kind { name, caught, equivalent, missed, .. } in seed() {
        let mut tally = Tally::default();
        (0..caught + equivalent).for_each(|_| tally.pass());
        missed.into_iter().for_each(|missed| tally.fail(|| missed));
        tally.note(equivalent as f64, || "faults that change nothing".to_owned());
        all.push((name, tally));
    }
    all
}

#[test]
fn every_seeded_fault_is_caught() {
    let kinds = measure(0, 0);
    let missed: Vec<String> = kinds.iter().flat_map(|(_, tally)| tally.failures.clone()).collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    assert!(kinds.iter().map(|(_, tally)| tally.cases).sum::<usize>() >= 200);
    let equivalent: f64 = kinds.iter().map(|(_, tally)| tally.worst).sum();
    assert_eq!(equivalent as usize, EQUIVALENT.len(), "the list of equivalent faults has idle entries");
}

/// The scalar with which partials are computed wrongly computes them rightly when nothing is changed.
#[test]
fn a_scalar_without_a_fault_computes_the_table() {
    for &op in Elementwise::ALL {
        let x: Vec<f64> = (0..op.arity()).map(|i| 0.3 + i as f64).collect();
        let y = op.value(&mut symdiff::elementary::Plain, &x);
        for i in 0..op.arity() {
            let same = scalar::partial(op, i, &x, y, (usize::MAX, 0), scalar::Change::First);
            let bits = |p: Option<f64>| p.map(f64::to_bits);
            assert_eq!(bits(same), bits(op.partial(i, &x, y)), "{}", op.name());
        }
    }
}
