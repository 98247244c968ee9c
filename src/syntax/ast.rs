//! The syntax tree: an arena of expressions, each with its place in the source.
//!
//! What must stay true: children stand before their parents in the arena, so a loop over
//! `0..len` is a bottom-up walk and nothing ever recurses; every expression belongs to one
//! statement, or is the left-over of nothing: heads of definitions leave no expressions behind.

use std::fmt;
use std::ops::Index;

use smallvec::SmallVec;

use crate::error::Span;

/// The index of an expression in its [`Ast`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExprId(pub(super) u32);

impl ExprId {
    /// The first of any arena.
    pub const FIRST: ExprId = ExprId(0);

    /// The one after it in the arena.
    pub const fn next(self) -> ExprId {
        ExprId(self.0 + 1)
    }

    /// Its place in [`Ast::exprs`], for side tables.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for ExprId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "e{}", self.0)
    }
}

/// A name, interned: equal names are equal symbols. Numbered by first appearance in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(pub(super) u32);

impl Symbol {
    /// Its number, for side tables: below [`Ast::symbol_count`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s{}", self.0)
    }
}

/// A list of expressions, items or subscripts, stored beside the arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct List {
    pub(super) start: u32,
    pub(super) len: u32,
}

impl List {
    fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.start as usize + self.len as usize
    }
}

/// One expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// What an expression is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExprKind {
    /// A number; [`Ast::number_text`] has its plain digits.
    Number,
    /// A name standing alone: a variable, a constant, or a function about to be applied.
    Name(Symbol),
    /// `(e)`. Kept, because `sin (x) y` and `sin x y` differ.
    Group(ExprId),
    /// `-e`.
    Neg(ExprId),
    /// `+e`.
    Plus(ExprId),
    /// `l + r`, `l - r`, and products of explicit operators only.
    Binary {
        /// The operator.
        op: BinaryOp,
        /// The left operand.
        lhs: ExprId,
        /// The right operand.
        rhs: ExprId,
    },
    /// `l < r` and its kin; never chained.
    Compare {
        /// The relation.
        op: CompareOp,
        /// The left operand.
        lhs: ExprId,
        /// The right operand.
        rhs: ExprId,
    },
    /// `e'` or `eᵀ`.
    Transpose(ExprId),
    /// `√e` or `∛e`.
    Root {
        /// Which root.
        degree: RootDegree,
        /// Of what.
        of: ExprId,
    },
    /// A chain of products with at least one juxtaposition, flat and in order; read it with
    /// [`Ast::items`], and see [`Item`] for how it is meant.
    Sequence(List),
    /// `name(args)`, the parenthesis touching the name. Whether the name is a function, or a
    /// variable times a parenthesis, elaboration decides.
    Call {
        /// The name; [`Ast::callee_span`] has its place.
        callee: Symbol,
        /// The arguments, perhaps none; read them with [`Ast::list`].
        args: List,
    },
    /// `|e|`.
    Abs(ExprId),
    /// `[a, b]`, perhaps empty; read it with [`Ast::list`].
    Vector(List),
    /// `base[subscripts]`; read the subscripts, at least one, with [`Ast::subscripts`].
    Index {
        /// What is indexed.
        base: ExprId,
        /// The subscripts, one an axis.
        subscripts: List,
    },
    /// `name = value` among the arguments of a call. Programs only, as all below.
    Named {
        /// The parameter.
        name: Symbol,
        /// Its value.
        value: ExprId,
    },
    /// `sum[i, j] body`, or the whole right side of `C[i, j] = body`.
    Indexed {
        /// How the values of all indices are combined.
        reducer: Reducer,
        /// The indices, at least one; read them with [`Ast::binders`].
        binders: List,
        /// What is computed for each of them.
        body: ExprId,
    },
}

/// What becomes of the values that a body has for all values of its indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reducer {
    /// `sum[i] …`
    Sum,
    /// `mean[i] …`
    Mean,
    /// `prod[i] …`
    Prod,
    /// `max[i] …`
    Max,
    /// `min[i] …`
    Min,
    /// `logsumexp[i] …`
    LogSumExp,
    /// They are the elements of an array: `C[i] = …`.
    Collect,
}

