//! `symdiff check`: the gradient by every path we have, against each other and differences.
//!
//! The paths: the gradient alone in reverse and in forward mode, compiled; value and gradient
//! together, interpreted and compiled, which have to agree to the bit. No false alarms: where
//! there is no derivative, at kinks and jumps, the table says so and the check passes.

use serde::Serialize;

use super::accuracy;
use super::arguments::Check;
use super::assignments::{self, Assignment};
use super::console::{Console, Exit, Fault};
use super::derive::{asked, assume, derivation};
use super::differences::{Slope, slope};
use super::numbers::{self, Json, Named, to_json};
use super::program;
use super::source::{self, Text};
use super::table::Table;
use super::verdict::{Agreement, Row, judge, rounded};
use crate::print::{Label, Notation, number};
use crate::{Derivation, Diagnostic, Engine, Error, Evaluator, Function, Limits, Mode, Purpose};

/// Points tried when none is given, and how many of them are checked.
const TRIED: usize = 500;
const CHECKED: usize = 3;

pub fn run(arguments: &Check, console: &mut Console) -> Result<Exit, Fault> {
    let limits = arguments.budgets.limits();
    if let Some(path) = program::is_program(&arguments.source) {
        if arguments.accuracy {
            let hint = "write the formula as an expression, in quotes";
            return Err(Fault::usage("`--accuracy` is for expressions, not for programs", hint));
        }
        return program::check(&path, arguments, &limits, console);
    }
    let at = assignments::assignments("--at", &arguments.point.at, &limits)?;
    source::for_each(&arguments.source, &limits, console, &mut |text, console| match arguments.accuracy {
        true => accuracy::one(arguments, &limits, &at, text, console),
        false => one(arguments, &limits, &at, text, console),
    })
}

fn one(
    arguments: &Check,
    limits: &Limits,
    at: &[Assignment],
    text: &Text,
    console: &mut Console,
) -> Result<Exit, Fault> {
    let mut read = text.read(limits, console)?;
    assume(&mut read.function, &arguments.how, limits)?;
    let derivation = derivation(&arguments.how, limits, Purpose::Compute);
    let paths = asked(&read, &derivation)
        .and_then(|function| Paths::new(&function, &derivation, read.name.as_deref()))
        .map_err(|error| text.fault(&error))?;
    if paths.names.is_empty() {
        let hint = "write an expression with a variable, such as x^2";
        return Err(Fault::usage("the expression has no variables, so there is nothing to check", hint));
    }
    let given = !at.is_empty();
    let points = match given {
        true => vec![assignments::point("--at", &paths.names, at)?],
        false => paths.points_inside()?,
    };
    let checks = points.into_iter().map(|at| paths.check(at, arguments.tolerance));
    let checks = checks.collect::<Result<Vec<Checked>, Fault>>()?;
    match arguments.output.json {
        true => console.print(&json(&paths.names, &checks, arguments.tolerance))?,
        false => print(&paths.names, &checks, given, console)?,
    }
    conclude(&checks, console)
}

fn conclude(checks: &[Checked], console: &mut Console) -> Result<Exit, Fault> {
    let rows = || checks.iter().flat_map(|check| &check.rows);
    let failed = rows().filter(|row| row.verdict.is_failure()).count();
    if failed == 0 {
        return Ok(Exit::Success);
    }
    let message = format!("{failed} of {} partial derivatives failed the check", rows().count());
    console.say(Diagnostic::error(message))?;
    Ok(Exit::Failed)
}

/// The function and its derivatives by every path, ready to run.
struct Paths {
    names: Vec<String>,
    /// Partial derivatives in order, component by component.
    labels: Vec<String>,
    value: Evaluator,
    reverse: Evaluator,
    forward: Evaluator,
    interpreted: Evaluator,
    compiled: Evaluator,
    /// How many outputs of the last two come before the derivatives.
    skipped: usize,
}

