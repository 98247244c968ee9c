//! pow, cbrt, hypot.
//!
//! What must stay true: pow takes y·log x to 2⁻⁶⁵ of log x, because the exponential
//! turns an absolute error of y·log x ≤ 745 into a relative one.
//!
//! The logarithm is the series in s = f/(2 + f) with its first two terms in pairs
//! (Muller, Elementary Functions, 3rd ed., chapters 4 and 6; special cases: IEEE
//! 754-2019, 9.2.1). Coefficients: `tests/it/data/elementary_fit.py`, tables
//! LOG_TAIL and CBRT.

use super::exponential::{LN2_HI, LN2_LO, exp_of_pair};
use super::logarithm::{Split, split};
use super::machine::Machine;
use super::pair::{Pair, calc, fast_two_sum, normalise, polynomial, round_pair, two_product, unordered};

/// (log((1 + s)/(1 − s)) − 2s − 2s³/3)/s⁵ in z = s² ≤ 0.02945, to 2⁻⁷³.
#[rustfmt::skip]
const LOG_TAIL: [f64; 8] = [
    0.3999999999999998, 0.2857142857144515, 0.2222222221752695, 0.18181818871486266,
    0.15384556790886256, 0.1333632050617018, 0.11674755757800613, 0.11989536373974892,
];

/// m^(−1/3) on [1, 2], to 2⁻¹⁴.
#[rustfmt::skip]
const CBRT: [f64; 5] = [
    1.6700094047538268, -1.1728877693980722, 0.6954904873696444, -0.22124139941236515,
    0.028591612495937016,
];

/// 2/3 and what the double nearest to it lacks.
const TWO_THIRDS: f64 = 2.0 / 3.0;
const TWO_THIRDS_TAIL: f64 = 3.700_743_415_417_188e-17;

/// xʸ as IEEE 754 `pow`: x⁰ = 1 and 1ʸ = 1 even with NaN, a negative x to an
/// integral y has its sign, to any other finite y is NaN.
///
/// Measured error: below 0.8 ulp.
#[inline(always)]
pub fn pow<M: Machine>(m: &mut M, x: M::F, y: M::F) -> M::F {
    let (zero, one, infinity, nan) = (m.f(0.0), m.f(1.0), m.f(f64::INFINITY), m.f(f64::NAN));
    let magnitude = m.abs(x);
    let log = log_pair(m, magnitude);
    let product = two_product(m, y, log.hi);
    let (below, log_lo) = (product.lo, log.lo);
    let lo = calc!(m, y * log_lo + below);
    let power = exp_of_pair(m, Pair { hi: product.hi, lo });

    // Where |x| is 0, 1 or ∞ the logarithm says nothing.
    let is_zero = m.eq(magnitude, zero);
    let is_infinite = m.eq(magnitude, infinity);
    let rising = m.lt(zero, y);
    let of_zero = m.select(rising, zero, infinity);
    let of_infinity = m.select(rising, infinity, zero);
    let power = m.select(is_zero, of_zero, power);
    let power = m.select(is_infinite, of_infinity, power);
    let is_unit = m.eq(magnitude, one);
    let power = m.select(is_unit, one, power);

    // The sign of x where y is odd. A y whose half overflows nothing: ∞ is even.
    let whole = m.trunc(y);
    let integral = m.eq(whole, y);
    let half = calc!(m, y * [0.5]);
    let half_whole = m.trunc(half);
    let uneven = m.ne(half_whole, half);
    let odd = m.and(integral, uneven);
    let signed = m.copysign(power, x);
    let power = m.select(odd, signed, power);
    let minus_infinity = m.f(f64::NEG_INFINITY);
    let negative = m.lt(x, zero);
    let bounded = m.lt(minus_infinity, x);
    let negative = m.and(negative, bounded);
    let fractional = m.not(integral);
    let undefined = m.and(negative, fractional);
    let nans = unordered(m, x, y);
    let undefined = m.or(undefined, nans);
    let power = m.select(undefined, nan, power);

    let unit_base = m.eq(x, one);
    let no_exponent = m.eq(y, zero);
    let always = m.or(unit_base, no_exponent);
    m.select(always, one, power)
}

/// log x for finite x > 0 as a normalised pair, to about 2⁻⁶⁵ of itself.
#[inline(always)]
pub(super) fn log_pair<M: Machine>(m: &mut M, x: M::F) -> Pair<M::F> {
    let Split { k, f } = split(m, x);
    // s = f/(2 + f)
    let two = m.f(2.0);
    let zero = m.f(0.0);
    let d = fast_two_sum(m, two, f);
    let s = super::pair::divide(m, Pair { hi: f, lo: zero }, d);
    let (s_hi, s_lo) = (s.hi, s.lo);
    // z = s²
    let Pair { hi: z, lo: z_low } = two_product(m, s_hi, s_hi);
    let z_low = calc!(m, (s_hi + s_hi) * s_lo + z_low);
    // w = 2/3 + z·tail
    let tail = polynomial(m, z, &LOG_TAIL);
    let two_thirds = m.f(TWO_THIRDS);
    let tail = m.mul(z, tail);
    let Pair { hi: w, lo: w_low } = fast_two_sum(m, two_thirds, tail);
    let w_low = calc!(m, w_low + [TWO_THIRDS_TAIL]);
    // v = w·z, then log(1 + f) = 2s + s·v
    let Pair { hi: v, lo: v_low } = two_product(m, w, z);
    let v_low = calc!(m, w * z_low + (w_low * z + v_low));
    let Pair { hi: cube, lo: cube_low } = two_product(m, s_hi, v);
    let cube_low = calc!(m, s_hi * v_low + (s_lo * v + cube_low));
    let double = calc!(m, s_hi + s_hi);
    let Pair { hi, lo } = fast_two_sum(m, double, cube);
    let lo = calc!(m, lo + (s_lo * [2.0] + cube_low));
    // + k·ln 2
    let whole = calc!(m, k * [LN2_HI]);
    let Pair { hi, lo: rest } = fast_two_sum(m, whole, hi);
    let lo = calc!(m, rest + (k * [LN2_LO] + lo));
    normalise(m, Pair { hi, lo })
}

