//! Derivatives as people read them, by topic: one snapshot a topic, reviewed by eye.
//!
//! Every expression is derived by both modes, which must print the same text.

use std::fmt::Write;
use symdiff::{Derivation, Level, Mode, Purpose, equivalence, parse, parse_with, simplify};

fn derive(text: &str, n: u32, mode: Mode) -> String {
    let f = parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    let derivation = Derivation { mode, ..Derivation::default() };
    let derived = match n {
        1 => derivation.gradient(&f),
        _ => derivation.repeated(&f, n),
    };
    let derived = derived.unwrap_or_else(|e| panic!("{text}: {e}"));
    simplify(&derived, Level::Fast, Purpose::Read).to_string().replace('\n', "  ;  ")
}

fn topic(expressions: &[&str], n: u32) -> String {
    let mut lines = String::new();
    for text in expressions {
        let reverse = derive(text, n, Mode::Reverse);
        let forward = derive(text, n, Mode::Forward);
        assert_eq!(reverse, forward, "modes differ on {text}");
        writeln!(lines, "{text}\n    {reverse}").expect("strings take text");
    }
    lines
}

/// Says of every derivative that is not the snapshot's whether it means the same.
fn say_what_changed(name: &str, derived: &str) {
    let file = format!("{}/tests/it/snapshots/it__derivatives__{name}.snap", env!("CARGO_MANIFEST_DIR"));
    let Ok(snapshot) = std::fs::read_to_string(&file) else { return };
    let before: Vec<&str> = snapshot.splitn(3, "---\n").last().unwrap_or_default().lines().collect();
    let after: Vec<&str> = derived.lines().collect();
    for (text, now) in after.chunks_exact(2).map(|pair| (pair[0], pair[1])) {
        let was = before.chunks_exact(2).find(|pair| pair[0] == text).map_or(now, |pair| pair[1]);
        if was != now {
            eprintln!("{text}: {}", what_changed(text, was, now));
        }
    }
}

/// How the derivatives printed before and now compare.
fn what_changed(text: &str, was: &str, now: &str) -> String {
    let f = parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    let names: Vec<&str> = f.input_names().collect();
    let read = |line: &str| {
        let entries: Vec<&str> = line.split("  ;  ").map(str::trim).collect();
        parse_with(&format!("[{}]", entries.join(", ")), &names)
    };
    match (read(was), read(now)) {
        (Ok(a), Ok(b)) => format!("{} is now {}: {}", was.trim(), now.trim(), equivalence(&a, &b)),
        _ => format!("{} is now {}", was.trim(), now.trim()),
    }
}

#[test]
fn a_changed_derivative_is_compared_with_what_it_was() {
    let check = |text: &str, was: &str, now: &str, expected: &str| {
        assert_eq!(what_changed(text, was, now), format!("{was} is now {now}: {expected}"));
    };
    check("sin(x)^2", "2*sin(x)*cos(x)", "sin(2*x)", "equal, proved");
    check("x*y", "y  ;  x", "y  ;  x + 1", "different: at x = 0, y = 2 one is 0, the other 1 (output 1)");
}

macro_rules! topics {
    ($($name:ident, $order:literal: $($text:literal),* $(,)?;)*) => { $(
        #[test]
        fn $name() {
            let derived = topic(&[$($text),*], $order);
            say_what_changed(stringify!($name), &derived);
            insta::assert_snapshot!(derived);
        }
    )* };
}

