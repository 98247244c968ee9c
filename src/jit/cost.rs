//! How many instructions an elementary function takes: short ones go in line, others are called.
//!
//! What must stay true: an op whose straight line has a call in it, or an operation the host
//! has no instruction for, is never short.

use super::isa::Host;
use crate::elementary::{Foreign, Format, Machine};
use crate::ir::Elementwise;

/// Longest straight line that goes in line. A call costs about as many, what with the values
/// that have to be saved around it; `min` and `max` take 14.
const INLINE: u32 = 16;

/// What stands for an operation that is a call, or many instructions.
const LONG: u32 = 1000;

/// True when the op is short enough to be written in line.
pub(super) fn is_inline(op: Elementwise, host: &Host, format: Format) -> bool {
    count(op, host, format, LONG) <= INLINE
}

/// How many instructions the op takes where its rare calls are left to the caller.
pub(super) fn straight_length(op: Elementwise, host: &Host, format: Format) -> u32 {
    count(op, host, format, 1)
}

fn count(op: Elementwise, host: &Host, format: Format, rare: u32) -> u32 {
    let mut count = Count { total: 0, format, fma: host.fma, rounding: host.rounding, rare };
    op.value(&mut count, &[(); 3][..op.arity()]);
    count.total
}

/// A machine that only counts.
struct Count {
    total: u32,
    format: Format,
    fma: bool,
    rounding: bool,
    /// What a rare call counts for.
    rare: u32,
}

impl Count {
    fn add(&mut self, instructions: u32) {
        self.total = self.total.saturating_add(instructions);
    }
}

/// Methods that take the same number of instructions anywhere.
macro_rules! count {
    ($($cost:literal: $($name:ident($($arg:ident: $type:ty),*))*;)*) => {
        $($(fn $name(&mut self, $($arg: $type),*) { $(let _ = $arg;)* self.add($cost) })*)*
    };
}

#[rustfmt::skip]
impl Machine for Count {
    type F = ();
    type I = ();
    type B = ();

    count! {
        0: f(x: f64) i(x: i64);
        1: add(a: (), b: ()) sub(a: (), b: ()) mul(a: (), b: ()) div(a: (), b: ()) sqrt(a: ()) neg(a: ()) abs(a: ())
           lt(a: (), b: ()) le(a: (), b: ()) eq(a: (), b: ()) ne(a: (), b: ()) and(a: (), b: ()) or(a: (), b: ()) not(a: ())
           select(m: (), a: (), b: ()) select_i(m: (), a: (), b: ()) copysign(a: (), sign: ()) to_bits(a: ()) from_bits(a: ())
           iadd(a: (), b: ()) isub(a: (), b: ()) iand(a: (), b: ()) ior(a: (), b: ()) ixor(a: (), b: ())
           shl(a: (), n: u32) shr_unsigned(a: (), n: u32) shr_signed(a: (), n: u32) ieq(a: (), b: ());
        1000: call(f: Foreign, args: &[()]);
    }

    fn format(&self) -> Format { self.format }

    fn rare(&mut self, (): (), _: Foreign, _: &[()], (): ()) { self.add(self.rare); }

    fn fma(&mut self, (): (), (): (), (): ()) { self.add(if self.fma { 1 } else { LONG }); }
    fn floor(&mut self, (): ()) { self.add(if self.rounding { 1 } else { LONG }); }
    fn ceil(&mut self, (): ()) { self.floor(()) }
    fn trunc(&mut self, (): ()) { self.floor(()) }
}
