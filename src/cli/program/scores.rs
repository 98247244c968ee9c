//! Losses, metrics and confusion matrices, for people and as JSON.

use serde_json::{Map, Value, json};

use crate::cli::console::Console;
use crate::cli::numbers::Json;
use crate::print::number;
use crate::train::Score;

/// What rows and columns of a confusion matrix are called, by the metric's name.
pub type Names<'a> = &'a dyn Fn(&str) -> Option<&'a [String]>;

/// Prints a score, a line each number; `part` is put before them where there are several.
pub fn print(part: &str, score: &Score, names: Names<'_>, console: &mut Console) -> std::io::Result<()> {
    let prefix = if part.is_empty() { String::new() } else { format!("{part} ") };
    console.print(&format!("{prefix}loss = {}", number(score.loss)))?;
    for (name, value) in &score.metrics {
        console.print(&format!("{prefix}{name} = {}", number(*value)))?;
    }
    for (name, confusion) in &score.confusions {
        console.print(&format!("{prefix}{name}: a row a true class, a column a class said"))?;
        for line in table(&confusion.counts, names(name)) {
            console.print(&line)?;
        }
    }
    Ok(())
}

/// The matrix with the classes before its rows and above its columns, right-aligned.
fn table(counts: &[Vec<u64>], names: Option<&[String]>) -> Vec<String> {
    let name = |class: usize| match names.and_then(|names| names.get(class)) {
        Some(name) => name.clone(),
        None => class.to_string(),
    };
    let classes: Vec<String> = (0..counts.len()).map(name).collect();
    let head = std::iter::once(String::new()).chain(classes.iter().cloned()).collect();
    let rows = classes.iter().zip(counts);
    let rows = rows
        .map(|(class, row)| std::iter::once(class.clone()).chain(row.iter().map(u64::to_string)).collect());
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..=counts.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:>width$}"));
        format!("  {}", cells.collect::<Vec<_>>().join("  "))
    };
    rows.iter().map(line).collect()
}

/// A score as an object; a number that is not finite is `null`.
pub fn object(score: &Score) -> Value {
    let mut object = Map::new();
    object.insert("loss".to_owned(), value(score.loss));
    object.extend(score.metrics.iter().map(|(name, of)| (name.clone(), value(*of))));
    object.extend(score.confusions.iter().map(|(name, of)| (name.clone(), json!(of.counts))));
    Value::Object(object)
}

fn value(value: f64) -> Value {
    serde_json::to_value(Json(value)).unwrap_or(Value::Null)
}
