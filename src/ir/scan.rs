//! Recurrences that stay loops: a body of one step, run along sequences.
//!
//! A scan has carries (its state), sequences (one entry a step) and constants (the same at every
//! step). Its operands are the carries' first values, the sequences with a leading axis of steps,
//! and the constants. The body's inputs are, in this order, carries, entries, constants; its outputs
//! are the next carries and what the step emits. A node is one of the scan's results, see
//! [`ScanResult`]; nodes of one body and the same operands are one loop.
//!
//! What must stay true: a body has no inputs but its own, and its symbols are those inputs in order;
//! what a body computes depends on its text only, which is what bodies are interned by.

use super::{DType, Function, Graph, Id, Op, Shape, Symbol, Type, text};
use rustc_hash::{FxHashMap, FxHasher};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Scans within bodies of scans within bodies …, at most.
pub const NESTING: usize = 8;

/// A scan's body, interned in one graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Body(pub(super) u32);

/// One step of a scan, and how it is repeated.
#[derive(Clone)]
pub struct ScanBody {
    pub function: Function,
    pub steps: u32,
    pub carries: usize,
    pub sequences: usize,
    /// From the last entry of the sequences to the first; what is emitted keeps their order.
    pub backwards: bool,
}

/// What a scan's node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanResult {
    /// A carry after the last step.
    Last(usize),
    /// What the steps emit, along a leading axis.
    Emitted(usize),
    /// A carry before each step, along a leading axis: the tape of reverse mode.
    Before(usize),
}

impl ScanBody {
    /// How many things a step emits.
    pub fn emitted(&self) -> usize {
        self.function.outputs().len() - self.carries
    }

    /// Constants, the same at every step.
    pub fn constants(&self) -> usize {
        self.function.inputs().len() - self.carries - self.sequences
    }

    /// Results are numbered: carries after the last step, emitted, carries before each step.
    pub fn result(&self, output: u32) -> ScanResult {
        let (output, outputs) = (output as usize, self.function.outputs().len());
        match output {
            _ if output < self.carries => ScanResult::Last(output),
            _ if output < outputs => ScanResult::Emitted(output - self.carries),
            _ => ScanResult::Before(output - outputs),
        }
    }

    /// The number of a result.
    pub fn output(&self, result: ScanResult) -> u32 {
        let outputs = self.function.outputs().len();
        (match result {
            ScanResult::Last(i) => i,
            ScanResult::Emitted(j) => self.carries + j,
            ScanResult::Before(i) => outputs + i,
        }) as u32
    }

    /// The shape of a result.
    pub fn shape(&self, output: u32) -> Shape {
        let graph = self.function.graph();
        let along =
            |shape: &Shape| Shape::new(std::iter::once(self.steps).chain(shape.extents().iter().copied()));
        match self.result(output) {
            ScanResult::Last(i) => graph.shape(self.function.outputs()[i]).clone(),
            ScanResult::Emitted(j) => along(graph.shape(self.function.outputs()[self.carries + j])),
            ScanResult::Before(i) => along(&self.input_type(i).shape),
        }
    }

    /// The type of an input of the body.
    pub fn input_type(&self, input: usize) -> &Type {
        let graph = self.function.graph();
        graph.type_of(graph.symbol_type(self.function.inputs()[input]))
    }

    /// The order in which entries are taken.
    pub fn order(&self) -> impl Iterator<Item = usize> + use<> {
        let (steps, backwards) = (self.steps as usize, self.backwards);
        (0..steps).map(move |t| if backwards { steps - 1 - t } else { t })
    }

    /// How deep scans are nested in the body, itself counting.
    pub fn depth(&self) -> usize {
        let graph = self.function.graph();
        1 + graph.bodies().map(|body| graph.body(body).depth()).max().unwrap_or(0)
    }

    /// What bodies are told apart by.
    pub fn text(&self) -> String {
        let direction = if self.backwards { " backwards" } else { "" };
        let ScanBody { steps, carries, sequences, .. } = self;
        let head = format!("steps {steps} carries {carries} sequences {sequences}{direction}");
        format!("{head}\n{}", text::write(&self.function))
    }

    /// The fact the scan's operands break, in words.
    pub(super) fn check(&self, graph: &Graph, id: Id, output: u32) -> Result<(), &'static str> {
        let (f, operands) = (&self.function, graph.operands(id));
        if self.steps == 0 {
            return Err("a scan has a step");
        }
        if self.carries > f.outputs().len() || self.carries + self.sequences > f.inputs().len() {
            return Err("a scan's body lacks inputs or outputs");
        }
        if operands.len() != f.inputs().len() {
            return Err("a scan has an operand for each input of its body");
        }
        if output as usize >= f.outputs().len() + self.carries || *graph.shape(id) != self.shape(output) {
            return Err("the result is none of the scan's");
        }
        for (i, &x) in operands.iter().enumerate() {
            let ty = self.input_type(i);
            let is_entry = (self.carries..self.carries + self.sequences).contains(&i);
            let extents = graph.shape(x).extents();
            let fits = match is_entry {
                true => extents.first() == Some(&self.steps) && extents[1..] == *ty.shape.extents(),
                false => extents == ty.shape.extents(),
            };
            if !fits || graph.ty(x).dtype != DType::F64 || ty.dtype != DType::F64 {
                return Err("an operand does not fit the scan's body");
            }
        }
        for i in 0..self.carries {
            if f.graph().ty(f.outputs()[i]) != self.input_type(i) {
                return Err("a carry changes its type");
            }
        }
        if f.outputs().iter().any(|&y| f.graph().ty(y).dtype != DType::F64) {
            return Err("a scan emits truth values");
        }
        super::verify::verify(f.graph(), f.outputs()).map_err(|_| "the scan's body is at fault")
    }
}

