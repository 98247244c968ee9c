//! Resolved text: every name bound, every juxtaposition decided, shapes still unknown.
//!
//! What must stay true: operands stand before their users, and the nodes of one definition are
//! contiguous, so that running a body is a loop over a range.

use super::names::Builtin;
use crate::error::Span;
use crate::ir::Number;
use crate::syntax::CompareOp;
use std::fmt;
use std::ops::Range;

macro_rules! index {
    ($($(#[$doc:meta])* $name:ident $prefix:literal;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(super) struct $name(u32);

        impl $name {
            pub(super) fn new(index: usize) -> $name {
                $name(u32::try_from(index).expect("sizes are bounded by the node budget"))
            }

            pub(super) fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    )* };
}

index! {
    /// A node of one [`Code`].
    CodeId "c";
    /// A free variable of the text.
    VariableId "v";
    /// A definition of one [`Program`].
    DefinitionId "f";
}

/// What is called: something built in, a definition of the library, or one of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Callee {
    Builtin(Builtin),
    Library(DefinitionId),
    Defined(DefinitionId),
}

/// What a node computes from its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CodeOp {
    /// An index into [`Code::numbers`].
    Number(u32),
    E,
    Variable(VariableId),
    /// A parameter of the definition the node belongs to.
    Parameter(u32),
    Call(Callee),
    Compare(CompareOp),
    /// `|x|`
    Bars,
    Transpose,
    Vector,
    MatMul,
    Dot,
    /// The operands are the base and all bounds written; the axes are `Code::axes[start..][..len]`.
    Index {
        start: u32,
        len: u32,
    },
}

/// One axis of an index: which bounds are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axis {
    At,
    Range { from: bool, to: bool },
}

/// One node, with its place in the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct CodeNode {
    pub(super) op: CodeOp,
    pub(super) span: Span,
    start: u32,
    len: u32,
}

/// An arena of nodes.
#[derive(Debug, Default)]
pub(super) struct Code {
    pub(super) nodes: Vec<CodeNode>,
    operands: Vec<CodeId>,
    pub(super) numbers: Vec<Number>,
    axes: Vec<Axis>,
}

impl Code {
    pub(super) fn push(&mut self, op: CodeOp, operands: &[CodeId], span: Span) -> CodeId {
        let id = CodeId::new(self.nodes.len());
        let start = CodeId::new(self.operands.len()).0;
        self.operands.extend_from_slice(operands);
        self.nodes.push(CodeNode { op, span, start, len: operands.len() as u32 });
        id
    }

    pub(super) fn push_index(&mut self, axes: &[Axis], operands: &[CodeId], span: Span) -> CodeId {
        let start = CodeId::new(self.axes.len()).0;
        self.axes.extend_from_slice(axes);
        self.push(CodeOp::Index { start, len: axes.len() as u32 }, operands, span)
    }

    pub(super) fn op(&self, id: CodeId) -> CodeOp {
        self.nodes[id.index()].op
    }

    pub(super) fn span(&self, id: CodeId) -> Span {
        self.nodes[id.index()].span
    }

    pub(super) fn operands(&self, id: CodeId) -> &[CodeId] {
        let node = &self.nodes[id.index()];
        &self.operands[node.start as usize..(node.start + node.len) as usize]
    }

    pub(super) fn axes(&self, start: u32, len: u32) -> &[Axis] {
        &self.axes[start as usize..(start + len) as usize]
    }

    /// The number a node stands for, if it is written as one.
    pub(super) fn number(&self, id: CodeId) -> Option<&Number> {
        match self.op(id) {
            CodeOp::Number(n) => Some(&self.numbers[n as usize]),
            _ => None,
        }
    }
}

/// One statement: a definition, or the expression at the end.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) name: String,
    pub(super) name_span: Span,
    /// `None` for a value; the names of a function's parameters otherwise.
    pub(super) params: Option<Vec<String>>,
    /// Values of the last parameters where a call leaves them out (the library's only).
    pub(super) defaults: Vec<Number>,
    pub(super) body: Range<usize>,
    pub(super) root: CodeId,
}

/// A resolved text.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) code: Code,
    pub(super) definitions: Vec<Definition>,
    /// The text, for messages that quote it.
    pub(super) source: String,
}

/// At most `most` characters of a text, on one line.
pub(super) fn shorten(text: &str, most: usize) -> String {
    let flat = |c: char| if c.is_control() { ' ' } else { c };
    let mut shown: String = text.chars().take(most).map(flat).collect();
    if text.chars().nth(most).is_some() {
        shown.push('…');
    }
    shown
}
