//! How many bits of a result are right, and at which operation the others were lost.
//!
//! What must stay true: "right" is against the exact value; the blame follows the operand whose error
//! matters most, from the result down, and falls on the operation that multiplied errors most.

use super::evaluate::{Precise, Truth, Value};
use crate::elementary::Plain;
use crate::ir::eval::Interpreter;
use crate::ir::{Elementwise, Id, Op, Selection, leaf};
use smallvec::SmallVec;

/// Bits of a double, when all are right.
pub const ALL_BITS: f64 = 53.0;

/// Relative errors below this are those of rounding.
const ROUNDED: f64 = 1.0 / (1u64 << 50) as f64;

/// Half a unit of the last place, relative: the error any operand may have.
const HALF_A_UNIT: f64 = 1.0 / (1u64 << 53) as f64;

/// Operations followed down from a result.
const DEPTH: usize = 10_000;

/// One result: as it is computed in double precision, as it is, and where they part.
#[derive(Clone, Debug)]
pub struct Accuracy {
    pub computed: f64,
    pub exact: Truth,
    /// Of 53; `None` where there is no exact value to compare with.
    pub bits: Option<f64>,
    /// The operation that lost most, where some were lost.
    pub loss: Option<Loss>,
}

/// An operation that lost bits.
#[derive(Clone, Debug)]
pub struct Loss {
    /// In the graph of [`Precise::function`].
    pub node: Id,
    /// More of them are wrong in its result than in its operands.
    pub bits: f64,
    /// Its operands, as computed, and its result's true value.
    pub operands: Vec<f64>,
    pub exact: f64,
    /// The condition number: how many times a relative error of an operand it is in the result.
    pub condition: f64,
    /// True where the operands are finite and the result is not.
    pub overflows: bool,
}

/// The accuracy of every output of a function at a point, evaluated in double precision as it stands.
///
/// ```
/// use symdiff::precise::{Precise, accuracy};
/// let f = symdiff::parse("(1 + x) - 1")?;
/// let found = accuracy(&Precise::new(&f), &[1e-10]);
/// assert!(found[0].bits.is_some_and(|bits| bits < 25.0));
/// # Ok::<(), symdiff::Error>(())
/// ```
pub fn accuracy(precise: &Precise, point: &[f64]) -> Vec<Accuracy> {
    let function = precise.function();
    let computed = computed(precise, point);
    let exact = precise.nodes(point);
    let errors = Errors { precise, computed, exact };
    function.outputs().iter().map(|&id| errors.of_output(id)).collect()
}

/// All scalar nodes in double precision, by id.
fn computed(precise: &Precise, point: &[f64]) -> Vec<f64> {
    let (function, order) = (precise.function(), precise.order());
    let graph = function.graph();
    let scalars: Vec<Id> = order.iter().copied().filter(|&id| graph.is_scalar(id)).collect();
    let values = Interpreter::new(graph, function.inputs(), &scalars).run(point);
    let mut by_id = vec![f64::NAN; order.last().map_or(0, |id| id.index() + 1)];
    for (id, value) in scalars.iter().zip(values) {
        by_id[id.index()] = value;
    }
    by_id
}

struct Errors<'p> {
    precise: &'p Precise,
    computed: Vec<f64>,
    exact: Vec<Option<Truth>>,
}

