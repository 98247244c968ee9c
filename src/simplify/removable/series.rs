//! Laurent series, to so many terms.
//!
//! What must stay true: the first coefficient is not 0, and every coefficient that is held is that of the
//! function: what is cut off is never read.
//!
//! Sources: the recurrences for exp, sin and cos, and powers are those of Knuth, The Art of Computer
//! Programming, volume 2, section 4.7.

use super::coefficient::Coefficient;
use crate::ir::Number;

/// Powers above which numbers would be longer than they are worth.
const HIGHEST: u64 = 64;

/// Σ terms\[k\]·h^(low + k), up to the last term.
#[derive(Clone)]
pub struct Series<T> {
    pub low: i32,
    pub terms: Vec<T>,
}

impl<T: Coefficient> Series<T> {
    /// With leading zeros dropped; `None` if nothing is left.
    fn trimmed(low: i32, terms: Vec<T>) -> Option<Self> {
        let zeros = terms.iter().position(|c| !c.is_zero())?;
        Some(Series { low: low + zeros as i32, terms: terms[zeros..].to_vec() })
    }

    pub fn constant(c: &Number, count: usize) -> Option<Self> {
        let mut terms = vec![T::integer(0); count];
        terms[0] = T::exact(c);
        Series::trimmed(0, terms)
    }

    /// `centre + h`.
    pub fn variable(centre: &Number, count: usize) -> Option<Self> {
        let mut terms = vec![T::integer(0); count];
        (terms[0], terms[1]) = (T::exact(centre), T::integer(1));
        let variable = Series::trimmed(0, terms)?;
        Some(if variable.low == 1 {
            Series { low: 1, terms: padded(variable.terms, count) }
        } else {
            variable
        })
    }

    /// Whether it is a multiple of `h`.
    pub fn is_distance(&self) -> bool {
        self.low == 1 && self.terms[1..].iter().all(T::is_zero)
    }

    /// Where its terms end.
    fn end(&self) -> i32 {
        self.low + self.terms.len() as i32
    }

    fn at(&self, order: i32) -> T {
        let place = usize::try_from(order - self.low).ok();
        place.and_then(|k| self.terms.get(k).cloned()).unwrap_or_else(|| T::integer(0))
    }

    /// The coefficients from that of order 0; `None` where there is a pole.
    pub fn dense(&self) -> Option<Vec<T>> {
        (self.low >= 0).then(|| (0..self.end()).map(|k| self.at(k)).collect())
    }

    /// Without the coefficients below an order, which are known to be 0.
    pub fn starting_at(self, low: i32) -> Option<Self> {
        let gone = usize::try_from(low - self.low).ok()?;
        Series::trimmed(low, self.terms.get(gone..)?.to_vec())
    }

    pub fn add(&self, other: &Self) -> Option<Self> {
        let (low, end) = (self.low.min(other.low), self.end().min(other.end()));
        Series::trimmed(low, (low..end).map(|k| self.at(k).add(&other.at(k))).collect())
    }

    pub fn scaled(&self, by: i64) -> Self {
        let by = T::integer(by);
        Series { low: self.low, terms: self.terms.iter().map(|c| c.mul(&by)).collect() }
    }

    pub fn sub(&self, other: &Self) -> Option<Self> {
        self.add(&other.scaled(-1))
    }

    pub fn plus(&self, n: i64) -> Option<Self> {
        self.add(&Series::constant(&Number::integer(n), self.end().max(1) as usize)?)
    }

    pub fn mul(&self, other: &Self) -> Option<Self> {
        let count = self.terms.len().min(other.terms.len());
        let term = |k: usize| dot(&self.terms[..=k], &other.terms[..=k]);
        Series::trimmed(self.low.checked_add(other.low)?, (0..count).map(term).collect())
    }

    pub fn square(&self) -> Option<Self> {
        self.mul(self)
    }

    pub fn recip(&self) -> Option<Self> {
        self.power(-1, 1)
    }

    pub fn div(&self, other: &Self) -> Option<Self> {
        self.mul(&other.recip()?)
    }

