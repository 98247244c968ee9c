//! `symdiff eval net.sd --at x=[1,2],y=1`: every value the program defines, and its gradients.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::point::{Place, array};
use super::text::ProgramText;
use crate::cli::arguments::Evaluate;
use crate::cli::assignments;
use crate::cli::console::{Console, Exit, Fault};
use crate::cli::derive::derivation;
use crate::cli::numbers::to_json;
use crate::elaborate::program::{Model, Phase};
use crate::models::{function_of, value_and_gradients};
use crate::print::{Label, Notation};
use crate::train::Undefined;
use crate::{ArrayEvaluator, Diagnostic, Error, Limits, Purpose};

/// A name with its numbers.
pub struct Named {
    pub name: String,
    pub shape: Vec<usize>,
    pub values: Vec<f64>,
}

impl Named {
    /// `name = numbers`, or the numbers of what needs no name.
    pub fn line(&self) -> String {
        let numbers = array(&self.values, &self.shape);
        if self.name.is_empty() { numbers } else { format!("{} = {numbers}", self.name) }
    }
}

pub fn run(path: &Path, arguments: &Evaluate, limits: &Limits, console: &mut Console) -> Result<Exit, Fault> {
    if arguments.data.data.is_some() {
        let hint = "train it, and give the weights: symdiff eval weights.safetensors --data table.csv";
        return Err(Fault::usage("a program has no weights to score on data", hint));
    }
    let text = ProgramText::read(path, limits)?;
    let model = text.model(Phase::Predict, limits, console)?;
    let at = assignments::assignments("--at", &arguments.point.at, limits)?;
    let place = Place::new(&model, &at)?;
    if let Some(note) = place.note(&model, "--at") {
        console.say(Diagnostic::note(note))?;
    }
    let fault = |error: Error| text.fault(&error);
    let mut results = values(&model, &place, arguments).map_err(fault)?;
    if arguments.gradient {
        results.extend(gradients(&model, &place, arguments, limits).map_err(fault)?);
    }
    if let Some(warning) = undefined(&model, &results, &place.point) {
        console.show(&warning, &text.source, text.origin())?;
    }
    if results.is_empty() {
        return Err(Fault::usage("the program defines no value", "define one, such as `loss = …`"));
    }
    if arguments.output.json {
        return console.print(&json(&results)).map(|()| Exit::Success).map_err(Fault::from);
    }
    for result in &results {
        console.print(&result.line())?;
    }
    Ok(Exit::Success)
}

/// All definitions, the objective if it is none of them, the metrics.
fn values(model: &Model, place: &Place, arguments: &Evaluate) -> Result<Vec<Named>, Error> {
    let mut named = model.named_nodes();
    if let Some(objective) = &model.objective
        && named.iter().all(|(_, node)| *node != objective.node)
    {
        named.push((objective.name.trim_matches('`').to_owned(), objective.node));
    }
    named.extend(model.metrics.iter().map(|metric| (metric.name.clone(), metric.node)));
    let nodes: Vec<_> = named.iter().map(|(_, node)| *node).collect();
    let function = function_of(model, &nodes);
    let numbers = call(&function, place, arguments)?;
    let shapes = nodes.iter().map(|&node| extents(model, node));
    Ok(named
        .into_iter()
        .zip(shapes)
        .zip(numbers)
        .map(|(((name, _), shape), values)| Named { name, shape, values })
        .collect())
}

/// What went wrong in a definition that is NaN at a point.
fn undefined(model: &Model, results: &[Named], point: &[f64]) -> Option<Diagnostic> {
    let is_nan = |name: &str| results.iter().any(|r| r.name == name && r.values.iter().any(|x| x.is_nan()));
    let value = model.values.iter().find(|value| is_nan(&value.name))?;
    let function = function_of(model, &[value.node]);
    Some(Undefined::point().warning(&function, &model.origins, &model.named_nodes(), point))
}

fn extents(model: &Model, node: crate::models::Node) -> Vec<usize> {
    model.graph.shape(node).extents().iter().map(|&d| d as usize).collect()
}

fn gradients(
    model: &Model,
    place: &Place,
    arguments: &Evaluate,
    limits: &Limits,
) -> Result<Vec<Named>, Error> {
    let params: Vec<_> = place.slots.iter().filter(|slot| slot.is_param).collect();
    let wrt: Vec<String> = params.iter().map(|slot| slot.name.clone()).collect();
    let derivation = derivation(&arguments.how, limits, Purpose::Compute);
    let function = value_and_gradients(model, &wrt, &derivation)?;
    let numbers = call(&function, place, arguments)?.into_iter().skip(1);
    let label = |wrt: &str| Label::Partial { wrt: wrt.to_owned(), order: 1 }.text(Notation::Text);
    let named = params.iter().zip(numbers).map(|(slot, values)| Named {
        name: label(&slot.name).unwrap_or_default(),
        shape: slot.shape.clone(),
        values,
    });
    Ok(named.collect())
}

/// The outputs of a function, one by one.
fn call(function: &crate::Function, place: &Place, arguments: &Evaluate) -> Result<Vec<Vec<f64>>, Error> {
    let mut evaluator = ArrayEvaluator::new(function, arguments.run.engine, arguments.how.simplify)?;
    let all = evaluator.call(&place.point)?;
    Ok(split(&evaluator, &all))
}

/// Outputs one after another, one by one.
pub fn split(evaluator: &ArrayEvaluator, all: &[f64]) -> Vec<Vec<f64>> {
    let mut rest = all;
    let one = |&size: &usize| {
        let (values, others) = rest.split_at(size);
        rest = others;
        values.to_vec()
    };
    evaluator.output_sizes().iter().map(one).collect()
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    values: Ordered<'a>,
}

/// An object whose keys keep their order.
struct Ordered<'a>(&'a [Named]);

impl Serialize for Ordered<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer
            .collect_map(self.0.iter().map(|result| (&result.name, nested(&result.values, &result.shape))))
    }
}

/// One object of all results.
pub fn json(results: &[Named]) -> String {
    to_json(&Document { schema: 1, values: Ordered(results) })
}

/// Numbers in as many brackets as the shape has axes; null where not finite.
fn nested(values: &[f64], shape: &[usize]) -> Value {
    match shape {
        [] => values
            .first()
            .and_then(|&x| serde_json::to_value(crate::cli::numbers::Json(x)).ok())
            .unwrap_or(Value::Null),
        [_, inner @ ..] => {
            let size = inner.iter().product::<usize>().max(1);
            Value::Array(values.chunks(size).map(|row| nested(row, inner)).collect())
        }
    }
}
