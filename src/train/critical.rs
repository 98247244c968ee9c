//! What a critical point is: the signs of the Hessian's eigenvalues.

/// A point where the gradient is 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Critical {
    /// The eigenvalues of the Hessian, rising.
    pub eigenvalues: Vec<f64>,
}

/// Eigenvalues this part of the largest one are 0.
const FLAT: f64 = 1e-9;
/// Sweeps of rotations: each squares what is left beside the diagonal.
const SWEEPS: usize = 60;

impl Critical {
    /// From a Hessian, row-major, symmetric: Jacobi's rotations (Golub & Van Loan 2013, section 8.5).
    /// `None` where an entry is not finite.
    ///
    /// ```
    /// use symdiff::train::Critical;
    /// let saddle = Critical::of(&[2.0, 0.0, 0.0, -2.0], 2).expect("finite");
    /// assert_eq!((saddle.eigenvalues.clone(), saddle.words()), (vec![-2.0, 2.0], "a saddle"));
    /// ```
    pub fn of(hessian: &[f64], n: usize) -> Option<Critical> {
        let mut a = hessian.get(..n * n)?.to_vec();
        if a.iter().any(|x| !x.is_finite()) {
            return None;
        }
        for _ in 0..SWEEPS {
            let mut beside = 0.0;
            for p in 0..n {
                for q in p + 1..n {
                    beside += a[p * n + q].abs();
                    rotate(&mut a, n, p, q);
                }
            }
            if beside == 0.0 {
                break;
            }
        }
        let mut eigenvalues: Vec<f64> = (0..n).map(|i| a[i * n + i]).collect();
        eigenvalues.sort_by(f64::total_cmp);
        Some(Critical { eigenvalues })
    }

    /// What it is.
    pub fn words(&self) -> &'static str {
        let most = self.eigenvalues.iter().fold(0.0, |most: f64, x| x.abs().max(most));
        let below = self.eigenvalues.iter().any(|&x| x < -FLAT * most);
        let above = self.eigenvalues.iter().any(|&x| x > FLAT * most);
        let flat = self.eigenvalues.iter().any(|&x| x.abs() <= FLAT * most);
        match (below, above, flat) {
            (true, true, _) => "a saddle",
            (false, true, false) => "a minimum",
            (true, false, false) => "a maximum",
            (false, true, true) => "a minimum along some directions, flat along others",
            (true, false, true) => "a maximum along some directions, flat along others",
            (false, false, _) => "flat to second order",
        }
    }
}

/// Makes the entries at (p, q) and (q, p) zero.
fn rotate(a: &mut [f64], n: usize, p: usize, q: usize) {
    let off = a[p * n + q];
    if off == 0.0 {
        return;
    }
    let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * off);
    let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let c = 1.0 / (t * t + 1.0).sqrt();
    let s = t * c;
    for k in 0..n {
        let (x, y) = (a[k * n + p], a[k * n + q]);
        (a[k * n + p], a[k * n + q]) = (c * x - s * y, s * x + c * y);
    }
    for k in 0..n {
        let (x, y) = (a[p * n + k], a[q * n + k]);
        (a[p * n + k], a[q * n + k]) = (c * x - s * y, s * x + c * y);
    }
    (a[p * n + q], a[q * n + p]) = (0.0, 0.0);
}
