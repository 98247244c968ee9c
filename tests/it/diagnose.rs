//! What a diagnosis finds: causes named first, places and numbers, and nothing where nothing is wrong.

pub mod seeded;
mod shell;

use seeded::{AFTERWARDS, DATA, HELD_OUT, OPERATIONS, SETTINGS, STRUCTURE, UNITS};
use seeded::{healthy, named_first, no_false_alarm};
use std::ops::ControlFlow;
use symdiff::Limits;
use symdiff::train::{Cause, Finding, Program, Training, TrainingOptions, diagnose};

#[test]
fn operations_that_fail_are_named_first() {
    named_first(OPERATIONS, 1).assert_holds();
}

#[test]
fn settings_at_fault_are_named_first() {
    named_first(SETTINGS, 1).assert_holds();
}

#[test]
fn data_at_fault_is_named_first() {
    named_first(DATA, 1).assert_holds();
}

#[test]
fn what_a_graph_cannot_do_is_named_first() {
    named_first(STRUCTURE, 1).assert_holds();
}

#[test]
fn units_and_layers_at_fault_are_named_first() {
    named_first(UNITS, 1).assert_holds();
}

#[test]
fn healthy_programs_raise_no_alarm() {
    no_false_alarm(healthy::SMALL, 1).assert_holds();
}

#[test]
fn held_out_faults_are_named_first() {
    named_first(HELD_OUT, 1).assert_holds();
    named_first(AFTERWARDS, 1).assert_holds();
}

/// The findings of a program whose data is in it.
fn found(text: &str) -> Vec<Finding> {
    let program = Program::read(text, &Limits::default()).expect("it reads");
    let prepared = program.prepare(None, None).expect("the data fits");
    diagnose(&program, prepared, &TrainingOptions::default()).expect("it trains").findings
}

/// The data and settings of small nets.
const XOR: &str = "data { x = [[0, 0], [0, 1], [1, 0], [1, 1]], y = [0, 1, 1, 0] }
train { optimizer = gd(lr = 0.5), steps = 300 }";

#[test]
fn the_layer_without_gradient_is_named() {
    let layers = |f: &str| format!("x |> dense(8, {f}){}", format!(" |> dense(8, {f})").repeat(8));
    let sigmoids =
        format!("input x[2], y\nz = {} |> dense(1)\nloss = bce_logits(z[0], y)\n{XOR}", layers("sigmoid"));
    let first = &found(&sigmoids)[0];
    assert_eq!(first.cause, Cause::Vanishing);
    assert!(first.diagnostic.message.contains("that of `dense1.W` is"), "{}", first.diagnostic.message);

    let block = "layer block(h) { h + dense(layernorm(h), 8, sigmoid) }\n";
    let calm = format!("x |> dense(8, sigmoid){}", " |> block".repeat(8));
    let residual = format!("{block}input x[2], y\nz = {calm} |> dense(1)\nloss = bce_logits(z[0], y)\n{XOR}");
    assert!(found(&residual).iter().all(|finding| finding.cause != Cause::Vanishing));
    let relus =
        format!("input x[2], y\nz = {} |> dense(1)\nloss = bce_logits(z[0], y)\n{XOR}", layers("relu"));
    assert!(found(&relus).iter().all(|finding| finding.cause != Cause::Vanishing));
}

#[test]
fn a_sigmoid_layer_leaves_a_quarter_of_the_gradient_at_best() {
    let truths = [(1, 2.5e-1), (2, 6.25e-2), (5, 9.77e-4), (10, 9.54e-7), (20, 9.09e-13), (50, 7.89e-31)];
    for (layers, truth) in truths {
        // Each layer is taken where its sigmoid is steepest.
        let chain =
            |f: &str, shift: &str| (1..layers).fold(format!("{f}(x)"), |h, _| format!("{f}({h}{shift})"));
        let slope = |text: &str, at: f64| {
            let f = symdiff::parse(text).and_then(|f| symdiff::grad(&f)).expect("it has a derivative");
            let mut out = [0.0];
            symdiff::jit(&f).and_then(|kernel| kernel.call(&[at], &mut out)).expect("it runs");
            out[0]
        };
        let found = slope(&chain("sigmoid", " - 1/2"), 0.0);
        assert!((found / truth - 1.0).abs() < 2e-3, "{layers} layers: {found}");
        assert_eq!(slope(&chain("relu", ""), 1.0), 1.0);
    }
}

#[test]
fn dead_units_and_constant_features_are_named_with_their_lines() {
    let text = "input x[3], y
param W[4,3] ~ he, b[4] = -20, v[4] ~ normal(0, 1)
h = relu(W @ x + b)
loss = mse(v·h, y)
data {
    x = [[1, 0, 7], [2, 1, 7], [0, 0.1, 7], [3, 1, 7], [1, 2, 7], [0, 3, 7]]
    y = [0, 0.5, -1, 0.7, 0.2, 1]
}
train { optimizer = adam(lr = 0.01), steps = 50 }";
    let lines: Vec<(Cause, usize)> = found(text)
        .iter()
        .filter_map(|finding| Some((finding.cause, finding.diagnostic.span?.position(text).line)))
        .collect();
    assert!(lines.contains(&(Cause::ConstantFeature, 1)), "{lines:?}");
    assert!(lines.contains(&(Cause::DeadUnits, 3)), "{lines:?}");
    assert!(lines.contains(&(Cause::ZeroGradient, 2)), "{lines:?}");
}

#[test]
fn a_replay_from_saved_weights_finds_the_same() {
    let text = "param w = 3\nminimize w + 0.001*log(w)^2\ntrain { optimizer = gd(lr = 0.23), steps = 60 }";
    let program = Program::read(text, &Limits::default()).expect("it reads");
    let begin = || {
        let prepared = program.prepare(None, None).expect("there is no data");
        Training::of(&program, prepared, &TrainingOptions::default()).expect("it compiles")
    };
    let mut training = begin();
    for _ in 0..6 {
        training.step().expect("it steps");
    }
    let saved = training.saved().expect("it saves");
    let mut training = begin();
    let ending = training.run(|| false, |_, _| Ok(ControlFlow::Continue(()))).expect("it runs");
    let messages = |saved| -> Vec<String> {
        let findings = training.autopsy(&ending, saved).expect("it is replayed");
        findings.iter().map(|finding| finding.diagnostic.message.clone()).collect()
    };
    let (from_start, from_saved) = (messages(None), messages(Some(&saved)));
    assert_eq!(from_start, from_saved);
    assert!(from_start[0].starts_with("log of -0."), "{from_start:?}");
}

#[test]
fn a_fault_in_a_recurrence_names_its_step() {
    let text = "input x[4], y
step(h, v) = log(h - v)
param start = 10
states = scan(step, start, x)
loss = mse(last(states), y)
data { x = [[1, 2, 3, 4], [5, 4, 3, 2]], y = [1, 2] }
train { optimizer = adam(lr = 0.01), steps = 30 }";
    let findings = found(text);
    let first = &findings[0].diagnostic;
    assert_eq!(findings[0].cause, Cause::Undefined);
    assert!(first.message.contains("at step 2 of a scan"), "{}", first.message);
    assert_eq!(first.span.map(|span| span.text(text)), Some("log(h - v)"), "{first:?}");
}

#[test]
fn causes_have_names_of_their_own() {
    let mut names: Vec<&str> = Cause::ALL.iter().map(|cause| cause.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Cause::ALL.len());
}

#[test]
fn the_measurement_counts_every_fault() {
    let faults: usize = seeded::ALL.iter().map(|faults| faults.len()).sum();
    assert!(faults >= 50, "{faults}");
}
