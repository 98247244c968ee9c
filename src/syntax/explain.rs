//! A token the grammar could not use → what is wrong, in words.
//!
//! Two positions are possible, and the token before tells which: an operand was awaited, or an
//! operand had just ended and only an operator, a factor or the end could follow. The parser's
//! own list of expected tokens says no more than that, so it is never shown.

use super::scan::Spanned;
use super::token::Token;
use crate::error::{Diagnostic, Span};

/// Explains why the token at byte `at`, or the end of the text, does not fit.
pub(super) fn explain(source: &str, tokens: &[Spanned], at: Option<u32>) -> Diagnostic {
    let i = at.map_or(tokens.len(), |at| tokens.partition_point(|(_, span)| span.start < at));
    let before = i.checked_sub(1).map(|i| tokens[i]);
    let here = tokens.get(i).copied();
    let end = Span::at(source.trim_end().len() as u32);
    let place = Place { source, tokens, i, before, here: here.map_or(end, |(_, span)| span) };
    match (before, here) {
        (Some((token, _)), Some((found, _))) if token.ends_operand() => place.after_operand(found),
        _ => place.no_operand(here.map(|(token, _)| token)),
    }
}

struct Place<'a> {
    source: &'a str,
    tokens: &'a [Spanned],
    i: usize,
    before: Option<Spanned>,
    here: Span,
}

