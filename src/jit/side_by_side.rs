//! Calls of elementary functions that do not wait for each other: one wide loop computes them all.
//!
//! A call's level is how many calls it waits for, one after another. The calls of one function at
//! one level are a group: their arguments are put side by side in memory, and one call of a [wide
//! loop](wide) makes all results. Sine and cosine go together, whose loops share most of their work.
//!
//! What must stay true: within a level all of the groups stand before everything else; the results
//! are the bits of the calls one by one, as loops of every width give them.

use super::cost::{is_inline, straight_length};
use super::isa::Host;
use super::paired::PAIRS;
use super::wide::{Level, LoopKernel, Stream, Width, lower};
use crate::elementary::Format;
use crate::ir::Elementwise;
use crate::loops::{Address, Block, Buffer, Inst, Operands, Value};
use rustc_hash::FxHashMap;
use smallvec::{SmallVec, smallvec};
use std::sync::{Mutex, PoisonError};

/// Fewer arguments are computed one by one, their calls overlapping: a wide loop makes everything
/// after it wait for some 50 ns.
const ARGUMENTS: usize = 16;

/// What a symbol of a wide loop begins with; ops follow.
const PREFIX: &str = "symdiff_wide";

/// Functions of the same arguments.
pub(super) type Ops = SmallVec<[Elementwise; 2]>;

/// Calls of the same level.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Group {
    pub ops: Ops,
    /// The arguments, each once.
    pub arguments: Vec<Operands>,
}

impl Group {
    /// How many slices of memory it needs, of as many numbers as there are arguments: operands
    /// first, then results.
    pub fn slices(&self) -> usize {
        self.arity() + self.ops.len()
    }

    pub fn arity(&self) -> usize {
        self.ops[0].arity()
    }
}

/// In which order a block is computed, and what of it in groups.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Positions of instructions.
    pub order: Vec<u32>,
    pub groups: Vec<Group>,
    /// Calls that are in groups: which, and which number of its results.
    pub members: FxHashMap<Value, (u32, u32)>,
}

/// The plan of a block; `None` where nothing is worth a group.
pub(super) fn plan(block: &Block, host: &Host) -> Option<Plan> {
    if Level::best() == Level::L128 {
        return None;
    }
    let mut known = FxHashMap::default();
    let mut is_call = |inst: &Inst| match inst {
        Inst::Elementwise(op, _) => *known.entry(*op).or_insert_with(|| is_groupable(*op, host)),
        _ => false,
    };
    let calls: Vec<bool> = block.insts.iter().map(&mut is_call).collect();
    let levels = levels(block, &calls);
    let mut groups: FxHashMap<(u32, &[Elementwise]), Vec<Value>> = FxHashMap::default();
    for (at, inst) in block.insts.iter().enumerate().filter(|(at, _)| calls[*at]) {
        if let Inst::Elementwise(op, _) = inst {
            groups.entry((levels[at], family(op))).or_default().push(Value::new(at));
        }
    }
    // The order of a hash table is nobody's.
    let mut groups: Vec<Vec<Value>> = groups.into_values().collect();
    groups.sort_by_key(|group| group[0]);
    let mut plan = Plan::default();
    groups.iter().for_each(|group| plan.add(block, group));
    if plan.groups.is_empty() {
        return None;
    }
    plan.order = (0..block.insts.len() as u32).collect();
    let is_member = |at: u32| plan.members.contains_key(&Value::new(at as usize));
    plan.order.sort_by_key(|&at| (levels[at as usize], !is_member(at)));
    Some(plan)
}

