//! gamma, lgamma, digamma, trigamma, polygamma: scalar, called in each lane.
//!
//! What must stay true: NaN at the poles of the polygamma functions, and for an
//! order that is not a whole number ≥ 0.
//!
//! Recurrence, reflection and asymptotic series: DLMF 5.5, 5.11 and 5.15.
//! Γ and log |Γ| are those of the `libm` crate (musl's). Coefficients of digamma
//! on [1, 2]: `tests/it/data/elementary_fit.py`, table DIGAMMA.

use std::f64::consts::PI;

use super::{Foreign, Machine, Plain};

/// Γ(x); NaN at the negative integers and −∞, ±∞ at ±0.
///
/// Measured error: below 9 ulp.
#[inline(always)]
pub fn gamma<M: Machine>(m: &mut M, x: M::F) -> M::F {
    m.call(Foreign::Gamma, &[x])
}

/// log |Γ(x)|; ∞ at the poles.
///
/// Measured error: below 3 ulp for x > 0; for x < 0 only absolute near its zeros.
#[inline(always)]
pub fn lgamma<M: Machine>(m: &mut M, x: M::F) -> M::F {
    m.call(Foreign::LogGamma, &[x])
}

/// ψ(x), the derivative of log Γ; NaN at 0, −1, −2, …
///
/// Measured error: below 6 ulp for x > 0; for x < 0 only absolute near its zeros.
#[inline(always)]
pub fn digamma<M: Machine>(m: &mut M, x: M::F) -> M::F {
    m.call(Foreign::Digamma, &[x])
}

/// ψ′(x); NaN at 0, −1, −2, …
///
/// Measured error: below 4 ulp.
#[inline(always)]
pub fn trigamma<M: Machine>(m: &mut M, x: M::F) -> M::F {
    m.call(Foreign::Trigamma, &[x])
}

/// ψ⁽ⁿ⁾(x), the n-th derivative of ψ; NaN unless n = 0, 1, 2, …, and at the poles.
///
/// Measured error: below 15 ulp for n ≤ 20 and x > 0, growing like n; for x < 0 only
/// absolute near its zeros.
#[inline(always)]
pub fn polygamma<M: Machine>(m: &mut M, n: M::F, x: M::F) -> M::F {
    m.call(Foreign::Polygamma, &[n, x])
}

pub(super) fn gamma_value(x: f64) -> f64 {
    libm::tgamma(x)
}

pub(super) fn lgamma_value(x: f64) -> f64 {
    libm::lgamma(x)
}

/// ψ(x)/(x − x₀) in u = x − 3/2, |u| ≤ 1/2, to 2⁻⁵³.
#[rustfmt::skip]
const DIGAMMA: [f64; 21] = [
    0.951055876031833, -0.4236274212814572, 0.24054248424076244, -0.1484049230548796,
    0.09498872445649634, -0.061922133189207744, 0.04076083373278218, -0.02697580007804141,
    0.017907254510550315, -0.011908145665668031, 0.007926913710876424, -0.0052809117271387235,
    0.0035192876905079397, -0.0023374992204859097, 0.0015550488367252987,
    -0.0010778821974439562, 0.0007287093143722572, -0.0003543711875700635,
    0.00021709978243126, -0.0003787217265321515, 0.0002677924009561067,
];

/// The positive zero x₀ of ψ, in two parts (OEIS A030169).
const ZERO: f64 = 1.461_632_144_968_362_3;
const ZERO_TAIL: f64 = 9.549995429965697e-17;

/// Bernoulli's B₂, B₄, …, B₂₀ (DLMF 24.2).
#[rustfmt::skip]
const BERNOULLI: [f64; 10] = [
    1.0 / 6.0, -1.0 / 30.0, 1.0 / 42.0, -1.0 / 30.0, 5.0 / 66.0, -691.0 / 2730.0,
    7.0 / 6.0, -3617.0 / 510.0, 43867.0 / 798.0, -174611.0 / 330.0,
];

/// Up to here ψ is taken from its polynomial, beyond from the asymptotic series,
/// whose terms cancel for lesser x.
const SMALL: f64 = 5.0;
/// From here on the asymptotic series with ten terms reaches double precision.
const ASYMPTOTIC: f64 = 12.0;

