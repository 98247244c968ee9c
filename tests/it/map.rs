//! Functions over columns: uniform inputs and sums, the same bits at every level and with any
//! number of threads.

use super::jit::{Random, function};
use symdiff::ir::{Function, Real};
use symdiff::jit::wide::{Element, Level};
use symdiff::{MapKernel, MapOptions, Results, column_sum};

/// A number's bits, one NaN for all.
fn bits<T: Element>(x: &T) -> u64 {
    if x.to_f64().is_nan() { f64::NAN.to_bits() } else { x.to_f64().to_bits() }
}

fn run<T: Element>(f: &Function, options: &MapOptions, inputs: &[Vec<T>], length: usize) -> Vec<Vec<u64>> {
    let kernel = MapKernel::compile(f, options).expect("compiles");
    let mut outputs = vec![vec![T::from_f64(0.5); length]; f.output_size()];
    let inputs: Vec<&[T]> = inputs.iter().map(Vec::as_slice).collect();
    let mut slices: Vec<&mut [T]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
    kernel.run(&inputs, &mut slices).expect("lengths fit");
    outputs.iter().map(|column| column.iter().map(bits).collect()).collect()
}

/// Runs the function on random columns, the inputs `uniform` the same in all rows: columns of the
/// same numbers give the same results, and sums are the [`column_sum`]s of the columns.
#[track_caller]
fn check<T: Element>(f: &Function, uniform: &[&str], rows: usize) {
    let seed = 1 + rows as u64;
    let mut random = Random(seed);
    let mut column =
        |_| -> Vec<T> { (0..rows.max(1)).map(|_| T::from_f64(4.0 * random.unit() - 2.0)).collect() };
    let names = f.scalar_names();
    let mut given: Vec<Vec<T>> = (0..names.len()).map(&mut column).collect();
    let mut spread = given.clone();
    for (name, (given, spread)) in names.iter().zip(given.iter_mut().zip(&mut spread)) {
        let is_uniform = uniform.contains(&name.split('[').next().unwrap_or_default());
        if is_uniform {
            let first = given[0];
            spread.fill(first);
        }
        given.truncate(if is_uniform { 1 } else { rows });
        spread.truncate(rows);
    }
    let plain = MapOptions { precision: T::PRECISION, level: Level::L128, ..MapOptions::default() };
    let expected = run(f, &plain, &spread, rows);
    let number = |bits: &u64| T::from_f64(f64::from_bits(*bits));
    let sums: Vec<Vec<u64>> = expected
        .iter()
        .map(|column| vec![bits(&column_sum(&column.iter().map(number).collect::<Vec<T>>()))])
        .collect();
    let uniform: Vec<String> = uniform.iter().map(|&name| name.to_owned()).collect();
    for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
        for threads in [1, 3] {
            let options = MapOptions { level, threads, uniform: uniform.clone(), ..plain.clone() };
            let context = format!("{level} bits, {threads} threads, {rows} rows, seed {seed}");
            assert!(run(f, &options, &given, rows) == expected, "columns: {context}");
            let options = MapOptions { results: Results::Sums, ..options };
            assert_eq!(run(f, &options, &given, 1), sums, "sums: {context}");
        }
    }
}

#[test]
fn uniform_inputs_and_sums_depend_on_neither_level_nor_threads() {
    let f = function(&["a", "x", "y"], |b, x| {
        vec![(x[0] * x[1]).sin() - x[2], x[0].exp(), b.constant(0.1), x[1]]
    });
    for rows in [0, 1, 63, 64, 65, 700, 40_000] {
        check::<f64>(&f, &["a"], rows);
        check::<f32>(&f, &["a"], rows);
    }
    check::<f64>(&f, &[], 700);
    check::<f64>(&f, &["a", "x"], 700);
}

/// In 128 bits it is a tensor program, where many elements divided by one number may be multiplied
/// by its reciprocal, and what is one number is computed apart and not contracted: here it may not.
#[test]
fn what_one_number_does_to_many_has_the_same_bits_at_every_level() {
    let f = function(&["a", "x"], |b, x| {
        vec![x[1] / x[0], x[1] / b.constant(1.7).sigmoid(), b.constant(0.1) * x[0] + x[1]]
    });
    check::<f64>(&f, &["a"], 700);
    check::<f32>(&f, &["a"], 700);
}

