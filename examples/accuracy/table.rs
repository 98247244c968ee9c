//! THE table of measured functions: what is measured, against what, where, and what is promised.
//!
//! What must stay true: every op whose value is not exact by definition has a row; bounds are
//! those of the documentation, in units of the last place.

use super::oracle::{self as o, Truth};
use super::special as s;
use super::twice::Twice;
use symdiff::ir::Elementwise;

/// Where arguments are drawn from.
#[derive(Clone, Copy, Debug)]
pub enum Draw {
    /// Evenly.
    U(f64, f64),
    /// Either sign, exponents of 2 evenly.
    S(i32, i32),
    /// Around a number, at all distances from an ulp to 2^−2.
    N(f64),
    /// Any finite bits.
    Any,
    /// Multiples of π/4, rounded.
    Turns,
}

/// One measured op.
pub struct Row {
    pub op: Elementwise,
    pub truth: fn(&[f64]) -> Truth,
    /// Arguments outside are not drawn, nor is single precision measured there.
    pub domain: (f64, f64),
    pub draws: &'static [Draw],
    /// The most, in double and in single precision.
    pub bounds: [f64; 2],
}

/// Rows of functions of one argument, and of two.
macro_rules! rows {
    ($($op:ident ($($x:ident),+) = $truth:expr; [$low:expr, $high:expr] [$($draw:expr),*] $double:literal $single:literal;)*) => {
        pub const ROWS: &[Row] = &[$(Row {
            op: Elementwise::$op,
            truth: |x| {
                let &[$($x),+] = x else { unreachable!("rows say how many arguments") };
                Truth::from($truth)
            },
            domain: ($low, $high),
            draws: &[$($draw),*],
            bounds: [$double, $single],
        }),*];
    };
}

use Draw::{Any, N, S, Turns, U};
use std::f64::consts::{FRAC_1_SQRT_2, LOG2_E, LOG10_E, SQRT_2};

const INF: f64 = f64::INFINITY;
/// 1/ln 2 and 1/ln 10.
const PER_LN_2: Twice = Twice::new(LOG2_E, 2.035_527_374_093_103_3e-17);
const PER_LN_10: Twice = Twice::new(LOG10_E, 1.098_319_650_216_765e-17);

fn t(x: f64) -> Twice {
    x.into()
}

