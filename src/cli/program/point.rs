//! Where a program is evaluated: inputs from `--at`, parameters from there or as they start.

use crate::Function;
use crate::cli::assignments::{self, Assignment};
use crate::cli::console::Fault;
use crate::cli::numbers;
use crate::data::Random;
use crate::elaborate::program::Model;
use crate::models::{Slot, slots};
use crate::train::initialise;

/// A number for every element of every input and parameter, in the order of [`slots`].
pub struct Place {
    pub slots: Vec<Slot>,
    pub point: Vec<f64>,
    /// Parameters that stand as training starts them, by a draw.
    pub drawn: Vec<String>,
}

impl Place {
    /// What `--at` says, parameters it leaves out as they start.
    pub fn new(model: &Model, at: &[Assignment]) -> Result<Place, Fault> {
        Place::named("--at", model, at)
    }

    /// The same of another flag.
    pub fn named(flag: &str, model: &Model, at: &[Assignment]) -> Result<Place, Fault> {
        Place::filled(flag, model, at, &[])
    }

    /// With these numbers for inputs that `--at` leaves out.
    pub fn with_inputs(model: &Model, at: &[Assignment], inputs: &[f64]) -> Result<Place, Fault> {
        Place::filled("--at", model, at, inputs)
    }

    /// For a function derived of the model, with directions after the model's own inputs.
    pub fn of_function(model: &Model, function: &Function, at: &[Assignment]) -> Result<Place, Fault> {
        let mut slots = slots(model);
        for (i, name) in function.input_names().enumerate().skip(slots.len()) {
            slots.push(Slot { name: name.to_owned(), shape: function.input_extents(i), is_param: false });
        }
        Place::of_slots("--at", model, slots, at, &[])
    }

    fn filled(flag: &str, model: &Model, at: &[Assignment], inputs: &[f64]) -> Result<Place, Fault> {
        Place::of_slots(flag, model, slots(model), at, inputs)
    }

    fn of_slots(
        flag: &str,
        model: &Model,
        slots: Vec<Slot>,
        at: &[Assignment],
        inputs: &[f64],
    ) -> Result<Place, Fault> {
        let given = assignments::place(flag, &element_names(&slots), at)?;
        let (mut point, mut drawn): (Vec<f64>, Vec<String>) = (Vec::new(), Vec::new());
        for (i, slot) in slots.iter().enumerate() {
            let values = &given[point.len()..][..slot.size()];
            if values.iter().all(Option::is_some) {
                point.extend(values.iter().flatten());
                continue;
            }
            let start = match i.checked_sub(model.inputs.len()) {
                Some(k) if slot.is_param => {
                    if model.params[k].init.is_random() {
                        drawn.push(slot.name.clone());
                    }
                    start(model, k, slot)?
                }
                _ => inputs
                    .get(point.len()..)
                    .and_then(|rest| rest.get(..slot.size()))
                    .map(<[f64]>::to_vec)
                    .ok_or_else(|| missing(slot))?,
            };
            point.extend(values.iter().zip(start).map(|(value, start)| value.unwrap_or(start)));
        }
        Ok(Place { slots, point, drawn })
    }

    /// The sentence about parameters nobody gave.
    pub fn note(&self, model: &Model, flag: &str) -> Option<String> {
        let [first, others @ ..] = self.drawn.as_slice() else { return None };
        let more = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
        let seed = model.train.seed;
        Some(format!("`{first}`{more} as training starts with seed {seed}; {flag} gives other numbers"))
    }
}

/// The numbers with which training starts a parameter.
fn start(model: &Model, param: usize, slot: &Slot) -> Result<Vec<f64>, Fault> {
    let mut random = Random::new(model.train.seed, &format!("parameter {}", slot.name));
    let start = initialise(&model.params[param].init, &slot.shape, &mut random);
    start.map_err(|error| Fault::from_error(&error))
}

/// `w`, or `w[0]`, `w[1]`, … of the elements of an array.
pub fn element_names(slots: &[Slot]) -> Vec<String> {
    let of = |slot: &Slot| match slot.shape.is_empty() {
        true => vec![slot.name.clone()],
        false => (0..slot.size()).map(|i| element(slot, i)).collect(),
    };
    slots.iter().flat_map(of).collect()
}

/// `W[2, 3]`, for a flat position.
pub fn element(slot: &Slot, at: usize) -> String {
    let mut rest = at;
    let mut subscripts: Vec<String> = Vec::new();
    for &extent in slot.shape.iter().rev() {
        subscripts.push((rest % extent.max(1)).to_string());
        rest /= extent.max(1);
    }
    subscripts.reverse();
    match subscripts.is_empty() {
        true => slot.name.clone(),
        false => format!("{}[{}]", slot.name, subscripts.join(", ")),
    }
}

fn missing(slot: &Slot) -> Fault {
    let shown = match slot.shape.as_slice() {
        [] => "…".to_owned(),
        [n] => format!("[…], {n} numbers"),
        shape => format!("[[…], …], {} numbers", shape.iter().product::<usize>()),
    };
    let message = format!("the input `{}` has no value", slot.name);
    Fault::usage(message, format!("add {}={shown}, to --at", slot.name).replace("…, to", "… to"))
}

/// An array in brackets, or a number.
pub fn array(values: &[f64], shape: &[usize]) -> String {
    match shape {
        [] => crate::print::number(values.first().copied().unwrap_or(f64::NAN)),
        [_] => numbers::vector(values),
        [_, inner @ ..] => {
            let size = inner.iter().product::<usize>().max(1);
            let rows: Vec<String> = values.chunks(size).map(|row| array(row, inner)).collect();
            format!("[{}]", rows.join(", "))
        }
    }
}
