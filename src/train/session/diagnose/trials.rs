//! Training again with one thing changed: what makes the difference is the cause.
//!
//! What must stay true: a setting is blamed only where a run without it, of the same steps and seed,
//! did much better; the finding says by how much.

use super::Case;
use super::autopsy::{Failure, outcome};
use super::course::Course;
use super::data::{Column, entries, features};
use super::pairs::{Pair, pairs};
use super::sense;
use crate::data::Prepared;
use crate::error::{Diagnostic, Error, Span};
use crate::train::session::program::Program;
use crate::train::session::run::TrainingOptions;
use crate::train::trace::short;
use crate::train::{Cause, Finding, Grade};

/// Runs shorter than this are too short to tell.
const SHORT: u64 = 10;
/// A trial tells where the loss falls by that many times as much, and by that part of itself more.
const TIMES: f64 = 2.0;
const PART: f64 = 0.2;
/// Or where it leaves this part of the loss.
const BELOW: f64 = 0.3;
/// The gradient is always clipped where it is in that part of the reports, of so many.
const ALWAYS: f64 = 0.9;
const REPORTS: usize = 10;
/// Rates tried where nothing is learnt.
const RATES: [f64; 7] = [10.0, 100.0, 1e3, 1e4, 1e5, 0.1, 0.01];
/// A smaller rate is blamed for unrest where it leaves this part of the loss.
const CALMER: f64 = 0.5;
/// A loss below this part of the first one is good enough for the unrest to be a note.
const WELL: f64 = 0.1;
/// Ten times the rate and this many times the gain: there is no bottom.
const BOTTOMLESS: f64 = 5.0;

/// A trial: a case with one thing changed.
pub(super) struct Trial<'a> {
    pub case: &'a Case<'a>,
    /// Steps of it, where not those of the case.
    pub steps: Option<u64>,
}

/// What keeps a program from learning, tried out.
pub(super) fn findings(
    case: &Case<'_>,
    course: &Course,
    learnt: bool,
    pairs: &[Pair],
    known: &[Finding],
) -> Result<Vec<Finding>, Error> {
    let is_known =
        |before: Cause| known.iter().any(|finding| finding.grade == Grade::Fault && finding.cause < before);
    if course.steps < SHORT || is_known(Cause::Scale) || case.program.train.train.optimizer.driver.is_some() {
        return Ok(Vec::new());
    }
    let trial = Trial { case, steps: None };
    if course.fell_far(sense(case.program)) {
        let faster = trial.rate(10.0)?;
        let sense = sense(case.program);
        let is_bottomless = faster.gain(sense) > BOTTOMLESS * course.gain(sense);
        let message = format!(
            "the objective went from {} to {}, and to {} at ten times the rate",
            short(course.first),
            short(course.last),
            short(faster.last)
        );
        return Ok(if is_bottomless { vec![unbounded(case, &message)] } else { Vec::new() });
    }
    if learnt {
        return trial.calmer(course).map(|finding| finding.into_iter().collect());
    }
    let scale = known.iter().find(|finding| finding.cause == Cause::Scale);
    if let Some(scale) = scale
        && let Some(finding) = trial.scaled(scale, course, pairs)?
    {
        return Ok(vec![finding]);
    }
    if is_known(Cause::RateTooHigh) {
        return Ok(Vec::new());
    }
    for setting in SETTINGS {
        if let Some(finding) = trial.without(setting, course)? {
            return Ok(vec![finding]);
        }
    }
    trial.rates(course).map(|finding| finding.into_iter().collect())
}

/// An objective without a best value.
pub(super) fn unbounded(case: &Case<'_>, message: &str) -> Finding {
    let span = case.program.train.objective.as_ref().map_or(Span::default(), |objective| objective.span);
    let diagnostic = Diagnostic::error(format!("the objective has no bound: {message}"));
    let hint = "a loss is at least 0: square differences, or take their `abs`; look at its sign";
    Finding::fault(Cause::Unbounded, diagnostic.at(span, "defined here").hint(hint))
}

/// A setting that may be at fault.
struct Setting {
    cause: Cause,
    keys: &'static [&'static str],
    applies: fn(&Case<'_>, &Course) -> bool,
    without: fn(&mut Program),
    says: &'static str,
    hint: &'static str,
}

