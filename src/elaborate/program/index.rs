//! Subscripts: constants cut, indices name an axis, sums of indices slide, all else gathers.

use super::machine::Machine;
use super::value::{Affine, Label, Labels, Tensor, Value};
use crate::elaborate::apply::{Fault, Site, shape_fault};
use crate::elaborate::code::{Axis, CodeOp};
use crate::elaborate::tensor::Bounds;
use crate::error::{Diagnostic, Span};
use crate::ir::structural::{pack_order, without};
use crate::ir::{DType, Elementwise, Id, Selection, Shape};
use crate::syntax::{ExprId, Subscript};

/// What an axis of an array under way runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tag {
    Index(Label),
    /// An axis of the shape.
    Own,
}

/// An array whose subscripts are being worked off, from left to right.
struct Cut {
    node: Id,
    tags: Vec<Tag>,
    /// The axis the next subscript stands for.
    axis: usize,
}

impl Machine<'_, '_> {
    pub(super) fn index(
        &mut self,
        id: ExprId,
        base: ExprId,
        subscripts: &[Subscript],
    ) -> Result<Value, Fault> {
        let ast = &self.unit().ast;
        let (span, place) = (ast.span(id), ast.span(base));
        let value = self.value(base);
        let tensor = self.tensor(&value, place)?;
        let mut axes = Vec::new();
        let (mut values, mut spans) = (Vec::new(), vec![place]);
        for subscript in subscripts {
            let bounds = match *subscript {
                Subscript::At(at) => {
                    axes.push(Axis::At);
                    [Some(at), None]
                }
                Subscript::Range { from, to } => {
                    axes.push(Axis::Range { from: from.is_some(), to: to.is_some() });
                    [from, to]
                }
            };
            for bound in bounds.into_iter().flatten() {
                values.push(self.value(bound));
                spans.push(ast.span(bound));
            }
        }
        let constant = |v: &Value| matches!(v, Value::Tensor(t) if self.graph.constant(t.node).is_some());
        if tensor.labels.is_empty() && values.iter().all(constant) {
            let ids = self.nodes_of(&tensor, &values);
            let op = CodeOp::Index { start: 0, len: 0 };
            return Ok(Tensor::plain(self.site(op, span, &spans, &ids, &axes)?).into());
        }
        Ok(self.cut(span, &spans, tensor, &axes, &values)?.into())
    }

    fn nodes_of(&self, base: &Tensor, values: &[Value]) -> Vec<Id> {
        let node = |value: &Value| match value {
            Value::Tensor(tensor) => Some(tensor.node),
            _ => None,
        };
        std::iter::once(base.node).chain(values.iter().filter_map(node)).collect()
    }

    fn cut(
        &mut self,
        span: Span,
        spans: &[Span],
        base: Tensor,
        axes: &[Axis],
        values: &[Value],
    ) -> Result<Tensor, Fault> {
        let shape = self.shape(&base);
        if axes.len() > shape.rank() {
            let text = super::words::quoted(spans[0].text(self.unit().ast.source()));
            let message =
                format!("`{text}` has {} axes, and here are {} subscripts", shape.rank(), axes.len());
            let described = crate::elaborate::tensor::described(&shape);
            return Err(shape_fault(Diagnostic::error(message).at(span, "").and_at(spans[0], described)));
        }
        let mut tags: Vec<Tag> = base.labels.iter().map(|&label| Tag::Index(label)).collect();
        tags.resize(self.graph.shape(base.node).rank(), Tag::Own);
        let mut cut = Cut { node: base.node, tags, axis: base.labels.len() };
        let mut next = 0;
        for (&axis, &extent) in axes.iter().zip(shape.extents()) {
            let count = match axis {
                Axis::At => 1,
                Axis::Range { from, to } => usize::from(from) + usize::from(to),
            };
            let of_axis = &values[next..next + count];
            let place = &spans[1 + next..1 + next + count];
            next += count;
            match of_axis {
                [Value::Index(affine)] if axis == Axis::At => self.slide(&mut cut, affine, span)?,
                [value] if axis == Axis::At && self.as_affine(value).is_none() => {
                    let index = self.tensor(value, place[0])?;
                    self.gather(&mut cut, &index, extent, place[0])?;
                }
                _ => self.keep(&mut cut, axis, of_axis, extent, (spans[0], place))?,
            }
        }
        self.settled(cut, span)
    }

    /// Constant bounds, with the words of formulas where they do not fit.
    fn keep(
        &mut self,
        cut: &mut Cut,
        axis: Axis,
        values: &[Value],
        extent: u32,
        (base, place): (Span, &[Span]),
    ) -> Result<(), Fault> {
        let mut ids = vec![cut.node];
        for (value, &span) in values.iter().zip(place) {
            ids.push(self.tensor(value, span)?.node);
        }
        let spans: Vec<Span> = std::iter::once(base).chain(place.iter().copied()).collect();
        let source = self.unit().ast.source();
        let indexed = cut.tags.iter().take_while(|tag| **tag != Tag::Own).count() as u8;
        let site = Site {
            graph: self.graph,
            source,
            span: base,
            spans: &spans,
            ids: &ids,
            indexed: &[indexed],
            axes: &[],
            nodes: super::machine::ELEMENTS,
            remarks: Vec::new(),
        };
        match site.bounds(axis, extent, &mut 1)? {
            Bounds::At(at) => {
                let row = self.graph.slice(cut.node, cut.axis as u8, at, 1);
                self.drop_axis(cut, row);
            }
            Bounds::Range(range) => {
                let length = range.end - range.start;
                cut.node = self.graph.slice(cut.node, cut.axis as u8, range.start, length);
                cut.axis += 1;
            }
        }
        Ok(())
    }

