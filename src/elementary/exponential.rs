//! exp, exp2, expm1, and the reduced exponential the other files build on.
//!
//! What must stay true: x = k·ln 2 + r with |r| ≤ 0.3467, where k·LN2_HI and
//! x − k·LN2_HI are exact (Cody and Waite, Software Manual for the Elementary
//! Functions, 1980): LN2_HI has 42 bits and |k| < 2¹¹; in single precision 16 bits and 2⁸.
//!
//! Coefficients: `tests/it/data/elementary_fit.py`, tables EXP, EXP2 and those of single precision.

use std::f64::consts::{LN_2, LOG2_E};

use super::format::Format;
use super::machine::Machine;
use super::pair::{
    Pair, at_least, at_most, calc, fast_two_sum, nearest_multiple, normalise, polynomial, polynomial_in_two,
    round_pair,
};

/// The first 42 bits of ln 2, so that k·LN2_HI is exact for |k| < 2¹¹.
pub(super) const LN2_HI: f64 = 0.693_147_180_559_890_3;
/// ln 2 − LN2_HI.
pub(super) const LN2_LO: f64 = 5.497_923_018_708_371e-14;
/// ln 2 less the double nearest to it.
const LN2_TAIL: f64 = 2.319_046_813_846_299_6e-17;

/// (eʳ − 1 − r)/r² on |r| ≤ 0.3467, to 2⁻⁵⁸ of eʳ.
#[rustfmt::skip]
const EXP: [f64; 10] = [
    0.5000000000000013, 0.166666666666667, 0.041666666666515126, 0.00833333333330701,
    0.0013888888947099563, 0.0001984126991784235, 2.4801489847727084e-05,
    2.75572158549641e-06, 2.763131677856999e-07, 2.5118011511023332e-08,
];

/// (2ʳ − 1 − r ln 2)/r² on |r| ≤ 1/2, to 2⁻⁵⁸ of 2ʳ.
#[rustfmt::skip]
const EXP2: [f64; 10] = [
    0.24022650695910133, 0.05550410866482169, 0.009618129107593599, 0.0013333558146386448,
    0.00015403530457799307, 1.5252733862795222e-05, 1.3215434937721341e-06,
    1.0178047886406611e-07, 7.073841811077102e-09, 4.457224349221754e-10,
];

/// As [`EXP`], to 2⁻²⁸.
const EXP_SINGLE: [f64; 5] = [0.5, 0.166665204, 0.04166638, 0.008368753, 0.0013942702];

/// As [`EXP2`], to 2⁻²⁸.
const EXP2_SINGLE: [f64; 5] = [0.2402265, 0.0555036311, 0.009618127, 0.0013389799, 0.0001544868];

/// What the formats differ in.
struct Constants {
    /// ln 2 in two parts.
    ln_2: [f64; 2],
    exp: &'static [f64],
    exp2: &'static [f64],
    /// From these on eˣ is 0, and ∞.
    ends: [f64; 2],
    /// From these on 2ˣ is 0, and ∞.
    binary_ends: [f64; 2],
    /// Below the first expm1 x = −1; 2ᵏ to the second is far beyond what 1 adds to.
    flat: [f64; 2],
}

const SINGLE: Constants = Constants {
    ln_2: [0.693_145_751_953_125, 1.428_606_765_330_187e-6],
    exp: &EXP_SINGLE,
    exp2: &EXP2_SINGLE,
    ends: [-104.5, 89.0],
    binary_ends: [-152.0, 129.0],
    flat: [-25.0, 100.0],
};

const DOUBLE: Constants = Constants {
    ln_2: [LN2_HI, LN2_LO],
    exp: &EXP,
    exp2: &EXP2,
    ends: [-746.0, 710.0],
    binary_ends: [-1077.0, 1025.0],
    flat: [-50.0, 1000.0],
};

#[inline(always)]
fn constants(format: Format) -> &'static Constants {
    format.pick(&SINGLE, &DOUBLE)
}

/// eˣ.
///
/// Measured error: below 0.95 ulp.
#[inline(always)]
pub fn exp<M: Machine>(m: &mut M, x: M::F) -> M::F {
    // Beyond the ends the result is 0 or ∞ all the same, and 2ᵏ has a finite k.
    let x = at_most(m, x, constants(m.format()).ends[1]);
    let (y, k) = exp_parts(m, x);
    m.scale(y.hi, k)
}

/// eˣ for x ≤ 0, and what its rounding left out, in units of it.
#[inline(always)]
pub(super) fn exp_and_tail<M: Machine>(m: &mut M, x: M::F) -> (M::F, M::F) {
    let (y, k) = exp_parts(m, x);
    (m.scale(y.hi, k), y.lo)
}

/// eˣ = 2ᵏ · pair for x up to the upper end, of which the low part is about a quarter of an ulp off.
#[inline(always)]
fn exp_parts<M: Machine>(m: &mut M, x: M::F) -> (Pair<M::F>, M::F) {
    let Constants { ln_2: [ln_2, ln_2_low], exp, ends, .. } = constants(m.format());
    let x = at_least(m, x, ends[0]);
    let (k, _) = nearest_multiple(m, x, LOG2_E);
    let exact = calc!(m, x - k * [*ln_2]);
    let c = calc!(m, k * [-ln_2_low]);
    let r = calc!(m, exact + c);
    let p = polynomial_in_two(m, r, exp);
    // eʳ = 1 + (r + r²p), with c among the small terms, where its rounding is harmless.
    let most = calc!(m, exact + ((r * r) * p + c));
    let one = m.f(1.0);
    (fast_two_sum(m, one, most), k)
}

