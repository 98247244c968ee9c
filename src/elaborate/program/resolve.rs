//! Names → what they refer to, once for the whole text; circles and juxtapositions are refused.
//!
//! A name is looked up among the indices around it, then in the blocks around it from inside out,
//! then in the library, then among what is built in. Nothing else has a meaning.

use super::collect::Collector;
use super::extra;
use super::library;
use super::unit::{ClockName, FunctionId, Ref, SlotKind, Unit};
use super::words;
use crate::elaborate::circle::circle;
use crate::elaborate::names;
use crate::error::{Diagnostic, Error, Span};
use crate::syntax::program::{Body, Bounds, FunctionKind, Program, SettingValue, Start};
use crate::syntax::{Ast, ExprId, ExprKind, Link};
use rustc_hash::FxHashMap;

/// What is to be done about definitions that go in a circle.
const CIRCLE: &str = "recursion is not part of the language; a recurrence is `scan(step, init, xs)`";

/// Index notations inside one another; each has a bit.
const SCOPES: usize = 60;

/// Resolves a parsed program.
pub(super) fn resolve(program: Program, is_library: bool) -> Result<Unit, Error> {
    let mut collector = Collector::new(&program.ast, is_library);
    collector.program(&program.block)?;
    let Collector { blocks, names, requests, .. } = collector;
    let count = program.ast.exprs().len();
    let unit = Unit {
        first: firsts(&program.ast),
        ast: program.ast,
        blocks,
        requests,
        is_library,
        refs: FxHashMap::default(),
        free: vec![0; count],
        opens: FxHashMap::default(),
        depths: FxHashMap::default(),
    };
    let edges = unit.blocks.iter().map(|block| vec![Vec::new(); block.slots.len()]).collect();
    let mut resolver = Resolver { unit, names, path: Vec::new(), edges, reached: 0 };
    resolver.find_scopes();
    resolver.block(0)?;
    resolver.requests()?;
    resolver.check_circles()?;
    Ok(resolver.unit)
}

/// By expression: the first node of what is below it.
fn firsts(ast: &Ast) -> Vec<ExprId> {
    let mut first: Vec<ExprId> = Vec::with_capacity(ast.exprs().len());
    for id in ast.ids() {
        let child = ast.children(id).iter().map(|c| first[c.index()]).min();
        first.push(child.unwrap_or(id));
    }
    first
}

struct Resolver {
    unit: Unit,
    names: Vec<FxHashMap<String, u32>>,
    /// The blocks around, each with the slot that is being resolved.
    path: Vec<(FunctionId, Option<u32>)>,
    /// By block and slot: the slots of the same block it needs, and where.
    edges: Vec<Vec<Vec<(u32, Span)>>>,
    /// Assignments of an optimizer that stand before the one at hand.
    reached: usize,
}

impl Resolver {
    fn find_scopes(&mut self) {
        let unit = &mut self.unit;
        for id in unit.ast.ids().rev() {
            if let ExprKind::Indexed { body, .. } = unit.ast[id].kind {
                unit.opens.entry(unit.first[body.index()]).or_default().push(id);
            }
        }
    }

    /// A block and, inside it, the blocks of its functions: they nest as deep as the parser lets them.
    fn block(&mut self, id: FunctionId) -> Result<(), Error> {
        self.path.push((id, None));
        for slot in 0..self.unit.blocks[id].slots.len() {
            self.enter(Some(slot as u32));
            self.reached = 0;
            match self.unit.blocks[id].slots[slot].kind.clone() {
                SlotKind::Parameter(None) | SlotKind::Given => {}
                SlotKind::Parameter(Some(body)) | SlotKind::Dim(body) | SlotKind::Value(body) => {
                    self.body(body)?
                }
                SlotKind::State(body) => self.body(body)?,
                SlotKind::Input(extents) => self.bodies(&extents)?,
                SlotKind::Param { extents, start, bounds } => {
                    self.bodies(&extents)?;
                    self.bodies(&start_bodies(&start))?;
                    self.bodies(&bounds_bodies(bounds))?;
                }
                SlotKind::Function(function) => self.block(function)?,
            }
        }
        self.enter(None);
        for (i, (_, body)) in self.unit.blocks[id].sequence.clone().into_iter().enumerate() {
            self.reached = i;
            self.body(body)?;
        }
        if let Some(value) = self.unit.blocks[id].value {
            self.body(value)?;
        }
        self.path.pop();
        Ok(())
    }

