//! Conditions on a function's inputs, `x > 0, y != 0`: assumptions that the simplifier may use.

use super::code::Program;
use super::lower::Lowering;
use super::notes::Notes;
use super::scope::Names;
use super::statements;
use crate::error::{Diagnostic, Error};
use crate::ir::{DType, Function, Graph, Id};
use crate::limits::Limits;
use crate::syntax::{self, Ast, Statement};
use std::ops::Range;

/// Adds the conditions in `text`, separated by commas or `and`, to the function's assumptions. A
/// chain such as `0 < x < 1` is two conditions.
///
/// # Errors
/// When the text is no condition, or names what is not an input.
pub fn condition(function: &mut Function, text: &str, limits: &Limits) -> Result<(), Error> {
    add(function, text, limits).map_err(|error| error.in_source(text))
}

fn add(function: &mut Function, text: &str, limits: &Limits) -> Result<(), Error> {
    if text.len() > limits.source_bytes {
        let message =
            format!("the condition has {} bytes; at most {} are read", text.len(), limits.source_bytes);
        return Err(Error::limit(Diagnostic::error(message)));
    }
    let declared: Vec<String> = function.input_names().map(str::to_owned).collect();
    for piece in pieces(text).into_iter().flat_map(|piece| links(text, piece)) {
        // Blanks before the piece keep its places those of the whole text.
        let padded = format!("{}{}", " ".repeat(piece.start), &text[piece]);
        let ast = syntax::parse(&padded, limits)?;
        refuse_definitions(&ast)?;
        let mut names = Names::new(&ast, Some(&declared))?;
        let program = statements::read(&ast, &mut names, &mut Notes::default())?;
        statements::dependencies(&program)?;
        // On a copy first: nothing is added to the function unless all is well.
        let mut copy = function.graph().clone();
        let value = lower(&mut copy, function, &program, limits)?;
        check(&ast, &copy, value)?;
        let original = function.clone();
        function.assume(|graph| {
            lower(graph, &original, &program, limits).expect("the same condition was just lowered on a copy")
        });
    }
    Ok(())
}

fn lower(graph: &mut Graph, function: &Function, program: &Program, limits: &Limits) -> Result<Id, Error> {
    // Variables are declared first, so the first variables are the inputs in order.
    let nodes: Vec<Option<Id>> =
        function.inputs().iter().map(|&symbol| Some(graph.input_node(symbol))).collect();
    let budget = limits.nodes.saturating_add(graph.len());
    Lowering::new(graph, &nodes, &mut Notes::default(), budget).run(program)
}

fn refuse_definitions(ast: &Ast) -> Result<(), Error> {
    let definition = ast.statements().iter().find_map(|statement| match statement {
        Statement::Definition { name_span, .. } => Some(*name_span),
        Statement::Expression(_) => None,
    });
    let Some(span) = definition else { return Ok(()) };
    let diagnostic = Diagnostic::error("a condition was expected, not a definition").at(span, "");
    Err(Error::syntax(diagnostic.hint("equality is written `==`")))
}

fn check(ast: &Ast, graph: &Graph, value: Id) -> Result<(), Error> {
    let span = ast.statements().last().map(|statement| ast.span(statement.body())).unwrap_or_default();
    if graph.ty(value).dtype != DType::Bool {
        let hint = "a condition compares: `x > 0`, `x != 0`";
        return Err(Error::syntax(Diagnostic::error("this is no condition").at(span, "a number").hint(hint)));
    }
    if !graph.is_scalar(value) {
        let hint = "write one condition for each element: `x[0] > 0, x[1] > 0`";
        return Err(Error::shape(Diagnostic::error("a condition on a whole vector").at(span, "").hint(hint)));
    }
    Ok(())
}

/// The comparisons of a chain: `0 < x` and `x < 1` of `0 < x < 1`. Anything else is one stretch.
fn links(text: &str, piece: Range<usize>) -> Vec<Range<usize>> {
    let mut signs: Vec<Range<usize>> = Vec::new();
    let mut depth = 0usize;
    for (offset, c) in text[piece.clone()].char_indices() {
        let at = piece.start + offset;
        let follows = signs.last().is_some_and(|sign| sign.end == at);
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            '=' if depth == 0 && follows => signs.last_mut().expect("a sign before it").end += 1,
            '<' | '>' | '≤' | '≥' | '≠' | '=' | '!' if depth == 0 => signs.push(at..at + c.len_utf8()),
            _ => {}
        }
    }
    let starts = std::iter::once(piece.start).chain(signs.iter().map(|sign| sign.end));
    let ends = signs.iter().skip(1).map(|sign| sign.start).chain([piece.end]);
    if signs.is_empty() { vec![piece] } else { starts.zip(ends).map(|(start, end)| start..end).collect() }
}

/// The stretches between commas and the word `and`, outside of all brackets.
fn pieces(text: &str) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let (mut start, mut depth, mut word) = (0, 0usize, None::<usize>);
    for (at, c) in text.char_indices().chain([(text.len(), ',')]) {
        if c.is_alphanumeric() || c == '_' {
            word.get_or_insert(at);
            continue;
        }
        let before = word.take();
        if let Some(begin) = before
            && depth == 0
            && &text[begin..at] == "and"
            && c != '('
        {
            pieces.push(start..begin);
            start = at;
        }
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 || at == text.len() => {
                pieces.push(start..at);
                start = at + 1;
            }
            _ => {}
        }
    }
    pieces
}
