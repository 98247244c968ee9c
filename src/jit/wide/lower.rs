//! A block of the loop IR to a [`Body`]: elementary functions become primitive operations.
//!
//! What must stay true: loads and stores keep their offsets as the numbers of streams, inputs first;
//! single precision computes what the tensor interpreter does, ops that are not native in double and
//! rounded.

use super::body::{Body, Op, Val, Width};
use super::level::Level;
use super::lockstep::{self, Each, Lockstep};
use crate::elementary::Machine;
use crate::ir::{Elementwise, Single};
use crate::jit::machine::selected;
use crate::loops::{Block, Buffer, Inst, Kind};
use smallvec::SmallVec;

/// What the elements of an input are in a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// One for each time round.
    Column,
    /// The same each time.
    Uniform,
}

/// The body of a block whose loads are `inputs`, by offset, and whose stores are the streams after.
///
/// `None` for blocks that use scratch.
pub fn lower(block: &Block, inputs: &[Stream], level: Level, element: Width) -> Option<Body> {
    let mut body = Body::new(level, element);
    let mut values: Vec<Val> = Vec::with_capacity(block.insts.len());
    for inst in &block.insts {
        let operands: SmallVec<[Val; 3]> = inst.operands().iter().map(|x| values[x.index()]).collect();
        let value = match inst {
            Inst::Constant(bits) => body.machine(element).f(f64::from_bits(*bits)),
            Inst::Load(address) if address.buffer == Buffer::Inputs => {
                let op = match inputs.get(address.offset as usize)? {
                    Stream::Column => Op::Load(address.offset),
                    Stream::Uniform => Op::Uniform(address.offset),
                };
                body.push(op, element, &[])
            }
            Inst::Store(address, _) if address.buffer == Buffer::Outputs => {
                let stream = inputs.len() as u32 + address.offset;
                body.push(Op::Store(stream), element, &operands)
            }
            Inst::Load(_) | Inst::Store(..) => return None,
            Inst::Elementwise(..) | Inst::Selection(..) => apply(&mut body, inst, &operands),
        };
        debug_assert!(inst.kind() != Kind::Truth || body.insts[value.index()].op.is_mask());
        values.push(value);
    }
    Some(body)
}

/// The value of an instruction that neither loads nor stores.
pub fn apply(body: &mut Body, inst: &Inst, operands: &[Val]) -> Val {
    let element = body.element;
    match inst {
        Inst::Elementwise(op, _) => elementwise(body, *op, operands),
        Inst::Selection(op, _) => selected(&mut body.machine(element), *op, operands),
        Inst::Constant(bits) => body.machine(element).f(f64::from_bits(*bits)),
        Inst::Load(_) | Inst::Store(..) => unreachable!("loads and stores are the caller's"),
    }
}

/// The values of such an instruction for several vectors, by each one's operands.
pub(in crate::jit) fn apply_each(
    body: &mut Body,
    inst: &Inst,
    operands: &[SmallVec<[Val; 3]>],
) -> SmallVec<[Val; 4]> {
    let element = body.element;
    let Inst::Elementwise(op, _) = *inst else {
        return operands.iter().map(|operands| apply(body, inst, operands)).collect();
    };
    if element == Width::Double || op.single() == Single::Native {
        return several(body, element, op, operands);
    }
    let halves: Vec<_> = operands.iter().flat_map(|operands| halves(body, operands)).collect();
    let values = several(body, Width::Double, op, &halves);
    values.chunks_exact(2).map(|halves| joined(body, [halves[0], halves[1]])).collect()
}

/// The values of a function, as many vectors at once as there may be.
fn several(
    body: &mut Body,
    width: Width,
    op: Elementwise,
    operands: &[SmallVec<[Val; 3]>],
) -> SmallVec<[Val; 4]> {
    let mut values = SmallVec::new();
    for operands in operands.chunks(lockstep::MOST) {
        let arity = operands[0].len();
        let each: SmallVec<[Each; 3]> =
            (0..arity).map(|k| lockstep::each(operands.iter().map(|operands| operands[k]))).collect();
        let mut machine = Lockstep { lanes: body.machine(width), vectors: operands.len() };
        let results = op.value(&mut machine, &each);
        values.extend_from_slice(&results[..operands.len()]);
    }
    values
}

fn elementwise(body: &mut Body, op: Elementwise, operands: &[Val]) -> Val {
    if body.element == Width::Double || op.single() == Single::Native {
        let element = body.element;
        return op.value(&mut body.machine(element), operands);
    }
    let values = halves(body, operands).map(|operands| op.value(&mut body.machine(Width::Double), &operands));
    joined(body, values)
}

/// The lower and the upper halves of singles as doubles.
fn halves(body: &mut Body, operands: &[Val]) -> [SmallVec<[Val; 3]>; 2] {
    let lower = operands.iter().map(|&x| widened(body, x)).collect();
    let upper = operands.iter().map(|&x| {
        let half = body.push(Op::Upper, Width::Single, &[x]);
        widened(body, half)
    });
    [lower, upper.collect()]
}

/// Doubles as the halves of singles.
fn joined(body: &mut Body, halves: [Val; 2]) -> Val {
    let halves = halves.map(|y| body.push(Op::Narrow, Width::Double, &[y]));
    body.push(Op::Join, Width::Single, &halves)
}

fn widened(body: &mut Body, x: Val) -> Val {
    match body.insts[x.index()].op {
        Op::Constant(bits) => body.machine(Width::Double).f(f64::from(f32::from_bits(bits as u32))),
        _ => body.push(Op::Widen, Width::Double, &[x]),
    }
}
