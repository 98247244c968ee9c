//! Affine forms of loop counters, and the coordinates of tensor elements written in them.
//!
//! What must stay true: a form has one stride a loop of its nest; `unflatten` answers only where
//! every coordinate stays inside its axis for all counters, so flattening gives the form back.

use smallvec::SmallVec;
use std::fmt;

/// `offset + Σ strides[l] · counter[l]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Affine {
    pub offset: i64,
    pub strides: SmallVec<[i64; 4]>,
}

/// One form an axis.
pub(super) type Coordinates = SmallVec<[Affine; 4]>;

impl Affine {
    /// The number `offset`, over `loops` loops.
    pub fn constant(offset: i64, loops: usize) -> Affine {
        Affine { offset, strides: SmallVec::from_elem(0, loops) }
    }

    /// The counter of one of `loops` loops.
    pub fn counter(at: usize, loops: usize) -> Affine {
        let mut form = Affine::constant(0, loops);
        form.strides[at] = 1;
        form
    }

    pub fn plus(&self, other: &Affine) -> Affine {
        let strides = self.strides.iter().zip(&other.strides).map(|(a, b)| a + b);
        Affine { offset: self.offset + other.offset, strides: strides.collect() }
    }

    pub fn times(&self, factor: i64) -> Affine {
        let strides = self.strides.iter().map(|s| s * factor);
        Affine { offset: self.offset * factor, strides: strides.collect() }
    }

    /// The form's value at some counters.
    pub fn at(&self, counters: &[u32]) -> i64 {
        let terms = self.strides.iter().zip(counters).map(|(s, &i)| s * i64::from(i));
        self.offset + terms.sum::<i64>()
    }

    /// The least and the greatest value over loops of these extents, none of which is 0.
    /// 128 bits, so that nothing overflows on the way.
    pub fn range(&self, extents: impl IntoIterator<Item = u32>) -> (i128, i128) {
        let mut range = (i128::from(self.offset), i128::from(self.offset));
        for (&stride, extent) in self.strides.iter().zip(extents) {
            let end = i128::from(stride) * i128::from(extent.saturating_sub(1));
            range = (range.0 + end.min(0), range.1 + end.max(0));
        }
        range
    }

    /// The innermost loop the form depends on.
    pub fn depth(&self) -> usize {
        self.strides.iter().rposition(|&s| s != 0).map_or(0, |l| l + 1)
    }
}

/// Counters `first..first + rank` as coordinates, over `loops` loops.
pub(super) fn counters(first: usize, rank: usize, loops: usize) -> Coordinates {
    (first..first + rank).map(|l| Affine::counter(l, loops)).collect()
}

/// The row-major position of an element; `loops` is for the rank 0.
pub(super) fn flatten(coordinates: &[Affine], extents: &[u32], loops: usize) -> Affine {
    let mut flat = Affine::constant(0, loops);
    for (coordinate, &extent) in coordinates.iter().zip(extents) {
        flat = flat.times(i64::from(extent)).plus(coordinate);
    }
    flat
}

/// The coordinates of the element at a row-major position, where they are affine.
///
/// `counts` are the extents of the loops. Terms go to the outermost axis whose stride divides
/// theirs; what is left must never reach the next step of that axis.
pub(super) fn unflatten(flat: &Affine, extents: &[u32], counts: &[u32]) -> Option<Coordinates> {
    let loops = flat.strides.len();
    let mut rest = flat.clone();
    let mut coordinates = Coordinates::new();
    let mut below: i64 = extents.iter().map(|&d| i64::from(d)).product();
    for &extent in extents {
        below /= i64::from(extent.max(1));
        let mut coordinate = Affine::constant(rest.offset.div_euclid(below.max(1)), loops);
        rest.offset = rest.offset.rem_euclid(below.max(1));
        for l in 0..loops {
            if counts[l] > 1 && rest.strides[l].abs() >= below {
                if rest.strides[l] % below != 0 {
                    return None;
                }
                coordinate.strides[l] = rest.strides[l] / below;
                rest.strides[l] = 0;
            }
        }
        let (least, greatest) = coordinate.range(counts.iter().copied());
        let (rest_least, rest_greatest) = rest.range(counts.iter().copied());
        let inside = least >= 0 && greatest < i128::from(extent);
        if !inside || rest_least < 0 || rest_greatest >= i128::from(below) {
            return None;
        }
        coordinates.push(coordinate);
    }
    Some(coordinates)
}

impl fmt::Display for Affine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for (l, &stride) in self.strides.iter().enumerate().filter(|(_, s)| **s != 0) {
            match stride {
                1 => write!(f, "{}i{l}", if first { "" } else { " + " })?,
                _ => write!(f, "{}{stride}*i{l}", if first { "" } else { " + " })?,
            }
            first = false;
        }
        match self.offset {
            0 if !first => Ok(()),
            offset if first => write!(f, "{offset}"),
            offset => write!(f, " + {offset}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(extents: &[u32], counts: &[u32], strides: &[i64], expected: Option<&str>) {
        let flat = Affine { offset: 0, strides: strides.into() };
        let found = unflatten(&flat, extents, counts);
        let text = found.as_ref().map(|c| c.iter().map(Affine::to_string).collect::<Vec<_>>().join(", "));
        assert_eq!(text.as_deref(), expected);
        if let Some(coordinates) = found {
            assert_eq!(flatten(&coordinates, extents, counts.len()), flat);
        }
    }

    #[test]
    fn positions_come_apart_where_axes_align() {
        check(&[12], &[3, 4], &[4, 1], Some("4*i0 + i1"));
        check(&[3, 4], &[3, 4], &[4, 1], Some("i0, i1"));
        check(&[3, 4], &[12], &[1], None);
        check(&[2, 6], &[2, 3, 2], &[6, 2, 1], Some("i0, 2*i1 + i2"));
        check(&[4, 3], &[2, 6], &[6, 1], None);
        check(&[1, 5, 1], &[5], &[1], Some("0, i0, 0"));
    }
}
