//! Register allocation of straight-line code: one scan; what is used again last leaves its register
//! first (Belady, "A study of replacement algorithms", 1966).
//!
//! What must stay true: a value is in its register, in its slot, or can be fetched again, from its
//! definition to its last use; `verify` checks it. The invariants used most stay in registers of
//! their own over the whole loop.

use super::body::{Body, Op, Val, Width};
use super::frame::{Frame, Mode};
use super::instr::{Instr, Memory, Order, Place, Register, Vector};
use super::level::Level;
use super::opcode::Opcode;
use super::select::{Kind, Selected};

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

/// An instruction and what it is for.
#[derive(Clone, Debug)]
pub struct Placed {
    pub instr: Instr,
    pub meaning: Meaning,
}

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

    fn of(&self, value: Val) -> &[u32] {
        &self.places[self.starts[value.index()] as usize..self.starts[value.index() + 1] as usize]
    }
}

/// The invariants that stay in registers, most used first; register i holds number i.
pub(super) fn pins(body: &Body, code: &[Selected], uses: &Uses) -> Vec<Val> {
    let available = registers(body.level, Mode::Masked);
    let free = available.saturating_sub(2 + most_alive(body, code, uses));
    let invariants = (0..body.insts.len() as u32).map(Val);
    let mut invariants: Vec<Val> =
        invariants.filter(|v| body.insts[v.index()].op.is_invariant() && !uses.of(*v).is_empty()).collect();
    invariants.sort_by_key(|v| std::cmp::Reverse(uses.of(*v).len()));
    invariants.truncate(usize::from(free));
    invariants
}

