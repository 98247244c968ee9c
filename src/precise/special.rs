//! The error function and the gamma family on balls.
//!
//! What must stay true: a series that is cut off adds its first missing term to the error; nothing is
//! shared with `elementary`. Formulas: DLMF 5.5, 5.11, 5.15, 7.6, 7.12.

use super::ball::{Ball, Stuck};
use super::float::Float;
use super::series::{exp, log, pi, sin_cos};
use dashu_int::IBig;
use std::cmp::Ordering;
use std::sync::LazyLock;

type Found = Result<Ball, Stuck>;

/// Bernoulli numbers that are kept: Stirling's series to 1500 bits and more.
const BERNOULLI: usize = 300;

/// Furthest from 0 that polygamma is taken on the negative side.
const NEGATIVE: i64 = 4096;

fn one() -> Ball {
    Ball::integer(1)
}

/// Adds an error of at most |by|.
fn spread(x: Ball, by: &Ball, p: usize) -> Ball {
    x.widened(by.top()).add(&Ball::integer(0), p)
}

/// True when a term no longer counts beside a sum.
fn is_negligible(term: &Ball, total: &Ball, p: usize) -> bool {
    match (term.top(), total.middle.top()) {
        (Some(term), Some(total)) => term < total - IBig::from(p),
        (None, _) => true,
        _ => false,
    }
}

/// B₂, B₄, … by the tangent numbers (Brent and Harvey 2011, algorithm TangentNumbers):
/// B₂ₙ = (−1)^(n−1)·2n·Tₙ/(4ⁿ(4ⁿ − 1)).
static NUMBERS: LazyLock<Vec<(IBig, IBig)>> = LazyLock::new(|| {
    let mut tangent = vec![IBig::ONE; BERNOULLI + 1];
    for k in 2..=BERNOULLI {
        tangent[k] = &tangent[k - 1] * IBig::from(k - 1);
    }
    for k in 2..=BERNOULLI {
        for j in k..=BERNOULLI {
            tangent[j] = &tangent[j - 1] * IBig::from(j - k) + &tangent[j] * IBig::from(j - k + 2);
        }
    }
    let number = |n: usize| {
        let four = IBig::ONE << (2 * n);
        let sign = if n % 2 == 1 { 1 } else { -1 };
        (&tangent[n] * IBig::from(2 * n) * IBig::from(sign), &four * (&four - IBig::ONE))
    };
    (1..=BERNOULLI).map(number).collect()
});

/// B₂ₙ
fn bernoulli(n: usize, p: usize) -> Found {
    let (top, bottom) = NUMBERS.get(n - 1).ok_or(Stuck::Imprecise)?;
    let whole = |n: &IBig| Ball::exact(Float::new(n.clone(), IBig::ZERO));
    whole(top).div(&whole(bottom), p)
}

/// erf x for x² below about p: 2x/√π·e^(−x²)·Σ (2x²)ⁿ/(2n + 1)!!, all terms positive.
fn erf_series(x: &Ball, p: usize) -> Found {
    let square = x.mul(x, p);
    let (mut term, mut total, mut n) = (one(), one(), 1i64);
    loop {
        term = term.mul(&square.scaled(1), p).div(&Ball::integer(2 * n + 1), p)?;
        total = total.add(&term, p);
        // From here on each term is less than half of the one before.
        let falls = Float::integer(2 * n + 1).compare(&square.scaled(2).middle) == Ordering::Greater;
        if falls && is_negligible(&term, &total, p) {
            break;
        }
        n += 1;
    }
    let total = spread(total, &term.scaled(1), p);
    let scale = x.scaled(1).div(&pi(p).sqrt(p)?, p)?;
    Ok(scale.mul(&exp(&square.negated(), p)?, p).mul(&total, p))
}

/// True where the asymptotic series of erfc has terms smaller than 2^−p: x² > p.
fn is_far(x: &Ball, p: usize) -> bool {
    let square = x.middle.times(&x.middle);
    square.compare(&Float::integer(p as i64 + 8)) == Ordering::Greater
}

