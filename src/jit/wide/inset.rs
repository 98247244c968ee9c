//! A short body in the midst of other code, some of whose vectors it works on.
//!
//! What must stay true: the vectors it is given, in the first registers, and all of the general registers
//! but what the caller's places name stay as they are; it needs no memory but its streams and constants, to
//! which R11 points.

use super::allocate::allocate;
use super::assemble::used;
use super::body::{Body, Val, Width};
use super::frame::{Frame, Mode};
use super::instr::{Instr, Memory, Register};
use super::level::Level;
use super::select::{Kind, Selected, select};
use super::uses::Uses;
use super::verify::verify;

/// The constants of such bodies, and masks.
pub struct Inset {
    frame: Frame,
}

impl Inset {
    pub fn new(level: Level, element: Width) -> Inset {
        let mut frame = Frame::new(level, element);
        frame.append_masks();
        Inset { frame }
    }

    /// The mask register, or at 256 bits the vector register, that tails are masked by.
    pub fn mask(&self) -> Register {
        self.frame.tail_mask()
    }

    /// Puts the mask of so many lanes there.
    pub fn load_mask(&self, lanes: usize) -> Instr {
        self.frame.load_mask(lanes)
    }

    /// The bytes of all constants.
    pub fn constants(&self) -> &[u8] {
        self.frame.pool()
    }

    /// The code of a body whose values `held` are in the registers of their numbers, over streams at places.
    /// `None` where there are too few registers left, and for what takes more than `most` instructions or a
    /// call.
    pub fn write(
        &mut self,
        mut body: Body,
        held: &[Val],
        streams: &[Memory],
        most: usize,
    ) -> Option<Vec<Instr>> {
        let code = select(&mut body);
        let is_simple = |s: &Selected| {
            !matches!(s.kind, Kind::Foreign(_) | Kind::Rare(_) | Kind::Gather(..) | Kind::Position(_))
        };
        if code.len() > most || !code.iter().all(is_simple) {
            return None;
        }
        let (uses, used) = (Uses::new(&body, &code), used(&body, &code));
        self.frame.enter(&body, &used, streams.iter().map(|&place| (place, None)).collect());
        self.frame.keep_slots(0);
        let fixed = (held, &[][..]);
        let placed = allocate(&body, &code, &uses, fixed, &mut self.frame, Mode::Tail);
        debug_assert_eq!(verify(&body, &code, fixed, &placed, &self.frame), Ok(()));
        (self.frame.scratch() == 0).then(|| placed.into_iter().map(|placed| placed.instr).collect())
    }
}
