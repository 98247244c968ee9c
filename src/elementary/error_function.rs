//! erf and erfc.
//!
//! What must stay true: erf is accurate in relative terms at 0, erfc in its far
//! tail, down to the subnormals near x = 26.5.
//!
//! Near 0 a polynomial for erf; else erfc x = e^(−x²)·q(t)/(1 + 2x) with
//! t = (x − 4)/(x + 4), where q is nearly constant: Shepherd and Laframboise,
//! "Chebyshev approximation of (1 + 2x) exp(x²) erfc x in 0 ≤ x < ∞" (1981).
//! Coefficients: `tests/it/data/elementary_fit.py`, tables ERF and ERFCX.

use super::exponential::exp_pair;
use super::format::Format;
use super::machine::Machine;
use super::pair::{Pair, at_most, calc, divide, fast_two_sum, normalise, polynomial, two_product, two_sum};
use super::single;

/// (erf x / x − 2/√π)/z in z = x² ≤ 0.49, to 2⁻⁶².
#[rustfmt::skip]
const ERF: [f64; 10] = [
    -0.3761263890318375, 0.11283791670954517, -0.026866170644921167, 0.005223977621854525,
    -0.0008548326671191681, 0.00012055311565433132, -1.4924816357248953e-05,
    1.6441233900380278e-06, -1.6039346543300247e-07, 1.1869262061878094e-08,
];

/// (1 + 2x) e^(x²) erfc x in t = (x − 4)/(x + 4) for 0.7 ≤ x ≤ 27.5, to 2⁻⁶².
#[rustfmt::skip]
const ERFCX: [f64; 23] = [
    1.2329951186255526, -0.1396211168405625, 0.015379652102620078, 0.06809705425469068,
    -0.10103906603632817, 0.09373283499844036, -0.06633036581154733, 0.03716751553560544,
    -0.016197734067575874, 0.005031969999416569, -0.0007577732047287146,
    -0.0001992568439367823, 0.00015062122594711525, -2.4398541168430756e-05,
    -1.1220479964349648e-05, 5.707710230586843e-06, 2.90379610355063e-07,
    -8.21381253029933e-07, 7.936261121678139e-08, 1.0487239275039379e-07,
    -2.1626105089247608e-08, -1.025008292379924e-08, 3.1040053002731765e-09,
];

/// 2/√π and what the double nearest to it lacks.
const TWO_OVER_ROOT_PI: f64 = std::f64::consts::FRAC_2_SQRT_PI;
const TWO_OVER_ROOT_PI_TAIL: f64 = 1.533_545_961_316_588e-17;
/// Where the polynomial near 0 ends.
const NEAR: f64 = 0.7;
/// erfc is 0 in double precision from 27.23 on.
const FAR: f64 = 27.5;

/// The error function 2/√π ∫₀ˣ e^(−t²) dt.
///
/// Measured error: below 0.85 ulp.
#[inline(always)]
pub fn erf<M: Machine>(m: &mut M, x: M::F) -> M::F {
    if m.format() == Format::Single {
        return single::erf(m, x);
    }
    let magnitude = m.abs(x);
    let near = erf_near(m, magnitude);
    let near_value = m.add(near.hi, near.lo);
    // Beyond 6, erfc is below 2⁻⁵⁵ and its scale a normal power of two.
    let bounded = at_most(m, magnitude, 6.0);
    let (tail, k) = erfc_far(m, bounded);
    let unit = m.power_of_two(k);
    let (hi, lo) = (tail.hi, tail.lo);
    let (one, hi) = (m.f(1.0), calc!(m, -(hi * unit)));
    let Pair { hi, lo: rest } = fast_two_sum(m, one, hi);
    let far_value = calc!(m, hi + (rest - lo * unit));
    let limit = m.f(NEAR);
    let is_near = m.lt(magnitude, limit);
    let y = m.select(is_near, near_value, far_value);
    m.copysign(y, x)
}

/// The complementary error function 1 − erf x.
///
/// Measured error: below 1.2 ulp.
#[inline(always)]
pub fn erfc<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let magnitude = m.abs(x);
    let one = m.f(1.0);
    let near = erf_near(m, x);
    let negated = m.neg(near.hi);
    let Pair { hi, lo } = fast_two_sum(m, one, negated);
    let near_lo = near.lo;
    let near_value = calc!(m, hi + (lo - near_lo));
    let bounded = at_most(m, magnitude, FAR);
    let (tail, k) = erfc_far(m, bounded);
    let tail = m.add(tail.hi, tail.lo);
    let tail = m.scale(tail, k);
    let zero = m.f(0.0);
    let negative = m.lt(x, zero);
    let reflected = calc!(m, [2.0] - tail);
    let far_value = m.select(negative, reflected, tail);
    let limit = m.f(NEAR);
    let is_near = m.lt(magnitude, limit);
    m.select(is_near, near_value, far_value)
}

/// erf x for |x| ≤ 0.7.
#[inline(always)]
fn erf_near<M: Machine>(m: &mut M, x: M::F) -> Pair<M::F> {
    let c = m.f(TWO_OVER_ROOT_PI);
    let Pair { hi, lo } = two_product(m, x, c);
    let z = calc!(m, x * x);
    let p = polynomial(m, z, &ERF);
    let lo = calc!(m, (x * z) * p + (x * [TWO_OVER_ROOT_PI_TAIL] + lo));
    Pair { hi, lo }
}

/// erfc x = 2ᵏ · pair for 0.7 ≤ x ≤ 27.5.
#[inline(always)]
fn erfc_far<M: Machine>(m: &mut M, x: M::F) -> (Pair<M::F>, M::F) {
    let square = two_product(m, x, x);
    let (hi, lo) = (m.neg(square.hi), m.neg(square.lo));
    let (gauss, k) = exp_pair(m, hi, lo);
    let t = calc!(m, (x - [4.0]) / (x + [4.0]));
    let (&first, rest) = ERFCX.split_first().expect("a polynomial has a coefficient");
    let variation = polynomial(m, t, rest);
    let variation = m.mul(variation, t);
    let first = m.f(first);
    let q = fast_two_sum(m, first, variation);
    let numerator = two_product(m, gauss.hi, q.hi);
    let (hi, low) = (numerator.hi, numerator.lo);
    let (gauss_hi, gauss_lo, q_hi, q_lo) = (gauss.hi, gauss.lo, q.hi, q.lo);
    let lo = calc!(m, gauss_hi * q_lo + (gauss_lo * q_hi + low));
    let numerator = normalise(m, Pair { hi, lo });
    let (one, double) = (m.f(1.0), calc!(m, x + x));
    let denominator = two_sum(m, one, double);
    (divide(m, numerator, denominator), k)
}