impl Place<'_> {
    fn shown(&self, span: Span) -> String {
        match span.text(self.source) {
            "" => "the end".to_owned(),
            "\n" => "the end of the line".to_owned(),
            text => format!("`{text}`"),
        }
    }

    /// The bracket this place is in.
    fn bracket(&self) -> Option<Spanned> {
        let mut closed = 0usize;
        for &(token, span) in self.tokens[..self.i].iter().rev() {
            match token {
                Token::CloseParen | Token::CloseSquare | Token::CloseBar => closed += 1,
                Token::OpenParen | Token::OpenVector | Token::OpenIndex | Token::OpenBar => {
                    if closed == 0 {
                        return Some((token, span));
                    }
                    closed -= 1;
                }
                _ => {}
            }
        }
        None
    }

    fn after_operand(&self, found: Token) -> Diagnostic {
        match found {
            Token::Compare(_) => self.chained(),
            Token::Equals => self.equation(),
            Token::Comma => self.comma(),
            Token::Colon => Diagnostic::error("`:` outside an index")
                .at(self.here, "not expected here")
                .hint("a range stands in an index, `x[1:3]`; a quotient is `a/b`"),
            _ => {
                let shown = self.shown(self.here);
                Diagnostic::error(format!("{shown} does not fit here"))
                    .at(self.here, "an operator or the end was expected")
            }
        }
    }

    fn chained(&self) -> Diagnostic {
        let first = self.tokens[..self.i].iter().rfind(|t| matches!(t.0, Token::Compare(_)));
        let diagnostic = Diagnostic::error("comparisons cannot be chained")
            .at(self.here, "a second comparison")
            .hint(match first {
                Some((_, span)) if self.has_word_after(*span) => {
                    "conditions are joined as `and(a < b, b < c)` or `or(a, b)`"
                }
                _ => "`a < b < c` is two conditions: `if(a < b, if(b < c, yes, no), no)`",
            });
        match first {
            Some((_, span)) => diagnostic.and_at(*span, "the first"),
            None => diagnostic,
        }
    }

    /// `and` or `or` between a place and here.
    fn has_word_after(&self, span: Span) -> bool {
        let between = self.source.get(span.end as usize..self.here.start as usize).unwrap_or_default();
        between.split_whitespace().any(|word| matches!(word, "and" | "or" | "&&" | "||"))
    }

    fn equation(&self) -> Diagnostic {
        let statement = self.tokens[..self.i].iter().rev();
        let first = statement.take_while(|t| t.0 != Token::Separator).find(|t| t.0 == Token::Equals);
        match (self.bracket(), first) {
            (None, Some((_, span))) => Diagnostic::error("a second `=` in one definition")
                .at(self.here, "")
                .and_at(*span, "the first")
                .hint("separate definitions by `;`, or write `==` to compare"),
            (Some((Token::OpenIndex, open)), _) if is_reducer(&self.source[..open.start as usize]) => {
                Diagnostic::error("a sum over an index in a formula").at(self.here, "its range").hint(INDICES)
            }
            _ => Diagnostic::error("`=` inside an expression")
                .at(self.here, "an operator was expected")
                .hint("to compare write `==`; a definition is a statement of its own: `a = 3; …`"),
        }
    }

    fn comma(&self) -> Diagnostic {
        let after = self.tokens.get(self.i + 1);
        let (before, after) = (self.before, after.copied());
        let diagnostic = match self.bracket() {
            Some((_, open)) => Diagnostic::error("`,` inside plain parentheses or bars")
                .at(self.here, "")
                .and_at(open, "opened here"),
            None => Diagnostic::error("`,` outside of brackets").at(self.here, ""),
        };
        match (before, after) {
            (Some((Token::Number, a)), Some((Token::Number, b)))
                if a.end == self.here.start && b.start == self.here.end =>
            {
                diagnostic.hint("a number has a decimal point: `1.5`, not `1,5`")
            }
            _ => diagnostic.hint("a vector is `[a, b]`; statements are separated by `;`"),
        }
    }

    fn no_operand(&self, found: Option<Token>) -> Diagnostic {
        let shown = self.shown(self.here);
        let Some((token, span)) = self.before.filter(|b| b.0 != Token::Separator) else {
            return self.nothing_before(found, &shown);
        };
        let before = self.shown(span);
        let ends = match found {
            None => true,
            Some(found) => found == Token::Separator || is_closer(found),
        };
        match token {
            Token::OpenParen | Token::OpenVector | Token::OpenIndex | Token::OpenBar if ends => {
                let pair = format!("{}{}", span.text(self.source), self.here.text(self.source));
                let what = if token == Token::OpenIndex { "a subscript" } else { "an expression" };
                Diagnostic::error(format!("nothing between `{pair}`"))
                    .at(span.to(self.here), format!("{what} is missing"))
            }
            Token::OpenParen | Token::OpenVector | Token::OpenIndex | Token::OpenBar => {
                self.nothing_before(found, &shown)
            }
            Token::Comma => Diagnostic::error("nothing after `,`")
                .at(span, "an operand must follow")
                .hint("remove the comma, or write what is missing"),
            _ if ends => Diagnostic::error(format!("nothing on the right of {before}"))
                .at(span, "an operand must follow")
                .hint(format!("remove the {before}, or write what is missing")),
            _ => {
                let diagnostic = Diagnostic::error(format!("nothing between {before} and {shown}"))
                    .at(self.here, "an operand is missing before it")
                    .and_at(span, "after this");
                match found {
                    Some(Token::Equals) => {
                        diagnostic.hint("every name has one value; give the changed one a name of its own")
                    }
                    _ => diagnostic,
                }
            }
        }
    }

    fn nothing_before(&self, found: Option<Token>, shown: &str) -> Diagnostic {
        let diagnostic = Diagnostic::error(format!("nothing on the left of {shown}"))
            .at(self.here, "an operand must stand before it");
        match found {
            Some(Token::Equals) => diagnostic.hint("a definition is `name = value`"),
            Some(Token::Prime) => diagnostic.hint("`'` transposes what stands before it, as in x'"),
            Some(Token::Superscript) => diagnostic.hint("a superscript is a power, as in x²"),
            Some(Token::Separator) | None => diagnostic,
            _ => diagnostic.hint(format!("remove the {shown}, or write what is missing")),
        }
    }
}

/// Where sums over indices are understood.
pub(crate) const INDICES: &str = "sums over indices stand in programs, where they stay loops: \
     `param x[9] = 0` and `minimize sum[i = 0:9] x[i]^2` in a file problem.sd";

/// True for a text that ends in the name of what gathers elements over an index.
pub(crate) fn is_reducer(before: &str) -> bool {
    let word = before.trim_end().rsplit(|c: char| !c.is_alphanumeric() && c != '_').next();
    matches!(word, Some("sum" | "mean" | "prod" | "max" | "min" | "logsumexp"))
}

fn is_closer(token: Token) -> bool {
    matches!(token, Token::CloseParen | Token::CloseSquare | Token::CloseBar)
}
