//! Sizes that must stay linear: operations of value and gradient, nodes a derivative adds.

use crate::objectives::{nested, product_of_sines, rosenbrock};
use symdiff::ir::operation_count;
use symdiff::{Derivation, Function, Level, value_and_grad};

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
