//! Raw tokens → the grammar's tokens: brackets, bars, touching parentheses, line ends, budgets.
//!
//! One pass. After it every bracket and bar has its partner, nesting is within its budget (so
//! the parser's stack is too), and two numbers never stand side by side.

use logos::Logos;

use super::token::{Token, plain_number, stray};
use crate::error::{Diagnostic, Error, Span};
use crate::limits::Limits;

/// A token and its place.
pub(super) type Spanned = (Token, Span);

/// Which of the two languages a text is in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// A formula: pasted mathematics.
    Expression,
    /// A program: braces, `|>`, `~`, named arguments and index notation as well.
    Program,
}

/// The tokens of `source` as the grammar wants them. At least one, and no statement is empty.
pub(super) fn scan(source: &str, dialect: Dialect, limits: &Limits) -> Result<Vec<Spanned>, Error> {
    let mut scan = Scan { source, dialect, limits, tokens: Vec::new(), open: Vec::new() };
    for (token, range) in Token::lexer(source).spanned() {
        let span = Span::new(range.start as u32, range.end as u32);
        match token {
            Ok(token) => scan.read(token, span)?,
            Err(()) => return Err(Error::syntax(stray_in(source, dialect, span.start))),
        }
    }
    scan.finish()
}

pub(super) struct Scan<'s> {
    pub(super) source: &'s str,
    dialect: Dialect,
    limits: &'s Limits,
    pub(super) tokens: Vec<Spanned>,
    /// Opening brackets, braces and bars without a partner yet.
    pub(super) open: Vec<Spanned>,
}

