//! log, log2 and log1p in single precision.
//!
//! What must stay true: x = 2ᵏ(1 + f) as in double precision; log(1 + f) = f + f²(fP − 1/2), which
//! needs no division.
//!
//! Coefficients: `tests/it/data/elementary_fit.py`, table LOG_SINGLE.

use std::f64::consts::{LN_2, LOG2_E};

use crate::elementary::logarithm::{Split, edges, split};
use crate::elementary::machine::Machine;
use crate::elementary::pair::{calc, polynomial, two_sum};

/// (log(1 + f) − f + f²/2)/f³ on [√½ − 1, √2 − 1], to 2⁻²⁷.
#[rustfmt::skip]
const LOG: [f64; 8] = [
    0.33333317, -0.2500081, 0.200022719, -0.166245513, 0.14181518, -0.13129204, 0.1287936,
    -0.078551635,
];

/// ln 2 and 1/ln 2 less the singles nearest to them.
const LN_2_TAIL: f64 = LN_2 - std::f32::consts::LN_2 as f64;
const LOG2_E_TAIL: f64 = LOG2_E - std::f32::consts::LOG2_E as f64;

/// The natural logarithm.
#[inline(always)]
pub fn log<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let Split { k, f } = split(m, x);
    let c = calc!(m, k * [LN_2_TAIL]);
    let y = log_sum(m, k, f, c);
    edges(m, x, y)
}

/// log(1 + x): that of the rounded sum, and what rounding lost over it.
#[inline(always)]
pub fn log1p<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let one = m.f(1.0);
    let sum = two_sum(m, one, x);
    let Split { k, f } = split(m, sum.hi);
    let (hi, lo) = (sum.hi, sum.lo);
    let c = calc!(m, k * [LN_2_TAIL] + (lo / hi));
    let y = log_sum(m, k, f, c);
    let y = edges(m, hi, y);
    // Keeps the sign of −0, which 1 + x has lost.
    let zero = m.f(0.0);
    let is_zero = m.eq(x, zero);
    m.select(is_zero, x, y)
}

/// The logarithm to base 2; exact for powers of 2.
#[inline(always)]
pub fn log2<M: Machine>(m: &mut M, x: M::F) -> M::F {
    let Split { k, f } = split(m, x);
    let rest = rest(m, f);
    let c = calc!(m, rest * [LOG2_E] + (f * [LOG2_E_TAIL]));
    let y = calc!(m, f * [LOG2_E] + c);
    let y = calc!(m, k + y);
    edges(m, x, y)
}

/// k·ln 2 + log(1 + f) + (c − k·LN_2_TAIL).
#[inline(always)]
fn log_sum<M: Machine>(m: &mut M, k: M::F, f: M::F, c: M::F) -> M::F {
    let rest = rest(m, f);
    let c = calc!(m, rest + c);
    calc!(m, k * [LN_2] + (f + c))
}

/// log(1 + f) − f.
#[inline(always)]
fn rest<M: Machine>(m: &mut M, f: M::F) -> M::F {
    let p = polynomial(m, f, &LOG);
    calc!(m, (f * f) * (f * p - [0.5]))
}
