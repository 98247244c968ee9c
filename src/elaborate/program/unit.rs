//! A resolved program: blocks with their slots, and what every name in it refers to.
//!
//! What must stay true: a unit is never changed once it is resolved, so that one elaborated
//! library serves all programs; slots hold no values, those live in the machine.

use crate::elaborate::names::Builtin;
use crate::error::Span;
use crate::syntax::program::{Body, Bounds, FunctionKind, Setting, Start};
use crate::syntax::{Ast, ExprId};
use rustc_hash::FxHashMap;

use super::extra::Extra;

/// A block of one [`Unit`]: the program itself is the first.
pub(super) type FunctionId = usize;

/// What a name refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Ref {
    /// A slot of the block `up` levels out.
    Slot {
        up: u8,
        slot: u32,
    },
    /// The `index`-th index of an index notation.
    Index {
        scope: ExprId,
        index: u8,
    },
    /// A slot of the library's outermost block.
    Library(u32),
    Builtin(Builtin),
    Extra(Extra),
    Pi,
    E,
    Truth(bool),
    Clock(ClockName),
}

/// What only an optimizer or a schedule knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum ClockName {
    Step,
    Steps,
    Epoch,
    Plateaus,
}

/// What a slot of a block is filled with.
#[derive(Clone, Debug)]
pub(super) enum SlotKind {
    /// A parameter of the function, perhaps with a default.
    Parameter(Option<Body>),
    Dim(Body),
    Input(Vec<Body>),
    Param {
        extents: Vec<Body>,
        start: Start,
        bounds: Option<Bounds>,
    },
    Value(Body),
    Function(FunctionId),
    /// Filled from outside: `w` and `g` of an optimizer, and what it computes on the way.
    Given,
    /// A state of an optimizer, with its first value.
    State(Body),
}

/// A name of a block.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) name: String,
    pub(super) span: Span,
    pub(super) kind: SlotKind,
}

/// A function, or the program itself.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) kind: FunctionKind,
    /// Empty for the program itself.
    pub(super) name: String,
    /// The parameters come first.
    pub(super) slots: Vec<Slot>,
    pub(super) parameters: usize,
    pub(super) value: Option<Body>,
    /// Of an optimizer: what is assigned to which slot, in order.
    pub(super) sequence: Vec<(u32, Body)>,
}

/// What a program asks for besides its definitions.
#[derive(Clone, Debug, Default)]
pub(super) struct Requests {
    pub(super) metrics: Vec<(String, Span, Body)>,
    /// `minimize f` or `maximize f`: whether it is the latter, and the place of the word.
    pub(super) objectives: Vec<(bool, Span, Body)>,
    pub(super) train: Vec<(Span, Vec<Setting>)>,
    pub(super) data: Vec<(Span, Vec<Setting>)>,
}

/// A program with all names resolved.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    pub(super) ast: Ast,
    pub(super) blocks: Vec<Block>,
    pub(super) requests: Requests,
    pub(super) is_library: bool,
    /// By expression: what a name, or a call's callee, refers to.
    pub(super) refs: FxHashMap<ExprId, Ref>,
    /// By expression: the first node of what is below it.
    pub(super) first: Vec<ExprId>,
    /// By expression: the nesting depths of the indices it depends on, as bits.
    pub(super) free: Vec<u64>,
    /// By first node of a body: the index notations that begin there, outermost first.
    pub(super) opens: FxHashMap<ExprId, Vec<ExprId>>,
    /// How deep an index notation is nested in others.
    pub(super) depths: FxHashMap<ExprId, u8>,
}

impl Unit {
    /// How a function is called, for messages.
    pub(super) fn signature(&self, function: FunctionId) -> String {
        let block = &self.blocks[function];
        let parameters = block.slots[..block.parameters].iter().map(|slot| match slot.kind {
            SlotKind::Parameter(Some(default)) => {
                format!("{} = {}", slot.name, self.ast.text(default.root))
            }
            _ => slot.name.clone(),
        });
        format!("{}({})", block.name, parameters.collect::<Vec<_>>().join(", "))
    }
}
