//! Threads and chunks: the same bits, however the work is shared.

use symdiff::data::{Prepared, Random, Split};
use symdiff::ir::{Function, Precision};
use symdiff::jit::tensor::TensorKernel;
use symdiff::loops::tensor::{TensorOptions, build, interpret};
use symdiff::train::{Training, TrainingOptions};
use symdiff::{Builder, Real};

/// The outputs of a kernel on random inputs, with so many threads.
fn outputs(f: &Function, options: &TensorOptions, sizes: &[usize]) -> Vec<u64> {
    let kernel = TensorKernel::compile(f, options).expect("it compiles");
    let mut workspace = kernel.workspace();
    let mut random = Random::new(1, "inputs");
    for (input, &size) in sizes.iter().enumerate() {
        let values: Vec<f64> = (0..size).map(|_| random.normal()).collect();
        workspace.set(input, &values).expect("the lengths agree");
    }
    kernel.run(&mut workspace);
    let program = kernel.program();
    let size = |at: usize| program.buffers[program.outputs[at].index()].size;
    let all = (0..program.outputs.len()).flat_map(|at| {
        let mut values = vec![0.0; size(at)];
        workspace.get(at, &mut values).expect("the lengths agree");
        values
    });
    all.map(f64::to_bits).collect()
}

/// Examples of so many normal numbers and a class of ten.
pub fn made_up(count: usize, size: usize) -> Prepared {
    let mut random = Random::new(2, "data");
    let mut data = Prepared::none();
    data.examples.count = count;
    data.examples.rows = (0..count as u32).collect();
    data.split = Split { train: (0..count as u32).collect(), ..Split::default() };
    data.examples.inputs.push((0..count * size).map(|_| random.normal()).collect());
    data.examples.inputs.push((0..count).map(|_| random.below(10) as f64).collect());
    data
}

/// The bits of one thread are those of two and of five.
#[track_caller]
fn check(f: &Function, sizes: &[usize], what: &str) {
    for precision in [Precision::F64, Precision::F32] {
        let with = |threads| TensorOptions { precision, threads, ..TensorOptions::default() };
        let one = outputs(f, &with(1), sizes);
        for threads in [2, 5] {
            assert!(outputs(f, &with(threads), sizes) == one, "{what}, {precision:?}, {threads} threads");
        }
    }
}

#[test]
fn products_have_the_same_bits_on_many_threads() {
    // Rows, columns and terms around tiles and cache blocks, long and narrow ones among them.
    let shapes = [
        (128, 64, 200),
        (130, 66, 1030),
        (65, 700, 128),
        (1000, 1, 1000),
        (3, 900, 700),
        (300, 300, 3),
        (2000, 2, 2000),
    ];
    for (m, n, k) in shapes {
        let b = Builder::new();
        let (x, y) = (b.array("x", &[m, k]), b.array("y", &[k, n]));
        let f = b.function(b.contract(x, y, 1));
        check(&f, &[(m * k) as usize, (k * n) as usize], &format!("{m}x{n}x{k}"));
    }
}

#[test]
fn long_nests_are_cut_into_chunks_and_keep_their_values() {
    for rows in [1500u32, 16 * 64 * 3, 5000, 17, 2] {
        let b = Builder::new();
        let x = b.array("x", &[rows, 40]);
        let y = (x.sin() * x).exp();
        let outputs_of = [y, b.sum(y, 2), b.sum(y, 1)];
        let f = b.function_of(&outputs_of);
        check(&f, &[(rows * 40) as usize], &format!("{rows} rows"));
        let program = build(&f, &TensorOptions::default()).expect("it builds");
        let mut random = Random::new(1, "inputs");
        let values: Vec<f64> = (0..rows * 40).map(|_| random.normal()).collect();
        let expected = interpret(&program, Precision::F64, &values);
        let found = outputs(&f, &TensorOptions::default(), &[values.len()]);
        for (found, expected) in found.into_iter().map(f64::from_bits).zip(expected) {
            assert!(
                (found - expected).abs() <= 1e-11 * expected.abs(),
                "{rows} rows: {found}, not {expected}"
            );
        }
    }
}

#[test]
fn training_gives_the_same_weights_on_many_threads() {
    let program = "input x[1,12,12], class
         h = x |> conv2d(8, 3, relu) |> maxpool2d
         logits = reshape(h, 200) |> dropout(0.2) |> dense(64, tanh) |> dense(10)
         loss = cross_entropy(logits, class)
         train { optimizer = adam(lr = 1e-3), batch = 64, precision = f32, seed = 7 }";
    let data = made_up(128, 144);
    let trained = |threads| {
        let options = TrainingOptions { threads, ..TrainingOptions::default() };
        let mut training = Training::new(program, data.clone(), &options).expect("it is right");
        for _ in 0..3 {
            training.step().expect("the data fits");
        }
        training.params().expect("there are parameters")
    };
    let one = trained(1);
    assert!(one.iter().flatten().all(|w| w.is_finite()));
    assert_eq!(trained(2), one);
}
