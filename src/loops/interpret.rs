//! The meaning of a program, run instruction by instruction: the oracle of the code generators.
//!
//! What must stay true: elementwise values come from the op table on the plain machine.

use super::fold::{selected, value};
use super::program::{Address, Block, Buffer, Extent, Inst, Program};
use smallvec::SmallVec;

/// The outputs of `rows` rows of inputs, row-major, for a program that [`verify`](super::verify)
/// accepts.
pub fn interpret(program: &Program, rows: usize, inputs: &[f64]) -> Vec<f64> {
    let mut memory = Memory {
        inputs,
        outputs: vec![f64::NAN; rows * program.outputs as usize],
        scratch: vec![f64::NAN; program.scratch as usize],
    };
    for nest in &program.nests {
        let times = if nest.extent == Extent::Once { 1 } else { rows };
        for row in 0..times {
            for block in &nest.blocks {
                memory.run(block, row);
            }
        }
    }
    memory.outputs
}

struct Memory<'a> {
    inputs: &'a [f64],
    outputs: Vec<f64>,
    scratch: Vec<f64>,
}

impl Memory<'_> {
    fn run(&mut self, block: &Block, row: usize) {
        let mut values: Vec<f64> = Vec::with_capacity(block.insts.len());
        for inst in &block.insts {
            let operands: SmallVec<[f64; 3]> = inst.operands().iter().map(|x| values[x.index()]).collect();
            let result = match inst {
                Inst::Constant(bits) => f64::from_bits(*bits),
                Inst::Load(address) => self.load(address, row),
                Inst::Store(address, _) => self.store(address, row, operands[0]),
                Inst::Elementwise(op, _) => value(*op, &operands),
                Inst::Selection(op, _) => selected(*op, &operands),
            };
            values.push(result);
        }
    }

    fn load(&self, address: &Address, row: usize) -> f64 {
        let at = address.offset as usize + address.stride as usize * row;
        match address.buffer {
            Buffer::Inputs => self.inputs[at],
            Buffer::Outputs => self.outputs[at],
            Buffer::Scratch => self.scratch[at],
        }
    }

    fn store(&mut self, address: &Address, row: usize, value: f64) -> f64 {
        let at = address.offset as usize + address.stride as usize * row;
        match address.buffer {
            Buffer::Inputs => unreachable!("`verify` rejects stores to inputs"),
            Buffer::Outputs => self.outputs[at] = value,
            Buffer::Scratch => self.scratch[at] = value,
        }
        value
    }
}
