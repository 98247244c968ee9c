//! Small tensors taken apart: every element becomes a scalar expression of its own.
//!
//! For formulas with a handful of short vectors, whose derivatives are then read and compiled
//! like any other scalars. What is left of a vector input is one `pick` per element.

use super::eval::{products, reduced};
use super::structural::Flow;
use super::{Elementwise, Graph, Id, Number, Op, Reduction, Selection, Shape, Structural, Symbol, reachable};
use rustc_hash::FxHashMap;

/// The elements of each root, row-major, as scalar nodes added to the graph.
pub fn elements(graph: &mut Graph, roots: &[Id]) -> Vec<Vec<Id>> {
    let roots = &graph.unrolled(roots);
    let needed = reachable(graph, roots);
    if needed.iter().all(|&id| graph.is_scalar(id)) {
        return roots.iter().map(|&root| vec![root]).collect();
    }
    let mut parts: FxHashMap<Id, Vec<Id>> = FxHashMap::default();
    for id in needed {
        let of: Vec<Vec<Id>> = graph.operands(id).iter().map(|x| parts[x].clone()).collect();
        let part = take_apart(graph, id, &of);
        parts.insert(id, part);
    }
    roots.iter().map(|root| parts[root].clone()).collect()
}

/// The roots rebuilt from their elements, so that only stacks are left of tensors.
pub fn scalarise(graph: &mut Graph, roots: &[Id]) -> Vec<Id> {
    let parts = elements(graph, roots);
    let shapes: Vec<Shape> = roots.iter().map(|&root| graph.shape(root).clone()).collect();
    let rebuild = |(parts, shape): (Vec<Id>, Shape)| match shape.rank() {
        0 => parts[0],
        _ => {
            let flat = graph.stack(&parts);
            graph.reshape(flat, &shape)
        }
    };
    parts.into_iter().zip(shapes).map(rebuild).collect()
}

/// What a scalar leaf reads: an input and the flat position in it. `None` for anything computed.
pub fn leaf(graph: &Graph, id: Id) -> Option<(Symbol, usize)> {
    if !graph.is_scalar(id) {
        return None;
    }
    let mut at = 0;
    let mut node = id;
    // At most reshape ∘ slice ∘ reshape ∘ input, as `element_leaves` builds it.
    for _ in 0..4 {
        match graph.op(node) {
            Op::Input(symbol) => return Some((symbol, at)),
            Op::Structural(Structural::Reshape) => {}
            Op::Structural(Structural::Slice { start, .. }) if graph.shape(node).size() == 1 => {
                at = start as usize
            }
            _ => return None,
        }
        node = graph.operand(node, 0);
    }
    None
}

fn take_apart(graph: &mut Graph, id: Id, of: &[Vec<Id>]) -> Vec<Id> {
    let shape = graph.shape(id).clone();
    let column = |i: usize| -> Vec<Id> { of.iter().map(|x| x[i]).collect() };
    match graph.op(id) {
        Op::Input(_) | Op::Constant(_) => element_leaves(graph, id, &shape),
        Op::Elementwise(op) => (0..shape.size()).map(|i| graph.apply(op, &column(i))).collect(),
        Op::Selection(Selection::Select) => {
            (0..shape.size()).map(|i| graph.select(of[0][i], of[1][i], of[2][i])).collect()
        }
        Op::Selection(op) => (0..shape.size()).map(|i| graph.compare(op, &column(i))).collect(),
        Op::Structural(op) => moved(graph, op, id, of),
        Op::Reduce { op, axes } => {
            let from = graph.shape(graph.operand(id, 0)).clone();
            let groups = reduced(&from, &shape, axes);
            let elements = |group: Vec<usize>| group.into_iter().map(|at| of[0][at]).collect::<Vec<Id>>();
            groups.into_iter().map(|group| combined(graph, op, &elements(group))).collect()
        }
        Op::Contract { batch, over } => {
            let right: Vec<u32> = graph.shape(graph.operand(id, 1)).extents().to_vec();
            let mut entry = |terms: &mut dyn Iterator<Item = (usize, usize)>| {
                let product = |(i, j): (usize, usize)| graph.apply(Elementwise::Mul, &[of[0][i], of[1][j]]);
                let products: Vec<Id> = terms.map(product).collect();
                add_up(graph, &products)
            };
            products(&right, batch, over, of[0].len()).map(|mut terms| entry(&mut terms)).collect()
        }
        Op::Scan { .. } => unreachable!("scans have been written out"),
    }
}

