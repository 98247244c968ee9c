//! Sizes that must stay linear: operations of value and gradient, nodes a derivative adds.

use symdiff::ir::operation_count;
use symdiff::{Builder, Derivation, Function, Level, Real, Scalar, value_and_grad};

/// ∏ sin(xᵢ xᵢ₊₁) over n variables.
fn product_of_sines(n: usize) -> Function {
    let b = Builder::new();
    let x: Vec<_> = (0..n).map(|i| b.variable(&format!("x{i}"))).collect();
    let factors = x.windows(2).map(|pair| (pair[0] * pair[1]).sin());
    b.function(factors.reduce(|product, s| product * s).unwrap_or_else(|| b.integer(1)))
}

/// f ← sin(f)·x + cos(f)·y, `depth` times.
fn nested(depth: usize) -> Function {
    let b = Builder::new();
    let (x, y) = (b.variable("x"), b.variable("y"));
    b.function((0..depth).fold(x, |f, _| f.sin() * x + f.cos() * y))
}

fn rosenbrock(n: usize) -> Function {
    let b = Builder::new();
    let x: Vec<_> = (0..n).map(|i| b.variable(&format!("x{i}"))).collect();
    let terms = x.windows(2).map(|p| 100.0 * (p[1] - p[0].square()).square() + (1.0 - p[0]).square());
    b.function(terms.reduce(|sum, t| sum + t).unwrap_or_else(|| b.integer(0)))
}

fn operations(f: &Function) -> usize {
    operation_count(f.graph(), f.outputs())
}

#[test]
fn products_of_sines_take_no_more_operations_than_casadi() {
    for (n, casadi) in [(10, 94), (100, 994), (1000, 9994)] {
        let both = value_and_grad(&product_of_sines(n)).expect("it derives");
        assert!(operations(&both) <= casadi, "n = {n}: {} operations, CasADi {casadi}", operations(&both));
    }
}

#[test]
fn nested_sines_take_no_more_operations_than_casadi() {
    let both = value_and_grad(&nested(1000)).expect("it derives");
    assert!(operations(&both) <= 13_995, "{} operations", operations(&both));
}

#[test]
fn a_gradient_adds_at_most_four_times_the_primal() {
    for f in [product_of_sines(500), nested(500), rosenbrock(500)] {
        let raw = Derivation { level: Level::None, ..Derivation::default() };
        let both = raw.value_and_gradient(&f).expect("it derives");
        let (before, after) = (operations(&f), operations(&both));
        assert!(after - before <= 4 * before, "{before} operations became {after}");
    }
}

#[test]
fn long_and_deep_expressions_are_derived_without_recursion() {
    let both = value_and_grad(&nested(20_000)).expect("it derives");
    assert_eq!(both.outputs().len(), 3);
    assert!(both.to_string().len() < 60 * operations(&both), "the text grew faster than the graph");
}
