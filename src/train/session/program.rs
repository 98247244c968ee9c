//! A program ready to be trained, from a text or made in code.

use super::predictor::{input_shapes, wishes_of};
use super::step::step;
use crate::data::{Array, Dataset, Portions, Prepared, Wishes, prepare};
use crate::elaborate::program::{Model, ModelBuilder, read_phases};
use crate::error::Error;
use crate::ir::Function;
use crate::limits::Limits;

/// A program with its two faces: as it is trained, and as it predicts, without noise.
#[derive(Clone, Debug)]
pub struct Program {
    pub(super) train: Model,
    pub(super) predict: Model,
}

impl Program {
    /// Reads a program.
    ///
    /// # Errors
    /// As [`read_program`](crate::elaborate::program::read_program).
    pub fn read(source: &str, limits: &Limits) -> Result<Program, Error> {
        let [train, predict] = read_phases(source, limits)?;
        Ok(Program { train, predict })
    }

    /// A program made in code, with the settings of its training in text.
    ///
    /// # Errors
    /// As [`ModelBuilder::build`].
    pub fn built(builder: &ModelBuilder, settings: &str, limits: &Limits) -> Result<Program, Error> {
        let model = builder.build(settings, limits)?;
        Ok(Program { train: model.clone(), predict: model })
    }

    /// The program as it is trained.
    pub fn model(&self) -> &Model {
        &self.train
    }

    /// The function of a training step over a table of so many examples, so many of them at a time, as
    /// [`Training`](super::Training) compiles it; and of what it updates the output and the input, which
    /// are stored in one place.
    ///
    /// ```
    /// use symdiff::train::Program;
    ///
    /// let text = "input x\nparam w = 1\nloss = (w*x)^2\ntrain { optimizer = gd(lr = 0.5) }";
    /// let (step, in_place) = Program::read(text, &symdiff::Limits::default())?.step(1, 1)?;
    /// let names: Vec<&str> = step.input_names().collect();
    /// assert_eq!((in_place[0].0, names[in_place[0].1]), (0, "w"));
    /// # Ok::<(), symdiff::Error>(())
    /// ```
    ///
    /// # Errors
    /// For a program without objective.
    pub fn step(&self, examples: u32, batch: u32) -> Result<(Function, Vec<(usize, usize)>), Error> {
        let (function, layout) = step(&self.train, (examples, batch), 1.0)?;
        Ok((function, layout.in_place))
    }

    /// Data bound to the inputs and divided as the program says, by `seed` or else its own.
    ///
    /// # Errors
    /// As [`prepare`].
    pub fn prepare(&self, data: Option<&Dataset>, seed: Option<u64>) -> Result<Prepared, Error> {
        self.prepare_as(data, &wishes_of(&self.train), seed)
    }

    /// The same with other wishes about columns than the program's own.
    ///
    /// # Errors
    /// As [`prepare`].
    pub fn prepare_as(
        &self,
        data: Option<&Dataset>,
        wishes: &Wishes,
        seed: Option<u64>,
    ) -> Result<Prepared, Error> {
        let (plan, shapes) = (&self.train.train, input_shapes(&self.train));
        if shapes.is_empty() {
            return Ok(Prepared::none());
        }
        let portions = Portions {
            validation: plan.validation,
            test: plan.test,
            seed: seed.unwrap_or(plan.seed),
            stratify: None,
        };
        prepare(data, &shapes, wishes, &portions)
    }

    /// The same with data of one's own: an array for each input, under its name.
    ///
    /// # Errors
    /// As [`prepare`].
    pub fn prepare_arrays(&self, arrays: Vec<Array>) -> Result<Prepared, Error> {
        self.prepare(Some(&Dataset::Arrays("the arrays given".to_owned(), arrays)), None)
    }
}
