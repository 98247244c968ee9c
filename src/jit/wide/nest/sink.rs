//! Where code goes while nests are written: the open region, and values from one to the next.
//!
//! Nests in a row whose loops are written out share a region.
//!
//! What must stay true: a value computed in one region and used in another is kept in a slot at the
//! end of the first; masks go as numbers; a region has tails of one length.

use super::memory::{Arena, Memory};
use super::tree::{Address, Base, Item, LoopId, Pointer, Region, Row, Strides, Tree};
use crate::jit::wide::{Body, Level, Op, Val, Width, apply, apply_each};
use crate::loops::Inst;
use crate::loops::tensor::Combine;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use std::rc::Rc;

/// A value, and the region it is computed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Held {
    pub region: usize,
    pub value: Val,
}

/// A load or a store, of a stream.
pub(super) type Access = fn(u32) -> Op;

/// See the head of the file.
pub(super) struct Sink {
    pub level: Level,
    pub element: Width,
    pub(super) regions: Vec<Region>,
    /// The items of the loops that are open, the innermost last.
    pub(super) items: Vec<Vec<Item>>,
    /// The region that code is added to.
    pub(super) open: Option<usize>,
    loops: u32,
    rows: u32,
    slots: u32,
    kept: FxHashMap<Held, u32>,
    /// Streams of the open region, by address and by the last store that may have been there.
    pub(super) streams: FxHashMap<(Address, u32), u32>,
    /// What the open region has stored, and which of its values have equal lanes.
    pub(super) memory: Memory,
    pub(super) equal: Vec<bool>,
    pub(super) arena: Rc<Arena>,
    pub(super) tail: Option<usize>,
}

/// Most instructions of a region that another nest adds to, and most slots.
const LONG: usize = 2000;
const MANY: u32 = 32;

impl Sink {
    pub fn new(level: Level, element: Width, arena: Rc<Arena>) -> Sink {
        Sink {
            level,
            element,
            regions: Vec::new(),
            items: vec![Vec::new()],
            open: None,
            loops: 1,
            rows: 0,
            slots: 0,
            kept: FxHashMap::default(),
            streams: FxHashMap::default(),
            memory: Memory::default(),
            equal: Vec::new(),
            arena,
            tail: None,
        }
    }

    pub fn finish(mut self) -> Tree {
        let items = self.items.pop().expect("the outermost list is never closed");
        Tree { regions: self.regions, items, slots: self.slots }
    }

    /// True where another nest goes on in the open region.
    pub fn goes_on(&self) -> bool {
        let is_short = |open: usize| self.regions[open].body.insts.len() < LONG;
        self.open.is_some_and(is_short) && self.slots < MANY
    }

    /// Ends the open region.
    pub fn cut(&mut self) {
        self.open = None;
    }

    pub(super) fn region(&mut self) -> usize {
        if let Some(open) = self.open {
            return open;
        }
        let number = self.regions.len();
        let body = Body::new(self.level, self.element);
        self.regions.push(Region { body, streams: Vec::new(), tail: self.tail });
        self.items.last_mut().expect("one is always open").push(Item::Straight(number));
        self.open = Some(number);
        self.streams.clear();
        self.memory.clear();
        self.equal.clear();
        number
    }

    pub(super) fn body(&mut self) -> &mut Body {
        let region = self.region();
        &mut self.regions[region].body
    }

    /// Begins a loop.
    pub fn open_loop(&mut self) -> LoopId {
        self.cut();
        self.items.push(Vec::new());
        self.loops += 1;
        LoopId(self.loops - 1)
    }

    pub fn close_loop(&mut self, id: LoopId, rounds: u32) {
        self.cut();
        let items = self.items.pop().expect("opened");
        self.items.last_mut().expect("one is always open").push(Item::Loop { id, rounds, items });
    }

    /// Looks up a row; its number.
    pub fn row(&mut self, index: Address, place: Pointer, rows: u32, bytes: i32) -> u32 {
        self.cut();
        let number = self.rows;
        self.rows += 1;
        let row = Row { number, index, place, rows, bytes };
        self.items.last_mut().expect("one is always open").push(Item::Row(row));
        number
    }

    /// True, in every lane, where there is no such row.
    pub fn is_absent(&mut self, row: u32) -> Held {
        let pointer = Pointer { base: Base::Absent(row), strides: Strides::new() };
        let absent = self.load(Op::Uniform, Address { pointer, offset: 0 }, false);
        let ones = self.ones();
        let ones = Held { region: self.region(), value: ones };
        self.push(Op::IEqual, &[absent, ones])
    }

    /// The value in the open region.
    pub(super) fn here(&mut self, held: Held) -> Val {
        let region = self.region();
        if held.region == region {
            return held.value;
        }
        let inst = self.regions[held.region].body.insts[held.value.index()];
        match inst.op {
            op if op.is_invariant() && op.stream().is_none() => self.body().push(inst.op, inst.width, &[]),
            Op::Uniform(stream) => {
                let address = self.regions[held.region].streams[stream as usize].clone();
                self.load(Op::Uniform, address, false).value
            }
            op if op.is_mask() => {
                let slot = self.slot_of(held);
                let element = self.element;
                let kept = self.body().push(Op::Slot(slot), element, &[]);
                let ones = self.ones();
                self.body().push(Op::IEqual, element, &[kept, ones])
            }
            _ => {
                let slot = self.slot_of(held);
                let element = self.element;
                self.body().push(Op::Slot(slot), element, &[])
            }
        }
    }

