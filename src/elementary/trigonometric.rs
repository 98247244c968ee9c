//! sin, cos, tan; sinpi, cospi.
//!
//! What must stay true: x = k·π/2 + r with r a pair, |r| ≤ 0.7854, right to more
//! than 2⁻⁶⁴ of itself. Both kernels are evaluated and one selected, so a machine
//! that merges equal operations gets cos x almost free beside sin x.
//!
//! Reduction for |x| < 2³²: Cody and Waite with three doubles for π/2; fma makes
//! the first step exact and the second one an error-free pair. Beyond: Payne and
//! Hanek, in `huge.rs`.
//! In half turns x = k/2 + r is exact, and π·r a pair.
//! Coefficients: `tests/it/data/elementary_fit.py`, tables SIN and COS.

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2, PI};

use super::Foreign;
use super::format::Format;
use super::machine::Machine;
use super::pair::{
    Pair, calc, divide, fast_two_sum, nearest_multiple, normalise, polynomial, round_pair, select_pair,
    two_product,
};
use super::single;

/// π/2 less the double nearest to it, and what remains after that.
pub(super) const FRAC_PI_2_TAIL: f64 = 6.123_233_995_736_766e-17;
const FRAC_PI_2_TAIL_2: f64 = -1.497_384_904_859_169_8e-33;

/// Above this the reduction by three doubles ends.
const HUGE: f64 = 4_294_967_296.0;
/// Below this sin x = tan x = x in double precision.
const TINY: f64 = 1.0 / 134_217_728.0;

/// (sin r / r − 1)/z in z = r² ≤ 0.617, to 2⁻⁵⁸.
#[rustfmt::skip]
const SIN: [f64; 6] = [
    -0.16666666666666632, 0.008333333333322411, -0.00019841269829805653,
    2.755731369107893e-06, -2.5050757974485137e-08, 1.589678708738312e-10,
];

/// (cos r − 1 + z/2)/z² in z = r² ≤ 0.617, to 2⁻⁶⁴.
#[rustfmt::skip]
const COS: [f64; 6] = [
    0.0416666666666666, -0.0013888888888874118, 2.480158728947946e-05,
    -2.75573143517555e-07, 2.087572321681839e-09, -1.1359645628777913e-11,
];

/// The sine of x radians; NaN at ±∞.
///
/// Measured error: below 0.8 ulp.
#[inline(always)]
pub fn sin<M: Machine>(m: &mut M, x: M::F) -> M::F {
    if m.format() == Format::Single {
        return single::sin(m, x);
    }
    let (quadrant, r) = reduce(m, x);
    let y = sin_of(m, quadrant, r);
    let y = keep_tiny(m, x, y);
    when_huge(m, x, Foreign::HugeSin, y)
}

/// The cosine of x radians; NaN at ±∞.
///
/// Measured error: below 0.8 ulp.
#[inline(always)]
pub fn cos<M: Machine>(m: &mut M, x: M::F) -> M::F {
    if m.format() == Format::Single {
        return single::cos(m, x);
    }
    let (quadrant, r) = reduce(m, x);
    let y = cos_of(m, quadrant, r);
    when_huge(m, x, Foreign::HugeCos, y)
}

/// The tangent of x radians; NaN at ±∞.
///
/// Measured error: below 0.85 ulp.
#[inline(always)]
pub fn tan<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let (quadrant, r) = reduce(m, x);
    let y = tan_of(m, quadrant, r);
    let y = keep_tiny(m, x, y);
    when_huge(m, x, Foreign::HugeTan, y)
}

/// The sine of x half turns, sin(πx): 0 with the sign of x at whole numbers; NaN at ±∞.
///
/// Measured error: below 0.8 ulp.
#[inline(always)]
pub fn sinpi<M: Machine>(m: &mut M, x: M::F) -> M::F {
    if m.format() == Format::Single {
        return single::sinpi(m, x);
    }
    let (quadrant, r) = reduce_half_turns(m, x);
    let y = sin_of(m, quadrant, r);
    let y = calc!(m, y + [0.0]);
    let sign = m.f(0.0);
    let sign = m.copysign(sign, x);
    let (sign, y) = (m.to_bits(sign), m.to_bits(y));
    let y = m.ixor(y, sign);
    m.from_bits(y)
}

/// The cosine of x half turns, cos(πx): 0 halfway between whole numbers; NaN at ±∞.
///
/// Measured error: below 0.8 ulp.
#[inline(always)]
pub fn cospi<M: Machine>(m: &mut M, x: M::F) -> M::F {
    if m.format() == Format::Single {
        return single::cospi(m, x);
    }
    let (quadrant, r) = reduce_half_turns(m, x);
    let y = cos_of(m, quadrant, r);
    // Both zeros are positive (IEEE 754-2019, 9.2.1).
    calc!(m, y + [0.0])
}

/// sin(quadrant·π/2 + r), of which the low two bits of `quadrant` matter.
#[inline(always)]
pub(super) fn sin_of<M: Machine>(m: &mut M, quadrant: M::I, r: Pair<M::F>) -> M::F {
    let (sine, cosine) = kernels(m, r);
    let (sine, cosine) = (round_pair(m, sine), round_pair(m, cosine));
    let odd = is_odd(m, quadrant);
    let y = m.select(odd, cosine, sine);
    flip_by_bit_one(m, quadrant, y)
}

