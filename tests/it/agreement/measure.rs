//! Random expressions on every way through the house: both modes, both engines, every width, and
//! differences of values that symdiff did not compute.
//!
//! Those values have about 95 bits, which are not always enough: log(exp(x)) has lost them all at x = 70.
//! Where a result differs from them, it is held against the expression as it is written in ball
//! arithmetic of as many bits as it takes, and left alone where 3000 do not suffice, a tie, or where there
//! turns out to be no value at all, as of the root of log(erf(9)). But a
//! result that is not finite, where the truth is, is wrong, unless nothing was simplified and an infinite
//! slope meets 0 as it is written, as in sqrt(x - x).

use super::bound::{bounds, stays_finite};
use super::expression::{Expression, NAMES, Point};
use crate::accuracy::twice::Twice;
use crate::samples::Random;
use crate::tally::Tally;
use symdiff::ir::Precision;
use symdiff::precise::{Precise, Stuck};
use symdiff::{
    Derivation, Engine, Evaluator, Function, Level, MapKernel, MapOptions, Mode, Purpose, VectorLevel,
    parse_with, simplify,
};

/// What was counted.
#[derive(Default)]
pub struct Agreement {
    /// The JIT's bits, and those of every width, are the interpreter's.
    pub bits: Tally,
    /// Forward and reverse gradients differ by no more than rounding.
    pub modes: Tally,
    /// Values and gradients are those of the oracle and its differences, up to rounding.
    pub truths: Tally,
    /// Of the comparisons with differences, those that leave three digits at least.
    pub telling: usize,
}

/// The largest expressions.
const MOST_NODES: usize = 200;
/// Points at which functions are smooth as a rule.
const INSIDE: [Point; 2] = [[0.7, 1.3, -0.4], [2.1, 0.45, 1.6]];
/// Points on edges of domains, on kinks and beyond them. Vectors of every width get a tail.
const EDGES: [Point; 7] = [
    [0.0, 1.0, -1.0],
    [-1.7, -0.8, 0.0],
    [-0.0, 0.0, 2.0],
    [1e300, -1e-300, 5e-324],
    [f64::INFINITY, -3.0, 0.5],
    [f64::NAN, 1.0, 2.0],
    [-710.0, 36.8, 1e8],
];
/// By how much more than the running bound results may differ.
const SLACK: f64 = 8.0;

/// Looks at so many random expressions. One alone is looked at again by [`look_at`].
pub fn measure(cases: usize, seed: u64) -> Agreement {
    let mut agreement = Agreement::default();
    for case in 0..cases as u64 {
        look_at(seed, case, &mut agreement);
    }
    agreement
}

/// Looks at one expression. Where it fails, so may a part of it, which is then what is told of.
pub fn look_at(seed: u64, case: u64, agreement: &mut Agreement) {
    let mut random = Random::new(seed.rotate_left(32) ^ case);
    // Small ones are more frequent, and tell more of their size.
    let size = (MOST_NODES as f64 / 3.0).powf(random.unit().powi(2)) * 3.0;
    let expression = Expression::random(size as usize, &INSIDE, &mut random);
    let way = Way::of(case);
    let title = format!("seed {seed}, case {case}");
    let found = inspect(&expression, &way, &title);
    if found.failed() == 0 {
        return agreement.add(found);
    }
    let part = (0..expression.len()).map(|id| inspect(&expression.part(id), &way, &title));
    let told = part.into_iter().find(|part| part.failed() > 0).unwrap_or_default();
    agreement.add(found.told_as(told));
}

impl Agreement {
    fn tallies(&mut self) -> [&mut Tally; 3] {
        [&mut self.bits, &mut self.modes, &mut self.truths]
    }

    fn failed(&self) -> usize {
        self.bits.failed + self.modes.failed + self.truths.failed
    }

    fn add(&mut self, other: Agreement) {
        self.telling += other.telling;
        self.bits.add(other.bits);
        self.modes.add(other.modes);
        self.truths.add(other.truths);
    }

    /// The same counts, with the words of another, where it has any.
    fn told_as(mut self, mut other: Agreement) -> Agreement {
        for (mine, its) in self.tallies().into_iter().zip(other.tallies()) {
            if its.failed > 0 {
                mine.failures = std::mem::take(&mut its.failures);
            }
        }
        self
    }
}

/// What a case is looked at with.
struct Way {
    level: Level,
    widths: Vec<VectorLevel>,
}

