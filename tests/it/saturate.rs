//! What `Level::Full` finds beyond `Level::Fast`, what it leaves alone, and that neither of them
//! ever changes a value or defines what was undefined.

use symdiff::elementary::Plain;
use symdiff::ir::{Elementwise, Op, Selection, Symbol, reachable};
use symdiff::simplify::{STRUCTURE, Soundness};
use symdiff::{Derivation, Function, Level, Limits, Purpose, condition, parse, parse_with, simplify};

fn simplified(text: &str, level: Level, purpose: Purpose) -> String {
    let f = parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    simplify(&f, level, purpose).to_string()
}

/// Full finds `expected`; Fast finds something else.
#[track_caller]
fn only_full(text: &str, expected: &str) {
    assert_eq!(simplified(text, Level::Full, Purpose::Read), expected, "{text}");
    assert_ne!(simplified(text, Level::Fast, Purpose::Read), expected, "{text} needs no search");
}

#[test]
fn double_angles_and_sums_of_angles_are_found() {
    only_full("2*sin(x)*cos(x)", "sin(2*x)");
    only_full("cos(x)^2 - sin(x)^2", "cos(2*x)");
    only_full("sin(x)*cos(y) + cos(x)*sin(y)", "sin(x + y)");
    only_full("cos(x)*cos(y) - sin(x)*sin(y) + 3*z", "3*z + cos(x + y)");
    only_full("sin(x)^4 - cos(x)^4", "-cos(2*x)");
    only_full("sin(x)^4 + 2*sin(x)^2*cos(x)^2 + cos(x)^4", "1");
    only_full("3*sin(x)^2 + 2*cos(x)^2", "3 - cos(x)^2");
    only_full("sinh(x)*cosh(y) + cosh(x)*sinh(y)", "sinh(x + y)");
    only_full("cosh(x) + sinh(x)", "exp(x)");
}

#[test]
fn squares_and_fractions_are_collected() {
    only_full("x^2 + 2*x*y + y^2", "(x + y)^2");
    only_full("4*x^2 + 4*x + 1", "(2*x + 1)^2");
    only_full("(x + 1)^2 - x^2 - 2*x", "1");
    only_full("(x + y)^2 - (x - y)^2", "4*x*y");
    only_full("(x + y)*(x - y) + y^2", "x^2");
    only_full("1/(1 + x) + 1/(1 - x)", "2/(1 - x^2)");
    only_full("a*x + b*x + a*y + b*y", "(a + b)*(x + y)");
    only_full("sqrt(x^2 + 2*x*y + y^2)", "abs(x + y)");
    only_full("max(x, y) + min(x, y)", "x + y");
    only_full("2*sigmoid(2*x) - 1", "tanh(x)");
}

#[test]
fn derivatives_get_shorter() {
    let derivation = Derivation { level: Level::Full, purpose: Purpose::Read, ..Derivation::default() };
    let check = |text: &str, expected: &str| {
        let df = derivation.gradient(&parse(text).expect("it parses")).expect("it derives");
        assert_eq!(df.to_string().replace('\n', "  ;  "), expected, "{text}");
    };
    check("sin(x)^2", "sin(2*x)");
    check("log(x + sqrt(x^2 + 1))", "1/sqrt(x^2 + 1)");
    check("log((1 + x)/(1 - x))", "2/(1 - x^2)");
}

#[test]
fn nothing_is_cancelled_without_a_reason() {
    let same = |text: &str| {
        let fast = simplified(text, Level::Fast, Purpose::Read);
        assert_eq!(simplified(text, Level::Full, Purpose::Read), fast, "{text}");
    };
    same("(x^2 - 1)/(x - 1)");
    same("tan(x)*cos(x)");
    same("log(x) + log(y)");
    same("sqrt(x)*sqrt(y)");
    assert_eq!(simplified("x/(x + 1) + 1/(x + 1)", Level::Full, Purpose::Read), "(x + 1)/(x + 1)");
}

