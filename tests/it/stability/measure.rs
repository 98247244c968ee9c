//! Stability and accuracy of functions and their first two derivatives over all floats, against high
//! precision.
//!
//! What must stay true: only the façade is used; the truth is that of the unsimplified function and
//! of its unsimplified derivatives, in [`symdiff::precise`], which shares nothing with the functions
//! under test.

#![allow(dead_code, reason = "the page, the tests and the scoreboard use different parts")]

use super::rows::{Draw, ROWS, Row};
use crate::tally::Tally;
use symdiff::ir::Precision;
use symdiff::precise::{Precise, Stuck, Value};
use symdiff::{Derivation, Function, Level, MapOptions, Purpose, map_with, parse};

/// Derivatives to this order are measured.
const ORDER: usize = 2;

/// A change of an argument in its last place may move a well-conditioned result by so many.
const CONDITION: f64 = 2.0;

/// Where they move it further, its error may be so many times that.
const ROUNDINGS: f64 = 4.0;

/// Random numbers: xorshift64* (Vigna, 2016).
pub struct Random(pub u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.bits() >> 11) as usize % n
    }

    fn share(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / 2_f64.powi(53)
    }
}

/// Numbers in whose neighbourhood something happens: kinks, ends of ranges, and where exponentials
/// overflow, underflow or stop to count, in single and double precision.
#[rustfmt::skip]
const NEAR: [f64; 22] = [
    0.0, 1.0, 0.5, 2.0, 3.0, 6.0, std::f64::consts::LN_2, std::f64::consts::FRAC_PI_2, std::f64::consts::PI,
    16.6355, 20.0, 36.7368, 87.3365, 88.7228, 103.9721, 708.3964, 709.7827, 745.1332, 1e3, 1e8, 1e16, 1e200,
];

/// The two formats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Format {
    F64,
    F32,
}

impl Format {
    fn digits(self) -> i64 {
        if self == Format::F64 { 53 } else { 24 }
    }

    fn least(self) -> i64 {
        if self == Format::F64 { -1074 } else { -149 }
    }

    fn largest(self) -> f64 {
        if self == Format::F64 { f64::MAX } else { f64::from(f32::MAX) }
    }

    /// An argument whose exponential is in range, with room.
    fn exponent(self) -> f64 {
        if self == Format::F64 { 650.0 } else { 80.0 }
    }

    /// The smallest normal number.
    fn normal(self) -> f64 {
        if self == Format::F64 { f64::MIN_POSITIVE } else { f64::from(f32::MIN_POSITIVE) }
    }

    fn round(self, x: f64) -> f64 {
        if self == Format::F64 { x } else { f64::from(x as f32) }
    }

    /// The next number of the format.
    fn next(self, x: f64) -> f64 {
        if self == Format::F64 { x.next_up() } else { f64::from((x as f32).next_up()) }
    }
}