/// 2ˣ; exact for integers.
///
/// Measured error: below 0.9 ulp.
#[inline(always)]
pub fn exp2<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let Constants { exp2, binary_ends, .. } = constants(m.format());
    let x = at_most(m, x, binary_ends[1]);
    let x = at_least(m, x, binary_ends[0]);
    let (k, _) = nearest_multiple(m, x, 1.0);
    let r = calc!(m, x - k);
    let p = polynomial_in_two(m, r, exp2);
    let tail = m.format().pick(LN_2 - f64::from(std::f32::consts::LN_2), LN2_TAIL);
    let y = calc!(m, [1.0] + (r * [LN_2] + ((r * r) * p + (r * [tail]))));
    m.scale(y, k)
}

/// eˣ − 1, accurate in relative terms at 0.
///
/// Measured error: below 1.2 ulp.
#[inline(always)]
pub fn expm1<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let Constants { ends, flat, .. } = constants(m.format());
    let bounded = at_most(m, x, ends[1]);
    let bounded = at_least(m, bounded, flat[0]);
    let zero = m.f(0.0);
    let Reduced { r, tail, k } = reduce(m, bounded, zero);
    // 2ᵏ((1 − 2⁻ᵏ) + r + tail); 1 − 2⁻ᵏ is 0 or at least 1/2 in magnitude.
    let bounded_k = at_most(m, k, flat[1]);
    let k_negated = m.neg(bounded_k);
    let inverse = m.power_of_two(k_negated);
    let whole = calc!(m, [1.0] - inverse);
    let lost = calc!(m, ([1.0] - whole) - inverse);
    let sum = fast_two_sum(m, whole, r);
    let (hi, lo) = (sum.hi, sum.lo);
    let y = calc!(m, hi + (lo + (tail + lost)));
    let y = m.scale(y, k);
    m.copysign(y, x)
}

/// e^(x.hi + x.lo) = 2ᵏ(1 + r + tail).
pub(super) struct Reduced<F> {
    pub r: F,
    /// |tail| ≤ 0.065, to about 2⁻⁵⁸ in absolute terms.
    pub tail: F,
    /// Integral.
    pub k: F,
}

/// e^(hi + lo) for |hi| ≤ 1000 (100 in single precision) and |lo| ≤ ulp(hi), before the last
/// roundings.
#[inline(always)]
pub(super) fn reduce<M: Machine>(m: &mut M, hi: M::F, lo: M::F) -> Reduced<M::F> {
    let Constants { ln_2: [ln_2, ln_2_low], exp, .. } = constants(m.format());
    let (k, _) = nearest_multiple(m, hi, LOG2_E);
    let exact = calc!(m, hi - k * [*ln_2]);
    let c = calc!(m, lo - k * [*ln_2_low]);
    let Pair { hi: r, lo: low } = fast_two_sum(m, exact, c);
    let p = polynomial(m, r, exp);
    // e^(r + low) = eʳ + low·eʳ, and eʳ ≈ 1 + r is enough for so small a term.
    let tail = calc!(m, (r * r) * p + (low * r + low));
    Reduced { r, tail, k }
}

/// e^(hi + lo) = 2ᵏ · pair, the pair normalised and in [0.7, 1.42].
#[inline(always)]
pub(super) fn exp_pair<M: Machine>(m: &mut M, hi: M::F, lo: M::F) -> (Pair<M::F>, M::F) {
    let Reduced { r, tail, k } = reduce(m, hi, lo);
    let one = m.f(1.0);
    let Pair { hi, lo } = fast_two_sum(m, one, r);
    let lo = calc!(m, lo + tail);
    (normalise(m, Pair { hi, lo }), k)
}

/// e^(hi + lo) rounded once, for any hi; subnormal results and overflow included.
#[inline(always)]
pub(super) fn exp_of_pair<M: Machine>(m: &mut M, x: Pair<M::F>) -> M::F {
    let bounded = at_most(m, x.hi, 800.0);
    let bounded = at_least(m, bounded, -800.0);
    // Beyond the bounds the low part may be ∞ − ∞, and no longer matters.
    let inside = m.eq(bounded, x.hi);
    let zero = m.f(0.0);
    let lo = m.select(inside, x.lo, zero);
    let (y, k) = exp_pair(m, bounded, lo);
    let y = round_pair(m, y);
    m.scale(y, k)
}

/// e^(hi + lo) for hi ≤ 0 as a pair at its own scale: hi is right down to the
/// subnormals, where lo is negligible.
#[inline(always)]
pub(super) fn exp_of_negative<M: Machine>(m: &mut M, x: Pair<M::F>) -> Pair<M::F> {
    let bounded = at_least(m, x.hi, -746.0);
    let inside = m.eq(bounded, x.hi);
    let zero = m.f(0.0);
    let lo = m.select(inside, x.lo, zero);
    let (y, k) = exp_pair(m, bounded, lo);
    let hi = m.scale(y.hi, k);
    let factor = m.power_of_two(k);
    let least = m.f(-1022.0);
    let subnormal = m.lt(k, least);
    let lo = m.mul(y.lo, factor);
    let lo = m.select(subnormal, zero, lo);
    Pair { hi, lo }
}
