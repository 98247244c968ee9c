//! One node of resolved code applied to graph nodes: types and shapes are checked here.

use super::code::{Axis, CodeOp, shorten};
use super::names::Builtin;
use super::{code::Callee, domain};
use crate::error::{Diagnostic, ErrorKind, Span};
use crate::ir::{DType, Elementwise, Graph, Id, Selection, Shape};
use crate::syntax::CompareOp;

/// A fault before its place is known for good: see `Lowering::located`.
pub(super) type Fault = Box<(ErrorKind, Diagnostic)>;

/// A node with its operands, in the text and in the graph.
pub(super) struct Site<'s> {
    pub(super) graph: &'s mut Graph,
    pub(super) source: &'s str,
    pub(super) span: Span,
    /// The operands' places.
    pub(super) spans: &'s [Span],
    pub(super) ids: &'s [Id],
    /// How many leading axes of each operand run over the indices of a program's index notation
    /// and are no part of its shape here; none where the slice ends.
    pub(super) indexed: &'s [u8],
    /// Of an index: which bounds are written.
    pub(super) axes: &'s [Axis],
    /// Most elements of anything.
    pub(super) nodes: usize,
    pub(super) remarks: Vec<Diagnostic>,
}

impl Site<'_> {
    /// The node `op(operands)`; numbers, names and inlined calls aside.
    pub(super) fn apply(&mut self, op: CodeOp) -> Result<Id, Fault> {
        match op {
            CodeOp::E => {
                let one = self.graph.integer(1);
                Ok(self.graph.apply(Elementwise::Exp, &[one]))
            }
            CodeOp::Call(Callee::Builtin(builtin)) => self.builtin(builtin),
            CodeOp::Compare(op) => self.compare(op),
            CodeOp::Bars => self.bars(),
            CodeOp::Transpose => self.transpose(),
            CodeOp::Vector => self.vector(),
            CodeOp::MatMul => self.matrix_product(),
            CodeOp::Dot => self.dot(),
            CodeOp::Index { .. } => self.index(),
            CodeOp::Number(_) | CodeOp::Variable(_) | CodeOp::Parameter(_) | CodeOp::Call(_) => {
                unreachable!("`Lowering::step` has done these")
            }
        }
    }

    fn builtin(&mut self, builtin: Builtin) -> Result<Id, Fault> {
        match builtin {
            Builtin::Elementwise(op) => self.elementwise(op),
            Builtin::Log => self.log(),
            Builtin::Fold(op) => self.fold(op),
            Builtin::Sum => self.sum(),
            Builtin::Mean => self.mean(),
            Builtin::If => self.choice(),
            Builtin::And => self.logic(Selection::And),
            Builtin::Or => self.logic(Selection::Or),
            Builtin::Not => self.logic(Selection::Not),
            Builtin::Dot => self.dot(),
        }
    }

    pub(super) fn span(&self) -> Span {
        self.span
    }

    /// A stretch of the source, shortened to what a message can hold.
    pub(super) fn text(&self, span: Span) -> String {
        shorten(span.text(self.source), 40)
    }

    pub(super) fn operand_span(&self, i: usize) -> Span {
        self.spans[i]
    }

    pub(super) fn shape(&self, i: usize) -> Shape {
        let indexed = self.indexed.get(i).map_or(0, |&n| n as usize);
        match self.graph.shape(self.ids[i]) {
            shape if indexed == 0 => shape.clone(),
            shape => Shape::new(shape.extents()[indexed..].iter().copied()),
        }
    }

    fn is_number(&self, i: usize) -> bool {
        let indexed = self.indexed.get(i).map_or(0, |&n| n as usize);
        self.graph.shape(self.ids[i]).rank() == indexed
    }

    fn is_truth(&self, i: usize) -> bool {
        self.graph.ty(self.ids[i]).dtype == DType::Bool
    }

    /// All operands are numbers.
    pub(super) fn numbers(&self) -> Result<(), Fault> {
        self.numbers_from(0)
    }

    pub(super) fn numbers_from(&self, first: usize) -> Result<(), Fault> {
        match (first..self.ids.len()).find(|&i| self.is_truth(i)) {
            Some(i) => Err(shape_fault(not_a_number(self.source, self.spans[i]))),
            None => Ok(()),
        }
    }

    pub(super) fn truth(&self, i: usize) -> Result<(), Fault> {
        if self.is_truth(i) {
            return Ok(());
        }
        let text = self.text(self.operand_span(i));
        Err(shape_fault(
            Diagnostic::error("a condition was expected")
                .at(self.operand_span(i), "this is a number")
                .hint(format!("compare it: `{text} != 0`")),
        ))
    }

    /// All operands have one shape, numbers aside.
    pub(super) fn one_shape(&self) -> Result<(), Fault> {
        let mut shaped = (0..self.ids.len()).filter(|&i| !self.is_number(i));
        let Some(first) = shaped.next() else { return Ok(()) };
        match shaped.find(|&i| self.shape(i) != self.shape(first)) {
            Some(other) => Err(shape_fault(self.mismatch(first, other))),
            None => Ok(()),
        }
    }

    fn mismatch(&self, i: usize, j: usize) -> Diagnostic {
        let (a, b) = (self.shape(i), self.shape(j));
        Diagnostic::error(format!("the shapes {a} and {b} do not match"))
            .at(self.operand_span(j), format!("shape {b}"))
            .and_at(self.operand_span(i), format!("shape {a}"))
            .hint(self.mend(i, j))
    }

    fn mend(&self, i: usize, j: usize) -> String {
        let (a, b) = (self.shape(i), self.shape(j));
        if let Some(axes) = one_more_axis(&a, &b) {
            return axes.to_owned();
        }
        let stars = self.span.text(self.source).contains('*');
        if stars && a.rank() == 2 && a.extents().get(1) == b.extents().first() {
            let [matrix, other] = [i, j].map(|k| self.text(self.operand_span(k)));
            return format!("`*` multiplies element by element; the matrix product is `{matrix} @ {other}`");
        }
        "operands must have equal shapes, or one must be a single number".to_owned()
    }

    /// So many elements may be made.
    pub(super) fn affordable(&self, shape: &Shape) -> Result<(), Fault> {
        if shape.size() <= self.nodes {
            return Ok(());
        }
        let message = format!("shape {shape} has more than the limit of {} elements", self.nodes);
        Err(Box::new((ErrorKind::Limit, Diagnostic::error(message).at(self.span(), ""))))
    }

    pub(super) fn elementwise(&mut self, op: Elementwise) -> Result<Id, Fault> {
        self.numbers()?;
        self.one_shape()?;
        if op == Elementwise::Polygamma {
            self.whole_order()?;
        }
        if domain::is_outside(self.graph, op, self.ids) {
            let text = self.text(self.span());
            let remark =
                Diagnostic::warning(format!("`{text}` is undefined over the reals")).at(self.span(), "");
            self.remarks.push(match domain::mend(self.graph, op, self.ids) {
                Some(mend) => remark.hint(mend),
                None => remark,
            });
        }
        Ok(self.graph.apply(op, self.ids))
    }

    /// polygamma's first operand counts derivatives.
    fn whole_order(&self) -> Result<(), Fault> {
        let order = self.graph.constant(self.ids[0]).and_then(|n| n.to_i64());
        if order.is_some_and(|n| n >= 0) {
            return Ok(());
        }
        Err(shape_fault(
            Diagnostic::error("the order of `polygamma` must be a whole number from 0 on")
                .at(self.operand_span(0), "not a constant whole number")
                .hint("polygamma(1, x) is the derivative of digamma(x)"),
        ))
    }

    fn log(&mut self) -> Result<Id, Fault> {
        let [x, base] = *self.ids else { return self.elementwise(Elementwise::Log) };
        self.numbers()?;
        self.one_shape()?;
        let exact = self.graph.constant(base).and_then(|b| b.to_i64());
        match exact {
            Some(2) => Ok(self.graph.apply(Elementwise::Log2, &[x])),
            Some(10) => Ok(self.graph.apply(Elementwise::Log10, &[x])),
            _ => {
                let (x, base) =
                    (self.graph.apply(Elementwise::Log, &[x]), self.graph.apply(Elementwise::Log, &[base]));
                Ok(self.graph.apply(Elementwise::Div, &[x, base]))
            }
        }
    }

    /// `max(a, b, c)` or `max(v)`.
    fn fold(&mut self, op: Elementwise) -> Result<Id, Fault> {
        self.numbers()?;
        self.one_shape()?;
        let elements = match *self.ids {
            [only] if !self.graph.is_scalar(only) => self.elements(only)?,
            _ => self.ids.to_vec(),
        };
        let (&first, rest) = elements.split_first().expect("no vector is empty, no call without arguments");
        Ok(rest.iter().fold(first, |result, &x| self.graph.apply(op, &[result, x])))
    }

    fn elements(&mut self, x: Id) -> Result<Vec<Id>, Fault> {
        let size = self.graph.shape(x).size();
        // An element takes a slice, a reshape and an op.
        self.affordable(&Shape::new([size.saturating_mul(3).min(u32::MAX as usize) as u32]))?;
        let shape = Shape::new([size as u32]);
        let flat = self.graph.reshape(x, &shape);
        Ok((0..size as u32).map(|i| self.graph.pick(flat, i)).collect())
    }

    fn sum(&mut self) -> Result<Id, Fault> {
        self.numbers()?;
        self.one_shape()?;
        match *self.ids {
            [only] => {
                let rank = self.graph.shape(only).rank();
                Ok(self.graph.sum(only, ((1u16 << rank) - 1) as u8))
            }
            _ => Ok(self.ids[1..]
                .iter()
                .fold(self.ids[0], |sum, &x| self.graph.apply(Elementwise::Add, &[sum, x]))),
        }
    }

    fn mean(&mut self) -> Result<Id, Fault> {
        let sum = self.sum()?;
        let count = match *self.ids {
            [only] => self.graph.shape(only).size(),
            _ => self.ids.len(),
        };
        let count = self.graph.integer(count as i64);
        Ok(self.graph.apply(Elementwise::Div, &[sum, count]))
    }

    fn choice(&mut self) -> Result<Id, Fault> {
        self.truth(0)?;
        self.numbers_from(1)?;
        self.one_shape()?;
        Ok(self.graph.select(self.ids[0], self.ids[1], self.ids[2]))
    }

    fn logic(&mut self, op: Selection) -> Result<Id, Fault> {
        for i in 0..self.ids.len() {
            self.truth(i)?;
        }
        self.one_shape()?;
        match op {
            Selection::Not => Ok(self.graph.compare(op, self.ids)),
            _ => Ok(self.ids[1..].iter().fold(self.ids[0], |all, &x| self.graph.compare(op, &[all, x]))),
        }
    }

    fn compare(&mut self, op: CompareOp) -> Result<Id, Fault> {
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            self.numbers()?;
        }
        self.one_shape()?;
        let [a, b] = [0, 1].map(|i| as_number(self.graph, self.ids[i]));
        Ok(match op {
            CompareOp::Lt => self.graph.compare(Selection::Less, &[a, b]),
            CompareOp::Le => self.graph.compare(Selection::LessEqual, &[a, b]),
            CompareOp::Gt => self.graph.compare(Selection::Less, &[b, a]),
            CompareOp::Ge => self.graph.compare(Selection::LessEqual, &[b, a]),
            CompareOp::Eq => self.graph.compare(Selection::Equal, &[a, b]),
            CompareOp::Ne => self.graph.compare(Selection::NotEqual, &[a, b]),
        })
    }

    fn bars(&mut self) -> Result<Id, Fault> {
        if !self.graph.is_scalar(self.ids[0]) {
            let text = self.text(self.span());
            let inner = self.text(self.operand_span(0));
            let note = Diagnostic::note(format!("read `{text}` element by element")).at(self.span(), "");
            self.remarks.push(note.hint(format!("the length of a vector is `norm({inner})`")));
        }
        self.elementwise(Elementwise::Abs)
    }
}

/// A truth value as 1 or 0: as such it is equal to another, or counted.
pub(super) fn as_number(graph: &mut Graph, id: Id) -> Id {
    match graph.ty(id).dtype {
        DType::Bool => {
            let (one, zero) = (graph.integer(1), graph.integer(0));
            graph.select(id, one, zero)
        }
        _ => id,
    }
}

/// `[n]` and `[n,1]` are the same numbers for many people.
fn one_more_axis(a: &Shape, b: &Shape) -> Option<&'static str> {
    let plain = |s: &Shape| s.extents().iter().copied().filter(|&n| n != 1).collect::<Vec<u32>>();
    (a.rank() != b.rank() && plain(a) == plain(b))
        .then_some("axes of extent 1 count: take one away with `x[0]` or `x[:, 0]`, or declare both alike")
}

pub(super) fn shape_fault(diagnostic: Diagnostic) -> Fault {
    Box::new((ErrorKind::Shape, diagnostic))
}

/// A condition where a number should be.
pub(super) fn not_a_number(source: &str, span: Span) -> Diagnostic {
    let text = shorten(span.text(source), 40);
    Diagnostic::error("a condition is not a number")
        .at(span, "true or false")
        .hint(format!("write `if({text}, 1, 0)`"))
}
