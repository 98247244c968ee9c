//! Several vectors in a round of a loop: copies of its code, an instruction of each in turn.
//!
//! A processor looks at some hundred instructions at once. The code of an elementary function is as long,
//! and most of it waits for what is just before; where what comes next is of other vectors, some of it can
//! always go on. More vectors want more registers, and what goes to memory and back for them takes what
//! they gain: measured on a Zen 5 over 28 formulas in both precisions and at both levels, four vectors take
//! 0.44 to 1.0 of the time of one where they have up to three such moves in eight instructions, and up to
//! 1.2 beyond. Code that waits little for itself gains nothing: of a robot's arm, with seven sines that do
//! not depend on each other, four vectors take 1.5 times as long.
//!
//! What must stay true: copies have their values to themselves, but for invariants.

use super::allocate::{Meaning, Placed, allocate};
use super::body::{Body, Inst, Val, Vals};
use super::frame::{Frame, Mode};
use super::instr::{Instr, Place};
use super::select::{Kind, Part, Selected};
use super::uses::{Uses, pins, registers};

/// How many vectors may be in a round, the most first.
const VECTORS: [u8; 2] = [4, 2];

/// Instructions that can go on at once in code that needs no other vectors.
const WIDTH: usize = 8;

/// The code of so many vectors, and what stays in registers.
pub(super) struct Round {
    pub code: Vec<Selected>,
    pub uses: Uses,
    pub vectors: u8,
    pub pins: Vec<Val>,
}

impl Round {
    pub fn new(body: &Body, code: Vec<Selected>, vectors: u8) -> Round {
        let uses = Uses::new(body, &code);
        let pins = pins(body, &code, &uses, registers(body.level, Mode::Masked), |_| true);
        Round { code, uses, vectors, pins }
    }

    /// Elements of a stream in a round.
    pub fn elements(&self, frame: &Frame) -> i32 {
        i32::from(self.vectors) * frame.lanes() as i32
    }
}

/// As many vectors as registers allow, if it is more than one: the body then gets the values of the others.
pub(super) fn several(body: &mut Body, code: &[Selected], frame: &Frame) -> Option<Round> {
    let calls = code.iter().any(|selected| matches!(selected.kind, Kind::Foreign(_)));
    if calls || code.len() >= WIDTH * depth(body, code) {
        return None;
    }
    let length = body.insts.len();
    VECTORS.into_iter().find_map(|vectors| {
        let code = interleaved(body, code, vectors);
        let round = Round::new(body, code, vectors);
        let fixed = (&round.pins[..], &[][..]);
        let placed = allocate(body, &round.code, &round.uses, fixed, &mut frame.clone(), Mode::Whole);
        let moves = placed.iter().filter(|placed| is_move(placed)).count();
        if 8 * moves > 3 * round.code.len() {
            body.insts.truncate(length);
            return None;
        }
        Some(round)
    })
}

/// How many instructions wait for one another at most.
fn depth(body: &Body, code: &[Selected]) -> usize {
    let mut depths = vec![0; body.insts.len()];
    let mut most = 0;
    for Selected { def, uses, .. } in code {
        let depth = 1 + uses.iter().map(|x| depths[x.index()]).max().unwrap_or(0);
        most = most.max(depth);
        if let Some(def) = def {
            depths[def.index()] = depth;
        }
    }
    most
}

/// True for what only brings a value to or from memory.
fn is_move(placed: &Placed) -> bool {
    let is_in_memory =
        matches!(placed.instr, Instr::Vector(ref vector) if matches!(vector.last, Place::Memory(_)));
    matches!(placed.meaning, Meaning::Move(_)) && is_in_memory
}

/// The code of so many vectors.
fn interleaved(body: &mut Body, code: &[Selected], vectors: u8) -> Vec<Selected> {
    let originals = body.insts.clone();
    let copies: Vec<Vec<Val>> = (0..vectors).map(|vector| copy(body, &originals, vector)).collect();
    let each = code.iter().flat_map(|selected| (0..vectors).zip(&copies).map(move |copy| (selected, copy)));
    each.map(|(selected, (vector, copy))| {
        let uses: Vec<Val> = selected.uses.iter().map(|x| copy[x.index()]).collect();
        let kind = match selected.kind {
            Kind::Load(stream, Part::Lanes(_)) => Kind::Load(stream, Part::Lanes(vector)),
            Kind::Store(stream, Part::Lanes(_)) => Kind::Store(stream, Part::Lanes(vector)),
            Kind::Sum(stream, _) => Kind::Sum(stream, vector),
            kind => kind,
        };
        let def = selected.def.map(|x| copy[x.index()]);
        Selected { kind, def, uses: Vals::new(&uses), ..*selected }
    })
    .collect()
}

/// What each value is called in a vector; the first one has the originals.
fn copy(body: &mut Body, originals: &[Inst], vector: u8) -> Vec<Val> {
    let mut names: Vec<Val> = (0..originals.len() as u32).map(Val).collect();
    for (at, inst) in originals.iter().enumerate().filter(|(_, inst)| vector > 0 && !inst.op.is_invariant()) {
        let operands: Vec<Val> = inst.operands.iter().map(|x| names[x.index()]).collect();
        names[at] = Val(body.insts.len() as u32);
        body.insts.push(Inst { operands: Vals::new(&operands), ..*inst });
    }
    names
}
