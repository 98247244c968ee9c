//! `symdiff check net.sd`: the gradient by every parameter, along every path: reverse against
//! forward mode, compiled against interpreted, all against differences.
//!
//! What must stay true: a kink or a function too rough to tell is said, and is no failure.

use std::path::Path;

use serde::Serialize;

use super::data::{dataset, wishes};
use super::point::{Place, element};
use super::sample::points;
use super::text::ProgramText;
use crate::cli::arguments::Check;
use crate::cli::assignments;
use crate::cli::console::{Console, Exit, Fault};
use crate::cli::derive::derivation;
use crate::cli::differences::slope;
use crate::cli::numbers::{Json, to_json};
use crate::cli::table::Table;
use crate::cli::verdict::{Agreement, Row, Verdict, judge, rounded};
use crate::elaborate::program::{Model, Phase};
use crate::models::{Slot, function_of, tangent, value_and_gradients};
use crate::{ArrayEvaluator, Diagnostic, Engine, Error, Limits, Purpose};

/// Elements checked of each parameter at each point, evenly spaced.
const ELEMENTS: usize = 12;

pub fn run(path: &Path, arguments: &Check, limits: &Limits, console: &mut Console) -> Result<Exit, Fault> {
    let text = ProgramText::read(path, limits)?;
    let model = text.model(Phase::Predict, limits, console)?;
    let fault = |error: Error| text.fault(&error);
    model.objective().map_err(fault)?;
    if model.params.is_empty() {
        let hint = "declare one, such as `param w = 0`";
        return Err(Fault::usage("the program has no parameters, so there is nothing to check", hint));
    }
    let at = assignments::assignments("--at", &arguments.point.at, limits)?;
    let data = dataset(&arguments.data, &model, path, limits)?;
    let wishes = wishes(&arguments.data, &model)?;
    let mut paths = Paths::new(&model, arguments, limits).map_err(fault)?;
    let places = points(&model, &at, data.as_ref(), &wishes, &mut |place| paths.is_finite(place))
        .map_err(|stop| stop.told(&text))?;
    console.say(Diagnostic::note(places.origin.clone()))?;
    let mut checked: Vec<Checked> = Vec::new();
    for place in &places.places {
        let found = paths.check(place, arguments.tolerance).map_err(fault)?;
        match checked.is_empty() {
            true => checked = found,
            false => checked.iter_mut().zip(found).for_each(|(all, one)| all.add(one)),
        }
    }
    match arguments.output.json {
        true => console.print(&json(&checked, arguments.tolerance))?,
        false => print(&checked, console)?,
    }
    let failed = checked.iter().filter(|param| param.failure.is_some()).count();
    if failed == 0 {
        return Ok(Exit::Success);
    }
    let message = format!("the gradients of {failed} of {} parameters failed the check", checked.len());
    console.say(Diagnostic::error(message))?;
    Ok(Exit::Failed)
}

/// The objective and its derivatives by every path, ready to run.
struct Paths {
    slots: Vec<Slot>,
    value: ArrayEvaluator,
    compiled: ArrayEvaluator,
    interpreted: ArrayEvaluator,
    forward: ArrayEvaluator,
}

impl Paths {
    fn new(model: &Model, arguments: &Check, limits: &Limits) -> Result<Paths, Error> {
        let derivation = derivation(&arguments.how, limits, Purpose::Compute);
        let wrt: Vec<String> = model.params.iter().map(|param| param.name.clone()).collect();
        let evaluator = |function: &_, engine| ArrayEvaluator::new(function, engine, derivation.level);
        let both = value_and_gradients(model, &wrt, &derivation)?;
        Ok(Paths {
            slots: crate::models::slots(model),
            value: evaluator(&function_of(model, &[model.objective()?.node]), Engine::Jit)?,
            compiled: evaluator(&both, Engine::Jit)?,
            interpreted: evaluator(&both, Engine::Interpreter)?,
            forward: evaluator(&tangent(model, &wrt, &derivation)?, Engine::Jit)?,
        })
    }

    /// Whether value and gradient are finite there.
    fn is_finite(&mut self, place: &Place) -> bool {
        self.compiled.call(&place.point).is_ok_and(|values| values.iter().all(|value| value.is_finite()))
    }

