//! `sum[i] …` and its kin, `C[i] = …`, and reductions over whole arrays.

use super::compute::elementwise;
use super::machine::Machine;
use super::product::split_axes;
use super::value::{Factor, Label, LabelInfo, Labels, Tensor, Value};
use crate::elaborate::apply::{Fault, as_number, not_a_number, shape_fault};
use crate::error::Span;
use crate::ir::structural::without;
use crate::ir::{DType, Elementwise, Id, Reduction, Shape};
use crate::syntax::{ExprId, Reducer};

impl Machine<'_, '_> {
    pub(super) fn label(&mut self, name: String, span: Span, range: Option<(i64, u32)>) -> Label {
        self.labels.push(LabelInfo { name, span, range });
        Label(self.labels.len() as u32 - 1)
    }

    /// A reducer over its indices.
    pub(super) fn reduced(&mut self, id: ExprId, reducer: Reducer, body: ExprId) -> Result<Value, Fault> {
        let indices = self.run().scopes[&id].clone();
        let ast = &self.unit().ast;
        let (span, place) = (ast.span(id), ast.span(body));
        let value = self.value(body);
        match (reducer, &value) {
            (Reducer::Sum, Value::Product(factors)) => return self.sum_of_product(factors, &indices, place),
            (Reducer::Mean, Value::Product(factors)) => {
                let sum = self.sum_of_product(factors, &indices, place)?;
                return self.mean_of(sum, &indices, span);
            }
            _ => {}
        }
        let mut tensor = self.tensor(&value, place)?;
        if matches!(reducer, Reducer::Sum | Reducer::Mean) {
            tensor.node = as_number(self.graph, tensor.node);
        }
        if reducer == Reducer::Collect {
            return Ok(self.collected(&tensor, &indices, span)?.into());
        }
        if self.graph.ty(tensor.node).dtype == DType::Bool {
            return Err(shape_fault(not_a_number(ast.source(), place)));
        }
        self.reduce(reducer, &tensor, &indices, span)
    }

    fn reduce(&mut self, reducer: Reducer, of: &Tensor, over: &[Label], span: Span) -> Result<Value, Fault> {
        match reducer {
            Reducer::Sum if self.shape(of).is_scalar() => {
                let factor = Factor { tensor: of.clone(), inverse: false };
                self.sum_of_product(&[factor], over, span)
            }
            Reducer::Sum | Reducer::Mean => {
                let all = self.over_all(of, over, span)?;
                let sum = Value::Tensor(self.summed(&all, over));
                if reducer == Reducer::Sum { Ok(sum) } else { self.mean_of(sum, over, span) }
            }
            Reducer::Max | Reducer::Min | Reducer::LogSumExp => {
                let of = self.over_all(of, over, span)?;
                let (axes, labels) = split_axes(&of, over);
                let op = match reducer {
                    Reducer::Max => Reduction::Max,
                    Reducer::Min => Reduction::Min,
                    _ => Reduction::LogSumExp,
                };
                Ok(Tensor { node: self.graph.reduce(op, of.node, axes), labels }.into())
            }
            Reducer::Prod => {
                let of = self.over_all(of, over, span)?;
                let (axes, labels) = split_axes(&of, over);
                Ok(Tensor { node: self.product_over(of.node, axes), labels }.into())
            }
            Reducer::Collect => Ok(self.collected(of, over, span)?.into()),
        }
    }

    fn mean_of(&mut self, sum: Value, over: &[Label], span: Span) -> Result<Value, Fault> {
        let count: i64 = over.iter().map(|&label| i64::from(self.extent(label))).product();
        let count = Tensor::plain(self.graph.integer(count));
        self.multiply(span, [span; 2], sum, count.into(), true)
    }

    /// The tensor, running over all of these indices.
    fn over_all(&mut self, of: &Tensor, over: &[Label], span: Span) -> Result<Tensor, Fault> {
        if over.iter().all(|label| of.labels.contains(label)) {
            return Ok(of.clone());
        }
        let missing = over.iter().filter(|label| !of.labels.contains(label));
        let labels: Labels = of.labels.iter().chain(missing).copied().collect();
        let shape = self.shape(of);
        Ok(Tensor { node: self.spread(of, &labels, &shape, span)?, labels })
    }

    /// The product of all elements along some axes: halves are multiplied until one is left.
    fn product_over(&mut self, x: Id, axes: u8) -> Id {
        let mut x = x;
        for axis in (0..8u8).rev().filter(|axis| axes >> axis & 1 == 1) {
            loop {
                let extent = self.graph.shape(x).extents()[axis as usize];
                if extent <= 1 {
                    break;
                }
                let half = extent / 2;
                let (a, b) = (self.graph.slice(x, axis, 0, half), self.graph.slice(x, axis, half, half));
                let product = self.graph.apply(Elementwise::Mul, &[a, b]);
                x = match extent % 2 {
                    0 => product,
                    _ => self.with_last(product, x, axis, extent, half),
                };
            }
            let shape = without(self.graph.shape(x), 1 << axis);
            x = self.graph.reshape(x, &shape);
        }
        x
    }

    /// The product of halves, its first entry multiplied by the entry that was left over.
    fn with_last(&mut self, product: Id, x: Id, axis: u8, extent: u32, half: u32) -> Id {
        let last = self.graph.slice(x, axis, extent - 1, 1);
        if half == 1 {
            return self.graph.apply(Elementwise::Mul, &[product, last]);
        }
        let head = self.graph.slice(product, axis, 0, 1);
        let tail = self.graph.slice(product, axis, 1, half - 1);
        let head = self.graph.apply(Elementwise::Mul, &[head, last]);
        let (head, tail) = (self.graph.pad(head, axis, 0, half), self.graph.pad(tail, axis, 1, half));
        self.graph.apply(Elementwise::Add, &[head, tail])
    }

    /// A reduction over a whole array, for each value of its indices.
    pub(super) fn reduce_all(&mut self, reducer: Reducer, of: &Tensor, span: Span) -> Result<Tensor, Fault> {
        let shape = self.shape(of);
        let own: Labels = shape.extents().iter().map(|&extent| self.fresh(extent, span)).collect();
        let labels = of.labels.iter().chain(&own).copied().collect();
        let value = self.reduce(reducer, &Tensor { node: of.node, labels }, &own, span)?;
        self.tensor(&value, span)
    }

    /// The place of the first greatest element of a vector.
    pub(super) fn argmax(&mut self, of: &Tensor, span: Span) -> Result<Tensor, Fault> {
        let shape = self.shape(of);
        if shape.rank() != 1 {
            let described = crate::elaborate::tensor::described(&shape);
            let diagnostic =
                crate::error::Diagnostic::error("only a vector has a place of its greatest element");
            return Err(shape_fault(diagnostic.at(span, described)));
        }
        let axes = 1u8 << of.labels.len();
        Ok(Tensor { node: self.graph.reduce(Reduction::ArgMax, of.node, axes), labels: of.labels.clone() })
    }

    /// A number repeated.
    pub(super) fn filled(&mut self, value: i64, shape: &Shape, span: Span) -> Result<Tensor, Fault> {
        self.affordable(shape, span)?;
        let value = self.graph.integer(value);
        let all = ((1u16 << shape.rank()) - 1) as u8;
        Ok(Tensor::plain(self.graph.broadcast(value, all, shape)))
    }

    /// The negative.
    pub(super) fn negated(&mut self, of: &Tensor, span: Span) -> Result<Tensor, Fault> {
        self.apply(elementwise(Elementwise::Neg), span, &[span], std::slice::from_ref(of))
    }
}