impl Way {
    /// One case in eight is not simplified; and one in four runs in 128 bits, which are Cranelift's
    /// and take most of the time to compile.
    fn of(case: u64) -> Way {
        let level = if case % 8 == 7 { Level::None } else { Level::Fast };
        let looked_at = |width: &VectorLevel| *width != VectorLevel::L128 || case % 4 == 3;
        let widths = VectorLevel::ALL.into_iter().filter(|width| width.is_available());
        Way { level, widths: widths.filter(looked_at).collect() }
    }
}

fn inspect(expression: &Expression, way: &Way, title: &str) -> Agreement {
    let mut agreement = Agreement::default();
    let text = expression.text();
    let f = parse_with(&text, &NAMES).unwrap_or_else(|e| panic!("{text}: {e}"));
    let [reverse, forward] = [Mode::Reverse, Mode::Forward].map(|mode| ready(&f, mode, way.level));
    let name = |what: String| format!("{title}: {what}\n  {text}");
    same_bits(&reverse, way.level, &way.widths, &mut agreement.bits, &name);
    for point in &INSIDE {
        if !stays_finite(&f, point) {
            continue;
        }
        let found = |g: &Function| Found {
            outputs: run(g, point),
            bounds: bounds(g, point),
            as_written: way.level == Level::None,
        };
        let [a, b] = [&reverse, &forward].map(found);
        modes_agree(&a, &b, point, &mut agreement.modes, &name);
        let tally = &mut agreement.truths;
        agreement.telling += is_true(expression, &a, point, tally, &|what| name(format!("reverse: {what}")));
        agreement.telling += is_true(expression, &b, point, tally, &|what| name(format!("forward: {what}")));
    }
    agreement
}

/// Value and gradient as an engine runs them.
fn ready(f: &Function, mode: Mode, level: Level) -> Function {
    let derivation = Derivation { mode, level, purpose: Purpose::Compute, ..Derivation::default() };
    let both = derivation.value_and_gradient(f).unwrap_or_else(|e| panic!("{f}: {e}"));
    simplify(&both, level, Purpose::Compute)
}

fn run(f: &Function, point: &Point) -> Vec<f64> {
    symdiff::ir::evaluate(f.graph(), f.inputs(), f.outputs(), point)
}

type Name<'a> = &'a dyn Fn(String) -> String;

fn is_same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

fn same_bits(f: &Function, level: Level, widths: &[VectorLevel], tally: &mut Tally, name: Name) {
    let points = INSIDE.iter().chain(&EDGES);
    let evaluators = [Engine::Interpreter, Engine::Jit]
        .map(|engine| Evaluator::new(f, engine, level).unwrap_or_else(|e| panic!("{}", name(e.to_string()))));
    let mut expected = Vec::new();
    for point in points.clone() {
        let [a, b] = evaluators.each_ref().map(|evaluator| {
            let mut out = vec![0.0; evaluator.output_size()];
            evaluator.call(point, &mut out).expect("the lengths agree");
            out
        });
        let same = a.iter().zip(&b).all(|(a, b)| is_same(*a, *b));
        tally.check(same, || name(format!("the JIT at {point:?}: {b:?}, the interpreter {a:?}")));
        expected.push(a);
    }
    let columns: Vec<Vec<f64>> = (0..3).map(|k| points.clone().map(|p| p[k]).collect()).collect();
    let f = simplify(f, level, Purpose::Compute);
    for &width in widths {
        let found = over_columns(&f, width, &columns, name);
        for (row, expected) in expected.iter().enumerate() {
            let same = expected.iter().zip(&found).all(|(a, column)| is_same(*a, column[row]));
            tally.check(same, || {
                let found: Vec<f64> = found.iter().map(|column| column[row]).collect();
                name(format!("{width} bits in row {row}: {found:?}, the interpreter {expected:?}"))
            });
        }
    }
}

fn over_columns(f: &Function, level: VectorLevel, columns: &[Vec<f64>], name: Name) -> Vec<Vec<f64>> {
    let options = MapOptions { level, precision: Precision::F64, ..MapOptions::default() };
    let kernel = MapKernel::compile(f, &options).unwrap_or_else(|e| panic!("{}", name(e.to_string())));
    let mut found = vec![vec![0.0; columns[0].len()]; kernel.output_size()];
    let inputs: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let mut outputs: Vec<&mut [f64]> = found.iter_mut().map(Vec::as_mut_slice).collect();
    kernel.run(&inputs, &mut outputs).expect("the columns fit");
    found
}

/// Results, and how far off rounding may have carried them.
struct Found {
    outputs: Vec<f64>,
    bounds: Option<Vec<f64>>,
    as_written: bool,
}

