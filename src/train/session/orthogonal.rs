//! Orthogonal matrices, uniform among all: the Q of a normal matrix's QR, signs fixed.
//!
//! Householder reflections (Householder 1958; the signs after Mezzadri, *How to generate random
//! matrices from the classical compact groups*, 2007) in plain f64, in one fixed order, so the
//! bits are the same on every host.

use crate::data::Random;

/// `rows × columns` entries, row-major: orthonormal columns where there are no more columns than
/// rows, orthonormal rows otherwise.
pub(super) fn orthogonal(rows: usize, columns: usize, random: &mut Random) -> Vec<f64> {
    let (tall, wide) = (rows.max(columns), rows.min(columns));
    // Column by column: a reflection touches whole columns.
    let mut a: Vec<Vec<f64>> = (0..wide).map(|_| (0..tall).map(|_| random.normal()).collect()).collect();
    let mut signs = Vec::with_capacity(wide);
    let mut reflections: Vec<Vec<f64>> = Vec::with_capacity(wide);
    for k in 0..wide {
        let (v, sign) = reflection(&a[k][k..]);
        for column in &mut a[k..] {
            reflect(&v, &mut column[k..]);
        }
        signs.push(sign);
        reflections.push(v);
    }
    // Q = H₀ H₁ … applied to the first columns of the identity, each times the sign of R's diagonal.
    let mut q: Vec<Vec<f64>> = Vec::with_capacity(wide);
    for j in 0..wide {
        let mut column = vec![0.0; tall];
        column[j] = signs[j];
        for k in (0..wide).rev() {
            reflect(&reflections[k], &mut column[k..]);
        }
        q.push(column);
    }
    let entry = |i: usize, j: usize| if rows >= columns { q[j][i] } else { q[i][j] };
    (0..rows * columns).map(|at| entry(at / columns, at % columns)).collect()
}

/// The unit vector v with (1 − 2vvᵀ)x = −sign(x₀)‖x‖e₀, and that sign of R's diagonal.
fn reflection(x: &[f64]) -> (Vec<f64>, f64) {
    let mut v = x.to_vec();
    let norm = dot(x, x).sqrt();
    let sign = if x[0] < 0.0 { -1.0 } else { 1.0 };
    v[0] += sign * norm;
    let length = dot(&v, &v).sqrt();
    if length > 0.0 {
        v.iter_mut().for_each(|entry| *entry /= length);
    }
    (v, -sign)
}

/// x − 2v(v·x)
fn reflect(v: &[f64], x: &mut [f64]) {
    let along = 2.0 * dot(v, x);
    x.iter_mut().zip(v).for_each(|(x, v)| *x -= along * v);
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).fold(0.0, |sum, (a, b)| sum + a * b)
}
