//! `symdiff minimize`: descend from a formula to its minimum, with L-BFGS or, to see every step,
//! with plain gradient descent.

use std::io;

use serde::{Deserialize, Serialize};

use super::arguments::{How, Minimize, Search};
use super::assignments;
use super::console::{Console, Exit, Fault, Origin};
use super::derive::{asked, assume, derivation};
use super::jsonl;
use super::numbers::{Array, Json, Named, to_json};
use super::objective::Compiled;
use super::program;
use super::source::{self, Text};
use super::table::Table;
use crate::print::number;
use crate::train::{
    Bounds, Descent, Flow, GradientDescent, Invalid, Objective, Options, PathPoint, Record, Report, Sense,
    Status, diagnose_at, gradient_descent, minimize,
};
use crate::{Diagnostic, Engine, Error, Limits, Purpose, read, read_located};

/// Steps of gradient descent unless told otherwise.
const STEPS: usize = 100;
/// Variables that have a column in the path.
const COLUMNS: usize = 6;
/// Variables whose optimum is printed.
const PRINTED: usize = 20;

pub fn run(arguments: &Minimize, console: &mut Console) -> Result<Exit, Fault> {
    let limits = arguments.budgets.limits();
    if arguments.lines.jsonl {
        return jsonl::serve(console, |request| answer(request, arguments, &limits));
    }
    if let Some(path) = program::is_program(&arguments.source) {
        return program::minimize(&path, arguments, &limits, console);
    }
    source::for_each(&arguments.source, &limits, console, &mut |text, console| {
        one(arguments, &limits, text, console)
    })
}

fn one(arguments: &Minimize, limits: &Limits, text: &Text, console: &mut Console) -> Result<Exit, Fault> {
    let mut read = text.read(limits, console)?;
    assume(&mut read.function, &arguments.how, limits)?;
    let derivation = derivation(&arguments.how, limits, Purpose::Compute);
    let engine = arguments.run.engine;
    let mut objective = asked(&read, &derivation)
        .and_then(|function| Compiled::new(&function, derivation, engine))
        .map_err(|error| text.fault(&error))?;
    if objective.names.is_empty() {
        let hint = "write an expression with a variable, such as (x-3)^2";
        return Err(Fault::usage("the expression has no variables, so there is nothing to move", hint));
    }
    let problem = Problem::new(&arguments.search, &objective.names, limits)?;
    if let Some(note) = &problem.note {
        console.say(Diagnostic::note(note.clone()))?;
    }
    let names = objective.names.clone();
    let start = problem.start.clone();
    let exit = solve(arguments, &mut objective, &names, problem, console)?;
    if exit == Exit::Failed && read.derivative.is_empty() {
        explain(text, &objective.failed_at.unwrap_or(start), limits, console)?;
    }
    Ok(exit)
}

/// Shows the first operation that failed at a point, if one does.
fn explain(text: &Text, point: &[f64], limits: &Limits, console: &mut Console) -> Result<(), Fault> {
    let fault = |error: Error| text.fault(&error);
    let (read, origins) = read_located(text.bytes(), limits).map_err(fault)?;
    if let Some(finding) = diagnose_at(&read.function, &origins, point).map_err(fault)? {
        console.show(&finding.diagnostic, &text.source(), text.origin())?;
    }
    Ok(())
}

/// Descends as the flags say, and tells how it went.
pub fn solve(
    arguments: &Minimize,
    objective: &mut dyn Objective,
    names: &[String],
    problem: Problem,
    console: &mut Console,
) -> Result<Exit, Fault> {
    match arguments.search.lr {
        Some(rate) => descend(arguments, rate, (objective, names), problem, console),
        None => search(arguments, (objective, names), problem, console),
    }
}

/// Where to begin and where to stay.
pub struct Problem {
    pub start: Vec<f64>,
    pub bounds: Option<Bounds>,
    pub sense: Sense,
    /// What was chosen for the user.
    pub note: Option<String>,
}

impl Problem {
    fn new(search: &Search, names: &[String], limits: &Limits) -> Result<Problem, Fault> {
        let from = assignments::assignments("--from", &search.from, limits)?;
        let given = assignments::place("--from", names, &from)?;
        let limits = assignments::bounds(&search.bounds, names, limits)?;
        let start = given.iter().zip(&limits).map(|(value, &bounds)| value.unwrap_or_else(|| middle(bounds)));
        let start: Vec<f64> = start.collect();
        let chosen: Vec<usize> = (0..names.len()).filter(|&i| given[i].is_none()).collect();
        let sense = if search.maximize { Sense::Maximize } else { Sense::Minimize };
        let note = started(names, &start, &chosen);
        Ok(Problem { start, bounds: boxed(limits).map_err(|error| invalid(&error))?, sense, note })
    }
}

