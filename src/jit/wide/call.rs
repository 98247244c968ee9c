//! Calls of functions that are no straight line: what code and callee tell each other.
//!
//! What must stay true: the code stores every register where [`Registers`] has it.

use super::body::Width;
use super::instr::Register;
use super::level::Level;
use crate::elementary::Foreign;

/// Every register of the loop during a call.
#[repr(C, align(64))]
pub(super) struct Registers {
    pub vectors: [[u64; 8]; 32],
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
    /// Of the lanes.
    pub width: Width,
}

impl Site {
    pub fn pack(&self) -> u64 {
        let function = Foreign::ALL.iter().position(|f| *f == self.function).expect("`ALL` has all");
        let wide = u8::from(self.level == Level::L512);
        let single = u8::from(self.width == Width::Single);
        u64::from_le_bytes([
            function as u8,
            self.to,
            self.args[0],
            self.args[1],
            self.mask.unwrap_or(u8::MAX),
            wide,
            single,
            0,
        ])
    }

    pub fn unpack(bits: u64) -> Site {
        let [function, to, a, b, mask, wide, single, _] = bits.to_le_bytes();
        Site {
            function: Foreign::ALL[usize::from(function) % Foreign::ALL.len()],
            to,
            args: [a, b],
            mask: (mask != u8::MAX).then_some(mask),
            level: if wide == 1 { Level::L512 } else { Level::L256 },
            width: if single == 1 { Width::Single } else { Width::Double },
        }
    }

    /// Computes the function in the lanes that want it.
    pub fn run(&self, registers: &mut Registers) {
        let lanes = self.level.bytes() / self.width.bytes();
        for lane in 0..lanes {
            let wanted = match (self.mask, self.level) {
                (None, _) => true,
                (Some(mask), Level::L512) => registers.masks[usize::from(mask & 7)] >> lane & 1 == 1,
                (Some(mask), _) => self.bits(registers, mask, lane) >> (8 * self.width.bytes() - 1) == 1,
            };
            if wanted {
                let args = self.args.map(|a| self.number(registers, a, lane));
                let value = self.function.value(&args[..self.function.arity()]);
                self.set_lane(registers, lane, value);
            }
        }
    }

    /// A lane of a vector register.
    fn bits(&self, registers: &Registers, register: Register, lane: usize) -> u64 {
        let vector = &registers.vectors[usize::from(register & 31)];
        match self.width {
            Width::Double => vector[lane],
            Width::Single => vector[lane / 2] >> (lane % 2 * 32) & u64::from(u32::MAX),
        }
    }

    /// The number in a lane.
    fn number(&self, registers: &Registers, register: Register, lane: usize) -> f64 {
        let bits = self.bits(registers, register, lane);
        match self.width {
            Width::Double => f64::from_bits(bits),
            Width::Single => f64::from(f32::from_bits(bits as u32)),
        }
    }

    /// Sets a lane of the result, rounded to its width.
    fn set_lane(&self, registers: &mut Registers, lane: usize, value: f64) {
        let vector = &mut registers.vectors[usize::from(self.to & 31)];
        match self.width {
            Width::Double => vector[lane] = value.to_bits(),
            Width::Single => {
                let shift = lane % 2 * 32;
                let others = vector[lane / 2] & !(u64::from(u32::MAX) << shift);
                vector[lane / 2] = others | u64::from((value as f32).to_bits()) << shift;
            }
        }
    }
}
