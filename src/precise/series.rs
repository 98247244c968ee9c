//! exp, log, sine and cosine, arctangent, and the constants they need, as integers with a fixed point.
//!
//! What must stay true: a result is right to `precision` bits of its own, whatever its size; the guard
//! bits are counted beside each loop. Nothing is shared with `elementary`.

use super::ball::{Ball, Stuck};
use super::float::Float;
use dashu_base::{Abs, BitTest, Signed, UnsignedAbs};
use dashu_int::IBig;
use std::cmp::Ordering;
use std::sync::Mutex;

/// Bits more than asked for: rounding in the few hundred steps of a series.
const GUARD: usize = 40;

/// Longest argument, in bits before the point, that is reduced by a period or by log 2.
const LONGEST: i64 = 1 << 13;

/// A constant to as many places as were ever asked for.
struct Cached(Mutex<(usize, IBig)>);

impl Cached {
    const fn new() -> Cached {
        Cached(Mutex::new((0, IBig::ZERO)))
    }

    /// ⌊c·2^places⌋, but for a few units.
    fn get(&self, places: usize, compute: impl FnOnce(usize) -> IBig) -> IBig {
        let mut held = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if held.0 < places {
            let more = places.next_power_of_two().max(512);
            *held = (more, compute(more));
        }
        &held.1 >> (held.0 - places)
    }
}

static PI: Cached = Cached::new();
static LN_2: Cached = Cached::new();

/// Σ ±1/((2k+1)·n^(2k+1)): arctan(1/n), or artanh(1/n) with all signs positive.
fn inverse_series(n: i64, alternating: bool, places: usize) -> IBig {
    let square = IBig::from(n * n);
    let mut power = (IBig::ONE << places) / IBig::from(n);
    let (mut total, mut k) = (IBig::ZERO, 0i64);
    while power != IBig::ZERO {
        let term = &power / IBig::from(2 * k + 1);
        total += if alternating && k % 2 == 1 { -term } else { term };
        power /= &square;
        k += 1;
    }
    total
}

/// π·2^places: Machin, 16 arctan(1/5) − 4 arctan(1/239).
fn pi_fixed(places: usize) -> IBig {
    PI.get(places, |places| {
        let w = places + GUARD;
        let sum = IBig::from(16) * inverse_series(5, true, w) - IBig::from(4) * inverse_series(239, true, w);
        sum >> GUARD
    })
}

/// log 2 · 2^places: 18 artanh(1/26) − 2 artanh(1/4801) + 8 artanh(1/8749).
fn ln_2_fixed(places: usize) -> IBig {
    LN_2.get(places, |places| {
        let w = places + GUARD;
        let part = |c: i64, n: i64| IBig::from(c) * inverse_series(n, false, w);
        (part(18, 26) - part(2, 4801) + part(8, 8749)) >> GUARD
    })
}

fn from_fixed(value: IBig, places: usize) -> Float {
    Float::new(value, -IBig::from(places))
}

pub fn pi(precision: usize) -> Ball {
    Ball::to_bits(from_fixed(pi_fixed(precision + 8), precision + 8), precision)
}

pub fn ln_2(precision: usize) -> Ball {
    Ball::to_bits(from_fixed(ln_2_fixed(precision + 8), precision + 8), precision)
}

/// The bits of x before its point, if they are few enough to reduce x.
fn length(x: &Float) -> Result<i64, Stuck> {
    let top = x.top().unwrap_or(IBig::ZERO);
    i64::try_from(&top).ok().filter(|&t| t <= LONGEST).ok_or(match top.is_negative() {
        true => Stuck::Imprecise,
        false => Stuck::Huge,
    })
}

/// e^x for x = r·2^−w with |r| < 2^w, to w places less a few.
fn exp_fixed(r: &IBig, w: usize) -> IBig {
    let halvings = w.isqrt() / 2 + 4;
    let w2 = w + 2 * halvings + 8;
    let r = (r << (w2 - w)) >> halvings;
    let one = IBig::ONE << w2;
    let (mut total, mut term, mut k) = (one.clone() + &r, r.clone(), 2i64);
    loop {
        term = ((&term * &r) >> w2) / IBig::from(k);
        // A negative term shifted right ends at −1.
        if term.clone().abs() <= IBig::ONE {
            break;
        }
        total += &term;
        k += 1;
    }
    for _ in 0..halvings {
        total = (&total * &total) >> w2;
    }
    total >> (w2 - w)
}

