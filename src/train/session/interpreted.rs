//! Functions over arrays, run by the reference interpreter on storage that is kept between runs.
//!
//! What must stay true: an output that is stored where an input is becomes that input's value.

use crate::error::{Diagnostic, Error};
use crate::ir::{Function, eval};

/// A function and where its outputs go.
pub(super) struct TensorKernel {
    function: Function,
    in_place: Vec<(usize, usize)>,
}

/// The values of a kernel's inputs and outputs, between runs.
pub(super) struct Workspace {
    inputs: Vec<Vec<f64>>,
    outputs: Vec<Vec<f64>>,
    in_place: Vec<(usize, usize)>,
}

impl TensorKernel {
    /// Outputs that are stored where inputs are come as pairs of output and input.
    pub fn new(function: Function, in_place: Vec<(usize, usize)>) -> TensorKernel {
        TensorKernel { function, in_place }
    }

    /// Storage, all zero.
    pub fn workspace(&self) -> Workspace {
        let graph = self.function.graph();
        let sizes = self.function.inputs().iter().map(|&s| graph.type_of(graph.symbol_type(s)).shape.size());
        let outputs = self.function.outputs().iter().map(|&id| vec![0.0; graph.shape(id).size()]);
        Workspace {
            inputs: sizes.map(|size| vec![0.0; size]).collect(),
            outputs: outputs.collect(),
            in_place: self.in_place.clone(),
        }
    }

    /// Computes the outputs from the inputs.
    pub fn run(&self, workspace: &mut Workspace) {
        let inputs = workspace.inputs.concat();
        let graph = self.function.graph();
        let values = eval::evaluate(graph, self.function.inputs(), self.function.outputs(), &inputs);
        let mut rest = values.as_slice();
        for output in &mut workspace.outputs {
            let (own, others) = rest.split_at(output.len());
            output.copy_from_slice(own);
            rest = others;
        }
        for &(output, input) in &workspace.in_place {
            workspace.inputs[input].clone_from(&workspace.outputs[output]);
        }
    }
}

impl Workspace {
    /// How many numbers an input has.
    pub fn input_size(&self, input: usize) -> usize {
        self.inputs[input].len()
    }

    /// How many numbers an output has.
    pub fn output_size(&self, output: usize) -> usize {
        self.outputs[output].len()
    }

    /// Sets an input.
    ///
    /// # Errors
    /// Where the length is another.
    pub fn set(&mut self, input: usize, values: &[f64]) -> Result<(), Error> {
        check(values.len(), self.inputs[input].len())?;
        self.inputs[input].copy_from_slice(values);
        Ok(())
    }

    /// Reads an output; one that is stored where an input is has that input's value.
    ///
    /// # Errors
    /// Where the length is another.
    pub fn get(&self, output: usize, values: &mut [f64]) -> Result<(), Error> {
        let stored = self.in_place.iter().find(|pair| pair.0 == output);
        let from = stored.map_or(&self.outputs[output], |&(_, input)| &self.inputs[input]);
        check(values.len(), from.len())?;
        values.copy_from_slice(from);
        Ok(())
    }
}

fn check(given: usize, needed: usize) -> Result<(), Error> {
    if given == needed {
        return Ok(());
    }
    Err(Error::input(Diagnostic::error(format!("{given} numbers were given where {needed} are needed"))))
}