/// The note about coordinates that the user did not give.
fn started(names: &[String], start: &[f64], chosen: &[usize]) -> Option<String> {
    let all_zero = chosen.iter().all(|&i| start[i] == 0.0);
    match chosen {
        [] => None,
        _ if all_zero && chosen.len() == names.len() && names.len() > 1 => {
            Some("starting at 0 for every variable; --from chooses another start".to_owned())
        }
        _ => {
            let names: Vec<String> = chosen.iter().map(|&i| names[i].clone()).collect();
            let values: Vec<f64> = chosen.iter().map(|&i| start[i]).collect();
            let point = super::numbers::point(&names, &values);
            Some(format!("starting at {point}; --from chooses another start"))
        }
    }
}

/// The middle of an interval, or what lies nearest to 0 in it where it has none.
fn middle((low, high): (f64, f64)) -> f64 {
    match low.is_finite() && high.is_finite() {
        true => low + 0.5 * (high - low),
        false => 0f64.clamp(low, high),
    }
}

/// Bounds, if any of the limits is one.
pub fn boxed(limits: Vec<(f64, f64)>) -> Result<Option<Bounds>, Invalid> {
    let (lower, upper) = limits.into_iter().unzip();
    Bounds::new(lower, upper).map(|bounds| (!bounds.is_free()).then_some(bounds))
}

/// The fault of a problem that makes no sense.
pub fn invalid(error: &Invalid) -> Fault {
    Fault::plain(Exit::Usage, Diagnostic::error(error.to_string()))
}

fn options(search: &Search, problem: &Problem, names: Vec<String>) -> Options {
    let default = Options::default();
    Options {
        sense: problem.sense,
        bounds: problem.bounds.clone(),
        tolerance: search.tolerance.unwrap_or(default.tolerance),
        max_iterations: search.max_iterations.unwrap_or(default.max_iterations),
        names,
        ..default
    }
}

/// Without a learning rate: L-BFGS.
fn search(
    arguments: &Minimize,
    (objective, names): (&mut dyn Objective, &[String]),
    problem: Problem,
    console: &mut Console,
) -> Result<Exit, Fault> {
    let options = options(&arguments.search, &problem, names.to_vec());
    let report = minimize(objective, &problem.start, &options).map_err(|error| invalid(&error))?;
    match arguments.output.json {
        true => console.print(&json(names, &report, None))?,
        false => print(names, &report, "iterations", console)?,
    }
    if report.status == Status::MaxIterations {
        let hint = "raise --max-iterations, or start elsewhere";
        console.say(Diagnostic::warning("stopped before it converged").hint(hint))?;
    }
    conclude(&report, console)
}

/// With a learning rate: plain gradient descent, every step shown.
fn descend(
    arguments: &Minimize,
    rate: f64,
    (objective, names): (&mut dyn Objective, &[String]),
    problem: Problem,
    console: &mut Console,
) -> Result<Exit, Fault> {
    let steps = arguments.search.steps.unwrap_or(STEPS);
    let every = usize::try_from(arguments.search.every.unwrap_or(1)).unwrap_or(usize::MAX);
    let as_json = arguments.output.json;
    let most = if as_json { Record::default().most } else { 0 };
    let options = GradientDescent {
        sense: problem.sense,
        bounds: problem.bounds,
        tolerance: arguments.search.tolerance,
        record: Record { stride: every, most },
        names: names.to_vec(),
        ..GradientDescent::new(rate, steps)
    };
    let mut path = Path::new(names, problem.sense, every);
    let mut written = Ok(());
    let descent = gradient_descent(objective, &problem.start, &options, &mut |step| {
        if !as_json {
            written = path.show(step, console);
        }
        if written.is_ok() { Flow::Continue } else { Flow::Stop }
    });
    written?;
    let Descent { report, path: recorded, .. } = descent.map_err(|error| invalid(&error))?;
    if as_json {
        console.print(&json(names, &report, Some(&recorded)))?;
    } else {
        path.finish(console)?;
        console.print("")?;
        print(names, &report, "steps", console)?;
    }
    conclude(&report, console)
}

/// The table of a descent: step, variables, value and gradient norm.
struct Path {
    table: Table,
    every: usize,
    /// The last point where it was left out so far.
    pending: Option<Vec<String>>,
}

impl Path {
    fn new(names: &[String], sense: Sense, every: usize) -> Path {
        let value = if sense == Sense::Minimize { "loss" } else { "value" };
        let mut header = vec!["step".to_owned()];
        header.extend(names.iter().take(COLUMNS).cloned());
        if names.len() > COLUMNS {
            header.push(format!("({} more)", names.len() - COLUMNS));
        }
        header.extend([value.to_owned(), "|gradient|".to_owned()]);
        Path { table: Table::new(header), every, pending: None }
    }

    fn show(&mut self, step: &crate::train::Step<'_>, console: &mut Console) -> io::Result<()> {
        let mut cells = vec![step.index.to_string()];
        cells.extend(step.x.iter().take(COLUMNS).map(|&x| number(x)));
        if step.x.len() > COLUMNS {
            cells.push("…".to_owned());
        }
        cells.extend([number(step.value), number(step.gradient_norm)]);
        match step.index % self.every {
            0 => {
                self.pending = None;
                self.table.row(cells, console)
            }
            _ => {
                self.pending = Some(cells);
                Ok(())
            }
        }
    }