#[rustfmt::skip]
const SETTINGS: &[Setting] = &[
    Setting {
        cause: Cause::Clipped, keys: &["clip_norm", "clip_value"], applies: is_clipped,
        without: |program| { (program.train.train.clip_norm, program.train.train.clip_value) = (None, None) },
        says: "the gradient is always clipped, and its steps are too short",
        hint: "set the bound to about the usual length of the gradient, or leave it out",
    },
    Setting {
        cause: Cause::Decay, keys: &["l2"], applies: |case, _| case.program.train.train.l2.is_some(),
        without: |program| program.train.train.l2 = None,
        says: "weight decay pulls the parameters back to 0",
        hint: "take a smaller `l2`, such as a hundredth of it",
    },
    Setting {
        cause: Cause::Dropout, keys: &[], applies: |case, _| !case.program.train.noises.is_empty(),
        without: |program| program.train = program.predict.clone(),
        says: "dropout leaves too little to learn from",
        hint: "take a smaller rate of dropout",
    },
];

fn is_clipped(case: &Case<'_>, course: &Course) -> bool {
    let plan = &case.program.train.train;
    let Some(most) = plan.clip_norm.or(plan.clip_value) else { return false };
    let reached = course.norms.iter().filter(|norm| **norm > most).count();
    course.norms.len() >= REPORTS && reached as f64 >= ALWAYS * course.norms.len() as f64
}

