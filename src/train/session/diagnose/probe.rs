//! Values and gradients of a program at given weights, on some of its training rows.

use super::Case;
use crate::elaborate::program::Model;
use crate::error::Error;
use crate::ir::{Function, Id, Precision};
use crate::jit::tensor::TensorKernel;
use crate::loops::tensor::TensorOptions;
use crate::train::session::evaluation::Evaluation;
use crate::train::session::step::mean_gradient;
use crate::train::trace::Anatomy;

/// Rows looked at, evenly spaced.
const ROWS: usize = 256;

/// A program without dropout and the like, ready to be looked at.
pub(super) struct Probe {
    pub model: Model,
    pub anatomy: Anatomy,
    inputs: Vec<Vec<f64>>,
    pub rows: Vec<u32>,
}

impl Probe {
    pub fn new(case: &Case<'_>) -> Result<Probe, Error> {
        let model = case.program.predict.clone();
        let anatomy = anatomy_of(&model)?;
        let train = &case.prepared.split.train;
        let count = train.len().min(ROWS);
        let rows = match model.inputs.is_empty() {
            true => vec![0],
            false => (0..count).map(|i| train[i * train.len() / count]).collect(),
        };
        Ok(Probe { model, anatomy, inputs: case.prepared.examples.inputs.clone(), rows })
    }

    /// Nodes of the graph that is computed, for each row.
    pub fn values(&self, nodes: &[Id], params: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, Error> {
        let mut model = self.model.clone();
        model.graph = self.anatomy.graph.clone();
        self.evaluate(&model, nodes, params)
    }

    /// Nodes of the program's own graph, for each row.
    pub fn own_values(&self, nodes: &[Id], params: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, Error> {
        self.evaluate(&self.model, nodes, params)
    }

    fn evaluate(&self, model: &Model, nodes: &[Id], params: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, Error> {
        if nodes.is_empty() || self.rows.is_empty() {
            return Ok(vec![Vec::new(); nodes.len()]);
        }
        let mut evaluation = Evaluation::new(model, nodes, self.rows.len(), Precision::F64)?;
        evaluation.run(params, &self.inputs, &self.rows)
    }

    /// The gradient of the mean loss of the rows, at several weights.
    pub fn gradients(&self, at: &[&Vec<Vec<f64>>]) -> Result<Vec<Vec<Vec<f64>>>, Error> {
        let (function, layout) = mean_gradient(&self.model, self.rows.len().max(1) as u32)?;
        let options = TensorOptions { precision: Precision::F64, ..TensorOptions::default() };
        let kernel = TensorKernel::compile(&function, &options)?;
        let mut workspace = kernel.workspace();
        for (values, &place) in self.inputs.iter().zip(&layout.data) {
            let size = function.graph().type_of(function.graph().symbol_type(function.inputs()[place]));
            let size = size.shape.size() / self.rows.len().max(1);
            let taken = self.rows.iter().flat_map(|&row| &values[row as usize * size..][..size]);
            workspace.set(place, &taken.copied().collect::<Vec<f64>>())?;
        }
        let mut all = Vec::new();
        for params in at {
            for (&place, values) in layout.params.iter().zip(*params) {
                workspace.set(place, values)?;
            }
            kernel.run(&mut workspace);
            let mut found = Vec::new();
            for (&output, values) in layout.gradients.iter().zip(*params) {
                let mut gradient = vec![0.0; values.len()];
                workspace.get(output, &mut gradient)?;
                found.push(gradient);
            }
            all.push(found);
        }
        Ok(all)
    }
}

/// A model's objective for one example as it is computed; its values' names are known.
pub(super) fn anatomy_of(model: &Model) -> Result<Anatomy, Error> {
    let symbols = model.graph.symbols().collect();
    let function = Function::new(model.graph.clone(), symbols, vec![model.objective()?.node]);
    Ok(Anatomy::new(&function, &model.origins, &model.named_nodes()))
}