topics! {
    the_promised_forms, 1:
        "sin(x^2)", "e^(2x+1)", "3x^4 - 2x^2 + 5", "log(1+e^x)", "x^x", "sqrt(x^2)", "x^3/3",
        "f(x, y) = x² + 3xy + y²", "x^2*sin(x)", "f(x, y) = 3x² + 2xy + y³", "(w-3)^2";
    rules_of_every_function, 1:
        "sqrt(x)", "cbrt(x)", "exp(x)", "exp2(x)", "expm1(x)", "log(x)", "log1p(x)", "log2(x)", "log10(x)",
        "log(x, 3)", "sin(x)", "cos(x)", "tan(x)", "sec(x)", "csc(x)", "cot(x)", "asin(x)", "acos(x)", "atan(x)",
        "asec(x)", "acsc(x)", "acot(x)", "sinh(x)", "cosh(x)", "tanh(x)", "sech(x)", "csch(x)", "coth(x)",
        "asinh(x)", "acosh(x)", "atanh(x)", "asech(x)", "acsch(x)", "acoth(x)", "atan2(y, x)", "hypot(x, y)",
        "erf(x)", "erfc(x)", "gamma(x)", "lgamma(x)", "digamma(x)", "x^y", "x/y", "2^x", "x^-1", "x^(2/3)";
    the_chain_rule, 1:
        "sin(cos(tan(x)))", "exp(-x^2)", "log(log(x))", "sqrt(1 + x^2)", "(x^2 + 1)^10", "sin(x)^2", "exp(sin(x)*cos(x))",
        "1/(1 + x^2)", "atan(1/x)", "x*exp(x)", "x^2*exp(-x)*sin(x)", "log(x^2)", "log(sin(x))", "2^(x^2)", "x^(1/x)";
    several_variables, 1:
        "x*y*z", "x/(x + y)", "exp(-(x^2 + y^2)/2)", "sqrt(x^2 + y^2)", "log(x + y) - log(x)", "a*x^2 + b*x + c",
        "(1-x)^2 + 100*(y - x^2)^2", "m*v^2/2", "G*m1*m2/r^2", "x10 + x2 + x1";
    higher_orders, 2:
        "x^5", "sin(x)", "exp(x^2)", "x*log(x)", "1/x", "tanh(x)", "sigmoid(x)", "x^x", "sqrt(x)", "log(1 + e^x)";
    pieces_and_kinks, 1:
        "abs(x)", "|x|^3", "x*|x|", "max(x, 0)", "min(x, y)", "clamp(x, 0, 1)", "if(x > 0, x^2, -x)", "floor(x)*x",
        "sign(x)*x", "round(x)", "where(x < y, sin(x), cos(y))", "if(x > 0, log(x), 0)", "abs(sin(x))";
    sums_of_pieces, 1:
        "max(0, x) + min(0, x)/100", "relu(x) - relu(-x)/10", "relu(2*x + 1) + relu(1 - x)",
        "if(x > 0, 1/x, 0) + if(x < -1, log(-x), 0)", "relu(x) + relu(x + y) + relu(z - x)";
    activations, 1:
        "sigmoid(x)", "tanh(x)", "relu(x)", "leaky_relu(x)", "elu(x)", "gelu(x)", "x*sigmoid(1.702*x)", "silu(x)",
        "softplus(x)", "logaddexp(x, y)", "1/(1+exp(-x))", "log(exp(a) + exp(b))";
}

/// IEEE 754's power is 1 there whatever the base is; a slope of 0·∞ is none.
#[test]
fn a_zeroth_power_is_one_and_has_no_slope() {
    for text in ["x*log(x^0)^0", "x*(log(x)^0)", "x + 3*(x - x)^0"] {
        assert_eq!([derive(text, 1, Mode::Reverse), derive(text, 1, Mode::Forward)], ["1", "1"], "{text}");
    }
}

/// A derivative as a machine computes it.
fn computed(text: &str, n: u32) -> String {
    let derivation = Derivation { purpose: Purpose::Compute, ..Derivation::default() };
    derivation.repeated(&parse(text).unwrap(), n).unwrap().to_string()
}

#[test]
fn slopes_of_shares_are_computed_as_one_quotient() {
    let check = |text: &str, n: u32, expected: &str| assert_eq!(computed(text, n), expected, "{text}");
    check("x/(x + 3)", 1, "3/(x + 3)^2");
    check("x/(x + 3)", 2, "-6/(x + 3)^3");
    check("s*7/(3 + s)", 1, "21/(s + 3)^2");
    check("x^2/(1 + x^2)", 1, "2*x/(x^2 + 1)/(x^2 + 1)");
    check("1/(1 + x^2)", 1, "-2*x/(x^2 + 1)/(x^2 + 1)");
}

#[test]
fn the_logistic_function_is_known_however_it_is_written() {
    let check = |text: &str, expected: &str| assert_eq!(derive(text, 1, Mode::Reverse), expected, "{text}");
    check("1/(1 + exp(-x))", "sigmoid(x)*(1 - sigmoid(x))");
    check("exp(x)/(1 + exp(x))", "sigmoid(x)*(1 - sigmoid(x))");
    check("exp(-x)/(1 + exp(-x))", "-sigmoid(x)*(1 - sigmoid(x))");
    check("exp(-x)/(1 + exp(-x))^2", "sigmoid(x)*(1 - 2*sigmoid(x))*(1 - sigmoid(x))");
    check("exp(x)/(1 + exp(x))^2", "sigmoid(x)*(1 - 2*sigmoid(x))*(1 - sigmoid(x))");
}

/// Powers of one base with several exponents: what all terms share is taken out once.
#[test]
fn powers_of_one_base_that_are_kept_apart_stay_whole() {
    for mode in [Mode::Reverse, Mode::Forward] {
        let derivation = Derivation { mode, purpose: Purpose::Compute, ..Derivation::default() };
        let f = parse_with("if(z < 1, x/y, y*(1/x)^(1/x))", &["x", "y", "z"]).unwrap();
        let slopes = symdiff::jit(&derivation.gradient(&f).unwrap()).unwrap();
        let (x, y) = (2.1_f64, 0.45);
        let mut found = [0.0; 3];
        slopes.call(&[x, y, 1.6], &mut found).unwrap();
        let truth = y * (1.0 / x).powf(1.0 / x) * (x.ln() - 1.0) / (x * x);
        assert!((found[0] / truth - 1.0).abs() < 1e-14, "{mode:?}: {} is not {truth}", found[0]);
    }
}
