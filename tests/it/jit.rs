//! Machine code against the two interpreters, bit for bit, and what a kernel promises its callers.

use std::f64::consts::PI;
use symdiff::ir::{Builder, Elementwise, Expr, Function, Id, Real, Selection, eval::evaluate};
use symdiff::jit::{Kernel, clif};
use symdiff::loops::{self, Buffer, Inst, Program, Value, interpret, lower, verify};

/// Where ops have their special cases.
#[rustfmt::skip]
pub(super) const SPECIAL: [f64; 30] = [
    0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 2.5, -2.5, 10.0, 1e-3, PI, -PI, 0.1, 700.0, -745.2, 1e5,
    1e16, 1e300, -1e300, 5e-324, 2.3e-308, f64::MAX, f64::MIN, f64::INFINITY, f64::NEG_INFINITY, f64::NAN,
];

/// Bits, with one NaN for all: sign and payload of NaN are left open.
pub(super) fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|x| if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() }).collect()
}

#[track_caller]
fn assert_same(actual: &[f64], expected: &[f64], context: impl std::fmt::Display) {
    assert!(bits(actual) == bits(expected), "{context}\n  actual: {actual:?}\nexpected: {expected:?}");
}

/// Runs the function on each row in all engines, which must agree; returns the outputs.
#[track_caller]
pub(super) fn check(function: &Function, rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let lowered = lower(function);
    let program = loops::build(function);
    assert_eq!(verify(&program), Ok(()), "{program}");
    let kernel = Kernel::compile(function).expect("compiles");
    assert_eq!((kernel.input_size(), kernel.output_size()), (function.input_size(), function.output_size()));
    let mut all = Vec::new();
    for row in rows {
        let expected = evaluate(lowered.graph(), lowered.inputs(), lowered.outputs(), row);
        assert_same(&interpret(&program, 1, row), &expected, format!("loop IR at {row:?}"));
        let mut outputs = vec![0.5; kernel.output_size()];
        kernel.call(row, &mut outputs).expect("lengths fit");
        assert_same(&outputs, &expected, format!("machine code at {row:?}"));
        all.push(outputs);
    }
    let mut mapped = vec![0.5; rows.len() * kernel.output_size()];
    kernel.map(rows.len(), &rows.concat(), &mut mapped).expect("lengths fit");
    assert_same(&mapped, &all.concat(), "map is repeated call");
    all
}

