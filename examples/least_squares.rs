//! Linear least squares on a real table, without writing a derivative.
//!
//! Predicts disease progression from ten measurements of 442 diabetes patients. The loss is built
//! in a loop over the rows, compiled, and minimised; the columns are standardised first.

use symdiff::train::{Options, from_fn, minimize};
use symdiff::{Builder, Scalar, jit, value_and_grad};

const TABLE: &str = include_str!("data/diabetes.csv");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (names, rows) = read(TABLE)?;
    let features = names.len() - 1;

    let b = Builder::new();
    let weights: Vec<_> = names[..features].iter().map(|name| b.variable(name)).collect();
    let bias = b.variable("bias");
    let mut loss = b.integer(0);
    for row in &rows {
        let mut prediction = bias;
        for (weight, &x) in weights.iter().zip(row) {
            prediction += *weight * x;
        }
        loss += (prediction - row[features]).square();
    }
    let loss = b.function(loss / rows.len() as f64);

    let kernel = jit(&value_and_grad(&loss)?)?;
    let n = loss.input_size();
    let mut out = vec![0.0; n + 1];
    let mut objective = from_fn(n, |x: &[f64], gradient: &mut [f64]| {
        kernel.call(x, &mut out).expect("the lengths are the kernel's own");
        gradient.copy_from_slice(&out[1..]);
        out[0]
    });
    let report = minimize(&mut objective, &vec![0.0; n], &Options::default())?;

    for (name, weight) in loss.input_names().zip(&report.x) {
        println!("{name:>5} {weight:10.4}");
    }
    println!("mean squared error {:.4}", report.value);
    Ok(())
}

/// Column names and rows of a table.
type Table = (Vec<String>, Vec<Vec<f64>>);

/// Column names, and rows whose features have mean 0 and standard deviation 1.
fn read(table: &str) -> Result<Table, Box<dyn std::error::Error>> {
    let mut lines = table.lines();
    let names: Vec<String> =
        lines.next().ok_or("the table is empty")?.split(',').map(str::to_owned).collect();
    let parse = |line: &str| line.split(',').map(str::parse).collect::<Result<Vec<f64>, _>>();
    let mut rows = lines.map(parse).collect::<Result<Vec<_>, _>>()?;
    let count = rows.len() as f64;
    for column in 0..names.len() - 1 {
        let mean = rows.iter().map(|r| r[column]).sum::<f64>() / count;
        let variance = rows.iter().map(|r| (r[column] - mean).powi(2)).sum::<f64>() / count;
        for row in &mut rows {
            row[column] = (row[column] - mean) / variance.sqrt();
        }
    }
    Ok((names, rows))
}
