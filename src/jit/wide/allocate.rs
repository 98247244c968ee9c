//! Register allocation of straight-line code: one scan; what is used again last leaves its register
//! first (Belady, "A study of replacement algorithms", 1966).
//!
//! What must stay true: a value is in its register, in its slot, or can be fetched again, from its
//! definition to its last use; `verify` checks it. The invariants used most stay in registers of
//! their own over the whole loop.

use super::body::{Body, Val, Width};
use super::frame::{Frame, Mode};
use super::instr::{Gpr, Instr, Memory, Order, Place, Register, Vector};
use super::level::Level;
use super::opcode::Opcode;
use super::select::{Kind, Part, Selected};
use super::uses::{Class, Uses, class, registers};

/// Mask registers for values: 1 to 6. The last one is the tail's, and 0 means none.
const MASKS: u8 = 6;

/// What an emitted instruction is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Meaning {
    /// The instruction of this position of the selected code, or part of it.
    Of(u32),
    /// The value gets to another place.
    Move(Val),
    /// Addresses.
    Address,
}

/// A vector that goes round a loop in a register of its own, and is in a slot before and after.
#[derive(Clone, Copy, Debug)]
pub struct Carried {
    pub slot: u32,
    pub register: Register,
    /// Its value in the body: at first, and in the end.
    pub before: Val,
    pub after: Val,
    /// True where nothing reads the first value after the last is computed.
    pub at_once: bool,
}

/// An instruction and what it is for.
#[derive(Clone, Debug)]
pub struct Placed {
    pub instr: Instr,
    pub meaning: Meaning,
}

/// The code on registers. Pinned invariants have the first ones, what is carried those it says.
pub(super) fn allocate(
    body: &Body,
    code: &[Selected],
    uses: &Uses,
    (pins, carried): (&[Val], &[Carried]),
    frame: &mut Frame,
    mode: Mode,
) -> Vec<Placed> {
    let taken = frame.taken;
    let mut allocator = Allocator {
        body,
        uses,
        frame,
        mode,
        register: vec![None; body.insts.len()],
        slot: vec![None; body.insts.len()],
        cursor: vec![0; body.insts.len()],
        holds: [[None; 32]; 2],
        counts: [registers(body.level, mode), MASKS + 1],
        pinned: taken,
        carried,
        locked: [0; 2],
        free_slots: Vec::new(),
        freed_slots: Vec::new(),
        at: 0,
        out: Vec::with_capacity(code.len() * 5 / 4),
    };
    for (register, &value) in pins.iter().enumerate() {
        allocator.put(value, register as u8);
        allocator.pinned |= 1 << register;
    }
    for &Carried { before, register, .. } in carried {
        allocator.put(before, register);
        allocator.pinned |= 1 << register;
    }
    // Mask register 0 is none.
    allocator.locked[1] = 1;
    for (at, selected) in code.iter().enumerate() {
        allocator.at = at as u32;
        allocator.instruction(selected);
        allocator.locked = [0, 1];
        let freed = std::mem::take(&mut allocator.freed_slots);
        allocator.free_slots.extend(freed);
    }
    allocator.out
}

/// The scan's state.
pub(super) struct Allocator<'a> {
    pub(super) body: &'a Body,
    pub(super) uses: &'a Uses,
    pub(super) frame: &'a mut Frame,
    pub(super) mode: Mode,
    pub(super) register: Vec<Option<Register>>,
    pub(super) slot: Vec<Option<u32>>,
    /// How many uses of a value are over.
    pub(super) cursor: Vec<u32>,
    pub(super) holds: [[Option<Val>; 32]; 2],
    pub(super) counts: [u8; 2],
    /// Vector registers that are never taken.
    pub(super) pinned: u32,
    pub(super) carried: &'a [Carried],
    /// Registers the current instruction needs, by class.
    pub(super) locked: [u32; 2],
    pub(super) free_slots: Vec<u32>,
    /// Slots that the current instruction is the last to read: free after it.
    pub(super) freed_slots: Vec<u32>,
    pub(super) at: u32,
    pub(super) out: Vec<Placed>,
}

