//! Γ, log |Γ| and the first two derivatives, scalar, in pairs of doubles.
//!
//! What must stay true: a sum is kept in a pair until it is rounded, so that what cancels between
//! Stirling's series and the shift does not show. Near the zeros of log Γ and ψ at x > 0 polynomials
//! that have the zeros as factors take over; for x < 0 the zeros are right in absolute terms only.
//!
//! Recurrence, reflection and asymptotic series: DLMF 5.5, 5.11 and 5.15.
//! Coefficients: `tests/it/data/elementary_fit.py`, tables LGAMMA and DIGAMMA.

use std::f64::consts::PI;

use super::Plain;
use super::exponential::exp_pair;
use super::pair::{self, normalise, two_product, two_sum};
use super::power::log_pair;
use super::trigonometric::kernels;

type Pair = pair::Pair<f64>;

/// log Γ(x)/((x − 1)(x − 2)) in u = x − 3/2, |u| ≤ 0.62, to 2⁻⁵⁹.
#[rustfmt::skip]
const LGAMMA: [f64; 25] = [
    0.4831289505409809, -0.14595989591430605, 0.06291140107456464, -0.03130848750102014,
    0.016797098631227074, -0.009425622447743974, 0.005446457842416912, -0.0032120741038870523,
    0.0019229161992854742, -0.0011644139256115954, 0.0007115212861218943, -0.00043800206714479574,
    0.0002712873783782037, -0.00016883710346845702, 0.00010555093275427791, -6.662836119068633e-05,
    4.212743142225643e-05, -2.5238466783429727e-05, 1.5578365724729037e-05, -1.3438149566907596e-05,
    9.269781061522866e-06, -1.0805374459518604e-07, -6.392614403052943e-07, -5.093684486373676e-06,
    3.573420966284769e-06,
];

/// ψ(x)/(x − x₀) in u = x − 3/2, |u| ≤ 1/2, to 2⁻⁵³.
#[rustfmt::skip]
const DIGAMMA: [f64; 21] = [
    0.951055876031833, -0.4236274212814572, 0.24054248424076244, -0.1484049230548796,
    0.09498872445649634, -0.061922133189207744, 0.04076083373278218, -0.02697580007804141,
    0.017907254510550315, -0.011908145665668031, 0.007926913710876424, -0.0052809117271387235,
    0.0035192876905079397, -0.0023374992204859097, 0.0015550488367252987,
    -0.0010778821974439562, 0.0007287093143722572, -0.0003543711875700635,
    0.00021709978243126, -0.0003787217265321515, 0.0002677924009561067,
];

/// The positive zero x₀ of ψ, in two parts (OEIS A030169).
const ZERO: Pair = Pair { hi: 1.461_632_144_968_362_3, lo: 9.549_995_429_965_697e-17 };
const PI_PAIR: Pair = Pair { hi: PI, lo: 1.224_646_799_147_353_2e-16 };
const HALF_LOG_TWO_PI: Pair = Pair { hi: 0.918_938_533_204_672_8, lo: -3.878_294_158_067_241_4e-17 };
const ONE: Pair = Pair { hi: 1.0, lo: 0.0 };

/// Bernoulli's B₂, B₄, …, B₂₀ (DLMF 24.2).
#[rustfmt::skip]
pub(super) const BERNOULLI: [f64; 10] = [
    1.0 / 6.0, -1.0 / 30.0, 1.0 / 42.0, -1.0 / 30.0, 5.0 / 66.0, -691.0 / 2730.0,
    7.0 / 6.0, -3617.0 / 510.0, 43867.0 / 798.0, -174611.0 / 330.0,
];

/// From here on ten terms of the asymptotic series are enough.
const FAR: f64 = 16.0;
/// Below this Γ(x) = 1/x and its like, in double precision.
const TINY: f64 = 1e-20;
/// Where the polynomials for log Γ and for ψ hold.
const NEAR_ZEROS: std::ops::RangeInclusive<f64> = 0.9..=2.1;
const NEAR_ZERO: std::ops::RangeInclusive<f64> = 1.0..=2.0;

