//! Objectives that are sums over indices, value and gradient in one call, against C.
//!
//! `cargo bench --bench sums -- [NAME…] [text]` prints microseconds a call, the ratio to C with
//! hand-derived gradients (`opponent/sums.c`, built here where there is a `cc`), the time of the
//! objective alone and how many times as long both together take, bytes of code, and the time from text
//! to kernel; with `text` the loops as well. One thread, its own time; the best of several rounds, all
//! sides in turn; results are compared as well.

#[path = "works/sums.rs"]
mod cases;
mod opponent;

use cases::{CASES, Case};
use libloading::Library;
use opponent::worked;
use std::time::{Duration, Instant};
use symdiff::elaborate::program::{Phase, read_program};
use symdiff::jit::tensor::{TensorKernel, Workspace};
use symdiff::loops::tensor::TensorOptions;
use symdiff::models::value_and_gradients;
use symdiff::{Derivation, Level, Limits, ObjectiveKernel, Purpose, objective};

/// How long a case is timed for, in all.
const STRETCH: Duration = Duration::from_millis(400);

type Function = unsafe extern "C" fn(i64, *const f64, *const f64, *mut f64) -> f64;

/// Numbers between -1 and 1.
fn numbers(count: usize, first: usize) -> Vec<f64> {
    (first..first + count).map(|i| ((i * 7919) % 10_007) as f64 / 5003.5 - 1.0).collect()
}

/// The kernel, and the best time from text to kernel.
fn compiled(text: &str) -> (ObjectiveKernel, Duration) {
    let mut best = Duration::MAX;
    let mut kernel = None;
    for _ in 0..5 {
        let before = worked();
        kernel = Some(objective(text).expect("the program is right"));
        best = best.min(worked() - before);
    }
    (kernel.expect("made above"), best)
}

/// The objective without its gradient, over inputs and parameters in one row.
fn objective_alone(text: &str, row: &[Vec<f64>]) -> (TensorKernel, Workspace) {
    let model = read_program(text, Phase::Predict, &Limits::default()).expect("the program is right");
    let derivation = Derivation { level: Level::Fast, purpose: Purpose::Compute, ..Derivation::default() };
    let function = value_and_gradients(&model, &[], &derivation).expect("there is an objective");
    let kernel = TensorKernel::compile(&function, &TensorOptions::default()).expect("it compiles");
    let mut workspace = kernel.workspace();
    for (at, values) in row.iter().enumerate() {
        workspace.set(at, values).expect("the row is as long as the slots");
    }
    (kernel, workspace)
}

/// Seconds that so many calls took, each.
fn timed(rounds: usize, mut call: impl FnMut()) -> f64 {
    let before = worked();
    (0..rounds).for_each(|_| call());
    (worked() - before).as_secs_f64() / rounds as f64
}

fn compare(Case(name, _, text): &Case, n: usize, c: Option<&'static Library>) {
    let text = text.replace('N', &n.to_string());
    let (mut kernel, compile) = compiled(&text);
    let mut row = Vec::new();
    let slots = kernel.slots().to_vec();
    for (at, slot) in slots.iter().enumerate() {
        let values = numbers(slot.size(), 1 + at * 31);
        kernel.slot_mut(at).expect("every slot has memory").copy_from_slice(&values);
        row.push(values);
    }
    let inputs: usize = slots.iter().filter(|slot| !slot.is_param).map(|slot| slot.size()).sum();
    let (alone, mut workspace) = objective_alone(&text, &row);
    let row = row.concat();
    let (data, params) = row.split_at(inputs);
    let mut theirs_gradient = vec![0.0; params.len()];
    // SAFETY: the C functions have this signature.
    let symbol = c.and_then(|c| unsafe { opponent::function::<Function>(c, name) });
    let [mut ours, mut only, mut theirs] = [f64::INFINITY; 3];
    let (mut value, mut expected) = (0.0, f64::NAN);
    let rounds = (50_000 / params.len()).max(1);
    let start = Instant::now();
    while start.elapsed() < STRETCH {
        ours = ours.min(timed(rounds, || value = std::hint::black_box(&mut kernel).run()));
        only = only.min(timed(rounds, || alone.run(std::hint::black_box(&mut workspace))));
        let Some(symbol) = &symbol else { continue };
        let mut call = || {
            // SAFETY: the slices are as long as the function expects for this size.
            unsafe { symbol(n as i64, data.as_ptr(), params.as_ptr(), theirs_gradient.as_mut_ptr()) }
        };
        theirs = theirs.min(timed(rounds, || expected = call()));
    }
    let count = slots.iter().filter(|slot| slot.is_param).count();
    let gradient: Vec<f64> = (0..count).flat_map(|k| kernel.gradient(k).expect("made").to_vec()).collect();
    let scale = theirs_gradient.iter().fold(1.0f64, |m, g| m.max(g.abs()));
    let error = gradient.iter().zip(&theirs_gradient).fold(0.0f64, |m, (a, b)| m.max((a - b).abs() / scale));
    let agree = symbol.is_none() || (error < 1e-9 && (value - expected).abs() <= 1e-9 * expected.abs());
    println!(
        "{name:10} n = {n:8}: {:10.3} us, C {:10.3} us, ratio {:5.2}; objective {:10.3} us, both {:5.2} \
         times; {:6} bytes, compiled in {compile:?}{}",
        ours * 1e6,
        theirs * 1e6,
        ours / theirs,
        only * 1e6,
        ours / only,
        kernel.code_size(),
        if agree { "" } else { "  RESULTS DIFFER" },
    );
    if std::env::args().any(|a| a == "text") {
        explain(&kernel, &row);
    }
}

/// Prints the program, and the time of each stretch.
fn explain(kernel: &ObjectiveKernel, row: &[f64]) {
    let kernel = (kernel.slots(), kernel.kernel());
    println!("{}", kernel.1.program());
    let mut workspace = kernel.1.workspace();
    let mut rest = row;
    for (at, slot) in kernel.0.iter().enumerate() {
        let (values, others) = rest.split_at(slot.size());
        workspace.set(at, values).expect("the row is as long as the slots");
        rest = others;
    }
    let mut best = Vec::new();
    for _ in 0..50 {
        let times = kernel.1.timed(&mut workspace);
        best.resize(times.len(), Duration::MAX);
        best.iter_mut().zip(times).for_each(|(best, time)| *best = time.min(*best));
    }
    for (time, text) in best.iter().zip(kernel.1.stretches()) {
        println!("{:10.3} us  {text}", time.as_secs_f64() * 1e6);
    }
}

fn main() {
    let c = opponent::build("sums", include_str!("opponent/sums.c"), &[]);
    let words: Vec<String> = std::env::args().skip(1).collect();
    let named = |case: &&Case| words.iter().any(|word| word == case.0);
    let any = CASES.iter().any(|case| named(&case));
    for case in CASES.iter().filter(|case| !any || named(case)) {
        case.1.iter().for_each(|&n| compare(case, n, c));
    }
}
