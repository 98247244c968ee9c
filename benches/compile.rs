//! How long compiling takes, stage by stage: the works of the other benches, and straight code of
//! growing length.
//!
//! `cargo bench --bench compile -- [NAME…] [for=SECONDS]` prints milliseconds from text to graph, to
//! the derivative's graph, to loops and to machine code, and their sum, the least of several rounds
//! each; for what grows, microseconds for each operation of the derivative's graph as well. The thread's own
//! time, in which nothing is run and no data filled in. With `for` a work is repeated for so long, for a
//! profiler to look at.

#[path = "works/sums.rs"]
mod cases;
#[allow(dead_code, reason = "no data is filled in here")]
#[path = "works/nets.rs"]
mod nets;
#[allow(dead_code, reason = "there is no opponent here, only its clock")]
mod opponent;
#[path = "works/arm.rs"]
mod robot;

use cases::CASES;
use nets::NETS;
use opponent::worked;
use std::fmt::Write;
use std::time::{Duration, Instant};
use symdiff::elaborate::program::{Batch, Phase, read_program};
use symdiff::ir::operation_count;
use symdiff::jit::tensor::TensorKernel;
use symdiff::loops::tensor::{Subnormals, TensorOptions, build};
use symdiff::models::value_and_gradients;
use symdiff::train::Program;
use symdiff::{
    Derivation, Function, Kernel, Level, Limits, MapKernel, MapOptions, Purpose, VectorLevel, parse,
};

/// The stages, in order.
const STAGES: [&str; 4] = ["read", "derive", "loops", "code"];

/// What is compiled, and how.
enum Work {
    /// A net's step, by its place among [`NETS`].
    Net(usize),
    /// An objective's value and gradient.
    Objective(String),
    /// A formula's value and gradient, as straight code.
    Formula(String, Derivation),
    /// The same, as a loop over columns.
    Columns(String, Derivation),
}

/// What came out: the times of the stages, operations of the derivative's graph, bytes of code.
struct Compiled {
    times: [Duration; 4],
    operations: usize,
    bytes: usize,
}

/// Takes the times of stages.
struct Clock {
    last: Duration,
    times: Vec<Duration>,
}

impl Clock {
    fn start() -> Clock {
        Clock { last: worked(), times: Vec::new() }
    }

    fn stage(&mut self) {
        let now = worked();
        self.times.push(now - self.last);
        self.last = now;
    }

    fn finish(self, function: &Function, bytes: usize) -> Compiled {
        let times = self.times.try_into().expect("a time for every stage");
        Compiled { times, operations: operation_count(function.graph(), function.outputs()), bytes }
    }
}

fn compute() -> Derivation {
    Derivation { level: Level::Fast, purpose: Purpose::Compute, ..Derivation::default() }
}

fn compile(work: &Work) -> Result<Compiled, symdiff::Error> {
    let mut clock = Clock::start();
    match work {
        Work::Net(at) => {
            let net = &NETS[*at];
            let program = Program::read(net.3, &Limits::default())?;
            clock.stage();
            let plan = &program.model().train;
            let (count, precision) = (net.1 as u32, plan.precision);
            let size = match plan.batch {
                Batch::Full => count,
                Batch::Size(size) => size as u32,
            };
            let (function, in_place) = program.step(count, size)?;
            clock.stage();
            let options = TensorOptions {
                in_place,
                precision,
                subnormals: Subnormals::Flush,
                ..TensorOptions::default()
            };
            tensors(clock, &function, &options)
        }
        Work::Objective(text) => {
            let model = read_program(text, Phase::Predict, &Limits::default())?;
            clock.stage();
            let names: Vec<String> = model.params.iter().map(|param| param.name.clone()).collect();
            let function = value_and_gradients(&model, &names, &compute())?;
            clock.stage();
            tensors(clock, &function, &TensorOptions::default())
        }
        Work::Formula(text, derivation) => {
            let function = derived(&mut clock, text, derivation)?;
            clock.stage();
            let kernel = Kernel::compile(&function)?;
            clock.stage();
            Ok(clock.finish(&function, kernel.code_size()))
        }
        Work::Columns(text, derivation) => {
            let function = derived(&mut clock, text, derivation)?;
            clock.stage();
            let kernel = MapKernel::compile(&function, &MapOptions::default())?;
            clock.stage();
            Ok(clock.finish(&function, kernel.code_size()))
        }
    }
}

fn derived(clock: &mut Clock, text: &str, derivation: &Derivation) -> Result<Function, symdiff::Error> {
    let function = parse(text)?;
    clock.stage();
    let function = derivation.value_and_gradient(&function)?;
    clock.stage();
    Ok(function)
}

