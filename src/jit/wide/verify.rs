//! A check of register allocation: the code is run on names instead of numbers.
//!
//! What must stay true, and is checked: whenever an instruction of the body runs, every operand is
//! where the body says: in a register, a slot or the constants; nothing pinned is overwritten.

use super::allocate::{Carried, Meaning, Placed};
use super::body::{Body, Op, Val};
use super::call::Site;
use super::frame::Frame;
use super::instr::{Gpr, Instr, Memory, Order, Place, Register, Vector};
use super::opcode::{Layout, Opcode, Sizes};
use super::select::{Kind, Part, Selected};
use super::uses::{Class, class};
use rustc_hash::FxHashMap;

/// The first fact the code breaks, in words.
pub(super) fn verify(
    body: &Body,
    code: &[Selected],
    (pins, carried): (&[Val], &[Carried]),
    placed: &[Placed],
    frame: &Frame,
) -> Result<(), String> {
    let (registers, slots) = ([[None; 32]; 2], FxHashMap::default());
    let mut state = State { body, pins, carried, frame, registers, slots };
    for (register, &value) in pins.iter().enumerate() {
        state.registers[0][register] = Some(value);
    }
    for carried in carried {
        state.registers[0][usize::from(carried.register)] = Some(carried.before);
    }
    let mut done = vec![false; code.len()];
    for (at, Placed { instr, meaning }) in placed.iter().enumerate() {
        let fact = match (meaning, instr) {
            (Meaning::Move(value), Instr::Vector(vector)) => state.moved(vector, *value),
            (Meaning::Of(i), Instr::Vector(vector)) => {
                done[*i as usize] = true;
                state.run(vector, &code[*i as usize])
            }
            (Meaning::Of(i), Instr::MoveImmediate(_, site)) => {
                done[*i as usize] = true;
                state.call(&Site::unpack(*site), &code[*i as usize])
            }
            (Meaning::Of(i), Instr::Jump(_, stub)) => match frame.site(*stub) {
                Some(site) => state.call(&Site::unpack(site), &code[*i as usize]),
                None => Err("jumps nowhere".to_owned()),
            },
            _ => Ok(()),
        };
        fact.map_err(|fact| format!("instruction {at}, `{instr}`: {fact}"))?;
    }
    for Carried { register, after, .. } in carried {
        state.holds(Place::Register(*register), *after)?;
    }
    let is_carried = |s: &Selected| matches!(s.kind, Kind::Keep(n) if carried.iter().any(|c| c.slot == n));
    match (0..code.len()).position(|i| !done[i] && !is_carried(&code[i])) {
        Some(i) => Err(format!("nothing carries out {:?}", code[i])),
        None => Ok(()),
    }
}

struct State<'a> {
    body: &'a Body,
    pins: &'a [Val],
    carried: &'a [Carried],
    frame: &'a Frame,
    registers: [[Option<Val>; 32]; 2],
    /// By offset.
    slots: FxHashMap<i32, Val>,
}

