//! Measures every elementary function and writes `docs/accuracy.md`.
//!
//! `cargo run --release --example accuracy -- [points] [stride]`: so many random points a function in
//! double precision (a million unless told), and every so manyth single (1021; 1 is all of them).

mod measure;
mod oracle;
mod special;
mod table;
mod twice;

use measure::{Random, Worst, double, single};
use std::fmt::Write;
use symdiff::ir::Single;

const HEAD: &str = "\
# Accuracy of the elementary functions

The largest error found, in units of the last place (ulp) of the result next to the exact value.
Written by `cargo run --release --example accuracy`.

- Every level of vectors the machine has, and the interpreter, gave the same bits.
- Double precision is measured against series in about 100 bits (`examples/accuracy/oracle.rs`), at
  random arguments over all exponents, near the ends of ranges and near zeros and poles.
- Single precision is measured against double. *native* functions are computed in single precision,
  *widened* ones in double and rounded (`src/ir/elementwise.rs` has the column).
- `tests/it/accuracy.rs` holds the bounds on a smaller sample.

| function | f64: ulp | at | f32: ulp | at | f32 is |
|---|---|---|---|---|---|
";

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|a| a.parse::<u32>().ok());
    let points = arguments.next().unwrap_or(1_000_000);
    let stride = arguments.next().unwrap_or(1021).max(1);
    let only: Vec<String> = std::env::args().skip(1).filter(|a| a.parse::<u32>().is_err()).collect();
    let (mut page, mut failures) = (HEAD.to_owned(), Vec::new());
    for row in table::ROWS {
        let name = row.op.name();
        if !only.is_empty() && !only.iter().any(|o| o == name) {
            continue;
        }
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        let found = [double(row, points as usize, &mut random), single(row, stride, &mut random)];
        for (worst, bound) in found.iter().zip(row.bounds).filter(|(worst, bound)| worst.error > *bound) {
            failures.push(format!("{name}{:?}: {:.3} ulp, stated {bound}", worst.at, worst.error));
        }
        let way = if row.op.single() == Single::Native { "native" } else { "widened" };
        let [f64s, f32s] = found.map(|worst| shown(&worst));
        let line = format!("| `{name}` | {f64s} | {f32s} | {way} |");
        println!("{line}");
        writeln!(page, "{line}").expect("strings take all");
    }
    writeln!(
        page,
        "\n{points} random points a function in double precision; in single, bit patterns {stride} apart."
    )
    .expect("strings take all");
    if only.is_empty() {
        std::fs::write("docs/accuracy.md", page).expect("the folder `docs` can be written to");
    }
    failures.iter().for_each(|failure| eprintln!("{failure}"));
    std::process::exit(i32::from(!failures.is_empty()));
}

fn shown(worst: &Worst) -> String {
    let at: Vec<String> = worst.at.iter().map(|x| format!("{x:e}")).collect();
    format!("{:.3} | {}", worst.error, at.join(", "))
}
