//! Training steps a second: whole programs, trained as `symdiff train` trains them.
//!
//! `cargo bench --bench steps -- [NAME…] [threads=N] [text]` prints, for each net, the time from
//! its text to the first step's result, code size, and the time of a step of [`Training::run`]; with
//! `text` the compiled programs as well. The best of several stretches counts: of the thread's own
//! time with one thread, of the time that passes with more. The data is made up.
//!
//! Beside it stands the same step in C (`opponent/steps.c`), built and run in turn with ours, where
//! there is a C compiler, and OpenBLAS for the larger nets (Debian: `libopenblas-dev`); its losses
//! over the first steps must be ours. Other rates are those of [`PEERS`].

#[path = "works/nets.rs"]
mod nets;
mod opponent;

use nets::{NETS, Net, prepared};
use opponent::{passed, worked};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};
use symdiff::data::{Batches, Prepared};
use symdiff::elaborate::program::Batch;
use symdiff::train::{Ending, Training, TrainingOptions};

/// Steps a second of JAX 0.10 on the same nets, its loop compiled, the better of `scan` and single
/// steps, on one core of the kind of machine these benches were written on (2 cores with AVX-512).
const PEERS: &[(&str, f64)] = &[
    ("xor", 0.7e6),
    ("digits", 13_000.0),
    ("mnist", 145.0),
    ("cnn-digits", 1_637.0),
    ("cnn", 16.0),
    ("transformer-32", 310.0),
    ("transformer", 20.0),
];

fn training(net: &Net, steps: u64, threads: usize) -> Training {
    let options = TrainingOptions { steps: Some(steps), threads, ..TrainingOptions::default() };
    Training::new(net.3, prepared(net), &options).expect("the program is right")
}

/// The steps in C, without the larger nets where there is no OpenBLAS.
fn library() -> Option<&'static libloading::Library> {
    let source = include_str!("opponent/steps.c");
    // Threads that spin while they wait would take the processors from those of OpenBLAS, which
    // takes processors that are younger than itself for very old ones.
    #[cfg(not(target_arch = "x86_64"))]
    let wide = None;
    #[cfg(target_arch = "x86_64")]
    let wide = is_x86_feature_detected!("avx512f").then_some(("OPENBLAS_CORETYPE", "SKYLAKEX"));
    for (name, value) in [("OMP_WAIT_POLICY", "passive")].into_iter().chain(wide) {
        if std::env::var_os(name).is_none() {
            // SAFETY: there is one thread so far.
            unsafe { std::env::set_var(name, value) };
        }
    }
    [&["-DBLAS", "-fopenmp", "-lopenblas"][..], &["-DBLAS", "-fopenmp", "-l:libopenblas.so.0"], &[]]
        .into_iter()
        .find_map(|flags| opponent::build("steps", source, flags))
}

/// Turns of ours and C's.
const ROUNDS: usize = 12;

/// How many steps are compared with C's.
const COMPARED: usize = 8;

/// The steps in C: what they are called, and how their functions end. Loops as one writes them, with fast
/// mathematics, and for the smallest net what can be had from AVX-512 by hand.
const RUNS: [(&str, &str); 2] = [("C", "_run"), ("C with intrinsics", "_vectors_run")];

/// The same step in C.
struct Opponent {
    load: unsafe extern "C" fn(*const f64, *const f64, *const f64, i64),
    run: unsafe extern "C" fn(i64, i64, *const u32) -> f64,
    params: Vec<f64>,
    data: Prepared,
    /// The rows of an epoch's steps and more.
    rows: Vec<u32>,
    batch: usize,
}

impl Opponent {
    /// The one whose step is the function `NAME` and then so.
    fn new(
        library: Option<&'static libloading::Library>,
        net: &Net,
        threads: usize,
        run: &str,
    ) -> Option<Opponent> {
        let (library, name) = (library?, net.0.replace('-', "_"));
        // SAFETY: the functions have these types in the source.
        let (load, run) = unsafe {
            if let Some(set) = opponent::function::<unsafe extern "C" fn(i32)>(library, "use_threads") {
                set(threads as i32);
            }
            (
                opponent::function(library, &format!("{name}_load"))?,
                opponent::function(library, &format!("{name}{run}"))?,
            )
        };
        let training = training(net, 1, threads);
        let params = training.params().expect("the program is right").concat();
        let all = training.training_rows();
        let plan = &training.model().train;
        let size = match plan.batch {
            Batch::Full => all.len(),
            Batch::Size(size) => size as usize,
        };
        let mut batches = Batches::new(&all, size, 0, size < all.len()).expect("a batch fits");
        let rows = (0..batches.per_epoch().max(COMPARED as u64)).flat_map(|_| batches.next_batch().to_vec());
        let rows = rows.collect();
        let opponent = Opponent { load, run, params, data: prepared(net), rows, batch: size };
        opponent.begin();
        Some(opponent)
    }

