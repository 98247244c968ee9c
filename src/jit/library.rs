//! The elementary functions as native functions that generated code can call.
//!
//! Every op of the table is instantiated from its one definition on the plain machine, by its
//! position in `Elementwise::ALL`: there is no second list of ops. Those that are native to single
//! precision are instantiated in it as well. On x86-64 there are two sets of each, one compiled for
//! hardware FMA; both give the same bits.

use crate::elementary::{Format, Plain, PlainSingle};
use crate::ir::{Elementwise, Single};

/// Rows of the tables below; more than there are ops.
const ROWS: usize = 128;
const _: () = assert!(Elementwise::ALL.len() <= ROWS, "make the tables of `library` longer");

/// What the symbol of an op begins with.
const PREFIX: &str = "symdiff_";

/// The name generated code calls an op by, over doubles.
pub(super) fn symbol(op: Elementwise) -> String {
    format!("{PREFIX}{}", op.name())
}

/// The function behind a name, as an address to jump to; of C's calling convention, over doubles.
pub(super) fn address(symbol: &str, fma: bool) -> Option<*const u8> {
    let name = symbol.strip_prefix(PREFIX)?;
    let op = Elementwise::ALL.iter().find(|op| op.name() == name)?;
    Some(function(*op, Format::Double, fma))
}

/// The function of an op over numbers of a format, to which it is native; as [`address`] has it.
pub(super) fn function(op: Elementwise, format: Format, fma: bool) -> *const u8 {
    let row = Elementwise::ALL.iter().position(|x| *x == op).expect("`ALL` has all");
    #[cfg(target_arch = "x86_64")]
    if fma && std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
        return format.pick(fused_single::TABLE[row], fused::TABLE[row])();
    }
    let _ = fma;
    format.pick(portable_single::TABLE[row], portable::TABLE[row])()
}

/// The value of the op in row `ROW`; NaN past the end.
#[inline(always)]
fn double<const ROW: usize>(operands: &[f64]) -> f64 {
    match const { row(ROW) } {
        Some(op) => op.value(&mut Plain, operands),
        None => f64::NAN,
    }
}

/// The same in single precision; NaN where the op is not native to it.
#[inline(always)]
fn single<const ROW: usize>(operands: &[f32]) -> f32 {
    match const { row(ROW) } {
        Some(op) if matches!(op.single(), Single::Native) => op.value(&mut PlainSingle, operands),
        _ => f32::NAN,
    }
}

const fn row(at: usize) -> Option<Elementwise> {
    if at < Elementwise::ALL.len() { Some(Elementwise::ALL[at]) } else { None }
}

/// How many operands the op in a row has.
fn arity(at: usize) -> usize {
    row(at).map_or(0, Elementwise::arity)
}

/// One set of functions and the table of their addresses, with attributes for each function.
macro_rules! instances {
    ($set:ident $value:ident $float:ty $(, #[$attribute:meta])*) => {
        mod $set {
            use super::{arity, $value as value, ROWS};

            $(#[$attribute])*
            extern "C" fn nullary<const ROW: usize>() -> $float {
                value::<ROW>(&[])
            }

            $(#[$attribute])*
            extern "C" fn unary<const ROW: usize>(x: $float) -> $float {
                value::<ROW>(&[x])
            }

            $(#[$attribute])*
            extern "C" fn binary<const ROW: usize>(a: $float, b: $float) -> $float {
                value::<ROW>(&[a, b])
            }

            $(#[$attribute])*
            extern "C" fn ternary<const ROW: usize>(a: $float, b: $float, c: $float) -> $float {
                value::<ROW>(&[a, b, c])
            }

            fn address<const ROW: usize>() -> *const u8 {
                match arity(ROW) {
                    0 => nullary::<ROW> as *const u8,
                    1 => unary::<ROW> as *const u8,
                    2 => binary::<ROW> as *const u8,
                    _ => ternary::<ROW> as *const u8,
                }
            }

            /// The address of each row's function.
            pub(super) static TABLE: [fn() -> *const u8; ROWS] = super::rows!(address);
        }
    };
}

/// `[f::<0>, f::<1>, …]`, as many as [`ROWS`].
macro_rules! rows {
    ($f:ident) => { super::rows!(@sixteens $f 0 1 2 3 4 5 6 7) };
    (@sixteens $f:ident $($high:literal)*) => {
        super::rows!(@flat $f [] $([$high])*)
    };
    (@flat $f:ident [$($done:tt)*] [$high:literal] $($rest:tt)*) => {
        super::rows!(@flat $f [$($done)*
            $f::<{ 16 * $high }>,      $f::<{ 16 * $high + 1 }>,  $f::<{ 16 * $high + 2 }>,  $f::<{ 16 * $high + 3 }>,
            $f::<{ 16 * $high + 4 }>,  $f::<{ 16 * $high + 5 }>,  $f::<{ 16 * $high + 6 }>,  $f::<{ 16 * $high + 7 }>,
            $f::<{ 16 * $high + 8 }>,  $f::<{ 16 * $high + 9 }>,  $f::<{ 16 * $high + 10 }>, $f::<{ 16 * $high + 11 }>,
            $f::<{ 16 * $high + 12 }>, $f::<{ 16 * $high + 13 }>, $f::<{ 16 * $high + 14 }>, $f::<{ 16 * $high + 15 }>,
        ] $($rest)*)
    };
    (@flat $f:ident [$($done:tt)*]) => { [$($done)*] };
}
use rows;

instances!(portable double f64);
instances!(portable_single single f32);
#[cfg(target_arch = "x86_64")]
instances!(fused double f64, #[target_feature(enable = "avx2,fma")]);
#[cfg(target_arch = "x86_64")]
instances!(fused_single single f32, #[target_feature(enable = "avx2,fma")]);
