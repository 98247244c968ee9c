//! Objectives of any size, for tests of sizes and for the benches, which measure the same ones.

use symdiff::{Builder, Function, Real, Scalar};

/// ∏ sin(xᵢ xᵢ₊₁) over n variables.
pub fn product_of_sines(n: usize) -> Function {
    let b = Builder::new();
    let x: Vec<_> = (0..n).map(|i| b.variable(&format!("x{i}"))).collect();
    let factors = x.windows(2).map(|pair| (pair[0] * pair[1]).sin());
    b.function(factors.reduce(|product, s| product * s).unwrap_or_else(|| b.integer(1)))
}

/// f ← sin(f)·x + cos(f)·y, `depth` times.
pub fn nested(depth: usize) -> Function {
    let b = Builder::new();
    let (x, y) = (b.variable("x"), b.variable("y"));
    b.function((0..depth).fold(x, |f, _| f.sin() * x + f.cos() * y))
}

/// Σ 100 (xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)² over n variables.
pub fn rosenbrock(n: usize) -> Function {
    let b = Builder::new();
    let x: Vec<_> = (0..n).map(|i| b.variable(&format!("x{i}"))).collect();
    let terms = x.windows(2).map(|p| 100.0 * (p[1] - p[0].square()).square() + (1.0 - p[0]).square());
    b.function(terms.reduce(|sum, t| sum + t).unwrap_or_else(|| b.integer(0)))
}
