//! Texts as data: each example is a window of consecutive characters, its numbers their classes.
//!
//! What must stay true: characters are classes in the order of their code points; parts of a text
//! that are set aside share no character with those trained on.

use std::path::Path;

use super::bind::InputShape;
use super::extract::Extracted;
use super::file::{display_name, read_file};
use super::labels::Labels;
use super::read::decode;
use super::split::{Split, check_fractions, part};
use crate::error::{Diagnostic, Error};
use crate::limits::Limits;

/// A text of which windows are the examples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corpus {
    pub(super) source: String,
    characters: Vec<char>,
    /// Numbers all windows together may have.
    most: usize,
}

/// The windows of a text, or the part of each that one input takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Windows<'a> {
    pub corpus: &'a Corpus,
    /// Characters of a whole window, and between the beginnings of two.
    pub length: usize,
    pub stride: usize,
    /// Where in the window the part begins.
    pub offset: usize,
}

/// Reads a text file in UTF-8; line ends are `\n`.
///
/// # Errors
/// `is_unreadable` for a file that cannot be opened, `is_data` for what is no text, `is_limit` for
/// its size.
pub fn read_text(path: &Path, limits: &Limits) -> Result<Corpus, Error> {
    let bytes = read_file(path, limits.table_bytes.min(limits.table_cells), "text")?;
    let source = display_name(path);
    Ok(Corpus { most: limits.table_cells, ..Corpus::new(&source, decode(&source, &bytes)?) })
}

impl Corpus {
    /// A text of one's own; `source` names it in messages.
    ///
    /// ```
    /// use symdiff::data::{Corpus, Dataset, InputShape, Portions, Wishes, prepare};
    /// let data = Dataset::Text(Corpus::new("mine", "abba"));
    /// let inputs = [InputShape::new("seen", &[2]), InputShape::new("next", &[])];
    /// let prepared = prepare(Some(&data), &inputs, &Wishes::default(), &Portions::default())?;
    /// assert_eq!(prepared.examples.inputs, [vec![0.0, 1.0, 1.0, 1.0], vec![1.0, 0.0]]); // ab→b, bb→a
    /// # Ok::<(), symdiff::Error>(())
    /// ```
    pub fn new(source: &str, text: &str) -> Corpus {
        let characters = text.replace("\r\n", "\n").chars().collect();
        Corpus { source: source.to_owned(), characters, most: Limits::default().table_cells }
    }

    /// The windows that fill all inputs, an entry a character; for each input its part.
    pub(super) fn windows(&self, inputs: &[InputShape], stride: usize) -> Result<Vec<Windows<'_>>, Error> {
        let length = inputs.iter().fold(0usize, |sum, input| sum.saturating_add(input.size()));
        if length == 0 || length > self.characters.len() {
            let (source, count) = (&self.source, self.characters.len());
            let text = format!("{source} has {count} characters, and the inputs take {length} an example");
            return Err(Error::data(
                Diagnostic::error(text).hint("declare shorter inputs, or take a longer text"),
            ));
        }
        let count = (self.characters.len() - length) / stride.max(1) + 1;
        if count.saturating_mul(length) > self.most {
            let text = format!("{}: {count} windows of {length} characters are too many", self.source);
            return Err(Error::limit(
                Diagnostic::error(text).hint("take a longer stride, or raise the limit"),
            ));
        }
        let mut offset = 0;
        let each = inputs.iter().map(|input| {
            let windows = Windows { corpus: self, length, stride, offset };
            offset += input.size();
            windows
        });
        Ok(each.collect())
    }
}

impl Windows<'_> {
    pub fn count(&self) -> usize {
        (self.corpus.characters.len() - self.length) / self.stride.max(1) + 1
    }

    /// Windows that overlap with one window, on one side of it.
    pub fn overlapping(&self) -> usize {
        self.length.div_ceil(self.stride.max(1)) - 1
    }

    /// The classes of an input's characters; of those of the training text, if that is known.
    pub fn extract(&self, input: &InputShape, known: Option<&Labels>) -> Result<Extracted, Error> {
        let Corpus { source, characters, .. } = self.corpus;
        let labels = match known {
            Some(labels) => labels.clone(),
            None => Labels::new(characters.iter().map(char::to_string).collect()),
        };
        let mut classes = Vec::with_capacity(characters.len());
        let mut buffer = [0; 4];
        for (at, character) in characters.iter().enumerate() {
            let text = character.encode_utf8(&mut buffer);
            let class = labels.class(text).ok_or_else(|| {
                let line = 1 + characters[..at].iter().filter(|c| **c == '\n').count();
                labels.unseen(&format!("{source}, line {line}"), text)
            })?;
            classes.push(class as f64);
        }
        let starts = (0..self.count()).map(|i| i * self.stride + self.offset);
        let values = starts.flat_map(|start| &classes[start..start + input.size()]).copied().collect();
        Ok(Extracted { values, labels: Some(labels) })
    }
}

/// Splits `count` windows in their order: first those trained on, then validation, then test;
/// between parts as many are left out as overlap.
pub(super) fn split_in_order(
    count: usize,
    overlapping: usize,
    validation: f64,
    test: f64,
) -> Result<Split, Error> {
    check_fractions(validation, test)?;
    let (test, validation) = (part(count, test), part(count, validation));
    let rows = |from: usize, to: usize| (from as u32..to.max(from) as u32).collect::<Vec<u32>>();
    let begin_test = count.saturating_sub(test);
    let end_validation = if test > 0 { begin_test.saturating_sub(overlapping) } else { begin_test };
    let begin_validation = begin_test.saturating_sub(validation);
    let end_train = match validation {
        0 => end_validation,
        _ => begin_validation.saturating_sub(overlapping),
    };
    let split = Split {
        train: rows(0, end_train),
        validation: if validation > 0 { rows(begin_validation, end_validation) } else { Vec::new() },
        test: rows(begin_test, count),
    };
    if split.train.is_empty() || (validation > 0 && split.validation.is_empty()) {
        let text =
            format!("of {count} windows, {validation} for validation and {test} for the test leave none");
        let hint = "set smaller fractions aside, or take a longer text";
        return Err(Error::data(Diagnostic::error(text).hint(hint)));
    }
    Ok(split)
}
