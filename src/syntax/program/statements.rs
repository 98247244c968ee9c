//! What a statement is, by its first words.

use super::cursor::Cursor;
use super::foreign;
use super::tree::{
    Block, Body, Bounds, Function, FunctionKind, Name, Parameter, Start, Statement, ValueKind,
};
use crate::error::{Diagnostic, Error, Span};
use crate::syntax::ast::{Binder, Reducer};
use crate::syntax::token::Token;

/// Blocks in blocks: a function in a layer in the program is three.
const DEPTH: usize = 8;

/// What a statement may begin with, for hints.
const WORDS: &str = "a statement is `name = …`, or begins with dim, input, param, layer, metric, minimize, \
                     maximize, optimizer, train or data";

impl Cursor<'_, '_> {
    /// The whole text.
    pub(super) fn program(&mut self) -> Result<Block, Error> {
        let mut block = Block::default();
        self.skip_separators();
        while self.token().is_some() {
            let expression = self.statement(&mut block.statements, 0)?;
            if let Some(body) = expression {
                return Err(Error::syntax(self.no_name(body)));
            }
            self.end_of_statement()?;
        }
        Ok(block)
    }

    fn end_of_statement(&mut self) -> Result<(), Error> {
        if !self.at_end() {
            let hint = match self.token() {
                Some(Token::Equals) => "one statement has one `=`; to compare write `==`",
                _ if let Some(mend) = foreign::goes_on(self.rest()) => mend,
                Some(Token::Name) => WORDS,
                _ => "statements are separated by line ends or `;`",
            };
            return Err(self.unexpected("the end of the statement", hint));
        }
        if let Some(Token::CloseBrace) = self.token() {
            return Ok(());
        }
        self.skip_separators();
        Ok(())
    }

    /// Reads one statement, or an expression alone, which is given back.
    fn statement(&mut self, into: &mut Vec<Statement>, depth: usize) -> Result<Option<Body>, Error> {
        match (self.token(), self.ahead(1)) {
            (Some(Token::Name), Some(Token::Name | Token::Callee | Token::Reducer)) => {
                self.worded(into, depth)?;
            }
            (Some(Token::Name), Some(Token::OpenBrace)) => self.settings_block(into)?,
            (Some(Token::Name), Some(Token::Equals)) => into.push(self.value(ValueKind::Definition)?),
            (Some(Token::Name), Some(Token::Assign)) => into.push(self.value(ValueKind::Update)?),
            (Some(Token::Name), Some(Token::OpenIndex)) if self.opens_head(1) => into.push(self.array()?),
            (Some(Token::Callee), _) if self.opens_head(1) => {
                into.push(Statement::Function(self.function(FunctionKind::Plain, depth)?));
            }
            (Some(Token::Name), Some(next)) if next.begins_operand() || next == Token::Minus => {
                match self.text() {
                    "minimize" | "minimise" | "maximize" | "maximise" => into.push(self.objective()?),
                    _ => return Ok(Some(self.expression(&[Token::Equals, Token::Tilde])?)),
                }
            }
            _ => return Ok(Some(self.expression(&[Token::Equals, Token::Tilde])?)),
        }
        Ok(None)
    }

