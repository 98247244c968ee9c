//! Recognises `d/dx`, `d²/dx²`, `∂/∂x` and `∂²/∂x∂y` at the head of the last statement.
//!
//! The grammar never sees such a head: it is cut off the tokens. `∂` always means a derivative.
//! A leading `d/dx` does only where an operand or a minus follows it; otherwise `d` and `dx`
//! are names like any other.

use super::scan::Spanned;
use super::token::{Token, plain_number};
use crate::error::{Diagnostic, Error, Span};

/// A head, its variables still places in the text.
pub(super) struct RawDerivative {
    pub(super) by: Vec<(Span, u32)>,
    pub(super) span: Span,
}

/// Cuts the derivatives off the head of the last statement, outermost first.
pub(super) fn take(source: &str, tokens: &mut Vec<Spanned>) -> Result<Vec<RawDerivative>, Error> {
    let last = tokens.iter().rposition(|t| t.0 == Token::Separator).map_or(0, |i| i + 1);
    check_elsewhere(source, tokens, last)?;

    let mut heads = Vec::new();
    let mut at = last;
    while let Some((head, next)) = head(source, tokens, at)? {
        heads.push(head);
        at = next;
        if let Some((token @ Token::OpenIndex, _)) = tokens.get_mut(at) {
            *token = Token::OpenVector; // `d/dx[x, y]`: the bracket touches the head, not an operand
        }
    }
    if let Some((Token::Partial, span)) = tokens[at..].iter().find(|t| t.0 == Token::Partial) {
        return Err(Error::syntax(misplaced(*span)));
    }
    tokens.drain(last..at);
    Ok(heads)
}

/// No statement but the last may begin with a derivative.
fn check_elsewhere(source: &str, tokens: &[Spanned], last: usize) -> Result<(), Error> {
    let mut begins = true;
    for i in 0..last {
        if begins && let Some((found, _)) = head(source, tokens, i)? {
            return Err(Error::syntax(misplaced(found.span)));
        }
        if tokens[i].0 == Token::Partial {
            return Err(Error::syntax(misplaced(tokens[i].1)));
        }
        begins = tokens[i].0 == Token::Separator;
    }
    Ok(())
}

fn misplaced(span: Span) -> Diagnostic {
    Diagnostic::error("a derivative where none can stand")
        .at(span, "only the head of the last statement may be a derivative")
        .hint("define the function first: `f(x) = …; d/dx f(x)`")
}

/// The head that begins at token `at` and the index of the token after it.
fn head(source: &str, tokens: &[Spanned], at: usize) -> Result<Option<(RawDerivative, usize)>, Error> {
    let mut cursor = Cursor { source, tokens, at };
    let Some(found) = cursor.head() else {
        return match tokens.get(at) {
            Some((Token::Partial, span)) => Err(Error::syntax(malformed(*span))),
            _ => Ok(None),
        };
    };
    let partial = tokens[at].0 == Token::Partial;
    let follows = tokens.get(cursor.at).is_some_and(|(token, _)| {
        token.begins_operand() || matches!(token, Token::Minus | Token::OpenIndex | Token::Partial)
    });
    if !follows && !partial {
        return Ok(None);
    }
    let Head { order, by, span } = found;
    let below = by.iter().try_fold(0u32, |sum, (_, order)| sum.checked_add(*order));
    if below != Some(order) {
        let diagnostic = Diagnostic::error("the orders of this derivative differ")
            .at(span, "above and below the bar")
            .hint("the orders below must add up to the order above, as in ∂³/∂x²∂y");
        return Err(Error::syntax(diagnostic));
    }
    if !follows {
        let diagnostic = Diagnostic::error("a derivative of nothing")
            .at(span, "")
            .hint("an expression must follow, as in `∂/∂x x^2*y`");
        return Err(Error::syntax(diagnostic));
    }
    Ok(Some((RawDerivative { by, span }, cursor.at)))
}

fn malformed(span: Span) -> Diagnostic {
    Diagnostic::error("`∂` begins no derivative here")
        .at(span, "")
        .hint("a derivative is written `∂/∂x …`, `∂²/∂x² …` or `∂²/∂x∂y …`")
}

struct Head {
    order: u32,
    by: Vec<(Span, u32)>,
    span: Span,
}

struct Cursor<'a> {
    source: &'a str,
    tokens: &'a [Spanned],
    at: usize,
}

impl Cursor<'_> {
    fn head(&mut self) -> Option<Head> {
        let (first, start) = *self.tokens.get(self.at)?;
        let partial = first == Token::Partial;
        let d = first == Token::Name && start.text(self.source) == "d";
        if !(partial || d) {
            return None;
        }
        self.at += 1;
        let order = self.order()?;
        self.eat(Token::Slash)?;

        let mut by = Vec::new();
        while let Some(name) = if partial { self.partial_name() } else { self.d_name() } {
            by.push((name, self.order()?));
        }
        let (_, last) = self.tokens[self.at - 1];
        (!by.is_empty()).then_some(Head { order, by, span: start.to(last) })
    }

    fn eat(&mut self, token: Token) -> Option<Span> {
        let (found, span) = *self.tokens.get(self.at)?;
        (found == token).then(|| {
            self.at += 1;
            span
        })
    }

    /// The `x` of `∂x`.
    fn partial_name(&mut self) -> Option<Span> {
        let (Token::Name | Token::Callee, span) = *self.tokens.get(self.at + 1)? else {
            return None;
        };
        // `∂/∂x ∂/∂y f` goes on with another head, which has a slash where this has a name.
        self.eat(Token::Partial)?;
        self.at += 1;
        Some(span)
    }

    /// The `x` of `dx`, the first letter being part of the same name.
    fn d_name(&mut self) -> Option<Span> {
        let (Token::Name | Token::Callee, span) = *self.tokens.get(self.at)? else {
            return None;
        };
        let name = span.text(self.source).strip_prefix('d')?;
        // One variable only: what follows `d/dx` may well be called `dy`.
        let first = matches!(self.tokens[self.at - 1].0, Token::Slash);
        (first && !name.is_empty()).then(|| {
            self.at += 1;
            Span::new(span.start + 1, span.end)
        })
    }

    /// A power, 1 if there is none; `None` if it is not a whole number of at least 1.
    fn order(&mut self) -> Option<u32> {
        let text = match self.tokens.get(self.at) {
            Some((Token::Superscript, span)) => span.text(self.source),
            Some((Token::Caret, _)) => {
                self.at += 1;
                let (Token::Number, span) = self.tokens.get(self.at)? else { return None };
                span.text(self.source)
            }
            _ => return Some(1),
        };
        self.at += 1;
        plain_number(text).parse().ok().filter(|&order| order > 0)
    }
}