#[test]
fn numbers_past_the_budget_are_left_to_the_linear_passes() {
    for text in ["1e3111*x + 1e3111", "(1e2000 + x)*1e2000", "1e3111*e^3"] {
        let fast = simplified(text, Level::Fast, Purpose::Read);
        assert_eq!(simplified(text, Level::Full, Purpose::Read), fast, "{text}");
    }
}

#[test]
fn assumptions_are_reasons() {
    let check = |text: &str, assumed: &str, expected: &str| {
        let mut f = parse(text).expect("it parses");
        condition(&mut f, assumed, &Limits::default()).expect("a condition");
        assert_eq!(simplify(&f, Level::Full, Purpose::Read).to_string(), expected, "{text}");
    };
    check("(x^2 - 1)/(x - 1)", "x != 1", "x + 1");
    check("(x^2 - y^2)/(x - y)", "x > y", "x + y");
    check("log(x) + log(y)", "x > 0", "log(x*y)");
}

#[test]
fn promised_forms_stay_as_they_are() {
    let promised = [
        ("sin(x^2)", "2*x*cos(x^2)"),
        ("e^(2x+1)", "2*exp(2*x + 1)"),
        ("3x^4 - 2x^2 + 5", "12*x^3 - 4*x"),
        ("log(1+e^x)", "sigmoid(x)"),
        ("x^x", "x^x*(log(x) + 1)"),
        ("sqrt(x^2)", "sign(x)"),
        ("f(x, y) = x² + 3xy + y²", "2*x + 3*y\n3*x + 2*y"),
        ("x^2*sin(x)", "x^2*cos(x) + 2*x*sin(x)"),
    ];
    for (text, expected) in promised {
        for purpose in [Purpose::Read, Purpose::Both] {
            let derivation = Derivation { level: Level::Full, purpose, ..Derivation::default() };
            let df = derivation.gradient(&parse(text).expect("it parses")).expect("it derives");
            let read = simplify(&df, Level::Full, Purpose::Read);
            assert_eq!(read.to_string(), expected, "{text}");
        }
    }
}

#[test]
fn a_large_graph_is_not_searched() {
    let terms: Vec<String> = (0..700).map(|i| format!("sin(x + {i})*cos(x + {i})*2")).collect();
    let text = terms.join(" + ");
    assert_eq!(simplified(&text, Level::Full, Purpose::Read), simplified(&text, Level::Fast, Purpose::Read));
}

/// A small generator of numbers, so that every run tests the same expressions.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % n
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        from[self.below(from.len())]
    }

    /// An expression; parts come again in it, as in what people write.
    fn expression(&mut self, depth: usize, parts: &mut Vec<String>) -> String {
        if depth == 0 {
            return self.pick(&["x", "y", "x", "y", "1", "2", "3", "1/2"]).to_owned();
        }
        if !parts.is_empty() && self.below(4) == 0 {
            return parts[self.below(parts.len())].clone();
        }
        let below = self.below(depth);
        let a = self.expression(depth - 1, parts);
        let text = match self.below(12) {
            0..6 => {
                let b = self.expression(below, parts);
                format!("({a} {} {b})", self.pick(&["+", "-", "*", "/", "+", "*"]))
            }
            6..9 => {
                let names = ["sin", "cos", "exp", "log", "sqrt", "abs", "tanh", "sigmoid", "cosh", "sinh"];
                format!("{}({a})", self.pick(&names))
            }
            9 => {
                let b = self.expression(below, parts);
                format!("{}({a}, {b})", self.pick(&["max", "min"]))
            }
            _ => format!("({a})^({})", self.pick(&["2", "2", "3", "-1", "-2", "1/2"])),
        };
        parts.push(text.clone());
        text
    }
}

/// What an expression is at a point.
struct Value {
    /// What the interpreter says.
    computed: f64,
    /// The same, if all of its parts are finite.
    real: Option<f64>,
    /// The size of its largest part, on which rounding errors depend.
    size: f64,
    /// A quotient or a power is undefined.
    at_pole: bool,
}

