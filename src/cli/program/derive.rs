//! `symdiff net.sd`: the objective's derivatives as matrix expressions, in the program's names.

use std::path::Path;

use super::text::ProgramText;
use crate::cli::arguments::Derive;
use crate::cli::console::{Console, Exit, Fault};
use crate::cli::derive::derivation;
use crate::elaborate::program::Phase;
use crate::print::{Label, render};
use crate::{Limits, Purpose, gradients};

pub fn run(path: &Path, arguments: &Derive, limits: &Limits, console: &mut Console) -> Result<Exit, Fault> {
    let text = ProgramText::read(path, limits)?;
    let model = text.model(Phase::Predict, limits, console)?;
    let derivation = derivation(&arguments.how, limits, Purpose::Read);
    let wrt: Vec<String> = match arguments.wrt.is_empty() {
        true => model.params.iter().map(|param| param.name.clone()).collect(),
        false => arguments.wrt.iter().map(|name| name.trim().to_owned()).collect(),
    };
    let derived = gradients(&model, &wrt, &derivation).map_err(|error| text.fault(&error))?;
    let labels: Vec<Label> = match wrt.as_slice() {
        [_] => Vec::new(),
        _ => wrt.into_iter().map(|wrt| Label::Partial { wrt, order: 1 }).collect(),
    };
    console.print(&render(&derived, &labels, arguments.format))?;
    Ok(Exit::Success)
}
