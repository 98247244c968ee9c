//! A graph's nodes as balls, again with more bits until the outputs are known.

use super::ball::{Ball, Stuck};
use super::float::Float;
use super::functions::{apply, at_infinity};
use crate::ir::{Elementwise, Function, Graph, Id, Number, Op, Selection, elements, leaf, reachable};
use dashu_int::IBig;
use smallvec::SmallVec;
use std::cmp::Ordering;

/// Bits of an output that have to be known.
const KNOWN: i64 = 100;

/// An output that is less than 2^this, or known to be within 2^this, is 0 to doubles.
const NOTHING: i64 = -1300;

/// Bits computed with, one after the other.
const PRECISIONS: [usize; 4] = [192, 512, 1280, 3072];

/// A number of the extended line.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Finite(Ball),
    Infinite { negative: bool },
}

/// A node's value, or why there is none.
pub type Truth = Result<Value, Stuck>;

impl Value {
    /// The nearest double.
    pub fn to_f64(&self) -> f64 {
        match self {
            Value::Finite(ball) => ball.to_f64(),
            Value::Infinite { negative: true } => f64::NEG_INFINITY,
            Value::Infinite { negative: false } => f64::INFINITY,
        }
    }

    pub(super) fn is_known(&self) -> bool {
        match self {
            Value::Infinite { .. } => true,
            Value::Finite(ball) => {
                let enough = |bits: i64| bits >= KNOWN;
                let nothing = |error: &IBig| *error <= IBig::from(NOTHING);
                let error = ball.error();
                error.is_none() || ball.known_bits().is_some_and(enough) || error.is_some_and(|e| nothing(&e))
            }
        }
    }

    /// |this − x| in units of 2^`unit`; infinite where one of the two is and the other is not.
    pub fn distance(&self, x: f64, unit: i64) -> f64 {
        match self {
            Value::Infinite { .. } if self.to_f64() == x => 0.0,
            Value::Finite(ball) if x.is_finite() => {
                let far = ball.sub(&Ball::exact(Float::from_f64(x)), 64);
                far.absolute().scaled(-unit).to_f64()
            }
            _ => f64::INFINITY,
        }
    }
}

/// A function ready to be evaluated in high precision.
///
/// ```
/// let f = symdiff::parse("(exp(x) - 1)/x")?;
/// let truth = symdiff::precise::Precise::new(&f).outputs(&[1e-9]);
/// assert_eq!(truth[0].as_ref().map(|y| y.to_f64()), Ok(1.0000000005));
/// # Ok::<(), symdiff::Error>(())
/// ```
pub struct Precise {
    function: Function,
    order: Vec<Id>,
    starts: Vec<usize>,
}

impl Precise {
    /// Arrays are taken apart into numbers.
    pub fn new(function: &Function) -> Precise {
        let outputs = function.outputs().to_vec();
        let function = function.derive(|graph| elements(graph, &outputs).concat());
        let order = reachable(function.graph(), function.outputs());
        let mut starts = vec![usize::MAX; function.graph().symbols().len()];
        let mut at = 0;
        for &symbol in function.inputs() {
            let graph = function.graph();
            starts[symbol.index()] = at;
            at += graph.type_of(graph.symbol_type(symbol)).shape.size();
        }
        Precise { function, order, starts }
    }

    /// The function that is evaluated: numbers only.
    pub fn function(&self) -> &Function {
        &self.function
    }

    /// The nodes the outputs need, operands first.
    pub(super) fn order(&self) -> &[Id] {
        &self.order
    }

    /// Which number of a point a node reads, if it reads one.
    pub(super) fn place(&self, id: Id) -> Option<usize> {
        let (symbol, at) = leaf(self.function.graph(), id)?;
        self.starts[symbol.index()].checked_add(at)
    }

    /// The outputs at a point.
    pub fn outputs(&self, point: &[f64]) -> Vec<Truth> {
        let nodes = self.nodes(point);
        let of = |id: &Id| nodes.get(id.index()).cloned().flatten().unwrap_or(Err(Stuck::Uncovered));
        self.function.outputs().iter().map(of).collect()
    }