#[rustfmt::skip]
rows! {
    // op             truth                                      where it is defined, arguments                                bounds
    Sqrt(x)       = t(x).sqrt();                                 [0.0, INF]   [Any, U(0.0, 4.0)]                               0.51 0.51;
    Cbrt(x)       = o::cbrt(x);                                  [-INF, INF]  [Any, U(-10.0, 10.0)]                            0.51 0.51;
    Exp(x)        = o::exp(t(x));                                [-INF, INF]  [U(-746.0, 710.0), U(-1.0, 1.0), S(-60, 9)]      0.95 1.01;
    Exp2(x)       = o::exp2(x);                                  [-INF, INF]  [U(-1075.0, 1024.0), U(-1.0, 1.0), S(-60, 9)]    0.9  1.01;
    Expm1(x)      = o::expm1(t(x));                              [-INF, INF]  [U(-60.0, 709.0), U(-1.0, 1.0), S(-60, 9)]       1.2  1.2;
    Log(x)        = o::log(t(x));                                [0.0, INF]   [Any, N(1.0), N(SQRT_2), N(FRAC_1_SQRT_2)]       0.75 0.9;
    Log1p(x)      = o::log1p(t(x));                              [-1.0, INF]  [Any, U(-0.9, 5.0), S(-70, -1)]                  0.8  1.0;
    Log2(x)       = o::log(t(x)) * PER_LN_2;                     [0.0, INF]   [Any, N(1.0), N(SQRT_2), N(FRAC_1_SQRT_2)]       0.85 1.1;
    Log10(x)      = o::log(t(x)) * PER_LN_10;                    [0.0, INF]   [Any, N(1.0), N(SQRT_2)]                         0.7  0.51;
    Log1mexp(x)   = o::log1mexp(x);                              [-INF, 0.0]  [U(-745.0, 0.0), U(-2.0, 0.0), S(-60, 9)]        0.8  0.51;
    Sin(x)        = o::sin_cos(x).0;                             [-INF, INF]  [U(-10.0, 10.0), Any, Turns, S(-30, 40)]         0.8  1.7;
    Cos(x)        = o::sin_cos(x).1;                             [-INF, INF]  [U(-10.0, 10.0), Any, Turns, S(-30, 40)]         0.8  1.7;
    Tan(x)        = { let (s, c) = o::sin_cos(x); s / c };       [-INF, INF]  [U(-10.0, 10.0), Any, Turns, S(-30, 40)]         0.85 0.51;
    Sec(x)        = t(1.0) / o::sin_cos(x).1;                    [-INF, INF]  [U(-10.0, 10.0), Any, Turns]                     1.9  0.51;
    Csc(x)        = t(1.0) / o::sin_cos(x).0;                    [-INF, INF]  [U(-10.0, 10.0), Any, Turns]                     1.9  0.51;
    Cot(x)        = { let (s, c) = o::sin_cos(x); c / s };       [-INF, INF]  [U(-10.0, 10.0), Any, Turns]                     1.9  0.51;
    Sinpi(x)      = o::of_half_turns(x).0;                       [-INF, INF]  [U(-10.0, 10.0), Any, N(1.0), N(0.25), S(-30, 40)] 0.8 1.7;
    Cospi(x)      = o::of_half_turns(x).1;                       [-INF, INF]  [U(-10.0, 10.0), Any, N(0.5), N(0.25), S(-30, 40)] 0.8 1.7;
    Asin(x)       = o::asin(x);                                  [-1.0, 1.0]  [U(-1.0, 1.0), S(-70, 0), N(0.5), N(1.0)]        0.65 0.51;
    Acos(x)       = o::acos(x);                                  [-1.0, 1.0]  [U(-1.0, 1.0), S(-70, 0), N(0.5), N(1.0)]        0.65 0.51;
    Atan(x)       = o::atan(t(x));                               [-INF, INF]  [Any, U(-5.0, 5.0), S(-60, 60), N(1.0)]          0.85 1.3;
    Atan2(y, x)   = o::atan2(y, x);                              [-INF, INF]  [U(-1.0, 1.0), S(-30, 30)]                       0.75 0.51;
    Sinh(x)       = o::sinh(x);                                  [-INF, INF]  [U(-710.4, 710.4), U(-1.0, 1.0), S(-60, 9)]      0.8  0.51;
    Cosh(x)       = o::cosh(x);                                  [-INF, INF]  [U(-710.4, 710.4), U(-1.0, 1.0), S(-60, 9)]      0.75 0.51;
    Tanh(x)       = o::tanh(x);                                  [-INF, INF]  [U(-22.0, 22.0), U(-1.0, 1.0), S(-60, 9)]        1.65 1.3;
    Sech(x)       = o::reciprocal(o::cosh(x));                   [-INF, INF]  [U(-745.0, 745.0), U(-20.0, 20.0), S(-60, 9)]    1.9  2.0;
    Csch(x)       = o::reciprocal(o::sinh(x));                   [-INF, INF]  [U(-745.0, 745.0), U(-20.0, 20.0), S(-60, 9)]    1.9  0.51;
    Coth(x)       = t(1.0) / o::tanh(x);                         [-INF, INF]  [U(-22.0, 22.0), U(-1.0, 1.0), S(-60, 9)]        1.9  0.51;
    Asinh(x)      = o::asinh(x);                                 [-INF, INF]  [Any, U(-5.0, 5.0), S(-60, 60)]                  0.8  0.51;
    Acosh(x)      = o::acosh(x);                                 [1.0, INF]   [Any, U(1.0, 10.0), N(1.0)]                      0.75 0.51;
    Atanh(x)      = o::atanh(x);                                 [-1.0, 1.0]  [U(-1.0, 1.0), S(-70, 0)]                        1.05 0.51;
    Pow(x, y)     = o::pow(x, y);                                [0.0, INF]   [U(0.0, 10.0), S(-5, 5), N(1.0)]                 0.8  0.51;
    Hypot(x, y)   = o::hypot(x, y);                              [-INF, INF]  [U(-1.0, 1.0), S(-30, 30)]                       0.8  0.51;
    Erf(x)        = s::erf(x);                                   [-INF, INF]  [U(-6.0, 6.0), U(-0.75, 0.75), S(-60, 4)]        0.85 1.2;
    Erfc(x)       = s::erfc(x);                                  [-INF, INF]  [U(-6.0, 6.0), U(-1.0, 27.2), S(-60, 4)]         1.2  0.51;
    Sigmoid(x)    = o::sigmoid(x);                               [-INF, INF]  [U(-745.0, 40.0), U(-40.0, 40.0), S(-60, 9)]     1.4  1.5;
    LogSigmoid(x) = { let y = o::softplus(-x); Truth { value: -y.value, ..y } }; [-INF, INF] [U(-40.0, 745.0), U(-40.0, 40.0), S(-60, 9)] 1.8 1.9;
    Softplus(x)   = o::softplus(x);                              [-INF, INF]  [U(-745.0, 40.0), U(-40.0, 40.0), S(-60, 9)]     1.8  1.9;
    LogAddExp(a, b) = o::logaddexp(a, b);                        [1.0, 700.0] [U(1.0, 40.0), U(300.0, 700.0)]                  0.75 0.51;
    Gamma(x)      = s::gamma(x);                                 [-170.0, 171.6] [U(-170.0, 171.6), U(-5.0, 5.0), S(-60, 0)]      1.0  0.51;
    Lgamma(x)     = s::lgamma(t(x));                             [0.0, 1e300]  [U(0.0, 100.0), U(0.0, 3.0), U(0.9, 2.1), S(-60, 990)]  2.0  0.51;
    // The first derivative only: n is 1.
    Polygamma(n, x) = { let _ = n; s::trigamma(x) };             [0.0, 1e60]   [U(0.0, 20.0), U(0.9, 2.1), S(-60, 100)]         1.0  0.51;
    Digamma(x)    = s::digamma(x);                               [0.0, 1e300]  [U(0.0, 20.0), U(0.9, 2.1), S(-60, 990)]         2.0  0.51;
}
