//! The words for faults in a program's names, calls and indices.

use crate::elaborate::code::shorten;
use crate::elaborate::suggest::suggest;
use crate::error::{Diagnostic, Span};

/// Source text as a message can hold it.
pub(super) fn quoted(text: &str) -> String {
    shorten(text, 30)
}

pub(super) fn unknown<'a>(
    name: &str,
    span: Span,
    called: bool,
    known: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    let shown = shorten(name, 40);
    let what = if called { "function" } else { "name" };
    let diagnostic = Diagnostic::error(format!("unknown {what} `{shown}`")).at(span, "not declared");
    diagnostic.hint(match suggest(name, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None if called => format!("define it: `{shown}(x) = …`"),
        None => format!("declare it: `input {shown}`, `param {shown} = 0`, or define `{shown} = …`"),
    })
}

pub(super) fn no_function(name: &str, span: Span, inside: &str) -> Diagnostic {
    let mend = format!("`{name}*({})`", shorten(inside, 30));
    Diagnostic::error(format!("`{name}` is not a function"))
        .at(span, "called here")
        .hint(format!("a product is written {mend}"))
}

pub(super) fn index_twice(name: &str, again: Span, first: Span) -> Diagnostic {
    Diagnostic::error(format!("the index `{name}` is used twice"))
        .at(again, "again, inside the first")
        .and_at(first, "first")
        .hint("indices inside one another need different names")
}

pub(super) fn index_hides(name: &str, span: Span, defined: Span) -> Diagnostic {
    Diagnostic::error(format!("`{name}` is already defined, and cannot be an index as well"))
        .at(span, "as an index")
        .and_at(defined, "defined here")
        .hint("choose another letter for the index")
}
