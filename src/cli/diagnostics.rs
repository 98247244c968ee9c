//! Diagnostics in rustc's look, by annotate-snippets.
//!
//! What is shown is an excerpt: the lines the spans touch, long lines clipped to a window round
//! the caret, characters that would disturb a terminal replaced. So the cost is bounded
//! however long the source, and no byte of it reaches the terminal unexamined.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::{Diagnostic, Severity, Span};

/// Longest line shown whole, in bytes.
const WHOLE_LINE: usize = 160;
/// Bytes kept before and after the caret where a line is clipped.
const WINDOW: usize = 60;
/// Lines from first to last span; labels farther from the caret become notes.
const LINES: usize = 40;

/// Whether to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Plain text.
    Plain,
    /// ANSI escapes.
    Ansi,
}

/// Where a source came from: a file name or `<expression>`, and the number of its first line.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    pub name: &'a str,
    pub line: usize,
}

impl<'a> From<&'a str> for Origin<'a> {
    fn from(name: &'a str) -> Origin<'a> {
        Origin { name, line: 1 }
    }
}

/// Renders a diagnostic about `source`, which came from `origin`.
///
/// The result ends without a line end.
pub fn render<'a>(
    source: &str,
    origin: impl Into<Origin<'a>>,
    diagnostic: &Diagnostic,
    colour: Colour,
) -> String {
    let origin = origin.into();
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let renderer = match colour {
        Colour::Plain => Renderer::plain(),
        Colour::Ansi => Renderer::styled(),
    };
    let message = visible(&diagnostic.message);
    let mut report = Group::with_title(level.primary_title(message));
    if let Some(span) = diagnostic.span {
        let excerpt = Excerpt::around(source, span, &diagnostic.labels);
        let label = |text: &str| (!text.is_empty()).then(|| visible(text));
        let mut snippet = Snippet::source(excerpt.text.clone())
            .line_start(origin.line - 1 + excerpt.line)
            .path(visible(origin.name))
            .annotation(AnnotationKind::Primary.span(excerpt.place(span)).label(label(&diagnostic.label)));
        let mut far = Vec::new();
        for (span, text) in &diagnostic.labels {
            if excerpt.shows(*span) {
                let annotation = AnnotationKind::Context.span(excerpt.place(*span));
                snippet = snippet.annotation(annotation.label(label(text)));
            } else {
                far.push(format!("{}: {}", span.position(source), visible(text)));
            }
        }
        report = report.element(snippet);
        for note in far {
            report = report.element(Level::NOTE.message(note));
        }
    }
    if let Some(hint) = &diagnostic.hint {
        report = report.element(Level::HELP.message(visible(hint)));
    }
    renderer.render(&[report])
}

/// A few lines of the source, made fit to print.
struct Excerpt {
    text: String,
    /// The number of its first line.
    line: usize,
    /// Kept characters: where each began in the source and where it begins in `text`,
    /// both rising; the last entry is the end.
    offsets: Vec<(usize, usize)>,
}

impl Excerpt {
    fn around(source: &str, span: Span, labels: &[(Span, String)]) -> Excerpt {
        let source_lines = touched_lines(source, span, labels);
        let (first, last) = source_lines;
        let line = Span::at(first as u32).position(source).line;
        let mut excerpt = Excerpt { text: String::new(), line, offsets: Vec::new() };
        let mut start = first;
        for text in source[first..last].split_inclusive('\n') {
            excerpt.add_line(text, start, span, labels);
            start += text.len();
        }
        excerpt.offsets.push((start, excerpt.text.len()));
        excerpt
    }

    /// Adds one line that begins at `start`, clipped where it is long: to windows round the
    /// spans' ends that lie in it, the caret's first.
    fn add_line(&mut self, line: &str, start: usize, span: Span, labels: &[(Span, String)]) {
        let body = line.trim_end_matches(['\n', '\r']);
        let mut windows = vec![(0, body.len())];
        if body.len() > WHOLE_LINE {
            windows.clear();
            for span in std::iter::once(&span).chain(labels.iter().map(|(span, _)| span)).take(4) {
                for end in [span.start as usize, span.end as usize] {
                    if (start..=start + body.len()).contains(&end) {
                        let low = (end - start).saturating_sub(WINDOW);
                        windows.push((low, (end - start + WINDOW).min(body.len())));
                    }
                }
            }
            windows.sort_unstable();
        }
        let mut at = 0;
        for (low, high) in windows {
            let low = ceil_boundary(body, low.max(at));
            let high = ceil_boundary(body, high);
            if low > at {
                self.text.push('…');
            }
            for (i, c) in body[low..high.max(low)].char_indices() {
                self.offsets.push((start + low + i, self.text.len()));
                self.text.push(printable(c));
            }
            at = at.max(high);
        }
        self.offsets.push((start + at, self.text.len()));
        if at < body.len() {
            self.text.push('…');
        }
        if line.len() > body.len() {
            self.text.push('\n');
        }
    }

