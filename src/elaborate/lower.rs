//! Resolved code → graph: bodies are run with their arguments, calls inlined.
//!
//! What must stay true: a definition runs once for each list of argument nodes, so nested
//! doubling stays linear; the calls under way are a stack of frames, not of Rust's.

use super::apply::{Fault, Site};
use super::code::{Callee, CodeId, CodeOp, DefinitionId, Program};
use super::library;
use super::notes::Notes;
use super::origins::Journal;
use crate::error::{Diagnostic, Error, ErrorKind, Span};
use crate::ir::{Graph, Id};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// Steps for each node of the text: a call of the library takes about five.
const STEPS_PER_NODE: usize = 8;
/// The part of the node budget that unfolding definitions may take beyond that: what a short
/// text asks for is refused within a second.
const UNFOLDED: usize = 4;

type Args = SmallVec<[Id; 4]>;

/// A body that is being run.
struct Frame<'p> {
    program: &'p Program,
    /// The callee and its arguments: the key of the memo.
    key: (Callee, Args),
    definition: DefinitionId,
    values: Vec<Id>,
}

/// Runs definitions over one graph.
pub(super) struct Lowering<'p, 'g> {
    pub(super) graph: &'g mut Graph,
    pub(super) inputs: &'g [Option<Id>],
    pub(super) notes: &'g mut Notes,
    nodes: usize,
    steps: usize,
    most_steps: usize,
    memo: FxHashMap<(Callee, Args), Id>,
    frames: Vec<Frame<'p>>,
    /// The operands of the node at hand; kept for its memory.
    operands: Vec<Id>,
    /// The places of its operands.
    spans: Vec<Span>,
    /// Takes note of who makes which node, where that is asked for.
    pub(super) journal: Option<&'g mut Journal>,
}

impl<'p, 'g> Lowering<'p, 'g> {
    pub(super) fn new(
        graph: &'g mut Graph,
        inputs: &'g [Option<Id>],
        notes: &'g mut Notes,
        nodes: usize,
    ) -> Self {
        let memo = FxHashMap::default();
        let (steps, most_steps) = (0, 0);
        Lowering {
            graph,
            inputs,
            notes,
            nodes,
            steps,
            most_steps,
            memo,
            frames: Vec::new(),
            operands: Vec::new(),
            spans: Vec::new(),
            journal: None,
        }
    }

    /// The node of the last statement, which is a number (or numbers), not a truth value.
    pub(super) fn value(&mut self, program: &'p Program) -> Result<Id, Error> {
        let value = self.run(program)?;
        let root = program.definitions.last().expect("a program has a statement").root;
        match self.graph.ty(value).dtype {
            crate::ir::DType::Bool => {
                Err(Error::shape(super::apply::not_a_number(&program.source, program.code.span(root))))
            }
            _ => Ok(value),
        }
    }

    /// The node of the last statement.
    pub(super) fn run(&mut self, program: &'p Program) -> Result<Id, Error> {
        let last = DefinitionId::new(program.definitions.len() - 1);
        self.most_steps =
            (self.nodes / UNFOLDED).saturating_add(program.code.nodes.len().saturating_mul(STEPS_PER_NODE));
        self.enter(program, (Callee::Defined(last), Args::new()), last);
        loop {
            let frame = self.frames.last().expect("the first frame ends the loop");
            let definition = &frame.program.definitions[frame.definition.index()];
            let at = definition.body.start + frame.values.len();
            if at < definition.body.end {
                self.step(CodeId::new(at)).map_err(|fault| self.located(*fault))?;
                continue;
            }
            let result = frame.values[definition.root.index() - definition.body.start];
            let frame = self.frames.pop().expect("it was just looked at");
            if self.frames.is_empty() {
                return Ok(result);
            }
            self.memo.insert(frame.key, result);
        }
    }

    /// Nodes made from here on come from the node at hand, or from the library's function it calls.
    fn note_place(&mut self, span: Span) {
        let (within, span) = match self.call_of_library() {
            Some((name, call)) => (Some(name), call),
            None => (None, span),
        };
        let first = self.graph.len();
        if let Some(journal) = &mut self.journal {
            journal.enter(first, span, within);
        }
    }

    fn enter(&mut self, program: &'p Program, key: (Callee, Args), definition: DefinitionId) {
        let body = &program.definitions[definition.index()].body;
        let values = Vec::with_capacity(body.len());
        self.frames.push(Frame { program, key, definition, values });
    }

