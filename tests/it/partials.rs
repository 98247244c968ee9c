//! What a row of the op table says, held against the op's values: partials against differences,
//! kinks, the interval values lie in, the course they take, symmetries.
//!
//! The checks take what a row says as arguments, so that rows with a seeded fault go through the
//! very same ones (`mutants`).

use crate::tally::Tally;
use symdiff::elementary::Plain;
use symdiff::ir::{Course, Elementwise, Interval, Kink, Number};

/// Points inside most domains, of both signs, and away from poles.
const POINTS: [f64; 14] = [0.3, 0.45, 0.7, 1.3, 2.4, 3.6, 7.9, -0.3, -0.45, -0.7, -1.3, -2.4, -3.6, -7.9];

pub fn value(op: Elementwise, x: &[f64]) -> f64 {
    op.value(&mut Plain, x)
}

/// Central differences in the direction of operand `i`, extrapolated twice; `None` where they have
/// not settled.
fn difference(op: Elementwise, x: &[f64], i: usize) -> Option<f64> {
    let slope = |h: f64| {
        let (mut up, mut down) = (x.to_vec(), x.to_vec());
        up[i] += h;
        down[i] -= h;
        (value(op, &up) - value(op, &down)) / (up[i] - down[i])
    };
    let h = 4e-3;
    let (a, b, c) = (slope(h), slope(h / 2.0), slope(h / 4.0));
    let (first, second) = ((4.0 * b - a) / 3.0, (4.0 * c - b) / 3.0);
    let settled = (second - first).abs() <= 1e-6 * second.abs().max(1.0);
    settled.then_some((16.0 * second - first) / 15.0)
}

/// The partial of operand `i` at operands with a value.
pub type Partial<'a> = &'a dyn Fn(usize, &[f64], f64) -> Option<f64>;

fn points(op: Elementwise) -> Vec<Vec<f64>> {
    let from = |k: usize| (0..op.arity()).map(|i| POINTS[(k + 5 * i) % POINTS.len()]).collect();
    let mut all: Vec<Vec<f64>> = (0..POINTS.len()).map(from).collect();
    // A larger and a smaller second operand, for ops that choose.
    all.extend(POINTS.iter().map(|&x| (0..op.arity()).map(|i| x + 0.9 * i as f64).collect()));
    if op == Elementwise::Polygamma {
        all.iter_mut().for_each(|x| x[0] = 1.0);
    }
    all
}

/// What is wrong with an op's partials; nothing in a sound table.
pub fn faults(op: Elementwise, partial: Partial) -> Vec<String> {
    let mut found = Vec::new();
    // Polygamma's first operand is a whole number, where it has no partial.
    let first = usize::from(op == Elementwise::Polygamma);
    for x in points(op) {
        let y = value(op, &x);
        for i in first..op.arity() {
            let Some(expected) = difference(op, &x, i).filter(|d| d.is_finite() && y.is_finite()) else {
                continue;
            };
            let actual = partial(i, &x, y).unwrap_or(0.0);
            let error = (actual - expected).abs() / expected.abs().max(1e-2);
            if error.is_nan() || error > 1e-6 {
                found
                    .push(format!("∂{}/∂{i} at {x:?} is {actual}, and {expected} by differences", op.name()));
            }
        }
    }
    found.extend(faults_at_kinks(op, partial));
    found
}

/// Where there is no derivative, the middle of all slopes stands for it, or 0 where that is one.
fn faults_at_kinks(op: Elementwise, partial: Partial) -> Vec<String> {
    let mut found = Vec::new();
    match op.kink() {
        Kink::AtZero(..) => {
            let slope = partial(0, &[0.0], value(op, &[0.0]));
            if slope != Some(0.0) {
                found.push(format!("∂{} at 0 is {slope:?}, promised is 0", op.name()));
            }
        }
        Kink::AtTie => {
            for i in 0..2 {
                let share = partial(i, &[1.5, 1.5], value(op, &[1.5, 1.5]));
                if share != Some(0.5) {
                    found.push(format!("∂{}/∂{i} at a tie is {share:?}, promised is a half", op.name()));
                }
            }
        }
        Kink::Smooth | Kink::Jump => {}
    }
    found
}

/// What a row says beside value and partials.
#[derive(Clone, Copy, Debug)]
pub struct Claims {
    pub course: Course,
    pub range: Interval,
    pub kink: Kink,
    pub odd: bool,
    pub even: bool,
    pub commutative: bool,
}

impl Claims {
    pub fn of(op: Elementwise) -> Claims {
        let (odd, even) = (op.is_odd(), op.is_even());
        let commutative = op.is_commutative();
        Claims { course: op.course(), range: op.range(), kink: op.kink(), odd, even, commutative }
    }
}

/// Operands from far below zero to far above, dense where functions turn.
fn ladder() -> impl Iterator<Item = f64> {
    (-400..=400).map(|k| {
        let t = f64::from(k) / 50.0;
        t.sinh()
    })
}

