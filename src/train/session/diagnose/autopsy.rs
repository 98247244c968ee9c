//! A run that failed: the step that failed is made again, and followed to the first operation that
//! went wrong.
//!
//! What must stay true: the weights, rows and random numbers of that step are those of the run, to the
//! bit: a run depends on program, data and seed alone. Nothing is kept while a run goes well.

use super::Case;
use super::probe::anatomy_of;
use super::sense;
use super::trials::{self, Trial};
use crate::elaborate::program::{Model, Sense};
use crate::error::{Diagnostic, Error};
use crate::ir::Precision;
use crate::train::session::evaluation::Evaluation;
use crate::train::session::feed::Time;
use crate::train::session::run::Training;
use crate::train::trace::{Anatomy, Cotangents, Fault, Words, first_fault, first_slope, short};
use crate::train::{Cause, Finding, Grade};
use crate::weights::Saved;

/// A loss, or weights, this many times as large as at the start have grown.
const GROWN: f64 = 10.0;
const WEIGHTS_GROWN: f64 = 100.0;
/// An objective that became better by this many times its first size has no best value.
const RUN_AWAY: f64 = 1e6;
/// Rows whose gradients are looked at one by one.
const ROWS: usize = 512;

/// How a run failed.
pub(super) struct Failure {
    pub step: u64,
    pub loss: f64,
    pub message: String,
}

/// The step that failed, before its update.
struct Scene {
    start: Vec<Vec<f64>>,
    params: Vec<Vec<f64>>,
    rows: Vec<u32>,
    /// Of all examples of the batch, one after another.
    noises: Vec<Vec<f64>>,
    /// Losses of the steps before.
    losses: Vec<f64>,
    epoch: u64,
}

/// What went wrong in a run, given what is known already.
pub(super) fn findings(
    case: &Case<'_>,
    failure: &Failure,
    saved: Option<&Saved>,
    known: &[Finding],
) -> Result<Vec<Finding>, Error> {
    if failure.message.starts_with("unbounded") {
        return Ok(vec![trials::unbounded(case, &failure.message).leading()]);
    }
    let scene = replayed(case, failure.step, saved)?;
    if let Some(message) = scene.has_run_away(case) {
        return Ok(vec![trials::unbounded(case, &message).leading()]);
    }
    let operation = operation(case, failure, &scene)?;
    let mut findings = Vec::new();
    let is_blamed = known.iter().any(|finding| finding.grade == Grade::Fault && finding.leads);
    if scene.has_grown() || operation.is_none() {
        let steps = (2 * failure.step + 10).min(case.options.steps.unwrap_or(u64::MAX));
        let trial = Trial { case, steps: Some(steps) };
        findings.extend(trial.of_failure(known, failure)?);
    }
    let is_explained = is_blamed || !findings.is_empty();
    match operation {
        Some(finding) if is_explained => {
            let diagnostic = Diagnostic { severity: crate::Severity::Note, ..finding.diagnostic };
            findings.push(Finding { grade: Grade::Note, diagnostic, ..finding });
        }
        Some(finding) => findings.push(finding.leading()),
        None if is_explained => {}
        None => {
            let diagnostic = Diagnostic::error(failure.message.clone());
            findings.push(Finding::fault(Cause::Diverged, diagnostic));
        }
    }
    Ok(findings)
}

impl Scene {
    /// Whether the objective went far beyond its first value, the right way: there is no best one.
    fn has_run_away(&self, case: &Case<'_>) -> Option<String> {
        let (first, last) = (*self.losses.first()?, *self.losses.last()?);
        let gain = if sense(case.program) == Sense::Maximize { last - first } else { first - last };
        let message = format!("it went from {} to {}", short(first), short(last));
        (gain > RUN_AWAY * first.abs().max(1.0)).then_some(message)
    }

    /// Whether loss or weights had grown before the run failed.
    fn has_grown(&self) -> bool {
        let size = |params: &[Vec<f64>]| params.iter().flatten().map(|w| w * w).sum::<f64>().sqrt().max(1e-3);
        let before = self.losses.last().zip(self.losses.first());
        let rose = before.is_some_and(|(last, first)| last.abs() > GROWN * first.abs().max(1e-3));
        let ratio = size(&self.params) / size(&self.start);
        rose || !ratio.is_finite() || ratio > WEIGHTS_GROWN
    }
}

/// The run up to the step that failed, whose batch is drawn.
fn replayed(case: &Case<'_>, step: u64, saved: Option<&Saved>) -> Result<Scene, Error> {
    let begin = || Training::of(case.program, case.prepared.clone(), case.options);
    let mut training = match saved {
        None => begin()?,
        Some(saved) => {
            let resumed = Training::resumed_of(case.program, case.prepared.clone(), saved, case.options)?;
            if resumed.step_count() < step { resumed } else { begin()? }
        }
    };
    let start = training.params()?;
    let is_stepped = case.program.train.train.optimizer.driver.is_none();
    let losses = if is_stepped { training.replay(step.saturating_sub(1))? } else { Vec::new() };
    let params = training.params()?;
    let time =
        Time { step: training.standing.step, steps: training.steps(), plateaus: training.standing.plateaus };
    training.feed.next(&mut training.workspace, time)?;
    let precision = training.model.train.precision;
    let mut numbers = |place: usize| -> Vec<f64> {
        match precision {
            Precision::F64 => training.workspace.input_f64(place).unwrap_or_default().to_vec(),
            Precision::F32 => {
                let values = training.workspace.input_f32(place).unwrap_or_default();
                values.iter().map(|&x| f64::from(x)).collect()
            }
        }
    };
    let noises = training.layout.noises.iter().map(|&place| numbers(place)).collect();
    let drawn = training.layout.rows.map(&mut numbers);
    let rows = match drawn {
        Some(rows) => rows.into_iter().map(|row| row as u32).collect(),
        None => training.training_rows(),
    };
    let epoch = training.feed.epoch(time.step);
    Ok(Scene { start, params, rows, noises, losses, epoch })
}

