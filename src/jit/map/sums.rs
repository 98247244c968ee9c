//! Sums over rows, in an order that does not depend on how they are computed.
//!
//! Rows are cut into chunks. Within a chunk row i is added to partial sum i modulo [`SUM_LANES`];
//! the partial sums are added by halves, and the chunks' sums one after another, in double precision.
//!
//! What must stay true: the order is that of this file on every level, with any number of threads.

use super::share::share;
use super::{Engine, MapKernel};
use crate::error::Error;
use crate::jit::wide::{Element, Pieces, SUM_LANES};
use smallvec::SmallVec;

/// Rows of a chunk: a multiple of [`SUM_LANES`], and worth a thread.
const CHUNK: usize = 1 << 14;

/// Rows computed before they are added, where the loop does not add them itself: a multiple of
/// [`SUM_LANES`] whose columns fit the first cache.
const BLOCK: usize = 256;

const _: () = assert!(CHUNK.is_multiple_of(BLOCK) && BLOCK.is_multiple_of(SUM_LANES));

impl MapKernel {
    /// As [`run`](MapKernel::run), of columns that were measured: one sum an output.
    pub(super) fn sum<T: Element>(
        &self,
        rows: usize,
        inputs: &[&[T]],
        outputs: &mut [&mut [T]],
    ) -> Result<(), Error> {
        let threads = self.threads(rows, CHUNK);
        if let Engine::Wide { kernel, adds: true } = &self.engine {
            let pieces = Pieces { size: CHUNK, threads, non_temporal: false };
            let length = rows.div_ceil(CHUNK).max(1) * SUM_LANES;
            let mut partial = vec![T::default(); outputs.len() * length];
            let mut lanes: SmallVec<[&mut [T]; 8]> = partial.chunks_exact_mut(length).collect();
            kernel.run_pieces(&pieces, rows, inputs, &mut lanes)?;
            for (output, lanes) in outputs.iter_mut().zip(lanes) {
                output[0] = altogether(lanes.chunks_exact_mut(SUM_LANES).map(added));
            }
            return Ok(());
        }
        let width = outputs.len();
        let mut sums = vec![T::default(); rows.div_ceil(CHUNK) * width];
        let chunks = sums.chunks_exact_mut(width.max(1)).enumerate();
        share(threads, chunks, |(at, sums)| self.chunk(at * CHUNK, rows, inputs, sums))?;
        for (k, output) in outputs.iter_mut().enumerate() {
            output[0] = altogether(sums.iter().skip(k).step_by(width).copied());
        }
        Ok(())
    }

    /// The sums of the chunk of rows that begins at `start`.
    fn chunk<T: Element>(
        &self,
        start: usize,
        rows: usize,
        inputs: &[&[T]],
        sums: &mut [T],
    ) -> Result<(), Error> {
        let size = CHUNK.min(rows - start);
        let mut partial = vec![T::default(); sums.len() * SUM_LANES];
        let mut lanes: SmallVec<[&mut [T]; 8]> = partial.chunks_exact_mut(SUM_LANES).collect();
        self.add_blocks(start, size, inputs, &mut lanes)?;
        sums.iter_mut().zip(lanes).for_each(|(sum, lanes)| *sum = added(lanes));
        Ok(())
    }

    /// Computes columns of few rows at a time, and adds them to the partial sums.
    fn add_blocks<T: Element>(
        &self,
        start: usize,
        size: usize,
        inputs: &[&[T]],
        lanes: &mut [&mut [T]],
    ) -> Result<(), Error> {
        let mut memory = vec![T::default(); lanes.len() * BLOCK];
        for at in (0..size).step_by(BLOCK) {
            let size = BLOCK.min(size - at);
            let mut columns: SmallVec<[&mut [T]; 8]> =
                memory.chunks_exact_mut(BLOCK).map(|column| &mut column[..size]).collect();
            self.piece(size, &self.rows(inputs, start + at, size), &mut columns)?;
            lanes.iter_mut().zip(columns).for_each(|(lanes, column)| add(lanes, column));
        }
        Ok(())
    }
}

/// The sum of a column, in the order of [`Results::Sums`](super::Results::Sums).
///
/// ```
/// assert_eq!(symdiff::column_sum(&[0.5; 100_000]), 50_000.0);
/// assert_eq!(symdiff::column_sum::<f32>(&[]), 0.0);
/// ```
pub fn column_sum<T: Element>(column: &[T]) -> T {
    let chunks = column.chunks(CHUNK).map(|chunk| {
        let mut lanes = [T::default(); SUM_LANES];
        add(&mut lanes, chunk);
        added(&mut lanes)
    });
    altogether(chunks)
}

/// Adds numbers to the partial sums, number i to partial sum i modulo [`SUM_LANES`].
fn add<T: Element>(lanes: &mut [T], column: &[T]) {
    for group in column.chunks(SUM_LANES) {
        lanes.iter_mut().zip(group).for_each(|(lane, x)| *lane = lane.plus(*x));
    }
}

/// The chunks' sums, added in double precision.
fn altogether<T: Element>(chunks: impl Iterator<Item = T>) -> T {
    T::from_f64(chunks.fold(0.0, |sum, chunk| sum + chunk.to_f64()))
}

/// The partial sums' sum: the upper half added to the lower, until one is left.
fn added<T: Element>(lanes: &mut [T]) -> T {
    let mut half = lanes.len() / 2;
    while half > 0 {
        let (lower, upper) = lanes.split_at_mut(half);
        lower.iter_mut().zip(upper).for_each(|(a, b)| *a = a.plus(*b));
        half /= 2;
    }
    lanes[0]
}

/// True where a loop over so many streams can add by itself: each has a register that points at it.
pub(super) fn adds(streams: usize) -> bool {
    streams <= 8
}
