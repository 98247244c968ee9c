//! How far rounding may carry the outputs of a function of numbers at a point.
//!
//! A running error analysis to first order: each operation errs by a few units of the last place, and
//! passes on the errors of its operands by its partials (Higham, Accuracy and Stability of Numerical
//! Algorithms, 2002, section 3.3).

use symdiff::Function;
use symdiff::elementary::Plain;
use symdiff::ir::{DType, Elementwise, Op, Selection, evaluate, reachable};

/// Units of the last place by which one operation may err.
const ULPS: f64 = 4.0;

/// Functions whose slope holds for small errors of their angle only, and how small.
const PERIODIC: [Elementwise; 8] = [
    Elementwise::Sin,
    Elementwise::Cos,
    Elementwise::Sinpi,
    Elementwise::Cospi,
    Elementwise::Tan,
    Elementwise::Sec,
    Elementwise::Csc,
    Elementwise::Cot,
];
const PHASE: f64 = 1e-3;

/// Functions whose domain ends at 1 or -1.
const UP_TO_ONE: [Elementwise; 4] =
    [Elementwise::Asin, Elementwise::Acos, Elementwise::Atanh, Elementwise::Acosh];

/// True where everything the outputs take is finite in doubles as the function is written. What
/// stands in a branch that is not taken does not count.
pub fn stays_finite(f: &Function, point: &[f64]) -> bool {
    let graph = f.graph();
    let order = reachable(graph, f.outputs());
    let values = evaluate(graph, f.inputs(), &order, point);
    let mut counts: Vec<bool> = order.iter().map(|id| f.outputs().contains(id)).collect();
    let place = |id| order.binary_search(&id).expect("operands are reachable");
    for at in (0..order.len()).rev() {
        if !counts[at] {
            continue;
        }
        if !values[at].is_finite() {
            return false;
        }
        let operands = graph.operands(order[at]);
        let skipped = match graph.op(order[at]) {
            Op::Selection(Selection::Select) if values[place(operands[0])] != 0.0 => Some(2),
            Op::Selection(Selection::Select) => Some(1),
            _ => None,
        };
        let taken = operands.iter().enumerate().filter(|(i, _)| Some(*i) != skipped);
        taken.for_each(|(_, &x)| counts[place(x)] = true);
    }
    true
}

/// True where no error as large as the one there may be turns the sign of a number. A doubt that is NaN
/// comes of results that are, which are nobody's excuse.
fn is_clear(x: f64, doubt: f64) -> bool {
    doubt == 0.0 || doubt.is_nan() || x.abs() > 16.0 * doubt
}

/// The most the outputs may be off at a point; `None` where rounding may turn a comparison or a sign, so
/// that another branch is taken, and where it may turn an angle so far that slopes say nothing.
pub fn bounds(f: &Function, point: &[f64]) -> Option<Vec<f64>> {
    let graph = f.graph();
    let order = reachable(graph, f.outputs());
    let computed = evaluate(graph, f.inputs(), &order, point);
    let length = order.last().map_or(0, |id| id.index() + 1);
    let (mut values, mut errors) = (vec![0.0; length], vec![0.0; length]);
    for (&id, &y) in order.iter().zip(&computed) {
        values[id.index()] = y;
        let operands: Vec<f64> = graph.operands(id).iter().map(|x| values[x.index()]).collect();
        let passed: Vec<f64> = graph.operands(id).iter().map(|x| errors[x.index()]).collect();
        let rounding = ULPS * f64::EPSILON * y.abs() + f64::from_bits(2);
        errors[id.index()] = match graph.op(id) {
            Op::Input(_) => 0.0,
            // Exponents that are whole numbers: those of negative numbers have no slope.
            Op::Constant(_) if y.fract() == 0.0 && y.abs() < 1e15 => 0.0,
            Op::Constant(_) => rounding,
            // One of several jumps, and nobody knows which; or anything at all.
            Op::Elementwise(Elementwise::Sign) if !is_clear(operands[0], passed[0]) => return None,
            // Half a turn, to one side or the other.
            Op::Elementwise(Elementwise::Atan2)
                if !is_clear(operands[0], passed[0]) && operands[1] < 16.0 * passed[1] =>
            {
                return None;
            }
            // Outside of its domain, or at its edge, where slopes are infinite.
            Op::Elementwise(op)
                if UP_TO_ONE.contains(&op) && !is_clear(operands[0].abs() - 1.0, passed[0]) =>
            {
                return None;
            }
            Op::Elementwise(op) if PERIODIC.contains(&op) && passed[0] > PHASE => return None,
            Op::Elementwise(op) => {
                let moved = |i: usize, by: f64| {
                    let mut moved = operands.clone();
                    moved[i] += by;
                    (op.value(&mut Plain, &moved) - y).abs()
                };
                let share = |i: usize| match (passed[i], op.partial(i, &operands, y)) {
                    (0.0, _) | (_, None) => 0.0,
                    // A slope out of the range of normal numbers says nothing of so large an error.
                    (error, Some(partial)) if y != 0.0 && partial.abs() < f64::MIN_POSITIVE => {
                        moved(i, error)
                    }
                    // Nor does one where nothing is left of the operand's digits.
                    (error, Some(partial)) if operands[i].abs() <= error && partial == 0.0 => {
                        moved(i, error).max(moved(i, -error))
                    }
                    (error, Some(partial)) => error * partial.abs(),
                };
                (0..operands.len()).map(share).sum::<f64>() + rounding
            }
            Op::Selection(Selection::Select) => passed[if operands[0] != 0.0 { 1 } else { 2 }],
            Op::Selection(_) => {
                let numbers = graph.operands(id).iter().all(|&x| graph.ty(x).dtype == DType::F64);
                if numbers && !is_clear(operands[0] - operands[1], passed.iter().sum()) {
                    return None;
                }
                0.0
            }
            op => unreachable!("{op:?} in an expression of numbers"),
        };
    }
    Some(f.outputs().iter().map(|id| errors[id.index()]).collect())
}