    fn enter(&mut self, slot: Option<u32>) {
        if let Some(last) = self.path.last_mut() {
            last.1 = slot;
        }
    }

    fn requests(&mut self) -> Result<(), Error> {
        self.path.push((0, None));
        let requests = self.unit.requests.clone();
        let metrics = requests.metrics.iter().map(|metric| metric.2);
        let bodies: Vec<Body> = metrics.chain(requests.objectives.iter().map(|o| o.2)).collect();
        self.bodies(&bodies)?;
        for setting in requests.train.iter().flat_map(|(_, settings)| settings) {
            match setting.value {
                // A word such as `full` is no name; a setting reads it itself.
                SettingValue::Expression(body) if self.is_word(body) => {}
                SettingValue::Expression(body) => self.body(body)?,
                SettingValue::Text(_) | SettingValue::Picks(_) => {}
            }
        }
        for setting in requests.data.iter().flat_map(|(_, settings)| settings) {
            if let SettingValue::Expression(body) = setting.value {
                self.body(body)?;
            }
        }
        self.path.pop();
        Ok(())
    }

    fn is_word(&mut self, body: Body) -> bool {
        match self.unit.ast[body.root].kind {
            ExprKind::Name(name) => {
                let text = self.unit.ast.name(name).to_owned();
                self.lookup(&text, Span::at(0), &[]).is_none_or(|found| found.is_err())
            }
            _ => false,
        }
    }

    fn bodies(&mut self, bodies: &[Body]) -> Result<(), Error> {
        bodies.iter().try_for_each(|body| self.body(*body))
    }

    /// One expression, bottom up.
    fn body(&mut self, body: Body) -> Result<(), Error> {
        let mut scopes: Vec<ExprId> = Vec::new();
        for id in body.ids() {
            if let Some(opening) = self.unit.opens.get(&id) {
                let inside = opening.iter().copied().filter(|scope| scope.index() <= body.root.index());
                for scope in inside.collect::<Vec<_>>() {
                    self.open(scope, &scopes)?;
                    scopes.push(scope);
                }
            }
            self.expression(id, &mut scopes)?;
        }
        Ok(())
    }

    fn open(&mut self, scope: ExprId, outer: &[ExprId]) -> Result<(), Error> {
        let span = self.unit.ast.span(scope);
        if outer.len() >= SCOPES {
            let message = format!("more than {SCOPES} sums and their like inside one another");
            return Err(Error::limit(Diagnostic::error(message).at(span, "one too many")));
        }
        self.unit.depths.insert(scope, outer.len() as u8);
        let ExprKind::Indexed { binders, .. } = self.unit.ast[scope].kind else { return Ok(()) };
        let binders = self.unit.ast.binders(binders);
        for (i, binder) in binders.iter().enumerate() {
            let name = self.unit.ast.name(binder.name);
            let of_scope = |scope: &ExprId| match self.unit.ast[*scope].kind {
                ExprKind::Indexed { binders, .. } => self.unit.ast.binders(binders).to_vec(),
                _ => Vec::new(),
            };
            let around = outer.iter().flat_map(of_scope).chain(binders[..i].iter().copied());
            if let Some(first) = around.into_iter().find(|b| b.name == binder.name) {
                return Err(Error::name(words::index_twice(name, binder.span, first.span)));
            }
            if let Some(slot) = self.slot_of(name) {
                return Err(Error::name(words::index_hides(name, binder.span, slot)));
            }
        }
        Ok(())
    }

    /// Where the innermost function, or the program, defines `name`.
    fn slot_of(&self, name: &str) -> Option<Span> {
        let (block, _) = *self.path.last()?;
        let slot = *self.names[block].get(name)?;
        Some(self.unit.blocks[block].slots[slot as usize].span)
    }

