//! Functions over columns against C: value and derivatives of every element in one pass.
//!
//! `cargo bench --bench map` prints nanoseconds an element and the ratio to C (gcc -O3
//! -march=native -ffast-math with libmvec, built here by `cc` where there is one); `-- asm` the
//! loops as well. One thread, aligned columns; the best of several rounds, both sides in turn.

use libloading::{Library, Symbol};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};
use symdiff::ir::Precision;
use symdiff::jit::wide::{Element, Level};
use symdiff::{Derivation, MapKernel, MapOptions, Mode, Purpose, map_with, parse};

/// How long each side of a case is timed for, in all.
const STRETCH: Duration = Duration::from_millis(300);

/// Formulas, orders of derivatives, and the same in C over `REAL`.
struct Case {
    name: &'static str,
    formula: &'static str,
    order: u32,
    /// Of the inputs.
    range: (f64, f64),
}

const CASES: [Case; 4] = [
    Case { name: "softplus", formula: "log(1 + exp(x))", order: 1, range: (-20.0, 20.0) },
    Case { name: "wave", formula: "exp(-x^2)*sin(3x)", order: 2, range: (-3.0, 3.0) },
    Case { name: "rosenbrock", formula: "(1 - x)^2 + 100(y - x^2)^2", order: 1, range: (-2.0, 2.0) },
    Case {
        name: "polynomial",
        formula: "1 + x*(2 + x*(3 + x*(4 + x*(5 + x*(6 + x*(7 + x*(8 + x*9)))))))",
        order: 1,
        range: (-1.0, 1.0),
    },
];

const C: &str = r#"
#include <math.h>
#ifdef SINGLE
typedef float real;
#define F(name) name##f
#define VEXP _ZGVeN16v_expf
#define VSIN _ZGVeN16v_sinf
#define VCOS _ZGVeN16v_cosf
#else
typedef double real;
#define F(name) name
#define VEXP _ZGVeN8v_exp
#define VSIN _ZGVeN8v_sin
#define VCOS _ZGVeN8v_cos
#endif

void softplus(long n, const real *restrict x, real *restrict v, real *restrict d) {
    for (long i = 0; i < n; i++) {
        real e = F(exp)(-F(fabs)(x[i])), r = 1 / (1 + e);
        v[i] = (x[i] > 0 ? x[i] : 0) + F(log1p)(e);
        d[i] = x[i] > 0 ? r : e * r;
    }
}

#ifdef __AVX512F__
typedef real vec __attribute__((vector_size(64)));
vec VEXP(vec), VSIN(vec), VCOS(vec);
void wave(long n, const real *restrict xs, real *restrict v, real *restrict d, real *restrict dd) {
    for (long i = 0; i < n; i += 64 / sizeof(real)) {
        vec x = *(const vec *)(xs + i), e = VEXP(-x * x), s = VSIN(3 * x), c = VCOS(3 * x);
        *(vec *)(v + i) = e * s;
        *(vec *)(d + i) = e * (3 * c - 2 * x * s);
        *(vec *)(dd + i) = e * ((4 * x * x - 11) * s - 12 * x * c);
    }
}
#else
void wave(long n, const real *restrict xs, real *restrict v, real *restrict d, real *restrict dd) {
    for (long i = 0; i < n; i++) {
        real x = xs[i], e = F(exp)(-x * x), s = F(sin)(3 * x), c = F(cos)(3 * x);
        v[i] = e * s;
        d[i] = e * (3 * c - 2 * x * s);
        dd[i] = e * ((4 * x * x - 11) * s - 12 * x * c);
    }
}
#endif

void rosenbrock(long n, const real *restrict x, const real *restrict y, real *restrict v,
                real *restrict dx, real *restrict dy) {
    for (long i = 0; i < n; i++) {
        real a = 1 - x[i], b = y[i] - x[i] * x[i];
        v[i] = a * a + 100 * b * b;
        dx[i] = -2 * a - 400 * x[i] * b;
        dy[i] = 200 * b;
    }
}

void polynomial(long n, const real *restrict xs, real *restrict v, real *restrict d) {
    for (long i = 0; i < n; i++) {
        real x = xs[i];
        v[i] = 1 + x * (2 + x * (3 + x * (4 + x * (5 + x * (6 + x * (7 + x * (8 + x * 9)))))));
        d[i] = 2 + x * (6 + x * (12 + x * (20 + x * (30 + x * (42 + x * (56 + x * 72))))));
    }
}
"#;

/// The functions above, compiled.
fn opponent(precision: Precision) -> Option<Library> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let name = format!("map-{precision:?}-{}", std::process::id());
    let (source, library) = (folder.join(format!("{name}.c")), folder.join(format!("{name}.so")));
    std::fs::write(&source, C).ok()?;
    let width = if precision == Precision::F32 { "-DSINGLE" } else { "-DDOUBLE" };
    let flags =
        ["-O3", "-march=native", "-ffast-math", "-mprefer-vector-width=512", "-shared", "-fPIC", width];
    let built =
        Command::new("cc").args(flags).arg(&source).arg("-o").arg(&library).args(["-lmvec", "-lm"]).status();
    if !built.is_ok_and(|status| status.success()) {
        return None;
    }
    // SAFETY: the library is ours and runs nothing when it is loaded.
    unsafe { Library::new(&library).ok() }
}