impl Reducer {
    /// The reducers that are written by name.
    #[rustfmt::skip]
    pub const NAMED: &'static [(&'static str, Reducer)] = &[
        ("sum",       Reducer::Sum),
        ("mean",      Reducer::Mean),
        ("prod",      Reducer::Prod),
        ("max",       Reducer::Max),
        ("min",       Reducer::Min),
        ("logsumexp", Reducer::LogSumExp),
    ];

    /// The reducer called `name`.
    pub fn from_name(name: &str) -> Option<Reducer> {
        Reducer::NAMED.iter().find(|row| row.0 == name).map(|row| row.1)
    }
}

/// One index of an [`ExprKind::Indexed`]: `i`, or `i = from:to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binder {
    /// The name.
    pub name: Symbol,
    /// Its place.
    pub span: Span,
    /// The first value and one past the last, where they are written.
    pub range: Option<(ExprId, ExprId)>,
}

/// Operators with two operands. Juxtaposition is not among them: see [`Link`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `^`, `**`, or a superscript
    Pow,
    /// `@`
    MatMul,
    /// `·`
    Dot,
}

/// Relations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompareOp {
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `==`
    Eq,
    /// `!=`
    Ne,
}

/// Which root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootDegree {
    /// `√`
    Sqrt,
    /// `∛`
    Cbrt,
}

/// How an item of a sequence hangs on the product to its left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// It is the first.
    First,
    /// Nothing is written between: `2x`.
    Juxtaposed,
    /// An operator is written: `*`, `/`, `@` or `·`.
    Explicit(BinaryOp),
}

/// One factor of a [`Sequence`](ExprKind::Sequence).
///
/// Juxtaposition ranks with `*` and `/`, left to right, so the items combine in order:
/// `1/2x` is the items `1`, `/ 2`, `x`, and means (1/2)·x. A function's bare name takes the
/// *juxtaposed* items that follow it as its argument, as far as elaboration sees fit, and never
/// past an explicit operator: `2 sin x / 3` is `2`, `sin`, `x`, `/ 3`. Signs and roots bind
/// tighter here: in `a * -sin x` the second item is `Neg(sin)`, and whoever looks for a
/// function's name peels [`Neg`](ExprKind::Neg), [`Plus`](ExprKind::Plus),
/// [`Root`](ExprKind::Root) (outside) and a power (inside, `sin^2 x`) off the operand.
/// Only an item with an explicit link can be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// How it hangs on what stands left of it.
    pub link: Link,
    /// The factor.
    pub operand: ExprId,
}

/// One subscript of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subscript {
    /// `x[i]`
    At(ExprId),
    /// `x[from:to]`, either end perhaps open.
    Range {
        /// The first element, from the beginning if absent.
        from: Option<ExprId>,
        /// One past the last element, to the end if absent.
        to: Option<ExprId>,
    },
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// `name = body` or `name(params) = body`.
    Definition {
        /// The name being defined.
        name: Symbol,
        /// Its place.
        name_span: Span,
        /// The parameters, all different; `None` without parentheses.
        params: Option<Vec<(Symbol, Span)>>,
        /// The right side.
        body: ExprId,
    },
    /// An expression.
    Expression(ExprId),
}

impl Statement {
    /// The expression, or the definition's right side.
    pub fn body(&self) -> ExprId {
        match self {
            Statement::Definition { body, .. } | Statement::Expression(body) => *body,
        }
    }
}

/// A `d/dx`, `d²/dx²` or `∂²/∂x∂y` at the head of the last statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derivative {
    /// The variables below the bar with their orders, as written.
    pub by: Vec<(Symbol, u32)>,
    /// The place of the whole head.
    pub span: Span,
}

impl Derivative {
    /// The total order.
    pub fn order(&self) -> u32 {
        self.by.iter().map(|(_, order)| order).sum()
    }
}

/// A parsed text: statements over an arena of expressions.
///
/// Its `Display` is an S-expression, for tests and for looking.
#[derive(Clone, Debug, Default)]
pub struct Ast {
    pub(super) source: String,
    pub(super) exprs: Vec<Expr>,
    pub(super) operands: Vec<ExprId>,
    pub(super) items: Vec<Item>,
    pub(super) subscripts: Vec<Subscript>,
    pub(super) binders: Vec<Binder>,
    pub(super) symbols: Vec<String>,
    pub(super) statements: Vec<Statement>,
    pub(super) derivatives: Vec<Derivative>,
}

