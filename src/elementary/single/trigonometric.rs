//! sin, cos, sinpi, cospi in single precision.
//!
//! What must stay true: |x| = k·π/2 + r with |r| ≤ 0.8 right to an ulp of itself; the parts of π/2
//! have 24 bits each, fma makes the first step exact, and the second lets no digits go.
//!
//! Coefficients: `tests/it/data/elementary_fit.py`, tables SIN_SINGLE and COS_SINGLE.

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2, PI};

use crate::elementary::Foreign;
use crate::elementary::machine::Machine;
use crate::elementary::pair::{Pair, calc, nearest_multiple, polynomial, two_product};
use crate::elementary::trigonometric::within_a_turn;

/// π/2 in three singles.
const PARTS: [f64; 3] = {
    let first = FRAC_PI_2 as f32 as f64;
    let second = (FRAC_PI_2 - first) as f32 as f64;
    [first, second, FRAC_PI_2 - first - second + 6.123_233_995_736_766e-17]
};

/// Above this k is no longer right, and the double function is called.
const HUGE: f64 = 131_072.0;

/// (sin r / r − 1)/z in z = r² ≤ 0.64, to 2⁻²⁷.
const SIN: [f64; 3] = [-0.16666654, 0.008332109, -0.00019507177];

/// (cos r − 1 + z/2)/z² in z = r² ≤ 0.64, to 2⁻³³.
const COS: [f64; 3] = [0.041666645, -0.0013887269, 2.4426565e-05];

/// The sine of x radians.
#[inline(always)]
pub fn sin<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let Reduced { r, turns, huge } = reduce(m, x);
    let [sine, cosine] = kernels(m, r);
    let odd = is_odd(m, turns);
    let y = m.select(odd, cosine, sine);
    // The sign of the half turns and that of x, which keeps −0.
    let half_turns = m.shl(turns, SIGN - 1);
    let bits = m.to_bits(x);
    let sign = m.ixor(half_turns, bits);
    let y = flip(m, sign, y);
    m.rare(huge, Foreign::Sin, &[x], y)
}

/// The cosine of x radians.
#[inline(always)]
pub fn cos<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let Reduced { r, turns, huge } = reduce(m, x);
    let [sine, cosine] = kernels(m, r);
    let odd = is_odd(m, turns);
    let y = m.select(odd, sine, cosine);
    let (half_turns, quarter) = (m.shl(turns, SIGN - 1), m.i(1 << (SIGN - 1)));
    let sign = m.iadd(half_turns, quarter);
    let y = flip(m, sign, y);
    m.rare(huge, Foreign::Cos, &[x], y)
}

/// The sine of x half turns.
#[inline(always)]
pub fn sinpi<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let (turns, [sine, cosine]) = of_half_turns(m, x);
    let odd = is_odd(m, turns);
    let y = m.select(odd, cosine, sine);
    let half_turns = m.shl(turns, SIGN - 1);
    let y = flip(m, half_turns, y);
    let y = calc!(m, y + [0.0]);
    let sign = m.to_bits(x);
    flip(m, sign, y)
}

/// The cosine of x half turns.
#[inline(always)]
pub fn cospi<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let (turns, [sine, cosine]) = of_half_turns(m, x);
    let odd = is_odd(m, turns);
    let y = m.select(odd, sine, cosine);
    let (half_turns, quarter) = (m.shl(turns, SIGN - 1), m.i(1 << (SIGN - 1)));
    let sign = m.iadd(half_turns, quarter);
    let y = flip(m, sign, y);
    calc!(m, y + [0.0])
}

/// π·|x| = turns·π/2 + r up to whole turns; sin r and cos r.
#[inline(always)]
fn of_half_turns<M: Machine>(m: &mut M, x: M::F) -> (M::I, [M::F; 2]) {
    let x = within_a_turn(m, x);
    let (k, turns) = nearest_multiple(m, x, 2.0);
    let rest = calc!(m, x - k * [0.5]);
    let (pi, tail) = (m.f(PI), m.f(PI - f64::from(PI as f32)));
    let Pair { hi, lo } = two_product(m, rest, pi);
    let lo = calc!(m, rest * tail + lo);
    let [_, cosine] = kernels(m, hi);
    // The sine keeps what r = hi + lo loses when it is rounded; the cosine hardly feels it.
    let z = calc!(m, hi * hi);
    let s = polynomial(m, z, &SIN);
    let sine = calc!(m, hi + ((hi * z) * s + lo));
    (turns, [sine, cosine])
}

/// The place of the sign.
const SIGN: u32 = 31;

/// |x| = turns·π/2 + r, of which the low two bits of `turns` matter, unless |x| is `huge`.
struct Reduced<M: Machine> {
    r: M::F,
    turns: M::I,
    huge: M::B,
}

#[inline(always)]
fn reduce<M: Machine>(m: &mut M, x: M::F) -> Reduced<M> {
    let x = m.abs(x);
    let (k, turns) = nearest_multiple(m, x, FRAC_2_PI);
    let r = calc!(m, x - k * [PARTS[0]]);
    let r = calc!(m, r - k * [PARTS[1]]);
    let r = calc!(m, r - k * [PARTS[2]]);
    let limit = m.f(HUGE);
    Reduced { r, turns, huge: m.lt(limit, x) }
}

/// sin r and cos r.
#[inline(always)]
fn kernels<M: Machine>(m: &mut M, r: M::F) -> [M::F; 2] {
    let z = calc!(m, r * r);
    let s = polynomial(m, z, &SIN);
    let sine = calc!(m, (r * z) * s + r);
    let c = polynomial(m, z, &COS);
    let cosine = calc!(m, (z * c - [0.5]) * z + [1.0]);
    [sine, cosine]
}

#[inline(always)]
fn is_odd<M: Machine>(m: &mut M, turns: M::I) -> M::B {
    let one = m.i(1);
    let bit = m.iand(turns, one);
    m.ieq(bit, one)
}

/// −y where `sign` has its highest bit set.
#[inline(always)]
fn flip<M: Machine>(m: &mut M, sign: M::I, y: M::F) -> M::F {
    let highest = m.i(1 << SIGN);
    let sign = m.iand(sign, highest);
    let bits = m.to_bits(y);
    let bits = m.ixor(bits, sign);
    m.from_bits(bits)
}