    /// What is to be said of every parameter at one point.
    fn check(&mut self, place: &Place, tolerance: f64) -> Result<Vec<Checked>, Error> {
        let compiled = self.compiled.call(&place.point)?;
        let interpreted = self.interpreted.call(&place.point)?;
        let inputs: usize = self.slots.iter().filter(|slot| !slot.is_param).map(Slot::size).sum();
        let mut all = Vec::new();
        let mut first = inputs;
        for slot in self.slots.clone().iter().filter(|slot| slot.is_param) {
            let mut checked = Checked::new(slot);
            for k in elements(slot.size()) {
                let at = first + k;
                // The value comes before the gradient.
                let gradient = 1 + at - inputs;
                let forward = self.along(&place.point, inputs, at)?;
                let paths = [compiled[gradient], forward, interpreted[gradient], compiled[gradient]];
                let scale = compiled[0].abs() / place.point[at].abs().max(1.0);
                let slope = slope(&mut self.value_along(&place.point, at), place.point[at]);
                let row = judge(paths, slope, scale, tolerance, Agreement::Close);
                checked.count(&element(slot, k), row);
            }
            all.push(checked);
            first += slot.size();
        }
        Ok(all)
    }

    /// The tangent along one element.
    fn along(&mut self, point: &[f64], inputs: usize, at: usize) -> Result<f64, Error> {
        let mut extended = point.to_vec();
        extended.extend(std::iter::repeat_n(0.0, point.len() - inputs));
        extended[point.len() + at - inputs] = 1.0;
        Ok(self.forward.call(&extended)?[0])
    }

    fn value_along(&mut self, point: &[f64], at: usize) -> impl FnMut(f64) -> f64 {
        let mut point = point.to_vec();
        move |x| {
            point[at] = x;
            self.value.call(&point).map_or(f64::NAN, |value| value[0])
        }
    }
}

/// At most so many places of an array, evenly spaced.
fn elements(size: usize) -> Vec<usize> {
    let count = size.min(ELEMENTS);
    (0..count).map(|i| i * size / count).collect()
}

/// What was found of one parameter.
struct Checked {
    name: String,
    shape: Vec<usize>,
    elements: usize,
    /// The largest relative error against differences.
    worst: f64,
    noted: Vec<String>,
    failure: Option<String>,
}

impl Checked {
    fn new(slot: &Slot) -> Checked {
        let (name, shape) = (slot.name.clone(), slot.shape.clone());
        Checked { name, shape, elements: 0, worst: 0.0, noted: Vec::new(), failure: None }
    }

    fn count(&mut self, element: &str, row: Row) {
        self.elements += 1;
        if let (Verdict::Passed | Verdict::Failed(_), Some(relative)) = (&row.verdict, row.relative) {
            self.worst = self.worst.max(relative);
        }
        match row.verdict {
            Verdict::Passed => {}
            Verdict::Noted(words) => self.noted.push(format!("{element}: {words}")),
            Verdict::Failed(words) => {
                self.failure.get_or_insert(format!("{element}: {words}"));
            }
        }
    }

    fn add(&mut self, other: Checked) {
        self.elements += other.elements;
        self.worst = self.worst.max(other.worst);
        self.noted.extend(other.noted);
        self.failure = self.failure.take().or(other.failure);
    }

    fn words(&self) -> String {
        match (&self.failure, self.noted.as_slice()) {
            (Some(words), _) => format!("FAILED at {words}"),
            (None, []) => "ok".to_owned(),
            (None, [only]) => format!("ok; {only}"),
            (None, [first, others @ ..]) => format!("ok; {first}; {} more", others.len()),
        }
    }
}

fn print(checked: &[Checked], console: &mut Console) -> Result<(), Fault> {
    let header = ["parameter", "shape", "checked", "relative error", "verdict"];
    let mut table = Table::new(header.map(str::to_owned).to_vec());
    for param in checked {
        let extents: Vec<String> = param.shape.iter().map(usize::to_string).collect();
        let cells = [
            param.name.clone(),
            format!("[{}]", extents.join(", ")),
            param.elements.to_string(),
            rounded(param.worst, 2),
            param.words(),
        ];
        table.row(cells.to_vec(), console)?;
    }
    table.finish(console)?;
    Ok(())
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    passed: bool,
    tolerance: Json,
    parameters: Vec<ParamForm<'a>>,
}

#[derive(Serialize)]
struct ParamForm<'a> {
    name: &'a str,
    shape: &'a [usize],
    checked: usize,
    relative_error: Json,
    passed: bool,
    notes: &'a [String],
    message: String,
}

fn json<'a>(checked: &'a [Checked], tolerance: f64) -> String {
    let form = |param: &'a Checked| {
        let Checked { name, shape, elements, worst, noted, failure } = param;
        ParamForm {
            name,
            shape,
            checked: *elements,
            relative_error: Json(*worst),
            passed: failure.is_none(),
            notes: noted,
            message: param.words(),
        }
    };
    let passed = checked.iter().all(|param| param.failure.is_none());
    let parameters = checked.iter().map(form).collect();
    to_json(&Document { schema: 1, passed, tolerance: Json(tolerance), parameters })
}
