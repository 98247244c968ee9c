//! The body of a loop as straight-line SSA over vectors: the primitive operations of
//! [`Machine`], loads and stores of streams.
//!
//! What must stay true: equal operations on equal operands are one value; every operation is one
//! the level has an instruction for, and gives the plain machine's bits in every lane.

use super::level::Level;
use crate::elementary::{Foreign, Format, Machine};
use crate::ir::Precision;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxBuildHasher;
use std::fmt;
use std::hash::BuildHasher;

/// The result of the instruction at this position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Val(pub(super) u32);

impl Val {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for Val {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

/// Bits of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Width {
    Single,
    Double,
}

impl From<Precision> for Width {
    fn from(precision: Precision) -> Width {
        match precision {
            Precision::F32 => Width::Single,
            Precision::F64 => Width::Double,
        }
    }
}

impl Width {
    pub fn bytes(self) -> usize {
        match self {
            Width::Single => 4,
            Width::Double => 8,
        }
    }
}

/// Which of the integers near by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rounding {
    Floor = 1,
    Ceil = 2,
    Trunc = 3,
}

/// An operation. Integers and floats share lanes; masks are of their own kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// These bits in every lane.
    Constant(u64),
    /// The elements of a stream, one a lane.
    Load(u32),
    /// The elements of a stream in the lanes of the tail, 0 in the others.
    LoadTail(u32),
    /// The first element of a stream in every lane.
    Uniform(u32),
    /// As `Uniform`, of a stream that is written as well: what it holds at this place of the code.
    Spread(u32),
    /// Element `operand` of a stream, a 32-bit integer a lane; of doubles those in the lower half.
    Gather(u32),
    /// The same in the lanes of the tail, 0 in the others.
    GatherTail(u32),
    /// The number an address is, in every lane.
    Position(u32),
    /// 0, n, 2n …, as 32-bit integers.
    Steps(i32),
    /// 0, n, 2n …, as floats.
    FloatSteps(i32),
    /// A vector that code before has kept.
    Slot(u32),
    /// True in the lanes of the tail.
    Tail,
    Add,
    Sub,
    Mul,
    Div,
    Sqrt,
    /// a·b + c
    Fma,
    /// a·b − c
    Fms,
    /// −a·b + c
    Fnma,
    /// −a·b − c
    Fnms,
    /// a where a < b, else b
    Min,
    /// a where a > b, else b
    Max,
    /// a · 2^⌊b⌋, rounded once
    Scale,
    Round(Rounding),
    And,
    Or,
    Xor,
    IAdd,
    ISub,
    /// The lower 32 bits of a product.
    IMul,
    /// Towards zero, 32 bits; of doubles in the lower half.
    ToInteger,
    Shl(u8),
    ShrUnsigned(u8),
    ShrSigned(u8),
    Less,
    LessEqual,
    Equal,
    NotEqual,
    IEqual,
    MaskAnd,
    MaskOr,
    MaskNot,
    /// Mask, then, otherwise.
    Select,
    /// The function in every lane; of one or two operands.
    Foreign(Foreign),
    /// Mask, otherwise, argument.
    Rare(Foreign),
    /// The upper half of the lanes.
    Upper,
    /// The lower half of singles as doubles.
    Widen,
    /// Doubles as singles, in the lower half.
    Narrow,
    /// The lower halves of both.
    Join,
    /// Every lane changes places with the one so many bytes away, by the bit of that number.
    Swap(u8),
    /// Operand 0 to the elements of a stream.
    Store(u32),
    /// The lanes of the tail to as many elements of a stream.
    StoreTail(u32),
    /// The first lane to the first element of a stream.
    StoreOne(u32),
    /// Operand 0 kept for code behind.
    Keep(u32),
    /// Operand 0 added to a stream of [`SUM_LANES`](super::SUM_LANES) partial sums.
    Sum(u32),
}

impl Op {
    /// True for what yields a mask.
    pub fn is_mask(self) -> bool {
        use Op::*;
        matches!(self, Less | LessEqual | Equal | NotEqual | IEqual | MaskAnd | MaskOr | MaskNot | Tail)
    }

    /// True for what is there for its effect.
    pub fn is_effect(self) -> bool {
        use Op::*;
        matches!(self, Store(_) | StoreTail(_) | StoreOne(_) | Keep(_) | Sum(_))
    }

    /// True for what can be fetched again at any time.
    pub fn is_invariant(self) -> bool {
        use Op::*;
        matches!(self, Constant(_) | Steps(_) | FloatSteps(_) | Uniform(_) | Slot(_) | Tail)
    }

    /// The stream it reads or writes.
    pub fn stream(self) -> Option<u32> {
        use Op::*;
        match self {
            Load(s) | LoadTail(s) | Uniform(s) | Spread(s) | Gather(s) | GatherTail(s) | Position(s) => {
                Some(s)
            }
            Store(s) | StoreTail(s) | StoreOne(s) | Sum(s) => Some(s),
            _ => None,
        }
    }

