//! A program with other values in some places: the text after `name =` is exchanged, the rest stays.
//!
//! What must stay true: the result is a program's text like any other, to be saved and read again;
//! only what stands for itself is exchanged, never a part of an expression.

use super::plan::TRAIN;
use crate::elaborate::suggest::suggest;
use crate::error::{Diagnostic, Error, Span};
use crate::limits::Limits;
use crate::syntax::program::{self, Body, Program, Start, Statement, ValueKind};

/// The program `source` with other texts for some of its values: of a definition, a `dim`, a
/// parameter that begins at a given value, or a setting of `train` or `data`. A setting of `train`
/// that is not written is added.
///
/// # Errors
/// Where the source is no program, where nothing has the name, or where the text goes on after the
/// end of a value.
///
/// ```
/// use symdiff::{Limits, elaborate::program::with_values};
///
/// let text = "rate = 0.1\nparam w = 0\nloss = (w - 3)^2\ntrain { optimizer = gd(lr = rate) }";
/// let other = with_values(text, &[("rate", "0.9"), ("w", "5")], &Limits::default())?;
/// assert_eq!(other, text.replace("rate = 0.1", "rate = 0.9").replace("w = 0", "w = 5"));
/// # Ok::<(), symdiff::Error>(())
/// ```
pub fn with_values(source: &str, values: &[(&str, &str)], limits: &Limits) -> Result<String, Error> {
    let mut text = source.to_owned();
    for &(name, value) in values {
        if let Some(sign) = value.chars().find(|c| matches!(c, '\n' | '\r' | ';' | '#' | '{' | '}')) {
            let diagnostic = Diagnostic::error(format!("the value of `{name}` contains {sign:?}"));
            return Err(Error::input(diagnostic.hint("a value is one expression on one line")));
        }
        let program = program::parse(&text, limits)?;
        let place = places(&program).find(|place| place.0 == name).map(|place| place.1);
        text = match place {
            Some(place) => exchanged(&text, place, value),
            None if TRAIN.contains(&name) => with_setting(&program, name, value),
            None => return Err(unknown(&program, name)),
        };
    }
    Ok(text)
}

/// What has a name and a text that can be exchanged; definitions before settings.
fn places(program: &Program) -> impl Iterator<Item = (&str, Span)> {
    let of = |body: Body| program.ast.span(body.root);
    let named = program.block.statements.iter().filter_map(move |statement| match *statement {
        Statement::Dim { name, value: body }
        | Statement::Value { name, kind: ValueKind::Definition, body }
        | Statement::Param { name, start: Start::Value(body), .. } => Some((name.symbol, of(body))),
        _ => None,
    });
    let settings = program.block.statements.iter().flat_map(|statement| match statement {
        Statement::Train { settings, .. } | Statement::Data { settings, .. } => settings.as_slice(),
        _ => &[],
    });
    let named = named.chain(settings.map(|setting| (setting.key.symbol, setting.span)));
    named.map(|(symbol, span)| (program.ast.name(symbol), span))
}

/// The program with one more setting of `train`, behind its brace; with a block of its own where
/// there is none.
fn with_setting(program: &Program, name: &str, value: &str) -> String {
    let text = program.ast.source();
    let train = program.block.statements.iter().find_map(|statement| match statement {
        Statement::Train { span, .. } => Some(span.end as usize),
        _ => None,
    });
    let brace = train.and_then(|end| Some(end + text[end..].find('{')? + 1));
    match brace {
        Some(at) => exchanged(text, Span::at(at as u32), &format!(" {name} = {value},")),
        None => format!("{text}\ntrain {{ {name} = {value} }}\n"),
    }
}

fn exchanged(text: &str, place: Span, value: &str) -> String {
    format!("{}{value}{}", &text[..place.start as usize], &text[place.end as usize..])
}

fn unknown(program: &Program, name: &str) -> Error {
    let names: Vec<&str> = places(program).map(|place| place.0).collect();
    let diagnostic = Diagnostic::error(format!("the program has no value `{name}` to exchange"));
    let random = program.block.statements.iter().any(|statement| {
        matches!(statement, Statement::Param { name: n, .. } if program.ast.name(n.symbol) == name)
    });
    Error::input(match suggest(name, names.iter().copied()) {
        _ if random => diagnostic.hint("it begins at random; `seed` chooses another beginning"),
        Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
        None => diagnostic.hint(format!("there are {}", names.join(", "))),
    })
}
