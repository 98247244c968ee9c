//! What can go wrong, said so that a person can mend it: spans, diagnostics and the library's one error.
//!
//! A fault in the user's text is a [`Diagnostic`]: what is wrong, where, and what to do.
//! [`Error`] carries one diagnostic and a kind that is visible only through predicates,
//! so that kinds can be added without breaking anyone. Nothing here knows about terminals;
//! the program renders diagnostics with carets in `cli::diagnostics`.

use std::fmt;

/// A range of bytes of the source, `start..end`.
///
/// Sources are at most `u32::MAX` bytes (see [`Limits::source_bytes`](crate::Limits)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes `start..end`.
    pub const fn new(start: u32, end: u32) -> Span {
        Span { start, end }
    }

    /// The empty span at byte `at`: "just here".
    pub const fn at(at: u32) -> Span {
        Span { start: at, end: at }
    }

    /// The smallest span that covers both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The span as a range of indices.
    pub const fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The text it covers; empty where the span does not fit the source.
    pub fn text(self, source: &str) -> &str {
        source.get(self.range()).unwrap_or("")
    }

    /// The line and column of its first byte in `source`.
    pub fn position(self, source: &str) -> Position {
        let start = (self.start as usize).min(source.len());
        let before = &source.as_bytes()[..start];
        let line_start = before.iter().rposition(|&b| b == b'\n').map_or(0, |i| i + 1);
        Position {
            line: 1 + before.iter().filter(|&&b| b == b'\n').count(),
            // A UTF-8 continuation byte is 10xxxxxx: the others begin a character.
            column: 1 + before[line_start..].iter().filter(|&&b| b & 0xC0 != 0x80).count(),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

/// A place in a text as people count: lines and characters from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// How grave a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Nothing was computed.
    Error,
    /// It was computed, but is likely not what was meant.
    Warning,
    /// Information: how something was read.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        })
    }
}

/// One message to the user: what is wrong, where, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How grave it is.
    pub severity: Severity,
    /// What is wrong, in one line, beginning in lower case.
    pub message: String,
    /// Where.
    pub span: Option<Span>,
    /// The text beside the caret; may be empty.
    pub label: String,
    /// Further places that belong to it, such as the bracket that was opened.
    pub labels: Vec<(Span, String)>,
    /// What to do.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error that says `message`.
    pub fn error(message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Error, message)
    }

    /// A warning that says `message`.
    pub fn warning(message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Warning, message)
    }

    /// A note that says `message`.
    pub fn note(message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Note, message)
    }

    fn new(severity: Severity, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity,
            message: message.into(),
            span: None,
            label: String::new(),
            labels: Vec::new(),
            hint: None,
        }
    }

    /// Points the caret at `span`, with `label` beside it.
    pub fn at(mut self, span: Span, label: impl Into<String>) -> Diagnostic {
        self.span = Some(span);
        self.label = label.into();
        self
    }

    /// Points at one more place.
    pub fn and_at(mut self, span: Span, label: impl Into<String>) -> Diagnostic {
        self.labels.push((span, label.into()));
        self
    }

    /// Says what to do.
    pub fn hint(mut self, hint: impl Into<String>) -> Diagnostic {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " (help: {hint})"),
            None => Ok(()),
        }
    }
}

/// What an error is about. Users ask through the predicates of [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// The text is not an expression or program.
    Syntax,
    /// An unknown or wrongly used name.
    Name,
    /// Shapes or types that do not fit.
    Shape,
    /// A value outside an expression's domain.
    Domain,
    /// A named budget was exceeded.
    Limit,
    /// A caller's slice has the wrong length, a variable is unknown, an option makes no sense.
    Input,
    /// A data or weights file is not what it says, or could not be written.
    Data,
    /// A file is missing or cannot be opened.
    Unreadable,
    /// Well-formed, but not something this version does.
    Unsupported,
    /// A fault of ours: a verifier found an inconsistent graph or kernel.
    Internal,
}

