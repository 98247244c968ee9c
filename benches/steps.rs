//! Training steps a second: whole programs, trained as `symdiff train` trains them.
//!
//! `cargo bench --bench steps -- [NAME…] [threads=N] [text]` prints, for each net, the time from
//! its text to the first step's result, code size, and steps a second of [`Training::run`]; with
//! `text` the compiled programs as well. The best of several stretches counts. The data is made up.
//! Rates are set beside those of [`PEERS`], which were measured on the same kind of machine.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};
use symdiff::data::{Prepared, Random, Split};
use symdiff::train::{Ending, Training, TrainingOptions};

/// What an input of a program is filled with.
#[derive(Clone, Copy)]
enum Fill {
    /// As many normal numbers an example.
    Normal(usize),
    /// As many whole numbers below a bound.
    Below(usize, u64),
    /// The examples, one after another.
    These(&'static [f64]),
}

use Fill::{Below, Normal, These};

/// A net: its name, how many examples it has, what its inputs are, and its program.
struct Net(&'static str, usize, &'static [Fill], &'static str);

/// Steps a second of others on the same nets, on one core of the kind of machine these benches were
/// written on (2 cores with AVX-512). JAX is 0.10 on CPU, its loop compiled, the better of `scan` and
/// single steps; C is hand-written, with fast maths for xor and OpenBLAS for the others.
const PEERS: &[(&str, &str, f64)] = &[
    ("xor", "JAX", 0.7e6),
    ("xor", "C", 4.7e6),
    ("digits", "JAX", 13_000.0),
    ("digits", "C", 35_500.0),
    ("mnist", "JAX", 145.0),
    ("mnist", "C", 161.0),
    ("cnn-digits", "JAX", 1_637.0),
    ("cnn", "JAX", 16.0),
    ("transformer-32", "JAX", 310.0),
    ("transformer", "JAX", 20.0),
];

const NETS: &[Net] = &[
    Net(
        "xor",
        4,
        &[These(&[0., 0., 0., 1., 1., 0., 1., 1.]), These(&[0., 1., 1., 0.])],
        "input x[2], y
         param W1[8,2] ~ normal(0, 1), b1[8] = 0
         param W2[8] ~ normal(0, 1), b2 = 0
         h = tanh(W1 @ x + b1)
         p = sigmoid(W2 · h + b2)
         loss = bce(p, y)
         train { optimizer = gd(lr = 0.5), batch = full }",
    ),
    Net(
        "digits",
        1437,
        &[Normal(64), Below(1, 10)],
        "input x[64], class
         logits = x |> dense(128, relu) |> dense(10)
         loss = cross_entropy(logits, class)
         train { optimizer = adam(lr = 1e-3), batch = 64, precision = f32 }",
    ),
    Net(
        "digits-tanh",
        1437,
        &[Normal(64), Below(1, 10)],
        "input x[64], class
         logits = x |> dense(128, tanh) |> dense(10)
         loss = cross_entropy(logits, class)
         train { optimizer = adam(lr = 1e-3), batch = 64, precision = f32 }",
    ),
    Net(
        "mnist",
        10_000,
        &[Normal(784), Below(1, 10)],
        "input x[784], class
         logits = x |> dense(512, relu) |> dense(512, relu) |> dense(10)
         loss = cross_entropy(logits, class)
         train { optimizer = adam(lr = 1e-3), batch = 256, precision = f32 }",
    ),
    Net(
        "cnn-digits",
        1437,
        &[Normal(64), Below(1, 10)],
        "input x[1,8,8], class
         h = x |> conv2d(16, 3, relu) |> maxpool2d
         logits = reshape(h, 144) |> dense(64, relu) |> dense(10)
         loss = cross_entropy(logits, class)
         train { optimizer = adam(lr = 1e-3), batch = 64, precision = f32 }",
    ),
    Net(
        "cnn",
        2_000,
        &[Normal(784), Below(1, 10)],
        "input x[1,28,28], class
         h = x |> conv2d(32, 3, relu) |> maxpool2d |> conv2d(64, 3, relu) |> maxpool2d
         logits = reshape(h, 1600) |> dense(128, relu) |> dense(10)
         loss = cross_entropy(logits, class)
         train { optimizer = adam(lr = 1e-3), batch = 64, precision = f32 }",
    ),
    Net(
        "transformer-32",
        1_000,
        &[Below(32, 65), Below(32, 65)],
        "input x[32], y[32]
         param places[32,64] ~ normal(0, 0.1)
         h = embedding(x, 65, 64) + places
         a[t] = layernorm(h[t])
         b = h + attention(a, heads = 4, causal = true)
         c[t] = b[t] + (layernorm(b[t]) |> dense(256, relu) |> dense(64))
         z[t] = c[t] |> dense(65)
         loss = mean[t] cross_entropy(z[t], y[t])
         train { optimizer = adam(lr = 1e-3), batch = 16, precision = f32 }",
    ),
    Net(
        "transformer",
        1_000,
        &[Below(64, 65), Below(64, 65)],
        "input x[64], y[64]
         param places[64,128] ~ normal(0, 0.1)
         h = embedding(x, 65, 128) + places
         a[t] = layernorm(h[t])
         b = h + attention(a, heads = 4, causal = true)
         c[t] = b[t] + (layernorm(b[t]) |> dense(512, relu) |> dense(128))
         z[t] = c[t] |> dense(65)
         loss = mean[t] cross_entropy(z[t], y[t])
         train { optimizer = adam(lr = 1e-3), batch = 32, precision = f32 }",
    ),
];

/// The made-up data of a net.
fn prepared(Net(name, count, fills, _): &Net) -> Prepared {
    let mut prepared = Prepared::none();
    prepared.examples.count = *count;
    prepared.examples.rows = (0..*count as u32).collect();
    prepared.split = Split { train: (0..*count as u32).collect(), ..Split::default() };
    let mut random = Random::new(0, name);
    for fill in *fills {
        let values = match *fill {
            Normal(size) => (0..count * size).map(|_| random.normal()).collect(),
            Below(size, bound) => (0..count * size).map(|_| random.below(bound) as f64).collect(),
            These(values) => values.to_vec(),
        };
        prepared.examples.inputs.push(values);
    }
    prepared
}

fn training(net: &Net, steps: u64, threads: usize) -> Training {
    let options = TrainingOptions { steps: Some(steps), threads, ..TrainingOptions::default() };
    Training::new(net.3, prepared(net), &options).expect("the program is right")
}

/// A run of so many steps, and how long it took each.
fn stretch(net: &Net, steps: u64, threads: usize) -> Duration {
    let mut training = training(net, steps, threads);
    let start = Instant::now();
    let ending = training.run(|| false, |_, _| Ok(ControlFlow::Continue(()))).expect("the data fits");
    assert_eq!(ending, Ending::Finished, "{}", net.0);
    start.elapsed() / steps as u32
}

/// The time from a text to the first step's result, with data at hand.
fn first_step(net: &Net) -> (Duration, usize) {
    let data = prepared(net);
    let start = Instant::now();
    let mut training = Training::new(net.3, data, &TrainingOptions::default()).expect("the program is right");
    training.step().expect("the data fits");
    (start.elapsed(), training.kernel().code_size())
}

fn measure(net: &Net, threads: usize) {
    let (mut first, mut size) = (Duration::MAX, 0);
    for _ in 0..3 {
        let (time, bytes) = first_step(net);
        (first, size) = (first.min(time), bytes);
    }
    let (mut best, mut steps) = (Duration::MAX, 1);
    for _ in 0..6 {
        let each = stretch(net, steps, threads);
        best = best.min(each);
        steps = (300_000_000 / each.as_nanos().max(1)).clamp(1, 1_000_000) as u64;
    }
    let rate = 1.0 / best.as_secs_f64();
    print!(
        "{:16} {rate:10.0} steps/s {:12.3} us/step   first step {:7.2} ms   {size:6} bytes",
        net.0,
        best.as_secs_f64() * 1e6,
        first.as_secs_f64() * 1e3,
    );
    for (_, peer, theirs) in PEERS.iter().filter(|peer| peer.0 == net.0) {
        print!("   {:.2} of {peer}", rate / theirs);
    }
    println!();
}

/// Prints the program, and the time of each stretch.
fn explain(net: &Net, threads: usize) {
    let mut training = training(net, 1, threads);
    println!("{}", training.kernel().program());
    let mut best = Vec::new();
    for _ in 0..20 {
        let times = training.timed_step().expect("the data fits");
        best.resize(times.len(), Duration::MAX);
        best.iter_mut().zip(times).for_each(|(best, time)| *best = time.min(*best));
    }
    for (stretch, (time, text)) in best.iter().zip(training.kernel().stretches()).enumerate() {
        println!("[{stretch}] {:10.3} us  {text}", time.as_secs_f64() * 1e6);
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let threads = words.iter().find_map(|word| word.strip_prefix("threads=")?.parse().ok()).unwrap_or(1);
    let text = words.iter().any(|word| word == "text");
    let is_name = |word: &&String| *word != "text" && !word.contains('=');
    let wanted: Vec<&String> = words.iter().filter(is_name).collect();
    for net in NETS.iter().filter(|net| wanted.is_empty() || wanted.iter().any(|w| *w == net.0)) {
        if text {
            explain(net, threads);
        }
        measure(net, threads);
    }
}
