//! Binary floating-point numbers of any length: an integer times a power of two.
//!
//! What must stay true: the exponent is an integer without bounds, so nothing overflows or
//! underflows; arithmetic here is exact, and only [`Float::rounded`] and the division and root round,
//! towards zero, by less than one unit of the last of so many bits.

use dashu_base::{Abs, BitTest, DivRem, Sign, Signed, SquareRoot, UnsignedAbs};
use dashu_int::IBig;
use std::cmp::Ordering;

/// mantissa · 2^exponent.
#[derive(Clone, Debug, PartialEq)]
pub struct Float {
    pub mantissa: IBig,
    pub exponent: IBig,
}

/// `n` as a length in bits, when it is one that can be shifted by.
fn bits(n: &IBig) -> Option<usize> {
    usize::try_from(n).ok()
}

impl Float {
    pub fn new(mantissa: IBig, exponent: IBig) -> Float {
        Float { mantissa, exponent }
    }

    pub fn integer(n: i64) -> Float {
        Float::new(n.into(), IBig::ZERO)
    }

    /// The exact value of a finite double.
    pub fn from_f64(x: f64) -> Float {
        let field = (x.to_bits() >> 52 & 0x7ff) as i64;
        let fraction = (x.to_bits() & ((1 << 52) - 1)) as i64;
        let (size, exponent) =
            if field == 0 { (fraction, -1074) } else { (fraction | 1 << 52, field - 1075) };
        let size = if x.is_sign_negative() { -size } else { size };
        Float::new(size.into(), exponent.into())
    }

    pub fn is_zero(&self) -> bool {
        self.mantissa == IBig::ZERO
    }

    pub fn is_negative(&self) -> bool {
        self.mantissa.sign() == Sign::Negative && !self.is_zero()
    }

    /// The t with 2^(t − 1) ≤ |x| < 2^t; `None` for zero.
    pub fn top(&self) -> Option<IBig> {
        (!self.is_zero()).then(|| &self.exponent + IBig::from(self.mantissa.clone().unsigned_abs().bit_len()))
    }

    pub fn negated(&self) -> Float {
        Float::new(-&self.mantissa, self.exponent.clone())
    }

    pub fn absolute(&self) -> Float {
        Float::new(self.mantissa.clone().abs(), self.exponent.clone())
    }

    /// x · 2^k
    pub fn scaled(&self, k: &IBig) -> Float {
        Float::new(self.mantissa.clone(), &self.exponent + k)
    }

    pub fn times(&self, other: &Float) -> Float {
        Float::new(&self.mantissa * &other.mantissa, &self.exponent + &other.exponent)
    }

    /// The exact sum; the caller has seen to it that the exponents are near each other.
    pub fn plus(&self, other: &Float) -> Float {
        if self.is_zero() {
            return other.clone();
        }
        if other.is_zero() {
            return self.clone();
        }
        let (high, low) = if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        let shift = bits(&(&high.exponent - &low.exponent)).unwrap_or(0);
        Float::new((&high.mantissa << shift) + &low.mantissa, low.exponent.clone())
    }

    pub fn minus(&self, other: &Float) -> Float {
        self.plus(&other.negated())
    }

    /// The first `precision` bits, and whether any were lost.
    pub fn rounded(self, precision: usize) -> (Float, bool) {
        let length = self.mantissa.clone().unsigned_abs().bit_len();
        if length <= precision {
            return (self, false);
        }
        let shift = length - precision;
        let (sign, size) = self.mantissa.into_parts();
        let (low, high) = size.split_bits(shift);
        let lost = !low.is_zero();
        (Float::new(IBig::from_parts(sign, high), self.exponent + IBig::from(shift)), lost)
    }

    /// The quotient to `precision` bits, by a divisor that is not zero.
    pub fn over(&self, other: &Float, precision: usize) -> Float {
        let length = |x: &Float| x.mantissa.clone().unsigned_abs().bit_len();
        let shift = (precision + 2 + length(other)).saturating_sub(length(self));
        let (quotient, _) = (&self.mantissa << shift).div_rem(&other.mantissa);
        Float::new(quotient, &self.exponent - &other.exponent - IBig::from(shift))
    }

