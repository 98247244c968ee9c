//! Functions over columns against C: value and derivatives of every element in one pass.
//!
//! `cargo bench --bench map` prints nanoseconds an element and the ratio to C (gcc -O3
//! -march=native -ffast-math with libmvec, built here by `cc` where there is one), whose results
//! must be ours; then what two threads gain, and compile time by size. `-- NAME…` picks formulas,
//! `-- threads` and `-- compile` a part, `-- asm` prints the loops as well. One thread, aligned
//! columns; the best of several rounds of the thread's own time, both sides in turn.

mod opponent;

use libloading::Library;
use opponent::{function, passed, worked};
use std::time::{Duration, Instant};
use symdiff::ir::Precision;
use symdiff::jit::wide::{Element, Level};
use symdiff::{Builder, Derivation, Kernel, MapKernel, MapOptions, Mode, Purpose, Real, map_with, parse};

/// How long each side of a case is timed for, in all.
const STRETCH: Duration = Duration::from_millis(300);

/// A formula and the order of its derivatives; the same stands in `opponent/map.c`.
struct Case {
    name: &'static str,
    formula: &'static str,
    order: u32,
    /// Of the inputs.
    range: (f64, f64),
}

const CASES: [Case; 4] = [
    Case { name: "softplus", formula: "log(1 + exp(x))", order: 1, range: (-20.0, 20.0) },
    Case { name: "wave", formula: "exp(-x^2)*sin(3x)", order: 2, range: (-3.0, 3.0) },
    Case { name: "rosenbrock", formula: "(1 - x)^2 + 100(y - x^2)^2", order: 1, range: (-2.0, 2.0) },
    Case {
        name: "polynomial",
        formula: "1 + x*(2 + x*(3 + x*(4 + x*(5 + x*(6 + x*(7 + x*(8 + x*9)))))))",
        order: 1,
        range: (-1.0, 1.0),
    },
];

/// The functions in C.
fn library(precision: Precision) -> Option<&'static Library> {
    let width = if precision == Precision::F32 { "-DSINGLE" } else { "-DDOUBLE" };
    opponent::build(&format!("map-{precision:?}"), include_str!("opponent/map.c"), &[width])
}

/// Columns of one length on cache lines.
struct Columns<T> {
    memory: Vec<T>,
    start: usize,
    length: usize,
    stride: usize,
}

impl<T: Element> Columns<T> {
    fn new(count: usize, length: usize) -> Columns<T> {
        // Columns do not start at the same place of a page.
        let stride = length.next_multiple_of(64) + 64 / size_of::<T>() * 5;
        let memory = vec![T::default(); stride * count + 64];
        let start = memory.as_ptr().align_offset(64);
        Columns { memory, start, length, stride }
    }

    fn all(&mut self) -> Vec<&mut [T]> {
        let length = self.length;
        self.memory[self.start..].chunks_mut(self.stride).map_while(|c| c.get_mut(..length)).collect()
    }
}

/// A function in C of so many columns.
#[derive(Clone, Copy)]
enum Opponent<T> {
    Three(unsafe extern "C" fn(i64, *mut T, *mut T, *mut T)),
    Four(unsafe extern "C" fn(i64, *mut T, *mut T, *mut T, *mut T)),
    Five(unsafe extern "C" fn(i64, *mut T, *mut T, *mut T, *mut T, *mut T)),
}

impl<T: 'static> Opponent<T> {
    fn new(library: &'static Library, name: &str, columns: usize) -> Opponent<T> {
        // SAFETY: the C functions have these signatures.
        let found = unsafe {
            match columns {
                3 => function(library, name).map(Opponent::Three),
                4 => function(library, name).map(Opponent::Four),
                5 => function(library, name).map(Opponent::Five),
                _ => unreachable!("no case has so many columns"),
            }
        };
        found.expect("in the source")
    }

    fn call(self, rows: usize, columns: &[*mut T]) {
        let rows = rows as i64;
        // SAFETY: the columns have as many rows.
        unsafe {
            match (self, columns) {
                (Opponent::Three(f), &[a, b, c]) => f(rows, a, b, c),
                (Opponent::Four(f), &[a, b, c, d]) => f(rows, a, b, c, d),
                (Opponent::Five(f), &[a, b, c, d, e]) => f(rows, a, b, c, d, e),
                _ => unreachable!("made for these columns"),
            }
        }
    }
}

