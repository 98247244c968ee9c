//! The functions random expressions are made of, each with its value to about 95 bits.
//!
//! What must stay true: nothing here comes from symdiff. Values are those of the oracle of
//! `examples/accuracy`, or follow from them; what slopes are needed are written by hand.

use crate::accuracy::oracle as o;
use crate::accuracy::special as s;
use crate::accuracy::twice::Twice;
use std::f64::consts::PI;

/// A function of one number; NaN outside its domain.
pub struct Unary {
    pub name: &'static str,
    /// Whether it comes near 0 and over the reals never gets there.
    pub decays: bool,
    pub value: fn(Twice) -> Twice,
}

/// The value at hi + lo, given the value at hi and the slope there: what is left out is of the order
/// of lo², for functions that curve no more than their slope.
fn near(x: Twice, at: impl Fn(f64) -> Twice, slope: impl Fn(f64) -> f64) -> Twice {
    let y = at(x.hi);
    match x.lo == 0.0 || !y.hi.is_finite() {
        true => y,
        false => y + t(slope(x.hi)) * t(x.lo),
    }
}

fn t(x: f64) -> Twice {
    x.into()
}

fn plain(truth: o::Truth) -> Twice {
    truth.value.scaled(truth.exponent)
}

/// `y`, where `x` lies inside.
fn within(inside: bool, y: impl FnOnce() -> Twice) -> Twice {
    if inside { y() } else { f64::NAN.into() }
}

fn sigma(x: f64) -> f64 {
    if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) }
}

/// Beyond 2 erf is next to ±1, and what is missing counts.
fn by_erf(x: f64) -> Twice {
    match x.abs() > 2.0 {
        true => (t(1.0) - plain(s::erfc(x.abs()))) * t(x.signum()),
        false => s::erf(x),
    }
}

fn erfc(x: Twice) -> Twice {
    near(x, |x| plain(s::erfc(x)), |x| -bell(x))
}

/// 2/√π e^(−x²).
fn bell(x: f64) -> f64 {
    2.0 / PI.sqrt() * (-x * x).exp()
}

fn one() -> Twice {
    t(1.0)
}

fn sin(x: Twice) -> Twice {
    near(x, |x| o::sin_cos(x).0, f64::cos)
}

fn cos(x: Twice) -> Twice {
    near(x, |x| o::sin_cos(x).1, |x| -x.sin())
}

fn exp(x: Twice) -> Twice {
    plain(o::exp(x))
}

fn tanh(x: Twice) -> Twice {
    if x.hi.abs() > 300.0 {
        return t(x.hi.signum());
    }
    near(x, o::tanh, |x| x.cosh().powi(-2))
}

/// log(x + √(x² + 1)) of |x|, by log1p.
fn asinh(x: Twice) -> Twice {
    let size = x.abs();
    let square = size * size;
    let y = o::log1p(size + square / (one() + (one() + square).sqrt()));
    if x.hi < 0.0 { -y } else { y }
}

fn softplus(x: Twice) -> Twice {
    near(x, |x| plain(o::softplus(x)), sigma)
}

