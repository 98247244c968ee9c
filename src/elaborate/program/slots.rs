//! What declarations make: sizes, inputs and parameters.

use super::machine::{ELEMENTS, Machine};
use super::model::{Init, Input, Param};
use super::resolve::{bounds_bodies, start_bodies};
use super::unit::SlotKind;
use super::value::{Tensor, Value};
use crate::elaborate::apply::{Fault, shape_fault};
use crate::elaborate::suggest::suggest;
use crate::error::{Diagnostic, ErrorKind, Span};
use crate::ir::{DType, Id, Shape, Type};
use crate::syntax::program::{Body, Bounds, Name, Start};

/// Distributions: name, fewest and most arguments.
#[rustfmt::skip]
const DISTRIBUTIONS: &[(&str, usize, usize)] = &[
    ("normal",     2, 2),
    ("uniform",    2, 2),
    ("glorot",     0, 0),
    ("he",         0, 0),
    ("orthogonal", 0, 0),
];

/// The least and greatest value of a parameter, where given.
type Ends = (Option<f64>, Option<f64>);

/// The expressions a slot is made of, in the order `fill` takes their values.
pub(super) fn bodies(kind: &SlotKind) -> Vec<Body> {
    match kind {
        SlotKind::Parameter(Some(body)) | SlotKind::Dim(body) | SlotKind::Value(body) => vec![*body],
        SlotKind::State(body) => vec![*body],
        SlotKind::Input(extents) => extents.clone(),
        SlotKind::Param { extents, start, bounds } => {
            let parts = [extents.clone(), start_bodies(start), bounds_bodies(*bounds)];
            parts.concat()
        }
        SlotKind::Parameter(None) | SlotKind::Function(_) | SlotKind::Given => Vec::new(),
    }
}

impl Machine<'_, '_> {
    /// The value of a slot, from the values of its expressions.
    pub(super) fn fill(&mut self, env: usize, slot: usize, results: &[Value]) -> Result<Value, Fault> {
        let unit = self.unit_of(self.envs[env].library);
        let definition = &unit.blocks[self.envs[env].function].slots[slot];
        let ast = &unit.ast;
        match &definition.kind {
            SlotKind::Dim(body) => {
                let span = ast.span(body.root);
                let tensor = self.tensor(&results[0], span)?;
                self.whole_number(&tensor, 1, span)?;
                Ok(Value::Tensor(tensor))
            }
            SlotKind::Input(extents) => {
                let shape = self.declared_shape(extents, results, definition.span)?;
                let node = self.declare(&definition.name, shape);
                self.made.inputs.push(Input { name: definition.name.clone(), node, span: definition.span });
                Ok(Tensor::plain(node).into())
            }
            SlotKind::Param { extents, start, bounds } => {
                let name = format!("{}{}", self.envs[env].path, definition.name);
                let (shapes, rest) = results.split_at(extents.len());
                let shape = self.declared_shape(extents, shapes, definition.span)?;
                let count = start_bodies(start).len();
                let init = self.init(start, &rest[..count], &shape, definition.span)?;
                let bounds = self.bounds_of(*bounds, &rest[count..])?;
                let node = self.declare(&name, shape);
                // A parameter of a layer is shown where the program calls the layer.
                let span = if unit.is_library { self.call_of_library() } else { definition.span };
                let order = self.envs[env].order.iter().copied().chain([definition.span.end]).collect();
                self.made.params.push((order, Param { name, node, init, bounds, span }));
                Ok(Tensor::plain(node).into())
            }
            _ => Ok(results[0].clone()),
        }
    }

    fn call_of_library(&self) -> Span {
        let below = self.frames.iter().rev().find_map(|frame| match frame {
            super::frames::Frame::Run(run) if !self.envs[run.env].library => run.place(),
            _ => None,
        });
        below.map(|id| self.user.ast.span(id)).unwrap_or_default()
    }

    fn declare(&mut self, name: &str, shape: Shape) -> Id {
        let ty = self.graph.type_id(Type::new(DType::F64, shape));
        self.graph.input_of(name, ty)
    }

    fn declared_shape(&mut self, extents: &[Body], values: &[Value], name: Span) -> Result<Shape, Fault> {
        let mut shape = Vec::with_capacity(extents.len());
        for (extent, value) in extents.iter().zip(values) {
            let span = self.here_or(extent, name);
            let tensor = self.tensor(value, span)?;
            shape.push(self.whole_number(&tensor, 1, span)? as u32);
        }
        if shape.len() > crate::ir::structural::MAX_RANK {
            return Err(super::machine::limit("an array with more than 8 axes".to_owned(), name));
        }
        let shape = Shape::new(shape);
        if shape.size() > ELEMENTS {
            let message = format!("shape {shape} has more than the limit of {ELEMENTS} elements");
            return Err(super::machine::limit(message, name));
        }
        Ok(shape)
    }

