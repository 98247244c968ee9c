//! Wide loops against the loop interpreter, bit for bit, at each level the machine has.

use super::jit::{Random, SPECIAL, function, random_dag};
use std::process::Command;
use symdiff::elementary::{Machine, Plain, PlainSingle};
use symdiff::ir::{Elementwise, Expr, Function, Precision, Real, Selection, Single};
use symdiff::jit::tensor::TensorKernel;
use symdiff::jit::wide::{
    Assembly, Body, Element, Level, LoopKernel, Op, Pieces, SUM_LANES, Stream, Width, lower,
};
use symdiff::loops::tensor::TensorOptions;
use symdiff::loops::{self, Inst, Kind, Program};
use symdiff::{MapKernel, MapOptions};

fn levels() -> impl Iterator<Item = Level> {
    [Level::L256, Level::L512].into_iter().filter(|level| level.is_available())
}

/// A number in tests, and what its operations are.
trait Number: Element + PartialEq + std::fmt::Debug {
    fn rounded(x: f64) -> Self;
    /// One NaN for all: sign and payload of NaN are left open.
    fn bits(self) -> u64;
    /// The value of an op, computed in this precision.
    fn value(op: Elementwise, operands: &[f64]) -> f64;
}

impl Number for f64 {
    fn rounded(x: f64) -> f64 {
        x
    }

    fn bits(self) -> u64 {
        if self.is_nan() { f64::NAN.to_bits() } else { self.to_bits() }
    }

    fn value(op: Elementwise, operands: &[f64]) -> f64 {
        op.value(&mut Plain, operands)
    }
}

impl Number for f32 {
    fn rounded(x: f64) -> f32 {
        x as f32
    }

    fn bits(self) -> u64 {
        u64::from(if self.is_nan() { f32::NAN.to_bits() } else { self.to_bits() })
    }

    /// As the op says.
    fn value(op: Elementwise, operands: &[f64]) -> f64 {
        match op.single() {
            Single::Native => {
                let operands: Vec<f32> = operands.iter().map(|&x| x as f32).collect();
                f64::from(op.value(&mut PlainSingle, &operands))
            }
            Single::Widened => f64::from(op.value(&mut Plain, operands) as f32),
        }
    }
}

/// The outputs of one row, instruction by instruction.
fn evaluated<T: Number>(program: &Program, row: &[T]) -> Vec<f64> {
    let mut outputs = vec![f64::NAN; program.outputs as usize];
    let mut values: Vec<f64> = Vec::new();
    for inst in &program.nests[0].blocks[0].insts {
        let x: Vec<f64> = inst.operands().iter().map(|v| values[v.index()]).collect();
        let value = match inst {
            Inst::Constant(bits) => f64::from_bits(*bits),
            Inst::Load(address) => to_f64(row[address.offset as usize]),
            Inst::Store(address, _) => {
                outputs[address.offset as usize] = x[0];
                x[0]
            }
            Inst::Elementwise(op, _) => T::value(*op, &x),
            Inst::Selection(Selection::Select, _) => x[if x[0] != 0.0 { 1 } else { 2 }],
            Inst::Selection(Selection::Not, _) => f64::from(u8::from(x[0] == 0.0)),
            Inst::Selection(Selection::And, _) => x[0] * x[1],
            Inst::Selection(Selection::Or, _) => x[0].max(x[1]),
            Inst::Selection(op, _) => f64::from(u8::from(op.compare(x[0], x[1]))),
        };
        values.push(if inst.kind() == Kind::Number { to_f64(T::rounded(value)) } else { value });
    }
    outputs
}

fn to_f64<T: Number>(x: T) -> f64 {
    match T::PRECISION {
        Precision::F64 => f64::from_bits(x.bits()),
        Precision::F32 => f64::from(f32::from_bits(x.bits() as u32)),
    }
}

/// How outputs lie in memory: elements from a cache line to their first one, of the first output and
/// how many more of each after it.
type Skew = (usize, usize);

