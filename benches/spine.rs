//! Speed of the whole way, from text to machine code, beside written-down opponents.
//!
//! `cargo bench` runs everything; `cargo bench -- derive` one group. Opponents in C are built with
//! the system's `cc` where there is one, and called in the same run. What other systems needed on a
//! like machine (one core): ∏ sin(xᵢxᵢ₊₁) at n = 1000, CasADi 80 ms, SymEngine 1.4 s; text to first
//! gradient of the 337-weight network, CasADi 22 ms, SymEngine-LLVM 238 ms, JAX 266 ms.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::fmt::Write;
use std::hint::black_box;
use std::process::Command;
use symdiff::loops::build;
use symdiff::{Function, Kernel, Level, Purpose, jit, parse, simplify, value_and_grad};

#[path = "../tests/it/objectives.rs"]
mod objectives;

use objectives::{nested, product_of_sines, rosenbrock};

/// A 2-16-16-1 tanh network written out, with 337 symbolic weights.
fn network() -> String {
    let mut text = String::new();
    let mut weights = 0;
    let mut weight = || {
        weights += 1;
        format!("w{weights}")
    };
    let mut layer: Vec<String> = vec!["x".into(), "y".into()];
    for (size, name) in [(16, "h"), (16, "g"), (1, "o")] {
        let mut next = Vec::new();
        for unit in 0..size {
            let terms: Vec<String> = layer.iter().map(|input| format!("{}*{input}", weight())).collect();
            let sum = format!("{} + {}", terms.join(" + "), weight());
            let body = if name == "o" { sum } else { format!("tanh({sum})") };
            writeln!(text, "{name}{unit} = {body}").expect("strings take text");
            next.push(format!("{name}{unit}"));
        }
        layer = next;
    }
    text + "(o0 - 1)^2"
}

fn derive(c: &mut Criterion) {
    for (name, build) in [("product", product_of_sines as fn(usize) -> Function), ("nested", nested)] {
        let mut group = c.benchmark_group(format!("derive/{name}"));
        group.sample_size(10);
        for n in [10, 100, 1_000, 10_000, 100_000] {
            let f = build(n);
            group.throughput(Throughput::Elements(n as u64));
            group.bench_with_input(BenchmarkId::from_parameter(n), &f, |bench, f| {
                bench.iter(|| value_and_grad(black_box(f)).expect("it derives"));
            });
        }
        group.finish();
    }
}

fn first_gradient(text: &str) -> f64 {
    let f = parse(text).expect("it reads");
    let kernel = jit(&value_and_grad(&f).expect("it derives")).expect("it compiles");
    let point = vec![0.5; kernel.input_size()];
    let mut out = vec![0.0; kernel.output_size()];
    kernel.call(&point, &mut out).expect("the lengths agree");
    out[1]
}

fn text_to_first_gradient(c: &mut Criterion) {
    let mut group = c.benchmark_group("text to first gradient");
    group.sample_size(20);
    let rosenbrock_10 = rosenbrock(10).to_string();
    for (name, text) in
        [("softplus", "log(1+exp(x))".to_owned()), ("rosenbrock-10", rosenbrock_10), ("network", network())]
    {
        group.bench_function(name, |bench| bench.iter(|| first_gradient(black_box(&text))));
    }
    group.finish();
}

/// A function of C: `void f(const double *x, double *out)`.
struct C {
    call: libloading::Symbol<'static, unsafe extern "C" fn(*const f64, *mut f64)>,
}

