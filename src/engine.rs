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