    fn finish(&mut self, console: &mut Console) -> io::Result<()> {
        if let Some(cells) = self.pending.take() {
            self.table.row(cells, console)?;
        }
        self.table.finish(console)
    }
}

/// The result in lines.
fn print(names: &[String], report: &Report, steps: &str, console: &mut Console) -> io::Result<()> {
    for (name, &x) in names.iter().zip(&report.x).take(PRINTED) {
        console.print(&format!("{name} = {}", number(x)))?;
    }
    if names.len() > PRINTED {
        console.print(&format!("… and {} more variables (--json prints them all)", names.len() - PRINTED))?;
    }
    console.print(&format!("value = {}", number(report.value)))?;
    console.print(&format!("{steps} = {}", report.iterations))?;
    console.print(&format!("status = {}", in_words(report)))
}

/// The sentence where all went well; otherwise the bare status, as stderr has the sentence.
fn in_words(report: &Report) -> &str {
    if report.status.is_success() { &report.message } else { report.status.name() }
}

/// Says why a run failed, on stderr.
fn conclude(report: &Report, console: &mut Console) -> Result<Exit, Fault> {
    if report.status.is_success() {
        return Ok(Exit::Success);
    }
    console.say(Diagnostic::error(report.message.clone()))?;
    Ok(Exit::Failed)
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    x: Named<'a>,
    value: Json,
    gradient_norm: Json,
    iterations: usize,
    evaluations: usize,
    status: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<Vec<StepForm<'a>>>,
}

#[derive(Serialize)]
struct StepForm<'a> {
    step: usize,
    x: Array<'a>,
    value: Json,
    gradient_norm: Json,
}

impl StepForm<'_> {
    fn of(point: &PathPoint) -> StepForm<'_> {
        StepForm {
            step: point.index,
            x: Array(&point.x),
            value: Json(point.value),
            gradient_norm: Json(point.gradient_norm),
        }
    }
}

fn json(names: &[String], report: &Report, path: Option<&[PathPoint]>) -> String {
    to_json(&Document {
        schema: 1,
        x: Named(names, &report.x),
        value: Json(report.value),
        gradient_norm: Json(report.gradient_norm),
        iterations: report.iterations,
        evaluations: report.evaluations,
        status: report.status.name(),
        message: &report.message,
        path: path.map(|path| path.iter().map(StepForm::of).collect()),
    })
}

/// A line of `minimize --jsonl`.
#[derive(Deserialize)]
struct Request {
    expr: String,
    /// The variables in the order of the start's numbers; of first appearance when left out.
    vars: Option<Vec<String>>,
    start: Option<Vec<f64>>,
    #[serde(default)]
    maximize: bool,
    /// For each variable its limits, null for none.
    bounds: Option<Vec<Option<[Option<f64>; 2]>>>,
}

struct Response(Report);

impl Serialize for Response {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Form<'a> {
            x: Array<'a>,
            value: Json,
            iterations: usize,
            status: &'static str,
            message: &'a str,
        }
        let Response(report) = self;
        let form = Form {
            x: Array(&report.x),
            value: Json(report.value),
            iterations: report.iterations,
            status: report.status.name(),
            message: &report.message,
        };
        form.serialize(serializer)
    }
}

fn answer(request: Request, arguments: &Minimize, limits: &Limits) -> Result<Response, Fault> {
    let mut objective =
        compile(&request.expr, request.vars.as_deref(), arguments.run.engine, &arguments.how, limits)?;
    let variables = objective.dimension();
    let limits = match request.bounds {
        None => vec![(f64::NEG_INFINITY, f64::INFINITY); variables],
        Some(bounds) => bounds.into_iter().map(open_ended).collect(),
    };
    let start = match request.start {
        Some(start) => start,
        None => limits.iter().map(|&interval| middle(interval)).collect(),
    };
    let bounds = boxed(limits).map_err(|error| invalid(&error))?;
    let maximize = request.maximize || arguments.search.maximize;
    let sense = if maximize { Sense::Maximize } else { Sense::Minimize };
    let problem = Problem { start, bounds, sense, note: None };
    let options = options(&arguments.search, &problem, objective.names.clone());
    let report = minimize(&mut objective, &problem.start, &options);
    report.map(Response).map_err(|error| invalid(&error))
}

fn open_ended(interval: Option<[Option<f64>; 2]>) -> (f64, f64) {
    let [low, high] = interval.unwrap_or_default();
    (low.unwrap_or(f64::NEG_INFINITY), high.unwrap_or(f64::INFINITY))
}

fn compile(
    expression: &str,
    variables: Option<&[String]>,
    engine: Engine,
    how: &How,
    limits: &Limits,
) -> Result<Compiled, Fault> {
    let origin = Origin { name: "expr".to_owned(), line: 1 };
    let fault = |error| Fault::of(&error, expression, origin.clone());
    let mut read = read(expression.as_bytes(), variables, limits).map_err(fault)?;
    assume(&mut read.function, how, limits)?;
    let derivation = derivation(how, limits, Purpose::Compute);
    let function = asked(&read, &derivation).map_err(fault)?;
    Compiled::new(&function, derivation, engine).map_err(fault)
}
