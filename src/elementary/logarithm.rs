//! log, log2, log10, log1p, and the logarithm of a pair.
//!
//! What must stay true: x = 2ᵏ(1 + f) with 1 + f in [√½, √2), so that k = 0 near
//! 1 and no digits cancel there.
//!
//! With s = f/(2 + f): log(1 + f) = log((1 + s)/(1 − s)) = f − (f²/2 − s(f²/2 + R)),
//! R = 2s²/3 + 2s⁴/5 + …, the form of Ng's `log` in fdlibm (Sun, 1993).
//! Coefficients: `tests/it/data/elementary_fit.py`, table LOG.

use std::f64::consts::{FRAC_1_SQRT_2, LOG2_E, LOG10_E};

use super::exponential::{LN2_HI, LN2_LO};
use super::format::Format;
use super::machine::Machine;
use super::pair::{
    Pair, at_least, at_most, calc, fast_two_sum, normalise, polynomial, round_pair, two_product, two_sum,
};
use super::single;

/// (log((1 + s)/(1 − s)) − 2s)/s³ in z = s² ≤ 0.02945, to 2⁻⁵⁹.
#[rustfmt::skip]
const LOG: [f64; 7] = [
    0.6666666666666735, 0.39999999999413094, 0.2857142874277875, 0.22222198529620277,
    0.18183566752925454, 0.15313984559514754, 0.14796647112611963,
];

/// 1/ln 2 less the double nearest to it.
const LOG2_E_TAIL: f64 = 2.035_527_374_093_103_3e-17;
/// 1/ln 10 less the double nearest to it.
const LOG10_E_TAIL: f64 = 1.098_319_650_216_765e-17;
/// The first 42 bits of log₁₀ 2, so that its product with an exponent is exact.
const LOG10_2_HI: f64 = 0.301_029_995_663_952_83;
/// log₁₀ 2 − LOG10_2_HI.
const LOG10_2_LO: f64 = 2.836_339_455_104_496_4e-14;

/// The natural logarithm; −∞ at ±0, NaN below.
///
/// Measured error: below 0.75 ulp.
#[inline(always)]
pub fn log<M: Machine>(m: &mut M, x: M::F) -> M::F {
    if m.format() == Format::Single {
        return single::log(m, x);
    }
    let Split { k, f } = split(m, x);
    let c = calc!(m, k * [LN2_LO]);
    let y = log_sum(m, k, f, c);
    let y = round_pair(m, y);
    edges(m, x, y)
}

/// log(1 + x), accurate in relative terms at 0; −∞ at −1, NaN below.
///
/// Measured error: below 0.8 ulp.
#[inline(always)]
pub fn log1p<M: Machine>(m: &mut M, x: M::F) -> M::F {
    if m.format() == Format::Single {
        return single::log1p(m, x);
    }
    let one = m.f(1.0);
    let sum = two_sum(m, one, x);
    let y = log_of_pair(m, sum);
    let y = round_pair(m, y);
    let y = edges(m, sum.hi, y);
    // Keeps the sign of −0, which 1 + x has lost.
    let zero = m.f(0.0);
    let is_zero = m.eq(x, zero);
    m.select(is_zero, x, y)
}

/// The logarithm to base 2; exact for powers of 2.
///
/// Measured error: below 0.85 ulp.
#[inline(always)]
pub fn log2<M: Machine>(m: &mut M, x: M::F) -> M::F {
    if m.format() == Format::Single {
        return single::log2(m, x);
    }
    let Split { k, f } = split(m, x);
    let zero = m.f(0.0);
    let natural = log_sum(m, zero, f, zero);
    let Pair { hi, lo } = times(m, natural, LOG2_E, LOG2_E_TAIL);
    let Pair { hi, lo: rest } = fast_two_sum(m, k, hi);
    let y = calc!(m, hi + (rest + lo));
    edges(m, x, y)
}

/// The logarithm to base 10; exact for powers of 10.
///
/// Measured error: below 0.7 ulp.
#[inline(always)]
pub fn log10<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let Split { k, f } = split(m, x);
    let zero = m.f(0.0);
    let natural = log_sum(m, zero, f, zero);
    let Pair { hi, lo } = times(m, natural, LOG10_E, LOG10_E_TAIL);
    let whole = calc!(m, k * [LOG10_2_HI]);
    let Pair { hi, lo: rest } = fast_two_sum(m, whole, hi);
    let y = calc!(m, hi + (rest + (k * [LOG10_2_LO] + lo)));
    edges(m, x, y)
}

/// x = 2ᵏ(1 + f), exactly.
pub(super) struct Split<F> {
    /// Integral.
    pub k: F,
    /// In [√½ − 1, √2 − 1).
    pub f: F,
}

