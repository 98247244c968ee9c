//! atan in single precision.
//!
//! What must stay true: the polynomial's argument is at most 1; beyond, atan x = π/2 − atan 1/x.
//!
//! Coefficients: `tests/it/data/elementary_fit.py`, table ATAN_SINGLE.

use std::f64::consts::FRAC_PI_2;

use crate::elementary::machine::Machine;
use crate::elementary::pair::{calc, polynomial};

/// (atan t / t − 1)/z in z = t² ≤ 1, to 2⁻²⁶.
#[rustfmt::skip]
const ATAN: [f64; 8] = [
    -0.33333167, 0.19994138, -0.14214216, 0.10678969, -0.075806394, 0.043554217, -0.016581547,
    0.0029746624,
];

/// π/2 less the single nearest to it.
const FRAC_PI_2_TAIL: f64 = FRAC_PI_2 - std::f32::consts::FRAC_PI_2 as f64;

/// The angle in [−π/2, π/2] whose tangent is x.
#[inline(always)]
pub fn atan<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let magnitude = m.abs(x);
    let one = m.f(1.0);
    let swapped = m.lt(one, magnitude);
    let inverse = calc!(m, one / magnitude);
    let t = m.select(swapped, inverse, magnitude);
    let z = calc!(m, t * t);
    let p = polynomial(m, z, &ATAN);
    let rest = calc!(m, (t * z) * p);
    let near = calc!(m, t + rest);
    let far = calc!(m, [FRAC_PI_2] - (t + (rest - [FRAC_PI_2_TAIL])));
    let y = m.select(swapped, far, near);
    m.copysign(y, x)
}
