//! `symdiff diagnose`: what is wrong with an expression at a point, or with the training of a program.
//!
//! Findings are the result and go to stdout; the exit code is 1 where one of them is a fault.

use serde::Serialize;

use super::arguments::Diagnose;
use super::assignments::{self, Assignment};
use super::console::{Console, Exit, Fault, Origin};
use super::numbers::{self, Json, to_json};
use super::program;
use super::source::{self, Text};
use crate::elaborate::{Options, elaborate_located};
use crate::print::number;
use crate::train::{Finding, Grade, diagnose_at};
use crate::{Diagnostic, Engine, Error, Level, Limits, syntax};

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
    let ast = syntax::parse_bytes(text.bytes(), limits).map_err(fault)?;
    let options = Options { variables: None, limits: limits.clone() };
    let (read, origins) = elaborate_located(&ast, &options).map_err(fault)?;
    let names = read.function.scalar_names();
    let point = assignments::point("--at", &names, at)?;
    let found = diagnose_at(&read.function, &origins, &point).map_err(fault)?;
    let findings: Vec<Finding> = found.into_iter().collect();
    match arguments.output.json {
        true => console.print(&to_json(&Document::of(&findings, ast.source())))?,
        false => {
            show(&findings, ast.source(), text.origin(), console)?;
            if findings.is_empty() {
                let value = super::derive::call(&read.function, &point, Engine::Interpreter, Level::Fast)?;
                let value = if value.len() == 1 { number(value[0]) } else { numbers::vector(&value) };
                console.print(&format!("healthy: the value is {value}, and the gradient is finite"))?;
            }
        }
    }
    Ok(exit(&findings))
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
        Document { schema: 1, healthy: exit(findings) == Exit::Success, findings: forms }
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
