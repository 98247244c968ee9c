//! Training steps a second: forward, backward and update of everything in one kernel.
//!
//! `cargo bench --bench steps` prints compile time, code size and steps a second; with `-- text`
//! the programs as well. One thread; the best of several stretches counts.

use std::time::{Duration, Instant};
use symdiff::batch::{Batched, batch};
use symdiff::differentiate::{Mode, gradient};
use symdiff::ir::{DType, Function, Graph, Id, Precision, Reduction, Shape, Type};
use symdiff::jit::tensor::TensorKernel;
use symdiff::loops::tensor::{TensorOptions, build};
use symdiff::{Builder, Expr, Level, Purpose, Real, simplify};

/// A training step: inputs are data, parameters, states; outputs the loss, parameters, states.
struct Step {
    function: Function,
    options: TensorOptions,
}

fn tensor(graph: &mut Graph, name: &str, extents: &[u32]) -> Id {
    let ty = graph.type_id(Type::new(DType::F64, Shape::new(extents.iter().copied())));
    graph.input_of(name, ty)
}

/// The mean over a batch of the loss of one example, whose data are gathered by an index.
fn mean_loss(graph: &mut Graph, loss: Id, data: &[(Id, Id)], size: u32) -> Id {
    let batched = batch(graph, &[loss], data, size)[0];
    let Batched::Each(losses) = batched else { panic!("the loss depends on the data") };
    let (sum, count) = (graph.sum(losses, 1), graph.integer(i64::from(size)));
    graph.apply(symdiff::ir::Elementwise::Div, &[sum, count])
}

/// Rows of a table picked by an index, both inputs.
fn gathered(graph: &mut Graph, name: &str, rows: u32, entry: &[u32], index: Id) -> Id {
    let extents: Vec<u32> = std::iter::once(rows).chain(entry.iter().copied()).collect();
    let table = tensor(graph, name, &extents);
    graph.gather(table, index)
}

/// Adds gradients and updates; `update` makes a parameter's next value and next states.
fn step(
    mut graph: Graph,
    loss: Id,
    params: &[Id],
    states: usize,
    precision: Precision,
    update: impl for<'g> Fn(Expr<'g>, Expr<'g>, &[Expr<'g>], Expr<'g>) -> Vec<Expr<'g>>,
) -> Step {
    let gradients = gradient(&mut graph, loss, params, Mode::Reverse);
    let clock = graph.input("clock");
    let (mut made, mut taken) = (Vec::new(), Vec::new());
    for (i, (&w, &g)) in params.iter().zip(&gradients).enumerate() {
        let extents = graph.shape(w).extents().to_vec();
        let kept: Vec<Id> = (0..states).map(|s| tensor(&mut graph, &format!("s{s}_{i}"), &extents)).collect();
        let new = Builder::over(&mut graph, |b| {
            let kept: Vec<Expr> = kept.iter().map(|&s| b.expr(s)).collect();
            update(b.expr(w), b.expr(g), &kept, b.expr(clock)).into_iter().map(Expr::id).collect::<Vec<_>>()
        });
        made.extend(new);
        taken.push(w);
        taken.extend(kept);
    }
    let inputs: Vec<_> = graph.symbols().collect();
    let position = |id: &Id| match graph.op(*id) {
        symdiff::ir::Op::Input(symbol) => inputs.iter().position(|&s| s == symbol).expect("all are inputs"),
        _ => panic!("parameters and states are inputs"),
    };
    let in_place = taken.iter().enumerate().map(|(o, id)| (o + 1, position(id))).collect();
    let outputs = std::iter::once(loss).chain(made).collect();
    let function = Function::new(graph, inputs, outputs);
    let function = simplify(&function, Level::Fast, Purpose::Compute);
    Step { function, options: TensorOptions { precision, in_place, ..TensorOptions::default() } }
}

fn descent<'g>(w: Expr<'g>, g: Expr<'g>, _: &[Expr<'g>], _: Expr<'g>) -> Vec<Expr<'g>> {
    vec![w - 0.5 * g]
}

fn adam<'g>(w: Expr<'g>, g: Expr<'g>, states: &[Expr<'g>], clock: Expr<'g>) -> Vec<Expr<'g>> {
    let b = w.builder();
    let m = 0.9 * states[0] + 0.1 * g;
    let v = 0.999 * states[1] + 0.001 * g * g;
    let one = b.integer(1);
    let (m_bias, v_bias) = (one - b.constant(0.9).pow(clock), one - b.constant(0.999).pow(clock));
    let new = w - 1e-3 * (m / m_bias) / ((v / v_bias).sqrt() + 1e-8);
    vec![new, m, v]
}

/// 2-8-1, tanh, cross-entropy of a sigmoid, the four examples at once.
fn xor() -> Step {
    let mut graph = Graph::new();
    let x = tensor(&mut graph, "x", &[2]);
    let t = graph.input("t");
    let params = [("W", vec![8, 2]), ("b", vec![8]), ("w", vec![8]), ("c", vec![])];
    let params = params.map(|(name, extents)| tensor(&mut graph, name, &extents));
    let loss = Builder::over(&mut graph, |b| {
        let [w1, b1, w2, b2] = params.map(|p| b.expr(p));
        let h = (b.contract(w1, b.expr(x), 1) + b1).tanh();
        let z = b.contract(w2, h, 1) + b2;
        (z.softplus() - b.expr(t) * z).id()
    });
    let data = [(x, tensor(&mut graph, "X", &[4, 2])), (t, tensor(&mut graph, "T", &[4]))];
    let loss = mean_loss(&mut graph, loss, &data, 4);
    step(graph, loss, &params, 0, Precision::F64, descent)
}

