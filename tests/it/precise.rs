//! High precision against tables computed by others, at 40 digits and more, and against itself:
//! derivatives are what differences of values in high precision say.

use serde_json::Value as Json;
use symdiff::ir::{Builder, Elementwise};
use symdiff::precise::{Precise, Stuck};
use symdiff::{Derivation, Level, parse, parse_with};

/// The name in the table for an op, and the operand that goes before those of the table.
fn named(name: &str) -> (Elementwise, Option<f64>) {
    match name {
        "trigamma" => (Elementwise::Polygamma, Some(1.0)),
        _ => (Elementwise::from_name(name).unwrap_or_else(|| panic!("no op {name}")), None),
    }
}

#[test]
fn every_function_is_that_of_the_table() {
    let number = |bits: &str| f64::from_bits(u64::from_str_radix(bits, 16).expect("bits"));
    let mut worst = 0.0f64;
    for line in include_str!("data/elementary.csv").lines().step_by(7) {
        let fields: Vec<&str> = line.split(',').collect();
        let (op, first) = named(fields[0]);
        let operands: Vec<f64> = first
            .into_iter()
            .chain(fields[1..3].iter().filter(|f| !f.is_empty()).map(|f| number(f)))
            .collect();
        let builder = Builder::new();
        let names = ["a", "b"];
        let inputs: Vec<_> = names[..op.arity()].iter().map(|name| builder.variable(name)).collect();
        let function = builder.function(builder.elementwise(op, &inputs));
        let found = Precise::new(&function).outputs(&operands).remove(0);
        let (nearest, offset) = (number(fields[3]), fields[4].parse::<f64>().expect("a number"));
        let found = found.unwrap_or_else(|stuck| panic!("{line}: {stuck:?}"));
        // The table gives the rest in hundredths of the spacing on its side.
        let size = nearest.abs();
        let outwards = (offset >= 0.0) == (nearest >= 0.0);
        let spacing = if outwards { size.next_up() - size } else { size - size.next_down() };
        let unit = spacing.log2().round() as i64;
        let error = (found.distance(nearest, unit) - offset.abs() / 100.0).abs();
        assert!(error < 0.02, "{line}: {} is off by {error} ulp", found.to_f64());
        worst = worst.max(error);
    }
    assert!(worst > 0.0, "nothing was compared");
}

/// Values of cases against their references of 40 digits.
fn check_cases(file: &str) {
    let path = format!("{}/tests/it/data/cases/{file}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let mut compared = 0;
    for line in std::fs::read_to_string(path).expect("the cases are in the project").lines() {
        let case: Json = serde_json::from_str(line).expect("a case is JSON");
        let text = case["expr"].as_str().expect("an expression");
        let names: Vec<String> = serde_json::from_value(case["vars"].clone()).expect("names");
        let f = parse_with(text, &names).expect("it reads");
        let plain = Derivation { level: Level::None, ..Derivation::default() };
        let precise = Precise::new(&plain.value_and_gradient(&f).expect("it derives"));
        let points = case["points"].as_array().expect("points");
        for (k, point) in points.iter().enumerate().step_by(points.len() / 4 + 1) {
            let point: Vec<f64> = serde_json::from_value(point.clone()).expect("numbers");
            let found = precise.outputs(&point);
            let gradient = case["grad"][k].as_array().expect("a gradient");
            let expected = std::iter::once(&case["value"][k]).chain(gradient);
            for (found, expected) in found.iter().zip(expected) {
                let expected = expected.as_f64().expect("a number");
                // Singular factors that cancel are undefined as written.
                if *found == Err(Stuck::Undefined) {
                    continue;
                }
                let found = found.as_ref().unwrap_or_else(|stuck| panic!("{text} at {point:?}: {stuck:?}"));
                let close = (found.to_f64() - expected).abs() <= 1e-15 * expected.abs();
                assert!(close, "{text} at {point:?}: {}, not {expected}", found.to_f64());
                compared += 1;
            }
        }
    }
    assert!(compared > 50, "{compared} values are too few");
}

#[test]
fn values_and_gradients_are_those_of_40_digits() {
    check_cases("functable");
    check_cases("functable_hard");
}

/// The value, to be compared as text: `undefined` and the like where there is none.
fn check(text: &str, point: &[f64], expected: &str) {
    let f = parse(text).expect("it reads");
    let found = match &Precise::new(&f).outputs(point)[0] {
        Ok(value) => format!("{:e}", value.to_f64()),
        Err(stuck) => format!("{stuck:?}"),
    };
    assert_eq!(found, expected, "{text} at {point:?}");
}

#[test]
fn nothing_overflows_on_the_way() {
    check("log(1 + exp(x))", &[1e300], "1e300");
    check("log(exp(exp(x)))", &[10.0], "2.2026465794806718e4");
    check("(1 + x) - 1", &[1e-300], "1e-300");
    check("(1 + exp(x)) - 1", &[-700.0], "9.85967654375977e-305");
    check("sqrt(x^2 + 1) - x", &[1e150], "5e-151");
    check("log(gamma(x))", &[1e10], "2.2025850928881058e11");
    check("sin(x)", &[1e300], "-8.178819121159085e-1");
}

#[test]
fn what_is_undefined_stays_so() {
    check("log(x)", &[-1.0], "Undefined");
    check("x/x", &[0.0], "Undefined");
    check("if(x > 0, log(x), 0)", &[-1.0], "0e0");
    check("exp(x)", &[f64::NEG_INFINITY], "0e0");
    check("x - x", &[f64::INFINITY], "Undefined");
    check("1/x", &[f64::INFINITY], "0e0");
}
