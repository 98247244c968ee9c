//! A place among the tokens of a program, and what can be asked for there.

use super::tree::{Body, Name};
use crate::error::{Diagnostic, Error, Span};
use crate::syntax::ast::Ast;
use crate::syntax::build::Builder;
use crate::syntax::parse::parse_expression;
use crate::syntax::scan::Spanned;
use crate::syntax::token::Token;

/// Walks the tokens once, from left to right.
pub(super) struct Cursor<'s, 't> {
    pub(super) source: &'s str,
    tokens: &'t [Spanned],
    at: usize,
    pub(super) builder: Builder<'s>,
}

impl<'s, 't> Cursor<'s, 't> {
    pub(super) fn new(source: &'s str, tokens: &'t [Spanned], builder: Builder<'s>) -> Self {
        Cursor { source, tokens, at: 0, builder }
    }

    pub(super) fn finish(self) -> Ast {
        self.builder.finish(Vec::new())
    }

    pub(super) fn token(&self) -> Option<Token> {
        self.tokens.get(self.at).map(|t| t.0)
    }

    /// The token `n` places further on.
    pub(super) fn ahead(&self, n: usize) -> Option<Token> {
        self.tokens.get(self.at + n).map(|t| t.0)
    }

    /// The place of the next token, or the end.
    pub(super) fn span(&self) -> Span {
        self.tokens.get(self.at).map_or(Span::at(self.source.trim_end().len() as u32), |t| t.1)
    }

    /// The place of the token before.
    pub(super) fn before(&self) -> Span {
        self.at.checked_sub(1).map_or(Span::at(0), |i| self.tokens[i].1)
    }

    /// The text of the next token.
    pub(super) fn text(&self) -> &'s str {
        self.span().text(self.source)
    }

    pub(super) fn skip(&mut self) {
        self.at += 1;
    }

    pub(super) fn eat(&mut self, token: Token) -> bool {
        let found = self.token() == Some(token);
        self.at += usize::from(found);
        found
    }

    pub(super) fn skip_separators(&mut self) {
        while self.eat(Token::Separator) {}
    }

    /// The statement ends here.
    pub(super) fn at_end(&self) -> bool {
        matches!(self.token(), None | Some(Token::Separator | Token::CloseBrace))
    }

    pub(super) fn expect(&mut self, token: Token, wanted: &str, hint: &str) -> Result<Span, Error> {
        let span = self.span();
        match self.eat(token) {
            true => Ok(span),
            false => Err(self.unexpected(wanted, hint)),
        }
    }

    /// Something else was expected here.
    pub(super) fn unexpected(&self, wanted: &str, hint: &str) -> Error {
        let shown = match self.text() {
            "" => "the end".to_owned(),
            "\n" => "the end of the line".to_owned(),
            text => format!("`{}`", text.chars().take(30).collect::<String>()),
        };
        let diagnostic = Diagnostic::error(format!("{wanted} was expected, and here is {shown}"));
        // The end of a line is shown on its line.
        let span = if shown == "the end of the line" {
            Span::new(self.span().start, self.span().start)
        } else {
            self.span()
        };
        Error::syntax(diagnostic.at(span, "").hint(hint))
    }

    /// The text from the token at hand on.
    pub(super) fn rest(&self) -> &str {
        self.source.get(self.span().start as usize..).unwrap_or_default()
    }

    /// A name; one that touches a parenthesis or stands before `=` is one as well.
    pub(super) fn name(&mut self, wanted: &str, hint: &str) -> Result<Name, Error> {
        match self.token() {
            Some(Token::Name | Token::Callee | Token::ArgName | Token::Reducer) => {
                let span = self.span();
                self.at += 1;
                Ok(Name { symbol: self.builder.symbol(span.start, span.end), span })
            }
            _ => Err(self.unexpected(wanted, hint)),
        }
    }

    /// An expression that ends before the first of `stops` outside of its own brackets, or where
    /// the statement does.
    pub(super) fn expression(&mut self, stops: &[Token]) -> Result<Body, Error> {
        let from = self.at;
        let mut depth = 0usize;
        while let Some(&(token, _)) = self.tokens.get(self.at) {
            match token {
                Token::OpenParen
                | Token::OpenVector
                | Token::OpenIndex
                | Token::OpenReducer
                | Token::OpenBar => {
                    depth += 1;
                }
                Token::CloseParen
                | Token::CloseSquare
                | Token::CloseBar
                | Token::CloseReducer
                | Token::CloseReducerCall => {
                    if depth == 0 {
                        break;
                    }
                    depth -= 1;
                }
                Token::Separator | Token::OpenBrace | Token::CloseBrace => break,
                token if depth == 0 && stops.contains(&token) => break,
                Token::Name
                    if depth == 0 && self.at > from && self.is_in() && stops.contains(&Token::Name) =>
                {
                    break;
                }
                _ => {}
            }
            self.at += 1;
        }
        if from == self.at {
            return Err(self.unexpected("an expression", "write a number, a name or a formula"));
        }
        let start = self.builder.next();
        let root = parse_expression(&mut self.builder, self.source, self.tokens, from..self.at)?;
        Ok(Body { start, root })
    }

    /// The word `in`, where it is not a name.
    pub(super) fn is_in(&self) -> bool {
        self.text() == "in" && self.ahead(1) == Some(Token::OpenVector)
    }

    /// Expressions separated by commas up to a closing token, which is eaten.
    pub(super) fn expressions(&mut self, close: Token) -> Result<Vec<Body>, Error> {
        let mut all = Vec::new();
        while self.token() != Some(close) {
            all.push(self.expression(&[Token::Comma, close])?);
            if !self.eat(Token::Comma) {
                break;
            }
        }
        self.expect(close, "`,` or the closing bracket", "separate by `,`")?;
        Ok(all)
    }
}
