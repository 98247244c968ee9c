//! sinh, cosh, coth and the inverses asinh, acosh, atanh.
//!
//! What must stay true: sinh and cosh come as pairs from one kernel, which every
//! function here shares, and sinh is accurate in relative terms at 0.
//!
//! With x = k·ln 2 + r, C = (1 + 4⁻ᵏ)/2 and S = (1 − 4⁻ᵏ)/2:
//! sinh x = 2ᵏ(S·cosh r + C·sinh r), cosh x = 2ᵏ(C·cosh r + S·sinh r).
//! Coefficients: `tests/it/data/elementary_fit.py`, tables SINH and COSH.

use std::f64::consts::{LN_2, LOG2_E};

use super::exponential::{LN2_HI, LN2_LO};
use super::logarithm::log_of_pair;
use super::machine::Machine;
use super::pair::{
    Pair, at_most, calc, divide, fast_two_sum, nearest_multiple, normalise, polynomial, round_pair,
    two_product, two_sum,
};

/// (sinh r / r − 1)/z in z = r² ≤ 0.1203, to 2⁻⁶¹.
#[rustfmt::skip]
const SINH: [f64; 5] = [
    0.16666666666666677, 0.008333333333321551, 0.00019841269886342676,
    2.7557243976833663e-06, 2.5109122646273846e-08,
];

/// (cosh r − 1 − z/2)/z² in z = r² ≤ 0.1203, to 2⁻⁷⁰.
#[rustfmt::skip]
const COSH: [f64; 5] = [
    0.041666666666666685, 0.0013888888888873383, 2.4801587348973628e-05,
    2.7557252035066837e-07, 2.092169807853056e-09,
];

/// ln 2 less the double nearest to it.
const LN_2_TAIL: f64 = 2.319_046_813_846_299_6e-17;
/// From here on cosh x = ∞, sech x = 0 and tanh x = 1 in double precision.
pub(super) const FLAT: f64 = 750.0;
/// Above this √(x² ± 1) = x in double precision.
const LARGE: f64 = 1_073_741_824.0;

/// The hyperbolic sine.
///
/// Measured error: below 0.8 ulp.
#[inline(always)]
pub fn sinh<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let Kernel { sinh, k, .. } = kernel(m, x);
    let y = round_pair(m, sinh);
    let y = m.scale(y, k);
    m.copysign(y, x)
}

/// The hyperbolic cosine.
///
/// Measured error: below 0.75 ulp.
#[inline(always)]
pub fn cosh<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let Kernel { cosh, k, .. } = kernel(m, x);
    let y = round_pair(m, cosh);
    m.scale(y, k)
}

/// `1/tanh(x)`; ±∞ at ±0.
///
/// Measured error: below 1.6 ulp.
#[inline(always)]
pub fn coth<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let Kernel { sinh, cosh, .. } = kernel(m, x);
    let (sinh, cosh) = (normalise(m, sinh), normalise(m, cosh));
    let tanh = divide(m, sinh, cosh);
    let tanh = round_pair(m, tanh);
    let y = calc!(m, [1.0] / tanh);
    m.copysign(y, x)
}

/// The inverse of sinh.
///
/// Measured error: below 0.8 ulp.
#[inline(always)]
pub fn asinh<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let magnitude = m.abs(x);
    let y = log_of_root_sum(m, magnitude, 1.0);
    m.copysign(y, x)
}

/// The inverse of cosh on [1, ∞); NaN below 1.
///
/// Measured error: below 0.75 ulp.
#[inline(always)]
pub fn acosh<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let y = log_of_root_sum(m, x, -1.0);
    let (one, nan) = (m.f(1.0), m.f(f64::NAN));
    let outside = m.lt(x, one);
    m.select(outside, nan, y)
}

/// The inverse of tanh: ±∞ at ±1, NaN beyond.
///
/// Measured error: below 1.05 ulp.
#[inline(always)]
pub fn atanh<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let magnitude = m.abs(x);
    let (one, infinity, nan) = (m.f(1.0), m.f(f64::INFINITY), m.f(f64::NAN));
    // log((1 + x)/(1 − x))/2
    let n = fast_two_sum(m, one, magnitude);
    let negated = m.neg(magnitude);
    let d = fast_two_sum(m, one, negated);
    let ratio = divide(m, n, d);
    let ratio = normalise(m, ratio);
    let y = log_of_pair(m, ratio);
    let y = round_pair(m, y);
    let y = calc!(m, y * [0.5]);
    let at_pole = m.eq(magnitude, one);
    let edge = m.select(at_pole, infinity, nan);
    let inside = m.lt(magnitude, one);
    let y = m.select(inside, y, edge);
    m.copysign(y, x)
}

