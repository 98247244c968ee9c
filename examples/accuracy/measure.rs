//! Measuring: a row's function over arguments, at every level the machine has.
//!
//! What must stay true: results that differ between the levels, or from the plain machine's, are a
//! fault, whatever their error.

use super::table::{Draw, Row};
use symdiff::elementary::{Plain, PlainSingle};
use symdiff::ir::{Builder, Elementwise, Function, Precision, Single};
use symdiff::jit::wide::{Element, Level};
use symdiff::{MapKernel, MapOptions};

/// The largest error found, and where.
#[derive(Clone, Debug, Default)]
pub struct Worst {
    pub error: f64,
    pub at: Vec<f64>,
}

impl Worst {
    fn take(&mut self, error: f64, at: &[f64]) {
        if error > self.error {
            *self = Worst { error, at: at.to_vec() };
        }
    }
}

/// Random numbers: xorshift64* (Vigna, 2016).
pub struct Random(pub u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn share(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / 2_f64.powi(53)
    }

    fn sign(&mut self) -> f64 {
        if self.bits() >> 63 == 1 { -1.0 } else { 1.0 }
    }

    fn draw(&mut self, draw: Draw) -> f64 {
        let scale = |random: &mut Random, low: i32, high: i32| {
            let exponent = low + (random.share() * f64::from(high - low)) as i32;
            random.sign() * (1.0 + random.share()) * 2_f64.powi(exponent)
        };
        match draw {
            Draw::U(low, high) => low + (high - low) * self.share(),
            Draw::S(low, high) => scale(self, low, high),
            Draw::N(centre) => centre + scale(self, -54, -2),
            Draw::Any => f64::from_bits(self.bits()),
            Draw::Turns => {
                let size = (self.share() * 60.0) as u32;
                self.sign() * (self.bits() >> (63 - size)) as f64 * std::f64::consts::FRAC_PI_4
            }
        }
    }

    /// Arguments of a row's function, rounded to single precision where that is asked for.
    pub fn arguments(&mut self, row: &Row, precision: Precision) -> Vec<f64> {
        loop {
            let draw = row.draws[(self.bits() % row.draws.len() as u64) as usize];
            let argument = |random: &mut Random, at: usize| {
                let x = match (row.op, at) {
                    (Elementwise::Pow, 1) => random.draw(Draw::U(-40.0, 40.0)),
                    (Elementwise::Polygamma, 0) => 1.0,
                    _ => random.draw(draw),
                };
                if precision == Precision::F32 { f64::from(x as f32) } else { x }
            };
            let x: Vec<f64> = (0..row.op.arity()).map(|at| argument(self, at)).collect();
            if is_inside(row, &x) {
                return x;
            }
        }
    }
}

/// True where the row says something of the function.
pub fn is_inside(row: &Row, x: &[f64]) -> bool {
    let inside = |x: &f64| x.is_finite() && *x != 0.0 && *x > row.domain.0 && *x < row.domain.1;
    match row.op {
        Elementwise::Pow => inside(&x[0]) && x[1].is_finite(),
        _ => x.iter().all(inside),
    }
}

/// The function of one op.
pub fn function(op: Elementwise) -> Function {
    let builder = Builder::new();
    let names = ["a", "b", "c"];
    let inputs: Vec<_> = names[..op.arity()].iter().map(|name| builder.variable(name)).collect();
    builder.function(builder.elementwise(op, &inputs))
}

/// A row's function compiled for every level.
pub struct Levels {
    op: Elementwise,
    kernels: Vec<MapKernel>,
}

impl Levels {
    pub fn new(op: Elementwise, precision: Precision) -> Levels {
        let function = function(op);
        let levels = Level::ALL.into_iter().rev().filter(|level| level.is_available());
        let kernel = |level| {
            let options = MapOptions { precision, level, ..MapOptions::default() };
            MapKernel::compile(&function, &options).expect("one op compiles")
        };
        Levels { op, kernels: levels.map(kernel).collect() }
    }

    /// The values of columns, which all levels and the plain machine must agree on.
    pub fn values<T: Number>(&self, columns: &[Vec<T>]) -> Vec<T> {
        let inputs: Vec<&[T]> = columns.iter().map(Vec::as_slice).collect();
        let rows = columns[0].len();
        let mut all = self.kernels.iter().map(|kernel| {
            let mut y = vec![T::default(); rows];
            kernel.run(&inputs, &mut [&mut y]).expect("columns fit");
            (kernel.level(), y)
        });
        let (_, first) = all.next().expect("128 bits are always there");
        for (level, other) in all {
            for i in 0..rows {
                assert!(first[i].same(other[i]), "{} differs at {level} bits, row {i}", self.op.name());
            }
        }
        // Rust calls the C library for fma where the compiler may not use it: a sample is enough.
        for i in (0..rows).step_by(rows / 1000 + 1) {
            let x: Vec<T> = columns.iter().map(|c| c[i]).collect();
            assert!(first[i].same(T::plain(self.op, &x)), "{}: the interpreter differs", self.op.name());
        }
        first
    }