    fn step(&mut self, at: CodeId) -> Result<(), Fault> {
        self.steps += 1;
        let frame = self.frames.last_mut().expect("a frame is running");
        let (program, body) = (frame.program, frame.program.definitions[frame.definition.index()].body.start);
        let node = &program.code.nodes[at.index()];
        if self.steps > self.most_steps || self.graph.len() > self.nodes {
            return Err(too_many_nodes(self.graph.len(), node.span));
        }
        if self.journal.is_some() {
            self.note_place(node.span);
        }
        let frame = self.frames.last_mut().expect("a frame is running");
        let operands = program.code.operands(at);
        let mut ids = std::mem::take(&mut self.operands);
        ids.clear();
        ids.extend(operands.iter().map(|id| frame.values[id.index() - body]));
        let value = match node.op {
            CodeOp::Number(n) => self.graph.exact(program.code.numbers[n as usize].clone()),
            CodeOp::Parameter(i) => frame.key.1[i as usize],
            CodeOp::Variable(variable) => {
                self.inputs[variable.index()].expect("every variable used is an input")
            }
            CodeOp::Call(callee @ (Callee::Library(_) | Callee::Defined(_))) => {
                self.check_arguments(program, operands, &ids)?;
                match self.call(program, callee, &ids) {
                    Some(known) => known,
                    None => return Ok(()),
                }
            }
            op => self.apply(program, at, op, &ids)?,
        };
        self.operands = ids;
        self.frames.last_mut().expect("a frame is running").values.push(value);
        Ok(())
    }

    /// What the call gives, if it has been run before; otherwise its frame is now on top.
    fn call(&mut self, program: &'p Program, callee: Callee, ids: &[Id]) -> Option<Id> {
        let key = (callee, Args::from_slice(ids));
        if let Some(&known) = self.memo.get(&key) {
            return Some(known);
        }
        match callee {
            Callee::Library(id) => self.enter(library::program(), key, id),
            Callee::Defined(id) => self.enter(program, key, id),
            Callee::Builtin(_) => unreachable!("what is built in has no body"),
        }
        None
    }

    fn apply(&mut self, program: &Program, at: CodeId, op: CodeOp, ids: &[Id]) -> Result<Id, Fault> {
        let mut spans = std::mem::take(&mut self.spans);
        spans.clear();
        spans.extend(program.code.operands(at).iter().map(|&id| program.code.span(id)));
        let axes = match op {
            CodeOp::Index { start, len } => program.code.axes(start, len),
            _ => &[],
        };
        let mut site = Site {
            graph: self.graph,
            source: &program.source,
            span: program.code.span(at),
            spans: &spans,
            ids,
            indexed: &[],
            axes,
            nodes: self.nodes,
            remarks: Vec::new(),
        };
        let value = site.apply(op)?;
        let remarks = site.remarks;
        self.spans = spans;
        self.remark(remarks);
        Ok(value)
    }

    fn check_arguments(&mut self, program: &Program, operands: &[CodeId], ids: &[Id]) -> Result<(), Fault> {
        let truth = ids.iter().position(|&id| self.graph.ty(id).dtype == crate::ir::DType::Bool);
        match truth {
            Some(i) => Err(Box::new((
                ErrorKind::Shape,
                super::apply::not_a_number(&program.source, program.code.span(operands[i])),
            ))),
            None => Ok(()),
        }
    }

    /// Notes from within the library stand at the call in the text.
    fn remark(&mut self, remarks: Vec<Diagnostic>) {
        for remark in remarks {
            let remark = match self.call_of_library() {
                Some((name, span)) => {
                    Diagnostic { message: in_library(&remark.message, name), ..remark }.at(span, "")
                }
                None => remark,
            };
            self.notes.say(remark);
        }
    }

    /// An error with its place in the text, and the call it happened in.
    fn located(&self, (kind, diagnostic): (ErrorKind, Diagnostic)) -> Error {
        if let Some((name, span)) = self.call_of_library() {
            let message = in_library(&diagnostic.message, name);
            let moved = Diagnostic { message, labels: Vec::new(), ..diagnostic };
            return Error::new(kind, moved.at(span, "in this call"));
        }
        match self.frames.len().checked_sub(2).map(|below| self.site(below)) {
            Some(site) => Error::new(kind, diagnostic.and_at(site, "in this call")),
            None => Error::new(kind, diagnostic),
        }
    }

    /// The place the frame is at.
    fn site(&self, frame: usize) -> Span {
        let frame = &self.frames[frame];
        let at = frame.program.definitions[frame.definition.index()].body.start + frame.values.len();
        frame.program.code.nodes[at].span
    }

    /// Where the running function of the library was called from the text, and its name.
    fn call_of_library(&self) -> Option<(&'p str, Span)> {
        let outermost = self.frames.iter().position(|frame| matches!(frame.key.0, Callee::Library(_)))?;
        let frame = &self.frames[outermost];
        let name = frame.program.definitions[frame.definition.index()].name.as_str();
        Some((name, self.site(outermost.checked_sub(1)?)))
    }
}

fn in_library(message: &str, name: &str) -> String {
    format!("{message}, in `{name}`")
}

fn too_many_nodes(made: usize, span: Span) -> Fault {
    let message = "the expression is too large once its definitions are put in";
    let hint = "simplify the definitions, or raise the node limit";
    let label = format!("{made} nodes have been made up to here");
    Box::new((ErrorKind::Limit, Diagnostic::error(message).at(span, label).hint(hint)))
}