/// Γ(x).
pub(super) fn gamma(x: f64) -> f64 {
    match x {
        _ if x.abs() < TINY => 1.0 / x,
        _ if x > 172.0 => f64::INFINITY,
        _ if x > 0.0 => {
            let (y, k) = gamma_parts(single(x));
            libm::scalbn(y.hi + y.lo, k)
        }
        _ if is_pole(x) || x.is_nan() => f64::NAN,
        // Γ(x) = π/(sin πx · Γ(1 − x)), below the least number from −190 on.
        _ => {
            let (sine, _) = sin_cos_pi(x);
            let (y, k) = gamma_parts(sum(ONE, single(-x.max(-190.5))));
            let y = divide(PI_PAIR, product(sine, y));
            libm::scalbn(y.hi + y.lo, -k)
        }
    }
}

/// log |Γ(x)|.
pub(super) fn lgamma(x: f64) -> f64 {
    match x {
        _ if NEAR_ZEROS.contains(&x) => {
            let zeros = product(sum(single(x), single(-1.0)), sum(single(x), single(-2.0)));
            rounded(product(zeros, horner_pair(x - 1.5, &LGAMMA)))
        }
        _ if x.is_nan() => x,
        _ if x.is_infinite() || is_pole(x) => f64::INFINITY,
        _ if x.abs() < TINY => -super::log(&mut Plain, x.abs()),
        _ if x > 0.0 => rounded(log_gamma(single(x))),
        _ => {
            let (sine, _) = sin_cos_pi(x);
            let sine = if sine.hi < 0.0 { negated(sine) } else { sine };
            let log = log(divide(PI_PAIR, sine));
            rounded(difference(log, log_gamma(sum(ONE, single(-x)))))
        }
    }
}

/// ψ(x).
pub(super) fn digamma(x: f64) -> f64 {
    match x {
        _ if NEAR_ZERO.contains(&x) => {
            rounded(product(difference(single(x), ZERO), horner_pair(x - 1.5, &DIGAMMA)))
        }
        _ if x.is_nan() || x == f64::INFINITY => x,
        _ if is_pole(x) => f64::NAN,
        _ if x.abs() < TINY => -1.0 / x,
        _ if x > 0.0 => rounded(psi(single(x))),
        // ψ(x) = ψ(1 − x) − π cot πx
        _ => {
            let (sine, cosine) = sin_cos_pi(x);
            let cotangent = product(PI_PAIR, divide(cosine, sine));
            rounded(difference(psi(sum(ONE, single(-x))), cotangent))
        }
    }
}

/// ψ′(x).
pub(super) fn trigamma(x: f64) -> f64 {
    match x {
        _ if x.is_nan() || is_pole(x) => f64::NAN,
        _ if x == f64::INFINITY => 0.0,
        _ if x.abs() < TINY => 1.0 / x / x,
        _ if x > 0.0 => rounded(psi_prime(single(x))),
        // ψ′(x) = π²/sin² πx − ψ′(1 − x)
        _ => {
            let (sine, _) = sin_cos_pi(x);
            let ratio = divide(PI_PAIR, sine);
            rounded(difference(product(ratio, ratio), psi_prime(sum(ONE, single(-x)))))
        }
    }
}

/// 0, −1, −2, … and −∞.
fn is_pole(x: f64) -> bool {
    x <= 0.0 && x == x.floor()
}

/// Γ(x) = pair · 2ᵏ for 0 < x ≤ 192.
fn gamma_parts(x: Pair) -> (Pair, i32) {
    let (y, shift) = shifted(x, ONE, product);
    let log = stirling(y);
    let (e, k) = exp_pair(&mut Plain, log.hi, log.lo);
    (divide(e, shift), k as i32)
}

/// log Γ(x) for x > 0.
fn log_gamma(x: Pair) -> Pair {
    if x.hi > 1e17 {
        // The other terms are below an ulp.
        let y = product(x, difference(log(x), ONE));
        return if y.hi.is_finite() { y } else { single(f64::INFINITY) };
    }
    let (y, shift) = shifted(x, ONE, product);
    difference(stirling(y), log(shift))
}

/// ψ(x) = log y − 1/2y − Σ B₂ₖ/(2k·y²ᵏ) − Σ 1/(x + i), y = x + n.
fn psi(x: Pair) -> Pair {
    let (y, shift) = shifted(x, single(0.0), |total, x| sum(total, divide(ONE, x)));
    let inverse = 1.0 / y.hi;
    let z = inverse * inverse;
    let tail = 0.5 * inverse + z * series(z, |k, b| b / (2.0 * k));
    // What 1/2y leaves out of 1/(2(y.hi + y.lo)) is far below the rest's last bit.
    difference(difference(log(y), single(tail)), shift)
}

