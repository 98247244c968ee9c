//! `scan(step, init, xs)`: the states of a recurrence, stacked. Unrolled here.

use super::call::Arg;
use super::frames::Frame;
use super::machine::{Machine, limit};
use super::value::{FunctionValue, Tensor, Value};
use crate::elaborate::apply::{Fault, shape_fault};
use crate::error::{Diagnostic, Span};
use crate::ir::Id;

/// Steps of one scan, each a copy of the step's body.
const STEPS: u32 = 10_000;

/// A scan under way.
pub(super) struct Scan {
    step: FunctionValue,
    init: Tensor,
    xs: Tensor,
    count: u32,
    spans: [Span; 3],
    span: Span,
    pub(super) states: Vec<Value>,
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
        if count > STEPS {
            return Err(limit(format!("a scan over {count} steps; at most {STEPS} are unrolled"), span));
        }
        Ok(Scan { step: function, init, xs, count, spans, span, states: Vec::new() })
    }
}

impl Machine<'_, '_> {
    /// The next step, or the end of a scan: `drive` comes here when one is on top.
    pub(super) fn scan_step(&mut self) -> Result<(), Fault> {
        let Some(Frame::Scan(scan)) = self.frames.last_mut() else {
            unreachable!("something is under way");
        };
        let (done, count) = (scan.states.len() as u32, scan.count);
        let spans = scan.spans;
        let (init, xs, step) = (scan.init.clone(), scan.xs.clone(), scan.step);
        let state = scan.states.last().cloned().unwrap_or(Value::Tensor(init.clone()));
        if done > 0 {
            self.check_state(&init, &state)?;
        }
        if done == count {
            return self.end_scan();
        }
        let x = self.row_of(&xs, done);
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
