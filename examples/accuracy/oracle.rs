//! Elementary functions to about 95 bits, from series and identities that need no tables.
//!
//! What must stay true: nothing here is shared with `symdiff::elementary`. A value is given with a
//! power of two beside it, so that subnormal results keep their digits.

use super::twice::{Twice, scaled};
use dashu_int::{IBig, UBig};
use std::sync::OnceLock;

/// value · 2^exponent.
#[derive(Clone, Copy, Debug)]
pub struct Truth {
    pub value: Twice,
    pub exponent: i32,
}

impl From<Twice> for Truth {
    fn from(value: Twice) -> Truth {
        Truth { value, exponent: 0 }
    }
}

impl Truth {
    /// How far `y` is from it, in units of the last place: the spacing of the doubles around it.
    pub fn error(&self, y: f64) -> f64 {
        let nearest = scaled(self.value.hi, self.exponent);
        if nearest.is_nan() || y.is_nan() {
            return if nearest.is_nan() && y.is_nan() { 0.0 } else { f64::INFINITY };
        }
        if !nearest.is_finite() || !y.is_finite() {
            // Overflow: the largest number is as near as infinity.
            let near = |x: f64| !x.is_finite() || x.abs() == f64::MAX;
            let same = nearest == y || near(nearest) && near(y) && nearest.signum() == y.signum();
            return if same { 0.0 } else { f64::INFINITY };
        }
        let magnitude = nearest.abs();
        // Below a power of two the spacing is half of that above.
        let below = self.value.lo != 0.0 && (self.value.lo < 0.0) != (self.value.hi < 0.0);
        let unit = if below { magnitude - magnitude.next_down() } else { magnitude.next_up() - magnitude };
        let unit = if unit.is_finite() && unit > 0.0 { unit } else { magnitude - magnitude.next_down() };
        if self.exponent == 0 {
            return (((y - self.value.hi) - self.value.lo) / unit).abs();
        }
        let (y, unit) = (scaled(y, -self.exponent), scaled(unit, -self.exponent));
        (((y - self.value.hi) - self.value.lo) / unit).abs()
    }
}

pub const LN_2: Twice = Twice::new(std::f64::consts::LN_2, 2.319_046_813_846_299_6e-17);
pub(super) const PI: Twice = Twice::new(std::f64::consts::PI, 1.224_646_799_147_353_2e-16);
pub(super) const ONE: Twice = Twice::new(1.0, 0.0);
pub(super) const TWO: Twice = Twice::new(2.0, 0.0);
pub(super) const HALF: Twice = Twice::new(0.5, 0.0);

/// Σ term(n) from n = 1 on, until terms no longer count.
pub(super) fn sum(first: Twice, mut term: impl FnMut(u32) -> Twice) -> Twice {
    let mut total = first;
    for n in 1..2000 {
        let next = term(n);
        total = total + next;
        if next.hi.abs() <= total.hi.abs() * 1e-33 || !total.hi.is_finite() {
            break;
        }
    }
    total
}

/// eˣ = result · 2ᵏ.
pub fn exp(x: Twice) -> Truth {
    if x.hi.is_nan() || x.hi > 800.0 || x.hi < -800.0 {
        return Twice::from(x.hi.exp()).into();
    }
    let k = (x.hi / LN_2.hi).round();
    // Three parts of ln 2: the first has 33 bits, so that k times it is exact.
    let parts = [0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10, 1.161_222_722_936_253_2e-26];
    let mut r = x - Twice::from(k * parts[0]);
    r = r - Twice::from(k) * parts[1].into() - Twice::from(k * parts[2]);
    Truth { value: ONE + expm1_near(r), exponent: k as i32 }
}

/// eˣ − 1 for |x| ≤ 0.35, in relative terms: of x/16 by Taylor, then four doublings.
fn expm1_near(x: Twice) -> Twice {
    let x = x.scaled(-4);
    let mut term = x;
    let mut y = sum(x, |n| {
        term = term * x / Twice::from(f64::from(n + 1));
        term
    });
    for _ in 0..4 {
        y = y * (y + TWO);
    }
    y
}

