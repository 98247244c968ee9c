//! What the language's own names mean: built-in functions, their other names, constants.
//!
//! A function of one's own is a row of [`crate::ir::Elementwise`]'s table or a line of the
//! library; here are only the ones that are neither.

use super::library;
use crate::ir::Elementwise;

/// A function that is no single line of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Builtin {
    Elementwise(Elementwise),
    /// `log(x)` or `log(x, base)`.
    Log,
    /// Two operands and more, or the elements of one, combined by the op.
    Fold(Elementwise),
    Sum,
    Mean,
    /// `if(condition, then, otherwise)`.
    If,
    And,
    Or,
    Not,
    Dot,
}

/// Functions not in the table of elementwise ops: name, fewest and most arguments.
#[rustfmt::skip]
const FUNCTIONS: &[(&str, usize, usize, Builtin)] = &[
    ("log",       1, 2,          Builtin::Log),
    ("min",       1, usize::MAX, Builtin::Fold(Elementwise::Min)),
    ("max",       1, usize::MAX, Builtin::Fold(Elementwise::Max)),
    ("logsumexp", 1, usize::MAX, Builtin::Fold(Elementwise::LogAddExp)),
    ("sum",       1, usize::MAX, Builtin::Sum),
    ("mean",      1, usize::MAX, Builtin::Mean),
    ("dot",       2, 2,          Builtin::Dot),
    ("if",        3, 3,          Builtin::If),
    ("and",       2, usize::MAX, Builtin::And),
    ("or",        2, usize::MAX, Builtin::Or),
    ("not",       1, 1,          Builtin::Not),
];

/// Other names for the same functions.
#[rustfmt::skip]
const ALIASES: &[(&str, &str)] = &[
    ("ln", "log"), ("log_2", "log2"), ("log₂", "log2"), ("log_10", "log10"), ("log₁₀", "log10"),
    ("arcsin", "asin"), ("arccos", "acos"), ("arctan", "atan"), ("arctan2", "atan2"),
    ("arcsec", "asec"), ("arccsc", "acsc"), ("arccot", "acot"),
    ("arsinh", "asinh"), ("arcosh", "acosh"), ("artanh", "atanh"),
    ("arcsinh", "asinh"), ("arccosh", "acosh"), ("arctanh", "atanh"),
    ("arsech", "asech"), ("arcsch", "acsch"), ("arcoth", "acoth"),
    ("arcsech", "asech"), ("arccsch", "acsch"), ("arccoth", "acoth"),
    ("tg", "tan"), ("ctg", "cot"), ("cotan", "cot"), ("cosec", "csc"),
    ("arctg", "atan"), ("arcctg", "acot"),
    ("sgn", "sign"), ("signum", "sign"), ("fabs", "abs"), ("ceiling", "ceil"),
    ("lngamma", "lgamma"), ("loggamma", "lgamma"), ("gammaln", "lgamma"), ("psi", "digamma"),
    ("logistic", "sigmoid"), ("expit", "sigmoid"), ("logsigmoid", "log_sigmoid"),
    ("where", "if"), ("swish", "silu"), ("minimum", "min"), ("maximum", "max"),
];

/// The inverse functions `f^-1` names; only where that is the usual meaning.
#[rustfmt::skip]
const INVERSES: &[(&str, &str)] = &[
    ("sin", "asin"), ("cos", "acos"), ("tan", "atan"), ("sec", "asec"), ("csc", "acsc"), ("cot", "acot"),
    ("sinh", "asinh"), ("cosh", "acosh"), ("tanh", "atanh"), ("sech", "asech"), ("csch", "acsch"), ("coth", "acoth"),
];

/// Names that look like numbers and are none here.
#[rustfmt::skip]
const REFUSED: &[(&str, &str)] = &[
    ("inf",      "infinity is not a number of the language"),
    ("infinity", "infinity is not a number of the language"),
    ("nan",      "NaN is not a number of the language"),
    ("NaN",      "NaN is not a number of the language"),
];

