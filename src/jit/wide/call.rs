//! Calls of functions that are no straight line: what code and callee tell each other.
//!
//! What must stay true: the code stores every register where [`Registers`] has it.

use super::instr::Register;
use super::level::Level;
use crate::elementary::Foreign;

/// Every register of the loop during a call.
#[repr(C, align(64))]
pub(super) struct Registers {
    pub vectors: [[f64; 8]; 32],
    /// The low 16 bits are the mask.
    pub masks: [u64; 8],
    general: [u64; 8],
}

pub(super) const MASKS_AT: i32 = 32 * 64;
pub(super) const GENERAL_AT: i32 = MASKS_AT + 64;

/// What a call is told, in 64 bits.
pub(super) struct Site {
    pub function: Foreign,
    pub to: Register,
    pub args: [Register; 2],
    pub mask: Option<Register>,
    pub level: Level,
}

impl Site {
    pub fn pack(&self) -> u64 {
        let function = Foreign::ALL.iter().position(|f| *f == self.function).expect("`ALL` has all");
        let wide = u8::from(self.level == Level::L512);
        u64::from_le_bytes([
            function as u8,
            self.to,
            self.args[0],
            self.args[1],
            self.mask.unwrap_or(u8::MAX),
            wide,
            0,
            0,
        ])
    }

    pub fn unpack(bits: u64) -> Site {
        let [function, to, a, b, mask, wide, ..] = bits.to_le_bytes();
        Site {
            function: Foreign::ALL[usize::from(function) % Foreign::ALL.len()],
            to,
            args: [a, b],
            mask: (mask != u8::MAX).then_some(mask),
            level: if wide == 1 { Level::L512 } else { Level::L256 },
        }
    }

    /// Computes the function in the lanes that want it.
    pub fn run(&self, registers: &mut Registers) {
        let lanes = self.level.bytes() / 8;
        for lane in 0..lanes {
            let wanted = match (self.mask, self.level) {
                (None, _) => true,
                (Some(mask), Level::L512) => registers.masks[usize::from(mask & 7)] >> lane & 1 == 1,
                (Some(mask), _) => registers.vectors[usize::from(mask & 31)][lane].is_sign_negative(),
            };
            if wanted {
                let args = self.args.map(|a| registers.vectors[usize::from(a & 31)][lane]);
                let value = self.function.value(&args[..self.function.arity()]);
                registers.vectors[usize::from(self.to & 31)][lane] = value;
            }
        }
    }
}
