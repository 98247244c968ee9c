//! `scan(step, init, xs)`: the states of a recurrence, stacked.
//!
//! The step is run once, on inputs that stand for its state and entry; what it made of them is the
//! body of a loop. Inside index notation, and where each step draws random numbers of its own, it is
//! run once for each entry instead, and the loop is written out.
//!
//! What must stay true: the inputs that stand for state and entry are in no model.

use super::call::Arg;
use super::frames::Frame;
use super::machine::{Machine, limit};
use super::value::{FunctionValue, Tensor, Value};
use crate::elaborate::apply::{Fault, shape_fault};
use crate::error::{Diagnostic, Span};
use crate::ir::{
    DType, Function, Graph, Id, NESTING, Op, ScanBody, ScanResult, Shape, Structural, Symbol, Type, reachable,
};

/// Steps of one scan that is written out, each a copy of the step's body.
const STEPS: u32 = 10_000;

/// What the names of inputs that stand for a state or an entry begin with; no name of a program does.
const PLACEHOLDER: &str = "scan ";

/// The inputs that stand for state and entry, and how many noises there were before.
struct Placeholders {
    state: Id,
    entry: Id,
    noises: usize,
}

/// A scan under way.
pub(super) struct Scan {
    step: FunctionValue,
    init: Tensor,
    xs: Tensor,
    count: u32,
    spans: [Span; 3],
    span: Span,
    pub(super) states: Vec<Value>,
    /// Of a scan that becomes a loop.
    looped: Option<Placeholders>,
}

impl Scan {
    pub(super) fn new(machine: &mut Machine<'_, '_>, args: Vec<Arg>, span: Span) -> Result<Scan, Fault> {
        let [step, init, xs] = <[Arg; 3]>::try_from(args).ok().expect("the call has been checked");
        let Value::Function(function) = step.value else {
            let diagnostic = Diagnostic::error("the first argument of `scan` is a function");
            let hint = "as in `step(h, x) = tanh(W@x + U@h)` and `scan(step, zeros(n), xs)`";
            return Err(shape_fault(diagnostic.at(step.span, "a value").hint(hint)));
        };
        let spans = [step.span, init.span, xs.span];
        let (init, xs) = (machine.tensor(&init.value, init.span)?, machine.tensor(&xs.value, xs.span)?);
        let Some(&count) = machine.shape(&xs).extents().first() else {
            let diagnostic = Diagnostic::error("`scan` goes along the first axis of its sequence");
            return Err(shape_fault(diagnostic.at(spans[2], "a number")));
        };
        if count == 0 {
            let diagnostic = Diagnostic::error("a scan along no entries has no states");
            return Err(shape_fault(diagnostic.at(spans[2], "has none")));
        }
        let mut scan =
            Scan { step: function, init, xs, count, spans, span, states: Vec::new(), looped: None };
        if scan.init.labels.is_empty() && scan.xs.labels.is_empty() {
            scan.looped = Some(machine.placeholders(&scan));
        }
        scan.check_length()?;
        Ok(scan)
    }

    fn check_length(&self) -> Result<(), Fault> {
        if self.looped.is_none() && self.count > STEPS {
            let text = format!("a scan over {} steps; at most {STEPS} are written out", self.count);
            return Err(limit(text, self.span));
        }
        Ok(())
    }
}

impl Machine<'_, '_> {
    /// The next step, or the end of a scan: `drive` comes here when one is on top.
    pub(super) fn scan_step(&mut self) -> Result<(), Fault> {
        let Some(Frame::Scan(scan)) = self.frames.last_mut() else {
            unreachable!("something is under way");
        };
        if let Some(Placeholders { state, entry, .. }) = scan.looped {
            return match scan.states.pop() {
                None => self.take_step(Tensor::plain(state).into(), Tensor::plain(entry)),
                Some(next) => self.end_loop(next),
            };
        }
        let (done, count) = (scan.states.len() as u32, scan.count);
        let (init, xs) = (scan.init.clone(), scan.xs.clone());
        let state = scan.states.last().cloned().unwrap_or(Value::Tensor(init.clone()));
        if done > 0 {
            self.check_state(&init, &state)?;
        }
        if done == count {
            return self.end_scan();
        }
        let x = self.row_of(&xs, done);
        self.take_step(state, x)
    }

