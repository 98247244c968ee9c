//! One node of a body: names, numbers and operators.

use super::machine::{LIBRARY, Machine};
use super::unit::{ClockName, Ref, SlotKind};
use super::value::{Affine, FunctionValue, Tensor, Value};
use crate::elaborate::apply::{Fault, shape_fault};
use crate::elaborate::code::{Callee, CodeOp};
use crate::elaborate::names::Builtin;
use crate::error::{Diagnostic, ErrorKind, Span};
use crate::ir::{Elementwise, Number, Selection};
use crate::syntax::{BinaryOp, ExprId, ExprKind, RootDegree};

/// Zeros all decimal exponents of one program may ask for.
const ZEROS: u64 = 10_000_000;

impl Machine<'_, '_> {
    /// The value of a node, or nothing where a frame has been pushed that comes first.
    pub(super) fn compute(&mut self, id: ExprId) -> Result<Option<Value>, Fault> {
        let unit = self.unit();
        let ast = &unit.ast;
        Ok(Some(match ast[id].kind {
            ExprKind::Number => self.number(id)?,
            ExprKind::Name(_) => return self.name(id),
            ExprKind::Group(of) | ExprKind::Plus(of) | ExprKind::Named { value: of, .. } => self.value(of),
            ExprKind::Neg(of) => self.negate(id, of)?,
            ExprKind::Binary { op, lhs, rhs } => self.binary(id, op, lhs, rhs)?,
            ExprKind::Compare { op, lhs, rhs } => self.operator(id, CodeOp::Compare(op), &[lhs, rhs])?,
            ExprKind::Transpose(of) => self.transpose(id, of)?,
            ExprKind::Root { degree, of } => {
                let op = if degree == RootDegree::Sqrt { Elementwise::Sqrt } else { Elementwise::Cbrt };
                self.operator(id, elementwise(op), &[of])?
            }
            ExprKind::Abs(of) => self.operator(id, CodeOp::Bars, &[of])?,
            ExprKind::Vector(list) => self.vector(id, ast.list(list))?,
            ExprKind::Index { base, subscripts } => self.index(id, base, ast.subscripts(subscripts))?,
            ExprKind::Indexed { reducer, body, .. } => self.reduced(id, reducer, body)?,
            ExprKind::Call { args, .. } => return self.call(id, ast.list(args)),
            ExprKind::Sequence(_) => unreachable!("`resolve` refuses juxtaposition"),
        }))
    }

    fn number(&mut self, id: ExprId) -> Result<Value, Fault> {
        let plain = self.unit().ast.number_text(id);
        let exponent = plain.split_once('e').and_then(|(_, e)| e.parse::<i64>().ok()).unwrap_or(0);
        self.zeros += exponent.unsigned_abs();
        if self.zeros > ZEROS {
            let message = format!("the exponents of all numbers add up to more than {ZEROS}");
            return Err(super::machine::limit(message, self.here()));
        }
        let short = if plain.len() <= 18 { plain.parse().ok().map(Number::integer) } else { None };
        let number =
            short.or_else(|| Number::from_decimal(&plain)).expect("the scanner has checked the number");
        Ok(Tensor::plain(self.graph.exact(number)).into())
    }

    fn name(&mut self, id: ExprId) -> Result<Option<Value>, Fault> {
        let found = self.unit().refs[&id];
        let span = self.unit().ast.span(id);
        self.meaning(found, span)
    }

