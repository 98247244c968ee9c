//! Facts of sign, interval and definedness: what the simplifier may use holds of every value, and
//! what follows from it is found.
//!
//! Facts are over the reals: `exp(x) > 0` is one although `exp(-800)` is computed as 0, and
//! `tanh(x) < 1` although `tanh(20)` rounds to 1. Held against values, they are compared with
//! intervals around the true ones.

use crate::samples::{Random, expression, points};
use crate::tally::Tally;
use symdiff::ir::{Elementwise, Enclosed, Interval, Truth};
use symdiff::simplify::{Facts, Sign};
use symdiff::{Function, Level, Limits, Purpose, condition, parse, parse_with, simplify};

#[track_caller]
fn check(text: &str, assumed: &str, expected: &str) {
    let mut f = parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    condition(&mut f, assumed, &Limits::default()).unwrap_or_else(|e| panic!("{assumed}: {e}"));
    assert_eq!(simplify(&f, Level::Fast, Purpose::Read).to_string(), expected, "{text} where {assumed}");
}

#[test]
fn ranges_of_functions_are_facts() {
    let check = |text, expected| check(text, "x != -1000000", expected);
    check("abs(x^2)", "x^2");
    check("abs(1 + x^2)", "x^2 + 1");
    check("abs(exp(x) + x^4)", "x^4 + exp(x)");
    check("abs(2 - sin(x))", "2 - sin(x)");
    check("abs(sin(x) - 3)", "3 - sin(x)");
    check("abs(1 - tanh(x))", "1 - tanh(x)");
    check("abs(sigmoid(x) - 1)", "1 - sigmoid(x)");
    check("max(exp(x), -1)", "exp(x)");
    check("max(-1, exp(x))", "exp(x)");
    check("min(cos(x), 2)", "cos(x)");
    check("max(abs(x) + 3, 2*sin(x))", "abs(x) + 3");
    check("relu(cosh(x) - 1)", "cosh(x) - 1");
    check("sign(sqrt(x^2 + 1))", "1");
    check("(x^2 + 1)/(x^2 + 1)", "1");
    check("sqrt(x^2 + 1)/sqrt(x^2 + 1)", "1");
    check("sqrt(exp(x))^2", "exp(x)");
    check("asin(sin(x)/2) - asin(sin(x)/2)", "0");
    check("log(1 + exp(x) + x^2) - log(1 + exp(x) + x^2)", "0");
}

#[test]
fn comparisons_that_are_known_are_decided() {
    let check = |text, expected| check(text, "x != -1000000", expected);
    check("if(1 + x^2 > 0, x, y)", "x");
    check("if(1 + x^2 < 1, x, y)", "y");
    check("if(exp(x) > -1, x, y)", "x");
    check("if(sin(x) <= 1, x, y)", "x");
    check("if(cosh(x) == 0, x, y)", "y");
    check("if(tanh(x) != 2, x, y)", "x");
    check("if(sigmoid(x) < softplus(y) + 1, x, y)", "x");
    check("if(x^2 < 1, x, y)", "if(x^2 < 1, x, y)");
    check("if(log(x) < log(x), x, y)", "if(log(x) < log(x), x, y)");
}

#[test]
fn what_may_be_undefined_is_not_decided() {
    let check = |text, expected| check(text, "x != -1000000", expected);
    check("if(exp(log(x)) > -1, x, y)", "if(exp(log(x)) > -1, x, y)");
    check("if(sqrt(x) >= 0, x, y)", "if(sqrt(x) >= 0, x, y)");
    check("max(sqrt(x), -1)", "sqrt(x)");
    check("max(1, cos(log(x)))", "max(1, cos(log(x)))");
}

#[test]
fn declared_ranges_are_facts() {
    check("abs(x)", "x > 0, x < 1", "x");
    check("abs(x - 1)", "x > 0, x < 1", "1 - x");
    check("abs(x*(1 - x))", "x > 0, x < 1", "x*(1 - x)");
    check("max(x, 2)", "x > 0, x < 1", "2");
    check("relu(x - 3)", "x <= 3", "0");
    check("abs(x - 5)", "x >= 1, x <= 5", "5 - x");
    check("sqrt(x - 1)^2", "x >= 1", "x - 1");
    check("(x - 2)/(x - 2)", "x > 2", "1");
    check("atanh(x) - atanh(x)", "x > -1, x < 1", "0");
    check("abs(sin(x))", "x > 0, x < 3", "sin(x)");
    check("abs(log(x))", "x >= 1", "log(x)");
    check("abs(x)", "x == 3", "x");
    check("abs(x - 1)", "0 < x < 1", "1 - x");
    check("abs(x - y)", "0 <= x <= 1 and y>=2", "y - x");
    check("abs(x - 5)", "5 >= x ≥ 1", "5 - x");
    check("abs(x)", "x > -1", "abs(x)");
}

