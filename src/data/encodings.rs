//! How data became numbers, kept with the weights so that new data is treated alike.
//!
//! What must stay true: the JSON reads back to equal encodings, bit for bit, and the same
//! encodings give the same bytes.

use serde_json::{Map, Value, json};

use super::labels::Labels;
use super::scaling::Scaling;
use crate::error::{Diagnostic, Error};

/// The encoding of one input.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Encoded {
    /// The input's name.
    pub input: String,
    /// The names of the columns it took; none for arrays and numbers of the program.
    pub columns: Vec<String>,
    /// Their places.
    pub positions: Vec<usize>,
    /// The labels of a text column.
    pub labels: Option<Labels>,
    /// The number for a missing value of each entry.
    pub fill: Option<Vec<f64>>,
    /// The standardisation.
    pub scaling: Option<Scaling>,
}

/// The encodings of a program's inputs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Encodings {
    /// One an input, in the program's order.
    pub inputs: Vec<Encoded>,
    /// Whether the training table named its columns.
    pub header: bool,
    /// How many columns the training table had.
    pub width: usize,
}

impl Encodings {
    /// The encoding of the input of this name.
    pub fn get(&self, input: &str) -> Option<&Encoded> {
        self.inputs.iter().find(|encoded| encoded.input == input)
    }

    /// The encodings as JSON, for a file.
    ///
    /// ```
    /// use symdiff::data::Encodings;
    /// let encodings = Encodings { header: true, width: 5, ..Encodings::default() };
    /// assert_eq!(Encodings::from_json(&encodings.to_json())?, encodings);
    /// # Ok::<(), symdiff::Error>(())
    /// ```
    pub fn to_json(&self) -> String {
        let inputs: Vec<Value> = self.inputs.iter().map(Encoded::to_value).collect();
        json!({ "inputs": inputs, "header": self.header, "width": self.width }).to_string()
    }

    /// Reads what [`to_json`](Encodings::to_json) wrote.
    pub fn from_json(text: &str) -> Result<Encodings, Error> {
        let read = || {
            let value: Value = serde_json::from_str(text).ok()?;
            let inputs =
                value["inputs"].as_array()?.iter().map(Encoded::from_value).collect::<Option<_>>()?;
            Some(Encodings { inputs, header: value["header"].as_bool()?, width: usize_of(&value["width"])? })
        };
        read().ok_or_else(|| {
            let text = "the saved description of the data is damaged";
            Error::data(Diagnostic::error(text).hint("train again, or take another weights file"))
        })
    }
}

impl Encoded {
    fn to_value(&self) -> Value {
        let mut value = Map::new();
        value.insert("input".into(), json!(self.input));
        value.insert("columns".into(), json!(self.columns));
        value.insert("positions".into(), json!(self.positions));
        if let Some(labels) = &self.labels {
            value.insert("labels".into(), json!(labels.texts()));
        }
        if let Some(fill) = &self.fill {
            value.insert("fill".into(), json!(fill));
        }
        if let Some(Scaling { mean, std }) = &self.scaling {
            value.insert("scaling".into(), json!({ "mean": mean, "std": std }));
        }
        Value::Object(value)
    }

    fn from_value(value: &Value) -> Option<Encoded> {
        let optional = |key: &str| value.get(key);
        let labels = match optional("labels") {
            Some(labels) => Some(Labels::new(list(labels, |v| v.as_str().map(str::to_owned))?)),
            None => None,
        };
        let fill = match optional("fill") {
            Some(fill) => Some(list(fill, Value::as_f64)?),
            None => None,
        };
        let scaling = match optional("scaling") {
            Some(scaling) => Some(scaling_of(scaling)?),
            None => None,
        };
        Some(Encoded {
            input: value["input"].as_str()?.to_owned(),
            columns: list(&value["columns"], |v| v.as_str().map(str::to_owned))?,
            positions: list(&value["positions"], usize_of)?,
            labels,
            fill,
            scaling,
        })
    }
}

fn scaling_of(value: &Value) -> Option<Scaling> {
    let scaling =
        Scaling { mean: list(&value["mean"], Value::as_f64)?, std: list(&value["std"], Value::as_f64)? };
    let sound = scaling.mean.len() == scaling.std.len() && scaling.std.iter().all(|&s| s > 0.0);
    sound.then_some(scaling)
}

fn usize_of(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|n| usize::try_from(n).ok())
}

fn list<T>(value: &Value, read: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    value.as_array()?.iter().map(read).collect()
}
