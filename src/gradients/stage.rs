//! Differentiation by whole arrays: pullbacks, and all unit directions at once where a derivative
//! has the axes of two arrays.

use crate::batch::{Batched, batch};
use crate::derivation::Derivation;
use crate::differentiate::{self, Mode};
use crate::ir::structural::pack_order;
use crate::ir::{Function, Graph, Id, Selection, Shape};
use crate::simplify::simplified_around;

/// A function on its way, simplified after each differentiation, and what the program's values
/// have become in it.
pub(super) struct Stage<'a> {
    pub function: Function,
    pub values: Vec<Id>,
    pub derivation: &'a Derivation,
}

impl Stage<'_> {
    /// The outputs that `f` derives.
    fn derive(&mut self, f: impl FnOnce(&mut Graph) -> Vec<Id>) -> Vec<Id> {
        let (level, purpose) = (self.derivation.level, self.derivation.purpose);
        let derived = self.function.derive(f);
        (self.function, self.values) = simplified_around(derived, &self.values, level, purpose);
        self.function.outputs().to_vec()
    }

    /// The derivative of some order by each array.
    pub fn partials(&mut self, y: Id, wrt: &[Id], order: u32) {
        let mode = self.derivation.mode;
        let mut slopes = self.derive(|graph| match (mode, graph.is_scalar(y)) {
            (Mode::Reverse, true) => pulled_back(graph, y, wrt),
            _ => wrt.iter().map(|&x| jacobian(graph, y, x, mode)).collect(),
        });
        for _ in 1..order {
            slopes = self.derive(|graph| {
                slopes.iter().zip(wrt).map(|(&slope, &x)| jacobian(graph, slope, x, mode)).collect()
            });
        }
    }

    /// The second derivatives by every two arrays.
    pub fn hessian(&mut self, y: Id, wrt: &[Id]) {
        let mode = self.derivation.mode;
        let slopes = self.derive(|graph| pulled_back(graph, y, wrt));
        self.derive(|graph| {
            let row = |(i, &slope): (usize, &Id)| -> Vec<Id> {
                wrt[i..].iter().map(|&x| jacobian(graph, slope, x, mode)).collect()
            };
            slopes.iter().enumerate().flat_map(row).collect()
        });
    }

    /// The Hessian times directions, which become inputs after the others.
    pub fn hessian_product(&mut self, y: Id, wrt: &[Id], names: &[String]) {
        let slopes = self.derive(|graph| pulled_back(graph, y, wrt));
        let mut inputs = self.function.inputs().to_vec();
        self.derive(|graph| {
            let directions = wrt.iter().zip(names).map(|(&x, name)| (x, direction(graph, x, name)));
            let seeds: Vec<(Id, Id)> = directions.collect();
            inputs.extend(seeds.iter().filter_map(|seed| graph.input_symbol(seed.1)));
            let dots = differentiate::jvp(graph, &slopes, &seeds);
            dots.into_iter().zip(wrt).map(|(dot, &x)| dot.unwrap_or_else(|| zeros(graph, x))).collect()
        });
        self.function = self.function.clone().with_inputs(inputs);
    }
}

/// ∂y/∂x, of the axes of `y`, then those of `x`: the pullbacks of all unit cotangents at once, or
/// the pushforwards of all unit tangents.
pub(crate) fn jacobian(graph: &mut Graph, y: Id, x: Id, mode: Mode) -> Id {
    let one = graph.integer(1);
    match mode {
        Mode::Reverse if graph.is_scalar(y) => return pulled_back(graph, y, &[x])[0],
        Mode::Forward if graph.is_scalar(x) => {
            let dot = differentiate::jvp(graph, &[y], &[(x, one)])[0];
            return dot.unwrap_or_else(|| zeros(graph, y));
        }
        _ => {}
    }
    let (seeded, other) = if mode == Mode::Reverse { (y, x) } else { (x, y) };
    let (rows, columns) = (graph.shape(seeded).clone(), graph.shape(other).clone());
    let shape = Shape::new(rows.extents().iter().chain(columns.extents()).copied());
    let unit = direction(graph, seeded, "unit");
    let one_row = match mode {
        Mode::Reverse => differentiate::vjp(graph, &[(y, unit)], &[x])[0],
        Mode::Forward => differentiate::jvp(graph, &[y], &[(x, unit)])[0],
    };
    let Some(one_row) = one_row else { return zeros_of(graph, &shape) };
    let units = identity(graph, &rows);
    let all = match batch(graph, &[one_row], &[(unit, units)], rows.size() as u32)[0] {
        Batched::Each(all) => graph.reshape(all, &shape),
        Batched::Once(_) => zeros_of(graph, &shape),
    };
    match mode {
        Mode::Reverse => all,
        Mode::Forward => {
            let (front, back) = (rows.rank(), columns.rank());
            graph.permute(all, pack_order((front..front + back).chain(0..front)))
        }
    }
}

/// Unit arrays of a shape, one for each of its elements along a new leading axis.
fn identity(graph: &mut Graph, shape: &Shape) -> Id {
    let size = shape.size() as u32;
    let square = Shape::new([size, size]);
    let place = graph.iota(size);
    let (row, column) = (graph.broadcast(place, 0b10, &square), graph.broadcast(place, 0b01, &square));
    let (one, zero) = (graph.integer(1), graph.integer(0));
    let same = graph.compare(Selection::Equal, &[row, column]);
    let unit = graph.select(same, one, zero);
    graph.reshape(unit, &Shape::new(std::iter::once(size).chain(shape.extents().iter().copied())))
}

pub(crate) fn pulled_back(graph: &mut Graph, y: Id, inputs: &[Id]) -> Vec<Id> {
    let one = graph.integer(1);
    let bars = differentiate::vjp(graph, &[(y, one)], inputs);
    bars.into_iter().zip(inputs).map(|(bar, &x)| bar.unwrap_or_else(|| zeros(graph, x))).collect()
}

/// A new input of the shape of `x`, called `v_` and its name: a direction.
pub(crate) fn direction(graph: &mut Graph, x: Id, name: &str) -> Id {
    let mut name = format!("v_{name}");
    while graph.symbol(&name).is_some() {
        name.push('_');
    }
    let ty = graph.node(x).ty;
    graph.input_of(&name, ty)
}

pub(crate) fn zeros(graph: &mut Graph, like: Id) -> Id {
    let shape = graph.shape(like).clone();
    zeros_of(graph, &shape)
}

fn zeros_of(graph: &mut Graph, shape: &Shape) -> Id {
    let zero = graph.integer(0);
    graph.broadcast(zero, ((1u16 << shape.rank()) - 1) as u8, shape)
}
