//! Arrays made and remade: vectors, transposes, and the functions of programs only.

use super::call::Arg;
use super::extra::Extra;
use super::machine::Machine;
use super::model::{Noise, Phase};
use super::value::{Tensor, Value};
use crate::elaborate::apply::{Fault, shape_fault};
use crate::elaborate::code::CodeOp;
use crate::elaborate::tensor::described;
use crate::error::{Diagnostic, Span};
use crate::ir::structural::pack_order;
use crate::ir::{DType, Elementwise, Selection, Shape, Type};
use crate::syntax::{ExprId, Reducer};

impl Machine<'_, '_> {
    pub(super) fn vector(&mut self, id: ExprId, elements: &[ExprId]) -> Result<Value, Fault> {
        let ast = &self.unit().ast;
        let span = ast.span(id);
        if elements.is_empty() {
            let diagnostic = Diagnostic::error("a vector without elements").at(span, "");
            return Err(shape_fault(diagnostic.hint("write its elements: `[1, 2]`, or `zeros(n)`")));
        }
        let spans: Vec<Span> = elements.iter().map(|&e| ast.span(e)).collect();
        let mut tensors = Vec::with_capacity(elements.len());
        for (&element, &span) in elements.iter().zip(&spans) {
            let value = self.value(element);
            tensors.push(self.tensor(&value, span)?);
        }
        if tensors.iter().all(|t| t.labels.is_empty()) {
            return Ok(self.apply(CodeOp::Vector, span, &spans, &tensors)?.into());
        }
        self.check_shapes(span, &spans, &tensors)?;
        Ok(self.stacked(&tensors, span)?.into())
    }

    pub(super) fn transpose(&mut self, id: ExprId, of: ExprId) -> Result<Value, Fault> {
        let ast = &self.unit().ast;
        let (span, place) = (ast.span(id), ast.span(of));
        let value = self.value(of);
        let tensor = self.tensor(&value, place)?;
        let rank = self.shape(&tensor).rank();
        if tensor.labels.is_empty() || rank != 2 {
            return Ok(self.apply(CodeOp::Transpose, span, &[place], &[tensor])?.into());
        }
        let n = tensor.labels.len();
        let order = pack_order((0..n).chain([n + 1, n]));
        Ok(Tensor { node: self.graph.permute(tensor.node, order), labels: tensor.labels }.into())
    }

    /// A function of programs, its arguments counted.
    pub(super) fn extra(&mut self, extra: Extra, args: Vec<Arg>, span: Span) -> Result<Value, Fault> {
        let mut tensors = Vec::with_capacity(args.len());
        for arg in &args {
            tensors.push(self.tensor(&arg.value, arg.span)?);
        }
        let spans: Vec<Span> = args.iter().map(|arg| arg.span).collect();
        let first = tensors.first().cloned();
        Ok(match (extra, first) {
            (Extra::Zeros | Extra::Ones, _) => {
                let shape = self.extents(&tensors, &spans)?;
                self.filled(i64::from(extra == Extra::Ones), &shape, span)?
            }
            (Extra::Size, Some(x)) => self.size(&x, tensors.get(1), &spans)?,
            (Extra::Rows, Some(x)) => {
                let zero = Tensor::plain(self.graph.integer(0));
                self.size(&x, Some(&zero), &[spans[0], spans[0]])?
            }
            (Extra::ArgMax, Some(x)) => self.argmax(&x, spans[0])?,
            (Extra::ArgMin, Some(x)) => {
                let negated = self.negated(&x, spans[0])?;
                self.argmax(&negated, spans[0])?
            }
            (Extra::Prod, Some(x)) if tensors.len() == 1 => self.reduce_all(Reducer::Prod, &x, span)?,
            (Extra::Prod, Some(x)) => {
                let op = super::compute::elementwise(Elementwise::Mul);
                let mut product = x;
                for (next, &place) in tensors[1..].iter().zip(&spans[1..]) {
                    product = self.apply(op, span, &[spans[0], place], &[product, next.clone()])?;
                }
                product
            }
            (Extra::Reshape, Some(x)) => self.reshaped(&x, &tensors[1..], &spans)?,
            (Extra::Concat, Some(_)) => self.concatenated(&tensors, &spans, span)?,
            (Extra::Last, Some(x)) => match self.shape(&x).extents().first() {
                Some(&count) => self.row_of(&x, count - 1),
                None => {
                    let diagnostic = Diagnostic::error("a number has no last element");
                    return Err(shape_fault(diagnostic.at(spans[0], "a number")));
                }
            },
            (Extra::Keep, Some(x)) => self.dropout_mask(&x, &tensors[1], &spans)?,
            (Extra::Scan | Extra::ByRank, _) | (_, None) => unreachable!("calls have been checked"),
        }
        .into())
    }

    /// Extents given as numbers.
    fn extents(&self, tensors: &[Tensor], spans: &[Span]) -> Result<Shape, Fault> {
        let mut extents = Vec::with_capacity(tensors.len());
        for (tensor, &span) in tensors.iter().zip(spans) {
            extents.push(self.whole_number(tensor, 1, span)? as u32);
        }
        if extents.len() > crate::ir::structural::MAX_RANK {
            return Err(super::machine::limit("an array with more than 8 axes".to_owned(), spans[0]));
        }
        Ok(Shape::new(extents))
    }

