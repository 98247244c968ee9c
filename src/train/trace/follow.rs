//! From a result that is not finite to the first operation that made it so: element by element, into
//! the steps of scans.
//!
//! What must stay true: each step goes to an operand's element that the result's element is made of
//! and that is not finite itself; where there is none, the operation at hand is the first.

use super::Anatomy;
use crate::elaborate::Origin;
use crate::ir::eval::{Interpreter, products, reduced, row_at};
use crate::ir::structural::Flow;
use crate::ir::{Graph, Id, Op, Precision, ScanBody, Selection, Structural};

/// An operand of an operation that went wrong.
#[derive(Clone, Debug)]
pub(crate) struct Operand {
    pub value: f64,
    pub name: Option<String>,
    pub origin: Option<Origin>,
}

/// What went wrong: the value of an operation, or one of its slopes.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub op: Op,
    /// What it gave.
    pub value: f64,
    /// What of; of sums and products of many, the largest.
    pub operands: Vec<Operand>,
    /// The operand whose slope it is, where the value itself is finite.
    pub slope: Option<usize>,
    pub name: Option<String>,
    pub origin: Option<Origin>,
    /// The steps of scans it happened in, the outermost first.
    pub steps: Vec<usize>,
    /// The op that made each operand, for words about it.
    pub made_by: Vec<Op>,
}

/// Values of all nodes of a graph that were computed.
pub(super) struct Values<'g> {
    pub graph: &'g Graph,
    values: Vec<Option<Vec<f64>>>,
}

impl<'g> Values<'g> {
    pub fn of(
        graph: &'g Graph,
        inputs: &[crate::ir::Symbol],
        outputs: &[Id],
        numbers: &[f64],
        precision: Precision,
    ) -> Values<'g> {
        let mut values = vec![None; graph.len()];
        for (id, numbers) in Interpreter::new(graph, inputs, outputs).values(numbers, precision) {
            values[id.index()] = Some(numbers);
        }
        Values { graph, values }
    }

    pub fn at(&self, id: Id) -> &[f64] {
        self.values[id.index()].as_deref().unwrap_or(&[])
    }

    /// An element; numbers stand for arrays of any shape.
    pub fn element(&self, id: Id, at: usize) -> f64 {
        let all = self.at(id);
        all.get(at).or_else(|| all.first()).copied().unwrap_or(f64::NAN)
    }
}

/// What first went wrong in the outputs' values at a point.
pub(crate) fn first_fault(anatomy: &Anatomy, numbers: &[f64], precision: Precision) -> Option<Fault> {
    let values = Values::of(&anatomy.graph, &anatomy.inputs, &anatomy.outputs, numbers, precision);
    let bad = |&id: &Id| values.at(id).iter().position(|x| !x.is_finite()).map(|at| (id, at));
    let start = anatomy.outputs.iter().find_map(bad)?;
    Some(follow(anatomy, &values, start, precision, Vec::new()))
}

fn follow(
    anatomy: &Anatomy,
    values: &Values<'_>,
    (mut id, mut at): (Id, usize),
    precision: Precision,
    steps: Vec<usize>,
) -> Fault {
    while let Some(next) = bad_operand(values, id, at) {
        (id, at) = next;
    }
    if let Op::Scan { body, .. } = values.graph.op(id)
        && let Some(fault) = within(anatomy, values, id, values.graph.body(body), precision, &steps)
    {
        return fault;
    }
    let graph = values.graph;
    let operands: Vec<Operand> = graph
        .operands(id)
        .iter()
        .map(|&x| Operand {
            value: telling(values, id, x, at),
            name: anatomy.name(graph, x).map(str::to_owned),
            origin: anatomy.origin(graph, x).cloned(),
        })
        .collect();
    Fault {
        op: graph.op(id),
        value: values.element(id, at),
        operands,
        slope: None,
        name: anatomy.name(graph, id).map(str::to_owned),
        origin: anatomy.origin(graph, id).cloned(),
        steps,
        made_by: graph.operands(id).iter().map(|&x| graph.op(x)).collect(),
    }
}

