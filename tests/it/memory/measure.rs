//! Kernels between fences, over and over, on many threads: what is counted of their memory.

use super::guard::{Flush, Guarded, fenced};
use crate::tally::Tally;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use symdiff::data::Random;
use symdiff::ir::{Function, Precision};
use symdiff::jit::tensor::TensorKernel;
use symdiff::jit::wide::{Element, Level};
use symdiff::loops::tensor::TensorOptions;
use symdiff::{Builder, Expr, Kernel, MapKernel, MapOptions, Real, Results};

/// Formulas of every kind of code: inline, called, paired, side by side, branches, many chunks.
const FORMULAS: [&str; 8] = [
    "x*y + 1",
    "sin(x)*cos(x) + exp(y)/(1 + exp(y))",
    "if(x > y, sqrt(abs(x)), log(1 + y^2))",
    "atan2(y, x) + x^y + gamma(1.5 + x^2)",
    "max(x, y) - min(x, y) + floor(x) + sign(y)",
    "log(exp(x) + exp(y)) + tanh(x*y) + erf(x)",
    "sin(x) + sin(y) + sin(x*y) + sin(x+y) + sin(x-y) + sin(2*x) + sin(2*y) + sin(3*x)",
    "3.25",
];

/// Nodes from which a formula is compiled once and not in every way: it takes long.
const LONG: usize = 300;

fn formulas() -> Vec<Function> {
    let parse = |text: &&str| symdiff::parse(text).expect("an expression");
    let mut all: Vec<Function> = FORMULAS.iter().map(parse).collect();
    // Enough code for several chunks, which hand values on through scratch.
    let terms: Vec<String> = (1..120).map(|i| format!("sin({i}*x + y)*exp(y/{i})")).collect();
    all.push(symdiff::parse(&terms.join(" + ")).expect("an expression"));
    let derived = |f: &Function| symdiff::value_and_grad(f).expect("it derives");
    let gradients: Vec<Function> = all.iter().map(derived).collect();
    all.extend(gradients);
    all
}

fn numbers(random: &mut Random, count: usize) -> Vec<f64> {
    (0..count).map(|_| 2.0 * random.uniform() - 0.7).collect()
}

/// Calls with slices at fences, at both ends, of 0 to 100 rows.
pub fn guarded_calls(rounds: usize, seed: u64) -> Tally {
    let mut tally = Tally::default();
    for round in 0..rounds {
        let mut random = Random::new(seed + round as u64, "fences");
        for f in formulas() {
            scalar(&f, &mut random, &mut tally);
            columns::<f64>(&f, &mut random, &mut tally);
            if f.graph().len() < LONG {
                columns::<f32>(&f, &mut random, &mut tally);
            }
        }
    }
    tally
}

/// Tensor programs whose arenas are at fences.
pub fn arenas(seed: u64) -> Tally {
    let mut tally = Tally::default();
    tensors(&mut Random::new(seed, "arenas"), &mut tally);
    tally
}

const ROWS: [usize; 14] = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 100];

fn scalar(f: &Function, random: &mut Random, tally: &mut Tally) {
    let kernel = symdiff::jit(f).expect("it compiles");
    for rows in ROWS {
        let inputs = numbers(random, rows * kernel.input_size());
        let mut expected = vec![0.0; rows * kernel.output_size()];
        kernel.map(rows, &inputs, &mut expected).expect("the lengths fit");
        for flush in Flush::BOTH {
            let given = Guarded::new(&inputs, flush);
            let mut found = Guarded::new(&vec![0.0; expected.len()], flush);
            fenced(flush, || kernel.map(rows, &given, &mut found)).expect("the lengths fit");
            tally.check(same(&found, &expected), || format!("{rows} rows of {f}, {flush:?}"));
        }
    }
}

fn columns<T: Element>(f: &Function, random: &mut Random, tally: &mut Tally) {
    for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
        for results in [Results::Columns, Results::Sums] {
            if results == Results::Sums && f.graph().len() >= LONG {
                continue;
            }
            let options = MapOptions { precision: T::PRECISION, level, results, ..MapOptions::default() };
            let kernel = MapKernel::compile(f, &options).expect("it compiles");
            // A sum over no column has no rows.
            let rows_of = if kernel.input_size() == 0 && results == Results::Sums { &[] } else { &ROWS[..] };
            for &rows in rows_of {
                column_rows::<T>(&kernel, rows, results, random, tally);
            }
        }
    }
}