/// Runs the function over columns of `count` rows at each level, with stores through the caches and
/// past them: the values of the operations, bit for bit, and nothing before the start or behind the end.
#[track_caller]
fn check<T: Number>(function: &Function, count: usize, columns: &[Vec<f64>], context: &str) {
    let columns: Vec<Vec<T>> = columns.iter().map(|c| c.iter().map(|&x| T::rounded(x)).collect()).collect();
    let program = loops::schedule(&loops::lower(function));
    let row = |i: usize| columns.iter().map(|c| c[i]).collect::<Vec<T>>();
    let expected: Vec<Vec<f64>> = (0..count).map(|i| evaluated(&program, &row(i))).collect();
    for level in levels() {
        let block = &program.nests[0].blocks[0];
        let body = lower(block, &vec![Stream::Column; columns.len()], level, T::WIDTH).expect("no scratch");
        let kernel = LoopKernel::compile(body).expect("compiles");
        let skews: [Option<Skew>; 4] = [None, Some((0, 0)), Some((count % 7 + 1, 0)), Some((3, 1))];
        for skew in skews {
            let context = format!("{context}: {level} bits, lying {skew:?}");
            let outputs = run(&kernel, count, &columns, function.output_size(), skew);
            for (j, (before, output)) in outputs.iter().enumerate() {
                for i in 0..count {
                    let expected = T::rounded(expected[i][j]);
                    assert!(
                        output[i].bits() == expected.bits(),
                        "{context}, output {j} at {:?}, element {i} of {count}: {:?}, not {expected:?}\n{program}",
                        row(i),
                        output[i],
                    );
                }
                let around = before.iter().chain(&output[count..]);
                assert!(around.copied().all(|x| x == T::rounded(0.5)), "{context}: written elsewhere");
            }
        }
    }
}

/// What is before each output, and the output with what is behind; past the caches where the skew is said.
fn run<T: Number>(
    kernel: &LoopKernel,
    count: usize,
    columns: &[Vec<T>],
    outputs: usize,
    skew: Option<Skew>,
) -> Vec<(Vec<T>, Vec<T>)> {
    let (first, more) = skew.unwrap_or_default();
    let mut memory = vec![vec![T::rounded(0.5); count + 3 * 64]; outputs];
    let inputs: Vec<&[T]> = columns.iter().map(Vec::as_slice).collect();
    let starts: Vec<usize> = memory
        .iter()
        .enumerate()
        .map(|(j, memory)| memory.as_ptr().align_offset(64) + (first + j * more) % 64)
        .collect();
    let places = memory.iter_mut().zip(&starts);
    let mut slices: Vec<&mut [T]> = places.map(|(memory, &start)| &mut memory[start..]).collect();
    match skew {
        None => kernel.run(count, &inputs, &mut slices),
        Some(_) => {
            let pieces = Pieces { non_temporal: true, ..Pieces::ONE };
            kernel.run_pieces(&pieces, count, &inputs, &mut slices)
        }
    }
    .expect("lengths fit");
    let parts = memory.iter().zip(starts).map(|(memory, start)| memory.split_at(start));
    parts.map(|(before, output)| (before.to_vec(), output.to_vec())).collect()
}

/// All tuples of special values, as columns.
fn tuples(arity: usize) -> Vec<Vec<f64>> {
    let count = SPECIAL.len().pow(arity as u32);
    let column =
        |k: usize| (0..count).map(|i| SPECIAL[i / SPECIAL.len().pow(k as u32) % SPECIAL.len()]).collect();
    (0..arity).map(column).collect()
}

