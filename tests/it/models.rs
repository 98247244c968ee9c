//! Models made in code: the same as those of a text, and their faults in words.

use symdiff::data::Array;
use symdiff::elaborate::program::{Init, ModelBuilder};
use symdiff::train::{Predictor, Program, Training, TrainingOptions};
use symdiff::{Limits, Real, Scalar};

const SETTINGS: &str = "train { optimizer = adam(lr = 0.1), steps = 40, batch = 2, seed = 5 }";

fn neuron() -> ModelBuilder {
    let m = ModelBuilder::new();
    let (x, y) = (m.input("x", &[2]), m.input("y", &[]));
    let w = m.param("w", &[2], Init::Normal { mean: 0.0, std: 1.0 });
    let b = m.param("b", &[], Init::Constant(0.0));
    let p = m.value("p", (m.contract(w, x, 1) + b).sigmoid());
    m.minimize((p - y).square());
    m
}

fn trained(program: &Program) -> Training {
    let xs = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
    let ys = [0.0, 0.0, 0.0, 1.0];
    let arrays = vec![
        Array::new("x", &[4, 2], &xs).expect("the shape fits"),
        Array::new("y", &[4], &ys).expect("the shape fits"),
    ];
    let data = program.prepare_arrays(arrays).expect("the data fits");
    let mut training = Training::of(program, data, &TrainingOptions::default()).expect("it compiles");
    for _ in 0..40 {
        training.step().expect("it steps");
    }
    training
}

#[test]
fn code_and_text_train_to_the_same_bits() {
    let limits = Limits::default();
    let text = format!(
        "input x[2], y\nparam w[2] ~ normal(0, 1), b = 0\np = sigmoid(w · x + b)\nloss = (p - y)^2\n{SETTINGS}"
    );
    let from_text = trained(&Program::read(&text, &limits).expect("it reads"));
    let from_code = trained(&Program::built(&neuron(), SETTINGS, &limits).expect("it builds"));
    assert_eq!(from_text.params().expect("numbers"), from_code.params().expect("numbers"));
}

#[test]
fn weights_of_a_model_made_in_code_are_loaded_in_code() {
    let program = Program::built(&neuron(), SETTINGS, &Limits::default()).expect("it builds");
    let training = trained(&program);
    let saved = training.saved().expect("it saves");
    let error = Predictor::new(&saved, None, &Limits::default()).err().expect("there is no text");
    assert!(error.to_string().contains("made in code"), "{error}");
    assert!(Predictor::of(program.model().clone(), &saved).is_ok());
    let data = training.data().clone();
    let resumed = Training::resumed_of(&program, data.clone(), &saved, &TrainingOptions::default());
    assert_eq!(resumed.expect("it goes on").step_count(), 40);
    let other = Program::built(&neuron(), "train { steps = 7 }", &Limits::default()).expect("it builds");
    assert!(Training::resumed_of(&other, data, &saved, &TrainingOptions::default()).is_err());
}

fn check_fault(build: impl FnOnce(&ModelBuilder), settings: &str, words: &str) {
    let m = ModelBuilder::new();
    build(&m);
    let error = m.build(settings, &Limits::default()).err().unwrap_or_else(|| panic!("no fault: {words}"));
    assert!(error.to_string().contains(words), "{error}\nlacks {words}");
}

#[test]
fn faults_of_models_made_in_code_are_said() {
    check_fault(|_| {}, "", "the model has no objective");
    check_fault(|m| m.minimize(m.variable("z")), "", "`z` is neither an input nor a parameter");
    let twice = |m: &ModelBuilder| {
        m.input("x", &[]);
        m.minimize(m.param("x", &[3], Init::Glorot));
    };
    check_fault(twice, "", "`x` is declared twice");
    check_fault(|m| m.minimize(m.param("w", &[3], Init::Glorot)), "", "an objective is one number");
    let list = |m: &ModelBuilder| m.minimize(m.sum(m.param("w", &[3], Init::List(vec![1.0])), 1));
    check_fault(list, "", "`w` has 3 elements, and 1 values");
    check_fault(|m| m.minimize(m.sum(m.input("x", &[u32::MAX, u32::MAX, 3]), 7)), "", "too large");
    check_fault(|m| m.minimize(m.param("w", &[], Init::Constant(1.0))), "train { setps = 3 }", "setps");
    let settings = "train { steps = 3 }\nminimize 1";
    check_fault(|m| m.minimize(m.param("w", &[], Init::Constant(1.0))), settings, "made in code");
}

/// Trains a program without data to its end; the value of its one parameter.
fn solved(text: &str) -> f64 {
    let program = Program::read(text, &Limits::default()).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let data = program.prepare(None, None).expect("there is no data");
    let mut training = Training::of(&program, data, &TrainingOptions::default()).expect("it compiles");
    training.run(|| false, |_, _| Ok(std::ops::ControlFlow::Continue(()))).expect("it runs");
    training.params().expect("numbers")[0][0]
}

#[test]
fn problems_without_data_are_solved_either_way() {
    let check = |text: &str, expected: f64| {
        let found = solved(text);
        assert!((found - expected).abs() < 1e-6, "{found}, not {expected}: {text}");
    };
    check("param p in [1, 100] = 50\nmaximize (p - 20)*(500 - 4*p)", 72.5);
    check("param p in [1, 60] = 50\nmaximize (p - 20)*(500 - 4*p)", 60.0);
    check("param w = 0\nminimize (w - 3)^2", 3.0);
    // (w - 3)^2 + l2/2*w^2 is least at 6/(2 + l2), by either kind of optimizer.
    check("param w = 0\nminimize (w - 3)^2\ntrain { l2 = 1 }", 2.0);
    check("param w = 0\nmaximize -(w - 3)^2\ntrain { l2 = 1 }", 2.0);
    check("param w = 0\nminimize (w - 3)^2\ntrain { optimizer = gd(lr = 0.1), l2 = 1 }", 2.0);
    check("param w = 0\nmaximize -(w - 3)^2\ntrain { optimizer = gd(lr = 0.1), l2 = 1 }", 2.0);
    check("param w in [0, 2.5] = 0\nmaximize -(w - 3)^2\ntrain { optimizer = gd(lr = 0.1) }", 2.5);
}

#[test]
fn settings_that_make_no_sense_for_a_quasi_newton_method_are_refused() {
    let text = "param w = 0\nminimize (w - 3)^2\ntrain { clip_norm = 1 }";
    let error = Program::read(text, &Limits::default()).expect_err("it is refused");
    assert!(error.to_string().contains("needs no `clip_norm`"), "{error}");
}
