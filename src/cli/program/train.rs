//! `symdiff train`: a program and its data to weights.
//!
//! What must stay true: weights are saved however the run ends; stdout has the result only.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::data::{dataset, wishes};
use super::scores;
use super::text::{ProgramText, WEIGHTS, weights};
use crate::cli::arguments::Train;
use crate::cli::console::{Console, Exit, Fault};
use crate::data::{Portions, Prepared, RunLog, prepare};
use crate::elaborate::program::{Model, Phase};
use crate::print::number;
use crate::train::{Ending, Progress, Score, Training, input_shapes};
use crate::weights::{check_place, load, save};
use crate::{Diagnostic, Error, Limits};

pub fn run(arguments: &Train, console: &mut Console) -> Result<Exit, Fault> {
    let limits = arguments.budgets.limits();
    let text = ProgramText::read(&arguments.program, &limits)?.with(&arguments.overrides.values, &limits)?;
    let model = text.model(Phase::Train, &limits, console)?;
    let begun = arguments.resume.as_ref().map(|path| weights(path, &limits)).transpose()?;
    let options = arguments.overrides.options(arguments.threads, &limits);
    let options = match &begun {
        None => options,
        Some(begun) => options.resuming(begun).map_err(|error| Fault::from_error(&error))?,
    };
    let prepared = prepared(arguments, options.seed, &model, &text, &limits, console)?;
    let mut training = match &begun {
        None => Training::new(&text.source, prepared, &options),
        Some(begun) => Training::resumed(&text.source, prepared, begun, &options),
    }
    .map_err(|error| text.fault(&error))?;
    let out = arguments.out.clone().or_else(|| arguments.resume.clone());
    let out = out.unwrap_or_else(|| arguments.program.with_extension(WEIGHTS));
    check_place(&out).map_err(|error| Fault::from_error(&error))?;
    let log = log(arguments, training.step_count())?;
    let mut watch = Watch {
        bar: bar(&training, arguments.quiet),
        log,
        out: out.clone(),
        every: Duration::from_secs(arguments.save_every),
        saved: Instant::now(),
        has_saved: false,
    };
    let stop = on_interrupt();
    let ending = training
        .run(|| stop.load(Ordering::Relaxed), |training, progress| watch.observe(training, progress))
        .map_err(|error| text.fault(&error));
    watch.bar.finish_and_clear();
    let before = match &ending {
        Ok(Ending::Diverged { .. }) if watch.has_saved => load(&out, &limits).ok(),
        _ => begun,
    };
    keep(&training, &out)?;
    let ending = ending?;
    let exit = conclude(&mut training, &ending, &out, arguments, console)?;
    for finding in training.autopsy(&ending, before.as_ref()).map_err(|error| text.fault(&error))? {
        console.show(&finding.diagnostic, &text.source, text.origin())?;
    }
    Ok(exit)
}

/// The data of a program, read, bound and split; nothing for one that has no inputs.
fn prepared(
    arguments: &Train,
    seed: Option<u64>,
    model: &Model,
    text: &ProgramText,
    limits: &Limits,
    console: &mut Console,
) -> Result<Prepared, Fault> {
    let plan = &model.train;
    let portions = Portions {
        validation: plan.validation,
        test: plan.test,
        seed: seed.unwrap_or(plan.seed),
        stratify: None,
    };
    let data = dataset(&arguments.data, model, &arguments.program, limits)?;
    let wishes = wishes(&arguments.data, model)?;
    if data.is_none() && wishes.bindings.is_empty() && !model.inputs.is_empty() {
        let hint = "name a table with --data, or write `data { file = \"…\" }` in the program";
        return Err(Fault::usage("the program has inputs, but no data is given", hint));
    }
    let shapes = input_shapes(model);
    let prepared = match shapes.is_empty() {
        true => Prepared::none(),
        false => prepare(data.as_ref(), &shapes, &wishes, &portions).map_err(|error| text.fault(&error))?,
    };
    for sentence in &prepared.echo {
        console.say(Diagnostic::note(sentence.clone()))?;
    }
    Ok(prepared)
}

fn log(arguments: &Train, step: u64) -> Result<Option<RunLog>, Fault> {
    let Some(path) = &arguments.log else { return Ok(None) };
    let log = if arguments.resume.is_some() { RunLog::resume(path, step) } else { RunLog::create(path) };
    log.map(Some).map_err(|error| Fault::from_error(&error))
}

/// A flag that the first Ctrl-C sets, or a request to terminate; the second ends the program.
fn on_interrupt() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    // Without a handler Ctrl-C ends the program at once, which is as safe.
    let _ = ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    stop
}

fn bar(training: &Training, quiet: bool) -> ProgressBar {
    let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(Some(training.steps()), target);
    let template = "{bar:24} {pos}/{len} steps  {msg}  {per_sec}  {eta} left";
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_position(training.step_count());
    bar.reset_eta();
    bar
}

/// What looks on while a program trains.
struct Watch {
    bar: ProgressBar,
    log: Option<RunLog>,
    out: PathBuf,
    every: Duration,
    saved: Instant,
    /// A run that fails is replayed from there.
    has_saved: bool,
}

