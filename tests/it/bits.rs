//! `check --accuracy`: the bits that are right, and the operation that lost the others.

use crate::cli::transcript;
use symdiff::precise::{Precise, accuracy};
use symdiff::{Derivation, Level, parse};

/// How many bits of a text's value are right at a point, as written, and the operation that is blamed.
#[track_caller]
fn check(text: &str, at: &[f64], bits: std::ops::Range<f64>, blamed: Option<&str>) {
    let precise = Precise::new(&parse(text).expect("it reads"));
    let found = accuracy(&precise, at).remove(0);
    let right = found.bits.expect("there is a value");
    assert!(bits.contains(&right), "{text} at {at:?}: {right} bits");
    let operation = |node| precise.function().clone().with_outputs(vec![node]).to_string();
    let named = found.loss.map(|loss| operation(loss.node));
    assert_eq!(named.as_deref(), blamed, "{text} at {at:?}");
}

#[test]
fn the_operation_that_cancels_is_blamed() {
    check("(1 + x) - 1", &[1e-10], 10.0..25.0, Some("1 + x - 1"));
    check("log(exp(x) - 1)", &[1e-12], 8.0..25.0, Some("exp(x) - 1"));
    check("(exp(x) - 1)/x + 5", &[1e-12], 10.0..25.0, Some("exp(x) - 1"));
    check("if(x > 0, 1 - cos(x), x)", &[1e-8], 0.0..3.0, Some("1 - cos(x)"));
}

#[test]
fn the_operation_that_overflows_is_blamed() {
    check("log(exp(x))", &[1000.0], 0.0..0.1, Some("exp(x)"));
    check("sqrt(x^2 + 1)", &[1e200], 0.0..0.1, Some("x^2"));
}

#[test]
fn what_is_right_is_blamed_on_nothing() {
    check("sin(x) + x^3", &[0.7], 50.0..54.0, None);
    check("expm1(x)/x", &[1e-12], 50.0..54.0, None);
}

#[test]
fn derivatives_are_measured_as_well() {
    let derivation = Derivation { level: Level::None, ..Derivation::default() };
    let both = derivation.value_and_gradient(&parse("sin(x)/x").expect("it reads")).expect("it derives");
    let found = accuracy(&Precise::new(&both), &[1e-6]);
    assert!(found[0].bits.is_some_and(|bits| bits > 50.0));
    assert!(found[1].bits.is_some_and(|bits| bits < 20.0) && found[1].is_poor());
}

#[test]
fn the_place_and_another_form_are_shown() {
    let shown = transcript(
        &["check", "sqrt(1 + x^2) - 1", "--at", "x=1e-10", "--accuracy", "--simplify", "none"],
        b"",
    );
    for part in ["0 of 53", "53 bits are lost in `sqrt(1 + x^2) - 1`", "^^^^", "`x*tanh(asinh(x)/2)` keeps"] {
        assert!(shown.contains(part), "{part} is missing:\n{shown}");
    }
}

#[test]
fn the_worst_point_of_a_range_is_shown() {
    let assume = "x>5, x<5.0001, y>5, y<5.0001";
    let shown = transcript(&["check", "log(x) - log(y)", "--accuracy", "--assume", assume], b"");
    assert!(shown.contains("`log(x/y)` is the same"), "{shown}");
}

#[test]
fn json_has_bits_and_the_loss() {
    let shown = transcript(&["check", "(y + x)^7 - y^7", "--at", "x=1e-9,y=1", "--accuracy", "--json"], b"");
    let json: serde_json::Value = serde_json::from_str(shown.lines().next().expect("a line")).expect("JSON");
    assert_eq!(json["schema"], 1);
    assert!(json["results"][0]["bits"].as_f64().is_some_and(|bits| bits < 30.0));
    assert!(json["results"][0]["lost"]["operation"].is_string());
}

#[test]
fn what_cannot_be_measured_is_said() {
    let shown = transcript(&["check", "log(x)", "--at", "x=-1", "--accuracy"], b"");
    assert!(shown.contains("undefined"), "{shown}");
    let shown = transcript(&["check", "xor.sd", "--accuracy"], b"");
    assert!(shown.contains("for expressions"), "{shown}");
}
