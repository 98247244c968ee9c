//! Functions that are one operation away from another: reciprocals, the rectifier, π.

use super::{Machine, cos, exp, sin, sinh, tan};

/// π, the nearest double.
#[inline(always)]
pub fn pi<M: Machine>(m: &mut M) -> M::F {
    m.f(std::f64::consts::PI)
}

/// `1/cos(x)`, within 1.6 ulp.
#[inline(always)]
pub fn sec<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let y = cos(m, x);
    recip(m, y)
}

/// `1/sin(x)`, within 1.6 ulp.
#[inline(always)]
pub fn csc<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let y = sin(m, x);
    recip(m, y)
}

/// `1/tan(x)`, within 1.6 ulp.
#[inline(always)]
pub fn cot<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let y = tan(m, x);
    recip(m, y)
}

/// `1/sinh(x)`, within 1.8 ulp. Far out it is 2·exp(−|x|) to the last bit, and not yet 0 where
/// sinh overflows.
#[inline(always)]
pub fn csch<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let near = {
        let y = sinh(m, x);
        recip(m, y)
    };
    let size = m.abs(x);
    let (minus, two) = (m.neg(size), m.f(2.0));
    let small = exp(m, minus);
    let far = m.mul(two, small);
    let far = m.copysign(far, x);
    let limit = m.f(FAR);
    let is_far = m.lt(limit, size);
    m.select(is_far, far, near)
}

/// From here on e^(−2x) is below half an ulp of 1.
const FAR: f64 = 20.0;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elementary::Plain;

    #[test]
    fn csch_reaches_where_sinh_overflows() {
        let csch = |x: f64| csch(&mut Plain, x);
        // mpmath to 40 digits; the result is subnormal, so an ulp is the smallest double.
        assert!((csch(712.0) - 1.211598928399783e-309).abs() <= 5e-324);
        assert_eq!(csch(-712.0), -csch(712.0));
        assert_eq!(csch(f64::INFINITY), 0.0);
        assert_eq!(csch(0.0), f64::INFINITY);
        assert!(csch(f64::NAN).is_nan());
        assert!((csch(20.5) * 20.5f64.sinh() - 1.0).abs() < 4e-16);
    }
}
