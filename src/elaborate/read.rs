//! One expression after the other, bottom up: names get their meaning, juxtaposition its reading.
//!
//! What must stay true: reading an expression looks at its children's readings only, so the
//! whole is linear and nothing recurses.

use super::code::{Axis, Callee, Code, CodeId, CodeOp};
use super::names::Builtin;
use super::notes::Notes;
use super::scope::{Meaning, Names};
use super::words;
use crate::error::{Error, Span};
use crate::ir::Elementwise;
use crate::syntax::{Ast, BinaryOp, ExprId, ExprKind, RootDegree, Subscript, Symbol};
use rustc_hash::FxHashMap;

/// What an expression turned out to be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reading {
    Value(CodeId),
    /// Two juxtaposed factors, of which a power or an index takes the last: `x(y + 1)^2`.
    /// Left to right in a chain, unless it is one name (`1/xy`), which is a unit.
    Product {
        first: CodeId,
        rest: CodeId,
        unit: bool,
    },
    /// A function that still awaits its argument: an index for [`Reader::awaiting`].
    Function(u32),
}

/// A function's bare name under powers, signs and roots, which apply once it has its argument.
#[derive(Clone, Copy, Debug)]
pub(super) enum Awaiting {
    Bare { callee: Callee, name: Span },
    Power { of: u32, exponent: CodeId, span: Span },
    Neg { of: u32, span: Span },
    Root { of: u32, degree: RootDegree, span: Span },
}

/// Reads one text.
pub(super) struct Reader<'a, 'n> {
    pub(super) ast: &'a Ast,
    pub(super) names: &'n mut Names<'a>,
    pub(super) notes: &'n mut Notes,
    pub(super) code: Code,
    pub(super) readings: Vec<Reading>,
    pub(super) awaiting: Vec<Awaiting>,
    pub(super) numbers: FxHashMap<&'a str, u32>,
    /// Zeros that decimal exponents have asked for so far.
    pub(super) zeros: u64,
}

impl<'a, 'n> Reader<'a, 'n> {
    pub(super) fn new(ast: &'a Ast, names: &'n mut Names<'a>, notes: &'n mut Notes) -> Reader<'a, 'n> {
        Reader {
            ast,
            names,
            notes,
            code: Code::default(),
            readings: Vec::with_capacity(ast.exprs().len()),
            awaiting: Vec::new(),
            numbers: FxHashMap::default(),
            zeros: 0,
        }
    }

    /// Reads the next expression of the arena.
    pub(super) fn read(&mut self, id: ExprId) -> Result<(), Error> {
        debug_assert_eq!(id.index(), self.readings.len());
        let span = self.ast.span(id);
        let reading = match self.ast[id].kind {
            ExprKind::Number => Reading::Value(self.number(id)?),
            ExprKind::Name(name) => self.name(name, span)?,
            ExprKind::Group(of) => Reading::Value(self.value(of)?),
            ExprKind::Neg(of) => self.neg(of, span)?,
            ExprKind::Plus(of) => self.reading(of),
            ExprKind::Binary { op, lhs, rhs } => self.binary(op, lhs, rhs, span)?,
            ExprKind::Compare { op, lhs, rhs } => self.with_values(CodeOp::Compare(op), &[lhs, rhs], span)?,
            ExprKind::Transpose(of) => self.transpose(of, span)?,
            ExprKind::Root { degree, of } => self.root(degree, of, span)?,
            ExprKind::Sequence(list) => self.sequence(self.ast.items(list), span)?,
            ExprKind::Call { callee, args } => self.call(id, callee, self.ast.list(args))?,
            ExprKind::Abs(of) => self.with_values(CodeOp::Bars, &[of], span)?,
            ExprKind::Vector(list) if self.ast.list(list).is_empty() => {
                return Err(words::empty_vector(span));
            }
            ExprKind::Vector(list) => self.with_values(CodeOp::Vector, self.ast.list(list), span)?,
            ExprKind::Named { .. } | ExprKind::Indexed { .. } => {
                unreachable!("the scan of a formula makes no tokens for them")
            }
            ExprKind::Index { base, subscripts } => {
                self.index(base, self.ast.subscripts(subscripts), span)?
            }
        };
        self.readings.push(reading);
        Ok(())
    }