impl Draw {
    fn one(self, format: Format, random: &mut Random) -> f64 {
        let exponents = format.digits() - format.least();
        let anything = |random: &mut Random| match random.below(8) {
            0 => match format {
                Format::F64 => f64::from_bits(random.bits()),
                Format::F32 => f64::from(f32::from_bits(random.bits() as u32)),
            },
            1 | 2 => {
                let exponent = random.below(2 * exponents as usize) as i64 - exponents;
                let sign = if random.below(2) == 0 { 1.0 } else { -1.0 };
                sign * (1.0 + random.share()) * 2_f64.powi(exponent as i32)
            }
            3 | 4 => 100.0 * random.share() - 50.0,
            5 => 3.0 * random.share() - 1.5,
            6 => {
                let centre = NEAR[random.below(NEAR.len())];
                let sign = if random.below(2) == 0 { 1.0 } else { -1.0 };
                let away = (random.share() - 0.5) * 2_f64.powi(-(random.below(54) as i32));
                sign * (centre + centre.max(1.0) * away)
            }
            _ => {
                let specials = [
                    0.0,
                    -0.0,
                    format.largest(),
                    -format.largest(),
                    f64::INFINITY,
                    f64::NEG_INFINITY,
                    1.0,
                    -1.0,
                ];
                let smallest = 2_f64.powi(format.least() as i32);
                match random.below(specials.len() + 2) {
                    i if i < specials.len() => specials[i],
                    i if i == specials.len() => smallest,
                    _ => -smallest,
                }
            }
        };
        let x = match self {
            Draw::Any => anything(random),
            Draw::Positive => anything(random).abs(),
            Draw::Class => random.below(2) as f64,
            Draw::Squared | Draw::Cubed => {
                let (largest, x) = (format.largest(), anything(random));
                let root = if self == Draw::Squared { largest.sqrt() / 8.0 } else { largest.cbrt() / 8.0 };
                let x = if x.abs() > root { x.signum() * root * random.share() } else { x };
                if x.abs() < 1.0 / root { 0.0 } else { x }
            }
            Draw::Middle => anything(random).clamp(-format.exponent() / 4.0, format.exponent() / 4.0),
            Draw::Exponent => anything(random).clamp(-format.exponent(), format.exponent()),
            Draw::Share => 1e-6 + random.share() * 0.999,
            Draw::Whole => 2.0 + random.below(11) as f64,
            Draw::Degrees => (random.below(1 << 21) as f64 - f64::from(1 << 20)) / 4.0,
            Draw::Unit => match random.below(6) {
                0 => 2_f64.powi(-(random.below(exponents as usize) as i32)),
                1 => 1.0 - 2_f64.powi(-(random.below(format.digits() as usize + 1) as i32)),
                2 => random.below(2) as f64,
                _ => random.share(),
            },
        };
        // Sums and doubles of two numbers are still in range.
        let x = if x.is_finite() { x.clamp(-format.largest() / 4.0, format.largest() / 4.0) } else { x };
        format.round(if x.is_nan() { 0.5 } else { x })
    }
}

/// A point of a row; in rows of several arguments some are related.
pub fn point(row: &Row, format: Format, random: &mut Random) -> Vec<f64> {
    let mut point: Vec<f64> = row.draws.iter().map(|draw| draw.one(format, random)).collect();
    // Of several arguments one is infinite at most.
    if point.iter().filter(|x| x.is_infinite()).count() > 1 {
        point[1..].iter_mut().for_each(|x| *x = if x.is_infinite() { 1.0 } else { *x });
    }
    if row.draws.len() > 1
        && point.iter().all(|x| x.is_finite())
        && row.draws.iter().all(|draw| *draw == Draw::Any)
    {
        let away = 1.0 + 2_f64.powi(-(random.below(format.digits() as usize) as i32));
        match random.below(6) {
            0 => point[1] = point[0],
            1 => point[1] = -point[0],
            2 => point[1] = format.round(point[0] * away),
            _ => {}
        }
    }
    point
}

/// What was found of one row in one format, by order of the derivative.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Results compared, and those whose truth could not be told or is undefined.
    pub compared: [usize; ORDER + 1],
    pub undecided: usize,
    /// Gradients not held to the bound, because a last place of an argument moves them too far.
    pub ill: [usize; ORDER + 1],
    pub worst: [f64; ORDER + 1],
    pub at: [Vec<f64>; ORDER + 1],
    pub failures: Vec<String>,
    pub failed: usize,
}

/// One judgement of a result.
enum Verdict {
    Error(f64),
    /// Not finite, where the truth is; or a number where it is undefined.
    Wrong,
    Undecided,
}