/// e^x of a ball.
pub fn exp(x: &Ball, precision: usize) -> Result<Ball, Stuck> {
    if x.is_zero() {
        return Ok(Ball::integer(1));
    }
    if x.error().is_some_and(|e| e >= IBig::ZERO) {
        return Err(Stuck::Imprecise);
    }
    // e^(y ± ε) is e^y·(1 ± 2ε).
    let widened = |y: Ball| {
        let error = x.error().zip(y.top()).map(|(e, top)| e + top + IBig::ONE);
        y.widened(error)
    };
    let top = x.middle.top().unwrap_or(IBig::ZERO);
    if top < -IBig::from(precision) {
        let tiny = Ball::around(Float::integer(1), top + IBig::ONE);
        return Ok(widened(tiny));
    }
    let places = precision + GUARD;
    let wide = places + length(&x.middle)?.max(0) as usize + 8;
    let fixed = x.middle.fixed(wide).ok_or(Stuck::Huge)?;
    let ln_2 = ln_2_fixed(wide);
    let k = (&fixed + (&ln_2 >> 1usize)).div_euclid_by(&ln_2);
    let r = (fixed - &k * &ln_2) >> (wide - places);
    let y = from_fixed(exp_fixed(&r, places), places);
    Ok(widened(Ball::to_bits(y.scaled(&k), precision)))
}

/// Division rounded towards −∞, by a positive number.
trait DivEuclidBy {
    fn div_euclid_by(&self, by: &IBig) -> IBig;
}

impl DivEuclidBy for IBig {
    fn div_euclid_by(&self, by: &IBig) -> IBig {
        let quotient = self / by;
        if &quotient * by > *self { quotient - IBig::ONE } else { quotient }
    }
}

/// log x of a ball of positive numbers.
pub fn log(x: &Ball, precision: usize) -> Result<Ball, Stuck> {
    match x.sign()? {
        Ordering::Greater => {}
        _ => return Err(Stuck::Undefined),
    }
    let one = Float::integer(1);
    if x.is_exact() && x.middle.compare(&one) == Ordering::Equal {
        return Ok(Ball::integer(0));
    }
    let top = x.middle.top().ok_or(Stuck::Undefined)?;
    // x = m·2^k with m in [3/4, 3/2).
    let m = x.middle.scaled(&-&top);
    let high = m.compare(&Float::new(3.into(), IBig::from(-2))) != Ordering::Less;
    let k = if high { top.clone() } else { &top - IBig::ONE };
    let m = x.middle.scaled(&-&k);
    let near = m.minus(&one).top().map_or(0, |t| usize::try_from(&-t).unwrap_or(0));
    // Near 1 the logarithm is small; of a number times 2^k it is not.
    let lost = if k == IBig::ZERO { near } else { 0 };
    let places = precision + lost + GUARD;
    let y = log_fixed(&m, places)?;
    let wide = k.clone().unsigned_abs().bit_len();
    let whole = (ln_2_fixed(places + wide) * &k) >> wide;
    let sum = from_fixed(y + whole, places);
    // log(a + δ) − log a ≤ |δ|/(a − |δ|).
    Ok(Ball::to_bits(sum, precision).widened(x.error().map(|e| e - top + IBig::from(3))))
}

/// log m for m in [3/4, 3/2), by Halley's steps y + 2(m − e^y)/(m + e^y), each tripling the bits.
fn log_fixed(m: &Float, places: usize) -> Result<IBig, Stuck> {
    let mut steps = vec![places];
    while steps[steps.len() - 1] > 45 {
        let next = steps[steps.len() - 1] / 3 + 8;
        if next >= steps[steps.len() - 1] {
            break;
        }
        steps.push(next);
    }
    let start = m.to_f64().ln();
    let first = steps[steps.len() - 1];
    let mut y = Float::from_f64(start).fixed(first).ok_or(Stuck::Huge)?;
    let mut at = first;
    for &w in steps.iter().rev() {
        let guarded = w + 12;
        y <<= guarded - at;
        let e = exp_fixed(&y, guarded);
        let m = m.fixed(guarded).ok_or(Stuck::Huge)?;
        y += ((&m - &e) << (guarded + 1)) / (&m + &e);
        at = guarded;
    }
    Ok(y >> (at - places))
}

