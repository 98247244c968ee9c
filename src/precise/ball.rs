//! Numbers with a bound on their error, and the arithmetic that keeps it.
//!
//! What must stay true: the exact result of an operation on any numbers inside the operands' balls is
//! inside the result's ball. An operation whose result depends on more than the balls say is
//! [`Stuck::Imprecise`]: with more bits it may be decided.

use super::float::Float;
use dashu_int::IBig;
use std::cmp::Ordering;

/// Why a value cannot be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stuck {
    /// More bits are needed.
    Imprecise,
    /// No real number: outside of the domain.
    Undefined,
    /// Numbers beyond what is computed with: longer than the budgets.
    Huge,
    /// The op, at this argument, is not covered.
    Uncovered,
}

/// A bound on a size: 2^(n/65536), so that many small errors add up to no more than they are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bound(IBig);

/// Steps of a [`Bound`] in which it doubles.
const OCTAVE: i64 = 1 << 16;

impl Bound {
    /// 2^k
    pub fn power(k: &IBig) -> Bound {
        Bound(k * IBig::from(OCTAVE))
    }

    /// The least k with 2^k at or above it.
    pub fn ceil(&self) -> IBig {
        (&self.0 + IBig::from(OCTAVE - 1)) >> 16usize
    }

    /// At or above |x|; `None` for zero.
    pub fn above(x: &Float) -> Option<Bound> {
        x.top().map(|top| Bound((top - IBig::ONE) * IBig::from(OCTAVE) + IBig::from(steps(x) + 1)))
    }

    /// At or below |x|; `None` for zero.
    fn below(x: &Float) -> Option<Bound> {
        x.top().map(|top| Bound((top - IBig::ONE) * IBig::from(OCTAVE) + IBig::from(steps(x) - 1)))
    }

    pub fn times(&self, other: &Bound) -> Bound {
        Bound(&self.0 + &other.0)
    }

    fn over(&self, other: &Bound) -> Bound {
        Bound(&self.0 - &other.0)
    }

    pub fn plus(&self, other: &Bound) -> Bound {
        let (high, low) = if self >= other { (self, other) } else { (other, self) };
        let gap = i64::try_from(&(&high.0 - &low.0)).unwrap_or(i64::MAX).min(40 * OCTAVE);
        let share = 2_f64.powf(-(gap as f64) / OCTAVE as f64);
        Bound(&high.0 + IBig::from((share.ln_1p() / std::f64::consts::LN_2 * OCTAVE as f64) as i64 + 1))
    }
}

/// log₂ of the first bits of a number that is not 0, taken as one in [1, 2).
fn steps(x: &Float) -> i64 {
    let (leading, _) = x.absolute().rounded(62);
    let top = leading.top().unwrap_or(IBig::ZERO);
    (leading.scaled(&(IBig::ONE - top)).to_f64().log2() * OCTAVE as f64) as i64
}

/// The sum of two bounds, where `None` is 0.
fn sum(a: Option<Bound>, b: Option<Bound>) -> Option<Bound> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.plus(&b)),
        (a, b) => a.or(b),
    }
}

/// All numbers within `error` of `middle`; exactly it where that is `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct Ball {
    pub middle: Float,
    error: Option<Bound>,
}

impl Ball {
    pub fn exact(middle: Float) -> Ball {
        Ball { middle, error: None }
    }

    pub fn integer(n: i64) -> Ball {
        Ball::exact(Float::integer(n))
    }

    /// A number known but for 2^`error`.
    pub fn around(middle: Float, error: IBig) -> Ball {
        Ball { middle, error: Some(Bound::power(&error)) }
    }

    /// The same, known less well by 2^`error`.
    pub fn widened(self, error: Option<IBig>) -> Ball {
        let more = error.map(|e| Bound::power(&e));
        Ball { middle: self.middle, error: sum(self.error, more) }
    }

    pub fn is_exact(&self) -> bool {
        self.error.is_none()
    }

    /// The k with an error of at most 2^k; `None` where there is none.
    pub fn error(&self) -> Option<IBig> {
        self.error.as_ref().map(Bound::ceil)
    }

    /// `middle` to so many bits: off by two units of the last of them at most.
    pub fn to_bits(middle: Float, precision: usize) -> Ball {
        let error = middle.top().map(|top| top - IBig::from(precision) + IBig::ONE);
        Ball::exact(middle).widened(error)
    }

    /// At most `precision` bits of the middle; what is cut off counts as error.
    fn rounded(self, precision: usize) -> Ball {
        let (middle, lost) = self.middle.rounded(precision);
        let cut = lost.then(|| middle.exponent.clone());
        Ball { middle, error: self.error }.widened(cut)
    }

    pub fn is_zero(&self) -> bool {
        self.middle.is_zero() && self.error.is_none()
    }

    /// The sign, where all numbers of the ball have the same.
    pub fn sign(&self) -> Result<Ordering, Stuck> {
        if self.is_zero() {
            return Ok(Ordering::Equal);
        }
        let Some(top) = self.middle.top() else { return Err(Stuck::Imprecise) };
        if self.error().is_some_and(|error| error >= top - IBig::ONE) {
            return Err(Stuck::Imprecise);
        }
        Ok(if self.middle.is_negative() { Ordering::Less } else { Ordering::Greater })
    }

    /// The t with |x| < 2^t for all of the ball; `None` for zero.
    pub fn top(&self) -> Option<IBig> {
        match (self.middle.top(), self.error()) {
            (Some(top), Some(error)) => Some(top.max(error) + IBig::ONE),
            (top, error) => top.or(error),
        }
    }

