//! Instruction selection: which instruction an operation is, and what its operands may be.
//!
//! What must stay true: the code keeps the order of the body, but for loads, which move down to
//! their first use unless a store is in between; what nothing stored depends on is dropped.

use super::body::{Body, Inst, Op, Val, Vals, Width};
use super::level::Level;
use super::opcode::Opcode;
use crate::elementary::Foreign;

/// Which lanes are loaded or stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Those of the loop's form, of this vector of a round.
    Lanes(u8),
    Tail,
    First,
}

/// How an operation is carried out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// One instruction; the last operand may be in memory.
    Plain(Opcode, Option<u8>),
    /// One instruction on registers.
    Registers(Opcode, Option<u8>),
    /// One instruction whose result is its last operand: an extraction.
    Extract(Opcode, u8),
    /// One operand, and how its parts go.
    Swap(Opcode, u8),
    /// a·b + c and its like, whose result takes an operand's register.
    Fused(Opcode),
    /// Mask, then, otherwise.
    Blend(Opcode),
    Load(u32, Part),
    /// One element in every lane.
    Spread(u32),
    /// The index.
    Gather(u32, Part),
    Position(u32),
    Store(u32, Part),
    Keep(u32),
    /// Of this vector of a round.
    Sum(u32, u8),
    Foreign(Foreign),
    /// Mask, otherwise, argument.
    Rare(Foreign),
}

/// An instruction over values.
#[derive(Clone, Debug, PartialEq)]
pub struct Selected {
    pub kind: Kind,
    pub width: Width,
    pub def: Option<Val>,
    pub uses: Vals,
}

/// The instructions of a body. Invariants have none: they are fetched where they are used.
pub fn select(body: &mut Body) -> Vec<Selected> {
    let needed = needed(body);
    let mut code = Vec::new();
    let mut loads = Loads { is_waiting: vec![false; body.insts.len()], waiting: Vec::new() };
    for (at, needed) in needed.into_iter().enumerate() {
        let op = body.insts[at].op;
        if !needed || op.is_invariant() {
            continue;
        }
        if op.is_load() {
            loads.is_waiting[at] = true;
            loads.waiting.push(at);
            continue;
        }
        let operands = body.insts[at].operands;
        for operand in operands.iter() {
            loads.done(body, operand.index(), &mut code);
        }
        if op.is_effect() && !matches!(op, Op::Keep(_)) {
            // What it stores might be where they load.
            for load in std::mem::take(&mut loads.waiting) {
                loads.done(body, load, &mut code);
            }
        }
        let selected = instruction(body, Val(at as u32));
        code.push(selected);
    }
    code
}

/// Loads that nothing has needed yet.
struct Loads {
    is_waiting: Vec<bool>,
    /// And some that something has.
    waiting: Vec<usize>,
}

impl Loads {
    /// Carries out a load, if it is one that waits.
    fn done(&mut self, body: &Body, at: usize, code: &mut Vec<Selected>) {
        // What the body grows by in between is no load.
        if !self.is_waiting.get_mut(at).is_some_and(std::mem::take) {
            return;
        }
        let kind = match body.insts[at].op {
            Op::Load(stream) => Kind::Load(stream, Part::Lanes(0)),
            Op::LoadTail(stream) => Kind::Load(stream, Part::Tail),
            Op::Spread(stream) => Kind::Spread(stream),
            _ => unreachable!("only loads wait"),
        };
        let (def, width) = (Some(Val(at as u32)), body.insts[at].width);
        code.push(Selected { kind, width, def, uses: Vals::new(&[]) });
    }
}

fn needed(body: &Body) -> Vec<bool> {
    let mut needed: Vec<bool> = body.insts.iter().map(|inst| inst.op.is_effect()).collect();
    for (at, inst) in body.insts.iter().enumerate().rev() {
        if needed[at] {
            inst.operands.iter().for_each(|x| needed[x.index()] = true);
        }
    }
    needed
}

fn instruction(body: &mut Body, value: Val) -> Selected {
    let Inst { op, width, operands } = body.insts[value.index()];
    let mut uses = operands;
    if is_commutative(op) && body.insts[uses[0].index()].op.is_invariant() {
        uses.swap(0, 1);
    }
    let kind = match op {
        Op::Store(stream) => Kind::Store(stream, Part::Lanes(0)),
        Op::StoreTail(stream) => Kind::Store(stream, Part::Tail),
        Op::StoreOne(stream) => Kind::Store(stream, Part::First),
        Op::Keep(slot) => Kind::Keep(slot),
        Op::Gather(stream) => Kind::Gather(stream, Part::Lanes(0)),
        Op::GatherTail(stream) => Kind::Gather(stream, Part::Tail),
        Op::Position(stream) => Kind::Position(stream),
        Op::Sum(stream) => Kind::Sum(stream, 0),
        Op::Foreign(f) => Kind::Foreign(f),
        Op::Rare(f) => Kind::Rare(f),
        Op::Less | Op::LessEqual | Op::Equal | Op::NotEqual => comparison(body, op, width, &mut uses),
        Op::IEqual => integer_equality(body.level, width),
        Op::MaskAnd | Op::MaskOr | Op::MaskNot => mask_operation(body, op, width, &mut uses),
        _ => arithmetic(body.level, op, width),
    };
    let def = (!op.is_effect()).then_some(value);
    Selected { kind, width, def, uses }
}

fn is_commutative(op: Op) -> bool {
    matches!(op, Op::Add | Op::Mul | Op::And | Op::Or | Op::Xor | Op::IAdd | Op::IEqual)
}

