//! Generated matrix products against the interpreter, at each level the machine has.

use super::jit::Random;
use super::wide::check_text;
use symdiff::ir::Precision;
use symdiff::jit::product::generate;
use symdiff::jit::tensor::TensorKernel;
use symdiff::jit::wide::Level;
use symdiff::loops::tensor::{
    Buffer, BufferId, Matrix, Product, Step, TensorOptions, TensorProgram, interpret, verify,
};

/// What factors are filled with.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fill {
    /// Small whole numbers: every sum is exact.
    Whole,
    Any,
    /// With a few infinities and NaNs.
    Special,
}

/// A program of one product over three buffers, and the values of its factors.
struct Case {
    program: TensorProgram,
    inputs: Vec<f64>,
    fill: Fill,
}

/// A matrix in a buffer of its own, and how long that is.
fn lay(random: &mut Random, buffer: u32, rows: usize, columns: usize) -> (Matrix, usize) {
    let (pad, step) = (random.below(4), if random.below(6) == 0 { 2 } else { 1 });
    let by_rows = random.below(2) == 0;
    let inner = if by_rows { columns } else { rows };
    let far = (inner * step + pad) as i64;
    let (row, column) = if by_rows { (far, step as i64) } else { (step as i64, far) };
    let size = (rows as i64 - 1) * row + (columns as i64 - 1) * column + 1;
    (Matrix { buffer: BufferId::new(buffer), offset: 0, row, column }, size as usize)
}

impl Case {
    fn random(random: &mut Random, size: [usize; 3], fill: Fill, loops: usize) -> Case {
        let [m, n, k] = size;
        let (to, to_size) = lay(random, 2, m, n);
        let (left, left_size) = lay(random, 0, m, k);
        let (right, right_size) = lay(random, 1, k, n);
        let mut sizes = [to_size, left_size, right_size];
        let mut outer = Vec::new();
        for _ in 0..loops {
            let extent = 1 + random.below(3);
            // Factors may be the same ones in every round.
            let moves = [true, random.below(3) > 0, random.below(3) > 0];
            let strides = [0, 1, 2].map(|i| if moves[i] { sizes[i] as i64 } else { 0 });
            (0..3).filter(|&i| moves[i]).for_each(|i| sizes[i] *= extent);
            outer.insert(0, (extent as u32, strides));
        }
        Case::new(random, Product { size, to, left, right, outer }, sizes, fill)
    }

    fn new(random: &mut Random, product: Product, [to, left, right]: [usize; 3], fill: Fill) -> Case {
        let mut offset = 0;
        let buffers = [left, right, to].map(|size| {
            let buffer = Buffer { size, offset };
            offset = (offset + size).next_multiple_of(8);
            buffer
        });
        let program = TensorProgram {
            arena: offset,
            buffers: buffers.to_vec(),
            inputs: vec![BufferId::new(0), BufferId::new(1)],
            outputs: vec![BufferId::new(2)],
            steps: vec![Step::Product(product)],
        };
        assert_eq!(verify(&program), Ok(()), "{program}");
        let mut value = || match (fill, random.below(40)) {
            (Fill::Whole, _) => random.below(7) as f64 - 3.0,
            (Fill::Special, 0) => [f64::NAN, f64::INFINITY, f64::NEG_INFINITY][random.below(3)],
            _ => f64::from((random.below(4_000_001) as f64 / 1e6 - 2.0) as f32),
        };
        let inputs = (0..left + right).map(|_| value()).collect();
        Case { program, inputs, fill }
    }

    /// What the kernel leaves in the result's buffer, which was zero.
    fn run(&self, precision: Precision, level: Level, threads: usize) -> Vec<f64> {
        let options = TensorOptions { precision, threads, ..TensorOptions::default() };
        let kernel = TensorKernel::from_program(self.program.clone(), &options, level).expect("compiles");
        let mut workspace = kernel.workspace();
        let (left, right) = self.inputs.split_at(self.program.buffers[0].size);
        workspace.set(0, left).expect("the lengths agree");
        workspace.set(1, right).expect("the lengths agree");
        kernel.run(&mut workspace);
        let mut result = vec![f64::NAN; self.program.buffers[2].size];
        workspace.get(0, &mut result).expect("the lengths agree");
        result
    }

