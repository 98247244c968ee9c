//! Matrix products of constant shape against the `gemm` crate and OpenBLAS.
//!
//! `cargo bench --bench products -- [NAME…] [asm]` prints GFLOP/s of each, and our time over the best
//! of the others; `asm` the code as well. One thread, data in the caches as it will; the best of
//! several rounds, all sides in turn. OpenBLAS is `libopenblas.so.0`, where there is one.

use gemm::{Parallelism, gemm};
use libloading::{Library, Symbol};
use std::time::{Duration, Instant};
use symdiff::ir::Precision;
use symdiff::jit::product::generate;
use symdiff::jit::tensor::TensorKernel;
use symdiff::jit::wide::{Element, Level};
use symdiff::loops::tensor::{Buffer, BufferId, Matrix, Product, Step, TensorOptions, TensorProgram};

/// How long each side of a case is timed for, in all.
const STRETCH: Duration = Duration::from_millis(200);

/// Names the processor to OpenBLAS.
const CORE: &str = "OPENBLAS_CORETYPE";

/// How the factors lie: which of them by columns.
#[derive(Clone, Copy, PartialEq)]
enum Lay {
    /// a·b
    Plain,
    /// a·bᵀ: terms side by side in both.
    Right,
    /// aᵀ·b
    Left,
}

use Lay::{Left, Plain, Right};
use Precision::{F32, F64};

/// A name, rows, columns, terms, and how factors lie.
struct Case(&'static str, Precision, [usize; 3], Lay);

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case("small",      F64, [8, 8, 8],          Plain),
    Case("small-t",    F64, [8, 8, 8],          Right),
    Case("xor",        F64, [4, 8, 2],          Right),
    Case("xor-back",   F64, [8, 2, 4],          Left),
    Case("vector",     F64, [64, 1, 64],        Plain),
    Case("vector-t",   F64, [64, 1, 64],        Left),
    Case("outer",      F64, [64, 64, 1],        Plain),
    Case("middle",     F64, [64, 128, 64],      Plain),
    Case("middle",     F32, [64, 128, 64],      Plain),
    Case("wide",       F32, [64, 64, 128],      Plain),
    Case("digits-1",   F32, [64, 128, 64],      Right),
    Case("digits-2",   F32, [64, 10, 128],      Right),
    Case("digits-dx",  F32, [64, 128, 10],      Plain),
    Case("digits-dw2", F32, [10, 128, 64],      Left),
    Case("digits-dw1", F32, [128, 64, 64],      Left),
    Case("mnist",      F32, [256, 512, 512],    Plain),
    Case("mnist-t",    F32, [256, 512, 512],    Right),
    Case("mnist-dw",   F32, [512, 512, 256],    Left),
    Case("mnist-dw1",  F32, [512, 784, 256],    Left),
    Case("large",      F32, [1024, 1024, 1024], Plain),
    Case("large",      F64, [1024, 1024, 1024], Plain),
];

/// Row and column strides of the left and the right factor.
fn strides(&Case(_, _, [_, n, k], lay): &Case, m: usize) -> [[usize; 2]; 2] {
    [if lay == Left { [1, m] } else { [k, 1] }, if lay == Right { [1, k] } else { [n, 1] }]
}

/// A kernel that computes the product once.
fn kernel(case: &Case) -> (TensorKernel, usize) {
    let &Case(_, precision, size, _) = case;
    let [m, n, k] = size;
    let line = 128 / if precision == F32 { 4 } else { 8 };
    let mut offset = 0;
    let buffers = [m * k, k * n, m * n].map(|size| {
        let buffer = Buffer { size, offset };
        offset = (offset + size).next_multiple_of(line);
        buffer
    });
    let [left, right] = strides(case, m);
    let matrix = |buffer: u32, [row, column]: [usize; 2]| Matrix {
        buffer: BufferId::new(buffer),
        offset: 0,
        row: row as i64,
        column: column as i64,
    };
    let product = Product {
        size,
        to: matrix(2, [n, 1]),
        left: matrix(0, left),
        right: matrix(1, right),
        outer: Vec::new(),
    };
    let program = TensorProgram {
        arena: offset,
        buffers: buffers.to_vec(),
        inputs: vec![BufferId::new(0), BufferId::new(1)],
        outputs: vec![BufferId::new(2)],
        steps: vec![Step::Product(product.clone())],
    };
    let code = generate(&product, &program.buffers, precision, Level::best(), None);
    if let Some(code) = code.as_ref().filter(|_| std::env::args().any(|arg| arg == "asm")) {
        println!("{}", code.assembly());
    }
    let options = TensorOptions { precision, ..TensorOptions::default() };
    let kernel = TensorKernel::from_program(program, &options, Level::best()).expect("compiles");
    (kernel, code.map_or(0, |code| code.assembly().bytes().len()))
}

/// The best time of each side, in turn, for so many nanoseconds in all.
fn best<const N: usize>(mut sides: [&mut dyn FnMut(); N]) -> [f64; N] {
    let mut best = [f64::MAX; N];
    let mut spent = Duration::ZERO;
    let mut times = [1u32; N];
    while spent < STRETCH * N as u32 {
        for (at, side) in sides.iter_mut().enumerate() {
            let start = Instant::now();
            (0..times[at]).for_each(|_| side());
            let took = start.elapsed();
            spent += took;
            best[at] = best[at].min(took.as_secs_f64() / f64::from(times[at]));
            // Rounds of some 100 µs: short enough to be undisturbed now and then.
            times[at] = (1e-4 / best[at]).clamp(1.0, 1e6) as u32;
        }
    }
    best
}

