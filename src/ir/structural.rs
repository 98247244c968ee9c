//! Linear structural ops: they move, copy or sum elements. One row each: a shape rule, and a
//! transpose that is another row, so forward mode is the op itself and reverse mode its transpose.

use super::{Builder, Expr, Shape};
use smallvec::SmallVec;

/// Highest rank a permutation or axis set can describe.
pub const MAX_RANK: usize = 8;

/// An op that moves, copies or sums elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Structural {
    /// Sums over the axes in the set, which disappear.
    Sum { axes: u8 },
    /// Repeats along new axes: those in the set, of the result's extents.
    Broadcast { axes: u8 },
    /// The same elements in row-major order under another shape (the result type's).
    Reshape,
    /// Result axis `i` is operand axis `order[i]`, four bits each, axis 0 lowest.
    Permute { order: u32 },
    /// Elements `start..start + length` along `axis`.
    Slice { axis: u8, start: u32, length: u32 },
    /// Zeros around the operand along `axis`: it lands at `start`, the result has `length`.
    Pad { axis: u8, start: u32, length: u32 },
    /// Operands of one shape side by side along a new leading axis.
    Stack,
}

impl Structural {
    pub fn name(self) -> &'static str {
        match self {
            Structural::Sum { .. } => "sum",
            Structural::Broadcast { .. } => "broadcast",
            Structural::Reshape => "reshape",
            Structural::Permute { .. } => "permute",
            Structural::Slice { .. } => "slice",
            Structural::Pad { .. } => "pad",
            Structural::Stack => "stack",
        }
    }

    /// True when `to` is a legal result shape for operands of shape `from` (all alike).
    pub fn accepts(self, from: &[&Shape], to: &Shape) -> bool {
        let Some(&x) = from.first() else { return false };
        if from.iter().any(|s| *s != x) || to.rank() > MAX_RANK || x.rank() > MAX_RANK {
            return false;
        }
        match self {
            Structural::Sum { axes } => without(x, axes) == *to && fits(axes, x.rank()),
            Structural::Broadcast { axes } => without(to, axes) == *x && fits(axes, to.rank()),
            Structural::Reshape => x.size() == to.size(),
            Structural::Permute { order } => is_permutation(order, x.rank()) && permuted(x, order) == *to,
            Structural::Slice { axis, start, length } => {
                resized(x, axis, length).as_ref() == Some(to)
                    && start.checked_add(length).is_some_and(|end| end <= extent(x, axis))
            }
            Structural::Pad { axis, start, length } => {
                resized(x, axis, length).as_ref() == Some(to)
                    && start.checked_add(extent(x, axis)).is_some_and(|end| end <= length)
            }
            Structural::Stack => {
                to.rank() == x.rank() + 1
                    && to.extents()[0] as usize == from.len()
                    && to.extents()[1..] == *x.extents()
            }
        }
    }

    /// The transposed map, applied to the cotangent `y_bar`: the cotangent of operand `i`,
    /// whose shape is `x`.
    pub fn transpose<'g>(self, b: &'g Builder, i: usize, y_bar: Expr<'g>, x: &Shape) -> Expr<'g> {
        match self {
            Structural::Sum { axes } => b.broadcast(y_bar, axes, x),
            Structural::Broadcast { axes } => b.sum(y_bar, axes),
            Structural::Reshape => b.reshape(y_bar, x),
            Structural::Permute { order } => b.permute(y_bar, inverse(order, x.rank())),
            Structural::Slice { axis, start, .. } => b.pad(y_bar, axis, start, extent(x, axis)),
            Structural::Pad { axis, start, .. } => b.slice(y_bar, axis, start, extent(x, axis)),
            Structural::Stack => b.pick(y_bar, i as u32),
        }
    }
}

/// The extent of `axis`, 0 when there is no such axis.
fn extent(shape: &Shape, axis: u8) -> u32 {
    shape.extents().get(axis as usize).copied().unwrap_or(0)
}

fn fits(axes: u8, rank: usize) -> bool {
    rank >= MAX_RANK || axes >> rank == 0
}

/// The shape left when the axes in the set are taken out.
pub fn without(shape: &Shape, axes: u8) -> Shape {
    let kept = shape.extents().iter().enumerate();
    Shape::new(kept.filter(|(i, _)| axes >> i & 1 == 0).map(|(_, &d)| d))
}

/// The shape with `axis` given another extent; `None` when there is no such axis.
pub fn resized(shape: &Shape, axis: u8, length: u32) -> Option<Shape> {
    let mut extents: SmallVec<[u32; 4]> = shape.extents().into();
    *extents.get_mut(axis as usize)? = length;
    Some(Shape::new(extents))
}

/// Axis `i` of the result of a permutation.
pub fn source_axis(order: u32, i: usize) -> usize {
    (order >> (4 * i) & 15) as usize
}

/// The packed form of a permutation given as a list of source axes.
pub fn pack_order(axes: impl IntoIterator<Item = usize>) -> u32 {
    let packed = axes.into_iter().enumerate();
    packed.fold(0, |order, (i, axis)| order | (axis as u32) << (4 * i))
}

pub fn permuted(shape: &Shape, order: u32) -> Shape {
    Shape::new((0..shape.rank()).map(|i| shape.extents()[source_axis(order, i)]))
}

fn is_permutation(order: u32, rank: usize) -> bool {
    let seen = (0..rank).fold(0u32, |seen, i| seen | 1 << source_axis(order, i));
    seen == (1u32 << rank) - 1
}

fn inverse(order: u32, rank: usize) -> u32 {
    (0..rank).fold(0, |inverse, i| inverse | (i as u32) << (4 * source_axis(order, i)))
}
