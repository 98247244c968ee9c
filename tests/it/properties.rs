//! Random expressions: whatever is written, all the ways through the house agree.
//!
//! proptest shrinks a failure to a small expression and prints its seed.

use proptest::prelude::*;
use symdiff::{Derivation, Engine, Evaluator, Function, Level, Mode, Purpose, parse_with, simplify};

const NAMES: [&str; 2] = ["x", "y"];

/// Ordinary points, and ones on edges of domains and kinks.
const POINTS: [[f64; 2]; 7] =
    [[0.7, 1.3], [2.1, 0.4], [-0.6, 1.9], [-1.7, -0.8], [0.0, 1.0], [1.0, -2.0], [3.5, 0.0]];

/// Text of expressions in x and y, of every kind the language has.
fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => Just("x".to_owned()),
        3 => Just("y".to_owned()),
        2 => (1i32..9).prop_map(|n| n.to_string()),
        1 => (1i32..99).prop_map(|n| format!("{}.{}", n / 10, n % 10)),
        1 => Just("pi".to_owned()),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let functions = prop::sample::select(vec![
            "sin",
            "cos",
            "tan",
            "exp",
            "log",
            "sqrt",
            "cbrt",
            "tanh",
            "sinh",
            "cosh",
            "atan",
            "asin",
            "acos",
            "abs",
            "sigmoid",
            "softplus",
            "relu",
            "erf",
            "erfc",
            "log1p",
            "expm1",
            "asinh",
            "acosh",
            "atanh",
            "sech",
            "sign",
            "gelu",
            "log_sigmoid",
            "exp2",
            "log2",
        ]);
        let binary = prop::sample::select(vec!["+", "-", "*", "/"]);
        let pairs = prop::sample::select(vec!["max", "min", "hypot", "atan2", "logaddexp"]);
        prop_oneof![
            5 => (inner.clone(), binary, inner.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            4 => (functions, inner.clone()).prop_map(|(f, a)| format!("{f}({a})")),
            2 => (inner.clone(), -3i32..5).prop_map(|(a, n)| format!("({a})^({n})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})^({b})")),
            1 => (pairs, inner.clone(), inner.clone()).prop_map(|(f, a, b)| format!("{f}({a}, {b})")),
            1 => (inner.clone(), inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c, d)| format!("if({a} < {b}, {c}, {d})")),
            1 => inner.prop_map(|a| format!("-({a})")),
        ]
    })
}

fn read(text: &str) -> Function {
    parse_with(text, &NAMES).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn run(f: &Function, engine: Engine, level: Level, point: &[f64]) -> Vec<f64> {
    let evaluator = Evaluator::new(f, engine, level).unwrap_or_else(|e| panic!("{e}"));
    let mut out = vec![0.0; evaluator.output_size()];
    evaluator.call(point, &mut out).expect("the lengths agree");
    out
}

fn gradient(f: &Function, mode: Mode, level: Level) -> Function {
    let derivation = Derivation { mode, level, purpose: Purpose::Compute, ..Derivation::default() };
    derivation.value_and_gradient(f).expect("a small derivative")
}

/// How far rounding may carry a computation whose intermediate results reach `size`.
fn agree(a: f64, b: f64, condition: f64) -> bool {
    a == b || (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs())) * condition
}

/// The relative change of the outputs for input changes of a few ulps: where this is large, two
/// correct evaluations may differ.
fn sensitivity(f: &Function, point: &[f64], i: usize) -> f64 {
    let base = run(f, Engine::Interpreter, Level::None, point)[i];
    let nudged = |k: usize, s: f64| {
        let mut p = point.to_vec();
        p[k] += s * 1e-10 * p[k].abs().max(1e-3);
        run(f, Engine::Interpreter, Level::None, &p)[i]
    };
    let change = (0..point.len()).flat_map(|k| [nudged(k, 1.0), nudged(k, -1.0)]);
    let worst = change.map(|v| (v - base).abs()).fold(0.0, f64::max);
    1.0 + 1e6 * worst / (1.0 + base.abs())
}

fn config() -> ProptestConfig {
    let cases = crate::samples::cases(60) as u32;
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Words the language knows, in any order.
fn soup() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "x", "y", "xy", "f", "sin", "log", "max", "if", "pi", "e", "1", "2.5", "1e3", "0", "(", ")", "[",
        "]", "|", "+", "-", "*", "/", "^", "=", "<", ">=", ",", ";", "\n", "'", "@", "·", "²", "√", "d/dx",
        " ", "gamma", "x[0]", "!", ".",
    ]);
    prop::collection::vec(words, 0..25).prop_map(|words| words.concat())
}

