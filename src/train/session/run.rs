//! A training run: its state, its steps, and when it ends.
//!
//! What must stay true: the state after `n` steps depends on the program, the data and the seed
//! alone, whether or not the run was saved and resumed on the way; a run that goes wrong ends with
//! the best weights it had.

use super::classes;
use super::evaluation::Evaluation;
use super::feed::{Feed, Time, batches};
use super::full_batch;
use super::initial::initialise;
use super::program::Program;
use super::score::scored;
use super::standing::{Ending, Progress, Standing};
use super::step::{Layout, step};
use crate::data::{Batches, Prepared, Random};
use crate::elaborate::program::{Model, Sense};
use crate::error::Error;
use crate::ir::Function;
use crate::jit::tensor::{Control, TensorKernel, Workspace};
use crate::limits::Limits;
use crate::loops::tensor::{Subnormals, TensorOptions};
use std::ops::ControlFlow;
use std::time::Duration;

/// Steps of a run whose program does not say.
const STEPS: u64 = 1_000;

/// Reports of a run on the full batch, at least.
const REPORTS: u64 = 100;

/// What a program leaves open, or what overrules it.
#[derive(Clone, Debug, Default)]
pub struct TrainingOptions {
    /// Steps in all.
    pub steps: Option<u64>,
    /// Passes over the training rows.
    pub epochs: Option<u64>,
    pub seed: Option<u64>,
    pub batch: Option<u64>,
    /// Threads of a step; 0 and 1 are the same. No result depends on it.
    pub threads: usize,
    pub limits: Limits,
}

/// A program being trained on its data.
///
/// Steps take and make subnormal numbers as zero where the processor can: averages of an optimiser
/// decay to them, and processors are many times slower on them. Scores and predictions keep them.
pub struct Training {
    pub(super) source: String,
    pub(super) model: Model,
    /// The same program without what only training does.
    pub(super) predict: Model,
    pub(super) prepared: Prepared,
    pub(super) seed: u64,
    steps: u64,
    pub(super) interval: u64,
    /// The step, and what it is compiled to.
    pub(super) function: Function,
    pub(super) kernel: TensorKernel,
    pub(super) workspace: Workspace,
    pub(super) layout: Layout,
    pub(super) feed: Feed,
    /// Made when something is scored for the first time.
    pub(super) evaluation: Option<Evaluation>,
    pub(super) standing: Standing,
    /// The length of the last step's gradient.
    pub(super) norm: f64,
    /// The mean loss of the last report.
    pub(super) last_loss: f64,
}

/// Steps in a row: the last one's loss, and whether the run was asked to pause after it.
struct Stretch {
    loss: f64,
    is_asked: bool,
}

impl Training {
    /// A run of a program at its first step, on prepared data; the data of a program without
    /// inputs is empty.
    ///
    /// # Errors
    /// Faults of the program, with their places; a batch larger than the training rows.
    pub fn new(source: &str, prepared: Prepared, options: &TrainingOptions) -> Result<Training, Error> {
        Training::stretched(Program::read(source, &options.limits)?, prepared, options, 1.0)
    }

    /// A run of a program that has been read or made in code.
    ///
    /// # Errors
    /// As [`Training::new`].
    pub fn of(program: &Program, prepared: Prepared, options: &TrainingOptions) -> Result<Training, Error> {
        Training::stretched(program.clone(), prepared, options, 1.0)
    }

    /// The same with all steps `stretch` times as long, as a larger learning rate makes them.
    pub(super) fn stretched(
        program: Program,
        prepared: Prepared,
        options: &TrainingOptions,
        stretch: f64,
    ) -> Result<Training, Error> {
        let Program { train: model, predict } = program;
        model.objective()?;
        full_batch::check(&model)?;
        let every: Vec<usize> = (0..model.inputs.len()).collect();
        classes::check(&model.graph, &model.inputs, &every, &scored(&model)?, &prepared.examples)?;
        let plan = &model.train;
        let seed = options.seed.unwrap_or(plan.seed);
        let count = prepared.examples.count;
        let batches = batches(&model, &prepared, options, seed)?;
        let size = batches.as_ref().map_or(1, Batches::size);
        let per_epoch = batches.as_ref().map_or(1, Batches::per_epoch);
        let steps = match (options.steps, options.epochs, plan.steps, plan.epochs) {
            (Some(steps), ..) | (None, None, Some(steps), _) => steps,
            (None, Some(epochs), ..) | (None, None, None, Some(epochs)) => epochs.saturating_mul(per_epoch),
            _ => STEPS,
        };
        // A full batch is the training rows in their order: the table holds just those.
        let full = model.inputs.is_empty() || size == prepared.split.train.len();
        let (function, layout) =
            step(&model, (if full { size } else { count } as u32, size as u32), stretch)?;
        let precision = plan.precision;
        let options = TensorOptions {
            arena_bytes: options.limits.arena_bytes,
            precision,
            in_place: layout.in_place.clone(),
            subnormals: Subnormals::Flush,
            threads: options.threads,
            ..TensorOptions::default()
        };
        let kernel = TensorKernel::compile(&function, &options)?;
        let workspace = kernel.workspace();
        let interval = if full { (steps / REPORTS).max(1) } else { per_epoch };
        let feed = Feed::new(&model, &layout, batches, seed, |input| kernel.reads(input));
        let mut training = Training {
            source: model.identity(),
            predict,
            prepared,
            seed,
            steps,
            interval,
            function,
            kernel,
            workspace,
            feed,
            layout,
            evaluation: None,
            standing: Standing::default(),
            norm: 0.0,
            last_loss: 0.0,
            model,
        };
        training.load_tables(full)?;
        training.initialise()?;
        Ok(training)
    }