impl Scan<'_> {
    fn read(&mut self, token: Token, span: Span) -> Result<(), Error> {
        match self.dialect {
            Dialect::Program => self.push_of_program(token, span),
            Dialect::Expression => match token {
                Token::Assign => {
                    self.push(Token::Colon, Span::new(span.start, span.start + 1))?;
                    self.push(Token::Equals, Span::new(span.start + 1, span.end))
                }
                Token::OpenBrace | Token::CloseBrace | Token::Tilde | Token::Text => {
                    Err(Error::syntax(stray_character(self.source, span.start)))
                }
                token => self.push(token, span),
            },
        }
    }

    pub(super) fn push(&mut self, token: Token, span: Span) -> Result<(), Error> {
        let token = match token {
            Token::Number => self.number(span)?,
            Token::Superscript => self.superscript(span)?,
            Token::OpenParen => self.open_paren(span)?,
            Token::OpenVector => self.open_square(span)?,
            Token::OpenBar => self.bar(span)?,
            Token::OpenBrace => self.open(token, span)?,
            Token::CloseParen | Token::CloseSquare | Token::CloseBrace => self.close(token, span)?,
            Token::Newline | Token::Separator => match self.separator(token, span)? {
                Some(token) => token,
                None => return Ok(()),
            },
            token => token,
        };
        if self.tokens.len() >= self.limits.tokens {
            return Err(Error::limit(too_many_tokens(self.limits.tokens, span)));
        }
        self.tokens.push((token, span));
        Ok(())
    }

    pub(super) fn previous(&self) -> Option<Spanned> {
        self.tokens.last().copied()
    }

    pub(super) fn previous_ends_operand(&self) -> bool {
        self.previous().is_some_and(|(token, _)| token.ends_operand())
    }

    /// The previous token, where nothing stands between it and `span`.
    pub(super) fn touching(&mut self, span: Span) -> Option<&mut Token> {
        let (token, before) = self.tokens.last_mut()?;
        (before.end == span.start).then_some(token)
    }

    fn number(&mut self, span: Span) -> Result<Token, Error> {
        let text = span.text(self.source);
        check_number(text, span, self.limits)?;
        if let Some((Token::Number, before)) = self.previous() {
            return Err(Error::syntax(two_numbers(self.source, before, span)));
        }
        Ok(Token::Number)
    }

    fn superscript(&mut self, span: Span) -> Result<Token, Error> {
        check_number(span.text(self.source), span, self.limits)?;
        if let Some((Token::Superscript, before)) = self.previous() {
            let diagnostic = Diagnostic::error("two superscripts side by side")
                .at(span, "a second power")
                .and_at(before, "the first")
                .hint("write the power with `^` and parentheses, as in x^(2*n - 1)");
            return Err(Error::syntax(diagnostic));
        }
        Ok(Token::Superscript)
    }

    fn open_paren(&mut self, span: Span) -> Result<Token, Error> {
        if let Some(before) = self.touching(span) {
            *before = match *before {
                Token::Name => Token::Callee,
                Token::Root(degree) => Token::RootCall(degree),
                token => token,
            };
        }
        self.open(Token::OpenParen, span)
    }

    fn open_square(&mut self, span: Span) -> Result<Token, Error> {
        let indexes = self.touching(span).is_some_and(|t| t.ends_operand() && *t != Token::Number);
        self.open(if indexes { Token::OpenIndex } else { Token::OpenVector }, span)
    }

    fn bar(&mut self, span: Span) -> Result<Token, Error> {
        if matches!(self.open.last(), Some((Token::OpenBar, _))) && self.previous_ends_operand() {
            self.open.pop();
            return Ok(Token::CloseBar);
        }
        self.open(Token::OpenBar, span)
    }

    pub(super) fn open(&mut self, token: Token, span: Span) -> Result<Token, Error> {
        if self.open.len() >= self.limits.nesting {
            let limit = self.limits.nesting;
            let diagnostic = Diagnostic::error(format!("more than {limit} brackets open at once"))
                .at(span, "one too many")
                .hint("name parts of the expression, `t = …; …t…`, or raise the nesting limit");
            return Err(Error::limit(diagnostic));
        }
        self.open.push((token, span));
        Ok(token)
    }

    fn close(&mut self, token: Token, span: Span) -> Result<Token, Error> {
        let partner = self.open.pop();
        let fits = matches!(
            (partner, token),
            (Some((Token::OpenParen, _)), Token::CloseParen)
                | (Some((Token::OpenVector | Token::OpenIndex | Token::OpenReducer, _)), Token::CloseSquare)
                | (Some((Token::OpenBrace, _)), Token::CloseBrace)
        );
        if fits {
            return Ok(match partner {
                Some((Token::OpenReducer, _)) => self.close_reducer(span),
                _ => token,
            });
        }
        let closing = span.text(self.source);
        Err(Error::syntax(match partner {
            Some((open, at)) => mismatched(at.text(self.source), at, closer(open), closing, span),
            None => Diagnostic::error(format!("`{closing}` closes nothing"))
                .at(span, "no bracket is open here")
                .hint("remove it, or open the bracket before it"),
        }))
    }

    fn separator(&mut self, token: Token, span: Span) -> Result<Option<Token>, Error> {
        let bracket = self.open.last().filter(|(open, _)| *open != Token::OpenBrace);
        if let (Token::Separator, Some(&(open, at))) = (token, bracket) {
            let opening = at.text(self.source);
            let diagnostic = Diagnostic::error(format!("`;` before `{opening}` is closed"))
                .at(span, format!("`{}` is missing before it", closer(open)))
                .and_at(at, "opened here")
                .hint("`;` separates statements; arguments and elements are separated by `,`");
            return Err(Error::syntax(diagnostic));
        }
        let in_brackets = self.open.last().is_some_and(|(open, _)| *open != Token::OpenBrace);
        let continues = in_brackets
            || match self.previous() {
                None | Some((Token::Separator | Token::OpenBrace, _)) => true,
                Some((before, _)) => token == Token::Newline && before.awaits_operand(),
            };
        Ok((!continues).then_some(Token::Separator))
    }

    fn finish(mut self) -> Result<Vec<Spanned>, Error> {
        if let Some(&(open, at)) = self.open.last() {
            return Err(Error::syntax(unclosed(self.source, open, at, &self.open)));
        }
        if let Some((Token::Separator, _)) = self.tokens.last() {
            self.tokens.pop();
        }
        if self.tokens.is_empty() {
            let (message, hint) = match self.dialect {
                Dialect::Expression => ("there is no expression", "give a formula, for example \"sin(x^2)\""),
                Dialect::Program => ("the program is empty", "begin with `input x, y` and `param w = 0`"),
            };
            let diagnostic = Diagnostic::error(message).at(Span::at(0), "nothing to read").hint(hint);
            return Err(Error::syntax(diagnostic));
        }
        Ok(self.tokens)
    }
}

pub(super) fn closer(open: Token) -> &'static str {
    match open {
        Token::OpenVector | Token::OpenIndex | Token::OpenReducer => "]",
        Token::OpenBar => "|",
        Token::OpenBrace => "}",
        _ => ")",
    }
}

