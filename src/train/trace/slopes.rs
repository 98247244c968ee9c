//! The first slope that went wrong, where the value is finite and the gradient is not.
//!
//! What must stay true: cotangents are simplified as those of a training step are; the operation found
//! has a finite cotangent itself, and gives an operand one that is not.

use super::Anatomy;
use super::follow::{Fault, Operand, Values};
use crate::differentiate::vjp;
use crate::ir::{DType, Function, Id, Op, Precision, reachable};
use crate::simplify::{Level, Purpose, prepared, simplified};

/// The cotangents of all nodes, as one function.
pub(crate) struct Cotangents {
    function: Function,
    nodes: Vec<Id>,
}

impl Cotangents {
    /// Of the first output, which is a number; of an array, of the sum of its elements.
    pub fn new(anatomy: &mut Anatomy) -> Cotangents {
        let graph = &mut anatomy.graph;
        let Some(&output) = anatomy.outputs.first() else {
            let function = Function::new(graph.clone(), anatomy.inputs.clone(), Vec::new());
            return Cotangents { function, nodes: Vec::new() };
        };
        let axes = ((1u16 << graph.shape(output).rank()) - 1) as u8;
        let mut inner = graph.clone();
        let root = if axes == 0 { output } else { inner.sum(output, axes) };
        let is_number = |id: &Id| inner.ty(*id).dtype == DType::F64;
        let nodes: Vec<Id> = reachable(&inner, &[root]).into_iter().filter(is_number).collect();
        let one = inner.integer(1);
        let bars = vjp(&mut inner, &[(root, one)], &nodes);
        let (nodes, bars): (Vec<Id>, Vec<Id>) =
            nodes.into_iter().zip(bars).filter_map(|(id, bar)| Some((id, bar?))).unzip();
        let function = Function::new(inner, anatomy.inputs.clone(), bars);
        Cotangents { function: simplified(function, Level::Fast, Purpose::Compute), nodes }
    }

    /// The cotangent of each node that has one.
    fn at(&self, numbers: &[f64], precision: Precision) -> Vec<(Id, Vec<f64>)> {
        let f = &self.function;
        let values = Values::of(f.graph(), f.inputs(), f.outputs(), numbers, precision);
        let of = |(&id, &bar): (&Id, &Id)| (id, values.at(bar).to_vec());
        self.nodes.iter().zip(f.outputs()).map(of).collect()
    }
}

/// Whether the gradient of the first output is finite at a point, as it is computed when nothing else is
/// asked for; an infinity on the way to it may do no harm.
pub(super) fn is_gradient_finite(function: &Function, numbers: &[f64]) -> bool {
    let Some(&output) = function.outputs().first() else { return true };
    let root = function.clone().into_derived(|graph| {
        let axes = ((1u16 << graph.shape(output).rank()) - 1) as u8;
        vec![if axes == 0 { output } else { graph.sum(output, axes) }]
    });
    let stable = prepared(root.rooted(), Level::Fast, Purpose::Compute).rooted();
    let (symbols, root) = (stable.inputs().to_vec(), stable.outputs()[0]);
    let gradient = stable.into_derived(|graph| {
        let inputs: Vec<Id> = symbols.iter().map(|&symbol| graph.input_node(symbol)).collect();
        let one = graph.integer(1);
        vjp(graph, &[(root, one)], &inputs).into_iter().flatten().collect()
    });
    let gradient = simplified(gradient, Level::Fast, Purpose::Compute);
    let values = Values::of(gradient.graph(), gradient.inputs(), gradient.outputs(), numbers, Precision::F64);
    gradient.outputs().iter().all(|&slope| values.at(slope).iter().all(|x| x.is_finite()))
}

/// The first slope that is not finite, on the way from the outputs to the inputs.
pub(crate) fn first_slope(
    anatomy: &Anatomy,
    cotangents: &Cotangents,
    numbers: &[f64],
    precision: Precision,
) -> Option<Fault> {
    let graph = &anatomy.graph;
    let mut bars: Vec<Option<Vec<f64>>> = vec![None; cotangents.function.graph().len().max(graph.len())];
    for (id, bar) in cotangents.at(numbers, precision) {
        bars[id.index()] = Some(bar);
    }
    let bad = |id: Id| bars[id.index()].as_ref().and_then(|bar| bar.iter().position(|x| !x.is_finite()));
    let is_input = |id: &Id| matches!(graph.op(*id), Op::Input(_));
    let nodes = reachable(graph, &anatomy.outputs);
    let mut id = nodes.iter().copied().filter(is_input).find(|&id| bad(id).is_some())?;
    let users = |x: Id| nodes.iter().copied().filter(move |&id| graph.operands(id).contains(&x));
    while let Some(user) = users(id).find(|&user| bad(user).is_some()) {
        id = user;
    }
    let at = bad(id)?;
    let values = Values::of(graph, &anatomy.inputs, &anatomy.outputs, numbers, precision);
    let steepest = users(id).filter_map(|user| slope(anatomy, &values, user, id, at));
    steepest.max_by(|a, b| rank(a.value).total_cmp(&rank(b.value)))
}

/// How bad a slope is.
fn rank(slope: f64) -> f64 {
    if slope.is_finite() { slope.abs() } else { f64::INFINITY }
}

/// The slope of a node by one of its operands.
fn slope(anatomy: &Anatomy, values: &Values<'_>, id: Id, operand: Id, at: usize) -> Option<Fault> {
    let graph = &anatomy.graph;
    let operands = graph.operands(id);
    let i = operands.iter().position(|&x| x == operand)?;
    let numbers: Vec<f64> = operands.iter().map(|&x| super::follow::telling(values, id, x, at)).collect();
    let value = match graph.op(id) {
        Op::Elementwise(op) => op.partial(i, &numbers, values.element(id, at)).unwrap_or(0.0),
        _ => 0.0,
    };
    let described = operands.iter().zip(&numbers).map(|(&x, &value)| Operand {
        value,
        name: anatomy.name(graph, x).map(str::to_owned),
        origin: anatomy.origin(graph, x).cloned(),
    });
    Some(Fault {
        op: graph.op(id),
        value,
        operands: described.collect(),
        slope: Some(i),
        name: anatomy.name(graph, id).map(str::to_owned),
        origin: anatomy.origin(graph, id).cloned(),
        steps: Vec::new(),
        made_by: operands.iter().map(|&x| graph.op(x)).collect(),
    })
}
