//! Entries that choose: classes of a label, rows of a table. They are whole numbers in 0..count.

use super::extract::Examples;
use crate::error::{Diagnostic, Error};

impl Examples {
    /// Whether every entry of input `input`, named `name`, is a whole number in 0..count.
    ///
    /// The error names the first row that has another, and the mend where classes count from 1.
    ///
    /// ```
    /// use symdiff::data::Examples;
    /// let mut labels = Examples::default();
    /// (labels.count, labels.inputs) = (3, vec![vec![1.0, 2.0, 3.0]]);
    /// let error = labels.check_classes(0, "y", 3).unwrap_err();
    /// assert!(error.to_string().contains("subtract 1"));
    /// ```
    pub fn check_classes(&self, input: usize, name: &str, count: usize) -> Result<(), Error> {
        let values = self.inputs.get(input).map_or(&[][..], Vec::as_slice);
        let fits = |x: f64| x.fract() == 0.0 && (0.0..count as f64).contains(&x);
        let Some(at) = values.iter().position(|&x| !fits(x)) else { return Ok(()) };
        let size = (values.len() / self.count.max(1)).max(1);
        let (place, value) = (self.place(at / size), values[at]);
        let text = format!(
            "{place}: {value} for input `{name}`, which chooses among 0 to {}",
            count.saturating_sub(1)
        );
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let hint = if values.iter().any(|x| x.fract() != 0.0) {
            "classes are whole numbers; is this the right column, and is it kept out of `standardize`?"
                .to_owned()
        } else if least == 1.0 && most == count as f64 {
            format!("classes count from 0: subtract 1, as in `{name} - 1`")
        } else if least >= 0.0 {
            format!("mend the row, or make room for {} classes", most + 1.0)
        } else {
            "classes count from 0".to_owned()
        };
        Err(Error::data(Diagnostic::error(text).hint(hint)))
    }
}