    /// The place of a body of the run at hand.
    fn here_or(&self, body: &Body, otherwise: Span) -> Span {
        let ast = &self.unit().ast;
        if body.root.index() < ast.exprs().len() { ast.span(body.root) } else { otherwise }
    }

    fn init(&mut self, start: &Start, values: &[Value], shape: &Shape, name: Span) -> Result<Init, Fault> {
        match start {
            Start::Value(body) => {
                let span = self.here_or(body, name);
                let tensor = self.tensor(&values[0], span)?;
                self.first_value(&tensor, shape, span)
            }
            Start::Distribution { name, args } => {
                let mut numbers = Vec::with_capacity(args.len());
                for (arg, value) in args.iter().zip(values) {
                    let span = self.here_or(arg, name.span);
                    let tensor = self.tensor(value, span)?;
                    numbers.push(self.constant(tensor.node).ok_or_else(|| not_constant(span))?);
                }
                self.distribution(*name, &numbers)
            }
        }
    }

    fn first_value(&self, tensor: &Tensor, shape: &Shape, span: Span) -> Result<Init, Fault> {
        let given = self.shape(tensor);
        let values = super::constants::values(self.graph, tensor.node).ok_or_else(|| not_constant(span))?;
        if given.is_scalar() {
            return Ok(Init::Constant(values[0]));
        }
        if given != *shape {
            let message = format!("the parameter has shape {shape}, and its first value shape {given}");
            let diagnostic = Diagnostic::error(message).at(span, format!("shape {given}"));
            return Err(shape_fault(diagnostic.hint("one number stands for all elements")));
        }
        Ok(Init::List(values))
    }

    fn distribution(&self, name: Name, numbers: &[f64]) -> Result<Init, Fault> {
        let text = self.unit().ast.name(name.symbol);
        let Some(&(_, least, most)) = DISTRIBUTIONS.iter().find(|row| row.0 == text) else {
            let names = DISTRIBUTIONS.iter().map(|row| row.0);
            let hint = match suggest(text, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "there are normal(mean, std), uniform(a, b), glorot, he, orthogonal".to_owned(),
            };
            let diagnostic = Diagnostic::error(format!("unknown distribution `{text}`"));
            return Err(Box::new((ErrorKind::Name, diagnostic.at(name.span, "not known").hint(hint))));
        };
        if !(least..=most).contains(&numbers.len()) {
            let signature = if least == 0 { text.to_owned() } else { format!("{text}(a, b)") };
            let words = crate::elaborate::words::wrong_arity(text, &signature, (least, most), numbers.len());
            return Err(Box::new((ErrorKind::Name, words.at(name.span, ""))));
        }
        Ok(match (text, numbers) {
            ("normal", &[mean, std]) => Init::Normal { mean, std },
            ("uniform", &[lo, hi]) => Init::Uniform { lo, hi },
            ("glorot", _) => Init::Glorot,
            ("he", _) => Init::He,
            _ => Init::Orthogonal,
        })
    }

    fn bounds_of(&mut self, bounds: Option<Bounds>, values: &[Value]) -> Result<Option<Ends>, Fault> {
        let Some(bounds) = bounds else { return Ok(None) };
        let mut values = values.iter();
        let mut ends = [None, None];
        for (end, body) in ends.iter_mut().zip([bounds.lo, bounds.hi]) {
            let Some(body) = body else { continue };
            let span = self.here_or(&body, bounds.span);
            let value = values.next().expect("each end has a value");
            let tensor = self.tensor(value, span)?;
            *end = Some(self.constant(tensor.node).ok_or_else(|| not_constant(span))?);
        }
        if let [Some(lo), Some(hi)] = ends
            && lo > hi
        {
            let diagnostic = Diagnostic::error(format!("the bounds are crossed: {lo} is above {hi}"));
            return Err(shape_fault(
                diagnostic.at(bounds.span, "").hint("bounds are `in [least, greatest]`"),
            ));
        }
        Ok(Some((ends[0], ends[1])))
    }
}

fn not_constant(span: Span) -> Fault {
    let diagnostic = Diagnostic::error("a number known beforehand was expected");
    shape_fault(diagnostic.at(span, "depends on inputs or parameters"))
}
