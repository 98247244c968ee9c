//! What a function over columns is compiled for, and which of its inputs are columns.
//!
//! What must stay true: an input is named as the function names it; all numbers of an array input
//! are columns, or none.

use crate::error::{Diagnostic, Error};
use crate::ir::{Function, Precision, Symbol};
use crate::jit::wide::{Level, Stream};

/// What a run gives of its rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Results {
    /// A number for each row: a column an output.
    #[default]
    Columns,
    /// The sum over all rows: a number an output. The order of its additions is fixed, so it
    /// depends on neither level nor threads.
    Sums,
}

/// How a function over columns is compiled and run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapOptions {
    /// What columns hold, and what is computed in.
    pub precision: Precision,
    /// The most bits a vector may have.
    pub level: Level,
    /// The most threads a run may use, the caller's included; 0 and 1 are the same.
    pub threads: usize,
    /// Inputs that are the same in all rows: each of their numbers is given once, as a slice of one.
    pub uniform: Vec<String>,
    /// What a run gives of its rows.
    pub results: Results,
}

impl Default for MapOptions {
    fn default() -> MapOptions {
        MapOptions {
            precision: Precision::F64,
            level: Level::best(),
            threads: 1,
            uniform: Vec::new(),
            results: Results::Columns,
        }
    }
}

impl MapOptions {
    /// What the function's inputs are, one of each input.
    ///
    /// # Errors
    /// Where a uniform input is none of the function's.
    pub(super) fn streams(&self, function: &Function) -> Result<Vec<Stream>, Error> {
        let name = |&symbol: &Symbol| function.graph().symbol_name(symbol);
        for wanted in &self.uniform {
            if !function.inputs().iter().any(|symbol| name(symbol) == wanted) {
                let names: Vec<&str> = function.inputs().iter().map(name).collect();
                let hint = match names.is_empty() {
                    true => "the function has no inputs".to_owned(),
                    false => format!("its inputs are {}", names.join(", ")),
                };
                let message = format!("`{wanted}` is no input of the function");
                return Err(Error::input(Diagnostic::error(message).hint(hint)));
            }
        }
        let stream = |symbol| match self.uniform.iter().any(|wanted| wanted == name(symbol)) {
            true => Stream::Uniform,
            false => Stream::Column,
        };
        Ok(function.inputs().iter().map(stream).collect())
    }
}
