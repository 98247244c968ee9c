//! Loads and stores of the open region: what one nest has stored another takes from where it was
//! computed.
//!
//! What must stay true: a load gives what the stores before it have left; one that no store comes
//! between is one value.

use super::memory::{Arena, Piece};
use super::sink::{Access, Held, Sink};
use super::tree::{Address, Base};
use crate::jit::wide::{Op, Val};
use smallvec::SmallVec;

/// Values put together at most where some lanes move; more are read back faster.
const SWAPPED: usize = 3;

impl Sink {
    fn stream(&mut self, address: Address, stores: u32) -> u32 {
        let region = self.region();
        let streams = &mut self.regions[region].streams;
        *self.streams.entry((address, stores)).or_insert_with_key(|(address, _)| {
            streams.push(address.clone());
            streams.len() as u32 - 1
        })
    }

    /// True outside of all loops that are not written out.
    pub fn is_straight(&self) -> bool {
        self.items.len() == 1
    }

    pub fn arena(&self) -> &Arena {
        &self.arena
    }

    /// True for a place that is a number.
    pub fn is_number(&self, address: &Address) -> bool {
        address.pointer.base == Base::Arena && address.pointer.strides.is_empty()
    }

    /// The places of the elements that an access reads or writes, so many elements apart, as far as they
    /// are numbers.
    fn places(&self, op: Op, address: &Address, step: i64) -> Option<SmallVec<[i32; 16]>> {
        if !self.is_straight() || !self.is_number(address) {
            return None;
        }
        let bytes = self.element.bytes();
        let count = match op {
            Op::Load(_) | Op::Store(_) | Op::Gather(_) => self.level.bytes() / bytes,
            Op::LoadTail(_) | Op::StoreTail(_) | Op::GatherTail(_) => self.tail?,
            Op::Spread(_) | Op::StoreOne(_) => 1,
            _ => return None,
        };
        Some((0..count as i64).map(|lane| address.offset + (lane * step * bytes as i64) as i32).collect())
    }

    /// What is at an address; if that is written as well, what is there now.
    pub fn load(&mut self, op: Access, address: Address, is_written: bool) -> Held {
        self.region();
        let version = match (is_written, self.places(op(0), &address, 1)) {
            (false, _) => 0,
            (true, None) => self.memory.stores(),
            (true, Some(places)) => match self.forwarded(op(0), &places) {
                Some(held) => return held,
                None => self.memory.last_store(&places),
            },
        };
        let stream = self.stream(address, version);
        self.push(op(stream), &[])
    }

    /// What is at the elements that an index says, counted from an address: so many elements apart, where
    /// that is known.
    pub fn gather(
        &mut self,
        op: Access,
        address: Address,
        is_written: bool,
        (index, step): (Held, Option<i64>),
    ) -> Held {
        self.region();
        let places = step.and_then(|step| self.places(op(0), &address, step));
        let version = match (is_written, places) {
            (false, _) => 0,
            (true, Some(places)) => self.memory.last_store(&places),
            (true, None) => self.memory.stores(),
        };
        let stream = self.stream(address, version);
        self.push(op(stream), &[index])
    }

    /// What is at places, put together from the values that were stored there: those whose lanes are
    /// equal, and those whose lanes are where they are to be, but for halves that change sides.
    fn forwarded(&mut self, op: Op, places: &[i32]) -> Option<Held> {
        let pieces = self.memory.pieces(places)?;
        let is_one = matches!(op, Op::Spread(_));
        let mut parts: SmallVec<[(Val, usize); 16]> = SmallVec::new();
        for (lane, &Piece { value, lane: from }) in pieces.iter().enumerate() {
            match self.is_equal(value) {
                true => parts.push((value, 0)),
                false if is_one => return None,
                false => parts.push((value, lane ^ from)),
            }
        }
        let ends = || parts.windows(2).enumerate().filter(|(_, pair)| pair[0] != pair[1]);
        if parts.iter().any(|part| part.1 != 0) && ends().count() > SWAPPED {
            return None;
        }
        let mut all = self.swapped(parts[0]);
        for (lane, pair) in ends() {
            let steps = self.push(Op::FloatSteps(1), &[]);
            let first = self.number((lane + 1) as f64);
            let before = self.push(Op::Less, &[steps, first]);
            let next = self.swapped(pair[1]);
            all = self.push(Op::Select, &[before, all, next]);
        }
        Some(all)
    }

    /// A value with lane `i ^ by` in lane `i`: its halves change sides, or those of its halves do, and so on.
    fn swapped(&mut self, (value, by): (Val, usize)) -> Held {
        let mut held = Held { region: self.region(), value };
        let bytes = by * self.element.bytes();
        let mut half = self.element.bytes();
        while half <= bytes {
            if bytes & half != 0 {
                held = self.push(Op::Swap(half as u8), &[held]);
            }
            half *= 2;
        }
        held
    }

    /// True for a value of the open region that is the same in all lanes.
    fn is_equal(&mut self, value: Val) -> bool {
        let Some(open) = self.open else { return false };
        let insts = &self.regions[open].body.insts;
        for inst in &insts[self.equal.len().min(value.index() + 1)..=value.index()] {
            let is_equal = match inst.op {
                Op::Constant(_) | Op::Uniform(_) | Op::Spread(_) | Op::Position(_) => true,
                Op::Upper | Op::Widen | Op::Narrow | Op::Join => false,
                _ => !inst.operands.is_empty() && inst.operands.iter().all(|x| self.equal[x.index()]),
            };
            self.equal.push(is_equal);
        }
        self.equal[value.index()]
    }

    /// Takes note that all lanes of a value are the same.
    pub fn set_equal(&mut self, held: Held) {
        if self.open == Some(held.region) {
            self.is_equal(held.value);
            self.equal[held.value.index()] = true;
        }
    }

    pub fn store(&mut self, op: Access, address: Address, value: Held) {
        let value = self.here(value);
        let places = self.places(op(0), &address, 1);
        let number = self.memory.store(value, places.as_deref());
        let stream = self.stream(address, number);
        let element = self.element;
        self.body().push(op(stream), element, &[value]);
    }
}