    fn all_bits(&self) -> u64 {
        match self.element {
            Width::Single => u64::from(u32::MAX),
            Width::Double => u64::MAX,
        }
    }

    fn ones(&mut self) -> Val {
        let (bits, element) = (self.all_bits(), self.element);
        self.body().push(Op::Constant(bits), element, &[])
    }

    /// The slot in which a value's region keeps it.
    fn slot_of(&mut self, held: Held) -> u32 {
        if let Some(&slot) = self.kept.get(&held) {
            return slot;
        }
        let slot = self.new_slot();
        let (ones, element) = (self.all_bits(), self.element);
        let body = &mut self.regions[held.region].body;
        let mut value = held.value;
        if body.insts[value.index()].op.is_mask() {
            let [all, none] = [ones, 0].map(|bits| body.push(Op::Constant(bits), element, &[]));
            value = body.push(Op::Select, element, &[value, all, none]);
        }
        body.push(Op::Keep(slot), element, &[value]);
        self.kept.insert(held, slot);
        slot
    }

    fn new_slot(&mut self) -> u32 {
        self.slots += 1;
        self.slots - 1
    }

    /// Keeps values in slots of their own.
    pub fn keep_all(&mut self, values: &[Held]) -> Vec<u32> {
        let slots: Vec<u32> = values.iter().map(|_| self.new_slot()).collect();
        self.keep_in(values, &slots);
        slots
    }

    pub fn keep_in(&mut self, values: &[Held], slots: &[u32]) {
        for (&value, &slot) in values.iter().zip(slots) {
            let (value, element) = (self.here(value), self.element);
            self.body().push(Op::Keep(slot), element, &[value]);
        }
    }

    /// What is in slots now.
    pub fn slots(&mut self, slots: &[u32]) -> SmallVec<[Held; 4]> {
        slots.iter().map(|&slot| self.push(Op::Slot(slot), &[])).collect()
    }

    /// An operation on values.
    pub fn push(&mut self, op: Op, operands: &[Held]) -> Held {
        let operands: SmallVec<[Val; 3]> = operands.iter().map(|&x| self.here(x)).collect();
        let (region, element) = (self.region(), self.element);
        let value = self.body().push(op, element, &operands);
        Held { region, value }
    }

    /// An operation on 32-bit integers, of doubles in the lower half.
    pub fn integers(&mut self, op: Op, operands: &[Held]) -> Held {
        let operands: SmallVec<[Val; 3]> = operands.iter().map(|&x| self.here(x)).collect();
        let region = self.region();
        let value = self.body().push(op, Width::Single, &operands);
        Held { region, value }
    }

    /// An instruction of the loop IR, neither load nor store.
    pub fn apply(&mut self, inst: &Inst, operands: &[Held]) -> Held {
        let operands: SmallVec<[Val; 3]> = operands.iter().map(|&x| self.here(x)).collect();
        let region = self.region();
        let value = apply(self.body(), inst, &operands);
        Held { region, value }
    }

    /// The same for several vectors.
    pub fn apply_each(&mut self, inst: &Inst, operands: &[SmallVec<[Held; 3]>]) -> SmallVec<[Held; 4]> {
        let operands: Vec<SmallVec<[Val; 3]>> =
            operands.iter().map(|one| one.iter().map(|&x| self.here(x)).collect()).collect();
        let region = self.region();
        let values = apply_each(self.body(), inst, &operands);
        values.into_iter().map(|value| Held { region, value }).collect()
    }

    pub fn number(&mut self, x: f64) -> Held {
        let (region, element) = (self.region(), self.element);
        let value = crate::elementary::Machine::f(&mut self.body().machine(element), x);
        Held { region, value }
    }

    /// Two values combined as [`Combine::of`] says: a NaN stays.
    pub fn combined(&mut self, combine: Combine, a: Held, b: Held) -> Held {
        let op = match combine {
            Combine::Sum => return self.push(Op::Add, &[a, b]),
            Combine::Max => Op::Max,
            Combine::Min => Op::Min,
        };
        // The instruction gives its second operand where one is a NaN, and of equals.
        let better = self.push(op, &[b, a]);
        let is_nan = self.push(Op::NotEqual, &[b, b]);
        self.push(Op::Select, &[is_nan, b, better])
    }

    /// One value in the lanes of the tail, another in the rest.
    pub fn in_tail(&mut self, inside: Held, outside: Held) -> Held {
        let tail = self.push(Op::Tail, &[]);
        self.push(Op::Select, &[tail, inside, outside])
    }

    /// What follows is a tail of so many lanes.
    pub fn open_tail(&mut self, lanes: usize) {
        self.tail = Some(lanes);
        let Some(open) = self.open else { return };
        match self.regions[open].tail {
            Some(other) if other != lanes => self.cut(),
            _ => self.regions[open].tail = Some(lanes),
        }
    }

    pub fn close_tail(&mut self) {
        self.tail = None;
    }
}