impl Paths {
    fn new(function: &Function, derivation: &Derivation, name: Option<&str>) -> Result<Paths, Error> {
        let (names, components) = (function.scalar_names(), function.output_size());
        let level = derivation.level;
        let evaluator = |function: &Function, engine| Evaluator::new(function, engine, level);
        let alone = |mode| {
            let derivation = Derivation { mode, ..derivation.clone() };
            let derived = match components {
                1 => derivation.gradient(function),
                _ => derivation.jacobian(function),
            };
            derived.and_then(|derived| evaluator(&derived, Engine::Jit))
        };
        let (both, skipped) = match components {
            1 => (derivation.value_and_gradient(function)?, 1),
            _ => (derivation.jacobian(function)?, 0),
        };
        let label = |i: usize, wrt: &String| {
            let wrt = wrt.clone();
            let label = match components {
                1 => Label::Partial { wrt, order: 1 },
                _ => Label::Component { of: format!("{}{}", name.unwrap_or("f"), i + 1), wrt },
            };
            label.text(Notation::Text).unwrap_or_default()
        };
        Ok(Paths {
            labels: (0..components).flat_map(|i| names.iter().map(move |wrt| label(i, wrt))).collect(),
            names,
            value: evaluator(function, Engine::Jit)?,
            reverse: alone(Mode::Reverse)?,
            forward: alone(Mode::Forward)?,
            interpreted: evaluator(&both, Engine::Interpreter)?,
            compiled: evaluator(&both, Engine::Jit)?,
            skipped,
        })
    }

    fn check(&self, at: Vec<f64>, tolerance: f64) -> Result<Checked, Fault> {
        let values = call(&self.value, &at)?;
        let reverse = call(&self.reverse, &at)?;
        let forward = call(&self.forward, &at)?;
        let interpreted = call(&self.interpreted, &at)?.split_off(self.skipped);
        let compiled = call(&self.compiled, &at)?.split_off(self.skipped);
        let variables = self.names.len();
        let mut rows = Vec::with_capacity(self.labels.len());
        for (i, label) in self.labels.iter().enumerate() {
            let (component, variable) = (i / variables, i % variables);
            let slope = self.slope(&at, component, variable);
            let paths = [reverse[i], forward[i], interpreted[i], compiled[i]];
            let scale = values[component].abs() / at[variable].abs().max(1.0);
            rows.push(Row {
                label: label.clone(),
                paths,
                ..judge(paths, slope, scale, tolerance, Agreement::Bits)
            });
        }
        Ok(Checked { at, values, rows })
    }

    /// What differences say of one component along one variable.
    fn slope(&self, at: &[f64], component: usize, variable: usize) -> Slope {
        let mut point = at.to_vec();
        let mut out = vec![0.0; self.value.output_size()];
        let mut along = |x: f64| {
            point[variable] = x;
            self.value.call(&point, &mut out).map_or(f64::NAN, |()| out[component])
        };
        slope(&mut along, at[variable])
    }

    /// The first few points of a fixed sequence where value and gradient are finite.
    fn points_inside(&self) -> Result<Vec<Vec<f64>>, Fault> {
        let mut found = Vec::new();
        for attempt in 0..TRIED {
            let point: Vec<f64> = (0..self.names.len()).map(|i| coordinate(attempt, i)).collect();
            let finite = |values: Vec<f64>| values.iter().all(|value| value.is_finite());
            if finite(call(&self.value, &point)?) && finite(call(&self.compiled, &point)?) {
                found.push(point);
            }
            if found.len() == CHECKED {
                break;
            }
        }
        if found.is_empty() {
            let message = "no point was found where the expression and its gradient are finite";
            let hint = "give one, such as --at x=1";
            return Err(Fault::plain(Exit::Data, Diagnostic::error(message).hint(hint)));
        }
        Ok(found)
    }
}

