//! Long nests in chunks of their outermost loop, for threads.
//!
//! What must stay true: chunks write apart from each other, so their order does not matter; the
//! iterations are those of the nest, and a reduction stays within one of them.

use super::affine::Affine;
use super::program::{Nest, Write};

/// Work, in points times instructions, below which threads cost more than they gain.
const WORK: u64 = 1 << 19;

/// How many chunks are aimed at. A number of the program's, not of the machine's.
const CHUNKS: u32 = 16;

/// Chunks of long loops begin at multiples of this: whole vectors, several at once.
const STEP: u32 = 64;

/// A nest whose outermost loop counts chunks, and the iterations that make no whole chunk.
pub struct Chunked {
    pub nest: Nest,
    pub rest: Option<Nest>,
}

/// The nest in chunks, if it is worth it; `length` is that of its body, in instructions or so.
pub fn chunked(nest: &Nest, length: u32) -> Option<Chunked> {
    let first = nest.loops.first().filter(|l| !l.reduced)?;
    let points: u64 = nest.loops.iter().map(|l| u64::from(l.extent)).product();
    if points.saturating_mul(u64::from(length)) < WORK || first.extent < 2 {
        return None;
    }
    let size = match first.extent.div_ceil(CHUNKS) {
        size if first.extent >= CHUNKS * STEP => size.next_multiple_of(STEP),
        size => size,
    };
    let count = first.extent / size;
    let mut nest = nest.clone();
    let rest = (!first.extent.is_multiple_of(size)).then(|| {
        let mut rest = nest.clone();
        rest.loops[0].extent = first.extent - count * size;
        let start = i64::from(count * size);
        rest.forms_mut().into_iter().for_each(|form| form.offset += start * form.strides[0]);
        rest
    });
    nest.split_outermost(count, size);
    (count > 1 && writes_apart(&nest)).then_some(Chunked { nest, rest })
}

/// True when no two rounds of the outermost loop write to one place.
fn writes_apart(nest: &Nest) -> bool {
    nest.stores.iter().all(|store| {
        let Affine { strides, .. } = &store.to.at;
        let inside = strides.iter().zip(&nest.loops).skip(1);
        let spread: i128 =
            inside.map(|(stride, l)| i128::from(stride.abs()) * i128::from(l.extent.saturating_sub(1))).sum();
        let scattered = matches!(store.write, Write::Scatter(_));
        !scattered && spread < i128::from(strides[0].abs())
    })
}
