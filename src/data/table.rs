//! Tables: named columns of numbers or texts, and where each row stood in its file.
//!
//! What must stay true: every column has as many cells as the table has rows; a missing number
//! is NaN, a missing text is a text that reads as missing; names are unique.

use super::cell::quoted;
use crate::error::{Diagnostic, Error};

/// A table in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub(super) source: String,
    pub(super) names: Vec<String>,
    pub(super) columns: Vec<Column>,
    pub(super) rows: usize,
    /// The line of each row; empty where the source has no lines.
    pub(super) lines: Vec<u32>,
    pub(super) header: bool,
    /// For each column the first missing cell as it was written, for messages.
    pub(super) first_missing: Vec<Option<String>>,
}

/// A column of a [`Table`].
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Every cell is a number or missing; missing ones are NaN.
    Numbers(Vec<f64>),
    /// Some cell is neither.
    Texts(Texts),
}

/// Many short texts in one piece of memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Texts {
    text: String,
    ends: Vec<usize>,
}

impl Texts {
    /// One more text.
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }

    /// The text of a row.
    pub fn get(&self, row: usize) -> &str {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.text[start..self.ends[row]]
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

impl<'a> FromIterator<&'a str> for Texts {
    fn from_iter<I: IntoIterator<Item = &'a str>>(texts: I) -> Texts {
        let mut all = Texts::default();
        texts.into_iter().for_each(|text| all.push(text));
        all
    }
}

impl Column {
    /// How many cells there are.
    pub fn len(&self) -> usize {
        match self {
            Column::Numbers(values) => values.len(),
            Column::Texts(texts) => texts.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Table {
    /// A table of one's own columns; `source` names it in messages.
    ///
    /// Fails with `is_input` where columns differ in length or a name comes twice.
    ///
    /// ```
    /// use symdiff::data::{Column, Table};
    /// let table = Table::new("mine", vec![("x".into(), Column::Numbers(vec![1.0, 2.0]))])?;
    /// assert_eq!(table.rows(), 2);
    /// # Ok::<(), symdiff::Error>(())
    /// ```
    pub fn new(source: &str, columns: Vec<(String, Column)>) -> Result<Table, Error> {
        let rows = columns.first().map_or(0, |(_, column)| column.len());
        let (names, columns): (Vec<String>, Vec<Column>) = columns.into_iter().unzip();
        if let Some(odd) = columns.iter().position(|column| column.len() != rows) {
            let (name, length) = (&names[odd], columns[odd].len());
            let text = format!("{source}: column {name:?} has {length} rows, the first has {rows}");
            return Err(Error::input(Diagnostic::error(text)));
        }
        if let Some((first, second)) = repeated(&names) {
            let text = format!("{source}: columns {first} and {second} are both named {:?}", names[first]);
            return Err(Error::input(Diagnostic::error(text)));
        }
        let first_missing = vec![None; columns.len()];
        Ok(Table {
            source: source.to_owned(),
            names,
            columns,
            rows,
            lines: Vec::new(),
            header: true,
            first_missing,
        })
    }

    /// A table without names, of numbers row by row.
    pub(super) fn from_rows(source: &str, width: usize, values: &[f64]) -> Table {
        let rows = values.len().checked_div(width).unwrap_or(0);
        let column =
            |i: usize| Column::Numbers(values.iter().skip(i).step_by(width.max(1)).copied().collect());
        Table {
            source: source.to_owned(),
            names: (0..width).map(|i| i.to_string()).collect(),
            columns: (0..width).map(column).collect(),
            rows,
            lines: Vec::new(),
            header: false,
            first_missing: vec![None; width],
        }
    }

    /// How many rows there are, the header not counted.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The columns' names, in order; their numbers from 0 where there is no header.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The columns, in order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Whether the first line of the file names the columns.
    pub fn has_header(&self) -> bool {
        self.header
    }

    /// The file's name.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.index(name).map(|i| &self.columns[i])
    }

    pub(super) fn index(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|n| n == name)
    }

    /// "wine.csv, line 12": where a row stands.
    pub fn place(&self, row: usize) -> String {
        match self.lines.get(row) {
            Some(line) => format!("{}, line {line}", self.source),
            None => format!("{}, row {row}", self.source),
        }
    }

    /// `wine.csv, line 12, column "ash"`: where a cell stands.
    pub fn cell_place(&self, row: usize, column: usize) -> String {
        format!("{}, column {}", self.place(row), self.column_label(column))
    }

    /// A column as messages name it.
    pub(super) fn column_label(&self, column: usize) -> String {
        if self.header { quoted(&self.names[column]) } else { format!("{column} (counted from 0)") }
    }

    /// The first columns' names, for "there are …".
    pub(super) fn some_names(&self) -> String {
        some(&self.names)
    }
}

/// The names, or the first of them where they are many.
pub(super) fn some(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let mut shown = names.iter().take(SHOWN).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        shown.push_str(&format!(", … ({} in all)", names.len()));
    }
    shown
}

/// Two places of one name, the first such name by its second place.
pub(super) fn repeated(names: &[String]) -> Option<(usize, usize)> {
    let mut seen = std::collections::BTreeMap::new();
    for (i, name) in names.iter().enumerate() {
        if let Some(&first) = seen.get(name.as_str()) {
            return Some((first, i));
        }
        seen.insert(name.as_str(), i);
    }
    None
}
