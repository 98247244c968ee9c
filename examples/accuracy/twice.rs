//! Arithmetic on unevaluated sums of two doubles, about 105 bits: what the oracle is written in.
//!
//! What must stay true: nothing here is shared with `symdiff::elementary`; relative errors of one
//! operation are below 2⁻¹⁰⁰, barring underflow.
//!
//! Source: Dekker, "A floating-point technique for extending the available precision" (1971);
//! Joldes, Muller and Popescu, "Tight and rigorous error bounds for basic building blocks of
//! double-word arithmetic" (2017).

use std::ops::{Add, Div, Mul, Neg, Sub};

/// hi + lo, |lo| ≤ ulp(hi)/2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Twice {
    pub hi: f64,
    pub lo: f64,
}

/// a + b exactly.
fn two_sum(a: f64, b: f64) -> Twice {
    let hi = a + b;
    let part = hi - a;
    Twice { hi, lo: (a - (hi - part)) + (b - part) }
}

/// a + b exactly for |a| ≥ |b|; what is no number or infinite stays alone.
fn fast(hi: f64, lo: f64) -> Twice {
    let sum = hi + lo;
    if !sum.is_finite() || hi == 0.0 && lo == 0.0 {
        return Twice { hi: sum, lo: 0.0 };
    }
    Twice { hi: sum, lo: lo - (sum - hi) }
}

impl Twice {
    pub const fn new(hi: f64, lo: f64) -> Twice {
        Twice { hi, lo }
    }

    pub fn abs(self) -> Twice {
        if self.hi < 0.0 { -self } else { self }
    }

    pub fn sqrt(self) -> Twice {
        if self.hi > 0.0 && self.hi < 1e-200 {
            return self.scaled(400).sqrt().scaled(-200);
        }
        let root = self.hi.sqrt();
        if root == 0.0 || !root.is_finite() {
            return root.into();
        }
        let rest = (self - Twice::from(root) * Twice::from(root)).hi;
        fast(root, rest / (2.0 * root))
    }

    /// Times 2ᵏ, as far as there are exponents.
    pub fn scaled(self, k: i32) -> Twice {
        Twice { hi: scaled(self.hi, k), lo: scaled(self.lo, k) }
    }
}

/// x · 2ᵏ in steps that lose nothing before the last.
pub fn scaled(x: f64, k: i32) -> f64 {
    let (mut x, mut k) = (x, k);
    while k != 0 {
        let step = k.clamp(-1000, 1000);
        // Downward, the subnormal numbers are reached in one step.
        let step = if k < -1000 && k > -1060 { k / 2 } else { step };
        x *= 2_f64.powi(step.clamp(-1000, 1000));
        k -= step;
    }
    x
}

impl From<f64> for Twice {
    fn from(x: f64) -> Twice {
        Twice { hi: x, lo: 0.0 }
    }
}

impl Neg for Twice {
    type Output = Twice;
    fn neg(self) -> Twice {
        Twice { hi: -self.hi, lo: -self.lo }
    }
}

impl Add for Twice {
    type Output = Twice;
    fn add(self, b: Twice) -> Twice {
        let (s, t) = (two_sum(self.hi, b.hi), two_sum(self.lo, b.lo));
        if !s.hi.is_finite() {
            return s.hi.into();
        }
        let v = fast(s.hi, s.lo + t.hi);
        fast(v.hi, v.lo + t.lo)
    }
}

impl Sub for Twice {
    type Output = Twice;
    fn sub(self, b: Twice) -> Twice {
        self + -b
    }
}

impl Mul for Twice {
    type Output = Twice;
    fn mul(self, b: Twice) -> Twice {
        let hi = self.hi * b.hi;
        if !hi.is_finite() {
            return hi.into();
        }
        let lo = self.hi.mul_add(b.hi, -hi);
        fast(hi, self.hi.mul_add(b.lo, self.lo.mul_add(b.hi, lo)))
    }
}

impl Div for Twice {
    type Output = Twice;
    fn div(self, b: Twice) -> Twice {
        let hi = self.hi / b.hi;
        if !hi.is_finite() || !b.hi.is_finite() || hi == 0.0 {
            return hi.into();
        }
        let rest = self - b * hi.into();
        let lo = rest.hi / b.hi;
        let rest = rest - b * lo.into();
        let sum = fast(hi, lo);
        sum + Twice::from(rest.hi / b.hi)
    }
}
