//! Sizes that must stay linear, operations of value and gradient, nodes a derivative adds; and those
//! that must stay as they are: the machine code of wider layers and larger batches.

use crate::objectives::{nested, product_of_sines, rosenbrock};
use crate::threads::made_up;
use symdiff::ir::operation_count;
use symdiff::train::{Training, TrainingOptions};
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

/// Bytes of machine code of a step.
fn step_size(width: usize, batch: usize, examples: usize) -> usize {
    let program = format!(
        "input x[64], class
         logits = x |> dense({width}, relu) |> dense(10)
         loss = cross_entropy(logits, class)
         train {{ optimizer = adam(lr = 1e-3), batch = {batch}, precision = f32 }}"
    );
    let training = Training::new(&program, made_up(examples, 64), &TrainingOptions::default());
    training.expect("the program is right").kernel().code_size()
}

#[test]
fn the_code_of_a_step_does_not_grow_with_widths_batches_and_tables() {
    let small = step_size(64, 64, 100);
    for (width, batch, examples) in [(1024, 64, 100), (64, 1024, 2000), (1024, 512, 2000)] {
        let large = step_size(width, batch, examples);
        // Widths 16 times as large may take other tiles of matrix products, or chunks for threads.
        assert!(2 * large <= 3 * small, "{small} bytes became {large} at width {width}, batch {batch}");
    }
}
