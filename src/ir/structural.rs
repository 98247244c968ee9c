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
    /// Overlapping windows: `axis` becomes two, the positions `stride` apart and, right after it,
    /// the `length` entries from there on.
    Window { axis: u8, length: u32, stride: u32 },
    /// Windows put back: axes `axis` (positions `stride` apart) and `axis + 1` (entries) become one,
    /// of the result's extent; what falls on one place is added.
    Overlap { axis: u8, stride: u32 },
    /// Of `x[n, rest…]` and `index[s…]` the entries `x[index]`, shaped `[s…, rest…]`; NaN where the
    /// index, truncated, is none of 0..n. Linear in `x`.
    Gather,
    /// Of `values[s…, rest…]` and `index[s…]` the `[rows, rest…]` in which each entry is added where
    /// its index says; those out of range are dropped. Linear in the values.
    Scatter { rows: u32 },
    /// 0, 1, …, n − 1; no operands.
    Iota,
}

/// How a structural op of one operand moves elements.
pub enum Flow {
    /// For each result element the operand's element it copies; `None` is zero.
    Pull(Vec<Option<usize>>),
    /// For each operand element the result's element it is added to.
    Push(Vec<usize>),
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
            Structural::Window { .. } => "window",
            Structural::Overlap { .. } => "overlap",
            Structural::Gather => "gather",
            Structural::Scatter { .. } => "scatter",
            Structural::Iota => "iota",
        }
    }

    /// True when a derivative passes through operand `i`: an index has none.
    pub fn is_linear_in(self, i: usize) -> bool {
        i == 0 || self == Structural::Stack
    }

    /// True when `to` is a legal result shape for operands of shapes `from`.
    pub fn accepts(self, from: &[&Shape], to: &Shape) -> bool {
        if to.rank() > MAX_RANK || from.iter().any(|x| x.rank() > MAX_RANK) {
            return false;
        }
        let &[x, ref others @ ..] = from else { return self == Structural::Iota && to.rank() == 1 };
        match (self, others) {
            (Structural::Iota, _) => false,
            (Structural::Gather, [index]) => gathered(x, index).as_ref() == Some(to),
            (Structural::Scatter { rows }, [index]) => scattered(x, index, rows).as_ref() == Some(to),
            (Structural::Gather | Structural::Scatter { .. }, _) => false,
            (Structural::Stack, _) => others.iter().all(|s| *s == x) && self.fits_one(x, to, from.len()),
            (_, []) => self.fits_one(x, to, 1),
            _ => false,
        }
    }

    fn fits_one(self, x: &Shape, to: &Shape, count: usize) -> bool {
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
                    && to.extents()[0] as usize == count
                    && to.extents()[1..] == *x.extents()
            }
            Structural::Window { axis, length, stride } => {
                windowed(x, axis, length, stride).as_ref() == Some(to)
            }
            Structural::Overlap { axis, stride } => {
                let length = extent(x, axis + 1);
                windowed(to, axis, length, stride).as_ref() == Some(x)
            }
            Structural::Gather | Structural::Scatter { .. } | Structural::Iota => false,
        }
    }

    /// How the elements of an operand of shape `from` move into a result of shape `to`; for the ops
    /// of one operand whose movement does not depend on values.
    pub fn flow(self, from: &Shape, to: &Shape) -> Flow {
        let (read, write) = (row_major(from), row_major(to));
        let pull = |base: usize, strides: &[usize]| {
            let source = |at: &[usize]| Some(base + dot(at, strides));
            Flow::Pull(indices(to).map(|at| source(&at)).collect())
        };
        let push = |base: usize, strides: &[usize]| {
            Flow::Push(indices(from).map(|at| base + dot(&at, strides)).collect())
        };
        match self {
            Structural::Sum { axes } => push(0, &spread(&write, axes, from.rank())),
            Structural::Broadcast { axes } => pull(0, &spread(&read, axes, to.rank())),
            Structural::Permute { order } => {
                let strides: Vec<usize> = (0..to.rank()).map(|i| read[source_axis(order, i)]).collect();
                pull(0, &strides)
            }
            Structural::Slice { axis, start, .. } => pull(read[axis as usize] * start as usize, &read),
            Structural::Pad { axis, start, .. } => {
                let mut pulled = vec![None; to.size()];
                let base = write[axis as usize] * start as usize;
                for (i, at) in indices(from).enumerate() {
                    pulled[base + dot(&at, &write)] = Some(i);
                }
                Flow::Pull(pulled)
            }
            Structural::Window { axis, stride, .. } => pull(0, &windows(&read, axis, stride)),
            Structural::Overlap { axis, stride } => push(0, &windows(&write, axis, stride)),
            _ => Flow::Pull((0..to.size()).map(Some).collect()),
        }
    }

    /// The transposed map, applied to the cotangent `y_bar`: the cotangent of operand `i` of
    /// `operands`.
    pub fn transpose<'g>(self, b: &'g Builder, i: usize, y_bar: Expr<'g>, operands: &[Expr<'g>]) -> Expr<'g> {
        let x = &b.shape(operands[i].id());
        match self {
            Structural::Sum { axes } => b.broadcast(y_bar, axes, x),
            Structural::Broadcast { axes } => b.sum(y_bar, axes),
            Structural::Reshape => b.reshape(y_bar, x),
            Structural::Permute { order } => b.permute(y_bar, inverse(order, x.rank())),
            Structural::Slice { axis, start, .. } => b.pad(y_bar, axis, start, extent(x, axis)),
            Structural::Pad { axis, start, .. } => b.slice(y_bar, axis, start, extent(x, axis)),
            Structural::Stack => b.pick(y_bar, i as u32),
            Structural::Window { axis, stride, .. } => b.overlap(y_bar, axis, stride, extent(x, axis)),
            Structural::Overlap { axis, stride } => b.window(y_bar, axis, extent(x, axis + 1), stride),
            Structural::Gather => b.scatter(y_bar, operands[1], extent(x, 0)),
            Structural::Scatter { .. } => b.gather(y_bar, operands[1]),
            Structural::Iota => y_bar,
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

/// The shape after [`Structural::Window`]; `None` where no window fits.
pub fn windowed(x: &Shape, axis: u8, length: u32, stride: u32) -> Option<Shape> {
    let axis = axis as usize;
    let &extent = x.extents().get(axis)?;
    if length == 0 || stride == 0 || length > extent || x.rank() == MAX_RANK {
        return None;
    }
    let positions = (extent - length) / stride + 1;
    let (before, after) = (&x.extents()[..axis], &x.extents()[axis + 1..]);
    Some(Shape::new(before.iter().copied().chain([positions, length]).chain(after.iter().copied())))
}

/// The shape of the entries of `x` that an index of shape `index` picks.
pub fn gathered(x: &Shape, index: &Shape) -> Option<Shape> {
    let (_, rest) = x.extents().split_first()?;
    let shape = Shape::new(index.extents().iter().chain(rest).copied());
    (shape.rank() <= MAX_RANK).then_some(shape)
}

/// The shape of `rows` entries into which values of shape `x` are scattered.
pub fn scattered(x: &Shape, index: &Shape, rows: u32) -> Option<Shape> {
    let rest = x.extents().strip_prefix(index.extents())?;
    let shape = Shape::new(std::iter::once(rows).chain(rest.iter().copied()));
    (shape.rank() <= MAX_RANK).then_some(shape)
}

/// How far apart neighbours along each axis are.
pub fn row_major(shape: &Shape) -> Vec<usize> {
    let extents = shape.extents();
    let mut strides = vec![1usize; extents.len()];
    for i in (1..extents.len()).rev() {
        strides[i - 1] = strides[i] * extents[i] as usize;
    }
    strides
}

/// Strides of the smaller shape for an index of the larger one: 0 along the axes in the set.
fn spread(smaller: &[usize], axes: u8, rank: usize) -> Vec<usize> {
    let mut kept = smaller.iter().copied();
    let stride = |i: usize| if axes >> i & 1 == 1 { 0 } else { kept.next().unwrap_or(0) };
    (0..rank).map(stride).collect()
}

/// Strides of a shape for an index in which `axis` is split into positions and entries.
fn windows(strides: &[usize], axis: u8, stride: u32) -> Vec<usize> {
    let axis = axis as usize;
    let mut split = strides.to_vec();
    split.insert(axis, strides[axis] * stride as usize);
    split
}

fn dot(index: &[usize], strides: &[usize]) -> usize {
    index.iter().zip(strides).map(|(i, s)| i * s).sum()
}

/// All indices of a shape, in row-major order.
pub fn indices(shape: &Shape) -> impl Iterator<Item = SmallVec<[usize; 4]>> {
    let extents: SmallVec<[usize; 4]> = shape.extents().iter().map(|&d| d as usize).collect();
    let mut index: SmallVec<[usize; 4]> = smallvec::smallvec![0; extents.len()];
    (0..shape.size()).map(move |_| {
        let here = index.clone();
        for axis in (0..extents.len()).rev() {
            index[axis] += 1;
            if index[axis] < extents[axis] {
                break;
            }
            index[axis] = 0;
        }
        here
    })
}
