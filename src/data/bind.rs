//! Which columns, array or numbers each input takes.
//!
//! The order of rules: what was asked for (of new data, not by the program, which spoke of the
//! training table), the columns of the training table, the input's own name, and last the columns left over, in order, where they are exactly as many as the inputs
//! left over need. What must stay true: the last rule is echoed, and nothing else is guessed.

use std::fmt;

use super::arrays::{Array, Dataset};
use super::by_name::by_name;
use super::cell::quoted;
use super::encodings::Encodings;
use super::pick::{ColumnPick, pick};
use super::table::{Table, some};
use super::text::{Corpus, Windows};
use crate::error::{Diagnostic, Error, Span};
use crate::suggest::suggest;

/// An input of a program, for one example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputShape {
    /// Its name.
    pub name: String,
    /// Its shape; empty for a number.
    pub extents: Vec<usize>,
}

impl InputShape {
    /// The input `name[extents…]`.
    pub fn new(name: &str, extents: &[usize]) -> InputShape {
        InputShape { name: name.to_owned(), extents: extents.to_vec() }
    }

    /// How many numbers it takes.
    pub fn size(&self) -> usize {
        self.extents.iter().product()
    }
}

impl fmt::Display for InputShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        let extents: Vec<String> = self.extents.iter().map(usize::to_string).collect();
        if extents.is_empty() { Ok(()) } else { write!(f, "[{}]", extents.join(",")) }
    }
}

/// Where an input's numbers come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Columns of the table, as many as the input has entries; of array files the one named.
    Columns(Vec<ColumnPick>),
    /// These numbers, example by example.
    Rows(Vec<f64>),
}

/// One explicit binding.
#[derive(Clone, Debug, PartialEq)]
pub struct Wish {
    /// The input.
    pub input: String,
    /// What it takes.
    pub source: Source,
    /// Where the program says so.
    pub span: Option<Span>,
}

/// What to do with rows that lack a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Missing {
    /// Refuse them, by row and column.
    #[default]
    Refuse,
    /// Leave them out.
    Drop,
    /// Put the column's mean over the training rows there.
    Mean,
}

/// What is asked for of the data.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wishes {
    /// Explicit bindings, at most one an input.
    pub bindings: Vec<Wish>,
    /// Inputs to standardise, with where that was asked.
    pub standardize: Vec<(String, Option<Span>)>,
    /// What becomes of missing values.
    pub missing: Missing,
    /// Characters from one window of a text to the next; 1 unless given.
    pub stride: Option<usize>,
}

/// What an input takes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Taken<'a> {
    /// Columns of the table.
    Columns(&'a Table, Vec<usize>),
    Array(&'a Array),
    Rows(&'a [f64]),
    Windows(Windows<'a>),
}

/// Finds what each input takes.
pub(super) fn resolve<'a>(
    data: Option<&'a Dataset>,
    inputs: &[InputShape],
    wishes: &'a Wishes,
    known: Option<&Encodings>,
    echo: &mut Vec<String>,
) -> Result<Vec<Taken<'a>>, Error> {
    if let Some(Dataset::Text(corpus)) = data {
        return windows(corpus, inputs, wishes);
    }
    let mut taken: Vec<Option<Taken>> = Vec::with_capacity(inputs.len());
    for input in inputs {
        let wish = wishes.bindings.iter().find(|wish| wish.input == input.name);
        // What the program says of columns was said of the training table.
        if let (Some(Wish { span: Some(_), source: Source::Columns(_), .. }), Some(Dataset::Table(table))) =
            (wish, data)
            && let Some(columns) = as_trained(table, input, known)?
        {
            taken.push(Some(Taken::Columns(table, columns)));
            continue;
        }
        taken.push(match wish {
            Some(wish) => Some(wished(data, input, wish)?),
            None => match data {
                None | Some(Dataset::Text(_)) => None,
                Some(Dataset::Table(table)) => match as_trained(table, input, known)? {
                    Some(columns) => Some(Taken::Columns(table, columns)),
                    None => by_name(table, input)?.map(|columns| Taken::Columns(table, columns)),
                },
                Some(Dataset::Arrays(_, arrays)) => {
                    arrays.iter().find(|a| a.name == input.name).map(Taken::Array)
                }
            },
        });
    }
    if let Some(Dataset::Table(table)) = data {
        left_over(table, inputs, &mut taken, echo);
    }
    let all = inputs.iter().zip(taken).map(|(input, taken)| taken.ok_or_else(|| unbound(data, input)));
    all.collect()
}

/// The inputs of a text, which take the parts of its windows.
fn windows<'a>(corpus: &'a Corpus, inputs: &[InputShape], wishes: &Wishes) -> Result<Vec<Taken<'a>>, Error> {
    if let Some(wish) = wishes.bindings.first() {
        let text =
            format!("{} is a text: its windows fill the inputs, and nothing is to be picked", corpus.source);
        let diagnostic = Diagnostic::error(text);
        return Err(Error::data(match wish.span {
            Some(span) => diagnostic.at(span, "leave this out"),
            None => diagnostic.hint(format!("leave out what `{}` takes", wish.input)),
        }));
    }
    let windows = corpus.windows(inputs, wishes.stride.unwrap_or(1))?;
    Ok(windows.into_iter().map(Taken::Windows).collect())
}

