//! What is done to a result's elements while they are in registers: a nest over the same elements, such
//! as a bias and what follows it.
//!
//! What must stay true: the nest reads an element of the result only where that is, and does every
//! element's operations as it would by itself; what it reads and writes besides is not the factors'.

use super::code::{Code, Pointer};
use super::shape::{OUTER, REACH, Shape, View};
use crate::jit::wide::{Inset, Memory, Op, Register, Val, Width, apply};
use crate::loops::tensor::{Affine, Buffer, Load, Nest, Place, Product, Write};
use crate::loops::{Block, Inst};
use smallvec::SmallVec;

/// Most instructions on a vector of sums: what takes more has no registers here, and is worth a loop.
const MOST: usize = 12;

/// See the head of the file.
#[derive(Debug)]
pub(super) struct Epilogue {
    /// What is done to a whole vector, and to a tail.
    insets: [Inset; 2],
    /// What it reads and writes.
    streams: Vec<Stream>,
    /// Where pointers of its own begin, and how they go.
    pub besides: Vec<Beside>,
    /// The result itself is stored, too.
    pub keeps: bool,
}

/// Elements that go along with the result's.
#[derive(Clone, Debug)]
struct Stream {
    pointer: Pointer,
    /// From there to the first one.
    distance: i64,
    /// From row to row.
    row: i64,
    /// From column to column; one element or none.
    column: i64,
}

/// A pointer that goes along with the result's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Beside {
    pub view: View,
    /// Along each outer loop.
    pub outer: SmallVec<[i64; OUTER]>,
}

/// A loop of the nest, or part of one: its extent, and the strides of the result and of everything else.
struct Part {
    extent: usize,
    sum: i64,
    others: Vec<i64>,
}

impl Epilogue {
    /// The epilogue that a nest is to a product of a shape; none where it is over other elements, or wants
    /// more pointers than there are.
    pub fn of(
        nest: &Nest,
        product: &Product,
        buffers: &[Buffer],
        shape: &Shape,
        keeps: bool,
    ) -> Option<Epilogue> {
        let is_plain = nest.loops.iter().all(|l| !l.reduced)
            && nest.stores.iter().all(|store| store.write == Write::Set)
            && nest.loads.iter().all(|load| matches!(load, Load::Element(_)));
        if !is_plain {
            return None;
        }
        let places = nest.loads.iter().filter_map(|load| match load {
            Load::Element(place) => Some(place),
            _ => None,
        });
        let is_sum = |place: &Place| place.buffer == product.to.buffer;
        let mut sums = places.clone().filter(|place| is_sum(place));
        let sum = &sums.next()?.at;
        if sums.any(|place| place.at != *sum) {
            return None;
        }
        let unit = shape.unit() as i64;
        let start = |place: &Place| (buffers[place.buffer.index()].offset as i64 + place.at.offset) * unit;
        let streams: Vec<&Place> =
            places.filter(|place| !is_sum(place)).chain(nest.stores.iter().map(|store| &store.to)).collect();
        if buffers[product.to.buffer.index()].offset as i64 * unit + sum.offset * unit != shape.to.start {
            return None;
        }
        let mut besides = Vec::new();
        let beside = aligned(nest, sum, &streams, shape)?.into_iter().zip(&streams);
        let located = beside.map(|(mut beside, place)| {
            beside.view.start = start(place);
            locate(beside, shape, &mut besides)
        });
        let streams = located.collect::<Option<Vec<Stream>>>()?;
        let (loads, stores) = streams.split_at(streams.len() - nest.stores.len());
        let fits = stores.iter().all(|stream| stream.column == unit);
        if !fits || besides.len() + shape.outer.len() > OUTER {
            return None;
        }
        // Of each load of the nest, whether it is the sum, one element of a row, or one for each column.
        let mut others = loads.iter();
        let loads: Vec<Option<&Stream>> = nest
            .loads
            .iter()
            .map(|load| match load {
                Load::Element(place) if !is_sum(place) => others.next(),
                _ => None,
            })
            .collect();
        let insets = [inset(nest.block(), &loads, shape, false)?, inset(nest.block(), &loads, shape, true)?];
        Some(Epilogue { insets, streams, besides, keeps })
    }

    /// Writes it for the sums in one of so many registers: a vector of a row, which may be a tail. The code is
    /// not whole where there are too few registers left.
    pub fn write(
        &self,
        code: &mut Code,
        (sums, which): (usize, usize),
        (row, vector): (usize, usize),
        tail: bool,
    ) {
        let place = |stream: &Stream| -> Memory {
            let along = if stream.column == 0 { 0 } else { vector as i64 * code.vector() };
            code.at(stream.pointer, stream.distance + row as i64 * stream.row + along)
        };
        let places: Vec<Memory> = self.streams.iter().map(place).collect();
        let inset = &self.insets[usize::from(tail)];
        match inset.write(&mut code.constants, (which as Register, sums), &places) {
            Some(instrs) => instrs.into_iter().for_each(|instr| code.push(instr)),
            None => code.is_whole = false,
        }
    }
}

