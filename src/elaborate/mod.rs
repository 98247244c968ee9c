//! AST → graph: names are bound and juxtapositions decided (`scope`, `split`, `read`, `call`),
//! inputs and their shapes found (`inputs`), bodies run over a graph (`lower`, `apply`, `tensor`).
//! Programs have a folder of their own ([`program`]) and share what operators mean.
//!
//! What must stay true: every error has a place, a cause and mostly a mend; every guess is told
//! in a note; nothing recurses, and all is linear in the text and the graph it makes.

mod apply;
mod call;
mod circle;
mod code;
mod condition;
mod domain;
mod inputs;
mod library;
mod lower;
mod names;
mod notes;
mod origins;
pub mod program;
mod read;
mod remarks;
mod scope;
mod split;
mod statements;
mod tensor;
mod words;

pub use condition::condition;
pub use origins::{Origin, Origins};
#[cfg(feature = "cli")]
pub(crate) use suggest::suggest;

use crate::error::{Diagnostic, Error};
use crate::ir::{Function, Graph};
use crate::limits::Limits;
use crate::suggest;
use crate::syntax::{Ast, Statement};
use inputs::Inputs;
use lower::Lowering;
use notes::Notes;
use origins::Journal;
use scope::Names;

/// What a text is elaborated with.
#[derive(Clone, Debug, Default)]
pub struct Options<'a> {
    /// The inputs, in this order; then no other free name is allowed, and these names mean
    /// variables even where they are also constants' or functions'. Without it, free names are
    /// the inputs, in order of appearance.
    pub variables: Option<&'a [String]>,
    /// The budgets.
    pub limits: Limits,
}

/// An elaborated text.
#[derive(Clone)]
pub struct Elaborated {
    /// One output: the value of the expression, or of the function defined last.
    pub function: Function,
    /// What is to be said about it: how guesses were read, what looks wrong.
    pub notes: Vec<Diagnostic>,
    /// A leading `d/dx`, variables with orders, outermost first.
    pub derivative: Vec<(String, u32)>,
    /// The name, where the last statement is a definition.
    pub name: Option<String>,
}

/// Elaborates a parsed text.
///
/// ```
/// use symdiff::{Limits, elaborate, syntax};
///
/// let ast = syntax::parse("f(x, y) = x² + 3xy", &Limits::default())?;
/// let read = elaborate::elaborate(&ast, &elaborate::Options::default())?;
/// assert_eq!(read.function.input_names().collect::<Vec<_>>(), ["x", "y"]);
/// assert_eq!(read.notes[0].message, "read `3xy` as `3*x*y`");
/// assert_eq!(read.name.as_deref(), Some("f"));
/// # Ok::<(), symdiff::Error>(())
/// ```
///
/// # Errors
/// [`Error::is_name`] for unknown and misused names, wrong numbers of arguments and circles of
/// definitions, [`Error::is_shape`] where shapes or conditions and numbers do not fit,
/// [`Error::is_limit`] where a budget is exceeded. Each with its place in the text.
pub fn elaborate(ast: &Ast, options: &Options<'_>) -> Result<Elaborated, Error> {
    elaborated(ast, options, None)
}

/// The same, with the place in the text that made each node.
///
/// # Errors
/// As [`elaborate`].
pub fn elaborate_located(ast: &Ast, options: &Options<'_>) -> Result<(Elaborated, Origins), Error> {
    let mut journal = Journal::default();
    let read = elaborated(ast, options, Some(&mut journal))?;
    let origins = journal.origins(read.function.graph());
    Ok((read, origins))
}

fn elaborated(ast: &Ast, options: &Options<'_>, journal: Option<&mut Journal>) -> Result<Elaborated, Error> {
    let mut names = Names::new(ast, options.variables)?;
    let mut notes = Notes::default();
    let program = statements::read(ast, &mut names, &mut notes)?;
    let needed = statements::dependencies(&program)?;

    let mut graph = Graph::new();
    let inputs = Inputs::declare(&mut graph, &program, &needed, &names, &options.limits, &mut notes)?;
    remarks::on_definitions(&program, &needed, &mut notes);
    remarks::on_greek_letters(&program, &needed, &names, &mut notes);
    let mut lowering = Lowering::new(&mut graph, &inputs.nodes, &mut notes, options.limits.nodes);
    lowering.journal = journal;
    let value = lowering.value(&program)?;
    crate::ir::verify::debug_verify(&graph, &[value], "elaborate");

    let named = |derivative: &crate::syntax::Derivative| -> Vec<(String, u32)> {
        derivative.by.iter().map(|&(name, order)| (ast.name(name).to_owned(), order)).collect()
    };
    Ok(Elaborated {
        function: Function::new(graph, inputs.symbols, vec![value]),
        notes: notes.finish(ast.source()),
        derivative: ast.derivatives().iter().flat_map(named).collect(),
        name: match ast.statements().last() {
            Some(Statement::Definition { name, .. }) => Some(ast.name(*name).to_owned()),
            _ => None,
        },
    })
}
