//! What a name means at one place: parameter, declared variable, definition, constant,
//! function, or a free variable, in that order.
//!
//! What must stay true: a meaning is decided by the whole text and the statement the name is in,
//! never by the order in which the text is read.

use super::code::{Callee, DefinitionId, VariableId};
use super::suggest::suggest;
use super::{library, names};
use crate::error::{Diagnostic, Error, Span};
use crate::syntax::{Ast, ExprId, ExprKind, Link, Statement, Symbol};
use rustc_hash::FxHashMap;
use std::ops::Range;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Meaning {
    Parameter(u32),
    Variable(VariableId),
    /// A definition without parameters.
    Value(DefinitionId),
    Function(Callee),
    E,
    Pi,
    /// A product of several names; an index for [`Names::segments`].
    Split(u32),
    /// Never a name, and why.
    Refused(&'static str),
    Unknown,
}

/// A part of a name that is read as a product: its bytes in the name, and what it stands for.
pub(super) type Segment = (Range<usize>, Meaning);

/// All names of one text.
pub(super) struct Names<'a> {
    ast: &'a Ast,
    declared: Option<&'a [String]>,
    /// The library reads itself without itself.
    with_library: bool,
    variables: Vec<String>,
    variable_ids: FxHashMap<String, VariableId>,
    pub(super) symbols: FxHashMap<&'a str, Symbol>,
    definitions: FxHashMap<Symbol, DefinitionId>,
    /// Names that stand for themselves somewhere, by symbol.
    free: Vec<bool>,
    /// Functions' names that are Greek letters, and are applied somewhere, by symbol.
    applied: Vec<bool>,
    global: Vec<Option<Meaning>>,
    /// Meanings that hold in one statement only, with its number.
    local: Vec<(usize, Meaning)>,
    statement: usize,
    /// Parameters of the last statement, where it is a function: the inputs of the whole.
    parameters: Vec<VariableId>,
    pub(super) splits: Vec<Vec<Segment>>,
}

/// Outside of all statements.
const NOWHERE: usize = usize::MAX;