pub(super) fn digamma_value(x: f64) -> f64 {
    if x <= 0.0 {
        if x == x.floor() {
            return f64::NAN;
        }
        // ψ(x) = ψ(1 − x) − π cot πx
        return digamma_value(1.0 - x) - PI * cos_pi(x) / sin_pi(x);
    }
    if x < 1.0 {
        return digamma_value(1.0 + x) - 1.0 / x;
    }
    if x <= SMALL {
        // ψ(x) = ψ(x − 1) + 1/(x − 1) down to [1, 2], every x − 1 exact.
        let (mut x, mut shift) = (x, 0.0);
        while x > 2.0 {
            x -= 1.0;
            shift += 1.0 / x;
        }
        let p = horner(x - 1.5, &DIGAMMA);
        return ((x - ZERO) - ZERO_TAIL) * p + shift;
    }
    if x.is_infinite() {
        return x;
    }
    // ψ(x) = ψ(x + 1) − 1/x, then log x − 1/2x − Σ B₂ₖ/(2k·x²ᵏ)
    let mut shift = 0.0;
    let mut x = x;
    while x < ASYMPTOTIC {
        shift += 1.0 / x;
        x += 1.0;
    }
    let z = 1.0 / (x * x);
    let tail = series(z, |k, b| b / (2.0 * k));
    super::log(&mut Plain, x) - (0.5 / x + tail * z + shift)
}

pub(super) fn trigamma_value(x: f64) -> f64 {
    if x <= 0.0 {
        if x == x.floor() {
            return f64::NAN;
        }
        // ψ′(x) = π²/sin² πx − ψ′(1 − x)
        let ratio = PI / sin_pi(x);
        return ratio * ratio - trigamma_value(1.0 - x);
    }
    // ψ′(x) = ψ′(x + 1) + 1/x², then 1/x + 1/2x² + Σ B₂ₖ/x²ᵏ⁺¹
    let steps = (ASYMPTOTIC - x).ceil().max(0.0);
    let inverse = 1.0 / (x + steps);
    let z = inverse * inverse;
    let rest = inverse + (0.5 * z + inverse * z * series(z, |_, b| b));
    // The least terms first, so that the sum rounds least.
    (0..steps as u32).rev().fold(rest, |sum, i| {
        let shifted = x + f64::from(i);
        sum + 1.0 / shifted / shifted
    })
}

pub(super) fn polygamma_value(n: f64, x: f64) -> f64 {
    let whole = n >= 0.0 && n == n.floor();
    let at_pole = x <= 0.0 && x == x.floor();
    if !whole || at_pole || x.is_nan() {
        return f64::NAN;
    }
    match n {
        0.0 => digamma_value(x),
        1.0 => trigamma_value(x),
        _ if x == f64::INFINITY => 0.0 * -parity(n),
        _ if n > MOST_DERIVATIVES => f64::NAN,
        _ if x > 0.0 => {
            let (sum, unit) = (hurwitz(n + 1.0, x), factorial_over_power(n, x));
            -parity(n) * libm::scalbn(unit.0 * sum, unit.1)
        }
        _ if n > REFLECTED => near_poles(n, x),
        // ψ⁽ⁿ⁾(x) = (−1)ⁿψ⁽ⁿ⁾(1 − x) − π dⁿ/dxⁿ cot πx
        _ => parity(n) * polygamma_value(n, 1.0 - x) - cotangent_derivative(n, x),
    }
}

/// The largest order taken; beyond it ψ⁽ⁿ⁾ is NaN, rather than a long loop.
const MOST_DERIVATIVES: f64 = 100_000.0;
/// Above this order and left of 0 only the nearest poles count.
const REFLECTED: f64 = 40.0;

/// (−1)ⁿ.
fn parity(n: f64) -> f64 {
    if n % 2.0 == 0.0 { 1.0 } else { -1.0 }
}

/// Σ c(k, B₂ₖ) zᵏ⁻¹ over the Bernoulli numbers.
fn series(z: f64, c: impl Fn(f64, f64) -> f64) -> f64 {
    let terms = BERNOULLI.iter().enumerate().rev();
    terms.fold(0.0, |sum, (i, &b)| sum * z + c(i as f64 + 1.0, b))
}

