//! The tables test themselves: every op's derivatives to second order and in both modes. (What a
//! row of the op table says is held against values in `partials`, what a rewrite says in
//! `soundness`.)

use symdiff::ir::{Builder, Elementwise, Kink, Real};
use symdiff::simplify::RULES;
use symdiff::{Derivation, Engine, Evaluator, Function, Level, Mode};

/// Points where ops are smooth, inside most domains.
const INSIDE: [f64; 6] = [0.3, 0.45, 0.7, 1.3, 2.4, 3.6];

fn points(arity: usize) -> Vec<Vec<f64>> {
    let from = |k: usize| (0..arity).map(|i| INSIDE[(k + 2 * i + 1) % INSIDE.len()]).collect();
    (0..INSIDE.len()).map(from).collect()
}

fn assert_close(actual: f64, expected: f64, tolerance: f64, what: &str) {
    let error = (actual - expected).abs() / expected.abs().max(1.0);
    assert!(error <= tolerance, "{what}: {actual} is not {expected} (error {error:.1e})");
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
