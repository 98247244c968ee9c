//! Exact rational constants, with budgets: no operation here can grow a number without bound.

use dashu_base::{BitTest, Sign, UnsignedAbs};
use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;
use std::cmp::Ordering;
use std::fmt;

/// Longest numerator or denominator, in bits, that folding may produce. Constants past it stay
/// unevaluated (`9^9^9^9` is kept as written), so folding is never the slow part of anything.
const FOLDED_BITS: usize = 4096;

/// An exact rational number.
///
/// Almost all constants are small; those are two machine words. A value has one representation
/// only: `Small` whenever it fits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Number(Repr);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Repr {
    /// `p/q` in lowest terms.
    Small {
        p: i64,
        q: u32,
    },
    Big(Box<RBig>),
}

impl Number {
    pub fn integer(value: i64) -> Self {
        Number(Repr::Small { p: value, q: 1 })
    }

    fn from_big(big: RBig) -> Self {
        let p = i64::try_from(big.numerator());
        let q = u32::try_from(big.denominator());
        match (p, q) {
            (Ok(p), Ok(q)) => Number(Repr::Small { p, q }),
            _ => Number(Repr::Big(Box::new(big))),
        }
    }

    fn to_big(&self) -> RBig {
        match &self.0 {
            Repr::Small { p, q } => RBig::from_parts(IBig::from(*p), UBig::from(*q)),
            Repr::Big(big) => (**big).clone(),
        }
    }

    /// The value as a machine integer.
    fn small_integer(&self) -> Option<i64> {
        match self.0 {
            Repr::Small { p, q: 1 } => Some(p),
            _ => None,
        }
    }

    /// Both values, when integer arithmetic may do.
    fn integers(&self, other: &Self) -> Option<(i64, i64)> {
        Some((self.small_integer()?, other.small_integer()?))
    }

    /// Numerators and denominators of both, when machine arithmetic may do: products of two of them, and
    /// sums of two such products, are far inside 128 bits.
    fn fractions(&self, other: &Self) -> Option<[i128; 4]> {
        let (Repr::Small { p: a, q: b }, Repr::Small { p: c, q: d }) = (&self.0, &other.0) else {
            return None;
        };
        Some([i128::from(*a), i128::from(*b), i128::from(*c), i128::from(*d)])
    }

    /// `p/q` in lowest terms, q ≠ 0; neither is the least number there is.
    fn reduced(p: i128, q: i128) -> Self {
        let divisor = greatest_common_divisor(p.unsigned_abs(), q.unsigned_abs()) as i128 * q.signum();
        let (p, q) = (p / divisor, q / divisor);
        match (i64::try_from(p), u32::try_from(q)) {
            (Ok(p), Ok(q)) => Number(Repr::Small { p, q }),
            _ => Number(Repr::Big(Box::new(RBig::from_parts(IBig::from(p), UBig::from(q.unsigned_abs()))))),
        }
    }

    /// `numerator / denominator`; `None` when the denominator is zero.
    pub fn ratio(numerator: i64, denominator: i64) -> Option<Self> {
        Number::integer(numerator).div(&Number::integer(denominator))
    }

