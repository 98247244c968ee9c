//! Dense vectors as slices: the handful of O(n) loops every optimiser is made of.
//!
//! Sums run in four fixed lanes: the compiler can vectorise them and the bits never depend on it.

/// `Σ aᵢ·bᵢ` over the common length.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 4];
    let (a_body, a_tail) = a.as_chunks::<4>();
    let (b_body, b_tail) = b.as_chunks::<4>();
    for (p, q) in a_body.iter().zip(b_body) {
        for lane in 0..4 {
            lanes[lane] += p[lane] * q[lane];
        }
    }
    let tail: f64 = a_tail.iter().zip(b_tail).map(|(p, q)| p * q).sum();
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) + tail
}

/// `y ← y + α·x`.
pub(super) fn add_scaled(y: &mut [f64], alpha: f64, x: &[f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += alpha * x;
    }
}

/// `x ← α·x`.
pub(super) fn scale(x: &mut [f64], alpha: f64) {
    for x in x {
        *x *= alpha;
    }
}

/// `out ← a − b`.
pub(super) fn subtract(out: &mut [f64], a: &[f64], b: &[f64]) {
    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
        *out = a - b;
    }
}

/// `max |xᵢ|`, NaN when any component is NaN.
pub(super) fn max_norm(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |m: f64, v| if v.is_nan() || m.is_nan() { f64::NAN } else { m.max(v.abs()) })
}

/// `√Σxᵢ²`.
pub(super) fn norm(x: &[f64]) -> f64 {
    dot(x, x).sqrt()
}

/// The index of the component of largest magnitude; 0 for an empty slice.
pub(super) fn largest(x: &[f64]) -> usize {
    (0..x.len()).fold(0, |best, i| if x[i].abs() > x[best].abs() { i } else { best })
}

/// The index of the first component that is NaN or infinite.
pub(super) fn first_not_finite(x: &[f64]) -> Option<usize> {
    x.iter().position(|v| !v.is_finite())
}
