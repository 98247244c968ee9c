//! gamma, lgamma, digamma, trigamma, polygamma: scalar, called in each lane.
//!
//! What must stay true: NaN at the poles of the polygamma functions, and for an
//! order that is not a whole number ≥ 0.
//!
//! Recurrence, reflection and asymptotic series: DLMF 5.5, 5.11 and 5.15; all but
//! the higher derivatives in `log_gamma.rs`.

use std::f64::consts::PI;

use super::log_gamma::{self, BERNOULLI, horner};
use super::{Foreign, Machine, Plain};

/// Γ(x); NaN at the negative integers and −∞, ±∞ at ±0.
///
/// Measured error: below 1 ulp.
#[inline(always)]
pub fn gamma<M: Machine>(m: &mut M, x: M::F) -> M::F {
    m.call(Foreign::Gamma, &[x])
}

/// log |Γ(x)|; ∞ at the poles.
///
/// Measured error: below 2 ulp for x > 0; for x < 0 only absolute near its zeros.
#[inline(always)]
pub fn lgamma<M: Machine>(m: &mut M, x: M::F) -> M::F {
    m.call(Foreign::LogGamma, &[x])
}

/// ψ(x), the derivative of log Γ; NaN at 0, −1, −2, …
///
/// Measured error: below 2 ulp for x > 0; for x < 0 only absolute near its zeros.
#[inline(always)]
pub fn digamma<M: Machine>(m: &mut M, x: M::F) -> M::F {
    m.call(Foreign::Digamma, &[x])
}

/// ψ′(x); NaN at 0, −1, −2, …
///
/// Measured error: below 1 ulp for x > 0.
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

/// From here on the asymptotic series with ten terms reaches double precision.
const ASYMPTOTIC: f64 = 12.0;

pub(super) fn polygamma_value(n: f64, x: f64) -> f64 {
    let whole = n >= 0.0 && n == n.floor();
    let at_pole = x <= 0.0 && x == x.floor();
    if !whole || at_pole || x.is_nan() {
        return f64::NAN;
    }
    match n {
        0.0 => log_gamma::digamma(x),
        1.0 => log_gamma::trigamma(x),
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