    /// Reads `12`, `1.5`, `.5`, `1.`, `1e-3`, with `_` between digits: exactly the number written.
    /// The caller has checked digits and exponent against its budgets.
    pub fn from_decimal(text: &str) -> Option<Self> {
        if let Ok(integer) = text.parse::<i64>() {
            return Some(Number::integer(integer));
        }
        let text: String = text.chars().filter(|&c| c != '_').collect();
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].parse::<i64>().ok()?),
            None => (text.as_str(), 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("0{whole}{fraction}");
        let digits = IBig::from(UBig::from_str_radix(&digits, 10).ok()?);
        let scale = exponent - i64::try_from(fraction.len()).ok()?;
        let power = UBig::from(10u8).pow(usize::try_from(scale.unsigned_abs()).ok()?);
        Some(Number::from_big(if scale >= 0 {
            RBig::from(digits * IBig::from(power))
        } else {
            RBig::from_parts(digits, power)
        }))
    }

    /// The exact value of a finite double; `None` for NaN and infinities.
    pub fn from_f64(value: f64) -> Option<Self> {
        RBig::try_from(value).ok().map(Number::from_big)
    }

    /// The nearest double (ties to even); ±∞ past the largest.
    pub fn to_f64(&self) -> f64 {
        match &self.0 {
            // Both exact in a double, so the quotient is rounded once.
            Repr::Small { p, q } if p.unsigned_abs() <= 1 << 53 => *p as f64 / f64::from(*q),
            _ => self.to_big().to_f64().value(),
        }
    }

    pub fn to_i64(&self) -> Option<i64> {
        self.small_integer()
    }

    /// `(p, q)` with the value `p/q` in lowest terms, when both fit.
    pub fn to_ratio(&self) -> Option<(i64, i64)> {
        match &self.0 {
            Repr::Small { p, q } => Some((*p, i64::from(*q))),
            Repr::Big(big) => {
                Some((i64::try_from(big.numerator()).ok()?, i64::try_from(big.denominator()).ok()?))
            }
        }
    }

    pub fn is_zero(&self) -> bool {
        self.small_integer() == Some(0)
    }

    pub fn is_one(&self) -> bool {
        self.small_integer() == Some(1)
    }

    pub fn is_integer(&self) -> bool {
        match &self.0 {
            Repr::Small { q, .. } => *q == 1,
            Repr::Big(big) => big.denominator().is_one(),
        }
    }

    pub fn is_negative(&self) -> bool {
        match &self.0 {
            Repr::Small { p, .. } => *p < 0,
            Repr::Big(big) => big.sign() == Sign::Negative,
        }
    }

    /// An integer divisible by two.
    pub fn is_even(&self) -> bool {
        match &self.0 {
            Repr::Small { p, q } => *q == 1 && p % 2 == 0,
            Repr::Big(big) => big.denominator().is_one() && !big.numerator().bit(0),
        }
    }

    pub fn negate(&self) -> Self {
        match self.0 {
            Repr::Small { p, q } if p != i64::MIN => Number(Repr::Small { p: -p, q }),
            _ => Number::from_big(-self.to_big()),
        }
    }

    pub fn absolute(&self) -> Self {
        if self.is_negative() { self.negate() } else { self.clone() }
    }

    pub fn add(&self, other: &Self) -> Self {
        match self.integers(other).and_then(|(a, b)| a.checked_add(b)) {
            Some(sum) => Number::integer(sum),
            None => match self.fractions(other) {
                Some([a, b, c, d]) => Number::reduced(a * d + c * b, b * d),
                None => Number::from_big(self.to_big() + other.to_big()),
            },
        }
    }

    pub fn sub(&self, other: &Self) -> Self {
        self.add(&other.negate())
    }

    pub fn mul(&self, other: &Self) -> Self {
        if self.is_one() {
            return other.clone();
        }
        match self.integers(other).and_then(|(a, b)| a.checked_mul(b)) {
            Some(product) => Number::integer(product),
            None => match self.fractions(other) {
                Some([a, b, c, d]) => Number::reduced(a * c, b * d),
                None => Number::from_big(self.to_big() * other.to_big()),
            },
        }
    }

    /// `None` when `other` is zero.
    pub fn div(&self, other: &Self) -> Option<Self> {
        if other.is_one() {
            return Some(self.clone());
        }
        (!other.is_zero()).then(|| match self.fractions(other) {
            Some([a, b, c, d]) => Number::reduced(a * d, b * c),
            None => Number::from_big(self.to_big() / other.to_big()),
        })
    }

    pub fn recip(&self) -> Option<Self> {
        Number::integer(1).div(self)
    }

    /// `self^exponent` for an integer exponent whose result stays within the folding budget.
    /// `0^0 = 1`; `None` for `0^-n`.
    pub fn powi(&self, exponent: i64) -> Option<Self> {
        if exponent == 1 {
            return Some(self.clone());
        }
        if self.is_zero() && exponent < 0 {
            return None;
        }
        if self.is_zero() || self.is_one() || exponent == 0 {
            let one = exponent == 0 || self.is_one();
            return Some(Number::integer(i64::from(one)));
        }
        let magnitude = usize::try_from(exponent.unsigned_abs()).ok()?;
        if self.absolute().is_one() {
            return Some(Number::integer(if magnitude.is_multiple_of(2) { 1 } else { -1 }));
        }
        if self.bits().checked_mul(magnitude)? > FOLDED_BITS {
            return None;
        }
        let power = Number::from_big(self.to_big().pow(isize::try_from(magnitude).ok()?));
        if exponent < 0 { power.recip() } else { Some(power) }
    }

    /// The exact `n`-th root (n ≥ 1) when it is rational and real.
    pub fn root(&self, n: u32) -> Option<Self> {
        if self.is_negative() && n.is_multiple_of(2) {
            return None;
        }
        let n = usize::try_from(n).ok()?;
        let root = |x: UBig| {
            let r = x.clone().nth_root(n);
            (r.clone().pow(n) == x).then_some(r)
        };
        let big = self.to_big();
        let p = root(big.numerator().clone().unsigned_abs())?;
        let q = root(big.denominator().clone())?;
        let root = Number::from_big(RBig::from_parts(IBig::from(p), q));
        Some(if self.is_negative() { root.negate() } else { root })
    }

    pub fn floor(&self) -> Self {
        Number::from_big(RBig::from(self.to_big().floor()))
    }

    /// True when the folding budget allows arithmetic with this number.
    pub fn is_small(&self) -> bool {
        self.bits() <= FOLDED_BITS
    }

    /// Bits of the longer of numerator and denominator.
    pub fn bits(&self) -> usize {
        match &self.0 {
            Repr::Small { p, q } => {
                let bits = (64 - p.unsigned_abs().leading_zeros()).max(32 - q.leading_zeros());
                bits as usize
            }
            Repr::Big(big) => big.numerator().bit_len().max(big.denominator().bit_len()),
        }
    }

    /// Numerator with its sign, and denominator, as integers of any length.
    pub(crate) fn big_fraction(&self) -> (IBig, IBig) {
        let big = self.to_big();
        (big.numerator().clone(), big.denominator().clone().into())
    }

    /// Numerator with its sign, and denominator, as numbers.
    pub fn fraction(&self) -> (Number, Number) {
        match &self.0 {
            Repr::Small { p, q } => (Number::integer(*p), Number::integer(i64::from(*q))),
            Repr::Big(big) => {
                let part = |n: IBig| Number::from_big(RBig::from(n));
                (part(big.numerator().clone()), part(IBig::from(big.denominator().clone())))
            }
        }
    }

    /// Numerator without its sign, and denominator, in decimal digits.
    pub fn parts(&self) -> (String, String) {
        let big = self.to_big();
        (big.numerator().clone().unsigned_abs().to_string(), big.denominator().to_string())
    }

    /// The finite decimal expansion, if there is one within `digits` digits after the point.
    pub fn to_decimal(&self, digits: u32) -> Option<String> {
        for n in 0..=digits {
            let scaled = self.mul(&Number::integer(10).powi(i64::from(n))?);
            if scaled.is_integer() {
                let (text, _) = scaled.parts();
                let n = n as usize;
                let padded = format!("{text:0>width$}", width = n + 1);
                let (whole, fraction) = padded.split_at(padded.len() - n);
                let sign = if self.is_negative() { "-" } else { "" };
                let point = if n == 0 { "" } else { "." };
                return Some(format!("{sign}{whole}{point}{fraction}"));
            }
        }
        None
    }
}

