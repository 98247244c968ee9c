//! Training, validation and test rows, by seed.
//!
//! What must stay true: the three lists are disjoint, ascending, and together every row once;
//! the same count, fractions and seed give the same lists; the training rows are never none.

use super::random::Random;
use crate::error::{Diagnostic, Error};

/// Rows of each part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// The rows that are trained on.
    pub train: Vec<u32>,
    /// The rows that say when to stop.
    pub validation: Vec<u32>,
    /// The rows kept for the end.
    pub test: Vec<u32>,
}

/// Splits rows 0..count; a part's size is its fraction of the rows, rounded, and at least one
/// row where the fraction is not 0.
///
/// Fails where a fraction is not in [0, 1), or no row would be left to train on.
///
/// ```
/// let split = symdiff::data::split(150, 0.1, 0.2, 0)?;
/// assert_eq!((split.train.len(), split.validation.len(), split.test.len()), (105, 15, 30));
/// # Ok::<(), symdiff::Error>(())
/// ```
pub fn split(count: usize, validation: f64, test: f64, seed: u64) -> Result<Split, Error> {
    split_by_class(&vec![0.0; count], validation, test, seed)
}

/// Splits rows so that each class, a distinct number of `classes`, is in each part in proportion.
///
/// The fractions are of each class; otherwise as [`split`].
pub fn split_by_class(classes: &[f64], validation: f64, test: f64, seed: u64) -> Result<Split, Error> {
    check_fractions(validation, test)?;
    let mut order: Vec<u32> = (0..classes.len() as u32).collect();
    Random::new(seed, "split").shuffle(&mut order);
    // A stable sort by class keeps each class's random order.
    order.sort_by(|&a, &b| classes[a as usize].total_cmp(&classes[b as usize]));
    let mut parts = Split::default();
    for class in order.chunk_by(|&a, &b| classes[a as usize].total_cmp(&classes[b as usize]).is_eq()) {
        let (test, rest) = class.split_at(part(class.len(), test));
        let (validation, train) = rest.split_at(part(class.len(), validation).min(rest.len()));
        parts.test.extend_from_slice(test);
        parts.validation.extend_from_slice(validation);
        parts.train.extend_from_slice(train);
    }
    if parts.train.is_empty() {
        let (v, t) = (parts.validation.len(), parts.test.len());
        let text = format!(
            "of {} rows, {v} for validation and {t} for the test leave none to train on",
            classes.len()
        );
        return Err(Error::data(Diagnostic::error(text).hint("set smaller fractions aside")));
    }
    [&mut parts.train, &mut parts.validation, &mut parts.test]
        .into_iter()
        .for_each(|part| part.sort_unstable());
    Ok(parts)
}

pub(super) fn check_fractions(validation: f64, test: f64) -> Result<(), Error> {
    check(validation, "validation")?;
    check(test, "test")
}

fn check(fraction: f64, name: &str) -> Result<(), Error> {
    if (0.0..1.0).contains(&fraction) {
        return Ok(());
    }
    let text = format!("the {name} fraction {fraction} is not in [0, 1)");
    Err(Error::input(Diagnostic::error(text).hint("a fifth of the rows is 0.2")))
}

/// A fraction of some rows, at least one where it is not 0.
pub(super) fn part(rows: usize, fraction: f64) -> usize {
    let least = usize::from(fraction > 0.0).min(rows);
    ((rows as f64 * fraction).round() as usize).max(least)
}
