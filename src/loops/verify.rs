//! Checks of a program. Machine code trusts them: every address it will use was looked at here.
//!
//! What is checked: operands are defined earlier in the same block, and numbers where numbers are
//! wanted; every address lies inside its buffer, whatever the row; inputs are never written,
//! outputs never read and each written exactly once a row; scratch is written before it is read.

use super::program::{Address, Block, Buffer, Extent, Inst, Kind, Nest, Program};
use crate::ir::Selection;

/// The first fact the program breaks, in words.
pub fn verify(program: &Program) -> Result<(), String> {
    let mut state = State { program, written: vec![false; program.outputs as usize], filled: Vec::new() };
    for (n, nest) in program.nests.iter().enumerate() {
        // What an earlier nest left in scratch belongs to its last row.
        state.filled = vec![false; program.scratch as usize];
        for (b, block) in nest.blocks.iter().enumerate() {
            for i in 0..block.insts.len() {
                let at = |fact: &str| format!("nest {n}, block {b}, `{}`: {fact}", block.insts[i]);
                state.check(nest, block, i).map_err(at)?;
            }
        }
    }
    match state.written.iter().position(|written| !written) {
        Some(output) => Err(format!("output {output} is never written")),
        None => Ok(()),
    }
}

struct State<'p> {
    program: &'p Program,
    written: Vec<bool>,
    filled: Vec<bool>,
}

impl State<'_> {
    fn check(&mut self, nest: &Nest, block: &Block, i: usize) -> Result<(), &'static str> {
        let inst = &block.insts[i];
        if inst.operands().iter().any(|x| x.index() >= i) {
            return Err("an operand does not come before its user");
        }
        check_kinds(block, inst)?;
        match inst {
            Inst::Load(address) => self.load(nest, address),
            Inst::Store(address, _) => self.store(nest, address),
            _ => Ok(()),
        }
    }

    fn load(&self, nest: &Nest, address: &Address) -> Result<(), &'static str> {
        self.within(nest, address)?;
        match address.buffer {
            Buffer::Outputs => Err("outputs are not read"),
            Buffer::Scratch if !self.filled[address.offset as usize] => Err("reads scratch nobody wrote"),
            _ => Ok(()),
        }
    }

    fn store(&mut self, nest: &Nest, address: &Address) -> Result<(), &'static str> {
        self.within(nest, address)?;
        let at = address.offset as usize;
        match address.buffer {
            Buffer::Inputs => Err("inputs are not written"),
            Buffer::Outputs if std::mem::replace(&mut self.written[at], true) => Err("written twice"),
            Buffer::Outputs => Ok(()),
            Buffer::Scratch => {
                self.filled[at] = true;
                Ok(())
            }
        }
    }

    fn within(&self, nest: &Nest, address: &Address) -> Result<(), &'static str> {
        let (size, stride) = match address.buffer {
            Buffer::Inputs => (self.program.inputs, self.program.inputs),
            Buffer::Outputs => (self.program.outputs, self.program.outputs),
            Buffer::Scratch => (self.program.scratch, 0),
        };
        if address.offset >= size {
            return Err("the address is past the end of its buffer");
        }
        match nest.extent {
            Extent::Rows if address.stride != stride => Err("the stride is not the row's length"),
            _ => Ok(()),
        }
    }
}

fn check_kinds(block: &Block, inst: &Inst) -> Result<(), &'static str> {
    let operands = inst.operands();
    let all =
        |kind: Kind, from: usize| operands.iter().skip(from).all(|x| block.insts[x.index()].kind() == kind);
    let arity = |n: usize| if operands.len() == n { Ok(()) } else { Err("wrong number of operands") };
    match inst {
        Inst::Constant(_) | Inst::Load(_) => Ok(()),
        Inst::Store(..) if !all(Kind::Number, 0) => Err("stores what is not a number"),
        Inst::Store(..) => Ok(()),
        Inst::Elementwise(op, _) => {
            arity(op.arity())?;
            if all(Kind::Number, 0) { Ok(()) } else { Err("arithmetic on what is not a number") }
        }
        Inst::Selection(op, _) => {
            arity(op.arity())?;
            let fits = match op {
                Selection::Select => {
                    block.insts[operands[0].index()].kind() == Kind::Truth && all(Kind::Number, 1)
                }
                Selection::And | Selection::Or | Selection::Not => all(Kind::Truth, 0),
                _ => all(Kind::Number, 0),
            };
            if fits { Ok(()) } else { Err("mixes numbers and truth values") }
        }
    }
}