impl Trial<'_> {
    fn options(&self) -> TrainingOptions {
        let case = self.case.options;
        match self.steps {
            Some(steps) => TrainingOptions { steps: Some(steps), epochs: None, ..case.clone() },
            None => case.clone(),
        }
    }

    /// The run at so many times the rate.
    fn rate(&self, times: f64) -> Result<Course, Error> {
        Course::changed(self.case.program, self.case, &self.options(), times)
    }

    /// The run on inputs of mean 0 and deviation 1.
    fn standardized(&self, pairs: &[Pair]) -> Result<Course, Error> {
        let prepared = standardized(self.case, pairs);
        let case = Case { prepared: &prepared, ..*self.case };
        Course::changed(case.program, &case, &self.options(), 1.0)
    }

    /// Whether a trial did much better than the run.
    fn tells(&self, trial: &Course, course: &Course) -> bool {
        let sense = sense(self.case.program);
        let part = |course: &Course| course.gain(sense) / course.first.abs().max(f64::MIN_POSITIVE);
        let (new, old) = (part(trial), part(course).max(0.0));
        let is_far_below = trial.first > 0.0 && trial.last >= 0.0 && trial.last <= BELOW * course.last;
        !trial.has_failed() && (is_far_below || new >= TIMES * old && new >= old + PART)
    }

    fn scaled(&self, scale: &Finding, course: &Course, pairs: &[Pair]) -> Result<Option<Finding>, Error> {
        let trial = self.standardized(pairs)?;
        Ok(self.tells(&trial, course).then(|| {
            let more = format!("the loss falls to {} of its first value", percent(course));
            graver(scale, &format!("; as they are {more}, standardized to {}", percent(&trial)))
        }))
    }

    fn without(&self, setting: &Setting, course: &Course) -> Result<Option<Finding>, Error> {
        if !(setting.applies)(self.case, course) {
            return Ok(None);
        }
        let mut program = self.case.program.clone();
        (setting.without)(&mut program);
        let trial = Course::changed(&program, self.case, &self.options(), 1.0)?;
        let message = format!(
            "{}: after {} steps the loss is {}, and {} without",
            setting.says,
            course.steps,
            short(course.last),
            short(trial.last)
        );
        let plan = &self.case.program.train.train;
        let span = plan.spans.iter().find(|(key, _)| setting.keys.contains(&key.as_str())).map(|s| s.1);
        let diagnostic = Diagnostic::error(message).hint(setting.hint);
        let diagnostic = match span {
            Some(span) => diagnostic.at(span, "set here"),
            None => diagnostic,
        };
        Ok(self.tells(&trial, course).then(|| Finding::fault(setting.cause, diagnostic)))
    }

    /// A rate that is too small, or too large without a failure.
    fn rates(&self, course: &Course) -> Result<Option<Finding>, Error> {
        for times in RATES {
            let trial = self.rate(times)?;
            if !self.tells(&trial, course) {
                continue;
            }
            let (cause, says, compare) = match times > 1.0 {
                true => (Cause::RateTooLow, "the rate is too small", format!("{times} times the rate")),
                false => (
                    Cause::RateTooHigh,
                    "the rate is too large",
                    format!("1/{} of the rate", (1.0 / times).round()),
                ),
            };
            let message = format!(
                "{says}: after {} steps the loss is {}, and {} at {compare}",
                course.steps,
                short(course.last),
                short(trial.last)
            );
            let hint = format!("try {compare}, or a schedule; more steps help less");
            let finding = Finding::fault(cause, self.at_optimizer(message).hint(hint));
            return Ok(Some(
                finding.with("loss", course.last).with("trial", trial.last).with("times", times),
            ));
        }
        Ok(None)
    }

    /// A rate at which the loss goes up and down where a smaller one settles.
    fn calmer(&self, course: &Course) -> Result<Option<Finding>, Error> {
        for times in [0.1, 0.01] {
            let trial = self.rate(times)?;
            if trial.has_failed() || trial.last > CALMER * course.last || course.last <= 0.0 {
                continue;
            }
            let part = (1.0_f64 / times).round();
            let message = format!(
                "the rate is too large: the loss goes up and down, and after {} steps is {}; it is {} at 1/{part} of the rate",
                course.steps,
                short(course.last),
                short(trial.last)
            );
            let hint = format!("take 1/{part} of the rate, or a schedule that lowers it");
            let diagnostic = self.at_optimizer(message).hint(hint);
            let finding = match course.last > WELL * course.first {
                true => Finding::fault(Cause::RateTooHigh, diagnostic),
                false => Finding::note(Cause::RateTooHigh, diagnostic),
            };
            return Ok(Some(
                finding.with("loss", course.last).with("trial", trial.last).with("times", times),
            ));
        }
        Ok(None)
    }

    fn at_optimizer(&self, message: String) -> Diagnostic {
        let plan = &self.case.program.train.train;
        match plan.optimizer.span {
            Some(span) => Diagnostic::error(message).at(span, "this rate"),
            None => Diagnostic::error(message),
        }
    }

    /// What keeps a run from failing: other numbers, or another rate.
    pub fn of_failure(&self, known: &[Finding], failure: &Failure) -> Result<Option<Finding>, Error> {
        if self.case.program.train.train.optimizer.driver.is_some() {
            return Ok(None);
        }
        let mends = |trial: &Course| !trial.has_failed() && trial.gain(sense(self.case.program)) > 0.0;
        if let Some(scale) = known.iter().find(|finding| finding.cause == Cause::Scale) {
            let trial = self.standardized(&pairs(&self.case.program.predict))?;
            if mends(&trial) {
                let words =
                    format!("; {}, and standardized it falls to {}", outcome(failure), percent(&trial));
                return Ok(Some(graver(scale, &words).leading()));
            }
        }
        for times in [0.1, 0.01, 1e-3, 1e-4] {
            let trial = self.rate(times)?;
            if mends(&trial) {
                let part = (1.0 / times).round();
                let message = format!(
                    "the rate is too large: {}; at 1/{part} of the rate it goes from {} to {} in {} steps; {}",
                    outcome(failure),
                    short(trial.first),
                    short(trial.last),
                    trial.steps,
                    failure.message.split(';').next().unwrap_or_default()
                );
                let hint = format!("take 1/{part} of the rate, or set `clip_norm`");
                let finding = Finding::fault(Cause::RateTooHigh, self.at_optimizer(message).hint(hint));
                return Ok(Some(finding.with("times", times).with("trial", trial.last).leading()));
            }
        }
        Ok(None)
    }
}

/// The last loss as a part of the first.
fn percent(course: &Course) -> String {
    format!("{} %", short(100.0 * course.last / course.first))
}

/// A note that turned out to be a fault.
fn graver(note: &Finding, words: &str) -> Finding {
    let mut finding = note.clone();
    finding.grade = Grade::Fault;
    finding.diagnostic.severity = crate::Severity::Error;
    finding.diagnostic.message += words;
    finding
}

/// The examples with features, and targets that are compared by difference, of mean 0 and deviation 1.
fn standardized(case: &Case<'_>, pairs: &[Pair]) -> Prepared {
    let mut prepared = case.prepared.clone();
    let compared = pairs.iter().filter(|pair| pair.is_difference()).filter_map(|pair| pair.target_input);
    let model = &case.program.predict;
    for i in features(case, pairs).into_iter().chain(compared) {
        let width = model.graph.shape(model.inputs[i].node).size();
        for at in 0..width {
            let column = Column::of(&entries(case, i, at));
            let deviation = if column.deviation > 0.0 { column.deviation } else { 1.0 };
            for x in prepared.examples.inputs[i].iter_mut().skip(at).step_by(width) {
                *x = (*x - column.mean) / deviation;
            }
        }
    }
    prepared
}
