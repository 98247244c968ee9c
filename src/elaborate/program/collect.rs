//! The blocks of a program and their slots: which names there are, and where what may stand.

use super::unit::{Block, FunctionId, Requests, Slot, SlotKind};
use crate::error::{Diagnostic, Error, Span};
use crate::syntax::Ast;
use crate::syntax::program::{self as tree, FunctionKind, Name, Statement, ValueKind};
use rustc_hash::FxHashMap;

/// Names that would hide what the language is written with.
const TAKEN: &[&str] =
    &["sum", "mean", "prod", "max", "min", "logsumexp", "if", "where", "inf", "pi", "true", "false", "in"];

/// What an optimizer is given: the parameter and its gradient.
pub(super) const GIVEN: [&str; 2] = ["w", "g"];

/// The blocks under construction.
pub(super) struct Collector<'a> {
    pub(super) ast: &'a Ast,
    pub(super) blocks: Vec<Block>,
    /// By block: its slots by name.
    pub(super) names: Vec<FxHashMap<String, u32>>,
    pub(super) requests: Requests,
    pub(super) is_library: bool,
}

impl<'a> Collector<'a> {
    pub(super) fn new(ast: &'a Ast, is_library: bool) -> Collector<'a> {
        let (blocks, names) = (Vec::new(), Vec::new());
        Collector { ast, blocks, names, requests: Requests::default(), is_library }
    }

    /// The program itself, with all blocks inside it.
    pub(super) fn program(&mut self, block: &tree::Block) -> Result<(), Error> {
        self.open(FunctionKind::Plain, String::new());
        self.statements(0, &block.statements)
    }

    fn open(&mut self, kind: FunctionKind, name: String) -> FunctionId {
        let (slots, sequence) = (Vec::new(), Vec::new());
        self.blocks.push(Block { kind, name, slots, parameters: 0, value: None, sequence });
        self.names.push(FxHashMap::default());
        self.blocks.len() - 1
    }

    /// Functions lie in one another at most as deep as the parser lets them.
    fn function(&mut self, of: &tree::Function) -> Result<FunctionId, Error> {
        let name = self.ast.name(of.name.symbol).to_owned();
        let id = self.open(of.kind, name);
        for parameter in &of.parameters {
            self.slot(id, parameter.name, SlotKind::Parameter(parameter.default))?;
        }
        self.blocks[id].parameters = of.parameters.len();
        if of.kind == FunctionKind::Optimizer {
            for name in GIVEN {
                let slot = Slot { name: name.to_owned(), span: of.name.span, kind: SlotKind::Given };
                self.add(id, slot)?;
            }
        }
        self.statements(id, &of.block.statements)?;
        self.blocks[id].value = of.block.value;
        if let (FunctionKind::Optimizer, Some(value)) = (of.kind, of.block.value) {
            let diagnostic = Diagnostic::error("an optimizer has no value");
            let hint = "it assigns: `w := w - lr*g`";
            return Err(Error::syntax(diagnostic.at(self.ast.span(value.root), "not used").hint(hint)));
        }
        Ok(id)
    }

    fn statements(&mut self, block: FunctionId, statements: &[Statement]) -> Result<(), Error> {
        for statement in statements {
            self.statement(block, statement)?;
        }
        Ok(())
    }

    fn statement(&mut self, block: FunctionId, statement: &Statement) -> Result<(), Error> {
        let top = block == 0;
        let kind = self.blocks[block].kind;
        match statement {
            Statement::Dim { name, value } => self.slot(block, *name, SlotKind::Dim(*value)),
            Statement::Input { name, extents } if top => {
                self.slot(block, *name, SlotKind::Input(extents.clone()))
            }
            Statement::Param { name, extents, start, bounds } if top || kind == FunctionKind::Layer => {
                let (extents, start, bounds) = (extents.clone(), start.clone(), *bounds);
                self.slot(block, *name, SlotKind::Param { extents, start, bounds })
            }
            Statement::Value { name, kind: value, body } => self.value(block, *name, *value, *body),
            Statement::Function(function) => {
                let id = self.function(function)?;
                self.slot(block, function.name, SlotKind::Function(id))
            }
            Statement::Metric { name, body } if top => {
                let metric = (self.ast.name(name.symbol).to_owned(), name.span, *body);
                self.requests.metrics.push(metric);
                Ok(())
            }
            Statement::Objective { maximize, span, body } if top => {
                self.requests.objectives.push((*maximize, *span, *body));
                Ok(())
            }
            Statement::Train { span, settings } if top => {
                self.requests.train.push((*span, settings.clone()));
                Ok(())
            }
            Statement::Data { span, settings } if top => {
                self.requests.data.push((*span, settings.clone()));
                Ok(())
            }
            misplaced => Err(Error::syntax(self.misplaced(misplaced))),
        }
    }

    fn value(
        &mut self,
        block: FunctionId,
        name: Name,
        kind: ValueKind,
        body: tree::Body,
    ) -> Result<(), Error> {
        let optimizer = self.blocks[block].kind == FunctionKind::Optimizer;
        match (kind, optimizer) {
            (ValueKind::Definition, false) => self.slot(block, name, SlotKind::Value(body)),
            (ValueKind::Definition, true) => {
                self.slot(block, name, SlotKind::Given)?;
                self.assign(block, self.blocks[block].slots.len() as u32 - 1, body)
            }
            (ValueKind::State, true) => self.slot(block, name, SlotKind::State(body)),
            (ValueKind::Update, true) => {
                let text = self.ast.name(name.symbol);
                match self.names[block].get(text) {
                    Some(&slot) => self.assign(block, slot, body),
                    None => {
                        let diagnostic =
                            Diagnostic::error(format!("`{text}` is not a state of this optimizer"));
                        let hint = format!("begin with `state {text} = 0`");
                        Err(Error::name(diagnostic.at(name.span, "not known yet").hint(hint)))
                    }
                }
            }
            (ValueKind::State | ValueKind::Update, false) => {
                let diagnostic = Diagnostic::error("only an optimizer keeps a state");
                let hint = "a definition is `name = …`; `optimizer f(lr) { state m = 0; m := … }`";
                Err(Error::syntax(diagnostic.at(name.span, "").hint(hint)))
            }
        }
    }

    fn assign(&mut self, block: FunctionId, slot: u32, body: tree::Body) -> Result<(), Error> {
        self.blocks[block].sequence.push((slot, body));
        Ok(())
    }

    fn slot(&mut self, block: FunctionId, name: Name, kind: SlotKind) -> Result<(), Error> {
        let text = self.ast.name(name.symbol).to_owned();
        if TAKEN.contains(&text.as_str()) && !self.is_library {
            let diagnostic =
                Diagnostic::error(format!("`{text}` is part of the language and cannot be defined"));
            return Err(Error::name(diagnostic.at(name.span, "").hint("choose another name")));
        }
        self.add(block, Slot { name: text, span: name.span, kind })
    }

    fn add(&mut self, block: FunctionId, slot: Slot) -> Result<(), Error> {
        let index = self.blocks[block].slots.len() as u32;
        match self.names[block].insert(slot.name.clone(), index) {
            // A later line of the library stands in for an earlier one.
            Some(before) if !self.is_library || block != 0 => {
                let first = self.blocks[block].slots[before as usize].span;
                let diagnostic = Diagnostic::error(format!("`{}` is defined twice", slot.name));
                let diagnostic =
                    diagnostic.at(slot.span, "defined again").and_at(first, "first defined here");
                Err(Error::name(
                    diagnostic.hint("every name has one meaning; choose another for one of them"),
                ))
            }
            _ => {
                self.blocks[block].slots.push(slot);
                Ok(())
            }
        }
    }

    fn misplaced(&self, statement: &Statement) -> Diagnostic {
        let (what, span, hint): (&str, Span, &str) = match statement {
            Statement::Input { name, .. } => ("`input`", name.span, "inputs belong to the program itself"),
            Statement::Param { name, .. } => {
                ("`param`", name.span, "a function that owns parameters is a layer: `layer f(x) { … }`")
            }
            Statement::Metric { name, .. } => ("`metric`", name.span, "metrics belong to the program itself"),
            Statement::Objective { span, .. } => ("an objective", *span, "it belongs to the program itself"),
            Statement::Train { span, .. } => ("`train`", *span, "it belongs to the program itself"),
            Statement::Data { span, .. } => ("`data`", *span, "it belongs to the program itself"),
            _ => ("this statement", Span::at(0), "it belongs to the program itself"),
        };
        Diagnostic::error(format!("{what} inside a function")).at(span, "").hint(hint)
    }
}
