//! The Hessian of the mean loss times vectors: how curved the loss is, and Newton's method.
//!
//! What must stay true: the products are exact derivatives of the loss, weight decay included;
//! dropout and the like play no part.

use super::run::Training;
use super::step::hessian_vector;
use crate::error::Error;
use crate::ir::Precision;
use crate::jit::tensor::{TensorKernel, Workspace};
use crate::loops::tensor::TensorOptions;
use crate::train::Objective;

/// Training rows the curvature is taken over, at most: it is a property of the mean.
const ROWS: usize = 1024;

/// A kernel that multiplies by the Hessian.
pub(super) struct Curvature {
    kernel: TensorKernel,
    workspace: Workspace,
    /// Of each parameter: its input, its direction's, the product's output, and how many numbers.
    places: Vec<(usize, usize, usize, usize)>,
    /// The first fault of an evaluation.
    pub fault: Option<Error>,
}

impl Curvature {
    /// Products over the first training rows of a run; `all` takes every one of them.
    pub fn of(training: &Training, all: bool) -> Result<Curvature, Error> {
        let (model, examples) = (&training.predict, &training.prepared.examples);
        let rows = &training.prepared.split.train;
        let rows = &rows[..if all { rows.len() } else { rows.len().min(ROWS) }];
        let (function, layout) = hessian_vector(model, rows.len().max(1) as u32)?;
        let options = TensorOptions { precision: Precision::F64, ..TensorOptions::default() };
        let kernel = TensorKernel::compile(&function, &options)?;
        let mut workspace = kernel.workspace();
        for (values, &place) in examples.inputs.iter().zip(&layout.data) {
            let size = values.len() / examples.count.max(1);
            let taken = rows.iter().flat_map(|&row| &values[row as usize * size..][..size]);
            workspace.set(place, &taken.copied().collect::<Vec<f64>>())?;
        }
        let sizes = model.params.iter().map(|param| model.graph.shape(param.node).size());
        let inputs = layout.params.iter().zip(&layout.directions).zip(&layout.gradients);
        let places = inputs.zip(sizes).map(|(((&w, &v), &product), size)| (w, v, product, size)).collect();
        Ok(Curvature { kernel, workspace, places, fault: None })
    }

    fn product(&mut self, x: &[f64], v: &[f64], out: &mut [f64]) -> Result<(), Error> {
        let mut start = 0;
        for &(param, direction, _, size) in &self.places {
            self.workspace.set(param, &x[start..start + size])?;
            self.workspace.set(direction, &v[start..start + size])?;
            start += size;
        }
        self.kernel.run(&mut self.workspace);
        let mut start = 0;
        for &(_, _, product, size) in &self.places {
            self.workspace.get(product, &mut out[start..start + size])?;
            start += size;
        }
        Ok(())
    }

    /// The Hessian at a point, row by row: one product a column.
    pub fn matrix(&mut self, x: &[f64], out: &mut [f64]) {
        let n = x.len();
        let mut unit = vec![0.0; n];
        for (i, row) in out.chunks_exact_mut(n.max(1)).enumerate() {
            unit[i] = 1.0;
            self.hessian_vector(x, &unit, row);
            unit[i] = 0.0;
        }
    }
}

impl Objective for Curvature {
    fn dimension(&self) -> usize {
        self.places.iter().map(|place| place.3).sum()
    }

    /// Not what this is for: nobody asks.
    fn value_and_gradient(&mut self, _: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.fill(f64::NAN);
        f64::NAN
    }

    fn hessian_vector(&mut self, x: &[f64], v: &[f64], out: &mut [f64]) -> bool {
        match self.product(x, v, out) {
            Ok(()) => true,
            Err(error) => {
                self.fault.get_or_insert(error);
                out.fill(f64::NAN);
                false
            }
        }
    }
}
