//! Preparation: bind, read, drop or fill what is missing, split, standardise.
//!
//! What must stay true: means and deviations come from the training rows only; `prepare_like`
//! with the encodings of `prepare` gives the same numbers for the same rows.

use super::arrays::Dataset;
use super::bind::{InputShape, Missing, Taken, Wishes, resolve};
use super::cell::quoted;
use super::encodings::{Encoded, Encodings};
use super::extract::{Examples, extract};
use super::scaling::Scaling;
use super::split::{Split, split, split_by_class};
use super::table::some;
use super::text::split_in_order;
use crate::error::{Diagnostic, Error};

/// How many rows are set aside, and by which seed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Portions {
    /// The fraction of rows for validation.
    pub validation: f64,
    /// The fraction of rows for the test.
    pub test: f64,
    /// The seed of the split.
    pub seed: u64,
    /// The scalar input whose classes are to be in each part in proportion.
    pub stratify: Option<String>,
}

/// Data made ready.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// The numbers.
    pub examples: Examples,
    /// Which of them are trained on.
    pub split: Split,
    /// What was learnt of the training rows, to be saved with the weights.
    pub encodings: Encodings,
    /// What was guessed or changed, a sentence each.
    pub echo: Vec<String>,
}

impl Prepared {
    /// The data of a program without inputs: none.
    pub fn none() -> Prepared {
        Prepared {
            examples: Examples::default(),
            split: Split::default(),
            encodings: Encodings::default(),
            echo: Vec::new(),
        }
    }
}

/// Binds data to the inputs for training.
///
/// Errors are `is_data`, of the program's text where a binding of it is wrong, and name file,
/// row and column where the data is.
pub fn prepare(
    data: Option<&Dataset>,
    inputs: &[InputShape],
    wishes: &Wishes,
    portions: &Portions,
) -> Result<Prepared, Error> {
    check_names(inputs, wishes)?;
    let (mut examples, mut encodings, mut echo) = read(data, inputs, wishes, None)?;
    let split = match data {
        Some(Dataset::Text(corpus)) => {
            let overlapping = corpus.windows(inputs, wishes.stride.unwrap_or(1))?[0].overlapping();
            split_in_order(examples.count, overlapping, portions.validation, portions.test)?
        }
        _ => divide(inputs, &examples, portions)?,
    };
    for (input, (values, encoded)) in inputs.iter().zip(examples.inputs.iter_mut().zip(&mut encodings.inputs))
    {
        if wishes.missing == Missing::Mean {
            let means = means(input, values, &split.train, encoded)?;
            encoded.fill = encoded.labels.is_none().then_some(means); // labels have no mean
            fill(values, encoded.fill.as_deref(), input, &mut echo);
        }
        if wishes.standardize.iter().any(|(name, _)| *name == input.name) {
            let (scaling, constant) = scaling(input, values, &split.train, encoded)?;
            tell_constant(input, encoded, &constant, &mut echo);
            scaling.apply(values);
            encoded.scaling = Some(scaling);
        }
    }
    Ok(Prepared { examples, split, encodings, echo })
}

/// Binds new data to some of the inputs as the training data was; all rows are in `split.test`.
///
/// `wishes.bindings` overrule the columns of the training table; `standardize` is not looked at.
pub fn prepare_like(
    data: Option<&Dataset>,
    inputs: &[InputShape],
    wishes: &Wishes,
    encodings: &Encodings,
) -> Result<Prepared, Error> {
    let (mut examples, _, mut echo) = read(data, inputs, wishes, Some(encodings))?;
    for (input, values) in inputs.iter().zip(&mut examples.inputs) {
        let Some(encoded) = encodings.get(&input.name) else { continue };
        fill(values, encoded.fill.as_deref(), input, &mut echo);
        if let Some(at) = values.iter().position(|x| x.is_nan()) {
            let row = at / input.size().max(1);
            let place = match examples.lines.get(row) {
                Some(line) => format!("{}, line {line}", examples.source),
                None => format!("row {row}"),
            };
            let text =
                format!("{place}: a value of input `{input}` is missing, and training saw no missing ones");
            return Err(Error::data(Diagnostic::error(text).hint("leave the row out with `missing = drop`")));
        }
        if let Some(scaling) = &encoded.scaling {
            let saved = scaling.mean.len();
            if saved != input.size() {
                let text = format!("input `{input}` was standardised as {saved} columns when it was trained");
                let hint = "the program has changed since the weights were saved";
                return Err(Error::data(Diagnostic::error(text).hint(hint)));
            }
            scaling.apply(values);
        }
    }
    let split = Split { test: (0..examples.count as u32).collect(), ..Split::default() };
    Ok(Prepared { examples, split, encodings: encodings.clone(), echo })
}

