//! Points at which a program is checked: rows of its data, the point of `--at`, or random inputs.

use super::point::Place;
use super::text::ProgramText;
use crate::cli::assignments::Assignment;
use crate::cli::console::{Exit, Fault};
use crate::data::{Dataset, Portions, Random, Wishes, prepare};
use crate::elaborate::program::Model;
use crate::train::{class_counts, input_shapes};
use crate::{Diagnostic, Error};

/// Points checked, and how many random ones are tried.
const CHECKED: usize = 3;
const TRIED: usize = 60;

/// Points, and where they come from in words.
pub struct Places {
    pub places: Vec<Place>,
    pub origin: String,
}

/// Why there are none.
pub enum Stop {
    Error(Error),
    Fault(Fault),
}

impl Stop {
    pub fn told(self, text: &ProgramText) -> Fault {
        match self {
            Stop::Error(error) => text.fault(&error),
            Stop::Fault(fault) => fault,
        }
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Stop {
        Stop::Fault(fault)
    }
}

/// Up to [`CHECKED`] points of a program; random ones only where `fits`.
pub fn points(
    model: &Model,
    at: &[Assignment],
    data: Option<&Dataset>,
    wishes: &Wishes,
    fits: &mut dyn FnMut(&Place) -> bool,
) -> Result<Places, Stop> {
    if model.inputs.is_empty() {
        return Ok(Places { places: vec![Place::new(model, at)?], origin: at_start(model) });
    }
    let given = |name: &str| at.iter().any(|item| item.is_of(name));
    if model.inputs.iter().all(|input| given(&input.name)) {
        return Ok(Places { places: vec![Place::new(model, at)?], origin: "checked at --at".to_owned() });
    }
    if data.is_some() || !wishes.bindings.is_empty() {
        return of_data(model, at, data, wishes).map_err(Stop::Error)?.map_err(Stop::Fault);
    }
    at_random(model, at, fits).map_err(Stop::Fault)
}

fn at_start(model: &Model) -> String {
    format!("checked at the parameters' first values, seed {}", model.train.seed)
}

fn of_data(
    model: &Model,
    at: &[Assignment],
    data: Option<&Dataset>,
    wishes: &Wishes,
) -> Result<Result<Places, Fault>, Error> {
    let plan = &model.train;
    let portions = Portions { validation: plan.validation, test: plan.test, seed: plan.seed, stratify: None };
    let prepared = prepare(data, &input_shapes(model), wishes, &portions)?;
    let rows = prepared.split.train.iter().take(CHECKED);
    let inputs = &prepared.examples.inputs;
    let places = rows.map(|&row| {
        let numbers = inputs.iter().flat_map(|table| {
            let size = table.len() / prepared.examples.count.max(1);
            table[row as usize * size..][..size].iter().copied()
        });
        Place::with_inputs(model, at, &numbers.collect::<Vec<f64>>())
    });
    let places: Result<Vec<Place>, Fault> = places.collect();
    Ok(places.map(|places| {
        let origin = format!("checked at {} rows of the data; {}", places.len(), at_start(model));
        Places { places, origin: origin.replace("; checked at", " and") }
    }))
}

/// Inputs drawn from ranges that suit most domains; classes are whole numbers in range.
fn at_random(
    model: &Model,
    at: &[Assignment],
    fits: &mut dyn FnMut(&Place) -> bool,
) -> Result<Places, Fault> {
    const RANGES: [(f64, f64); 3] = [(-2.0, 2.0), (0.1, 0.9), (0.5, 3.0)];
    let classes = class_counts(model);
    let shapes = input_shapes(model);
    let mut random = Random::new(model.train.seed, "inputs to check at");
    let mut places = Vec::new();
    for attempt in 0..TRIED {
        let (low, high) = RANGES[attempt * RANGES.len() / TRIED];
        let mut numbers = Vec::new();
        for (shape, classes) in shapes.iter().zip(&classes) {
            for _ in 0..shape.size() {
                let part = random.uniform();
                numbers.push(match classes {
                    Some(count) => (part * *count as f64).floor(),
                    None => low + (high - low) * part,
                });
            }
        }
        let place = Place::with_inputs(model, at, &numbers)?;
        if fits(&place) {
            places.push(place);
        }
        if places.len() == CHECKED {
            break;
        }
    }
    if places.is_empty() {
        let message = "no inputs were found where the objective and its gradient are finite";
        let hint = "give some, such as --at x=[1,2],y=1, or --data table.csv";
        return Err(Fault::plain(Exit::Data, Diagnostic::error(message).hint(hint)));
    }
    let origin = format!("checked at {} random inputs; {}", places.len(), at_start(model));
    Ok(Places { places, origin: origin.replace("; checked at", " and") })
}