fn modes_agree(a: &Found, b: &Found, point: &Point, tally: &mut Tally, name: Name) {
    let (Some(by_a), Some(by_b)) = (&a.bounds, &b.bounds) else { return };
    let (a, b) = (&a.outputs, &b.outputs);
    for i in 0..a.len() {
        let allowed = SLACK * (by_a[i] + by_b[i]);
        if a[i].is_finite() && b[i].is_finite() && allowed.is_finite() {
            let held = (a[i] - b[i]).abs() <= allowed;
            tally.check(held, || name(format!("∂{i} at {point:?}: reverse {}, forward {}", a[i], b[i])));
        }
    }
}

/// Compares with the oracle and its differences; how many comparisons told something.
fn is_true(e: &Expression, found: &Found, point: &Point, tally: &mut Tally, name: Name) -> usize {
    let (y, Some(bounds)) = (&found.outputs, &found.bounds) else { return 0 };
    let at = point.map(Twice::from);
    let Some(value) = e.truth(&at) else { return 0 };
    let exactly = |along| move || exact(e, point, along);
    let allowed = SLACK * bounds[0];
    let mut telling = compare(y[0], (value.hi, &exactly(None)), allowed, tally, &|what| {
        name(format!("the value at {point:?}: {what}"))
    });
    for k in 0..point.len() {
        let Some((slope, doubt)) = difference(e, &at, k) else { continue };
        // The oracle has 45 bits more than doubles, of which the step takes 30.
        let allowed = SLACK * bounds[1 + k] + doubt + bounds[0] * 2_f64.powi(-13);
        if found.as_written && y[1 + k].is_nan() && allowed.is_nan() {
            continue;
        }
        let name = |what| name(format!("∂/∂{} at {point:?}: {what}", NAMES[k]));
        telling += compare(y[1 + k], (slope, &exactly(Some(k))), allowed, tally, &name);
    }
    telling
}

/// Compares with the truth, and, where they differ, with a better one.
fn compare(
    found: f64,
    (mut truth, exactly): (f64, &dyn Fn() -> Result<f64, Stuck>),
    allowed: f64,
    tally: &mut Tally,
    name: Name,
) -> usize {
    // Where rounding may do anything, nothing is compared, unless nothing was computed.
    if !allowed.is_finite() && (truth.abs() > 1e100 || found.is_finite()) {
        return 0;
    }
    let is_near = |truth: f64| (found - truth).abs() <= allowed;
    if !is_near(truth) {
        match exactly() {
            Ok(exact) => truth = exact,
            Err(Stuck::Undefined) => return 0,
            Err(_) if found.is_finite() => return 0,
            Err(_) => {}
        }
    }
    tally.check(is_near(truth), || name(format!("{found:e}, in truth {truth:e}, allowed {allowed:.1e}")));
    usize::from(allowed <= 1e-3 * truth.abs())
}

/// The value, or the slope along a variable, to all of a double's digits, or why it cannot be said.
fn exact(e: &Expression, point: &Point, along: Option<usize>) -> Result<f64, Stuck> {
    /// Far below the last place of anything, and far above what ball arithmetic resolves.
    const STEP: f64 = 1.0 / (1u128 << 120) as f64;
    let moved = |by: &str| {
        let name =
            |i: usize| if along == Some(i) { format!("({} {by})", NAMES[i]) } else { NAMES[i].to_owned() };
        let names = [0, 1, 2].map(name);
        e.text_of(&names.each_ref().map(String::as_str))
    };
    let text = match along {
        None => e.text(),
        Some(_) => format!("({} - {})/(2*step)", moved("+ step"), moved("- step")),
    };
    let names = [NAMES[0], NAMES[1], NAMES[2], "step"];
    let f = parse_with(&text, &names).unwrap_or_else(|e| panic!("{text}: {e}"));
    let [x, y, z] = *point;
    let mut outputs = Precise::new(&f).outputs(&[x, y, z, STEP]);
    outputs.pop().unwrap_or(Err(Stuck::Uncovered)).map(|value| value.to_f64())
}

/// The slope along one variable by differences, extrapolated once (Richardson), and how far it
/// may be off; `None` where differences of two steps do not agree: at kinks and jumps.
fn difference(e: &Expression, at: &[Twice; 3], k: usize) -> Option<(f64, f64)> {
    let slope = |step: f64| {
        let moved = |by: f64| {
            let mut point = *at;
            point[k] = point[k] + by.into();
            e.truth(&point)
        };
        Some((moved(step)? - moved(-step)?) / Twice::from(2.0 * step))
    };
    let step = 2_f64.powi(-30);
    let (coarse, fine) = (slope(step)?, slope(step / 2.0)?);
    let change = (coarse - fine).abs();
    let best = fine + (fine - coarse) / Twice::from(3.0);
    (change.hi <= 1e-6 * best.hi.abs()).then_some((best.hi, 0.01 * change.hi))
}
