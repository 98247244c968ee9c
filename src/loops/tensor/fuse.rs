//! Which nodes share a nest.
//!
//! A group is a set of stored nodes over one space of iteration. Nodes come in topological order;
//! each joins the latest group it may, or opens one.
//!
//! Spaces that differ by a few rounds at their ends count as one, and so do a sum over all of a
//! space and elements stored at each of its points: value and gradient are one pass. Along one axis
//! a space may also be several elements for one of another, as in `sum[j] f(x[2*j], x[2*j + 1])`.
//!
//! What must stay true: whatever a member reads from memory was written by an earlier group; a
//! member reads another of its group only at the same coordinates, and never one that is summed.

use super::cost::{is_pointwise, is_product, is_stored_by_nature, reduced_extents};
use super::region::STEP;
use super::scan::is_same_loop;
use crate::ir::{Graph, Id, Op, Structural};

/// Most members of one nest: each has its own stream of stores, and its values compete for registers.
const MEMBERS: usize = 8;

/// Spaces of so few points are joined even where nothing is shared.
const TINY: usize = 64;

/// Rounds by which spaces may differ that are one but for their edges.
const EDGES: u32 = 4;

/// Spaces along one axis of at least so many elements may be taken several for one of another.
pub(super) const COARSE: u32 = 32;

/// Most nodes looked at below one.
const WALK: usize = 64;

/// How a group's members are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Elements of one space, each stored or all reduced.
    Loops,
    /// One node that moves elements to places of its own.
    Moved,
    /// One matrix product.
    Product,
    /// Results of one scan.
    Repeated,
}

/// Stored nodes computed together.
pub(super) struct Group {
    pub kind: Kind,
    /// Extents of the loops: those of the members' shape, then those reduced.
    pub kept: Vec<u32>,
    pub reduced: Vec<u32>,
    pub members: Vec<Id>,
    /// What the members read.
    reads: Vec<Id>,
    /// Some member's elements are of several kinds in turn.
    stepped: bool,
}

/// What a node reads, and whether only at its own coordinates.
struct Read {
    id: Id,
    pointwise: bool,
}

/// The groups of all stored nodes but inputs, in an order in which they can run.
pub(super) fn groups(graph: &Graph, needed: &[Id], stored: &[bool], is_input: &[bool]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut group_of: Vec<Option<usize>> = vec![None; graph.len()];
    let mut marks = vec![0; graph.len()];
    for &id in needed.iter().filter(|id| stored[id.index()]) {
        if is_input[id.index()] {
            continue;
        }
        let reads = reads(graph, id, stored, &mut marks);
        let mut group = Group::of(graph, id, stored);
        let joined = match group.kind {
            Kind::Loops => latest(graph, &groups, &group, &reads, &group_of),
            Kind::Repeated => groups.iter().position(|g| is_same_loop(graph, g.members[0], id)),
            Kind::Moved | Kind::Product => None,
        };
        let at = joined.unwrap_or(groups.len());
        group.reads = reads.into_iter().map(|read| read.id).collect();
        match joined {
            Some(at) => {
                if let Some((kept, reduced)) = groups[at].space_with(&group) {
                    (groups[at].kept, groups[at].reduced) = (kept, reduced);
                }
                groups[at].stepped |= group.stepped;
                groups[at].members.push(id);
                groups[at].reads.append(&mut group.reads);
            }
            None => groups.push(group),
        }
        group_of[id.index()] = Some(at);
    }
    groups
}

impl Group {
    fn of(graph: &Graph, id: Id, stored: &[bool]) -> Group {
        let kind = match graph.op(id) {
            Op::Contract { .. } if is_product(graph, id) => Kind::Product,
            Op::Scan { .. } => Kind::Repeated,
            Op::Structural(Structural::Stack | Structural::Scatter { .. } | Structural::Overlap { .. }) => {
                Kind::Moved
            }
            _ => Kind::Loops,
        };
        let kept = graph.shape(id).extents().to_vec();
        let reduced = reduced_extents(graph, id);
        let stepped = kept.len() + reduced.len() == 1 && is_stepped(graph, id, stored);
        Group { kind, kept, reduced, members: vec![id], reads: Vec::new(), stepped }
    }

    /// The loops of both, if they are the same, or the same but for edges and for what is summed.
    fn space_with(&self, new: &Group) -> Option<(Vec<u32>, Vec<u32>)> {
        if self.kept == new.kept && self.reduced == new.reduced {
            return Some((self.kept.clone(), self.reduced.clone()));
        }
        let reduces = match (self.reduced.len(), new.reduced.len()) {
            (0, 0) => false,
            (_, 0) if self.kept.is_empty() => true,
            (0, _) if new.kept.is_empty() => true,
            (a, b) if a == b && self.kept.is_empty() && new.kept.is_empty() => true,
            _ => return None,
        };
        let [ours, theirs] = [self, new].map(|group| group.kept.iter().chain(&group.reduced).copied());
        let pitches = if self.stepped || new.stepped { STEP } else { 1 };
        let near = |(a, b): (u32, u32)| is_near(a, b) || is_coarse(a.max(b), a.min(b), pitches);
        if ours.clone().count() != theirs.clone().count() || !ours.clone().zip(theirs.clone()).all(near) {
            return None;
        }
        let space: Vec<u32> = ours.zip(theirs).map(|(a, b)| a.max(b)).collect();
        Some(if reduces { (Vec::new(), space) } else { (space, Vec::new()) })
    }

