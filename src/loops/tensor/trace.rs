//! From a tensor node and the coordinates of one of its elements to scalar code over loads.
//!
//! What must stay true: the scalar graph's inputs are the loads, in order; a node that is stored
//! is loaded, but for members of the nest at hand, whose value at the nest's own coordinates is
//! computed there. Where coordinates stop being affine, the answer is the node to store first; where
//! the edge of a padded node runs through the nest's region, the tracer says where to cut it.

use super::Rounding;
use super::affine::{Affine, Coordinates, flatten, unflatten};
use super::layout::Home;
use super::program::{Chosen, Load, Place};
use super::region::{Cut, Region, Stance};
use crate::ir::structural::source_axis;
use crate::ir::{DType, Elementwise, Graph, Id, Numbered, Op, Selection, Shape, Structural, Type, TypeId};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// The node that has to be stored before tracing can go on.
pub(super) type Blocked = Id;

/// Scalar code of one nest, as it grows.
pub(super) struct Tracer<'a> {
    graph: &'a Graph,
    /// Where each node is stored, by id.
    stored: &'a [Option<Home>],
    /// Nodes to be computed at `own` coordinates although they are stored.
    members: &'a [Id],
    own: At,
    region: Region,
    rounding: Rounding,
    stance: Stance,
    /// The extents of the loops.
    pub extents: Vec<u32>,
    /// Where the region has to be cut before tracing can go on, if that is what blocks.
    pub cut: Option<Cut>,
    pub body: Graph,
    pub loads: Vec<Load>,
    known: FxHashMap<Load, Id>,
    /// All coordinates met.
    met: Numbered<Coordinates>,
    traced: FxHashMap<(Id, At), Id>,
}

/// Coordinates, by their place among those a tracer has met.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct At(u32);

/// What a node's element is made of.
enum Made {
    Of(SmallVec<[(Id, At); 3]>),
    Known(Id),
}

impl<'a> Tracer<'a> {
    pub fn new(
        graph: &'a Graph,
        stored: &'a [Option<Home>],
        members: &'a [Id],
        (region, rounding): (Region, Rounding),
    ) -> Self {
        let extents = region.extents();
        let own = region.counters(Stance::PLAIN, 0, extents.len());
        let mut tracer = Tracer {
            graph,
            stored,
            members,
            own: At(0),
            region,
            rounding,
            stance: Stance::PLAIN,
            extents,
            cut: None,
            body: Graph::new(),
            loads: Vec::new(),
            known: FxHashMap::default(),
            met: Numbered::default(),
            traced: FxHashMap::default(),
        };
        tracer.own = tracer.at(own);
        tracer
    }

    fn at(&mut self, coordinates: Coordinates) -> At {
        At(self.met.number(coordinates))
    }

    fn coordinates(&self, at: At) -> &Coordinates {
        self.met.get(at.0)
    }

    /// Counters `first..first + rank` as coordinates of the region.
    pub fn counters(&self, first: usize, rank: usize) -> Coordinates {
        self.region.counters(self.stance, first, rank)
    }

    /// Counters are coordinates of a member in this stance from here on.
    pub fn stand(&mut self, stance: Stance) {
        self.stance = stance;
        let own = self.counters(0, self.extents.len());
        self.own = self.at(own);
    }

    /// The scalar node for the element of `id` at some coordinates.
    pub fn value(&mut self, id: Id, at: Coordinates) -> Result<Id, Blocked> {
        let goal = (id, self.at(at));
        let mut stack = vec![goal];
        while let Some(&top) = stack.last() {
            if self.traced.contains_key(&top) {
                stack.pop();
                continue;
            }
            let (id, at) = top;
            match self.made(id, at)? {
                Made::Known(value) => {
                    self.traced.insert((id, at), value);
                }
                Made::Of(operands) => {
                    let before = stack.len();
                    stack.extend(operands.iter().filter(|x| !self.traced.contains_key(x)));
                    if stack.len() == before {
                        let values: SmallVec<[Id; 3]> = operands.iter().map(|x| self.traced[x]).collect();
                        let value = self.build(id, &values);
                        self.traced.insert((id, at), value);
                    }
                }
            }
        }
        Ok(self.traced[&goal])
    }

