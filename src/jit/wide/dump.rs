//! Code as text, in the assembler's words: Intel syntax, results first.
//!
//! What must stay true: every instruction has its line, and an assembler of that syntax would make
//! the same instruction of it.

use super::assemble::Assembly;
use super::body::Width;
use super::instr::{Condition, Gpr, Instr, Label, Memory, Order, Place, Vector};
use super::level::Level;
use super::opcode::{Layout, Prefix, Row, Sizes};
use std::fmt;

impl fmt::Display for Assembly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for instr in &self.code {
            match instr {
                Instr::Label(label) if self.non_temporal.is_some_and(|(start, _)| start == *label) => {
                    writeln!(f, "# for columns that no cache holds:\n{label}:")?;
                }
                Instr::Label(label) => writeln!(f, "{label}:")?,
                Instr::Head(label) => writeln!(f, ".p2align 5\n{label}:")?,
                Instr::Vector(vector) => writeln!(f, "    {}", Text { vector, level: self.level })?,
                instr => writeln!(f, "    {instr}")?,
            }
        }
        match self.constants.bytes() {
            [] => Ok(()),
            _ => write!(f, "constants:\n{}", self.constants),
        }
    }
}

/// A vector instruction at a level.
struct Text<'a> {
    vector: &'a Vector,
    level: Level,
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Text { vector, .. } = *self;
        let row = vector.opcode.row();
        let predicate = predicate(row, vector.immediate);
        let (stem, suffix) = match row.layout {
            Layout::Fused => (row.mnemonic, if row.element == 8 { "pd" } else { "ps" }),
            _ if predicate.is_some() => row.mnemonic.split_at(row.mnemonic.rfind("cmp").unwrap_or(0) + 3),
            _ => (row.mnemonic, ""),
        };
        let order = match vector.order {
            _ if row.layout != Layout::Fused => predicate.unwrap_or_default(),
            Order::O132 => "132",
            Order::O213 => "213",
            Order::O231 => "231",
        };
        write!(f, "{stem}{order}{suffix} ")?;
        self.operands(f, row)?;
        match (row.layout, vector.immediate) {
            (Layout::Rvmr, Some(register)) => write!(f, ", {}", self.register(row, register >> 4)),
            (_, Some(immediate)) if predicate.is_none() => write!(f, ", {immediate:#x}"),
            _ => Ok(()),
        }
    }
}

/// What a comparison compares by, as assemblers write it into its name.
fn predicate(row: &Row, immediate: Option<u8>) -> Option<&'static str> {
    match immediate.filter(|_| row.sizes == Sizes::MaskResult)? {
        0x00 => Some("eq"),
        0x01 => Some("lt"),
        0x04 => Some("neq"),
        0x11 => Some("lt_oq"),
        0x12 => Some("le_oq"),
        0x1D => Some("ge_oq"),
        0x1E => Some("gt_oq"),
        _ => None,
    }
}

impl Text<'_> {
    fn operands(&self, f: &mut fmt::Formatter<'_>, row: &Row) -> fmt::Result {
        let Text { vector, .. } = *self;
        let second = match row.sizes {
            Sizes::FromGeneral => format!("xmm{}", vector.second),
            _ => self.register(row, vector.second),
        };
        let mask = match (vector.mask, vector.zeroing) {
            (0, _) => String::new(),
            (mask, false) => format!("{{k{mask}}}"),
            (mask, true) => format!("{{k{mask}}}{{z}}"),
        };
        let reg = match row.sizes {
            Sizes::HalfResult if row.layout == Layout::Rm => self.half(vector.reg),
            Sizes::MaskResult if self.level == Level::L512 => format!("k{}", vector.reg),
            Sizes::First | Sizes::FromGeneral => format!("xmm{}", vector.reg),
            // Only the lower half, as the upper one is zero.
            Sizes::General => Gpr(vector.reg).to_string().replacen('r', "e", 1),
            _ => self.register(row, vector.reg),
        };
        let last = match vector.last {
            Place::Memory(memory) if row.layout == Layout::Gather => self.gathered(row, &memory),
            Place::Memory(memory) => self.memory(row, &memory),
            Place::Register(r) => match (row.sizes, row.layout) {
                (Sizes::Quarter, _) => format!("xmm{r}"),
                (Sizes::HalfOperand, _) | (Sizes::HalfResult, Layout::Mr) => self.half(r),
                (Sizes::FromGeneral, _) => Gpr(r).to_string(),
                (Sizes::Element, _) => format!("xmm{r}"),
                _ => self.register(row, r),
            },
        };
        match row.layout {
            Layout::Rvm | Layout::Rvmr | Layout::Fused => write!(f, "{reg}{mask}, {second}, {last}"),
            Layout::Rm | Layout::Shift(_) => write!(f, "{reg}{mask}, {last}"),
            Layout::Mr => write!(f, "{last}{mask}, {reg}"),
            Layout::Mvr => write!(f, "{last}, {second}, {reg}"),
            Layout::Gather if self.level == Level::L512 => write!(f, "{reg}{mask}, {last}"),
            Layout::Gather => write!(f, "{reg}, {last}, {second}"),
        }
    }

    fn register(&self, row: &Row, number: u8) -> String {
        match (row.sizes, self.level) {
            (Sizes::Masks, _) => format!("k{number}"),
            _ if row.prefix == Prefix::Vex(0) => format!("xmm{number}"),
            (_, Level::L512) => format!("zmm{number}"),
            (_, Level::L256) => format!("ymm{number}"),
            (_, Level::L128) => format!("xmm{number}"),
        }
    }

    fn half(&self, number: u8) -> String {
        format!("{}{number}", if self.level == Level::L512 { "ymm" } else { "xmm" })
    }

    /// Memory with a vector for its index.
    fn gathered(&self, row: &Row, memory: &Memory) -> String {
        let (index, scale) = memory.index.unwrap_or((Gpr(0), 0));
        let index = if row.element == 8 { self.half(index.0) } else { self.register(row, index.0) };
        let size = if row.element == 8 { "QWORD" } else { "DWORD" };
        let Memory { base, disp, .. } = memory;
        let sign = if *disp < 0 { '-' } else { '+' };
        let disp = if *disp == 0 { String::new() } else { format!("{sign}{:#x}", disp.unsigned_abs()) };
        format!("{size} PTR [{base}+{index}*{}{disp}]", 1 << scale)
    }

    fn memory(&self, row: &Row, memory: &Memory) -> String {
        let size = match (row.sizes, self.level) {
            (Sizes::Masks, _) => "WORD",
            (Sizes::Element | Sizes::First, _) if row.element == 8 => "QWORD",
            (Sizes::Element | Sizes::First, _) => "DWORD",
            (Sizes::Quarter, _) | (Sizes::HalfOperand, Level::L256) => "XMMWORD",
            (Sizes::HalfOperand, Level::L512) => "YMMWORD",
            _ if row.prefix == Prefix::Vex(0) => "XMMWORD",
            (_, Level::L512) => "ZMMWORD",
            (_, Level::L256) => "YMMWORD",
            (_, Level::L128) => "XMMWORD",
        };
        match (memory.broadcast, row.element) {
            (true, 8) => format!("QWORD BCST {memory}"),
            (true, _) => format!("DWORD BCST {memory}"),
            (false, _) => format!("{size} PTR {memory}"),
        }
    }
}

