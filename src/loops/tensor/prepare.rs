//! Graph → graph: reductions that are several loops become the nodes those loops compute.
//!
//! log Σ exp x becomes m + log Σ exp(x − m) with m the greatest, the place of the greatest becomes
//! the least place where x equals it, and softmax written as exp(x − log Σ exp x) reuses the
//! exponentials of the sum. A turned product is the product of its turned factors the other way
//! round, and many elements divided by one number are multiplied by its reciprocal. Windows that do
//! not overlap are put back by a reshaping. Sums move in, to where there is less to sum.
//!
//! What must stay true: values move by a few ulp at most, but where [`scaled`] says; infinities and
//! NaN come out as `Reduction::value` says.

use super::Rounding;
use super::linear::{moved_in, moves_in};
use crate::ir::structural::{pack_order, permuted};
use crate::ir::{Elementwise, Function, Graph, Id, Op, Reduction, Selection, Shape, Structural, use_counts};
use crate::loops::rewrite::rewrite;
use rustc_hash::FxHashMap;
use std::cmp::Ordering;

/// log Σ exp of one operand, taken apart.
#[derive(Clone, Copy)]
struct Parts {
    x: Id,
    axes: u8,
    /// exp(x − m), in the shape of x, and its sum.
    terms: Id,
    sum: Id,
}

/// The function in reductions that are one loop each: sums, greatest and least.
pub(super) fn prepare(function: &Function, rounding: Rounding) -> Function {
    let mut parts: FxHashMap<Id, Parts> = FxHashMap::default();
    let uses = use_counts(function.graph(), function.outputs());
    rewrite(function, |source, id, operands, target| match (source.op(id), operands) {
        (Op::Reduce { op: Reduction::LogSumExp, axes }, &[x]) => {
            let (y, made) = log_sum_exp(target, x, axes);
            parts.insert(y, made);
            Some(y)
        }
        (Op::Reduce { op: Reduction::ArgMax, axes }, &[x]) => Some(place_of_greatest(target, x, axes)),
        (Op::Elementwise(Elementwise::Exp), &[x]) => softmax(target, x, &parts),
        (Op::Elementwise(Elementwise::Div), &[x, y]) if rounding == Rounding::Loose => scaled(target, x, y),
        (Op::Structural(Structural::Permute { order }), &[x]) if uses[source.operand(id, 0).index()] == 1 => {
            turned_product(target, x, order)
        }
        (Op::Structural(Structural::Sum { axes }), &[x])
            if moves_in(source, source.operand(id, 0), axes, &uses) =>
        {
            moved_in(target, x, axes, 0)
        }
        (Op::Structural(Structural::Overlap { axis, stride }), &[x]) => {
            side_by_side(target, x, axis as usize, stride, source.shape(id))
        }
        _ => None,
    })
}

fn log_sum_exp(g: &mut Graph, x: Id, axes: u8) -> (Id, Parts) {
    let shape = g.shape(x).clone();
    let greatest = g.reduce(Reduction::Max, x, axes);
    // Where the greatest is infinite or NaN, it is not subtracted: ∞ − ∞ is NaN.
    let (magnitude, zero) = (g.apply(Elementwise::Abs, &[greatest]), g.integer(0));
    let infinity = infinity(g);
    let finite = g.compare(Selection::Less, &[magnitude, infinity]);
    let shift = g.select(finite, greatest, zero);
    let spread = g.broadcast(shift, axes, &shape);
    let centred = g.apply(Elementwise::Sub, &[x, spread]);
    let terms = g.apply(Elementwise::Exp, &[centred]);
    let sum = g.sum(terms, axes);
    let log = g.apply(Elementwise::Log, &[sum]);
    let y = g.apply(Elementwise::Add, &[log, shift]);
    (y, Parts { x, axes, terms, sum })
}

/// 1/0: constants of the graph are finite.
fn infinity(g: &mut Graph) -> Id {
    let (one, zero) = (g.integer(1), g.integer(0));
    g.apply(Elementwise::Div, &[one, zero])
}

/// exp(x − log Σ exp x) as exp(x − m)/Σ exp(x − m).
///
/// It differs where m is infinite, in nothing but which of its elements are NaN; and where
/// x − m underflows and x − log Σ exp x does not, both being 1e-300 at most.
fn softmax(g: &mut Graph, centred: Id, parts: &FxHashMap<Id, Parts>) -> Option<Id> {
    let &[x, spread] = g.operands(centred) else { return None };
    if g.op(centred) != Op::Elementwise(Elementwise::Sub) {
        return None;
    }
    let Op::Structural(Structural::Broadcast { axes }) = g.op(spread) else { return None };
    let made = *parts.get(&g.operand(spread, 0))?;
    if made.x != x || made.axes != axes {
        return None;
    }
    let (shape, one) = (g.shape(x).clone(), g.integer(1));
    let inverse = g.apply(Elementwise::Div, &[one, made.sum]);
    let inverse = g.broadcast(inverse, axes, &shape);
    Some(g.apply(Elementwise::Mul, &[made.terms, inverse]))
}

