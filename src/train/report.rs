//! How a run ended: the point, a status with a stable name, and a sentence.
//!
//! Names of statuses are part of the JSON contract. Numbers inside sentences are rounded to four
//! digits, except those the caller gave.

use std::fmt;

use super::vector;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// A first-order point to within the tolerance, or to within rounding.
    Converged,
    /// The budget of steps, iterations or evaluations is spent.
    MaxIterations,
    /// The values grew because the learning rate is too large.
    Diverged,
    /// No further decrease could be found, and the gradient is not small.
    Stalled,
    /// The values improve without end, or the minimiser lies at infinity.
    Unbounded,
    /// The objective or its gradient is NaN or infinite where it had to be finite.
    NotFinite,
    /// The caller asked to stop.
    Stopped,
}

impl Status {
    /// The name used in JSON and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Status::Converged => "converged",
            Status::MaxIterations => "max-iterations",
            Status::Diverged => "diverged",
            Status::Stalled => "stalled",
            Status::Unbounded => "unbounded",
            Status::NotFinite => "not-finite",
            Status::Stopped => "stopped",
        }
    }

    /// The run did what it was asked to: it converged, or it used the steps it was given, or it
    /// stopped when told to. The command line exits with 0 exactly then, with 1 otherwise.
    pub fn is_success(self) -> bool {
        matches!(self, Status::Converged | Status::MaxIterations | Status::Stopped)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The outcome of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The last point accepted, always finite.
    pub x: Vec<f64>,
    /// The objective there, in the caller's sense.
    pub value: f64,
    /// `max |P(x − g) − x|`, which without bounds is `max |gᵢ|`.
    pub gradient_norm: f64,
    /// Steps taken.
    pub iterations: usize,
    /// Evaluations of value and gradient together.
    pub evaluations: usize,
    /// How it ended, for a program.
    pub status: Status,
    /// How it ended, for a reader.
    pub message: String,
}

/// What the caller wants next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Stop after this step, with [`Status::Stopped`].
    Stop,
}

/// One accepted point, as a visitor sees it. Step 0 is the start.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// Steps taken so far.
    pub index: usize,
    /// The point.
    pub x: &'a [f64],
    /// The objective, in the caller's sense.
    pub value: f64,
    /// The norm of [`Report::gradient_norm`].
    pub gradient_norm: f64,
}

/// A question that cannot be asked: the run never began.
#[derive(Debug, Clone, PartialEq)]
pub enum Invalid {
    /// The objective has no variables.
    NoVariables,
    /// A slice does not have one entry for each variable.
    Length {
        /// Which slice.
        what: &'static str,
        /// The number of variables.
        expected: usize,
        /// Its length.
        found: usize,
    },
    /// A coordinate of the start is NaN or infinite.
    StartNotFinite {
        /// Which variable.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// A bound is NaN.
    BoundNan {
        /// Which variable.
        index: usize,
    },
    /// No number lies between the bounds.
    BoundsCrossed {
        /// Which variable.
        index: usize,
        /// Its lower bound.
        lower: f64,
        /// Its upper bound.
        upper: f64,
    },
    /// An option lies outside its range.
    Option {
        /// Which option.
        what: &'static str,
        /// The value given.
        value: f64,
    },
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Invalid::NoVariables => f.write_str("the objective has no variables: nothing to move"),
            Invalid::Length { what, expected, found } => {
                write!(f, "expected {expected} numbers, one for each variable, but {what} has {found}")
            }
            Invalid::StartNotFinite { index, value } => {
                write!(f, "the start must be finite, but x[{index}] = {value}")
            }
            Invalid::BoundNan { index } => write!(f, "a bound of x[{index}] is NaN"),
            Invalid::BoundsCrossed { index, lower, upper } => {
                write!(f, "no number satisfies {lower} <= x[{index}] <= {upper}")
            }
            Invalid::Option { what, value } => {
                write!(f, "{what} must be a positive finite number, not {value}")
            }
        }
    }
}

impl std::error::Error for Invalid {}

/// The start fits `dimension` variables and is finite.
pub(super) fn check_start(dimension: usize, start: &[f64]) -> Result<(), Invalid> {
    if dimension == 0 {
        return Err(Invalid::NoVariables);
    }
    if start.len() != dimension {
        return Err(Invalid::Length { what: "the start", expected: dimension, found: start.len() });
    }
    match vector::first_not_finite(start) {
        Some(index) => Err(Invalid::StartNotFinite { index, value: start[index] }),
        None => Ok(()),
    }
}

/// `value` is finite and positive, as the option `what` has to be.
pub(super) fn check_positive(what: &'static str, value: f64) -> Result<(), Invalid> {
    if value.is_finite() && value > 0.0 { Ok(()) } else { Err(Invalid::Option { what, value }) }
}

/// The names of the variables in sentences: the caller's, or `x[0]`, `x[1]`, …
#[derive(Debug, Clone, Copy)]
pub(super) struct Names<'a>(pub(super) &'a [String]);

/// Points in sentences show this many coordinates.
const SHOWN: usize = 6;

impl Names<'_> {
    /// The name of variable `i`.
    pub(super) fn of(self, i: usize) -> String {
        self.0.get(i).cloned().unwrap_or_else(|| format!("x[{i}]"))
    }

    /// `x = 1, y = 2`, shortened after a few coordinates.
    pub(super) fn point(self, x: &[f64]) -> String {
        let shown: Vec<String> = x
            .iter()
            .take(SHOWN)
            .enumerate()
            .map(|(i, v)| format!("{} = {}", self.of(i), short(*v)))
            .collect();
        let more = if x.len() > SHOWN { ", …" } else { "" };
        shown.join(", ") + more
    }

    /// The note that a start outside the bounds was projected; empty when it was inside.
    pub(super) fn projection_note(self, asked: &[f64], start: &[f64]) -> String {
        match (0..asked.len()).find(|&i| asked[i] != start[i]) {
            None => String::new(),
            Some(i) => format!(
                "; the start was outside the bounds: {} = {} was moved to {}",
                self.of(i),
                asked[i],
                start[i]
            ),
        }
    }

    /// What is not finite: the value, or one coordinate of the gradient.
    pub(super) fn culprit(self, value: f64, gradient: &[f64]) -> String {
        if !value.is_finite() {
            return format!("the objective is {value}");
        }
        match vector::first_not_finite(gradient) {
            Some(i) => format!("the derivative by {} is {}", self.of(i), gradient[i]),
            None => "a number is not finite".to_owned(),
        }
    }
}

/// A number to four significant digits, in the shorter of the two notations.
pub(super) fn short(x: f64) -> String {
    let rounded: f64 = format!("{x:.3e}").parse().unwrap_or(x);
    if rounded == 0.0 || (1e-4..1e7).contains(&rounded.abs()) || !rounded.is_finite() {
        format!("{rounded}")
    } else {
        format!("{rounded:e}")
    }
}