#[test]
fn every_elementwise_op_gives_the_interpreters_bits_in_lanes() {
    for &op in Elementwise::ALL {
        let names = &["a", "b", "c"][..op.arity()];
        let function = function(names, |b, x| vec![b.elementwise(op, x)]);
        let mut columns = tuples(op.arity());
        if op == Elementwise::Polygamma {
            let near: Vec<bool> = columns[0].iter().map(|n| n.abs() < 20.0).collect();
            for column in &mut columns {
                let mut keep = near.iter();
                column.retain(|_| *keep.next().expect("as long"));
            }
        }
        check::<f64>(&function, columns.first().map_or(3, Vec::len), &columns, op.name());
        check::<f32>(&function, columns.first().map_or(3, Vec::len), &columns, op.name());
    }
}

/// Columns of special and ordinary numbers.
fn random_columns(random: &mut Random, columns: usize, rows: usize) -> Vec<Vec<f64>> {
    let rows: Vec<Vec<f64>> = (0..rows).map(|_| random.row(columns)).collect();
    (0..columns).map(|j| rows.iter().map(|row| row[j]).collect()).collect()
}

#[test]
fn random_bodies_of_any_length_give_the_interpreters_bits() {
    for seed in 0..120 {
        let mut random = Random(seed + 50_000);
        let size = if seed % 10 == 0 { 500 } else { 1 + random.below(60) };
        let function = random_dag(&mut random, size);
        let rows = random.below(101);
        let columns = random_columns(&mut random, function.input_size(), rows);
        check::<f64>(&function, rows, &columns, &format!("seed {seed}"));
        if seed % 3 == 0 {
            check::<f32>(&function, rows, &columns, &format!("seed {seed}"));
        }
    }
}

#[test]
fn every_length_of_tail_is_right() {
    let f = function(&["x", "y"], |_, x| vec![x[0].exp() * x[1], x[0] + x[1]]);
    for rows in 0..=100 {
        let columns = random_columns(&mut Random(rows as u64), 2, rows);
        check::<f64>(&f, rows, &columns, "tails");
        check::<f32>(&f, rows, &columns, "tails");
    }
}

/// How many vectors of its first column a round of the loop loads.
fn vectors(text: &str, level: Level) -> usize {
    let f = symdiff::parse(text).expect("parses");
    let program = loops::schedule(&loops::lower(&f));
    let streams = vec![Stream::Column; f.input_size()];
    let body = lower(&program.nests[0].blocks[0], &streams, level, Width::Double).expect("no scratch");
    let assembly = LoopKernel::compile(body).expect("compiles").assembly().to_string();
    let round = assembly.split("jae").next().unwrap_or_default();
    round.matches("[r8+rax*8").count()
}

#[test]
fn rounds_have_as_many_vectors_as_registers_allow() {
    for level in levels() {
        assert_eq!(vectors("exp(x)", level), 4, "{level} bits");
        assert_eq!(vectors("gamma(x)", level), 1, "{level} bits: calls hold all registers");
    }
    let many = "x^2*y^3*z^4*w^5*(x + y + z + w)*(x - y)*(y - z)*(z - w)*sin(x)*sin(y)*sin(z)*sin(w)";
    if levels().any(|level| level == Level::L256) {
        assert!(vectors(many, Level::L256) < 4, "sixteen registers are too few");
    }
}

#[test]
fn values_that_do_not_fit_the_registers_are_spilled() {
    // All pairs of many columns: more streams, values and masks alive than there are registers.
    let names: Vec<String> = (0..40).map(|i| format!("x{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let f = function(&names, |b, x| {
        let sines: Vec<Expr> = x.iter().map(|x| x.sin()).collect();
        let less: Vec<Expr> = (0..40).map(|i| b.compare(Selection::Less, &[x[i], sines[39 - i]])).collect();
        let one_way =
            sines.iter().zip(&less).fold(b.constant(0.0), |sum, (&y, &c)| b.select(c, sum + y, sum * y));
        let other = sines
            .iter()
            .zip(&less)
            .rev()
            .fold(b.constant(0.0), |sum, (&y, &c)| b.select(c, sum * y, sum + y));
        vec![one_way, other]
    });
    let columns = random_columns(&mut Random(7), 40, 21);
    check::<f64>(&f, 21, &columns, "spills");
    check::<f32>(&f, 21, &columns, "spills");
}

