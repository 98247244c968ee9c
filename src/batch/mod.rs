//! Batching: a computation for one example becomes the same computation for many at once.
//!
//! Nodes that depend on the example get a new leading axis, one entry an example; the others stay
//! as they are and are computed once. A matrix–vector product becomes a matrix product.
//!
//! What must stay true: entry `i` of a batched node is the node's value for example `i`.

mod scan;

use crate::ir::structural::{pack_order, source_axis};
use crate::ir::{Elementwise, Graph, Id, Op, Selection, Shape, Structural, reachable};
use rustc_hash::FxHashMap;

/// A node's counterpart in the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batched {
    /// The same for every example.
    Once(Id),
    /// With a leading axis, one entry an example.
    Each(Id),
}

impl Batched {
    pub fn id(self) -> Id {
        match self {
            Batched::Once(id) | Batched::Each(id) => id,
        }
    }
}

/// The roots for `size` examples at once, given the batched nodes of some inputs (of their shapes
/// behind a leading axis of `size`).
///
/// ```
/// use symdiff::batch::{Batched, batch};
/// use symdiff::{Builder, ir::{Shape, Type, DType, evaluate}};
///
/// let b = Builder::new();
/// let (x, w) = (b.vector("x", 2), b.vector("w", 2));
/// let y = b.contract(w, x, 1).id();                       // w·x for one example
/// let (x, mut graph) = (x.id(), b.into_graph());
/// let ty = graph.type_id(Type::new(DType::F64, Shape::new([3, 2])));
/// let xs = graph.input_of("xs", ty);
/// let Batched::Each(ys) = batch(&mut graph, &[y], &[(x, xs)], 3)[0] else { unreachable!() };
///
/// let inputs: Vec<_> = ["w", "xs"].iter().filter_map(|name| graph.symbol(name)).collect();
/// let values = evaluate(&graph, &inputs, &[ys], &[1.0, 10.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// assert_eq!(values, [21.0, 43.0, 65.0]);
/// ```
pub fn batch(graph: &mut Graph, roots: &[Id], inputs: &[(Id, Id)], size: u32) -> Vec<Batched> {
    let mut done: FxHashMap<Id, Batched> =
        inputs.iter().map(|&(one, many)| (one, Batched::Each(many))).collect();
    for id in reachable(graph, roots) {
        if !done.contains_key(&id) {
            let operands: Vec<Batched> = graph.operands(id).iter().map(|x| done[x]).collect();
            let each = operands.iter().any(|x| matches!(x, Batched::Each(_)));
            let batched = match each {
                true => Batched::Each(Site { graph, id, operands: &operands, size }.each()),
                false => Batched::Once(id),
            };
            done.insert(id, batched);
        }
    }
    roots.iter().map(|root| done[root]).collect()
}

/// One node whose operands are batched already, at least one of them with the new axis.
struct Site<'g> {
    graph: &'g mut Graph,
    id: Id,
    operands: &'g [Batched],
    size: u32,
}