/// A coordinate with two decimals from an additive recurrence (Roberts 2018), in ranges that
/// suit most domains: (0, 2), (−2, 2), (0, 1), (1, 10).
fn coordinate(attempt: usize, i: usize) -> f64 {
    const RANGES: [(f64, f64); 4] = [(0.1, 2.0), (-2.0, 2.0), (0.02, 0.98), (1.0, 10.0)];
    let (low, high) = RANGES[attempt % RANGES.len()];
    let at = (0.5 + 0.754_877_666 * (attempt + 1) as f64 + 0.618_033_988 * i as f64).fract();
    ((low + (high - low) * at) * 100.0).round() / 100.0
}

fn call(evaluator: &Evaluator, point: &[f64]) -> Result<Vec<f64>, Fault> {
    let mut values = vec![0.0; evaluator.output_size()];
    evaluator.call(point, &mut values).map_err(|error| Fault::from_error(&error))?;
    Ok(values)
}

/// The table of one point.
struct Checked {
    at: Vec<f64>,
    values: Vec<f64>,
    rows: Vec<Row>,
}

fn print(names: &[String], checks: &[Checked], given: bool, console: &mut Console) -> Result<(), Fault> {
    let header =
        ["partial", "reverse", "forward", "interpreter", "jit", "differences", "relative error", "verdict"];
    for (i, check) in checks.iter().enumerate() {
        if !given {
            let gap = if i > 0 { "\n" } else { "" };
            console.print(&format!("{gap}at {}", numbers::point(names, &check.at)))?;
        }
        let mut table = Table::new(header.map(str::to_owned).to_vec());
        for row in &check.rows {
            table.row(row.cells(), console)?;
        }
        table.finish(console)?;
    }
    Ok(())
}

impl Row {
    fn cells(&self) -> Vec<String> {
        /// Digits of the differences that are shown; they rarely have more.
        const DIGITS: usize = 11;
        let missing = || "-".to_owned();
        let mut cells = vec![self.label.clone()];
        cells.extend(self.paths.map(number));
        cells.push(self.difference.map_or_else(missing, |found| rounded(found.value, DIGITS)));
        cells.push(self.relative.map_or_else(missing, |error| rounded(error, 2)));
        cells.push(self.verdict.words());
        cells
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    passed: bool,
    tolerance: Json,
    points: Vec<PointForm<'a>>,
}

#[derive(Serialize)]
struct PointForm<'a> {
    at: Named<'a>,
    value: numbers::Array<'a>,
    partials: Vec<RowForm<'a>>,
}

#[derive(Serialize)]
struct RowForm<'a> {
    name: &'a str,
    reverse: Json,
    forward: Json,
    interpreter: Json,
    jit: Json,
    differences: Option<Json>,
    differences_error: Option<Json>,
    relative_error: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subgradient: Option<[Json; 2]>,
    verdict: &'static str,
    message: String,
}

fn json(names: &[String], checks: &[Checked], tolerance: f64) -> String {
    let row = |row: &Row| -> bool { !row.verdict.is_failure() };
    let passed = checks.iter().flat_map(|check| &check.rows).all(row);
    let point = |check| PointForm::of(names, check);
    let points = checks.iter().map(point).collect();
    to_json(&Document { schema: 1, passed, tolerance: Json(tolerance), points })
}

impl<'a> PointForm<'a> {
    fn of(names: &'a [String], check: &'a Checked) -> PointForm<'a> {
        let partials = check.rows.iter().map(RowForm::of).collect();
        PointForm { at: Named(names, &check.at), value: numbers::Array(&check.values), partials }
    }
}

impl<'a> RowForm<'a> {
    fn of(row: &'a Row) -> RowForm<'a> {
        let [reverse, forward, interpreter, jit] = row.paths.map(Json);
        RowForm {
            name: &row.label,
            reverse,
            forward,
            interpreter,
            jit,
            differences: row.difference.map(|found| Json(found.value)),
            differences_error: row.difference.map(|found| Json(found.error)),
            relative_error: row.relative.map(Json),
            subgradient: row.interval.map(|interval| interval.map(Json)),
            verdict: row.verdict.name(),
            message: row.verdict.words(),
        }
    }
}
