//! Instructions under construction: pointers that move, loops, and the words of a precision.
//!
//! General registers: R8, R9 and R10 point into the result, the left and the right factor, RDX at
//! the panel; RAX, RCX, RSI and RDI count, R11 points at constants, RBP is the frame's; of the caller's
//! other registers the first count outer loops, and the last point at what goes along with the result.
//!
//! What must stay true: a loop leaves its pointers as far from where they are said to be as it found
//! them. Moves of a pointer are remembered and become displacements; they are carried out at a
//! loop's end only.

use super::shape::{OUTER, bytes};
use crate::ir::Precision;
use crate::jit::wide::{
    Condition, Constants, Gpr, Instr, Label, Level, Memory, Opcode, Order, Place, Register, Vector, Width,
};

/// What points at elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pointer {
    To,
    Left,
    Right,
    Panel,
    /// Into what goes along with the result, by number.
    Beside(usize),
}

#[rustfmt::skip]
const POINTERS: [Gpr; 4 + OUTER] = [
    Gpr::R8, Gpr::R9, Gpr::R10, Gpr::RDX,
    // Those of the caller that count no loop.
    Gpr::R15, Gpr::R14, Gpr::R13, Gpr::R12, Gpr::RBX,
];

impl Pointer {
    fn index(self) -> usize {
        match self {
            Pointer::To => 0,
            Pointer::Left => 1,
            Pointer::Right => 2,
            Pointer::Panel => 3,
            Pointer::Beside(number) => 4 + number,
        }
    }

    pub fn register(self) -> Gpr {
        POINTERS[self.index()]
    }
}

/// What counts the rounds of the loops over terms, tiles of rows, tiles of columns, and blocks of terms.
pub(super) const TERM: Gpr = Gpr::RAX;
pub(super) const ROW: Gpr = Gpr::RCX;
pub(super) const COLUMN: Gpr = Gpr::RSI;
pub(super) const BLOCK: Gpr = Gpr::RDI;

/// The instructions of a precision.
pub(super) struct Words {
    pub load: Opcode,
    pub store: Opcode,
    pub broadcast: Opcode,
    pub add: Opcode,
    pub mul: Opcode,
    pub fma: Opcode,
    pub mask_load: Opcode,
    pub mask_store: Opcode,
    /// Of one element.
    pub load_one: Opcode,
    pub store_one: Opcode,
}

#[rustfmt::skip]
const SINGLE: Words = Words {
    load: Opcode::LoadPs, store: Opcode::StorePs, broadcast: Opcode::BroadcastD,
    add: Opcode::AddPs, mul: Opcode::MulPs, fma: Opcode::FmaPs,
    mask_load: Opcode::MaskLoadPs, mask_store: Opcode::MaskStorePs,
    load_one: Opcode::LoadOnePs, store_one: Opcode::StoreOnePs,
};

#[rustfmt::skip]
const DOUBLE: Words = Words {
    load: Opcode::LoadPd, store: Opcode::StorePd, broadcast: Opcode::BroadcastQ,
    add: Opcode::AddPd, mul: Opcode::MulPd, fma: Opcode::FmaPd,
    mask_load: Opcode::MaskLoadPd, mask_store: Opcode::MaskStorePd,
    load_one: Opcode::LoadOnePd, store_one: Opcode::StoreOnePd,
};

/// See the head of the file.
pub(super) struct Code {
    pub level: Level,
    pub words: &'static Words,
    pub out: Vec<Instr>,
    /// Bytes of an element.
    pub unit: i64,
    labels: u32,
    /// How far each pointer is said to be from where it is.
    moved: [i64; POINTERS.len()],
    /// With the masks of tails.
    pub constants: Constants,
    /// False once something could not be written.
    pub is_whole: bool,
}

impl Code {
    pub fn new(level: Level, precision: Precision) -> Code {
        let words = match precision {
            Precision::F32 => &SINGLE,
            Precision::F64 => &DOUBLE,
        };
        let (out, unit) = (Vec::new(), bytes(precision) as i64);
        let constants = Constants::new(level, Width::from(precision));
        Code { level, words, out, unit, labels: 0, moved: [0; POINTERS.len()], constants, is_whole: true }
    }

    pub fn push(&mut self, instr: Instr) {
        self.out.push(instr);
    }

    pub fn label(&mut self) -> Label {
        self.labels += 1;
        Label(self.labels - 1)
    }

    /// Bytes of a vector.
    pub fn vector(&self) -> i64 {
        self.level.bytes() as i64
    }