    fn worded(&mut self, into: &mut Vec<Statement>, depth: usize) -> Result<(), Error> {
        match self.text() {
            "dim" => self.list(into, Cursor::dim),
            "input" => self.list(into, Cursor::input),
            "param" => self.list(into, Cursor::param),
            "state" => self.list(into, |cursor| cursor.value(ValueKind::State)),
            "metric" => self.list(into, Cursor::metric),
            "minimize" | "minimise" | "maximize" | "maximise" => {
                into.push(self.objective()?);
                Ok(())
            }
            "layer" | "optimizer" => {
                let kind = if self.text() == "layer" { FunctionKind::Layer } else { FunctionKind::Optimizer };
                self.skip();
                into.push(Statement::Function(self.function(kind, depth)?));
                Ok(())
            }
            other => {
                let message = format!("`{other}` begins no statement");
                let place = self.span();
                self.skip();
                let both = format!("{other}*{}", self.text());
                let near = [
                    "dim",
                    "input",
                    "param",
                    "layer",
                    "metric",
                    "minimize",
                    "maximize",
                    "optimizer",
                    "state",
                ]
                .iter()
                .find(|word| word.chars().take(2).eq(other.chars().take(2)));
                let hint = match near {
                    _ if foreign::begins(other).is_some() => {
                        foreign::begins(other).unwrap_or_default().to_owned()
                    }
                    Some(word) => format!("did you mean `{word}`? A product is written `{both}`"),
                    None => format!("{WORDS}; a product is written `{both}`"),
                };
                Err(Error::syntax(Diagnostic::error(message).at(place, "").hint(hint)))
            }
        }
    }

    /// `word one, two, three`
    fn list(
        &mut self,
        into: &mut Vec<Statement>,
        one: impl Fn(&mut Self) -> Result<Statement, Error>,
    ) -> Result<(), Error> {
        self.skip();
        loop {
            into.push(one(self)?);
            if !self.eat(Token::Comma) {
                return Ok(());
            }
        }
    }

    fn dim(&mut self) -> Result<Statement, Error> {
        let name = self.name("the name of a size", "as in `dim n = 8`")?;
        self.expect(Token::Equals, "`=`", "a size is given by a whole number, as in `dim n = 8`")?;
        Ok(Statement::Dim { name, value: self.expression(&[Token::Comma, Token::Equals])? })
    }

    fn input(&mut self) -> Result<Statement, Error> {
        let name = self.name("the name of an input", "as in `input x[2], y`")?;
        Ok(Statement::Input { name, extents: self.extents()? })
    }

    fn extents(&mut self) -> Result<Vec<Body>, Error> {
        if !self.eat(Token::OpenIndex) && !self.eat(Token::OpenReducer) {
            return Ok(Vec::new());
        }
        let close =
            if self.token() == Some(Token::CloseReducer) { Token::CloseReducer } else { Token::CloseSquare };
        self.expressions(close)
    }

    fn param(&mut self) -> Result<Statement, Error> {
        let name = self.name("the name of a parameter", "as in `param W[8, 2] ~ normal(0, 1)`")?;
        let extents = self.extents()?;
        let bounds = self.bounds()?;
        let start = match self.token() {
            Some(Token::Tilde) => self.distribution()?,
            Some(Token::Equals) => {
                self.skip();
                Start::Value(self.expression(&[Token::Comma, Token::Equals, Token::Name])?)
            }
            _ => {
                let hint = "say where it starts: `~ normal(0, 1)`, `~ glorot`, or `= 0`";
                return Err(self.unexpected("the parameter's first value", hint));
            }
        };
        let bounds = if bounds.is_some() { bounds } else { self.bounds()? };
        Ok(Statement::Param { name, extents, start, bounds })
    }

    fn distribution(&mut self) -> Result<Start, Error> {
        self.skip();
        let name =
            self.name("a distribution", "one of normal(m, s), uniform(a, b), glorot, he, orthogonal")?;
        let called = self.eat(Token::OpenParen);
        let args = if called { self.expressions(Token::CloseParen)? } else { Vec::new() };
        Ok(Start::Distribution { name, args })
    }

    /// `in [lo, hi]`, perhaps absent.
    fn bounds(&mut self) -> Result<Option<Bounds>, Error> {
        if self.text() != "in" || !matches!(self.ahead(1), Some(Token::OpenVector | Token::OpenIndex)) {
            return Ok(None);
        }
        let start = self.span();
        self.skip();
        self.skip();
        let lo = self.bound(Token::Comma)?;
        self.expect(Token::Comma, "`,`", "bounds are `in [least, greatest]`")?;
        let hi = self.bound(Token::CloseSquare)?;
        let end = self.expect(Token::CloseSquare, "`]`", "bounds are `in [least, greatest]`")?;
        Ok(Some(Bounds { lo, hi, span: start.to(end) }))
    }

