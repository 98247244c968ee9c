//! The last graph pass, shared by every engine: scalars only, in the ops machines are good at.
//!
//! Tensors are taken apart; powers with small constant exponents become products and roots;
//! division by a power of two becomes multiplication; sec and csc reuse a cosine or sine that is
//! needed anyway; negations move into sums, and small factors that both terms have out of them; products are contracted into fused multiply-adds
//! where the host has them.
//!
//! What must stay true: a finite result stays finite, an infinite one infinite, NaN NaN, and the
//! value moves by a few ulp at most — except at the far ends that [`power`] and `contract` name.

use super::contract::contract;
use super::factor::factored;
use super::rewrite::rewrite;
use super::sign::moved_sign;
use crate::ir::{Elementwise, Function, Graph, Id, Number, Op, TypeId, elements, reachable, use_counts};
use rustc_hash::FxHashSet;

/// Largest |n| for which xⁿ becomes multiplications. Each rounds, and squaring doubles what came
/// before: 5 ulp measured for x⁸, 11 for x¹⁶, where `pow` has 1.
pub const POWER: i64 = 8;

/// The same function in scalar ops that machines are good at; outputs flattened, row-major.
///
/// The result depends on the host: with hardware FMA products are contracted.
pub fn lower(function: &Function) -> Function {
    let scalar = taken_apart(function);
    let graph = scalar.graph();
    let needed = reachable(graph, scalar.outputs());
    let operands_of = |op: Elementwise| -> FxHashSet<Id> {
        let ours = needed.iter().filter(|&&id| graph.op(id) == Op::Elementwise(op));
        ours.map(|&id| graph.operand(id, 0)).collect()
    };
    let uses = use_counts(graph, scalar.outputs());
    let (cosines, sines) = (operands_of(Elementwise::Cos), operands_of(Elementwise::Sin));
    let expanded = rewrite(&scalar, |source, id, operands, target| {
        let op = match source.op(id) {
            Op::Elementwise(op) => op,
            // Of two scalars, as no tensors are left.
            Op::Contract { .. } => return Some(build(target, Elementwise::Mul, operands)),
            _ => return None,
        };
        let shared = |set: &FxHashSet<Id>| set.contains(&source.operand(id, 0));
        let used_here = |i: usize| uses[source.operand(id, i).index()] == 1;
        match (op, operands) {
            (Elementwise::Add | Elementwise::Sub, &[x, y]) if used_here(0) && used_here(1) => {
                factored(target, op, x, y).or_else(|| moved_sign(target, op, operands))
            }
            (Elementwise::Pow, &[x, _]) => power(target, x, source.constant(source.operand(id, 1))?),
            (Elementwise::Div, &[x, y]) => {
                quotient(target, x, y).or_else(|| moved_sign(target, op, operands))
            }
            (Elementwise::Sec, &[x]) if shared(&cosines) => Some(reciprocal_of(target, Elementwise::Cos, x)),
            (Elementwise::Csc, &[x]) if shared(&sines) => Some(reciprocal_of(target, Elementwise::Sin, x)),
            _ => moved_sign(target, op, operands),
        }
    });
    if host_has_fma() { contract(&expanded) } else { expanded }
}

/// True when fused multiply-add is one instruction here.
pub(crate) fn host_has_fma() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    return cfg!(target_arch = "aarch64");
}

fn taken_apart(function: &Function) -> Function {
    if reachable(function.graph(), function.outputs()).iter().all(|&id| function.graph().is_scalar(id)) {
        return function.clone();
    }
    let mut graph = function.graph().clone();
    let outputs = elements(&mut graph, function.outputs()).concat();
    Function::new(graph, function.inputs().to_vec(), outputs)
}

fn build(g: &mut Graph, op: Elementwise, operands: &[Id]) -> Id {
    g.intern(Op::Elementwise(op), operands, TypeId::F64)
}

fn reciprocal_of(g: &mut Graph, op: Elementwise, x: Id) -> Id {
    let (one, y) = (g.integer(1), build(g, op, &[x]));
    build(g, Elementwise::Div, &[one, y])
}

/// `x^exponent` for whole and half exponents up to [`POWER`], by repeated squaring.
///
/// Two far ends differ from `pow`. For a negative exponent the result is 1/xⁿ, which is 0 where
/// xⁿ overflows and 1/xⁿ would be subnormal. And a half power of −∞ is NaN, as of every negative
/// number, where IEEE 754's `pow` says ∞.
fn power(g: &mut Graph, x: Id, exponent: &Number) -> Option<Id> {
    let (p, q) = exponent.to_ratio()?;
    let (whole, half) = (p.checked_abs()? / q, q == 2);
    if whole > POWER || q > 2 {
        return None;
    }
    if p == 0 {
        return Some(g.integer(1));
    }
    // −0 to a negative half power is +∞, as of +0.
    let x = if half && p < 0 { positive_zero(g, x) } else { x };
    let root = half.then(|| build(g, Elementwise::Sqrt, &[x]));
    let product = match (root, whole) {
        (Some(root), 0) => root,
        (Some(root), _) => {
            let whole = repeated_squares(g, x, whole);
            build(g, Elementwise::Mul, &[whole, root])
        }
        (None, _) => repeated_squares(g, x, whole),
    };
    if p > 0 {
        return Some(product);
    }
    let one = g.integer(1);
    Some(build(g, Elementwise::Div, &[one, product]))
}

/// x + 0, which is x but for −0.
fn positive_zero(g: &mut Graph, x: Id) -> Id {
    let zero = g.integer(0);
    build(g, Elementwise::Add, &[x, zero])
}

/// xⁿ, n ≥ 1, from the highest bit of n down. Interning shares x² between x⁴ and x⁵.
fn repeated_squares(g: &mut Graph, x: Id, n: i64) -> Id {
    let bits = 64 - n.leading_zeros();
    (0..bits - 1).rev().fold(x, |y, bit| {
        let square = build(g, Elementwise::Mul, &[y, y]);
        match n >> bit & 1 {
            1 => build(g, Elementwise::Mul, &[square, x]),
            _ => square,
        }
    })
}

/// `x / 2^k` as `x · 2^−k`, where both powers are normal doubles: the same bits, ten times faster.
fn quotient(g: &mut Graph, x: Id, divisor: Id) -> Option<Id> {
    let divisor = g.constant(divisor)?;
    let inverse = divisor.recip()?;
    let is_exact = |n: &Number| n.to_f64().is_normal() && Number::from_f64(n.to_f64()).as_ref() == Some(n);
    let is_power_of_two = divisor.to_f64().to_bits().trailing_zeros() >= 52;
    if !is_power_of_two || !is_exact(divisor) || !is_exact(&inverse) {
        return None;
    }
    let inverse = g.exact(inverse);
    Some(build(g, Elementwise::Mul, &[x, inverse]))
}
