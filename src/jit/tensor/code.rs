//! The steps of a program as functions: nests in a row become one, products stay the library's.
//!
//! What must stay true: the order of steps; a function takes the arena and nothing else.

use super::nest::{Emitter, code_size};
use crate::ir::Precision;
use crate::jit::isa::Host;
use crate::loops::tensor::{Nest, Product, Step, TensorProgram};
use cranelift_codegen::ir::{AbiParam, Function, InstBuilder, Signature, types};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};

/// Instructions of one function, or so: register allocation is superlinear.
const FUNCTION: u32 = 1500;

/// A stretch of a program.
pub(super) enum Stretch<'p> {
    Nests(Vec<&'p Nest>),
    Product(&'p Product),
}

/// The program in stretches.
pub(super) fn stretches<'p>(program: &'p TensorProgram, host: &Host) -> Vec<Stretch<'p>> {
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut size = 0;
    for step in &program.steps {
        match (step, stretches.last_mut()) {
            (Step::Product(product), _) => stretches.push(Stretch::Product(product)),
            (Step::Nest(nest), Some(Stretch::Nests(nests))) if size + code_size(nest, host) <= FUNCTION => {
                size += code_size(nest, host);
                nests.push(nest);
            }
            (Step::Nest(nest), _) => {
                size = code_size(nest, host);
                stretches.push(Stretch::Nests(vec![nest]));
            }
        }
    }
    stretches
}

/// The signature of every function: the arena.
pub(super) fn signature(host: &Host) -> Signature {
    let mut signature = Signature::new(host.call_conv());
    signature.params = vec![AbiParam::new(types::I64)];
    signature
}

/// Writes the function of some nests.
pub(super) fn write(
    function: &mut Function,
    context: &mut FunctionBuilderContext,
    host: &Host,
    program: &TensorProgram,
    precision: Precision,
    nests: &[&Nest],
) {
    function.signature = signature(host);
    let mut builder = FunctionBuilder::new(function, context);
    let block = builder.create_block();
    builder.append_block_params_for_function_params(block);
    builder.switch_to_block(block);
    let arena = builder.block_params(block)[0];
    let (float, vector) = match precision {
        Precision::F32 => (types::F32, types::F32X4),
        Precision::F64 => (types::F64, types::F64X2),
    };
    let mut emitter = Emitter { builder, host, program, float, vector, arena };
    nests.iter().for_each(|nest| emitter.nest(nest));
    let mut builder = emitter.builder;
    builder.ins().return_(&[]);
    builder.seal_all_blocks();
    builder.finalize(host.isa.frontend_config());
}