    /// Sets the parameters to their beginnings.
    fn begin(&self) {
        let [x, y] = &self.data.examples.inputs[..] else { unreachable!("x and y") };
        let Opponent { load, params, .. } = self;
        // SAFETY: the arrays are as long as the program in C expects.
        unsafe { load(params.as_ptr(), x.as_ptr(), y.as_ptr(), self.data.examples.count as i64) }
    }

    /// Makes steps after the first `first`, and gives the last one's loss.
    fn run(&self, first: usize, steps: usize) -> f64 {
        let epoch = self.rows.len() / self.batch;
        let (mut done, mut loss) = (0, 0.0);
        while done < steps {
            let at = (first + done) % epoch;
            let some =
                (steps - done).min(if self.batch < self.data.examples.count { epoch - at } else { steps });
            let rows = &self.rows[at * self.batch..];
            // SAFETY: there are rows for so many steps, or the step takes no notice of rows.
            loss = unsafe { (self.run)((first + done) as i64, some as i64, rows.as_ptr()) };
            done += some;
        }
        loss
    }

    /// Panics where the first losses are not those of our training.
    fn check(&self, net: &Net) {
        self.begin();
        let mut training = training(net, COMPARED as u64, 1);
        let tolerance = if net.3.contains("f32") { 1e-3 } else { 1e-9 };
        for step in 0..COMPARED {
            let (ours, theirs) = (training.step().expect("the data fits"), self.run(step, 1));
            let close = (ours - theirs).abs() <= tolerance * ours.abs();
            assert!(close, "{}: step {step} has loss {ours}, in C {theirs}", net.0);
        }
    }
}

/// What a piece of work takes: of the thread's own time, or of time with several threads.
fn time(threads: usize, work: impl FnOnce()) -> Duration {
    let clock = if threads > 1 { passed } else { worked };
    let start = clock();
    work();
    clock() - start
}

/// A run of so many steps, and how long it took each.
fn stretch(net: &Net, steps: u64, threads: usize) -> Duration {
    let mut training = training(net, steps, threads);
    let mut ending = None;
    let whole = time(threads, || {
        ending = training.run(|| false, |_, _| Ok(ControlFlow::Continue(()))).ok();
    });
    assert_eq!(ending, Some(Ending::Finished), "{}", net.0);
    whole.div_f64(steps as f64)
}

/// The time from a text to the first step's result, with data at hand.
fn first_step(net: &Net) -> (Duration, usize) {
    let data = prepared(net);
    let start = Instant::now();
    let mut training = Training::new(net.3, data, &TrainingOptions::default()).expect("the program is right");
    training.step().expect("the data fits");
    (start.elapsed(), training.kernel().code_size())
}

fn measure(net: &Net, threads: usize, library: Option<&'static libloading::Library>) {
    let (mut first, mut size) = (Duration::MAX, 0);
    for _ in 0..3 {
        let (time, bytes) = first_step(net);
        (first, size) = (first.min(time), bytes);
    }
    let named = |(name, run)| Some((name, Opponent::new(library, net, threads, run)?, Duration::MAX));
    let mut opponents: Vec<_> = RUNS.into_iter().filter_map(named).collect();
    opponents.iter().for_each(|(_, opponent, _)| opponent.check(net));
    let (mut best, mut steps) = (Duration::MAX, 1);
    for _ in 0..ROUNDS {
        let each = stretch(net, steps, threads);
        best = best.min(each);
        for (_, opponent, theirs) in &mut opponents {
            opponent.begin();
            let whole = time(threads, || _ = opponent.run(0, steps as usize));
            *theirs = whole.div_f64(steps as f64).min(*theirs);
        }
        steps = (150_000_000 / best.as_nanos().max(1)).clamp(1, 1_000_000) as u64;
    }
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    print!("{:14} {threads} thread(s) {:11.3} us/step", net.0, micros(best));
    for (name, _, theirs) in &opponents {
        print!("   {name} {:11.3}, ratio {:5.2}", micros(*theirs), micros(best) / micros(*theirs));
    }
    if opponents.is_empty() {
        print!("   C           -, ratio     -");
    }
    if let Some((_, rate)) = PEERS.iter().find(|peer| peer.0 == net.0) {
        print!("   JAX (written down) {:9.1}, ratio {:5.2}", 1e6 / rate, micros(best) * rate / 1e6);
    }
    println!("   first step {:7.2} ms, {size:6} bytes", first.as_secs_f64() * 1e3);
}

/// Prints the program, the time of each stretch, and the code of the wide emitter.
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
    for assembly in training.kernel().assemblies().expect("as when it was compiled") {
        println!("{assembly}");
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let threads = words.iter().find_map(|word| word.strip_prefix("threads=")?.parse().ok()).unwrap_or(1);
    let text = words.iter().any(|word| word == "text");
    let library = library();
    let is_name = |word: &&String| *word != "text" && !word.contains('=');
    let wanted: Vec<&String> = words.iter().filter(is_name).collect();
    for net in NETS.iter().filter(|net| wanted.is_empty() || wanted.iter().any(|w| *w == net.0)) {
        if text {
            explain(net, threads);
        }
        measure(net, threads, library);
    }
}
