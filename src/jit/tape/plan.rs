//! Which operations are one strip, in which order, and where their results are.
//!
//! Within a window of the code an operation's *level* is how many others of the window it waits for, one
//! after another. Operations of one kind and level are a group; its members are put in an order in which
//! their operands lie side by side, and cut into strips where these do and where they do not. A long chain
//! of additions is one thing that waits for all of its terms.
//!
//! What must stay true: what a later window reads is in a place of its own for good; everything else of a
//! window is in room that the next one uses again.

use super::kernels::{Operation, kernel};
use super::{Order, Source, Tape};
use crate::ir::Elementwise;
use crate::loops::{Buffer, Extent, Inst, Nest, Program, Value, verify};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Instructions of shorter code make less than a megabyte of machine code.
pub(super) const LONG: usize = 1 << 16;

/// Instructions of a window: their results stay near.
pub(super) const WINDOW: usize = 1 << 12;

/// Instructions of code so long that a tape is faster whatever it is like.
const VERY_LONG: usize = 1 << 20;

/// Operations of a tape for each order, on average, at least: an order is a call.
const EACH: usize = 16;

/// The same for each operand that has to be put beside others: that takes twice as long as an operation.
const FETCHED: usize = 2;

/// Additions of a chain, at least.
const CHAIN: u32 = 16;

/// Operands side by side, at least, that are not put there.
const RUN: usize = 16;

/// Where a value is that is not there yet.
const NOWHERE: u32 = u32::MAX;

pub(super) fn plan(program: &Program, long: usize, window: usize) -> Option<Tape> {
    let [Nest { extent: Extent::Rows, blocks }] = program.nests.as_slice() else { return None };
    let [block] = blocks.as_slice() else { return None };
    if block.insts.len() < long || program.scratch > 0 {
        return None;
    }
    verify(program).ok()?;
    let mut planner = Planner::new(&block.insts, program, window);
    for start in (0..block.insts.len()).step_by(window) {
        let end = (start + window).min(block.insts.len());
        planner.window(start, end)?;
    }
    let operations = block.insts.iter().filter(|inst| Operation::of(inst).is_some()).count();
    let few = |count: usize, each: usize| count.saturating_mul(each) <= operations;
    let is_fast = few(planner.table.len(), FETCHED) || block.insts.len() >= VERY_LONG;
    if long > 0 && !(is_fast && few(planner.orders.len(), EACH)) {
        return None;
    }
    planner.memory.resize(planner.next as usize, 0.0);
    let Planner { orders, table, memory, .. } = planner;
    Some(Tape { orders, table, inputs: program.inputs as usize, memory })
}

struct Planner<'p> {
    insts: &'p [Inst],
    /// The last instruction that uses each value, and how many do.
    last: Vec<u32>,
    uses: Vec<u32>,
    /// Where each value is.
    places: Vec<u32>,
    /// Of each addition of a chain the one before.
    before: Vec<Option<Value>>,
    /// Where constants begin, behind the inputs, and where room begins that every window uses.
    inputs: u32,
    room: u32,
    /// Values in places for good so far.
    next: u32,
    orders: Vec<Order>,
    table: Vec<u32>,
    /// Constants, behind room for the inputs.
    memory: Vec<f64>,
}

/// What is done at once: levels first, then kinds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Operation(Operation),
    /// The chain that ends here.
    Chain(Value),
    Output,
}

/// A group by its level, its kind, and whether its results stay for good.
type Key = (u32, Kind, bool);