/// More streams than a loop has registers for.
#[test]
fn many_sums_are_those_of_few() {
    let names: Vec<String> = (0..12).map(|i| format!("x{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let f = function(&names, |_, x| (1..x.len()).map(|i| x[i - 1] * x[i] + x[0]).collect());
    check::<f64>(&f, &["x3", "x7"], 17_000);
    check::<f32>(&f, &["x0"], 100);
}

#[test]
fn arrays_are_uniform_as_a_whole() {
    let f = symdiff::parse("p*v[0] + 2q*v[1] + x*v[2]").expect("parses");
    check::<f64>(&f, &["v"], 100);
}

#[test]
fn what_does_not_fit_is_refused() {
    let f = function(&["a", "x"], |_, x| vec![x[0] * x[1]]);
    let options = |uniform: &[&str], results| MapOptions {
        uniform: uniform.iter().map(|&name| name.to_owned()).collect(),
        results,
        ..MapOptions::default()
    };
    let refused = |options: &MapOptions, inputs: &[&[f64]], length: usize, words: &str| {
        let kernel = MapKernel::compile(&f, options).expect("compiles");
        let error = kernel.run(inputs, &mut [&mut vec![0.0; length]]).expect_err(words).to_string();
        assert!(error.contains(words), "{error}");
    };
    let columns = options(&["a"], Results::Columns);
    refused(&columns, &[&[1.0, 2.0], &[1.0, 2.0]], 2, "input `a` is one number, 2 were given");
    refused(&columns, &[&[1.0], &[1.0, 2.0]], 3, "the first has 2 numbers, output 0 has 3");
    let sums = options(&["a"], Results::Sums);
    refused(&sums, &[&[1.0], &[1.0, 2.0]], 2, "output 0 is one number, 2 were given");
    let nothing = options(&["a", "x"], Results::Sums);
    refused(&nothing, &[&[1.0], &[1.0]], 1, "no rows to sum over");
    let error =
        MapKernel::compile(&f, &options(&["b"], Results::Sums)).err().expect("no such input").to_string();
    assert!(error.contains("`b` is no input"), "{error}");
}

/// Large columns are stored past the caches, wherever they begin.
#[test]
fn columns_that_no_cache_holds_give_what_short_ones_give() {
    const ROWS: usize = 1_500_001;
    let f = symdiff::parse("(a - x)^2 + 100(y - x^2)^2")
        .and_then(|f| symdiff::value_and_grad(&f))
        .expect("a gradient");
    let mut random = Random(7);
    let [x, y]: [Vec<f64>; 2] = std::array::from_fn(|_| (0..ROWS).map(|_| random.unit()).collect());
    for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
        let options = MapOptions { level, uniform: vec!["a".into()], ..MapOptions::default() };
        let [one, two] = [1, 2].map(|threads| {
            MapKernel::compile(&f, &MapOptions { threads, ..options.clone() }).expect("compiles")
        });
        let mut expected = vec![vec![0.0; ROWS]; 4];
        for start in (0..ROWS).step_by(10_000) {
            let piece = start..ROWS.min(start + 10_000);
            let mut slices: Vec<&mut [f64]> = expected.iter_mut().map(|y| &mut y[piece.clone()]).collect();
            one.run(&[&[1.5], &x[piece.clone()], &y[piece]], &mut slices).expect("lengths fit");
        }
        for (kernel, skew) in [(&one, [0; 4]), (&one, [3; 4]), (&one, [0, 1, 2, 3]), (&two, [5; 4])] {
            let mut memory = vec![vec![0.5; ROWS + 8]; 4];
            let places = memory.iter_mut().zip(skew);
            let mut slices: Vec<&mut [f64]> = places.map(|(y, skew)| &mut y[skew..skew + ROWS]).collect();
            kernel.run(&[&[1.5], &x, &y], &mut slices).expect("lengths fit");
            for ((y, expected), skew) in memory.iter().zip(&expected).zip(skew) {
                assert!(y[skew..skew + ROWS] == expected[..], "{level} bits, {skew} elements on");
                let around = y[..skew].iter().chain(&y[skew + ROWS..]);
                assert!(
                    around.copied().all(|y| y == 0.5),
                    "{level} bits, {skew} elements on: written elsewhere"
                );
            }
        }
    }
}
