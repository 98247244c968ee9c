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

/// Most elements taken at once.
pub(super) const STEP: u32 = 4;

/// Spaces of so few points may be cut into single points.
const FEW_POINTS: usize = 64;

/// A stretch `first..end` of each axis, and the axis that is taken several at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Region {
    stretches: Vec<(u32, u32)>,
    stepped: Option<(usize, u32)>,
}

/// How a region is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// A loop in two, before a round counted from the region's first.
    Before { axis: usize, round: u32 },
    /// A loop takes so many at once, from a multiple on: each is code of its own.
    Step { axis: usize, by: u32 },
}

/// Which of those a stepped loop takes at once, and for how many elements of the space a member
/// has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stance {
    pub phase: u32,
    pub pitch: u32,
}

impl Stance {
    pub const PLAIN: Stance = Stance { phase: 0, pitch: 1 };
}

impl Region {
    /// All of a space.
    pub fn all(extents: impl IntoIterator<Item = u32>) -> Region {
        Region { stretches: extents.into_iter().map(|extent| (0, extent)).collect(), stepped: None }
    }

    fn step(&self, axis: usize) -> u32 {
        self.stepped.filter(|stepped| stepped.0 == axis).map_or(1, |stepped| stepped.1)
    }

    /// How many elements of a stepped loop are made each time round.
    pub fn phases(&self) -> u32 {
        self.stepped.map_or(1, |stepped| stepped.1)
    }

    /// How often each loop runs.
    pub fn extents(&self) -> Vec<u32> {
        let rounds = |(axis, (first, end)): (usize, &(u32, u32))| (end - first) / self.step(axis);
        self.stretches.iter().enumerate().map(rounds).collect()
    }

    pub fn points(&self) -> usize {
        self.stretches.iter().map(|&(first, end)| (end - first) as usize).product()
    }

    /// Counters `first..first + rank` as coordinates of a member of the space.
    pub fn counters(&self, Stance { phase, pitch }: Stance, first: usize, rank: usize) -> Coordinates {
        let counter = |l: usize| {
            let step = self.step(l);
            let mut form = Affine::counter(l, self.stretches.len());
            let phase = if step > 1 { phase } else { 0 };
            form.strides[l] = i64::from((step / pitch).max(1));
            form.offset = i64::from((self.stretches[l].0 + phase) / pitch);
            form
        };
        (first..first + rank).map(counter).collect()
    }

    /// True where a member of these extents has elements in all of the region.
    pub fn is_inside(&self, extents: &[u32], pitch: u32) -> bool {
        self.stretches.iter().zip(extents).all(|(&(_, end), extent)| end.div_ceil(pitch) <= *extent)
    }

    /// True where a member of this pitch along the only axis has one element each time round.
    pub fn is_aligned(&self, pitch: u32) -> bool {
        match (self.step(0), self.stretches[0]) {
            (1, (first, end)) => end - first == 1 && first % pitch == 0,
            (step, (first, _)) => step == pitch && first % pitch == 0,
        }
    }

    /// True where a member of this pitch along the only axis has no element.
    pub fn is_apart(&self, pitch: u32) -> bool {
        let (first, end) = self.stretches[0];
        first.next_multiple_of(pitch) >= end
    }

    /// The parts of the region, in order; `None` where the cut makes nothing smaller.
    fn cut(&self, cut: Cut) -> Option<Vec<Region>> {
        let axis = match cut {
            Cut::Before { axis, .. } | Cut::Step { axis, .. } => axis,
        };
        let (first, end) = self.stretches[axis];
        let at = |middle: u32| {
            let mut parts = vec![self.clone(), self.clone()];
            parts[0].stretches[axis].1 = middle;
            parts[1].stretches[axis].0 = middle;
            (first < middle && middle < end).then_some(parts)
        };
        match cut {
            Cut::Before { round, .. } => at(first + round * self.step(axis)),
            Cut::Step { .. } if self.stepped.is_some() => None,
            Cut::Step { by, .. } if end - first < 2 * by => at(first + 1),
            Cut::Step { by, .. } => {
                let start = first.next_multiple_of(by);
                let stop = end - (end - start) % by;
                at(start)
                    .or_else(|| at(stop))
                    .or_else(|| Some(vec![Region { stepped: Some((axis, by)), ..self.clone() }]))
            }
        }
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
        Some(Cut::Before { axis, round: round as u32 })
    }

    /// The step that brings a flat position to one place of rows of some length; `None` where it
    /// does not walk through them one by one.
    pub fn step(flat: &Affine, length: u32, extents: &[u32]) -> Option<Cut> {
        let mut moving = (0..extents.len()).filter(|&l| flat.strides[l] != 0 && extents[l] > 1);
        let (axis, None) = (moving.next()?, moving.next()) else { return None };
        (flat.strides[axis] == 1 && (2..=STEP).contains(&length)).then_some(Cut::Step { axis, by: length })
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
            Err((error, cut)) => match cut.and_then(|cut| region.cut(cut)) {
                Some(parts) if made.len() + waiting.len() + parts.len() <= most => {
                    waiting.extend(parts.into_iter().rev());
                }
                _ => return Err(error),
            },
        }
    }
    Ok(made)
}

impl Region {
    /// The region cut where a space of these extents ends; the last part first.
    fn along(self, extents: &[u32]) -> Vec<Region> {
        let mut parts = vec![self];
        for (axis, &extent) in extents.iter().enumerate() {
            let cut = |part: Region| {
                let round = extent.saturating_sub(part.stretches[axis].0);
                let cut = part.cut(Cut::Before { axis, round });
                cut.map_or(vec![part], |parts| parts.into_iter().rev().collect())
            };
            parts = parts.into_iter().flat_map(cut).collect();
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
        assert_eq!(cut, expected.map(|round| Cut::Before { axis: 0, round }));
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

    #[test]
    fn steps_begin_at_multiples_and_leave_points() {
        let mut waiting =
            vec![Region::all([12]).cut(Cut::Before { axis: 0, round: 1 }).expect("inside")[1].clone()];
        let mut made = Vec::new();
        while let Some(region) = waiting.pop() {
            match region.cut(Cut::Step { axis: 0, by: 3 }) {
                Some(parts) => waiting.extend(parts.into_iter().rev()),
                None => made.push((region.stretches[0], region.phases())),
            }
        }
        assert_eq!(made, [((1, 2), 1), ((2, 3), 1), ((3, 12), 3)]);
    }
}
