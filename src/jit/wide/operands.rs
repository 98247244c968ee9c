//! Where a value is while code is allocated: registers, slots, the constants; and how it gets there.
//!
//! What must stay true: a locked or pinned register is never taken; a slot is free only after the
//! instruction that reads it last.

use super::allocate::{Allocator, Meaning, Placed, broadcast, load_opcode};
use super::body::{Op, Val};
use super::instr::{Instr, Memory, Place, Register, Vector};
use super::level::Level;
use super::opcode::Opcode;
use super::select::Selected;
use super::uses::{Class, class};

impl Allocator<'_> {
    /// A register that holds the value, kept for this instruction.
    pub(super) fn hold(&mut self, value: Val) -> Register {
        if self.body.insts[value.index()].op == Op::Tail {
            return self.frame.tail_mask();
        }
        let class = class(self.body, value);
        let register = match self.register[value.index()] {
            Some(register) => register,
            None => {
                let register = self.take(class);
                self.fetch(value, register);
                self.put(value, register);
                register
            }
        };
        self.locked[class as usize] |= 1 << register;
        register
    }

    /// The value where it is; in a register if it is nowhere else that an operand can be.
    pub(super) fn anywhere(&mut self, value: Val) -> Place {
        match self.register[value.index()] {
            None if self.place(value).is_some() => self.memory(value),
            _ => Place::Register(self.hold(value)),
        }
    }

    /// Where in memory an operand can have the value.
    pub(super) fn place(&self, value: Val) -> Option<Memory> {
        if class(self.body, value) == Class::Mask {
            return None;
        }
        match self.body.insts[value.index()].op {
            Op::Constant(_) | Op::Steps(_) | Op::FloatSteps(_) => Some(self.frame.constant(value)),
            Op::Uniform(stream) if self.body.level == Level::L512 => {
                let (memory, _) = self.frame.uniform(stream);
                Some(Memory { broadcast: true, ..memory })
            }
            Op::Uniform(_) | Op::Tail => None,
            Op::Slot(slot) => Some(self.frame.slot(slot)),
            _ => self.slot[value.index()].map(|slot| self.frame.slot(slot)),
        }
    }

    /// The operand in memory, its address made.
    pub(super) fn memory(&mut self, value: Val) -> Place {
        if let Op::Uniform(stream) = self.body.insts[value.index()].op {
            let (_, before) = self.frame.uniform(stream);
            self.address(before);
        }
        Place::Memory(self.place(value).expect("the caller has asked"))
    }

    /// Another register with the value, which the instruction may overwrite.
    pub(super) fn tied(&mut self, value: Val) -> Register {
        let from = self.hold(value);
        if self.ends(value) && !self.is_pinned(value) {
            return from;
        }
        let to = self.take(Class::Vector);
        self.locked[0] |= 1 << to;
        let instr = Instr::Vector(Vector::unary(Opcode::MovPd, to, Place::Register(from)));
        self.out.push(Placed { instr, meaning: Meaning::Move(value) });
        to
    }

    pub(super) fn fetch_copy(&mut self, value: Val) -> Register {
        let to = self.take(Class::Vector);
        self.locked[0] |= 1 << to;
        self.fetch(value, to);
        to
    }

    /// Loads the value from its slot, or makes it.
    fn fetch(&mut self, value: Val, to: Register) {
        let inst = &self.body.insts[value.index()];
        let vector = match inst.op {
            Op::Constant(_) | Op::Steps(_) | Op::FloatSteps(_) => {
                let memory = self.frame.constant(value);
                let opcode = if memory.broadcast { broadcast } else { load_opcode };
                let memory = Memory { broadcast: false, ..memory };
                Vector::unary(opcode(inst.width), to, Place::Memory(memory))
            }
            Op::Uniform(stream) => {
                let (memory, before) = self.frame.uniform(stream);
                self.address(before);
                Vector::unary(broadcast(inst.width), to, Place::Memory(memory))
            }
            Op::Slot(slot) => Vector::unary(Opcode::LoadPd, to, Place::Memory(self.frame.slot(slot))),
            _ => {
                let slot = self.slot[value.index()].expect("spilled when it left its register");
                let opcode = match class(self.body, value) {
                    Class::Mask => Opcode::KMov,
                    Class::Vector => Opcode::LoadPd,
                };
                Vector::unary(opcode, to, Place::Memory(self.frame.slot(slot)))
            }
        };
        self.out.push(Placed { instr: Instr::Vector(vector), meaning: Meaning::Move(value) });
    }

    /// A register for the result.
    pub(super) fn define(&mut self, selected: &Selected) -> Register {
        let value = selected.def.expect("a value");
        if let Some(register) = self.target(selected) {
            self.register[value.index()] = Some(register);
            return register;
        }
        let register = self.take(class(self.body, value));
        self.put(value, register);
        register
    }

    /// The register that carries the result round the loop, if it may be written at once.
    pub(super) fn target(&self, selected: &Selected) -> Option<Register> {
        self.carried.iter().find(|c| c.at_once && selected.def == Some(c.after)).map(|c| c.register)
    }

    pub(super) fn put(&mut self, value: Val, register: Register) {
        let class = class(self.body, value);
        self.holds[class as usize][usize::from(register)] = Some(value);
        self.register[value.index()] = Some(register);
    }

    /// A register nothing needs now: a free one, or that of the value needed last.
    pub(super) fn take(&mut self, class: Class) -> Register {
        let fixed = self.locked[class as usize] | if class == Class::Vector { self.pinned } else { 0 };
        let candidates = (0..self.counts[class as usize]).filter(|r| fixed >> r & 1 == 0);
        let is_free = |r: &u8| self.holds[class as usize][usize::from(*r)].is_none();
        if let Some(register) = candidates.clone().find(is_free) {
            return register;
        }
        let next = candidates.map(|r| {
            let value = self.holds[class as usize][usize::from(r)].expect("none is free");
            (self.next_use(value), r, value)
        });
        let last = next.collect::<smallvec::SmallVec<[_; 32]>>().into_iter().max();
        let (_, register, value) = last.expect("there are more registers than operands");
        self.spill(value, register);
        register
    }

    /// Where the value is used next, this instruction included.
    fn next_use(&mut self, value: Val) -> u32 {
        let uses = self.uses.of(value);
        let cursor = &mut self.cursor[value.index()];
        while uses.get(*cursor as usize).is_some_and(|&at| at < self.at) {
            *cursor += 1;
        }
        uses.get(*cursor as usize).copied().unwrap_or(u32::MAX)
    }

    fn spill(&mut self, value: Val, register: Register) {
        let class = class(self.body, value);
        self.register[value.index()] = None;
        self.holds[class as usize][usize::from(register)] = None;
        if self.body.insts[value.index()].op.is_invariant() || self.slot[value.index()].is_some() {
            return;
        }
        let slot = self.free_slots.pop().unwrap_or_else(|| self.frame.new_slot(self.mode));
        self.slot[value.index()] = Some(slot);
        let opcode = match class {
            Class::Mask => Opcode::KStore,
            Class::Vector => Opcode::StorePd,
        };
        let instr = Instr::Vector(Vector::unary(opcode, register, Place::Memory(self.frame.slot(slot))));
        self.out.push(Placed { instr, meaning: Meaning::Move(value) });
    }

    /// Frees what ends with this instruction.
    pub(super) fn release(&mut self, uses: &[Val]) {
        for &value in uses {
            if self.ends(value) && !self.is_pinned(value) {
                self.drop_value(value);
            }
        }
        // The result may take any of their registers.
        self.locked = [0, 1];
    }

    pub(super) fn drop_value(&mut self, value: Val) {
        let class = class(self.body, value);
        if let Some(register) = self.register[value.index()].take() {
            self.holds[class as usize][usize::from(register)] = None;
        }
        if let Some(slot) = self.slot[value.index()].take() {
            self.freed_slots.push(slot);
        }
    }
}