/// By which pointer a stream is found.
fn locate(stream: Beside, shape: &Shape, besides: &mut Vec<Beside>) -> Option<Stream> {
    let View { start, row, column } = stream.view;
    if !(0..REACH).contains(&start) || column != 0 && column != shape.unit() as i64 {
        return None;
    }
    let (pointer, from) = if stream.goes_with(&Beside::result(shape)) {
        (Pointer::To, shape.to.start)
    } else {
        let known = besides.iter().position(|beside| beside.goes_with(&stream));
        let number = known.unwrap_or_else(|| {
            besides.push(stream);
            besides.len() - 1
        });
        (Pointer::Beside(number), besides[number].view.start)
    };
    Some(Stream { pointer, distance: start - from, row, column })
}

/// The block on a vector of sums, whose loads are such streams, or the sums.
fn inset(block: &Block, loads: &[Option<&Stream>], shape: &Shape, tail: bool) -> Option<Inset> {
    let element = Width::from(shape.precision);
    let (mut body, sum) = Inset::body(shape.level, element);
    let mut streams = 0..;
    let mut stream = || streams.next().expect("there is no end");
    let loads: Vec<Val> = loads
        .iter()
        .map(|load| match load {
            None => sum,
            Some(Stream { column: 0, .. }) => body.push(Op::Spread(stream()), element, &[]),
            Some(_) if tail => body.push(Op::LoadTail(stream()), element, &[]),
            Some(_) => body.push(Op::Load(stream()), element, &[]),
        })
        .collect();
    let stores = stream();
    let mut values: Vec<Val> = Vec::with_capacity(block.insts.len());
    for inst in &block.insts {
        let operands: SmallVec<[Val; 3]> = inst.operands().iter().map(|x| values[x.index()]).collect();
        let value = match inst {
            Inst::Load(address) => loads[address.offset as usize],
            Inst::Store(address, _) => {
                let to = stores + address.offset;
                body.push(if tail { Op::StoreTail(to) } else { Op::Store(to) }, element, &operands)
            }
            _ => apply(&mut body, inst, &operands),
        };
        values.push(value);
    }
    Inset::new(body, MOST)
}

impl Beside {
    /// The way of the result itself.
    fn result(shape: &Shape) -> Beside {
        Beside { view: shape.to, outer: shape.outer.iter().map(|outer| outer.1[0]).collect() }
    }

    /// True where both are as far apart everywhere.
    fn goes_with(&self, other: &Beside) -> bool {
        let strides = |b: &Beside| (b.view.row, b.view.column);
        strides(self) == strides(other) && self.outer == other.outer
    }
}

/// How everything a nest reads and writes goes along with the result; none where the nest is not over all
/// of the result's elements.
fn aligned(nest: &Nest, sum: &Affine, streams: &[&Place], shape: &Shape) -> Option<Vec<Beside>> {
    let unit = shape.unit() as i64;
    let loops = nest.loops.iter().enumerate().filter(|(_, l)| l.extent > 1);
    let mut parts: Vec<Part> = loops
        .map(|(at, l)| Part {
            extent: l.extent as usize,
            sum: sum.strides[at] * unit,
            others: streams.iter().map(|place| place.at.strides[at] * unit).collect(),
        })
        .collect();
    let outer = shape.outer.iter().map(|&(extent, strides)| (extent, strides[0]));
    let sides = [(shape.rows, shape.to.row), (shape.columns, shape.to.column)];
    let sides: Vec<(usize, i64)> = outer.chain(sides).collect();
    // A loop may go along several sides, those of the lesser strides first.
    let mut order: Vec<usize> = (0..sides.len()).collect();
    order.sort_by_key(|&side| sides[side].1.abs());
    let mut strides = vec![Vec::new(); sides.len()];
    for side in order {
        strides[side] = along(sides[side], &mut parts, streams.len())?;
    }
    if !parts.is_empty() {
        return None;
    }
    let (column, row) = (sides.len() - 1, sides.len() - 2);
    let beside = |stream: usize| {
        // The stride of a single column is as good as any.
        let column = if shape.columns == 1 { unit } else { strides[column][stream] };
        let view = View { start: 0, row: strides[row][stream], column };
        Beside { view, outer: strides[..row].iter().map(|outer| outer[stream]).collect() }
    };
    Some((0..streams.len()).map(beside).collect())
}

/// The strides of all streams along a side of the result, whose loops are taken from the parts.
fn along((extent, stride): (usize, i64), parts: &mut Vec<Part>, streams: usize) -> Option<Vec<i64>> {
    let mut strides: Option<Vec<i64>> = None;
    let mut done = 1;
    while done < extent {
        let at = parts.iter().position(|part| part.sum == stride * done as i64)?;
        let part = &mut parts[at];
        let taken = part.extent.min(extent / done);
        if !part.extent.is_multiple_of(taken) || !extent.is_multiple_of(done * taken) {
            return None;
        }
        let strides = strides.get_or_insert_with(|| part.others.clone());
        if !strides.iter().zip(&part.others).all(|(inner, outer)| inner * done as i64 == *outer) {
            return None;
        }
        done *= taken;
        part.extent /= taken;
        part.sum *= taken as i64;
        part.others.iter_mut().for_each(|stride| *stride *= taken as i64);
        if part.extent == 1 {
            parts.remove(at);
        }
    }
    Some(strides.unwrap_or_else(|| vec![0; streams]))
}