    /// Calls the step of the scan on top.
    fn take_step(&mut self, state: Value, x: Tensor) -> Result<(), Fault> {
        let Some(Frame::Scan(scan)) = self.frames.last() else { return Ok(()) };
        let (spans, step) = (scan.spans, scan.step);
        let args = vec![
            Arg { name: None, value: state, span: spans[1] },
            Arg { name: None, value: x.into(), span: spans[2] },
        ];
        // The step's frame stands on the scan's; the unit is that of the frame below.
        if let Some(value) = self.invoke_below(step, args, spans[0])? {
            self.deliver(value);
        }
        Ok(())
    }

    fn placeholders(&mut self, scan: &Scan) -> Placeholders {
        let count = self.graph.symbols().len();
        let state = self.graph.ty(scan.init.node).clone();
        let extents = self.graph.shape(scan.xs.node).extents()[1..].to_vec();
        let entry = Type::new(self.graph.ty(scan.xs.node).dtype, Shape::new(extents));
        let [state, entry] = [("state", state), ("entry", entry)].map(|(what, ty)| {
            let ty = self.graph.type_id(ty);
            self.graph.input_of(&format!("{PLACEHOLDER}{count} {what}"), ty)
        });
        Placeholders { state, entry, noises: self.made.noises.len() }
    }

    /// The loop whose step makes `next` of the placeholders; or the same written out.
    fn end_loop(&mut self, next: Value) -> Result<(), Fault> {
        let Some(Frame::Scan(scan)) = self.frames.last() else { return Ok(()) };
        let init = scan.init.clone();
        self.check_state(&init, &next)?;
        let Some(Frame::Scan(scan)) = self.frames.last_mut() else { return Ok(()) };
        let (Value::Tensor(next), Some(Placeholders { state, entry, noises })) = (next, scan.looped.take())
        else {
            return Ok(());
        };
        let numbers = [init.node, scan.xs.node, next.node];
        let is_loop = next.labels.is_empty() && self.made.noises.len() == noises;
        if !is_loop || numbers.iter().any(|&id| self.graph.ty(id).dtype != DType::F64) {
            // Once more, each step on its own.
            self.made.noises.truncate(noises);
            return scan.check_length();
        }
        let (xs, steps, span) = (scan.xs.node, scan.count, scan.span);
        self.frames.pop();
        self.sealed -= 1;
        let shape = std::iter::once(steps).chain(self.graph.shape(init.node).extents().iter().copied());
        self.affordable(&Shape::new(shape), span)?;
        let (function, constants, copies) = step_of(self.graph, next.node, [state, entry]);
        self.copies.extend(copies);
        let body = ScanBody { function, steps, carries: 1, sequences: 1, backwards: false };
        if body.depth() > NESTING {
            return Err(limit(format!("more than {NESTING} scans within each other"), span));
        }
        let body = self.graph.intern_body(body);
        let operands: Vec<Id> = [init.node, xs].into_iter().chain(constants).collect();
        let states = self.graph.scan(body, ScanResult::Emitted(0), &operands);
        self.deliver(Tensor::plain(states).into());
        Ok(())
    }

    /// Calls from a scan's frame: names and paths are those of the run below it.
    fn invoke_below(
        &mut self,
        step: FunctionValue,
        args: Vec<Arg>,
        span: Span,
    ) -> Result<Option<Value>, Fault> {
        let scan = self.frames.pop().expect("the scan is on top");
        let height = self.frames.len();
        let result = self.invoke(step, args, span, span);
        self.frames.insert(height, scan);
        result
    }

    fn check_state(&mut self, init: &Tensor, state: &Value) -> Result<(), Fault> {
        let Some(Frame::Scan(scan)) = self.frames.last() else { return Ok(()) };
        let spans = scan.spans;
        let next = match state {
            Value::Tensor(tensor) => tensor.clone(),
            _ => return Err(shape_fault(Diagnostic::error("a step gives its next state").at(spans[0], ""))),
        };
        let (before, after) = (self.shape(init), self.shape(&next));
        if before == after {
            return Ok(());
        }
        let message = format!("the state has shape {before}, and the step makes shape {after} of it");
        let diagnostic = Diagnostic::error(message).at(spans[0], format!("gives shape {after}"));
        Err(shape_fault(
            diagnostic.and_at(spans[1], format!("shape {before}")).hint("a step gives its next state"),
        ))
    }

    fn end_scan(&mut self) -> Result<(), Fault> {
        let Some(Frame::Scan(scan)) = self.frames.pop() else { return Ok(()) };
        self.sealed -= 1;
        let mut states = Vec::with_capacity(scan.states.len());
        for state in &scan.states {
            states.push(self.tensor(state, scan.span)?);
        }
        let stacked = self.stacked(&states, scan.span)?;
        self.deliver(stacked.into());
        Ok(())
    }