#[rustfmt::skip]
pub const UNARY: &[Unary] = &[
    Unary { name: "sin",           decays: false, value: sin },
    Unary { name: "cos",           decays: false, value: cos },
    Unary { name: "tan",           decays: false, value: |x| sin(x) / cos(x) },
    Unary { name: "exp",           decays: true,  value: exp },
    Unary { name: "exp2",          decays: true,  value: |x| exp(x * o::LN_2) },
    Unary { name: "expm1",         decays: false, value: |x| near(x, |x| o::expm1(t(x)), f64::exp) },
    Unary { name: "log",           decays: false, value: |x| within(x.hi > 0.0, || o::log(x)) },
    Unary { name: "log2",          decays: false, value: |x| within(x.hi > 0.0, || o::log(x) / o::LN_2) },
    Unary { name: "log1p",         decays: false, value: |x| within(x.hi > -1.0, || o::log1p(x)) },
    Unary { name: "sqrt",          decays: false, value: |x| within(x.hi >= 0.0, || x.sqrt()) },
    Unary { name: "cbrt",          decays: false, value: |x| near(x, o::cbrt, |x| x.cbrt() / (3.0 * x)) },
    Unary { name: "sinh",          decays: false, value: |x| near(x, |x| plain(o::sinh(x)), f64::cosh) },
    Unary { name: "cosh",          decays: false, value: |x| near(x, |x| plain(o::cosh(x)), f64::sinh) },
    Unary { name: "tanh",          decays: false, value: tanh },
    Unary { name: "sech",          decays: true,  value: |x| near(x, |x| plain(o::reciprocal(o::cosh(x))), |x| -x.tanh() / x.cosh()) },
    Unary { name: "asin",          decays: false, value: |x| within(x.hi.abs() < 1.0, || o::atan(x / ((one() - x) * (one() + x)).sqrt())) },
    Unary { name: "acos",          decays: false, value: |x| within(x.hi.abs() < 1.0, || o::atan(((one() - x) / (one() + x)).sqrt()).scaled(1)) },
    Unary { name: "atan",          decays: false, value: o::atan },
    Unary { name: "asinh",         decays: false, value: asinh },
    Unary { name: "acosh",         decays: false, value: |x| within(x.hi > 1.0, || { let u = x - one(); o::log1p(u + (u * (u + t(2.0))).sqrt()) }) },
    Unary { name: "atanh",         decays: false, value: |x| within(x.hi.abs() < 1.0, || (o::log1p(x) - o::log1p(-x)) * t(0.5)) },
    Unary { name: "erf",           decays: false, value: |x| near(x, by_erf, bell) },
    Unary { name: "erfc",          decays: true,  value: erfc },
    Unary { name: "sigmoid",       decays: true,  value: |x| near(x, |x| plain(o::sigmoid(x)), |x| sigma(x) * sigma(-x)) },
    Unary { name: "log_sigmoid",   decays: true,  value: |x| -softplus(-x) },
    Unary { name: "softplus",      decays: true,  value: softplus },
    Unary { name: "gelu",          decays: false, value: |x| x * erfc(-(x * t(0.5).sqrt())) * t(0.5) },
    Unary { name: "relu",          decays: false, value: |x| if x.hi > 0.0 { x } else { t(0.0) } },
    Unary { name: "abs",           decays: false, value: Twice::abs },
    Unary { name: "sign",          decays: false, value: |x| t(if x.hi == 0.0 { 0.0 } else { x.hi.signum() }) },
];

/// A function of two numbers, written between them or before them.
pub struct Binary {
    pub name: &'static str,
    pub is_call: bool,
    pub value: fn(Twice, Twice) -> Twice,
}

fn less(a: Twice, b: Twice) -> bool {
    (a - b).hi < 0.0
}

fn by_hypot(a: Twice, b: Twice) -> Twice {
    let scale = t(a.hi.abs().max(b.hi.abs()));
    if scale.hi == 0.0 {
        return scale;
    }
    let (a, b) = (a / scale, b / scale);
    (a * a + b * b).sqrt() * scale
}

/// The angle at the doubles, turned by what lies below them.
fn by_atan2(y: Twice, x: Twice) -> Twice {
    let square = y.hi * y.hi + x.hi * x.hi;
    let turn = (x.hi / square) * y.lo - (y.hi / square) * x.lo;
    o::atan2(y.hi, x.hi) + t(turn)
}

fn by_logaddexp(a: Twice, b: Twice) -> Twice {
    let (most, least) = if less(a, b) { (b, a) } else { (a, b) };
    most + o::log1p(plain(o::exp(least - most)))
}

/// xʸ of a positive base.
fn by_power(x: Twice, y: Twice) -> Twice {
    within(x.hi > 0.0, || plain(o::exp(o::log(x) * y)))
}

#[rustfmt::skip]
pub const BINARY: &[Binary] = &[
    Binary { name: "+",         is_call: false, value: |a, b| a + b },
    Binary { name: "-",         is_call: false, value: |a, b| a - b },
    Binary { name: "*",         is_call: false, value: |a, b| a * b },
    Binary { name: "/",         is_call: false, value: |a, b| a / b },
    Binary { name: "^",         is_call: false, value: by_power },
    Binary { name: "max",       is_call: true,  value: |a, b| if less(a, b) { b } else { a } },
    Binary { name: "min",       is_call: true,  value: |a, b| if less(a, b) { a } else { b } },
    Binary { name: "hypot",     is_call: true,  value: by_hypot },
    Binary { name: "atan2",     is_call: true,  value: by_atan2 },
    Binary { name: "logaddexp", is_call: true,  value: by_logaddexp },
];

/// xⁿ.
pub fn whole_power(x: Twice, n: i32) -> Twice {
    let product = (0..n.unsigned_abs()).fold(t(1.0), |y, _| y * x);
    if n < 0 { t(1.0) / product } else { product }
}

/// `a < b`.
pub fn is_less(a: Twice, b: Twice) -> bool {
    less(a, b)
}
