//! round, sign, min, max: exact, so their error is 0 ulp.
//!
//! What must stay true: NaN in, NaN out.

use super::machine::Machine;
use super::pair::unordered;

/// The nearest integer, halves **away from zero**, as [`f64::round`]; keeps −0.
#[inline(always)]
pub fn round<M: Machine>(m: &mut M, x: M::F) -> M::F {
    // The number before 1/2: x + 1/2 itself would round that number up.
    let half = m.format().pick(f64::from(0.5_f32.next_down()), 0.5_f64.next_down());
    let half = m.f(half);
    let half = m.copysign(half, x);
    let sum = m.add(x, half);
    m.trunc(sum)
}

/// −1, 0 or 1 with the sign of x; ±0 and NaN are returned as they are.
#[inline(always)]
pub fn sign<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let (zero, one) = (m.f(0.0), m.f(1.0));
    let unit = m.copysign(one, x);
    let magnitude = m.abs(x);
    let nonzero = m.lt(zero, magnitude);
    m.select(nonzero, unit, x)
}

/// The lesser; NaN if either is NaN, −0 before +0 (IEEE 754-2019 `minimum`).
#[inline(always)]
pub fn min<M: Machine>(m: &mut M, a: M::F, b: M::F) -> M::F {
    let (a_bits, b_bits) = (m.to_bits(a), m.to_bits(b));
    // Equal numbers differ at most in the sign of 0.
    let both = m.ior(a_bits, b_bits);
    let equal = m.from_bits(both);
    extremum(m, a, b, equal, M::lt)
}

/// The greater; NaN if either is NaN, +0 after −0 (IEEE 754-2019 `maximum`).
#[inline(always)]
pub fn max<M: Machine>(m: &mut M, a: M::F, b: M::F) -> M::F {
    let (a_bits, b_bits) = (m.to_bits(a), m.to_bits(b));
    let both = m.iand(a_bits, b_bits);
    let equal = m.from_bits(both);
    extremum(m, a, b, equal, |m, a, b| m.lt(b, a))
}

/// The one that comes `first`, `equal` where neither does.
#[inline(always)]
fn extremum<M: Machine>(
    m: &mut M,
    a: M::F,
    b: M::F,
    equal: M::F,
    first: impl Fn(&mut M, M::F, M::F) -> M::B,
) -> M::F {
    let a_first = first(m, a, b);
    let b_first = first(m, b, a);
    let y = m.select(b_first, b, equal);
    let y = m.select(a_first, a, y);
    let invalid = unordered(m, a, b);
    let nan = m.add(a, b);
    m.select(invalid, nan, y)
}
