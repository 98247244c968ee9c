//! Standardisation: each column of an input less its mean, over its standard deviation.
//!
//! What must stay true: `restore` undoes `apply` up to rounding; a constant column is centred
//! and not scaled, so no number becomes infinite.

/// Means and deviations of an input's columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaling {
    /// The mean of each column.
    pub mean: Vec<f64>,
    /// The population standard deviation of each column; 1 where the column is constant.
    pub std: Vec<f64>,
}

impl Scaling {
    /// The scaling of these rows of `values`, `size` numbers each, and its constant columns.
    ///
    /// The mean is the sum over the count; the deviation is from the mean (two passes), divided
    /// by the count, not by one less.
    pub fn of(values: &[f64], size: usize, rows: &[u32]) -> (Scaling, Vec<usize>) {
        let count = rows.len().max(1) as f64;
        let cells = |j: usize| rows.iter().map(move |&row| values[row as usize * size + j]);
        let mean: Vec<f64> = (0..size).map(|j| cells(j).fold(0.0, |sum, x| sum + x) / count).collect();
        let mut constant = Vec::new();
        let deviation = |j: usize| {
            let square = |x: f64| (x - mean[j]) * (x - mean[j]);
            (cells(j).fold(0.0, |sum, x| sum + square(x)) / count).sqrt()
        };
        let mut std: Vec<f64> = (0..size).map(deviation).collect();
        for (j, std) in std.iter_mut().enumerate() {
            // Rounding of the mean may leave a constant column a tiny deviation.
            let same = cells(j).all(|x| Some(x) == cells(j).next());
            if same || *std < f64::MIN_POSITIVE {
                *std = 1.0;
                constant.push(j);
            }
        }
        (Scaling { mean, std }, constant)
    }

    /// Whether no sum overflowed.
    pub(super) fn is_finite(&self) -> bool {
        self.mean.iter().chain(&self.std).all(|x| x.is_finite())
    }

    /// Standardises rows, in place.
    ///
    /// ```
    /// use symdiff::data::Scaling;
    /// let mut values = [1.0, 3.0];
    /// let (scaling, _) = Scaling::of(&values, 1, &[0, 1]);
    /// scaling.apply(&mut values);
    /// assert_eq!(values, [-1.0, 1.0]);
    /// scaling.restore(&mut values);
    /// assert_eq!(values, [1.0, 3.0]);
    /// ```
    pub fn apply(&self, values: &mut [f64]) {
        self.each(values, |x, mean, std| (x - mean) / std);
    }

    /// Back to the units of the table, in place.
    pub fn restore(&self, values: &mut [f64]) {
        self.each(values, |x, mean, std| x * std + mean);
    }

    fn each(&self, values: &mut [f64], act: impl Fn(f64, f64, f64) -> f64) {
        for row in values.chunks_mut(self.mean.len().max(1)) {
            for ((x, mean), std) in row.iter_mut().zip(&self.mean).zip(&self.std) {
                *x = act(*x, *mean, *std);
            }
        }
    }
}
