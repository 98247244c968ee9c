//! tanh and sech in single precision.
//!
//! What must stay true: both are taken from e = e^(−|x|), so that a machine that merges equal
//! operations takes one exponential for tanh and its derivative.
//!
//! Coefficients: `tests/it/data/elementary_fit.py`, table TANH_SINGLE.

use crate::elementary::exponential::exp_and_tail;
use crate::elementary::machine::Machine;
use crate::elementary::pair::{calc, polynomial};

/// (tanh x / x − 1)/z in z = x² ≤ 1, to 2⁻²⁸.
#[rustfmt::skip]
const TANH: [f64; 7] = [
    -0.333333, 0.133324285, -0.053885057, 0.021501952, -0.007968757, 0.00231793, -0.00036320113,
];

/// The hyperbolic tangent: 1 − 2e²/(1 + e²) beyond 1.
#[inline(always)]
pub fn tanh<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let magnitude = m.abs(x);
    let z = calc!(m, x * x);
    let p = polynomial(m, z, &TANH);
    let near = calc!(m, (magnitude * z) * p + magnitude);
    let Decay { square, sum, .. } = decay(m, magnitude);
    let far = calc!(m, [1.0] - ((square + square) / sum));
    let one = m.f(1.0);
    let is_far = m.lt(one, magnitude);
    // A NaN takes the polynomial.
    let y = m.select(is_far, far, near);
    m.copysign(y, x)
}

/// The hyperbolic secant 2e/(1 + e²).
#[inline(always)]
pub fn sech<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let magnitude = m.abs(x);
    let Decay { e, tail, sum, .. } = decay(m, magnitude);
    let y = calc!(m, (e + e) / sum);
    // What both roundings lost, to first order, and as if 1 + e² were 1.
    let lost = calc!(m, e * e + ([1.0] - sum));
    calc!(m, y * (tail - lost) + y)
}

struct Decay<F> {
    /// e^(−x), and what its rounding left out, in units of it.
    e: F,
    tail: F,
    /// e² and 1 + e².
    square: F,
    sum: F,
}

/// For x ≥ 0.
#[inline(always)]
fn decay<M: Machine>(m: &mut M, x: M::F) -> Decay<M::F> {
    let below = m.neg(x);
    let (e, tail) = exp_and_tail(m, below);
    Decay { e, tail, square: calc!(m, e * e), sum: calc!(m, e * e + [1.0]) }
}
