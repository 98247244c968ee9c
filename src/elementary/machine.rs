//! The op trait the elementary functions are written in, and its plain Rust instance.
//!
//! What must stay true: every operation is a single IEEE 754 binary64 operation
//! rounded to nearest (or an exact bit operation), so two machines that obey it
//! give the same bits, whatever their width.

use super::Foreign;

/// The operations an elementary function is written in, lane by lane.
///
/// A machine evaluates (`Plain`) or emits code (the engines). There is no branch:
/// functions are straight lines of these calls, the same for every argument, so
/// a machine that merges equal operations shares work between `sin x` and
/// `cos x`, or between `tanh x` and `sech x`.
///
/// Only the sign and payload of NaN results are left open.
#[expect(
    clippy::wrong_self_convention,
    reason = "`from_bits` and `from_int` convert their argument; `self` is the machine"
)]
pub trait Machine {
    /// binary64 lanes.
    type F: Copy;
    /// 64-bit integer lanes, wrapping.
    type I: Copy;
    /// Masks, one truth value a lane.
    type B: Copy;

    /// The constant `x` in every lane.
    fn f(&mut self, x: f64) -> Self::F;
    /// The constant `x` in every lane.
    fn i(&mut self, x: i64) -> Self::I;

    /// a + b
    fn add(&mut self, a: Self::F, b: Self::F) -> Self::F;
    /// a − b
    fn sub(&mut self, a: Self::F, b: Self::F) -> Self::F;
    /// a · b
    fn mul(&mut self, a: Self::F, b: Self::F) -> Self::F;
    /// a / b
    fn div(&mut self, a: Self::F, b: Self::F) -> Self::F;
    /// √a, NaN below −0
    fn sqrt(&mut self, a: Self::F) -> Self::F;
    /// −a: the sign bit flipped
    fn neg(&mut self, a: Self::F) -> Self::F;
    /// |a|: the sign bit cleared
    fn abs(&mut self, a: Self::F) -> Self::F;
    /// a · b + c with one rounding, always: the algorithms are wrong without it.
    fn fma(&mut self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// The largest integer ≤ a
    fn floor(&mut self, a: Self::F) -> Self::F;
    /// The smallest integer ≥ a
    fn ceil(&mut self, a: Self::F) -> Self::F;
    /// a without its fraction
    fn trunc(&mut self, a: Self::F) -> Self::F;
    /// The nearest integer, ties to even
    fn round_even(&mut self, a: Self::F) -> Self::F;
    /// The magnitude of `a` with the sign bit of `sign`
    fn copysign(&mut self, a: Self::F, sign: Self::F) -> Self::F;

    /// a < b, false with a NaN
    fn lt(&mut self, a: Self::F, b: Self::F) -> Self::B;
    /// a ≤ b, false with a NaN
    fn le(&mut self, a: Self::F, b: Self::F) -> Self::B;
    /// a = b, false with a NaN
    fn eq(&mut self, a: Self::F, b: Self::F) -> Self::B;
    /// a ≠ b, true with a NaN
    fn ne(&mut self, a: Self::F, b: Self::F) -> Self::B;
    /// a ∧ b
    fn and(&mut self, a: Self::B, b: Self::B) -> Self::B;
    /// a ∨ b
    fn or(&mut self, a: Self::B, b: Self::B) -> Self::B;
    /// ¬a
    fn not(&mut self, a: Self::B) -> Self::B;
    /// `then` where `mask`, else `otherwise`
    fn select(&mut self, mask: Self::B, then: Self::F, otherwise: Self::F) -> Self::F;
    /// `then` where `mask`, else `otherwise`
    fn select_i(&mut self, mask: Self::B, then: Self::I, otherwise: Self::I) -> Self::I;

    /// The bit pattern
    fn to_bits(&mut self, a: Self::F) -> Self::I;
    /// The number with this bit pattern
    fn from_bits(&mut self, a: Self::I) -> Self::F;
    /// a + b modulo 2⁶⁴
    fn iadd(&mut self, a: Self::I, b: Self::I) -> Self::I;
    /// a − b modulo 2⁶⁴
    fn isub(&mut self, a: Self::I, b: Self::I) -> Self::I;
    /// Bitwise and
    fn iand(&mut self, a: Self::I, b: Self::I) -> Self::I;
    /// Bitwise or
    fn ior(&mut self, a: Self::I, b: Self::I) -> Self::I;
    /// Bitwise exclusive or
    fn ixor(&mut self, a: Self::I, b: Self::I) -> Self::I;
    /// a shifted left by `n` < 64 bits
    fn shl(&mut self, a: Self::I, n: u32) -> Self::I;
    /// a shifted right by `n` < 64 bits, zeros in
    fn shr_unsigned(&mut self, a: Self::I, n: u32) -> Self::I;
    /// a shifted right by `n` < 64 bits, sign bits in
    fn shr_signed(&mut self, a: Self::I, n: u32) -> Self::I;
    /// a = b
    fn ieq(&mut self, a: Self::I, b: Self::I) -> Self::B;
    /// a < b, signed
    fn ilt(&mut self, a: Self::I, b: Self::I) -> Self::B;

    /// The integer `a`, which must be integral with |a| < 2⁵¹; anything else gives
    /// some integer and never a trap. The bits of a + 1.5·2⁵² less those of 1.5·2⁵².
    fn to_int(&mut self, a: Self::F) -> Self::I {
        let shifter = self.f(SHIFTER);
        let shifted = self.add(a, shifter);
        let bits = self.to_bits(shifted);
        let zero = self.i(SHIFTER.to_bits() as i64);
        self.isub(bits, zero)
    }

    /// The number `a`, which must have |a| < 2⁵¹.
    fn from_int(&mut self, a: Self::I) -> Self::F {
        let zero = self.i(SHIFTER.to_bits() as i64);
        let bits = self.iadd(a, zero);
        let shifted = self.from_bits(bits);
        let shifter = self.f(SHIFTER);
        self.sub(shifted, shifter)
    }

    /// x · 2ᵏ rounded once, for integral |k| ≤ 2000 and 2⁻²⁰ ≤ |x| ≤ 2²⁰ or x = 0.
    ///
    /// The first of two factors is exact there, so `vscalefpd` gives the same bits.
    fn scale(&mut self, x: Self::F, k: Self::F) -> Self::F {
        self.scale_in_two(x, k)
    }

    /// [`scale`](Machine::scale) by two factors.
    fn scale_in_two(&mut self, x: Self::F, k: Self::F) -> Self::F {
        let half = self.f(0.5);
        let halved = self.mul(k, half);
        let first = self.floor(halved);
        let second = self.sub(k, first);
        let first = self.power_of_two(first);
        let second = self.power_of_two(second);
        let x = self.mul(x, first);
        self.mul(x, second)
    }

    /// 2ᵏ for integral −1022 ≤ k ≤ 1023: the exponent field is the low end of
    /// k + 1023 + 1.5·2⁵², shifted to its place.
    fn power_of_two(&mut self, k: Self::F) -> Self::F {
        let biased = self.f(SHIFTER + 1023.0);
        let shifted = self.add(k, biased);
        let bits = self.to_bits(shifted);
        let bits = self.shl(bits, 52);
        self.from_bits(bits)
    }

    /// A scalar Rust function in each lane; `args` as many as [`Foreign::arity`].
    fn call(&mut self, f: Foreign, args: &[Self::F]) -> Self::F;

    /// `f(args)` where `when`, else `otherwise`. A machine may skip the call if no
    /// lane needs it; it is off the fast path by construction.
    fn rare(&mut self, when: Self::B, f: Foreign, args: &[Self::F], otherwise: Self::F) -> Self::F;
}

/// 1.5·2⁵²: adding it leaves an integer |k| < 2⁵¹ in the low bits of the sum.
pub(super) const SHIFTER: f64 = 6_755_399_441_055_744.0;

/// One lane of plain Rust: the interpreter, the oracle of the other machines.
///
/// Everything is `#[inline(always)]`, so that inside a function with the `fma`
/// target feature `mul_add` is one instruction.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

/// Methods of `Plain` that are one expression each, one row each.
macro_rules! plain {
    ($($name:ident($($arg:ident: $type:ty),*) -> $result:ty = $value:expr;)*) => {
        $(#[inline(always)] fn $name(&mut self, $($arg: $type),*) -> $result { $value })*
    };
}

#[rustfmt::skip]
impl Machine for Plain {
    type F = f64;
    type I = i64;
    type B = bool;

    plain! {
        f(x: f64) -> f64                               = x;
        i(x: i64) -> i64                               = x;
        add(a: f64, b: f64) -> f64                     = a + b;
        sub(a: f64, b: f64) -> f64                     = a - b;
        mul(a: f64, b: f64) -> f64                     = a * b;
        div(a: f64, b: f64) -> f64                     = a / b;
        sqrt(a: f64) -> f64                            = a.sqrt();
        neg(a: f64) -> f64                             = -a;
        abs(a: f64) -> f64                             = a.abs();
        fma(a: f64, b: f64, c: f64) -> f64             = a.mul_add(b, c);
        floor(a: f64) -> f64                           = a.floor();
        ceil(a: f64) -> f64                            = a.ceil();
        trunc(a: f64) -> f64                           = a.trunc();
        round_even(a: f64) -> f64                      = a.round_ties_even();
        copysign(a: f64, sign: f64) -> f64             = a.copysign(sign);
        lt(a: f64, b: f64) -> bool                     = a < b;
        le(a: f64, b: f64) -> bool                     = a <= b;
        eq(a: f64, b: f64) -> bool                     = a == b;
        ne(a: f64, b: f64) -> bool                     = a != b;
        and(a: bool, b: bool) -> bool                  = a & b;
        or(a: bool, b: bool) -> bool                   = a | b;
        not(a: bool) -> bool                           = !a;
        select(mask: bool, a: f64, b: f64) -> f64      = if mask { a } else { b };
        select_i(mask: bool, a: i64, b: i64) -> i64    = if mask { a } else { b };
        to_bits(a: f64) -> i64                         = a.to_bits() as i64;
        from_bits(a: i64) -> f64                       = f64::from_bits(a as u64);
        iadd(a: i64, b: i64) -> i64                    = a.wrapping_add(b);
        isub(a: i64, b: i64) -> i64                    = a.wrapping_sub(b);
        iand(a: i64, b: i64) -> i64                    = a & b;
        ior(a: i64, b: i64) -> i64                     = a | b;
        ixor(a: i64, b: i64) -> i64                    = a ^ b;
        shl(a: i64, n: u32) -> i64                     = a.wrapping_shl(n);
        shr_unsigned(a: i64, n: u32) -> i64            = (a as u64).wrapping_shr(n) as i64;
        shr_signed(a: i64, n: u32) -> i64              = a.wrapping_shr(n);
        ieq(a: i64, b: i64) -> bool                    = a == b;
        ilt(a: i64, b: i64) -> bool                    = a < b;
        call(f: Foreign, args: &[f64]) -> f64          = f.value(args);
        rare(when: bool, f: Foreign, args: &[f64], otherwise: f64) -> f64
                                                       = if when { f.value(args) } else { otherwise };
    }
}