/// The whole way, whatever comes: a typed error or a result, never a panic.
fn go_all_the_way(text: &[u8]) {
    let Ok(read) = symdiff::read(text, None, &symdiff::Limits::default()) else { return };
    let Ok(both) = Derivation::default().jacobian(&read.function) else { return };
    let printed = simplify(&both, Level::Full, Purpose::Read).to_string();
    assert!(!printed.is_empty() || both.outputs().is_empty());
    let point = vec![0.5; both.input_size()];
    if let Ok(evaluator) = Evaluator::new(&both, Engine::Jit, Level::Fast) {
        let mut out = vec![0.0; evaluator.output_size()];
        evaluator.call(&point, &mut out).expect("the lengths agree");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20 * config().cases, ..config() })]

    #[test]
    fn token_soup_never_panics(text in soup()) {
        go_all_the_way(text.as_bytes());
    }

    #[test]
    fn bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        go_all_the_way(&bytes);
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn printing_and_reading_come_back_to_the_same_values(text in expressions()) {
        let f = read(&text);
        let again = read(&f.to_string());
        for point in POINTS {
            let a = run(&f, Engine::Interpreter, Level::None, &point)[0];
            let b = run(&again, Engine::Interpreter, Level::None, &point)[0];
            let same = a.is_nan() && b.is_nan() || agree(a, b, sensitivity(&f, &point, 0));
            prop_assert!(same, "{} printed as {f}: {a} became {b} at {point:?}", text);
        }
    }

    #[test]
    fn jit_and_interpreter_give_the_same_bits(text in expressions()) {
        let f = read(&text);
        for level in [Level::None, Level::Fast] {
            let both = gradient(&f, Mode::Reverse, level);
            for point in POINTS {
                let a = run(&both, Engine::Jit, level, &point);
                let b = run(&both, Engine::Interpreter, level, &point);
                let same = a.iter().zip(&b).all(|(x, y)| x.to_bits() == y.to_bits() || x.is_nan() && y.is_nan());
                prop_assert!(same, "{text} at {point:?}: {a:?} and {b:?}");
            }
        }
    }

    #[test]
    fn forward_and_reverse_agree(text in expressions()) {
        let f = read(&text);
        let (reverse, forward) = (gradient(&f, Mode::Reverse, Level::None), gradient(&f, Mode::Forward, Level::None));
        for point in POINTS {
            let a = run(&reverse, Engine::Interpreter, Level::None, &point);
            let b = run(&forward, Engine::Interpreter, Level::None, &point);
            for i in 0..a.len() {
                // One mode may meet 0·∞ where the other does not.
                if a[i].is_finite() && b[i].is_finite() {
                    let condition = sensitivity(&reverse, &point, i);
                    prop_assert!(agree(a[i], b[i], condition), "{text} at {point:?}: {a:?} and {b:?}");
                }
            }
        }
    }

    #[test]
    fn simplification_keeps_value_and_undefinedness(text in expressions()) {
        let f = read(&text);
        for purpose in [Purpose::Read, Purpose::Both, Purpose::Compute] {
            for level in [Level::Fast, Level::Full] {
                let simple = simplify(&f, level, purpose);
                for point in POINTS {
                    let a = run(&f, Engine::Interpreter, Level::None, &point)[0];
                    let b = run(&simple, Engine::Interpreter, Level::None, &point)[0];
                    if a.is_finite() {
                        let condition = sensitivity(&f, &point, 0);
                        prop_assert!(agree(a, b, condition), "{text} at {point:?}: {a} became {b} ({simple})");
                    } else if a.is_nan() && !overflows(&f, &point) {
                        prop_assert!(!b.is_finite(), "{text} at {point:?}: undefined became {b} ({simple})");
                    }
                }
            }
        }
    }

    #[test]
    fn gradients_agree_with_differences(text in expressions()) {
        let f = read(&text);
        let both = gradient(&f, Mode::Reverse, Level::Fast);
        let plain = gradient(&f, Mode::Forward, Level::None);
        let value = |p: &[f64]| run(&f, Engine::Interpreter, Level::None, p)[0];
        for point in [POINTS[0], POINTS[1]] {
            let found = run(&both, Engine::Jit, Level::Fast, &point);
            for k in 0..2 {
                let slope = |h: f64| {
                    let (mut up, mut down) = (point, point);
                    up[k] += h;
                    down[k] -= h;
                    (value(&up) - value(&down)) / (up[k] - down[k])
                };
                let (coarse, fine, finest) = (slope(4e-4), slope(2e-4), slope(1e-4));
                let (first, second) = ((4.0 * fine - coarse) / 3.0, (4.0 * finest - fine) / 3.0);
                // Only where differences themselves have settled; near kinks and poles they do not.
                let settled = (first - second).abs() <= 1e-7 * (1.0 + second.abs());
                // NaN^0 is 1 by IEEE 754, and has no derivative.
                let undefined = intermediates(&f, &point).iter().any(|v| v.is_nan());
                // Known: the chain rule itself may meet 0·∞ (d/db 0^b, asin(x/x)), in every mode and
                // form. A NaN is excused only where the plainest form has it too.
                let excused = found[1 + k].is_nan() && run(&plain, Engine::Interpreter, Level::None, &point)[1 + k].is_nan();
                if settled && !undefined && !excused && second.abs() < 1e6 && found[0].abs() < 1e6 {
                    let error = (found[1 + k] - second).abs() / (1.0 + second.abs());
                    prop_assert!(error < 1e-4, "∂/∂{} of {text} at {point:?}: {} and {second}", NAMES[k], found[1 + k]);
                }
            }
        }
    }
}

/// Every intermediate result of the function as written.
fn intermediates(f: &Function, point: &[f64]) -> Vec<f64> {
    let is_number = |&id: &symdiff::ir::Id| f.graph().ty(id).dtype == symdiff::ir::DType::F64;
    let all: Vec<_> = symdiff::ir::reachable(f.graph(), f.outputs()).into_iter().filter(is_number).collect();
    symdiff::ir::eval::evaluate(f.graph(), f.inputs(), &all, point)
}

/// True when some intermediate result is infinite: NaN then comes from overflow (∞ − ∞), which
/// a stable form may rightly avoid.
fn overflows(f: &Function, point: &[f64]) -> bool {
    intermediates(f, point).iter().any(|v| v.is_infinite())
}
