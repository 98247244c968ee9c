//! The op trait the elementary functions are written in.
//!
//! What must stay true: every operation is a single IEEE 754 operation of the machine's
//! format, rounded to nearest (or an exact bit operation), so two machines that obey it
//! give the same bits, whatever their width.

use super::{Foreign, Format};

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
    /// Lanes of numbers of the machine's format.
    type F: Copy;
    /// Lanes of integers as long as the numbers, wrapping.
    type I: Copy;
    /// Masks, one truth value a lane.
    type B: Copy;

    /// What its numbers are.
    fn format(&self) -> Format;

    /// The constant `x` in every lane, rounded to the format.
    fn f(&mut self, x: f64) -> Self::F;
    /// The constant `x` in every lane, the low bits of it.
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
    /// a + b, wrapping
    fn iadd(&mut self, a: Self::I, b: Self::I) -> Self::I;
    /// a − b, wrapping
    fn isub(&mut self, a: Self::I, b: Self::I) -> Self::I;
    /// Bitwise and
    fn iand(&mut self, a: Self::I, b: Self::I) -> Self::I;
    /// Bitwise or
    fn ior(&mut self, a: Self::I, b: Self::I) -> Self::I;
    /// Bitwise exclusive or
    fn ixor(&mut self, a: Self::I, b: Self::I) -> Self::I;
    /// a shifted left by `n` bits, fewer than there are
    fn shl(&mut self, a: Self::I, n: u32) -> Self::I;
    /// a shifted right by `n` bits, fewer than there are, zeros in
    fn shr_unsigned(&mut self, a: Self::I, n: u32) -> Self::I;
    /// a shifted right by `n` bits, fewer than there are, sign bits in
    fn shr_signed(&mut self, a: Self::I, n: u32) -> Self::I;
    /// a = b
    fn ieq(&mut self, a: Self::I, b: Self::I) -> Self::B;

    /// The integer `a`, which must be integral with |a| < 2⁵¹ (2²² in single precision);
    /// anything else gives some integer and never a trap. The bits of a + 1.5·2⁵² less those
    /// of 1.5·2⁵².
    fn to_int(&mut self, a: Self::F) -> Self::I {
        let format = self.format();
        let shifter = self.f(format.shifter());
        let shifted = self.add(a, shifter);
        let bits = self.to_bits(shifted);
        let zero = self.i(format.bits_of(format.shifter()));
        self.isub(bits, zero)
    }

    /// The number `a`, which must have |a| < 2⁵¹ (2²²).
    fn from_int(&mut self, a: Self::I) -> Self::F {
        let format = self.format();
        let zero = self.i(format.bits_of(format.shifter()));
        let bits = self.iadd(a, zero);
        let shifted = self.from_bits(bits);
        let shifter = self.f(format.shifter());
        self.sub(shifted, shifter)
    }

    /// x · 2ᵏ rounded once, for integral |k| ≤ 2000 and 2⁻²⁰ ≤ |x| ≤ 2²⁰ or x = 0
    /// (|k| ≤ 250 and 2⁻⁵ ≤ |x| ≤ 2⁵ in single precision).
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

    /// 2ᵏ for integral k with a normal result: the exponent field is the low end of
    /// k + 1023 + 1.5·2⁵², shifted to its place.
    fn power_of_two(&mut self, k: Self::F) -> Self::F {
        let format = self.format();
        let biased = self.f(format.shifter() + format.bias());
        let shifted = self.add(k, biased);
        let bits = self.to_bits(shifted);
        let bits = self.shl(bits, format.mantissa());
        self.from_bits(bits)
    }

    /// A scalar Rust function of doubles in each lane, its value rounded to the format; `args` as
    /// many as [`Foreign::arity`].
    fn call(&mut self, f: Foreign, args: &[Self::F]) -> Self::F;

    /// `f(args)` where `when`, else `otherwise`. A machine may skip the call if no
    /// lane needs it; it is off the fast path by construction.
    fn rare(&mut self, when: Self::B, f: Foreign, args: &[Self::F], otherwise: Self::F) -> Self::F;
}
