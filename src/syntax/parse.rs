//! Source → [`Ast`]: the only file that knows the parser generator.
//!
//! The generated parser is a table and two vectors; it does not recurse, and its stack is
//! bounded by the number of tokens, which `scan` has already bounded.

use lalrpop_util::ParseError;

use super::ast::{Ast, ExprId};
use super::build::Builder;
use super::explain::explain;
use super::heads;
use super::scan::{self, Dialect, Spanned};
use crate::error::{Diagnostic, Error, Span};
use crate::limits::Limits;

lalrpop_util::lalrpop_mod!(
    #[allow(warnings, clippy::all, clippy::pedantic)] // generated
    expression
);

/// Reads an expression, or statements separated by `;` or line ends, the last of which is
/// mostly the expression asked about.
///
/// # Errors
///
/// [`Error::is_syntax`] where the text is not in the language, with the place, the cause and
/// mostly the mend; [`Error::is_limit`] where it exceeds a budget of `limits`.
///
/// ```
/// use symdiff::{Limits, syntax};
///
/// let ast = syntax::parse("1/2x + sin x^2", &Limits::default())?;
/// assert_eq!(ast.to_string(), "(+ (seq 1 / 2 x) (seq sin (^ x 2)))");
///
/// let error = syntax::parse("(x + 1", &Limits::default()).unwrap_err();
/// assert_eq!(error.to_string(), "line 1, column 1: `(` is never closed");
/// # Ok::<(), symdiff::Error>(())
/// ```
pub fn parse(source: &str, limits: &Limits) -> Result<Ast, Error> {
    check_size(source.len(), limits)?;
    parse_statements(source, limits).map_err(|error| error.in_source(source))
}

/// Reads bytes that should be UTF-8; otherwise like [`parse`].
///
/// # Errors
///
/// As [`parse`]; and [`Error::is_syntax`] where the bytes are not UTF-8, naming the first bad one.
pub fn parse_bytes(source: &[u8], limits: &Limits) -> Result<Ast, Error> {
    check_size(source.len(), limits)?;
    match std::str::from_utf8(source) {
        Ok(source) => parse(source, limits),
        Err(error) => {
            let at = error.valid_up_to();
            let text = format!("the text is not UTF-8: byte 0x{:02X} at offset {at}", source[at]);
            let diagnostic = Diagnostic::error(text)
                .at(Span::new(at as u32, at as u32 + 1), "not UTF-8")
                .hint("save the text as UTF-8");
            let valid = std::str::from_utf8(&source[..at]).unwrap_or("");
            Err(Error::syntax(diagnostic).in_source(valid))
        }
    }
}

pub(super) fn check_size(bytes: usize, limits: &Limits) -> Result<(), Error> {
    let limit = limits.source_bytes.min(u32::MAX as usize);
    if bytes <= limit {
        return Ok(());
    }
    let text = format!("the text has {bytes} bytes; at most {limit} are read");
    Err(Error::limit(Diagnostic::error(text).hint("split it, or raise the size limit")))
}

fn parse_statements(source: &str, limits: &Limits) -> Result<Ast, Error> {
    let mut tokens = scan::scan(source, Dialect::Expression, limits)?;
    let derivatives = heads::take(source, &mut tokens)?;

    let mut builder = Builder::new(source);
    let input = tokens.iter().map(|&(token, span)| Ok((span.start, token, span.end)));
    expression::ProgramParser::new().parse(&mut builder, input).map_err(|error| {
        Error::syntax(match error {
            ParseError::User { error } => *error,
            ParseError::UnrecognizedToken { token: (at, _, _), .. }
            | ParseError::ExtraToken { token: (at, _, _) }
            | ParseError::InvalidToken { location: at } => explain(source, &tokens, Some(at)),
            ParseError::UnrecognizedEof { .. } => explain(source, &tokens, None),
        })
    })?;

    let ast = builder.finish(derivatives);
    check_nodes(&ast, limits)?;
    Ok(ast)
}

pub(super) fn check_nodes(ast: &Ast, limits: &Limits) -> Result<(), Error> {
    if ast.exprs().len() <= limits.nodes {
        return Ok(());
    }
    let text = format!("an expression of {} nodes; at most {} are read", ast.exprs().len(), limits.nodes);
    Err(Error::limit(Diagnostic::error(text).hint("split it, or raise the node limit")))
}

/// Reads one expression of a program: the tokens `from..to`, of which the one at `to` is the
/// first that belongs to something else.
pub(super) fn parse_expression(
    builder: &mut Builder<'_>,
    source: &str,
    tokens: &[Spanned],
    range: std::ops::Range<usize>,
) -> Result<ExprId, Error> {
    let to = range.end;
    let input = tokens[range].iter().map(|&(token, span)| Ok((span.start, token, span.end)));
    expression::LoneParser::new().parse(builder, input).map_err(|error| {
        Error::syntax(match error {
            ParseError::User { error } => *error,
            ParseError::UnrecognizedToken { token: (at, _, _), .. }
            | ParseError::ExtraToken { token: (at, _, _) }
            | ParseError::InvalidToken { location: at } => explain(source, tokens, Some(at)),
            ParseError::UnrecognizedEof { .. } => {
                explain(source, tokens, tokens.get(to).map(|(_, span)| span.start))
            }
        })
    })
}
