//! The loop IR: buffers, loop nests over them, and straight-line SSA blocks inside.
//!
//! What must stay true: a value is named by its instruction's position in its block and lives
//! there only; blocks talk to each other through the scratch buffer. Constants are bit patterns,
//! so nothing on the way to machine code can round or flush them.

use crate::ir::{Elementwise, Selection};
use std::fmt;

/// The result of the instruction at this position of the same block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value(u32);

impl Value {
    /// The value of the instruction at `position`.
    pub fn new(position: usize) -> Value {
        Value(u32::try_from(position).expect("a block is bounded by the node budget"))
    }

    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a program reads and writes. Elements are f64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Buffer {
    /// Rows of `Program::inputs` numbers, only read.
    Inputs,
    /// Rows of `Program::outputs` numbers, only written.
    Outputs,
    /// `Program::scratch` numbers that carry values from block to block, used anew by each row.
    Scratch,
}

/// Element `offset + stride · row` of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    pub buffer: Buffer,
    pub offset: u32,
    pub stride: u32,
}

/// Up to three operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Operands {
    values: [Value; 3],
    count: u8,
}

impl Operands {
    /// # Panics
    /// On more than three values; no op has them.
    pub fn new(values: &[Value]) -> Operands {
        let mut operands = Operands { values: [Value(0); 3], count: values.len() as u8 };
        operands.values[..values.len()].copy_from_slice(values);
        operands
    }
}

impl std::ops::Deref for Operands {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.values[..usize::from(self.count)]
    }
}

impl std::ops::DerefMut for Operands {
    fn deref_mut(&mut self) -> &mut [Value] {
        &mut self.values[..usize::from(self.count)]
    }
}

/// One instruction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Inst {
    /// The double with these bits.
    Constant(u64),
    Load(Address),
    Store(Address, Value),
    Elementwise(Elementwise, Operands),
    Selection(Selection, Operands),
}

/// What an instruction yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Number,
    Truth,
    Nothing,
}

impl Inst {
    /// The constant `value`.
    pub fn number(value: f64) -> Inst {
        Inst::Constant(value.to_bits())
    }

    pub fn kind(&self) -> Kind {
        match self {
            Inst::Constant(_) | Inst::Load(_) | Inst::Elementwise(..) => Kind::Number,
            Inst::Store(..) => Kind::Nothing,
            Inst::Selection(op, _) if op.is_bool() => Kind::Truth,
            Inst::Selection(..) => Kind::Number,
        }
    }

    pub fn operands(&self) -> &[Value] {
        match self {
            Inst::Constant(_) | Inst::Load(_) => &[],
            Inst::Store(_, value) => std::slice::from_ref(value),
            Inst::Elementwise(_, operands) | Inst::Selection(_, operands) => operands,
        }
    }

    pub fn operands_mut(&mut self) -> &mut [Value] {
        match self {
            Inst::Constant(_) | Inst::Load(_) => &mut [],
            Inst::Store(_, value) => std::slice::from_mut(value),
            Inst::Elementwise(_, operands) | Inst::Selection(_, operands) => operands,
        }
    }
}

/// Straight-line code; becomes one native function.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    pub insts: Vec<Inst>,
}

impl Block {
    /// Appends an instruction and names its result.
    pub fn push(&mut self, inst: Inst) -> Value {
        let value = Value::new(self.insts.len());
        self.insts.push(inst);
        value
    }
}

/// How often a nest runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Once a call, with row 0.
    Once,
    /// Once for every row the caller passes.
    Rows,
}

/// A loop: its blocks run one after another, each time round.
#[derive(Clone, Debug, PartialEq)]
pub struct Nest {
    pub extent: Extent,
    pub blocks: Vec<Block>,
}

/// Nests that run one after another over three buffers.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// Numbers in a row of inputs.
    pub inputs: u32,
    /// Numbers in a row of outputs.
    pub outputs: u32,
    /// Numbers of scratch.
    pub scratch: u32,
    pub nests: Vec<Nest>,
}

impl Program {
    /// How many instructions there are in all blocks.
    pub fn inst_count(&self) -> usize {
        let blocks = self.nests.iter().flat_map(|nest| &nest.blocks);
        blocks.map(|block| block.insts.len()).sum()
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let buffer = match self.buffer {
            Buffer::Inputs => "inputs",
            Buffer::Outputs => "outputs",
            Buffer::Scratch => "scratch",
        };
        match self.stride {
            0 => write!(f, "{buffer}[{}]", self.offset),
            stride => write!(f, "{buffer}[{} + {stride}*row]", self.offset),
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, name: &str, operands: &[Value]) -> fmt::Result {
    f.write_str(name)?;
    for (i, value) in operands.iter().enumerate() {
        write!(f, "{} {value}", if i > 0 { "," } else { "" })?;
    }
    Ok(())
}

impl fmt::Display for Inst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Inst::Constant(bits) => write!(f, "const {:?}", f64::from_bits(*bits)),
            Inst::Load(address) => write!(f, "load {address}"),
            Inst::Store(address, value) => write!(f, "store {address}, {value}"),
            Inst::Elementwise(op, operands) => list(f, op.name(), operands),
            Inst::Selection(op, operands) => list(f, op.name(), operands),
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Program { inputs, outputs, scratch, nests } = self;
        writeln!(f, "program inputs={inputs} outputs={outputs} scratch={scratch}")?;
        for nest in nests {
            writeln!(f, "{}", if nest.extent == Extent::Once { "once" } else { "rows" })?;
            for (number, block) in nest.blocks.iter().enumerate() {
                writeln!(f, "  b{number}:")?;
                for (i, inst) in block.insts.iter().enumerate() {
                    match inst.kind() {
                        Kind::Nothing => writeln!(f, "    {inst}")?,
                        _ => writeln!(f, "    {} = {inst}", Value::new(i))?,
                    }
                }
            }
        }
        Ok(())
    }
}