fn judge(truth: &Result<Value, Stuck>, y: f64, order: usize, format: Format, inside: bool) -> Verdict {
    let value = match truth {
        Ok(value) => value,
        // Derivatives stand at kinks for what is not there; values may not.
        Err(Stuck::Undefined) if order == 0 && inside && y.is_finite() => return Verdict::Wrong,
        Err(_) => return Verdict::Undecided,
    };
    let ball = match value {
        Value::Infinite { .. } if y.is_finite() => return Verdict::Wrong,
        Value::Infinite { .. } => return Verdict::Error(0.0),
        Value::Finite(ball) => ball,
    };
    let top = ball.exponent().unwrap_or(format.least());
    let unit = (top - format.digits()).max(format.least());
    let last = 2_f64.powi(unit.min(1000) as i32);
    if unit > 1000 - format.digits() && top > 1024 || ball.to_f64().abs() >= format.largest() - last / 4.0 {
        // Overflow: the largest number is as near as infinity.
        let near = y.abs() >= format.largest() && (y < 0.0) == (ball.to_f64() < 0.0);
        // A derivative that is out of range may come out of terms that are.
        return if near || order > 0 && y.is_nan() { Verdict::Error(0.0) } else { Verdict::Wrong };
    }
    // Below the normal numbers only the size of the error counts.
    if ball.to_f64().abs() < format.normal() && y.abs() <= format.normal() {
        return Verdict::Error(0.0);
    }
    match y.is_finite() {
        true => Verdict::Error(value.distance(y, unit)),
        // So near the largest number that a last place is enough.
        false if y.is_infinite() && ball.to_f64().abs() > format.largest() * (1.0 - 1e-6) => {
            Verdict::Error(1.0)
        }
        false => Verdict::Wrong,
    }
}

/// A row made ready: compiled, and in high precision.
pub struct Prepared {
    row: &'static Row,
    kernels: [symdiff::MapKernel; 2],
    truth: Precise,
    names: usize,
}

fn derived(f: &Function, level: Level, purpose: Purpose) -> Function {
    let derivation = Derivation { level, purpose, ..Derivation::default() };
    derivation.up_to(f, ORDER as u32).expect("the rows can be derived")
}

impl Prepared {
    pub fn new(row: &'static Row, level: Level) -> Prepared {
        let f = parse(row.text).unwrap_or_else(|error| panic!("{}: {error}", row.text));
        let stable = derived(&f, level, Purpose::Compute);
        let kernel = |precision| {
            map_with(&stable, &MapOptions { precision, ..MapOptions::default() }).expect("the rows compile")
        };
        let truth = Precise::new(&derived(&f, Level::None, Purpose::Both));
        Prepared {
            row,
            kernels: [kernel(Precision::F64), kernel(Precision::F32)],
            truth,
            names: row.draws.len(),
        }
    }

    /// The derivatives' order of an output: the value first, then for each argument one of each order.
    fn order(&self, output: usize) -> usize {
        if output == 0 { 0 } else { (output - 1) % ORDER + 1 }
    }

    fn values(&self, points: &[Vec<f64>], format: Format) -> Vec<Vec<f64>> {
        let outputs = 1 + ORDER * self.names;
        let column = |i: usize| points.iter().map(move |p| p[i]);
        match format {
            Format::F64 => {
                let columns: Vec<Vec<f64>> = (0..self.names).map(|i| column(i).collect()).collect();
                let inputs: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
                let mut made = vec![vec![0.0; points.len()]; outputs];
                let mut into: Vec<&mut [f64]> = made.iter_mut().map(Vec::as_mut_slice).collect();
                self.kernels[0].run(&inputs, &mut into).expect("columns fit");
                made
            }
            Format::F32 => {
                let columns: Vec<Vec<f32>> =
                    (0..self.names).map(|i| column(i).map(|x| x as f32).collect()).collect();
                let inputs: Vec<&[f32]> = columns.iter().map(Vec::as_slice).collect();
                let mut made = vec![vec![0.0f32; points.len()]; outputs];
                let mut into: Vec<&mut [f32]> = made.iter_mut().map(Vec::as_mut_slice).collect();
                self.kernels[1].run(&inputs, &mut into).expect("columns fit");
                made.into_iter().map(|y| y.into_iter().map(f64::from).collect()).collect()
            }
        }
    }