    /// The power `p/q`, `q` above 0. Roots only of what begins with a positive constant.
    pub fn power(&self, p: i64, q: u32) -> Option<Self> {
        if p.unsigned_abs() > HIGHEST || q > 1 && (self.low != 0 || !self.terms[0].is_positive()) {
            return None;
        }
        let low = self.low.checked_mul(i32::try_from(p).ok()?)?;
        let exponent = T::exact(&Number::ratio(p, i64::from(q))?);
        let root = if q > 1 { self.terms[0].root(q)? } else { self.terms[0].clone() };
        let one = T::integer(1);
        let whole = (0..p.unsigned_abs()).fold(one.clone(), |power, _| power.mul(&root));
        let mut terms = vec![if p < 0 { one.div(&whole)? } else { whole }];
        // From y·f′·(p/q) = y′·f.
        for k in 1..self.terms.len() {
            let weighed = (1..=k).fold(T::integer(0), |sum, j| {
                let weight = exponent.mul(&T::integer(j as i64)).add(&T::integer(j as i64 - k as i64));
                sum.add(&weight.mul(&self.terms[j]).mul(&terms[k - j]))
            });
            terms.push(weighed.div(&self.terms[0].mul(&T::integer(k as i64)))?);
        }
        Series::trimmed(low, terms)
    }

    /// The derivative by `h`.
    fn derivative(&self) -> Option<Self> {
        let terms = self.terms.iter().zip(i64::from(self.low)..);
        Series::trimmed(self.low - 1, terms.map(|(c, order)| c.mul(&T::integer(order))).collect())
    }

    /// The function of this one that is 0 at 0 and whose derivative by it is `slope`.
    pub fn integral_of(&self, slope: &Self) -> Option<Self> {
        if self.low < 1 {
            return None;
        }
        let inner = self.derivative()?.mul(slope)?;
        let mut terms = Vec::with_capacity(inner.terms.len());
        for (c, order) in inner.terms.iter().zip(i64::from(inner.low) + 1..) {
            terms.push(c.div(&T::integer(order))?);
        }
        Series::trimmed(inner.low + 1, terms)
    }

    /// `e` to this, which begins above order 0.
    pub fn exp(&self) -> Option<Self> {
        let weighed = self.weighed()?;
        let mut terms = vec![T::integer(1)];
        for k in 1..weighed.len() {
            let sum = dot(&weighed[1..=k], &terms[..k]);
            terms.push(sum.div(&T::integer(k as i64))?);
        }
        Series::trimmed(0, terms)
    }

    /// Sine and cosine of this, which begins above order 0; with a sign of 1 the hyperbolic ones.
    pub fn sine_and_cosine(&self, sign: i64) -> Option<(Self, Self)> {
        let weighed = self.weighed()?;
        let (mut sine, mut cosine) = (vec![T::integer(0)], vec![T::integer(1)]);
        for k in 1..weighed.len() {
            let next = dot(&weighed[1..=k], &cosine[..k]).div(&T::integer(k as i64))?;
            let below = dot(&weighed[1..=k], &sine[..k]).mul(&T::integer(sign)).div(&T::integer(k as i64))?;
            sine.push(next);
            cosine.push(below);
        }
        Some((Series::trimmed(0, sine)?, Series::trimmed(0, cosine)?))
    }

    /// `k` times the coefficient of order `k`, from order 0; `None` unless that begins above order 0.
    fn weighed(&self) -> Option<Vec<T>> {
        if self.low < 1 {
            return None;
        }
        Some(self.dense()?.iter().zip(0..).map(|(c, k)| c.mul(&T::integer(k))).collect())
    }
}

/// Σ a\[i\]·b\[last − i\].
fn dot<T: Coefficient>(a: &[T], b: &[T]) -> T {
    a.iter().zip(b.iter().rev()).fold(T::integer(0), |sum, (a, b)| sum.add(&a.mul(b)))
}

fn padded<T: Coefficient>(mut terms: Vec<T>, count: usize) -> Vec<T> {
    terms.resize(count, T::integer(0));
    terms
}
