//! Functions that share most of their work, computed by one call: sine and cosine of one argument.
//!
//! What must stay true: both results are the bits of the functions by themselves, as they are the
//! same source; a pair is called only where two results come back in registers.

use super::isa::Host;
use crate::elementary::{Plain, cos, cosh, cospi, sin, sinh, sinpi};
use crate::ir::Elementwise;
use crate::loops::{Block, Inst, Operands, Value};
use cranelift_codegen::ir::{AbiParam, Signature, types};
use cranelift_codegen::isa::CallConv;
use rustc_hash::FxHashMap;

/// Functions that one call computes together, of the same argument.
pub(super) const PAIRS: [[Elementwise; 2]; 3] = [
    [Elementwise::Sin, Elementwise::Cos],
    [Elementwise::Sinh, Elementwise::Cosh],
    [Elementwise::Sinpi, Elementwise::Cospi],
];

/// What a symbol of a pair begins with; its place in the table follows.
const PREFIX: &str = "symdiff_pair.";

/// Two results, in two registers by the convention [`are_returned`] asks for.
#[repr(C)]
struct Pair(f64, f64);

/// The functions of the table, with attributes for each.
macro_rules! pairs {
    ($set:ident $(#[$attribute:meta])*) => {
        mod $set {
            use super::{Pair, Plain};

            $(#[$attribute])*
            extern "C" fn sin_and_cos(x: f64) -> Pair {
                Pair(super::sin(&mut Plain, x), super::cos(&mut Plain, x))
            }

            $(#[$attribute])*
            extern "C" fn sinh_and_cosh(x: f64) -> Pair {
                Pair(super::sinh(&mut Plain, x), super::cosh(&mut Plain, x))
            }

            $(#[$attribute])*
            extern "C" fn sinpi_and_cospi(x: f64) -> Pair {
                Pair(super::sinpi(&mut Plain, x), super::cospi(&mut Plain, x))
            }

            pub(super) fn addresses() -> [*const u8; 3] {
                [sin_and_cos as *const u8, sinh_and_cosh as *const u8, sinpi_and_cospi as *const u8]
            }
        }
    };
}

pairs!(portable);
#[cfg(target_arch = "x86_64")]
pairs!(fused #[target_feature(enable = "avx2,fma")]);

/// The symbol of a pair by its place in the table.
pub(super) fn symbol(pair: usize) -> String {
    format!("{PREFIX}{pair}")
}

/// The address behind a symbol; `fma` as [`library`](super::library) takes it.
pub(super) fn address(symbol: &str, fma: bool) -> Option<*const u8> {
    let pair: usize = symbol.strip_prefix(PREFIX)?.parse().ok()?;
    #[cfg(target_arch = "x86_64")]
    if fma && std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
        return fused::addresses().get(pair).copied();
    }
    let _ = fma;
    portable::addresses().get(pair).copied()
}

/// The signature of every pair.
pub(super) fn signature(host: &Host) -> Signature {
    let mut signature = Signature::new(host.call_conv());
    signature.params = vec![AbiParam::new(types::F64)];
    signature.returns = vec![AbiParam::new(types::F64); 2];
    signature
}

/// True where C returns a structure of two doubles as two results.
fn are_returned(host: &Host) -> bool {
    matches!(host.call_conv(), CallConv::SystemV | CallConv::AppleAarch64)
        && cfg!(any(target_arch = "x86_64", target_arch = "aarch64"))
}

/// The calls of a block that come in pairs: the other one, and the pair's place in the table.
pub(super) fn pairs(block: &Block, host: &Host) -> FxHashMap<Value, (Value, usize)> {
    let mut pairs = FxHashMap::default();
    if !are_returned(host) {
        return pairs;
    }
    let mut first: FxHashMap<(usize, Operands), (Value, Elementwise)> = FxHashMap::default();
    for (at, inst) in block.insts.iter().enumerate() {
        let Inst::Elementwise(op, operands) = inst else { continue };
        let Some(pair) = PAIRS.iter().position(|pair| pair.contains(op)) else { continue };
        let value = Value::new(at);
        match first.get(&(pair, *operands)) {
            Some(&(other, its)) if its != *op => {
                pairs.insert(value, (other, pair));
                pairs.insert(other, (value, pair));
            }
            Some(_) => {}
            None => {
                first.insert((pair, *operands), (value, *op));
            }
        }
    }
    pairs
}
