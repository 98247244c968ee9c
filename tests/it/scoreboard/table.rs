//! The scoreboard as text.

use crate::tally::Tally;
use std::time::Duration;

pub const HEAD: &str = "\
row        what holds                                              cases  failed     worst
---------- -------------------------------------------------- ---------- ------- ---------";

/// A line, and below it where it was worst and what failed.
pub fn line(row: &str, what: &str, tally: &Tally) -> String {
    let worst = if tally.worst > 0.0 { format!("{:.3}", tally.worst) } else { String::new() };
    let mut line = format!("{row:10} {what:50} {:10} {:7} {worst:>9}", tally.cases, tally.failed);
    if !tally.at.is_empty() {
        line += &format!("\n           worst: {}", tally.at);
    }
    for failure in &tally.failures {
        line += &format!("\n  failed: {}", failure.replace('\n', "\n          "));
    }
    line
}

/// How a row was measured.
pub fn note(cases: usize, seed: u64, time: Duration) -> String {
    format!("           {cases} cases from seed {seed}, {:.1} s", time.as_secs_f64())
}