/// An input's elements, as picks in row-major order.
fn element_leaves(graph: &mut Graph, id: Id, shape: &Shape) -> Vec<Id> {
    if shape.is_scalar() {
        return vec![id];
    }
    let flat = graph.reshape(id, &Shape::new([shape.size() as u32]));
    (0..shape.size() as u32).map(|i| graph.pick(flat, i)).collect()
}

fn add_up(graph: &mut Graph, terms: &[Id]) -> Id {
    let zero = graph.integer(0);
    terms.iter().fold(zero, |sum, &t| graph.apply(Elementwise::Add, &[sum, t]))
}

/// Structural ops on elements: which operand element lands where, sums where several do.
fn moved(graph: &mut Graph, op: Structural, id: Id, of: &[Vec<Id>]) -> Vec<Id> {
    let to = graph.shape(id).clone();
    match op {
        Structural::Stack => of.concat(),
        Structural::Iota => (0..to.size()).map(|i| graph.integer(i as i64)).collect(),
        Structural::Gather => {
            let length = of[0].len() / graph.shape(graph.operand(id, 0)).extents()[0].max(1) as usize;
            let undefined = {
                let zero = graph.integer(0);
                graph.apply(Elementwise::Div, &[zero, zero])
            };
            let entry = |at: usize| {
                let rows = of[0].iter().skip(at % length).step_by(length).copied().enumerate();
                rows.fold(undefined, |found, (row, x)| {
                    let here = is_row(graph, of[1][at / length], row);
                    graph.select(here, x, found)
                })
            };
            (0..to.size()).map(entry).collect()
        }
        Structural::Scatter { rows } => {
            let length = to.size() / rows.max(1) as usize;
            let zero = graph.integer(0);
            let entry = |at: usize| {
                let values = of[0].iter().skip(at % length).step_by(length).zip(&of[1]);
                let terms: Vec<Id> = values
                    .map(|(&x, &index)| {
                        let here = is_row(graph, index, at / length);
                        graph.select(here, x, zero)
                    })
                    .collect();
                add_up(graph, &terms)
            };
            (0..to.size()).map(entry).collect()
        }
        _ => match op.flow(&graph.shape(graph.operand(id, 0)).clone(), &to) {
            Flow::Pull(from) => {
                let zero = graph.integer(0);
                from.into_iter().map(|at| at.map_or(zero, |at| of[0][at])).collect()
            }
            Flow::Push(places) => {
                let mut terms: Vec<Vec<Id>> = vec![Vec::new(); to.size()];
                for (&x, place) in of[0].iter().zip(places) {
                    terms[place].push(x);
                }
                terms.iter().map(|t| add_up(graph, t)).collect()
            }
        },
    }
}

/// The condition that an index, truncated, names a row: it lies in [row, row + 1), or for the first
/// row in (−1, 1).
fn is_row(graph: &mut Graph, index: Id, row: usize) -> Id {
    let (row, next) = (graph.integer(row as i64), graph.integer(row as i64 + 1));
    let from = match graph.constant(row).is_some_and(Number::is_zero) {
        true => {
            let below = graph.integer(-1);
            graph.compare(Selection::Less, &[below, index])
        }
        false => graph.compare(Selection::LessEqual, &[row, index]),
    };
    let to = graph.compare(Selection::Less, &[index, next]);
    graph.compare(Selection::And, &[from, to])
}

/// A reduction of scalars.
fn combined(graph: &mut Graph, op: Reduction, elements: &[Id]) -> Id {
    let fold = match op {
        Reduction::Max => Elementwise::Max,
        Reduction::Min => Elementwise::Min,
        Reduction::LogSumExp => Elementwise::LogAddExp,
        Reduction::ArgMax => {
            let greatest = combined(graph, Reduction::Max, elements);
            let last = graph.integer(elements.len() as i64 - 1);
            return elements.iter().enumerate().rev().skip(1).fold(last, |found, (i, &x)| {
                let (here, i) = (graph.compare(Selection::Equal, &[x, greatest]), graph.integer(i as i64));
                graph.select(here, i, found)
            });
        }
    };
    elements[1..].iter().fold(elements[0], |found, &x| graph.apply(fold, &[found, x]))
}
