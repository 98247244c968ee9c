//! One group of nodes → its steps: nests, with a fill before one where elements are added up in
//! memory, or a matrix product.
//!
//! What must stay true: a step reads only nodes that are stored; where that is not enough, the
//! node to store is the answer.

use super::Rounding;
use super::affine::{Affine, Coordinates};
use super::cost::reduced_extents;
use super::fuse::{Group, Kind};
use super::layout::{Home, Order, order_of, order_of_products, packed};
use super::program::{
    BufferId, Chosen, Load, Loop, Matrix, Nest, Place, Product, Step, Store, TensorProgram, Write,
};
use super::region::Region;
use super::scan::repeated;
use super::shape::{choose_lanes, reorder_loops, simplify_loops};
use super::trace::{Blocked, Tracer};
use crate::ir::{Body, Function, Graph, Id, Op, Structural};
use crate::loops::{Block, Buffer, Inst, Program, lower, schedule};
use rustc_hash::FxHashMap;

/// What steps are made from.
pub(super) struct Site<'a> {
    pub graph: &'a Graph,
    /// Where nodes are; those of groups to come have no order yet.
    pub stored: &'a mut [Option<Home>],
    /// Nodes that are to be row-major, by id.
    pub pinned: &'a [bool],
    /// Orders of axes that products would like, by id.
    pub wanted: &'a [Option<u32>],
    pub rounding: Rounding,
    /// The programs of one step of each scan.
    pub bodies: &'a FxHashMap<Body, TensorProgram>,
    /// Elements of each buffer; more may be added.
    pub sizes: &'a mut Vec<usize>,
}

