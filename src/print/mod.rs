//! Graph → text: the last stretch, where expressions become something to read.
//!
//! A node is first given a [`form`], free of any spelling; the one walker in [`layout`] then
//! lets a dialect spell it. `text` and `unicode` are read back by the language; `json` and
//! `dot` show the graph itself. Everything is linear in graph and text, nothing recurses, and
//! the same graph gives the same bytes.

mod dot;
mod form;
mod json;
mod label;
mod latex;
mod layout;
mod linear;
mod mathml;
mod name;
mod number;
mod precedence;
mod product;
mod share;
mod tensor;
mod text;
mod unicode;

use crate::ir::{Function, Graph, Id};
use form::{Inverse, Part, Scope};
use layout::Dialect;
use share::Shared;
use std::fmt;
use std::str::FromStr;

pub use label::Label;
pub use number::number;

/// A way to write expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    Text,
    Unicode,
    Latex,
    Mathml,
}

/// What a function can be printed as.
///
/// ```
/// use symdiff::print::Format;
/// assert_eq!("latex".parse(), Ok(Format::Latex));
/// assert!("html".parse::<Format>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Format {
    /// Plain ASCII, read back by the language.
    #[default]
    Text,
    /// `2·x·cos(x²)`, read back by the language.
    Unicode,
    Latex,
    /// Presentation MathML, one element a line.
    Mathml,
    /// The graph and the texts of its outputs, one line.
    Json,
    /// The graph for Graphviz.
    Dot,
}

impl Format {
    pub const ALL: [Format; 6] =
        [Format::Text, Format::Unicode, Format::Latex, Format::Mathml, Format::Json, Format::Dot];

    pub fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Unicode => "unicode",
            Format::Latex => "latex",
            Format::Mathml => "mathml",
            Format::Json => "json",
            Format::Dot => "dot",
        }
    }

    /// The notation of the formats that write expressions.
    pub fn notation(self) -> Option<Notation> {
        match self {
            Format::Text => Some(Notation::Text),
            Format::Unicode => Some(Notation::Unicode),
            Format::Latex => Some(Notation::Latex),
            Format::Mathml => Some(Notation::Mathml),
            Format::Json | Format::Dot => None,
        }
    }
}

/// A name that is no [`Format`]'s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownFormat(pub String);

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Format::ALL.map(Format::name).join(", ");
        write!(f, "unknown format `{}`; formats are {names}", self.0)
    }
}

impl std::error::Error for UnknownFormat {}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        let found = Format::ALL.into_iter().find(|format| format.name() == name);
        found.ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

/// Expressions as text, with what they share named before them.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Printed {
    /// Names and right sides in dependency order; empty for texts of moderate length.
    pub definitions: Vec<(String, String)>,
    pub outputs: Vec<String>,
}

/// Writes the outputs, sharing names between them.
///
/// ```
/// use symdiff::{Builder, Real, print::{Notation, print}};
/// let b = Builder::new();
/// let x = b.variable("x");
/// let id = (2.0 * x * (x * x).cos()).id();
/// let graph = b.into_graph();
/// assert_eq!(print(&graph, &[id], Notation::Text).outputs, ["2*x*cos(x*x)"]);
/// assert_eq!(print(&graph, &[id], Notation::Unicode).outputs, ["2·x·cos(x·x)"]);
/// ```
pub fn print(graph: &Graph, outputs: &[Id], notation: Notation) -> Printed {
    let shared = Shared::over(graph, outputs);
    let (dialect, inverse): (&dyn Dialect, _) = match notation {
        Notation::Text => (&text::TEXT, Inverse::Quotient),
        Notation::Unicode => (&unicode::UNICODE, Inverse::Power),
        Notation::Latex => (&latex::Latex, Inverse::Quotient),
        Notation::Mathml => (&mathml::Mathml, Inverse::Quotient),
    };
    let scope = Scope { graph, shared: &shared, inverse };
    let write = |part: Part| layout::write(&scope, dialect, part);
    let define = |&id: &Id| (write(Part::Node(id)), write(Part::Body(id)));
    Printed {
        definitions: shared.named().iter().map(define).collect(),
        outputs: outputs.iter().map(|&id| write(Part::Node(id))).collect(),
    }
}

/// The whole text of a function: definitions, then one line an output, each after its label.
///
/// Outputs beyond the labels have none. There is no line end after the last line.
pub fn render(function: &Function, labels: &[Label], format: Format) -> String {
    let Some(notation) = format.notation() else {
        return match format {
            Format::Dot => dot::dot(function, labels),
            _ => json::json(function, labels),
        };
    };
    let printed = print(function.graph(), function.outputs(), notation);
    let definitions =
        printed.definitions.into_iter().map(|(name, text)| equation(notation, Some(name), text));
    let outputs = printed.outputs.into_iter().enumerate().map(|(i, text)| {
        equation(
            notation,
            labels.get(i).and_then(|label| label.text_beside(function.graph(), notation)),
            text,
        )
    });
    definitions.chain(outputs).collect::<Vec<_>>().join("\n")
}

fn equation(notation: Notation, left: Option<String>, right: String) -> String {
    match (notation, left) {
        (Notation::Mathml, Some(left)) => mathml::document(&format!("{left}<mo>=</mo>{right}")),
        (Notation::Mathml, None) => mathml::document(&right),
        (_, Some(left)) => format!("{left} = {right}"),
        (_, None) => right,
    }
}

/// Plain text, one line an output, shared subexpressions first.
impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&render(self, &[], Format::Text))
    }
}
