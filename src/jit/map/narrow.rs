//! Columns through a tensor kernel over a block of rows: 128-bit vectors on every machine.
//!
//! What must stay true: rows behind the end of the last block are computed and dropped.

use crate::batch::{Batched, batch};
use crate::error::Error;
use crate::ir::{DType, Function, Id, Op, Precision, Shape, Symbol, Type, reachable};
use crate::jit::tensor::{TensorKernel, Workspace};
use crate::jit::wide::{Element, Level, Stream};
use crate::loops::lower;
use crate::loops::tensor::{Rounding, TensorOptions, build};
use std::sync::{Mutex, PoisonError};

/// Rows at once: what a few arrays of them need fits the first cache.
const BLOCK: usize = 256;

/// See the head of the file.
pub(super) struct Narrow {
    kernel: TensorKernel,
    /// Numbers of each input, and whether they are columns.
    inputs: Vec<(usize, Stream)>,
    /// Columns of each output.
    outputs: Vec<usize>,
    pool: Mutex<Vec<Workspace>>,
}

impl Narrow {
    pub fn compile(function: &Function, streams: &[Stream], precision: Precision) -> Result<Narrow, Error> {
        let function = &lower(function);
        let mut graph = function.graph().clone();
        let (mut symbols, mut pairs, mut inputs): (Vec<Symbol>, _, _) = (Vec::new(), Vec::new(), Vec::new());
        let needed = reachable(&graph, function.outputs());
        for (&symbol, &stream) in function.inputs().iter().zip(streams) {
            let ty = graph.type_of(graph.symbol_type(symbol)).clone();
            inputs.push((ty.shape.size(), stream));
            if stream == Stream::Uniform {
                symbols.push(symbol);
                continue;
            }
            let extents = std::iter::once(BLOCK as u32).chain(ty.shape.extents().iter().copied());
            let many = graph.type_id(Type::new(ty.dtype, Shape::new(extents)));
            // No name of the language's begins with a space.
            let name = format!(" {}", graph.symbol_name(symbol));
            let block = graph.input_of(&name, many);
            let of = |id: &&Id| graph.op(**id) == Op::Input(symbol);
            pairs.extend(needed.iter().find(of).map(|&one| (one, block)));
            symbols.extend(graph.symbol(&name));
        }
        let outputs: Vec<usize> = function.outputs().iter().map(|&id| graph.shape(id).size()).collect();
        let batched = batch(&mut graph, function.outputs(), &pairs, BLOCK as u32);
        let roots = batched.into_iter().map(|output| match output {
            Batched::Each(id) => number(&mut graph, id),
            Batched::Once(id) => {
                let extents = std::iter::once(BLOCK as u32).chain(graph.shape(id).extents().iter().copied());
                let shape = Shape::new(extents);
                let each = graph.broadcast(id, 1, &shape);
                number(&mut graph, each)
            }
        });
        let roots = roots.collect();
        let options = TensorOptions { precision, rounding: Rounding::AsLowered, ..TensorOptions::default() };
        let program = build(&Function::new(graph, symbols, roots), &options)?;
        let kernel = TensorKernel::from_program(program, &options, Level::L128)?;
        Ok(Narrow { kernel, inputs, outputs, pool: Mutex::default() })
    }

    /// Bytes of machine code.
    pub fn code_size(&self) -> usize {
        self.kernel.code_size()
    }

    /// As [`MapKernel::run`](super::MapKernel::run), of columns that were measured.
    pub fn run<T: Element>(
        &self,
        rows: usize,
        inputs: &[&[T]],
        outputs: &mut [&mut [T]],
    ) -> Result<(), Error> {
        let used = self.pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut workspace = used.unwrap_or_else(|| self.kernel.workspace());
        for start in (0..rows).step_by(BLOCK) {
            let size = BLOCK.min(rows - start);
            let mut column = 0;
            for (input, &(width, stream)) in self.inputs.iter().enumerate() {
                let Some(to) = T::input(&mut workspace, input) else { continue };
                for (k, from) in inputs[column..column + width].iter().enumerate() {
                    let places = to[k..].iter_mut().step_by(width);
                    match stream {
                        Stream::Column => places.zip(&from[start..start + size]).for_each(|(to, x)| *to = *x),
                        Stream::Uniform => places.zip(*from).for_each(|(to, x)| *to = *x),
                    }
                }
                column += width;
            }
            self.kernel.run(&mut workspace);
            let mut column = 0;
            for (output, &width) in self.outputs.iter().enumerate() {
                let Some(from) = T::output(&workspace, output) else { continue };
                for (k, to) in outputs[column..column + width].iter_mut().enumerate() {
                    let places = from[k..].iter().step_by(width);
                    to[start..start + size].iter_mut().zip(places).for_each(|(to, from)| *to = *from);
                }
                column += width;
            }
        }
        self.pool.lock().unwrap_or_else(PoisonError::into_inner).push(workspace);
        Ok(())
    }
}

/// Truth values as 1 and 0, as every engine makes them.
fn number(graph: &mut crate::ir::Graph, id: Id) -> Id {
    if graph.ty(id).dtype != DType::Bool {
        return id;
    }
    let (one, zero) = (graph.integer(1), graph.integer(0));
    let shape = graph.shape(id).clone();
    let axes = ((1u16 << shape.rank()) - 1) as u8;
    let [one, zero] = [one, zero].map(|x| graph.broadcast(x, axes, &shape));
    graph.select(id, one, zero)
}
