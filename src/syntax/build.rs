//! Builds the arena for the grammar's actions.
//!
//! Lists under construction lie on stacks here, so that the parser's own values stay one word
//! and no list is allocated by itself. Brackets nest, and an LR parser finishes the inner list
//! before it goes on with the outer, so the stacks are used strictly last in, first out.

use std::borrow::Cow;

use rustc_hash::{FxHashMap, FxHashSet};

use super::ast::{
    Ast, BinaryOp, Binder, CompareOp, Derivative, Expr, ExprId, ExprKind, Item, Link, List, Reducer,
    Statement, Subscript, Symbol,
};
use super::heads::RawDerivative;
use crate::error::{Diagnostic, Span};

/// An [`Ast`] under construction.
pub(super) struct Builder<'s> {
    source: &'s str,
    ast: Ast,
    symbols: FxHashMap<&'s str, Symbol>,
    items: Vec<Item>,
    args: Vec<ExprId>,
    subscripts: Vec<Subscript>,
    binders: Vec<Binder>,
    /// The arena's size when the statement under construction began.
    mark: Mark,
}

#[derive(Clone, Copy, Default)]
struct Mark {
    exprs: usize,
    operands: usize,
    items: usize,
    subscripts: usize,
}

/// The left side of a definition.
pub(super) struct Head {
    name: Symbol,
    name_span: Span,
    params: Option<Vec<(Symbol, Span)>>,
}

