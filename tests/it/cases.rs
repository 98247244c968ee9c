//! Reference cases from other people's tables, against values computed at 40 digits and more.

use serde_json::Value;
use symdiff::{Derivation, Engine, Evaluator, Level, Mode, Purpose, parse_with};

/// Accepted relative error, and the multiple of plain double arithmetic's own error.
const TOLERANCE: f64 = 1e-9;
const SLACK: f64 = 64.0;

struct Case {
    id: String,
    expression: String,
    variables: Vec<String>,
    json: Value,
}

fn cases(file: &str) -> Vec<Case> {
    let path = format!("{}/tests/it/data/cases/{file}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("the cases are in the project");
    let case = |line: &str| {
        let json: Value = serde_json::from_str(line).expect("a case is JSON");
        Case {
            id: json["id"].as_str().expect("an id").to_owned(),
            expression: json["expr"].as_str().expect("an expression").to_owned(),
            variables: serde_json::from_value(json["vars"].clone()).expect("names"),
            json,
        }
    };
    text.lines().map(case).collect()
}

fn numbers(json: &Value) -> Vec<f64> {
    json.as_array().expect("a list").iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
}

/// Value and gradient of a case at all its points.
fn run(case: &Case, mode: Mode, level: Level, engine: Engine) -> Vec<Vec<f64>> {
    let f = parse_with(&case.expression, &case.variables).unwrap_or_else(|e| panic!("{}: {e}", case.id));
    let derivation = Derivation { mode, level, purpose: Purpose::Compute, ..Derivation::default() };
    let both = derivation.value_and_gradient(&f).unwrap_or_else(|e| panic!("{}: {e}", case.id));
    let evaluator = Evaluator::new(&both, engine, level).unwrap_or_else(|e| panic!("{}: {e}", case.id));
    let at = |point: &Value| {
        let mut out = vec![0.0; evaluator.output_size()];
        evaluator.call(&numbers(point), &mut out).expect("the lengths agree");
        out
    };
    case.json["points"].as_array().expect("points").iter().map(at).collect()
}

fn check(file: &str, mode: Mode, level: Level, engine: Engine) {
    for case in cases(file) {
        let values = numbers(&case.json["value"]);
        for (k, found) in run(&case, mode, level, engine).iter().enumerate() {
            let allowed = |name: &str| TOLERANCE.max(SLACK * case.json[name][k].as_f64().unwrap_or(0.0));
            let context = || format!("{} at {}: {found:?}", case.id, case.json["points"][k]);
            let error = (found[0] - values[k]).abs() / values[k].abs().max(1e-300);
            assert!(error <= allowed("naive_v"), "{}, the value is {}", context(), values[k]);
            let gradient = numbers(&case.json["grad"][k]);
            let largest = gradient.iter().fold(0.0f64, |m, g| m.max(g.abs()));
            for (a, b) in found[1..].iter().zip(&gradient) {
                let error = (a - b).abs() / b.abs().max(1e-6 * largest).max(1e-300);
                assert!(error <= allowed("naive_g"), "{}, the gradient is {gradient:?}", context());
            }
        }
    }
}

#[test]
fn physics_is_right_on_every_path() {
    check("feynman", Mode::Reverse, Level::Fast, Engine::Jit);
    check("feynman", Mode::Forward, Level::None, Engine::Interpreter);
}

#[test]
fn functions_are_right_at_extreme_points() {
    check("functable", Mode::Reverse, Level::Fast, Engine::Jit);
    check("functable", Mode::Forward, Level::Full, Engine::Jit);
    check("functable", Mode::Reverse, Level::None, Engine::Jit);
}

#[test]
fn undefined_stays_undefined() {
    for case in cases("functable_undef") {
        for level in [Level::None, Level::Fast, Level::Full] {
            for (k, found) in run(&case, Mode::Reverse, level, Engine::Jit).iter().enumerate() {
                assert!(!found[0].is_finite(), "{} at {}: {}", case.id, case.json["points"][k], found[0]);
            }
        }
    }
}