    /// An axis of extent 1 goes away.
    fn drop_axis(&mut self, cut: &mut Cut, node: Id) {
        let shape = without(self.graph.shape(node), 1 << cut.axis);
        cut.node = self.graph.reshape(node, &shape);
        cut.tags.remove(cut.axis);
    }

    /// A sum of indices: the axis becomes one axis an index.
    fn slide(&mut self, cut: &mut Cut, affine: &Affine, span: Span) -> Result<(), Fault> {
        let extent = self.graph.shape(cut.node).extents()[cut.axis];
        let first = |machine: &Self, label: Label| machine.labels[label.0 as usize].range.map(|r| r.0);
        let mut base = affine.constant;
        for &(label, k) in &affine.terms {
            let first = first(self, label).ok_or_else(|| self.no_range(label))?;
            base += k * first;
        }
        let axis = cut.axis as u8;
        let fits = |end: i64| base >= 0 && end <= i64::from(extent);
        match *affine.terms.as_slice() {
            [(label, k)] if k > 0 => {
                let length = k * (i64::from(self.extent(label)) - 1) + 1;
                if !fits(base + length) {
                    return self.gather_index(cut, affine, span);
                }
                let slice = self.graph.slice(cut.node, axis, base as u32, length as u32);
                cut.node = self.every(slice, axis, k as u32);
                cut.tags[cut.axis] = Tag::Index(label);
            }
            [(a, j), (b, k)] if j.min(k) == 1 && j.max(k) >= 1 => {
                // Positions step by the larger coefficient, entries of a window by one.
                let (position, entry) = if j == 1 && k > 1 { (b, a) } else { (a, b) };
                let (stride, length) = (j.max(k), i64::from(self.extent(entry)));
                let whole = stride * (i64::from(self.extent(position)) - 1) + length;
                if !fits(base + whole) || self.graph.shape(cut.node).rank() >= 8 {
                    return self.gather_index(cut, affine, span);
                }
                let slice = self.graph.slice(cut.node, axis, base as u32, whole as u32);
                cut.node = self.graph.window(slice, axis, length as u32, stride as u32);
                cut.tags[cut.axis] = Tag::Index(position);
                cut.tags.insert(cut.axis + 1, Tag::Index(entry));
                cut.axis += 1;
            }
            _ => return self.gather_index(cut, affine, span),
        }
        cut.axis += 1;
        Ok(())
    }

    /// Every `k`-th entry along an axis, from the first to the last.
    fn every(&mut self, x: Id, axis: u8, k: u32) -> Id {
        if k == 1 {
            return x;
        }
        let windows = self.graph.window(x, axis, 1, k);
        let shape = without(self.graph.shape(windows), 1 << (axis + 1));
        self.graph.reshape(windows, &shape)
    }

    fn gather_index(&mut self, cut: &mut Cut, affine: &Affine, span: Span) -> Result<(), Fault> {
        let extent = self.graph.shape(cut.node).extents()[cut.axis];
        let index = self.tensor(&Value::Index(affine.clone()), span)?;
        self.gather(cut, &index, extent, span)
    }

    /// A computed subscript. Indices that both have are paired, by counting rows through.
    fn gather(&mut self, cut: &mut Cut, index: &Tensor, extent: u32, span: Span) -> Result<(), Fault> {
        if self.graph.ty(index.node).dtype == DType::Bool {
            let source = self.unit().ast.source();
            return Err(shape_fault(crate::elaborate::apply::not_a_number(source, span)));
        }
        let is_common = |tag: &Tag| matches!(tag, Tag::Index(label) if index.labels.contains(label));
        let common: Vec<usize> = (0..cut.tags.len()).filter(|&i| is_common(&cut.tags[i])).collect();
        let rest: Vec<usize> =
            (0..cut.tags.len()).filter(|i| !common.contains(i) && *i != cut.axis).collect();
        let order = common.iter().chain([&cut.axis]).chain(&rest).copied();
        let moved = self.graph.permute(cut.node, pack_order(order));
        let extents = self.graph.shape(moved).extents().to_vec();
        let rows: u32 = extents[..=common.len()].iter().product();
        let flat = Shape::new(std::iter::once(rows).chain(extents[common.len() + 1..].iter().copied()));
        let table = self.graph.reshape(moved, &flat);
        let labels: Labels = common.iter().filter_map(|&i| label_of(cut.tags[i])).collect();
        let index = if labels.is_empty() { index.clone() } else { self.row(index, &labels, extent, span)? };

        let own = self.shape(&index).rank();
        let before = |i: usize| i < cut.axis;
        let node = self.graph.gather(table, index.node);
        self.affordable(&self.graph.shape(node).clone(), span)?;
        // The result has the index's axes, then the rest: own axes of the index go where the
        // subscripted axis was.
        let count = index.labels.len() + own;
        let mut order: Vec<(usize, Tag)> =
            index.labels.iter().enumerate().map(|(i, &label)| (i, Tag::Index(label))).collect();
        let place = |i: usize| count + rest.iter().position(|&r| r == i).unwrap_or(0);
        order.extend(rest.iter().filter(|&&i| before(i)).map(|&i| (place(i), cut.tags[i])));
        order.extend((0..own).map(|i| (index.labels.len() + i, Tag::Own)));
        let axis = order.len();
        order.extend(rest.iter().filter(|&&i| !before(i)).map(|&i| (place(i), cut.tags[i])));
        cut.node = self.graph.permute(node, pack_order(order.iter().map(|o| o.0)));
        cut.tags = order.into_iter().map(|o| o.1).collect();
        cut.axis = axis;
        Ok(())
    }

