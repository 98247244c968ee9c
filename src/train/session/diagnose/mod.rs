//! Why a training fails, or does not learn: a program and its data → findings, the root cause first.
//!
//! `data` looks at the columns, `pairs` at what is compared with what, `structure` at what the graph
//! cannot do; then the program is trained. Where the run fails, `autopsy` replays the step that failed;
//! `units` and `layers` look at activations and gradients before and after; where nothing was
//! learnt, `trials` trains again with one thing changed at a time.
//!
//! What must stay true: every finding rests on numbers that were measured, and says them; a finding
//! that a setting is at fault rests on a run without it. No clock is read: the same program, data and
//! seed give the same findings.

mod autopsy;
mod course;
mod data;
mod layers;
mod pairs;
mod probe;
mod structure;
mod trials;
mod units;

use super::program::Program;
use super::run::{Training, TrainingOptions};
use super::standing::Ending;
use crate::data::Prepared;
use crate::elaborate::program::Sense;
use crate::error::Error;
use crate::ir::Function;
use crate::train::{Cause, Finding, Grade};
use course::Course;
use probe::Probe;

pub use layers::Layer;

/// What was found out about a training.
#[derive(Clone, Debug)]
pub struct Diagnosis {
    /// The root cause first.
    pub findings: Vec<Finding>,
    /// The gradient of each parameter before and after; empty where it could not be computed.
    pub layers: Vec<Layer>,
    /// Steps done.
    pub steps: u64,
    /// The mean loss of the training rows before and after.
    pub loss: (f64, f64),
}

impl Diagnosis {
    /// Whether nothing keeps the program from working and learning.
    pub fn is_healthy(&self) -> bool {
        self.findings.iter().all(|finding| finding.grade != Grade::Fault)
    }

    /// The root cause, if something is wrong.
    pub fn cause(&self) -> Option<Cause> {
        self.findings.first().map(|finding| finding.cause)
    }
}

/// Everything a part of the diagnosis looks at.
struct Case<'a> {
    program: &'a Program,
    prepared: &'a Prepared,
    options: &'a TrainingOptions,
}

/// Trains a program, and says what is wrong with it.
///
/// # Errors
/// As [`Training::of`].
///
/// ```
/// use symdiff::train::{Cause, Program, TrainingOptions, diagnose};
///
/// let text = "param w = 5\nminimize log(w)^2 + w\ntrain { optimizer = gd(lr = 4), steps = 20 }";
/// let program = Program::read(text, &symdiff::Limits::default())?;
/// let found = diagnose(&program, program.prepare(None, None)?, &TrainingOptions::default())?;
/// assert_eq!(found.cause(), Some(Cause::Undefined));
/// assert_eq!(found.findings[0].diagnostic.message, "log of -1.575 is undefined, at step 2");
/// # Ok::<(), symdiff::Error>(())
/// ```
pub fn diagnose(
    program: &Program,
    prepared: Prepared,
    options: &TrainingOptions,
) -> Result<Diagnosis, Error> {
    let case = Case { program, prepared: &prepared, options };
    let course = Course::of(&case)?;
    let probe = Probe::new(&case)?;
    let pairs = pairs::pairs(&program.predict);
    let mut findings = structure::findings(program);
    findings.extend(data::findings(&case, &pairs));
    let compared = pairs::measured(&probe, &pairs, &course)?;
    findings.extend(pairs::findings(&case, &compared));
    let learnt = course.has_learnt(pairs::baseline(&compared), sense(program));
    let layers = layers::measured(&probe, &course)?;
    findings.extend(layers::findings(&case, &probe, &layers, &course, learnt));
    findings.extend(units::findings(&probe, &course, learnt)?);
    match &course.ending {
        Ending::Diverged { step, loss, message } => {
            let failure = autopsy::Failure { step: *step, loss: *loss, message: message.clone() };
            findings.extend(autopsy::findings(&case, &failure, None, &findings)?);
        }
        _ if !learnt || course.fell_far(sense(program)) || course.is_restless(sense(program)) => {
            findings.extend(trials::findings(&case, &course, learnt, &pairs, &findings)?)
        }
        _ => {}
    }
    Ok(Diagnosis {
        findings: ranked(findings),
        layers,
        steps: course.steps,
        loss: (course.first, course.last),
    })
}

/// What is wrong with a program whose inputs, then parameters, have these numbers: what its graph cannot
/// do, and the first operation of the objective or its gradient that fails.
///
/// # Errors
/// For a program without objective, and for another number of numbers.
pub fn diagnose_point(program: &Program, point: &[f64]) -> Result<Vec<Finding>, Error> {
    let model = &program.predict;
    let function = Function::new(model.graph.clone(), model.symbols(), vec![model.objective()?.node]);
    crate::train::trace::check_length(point, &function)?;
    let mut findings = structure::findings(program);
    let found = crate::train::trace::at_point(&function, &model.origins, &model.named_nodes(), point);
    findings.extend(found.map(Finding::leading));
    Ok(ranked(findings))
}

/// Faults before notes, causes before what they bring about; a gradient of 0 that another fault
/// explains is a note.
fn ranked(mut findings: Vec<Finding>) -> Vec<Finding> {
    let explained = findings.iter().any(|finding| {
        let explains = [Cause::CutOff, Cause::Symmetric, Cause::Unused, Cause::DeadUnits, Cause::Saturated];
        finding.grade == Grade::Fault && explains.contains(&finding.cause)
    });
    for finding in &mut findings {
        if explained && finding.cause == Cause::ZeroGradient {
            finding.grade = Grade::Note;
            finding.diagnostic.severity = crate::Severity::Note;
        }
    }
    findings.sort_by_key(|finding| (finding.grade, !finding.leads, finding.cause));
    findings
}

fn sense(program: &Program) -> Sense {
    program.train.objective.as_ref().map_or(Sense::Minimize, |objective| objective.sense)
}

impl Training {
    /// What went wrong in a run that ended with [`Ending::Diverged`]: the same as [`diagnose`] says
    /// of a run that fails. The step is made again, from `saved` or else from the beginning, as a run
    /// depends on program, data and seed alone; while nothing fails nothing is kept for it.
    ///
    /// # Errors
    /// As [`Training::of`].
    pub fn autopsy(
        &self,
        ending: &Ending,
        saved: Option<&crate::weights::Saved>,
    ) -> Result<Vec<Finding>, Error> {
        let Ending::Diverged { step, loss, message } = ending else { return Ok(Vec::new()) };
        let program = Program { train: self.model.clone(), predict: self.predict.clone() };
        let options = TrainingOptions {
            steps: Some(self.steps()),
            seed: Some(self.seed),
            batch: self.feed.batch_size().map(|size| size as u64),
            ..TrainingOptions::default()
        };
        let case = Case { program: &program, prepared: &self.prepared, options: &options };
        let pairs = pairs::pairs(&program.predict);
        let mut findings = data::findings(&case, &pairs);
        let failure = autopsy::Failure { step: *step, loss: *loss, message: message.clone() };
        findings.extend(autopsy::findings(&case, &failure, saved, &findings)?);
        Ok(ranked(findings))
    }
}
