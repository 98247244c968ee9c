//! A program ready to be trained, from a text or made in code.

use super::predictor::{input_shapes, wishes_of};
use crate::data::{Array, Dataset, Portions, Prepared, Wishes, prepare};
use crate::elaborate::program::{Model, ModelBuilder, Phase, read_program};
use crate::error::Error;
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
    /// As [`read_program`].
    pub fn read(source: &str, limits: &Limits) -> Result<Program, Error> {
        Ok(Program {
            train: read_program(source, Phase::Train, limits)?,
            predict: read_program(source, Phase::Predict, limits)?,
        })
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