/// erfc x for large x > 0: e^(−x²)/(x√π)·Σ (−1)ⁿ(2n − 1)!!/(2x²)ⁿ.
fn erfc_far(x: &Ball, p: usize) -> Found {
    let square = x.mul(x, 2 * p);
    let (mut term, mut total, mut n) = (one(), one(), 1i64);
    loop {
        term = term.mul(&Ball::integer(1 - 2 * n), p).div(&square.scaled(1), p)?;
        if is_negligible(&term, &total, p) {
            break;
        }
        total = total.add(&term, p);
        n += 1;
    }
    let total = spread(total, &term, p);
    let scale = exp(&square.negated(), p)?.div(&x.mul(&pi(p).sqrt(p)?, p), p)?;
    Ok(scale.mul(&total, p))
}

pub fn erf(x: &Ball, p: usize) -> Found {
    match x.sign()? {
        Ordering::Equal => Ok(x.clone()),
        Ordering::Less => Ok(erf(&x.negated(), p)?.negated()),
        Ordering::Greater if is_far(x, p) => Ok(one().sub(&erfc_far(x, p)?, p)),
        Ordering::Greater => erf_series(x, p),
    }
}

pub fn erfc(x: &Ball, p: usize) -> Found {
    match x.sign()? {
        Ordering::Equal => Ok(one()),
        Ordering::Less => Ok(one().add(&erf(&x.negated(), p)?, p)),
        Ordering::Greater if is_far(x, p) => erfc_far(x, p),
        Ordering::Greater => {
            // 1 − erf x loses log₂ e·x² bits, and those of 1/x.
            let more = 3 * x.middle.times(&x.middle).to_f64() as usize / 2 + 16;
            Ok(one().sub(&erf_series(x, p + more)?, p + more))
        }
    }
}

/// From where on the asymptotic series are used.
fn far(p: usize) -> i64 {
    p as i64 / 4 + 12
}

/// How many steps of 1 bring x there.
fn steps_to(x: &Ball, far: i64) -> Result<i64, Stuck> {
    match x.middle.floor() {
        Some(floor) => Ok(i64::try_from(&(IBig::from(far) - floor)).unwrap_or(0).max(0)),
        None => Ok(0),
    }
}

/// Σ B₂ₙ·c(n)/x^(2n + k) from n = 1 on.
fn asymptotic(x: &Ball, k: u64, p: usize, c: impl Fn(usize) -> Found) -> Found {
    let inverse_square = one().div(&x.mul(x, p), p)?;
    let mut power = one().div(&x.power(k, p), p)?;
    let mut total = Ball::integer(0);
    let beside = x.middle.top().unwrap_or(IBig::ZERO);
    for n in 1..=BERNOULLI {
        power = power.mul(&inverse_square, p);
        let term = bernoulli(n, p)?.mul(&c(n)?, p).mul(&power, p);
        let small = term.top().is_none_or(|t| t < -IBig::from(p) - &beside * IBig::from(k + 2));
        total = total.add(&term, p);
        if small {
            return Ok(spread(total, &term, p));
        }
    }
    Err(Stuck::Imprecise)
}

/// log Γ(x) for x > 0: Stirling's series after a shift.
fn log_gamma_positive(x: &Ball, p: usize) -> Found {
    let steps = steps_to(x, far(p))?;
    let mut product = one();
    for i in 0..steps {
        product = product.mul(&x.add(&Ball::integer(i), p), p);
    }
    let y = x.add(&Ball::integer(steps), p);
    let log_y = log(&y, p)?;
    let half_log_turn = log(&pi(p).scaled(1), p)?.scaled(-1);
    let half = one().scaled(-1);
    let main = y.sub(&half, p).mul(&log_y, p).sub(&y, p).add(&half_log_turn, p);
    let coefficient = |n: usize| one().div(&Ball::integer((2 * n * (2 * n - 1)) as i64), p);
    // x^(1 − 2n) is x·x^(−2n).
    let rest = asymptotic(&y, 0, p, coefficient)?.mul(&y, p);
    Ok(main.add(&rest, p).sub(&log(&product, p)?, p))
}

/// True for 0, −1, −2, …; an error where that cannot be told.
fn is_pole(x: &Ball) -> Result<bool, Stuck> {
    match x.middle.floor() {
        _ if x.sign()? == Ordering::Greater => Ok(false),
        Some(n) => Ok(x.is_exact() && Float::new(n, IBig::ZERO).compare(&x.middle) == Ordering::Equal),
        None => Ok(x.is_exact()),
    }
}