impl fmt::Display for Gpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 8] = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"];
        match NAMES.get(usize::from(self.0)) {
            Some(name) => f.write_str(name),
            None => write!(f, "r{}", self.0),
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ".L{}", self.0)
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}", self.base)?;
        if let Some((index, scale)) = self.index {
            write!(f, "+{index}*{}", 1 << scale)?;
        }
        match self.disp {
            0 => f.write_str("]"),
            disp if disp < 0 => write!(f, "-{:#x}]", disp.unsigned_abs()),
            disp => write!(f, "+{disp:#x}]"),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Condition::Always => "jmp",
            Condition::Below => "jb",
            Condition::AtLeast => "jae",
            Condition::Above => "ja",
            Condition::Zero => "je",
            Condition::NonZero => "jne",
        })
    }
}

impl fmt::Display for Instr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Instr::Vector(ref vector) => Text { vector, level: Level::L512 }.fmt(f),
            Instr::Label(label) | Instr::Head(label) => write!(f, "{label}:"),
            Instr::Jump(condition, label) => write!(f, "{condition} {label}"),
            Instr::Call(label) => write!(f, "call {label}"),
            Instr::Push(r) => write!(f, "push {r}"),
            Instr::Pop(r) => write!(f, "pop {r}"),
            Instr::Move(to, from) => write!(f, "mov {to}, {from}"),
            Instr::MoveImmediate(to, value) => write!(f, "movabs {to}, {value:#x}"),
            Instr::Function(to, _, name) => write!(f, "movabs {to}, {name}"),
            Instr::LoadWord(to, memory) => write!(f, "mov {to}, QWORD PTR {memory}"),
            Instr::StoreWord(memory, from) => write!(f, "mov QWORD PTR {memory}, {from}"),
            Instr::Add(r, value) => write!(f, "add {r}, {:#x}", i64::from(value)),
            Instr::AddRegister(to, from) => write!(f, "add {to}, {from}"),
            Instr::AddWord(memory, value) => write!(f, "add QWORD PTR {memory}, {:#x}", i64::from(value)),
            Instr::Multiply(to, from, value) => write!(f, "imul {to}, {from}, {:#x}", i64::from(value)),
            Instr::Sub(r, value) => write!(f, "sub {r}, {value:#x}"),
            Instr::And(r, value) => write!(f, "and {r}, {:#x}", i64::from(value)),
            Instr::Negate(r) => write!(f, "neg {r}"),
            Instr::Compare(a, b) => write!(f, "cmp {a}, {b}"),
            Instr::MoveIfBelow(to, from) => write!(f, "cmovb {to}, {from}"),
            Instr::Test(r) => write!(f, "test {r}, {r}"),
            Instr::Address(to, memory) => write!(f, "lea {to}, {memory}"),
            Instr::Truncate(to, memory, Width::Double) => write!(f, "cvttsd2si {to}, QWORD PTR {memory}"),
            Instr::Truncate(to, memory, Width::Single) => write!(f, "cvttss2si {to}, DWORD PTR {memory}"),
            Instr::OnesIfBelow(r) => write!(f, "sbb {r}, {r}"),
            Instr::AndRegister(to, from) => write!(f, "and {to}, {from}"),
            Instr::Not(r) => write!(f, "not {r}"),
            Instr::Constants(to) => write!(f, "lea {to}, [rip+constants]"),
            Instr::CallRegister(r) => write!(f, "call {r}"),
            Instr::ZeroUpper => f.write_str("vzeroupper"),
            Instr::Fence => f.write_str("sfence"),
            Instr::Return => f.write_str("ret"),
        }
    }
}
