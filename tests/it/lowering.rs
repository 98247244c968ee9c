//! Lowering: the ops that machines are good at compute the same numbers.

use super::jit::{Random, SPECIAL, check, function};
use symdiff::ir::{Elementwise, Function, Number, Real, eval::evaluate, operation_count};
use symdiff::loops::lower;

fn ulps(a: f64, b: f64) -> u64 {
    if a == b || (a.is_nan() && b.is_nan()) {
        return 0;
    }
    let ordered = |x: f64| {
        let bits = x.to_bits() as i64;
        if bits < 0 { i64::MIN - bits } else { bits }
    };
    ordered(a).abs_diff(ordered(b))
}

#[test]
fn lowered_powers_are_within_a_few_ulp() {
    let mut random = Random(7);
    let points: Vec<f64> = (0..2000).map(|_| (random.unit() * 40.0 - 20.0).exp2() * 1.37).collect();
    let mut worst = 0;
    for p in -40..=40_i64 {
        for q in [1, 2] {
            let exponent = Number::ratio(p, q).expect("q is not 0");
            let function = function(&["x"], |b, x| {
                let exponent = b.constant(exponent.to_f64());
                vec![b.elementwise(Elementwise::Pow, &[x[0], exponent])]
            });
            let lowered = lower(&function);
            for &x in points.iter().chain(&SPECIAL) {
                let before = evaluate(function.graph(), function.inputs(), function.outputs(), &[x])[0];
                let after = evaluate(lowered.graph(), lowered.inputs(), lowered.outputs(), &[x])[0];
                // The far ends that `lower` names.
                let far = (p < 0 && before.abs() < 1e-300) || (q == 2 && x == f64::NEG_INFINITY);
                if !far {
                    assert_eq!(before.is_nan(), after.is_nan(), "{x:?}^({exponent})");
                    worst = worst.max(ulps(before, after));
                    assert!(ulps(before, after) <= 8, "{x:?}^({exponent}): {before:?} became {after:?}");
                }
            }
        }
    }
    assert!(worst >= 2, "the test looks at powers that round");
}

#[test]
fn lowering_keeps_the_class_of_every_value() {
    for seed in 0..300 {
        let mut random = Random(seed + 20_000);
        let function = function(&["x", "y", "z"], |b, v| {
            let (x, y, z) = (v[0], v[1], v[2]);
            let two = b.constant(2.0);
            vec![
                x * y + z,
                x * y - z,
                z - x * y,
                -(x * y) + z,
                x * y - z * x,
                x / two + z,
                x * x - y * y,
                (x * y + z).sqrt(),
                x.sec() + x.cos(),
                x.csc() * x.sin(),
                two.log() * x,
                (x * x - y * y).sqrt(),
            ]
        });
        let mut row: Vec<f64> = (0..3).map(|_| random.unit() * 10.0 - 5.0).collect();
        if seed % 3 == 0 {
            row[1] = row[0];
        }
        let lowered = lower(&function);
        let before = evaluate(function.graph(), function.inputs(), function.outputs(), &row);
        let after = evaluate(lowered.graph(), lowered.inputs(), lowered.outputs(), &row);
        for (i, (a, b)) in before.iter().zip(&after).enumerate() {
            let scale = row.iter().fold(1.0f64, |m, x| m.max(x.abs()));
            assert!(a.is_nan() == b.is_nan() || i == 7, "output {i} at {row:?}: {a} became {b}");
            let close = (a - b).abs() <= 1e-14 * scale * scale.max(a.abs());
            assert!(close || a.is_nan() || b.is_nan(), "output {i} at {row:?}: {a} became {b}");
        }
        check(&function, &[row]);
    }
}

/// Operations of the function once it is lowered.
fn operations(text: &str) -> usize {
    let lowered = lower(&symdiff::parse(text).expect("it parses"));
    operation_count(lowered.graph(), lowered.outputs())
}

/// Operations that a fused multiply-add saves on this host.
fn fused() -> usize {
    2 - operations("x*y + z")
}

#[test]
fn numbers_that_both_terms_have_are_multiplied_once() {
    let fused = fused();
    for (text, count) in [
        ("2*x*y + 2*z", 3 - fused),
        ("-(2*x*y + 2*z)", 3 - fused),
        ("2*x - (-2*y)", 2),
        ("3*x*y - 3*z*w", 4),
        // Of another size, or shared: as they were.
        ("2*x*y + 3*z", 4),
        ("(2*x*y + 2*z)*(2*z)", 5),
        ("0.5*x + 0.5*y", 3),
        ("8*x*y + 8*z", 4),
    ] {
        assert_eq!(operations(text), count, "{text}");
    }
}

#[test]
fn a_number_outside_keeps_zeros_and_sizes() {
    let values = [0.0, -0.0, 1.0, -1.0, 0.3, 5e-324, -5e-324, 1e-310, 1e300, -1e300, f64::MAX, f64::INFINITY];
    let rows: Vec<Vec<f64>> = values.iter().flat_map(|&x| values.map(|y| vec![x, y])).collect();
    for c in [-8.0, -4.0, -2.0, -1.5, -0.5, 0.5, 2.0, 3.0, 4.0, 8.0] {
        for d in [c, -c] {
            let function = function(&["x", "y"], |b, v| {
                let (left, right) = (b.constant(c) * v[0], v[1] * b.constant(d));
                vec![left + right, left - right, -(left + right), -(right - left)]
            });
            // Each output on its own, so that its products are not shared.
            for (i, &output) in function.outputs().iter().enumerate() {
                let one = Function::new(function.graph().clone(), function.inputs().to_vec(), vec![output]);
                let lowered = lower(&one);
                for row in &rows {
                    let before = evaluate(one.graph(), one.inputs(), one.outputs(), row)[0];
                    let after = evaluate(lowered.graph(), lowered.inputs(), lowered.outputs(), row)[0];
                    let context =
                        format!("output {i} of {c} and {d} at {row:?}: {before:?} became {after:?}");
                    if before == 0.0 && after == 0.0 {
                        assert_eq!(before.is_sign_negative(), after.is_sign_negative(), "{context}");
                    }
                    // A product on its way out of range is in range as a fused one.
                    let overflows = row.iter().any(|x| (c * x).is_infinite());
                    let close = (before - after).abs() <= 1e-15 * before.abs() + 2.0 * 5e-324;
                    assert!(close || overflows || before == after, "{context}");
                }
                check(&one, &rows);
            }
        }
    }
}

#[test]
fn the_second_of_two_squares_is_added_as_it_is_made() {
    let fused = fused();
    for (text, count) in [
        ("x^2 + y^2", 3 - fused),
        // The sign in y - x^2 is an operation of its own, or part of the machine's.
        ("(1 - x)^2 + 100*(y - x^2)^2", 7 - fused),
        // Shared by the second term: the first is fused.
        ("(x^2 + y^2)*x^2", 4 - fused),
        // A difference of equal squares is 0.
        ("x^2 - y^2", 3),
        ("x*y + z*w", 3),
    ] {
        assert_eq!(operations(text), count, "{text}");
    }
}
