//! The rows of the scoreboard: what is measured, and with how many cases.

use crate::tally::Tally;
use crate::{agreement, facts, mutants, partials, soundness};
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
    Row { name: "rules",     short: 500, long: 20_000,    measure: rules_on_both_sides },
    Row { name: "facts",     short: 200, long: 20_000,    measure: facts_of_signs_and_intervals },
    Row { name: "mutations", short: 1,   long: 1,         measure: mutants::measure },
];

pub fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(ROWS.iter().map(|row| row.name))
}

/// So many points a rule; a tenth as many random expressions for the simplifier as a whole.
fn rules_on_both_sides(cases: usize, seed: u64) -> Vec<(&'static str, Tally)> {
    let some = cases / 10;
    vec![
        ("every rule means the same on both sides", soundness::measure(cases, seed)),
        ("conditional rules, condition known and not", soundness::measure_conditions(some, seed)),
        ("rules on parts that may be undefined", soundness::measure_compositions(some / 20, seed)),
        ("simplified at every level and purpose", soundness::measure_simplifier(some, seed)),
        ("constants are folded exactly", soundness::measure_folding(some, seed)),
    ]
}

fn facts_of_signs_and_intervals(cases: usize, seed: u64) -> Vec<(&'static str, Tally)> {
    vec![
        ("signs, intervals and definedness known of nodes", facts::measure(cases, seed)),
        ("images of intervals hold their values", facts::measure_images(cases, seed)),
        ("rows of the op table", partials::measure(cases, seed)),
    ]
}

fn agreement_of_random_expressions(cases: usize, seed: u64) -> Vec<(&'static str, Tally)> {
    let found = agreement::measure::measure(cases, seed);
    vec![
        ("JIT, interpreter, 128, 256, 512 bits: same bits", found.bits),
        ("forward and reverse gradients agree", found.modes),
        ("values and gradients are the oracle's", found.truths),
    ]
}
