//! From what inputs take to their numbers, example by example.
//!
//! What must stay true: `inputs[i]` has `count × size` numbers, row-major; a missing value is a
//! NaN until it is dropped or filled, and no NaN or infinity leaves preparation.

use super::arrays::Array;
use super::bind::{InputShape, Missing, Taken};
use super::cell::quoted;
use super::labels::{Labels, not_a_number};
use super::table::{Column, Table};
use crate::error::{Diagnostic, Error};

/// Examples: for each input of a program its numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Examples {
    /// How many examples there are.
    pub count: usize,
    /// For each input, `count × size` numbers, row-major.
    pub inputs: Vec<Vec<f64>>,
    /// For each example its row in the data, counted from 0.
    pub rows: Vec<u32>,
    pub(super) source: String,
    /// For each example its line in the file; empty where there are no lines.
    pub(super) lines: Vec<u32>,
}

impl Examples {
    /// "wine.csv, line 12": where an example comes from.
    pub fn place(&self, example: usize) -> String {
        match (self.lines.get(example), self.rows.get(example)) {
            (Some(line), _) => format!("{}, line {line}", self.source),
            (None, Some(row)) if !self.source.is_empty() => format!("{}, row {row}", self.source),
            (None, row) => format!("example {}", row.map_or(example, |&row| row as usize)),
        }
    }

    /// Leaves out the examples that lack a value; how many those are.
    pub(super) fn drop_missing(&mut self) -> usize {
        let count = self.count;
        let sizes: Vec<usize> = self.inputs.iter().map(|values| values.len() / count.max(1)).collect();
        let whole = |i: usize| {
            let row = |(values, &size): (&Vec<f64>, &usize)| {
                values[i * size..(i + 1) * size].iter().all(|x| !x.is_nan())
            };
            self.inputs.iter().zip(&sizes).all(row)
        };
        let kept: Vec<usize> = (0..count).filter(|&i| whole(i)).collect();
        for (values, &size) in self.inputs.iter_mut().zip(&sizes) {
            for (to, &from) in kept.iter().enumerate() {
                values.copy_within(from * size..(from + 1) * size, to * size);
            }
            values.truncate(kept.len() * size);
        }
        self.rows = kept.iter().map(|&i| self.rows[i]).collect();
        if !self.lines.is_empty() {
            self.lines = kept.iter().map(|&i| self.lines[i]).collect();
        }
        self.count = kept.len();
        count - kept.len()
    }
}

/// An input's numbers, and the labels they were read with.
pub(super) struct Extracted {
    pub values: Vec<f64>,
    pub labels: Option<Labels>,
}

/// The numbers of an input; missing ones are NaN where they are not to be refused.
pub(super) fn extract(
    input: &InputShape,
    taken: &Taken,
    known: Option<&Labels>,
    missing: Missing,
) -> Result<Extracted, Error> {
    match taken {
        Taken::Columns(table, columns) => from_table(input, table, columns, known, missing),
        Taken::Array(array) => from_array(input, array, missing),
        Taken::Rows(values) => from_rows(input, values),
        Taken::Windows(windows) => windows.extract(input, known),
    }
}

fn from_table(
    input: &InputShape,
    table: &Table,
    columns: &[usize],
    known: Option<&Labels>,
    missing: Missing,
) -> Result<Extracted, Error> {
    let size = columns.len();
    let mut values = vec![0.0; size * table.rows()];
    let mut labels = known.cloned();
    for (j, &column) in columns.iter().enumerate() {
        let classes;
        let cells = match &table.columns()[column] {
            Column::Numbers(numbers) => match known {
                Some(labels) => return Err(unseen_number(labels, table, column, numbers)),
                None => numbers,
            },
            Column::Texts(texts) if input.extents.is_empty() => {
                let found = match labels.take() {
                    Some(known) => known,
                    None => Labels::of(table, column, texts)?,
                };
                classes = found.classes(table, column, texts)?;
                labels = Some(found);
                &classes
            }
            Column::Texts(texts) => return Err(not_a_number(table, column, texts)),
        };
        for (row, &cell) in cells.iter().enumerate() {
            if !cell.is_finite() {
                admit(table, row, column, cell, missing)?;
            }
            values[row * size + j] = cell;
        }
    }
    Ok(Extracted { values, labels })
}

/// Whether a cell that is no finite number may stand for now.
fn admit(table: &Table, row: usize, column: usize, cell: f64, missing: Missing) -> Result<(), Error> {
    let place = table.cell_place(row, column);
    if cell.is_infinite() {
        let text = format!("{place}: the value is infinite");
        return Err(Error::data(
            Diagnostic::error(text).hint("write a number below 1.8e308, or leave the cell empty"),
        ));
    }
    if missing != Missing::Refuse {
        return Ok(());
    }
    let text = match &table.columns()[column] {
        Column::Texts(texts) => texts.get(row),
        Column::Numbers(_) => table.first_missing[column].as_deref().unwrap_or_default(),
    };
    let found = if text.is_empty() { String::new() } else { format!(" ({})", quoted(text)) };
    let hint = "`missing = drop` leaves such rows out, `missing = mean` puts the column's mean there";
    Err(Error::data(Diagnostic::error(format!("{place}: the value is missing{found}")).hint(hint)))
}

fn unseen_number(labels: &Labels, table: &Table, column: usize, numbers: &[f64]) -> Error {
    let number = numbers.first().map_or(String::new(), f64::to_string);
    labels.unseen(&table.cell_place(0, column), &number)
}

/// Arrays are `[examples, input's shape…]`, or with the input's shape flattened.
fn from_array(input: &InputShape, array: &Array, missing: Missing) -> Result<Extracted, Error> {
    let (name, shape) = (&array.name, &array.shape);
    let fits = match shape.split_first() {
        None => false,
        Some((_, rest)) => {
            *rest == input.extents || *rest == [input.size()] || (rest.is_empty() && input.size() == 1)
        }
    };
    if !fits {
        let mut expected = vec!["examples".to_owned()];
        expected.extend(input.extents.iter().map(usize::to_string));
        let expected = expected.join(", ");
        let text = format!("array `{name}` has shape {shape:?}, but input `{input}` takes [{expected}]");
        return Err(Error::data(Diagnostic::error(text)));
    }
    for (at, &value) in array.values.iter().enumerate() {
        if value.is_infinite() || (value.is_nan() && missing == Missing::Refuse) {
            let row = at / input.size().max(1);
            let text = format!("array `{name}`, row {row}: the value {value} is not a finite number");
            let hint =
                "`missing = drop` leaves out rows with NaN, `missing = mean` puts the column's mean there";
            return Err(Error::data(Diagnostic::error(text).hint(hint)));
        }
    }
    Ok(Extracted { values: array.values.clone(), labels: None })
}

fn from_rows(input: &InputShape, values: &[f64]) -> Result<Extracted, Error> {
    let size = input.size();
    if size == 0 || !values.len().is_multiple_of(size) {
        let text = format!("{} numbers for input `{input}`, which takes {size} an example", values.len());
        return Err(Error::data(Diagnostic::error(text)));
    }
    if let Some(at) = values.iter().position(|x| !x.is_finite()) {
        let text = format!("number {at} for input `{input}` is {}, not finite", values[at]);
        return Err(Error::data(Diagnostic::error(text)));
    }
    Ok(Extracted { values: values.to_vec(), labels: None })
}
