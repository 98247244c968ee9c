//! tanh and sech, which share one division.
//!
//! What must stay true: far from 0 tanh comes as what it lacks to 1, near 0 without the exponential;
//! in between neither loses digits.
//!
//! With |x| = j·ln 2 + h, R = h·coth h and E = 4⁻ʲ: e^(−2|x|) = E(R − h)/(R + h), so
//! tanh |x| = 1 − E·W and sech² x = E·W(2 − E·W), where W = (R − h)/((R + h + E(R − h))/2).
//! Near 0, j = 0 and tanh x = x/R.
//! Coefficients: `tests/it/data/elementary_fit.py`, table COTH.

use std::f64::consts::LOG2_E;

use super::exponential::{LN2_HI, LN2_LO};
use super::format::Format;
use super::hyperbolic::FLAT;
use super::machine::Machine;
use super::pair::{at_least, at_most, calc};
use super::single;

/// (x coth x − 1)/z in z = x² ≤ 0.6404, to 2⁻⁵⁷ of x coth x.
#[rustfmt::skip]
const COTH: [f64; 9] = [
    0.3333333333333326, -0.02222222222217446, 0.002116402115364496, -0.00021164020057589698,
    2.1377732287052833e-05, -2.1641594013272605e-06, 2.1870369604973913e-07,
    -2.1445139877360332e-08, 1.643737759378476e-09,
];

/// Up to here tanh x = x/R.
const NEAR: f64 = 0.8;
/// From here on E is far below an ulp of 1.
const SMALL: f64 = 60.0;

/// The hyperbolic tangent.
///
/// Measured error: below 1.65 ulp.
#[inline(always)]
pub fn tanh<M: Machine>(m: &mut M, x: M::F) -> M::F {
    if m.format() == Format::Single {
        return single::tanh(m, x);
    }
    let Quotient { is_near, ratio, power, .. } = quotient(m, x);
    let far = calc!(m, [1.0] - power * ratio);
    let y = m.select(is_near, ratio, far);
    m.copysign(y, x)
}

/// The hyperbolic secant 1/cosh x; its square is the derivative of tanh.
///
/// Measured error: below 1.9 ulp.
#[inline(always)]
pub fn sech<M: Machine>(m: &mut M, x: M::F) -> M::F {
    if m.format() == Format::Single {
        return single::sech(m, x);
    }
    let Quotient { is_near, ratio, power, lost, k } = quotient(m, x);
    let near = calc!(m, [1.0] - ratio * ratio);
    // W(2 − E·W) with what rounding R − h has lost, as if the second factor were 2 and R − h were 1.
    let double = calc!(m, ratio + ratio);
    let far = calc!(m, ratio * ([2.0] - power * ratio) + (double * lost));
    let square = m.select(is_near, near, far);
    let y = m.sqrt(square);
    m.scale(y, k)
}

/// What tanh and sech are made of.
struct Quotient<F, B> {
    is_near: B,
    /// tanh |x| near 0, else W.
    ratio: F,
    /// E.
    power: F,
    /// R − h less what it was rounded to.
    lost: F,
    /// −j.
    k: F,
}

#[inline(always)]
fn quotient<M: Machine>(m: &mut M, x: M::F) -> Quotient<M::F, M::B> {
    let x = m.abs(x);
    let near = m.f(NEAR);
    let is_near = m.lt(x, near);
    let x = at_most(m, x, FLAT);
    // The low bits of `shifted` are 511 − j: twice that is the exponent field of 4⁻ʲ/2.
    let zero = m.format().shifter() + 511.0;
    let shifted = calc!(m, x * [-LOG2_E] + [zero]);
    let none = m.f(zero);
    let shifted = m.select(is_near, none, shifted);
    let k = calc!(m, shifted - none);
    let exact = calc!(m, k * [LN2_HI] + x);
    let h = calc!(m, k * [LN2_LO] + exact);
    let bounded = at_least(m, shifted, zero - SMALL);
    let bits = m.to_bits(bounded);
    let bits = m.shl(bits, m.format().mantissa() + 1);
    let half_power = m.from_bits(bits);
    // R = 1 + more, and the divisor is (1 + E)/2·R + (1 − E)/2·h.
    let more = coth_less_one(m, h);
    let sum = calc!(m, half_power + [0.5]);
    let rest = calc!(m, [0.5] - half_power);
    let divisor = calc!(m, sum + (more * sum + (h * rest)));
    let small = calc!(m, more - h);
    let numerator = calc!(m, small + [1.0]);
    let lost = calc!(m, small - (numerator - [1.0]));
    let dividend = m.select(is_near, h, numerator);
    let ratio = calc!(m, dividend / divisor);
    Quotient { is_near, ratio, power: calc!(m, half_power + half_power), lost, k }
}

/// h·coth h − 1 for |h| ≤ [`NEAR`], in pairs of terms: as few operations as there are wait for others.
#[inline(always)]
fn coth_less_one<M: Machine>(m: &mut M, h: M::F) -> M::F {
    let z = calc!(m, h * h);
    let square = calc!(m, z * z);
    let pair = |m: &mut M, at: usize| calc!(m, z * [COTH[at + 1]] + [COTH[at]]);
    let (a, b, c, d) = (pair(m, 0), pair(m, 2), pair(m, 4), pair(m, 6));
    let fourth = calc!(m, square * square);
    let low = calc!(m, b * square + a);
    let high = calc!(m, fourth * [COTH[8]] + (d * square + c));
    calc!(m, (fourth * z) * high + (z * low))
}