    /// A constant whole number from `least` on.
    pub(super) fn whole_number(&self, tensor: &Tensor, least: i64, span: Span) -> Result<i64, Fault> {
        let constant = self.graph.constant(tensor.node);
        let constant = constant.filter(|_| tensor.labels.is_empty());
        let whole = constant.and_then(|n| n.to_i64());
        match whole.filter(|n| (least..1 << 31).contains(n)) {
            Some(n) => Ok(n),
            None => {
                let label = match (whole, constant) {
                    (Some(n), _) => format!("this is {n}"),
                    (None, Some(n)) => format!("this is {}", n.to_f64()),
                    (None, None) => "not known before the program runs".to_owned(),
                };
                let diagnostic =
                    Diagnostic::error(format!("a whole number from {least} to 2³¹ − 1 was expected"));
                Err(shape_fault(diagnostic.at(span, label).hint("sizes are numbers, `dim`s, or `size(x)`")))
            }
        }
    }

    fn size(&mut self, x: &Tensor, axis: Option<&Tensor>, spans: &[Span]) -> Result<Tensor, Fault> {
        let shape = self.shape(x);
        let Some(axis) = axis else {
            return Ok(Tensor::plain(self.graph.integer(shape.size() as i64)));
        };
        let axis = self.whole_number(axis, 0, spans[1])?;
        match shape.extents().get(axis as usize) {
            Some(&extent) => Ok(Tensor::plain(self.graph.integer(i64::from(extent)))),
            None => {
                let diagnostic = Diagnostic::error(format!("there is no axis {axis}"));
                Err(shape_fault(diagnostic.at(spans[0], described(&shape)).hint("axes are counted from 0")))
            }
        }
    }

    fn reshaped(&mut self, x: &Tensor, extents: &[Tensor], spans: &[Span]) -> Result<Tensor, Fault> {
        let (from, to) = (self.shape(x), self.extents(extents, &spans[1..])?);
        if from.size() != to.size() {
            let message =
                format!("{} elements cannot have shape {to}, which holds {}", from.size(), to.size());
            return Err(shape_fault(Diagnostic::error(message).at(spans[0], described(&from))));
        }
        let leading = x.labels.iter().map(|&label| self.extent(label));
        let full = Shape::new(leading.chain(to.extents().iter().copied()));
        self.affordable(&full, spans[0])?;
        Ok(Tensor { node: self.graph.reshape(x.node, &full), labels: x.labels.clone() })
    }

    /// Arrays one after another along the first axis.
    fn concatenated(&mut self, of: &[Tensor], spans: &[Span], span: Span) -> Result<Tensor, Fault> {
        let mut total = 0u32;
        let rest = self.shape(&of[0]).extents().iter().skip(1).copied().collect::<Vec<u32>>();
        for (tensor, &place) in of.iter().zip(spans) {
            let shape = self.shape(tensor);
            if shape.is_scalar() || shape.extents()[1..] != rest {
                let first = self.shape(&of[0]);
                let diagnostic =
                    Diagnostic::error(format!("the shapes {first} and {shape} cannot be joined"));
                let diagnostic = diagnostic.at(place, described(&shape)).and_at(spans[0], described(&first));
                return Err(shape_fault(
                    diagnostic.hint("all axes but the first must agree; a number is `[a]`"),
                ));
            }
            total = total.saturating_add(shape.extents()[0]);
        }
        let (_, labels) = self.aligned(of, span)?;
        let full = labels.iter().map(|&label| self.extent(label)).chain([total]).chain(rest);
        self.affordable(&Shape::new(full), span)?;
        let (mut sum, mut start) = (None, 0);
        for tensor in of {
            let shape = self.shape(tensor);
            let node = self.spread(tensor, &labels, &shape, span)?;
            let padded = self.graph.pad(node, labels.len() as u8, start, total);
            start += shape.extents()[0];
            sum = Some(match sum {
                None => padded,
                Some(sum) => self.graph.apply(Elementwise::Add, &[sum, padded]),
            });
        }
        Ok(Tensor { node: sum.expect("there is one at least"), labels })
    }

    fn dropout_mask(&mut self, x: &Tensor, rate: &Tensor, spans: &[Span]) -> Result<Tensor, Fault> {
        let value = self.constant(rate.node).unwrap_or(f64::NAN);
        if !(0.0..1.0).contains(&value) {
            let diagnostic = Diagnostic::error("the rate of dropout lies between 0 and 1");
            return Err(shape_fault(
                diagnostic.at(spans[1], format!("this is {value}")).hint("as in `dropout(h, 0.2)`"),
            ));
        }
        let one = self.graph.integer(1);
        if self.phase() == Phase::Predict || value == 0.0 {
            return Ok(Tensor::plain(one));
        }
        let shape = self.graph.shape(x.node).clone();
        let ty = self.graph.type_id(Type::new(DType::F64, shape));
        let name = format!("noise{}", self.made.noises.len() + 1);
        let noise = self.graph.input_of(&name, ty);
        self.made.noises.push(Noise { node: noise });
        let kept = self.graph.apply(Elementwise::Sub, &[one, rate.node]);
        let scale = self.graph.apply(Elementwise::Div, &[one, kept]);
        let zero = self.graph.integer(0);
        let dropped = self.graph.compare(Selection::Less, &[noise, rate.node]);
        Ok(Tensor { node: self.graph.select(dropped, zero, scale), labels: x.labels.clone() })
    }
}
