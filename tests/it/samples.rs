//! Random numbers, points and expressions, the same on every machine, with the edges of floats and
//! of domains among them.

use std::f64::consts::{FRAC_PI_2, PI};

/// Edges of domains, kinks, places where functions saturate, signed zeros, the ends of the floats.
#[rustfmt::skip]
pub const EDGES: [f64; 45] = [
    0.0, -0.0, 5e-324, -5e-324, 2.3e-308, -2.3e-308, 1e-200, 1e-30, -1e-30, 1e-16, -1e-16, 1e-9, -1e-9, 1e-3,
    0.25, -0.25, 0.5, -0.5, 0.999_999_999_999, 1.0, -1.0, 1.000_000_000_001, FRAC_PI_2,
    PI, 1.7, -1.7, 2.0, -2.0, 3.0, -3.0, 8.0, -8.0, 20.0, -20.0, 36.7, -36.7, 50.0, -50.0,
    708.0, -708.0, 800.0, -800.0, 1e6, 1e17, -1e17,
];

/// Numbers near the ends of all floats: products of two overflow or vanish.
const FAR: [f64; 8] = [1e155, -1e155, 1e200, 1e300, -1e300, 1.797e308, -1.797e308, 3e-320];

const ABNORMAL: [f64; 3] = [f64::INFINITY, f64::NEG_INFINITY, f64::NAN];

/// A small generator of numbers, the same on every machine.
pub struct Random(pub u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() >> 33) as usize % n
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number of one of several kinds: an edge, moderate, of any size, whole.
    pub fn number(&mut self) -> f64 {
        match self.below(10) {
            0 | 1 => self.pick(&EDGES),
            2 => self.pick(&FAR),
            3 => self.below(9) as f64 - 4.0,
            4 => {
                let any = f64::from_bits(self.next());
                if any.is_finite() { any } else { 0.0 }
            }
            5 => (self.unit() * 2.0 - 1.0) * 10f64.powi(self.below(16) as i32 - 8),
            _ => self.unit() * 12.0 - 6.0,
        }
    }
}

/// Points for so many letters: all edges in order first, then random ones; now and then two
/// coordinates nearly the same.
pub fn points(letters: usize, count: usize, random: &mut Random) -> Vec<Vec<f64>> {
    let mut all: Vec<Vec<f64>> = Vec::with_capacity(count);
    if letters == 1 {
        all.extend(EDGES.iter().chain(&FAR).map(|&x| vec![x]));
    }
    all.truncate(count);
    while all.len() < count {
        let mut point: Vec<f64> = (0..letters).map(|_| random.number()).collect();
        if letters > 1 && random.below(6) == 0 {
            point[1] = point[0] * (1.0 + [0.0, 1e-15, -1e-9, -2.0][random.below(4)]);
        }
        if random.below(40) == 0 {
            let at = random.below(letters);
            point[at] = random.pick(&ABNORMAL);
        }
        all.push(point);
    }
    all
}

/// Cases of a short test, unless `SYMDIFF_CASES` says otherwise.
pub fn cases(usual: usize) -> usize {
    crate::tally::number("SYMDIFF_CASES", usual)
}

/// Expressions like those people write, with parts that come again.
pub fn expression(random: &mut Random, depth: usize, parts: &mut Vec<String>) -> String {
    const FUNCTIONS: [&str; 24] = [
        "sin",
        "cos",
        "tan",
        "exp",
        "log",
        "sqrt",
        "abs",
        "tanh",
        "sigmoid",
        "cosh",
        "sinh",
        "atan",
        "asin",
        "log1p",
        "expm1",
        "softplus",
        "relu",
        "cbrt",
        "erf",
        "sign",
        "log_sigmoid",
        "acos",
        "sech",
        "exp2",
    ];
    if depth == 0 {
        return random.pick(&["x", "y", "x", "y", "1", "2", "3", "1/2", "0.1", "7"]).to_owned();
    }
    if !parts.is_empty() && random.below(4) == 0 {
        return random.pick(&parts.iter().map(String::as_str).collect::<Vec<_>>()).to_owned();
    }
    let below = random.below(depth);
    let a = expression(random, depth - 1, parts);
    let text = match random.below(14) {
        0..6 => {
            let b = expression(random, below, parts);
            format!("({a} {} {b})", random.pick(&["+", "-", "*", "/", "+", "*"]))
        }
        6..9 => format!("{}({a})", random.pick(&FUNCTIONS)),
        9 => {
            let b = expression(random, below, parts);
            format!("{}({a}, {b})", random.pick(&["max", "min", "hypot"]))
        }
        10 => {
            let (b, c) = (expression(random, below, parts), expression(random, below, parts));
            format!("if({a} {} {b}, {c}, {a})", random.pick(&["<", "<=", "==", "!="]))
        }
        _ => format!("({a})^({})", random.pick(&["2", "2", "3", "-1", "-2", "1/2", "-1/2", "0", "4", "3/2"])),
    };
    parts.push(text.clone());
    text
}