/// cos(quadrant·π/2 + r), of which the low two bits of `quadrant` matter.
#[inline(always)]
pub(super) fn cos_of<M: Machine>(m: &mut M, quadrant: M::I, r: Pair<M::F>) -> M::F {
    let (sine, cosine) = kernels(m, r);
    let (sine, cosine) = (round_pair(m, sine), round_pair(m, cosine));
    let odd = is_odd(m, quadrant);
    let y = m.select(odd, sine, cosine);
    let one = m.i(1);
    let next = m.iadd(quadrant, one);
    flip_by_bit_one(m, next, y)
}

/// tan(quadrant·π/2 + r), of which the low bit of `quadrant` matters.
#[inline(always)]
pub(super) fn tan_of<M: Machine>(m: &mut M, quadrant: M::I, r: Pair<M::F>) -> M::F {
    let (sine, cosine) = kernels(m, r);
    let (sine, cosine) = (normalise(m, sine), normalise(m, cosine));
    let odd = is_odd(m, quadrant);
    let n = select_pair(m, odd, cosine, sine);
    let d = select_pair(m, odd, sine, cosine);
    let quotient = divide(m, n, d);
    let y = round_pair(m, quotient);
    let negated = m.neg(y);
    m.select(odd, negated, y)
}

/// x = k·π/2 + r for |x| < 2³².
#[inline(always)]
fn reduce<M: Machine>(m: &mut M, x: M::F) -> (M::I, Pair<M::F>) {
    let (k, quadrant) = nearest_multiple(m, x, FRAC_2_PI);
    // Exact: both sides are multiples of 2⁻⁵³ and the difference is below 1.
    let first = calc!(m, x - k * [FRAC_PI_2]);
    let tail = m.f(FRAC_PI_2_TAIL);
    let second = two_product(m, k, tail);
    let subtrahend = m.neg(second.hi);
    let Pair { hi, lo } = fast_two_sum(m, first, subtrahend);
    let below = second.lo;
    let lo = calc!(m, (lo - below) - k * [FRAC_PI_2_TAIL_2]);
    (quadrant, Pair { hi, lo })
}

/// π·|x| = k·π/2 + r, up to whole turns.
#[inline(always)]
fn reduce_half_turns<M: Machine>(m: &mut M, x: M::F) -> (M::I, Pair<M::F>) {
    let x = within_a_turn(m, x);
    let (k, quadrant) = nearest_multiple(m, x, 2.0);
    let rest = calc!(m, x - k * [0.5]);
    let (pi, tail) = (m.f(PI), m.f(2.0 * FRAC_PI_2_TAIL));
    let Pair { hi, lo } = two_product(m, rest, pi);
    let lo = calc!(m, rest * tail + lo);
    (quadrant, Pair { hi, lo })
}

/// |x| half turns less whole turns: from 0 to 2, exact; NaN at ±∞.
#[inline(always)]
pub(super) fn within_a_turn<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let x = m.abs(x);
    let turns = calc!(m, x * [0.5]);
    let turns = m.trunc(turns);
    calc!(m, x - turns * [2.0])
}

/// sin r and cos r for |r| ≤ 0.7854.
#[inline(always)]
pub(super) fn kernels<M: Machine>(m: &mut M, r: Pair<M::F>) -> (Pair<M::F>, Pair<M::F>) {
    let Pair { hi: r, lo: low } = r;
    let Pair { hi: z, lo: z_low } = two_product(m, r, r);
    let half = calc!(m, z * [0.5]);
    let one = m.f(1.0);
    let half_negated = m.neg(half);
    let Pair { hi: most, lo: lost } = fast_two_sum(m, one, half_negated);
    let s = polynomial(m, z, &SIN);
    let c = polynomial(m, z, &COS);
    // sin(r + low) = r + (r³S + low·cos r)
    let sine = calc!(m, (r * z) * s + (low * most));
    // cos(r + low) = 1 − (z + z_low)/2 + (z²C − low·sin r)
    let shift = calc!(m, z_low * [0.5] + (low * r));
    let cosine = calc!(m, lost + ((z * z) * c - shift));
    (Pair { hi: r, lo: sine }, Pair { hi: most, lo: cosine })
}

#[inline(always)]
fn is_odd<M: Machine>(m: &mut M, quadrant: M::I) -> M::B {
    let one = m.i(1);
    let bit = m.iand(quadrant, one);
    m.ieq(bit, one)
}

/// −y where bit 1 of `quadrant` is set.
#[inline(always)]
fn flip_by_bit_one<M: Machine>(m: &mut M, quadrant: M::I, y: M::F) -> M::F {
    let two = m.i(2);
    let bit = m.iand(quadrant, two);
    let sign = m.shl(bit, 62);
    let bits = m.to_bits(y);
    let bits = m.ixor(bits, sign);
    m.from_bits(bits)
}

/// x itself where sin x = tan x = x; keeps −0.
#[inline(always)]
fn keep_tiny<M: Machine>(m: &mut M, x: M::F, y: M::F) -> M::F {
    let (magnitude, tiny) = (m.abs(x), m.f(TINY));
    let is_tiny = m.lt(magnitude, tiny);
    m.select(is_tiny, x, y)
}

#[inline(always)]
fn when_huge<M: Machine>(m: &mut M, x: M::F, f: Foreign, y: M::F) -> M::F {
    let (magnitude, huge) = (m.abs(x), m.f(HUGE));
    let is_huge = m.lt(huge, magnitude);
    m.rare(is_huge, f, &[x], y)
}
