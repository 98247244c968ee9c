//! erf in single precision.
//!
//! What must stay true: near 0 a polynomial, beyond 1 − e^(x·p(x)), where the exponential is below
//! 0.2 and what it is off by counts as much less.
//!
//! Coefficients: `tests/it/data/elementary_fit.py`, tables ERF_SINGLE and ERFC_SINGLE.

use std::f64::consts::FRAC_2_SQRT_PI;

use crate::elementary::exponential::exp_and_tail;
use crate::elementary::machine::Machine;
use crate::elementary::pair::{at_most, calc, polynomial};

/// (erf x / x − 2/√π)/z in z = x² ≤ 0.8464, to 2⁻³¹.
#[rustfmt::skip]
const ERF: [f64; 6] = [
    -0.37612636, 0.11283721, -0.02686048, 0.005203117, -0.00081611745, 8.430949e-05,
];

/// log(erfc x)/x for 0.9 ≤ x ≤ 4, to 2⁻³⁴ of 1.
#[rustfmt::skip]
const ERFC: [f64; 9] = [
    -1.1284557, -0.6361459, -0.10405296, 0.021101536, -0.0016801419, -0.00057216172, 0.00023446675,
    -3.697016e-05, 2.3209745e-06,
];

/// 2/√π less the single nearest to it.
const FRAC_2_SQRT_PI_TAIL: f64 = FRAC_2_SQRT_PI - FRAC_2_SQRT_PI as f32 as f64;
/// Where the polynomial near 0 ends.
const NEAR: f64 = 0.92;
/// From here on erf x = 1.
const FLAT: f64 = 4.0;

/// The error function.
#[inline(always)]
pub fn erf<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let magnitude = m.abs(x);
    let bounded = at_most(m, magnitude, FLAT);
    let z = calc!(m, bounded * bounded);
    let p = polynomial(m, z, &ERF);
    let rest = calc!(m, (bounded * z) * p + (bounded * [FRAC_2_SQRT_PI_TAIL]));
    let near = calc!(m, bounded * [FRAC_2_SQRT_PI] + rest);
    let q = polynomial(m, bounded, &ERFC);
    let exponent = calc!(m, bounded * q);
    let (complement, _) = exp_and_tail(m, exponent);
    let far = calc!(m, [1.0] - complement);
    let limit = m.f(NEAR);
    let is_far = m.lt(limit, bounded);
    let y = m.select(is_far, far, near);
    m.copysign(y, x)
}