impl Site<'_> {
    /// The steps that compute a group's members.
    pub fn steps(&mut self, group: &Group) -> Result<Vec<Sketch>, Blocked> {
        if group.members.iter().all(|&id| self.graph.shape(id).size() == 0) {
            return Ok(Vec::new());
        }
        match group.kind {
            Kind::Loops => self.loops(group),
            Kind::Moved => self.moved(group.members[0]),
            Kind::Product => Ok(vec![Sketch::Step(Step::Product(self.product(group.members[0])?))]),
            Kind::Repeated => {
                let repeated = repeated(self.graph, group, self.stored, self.bodies)?;
                Ok(vec![Sketch::Step(Step::Repeated(repeated))])
            }
        }
    }

    pub(super) fn home(&self, id: Id) -> Home {
        self.stored[id.index()].expect("members of groups are stored")
    }

    pub(super) fn buffer(&self, id: Id) -> BufferId {
        self.home(id).buffer
    }

    /// Lays a node out in an order of its axes.
    pub(super) fn lay(&mut self, id: Id, order: &[usize]) {
        if let Some(home) = &mut self.stored[id.index()] {
            home.order = packed(order);
        }
    }

    /// The coordinates of both factors of a contraction, whose loops are those of the result and
    /// then the ones summed over.
    pub(super) fn factors(&self, tracer: &Tracer, id: Id, batch: usize, over: usize) -> [Coordinates; 2] {
        let [left, right] = [0, 1].map(|i| self.graph.shape(self.graph.operand(id, i)).rank());
        let kept_left = left - batch - over;
        let kept = self.graph.shape(id).rank();
        let paired = || tracer.counters(0, batch);
        let summed = || tracer.counters(kept, over);
        let rows = tracer.counters(batch, kept_left);
        let columns = tracer.counters(batch + kept_left, right - batch - over);
        [
            paired().into_iter().chain(rows).chain(summed()).collect(),
            paired().into_iter().chain(summed()).chain(columns).collect(),
        ]
    }

    /// Row-major positions of counters `first..`, over `loops` loops.
    fn row_major(&self, extents: &[u32], first: usize, loops: usize) -> Affine {
        super::affine::flatten(&super::affine::counters(first, extents.len(), loops), extents, loops)
    }

    /// Zeros.
    pub(super) fn fill(&self, id: Id) -> Sketch {
        let extents = self.graph.shape(id).extents();
        let mut tracer =
            Tracer::new(self.graph, self.stored, &[], (Region::all(extents.iter().copied()), self.rounding));
        let mut line = Line::default();
        let at = self.row_major(extents, 0, extents.len());
        let zero = tracer.body.integer(0);
        line.push(zero, Store { to: Place { buffer: self.buffer(id), at }, write: Write::Set });
        let order: Order = (0..extents.len()).collect();
        line.around(tracer.into(), extents.len(), order)
    }

    /// Elements that go to places of their own: loops over the operand.
    fn moved(&mut self, id: Id) -> Result<Vec<Sketch>, Blocked> {
        let graph = self.graph;
        let Op::Structural(op) = graph.op(id) else { unreachable!("`fuse` made the group of this op") };
        let x = graph.operand(id, 0);
        let from = graph.shape(x).extents();
        let loops = from.len();
        let mut tracer =
            Tracer::new(graph, self.stored, &[], (Region::all(from.iter().copied()), self.rounding));
        let to = graph.shape(id).extents();
        let size: i64 = from.iter().map(|&d| i64::from(d)).product();
        if size == 0 {
            return Ok(vec![self.fill(id)]);
        }
        let own = tracer.counters(0, loops);
        let stacked = if op == Structural::Stack { graph.operands(id) } else { &graph.operands(id)[..1] };
        let mut values = Vec::new();
        for &operand in stacked {
            values.push(tracer.value(operand, own.clone())?);
        }
        let index = match op {
            Structural::Scatter { .. } => {
                let index = graph.operand(id, 1);
                let split = graph.shape(index).rank();
                Some((tracer.place(index, own[..split].into())?, split))
            }
            _ => None,
        };
        let traced = Traced::from(tracer);
        let mut order: Order = (0..loops).collect();
        if let (Structural::Overlap { .. }, false) = (op, self.pinned[id.index()]) {
            order = order_of(&traced.loads, 0, from);
            self.lay(id, &behind(op, &order));
        }
        let home = self.home(id);
        let mut line = Line::default();
        for (i, value) in values.into_iter().enumerate() {
            let mut coordinates = own.clone();
            let (at, write) = match op {
                Structural::Stack => {
                    let mut at = self.row_major(from, 0, loops);
                    at.offset += i as i64 * size;
                    (at, Write::Set)
                }
                Structural::Overlap { axis, stride } => {
                    let entry = coordinates.remove(axis as usize + 1);
                    let position = coordinates[axis as usize].times(i64::from(stride));
                    coordinates[axis as usize] = position.plus(&entry);
                    (home.at(&coordinates, to, loops), Write::Add)
                }
                _ => {
                    let (index, split) = index.clone().expect("what is left is a scatter");
                    let stride = to[1..].iter().map(|&d| i64::from(d)).product();
                    let write = Write::Scatter(Chosen { index, rows: to[0], stride });
                    (self.row_major(&from[split..], split, loops), write)
                }
            };
            line.push(value, Store { to: Place { buffer: home.buffer, at }, write });
        }
        let mut steps = Vec::new();
        if op != Structural::Stack {
            steps.push(self.fill(id));
        }
        steps.push(line.around(traced, loops, order));
        Ok(steps)
    }

    /// A contraction as a matrix product, with further loops where axes do not merge.
    fn product(&mut self, id: Id) -> Result<Product, Blocked> {
        let graph = self.graph;
        let Op::Contract { batch, over } = graph.op(id) else { unreachable!("`fuse` looked at the op") };
        let (batch, over) = (batch as usize, over as usize);
        let kept = graph.shape(id).extents();
        let extents: Vec<u32> = kept.iter().copied().chain(reduced_extents(graph, id)).collect();
        let rows = graph.shape(graph.operand(id, 0)).rank() - over;
        if !self.pinned[id.index()] {
            self.lay(id, &order_of_products(kept, batch..rows));
        }
        let tracer =
            Tracer::new(graph, self.stored, &[], (Region::all(extents.iter().copied()), self.rounding));
        let [a, b] = self.factors(&tracer, id, batch, over);
        let left = tracer.place(graph.operand(id, 0), a)?;
        let right = tracer.place(graph.operand(id, 1), b)?;
        let to = self.home(id).at(&tracer.counters(0, kept.len()), kept, extents.len());
        let inner = kept.len()..extents.len();
        // A step of 0 is a repeated axis: all the same to products.
        let summed = [(0, &left), (1, &right)]
            .map(|(i, place)| merged(&extents, inner.clone(), &place.at).ok_or(graph.operand(id, i)));
        let [(k, left_step), (_, right_step)] = [summed[0]?, summed[1]?];
        let mut outer: Vec<(u32, [i64; 3])> = Vec::new();
        let strides = |l: usize| [&to, &left.at, &right.at].map(|form| form.strides[l]);
        outer.extend((0..batch).map(|l| (extents[l], strides(l))));
        let mut side = |range: std::ops::Range<usize>, other: &Affine| {
            // As many of the last axes as merge; the rest become loops.
            let first = range.clone().find(|&first| {
                merged(&extents, first..range.end, &to).is_some()
                    && merged(&extents, first..range.end, other).is_some()
            });
            let first = first.unwrap_or(range.end);
            outer.extend((range.start..first).map(|l| (extents[l], strides(l))));
            let (count, step) = merged(&extents, first..range.end, &to).unwrap_or((1, 0));
            (count, step, merged(&extents, first..range.end, other).map_or(0, |(_, step)| step))
        };
        let (m, to_row, left_row) = side(batch..rows, &left.at);
        let (n, to_column, right_column) = side(rows..kept.len(), &right.at);
        outer.retain(|&(extent, _)| extent != 1);
        let matrix = |buffer, offset, row, column| Matrix { buffer, offset, row, column };
        Ok(Product {
            size: [m, n, k],
            to: matrix(self.buffer(id), to.offset, to_row, to_column),
            left: matrix(left.buffer, left.at.offset, left_row, left_step),
            right: matrix(right.buffer, right.at.offset, right_step, right_column),
            outer,
        })
    }
}

