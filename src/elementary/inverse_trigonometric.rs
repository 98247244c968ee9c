//! asin, acos, atan, atan2.
//!
//! What must stay true: every result is A + B·(t + small), where A is a multiple
//! of π/4 given as a pair and t = 0 leaves it exact.
//!
//! Reductions: Muller, Elementary Functions, 3rd ed. (2016), section 11; the half
//! angle of asin as in Ng's fdlibm (Sun, 1993).
//! Coefficients: `tests/it/data/elementary_fit.py`, tables ATAN and ASIN.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};

use super::format::Format;
use super::machine::Machine;
use super::pair::{Pair, at_most, calc, fast_two_sum, polynomial, select_pair, unordered};
use super::single;
use super::trigonometric::FRAC_PI_2_TAIL;

/// (atan t / t − 1)/z in z = t² ≤ 0.1717, to 2⁻⁵⁹.
#[rustfmt::skip]
const ATAN: [f64; 11] = [
    -0.333333333333332, 0.1999999999995377, -0.1428571428021541, 0.11111110784412395,
    -0.09090897784982911, 0.07692060691464489, -0.06663109318052367, 0.058479262593830274,
    -0.05039464073273133, 0.03806841519751085, -0.017911209945864412,
];

/// (asin t / t − 1)/z in z = t² ≤ 1/4, to 2⁻⁵⁹.
#[rustfmt::skip]
const ASIN: [f64; 13] = [
    0.16666666666666763, 0.07499999999970265, 0.04464285717511766, 0.030381942683756376,
    0.02237221565657637, 0.017351600156937156, 0.013980960678877422, 0.011397782325659396,
    0.010786493115545507, 0.003683180142961295, 0.02176315559184997, -0.02107679400604281,
    0.03267656997191695,
];

/// tan(π/8), where the ratio is turned by π/4.
const TAN_PI_8: f64 = 0.414_213_562_373_095_03;
/// Far beyond where atan x = π/2 in double precision, and 1/x is still normal.
const ATAN_FLAT: f64 = 1e30;
/// Below this ratio atan t = t in double precision.
const TINY_RATIO: f64 = 1.0 / 1_073_741_824.0;

/// The angle in [−π/2, π/2] whose sine is x; NaN for |x| > 1.
///
/// Measured error: below 0.65 ulp.
#[inline(always)]
pub fn asin<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let magnitude = m.abs(x);
    let HalfAngle { large, t, small } = half_angle(m, magnitude);
    // Large: π/2 − 2(t + small). Otherwise t + small.
    let (zero, one) = (m.f(0.0), m.f(1.0));
    let (right, right_tail, minus_two) = (m.f(FRAC_PI_2), m.f(FRAC_PI_2_TAIL), m.f(-2.0));
    let base = m.select(large, right, zero);
    let tail = m.select(large, right_tail, zero);
    let factor = m.select(large, minus_two, one);
    let y = turned(m, Pair { hi: base, lo: tail }, factor, t, small);
    m.copysign(y, x)
}

/// The angle in [0, π] whose cosine is x; NaN for |x| > 1.
///
/// Measured error: below 0.65 ulp.
#[inline(always)]
pub fn acos<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let magnitude = m.abs(x);
    let HalfAngle { large, t, small } = half_angle(m, magnitude);
    // 2(t + small) near 1, π − 2(t + small) near −1, π/2 ∓ (t + small) between.
    let zero = m.f(0.0);
    let negative = m.lt(x, zero);
    let (two, minus_two, one, minus_one) = (m.f(2.0), m.f(-2.0), m.f(1.0), m.f(-1.0));
    let outer = m.select(negative, minus_two, two);
    let inner = m.select(negative, one, minus_one);
    let factor = m.select(large, outer, inner);
    let zero = Pair { hi: zero, lo: zero };
    let straight = Pair { hi: m.f(PI), lo: m.f(2.0 * FRAC_PI_2_TAIL) };
    let right = Pair { hi: m.f(FRAC_PI_2), lo: m.f(FRAC_PI_2_TAIL) };
    let outer = select_pair(m, negative, straight, zero);
    let base = select_pair(m, large, outer, right);
    turned(m, base, factor, t, small)
}

