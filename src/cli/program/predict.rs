//! `symdiff predict`: a model's values for each row of new data, as a table.

use super::data::{dataset, wishes};
use super::text::{ProgramText, weights};
use crate::cli::arguments::Predict;
use crate::cli::console::{Console, Exit, Fault};
use crate::print::number;
use crate::train::{Predictions, Predictor, program_of};
use crate::{Diagnostic, Error};

pub fn run(arguments: &Predict, console: &mut Console) -> Result<Exit, Fault> {
    let limits = arguments.budgets.limits();
    let saved = weights(&arguments.weights, &limits)?;
    let text = match &arguments.program {
        Some(path) => ProgramText::read(path, &limits)?,
        None => {
            let source = program_of(&saved).map_err(|error| Fault::from_error(&error))?;
            ProgramText::within(&arguments.weights, source)
        }
    };
    let fault = |error: Error| text.fault(&error);
    let predictor = Predictor::new(&saved, Some(&text.source), &limits).map_err(fault)?;
    let names = chosen(&predictor, &arguments.values)?;
    let data = dataset(&arguments.data, predictor.model(), &arguments.weights, &limits)?;
    let wishes = wishes(&arguments.data, predictor.model())?;
    let predictions = predictor.predict(&names, data.as_ref(), &wishes).map_err(fault)?;
    for sentence in &predictions.echo {
        console.say(Diagnostic::note(sentence.clone()))?;
    }
    if let Some(warning) = &predictions.warning {
        console.show(warning, &text.source, text.origin())?;
    }
    let called: Vec<_> = names.iter().map(|name| predictor.class_names(name)).collect();
    console.print(&header(&predictions))?;
    for row in 0..predictions.count {
        console.print(&line(&predictions, &called, row))?;
    }
    Ok(Exit::Success)
}

/// The values asked for; else the last one defined.
fn chosen<'a>(predictor: &'a Predictor, names: &'a [String]) -> Result<Vec<&'a str>, Fault> {
    if !names.is_empty() {
        return Ok(names.iter().map(|name| name.trim()).collect());
    }
    let last = predictor.last_value().ok_or_else(|| {
        Fault::usage("the program defines nothing to predict", "define a value, such as `p = sigmoid(w·x)`")
    })?;
    Ok(vec![last])
}

fn header(predictions: &Predictions) -> String {
    let names = predictions.values.iter().flat_map(|&(ref name, size, _)| match size {
        1 => vec![name.clone()],
        size => (0..size).map(|i| format!("{name}_{i}")).collect(),
    });
    names.collect::<Vec<_>>().join(",")
}

/// One row; classes by their names where they have some.
fn line(predictions: &Predictions, called: &[Option<&[String]>], row: usize) -> String {
    let each = predictions.values.iter().zip(called);
    let cells = each.flat_map(|((_, size, values), called)| {
        let name = |value: f64| called.filter(|_| value >= 0.0)?.get(value as usize).map(|name| quoted(name));
        values[row * size..][..*size].iter().map(move |&value| name(value).unwrap_or_else(|| number(value)))
    });
    cells.collect::<Vec<_>>().join(",")
}

/// A text as a cell of a table: in quotation marks where it would be taken apart.
fn quoted(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) || text.trim() != text {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}
