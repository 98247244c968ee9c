//! Any bytes at every reader, and random expressions through the whole house: see `fuzz/` for the same
//! targets under a coverage-guided fuzzer.

pub mod measure;
mod mutate;
pub mod targets;

use crate::tally::number;

/// `SYMDIFF_FUZZ_CASES`, `SYMDIFF_FUZZ_SEED` and `SYMDIFF_FUZZ_TARGET` choose others.
#[test]
fn no_input_makes_a_reader_fail() {
    let target = std::env::var("SYMDIFF_FUZZ_TARGET").unwrap_or_default();
    let names: Vec<&str> = target.split(',').filter(|name| !name.is_empty()).collect();
    let (cases, seed) = (number("SYMDIFF_FUZZ_CASES", 2_100), number("SYMDIFF_FUZZ_SEED", 1));
    let tally = measure::measure_of(&names, cases, seed as u64);
    eprintln!(
        "seed {seed}: {} cases, {} failed, the slowest {:.3} s: {}",
        tally.cases, tally.failed, tally.worst, tally.at
    );
    tally.assert_holds();
}