/// Why something could not be done.
///
/// It is opaque: ask with the `is_*` predicates, read with `Display` or
/// [`Error::diagnostic`].
#[derive(Clone, Debug)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    kind: ErrorKind,
    diagnostic: Diagnostic,
    position: Option<Position>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, diagnostic: Diagnostic) -> Error {
        Error(Box::new(Inner { kind, diagnostic, position: None }))
    }

    pub(crate) fn syntax(diagnostic: Diagnostic) -> Error {
        Error::new(ErrorKind::Syntax, diagnostic)
    }

    pub(crate) fn name(diagnostic: Diagnostic) -> Error {
        Error::new(ErrorKind::Name, diagnostic)
    }

    pub(crate) fn shape(diagnostic: Diagnostic) -> Error {
        Error::new(ErrorKind::Shape, diagnostic)
    }

    pub(crate) fn limit(diagnostic: Diagnostic) -> Error {
        Error::new(ErrorKind::Limit, diagnostic)
    }

    pub(crate) fn input(diagnostic: Diagnostic) -> Error {
        Error::new(ErrorKind::Input, diagnostic)
    }

    #[cfg(feature = "training")]
    pub(crate) fn data(diagnostic: Diagnostic) -> Error {
        Error::new(ErrorKind::Data, diagnostic)
    }

    #[cfg(feature = "training")]
    pub(crate) fn unreadable(diagnostic: Diagnostic) -> Error {
        Error::new(ErrorKind::Unreadable, diagnostic)
    }

    pub(crate) fn unsupported(diagnostic: Diagnostic) -> Error {
        Error::new(ErrorKind::Unsupported, diagnostic)
    }

    /// A fault of ours, found by the verifier after `pass`.
    pub(crate) fn internal(pass: &str, message: impl fmt::Display) -> Error {
        let text = format!("internal fault after `{pass}`: {message}");
        let hint = "this is a bug in symdiff, not in your text; please report the input";
        Error::new(ErrorKind::Internal, Diagnostic::error(text).hint(hint))
    }

    /// Remembers the line and column of the diagnostic's span in `source`, for `Display`.
    pub(crate) fn in_source(mut self, source: &str) -> Error {
        self.0.position = self.0.diagnostic.span.map(|span| span.position(source));
        self
    }

    /// The whole message, with its spans.
    pub fn diagnostic(&self) -> &Diagnostic {
        &self.0.diagnostic
    }

    /// The line and column it points at, where it points into a text.
    pub fn position(&self) -> Option<Position> {
        self.0.position
    }

    /// The text is not an expression or program.
    pub fn is_syntax(&self) -> bool {
        self.0.kind == ErrorKind::Syntax
    }

    /// A name is unknown, defined twice, or used as what it is not.
    pub fn is_name(&self) -> bool {
        self.0.kind == ErrorKind::Name
    }

    /// Shapes or types do not fit.
    pub fn is_shape(&self) -> bool {
        self.0.kind == ErrorKind::Shape
    }

    /// A value is outside the domain of what was asked.
    pub fn is_domain(&self) -> bool {
        self.0.kind == ErrorKind::Domain
    }

    /// A budget of [`Limits`](crate::Limits) was exceeded.
    pub fn is_limit(&self) -> bool {
        self.0.kind == ErrorKind::Limit
    }

    /// What the caller passed does not fit: a slice's length, an unknown variable, an option.
    pub fn is_input(&self) -> bool {
        self.0.kind == ErrorKind::Input
    }

    /// A data or weights file could not be used or written.
    pub fn is_data(&self) -> bool {
        self.0.kind == ErrorKind::Data
    }

    /// A file is missing or cannot be opened.
    pub fn is_unreadable(&self) -> bool {
        self.0.kind == ErrorKind::Unreadable
    }

    /// It is well-formed, but this version does not do it.
    pub fn is_unsupported(&self) -> bool {
        self.0.kind == ErrorKind::Unsupported
    }

    /// A fault of ours.
    pub fn is_internal(&self) -> bool {
        self.0.kind == ErrorKind::Internal
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(position) = self.0.position {
            write!(f, "{position}: ")?;
        }
        self.0.diagnostic.fmt(f)
    }
}

impl std::error::Error for Error {}