/// The bodies of a graph.
#[derive(Clone, Default)]
pub(super) struct Bodies {
    all: Vec<(Arc<ScanBody>, u64)>,
    by_text: FxHashMap<String, Body>,
}

impl Graph {
    /// The body, shared with every equal one.
    pub fn intern_body(&mut self, body: ScanBody) -> Body {
        self.intern_shared(&Arc::new(body))
    }

    fn intern_shared(&mut self, body: &Arc<ScanBody>) -> Body {
        let text = body.text();
        if let Some(&known) = self.bodies.by_text.get(&text) {
            return known;
        }
        let mut hasher = FxHasher::default();
        text.hash(&mut hasher);
        let id = Body(self.bodies.all.len() as u32);
        self.bodies.all.push((Arc::clone(body), hasher.finish()));
        self.bodies.by_text.insert(text, id);
        id
    }

    pub fn body(&self, body: Body) -> &Arc<ScanBody> {
        &self.bodies.all[body.0 as usize].0
    }

    /// A hash of what the body computes.
    pub(super) fn body_key(&self, body: Body) -> u64 {
        self.bodies.all[body.0 as usize].1
    }

    /// All bodies ever interned.
    pub fn bodies(&self) -> impl Iterator<Item = Body> + use<> {
        (0..self.bodies.all.len() as u32).map(Body)
    }

    /// One result of a scan.
    pub fn scan(&mut self, body: Body, result: ScanResult, operands: &[Id]) -> Id {
        let scan = Arc::clone(self.body(body));
        let output = scan.output(result);
        let ty = self.type_id(Type::new(DType::F64, scan.shape(output)));
        let id = self.intern(Op::Scan { body, output }, operands, ty);
        debug_assert_eq!(scan.check(self, id, output), Ok(()));
        id
    }

    /// The op of another graph's node as one of this graph's, where they name what is interned.
    pub fn adopted(&mut self, op: Op, from: &Graph) -> Op {
        match op {
            Op::Scan { body, output } => Op::Scan { body: self.intern_shared(from.body(body)), output },
            op => op,
        }
    }

    /// The outputs of a function, its inputs replaced by nodes of this graph.
    pub fn instance(&mut self, function: &Function, inputs: &[Id]) -> Vec<Id> {
        let other = function.graph();
        let place: FxHashMap<Symbol, Id> =
            function.inputs().iter().copied().zip(inputs.iter().copied()).collect();
        let mut new: FxHashMap<Id, Id> = FxHashMap::default();
        for id in super::reachable(other, function.outputs()) {
            let operands: Vec<Id> = other.operands(id).iter().map(|x| new[x]).collect();
            let copy = match other.op(id) {
                Op::Input(symbol) => place[&symbol],
                Op::Constant(constant) => self.exact(other.number(constant).clone()),
                op => {
                    let (op, ty) = (self.adopted(op, other), self.type_id(other.ty(id).clone()));
                    self.intern(op, &operands, ty)
                }
            };
            new.insert(id, copy);
        }
        function.outputs().iter().map(|y| new[y]).collect()
    }

    /// The roots with their scans written out, step by step.
    pub fn unrolled(&mut self, roots: &[Id]) -> Vec<Id> {
        let mut roots = roots.to_vec();
        loop {
            let scans: Vec<Id> = super::reachable(self, &roots)
                .into_iter()
                .filter(|&id| matches!(self.op(id), Op::Scan { .. }))
                .collect();
            // The first may be an operand of others, and its body may hold more.
            let Some(&first) = scans.first() else { return roots };
            let written = self.written_out(first);
            roots = self.replaced(&roots, &[(first, written)]);
        }
    }

    fn written_out(&mut self, id: Id) -> Id {
        let Op::Scan { body, output } = self.op(id) else { return id };
        let scan = Arc::clone(self.body(body));
        let operands = self.operands(id).to_vec();
        let (carries, sequences) = (scan.carries, scan.sequences);
        let mut state = operands[..carries].to_vec();
        let mut rows = vec![state.first().copied().unwrap_or(id); scan.steps as usize];
        for t in scan.order() {
            let mut inputs = state.clone();
            for &xs in &operands[carries..carries + sequences] {
                inputs.push(self.entry(xs, t as u32));
            }
            inputs.extend(&operands[carries + sequences..]);
            let before = std::mem::take(&mut state);
            let made = self.instance(&scan.function, &inputs);
            state = made[..carries].to_vec();
            rows[t] = match scan.result(output) {
                ScanResult::Last(_) => continue,
                ScanResult::Emitted(j) => made[carries + j],
                ScanResult::Before(i) => before[i],
            };
        }
        match scan.result(output) {
            ScanResult::Last(i) => state[i],
            _ => self.stack(&rows),
        }
    }

    /// Entry `at` along the first axis.
    pub fn entry(&mut self, x: Id, at: u32) -> Id {
        let row = self.slice(x, 0, at, 1);
        let shape = super::structural::without(self.shape(row), 1);
        self.reshape(row, &shape)
    }
}

impl fmt::Display for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}", self.0)
    }
}