/// Sine and cosine of a ball.
pub fn sin_cos(x: &Ball, precision: usize) -> Result<(Ball, Ball), Stuck> {
    if x.is_zero() {
        return Ok((Ball::integer(0), Ball::integer(1)));
    }
    let Some(top) = x.middle.top() else { return Err(Stuck::Imprecise) };
    let spread = |y: Ball| y.widened(x.error());
    if top < -IBig::from(precision) {
        // sin x = x − x³/6, cos x = 1 − x²/2.
        let cube = &top * IBig::from(3);
        let square = &top * IBig::from(2);
        let sine = Ball::around(x.middle.clone(), cube);
        return Ok((spread(sine), spread(Ball::around(Float::integer(1), square))));
    }
    let size = length(&x.middle)?;
    // A small x has a small sine; so has one near a multiple of π/2, and then more is tried.
    let mut extra = (-size).max(0) as usize + GUARD;
    loop {
        let places = precision + extra;
        let wide = places + size.max(0) as usize + 8;
        let fixed = x.middle.fixed(wide).ok_or(Stuck::Huge)?;
        let quarter = pi_fixed(wide) >> 1usize;
        let k = (&fixed + (&quarter >> 1usize)).div_euclid_by(&quarter);
        let r = (fixed - &k * &quarter) >> (wide - places);
        let near = places.saturating_sub(r.clone().unsigned_abs().bit_len());
        if near + GUARD > extra
            && near < 4 * (precision + 1200)
            && near + GUARD > (-size).max(0) as usize + GUARD
        {
            extra = near + 2 * GUARD;
            continue;
        }
        let (s, c) = sin_cos_fixed(&r, places);
        let quadrant = i64::try_from(&(k & IBig::from(3))).unwrap_or(0);
        let (s, c) = match quadrant {
            0 => (s, c),
            1 => (c, -s),
            2 => (-s, -c),
            _ => (-c, s),
        };
        let ball = |y: IBig| spread(Ball::to_bits(from_fixed(y, places), precision));
        return Ok((ball(s), ball(c)));
    }
}

/// sin and cos of r·2^−w, |r| < 2^w.
fn sin_cos_fixed(r: &IBig, w: usize) -> (IBig, IBig) {
    let halvings = w.isqrt() / 2 + 2;
    let w2 = w + 2 * halvings + 16;
    let r = (r << (w2 - w)) >> halvings;
    let square = (&r * &r) >> w2;
    let one = IBig::ONE << w2;
    let (mut s, mut c) = (r.clone(), one.clone());
    let (mut odd, mut even, mut k) = (r, one.clone(), 1i64);
    while odd.clone().abs() > IBig::ONE || even.clone().abs() > IBig::ONE {
        even = -((&even * &square) >> w2) / IBig::from((2 * k - 1) * (2 * k));
        odd = -((&odd * &square) >> w2) / IBig::from((2 * k) * (2 * k + 1));
        c += &even;
        s += &odd;
        k += 1;
    }
    for _ in 0..halvings {
        let both = (&s * &c) >> (w2 - 1);
        c = &one - ((&s * &s) >> (w2 - 1));
        s = both;
    }
    (s >> (w2 - w), c >> (w2 - w))
}

/// arctan of a ball.
pub fn atan(x: &Ball, precision: usize) -> Result<Ball, Stuck> {
    if x.is_zero() {
        return Ok(Ball::integer(0));
    }
    let top = x.middle.top().ok_or(Stuck::Imprecise)?;
    let spread = |y: Ball| y.widened(x.error());
    if top < -IBig::from(precision) {
        return Ok(spread(Ball::around(x.middle.clone(), top * IBig::from(3))));
    }
    if top > IBig::ONE {
        // arctan x = ±π/2 − arctan(1/x).
        let inverse = Ball::exact(x.middle.clone());
        let inverse = atan(&Ball::integer(1).div(&inverse, precision + 8)?, precision + 8)?;
        let half = pi(precision + 8).scaled(-1);
        let half = if x.middle.is_negative() { half.negated() } else { half };
        let value = half.sub(&inverse, precision + 8);
        // The slope is at most 1/x², for all of a ball whose sign is known.
        let error = x.error().map(|e| e - IBig::from(2) * (&top - IBig::from(3)));
        x.sign()?;
        return Ok(value.widened(error));
    }
    let small = usize::try_from(&-&top).unwrap_or(0);
    let halvings = precision.isqrt() / 4 + 3;
    let w = precision + small + GUARD + 2 * halvings;
    let one = IBig::ONE << w;
    let mut t = x.middle.fixed(w).ok_or(Stuck::Huge)?;
    for _ in 0..halvings {
        // tan(θ/2) = tan θ/(1 + √(1 + tan² θ)).
        let square = (&one << w) + &t * &t;
        let root = IBig::from(dashu_base::SquareRoot::sqrt(&square.unsigned_abs()));
        t = (&t << w) / (&one + root);
    }
    let square = (&t * &t) >> w;
    let (mut total, mut power, mut k) = (t.clone(), t, 1i64);
    while power.clone().abs() > IBig::ONE {
        power = -((&power * &square) >> w);
        total += &power / IBig::from(2 * k + 1);
        k += 1;
    }
    Ok(spread(Ball::to_bits(from_fixed(total << halvings, w), precision)))
}
