//! How guesses were read, told once each and never at length.
//!
//! The reader records *edits*: where a `*` or a parenthesis would stand had the text been
//! written out. A note then shows a stretch of the source as it is and with its edits.

use super::code::shorten;
use crate::error::{Diagnostic, Severity, Span};
use rustc_hash::FxHashSet;

/// Readings shown one by one; of more, only the number is told.
const READINGS: usize = 3;
/// Other notes and warnings shown.
const SAID: usize = 10;
/// Characters of a text shown in a note.
const SHOWN: usize = 60;

/// What is to be said besides the result.
#[derive(Debug, Default)]
pub(super) struct Notes {
    readings: Vec<Span>,
    edits: Vec<(Span, String)>,
    said: Vec<Diagnostic>,
    seen: FxHashSet<String>,
    unsaid: usize,
}

impl Notes {
    /// The text at `span` was not plain; it is to be shown with its edits.
    pub(super) fn reading(&mut self, span: Span) {
        self.readings.push(span);
    }

    /// In a note, `text` stands in place of what is at `span`.
    pub(super) fn edit(&mut self, span: Span, text: impl Into<String>) {
        self.edits.push((span, text.into()));
    }

    /// The last edit was for nothing, if it was made at `span`.
    pub(super) fn retract(&mut self, span: Span) {
        if self.edits.last().is_some_and(|(at, _)| *at == span) {
            self.edits.pop();
        }
    }

    /// Something else to be said; the same thing is said once.
    pub(super) fn say(&mut self, diagnostic: Diagnostic) {
        if self.seen.contains(&diagnostic.message) {
            return;
        }
        if self.said.len() >= SAID {
            self.unsaid += 1;
            return;
        }
        self.seen.insert(diagnostic.message.clone());
        self.said.push(diagnostic);
    }

    /// Everything, in the order of the text: readings, then notes, then warnings.
    pub(super) fn finish(mut self, source: &str) -> Vec<Diagnostic> {
        // Stable, so edits at one place stay in the order they were made: inner ones first.
        self.edits.sort_by_key(|(span, _)| (span.start, span.end));
        let (mut all, more) = self.shown_readings(source);
        if let (Some(last), true) = (all.last_mut(), more > 0) {
            *last = last
                .clone()
                .hint(format!("{more} more {} read in the same way", if more == 1 { "is" } else { "are" }));
        }
        let place = |d: &Diagnostic| (d.severity == Severity::Warning, d.span.map(|s| s.start));
        self.said.sort_by_key(place);
        all.append(&mut self.said);
        if self.unsaid > 0 {
            all.push(Diagnostic::note(format!("{} more notes are left out", self.unsaid)));
        }
        all
    }

    /// The first distinct readings, and how many others there are.
    fn shown_readings(&mut self, source: &str) -> (Vec<Diagnostic>, usize) {
        self.readings.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
        let (mut shown, mut more, mut covered) = (Vec::new(), 0, 0);
        let mut seen = FxHashSet::default();
        for &span in &self.readings {
            // What stands inside another reading is shown there.
            if span.end <= covered {
                continue;
            }
            covered = span.end;
            let text = span.text(source);
            if text.len() <= SHOWN && !seen.insert(text) {
                continue;
            }
            if shown.len() < READINGS {
                let edited = shorten(&self.edited(source, span), SHOWN);
                let message = format!("read `{}` as `{edited}`", shorten(text, SHOWN));
                shown.push(Diagnostic::note(message).at(span, ""));
            } else {
                more += 1;
            }
        }
        (shown, more)
    }

    /// The source at `span` with its edits; not much more than can be shown.
    fn edited(&self, source: &str, span: Span) -> String {
        let first = self.edits.partition_point(|(edit, _)| edit.start < span.start);
        let mut text = String::new();
        let mut at = span.start;
        for (edit, new) in &self.edits[first..] {
            if edit.start > span.end || text.len() > 4 * SHOWN {
                break;
            }
            // What was moved as a whole (the power in `sin^(2n) x`) is shown as it stands.
            if edit.start < at {
                continue;
            }
            text.push_str(Span::new(at, edit.start).text(source));
            text.push_str(new);
            at = edit.end.max(at);
        }
        text.push_str(Span::new(at, span.end).text(source));
        text
    }
}
