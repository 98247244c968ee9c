//! Which arguments are programs or weights, and reading them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::cli::arguments::Source;
use crate::cli::console::{Console, Exit, Fault, Origin};
use crate::cli::source::file_bytes;
use crate::elaborate::program::{Model, Phase, read_program, with_values};
use crate::weights::{Saved, load};
use crate::{Diagnostic, Error, Limits};

/// The extension of programs.
const PROGRAM: &str = "sd";
/// The extension of weights.
pub const WEIGHTS: &str = "safetensors";

/// The program a source names, if it does: a file that ends in `.sd`.
pub fn is_program(source: &Source) -> Option<PathBuf> {
    named(source, PROGRAM)
}

/// The weights a source names, if it does.
pub fn is_weights(source: &Source) -> Option<PathBuf> {
    named(source, WEIGHTS)
}

fn named(source: &Source, extension: &str) -> Option<PathBuf> {
    let path = source.file.clone().or_else(|| source.expression.as_ref().map(PathBuf::from))?;
    (path.extension() == Some(OsStr::new(extension))).then_some(path)
}

/// A program's text, and how faults point into it.
pub struct ProgramText {
    pub source: String,
    origin: Origin,
}

impl ProgramText {
    pub fn read(path: &Path, limits: &Limits) -> Result<ProgramText, Fault> {
        let name = path.to_string_lossy().into_owned();
        let bytes = file_bytes(path, limits.source_bytes)?;
        let source = String::from_utf8(bytes).map_err(|error| {
            let text = format!("`{name}` is no text: byte {} is not UTF-8", error.utf8_error().valid_up_to());
            Fault::plain(Exit::Data, Diagnostic::error(text))
        })?;
        Ok(ProgramText { source, origin: Origin { name, line: 1 } })
    }

    /// The program with other values: `name=value` each.
    pub fn with(self, values: &[String], limits: &Limits) -> Result<ProgramText, Fault> {
        let pair = |text: &'_ String| match text.split_once('=') {
            Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
            None => Err(Fault::usage(
                format!("--set needs `name=value`, and `{text}` has no `=`"),
                "for example: --set rate=0.5",
            )),
        };
        let pairs = values.iter().map(pair).collect::<Result<Vec<_>, Fault>>()?;
        let named: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let source = with_values(&self.source, &named, limits).map_err(|error| self.fault(&error))?;
        Ok(ProgramText { source, ..self })
    }

    /// The program in a weights file.
    pub fn within(path: &Path, source: &str) -> ProgramText {
        let name = format!("the program in {}", path.display());
        ProgramText { source: source.to_owned(), origin: Origin { name, line: 1 } }
    }

    /// The model; what is to be said of it goes to stderr.
    pub fn model(&self, phase: Phase, limits: &Limits, console: &mut Console) -> Result<Model, Fault> {
        let model = read_program(&self.source, phase, limits).map_err(|error| self.fault(&error))?;
        for note in &model.notes {
            console.show(note, &self.source, &self.origin)?;
        }
        Ok(model)
    }

    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// An error of the library about this program.
    pub fn fault(&self, error: &Error) -> Fault {
        Fault::of(error, &self.source, self.origin.clone())
    }
}

/// The weights in a file.
pub fn weights(path: &Path, limits: &Limits) -> Result<Saved, Fault> {
    load(path, limits).map_err(|error| Fault::from_error(&error))
}
