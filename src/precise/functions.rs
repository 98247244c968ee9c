//! Every elementwise op on balls, composed of [`super::series`] and exact arithmetic.
//!
//! What must stay true: nothing is shared with `elementary`. Where a formula below cancels for small
//! arguments it is given as many more bits; elsewhere the ball says what was lost, and the caller
//! comes back with more.

use super::ball::{Ball, Stuck};
use super::float::Float;
use super::series::{atan, exp, ln_2, log, pi, sin_cos};
use super::special;
use crate::ir::Elementwise;
use dashu_int::IBig;
use std::cmp::Ordering;

/// Bits computed beyond those asked for.
const GUARD: usize = 32;

/// Largest exponent taken by repeated multiplication.
const MULTIPLIED: i64 = 4096;

type Found = Result<Ball, Stuck>;

fn one() -> Ball {
    Ball::integer(1)
}

/// The value of an op on balls, to about `precision` bits unless something cancels.
pub fn apply(op: Elementwise, x: &[Ball], precision: usize) -> Found {
    let p = precision + GUARD;
    match x {
        [] => Ok(pi(p)),
        [x] => unary(op, x, p),
        [a, b] => binary(op, a, b, p),
        [a, b, c] => Ok(a.mul(b, 2 * p).add(c, p)),
        _ => Err(Stuck::Uncovered),
    }
}

fn unary(op: Elementwise, x: &Ball, p: usize) -> Found {
    use Elementwise::*;
    match op {
        Neg => Ok(x.negated()),
        Sqrt => x.sqrt(p),
        Cbrt => cbrt(x, p),
        Exp => exp(x, p),
        Exp2 => power(&Ball::integer(2), x, p),
        Expm1 => expm1(x, p),
        Log => log(x, p),
        Log1p => log1p(x, p),
        Log2 => log(x, p)?.div(&ln_2(p), p),
        Log10 => log(x, p)?.div(&log(&Ball::integer(10), p)?, p),
        Log1mexp => log(&expm1(x, p)?.negated(), p),
        Sin => Ok(sin_cos(x, p)?.0),
        Cos => Ok(sin_cos(x, p)?.1),
        Sinpi => Ok(of_half_turns(x, p)?.0),
        Cospi => Ok(of_half_turns(x, p)?.1),
        Tan | Sec | Csc | Cot => {
            let (s, c) = sin_cos(x, p)?;
            match op {
                Tan => s.div(&c, p),
                Sec => one().div(&c, p),
                Csc => one().div(&s, p),
                _ => c.div(&s, p),
            }
        }
        Asin => asin(x, p),
        Acos => acos(x, p),
        Atan => atan(x, p),
        Sinh => sinh(x, p),
        Cosh => cosh(x, p),
        Tanh => tanh(x, p),
        Sech => one().div(&cosh(x, p)?, p),
        Csch => one().div(&sinh(x, p)?, p),
        Coth => one().div(&tanh(x, p)?, p),
        Asinh => odd(x, |a| {
            let square = a.mul(a, p);
            let root = one().add(&square, p).sqrt(p)?;
            log1p(&a.add(&square.div(&one().add(&root, p), p)?, p), p)
        }),
        Acosh => {
            let t = x.sub(&one(), 2 * p);
            match t.sign()? {
                Ordering::Less => Err(Stuck::Undefined),
                _ => log1p(&t.add(&t.mul(&t.add(&Ball::integer(2), p), p).sqrt(p)?, p), p),
            }
        }
        Atanh => odd(x, |a| match one().sub(a, 2 * p).sign()? {
            Ordering::Greater => Ok(log1p(&a.scaled(1).div(&one().sub(a, 2 * p), p)?, p)?.scaled(-1)),
            _ => Err(Stuck::Undefined),
        }),
        Erf => special::erf(x, p),
        Erfc => special::erfc(x, p),
        Gamma => special::gamma(x, p),
        Lgamma => special::log_gamma(x, p),
        Digamma => special::digamma(x, p),
        Abs => match x.sign() {
            Ok(_) => Ok(x.absolute()),
            Err(_) => Err(Stuck::Imprecise),
        },
        Sign => Ok(Ball::integer(x.sign()? as i64)),
        Floor => rounded_down(x),
        Ceil => Ok(rounded_down(&x.negated())?.negated()),
        Round => odd(x, |a| rounded_down(&a.add(&one().scaled(-1), 4 * p))),
        Relu => match x.sign() {
            Ok(Ordering::Greater) => Ok(x.clone()),
            Ok(_) => Ok(Ball::integer(0)),
            Err(stuck) => Err(stuck),
        },
        Sigmoid => sigmoid(x, p),
        LogSigmoid => Ok(softplus(&x.negated(), p)?.negated()),
        Softplus => softplus(x, p),
        _ => Err(Stuck::Uncovered),
    }
}

