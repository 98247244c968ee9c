//! What a step is given besides its parameters: which rows, random numbers, and what time it is.
//!
//! What must stay true: what a step is given depends on the seed and its number alone; giving it
//! allocates nothing.

use super::run::TrainingOptions;
use super::step::Layout;
use crate::data::{Batches, Prepared, Random};
use crate::elaborate::program::{Batch, Model};
use crate::error::{Diagnostic, Error};
use crate::jit::tensor::Workspace;

/// Random numbers of each step.
struct Noise {
    place: usize,
    /// The name of their stream.
    stream: String,
    values: Vec<f64>,
}

/// Feeds a step's workspace.
pub(super) struct Feed {
    seed: u64,
    batches: Option<Batches>,
    /// The place of the rows, and room for them.
    rows: Option<(usize, Vec<f64>)>,
    noises: Vec<Noise>,
    /// The places of what time it is that are read.
    clock: [Option<usize>; 4],
}

/// What time it is.
#[derive(Clone, Copy)]
pub(super) struct Time {
    /// Steps done.
    pub step: u64,
    pub steps: u64,
    pub plateaus: u64,
}

impl Feed {
    /// What is given to a step that reads such inputs.
    pub fn new(
        model: &Model,
        layout: &Layout,
        batches: Option<Batches>,
        seed: u64,
        reads: impl Fn(usize) -> bool,
    ) -> Feed {
        let size = batches.as_ref().map_or(1, Batches::size);
        let noises = layout.noises.iter().zip(&model.noises).enumerate();
        let noises = noises.map(|(k, (&place, noise))| Noise {
            place,
            stream: format!("noise {k}"),
            values: vec![0.0; size * model.graph.shape(noise.node).size()],
        });
        let noises = noises.collect();
        let rows = layout.rows.map(|place| (place, vec![0.0; size]));
        let clock = layout.clock.map(|place| Some(place).filter(|&place| reads(place)));
        Feed { seed, batches, rows, noises, clock }
    }

    /// Sets the inputs of the step after `time.step`.
    ///
    /// # Errors
    /// Where the workspace is of another layout.
    pub fn next(&mut self, workspace: &mut Workspace, time: Time) -> Result<(), Error> {
        if let (Some((place, numbers)), Some(batches)) = (&mut self.rows, &mut self.batches) {
            let rows = batches.next_batch();
            numbers.iter_mut().zip(rows).for_each(|(number, &row)| *number = f64::from(row));
            workspace.set(*place, numbers)?;
        }
        let step = time.step + 1;
        for Noise { place, stream, values } in &mut self.noises {
            Random::at(self.seed, stream, step).fill_uniform(values);
            workspace.set(*place, values)?;
        }
        let [at, of, epoch, plateaus] = self.clock;
        let epoch = epoch.map(|place| (place, self.epoch(time.step)));
        let given = [at.zip(Some(step)), of.zip(Some(time.steps)), epoch, plateaus.zip(Some(time.plateaus))];
        for (place, value) in given.into_iter().flatten() {
            workspace.set_number(place, value as f64)?;
        }
        Ok(())
    }

    /// Examples of a batch, where there are any.
    pub fn batch_size(&self) -> Option<usize> {
        self.batches.as_ref().map(Batches::size)
    }

    /// True where one step takes all rows.
    pub fn is_full(&self) -> bool {
        self.batches.as_ref().is_none_or(|batches| batches.per_epoch() == 1)
    }

    /// Whole passes over the training rows after so many steps.
    pub fn epoch(&self, step: u64) -> u64 {
        self.batches.as_ref().map_or(step, |batches| step / batches.per_epoch())
    }

    /// Goes on from the batch after so many steps.
    pub fn resume(&mut self, step: u64) {
        if let Some(batches) = &mut self.batches {
            batches.restore_step(step);
        }
    }
}

/// The batches of a run; none of a program without inputs.
///
/// # Errors
/// For a batch larger than the training rows, and where there are none.
pub(super) fn batches(
    model: &Model,
    prepared: &Prepared,
    options: &TrainingOptions,
    seed: u64,
) -> Result<Option<Batches>, Error> {
    let rows = &prepared.split.train;
    if model.inputs.is_empty() {
        return Ok(None);
    }
    let size = match (options.batch, model.train.batch) {
        (Some(size), _) | (None, Batch::Size(size)) => size as usize,
        (None, Batch::Full) => return Batches::full(rows).map(Some),
    };
    if rows.is_empty() {
        return Err(Error::data(Diagnostic::error("there are no rows to train on")));
    }
    Batches::new(rows, size, seed, model.train.shuffle).map(Some)
}