    pub(super) fn reading(&self, id: ExprId) -> Reading {
        self.readings[id.index()]
    }

    /// The node an expression is, where a value is needed.
    pub(super) fn value(&mut self, id: ExprId) -> Result<CodeId, Error> {
        self.value_of(self.reading(id), self.ast.span(id))
    }

    pub(super) fn value_of(&mut self, reading: Reading, span: Span) -> Result<CodeId, Error> {
        match reading {
            Reading::Value(id) => Ok(id),
            Reading::Product { first, rest, .. } => Ok(self.apply_op(Elementwise::Mul, &[first, rest], span)),
            Reading::Function(f) => Err(self.needs_argument(f, None)),
        }
    }

    pub(super) fn apply_op(&mut self, op: Elementwise, operands: &[CodeId], span: Span) -> CodeId {
        self.code.push(CodeOp::Call(Callee::Builtin(Builtin::Elementwise(op))), operands, span)
    }

    fn with_values(&mut self, op: CodeOp, operands: &[ExprId], span: Span) -> Result<Reading, Error> {
        let values = operands.iter().map(|&of| self.value(of)).collect::<Result<Vec<_>, _>>()?;
        Ok(Reading::Value(self.code.push(op, &values, span)))
    }

    fn name(&mut self, name: Symbol, span: Span) -> Result<Reading, Error> {
        match self.names.meaning(name) {
            Meaning::Function(callee) => Ok(self.await_argument(Awaiting::Bare { callee, name: span })),
            Meaning::Split(split) => {
                self.notes.reading(span);
                let (first, rest) = self.split(split, span);
                Ok(Reading::Product { first, rest, unit: true })
            }
            meaning => Ok(Reading::Value(self.meant(meaning, name, span)?)),
        }
    }

    /// The node of a name that is a value.
    pub(super) fn meant(&mut self, meaning: Meaning, name: Symbol, span: Span) -> Result<CodeId, Error> {
        let text = self.ast.name(name);
        match meaning {
            Meaning::Refused(why) => Err(words::refused(text, why, span)),
            Meaning::Split(split) => {
                let (first, rest) = self.split(split, span);
                Ok(self.apply_op(Elementwise::Mul, &[first, rest], span))
            }
            meaning => {
                self.leaf(meaning, span).ok_or_else(|| words::unknown_variable(text, span, self.names))
            }
        }
    }

    /// The node of a meaning that is one value; `None` for all others.
    fn leaf(&mut self, meaning: Meaning, span: Span) -> Option<CodeId> {
        let op = match meaning {
            Meaning::Parameter(i) => CodeOp::Parameter(i),
            Meaning::Variable(variable) => CodeOp::Variable(variable),
            Meaning::Value(id) => CodeOp::Call(Callee::Defined(id)),
            Meaning::E => CodeOp::E,
            Meaning::Pi => return Some(self.apply_op(Elementwise::Pi, &[], span)),
            Meaning::Function(_) | Meaning::Split(_) | Meaning::Refused(_) | Meaning::Unknown => return None,
        };
        Some(self.code.push(op, &[], span))
    }

    /// A name that is a product: all segments but the last, and the last.
    fn split(&mut self, split: u32, span: Span) -> (CodeId, CodeId) {
        let segments = self.names.splits[split as usize].clone();
        let mut nodes = Vec::with_capacity(segments.len());
        for (part, meaning) in segments {
            let place = Span::new(span.start + part.start as u32, span.start + part.end as u32);
            if part.start > 0 {
                self.notes.edit(Span::at(place.start), "*");
            }
            nodes.push(self.leaf(meaning, place).expect("segments are values"));
        }
        let (&rest, before) = nodes.split_last().expect("a split has two segments");
        let mut first = before[0];
        for &next in &before[1..] {
            let place = self.code.span(first).to(self.code.span(next));
            first = self.apply_op(Elementwise::Mul, &[first, next], place);
        }
        (first, rest)
    }

