//! Whether two functions mean the same: by proof, at many points, or not, with a point.
//!
//! What must stay true: *different* names a point at which intervals around the true values do not
//! meet, or at which only one side has a value; rounding alone never makes a difference. *Proved*
//! means that simplification, whose rules keep values and domains, makes one form of both.

use crate::ir::{self, Enclosed, Function, Graph, Id, Symbol, Truth, Value};
use crate::simplify::{Level, Purpose, simplify};
use std::fmt;

/// How two functions compare; see [`equivalence`].
#[derive(Clone, Debug, PartialEq)]
pub enum Equivalence {
    /// Both simplify to the same form.
    Proved,
    /// No proof, but the same values at all points that were tried; so many of them count.
    Numerically { points: usize },
    /// Another value, or a value on one side only.
    Different(Difference),
    /// They cannot be compared, or no point says anything.
    Undecided { why: String },
}

/// Where two functions differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Which output, counted from 0 over all entries.
    pub output: usize,
    /// The inputs, by name.
    pub point: Vec<(String, f64)>,
    /// Both values as computed; NaN stands for none.
    pub values: [f64; 2],
}

/// Points that must agree before that counts for something.
const ENOUGH: usize = 8;

/// Points at which both are evaluated.
const POINTS: usize = 400;

/// Widest interval around a true value, relative to its size, that tells one number from another.
const SHARP: f64 = 1e-6;

/// Edges of domains, kinks, and numbers that functions tell apart.
const EDGES: [f64; 16] =
    [0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 0.25, 10.0, -10.0, 1e-3, -1e-3, 100.0, -100.0];

impl Equivalence {
    /// Proved, or equal at every point tried.
    pub fn holds(&self) -> bool {
        matches!(self, Equivalence::Proved | Equivalence::Numerically { .. })
    }
}

impl fmt::Display for Equivalence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Equivalence::Proved => write!(f, "equal, proved"),
            Equivalence::Numerically { points } => write!(f, "equal at {points} points, not proved"),
            Equivalence::Different(difference) => write!(f, "different: {difference}"),
            Equivalence::Undecided { why } => write!(f, "undecided: {why}"),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = |x: f64| if x.is_nan() { "undefined".to_owned() } else { format!("{x}") };
        let point: Vec<String> = self.point.iter().map(|(name, x)| format!("{name} = {x}")).collect();
        let at = if point.is_empty() { String::new() } else { format!("at {} ", point.join(", ")) };
        let [a, b] = self.values.map(value);
        write!(f, "{at}one is {a}, the other {b}")?;
        if self.output > 0 { write!(f, " (output {})", self.output) } else { Ok(()) }
    }
}

/// Compares two functions as functions of their inputs, which are matched by name.
///
/// Where simplification makes one form of both, that is a proof; else both are evaluated at points
/// that are the same in every run, each value with an interval around the true one. What is assumed
/// of either is taken to hold.
///
/// ```
/// use symdiff::{Equivalence, equivalence, grad, parse};
/// let df = grad(&parse("log(1 + exp(x))")?)?;
/// assert_eq!(equivalence(&df, &parse("1/(1 + exp(-x))")?), Equivalence::Proved);
///
/// let (f, g) = (parse("sqrt(x^2)")?, parse("x")?);
/// assert_eq!(equivalence(&f, &g).to_string(), "different: at x = -1 one is 1, the other -1");
/// # Ok::<(), symdiff::Error>(())
/// ```
pub fn equivalence(a: &Function, b: &Function) -> Equivalence {
    let pair = match Pair::new(a, b) {
        Ok(pair) => pair,
        Err(why) => return Equivalence::Undecided { why },
    };
    if pair.is_proved() { Equivalence::Proved } else { pair.compare() }
}

/// Fails a test unless both functions mean the same, and says how they compare.
///
/// ```
/// let df = symdiff::grad(&symdiff::parse("sin(x)^2")?)?;
/// symdiff::assert_equivalent(&df, &symdiff::parse("sin(2*x)")?);
/// # Ok::<(), symdiff::Error>(())
/// ```
///
/// # Panics
/// When they differ, or cannot be compared.
#[track_caller]
pub fn assert_equivalent(a: &Function, b: &Function) {
    let found = equivalence(a, b);
    assert!(found.holds(), "these are not known to be equivalent:\n  {a}\n  {b}\n{found}");
}

/// Both functions over the same inputs, one output after another: of `a`, of `b`, assumptions.
struct Pair {
    function: Function,
    outputs: usize,
    assumptions: usize,
}

impl Pair {
    fn new(a: &Function, b: &Function) -> Result<Pair, String> {
        let (outputs, others) = (a.output_size(), b.output_size());
        if outputs != others {
            return Err(format!("one has {outputs} outputs, the other {others}"));
        }
        let mut graph = Graph::new();
        let sides = [numbers(&mut graph, a), numbers(&mut graph, b)];
        let assumptions: Vec<Id> = sides.iter().flat_map(|side| side.assumptions.clone()).collect();
        let roots = sides.iter().flat_map(|side| side.outputs.clone()).chain(assumptions.iter().copied());
        let roots: Vec<Id> = roots.collect();
        let inputs: Vec<Symbol> = graph.symbols().collect();
        let mut function = Function::new(graph, inputs, roots);
        assumptions.iter().for_each(|&truth| function.assume(|_| truth));
        Ok(Pair { function, outputs, assumptions: assumptions.len() })
    }