/// sin πx and cos πx.
fn half_turns(x: &Ball, p: usize) -> Result<(Ball, Ball), Stuck> {
    // Whole turns are taken off exactly.
    let turns = x.middle.scaled(&IBig::from(-1)).floor().ok_or(Stuck::Huge)?;
    let rest = x.sub(&Ball::exact(Float::new(turns * IBig::from(2), IBig::ZERO)), 4 * p + 1100);
    sin_cos(&rest.mul(&pi(p), p), p)
}

pub fn log_gamma(x: &Ball, p: usize) -> Found {
    if is_pole(x)? {
        return Err(Stuck::Undefined);
    }
    if x.sign()? == Ordering::Greater {
        return log_gamma_positive(x, p);
    }
    let sine = half_turns(x, p)?.0;
    sine.sign()?;
    let reflected = log_gamma_positive(&one().sub(x, 2 * p), p)?;
    Ok(log(&pi(p).div(&sine.absolute(), p)?, p)?.sub(&reflected, p))
}

pub fn gamma(x: &Ball, p: usize) -> Found {
    if is_pole(x)? {
        return Err(Stuck::Undefined);
    }
    if x.sign()? == Ordering::Greater {
        return exp(&log_gamma_positive(x, p + 16)?, p);
    }
    let sine = half_turns(x, p)?.0;
    let reflected = exp(&log_gamma_positive(&one().sub(x, 2 * p), p + 16)?, p)?;
    pi(p).div(&sine.mul(&reflected, p), p)
}

pub fn digamma(x: &Ball, p: usize) -> Found {
    if is_pole(x)? {
        return Err(Stuck::Undefined);
    }
    if x.sign()? == Ordering::Less {
        let (sine, cosine) = half_turns(x, p)?;
        let cotangent = cosine.div(&sine, p)?;
        return Ok(digamma(&one().sub(x, 2 * p), p)?.sub(&pi(p).mul(&cotangent, p), p));
    }
    let steps = steps_to(x, far(p))?;
    let mut below = Ball::integer(0);
    for i in 0..steps {
        below = below.add(&one().div(&x.add(&Ball::integer(i), 2 * p), p)?, p);
    }
    let y = x.add(&Ball::integer(steps), p);
    let rest = asymptotic(&y, 0, p, |n| one().div(&Ball::integer(2 * n as i64), p))?;
    let half = one().div(&y.scaled(1), p)?;
    Ok(log(&y, p)?.sub(&half, p).sub(&rest, p).sub(&below, p))
}

/// ψ⁽ⁿ⁾(x) for a whole n > 0: (−1)^(n+1)·((n−1)!/xⁿ + n!/(2xⁿ⁺¹) + Σ B₂ₖ(2k+n−1)!/((2k)!·x^(2k+n))).
pub fn polygamma(n: &Ball, x: &Ball, p: usize) -> Found {
    let order = n.middle.floor().and_then(|n| u64::try_from(&n).ok()).filter(|&n| n <= 20);
    let Some(order) = order.filter(|_| n.is_exact()) else { return Err(Stuck::Uncovered) };
    if is_pole(x)? {
        return Err(Stuck::Undefined);
    }
    if order == 0 {
        return digamma(x, p);
    }
    if x.middle.compare(&Float::integer(-NEGATIVE)) == Ordering::Less {
        return Err(Stuck::Uncovered);
    }
    let factorial = |n: u64| (1..=n).fold(one(), |f, k| f.mul(&Ball::integer(k as i64), p));
    let steps = steps_to(x, far(p) + order as i64)?;
    let mut below = Ball::integer(0);
    for i in 0..steps {
        let shifted = x.add(&Ball::integer(i), 2 * p);
        shifted.sign()?;
        below = below.add(&one().div(&shifted.power(order + 1, p), p)?, p);
    }
    let y = x.add(&Ball::integer(steps), p);
    let main = factorial(order - 1).div(&y.power(order, p), p)?;
    let half = factorial(order).div(&y.power(order + 1, p).scaled(1), p)?;
    let coefficient = |k: usize| {
        let ratio =
            (2 * k as u64 + 1..2 * k as u64 + order).fold(one(), |f, i| f.mul(&Ball::integer(i as i64), p));
        Ok(ratio)
    };
    let rest = asymptotic(&y, order, p, coefficient)?;
    let total = main.add(&half, p).add(&rest, p).add(&below.mul(&factorial(order), p), p);
    Ok(if order % 2 == 1 { total } else { total.negated() })
}
