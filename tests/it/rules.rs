//! The tables test themselves: every op's partials against differences, to second order and in
//! both modes; every rewrite on both its sides, over its domain and its edges.

use symdiff::elementary::Plain;
use symdiff::ir::eval::evaluate;
use symdiff::ir::{Builder, Elementwise, Kink, Real, reachable};
use symdiff::simplify::{RULES, Rule, Soundness};
use symdiff::{Derivation, Engine, Evaluator, Function, Level, Mode, parse_with};

/// Points where ops are smooth, inside most domains.
const INSIDE: [f64; 6] = [0.3, 0.45, 0.7, 1.3, 2.4, 3.6];

fn value(op: Elementwise, x: &[f64]) -> f64 {
    op.value(&mut Plain, x)
}

/// Central differences in the direction of operand `i`, extrapolated once.
fn difference(op: Elementwise, x: &[f64], i: usize) -> f64 {
    let slope = |h: f64| {
        let (mut up, mut down) = (x.to_vec(), x.to_vec());
        up[i] += h;
        down[i] -= h;
        (value(op, &up) - value(op, &down)) / (up[i] - down[i])
    };
    let h = 1e-3;
    (4.0 * slope(h / 2.0) - slope(h)) / 3.0
}

fn points(arity: usize) -> Vec<Vec<f64>> {
    let from = |k: usize| (0..arity).map(|i| INSIDE[(k + 2 * i + 1) % INSIDE.len()]).collect();
    (0..INSIDE.len()).map(from).collect()
}

fn assert_close(actual: f64, expected: f64, tolerance: f64, what: &str) {
    let error = (actual - expected).abs() / expected.abs().max(1.0);
    assert!(error <= tolerance, "{what}: {actual} is not {expected} (error {error:.1e})");
}

#[test]
fn every_partial_agrees_with_differences() {
    for &op in Elementwise::ALL {
        for point in points(op.arity()) {
            let y = value(op, &point);
            // Polygamma's first operand is a whole number, where it has no partial.
            let first = usize::from(op == Elementwise::Polygamma);
            let mut point = point;
            if first == 1 {
                point[0] = 1.0;
            }
            if !y.is_finite() || op.kink() == Kink::Jump {
                continue;
            }
            for i in first..op.arity() {
                let expected = difference(op, &point, i);
                let partial = op.partial(i, &point, value(op, &point));
                if let (Some(partial), true) = (partial, expected.is_finite()) {
                    assert_close(partial, expected, 1e-8, &format!("∂{}/∂{i} at {point:?}", op.name()));
                }
            }
        }
    }
}

/// Runs a function in the interpreter, unsimplified.
fn run(function: &Function, x: &[f64]) -> Vec<f64> {
    let evaluator = Evaluator::new(function, Engine::Interpreter, Level::None).expect("it runs");
    let mut out = vec![0.0; evaluator.output_size()];
    evaluator.call(x, &mut out).expect("the lengths agree");
    out
}

fn as_function(op: Elementwise) -> Function {
    let b = Builder::new();
    let x: Vec<_> = (0..op.arity()).map(|i| b.variable(&format!("x{i}"))).collect();
    b.function(b.elementwise(op, &x))
}

#[test]
fn every_op_differentiates_alike_in_both_modes_and_twice() {
    let smooth =
        |op: &&Elementwise| op.kink() == Kink::Smooth && **op != Elementwise::Polygamma && op.arity() > 0;
    for &op in Elementwise::ALL.iter().filter(smooth) {
        let f = as_function(op);
        let derive = |mode| Derivation { mode, level: Level::None, ..Derivation::default() };
        let reverse = derive(Mode::Reverse).gradient(&f).expect("it derives");
        let forward = derive(Mode::Forward).gradient(&f).expect("it derives");
        let hessian = derive(Mode::Reverse).hessian(&f).expect("it derives");
        for point in points(op.arity()) {
            let (a, b) = (run(&reverse, &point), run(&forward, &point));
            for (x, y) in a.iter().zip(&b).filter(|(x, _)| x.is_finite()) {
                assert_close(*x, *y, 1e-12, &format!("modes on {} at {point:?}", op.name()));
            }
            let second = run(&hessian, &point);
            for i in 0..op.arity() {
                for j in 0..op.arity() {
                    let slope = |h: f64| {
                        let (mut up, mut down) = (point.clone(), point.clone());
                        up[j] += h;
                        down[j] -= h;
                        (run(&reverse, &up)[i] - run(&reverse, &down)[i]) / (up[j] - down[j])
                    };
                    let expected = (4.0 * slope(5e-4) - slope(1e-3)) / 3.0;
                    let found = second[i * op.arity() + j];
                    if expected.is_finite() && found.is_finite() {
                        let scale = expected.abs().max(1.0);
                        assert_close(
                            found / scale,
                            expected / scale,
                            1e-6,
                            &format!("∂²{} at {point:?}", op.name()),
                        );
                    }
                }
            }
        }
    }
}