pub(super) fn function(
    names: &[&str],
    f: impl for<'g> FnOnce(&'g Builder, &[Expr<'g>]) -> Vec<Expr<'g>>,
) -> Function {
    let builder = Builder::new();
    let outputs: Vec<Id> = {
        let inputs: Vec<Expr> = names.iter().map(|name| builder.variable(name)).collect();
        f(&builder, &inputs).iter().map(|y| y.id()).collect()
    };
    let graph = builder.into_graph();
    let inputs = names.iter().map(|name| graph.symbol(name).expect("declared")).collect();
    Function::new(graph, inputs, outputs)
}

/// All tuples of special values.
fn tuples(arity: usize) -> Vec<Vec<f64>> {
    let mut tuples = vec![Vec::new()];
    for _ in 0..arity {
        let longer = |t: &Vec<f64>| SPECIAL.map(|x| [t.as_slice(), &[x]].concat());
        tuples = tuples.iter().flat_map(longer).collect();
    }
    tuples
}

#[test]
fn every_elementwise_op_gives_the_interpreters_bits() {
    for &op in Elementwise::ALL {
        let names = &["a", "b", "c"][..op.arity()];
        let function = function(names, |b, x| vec![b.elementwise(op, x)]);
        let mut rows = tuples(op.arity());
        if op == Elementwise::Polygamma {
            rows.retain(|row| row[0].abs() < 20.0);
        }
        check(&function, &rows);
    }
}

/// A call of the op for each of the values, the others after it as further operands.
fn calls<'g>(b: &'g Builder, op: Elementwise, x: &[Expr<'g>]) -> Vec<Expr<'g>> {
    let operands = |i: usize| (0..op.arity()).map(|k| x[(i + k) % x.len()]).collect::<Vec<_>>();
    (0..x.len()).map(|i| b.elementwise(op, &operands(i))).collect()
}

/// Calls that do not wait for each other are made at once, and those that wait for them after.
#[test]
fn calls_side_by_side_give_the_bits_of_single_calls() {
    let names: Vec<String> = (0..17).map(|i| format!("x{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for ops in Elementwise::ALL.chunks(4) {
        let ops = ops.iter().filter(|op| **op != Elementwise::Polygamma && op.arity() > 0);
        let f = function(&names, |b, x| {
            let mut outputs = vec![x[0]];
            for &op in ops {
                let first = calls(b, op, x);
                outputs.extend(calls(b, op, &first));
                outputs.push(first[1] - first[2] * x[3]);
            }
            outputs
        });
        let mut random = Random(1);
        check(&f, &(0..30).map(|_| random.row(names.len())).collect::<Vec<_>>());
    }
}

#[test]
fn every_selection_op_gives_the_interpreters_bits() {
    for &op in Selection::ALL {
        let function = function(&["a", "b", "c"], |b, x| {
            let truths =
                [b.compare(Selection::Less, &[x[0], x[1]]), b.compare(Selection::LessEqual, &[x[1], x[2]])];
            match op {
                Selection::Select => vec![b.select(truths[0], x[1], x[2])],
                Selection::And | Selection::Or => vec![b.compare(op, &truths)],
                Selection::Not => vec![b.compare(op, &truths[..1])],
                _ => vec![b.compare(op, &x[..2])],
            }
        });
        check(&function, &tuples(3));
    }
}

/// A small generator of our own, so that a seed means the same DAG for ever (SplitMix64).
pub(super) struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(super) fn row(&mut self, length: usize) -> Vec<f64> {
        (0..length)
            .map(|_| {
                if self.below(8) == 0 { SPECIAL[self.below(SPECIAL.len())] } else { self.unit() * 4.0 - 2.0 }
            })
            .collect()
    }
}

/// A DAG of about `size` nodes with operands near and far, truth values among them.
pub(super) fn random_dag(random: &mut Random, size: usize) -> Function {
    let inputs = 1 + random.below(6);
    let names: Vec<String> = (0..inputs).map(|i| format!("x{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    function(&names, |b, x| {
        let mut numbers = x.to_vec();
        let mut truths = vec![b.compare(Selection::Less, &[x[0], b.constant(0.5)])];
        for _ in 0..size {
            let number = |r: &mut Random| {
                let reach = if r.below(4) == 0 { numbers.len() } else { numbers.len().min(10) };
                numbers[numbers.len() - 1 - r.below(reach)]
            };
            match random.below(20) {
                0 => numbers.push(b.constant(random.unit() * 3.0 - 1.0)),
                1 => {
                    let op = Selection::ALL[random.below(4)];
                    truths.push(b.compare(op, &[number(random), number(random)]));
                }
                2 => {
                    let (p, q) = (truths[random.below(truths.len())], truths[truths.len() - 1]);
                    let op = [Selection::And, Selection::Or, Selection::Not][random.below(3)];
                    truths.push(b.compare(op, &[p, q][..op.arity()]));
                }
                3 => {
                    let condition = truths[random.below(truths.len())];
                    numbers.push(b.select(condition, number(random), number(random)));
                }
                4 => {
                    let exponent = [2.0, 3.0, -1.0, 0.5, -2.0, 1.5, 7.0][random.below(7)];
                    numbers.push(b.elementwise(Elementwise::Pow, &[number(random), b.constant(exponent)]));
                }
                5 => numbers.push(number(random) / b.constant([2.0, 8.0, 3.0][random.below(3)])),
                6..=8 => {
                    let op = Elementwise::ALL[random.below(Elementwise::ALL.len())];
                    let operands: Vec<Expr> = (0..op.arity()).map(|_| number(random)).collect();
                    // Orders of polygamma that are not small whole numbers are slow, not wrong.
                    if op != Elementwise::Polygamma {
                        numbers.push(b.elementwise(op, &operands));
                    }
                }
                _ => {
                    let op = [Elementwise::Add, Elementwise::Mul, Elementwise::Sub][random.below(3)];
                    numbers.push(b.elementwise(op, &[number(random), number(random)]));
                }
            }
        }
        let mut outputs: Vec<Expr> =
            (0..random.below(8)).map(|_| numbers[random.below(numbers.len())]).collect();
        outputs.push(numbers[numbers.len() - 1]);
        outputs.push(truths[truths.len() - 1]);
        outputs
    })
}

#[test]
fn random_graphs_give_the_interpreters_bits() {
    for seed in 0..1000 {
        let mut random = Random(seed);
        let size = if seed % 4 == 0 { 600 } else { 1 + random.below(200) };
        let function = random_dag(&mut random, size);
        let rows: Vec<Vec<f64>> = (0..3).map(|_| random.row(function.input_size())).collect();
        check(&function, &rows);
    }
}

#[test]
fn any_chunk_length_computes_the_same() {
    for seed in 0..200 {
        let mut random = Random(seed + 10_000);
        let function = random_dag(&mut random, 200);
        let row = random.row(function.input_size());
        let whole = loops::schedule(&lower(&function));
        let limit = 3 + random.below(30);
        let chunked = loops::chunk(&whole, limit);
        assert_eq!(verify(&chunked), Ok(()), "seed {seed}");
        assert!(chunked.nests[0].blocks.len() > 3 || whole.inst_count() <= 4 * limit, "seed {seed}");
        let expected = interpret(&whole, 1, &row);
        assert_same(&interpret(&chunked, 1, &row), &expected, seed);
        let kernel = Kernel::from_program(&chunked).expect("compiles");
        let mut outputs = vec![0.0; kernel.output_size()];
        kernel.call(&row, &mut outputs).expect("lengths fit");
        assert_same(&outputs, &expected, seed);
    }
}

#[test]
fn vectors_are_laid_out_row_major() {
    let builder = Builder::new();
    let (outputs, inputs) = {
        let (x, y, one) = (builder.vector("x", 3), builder.variable("y"), builder.vector("one", 1));
        let doubled = x + x;
        let dot = builder.contract(x, doubled, 1);
        (vec![doubled.id(), (dot * y).id(), one.id(), y.id()], ["x", "y", "one"])
    };
    let graph = builder.into_graph();
    let inputs = inputs.iter().map(|name| graph.symbol(name).expect("declared")).collect();
    let function = Function::new(graph, inputs, outputs);
    let results = check(&function, &[vec![1.0, 2.0, 3.0, 10.0, 7.0]]);
    assert_eq!(results[0], [2.0, 4.0, 6.0, 280.0, 7.0, 10.0]);
}

#[test]
fn a_contraction_of_two_numbers_is_their_product() {
    let product = function(&["x", "y"], |b, x| vec![b.contract(x[0], x[1], 0)]);
    assert_eq!(check(&product, &[vec![3.0, 4.0]]), [[12.0]]);
}

#[test]
fn no_inputs_and_no_outputs_are_functions_too() {
    let constant = function(&[], |b, _| vec![b.constant(2.0).log(), b.constant(2.0).log() / b.constant(3.0)]);
    let results = check(&constant, &[vec![]]);
    assert_eq!(results[0][0], std::f64::consts::LN_2);
    let nothing = function(&["x"], |_, _| vec![]);
    check(&nothing, &[vec![1.0]]);
    Kernel::compile(&function(&[], |_, _| vec![]))
        .expect("compiles")
        .call(&[], &mut [])
        .expect("lengths fit");
}

#[test]
fn undeclared_inputs_are_nan() {
    let open = function(&["x", "y"], |_, v| vec![v[0] + v[1], v[1]]);
    let x = open.inputs()[0];
    check(&open.with_inputs(vec![x]), &[vec![1.0]]);
}

#[test]
fn wrong_lengths_are_errors_that_name_both() {
    let kernel = Kernel::compile(&function(&["x", "y"], |_, v| vec![v[0] * v[1]])).expect("compiles");
    let mut out = [0.0; 4];
    let said = |result: Result<(), symdiff::Error>| {
        let error = result.expect_err("lengths do not fit");
        assert!(error.is_input());
        error.to_string()
    };
    insta::assert_snapshot!(said(kernel.call(&[1.0], &mut out[..1])), @"the kernel takes 2 numbers, 1 were given");
    insta::assert_snapshot!(said(kernel.call(&[1.0, 2.0], &mut out[..3])), @"the kernel makes 1 numbers, there is room for 3");
    insta::assert_snapshot!(said(kernel.map(3, &[0.0; 5], &mut out[..3])), @"the kernel takes 2 numbers in each of 3 rows, 5 were given");
    insta::assert_snapshot!(said(kernel.map(usize::MAX, &[0.0; 6], &mut out[..3])).replace(&usize::MAX.to_string(), "MAX"), @"the kernel takes 2 numbers in each of MAX rows, 6 were given");
    assert_eq!(out, [0.0; 4]);
    kernel.map(0, &[], &mut []).expect("no rows are rows");
}

/// A value and its reverse-mode gradient in shape: the second half reads the first backwards.
fn there_and_back(length: usize) -> Function {
    function(&["x", "y"], |b, v| {
        let mut chain = vec![v[0]];
        for i in 0..length {
            let last = chain[i];
            let next = if i % 3 == 0 { last * v[1] } else { last + v[0] * b.constant((i % 7) as f64 / 8.0) };
            chain.push(if i % 50 == 0 { next.sin() } else { next });
        }
        let back = chain.iter().rev().fold(b.constant(1.0), |bar, &x| bar * v[1] + x);
        vec![chain[length], back]
    })
}

#[test]
fn large_kernels_compile_and_agree() {
    let function = there_and_back(33_000);
    assert!(loops::build(&function).inst_count() > 100_000);
    check(&function, &[vec![0.3, 0.7], vec![-1.1, 0.95], vec![f64::NAN, 1.0]]);
}

#[test]
fn threads_share_a_kernel() {
    for length in [10, 4000] {
        let function = there_and_back(length);
        let kernel = Kernel::compile(&function).expect("compiles");
        let expected = |row: &[f64; 2]| interpret(&loops::build(&function), 1, row);
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (kernel, expected) = (&kernel, &expected);
                scope.spawn(move || {
                    let row = [0.1 * f64::from(thread), 0.9];
                    let expected = expected(&row);
                    for _ in 0..2000 {
                        let mut outputs = [0.0; 2];
                        kernel.call(&row, &mut outputs).expect("lengths fit");
                        assert_same(&outputs, &expected, thread);
                    }
                });
            }
        });
    }
}