    fn made(&mut self, id: Id, at: At) -> Result<Made, Blocked> {
        let is_member = at == self.own && self.members.contains(&id);
        if let (Some(home), false) = (self.stored[id.index()], is_member) {
            let place = self.home(home, id, self.coordinates(at));
            return Ok(Made::Known(self.load(Load::Element(place), self.graph.ty(id).dtype)));
        }
        match self.graph.op(id) {
            Op::Constant(c) => {
                let number = self.graph.number(c).clone();
                Ok(Made::Known(self.body.exact(number)))
            }
            Op::Input(_) => Ok(Made::Known(self.nan())),
            Op::Elementwise(_) | Op::Selection(_) => {
                Ok(Made::Of(self.graph.operands(id).iter().map(|&x| (x, at)).collect()))
            }
            Op::Structural(Structural::Iota) => {
                let position = self.coordinates(at)[0].clone();
                Ok(Made::Known(self.load(Load::Position(position), DType::F64)))
            }
            Op::Structural(Structural::Gather) => self.gathered(id, at).map(Made::Known),
            Op::Structural(Structural::Pad { axis, start, .. }) => self.padded(id, axis as usize, start, at),
            Op::Structural(op) => match self.reshaped(op, id, self.coordinates(at)) {
                Some(place) => Ok(Made::Known(self.load(Load::Element(place), self.graph.ty(id).dtype))),
                None => self.viewed(op, id, at),
            },
            Op::Contract { batch, over: 0 } => Ok(Made::Of(self.factors(id, batch as usize, at))),
            Op::Reduce { .. } | Op::Contract { .. } | Op::Scan { .. } => Err(id),
        }
    }

    /// Where an element of a reshaped node is, if that node is stored row by row: any flat position
    /// will do.
    fn reshaped(&self, op: Structural, id: Id, at: &Coordinates) -> Option<Place> {
        let x = *self.graph.operands(id).first()?;
        let home = self.stored[x.index()].filter(|home| op == Structural::Reshape && home.order.is_none())?;
        Some(Place { buffer: home.buffer, at: self.flat(id, at) })
    }

    /// An element of a padded node, where all of the region is on one side of its edges.
    fn padded(&mut self, id: Id, axis: usize, start: u32, at: At) -> Result<Made, Blocked> {
        let x = self.graph.operand(id, 0);
        let mut from = self.coordinates(at).clone();
        from[axis].offset -= i64::from(start);
        let extent = self.graph.shape(x).extents()[axis];
        let (least, greatest) = from[axis].range(self.extents.iter().copied());
        if greatest < 0 || least >= i128::from(extent) {
            return Ok(Made::Known(self.body.integer(0)));
        }
        if least >= 0 && greatest < i128::from(extent) {
            return Ok(Made::Of(SmallVec::from_iter([(x, self.at(from))])));
        }
        self.cut = Cut::of(&from[axis], extent, &self.extents);
        Err(id)
    }

    fn viewed(&mut self, op: Structural, id: Id, at: At) -> Result<Made, Blocked> {
        let coordinates = self.through(op, id, self.coordinates(at)).ok_or(id)?;
        if let (Err(x), Structural::Reshape) = (&coordinates, op) {
            self.cut = self.step_through(*x, id, self.coordinates(at));
        }
        let from = self.at(coordinates?);
        Ok(Made::Of(SmallVec::from_iter([(self.graph.operand(id, 0), from)])))
    }

    /// The step at which a row of padded ones is read at one place.
    fn step_through(&self, x: Id, id: Id, at: &Coordinates) -> Option<Cut> {
        let Op::Structural(Structural::Pad { axis, .. }) = self.graph.op(x) else { return None };
        let extents = self.graph.shape(x).extents();
        let is_last = axis as usize + 1 == extents.len();
        let length = extents.last().copied().filter(|_| is_last)?;
        Cut::step(&self.flat(id, at), length, &self.extents)
    }

    /// The factors of an outer product's element.
    fn factors(&mut self, id: Id, batch: usize, at: At) -> SmallVec<[(Id, At); 3]> {
        let [a, b] = [0, 1].map(|i| self.graph.operand(id, i));
        let (left, columns) = self.coordinates(at).split_at(self.graph.shape(a).rank());
        let right = left[..batch].iter().chain(columns).cloned().collect();
        let left = left.into();
        SmallVec::from_iter([(a, self.at(left)), (b, self.at(right))])
    }

    fn build(&mut self, id: Id, operands: &[Id]) -> Id {
        match self.graph.op(id) {
            Op::Elementwise(op) => match self.rounding {
                Rounding::Loose => self.body.apply(op, operands),
                Rounding::AsLowered => self.body.apply_unfolded(op, operands),
            },
            Op::Selection(Selection::Select) => self.body.select(operands[0], operands[1], operands[2]),
            Op::Selection(op) => self.body.compare(op, operands),
            Op::Contract { .. } => self.body.apply(Elementwise::Mul, operands),
            _ => operands[0],
        }
    }

