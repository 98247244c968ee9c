//! Tables for programs: which file, and which columns go where.

use std::path::{Path, PathBuf};

use crate::cli::arguments::DataArguments;
use crate::cli::console::Fault;
use crate::data::{ColumnPick, Dataset, TableOptions, Wish, Wishes, read_dataset, read_text};
use crate::elaborate::program::Model;
use crate::train::wishes_of;
use crate::{Limits, data::Source};

/// The data a command names, or else the program; none where neither does.
pub fn dataset(
    arguments: &DataArguments,
    model: &Model,
    program: &Path,
    limits: &Limits,
) -> Result<Option<Dataset>, Fault> {
    let named = model.data.text.as_ref().or(model.data.file.as_ref());
    let path = match (&arguments.data, named) {
        (Some(path), _) => path.clone(),
        // A path in a program is relative to the program.
        (None, Some((name, _))) => program.parent().unwrap_or(Path::new("")).join(PathBuf::from(name)),
        (None, None) => return Ok(None),
    };
    if model.data.text.is_some() {
        let text = read_text(&path, limits).map(Dataset::Text);
        return text.map(Some).map_err(|error| Fault::from_error(&error));
    }
    dataset_at(&path, arguments, model.data.header, limits).map(Some)
}

/// The data in a file; whether it has a header is as the command says, or else as `header` does.
pub fn dataset_at(
    path: &Path,
    arguments: &DataArguments,
    header: Option<bool>,
    limits: &Limits,
) -> Result<Dataset, Fault> {
    let header = match (arguments.header, arguments.no_header) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => header,
    };
    let options = TableOptions { header, limits: limits.clone(), ..TableOptions::default() };
    read_dataset(path, &options).map_err(|error| Fault::from_error(&error))
}

/// What the program and the command line say about columns; the command line wins, and a table it
/// names stands in for examples in the program.
pub fn wishes(arguments: &DataArguments, model: &Model) -> Result<Wishes, Fault> {
    let mut wishes = wishes_of(model);
    if arguments.data.is_some() {
        wishes.bindings.retain(|wish| matches!(wish.source, Source::Columns(_)));
    }
    for text in &arguments.columns {
        let wish = wish(text)?;
        wishes.bindings.retain(|other| other.input != wish.input);
        wishes.bindings.push(wish);
    }
    Ok(wishes)
}

/// `input=columns` of the command line.
pub fn wish(text: &str) -> Result<Wish, Fault> {
    let (input, picks) = text.split_once('=').ok_or_else(|| {
        Fault::usage(
            format!("--columns needs `input=columns`, and `{text}` has no `=`"),
            "for example: --columns x=pixel_*,brightness --columns y=label",
        )
    })?;
    let source = Source::Columns(picks.split(',').map(|pick| column_pick(pick.trim())).collect());
    Ok(Wish { input: input.trim().to_owned(), source, span: None })
}

/// `name`, `glob*`, `a:b`, `3` or `0:13`.
fn column_pick(text: &str) -> ColumnPick {
    let position = |text: &str| text.parse::<usize>().ok();
    if let Some((from, to)) = text.split_once(':') {
        return match (position(from), position(to)) {
            (Some(from), Some(to)) => ColumnPick::Positions(from, to),
            _ => ColumnPick::Names(from.to_owned(), to.to_owned()),
        };
    }
    match position(text) {
        Some(at) => ColumnPick::Position(at),
        None if text.contains(['*', '?']) => ColumnPick::Glob(text.to_owned()),
        None => ColumnPick::Name(text.to_owned()),
    }
}