/// Adjacent loops as one: how often it runs, and its stride; `None` where strides do not agree.
fn merged(extents: &[u32], range: std::ops::Range<usize>, form: &Affine) -> Option<(usize, i64)> {
    let mut whole: Option<(usize, i64)> = None;
    for l in range.rev().filter(|&l| extents[l] != 1) {
        whole = match whole {
            None => Some((extents[l] as usize, form.strides[l])),
            Some((count, step)) if form.strides[l] == step * count as i64 => {
                Some((count * extents[l] as usize, step))
            }
            Some(_) => return None,
        };
    }
    Some(whole.unwrap_or((1, 0)))
}

/// The order of a moved node's axes where its operand's are in some order.
fn behind(op: Structural, order: &[usize]) -> Order {
    match op {
        // The entries of windows end with their positions.
        Structural::Overlap { axis, .. } => {
            let entry = axis as usize + 1;
            let kept = order.iter().filter(|&&l| l != entry);
            kept.map(|&l| if l > entry { l - 1 } else { l }).collect()
        }
        _ => order.into(),
    }
}

/// What tracing has made of the elements of a nest.
pub(super) struct Traced {
    body: Graph,
    pub loads: Vec<Load>,
    pub extents: Vec<u32>,
}

impl From<Tracer<'_>> for Traced {
    fn from(tracer: Tracer) -> Traced {
        Traced { body: tracer.body, loads: tracer.loads, extents: tracer.extents }
    }
}

/// The values of a nest's body and where they go.
#[derive(Default)]
pub(super) struct Line {
    values: Vec<Id>,
    stores: Vec<Store>,
}

impl Line {
    pub fn is_empty(&self) -> bool {
        self.stores.is_empty()
    }

    pub fn push(&mut self, value: Id, store: Store) {
        self.values.push(value);
        self.stores.push(store);
    }

    /// The nest around the line, its first `kept` loops kept, and all of them in some order.
    pub fn around(self, traced: Traced, kept: usize, order: Order) -> Sketch {
        Sketch::Nest(Box::new(Around { line: self, traced, kept, order }))
    }
}

/// A step whose nest has no code yet: code is made once all steps are known to come about.
pub(super) enum Sketch {
    Step(Step),
    Nest(Box<Around>),
}

/// A nest to be.
pub(super) struct Around {
    line: Line,
    traced: Traced,
    kept: usize,
    order: Order,
}

impl Sketch {
    /// The step, with vectors of so many elements.
    pub fn step(self, lanes: usize, rounding: Rounding) -> Step {
        match self {
            Sketch::Step(step) => step,
            Sketch::Nest(around) => Step::Nest(around.nest(lanes, rounding)),
        }
    }
}

impl Around {
    fn nest(self, lanes: usize, rounding: Rounding) -> Nest {
        let Around { line: Line { values, stores }, traced, kept, order } = self;
        let Traced { body, loads, extents } = traced;
        let symbols = body.symbols().collect();
        let function = Function::new(body, symbols, values);
        let body = match rounding {
            Rounding::Loose => schedule(&lower(&function)),
            Rounding::AsLowered => schedule(&function),
        };
        let loops = extents.iter().enumerate();
        let loops = loops.map(|(l, &extent)| Loop { extent, reduced: l >= kept }).collect();
        let mut nest = Nest { loops, lanes: None, loads, stores, body };
        drop_unused_loads(&mut nest);
        reorder_loops(&mut nest, &order);
        simplify_loops(&mut nest);
        nest.lanes = choose_lanes(&nest, lanes);
        nest
    }
}

/// Takes out loads that lowering made needless.
fn drop_unused_loads(nest: &mut Nest) {
    let block: &mut Block = &mut nest.body.nests[0].blocks[0];
    let mut kept = Vec::new();
    for inst in &mut block.insts {
        if let Inst::Load(address) = inst {
            debug_assert_eq!(address.buffer, Buffer::Inputs);
            kept.push(nest.loads[address.offset as usize].clone());
            address.offset = kept.len() as u32 - 1;
        }
    }
    let Program { inputs, nests, outputs, .. } = &mut nest.body;
    *inputs = kept.len() as u32;
    for inst in &mut nests[0].blocks[0].insts {
        match inst {
            Inst::Load(address) => address.stride = *inputs,
            Inst::Store(address, _) => debug_assert_eq!(address.stride, *outputs),
            _ => {}
        }
    }
    nest.loads = kept;
}