/// Facts that simplification may use, held against values: interval, sign and definedness of every
/// node of random expressions, under assumptions that the points satisfy.
pub fn measure(cases: usize, seed: u64) -> Tally {
    let mut tally = Tally::default();
    let mut random = Random::new(seed);
    const ASSUMED: [(&str, f64, f64); 6] = [
        ("x > 0", 0.0, f64::INFINITY),
        ("x >= 1", 1.0, f64::INFINITY),
        ("x < -2", f64::NEG_INFINITY, -2.0),
        ("x > 0, x < 1", 0.0, 1.0),
        ("x >= -1, x <= 1", -1.0, 1.0),
        ("x != 0", f64::NEG_INFINITY, f64::INFINITY),
    ];
    for _ in 0..cases {
        let depth = 1 + random.below(5);
        let text = expression(&mut random, depth, &mut Vec::new());
        let (assumed, low, high) = random.pick(&ASSUMED);
        let mut f = parse_with(&text, &["x", "y"]).unwrap_or_else(|e| panic!("{text}: {e}"));
        condition(&mut f, assumed, &Limits::default()).expect("a condition");
        let holds = |x: f64| x.is_finite() && x != 0.0 && x > low && x < high;
        let inside = points(2, 60, &mut random).into_iter().filter(|p| holds(p[0]) && p[1].is_finite());
        tally.add(facts_hold(&text, assumed, f, inside.collect()));
    }
    tally
}

fn facts_hold(text: &str, assumed: &str, f: Function, at: Vec<Vec<f64>>) -> Tally {
    let mut tally = Tally::default();
    let mut graph = f.graph().clone();
    let facts = Facts::given(&mut graph, f.assumptions());
    let enclosed = Enclosed::new(f).expect("numbers only");
    for x in &at {
        for (id, value) in enclosed.nodes_at(x) {
            let (sign, values) = (facts.sign(&graph, id), facts.interval(&graph, id));
            let fault = match value.truth {
                Truth::Real(truth) if truth.meet(values).is_empty() => Some("its value lies elsewhere"),
                Truth::Real(truth) if !allows(sign, truth) => Some("its sign is another"),
                Truth::Undefined if facts.is_defined(&graph, id) => Some("it is undefined"),
                _ => None,
            };
            tally.check(fault.is_none(), || {
                let what = fault.unwrap_or_default();
                format!("{id} of {text}, {assumed}, at {x:?} is {value:?}, known {sign:?} {values:?}: {what}")
            });
        }
    }
    tally
}

/// Some number in the interval has this sign.
fn allows(sign: Sign, values: Interval) -> bool {
    let nonzero = values.meet(Interval::POSITIVE).hull(values.meet(Interval::NEGATIVE));
    let left = if sign.has(Sign::NON_ZERO) { nonzero } else { values };
    let left = if sign.has(Sign::NON_NEGATIVE) { left.meet(Interval::NON_NEGATIVE) } else { left };
    !(if sign.has(Sign::NON_POSITIVE) { left.meet(Interval::NON_POSITIVE) } else { left }).is_empty()
}

#[test]
fn every_fact_holds() {
    measure(crate::samples::cases(150), 4).assert_holds();
}

/// The image of random intervals holds the value of every number picked from them.
pub fn measure_images(cases: usize, seed: u64) -> Tally {
    let mut tally = Tally::default();
    let mut random = Random::new(seed);
    for &op in Elementwise::ALL {
        for _ in 0..cases {
            let ends: Vec<(f64, f64)> = (0..op.arity())
                .map(|_| {
                    let (a, b) = (random.number(), random.number());
                    if random.below(4) == 0 { (a, a) } else { (a.min(b), a.max(b)) }
                })
                .collect();
            let operands: Vec<Interval> = ends.iter().map(|&(a, b)| Interval::within(a, b)).collect();
            let image = op.image(&operands);
            for k in 0..4 {
                let pick = |&(a, b): &(f64, f64)| match k {
                    0 => a,
                    1 => b,
                    2 => (a / 2.0 + b / 2.0).clamp(a, b),
                    _ => random.number().clamp(a, b),
                };
                let x: Vec<f64> = ends.iter().map(pick).collect();
                let points: Vec<Interval> = x.iter().map(|&v| Interval::point(v)).collect();
                let y = op.value(&mut symdiff::elementary::Plain, &x);
                // Infinite values are overflow or poles.
                let lies_in = !y.is_finite()
                    || !op.image(&points).values.meet(image.values).is_empty() && near(y, image.values);
                let defined = !image.total || !y.is_nan();
                tally.check(lies_in && defined, || format!("{}({x:?}) is {y}, not in {image:?}", op.name()));
            }
        }
    }
    tally
}

/// In the interval, or rounded to one of its ends.
fn near(y: f64, values: Interval) -> bool {
    let by = 8.0 * f64::EPSILON * y.abs() + 1e-320;
    y + by >= values.low() && y - by <= values.high()
}

#[test]
fn images_hold_their_values() {
    measure_images(crate::samples::cases(300), 5).assert_holds();
}