fn binary(op: Elementwise, a: &Ball, b: &Ball, p: usize) -> Found {
    use Elementwise::*;
    match op {
        Add => Ok(a.add(b, p)),
        Sub => Ok(a.sub(b, p)),
        Mul => Ok(a.mul(b, p)),
        Div => a.div(b, p),
        Pow => power(a, b, p),
        Hypot => a.mul(a, 2 * p).add(&b.mul(b, 2 * p), 2 * p).sqrt(p),
        Atan2 => angle(a, b, p),
        Min => Ok(if a.compare(b)? == Ordering::Greater { b.clone() } else { a.clone() }),
        Max => Ok(if a.compare(b)? == Ordering::Less { b.clone() } else { a.clone() }),
        LogAddExp => Ok(a.add(&softplus(&b.sub(a, 2 * p), p)?, p)),
        Polygamma => special::polygamma(a, b, p),
        _ => Err(Stuck::Uncovered),
    }
}

/// Sine and cosine of π·x, exact at multiples of a quarter turn.
fn of_half_turns(x: &Ball, p: usize) -> Result<(Ball, Ball), Stuck> {
    let Ok(quarters) = rounded_down(&x.scaled(1).add(&one().scaled(-1), 4 * p)) else {
        return sin_cos(&x.mul(&pi(p), p), p);
    };
    let turns = rounded_down(&quarters.scaled(-2))?;
    let rest = x.sub(&quarters.scaled(-1), 4 * p);
    let (s, c) = sin_cos(&rest.mul(&pi(p), p), p)?;
    Ok(match quarters.sub(&turns.scaled(2), 4 * p).to_f64() as u8 {
        0 => (s, c),
        1 => (c, s.negated()),
        2 => (s.negated(), c.negated()),
        _ => (c.negated(), s),
    })
}

/// An odd function, from its values for x > 0.
fn odd(x: &Ball, f: impl FnOnce(&Ball) -> Found) -> Found {
    match x.sign()? {
        Ordering::Equal => Ok(x.clone()),
        Ordering::Greater => f(x),
        Ordering::Less => Ok(f(&x.negated())?.negated()),
    }
}

/// How many bits 1 + x loses, or `None` where x is so small that f(x) = x ± x² will do.
fn bits_lost(x: &Ball, p: usize) -> Option<usize> {
    let top = x.middle.top()?;
    if top < -IBig::from(p) {
        return None;
    }
    Some(usize::try_from(&-top).unwrap_or(0))
}

/// x ± x², for a function that is x + c·x² + … with |c| < 1/2 and |x| tiny.
fn nearly(x: &Ball) -> Ball {
    x.clone().widened(x.top().map(|t| t * IBig::from(2)))
}

pub fn expm1(x: &Ball, p: usize) -> Found {
    if x.is_zero() {
        return Ok(x.clone());
    }
    match bits_lost(x, p) {
        None => Ok(nearly(x)),
        Some(more) => Ok(exp(x, p + more)?.sub(&one(), p + more)),
    }
}

pub fn log1p(x: &Ball, p: usize) -> Found {
    if x.is_zero() {
        return Ok(x.clone());
    }
    match bits_lost(x, p) {
        None => Ok(nearly(x)),
        Some(more) => log(&one().add(x, 2 * p + 2 * more), p + more),
    }
}

fn cbrt(x: &Ball, p: usize) -> Found {
    odd(x, |a| exp(&log(a, p)?.div(&Ball::integer(3), p)?, p))
}

/// sinh x = (t + t/(t + 1))/2 with t = e^x − 1.
fn sinh(x: &Ball, p: usize) -> Found {
    odd(x, |a| {
        let t = expm1(a, p)?;
        Ok(t.add(&t.div(&t.add(&one(), p), p)?, p).scaled(-1))
    })
}

fn cosh(x: &Ball, p: usize) -> Found {
    let e = exp(x, p)?;
    Ok(e.add(&one().div(&e, p)?, p).scaled(-1))
}

/// tanh x = −(e^(−2x) − 1)/(e^(−2x) + 1)
fn tanh(x: &Ball, p: usize) -> Found {
    odd(x, |a| {
        let t = expm1(&a.scaled(1).negated(), p)?;
        t.negated().div(&t.add(&Ball::integer(2), p), p)
    })
}

fn asin(x: &Ball, p: usize) -> Found {
    let cosine_squared = one().sub(x, 2 * p).mul(&one().add(x, 2 * p), 2 * p);
    match cosine_squared.sign()? {
        Ordering::Less => Err(Stuck::Undefined),
        Ordering::Equal if x.middle.is_negative() => Ok(pi(p).scaled(-1).negated()),
        Ordering::Equal => Ok(pi(p).scaled(-1)),
        Ordering::Greater => atan(&x.div(&cosine_squared.sqrt(p)?, p)?, p),
    }
}

/// acos x = 2 arctan √((1 − x)/(1 + x))
fn acos(x: &Ball, p: usize) -> Found {
    let (above, below) = (one().sub(x, 2 * p), one().add(x, 2 * p));
    match (above.sign()?, below.sign()?) {
        (Ordering::Less, _) | (_, Ordering::Less) => Err(Stuck::Undefined),
        (_, Ordering::Equal) => Ok(pi(p)),
        _ => Ok(atan(&above.div(&below, p)?.sqrt(p)?, p)?.scaled(1)),
    }
}

