//! A function's values at a point, each with an interval around the true one.
//!
//! What must stay true: the intervals hold what exact arithmetic would give, whatever rounding or
//! overflow did to the computed value; and what is called undefined is so over the reals.

use super::{Function, Graph, Id, Interval, Op, Selection, Symbol, reachable};
use crate::elementary::Plain;

/// What is known of a value over the reals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Truth {
    /// It exists and lies in the interval.
    Real(Interval),
    /// It does not exist.
    Undefined,
    /// Rounding may have moved an operand over the edge of a domain.
    Unknown,
}

/// A value as computed, and as it is.
#[derive(Clone, Copy, Debug)]
pub struct Value {
    pub computed: f64,
    pub truth: Truth,
}

/// A function of numbers, ready to be evaluated at many points.
///
/// ```
/// use symdiff::ir::{Enclosed, Truth};
/// let f = Enclosed::new(symdiff::parse("log(x) - 1e6")?).expect("numbers only");
/// assert_eq!(f.at(&[-1.0]).truth, Truth::Undefined);
/// let Truth::Real(values) = f.at(&[2.0]).truth else { panic!("log(2) exists") };
/// assert!(values.contains(f.at(&[2.0]).computed) && values.high() - values.low() < 1e-9);
/// # Ok::<(), symdiff::Error>(())
/// ```
pub struct Enclosed {
    function: Function,
    order: Vec<Id>,
    places: Vec<usize>,
}

impl Enclosed {
    /// `None` for a function of arrays, reductions or scans: those are taken apart before.
    pub fn new(function: Function) -> Option<Enclosed> {
        let order = reachable(function.graph(), function.outputs());
        let is_number = |&id: &Id| {
            let op = function.graph().op(id);
            let of_numbers =
                matches!(op, Op::Input(_) | Op::Constant(_) | Op::Elementwise(_) | Op::Selection(_));
            of_numbers && function.graph().is_scalar(id)
        };
        if !order.iter().all(is_number) {
            return None;
        }
        let mut places = vec![usize::MAX; function.graph().len()];
        for (i, id) in order.iter().enumerate() {
            places[id.index()] = i;
        }
        Some(Enclosed { function, order, places })
    }

    pub fn function(&self) -> &Function {
        &self.function
    }

    /// The first output's value; an input that is missing is NaN.
    pub fn at(&self, x: &[f64]) -> Value {
        self.outputs_at(x).first().copied().unwrap_or(Value { computed: f64::NAN, truth: Truth::Undefined })
    }

    /// Every output's value.
    pub fn outputs_at(&self, x: &[f64]) -> Vec<Value> {
        let values = self.nodes_at(x);
        self.function.outputs().iter().map(|id| values[self.places[id.index()]].1).collect()
    }

    /// The value of every node the outputs need.
    pub fn nodes_at(&self, x: &[f64]) -> Vec<(Id, Value)> {
        let graph = self.function.graph();
        let mut values: Vec<(Id, Value)> = Vec::with_capacity(self.order.len());
        for &id in &self.order {
            let of = |x: &Id| values[self.places[x.index()]].1;
            let operands: Vec<Value> = graph.operands(id).iter().map(of).collect();
            let input = |symbol: Symbol| self.function.inputs().iter().position(|s| *s == symbol);
            let value = match graph.op(id) {
                Op::Input(symbol) => {
                    let value = input(symbol).and_then(|i| x.get(i).copied()).unwrap_or(f64::NAN);
                    Value { computed: value, truth: input_truth(value) }
                }
                _ => step(graph, id, &operands),
            };
            values.push((id, value));
        }
        values
    }
}

