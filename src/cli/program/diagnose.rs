//! `symdiff diagnose net.sd`: trains a program, and says what is wrong.
//!
//! What must stay true: no file is written; findings and the table of gradients are the result.

use std::path::Path;

use super::data::{dataset, wishes};
use super::text::ProgramText;
use crate::cli::arguments::Diagnose;
use crate::cli::console::{Console, Exit, Fault};
use crate::cli::diagnose::{Document, exit, show};
use crate::cli::numbers::to_json;
use crate::cli::table::Table;
use crate::cli::verdict::rounded;
use crate::data::Prepared;
use crate::elaborate::program::Phase;
use crate::train::{Diagnosis, Program, TrainingOptions, diagnose};
use crate::{Diagnostic, Limits};

pub fn run(path: &Path, arguments: &Diagnose, limits: &Limits, console: &mut Console) -> Result<Exit, Fault> {
    let text = ProgramText::read(path, limits)?.with(&arguments.values, limits)?;
    let model = text.model(Phase::Train, limits, console)?;
    let program = Program::read(&text.source, limits).map_err(|error| text.fault(&error))?;
    let options = TrainingOptions {
        steps: arguments.steps,
        epochs: arguments.epochs,
        seed: arguments.seed,
        batch: arguments.batch,
        threads: 1,
        limits: limits.clone(),
    };
    let data = dataset(&arguments.data, &model, path, limits)?;
    let wishes = wishes(&arguments.data, &model)?;
    if data.is_none() && wishes.bindings.is_empty() && !model.inputs.is_empty() {
        let hint = "name a table with --data, or write `data { file = \"…\" }` in the program";
        return Err(Fault::usage("the program has inputs, but no data is given", hint));
    }
    let prepared = program.prepare_as(data.as_ref(), &wishes, options.seed);
    let prepared: Prepared = prepared.map_err(|error| text.fault(&error))?;
    for sentence in &prepared.echo {
        console.say(Diagnostic::note(sentence.clone()))?;
    }
    let found = diagnose(&program, prepared, &options).map_err(|error| text.fault(&error))?;
    match arguments.output.json {
        true => console.print(&to_json(&Document::of(&found.findings, &text.source)))?,
        false => print(&found, &text, console)?,
    }
    Ok(exit(&found.findings))
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
