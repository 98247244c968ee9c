//! A body to a function over streams: the loop, its tail, what is around them.
//!
//! The function takes a table of pointers, one a stream, how many elements there are, and memory
//! for slots. Short bodies have forms of several whole vectors, of one, and of the lanes that are left;
//! long ones only the last, for every round. Short bodies that store have a second function, whose loop
//! stores past the caches.
//!
//! What must stay true: exactly the first `count` elements of a column are read or written.

use super::allocate::{Placed, allocate, broadcast, load_opcode};
use super::body::{Body, Op, Val};
use super::encode;
use super::frame::{Frame, Mode, SUM_LANES};
use super::instr::{Condition, Gpr, Instr, Label, Memory, Place, Vector};
use super::interleave::{Round, several};
use super::level::Level;
use super::opcode::Opcode;
use super::pool::Pool;
use super::select::{Selected, select};
use super::verify::verify;
use crate::error::Error;

/// Longest selected code that has a form for whole vectors.
const SHORT: usize = 1000;

/// A function before it has an address.
#[derive(Clone)]
pub struct Assembly {
    pub level: Level,
    pub code: Vec<Instr>,
    /// Behind the code.
    pub constants: Pool,
    /// Bytes of slots the caller lends, on a cache line.
    pub scratch: usize,
    /// Where a second function begins, which takes what the first does but stores past the caches, and the
    /// first of the streams that it stores so.
    pub non_temporal: Option<(Label, u32)>,
}

impl Assembly {
    pub fn bytes(&self) -> Vec<u8> {
        self.encoded().0
    }

    /// The bytes, how many of them are before the second function, and its first stream.
    pub(super) fn encoded(&self) -> (Vec<u8>, Option<(usize, u32)>) {
        let (bytes, labels) = encode::encode(self.level, &self.code, self.constants.bytes());
        (bytes, self.non_temporal.map(|(label, first)| (labels[&label], first)))
    }
}

/// The function of a body; `foreign` is the address of what [`Foreign`](crate::elementary::Foreign)
/// calls go through.
///
/// # Errors
/// Where there are more sums than registers to point at them, and where the allocation does not verify.
pub fn assemble(mut body: Body, foreign: u64) -> Result<Assembly, Error> {
    let code = select(&mut body);
    let used = used(&body, &code);
    let mut frame = Frame::of_table(&body, &used);
    if !frame.sums_fit(&body) {
        return Err(Error::internal("wide", "more sums than registers"));
    }
    let is_short = code.len() <= SHORT;
    let several = if is_short { several(&mut body, &code, &frame) } else { None };
    let one = Round::new(&body, code, 1);
    let most = several.as_ref().unwrap_or(&one);
    let mut writer = Writer { body: &body, pins: &most.pins, out: Vec::new() };
    writer.open(&frame);
    let mut non_temporal = None;
    match is_short {
        true => {
            let next = writer.all_forms(&mut frame, &one, several.as_ref())?;
            writer.around(frame.close());
            if let Some(first) = frame.non_temporal {
                non_temporal = Some((writer.non_temporal(&mut frame, most, next)?, first));
            }
        }
        false => {
            writer.one_form(&mut frame, &one)?;
            writer.around(frame.close());
        }
    }
    writer.around(frame.stubs(foreign));
    Ok(Assembly {
        level: body.level,
        code: writer.out,
        constants: frame.pool().clone(),
        scratch: frame.scratch(),
        non_temporal,
    })
}

/// Which values of the body the code has.
pub(super) fn used(body: &Body, code: &[Selected]) -> Vec<bool> {
    let mut used = vec![false; body.insts.len()];
    for selected in code {
        selected.uses.iter().chain(&selected.def).for_each(|v| used[v.index()] = true);
    }
    used
}

/// Puts invariants where they stay.
pub(super) fn load_pins(body: &Body, pins: &[Val], frame: &Frame) -> Vec<Instr> {
    let mut code = Vec::new();
    for (register, &value) in pins.iter().enumerate() {
        let inst = &body.insts[value.index()];
        let (memory, before, opcode) = match inst.op {
            Op::Uniform(stream) => {
                let (memory, before) = frame.uniform(stream);
                (memory, before, broadcast(inst.width))
            }
            Op::Slot(slot) => (frame.slot(slot), None, Opcode::LoadPd),
            _ if frame.constant(value).broadcast => (frame.constant(value), None, broadcast(inst.width)),
            _ => (frame.constant(value), None, load_opcode(inst.width)),
        };
        let memory = Memory { broadcast: false, ..memory };
        code.extend(before);
        code.push(Instr::Vector(Vector::unary(opcode, register as u8, Place::Memory(memory))));
    }
    code
}