pub fn exp2(x: f64) -> Truth {
    let k = x.clamp(-1100.0, 1100.0).round();
    let y = exp(Twice::from(x.clamp(-1100.0, 1100.0) - k) * LN_2);
    Truth { value: y.value, exponent: y.exponent + k as i32 }
}

pub fn expm1(x: Twice) -> Twice {
    if x.hi.abs() < 0.35 {
        return expm1_near(x);
    }
    let y = exp(x);
    y.value.scaled(y.exponent) - ONE
}

/// log(1 + x), in relative terms: 2 atanh(x/(2 + x)).
pub fn log1p(x: Twice) -> Twice {
    if x.hi.abs() > 0.42 {
        return log(ONE + x);
    }
    if x.hi.abs() < 1e-200 {
        // x²/2 is far below; halves of subnormal numbers are not exact.
        return x;
    }
    let s = x / (TWO + x);
    let square = s * s;
    let mut power = s;
    sum(s, |n| {
        power = power * square;
        power / Twice::from(f64::from(2 * n + 1))
    })
    .scaled(1)
}

/// log x for x > 0.
pub fn log(x: Twice) -> Twice {
    if !(x.hi > 0.0 && x.hi.is_finite()) {
        return x.hi.ln().into();
    }
    let raised = if x.hi < f64::MIN_POSITIVE { x.scaled(100) } else { x };
    let mut k = raised.hi.to_bits() as i64 >> 52;
    k -= 1023;
    if raised.hi.to_bits() & ((1 << 52) - 1) > 0x6_A09E_667F_3BCD {
        k += 1;
    }
    let m = raised.scaled(-(k as i32));
    let shift = if x.hi < f64::MIN_POSITIVE { 100.0 } else { 0.0 };
    LN_2 * Twice::from(k as f64 - shift) + log1p(m - ONE)
}

/// π/2 in units of 2⁻¹⁴⁰⁰.
fn half_pi() -> &'static UBig {
    static HALF_PI: OnceLock<UBig> = OnceLock::new();
    HALF_PI.get_or_init(|| {
        // Machin: π/4 = 4 atan(1/5) − atan(1/239), with 64 bits to spare.
        let atan = |n: u32| {
            let mut power = (IBig::ONE << 1464_usize) / IBig::from(n);
            let mut total = power.clone();
            let square = IBig::from(n * n);
            for i in 1..1500_u32 {
                power /= -&square;
                total += &power / IBig::from(2 * i + 1);
            }
            total
        };
        let quarter = IBig::from(4) * atan(5) - atan(239);
        UBig::try_from((quarter * 2) >> 64_usize).expect("π is positive")
    })
}

/// x = quadrant·π/2 + r with |r| ≤ π/4, for any finite x.
pub fn reduce(x: f64) -> (u32, Twice) {
    let magnitude = x.abs();
    if magnitude < 0.78 {
        return (0, x.into());
    }
    let bits = magnitude.to_bits();
    let (mantissa, exponent) = ((bits & ((1 << 52) - 1)) | 1 << 52, (bits >> 52) as i32 - 1075);
    let whole = UBig::from(mantissa) << (1400 + exponent) as usize;
    let quotient = &whole / half_pi();
    let rest = IBig::from(whole - &quotient * half_pi());
    let turns = IBig::from(half_pi().clone());
    let upper = &rest * 2 > turns;
    let rest = if upper { rest - turns } else { rest };
    let quadrant = u32::try_from(&quotient % UBig::from(4_u8)).expect("below 4") + u32::from(upper);
    let r = of_integer(rest, -1400);
    if x < 0.0 { ((4 - quadrant % 4) % 4, -r) } else { (quadrant % 4, r) }
}