    /// The row of a table whose rows are counted through all values of some indices.
    fn row(&mut self, index: &Tensor, labels: &Labels, extent: u32, span: Span) -> Result<Tensor, Fault> {
        let add = super::compute::elementwise(Elementwise::Add);
        let mul = super::compute::elementwise(Elementwise::Mul);
        let mut offset = Tensor::plain(self.graph.integer(0));
        for &label in labels {
            let count = self.extent(label);
            let counted = Tensor { node: self.graph.iota(count), labels: Labels::from_slice(&[label]) };
            let factor = Tensor::plain(self.graph.integer(i64::from(count)));
            let before = self.apply(mul, span, &[span; 2], &[offset, factor])?;
            offset = self.apply(add, span, &[span; 2], &[before, counted])?;
        }
        let factor = Tensor::plain(self.graph.integer(i64::from(extent)));
        let before = self.apply(mul, span, &[span; 2], &[offset, factor])?;
        let row = self.apply(add, span, &[span; 2], &[before, index.clone()])?;
        // Outside of its own axis a subscript must not reach a neighbour's row.
        let (ids, labels) = self.aligned(&[row, index.clone()], span)?;
        let (low, high) = (self.graph.integer(0), self.graph.integer(i64::from(extent)));
        let below = self.graph.compare(Selection::Less, &[ids[1], low]);
        let inside = self.graph.compare(Selection::Less, &[ids[1], high]);
        let outside = self.graph.integer(-1);
        let node = self.graph.select(inside, ids[0], outside);
        let node = self.graph.select(below, outside, node);
        Ok(Tensor { node, labels })
    }

    /// Indices first; an index met twice leaves the diagonal.
    fn settled(&mut self, mut cut: Cut, span: Span) -> Result<Tensor, Fault> {
        while let Some((i, j)) = repeated(&cut.tags) {
            self.diagonal(&mut cut, i, j);
        }
        let labelled = (0..cut.tags.len()).filter(|&i| cut.tags[i] != Tag::Own);
        let own = (0..cut.tags.len()).filter(|&i| cut.tags[i] == Tag::Own);
        let order = pack_order(labelled.chain(own));
        let labels = cut.tags.iter().filter_map(|&tag| label_of(tag)).collect();
        let shape = self.graph.shape(cut.node).clone();
        self.affordable(&shape, span)?;
        Ok(Tensor { node: self.graph.permute(cut.node, order), labels })
    }

    /// The elements whose subscripts along two axes of one extent are equal: row-major, they are
    /// one more than the extent apart.
    fn diagonal(&mut self, cut: &mut Cut, i: usize, j: usize) {
        let rest = (0..cut.tags.len()).filter(|&axis| axis != i && axis != j);
        let order: Vec<usize> = [i, j].into_iter().chain(rest).collect();
        let moved = self.graph.permute(cut.node, pack_order(order.iter().copied()));
        let extents = self.graph.shape(moved).extents().to_vec();
        let (n, rest) = (extents[0], &extents[2..]);
        let with = |first: &[u32]| Shape::new(first.iter().chain(rest).copied());
        let flat = self.graph.reshape(moved, &with(&[n * n]));
        let longer = self.graph.pad(flat, 0, 0, n * (n + 1));
        let skewed = self.graph.reshape(longer, &with(&[n, n + 1]));
        let column = self.graph.slice(skewed, 1, 0, 1);
        cut.node = self.graph.reshape(column, &with(&[n]));
        cut.tags = order.iter().skip(1).map(|&axis| cut.tags[axis]).collect();
    }
}

fn label_of(tag: Tag) -> Option<Label> {
    match tag {
        Tag::Index(label) => Some(label),
        Tag::Own => None,
    }
}

fn repeated(tags: &[Tag]) -> Option<(usize, usize)> {
    (0..tags.len()).find_map(|j| (0..j).find(|&i| tags[i] != Tag::Own && tags[i] == tags[j]).map(|i| (i, j)))
}