fn value(f: &Function, x: &[f64]) -> Value {
    let graph = f.graph();
    let inputs: Vec<Symbol> = f.inputs().to_vec();
    let mut values = vec![0.0; graph.len()];
    let (mut defined, mut largest, mut at_pole) = (true, 1.0f64, false);
    for id in reachable(graph, f.outputs()) {
        let operands: Vec<f64> = graph.operands(id).iter().map(|x| values[x.index()]).collect();
        let value = match graph.op(id) {
            Op::Input(symbol) => x[inputs.iter().position(|&s| s == symbol).expect("an input")],
            Op::Constant(c) => graph.number(c).to_f64(),
            Op::Elementwise(op) => op.value(&mut Plain, &operands),
            Op::Selection(Selection::Select) => operands[if operands[0] != 0.0 { 1 } else { 2 }],
            Op::Selection(op) if op.is_comparison() => {
                f64::from(u8::from(op.compare(operands[0], operands[1])))
            }
            Op::Selection(Selection::And) => operands[0] * operands[1],
            other => panic!("{other:?} is not generated"),
        };
        defined &= value.is_finite();
        let grows =
            matches!(graph.op(id), Op::Elementwise(Elementwise::Exp | Elementwise::Sinh | Elementwise::Cosh));
        largest = if value.is_finite() || grows { largest.max(value.abs()) } else { largest };
        let divides = matches!(graph.op(id), Op::Elementwise(Elementwise::Div | Elementwise::Pow));
        at_pole |= divides && !value.is_finite();
        values[id.index()] = value;
    }
    let computed = values[f.outputs()[0].index()];
    Value { computed, real: defined.then_some(computed), size: largest, at_pole }
}

#[rustfmt::skip]
const POINTS: [(f64, f64); 20] = [
    (0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0), (-1.0, 1.0), (1.0, -1.0), (-1.0, -1.0), (2.0, -3.0),
    (0.5, 0.25), (-0.5, 0.75), (0.0, -2.0), (-2.0, 0.0), (2.0, 2.0), (-3.0, 2.0), (3.0, 0.5), (-0.25, -0.5),
    (1.5, -1.5), (0.7, 1.9), (-1.3, 0.3), (2.0, 0.5),
];

/// The simplified one must be equal where the original is real, and undefined where the interpreter
/// finds that undefined. Between those lies what comes back from an infinity: 1/(1/x) at 0 may
/// stay 0 or become undefined.
///
/// The fast passes take a/(b/c) = a·c/b for granted, also where c = 0 has made NaN of it.
fn unsound_at(before: &Function, after: &Function, level: Level) -> Option<String> {
    for (x, y) in POINTS {
        let (left, right) = (value(before, &[x, y]), value(after, &[x, y]));
        // Parts this large overflow or lose all digits: rounding decides there, not the rules.
        if left.size > 1e12 {
            continue;
        }
        let equal = (left.computed - right.computed).abs() <= 1e-7 * left.size * (1.0 + left.computed.abs());
        let agree = match left.real {
            Some(_) => equal,
            None if left.computed.is_finite() => equal || right.real.is_none(),
            None => right.real.is_none() || level == Level::Fast && left.at_pole,
        };
        if !agree {
            let (l, r) = (left.computed, right.computed);
            return Some(format!("at x = {x}, y = {y}: {l} became {r}"));
        }
    }
    None
}

fn check_random(level: Level, purpose: Purpose, seed: u64, count: usize) {
    let mut random = Random(seed);
    let mut unsound = Vec::new();
    for _ in 0..count {
        let depth = 2 + random.below(3);
        let text = random.expression(depth, &mut Vec::new());
        let before = parse_with(&text, &["x", "y"]).unwrap_or_else(|e| panic!("{text}: {e}"));
        let after = simplify(&before, level, purpose);
        symdiff::ir::verify::verify(after.graph(), after.outputs()).expect("a sound graph");
        if let Some(why) = unsound_at(&before, &after, level) {
            unsound.push(format!("{text}  =>  {after}  {why}"));
        }
    }
    assert!(unsound.is_empty(), "{level:?}, {purpose:?}:\n{}", unsound.join("\n"));
}

