//! Minimises the Rosenbrock function in as many dimensions as you like.
//!
//! `cargo run --release --example rosenbrock -- 1000`

use symdiff::train::{Options, from_fn, minimize};
use symdiff::{Builder, Scalar, jit, value_and_grad};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let n: usize = std::env::args().nth(1).map_or(Ok(10), |n| n.parse())?;

    let b = Builder::new();
    let x: Vec<_> = (0..n).map(|i| b.variable(&format!("x{i}"))).collect();
    let mut f = b.integer(0);
    for pair in x.windows(2) {
        f += 100.0 * (pair[1] - pair[0].square()).square() + (1.0 - pair[0]).square();
    }

    let kernel = jit(&value_and_grad(&b.function(f))?)?;
    let mut out = vec![0.0; n + 1];
    let mut objective = from_fn(n, |x: &[f64], gradient: &mut [f64]| {
        kernel.call(x, &mut out).expect("the lengths are the kernel's own");
        gradient.copy_from_slice(&out[1..]);
        out[0]
    });
    let start: Vec<f64> = (0..n).map(|i| if i % 2 == 0 { -1.2 } else { 1.0 }).collect();
    let report = minimize(&mut objective, &start, &Options::default())?;

    let farthest = report.x.iter().map(|x| (x - 1.0).abs()).fold(0.0, f64::max);
    println!(
        "{}: f = {:.1e}, farthest coordinate from 1 by {:.1e}",
        report.status.name(),
        report.value,
        farthest
    );
    Ok(())
}
