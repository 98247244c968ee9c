//! A group of nodes over one space → nests, one for each region the space is cut into.
//!
//! Sums over all of a space and elements stored at each of its points are computed in one pass.
//!
//! What must stay true: every element of every member is written once; a sum cut into several
//! regions is a sum of their sums, in the order of the regions.

use super::affine::Affine;
use super::assemble::{Line, Site, Sketch, Traced};
use super::cost::reduced_extents;
use super::fuse::{COARSE, Group};
use super::layout::{Order, is_voted, order_of};
use super::program::{BufferId, Combine, Load, Place, Store, Write};
use super::region::{Cut, Region, Stance, split};
use super::trace::{Blocked, Tracer};
use crate::ir::structural::source_axis;
use crate::ir::{DType, Elementwise, Id, Op, Reduction, Structural};

/// What tracing has made of the members that reach into a region: values, and what becomes of them.
type Made = (Traced, Vec<Value>);

/// One element of a member each time round.
struct Value {
    id: Id,
    stance: Stance,
    value: Id,
    write: Write,
}

/// A reduction whose regions each write a part.
struct Parted {
    id: Id,
    combine: Combine,
    parts: BufferId,
    count: u32,
}

impl Site<'_> {
    /// Elements of one space: each stored, or all reduced.
    pub(super) fn loops(&mut self, group: &Group) -> Result<Vec<Sketch>, Blocked> {
        if group.reduced.contains(&0) {
            let filled = group.members.iter().filter(|&&id| self.graph.shape(id).size() > 0);
            return Ok(filled.map(|&id| self.fill(id)).collect());
        }
        let made = self.traced(group)?;
        let order = self.chosen_order(group, &made);
        for &id in &group.members {
            let rank = self.graph.shape(id).rank();
            let axes: Order = order.iter().copied().filter(|&l| l < rank).collect();
            self.lay(id, &axes);
        }
        let parted = self.parted(&made);
        let mut written = vec![0; parted.len()];
        let mut steps = Vec::new();
        for (region, (traced, values)) in made {
            let mut line = Line::default();
            for Value { id, stance, value, write } in values {
                let to = match parted.iter().position(|part| part.id == id) {
                    Some(at) => {
                        written[at] += 1;
                        let first = Affine::constant(written[at] - 1, traced.extents.len());
                        Place { buffer: parted[at].parts, at: first }
                    }
                    None => self.own_place(id, stance, &region),
                };
                line.push(value, Store { to, write });
            }
            if !line.is_empty() {
                steps.push(line.around(traced, group.kept.len(), order.clone()));
            }
        }
        steps.extend(parted.iter().map(|part| self.combined(part)));
        Ok(steps)
    }

    /// The place of a member's element at the region's own coordinates.
    fn own_place(&self, id: Id, stance: Stance, region: &Region) -> Place {
        let extents = self.graph.shape(id).extents();
        let home = self.home(id);
        let own = region.counters(stance, 0, extents.len());
        Place { buffer: home.buffer, at: home.at(&own, extents, region.extents().len()) }
    }

    /// The members' code, region by region.
    fn traced(&self, group: &Group) -> Result<Vec<(Region, Made)>, Blocked> {
        let kept = group.kept.len();
        let space: Vec<u32> = group.kept.iter().chain(&group.reduced).copied().collect();
        // Sums for each of several elements are not cut: parts of them would need places each.
        let is_cut = kept == 0 || group.reduced.is_empty();
        let members: Vec<(Id, Vec<u32>, u32)> = group
            .members
            .iter()
            .map(|&id| {
                let own = self.space_of(id);
                let pitch = pitch(&space, &own);
                (id, own, pitch)
            })
            .collect();
        let ends = members.iter().map(|(_, own, pitch)| own.iter().map(|d| d * pitch).collect());
        split(&space, ends, |region| {
            let mut tracer =
                Tracer::new(self.graph, self.stored, &group.members, (region.clone(), self.rounding));
            let mut values = Vec::new();
            for &(id, ref own, pitch) in &members {
                if !region.is_inside(own, pitch) {
                    continue;
                }
                let made = self.values(&mut tracer, region, (id, pitch), kept);
                let blocked = |blocked| (blocked, tracer.cut.filter(|_| is_cut));
                values.append(&mut made.map_err(blocked)?);
            }
            Ok((Traced::from(tracer), values))
        })
    }

    /// The elements of a member that a round makes, sums of them in one.
    fn values(
        &self,
        tracer: &mut Tracer,
        region: &Region,
        (id, pitch): (Id, u32),
        kept: usize,
    ) -> Result<Vec<Value>, Blocked> {
        if pitch > 1 && !region.is_aligned(pitch) {
            return match region.is_apart(pitch) {
                true => Ok(Vec::new()),
                false => {
                    tracer.cut = Some(Cut::Step { axis: 0, by: pitch });
                    Err(id)
                }
            };
        }
        let phases = if pitch > 1 { 1 } else { region.phases() };
        let mut values: Vec<Value> = Vec::new();
        for phase in 0..phases {
            let stance = Stance { phase, pitch };
            tracer.stand(stance);
            let (value, write) = self.element(tracer, id, kept)?;
            match (values.last_mut(), &write) {
                (Some(last), Write::Reduce(Combine::Sum)) => {
                    last.value = tracer.body.apply(Elementwise::Add, &[last.value, value]);
                }
                (Some(_), Write::Reduce(_)) => return Err(id),
                _ => values.push(Value { id, stance, value, write }),
            }
        }
        Ok(values)
    }

    /// The loops of a member: its axes, then those it sums over.
    fn space_of(&self, id: Id) -> Vec<u32> {
        let mut extents = self.graph.shape(id).extents().to_vec();
        extents.extend(reduced_extents(self.graph, id));
        extents
    }

    /// The order of loops that the loads of the largest region prefer.
    fn chosen_order(&self, group: &Group, made: &[(Region, Made)]) -> Order {
        let largest = made.iter().rev().max_by_key(|(region, _)| region.points());
        let (region, (traced, _)) = largest.expect("a space has a region");
        let (kept, extents) = (group.kept.len(), region.extents());
        let mut order = match self.wanted(group).filter(|_| !is_voted(&traced.loads, 0, &extents[..kept])) {
            Some(wanted) => (0..kept).map(|at| source_axis(wanted, at)).collect(),
            None => order_of(&traced.loads, 0, &extents[..kept]),
        };
        let mut inner = order_of(&traced.loads, kept, &extents[kept..]);
        let is_pinned = |&&id: &&Id| self.pinned[id.index()];
        if group.members.iter().any(|id| is_pinned(&id)) {
            order.sort_unstable();
        }
        let stores_inside = |id: &&&Id| self.graph.shape(***id).rank() > kept;
        if group.members.iter().filter(|id| stores_inside(&id)).any(|id| is_pinned(&id)) {
            inner.sort_unstable();
        }
        order.extend(inner.into_iter().map(|l| l + kept));
        order
    }

    /// The order of axes in which products read the only member.
    fn wanted(&self, group: &Group) -> Option<u32> {
        match group.members.as_slice() {
            &[id] if group.reduced.is_empty() => self.wanted[id.index()],
            _ => None,
        }
    }

    /// The reductions of which several regions have a part, each with room for its parts.
    fn parted(&mut self, made: &[(Region, Made)]) -> Vec<Parted> {
        let mut parted: Vec<Parted> = Vec::new();
        for &Value { id, ref write, .. } in made.iter().flat_map(|(_, (_, values))| values) {
            let Write::Reduce(combine) = *write else { continue };
            match parted.iter_mut().find(|part| part.id == id) {
                Some(part) => part.count += 1,
                None => parted.push(Parted { id, combine, parts: self.buffer(id), count: 1 }),
            }
        }
        parted.retain(|part| part.count > 1);
        for part in &mut parted {
            part.parts = BufferId(self.sizes.len() as u32);
            self.sizes.push(part.count as usize);
        }
        parted
    }

    /// The parts of a reduction combined: sums one by one, for their places were just written and a
    /// vector of them would wait.
    fn combined(&self, part: &Parted) -> Sketch {
        let is_sum = part.combine == Combine::Sum;
        let region = Region::all((!is_sum).then_some(part.count));
        let loops = region.extents().len();
        let mut tracer = Tracer::new(self.graph, self.stored, &[], (region, self.rounding));
        let place = |at| Load::Element(Place { buffer: part.parts, at });
        let value = match is_sum {
            true => {
                let parts = (0..i64::from(part.count)).map(|at| Affine::constant(at, loops));
                let loads: Vec<Id> = parts.map(|at| tracer.load(place(at), DType::F64)).collect();
                let add = |sum, x| tracer.body.apply(Elementwise::Add, &[sum, x]);
                loads.into_iter().reduce(add).expect("there are several parts")
            }
            false => tracer.load(place(Affine::counter(0, loops)), DType::F64),
        };
        let to = Place { buffer: self.buffer(part.id), at: Affine::constant(0, loops) };
        let write = if is_sum { Write::Set } else { Write::Reduce(part.combine) };
        let mut line = Line::default();
        line.push(value, Store { to, write });
        let order: Order = (0..loops).collect();
        line.around(tracer.into(), 0, order)
    }

    /// The scalar code of one element of `id`, and what becomes of it.
    fn element(&self, tracer: &mut Tracer, id: Id, kept: usize) -> Result<(Id, Write), Blocked> {
        let graph = self.graph;
        let own = tracer.counters(0, graph.shape(id).rank());
        let (axes, combine) = match graph.op(id) {
            Op::Structural(Structural::Sum { axes }) => (axes, Combine::Sum),
            Op::Reduce { op: Reduction::Max, axes } => (axes, Combine::Max),
            Op::Reduce { op: Reduction::Min, axes } => (axes, Combine::Min),
            Op::Contract { batch, over } if over > 0 => {
                let [a, b] = self.factors(tracer, id, batch as usize, over as usize);
                let a = tracer.value(graph.operand(id, 0), a)?;
                let b = tracer.value(graph.operand(id, 1), b)?;
                let product = tracer.body.apply(Elementwise::Mul, &[a, b]);
                return Ok((product, Write::Reduce(Combine::Sum)));
            }
            _ => return Ok((tracer.value(id, own)?, Write::Set)),
        };
        let x = graph.operand(id, 0);
        let rank = graph.shape(x).rank();
        let (mut outside, mut inside) = (0, kept);
        let coordinates = (0..rank).map(|axis| {
            let next = if axes >> axis & 1 == 1 { &mut inside } else { &mut outside };
            *next += 1;
            tracer.counters(*next - 1, 1).remove(0)
        });
        let coordinates = coordinates.collect();
        Ok((tracer.value(x, coordinates)?, Write::Reduce(combine)))
    }
}

/// How many elements of a space there are for one of a member, along its only axis.
fn pitch(space: &[u32], member: &[u32]) -> u32 {
    match (space, member) {
        (&[all], &[own]) if own >= COARSE => (all + own / 2) / own,
        _ => 1,
    }
}