    /// Runs it at each level, against the interpreter.
    fn check(&self, what: &str) {
        for precision in [Precision::F32, Precision::F64] {
            let expected = interpret(&self.program, precision, &self.inputs);
            let sizes: Vec<f64> = self.inputs.iter().map(|x| x.abs()).collect();
            let sizes = interpret(&self.program, precision, &sizes);
            let written = interpret(&self.program, precision, &vec![0.0; self.inputs.len()]);
            let unit = if precision == Precision::F32 { 1.2e-7 } else { 2.3e-16 };
            let Step::Product(product) = &self.program.steps[0] else { panic!("a product") };
            let terms = product.size[2] as f64;
            let levels = Level::ALL.into_iter().filter(|level| level.is_available());
            let results: Vec<Vec<f64>> = levels.map(|level| self.run(precision, level, 1)).collect();
            for (level, result) in results.iter().enumerate() {
                for (at, (&found, &expected)) in result.iter().zip(&expected).enumerate() {
                    let close = || (found - expected).abs() <= (terms + 2.0) * unit * sizes[at];
                    let right = match self.fill {
                        _ if written[at].is_nan() => found == 0.0,
                        _ if found == expected || found.is_nan() && expected.is_nan() => true,
                        Fill::Whole => false,
                        _ => close(),
                    };
                    let bits = Level::ALL[level];
                    assert!(
                        right,
                        "{what}, {precision:?}, {bits} bits, element {at}: {found}, not {expected}\n{}",
                        self.program
                    );
                }
            }
            // 256 and 512 bits: the same sums in the same order.
            let bits = |result: &[f64]| -> Vec<u64> {
                result.iter().map(|x| if x.is_nan() { 0 } else { x.to_bits() }).collect()
            };
            let same = results[1..].windows(2).all(|pair| bits(&pair[0]) == bits(&pair[1]));
            assert!(same, "{what}, {precision:?}: the level changes the result\n{}", self.program);
        }
    }
}

/// A generator that says its seed.
fn seeded(seed: u64) -> (Random, String) {
    (Random(seed), format!("seed {seed}"))
}

#[test]
fn products_of_all_shapes_are_the_interpreters() {
    for seed in 0..300 {
        let (mut random, what) = seeded(seed);
        let most = [3, 9, 20, 40][random.below(4)];
        let size = [0; 3].map(|_| 1 + random.below(most));
        let fill = [Fill::Whole, Fill::Any, Fill::Special][random.below(3)];
        let loops = [0, 0, 1, 2][random.below(4)];
        Case::random(&mut random, size, fill, loops).check(&what);
    }
}

#[test]
fn an_assembler_reads_the_products_we_write() {
    let mut random = Random(0);
    let levels = [Level::L256, Level::L512];
    let mut read = 0;
    for (at, size) in
        [[8, 8, 8], [9, 37, 19], [2, 30, 700], [64, 70, 10]].into_iter().cycle().take(16).enumerate()
    {
        let case = Case::random(&mut random, size, Fill::Any, at % 3);
        let Step::Product(product) = &case.program.steps[0] else { panic!("a product") };
        for (level, precision) in levels.iter().flat_map(|&l| [(l, Precision::F32), (l, Precision::F64)]) {
            // There is none where the result lies apart in memory.
            let Some(generated) = generate(product, &case.program.buffers, precision, level, None) else {
                continue;
            };
            read += 1;
            check_text(&generated.assembly(), &format!("product-{at}-{level}-{precision:?}"));
        }
    }
    assert!(read > 40, "{read} codes are not enough to tell");
}

#[test]
fn sums_of_several_blocks_are_the_interpreters() {
    for (seed, size) in [(1, [3, 2, 700]), (2, [40, 33, 257]), (3, [1, 70, 1030]), (4, [30, 1, 2049])] {
        for turn in 0..4 {
            let (mut random, what) = seeded(seed * 10 + turn);
            Case::random(&mut random, size, Fill::Any, 0).check(&what);
        }
    }
}

#[test]
fn partial_sums_that_wait_for_more_terms_are_the_interpreters() {
    for (seed, [m, n, k]) in [(1, [10, 10, 1000]), (2, [5, 13, 777]), (3, [16, 16, 1600]), (4, [7, 3, 3001])]
    {
        let (mut random, what) = seeded(seed);
        // Terms lie side by side in both factors.
        let matrix = |buffer, row, column| Matrix { buffer: BufferId::new(buffer), offset: 0, row, column };
        let (to, left, right) = (matrix(2, n as i64, 1), matrix(0, k as i64, 1), matrix(1, 1, k as i64));
        let outer = vec![(2, [(m * n) as i64, (m * k) as i64, 0])];
        let product = Product { size: [m, n, k], to, left, right, outer };
        let case = Case::new(&mut random, product.clone(), [2 * m * n, 2 * m * k, n * k], Fill::Any);
        case.check(&what);
        for precision in [Precision::F32, Precision::F64] {
            let code = generate(&product, &case.program.buffers, precision, Level::best(), None);
            let Some(code) = code.map(|code| code.assembly().to_string()) else { continue };
            assert!(code.contains("push rbp") && !code.contains("vbroadcast"), "{what}: sums do not wait");
        }
    }
}

#[test]
fn threads_and_pieces_change_nothing() {
    for (seed, size, loops) in [(1, [90, 170, 130], 0), (2, [300, 10, 400], 0), (3, [60, 60, 150], 2)] {
        let (mut random, what) = seeded(seed);
        let case = Case::random(&mut random, size, Fill::Any, loops);
        case.check(&what);
        let level = Level::best();
        let one = case.run(Precision::F32, level, 1);
        assert_eq!(one, case.run(Precision::F32, level, 3), "{what}");
    }
}
