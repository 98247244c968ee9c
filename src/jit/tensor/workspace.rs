//! The memory a tensor kernel runs over.
//!
//! What must stay true: the arena is as long as the kernel's program says, starts on a cache line,
//! and never moves.

use crate::error::{Diagnostic, Error};
use crate::ir::Precision;
use crate::loops::tensor::{Buffer, TensorProgram};
use std::sync::Arc;

/// Bytes of a cache line.
const LINE: usize = 64;

/// Where everything is in an arena.
pub(super) struct Layout {
    pub precision: Precision,
    /// In elements.
    arena: usize,
    inputs: Vec<Buffer>,
    outputs: Vec<Buffer>,
}

impl Layout {
    pub fn of(program: &TensorProgram, precision: Precision) -> Layout {
        let of = |ids: &[crate::loops::tensor::BufferId]| {
            ids.iter().map(|id| program.buffers[id.index()]).collect()
        };
        Layout { precision, arena: program.arena, inputs: of(&program.inputs), outputs: of(&program.outputs) }
    }
}

/// Numbers that begin on a cache line.
struct Aligned<T> {
    all: Vec<T>,
    start: usize,
}

impl<T: Copy + Default> Aligned<T> {
    fn zeros(length: usize) -> Aligned<T> {
        let spare = LINE / size_of::<T>() - 1;
        let all = vec![T::default(); length + spare];
        // Where alignment cannot be told, which is nowhere but in interpreters of Rust, it is lost.
        let start = all.as_ptr().align_offset(LINE).min(spare);
        Aligned { all, start }
    }

    fn at(&self, Buffer { size, offset }: Buffer) -> &[T] {
        &self.all[self.start + offset..][..size]
    }

    fn at_mut(&mut self, Buffer { size, offset }: Buffer) -> &mut [T] {
        &mut self.all[self.start + offset..][..size]
    }

    #[inline]
    fn first(&mut self) -> *mut u8 {
        self.all.as_mut_ptr().wrapping_add(self.start).cast()
    }
}

enum Arena {
    F32(Aligned<f32>),
    F64(Aligned<f64>),
}

impl Arena {
    fn start(&self) -> usize {
        match self {
            Arena::F32(arena) => arena.start,
            Arena::F64(arena) => arena.start,
        }
    }

    #[inline]
    fn at(&self, place: usize) -> f64 {
        match self {
            Arena::F64(arena) => arena.all[place],
            Arena::F32(arena) => f64::from(arena.all[place]),
        }
    }
}

/// The storage of one kernel's runs: its inputs, outputs and everything between.
pub struct Workspace {
    arena: Arena,
    layout: Arc<Layout>,
    /// Where the first output is, if it is one number: an objective's value, read after every run.
    value: Option<usize>,
}

impl Workspace {
    /// All zero.
    pub(super) fn new(layout: Arc<Layout>) -> Workspace {
        let arena = match layout.precision {
            Precision::F32 => Arena::F32(Aligned::zeros(layout.arena)),
            Precision::F64 => Arena::F64(Aligned::zeros(layout.arena)),
        };
        let first = layout.outputs.first().filter(|output| output.size == 1);
        let value = first.map(|output| arena.start() + output.offset);
        Workspace { arena, layout, value }
    }

    #[inline]
    pub(super) fn is_of(&self, layout: &Arc<Layout>) -> bool {
        Arc::ptr_eq(&self.layout, layout)
    }

    /// Where the arena starts.
    #[inline]
    pub(super) fn start(&mut self) -> *mut u8 {
        match &mut self.arena {
            Arena::F32(arena) => arena.first(),
            Arena::F64(arena) => arena.first(),
        }
    }

    /// Sets an input, row-major; rounds to the kernel's precision.
    ///
    /// # Errors
    /// Where there is no such input, or it has another size.
    pub fn set(&mut self, input: usize, values: &[f64]) -> Result<(), Error> {
        let place = found(&self.layout.inputs, input, "input", values.len())?;
        match &mut self.arena {
            Arena::F64(arena) => arena.at_mut(place).copy_from_slice(values),
            Arena::F32(arena) => {
                arena.at_mut(place).iter_mut().zip(values).for_each(|(to, from)| *to = *from as f32);
            }
        }
        Ok(())
    }

    /// Sets an input that is one number; as [`set`](Workspace::set).
    ///
    /// # Errors
    /// Where there is no such input, or it is more than a number.
    pub fn set_number(&mut self, input: usize, value: f64) -> Result<(), Error> {
        let Buffer { offset, .. } = found(&self.layout.inputs, input, "input", 1)?;
        match &mut self.arena {
            Arena::F64(arena) => arena.all[arena.start + offset] = value,
            Arena::F32(arena) => arena.all[arena.start + offset] = value as f32,
        }
        Ok(())
    }

    /// Reads an output that is one number.
    ///
    /// # Errors
    /// Where there is no such output, or it is more than a number.
    #[inline]
    pub fn number(&self, output: usize) -> Result<f64, Error> {
        if let (0, Some(place)) = (output, self.value) {
            return Ok(self.arena.at(place));
        }
        let Buffer { offset, .. } = found(&self.layout.outputs, output, "output", 1)?;
        Ok(self.arena.at(self.arena.start() + offset))
    }

    /// Reads an output, row-major.
    ///
    /// # Errors
    /// Where there is no such output, or it has another size.
    pub fn get(&self, output: usize, values: &mut [f64]) -> Result<(), Error> {
        let place = found(&self.layout.outputs, output, "output", values.len())?;
        match &self.arena {
            Arena::F64(arena) => values.copy_from_slice(arena.at(place)),
            Arena::F32(arena) => {
                values.iter_mut().zip(arena.at(place)).for_each(|(to, from)| *to = f64::from(*from));
            }
        }
        Ok(())
    }

    /// An input's memory; `None` where there is no such input or the precision is another.
    pub fn input_f64(&mut self, input: usize) -> Option<&mut [f64]> {
        let place = self.layout.inputs.get(input).copied()?;
        match &mut self.arena {
            Arena::F64(arena) => Some(arena.at_mut(place)),
            Arena::F32(_) => None,
        }
    }

    /// The same in single precision.
    pub fn input_f32(&mut self, input: usize) -> Option<&mut [f32]> {
        let place = self.layout.inputs.get(input).copied()?;
        match &mut self.arena {
            Arena::F32(arena) => Some(arena.at_mut(place)),
            Arena::F64(_) => None,
        }
    }

    /// An output's memory; `None` where there is no such output or the precision is another.
    pub fn output_f64(&self, output: usize) -> Option<&[f64]> {
        let place = self.layout.outputs.get(output).copied()?;
        match &self.arena {
            Arena::F64(arena) => Some(arena.at(place)),
            Arena::F32(_) => None,
        }
    }

    /// The same in single precision.
    pub fn output_f32(&self, output: usize) -> Option<&[f32]> {
        let place = self.layout.outputs.get(output).copied()?;
        match &self.arena {
            Arena::F32(arena) => Some(arena.at(place)),
            Arena::F64(_) => None,
        }
    }
}

#[inline]
fn found(places: &[Buffer], at: usize, what: &str, length: usize) -> Result<Buffer, Error> {
    match places.get(at) {
        Some(place) if place.size == length => Ok(*place),
        place => Err(missing(place, at, what, length)),
    }
}

#[cold]
fn missing(place: Option<&Buffer>, at: usize, what: &str, length: usize) -> Error {
    Error::input(Diagnostic::error(match place {
        Some(place) => format!("{what} {at} of the kernel has {} numbers, not {length}", place.size),
        None => format!("the kernel has no {what} {at}"),
    }))
}