/// The number of an operand that tells what happened: the one at the place, or the largest.
pub(super) fn telling(values: &Values<'_>, id: Id, operand: Id, at: usize) -> f64 {
    match values.graph.op(id) {
        Op::Elementwise(_) | Op::Selection(_) => values.element(operand, at),
        _ => values.at(operand).iter().fold(0.0, |most: f64, x| if x.abs() > most.abs() { *x } else { most }),
    }
}

/// The element of an operand, not finite, that an element is made of.
fn bad_operand(values: &Values<'_>, id: Id, at: usize) -> Option<(Id, usize)> {
    let graph = values.graph;
    let operands = graph.operands(id);
    let bad = |x: Id, at: usize| (!values.element(x, at).is_finite()).then_some((x, at));
    let any = |x: Id| values.at(x).iter().position(|v| !v.is_finite()).map(|at| (x, at));
    match graph.op(id) {
        Op::Elementwise(_) => {
            // What is no number at all tells more than what is infinite.
            let nan = operands.iter().find(|&&x| values.element(x, at).is_nan()).map(|&x| (x, at));
            nan.or_else(|| operands.iter().find_map(|&x| bad(x, at)))
        }
        Op::Selection(Selection::Select) => {
            let taken = if values.element(operands[0], at) != 0.0 { 1 } else { 2 };
            bad(operands[taken], at)
        }
        Op::Structural(op) => match op {
            Structural::Stack => {
                let size = values.at(operands[0]).len().max(1);
                bad(*operands.get(at / size)?, at % size)
            }
            Structural::Gather => {
                let rows = graph.shape(operands[0]).extents()[0] as usize;
                let length = (values.at(operands[0]).len() / rows.max(1)).max(1);
                let row = row_at(values.element(operands[1], at / length), rows)?;
                bad(operands[0], row * length + at % length)
            }
            Structural::Iota => None,
            Structural::Scatter { .. } => any(operands[0]),
            _ => match op.flow(graph.shape(operands[0]), graph.shape(id)) {
                Flow::Pull(from) => from.get(at).copied().flatten().and_then(|from| bad(operands[0], from)),
                Flow::Push(to) => {
                    let mut sources = to.iter().enumerate().filter(|(_, to)| **to == at);
                    sources.find_map(|(from, _)| bad(operands[0], from))
                }
            },
        },
        Op::Reduce { axes, .. } => {
            let elements = reduced(graph.shape(operands[0]), graph.shape(id), axes);
            elements.get(at)?.iter().find_map(|&from| bad(operands[0], from))
        }
        Op::Contract { batch, over } => {
            let right = graph.shape(operands[1]).extents();
            let mut terms = products(right, batch, over, values.at(operands[0]).len()).nth(at)?;
            terms.find_map(|(i, j)| bad(operands[0], i).or_else(|| bad(operands[1], j)))
        }
        Op::Selection(_) => None,
        Op::Scan { .. } => operands.iter().find_map(|&x| any(x)),
        Op::Input(_) | Op::Constant(_) => None,
    }
}

/// What first went wrong in the steps of a scan whose operands are all finite.
fn within(
    anatomy: &Anatomy,
    values: &Values<'_>,
    id: Id,
    scan: &ScanBody,
    precision: Precision,
    steps: &[usize],
) -> Option<Fault> {
    let f = &scan.function;
    let operands = values.graph.operands(id);
    let mut carries: Vec<Vec<f64>> =
        operands[..scan.carries].iter().map(|&x| values.at(x).to_vec()).collect();
    for t in scan.order() {
        let mut numbers = carries.concat();
        for (i, &x) in operands[scan.carries..].iter().enumerate() {
            let all = values.at(x);
            match i < scan.sequences {
                true => {
                    let size = scan.input_type(scan.carries + i).shape.size();
                    numbers.extend_from_slice(all.get(t * size..(t + 1) * size)?);
                }
                false => numbers.extend_from_slice(all),
            }
        }
        let inner = Values::of(f.graph(), f.inputs(), f.outputs(), &numbers, precision);
        let bad = |&id: &Id| inner.at(id).iter().position(|x| !x.is_finite()).map(|at| (id, at));
        if let Some(start) = f.outputs().iter().find_map(bad) {
            let steps = steps.iter().copied().chain([t]).collect();
            return Some(follow(anatomy, &inner, start, precision, steps));
        }
        carries = (0..scan.carries).map(|i| inner.at(f.outputs()[i]).to_vec()).collect();
    }
    None
}
