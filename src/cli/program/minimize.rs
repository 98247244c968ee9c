//! `symdiff minimize problem.sd`: the parameters that make a program without data least, or
//! greatest, by the machinery of formulas.

use std::path::Path;

use super::point::{Place, element_names};
use super::text::ProgramText;
use crate::cli::arguments::Minimize;
use crate::cli::assignments;
use crate::cli::console::{Console, Exit, Fault};
use crate::cli::derive::derivation;
use crate::cli::minimize::{Problem, boxed, invalid, solve};
use crate::elaborate::program::{self, Model, Phase};
use crate::models::{hessian_product, value_and_gradients};
use crate::train::{Objective, Program, Sense, diagnose_point};
use crate::{ArrayEvaluator, Diagnostic, Error, Limits, Purpose};

pub fn run(path: &Path, arguments: &Minimize, limits: &Limits, console: &mut Console) -> Result<Exit, Fault> {
    let text = ProgramText::read(path, limits)?;
    let model = text.model(Phase::Predict, limits, console)?;
    let fault = |error: Error| text.fault(&error);
    let objective = model.objective().map_err(fault)?;
    if let Some(input) = model.inputs.first() {
        let message = format!("the program takes data: its input `{}` has no value here", input.name);
        return Err(Fault::usage(message, format!("fit it to data: symdiff train {}", path.display())));
    }
    if model.params.is_empty() {
        let hint = "declare one, such as `param x = 0`";
        return Err(Fault::usage("the program has no parameters, so there is nothing to move", hint));
    }
    if arguments.search.maximize {
        let hint = "write `maximize …` in the program";
        return Err(Fault::usage("a program says itself whether to minimize or to maximize", hint));
    }
    let sense = match objective.sense {
        program::Sense::Minimize => Sense::Minimize,
        program::Sense::Maximize => Sense::Maximize,
    };
    let from = assignments::assignments("--from", &arguments.search.from, limits)?;
    let place = Place::named("--from", &model, &from)?;
    let names = element_names(&place.slots);
    let bounds = bounds(&model, &place, &names, arguments, limits)?;
    let mut start = place.point.clone();
    start.iter_mut().zip(&bounds).for_each(|(x, &(low, high))| *x = x.max(low).min(high));
    let note = place.note(&model, "--from");
    let problem = Problem { start, bounds: boxed(bounds).map_err(|error| invalid(&error))?, sense, note };
    if let Some(note) = &problem.note {
        console.say(Diagnostic::note(note.clone()))?;
    }
    let mut compiled = Compiled::new(&model, &place, arguments, limits).map_err(fault)?;
    let start = problem.start.clone();
    let exit = solve(arguments, &mut compiled, &names, problem, console)?;
    if exit == Exit::Failed {
        let program = Program::read(&text.source, limits).map_err(fault)?;
        let point = compiled.failed_at.unwrap_or(start);
        let findings = diagnose_point(&program, &point).map_err(fault)?;
        for finding in findings.iter().filter(|finding| finding.leads) {
            console.show(&finding.diagnostic, &text.source, text.origin())?;
        }
    }
    Ok(exit)
}

/// Bounds of the program, and those of the command line within them.
fn bounds(
    model: &Model,
    place: &Place,
    names: &[String],
    arguments: &Minimize,
    limits: &Limits,
) -> Result<Vec<(f64, f64)>, Fault> {
    let mut bounds = assignments::bounds(&arguments.search.bounds, names, limits)?;
    let declared = model.params.iter().zip(&place.slots).flat_map(|(param, slot)| {
        let (low, high) = param.bounds.unwrap_or_default();
        std::iter::repeat_n((low.unwrap_or(f64::NEG_INFINITY), high.unwrap_or(f64::INFINITY)), slot.size())
    });
    for (bound, (low, high)) in bounds.iter_mut().zip(declared) {
        *bound = (bound.0.max(low), bound.1.min(high));
    }
    let empty = bounds.iter().position(|(low, high)| low > high);
    empty.map_or(Ok(bounds), |at| {
        let message = format!("no number satisfies the bounds of `{}`", names[at]);
        Err(Fault::usage(message, "the program bounds it as well"))
    })
}

/// A program's objective as one of `train`.
struct Compiled {
    both: ArrayEvaluator,
    product: ArrayEvaluator,
    dimension: usize,
    /// The last point where the objective was not finite.
    failed_at: Option<Vec<f64>>,
}

impl Compiled {
    fn new(model: &Model, place: &Place, arguments: &Minimize, limits: &Limits) -> Result<Compiled, Error> {
        let wrt: Vec<String> = place.slots.iter().map(|slot| slot.name.clone()).collect();
        let derivation = derivation(&arguments.how, limits, Purpose::Compute);
        let evaluator =
            |function| ArrayEvaluator::new(&function, arguments.run.engine, arguments.how.simplify);
        Ok(Compiled {
            both: evaluator(value_and_gradients(model, &wrt, &derivation)?)?,
            product: evaluator(hessian_product(model, &wrt, &derivation)?)?,
            dimension: place.point.len(),
            failed_at: None,
        })
    }
}

impl Objective for Compiled {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn value_and_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        // Only slices of the wrong length are refused, and the driver passes none.
        let Ok(both) = self.both.call(x) else { return f64::NAN };
        gradient.copy_from_slice(&both[1..]);
        if !both[0].is_finite() {
            self.failed_at = Some(x.to_vec());
        }
        both[0]
    }

    fn hessian_vector(&mut self, x: &[f64], v: &[f64], out: &mut [f64]) -> bool {
        let product = self.product.call(&[x, v].concat());
        product.is_ok_and(|product| {
            out.copy_from_slice(&product);
            true
        })
    }
}
