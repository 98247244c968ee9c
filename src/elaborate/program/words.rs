//! The words for faults in a program's names, calls and indices.

use crate::elaborate::code::shorten;
use crate::elaborate::suggest::suggest;
use crate::error::{Diagnostic, Span};

/// Longer circles are shown by their beginning.
const SHOWN: usize = 8;

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

pub(super) fn circle(steps: &[(&str, Span)], back: Span) -> Diagnostic {
    let first = steps[0].0;
    let mut shown: Vec<&str> = steps.iter().take(SHOWN).map(|step| step.0).collect();
    if steps.len() > SHOWN {
        shown.push("…");
    }
    shown.push(first);
    let message = match steps.len() {
        1 => format!("`{first}` is defined by itself"),
        _ => format!("these definitions go in a circle: {}", shown.join(" → ")),
    };
    Diagnostic::error(message)
        .at(back, "back to the beginning")
        .and_at(steps[0].1, "defined here")
        .hint("recursion is not part of the language; a recurrence is `scan(step, init, xs)`")
}