impl<'a> Names<'a> {
    /// # Errors
    /// When a name is defined twice, or defined though it is declared.
    pub(super) fn new(ast: &'a Ast, declared: Option<&'a [String]>) -> Result<Names<'a>, Error> {
        let mut names = Names::empty(ast, declared, true);
        for name in declared.unwrap_or_default() {
            if names.variable_ids.contains_key(name) {
                return Err(Error::input(Diagnostic::error(format!(
                    "the variable `{name}` is declared twice"
                ))));
            }
            names.variable(name);
        }
        names.define()?;
        names.parameters_of_last();
        names.find_free();
        Ok(names)
    }

    pub(super) fn of_library(ast: &'a Ast) -> Names<'a> {
        let mut names = Names::empty(ast, None, false);
        names.define().expect("the library's names differ");
        names
    }

    fn empty(ast: &'a Ast, declared: Option<&'a [String]>, with_library: bool) -> Names<'a> {
        let count = ast.symbol_count();
        Names {
            ast,
            declared,
            with_library,
            variables: Vec::new(),
            variable_ids: FxHashMap::default(),
            symbols: FxHashMap::default(),
            definitions: FxHashMap::default(),
            free: vec![false; count],
            applied: vec![false; count],
            global: vec![None; count],
            local: vec![(NOWHERE, Meaning::Unknown); count],
            statement: NOWHERE,
            parameters: Vec::new(),
            splits: Vec::new(),
        }
    }

    /// The variable called `name`, new if need be.
    pub(super) fn variable(&mut self, name: &str) -> VariableId {
        if let Some(&id) = self.variable_ids.get(name) {
            return id;
        }
        let id = VariableId::new(self.variables.len());
        self.variables.push(name.to_owned());
        self.variable_ids.insert(name.to_owned(), id);
        id
    }

    pub(super) fn variables(&self) -> &[String] {
        &self.variables
    }

    /// The variables that come first: declared, or the last statement's parameters.
    pub(super) fn leading(&self) -> Vec<VariableId> {
        match self.declared {
            Some(declared) => (0..declared.len()).map(VariableId::new).collect(),
            None => self.parameters.clone(),
        }
    }

    pub(super) fn is_declared(&self, name: &str) -> bool {
        self.declared
            .is_some_and(|_| self.variable_ids.get(name).is_some_and(|id| self.leading_contains(*id)))
    }

    fn leading_contains(&self, id: VariableId) -> bool {
        self.declared.is_some_and(|declared| id.index() < declared.len())
    }

    /// The definition a name has in the text.
    pub(super) fn definition(&self, name: Symbol) -> Option<DefinitionId> {
        self.definitions.get(&name).copied()
    }

    pub(super) fn has_declarations(&self) -> bool {
        self.declared.is_some()
    }

    fn define(&mut self) -> Result<(), Error> {
        for (i, statement) in self.ast.statements().iter().enumerate() {
            let Statement::Definition { name, name_span, .. } = statement else { continue };
            let text = self.ast.name(*name);
            if self.is_declared(text) {
                let message = format!("`{text}` is a variable and cannot be defined");
                return Err(Error::name(Diagnostic::error(message).at(*name_span, "declared as a variable")));
            }
            self.symbols.insert(text, *name);
            if let Some(first) = self.definitions.insert(*name, DefinitionId::new(i)) {
                return Err(Error::name(self.defined_twice(text, first, *name_span)));
            }
        }
        Ok(())
    }

    fn defined_twice(&self, name: &str, first: DefinitionId, again: Span) -> Diagnostic {
        let diagnostic = Diagnostic::error(format!("`{name}` is defined twice")).at(again, "defined again");
        match &self.ast.statements()[first.index()] {
            Statement::Definition { name_span, .. } => diagnostic.and_at(*name_span, "first defined here"),
            Statement::Expression(_) => diagnostic,
        }
    }

    fn parameters_of_last(&mut self) {
        if let Some(Statement::Definition { params: Some(params), .. }) = self.ast.statements().last() {
            let ast = self.ast;
            for (name, _) in params {
                if self.declared.is_none() || self.is_declared(ast.name(*name)) {
                    let id = self.variable(ast.name(*name));
                    self.parameters.push(id);
                }
            }
        }
    }

    /// Finds the names that stand for themselves, before any is taken apart.
    fn find_free(&mut self) {
        let ast = self.ast;
        let mut ids = ast.ids();
        for (i, statement) in ast.statements().iter().enumerate() {
            self.enter(i);
            for id in ids.by_ref() {
                self.find_free_in(id);
                if id == statement.body() {
                    break;
                }
            }
        }
        self.statement = NOWHERE;
    }

    fn find_free_in(&mut self, id: ExprId) {
        let ast = self.ast;
        match ast[id].kind {
            ExprKind::Name(name) => {
                self.symbols.insert(ast.name(name), name);
                self.free[name.index()] |= self.local(name).is_none();
            }
            ExprKind::Call { callee, args } => {
                self.symbols.insert(ast.name(callee), callee);
                self.applied[callee.index()] = true;
                let looks = ast.list(args).len() == 1 && is_letter(ast.name(callee));
                self.free[callee.index()] |= looks && self.local(callee).is_none();
            }
            ExprKind::Sequence(list) => {
                for pair in ast.items(list).windows(2) {
                    if pair[1].link == Link::Juxtaposed
                        && let Some(name) = bare_name(ast, pair[0].operand)
                    {
                        self.applied[name.index()] = true;
                    }
                }
            }
            _ => {}
        }
    }

    /// Begins a statement: its parameters hide what has the same name elsewhere.
    pub(super) fn enter(&mut self, statement: usize) {
        self.statement = statement;
        let ast = self.ast;
        let Statement::Definition { params: Some(params), .. } = &ast.statements()[statement] else { return };
        let last = statement + 1 == ast.statements().len() && self.with_library;
        for (i, (name, _)) in params.iter().enumerate() {
            self.symbols.insert(ast.name(*name), *name);
            let meaning = match (last, self.variable_ids.get(ast.name(*name))) {
                (false, _) => Meaning::Parameter(i as u32),
                (true, Some(&variable)) => Meaning::Variable(variable),
                (true, None) => Meaning::Unknown,
            };
            self.local[name.index()] = (statement, meaning);
        }
    }

    fn local(&self, name: Symbol) -> Option<Meaning> {
        let (statement, meaning) = self.local[name.index()];
        (statement == self.statement && statement != NOWHERE).then_some(meaning)
    }

    /// What a name stands for in the statement entered last.
    pub(super) fn meaning(&mut self, name: Symbol) -> Meaning {
        if let Some(meaning) = self.local(name) {
            return meaning;
        }
        let meaning = match self.global(name) {
            Meaning::Unknown => self.free_name(name),
            meaning => return meaning,
        };
        self.local[name.index()] = (self.statement, meaning);
        meaning
    }

    /// What a name before a parenthesis stands for.
    pub(super) fn callee(&mut self, name: Symbol) -> Meaning {
        let text = self.ast.name(name);
        let known =
            self.local(name).is_some() || self.free[name.index()] || self.global(name) != Meaning::Unknown;
        if known || self.can_split(text) { self.meaning(name) } else { Meaning::Unknown }
    }

    fn can_split(&mut self, text: &str) -> bool {
        !names::is_greek(text) && self.split(text).is_some()
    }

    fn free_name(&mut self, name: Symbol) -> Meaning {
        let text = self.ast.name(name);
        if !names::is_greek(text)
            && let Some(segments) = self.split(text)
        {
            self.splits.push(segments);
            return Meaning::Split(self.splits.len() as u32 - 1);
        }
        match self.declared {
            Some(_) => Meaning::Unknown,
            None => Meaning::Variable(self.variable(text)),
        }
    }

    /// The meaning without parameters and free variables; those are `Unknown`.
    fn global(&mut self, name: Symbol) -> Meaning {
        if let Some(meaning) = self.global[name.index()] {
            return meaning;
        }
        let meaning = self.find_global(name);
        self.global[name.index()] = Some(meaning);
        meaning
    }

    fn find_global(&mut self, name: Symbol) -> Meaning {
        let text = self.ast.name(name);
        if self.is_declared(text) {
            return Meaning::Variable(self.variable_ids[text]);
        }
        if let Some(id) = self.definition(name) {
            return match &self.ast.statements()[id.index()] {
                Statement::Definition { params: Some(_), .. } => Meaning::Function(Callee::Defined(id)),
                _ => Meaning::Value(id),
            };
        }
        // Nobody writes the gamma function without its argument, but many a γ.
        if names::is_greek(text) && text != "pi" && !self.applied[name.index()] {
            return Meaning::Unknown;
        }
        let canonical = names::canonical(text);
        match text {
            "e" => Meaning::E,
            "pi" | "π" => Meaning::Pi,
            _ => match (names::builtin(canonical), names::refused(text)) {
                (Some(builtin), _) => Meaning::Function(Callee::Builtin(builtin)),
                (None, Some(why)) => Meaning::Refused(why),
                (None, None) => self.in_library(canonical),
            },
        }
    }

    fn in_library(&self, name: &str) -> Meaning {
        let found = if self.with_library { library::find(name) } else { None };
        found.map_or(Meaning::Unknown, |id| Meaning::Function(Callee::Library(id)))
    }

    /// What a part of a name stands for, if it is a variable that occurs by itself: a single
    /// letter (perhaps with digits), or any name that is declared or defined.
    pub(super) fn segment(&mut self, text: &str) -> Option<Meaning> {
        if text == "π" {
            return Some(Meaning::Pi);
        }
        if self.is_declared(text) {
            return Some(Meaning::Variable(self.variable_ids[text]));
        }
        let name = *self.symbols.get(text)?;
        if let Some(meaning @ (Meaning::Parameter(_) | Meaning::Variable(_))) = self.local(name) {
            return Some(meaning);
        }
        match self.global(name) {
            meaning @ Meaning::Value(_) => Some(meaning),
            Meaning::Unknown if self.declared.is_none() && self.free[name.index()] && is_letter(text) => {
                Some(Meaning::Variable(self.variable(text)))
            }
            _ => None,
        }
    }

    /// Names a variable could have been meant to have.
    pub(super) fn suggest_variable(&self, name: &str) -> Option<String> {
        let defined = self.definitions.keys().map(|&symbol| self.ast.name(symbol));
        let mut known: Vec<&str> = self.variables.iter().map(String::as_str).chain(defined).collect();
        known.sort_unstable();
        suggest(name, known).map(str::to_owned)
    }

    /// Names a function could have been meant to have.
    pub(super) fn suggest_function(&self, name: &str) -> Option<String> {
        let mut known: Vec<&str> = self.definitions.keys().map(|&symbol| self.ast.name(symbol)).collect();
        known.sort_unstable();
        for function in names::all_functions() {
            known.push(function);
        }
        suggest(name, known).map(str::to_owned)
    }
}

/// The name an operand is, under a power.
fn bare_name(ast: &Ast, id: ExprId) -> Option<Symbol> {
    match ast[id].kind {
        ExprKind::Name(name) => Some(name),
        ExprKind::Binary { lhs, .. } => match ast[lhs].kind {
            ExprKind::Name(name) => Some(name),
            _ => None,
        },
        _ => None,
    }
}

/// One letter, perhaps with digits: what mathematics calls a variable.
pub(super) fn is_letter(name: &str) -> bool {
    let mut chars = name.chars();
    let subscript = |c: char| c.is_ascii_digit() || ('\u{2080}'..='\u{2089}').contains(&c);
    chars.next().is_some_and(char::is_alphabetic) && chars.all(subscript)
}