    fn expression(&mut self, id: ExprId, scopes: &mut Vec<ExprId>) -> Result<(), Error> {
        let mut free = self.unit.ast.children(id).iter().fold(0, |all, c| all | self.unit.free[c.index()]);
        match self.unit.ast[id].kind {
            ExprKind::Name(name) => {
                let text = self.unit.ast.name(name).to_owned();
                let found = self.find(&text, self.unit.ast.span(id), scopes, false)?;
                if let Ref::Index { scope, .. } = found {
                    free |= 1 << self.unit.depths[&scope];
                }
                self.unit.refs.insert(id, found);
            }
            ExprKind::Call { callee, .. } => {
                let text = self.unit.ast.name(callee).to_owned();
                let place = self.unit.ast.callee_span(id);
                let found = self.find(&text, place, scopes, true)?;
                self.check_callee(&text, found, id, place)?;
                self.unit.refs.insert(id, found);
            }
            ExprKind::Indexed { body, .. } => {
                scopes.pop();
                let own = 1u64 << self.unit.depths[&id];
                let ranges = self.unit.ast.children(id);
                let outside = ranges.iter().filter(|c| **c != body);
                free = outside
                    .fold(self.unit.free[body.index()] & !own, |all, c| all | self.unit.free[c.index()]);
            }
            ExprKind::Sequence(items) => return Err(self.juxtaposed(items)),
            _ => {}
        }
        self.unit.free[id.index()] = free;
        Ok(())
    }

    fn find(&mut self, name: &str, span: Span, scopes: &[ExprId], called: bool) -> Result<Ref, Error> {
        match self.lookup(name, span, scopes) {
            Some(found) => found,
            None => Err(self.unknown(name, span, called)),
        }
    }

    fn lookup(&mut self, name: &str, span: Span, scopes: &[ExprId]) -> Option<Result<Ref, Error>> {
        for &scope in scopes.iter().rev() {
            let ExprKind::Indexed { binders, .. } = self.unit.ast[scope].kind else { continue };
            let binders = self.unit.ast.binders(binders);
            if let Some(index) = binders.iter().position(|b| self.unit.ast.name(b.name) == name) {
                return Some(Ok(Ref::Index { scope, index: index as u8 }));
            }
        }
        for level in (0..self.path.len()).rev() {
            let (block, from) = self.path[level];
            let Some(&slot) = self.names[block].get(name) else { continue };
            if let Err(error) = self.check_order(block, slot, name, span, level) {
                return Some(Err(error));
            }
            if let Some(from) = from {
                self.edges[block][from as usize].push((slot, span));
            }
            return Some(Ok(Ref::Slot { up: (self.path.len() - 1 - level) as u8, slot }));
        }
        self.built_in(name).map(Ok)
    }

    fn built_in(&self, name: &str) -> Option<Ref> {
        if let Some(slot) = (!self.unit.is_library).then(|| library::find(name)).flatten() {
            return Some(Ref::Library(slot));
        }
        Some(match name {
            "pi" | "π" => Ref::Pi,
            "e" => Ref::E,
            "true" => Ref::Truth(true),
            "false" => Ref::Truth(false),
            _ if extra::find(name).is_some() => Ref::Extra(extra::find(name)?),
            _ => {
                let canonical = names::canonical(name);
                let library = (!self.unit.is_library).then(|| library::find(canonical)).flatten();
                match (names::builtin(canonical), library, name) {
                    (Some(builtin), _, _) => Ref::Builtin(builtin),
                    (None, Some(slot), _) => Ref::Library(slot),
                    (None, None, "step") => Ref::Clock(ClockName::Step),
                    (None, None, "steps") => Ref::Clock(ClockName::Steps),
                    (None, None, "epoch") => Ref::Clock(ClockName::Epoch),
                    (None, None, "plateaus") => Ref::Clock(ClockName::Plateaus),
                    _ => return None,
                }
            }
        })
    }