fn angle(y: &Ball, x: &Ball, p: usize) -> Found {
    let half_turn = |y: Ordering| if y == Ordering::Less { pi(p).negated() } else { pi(p) };
    match (y.sign()?, x.sign()?) {
        (Ordering::Equal, Ordering::Equal) => Err(Stuck::Undefined),
        (side, Ordering::Equal) => Ok(half_turn(side).scaled(-1)),
        (_, Ordering::Greater) => atan(&y.div(x, p)?, p),
        (side, Ordering::Less) => Ok(atan(&y.div(x, p)?, p)?.add(&half_turn(side), p)),
    }
}

fn sigmoid(x: &Ball, p: usize) -> Found {
    match x.sign() {
        Ok(Ordering::Greater) => one().div(&one().add(&exp(&x.negated(), p)?, p), p),
        _ => {
            let e = exp(x, p)?;
            e.div(&one().add(&e, p), p)
        }
    }
}

fn softplus(x: &Ball, p: usize) -> Found {
    match x.sign() {
        Ok(Ordering::Greater) => Ok(x.add(&log1p(&exp(&x.negated(), p)?, p)?, p)),
        _ => log1p(&exp(x, p)?, p),
    }
}

/// a^b, real: a negative base to whole exponents only.
fn power(a: &Ball, b: &Ball, p: usize) -> Found {
    let whole = if b.is_exact() { b.middle.floor() } else { None };
    let whole = whole.filter(|n| Float::new(n.clone(), IBig::ZERO).compare(&b.middle) == Ordering::Equal);
    if let Some(n) = whole.as_ref().and_then(|n| i64::try_from(n).ok()).filter(|n| n.abs() <= MULTIPLIED) {
        let size = a.power(n.unsigned_abs(), p + 16);
        return if n < 0 { one().div(&size, p) } else { Ok(size) };
    }
    let grown = |a: &Ball| {
        let (b_bits, p) = (b.top().and_then(|t| usize::try_from(&t).ok()).unwrap_or(0).min(1 << 12), p + 16);
        exp(&log(a, p + b_bits)?.mul(b, p + b_bits), p)
    };
    match a.sign()? {
        Ordering::Greater => grown(a),
        Ordering::Equal if b.sign()? == Ordering::Greater => Ok(Ball::integer(0)),
        Ordering::Equal => Err(Stuck::Undefined),
        Ordering::Less => {
            let n = whole.ok_or(if b.is_exact() { Stuck::Undefined } else { Stuck::Imprecise })?;
            let size = grown(&a.negated())?;
            Ok(if n % IBig::from(2) == IBig::ZERO { size } else { size.negated() })
        }
    }
}

/// The integer below all numbers of a ball.
fn rounded_down(x: &Ball) -> Found {
    let floor = |x: &Float| x.floor().ok_or(Stuck::Huge);
    if x.is_exact() {
        let exact = x.middle.clone();
        // A number with no bits behind the point is its own floor.
        return match exact.floor() {
            Some(n) => Ok(Ball::exact(Float::new(n, IBig::ZERO))),
            None => Ok(Ball::exact(exact)),
        };
    }
    let least = IBig::from(-100_000);
    let error = x.error().map_or(least.clone(), |e| e.max(least));
    let radius = Float::new(IBig::ONE, error);
    let (low, high) = (floor(&x.middle.minus(&radius))?, floor(&x.middle.plus(&radius))?);
    if low == high { Ok(Ball::exact(Float::new(low, IBig::ZERO))) } else { Err(Stuck::Imprecise) }
}

/// The value at operands of which some are infinite (`None` a sign, else the ball), where the limit
/// does not depend on how they are approached.
pub fn at_infinity(op: Elementwise, negative: bool, p: usize) -> Result<super::Value, Stuck> {
    use super::Value::{Finite, Infinite};
    use Elementwise::*;
    let finite = |n: i64| Ok(Finite(Ball::integer(n)));
    let signed = |n: i64| finite(if negative { -n } else { n });
    let infinite = || Ok(Infinite { negative });
    match (op, negative) {
        (Neg, _) => Ok(Infinite { negative: !negative }),
        (Cbrt | Sinh | Asinh | Floor | Ceil | Round, _) => infinite(),
        (
            Sqrt | Exp | Exp2 | Expm1 | Log | Log1p | Log2 | Log10 | Acosh | Gamma | Lgamma | Digamma,
            false,
        )
        | (Relu | Softplus, false)
        | (LogSigmoid, true) => infinite(),
        (Cosh | Abs, _) => Ok(Infinite { negative: false }),
        (Exp | Exp2 | Sigmoid | Softplus | Relu | Log1mexp, true) | (LogSigmoid | Erfc, false) => finite(0),
        (Expm1, true) => finite(-1),
        (Sech | Csch, _) => finite(0),
        (Tanh | Coth | Sign | Erf, _) => signed(1),
        (Sigmoid, false) => finite(1),
        (Erfc, true) => finite(2),
        (Atan, _) => {
            let quarter = pi(p).scaled(-1);
            Ok(Finite(if negative { quarter.negated() } else { quarter }))
        }
        _ => Err(Stuck::Undefined),
    }
}