    fn points(&self) -> usize {
        self.kept.iter().chain(&self.reduced).map(|&d| d as usize).product()
    }
}

/// The latest group that the one of a single node may join.
fn latest(
    graph: &Graph,
    groups: &[Group],
    new: &Group,
    reads: &[Read],
    group_of: &[Option<usize>],
) -> Option<usize> {
    let earliest = reads.iter().filter_map(|read| {
        let at = group_of[read.id.index()]?;
        // A pointwise reader may stand in the group it reads.
        Some(if read.pointwise { at } else { at + 1 })
    });
    let earliest = earliest.max().unwrap_or(0);
    (earliest..groups.len()).rev().find(|&at| {
        let group = &groups[at];
        let fits = || group.space_with(new).is_some();
        let is_same = || group.kept == new.kept && group.reduced == new.reduced;
        let shares = || reads.iter().any(|r| group.reads.contains(&r.id) || group.members.contains(&r.id));
        let is_reduction =
            |id: Id| is_stored_by_nature(graph.op(id)) && !reduced_extents(graph, id).is_empty();
        let reads_reduction = || reads.iter().any(|r| group.members.contains(&r.id) && is_reduction(r.id));
        group.kind == Kind::Loops
            && group.members.len() < MEMBERS
            && fits()
            && !reads_reduction()
            && ((new.points() <= TINY && is_same()) || shares())
    })
}

/// True for extents that are one but for edges.
fn is_near(a: u32, b: u32) -> bool {
    a == b || (a.min(b) > 0 && a.abs_diff(b) <= EDGES)
}

/// True where one of `few` stands for several of `many`, up to `most`.
fn is_coarse(many: u32, few: u32, most: u32) -> bool {
    few >= COARSE && (2..=most).any(|pitch| many.abs_diff(few.saturating_mul(pitch)) <= EDGES)
}

/// True where a node is read through rows that are padded: its elements are of several kinds in
/// turn, and are made several at a time.
fn is_stepped(graph: &Graph, id: Id, stored: &[bool]) -> bool {
    let mut seen = vec![id];
    let mut next = 0;
    while let Some(&node) = seen.get(next) {
        next += 1;
        for &x in graph.operands(node) {
            let is_row = |x: Id| matches!(graph.op(x), Op::Structural(Structural::Pad { .. }));
            if graph.op(node) == Op::Structural(Structural::Reshape) && is_row(x) {
                return true;
            }
            if !stored[x.index()] && seen.len() < WALK && !seen.contains(&x) {
                seen.push(x);
            }
        }
    }
    false
}

/// True for a reduction of all elements of its operand, or of all pairs of its operands'.
fn reduces_all(graph: &Graph, id: Id) -> bool {
    graph.shape(id).rank() == 0 && !reduced_extents(graph, id).is_empty()
}

/// The stored nodes, inputs among them, that computing `id` reads. `marks` is all zero, and is left so.
fn reads(graph: &Graph, id: Id, stored: &[bool], marks: &mut [u8]) -> Vec<Read> {
    const POINTWISE: u8 = 1;
    const ELSEWHERE: u8 = 2;
    let mut reads: Vec<Id> = Vec::new();
    let mut touched = Vec::new();
    let mut stack = vec![(id, POINTWISE)];
    while let Some((node, how)) = stack.pop() {
        let inside = is_pointwise(graph.op(node)) || node == id && reduces_all(graph, id);
        let below = if inside { how } else { ELSEWHERE };
        for &operand in graph.operands(node) {
            let mark = &mut marks[operand.index()];
            if *mark & below != 0 {
                continue;
            }
            if *mark == 0 {
                touched.push(operand);
            }
            *mark |= below;
            match stored[operand.index()] {
                true => reads.push(operand),
                false => stack.push((operand, below)),
            }
        }
    }
    reads.sort_unstable();
    reads.dedup();
    let found = reads.iter().map(|&id| Read { id, pointwise: marks[id.index()] == POINTWISE }).collect();
    touched.into_iter().for_each(|id| marks[id.index()] = 0);
    found
}

/// Of the nodes stored by choice, those that nobody outside their group reads: they need no memory.
pub(super) fn unread(graph: &Graph, groups: &[Group], chosen: &[bool]) -> Vec<Id> {
    let mut group_of: Vec<Option<usize>> = vec![None; graph.len()];
    for (at, group) in groups.iter().enumerate() {
        group.members.iter().for_each(|id| group_of[id.index()] = Some(at));
    }
    let mut read_elsewhere = vec![false; graph.len()];
    for (at, group) in groups.iter().enumerate() {
        for read in group.reads.iter().filter(|read| group_of[read.index()] != Some(at)) {
            read_elsewhere[read.index()] = true;
        }
    }
    let members = groups.iter().flat_map(|group| &group.members).copied();
    members.filter(|id| chosen[id.index()] && !read_elsewhere[id.index()]).collect()
}