/// What is wrong with a row's claims.
pub fn false_claims(op: Elementwise, claims: Claims) -> Vec<String> {
    let mut found = Vec::new();
    let mut say = |wrong: bool, what: &str| {
        if wrong {
            found.push(format!("{}: {what}", op.name()));
        }
    };
    say(leaves(op, claims.range), "values lie outside its interval");
    say(loose(op, claims.range), "no value comes near an end of its interval");
    match op.arity() {
        1 => {
            let of = |x: f64| value(op, &[x]);
            let differ = |a: f64, b: f64| !(a == b || a.is_nan() && b.is_nan());
            say(claims.odd && ladder().any(|x| differ(of(-x), -of(x))), "it is not odd");
            say(claims.even && ladder().any(|x| differ(of(-x), of(x))), "it is not even");
            let one_sided = matches!(claims.course, Course::Bowl | Course::Hill) && !claims.even;
            say(one_sided || strays(&of, claims.course), "it takes another course");
            say(bends(&of, claims.kink), "it has another kink");
        }
        2 => {
            let pairs =
                || POINTS.iter().flat_map(|&a| POINTS.iter().map(move |&b| (a, b))).chain([(1.0, 2.0)]);
            let differ = |(a, b)| value(op, &[a, b]).to_bits() != value(op, &[b, a]).to_bits();
            say(claims.commutative && pairs().any(differ), "it is not commutative");
            let ties = matches!(op, Elementwise::Min | Elementwise::Max);
            say(ties != (claims.kink == Kink::AtTie), "its kink is where operands are equal");
        }
        _ => {}
    }
    found
}

fn samples(op: Elementwise) -> Vec<f64> {
    let all: Vec<f64> = ladder().collect();
    let point = |k: usize| -> Vec<f64> {
        (0..op.arity()).map(|i| all[(k * (1 + 36 * i) + 97 * i) % all.len()]).collect()
    };
    let whole = (0..30).map(|k| (0..op.arity()).map(|i| f64::from(k * (i as i32 + 1) % 7 + 1)).collect());
    (0..all.len())
        .map(point)
        .chain(whole)
        .map(|x: Vec<f64>| value(op, &x))
        .filter(|y| y.is_finite())
        .collect()
}

fn leaves(op: Elementwise, range: Interval) -> bool {
    let exact = |x: &[f64]| {
        let whole: Vec<Number> = x.iter().map(|&v| Number::integer(v as i64)).collect();
        op.fold(&whole.iter().collect::<Vec<_>>()).map(|n| n.to_f64())
    };
    // Exact values must lie inside; computed ones may round to an end that is left out.
    let small =
        |k: usize| -> Vec<f64> { (0..op.arity()).map(|i| (k / 3usize.pow(i as u32) % 3) as f64).collect() };
    let all_zero = Some(value(op, &small(0))).filter(|y| op.arity() > 0 && y.is_finite());
    let inside = (0..27).filter_map(|k| exact(&small(k))).chain(all_zero).all(|y| range.contains(y));
    !inside || samples(op).iter().any(|&y| y < range.low() || y > range.high())
}

/// An interval that is larger than it need be is no lie, but not what the row means to say.
fn loose(op: Elementwise, range: Interval) -> bool {
    let all = samples(op);
    let (low, high) = all.iter().fold((f64::MAX, f64::MIN), |(l, h), &y| (l.min(y), h.max(y)));
    let unary = op.arity() == 1 && op.course() != Course::Own;
    unary
        && (range.low().is_finite() && low > range.low() + 0.25
            || range.high().is_finite() && high < range.high() - 0.25)
}

fn strays(of: &dyn Fn(f64) -> f64, course: Course) -> bool {
    let all: Vec<(f64, f64)> = ladder().map(|x| (x, of(x))).filter(|(_, y)| y.is_finite()).collect();
    let up = |a: &(f64, f64), b: &(f64, f64)| a.1 <= b.1;
    type Step<'a> = &'a dyn Fn(&[(f64, f64)]) -> bool;
    let rises = |w: &[(f64, f64)]| up(&w[0], &w[1]);
    let falls = |w: &[(f64, f64)]| up(&w[1], &w[0]);
    let moves = all.windows(2).any(|w| w[0].1 != w[1].1);
    let along = |right: Step| all.windows(2).all(right);
    let by_size = |right: Step, left: Step| {
        all.windows(2).all(|w| if w[0].0 >= 0.0 { right(w) } else { w[1].0 > 0.0 || left(w) })
    };
    match course {
        Course::Rising => !(moves && along(&rises)),
        Course::Falling => !(moves && along(&falls)),
        Course::Bowl => !by_size(&rises, &falls),
        Course::Hill => !by_size(&falls, &rises),
        // Where a row could have said more, it should.
        Course::Own => moves && (along(&rises) || along(&falls)) && all.len() > 700,
    }
}

fn bends(of: &dyn Fn(f64) -> f64, kink: Kink) -> bool {
    let h = 1e-9;
    let (left, right) = ((of(0.0) - of(-h)) / h, (of(h) - of(0.0)) / h);
    let slopes = |a: f64, b: f64| (left - a).abs() < 1e-3 && (right - b).abs() < 1e-3;
    let jumps = ladder()
        .zip(ladder().skip(1))
        .any(|(a, b)| b - a < 0.05 && (of(b) - of(a)).abs() > 0.9 && of(a).abs() < 3.0 && of(b).abs() < 3.0);
    match kink {
        Kink::AtZero(a, b) => !slopes(a, b),
        Kink::Jump => !jumps,
        Kink::AtTie => true,
        Kink::Smooth => {
            jumps || left.is_finite() && right.is_finite() && (left - right).abs() > 0.5 && left.abs() < 2.0
        }
    }
}

/// Every op's partials and claims.
pub fn measure(_cases: usize, _seed: u64) -> Tally {
    let mut tally = Tally::default();
    for &op in Elementwise::ALL {
        let table = |i: usize, x: &[f64], y: f64| op.partial(i, x, y);
        let mut found = faults(op, &table);
        found.extend(false_claims(op, Claims::of(op)));
        tally.check(found.is_empty(), || found.join("; "));
    }
    tally
}

#[test]
fn every_row_says_the_truth() {
    measure(0, 0).assert_holds();
}