    /// Entry `at` along the first axis.
    pub(super) fn row_of(&mut self, of: &Tensor, at: u32) -> Tensor {
        let axis = of.labels.len();
        if axis == 0 {
            return Tensor::plain(self.graph.pick(of.node, at));
        }
        let row = self.graph.slice(of.node, axis as u8, at, 1);
        let shape = crate::ir::structural::without(self.graph.shape(row), 1 << axis);
        Tensor { node: self.graph.reshape(row, &shape), labels: of.labels.clone() }
    }

    /// Tensors of one shape along a new first axis.
    pub(super) fn stacked(&mut self, of: &[Tensor], span: Span) -> Result<Tensor, Fault> {
        if of.iter().all(|t| t.labels.is_empty()) {
            let ids: Vec<Id> = of.iter().map(|t| t.node).collect();
            let count = [ids.len() as u32];
            let shape = count.into_iter().chain(self.graph.shape(ids[0]).extents().iter().copied());
            self.affordable(&crate::ir::Shape::new(shape), span)?;
            return Ok(Tensor::plain(self.graph.stack(&ids)));
        }
        let (_, labels) = self.aligned(of, span)?;
        let shape = self.shape(&of[0]);
        let mut ids = Vec::with_capacity(of.len());
        for tensor in of {
            ids.push(self.spread(tensor, &labels, &shape, span)?);
        }
        let stack = self.graph.stack(&ids);
        let rank = self.graph.shape(stack).rank();
        let order = (1..=labels.len()).chain([0]).chain(labels.len() + 1..rank);
        Ok(Tensor { node: self.graph.permute(stack, crate::ir::structural::pack_order(order)), labels })
    }
}

/// The function of one step, in a graph of its own: of state, entry and constants, which are the
/// nodes around the step that it needs. What does not depend on the step is computed once. With the
/// content of its nodes, and where those stood before.
fn step_of(graph: &Graph, next: Id, placeholders: [Id; 2]) -> (Function, Vec<Id>, Vec<(u64, Id)>) {
    let nodes = reachable(graph, &[next]);
    let mut varies = vec![false; graph.len()];
    // Numbers, and arrays of one number: not worth passing in.
    let mut plain = vec![false; graph.len()];
    for &id in &nodes {
        let operands = graph.operands(id);
        varies[id.index()] = placeholders.contains(&id) || operands.iter().any(|x| varies[x.index()]);
        plain[id.index()] = match graph.op(id) {
            Op::Constant(_) | Op::Structural(Structural::Iota) => true,
            Op::Input(_) => false,
            _ => operands.iter().all(|x| plain[x.index()]),
        };
    }
    let is_inside = |id: Id| varies[id.index()] || plain[id.index()] || graph.ty(id).dtype != DType::F64;
    let mut inside = vec![false; graph.len()];
    let mut constants = Vec::new();
    inside[next.index()] = is_inside(next);
    if !inside[next.index()] {
        constants.push(next);
    }
    for &id in nodes.iter().rev().filter(|id| !placeholders.contains(id)) {
        if !inside[id.index()] {
            continue;
        }
        for &x in graph.operands(id) {
            if is_inside(x) {
                inside[x.index()] = true;
            } else if !constants.contains(&x) {
                constants.push(x);
            }
        }
    }
    constants.sort_unstable();
    let mut inner = graph.clone();
    let inputs: Vec<Id> = placeholders.into_iter().chain(constants.iter().copied()).collect();
    let mut by = Vec::new();
    for (i, &id) in inputs.iter().enumerate() {
        let ty = inner.node(id).ty;
        by.push((id, inner.input_of(&format!("in {i}"), ty)));
    }
    let copied: Vec<Id> = nodes.iter().copied().filter(|&id| inside[id.index()]).collect();
    let copies = inner.replaced(&copied, &by);
    let copies = copies.iter().map(|&id| inner.key(id)).zip(copied).collect();
    let next = inner.replaced(&[next], &by)[0];
    let symbols: Vec<Symbol> = (0..inputs.len()).filter_map(|i| inner.symbol(&format!("in {i}"))).collect();
    (Function::new(inner, symbols, vec![next, next]).compacted(), constants, copies)
}

/// True for the inputs that stand for the state or the entry of a scan.
pub(super) fn is_placeholder(name: &str) -> bool {
    name.starts_with(PLACEHOLDER)
}
