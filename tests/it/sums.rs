//! Objectives that are sums over indices stay loops: one pass for value and gradient, code whose
//! size does not depend on theirs, and the numbers of the graph's interpreter and of differences.

use symdiff::elaborate::program::{Phase, read_program};
use symdiff::ir::eval::evaluate;
use symdiff::loops::tensor::{Step, TensorOptions, build, interpret};
use symdiff::models::{slots, value_and_gradients};
use symdiff::train::{Objective, Options, minimize};
use symdiff::{Derivation, Function, Limits, Mode, ObjectiveKernel, Purpose, objective};

const ROSENBROCK: &str = "param x[N] = 0
    minimize sum[i = 0:N-1] (100*(x[i + 1] - x[i]^2)^2 + (1 - x[i])^2)";

/// Sums with neighbours on both sides, with strides, of transcendental terms, of rows.
const SUMS: &[&str] = &[
    ROSENBROCK,
    "param x[N] = 0
     minimize sum[i = 1:N-1] ((3 - 2*x[i])*x[i] - x[i - 1] - 2*x[i + 1] + 1)^2",
    "dim k = N/2 - 1
     param x[2*k + 2] = 0
     minimize sum[j = 0:k] ((x[2*j] + 10*x[2*j + 1])^2 + 5*(x[2*j + 2] - x[2*j + 3])^2
         + (x[2*j + 1] - 2*x[2*j + 2])^4 + 10*(x[2*j] - x[2*j + 3])^4)",
    "param x[N] = 0
     minimize sum[i = 0:N-2] (exp(x[i] - x[i + 2])*sin(x[i + 1])) + x[0]*x[N - 1]",
    "param x[N, 3] = 0
     minimize sum[i = 0:N-1, j = 0:2] ((x[i + 1, j] - x[i, j + 1])^2*x[i, j])",
    "param x[N] = 0, y[N] = 0
     minimize max[i = 0:N-1] (x[i]*y[i + 1]) + sum[i = 0:N-1] (x[i + 1] - y[i])^2",
];

fn function(text: &str, mode: Mode) -> Function {
    let model = read_program(text, Phase::Predict, &Limits::default()).unwrap_or_else(|e| panic!("{e}"));
    let names: Vec<String> = slots(&model).into_iter().map(|slot| slot.name).collect();
    let derivation = Derivation { mode, purpose: Purpose::Compute, ..Derivation::default() };
    value_and_gradients(&model, &names, &derivation).unwrap_or_else(|e| panic!("{e}"))
}

fn sized(text: &str, n: usize) -> String {
    text.replace('N', &n.to_string())
}

fn compiled(text: &str, n: usize) -> ObjectiveKernel {
    objective(&sized(text, n)).unwrap_or_else(|e| panic!("{text}, N = {n}: {e}"))
}

fn point(size: usize) -> Vec<f64> {
    (0..size).map(|i| ((i * 7919 + 13) % 101) as f64 / 50.5 - 1.0).collect()
}

fn assert_close(actual: f64, expected: f64, rel: f64, abs: f64) {
    assert!((actual - expected).abs() <= abs + rel * expected.abs(), "{actual} and {expected}");
}

/// The kernel, the interpreters of loops and of the graph, forward mode and differences agree.
fn check(text: &str, n: usize) {
    let mut kernel = compiled(text, n);
    let x = point(kernel.dimension());
    let mut gradient = vec![f64::NAN; x.len()];
    let value = kernel.value_and_gradient(&x, &mut gradient);
    let mut made = vec![value];
    made.extend(&gradient);

    let reverse = function(&sized(text, n), Mode::Reverse);
    let program = build(&reverse, &TensorOptions::default()).unwrap_or_else(|e| panic!("{e}"));
    let by_loops = interpret(&program, Default::default(), &x);
    let forward = function(&sized(text, n), Mode::Forward);
    for (what, other) in [
        ("loops", by_loops),
        ("graph", evaluate(reverse.graph(), reverse.inputs(), reverse.outputs(), &x)),
        ("forward", evaluate(forward.graph(), forward.inputs(), forward.outputs(), &x)),
    ] {
        assert_eq!(made.len(), other.len(), "{what}");
        for (at, (&a, b)) in made.iter().zip(other).enumerate() {
            assert!((a - b).abs() <= 1e-11 * (1.0 + b.abs()), "{text}, N = {n}, {what} {at}: {a} and {b}");
        }
    }
    let (h, mut unused) = (1e-6, vec![0.0; x.len()]);
    for at in (0..x.len()).step_by(x.len().div_ceil(7)) {
        let mut at_distance = |by: f64| {
            let mut moved = x.clone();
            moved[at] += by;
            kernel.value_and_gradient(&moved, &mut unused)
        };
        let slope = (at_distance(h) - at_distance(-h)) / (2.0 * h);
        assert_close(gradient[at], slope, 1e-5, 1e-4);
    }
}

#[test]
fn gradients_of_sums_are_right_at_every_size() {
    for text in SUMS {
        for n in [4, 6, 10, 38] {
            check(text, n);
        }
    }
    check(ROSENBROCK, 2);
    check(ROSENBROCK, 3);
    check(ROSENBROCK, 301);
}

#[test]
fn value_and_gradient_are_one_pass_without_arrays_between() {
    let kernel = compiled(ROSENBROCK, 1000);
    let program = kernel.kernel().program();
    let long = program.steps.iter().filter(|step| match step {
        Step::Nest(nest) => nest.loops.iter().any(|l| l.extent > 900),
        _ => true,
    });
    assert_eq!(long.count(), 1, "{program}");
    let large = program.buffers.iter().filter(|buffer| buffer.size > 900).count();
    assert_eq!(large, 2, "the point and its gradient: {program}");
}

#[test]
fn code_does_not_grow_with_a_sum() {
    for text in SUMS {
        // Long loops have a second form: chunks for threads, and the rounds that are left.
        let [small, long, longer] = [1000, 1_000_000, 8_000_000].map(|n| compiled(text, n).code_size());
        assert!(long <= 4 * small, "{text}: {small} and {long} bytes");
        assert!(longer <= long + long / 4, "{text}: {long} and {longer} bytes");
    }
}

#[test]
fn a_long_sum_is_minimised_through_its_kernel() {
    let mut kernel = compiled(ROSENBROCK, 100);
    let report = minimize(&mut kernel, &[0.0; 100], &Options::default()).expect("the start is finite");
    assert!(report.x.iter().all(|x| (x - 1.0).abs() < 1e-5), "{}", report.value);
}

#[test]
fn hessian_products_of_sums_are_slopes_of_gradients() {
    for text in SUMS {
        let mut kernel = compiled(text, 12);
        let x = point(kernel.dimension());
        let v: Vec<f64> = point(x.len()).into_iter().rev().collect();
        let mut product = vec![f64::NAN; x.len()];
        assert!(kernel.hessian_vector(&x, &v, &mut product));
        let mut gradient_at = |by: f64| {
            let moved: Vec<f64> = x.iter().zip(&v).map(|(x, v)| x + by * v).collect();
            let mut gradient = vec![0.0; x.len()];
            kernel.value_and_gradient(&moved, &mut gradient);
            gradient
        };
        let (h, after, before) = (1e-6, gradient_at(1e-6), gradient_at(-1e-6));
        for (at, &made) in product.iter().enumerate() {
            assert_close(made, (after[at] - before[at]) / (2.0 * h), 1e-5, 1e-4);
        }
    }
}
