//! Doubles as results: shortest digits that read back, vectors in brackets, JSON with null for
//! what is not finite.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::print::number;

/// `[1, 2]`.
pub fn vector(values: &[f64]) -> String {
    bracketed(values.iter().map(|&value| number(value)))
}

/// `[[1, 2], [3, 4]]` from rows one after another.
pub fn matrix(values: &[f64], columns: usize) -> String {
    bracketed(values.chunks(columns.max(1)).map(vector))
}

fn bracketed(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

/// A number in JSON: whole ones without a point, null where it is not finite.
#[derive(Clone, Copy, Debug)]
pub struct Json(pub f64);

/// Whole numbers below this are written without an exponent.
const WHOLE: f64 = 1e16;

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = self.0;
        let negative_zero = value == 0.0 && value.is_sign_negative();
        match value {
            _ if !value.is_finite() => serializer.serialize_none(),
            _ if value.trunc() == value && value.abs() < WHOLE && !negative_zero => {
                serializer.serialize_i64(value as i64)
            }
            _ => serializer.serialize_f64(value),
        }
    }
}

/// Numbers in a JSON array.
#[derive(Clone, Copy, Debug)]
pub struct Array<'a>(pub &'a [f64]);

impl Serialize for Array<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|&value| Json(value)))
    }
}

/// Rows of numbers, one after another, in a JSON array of arrays.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a>(pub &'a [f64], pub usize);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.chunks(self.1.max(1)).map(Array))
    }
}

/// Named numbers in a JSON object, in order.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a>(pub &'a [String], pub &'a [f64]);

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, &value) in self.0.iter().zip(self.1) {
            map.serialize_entry(name, &Json(value))?;
        }
        map.end()
    }
}

/// One line of JSON.
pub fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("keys are strings and writing to memory cannot fail")
}

/// `x = 1, y = 2`, the first few.
pub fn point(names: &[String], values: &[f64]) -> String {
    /// Coordinates shown in a sentence.
    const SHOWN: usize = 6;
    let shown = names.iter().zip(values).take(SHOWN);
    let text: Vec<String> = shown.map(|(name, &value)| format!("{name} = {}", number(value))).collect();
    text.join(", ") + if names.len() > SHOWN { ", …" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_numbers_read_back_and_are_short() {
        let text = to_json(&Array(&[1.0, -0.0, 0.1, 1e300, 1e-7, f64::NAN, f64::INFINITY, -3.0, 1e16]));
        assert_eq!(text, "[1,-0.0,0.1,1e+300,1e-7,null,null,-3,1e+16]");
        assert_eq!(to_json(&Rows(&[1.0, 2.0, 3.0, 4.0], 2)), "[[1,2],[3,4]]");
    }

    #[test]
    fn matrices_are_rows_in_brackets() {
        assert_eq!(matrix(&[2.0, 3.0, 3.0, 2.5], 2), "[[2, 3], [3, 2.5]]");
        assert_eq!(vector(&[]), "[]");
    }
}