/// Value, gradient and, of one variable, further derivatives.
fn kernel(case: &Case, options: &MapOptions) -> MapKernel {
    let f = parse(case.formula).expect("parses");
    let mode = if f.input_size() == 1 { Mode::Forward } else { Mode::Reverse };
    let derivation = Derivation { mode, purpose: Purpose::Compute, ..Derivation::default() };
    let derived = derivation.up_to(&f, case.order).expect("has derivatives");
    map_with(&derived, options).expect("compiles")
}

/// A number of a column's type.
trait Number: Element + std::fmt::Debug {
    /// Largest error beside C, relative to one or to the number.
    const TOLERANCE: f64;
}

impl Number for f64 {
    const TOLERANCE: f64 = 1e-13;
}

impl Number for f32 {
    const TOLERANCE: f64 = 2e-5;
}

/// Inputs that do not repeat within a page, and room for the outputs.
fn filled<T: Number>(case: &Case, kernel: &MapKernel, rows: usize) -> Columns<T> {
    let mut columns = Columns::<T>::new(kernel.input_size() + kernel.output_size(), rows);
    let (low, high) = case.range;
    for (k, column) in columns.all()[..kernel.input_size()].iter_mut().enumerate() {
        for (i, x) in column.iter_mut().enumerate() {
            let share = ((i * 7919 + k * 104_729) % 10_007) as f64 / 10_007.0;
            *x = T::from_f64(low + (high - low) * share);
        }
    }
    columns
}

fn run<T: Number>(kernel: &MapKernel, columns: &mut [&mut [T]]) {
    let (x, y) = columns.split_at_mut(kernel.input_size());
    let x: Vec<&[T]> = x.iter().map(|x| &**x).collect();
    kernel.run(&x, y).expect("lengths fit");
}

/// Panics where C's results are others.
fn check<T: Number>(case: &Case, kernel: &MapKernel, c: Opponent<T>, columns: &mut [&mut [T]]) {
    let pointers: Vec<*mut T> = columns.iter_mut().map(|c| c.as_mut_ptr()).collect();
    run(kernel, columns);
    let ours: Vec<Vec<T>> = columns[kernel.input_size()..].iter().map(|c| c.to_vec()).collect();
    c.call(columns[0].len(), &pointers);
    for (ours, theirs) in ours.iter().zip(&columns[kernel.input_size()..]) {
        for (i, (a, b)) in ours.iter().zip(theirs.iter()).enumerate() {
            let (a, b) = (a.to_f64(), b.to_f64());
            let is_close = (a - b).abs() <= T::TOLERANCE * (1.0 + b.abs());
            assert!(is_close, "{} of {:?}: {a}, in C {b}", case.name, columns[0][i]);
        }
    }
}

fn compare<T: Number>(case: &Case, rows: usize, level: Level, c: Option<&'static Library>) {
    let options = MapOptions { precision: T::PRECISION, level, ..MapOptions::default() };
    let before = Instant::now();
    let kernel = kernel(case, &options);
    let compile = before.elapsed();
    let mut columns = filled::<T>(case, &kernel, rows);
    let mut all = columns.all();
    let c = c.map(|c| Opponent::new(c, case.name, all.len()));
    if let Some(c) = c {
        check(case, &kernel, c, &mut all);
    }
    let pointers: Vec<*mut T> = all.iter_mut().map(|c| c.as_mut_ptr()).collect();
    let (x, y) = all.split_at_mut(kernel.input_size());
    let x: Vec<&[T]> = x.iter().map(|x| &**x).collect();
    let (mut ours, mut theirs) = (f64::INFINITY, f64::INFINITY);
    let rounds = (200_000 / rows).max(1);
    let start = Instant::now();
    while start.elapsed() < STRETCH {
        ours = ours.min(least(rounds, worked, || kernel.run(&x, y).expect("lengths fit")));
        if let Some(c) = c {
            theirs = theirs.min(least(rounds, worked, || c.call(rows, &pointers)));
        }
    }
    let each = |seconds: f64| seconds * 1e9 / rows as f64;
    print!("{:12} {:?} {level} bits N = {rows:8}: {:7.3} ns", case.name, T::PRECISION, each(ours));
    match c {
        Some(_) => print!(", C {:7.3} ns, ratio {:5.2}", each(theirs), ours / theirs),
        None => print!(", C       -, ratio     -"),
    }
    println!("; compiled in {compile:?}");
    if std::env::args().any(|a| a == "asm") && rows < 10_000 {
        println!("{}", kernel.assembly().unwrap_or_default());
    }
}

