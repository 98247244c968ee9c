//! From where a node's elements are looked at: what is computed once for several users.
//!
//! Users that meet at the same coordinates in one pass share an element; `x[i]` beside `x[i + 1]`
//! are two.
//!
//! What must stay true: views that are equal are of the same elements, if they are in one pass.

use super::cost::{is_stored_by_nature, reduced_extents};
use crate::ir::{Graph, Id, Op, Structural};
use rustc_hash::FxHasher;
use smallvec::SmallVec;
use std::hash::{Hash, Hasher};

/// How a stored node looks at one it is computed from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct View {
    /// The stored node, where none but itself computes at its coordinates.
    root: Option<Id>,
    pass: u32,
    /// What was added to the coordinate of each axis.
    shifts: SmallVec<[i64; 4]>,
    /// Whatever else lies between.
    through: u64,
}

/// Views of one node, and how often each evaluates it.
#[derive(Clone, Debug, Default)]
pub(super) struct Views(SmallVec<[(View, f64); 2]>);

/// Most views that are told apart.
const VIEWS: usize = 16;

impl View {
    /// That of a stored node of itself: of its own elements, or of all it sums up.
    pub fn root(graph: &Graph, id: Id, pass: u32) -> View {
        let rank = graph.shape(id).rank();
        let reduced = reduced_extents(graph, id).len();
        let op = graph.op(id);
        let is_alone = match op {
            Op::Contract { .. } | Op::Reduce { .. } | Op::Structural(Structural::Sum { .. }) => rank > 0,
            _ => is_stored_by_nature(op),
        };
        View {
            root: is_alone.then_some(id),
            pass,
            shifts: SmallVec::from_elem(0, rank + reduced),
            through: 0,
        }
    }

    /// That of an operand of a node seen like this.
    pub fn of_operand(&self, graph: &Graph, id: Id, operand: usize) -> View {
        let mut view = self.clone();
        match graph.op(id) {
            Op::Elementwise(_) | Op::Selection(_) => {}
            Op::Contract { .. } | Op::Reduce { .. } | Op::Structural(Structural::Sum { .. })
                if graph.shape(id).rank() == 0 => {}
            Op::Structural(Structural::Pad { axis, start, .. }) => {
                view.shifts[axis as usize] -= i64::from(start);
            }
            Op::Structural(Structural::Slice { axis, start, .. }) => {
                view.shifts[axis as usize] += i64::from(start);
            }
            op => {
                let mut hasher = FxHasher::default();
                (&self.shifts, self.through, op, operand, graph.shape(id).extents()).hash(&mut hasher);
                view.through = hasher.finish();
                let rank = graph.shape(graph.operand(id, operand)).rank();
                view.shifts = SmallVec::from_elem(0, rank);
            }
        }
        view
    }
}

impl Views {
    pub fn of(view: View, times: f64) -> Views {
        Views(SmallVec::from_iter([(view, times)]))
    }

    /// Adds users, each seen through something.
    pub fn add(&mut self, users: &Views, through: impl Fn(&View) -> View) {
        for (view, times) in &users.0 {
            let view = through(view);
            match self.0.iter().position(|(known, _)| *known == view) {
                Some(at) => self.0[at].1 = self.0[at].1.max(*times),
                None if self.0.len() < VIEWS => self.0.push((view, *times)),
                None => self.0[0].1 += times,
            }
        }
    }

    /// True where users in one pass look at different places, and could share a nest.
    pub fn are_neighbours(&self) -> bool {
        let [(first, _), rest @ ..] = self.0.as_slice() else { return false };
        let alike = |view: &View| (view.root, view.pass, view.through) == (None, first.pass, first.through);
        alike(first) && !rest.is_empty() && rest.iter().all(|(view, _)| alike(view))
    }

    /// How often the node is evaluated.
    pub fn times(&self) -> f64 {
        self.0.iter().map(|(_, times)| times).sum()
    }
}