/// A wish for an input that is not there.
fn check_names(inputs: &[InputShape], wishes: &Wishes) -> Result<(), Error> {
    let bound = wishes.bindings.iter().map(|wish| (&wish.input, wish.span));
    let scaled = wishes.standardize.iter().map(|(name, span)| (name, *span));
    for (name, span) in bound.chain(scaled) {
        if inputs.iter().all(|input| input.name != *name) {
            let names: Vec<String> = inputs.iter().map(|input| input.name.clone()).collect();
            let diagnostic = Diagnostic::error(format!("there is no input `{name}`"));
            let diagnostic = match span {
                Some(span) => diagnostic.at(span, "not an input"),
                None => diagnostic,
            };
            return Err(Error::name(diagnostic.hint(format!("the inputs are {}", some(&names)))));
        }
    }
    Ok(())
}

/// The parts, each class in proportion where that is asked.
fn divide(inputs: &[InputShape], examples: &Examples, portions: &Portions) -> Result<Split, Error> {
    let Portions { validation, test, seed, stratify } = portions;
    let Some(name) = stratify else { return split(examples.count, *validation, *test, *seed) };
    match inputs.iter().position(|input| input.name == *name && input.size() == 1) {
        Some(class) => split_by_class(&examples.inputs[class], *validation, *test, *seed),
        None => {
            let text = format!("no number among the inputs is named `{name}`, to split by its classes");
            Err(Error::input(Diagnostic::error(text)))
        }
    }
}

/// The standardisation of an input and its constant columns.
fn scaling(
    input: &InputShape,
    values: &[f64],
    rows: &[u32],
    encoded: &Encoded,
) -> Result<(Scaling, Vec<usize>), Error> {
    let fault = |why: &str| {
        let text = format!("input `{input}` cannot be standardised: {why}");
        Err(Error::data(Diagnostic::error(text).hint("leave it out of `standardize`")))
    };
    if encoded.labels.is_some() {
        return fault("it holds labels, which have no scale");
    }
    let (scaling, constant) = Scaling::of(values, input.size(), rows);
    if scaling.is_finite() { Ok((scaling, constant)) } else { fault("its numbers are too large to add up") }
}

/// Everything up to the split: NaN is left only where means are to be filled in.
fn read(
    data: Option<&Dataset>,
    inputs: &[InputShape],
    wishes: &Wishes,
    known: Option<&Encodings>,
) -> Result<(Examples, Encodings, Vec<String>), Error> {
    let mut echo = Vec::new();
    let taken = resolve(data, inputs, wishes, known, &mut echo)?;
    let mut encodings = Encodings::default();
    let mut examples = Examples::default();
    let mut counts: Vec<usize> = Vec::with_capacity(inputs.len());
    for (input, taken) in inputs.iter().zip(&taken) {
        let labels = known.and_then(|known| known.get(&input.name)?.labels.as_ref());
        let extracted = extract(input, taken, labels, wishes.missing)?;
        counts.push(extracted.values.len() / input.size().max(1));
        examples.inputs.push(extracted.values);
        if let (Some(labels), None) = (&extracted.labels, labels) {
            let told = labels.texts().iter().take(12).enumerate();
            let classes: Vec<String> = told.map(|(i, t)| format!("{i} = {}", shown(t))).collect();
            let count = labels.texts().len();
            let more = if count > 12 { format!(", … ({count} in all)") } else { String::new() };
            echo.push(format!("the labels of `{input}`: {}{more}", classes.join(", ")));
        }
        let mut encoded =
            Encoded { input: input.name.clone(), labels: extracted.labels, ..Encoded::default() };
        if let Taken::Columns(table, columns) = taken {
            encoded.columns = columns.iter().map(|&c| table.names()[c].clone()).collect();
            encoded.positions.clone_from(columns);
            (encodings.header, encodings.width) = (table.has_header(), table.columns().len());
            examples.source = table.source().to_owned();
            examples.lines.clone_from(&table.lines);
        }
        encodings.inputs.push(encoded);
    }
    examples.count = agreed(inputs, &counts)?;
    examples.rows = (0..examples.count as u32).collect();
    if wishes.missing == Missing::Drop {
        drop_missing(&mut examples, &mut echo)?;
    }
    Ok((examples, encodings, echo))
}

