//! What nests read and write: addresses, rows that indices choose, counters as numbers.
//!
//! What must stay true: a row is looked up where its index is known, and loops inside use it; where
//! there is no such row, what is read is NaN and what is written stays.

use super::sink::{Access, Held};
use super::tree::{Address, Base, Pointer, Strides};
use super::write::{Mode, NestWriter};
use crate::jit::wide::{Op, Rounding};
use crate::loops::tensor::{Affine, Buffer, Chosen, Load, Nest, Place, Write};

/// A row that was looked up, within so many loops.
#[derive(Clone, Copy)]
pub(super) struct Row {
    number: u32,
    depth: usize,
}

impl NestWriter<'_, '_> {
    /// Looks up the rows that indices at this level choose.
    pub(super) fn find_rows(&mut self, level: usize) {
        let nest = self.nest;
        for (at, load) in nest.loads.iter().enumerate() {
            if let Load::Gathered(place, chosen) = load
                && self.is_chosen_at(chosen, level)
            {
                self.rows[at] = Some(self.row(place, chosen));
            }
        }
        for (at, store) in nest.stores.iter().enumerate() {
            if let Write::Scatter(chosen) = &store.write
                && self.is_chosen_at(chosen, level)
            {
                self.store_rows[at] = Some(self.row(&store.to, chosen));
            }
        }
    }

    fn is_chosen_at(&self, chosen: &Chosen, level: usize) -> bool {
        chosen.index.at.depth() == level && !varies(self.nest, &chosen.index.at)
    }

    fn row(&mut self, place: &Place, chosen: &Chosen) -> Row {
        let index = self.address(&chosen.index, 0);
        let start = self.address(place, 0).pointer;
        let bytes = chosen.stride * self.element.bytes() as i64;
        let number = self.sink.row(index, start, chosen.rows, bytes as i32);
        Row { number, depth: self.counters.len() }
    }

    /// The address of an element, some rounds further along the loop in lanes.
    fn address(&self, place: &Place, shift: i64) -> Address {
        let buffer = self.program.buffers[place.buffer.index()];
        let size = self.element.bytes() as i64;
        let mut address = self.form(Base::Arena, &place.at, shift, size, 0);
        address.offset += (buffer.offset as i64 * size) as i32;
        address
    }

    /// The address of an element of a row.
    fn address_in(&self, row: Option<Row>, place: &Place, shift: i64) -> Address {
        let whole = self.address(place, shift);
        let Some(Row { number, depth }) = row else { return whole };
        let inside = self.form(Base::Row(number), &place.at, shift, self.element.bytes() as i64, depth);
        Address { offset: whole.offset, ..inside }
    }

    /// A form of the counters in units; of those before `depth` only what is a number.
    fn form(&self, base: Base, form: &Affine, shift: i64, unit: i64, depth: usize) -> Address {
        let mut offset = form.offset + self.nest.lanes.map_or(0, |l| shift * form.strides[l]);
        let mut strides = Strides::new();
        for (l, (counter, &stride)) in self.counters.iter().zip(&form.strides).enumerate() {
            offset += counter.constant * stride;
            if let Some((id, step)) = counter.variable.filter(|_| stride != 0 && l >= depth) {
                strides.push((id, (stride * step * unit) as i32));
            }
        }
        Address { pointer: Pointer { base, strides }, offset: (offset * unit) as i32 }
    }

    fn shift(&self, part: usize) -> i64 {
        (part * self.lanes()) as i64
    }

    pub(super) fn load(&mut self, at: usize, part: usize) -> Held {
        let shift = self.shift(part);
        let nest = self.nest;
        match &nest.loads[at] {
            Load::Element(place) => self.element(place, shift, None),
            Load::Gathered(place, chosen) if varies(nest, &chosen.index.at) => {
                self.gathered(place, chosen, shift)
            }
            Load::Gathered(place, _) => {
                let row = self.rows[at].expect("the index is known at this level or further out");
                let value = self.element(place, shift, Some(row));
                let absent = self.sink.is_absent(row.number);
                let nan = self.sink.number(f64::NAN);
                self.sink.push(Op::Select, &[absent, nan, value])
            }
            Load::Position(form) => self.position(form, shift),
        }
    }

    /// Elements at a place, some rounds further along the loop in lanes.
    fn element(&mut self, place: &Place, shift: i64, row: Option<Row>) -> Held {
        let address = self.address_in(row, place, shift);
        let is_written = self.is_written(place);
        let stride = match (self.mode, self.nest.lanes) {
            (Mode::One, _) | (_, None) => 0,
            (_, Some(l)) => place.at.strides[l],
        };
        let (load, gather): (Access, Access) = match self.mode {
            Mode::Tail { .. } => (Op::LoadTail, Op::GatherTail),
            _ => (Op::Load, Op::Gather),
        };
        match stride {
            0 if is_written => self.sink.load(Op::Spread, address, true),
            0 => self.sink.load(Op::Uniform, address, false),
            1 => self.sink.load(load, address, is_written),
            _ => {
                let index = self.sink.integers(Op::Steps(stride as i32), &[]);
                self.sink.gather(gather, address, is_written, (index, Some(stride)))
            }
        }
    }