    /// The values of the widest level alone.
    pub fn widest<T: Number>(&self, columns: &[Vec<T>]) -> Vec<T> {
        let inputs: Vec<&[T]> = columns.iter().map(Vec::as_slice).collect();
        let mut y = vec![T::default(); columns[0].len()];
        self.kernels[0].run(&inputs, &mut [&mut y]).expect("columns fit");
        y
    }
}

/// A number, and an op's value on the plain machine.
pub trait Number: Element {
    fn same(self, other: Self) -> bool;
    fn plain(op: Elementwise, x: &[Self]) -> Self;
}

impl Number for f64 {
    fn same(self, other: f64) -> bool {
        self.to_bits() == other.to_bits() || self.is_nan() && other.is_nan()
    }

    fn plain(op: Elementwise, x: &[f64]) -> f64 {
        op.value(&mut Plain, x)
    }
}

impl Number for f32 {
    fn same(self, other: f32) -> bool {
        self.to_bits() == other.to_bits() || self.is_nan() && other.is_nan()
    }

    fn plain(op: Elementwise, x: &[f32]) -> f32 {
        if op.single() == Single::Native {
            return op.value(&mut PlainSingle, x);
        }
        let x: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
        op.value(&mut Plain, &x) as f32
    }
}

/// The error of double precision at `count` random points.
pub fn double(row: &Row, count: usize, random: &mut Random) -> Worst {
    let points: Vec<Vec<f64>> = (0..count).map(|_| random.arguments(row, Precision::F64)).collect();
    let column = |at: usize| points.iter().map(|p| p[at]).collect::<Vec<f64>>();
    let columns: Vec<Vec<f64>> = (0..row.op.arity()).map(column).collect();
    let values = Levels::new(row.op, Precision::F64).values(&columns);
    let mut worst = Worst::default();
    for (x, y) in points.iter().zip(values) {
        worst.take((row.truth)(x).error(y), x);
    }
    worst
}

/// The error of single precision against double: at every `stride`-th bit pattern, or as many random
/// pairs.
pub fn single(row: &Row, stride: u32, random: &mut Random) -> Worst {
    const BLOCK: usize = 1 << 14;
    let (kernels, truths) = (Levels::new(row.op, Precision::F32), Levels::new(row.op, Precision::F64));
    let (mut worst, mut next, mut blocks) = (Worst::default(), Some(0_u32), 0);
    while next.is_some() {
        let mut columns = vec![Vec::with_capacity(BLOCK); row.op.arity()];
        while let Some(bits) = next
            && columns[0].len() < BLOCK
        {
            let x = match row.op.arity() {
                1 => vec![f64::from(f32::from_bits(bits))],
                _ => random.arguments(row, Precision::F32),
            };
            if is_inside(row, &x) {
                columns.iter_mut().zip(x).for_each(|(column, x)| column.push(x as f32));
            }
            next = bits.checked_add(stride);
        }
        // That all levels agree is seen on every sixteenth block; the widest does the rest.
        let values = match blocks % 16 {
            0 => kernels.values(&columns),
            _ => kernels.widest(&columns),
        };
        blocks += 1;
        let wide: Vec<Vec<f64>> = columns.iter().map(|c| c.iter().map(|&x| f64::from(x)).collect()).collect();
        for (i, (y, t)) in values.iter().zip(truths.widest(&wide)).enumerate() {
            let error = error_in_single(*y, t);
            if error > worst.error {
                worst.take(error, &wide.iter().map(|c| c[i]).collect::<Vec<_>>());
            }
        }
    }
    worst
}

/// How far `y` is from `truth`, in units of the last place of singles.
pub fn error_in_single(y: f32, truth: f64) -> f64 {
    let nearest = truth as f32;
    if nearest.is_nan() || y.is_nan() {
        return if nearest.is_nan() && y.is_nan() { 0.0 } else { f64::INFINITY };
    }
    if nearest.is_infinite() || y.is_infinite() {
        let near = |x: f32| x.is_infinite() || x.abs() == f32::MAX;
        let same = near(y) && near(nearest) && y.is_sign_negative() == nearest.is_sign_negative();
        return if same { 0.0 } else { f64::INFINITY };
    }
    let size = nearest.abs();
    // Below a power of two the spacing is half of that above.
    let unit = match truth.abs() < f64::from(size) || size == f32::MAX {
        true => size - size.next_down(),
        false => size.next_up() - size,
    };
    (f64::from(y) - truth).abs() / f64::from(unit)
}