/// The time of one of so many rounds.
fn least(rounds: usize, clock: fn() -> Duration, mut work: impl FnMut()) -> f64 {
    let before = clock();
    (0..rounds).for_each(|_| work());
    (clock() - before).as_secs_f64() / rounds as f64
}

/// Two threads beside one, by the clock.
fn threads(case: &Case) {
    const ROWS: usize = 1_000_000;
    let mut times = [f64::INFINITY; 2];
    let kernels = [1, 2].map(|threads| kernel(case, &MapOptions { threads, ..MapOptions::default() }));
    let mut columns = filled::<f64>(case, &kernels[0], ROWS);
    let mut all = columns.all();
    let start = Instant::now();
    while start.elapsed() < 4 * STRETCH {
        for (kernel, time) in kernels.iter().zip(&mut times) {
            *time = time.min(least(1, passed, || run(kernel, &mut all)));
        }
    }
    let [one, two] = times.map(|seconds| seconds * 1e9 / ROWS as f64);
    println!(
        "{:12} N = {ROWS}: one thread {one:.3} ns, two {two:.3} ns, {:.2} times as many",
        case.name,
        one / two
    );
}

/// Compile time by the size of the body, of loops over columns and of one row at a time: a
/// polynomial in sines that shares nothing.
fn compiling() {
    for size in [100, 1_000, 10_000, 100_000] {
        let graph = Builder::new();
        let (x, y) = (graph.variable("x"), graph.variable("y"));
        let mut value = x;
        for i in 0..size / 4 {
            let y = if i % 16 == 0 { y.sin() } else { y };
            value = (value + 0.5) * (y * (0.25 + i as f64 / 1e6) + x);
        }
        let f = graph.function(value);
        let nodes = f.graph().len();
        let mut best = [Duration::MAX; 2];
        for _ in 0..3 {
            let before = worked();
            MapKernel::compile(&f, &MapOptions::default()).expect("compiles");
            let between = worked();
            Kernel::compile(&f).expect("compiles");
            for (best, time) in best.iter_mut().zip([between - before, worked() - between]) {
                *best = time.min(*best);
            }
        }
        let each = |time: Duration| time.as_secs_f64() * 1e6 / nodes as f64;
        let [map, scalar] = best;
        println!(
            "{nodes:7} nodes: over columns {map:9.2?} ({:.2} us a node), one row {scalar:9.2?} ({:.2} us a node)",
            each(map),
            each(scalar)
        );
    }
}

fn main() {
    let (double, single) = (library(Precision::F64), library(Precision::F32));
    let words: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let names: Vec<&String> = words.iter().filter(|a| CASES.iter().any(|c| c.name == **a)).collect();
    let is_wanted = |c: &&Case| names.is_empty() || names.iter().any(|name| *name == c.name);
    let part = |name: &str| {
        words.iter().all(|w| w != "threads" && w != "compile") || words.iter().any(|w| w == name)
    };
    if part("cases") {
        for level in [Level::L512, Level::L256, Level::L128].into_iter().filter(|l| l.is_available()) {
            for rows in [4096, 1_000_000] {
                for case in CASES.iter().filter(is_wanted) {
                    compare::<f64>(case, rows, level, double);
                }
                for case in CASES[..2].iter().filter(is_wanted) {
                    compare::<f32>(case, rows, level, single);
                }
            }
        }
    }
    if part("threads") {
        CASES[..2].iter().filter(is_wanted).for_each(threads);
    }
    if part("compile") {
        compiling();
    }
}