/// xˢ·ζ(s, x) = Σ (x/(x + i))ˢ by Euler and Maclaurin (DLMF 25.11.43), s ≥ 3, x > 0.
fn hurwitz(s: f64, x: f64) -> f64 {
    let steps = (ASYMPTOTIC + s - x).ceil().max(0.0);
    let y = x + steps;
    let z = 1.0 / (y * y);
    // B₂ₖ/(2k)!·s(s + 1)…(s + 2k − 2), the product running along.
    let (mut tail, mut rising, mut power) = (0.0, s, 1.0);
    for (i, b) in BERNOULLI.iter().enumerate() {
        let k = 2.0 * i as f64 + 2.0;
        rising /= if i == 0 { 2.0 } else { (k - 1.0) * k };
        tail += b * rising * power;
        rising *= (s + k - 1.0) * (s + k);
        power *= z;
    }
    let rest = super::pow(&mut Plain, x / y, s) * (y / (s - 1.0) + 0.5 + tail / y);
    let term = |i| super::pow(&mut Plain, x / (x + f64::from(i)), s);
    (0..steps as u32).rev().fold(rest, |sum, i| sum + term(i))
}

/// n!/xⁿ⁺¹ as fraction and exponent of 2, neither over- nor underflowing on the way.
fn factorial_over_power(n: f64, x: f64) -> (f64, i32) {
    let (mut hi, mut exponent) = libm::frexp(1.0 / x);
    let mut j = 1.0;
    while j <= n {
        let (fraction, step) = libm::frexp(hi * (j / x));
        (hi, exponent) = (fraction, exponent + step);
        j += 1.0;
    }
    (hi, exponent)
}

/// (−1)ⁿ⁺¹n! Σ 1/(x + i)ⁿ⁺¹ over the poles near x < 0, for large n.
fn near_poles(n: f64, x: f64) -> f64 {
    let nearest = x.round().min(0.0);
    let distance = x - nearest;
    let sum: f64 = (-4..=4)
        .map(|i| nearest + f64::from(i))
        .filter(|&pole| pole <= 0.0)
        .map(|pole| super::pow(&mut Plain, distance / (x - pole), n + 1.0))
        .sum();
    let (unit, exponent) = factorial_over_power(n, distance);
    -parity(n) * libm::scalbn(unit * sum, exponent)
}

/// π dⁿ/dxⁿ cot πx = n! πⁿ⁺¹ q(cot πx), where q starts as c and each derivative
/// takes it to −(1 + c²)q′/n; its coefficients agree in sign, so nothing cancels.
fn cotangent_derivative(n: f64, x: f64) -> f64 {
    let c = cos_pi(x) / sin_pi(x);
    let mut q = vec![0.0, 1.0];
    let mut factor = PI;
    for order in 1..=n as usize {
        let slope: Vec<f64> = (1..q.len()).map(|i| -(i as f64) * q[i] / order as f64).collect();
        q = vec![0.0; slope.len() + 2];
        for (i, s) in slope.iter().enumerate() {
            q[i] += s;
            q[i + 2] += s;
        }
        factor *= PI * order as f64;
    }
    factor * horner(c, &q)
}

/// c₀ + c₁x + c₂x² + …
fn horner(x: f64, coefficients: &[f64]) -> f64 {
    let terms = coefficients.iter().rev();
    terms.fold(0.0, |sum: f64, &c| sum.mul_add(x, c))
}

/// sin πx, exact reduction.
fn sin_pi(x: f64) -> f64 {
    let nearest = x.round_ties_even();
    let s = super::sin(&mut Plain, PI * (x - nearest));
    if nearest.rem_euclid(2.0) == 0.0 { s } else { -s }
}

/// cos πx, exact reduction.
fn cos_pi(x: f64) -> f64 {
    let nearest = x.round_ties_even();
    let c = super::cos(&mut Plain, PI * (x - nearest));
    if nearest.rem_euclid(2.0) == 0.0 { c } else { -c }
}