/// Letters spelled out are never taken apart into letters.
const GREEK: &[&str] = &[
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu",
    "nu", "xi", "omicron", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
];

/// Ops that are written with signs, or not at all.
fn is_internal(op: Elementwise) -> bool {
    use Elementwise::{Add, Div, Fma, Log, Max, Min, Mul, Neg, Pi, Sub};
    matches!(op, Pi | Neg | Add | Sub | Mul | Div | Fma | Min | Max | Log)
}

/// The one name of a function that may have several.
pub(super) fn canonical(name: &str) -> &str {
    ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, name)| name)
}

/// The built-in function of this (canonical) name.
pub(super) fn builtin(name: &str) -> Option<Builtin> {
    if let Some(row) = FUNCTIONS.iter().find(|row| row.0 == name) {
        return Some(row.3);
    }
    Elementwise::from_name(name).filter(|&op| !is_internal(op)).map(Builtin::Elementwise)
}

impl Builtin {
    pub(super) fn name(self) -> &'static str {
        match (self, FUNCTIONS.iter().find(|row| row.3 == self)) {
            (_, Some(row)) => row.0,
            (Builtin::Elementwise(op), None) => op.name(),
            _ => "function",
        }
    }

    /// Fewest and most arguments.
    pub(super) fn arity(self) -> (usize, usize) {
        match (self, FUNCTIONS.iter().find(|row| row.3 == self)) {
            (_, Some(row)) => (row.1, row.2),
            (Builtin::Elementwise(op), None) => (op.arity(), op.arity()),
            _ => (0, usize::MAX),
        }
    }

    /// How its arguments are called, for messages.
    pub(super) fn signature(self) -> String {
        let arguments = match self {
            Builtin::Log => "x) or log(x, base",
            Builtin::If => "condition, then, otherwise",
            Builtin::Fold(_) | Builtin::Sum | Builtin::Mean => "a, b, …",
            Builtin::And | Builtin::Or => "a, b",
            Builtin::Elementwise(Elementwise::Polygamma) => "n, x",
            Builtin::Elementwise(Elementwise::Atan2) => "y, x",
            Builtin::Elementwise(op) if op.arity() == 1 => "x",
            Builtin::Not => "condition",
            _ => "a, b",
        };
        format!("{}({arguments})", self.name())
    }
}

pub(super) fn inverse(name: &str) -> Option<&'static str> {
    INVERSES.iter().find(|(f, _)| *f == name).map(|(_, inverse)| *inverse)
}

pub(super) fn refused(name: &str) -> Option<&'static str> {
    REFUSED.iter().find(|(refused, _)| *refused == name).map(|(_, why)| *why)
}

pub(super) fn is_greek(name: &str) -> bool {
    GREEK.contains(&name)
}

/// Every name a function can be called by, for suggestions.
pub(super) fn all_functions() -> impl Iterator<Item = &'static str> {
    let ops = Elementwise::ALL.iter().filter(|op| !is_internal(**op)).map(|op| op.name());
    let functions = FUNCTIONS.iter().map(|row| row.0);
    let aliases = ALIASES.iter().map(|(alias, _)| *alias);
    functions.chain(ops).chain(library::names()).chain(aliases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_to_a_function() {
        for name in all_functions() {
            let name = canonical(name);
            assert_eq!(canonical(name), name, "an alias of an alias");
            assert!(builtin(name).is_some() != library::find(name).is_some(), "{name}");
        }
    }

    #[test]
    fn the_page_on_formulas_names_every_function() {
        let page = include_str!("../../docs/formulas.md");
        let words: Vec<&str> = page.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
        let untold: Vec<&str> = all_functions().filter(|name| !words.contains(name)).collect();
        assert!(untold.is_empty(), "not in docs/formulas.md: {untold:?}");
    }

    #[test]
    fn inverses_are_mutual_functions() {
        for (f, g) in INVERSES {
            for name in [f, g] {
                assert!(builtin(name).is_some() || library::find(name).is_some(), "{name}");
            }
        }
    }
}
