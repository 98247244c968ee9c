//! Wide loops against the loop interpreter, bit for bit, at each level the machine has.

use std::process::Command;
use symdiff::ir::{Builder, Elementwise, Expr, Function, Id};
use symdiff::jit::wide::{Level, LoopKernel, Stream, Width, lower};
use symdiff::loops::{self, interpret};

/// Where ops have their special cases.
#[rustfmt::skip]
const SPECIAL: [f64; 30] = [
    0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 2.5, -2.5, 10.0, 1e-3, 3.14, -3.14, 0.1, 700.0, -745.2, 1e5,
    1e16, 1e300, -1e300, 5e-324, 2.3e-308, f64::MAX, f64::MIN, f64::INFINITY, f64::NEG_INFINITY, f64::NAN,
];

fn levels() -> impl Iterator<Item = Level> {
    [Level::L256, Level::L512].into_iter().filter(|level| level.is_available())
}

/// Bits, with one NaN for all: sign and payload of NaN are left open.
fn bits(x: f64) -> u64 {
    if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() }
}

fn function(names: &[&str], f: impl for<'g> FnOnce(&'g Builder, &[Expr<'g>]) -> Vec<Expr<'g>>) -> Function {
    let builder = Builder::new();
    let outputs: Vec<Id> = {
        let inputs: Vec<Expr> = names.iter().map(|name| builder.variable(name)).collect();
        f(&builder, &inputs).iter().map(|y| y.id()).collect()
    };
    let graph = builder.into_graph();
    let inputs = names.iter().map(|name| graph.symbol(name).expect("declared")).collect();
    Function::new(graph, inputs, outputs)
}

/// Runs the function over columns at each level: the interpreter's bits, and nothing behind the end.
#[track_caller]
fn check(function: &Function, columns: &[Vec<f64>]) {
    let count = columns.first().map_or(3, Vec::len);
    let program = loops::schedule(&loops::lower(function));
    let rows: Vec<f64> = (0..count).flat_map(|i| columns.iter().map(move |c| c[i])).collect();
    let expected = interpret(&program, count, &rows);
    let width = function.output_size();
    for level in levels() {
        let block = &program.nests[0].blocks[0];
        let streams = vec![Stream::Column; columns.len()];
        let body = lower(block, &streams, level, Width::Double).expect("no scratch");
        let kernel = LoopKernel::compile(body).expect("compiles");
        let mut outputs = vec![vec![0.5; count + 1]; width];
        let inputs: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let mut slices: Vec<&mut [f64]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        kernel.run(count, &inputs, &mut slices).expect("lengths fit");
        for (j, output) in outputs.iter().enumerate() {
            for i in 0..count {
                let (actual, expected) = (output[i], expected[i * width + j]);
                let row: Vec<f64> = columns.iter().map(|c| c[i]).collect();
                assert!(
                    bits(actual) == bits(expected),
                    "{level} bits, output {j} at {row:?}, element {i} of {count}: {actual:?}, not {expected:?}\n{program}\n{}",
                    kernel.assembly()
                );
            }
            assert_eq!(output[count], 0.5, "written behind the end");
        }
    }
}

/// All tuples of special values, as columns.
fn tuples(arity: usize) -> Vec<Vec<f64>> {
    let count = SPECIAL.len().pow(arity as u32);
    let column = |k: usize| (0..count).map(|i| SPECIAL[i / SPECIAL.len().pow(k as u32) % SPECIAL.len()]).collect();
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
        check(&function, &columns);
    }
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
        let body = lower(&program.nests[0].blocks[0], &[Stream::Column; 3], level, width).expect("no scratch");
        let kernel = LoopKernel::compile(body).expect("compiles");
        let assembly = kernel.assembly();
        let text = assembly.to_string();
        let Some(read) = disassembled(&assembly.bytes(), &format!("{level}-{width:?}")) else {
            eprintln!("there is no objdump here: not compared");
            return;
        };
        let ours = text.lines().filter(|l| l.starts_with("    ") && !l.contains(".quad"));
        let mut different = Vec::new();
        for (ours, read) in ours.zip(&read) {
            let ours = ours.trim().replace(", ", ",");
            let (word, operands) = ours.split_once(' ').unwrap_or((&ours, ""));
            // Targets and addresses are numbers over there.
            let symbolic = operands.starts_with('.') || operands.contains("constants") || operands.contains("foreign");
            let same = match symbolic {
                true => read.split(' ').next() == Some(word),
                false => *read == ours,
            };
            if !same && !different.iter().any(|line: &String| line.starts_with(&format!("`{word} "))) {
                different.push(format!("`{ours}`, objdump reads `{read}`"));
            }
        }
        assert!(different.is_empty(), "{level} bits, we say\n{}", different.join("\n"));
    }
}
