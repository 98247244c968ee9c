//! The values of a model for many examples: losses, metrics, predictions.
//!
//! What must stay true: entry `i` of each value is that of example `i`, whatever the size of the
//! blocks the examples are taken in.

use super::step::stable;
use crate::batch::{Batched, batch};
use crate::elaborate::program::Model;
use crate::error::Error;
use crate::ir::{DType, Function, Graph, Id, Op, Precision, Shape, Type, reachable};
use crate::jit::tensor::{TensorKernel, Workspace};
use crate::loops::tensor::TensorOptions;
use crate::simplify::{Level, Purpose, simplified};

/// Examples computed at a time.
const BLOCK: usize = 256;

/// A kernel that computes some values of a model for a block of examples.
pub(super) struct Evaluation {
    kernel: TensorKernel,
    workspace: Workspace,
    block: usize,
    /// Which of the model's inputs and parameters are needed, in the order of the kernel's inputs.
    inputs: Vec<usize>,
    params: Vec<usize>,
    /// The size of each input's and each value's entry for one example.
    sizes: Vec<usize>,
    values: Vec<usize>,
}

/// One more name for an input of the batch.
fn many_of(name: &str) -> String {
    format!("many {name}")
}

impl Evaluation {
    /// A kernel for these nodes of the model, for blocks of at most `count` examples.
    pub fn new(model: &Model, nodes: &[Id], count: usize, precision: Precision) -> Result<Evaluation, Error> {
        let (mut graph, roots) = stable(model, nodes.to_vec());
        let roots: Vec<Id> = roots.into_iter().map(|root| as_number(&mut graph, root)).collect();
        let block = count.clamp(1, BLOCK);
        let used = reachable(&graph, &roots);
        let find = |graph: &Graph, name: &str| {
            used.iter()
                .copied()
                .find(|&id| matches!(graph.op(id), Op::Input(s) if graph.symbol_name(s) == name))
        };
        let named: Vec<Option<Id>> = model.inputs.iter().map(|input| find(&graph, &input.name)).collect();
        let inputs: Vec<usize> = (0..named.len()).filter(|&i| named[i].is_some()).collect();
        let params: Vec<(usize, Id)> = model
            .params
            .iter()
            .enumerate()
            .filter_map(|(k, param)| Some((k, find(&graph, &param.name)?)))
            .collect();
        let mut symbols = Vec::new();
        let mut pairs = Vec::new();
        let mut sizes = Vec::new();
        for &one in inputs.iter().filter_map(|&i| named[i].as_ref()) {
            let shape = graph.shape(one).clone();
            let extents = std::iter::once(block as u32).chain(shape.extents().iter().copied());
            let ty = graph.type_id(Type::new(DType::F64, Shape::new(extents)));
            let name = many_of(&symbols.len().to_string());
            pairs.push((one, graph.input_of(&name, ty)));
            symbols.extend(graph.symbol(&name));
            sizes.push(shape.size());
        }
        for (_, param) in &params {
            if let Op::Input(symbol) = graph.op(*param) {
                symbols.push(symbol);
            }
        }
        let values = roots.iter().map(|&root| graph.shape(root).size()).collect();
        let batched = batch(&mut graph, &roots, &pairs, block as u32);
        let outputs: Vec<Id> =
            batched.into_iter().map(|value| each(&mut graph, value, block as u32)).collect();
        let function = simplified(Function::new(graph, symbols, outputs), Level::Fast, Purpose::Compute);
        let options = TensorOptions { precision, ..TensorOptions::default() };
        let kernel = TensorKernel::compile(&function, &options)?;
        let workspace = kernel.workspace();
        let params = params.into_iter().map(|param| param.0).collect();
        Ok(Evaluation { kernel, workspace, block, inputs, params, sizes, values })
    }

    /// Which of the model's inputs the values depend on.
    pub fn needed(&self) -> &[usize] {
        &self.inputs
    }

    /// The values for the named rows of the examples, each value's entries one after another.
    pub fn run(
        &mut self,
        params: &[Vec<f64>],
        examples: &[Vec<f64>],
        rows: &[u32],
    ) -> Result<Vec<Vec<f64>>, Error> {
        for (place, &k) in self.params.iter().enumerate() {
            self.workspace.set(self.inputs.len() + place, &params[k])?;
        }
        let mut results: Vec<Vec<f64>> =
            self.values.iter().map(|size| Vec::with_capacity(size * rows.len())).collect();
        for block in rows.chunks(self.block) {
            for (place, &i) in self.inputs.iter().enumerate() {
                let size = self.sizes[place];
                // The last block is filled up with its first row, whose values are then left out.
                let row = |at: usize| *block.get(at).unwrap_or(&block[0]) as usize;
                let entries = (0..self.block).flat_map(|at| &examples[i][row(at) * size..][..size]);
                self.workspace.set(place, &entries.copied().collect::<Vec<f64>>())?;
            }
            self.kernel.run(&mut self.workspace);
            for (value, result) in results.iter_mut().enumerate() {
                let mut entries = vec![0.0; self.block * self.values[value]];
                self.workspace.get(value, &mut entries)?;
                result.extend_from_slice(&entries[..block.len() * self.values[value]]);
            }
        }
        Ok(results)
    }
}

/// A truth value as 1 or 0.
fn as_number(graph: &mut Graph, id: Id) -> Id {
    match graph.ty(id).dtype {
        DType::Bool => {
            let (one, zero) = (graph.integer(1), graph.integer(0));
            graph.select(id, one, zero)
        }
        _ => id,
    }
}

/// A value with one entry an example, even if they are all the same.
fn each(graph: &mut Graph, value: Batched, size: u32) -> Id {
    match value {
        Batched::Each(id) => id,
        Batched::Once(id) => {
            let extents = std::iter::once(size).chain(graph.shape(id).extents().iter().copied());
            let shape = Shape::new(extents.collect::<Vec<u32>>());
            graph.broadcast(id, 1, &shape)
        }
    }
}
