//! Statements: each one's expressions read in a row, bottom up.

use super::circle::circle;
use super::code::{Callee, CodeId, CodeOp, Definition, DefinitionId, Program};
use super::notes::Notes;
use super::read::Reader;
use super::scope::Names;
use crate::error::{Diagnostic, Error, Span};
use crate::syntax::{Ast, Statement, Symbol};
use std::ops::Range;

/// Resolves a whole text. Definition `i` of the result is statement `i`.
pub(super) fn read<'a>(ast: &'a Ast, names: &mut Names<'a>, notes: &mut Notes) -> Result<Program, Error> {
    let mut reader = Reader::new(ast, names, notes);
    let mut definitions = Vec::with_capacity(ast.statements().len());
    let mut ids = ast.ids();
    for (i, statement) in ast.statements().iter().enumerate() {
        reader.names.enter(i);
        let start = reader.code.nodes.len();
        for id in ids.by_ref() {
            reader.read(id)?;
            if id == statement.body() {
                break;
            }
        }
        let root = reader.value(statement.body())?;
        if matches!(statement, Statement::Expression(_)) && i + 1 < ast.statements().len() {
            return Err(Error::syntax(two_expressions(ast, i)));
        }
        definitions.push(definition(ast, statement, start..reader.code.nodes.len(), root));
    }
    let code = std::mem::take(&mut reader.code);
    Ok(Program { code, definitions, source: ast.source().to_owned() })
}

fn definition(ast: &Ast, statement: &Statement, body: Range<usize>, root: CodeId) -> Definition {
    let defaults = Vec::new();
    match statement {
        Statement::Expression(e) => {
            Definition { name: String::new(), name_span: ast.span(*e), params: None, defaults, body, root }
        }
        Statement::Definition { name, name_span, params, .. } => {
            let names =
                |p: &Vec<(Symbol, Span)>| p.iter().map(|(name, _)| ast.name(*name).to_owned()).collect();
            let params = params.as_ref().map(names);
            Definition {
                name: ast.name(*name).to_owned(),
                name_span: *name_span,
                params,
                defaults,
                body,
                root,
            }
        }
    }
}

fn two_expressions(ast: &Ast, first: usize) -> Diagnostic {
    let place = |statement: &Statement| match statement {
        Statement::Expression(body) => ast.span(*body),
        Statement::Definition { name_span, body, .. } => name_span.to(ast.span(*body)),
    };
    let end: Span = ast.statements().last().map(place).unwrap_or_default();
    Diagnostic::error("an expression before the last one has no use")
        .at(place(&ast.statements()[first]), "its value is not used")
        .and_at(end, "only this would be computed")
        .hint("give it a name, as in `a = …; a + 1`, or remove it")
}

/// Which definitions the last statement needs.
///
/// # Errors
/// When a definition needs itself, with the way that leads back to it.
pub(super) fn dependencies(program: &Program) -> Result<Vec<bool>, Error> {
    let count = program.definitions.len();
    let mut search = Search { program, state: vec![State::New; count] };
    search.visit(count - 1)?;
    let needed = search.state.iter().map(|&state| state == State::Done).collect();
    for start in 0..count - 1 {
        search.visit(start)?;
    }
    Ok(needed)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    OnPath,
    Done,
}

/// A depth-first search through the calls.
struct Search<'p> {
    program: &'p Program,
    state: Vec<State>,
}

impl Search<'_> {
    fn visit(&mut self, start: usize) -> Result<(), Error> {
        if self.state[start] == State::Done {
            return Ok(());
        }
        // Each step with the node it goes on with.
        let mut path = vec![(start, self.program.definitions[start].body.start)];
        self.state[start] = State::OnPath;
        while let Some((at, next)) = path.last_mut() {
            let Some((to, node)) = self.next_call(*at, *next) else {
                self.state[*at] = State::Done;
                path.pop();
                continue;
            };
            *next = node + 1;
            match self.state[to] {
                State::Done => {}
                State::New => {
                    self.state[to] = State::OnPath;
                    path.push((to, self.program.definitions[to].body.start));
                }
                State::OnPath => {
                    let from = path.iter().position(|step| step.0 == to).expect("it is on the path");
                    let steps: Vec<DefinitionId> =
                        path[from..].iter().map(|s| DefinitionId::new(s.0)).collect();
                    return Err(Error::name(in_a_circle(
                        self.program,
                        &steps,
                        self.program.code.nodes[node].span,
                    )));
                }
            }
        }
        Ok(())
    }

    /// The first call in a body from node `from` on, and its node.
    fn next_call(&self, of: usize, from: usize) -> Option<(usize, usize)> {
        (from..self.program.definitions[of].body.end).find_map(|node| {
            match self.program.code.nodes[node].op {
                CodeOp::Call(Callee::Defined(id)) => Some((id.index(), node)),
                _ => None,
            }
        })
    }
}

fn in_a_circle(program: &Program, steps: &[DefinitionId], last: Span) -> Diagnostic {
    let definition = |id: &DefinitionId| {
        let definition = &program.definitions[id.index()];
        (definition.name.as_str(), definition.name_span)
    };
    let steps: Vec<(&str, Span)> = steps.iter().map(definition).collect();
    circle(&steps, last, "recursion is not part of the language; write the steps out")
}