/// A label as a note shows it: its beginning, quoted where it is blank or looks like two.
fn shown(label: &str) -> String {
    const LONGEST: usize = 40;
    if label.chars().nth(LONGEST).is_some() {
        quoted(label)
    } else if label.trim().is_empty() || label.contains([',', '=']) {
        format!("{label:?}")
    } else {
        label.to_owned()
    }
}

/// The count all inputs have.
fn agreed(inputs: &[InputShape], counts: &[usize]) -> Result<usize, Error> {
    let Some(&first) = counts.first() else { return Ok(0) };
    if let Some(odd) = counts.iter().position(|&count| count != first) {
        let (one, other) = (&inputs[0], &inputs[odd]);
        let text = format!("input `{one}` has {first} examples, but `{other}` has {}", counts[odd]);
        return Err(Error::data(
            Diagnostic::error(text).hint("every input needs one entry for each example"),
        ));
    }
    if first == 0 {
        return Err(Error::data(Diagnostic::error("there are no examples")));
    }
    Ok(first)
}

fn drop_missing(examples: &mut Examples, echo: &mut Vec<String>) -> Result<(), Error> {
    let all = examples.count;
    let dropped = examples.drop_missing();
    if dropped == all {
        let text = format!("{}: every row lacks a value", examples.source);
        return Err(Error::data(Diagnostic::error(text).hint("`missing = mean` keeps them")));
    }
    if dropped > 0 {
        echo.push(format!("{dropped} of {all} rows lack a value and are left out"));
    }
    Ok(())
}

/// The mean of each entry over the training rows that have it.
fn means(input: &InputShape, values: &[f64], rows: &[u32], encoded: &Encoded) -> Result<Vec<f64>, Error> {
    let size = input.size();
    let mean = |j: usize| {
        let present = rows.iter().map(|&row| values[row as usize * size + j]).filter(|x| !x.is_nan());
        let (sum, count) = present.fold((0.0, 0usize), |(sum, count), x| (sum + x, count + 1));
        let lacking = (0..values.len() / size.max(1)).any(|row| values[row * size + j].is_nan());
        let column = encoded.columns.get(j).map_or_else(|| j.to_string(), |name| format!("`{name}`"));
        let fault = |why: &str| {
            let text = format!("column {column} lacks values for input `{input}`, and {why}");
            Err(Error::data(Diagnostic::error(text).hint("`missing = drop` leaves such rows out")))
        };
        match (lacking, count) {
            (true, _) if encoded.labels.is_some() => fault("labels have no mean"),
            (true, 0) => fault("no row to train on has one"),
            (_, 0) => Ok(0.0),
            _ => Ok(sum / count as f64),
        }
    };
    (0..size).map(mean).collect()
}

fn fill(values: &mut [f64], fill: Option<&[f64]>, input: &InputShape, echo: &mut Vec<String>) {
    let Some(fill) = fill.filter(|fill| !fill.is_empty() && fill.len() == input.size()) else { return };
    let mut filled = 0usize;
    for (at, value) in values.iter_mut().enumerate() {
        if value.is_nan() {
            *value = fill[at % fill.len()];
            filled += 1;
        }
    }
    if filled > 0 {
        let values = if filled == 1 { "value is" } else { "values are" };
        echo.push(format!("{filled} missing {values} the mean of the column, for `{input}`"));
    }
}

fn tell_constant(input: &InputShape, encoded: &Encoded, constant: &[usize], echo: &mut Vec<String>) {
    if constant.is_empty() {
        return;
    }
    let name = |&j: &usize| encoded.columns.get(j).cloned().unwrap_or_else(|| j.to_string());
    let names: Vec<String> = constant.iter().map(name).collect();
    let (are, columns) = if names.len() == 1 { ("is", "column") } else { ("are", "columns") };
    echo.push(format!("{columns} {} of `{input}` never varies and {are} not scaled", some(&names)));
}
