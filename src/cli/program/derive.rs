//! `symdiff net.sd`: derivatives of a program by whole arrays, as matrix expressions in its names
//! or as numbers at a point.

use std::path::Path;

use super::evaluate::{Named, split};
use super::point::Place;
use super::text::ProgramText;
use crate::cli::arguments::{Derive, Kind};
use crate::cli::assignments::{self, Assignment};
use crate::cli::console::{Console, Exit, Fault};
use crate::cli::derive::derivation;
use crate::elaborate::program::{Model, Phase};
use crate::print::{Format, Label, Notation, render};
use crate::{
    ArrayEvaluator, ArrayKind, ArrayRequest, Diagnostic, Engine, Error, Limits, Purpose, derive_arrays,
};

pub fn run(path: &Path, arguments: &Derive, limits: &Limits, console: &mut Console) -> Result<Exit, Fault> {
    let text = ProgramText::read(path, limits)?;
    let model = text.model(Phase::Predict, limits, console)?;
    let at = assignments::assignments("--at", &arguments.point.at, limits)?;
    let is_symbolic = at.is_empty();
    if !is_symbolic && !matches!(arguments.format, Format::Text | Format::Unicode | Format::Json) {
        let message = format!("--at prints numbers, which have no {} form", arguments.format.name());
        return Err(Fault::usage(message, "use --format text or json, or leave --at out"));
    }
    let wrt: Vec<String> = match arguments.wrt.is_empty() {
        true => model.params.iter().map(|param| param.name.clone()).collect(),
        false => arguments.wrt.iter().map(|name| name.trim().to_owned()).collect(),
    };
    if wrt.is_empty() {
        let hint = "choose inputs or values, such as --wrt x";
        return Err(Fault::usage("the program has no parameters to differentiate by", hint));
    }
    let kind = kind(&arguments.kind, &wrt)?;
    let request = ArrayRequest { of: arguments.of.as_deref(), wrt: &wrt, kind };
    let labels = labels(&request);
    let fault = |error: Error| text.fault(&error);
    if is_symbolic {
        let derivation = derivation(&arguments.how, limits, Purpose::Read);
        let derived = derive_arrays(&model, &request, &derivation).map_err(fault)?;
        console.print(&render(&derived, &labels, arguments.format))?;
        return Ok(Exit::Success);
    }
    let results = numbers(&model, &request, &labels, &at, arguments, limits, console, &fault)?;
    let shown = match arguments.format {
        Format::Json => super::evaluate::json(&results),
        _ => results.iter().map(Named::line).collect::<Vec<_>>().join("\n"),
    };
    console.print(&shown)?;
    Ok(Exit::Success)
}

/// What the flags ask for, of arrays.
fn kind(kind: &Kind, wrt: &[String]) -> Result<ArrayKind, Fault> {
    /// Blocks of a Hessian that are still read.
    const BLOCKS: usize = 10;
    match kind {
        Kind { hessian: true, .. } if wrt.len() * (wrt.len() + 1) / 2 > BLOCKS => {
            let message = format!("the Hessian by {} arrays has too many blocks to read", wrt.len());
            Err(Fault::usage(message, format!("choose some, such as --wrt {},{}", wrt[0], wrt[1])))
        }
        Kind { hessian: true, .. } => Ok(ArrayKind::Hessian),
        Kind { hvp: Some(direction), .. } if direction.trim() == "v" => Ok(ArrayKind::HessianProduct),
        Kind { hvp: Some(_), .. } => {
            let hint = format!("write --hvp v, and numbers as --at v_{}=…", wrt[0]);
            Err(Fault::usage("the direction of --hvp is an array for each parameter of a program", hint))
        }
        Kind { order: Some(0), .. } => {
            let hint = "its value at a point: symdiff eval net.sd --at …";
            Err(Fault::usage("a program says itself what it computes, so -n 0 is nothing new", hint))
        }
        Kind { order, .. } => Ok(ArrayKind::Partials(order.unwrap_or(1))),
    }
}

fn labels(request: &ArrayRequest<'_>) -> Vec<Label> {
    let wrt = request.wrt;
    if wrt.len() == 1 {
        return Vec::new();
    }
    let partial = |wrt: &String, order| match request.of {
        Some(of) if order == 1 => Label::Component { of: of.to_owned(), wrt: wrt.clone() },
        _ => Label::Partial { wrt: wrt.clone(), order },
    };
    match request.kind {
        ArrayKind::Partials(order) => wrt.iter().map(|wrt| partial(wrt, order)).collect(),
        ArrayKind::HessianProduct => wrt.iter().map(|wrt| Label::Named(format!("Hv_{wrt}"))).collect(),
        ArrayKind::Hessian => {
            let row = |(i, a): (usize, &String)| {
                let a = a.clone();
                wrt[i..].iter().map(move |b| Label::SecondPartial { a: a.clone(), b: b.clone() })
            };
            wrt.iter().enumerate().flat_map(row).collect()
        }
    }
}

/// The derivatives' values at a point.
#[expect(clippy::too_many_arguments, reason = "the whole command line decides")]
fn numbers(
    model: &Model,
    request: &ArrayRequest<'_>,
    labels: &[Label],
    at: &[Assignment],
    arguments: &Derive,
    limits: &Limits,
    console: &mut Console,
    fault: &dyn Fn(Error) -> Fault,
) -> Result<Vec<Named>, Fault> {
    let derivation = derivation(&arguments.how, limits, Purpose::Compute);
    let derived = derive_arrays(model, request, &derivation).map_err(fault)?;
    let place = Place::of_function(model, &derived, at)?;
    if let Some(note) = place.note(model, "--at") {
        console.say(Diagnostic::note(note))?;
    }
    let mut evaluator = ArrayEvaluator::new(&derived, Engine::Jit, derivation.level).map_err(fault)?;
    let all = evaluator.call(&place.point).map_err(fault)?;
    let results = split(&evaluator, &all).into_iter().enumerate().map(|(i, values)| {
        let label = labels.get(i).and_then(|label| label.text(Notation::Text));
        Named { name: label.unwrap_or_default(), shape: derived.output_extents(i), values }
    });
    Ok(results.collect())
}