/// Partial sums of x² + s, element i in number i modulo their count.
fn sums<T: Number>(level: Level, x: &[T], s: T) -> Vec<T> {
    let mut body = Body::new(level, T::WIDTH);
    let (a, b) = (body.push(Op::Load(0), T::WIDTH, &[]), body.push(Op::Uniform(1), T::WIDTH, &[]));
    let y = body.machine(T::WIDTH).fma(a, a, b);
    body.push(Op::Sum(2), T::WIDTH, &[y]);
    let kernel = LoopKernel::compile(body).expect("compiles");
    let mut sums = vec![T::rounded(-0.0); SUM_LANES];
    kernel.run(x.len(), &[x, &[s]], &mut [&mut sums]).expect("lengths fit");
    sums
}

#[test]
fn partial_sums_do_not_depend_on_the_level() {
    fn check<T: Number>(fma: fn(T, T, T) -> T, add: fn(T, T) -> T) {
        for rows in [0, 1, 5, 8, 31, 64, 65, 100, 1000] {
            let x = &random_columns(&mut Random(rows as u64), 1, rows)[0];
            let x: Vec<T> = x.iter().map(|&x| T::rounded(x)).collect();
            let s = T::rounded(0.1);
            let mut expected = vec![T::rounded(-0.0); SUM_LANES];
            for (i, &x) in x.iter().enumerate() {
                let sum = &mut expected[i % SUM_LANES];
                *sum = add(*sum, fma(x, x, s));
            }
            for level in levels() {
                let bits = |sums: &[T]| sums.iter().map(|x| x.bits()).collect::<Vec<_>>();
                assert_eq!(bits(&sums(level, &x, s)), bits(&expected), "{level} bits, {rows} rows");
            }
        }
    }
    check::<f64>(f64::mul_add, |a, b| a + b);
    check::<f32>(f32::mul_add, |a, b| a + b);
}

#[test]
fn functions_over_columns_depend_on_neither_level_nor_threads() {
    let names = ["x", "y"];
    let f = function(&names, |b, x| vec![(x[0] * x[1]).sin(), b.constant(2.0), x[0].exp() - x[1]]);
    let rows = 50_001;
    let columns = random_columns(&mut Random(3), 2, rows);
    let run = |level: Level, threads: usize| {
        let options = MapOptions { level, threads, ..MapOptions::default() };
        let kernel = MapKernel::compile(&f, &options).expect("compiles");
        let mut outputs = vec![vec![0.0; rows]; 3];
        let inputs: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let mut slices: Vec<&mut [f64]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        kernel.run(&inputs, &mut slices).expect("lengths fit");
        outputs.concat().into_iter().map(Number::bits).collect::<Vec<u64>>()
    };
    let narrow = run(Level::L128, 1);
    for level in levels() {
        for threads in [1, 2, 3] {
            assert!(run(level, threads) == narrow, "{level} bits on {threads} threads");
        }
    }
}

