//! Descends on the Rosenbrock function written as a sum over an index, in as many dimensions as you
//! like: the sum stays a loop, so compiling takes as long for two as for a million.
//!
//! `cargo run --release --example rosenbrock_sum -- 1000`

use symdiff::objective;
use symdiff::train::{Options, minimize};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let n: usize = std::env::args().nth(1).map_or(Ok(1000), |n| n.parse())?;

    let mut f = objective(&format!(
        "param x[{n}] = 0
         minimize sum[i = 0:{n}-1] (100*(x[i + 1] - x[i]^2)^2 + (1 - x[i])^2)"
    ))?;

    let start: Vec<f64> = (0..n).map(|i| if i % 2 == 0 { -1.2 } else { 1.0 }).collect();
    let options = Options { max_iterations: 100_000, ..Options::default() };
    let report = minimize(&mut f, &start, &options)?;
    let farthest = report.x.iter().map(|x| (x - 1.0).abs()).fold(0.0, f64::max);
    println!(
        "{} after {} steps: f = {:.1e}, farthest coordinate from 1 by {farthest:.1e}; {} bytes of code",
        report.status.name(),
        report.iterations,
        report.value,
        f.code_size(),
    );
    Ok(())
}
