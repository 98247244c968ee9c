//! What a node looks like, before any dialect spells it: sums with signs, products, quotients.
//!
//! A form is made when the walker reaches it and shows one level; its parts are nodes, so
//! nothing recurses and making all forms of a text costs as much as the text is long.
//! A node that has a name of its own is never looked into.

use super::number::{Numeral, Written};
use super::product::{Quotients, gather};
use super::share::{Shared, is_reciprocal, operands};
use super::tensor;
use crate::ir::{Elementwise, Graph, Id, Number, Op, Selection, Symbol, leaf};

/// A piece of a form.
#[derive(Clone, Debug)]
pub enum Part {
    Node(Id),
    /// A node spelled out although it has a name: the right side of its definition.
    Body(Id),
    /// A number that is not negative.
    Number(Number),
    /// A form that is no node's, such as the numerator of `3*x/2`.
    Form(Box<Form>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Sign {
    #[default]
    Plus,
    Minus,
}

impl Sign {
    pub fn flip(self) -> Sign {
        match self {
            Sign::Plus => Sign::Minus,
            Sign::Minus => Sign::Plus,
        }
    }

    /// The sign of a product.
    pub fn times(self, other: Sign) -> Sign {
        match other {
            Sign::Plus => self,
            Sign::Minus => self.flip(),
        }
    }
}

/// What a product multiplies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    Scalars,
    /// Tensors, element by element.
    Elements,
}

/// What a contraction over one axis contracts; over none, of two vectors, it is their outer product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contraction {
    Vectors,
    Matrices,
    Outer,
}

/// Comparisons as written; the graph has no `>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subscript {
    At(usize),
    Range(usize, usize),
    All,
}

impl Subscript {
    /// Between brackets, as in `0, 1:3, :`.
    pub fn list(at: &[Subscript]) -> String {
        let shown = at.iter().map(|subscript| match subscript {
            Subscript::At(i) => i.to_string(),
            Subscript::Range(from, to) => format!("{from}:{to}"),
            Subscript::All => ":".to_owned(),
        });
        shown.collect::<Vec<_>>().join(", ")
    }
}

/// A form without parts.
#[derive(Clone, Debug)]
pub enum Leaf {
    /// An input, or one element of it.
    Name(Symbol, Vec<usize>),
    /// A subexpression named by its number.
    Shared(usize),
    Numeral(Numeral),
    /// Base of the natural logarithm.
    Euler,
    Pi,
}

/// One level of an expression.
#[derive(Clone, Debug)]
pub enum Form {
    Leaf(Leaf),
    Sum(Vec<(Sign, Part)>),
    Negative(Part),
    Product(Times, Vec<Part>),
    Quotient(Part, Part),
    Contract(Contraction, Part, Part),
    Power(Part, Part),
    Call(Elementwise, Vec<Part>),
    Structural(&'static str, Vec<Part>),
    Compare(Relation, Part, Part),
    Logic(Selection, Vec<Part>),
    /// Conditions with their values, first that holds; then the value otherwise.
    Choice(Vec<(Part, Part)>, Part),
    /// An array where the condition holds, zeros elsewhere; no array: ones.
    Masked(Part, Option<Part>),
    /// Elements row-major, and the extents.
    Array(Vec<Part>, Vec<usize>),
    Transpose(Part),
    Index(Part, Vec<Subscript>),
}

impl From<Leaf> for Part {
    fn from(leaf: Leaf) -> Part {
        Form::Leaf(leaf).into()
    }
}

impl From<Form> for Part {
    fn from(form: Form) -> Part {
        Part::Form(Box::new(form))
    }
}

/// How `x^-1` standing alone is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inverse {
    /// `1/x`
    Quotient,
    /// `x⁻¹`
    Power,
}

/// The graph being printed, and the names its shared nodes have.
#[derive(Clone, Copy)]
pub struct Scope<'g> {
    pub graph: &'g Graph,
    pub shared: &'g Shared,
    pub inverse: Inverse,
}

