//! The rows of the scoreboard: what is measured, and with how many cases.

use crate::agreement;
use crate::tally::Tally;
use clap::builder::PossibleValuesParser;

/// One measurement; it may count several things, each with its words.
pub struct Row {
    pub name: &'static str,
    /// Cases in the short run and in the long one.
    pub short: usize,
    pub long: usize,
    pub measure: fn(cases: usize, seed: u64) -> Vec<(&'static str, Tally)>,
}

#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    Row { name: "agreement", short: 400, long: 1_000_000, measure: agreement_of_random_expressions },
    Row { name: "diagnose",  short: 1,   long: 10,        measure: crate::seeded::measure },
];

pub fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(ROWS.iter().map(|row| row.name))
}

fn agreement_of_random_expressions(cases: usize, seed: u64) -> Vec<(&'static str, Tally)> {
    let found = agreement::measure::measure(cases, seed);
    vec![
        ("JIT, interpreter, 128, 256, 512 bits: same bits", found.bits),
        ("forward and reverse gradients agree", found.modes),
        ("values and gradients are the oracle's", found.truths),
    ]
}