/// Layers with an activation between them and softmax cross-entropy at the end.
fn classifier(sizes: &[u32], size: u32, rows: u32, tanh: bool) -> Step {
    let mut graph = Graph::new();
    let x = tensor(&mut graph, "x", &[sizes[0]]);
    let t = graph.input("t");
    let mut params = Vec::new();
    for (i, pair) in sizes.windows(2).enumerate() {
        params.push(tensor(&mut graph, &format!("W{i}"), &[pair[1], pair[0]]));
        params.push(tensor(&mut graph, &format!("b{i}"), &[pair[1]]));
    }
    let loss = Builder::over(&mut graph, |b| {
        let mut h = b.expr(x);
        for (i, pair) in params.chunks(2).enumerate() {
            let z = b.contract(b.expr(pair[0]), h, 1) + b.expr(pair[1]);
            h = if 2 * i + 2 == params.len() {
                z
            } else if tanh {
                z.tanh()
            } else {
                z.relu()
            };
        }
        let all = b.reduce(Reduction::LogSumExp, h, 1);
        (all - b.gather(h, b.expr(t))).id()
    });
    let index = tensor(&mut graph, "rows", &[size]);
    let data = [
        (x, gathered(&mut graph, "X", rows, &sizes[..1], index)),
        (t, gathered(&mut graph, "T", rows, &[], index)),
    ];
    let loss = mean_loss(&mut graph, loss, &data, size);
    step(graph, loss, &params, 2, Precision::F32, adam)
}

/// Fills the inputs with small numbers, and indices with whole ones.
fn fill(step: &Step, kernel: &TensorKernel) -> symdiff::jit::tensor::Workspace {
    let mut workspace = kernel.workspace();
    let graph = step.function.graph();
    let mut state = 1u64;
    let mut random = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f64 / (1u64 << 24) as f64 - 0.5
    };
    for (i, &symbol) in step.function.inputs().iter().enumerate() {
        let size = graph.type_of(graph.symbol_type(symbol)).shape.size();
        let name = graph.symbol_name(symbol);
        let values: Vec<f64> = match name {
            "rows" => (0..size).map(|i| (i * 7 % 100) as f64).collect(),
            "T" if size > 4 => (0..size).map(|i| (i % 10) as f64).collect(),
            "T" => vec![0.0, 1.0, 1.0, 0.0],
            "X" if size == 8 => vec![0., 0., 0., 1., 1., 0., 1., 1.],
            "clock" => vec![10.0],
            _ if name.starts_with('s') => vec![1e-3; size],
            _ => (0..size).map(|_| 0.2 * random()).collect(),
        };
        workspace.set(i, &values).expect("the lengths agree");
    }
    workspace
}

fn measure(name: &str, step: &Step) {
    if std::env::args().any(|a| a == "text") {
        println!("{}", build(&step.function, &step.options).expect("it builds"));
    }
    let mut compile = Duration::MAX;
    for _ in 0..3 {
        let start = Instant::now();
        drop(TensorKernel::compile(&step.function, &step.options).expect("it compiles"));
        compile = compile.min(start.elapsed());
    }
    let kernel = TensorKernel::compile(&step.function, &step.options).expect("it compiles");
    let mut workspace = fill(step, &kernel);
    let mut loss = [0.0];
    kernel.run(&mut workspace);
    workspace.get(0, &mut loss).expect("the loss is a number");
    let first = loss[0];
    let mut count = 1;
    let mut best = Duration::MAX;
    for _ in 0..8 {
        let start = Instant::now();
        (0..count).for_each(|_| kernel.run(&mut workspace));
        let each = start.elapsed() / count;
        best = best.min(each);
        count = (100_000_000 / each.as_nanos().max(1)).clamp(1, 1_000_000) as u32;
    }
    workspace.get(0, &mut loss).expect("the loss is a number");
    println!(
        "{name:24} {:10.0} steps/s {:12.3} us/step   compile {:6.2} ms   {:6} bytes   loss {first:.4} -> {:.4}",
        1.0 / best.as_secs_f64(),
        best.as_secs_f64() * 1e6,
        compile.as_secs_f64() * 1e3,
        kernel.code_size(),
        loss[0],
    );
}

fn main() {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|a| !a.starts_with('-') && a != "text").collect();
    type Case = (&'static str, fn() -> Step);
    let cases: [Case; 4] = [
        ("xor", xor),
        ("digits", || classifier(&[64, 128, 10], 64, 1000, false)),
        ("digits-tanh", || classifier(&[64, 128, 10], 64, 1000, true)),
        ("mnist", || classifier(&[784, 512, 512, 10], 256, 1000, false)),
    ];
    for (name, make) in cases {
        if wanted.is_empty() || wanted.iter().any(|w| w == name) {
            measure(name, &make());
        }
    }
}
