//! Small dense systems: LU with partial pivoting and Cholesky, row-major, O(n³).
//!
//! Both refuse what they cannot factor instead of returning infinities.

/// `P·A = L·U` (Golub & Van Loan 2013, alg. 3.4.1).
#[derive(Debug, Clone)]
pub(super) struct Lu {
    n: usize,
    factors: Vec<f64>,
    pivots: Vec<usize>,
}

impl Lu {
    /// Factors the `n`×`n` matrix `a`; none when it is singular or not finite.
    pub(super) fn factor(mut a: Vec<f64>, n: usize) -> Option<Lu> {
        let mut pivots = Vec::with_capacity(n);
        for k in 0..n {
            let rank = |i: &usize| a[i * n + k].abs();
            let pivot = (k..n).reduce(|best, i| if rank(&i) > rank(&best) { i } else { best })?;
            let head = a[pivot * n + k];
            if head == 0.0 || !head.is_finite() {
                return None;
            }
            pivots.push(pivot);
            for j in 0..n {
                a.swap(k * n + j, pivot * n + j);
            }
            for i in k + 1..n {
                let factor = a[i * n + k] / head;
                a[i * n + k] = factor;
                for j in k + 1..n {
                    a[i * n + j] -= factor * a[k * n + j];
                }
            }
        }
        Some(Lu { n, factors: a, pivots })
    }

    /// Overwrites `b` with the solution of `A·x = b`.
    pub(super) fn solve(&self, b: &mut [f64]) {
        let n = self.n;
        for (k, &pivot) in self.pivots.iter().enumerate() {
            b.swap(k, pivot);
        }
        for i in 0..n {
            for j in 0..i {
                b[i] -= self.factors[i * n + j] * b[j];
            }
        }
        for i in (0..n).rev() {
            for j in i + 1..n {
                b[i] -= self.factors[i * n + j] * b[j];
            }
            b[i] /= self.factors[i * n + i];
        }
    }
}

/// `A = L·D·Lᵀ` for a positive definite `A` (Golub & Van Loan 2013, alg. 4.1.2): Cholesky without
/// roots, so that a 1×1 system is one exact division.
#[derive(Debug, Clone)]
pub(super) struct Cholesky {
    n: usize,
    /// `L` below the diagonal, `D` on it.
    factors: Vec<f64>,
}

impl Cholesky {
    /// Factors the lower triangle of the `n`×`n` matrix `a`; none unless it is positive definite.
    pub(super) fn factor(mut a: Vec<f64>, n: usize) -> Option<Cholesky> {
        for j in 0..n {
            let scaled: Vec<f64> = (0..j).map(|k| a[j * n + k] * a[k * n + k]).collect();
            for i in j..n {
                let known: f64 = scaled.iter().enumerate().map(|(k, s)| a[i * n + k] * s).sum();
                a[i * n + j] -= known;
            }
            let pivot = a[j * n + j];
            if pivot <= 0.0 || !pivot.is_finite() {
                return None;
            }
            for i in j + 1..n {
                a[i * n + j] /= pivot;
            }
        }
        Some(Cholesky { n, factors: a })
    }

    /// Overwrites `b` with the solution of `A·x = b`.
    pub(super) fn solve(&self, b: &mut [f64]) {
        let n = self.n;
        for i in 0..n {
            for j in 0..i {
                b[i] -= self.factors[i * n + j] * b[j];
            }
        }
        for i in (0..n).rev() {
            b[i] /= self.factors[i * n + i];
            for j in i + 1..n {
                b[i] -= self.factors[j * n + i] * b[j];
            }
        }
    }
}
