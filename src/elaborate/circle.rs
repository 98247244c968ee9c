//! Definitions that go in a circle, in words.

use crate::error::{Diagnostic, Span};

/// Definitions of a circle that are shown; of longer ones the beginning.
const SHOWN: usize = 8;

/// The definitions' names and places, and where the last leads back to the first.
pub(super) fn circle(steps: &[(&str, Span)], back: Span, hint: &str) -> Diagnostic {
    let (first, defined) = steps[0];
    let mut shown: Vec<&str> = steps.iter().take(SHOWN).map(|step| step.0).collect();
    if steps.len() > SHOWN {
        shown.push("…");
    }
    shown.push(first);
    let message = match steps.len() {
        1 => format!("`{first}` is defined by itself"),
        _ => format!("these definitions go in a circle: {}", shown.join(" → ")),
    };
    Diagnostic::error(message).at(back, "back to the beginning").and_at(defined, "defined here").hint(hint)
}