    /// One end: nothing, `inf`, `-inf`, or an expression.
    fn bound(&mut self, stop: Token) -> Result<Option<Body>, Error> {
        let sign = usize::from(matches!(self.token(), Some(Token::Minus | Token::Plus)));
        if self.token() == Some(stop) {
            return Ok(None);
        }
        if self.ahead(sign) == Some(Token::Name) && self.ahead(sign + 1) == Some(stop) {
            let mut name = self.span();
            if sign == 1 {
                self.skip();
                name = self.span();
                if name.text(self.source) == "inf" {
                    self.skip();
                    return Ok(None);
                }
                let hint = "give the bound a name of its own, or write the number";
                return Err(self.unexpected("a number or `inf`", hint));
            }
            if name.text(self.source) == "inf" {
                self.skip();
                return Ok(None);
            }
        }
        Ok(Some(self.expression(&[Token::Comma, stop])?))
    }

    fn value(&mut self, kind: ValueKind) -> Result<Statement, Error> {
        let name = self.name("a name", "as in `m = 0`")?;
        let sign = if kind == ValueKind::Update { Token::Assign } else { Token::Equals };
        self.expect(sign, "`=`", "a value is `name = …`")?;
        Ok(Statement::Value { name, kind, body: self.expression(&[Token::Equals, Token::Comma])? })
    }

    fn metric(&mut self) -> Result<Statement, Error> {
        let name = self.name("the name of a metric", "as in `metric accuracy = argmax(z) == y`")?;
        self.expect(Token::Equals, "`=`", "as in `metric accuracy = argmax(z) == y`")?;
        Ok(Statement::Metric { name, body: self.expression(&[Token::Equals, Token::Comma])? })
    }

    fn objective(&mut self) -> Result<Statement, Error> {
        let (maximize, span) = (self.text().starts_with("max"), self.span());
        self.skip();
        let body = self.expression(&[Token::Equals])?;
        Ok(Statement::Objective { maximize, span, body })
    }

    /// `C[i, k = 0:n] = body`
    fn array(&mut self) -> Result<Statement, Error> {
        let start = self.span();
        let name = self.name("a name", "")?;
        self.skip();
        let mut binders: Vec<Binder> = Vec::new();
        let first = self.builder.next();
        loop {
            let ranged = self.token() == Some(Token::ArgName);
            let index = self.name("an index", "`C[i, k] = …` names its indices; an index is a name")?;
            let range = match ranged {
                false => None,
                true => {
                    let from = self.expression(&[Token::Colon, Token::Comma])?;
                    self.expect(Token::Colon, "`:`", "a range is `i = 0:n`")?;
                    Some((from.root, self.expression(&[Token::Comma])?.root))
                }
            };
            binders.push(Binder { name: index.symbol, span: index.span, range });
            if !self.eat(Token::Comma) {
                break;
            }
        }
        self.expect(Token::CloseSquare, "`]`", "`C[i, k] = …` defines an array by its elements")?;
        self.expect(Token::Equals, "`=`", "`C[i, k] = …` defines an array by its elements")?;
        let body = self.expression(&[Token::Equals, Token::Comma])?;
        let span = start.to(self.before());
        let height = binders.into_iter().fold(None, |height: Option<u32>, binder| {
            Some(match height {
                None => self.builder.first_binder(binder),
                Some(height) => self.builder.binder(height, binder),
            })
        });
        let height = height.expect("the loop has pushed one");
        let root = self.builder.indexed((Reducer::Collect, height), body.root, span.start, span.end);
        Ok(Statement::Value { name, kind: ValueKind::Definition, body: Body { start: first, root } })
    }

