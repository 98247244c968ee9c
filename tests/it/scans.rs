//! Scans: what they compute, derivatives, batches and machine code agree with their steps written out.

use symdiff::batch::{Batched, batch};
use symdiff::differentiate::{jvp, vjp};
use symdiff::ir::{
    Builder, DType, Elementwise, Expr, Function, Graph, Id, Precision, Real, ScanBody, ScanResult, Shape,
    Symbol, Type, evaluate, text,
};
use symdiff::jit::tensor::TensorKernel;
use symdiff::loops::tensor::{TensorOptions, build, interpret};
use symdiff::{Level, Purpose, simplify};

const WIDTH: u32 = 3;
const ENTRY: u32 = 2;

/// A body of two carries, one sequence, two constants, that emits two things.
fn body(steps: u32, backwards: bool) -> ScanBody {
    let b = Builder::new();
    let (h, total) = (b.array("h", &[WIDTH]), b.array("total", &[]));
    let x = b.array("x", &[ENTRY]);
    let (w, u) = (b.array("w", &[WIDTH, ENTRY]), b.array("u", &[WIDTH, WIDTH]));
    let next = (b.contract(w, x, 1) + b.contract(u, h, 1)).tanh();
    let sum = total + b.sum(next * next, 1) * b.pick(x, 0);
    let emitted = [next * h, total.sin()];
    let outputs = [next, sum, emitted[0], emitted[1]];
    ScanBody { function: b.function_of(&outputs), steps, carries: 2, sequences: 1, backwards }
}

const RESULTS: [ScanResult; 6] = [
    ScanResult::Last(0),
    ScanResult::Last(1),
    ScanResult::Emitted(0),
    ScanResult::Emitted(1),
    ScanResult::Before(0),
    ScanResult::Before(1),
];

/// A scan among other nodes, and its inputs.
struct Case {
    graph: Graph,
    inputs: Vec<Id>,
    results: Vec<Id>,
}

fn case(steps: u32, backwards: bool) -> Case {
    let mut graph = Graph::new();
    let body = graph.intern_body(body(steps, backwards));
    let mut inputs = Vec::new();
    for (name, extents) in [
        ("h", vec![WIDTH]),
        ("total", vec![]),
        ("xs", vec![steps, ENTRY]),
        ("w", vec![WIDTH, ENTRY]),
        ("u", vec![WIDTH, WIDTH]),
    ] {
        let ty = graph.type_id(Type::new(DType::F64, Shape::new(extents)));
        inputs.push(graph.input_of(name, ty));
    }
    let mut operands = inputs.clone();
    operands[0] = graph.apply(Elementwise::Sin, &[inputs[0]]);
    let results = RESULTS.iter().map(|&result| graph.scan(body, result, &operands)).collect();
    Case { graph, inputs, results }
}

fn symbols(graph: &Graph) -> Vec<Symbol> {
    graph.symbols().collect()
}

/// Numbers without a pattern, in −1..1.
fn numbers(count: usize, seed: u64) -> Vec<f64> {
    (0..count).map(|i| ((i as f64 + 1.0) * 12.9898 + seed as f64 * 78.233).sin()).collect()
}

fn size(graph: &Graph, symbols: &[Symbol]) -> usize {
    symbols.iter().map(|&s| graph.type_of(graph.symbol_type(s)).shape.size()).sum()
}

#[track_caller]
fn assert_close(actual: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    for (i, (&a, &b)) in actual.iter().zip(expected).enumerate() {
        let close = (a - b).abs() <= tolerance * b.abs().max(1.0);
        assert!(close, "{what}, element {i}: {a}, not {b}");
    }
}

/// The roots computed as they are and in every other way, which must agree.
#[track_caller]
fn check(graph: &Graph, roots: &[Id], what: &str) {
    let symbols = symbols(graph);
    let at = numbers(size(graph, &symbols), 3);
    let function = Function::new(graph.clone(), symbols.clone(), roots.to_vec());
    let expected = evaluate(graph, &symbols, roots, &at);
    assert!(expected.iter().all(|x| x.is_finite()), "{what}: {expected:?}");

    let mut flat = graph.clone();
    let unrolled = flat.unrolled(roots);
    assert_close(&evaluate(&flat, &symbols, &unrolled, &at), &expected, 1e-13, &format!("{what}, unrolled"));

    let written = text::write(&function);
    let read = text::read(&written).unwrap_or_else(|e| panic!("{what}: {e}\n{written}"));
    assert_eq!(text::write(&read), written, "{what}");

    for purpose in [Purpose::Compute, Purpose::Both] {
        let simple = simplify(&function, Level::Fast, purpose);
        let found = evaluate(simple.graph(), simple.inputs(), simple.outputs(), &at);
        assert_close(&found, &expected, 1e-12, &format!("{what}, simplified"));
    }
    for precision in [Precision::F64, Precision::F32] {
        let options = TensorOptions { precision, ..TensorOptions::default() };
        let tolerance = if precision == Precision::F64 { 1e-12 } else { 1e-4 };
        let program = build(&function, &options).unwrap_or_else(|e| panic!("{what}: {e}"));
        let found = interpret(&program, precision, &at);
        assert_close(&found, &expected, tolerance, &format!("{what}, loops\n{program}"));
        let kernel = TensorKernel::compile(&function, &options).unwrap_or_else(|e| panic!("{what}: {e}"));
        let mut workspace = kernel.workspace();
        let mut rest = &at[..];
        for (i, &symbol) in symbols.iter().enumerate() {
            let (values, others) = rest.split_at(size(graph, &[symbol]));
            workspace.set(i, values).expect("the lengths agree");
            rest = others;
        }
        // Twice: nothing of the first run must stay.
        for _ in 0..2 {
            kernel.run(&mut workspace);
            let mut found = Vec::new();
            for (o, &id) in roots.iter().enumerate() {
                let mut values = vec![f64::NAN; graph.shape(id).size()];
                workspace.get(o, &mut values).expect("the lengths agree");
                found.extend(values);
            }
            assert_close(&found, &expected, tolerance, &format!("{what}, machine code"));
        }
    }
}

