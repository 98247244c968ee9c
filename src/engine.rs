//! Running functions: compiled or interpreted, with the same bits.

use crate::error::{Diagnostic, Error};
use crate::ir::eval::Interpreter;
use crate::ir::{Function, Id, Symbol};
use crate::loops::lower;
use crate::simplify::{Level, Purpose, simplify};

/// What runs a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Engine {
    /// Machine code.
    #[cfg_attr(feature = "jit", default)]
    Jit,
    /// The reference interpreter: the same bits, slowly.
    #[cfg_attr(not(feature = "jit"), default)]
    Interpreter,
}

/// A function ready to be called.
pub struct Evaluator {
    program: Program,
    inputs: usize,
    outputs: usize,
}

enum Program {
    #[cfg(feature = "jit")]
    Jit(Box<crate::jit::Kernel>),
    Interpreted {
        function: Function,
        inputs: Vec<Symbol>,
        outputs: Vec<Id>,
    },
}

impl Evaluator {
    /// Stabilises and lowers a function once, for the engine.
    ///
    /// # Errors
    /// When the engine is not built in, or the code generator refuses the function.
    pub fn new(function: &Function, engine: Engine, level: Level) -> Result<Evaluator, Error> {
        let stable = simplify(function, level, Purpose::Compute);
        let (inputs, outputs) = (stable.input_size(), stable.output_size());
        let program = match engine {
            #[cfg(feature = "jit")]
            Engine::Jit => Program::Jit(Box::new(crate::jit::Kernel::compile(&stable)?)),
            #[cfg(not(feature = "jit"))]
            Engine::Jit => {
                let message = "this build has no code generator";
                let hint = "build with the feature `jit`, or use the interpreter";
                return Err(Error::unsupported(Diagnostic::error(message).hint(hint)));
            }
            Engine::Interpreter => {
                let lowered = lower(&stable);
                Program::Interpreted {
                    inputs: lowered.inputs().to_vec(),
                    outputs: lowered.outputs().to_vec(),
                    function: lowered,
                }
            }
        };
        Ok(Evaluator { program, inputs, outputs })
    }

    /// How many numbers a call takes.
    pub fn input_size(&self) -> usize {
        self.inputs
    }

    /// How many numbers a call makes.
    pub fn output_size(&self) -> usize {
        self.outputs
    }

    /// Computes the outputs for one point.
    ///
    /// # Errors
    /// When a slice has the wrong length.
    pub fn call(&self, inputs: &[f64], outputs: &mut [f64]) -> Result<(), Error> {
        check_length("inputs", inputs.len(), self.inputs)?;
        check_length("outputs", outputs.len(), self.outputs)?;
        match &self.program {
            #[cfg(feature = "jit")]
            Program::Jit(kernel) => kernel.call(inputs, outputs),
            Program::Interpreted { function, inputs: symbols, outputs: roots } => {
                let values = Interpreter::new(function.graph(), symbols, roots).run(inputs);
                outputs.copy_from_slice(&values);
                Ok(())
            }
        }
    }
}

pub(crate) fn check_length(what: &str, found: usize, expected: usize) -> Result<(), Error> {
    if found == expected {
        return Ok(());
    }
    let message = format!("the function has {expected} {what}, but the slice holds {found}");
    Err(Error::input(Diagnostic::error(message).hint(format!("pass a slice of length {expected}"))))
}

/// Machine code for a function, stabilised first: accuracy and range before looks.
///
/// ```
/// let f = symdiff::parse("x*y + sin(x)")?;
/// let kernel = symdiff::jit(&f)?;
/// let mut out = [0.0];
/// kernel.call(&[0.0, 2.0], &mut out)?;
/// assert_eq!(out, [0.0]);
/// # Ok::<(), symdiff::Error>(())
/// ```
///
/// # Errors
/// When the code generator refuses the function.
#[cfg(feature = "jit")]
pub fn jit(function: &Function) -> Result<crate::jit::Kernel, Error> {
    crate::jit::Kernel::compile(&simplify(function, Level::Fast, Purpose::Compute))
}

/// Machine code for a function over columns of numbers, stabilised first: values and derivatives of
/// many rows in one pass, in the widest vectors of this machine.
///
/// ```
/// let f = symdiff::value_and_grad(&symdiff::parse("log(1 + exp(x))")?)?;
/// let kernel = symdiff::map(&f)?;
/// let x = [-1000.0, 0.0, 1000.0];
/// let [mut value, mut slope] = [[0.0; 3]; 2];
/// kernel.run(&[&x], &mut [&mut value, &mut slope])?;
/// assert_eq!((value[2], slope), (1000.0, [0.0, 0.5, 1.0]));
/// # Ok::<(), symdiff::Error>(())
/// ```
///
/// # Errors
/// When the code generator refuses the function.
#[cfg(feature = "jit")]
pub fn map(function: &Function) -> Result<crate::jit::MapKernel, Error> {
    map_with(function, &crate::jit::MapOptions::default())
}

/// [`map`] with options.
///
/// # Errors
/// As [`map`].
#[cfg(feature = "jit")]
pub fn map_with(
    function: &Function,
    options: &crate::jit::MapOptions,
) -> Result<crate::jit::MapKernel, Error> {
    crate::jit::MapKernel::compile(&simplify(function, Level::Fast, Purpose::Compute), options)
}