    /// Elements of rows that differ from lane to lane; NaN where there is no such row.
    fn gathered(&mut self, place: &Place, chosen: &Chosen, shift: i64) -> Held {
        let row = self.element(&chosen.index, shift, None);
        let row = self.sink.push(Op::Round(Rounding::Trunc), &[row]);
        let [zero, rows] = [0.0, f64::from(chosen.rows)].map(|x| self.sink.number(x));
        let from = self.sink.push(Op::LessEqual, &[zero, row]);
        let to = self.sink.push(Op::Less, &[row, rows]);
        let valid = self.sink.push(Op::MaskAnd, &[from, to]);
        let row = self.sink.push(Op::Select, &[valid, row, zero]);
        let row = self.sink.push(Op::ToInteger, &[row]);
        let stride = self.sink.integers(Op::Constant(u64::from(chosen.stride as u32)), &[]);
        let row = self.sink.integers(Op::IMul, &[row, stride]);
        let along = self.nest.lanes.map_or(0, |l| place.at.strides[l]);
        let steps = self.sink.integers(Op::Steps(along as i32), &[]);
        let index = self.sink.integers(Op::IAdd, &[row, steps]);
        let gather: Access = match self.mode {
            Mode::Tail { .. } => Op::GatherTail,
            _ => Op::Gather,
        };
        let is_written = self.is_written(place);
        let address = self.address(place, shift);
        let value = self.sink.gather(gather, address, is_written, (index, None));
        let nan = self.sink.number(f64::NAN);
        self.sink.push(Op::Select, &[valid, value, nan])
    }

    /// A form of the counters as numbers.
    fn position(&mut self, form: &Affine, shift: i64) -> Held {
        let address = self.form(Base::Zero, form, shift, 1, 0);
        let first = match address.pointer.strides.is_empty() {
            true => self.sink.number(f64::from(address.offset)),
            false => self.sink.load(Op::Position, address, false),
        };
        let along = self.nest.lanes.filter(|_| self.mode != Mode::One).map_or(0, |l| form.strides[l]);
        if along == 0 {
            return first;
        }
        let steps = self.sink.push(Op::FloatSteps(along as i32), &[]);
        self.sink.push(Op::Add, &[first, steps])
    }

    /// True where what is at a place may change while the region of code lasts: outside of all loops
    /// that of the nests to come as well.
    fn is_written(&self, place: &Place) -> bool {
        let Buffer { size, offset } = self.program.buffers[place.buffer.index()];
        if self.sink.is_straight() {
            let bytes = self.element.bytes();
            return self.sink.arena().is_written(offset * bytes, (offset + size) * bytes);
        }
        let overlaps = |other: Buffer| offset < other.offset + other.size && other.offset < offset + size;
        self.nest.writes().any(|buffer| overlaps(self.program.buffers[buffer.index()]))
    }

    /// True where the tail is a buffer's end, and the rest of the vector the rest of a cache line. (A
    /// later load takes what it needs from a store of a whole vector before that is in the cache.)
    fn has_room(&self, place: &Place, tail: usize, address: &Address) -> bool {
        let (bytes, buffer) = (self.element.bytes(), self.program.buffers[place.buffer.index()]);
        let (start, end) = (address.offset as usize, (buffer.offset + buffer.size) * bytes);
        self.sink.is_number(address)
            && start + tail * bytes == end
            && self.sink.arena().is_spare(end, start + self.level.bytes())
    }

    pub(super) fn store(&mut self, at: usize, part: usize, value: Held) {
        let store = &self.nest.stores[at];
        let row = match store.write {
            Write::Scatter(_) => self.store_rows[at],
            _ => None,
        };
        let address = self.address_in(row, &store.to, self.shift(part));
        let (load, write): (Access, Access) = match self.mode {
            Mode::One => (Op::Spread, Op::StoreOne),
            Mode::Whole(_) => (Op::Load, Op::Store),
            Mode::Tail { lanes, .. } if self.has_room(&store.to, lanes, &address) => {
                (Op::LoadTail, Op::Store)
            }
            Mode::Tail { .. } => (Op::LoadTail, Op::StoreTail),
        };
        let mut value = value;
        if let Write::Add | Write::Scatter(_) = store.write {
            let before = self.sink.load(load, address.clone(), true);
            value = self.sink.push(Op::Add, &[before, value]);
            if let Some(row) = row {
                let absent = self.sink.is_absent(row.number);
                value = self.sink.push(Op::Select, &[absent, before, value]);
            }
        }
        self.sink.store(write, address, value);
    }
}

/// True where a form differs between lanes.
fn varies(nest: &Nest, form: &Affine) -> bool {
    nest.lanes.is_some_and(|l| form.strides[l] != 0)
}

/// True where a nest can be written: places are bytes of 32 bits, and positions exact as floats.
pub(super) fn is_supported(nest: &Nest, arena: usize) -> bool {
    const EXACT: i128 = 1 << 24;
    let extents = || nest.loops.iter().map(|l| l.extent);
    let is_exact = |load: &Load| match load {
        Load::Position(form) => {
            let (least, greatest) = form.range(extents());
            -EXACT < least && greatest < EXACT
        }
        _ => true,
    };
    arena <= (i32::MAX / 16) as usize && nest.loads.iter().all(is_exact)
}
