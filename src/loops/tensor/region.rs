//! Index-set splitting: the part of a space that one nest runs over, and where it is cut.
//!
//! The element of a padded node is one expression inside and another outside its edges, so the
//! gradient of `sum[i] f(x[i], x[i + 1])` is a sum of two terms inside and one at either end. Where
//! an edge runs through a region, the region is cut in two, until each is a nest without conditions.
//!
//! What must stay true: the parts of a region are apart, and together the region, in its order.

use super::affine::{Affine, Coordinates};

/// Most regions of one nest: each is code of its own.
const REGIONS: usize = 9;

/// Spaces of so few points may be cut into single points.
const FEW_POINTS: usize = 64;

/// The rounds `first..end` of each loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Region(Vec<(u32, u32)>);

/// Cuts a loop of a region before a round, counted from the region's first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    axis: usize,
    round: u32,
}

impl Region {
    /// All of a space.
    pub fn all(extents: impl IntoIterator<Item = u32>) -> Region {
        Region(extents.into_iter().map(|extent| (0, extent)).collect())
    }

    /// How often each loop runs.
    pub fn extents(&self) -> Vec<u32> {
        self.0.iter().map(|(first, end)| end - first).collect()
    }

    pub fn points(&self) -> usize {
        self.extents().into_iter().map(|d| d as usize).product()
    }

    /// Counters `first..first + rank` as coordinates of the space.
    pub fn counters(&self, first: usize, rank: usize) -> Coordinates {
        let counter = |l: usize| {
            let mut form = Affine::counter(l, self.0.len());
            form.offset = i64::from(self.0[l].0);
            form
        };
        (first..first + rank).map(counter).collect()
    }

    /// True where the region lies inside a space of these extents.
    pub fn is_inside(&self, extents: impl IntoIterator<Item = u32>) -> bool {
        self.0.iter().zip(extents).all(|(&(_, end), extent)| end <= extent)
    }

    fn cut(&self, Cut { axis, round }: Cut) -> [Region; 2] {
        let mut parts = [self.clone(), self.clone()];
        let middle = self.0[axis].0 + round;
        parts[0].0[axis].1 = middle;
        parts[1].0[axis].0 = middle;
        parts
    }
}

impl Cut {
    /// The cut that brings a coordinate to one side of an edge of `0..extent`, which it crosses;
    /// `None` where it depends on several loops.
    pub fn of(coordinate: &Affine, extent: u32, extents: &[u32]) -> Option<Cut> {
        let mut moving = (0..extents.len()).filter(|&l| coordinate.strides[l] != 0 && extents[l] > 1);
        let (axis, None) = (moving.next()?, moving.next()) else { return None };
        let stride = coordinate.strides[axis];
        // Rounds at which the coordinate passes 0 and `extent`, rounded up.
        let passes = |edge: i64| {
            let distance = edge - coordinate.offset;
            match stride > 0 {
                true => distance.div_euclid(stride) + i64::from(distance.rem_euclid(stride) != 0),
                false => (coordinate.offset - edge).div_euclid(-stride) + 1,
            }
        };
        let inside = |round: &i64| (1..i64::from(extents[axis])).contains(round);
        let round = [passes(0), passes(i64::from(extent))].into_iter().find(inside)?;
        Some(Cut { axis, round: round as u32 })
    }
}

/// The parts of a space on which `make` succeeds, in order, with what it makes; it fails with an
/// error, and where a cut helps, with one. Members whose own extents end earlier inside the space
/// give cuts from the beginning.
pub(super) fn split<T, E>(
    space: &[u32],
    members: impl IntoIterator<Item = Vec<u32>>,
    mut make: impl FnMut(&Region) -> Result<T, (E, Option<Cut>)>,
) -> Result<Vec<(Region, T)>, E> {
    let whole = Region::all(space.iter().copied());
    let most = if whole.points() <= FEW_POINTS { FEW_POINTS } else { REGIONS };
    let mut made = Vec::new();
    // The next region is the last.
    let mut waiting = vec![whole];
    for extents in members {
        waiting = waiting.into_iter().flat_map(|region| region.along(&extents)).collect();
    }
    while let Some(region) = waiting.pop() {
        match make(&region) {
            Ok(one) => made.push((region, one)),
            Err((_, Some(cut))) if made.len() + waiting.len() + 2 <= most => {
                let [before, behind] = region.cut(cut);
                waiting.extend([behind, before]);
            }
            Err((error, _)) => return Err(error),
        }
    }
    Ok(made)
}

impl Region {
    /// The region cut where a space of these extents ends; the last part first.
    fn along(self, extents: &[u32]) -> Vec<Region> {
        let mut parts = vec![self];
        for (axis, &extent) in extents.iter().enumerate() {
            parts = parts
                .into_iter()
                .flat_map(|part| match part.0[axis] {
                    (first, end) if first < extent && extent < end => {
                        let [before, behind] = part.cut(Cut { axis, round: extent - first });
                        vec![behind, before]
                    }
                    _ => vec![part],
                })
                .collect();
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(offset: i64, stride: i64, extent: u32, rounds: u32, expected: Option<u32>) {
        let form = Affine { offset, strides: [stride].into_iter().collect() };
        let cut = Cut::of(&form, extent, &[rounds]);
        assert_eq!(cut.map(|cut| cut.round), expected);
        let side = |round: u32| {
            let at = form.at(&[round]);
            (at >= 0, at < i64::from(extent))
        };
        if let Some(round) = expected {
            assert_ne!(side(round - 1), side(round));
        }
    }

    #[test]
    fn regions_are_cut_where_a_coordinate_passes_an_edge() {
        check(-1, 1, 9, 10, Some(1));
        check(0, 1, 9, 10, Some(9));
        check(-3, 2, 9, 10, Some(2));
        check(0, 2, 5, 10, Some(3));
        check(3, -1, 9, 10, Some(4));
        check(12, -2, 9, 10, Some(7));
        check(0, 1, 10, 10, None);
    }
}
