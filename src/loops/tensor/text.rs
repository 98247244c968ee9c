//! The text form of tensor programs, for people and for tests.

use super::program::{
    Chosen, Combine, Load, Matrix, Nest, Place, Product, Repeated, Rounds, Step, Store, TensorProgram,
    Transfer, When, Write,
};
use crate::loops::{Inst, Kind, Value};
use std::fmt::{Display, Formatter, Result};

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}[{}]", self.buffer, self.at)
    }
}

impl Display for Chosen {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{} of {} by {}", self.index, self.rows, self.stride)
    }
}

impl Display for Load {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Load::Element(place) => write!(f, "{place}"),
            Load::Gathered(place, chosen) => write!(f, "{place} at {chosen}"),
            Load::Position(form) => write!(f, "{form}"),
        }
    }
}

impl Display for Store {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.write {
            Write::Set => write!(f, "{} =", self.to),
            Write::Add => write!(f, "{} +=", self.to),
            Write::Scatter(chosen) => write!(f, "{} at {chosen} +=", self.to),
            Write::Reduce(Combine::Sum) => write!(f, "{} = sum", self.to),
            Write::Reduce(Combine::Max) => write!(f, "{} = max", self.to),
            Write::Reduce(Combine::Min) => write!(f, "{} = min", self.to),
        }
    }
}

impl Display for Nest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("nest")?;
        for (l, around) in self.loops.iter().enumerate() {
            let kind = if around.reduced { " reduced" } else { "" };
            let lanes = if self.lanes == Some(l) { " lanes" } else { "" };
            write!(f, "{} i{l}:{}{kind}{lanes}", if l > 0 { "," } else { "" }, around.extent)?;
        }
        writeln!(f)?;
        for (i, inst) in self.block().insts.iter().enumerate() {
            let value = Value::new(i);
            match inst {
                Inst::Load(address) => {
                    writeln!(f, "  {value} = load {}", self.loads[address.offset as usize])?;
                }
                Inst::Store(address, value) => {
                    writeln!(f, "  {} {value}", self.stores[address.offset as usize])?;
                }
                inst if inst.kind() == Kind::Nothing => writeln!(f, "  {inst}")?,
                inst => writeln!(f, "  {value} = {inst}")?,
            }
        }
        Ok(())
    }
}

impl Display for Matrix {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}[{} + {}*row + {}*column]", self.buffer, self.offset, self.row, self.column)
    }
}

impl Display for Product {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let [m, n, k] = self.size;
        write!(f, "product {m}x{n}x{k}")?;
        for (extent, strides) in &self.outer {
            write!(f, ", {extent} times by {strides:?}")?;
        }
        writeln!(f, "\n  {} = {} * {}", self.to, self.left, self.right)
    }
}

impl Display for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Step::Nest(nest) => nest.fmt(f),
            Step::Product(product) => product.fmt(f),
            Step::Repeated(repeated) => repeated.fmt(f),
            Step::Rounds(Rounds { rounds, steps }) => {
                writeln!(f, "rounds {rounds}")?;
                let text: String = steps.iter().map(Step::to_string).collect();
                text.lines().try_for_each(|line| writeln!(f, "  | {line}"))
            }
        }
    }
}

impl Display for Repeated {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let order = if self.backwards { " backwards" } else { "" };
        writeln!(f, "repeat {} in {}{order}", self.steps, self.room)?;
        for Transfer { when, outer, inner } in &self.transfers {
            match when {
                When::First => writeln!(f, "  first {inner} = {outer}")?,
                When::Entry => writeln!(f, "  entry {inner} = {outer}")?,
                When::Before => writeln!(f, "  before {outer} = {inner}")?,
                When::Emit => writeln!(f, "  emit {outer} = {inner}")?,
                When::Last => writeln!(f, "  last {outer} = {inner}")?,
            }
        }
        self.program.to_string().lines().try_for_each(|line| writeln!(f, "  | {line}"))
    }
}

impl Display for TensorProgram {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        writeln!(f, "arena {}", self.arena)?;
        let name = |list: &[super::program::BufferId], at: usize| {
            list.iter().position(|id| id.index() == at).map(|i| i.to_string())
        };
        for (at, buffer) in self.buffers.iter().enumerate() {
            write!(f, "b{at}: {} at {}", buffer.size, buffer.offset)?;
            if let Some(i) = name(&self.inputs, at) {
                write!(f, ", input {i}")?;
            }
            if let Some(o) = name(&self.outputs, at) {
                write!(f, ", output {o}")?;
            }
            writeln!(f)?;
        }
        self.steps.iter().try_for_each(|step| step.fmt(f))
    }
}