/// The children of one expression, left to right.
pub type Children = SmallVec<[ExprId; 4]>;

impl Ast {
    /// The text it was read from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The statements in order; at least one.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// The derivatives heading the last statement, outermost first; mostly none.
    pub fn derivatives(&self) -> &[Derivative] {
        &self.derivatives
    }

    /// All expressions, children before parents.
    pub fn exprs(&self) -> &[Expr] {
        &self.exprs
    }

    /// The ids of all expressions, children before parents.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = ExprId> + use<> {
        (0..self.exprs.len() as u32).map(ExprId)
    }

    /// The place of an expression.
    pub fn span(&self, id: ExprId) -> Span {
        self[id].span
    }

    /// The source text of an expression.
    pub fn text(&self, id: ExprId) -> &str {
        self.span(id).text(&self.source)
    }

    /// A call's arguments or a vector's elements.
    pub fn list(&self, list: List) -> &[ExprId] {
        &self.operands[list.range()]
    }

    /// The items of a sequence, at least two.
    pub fn items(&self, list: List) -> &[Item] {
        &self.items[list.range()]
    }

    /// The indices of an [`ExprKind::Indexed`].
    pub fn binders(&self, list: List) -> &[Binder] {
        &self.binders[list.range()]
    }

    /// The subscripts of an index.
    pub fn subscripts(&self, list: List) -> &[Subscript] {
        &self.subscripts[list.range()]
    }

    /// The name a symbol stands for.
    pub fn name(&self, symbol: Symbol) -> &str {
        &self.symbols[symbol.index()]
    }

    /// How many different names the text has.
    pub fn symbol_count(&self) -> usize {
        self.symbols.len()
    }

    /// The place of the name in the call `id`: the name stands first and touches the parenthesis.
    pub fn callee_span(&self, id: ExprId) -> Span {
        let span = self.span(id);
        match self[id].kind {
            ExprKind::Call { callee, .. } => {
                Span::new(span.start, span.start + self.name(callee).len() as u32)
            }
            _ => span,
        }
    }

    /// A number's digits in ASCII: separators dropped, superscripts brought down.
    ///
    /// The form is `digits[.digits][e[+-]digits]`, either run of digits around the point
    /// perhaps empty, within [`Limits::literal_digits`](crate::Limits) and
    /// [`Limits::exponent`](crate::Limits).
    pub fn number_text(&self, id: ExprId) -> String {
        super::token::plain_number(self.text(id))
    }

    /// The children of an expression, left to right.
    pub fn children(&self, id: ExprId) -> Children {
        match self[id].kind {
            ExprKind::Number | ExprKind::Name(_) => Children::new(),
            ExprKind::Group(e) | ExprKind::Neg(e) | ExprKind::Plus(e) => Children::from_slice(&[e]),
            ExprKind::Transpose(e) | ExprKind::Abs(e) | ExprKind::Root { of: e, .. } => {
                Children::from_slice(&[e])
            }
            ExprKind::Binary { lhs, rhs, .. } | ExprKind::Compare { lhs, rhs, .. } => {
                Children::from_slice(&[lhs, rhs])
            }
            ExprKind::Named { value, .. } => Children::from_slice(&[value]),
            ExprKind::Indexed { binders, body, .. } => {
                let ranges = self.binders(binders).iter().filter_map(|b| b.range);
                ranges.flat_map(|(from, to)| [from, to]).chain([body]).collect()
            }
            ExprKind::Sequence(items) => self.items(items).iter().map(|i| i.operand).collect(),
            ExprKind::Call { args: list, .. } | ExprKind::Vector(list) => {
                Children::from_slice(self.list(list))
            }
            ExprKind::Index { base, subscripts } => {
                let subscripts = self.subscripts(subscripts).iter().flat_map(|s| match *s {
                    Subscript::At(e) => [Some(e), None],
                    Subscript::Range { from, to } => [from, to],
                });
                std::iter::once(base).chain(subscripts.flatten()).collect()
            }
        }
    }
}

impl Index<ExprId> for Ast {
    type Output = Expr;

    fn index(&self, id: ExprId) -> &Expr {
        &self.exprs[id.index()]
    }
}
