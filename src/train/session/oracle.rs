//! A step beside the reference interpreter, which computes it from the graph, node by node.

use super::feed::Time;
use super::run::Training;
use crate::error::Error;
use crate::ir::{Precision, evaluate};

/// What two engines make of one step: loss, gradient length, parameters and states, in one row.
#[derive(Clone, Debug, PartialEq)]
pub struct Beside {
    pub kernel: Vec<f64>,
    pub interpreter: Vec<f64>,
}

impl Training {
    /// One step, as [`Training::step`] makes it, and what the interpreter makes of the same numbers
    /// in double precision. Slow: for checks.
    ///
    /// # Errors
    /// As [`Training::step`].
    ///
    /// ```
    /// use symdiff::train::{Program, Training, TrainingOptions};
    /// let text = "param w = 0\nminimize (w - 3)^2\ntrain { optimizer = gd(lr = 0.1), steps = 9 }";
    /// let program = Program::read(text, &symdiff::Limits::default())?;
    /// let mut training = Training::of(&program, program.prepare(None, None)?, &TrainingOptions::default())?;
    /// let beside = training.step_beside()?;
    /// assert_eq!(beside.kernel, beside.interpreter);
    /// # Ok::<(), symdiff::Error>(())
    /// ```
    pub fn step_beside(&mut self) -> Result<Beside, Error> {
        let time = Time { step: self.standing.step, steps: self.steps(), plateaus: self.standing.plateaus };
        self.feed.next(&mut self.workspace, time)?;
        let mut inputs = Vec::new();
        for input in 0..self.function.inputs().len() {
            match self.model.train.precision {
                Precision::F64 => {
                    inputs.extend_from_slice(self.workspace.input_f64(input).unwrap_or_default())
                }
                Precision::F32 => {
                    let values = self.workspace.input_f32(input).unwrap_or_default();
                    inputs.extend(values.iter().map(|&x| f64::from(x)));
                }
            }
        }
        let f = &self.function;
        let interpreter = evaluate(f.graph(), f.inputs(), f.outputs(), &inputs);
        self.kernel.run(&mut self.workspace);
        self.standing.step += 1;
        let mut kernel = Vec::with_capacity(interpreter.len());
        for (output, &id) in f.outputs().iter().enumerate() {
            let mut values = vec![0.0; f.graph().shape(id).size()];
            self.workspace.get(output, &mut values)?;
            kernel.extend(values);
        }
        Ok(Beside { kernel, interpreter })
    }
}