fn column_rows<T: Element>(
    kernel: &MapKernel,
    rows: usize,
    results: Results,
    random: &mut Random,
    tally: &mut Tally,
) {
    let column = |random: &mut Random| numbers(random, rows).into_iter().map(T::from_f64).collect();
    let inputs: Vec<Vec<T>> = (0..kernel.input_size()).map(|_| column(random)).collect();
    let length = if results == Results::Sums { 1 } else { rows };
    let mut expected = vec![vec![T::default(); length]; kernel.output_size()];
    let given: Vec<&[T]> = inputs.iter().map(Vec::as_slice).collect();
    let mut to: Vec<&mut [T]> = expected.iter_mut().map(Vec::as_mut_slice).collect();
    kernel.run(&given, &mut to).expect("the lengths fit");
    for flush in Flush::BOTH {
        let given: Vec<Guarded<T>> = inputs.iter().map(|x| Guarded::new(x, flush)).collect();
        let mut found: Vec<Guarded<T>> =
            expected.iter().map(|y| Guarded::new(&vec![T::default(); y.len()], flush)).collect();
        let given: Vec<&[T]> = given.iter().map(|x| &**x).collect();
        let mut to: Vec<&mut [T]> = found.iter_mut().map(|y| &mut **y).collect();
        fenced(flush, || kernel.run(&given, &mut to)).expect("the lengths fit");
        let alike = found.iter().zip(&expected).all(|(found, expected)| {
            let bits = |values: &[T]| values.iter().map(|x| x.to_f64().to_bits()).collect::<Vec<_>>();
            bits(found) == bits(expected)
        });
        tally.check(alike, || format!("{rows} rows, {} bits, {flush:?}", kernel.level()));
    }
}

fn same(found: &[f64], expected: &[f64]) -> bool {
    found.len() == expected.len() && found.iter().zip(expected).all(|(x, y)| x.to_bits() == y.to_bits())
}

/// Functions over arrays of these sizes: elementwise, sums both ways, products, transposes.
fn arrays([m, n, k]: [u32; 3]) -> Function {
    let b = Builder::new();
    let (x, y, z) = (b.array("x", &[m, k]), b.array("y", &[k, n]), b.array("z", &[m, n]));
    let product: Expr = b.contract(x, y, 1);
    let h = (product + z).tanh();
    let outputs = [h, b.sum(h, 2), b.sum(h.exp() * z, 1), b.sum(b.sum(h, 1), 1), b.sum(x.sin() * x, 1)];
    b.function_of(&outputs)
}

fn tensors(random: &mut Random, tally: &mut Tally) {
    for size in [[1, 1, 1], [3, 5, 7], [8, 8, 8], [17, 16, 33], [100, 1, 3], [1, 100, 9], [64, 65, 40]] {
        let f = arrays(size);
        for precision in [Precision::F64, Precision::F32] {
            for threads in [1, 3] {
                let options = TensorOptions { precision, threads, ..TensorOptions::default() };
                let kernel = TensorKernel::compile(&f, &options).expect("it compiles");
                let sizes: Vec<usize> = buffers(&kernel, true);
                let inputs: Vec<Vec<f64>> = sizes.iter().map(|&size| numbers(random, size)).collect();
                let expected = outputs(&kernel, &inputs, None);
                for flush in Flush::BOTH {
                    let found = outputs(&kernel, &inputs, Some(flush));
                    tally.check(same(&found, &expected), || format!("{size:?}, {options:?}, {flush:?}"));
                }
            }
        }
    }
}

fn buffers(kernel: &TensorKernel, of_inputs: bool) -> Vec<usize> {
    let program = kernel.program();
    let ids = if of_inputs { &program.inputs } else { &program.outputs };
    ids.iter().map(|id| program.buffers[id.index()].size).collect()
}

fn outputs(kernel: &TensorKernel, inputs: &[Vec<f64>], flush: Option<Flush>) -> Vec<f64> {
    let make = || kernel.workspace();
    let mut workspace = flush.map_or_else(make, |flush| fenced(flush, make));
    for (at, values) in inputs.iter().enumerate() {
        workspace.set(at, values).expect("the lengths agree");
    }
    match flush {
        Some(flush) => fenced(flush, || kernel.run(&mut workspace)),
        None => kernel.run(&mut workspace),
    }
    let read = |(at, size): (usize, usize)| {
        let mut values = vec![0.0; size];
        workspace.get(at, &mut values).expect("the lengths agree");
        values
    };
    buffers(kernel, false).into_iter().enumerate().flat_map(read).collect()
}

