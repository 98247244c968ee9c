//! Which subexpressions get names, so that no text is ever exponentially longer than its graph.
//!
//! A text of moderate length is written out whole. Beyond that, whatever is used twice and is
//! more than a few signs long is named once, before its users. What is printed is then at most
//! `SMALL` times the number of edges of the graph.

use crate::ir::{Elementwise, Graph, Id, Number, Op, Structural, leaf};
use smallvec::SmallVec;

/// Written out whole up to here: about ten lines of a terminal.
const MODERATE: u64 = 250;
/// The same for derivatives by arrays: what their formulas share is worth a name sooner.
const MODERATE_OF_ARRAYS: u64 = 60;
/// Names shorter than what they stand for: `x^2 + 1` is worth one, `sin(x^2)` is not.
const SMALL: u64 = 4;
/// First letters of names, best first.
const PREFIXES: [&str; 8] = ["t", "s", "u", "v", "w", "q", "p", "r"];

/// Names of shared subexpressions: a prefix and numbers in dependency order.
#[derive(Debug)]
pub struct Shared {
    prefix: String,
    /// By node index: its number, 0 for none.
    numbers: Vec<u32>,
    /// The named nodes, operands first.
    named: Vec<Id>,
}

impl Shared {
    /// Decides the names for a text of `outputs`.
    pub fn over(graph: &Graph, outputs: &[Id]) -> Shared {
        let count = outputs.iter().max().map_or(0, |last| last.index() + 1);
        let uses = uses(graph, outputs, count);
        let mut shared = Shared { prefix: free_prefix(graph), numbers: vec![0; count], named: Vec::new() };
        let written_out = sizes(graph, &uses, |_, _| false);
        let total = outputs.iter().fold(0u64, |sum, id| sum.saturating_add(written_out[id.index()]));
        let are_numbers = outputs.iter().all(|&id| graph.is_scalar(id));
        let moderate = if are_numbers || outputs.len() == 1 { MODERATE } else { MODERATE_OF_ARRAYS };
        if total > moderate {
            sizes(graph, &uses, |id, size| {
                let worth = uses[id.index()] >= 2 && size > SMALL;
                if worth {
                    shared.named.push(id);
                    shared.numbers[id.index()] = shared.named.len() as u32;
                }
                worth
            });
        }
        shared
    }

    /// The number of a named node, from 1.
    pub fn number(&self, id: Id) -> Option<usize> {
        self.numbers.get(id.index()).map(|&n| n as usize).filter(|&n| n > 0)
    }

    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The named nodes in dependency order; the first has number 1.
    pub fn named(&self) -> &[Id] {
        &self.named
    }
}

/// How often each node below `count` is written, names aside; each output counts as one use.
fn uses(graph: &Graph, outputs: &[Id], count: usize) -> Vec<u32> {
    let mut uses = vec![0u32; count];
    for output in outputs {
        uses[output.index()] += 1;
    }
    for id in graph.ids().take(count).rev() {
        if uses[id.index()] > 0 {
            for operand in operands(graph, id) {
                uses[operand.index()] = uses[operand.index()].saturating_add(1);
            }
        }
    }
    uses
}

/// Signs needed to write each used node, those for which `named` says so counting as one.
fn sizes(graph: &Graph, uses: &[u32], mut named: impl FnMut(Id, u64) -> bool) -> Vec<u64> {
    let mut sizes = vec![0u64; uses.len()];
    for id in graph.ids().take(uses.len()).filter(|id| uses[id.index()] > 0) {
        let inside = operands(graph, id).iter().fold(1u64, |sum, x| sum.saturating_add(sizes[x.index()]));
        sizes[id.index()] = if named(id, inside) { 1 } else { inside };
    }
    sizes
}

/// A prefix that with a number behind it is no input's name.
fn free_prefix(graph: &Graph) -> String {
    let taken = |prefix: &str| {
        graph.symbols().any(|symbol| {
            let rest = graph.symbol_name(symbol).strip_prefix(prefix);
            rest.is_some_and(|rest| rest.trim_start_matches('_').chars().all(char::is_numeric))
        })
    };
    let short = PREFIXES.iter().copied().find(|prefix| !taken(prefix));
    let long = || (1..).map(|n| "t".repeat(n)).find(|prefix| !taken(prefix));
    // A graph has finitely many inputs, so one of the long ones is free.
    short.map(str::to_owned).or_else(long).unwrap_or_default()
}

/// The operands as written: none for a leaf, and a scalar repeated to the shape of another
/// operand stands for itself.
pub fn operands(graph: &Graph, id: Id) -> SmallVec<[Id; 3]> {
    if leaf(graph, id).is_some() {
        return SmallVec::new();
    }
    let all: SmallVec<[Id; 3]> = graph.operands(id).into();
    if graph.is_scalar(id) || !matches!(graph.op(id), Op::Elementwise(_) | Op::Selection(_)) {
        return all;
    }
    let plain = all.iter().position(|&x| repeated_scalar(graph, x).is_none()).unwrap_or(0);
    let written = |(i, &x): (usize, &Id)| match repeated_scalar(graph, x) {
        Some(scalar) if i != plain => scalar,
        _ => x,
    };
    all.iter().enumerate().map(written).collect()
}

fn repeated_scalar(graph: &Graph, id: Id) -> Option<Id> {
    match graph.op(id) {
        Op::Structural(Structural::Broadcast { .. }) => {
            Some(graph.operand(id, 0)).filter(|&x| graph.is_scalar(x))
        }
        _ => None,
    }
}

/// The base and the positive exponent of a power with a negative constant exponent.
pub fn reciprocal(graph: &Graph, id: Id) -> Option<(Id, Number)> {
    let Op::Elementwise(Elementwise::Pow) = graph.op(id) else { return None };
    let of = operands(graph, id);
    let exponent = graph.constant(of[1])?;
    exponent.is_negative().then(|| (of[0], exponent.negate()))
}

/// True where [`reciprocal`] finds one.
pub fn is_reciprocal(graph: &Graph, id: Id) -> bool {
    reciprocal(graph, id).is_some()
}