impl Scope<'_> {
    /// The form of a part.
    pub fn form(&self, part: Part) -> Form {
        match part {
            Part::Form(form) => *form,
            Part::Number(number) => match Written::of(&number) {
                Written::Numeral(numeral) => Form::Leaf(Leaf::Numeral(numeral)),
                Written::Fraction(p, q) => Form::Quotient(Leaf::Numeral(p).into(), Leaf::Numeral(q).into()),
            },
            Part::Node(id) => match self.shared.number(id) {
                Some(number) => Form::Leaf(Leaf::Shared(number)),
                None => self.expand(id),
            },
            Part::Body(id) => self.expand(id),
        }
    }

    /// True for nodes that stand as a name: nothing of their inside is shown.
    pub fn is_name(&self, id: Id) -> bool {
        self.shared.number(id).is_some()
            || leaf(self.graph, id).is_some()
            || matches!(self.graph.op(id), Op::Input(_))
    }

    /// The exact value of a constant node.
    pub fn constant(&self, id: Id) -> Option<&Number> {
        self.graph.constant(id)
    }

    /// The value of a part that is a small whole number.
    pub fn small_integer(&self, part: &Part) -> Option<i64> {
        let number = match part {
            Part::Node(id) => self.constant(*id)?,
            Part::Number(number) => number,
            Part::Body(_) | Part::Form(_) => return None,
        };
        number.to_i64().filter(|n| n.unsigned_abs() < 1000)
    }

    /// True for `A @ x` written out, which among factors stands in parentheses.
    pub fn is_contraction(&self, part: &Part) -> bool {
        matches!(part, Part::Node(id) if !self.is_name(*id) && matches!(self.graph.op(*id), Op::Contract { .. }))
    }

    /// True for a part that is known to be one number.
    pub fn is_number(&self, part: &Part) -> bool {
        match part {
            Part::Number(_) => true,
            Part::Node(id) | Part::Body(id) => self.graph.is_scalar(*id),
            Part::Form(_) => false,
        }
    }

    fn expand(&self, id: Id) -> Form {
        if let Some((symbol, at)) = leaf(self.graph, id) {
            return Form::Leaf(Leaf::Name(symbol, tensor::position(self.graph, symbol, at)));
        }
        let parts = || operands(self.graph, id).iter().map(|&x| Part::Node(x)).collect::<Vec<_>>();
        match self.graph.op(id) {
            Op::Input(symbol) => Form::Leaf(Leaf::Name(symbol, Vec::new())),
            Op::Constant(_) => self.product(id),
            Op::Elementwise(op) => self.elementwise(op, id, parts),
            Op::Selection(Selection::Select) => tensor::onehot(self, id).unwrap_or_else(|| self.choice(id)),
            Op::Selection(op) if op.is_comparison() => self.comparison(op, id),
            Op::Selection(op) => Form::Logic(op, parts()),
            Op::Structural(op) => tensor::structural(self, op, id),
            Op::Reduce { op, axes } => tensor::reduction(self, op, axes, id),
            Op::Contract { batch, over } => tensor::contraction(self, batch, over, id),
            Op::Scan { body, output } => tensor::scan(self, body, output, parts()),
        }
    }

    fn elementwise(&self, op: Elementwise, id: Id, parts: impl Fn() -> Vec<Part>) -> Form {
        use Elementwise::{Add, Exp, Pi, Pow, Sub};
        match op {
            _ if let Some(x) = tensor::mean_of(self.graph, id) => {
                Form::Structural("mean", vec![Part::Node(x)])
            }
            _ if let Some(x) = tensor::diagonal_of(self.graph, id) => {
                Form::Structural("diag", vec![Part::Node(x)])
            }
            _ if self.is_product(id) => self.product(id),
            Add | Sub => self.sum(id),
            Pow => match <[Part; 2]>::try_from(parts()) {
                Ok([base, exponent]) => Form::Power(base, exponent),
                Err(parts) => Form::Call(op, parts),
            },
            Pi => Form::Leaf(Leaf::Pi),
            Exp if self.is_euler(id) => Form::Leaf(Leaf::Euler),
            Exp if let Some(z) = tensor::softmax_of(self.graph, id) => {
                Form::Structural("softmax", vec![Part::Node(z)])
            }
            _ => Form::Call(op, parts()),
        }
    }

    /// `exp(1)`, unless an input has taken the name `e`.
    fn is_euler(&self, id: Id) -> bool {
        let argument = self.graph.operand(id, 0);
        self.constant(argument).is_some_and(Number::is_one) && self.graph.symbol("e").is_none()
    }

    /// Nodes whose form may be a sign, a product or a quotient.
    fn is_product(&self, id: Id) -> bool {
        use Elementwise::{Div, Mul, Neg, Pow};
        match self.graph.op(id) {
            Op::Elementwise(Mul | Div) => !tensor::has_name(self.graph, id),
            Op::Constant(_) | Op::Elementwise(Neg) => true,
            Op::Elementwise(Pow) => self.inverse == Inverse::Quotient && is_reciprocal(self.graph, id),
            _ => false,
        }
    }

    fn product(&self, id: Id) -> Form {
        match gather(self, id, Quotients::Opened).finish() {
            (Sign::Minus, part) => Form::Negative(part),
            // A sign or quotient that came to nothing leaves one part, strictly inside `id`.
            (Sign::Plus, part) => self.form(part),
        }
    }

    /// A term of a sum with its sign outside.
    fn signed(&self, id: Id) -> (Sign, Part) {
        match !self.is_name(id) && self.is_product(id) {
            true => gather(self, id, Quotients::Opened).finish(),
            false => (Sign::Plus, Part::Node(id)),
        }
    }

    /// The terms down the left spine: `a + b - c` is one sum, `a - (b - c)` is not.
    fn sum(&self, id: Id) -> Form {
        let mut terms = Vec::new();
        let mut node = id;
        loop {
            let outer = match self.graph.op(node) {
                Op::Elementwise(Elementwise::Add) => Sign::Plus,
                Op::Elementwise(Elementwise::Sub) => Sign::Minus,
                _ => break,
            };
            if node != id && self.is_name(node) {
                break;
            }
            let operands = operands(self.graph, node);
            let (inner, part) = self.signed(operands[1]);
            terms.push((outer.times(inner), part));
            node = operands[0];
        }
        terms.push(self.signed(node));
        terms.reverse();
        Form::Sum(terms)
    }

    /// A constant stands on the right: `0 < x` is written `x > 0`.
    fn comparison(&self, op: Selection, id: Id) -> Form {
        let operands = operands(self.graph, id);
        let (a, b) = (operands[0], operands[1]);
        let flipped = self.constant(a).is_some() && self.constant(b).is_none();
        let relation = match (op, flipped) {
            (Selection::Less, false) => Relation::Less,
            (Selection::Less, true) => Relation::Greater,
            (Selection::LessEqual, false) => Relation::LessEqual,
            (Selection::LessEqual, true) => Relation::GreaterEqual,
            (Selection::NotEqual, _) => Relation::NotEqual,
            _ => Relation::Equal,
        };
        let (a, b) = if flipped { (b, a) } else { (a, b) };
        Form::Compare(relation, Part::Node(a), Part::Node(b))
    }

    /// A chain of selections down the last operand.
    fn choice(&self, id: Id) -> Form {
        if let Some(masked) = tensor::masked(self, id) {
            return masked;
        }
        let mut branches = Vec::new();
        let mut node = id;
        while let Op::Selection(Selection::Select) = self.graph.op(node) {
            if node != id && self.is_name(node) {
                break;
            }
            let operands = operands(self.graph, node);
            branches.push((Part::Node(operands[0]), Part::Node(operands[1])));
            node = operands[2];
        }
        Form::Choice(branches, Part::Node(node))
    }
}