/// Checks a number against the budgets of digits and exponent.
fn check_number(text: &str, span: Span, limits: &Limits) -> Result<(), Error> {
    const SAFE_EXPONENT_DIGITS: usize = 18; // fits i64 for certain
    let text = plain_number(text);
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let count = digits.bytes().filter(u8::is_ascii_digit).count();
    if count > limits.literal_digits {
        let limit = limits.literal_digits;
        let message = format!("a number of {count} digits; at most {limit} are read");
        return Err(Error::limit(Diagnostic::error(message).at(span, "too long")));
    }
    let magnitude = exponent.trim_start_matches(['+', '-']).trim_start_matches('0');
    let fits =
        magnitude.len() <= SAFE_EXPONENT_DIGITS && magnitude.parse::<i64>().unwrap_or(0) <= limits.exponent;
    if !fits {
        let limit = limits.exponent;
        let diagnostic = Diagnostic::error(format!("a decimal exponent beyond ±{limit}"))
            .at(span, "numbers are kept exactly, digit by digit");
        return Err(Error::limit(diagnostic));
    }
    Ok(())
}

fn two_numbers(source: &str, first: Span, second: Span) -> Diagnostic {
    let (a, b) = (first.text(source), second.text(source));
    if a.ends_with('.') && b.starts_with('.') {
        return Diagnostic::error("a range is not part of the language")
            .at(first.to(second), "")
            .hint("an index of a program runs over a size: `dim n = 5`, then `sum[i] x[i]^2`");
    }
    if first.end == second.start {
        return Diagnostic::error("a number with two decimal points")
            .at(first.to(second), "")
            .hint("one number has one point");
    }
    let diagnostic = Diagnostic::error("two numbers side by side")
        .at(second, "an operator is missing before it")
        .and_at(first, "the first number");
    if a.len() + b.len() > 40 {
        return diagnostic.hint("write `*` between them to multiply");
    }
    diagnostic.hint(format!("write `{a}*{b}` to multiply, or `{a}{b}` for one number"))
}

fn mismatched(opening: &str, at: Span, expected: &str, closing: &str, span: Span) -> Diagnostic {
    Diagnostic::error(format!("`{closing}` does not close `{opening}`"))
        .at(span, format!("`{expected}` was expected"))
        .and_at(at, "opened here")
}

fn unclosed(source: &str, open: Token, at: Span, all: &[Spanned]) -> Diagnostic {
    let (opening, closing) = (at.text(source), closer(open));
    let end = source.trim_end().len() as u32;
    let diagnostic = Diagnostic::error(format!("`{opening}` is never closed"))
        .at(at, "opened here")
        .and_at(Span::at(end), format!("`{closing}` is missing"));
    if open == Token::OpenBar && all.iter().any(|o| o.0 == Token::OpenBar && o.1 != at) {
        return diagnostic.hint("this bar opens another |…|, as no operand stands before it");
    }
    diagnostic
}

fn too_many_tokens(limit: usize, span: Span) -> Diagnostic {
    Diagnostic::error(format!("more than {limit} numbers, names and operators"))
        .at(span, "reading stopped here")
        .hint("split the text, or raise the token limit")
}

/// In a program some characters have another mend.
fn stray_in(source: &str, dialect: Dialect, at: u32) -> Diagnostic {
    let diagnostic = stray_character(source, at);
    match (dialect, source.as_bytes()[at as usize]) {
        (Dialect::Program, b'.') if source[at as usize..].starts_with(".T") => {
            diagnostic.hint("the transpose of `W` is `W'`")
        }
        (Dialect::Program, b'.') => {
            diagnostic.hint("a file's name stands in quotes, as in `file = \"wine.csv\"`")
        }
        (Dialect::Program, b'"') => diagnostic.hint("these quotes are not closed on their line"),
        _ => diagnostic,
    }
}

fn stray_character(source: &str, at: u32) -> Diagnostic {
    let c = source[at as usize..].chars().next().unwrap_or('\0');
    let found = stray(c);
    let diagnostic = Diagnostic::error(format!("{} is not part of the language", found.shown))
        .at(Span::new(at, at + c.len_utf8() as u32), "not understood");
    match found.hint {
        Some(hint) => diagnostic.hint(hint),
        None => diagnostic,
    }
}