/// The angle in [−π/2, π/2] whose tangent is x.
///
/// Measured error: below 0.85 ulp.
#[inline(always)]
pub fn atan<M: Machine>(m: &mut M, x: M::F) -> M::F {
    if m.format() == Format::Single {
        return single::atan(m, x);
    }
    let magnitude = m.abs(x);
    let magnitude = at_most(m, magnitude, ATAN_FLAT);
    let one = m.f(1.0);
    let swapped = m.lt(one, magnitude);
    let n = m.select(swapped, one, magnitude);
    let d = m.select(swapped, magnitude, one);
    let Turned { quarter, t, small } = ratio_angle(m, n, d);
    // π/2 − angle where swapped: quarter is 0 or 1 of π/4.
    let quarters = calc!(m, [2.0] - quarter);
    let quarters = m.select(swapped, quarters, quarter);
    let minus_one = m.f(-1.0);
    let factor = m.select(swapped, minus_one, one);
    let base = quarter_turns(m, quarters);
    let y = turned(m, base, factor, t, small);
    m.copysign(y, x)
}

/// The angle in [−π, π] of the point (x, y), as in IEEE 754 `atan2`.
///
/// Measured error: below 0.75 ulp.
#[inline(always)]
pub fn atan2<M: Machine>(m: &mut M, y: M::F, x: M::F) -> M::F {
    let (n, d) = (m.abs(y), m.abs(x));
    let swapped = m.lt(d, n);
    let least = m.select(swapped, d, n);
    let most = m.select(swapped, n, d);
    let (n, d) = comparable(m, least, most);
    let Turned { quarter, t, small } = ratio_angle(m, n, d);
    // φ = π/2 − angle where swapped, then π − φ where x is negative, −0 included.
    let (zero, one, minus_one) = (m.f(0.0), m.f(1.0), m.f(-1.0));
    let x_sign = m.copysign(one, x);
    let leftward = m.lt(x_sign, zero);
    let upright = calc!(m, [2.0] - quarter);
    let quarters = m.select(swapped, upright, quarter);
    let mirrored = calc!(m, [4.0] - quarters);
    let quarters = m.select(leftward, mirrored, quarters);
    let factor = m.select(swapped, minus_one, one);
    let factor = calc!(m, factor * x_sign);
    let base = quarter_turns(m, quarters);
    let angle = turned(m, base, factor, t, small);
    // A tiny quotient is the angle itself, and may be subnormal.
    let quotient = calc!(m, y / x);
    let (near, magnitude) = (m.abs(x), m.abs(y));
    let reach = calc!(m, near * [TINY_RATIO]);
    let tiny = m.lt(magnitude, reach);
    let rightward = m.not(leftward);
    let tiny = m.and(tiny, rightward);
    let angle = m.copysign(angle, y);
    let angle = m.select(tiny, quotient, angle);
    let invalid = unordered(m, x, y);
    let nan = calc!(m, x + y);
    m.select(invalid, nan, angle)
}

/// asin of t + small, with t = √((1 − x)/2) where x ≥ 1/2 is `large`, else x.
struct HalfAngle<M: Machine> {
    large: M::B,
    t: M::F,
    small: M::F,
}

#[inline(always)]
fn half_angle<M: Machine>(m: &mut M, x: M::F) -> HalfAngle<M> {
    let half = m.f(0.5);
    let large = m.le(half, x);
    let halved = calc!(m, ([1.0] - x) * half);
    let square = calc!(m, x * x);
    let z = m.select(large, halved, square);
    let root = m.sqrt(halved);
    let t = m.select(large, root, x);
    // What the square root lost; 1e-300 keeps 0/0 out and changes nothing else.
    let lost = calc!(m, (halved - root * root) / (root * [2.0] + [1e-300]));
    let zero = m.f(0.0);
    let lost = m.select(large, lost, zero);
    let p = polynomial(m, z, &ASIN);
    let small = calc!(m, (t * z) * p + lost);
    HalfAngle { large, t, small }
}