    fn load_tables(&mut self, full: bool) -> Result<(), Error> {
        for (i, &place) in self.layout.data.iter().enumerate() {
            let table = &self.prepared.examples.inputs[i];
            if full {
                let size = table.len() / self.prepared.examples.count.max(1);
                let rows = self.prepared.split.train.iter().map(|&row| row as usize * size);
                let entries: Vec<f64> = rows.flat_map(|at| &table[at..at + size]).copied().collect();
                self.workspace.set(place, &entries)?;
            } else {
                self.workspace.set(place, table)?;
            }
        }
        Ok(())
    }

    /// Draws the parameters, and sets the optimiser's states to their beginnings.
    pub(super) fn initialise(&mut self) -> Result<(), Error> {
        for (k, param) in self.model.params.iter().enumerate() {
            let shape: Vec<usize> =
                self.model.graph.shape(param.node).extents().iter().map(|&d| d as usize).collect();
            let mut random = Random::new(self.seed, &format!("parameter {}", param.name));
            let values = initialise(&param.init, &shape, &mut random)?;
            self.workspace.set(self.layout.params[k], &values)?;
            for ((_, value), &place) in self.model.train.optimizer.states.iter().zip(&self.layout.states[k]) {
                self.workspace.set(place, &vec![*value; values.len()])?;
            }
        }
        Ok(())
    }

    /// Steps planned in all.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Steps done.
    pub fn step_count(&self) -> u64 {
        self.standing.step
    }

    /// The compiled step.
    pub fn kernel(&self) -> &TensorKernel {
        &self.kernel
    }

    /// A step that tells how long each stretch of its kernel took: see [`TensorKernel::timed`].
    ///
    /// # Errors
    /// As [`Training::step`].
    pub fn timed_step(&mut self) -> Result<Vec<Duration>, Error> {
        self.feed()?;
        self.standing.step += 1;
        Ok(self.kernel.timed(&mut self.workspace))
    }

    /// The program as it is trained.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The data with its split.
    pub fn data(&self) -> &Prepared {
        &self.prepared
    }

    /// One step: takes a batch, and updates the parameters; the mean loss before the update.
    ///
    /// # Errors
    /// None that a program or its data can cause once the run exists.
    pub fn step(&mut self) -> Result<f64, Error> {
        let control = self.kernel.control();
        self.step_under(&control)
    }

    fn step_under(&mut self, control: &Control) -> Result<f64, Error> {
        self.feed()?;
        self.kernel.run_under(&mut self.workspace, control);
        let loss = self.loss()?;
        self.norm = self.number(self.layout.norm)?;
        self.standing.step += 1;
        self.standing.sum += loss;
        self.standing.count += 1;
        self.standing.first.get_or_insert(loss);
        Ok(loss)
    }

    /// Runs the kernel on the next batch.
    pub(super) fn evaluate_step(&mut self) -> Result<(), Error> {
        self.feed()?;
        self.kernel.run(&mut self.workspace);
        Ok(())
    }

    /// Gives the workspace what the next step takes.
    fn feed(&mut self) -> Result<(), Error> {
        let Standing { step, plateaus, .. } = self.standing;
        self.feed.next(&mut self.workspace, Time { step, steps: self.steps, plateaus })
    }

    /// The mean loss the kernel computed last.
    pub(super) fn loss(&self) -> Result<f64, Error> {
        self.number(self.layout.loss)
    }

    /// Takes note of a point that a driver from outside has reached; a report when one is due.
    pub(super) fn reached(
        &mut self,
        step: u64,
        x: &[f64],
        loss: f64,
        norm: f64,
    ) -> Result<Option<Progress>, Error> {
        (self.standing.step, self.norm) = (step, norm);
        self.standing.sum += loss;
        self.standing.count += 1;
        if !step.is_multiple_of(self.interval) {
            return Ok(None);
        }
        self.set_flat(x)?;
        self.report().map(Some)
    }

    /// The rate of the last step.
    pub(super) fn learning_rate(&self) -> Result<Option<f64>, Error> {
        self.layout.rate.map(|rate| self.number(rate)).transpose()
    }

    /// Whether each step takes all training rows.
    pub(super) fn takes_all(&self) -> bool {
        self.feed.is_full()
    }