    fn shows(&self, span: Span) -> bool {
        let (first, last) = (self.offsets[0].0, self.offsets[self.offsets.len() - 1].0);
        (first..=last).contains(&(span.start as usize)) && span.end as usize <= last
    }

    fn place(&self, span: Span) -> std::ops::Range<usize> {
        let start = self.offset(span.start as usize);
        start..self.offset(span.end as usize).max(start)
    }

    /// Where a byte of the source is in the text, or the next one that was kept.
    fn offset(&self, at: usize) -> usize {
        let i = self.offsets.partition_point(|&(source, _)| source < at);
        self.offsets[i.min(self.offsets.len() - 1)].1
    }
}

/// The bytes of the lines from the first span to the last, as far as they are near the caret.
fn touched_lines(source: &str, span: Span, labels: &[(Span, String)]) -> (usize, usize) {
    let line_start = |at: usize| source[..at].rfind('\n').map_or(0, |i| i + 1);
    let line_end = |at: usize| source[at..].find('\n').map_or(source.len(), |i| at + i + 1);
    let clamp = |at: u32| floor_boundary(source, at as usize);

    let mut first = line_start(clamp(span.start));
    let mut last = line_end(clamp(span.start));
    for at in std::iter::once(span.end).chain(labels.iter().flat_map(|(s, _)| [s.start, s.end])) {
        let at = clamp(at);
        let (low, high) = (first.min(line_start(at)), last.max(line_end(at)));
        if source[low..high].bytes().filter(|&b| b == b'\n').count() <= LINES {
            (first, last) = (low, high);
        }
    }
    (first, last)
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0)
}

fn ceil_boundary(text: &str, at: usize) -> usize {
    (at..text.len()).find(|&i| text.is_char_boundary(i)).unwrap_or(text.len())
}

fn visible(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { c } else { printable(c) }).collect()
}

/// The character itself, or a picture of it where it would move the cursor or turn the text.
fn printable(c: char) -> char {
    match c {
        '\t' => ' ',
        '\0'..='\x1F' => char::from_u32(0x2400 + c as u32).unwrap_or('�'),
        '\x7F' => '␡',
        c if c.is_control() => '�',
        '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' => '�',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, syntax};

    fn check(source: &str, expected: &str) {
        let error = syntax::parse(source, &Limits::default()).expect_err("the source is faulty");
        let text = render(source, "<expression>", error.diagnostic(), Colour::Plain);
        assert_eq!(text.trim_end(), expected.trim(), "\n{text}");
    }

    #[test]
    fn an_unclosed_bracket_shows_where_it_opened() {
        check(
            "sin(x + (2*y",
            "
error: `(` is never closed
 --> <expression>:1:9
  |
1 | sin(x + (2*y
  |         ^   - `)` is missing
  |         |
  |         opened here",
        );
    }

    #[test]
    fn long_lines_are_clipped_round_the_caret() {
        let source = format!("{}2 3{}", "x + ".repeat(100_000), " + x".repeat(100_000));
        let error = syntax::parse(&source, &Limits::default()).expect_err("two numbers");
        let text = render(&source, "<expression>", error.diagnostic(), Colour::Plain);
        assert!(text.len() < 2000 && text.contains("2 3"), "{text}");
    }

    #[test]
    fn control_characters_never_reach_the_terminal() {
        let source = "x + \u{1B}[31m + \u{202E}y";
        let error = syntax::parse(source, &Limits::default()).expect_err("an escape");
        let text = render(source, "a\u{1B}b", error.diagnostic(), Colour::Plain);
        assert!(!text.contains(['\u{1B}', '\u{202E}']), "{text}");
    }

    #[test]
    fn every_span_of_every_text_can_be_rendered() {
        let pieces = ["x", "²", "\n", "\r\n", "\t", "\0", "漢", "\u{301}", " ", "𝑥", "\u{7F}"];
        let long = "x + ".repeat(100);
        let mut state = 1u32;
        let mut below = move |n: usize| {
            // A linear congruential generator (Numerical Recipes) is random enough here.
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as usize % n
        };
        for _ in 0..2000 {
            let mut source = String::new();
            for _ in 0..below(20) {
                source += if below(20) == 0 { &long } else { pieces[below(pieces.len())] };
            }
            let mut span = || {
                let (a, b) = (below(source.len() + 3) as u32, below(source.len() + 3) as u32);
                Span::new(a.min(b), a.max(b))
            };
            let (first, second) = (span(), span());
            let diagnostic = Diagnostic::error("m").at(first, "here").and_at(second, "there");
            let text = render(&source, "o", &diagnostic, Colour::Ansi);
            assert!(text.contains("here") && text.contains("there"), "{source:?} {diagnostic:?}\n{text}");
        }
    }
}