impl Errors<'_> {
    fn exact(&self, id: Id) -> Truth {
        let found = self.exact.get(id.index()).cloned().flatten();
        found.unwrap_or(Err(super::Stuck::Uncovered))
    }

    /// The relative error of a node: infinite where it is not finite and should be.
    fn error(&self, id: Id) -> Option<f64> {
        let computed = self.computed[id.index()];
        match self.exact(id).ok()? {
            Value::Infinite { .. } => Some(if computed.is_finite() { f64::INFINITY } else { 0.0 }),
            Value::Finite(_) if computed.is_nan() => Some(f64::INFINITY),
            Value::Finite(ball) => {
                let exact = ball.to_f64();
                // Beyond the largest double: what is computed from it knows nothing of it.
                if !exact.is_finite() {
                    return Some(f64::INFINITY);
                }
                if computed == exact {
                    return Some(if exact == 0.0 { 0.0 } else { HALF_A_UNIT });
                }
                let unit = ball.exponent()?;
                Some(Value::Finite(ball).distance(computed, unit - 1))
            }
        }
    }

    fn of_output(&self, id: Id) -> Accuracy {
        let exact = self.exact(id);
        // A result that is out of range is as it should be.
        let is_out = exact.as_ref().is_ok_and(|v| v.to_f64().is_infinite());
        let error = match is_out && !self.computed[id.index()].is_nan() {
            true => Some(0.0),
            false => self.error(id),
        };
        let bits = error.map(|e| if e == 0.0 { ALL_BITS } else { (-e.log2()).clamp(0.0, ALL_BITS) });
        let lost = error.is_some_and(|e| e > ROUNDED);
        let loss = if lost { self.blame(id) } else { None };
        Accuracy { computed: self.computed[id.index()], exact, bits, loss }
    }

    /// Down from a result by the operand whose error matters most: the operation that lost most.
    fn blame(&self, from: Id) -> Option<Loss> {
        let graph = self.precise.function().graph();
        let (mut at, mut worst) = (from, None::<Loss>);
        for _ in 0..DEPTH {
            let next = match graph.op(at) {
                _ if leaf(graph, at).is_some() => break,
                Op::Selection(Selection::Select) => {
                    let taken = if self.computed[graph.operand(at, 0).index()] != 0.0 { 1 } else { 2 };
                    graph.operand(at, taken)
                }
                Op::Elementwise(op) if op.arity() > 0 => {
                    let (loss, next) = self.operation(op, at)?;
                    if worst.as_ref().is_none_or(|w| loss.bits > w.bits) {
                        worst = Some(loss);
                    }
                    next
                }
                _ => break,
            };
            at = next;
            if self.error(at).is_none_or(|e| e <= ROUNDED) {
                break;
            }
        }
        worst.filter(|loss| loss.bits >= 1.0)
    }

    /// What one operation lost, and the operand that matters most.
    fn operation(&self, op: Elementwise, id: Id) -> Option<(Loss, Id)> {
        let operands = self.precise.function().graph().operands(id);
        let values: SmallVec<[f64; 3]> = operands.iter().map(|x| self.computed[x.index()]).collect();
        let true_values: SmallVec<[f64; 3]> =
            operands.iter().map(|&x| self.exact(x).map_or(f64::NAN, |v| v.to_f64())).collect();
        let exact = self.exact(id).map_or(f64::NAN, |v| v.to_f64());
        let condition = |i: usize| {
            let slope = op.partial(i, &true_values, op.value(&mut Plain, &true_values)).unwrap_or(0.0);
            let times = (true_values[i] * slope / exact).abs();
            if times.is_nan() { f64::INFINITY } else { times }
        };
        let errors: SmallVec<[f64; 3]> =
            operands.iter().map(|&x| self.error(x).unwrap_or(f64::INFINITY)).collect();
        let matters = |i: &usize| condition(*i) * errors[*i].max(HALF_A_UNIT);
        let most = (0..operands.len()).max_by(|a, b| matters(a).total_cmp(&matters(b)))?;
        let overflows = !self.computed[id.index()].is_finite() && values.iter().all(|x| x.is_finite());
        let before = errors.iter().copied().fold(HALF_A_UNIT, f64::max);
        let after = self.error(id).unwrap_or(0.0);
        let bits = if overflows { ALL_BITS } else { (after.min(1.0) / before.min(1.0)).log2() };
        let condition = (0..operands.len()).map(condition).fold(0.0, f64::max);
        let loss = Loss { node: id, bits, operands: values.to_vec(), exact, condition, overflows };
        Some((loss, operands[most]))
    }
}