    /// The register of a pointer, to set it.
    pub fn set(&mut self, pointer: Pointer) -> Gpr {
        self.moved[pointer.index()] = 0;
        pointer.register()
    }

    /// Moves a pointer by so many bytes.
    pub fn advance(&mut self, pointer: Pointer, distance: i64) {
        self.moved[pointer.index()] += distance;
    }

    /// The place so many bytes from a pointer.
    pub fn at(&self, pointer: Pointer, distance: i64) -> Memory {
        // `Shape` has bounded what there is to reach.
        Memory::at(pointer.register(), (self.moved[pointer.index()] + distance) as i32)
    }

    /// A body, so many times; it may move pointers.
    pub fn repeat(&mut self, counter: Gpr, times: usize, mut body: impl FnMut(&mut Code)) {
        match times {
            0 => {}
            1 => body(self),
            _ => {
                let (head, before) = (self.label(), self.moved);
                self.push(Instr::MoveImmediate(counter, times as u64));
                self.push(Instr::Label(head));
                body(self);
                self.settle(before);
                self.push(Instr::Sub(counter, 1));
                self.push(Instr::Jump(Condition::NonZero, head));
            }
        }
    }

    /// Carries out moves until pointers are said to be as far from where they are as `wanted`.
    fn settle(&mut self, wanted: [i64; POINTERS.len()]) {
        for (at, &register) in POINTERS.iter().enumerate() {
            let distance = self.moved[at] - wanted[at];
            if distance != 0 {
                self.out.push(Instr::Add(register, distance as i32));
            }
        }
        self.moved = wanted;
    }

    /// Carries out all moves.
    pub fn settle_all(&mut self) {
        self.settle([0; POINTERS.len()]);
    }

    /// What follows is reached from where all moves were carried out.
    pub fn settled(&mut self) {
        self.moved = [0; POINTERS.len()];
    }

    /// `reg = opcode last`, or a store of `reg`.
    pub fn unary(&mut self, opcode: Opcode, reg: Register, last: Place) {
        self.push(Instr::Vector(Vector::unary(opcode, reg, last)));
    }

    /// `reg = opcode second, last`.
    pub fn binary(&mut self, opcode: Opcode, reg: Register, second: Register, last: Place) {
        self.push(Instr::Vector(Vector::new(opcode, reg, second, last)));
    }

    /// As `binary`, with a number in the instruction.
    pub fn chosen(&mut self, opcode: Opcode, reg: Register, second: Register, last: Place, immediate: u8) {
        let vector = Vector { immediate: Some(immediate), ..Vector::new(opcode, reg, second, last) };
        self.push(Instr::Vector(vector));
    }

    /// `sum = second · last`, or added to the sum.
    pub fn multiply(&mut self, first: bool, sum: Register, second: Register, last: Place) {
        match first {
            true => self.binary(self.words.mul, sum, second, last),
            false => {
                let fused = Vector::new(self.words.fma, sum, second, last);
                self.push(Instr::Vector(Vector { order: Order::O231, ..fused }));
            }
        }
    }

    /// A vector from memory; of masked ones the lanes outside are zero.
    pub fn load(&mut self, reg: Register, memory: Memory, masked: bool) {
        let (load, last) = (self.words.load, Place::Memory(memory));
        match (masked, self.level) {
            (false, _) => self.unary(load, reg, last),
            (true, Level::L512) => {
                let vector =
                    Vector { mask: self.constants.mask(), zeroing: true, ..Vector::unary(load, reg, last) };
                self.push(Instr::Vector(vector));
            }
            (true, _) => self.binary(self.words.mask_load, reg, self.constants.mask(), last),
        }
    }

    /// A vector to memory; of masked ones the lanes inside.
    pub fn store(&mut self, reg: Register, memory: Memory, masked: bool) {
        let (store, last) = (self.words.store, Place::Memory(memory));
        match (masked, self.level) {
            (false, _) => self.unary(store, reg, last),
            (true, Level::L512) => {
                let vector = Vector { mask: self.constants.mask(), ..Vector::unary(store, reg, last) };
                self.push(Instr::Vector(vector));
            }
            (true, _) => self.binary(self.words.mask_store, reg, self.constants.mask(), last),
        }
    }

    /// Fetches the address of the constants, and puts the mask of the first `count` lanes where loads
    /// and stores have it.
    pub fn open_constants(&mut self, count: usize) {
        self.push(Instr::Constants(Gpr::R11));
        if count > 0 {
            self.push(self.constants.load_mask(count));
        }
    }
}
