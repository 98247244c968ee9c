//! sigmoid, log_sigmoid, softplus, logaddexp, log1mexp: 1 + eˣ and its logarithm.
//!
//! What must stay true: every result is accurate in relative terms for all x, in
//! the subnormals too; only e^(−|x|) ≤ 1 is ever taken.
//!
//! Coefficients: `tests/it/data/elementary_fit.py`, table SOFTPLUS.

use super::exponential::{exp_and_tail, exp_of_negative};
use super::format::Format;
use super::logarithm::log_of_pair;
use super::machine::Machine;
use super::pair::{
    Pair, at_least, calc, fast_two_sum, normalise, polynomial, polynomial_in_two, round_pair, two_sum,
    unordered,
};

/// (log(1 + e) − e)/e² in e − 1/2 on [0, 1], to 2⁻⁵⁶. The second is an ulp below the fit's, which
/// makes softplus 0 the double nearest to log 2.
#[rustfmt::skip]
const LOG1P: [f64; 20] = [
    -0.37813956756734246, 0.17922493693603717, -0.09323036636366903, 0.05108344610540023,
    -0.02894318316441752, 0.016788742491280192, -0.009909900766955021, 0.005929011560831472,
    -0.003585664774074304, 0.0021876475785942745, -0.0013445311713299688, 0.000831343013125138,
    -0.0005165391240389515, 0.0003234660040279686, -0.00020487920915666382, 0.00012544893864051268,
    -7.108741599653645e-05, 5.274546389953033e-05, -5.1126575423107774e-05, 2.532957538812366e-05,
];

/// The same in e, to 2⁻²⁷.
#[rustfmt::skip]
const LOG1P_SINGLE: [f64; 9] = [
    -0.4999993, 0.33330413, -0.24957404, 0.19688563, -0.15333226, 0.10638162, -0.057192096,
    0.019922, -0.0032485,
];

/// The logistic function 1/(1 + e^(−x)).
///
/// Measured error: below 1.4 ulp.
#[inline(always)]
pub fn sigmoid<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let (zero, one) = (m.f(0.0), m.f(1.0));
    let (e, tail) = rounded_decay(m, x);
    let negative = m.lt(x, zero);
    let numerator = m.select(negative, e, one);
    let tail = m.select(negative, tail, zero);
    let Pair { hi, lo } = fast_two_sum(m, one, e);
    let y = calc!(m, numerator / hi);
    // What both roundings lost, to first order; it counts 1/(1 + e) times, to which a line is near enough.
    let share = calc!(m, [1.0] - e * [0.5]);
    calc!(m, y * ((tail - lo) * share) + y)
}

/// log(1 + eˣ).
///
/// Measured error: below 1.8 ulp.
#[inline(always)]
pub fn softplus<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let (e, tail) = rounded_decay(m, x);
    // A polynomial in e: no division, and no digits cancel, however small e.
    let p = match m.format() {
        Format::Single => polynomial(m, e, &LOG1P_SINGLE),
        Format::Double => {
            let t = calc!(m, e - [0.5]);
            polynomial_in_two(m, t, &LOG1P)
        }
    };
    // What e lacks counts 1/(1 + e) times; the mean of that is enough.
    let lost = calc!(m, tail * [0.75]);
    let rest = calc!(m, e * (e * p + lost) + e);
    let linear = at_least(m, x, 0.0);
    calc!(m, linear + rest)
}

/// log(1/(1 + e^(−x))) = −softplus(−x).
///
/// Measured error: below 1.8 ulp.
#[inline(always)]
pub fn log_sigmoid<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let x = m.neg(x);
    let y = softplus(m, x);
    m.neg(y)
}

/// log(eᵃ + eᵇ).
///
/// Where the result cancels, for a and b both in [−1, 0] and near its zeros, the
/// error is relative to max(a, b), not to the result.
///
/// Measured error: below 0.75 ulp.
#[inline(always)]
pub fn logaddexp<M: Machine>(m: &mut M, a: M::F, b: M::F) -> M::F {
    let less = m.lt(a, b);
    let most = m.select(less, b, a);
    let least = m.select(less, a, b);
    let minus_most = m.neg(most);
    let gap = two_sum(m, least, minus_most);
    let decay = exp_of_negative(m, gap);
    let sum = one_plus(m, decay);
    let log = log_of_pair(m, sum);
    let rest = normalise(m, log);
    let Pair { hi, lo } = two_sum(m, most, rest.hi);
    let below = rest.lo;
    let y = calc!(m, hi + (lo + below));
    let (magnitude, infinity) = (m.abs(most), m.f(f64::INFINITY));
    let infinite = m.eq(magnitude, infinity);
    let y = m.select(infinite, most, y);
    let invalid = unordered(m, a, b);
    let nan = calc!(m, a + b);
    m.select(invalid, nan, y)
}

/// log(1 − eˣ) for x < 0; −∞ at 0, NaN above.
///
/// Measured error: below 0.8 ulp.
#[inline(always)]
pub fn log1mexp<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let decay = decay_of(m, x);
    let negated = Pair { hi: m.neg(decay.hi), lo: m.neg(decay.lo) };
    let difference = one_plus(m, negated);
    let difference = normalise(m, difference);
    let log = log_of_pair(m, difference);
    let y = round_pair(m, log);
    // Never above 0: −0 where eˣ underflows.
    let y = m.abs(y);
    let y = m.neg(y);
    let zero = m.f(0.0);
    let (pole, nan) = (m.f(f64::NEG_INFINITY), m.f(f64::NAN));
    let at_pole = m.eq(x, zero);
    let edge = m.select(at_pole, pole, nan);
    let negative = m.lt(x, zero);
    m.select(negative, y, edge)
}

/// e^(−|x|), and what its rounding left out, in units of it.
#[inline(always)]
fn rounded_decay<M: Machine>(m: &mut M, x: M::F) -> (M::F, M::F) {
    let magnitude = m.abs(x);
    let below = m.neg(magnitude);
    exp_and_tail(m, below)
}

/// e^(−|x|).
#[inline(always)]
fn decay_of<M: Machine>(m: &mut M, x: M::F) -> Pair<M::F> {
    let magnitude = m.abs(x);
    let (hi, lo) = (m.neg(magnitude), m.f(0.0));
    exp_of_negative(m, Pair { hi, lo })
}

/// 1 + x for a pair |x| ≤ 1.
#[inline(always)]
fn one_plus<M: Machine>(m: &mut M, x: Pair<M::F>) -> Pair<M::F> {
    let one = m.f(1.0);
    let Pair { hi, lo } = fast_two_sum(m, one, x.hi);
    let below = x.lo;
    Pair { hi, lo: calc!(m, lo + below) }
}