impl Allocator<'_> {
    fn emit(&mut self, instr: Instr) {
        self.out.push(Placed { instr, meaning: Meaning::Of(self.at) });
    }

    fn vector(&mut self, vector: Vector) {
        self.emit(Instr::Vector(vector));
    }

    fn instruction(&mut self, selected: &Selected) {
        let uses = &selected.uses;
        match selected.kind {
            Kind::Plain(opcode, immediate) => self.plain(selected, opcode, immediate, true),
            Kind::Registers(opcode, immediate) => self.plain(selected, opcode, immediate, false),
            Kind::Extract(opcode, half) => {
                let from = self.hold(uses[0]);
                self.release(uses);
                let to = self.define(selected);
                let vector = Vector::unary(opcode, from, Place::Register(to));
                self.vector(Vector { immediate: Some(half), ..vector });
            }
            Kind::Fused(opcode) => self.fused(selected, opcode),
            Kind::Blend(opcode) => self.blend(selected, opcode),
            Kind::Swap(opcode, order) => self.swap(selected, opcode, order),
            Kind::Load(stream, part) => self.load(selected, stream, part),
            Kind::Spread(stream) => {
                let from = self.column(stream, Part::First);
                let to = self.define(selected);
                self.vector(Vector::unary(broadcast(selected.width), to, Place::Memory(from)));
            }
            Kind::Gather(stream, part) => self.gather(selected, stream, part),
            Kind::Position(stream) => self.position(selected, stream),
            Kind::Store(stream, part) => {
                let from = self.hold(uses[0]);
                let to = self.column(stream, part);
                match self.mode == Mode::NonTemporal && self.frame.non_temporal.is_some_and(|s| stream >= s) {
                    true => self.vector(Vector::unary(Opcode::StreamPd, from, Place::Memory(to))),
                    false => self.store(selected.width, from, to, part),
                }
                self.release(uses);
            }
            Kind::Keep(slot) => self.keep(uses[0], slot),
            Kind::Sum(stream, vector) => self.sum(selected, stream, vector),
            Kind::Foreign(f) => {
                let args: Vec<Register> = uses.iter().map(|&x| self.hold(x)).collect();
                self.release(uses);
                let to = self.define(selected);
                let call = self.frame.call(f, to, &args, None, selected.width);
                call.into_iter().for_each(|instr| self.emit(instr));
            }
            Kind::Rare(f) => {
                let (mask, argument) = (self.hold(uses[0]), self.hold(uses[2]));
                let to = self.tied(uses[1]);
                self.release(uses);
                self.put(selected.def.expect("a value"), to);
                let call = self.frame.call(f, to, &[argument], Some(mask), selected.width);
                call.into_iter().for_each(|instr| self.emit(instr));
            }
        }
        if let Some(def) = selected.def
            && self.uses.of(def).is_empty()
        {
            self.drop_value(def);
        }
    }

    fn plain(&mut self, selected: &Selected, opcode: Opcode, immediate: Option<u8>, memory: bool) {
        let (&last, before) = selected.uses.split_last().expect("no instruction is without operands");
        let second = before.first().map_or(0, |&x| self.hold(x));
        let last = match memory {
            true => self.anywhere(last),
            false => Place::Register(self.hold(last)),
        };
        self.release(&selected.uses);
        let to = self.define(selected);
        self.vector(Vector { immediate, ..Vector::new(opcode, to, second, last) });
    }

    fn blend(&mut self, selected: &Selected, opcode: Opcode) {
        let mask = self.hold(selected.uses[0]);
        let otherwise = self.hold(selected.uses[2]);
        let then = self.anywhere(selected.uses[1]);
        self.release(&selected.uses);
        let to = self.define(selected);
        let vector = Vector::new(opcode, to, otherwise, then);
        self.vector(match self.body.level {
            Level::L512 => Vector { mask, ..vector },
            _ => Vector { immediate: Some(mask << 4), ..vector },
        });
    }

    /// The result takes the register of an operand that ends here; one operand may be in memory.
    fn fused(&mut self, selected: &Selected, opcode: Opcode) {
        let uses: [Val; 3] = [selected.uses[0], selected.uses[1], selected.uses[2]];
        let absent = |s: &Self, v: Val| s.register[v.index()].is_none() && s.place(v).is_some();
        let mut outside = (0..3).rev().find(|&i| absent(self, uses[i]));
        for (i, &value) in uses.iter().enumerate() {
            if outside.is_none_or(|o| {
                uses[o] != value || o == i && uses.iter().filter(|v| **v == value).count() > 1
            }) {
                self.hold(value);
            }
        }
        outside = outside.filter(|&o| self.register[uses[o].index()].is_none());
        let ends = |s: &Self, i: usize| outside != Some(i) && s.ends(uses[i]) && !s.is_pinned(uses[i]);
        let tied = [2, 0, 1].into_iter().find(|&i| ends(self, i));
        let (tied, to) = match (tied, outside) {
            _ if self.target(selected).is_some() => (2, self.target(selected).expect("just looked at")),
            (Some(i), _) => (i, self.register[uses[i].index()].expect("held")),
            // Nothing ends: the one outside is fetched, or one is copied.
            (None, Some(o)) => (o, self.fetch_copy(uses[o])),
            (None, None) => (0, self.tied(uses[0])),
        };
        let outside = outside.filter(|&o| o != tied);
        let at = |s: &mut Self, i: usize| match outside == Some(i) {
            true => s.memory(uses[i]),
            false => Place::Register(s.register[uses[i].index()].expect("held")),
        };
        // The other factor, then the addend, or both factors.
        let (order, second, last) = match tied {
            2 if outside == Some(0) => (Order::O231, 1, 0),
            2 => (Order::O231, 0, 1),
            i if outside == Some(1 - i) => (Order::O132, 2, 1 - i),
            i => (Order::O213, 1 - i, 2),
        };
        let last = at(self, last);
        let Place::Register(second) = at(self, second) else { unreachable!("only the last is outside") };
        self.release(&selected.uses);
        let def = selected.def.expect("a value");
        match self.target(selected) {
            Some(_) => self.register[def.index()] = Some(to),
            None => self.put(def, to),
        }
        self.vector(Vector { order, ..Vector::new(opcode, to, second, last) });
    }

    fn swap(&mut self, selected: &Selected, opcode: Opcode, order: u8) {
        let from = self.hold(selected.uses[0]);
        self.release(&selected.uses);
        let to = self.define(selected);
        let vector = Vector::new(opcode, to, from, Place::Register(from));
        self.vector(Vector { immediate: Some(order), ..vector });
    }

    /// The instruction clears its mask, so each has one of its own.
    fn gather(&mut self, selected: &Selected, stream: u32, part: Part) {
        let index = self.hold(selected.uses[0]);
        let wide = self.body.level == Level::L512;
        let class = if wide { Class::Mask } else { Class::Vector };
        let mask = self.take(class);
        self.locked[class as usize] |= 1 << mask;
        let from = self.column(stream, part);
        let to = self.take(Class::Vector);
        let tail = Place::Register(self.frame.tail_mask());
        let (same, own) = (Place::Register(mask), Place::Register(to));
        self.vector(match (self.is_masked(part), wide) {
            (true, true) => Vector::unary(Opcode::KMov, mask, tail),
            (false, true) => Vector::new(Opcode::KOnes, mask, mask, same),
            (true, false) => Vector::unary(Opcode::MovPd, mask, tail),
            (false, false) => Vector::new(Opcode::EqD, mask, mask, same),
        });
        self.vector(Vector::new(Opcode::XorPd, to, to, own));
        let (opcode, scale) = match selected.width {
            Width::Double => (Opcode::GatherPd, 3),
            Width::Single => (Opcode::GatherPs, 2),
        };
        let memory = Memory { index: Some((Gpr(index), scale)), ..from };
        let vector = Vector::unary(opcode, to, Place::Memory(memory));
        self.vector(if wide { Vector { mask, ..vector } } else { Vector { second: mask, ..vector } });
        self.release(&selected.uses);
        self.put(selected.def.expect("a value"), to);
    }

    /// An address as a number: made in a general register, made a float, and spread.
    fn position(&mut self, selected: &Selected, stream: u32) {
        let at = self.column(stream, Part::First);
        let to = self.define(selected);
        self.emit(Instr::Address(Gpr::RCX, at));
        let opcode = match selected.width {
            Width::Double => Opcode::FromIntPd,
            Width::Single => Opcode::FromIntPs,
        };
        self.vector(Vector::new(opcode, to, to, Place::Register(Gpr::RCX.0)));
        self.vector(Vector::unary(broadcast(selected.width), to, Place::Register(to)));
    }

    /// Into the register that carries it round the loop, or to its slot.
    fn keep(&mut self, value: Val, slot: u32) {
        let from = self.hold(value);
        match self.carried.iter().find(|c| c.slot == slot).map(|c| c.register) {
            Some(to) if to == from => {}
            Some(to) => self.vector(Vector::unary(Opcode::MovPd, to, Place::Register(from))),
            None => {
                let to = Place::Memory(self.frame.slot(slot));
                self.vector(Vector::unary(Opcode::StorePd, from, to));
            }
        }
        self.release(&[value]);
    }

    fn is_masked(&self, part: Part) -> bool {
        part == Part::Tail || part == Part::Lanes(0) && self.mode == Mode::Masked
    }

    fn load(&mut self, selected: &Selected, stream: u32, part: Part) {
        let from = Place::Memory(self.column(stream, part));
        let to = self.define(selected);
        let masked = self.is_masked(part);
        self.vector(match (self.body.level, selected.width) {
            (Level::L512, width) => {
                let vector = Vector::unary(load_opcode(width), to, from);
                let mask = if masked { self.frame.tail_mask() } else { 0 };
                Vector { mask, zeroing: masked, ..vector }
            }
            (_, width) if !masked => Vector::unary(load_opcode(width), to, from),
            (_, Width::Double) => Vector::new(Opcode::MaskLoadPd, to, self.frame.tail_mask(), from),
            (_, Width::Single) => Vector::new(Opcode::MaskLoadPs, to, self.frame.tail_mask(), from),
        });
    }

    fn store(&mut self, width: Width, from: Register, to: Memory, part: Part) {
        let to = Place::Memory(to);
        let masked = self.is_masked(part);
        let mask = self.frame.tail_mask();
        self.vector(match (self.body.level, width) {
            (_, Width::Double) if part == Part::First => Vector::unary(Opcode::StoreOnePd, from, to),
            (_, Width::Single) if part == Part::First => Vector::unary(Opcode::StoreOnePs, from, to),
            (Level::L512, width) => {
                Vector { mask: if masked { mask } else { 0 }, ..Vector::unary(store_opcode(width), from, to) }
            }
            (_, width) if !masked => Vector::unary(store_opcode(width), from, to),
            (_, Width::Double) => Vector::new(Opcode::MaskStorePd, from, mask, to),
            (_, Width::Single) => Vector::new(Opcode::MaskStorePs, from, mask, to),
        });
    }

    fn sum(&mut self, selected: &Selected, stream: u32, vector: u8) {
        let x = selected.uses[0];
        let from = self.hold(x);
        let to = match self.ends(x) && !self.is_pinned(x) {
            true => from,
            false => self.take(Class::Vector),
        };
        let place = self.frame.partial_sums(stream, vector);
        let opcode = match selected.width {
            Width::Double => Opcode::AddPd,
            Width::Single => Opcode::AddPs,
        };
        self.vector(Vector::new(opcode, to, from, Place::Memory(place)));
        self.store(selected.width, to, place, Part::Lanes(vector));
        self.release(&selected.uses);
    }

    fn column(&mut self, stream: u32, part: Part) -> Memory {
        let (memory, before) = self.frame.column(stream, part);
        self.address(before);
        memory
    }

    pub(super) fn address(&mut self, before: Option<Instr>) {
        if let Some(instr) = before {
            self.out.push(Placed { instr, meaning: Meaning::Address });
        }
    }

    /// True where the current instruction is the last to use the value.
    pub(super) fn ends(&self, value: Val) -> bool {
        self.uses.of(value).last() == Some(&self.at)
    }

    pub(super) fn is_pinned(&self, value: Val) -> bool {
        let vector = class(self.body, value) == Class::Vector;
        vector && self.register[value.index()].is_some_and(|r| self.pinned >> r & 1 == 1)
    }
}

pub(super) fn load_opcode(width: Width) -> Opcode {
    match width {
        Width::Double => Opcode::LoadPd,
        Width::Single => Opcode::LoadPs,
    }
}

fn store_opcode(width: Width) -> Opcode {
    match width {
        Width::Double => Opcode::StorePd,
        Width::Single => Opcode::StorePs,
    }
}

pub(super) fn broadcast(width: Width) -> Opcode {
    match width {
        Width::Double => Opcode::BroadcastQ,
        Width::Single => Opcode::BroadcastD,
    }
}
