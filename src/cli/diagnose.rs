//! `symdiff diagnose`: what is wrong with an expression at a point, or with the training of a program.
//!
//! Findings are the result and go to stdout; the exit code is 1 where one of them is a fault.

use serde::Serialize;

use super::arguments::Diagnose;
use super::assignments::{self, Assignment};
use super::console::{Console, Exit, Fault, Origin};
use super::derive::call;
use super::numbers::{self, Json, to_json};
use super::program;
use super::source::{self, Text};
use super::verdict::rounded;
use crate::print::number;
use crate::train::{Critical, Finding, Grade, Layer, diagnose_at};
use crate::{Diagnostic, Engine, Error, Function, Level, Limits, grad, hessian, read_located};

/// Variables of which a critical point is classified, at most.
const CLASSIFIED: usize = 50;
/// Slopes below this, relative to `max(1, |f|)`, are 0.
const FLAT: f64 = 1e-8;

pub fn run(arguments: &Diagnose, console: &mut Console) -> Result<Exit, Fault> {
    let limits = arguments.budgets.limits();
    if let Some(path) = program::is_program(&arguments.source) {
        return program::diagnose(&path, arguments, &limits, console);
    }
    let at = assignments::assignments("--at", &arguments.point.at, &limits)?;
    source::for_each(&arguments.source, &limits, console, &mut |text, console| {
        one(arguments, &limits, &at, text, console)
    })
}

fn one(
    arguments: &Diagnose,
    limits: &Limits,
    at: &[Assignment],
    text: &Text,
    console: &mut Console,
) -> Result<Exit, Fault> {
    let fault = |error: Error| text.fault(&error);
    let (read, origins) = read_located(text.bytes(), limits).map_err(fault)?;
    let source = text.source();
    let names = read.function.scalar_names();
    let point = assignments::point("--at", &names, at)?;
    let found = diagnose_at(&read.function, &origins, &point).map_err(fault)?;
    let findings: Vec<Finding> = found.into_iter().collect();
    match arguments.output.json {
        true => console.print(&to_json(&Document::of(&findings, &source)))?,
        false => {
            show(&findings, &source, text.origin(), console)?;
            if findings.is_empty() {
                console.print(&healthy(&read.function, &point)?)?;
            }
        }
    }
    Ok(exit(&findings))
}

/// What there is to say where nothing is wrong; at a critical point what it is.
fn healthy(function: &Function, point: &[f64]) -> Result<String, Fault> {
    let call = |function: &Function| call(function, point, Engine::Interpreter, Level::Fast);
    let value = call(function)?;
    let shown = if value.len() == 1 { number(value[0]) } else { numbers::vector(&value) };
    let healthy = format!("healthy: the value is {shown}, and the gradient is finite");
    let n = point.len();
    if value.len() != 1 || n == 0 || n > CLASSIFIED {
        return Ok(healthy);
    }
    let derived = |f: Result<Function, Error>| f.map_err(|error| Fault::from_error(&error));
    let slopes = call(&derived(grad(function))?)?;
    if slopes.iter().any(|slope| slope.abs() > FLAT * value[0].abs().max(1.0)) {
        return Ok(healthy);
    }
    let hessian = call(&derived(hessian(function))?)?;
    Ok(match Critical::of(&hessian, n) {
        Some(critical) => {
            let digits = |x: &f64| rounded(*x, 6);
            let eigenvalues: Vec<String> = critical.eigenvalues.iter().map(digits).collect();
            format!(
                "{healthy}\n{}: the gradient is 0, and the Hessian has the eigenvalues [{}]",
                critical.words(),
                eigenvalues.join(", ")
            )
        }
        None => healthy,
    })
}

/// 1 where something was found that keeps the program from working.
pub fn exit(findings: &[Finding]) -> Exit {
    match findings.iter().any(|finding| finding.grade == Grade::Fault) {
        true => Exit::Failed,
        false => Exit::Success,
    }
}

/// Findings at their places in a text, a blank line between them.
pub fn show(findings: &[Finding], source: &str, origin: &Origin, console: &mut Console) -> Result<(), Fault> {
    for (i, finding) in findings.iter().enumerate() {
        if i > 0 {
            console.print("")?;
        }
        console.print_diagnostic(&finding.diagnostic, source, origin)?;
    }
    Ok(())
}

/// Findings for programs to read.
#[derive(Serialize)]
pub struct Document<'a> {
    schema: u32,
    healthy: bool,
    findings: Vec<Form<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    layers: Vec<LayerForm<'a>>,
}

/// Sizes of a parameter and of its gradient, before and after.
#[derive(Serialize)]
struct LayerForm<'a> {
    parameter: &'a str,
    shape: &'a [usize],
    size: [Json; 2],
    gradient: [Json; 2],
}

#[derive(Serialize)]
struct Form<'a> {
    cause: &'static str,
    grade: &'static str,
    message: &'a str,
    line: Option<usize>,
    column: Option<usize>,
    text: Option<&'a str>,
    help: Option<&'a str>,
    numbers: serde_json::Map<String, serde_json::Value>,
}

impl<'a> Document<'a> {
    pub fn of(findings: &'a [Finding], source: &'a str) -> Document<'a> {
        let forms = findings.iter().map(|finding| Form::of(finding, source)).collect();
        Document { schema: 1, healthy: exit(findings) == Exit::Success, findings: forms, layers: Vec::new() }
    }

    /// With the table of gradients.
    pub fn with_layers(mut self, layers: &'a [Layer]) -> Document<'a> {
        let form = |layer: &'a Layer| LayerForm {
            parameter: &layer.name,
            shape: &layer.shape,
            size: [Json(layer.size.0), Json(layer.size.1)],
            gradient: [Json(layer.gradient.0), Json(layer.gradient.1)],
        };
        self.layers = layers.iter().map(form).collect();
        self
    }
}

impl<'a> Form<'a> {
    fn of(finding: &'a Finding, source: &'a str) -> Form<'a> {
        let Diagnostic { message, span, hint, .. } = &finding.diagnostic;
        let place = span.map(|span| span.position(source));
        let number = |&(name, value): &(&str, f64)| {
            (name.to_owned(), serde_json::to_value(Json(value)).unwrap_or_default())
        };
        Form {
            cause: finding.cause.name(),
            grade: finding.grade.name(),
            message,
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
            text: span.map(|span| span.text(source)),
            help: hint.as_deref(),
            numbers: finding.numbers.iter().map(number).collect(),
        }
    }
}