#[test]
fn full_keeps_values_and_undefinedness() {
    check_random(Level::Full, Purpose::Read, 0x9e37_79b9_7f4a_7c15, 300);
}

#[test]
fn full_keeps_values_and_undefinedness_for_machines() {
    check_random(Level::Full, Purpose::Compute, 0xd1b5_4a32_d192_ed03, 100);
}

#[test]
fn fast_keeps_values_and_undefinedness() {
    check_random(Level::Fast, Purpose::Read, 0x2545_f491_4f6c_dd1d, 5_000);
    check_random(Level::Fast, Purpose::Compute, 0xbf58_476d_1ce4_e5b9, 5_000);
}

#[test]
fn what_cancels_but_may_be_undefined_changes_no_other_term() {
    let check =
        |text: &str, expected: &str| assert_eq!(simplified(text, Level::Fast, Purpose::Read), expected);
    check("(log(x) - log(x))*y - log(x)", "-log(x)");
    check("(y - y)/(x + y) + ((y - y)/(x + y) - y)", "0*1/(x + y) - y");
    check("(x + y)*z + (x + y)/(x + y)", "(x + y)*(z + 1/(x + y))");
}

#[test]
fn two_searches_find_the_same() {
    let mut random = Random(0x94d0_49bb_1331_11eb);
    for _ in 0..15 {
        let text = random.expression(3, &mut Vec::new());
        assert_eq!(
            simplified(&text, Level::Full, Purpose::Read),
            simplified(&text, Level::Full, Purpose::Read)
        );
    }
}

/// Where both sides of a row are compared.
const ON_ROWS: [f64; 9] = [-3.0, -1.5, -1.0, -0.25, 0.0, 0.5, 1.0, 1.75, 3.0];

fn holds(condition: &str, x: f64) -> bool {
    match condition {
        "x > 0" => x > 0.0,
        "x >= 0" => x >= 0.0,
        other => panic!("an unknown condition: {other}"),
    }
}

#[test]
fn every_row_keeps_value_and_undefinedness_both_ways() {
    for row in STRUCTURE {
        let names: Vec<&str> = ["x", "y", "a", "b", "c", "d"]
            .into_iter()
            .filter(|n| row.left.split(|c: char| !c.is_alphanumeric()).any(|word| word == *n))
            .collect();
        let left = parse_with(row.left, &names).unwrap_or_else(|e| panic!("{}: {e}", row.name));
        let right = parse_with(row.right, &names).unwrap_or_else(|e| panic!("{}: {e}", row.name));
        for k in 0..ON_ROWS.len().pow(names.len() as u32) {
            let digit = |i: usize| ON_ROWS[k / ON_ROWS.len().pow(i as u32) % ON_ROWS.len()];
            let point: Vec<f64> = (0..names.len()).map(digit).collect();
            if let Soundness::Given(condition) = row.soundness
                && !holds(condition, point[0])
            {
                continue;
            }
            let (l, r) = (value(&left, &point), value(&right, &point));
            let agree = match (l.real, r.real) {
                (Some(x), Some(y)) => (x - y).abs() <= 1e-12 * l.size,
                (x, y) => x.is_none() && y.is_none(),
            };
            assert!(agree, "row {} at {point:?}: {} became {}", row.name, l.computed, r.computed);
        }
    }
}

#[test]
fn names_of_rows_are_unique() {
    let names = STRUCTURE.iter().map(|r| r.name).chain(symdiff::simplify::RULES.iter().map(|r| r.name));
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|w| w[0] != w[1]));
}