/// What a binding of the program gives.
fn wished<'a>(data: Option<&'a Dataset>, input: &InputShape, wish: &'a Wish) -> Result<Taken<'a>, Error> {
    let at = |diagnostic: Diagnostic| match wish.span {
        Some(span) => Error::data(diagnostic.at(span, "")),
        None => Error::data(diagnostic),
    };
    match (&wish.source, data) {
        (Source::Rows(values), _) => Ok(Taken::Rows(values)),
        (Source::Columns(picks), Some(Dataset::Table(table))) => {
            let columns = pick(table, picks).map_err(at)?;
            let (found, needed) = (columns.len(), input.size());
            if found == needed {
                return Ok(Taken::Columns(table, columns));
            }
            let plural = if found == 1 { "column is" } else { "columns are" };
            let text = format!("input `{input}` takes {needed}, but {found} {plural} picked");
            let names: Vec<String> = columns.iter().map(|&c| table.names()[c].clone()).collect();
            Err(at(Diagnostic::error(text).hint(format!("picked: {}", some(&names)))))
        }
        (Source::Columns(picks), Some(Dataset::Arrays(source, arrays))) => {
            let [ColumnPick::Name(name)] = picks.as_slice() else {
                let text = format!("{source} holds arrays: name one of them for input `{input}`");
                return Err(at(Diagnostic::error(text)));
            };
            let found = arrays.iter().find(|array| array.name == *name);
            found.map(Taken::Array).ok_or_else(|| at(no_array(source, arrays, name)))
        }
        (Source::Columns(_), None | Some(Dataset::Text(_))) => {
            let text = format!("input `{input}` takes columns of a table, but there is no table");
            Err(at(Diagnostic::error(text).hint("name the file: `--data table.csv`")))
        }
    }
}

/// The columns of the training table: by name where both have names, else by place where both
/// are as wide; nothing where neither helps.
fn as_trained(
    table: &Table,
    input: &InputShape,
    known: Option<&Encodings>,
) -> Result<Option<Vec<usize>>, Error> {
    let Some((known, encoded)) = known.and_then(|k| Some((k, k.get(&input.name)?))) else { return Ok(None) };
    let (size, positions) = (input.size(), &encoded.positions);
    if encoded.columns.len() != size || positions.len() != size || positions.iter().any(|&c| c >= known.width)
    {
        return Ok(None);
    }
    if !(known.header && table.has_header()) {
        let same = known.width == table.columns().len();
        return Ok(same.then(|| positions.clone()));
    }
    let places: Vec<Option<usize>> = encoded.columns.iter().map(|name| table.index(name)).collect();
    if let Some(places) = places.iter().copied().collect() {
        return Ok(Some(places));
    }
    if places.iter().all(Option::is_none) {
        return Ok(None);
    }
    let missing = places.iter().position(Option::is_none).unwrap_or(0);
    let picks = [ColumnPick::Name(encoded.columns[missing].clone())];
    pick(table, &picks).map(Some).map_err(Error::data)
}

/// The columns nobody took, in order, where they are exactly as many as are needed.
fn left_over<'a>(
    table: &'a Table,
    inputs: &[InputShape],
    taken: &mut [Option<Taken<'a>>],
    echo: &mut Vec<String>,
) {
    let mut free = vec![true; table.columns().len()];
    for columns in taken.iter().flatten() {
        if let Taken::Columns(_, columns) = columns {
            columns.iter().for_each(|&c| free[c] = false);
        }
    }
    let free: Vec<usize> = (0..free.len()).filter(|&c| free[c]).collect();
    let sizes =
        inputs.iter().zip(taken.iter()).filter(|(_, taken)| taken.is_none()).map(|(input, _)| input.size());
    if free.is_empty() || sizes.sum::<usize>() != free.len() {
        return;
    }
    let mut rest = free.as_slice();
    for (input, taken) in inputs.iter().zip(taken).filter(|(_, taken)| taken.is_none()) {
        let (columns, after) = rest.split_at(input.size());
        rest = after;
        echo.push(match columns {
            [one] => format!(
                "`{input}` is column {} of {}, by its place",
                table.column_label(*one),
                table.source()
            ),
            [first, .., last] => format!(
                "`{input}` is columns {} to {} of {}, by their place",
                table.column_label(*first),
                table.column_label(*last),
                table.source()
            ),
            [] => continue,
        });
        *taken = Some(Taken::Columns(table, columns.to_vec()));
    }
}

fn no_array(source: &str, arrays: &[Array], name: &str) -> Diagnostic {
    let names: Vec<String> = arrays.iter().map(|array| array.name.clone()).collect();
    let text = format!("{source} has no array named {}", quoted(name));
    Diagnostic::error(text).hint(match suggest(name, names.iter().map(String::as_str)) {
        Some(near) => format!("is it {}?", quoted(near)),
        None => format!("its arrays are {}", some(&names)),
    })
}

fn unbound(data: Option<&Dataset>, input: &InputShape) -> Error {
    let name = &input.name;
    Error::data(match data {
        None | Some(Dataset::Text(_)) => {
            let text = format!("input `{input}` has no data");
            Diagnostic::error(text)
                .hint("name a table: `--data table.csv`, or `data { file = \"table.csv\" }`")
        }
        Some(Dataset::Arrays(source, arrays)) => no_array(source, arrays, name),
        Some(Dataset::Table(table)) => {
            let width = table.columns().len();
            let text = format!("{} has no column for input `{input}`", table.source());
            let near = suggest(name, table.names().iter().map(String::as_str)).filter(|_| table.has_header());
            Diagnostic::error(text).hint(match near {
                Some(near) => format!("is it {}? then say `data {{ {name} = {near} }}`", quoted(near)),
                None if table.has_header() => {
                    format!("say which: `data {{ {name} = … }}`; the columns are {}", table.some_names())
                }
                None => format!("it has {width} columns without names; say which: `data {{ {name} = … }}`"),
            })
        }
    })
}