/// Where both sides of a rule are compared: ordinary numbers, edges of domains, signed zeros.
const ON_RULES: [f64; 21] = [
    -50.0, -7.5, -3.0, -2.0, -1.5, -1.0, -0.7, -0.25, -1e-3, -1e-9, -0.0, 0.0, 1e-9, 1e-3, 0.25, 0.5, 1.0,
    1.7, 3.0, 8.0, 50.0,
];

fn holds(condition: &str, x: f64) -> bool {
    match condition {
        "x > 0" => x > 0.0,
        "x < 0" => x < 0.0,
        "x >= 0" => x >= 0.0,
        "x <= 0" => x <= 0.0,
        "x != 0" => x != 0.0,
        other => panic!("an unknown condition: {other}"),
    }
}

#[test]
fn every_rule_keeps_value_and_undefinedness() {
    for rule in RULES {
        let names: Vec<&str> = ["x", "y", "a"].into_iter().filter(|n| mentions(rule.left, n)).collect();
        let left = parse_with(rule.left, &names).unwrap_or_else(|e| panic!("{}: {e}", rule.name));
        let right = parse_with(rule.right, &names).unwrap_or_else(|e| panic!("{}: {e}", rule.name));
        let all = std::iter::repeat_n(ON_RULES, names.len());
        for point in all.fold(vec![vec![]], |points: Vec<Vec<f64>>, axis| {
            points.iter().flat_map(|p| axis.map(|v| [p.clone(), vec![v]].concat())).collect()
        }) {
            if let Soundness::Given(condition) = rule.soundness
                && !holds(condition, point[0])
            {
                continue;
            }
            let size = largest(&left, &point).max(largest(&right, &point));
            compare(rule, &point, [run(&left, &point)[0], run(&right, &point)[0]], size);
        }
    }
}

fn mentions(text: &str, name: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric()).any(|word| word == name)
}

/// The largest intermediate result: what rounding errors are measured against.
fn largest(f: &Function, point: &[f64]) -> f64 {
    let is_number = |&id: &symdiff::ir::Id| f.graph().ty(id).dtype == symdiff::ir::DType::F64;
    let all: Vec<_> = reachable(f.graph(), f.outputs()).into_iter().filter(is_number).collect();
    evaluate(f.graph(), f.inputs(), &all, point).iter().fold(1.0, |size, v| v.abs().max(size))
}

fn compare(rule: &Rule, point: &[f64], [left, right]: [f64; 2], size: f64) {
    let context = || format!("rule {} at {point:?}: {left} became {right}", rule.name);
    if rule.soundness == Soundness::Exactly {
        assert!(left == right || left.is_nan() && right.is_nan(), "{}", context());
    } else if left.is_finite() {
        let error = (left - right).abs();
        assert!(error <= 1e-13 * size || error <= 1e-8 * left.abs() || size.is_infinite(), "{}", context());
    } else if left.is_nan() {
        // NaN from ∞ − ∞ or ∞/∞ is an overflow of the left side, not undefinedness.
        assert!(!right.is_finite() || size.is_infinite(), "{}", context());
    }
}

#[test]
fn names_of_rules_are_unique() {
    let mut names: Vec<&str> = RULES.iter().map(|r| r.name).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|w| w[0] != w[1]));
}

#[test]
fn the_table_checks_with_plain_numbers() {
    // The trait the partials are written over is implemented by f64 itself.
    let x = 0.5f64;
    assert_close(Real::sigmoid(x), 1.0 / (1.0 + (-0.5f64).exp()), 1e-15, "sigmoid");
}