    /// How far the next arguments move an output, in its last places.
    fn moves(&self, point: &[f64], output: usize, format: Format) -> f64 {
        let here = &self.truth.outputs(point)[output];
        let moved = |(i, up): (usize, bool)| {
            let mut beside = point.to_vec();
            beside[i] = if up { format.next(beside[i]) } else { -format.next(-beside[i]) };
            match (&self.truth.outputs(&beside)[output], here) {
                (Ok(Value::Finite(there)), Ok(Value::Finite(here))) => {
                    let unit = (here.exponent().unwrap_or(0) - format.digits()).max(format.least());
                    there.sub(here, 64).absolute().scaled(-unit).to_f64()
                }
                _ => f64::INFINITY,
            }
        };
        let sides = (0..point.len()).flat_map(|i| [(i, true), (i, false)]);
        sides.map(moved).fold(0.0, f64::max)
    }

    /// True where the next arguments move an output so far that its error is that of rounding once.
    fn explains(&self, error: f64, point: &[f64], output: usize, format: Format) -> bool {
        let moves = self.moves(point, output, format);
        let all = 2_f64.powi(format.digits() as i32 - 6);
        moves > CONDITION && (error <= ROUNDINGS * moves || moves > all)
    }

    /// Measures `count` random points in one format.
    pub fn measure(&self, count: usize, format: Format, seed: u64) -> Found {
        let mut random = Random(seed | 1);
        let points: Vec<Vec<f64>> = (0..count).map(|_| point(self.row, format, &mut random)).collect();
        let made = self.values(&points, format);
        let mut found = Found::default();
        for (i, point) in points.iter().enumerate() {
            let truths = self.truth.outputs(point);
            for (output, truth) in truths.iter().enumerate() {
                let (order, y) = (self.order(output), made[output][i]);
                // No derivative is asked for where there is no value, nor at infinity.
                let inside = point.iter().all(|x| x.is_finite()) && matches!(truths[0], Ok(Value::Finite(_)));
                if order > 0 && !inside || self.row.bounds[order].is_infinite() {
                    continue;
                }
                let words = || format!("{} {format:?} order {order} at {point:?}: {y:e}", self.row.text);
                match judge(truth, y, order, format, point.iter().all(|x| x.is_finite())) {
                    Verdict::Undecided => found.undecided += 1,
                    Verdict::Error(error) if error <= self.row.bounds[order] => {
                        found.compared[order] += 1;
                        if error > found.worst[order] {
                            (found.worst[order], found.at[order]) = (error, point.clone());
                        }
                    }
                    Verdict::Error(error) if self.explains(error, point, output, format) => {
                        found.ill[order] += 1;
                    }
                    verdict => {
                        found.compared[order] += 1;
                        found.failed += 1;
                        let error = if let Verdict::Error(error) = verdict { error } else { f64::INFINITY };
                        let exact = match truth {
                            Ok(value) => value.to_f64(),
                            Err(_) => f64::NAN,
                        };
                        found.failures.push(format!("{}, not {exact:e}: {error:.1} ulp", words()));
                        if error > found.worst[order] {
                            (found.worst[order], found.at[order]) = (error, point.clone());
                        }
                    }
                }
            }
        }
        found
    }
}

/// All rows at `cases` points each, in both formats, simplified that far.
pub fn measure(level: Level, cases: usize, seed: u64) -> Tally {
    let mut tally = Tally::default();
    for row in ROWS {
        let prepared = Prepared::new(row, level);
        for format in [Format::F64, Format::F32] {
            let found = prepared.measure(cases, format, seed);
            tally.cases += found.compared.iter().sum::<usize>();
            tally.failed += found.failed;
            tally.failures.extend(found.failures.into_iter().take(1));
            for (worst, at) in found.worst.iter().zip(&found.at) {
                tally.note(*worst, || format!("{} {format:?} at {at:?}", row.text));
            }
        }
    }
    tally
}