    /// An optimizer's lines run in order: what is assigned later cannot be read yet.
    fn check_order(
        &self,
        block: FunctionId,
        slot: u32,
        name: &str,
        span: Span,
        level: usize,
    ) -> Result<(), Error> {
        let block = &self.unit.blocks[block];
        if block.kind != FunctionKind::Optimizer || level + 1 != self.path.len() {
            return Ok(());
        }
        let kind = &block.slots[slot as usize].kind;
        let given = super::collect::GIVEN.contains(&name);
        let assigned = block.sequence[..self.reached].iter().any(|(to, _)| *to == slot);
        if !matches!(kind, SlotKind::Given) || given || assigned {
            return Ok(());
        }
        let diagnostic = Diagnostic::error(format!("`{name}` is used before its line"));
        let diagnostic =
            diagnostic.at(span, "no value yet").and_at(block.slots[slot as usize].span, "given here");
        Err(Error::name(diagnostic.hint("the lines of an optimizer run from top to bottom")))
    }

    fn check_callee(&self, name: &str, found: Ref, id: ExprId, place: Span) -> Result<(), Error> {
        let is_function = match found {
            Ref::Index { .. } | Ref::Pi | Ref::E | Ref::Truth(_) | Ref::Clock(_) => false,
            Ref::Slot { up, slot } => {
                let (block, _) = self.path[self.path.len() - 1 - up as usize];
                let kind = &self.unit.blocks[block].slots[slot as usize].kind;
                matches!(kind, SlotKind::Function(_) | SlotKind::Parameter(_) | SlotKind::Value(_))
            }
            _ => true,
        };
        if is_function {
            return Ok(());
        }
        let args = self.unit.ast.children(id);
        let inside: Vec<&str> = args.iter().map(|&arg| self.unit.ast.text(arg)).collect();
        Err(Error::name(words::no_function(name, place, &inside.join(", "))))
    }

    fn juxtaposed(&self, items: crate::syntax::List) -> Error {
        let ast = &self.unit.ast;
        let items = ast.items(items);
        let at = items.iter().position(|item| item.link == Link::Juxtaposed).unwrap_or(1);
        let (left, right) = (items[at - 1].operand, items[at].operand);
        let function = match ast[left].kind {
            ExprKind::Name(_) => {
                matches!(self.unit.refs.get(&left), Some(Ref::Builtin(_) | Ref::Extra(_) | Ref::Library(_)))
            }
            _ => false,
        };
        let (a, b) = (words::quoted(ast.text(left)), words::quoted(ast.text(right)));
        let hint = match function {
            true => format!("write `{a}({})`", b.trim_start_matches('(').trim_end_matches(')')),
            false => format!("write `{a}*{b}`"),
        };
        let message = "in a program every product is written out";
        let diagnostic = Diagnostic::error(message).at(ast.span(right), "no operator before it");
        Error::syntax(diagnostic.and_at(ast.span(left), "after this").hint(hint))
    }

    fn unknown(&self, name: &str, span: Span, called: bool) -> Error {
        let own = self.path.iter().rev().flat_map(|(block, _)| &self.unit.blocks[*block].slots);
        let mut known: Vec<&str> = own.map(|slot| slot.name.as_str()).collect();
        if !self.unit.is_library {
            known.extend(library::names().iter().map(String::as_str));
        }
        for name in extra::names().chain(names::all_functions()) {
            known.push(name);
        }
        Error::name(words::unknown(name, span, called, known.into_iter()))
    }

    fn check_circles(&self) -> Result<(), Error> {
        for (block, edges) in self.edges.iter().enumerate() {
            if let Some((steps, span)) = super::circles::find(edges) {
                let slots = &self.unit.blocks[block].slots;
                let names = steps.iter().map(|&slot| (slots[slot].name.as_str(), slots[slot].span));
                return Err(Error::name(circle(&names.collect::<Vec<_>>(), span, CIRCLE)));
            }
        }
        Ok(())
    }
}

pub(super) fn start_bodies(start: &Start) -> Vec<Body> {
    match start {
        Start::Value(body) => vec![*body],
        Start::Distribution { args, .. } => args.clone(),
    }
}

pub(super) fn bounds_bodies(bounds: Option<Bounds>) -> Vec<Body> {
    bounds.iter().flat_map(|b| [b.lo, b.hi]).flatten().collect()
}