#[test]
fn pieces_give_what_one_run_gives() {
    let f = function(&["x", "y"], |_, x| vec![x[0] * x[1], x[0].exp() - x[1]]);
    let program = loops::schedule(&loops::lower(&f));
    let rows = 1_001;
    let columns = random_columns(&mut Random(11), 2, rows);
    let inputs: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    for level in levels() {
        let mut body = lower(&program.nests[0].blocks[0], &[Stream::Column; 2], level, Width::Double)
            .expect("no scratch");
        // The second output is summed.
        for inst in body.insts.iter_mut().filter(|inst| inst.op == Op::Store(3)) {
            inst.op = Op::Sum(3);
        }
        let kernel = LoopKernel::compile(body).expect("compiles");
        let run = |size: usize, threads: usize, non_temporal: bool| {
            let pieces = Pieces { size, threads, non_temporal };
            let mut column = vec![0.5; rows];
            let mut sums = vec![0.0; rows.div_ceil(size) * SUM_LANES];
            kernel.run_pieces(&pieces, rows, &inputs, &mut [&mut column, &mut sums]).expect("lengths fit");
            (column.into_iter().map(Number::bits).collect::<Vec<u64>>(), sums)
        };
        let (column, _) = run(rows, 1, false);
        for size in [1, 8, 100, 999, 1_000] {
            let one_by_one: Vec<f64> = (0..rows)
                .step_by(size)
                .flat_map(|start| {
                    let piece = start..rows.min(start + size);
                    let (mut column, mut sums) = (vec![0.5; piece.len()], vec![0.0; SUM_LANES]);
                    let inputs = [&inputs[0][piece.clone()], &inputs[1][piece.clone()]];
                    kernel.run(piece.len(), &inputs, &mut [&mut column, &mut sums]).expect("lengths fit");
                    sums
                })
                .collect();
            for (threads, non_temporal) in [(1, false), (2, false), (3, true), (9, true)] {
                let context = format!("{level} bits, pieces of {size} on {threads} threads");
                let (again, sums) = run(size, threads, non_temporal);
                assert!(again == column, "{context}");
                let bits = |sums: &[f64]| sums.iter().map(|&x| Number::bits(x)).collect::<Vec<u64>>();
                assert!(bits(&sums) == bits(&one_by_one), "{context}: sums");
            }
        }
    }
}

#[test]
fn more_pieces_than_there_is_room_for_are_refused() {
    for level in levels() {
        let mut body = Body::new(level, Width::Double);
        let x = body.push(Op::Uniform(0), Width::Double, &[]);
        body.push(Op::Sum(1), Width::Double, &[x]);
        let kernel = LoopKernel::compile(body).expect("compiles");
        for count in [2, usize::MAX / SUM_LANES + 2, usize::MAX] {
            let pieces = Pieces { size: 1, ..Pieces::ONE };
            let refused = kernel.run_pieces(&pieces, count, &[&[1.0]], &mut [&mut [0.0; SUM_LANES]]);
            assert!(refused.is_err(), "{level} bits, {count} elements");
        }
    }
}

#[test]
fn runs_at_the_same_time_have_threads_of_their_own() {
    let f = function(&["x"], |_, x| vec![x[0].sin()]);
    let options = MapOptions { threads: 3, ..MapOptions::default() };
    let kernel = MapKernel::compile(&f, &options).expect("compiles");
    let rows = 60_000;
    std::thread::scope(|scope| {
        for start in 0..4 {
            let kernel = &kernel;
            scope.spawn(move || {
                let x: Vec<f64> = (0..rows).map(|i| f64::from(start * 1000 + i)).collect();
                let expected: Vec<f64> =
                    x.iter().map(|&x| <f64 as Number>::value(Elementwise::Sin, &[x])).collect();
                for _ in 0..20 {
                    let mut y = vec![0.0; x.len()];
                    kernel.run(&[&x], &mut [&mut y]).expect("lengths fit");
                    assert!(y == expected, "columns from {start}");
                }
            });
        }
    });
}

#[test]
fn columns_that_do_not_fit_are_refused() {
    let f = function(&["x", "y"], |_, x| vec![x[0] + x[1]]);
    let kernel = MapKernel::compile(&f, &MapOptions::default()).expect("compiles");
    let refused = |inputs: &[&[f64]], length: usize, words: &str| {
        let mut y = vec![0.0; length];
        let error = kernel.run(inputs, &mut [&mut y]).expect_err(words).to_string();
        assert!(error.contains(words), "{error}");
    };
    refused(&[&[1.0], &[1.0, 2.0]], 1, "columns differ in length: the first has 1 numbers, input `y` has 2");
    refused(&[&[1.0], &[1.0]], 2, "output 0 has 2");
    refused(&[&[1.0]], 1, "takes 2 columns and makes 1; there are 1 and 1");
    let error = kernel.run::<f32>(&[&[1.0], &[1.0]], &mut [&mut [0.0]]).expect_err("is of doubles");
    assert!(error.to_string().contains("another precision"), "{error}");
}