/// The first of a pair for doubles, the second for singles.
fn by(width: Width, double: Opcode, single: Opcode) -> Opcode {
    match width {
        Width::Double => double,
        Width::Single => single,
    }
}

#[rustfmt::skip]
fn arithmetic(level: Level, op: Op, width: Width) -> Kind {
    use Opcode::*;
    let wide = level == Level::L512;
    let plain = |double, single| Kind::Plain(by(width, double, single), None);
    let shift = |double, single, n| Kind::Registers(by(width, double, single), Some(n));
    let fused = |double, single| Kind::Fused(by(width, double, single));
    match op {
        Op::Add            => plain(AddPd, AddPs),
        Op::Sub            => plain(SubPd, SubPs),
        Op::Mul            => plain(MulPd, MulPs),
        Op::Div            => plain(DivPd, DivPs),
        Op::Sqrt           => plain(SqrtPd, SqrtPs),
        Op::Min            => plain(MinPd, MinPs),
        Op::Max            => plain(MaxPd, MaxPs),
        Op::Scale          => plain(ScalefPd, ScalefPs),
        Op::And            => plain(AndPd, AndPs),
        Op::Or             => plain(OrPd, OrPs),
        Op::Xor            => plain(XorPd, XorPs),
        Op::IAdd           => plain(AddQ, AddD),
        Op::ISub           => plain(SubQ, SubD),
        Op::IMul           => Kind::Plain(MulD, None),
        Op::ToInteger      => Kind::Registers(by(width, ToIntPd, ToIntPs), None),
        Op::Fma            => fused(FmaPd, FmaPs),
        Op::Fms            => fused(FmsPd, FmsPs),
        Op::Fnma           => fused(FnmaPd, FnmaPs),
        Op::Fnms           => fused(FnmsPd, FnmsPs),
        Op::Shl(n)         => shift(ShlQ, ShlD, n),
        Op::ShrUnsigned(n) => shift(ShrQ, ShrD, n),
        Op::ShrSigned(n)   => shift(SarQ, SarD, n),
        Op::Select if wide => Kind::Blend(by(width, BlendMPd, BlendMPs)),
        Op::Select         => Kind::Blend(by(width, BlendVPd, BlendVPs)),
        // 8: no exception is raised.
        Op::Round(to) if wide => Kind::Plain(by(width, RndPd, RndPs), Some(8 | to as u8)),
        Op::Round(to)      => Kind::Plain(by(width, RoundPd, RoundPs), Some(8 | to as u8)),
        Op::Upper if wide  => Kind::Extract(Upper512, 1),
        Op::Upper          => Kind::Extract(Upper256, 1),
        Op::Widen          => Kind::Registers(Widen, None),
        Op::Narrow         => Kind::Registers(Narrow, None),
        Op::Swap(bytes)    => swap(level, bytes),
        Op::Join if wide   => Kind::Registers(Join512, Some(1)),
        Op::Join           => Kind::Registers(Join256, Some(1)),
        _ => unreachable!("{op:?} is selected elsewhere"),
    }
}

/// Lanes that change places; the opcodes go by bits, whatever the lanes are.
fn swap(level: Level, bytes: u8) -> Kind {
    use Opcode::{Blocks256, Blocks512, LanesPd, LanesPs};
    let (opcode, order) = match (level, bytes) {
        (Level::L512, 32) => (Blocks512, 0x4E),
        (Level::L512, 16) => (Blocks512, 0xB1),
        (_, 16) => (Blocks256, 0x01),
        (_, 8) => (LanesPd, 0x55),
        _ => (LanesPs, 0xB1),
    };
    Kind::Swap(opcode, order)
}

/// Predicates that signal nothing; with an invariant first operand the mirror image.
fn comparison(body: &Body, op: Op, width: Width, uses: &mut Vals) -> Kind {
    let swaps = body.insts[uses[0].index()].op.is_invariant();
    if swaps {
        uses.swap(0, 1);
    }
    let predicate = match (op, swaps) {
        (Op::Equal, _) => 0x00,
        (Op::NotEqual, _) => 0x04,
        (Op::Less, false) => 0x11,
        (Op::LessEqual, false) => 0x12,
        (Op::LessEqual, true) => 0x1D,
        _ => 0x1E,
    };
    Kind::Plain(by(width, Opcode::CmpPd, Opcode::CmpPs), Some(predicate))
}

fn integer_equality(level: Level, width: Width) -> Kind {
    match level {
        Level::L512 => Kind::Plain(by(width, Opcode::CmpQ, Opcode::CmpD), Some(0)),
        _ => Kind::Plain(by(width, Opcode::EqQ, Opcode::EqD), None),
    }
}

fn mask_operation(body: &mut Body, op: Op, width: Width, uses: &mut Vals) -> Kind {
    use Opcode::{AndPd, AndPs, KAnd, KNot, KOr, OrPd, OrPs, XorPd, XorPs};
    match (body.level, op) {
        (Level::L512, Op::MaskAnd) => Kind::Registers(KAnd, None),
        (Level::L512, Op::MaskOr) => Kind::Registers(KOr, None),
        (Level::L512, _) => Kind::Registers(KNot, None),
        (_, Op::MaskAnd) => Kind::Plain(by(width, AndPd, AndPs), None),
        (_, Op::MaskOr) => Kind::Plain(by(width, OrPd, OrPs), None),
        _ => {
            let ones = match width {
                Width::Double => u64::MAX,
                Width::Single => u64::from(u32::MAX),
            };
            let ones = body.push(Op::Constant(ones), width, &[]);
            *uses = Vals::new(&[uses[0], ones]);
            Kind::Plain(by(width, XorPd, XorPs), None)
        }
    }
}
