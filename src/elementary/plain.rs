//! The op trait in plain Rust, one lane: the interpreters, the oracle of the other machines.
//!
//! What must stay true: everything is `#[inline(always)]`, so that inside a function with the `fma`
//! target feature `mul_add` is one instruction.

use super::{Foreign, Format, Machine};

/// One lane of doubles.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

/// One lane of singles.
///
/// ```
/// use symdiff::elementary::{self, PlainSingle};
///
/// assert_eq!(elementary::exp(&mut PlainSingle, 1.0_f32), std::f32::consts::E);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct PlainSingle;

/// Methods that are one expression each, one row each.
macro_rules! methods {
    ($($name:ident($($arg:ident: $type:ty),*) -> $result:ty = $value:expr;)*) => {
        $(#[inline(always)] fn $name(&mut self, $($arg: $type),*) -> $result { $value })*
    };
}

/// The machine over a float type, and the signed and unsigned integers of its size.
macro_rules! plain {
    ($machine:ident, $format:ident, $f:ty, $i:ty, $u:ty) => {
#[rustfmt::skip]
        impl Machine for $machine {
            type F = $f;
            type I = $i;
            type B = bool;

            #[inline(always)]
            fn format(&self) -> Format { Format::$format }

            #[inline(always)]
            fn call(&mut self, f: Foreign, args: &[$f]) -> $f {
                match *args {
                    [x] => f.value(&[f64::from(x)]) as $f,
                    [a, b] => f.value(&[f64::from(a), f64::from(b)]) as $f,
                    _ => f.value(&[]) as $f,
                }
            }

            #[inline(always)]
            fn rare(&mut self, when: bool, f: Foreign, args: &[$f], otherwise: $f) -> $f {
                if when { self.call(f, args) } else { otherwise }
            }

            methods! {
                f(x: f64) -> $f                             = x as $f;
                i(x: i64) -> $i                             = x as $i;
                add(a: $f, b: $f) -> $f                     = a + b;
                sub(a: $f, b: $f) -> $f                     = a - b;
                mul(a: $f, b: $f) -> $f                     = a * b;
                div(a: $f, b: $f) -> $f                     = a / b;
                sqrt(a: $f) -> $f                           = a.sqrt();
                neg(a: $f) -> $f                            = -a;
                abs(a: $f) -> $f                            = a.abs();
                fma(a: $f, b: $f, c: $f) -> $f              = a.mul_add(b, c);
                floor(a: $f) -> $f                          = a.floor();
                ceil(a: $f) -> $f                           = a.ceil();
                trunc(a: $f) -> $f                          = a.trunc();
                copysign(a: $f, sign: $f) -> $f             = a.copysign(sign);
                lt(a: $f, b: $f) -> bool                    = a < b;
                le(a: $f, b: $f) -> bool                    = a <= b;
                eq(a: $f, b: $f) -> bool                    = a == b;
                ne(a: $f, b: $f) -> bool                    = a != b;
                and(a: bool, b: bool) -> bool               = a & b;
                or(a: bool, b: bool) -> bool                = a | b;
                not(a: bool) -> bool                        = !a;
                select(mask: bool, a: $f, b: $f) -> $f      = if mask { a } else { b };
                select_i(mask: bool, a: $i, b: $i) -> $i    = if mask { a } else { b };
                to_bits(a: $f) -> $i                        = a.to_bits() as $i;
                from_bits(a: $i) -> $f                      = <$f>::from_bits(a as $u);
                iadd(a: $i, b: $i) -> $i                    = a.wrapping_add(b);
                isub(a: $i, b: $i) -> $i                    = a.wrapping_sub(b);
                iand(a: $i, b: $i) -> $i                    = a & b;
                ior(a: $i, b: $i) -> $i                     = a | b;
                ixor(a: $i, b: $i) -> $i                    = a ^ b;
                shl(a: $i, n: u32) -> $i                    = a.wrapping_shl(n);
                shr_unsigned(a: $i, n: u32) -> $i           = (a as $u).wrapping_shr(n) as $i;
                shr_signed(a: $i, n: u32) -> $i             = a.wrapping_shr(n);
                ieq(a: $i, b: $i) -> bool                   = a == b;
            }
        }
    };
}

plain!(Plain, Double, f64, i64, u64);
plain!(PlainSingle, Single, f32, i32, u32);
