//! The statements of a program, their expressions in one arena.

use crate::error::Span;
use crate::syntax::ast::{Ast, ExprId, Symbol};

/// A program: statements, and the arena of all its expressions.
#[derive(Clone, Debug)]
pub struct Program {
    /// The expressions and names.
    pub ast: Ast,
    /// The statements.
    pub block: Block,
}

/// A name with its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub symbol: Symbol,
    /// Its place.
    pub span: Span,
}

/// An expression with all that is below it: the nodes `start..=root` of the arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Body {
    /// The first node.
    pub start: ExprId,
    /// The last node: the expression itself.
    pub root: ExprId,
}

impl Body {
    /// Its nodes, children before parents.
    pub fn ids(self) -> impl DoubleEndedIterator<Item = ExprId> {
        (self.start.0..=self.root.0).map(ExprId)
    }
}

/// Statements, and the value of what they are a block of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// In the order of the text.
    pub statements: Vec<Statement>,
    /// The expression at the end, in the block of a function.
    pub value: Option<Body>,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// `dim n = 8`
    Dim {
        /// Its name.
        name: Name,
        /// Its value.
        value: Body,
    },
    /// `input x[2]`
    Input {
        /// Its name.
        name: Name,
        /// The extents of its axes.
        extents: Vec<Body>,
    },
    /// `param W[8, 2] ~ normal(0, 1)`
    Param {
        /// Its name.
        name: Name,
        /// The extents of its axes.
        extents: Vec<Body>,
        /// Its value before training.
        start: Start,
        /// `in [lo, hi]`.
        bounds: Option<Bounds>,
    },
    /// `h = tanh(x)`, `C[i] = …`, `state m = 0`, or `m := …`.
    Value {
        /// Its name.
        name: Name,
        /// How it is written.
        kind: ValueKind,
        /// The right side.
        body: Body,
    },
    /// A function, a layer or an optimizer.
    Function(Function),
    /// `metric accuracy = …`
    Metric {
        /// Its name.
        name: Name,
        /// The right side.
        body: Body,
    },
    /// `minimize f` or `maximize f`.
    Objective {
        /// True for `maximize`.
        maximize: bool,
        /// The place of the word.
        span: Span,
        /// What is minimized.
        body: Body,
    },
    /// `train { … }`
    Train {
        /// The place of the word.
        span: Span,
        /// `key = value`.
        settings: Vec<Setting>,
    },
    /// `data { … }`
    Data {
        /// The place of the word.
        span: Span,
        /// `key = value`.
        settings: Vec<Setting>,
    },
}

/// How a value is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// `name = value`
    Definition,
    /// `state name = value`, of an optimizer
    State,
    /// `name := value`, of an optimizer
    Update,
}

/// The value of a parameter before training.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// `= 0`, a number or a list.
    Value(Body),
    /// `~ normal(0, 1)`
    Distribution {
        /// The distribution.
        name: Name,
        /// Its arguments.
        args: Vec<Body>,
    },
}

/// `in [lo, hi]`: an end is absent where it is open or infinite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The least value.
    pub lo: Option<Body>,
    /// The greatest value.
    pub hi: Option<Body>,
    /// The place of the whole.
    pub span: Span,
}

/// What a function is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionKind {
    /// `f(x) = …`
    Plain,
    /// `layer f(x) { … }`: it may own parameters.
    Layer,
    /// `optimizer f(lr) { … }`
    Optimizer,
}

/// A function with its block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// What it is for.
    pub kind: FunctionKind,
    /// Its name.
    pub name: Name,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// Its body; of a plain function mostly the value only.
    pub block: Block,
}

/// A parameter of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: Name,
    /// Its value where a call gives none.
    pub default: Option<Body>,
}

/// `key = value` in `train` or `data`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The key.
    pub key: Name,
    /// The value.
    pub value: SettingValue,
    /// The place of the value.
    pub span: Span,
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingValue {
    /// An expression; in `data`, an inline list.
    Expression(Body),
    /// `"…"`, without the quotes.
    Text(String),
    /// Names, ranges and patterns of columns; a single word is one of them.
    Picks(Vec<Pick>),
}

/// Some columns of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pick {
    /// One column, by name.
    Name(String, Span),
    /// `pixel_*`: all whose names begin like this.
    Prefix(String, Span),
    /// `a:b`: from one to another, both included, by name.
    Names(String, String, Span),
    /// `0:13`: by position, the end excluded.
    Positions(u64, u64, Span),
}
