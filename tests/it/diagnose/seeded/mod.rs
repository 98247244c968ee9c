//! How often a diagnosis names the cause of a seeded fault first, and how often it finds one where
//! there is none.

mod faults;
pub mod healthy;
mod tables;

use crate::tally::Tally;
pub use faults::{AFTERWARDS, DATA, HELD_OUT, OPERATIONS, SETTINGS, STRUCTURE, Seeded, UNITS};
use healthy::Healthy;
use symdiff::Limits;
use symdiff::train::{Diagnosis, Program, TrainingOptions, diagnose};

/// Rows of each table.
const ROWS: usize = 60;

/// All faults there are, by kind.
pub const ALL: &[&[Seeded]] = &[OPERATIONS, SETTINGS, DATA, STRUCTURE, UNITS, HELD_OUT, AFTERWARDS];

/// What is found out about a program with a fault in it.
pub fn diagnosed(fault: &Seeded, seed: u64) -> Result<Diagnosis, symdiff::Error> {
    let program = Program::read(fault.text, &Limits::default())?;
    let mut arrays = fault.data.table(ROWS, seed, fault.spoil).arrays();
    for (array, input) in arrays.iter_mut().zip(&program.model().inputs) {
        array.name.clone_from(&input.name);
    }
    let prepared = program.prepare_arrays(arrays)?;
    diagnose(&program, prepared, &TrainingOptions { seed: Some(seed), ..TrainingOptions::default() })
}

/// Whether each fault's cause is named first.
pub fn named_first(faults: &[Seeded], seed: u64) -> Tally {
    let mut tally = Tally::default();
    for fault in faults {
        let found = diagnosed(fault, seed);
        let right = found.as_ref().is_ok_and(|found| found.cause() == Some(fault.cause));
        tally.check(right, || {
            let words = match &found {
                Ok(found) => list(found),
                Err(error) => error.to_string(),
            };
            format!("{}: not {}, but\n{words}", fault.name, fault.cause.name())
        });
    }
    tally
}

fn list(found: &Diagnosis) -> String {
    let line = |finding: &symdiff::train::Finding| {
        format!("    {} ({}): {}\n", finding.cause.name(), finding.grade.name(), finding.diagnostic.message)
    };
    let (before, after) = found.loss;
    let lines: String = found.findings.iter().map(line).collect();
    format!("{lines}    {} steps, loss {before} to {after}", found.steps)
}

/// Whether healthy programs are found to be so.
pub fn no_false_alarm(programs: &[Healthy], seed: u64) -> Tally {
    let mut tally = Tally::default();
    for healthy in programs {
        let found = healthy::diagnosed(healthy, ROWS, seed);
        let right = found.as_ref().is_ok_and(Diagnosis::is_healthy);
        tally.check(right, || match &found {
            Ok(found) => format!("{} is healthy, but\n{}", healthy.name, list(found)),
            Err(error) => format!("{}: {error}", healthy.name),
        });
    }
    tally
}

/// Faults whose cause is named first, and healthy programs without an alarm, with `cases` seeds from
/// `seed` on.
pub fn measure(cases: usize, seed: u64) -> Vec<(&'static str, Tally)> {
    let (mut named, mut calm) = (Tally::default(), Tally::default());
    for seed in seed..seed + cases.max(1) as u64 {
        ALL.iter().for_each(|faults| named.add(named_first(faults, seed)));
        calm.add(no_false_alarm(healthy::SMALL, seed));
    }
    vec![("seeded faults named first", named), ("healthy trainings without alarm", calm)]
}
