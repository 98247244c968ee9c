//! What stands before the equals sign: `∂/∂x`, `∂²/∂x∂y`, a place in a matrix, a name.

use super::Notation;
use super::latex;
use super::linear::raised;
use super::mathml;
use crate::ir::Graph;

/// What an output is.
///
/// ```
/// use symdiff::print::{Label, Notation};
/// let label = Label::Partial { wrt: "x".into(), order: 2 };
/// assert_eq!(label.text(Notation::Text).as_deref(), Some("∂²/∂x²"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Label {
    /// Nothing is written before the expression.
    None,
    Named(String),
    /// The derivative of the given order by one variable.
    Partial {
        wrt: String,
        order: u32,
    },
    /// The derivative by `a`, then `b`.
    SecondPartial {
        a: String,
        b: String,
    },
    /// One function of several, by one variable: `∂f1/∂x`.
    Component {
        of: String,
        wrt: String,
    },
    /// A place in a matrix, counted from 0.
    Entry {
        row: usize,
        column: usize,
    },
}

impl Label {
    /// The label without its equals sign; `None` where there is none.
    pub fn text(&self, notation: Notation) -> Option<String> {
        self.spelled(notation, &|name| name_in(notation, name))
    }

    /// The same beside expressions of a graph, in which an array's name may look like one.
    pub(super) fn text_beside(&self, graph: &Graph, notation: Notation) -> Option<String> {
        self.spelled(notation, &|name| match graph.symbol(name) {
            Some(symbol) if notation == Notation::Latex => latex::symbol_name(graph, symbol),
            _ => name_in(notation, name),
        })
    }

    fn spelled(&self, notation: Notation, name_in: &dyn Fn(&str) -> String) -> Option<String> {
        let parts = match self.parts()? {
            Parts::Plain(name) => return Some(name_in(&name)),
            Parts::Place(place) if notation == Notation::Mathml => {
                return Some(format!("<mtext>{place}</mtext>"));
            }
            Parts::Place(place) => return Some(place),
            Parts::Fraction(parts) => parts,
        };
        let below: Vec<(String, u32)> =
            parts.by.iter().map(|(name, order)| (name_in(name), *order)).collect();
        let of = parts.of.map(|of| name_in(&of)).unwrap_or_default();
        let order = below.iter().fold(0u32, |sum, (_, order)| sum.saturating_add(*order));
        Some(match notation {
            Notation::Text | Notation::Unicode => {
                let by: String = below.iter().map(|(name, n)| format!("∂{name}{}", power(*n))).collect();
                format!("∂{}{of}/{by}", power(order))
            }
            Notation::Latex => latex::partial(&of, order, &below),
            Notation::Mathml => mathml::partial(&of, order, &below),
        })
    }

    fn parts(&self) -> Option<Parts> {
        let partial = |of: Option<&String>, by: &[(&String, u32)]| {
            let by = by.iter().map(|(name, order)| ((*name).clone(), *order)).collect();
            Parts::Fraction(Fraction { of: of.cloned(), by })
        };
        Some(match self {
            Label::None => return None,
            Label::Named(name) => Parts::Plain(name.clone()),
            Label::Entry { row, column } => Parts::Place(format!("[{row}, {column}]")),
            Label::Partial { wrt, order } => partial(None, &[(wrt, *order)]),
            Label::SecondPartial { a, b } if a == b => partial(None, &[(a, 2)]),
            Label::SecondPartial { a, b } => partial(None, &[(a, 1), (b, 1)]),
            Label::Component { of, wrt } => partial(Some(of), &[(wrt, 1)]),
        })
    }
}

enum Parts {
    Plain(String),
    Place(String),
    Fraction(Fraction),
}

struct Fraction {
    of: Option<String>,
    /// The variables below the bar with their orders.
    by: Vec<(String, u32)>,
}

fn name_in(notation: Notation, name: &str) -> String {
    match notation {
        Notation::Text | Notation::Unicode => name.to_owned(),
        Notation::Latex => latex::name(name),
        Notation::Mathml => mathml::name(name),
    }
}

fn power(order: u32) -> String {
    if order == 1 { String::new() } else { raised(&order.to_string()) }
}