    /// The root to `precision` bits, of a number that is not negative.
    pub fn root(&self, precision: usize) -> Float {
        let length = self.mantissa.clone().unsigned_abs().bit_len();
        let mut shift = (2 * precision + 4).saturating_sub(length);
        if (&self.exponent - IBig::from(shift)) % IBig::from(2) != IBig::ZERO {
            shift += 1;
        }
        let root = (&self.mantissa << shift).unsigned_abs().sqrt();
        Float::new(root.into(), (&self.exponent - IBig::from(shift)) / IBig::from(2))
    }

    pub fn compare(&self, other: &Float) -> Ordering {
        let sign = |x: &Float| {
            if x.is_zero() {
                0
            } else if x.is_negative() {
                -1
            } else {
                1
            }
        };
        let by_sign = sign(self).cmp(&sign(other));
        if by_sign != Ordering::Equal || sign(self) == 0 {
            return by_sign;
        }
        let by_size = self.top().cmp(&other.top());
        match by_size {
            Ordering::Equal => self.minus(other).mantissa.cmp(&IBig::ZERO),
            _ if self.is_negative() => by_size.reverse(),
            _ => by_size,
        }
    }

    /// The integer part towards −∞, when the number is not huge.
    pub fn floor(&self) -> Option<IBig> {
        const LONGEST: usize = 1 << 16;
        if self.is_zero() {
            return Some(IBig::ZERO);
        }
        if self.exponent.is_negative() {
            let shift = bits(&-&self.exponent).filter(|&n| n <= LONGEST);
            // All bits are behind the point.
            let Some(shift) = shift else { return Some(IBig::from(if self.is_negative() { -1 } else { 0 })) };
            return Some(&self.mantissa >> shift);
        }
        let shift = bits(&self.exponent).filter(|&n| n <= LONGEST)?;
        Some(&self.mantissa << shift)
    }

    /// ⌊x · 2^places⌋, when that is not huge.
    pub fn fixed(&self, places: usize) -> Option<IBig> {
        self.scaled(&IBig::from(places)).floor()
    }

    /// The nearest double, ties to even.
    pub fn to_f64(&self) -> f64 {
        let Some(top) = self.top() else { return 0.0 };
        let sign = if self.is_negative() { -1.0 } else { 1.0 };
        let Some(top) = i64::try_from(&top).ok().filter(|t| (-1100..=1025).contains(t)) else {
            return sign * if top.is_negative() { 0.0 } else { f64::INFINITY };
        };
        // The place of the last bit kept.
        let last = (top - 53).max(-1074);
        let size = self.absolute().scaled(&IBig::from(-last)).rounded_to_integer();
        let size = u64::try_from(&size).unwrap_or(u64::MAX) as f64;
        // Two factors, each a normal power of two: the first product is exact.
        let (first, second) = (last / 2, last - last / 2);
        sign * (size * 2_f64.powi(first as i32)) * 2_f64.powi(second as i32)
    }

    /// To the nearest integer, ties to even, of a number that is not negative nor huge.
    fn rounded_to_integer(&self) -> IBig {
        if !self.exponent.is_negative() {
            return &self.mantissa << bits(&self.exponent).unwrap_or(0);
        }
        let shift = bits(&-&self.exponent).unwrap_or(0);
        let (low, high) = self.mantissa.clone().unsigned_abs().split_bits(shift);
        let half = dashu_int::UBig::ONE << (shift - 1);
        let odd = high.bit(0);
        let up = low > half || (low == half && odd);
        IBig::from(high) + IBig::from(u8::from(up))
    }
}

#[cfg(test)]
mod tests {
    use super::Float;

    #[test]
    fn doubles_come_back() {
        for x in [0.0, 1.0, -0.1, f64::MAX, f64::MIN_POSITIVE, 5e-324, -1.5e300, 3e-310] {
            assert_eq!(Float::from_f64(x).to_f64(), x);
        }
        assert_eq!(Float::from_f64(f64::MAX).plus(&Float::from_f64(f64::MAX)).to_f64(), f64::INFINITY);
    }

    #[test]
    fn roots_and_quotients_have_their_bits() {
        assert_eq!(Float::integer(2).root(100).to_f64(), std::f64::consts::SQRT_2);
        assert_eq!(Float::integer(1).over(&Float::integer(3), 100).to_f64(), 1.0 / 3.0);
        assert_eq!(Float::integer(-9).floor(), Some((-9).into()));
        assert_eq!(Float::from_f64(-0.5).floor(), Some((-1).into()));
    }
}