impl Watch {
    fn observe(&mut self, training: &mut Training, progress: &Progress) -> Result<ControlFlow<()>, Error> {
        self.bar.set_position(progress.step);
        self.bar.set_message(message(progress));
        if let Some(log) = &mut self.log {
            log.write(&fields(progress))?;
        }
        if self.saved.elapsed() >= self.every {
            save(&self.out, &training.saved()?)?;
            self.saved = Instant::now();
            self.has_saved = true;
        }
        Ok(ControlFlow::Continue(()))
    }
}

fn message(progress: &Progress) -> String {
    let short = |x: f64| format!("{x:.4}");
    match &progress.validation {
        Some(score) => format!("loss {}  validation {}", short(progress.loss), short(score.loss)),
        None => format!("loss {}", short(progress.loss)),
    }
}

fn fields(progress: &Progress) -> Vec<(&str, serde_json::Value)> {
    let mut fields = vec![
        ("step", progress.step.into()),
        ("epoch", progress.epoch.into()),
        ("loss", progress.loss.into()),
        ("gradient_norm", progress.gradient_norm.into()),
    ];
    if let Some(rate) = progress.learning_rate {
        fields.push(("learning_rate", rate.into()));
    }
    if let Some(score) = &progress.validation {
        fields.push(("validation_loss", score.loss.into()));
        let metrics = score.metrics.iter().map(|(name, value)| (name.clone(), (*value).into()));
        fields.push(("validation", serde_json::Value::Object(metrics.collect())));
    }
    fields
}

fn keep(training: &Training, out: &Path) -> Result<(), Fault> {
    let saved = training.saved().map_err(|error| Fault::from_error(&error))?;
    save(out, &saved).map_err(|error| Fault::from_error(&error))
}

/// Scores on the parts of the data, and where the weights are.
fn conclude(
    training: &mut Training,
    ending: &Ending,
    out: &Path,
    arguments: &Train,
    console: &mut Console,
) -> Result<Exit, Fault> {
    let split = training.data().split.clone();
    let parts = [("train", training.training_rows()), ("validation", split.validation), ("test", split.test)];
    let mut found = Vec::new();
    for (name, rows) in parts {
        if !rows.is_empty() {
            found.push((name, training.score(&rows).map_err(|error| Fault::from_error(&error))?));
        }
    }
    let steps = training.step_count();
    match arguments.output.json {
        true => console.print(&json(steps, &found, ending, out))?,
        false => {
            console.print(&format!("steps = {steps}"))?;
            for (part, score) in &found {
                let part = if found.len() > 1 { part } else { "" };
                scores::print(part, score, &|name| training.confusion_names(name), console)?;
            }
            small_params(training, console)?;
            console.print(&format!("weights = {}", out.display()))?;
        }
    }
    Ok(match ending {
        Ending::Finished => {
            if let Some(best) = training.best_step().filter(|&best| best != steps) {
                console.say(Diagnostic::note(kept(training, best)))?;
            }
            Exit::Success
        }
        Ending::StoppedEarly { best_step } => {
            let text = format!("stopped early: {}", kept(training, *best_step));
            console.say(Diagnostic::note(text))?;
            Exit::Success
        }
        Ending::Interrupted => {
            let text = format!("interrupted after step {steps}; the run is saved in {}", out.display());
            console.say(Diagnostic::warning(text).hint(format!("go on with --resume {}", out.display())))?;
            Exit::Interrupted
        }
        Ending::Diverged { message, .. } => {
            console.say(Diagnostic::error(message.clone()))?;
            Exit::Failed
        }
    })
}

fn kept(training: &Training, step: u64) -> String {
    let best = match training.data().split.validation.is_empty() {
        true => "of the least loss",
        false => "the best on validation",
    };
    format!("the weights are those of step {step}, {best}")
}

/// Numbers printed whole; larger parameters are in the weights file.
const PRINTED: usize = 8;

fn small_params(training: &Training, console: &mut Console) -> Result<(), Fault> {
    let params = training.params().map_err(|error| Fault::from_error(&error))?;
    if params.iter().map(Vec::len).sum::<usize>() > PRINTED {
        return Ok(());
    }
    for (param, values) in training.model().params.iter().zip(&params) {
        let scalar = training.model().graph.is_scalar(param.node);
        let text = if scalar { number(values[0]) } else { crate::cli::numbers::vector(values) };
        console.print(&format!("{} = {text}", param.name))?;
    }
    Ok(())
}

fn json(steps: u64, parts: &[(&str, Score)], ending: &Ending, out: &Path) -> String {
    let status = match ending {
        Ending::Finished => "finished",
        Ending::StoppedEarly { .. } => "stopped_early",
        Ending::Interrupted => "interrupted",
        Ending::Diverged { .. } => "diverged",
    };
    let mut object = serde_json::Map::new();
    object.insert("schema".to_owned(), 1.into());
    object.insert("status".to_owned(), status.into());
    object.insert("steps".to_owned(), steps.into());
    object.extend(parts.iter().map(|(name, of)| ((*name).to_owned(), scores::object(of))));
    object.insert("weights".to_owned(), out.to_string_lossy().into());
    serde_json::Value::Object(object).to_string()
}