/// How many vector registers there are for values.
fn registers(level: Level, mode: Mode) -> u8 {
    match (level, mode) {
        (Level::L512, _) => 32,
        (_, Mode::Whole) => 16,
        // The last one is the tail's mask.
        (_, Mode::Masked) => 15,
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

/// The code on registers, and how many slots it spills to.
pub(super) fn allocate(
    body: &Body,
    code: &[Selected],
    uses: &Uses,
    pins: &[Val],
    frame: &mut Frame,
    mode: Mode,
) -> Vec<Placed> {
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
        pinned: 0,
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

struct Allocator<'a> {
    body: &'a Body,
    uses: &'a Uses,
    frame: &'a mut Frame,
    mode: Mode,
    register: Vec<Option<Register>>,
    slot: Vec<Option<u32>>,
    /// How many uses of a value are over.
    cursor: Vec<u32>,
    holds: [[Option<Val>; 32]; 2],
    counts: [u8; 2],
    /// Vector registers that never change.
    pinned: u32,
    /// Registers the current instruction needs, by class.
    locked: [u32; 2],
    free_slots: Vec<u32>,
    /// Slots that the current instruction is the last to read: free after it.
    freed_slots: Vec<u32>,
    at: u32,
    out: Vec<Placed>,
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
            Kind::Load(stream) => self.load(selected, stream),
            Kind::Store(stream) => {
                let from = self.hold(uses[0]);
                let to = self.column(stream);
                self.store(selected.width, from, to);
                self.release(uses);
            }
            Kind::Sum(stream) => self.sum(selected, stream),
            Kind::Foreign(f) => {
                let args: Vec<Register> = uses.iter().map(|&x| self.hold(x)).collect();
                self.release(uses);
                let to = self.define(selected);
                let call = self.frame.call(f, to, &args, None);
                call.into_iter().for_each(|instr| self.emit(instr));
            }
            Kind::Rare(f) => {
                let (mask, argument) = (self.hold(uses[0]), self.hold(uses[2]));
                let to = self.tied(uses[1]);
                self.release(uses);
                self.put(selected.def.expect("a value"), to);
                let call = self.frame.call(f, to, &[argument], Some(mask));
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
        self.put(selected.def.expect("a value"), to);
        self.vector(Vector { order, ..Vector::new(opcode, to, second, last) });
    }

    fn load(&mut self, selected: &Selected, stream: u32) {
        let from = Place::Memory(self.column(stream));
        let to = self.define(selected);
        let masked = self.mode == Mode::Masked;
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

    fn store(&mut self, width: Width, from: Register, to: Memory) {
        let to = Place::Memory(to);
        let masked = self.mode == Mode::Masked;
        let mask = self.frame.tail_mask();
        self.vector(match (self.body.level, width) {
            (Level::L512, width) => {
                Vector { mask: if masked { mask } else { 0 }, ..Vector::unary(store_opcode(width), from, to) }
            }
            (_, width) if !masked => Vector::unary(store_opcode(width), from, to),
            (_, Width::Double) => Vector::new(Opcode::MaskStorePd, from, mask, to),
            (_, Width::Single) => Vector::new(Opcode::MaskStorePs, from, mask, to),
        });
    }

    fn sum(&mut self, selected: &Selected, stream: u32) {
        let x = selected.uses[0];
        let from = self.hold(x);
        let to = match self.ends(x) && !self.is_pinned(x) {
            true => from,
            false => self.take(Class::Vector),
        };
        let place = self.frame.partial_sums(stream);
        let opcode = match selected.width {
            Width::Double => Opcode::AddPd,
            Width::Single => Opcode::AddPs,
        };
        self.vector(Vector::new(opcode, to, from, Place::Memory(place)));
        self.store(selected.width, to, place);
        self.release(&selected.uses);
    }

    fn column(&mut self, stream: u32) -> Memory {
        let (memory, before) = self.frame.column(stream);
        self.address(before);
        memory
    }

    fn address(&mut self, before: Option<Instr>) {
        if let Some(instr) = before {
            self.out.push(Placed { instr, meaning: Meaning::Address });
        }
    }

    /// True where the current instruction is the last to use the value.
    fn ends(&self, value: Val) -> bool {
        self.uses.of(value).last() == Some(&self.at)
    }

    fn is_pinned(&self, value: Val) -> bool {
        let vector = class(self.body, value) == Class::Vector;
        vector && self.register[value.index()].is_some_and(|r| self.pinned >> r & 1 == 1)
    }

    /// A register that holds the value, kept for this instruction.
    fn hold(&mut self, value: Val) -> Register {
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
    fn anywhere(&mut self, value: Val) -> Place {
        match self.register[value.index()] {
            None if self.place(value).is_some() => self.memory(value),
            _ => Place::Register(self.hold(value)),
        }
    }

    /// Where in memory an operand can have the value.
    fn place(&self, value: Val) -> Option<Memory> {
        if class(self.body, value) == Class::Mask {
            return None;
        }
        match self.body.insts[value.index()].op {
            Op::Constant(_) => Some(self.frame.constant(value)),
            Op::Uniform(stream) if self.body.level == Level::L512 => {
                let (memory, _) = self.frame.uniform(stream);
                Some(Memory { broadcast: true, ..memory })
            }
            Op::Uniform(_) => None,
            _ => self.slot[value.index()].map(|slot| self.frame.slot(slot)),
        }
    }

    /// The operand in memory, its address made.
    fn memory(&mut self, value: Val) -> Place {
        if let Op::Uniform(stream) = self.body.insts[value.index()].op {
            let (_, before) = self.frame.uniform(stream);
            self.address(before);
        }
        Place::Memory(self.place(value).expect("the caller has asked"))
    }

    /// Another register with the value, which the instruction may overwrite.
    fn tied(&mut self, value: Val) -> Register {
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

    fn fetch_copy(&mut self, value: Val) -> Register {
        let to = self.take(Class::Vector);
        self.locked[0] |= 1 << to;
        self.fetch(value, to);
        to
    }

    /// Loads the value from its slot, or makes it.
    fn fetch(&mut self, value: Val, to: Register) {
        let inst = &self.body.insts[value.index()];
        let vector = match inst.op {
            Op::Constant(_) => {
                let opcode = if self.body.level == Level::L512 { broadcast } else { load_opcode };
                let memory = Memory { broadcast: false, ..self.frame.constant(value) };
                Vector::unary(opcode(inst.width), to, Place::Memory(memory))
            }
            Op::Uniform(stream) => {
                let (memory, before) = self.frame.uniform(stream);
                self.address(before);
                Vector::unary(broadcast(inst.width), to, Place::Memory(memory))
            }
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
    fn define(&mut self, selected: &Selected) -> Register {
        let value = selected.def.expect("a value");
        let register = self.take(class(self.body, value));
        self.put(value, register);
        register
    }

    fn put(&mut self, value: Val, register: Register) {
        let class = class(self.body, value);
        self.holds[class as usize][usize::from(register)] = Some(value);
        self.register[value.index()] = Some(register);
    }

    /// A register nothing needs now: a free one, or that of the value needed last.
    fn take(&mut self, class: Class) -> Register {
        let free = |s: &Self, r: u8| {
            s.holds[class as usize][usize::from(r)].is_none() && s.locked[class as usize] >> r & 1 == 0
        };
        let all = 0..self.counts[class as usize];
        if let Some(register) = all.clone().find(|&r| free(self, r)) {
            return register;
        }
        let fixed = self.locked[class as usize] | if class == Class::Vector { self.pinned } else { 0 };
        let candidates = all.filter(|r| fixed >> r & 1 == 0);
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
    fn release(&mut self, uses: &[Val]) {
        for &value in uses {
            if self.ends(value) && !self.is_pinned(value) {
                self.drop_value(value);
            }
        }
        // The result may take any of their registers.
        self.locked = [0, 1];
    }

    fn drop_value(&mut self, value: Val) {
        let class = class(self.body, value);
        if let Some(register) = self.register[value.index()].take() {
            self.holds[class as usize][usize::from(register)] = None;
        }
        if let Some(slot) = self.slot[value.index()].take() {
            self.freed_slots.push(slot);
        }
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