fn step(graph: &Graph, id: Id, operands: &[Value]) -> Value {
    match graph.op(id) {
        Op::Constant(c) => {
            let number = graph.number(c);
            Value { computed: number.to_f64(), truth: Truth::Real(Interval::around(number)) }
        }
        Op::Elementwise(op) => {
            let computed: Vec<f64> = operands.iter().map(|v| v.computed).collect();
            let computed = op.value(&mut Plain, &computed);
            let truth = true_image(operands, |values| {
                let image = op.image(values);
                match (image.values.is_empty(), image.total) {
                    (true, _) => Truth::Undefined,
                    (_, true) => Truth::Real(image.values),
                    _ => Truth::Unknown,
                }
            });
            Value { computed, truth }
        }
        Op::Selection(op) => select(op, operands),
        _ => Value { computed: f64::NAN, truth: Truth::Unknown },
    }
}

/// An infinite number stands for all that are larger than floats.
fn input_truth(value: f64) -> Truth {
    match value {
        f64::INFINITY => Truth::Real(Interval::within(f64::MAX, value)),
        f64::NEG_INFINITY => Truth::Real(Interval::within(value, f64::MIN)),
        _ if value.is_nan() => Truth::Undefined,
        _ => Truth::Real(Interval::point(value)),
    }
}

fn true_image(operands: &[Value], image: impl FnOnce(&[Interval]) -> Truth) -> Truth {
    if operands.iter().any(|v| v.truth == Truth::Undefined) {
        return Truth::Undefined;
    }
    let interval = |v: &Value| match v.truth {
        Truth::Real(values) => Some(values),
        _ => None,
    };
    match operands.iter().map(interval).collect::<Option<Vec<_>>>() {
        Some(values) => image(&values),
        None => Truth::Unknown,
    }
}

/// Truth values are 1 and 0; an interval from 0 to 1 is an undecided one.
fn select(op: Selection, operands: &[Value]) -> Value {
    let c = |i: usize| operands[i].computed;
    let is = |i: usize| c(i) != 0.0;
    let number = |b: bool| f64::from(u8::from(b));
    let decided = |b: bool| Truth::Real(Interval::point(number(b)));
    let open = Truth::Real(Interval::within(0.0, 1.0));
    let known = |truth: Truth| match truth {
        Truth::Real(values) => values.only().map(|v| v != 0.0),
        _ => None,
    };
    let (computed, truth) = match op {
        Selection::Select => {
            let branch = |b: bool| operands[if b { 1 } else { 2 }].truth;
            let truth = match (known(operands[0].truth), branch(true), branch(false)) {
                (Some(b), ..) => branch(b),
                (None, Truth::Real(a), Truth::Real(b)) => Truth::Real(a.hull(b)),
                _ => Truth::Unknown,
            };
            return Value { computed: c(if is(0) { 1 } else { 2 }), truth };
        }
        Selection::Not => (!is(0), known(operands[0].truth).map_or(open, |b| decided(!b))),
        Selection::And | Selection::Or => {
            let enough = op == Selection::Or;
            let sides = (known(operands[0].truth), known(operands[1].truth));
            let truth = match sides {
                (Some(b), _) | (_, Some(b)) if b == enough => decided(b),
                (Some(_), Some(_)) => decided(!enough),
                _ => open,
            };
            (if enough { is(0) || is(1) } else { is(0) && is(1) }, truth)
        }
        _ => {
            (op.compare(c(0), c(1)), compare(op, operands[0].truth, operands[1].truth).map_or(open, decided))
        }
    };
    Value { computed: number(computed), truth }
}

fn compare(op: Selection, a: Truth, b: Truth) -> Option<bool> {
    let (Truth::Real(a), Truth::Real(b)) = (a, b) else { return None };
    let (before, after) = (a.is_before(b), b.is_before(a));
    let same = a.only().is_some() && a == b;
    match op {
        Selection::Less if before => Some(true),
        Selection::Less if b.is_not_after(a) => Some(false),
        Selection::LessEqual if a.is_not_after(b) => Some(true),
        Selection::LessEqual if after => Some(false),
        Selection::Equal if before || after || same => Some(same),
        Selection::NotEqual if before || after || same => Some(!same),
        _ => None,
    }
}
