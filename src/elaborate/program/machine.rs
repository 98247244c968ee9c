//! Runs bodies over a graph: a stack of frames, each a body that waits for the one above it.
//!
//! What must stay true: nothing recurses over the text; a body's nodes are computed once each,
//! bottom up, save that what gives an index its range is computed before what uses the index.

use super::frames::{Env, Frame, Goal, Run, Then};
use super::model::{Clock, Input, Noise, Param, Phase};
use super::unit::{FunctionId, SlotKind, Unit};
use super::value::{Label, LabelInfo, Labels, Tensor, Value};
use super::{call::Key, library};
use crate::elaborate::apply::Fault;
use crate::elaborate::notes::Notes;
use crate::elaborate::origins::Journal;
use crate::error::{Diagnostic, Error, ErrorKind, Span};
use crate::ir::{Graph, Id, Shape};
use crate::limits::Limits;
use crate::syntax::ExprId;
use crate::syntax::program::Body;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// Elements of one array: a gigabyte in double precision.
pub(super) const ELEMENTS: usize = 1 << 27;
/// Calls inside one another.
const CALLS: usize = 200;
/// Of how many nodes that may be made one body may be entered: what a short text with deep doubling asks
/// for is refused within a second.
const NODES_A_BODY: usize = 4;

/// What the program declares.
#[derive(Default)]
pub(super) struct Made {
    pub(super) inputs: Vec<Input>,
    /// With the place in the text that orders them.
    pub(super) params: Vec<(Vec<u32>, Param)>,
    pub(super) noises: Vec<Noise>,
}

pub(super) struct Machine<'u, 'g> {
    pub(super) graph: &'g mut Graph,
    pub(super) user: &'u Unit,
    phase: Phase,
    /// True once something has asked for the phase.
    pub(super) asks_phase: bool,
    pub(super) clock: Option<Clock>,
    pub(super) made: Made,
    pub(super) envs: Vec<Env>,
    pub(super) frames: Vec<Frame>,
    /// Where the outermost run of the library stands among the frames, if it still does.
    pub(super) outermost: Option<usize>,
    pub(super) labels: Vec<LabelInfo>,
    pub(super) memo: FxHashMap<Key, Value>,
    pub(super) notes: Notes,
    pub(super) journal: Journal,
    /// Bodies of scans, which have nodes of their own: their contents, and where those stood before.
    pub(super) copies: Vec<(u64, Id)>,
    pub(super) counters: FxHashMap<String, u32>,
    pub(super) nodes: usize,
    pub(super) entered: usize,
    pub(super) zeros: u64,
    /// Parameters may not be made now, and why.
    pub(super) sealed: usize,
}

/// The library's outermost block, and the program itself.
pub(super) const LIBRARY: usize = 0;
pub(super) const PROGRAM: usize = 1;

impl<'u, 'g> Machine<'u, 'g> {
    pub(super) fn new(
        graph: &'g mut Graph,
        user: &'u Unit,
        phase: Phase,
        limits: &Limits,
    ) -> Machine<'u, 'g> {
        let mut machine = Machine {
            graph,
            user,
            phase,
            asks_phase: false,
            clock: None,
            made: Made::default(),
            envs: Vec::new(),
            frames: Vec::new(),
            outermost: None,
            labels: Vec::new(),
            memo: FxHashMap::default(),
            notes: Notes::default(),
            journal: Journal::default(),
            copies: Vec::new(),
            counters: FxHashMap::default(),
            nodes: limits.program_nodes,
            entered: 0,
            zeros: 0,
            sealed: 0,
        };
        machine.env(true, 0, None, String::new());
        machine.env(false, 0, None, String::new());
        machine
    }

    /// What the model is for: all that depends on it asks here.
    pub(super) fn phase(&mut self) -> Phase {
        self.asks_phase = true;
        self.phase
    }