/// Measured in a process of its own, where no other test allocates meanwhile.
#[cfg(target_os = "linux")]
#[test]
fn dropped_kernels_give_their_memory_back() {
    const ALONE: &str = "SYMDIFF_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let this = std::env::current_exe().expect("a test runs from a file");
        let name = std::thread::current().name().expect("tests are named").to_owned();
        let child = std::process::Command::new(this).args(["--exact", &name]).env(ALONE, "1").output();
        let child = child.expect("starts");
        let said = String::from_utf8_lossy(&child.stdout).into_owned();
        assert!(child.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let resident = || {
        let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux has it");
        statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).expect("a number of pages") * 4
    };
    let function = there_and_back(40);
    let compile = |n: usize| (0..n).for_each(|_| drop(Kernel::compile(&function).expect("compiles")));
    compile(200);
    let before = resident();
    compile(2000);
    // A leaked page a kernel would be 8000 KiB.
    let grown = resident().saturating_sub(before);
    assert!(grown < 1000, "{grown} KiB more after 2000 kernels");
}

#[test]
fn programs_print_as_text() {
    let function = function(&["x", "y"], |b, v| {
        let below = b.compare(Selection::Less, &[v[0], v[1]]);
        vec![b.select(below, v[0].sin(), b.constant(2.0).log() * v[1]), v[1]]
    });
    insta::assert_snapshot!(loops::build(&function), @r"
    program inputs=2 outputs=2 scratch=0
    rows
      b0:
        v0 = load inputs[0 + 2*row]
        v1 = load inputs[1 + 2*row]
        v2 = lt v0, v1
        v3 = sin v0
        v4 = const 0.6931471805599453
        v5 = mul v4, v1
        v6 = select v2, v3, v5
        store outputs[0 + 2*row], v6
        store outputs[1 + 2*row], v1
    ");
    let clif = clif(&function).expect("compiles");
    let names: Vec<&str> = clif.lines().map(str::trim).filter(|line| line.contains('%')).collect();
    insta::assert_snapshot!(names.join("\n").replace("system_v", "C"), @r"
    function %kernel(i64, i64, i64, i64) C {
    fn0 = %symdiff_sin sig0
    ");
}

#[test]
fn the_verifier_sees_seeded_faults() {
    let function = there_and_back(300);
    let sound = loops::build(&function);
    assert_eq!(verify(&sound), Ok(()));
    let broken = |fault: &dyn Fn(&mut Program)| {
        let mut program = sound.clone();
        fault(&mut program);
        let fact = verify(&program).expect_err("a seeded fault");
        assert!(Kernel::from_program(&program).is_err_and(|e| e.is_internal()));
        fact.rsplit(": ").next().unwrap_or_default().to_owned()
    };
    let first = |program: &mut Program, is: &dyn Fn(&Inst) -> bool| -> (usize, usize) {
        let blocks = &program.nests[0].blocks;
        let found =
            blocks.iter().enumerate().find_map(|(b, block)| Some((b, block.insts.iter().position(is)?)));
        found.expect("there is one")
    };
    let address = |program: &mut Program, buffer: Buffer, change: &dyn Fn(&mut loops::Address)| {
        let (b, i) = first(program, &|inst| match inst {
            Inst::Load(a) | Inst::Store(a, _) => a.buffer == buffer,
            _ => false,
        });
        match &mut program.nests[0].blocks[b].insts[i] {
            Inst::Load(a) | Inst::Store(a, _) => change(a),
            _ => {}
        }
    };
    let facts = [
        broken(&|p| address(p, Buffer::Inputs, &|a| a.offset = 2)),
        broken(&|p| address(p, Buffer::Inputs, &|a| a.stride = 1)),
        broken(&|p| address(p, Buffer::Inputs, &|a| a.buffer = Buffer::Outputs)),
        broken(&|p| address(p, Buffer::Scratch, &|a| a.offset = u32::MAX)),
        broken(&|p| address(p, Buffer::Scratch, &|a| a.buffer = Buffer::Inputs)),
        broken(&|p| p.scratch = 0),
        broken(&|p| p.outputs += 1),
        broken(&|p| p.nests[0].blocks.swap(0, 1)),
        broken(&|p| {
            let (b, i) = first(p, &|inst| matches!(inst, Inst::Elementwise(..)));
            p.nests[0].blocks[b].insts[i].operands_mut()[0] = Value::new(i);
        }),
        broken(&|p| {
            let (b, i) = first(p, &|inst| matches!(inst, Inst::Elementwise(Elementwise::Fma, _)));
            if let Inst::Elementwise(op, _) = &mut p.nests[0].blocks[b].insts[i] {
                *op = Elementwise::Neg;
            }
        }),
    ];
    insta::assert_snapshot!(facts.join("\n"), @r"
    the address is past the end of its buffer
    the stride is not the row's length
    outputs are not read
    the address is past the end of its buffer
    the stride is not the row's length
    the address is past the end of its buffer
    the stride is not the row's length
    reads scratch nobody wrote
    an operand does not come before its user
    wrong number of operands
    ");
}

#[test]
fn a_difference_from_a_negative_is_a_sum() {
    let f = symdiff::parse("x - (-y) - (-(2*y))").expect("it parses");
    for engine in [symdiff::Engine::Jit, symdiff::Engine::Interpreter] {
        let evaluator = symdiff::Evaluator::new(&f, engine, symdiff::Level::None).expect("it compiles");
        let mut found = [0.0];
        evaluator.call(&[1.0, 10.0], &mut found).expect("the lengths agree");
        assert_eq!(found, [31.0], "{engine:?}");
    }
}