impl Plan {
    /// Makes a group of calls, if it is worth one.
    fn add(&mut self, block: &Block, calls: &[Value]) {
        let mut group = Group { ops: smallvec![], arguments: Vec::new() };
        let mut numbers: FxHashMap<Operands, u32> = FxHashMap::default();
        let mut results: Vec<(Value, u32, Elementwise)> = Vec::new();
        for &value in calls {
            let Inst::Elementwise(op, operands) = block.insts[value.index()] else { continue };
            let number = *numbers.entry(operands).or_insert_with(|| {
                group.arguments.push(operands);
                group.arguments.len() as u32 - 1
            });
            results.push((value, number, op));
            if !group.ops.contains(&op) {
                group.ops.push(op);
            }
        }
        if group.arguments.len() < ARGUMENTS {
            return;
        }
        // A loop of sines and cosines is one loop, whichever comes first.
        group.ops.sort_by_key(|op| *op as u32);
        for (value, number, op) in results {
            let slice = group.ops.iter().position(|o| *o == op).unwrap_or(0);
            let place = slice * group.arguments.len();
            self.members.insert(value, (self.groups.len() as u32, place as u32 + number));
        }
        self.groups.push(group);
    }
}

/// How many calls each instruction waits for, one after another, its own included.
fn levels(block: &Block, calls: &[bool]) -> Vec<u32> {
    let mut levels: Vec<u32> = Vec::with_capacity(block.insts.len());
    for (inst, &is_call) in block.insts.iter().zip(calls) {
        let waits = inst.operands().iter().map(|x| levels[x.index()]).max().unwrap_or(0);
        levels.push(waits + u32::from(is_call));
    }
    levels
}

fn family(op: &Elementwise) -> &'static [Elementwise] {
    match PAIRS.iter().find(|pair| pair.contains(op)) {
        Some(pair) => pair,
        None => {
            let at = Elementwise::ALL.iter().position(|o| o == op).expect("`ALL` has all");
            std::slice::from_ref(&Elementwise::ALL[at])
        }
    }
}

/// True for functions that are called, and that a loop computes in vectors throughout.
fn is_groupable(op: Elementwise, host: &Host) -> bool {
    const STRAIGHT: u32 = 1000;
    let format = Format::Double;
    !is_inline(op, host, format) && op.arity() > 0 && straight_length(op, host, format) < STRAIGHT
}

/// The symbol of the loop that computes these functions.
pub(super) fn symbol(ops: &[Elementwise]) -> String {
    ops.iter().fold(PREFIX.to_owned(), |name, op| format!("{name}.{}", op.name()))
}

/// The loop that computes these functions of columns, which are its first streams, into columns.
/// Compiled once a process, and kept.
pub(super) fn wide(ops: &[Elementwise]) -> Option<&'static LoopKernel> {
    static LOOPS: Mutex<Vec<(Ops, Option<&'static LoopKernel>)>> = Mutex::new(Vec::new());
    let mut loops = LOOPS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, known)) = loops.iter().find(|(known, _)| known.as_slice() == ops) {
        return *known;
    }
    let made = compiled(ops).map(|made| &*Box::leak(Box::new(made)));
    loops.push((ops.into(), made));
    made
}

fn compiled(ops: &[Elementwise]) -> Option<LoopKernel> {
    let arity = ops.first()?.arity();
    let mut block = Block::default();
    let address = |buffer, offset: usize| Address { buffer, offset: offset as u32, stride: 0 };
    let load = |block: &mut Block, k| block.push(Inst::Load(address(Buffer::Inputs, k)));
    let operands: Vec<Value> = (0..arity).map(|k| load(&mut block, k)).collect();
    for (k, &op) in ops.iter().enumerate() {
        let value = block.push(Inst::Elementwise(op, Operands::new(&operands)));
        block.push(Inst::Store(address(Buffer::Outputs, k), value));
    }
    let body = lower(&block, &vec![Stream::Column; arity], Level::best(), Width::Double)?;
    LoopKernel::compile(body).ok()
}

/// The address behind a symbol.
pub(super) fn address(symbol: &str) -> Option<*const u8> {
    let names = symbol.strip_prefix(PREFIX)?.strip_prefix('.')?;
    let mut ops = Ops::new();
    let mut rest = Some(names);
    while let Some(names) = rest {
        let (name, others) = names.split_once('.').map_or((names, None), |(name, rest)| (name, Some(rest)));
        ops.push(*Elementwise::ALL.iter().find(|op| op.name() == name)?);
        rest = others;
    }
    wide(&ops).map(LoopKernel::address)
}
