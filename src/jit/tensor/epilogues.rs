//! Which nests are epilogues of products: nests over a product's elements that may come right after it.
//!
//! What must stay true: a nest moves up only past steps that neither write what it reads nor touch what it
//! writes, in memory, where buffers may overlap; and it writes nothing that the product reads.

use crate::jit::product::Generated;
use crate::loops::tensor::{Buffer, BufferId, Nest, Product, Step, TensorProgram};

/// Steps that a nest moves past at most.
const FAR: usize = 64;

/// The nest among the steps after a product that can be its epilogue, its place, and the code with it.
/// `taken` are nests that are epilogues already.
pub(super) fn epilogue<'p>(
    program: &TensorProgram,
    (steps, at): (&'p [Step], usize),
    code: &Generated,
    taken: &[bool],
) -> Option<(usize, &'p Nest, Generated)> {
    let Step::Product(product) = &steps[at] else { return None };
    let mut between: Vec<&Step> = Vec::new();
    for (place, step) in steps.iter().enumerate().skip(at + 1).take(FAR) {
        match step {
            Step::Nest(_) if taken[place] => continue,
            Step::Nest(nest) if nest.reads().any(|buffer| buffer == product.to.buffer) => {
                let keeps = is_read_elsewhere(program, product.to.buffer, nest);
                if may_move(&program.buffers, product, &between, nest)
                    && let Some(code) = code.followed_by(nest, product, &program.buffers, keeps)
                {
                    return Some((place, nest, code));
                }
            }
            Step::Nest(_) | Step::Product(_) => {}
            Step::Repeated(_) | Step::Rounds(_) => return None,
        }
        between.push(step);
    }
    None
}

/// True where anything but the nest may want what is in a buffer.
fn is_read_elsewhere(program: &TensorProgram, buffer: BufferId, nest: &Nest) -> bool {
    let reads = |step: &Step| match step {
        Step::Nest(other) => !std::ptr::eq(other, nest) && other.reads().any(|b| b == buffer),
        _ => step.reads().contains(&buffer),
    };
    let reads = |step: &Step| match step {
        Step::Rounds(run) => run.steps.iter().any(reads),
        _ => reads(step),
    };
    program.inputs.contains(&buffer) || program.outputs.contains(&buffer) || program.steps.iter().any(reads)
}

/// True where the nest may come right after the product, and before what is between.
fn may_move(buffers: &[Buffer], product: &Product, between: &[&Step], nest: &Nest) -> bool {
    let overlap = |a: BufferId, b: BufferId| {
        let (a, b) = (buffers[a.index()], buffers[b.index()]);
        a.offset < b.offset + b.size && b.offset < a.offset + a.size
    };
    let writes = |buffer: BufferId| nest.writes().any(|own| overlap(own, buffer));
    let reads = |buffer: BufferId| nest.reads().any(|own| overlap(own, buffer));
    // Of what is in the result's place it reads the result only.
    let is_result = |buffer: BufferId| buffer == product.to.buffer || !overlap(buffer, product.to.buffer);
    !writes(product.left.buffer)
        && !writes(product.right.buffer)
        && nest.reads().all(is_result)
        && between.iter().all(|step| {
            step.reads().into_iter().all(|buffer| !writes(buffer))
                && step.writes().into_iter().all(|buffer| !writes(buffer) && !reads(buffer))
        })
}