struct Writer<'a> {
    body: &'a Body,
    pins: &'a [Val],
    out: Vec<Instr>,
}

impl Writer<'_> {
    fn around(&mut self, code: impl IntoIterator<Item = Instr>) {
        self.out.extend(code);
    }

    fn form(&mut self, frame: &mut Frame, round: &Round, mode: Mode) -> Result<(), Error> {
        let placed = allocate(self.body, &round.code, &round.uses, (self.pins, &[]), frame, mode);
        if cfg!(debug_assertions) {
            let fact = verify(self.body, &round.code, (self.pins, &[]), &placed, frame);
            fact.map_err(|fact| Error::internal("wide", fact))?;
        }
        self.out.extend(placed.into_iter().map(|Placed { instr, .. }| instr));
        Ok(())
    }

    /// What is before the first element.
    fn open(&mut self, frame: &Frame) {
        self.around(frame.open());
        self.out.extend(load_pins(self.body, self.pins, frame));
        self.around([Instr::MoveImmediate(Gpr::RAX, 0)]);
        self.around(frame.has_sums.then_some(Instr::MoveImmediate(Gpr::RBP, 0)));
    }

    /// Rounds while there are as many elements, then on at `next` with as many too few.
    fn whole(&mut self, frame: &mut Frame, round: &Round, mode: Mode, next: Label) -> Result<(), Error> {
        let elements = round.elements(frame);
        let head = frame.label();
        self.around([Instr::Sub(Gpr::RSI, elements), Instr::Jump(Condition::Below, next), Instr::Head(head)]);
        self.form(frame, round, mode)?;
        self.step(frame, elements);
        self.around([Instr::Sub(Gpr::RSI, elements), Instr::Jump(Condition::AtLeast, head)]);
        Ok(())
    }

    /// What comes behind rounds.
    fn behind(&mut self, frame: &Frame, round: &Round, next: Label) {
        self.around([Instr::Label(next), Instr::Add(Gpr::RSI, round.elements(frame))]);
    }

    /// Where the first rounds end.
    fn all_forms(&mut self, frame: &mut Frame, one: &Round, several: Option<&Round>) -> Result<Label, Error> {
        let [next, tail, done] = [(); 3].map(|()| frame.label());
        if let Some(several) = several {
            self.whole(frame, several, Mode::Whole, next)?;
            self.behind(frame, several, next);
        }
        self.whole(frame, one, Mode::Whole, tail)?;
        self.behind(frame, one, tail);
        self.around([Instr::Test(Gpr::RSI), Instr::Jump(Condition::Zero, done)]);
        self.around(frame.make_mask());
        self.form(frame, one, Mode::Masked)?;
        self.around([Instr::Label(done)]);
        Ok(if several.is_some() { next } else { tail })
    }

    /// The second function, which goes on as the first; where it begins.
    fn non_temporal(&mut self, frame: &mut Frame, round: &Round, next: Label) -> Result<Label, Error> {
        let start = frame.label();
        self.around([Instr::Label(start)]);
        self.open(frame);
        self.whole(frame, round, Mode::NonTemporal, next)?;
        self.around([Instr::Fence, Instr::Jump(Condition::Always, next)]);
        Ok(start)
    }

    fn one_form(&mut self, frame: &mut Frame, one: &Round) -> Result<(), Error> {
        let lanes = one.elements(frame);
        let [head, done] = [(); 2].map(|()| frame.label());
        self.around([Instr::Test(Gpr::RSI), Instr::Jump(Condition::Zero, done), Instr::Label(head)]);
        self.around(frame.make_mask());
        self.form(frame, one, Mode::Masked)?;
        self.step(frame, lanes);
        self.around([Instr::Sub(Gpr::RSI, lanes), Instr::Jump(Condition::Above, head)]);
        self.around([Instr::Label(done)]);
        Ok(())
    }

    fn step(&mut self, frame: &Frame, elements: i32) {
        self.around([Instr::Add(Gpr::RAX, elements)]);
        if frame.has_sums {
            self.around([Instr::Move(Gpr::RBP, Gpr::RAX), Instr::And(Gpr::RBP, SUM_LANES as i32 - 1)]);
        }
    }
}