impl Site<'_> {
    fn each(mut self) -> Id {
        match self.graph.op(self.id) {
            Op::Elementwise(op) => {
                let operands = self.repeated();
                self.graph.apply_unfolded(op, &operands)
            }
            Op::Selection(Selection::Select) => {
                let operands = self.repeated();
                self.graph.select(operands[0], operands[1], operands[2])
            }
            Op::Selection(op) => {
                let operands = self.repeated();
                self.graph.compare(op, &operands)
            }
            Op::Reduce { op, axes } => self.graph.reduce(op, self.operands[0].id(), axes << 1),
            Op::Structural(op) => self.structural(op),
            Op::Contract { batch, over } => self.contraction(batch, over),
            Op::Scan { body, output } => self.scan(body, output),
            Op::Input(_) | Op::Constant(_) => self.id,
        }
    }

    /// The node's shape behind the new axis.
    fn shape(&self, id: Id) -> Shape {
        let extents = self.graph.shape(id).extents().iter().copied();
        Shape::new(std::iter::once(self.size).chain(extents))
    }

    /// The operands, all with the new axis.
    fn repeated(&mut self) -> Vec<Id> {
        (0..self.operands.len()).map(|i| self.repeat(i)).collect()
    }

    fn repeat(&mut self, i: usize) -> Id {
        match self.operands[i] {
            Batched::Each(id) => id,
            // One number is repeated to any shape where it is used.
            Batched::Once(id) if self.graph.constant(id).is_some() && self.is_elementwise() => id,
            Batched::Once(id) => {
                let shape = self.shape(id);
                self.graph.broadcast(id, 1, &shape)
            }
        }
    }

    fn is_elementwise(&self) -> bool {
        matches!(self.graph.op(self.id), Op::Elementwise(_))
    }

    fn structural(&mut self, op: Structural) -> Id {
        let shape = self.shape(self.id);
        let x = self.operands.first().map_or(self.id, |x| x.id());
        match op {
            Structural::Sum { axes } => self.graph.sum(x, axes << 1),
            Structural::Broadcast { axes } => self.graph.broadcast(x, axes << 1, &shape),
            Structural::Reshape => self.graph.reshape(x, &shape),
            Structural::Permute { order } => {
                let rank = shape.rank() - 1;
                let moved = (0..rank).map(|i| source_axis(order, i) + 1);
                self.graph.permute(x, pack_order(std::iter::once(0).chain(moved)))
            }
            Structural::Slice { axis, start, length } => self.graph.slice(x, axis + 1, start, length),
            Structural::Pad { axis, start, length } => self.graph.pad(x, axis + 1, start, length),
            Structural::Window { axis, length, stride } => self.graph.window(x, axis + 1, length, stride),
            Structural::Overlap { axis, stride } => {
                self.graph.overlap(x, axis + 1, stride, shape.extents()[axis as usize + 1])
            }
            Structural::Stack => {
                let operands = self.repeated();
                let stacked = self.graph.stack(&operands);
                let order = [1, 0].into_iter().chain(2..shape.rank());
                self.graph.permute(stacked, pack_order(order))
            }
            Structural::Gather => self.gather(),
            Structural::Scatter { rows } => self.scatter(rows),
            Structural::Iota => self.id,
        }
    }

    fn gather(&mut self) -> Id {
        let Batched::Each(x) = self.operands[0] else {
            return self.graph.gather(self.operands[0].id(), self.operands[1].id());
        };
        let rows = self.graph.shape(x).extents()[1];
        let index = self.index_of_all(rows);
        let rest = self.graph.shape(x).extents()[2..].iter().copied();
        let joined = Shape::new(std::iter::once(self.size * rows).chain(rest));
        let all = self.graph.reshape(x, &joined);
        self.graph.gather(all, index)
    }

    fn scatter(&mut self, rows: u32) -> Id {
        let values = self.repeat(0);
        let index = self.index_of_all(rows);
        let shape = self.shape(self.id);
        let all = self.graph.scatter(values, index, self.size * rows);
        self.graph.reshape(all, &shape)
    }

    /// Indices into the rows of all examples, one example after another; −1 where out of range.
    fn index_of_all(&mut self, rows: u32) -> Id {
        let index = self.repeat(1);
        let shape = self.graph.shape(index).clone();
        let g = &mut *self.graph;
        let (example, rows) = (g.iota(self.size), g.integer(i64::from(rows)));
        let first = g.apply(Elementwise::Mul, &[example, rows]);
        let first = g.broadcast(first, ((1u16 << shape.rank()) - 2) as u8, &shape);
        let (below, zero) = (g.integer(-1), g.integer(0));
        let whole = [g.compare(Selection::Less, &[index, zero]), g.apply(Elementwise::Ceil, &[index])];
        let down = g.apply(Elementwise::Floor, &[index]);
        let truncated = g.select(whole[0], whole[1], down);
        let inside = [
            g.compare(Selection::LessEqual, &[zero, truncated]),
            g.compare(Selection::Less, &[truncated, rows]),
        ];
        let inside = g.compare(Selection::And, &inside);
        let there = g.apply(Elementwise::Add, &[truncated, first]);
        g.select(inside, there, below)
    }

    /// Axes of a contraction: `p` paired, then the kept ones `k` of `a`, contracted `o`, rest `r` of `b`.
    fn contraction(&mut self, batch: u8, over: u8) -> Id {
        let (a, b) = (self.operands[0], self.operands[1]);
        let rank = |x: Batched| self.graph.shape(x.id()).rank() - usize::from(matches!(x, Batched::Each(_)));
        let (p, o) = (batch as usize, over as usize);
        let (k, r) = (rank(a) - p - o, rank(b) - p - o);
        match (a, b) {
            (Batched::Each(a), Batched::Each(b)) if k == 0 && r == 0 => self.sum_of_products(a, b, p, o),
            (Batched::Each(a), Batched::Each(b)) => self.graph.contract_batched(a, b, batch + 1, over),
            (Batched::Each(a), _) => {
                // [B, p, k, o] → [p, B, k, o], times [p, o, r], → [B, p, k, r]
                let order = (1..=p).chain([0]).chain(p + 1..1 + p + k + o);
                let a = self.graph.permute(a, pack_order(order));
                let product = self.graph.contract_batched(a, b.id(), batch, over);
                let back = [p].into_iter().chain(0..p).chain(p + 1..1 + p + k + r);
                self.graph.permute(product, pack_order(back))
            }
            _ => {
                // [B, p, o, r] → [p, B, r, o], times [p, k, o] → [p, o, k], → [p, B, r, k] → [B, p, k, r]
                let order = (1..=p).chain([0]).chain(1 + p + o..1 + p + o + r).chain(1 + p..1 + p + o);
                let b = self.graph.permute(b.id(), pack_order(order));
                let turned = (0..p).chain(p + k..p + k + o).chain(p..p + k);
                let a = self.graph.permute(a.id(), pack_order(turned));
                let product = self.graph.contract_batched(b, a, batch, over);
                let back =
                    [p].into_iter().chain(0..p).chain(1 + p + r..1 + p + r + k).chain(1 + p..1 + p + r);
                self.graph.permute(product, pack_order(back))
            }
        }
    }

    /// An inner product for each example: nothing is kept that a matrix product could use.
    fn sum_of_products(&mut self, a: Id, b: Id, p: usize, o: usize) -> Id {
        let product = self.graph.apply(Elementwise::Mul, &[a, b]);
        let axes = (0..o).fold(0u8, |set, i| set | 1 << (1 + p + i));
        self.graph.sum(product, axes)
    }
}
