//! Where values are used: how long they live, how many at once, which are worth a register of their own.
//!
//! What must stay true: uses are in the order of the code.

use super::body::{Body, Op, Val};
use super::frame::Mode;
use super::level::Level;
use super::select::Selected;

/// Which values share registers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Vector = 0,
    Mask = 1,
}

/// The class of a value.
pub(super) fn class(body: &Body, value: Val) -> Class {
    match body.level == Level::L512 && body.insts[value.index()].op.is_mask() {
        true => Class::Mask,
        false => Class::Vector,
    }
}

/// Where each value is used, in order.
#[derive(Debug)]
pub(super) struct Uses {
    starts: Vec<u32>,
    places: Vec<u32>,
}

impl Uses {
    pub fn new(body: &Body, code: &[Selected]) -> Uses {
        let mut starts = vec![0u32; body.insts.len() + 1];
        let each = || code.iter().enumerate().flat_map(|(i, s)| s.uses.iter().map(move |v| (i, v.index())));
        each().for_each(|(_, v)| starts[v + 1] += 1);
        for v in 0..body.insts.len() {
            starts[v + 1] += starts[v];
        }
        let mut ends = starts.clone();
        let mut places = vec![0; *ends.last().expect("one more than there are values") as usize];
        for (i, v) in each() {
            places[ends[v] as usize] = i as u32;
            ends[v] += 1;
        }
        Uses { starts, places }
    }

    pub fn of(&self, value: Val) -> &[u32] {
        &self.places[self.starts[value.index()] as usize..self.starts[value.index() + 1] as usize]
    }
}

/// The invariants that stay in registers, of those that may, most used first; register i holds number i.
pub(super) fn pins(
    body: &Body,
    code: &[Selected],
    uses: &Uses,
    available: u8,
    may: impl Fn(Op) -> bool,
) -> Vec<Val> {
    let free = available.saturating_sub(most_alive(body, code, uses).saturating_add(2));
    let invariants = (0..body.insts.len() as u32).map(Val);
    let mut invariants: Vec<Val> =
        invariants.filter(|v| can_pin(body, *v, &may) && !uses.of(*v).is_empty()).collect();
    invariants.sort_by_key(|v| std::cmp::Reverse(uses.of(*v).len()));
    invariants.truncate(usize::from(free));
    invariants
}

/// True for invariants that need a register: the tail's mask has one.
fn can_pin(body: &Body, value: Val, may: impl Fn(Op) -> bool) -> bool {
    let op = body.insts[value.index()].op;
    op.is_invariant() && op != Op::Tail && may(op)
}

/// How many vector registers there are for values.
pub(super) fn registers(level: Level, mode: Mode) -> u8 {
    match (level, mode) {
        (Level::L512, _) => 32,
        (_, Mode::Whole | Mode::NonTemporal) => 16,
        // The last one is the tail's mask.
        (_, Mode::Masked | Mode::Tail) => 15,
    }
}

/// The most vectors alive at once that were computed.
fn most_alive(body: &Body, code: &[Selected], uses: &Uses) -> u8 {
    let (mut alive, mut most) = (0usize, 0usize);
    let counts = |v: Val| class(body, v) == Class::Vector && !body.insts[v.index()].op.is_invariant();
    for (i, selected) in code.iter().enumerate() {
        alive += usize::from(selected.def.is_some_and(counts));
        most = most.max(alive);
        for (k, &v) in selected.uses.iter().enumerate() {
            let last = uses.of(v).last() == Some(&(i as u32));
            alive -= usize::from(last && counts(v) && !selected.uses[..k].contains(&v));
        }
    }
    most.min(255) as u8
}