    /// All nodes at a point, by id, `None` for those the outputs do not need. Precise are the outputs;
    /// a node whose value does not matter to them may be known less well.
    pub fn nodes(&self, point: &[f64]) -> Vec<Option<Truth>> {
        let mut nodes = Vec::new();
        for precision in PRECISIONS {
            nodes = self.run(point, precision);
            let decided = |id: &Id| match &nodes[id.index()] {
                Some(Ok(value)) => value.is_known(),
                Some(Err(stuck)) => *stuck != Stuck::Imprecise,
                None => true,
            };
            if self.function.outputs().iter().all(decided) {
                return nodes;
            }
        }
        for id in self.function.outputs() {
            let known = matches!(&nodes[id.index()], Some(Ok(value)) if value.is_known());
            let decided = matches!(&nodes[id.index()], Some(Err(stuck)) if *stuck != Stuck::Imprecise);
            if !known && !decided {
                nodes[id.index()] = Some(Err(Stuck::Imprecise));
            }
        }
        nodes
    }

    fn run(&self, point: &[f64], precision: usize) -> Vec<Option<Truth>> {
        let graph = self.function.graph();
        let mut nodes: Vec<Option<Truth>> = vec![None; self.order.last().map_or(0, |id| id.index() + 1)];
        for &id in &self.order {
            let value = match leaf(graph, id) {
                Some((symbol, at)) => {
                    let start = self.starts[symbol.index()];
                    input(start.checked_add(at).and_then(|at| point.get(at)).copied())
                }
                // What a leaf is made of has no value of its own.
                None if !graph.is_scalar(id) => continue,
                None => node(graph, id, &nodes, precision),
            };
            nodes[id.index()] = Some(value);
        }
        nodes
    }
}

fn input(x: Option<f64>) -> Truth {
    match x {
        Some(x) if x.is_finite() => Ok(Value::Finite(Ball::exact(Float::from_f64(x)))),
        Some(x) if x.is_infinite() => Ok(Value::Infinite { negative: x < 0.0 }),
        _ => Err(Stuck::Undefined),
    }
}

/// The exact number, or its quotient to so many bits.
fn constant(number: &Number, precision: usize) -> Truth {
    let (numerator, denominator) = number.big_fraction();
    let whole = |n: IBig| Ball::exact(Float::new(n, IBig::ZERO));
    if denominator == IBig::ONE {
        return Ok(Value::Finite(whole(numerator)));
    }
    whole(numerator).div(&whole(denominator), precision + 8).map(Value::Finite)
}

fn node(graph: &Graph, id: Id, nodes: &[Option<Truth>], precision: usize) -> Truth {
    let of = |i: usize| -> Truth {
        let found = nodes.get(graph.operand(id, i).index()).cloned().flatten();
        found.unwrap_or(Err(Stuck::Uncovered))
    };
    match graph.op(id) {
        Op::Constant(c) => constant(graph.number(c), precision),
        Op::Elementwise(op) => {
            let operands: SmallVec<[Value; 3]> = (0..op.arity()).map(of).collect::<Result<_, _>>()?;
            elementwise(op, &operands, precision)
        }
        Op::Selection(op) => selection(op, of),
        _ => Err(Stuck::Uncovered),
    }
}

/// The value of an op on numbers, as every node is computed.
pub fn elementwise(op: Elementwise, operands: &[Value], precision: usize) -> Truth {
    let finite: SmallVec<[Ball; 3]> = operands
        .iter()
        .filter_map(|x| match x {
            Value::Finite(ball) => Some(ball.clone()),
            Value::Infinite { .. } => None,
        })
        .collect();
    if finite.len() < operands.len() {
        return with_infinities(op, operands, precision);
    }
    let is_zero = || finite.iter().any(Ball::is_zero);
    match op {
        Elementwise::Log | Elementwise::Log2 | Elementwise::Log10 if is_zero() => {
            Ok(Value::Infinite { negative: true })
        }
        _ => apply(op, &finite, precision).map(Value::Finite),
    }
}

