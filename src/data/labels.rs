//! Texts as classes: 0, 1, 2, … in the order of their bytes.

use super::cell::{Cell, quoted, read_cell};
use super::table::{Table, Texts, some};
use crate::error::{Diagnostic, Error};
use crate::suggest::suggest;

/// Most classes a text column may have; beyond, it is no label but free text.
const CLASSES: usize = 10_000;

/// The texts of a class label, sorted: a text's place is its class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels(Vec<String>);

impl Labels {
    /// The labels of these texts, sorted and each once.
    ///
    /// ```
    /// use symdiff::data::Labels;
    /// let labels = Labels::new(["setosa", "virginica", "setosa"].map(String::from).to_vec());
    /// assert_eq!(labels.class("virginica"), Some(1));
    /// assert_eq!(labels.text(0), Some("setosa"));
    /// ```
    pub fn new(mut texts: Vec<String>) -> Labels {
        texts.sort_unstable();
        texts.dedup();
        Labels(texts)
    }

    /// The class of a text.
    pub fn class(&self, text: &str) -> Option<usize> {
        self.0.binary_search_by(|label| label.as_str().cmp(text)).ok()
    }

    /// The text of a class.
    pub fn text(&self, class: usize) -> Option<&str> {
        self.0.get(class).map(String::as_str)
    }

    /// The texts, in order of their classes.
    pub fn texts(&self) -> &[String] {
        &self.0
    }

    /// The labels of a whole column of text; an error where some of its cells are numbers.
    pub(super) fn of(table: &Table, column: usize, texts: &Texts) -> Result<Labels, Error> {
        let mut labels = std::collections::BTreeSet::new();
        let mut number = None;
        for row in 0..texts.len() {
            match read_cell(texts.get(row)) {
                Cell::Missing => {}
                Cell::Number(_) => number = number.or(Some(row)),
                Cell::Text => {
                    labels.insert(texts.get(row));
                }
            }
            if labels.len() > CLASSES {
                let text = format!("{}: more than {CLASSES} different labels", table.cell_place(row, column));
                return Err(Error::data(Diagnostic::error(text).hint("is this the right column?")));
            }
        }
        match number {
            Some(_) => Err(not_a_number(table, column, texts)),
            None => Ok(Labels(labels.into_iter().map(str::to_owned).collect())),
        }
    }

    /// The classes of a column, NaN where missing; a text that has no class is an error.
    pub(super) fn classes(&self, table: &Table, column: usize, texts: &Texts) -> Result<Vec<f64>, Error> {
        let class = |row: usize| {
            let text = texts.get(row);
            match self.class(text) {
                Some(class) => Ok(class as f64),
                None if read_cell(text) == Cell::Missing => Ok(f64::NAN),
                None => Err(self.unseen(&table.cell_place(row, column), text)),
            }
        };
        (0..texts.len()).map(class).collect()
    }

    pub(super) fn unseen(&self, place: &str, text: &str) -> Error {
        let message = format!("{place}: label {} was not in the training data", quoted(text));
        let hint = match suggest(text, self.0.iter().map(String::as_str)) {
            Some(near) => format!("is it {}?", quoted(near)),
            None => format!("the labels are {}", some(&self.0)),
        };
        Error::data(Diagnostic::error(message).hint(hint))
    }
}

/// The error of a column that should be numbers: its first text.
pub(super) fn not_a_number(table: &Table, column: usize, texts: &Texts) -> Error {
    let is_text = |&row: &usize| read_cell(texts.get(row)) == Cell::Text;
    let row = (0..texts.len()).find(is_text).unwrap_or(0);
    let text = texts.get(row);
    let message = format!("{}: {} is not a number", table.cell_place(row, column), quoted(text));
    let header = !table.has_header() && row == 0;
    let blanks = table.columns().len() == 1 && text.split_whitespace().nth(1).is_some();
    let hint = match super::cell::number_hint(text) {
        _ if blanks => "cells are separated by commas, semicolons or tabs, not by blanks",
        Some(hint) => hint,
        None if header => "if this line names the columns, say `header = true`",
        None => "mend the cell, or leave the column out",
    };
    Error::data(Diagnostic::error(message).hint(hint))
}