    /// In a note on `whole`, a name that is a product stands in parentheses.
    fn parenthesise(&mut self, reading: Reading, span: Span, whole: Span) {
        if let Reading::Product { unit: true, .. } = reading {
            self.notes.reading(whole);
            self.notes.edit(Span::at(span.start), "(");
            self.notes.edit(Span::at(span.end), ")");
        }
    }

    pub(super) fn await_argument(&mut self, awaiting: Awaiting) -> Reading {
        self.awaiting.push(awaiting);
        Reading::Function(self.awaiting.len() as u32 - 1)
    }

    fn neg(&mut self, of: ExprId, span: Span) -> Result<Reading, Error> {
        Ok(match self.reading(of) {
            Reading::Function(of) => self.await_argument(Awaiting::Neg { of, span }),
            Reading::Product { first, rest, unit: false } => {
                let place = Span::new(span.start, self.code.span(first).end);
                let first = self.apply_op(Elementwise::Neg, &[first], place);
                Reading::Product { first, rest, unit: false }
            }
            reading => {
                let value = self.value_of(reading, self.ast.span(of))?;
                Reading::Value(self.apply_op(Elementwise::Neg, &[value], span))
            }
        })
    }

    fn root(&mut self, degree: RootDegree, of: ExprId, span: Span) -> Result<Reading, Error> {
        let op = root_op(degree);
        Ok(match self.reading(of) {
            Reading::Function(of) => self.await_argument(Awaiting::Root { of, degree, span }),
            Reading::Product { first, rest, unit: false } => {
                let place = Span::new(span.start, self.code.span(first).end);
                let first = self.apply_op(op, &[first], place);
                Reading::Product { first, rest, unit: false }
            }
            reading => {
                self.parenthesise(reading, self.ast.span(of), span);
                let value = self.value_of(reading, self.ast.span(of))?;
                Reading::Value(self.apply_op(op, &[value], span))
            }
        })
    }

    fn transpose(&mut self, of: ExprId, span: Span) -> Result<Reading, Error> {
        match self.reading(of) {
            Reading::Function(f) => Err(self.primed_function(f, span)),
            Reading::Product { first, rest, unit } => {
                let rest = self.code.push(CodeOp::Transpose, &[rest], span);
                Ok(Reading::Product { first, rest, unit })
            }
            Reading::Value(value) => Ok(Reading::Value(self.code.push(CodeOp::Transpose, &[value], span))),
        }
    }

    fn index(&mut self, base: ExprId, subscripts: &[Subscript], span: Span) -> Result<Reading, Error> {
        let (first, base) = match self.reading(base) {
            Reading::Product { first, rest, unit } => (Some((first, unit)), rest),
            reading => (None, self.value_of(reading, self.ast.span(base))?),
        };
        let (mut axes, mut operands) = (Vec::new(), vec![base]);
        for subscript in subscripts {
            match *subscript {
                Subscript::At(at) => {
                    axes.push(Axis::At);
                    operands.push(self.value(at)?);
                }
                Subscript::Range { from, to } => {
                    axes.push(Axis::Range { from: from.is_some(), to: to.is_some() });
                    for bound in from.into_iter().chain(to) {
                        operands.push(self.value(bound)?);
                    }
                }
            }
        }
        let rest = self.code.push_index(&axes, &operands, span);
        Ok(match first {
            Some((first, unit)) => Reading::Product { first, rest, unit },
            None => Reading::Value(rest),
        })
    }

    fn binary(&mut self, op: BinaryOp, lhs: ExprId, rhs: ExprId, span: Span) -> Result<Reading, Error> {
        match op {
            BinaryOp::Pow => self.power(lhs, rhs, span),
            BinaryOp::Add | BinaryOp::Sub => {
                if let Reading::Function(f) = self.reading(lhs) {
                    return Err(self.needs_argument(f, (op == BinaryOp::Sub).then_some(rhs)));
                }
                let op = if op == BinaryOp::Add { Elementwise::Add } else { Elementwise::Sub };
                let operands = [self.value(lhs)?, self.value(rhs)?];
                Ok(Reading::Value(self.apply_op(op, &operands, span)))
            }
            _ => {
                let left = self.value(lhs)?;
                if let Reading::Product { .. } = self.reading(rhs) {
                    self.notes.reading(span);
                }
                Ok(Reading::Value(self.times(op, left, self.reading(rhs), self.ast.span(rhs), span)?))
            }
        }
    }

