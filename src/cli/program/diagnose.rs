//! `symdiff diagnose net.sd`: trains a program, and says what is wrong.
//!
//! What must stay true: no file is written; findings and the table of gradients are the result.

use std::path::Path;

use super::data::{dataset, wishes};
use super::point::Place;
use super::sample::points;
use super::text::ProgramText;
use crate::cli::arguments::Diagnose;
use crate::cli::assignments::{self, Assignment};
use crate::cli::console::{Console, Exit, Fault};
use crate::cli::diagnose::{Document, exit, show};
use crate::cli::numbers::to_json;
use crate::cli::table::Table;
use crate::cli::verdict::rounded;
use crate::data::{Dataset, Prepared, Wishes};
use crate::elaborate::program::Phase;
use crate::train::{Diagnosis, Program, diagnose, diagnose_point};
use crate::{Diagnostic, Error, Limits};

pub fn run(path: &Path, arguments: &Diagnose, limits: &Limits, console: &mut Console) -> Result<Exit, Fault> {
    let text = ProgramText::read(path, limits)?.with(&arguments.overrides.values, limits)?;
    let model = text.model(Phase::Train, limits, console)?;
    let program = Program::read(&text.source, limits).map_err(|error| text.fault(&error))?;
    let options = arguments.overrides.options(1, limits);
    let data = dataset(&arguments.data, &model, path, limits)?;
    let wishes = wishes(&arguments.data, &model)?;
    let at = assignments::assignments("--at", &arguments.point.at, limits)?;
    let has_data = data.is_some() || !wishes.bindings.is_empty() || model.inputs.is_empty();
    if !at.is_empty() || !has_data {
        return at_points(&program, &at, (data.as_ref(), &wishes), arguments, &text, console);
    }
    let prepared = program.prepare_as(data.as_ref(), &wishes, options.seed);
    let prepared: Prepared = prepared.map_err(|error| text.fault(&error))?;
    for sentence in &prepared.echo {
        console.say(Diagnostic::note(sentence.clone()))?;
    }
    let found = diagnose(&program, prepared, &options).map_err(|error| text.fault(&error))?;
    match arguments.output.json {
        true => console
            .print(&to_json(&Document::of(&found.findings, &text.source).with_layers(&found.layers)))?,
        false => print(&found, &text, console)?,
    }
    Ok(exit(&found.findings))
}

/// Without a training: at the point of `--at`, or at random inputs.
fn at_points(
    program: &Program,
    at: &[Assignment],
    (data, wishes): (Option<&Dataset>, &Wishes),
    arguments: &Diagnose,
    text: &ProgramText,
    console: &mut Console,
) -> Result<Exit, Fault> {
    let fault = |error: Error| text.fault(&error);
    let model = program.model();
    model.objective().map_err(fault)?;
    let mut fits = |place: &Place| {
        diagnose_point(program, &place.point).is_ok_and(|found| found.iter().all(|finding| !finding.leads))
    };
    let places = points(model, at, data, wishes, &mut fits).map_err(|stop| stop.told(text))?;
    let mut findings = Vec::new();
    for place in &places.places {
        if findings.is_empty() {
            findings = diagnose_point(program, &place.point).map_err(fault)?;
        }
    }
    if arguments.output.json {
        console.print(&to_json(&Document::of(&findings, &text.source)))?;
        return Ok(exit(&findings));
    }
    console.say(Diagnostic::note(places.origin.clone()))?;
    show(&findings, &text.source, text.origin(), console)?;
    if findings.is_empty() {
        console.print("healthy: the objective and its gradient are finite")?;
    }
    Ok(exit(&findings))
}

fn print(found: &Diagnosis, text: &ProgramText, console: &mut Console) -> Result<(), Fault> {
    show(&found.findings, &text.source, text.origin(), console)?;
    if !found.findings.is_empty() {
        console.print("")?;
    }
    let (before, after) = found.loss;
    let verdict = if found.is_healthy() { "healthy" } else { "faulty" };
    let steps = found.steps;
    console.print(&format!(
        "{verdict}: {steps} steps, the loss went from {} to {}",
        rounded(before, 4),
        rounded(after, 4)
    ))?;
    layers(found, console)
}

/// Sizes of parameters and gradients; one row each.
fn layers(found: &Diagnosis, console: &mut Console) -> Result<(), Fault> {
    if found.layers.is_empty() {
        return Ok(());
    }
    let header = ["parameter", "shape", "size", "after", "gradient", "after"];
    let mut table = Table::new(header.map(str::to_owned).to_vec());
    for layer in &found.layers {
        let extents: Vec<String> = layer.shape.iter().map(usize::to_string).collect();
        let numbers = [layer.size.0, layer.size.1, layer.gradient.0, layer.gradient.1].map(|x| rounded(x, 3));
        let cells = [layer.name.clone(), format!("[{}]", extents.join(", "))].into_iter().chain(numbers);
        table.row(cells.collect(), console)?;
    }
    table.finish(console)?;
    Ok(())
}