/// n · 2^exponent.
fn of_integer(n: IBig, exponent: i32) -> Twice {
    let negative = n < IBig::ZERO;
    let n = UBig::try_from(if negative { -n } else { n }).expect("a magnitude");
    let cut = dashu_base::BitTest::bit_len(&n).saturating_sub(106);
    let top = u128::try_from(n >> cut).expect("106 bits");
    let hi = (top >> 53) as f64 * 2_f64.powi(53);
    let sum = Twice::from(hi) + Twice::from((top & ((1 << 53) - 1)) as f64);
    let y = sum.scaled(cut as i32 + exponent);
    if negative { -y } else { y }
}

/// sin r for |r| ≤ π/4, and cos r.
pub(super) fn series(r: Twice) -> (Twice, Twice) {
    let square = -(r * r);
    let mut term = r;
    let sine = sum(r, |n| {
        term = term * square / Twice::from(f64::from(2 * n * (2 * n + 1)));
        term
    });
    let mut term = ONE;
    let cosine = sum(ONE, |n| {
        term = term * square / Twice::from(f64::from(2 * n * (2 * n - 1)));
        term
    });
    (sine, cosine)
}

/// sin x and cos x.
pub fn sin_cos(x: f64) -> (Twice, Twice) {
    if !x.is_finite() {
        return (f64::NAN.into(), f64::NAN.into());
    }
    let (quadrant, r) = reduce(x);
    let (sine, cosine) = series(r);
    match quadrant {
        0 => (sine, cosine),
        1 => (cosine, -sine),
        2 => (-sine, -cosine),
        _ => (-cosine, sine),
    }
}

/// sin πx and cos πx.
pub fn of_half_turns(x: f64) -> (Twice, Twice) {
    let rest = x % 2.0;
    let quarters = (rest * 2.0).round();
    let (sine, cosine) = series(PI * Twice::from(rest - quarters / 2.0));
    match (quarters as i32).rem_euclid(4) {
        0 => (sine, cosine),
        1 => (cosine, -sine),
        2 => (-sine, -cosine),
        _ => (-cosine, sine),
    }
}

/// atan x by a step from the system's: atan x = t + atan((x − tan t)/(1 + x tan t)).
pub fn atan(x: Twice) -> Twice {
    if x.hi.abs() > 1.0 {
        let right = if x.hi < 0.0 { -PI.scaled(-1) } else { PI.scaled(-1) };
        return if x.hi.is_infinite() { right } else { right - atan(ONE / x) };
    }
    if x.hi.abs() < 1e-20 {
        return x;
    }
    let t = x.hi.atan();
    let (sine, cosine) = series(t.into());
    let tangent = sine / cosine;
    let step = (x - tangent) / (ONE + x * tangent);
    Twice::from(t) + step
}

/// √(1 − x²).
fn leg(x: f64) -> Twice {
    ((ONE - x.into()) * (ONE + x.into())).sqrt()
}

pub fn asin(x: f64) -> Twice {
    atan(Twice::from(x) / leg(x))
}

pub fn acos(x: f64) -> Twice {
    if x > 1.0 {
        return f64::NAN.into();
    }
    atan(((ONE - x.into()) / (ONE + x.into())).sqrt()).scaled(1)
}

pub fn atan2(y: f64, x: f64) -> Twice {
    // Powers of two keep the quotient in range.
    let angle = match y.abs() > x.abs() {
        true => PI.scaled(-1) - atan(Twice::from(x.abs()) / y.abs().into()),
        false => atan(Twice::from(y.abs()) / x.abs().into()),
    };
    let angle = if x.is_sign_negative() { PI - angle } else { angle };
    if y.is_sign_negative() { -angle } else { angle }
}

/// eˣ/2, and e^(−x)/2, of x ≥ 0, times 2^−exponent.
fn halves(x: f64) -> (Twice, Twice, i32) {
    let up = exp(x.into());
    let down = ONE / up.value;
    (up.value.scaled(-1), down.scaled(-1 - (2 * up.exponent).min(900)), up.exponent)
}