impl C {
    /// Compiles a body; `None` where there is no C compiler.
    fn compile(name: &str, body: &str, flags: &[&str]) -> Option<C> {
        let folder = std::env::temp_dir().join(format!("symdiff-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder).ok()?;
        let (source, library) = (folder.join(format!("{name}.c")), folder.join(format!("{name}.so")));
        std::fs::write(
            &source,
            format!("#include <math.h>\nvoid f(const double *x, double *out) {{\n{body}}}\n"),
        )
        .ok()?;
        let built = Command::new("cc")
            .args(flags)
            .args(["-shared", "-fPIC", "-o"])
            .arg(&library)
            .arg(&source)
            .arg("-lm")
            .status();
        if !built.is_ok_and(|status| status.success()) {
            return None;
        }
        // SAFETY: the library was built just now from the source above; it has no initialisers and
        // stays loaded for the rest of the run.
        unsafe {
            let library = Box::leak(Box::new(libloading::Library::new(&library).ok()?));
            Some(C { call: library.get(b"f").ok()? })
        }
    }

    fn run(&self, x: &[f64], out: &mut [f64]) {
        // SAFETY: `x` and `out` have the lengths the body was written for.
        unsafe { (self.call)(x.as_ptr(), out.as_mut_ptr()) }
    }
}

fn rosenbrock_in_c(n: usize) -> String {
    format!(
        "int n = {n};\ndouble s = 0;\nfor (int i = 0; i < n; i++) out[1 + i] = 0;\n\
         for (int i = 0; i + 1 < n; i++) {{\n\
         double u = x[i + 1] - x[i]*x[i], v = 1 - x[i];\n\
         s += 100*u*u + v*v;\n\
         out[1 + i] += -400*u*x[i] - 2*v;\n\
         out[2 + i] += 200*u;\n}}\nout[0] = s;\n"
    )
}

fn calls(c: &mut Criterion) {
    let mut group = c.benchmark_group("call");
    let identity = jit(&parse("x").expect("it reads")).expect("it compiles");
    let mut one = [0.0];
    group.bench_function("overhead", |bench| {
        bench.iter(|| identity.call(black_box(&[0.5]), black_box(&mut one)))
    });
    for n in [2, 10] {
        let kernel = jit(&value_and_grad(&rosenbrock(n)).expect("it derives")).expect("it compiles");
        let (x, mut out) = (vec![0.3; n], vec![0.0; n + 1]);
        group.bench_function(format!("rosenbrock-{n}/symdiff"), |bench| {
            bench.iter(|| kernel.call(black_box(&x), black_box(&mut out)));
        });
        if let Some(opponent) = C::compile(&format!("rosenbrock{n}"), &rosenbrock_in_c(n), &["-O3"]) {
            group.bench_function(format!("rosenbrock-{n}/C -O3"), |bench| {
                bench.iter(|| opponent.run(black_box(&x), black_box(&mut out)));
            });
        }
    }
    group.finish();
}

/// The lowered graph of a function, statement by statement, as C.
fn graph_in_c(f: &Function) -> String {
    use symdiff::ir::{Elementwise, Op, reachable};
    let f = symdiff::loops::lower(&symdiff::simplify(f, symdiff::Level::Fast, symdiff::Purpose::Compute));
    let graph = f.graph();
    let mut body = String::new();
    for id in reachable(graph, f.outputs()) {
        let v = |i: usize| format!("v{}", graph.operand(id, i).index());
        let value = match graph.op(id) {
            Op::Input(s) => format!("x[{}]", f.inputs().iter().position(|&i| i == s).expect("an input")),
            Op::Constant(k) => format!("{:e}", graph.number(k).to_f64()),
            Op::Elementwise(Elementwise::Neg) => format!("-{}", v(0)),
            Op::Elementwise(Elementwise::Add) => format!("{} + {}", v(0), v(1)),
            Op::Elementwise(Elementwise::Sub) => format!("{} - {}", v(0), v(1)),
            Op::Elementwise(Elementwise::Mul) => format!("{} * {}", v(0), v(1)),
            Op::Elementwise(Elementwise::Div) => format!("{} / {}", v(0), v(1)),
            Op::Elementwise(Elementwise::Fma) => format!("{} * {} + {}", v(0), v(1), v(2)),
            Op::Elementwise(op) => format!("{}({})", op.name(), v(0)),
            other => panic!("the bench has no C for {other:?}"),
        };
        writeln!(body, "double v{} = {value};", id.index()).expect("strings take text");
    }
    for (i, output) in f.outputs().iter().enumerate() {
        writeln!(body, "out[{i}] = v{};", output.index()).expect("strings take text");
    }
    body
}

/// Value and gradient of 10⁵ nodes: compiling, and one call beside the same statements in C.
/// (gcc needs about a minute for 10⁴ statements in one function, so the call is compared at 10⁴.)
fn large(c: &mut Criterion) {
    let mut group = c.benchmark_group("large");
    group.sample_size(10);
    let big = value_and_grad(&product_of_sines(10_000)).expect("it derives");
    group.bench_function("compile 100,000 nodes", |bench| {
        bench.iter(|| jit(black_box(&big)).expect("it compiles"))
    });
    for n in [1_000, 10_000] {
        let f = value_and_grad(&product_of_sines(n)).expect("it derives");
        let kernel: Kernel = jit(&f).expect("it compiles");
        let (x, mut out) = (vec![1.2; n], vec![0.0; n + 1]);
        group.bench_function(format!("call {n}/symdiff"), |bench| {
            bench.iter(|| kernel.call(black_box(&x), black_box(&mut out)));
        });
        if n == 1_000
            && let Some(opponent) = C::compile("large", &graph_in_c(&f), &["-O1"])
        {
            group.bench_function(format!("call {n}/C -O1"), |bench| {
                bench.iter(|| opponent.run(black_box(&x), black_box(&mut out)));
            });
        }
    }
    group.finish();
}

/// Sums written out term by term, of more than a megabyte of code: as the tape that a kernel of them is,
/// beside the straight code that it would be.
fn written_out(c: &mut Criterion) {
    let mut group = c.benchmark_group("written out");
    group.sample_size(10);
    for n in [10_000, 100_000] {
        let f = value_and_grad(&rosenbrock(n)).expect("it derives");
        let f = simplify(&f, Level::Fast, Purpose::Compute);
        let tape = || Kernel::compile(black_box(&f)).expect("it compiles");
        let code = || Kernel::from_program(&build(black_box(&f))).expect("it compiles");
        group.bench_function(format!("compile {n}/tape"), |bench| bench.iter(tape));
        group.bench_function(format!("compile {n}/code"), |bench| bench.iter(code));
        let (x, mut out) = (vec![0.3; n], vec![0.0; n + 1]);
        for (name, kernel) in [("tape", tape()), ("code", code())] {
            group.bench_function(format!("call {n}/{name}"), |bench| {
                bench.iter(|| kernel.call(black_box(&x), black_box(&mut out)));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, derive, text_to_first_gradient, calls, large, written_out);
criterion_main!(benches);