/// One kernel of each kind, made, called and dropped.
fn one_of_each(round: usize) -> Vec<f64> {
    let text = FORMULAS[round % FORMULAS.len()];
    let f = symdiff::parse(text).expect("an expression");
    let kernel: Kernel = symdiff::jit(&f).expect("it compiles");
    let point = [0.3, 0.7];
    let mut out = vec![0.0];
    kernel.call(&point[..kernel.input_size()], &mut out).expect("the lengths fit");
    let map = symdiff::map(&f).expect("it compiles");
    let columns: Vec<&[f64]> = point[..map.input_size()].chunks(1).collect();
    let mut column = [0.0];
    map.run(&columns, &mut [&mut column]).expect("the lengths fit");
    out.push(column[0]);
    if round.is_multiple_of(8) {
        let kernel =
            TensorKernel::compile(&arrays([3, 4, 5]), &TensorOptions::default()).expect("it compiles");
        let inputs: Vec<Vec<f64>> = buffers(&kernel, true).iter().map(|&size| vec![0.5; size]).collect();
        out.extend(outputs(&kernel, &inputs, None));
    }
    out
}

/// Bytes of memory of this process.
fn resident() -> f64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: f64 = text.split(' ').nth(1).and_then(|n| n.parse().ok()).unwrap_or(0.0);
    pages * 4096.0
}

/// Compiles and drops so many kernels of each kind; the memory at the end is that after the first.
pub fn cycles(count: usize) -> Tally {
    // What one cycle may leave behind: the parts of a page that an allocator does not find again.
    const BYTES_A_CYCLE: f64 = 64.0;
    const SLACK: f64 = 8e6;
    let mut tally = Tally::default();
    (0..40).for_each(|round| drop(one_of_each(round)));
    let before = resident();
    for round in 0..count {
        tally.check(one_of_each(round).iter().all(|x| x.is_finite()), || format!("cycle {round}"));
    }
    let grown = resident() - before;
    tally.note(grown, || format!("bytes more after {count} cycles"));
    let most = SLACK + BYTES_A_CYCLE * count as f64;
    tally.check(grown <= most, || format!("{grown} bytes more after {count} cycles"));
    tally
}

/// Pages that are writable and executable now.
fn writable_code() -> Option<String> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let bad =
        |line: &&str| line.split(' ').nth(1).is_some_and(|mode| mode.contains('w') && mode.contains('x'));
    maps.lines().find(bad).map(str::to_owned)
}

/// Looks at the pages of the process while kernels live, and while other threads compile.
pub fn pages(looks: usize) -> Tally {
    let mut tally = Tally::default();
    let alive: Vec<Kernel> = formulas().iter().map(|f| symdiff::jit(f).expect("it compiles")).collect();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for start in 0..2 {
            let stop = &stop;
            scope.spawn(move || {
                let mut round = start;
                while !stop.load(Ordering::Relaxed) {
                    drop(one_of_each(round));
                    round += 1;
                }
            });
        }
        for _ in 0..looks {
            let found = writable_code();
            tally.check(found.is_none(), || found.unwrap_or_default());
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        stop.store(true, Ordering::Relaxed);
    });
    tally.check(alive.iter().all(|kernel| kernel.code_size() > 0), || "no code".to_owned());
    tally
}

/// Shared kernels on eight threads, each call compared, while two more threads compile and drop others.
pub fn threads(rounds: usize) -> Tally {
    let functions = formulas();
    let kernels: Arc<Vec<Kernel>> =
        Arc::new(functions.iter().map(|f| symdiff::jit(f).expect("it compiles")).collect());
    let point = [0.3, 0.7];
    let call = |kernel: &Kernel| {
        let mut out = vec![0.0; kernel.output_size()];
        kernel.call(&point[..kernel.input_size()], &mut out).expect("the lengths fit");
        out
    };
    let expected: Vec<Vec<f64>> = kernels.iter().map(&call).collect();
    let stop = AtomicBool::new(false);
    let mut tally = Tally::default();
    std::thread::scope(|scope| {
        for start in 0..2 {
            let stop = &stop;
            scope.spawn(move || {
                (start..)
                    .take_while(|_| !stop.load(Ordering::Relaxed))
                    .for_each(|round| drop(one_of_each(round)))
            });
        }
        let work = || {
            let mut tally = Tally::default();
            for _ in 0..rounds {
                for (kernel, expected) in kernels.iter().zip(&expected) {
                    tally.check(same(&call(kernel), expected), || "other bits on another thread".to_owned());
                }
            }
            tally
        };
        let running: Vec<_> = (0..8).map(|_| scope.spawn(work)).collect();
        running.into_iter().for_each(|thread| tally.add(thread.join().expect("it never panics")));
        stop.store(true, Ordering::Relaxed);
    });
    tally
}

/// All of it: `count` cycles, and as many calls at fences as rounds of a thousandth make.
pub fn measure(count: usize, seed: u64) -> Tally {
    let mut tally = cycles(count);
    tally.add(guarded_calls((count / 10_000).max(1), seed));
    tally.add(arenas(seed));
    tally.add(pages(count / 100));
    tally.add(threads(count / 50));
    tally
}