#[test]
fn results_are_those_of_the_steps_written_out() {
    for backwards in [false, true] {
        for steps in [1, 5] {
            let Case { graph, results, .. } = case(steps, backwards);
            check(&graph, &results, &format!("{steps} steps, backwards {backwards}"));
        }
    }
}

/// All results as one number, with weights.
fn summary(graph: &mut Graph, results: &[Id]) -> Id {
    Builder::over(graph, |b| {
        let total = |e: Expr<'_>| b.sum(e.sin(), ((1u16 << b.shape(e.id()).rank()) - 1) as u8).id();
        let totals: Vec<Id> = results.iter().map(|&r| total(b.expr(r))).collect();
        totals.iter().skip(1).fold(b.expr(totals[0]), |sum, &t| sum + b.expr(t)).id()
    })
}

#[test]
fn both_modes_agree_with_differences_in_both_orders() {
    for backwards in [false, true] {
        let Case { mut graph, inputs, results } = case(4, backwards);
        let y = summary(&mut graph, &results);
        let symbols = symbols(&graph);
        let at = numbers(size(&graph, &symbols), 3);
        let one = graph.integer(1);
        let bars: Vec<Id> = vjp(&mut graph, &[(y, one)], &inputs).into_iter().flatten().collect();
        assert_eq!(bars.len(), inputs.len());
        check(&graph, &bars, "gradient");
        let gradient = evaluate(&graph, &symbols, &bars, &at);
        let differences: Vec<f64> = (0..at.len())
            .map(|i| {
                let value = |h: f64| {
                    let mut near = at.clone();
                    near[i] += h;
                    evaluate(&graph, &symbols, &[y], &near)[0]
                };
                (8.0 * (value(1e-3) - value(-1e-3)) - (value(2e-3) - value(-2e-3))) / 12e-3
            })
            .collect();
        assert_close(&gradient, &differences, 1e-8, "gradient against differences");

        // Along one direction: forward mode, and both second orders.
        let direction = numbers(at.len(), 11);
        let mut seeds = Vec::new();
        for &x in &inputs {
            let ty = graph.type_id(graph.ty(x).clone());
            let name = format!("dot {x}");
            seeds.push((x, graph.input_of(&name, ty)));
        }
        let y_dot = jvp(&mut graph, &[y], &seeds)[0].expect("it varies");
        let over: Vec<Id> = jvp(&mut graph, &bars, &seeds).into_iter().flatten().collect();
        let back: Vec<Id> = vjp(&mut graph, &[(y_dot, one)], &inputs).into_iter().flatten().collect();
        let all: Vec<Symbol> = graph.symbols().collect();
        let point = [at.clone(), direction.clone()].concat();
        let slope: f64 = gradient.iter().zip(&direction).map(|(g, d)| g * d).sum();
        assert_close(&evaluate(&graph, &all, &[y_dot], &point), &[slope], 1e-12, "forward mode");
        let hvp = evaluate(&graph, &all, &over, &point);
        let near = |h: f64| {
            let at: Vec<f64> = at.iter().zip(&direction).map(|(x, d)| x + h * d).collect();
            evaluate(&graph, &symbols, &bars, &at)
        };
        let (p1, m1, p2, m2) = (near(1e-3), near(-1e-3), near(2e-3), near(-2e-3));
        let differences: Vec<f64> =
            (0..at.len()).map(|i| (8.0 * (p1[i] - m1[i]) - (p2[i] - m2[i])) / 12e-3).collect();
        assert_close(&hvp, &differences, 1e-8, "forward over reverse");
        assert_close(&evaluate(&graph, &all, &back, &point), &hvp, 1e-11, "reverse over forward");
    }
}