/// `cblas_sgemm` or `cblas_dgemm`: order, transpositions, sizes, and matrices with their strides.
type Blas<T> =
    unsafe extern "C" fn(i32, i32, i32, i32, i32, i32, T, *const T, i32, *const T, i32, T, *mut T, i32);

/// The `gemm` crate's way.
fn by_gemm<T: Element>(case: &Case, a: &[T], b: &[T], c: &mut [T], [zero, one]: [T; 2]) {
    let [m, n, k] = case.2;
    let [left, right] = strides(case, m).map(|strides| strides.map(|s| s as isize));
    let (a, b, c, row) = (a.as_ptr(), b.as_ptr(), c.as_mut_ptr(), n as isize);
    let [(a_row, a_column), (b_row, b_column)] = [left, right].map(|[row, column]| (row, column));
    let (no, one_thread) = (false, Parallelism::None);
    // SAFETY: the matrices are as large as the strides say.
    unsafe {
        #[rustfmt::skip]
        gemm(
            m, n, k, c, 1, row, no, a, a_column, a_row, b, b_column, b_row, zero, one, no, no, no, one_thread,
        );
    }
}

/// OpenBLAS's way.
fn by_blas<T: Element>(blas: &Blas<T>, case: &Case, a: &[T], b: &[T], c: &mut [T], [zero, one]: [T; 2]) {
    let &Case(_, _, size, lay) = case;
    let [left, right] = strides(case, size[0]).map(|[row, column]| row.max(column) as i32);
    let [m, n, k] = size.map(|n| n as i32);
    let turned = |turned: bool| if turned { 112 } else { 111 };
    let (a_turned, b_turned) = (turned(lay == Left), turned(lay == Right));
    let (a, b, c) = (a.as_ptr(), b.as_ptr(), c.as_mut_ptr());
    // SAFETY: as above; the symbol has this signature.
    unsafe { blas(101, a_turned, b_turned, m, n, k, one, a, left, b, right, zero, c, n) }
}

fn measure<T: Element + Into<f64>>(case: &Case, blas: Option<Symbol<Blas<T>>>, numbers: [T; 2]) {
    let [m, n, k] = case.2;
    let (kernel, bytes) = kernel(case);
    let mut workspace = kernel.workspace();
    for (input, count) in [m * k, k * n].into_iter().enumerate() {
        let values: Vec<f64> = (0..count).map(|i| ((i * 37 + 11) % 17) as f64 / 8.0 - 1.0).collect();
        workspace.set(input, &values).expect("the lengths agree");
    }
    let [a, b] = [0, 1].map(|i| T::input(&mut workspace, i).expect("of this precision").to_vec());
    let (mut c, mut d) = (vec![numbers[0]; m * n], vec![numbers[0]; m * n]);
    let mut ours = || kernel.run(&mut workspace);
    let mut theirs = || by_gemm(case, &a, &b, &mut c, numbers);
    let mut others = || {
        if let Some(blas) = &blas {
            by_blas(blas, case, &a, &b, &mut d, numbers);
        }
    };
    let times = best([&mut ours, &mut theirs, &mut others]);
    let result = T::output(&workspace, 0).expect("of this precision");
    let far = |(&x, &y): (&T, &T)| (x.into() - y.into()).abs() > 1e-3 * k as f64;
    assert!(!result.iter().zip(&c).any(far), "{}: results differ", case.0);
    print(case, times, blas.is_some(), bytes);
}

/// The line of a case.
fn print(&Case(name, precision, [m, n, k], _): &Case, times: [f64; 3], has_blas: bool, bytes: usize) {
    let [ours, theirs, blas] = times;
    let rate = |time: f64| format!("{:7.1}", 2e-9 * (m * n * k) as f64 / time);
    let blas_rate = if has_blas { rate(blas) } else { format!("{:>7}", '-') };
    let ratio = ours / if has_blas { theirs.min(blas) } else { theirs };
    print!("{name:11} {precision:?} {m:4}·{n:4}·{k:4} {:12.1} ns  {} GFLOP/s", ours * 1e9, rate(ours));
    println!("  gemm {}  OpenBLAS {blas_rate}  time/best {ratio:5.2}  {bytes:6} bytes", rate(theirs));
}

fn main() {
    let names: Vec<String> =
        std::env::args().skip(1).filter(|arg| !arg.starts_with('-') && arg != "asm").collect();
    if Level::best_available() == Level::L512 && std::env::var_os(CORE).is_none() {
        // It takes processors newer than itself for very old ones.
        // SAFETY: there are no other threads yet.
        unsafe { std::env::set_var(CORE, "SKYLAKEX") };
    }
    // SAFETY: the library runs its own initialisation only.
    let library = unsafe { Library::new("libopenblas.so.0") }.ok();
    if let Some(library) = &library {
        // SAFETY: the function takes a number of threads.
        unsafe {
            if let Ok(set) = library.get::<unsafe extern "C" fn(i32)>(b"openblas_set_num_threads") {
                set(1);
            }
        }
    }
    println!("{} bits", Level::best());
    for case in CASES.iter().filter(|case| names.is_empty() || names.iter().any(|name| name == case.0)) {
        match case.1 {
            // SAFETY: the symbols have these signatures.
            F32 => measure(
                case,
                unsafe { library.as_ref().and_then(|l| l.get(b"cblas_sgemm").ok()) },
                [0f32, 1.0],
            ),
            F64 => measure(
                case,
                unsafe { library.as_ref().and_then(|l| l.get(b"cblas_dgemm").ok()) },
                [0f64, 1.0],
            ),
        }
    }
}