/// sinh |x| and cosh |x| as pairs, both divided by 2ᵏ.
struct Kernel<F> {
    sinh: Pair<F>,
    cosh: Pair<F>,
    k: F,
}

/// The kernel at min(|x|, FLAT).
#[inline(always)]
fn kernel<M: Machine>(m: &mut M, x: M::F) -> Kernel<M::F> {
    let x = m.abs(x);
    let x = at_most(m, x, FLAT);
    let (k, _) = nearest_multiple(m, x, LOG2_E);
    let exact = calc!(m, x - k * [LN2_HI]);
    let c = calc!(m, k * [-LN2_LO]);
    let Pair { hi: r, lo: low } = fast_two_sum(m, exact, c);
    let z = calc!(m, r * r);
    let p = polynomial(m, z, &SINH);
    let q = polynomial(m, z, &COSH);
    // sinh(r + low) = r + odd, cosh(r + low) = 1 + even.
    let odd = calc!(m, (r * z) * p + low);
    let even = calc!(m, z * (z * q + [0.5]) + (low * r));
    // C and S with what their rounding loses, which is one part in 2⁵⁴ at k = 27.
    let minus_two = m.f(-2.0);
    let exponent = at_most(m, k, 60.0);
    let exponent = m.mul(exponent, minus_two);
    let power = m.power_of_two(exponent);
    let (one, negated) = (m.f(1.0), m.neg(power));
    let c = fast_two_sum(m, one, power);
    let s = fast_two_sum(m, one, negated);
    let (c, c_low) = (halve(m, c.hi), halve(m, c.lo));
    let (s, s_low) = (halve(m, s.hi), halve(m, s.lo));
    let sinh = {
        let main = two_product(m, c, r);
        let Pair { hi, lo } = fast_two_sum(m, s, main.hi);
        let below = main.lo;
        Pair { hi, lo: calc!(m, lo + (below + (s * even + (c * odd + (c_low * r + s_low))))) }
    };
    let cosh = {
        let main = two_product(m, s, r);
        let Pair { hi, lo } = fast_two_sum(m, c, main.hi);
        let below = main.lo;
        Pair { hi, lo: calc!(m, lo + (below + (c * even + (s * odd + (s_low * r + c_low))))) }
    };
    Kernel { sinh, cosh, k }
}

#[inline(always)]
fn halve<M: Machine>(m: &mut M, x: M::F) -> M::F {
    calc!(m, x * [0.5])
}

/// log(x + √(x² + sign)) for x ≥ 0, `sign` being 1 or −1.
#[inline(always)]
fn log_of_root_sum<M: Machine>(m: &mut M, x: M::F, sign: f64) -> M::F {
    let bounded = at_most(m, x, LARGE);
    let square = two_product(m, bounded, bounded);
    let sign = m.f(sign);
    let sum = two_sum(m, square.hi, sign);
    let (hi, lo, below) = (sum.hi, sum.lo, square.lo);
    let root = m.sqrt(hi);
    // What rounding under and in the root lost; 1e-300 keeps 0/0 out.
    let lost = calc!(m, ((hi - root * root) + (lo + below)) / (root * [2.0] + [1e-300]));
    let sum = two_sum(m, bounded, root);
    let rest = sum.lo;
    let lo = calc!(m, rest + lost);
    let sum = normalise(m, Pair { hi: sum.hi, lo });
    // Beyond LARGE: log 2x = log x + log 2.
    let zero = m.f(0.0);
    let large_limit = m.f(LARGE);
    let large = m.lt(large_limit, x);
    let argument = super::pair::select_pair(m, large, Pair { hi: x, lo: zero }, sum);
    let y = log_of_pair(m, argument);
    let (ln_2, ln_2_tail) = (m.f(LN_2), m.f(LN_2_TAIL));
    let extra = m.select(large, ln_2, zero);
    let extra_tail = m.select(large, ln_2_tail, zero);
    let sum = fast_two_sum(m, y.hi, extra);
    let (hi, rest, lo) = (sum.hi, sum.lo, y.lo);
    let y = calc!(m, hi + (rest + (lo + extra_tail)));
    let infinity = m.f(f64::INFINITY);
    let finite = m.lt(x, infinity);
    m.select(finite, y, x)
}