impl<'p> Planner<'p> {
    fn new(insts: &'p [Inst], program: &Program, window: usize) -> Planner<'p> {
        let count = insts.len();
        let (mut last, mut uses) = (vec![0; count], vec![0; count]);
        for (at, inst) in insts.iter().enumerate() {
            for operand in inst.operands() {
                last[operand.index()] = at as u32;
                uses[operand.index()] += 1;
            }
        }
        let mut places = vec![NOWHERE; count];
        let mut memory = vec![0.0; program.inputs as usize];
        let mut constants: FxHashMap<u64, u32> = FxHashMap::default();
        for (at, inst) in insts.iter().enumerate() {
            match inst {
                Inst::Load(address) if address.buffer == Buffer::Inputs => places[at] = address.offset,
                Inst::Constant(bits) => {
                    places[at] = *constants.entry(*bits).or_insert_with(|| {
                        memory.push(f64::from_bits(*bits));
                        memory.len() as u32 - 1
                    });
                }
                _ => {}
            }
        }
        let room = memory.len() as u32;
        let (next, before) = (room + window as u32, vec![None; count]);
        Planner {
            insts,
            last,
            uses,
            places,
            before,
            inputs: program.inputs,
            room,
            next,
            orders: Vec::new(),
            table: Vec::new(),
            memory,
        }
    }

    /// The orders of the instructions from `start` to `end`; none where one has no loop.
    fn window(&mut self, start: usize, end: usize) -> Option<()> {
        let chains = self.chains(start, end);
        let mut groups: BTreeMap<Key, Vec<Value>> = BTreeMap::new();
        let mut levels = vec![0u32; end - start];
        for at in start..end {
            let inst = &self.insts[at];
            let kind = match (inst, Operation::of(inst)) {
                (Inst::Store(..), _) => Kind::Output,
                (_, Some(operation)) => chains[at - start].map_or(Kind::Operation(operation), Kind::Chain),
                _ => continue,
            };
            let level = |x: &Value| match x.index().checked_sub(start) {
                // A chain waits for its terms; an addition of it for the one before is part of that.
                Some(within) if self.before[at] == Some(*x) => levels[within],
                Some(within) if self.is_computed(*x) => levels[within] + 1,
                _ => 0,
            };
            let level = inst.operands().iter().map(level).max().unwrap_or(0);
            levels[at - start] = level;
            if let Kind::Chain(end) = kind
                && end.index() != at
            {
                continue;
            }
            let stays = self.last[at] as usize >= end;
            groups.entry((level, kind, stays)).or_default().push(Value::new(at));
        }
        let mut room = self.room;
        for ((_, kind, stays), members) in groups {
            let next = if stays { &mut self.next } else { &mut room };
            let to = *next;
            *next += members.len() as u32;
            match kind {
                Kind::Operation(operation) => self.group(operation, members, to)?,
                Kind::Chain(end) => self.chain(end, start, to),
                Kind::Output => {
                    *(if stays { &mut self.next } else { &mut room }) = to;
                    self.output(&members);
                }
            }
        }
        Some(())
    }

    /// True for values that take operations.
    fn is_computed(&self, x: Value) -> bool {
        Operation::of(&self.insts[x.index()]).is_some()
    }

    /// Of each instruction of a window the last of the chain of additions that it is part of.
    fn chains(&mut self, start: usize, end: usize) -> Vec<Option<Value>> {
        let mut lengths = vec![1u32; end - start];
        for at in start..end {
            let inst = self.insts[at];
            let can_be = |x: &Value| {
                let is_same = Operation::of(&self.insts[x.index()]) == Operation::of(&inst);
                x.index() >= start && is_same && self.uses[x.index()] == 1
            };
            let before = match &inst {
                Inst::Elementwise(Elementwise::Add, operands) => {
                    let longest = operands.iter().filter(|x| can_be(x));
                    longest.max_by_key(|x| (lengths[x.index() - start], x.index())).copied()
                }
                Inst::Elementwise(Elementwise::Fma, operands) => Some(operands[2]).filter(can_be),
                _ => None,
            };
            self.before[at] = before;
            if let Some(before) = before {
                lengths[at - start] = lengths[before.index() - start] + 1;
            }
        }
        let mut chains: Vec<Option<Value>> = vec![None; end - start];
        for at in (start..end).rev() {
            if chains[at - start].is_none() && lengths[at - start] >= CHAIN {
                chains[at - start] = Some(Value::new(at));
            }
            match (self.before[at], chains[at - start]) {
                (Some(before), Some(end)) => chains[before.index() - start] = Some(end),
                _ => self.before[at] = None,
            }
        }
        chains
    }

    /// Orders of one operation on many operands, results from a place on.
    fn group(&mut self, operation: Operation, mut members: Vec<Value>, to: u32) -> Option<()> {
        let kernel = kernel(operation).filter(|_| !self.operands(members[0]).is_empty())?;
        members = self.ordered(members);
        for (at, &x) in members.iter().enumerate() {
            self.places[x.index()] = to + at as u32;
        }
        let operands: Vec<Vec<u32>> = members.iter().map(|&x| self.operands(x)).collect();
        let columns: Vec<Vec<u32>> =
            (0..operands[0].len()).map(|k| operands.iter().map(|o| o[k]).collect()).collect();
        for stretch in stretches(&columns) {
            let sources = columns.iter().map(|column| self.source(&column[stretch.clone()])).collect();
            let (to, count) = (to + stretch.start as u32, stretch.len() as u32);
            self.orders.push(Order::Strip { kernel, sources, to, count });
        }
        Some(())
    }

    /// Operations of a group in an order in which all of their operands go on by one, as far as there is one.
    fn ordered(&self, members: Vec<Value>) -> Vec<Value> {
        let mut order = Vec::with_capacity(members.len());
        // Operands are as far apart from each other in all members of a run; constants may differ.
        let mut rest = members;
        for constants in [true, false] {
            let mut alike: BTreeMap<Vec<u32>, Vec<(u32, Value)>> = BTreeMap::new();
            for x in std::mem::take(&mut rest) {
                let (base, distances) = self.distances(x, constants);
                alike.entry(distances).or_default().push((base, x));
            }
            for mut members in alike.into_values() {
                members.sort_unstable();
                let breaks = members.windows(2).filter(|pair| pair[1].0 != pair[0].0 + 1).count();
                let members = members.into_iter().map(|(_, x)| x);
                match (breaks + 1) * RUN <= members.len() {
                    true => order.extend(members),
                    false => rest.extend(members),
                }
            }
        }
        rest.sort_by_cached_key(|&x| (self.operands(x), x));
        order.append(&mut rest);
        order
    }

    /// The place of an operation's first operand that is no constant, and how far from there the others
    /// are; of constants where they are, or nothing.
    fn distances(&self, x: Value, constants: bool) -> (u32, Vec<u32>) {
        let operands = self.operands(x);
        let is_constant = |place: u32| (self.inputs..self.room).contains(&place);
        let base = operands.iter().copied().find(|&place| !is_constant(place)).unwrap_or(0);
        let distances = operands.into_iter().map(|place| match (is_constant(place), constants) {
            (false, _) => place.wrapping_sub(base),
            (true, true) => place,
            (true, false) => NOWHERE,
        });
        (base, distances.collect())
    }

    /// The order of a chain of additions.
    fn chain(&mut self, end: Value, start: usize, to: u32) {
        let mut terms: Vec<[Option<Value>; 2]> = Vec::new();
        let mut at = end;
        let first = loop {
            let operands = self.insts[at.index()].operands();
            let is_sum = operands.len() == 2;
            let before = self.before[at.index()];
            let sum = before.unwrap_or(if is_sum { operands[0] } else { operands[2] });
            terms.push(match (is_sum, operands) {
                (true, &[a, b]) => [Some(if sum == a { b } else { a }), None],
                (_, operands) => [Some(operands[0]), Some(operands[1])],
            });
            match before {
                Some(before) => at = before,
                None => break sum,
            }
        };
        debug_assert!(at.index() >= start, "a chain lies in its window");
        terms.reverse();
        self.places[end.index()] = to;
        let place = |x: Option<Value>| x.map(|x| self.places[x.index()]);
        let [a, b] = [0, 1].map(|k| terms.iter().filter_map(|term| place(term[k])).collect::<Vec<u32>>());
        let (start, count) = (self.places[first.index()], terms.len() as u32);
        let order = match b.is_empty() {
            true => Order::Sum { start, terms: self.source(&a), to, count },
            false => Order::Products { start, factors: [self.source(&a), self.source(&b)], to, count },
        };
        self.orders.push(order);
    }

    /// Orders that store outputs.
    fn output(&mut self, members: &[Value]) {
        let mut pairs: Vec<[u32; 2]> = members
            .iter()
            .filter_map(|x| match self.insts[x.index()] {
                Inst::Store(address, value) => Some([address.offset, self.places[value.index()]]),
                _ => None,
            })
            .collect();
        pairs.sort_unstable();
        let columns: Vec<Vec<u32>> = [0, 1].map(|k| pairs.iter().map(|pair| pair[k]).collect()).to_vec();
        for stretch in stretches(&columns) {
            let [to, from] = [0, 1].map(|k| self.source(&columns[k][stretch.clone()]));
            self.orders.push(Order::Output { from, to, count: stretch.len() as u32 });
        }
    }

    /// Where the operands of an instruction are.
    fn operands(&self, x: Value) -> Vec<u32> {
        let places = self.insts[x.index()].operands().iter().map(|x| self.places[x.index()]);
        debug_assert!(places.clone().all(|place| place != NOWHERE), "operands come first");
        places.collect()
    }

    fn source(&mut self, places: &[u32]) -> Source {
        let first = places[0];
        if places.iter().all(|&place| place == first) && places.len() > 1 {
            return Source::Same(first);
        }
        if places.iter().zip(first..).all(|(&place, next)| place == next) {
            return Source::Run(first);
        }
        let start = self.table.len() as u32;
        self.table.extend(places);
        Source::Table(start..self.table.len() as u32)
    }
}

/// Stretches in which every column stays the same or goes on by one, where they are long, and what is
/// between them.
fn stretches(columns: &[Vec<u32>]) -> Vec<std::ops::Range<usize>> {
    let count = columns.first().map_or(0, Vec::len);
    let step = |column: &Vec<u32>, at: usize| column[at + 1].wrapping_sub(column[at]);
    let goes_on = |first: usize, at: usize| {
        columns.iter().all(|column| step(column, at) < 2 && step(column, at) == step(column, first))
    };
    let (mut all, mut between, mut at) = (Vec::new(), 0, 0);
    while at < count {
        let mut end = at + 1;
        while end < count && goes_on(at, end - 1) {
            end += 1;
        }
        if end - at >= RUN {
            if between < at {
                all.push(between..at);
            }
            all.push(at..end);
            between = end;
        }
        at = end;
    }
    if between < count {
        all.push(between..count);
    }
    all
}
