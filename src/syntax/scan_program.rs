//! What the scan does in programs only: pipes, reducers and named arguments become tokens of
//! their own, so that the grammar need not know in which language it is.

use super::ast::{CompareOp, Reducer};
use super::scan::Scan;
use super::token::Token;
use crate::error::{Error, Span};

impl Scan<'_> {
    pub(super) fn push_of_program(&mut self, token: Token, span: Span) -> Result<(), Error> {
        match token {
            Token::Compare(CompareOp::Gt) if self.completes_pipe(span) => {
                self.pipe(span);
                Ok(())
            }
            Token::Equals if self.names_argument() => {
                if let Some((token, _)) = self.tokens.last_mut() {
                    *token = Token::ArgName;
                }
                Ok(())
            }
            Token::OpenVector if self.follows_reducer(span) => {
                if let Some((token, _)) = self.tokens.last_mut() {
                    *token = Token::Reducer;
                }
                let open = self.open(Token::OpenReducer, span)?;
                self.tokens.push((open, span));
                Ok(())
            }
            token => self.push(token, span),
        }
    }

    /// `|` and `>` side by side, the bar having opened nothing.
    fn completes_pipe(&mut self, span: Span) -> bool {
        matches!(self.touching(span), Some(Token::OpenBar))
    }

    /// The bar just opened is half of a pipe, which goes on with the statement of the line before.
    fn pipe(&mut self, span: Span) {
        self.open.pop();
        let Some((_, bar)) = self.tokens.pop() else { return };
        if let Some((Token::Separator, before)) = self.previous()
            && before.text(self.source) == "\n"
        {
            self.tokens.pop();
        }
        self.tokens.push((Token::Pipe, bar.to(span)));
    }

    fn names_argument(&self) -> bool {
        let in_brackets = self.open.last().is_some_and(|(open, _)| *open != Token::OpenBrace);
        in_brackets && matches!(self.previous(), Some((Token::Name, _)))
    }

    fn follows_reducer(&mut self, span: Span) -> bool {
        if self.touching(span) != Some(&mut Token::Name) {
            return false;
        }
        self.previous().is_some_and(|(_, name)| Reducer::from_name(name.text(self.source)).is_some())
    }

    /// The end of a reducer's indices.
    pub(super) fn close_reducer(&self, span: Span) -> Token {
        match self.source.as_bytes().get(span.end as usize) {
            Some(b'(') => Token::CloseReducerCall,
            _ => Token::CloseReducer,
        }
    }
}