/// The instructions as the system's disassembler reads the bytes.
fn disassembled(bytes: &[u8], name: &str) -> Option<Vec<String>> {
    let file = std::env::temp_dir().join(format!("symdiff-{name}-{}.bin", std::process::id()));
    std::fs::write(&file, bytes).ok()?;
    let output = Command::new("objdump")
        .args(["-D", "-b", "binary", "-m", "i386:x86-64", "-M", "intel", "--no-show-raw-insn", "-w"])
        .arg(&file)
        .output();
    let _ = std::fs::remove_file(&file);
    let text = String::from_utf8(output.ok()?.stdout).ok()?;
    let instruction = |line: &str| {
        let (address, rest) = line.trim_start().split_once(':')?;
        u64::from_str_radix(address, 16).ok()?;
        let rest = rest.split('#').next().unwrap_or_default();
        Some(rest.split_whitespace().collect::<Vec<_>>().join(" ").replace(", ", ",").replace("+0x0]", "]"))
    };
    Some(text.lines().filter_map(instruction).collect())
}

#[test]
fn an_assembler_reads_what_we_write() {
    let all = function(&["a", "b", "c"], |b, x| {
        Elementwise::ALL.iter().map(|&op| b.elementwise(op, &x[..op.arity()])).collect()
    });
    let program = loops::schedule(&loops::lower(&all));
    for (level, width) in levels().flat_map(|l| [(l, Width::Double), (l, Width::Single)]) {
        let body =
            lower(&program.nests[0].blocks[0], &[Stream::Column; 3], level, width).expect("no scratch");
        let kernel = LoopKernel::compile(body).expect("compiles");
        check_text(kernel.assembly(), &format!("{level}-{width:?}"));
    }
}

#[test]
fn an_assembler_reads_the_code_of_nests() {
    for seed in 0..8 {
        let f = super::tensor::random_function(seed);
        for (level, precision) in levels().flat_map(|l| [(l, Precision::F64), (l, Precision::F32)]) {
            let options = TensorOptions { precision, ..TensorOptions::default() };
            let program = loops::tensor::build(&f, &options).expect("lowers");
            let kernel = TensorKernel::from_program(program, &options, level).expect("compiles");
            for (at, assembly) in kernel.assemblies().expect("as when it was compiled").iter().enumerate() {
                check_text(assembly, &format!("{seed}-{at}-{level}-{precision:?}"));
            }
        }
    }
}

/// Holds code as text against what the system's disassembler reads in its bytes.
pub(super) fn check_text(assembly: &Assembly, name: &str) {
    let text = assembly.to_string();
    let Some(read) = disassembled(&assembly.bytes(), name) else {
        eprintln!("there is no objdump here: not compared");
        return;
    };
    let ours = text.lines().filter(|l| l.starts_with("    ") && !l.contains(".quad"));
    // What fills up to the head of a loop.
    let read = read.iter().filter(|line| !line.starts_with("nop") && !line.starts_with("xchg ax,ax"));
    let mut different = Vec::new();
    for (ours, read) in ours.zip(read) {
        let ours = ours.trim().replace(", ", ",");
        let (word, operands) = ours.split_once(' ').unwrap_or((&ours, ""));
        // Targets and addresses are numbers over there.
        let symbolic =
            operands.starts_with('.') || operands.contains("constants") || operands.contains("foreign");
        let same = match symbolic {
            true => read.split(' ').next() == Some(word),
            false => *read == ours,
        };
        if !same && !different.iter().any(|line: &String| line.starts_with(&format!("`{word} "))) {
            different.push(format!("`{ours}`, objdump reads `{read}`"));
        }
    }
    assert!(different.is_empty(), "{name}, we say\n{}", different.join("\n"));
}