    /// What a name stands for.
    pub(super) fn meaning(&mut self, found: Ref, span: Span) -> Result<Option<Value>, Fault> {
        Ok(Some(match found {
            Ref::Slot { up, slot } => {
                let mut env = self.env_at();
                for _ in 0..up {
                    env = self.envs[env].parent.expect("blocks lie as deep in one another as names reach");
                }
                return self.slot_or_wait(env, slot as usize, span);
            }
            Ref::Library(slot) => return self.slot_or_wait(LIBRARY, slot as usize, span),
            Ref::Index { scope, index } => {
                Value::Index(Affine::index(self.run().scopes[&scope][index as usize]))
            }
            Ref::Builtin(builtin) => Value::Function(FunctionValue::Builtin(builtin)),
            Ref::Extra(extra) => Value::Function(FunctionValue::Extra(extra)),
            Ref::Pi => Tensor::plain(self.graph.apply(Elementwise::Pi, &[])).into(),
            Ref::E => {
                let one = self.graph.integer(1);
                Tensor::plain(self.graph.apply(Elementwise::Exp, &[one])).into()
            }
            Ref::Truth(truth) => {
                let (zero, one) = (self.graph.integer(0), self.graph.integer(i64::from(truth)));
                Tensor::plain(self.graph.compare(Selection::Less, &[zero, one])).into()
            }
            Ref::Clock(name) => self.clock_value(name, span)?,
        }))
    }

    fn slot_or_wait(&mut self, env: usize, slot: usize, span: Span) -> Result<Option<Value>, Fault> {
        if let Some(value) = &self.envs[env].slots[slot] {
            return Ok(Some(value.clone()));
        }
        if self.clock.is_some() {
            self.refuse_data(env, slot, span)?;
        }
        self.enter_slot(env, slot)?;
        Ok(None)
    }

    /// An optimizer sees the parameter, its gradient and the clock, not the model.
    fn refuse_data(&self, env: usize, slot: usize, span: Span) -> Result<(), Fault> {
        let unit = self.unit_of(self.envs[env].library);
        let slot = &unit.blocks[self.envs[env].function].slots[slot];
        if !matches!(slot.kind, SlotKind::Input(_) | SlotKind::Param { .. }) {
            return Ok(());
        }
        let diagnostic = Diagnostic::error(format!("an optimizer cannot see `{}`", slot.name));
        let hint = "it is given `w`, its gradient `g`, and `step`, `steps`, `epoch`, `plateaus`";
        Err(Box::new((ErrorKind::Name, diagnostic.at(span, "of the model").hint(hint))))
    }

    fn clock_value(&self, name: ClockName, span: Span) -> Result<Value, Fault> {
        let Some(clock) = &self.clock else {
            let text = span.text(self.unit().ast.source());
            let diagnostic = Diagnostic::error(format!("`{text}` has a value only while training"));
            let hint = "it stands in an `optimizer`, or in a schedule such as `lr = cosine(0.1)`";
            return Err(Box::new((ErrorKind::Name, diagnostic.at(span, "not known here").hint(hint))));
        };
        Ok(Tensor::plain(match name {
            ClockName::Step => clock.step,
            ClockName::Steps => clock.steps,
            ClockName::Epoch => clock.epoch,
            ClockName::Plateaus => clock.plateaus,
        })
        .into())
    }

    fn negate(&mut self, id: ExprId, of: ExprId) -> Result<Value, Fault> {
        if let Value::Index(affine) = self.value(of)
            && let Some(negated) = Affine::default().plus(-1, &affine)
        {
            return Ok(Value::Index(negated));
        }
        self.operator(id, elementwise(Elementwise::Neg), &[of])
    }

    fn binary(&mut self, id: ExprId, op: BinaryOp, lhs: ExprId, rhs: ExprId) -> Result<Value, Fault> {
        let (a, b) = (self.value(lhs), self.value(rhs));
        if let Some(affine) = self.affine(op, &a, &b) {
            return Ok(Value::Index(affine));
        }
        let ast = &self.unit().ast;
        let spans = [ast.span(lhs), ast.span(rhs)];
        match op {
            BinaryOp::Add => self.operator(id, elementwise(Elementwise::Add), &[lhs, rhs]),
            BinaryOp::Sub => self.operator(id, elementwise(Elementwise::Sub), &[lhs, rhs]),
            BinaryOp::Pow => self.operator(id, elementwise(Elementwise::Pow), &[lhs, rhs]),
            BinaryOp::Mul => self.multiply(ast.span(id), spans, a, b, false),
            BinaryOp::Div => self.multiply(ast.span(id), spans, a, b, true),
            BinaryOp::MatMul | BinaryOp::Dot => {
                let (a, b) = (self.tensor(&a, spans[0])?, self.tensor(&b, spans[1])?);
                let code = if op == BinaryOp::Dot { CodeOp::Dot } else { CodeOp::MatMul };
                Ok(self.matrix_product(code, ast.span(id), &spans, [a, b])?.into())
            }
        }
    }