    /// One form of both, or a difference that is 0.
    fn is_proved(&self) -> bool {
        let n = self.outputs;
        [Purpose::Read, Purpose::Compute].into_iter().any(|purpose| {
            let both = self.function.outputs()[..2 * n].to_vec();
            let alike = simplify(&self.function.clone().with_outputs(both), Level::Full, purpose);
            let same = (0..n).all(|i| alike.outputs()[i] == alike.outputs()[n + i]);
            same || self.differences_vanish(purpose)
        })
    }

    fn differences_vanish(&self, purpose: Purpose) -> bool {
        let n = self.outputs;
        let roots = self.function.outputs().to_vec();
        // The difference is a function of its own: the domain of both sides proves nothing about it.
        let differences = self.function.derive(|graph| {
            let minus = ir::Elementwise::Sub;
            (0..n).map(|i| graph.apply(minus, &[roots[i], roots[n + i]])).collect()
        });
        let simple = simplify(&differences.rooted(), Level::Full, purpose);
        let is_zero = |&id: &Id| simple.graph().constant(id).is_some_and(ir::Number::is_zero);
        simple.outputs().iter().all(is_zero)
    }

    fn compare(&self) -> Equivalence {
        let Some(enclosed) = Enclosed::new(self.function.clone()) else {
            return Equivalence::Undecided { why: "they cannot be taken apart into numbers".to_owned() };
        };
        let mut agreed = 0;
        for k in 0..POINTS {
            let x = point(k, self.function.inputs().len());
            let values = enclosed.outputs_at(&x);
            let holds = |v: &Value| v.computed != 0.0 && v.truth != Truth::Undefined;
            if !values[2 * self.outputs..].iter().all(holds) {
                continue;
            }
            let mut counts = true;
            for i in 0..self.outputs {
                match agreement(values[i], values[self.outputs + i]) {
                    Some(true) => {}
                    Some(false) => return Equivalence::Different(self.difference(i, &x, &values)),
                    None => counts = false,
                }
            }
            agreed += usize::from(counts);
        }
        match agreed >= ENOUGH {
            true => Equivalence::Numerically { points: agreed },
            false => Equivalence::Undecided {
                why: format!(
                    "only {agreed} of {POINTS} points say anything, under {} assumptions",
                    self.assumptions
                ),
            },
        }
    }

    fn difference(&self, output: usize, x: &[f64], values: &[Value]) -> Difference {
        let names = self.function.input_names().map(str::to_owned);
        let seen = |v: Value| if v.truth == Truth::Undefined { f64::NAN } else { v.computed };
        let values = [seen(values[output]), seen(values[self.outputs + output])];
        Difference { output, point: names.zip(x.iter().copied()).collect(), values }
    }
}

/// One side as numbers of numbers.
struct Side {
    outputs: Vec<Id>,
    assumptions: Vec<Id>,
}

/// Copies a function into the graph, every entry of an input as an input of its own.
fn numbers(graph: &mut Graph, function: &Function) -> Side {
    let count = function.outputs().len();
    let roots = [function.outputs(), function.assumptions()].concat();
    let mut outputs = 0;
    let flat = function.derive(|inner| {
        let parts = ir::elements(inner, &roots);
        outputs = parts[..count].iter().map(Vec::len).sum();
        let parts = parts.concat();
        let entries = inputs_for_entries(inner, &parts);
        inner.replaced(&parts, &entries)
    });
    let symbols = flat.graph().symbols().collect();
    let flat = flat.with_inputs(symbols);
    let used = flat.used_inputs();
    let inputs: Vec<Id> = used.iter().map(|&s| graph.input(flat.graph().symbol_name(s))).collect();
    let mut copied = graph.instance(&flat.with_inputs(used), &inputs);
    let assumptions = copied.split_off(outputs);
    Side { outputs: copied, assumptions }
}

/// For every node that reads an entry of an array, an input of that name.
fn inputs_for_entries(graph: &mut Graph, roots: &[Id]) -> Vec<(Id, Id)> {
    let mut entries = Vec::new();
    for id in ir::reachable(graph, roots) {
        let is_input = matches!(graph.op(id), ir::Op::Input(_));
        if let (Some((symbol, at)), false) = (ir::leaf(graph, id), is_input) {
            let name = format!("{}[{at}]", graph.symbol_name(symbol));
            entries.push((id, graph.input(&name)));
        }
    }
    entries
}

/// `Some` when both values are known well enough to be told apart or taken for one.
fn agreement(a: Value, b: Value) -> Option<bool> {
    match (a.truth, b.truth) {
        (Truth::Real(x), Truth::Real(y)) if x.meet(y).is_empty() => Some(false),
        (Truth::Real(x), Truth::Real(y)) => {
            let size = a.computed.abs().max(b.computed.abs()).max(f64::MIN_POSITIVE);
            let sharp = (x.high() - x.low()).max(y.high() - y.low()) <= SHARP * size;
            sharp.then_some(true)
        }
        (Truth::Undefined, Truth::Real(_)) | (Truth::Real(_), Truth::Undefined) => Some(false),
        _ => None,
    }
}

/// The point with a number: edges on all axes first, then numbers of all sizes up to 10.
fn point(k: usize, axes: usize) -> Vec<f64> {
    let mut state = (k as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    };
    let coordinate = |i: usize| match k {
        0..16 => EDGES[(k + 5 * i) % EDGES.len()],
        16..64 => EDGES[next() as usize % EDGES.len()],
        _ => {
            let unit = next() as f64 / (1u64 << 53) as f64;
            (2.0 * unit - 1.0) * [1.0, 3.0, 10.0][k % 3]
        }
    };
    (0..axes).map(coordinate).collect()
}