impl Training {
    /// Goes on to a step as [`Training::run`] does, whatever comes; the losses on the way.
    fn replay(&mut self, until: u64) -> Result<Vec<f64>, Error> {
        let mut losses = Vec::new();
        while self.standing.step < until {
            losses.push(self.step()?);
            if self.standing.step.is_multiple_of(self.interval) {
                let progress = self.report()?;
                self.remember(&progress)?;
            }
        }
        Ok(losses)
    }
}

/// The first operation that went wrong in the step, as a finding.
fn operation(case: &Case<'_>, failure: &Failure, scene: &Scene) -> Result<Option<Finding>, Error> {
    let model = &case.program.train;
    let precision = model.train.precision;
    let mut anatomy = anatomy_of(model)?;
    let Some((at, count, fault)) = by_value(case, scene, &anatomy)?.or_else(|| {
        let cotangents = Cotangents::new(&mut anatomy);
        let rows = 0..scene.rows.len().min(ROWS);
        let mut faults = rows.filter_map(|at| {
            let numbers = numbers(case, scene, &anatomy, at);
            Some((at, first_slope(&anatomy, &cotangents, &numbers, precision)?))
        });
        let (at, fault) = faults.next()?;
        Some((at, 1 + faults.count(), fault))
    }) else {
        return Ok(None);
    };
    let mut finding = Words::of(&fault, precision).finding(&fault);
    if !fault.steps.is_empty() && finding.cause == Cause::Overflow {
        finding.cause = Cause::ExplodingScan;
    }
    finding.diagnostic.message += &place(case, failure, scene, at, count);
    Ok(Some(finding.with("step", failure.step as f64).with("examples", count as f64)))
}

/// ", at step 3 of epoch 1, for wine.csv, line 12, and 3 other examples of the batch".
fn place(case: &Case<'_>, failure: &Failure, scene: &Scene, at: usize, count: usize) -> String {
    let mut words = match failure.step {
        _ if case.program.train.train.optimizer.driver.is_some() => ", at the start".to_owned(),
        step => format!(", at step {step}"),
    };
    if scene.rows.len() < case.prepared.split.train.len() {
        words += &format!(" (epoch {})", scene.epoch);
    }
    if !case.program.train.inputs.is_empty() {
        words += &format!(", for {}", case.prepared.examples.place(scene.rows[at] as usize));
        match count {
            1 => {}
            2 => words += " and another example",
            n => words += &format!(" and {} other examples", n - 1),
        }
    }
    words
}

/// The first example whose loss is not finite, how many there are, and what went wrong there.
fn by_value(
    case: &Case<'_>,
    scene: &Scene,
    anatomy: &Anatomy,
) -> Result<Option<(usize, usize, Fault)>, Error> {
    let model = &case.program.train;
    let precision = model.train.precision;
    let at = |at: usize| first_fault(anatomy, &numbers(case, scene, anatomy, at), precision);
    let bad: Vec<usize> = match model.noises.is_empty() && !scene.rows.is_empty() {
        true => {
            let node = model.objective()?.node;
            let mut evaluation = Evaluation::new(model, &[node], scene.rows.len(), precision)?;
            let losses = evaluation.run(&scene.params, &case.prepared.examples.inputs, &scene.rows)?;
            (0..scene.rows.len()).filter(|&i| !losses[0][i].is_finite()).collect()
        }
        false => (0..scene.rows.len()).filter(|&i| at(i).is_some()).collect(),
    };
    Ok(bad.iter().find_map(|&i| Some((i, bad.len(), at(i)?))))
}

/// The numbers of one example of the batch, in the order of the anatomy's inputs.
fn numbers(case: &Case<'_>, scene: &Scene, anatomy: &Anatomy, at: usize) -> Vec<f64> {
    let model: &Model = &case.program.train;
    let graph = &anatomy.graph;
    let mut all = Vec::new();
    for &symbol in &anatomy.inputs {
        let name = graph.symbol_name(symbol);
        let size = graph.type_of(graph.symbol_type(symbol)).shape.size();
        let part = |table: &[f64], row: usize| table.get(row * size..(row + 1) * size).map(<[f64]>::to_vec);
        let input = model.inputs.iter().position(|input| input.name == name);
        let param = model.params.iter().position(|param| param.name == name);
        let noise = model.noises.iter().position(|noise| {
            model.graph.input_symbol(noise.node).is_some_and(|s| model.graph.symbol_name(s) == name)
        });
        let found = match (input, param, noise) {
            (Some(i), ..) => part(&case.prepared.examples.inputs[i], scene.rows[at] as usize),
            (_, Some(k), _) => Some(scene.params[k].clone()),
            (_, _, Some(k)) => part(&scene.noises[k], at),
            _ => None,
        };
        all.extend(found.unwrap_or_else(|| vec![0.0; size]));
    }
    all
}

/// The numbers of a failure in words.
pub(super) fn outcome(failure: &Failure) -> String {
    match failure.loss.is_finite() {
        true => format!("the loss reached {} after {} steps", short(failure.loss), failure.step),
        false => format!("the loss was {} at step {}", failure.loss, failure.step),
    }
}