impl<'s> Builder<'s> {
    pub(super) fn new(source: &'s str) -> Builder<'s> {
        Builder {
            source,
            ast: Ast::default(),
            symbols: FxHashMap::default(),
            items: Vec::new(),
            args: Vec::new(),
            subscripts: Vec::new(),
            binders: Vec::new(),
            mark: Mark::default(),
        }
    }

    /// The finished tree.
    pub(super) fn finish(mut self, derivatives: Vec<RawDerivative>) -> Ast {
        for raw in derivatives {
            let by = raw.by.iter().map(|&(name, order)| (self.symbol(name.start, name.end), order));
            let by = by.collect();
            self.ast.derivatives.push(Derivative { by, span: raw.span });
        }
        self.ast.source = self.source.to_owned();
        self.ast
    }

    // Expressions.

    pub(super) fn push(&mut self, kind: ExprKind, start: u32, end: u32) -> ExprId {
        let id = ExprId(self.ast.exprs.len() as u32);
        self.ast.exprs.push(Expr { kind, span: Span::new(start, end) });
        id
    }

    pub(super) fn symbol(&mut self, start: u32, end: u32) -> Symbol {
        let name = Span::new(start, end).text(self.source);
        let symbols = &mut self.ast.symbols;
        *self.symbols.entry(name).or_insert_with(|| {
            symbols.push(name.to_owned());
            Symbol(symbols.len() as u32 - 1)
        })
    }

    pub(super) fn name(&mut self, start: u32, end: u32) -> ExprId {
        let symbol = self.symbol(start, end);
        self.push(ExprKind::Name(symbol), start, end)
    }

    pub(super) fn binary(&mut self, op: BinaryOp, lhs: ExprId, rhs: ExprId, start: u32, end: u32) -> ExprId {
        self.push(ExprKind::Binary { op, lhs, rhs }, start, end)
    }

    pub(super) fn compare(
        &mut self,
        op: CompareOp,
        lhs: ExprId,
        rhs: ExprId,
        start: u32,
        end: u32,
    ) -> ExprId {
        self.push(ExprKind::Compare { op, lhs, rhs }, start, end)
    }

    /// `base` to a superscript's power: a sign, digits and an ⁿ, each perhaps absent.
    pub(super) fn superscript(&mut self, base: ExprId, start: u32, end: u32) -> ExprId {
        const WIDTH: u32 = 'ⁿ'.len_utf8() as u32;
        let text = Span::new(start, end).text(self.source);
        let sign = text.chars().next().filter(|c| "⁺⁻".contains(*c));
        let digits_start = if sign.is_some() { start + WIDTH } else { start };
        let digits_end = if text.ends_with('ⁿ') { end - WIDTH } else { end };

        let digits =
            (digits_start < digits_end).then(|| self.push(ExprKind::Number, digits_start, digits_end));
        let n = (digits_end < end).then(|| {
            let n = self.intern("n");
            self.push(ExprKind::Name(n), digits_end, end)
        });
        let magnitude = match (digits, n) {
            (Some(digits), Some(n)) => {
                let chain = self.first(digits);
                self.link(chain, Link::Juxtaposed, n);
                self.chain(chain)
            }
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => unreachable!("the token has digits or an ⁿ"),
        };
        let exponent = match sign {
            Some('⁻') => self.push(ExprKind::Neg(magnitude), start, end),
            Some(_) => self.push(ExprKind::Plus(magnitude), start, end),
            None => magnitude,
        };
        self.binary(BinaryOp::Pow, base, exponent, self.ast.span(base).start, end)
    }

    fn intern(&mut self, name: &'static str) -> Symbol {
        let symbols = &mut self.ast.symbols;
        *self.symbols.entry(name).or_insert_with(|| {
            symbols.push(name.to_owned());
            Symbol(symbols.len() as u32 - 1)
        })
    }

    // Products.

    /// Begins a chain; the result is the stack's height below it.
    pub(super) fn first(&mut self, operand: ExprId) -> u32 {
        let height = self.items.len() as u32;
        self.items.push(Item { link: Link::First, operand });
        height
    }

    pub(super) fn link(&mut self, chain: u32, link: Link, operand: ExprId) -> u32 {
        self.items.push(Item { link, operand });
        chain
    }

    /// Ends a chain: one factor is itself, explicit operators nest to the left, and a chain
    /// with a juxtaposition in it stays flat.
    pub(super) fn chain(&mut self, chain: u32) -> ExprId {
        let chain = chain as usize;
        if self.items[chain..].iter().any(|item| item.link == Link::Juxtaposed) {
            let (first, last) = (self.items[chain], self.items[self.items.len() - 1]);
            let list = list(self.ast.items.len(), self.items.len() - chain);
            self.ast.items.extend(self.items.drain(chain..));
            let (start, end) = (self.ast.span(first.operand).start, self.ast.span(last.operand).end);
            return self.push(ExprKind::Sequence(list), start, end);
        }
        let mut product = self.items[chain].operand;
        for i in chain + 1..self.items.len() {
            let Item { link: Link::Explicit(op), operand } = self.items[i] else {
                unreachable!("only the first item has no operator");
            };
            let (start, end) = (self.ast.span(product).start, self.ast.span(operand).end);
            product = self.binary(op, product, operand, start, end);
        }
        self.items.truncate(chain);
        product
    }

    // Lists.

    pub(super) fn no_args(&mut self) -> u32 {
        self.args.len() as u32
    }

    pub(super) fn first_arg(&mut self, arg: ExprId) -> u32 {
        let height = self.args.len() as u32;
        self.arg(height, arg)
    }

    pub(super) fn arg(&mut self, height: u32, arg: ExprId) -> u32 {
        self.args.push(arg);
        height
    }

    fn args(&mut self, height: u32) -> List {
        let list = list(self.ast.operands.len(), self.args.len() - height as usize);
        self.ast.operands.extend(self.args.drain(height as usize..));
        list
    }

    pub(super) fn call(&mut self, callee: Symbol, args: u32, start: u32, end: u32) -> ExprId {
        let args = self.args(args);
        self.push(ExprKind::Call { callee, args }, start, end)
    }

    pub(super) fn vector(&mut self, args: u32, start: u32, end: u32) -> ExprId {
        let elements = self.args(args);
        self.push(ExprKind::Vector(elements), start, end)
    }

    pub(super) fn first_subscript(&mut self, subscript: Subscript) -> u32 {
        let height = self.subscripts.len() as u32;
        self.subscript(height, subscript)
    }

    pub(super) fn subscript(&mut self, height: u32, subscript: Subscript) -> u32 {
        self.subscripts.push(subscript);
        height
    }

    pub(super) fn index(&mut self, base: ExprId, height: u32, start: u32, end: u32) -> ExprId {
        let height = height as usize;
        let subscripts = list(self.ast.subscripts.len(), self.subscripts.len() - height);
        self.ast.subscripts.extend(self.subscripts.drain(height..));
        self.push(ExprKind::Index { base, subscripts }, start, end)
    }

    // Programs.

    /// `first |> f` or `first |> f(args)`: the call's place is that of its right part.
    pub(super) fn pipe(
        &mut self,
        first: ExprId,
        call: Option<(Symbol, u32)>,
        start: u32,
        end: u32,
    ) -> ExprId {
        let (callee, height) = match call {
            Some(call) => call,
            None => (self.symbol(start, end), self.no_args()),
        };
        self.args.insert(height as usize, first);
        self.call(callee, height, start, end)
    }

    pub(super) fn reducer(&mut self, start: u32, end: u32) -> Reducer {
        let name = Span::new(start, end).text(self.source);
        Reducer::from_name(name).expect("the scan makes reducers of their names only")
    }

    pub(super) fn index_name(&mut self, start: u32, end: u32) -> Binder {
        Binder { name: self.symbol(start, end), span: Span::new(start, end), range: None }
    }

    pub(super) fn first_binder(&mut self, binder: Binder) -> u32 {
        let height = self.binders.len() as u32;
        self.binder(height, binder)
    }

    pub(super) fn binder(&mut self, height: u32, binder: Binder) -> u32 {
        self.binders.push(binder);
        height
    }

    pub(super) fn indexed(
        &mut self,
        (reducer, height): (Reducer, u32),
        body: ExprId,
        start: u32,
        end: u32,
    ) -> ExprId {
        let height = height as usize;
        let binders = list(self.ast.binders.len(), self.binders.len() - height);
        self.ast.binders.extend(self.binders.drain(height..));
        self.push(ExprKind::Indexed { reducer, binders, body }, start, end)
    }

    /// The expressions so far: the id of the next one.
    pub(super) fn next(&self) -> ExprId {
        ExprId(self.ast.exprs.len() as u32)
    }

    /// The place of an expression already read.
    pub(super) fn span_of(&self, id: ExprId) -> Span {
        self.ast.span(id)
    }

    /// A name already read.
    pub(super) fn text_of(&self, symbol: Symbol) -> &str {
        self.ast.name(symbol)
    }

    // Statements.

    pub(super) fn expression(&mut self, e: ExprId) {
        self.statement(Statement::Expression(e));
    }

    pub(super) fn definition(&mut self, head: Head, body: ExprId) {
        let Head { name, name_span, params } = head;
        self.statement(Statement::Definition { name, name_span, params, body });
    }

    fn statement(&mut self, statement: Statement) {
        self.ast.statements.push(statement);
        self.mark = Mark {
            exprs: self.ast.exprs.len(),
            operands: self.ast.operands.len(),
            items: self.ast.items.len(),
            subscripts: self.ast.subscripts.len(),
        };
    }

    /// Takes the expression before an `=` back out of the arena and reads it as a head.
    pub(super) fn head(&mut self, e: ExprId, start: u32, end: u32) -> Result<Head, Box<Diagnostic>> {
        let equals = Span::new(start, end);
        let name_span = self.ast.callee_span(e);
        let (name, params) = match self.ast[e].kind {
            ExprKind::Name(name) => (name, None),
            ExprKind::Call { callee, args } => (callee, Some(self.params(args)?)),
            kind => return Err(Box::new(not_a_head(kind, self.ast.span(e), equals))),
        };
        self.ast.exprs.truncate(self.mark.exprs);
        self.ast.operands.truncate(self.mark.operands);
        self.ast.items.truncate(self.mark.items);
        self.ast.subscripts.truncate(self.mark.subscripts);
        Ok(Head { name, name_span, params })
    }

    fn params(&self, args: List) -> Result<Vec<(Symbol, Span)>, Box<Diagnostic>> {
        let mut seen = FxHashSet::default();
        let mut params = Vec::new();
        for &arg in self.ast.list(args) {
            let span = self.ast.span(arg);
            let ExprKind::Name(name) = self.ast[arg].kind else {
                let message = "a parameter of a definition must be a name";
                let diagnostic = Diagnostic::error(message)
                    .at(span, "not a name")
                    .hint("`f(x) = …` defines f; to compare two values write `==`");
                return Err(Box::new(diagnostic));
            };
            if !seen.insert(name) {
                let message = format!("the parameter `{}` is named twice", self.ast.name(name));
                return Err(Box::new(Diagnostic::error(message).at(span, "named again")));
            }
            params.push((name, span));
        }
        Ok(params)
    }
}

fn list(start: usize, len: usize) -> List {
    List { start: start as u32, len: len as u32 }
}

fn not_a_head(kind: ExprKind, left: Span, equals: Span) -> Diagnostic {
    let (message, label, hint): (_, _, Cow<'static, str>) = match kind {
        ExprKind::Number => (
            "a number cannot be given a value",
            "not a name",
            "a definition is `name = value`; to compare two values write `==`".into(),
        ),
        ExprKind::Index { .. } => (
            "an element cannot be defined by itself",
            "not a name",
            "define the whole vector, as in `x = [1, 2]`".into(),
        ),
        _ => (
            "this is an equation; an expression or a definition was expected",
            "the left of `=` is not a name",
            "move everything to one side, or write `==` to compare".into(),
        ),
    };
    Diagnostic::error(message).at(equals, "").and_at(left, label).hint(hint)
}
