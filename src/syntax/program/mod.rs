//! Programs: statements around expressions. `cursor` walks the tokens, `statements` and `settings`
//! say what may stand where, `tree` is what comes out.
//!
//! Words such as `param` are no keywords: they mean something only where a statement begins, and
//! only before what may follow them, so that `data = 3` defines a value called `data`.

mod cursor;
mod foreign;
mod settings;
mod statements;
mod tree;

pub use tree::{
    Block, Body, Bounds, Function, FunctionKind, Name, Parameter, Pick, Program, Setting, SettingValue,
    Start, Statement, ValueKind,
};

use super::build::Builder;
use super::parse::{check_nodes, check_size};
use super::scan::{self, Dialect};
use crate::error::Error;
use crate::limits::Limits;
use cursor::Cursor;

/// Reads a program: statements separated by line ends or `;`.
///
/// # Errors
///
/// As [`parse`](super::parse).
///
/// ```
/// use symdiff::{Limits, syntax::program};
///
/// let text = "input x[2]\nparam w[2] = 0\nloss = (w·x)^2";
/// let program = program::parse(text, &Limits::default())?;
/// assert_eq!(program.block.statements.len(), 3);
/// # Ok::<(), symdiff::Error>(())
/// ```
pub fn parse(source: &str, limits: &Limits) -> Result<Program, Error> {
    check_size(source.len(), limits)?;
    parse_statements(source, limits).map_err(|error| error.in_source(source))
}

fn parse_statements(source: &str, limits: &Limits) -> Result<Program, Error> {
    let tokens = scan::scan(source, Dialect::Program, limits)?;
    let mut cursor = Cursor::new(source, &tokens, Builder::new(source));
    let block = cursor.program()?;
    let ast = cursor.finish();
    check_nodes(&ast, limits)?;
    Ok(Program { ast, block })
}