    /// The rows trained on; a program without data has one example, which is none.
    pub fn training_rows(&self) -> Vec<u32> {
        match self.model.inputs.is_empty() {
            true => vec![0],
            false => self.prepared.split.train.clone(),
        }
    }

    fn number(&self, output: usize) -> Result<f64, Error> {
        self.workspace.number(output)
    }

    /// Steps until the plan is done, or `observe` breaks off, or something goes wrong. `observe`
    /// sees a report at the end of each epoch (on the full batch, a hundred times in all), and
    /// `pause` is asked after every step whether to stop: a question of a moment, during which the
    /// processor may still take subnormal numbers as zero.
    ///
    /// # Errors
    /// As [`Training::step`].
    pub fn run(
        &mut self,
        mut pause: impl FnMut() -> bool,
        mut observe: impl FnMut(&mut Training, &Progress) -> Result<ControlFlow<()>, Error>,
    ) -> Result<Ending, Error> {
        if let Some(driver) = self.model.train.optimizer.driver {
            return self.descend(driver, pause, observe);
        }
        while self.standing.step < self.steps {
            let Stretch { loss, is_asked } = self.stretch(&mut pause)?;
            if !self.is_sound(loss) {
                return self.diverged(loss);
            }
            let at_end = self.standing.step == self.steps;
            if !is_asked {
                let progress = self.report()?;
                let stop = self.remember(&progress)?;
                let flow = observe(self, &progress)?;
                if let Some(ending) = stop {
                    return Ok(ending);
                }
                if flow.is_break() && !at_end {
                    return Ok(Ending::Interrupted);
                }
            }
            if (is_asked || pause()) && self.standing.step < self.steps {
                return Ok(Ending::Interrupted);
            }
        }
        self.finish()
    }

    /// Steps until one fails, a report is due, or `pause` says so.
    fn stretch(&mut self, pause: &mut impl FnMut() -> bool) -> Result<Stretch, Error> {
        let control = self.kernel.control();
        loop {
            let loss = self.step_under(&control)?;
            let step = self.standing.step;
            let is_due = step.is_multiple_of(self.interval) || step == self.steps;
            if is_due || !self.is_sound(loss) {
                return Ok(Stretch { loss, is_asked: false });
            }
            if pause() {
                return Ok(Stretch { loss, is_asked: true });
            }
        }
    }

    fn is_sound(&self, loss: f64) -> bool {
        loss.is_finite() && self.norm.is_finite()
    }

    pub(super) fn report(&mut self) -> Result<Progress, Error> {
        let validation = match self.prepared.split.validation.is_empty() {
            true => None,
            false => Some(self.score(&self.prepared.split.validation.clone())?),
        };
        let learning_rate = self.learning_rate()?;
        let Standing { step, sum, count, .. } = self.standing;
        (self.standing.sum, self.standing.count) = (0.0, 0);
        self.last_loss = sum / count.max(1) as f64;
        Ok(Progress {
            step,
            steps: self.steps,
            epoch: self.feed.epoch(step),
            loss: self.last_loss,
            gradient_norm: self.norm,
            learning_rate,
            validation,
        })
    }

    pub(super) fn sense(&self) -> Sense {
        self.model.objective.as_ref().map_or(Sense::Minimize, |objective| objective.sense)
    }

    /// The parameters' values, in the order of the program.
    ///
    /// # Errors
    /// As [`Training::step`].
    pub fn params(&self) -> Result<Vec<Vec<f64>>, Error> {
        let sizes = self.model.params.iter().map(|param| self.model.graph.shape(param.node).size());
        let places = self.layout.params.iter().map(|&input| self.output_of(input));
        sizes.zip(places).map(|(size, output)| self.values(output, size)).collect()
    }

    /// A parameter's values by name.
    pub fn param(&self, name: &str) -> Option<Vec<f64>> {
        let k = self.model.params.iter().position(|param| param.name == name)?;
        self.params().ok()?.into_iter().nth(k)
    }

    pub(super) fn values(&self, output: usize, size: usize) -> Result<Vec<f64>, Error> {
        let mut values = vec![0.0; size];
        self.workspace.get(output, &mut values)?;
        Ok(values)
    }

    /// The output that is stored where an input is.
    pub(super) fn output_of(&self, input: usize) -> usize {
        let pair = self.layout.in_place.iter().find(|pair| pair.1 == input);
        pair.expect("parameters and states are updated in place").0
    }

    /// Sets the parameters, in the order of the program.
    ///
    /// # Errors
    /// Where one has another length.
    pub fn set_params(&mut self, params: &[Vec<f64>]) -> Result<(), Error> {
        for (&place, values) in self.layout.params.iter().zip(params) {
            self.workspace.set(place, values)?;
        }
        Ok(())
    }

    /// Goes on from the batch after so many steps.
    pub(super) fn resume_batches(&mut self) {
        self.feed.resume(self.standing.step);
    }
}
