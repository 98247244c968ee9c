//! Tapes against the interpreter, bit for bit, and when a kernel is one.

use super::jit::{Random, bits, random_dag};
use symdiff::ir::{Builder, Function, Real};
use symdiff::jit::Kernel;
use symdiff::jit::tape::Tape;
use symdiff::jit::wide::Level;
use symdiff::loops::{self, CHUNK, Program, chunk, interpret};

/// Runs a tape over rows, in memory that the rows before have used.
#[track_caller]
fn check(program: &Program, tape: &Tape, rows: &[Vec<f64>], what: &str) {
    let mut memory = tape.memory();
    for row in rows {
        let expected = interpret(program, 1, row);
        let mut found = vec![f64::NAN; expected.len()];
        tape.run(row, &mut found, &mut memory);
        assert!(
            bits(&found) == bits(&expected),
            "{what}\n   found: {found:?}\nexpected: {expected:?}\n{program}"
        );
    }
}

/// Value and gradient of a chain of terms over `x0, x1, …`, by hand, so that nothing has to be derived.
fn terms(count: usize) -> Function {
    let names: Vec<String> = (0..=count).map(|i| format!("x{i}")).collect();
    let builder = Builder::new();
    let outputs = {
        let x: Vec<_> = names.iter().map(|name| builder.variable(name)).collect();
        let mut sum = x[0];
        let mut slopes = vec![builder.constant(0.0); count + 1];
        for i in 0..count {
            let (a, b) = (1.0 - x[i], x[i + 1] - x[i] * x[i]);
            sum = sum + (a * a + 100.0 * (b * b)) + (x[i] * x[i + 1]).sin();
            slopes[i] -= 2.0 * a + 400.0 * x[i] * b;
            slopes[i + 1] += 200.0 * b;
        }
        [sum].into_iter().chain(slopes).map(|e| e.id()).collect::<Vec<_>>()
    };
    let graph = builder.into_graph();
    let inputs = names.iter().map(|name| graph.symbol(name).expect("declared")).collect();
    Function::new(graph, inputs, outputs)
}

/// `x ← a·x·(1 − x)`, so often.
fn recurrence(steps: usize) -> Function {
    let builder = Builder::new();
    let output = {
        let (a, x) = (builder.variable("a"), builder.variable("x"));
        (0..steps).fold(x, |x, _| a * x * (1.0 - x)).id()
    };
    let graph = builder.into_graph();
    let inputs = ["a", "x"].map(|name| graph.symbol(name).expect("declared")).to_vec();
    Function::new(graph, inputs, vec![output])
}

/// Products of numbers that have nothing to do with each other.
fn scattered(count: usize) -> Function {
    let names: Vec<String> = (0..count).map(|i| format!("x{i}")).collect();
    let builder = Builder::new();
    let outputs: Vec<_> = {
        let x: Vec<_> = names.iter().map(|name| builder.variable(name)).collect();
        let mut random = Random(0);
        let mut one = || x[random.below(count)];
        (0..count).map(|_| (one() * one()).id()).collect()
    };
    let graph = builder.into_graph();
    let inputs = names.iter().map(|name| graph.symbol(name).expect("declared")).collect();
    Function::new(graph, inputs, outputs)
}

#[test]
fn tapes_give_the_interpreters_bits() {
    if Level::best() == Level::L128 {
        return;
    }
    for seed in 0..400 {
        let mut random = Random(seed);
        let size = if seed % 4 == 0 { 600 } else { 1 + random.below(200) };
        let function = random_dag(&mut random, size);
        let program = loops::scheduled(&function);
        let window = [7, 40, 200, 4096][random.below(4)];
        let tape = Tape::in_windows(&program, window).expect("the machine has wide loops");
        let rows: Vec<Vec<f64>> = (0..3).map(|_| random.row(function.input_size())).collect();
        check(&program, &tape, &rows, &format!("seed {seed}, windows of {window}"));
    }
}

#[test]
fn terms_written_out_are_loops_again() {
    if Level::best() == Level::L128 {
        return;
    }
    let function = terms(700);
    let program = loops::scheduled(&function);
    let row: Vec<f64> = (0..=700).map(|i| f64::from(i * 37 % 101) / 50.0 - 1.0).collect();
    for window in [50, 333, 4096, 1 << 20] {
        let tape = Tape::in_windows(&program, window).expect("the machine has wide loops");
        check(&program, &tape, std::slice::from_ref(&row), &format!("windows of {window}"));
    }
    // Most operands lie side by side: there is little to tell about them.
    let tape = Tape::in_windows(&program, 1 << 20).expect("the machine has wide loops");
    assert!(
        tape.size() < program.inst_count(),
        "{} bytes for {} operations",
        tape.size(),
        program.inst_count()
    );
}

#[test]
fn long_kernels_are_tapes_where_they_repeat_themselves() {
    let function = terms(6_000);
    let program = loops::scheduled(&function);
    assert!(program.inst_count() > 1 << 16, "{} instructions", program.inst_count());
    assert_eq!(Tape::of(&program).is_some(), Level::best() > Level::L128);
    let kernel = Kernel::compile(&function).expect("compiles");
    let rows: Vec<f64> = (0..2 * 6_001).map(|i| f64::from(i * 37 % 101) / 50.0 - 1.0).collect();
    let mut found = vec![0.0; 2 * kernel.output_size()];
    kernel.map(2, &rows, &mut found).expect("lengths fit");
    assert_eq!(bits(&found), bits(&interpret(&program, 2, &rows)));
    // What waits for itself all the time is no tape, and neither is what is short.
    let long = loops::scheduled(&recurrence(40_000));
    assert!(long.inst_count() > 1 << 16 && Tape::of(&long).is_none());
    // Operands from all over the place take longer than they do in code.
    let scattered = loops::scheduled(&scattered(40_000));
    assert!(scattered.inst_count() > 1 << 16 && Tape::of(&scattered).is_none());
    let short = loops::scheduled(&terms(100));
    assert!(Tape::of(&short).is_none());
    assert!(Tape::of(&chunk(&program, CHUNK)).is_none(), "only what is in one piece");
}
