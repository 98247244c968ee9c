//! Loads and stores of a nest: addresses, rows chosen by an index, vectors.
//!
//! What must stay true: an address is the program's, which `verify` has checked; a row that an
//! index chooses is one there is, whatever the index, and what it yields is dropped if there is none.

use super::lanes::{float_constant, integer, recast};
use super::nest::{Counter, Known, Mode, NestWriter};
use crate::loops::tensor::{Affine, Chosen, Load, Place, Write};
use cranelift_codegen::ir::condcodes::FloatCC;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value, types};

/// The row an index chooses: whether there is one, and how many bytes it is from the first.
#[derive(Clone, Copy)]
pub(super) struct Row {
    valid: Value,
    bytes: Value,
}

impl NestWriter<'_, '_, '_> {
    fn element_size(&self) -> i64 {
        i64::from(self.emitter.float.bytes())
    }

    /// Base and byte offset of a place, `shift` rounds further along the loop in lanes.
    fn address(&mut self, place: &Place, shift: i64, row: Option<Row>) -> (Value, i32) {
        let size = self.element_size();
        let start = self.emitter.program.buffers[place.buffer.index()].offset as i64;
        let mut offset = (start + self.fixed_part(&place.at, shift)) * size;
        let mut base = self.emitter.arena;
        for (l, Counter { variable, .. }) in self.counters.clone().into_iter().enumerate() {
            let stride = place.at.strides[l];
            if let Some(counter) = variable.filter(|_| stride != 0) {
                let bytes = self.times(counter, stride * size);
                base = self.builder().ins().iadd(base, bytes);
            }
        }
        if let Some(row) = row {
            base = self.builder().ins().iadd(base, row.bytes);
        }
        if i32::try_from(offset).is_err() {
            base = self.builder().ins().iadd_imm_s(base, offset);
            offset = 0;
        }
        (base, offset as i32)
    }

    /// What counters that are numbers make of a form.
    fn fixed_part(&self, form: &Affine, shift: i64) -> i64 {
        let known = self.counters.iter().zip(&form.strides).map(|(c, s)| c.constant * s);
        let shifted = self.nest.lanes.map_or(0, |l| shift * form.strides[l]);
        form.offset + known.sum::<i64>() + shifted
    }

    fn times(&mut self, x: Value, factor: i64) -> Value {
        match factor {
            1 => x,
            _ if factor > 0 && factor & (factor - 1) == 0 => {
                self.builder().ins().ishl_imm_u(x, i64::from(factor.trailing_zeros()))
            }
            _ => self.builder().ins().imul_imm_s(x, factor),
        }
    }

    /// Looks up the rows that indices at this level choose, so that loops inside need not.
    pub fn find_rows(&mut self, level: usize, known: &mut Known) {
        let nest = self.nest;
        let is_here = |chosen: &Chosen| {
            let same = nest.lanes.is_none_or(|l| chosen.index.at.strides[l] == 0);
            chosen.index.at.depth() == level && same
        };
        for (at, load) in nest.loads.iter().enumerate() {
            if let Load::Gathered(_, chosen) = load
                && is_here(chosen)
            {
                known.rows[at] = Some(self.row(chosen, 0));
            }
        }
        for (at, store) in nest.stores.iter().enumerate() {
            if let Write::Scatter(chosen) = &store.write
                && is_here(chosen)
            {
                known.store_rows[at] = Some(self.row(chosen, 0));
            }
        }
    }

    fn row(&mut self, chosen: &Chosen, shift: i64) -> Row {
        let index = self.element(&chosen.index, shift, None);
        let (float, size) = (self.emitter.float, self.element_size());
        let builder = self.builder();
        let index = if float == types::F32 { builder.ins().fpromote(types::F64, index) } else { index };
        let index = builder.ins().trunc(index);
        let zero = float_constant(builder, types::F64, 0.0);
        let rows = float_constant(builder, types::F64, f64::from(chosen.rows));
        let from = builder.ins().fcmp(FloatCC::GreaterThanOrEqual, index, zero);
        let to = builder.ins().fcmp(FloatCC::LessThan, index, rows);
        let valid = builder.ins().band(from, to);
        let index = builder.ins().select(valid, index, zero);
        let index = builder.ins().fcvt_to_sint_sat(types::I64, index);
        let bytes = builder.ins().imul_imm_s(index, chosen.stride * size);
        Row { valid, bytes }
    }

    fn element(&mut self, place: &Place, shift: i64, row: Option<Row>) -> Value {
        let (base, offset) = self.address(place, shift, row);
        let float = self.emitter.float;
        self.builder().ins().load(float, MemFlagsData::trusted(), base, offset)
    }

    /// A load's element, `shift` rounds further along the loop in lanes.
    pub fn load_scalar(&mut self, at: usize, shift: i64, known: &Known) -> Value {
        match &self.nest.loads[at] {
            Load::Element(place) => self.element(place, shift, None),
            Load::Gathered(place, chosen) => {
                let row = match known.rows[at] {
                    Some(row) => row,
                    None => self.row(chosen, shift),
                };
                let value = self.element(place, shift, Some(row));
                let float = self.emitter.float;
                let nan = float_constant(self.builder(), float, f64::NAN);
                self.builder().ins().select(row.valid, value, nan)
            }
            Load::Position(form) => self.position(form, shift),
        }
    }

    fn position(&mut self, form: &Affine, shift: i64) -> Value {
        let fixed = self.fixed_part(form, shift);
        let mut sum = self.builder().ins().iconst(types::I64, fixed);
        for (l, Counter { variable, .. }) in self.counters.clone().into_iter().enumerate() {
            if let Some(counter) = variable.filter(|_| form.strides[l] != 0) {
                let term = self.times(counter, form.strides[l]);
                sum = self.builder().ins().iadd(sum, term);
            }
        }
        let float = self.emitter.float;
        self.builder().ins().fcvt_from_sint(float, sum)
    }

    /// The vector of a load that differs from lane to lane.
    pub fn load_vector(&mut self, at: usize, part: usize, known: &Known) -> Value {
        let lanes = self.emitter.lanes() as i64;
        let l = self.nest.lanes.expect("vectors are along a loop");
        let shift = part as i64 * lanes;
        let vector = self.emitter.vector;
        match &self.nest.loads[at] {
            Load::Element(place) if place.at.strides[l] == 1 => {
                let (base, offset) = self.address(place, shift, None);
                self.builder().ins().load(vector, MemFlagsData::trusted(), base, offset)
            }
            Load::Gathered(place, _) if place.at.strides[l] == 1 && known.rows[at].is_some() => {
                let row = known.rows[at].expect("just looked at");
                let (base, offset) = self.address(place, shift, Some(row));
                let value = self.builder().ins().load(vector, MemFlagsData::trusted(), base, offset);
                self.nan_unless(row.valid, value)
            }
            _ => {
                let first = self.load_scalar(at, shift, known);
                let mut all = self.builder().ins().splat(vector, first);
                for lane in 1..lanes {
                    let next = self.load_scalar(at, shift + lane, known);
                    all = self.builder().ins().insertlane(all, next, lane as u8);
                }
                all
            }
        }
    }

    /// All ones, which is a NaN, in every lane of an invalid row.
    fn nan_unless(&mut self, valid: Value, value: Value) -> Value {
        let vector = self.emitter.vector;
        let integer = integer(vector);
        let builder = self.builder();
        let (none, all) =
            (builder.ins().iconst(integer.lane_type(), 0), builder.ins().iconst(integer.lane_type(), -1));
        let lane = builder.ins().select(valid, none, all);
        let mask = builder.ins().splat(integer, lane);
        let mask = recast(builder, vector, mask);
        builder.ins().bor(value, mask)
    }

    pub fn write_scalar(&mut self, at: usize, value: Value, known: &Known) {
        let store = &self.nest.stores[at];
        let row = match &store.write {
            Write::Scatter(chosen) => Some(match known.store_rows[at] {
                Some(row) => row,
                None => self.row(chosen, 0),
            }),
            _ => None,
        };
        let (base, offset) = self.address(&store.to, 0, row);
        let float = self.emitter.float;
        let builder = self.builder();
        let mut value = value;
        if let Write::Add | Write::Scatter(_) = store.write {
            let before = builder.ins().load(float, MemFlagsData::trusted(), base, offset);
            value = builder.ins().fadd(before, value);
            if let Some(row) = row {
                value = builder.ins().select(row.valid, value, before);
            }
        }
        builder.ins().store(MemFlagsData::trusted(), value, base, offset);
    }

    pub fn write_vector(&mut self, at: usize, part: usize, value: Value, known: &Known) {
        debug_assert!(self.mode != Mode::Scalar);
        let store = &self.nest.stores[at];
        let shift = (part * self.emitter.lanes()) as i64;
        let row = known.store_rows.get(at).copied().flatten();
        let (base, offset) = self.address(&store.to, shift, row);
        let vector = self.emitter.vector;
        let builder = self.builder();
        let mut value = value;
        if let Write::Add | Write::Scatter(_) = store.write {
            let before = builder.ins().load(vector, MemFlagsData::trusted(), base, offset);
            value = builder.ins().fadd(before, value);
            if let Some(row) = row {
                value = builder.ins().select(row.valid, value, before);
            }
        }
        builder.ins().store(MemFlagsData::trusted(), value, base, offset);
    }
}
