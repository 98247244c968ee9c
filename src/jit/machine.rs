//! The elementary functions' op trait on CLIF: each operation appends one instruction.
//!
//! What must stay true: the instructions are IEEE 754 operations, never contracted or reordered,
//! so they give the plain machine's bits. Calls are not emitted here: `cost` keeps functions
//! that make them out of line.

use crate::elementary::{Foreign, Format, Machine};
use crate::ir::Selection;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::immediates::Ieee64;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value, types};
use cranelift_frontend::{FuncInstBuilder, FunctionBuilder};

/// Scalar CLIF, appended at a builder's cursor. Masks are i8 truth values.
pub(super) struct Clif<'a, 'f>(pub &'a mut FunctionBuilder<'f>);

/// Methods that are one instruction each, one row each; `$ins` appends it.
macro_rules! instructions {
    ($ins:ident: $($name:ident($($arg:ident),*) = $inst:ident $(($($before:expr),*))? ;)*) => {
        $(fn $name(&mut self, $($arg: Value),*) -> Value {
            $ins(self).$inst($($($before,)*)? $($arg),*)
        })*
    };
}
pub(in crate::jit) use instructions;

/// What is one instruction on CLIF of every float type, scalar or vector.
#[rustfmt::skip]
macro_rules! instructions_of_all_types {
    ($ins:ident) => {
        $crate::jit::machine::instructions! { $ins:
            add(a, b)                = fadd;
            sub(a, b)                = fsub;
            mul(a, b)                = fmul;
            div(a, b)                = fdiv;
            sqrt(a)                  = sqrt;
            neg(a)                   = fneg;
            abs(a)                   = fabs;
            fma(a, b, c)             = fma;
            floor(a)                 = floor;
            ceil(a)                  = ceil;
            trunc(a)                 = trunc;
            lt(a, b)                 = fcmp(FloatCC::LessThan);
            le(a, b)                 = fcmp(FloatCC::LessThanOrEqual);
            eq(a, b)                 = fcmp(FloatCC::Equal);
            ne(a, b)                 = fcmp(FloatCC::NotEqual);
            and(a, b)                = band;
            or(a, b)                 = bor;
            iadd(a, b)               = iadd;
            isub(a, b)               = isub;
            iand(a, b)               = band;
            ior(a, b)                = bor;
            ixor(a, b)               = bxor;
            ieq(a, b)                = icmp(IntCC::Equal);
        }
    };
}
pub(in crate::jit) use instructions_of_all_types;

/// Shifts, whose count is a constant.
macro_rules! shifts {
    ($($name:ident = $inst:ident;)*) => {
        $(fn $name(&mut self, a: Value, n: u32) -> Value {
            self.0.ins().$inst(a, i64::from(n))
        })*
    };
}

fn ins<'b, 'f>(machine: &'b mut Clif<'_, 'f>) -> FuncInstBuilder<'b, 'f> {
    machine.0.ins()
}

#[rustfmt::skip]
impl Machine for Clif<'_, '_> {
    type F = Value;
    type I = Value;
    type B = Value;

    instructions_of_all_types! { ins }

    instructions! { ins:
        copysign(a, sign)        = fcopysign;
        select(mask, a, b)       = select;
        select_i(mask, a, b)     = select;
        to_bits(a)               = bitcast(types::I64, MemFlagsData::new());
        from_bits(a)             = bitcast(types::F64, MemFlagsData::new());
    }

    shifts! {
        shl                      = ishl_imm_u;
        shr_unsigned             = ushr_imm_u;
        shr_signed               = sshr_imm_u;
    }

    fn format(&self) -> Format {
        Format::Double
    }

    fn f(&mut self, x: f64) -> Value {
        self.0.ins().f64const(Ieee64::with_bits(x.to_bits()))
    }

    fn i(&mut self, x: i64) -> Value {
        self.0.ins().iconst(types::I64, x)
    }

    fn not(&mut self, a: Value) -> Value {
        self.0.ins().bxor_imm_u(a, 1)
    }

    fn call(&mut self, f: Foreign, _: &[Value]) -> Value {
        debug_assert!(false, "{} is called out of line", f.name());
        self.f(f64::NAN)
    }

    fn rare(&mut self, _: Value, f: Foreign, args: &[Value], _: Value) -> Value {
        self.call(f, args)
    }
}

/// A comparison, logic or a choice on a machine whose masks are values like others.
pub(super) fn selected<V: Copy, M: Machine<F = V, B = V>>(
    machine: &mut M,
    op: Selection,
    operands: &[V],
) -> V {
    match (op, operands) {
        (Selection::Less, &[a, b]) => machine.lt(a, b),
        (Selection::LessEqual, &[a, b]) => machine.le(a, b),
        (Selection::Equal, &[a, b]) => machine.eq(a, b),
        (Selection::NotEqual, &[a, b]) => machine.ne(a, b),
        (Selection::And, &[a, b]) => machine.and(a, b),
        (Selection::Or, &[a, b]) => machine.or(a, b),
        (Selection::Not, &[a]) => machine.not(a),
        (Selection::Select, &[c, a, b]) => machine.select(c, a, b),
        _ => unreachable!("`verify` counts operands"),
    }
}
