//! Reading text: syntax and elaboration in one call.

use crate::elaborate::{self, Elaborated, Options, Origins};
use crate::error::Error;
use crate::ir::Function;
use crate::limits::Limits;
use crate::syntax;

/// Reads an expression; free names become inputs in order of first appearance.
///
/// ```
/// let f = symdiff::parse("3x^4 - 2x^2 + 5")?;
/// assert_eq!(f.input_names().collect::<Vec<_>>(), ["x"]);
/// # Ok::<(), symdiff::Error>(())
/// ```
///
/// # Errors
/// With the place, the cause and the mend, when the text is not an expression.
pub fn parse(text: &str) -> Result<Function, Error> {
    read(text.as_bytes(), None, &Limits::default()).map(|read| read.function)
}

/// Reads an expression over declared inputs, in this order; other names are errors.
///
/// # Errors
/// As for [`parse`].
pub fn parse_with<S: AsRef<str>>(text: &str, variables: &[S]) -> Result<Function, Error> {
    let variables: Vec<String> = variables.iter().map(|v| v.as_ref().to_owned()).collect();
    read(text.as_bytes(), Some(&variables), &Limits::default()).map(|read| read.function)
}

/// Reads an expression with all that is to be said about it: how guesses were read, a leading
/// `d/dx`, the name of a function defined on the line.
///
/// # Errors
/// As for [`parse`]; also when the bytes are not UTF-8 or a budget is exceeded.
pub fn read(text: &[u8], variables: Option<&[String]>, limits: &Limits) -> Result<Elaborated, Error> {
    let ast = syntax::parse_bytes(text, limits)?;
    let source = ast.source().to_owned();
    let options = Options { variables, limits: limits.clone() };
    elaborate::elaborate(&ast, &options).map_err(|e| e.in_source(&source))
}

/// The same with the place in the text that made each node, for [`train::diagnose_at`].
///
/// # Errors
/// As for [`read`].
///
/// [`train::diagnose_at`]: crate::train::diagnose_at
pub fn read_located(text: &[u8], limits: &Limits) -> Result<(Elaborated, Origins), Error> {
    let ast = syntax::parse_bytes(text, limits)?;
    let source = ast.source().to_owned();
    let options = Options { variables: None, limits: limits.clone() };
    elaborate::elaborate_located(&ast, &options).map_err(|e| e.in_source(&source))
}
