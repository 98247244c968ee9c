//! Functions that are one operation away from another: reciprocals, the rectifier, π.

use super::{Machine, cos, sin, sinh, tan, tanh};

/// π, the nearest double.
#[inline(always)]
pub fn pi<M: Machine>(m: &mut M) -> M::F {
    m.f(std::f64::consts::PI)
}

/// `1/cos(x)`; the error of the cosine and half an ulp more.
#[inline(always)]
pub fn sec<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let y = cos(m, x);
    recip(m, y)
}

/// `1/sin(x)`; the error of the sine and half an ulp more.
#[inline(always)]
pub fn csc<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let y = sin(m, x);
    recip(m, y)
}

/// `1/tan(x)`; the error of the tangent and half an ulp more.
#[inline(always)]
pub fn cot<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let y = tan(m, x);
    recip(m, y)
}

/// `1/sinh(x)`; the error of the hyperbolic sine and half an ulp more.
#[inline(always)]
pub fn csch<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let y = sinh(m, x);
    recip(m, y)
}

/// `1/tanh(x)`; the error of the hyperbolic tangent and half an ulp more.
#[inline(always)]
pub fn coth<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let y = tanh(m, x);
    recip(m, y)
}

/// `max(x, 0)`, NaN for NaN, +0 for −0.
#[inline(always)]
pub fn relu<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let zero = m.f(0.0);
    let below = m.le(x, zero);
    m.select(below, zero, x)
}

#[inline(always)]
fn recip<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let one = m.f(1.0);
    m.div(one, x)
}