/// By Euclid's algorithm, in words as long as there have to be.
fn greatest_common_divisor(mut a: u128, mut b: u128) -> u128 {
    while b > u128::from(u64::MAX) {
        (a, b) = (b, a % b);
    }
    if b == 0 {
        return a;
    }
    let (mut a, mut b) = (b as u64, (a % b) as u64);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    u128::from(a)
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match self.integers(other) {
            Some((a, b)) => a.cmp(&b),
            None => match self.fractions(other) {
                Some([a, b, c, d]) => (a * d).cmp(&(c * b)),
                None => self.to_big().cmp(&other.to_big()),
            },
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Small { p, q: 1 } => write!(f, "{p}"),
            Repr::Small { p, q } => write!(f, "{p}/{q}"),
            Repr::Big(big) => write!(f, "{big}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Number;

    #[test]
    fn small_fractions_are_computed_as_big_ones_are() {
        const SEED: u64 = 7;
        let mut state = SEED;
        let mut next = |bits: u32| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state as i64) >> (64 - bits)
        };
        let edges = [0, 1, -1, i64::MIN, i64::MAX, i64::from(u32::MAX), 1 << 32];
        let mut numbers: Vec<Number> = Vec::new();
        for &p in &edges {
            numbers.extend([1, 3, i64::from(u32::MAX), i64::MAX].iter().filter_map(|&q| Number::ratio(p, q)));
        }
        for bits in (2..=64).cycle().take(130) {
            numbers.extend(Number::ratio(next(bits), next(bits.min(32))));
        }
        for a in &numbers {
            for b in &numbers {
                let (x, y) = (a.to_big(), b.to_big());
                let same = |found: Number, expected| {
                    let expected = Number::from_big(expected);
                    assert_eq!(found, expected, "of {a} and {b}, seed {SEED}");
                };
                same(a.add(b), &x + &y);
                same(a.mul(b), &x * &y);
                assert_eq!(a.cmp(b), x.cmp(&y), "{a} and {b}, seed {SEED}");
                if !b.is_zero() {
                    same(a.div(b).expect("not zero"), x / y);
                }
            }
        }
    }

    #[test]
    fn decimals_are_exact() {
        let tenth = Number::from_decimal("0.1").expect("a number");
        assert_eq!(tenth, Number::ratio(1, 10).expect("not zero"));
        assert_eq!(tenth.to_f64(), 0.1);
        assert_eq!(
            Number::from_decimal("1_000.50e-2").expect("a number").to_decimal(9).as_deref(),
            Some("10.005")
        );
        assert_eq!(Number::from_decimal("1e400").expect("a number").to_f64(), f64::INFINITY);
        assert_eq!(Number::from_decimal("4.9e-324").expect("a number").to_f64(), 5e-324);
    }

    #[test]
    fn powers_stay_within_the_budget() {
        assert_eq!(Number::integer(2).powi(10), Some(Number::integer(1024)));
        assert_eq!(Number::integer(9).powi(387_420_489), None);
        assert_eq!(Number::integer(0).powi(-1), None);
        assert_eq!(Number::integer(0).powi(0), Some(Number::integer(1)));
        assert_eq!(Number::integer(-1).powi(1_000_000_001), Some(Number::integer(-1)));
    }

    #[test]
    fn roots_are_found_only_when_rational() {
        let ninth = Number::ratio(4, 9).expect("not zero");
        assert_eq!(ninth.root(2), Number::ratio(2, 3));
        assert_eq!(Number::integer(2).root(2), None);
        assert_eq!(Number::integer(-8).root(3), Some(Number::integer(-2)));
    }
}
