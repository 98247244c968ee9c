//! Where a fault is shown, and where a node comes from: always in the program's own text, never in the
//! library's.

use super::frames::Frame;
use super::machine::Machine;
use super::words::quoted;
use crate::elaborate::origins::Origins;
use crate::error::{Diagnostic, Error, ErrorKind, Span};
use crate::syntax::{ExprId, ExprKind};

/// What functions of the library take, told where something else does not fit.
#[rustfmt::skip]
const TAKES: &[(&[&str], &str)] = &[
    (&["conv2d", "maxpool2d", "avgpool2d"], "images are x[channels, rows, columns]; `reshape(x, 1, rows(x), size(x, 1))` adds a channel"),
    (&["rnn", "gru", "lstm", "attention"],  "sequences are xs[steps, width]"),
    (&["cross_entropy"],                    "call it as `cross_entropy(logits, class)`: a vector, and a class or a vector of probabilities"),
    (&["dense"],                            "a layer takes a vector; `flatten(x)` makes one"),
];

impl Machine<'_, '_> {
    /// Where every node comes from.
    pub(super) fn origins(&self) -> Origins {
        let mut origins = self.journal.origins(self.graph);
        for &(key, id) in &self.copies {
            if let Some(origin) = self.journal.place(id) {
                origins.also(key, origin);
            }
        }
        origins
    }

    /// The node at hand, where it is of the program and not of the library.
    pub(super) fn own_place(&self) -> Option<ExprId> {
        match self.frames.last() {
            Some(Frame::Run(run)) if !self.envs[run.env].library => run.place(),
            _ => None,
        }
    }

    /// Nodes from `first` on were made at a place, or by what was called from below.
    pub(super) fn note_place(&mut self, first: usize, place: Option<ExprId>) {
        let (within, place) = match (place, self.library_call()) {
            (Some(place), _) => (None, Some(place)),
            (None, Some((frame, env))) => {
                (Some(self.unit_of(true).blocks[env.function].name.as_str()), self.waiting(frame))
            }
            (None, None) => (None, self.waiting(self.frames.len())),
        };
        if let Some(place) = place {
            self.journal.enter(first, self.user.ast.span(place), within);
        }
    }

    /// An error with its place in the text, and the call it happened in.
    pub(super) fn located(&self, (kind, diagnostic): (ErrorKind, Diagnostic)) -> Error {
        if let Some((frame, env)) = self.library_call() {
            let name = &self.unit_of(true).blocks[env.function].name;
            let message = format!("{}, in `{name}`", diagnostic.message);
            let mut moved = Diagnostic { message, labels: Vec::new(), ..diagnostic };
            if let Some((_, takes)) = TAKES.iter().find(|(names, _)| names.contains(&name.as_str())) {
                moved = moved.hint(*takes);
            }
            let Some(call) = self.waiting(frame) else { return Error::new(kind, moved) };
            let place = self.user.ast.span(call);
            return Error::new(kind, self.with_arguments(moved.at(place, "in this call"), frame, call));
        }
        let inner = self.frames.iter().rposition(|frame| matches!(frame, Frame::Run(_)));
        match inner.and_then(|frame| self.call_before(frame)) {
            Some(span) => Error::new(kind, diagnostic.and_at(span, "in this call")),
            None => Error::new(kind, diagnostic),
        }
    }

    /// The node of the program that waits for the run at `frame`.
    pub(super) fn waiting(&self, frame: usize) -> Option<ExprId> {
        self.frames[..frame].iter().rev().find_map(|below| match below {
            Frame::Run(run) if !self.envs[run.env].library => run.place(),
            _ => None,
        })
    }

    /// Where the function that runs at `frame` was called, if it was.
    fn call_before(&self, frame: usize) -> Option<Span> {
        match &self.frames[frame] {
            Frame::Run(run) if matches!(run.then, super::frames::Then::Call { .. }) => {
                self.waiting(frame).map(|id| self.user.ast.span(id))
            }
            _ => None,
        }
    }

    /// The shapes of what a function of the library was called with.
    fn with_arguments(&self, mut diagnostic: Diagnostic, frame: usize, call: ExprId) -> Diagnostic {
        let ast = &self.user.ast;
        let ExprKind::Call { args, .. } = ast[call].kind else { return diagnostic };
        let waiting = self.frames[..frame].iter().rev().find_map(|below| match below {
            Frame::Run(run) if !self.envs[run.env].library => Some(run),
            _ => None,
        });
        let Some(run) = waiting else { return diagnostic };
        for &arg in ast.list(args) {
            let value = arg.index().checked_sub(run.start.index()).and_then(|i| run.values.get(i)?.as_ref());
            if let Some(super::value::Value::Tensor(tensor)) = value {
                let described = crate::elaborate::tensor::described(&self.shape(tensor));
                let text = quoted(ast.text(arg));
                diagnostic = diagnostic.and_at(ast.span(arg), format!("`{text}` is {described}"));
            }
        }
        diagnostic
    }
}