fn with_infinities(op: Elementwise, operands: &[Value], precision: usize) -> Truth {
    use Elementwise::{Add, Div, Hypot, LogAddExp, Max, Min, Mul, Pow, Sub};
    use Value::{Finite, Infinite};
    let negative = |x: &Value| -> Result<Option<bool>, Stuck> {
        match x {
            Infinite { negative } => Ok(Some(*negative)),
            Finite(ball) => Ok(match ball.sign()? {
                Ordering::Equal => None,
                order => Some(order == Ordering::Less),
            }),
        }
    };
    let flipped = |x: &Value| match x {
        Infinite { negative } => Infinite { negative: !negative },
        Finite(ball) => Finite(ball.negated()),
    };
    match (op, operands) {
        (_, [Infinite { negative }]) => at_infinity(op, *negative, precision),
        (Add, [Infinite { negative: a }, Infinite { negative: b }]) if a != b => Err(Stuck::Undefined),
        (Add, [x @ Infinite { .. }, _] | [_, x @ Infinite { .. }]) => Ok(x.clone()),
        (Sub, [a, b]) => with_infinities(Add, &[a.clone(), flipped(b)], precision),
        (Mul, [a, b]) => match (negative(a)?, negative(b)?) {
            (Some(a), Some(b)) => Ok(Infinite { negative: a != b }),
            _ => Err(Stuck::Undefined),
        },
        (Div, [Finite(_), Infinite { .. }]) => Ok(Finite(Ball::integer(0))),
        (Div, [Infinite { negative: a }, b @ Finite(_)]) => match negative(b)? {
            Some(b) => Ok(Infinite { negative: *a != b }),
            None => Err(Stuck::Undefined),
        },
        (Pow, [Infinite { negative: base }, Finite(n)]) => {
            match (negative(&operands[1])?, n.middle.floor()) {
                (Some(true), _) => Ok(Finite(Ball::integer(0))),
                (Some(false), _) if !base => Ok(Infinite { negative: false }),
                (Some(false), Some(whole)) if Float::new(whole.clone(), IBig::ZERO) == n.middle => {
                    Ok(Infinite { negative: whole % IBig::from(2) != IBig::ZERO })
                }
                _ => Err(Stuck::Undefined),
            }
        }
        (Hypot, _) => Ok(Infinite { negative: false }),
        (Max | LogAddExp, [Infinite { negative: true }, x] | [x, Infinite { negative: true }]) => {
            Ok(x.clone())
        }
        (Min, [Infinite { negative: false }, x] | [x, Infinite { negative: false }]) => Ok(x.clone()),
        (Max | LogAddExp, _) => Ok(Infinite { negative: false }),
        (Min, _) => Ok(Infinite { negative: true }),
        _ => Err(Stuck::Undefined),
    }
}

fn truth(b: bool) -> Truth {
    Ok(Value::Finite(Ball::integer(i64::from(b))))
}

fn is_true(x: Truth) -> Result<bool, Stuck> {
    match x? {
        Value::Finite(ball) => Ok(!ball.is_zero()),
        Value::Infinite { .. } => Ok(true),
    }
}

/// Only the branch that is taken is looked at. A comparison with what is undefined is false, as with
/// NaN, but for `ne`.
fn selection(op: Selection, of: impl Fn(usize) -> Truth) -> Truth {
    match op {
        Selection::Select => of(if is_true(of(0))? { 1 } else { 2 }),
        Selection::Not => truth(!is_true(of(0))?),
        Selection::And => truth(is_true(of(0))? && is_true(of(1))?),
        Selection::Or => truth(is_true(of(0))? || is_true(of(1))?),
        _ => match (of(0), of(1)) {
            (Err(Stuck::Undefined), _) | (_, Err(Stuck::Undefined)) => truth(op == Selection::NotEqual),
            (a, b) => {
                let order = order(&a?, &b?)?;
                truth(match op {
                    Selection::Less => order == Ordering::Less,
                    Selection::LessEqual => order != Ordering::Greater,
                    Selection::Equal => order == Ordering::Equal,
                    _ => order != Ordering::Equal,
                })
            }
        },
    }
}

fn order(a: &Value, b: &Value) -> Result<Ordering, Stuck> {
    match (a, b) {
        (Value::Finite(a), Value::Finite(b)) => a.compare(b),
        // Infinities are beside everything finite where their doubles are.
        _ => {
            let place = |x: &Value| match x {
                Value::Finite(_) => 0,
                Value::Infinite { negative } => {
                    if *negative {
                        -1
                    } else {
                        1
                    }
                }
            };
            Ok(place(a).cmp(&place(b)))
        }
    }
}
