//! What flags take: names from tables, and numbers in range.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::Target;
use crate::print::Format;
use crate::{Engine, Level, Mode, VectorLevel};

pub(super) const MODES: [(&str, Mode); 2] = [("reverse", Mode::Reverse), ("forward", Mode::Forward)];
pub(super) const LEVELS: [(&str, Level); 3] =
    [("none", Level::None), ("fast", Level::Fast), ("full", Level::Full)];
pub(super) const TARGETS: [(&str, Target); 1] = [("asm", Target::Asm)];
pub(super) const VECTORS: [(&str, VectorLevel); 3] =
    [("128", VectorLevel::L128), ("256", VectorLevel::L256), ("512", VectorLevel::L512)];
pub(super) const ENGINES: [(&str, Engine); 2] = [("jit", Engine::Jit), ("interpreter", Engine::Interpreter)];
pub(super) const FORMATS: [(&str, Format); 6] = [
    ("text", Format::Text),
    ("unicode", Format::Unicode),
    ("latex", Format::Latex),
    ("mathml", Format::Mathml),
    ("json", Format::Json),
    ("dot", Format::Dot),
];

/// A parser of the names in a table.
pub(super) fn named<T: Copy + Send + Sync + 'static>(
    choices: &'static [(&'static str, T)],
) -> impl TypedValueParser<Value = T> {
    let names = choices.iter().map(|(name, _)| PossibleValue::new(*name));
    PossibleValuesParser::new(names).map(|given| {
        let chosen = choices.iter().find(|(name, _)| *name == given);
        chosen.expect("clap lets only names of the table through").1
    })
}

/// A finite, positive number.
pub(super) fn number(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(value) if value.is_finite() && value > 0.0 => Ok(value),
        _ => Err("a positive number is needed".to_owned()),
    }
}

/// A number of threads.
pub(super) fn threads(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|n| (1..=256).contains(n));
    count.ok_or_else(|| "threads are 1 to 256".to_owned())
}