pub fn sinh(x: f64) -> Truth {
    if x.abs() < 0.3 {
        let e = expm1_near(x.into());
        return ((e + e / (e + ONE)) * HALF).into();
    }
    let (up, down, exponent) = halves(x.abs());
    let value = up - down;
    Truth { value: if x < 0.0 { -value } else { value }, exponent }
}

pub fn cosh(x: f64) -> Truth {
    let (up, down, exponent) = halves(x.abs());
    Truth { value: up + down, exponent }
}

pub fn tanh(x: f64) -> Twice {
    if x.abs() > 300.0 {
        return x.signum().into();
    }
    let e = expm1(Twice::from(2.0 * x.abs()));
    let y = e / (e + TWO);
    if x < 0.0 { -y } else { y }
}

pub fn reciprocal(x: Truth) -> Truth {
    Truth { value: ONE / x.value, exponent: -x.exponent }
}

pub fn asinh(x: f64) -> Twice {
    let size = Twice::from(x.abs());
    let y = match x.abs() > 1e150 {
        true => log(size) + LN_2,
        false => {
            let square = size * size;
            log1p(size + square / (ONE + (ONE + square).sqrt()))
        }
    };
    if x < 0.0 { -y } else { y }
}

pub fn acosh(x: f64) -> Twice {
    if x > 1e150 {
        return log(x.into()) + LN_2;
    }
    let t = Twice::from(x) - ONE;
    log1p(t + (t * (t + TWO)).sqrt())
}

pub fn atanh(x: f64) -> Twice {
    let x = Twice::from(x);
    log1p((x + x) / (ONE - x)).scaled(-1)
}

/// xʸ for x > 0.
pub fn pow(x: f64, y: f64) -> Truth {
    let e = log(x.into()) * y.into();
    exp(e)
}

pub fn cbrt(x: f64) -> Twice {
    // Away from the subnormal numbers; 2³⁰⁰ has the root 2¹⁰⁰.
    let lifted = if x.abs() < 1e-200 { x * 2_f64.powi(300) } else { x };
    let root = lifted.cbrt();
    let r = Twice::from(root);
    let y = r - (r * r * r - lifted.into()) / (r * r * Twice::from(3.0));
    if x.abs() < 1e-200 { y.scaled(-100) } else { y }
}

pub fn hypot(x: f64, y: f64) -> Truth {
    let most = x.abs().max(y.abs());
    let k = (most.to_bits() >> 52) as i32 - 1023;
    let (x, y) = (Twice::from(scaled(x, -k)), Twice::from(scaled(y, -k)));
    Truth { value: (x * x + y * y).sqrt(), exponent: k }
}

/// e^(−|x|) and 1 + e^(−|x|).
fn decay(x: f64) -> (Truth, Twice) {
    let e = exp(Twice::from(-x.abs()));
    (e, ONE + e.value.scaled(e.exponent.max(-900)))
}

pub fn sigmoid(x: f64) -> Truth {
    let (e, sum) = decay(x);
    match x < 0.0 {
        true => Truth { value: e.value / sum, exponent: e.exponent },
        false => (ONE / sum).into(),
    }
}

pub fn softplus(x: f64) -> Truth {
    let (e, _) = decay(x);
    if x < -100.0 {
        return e;
    }
    let rest = log1p(e.value.scaled(e.exponent.max(-1000)));
    (if x > 0.0 { Twice::from(x) + rest } else { rest }).into()
}

pub fn logaddexp(a: f64, b: f64) -> Twice {
    let (most, least) = (a.max(b), a.min(b));
    let gap = exp(Twice::from(least) - most.into());
    Twice::from(most) + log1p(gap.value.scaled(gap.exponent.max(-1000)))
}

/// log(1 − eˣ) for x < 0.
pub fn log1mexp(x: f64) -> Truth {
    if x < -100.0 {
        let e = exp(x.into());
        return Truth { value: -e.value, exponent: e.exponent };
    }
    match x > -1.0 {
        true => log(-expm1(x.into())).into(),
        false => {
            let e = exp(x.into());
            log1p(-e.value.scaled(e.exponent)).into()
        }
    }
}