    /// True for reading memory that code stores to.
    pub fn is_load(self) -> bool {
        matches!(self, Op::Load(_) | Op::LoadTail(_) | Op::Spread(_))
    }
}

/// Up to three values.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Vals {
    all: [Val; 3],
    count: u8,
}

impl Vals {
    /// # Panics
    /// On more than three values; no operation has them.
    pub fn new(values: &[Val]) -> Vals {
        let mut vals = Vals { all: [Val(0); 3], count: values.len() as u8 };
        vals.all[..values.len()].copy_from_slice(values);
        vals
    }
}

impl std::ops::Deref for Vals {
    type Target = [Val];

    fn deref(&self) -> &[Val] {
        &self.all[..usize::from(self.count)]
    }
}

impl std::ops::DerefMut for Vals {
    fn deref_mut(&mut self) -> &mut [Val] {
        &mut self.all[..usize::from(self.count)]
    }
}

impl fmt::Debug for Vals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// An operation on values before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Inst {
    pub op: Op,
    pub width: Width,
    pub operands: Vals,
}

/// A body being built, and when it is built.
#[derive(Clone, Debug)]
pub struct Body {
    pub level: Level,
    /// What streams hold.
    pub element: Width,
    pub insts: Vec<Inst>,
    /// Those that are no effects, by what they are.
    known: HashTable<Val>,
}

impl Body {
    pub fn new(level: Level, element: Width) -> Body {
        Body { level, element, insts: Vec::new(), known: HashTable::new() }
    }

    /// Lanes of a vector of elements.
    pub fn lanes(&self) -> usize {
        self.level.bytes() / self.element.bytes()
    }

    /// The value of an operation; one that is known already, if there is.
    pub fn push(&mut self, op: Op, width: Width, operands: &[Val]) -> Val {
        let inst = Inst { op, width, operands: Vals::new(operands) };
        let value = Val(u32::try_from(self.insts.len()).expect("a body is bounded by the node budget"));
        if !op.is_effect() {
            let insts = &self.insts;
            let hash = |inst: &Inst| FxBuildHasher.hash_one(inst);
            let is_same = |known: &Val| insts[known.index()] == inst;
            match self.known.entry(hash(&inst), is_same, |known| hash(&insts[known.index()])) {
                Entry::Occupied(known) => return *known.get(),
                Entry::Vacant(place) => _ = place.insert(value),
            }
        }
        self.insts.push(inst);
        value
    }

    /// The machine that appends to this body in lanes of a width.
    pub fn machine(&mut self, width: Width) -> Lanes<'_> {
        Lanes { body: self, width }
    }
}

/// The elementary functions' op trait on a body.
pub struct Lanes<'a> {
    body: &'a mut Body,
    width: Width,
}

impl Lanes<'_> {
    fn push(&mut self, op: Op, operands: &[Val]) -> Val {
        self.body.push(op, self.width, operands)
    }

    fn inst(&self, x: Val) -> &Inst {
        &self.body.insts[x.index()]
    }

    /// What is negated to give `x`.
    fn negated(&mut self, x: Val) -> Option<Val> {
        match self.inst(x).op {
            Op::Xor => self.beside(x, self.sign_bit()),
            // −|y| is y with the sign bit.
            Op::Or => self.beside(x, self.sign_bit()).map(|y| self.abs(y)),
            _ => None,
        }
    }

    /// The other operand of an operation on these bits.
    fn beside(&self, x: Val, bits: u64) -> Option<Val> {
        let operands = &self.inst(x).operands;
        let is_it = |x: Val| self.inst(x).op == Op::Constant(bits);
        operands.iter().position(|&x| is_it(x)).map(|i| operands[1 - i])
    }

    /// Of what `x` is the absolute value.
    fn made_positive(&self, x: Val) -> Option<Val> {
        if self.inst(x).op == Op::And { self.beside(x, self.sign_bit() - 1) } else { None }
    }

    fn sign_bit(&self) -> u64 {
        match self.width {
            Width::Single => 1 << 31,
            Width::Double => 1 << 63,
        }
    }

    fn bits(&mut self, bits: u64) -> Val {
        self.push(Op::Constant(bits), &[])
    }
}

/// Methods that are one operation each, one row each.
macro_rules! operations {
    ($($name:ident($($arg:ident),*) = $op:expr;)*) => {
        $(fn $name(&mut self, $($arg: Val),*) -> Val { self.push($op, &[$($arg),*]) })*
    };
}