/// ψ′(x) = 1/y + 1/2y² + Σ B₂ₖ/y²ᵏ⁺¹ + Σ 1/(x + i)², y = x + n.
fn psi_prime(x: Pair) -> Pair {
    let square = |total, x| {
        let inverse = divide(ONE, x);
        sum(total, product(inverse, inverse))
    };
    let (y, shift) = shifted(x, single(0.0), square);
    let inverse = divide(ONE, y);
    let z = inverse.hi * inverse.hi;
    let tail = 0.5 * z + inverse.hi * z * series(z, |_, b| b);
    sum(sum(inverse, single(tail)), shift)
}

/// y = x + n ≥ FAR, and x, x + 1, …, y − 1 folded.
fn shifted(x: Pair, start: Pair, fold: impl Fn(Pair, Pair) -> Pair) -> (Pair, Pair) {
    let (mut y, mut folded) = (x, start);
    while y.hi < FAR {
        folded = fold(folded, y);
        y = sum(y, ONE);
    }
    (y, folded)
}

/// log Γ(y) = (y − 1/2) log y − y + log(2π)/2 + Σ B₂ₖ/(2k(2k − 1)y²ᵏ⁻¹) for y ≥ FAR.
fn stirling(y: Pair) -> Pair {
    let main = product(sum(y, single(-0.5)), log(y));
    let inverse = 1.0 / y.hi;
    let tail = inverse * series(inverse * inverse, |k, b| b / (2.0 * k * (2.0 * k - 1.0)));
    sum(sum(difference(main, y), HALF_LOG_TWO_PI), single(tail))
}

/// Σ c(k, B₂ₖ) zᵏ⁻¹ over the Bernoulli numbers.
pub(super) fn series(z: f64, c: impl Fn(f64, f64) -> f64) -> f64 {
    let terms = BERNOULLI.iter().enumerate().rev();
    terms.fold(0.0, |sum, (i, &b)| sum * z + c(i as f64 + 1.0, b))
}

/// c₀ + c₁x + c₂x² + …
pub(super) fn horner(x: f64, coefficients: &[f64]) -> f64 {
    let terms = coefficients.iter().rev();
    terms.fold(0.0, |sum: f64, &c| sum.mul_add(x, c))
}

/// The same, the last sum not rounded.
fn horner_pair(x: f64, coefficients: &[f64]) -> Pair {
    sum(single(coefficients[0]), two_product(&mut Plain, x, horner(x, &coefficients[1..])))
}

/// sin πx and cos πx, the reduction exact.
fn sin_cos_pi(x: f64) -> (Pair, Pair) {
    let nearest = x.round_ties_even();
    let r = (x - nearest).abs();
    let swaps = r > 0.25;
    let turn = product(PI_PAIR, single(if swaps { 0.5 - r } else { r }));
    let (sine, cosine) = kernels(&mut Plain, turn);
    let (sine, cosine) = (normalise(&mut Plain, sine), normalise(&mut Plain, cosine));
    let (sine, cosine) = if swaps { (cosine, sine) } else { (sine, cosine) };
    let odd = nearest.rem_euclid(2.0) != 0.0;
    let flips = odd != (x < nearest);
    (if flips { negated(sine) } else { sine }, if odd { negated(cosine) } else { cosine })
}

fn single(x: f64) -> Pair {
    Pair { hi: x, lo: 0.0 }
}

fn rounded(x: Pair) -> f64 {
    x.hi + x.lo
}

fn negated(x: Pair) -> Pair {
    Pair { hi: -x.hi, lo: -x.lo }
}

fn sum(a: Pair, b: Pair) -> Pair {
    let s = two_sum(&mut Plain, a.hi, b.hi);
    normalise(&mut Plain, Pair { hi: s.hi, lo: s.lo + (a.lo + b.lo) })
}

fn difference(a: Pair, b: Pair) -> Pair {
    sum(a, negated(b))
}

fn product(a: Pair, b: Pair) -> Pair {
    let p = two_product(&mut Plain, a.hi, b.hi);
    normalise(&mut Plain, Pair { hi: p.hi, lo: p.lo + (a.hi * b.lo + a.lo * b.hi) })
}

fn divide(a: Pair, b: Pair) -> Pair {
    let q = pair::divide(&mut Plain, a, b);
    normalise(&mut Plain, q)
}

/// log x for x > 0.
fn log(x: Pair) -> Pair {
    sum(log_pair(&mut Plain, x.hi), single(x.lo / x.hi))
}
