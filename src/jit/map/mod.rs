//! Functions over columns: every output of every row, in loops of machine code.
//!
//! Wide loops where the machine has them, the tensor kernels of 128 bits elsewhere; many rows are
//! cut into fixed pieces that threads take. Outputs are columns, or their sums.
//!
//! What must stay true: results depend on neither level nor threads.

mod narrow;
mod options;
mod share;
mod sums;

use super::wide::{Body, Element, Level, LoopKernel, Op, Pieces, Stream, Width, cached_bytes, lower};
use crate::error::{Diagnostic, Error};
use crate::ir::{Function, Precision};
use crate::loops;
use narrow::Narrow;
use share::share;
use smallvec::SmallVec;

pub use options::{MapOptions, Results};
pub use sums::column_sum;

/// Fewer rows are not worth a thread.
const ROWS_A_THREAD: usize = 1 << 14;

/// Rows a thread takes at a time: whole vectors and cache lines, and few enough that threads end
/// together though some begin late.
const PIECE: usize = 1 << 13;

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
///
/// Parameters that are one number for all rows are [`uniform`](MapOptions::uniform); and instead of
/// columns a run can give their [sums](Results::Sums), so that a function of one row makes an
/// objective and its gradient over all data:
///
/// ```
/// use symdiff::jit::{MapKernel, MapOptions, Results};
///
/// let line = symdiff::parse("(y - a*x)^2")?;
/// let by_a = symdiff::Derivation { wrt: Some(vec!["a".into()]), ..Default::default() };
/// let f = by_a.value_and_gradient(&line)?;
/// let options = MapOptions { uniform: vec!["a".into()], results: Results::Sums, ..Default::default() };
/// let kernel = MapKernel::compile(&f, &options)?;
/// assert_eq!(f.scalar_names(), ["y", "a", "x"]);
/// let [mut loss, mut slope] = [[0.0]; 2];
/// kernel.run(&[&[2.0, 4.0, 7.0], &[2.0], &[1.0, 2.0, 3.0]], &mut [&mut loss, &mut slope])?;
/// assert_eq!((loss, slope), ([1.0], [-6.0]));
/// # Ok::<(), symdiff::Error>(())
/// ```
pub struct MapKernel {
    engine: Engine,
    /// The inputs, taken apart, and what they are.
    names: Vec<String>,
    streams: Vec<Stream>,
    outputs: usize,
    options: MapOptions,
    /// The most rows whose columns a cache holds.
    cached_rows: usize,
}

/// Columns to be written.
type Columns<'a, T> = SmallVec<[&'a mut [T]; 8]>;

enum Engine {
    /// A loop; where it `adds`, its outputs are partial sums.
    Wide {
        kernel: Box<LoopKernel>,
        adds: bool,
    },
    Narrow(Box<Narrow>),
}

impl MapKernel {
    /// Compiles a function as it stands; [`map`](crate::map) stabilises it first.
    ///
    /// # Errors
    /// Where a uniform input is none of the function's, and where the code generator refuses the
    /// function.
    pub fn compile(function: &Function, options: &MapOptions) -> Result<MapKernel, Error> {
        let level = options.level.min(Level::best_available());
        let inputs = options.streams(function)?;
        let sizes = function.inputs().iter().map(|&symbol| {
            let graph = function.graph();
            graph.type_of(graph.symbol_type(symbol)).shape.size()
        });
        let each = inputs.iter().zip(sizes).flat_map(|(&stream, size)| std::iter::repeat_n(stream, size));
        let streams: Vec<Stream> = each.collect();
        let outputs = function.output_size();
        let engine = match level {
            Level::L128 => Engine::Narrow(Box::new(Narrow::compile(function, &inputs, options.precision)?)),
            _ => {
                let adds = options.results == Results::Sums && sums::adds(streams.len() + outputs);
                let mut body = body(function, &streams, level, options.precision)?;
                if adds {
                    add_up(&mut body);
                }
                Engine::Wide { kernel: Box::new(LoopKernel::compile(body)?), adds }
            }
        };
        let columns = streams.iter().filter(|stream| **stream == Stream::Column).count() + outputs;
        let row = columns.max(1) * Width::from(options.precision).bytes();
        let cached_rows = cached_bytes() / row;
        let options = MapOptions { level, ..options.clone() };
        Ok(MapKernel { engine, names: function.scalar_names(), streams, outputs, options, cached_rows })
    }

    /// How many slices a run takes.
    pub fn input_size(&self) -> usize {
        self.streams.len()
    }

    /// How many slices a run fills.
    pub fn output_size(&self) -> usize {
        self.outputs
    }

    /// The bits of its vectors.
    pub fn level(&self) -> Level {
        self.options.level
    }

    /// Bytes of machine code.
    pub fn code_size(&self) -> usize {
        match &self.engine {
            Engine::Wide { kernel, .. } => kernel.code_size(),
            Engine::Narrow(kernel) => kernel.code_size(),
        }
    }

    /// The code of a wide loop as text.
    pub fn assembly(&self) -> Option<String> {
        match &self.engine {
            Engine::Wide { kernel, .. } => Some(kernel.assembly().to_string()),
            Engine::Narrow(_) => None,
        }
    }

