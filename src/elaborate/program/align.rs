//! Operators on tensors over indices: operands are spread over the indices of all of them.

use super::machine::Machine;
use super::value::{Label, Labels, Tensor};
use crate::elaborate::apply::{Fault, Site};
use crate::elaborate::code::CodeOp;
use crate::error::Span;
use crate::ir::structural::pack_order;
use crate::ir::{Id, Shape};

impl Machine<'_, '_> {
    /// An operator, or a function built in, that works element by element.
    pub(super) fn apply(
        &mut self,
        op: CodeOp,
        span: Span,
        spans: &[Span],
        tensors: &[Tensor],
    ) -> Result<Tensor, Fault> {
        if tensors.iter().all(|t| t.labels.is_empty()) {
            let ids: Vec<Id> = tensors.iter().map(|t| t.node).collect();
            return Ok(Tensor::plain(self.site(op, span, spans, &ids, &[])?));
        }
        self.check_shapes(span, spans, tensors)?;
        let (ids, labels) = self.aligned(tensors, span)?;
        Ok(Tensor { node: self.site(op, span, spans, &ids, &[])?, labels })
    }

    /// The node that the rules of formulas make of some operands.
    pub(super) fn site(
        &mut self,
        op: CodeOp,
        span: Span,
        spans: &[Span],
        ids: &[Id],
        axes: &[crate::elaborate::code::Axis],
    ) -> Result<Id, Fault> {
        let unit = self.unit();
        let mut site = Site {
            graph: self.graph,
            source: unit.ast.source(),
            span,
            spans,
            ids,
            indexed: &[],
            axes,
            nodes: super::machine::ELEMENTS,
            remarks: Vec::new(),
        };
        let id = site.apply(op)?;
        if !unit.is_library {
            let remarks = site.remarks;
            remarks.into_iter().for_each(|remark| self.notes.say(remark));
        }
        Ok(id)
    }

    /// All operands have one shape, indices and numbers aside.
    pub(super) fn check_shapes(
        &mut self,
        span: Span,
        spans: &[Span],
        tensors: &[Tensor],
    ) -> Result<(), Fault> {
        let ids: Vec<Id> = tensors.iter().map(|t| t.node).collect();
        let indexed: Vec<u8> = tensors.iter().map(|t| t.labels.len() as u8).collect();
        let unit = self.unit();
        let site = Site {
            graph: self.graph,
            source: unit.ast.source(),
            span,
            spans,
            ids: &ids,
            indexed: &indexed,
            axes: &[],
            nodes: super::machine::ELEMENTS,
            remarks: Vec::new(),
        };
        site.one_shape()
    }

    /// Nodes of one shape, numbers without indices aside, and the indices they run over.
    pub(super) fn aligned(&mut self, tensors: &[Tensor], span: Span) -> Result<(Vec<Id>, Labels), Fault> {
        // The operand with most indices is likely the largest: the others are put in its order.
        let widest = tensors.iter().rev().max_by_key(|t| t.labels.len());
        let mut labels = widest.map(|t| t.labels.clone()).unwrap_or_default();
        for &label in tensors.iter().flat_map(|t| &t.labels) {
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        let shapes = tensors.iter().map(|t| self.shape(t));
        let shape = shapes.max_by_key(Shape::rank).unwrap_or_default();
        let mut ids = Vec::with_capacity(tensors.len());
        for tensor in tensors {
            ids.push(match self.graph.is_scalar(tensor.node) {
                true => tensor.node,
                false => self.spread(tensor, &labels, &shape, span)?,
            });
        }
        Ok((ids, labels))
    }

    /// The tensor's node with exactly these indices, in this order, and this shape: it has the
    /// shape already, or is a number.
    pub(super) fn spread(
        &mut self,
        of: &Tensor,
        labels: &[Label],
        shape: &Shape,
        span: Span,
    ) -> Result<Id, Fault> {
        let place = |label: &Label| of.labels.iter().position(|l| l == label);
        let own = self.graph.shape(of.node).rank() - of.labels.len();
        let known = labels.iter().filter_map(place);
        let order = known.chain((0..own).map(|axis| of.labels.len() + axis));
        let extents = labels.iter().map(|&label| self.extent(label)).chain(shape.extents().iter().copied());
        let full = Shape::new(extents);
        self.affordable(&full, span)?;
        let order = pack_order(order);
        let mut missing: u8 = 0;
        for (axis, label) in labels.iter().enumerate() {
            missing |= u8::from(place(label).is_none()) << axis;
        }
        if own == 0 {
            for axis in labels.len()..full.rank() {
                missing |= 1 << axis;
            }
        }
        let node = self.graph.permute(of.node, order);
        Ok(self.graph.broadcast(node, missing, &full))
    }

    /// The tensor with some indices made axes of its shape, the first of it.
    pub(super) fn collected(&mut self, of: &Tensor, indices: &[Label], span: Span) -> Result<Tensor, Fault> {
        let outer: Labels = of.labels.iter().copied().filter(|l| !indices.contains(l)).collect();
        let shape = self.shape(of);
        let all: Labels = outer.iter().chain(indices).copied().collect();
        Ok(Tensor { node: self.spread(of, &all, &shape, span)?, labels: outer })
    }
}
