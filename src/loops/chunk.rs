//! A long block cut into chunks that a register allocator handles in linear time.
//!
//! What must stay true: the same operations in the same order; a value that crosses a cut goes
//! through one slot of scratch, and inputs and constants are fetched anew in each chunk.

use super::program::{Address, Block, Buffer, Inst, Kind, Nest, Operands, Program, Value};
use crate::ir::Selection;
use rustc_hash::FxHashMap;

/// Instructions of one chunk. Register allocation is quadratic in a block's length, calls and
/// crossing values cost at every cut: 250 is measured to be the best of both.
pub const CHUNK: usize = 250;

/// The program with every block of more than `limit` instructions cut into several.
pub fn chunk(program: &Program, limit: usize) -> Program {
    let mut scratch = program.scratch;
    let nests = program.nests.iter().map(|nest| {
        let cut = |block: &Block| match block.insts.len() > limit {
            true => {
                let mut chunks = Chunks::new(block, &cuts(block, limit), scratch);
                let blocks = chunks.run();
                scratch = chunks.slots;
                blocks
            }
            false => vec![block.clone()],
        };
        Nest { extent: nest.extent, blocks: nest.blocks.iter().flat_map(cut).collect() }
    });
    let nests = nests.collect();
    Program { nests, scratch, ..*program }
}

/// What can be had again anywhere for one instruction.
fn is_fetched(inst: &Inst) -> bool {
    matches!(inst, Inst::Constant(_) | Inst::Load(Address { buffer: Buffer::Inputs, .. }))
}

/// The last position that uses each value; its own where none does.
fn last_uses(block: &Block) -> Vec<usize> {
    let mut last: Vec<usize> = (0..block.insts.len()).collect();
    for (i, inst) in block.insts.iter().enumerate() {
        for operand in inst.operands() {
            last[operand.index()] = i;
        }
    }
    last
}

/// Where to cut: ends of chunks, in the last third of each the place that fewest values cross.
fn cuts(block: &Block, limit: usize) -> Vec<usize> {
    let length = block.insts.len();
    let last = last_uses(block);
    let mut change = vec![0i64; length + 1];
    for (i, inst) in block.insts.iter().enumerate() {
        if !is_fetched(inst) {
            change[i] += 1;
            change[last[i]] -= 1;
        }
    }
    // crossing[i]: values defined at or before i and used after it.
    let crossing: Vec<i64> = change
        .iter()
        .scan(0, |live, d| {
            *live += d;
            Some(*live)
        })
        .collect();
    let mut cuts = Vec::new();
    let mut start = 0;
    while length - start > limit {
        let window = start + limit * 2 / 3..start + limit;
        let best = window.min_by_key(|&i| (crossing[i], std::cmp::Reverse(i)));
        start = best.map_or(start + limit, |i| i + 1);
        cuts.push(start);
    }
    cuts.push(length);
    cuts
}

struct Chunks<'b> {
    block: &'b Block,
    /// The chunk of each instruction, and the last one that uses its value.
    home: Vec<u32>,
    last: Vec<u32>,
    slot_of: FxHashMap<Value, u32>,
    free: Vec<u32>,
    /// Slots in use so far, in all.
    slots: u32,
    /// The chunk being written, and the names of the old block's values in it.
    current: Block,
    names: FxHashMap<Value, Value>,
}

impl<'b> Chunks<'b> {
    fn new(block: &'b Block, cuts: &[usize], slots: u32) -> Self {
        let mut home = Vec::with_capacity(block.insts.len());
        for (chunk, &end) in cuts.iter().enumerate() {
            home.resize(end, chunk as u32);
        }
        let last = last_uses(block).into_iter().map(|i| home[i]).collect();
        Chunks {
            block,
            home,
            last,
            slot_of: FxHashMap::default(),
            free: Vec::new(),
            slots,
            current: Block::default(),
            names: FxHashMap::default(),
        }
    }

    fn run(&mut self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut dying: Vec<u32> = Vec::new();
        for i in 0..self.block.insts.len() {
            self.step(Value::new(i), &mut dying);
            let ends = self.home.get(i + 1) != self.home.get(i);
            if ends {
                blocks.push(std::mem::take(&mut self.current));
                self.names.clear();
                self.free.append(&mut dying);
            }
        }
        blocks
    }

    /// Copies one instruction; slots read for the last time in this chunk are added to `dying`.
    fn step(&mut self, old: Value, dying: &mut Vec<u32>) {
        let mut inst = self.block.insts[old.index()];
        if is_fetched(&inst) {
            return;
        }
        let here = self.home[old.index()];
        for operand in inst.operands_mut() {
            *operand = self.name(*operand, here, dying);
        }
        let new = self.current.push(inst);
        self.names.insert(old, new);
        if self.last[old.index()] > here {
            self.spill(old, new, inst.kind());
        }
    }

    /// The name of an old value in the current chunk, fetched or reloaded if it is not there yet.
    fn name(&mut self, old: Value, here: u32, dying: &mut Vec<u32>) -> Value {
        if let Some(&name) = self.names.get(&old) {
            return name;
        }
        let definition = &self.block.insts[old.index()];
        let name = match is_fetched(definition) {
            true => self.current.push(*definition),
            false => self.reload(old, definition.kind()),
        };
        if !is_fetched(definition) && self.last[old.index()] == here {
            dying.push(self.slot_of[&old]);
        }
        self.names.insert(old, name);
        name
    }

    fn spill(&mut self, old: Value, new: Value, kind: Kind) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots += 1;
            self.slots - 1
        });
        self.slot_of.insert(old, slot);
        let number = match kind {
            Kind::Truth => {
                let (one, zero) =
                    (self.current.push(Inst::number(1.0)), self.current.push(Inst::number(0.0)));
                self.current.push(Inst::Selection(Selection::Select, Operands::new(&[new, one, zero])))
            }
            _ => new,
        };
        self.current.push(Inst::Store(scratch(slot), number));
    }

    fn reload(&mut self, old: Value, kind: Kind) -> Value {
        let number = self.current.push(Inst::Load(scratch(self.slot_of[&old])));
        if kind != Kind::Truth {
            return number;
        }
        let zero = self.current.push(Inst::number(0.0));
        self.current.push(Inst::Selection(Selection::NotEqual, Operands::new(&[number, zero])))
    }
}

fn scratch(offset: u32) -> Address {
    Address { buffer: Buffer::Scratch, offset, stride: 0 }
}