#[rustfmt::skip]
impl Machine for Lanes<'_> {
    type F = Val;
    type I = Val;
    type B = Val;

    operations! {
        add(a, b)       = Op::Add;
        sub(a, b)       = Op::Sub;
        mul(a, b)       = Op::Mul;
        div(a, b)       = Op::Div;
        sqrt(a)         = Op::Sqrt;
        floor(a)        = Op::Round(Rounding::Floor);
        ceil(a)         = Op::Round(Rounding::Ceil);
        trunc(a)        = Op::Round(Rounding::Trunc);
        lt(a, b)        = Op::Less;
        le(a, b)        = Op::LessEqual;
        eq(a, b)        = Op::Equal;
        ne(a, b)        = Op::NotEqual;
        and(a, b)       = Op::MaskAnd;
        or(a, b)        = Op::MaskOr;
        not(a)          = Op::MaskNot;
        select_i(m, a, b) = Op::Select;
        iadd(a, b)      = Op::IAdd;
        isub(a, b)      = Op::ISub;
        iand(a, b)      = Op::And;
        ior(a, b)       = Op::Or;
        ixor(a, b)      = Op::Xor;
        ieq(a, b)       = Op::IEqual;
    }

    fn to_bits(&mut self, a: Val) -> Val { a }
    fn from_bits(&mut self, a: Val) -> Val { a }

    fn shl(&mut self, a: Val, n: u32) -> Val { self.push(Op::Shl(n as u8), &[a]) }
    fn shr_unsigned(&mut self, a: Val, n: u32) -> Val { self.push(Op::ShrUnsigned(n as u8), &[a]) }

    fn format(&self) -> Format {
        match self.width {
            Width::Single => Format::Single,
            Width::Double => Format::Double,
        }
    }

    fn f(&mut self, x: f64) -> Val {
        match self.width {
            Width::Single => self.bits(u64::from((x as f32).to_bits())),
            Width::Double => self.bits(x.to_bits()),
        }
    }

    fn i(&mut self, x: i64) -> Val {
        match self.width {
            Width::Single => self.bits(u64::from(x as u32)),
            Width::Double => self.bits(x as u64),
        }
    }

    fn neg(&mut self, a: Val) -> Val {
        if let Some(x) = self.negated(a) {
            return x;
        }
        let sign = self.bits(self.sign_bit());
        match self.made_positive(a) {
            Some(x) => self.push(Op::Or, &[x, sign]),
            None => self.push(Op::Xor, &[a, sign]),
        }
    }

    fn abs(&mut self, a: Val) -> Val {
        let a = self.negated(a).unwrap_or(a);
        let rest = self.bits(self.sign_bit() - 1);
        self.push(Op::And, &[a, rest])
    }

    fn copysign(&mut self, a: Val, sign: Val) -> Val {
        let bit = self.bits(self.sign_bit());
        let bit = self.push(Op::And, &[sign, bit]);
        let magnitude = self.abs(a);
        self.push(Op::Or, &[magnitude, bit])
    }

    /// Negations go into the instruction: the sign of a product is exact.
    fn fma(&mut self, a: Val, b: Val, c: Val) -> Val {
        let (a, a_negated) = self.negated(a).map_or((a, false), |a| (a, true));
        let (b, b_negated) = self.negated(b).map_or((b, false), |b| (b, true));
        let (c, c_negated) = self.negated(c).map_or((c, false), |c| (c, true));
        let op = match (a_negated != b_negated, c_negated) {
            (false, false) => Op::Fma,
            (false, true) => Op::Fms,
            (true, false) => Op::Fnma,
            (true, true) => Op::Fnms,
        };
        self.push(op, &[a, b, c])
    }

    /// A choice of the lesser or the greater is one instruction, which has these very rules for
    /// zeros and NaN.
    fn select(&mut self, mask: Val, then: Val, otherwise: Val) -> Val {
        if let Inst { op: Op::Less, operands, .. } = self.inst(mask) {
            match (operands[0], operands[1]) {
                (a, b) if (a, b) == (then, otherwise) => return self.push(Op::Min, &[a, b]),
                (a, b) if (b, a) == (then, otherwise) => return self.push(Op::Max, &[b, a]),
                _ => {}
            }
        }
        self.push(Op::Select, &[mask, then, otherwise])
    }

    /// 256-bit vectors of 64-bit numbers have no such shift: with the sign bit moved to the place m,
    /// (a >>> n) ^ m − m extends it.
    fn shr_signed(&mut self, a: Val, n: u32) -> Val {
        if self.body.level == Level::L512 || self.width == Width::Single {
            return self.push(Op::ShrSigned(n as u8), &[a]);
        }
        let moved = self.bits(self.sign_bit() >> n);
        let shifted = self.shr_unsigned(a, n);
        let flipped = self.ixor(shifted, moved);
        self.isub(flipped, moved)
    }

    fn scale(&mut self, x: Val, k: Val) -> Val {
        if self.body.level == Level::L512 {
            return self.push(Op::Scale, &[x, k]);
        }
        self.scale_in_two(x, k)
    }

    fn call(&mut self, f: Foreign, args: &[Val]) -> Val {
        self.push(Op::Foreign(f), args)
    }

    fn rare(&mut self, when: Val, f: Foreign, args: &[Val], otherwise: Val) -> Val {
        match args {
            &[x] => self.push(Op::Rare(f), &[when, otherwise, x]),
            _ => {
                let called = self.call(f, args);
                self.select(when, called, otherwise)
            }
        }
    }
}
