//! sin, cos and tan of huge arguments, |x| ≥ 2³², off the fast path.
//!
//! What must stay true: the fraction of x·2/π keeps more than 130 bits after the
//! leading zeros the closest double to a multiple of π/2 can cause (about 62).
//!
//! Source: Payne and Hanek, "Radian reduction for trigonometric functions" (1983).

use std::f64::consts::FRAC_PI_2;

use super::Plain;
use super::pair::Pair;
use super::trigonometric::{FRAC_PI_2_TAIL, cos_of, sin_of, tan_of};

/// 2/π: word i holds the bits of weight 2^(63 − 64i) down to 2^(−64i), the first
/// being the zeros before the point.
#[rustfmt::skip]
const TWO_OVER_PI: [u64; 21] = [
    0x0000_0000_0000_0000, 0xA2F9_836E_4E44_1529, 0xFC27_57D1_F534_DDC0,
    0xDB62_9599_3C43_9041, 0xFE51_63AB_DEBB_C561, 0xB724_6E3A_424D_D2E0,
    0x0649_2EEA_09D1_921C, 0xFE1D_EB1C_B129_A73E, 0xE882_35F5_2EBB_4484,
    0xE99C_7026_B45F_7E41, 0x3991_D639_8353_39F4, 0x9C84_5F8B_BDF9_283B,
    0x1FF8_97FF_DE05_980F, 0xEF2F_118B_5A0A_6D1F, 0x6D36_7ECF_27CB_09B7,
    0x4F46_3F66_9E5F_EA2D, 0x7527_BAC7_EBE5_F17B, 0x3D07_39F7_8A52_92EA,
    0x6BFB_5FB1_1F8D_5D08, 0x5603_3046_FC7B_6BAB, 0xF0CF_BC20_9AF4_361D,
];

/// sin x for |x| ≥ 2³².
pub(super) fn sin(x: f64) -> f64 {
    reduce(x).map_or(f64::NAN, |(quadrant, r)| sin_of(&mut Plain, quadrant, r))
}

/// cos x for |x| ≥ 2³².
pub(super) fn cos(x: f64) -> f64 {
    reduce(x).map_or(f64::NAN, |(quadrant, r)| cos_of(&mut Plain, quadrant, r))
}

/// tan x for |x| ≥ 2³².
pub(super) fn tan(x: f64) -> f64 {
    reduce(x).map_or(f64::NAN, |(quadrant, r)| tan_of(&mut Plain, quadrant, r))
}

/// x = k·π/2 + r with |r| ≤ π/4, and k modulo 4; nothing below 2³², for ±∞ or NaN.
fn reduce(x: f64) -> Option<(i64, Pair<f64>)> {
    if !x.is_finite() || x.abs() < LEAST {
        return None;
    }
    let bits = x.to_bits();
    // |x| = mantissa·2^(position − 62), where position ≥ 42.
    let mantissa = bits & ((1 << 52) - 1) | (1 << 52);
    let position = ((bits >> 52) & 0x7FF) as usize + 62 - 1075;
    // Bits of 2/π above `position` contribute multiples of 4: the product of the
    // 256 below with the mantissa is x·2/π modulo 4, in units of 2⁻²⁵⁴.
    let product = multiply(window(position), mantissa);
    let whole = (product[0] >> 62) as i64;
    let fraction = shift_left(product, 2);
    let upper_half = fraction[0] >> 63 == 1;
    let magnitude = if upper_half { negate(fraction) } else { fraction };
    let quadrant = whole + i64::from(upper_half);
    let r = times_half_pi(magnitude);
    let negative = upper_half != (x < 0.0);
    let r = if negative { Pair { hi: -r.hi, lo: -r.lo } } else { r };
    Some((if x < 0.0 { -quadrant } else { quadrant }, r))
}

/// The least |x| this reduction is for.
const LEAST: f64 = 4_294_967_296.0;

/// 256 bits, the most significant word first.
type Wide = [u64; 4];

/// The 256 bits of 2/π from bit `position` of the table on.
fn window(position: usize) -> Wide {
    let (word, shift) = (position / 64, position % 64);
    std::array::from_fn(|i| {
        let both = u128::from(TWO_OVER_PI[word + i]) << 64 | u128::from(TWO_OVER_PI[word + i + 1]);
        (both << shift >> 64) as u64
    })
}

/// a·b modulo 2²⁵⁶.
fn multiply(a: Wide, b: u64) -> Wide {
    let mut product = [0; 4];
    let mut carry = 0_u64;
    for i in (0..4).rev() {
        let sum = u128::from(a[i]) * u128::from(b) + u128::from(carry);
        product[i] = sum as u64;
        carry = (sum >> 64) as u64;
    }
    product
}

/// a shifted left by 0 < n < 64 bits.
fn shift_left(a: Wide, n: u32) -> Wide {
    std::array::from_fn(|i| a[i] << n | a.get(i + 1).map_or(0, |next| next >> (64 - n)))
}

/// 2²⁵⁶ − a.
fn negate(a: Wide) -> Wide {
    let mut carry = true;
    let mut negated = [0; 4];
    for i in (0..4).rev() {
        (negated[i], carry) = (!a[i]).overflowing_add(u64::from(carry));
    }
    negated
}

/// (a/2²⁵⁶)·π/2, to about 2⁻¹⁰⁴ of itself.
fn times_half_pi(a: Wide) -> Pair<f64> {
    let empty = a.iter().take_while(|&&word| word == 0).count();
    let a = [a.get(empty), a.get(empty + 1), a.get(empty + 2)].map(|word| *word.unwrap_or(&0));
    let zeros = a[0].leading_zeros();
    let top = u128::from(a[0]) << 64 | u128::from(a[1]);
    let next = (u128::from(a[2]) << zeros >> 64) as u64;
    let top = top << zeros | u128::from(next);
    let unit = 2_f64.powi(-128 - zeros as i32 - 64 * empty as i32);
    let hi = (top >> 75 << 75) as f64 * unit;
    let lo = (top & ((1 << 75) - 1)) as f64 * unit;
    let product = hi * FRAC_PI_2;
    let rounding = hi.mul_add(FRAC_PI_2, -product);
    let tail = hi.mul_add(FRAC_PI_2_TAIL, lo.mul_add(FRAC_PI_2, rounding));
    let sum = product + tail;
    Pair { hi: sum, lo: tail - (sum - product) }
}
