//! Elementwise and selection ops on scalars and vectors of either precision.
//!
//! What must stay true: short functions are written in line; longer ones are called for scalars
//! and written in line on vectors. Single precision is widened where the op says so. A function that
//! calls out is called lane by lane; one that calls out rarely, where a lane needs it.

use super::lanes::{Lanes, recast};
use crate::elementary::Format;
use crate::ir::{Elementwise, Selection, Single};
use crate::jit::cost::{is_inline, straight_length};
use crate::jit::isa::Host;
use crate::jit::library;
use crate::jit::machine::selected;
use cranelift_codegen::ir::{AbiParam, BlockArg, ConstantData, InstBuilder, Signature, Type, Value, types};
use cranelift_frontend::FunctionBuilder;
use smallvec::SmallVec;

/// Longest straight line that is written out on vectors.
const VECTOR: u32 = 600;

/// The op applied to operands of one type.
pub(super) fn elementwise(
    builder: &mut FunctionBuilder<'_>,
    host: &Host,
    op: Elementwise,
    float: Type,
    operands: &[Value],
) -> Value {
    let format = lane_format(float);
    if format == Format::Single && op.single() == Single::Widened {
        return widened(builder, host, op, float, operands);
    }
    match float.is_vector() {
        true => vector(builder, host, op, float, operands),
        false if is_inline(op, host, format) => op.value(&mut Lanes::new(builder, float), operands),
        false => call(builder, host, op, float, operands),
    }
}

/// How many instructions an op takes on a vector of doubles, or in a call.
pub(super) fn length(op: Elementwise, host: &Host) -> u32 {
    straight_length(op, host, Format::Double).min(VECTOR)
}

fn lane_format(float: Type) -> Format {
    if float.lane_type() == types::F32 { Format::Single } else { Format::Double }
}

/// An op on singles that is computed on doubles.
fn widened(
    builder: &mut FunctionBuilder<'_>,
    host: &Host,
    op: Elementwise,
    float: Type,
    operands: &[Value],
) -> Value {
    if !float.is_vector() {
        let wide: SmallVec<[Value; 3]> =
            operands.iter().map(|&x| builder.ins().fpromote(types::F64, x)).collect();
        let y = elementwise(builder, host, op, types::F64, &wide);
        return builder.ins().fdemote(types::F32, y);
    }
    let low: SmallVec<[Value; 3]> = operands.iter().map(|&x| low_half(builder, x)).collect();
    let high: SmallVec<[Value; 3]> = operands.iter().map(|&x| high_half(builder, x)).collect();
    let low = elementwise(builder, host, op, types::F64X2, &low);
    let high = elementwise(builder, host, op, types::F64X2, &high);
    halves(builder, low, high)
}

/// An op on a vector.
fn vector(
    builder: &mut FunctionBuilder<'_>,
    host: &Host,
    op: Elementwise,
    float: Type,
    operands: &[Value],
) -> Value {
    if straight_length(op, host, lane_format(float)) > VECTOR {
        return lane_by_lane(builder, host, op, float, operands);
    }
    let mut lanes = Lanes::new(builder, float);
    let y = op.value(&mut lanes, operands);
    let Some(rare) = lanes.rare else { return y };
    let any = builder.ins().vany_true(rare);
    let [slow, done] = [(); 2].map(|()| builder.create_block());
    let result = builder.append_block_param(done, float);
    builder.ins().brif(any, slow, &[], done, &[BlockArg::Value(y)]);
    builder.set_cold_block(slow);
    builder.switch_to_block(slow);
    let called = lane_by_lane(builder, host, op, float, operands);
    builder.ins().jump(done, &[BlockArg::Value(called)]);
    builder.switch_to_block(done);
    result
}

fn lane_by_lane(
    builder: &mut FunctionBuilder<'_>,
    host: &Host,
    op: Elementwise,
    float: Type,
    operands: &[Value],
) -> Value {
    let lane = |builder: &mut FunctionBuilder<'_>, at: u8| {
        let lanes: SmallVec<[Value; 3]> =
            operands.iter().map(|&x| builder.ins().extractlane(x, at)).collect();
        call(builder, host, op, float.lane_type(), &lanes)
    };
    let first = lane(builder, 0);
    let all = builder.ins().splat(float, first);
    (1..float.lane_count() as u8).fold(all, |all, at| {
        let value = lane(builder, at);
        builder.ins().insertlane(all, value, at)
    })
}

/// A call of the library's function, by its address.
fn call(
    builder: &mut FunctionBuilder<'_>,
    host: &Host,
    op: Elementwise,
    float: Type,
    operands: &[Value],
) -> Value {
    let mut signature = Signature::new(host.call_conv());
    signature.params = vec![AbiParam::new(float); op.arity()];
    signature.returns = vec![AbiParam::new(float)];
    let signature = builder.import_signature(signature);
    let address = library::function(op, lane_format(float), host.fma);
    let callee = builder.ins().iconst(types::I64, address as i64);
    let call = builder.ins().call_indirect(signature, callee, operands);
    builder.inst_results(call)[0]
}

/// A comparison, logic or selection on values of one type and their masks.
pub(super) fn selection(
    builder: &mut FunctionBuilder<'_>,
    op: Selection,
    float: Type,
    operands: &[Value],
) -> Value {
    selected(&mut Lanes::new(builder, float), op, operands)
}

fn low_half(builder: &mut FunctionBuilder<'_>, x: Value) -> Value {
    builder.ins().fvpromote_low(x)
}

fn high_half(builder: &mut FunctionBuilder<'_>, x: Value) -> Value {
    let high =
        shuffled(builder, types::F32X4, x, x, [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]);
    builder.ins().fvpromote_low(high)
}

fn halves(builder: &mut FunctionBuilder<'_>, low: Value, high: Value) -> Value {
    let (low, high) = (builder.ins().fvdemote(low), builder.ins().fvdemote(high));
    shuffled(builder, types::F32X4, low, high, [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23])
}

/// The bytes of `a` and `b` that the numbers name, 0 to 31.
pub(super) fn shuffled(
    builder: &mut FunctionBuilder<'_>,
    to: Type,
    a: Value,
    b: Value,
    bytes: [u8; 16],
) -> Value {
    let (a, b) = (recast(builder, types::I8X16, a), recast(builder, types::I8X16, b));
    let mask = builder.func.dfg.immediates.push(ConstantData::from(&bytes[..]));
    let mixed = builder.ins().shuffle(a, b, mask);
    recast(builder, to, mixed)
}
