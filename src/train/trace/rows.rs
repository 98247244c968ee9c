//! Of many rows those that give no number, and what went wrong in the first of them.
//!
//! What must stay true: rows that are well cost a look at each number, no more.

use super::{Anatomy, in_value};
use crate::elaborate::Origins;
use crate::error::{Diagnostic, Severity};
use crate::ir::{Function, Id};
use crate::train::Finding;

/// Rows whose results are not finite.
pub(crate) struct Undefined {
    count: usize,
    /// The first of them, from 0, of how many.
    pub row: usize,
    rows: usize,
}

impl Undefined {
    /// A point that stands alone.
    pub fn point() -> Undefined {
        Undefined { count: 1, row: 0, rows: 1 }
    }

    /// Rows that are bad.
    pub fn among(rows: usize, is_bad: impl Fn(usize) -> bool) -> Option<Undefined> {
        let mut bad = (0..rows).filter(|&row| is_bad(row));
        let row = bad.next()?;
        Some(Undefined { count: 1 + bad.count(), row, rows })
    }

    /// A warning about them, at the place of what went wrong in the first, whose numbers are `point`.
    pub fn warning(
        &self,
        function: &Function,
        origins: &Origins,
        named: &[(String, Id)],
        point: &[f64],
    ) -> Diagnostic {
        let what = match self.rows {
            1 => "the result is not finite".to_owned(),
            rows => {
                format!(
                    "no finite result in {} of {rows} rows; the first is row {}",
                    self.count,
                    self.row + 1
                )
            }
        };
        match in_value(&Anatomy::new(function, origins, named), point) {
            None => Diagnostic::warning(what),
            Some(Finding { diagnostic, .. }) => Diagnostic {
                severity: Severity::Warning,
                message: format!("{what}: {}", diagnostic.message),
                ..diagnostic
            },
        }
    }
}