/// The last two stages of a function over arrays.
fn tensors(
    mut clock: Clock,
    function: &Function,
    options: &TensorOptions,
) -> Result<Compiled, symdiff::Error> {
    let program = build(function, options)?;
    clock.stage();
    let kernel = TensorKernel::from_program(program, options, VectorLevel::best())?;
    clock.stage();
    Ok(clock.finish(function, kernel.code_size()))
}

/// Σ sin(xᵢ·xᵢ₊₁ + c), a statement for each two terms: some ten operations of value and gradient a
/// term.
fn sum_of_sines(terms: usize) -> String {
    let mut text = String::from("s0 = x0");
    for i in 0..terms {
        write!(text, "\ns{} = s{i} + sin(x{i}*x{} + 0.{})", i + 1, i + 1, i % 7 + 1)
            .expect("strings take text");
    }
    write!(text, "\ns{terms}").expect("strings take text");
    text
}

/// y ← tanh(a·y + b·y²), so often, on arrays.
fn recurrence_of_arrays(steps: usize) -> String {
    let mut text = String::from("param y[8] = 1, a[8] = 1, b[8] = 1\ny0 = y");
    for i in 0..steps {
        write!(text, "\ny{} = tanh(a*y{i} + b*y{i}^2)", i + 1).expect("strings take text");
    }
    write!(text, "\nminimize sum(y{steps})").expect("strings take text");
    text
}

/// Every work with its name, and whether it is one of a row that grows.
fn works() -> Vec<(String, Work, bool)> {
    let mut works: Vec<(String, Work, bool)> = Vec::new();
    for (at, net) in NETS.iter().enumerate() {
        works.push((net.0.to_owned(), Work::Net(at), false));
    }
    for case in CASES {
        for n in [case.1[0], case.1[case.1.len() - 1]] {
            let text = case.2.replace('N', &n.to_string());
            works.push((format!("{}-{n}", case.0), Work::Objective(text), false));
        }
    }
    works.push(("arm".to_owned(), Work::Formula(robot::ARM.to_owned(), robot::derivation()), false));
    works.push(("arm-columns".to_owned(), Work::Columns(robot::ARM.to_owned(), robot::derivation()), false));
    for (name, text) in [("softplus", "log(1+exp(x))"), ("rosenbrock", "(1-x)^2+100*(y-x^2)^2")] {
        works.push((format!("{name}-columns"), Work::Columns(text.to_owned(), compute()), false));
    }
    for size in [100, 1_000, 10_000, 100_000] {
        works.push((format!("straight-{size}"), Work::Formula(sum_of_sines(size), compute()), true));
    }
    for size in [100, 1_000, 10_000] {
        works.push((format!("columns-{size}"), Work::Columns(sum_of_sines(size), compute()), true));
    }
    for size in [100, 1_000, 10_000] {
        works.push((format!("arrays-{size}"), Work::Objective(recurrence_of_arrays(size)), true));
    }
    works
}

/// The least times of several rounds.
fn measure(work: &Work, at_least: Option<Duration>) -> Compiled {
    let start = Instant::now();
    let mut best = compile(work).expect("it compiles");
    for round in 1.. {
        let enough = at_least.unwrap_or(Duration::from_millis(if round < 3 { 10_000 } else { 300 }));
        if start.elapsed() >= enough || round >= 200 && at_least.is_none() {
            break;
        }
        let next = compile(work).expect("it compiled before");
        best.times.iter_mut().zip(next.times).for_each(|(best, next)| *best = next.min(*best));
    }
    best
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let seconds = words.iter().find_map(|word| word.strip_prefix("for=")?.parse().ok());
    let wanted: Vec<&String> = words.iter().filter(|word| !word.contains('=')).collect();
    for (name, work, grows) in works() {
        if !wanted.is_empty() && !wanted.iter().any(|word| name.starts_with(word.as_str())) {
            continue;
        }
        let Compiled { times, operations, bytes } = measure(&work, seconds.map(Duration::from_secs));
        let all: Duration = times.iter().sum();
        print!("{name:20} {:9.3} ms:", all.as_secs_f64() * 1e3);
        for (stage, time) in STAGES.iter().zip(times) {
            print!(" {stage} {:8.3}", time.as_secs_f64() * 1e3);
        }
        print!("; {operations:6} operations, {bytes:8} bytes");
        match grows {
            true => println!(", {:6.2} us an operation", all.as_secs_f64() * 1e6 / operations as f64),
            false => println!(),
        }
    }
}
