//! What is under way: a stack of runs, each a body that waits for the one above it.
//!
//! What must stay true: the nodes of a body are computed once each, in the order of its goals.

use super::call::Key;
use super::scan::Scan;
use super::unit::FunctionId;
use super::value::{Labels, Value};
use crate::syntax::ExprId;
use crate::syntax::program::Body;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// One run of a block: the values of its slots.
pub(super) struct Env {
    pub(super) library: bool,
    pub(super) function: FunctionId,
    pub(super) parent: Option<usize>,
    pub(super) slots: Vec<Option<Value>>,
    /// What the names of parameters made here begin with: `dense1.`.
    pub(super) path: String,
    /// Where the calls that lead here end: the order of parameters made here.
    pub(super) order: Vec<u32>,
}

/// What a run does next.
pub(super) enum Goal {
    /// Computes the nodes from `at` to `end`.
    Range { at: ExprId, end: ExprId },
    /// Finds the ranges of an index notation's indices, now that their arrays are known.
    Infer(ExprId),
}

/// What becomes of a run's results.
pub(super) enum Then {
    Slot {
        env: usize,
        slot: usize,
    },
    Call {
        key: Option<Key>,
        made: usize,
    },
    /// One slot after the other, each before the next body runs.
    Assign(Vec<usize>),
    Answer,
}

/// Bodies that are being run, one after the other.
pub(super) struct Run {
    pub(super) env: usize,
    /// Slots to be filled before the first body.
    pub(super) prelude: Vec<usize>,
    pub(super) bodies: Vec<Body>,
    pub(super) results: Vec<Value>,
    /// Of the body at hand, from its first node on.
    pub(super) values: Vec<Option<Value>>,
    pub(super) start: ExprId,
    pub(super) goals: Vec<Goal>,
    /// The labels of index notations that are open, or known ahead.
    pub(super) scopes: FxHashMap<ExprId, Labels>,
    pub(super) opened: SmallVec<[ExprId; 2]>,
    pub(super) then: Then,
}

pub(super) enum Frame {
    Run(Box<Run>),
    Scan(Scan),
}

impl Run {
    /// Makes ready for the next body, if there is one.
    pub(super) fn begin(&mut self) {
        self.values.clear();
        self.scopes.clear();
        self.opened.clear();
        let Some(body) = self.bodies.get(self.results.len()) else { return };
        self.start = body.start;
        self.values.resize(body.root.index() - body.start.index() + 1, None);
        self.goals.push(Goal::Range { at: body.start, end: body.root });
    }

    pub(super) fn advance(&mut self) {
        if let Some(Goal::Range { at, end }) = self.goals.last_mut() {
            if at == end {
                self.goals.pop();
            } else {
                *at = at.next();
            }
        }
    }

    /// The node at hand.
    pub(super) fn place(&self) -> Option<ExprId> {
        self.goals.last().map(|goal| match goal {
            Goal::Range { at, .. } => *at,
            Goal::Infer(scope) => *scope,
        })
    }
}
