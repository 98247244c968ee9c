//! The bounds of `docs/accuracy.md` on a small sample, and single precision at special values.
//!
//! What must stay true: the table, the oracle and the measuring are those of `examples/accuracy`,
//! which measures more of the same.

#[path = "../../examples/accuracy/measure.rs"]
mod measure;
#[path = "../../examples/accuracy/oracle.rs"]
pub mod oracle;
#[path = "../../examples/accuracy/special.rs"]
pub mod special;
#[path = "../../examples/accuracy/table.rs"]
mod table;
#[path = "../../examples/accuracy/twice.rs"]
pub mod twice;

use super::jit::SPECIAL;
use measure::{Number, Random, Worst, error_in_single};
use symdiff::elementary::Plain;
use symdiff::ir::{Elementwise, Single};
use table::{ROWS, Row};

/// Measures every row and compares with one of its bounds.
fn check(which: usize, measure: impl Fn(&Row, &mut Random) -> Worst) {
    let mut failures = Vec::new();
    for row in ROWS {
        let seed = 0x1234_5678_9ABC_DEF1;
        let worst = measure(row, &mut Random(seed));
        if worst.error > row.bounds[which] {
            let (name, bound) = (row.op.name(), row.bounds[which]);
            failures.push(format!("{name}{:?}: {:.3} ulp, stated {bound}", worst.at, worst.error));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn double_precision_keeps_its_bounds_at_every_level() {
    check(0, |row, random| measure::double(row, 200, random));
}

#[test]
fn single_precision_keeps_its_bounds_at_every_level() {
    check(1, |row, random| measure::single(row, 2_000_003, random));
}

#[test]
fn bounds_are_stated_and_the_native_ones_are_two_ulp_at_most() {
    for row in ROWS {
        assert!(row.bounds[1] <= 2.0, "{}", row.op.name());
        let widened = row.op.single() == Single::Widened;
        assert!(!widened || row.bounds[1] < 0.52, "{} is rounded from double", row.op.name());
    }
    // Ops without a row are exact, or a row of the table below holds them.
    let rowless = Elementwise::ALL.iter().filter(|op| !ROWS.iter().any(|row| row.op == **op));
    let names: Vec<&str> = rowless.map(|op| op.name()).collect();
    let exact = "pi neg add sub mul div fma abs sign floor ceil round min max relu";
    assert_eq!(names.join(" "), exact);
}

#[test]
fn single_precision_is_that_of_double_at_special_values() {
    let singles = SPECIAL.iter().map(|&x| x as f32).chain([
        f32::MIN_POSITIVE,
        -f32::MIN_POSITIVE,
        f32::from_bits(1),
        -f32::from_bits(0x7F_FFFF),
        f32::MAX,
        f32::MIN,
        88.72284,
        -103.98,
        -87.4,
        1e38,
        131_073.0,
        16_777_217.0,
    ]);
    let singles: Vec<f32> = singles.collect();
    for &op in Elementwise::ALL.iter().filter(|op| op.single() == Single::Native && op.arity() <= 2) {
        let count = singles.len().pow(op.arity() as u32);
        for i in 0..count {
            let x: Vec<f32> =
                (0..op.arity()).map(|k| singles[i / singles.len().pow(k as u32) % singles.len()]).collect();
            let y = f32::plain(op, &x);
            let wide: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
            let truth = op.value(&mut Plain, &wide);
            let sign = truth as f32 != 0.0 || y != 0.0 || y.is_sign_negative() == truth.is_sign_negative();
            let near = error_in_single(y, truth) <= 2.0 && y.is_nan() == truth.is_nan();
            let infinite = truth.is_infinite() && y != truth as f32;
            assert!(near && sign && !infinite, "{}{x:?} = {y:e}, in double {truth:e}", op.name());
        }
    }
}
