//! The elementary functions against mpmath's truth and IEEE 754's special cases.
//!
//! What must stay true: every public function is in `FUNCTIONS` with its stated
//! bound, and every bound is tested on points of `data/elementary.csv`, which
//! `data/elementary.py` writes without using our code.

use std::collections::{BTreeMap, BTreeSet};

use symdiff::elementary::{self as e, Foreign, Plain};

/// How to call a function on [`Plain`].
#[derive(Clone, Copy)]
enum Call {
    Unary(fn(f64) -> f64),
    Binary(fn(f64, f64) -> f64),
}

impl Call {
    fn of(self, args: &[f64]) -> f64 {
        match (self, args) {
            (Call::Unary(f), &[x]) => f(x),
            (Call::Binary(f), &[a, b]) => f(a, b),
            _ => panic!("{} arguments do not fit", args.len()),
        }
    }
}

macro_rules! functions {
    ($($kind:ident $name:ident $ulps:literal;)*) => {
        /// Name, function, and the largest error allowed, in ulp; 0 is exact.
        const FUNCTIONS: &[(&str, Call, f64)] = &[
            $((stringify!($name), functions!($kind $name), $ulps),)*
        ];
    };
    (unary $name:ident) => { Call::Unary(|x| e::$name(&mut Plain, x)) };
    (binary $name:ident) => { Call::Binary(|a, b| e::$name(&mut Plain, a, b)) };
}

#[rustfmt::skip]
functions! {
    unary  exp         0.95;
    unary  exp2        0.9;
    unary  expm1       1.2;
    unary  log         0.75;
    unary  log1p       0.8;
    unary  log2        0.85;
    unary  log10       0.7;
    unary  sin         0.8;
    unary  cos         0.8;
    unary  tan         0.85;
    unary  sinpi       0.8;
    unary  cospi       0.8;
    unary  asin        0.65;
    unary  acos        0.65;
    unary  atan        0.85;
    binary atan2       0.75;
    unary  sinh        0.8;
    unary  cosh        0.75;
    unary  tanh        1.65;
    unary  sech        1.9;
    unary  asinh       0.8;
    unary  acosh       0.75;
    unary  atanh       1.05;
    binary pow         0.8;
    unary  cbrt        0.51;
    binary hypot       0.76;
    unary  erf         0.85;
    unary  erfc        1.2;
    unary  sigmoid     1.4;
    unary  log_sigmoid 1.8;
    unary  softplus    1.8;
    binary logaddexp   0.75;
    unary  log1mexp    0.8;
    unary  gamma       1.0;
    unary  lgamma      1.2;
    unary  digamma     2.0;
    unary  trigamma    1.0;
    binary polygamma   15.0;
    unary  round       0.0;
    unary  sign        0.0;
    binary min         0.0;
    binary max         0.0;
}

fn find(name: &str) -> (Call, f64) {
    let row = FUNCTIONS.iter().find(|row| row.0 == name);
    row.map(|row| (row.1, row.2)).unwrap_or_else(|| panic!("{name} is not in the table"))
}

/// One row of the data: arguments, nearest double, and how far the truth is from it.
struct Truth<'a> {
    name: &'a str,
    args: Vec<f64>,
    nearest: f64,
    /// In ulp.
    beyond: f64,
}

fn truths() -> impl Iterator<Item = Truth<'static>> {
    fn number(bits: &str) -> f64 {
        f64::from_bits(u64::from_str_radix(bits, 16).expect("the data has 16 hex digits"))
    }
    include_str!("data/elementary.csv").lines().map(|line| {
        let fields: Vec<&str> = line.split(',').collect();
        let &[name, x, y, nearest, hundredths] = &fields[..] else { panic!("bad row {line}") };
        let args = [x, y].into_iter().filter(|bits| !bits.is_empty()).map(number).collect();
        let beyond: f64 = hundredths.parse().expect("the data has whole hundredths");
        Truth { name, args, nearest: number(nearest), beyond: beyond / 100.0 }
    })
}

/// The spacing of the doubles at x.
fn ulp(x: f64) -> f64 {
    let x = x.abs();
    (x.next_up() - x).min(x - x.next_down())
}

fn error_in_ulps(actual: f64, truth: &Truth) -> f64 {
    let off = (actual - truth.nearest) / ulp(truth.nearest) - truth.beyond;
    if off.is_nan() { f64::INFINITY } else { off.abs() }
}