    /// A chain goes on: `left op right`, of which only the first factor belongs to the operator.
    pub(super) fn times(
        &mut self,
        op: BinaryOp,
        left: CodeId,
        right: Reading,
        place: Span,
        span: Span,
    ) -> Result<CodeId, Error> {
        if let Reading::Product { first, rest, unit: false } = right {
            let product = self.explicit(op, left, first, Span::new(span.start, self.code.span(first).end));
            return Ok(self.apply_op(Elementwise::Mul, &[product, rest], span));
        }
        if op != BinaryOp::Mul {
            self.parenthesise(right, place, span);
        }
        let value = self.value_of(right, place)?;
        Ok(self.explicit(op, left, value, span))
    }

    fn explicit(&mut self, op: BinaryOp, left: CodeId, right: CodeId, span: Span) -> CodeId {
        match op {
            BinaryOp::Div => self.apply_op(Elementwise::Div, &[left, right], span),
            BinaryOp::MatMul => self.code.push(CodeOp::MatMul, &[left, right], span),
            BinaryOp::Dot => self.code.push(CodeOp::Dot, &[left, right], span),
            _ => self.apply_op(Elementwise::Mul, &[left, right], span),
        }
    }

    fn power(&mut self, lhs: ExprId, rhs: ExprId, span: Span) -> Result<Reading, Error> {
        let exponent = self.reading(rhs);
        let (exponent, hanging) = match exponent {
            // `a^n(y + 1)`: the parenthesis hangs in the exponent, but is a factor.
            Reading::Product { first, rest, unit: false } => (first, Some(rest)),
            _ => {
                self.parenthesise(exponent, self.ast.span(rhs), span);
                (self.value_of(exponent, self.ast.span(rhs))?, None)
            }
        };
        let place =
            if hanging.is_some() { Span::new(span.start, self.code.span(exponent).end) } else { span };
        let (before, power) = match self.reading(lhs) {
            Reading::Function(of) => return self.power_of_function(of, exponent, hanging, place, span),
            Reading::Product { first, rest, unit } => (Some((first, unit)), self.pow(rest, exponent, place)),
            Reading::Value(base) => (None, self.pow(base, exponent, place)),
        };
        if before.is_some() || hanging.is_some() {
            self.notes.reading(span);
        }
        Ok(match (before, hanging) {
            (None, None) => Reading::Value(power),
            (Some((first, unit)), None) => Reading::Product { first, rest: power, unit },
            (None, Some(rest)) => Reading::Product { first: power, rest, unit: false },
            (Some((first, _)), Some(rest)) => {
                let first = self.apply_op(Elementwise::Mul, &[first, power], place);
                Reading::Product { first, rest, unit: false }
            }
        })
    }

    /// `sin^2`, which awaits its argument, or `sin^n(x)`, which has it hanging in the exponent.
    fn power_of_function(
        &mut self,
        of: u32,
        exponent: CodeId,
        argument: Option<CodeId>,
        place: Span,
        span: Span,
    ) -> Result<Reading, Error> {
        let reading = self.await_argument(Awaiting::Power { of, exponent, span: place });
        let (Some(argument), Reading::Function(f)) = (argument, reading) else { return Ok(reading) };
        let group = Span::new(place.end, span.end);
        self.notes.reading(span);
        self.notes.retract(Span::at(group.start));
        Ok(Reading::Value(self.supply(f, argument, group)?))
    }

    pub(super) fn pow(&mut self, base: CodeId, exponent: CodeId, span: Span) -> CodeId {
        match self.code.op(base) {
            CodeOp::E => self.apply_op(Elementwise::Exp, &[exponent], span),
            _ => self.apply_op(Elementwise::Pow, &[base, exponent], span),
        }
    }
}

pub(super) fn root_op(degree: RootDegree) -> Elementwise {
    match degree {
        RootDegree::Sqrt => Elementwise::Sqrt,
        RootDegree::Cbrt => Elementwise::Cbrt,
    }
}
