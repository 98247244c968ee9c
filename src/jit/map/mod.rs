//! Functions over columns: every output of every row, in loops of machine code.
//!
//! Wide loops where the machine has them, the tensor kernels of 128 bits elsewhere; many rows are
//! cut into fixed pieces for threads.
//!
//! What must stay true: results depend on neither level nor threads.

mod narrow;

use super::wide::{Element, Level, LoopKernel, Stream, Width, lower};
use crate::error::{Diagnostic, Error};
use crate::ir::{Function, Precision};
use crate::loops;
use narrow::Narrow;
use smallvec::SmallVec;

/// Fewer rows are not worth a thread.
const ROWS_A_THREAD: usize = 1 << 14;

/// Pieces start at multiples of this many rows: whole vectors and cache lines.
const GRAIN: usize = 64;

/// How a function over columns is compiled and run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapOptions {
    /// What columns hold, and what is computed in.
    pub precision: Precision,
    /// The most bits a vector may have.
    pub level: Level,
    /// The most threads a run may use, the caller's included; 0 and 1 are the same.
    pub threads: usize,
}

impl Default for MapOptions {
    fn default() -> MapOptions {
        MapOptions { precision: Precision::F64, level: Level::best(), threads: 1 }
    }
}

/// A function compiled for columns of numbers: element i of every output is computed from elements
/// i of the inputs.
///
/// ```
/// use symdiff::jit::{MapKernel, MapOptions};
///
/// let f = symdiff::value_and_grad(&symdiff::parse("x*y + exp(x)")?)?;
/// let kernel = MapKernel::compile(&f, &MapOptions::default())?;
/// let (x, y) = ([0.0, 0.0, 0.0], [1.0, 2.0, 3.0]);
/// let [mut value, mut by_x, mut by_y] = [[0.0; 3]; 3];
/// kernel.run(&[&x, &y], &mut [&mut value, &mut by_x, &mut by_y])?;
/// assert_eq!((value, by_x, by_y), ([1.0; 3], [2.0, 3.0, 4.0], [0.0; 3]));
/// # Ok::<(), symdiff::Error>(())
/// ```
pub struct MapKernel {
    engine: Engine,
    inputs: usize,
    outputs: usize,
    options: MapOptions,
}

/// Columns to be written.
type Columns<'a, T> = SmallVec<[&'a mut [T]; 8]>;

enum Engine {
    Wide(Box<LoopKernel>),
    Narrow(Box<Narrow>),
}

impl MapKernel {
    /// Compiles a function as it stands; [`map`](crate::map) stabilises it first.
    ///
    /// # Errors
    /// Where the code generator refuses the function.
    pub fn compile(function: &Function, options: &MapOptions) -> Result<MapKernel, Error> {
        let level = options.level.min(Level::best_available());
        let (inputs, outputs) = (function.input_size(), function.output_size());
        let engine = match level {
            Level::L128 => Engine::Narrow(Box::new(Narrow::compile(function, options.precision)?)),
            _ => {
                let program = loops::schedule(&loops::lower(function));
                let width = match options.precision {
                    Precision::F64 => Width::Double,
                    Precision::F32 => Width::Single,
                };
                let streams = vec![Stream::Column; inputs];
                let body = lower(&program.nests[0].blocks[0], &streams, level, width);
                let body = body.ok_or_else(|| Error::internal("map", "a schedule with scratch"))?;
                Engine::Wide(Box::new(LoopKernel::compile(body)?))
            }
        };
        Ok(MapKernel { engine, inputs, outputs, options: MapOptions { level, ..*options } })
    }

    /// How many columns a run takes.
    pub fn input_size(&self) -> usize {
        self.inputs
    }

    /// How many columns a run makes.
    pub fn output_size(&self) -> usize {
        self.outputs
    }

    /// The bits of its vectors.
    pub fn level(&self) -> Level {
        self.options.level
    }

    /// The code of a wide loop as text.
    pub fn assembly(&self) -> Option<String> {
        match &self.engine {
            Engine::Wide(kernel) => Some(kernel.assembly().to_string()),
            Engine::Narrow(_) => None,
        }
    }

    /// Computes all outputs of every row. Inputs are columns in the order of the function's
    /// [`scalar_names`](Function::scalar_names), outputs in theirs, row-major.
    ///
    /// # Errors
    /// Where there are more or fewer columns than the function has, or they differ in length, or
    /// hold numbers of another precision.
    pub fn run<T: Element>(&self, inputs: &[&[T]], outputs: &mut [&mut [T]]) -> Result<(), Error> {
        let rows = self.check(inputs, outputs)?;
        let threads = self.options.threads.clamp(1, rows.div_ceil(ROWS_A_THREAD).max(1));
        if threads == 1 {
            return self.piece(rows, inputs, outputs);
        }
        let each = rows.div_ceil(threads).next_multiple_of(GRAIN);
        std::thread::scope(|scope| {
            let mut rest: Columns<T> = outputs.iter_mut().map(|y| &mut **y).collect();
            let mut running = Vec::with_capacity(threads);
            let mut start = 0;
            while start < rows {
                let size = each.min(rows - start);
                let inputs: SmallVec<[&[T]; 8]> = inputs.iter().map(|x| &x[start..start + size]).collect();
                let (mut piece, others): (Columns<T>, Columns<T>) =
                    rest.into_iter().map(|y| y.split_at_mut(size)).unzip();
                rest = others;
                start += size;
                match start < rows {
                    true => running.push(scope.spawn(move || self.piece(size, &inputs, &mut piece))),
                    // The last piece is the caller's.
                    false => self.piece(size, &inputs, &mut piece)?,
                }
            }
            running
                .into_iter()
                .try_for_each(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })
    }

    fn piece<T: Element>(&self, rows: usize, inputs: &[&[T]], outputs: &mut [&mut [T]]) -> Result<(), Error> {
        match &self.engine {
            Engine::Wide(kernel) => kernel.run(rows, inputs, outputs),
            Engine::Narrow(kernel) => kernel.run(rows, inputs, outputs),
        }
    }

    /// How many rows there are, in columns that fit.
    fn check<T: Element>(&self, inputs: &[&[T]], outputs: &[&mut [T]]) -> Result<usize, Error> {
        let fault = |message: String| Err(Error::input(Diagnostic::error(message)));
        if T::PRECISION != self.options.precision {
            return fault("the kernel is for columns of another precision".to_owned());
        }
        if inputs.len() != self.inputs || outputs.len() != self.outputs {
            return fault(format!(
                "the kernel takes {} columns and makes {}; there are {} and {}",
                self.inputs,
                self.outputs,
                inputs.len(),
                outputs.len()
            ));
        }
        let lengths = || inputs.iter().map(|x| x.len()).chain(outputs.iter().map(|y| y.len()));
        let rows = lengths().next().unwrap_or(0);
        match lengths().position(|length| length != rows) {
            Some(other) => fault(format!(
                "columns differ in length: the first has {rows} numbers, number {} has {}",
                other + 1,
                lengths().nth(other).unwrap_or(0)
            )),
            None => Ok(rows),
        }
    }
}
