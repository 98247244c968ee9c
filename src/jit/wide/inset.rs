//! A short body in the midst of other code, some of whose vectors it works on.
//!
//! What must stay true: vectors of the code around, and all of the general registers but what its places
//! name, stay as they are; a body needs no memory but its streams and constants, to which R11 points.

use super::allocate::{Carried, allocate};
use super::assemble::used;
use super::body::{Body, Op, Val, Width};
use super::frame::{Frame, Mode};
use super::instr::{Instr, Memory, Register};
use super::level::Level;
use super::pool::Pool;
use super::select::{Kind, Selected, select};
use super::uses::{Class, Uses, class, registers};
use super::verify::verify;

/// A body that works on one vector of the code around, its first value, and can be put in many places.
#[derive(Debug)]
pub struct Inset {
    body: Body,
    code: Vec<Selected>,
    uses: Uses,
    used: Vec<bool>,
    /// Registers that an instruction needs besides that of the vector given, at most.
    needs: usize,
}

impl Inset {
    /// A body without instructions, and the vector that it works on.
    pub fn body(level: Level, element: Width) -> (Body, Val) {
        let mut body = Body::new(level, element);
        let given = body.push(Op::Slot(0), element, &[]);
        (body, given)
    }

    /// That body with instructions; `None` where they are more than `most`, or call functions.
    pub fn new(mut body: Body, most: usize) -> Option<Inset> {
        let code = select(&mut body);
        let is_simple = |s: &Selected| {
            !matches!(s.kind, Kind::Foreign(_) | Kind::Rare(_) | Kind::Gather(..) | Kind::Position(_))
        };
        if code.len() > most || !code.iter().all(is_simple) {
            return None;
        }
        let (uses, used) = (Uses::new(&body, &code), used(&body, &code));
        let needs = code.iter().map(|selected| needs(&body, selected)).max().unwrap_or(0);
        Some(Inset { body, code, uses, used, needs })
    }

    /// The code over streams at places, on one of the first `taken` registers, which all belong to the code
    /// around. `None` where the others are too few.
    pub fn write(
        &self,
        constants: &mut Constants,
        (register, taken): (Register, usize),
        streams: &[Memory],
    ) -> Option<Vec<Instr>> {
        let Inset { body, code, uses, used, needs } = self;
        let frame = &mut constants.frame;
        if taken + needs > usize::from(registers(body.level, Mode::Tail)) {
            return None;
        }
        frame.enter(body, used, streams.iter().map(|&place| (place, None)).collect());
        frame.keep_slots(0);
        frame.taken = (1 << taken) - 1;
        let carried = [Carried { slot: 0, register, before: GIVEN, after: GIVEN, at_once: false }];
        let fixed = (&[][..], &carried[..]);
        let placed = allocate(body, code, uses, fixed, frame, Mode::Tail);
        debug_assert_eq!(verify(body, code, fixed, &placed, frame), Ok(()));
        (frame.scratch() == 0).then(|| placed.into_iter().map(|placed| placed.instr).collect())
    }
}

/// The vector registers of an instruction's operands and its result; constants are in memory where they
/// can be.
fn needs(body: &Body, selected: &Selected) -> usize {
    let in_memory = |at: usize, value: Val| {
        let is_last = matches!(selected.kind, Kind::Plain(..)) && at + 1 == selected.uses.len();
        is_last && matches!(body.insts[value.index()].op, Op::Constant(_))
    };
    let operands = selected.uses.iter().enumerate().filter(|&(at, &value)| {
        value != GIVEN && class(body, value) == Class::Vector && !in_memory(at, value)
    });
    operands.count() + 1
}

/// The vector an inset works on.
const GIVEN: Val = Val(0);

/// The constants of insets, and masks.
pub struct Constants {
    frame: Frame,
}

impl Constants {
    pub fn new(level: Level, element: Width) -> Constants {
        let mut frame = Frame::new(level, element);
        frame.append_masks();
        Constants { frame }
    }

    /// The mask register, or at 256 bits the vector register, that tails are masked by.
    pub fn mask(&self) -> Register {
        self.frame.tail_mask()
    }

    /// Puts the mask of so many lanes there.
    pub fn load_mask(&self, lanes: usize) -> Instr {
        self.frame.load_mask(lanes)
    }

    pub fn pool(&self) -> &Pool {
        self.frame.pool()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elementary::{Foreign, Machine};
    use crate::jit::wide::Gpr;

    /// y = a·b + given
    fn inset(level: Level) -> Inset {
        let (mut body, given) = Inset::body(level, Width::Double);
        let [a, b] = [0, 1].map(|stream| body.push(Op::Load(stream), Width::Double, &[]));
        let y = body.machine(Width::Double).fma(a, b, given);
        body.push(Op::Store(2), Width::Double, &[y]);
        Inset::new(body, 4).expect("four instructions")
    }

    #[test]
    fn what_the_code_around_holds_stays() {
        let streams = [0, 64, 128].map(|at| Memory::at(Gpr::R8, at));
        for (level, all) in [(Level::L256, 15), (Level::L512, 32)] {
            let mut constants = Constants::new(level, Width::Double);
            let inset = inset(level);
            assert!(inset.write(&mut constants, (3, all - 3), &streams).is_some());
            assert!(
                inset.write(&mut constants, (3, all - 2), &streams).is_none(),
                "there are two registers left"
            );
        }
    }

    #[test]
    fn only_what_is_short_and_calls_nothing_is_one() {
        let (mut body, given) = Inset::body(Level::L256, Width::Double);
        body.push(Op::Store(0), Width::Double, &[given]);
        assert!(Inset::new(body.clone(), 1).is_some() && Inset::new(body, 0).is_none());
        let (mut body, given) = Inset::body(Level::L256, Width::Double);
        let called = body.push(Op::Foreign(Foreign::Gamma), Width::Double, &[given]);
        body.push(Op::Store(0), Width::Double, &[called]);
        assert!(Inset::new(body, 9).is_none());
    }
}