/// x/s as x·(1/s), where s is one number for many elements.
///
/// It differs where 1/s overflows or is subnormal and x/s is not.
fn scaled(g: &mut Graph, x: Id, y: Id) -> Option<Id> {
    let Op::Structural(Structural::Broadcast { axes }) = g.op(y) else { return None };
    let s = g.operand(y, 0);
    let (shape, one) = (g.shape(y).clone(), g.integer(1));
    if g.constant(s).is_some() || shape.size() <= g.shape(s).size() {
        return None;
    }
    let inverse = g.apply(Elementwise::Div, &[one, s]);
    let inverse = g.broadcast(inverse, axes, &shape);
    Some(g.apply(Elementwise::Mul, &[x, inverse]))
}

/// (a·b)ᵀ as bᵀ·aᵀ: factors are read through any strides, a result is best written in order.
fn turned_product(g: &mut Graph, product: Id, order: u32) -> Option<Id> {
    let Op::Contract { batch, over } = g.op(product) else { return None };
    let (a, b) = (g.operand(product, 0), g.operand(product, 1));
    let (batch_, over_) = (batch as usize, over as usize);
    let (rows, columns) = (g.shape(a).rank() - batch_ - over_, g.shape(b).rank() - batch_ - over_);
    // The groups of axes: paired, of the first factor, of the second; here the last two change places.
    let swapped = |first: usize, second: usize| {
        let (start, end) = (batch_ + first, batch_ + first + second);
        pack_order((0..batch_).chain(start..end).chain(batch_..start))
    };
    if order != swapped(rows, columns) || rows == 0 || columns == 0 {
        return None;
    }
    let left = g.permute(b, swapped(over_, columns));
    let right = g.permute(a, swapped(rows, over_));
    let turned = g.contract_batched(left, right, batch, over);
    debug_assert_eq!(*g.shape(turned), permuted(g.shape(product), order));
    Some(turned)
}

/// Windows put back that do not overlap: the same elements in the same order, with zeros between
/// and behind.
fn side_by_side(g: &mut Graph, x: Id, axis: usize, stride: u32, to: &Shape) -> Option<Id> {
    let mut extents = g.shape(x).extents().to_vec();
    let length = to.extents()[axis];
    let all = u64::from(extents[axis]) * u64::from(stride);
    if extents[axis + 1] > stride || all > u64::from(u32::MAX) || extents.contains(&0) {
        return None;
    }
    let whole = match extents[axis + 1] < stride {
        true => g.pad(x, axis as u8 + 1, 0, stride),
        false => x,
    };
    extents[axis] = all as u32;
    extents.remove(axis + 1);
    let joined = g.reshape(whole, &Shape::new(extents));
    Some(match all.cmp(&u64::from(length)) {
        Ordering::Less => g.pad(joined, axis as u8, 0, length),
        Ordering::Equal => joined,
        Ordering::Greater => g.slice(joined, axis as u8, 0, length),
    })
}

/// The least place at which x is its greatest; NaN where that is NaN.
fn place_of_greatest(g: &mut Graph, x: Id, axes: u8) -> Id {
    let shape = g.shape(x).clone();
    let axis = axes.trailing_zeros() as usize;
    let extent = shape.extents().get(axis).copied().unwrap_or(1);
    let greatest = g.reduce(Reduction::Max, x, axes);
    let spread = g.broadcast(greatest, axes, &shape);
    let attained = g.compare(Selection::Equal, &[x, spread]);
    let places = g.iota(extent);
    let places = g.broadcast(places, all_but(&shape, axis), &shape);
    let none = g.integer(i64::from(extent));
    let places = g.select(attained, places, none);
    let first = g.reduce(Reduction::Min, places, axes);
    let (zero, is_number) = (g.integer(0), g.compare(Selection::Equal, &[greatest, greatest]));
    let nan = g.apply(Elementwise::Div, &[zero, zero]);
    g.select(is_number, first, nan)
}

fn all_but(shape: &Shape, axis: usize) -> u8 {
    let all = ((1u16 << shape.rank()) - 1) as u8;
    all & !(1 << axis)
}
