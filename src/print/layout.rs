//! The one walker: forms become text by a stack of pieces, one level at a time.
//!
//! A [`Dialect`] says how one form is laid out in pieces — text, and parts with the least
//! precedence their place takes. Parentheses are decided here and nowhere else.

use super::form::{Form, Part, Scope, Sign};
use super::precedence::{Precedence, binding};
use std::borrow::Cow;

/// A target language.
pub trait Dialect {
    /// What encloses a form that binds too loosely for its place.
    fn parentheses(&self) -> (&'static str, &'static str);

    /// How tightly a form binds when this dialect writes it.
    fn precedence(&self, _scope: &Scope, form: &Form) -> Precedence {
        binding(form).own
    }

    /// Writes one level of an expression.
    fn lay_out(&self, scope: &Scope, form: Form, out: &mut Layout);
}

enum Piece {
    Text(Cow<'static, str>),
    Part(Part, Precedence),
}

/// Pieces in reading order.
#[derive(Default)]
pub struct Layout(Vec<Piece>);

impl Layout {
    pub fn text(&mut self, text: impl Into<Cow<'static, str>>) {
        self.0.push(Piece::Text(text.into()));
    }

    /// A part, in parentheses unless it binds at least as tightly as `least`.
    pub fn part(&mut self, part: Part, least: Precedence) {
        self.0.push(Piece::Part(part, least));
    }

    /// A part between brackets of its own.
    pub fn enclosed(&mut self, open: impl Into<Cow<'static, str>>, part: Part, close: &'static str) {
        self.text(open);
        self.part(part, Precedence::Lowest);
        self.text(close);
    }

    /// Parts between separators, none of them in need of parentheses.
    pub fn list(&mut self, parts: Vec<Part>, separator: &'static str) {
        for (i, part) in parts.into_iter().enumerate() {
            if i > 0 {
                self.text(separator);
            }
            self.part(part, Precedence::Lowest);
        }
    }

    /// Terms with a sign before each, none before a positive first one.
    pub fn sum(&mut self, terms: Vec<(Sign, Part)>, spelling: &SumSigns) {
        let least = Precedence::Product;
        for (i, (sign, part)) in terms.into_iter().enumerate() {
            self.text(match (i, sign) {
                (0, Sign::Plus) => "",
                (0, Sign::Minus) => spelling.leading,
                (_, Sign::Plus) => spelling.plus,
                (_, Sign::Minus) => spelling.minus,
            });
            self.part(part, least);
        }
    }
}

/// How a dialect writes the signs of a sum.
#[derive(Debug)]
pub struct SumSigns {
    pub leading: &'static str,
    pub plus: &'static str,
    pub minus: &'static str,
}

/// The signs of every dialect that writes characters in a row.
pub const INLINE: SumSigns = SumSigns { leading: "-", plus: " + ", minus: " - " };

/// The text of one part.
pub fn write(scope: &Scope, dialect: &dyn Dialect, root: Part) -> String {
    let mut text = String::new();
    let mut level = Layout::default();
    let mut stack = vec![Piece::Part(root, Precedence::Lowest)];
    while let Some(piece) = stack.pop() {
        match piece {
            Piece::Text(piece) => text.push_str(&piece),
            Piece::Part(part, least) => {
                let form = scope.form(part);
                let (open, close) = match dialect.precedence(scope, &form) >= least {
                    true => ("", ""),
                    false => dialect.parentheses(),
                };
                level.text(open);
                dialect.lay_out(scope, form, &mut level);
                level.text(close);
                stack.extend(level.0.drain(..).rev());
            }
        }
    }
    text
}