impl State<'_> {
    fn moved(&mut self, vector: &Vector, value: Val) -> Result<(), String> {
        let class = class(self.body, value);
        if vector.opcode.row().layout == Layout::Mr {
            self.holds(Place::Register(vector.reg), value)?;
            let Place::Memory(memory) = vector.last else { return Err("is no store".to_owned()) };
            self.slots.insert(memory.disp, value);
            return Ok(());
        }
        self.holds(vector.last, value)?;
        self.write(class, vector.reg, Some(value))
    }

    fn run(&mut self, vector: &Vector, selected: &Selected) -> Result<(), String> {
        let uses = &selected.uses;
        match selected.kind {
            Kind::Plain(..) | Kind::Registers(..) => {
                if let [first, _] = uses[..] {
                    self.holds(Place::Register(vector.second), first)?;
                }
                self.holds(vector.last, *uses.last().ok_or("has no operand")?)?;
                self.define(selected, vector.reg)
            }
            Kind::Extract(..) => {
                self.holds(Place::Register(vector.reg), uses[0])?;
                let Place::Register(to) = vector.last else { return Err("is no extraction".to_owned()) };
                self.define(selected, to)
            }
            Kind::Swap(..) => {
                self.holds(vector.last, uses[0])?;
                self.define(selected, vector.reg)
            }
            Kind::Gather(stream, _) => self.gather(vector, selected, stream),
            Kind::Position(_) => self.define(selected, vector.reg),
            Kind::Keep(slot) => self.keep(vector, uses[0], slot),
            Kind::Fused(_) => {
                self.fused(vector, [uses[0], uses[1], uses[2]])?;
                self.define(selected, vector.reg)
            }
            Kind::Blend(opcode) => {
                let wide = opcode.row().layout != Layout::Rvmr;
                let mask = if wide { vector.mask } else { vector.immediate.unwrap_or(0) >> 4 };
                self.holds(Place::Register(mask), uses[0])?;
                self.holds(vector.last, uses[1])?;
                self.holds(Place::Register(vector.second), uses[2])?;
                self.define(selected, vector.reg)
            }
            Kind::Load(stream, part) => self.load(vector, selected, stream, part),
            Kind::Spread(stream) => self.load(vector, selected, stream, Part::First),
            Kind::Store(stream, part) => {
                self.holds(Place::Register(vector.reg), uses[0])?;
                match vector.last == Place::Memory(self.frame.column(stream, part).0) {
                    true => Ok(()),
                    false => Err(format!("stores elsewhere than in stream {stream}")),
                }
            }
            Kind::Sum(stream, part) if matches!(vector.opcode, Opcode::AddPd | Opcode::AddPs) => {
                self.holds(Place::Register(vector.second), uses[0])?;
                match vector.last == Place::Memory(self.frame.partial_sums(stream, part)) {
                    true => self.write(Class::Vector, vector.reg, None),
                    false => Err(format!("adds elsewhere than in stream {stream}")),
                }
            }
            Kind::Sum(stream, part) => {
                match vector.last == Place::Memory(self.frame.partial_sums(stream, part)) {
                    true => Ok(()),
                    false => Err(format!("stores elsewhere than in stream {stream}")),
                }
            }
            // The test of the mask; the call itself is looked at by its site.
            Kind::Rare(_) => self.holds(vector.last, uses[0]),
            Kind::Foreign(_) => Err("is no call".to_owned()),
        }
    }

    fn load(&mut self, vector: &Vector, selected: &Selected, stream: u32, part: Part) -> Result<(), String> {
        match vector.last == Place::Memory(self.frame.column(stream, part).0) {
            true => self.define(selected, vector.reg),
            false => Err(format!("loads from elsewhere than stream {stream}")),
        }
    }

    /// The gather itself, or what makes its mask and clears its result.
    fn gather(&mut self, vector: &Vector, selected: &Selected, stream: u32) -> Result<(), String> {
        match (vector.opcode.row().layout, vector.opcode.row().sizes, vector.last) {
            (Layout::Gather, _, Place::Memory(Memory { index: Some((index, _)), base, disp, .. })) => {
                self.holds(Place::Register(index.0), selected.uses[0])?;
                let from = self.frame.column(stream, Part::First).0;
                match (from.base, from.disp) == (base, disp) {
                    true => self.define(selected, vector.reg),
                    false => Err(format!("gathers from elsewhere than stream {stream}")),
                }
            }
            (_, Sizes::Masks, _) => self.write(Class::Mask, vector.reg, None),
            _ => self.write(Class::Vector, vector.reg, None),
        }
    }

    fn keep(&mut self, vector: &Vector, value: Val, slot: u32) -> Result<(), String> {
        match vector.last {
            Place::Memory(memory) if memory == self.frame.slot(slot) => {
                self.holds(Place::Register(vector.reg), value)
            }
            Place::Register(_) if self.carried.iter().any(|c| (c.slot, c.register) == (slot, vector.reg)) => {
                self.holds(vector.last, value)?;
                self.write(Class::Vector, vector.reg, Some(value))
            }
            _ => Err(format!("keeps {value} elsewhere than in slot {slot}")),
        }
    }

    fn call(&mut self, site: &Site, selected: &Selected) -> Result<(), String> {
        let (args, mask, tied) = match selected.kind {
            Kind::Foreign(_) => (&selected.uses[..], None, None),
            Kind::Rare(_) => (&selected.uses[2..], Some(selected.uses[0]), Some(selected.uses[1])),
            _ => return Err("calls nothing".to_owned()),
        };
        for (&register, &value) in site.args.iter().zip(args) {
            self.holds(Place::Register(register), value)?;
        }
        if let Some(mask) = mask {
            self.holds(Place::Register(site.mask.ok_or("has no mask")?), mask)?;
        }
        if let Some(tied) = tied {
            self.holds(Place::Register(site.to), tied)?;
        }
        self.define(selected, site.to)
    }

    /// Both factors, in either order, and the addend.
    fn fused(&self, vector: &Vector, [a, b, c]: [Val; 3]) -> Result<(), String> {
        let [result, second] = [vector.reg, vector.second].map(Place::Register);
        let (factors, addend) = match vector.order {
            Order::O132 => ([result, vector.last], second),
            Order::O213 => ([second, result], vector.last),
            Order::O231 => ([second, vector.last], result),
        };
        self.holds(addend, c)?;
        let in_order = self.holds(factors[0], a).and_then(|()| self.holds(factors[1], b));
        in_order.or_else(|fact| {
            let swapped = self.holds(factors[0], b).and_then(|()| self.holds(factors[1], a));
            swapped.map_err(|_| fact)
        })
    }

    fn define(&mut self, selected: &Selected, register: Register) -> Result<(), String> {
        let value = selected.def.ok_or("defines nothing")?;
        self.write(class(self.body, value), register, Some(value))
    }

    fn write(&mut self, class: Class, register: Register, value: Option<Val>) -> Result<(), String> {
        if class == Class::Vector && self.frame.taken >> register & 1 == 1 {
            return Err("overwrites a register of the code around".to_owned());
        }
        if class == Class::Vector && usize::from(register) < self.pins.len() {
            return Err(format!("overwrites {}, which is pinned", self.pins[usize::from(register)]));
        }
        self.registers[class as usize][usize::from(register)] = value;
        Ok(())
    }

    fn holds(&self, place: Place, value: Val) -> Result<(), String> {
        let is_tail = self.body.insts[value.index()].op == Op::Tail;
        let is_there = match place {
            Place::Register(register) if is_tail => register == self.frame.tail_mask(),
            Place::Register(register) => {
                self.registers[class(self.body, value) as usize][usize::from(register)] == Some(value)
            }
            Place::Memory(memory) => {
                let memory = Memory { broadcast: false, ..memory };
                match self.body.insts[value.index()].op {
                    Op::Constant(_) | Op::Steps(_) | Op::FloatSteps(_) => {
                        memory == Memory { broadcast: false, ..self.frame.constant(value) }
                    }
                    Op::Uniform(stream) => memory == self.frame.uniform(stream).0,
                    Op::Slot(slot) => memory == self.frame.slot(slot),
                    _ => memory.base == Gpr::RDX && self.slots.get(&memory.disp) == Some(&value),
                }
            }
        };
        if is_there { Ok(()) } else { Err(format!("{value} is not in {place:?}")) }
    }
}