/// Splits a finite x > 0, subnormal or not.
#[inline(always)]
pub(super) fn split<M: Machine>(m: &mut M, x: M::F) -> Split<M::F> {
    let format = m.format();
    let least_normal = m.f(format.least_normal());
    let subnormal = m.lt(x, least_normal);
    let raised = calc!(m, x * [RAISE]);
    let x = m.select(subnormal, raised, x);
    // An integer is added to the bits of this number below.
    let zero = format.shifter() + format.bias();
    let (usual, raised) = (m.f(zero), m.f(zero + RAISED_BY));
    let zero = m.select(subnormal, raised, usual);
    let bits = m.to_bits(x);
    // Moves √½·2ʲ to a power of two, where the exponent field steps.
    let root = format.bits_of(FRAC_1_SQRT_2);
    let step = m.i(format.bits_of(1.0) - root);
    let moved = m.iadd(bits, step);
    let (field, root) = (m.i((1 << format.mantissa()) - 1), m.i(root));
    let mantissa = m.iand(moved, field);
    let mantissa = m.iadd(mantissa, root);
    let mantissa = m.from_bits(mantissa);
    let exponent = m.shr_unsigned(moved, format.mantissa());
    let shifter = m.i(format.bits_of(format.shifter()));
    let exponent = m.iadd(exponent, shifter);
    let exponent = m.from_bits(exponent);
    Split { k: calc!(m, exponent - zero), f: calc!(m, mantissa - [1.0]) }
}

/// Makes any subnormal number normal, and its exponent greater by as much.
const RAISE: f64 = (1_u64 << 54) as f64;
const RAISED_BY: f64 = 54.0;

/// k·ln 2 + log(1 + f) + (c − k·LN2_LO), where c is k·LN2_LO and any other small
/// term. The low part is good to about 2⁻⁵⁷, and relatively so for k = 0.
#[inline(always)]
pub(super) fn log_sum<M: Machine>(m: &mut M, k: M::F, f: M::F, c: M::F) -> Pair<M::F> {
    let s = calc!(m, f / (f + [2.0]));
    let z = calc!(m, s * s);
    let p = polynomial(m, z, &LOG);
    let half = calc!(m, f * [0.5]);
    let square = calc!(m, half * f);
    let t = calc!(m, s * (z * p + square) + c);
    let whole = calc!(m, k * [LN2_HI]);
    let Pair { hi, lo } = fast_two_sum(m, whole, f);
    let lo = calc!(m, (lo + t) - half * f);
    Pair { hi, lo }
}

/// log(hi + lo) for a finite normalised pair above 0; accurate in relative terms
/// when the pair is near 1.
#[inline(always)]
pub(super) fn log_of_pair<M: Machine>(m: &mut M, x: Pair<M::F>) -> Pair<M::F> {
    let Split { k, f } = split(m, x.hi);
    // Where the bounds bite, the low part is far below an ulp of the result.
    let bounded = at_most(m, k, 100.0);
    let bounded = at_least(m, bounded, -100.0);
    let negated = m.neg(bounded);
    let factor = m.power_of_two(negated);
    let lo = m.mul(x.lo, factor);
    let Pair { hi: f, lo } = two_sum(m, f, lo);
    // lo/(1 + f) to a few per cent, by 1 − f + f² − f³.
    let c = calc!(m, lo * (([1.0] - f) * (f * f + [1.0])));
    let c = calc!(m, k * [LN2_LO] + c);
    log_sum(m, k, f, c)
}

/// The pair times constant + tail.
#[inline(always)]
fn times<M: Machine>(m: &mut M, x: Pair<M::F>, constant: f64, tail: f64) -> Pair<M::F> {
    let Pair { hi, lo } = normalise(m, x);
    let c = m.f(constant);
    let product = two_product(m, hi, c);
    let low = product.lo;
    let lo = calc!(m, hi * [tail] + (lo * c + low));
    Pair { hi: product.hi, lo }
}

/// y for 0 < x < ∞, and what a logarithm is elsewhere.
#[inline(always)]
pub(super) fn edges<M: Machine>(m: &mut M, x: M::F, y: M::F) -> M::F {
    let (zero, infinity) = (m.f(0.0), m.f(f64::INFINITY));
    let (pole, nan) = (m.f(f64::NEG_INFINITY), m.f(f64::NAN));
    let finite = m.lt(x, infinity);
    let y = m.select(finite, y, x);
    let is_zero = m.eq(x, zero);
    let below = m.select(is_zero, pole, nan);
    let positive = m.lt(zero, x);
    m.select(positive, y, below)
}
