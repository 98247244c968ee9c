//! The reference cases by every path: how many values and gradients are right, how many undefined
//! points stay undefined, and how many bits are wrong where plain double arithmetic loses most.
//!
//! What must stay true: the references are those of others, computed at 40 digits and more; only the
//! façade is used.

#![allow(dead_code, reason = "the page, the tests and the scoreboard use different parts")]

use crate::tally::Tally;
use serde_json::Value;
use symdiff::{Derivation, Engine, Evaluator, Level, Mode, Purpose, parse_with};

/// Accepted relative error, and the multiple of plain double arithmetic's own error.
const TOLERANCE: f64 = 1e-9;
const SLACK: f64 = 64.0;

/// One way to compute.
#[derive(Clone, Copy, Debug)]
pub struct Path {
    pub mode: Mode,
    pub level: Level,
    pub engine: Engine,
}

/// Both modes, every level of simplification, both engines.
pub fn paths() -> Vec<Path> {
    let mut paths = Vec::new();
    for mode in [Mode::Reverse, Mode::Forward] {
        for level in [Level::None, Level::Fast, Level::Full] {
            for engine in [Engine::Jit, Engine::Interpreter] {
                paths.push(Path { mode, level, engine });
            }
        }
    }
    paths
}

/// One expression with its points and references.
pub struct Case {
    pub id: String,
    expression: String,
    variables: Vec<String>,
    json: Value,
}

pub fn cases(file: &str) -> Vec<Case> {
    let path = format!("{}/tests/it/data/cases/{file}.jsonl", root());
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

/// The project's folder, from which the scoreboard is run as well.
fn root() -> &'static str {
    let here = env!("CARGO_MANIFEST_DIR");
    here.strip_suffix("/xtask").unwrap_or(here)
}

fn numbers(json: &Value) -> Vec<f64> {
    json.as_array().expect("a list").iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
}

/// Value and gradient of a case at all its points.
fn run(case: &Case, path: Path) -> Vec<Vec<f64>> {
    let Path { mode, level, engine } = path;
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

/// Every `stride`-th case of a file: value and gradient within the tolerance.
pub fn right(file: &str, path: Path, stride: usize) -> Tally {
    let mut tally = Tally::default();
    for case in cases(file).iter().step_by(stride) {
        let values = numbers(&case.json["value"]);
        for (k, found) in run(case, path).iter().enumerate() {
            let allowed = |name: &str| TOLERANCE.max(SLACK * case.json[name][k].as_f64().unwrap_or(0.0));
            let context = || format!("{} {path:?} at {}: {found:?}", case.id, case.json["points"][k]);
            let error = (found[0] - values[k]).abs() / values[k].abs().max(1e-300);
            tally.check(error <= allowed("naive_v"), || format!("{}, the value is {}", context(), values[k]));
            tally.note(error, context);
            let gradient = numbers(&case.json["grad"][k]);
            let largest = gradient.iter().fold(0.0f64, |m, g| m.max(g.abs()));
            for (a, b) in found[1..].iter().zip(&gradient) {
                let error = (a - b).abs() / b.abs().max(1e-6 * largest).max(1e-300);
                let right = error <= allowed("naive_g");
                tally.check(right, || format!("{}, the gradient is {gradient:?}", context()));
            }
        }
    }
    tally
}

/// Every `stride`-th case that is undefined: no finite number comes out.
pub fn honest(path: Path, stride: usize) -> Tally {
    let mut tally = Tally::default();
    for case in cases("functable_undef").iter().step_by(stride) {
        for (k, found) in run(case, path).iter().enumerate() {
            let point = &case.json["points"][k];
            tally.check(!found[0].is_finite(), || format!("{} {path:?} at {point}: {}", case.id, found[0]));
        }
    }
    tally
}

/// Mean bits of error of value and gradient on the hard cases, and those of plain double arithmetic.
pub struct Bits {
    pub value: f64,
    pub gradient: f64,
    pub plain_value: f64,
    pub plain_gradient: f64,
}

pub fn hard(path: Path) -> Bits {
    let ordinal = |x: f64| {
        let bits = x.to_bits() as i64;
        i128::from(if bits < 0 { -(bits & i64::MAX) } else { bits })
    };
    let wrong = |a: f64, b: f64| match a.is_nan() {
        true => 64.0,
        false => ((1.0 + (ordinal(a) - ordinal(b)).unsigned_abs() as f64).log2()).min(64.0),
    };
    let plain = |v: &Value| v.as_f64().map_or(64.0, |e| (1.0 + e * 2_f64.powi(53)).log2().min(64.0));
    let (mut sums, mut points) = ([0.0f64; 4], 0.0);
    for case in cases("functable_hard") {
        let values = numbers(&case.json["value"]);
        for (k, found) in run(&case, path).iter().enumerate() {
            let gradient = numbers(&case.json["grad"][k]);
            let each: f64 = found[1..].iter().zip(&gradient).map(|(a, b)| wrong(*a, *b)).sum();
            sums[0] += wrong(found[0], values[k]);
            sums[1] += each / gradient.len().max(1) as f64;
            sums[2] += plain(&case.json["naive_v"][k]);
            sums[3] += plain(&case.json["naive_g"][k]);
            points += 1.0;
        }
    }
    let [value, gradient, plain_value, plain_gradient] = sums.map(|sum| sum / points);
    Bits { value, gradient, plain_value, plain_gradient }
}

/// All files by all paths; of the many cases every `stride`-th.
pub fn all(paths: &[Path], stride: usize) -> Tally {
    let mut tally = Tally::default();
    for &path in paths {
        tally.add(right("feynman", path, stride));
        tally.add(right("functable", path, stride));
        tally.add(honest(path, stride));
        let bits = hard(path);
        let fewer = bits.value < bits.plain_value && bits.gradient < bits.plain_gradient;
        let words = || format!("hard cases {path:?}: {:.2} and {:.2} bits", bits.value, bits.gradient);
        tally.check(fewer, words);
    }
    tally
}

/// What the scoreboard prints: `cases` of every hundred cases, by all paths.
pub fn measure(cases: usize, _seed: u64) -> Tally {
    all(&paths(), (100 / cases.clamp(1, 100)).max(1))
}