    /// What opens `n` tokens ahead closes before `=` or a block: a definition's head.
    fn opens_head(&self, n: usize) -> bool {
        let mut depth = 0usize;
        for i in n.. {
            match self.ahead(i) {
                Some(Token::OpenParen | Token::OpenVector | Token::OpenIndex | Token::OpenReducer) => {
                    depth += 1
                }
                Some(
                    Token::CloseParen | Token::CloseSquare | Token::CloseReducer | Token::CloseReducerCall,
                ) => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return matches!(self.ahead(i + 1), Some(Token::Equals | Token::OpenBrace));
                    }
                }
                None | Some(Token::Separator) => return false,
                _ => {}
            }
        }
        false
    }

    /// `f(x, a = 1) = body`, or with a block.
    fn function(&mut self, kind: FunctionKind, depth: usize) -> Result<Function, Error> {
        let name = self.name("the name of a function", "as in `layer dense(x, n) { … }`")?;
        self.expect(Token::OpenParen, "`(`", "a function has parameters: `f(x) = …`")?;
        let mut parameters: Vec<Parameter> = Vec::new();
        while self.token() != Some(Token::CloseParen) {
            let has_default = self.token() == Some(Token::ArgName);
            let name =
                self.name("the name of a parameter", "a parameter is a name, as in `f(x, a = 1) = …`")?;
            if let Some(first) = parameters.iter().find(|p| p.name.symbol == name.symbol) {
                return Err(Error::name(twice(self.builder.text_of(name.symbol), name, first.name)));
            }
            let default =
                if has_default { Some(self.expression(&[Token::Comma, Token::CloseParen])?) } else { None };
            parameters.push(Parameter { name, default });
            if !self.eat(Token::Comma) {
                break;
            }
        }
        self.expect(Token::CloseParen, "`,` or `)`", "parameters are separated by `,`")?;
        let equals = self.eat(Token::Equals);
        let block = match self.token() {
            Some(Token::OpenBrace) => self.block(kind, depth + 1)?,
            _ if equals => Block { statements: Vec::new(), value: Some(self.expression(&[Token::Equals])?) },
            _ => return Err(self.unexpected("`=` or `{`", "a function is `f(x) = …` or `f(x) = { … }`")),
        };
        Ok(Function { kind, name, parameters, block })
    }

    /// `{ statements; value }`
    fn block(&mut self, kind: FunctionKind, depth: usize) -> Result<Block, Error> {
        let open = self.span();
        if depth > DEPTH {
            let message = format!("more than {DEPTH} blocks inside one another");
            return Err(Error::limit(Diagnostic::error(message).at(open, "one too many")));
        }
        self.skip();
        self.skip_separators();
        let mut block = Block::default();
        while self.token() != Some(Token::CloseBrace) {
            if let Some(value) = block.value {
                let diagnostic = Diagnostic::error("a block goes on after its value");
                let diagnostic = diagnostic.at(self.builder_span(value), "this is not used");
                return Err(Error::syntax(
                    diagnostic.hint("the last line of a block is its value; name the others"),
                ));
            }
            block.value = self.statement(&mut block.statements, depth)?;
            self.end_of_statement()?;
        }
        self.skip();
        if block.value.is_none() && kind != FunctionKind::Optimizer {
            let diagnostic = Diagnostic::error("a block without a value").at(open, "this block");
            return Err(Error::syntax(
                diagnostic.hint("its last line is an expression: what the function gives"),
            ));
        }
        Ok(block)
    }

    fn no_name(&self, body: Body) -> Diagnostic {
        let span = self.builder_span(body);
        let mend = foreign::begins(span.text(self.source));
        Diagnostic::error("an expression alone does nothing here")
            .at(span, "its value is not used")
            .hint(mend.unwrap_or("give it a name, as in `h = …`, or ask for `minimize …`"))
    }

    fn builder_span(&self, body: Body) -> Span {
        self.builder.span_of(body.root)
    }
}

fn twice(text: &str, again: Name, first: Name) -> Diagnostic {
    Diagnostic::error(format!("the parameter `{text}` is named twice"))
        .at(again.span, "named again")
        .and_at(first.span, "first")
}
