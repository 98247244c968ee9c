//! The rows of the scoreboard: what is measured, and with how many cases.

use crate::tally::Tally;
use crate::{
    agreement, cases, crash, diagnose, facts, fuzz, hostile, memory, mutants, partials, soundness, stability,
};
use symdiff::Level;

/// What was counted, each with its words.
type Counts = Vec<(&'static str, Tally)>;

/// A measurement.
pub struct Row {
    pub name: &'static str,
    /// Cases in the short run, in the middle one and in the long one; what one is, the row knows. A run
    /// with none leaves the row out.
    pub cases: [usize; 3],
    pub measure: fn(cases: usize, seed: u64) -> Counts,
}

#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    Row { name: "agreement", cases: [200, 20_000, 1_000_000], measure: agreement                         },
    Row { name: "stability", cases: [0, 1_000, 100_000],      measure: stability                         },
    Row { name: "cases",     cases: [5, 100, 100],            measure: reference_cases                   },
    Row { name: "rules",     cases: [500, 10_000, 100_000],   measure: rules                             },
    Row { name: "facts",     cases: [200, 5_000, 100_000],    measure: facts                             },
    Row { name: "partials",  cases: [1, 1, 1],                measure: partials                          },
    Row { name: "mutations", cases: [1, 1, 1],                measure: mutants::measure                  },
    Row { name: "diagnose",  cases: [1, 1, 3],                measure: diagnose::seeded::measure                  },
    Row { name: "hostile",   cases: [100, 1_000, 1_000],      measure: hostile                           },
    Row { name: "fuzz",      cases: [500, 20_000, 2_000_000], measure: fuzz                              },
    Row { name: "memory",    cases: [500, 10_000, 100_000],   measure: memory                            },
    Row { name: "crash",     cases: [3, 30, 200],             measure: crash                             },
];

fn agreement(cases: usize, seed: u64) -> Counts {
    let found = agreement::measure::measure(cases, seed);
    vec![
        ("JIT, interpreter, 128, 256 and 512 bits: same bits", found.bits),
        ("forward and reverse gradients agree", found.modes),
        ("values and gradients are the oracle's", found.truths),
    ]
}

fn stability(cases: usize, seed: u64) -> Counts {
    vec![(
        "values, slopes, second slopes within their ulps",
        stability::measure::measure(Level::Fast, cases, seed),
    )]
}

fn reference_cases(cases: usize, seed: u64) -> Counts {
    vec![("reference values, by every path", cases::measure::measure(cases, seed))]
}

fn rules(cases: usize, seed: u64) -> Counts {
    vec![
        ("each rule keeps values and undefinedness", soundness::measure(cases, seed)),
        ("rules do so in compositions", soundness::measure_compositions(cases / 200, seed)),
        ("conditions are asked for, and suffice", soundness::measure_conditions(cases / 10, seed)),
        ("random expressions keep value and undefinedness", soundness::measure_simplifier(cases / 10, seed)),
        ("constants fold into their op's interval", soundness::measure_folding(cases, seed)),
    ]
}

fn facts(cases: usize, seed: u64) -> Counts {
    vec![
        ("facts of random expressions hold", facts::measure(cases, seed)),
        ("images of intervals hold every value", facts::measure_images(cases, seed)),
    ]
}

fn partials(cases: usize, seed: u64) -> Counts {
    vec![("partials and claims of every op", partials::measure(cases, seed))]
}

/// Large input only where all rows are run: it takes hundreds of megabytes.
fn hostile(cases: usize, seed: u64) -> Counts {
    let mut counts = vec![("input is refused in words, or taken", hostile::measure::measure(cases, seed))];
    if cases >= 1_000 {
        counts.push(("and so is what is large, within a second", hostile::measure::measure_large()));
    }
    counts
}

fn fuzz(cases: usize, seed: u64) -> Counts {
    vec![("mutated input: no panic, no hang", fuzz::measure::measure(cases, seed))]
}

fn memory(cases: usize, seed: u64) -> Counts {
    vec![("kernels keep to their memory and give it back", memory::measure::measure(cases, seed))]
}

fn crash(cases: usize, seed: u64) -> Counts {
    vec![("killed runs: no broken file, resumed bit by bit", crash::measure::measure(cases, seed))]
}