    /// Computes all outputs of every row, or their sums. Inputs are in the order of the function's
    /// [`scalar_names`](Function::scalar_names), outputs in theirs, row-major: columns of as many
    /// numbers as there are rows, and slices of one number for what is uniform or a sum.
    ///
    /// # Errors
    /// Where there are more or fewer slices than the function has inputs and outputs, or one has
    /// another length, or they hold numbers of another precision.
    pub fn run<T: Element>(&self, inputs: &[&[T]], outputs: &mut [&mut [T]]) -> Result<(), Error> {
        let rows = self.check(inputs, outputs)?;
        if self.options.results == Results::Sums {
            return self.sum(rows, inputs, outputs);
        }
        let threads = self.threads(rows, ROWS_A_THREAD);
        let narrow = match &self.engine {
            Engine::Narrow(narrow) => narrow,
            Engine::Wide { kernel, .. } => {
                let size = if threads == 1 { usize::MAX } else { PIECE };
                let pieces = Pieces { size, threads, non_temporal: rows > self.cached_rows };
                return kernel.run_pieces(&pieces, rows, inputs, outputs);
            }
        };
        if threads == 1 {
            return narrow.run(rows, inputs, outputs);
        }
        let mut rest: Columns<T> = outputs.iter_mut().map(|y| &mut **y).collect();
        let pieces = (0..rows).step_by(PIECE).map(|start| {
            let size = PIECE.min(rows - start);
            let (piece, others): (Columns<T>, Columns<T>) =
                std::mem::take(&mut rest).into_iter().map(|y| y.split_at_mut(size)).unzip();
            rest = others;
            (start, size, piece)
        });
        share(threads, pieces, |(start, size, mut piece)| {
            narrow.run(size, &self.rows(inputs, start, size), &mut piece)
        })
    }

    /// How many threads so many rows are worth.
    #[inline]
    fn threads(&self, rows: usize, each: usize) -> usize {
        match self.options.threads {
            0 | 1 => 1,
            most => most.min(rows.div_ceil(each)).max(1),
        }
    }

    /// Some rows of the columns, and what is uniform.
    fn rows<'a, T>(&self, inputs: &[&'a [T]], start: usize, size: usize) -> SmallVec<[&'a [T]; 8]> {
        let each = inputs.iter().zip(&self.streams);
        each.map(|(x, stream)| match stream {
            Stream::Column => &x[start..start + size],
            Stream::Uniform => x,
        })
        .collect()
    }

    /// Some rows.
    fn piece<T: Element>(&self, rows: usize, inputs: &[&[T]], outputs: &mut [&mut [T]]) -> Result<(), Error> {
        match &self.engine {
            Engine::Wide { kernel, .. } => kernel.run(rows, inputs, outputs),
            Engine::Narrow(kernel) => kernel.run(rows, inputs, outputs),
        }
    }

    /// How many rows there are, in slices that fit.
    fn check<T: Element>(&self, inputs: &[&[T]], outputs: &[&mut [T]]) -> Result<usize, Error> {
        let sums = self.options.results == Results::Sums;
        let column = inputs.iter().zip(&self.streams).find(|(_, stream)| **stream == Stream::Column);
        let rows = match (column, outputs) {
            (Some((x, _)), _) => x.len(),
            (None, [y, ..]) if !sums => y.len(),
            _ => return Err(self.misfit(None, inputs, outputs)),
        };
        let long = |stream: &Stream| if *stream == Stream::Column { rows } else { 1 };
        let fits = T::PRECISION == self.options.precision
            && inputs.len() == self.streams.len()
            && outputs.len() == self.outputs
            && inputs.iter().zip(&self.streams).all(|(x, stream)| x.len() == long(stream))
            && outputs.iter().all(|y| y.len() == if sums { 1 } else { rows });
        if fits { Ok(rows) } else { Err(self.misfit(Some(rows), inputs, outputs)) }
    }

    /// What [`check`](Self::check) has found.
    #[cold]
    fn misfit<T: Element>(&self, rows: Option<usize>, inputs: &[&[T]], outputs: &[&mut [T]]) -> Error {
        let fault = |message: String| Error::input(Diagnostic::error(message));
        if T::PRECISION != self.options.precision {
            return fault("the kernel is for columns of another precision".to_owned());
        }
        if inputs.len() != self.streams.len() || outputs.len() != self.outputs {
            return fault(format!(
                "the kernel takes {} columns and makes {}; there are {} and {}",
                self.streams.len(),
                self.outputs,
                inputs.len(),
                outputs.len()
            ));
        }
        let Some(rows) = rows else {
            return fault("no input is a column, so there are no rows to sum over".to_owned());
        };
        let sums = self.options.results == Results::Sums;
        let given = inputs.iter().zip(&self.streams).map(|(x, s)| (x.len(), *s == Stream::Uniform));
        let mut slices = given.chain(outputs.iter().map(|y| (y.len(), sums))).enumerate();
        let wrong = slices.find(|&(_, (length, one))| length != if one { 1 } else { rows });
        let (at, (length, is_one)) = wrong.expect("something does not fit");
        let what = match self.names.get(at) {
            Some(name) => format!("input `{name}`"),
            None => format!("output {}", at - self.names.len()),
        };
        fault(match is_one {
            true => format!("{what} is one number, {length} were given"),
            false => format!("columns differ in length: the first has {rows} numbers, {what} has {length}"),
        })
    }
}

/// The loop of a function over columns, before it has registers.
fn body(function: &Function, streams: &[Stream], level: Level, precision: Precision) -> Result<Body, Error> {
    let program = loops::schedule(&loops::lower(function));
    let width = Width::from(precision);
    lower(&program.nests[0].blocks[0], streams, level, width)
        .ok_or_else(|| Error::internal("map", "a schedule with scratch"))
}

/// Makes partial sums of the outputs.
fn add_up(body: &mut Body) {
    for inst in &mut body.insts {
        if let Op::Store(stream) = inst.op {
            inst.op = Op::Sum(stream);
        }
    }
}
