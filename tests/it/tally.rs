//! What a measurement of trust counted: cases, failures, and the worst that was met.
//!
//! Shared by the short tests and by the scoreboard, which run the same measurements.

#![allow(dead_code, reason = "not every measurement uses all of it")]

/// Failures that are kept in words; the others are only counted.
const KEPT: usize = 20;

/// A number the environment gives, or this one: long runs of short tests.
pub fn number(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// The outcome of measuring one property over many cases.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Cases that were looked at.
    pub cases: usize,
    /// Cases in which the property did not hold.
    pub failed: usize,
    /// The first failures, in words.
    pub failures: Vec<String>,
    /// The largest error met, in the row's own unit, and where.
    pub worst: f64,
    pub at: String,
}

impl Tally {
    /// Counts a case that held.
    pub fn pass(&mut self) {
        self.cases += 1;
    }

    /// Counts a case that did not hold.
    pub fn fail(&mut self, what: impl FnOnce() -> String) {
        self.cases += 1;
        self.failed += 1;
        if self.failures.len() < KEPT {
            self.failures.push(what());
        }
    }

    /// Counts a case by whether it held.
    pub fn check(&mut self, held: bool, what: impl FnOnce() -> String) {
        if held { self.pass() } else { self.fail(what) }
    }

    /// Takes note of an error, and keeps it if it is the largest.
    pub fn note(&mut self, error: f64, at: impl FnOnce() -> String) {
        if error > self.worst {
            (self.worst, self.at) = (error, at());
        }
    }

    /// Adds what another measurement of the same property counted.
    pub fn add(&mut self, other: Tally) {
        self.cases += other.cases;
        self.failed += other.failed;
        let room = KEPT.saturating_sub(self.failures.len());
        self.failures.extend(other.failures.into_iter().take(room));
        if other.worst > self.worst {
            (self.worst, self.at) = (other.worst, other.at);
        }
    }

    /// Fails a test with what was kept, unless every case held and there were any.
    #[track_caller]
    pub fn assert_holds(&self) {
        assert!(self.cases > 0, "nothing was measured");
        let failures = self.failures.join("\n");
        assert!(self.failed == 0, "{} of {} failed:\n{failures}", self.failed, self.cases);
    }
}