/// Columns of one length on cache lines.
struct Columns<T> {
    memory: Vec<T>,
    start: usize,
    length: usize,
    stride: usize,
}

impl<T: Element> Columns<T> {
    fn new(count: usize, length: usize) -> Columns<T> {
        // Columns do not start at the same place of a page.
        let stride = length.next_multiple_of(64) + 64 / size_of::<T>() * 5;
        let memory = vec![T::default(); stride * count + 64];
        let start = memory.as_ptr().align_offset(64);
        Columns { memory, start, length, stride }
    }

    fn all(&mut self) -> Vec<&mut [T]> {
        let length = self.length;
        self.memory[self.start..].chunks_mut(self.stride).map_while(|c| c.get_mut(..length)).collect()
    }
}

/// Calls the C function of so many columns.
fn call<T>(library: &Library, name: &str, rows: usize, columns: &[*mut T]) {
    let name = name.as_bytes();
    let rows = rows as i64;
    // SAFETY: the C functions have these signatures, and the columns as many rows.
    unsafe {
        match *columns {
            [a, b, c] => {
                type F<T> = unsafe extern "C" fn(i64, *mut T, *mut T, *mut T);
                let f: Symbol<F<T>> = library.get(name).expect("in the source");
                f(rows, a, b, c);
            }
            [a, b, c, d] => {
                type F<T> = unsafe extern "C" fn(i64, *mut T, *mut T, *mut T, *mut T);
                let f: Symbol<F<T>> = library.get(name).expect("in the source");
                f(rows, a, b, c, d);
            }
            [a, b, c, d, e] => {
                type F<T> = unsafe extern "C" fn(i64, *mut T, *mut T, *mut T, *mut T, *mut T);
                let f: Symbol<F<T>> = library.get(name).expect("in the source");
                f(rows, a, b, c, d, e);
            }
            _ => unreachable!("no case has so many columns"),
        }
    }
}

/// Value, gradient and, of one variable, further derivatives.
fn kernel(case: &Case, options: &MapOptions) -> MapKernel {
    let f = parse(case.formula).expect("parses");
    let mode = if f.input_size() == 1 { Mode::Forward } else { Mode::Reverse };
    let derivation = Derivation { mode, purpose: Purpose::Compute, ..Derivation::default() };
    let derived = derivation.up_to(&f, case.order).expect("has derivatives");
    map_with(&derived, options).expect("compiles")
}

fn compare<T: Element>(case: &Case, rows: usize, level: Level, from: fn(f64) -> T, c: Option<&Library>) {
    let options = MapOptions { precision: T::PRECISION, level, threads: 1 };
    let before = Instant::now();
    let kernel = kernel(case, &options);
    let compile = before.elapsed();
    let (inputs, outputs) = (kernel.input_size(), kernel.output_size());
    let mut columns = Columns::<T>::new(inputs + outputs, rows);
    let mut all = columns.all();
    let (low, high) = case.range;
    for (k, column) in all[..inputs].iter_mut().enumerate() {
        for (i, x) in column.iter_mut().enumerate() {
            let share = ((i * 7919 + k * 104_729) % 10_007) as f64 / 10_007.0;
            *x = from(low + (high - low) * share);
        }
    }
    let pointers: Vec<*mut T> = all.iter_mut().map(|c| c.as_mut_ptr()).collect();
    let (mut ours, mut theirs) = (f64::INFINITY, f64::INFINITY);
    let rounds = (20_000 / rows).max(1);
    let start = Instant::now();
    while start.elapsed() < STRETCH {
        let before = Instant::now();
        for _ in 0..rounds {
            let (x, y) = all.split_at_mut(inputs);
            let x: Vec<&[T]> = x.iter().map(|x| &**x).collect();
            kernel.run(&x, y).expect("lengths fit");
        }
        ours = ours.min(before.elapsed().as_secs_f64() / rounds as f64);
        if let Some(c) = c {
            let before = Instant::now();
            (0..rounds).for_each(|_| call(c, case.name, rows, &pointers));
            theirs = theirs.min(before.elapsed().as_secs_f64() / rounds as f64);
        }
    }
    let each = |seconds: f64| seconds * 1e9 / rows as f64;
    println!(
        "{:12} {:?} {level} bits N = {rows:8}: {:7.3} ns, C {:7.3} ns, ratio {:5.2}; compiled in {compile:?}",
        case.name,
        T::PRECISION,
        each(ours),
        each(theirs),
        ours / theirs
    );
    if std::env::args().any(|a| a == "asm") && rows < 10_000 {
        println!("{}", kernel.assembly().unwrap_or_default());
    }
}

fn main() {
    let (double, single) = (opponent(Precision::F64), opponent(Precision::F32));
    let only: Vec<String> = std::env::args().skip(1).filter(|a| CASES.iter().any(|c| c.name == a)).collect();
    for level in [Level::L512, Level::L256, Level::L128].into_iter().filter(|l| l.is_available()) {
        for rows in [4096, 1_000_000] {
            for case in CASES.iter().filter(|c| only.is_empty() || only.iter().any(|o| o == c.name)) {
                compare::<f64>(case, rows, level, |x| x, double.as_ref());
            }
            for case in CASES[..2].iter().filter(|c| only.is_empty() || only.iter().any(|o| o == c.name)) {
                compare::<f32>(case, rows, level, |x| x as f32, single.as_ref());
            }
        }
    }
}
