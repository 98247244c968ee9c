//! Machine instructions before they are bytes: vector instructions of the table and the few general
//! ones that hold a loop together.
//!
//! What must stay true: an instruction says all its bytes say; jumps name labels.

use super::body::Width;
use super::opcode::Opcode;

/// A general register, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Gpr(pub u8);

#[rustfmt::skip]
impl Gpr {
    pub const RAX: Gpr = Gpr(0);   pub const RCX: Gpr = Gpr(1);
    pub const RDX: Gpr = Gpr(2);   pub const RBX: Gpr = Gpr(3);
    pub const RSP: Gpr = Gpr(4);   pub const RBP: Gpr = Gpr(5);
    pub const RSI: Gpr = Gpr(6);   pub const RDI: Gpr = Gpr(7);
    pub const R8:  Gpr = Gpr(8);   pub const R9:  Gpr = Gpr(9);
    pub const R10: Gpr = Gpr(10);  pub const R11: Gpr = Gpr(11);
    pub const R12: Gpr = Gpr(12);  pub const R13: Gpr = Gpr(13);
    pub const R14: Gpr = Gpr(14);  pub const R15: Gpr = Gpr(15);
}

/// A vector or mask register, by its number.
pub type Register = u8;

/// `[base + index·scale + disp]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    pub base: Gpr,
    /// And the logarithm of its scale; not RSP.
    pub index: Option<(Gpr, u8)>,
    pub disp: i32,
    /// One element for all lanes; of 512-bit instructions only.
    pub broadcast: bool,
}

impl Memory {
    pub fn at(base: Gpr, disp: i32) -> Memory {
        Memory { base, index: None, disp, broadcast: false }
    }
}

/// A last operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Register(Register),
    Memory(Memory),
}

/// Which operands of a fused multiply-add are multiplied, counted from the result's register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// dst · last + second
    O132,
    /// second · dst + last
    O213,
    /// second · last + dst
    O231,
}

/// A vector instruction and its operands; which of them count is the opcode's layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vector {
    pub opcode: Opcode,
    /// The result, or what a store stores.
    pub reg: Register,
    /// The second operand.
    pub second: Register,
    pub last: Place,
    /// The mask register of a masked 512-bit instruction, 0 for none.
    pub mask: Register,
    /// Lanes outside the mask become zero.
    pub zeroing: bool,
    pub order: Order,
    pub immediate: Option<u8>,
}

impl Vector {
    /// `reg = opcode second, last`.
    pub fn new(opcode: Opcode, reg: Register, second: Register, last: Place) -> Vector {
        let (mask, zeroing, order, immediate) = (0, false, Order::O132, None);
        Vector { opcode, reg, second, last, mask, zeroing, order, immediate }
    }

    /// `reg = opcode last`, or a store of `reg` to `last`.
    pub fn unary(opcode: Opcode, reg: Register, last: Place) -> Vector {
        Vector::new(opcode, reg, 0, last)
    }
}

/// A place to jump to, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Label(pub u32);

/// When a jump is taken, after a comparison of unsigned numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    Always,
    Below,
    AtLeast,
    Above,
    Zero,
    NonZero,
}

/// One instruction, or a label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Instr {
    Vector(Vector),
    Label(Label),
    /// The head of a loop: at the start of what the processor fetches at a time.
    Head(Label),
    Jump(Condition, Label),
    Call(Label),
    Push(Gpr),
    Pop(Gpr),
    /// 64-bit, to, from.
    Move(Gpr, Gpr),
    MoveImmediate(Gpr, u64),
    /// The address of a Rust function; its name is for readers.
    Function(Gpr, u64, &'static str),
    LoadWord(Gpr, Memory),
    StoreWord(Memory, Gpr),
    Add(Gpr, i32),
    /// 64-bit, to, from.
    AddRegister(Gpr, Gpr),
    /// To 64 bits in memory.
    AddWord(Memory, i32),
    /// To, from, factor.
    Multiply(Gpr, Gpr, i32),
    Sub(Gpr, i32),
    And(Gpr, i32),
    /// 0 − register
    Negate(Gpr),
    Compare(Gpr, Gpr),
    /// To, from, where the comparison found "below".
    MoveIfBelow(Gpr, Gpr),
    Test(Gpr),
    /// Where memory is.
    Address(Gpr, Memory),
    /// The whole part of a float in memory, of a width; out of range it is the least integer.
    Truncate(Gpr, Memory, Width),
    /// All ones where the comparison found "below", else 0.
    OnesIfBelow(Gpr),
    /// To, from.
    AndRegister(Gpr, Gpr),
    Not(Gpr),
    /// The address of the constants behind the code.
    Constants(Gpr),
    CallRegister(Gpr),
    ZeroUpper,
    /// What was stored before is seen before what is stored after.
    Fence,
    Return,
}