/// Points inside the ranges that a function's assumptions give its inputs; where they say nothing, of
/// every size. `count` of them are tried, and those that hold all assumptions are kept.
pub fn points_inside(precise: &Precise, count: usize) -> Vec<Vec<f64>> {
    let function = precise.function();
    let (graph, assumptions) = (function.graph(), function.assumptions());
    let ranges: Vec<(f64, f64)> = ranges(precise);
    let interpreter = Interpreter::new(graph, function.inputs(), assumptions);
    let tried = (0..count).map(|k| ranges.iter().enumerate().map(|(i, &r)| coordinate(k, i, r)).collect());
    tried.filter(|point: &Vec<f64>| interpreter.run(point).iter().all(|&truth| truth != 0.0)).collect()
}

/// Bounds on every number of the inputs, from comparisons with constants.
fn ranges(precise: &Precise) -> Vec<(f64, f64)> {
    let function = precise.function();
    let graph = function.graph();
    let mut ranges = vec![(f64::NEG_INFINITY, f64::INFINITY); function.input_size()];
    let mut pending: Vec<Id> = function.assumptions().to_vec();
    while let Some(truth) = pending.pop() {
        let (a, b) = match graph.op(truth) {
            Op::Selection(Selection::And) => {
                pending.extend(graph.operands(truth));
                continue;
            }
            Op::Selection(Selection::Less | Selection::LessEqual) => {
                (graph.operand(truth, 0), graph.operand(truth, 1))
            }
            _ => continue,
        };
        if let (Some(low), Some(at)) = (graph.constant(a), precise.place(b)) {
            ranges[at].0 = ranges[at].0.max(low.to_f64());
        }
        if let (Some(high), Some(at)) = (graph.constant(b), precise.place(a)) {
            ranges[at].1 = ranges[at].1.min(high.to_f64());
        }
    }
    ranges
}

/// The `attempt`-th number of a fixed sequence in a range: evenly, or over sizes where it has no end.
fn coordinate(attempt: usize, i: usize, (low, high): (f64, f64)) -> f64 {
    let share = (0.5 + 0.754_877_666 * (attempt + 1) as f64 + 0.618_033_988 * i as f64).fract();
    // From 10^-12 to 10^12.
    let size = 10_f64.powf(24.0 * share - 12.0);
    match (low.is_finite(), high.is_finite()) {
        (true, true) if attempt.is_multiple_of(2) => low + (high - low) * share,
        // As near to the ends as it goes.
        (true, true) => low + (high - low) * 10_f64.powf(-12.0 * share),
        (true, false) => low + size,
        (false, true) => high - size,
        (false, false) => {
            if attempt.is_multiple_of(2) {
                size
            } else {
                -size
            }
        }
    }
}

impl Accuracy {
    /// True where more than the last bits are wrong.
    pub fn is_poor(&self) -> bool {
        self.loss.is_some()
    }
}

/// What else to write, where the simplifier cannot know that it is the same.
pub fn advice(precise: &Precise, loss: &Loss) -> Option<&'static str> {
    use Elementwise::{Add, Div, Log, Pow, Sub};
    let graph = precise.function().graph();
    let op = |id: Id| match graph.op(id) {
        Op::Elementwise(op) => Some(op),
        _ => None,
    };
    let operand = |i: usize| graph.operand(loss.node, i);
    let is_one = |id: Id| graph.constant(id).is_some_and(|c| c.absolute().is_one());
    match op(loss.node)? {
        Sub if op(operand(0)) == Some(Log) && op(operand(1)) == Some(Log) => {
            Some("for positive x and y, `log(x/y)` is the same as `log(x) - log(y)`")
        }
        Add | Sub if op(operand(0)) == Some(Pow) && is_one(operand(1)) => {
            Some("for x > -1, `expm1(n*log1p(x))` is the same as `(1 + x)^n - 1`")
        }
        Add | Sub if loss.overflows => Some("scale the operands before they are added"),
        Sub if [op(operand(0)), op(operand(1))].contains(&Some(Div)) => {
            Some("near a removable singularity, use the first terms of the series")
        }
        _ => None,
    }
}

impl Loss {
    /// How it came to be, in words.
    pub fn words(&self) -> String {
        if self.overflows {
            return "leaves the range of double precision".to_owned();
        }
        format!("multiplies relative errors of its operands by {:.1e}", self.condition)
    }
}