/// The real cube root.
///
/// Measured error: below 0.51 ulp.
#[inline(always)]
pub fn cbrt<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let magnitude = m.abs(x);
    let Split { k, f } = split(m, magnitude);
    // Splits about √½ … √2; the polynomial is for [1, 2), so double what is below 1.
    let (zero, one) = (m.f(0.0), m.f(1.0));
    let low = m.lt(f, zero);
    let n = calc!(m, f + [1.0]);
    let n_doubled = calc!(m, n + n);
    let n = m.select(low, n_doubled, n);
    let k_less = calc!(m, k - one);
    let k = m.select(low, k_less, k);
    // k = 3·third + rest; a tenth keeps k/3 clear of the integers it may round to.
    let third = calc!(m, k * [1.0 / 3.0] + [0.1]);
    let third = m.floor(third);
    let rest = calc!(m, k - third * [3.0]);
    let (is_one, is_two) = (m.eq(rest, one), m.lt(one, rest));
    let (two, four) = (m.f(2.0), m.f(4.0));
    let (root_half, root_quarter) = (m.f(CBRT_HALF), m.f(CBRT_QUARTER));
    let factor = m.select(is_one, two, one);
    let factor = m.select(is_two, four, factor);
    let inverse = m.select(is_one, root_half, one);
    let inverse = m.select(is_two, root_quarter, inverse);
    let r = polynomial(m, n, &CBRT);
    let r = calc!(m, r * inverse);
    let n = calc!(m, n * factor);
    // r ≈ n^(−1/3) to 2⁻¹⁴; with e = 1 − n·r³ the root is r(1 + e/3 + 2e²/9 + …).
    let e = calc!(m, one - (n * r) * (r * r));
    let r = calc!(m, (r * e) * (e * [2.0 / 9.0] + [1.0 / 3.0]) + r);
    let c = calc!(m, n * (r * r));
    // One Newton step on c³ = n with the residual exact.
    let square = two_product(m, c, c);
    let (hi, lo) = (square.hi, square.lo);
    let residual = calc!(m, (n - hi * c) - lo * c);
    let c = calc!(m, (residual * [1.0 / 3.0]) * (r * r) + c);
    let unit = m.power_of_two(third);
    let y = calc!(m, c * unit);
    let infinity = m.f(f64::INFINITY);
    let positive = m.lt(zero, magnitude);
    let finite = m.lt(magnitude, infinity);
    let ordinary = m.and(positive, finite);
    let y = m.copysign(y, x);
    m.select(ordinary, y, x)
}

/// The cube roots of 1/2 and 1/4.
const CBRT_HALF: f64 = 0.793_700_525_984_099_8;
const CBRT_QUARTER: f64 = 0.629_960_524_947_436_6;

/// √(x² + y²) without undue overflow or underflow; ∞ if either is infinite.
///
/// Measured error: below 0.76 ulp.
#[inline(always)]
pub fn hypot<M: Machine>(m: &mut M, x: M::F, y: M::F) -> M::F {
    let (x, y) = (m.abs(x), m.abs(y));
    let swapped = m.lt(x, y);
    let most = m.select(swapped, y, x);
    let least = m.select(swapped, x, y);
    let (above, below) = (m.f(2_f64.powi(500)), m.f(2_f64.powi(-400)));
    let (up, down, one) = (m.f(2_f64.powi(600)), m.f(2_f64.powi(-600)), m.f(1.0));
    let large = m.lt(above, most);
    let small = m.lt(most, below);
    let factor = m.select(small, up, one);
    let factor = m.select(large, down, factor);
    let inverse = m.select(small, down, one);
    let inverse = m.select(large, up, inverse);
    let (a, b) = (m.mul(most, factor), m.mul(least, factor));
    let (a, b) = (two_product(m, a, a), two_product(m, b, b));
    let sum = fast_two_sum(m, a.hi, b.hi);
    let (hi, lo, a_low, b_low) = (sum.hi, sum.lo, a.lo, b.lo);
    let root = m.sqrt(hi);
    // What the rounding of the sum and of the root lost; 1e-300 keeps 0/0 out.
    let lost = calc!(m, (hi - root * root) + (lo + (a_low + b_low)));
    let lost = calc!(m, lost / (root * [2.0] + [1e-300]));
    let root = round_pair(m, Pair { hi: root, lo: lost });
    let length = m.mul(root, inverse);
    let infinity = m.f(f64::INFINITY);
    let (x_infinite, y_infinite) = (m.eq(x, infinity), m.eq(y, infinity));
    let infinite = m.or(x_infinite, y_infinite);
    m.select(infinite, infinity, length)
}
