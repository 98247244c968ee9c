//! Small tensors taken apart: every element becomes a scalar expression of its own.
//!
//! For formulas with a handful of short vectors, whose derivatives are then read and compiled
//! like any other scalars. What is left of a vector input is one `pick` per element.

use super::structural::source_axis;
use super::{Elementwise, Graph, Id, Op, Selection, Shape, Structural, Symbol, reachable};
use rustc_hash::FxHashMap;

/// The elements of each root, row-major, as scalar nodes added to the graph.
pub fn elements(graph: &mut Graph, roots: &[Id]) -> Vec<Vec<Id>> {
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
        Op::Structural(Structural::Stack) => of.concat(),
        Op::Structural(op) => {
            let from = graph.shape(graph.operand(id, 0)).clone();
            moved(graph, op, &of[0], &from, &shape)
        }
        Op::Contract { over } => {
            let right = graph.shape(graph.operand(id, 1)).extents();
            let inner = right[..over as usize].iter().product::<u32>() as usize;
            let columns = right[over as usize..].iter().product::<u32>() as usize;
            let entry = |at: usize| {
                let (row, column) = (at / columns, at % columns);
                let term = |k: usize| [of[0][row * inner + k], of[1][k * columns + column]];
                let terms: Vec<[Id; 2]> = (0..inner).map(term).collect();
                let products: Vec<Id> = terms.iter().map(|t| graph.apply(Elementwise::Mul, t)).collect();
                add_up(graph, &products)
            };
            (0..shape.size()).map(entry).collect()
        }
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
fn moved(graph: &mut Graph, op: Structural, x: &[Id], from: &Shape, to: &Shape) -> Vec<Id> {
    let coordinates = |flat: usize, shape: &Shape| -> Vec<usize> {
        let mut rest = flat;
        let mut index: Vec<usize> = shape
            .extents()
            .iter()
            .rev()
            .map(|&d| {
                let i = rest % d as usize;
                rest /= d as usize;
                i
            })
            .collect();
        index.reverse();
        index
    };
    let flat = |index: &[usize], shape: &Shape| -> usize {
        index.iter().zip(shape.extents()).fold(0, |at, (i, &d)| at * d as usize + i)
    };
    let kept = |index: &[usize], axes: u8| -> Vec<usize> {
        let outside = index.iter().enumerate().filter(|(i, _)| axes >> i & 1 == 0);
        outside.map(|(_, &v)| v).collect()
    };
    match op {
        Structural::Sum { axes } => {
            let mut terms: Vec<Vec<Id>> = vec![Vec::new(); to.size()];
            for (i, &element) in x.iter().enumerate() {
                terms[flat(&kept(&coordinates(i, from), axes), to)].push(element);
            }
            terms.iter().map(|t| add_up(graph, t)).collect()
        }
        Structural::Broadcast { axes } => {
            (0..to.size()).map(|i| x[flat(&kept(&coordinates(i, to), axes), from)]).collect()
        }
        Structural::Reshape | Structural::Stack => x.to_vec(),
        Structural::Permute { order } => {
            let source = |i: usize| {
                let at = coordinates(i, to);
                let mut index = vec![0; at.len()];
                for (axis, &v) in at.iter().enumerate() {
                    index[source_axis(order, axis)] = v;
                }
                x[flat(&index, from)]
            };
            (0..to.size()).map(source).collect()
        }
        Structural::Slice { axis, start, .. } => {
            let source = |i: usize| {
                let mut index = coordinates(i, to);
                index[axis as usize] += start as usize;
                x[flat(&index, from)]
            };
            (0..to.size()).map(source).collect()
        }
        Structural::Pad { axis, start, .. } => {
            let zero = graph.integer(0);
            let source = |i: usize| {
                let mut index = coordinates(i, to);
                let inside = index[axis as usize].checked_sub(start as usize);
                match inside.filter(|&v| v < from.extents()[axis as usize] as usize) {
                    Some(v) => {
                        index[axis as usize] = v;
                        x[flat(&index, from)]
                    }
                    None => zero,
                }
            };
            (0..to.size()).map(source).collect()
        }
    }
}