    /// Sums of indices stay good for subscripts.
    fn affine(&self, op: BinaryOp, a: &Value, b: &Value) -> Option<Affine> {
        if !matches!((a, b), (Value::Index(_), _) | (_, Value::Index(_))) {
            return None;
        }
        let (a, b) = (self.as_affine(a)?, self.as_affine(b)?);
        match op {
            BinaryOp::Add => a.plus(1, &b),
            BinaryOp::Sub => a.plus(-1, &b),
            BinaryOp::Mul => a.times(&b),
            _ => None,
        }
    }

    /// Indices and whole constants.
    pub(super) fn as_affine(&self, value: &Value) -> Option<Affine> {
        match value {
            Value::Index(affine) => Some(affine.clone()),
            Value::Tensor(tensor) => self.graph.constant(tensor.node)?.to_i64().map(Affine::number),
            _ => None,
        }
    }

    /// An operator or elementwise function on nodes of the body.
    fn operator(&mut self, id: ExprId, op: CodeOp, operands: &[ExprId]) -> Result<Value, Fault> {
        let ast = &self.unit().ast;
        let spans: Vec<Span> = operands.iter().map(|&of| ast.span(of)).collect();
        let mut tensors = Vec::with_capacity(operands.len());
        for (&of, &span) in operands.iter().zip(&spans) {
            let value = self.value(of);
            tensors.push(self.tensor(&value, span)?);
        }
        Ok(self.apply(op, ast.span(id), &spans, &tensors)?.into())
    }

    /// The tensor a value is, where a number or array is needed.
    pub(super) fn tensor(&mut self, value: &Value, span: Span) -> Result<Tensor, Fault> {
        match value {
            Value::Tensor(tensor) => Ok(tensor.clone()),
            Value::Product(factors) => self.multiply_out(factors, span),
            Value::Index(affine) => self.index_value(affine, span),
            Value::Function(function) => {
                let name = self.function_name(*function);
                let diagnostic =
                    Diagnostic::error(format!("`{name}` is a function, and a value was expected"));
                let hint = format!("call it: `{}`", self.signature(*function));
                Err(shape_fault(diagnostic.at(span, "a function").hint(hint)))
            }
        }
    }

    /// Indices as numbers.
    fn index_value(&mut self, affine: &Affine, span: Span) -> Result<Tensor, Fault> {
        let mut sum = Tensor::plain(self.graph.integer(affine.constant));
        for &(label, coefficient) in &affine.terms {
            let Some((first, extent)) = self.labels[label.0 as usize].range else {
                return Err(self.no_range(label));
            };
            let iota = self.graph.iota(extent);
            let first = self.graph.integer(first);
            let value = self.graph.apply(Elementwise::Add, &[iota, first]);
            let coefficient = self.graph.integer(coefficient);
            let value = self.graph.apply(Elementwise::Mul, &[value, coefficient]);
            let term = Tensor { node: value, labels: super::value::Labels::from_slice(&[label]) };
            sum = self.apply(elementwise(Elementwise::Add), span, &[span, span], &[sum, term])?;
        }
        Ok(sum)
    }

    pub(super) fn builtin_op(op: Builtin) -> CodeOp {
        CodeOp::Call(Callee::Builtin(op))
    }
}

pub(super) fn elementwise(op: Elementwise) -> CodeOp {
    CodeOp::Call(Callee::Builtin(Builtin::Elementwise(op)))
}
