//! Coefficients of series: exact ones say what cancels, and ones of about 100 bits go far at little cost.

use crate::elementary::Plain;
use crate::elementary::pair::{Pair, divide, fast_two_sum, two_product, two_sum};
use crate::ir::Number;

/// Arithmetic of a field, and roots where it has them.
pub trait Coefficient: Clone {
    fn exact(n: &Number) -> Self;
    fn add(&self, other: &Self) -> Self;
    fn mul(&self, other: &Self) -> Self;
    /// `None` when dividing by 0.
    fn div(&self, other: &Self) -> Option<Self>;
    /// The `n`-th root of a positive one.
    fn root(&self, n: u32) -> Option<Self>;
    fn is_zero(&self) -> bool;
    fn is_positive(&self) -> bool;

    fn integer(n: i64) -> Self {
        Self::exact(&Number::integer(n))
    }
}

impl Coefficient for Number {
    fn exact(n: &Number) -> Self {
        n.clone()
    }

    fn add(&self, other: &Self) -> Self {
        Number::add(self, other)
    }

    fn mul(&self, other: &Self) -> Self {
        Number::mul(self, other)
    }

    fn div(&self, other: &Self) -> Option<Self> {
        Number::div(self, other)
    }

    fn root(&self, n: u32) -> Option<Self> {
        Number::root(self, n)
    }

    fn is_zero(&self) -> bool {
        Number::is_zero(self)
    }

    fn is_positive(&self) -> bool {
        !Number::is_zero(self) && !self.is_negative()
    }
}

/// The unevaluated sum of two doubles.
#[derive(Clone, Copy)]
pub struct Double(Pair<f64>);

impl Double {
    fn normal(hi: f64, lo: f64) -> Double {
        Double(fast_two_sum(&mut Plain, hi, lo))
    }

    /// To the nearest double.
    pub fn rounded(&self) -> f64 {
        self.0.hi
    }
}

impl Coefficient for Double {
    fn exact(n: &Number) -> Self {
        let hi = n.to_f64();
        let rest = Number::from_f64(hi).map_or(0.0, |hi| n.sub(&hi).to_f64());
        Double::normal(hi, rest)
    }

    fn add(&self, other: &Self) -> Self {
        let sum = two_sum(&mut Plain, self.0.hi, other.0.hi);
        let low = two_sum(&mut Plain, self.0.lo, other.0.lo);
        let middle = fast_two_sum(&mut Plain, sum.hi, sum.lo + low.hi);
        Double::normal(middle.hi, middle.lo + low.lo)
    }

    fn mul(&self, other: &Self) -> Self {
        let product = two_product(&mut Plain, self.0.hi, other.0.hi);
        Double::normal(product.hi, product.lo + (self.0.hi * other.0.lo + self.0.lo * other.0.hi))
    }

    fn div(&self, other: &Self) -> Option<Self> {
        if other.0.hi == 0.0 {
            return None;
        }
        let quotient = divide(&mut Plain, self.0, other.0);
        Some(Double::normal(quotient.hi, quotient.lo))
    }

    /// One step of Newton's method doubles the digits of the machine's root.
    fn root(&self, n: u32) -> Option<Self> {
        let start = Double::normal(self.0.hi.powf(1.0 / f64::from(n)), 0.0);
        let below = (1..n).fold(Double::integer(1), |power, _| power.mul(&start));
        let minus = Double::integer(-1);
        let step =
            self.add(&below.mul(&start).mul(&minus)).div(&below.mul(&Double::integer(i64::from(n))))?;
        Some(start.add(&step))
    }

    fn is_zero(&self) -> bool {
        self.0.hi == 0.0
    }

    fn is_positive(&self) -> bool {
        self.0.hi > 0.0
    }
}