/// atan(n/d) = quarter·π/4 + t + small.
struct Turned<F> {
    /// 0 or 1.
    quarter: F,
    t: F,
    small: F,
}

/// The angle of 0 ≤ n ≤ d, d normal and not near the ends of the exponents.
#[inline(always)]
fn ratio_angle<M: Machine>(m: &mut M, n: M::F, d: M::F) -> Turned<M::F> {
    // Beyond tan(π/8): atan(n/d) = π/4 + atan((n − d)/(n + d)).
    let edge = calc!(m, d * [TAN_PI_8]);
    let far = m.lt(edge, n);
    let n_negated = m.neg(n);
    let difference = fast_two_sum(m, d, n_negated);
    let sum = fast_two_sum(m, d, n);
    let difference = Pair { hi: m.neg(difference.hi), lo: m.neg(difference.lo) };
    let (zero, one) = (m.f(0.0), m.f(1.0));
    let n = select_pair(m, far, difference, Pair { hi: n, lo: zero });
    let d = select_pair(m, far, sum, Pair { hi: d, lo: zero });
    let quotient = super::pair::divide(m, n, d);
    let (t, lost) = (quotient.hi, quotient.lo);
    let z = calc!(m, t * t);
    let p = polynomial(m, z, &ATAN);
    let small = calc!(m, (t * z) * p + lost);
    Turned { quarter: m.select(far, one, zero), t, small }
}

/// The same ratio n ≤ d with d far from overflow, underflow, 0 and ∞.
#[inline(always)]
fn comparable<M: Machine>(m: &mut M, n: M::F, d: M::F) -> (M::F, M::F) {
    let (zero, one, infinity) = (m.f(0.0), m.f(1.0), m.f(f64::INFINITY));
    // ∞/∞ counts as 1/1, n/∞ as 0/1, 0/0 as 0/1.
    let n_infinite = m.eq(n, infinity);
    let d_infinite = m.eq(d, infinity);
    let n = m.select(d_infinite, zero, n);
    let n = m.select(n_infinite, one, n);
    let d = m.select(d_infinite, one, d);
    let d_zero = m.eq(d, zero);
    let d = m.select(d_zero, one, d);
    let (above, below) = (m.f(2_f64.powi(900)), m.f(2_f64.powi(-600)));
    let (down, up) = (m.f(2_f64.powi(-400)), m.f(2_f64.powi(400)));
    let large = m.lt(above, d);
    let small = m.lt(d, below);
    let factor = m.select(small, up, one);
    let factor = m.select(large, down, factor);
    (m.mul(n, factor), m.mul(d, factor))
}

/// quarters·π/4 as a pair, for quarters 0 … 4.
#[inline(always)]
fn quarter_turns<M: Machine>(m: &mut M, quarters: M::F) -> Pair<M::F> {
    let hi = calc!(m, quarters * [FRAC_PI_4]);
    let rounding = calc!(m, quarters * [FRAC_PI_4] - hi);
    let lo = calc!(m, quarters * [FRAC_PI_2_TAIL / 2.0] + rounding);
    Pair { hi, lo }
}

/// base + factor·(t + small), where base is 0 or not below the rest, and factor ±1 or ±2.
#[inline(always)]
fn turned<M: Machine>(m: &mut M, base: Pair<M::F>, factor: M::F, t: M::F, small: M::F) -> M::F {
    let scaled = calc!(m, factor * t);
    let sum = fast_two_sum(m, base.hi, scaled);
    let (hi, rest, tail) = (sum.hi, sum.lo, base.lo);
    calc!(m, hi + (rest + (factor * small + tail)))
}
