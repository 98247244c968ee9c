//! Instructions to bytes: VEX, EVEX and the general ones.
//!
//! What must stay true: the bytes are position-independent but for the addresses of Rust functions;
//! jumps reach any place of the code; equal instructions give equal bytes.
//!
//! Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, chapter 2.

use super::body::Width;
use super::instr::{Condition, Gpr, Instr, Label, Memory, Order, Place, Vector};
use super::level::Level;
use super::opcode::{Layout, Prefix, Row, Sizes};
use rustc_hash::FxHashMap;

/// Bytes of code fetched at a time.
const FETCH: usize = 32;

/// Instructions of 1 to 8 bytes that do nothing: the manual's recommended ones.
const NOPS: [&[u8]; 8] = [
    &[0x90],
    &[0x66, 0x90],
    &[0x0F, 0x1F, 0x00],
    &[0x0F, 0x1F, 0x40, 0x00],
    &[0x0F, 0x1F, 0x44, 0x00, 0x00],
    &[0x66, 0x0F, 0x1F, 0x44, 0x00, 0x00],
    &[0x0F, 0x1F, 0x80, 0x00, 0x00, 0x00, 0x00],
    &[0x0F, 0x1F, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
];

/// The constants start on a cache line.
const ALIGNMENT: usize = 64;

/// Bytes of code, with the constants behind, and where its labels are.
pub fn encode(level: Level, code: &[Instr], constants: &[u8]) -> (Vec<u8>, FxHashMap<Label, usize>) {
    let mut encoder = Encoder { level, bytes: Vec::new(), labels: FxHashMap::default(), holes: Vec::new() };
    let mut pool = Vec::new();
    for instr in code {
        encoder.instr(instr, &mut pool);
    }
    for (at, label) in std::mem::take(&mut encoder.holes) {
        encoder.patch(at, encoder.labels[&label]);
    }
    if !constants.is_empty() {
        let start = encoder.bytes.len().next_multiple_of(ALIGNMENT);
        encoder.bytes.resize(start, 0);
        encoder.bytes.extend_from_slice(constants);
        pool.into_iter().for_each(|at| encoder.patch(at, start));
    }
    (encoder.bytes, encoder.labels)
}

struct Encoder {
    level: Level,
    bytes: Vec<u8>,
    labels: FxHashMap<Label, usize>,
    /// Where distances to labels go.
    holes: Vec<(usize, Label)>,
}

/// Numbers of registers and the memory operand as the prefixes want them.
struct Operands {
    reg: u8,
    second: u8,
    last: Place,
}

impl Encoder {
    fn instr(&mut self, instr: &Instr, pool: &mut Vec<usize>) {
        match *instr {
            Instr::Vector(ref vector) => self.vector(vector),
            Instr::Label(label) => {
                self.labels.insert(label, self.bytes.len());
            }
            Instr::Head(label) => {
                let missing = self.bytes.len().next_multiple_of(FETCH) - self.bytes.len();
                for length in
                    std::iter::repeat_n(NOPS.len(), missing / NOPS.len()).chain([missing % NOPS.len()])
                {
                    self.bytes.extend(length.checked_sub(1).map_or(&[][..], |at| NOPS[at]));
                }
                self.labels.insert(label, self.bytes.len());
            }
            Instr::Jump(condition, label) => {
                match jump_byte(condition) {
                    Some(byte) => self.bytes.extend([0x0F, byte]),
                    None => self.bytes.push(0xE9),
                }
                self.hole(label);
            }
            Instr::Call(label) => {
                self.bytes.push(0xE8);
                self.hole(label);
            }
            Instr::Constants(to) => {
                self.bytes.extend([0x48 | high(to.0) << 2, 0x8D, 0x05 | low(to.0) << 3]);
                pool.push(self.bytes.len());
                self.bytes.extend([0; 4]);
            }
            ref general => self.general(general),
        }
    }

    fn general(&mut self, instr: &Instr) {
        match *instr {
            Instr::Push(r) => self.short(0x50, r),
            Instr::Pop(r) => self.short(0x58, r),
            Instr::Move(to, from) => self.registers(&[0x8B], to, from),
            Instr::MoveImmediate(to, value) | Instr::Function(to, value, _) => {
                self.bytes.extend([0x48 | high(to.0), 0xB8 | low(to.0)]);
                self.bytes.extend(value.to_le_bytes());
            }
            Instr::LoadWord(to, memory) => self.word(0x8B, to, &memory),
            Instr::StoreWord(memory, from) => self.word(0x89, from, &memory),
            Instr::Add(to, value) => self.immediate(0, to, value),
            Instr::AddRegister(to, from) => self.registers(&[0x03], to, from),
            Instr::AddWord(memory, value) => {
                self.word(0x81, Gpr(0), &memory);
                self.bytes.extend(value.to_le_bytes());
            }
            Instr::Multiply(to, from, value) => {
                self.registers(&[0x69], to, from);
                self.bytes.extend(value.to_le_bytes());
            }
            Instr::Address(to, memory) => self.word(0x8D, to, &memory),
            Instr::Truncate(to, memory, width) => {
                self.bytes.push(if width == Width::Double { 0xF2 } else { 0xF3 });
                self.rex(to, &memory);
                self.bytes.extend([0x0F, 0x2C]);
                self.memory(to.0, &memory, 1);
            }
            Instr::OnesIfBelow(r) => self.registers(&[0x1B], r, r),
            Instr::AndRegister(to, from) => self.registers(&[0x23], to, from),
            Instr::Not(r) => self.registers(&[0xF7], Gpr(2), r),
            Instr::And(to, value) => self.immediate(4, to, value),
            Instr::Sub(to, value) => self.immediate(5, to, value),
            Instr::Negate(r) => self.registers(&[0xF7], Gpr(3), r),
            Instr::Compare(a, b) => self.registers(&[0x3B], a, b),
            Instr::MoveIfBelow(to, from) => self.registers(&[0x0F, 0x42], to, from),
            Instr::Test(r) => self.registers(&[0x85], r, r),
            Instr::CallRegister(r) => {
                self.upper(r);
                self.bytes.extend([0xFF, 0xD0 | low(r.0)]);
            }
            Instr::ZeroUpper => self.bytes.extend([0xC5, 0xF8, 0x77]),
            Instr::Fence => self.bytes.extend([0x0F, 0xAE, 0xF8]),
            Instr::Return => self.bytes.push(0xC3),
            Instr::Vector(_)
            | Instr::Label(_)
            | Instr::Head(_)
            | Instr::Jump(..)
            | Instr::Call(_)
            | Instr::Constants(_) => {
                unreachable!("`instr` writes these")
            }
        }
    }

    fn hole(&mut self, label: Label) {
        self.holes.push((self.bytes.len(), label));
        self.bytes.extend([0; 4]);
    }

    /// Writes the distance from behind a hole to a target.
    fn patch(&mut self, hole: usize, target: usize) {
        let distance = target as i64 - (hole as i64 + 4);
        let distance = i32::try_from(distance).expect("code is bounded by the node budget");
        self.bytes[hole..hole + 4].copy_from_slice(&distance.to_le_bytes());
    }

    fn short(&mut self, byte: u8, r: Gpr) {
        self.upper(r);
        self.bytes.push(byte | low(r.0));
    }

    /// The prefix of the upper eight registers.
    fn upper(&mut self, r: Gpr) {
        if high(r.0) == 1 {
            self.bytes.push(0x41);
        }
    }

    fn registers(&mut self, bytes: &[u8], reg: Gpr, rm: Gpr) {
        self.bytes.push(0x48 | high(reg.0) << 2 | high(rm.0));
        self.bytes.extend(bytes);
        self.bytes.push(0xC0 | low(reg.0) << 3 | low(rm.0));
    }

    fn immediate(&mut self, extension: u8, to: Gpr, value: i32) {
        self.registers(&[0x81], Gpr(extension), to);
        self.bytes.extend(value.to_le_bytes());
    }

    fn word(&mut self, byte: u8, reg: Gpr, memory: &Memory) {
        self.rex(reg, memory);
        self.bytes.push(byte);
        self.memory(reg.0, memory, 1);
    }

    /// The prefix of 64 bits and the upper eight registers.
    fn rex(&mut self, reg: Gpr, memory: &Memory) {
        let index = memory.index.map_or(0, |(index, _)| high(index.0));
        self.bytes.push(0x48 | high(reg.0) << 2 | index << 1 | high(memory.base.0));
    }

    fn vector(&mut self, vector: &Vector) {
        let row = vector.opcode.row();
        let (reg, second) = match row.layout {
            Layout::Shift(extension) => (extension, vector.reg),
            Layout::Rm | Layout::Mr => (vector.reg, 0),
            // Under EVEX bit 4 of the index stands where the second operand's would.
            Layout::Gather if self.level == Level::L512 => (vector.reg, index_register(vector) & 16),
            _ => (vector.reg, vector.second),
        };
        let byte = row.byte
            + match (row.layout, vector.order) {
                (Layout::Fused, Order::O213) => 0x10,
                (Layout::Fused, Order::O231) => 0x20,
                _ => 0,
            };
        let operands = Operands { reg, second, last: vector.last };
        let wide = self.level == Level::L512 && row.prefix == Prefix::Both;
        match wide {
            true => self.evex(vector, row, &operands),
            false => self.vex(row, &operands),
        }
        self.bytes.push(byte);
        match vector.last {
            Place::Register(r) => self.bytes.push(0xC0 | low(reg) << 3 | low(r)),
            Place::Memory(memory) => {
                let unit = if wide { displacement_unit(row, &memory) } else { 1 };
                self.memory(reg, &memory, unit);
            }
        }
        self.bytes.extend(vector.immediate);
    }

    fn vex(&mut self, row: &Row, operands: &Operands) {
        let (x, b) = extensions(&operands.last);
        let length = match row.prefix {
            Prefix::Vex(length) => length,
            Prefix::Both => u8::from(self.level != Level::L128),
        };
        let inverted = (high(operands.reg) << 7 | x << 6 | b << 5) ^ 0xE0;
        let last = row.w[0] << 7 | (!operands.second & 15) << 3 | length << 2 | row.pp;
        self.bytes.extend([0xC4, inverted | row.map, last]);
    }

    fn evex(&mut self, vector: &Vector, row: &Row, operands: &Operands) {
        let (mut x, b) = extensions(&operands.last);
        let mut broadcast = 0;
        match operands.last {
            // Bit 4 of a last register stands where an index's bit 3 would.
            Place::Register(r) => x = r >> 4 & 1,
            Place::Memory(memory) => broadcast = u8::from(memory.broadcast),
        }
        let reg = high(operands.reg) << 7 | (operands.reg >> 4 & 1) << 4;
        let first = (reg | x << 6 | b << 5) ^ 0xF0;
        let second = row.w[1] << 7 | (!operands.second & 15) << 3 | 4 | row.pp;
        let fifth = (!operands.second >> 4 & 1) << 3;
        let third = u8::from(vector.zeroing) << 7 | 2 << 5 | broadcast << 4 | fifth | vector.mask;
        self.bytes.extend([0x62, first | row.map, second, third]);
    }

    /// ModRM, SIB and displacement; short displacements are in units of `unit` bytes.
    fn memory(&mut self, reg: u8, memory: &Memory, unit: i32) {
        let base = low(memory.base.0);
        let (mode, short) = match (memory.disp, memory.disp % unit == 0) {
            // RBP and R13 have no form without displacement.
            (0, _) if base != 5 => (0, None),
            (disp, true) if (-128..128).contains(&(disp / unit)) => (1, Some((disp / unit) as i8)),
            _ => (2, None),
        };
        match memory.index {
            // RSP and R12 have no form without index.
            None if base != 4 => self.bytes.push(mode << 6 | low(reg) << 3 | base),
            index => {
                let (index, scale) = index.unwrap_or((Gpr::RSP, 0));
                self.bytes.extend([mode << 6 | low(reg) << 3 | 4, scale << 6 | low(index.0) << 3 | base]);
            }
        }
        match (mode, short) {
            (0, _) => {}
            (_, Some(disp)) => self.bytes.push(disp as u8),
            _ => self.bytes.extend(memory.disp.to_le_bytes()),
        }
    }
}

/// How far a short displacement counts.
fn displacement_unit(row: &Row, memory: &Memory) -> i32 {
    match row.sizes {
        _ if memory.broadcast || row.layout == Layout::Gather => i32::from(row.element),
        Sizes::Element | Sizes::First => i32::from(row.element),
        Sizes::HalfOperand | Sizes::HalfResult if row.layout != Layout::Rm => 32,
        Sizes::HalfOperand => 32,
        Sizes::Quarter => 16,
        _ => 64,
    }
}

/// Bits 3 of the index and of the base, or of the register.
fn extensions(last: &Place) -> (u8, u8) {
    match last {
        Place::Register(r) => (0, high(*r)),
        Place::Memory(memory) => (memory.index.map_or(0, |(index, _)| high(index.0)), high(memory.base.0)),
    }
}

/// The vector register that a gather's index is in.
fn index_register(vector: &Vector) -> u8 {
    match vector.last {
        Place::Memory(Memory { index: Some((index, _)), .. }) => index.0,
        _ => 0,
    }
}

fn jump_byte(condition: Condition) -> Option<u8> {
    match condition {
        Condition::Always => None,
        Condition::Below => Some(0x82),
        Condition::AtLeast => Some(0x83),
        Condition::Zero => Some(0x84),
        Condition::NonZero => Some(0x85),
        Condition::Above => Some(0x87),
    }
}

fn low(register: u8) -> u8 {
    register & 7
}

fn high(register: u8) -> u8 {
    register >> 3 & 1
}