    pub(super) fn unit_of(&self, is_library: bool) -> &'u Unit {
        if is_library { library::unit() } else { self.user }
    }

    pub(super) fn env(
        &mut self,
        library: bool,
        function: FunctionId,
        parent: Option<usize>,
        path: String,
    ) -> usize {
        let slots = vec![None; self.unit_of(library).blocks[function].slots.len()];
        self.envs.push(Env { library, function, parent, slots, path, order: Vec::new() });
        self.envs.len() - 1
    }

    /// The value of a slot of the program.
    pub(super) fn slot(&mut self, env: usize, slot: usize) -> Result<Value, Error> {
        if self.envs[env].slots[slot].is_none() {
            self.push_answer(env, Vec::new(), vec![slot])?;
            self.drive()?;
        }
        Ok(self.envs[env].slots[slot].clone().expect("the run has filled it"))
    }

    /// The value of an expression of the program.
    pub(super) fn evaluate(&mut self, env: usize, body: Body) -> Result<Tensor, Error> {
        self.push_answer(env, vec![body], Vec::new())?;
        let value = self.drive()?.pop().expect("one body has one value");
        let span = self.user.ast.span(body.root);
        self.tensor(&value, span).map_err(|fault| self.located(*fault))
    }

    fn push_answer(&mut self, env: usize, bodies: Vec<Body>, prelude: Vec<usize>) -> Result<(), Error> {
        self.frames.clear();
        self.push(env, bodies, prelude, Then::Answer).map_err(|fault| self.located(*fault))
    }

    pub(super) fn push(
        &mut self,
        env: usize,
        bodies: Vec<Body>,
        prelude: Vec<usize>,
        then: Then,
    ) -> Result<(), Fault> {
        self.entered += 1;
        let calls =
            |frame: &&Frame| matches!(frame, Frame::Run(run) if matches!(run.then, Then::Call { .. }));
        if matches!(then, Then::Call { .. }) && self.frames.len() >= CALLS {
            let depth = self.frames.iter().filter(calls).count();
            if depth >= CALLS {
                return Err(limit(format!("more than {CALLS} calls inside one another"), self.here()));
            }
        }
        if self.entered > self.nodes / NODES_A_BODY || self.graph.len() > self.nodes {
            let message = "the program is too large once its functions are put in (see --max-program-nodes)";
            return Err(limit(message.to_owned(), self.here()));
        }
        let start = bodies.first().map_or(self.user.ast.ids().next(), |body| Some(body.start));
        let mut run = Box::new(Run {
            env,
            prelude,
            bodies,
            results: Vec::new(),
            values: Vec::new(),
            start: start.unwrap_or(NOWHERE),
            goals: Vec::new(),
            scopes: FxHashMap::default(),
            opened: SmallVec::new(),
            then,
        });
        run.begin();
        if self.envs[run.env].library && self.library_call().is_none() {
            self.outermost = Some(self.frames.len());
        }
        self.frames.push(Frame::Run(run));
        Ok(())
    }

    /// Runs frames until the one that answers.
    pub(super) fn drive(&mut self) -> Result<Vec<Value>, Error> {
        loop {
            let (before, place) = (self.graph.len(), self.own_place());
            let results = self.step().map_err(|fault| self.located(*fault))?;
            if self.graph.len() > before {
                self.note_place(before, place);
            }
            if let Some(results) = results {
                return Ok(results);
            }
        }
    }

    fn step(&mut self) -> Result<Option<Vec<Value>>, Fault> {
        let run = match self.frames.last_mut() {
            Some(Frame::Run(run)) => run,
            _ => return self.scan_step().map(|()| None),
        };
        let env = run.env;
        if let Some(&slot) = run.prelude.last() {
            match self.envs[env].slots[slot] {
                Some(_) => {
                    self.run().prelude.pop();
                }
                None => self.enter_slot(env, slot)?,
            }
            return Ok(None);
        }
        match run.goals.last() {
            Some(&Goal::Range { at, end }) => self.range(at, end)?,
            Some(&Goal::Infer(scope)) => {
                run.goals.pop();
                self.infer(scope)?;
            }
            None if run.results.len() < run.bodies.len() => self.next_body()?,
            None => return self.finish(),
        }
        Ok(None)
    }

    /// The run on top; scans do not compute.
    pub(super) fn run(&mut self) -> &mut Run {
        match self.frames.last_mut() {
            Some(Frame::Run(run)) => run,
            _ => unreachable!("only a run computes nodes"),
        }
    }

    fn top(&self) -> &Run {
        match self.frames.last() {
            Some(Frame::Run(run)) => run,
            _ => unreachable!("only a run computes nodes"),
        }
    }

    pub(super) fn unit(&self) -> &'u Unit {
        self.unit_of(self.envs[self.top().env].library)
    }

    pub(super) fn env_at(&self) -> usize {
        self.top().env
    }

    /// The value of a node of the body at hand, which has been computed.
    pub(super) fn value(&self, id: ExprId) -> Value {
        self.known(id).expect("operands stand before their users")
    }

    /// The same, if it has been.
    pub(super) fn known(&self, id: ExprId) -> Option<Value> {
        let run = self.top();
        run.values.get(id.index().checked_sub(run.start.index())?)?.clone()
    }

    /// The labels of an index notation's indices.
    pub(super) fn scopes(&self, scope: ExprId) -> Option<&Labels> {
        self.top().scopes.get(&scope)
    }

    fn range(&mut self, at: ExprId, end: ExprId) -> Result<(), Fault> {
        let unit = self.unit();
        let run = self.run();
        if let Some(opening) = unit.opens.get(&at) {
            let fresh = |scope: &&ExprId| scope.index() <= end.index() && !run.opened.contains(scope);
            if let Some(&scope) = opening.iter().find(fresh) {
                run.opened.push(scope);
                return self.open(scope);
            }
        }
        if run.values[at.index() - run.start.index()].is_some() {
            run.advance();
        } else if let Some(value) = self.compute(at)? {
            self.deliver(value);
        }
        Ok(())
    }

    /// The node at hand has this value.
    pub(super) fn deliver(&mut self, value: Value) {
        match self.frames.last_mut() {
            Some(Frame::Run(run)) => {
                let Some(&Goal::Range { at, .. }) = run.goals.last() else { return };
                let index = at.index() - run.start.index();
                run.values[index] = Some(value);
                run.advance();
            }
            Some(Frame::Scan(scan)) => scan.states.push(value),
            None => {}
        }
    }

    fn next_body(&mut self) -> Result<(), Fault> {
        let (value, span) = {
            let run = self.top();
            let body = run.bodies[run.results.len()];
            (self.value(body.root), self.unit().ast.span(body.root))
        };
        // What leaves a body is multiplied out: products are for sums only.
        let value = match value {
            Value::Product(_) => Value::Tensor(self.tensor(&value, span)?),
            value => value,
        };
        let run = self.run();
        let (env, done) = (run.env, run.results.len());
        run.results.push(value.clone());
        let slot = match &run.then {
            Then::Assign(slots) => Some(slots[done]),
            _ => None,
        };
        run.begin();
        if let Some(slot) = slot {
            self.envs[env].slots[slot] = Some(value);
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Option<Vec<Value>>, Fault> {
        let results = std::mem::take(&mut self.run().results);
        if let Then::Slot { env, slot } = self.top().then {
            let value = self.fill(env, slot, &results)?;
            self.envs[env].slots[slot] = Some(value);
            self.frames.pop();
            return Ok(None);
        }
        let Some(Frame::Run(run)) = self.frames.pop() else { return Ok(None) };
        match run.then {
            Then::Call { key, made } => {
                let value = results.into_iter().next().expect("a call has one body");
                let is_pure = self.made.params.len() + self.made.noises.len() == made;
                if let (Some(key), true) = (key, is_pure) {
                    self.memo.insert(key, value.clone());
                }
                self.deliver(value);
                Ok(None)
            }
            Then::Assign(_) | Then::Answer | Then::Slot { .. } => Ok(Some(results)),
        }
    }

    /// Begins to fill a slot.
    pub(super) fn enter_slot(&mut self, env: usize, slot: usize) -> Result<(), Fault> {
        let unit = self.unit_of(self.envs[env].library);
        let definition = &unit.blocks[self.envs[env].function].slots[slot];
        if let SlotKind::Function(function) = definition.kind {
            let library = self.envs[env].library;
            let value = super::value::FunctionValue::Defined { library, function, env };
            self.envs[env].slots[slot] = Some(Value::Function(value));
            return Ok(());
        }
        let bodies = super::slots::bodies(&definition.kind);
        self.push(env, bodies, Vec::new(), Then::Slot { env, slot })
    }

    /// The place of the node at hand.
    pub(super) fn here(&self) -> Span {
        let runs = self.frames.iter().rev().filter_map(|frame| match frame {
            Frame::Run(run) => run.place().map(|at| self.unit_of(self.envs[run.env].library).ast.span(at)),
            Frame::Scan(_) => None,
        });
        runs.into_iter().next().unwrap_or_default()
    }

    /// How many values an index has.
    pub(super) fn extent(&self, label: Label) -> u32 {
        self.labels[label.0 as usize].range.map_or(1, |range| range.1)
    }

    /// The shape of a tensor without its indices.
    pub(super) fn shape(&self, tensor: &Tensor) -> Shape {
        Shape::new(self.graph.shape(tensor.node).extents()[tensor.labels.len()..].iter().copied())
    }

    /// So many elements may be made.
    pub(super) fn affordable(&self, shape: &Shape, span: Span) -> Result<(), Fault> {
        if shape.rank() > crate::ir::structural::MAX_RANK {
            let most = crate::ir::structural::MAX_RANK;
            return Err(limit(format!("an array with more than {most} axes, indices included"), span));
        }
        match shape.size() <= ELEMENTS {
            true => Ok(()),
            false => {
                Err(limit(format!("shape {shape} has more than the limit of {ELEMENTS} elements"), span))
            }
        }
    }

    /// The number a constant node has.
    pub(super) fn constant(&self, id: Id) -> Option<f64> {
        super::constants::value(self.graph, id)
    }
}

/// A place for runs without a body.
const NOWHERE: ExprId = ExprId::FIRST;

pub(super) fn limit(message: String, span: Span) -> Fault {
    Box::new((ErrorKind::Limit, Diagnostic::error(message).at(span, "")))
}