#[test]
fn a_batch_is_its_examples() {
    const SIZE: u32 = 3;
    // Which inputs differ from example to example.
    for each in [
        [true, false, false, false, false],
        [false, false, true, false, false],
        [false, false, false, true, true],
    ] {
        for backwards in [false, true] {
            let Case { mut graph, inputs, results } = case(4, backwards);
            let mut many = Vec::new();
            for (&x, &each) in inputs.iter().zip(&each) {
                if each {
                    let extents = std::iter::once(SIZE).chain(graph.shape(x).extents().iter().copied());
                    let ty = graph.type_id(Type::new(DType::F64, Shape::new(extents)));
                    many.push((x, graph.input_of(&format!("many {x}"), ty)));
                }
            }
            let one: Vec<Symbol> =
                inputs.iter().enumerate().filter_map(|(i, _)| graph.symbols().nth(i)).collect();
            let batched = batch(&mut graph, &results, &many, SIZE);
            let roots: Vec<Id> = batched.iter().map(|b| b.id()).collect();
            check(&graph, &roots, &format!("batch {each:?}"));
            let all = symbols(&graph);
            let at = numbers(size(&graph, &all), 3);
            for example in 0..SIZE as usize {
                // The point of one example: its entry where there are many.
                let mut point = Vec::new();
                let mut behind: usize = size(&graph, &one);
                for (i, &symbol) in one.iter().enumerate() {
                    let count = size(&graph, &[symbol]);
                    let start = size(&graph, &one[..i]);
                    if each[i] {
                        point.extend_from_slice(&at[behind + example * count..][..count]);
                        behind += SIZE as usize * count;
                    } else {
                        point.extend_from_slice(&at[start..start + count]);
                    }
                }
                for (batched, &result) in batched.iter().zip(&results) {
                    let expected = evaluate(&graph, &one, &[result], &point);
                    let found = evaluate(&graph, &all, &[batched.id()], &at);
                    let found = match batched {
                        Batched::Once(_) => &found[..],
                        Batched::Each(_) => &found[example * expected.len()..][..expected.len()],
                    };
                    assert_close(found, &expected, 1e-13, &format!("example {example} of {each:?}"));
                }
            }
        }
    }
}

/// Bytes of machine code of a program's gradient, over so many steps.
fn code_size(steps: u32) -> usize {
    let text = format!(
        "input xs[{steps}, 4], y\nhs = xs |> gru(8)\nz = last(hs) |> dense(1)\nloss = mse(z[0], y)\n\
         train {{ optimizer = adam(lr = 0.01), steps = 2 }}"
    );
    let program = symdiff::train::Program::read(&text, &symdiff::Limits::default()).expect("it reads");
    let mut graph = program.model().graph.clone();
    let loss = program.model().objective().expect("there is a loss").node;
    let params: Vec<Id> = program.model().params.iter().map(|p| p.node).collect();
    let one = graph.integer(1);
    let bars: Vec<Id> = vjp(&mut graph, &[(loss, one)], &params).into_iter().flatten().collect();
    let symbols = symbols(&graph);
    let function = simplify(&Function::new(graph, symbols, bars), Level::Fast, Purpose::Compute);
    TensorKernel::compile(&function, &TensorOptions::default()).expect("it compiles").code_size()
}

#[test]
fn machine_code_does_not_grow_with_steps() {
    let (few, many) = (code_size(10), code_size(1000));
    assert!(many <= few + few / 10, "{few} bytes for 10 steps, {many} for 1000");
}

#[test]
fn a_step_of_very_many_constants_has_all_their_slopes() {
    const MANY: usize = 400;
    let b = Builder::new();
    let (h, x) = (b.variable("h"), b.variable("x"));
    let mut next = h;
    for i in 0..MANY {
        next += b.variable(&format!("k{i}")) * x * (i as f64 + 1.0);
    }
    let next = (next * 1e-5).sin();
    let body = ScanBody {
        function: b.function_of(&[next, next]),
        steps: 3,
        carries: 1,
        sequences: 1,
        backwards: false,
    };
    let mut graph = Graph::new();
    let body = graph.intern_body(body);
    let mut operands = vec![graph.input("h")];
    let ty = graph.type_id(Type::new(DType::F64, Shape::new([3])));
    operands.push(graph.input_of("xs", ty));
    operands.extend((0..MANY).map(|i| graph.input(&format!("k{i}"))));
    let states = graph.scan(body, ScanResult::Emitted(0), &operands);
    let y = graph.sum(states, 1);
    let one = graph.integer(1);
    let bars: Vec<Id> = vjp(&mut graph, &[(y, one)], &operands).into_iter().flatten().collect();
    let written = graph.unrolled(&[y])[0];
    let expected: Vec<Id> = vjp(&mut graph, &[(written, one)], &operands).into_iter().flatten().collect();
    let symbols = symbols(&graph);
    let at = numbers(size(&graph, &symbols), 3);
    let found = evaluate(&graph, &symbols, &bars, &at);
    assert_close(&found, &evaluate(&graph, &symbols, &expected, &at), 1e-12, "slopes");
}
