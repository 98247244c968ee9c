//! The elementary functions' op trait on CLIF of any float type: scalars and 128-bit vectors.
//!
//! What must stay true: each operation is that of the machine, lane by lane, never contracted or
//! reordered. Rare calls are not made here: their condition is kept for the caller.

use crate::elementary::{Foreign, Format, Machine};
use crate::jit::machine::instructions_of_all_types;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::immediates::{Ieee32, Ieee64};
use cranelift_codegen::ir::{Endianness, InstBuilder, MemFlagsData, Type, Value, types};
use cranelift_frontend::{FuncInstBuilder, FunctionBuilder};

/// CLIF of one float type, appended at a builder's cursor. Masks are integer vectors of all ones
/// or zeros; those of scalars are i8 truth values.
pub(super) struct Lanes<'a, 'f> {
    pub builder: &'a mut FunctionBuilder<'f>,
    /// F32, F64 or a vector of them.
    pub float: Type,
    /// Where the value so far is not to be used.
    pub rare: Option<Value>,
}

/// The integers of a float type's size.
pub(super) fn integer(float: Type) -> Type {
    match float {
        types::F32 => types::I32,
        types::F64 => types::I64,
        types::F32X4 => types::I32X4,
        _ => types::I64X2,
    }
}

/// Bits of another type; lanes are where they are in memory.
pub(super) fn recast(builder: &mut FunctionBuilder<'_>, to: Type, x: Value) -> Value {
    let from = builder.func.dfg.value_type(x);
    if from == to {
        return x;
    }
    let flags = match to.is_vector() {
        true => MemFlagsData::new().with_endianness(Endianness::Little),
        false => MemFlagsData::new(),
    };
    builder.ins().bitcast(to, flags, x)
}

/// A float constant, in all lanes.
pub(super) fn float_constant(builder: &mut FunctionBuilder<'_>, float: Type, x: f64) -> Value {
    let scalar = match float.lane_type() {
        types::F32 => builder.ins().f32const(Ieee32::with_bits((x as f32).to_bits())),
        _ => builder.ins().f64const(Ieee64::with_bits(x.to_bits())),
    };
    if float.is_vector() { builder.ins().splat(float, scalar) } else { scalar }
}

impl<'a, 'f> Lanes<'a, 'f> {
    pub fn new(builder: &'a mut FunctionBuilder<'f>, float: Type) -> Self {
        Lanes { builder, float, rare: None }
    }

    fn is_vector(&self) -> bool {
        self.float.is_vector()
    }
}

fn ins<'b, 'f>(machine: &'b mut Lanes<'_, 'f>) -> FuncInstBuilder<'b, 'f> {
    machine.builder.ins()
}

/// Shifts, whose count is a constant.
macro_rules! shifts {
    ($($name:ident = $inst:ident;)*) => {
        $(fn $name(&mut self, a: Value, n: u32) -> Value {
            let n = self.builder.ins().iconst(types::I32, i64::from(n));
            self.builder.ins().$inst(a, n)
        })*
    };
}

#[rustfmt::skip]
impl Machine for Lanes<'_, '_> {
    type F = Value;
    type I = Value;
    type B = Value;

    instructions_of_all_types! { ins }

    shifts! {
        shl             = ishl;
        shr_unsigned    = ushr;
        shr_signed      = sshr;
    }

    fn format(&self) -> Format {
        if self.float.lane_type() == types::F32 { Format::Single } else { Format::Double }
    }

    fn f(&mut self, x: f64) -> Value {
        float_constant(self.builder, self.float, x)
    }

    fn i(&mut self, x: i64) -> Value {
        let integer = integer(self.float);
        let scalar = self.builder.ins().iconst(integer.lane_type(), x);
        if self.is_vector() { self.builder.ins().splat(integer, scalar) } else { scalar }
    }

    fn copysign(&mut self, a: Value, sign: Value) -> Value {
        if !self.is_vector() {
            return self.builder.ins().fcopysign(a, sign);
        }
        let bit = self.f(-0.0);
        let bit = self.builder.ins().band(sign, bit);
        let magnitude = self.builder.ins().fabs(a);
        self.builder.ins().bor(magnitude, bit)
    }

    fn not(&mut self, a: Value) -> Value {
        match self.is_vector() {
            true => self.builder.ins().bnot(a),
            false => self.builder.ins().bxor_imm_u(a, 1),
        }
    }

    fn select(&mut self, mask: Value, a: Value, b: Value) -> Value {
        if !self.is_vector() {
            return self.builder.ins().select(mask, a, b);
        }
        let mask = recast(self.builder, self.float, mask);
        self.builder.ins().bitselect(mask, a, b)
    }

    fn select_i(&mut self, mask: Value, a: Value, b: Value) -> Value {
        match self.is_vector() {
            true => self.builder.ins().bitselect(mask, a, b),
            false => self.builder.ins().select(mask, a, b),
        }
    }

    fn to_bits(&mut self, a: Value) -> Value {
        recast(self.builder, integer(self.float), a)
    }

    fn from_bits(&mut self, a: Value) -> Value {
        recast(self.builder, self.float, a)
    }

    fn call(&mut self, f: Foreign, _: &[Value]) -> Value {
        debug_assert!(false, "{} is called out of line", f.name());
        self.f(f64::NAN)
    }

    fn rare(&mut self, when: Value, _: Foreign, _: &[Value], otherwise: Value) -> Value {
        self.rare = Some(match self.rare {
            Some(before) => self.builder.ins().bor(before, when),
            None => when,
        });
        otherwise
    }
}