    /// The t with 2^(t − 1) ≤ |middle| < 2^t, no further out than ±2⁴⁰; `None` for zero.
    pub fn exponent(&self) -> Option<i64> {
        const FAR: i64 = 1 << 40;
        let top = self.middle.top()?.clamp(IBig::from(-FAR), IBig::from(FAR));
        i64::try_from(&top).ok()
    }

    /// How many bits of it are known; `None` for all.
    pub fn known_bits(&self) -> Option<i64> {
        let error = self.error()?;
        match self.middle.top() {
            Some(top) => Some(i64::try_from(&(top - error)).unwrap_or(i64::MAX)),
            None => Some(0),
        }
    }

    pub fn negated(&self) -> Ball {
        Ball { middle: self.middle.negated(), error: self.error.clone() }
    }

    pub fn absolute(&self) -> Ball {
        Ball { middle: self.middle.absolute(), error: self.error.clone() }
    }

    pub fn scaled(&self, k: i64) -> Ball {
        let k = IBig::from(k);
        let error = self.error.as_ref().map(|e| e.times(&Bound::power(&k)));
        Ball { middle: self.middle.scaled(&k), error }
    }

    pub fn add(&self, other: &Ball, precision: usize) -> Ball {
        let error = sum(self.error.clone(), other.error.clone());
        let (Some(a), Some(b)) = (self.middle.top(), other.middle.top()) else {
            return Ball { middle: self.middle.plus(&other.middle), error }.rounded(precision);
        };
        let (large, small, gap) = match a >= b {
            true => (&self.middle, &other.middle, &a - &b),
            false => (&other.middle, &self.middle, &b - &a),
        };
        if gap > IBig::from(2 * precision + 8) {
            return Ball { middle: large.clone(), error: sum(error, Bound::above(small)) }.rounded(precision);
        }
        Ball { middle: large.plus(small), error }.rounded(precision)
    }

    pub fn sub(&self, other: &Ball, precision: usize) -> Ball {
        self.add(&other.negated(), precision)
    }

    pub fn mul(&self, other: &Ball, precision: usize) -> Ball {
        let cross = |x: &Ball, y: &Ball| Some(Bound::above(&x.middle)?.times(y.error.as_ref()?));
        let both = self.error.as_ref().zip(other.error.as_ref()).map(|(a, b)| a.times(b));
        let error = sum(sum(cross(self, other), cross(other, self)), both);
        Ball { middle: self.middle.times(&other.middle), error }.rounded(precision)
    }

    pub fn div(&self, other: &Ball, precision: usize) -> Result<Ball, Stuck> {
        if other.is_zero() {
            return Err(Stuck::Undefined);
        }
        other.sign()?;
        let quotient = self.middle.over(&other.middle, precision);
        // |a/b − a'/b'| ≤ (|δa| + |a/b|·|δb|)/|b'|, and |b'| is |b| but for |δb|.
        let size = other.middle.absolute();
        let least = match other.error() {
            Some(error) => size
                .minus(&Float::new(IBig::ONE, error.max(size.top().unwrap_or(IBig::ZERO) - IBig::from(64)))),
            None => size,
        };
        let least = Bound::below(&least).ok_or(Stuck::Imprecise)?;
        let by_divisor = Bound::above(&quotient).zip(other.error.clone()).map(|(q, e)| q.times(&e));
        let error = sum(self.error.clone(), by_divisor).map(|e| e.over(&least));
        let cut = Some(quotient.exponent.clone()).filter(|_| !self.middle.is_zero());
        Ok(Ball { middle: quotient, error }.widened(cut).rounded(precision))
    }

    pub fn sqrt(&self, precision: usize) -> Result<Ball, Stuck> {
        match self.sign() {
            Ok(Ordering::Less) => return Err(Stuck::Undefined),
            Ok(Ordering::Equal) => return Ok(self.clone()),
            Ok(Ordering::Greater) => {}
            Err(stuck) => return Err(stuck),
        }
        let root = self.middle.root(precision);
        // |√a − √a'| ≤ |δa|/√a.
        let least = Bound::below(&root).ok_or(Stuck::Imprecise)?;
        let error = self.error.as_ref().map(|e| e.over(&least));
        let exact = root.times(&root).compare(&self.middle) == Ordering::Equal;
        let cut = (!exact).then(|| root.exponent.clone());
        Ok(Ball { middle: root, error }.widened(cut).rounded(precision))
    }

    /// x^n by squaring.
    pub fn power(&self, n: u64, precision: usize) -> Ball {
        let (mut result, mut base, mut n) = (Ball::integer(1), self.clone(), n);
        while n > 0 {
            if n & 1 == 1 {
                result = result.mul(&base, precision);
            }
            n >>= 1;
            if n > 0 {
                base = base.mul(&base, precision);
            }
        }
        result
    }

    /// The order of all numbers of one ball to all of the other.
    pub fn compare(&self, other: &Ball) -> Result<Ordering, Stuck> {
        if self.is_exact() && other.is_exact() {
            return Ok(self.middle.compare(&other.middle));
        }
        // Few bits are enough to see a difference that can be seen at all.
        self.sub(other, 64).sign().or_else(|_| self.sub(other, 1 << 14).sign())
    }

    /// The double nearest to the middle.
    pub fn to_f64(&self) -> f64 {
        self.middle.to_f64()
    }
}