    /// The operand's coordinates under a view; `None` where the op is none.
    fn through(&self, op: Structural, id: Id, at: &Coordinates) -> Option<Result<Coordinates, Blocked>> {
        let x = self.graph.operand(id, 0);
        let coordinates = match op {
            Structural::Broadcast { axes } => {
                let kept = at.iter().enumerate().filter(|(axis, _)| axes >> axis & 1 == 0);
                kept.map(|(_, form)| form.clone()).collect()
            }
            Structural::Permute { order } => {
                let mut from = at.clone();
                for (axis, form) in at.iter().enumerate() {
                    from[source_axis(order, axis)] = form.clone();
                }
                from
            }
            Structural::Slice { axis, start, .. } => {
                let mut from = at.clone();
                from[axis as usize].offset += i64::from(start);
                from
            }
            Structural::Window { axis, stride, .. } => {
                let mut from = at.clone();
                let entry = from.remove(axis as usize + 1);
                from[axis as usize] = from[axis as usize].times(i64::from(stride)).plus(&entry);
                from
            }
            Structural::Reshape => {
                let flat = self.flat(id, at);
                return Some(unflatten(&flat, self.graph.shape(x).extents(), &self.extents).ok_or(x));
            }
            _ => return None,
        };
        Some(Ok(coordinates))
    }

    fn flat(&self, id: Id, at: &Coordinates) -> Affine {
        flatten(at, self.graph.shape(id).extents(), self.extents.len())
    }

    fn home(&self, home: Home, id: Id, at: &Coordinates) -> Place {
        let at = home.at(at, self.graph.shape(id).extents(), self.extents.len());
        Place { buffer: home.buffer, at }
    }

    /// Where an element of a node is in memory: that of a stored node, behind views of it.
    pub fn place(&self, mut id: Id, mut at: Coordinates) -> Result<Place, Blocked> {
        loop {
            if let Some(home) = self.stored[id.index()] {
                return Ok(self.home(home, id, &at));
            }
            let Op::Structural(op) = self.graph.op(id) else { return Err(id) };
            if op == Structural::Iota {
                return Err(id);
            }
            if let Some(place) = self.reshaped(op, id, &at) {
                return Ok(place);
            }
            at = self.through(op, id, &at).ok_or(id)??;
            id = self.graph.operand(id, 0);
        }
    }

    /// How far apart in memory the rows of `x` are, the first of its axes.
    pub fn row(&self, extents: &[u32]) -> i64 {
        extents[1..].iter().map(|&d| i64::from(d)).product()
    }

    fn gathered(&mut self, id: Id, at: At) -> Result<Id, Blocked> {
        let at = self.coordinates(at).clone();
        let (x, index) = (self.graph.operand(id, 0), self.graph.operand(id, 1));
        let extents = self.graph.shape(x).extents();
        let rows = extents[0];
        if rows == 0 {
            return Ok(self.nan());
        }
        let split = self.graph.shape(index).rank();
        let index = self.place(index, at[..split].into())?;
        let behind = self.behind_reshapes(x);
        let Some(home) = self.stored[behind.index()] else { return Err(x) };
        if home.order.is_some() {
            return Err(behind);
        }
        let first = Affine::constant(0, self.extents.len());
        let from: Coordinates = std::iter::once(first).chain(at[split..].iter().cloned()).collect();
        let chosen = Chosen { index, rows, stride: self.row(extents) };
        let place = Place { buffer: home.buffer, at: self.flat(x, &from) };
        Ok(self.load(Load::Gathered(place, chosen), self.graph.ty(id).dtype))
    }

    /// The node of which `x` is a reshaping: the same elements in the same places, if it is stored.
    fn behind_reshapes(&self, mut x: Id) -> Id {
        while let (Op::Structural(Structural::Reshape), None) = (self.graph.op(x), self.stored[x.index()]) {
            x = self.graph.operand(x, 0);
        }
        x
    }

    fn nan(&mut self) -> Id {
        let zero = self.body.integer(0);
        self.body.intern(Op::Elementwise(Elementwise::Div), &[zero, zero], TypeId::F64)
    }

    /// The input that is a load.
    pub fn load(&mut self, load: Load, dtype: DType) -> Id {
        if let Some(&known) = self.known.get(&load) {
            return known;
        }
        let name = format!("l{}", self.loads.len());
        let ty = self.body.type_id(Type::new(dtype, Shape::scalar()));
        let input = self.body.input_of(&name, ty);
        self.loads.push(load.clone());
        self.known.insert(load, input);
        input
    }
}