#[test]
fn every_function_keeps_its_stated_error() {
    let mut worst: BTreeMap<&str, (f64, Vec<f64>)> = BTreeMap::new();
    for truth in truths() {
        let (call, _) = find(truth.name);
        let error = error_in_ulps(call.of(&truth.args), &truth);
        let entry = worst.entry(truth.name).or_insert((0.0, vec![]));
        if error > entry.0 {
            *entry = (error, truth.args);
        }
    }
    let mut failures = vec![];
    for &(name, _, bound) in FUNCTIONS.iter().filter(|row| row.2 > 0.0) {
        let (error, args) = worst.get(name).unwrap_or_else(|| panic!("no data for {name}"));
        println!("{name:12} {error:6.2} ulp at {args:?}");
        if *error > bound {
            failures.push(format!("{name}{args:?}: {error:.2} ulp, stated {bound}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Each row: arguments, and the exact result (any NaN is NaN).
fn check(name: &str, rows: &[(&[f64], f64)]) {
    let (call, _) = find(name);
    for &(args, expect) in rows {
        let actual = call.of(args);
        let same = actual.to_bits() == expect.to_bits() || actual.is_nan() && expect.is_nan();
        assert!(same, "{name}{args:?} = {actual:?}, not {expect:?}");
    }
}

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;
const MAX: f64 = f64::MAX;
/// The least subnormal.
const TINY: f64 = f64::from_bits(1);
const PI: f64 = std::f64::consts::PI;

#[test]
fn nan_goes_through_every_function() {
    for &(name, call, _) in FUNCTIONS {
        let calls: &[&[f64]] = match call {
            Call::Unary(_) => &[&[NAN], &[-NAN]],
            Call::Binary(_) if name == "hypot" => &[&[NAN, 2.0], &[2.0, NAN], &[NAN, NAN]],
            Call::Binary(_) => &[&[NAN, 2.0], &[2.0, NAN], &[NAN, NAN], &[NAN, INF], &[-INF, NAN]],
        };
        for args in calls {
            assert!(call.of(args).is_nan(), "{name}{args:?} is not NaN");
        }
    }
}

#[test]
fn odd_functions_keep_the_sign_of_zero_and_the_least_subnormal() {
    let odd = ["expm1", "log1p", "sin", "tan", "asin", "atan", "sinh", "tanh", "asinh", "atanh"];
    for name in odd.into_iter().chain(["cbrt", "erf", "round", "sign"]) {
        check(name, &[(&[0.0], 0.0), (&[-0.0], -0.0)]);
    }
    for name in odd {
        check(name, &[(&[TINY], TINY), (&[-TINY], -TINY)]);
    }
}

#[test]
#[rustfmt::skip]
fn exponentials_end_in_zero_and_infinity() {
    check("exp", &[
        (&[0.0], 1.0), (&[-0.0], 1.0), (&[INF], INF), (&[-INF], 0.0), (&[TINY], 1.0),
        (&[709.782712893384], 1.7976931348622732e308), (&[709.782712893385], INF),
        (&[-745.1332191019411], TINY), (&[-745.1332191019412], 0.0), (&[MAX], INF), (&[-MAX], 0.0),
    ]);
    check("exp2", &[
        (&[10.0], 1024.0), (&[-1074.0], TINY), (&[-1075.0], 0.0), (&[1023.0], 2_f64.powi(1023)),
        (&[1024.0], INF), (&[INF], INF), (&[-INF], 0.0), (&[-1022.0], f64::MIN_POSITIVE),
    ]);
    check("expm1", &[(&[INF], INF), (&[-INF], -1.0), (&[-MAX], -1.0), (&[MAX], INF), (&[-40.0], -1.0)]);
    check("sinh", &[(&[INF], INF), (&[-INF], -INF), (&[710.5], INF), (&[-710.5], -INF)]);
    check("cosh", &[(&[INF], INF), (&[-INF], INF), (&[710.5], INF), (&[0.0], 1.0), (&[-0.0], 1.0)]);
    check("tanh", &[(&[INF], 1.0), (&[-INF], -1.0), (&[MAX], 1.0), (&[20.0], 1.0)]);
    check("sech", &[(&[INF], 0.0), (&[-INF], 0.0), (&[0.0], 1.0), (&[746.0], 0.0)]);
}

#[test]
#[rustfmt::skip]
fn logarithms_have_a_pole_at_zero_and_are_exact_at_powers() {
    for name in ["log", "log2", "log10"] {
        check(name, &[
            (&[1.0], 0.0), (&[0.0], -INF), (&[-0.0], -INF), (&[INF], INF),
            (&[-1.0], NAN), (&[-TINY], NAN), (&[-INF], NAN),
        ]);
    }
    for k in -1074..1024 {
        let power = if k < -1022 { TINY * 2_f64.powi(k + 1074) } else { 2_f64.powi(k) };
        check("log2", &[(&[power], f64::from(k))]);
    }
    for k in 0..=22 {
        check("log10", &[(&[10_f64.powi(k)], f64::from(k))]);
    }
    check("log1p", &[(&[-1.0], -INF), (&[INF], INF), (&[-1.5], NAN), (&[-INF], NAN)]);
    check("asinh", &[(&[INF], INF), (&[-INF], -INF)]);
    check("acosh", &[(&[1.0], 0.0), (&[0.5], NAN), (&[-5.0], NAN), (&[INF], INF), (&[-INF], NAN)]);
    check("atanh", &[(&[1.0], INF), (&[-1.0], -INF), (&[1.5], NAN), (&[INF], NAN), (&[-INF], NAN)]);
}

#[test]
#[rustfmt::skip]
fn trigonometric_functions_reduce_huge_arguments() {
    for name in ["sin", "cos", "tan"] {
        check(name, &[(&[INF], NAN), (&[-INF], NAN)]);
    }
    // The double nearest to a multiple of π/2: cos is about −4.69e-19 there.
    let worst = 6_381_956_970_095_103.0 * 2_f64.powi(797);
    check("cos", &[(&[worst], -4.687165924254628e-19), (&[-worst], -4.687165924254628e-19), (&[0.0], 1.0), (&[-0.0], 1.0)]);
    check("sin", &[(&[worst], 1.0), (&[-worst], -1.0), (&[1e22], -0.8522008497671888), (&[PI], 1.2246467991473532e-16)]);
    check("tan", &[(&[PI / 2.0], 1.633123935319537e16)]);
    check("sinpi", &[
        (&[0.0], 0.0), (&[-0.0], -0.0), (&[1.0], 0.0), (&[-1.0], -0.0), (&[2.0], 0.0), (&[0.5], 1.0), (&[1.5], -1.0),
        (&[-2.5], -1.0), (&[9_007_199_254_740_991.0], 0.0), (&[4_503_599_627_370_494.5], 1.0), (&[1e22], 0.0),
        (&[-1e300], -0.0), (&[INF], NAN), (&[-INF], NAN),
    ]);
    check("cospi", &[
        (&[0.0], 1.0), (&[-0.0], 1.0), (&[1.0], -1.0), (&[0.5], 0.0), (&[-0.5], 0.0), (&[1.5], 0.0), (&[2.0], 1.0),
        (&[9_007_199_254_740_991.0], -1.0), (&[4_503_599_627_370_494.5], 0.0), (&[1e22], 1.0), (&[TINY], 1.0),
        (&[INF], NAN), (&[-INF], NAN),
    ]);
    check("asin", &[(&[1.0], PI / 2.0), (&[-1.0], -PI / 2.0), (&[1.5], NAN), (&[-INF], NAN)]);
    check("acos", &[(&[1.0], 0.0), (&[-1.0], PI), (&[0.0], PI / 2.0), (&[1.0_f64.next_up()], NAN), (&[INF], NAN)]);
    check("atan", &[(&[INF], PI / 2.0), (&[-INF], -PI / 2.0), (&[1.0], PI / 4.0), (&[MAX], PI / 2.0)]);
}

#[test]
#[rustfmt::skip]
fn atan2_knows_every_quadrant_zero_and_infinity() {
    check("atan2", &[
        (&[0.0, 0.0], 0.0),          (&[-0.0, 0.0], -0.0),         (&[0.0, -0.0], PI),            (&[-0.0, -0.0], -PI),
        (&[0.0, 1.0], 0.0),          (&[-0.0, 1.0], -0.0),         (&[0.0, -1.0], PI),            (&[-0.0, -1.0], -PI),
        (&[1.0, 0.0], PI / 2.0),     (&[1.0, -0.0], PI / 2.0),     (&[-1.0, 0.0], -PI / 2.0),     (&[-1.0, -0.0], -PI / 2.0),
        (&[1.0, INF], 0.0),          (&[-1.0, INF], -0.0),         (&[1.0, -INF], PI),            (&[-1.0, -INF], -PI),
        (&[INF, 1.0], PI / 2.0),     (&[-INF, 1.0], -PI / 2.0),    (&[INF, -1.0], PI / 2.0),      (&[-INF, -MAX], -PI / 2.0),
        (&[INF, INF], PI / 4.0),     (&[-INF, INF], -PI / 4.0),    (&[INF, -INF], 3.0 * PI / 4.0), (&[-INF, -INF], -3.0 * PI / 4.0),
        (&[TINY, TINY], PI / 4.0),   (&[MAX, MAX], PI / 4.0),      (&[TINY, MAX], 0.0),           (&[MAX, TINY], PI / 2.0),
        (&[TINY, 1.0], TINY),        (&[TINY, -1.0], PI),          (&[1.0, 1.0], PI / 4.0),       (&[1.0, -1.0], 3.0 * PI / 4.0),
    ]);
}

#[test]
#[rustfmt::skip]
fn pow_is_that_of_ieee_754() {
    check("pow", &[
        (&[NAN, 0.0], 1.0),      (&[NAN, -0.0], 1.0),     (&[1.0, NAN], 1.0),       (&[0.0, 0.0], 1.0),
        (&[INF, 0.0], 1.0),      (&[1.0, INF], 1.0),      (&[-1.0, INF], 1.0),      (&[-1.0, -INF], 1.0),
        (&[0.0, -1.0], INF),     (&[-0.0, -1.0], -INF),   (&[-0.0, -2.0], INF),     (&[-0.0, -0.5], INF),
        (&[0.0, 3.0], 0.0),      (&[-0.0, 3.0], -0.0),    (&[-0.0, 2.0], 0.0),      (&[-0.0, 0.5], 0.0),
        (&[0.0, -INF], INF),     (&[-0.0, INF], 0.0),     (&[0.5, INF], 0.0),       (&[0.5, -INF], INF),
        (&[2.0, INF], INF),      (&[2.0, -INF], 0.0),     (&[-2.0, INF], INF),      (&[-0.5, INF], 0.0),
        (&[INF, 0.5], INF),      (&[INF, -0.5], 0.0),     (&[-INF, 3.0], -INF),     (&[-INF, 2.0], INF),
        (&[-INF, 0.5], INF),     (&[-INF, -3.0], -0.0),   (&[-INF, -2.0], 0.0),     (&[-INF, INF], INF),
        (&[-8.0, 1.0 / 3.0], NAN), (&[-2.0, 0.5], NAN),   (&[-2.0, 3.0], -8.0),     (&[-2.0, 2.0], 4.0),
        (&[-2.0, -3.0], -0.125), (&[2.0, -1074.0], TINY), (&[2.0, -1075.0], 0.0),   (&[2.0, 1024.0], INF),
        (&[-2.0, 1023.0], -2_f64.powi(1023)), (&[-1.0, 9007199254740991.0], -1.0),  (&[-1.0, 9007199254740992.0], 1.0),
        (&[10.0, 22.0], 1e22),   (&[3.0, 33.0], 5559060566555523.0), (&[TINY, -1.0], INF), (&[MAX, MAX], INF),
        (&[MAX, -MAX], 0.0),     (&[-MAX, MAX], INF),     (&[-1.5, 1e300], INF),    (&[5.0, 1.0], 5.0),
    ]);
}

#[test]
#[rustfmt::skip]
fn roots_cover_the_whole_range() {
    check("cbrt", &[(&[INF], INF), (&[-INF], -INF), (&[-27.0], -3.0), (&[1e-300], 1e-100), (&[TINY * 8.0], 2.0 * 1.7031839360032603e-108)]);
    check("hypot", &[
        (&[3.0, 4.0], 5.0), (&[-3.0, 4.0], 5.0), (&[INF, NAN], INF), (&[NAN, -INF], INF), (&[0.0, 0.0], 0.0),
        (&[-0.0, -0.0], 0.0), (&[TINY, 0.0], TINY), (&[3.0 * TINY, 4.0 * TINY], 5.0 * TINY), (&[MAX, 0.0], MAX),
        (&[MAX, MAX], INF), (&[3e307, 4e307], 5e307), (&[1e-300, 1e300], 1e300),
    ]);
}

#[test]
#[rustfmt::skip]
fn sigmoids_saturate_at_their_limits() {
    check("erf", &[(&[INF], 1.0), (&[-INF], -1.0), (&[6.0], 1.0), (&[MAX], 1.0)]);
    check("erfc", &[(&[INF], 0.0), (&[-INF], 2.0), (&[0.0], 1.0), (&[-0.0], 1.0), (&[28.0], 0.0), (&[-MAX], 2.0)]);
    check("sigmoid", &[(&[0.0], 0.5), (&[INF], 1.0), (&[-INF], 0.0), (&[-745.0], TINY), (&[-746.0], 0.0), (&[40.0], 1.0)]);
    check("softplus", &[(&[INF], INF), (&[-INF], 0.0), (&[MAX], MAX), (&[-MAX], 0.0), (&[0.0], std::f64::consts::LN_2), (&[-745.0], TINY)]);
    check("log_sigmoid", &[(&[INF], -0.0), (&[-INF], -INF), (&[-MAX], -MAX), (&[745.0], -TINY)]);
    check("log1mexp", &[(&[0.0], -INF), (&[-0.0], -INF), (&[1.0], NAN), (&[INF], NAN), (&[-INF], -0.0), (&[-745.0], -TINY)]);
    check("logaddexp", &[
        (&[INF, INF], INF), (&[-INF, -INF], -INF), (&[INF, -INF], INF), (&[-INF, INF], INF), (&[-INF, 3.0], 3.0),
        (&[3.0, -INF], 3.0), (&[INF, 1.0], INF), (&[MAX, MAX], MAX), (&[-MAX, -MAX], -MAX), (&[-MAX, MAX], MAX),
        (&[0.0, 0.0], std::f64::consts::LN_2), (&[1000.0, 1000.0], 1000.6931471805599),
    ]);
}

#[test]
#[rustfmt::skip]
fn rounding_is_away_from_zero_and_zeros_are_ordered() {
    check("round", &[
        (&[0.5], 1.0), (&[-0.5], -1.0), (&[1.5], 2.0), (&[2.5], 3.0), (&[0.49999999999999994], 0.0),
        (&[-0.3], -0.0), (&[4503599627370495.5], 4503599627370496.0), (&[9007199254740991.0], 9007199254740991.0),
        (&[INF], INF), (&[-INF], -INF), (&[TINY], 0.0),
    ]);
    check("sign", &[(&[3.0], 1.0), (&[-TINY], -1.0), (&[INF], 1.0), (&[-INF], -1.0)]);
    check("min", &[(&[0.0, -0.0], -0.0), (&[-0.0, 0.0], -0.0), (&[1.0, 2.0], 1.0), (&[2.0, -INF], -INF), (&[INF, INF], INF)]);
    check("max", &[(&[0.0, -0.0], 0.0), (&[-0.0, 0.0], 0.0), (&[1.0, 2.0], 2.0), (&[2.0, INF], INF), (&[-1.0, -1.0], -1.0)]);
}

#[test]
#[rustfmt::skip]
fn polygammas_are_nan_at_their_poles() {
    check("gamma", &[(&[5.0], 24.0), (&[0.0], INF), (&[-0.0], -INF), (&[-1.0], NAN), (&[INF], INF), (&[172.0], INF)]);
    check("lgamma", &[(&[1.0], 0.0), (&[2.0], 0.0), (&[0.0], INF), (&[-3.0], INF), (&[INF], INF)]);
    check("digamma", &[(&[0.0], NAN), (&[-0.0], NAN), (&[-7.0], NAN), (&[INF], INF), (&[-INF], NAN)]);
    check("trigamma", &[(&[0.0], NAN), (&[-2.0], NAN), (&[INF], 0.0), (&[-INF], NAN)]);
    check("polygamma", &[(&[-1.0, 2.0], NAN), (&[0.5, 2.0], NAN), (&[INF, 2.0], NAN), (&[3.0, -4.0], NAN), (&[2.0, INF], -0.0), (&[1e300, 5.0], NAN)]);
}

#[test]
fn foreign_functions_have_distinct_names_and_take_their_arity() {
    let names: BTreeSet<_> = Foreign::ALL.iter().map(|f| f.name()).collect();
    assert_eq!(names.len(), Foreign::ALL.len());
    for f in Foreign::ALL {
        // Panics if the arity is not that of the function.
        f.value(&vec![1.0; f.arity()]);
    }
}
