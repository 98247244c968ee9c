//! THE table of elementwise ops: one row holds all that is known of an op.
//!
//! The value is written over a [`Machine`], so the interpreter and every code generator compute
//! the same bits; the partials are written over a [`Real`], so `f64` checks the table and
//! [`Expr`](super::Expr) builds derivatives with it. To add an op, add a row.

use super::{Interval, Number};
use crate::elementary::{self, Machine, Plain};
use std::f64::consts::{FRAC_PI_2, PI};
use std::ops::{Add, Div, Mul, Neg, Sub};

/// Where an op is defined, given finite operands (by operand position).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Domain {
    Everywhere,
    Positive(usize),
    NonNegative(usize),
    NonZero(usize),
    /// `a^b` over the reals: a > 0; or a = 0 and b ≥ 0; or a < 0 and b an integer.
    Power,
    /// Operand 0 from one number to another, both included.
    Within(f64, f64),
    /// Operand 0 between two numbers, both left out.
    Between(f64, f64),
    /// Some other set; nothing about signs follows from being inside it.
    Other,
}

/// How the values of an op go with its operand, over its domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    Rising,
    Falling,
    /// Even, and rising with |x|.
    Bowl,
    /// Even, and falling with |x|.
    Hill,
    /// As [`Elementwise::image`] has it for this op alone.
    Own,
}

/// No bound, in rows.
const INFINITY: f64 = f64::INFINITY;
const NEG_INFINITY: f64 = f64::NEG_INFINITY;

/// Just above π/2.
const QUARTER: f64 = FRAC_PI_2.next_up();

/// Where an op has no derivative, and what stands for it there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kink {
    Smooth,
    /// At operand 0 equal to zero: every slope between the two is a subgradient.
    AtZero(f64, f64),
    /// Where the two operands are equal: each one's share lies between 0 and 1.
    AtTie,
    /// A step: constant on both sides, no subgradient at the jump.
    Jump,
}

/// The arithmetic partials are written in.
pub trait Scalar:
    Copy + Neg<Output = Self> + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// The number `value`, wherever `self` lives.
    fn lit(self, value: i64) -> Self;
    /// `then` where `self < other`, else `otherwise`.
    fn if_less(self, other: Self, then: Self, otherwise: Self) -> Self;
    /// `then` where `self <= other`, else `otherwise`.
    fn if_less_equal(self, other: Self, then: Self, otherwise: Self) -> Self;
    /// `then` where `self == other`, else `otherwise`.
    fn if_equal(self, other: Self, then: Self, otherwise: Self) -> Self;

    fn one(self) -> Self {
        self.lit(1)
    }

    fn zero(self) -> Self {
        self.lit(0)
    }

    fn half(self) -> Self {
        self.lit(1) / self.lit(2)
    }

    fn recip(self) -> Self {
        self.one() / self
    }

    fn square(self) -> Self {
        self.powi(2)
    }

    fn powi(self, n: i64) -> Self;
}

/// How an op is computed in single precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Single {
    /// By single precision's own operations.
    Native,
    /// In double precision, its value rounded: the function is rare, or takes twice the digits.
    Widened,
}

macro_rules! elementwise {
    ($($(#[$doc:meta])* $variant:ident $name:ident ($($a:ident $(, $rest:ident)*)?) = $value:path ; $single:ident ;
       $y:pat => [$($partial:expr),*] ; $domain:expr ; $course:ident ; $range:expr ; $kink:expr ; $latex:literal ;)*) => {
        /// An op of the elementwise class.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Elementwise { $($(#[$doc])* $variant,)* }

        impl Elementwise {
            pub const ALL: &'static [Elementwise] = &[$(Elementwise::$variant),*];

            /// The name in the language and in the graph's text form.
            pub fn name(self) -> &'static str {
                match self { $(Elementwise::$variant => stringify!($name),)* }
            }

            pub fn arity(self) -> usize {
                match self { $(Elementwise::$variant => elementwise!(@count $($a $($rest)*)?),)* }
            }

            /// How single precision computes it.
            pub const fn single(self) -> Single {
                match self { $(Elementwise::$variant => Single::$single,)* }
            }

            /// How LaTeX writes the function's name.
            pub fn latex(self) -> &'static str {
                match self { $(Elementwise::$variant => $latex,)* }
            }

            pub fn domain(self) -> Domain {
                use Domain::*;
                match self { $(Elementwise::$variant => $domain,)* }
            }

            /// How its values go with its operand.
            pub fn course(self) -> Course {
                match self { $(Elementwise::$variant => Course::$course,)* }
            }

            /// Where its values lie, over the reals: a value may round to an end that is left out.
            pub fn range(self) -> Interval {
                match self { $(Elementwise::$variant => $range,)* }
            }

            pub fn kink(self) -> Kink {
                use Kink::*;
                match self { $(Elementwise::$variant => $kink,)* }
            }

            /// Computes the op on a machine. The number of operands is the op's arity.
            #[inline(always)]
            pub fn value<M: Machine>(self, m: &mut M, operands: &[M::F]) -> M::F {
                match self { $(
                    Elementwise::$variant => {
                        let &[$($a $(, $rest)*)?] = operands else { return m.f(f64::NAN) };
                        $value(m $(, $a $(, $rest)*)?)
                    }
                )* }
            }

            /// ∂y/∂operand `i`, where `y` is the result; `None` where it is zero everywhere.
            pub fn partial<S: Real>(self, i: usize, operands: &[S], y: S) -> Option<S> {
                match self { $(
                    Elementwise::$variant => {
                        #[allow(unused_variables, reason = "a row names operands its partials may not need")]
                        let &[$($a $(, $rest)*)?] = operands else { return None };
                        #[allow(unused_variables, reason = "a row may not need its result")]
                        let $y = y;
                        let partials: &[&dyn Fn() -> S] = &[$(&|| $partial),*];
                        partials.get(i).map(|partial| partial())
                    }
                )* }
            }

            /// True when the op varies smoothly with operand `i` somewhere.
            pub fn has_partial(self, i: usize) -> bool {
                let partials = match self { $(
                    Elementwise::$variant => elementwise!(@count_exprs $($partial),*),
                )* };
                i < partials
            }
        }

        /// A scalar on which every elementwise op can be applied by name.
        pub trait Real: Scalar {
            $($(#[$doc])* fn $name(self $($(, $rest: Self)*)?) -> Self;)*
        }

        impl Real for f64 {
            $(fn $name(self $($(, $rest: Self)*)?) -> Self {
                let operands: &[f64] = &[$({ let $a = self; $a } $(, $rest)*)?];
                Elementwise::$variant.value(&mut Plain, operands)
            })*
        }

        impl<'g> Real for super::Expr<'g> {
            $(fn $name(self $($(, $rest: Self)*)?) -> Self {
                let operands: &[Self] = &[$({ let $a = self; $a } $(, $rest)*)?];
                self.builder().elementwise(Elementwise::$variant, operands)
            })*
        }
    };
    (@count) => { 0 };
    (@count $head:ident $($tail:ident)*) => { 1 + elementwise!(@count $($tail)*) };
    (@count_exprs) => { 0usize };
    (@count_exprs $head:expr $(, $tail:expr)*) => { 1usize + elementwise!(@count_exprs $($tail),*) };
}

#[rustfmt::skip]
elementwise! {
//  op       name       operands   value on a machine      single    ∂y/∂operand, y the result                                                         ; defined                    ; course  ; values lie in                         ; kink            ; LaTeX
    Pi       pi         ()       = elementary::pi        ; Native  ; _ => []                                                                           ; Everywhere                 ; Own     ; Interval::between(PI, PI.next_up())   ; Smooth          ; r"\pi";
    Neg      neg        (x)      = M::neg                ; Native  ; _ => [x.lit(-1)]                                                                  ; Everywhere                 ; Falling ; Interval::ALL                         ; Smooth          ; "-";
    Add      add        (a, b)   = M::add                ; Native  ; _ => [a.one(), a.one()]                                                           ; Everywhere                 ; Own     ; Interval::ALL                         ; Smooth          ; "+";
    Sub      sub        (a, b)   = M::sub                ; Native  ; _ => [a.one(), a.lit(-1)]                                                         ; Everywhere                 ; Own     ; Interval::ALL                         ; Smooth          ; "-";
    Mul      mul        (a, b)   = M::mul                ; Native  ; _ => [b, a]                                                                       ; Everywhere                 ; Own     ; Interval::ALL                         ; Smooth          ; "";
    Div      div        (a, b)   = M::div                ; Native  ; y => [b.recip(), -y / b]                                                          ; NonZero(1)                 ; Own     ; Interval::ALL                         ; Smooth          ; r"\frac";
    /// `a*b + c`, rounded once.
    Fma      fma        (a, b, c)= M::fma                ; Native  ; _ => [b, a, a.one()]                                                              ; Everywhere                 ; Own     ; Interval::ALL                         ; Smooth          ; "fma";
    Pow      pow        (a, b)   = elementary::pow       ; Widened ; y => [b * a.pow(b - a.one()), y * a.log()]                                        ; Power                      ; Own     ; Interval::ALL                         ; Smooth          ; "^";
    Sqrt     sqrt       (x)      = M::sqrt               ; Native  ; y => [(y.lit(2) * y).recip()]                                                     ; NonNegative(0)             ; Rising  ; Interval::NON_NEGATIVE                ; Smooth          ; r"\sqrt";
    Cbrt     cbrt       (x)      = elementary::cbrt      ; Widened ; y => [(y.lit(3) * y.square()).recip()]                                            ; Everywhere                 ; Rising  ; Interval::ALL                         ; Smooth          ; r"\sqrt[3]";
    Hypot    hypot      (a, b)   = elementary::hypot     ; Widened ; y => [a / y, b / y]                                                               ; Everywhere                 ; Own     ; Interval::NON_NEGATIVE                ; Smooth          ; r"\operatorname{hypot}";
    Exp      exp        (x)      = elementary::exp       ; Native  ; y => [y]                                                                          ; Everywhere                 ; Rising  ; Interval::POSITIVE                    ; Smooth          ; r"\exp";
    Exp2     exp2       (x)      = elementary::exp2      ; Native  ; y => [y * y.lit(2).log()]                                                         ; Everywhere                 ; Rising  ; Interval::POSITIVE                    ; Smooth          ; r"\operatorname{exp2}";
    Expm1    expm1      (x)      = elementary::expm1     ; Native  ; _ => [x.exp()]                                                                    ; Everywhere                 ; Rising  ; Interval::above(-1.0)                 ; Smooth          ; r"\operatorname{expm1}";
    Log      log        (x)      = elementary::log       ; Native  ; _ => [x.recip()]                                                                  ; Positive(0)                ; Rising  ; Interval::ALL                         ; Smooth          ; r"\log";
    Log1p    log1p      (x)      = elementary::log1p     ; Native  ; _ => [(x.one() + x).recip()]                                                      ; Between(-1.0, INFINITY)    ; Rising  ; Interval::ALL                         ; Smooth          ; r"\operatorname{log1p}";
    Log2     log2       (x)      = elementary::log2      ; Native  ; _ => [(x * x.lit(2).log()).recip()]                                               ; Positive(0)                ; Rising  ; Interval::ALL                         ; Smooth          ; r"\log_{2}";
    Log10    log10      (x)      = elementary::log10     ; Widened ; _ => [(x * x.lit(10).log()).recip()]                                              ; Positive(0)                ; Rising  ; Interval::ALL                         ; Smooth          ; r"\log_{10}";
    /// log(1 − exp(x)), for x < 0.
    Log1mexp log1mexp   (x)      = elementary::log1mexp  ; Widened ; _ => [-(-x).expm1().recip()]                                                      ; Between(NEG_INFINITY, 0.0) ; Falling ; Interval::NEGATIVE                    ; Smooth          ; r"\operatorname{log1mexp}";
    Sin      sin        (x)      = elementary::sin       ; Native  ; _ => [x.cos()]                                                                    ; Everywhere                 ; Own     ; Interval::within(-1.0, 1.0)           ; Smooth          ; r"\sin";
    Cos      cos        (x)      = elementary::cos       ; Native  ; _ => [-x.sin()]                                                                   ; Everywhere                 ; Own     ; Interval::within(-1.0, 1.0)           ; Smooth          ; r"\cos";
    Tan      tan        (x)      = elementary::tan       ; Widened ; _ => [x.sec().square()]                                                           ; Other                      ; Own     ; Interval::ALL                         ; Smooth          ; r"\tan";
    Sec      sec        (x)      = elementary::sec       ; Widened ; y => [y * x.tan()]                                                                ; Other                      ; Own     ; Interval::ALL                         ; Smooth          ; r"\sec";
    Csc      csc        (x)      = elementary::csc       ; Widened ; y => [-y * x.cot()]                                                               ; Other                      ; Own     ; Interval::ALL                         ; Smooth          ; r"\csc";
    Cot      cot        (x)      = elementary::cot       ; Widened ; _ => [-x.csc().square()]                                                          ; Other                      ; Own     ; Interval::ALL                         ; Smooth          ; r"\cot";
    /// sin(π·x): 0 at whole numbers, however large.
    Sinpi    sinpi      (x)      = elementary::sinpi     ; Native  ; _ => [x.pi() * x.cospi()]                                                         ; Everywhere                 ; Own     ; Interval::within(-1.0, 1.0)           ; Smooth          ; r"\operatorname{sinpi}";
    /// cos(π·x): 0 halfway between whole numbers.
    Cospi    cospi      (x)      = elementary::cospi     ; Native  ; _ => [-x.pi() * x.sinpi()]                                                        ; Everywhere                 ; Own     ; Interval::within(-1.0, 1.0)           ; Smooth          ; r"\operatorname{cospi}";
    Asin     asin       (x)      = elementary::asin      ; Widened ; _ => [(x.one() - x.square()).sqrt().recip()]                                      ; Within(-1.0, 1.0)          ; Rising  ; Interval::within(-QUARTER, QUARTER)   ; Smooth          ; r"\arcsin";
    Acos     acos       (x)      = elementary::acos      ; Widened ; _ => [-(x.one() - x.square()).sqrt().recip()]                                     ; Within(-1.0, 1.0)          ; Falling ; Interval::within(0.0, 2.0 * QUARTER)  ; Smooth          ; r"\arccos";
    Atan     atan       (x)      = elementary::atan      ; Native  ; _ => [(x.one() + x.square()).recip()]                                             ; Everywhere                 ; Rising  ; Interval::between(-QUARTER, QUARTER)  ; Smooth          ; r"\arctan";
    /// The angle of the point (x, y): `atan2(y, x)`.
    Atan2    atan2      (y, x)   = elementary::atan2     ; Widened ; _ => [x / x.hypot(y) / x.hypot(y), -y / x.hypot(y) / x.hypot(y)]                  ; Other                      ; Own     ; Interval::within(-2.0 * QUARTER, 2.0 * QUARTER) ; Smooth          ; r"\operatorname{atan2}";
    Sinh     sinh       (x)      = elementary::sinh      ; Widened ; _ => [x.cosh()]                                                                   ; Everywhere                 ; Rising  ; Interval::ALL                         ; Smooth          ; r"\sinh";
    Cosh     cosh       (x)      = elementary::cosh      ; Widened ; _ => [x.sinh()]                                                                   ; Everywhere                 ; Bowl    ; Interval::within(1.0, INFINITY)       ; Smooth          ; r"\cosh";
    // 1 − tanh² cancels: it is 0 at x = 20, where sech² is 1.7e-17.
    Tanh     tanh       (x)      = elementary::tanh      ; Native  ; _ => [x.sech().square()]                                                          ; Everywhere                 ; Rising  ; Interval::between(-1.0, 1.0)          ; Smooth          ; r"\tanh";
    Sech     sech       (x)      = elementary::sech      ; Native  ; y => [-y * x.tanh()]                                                              ; Everywhere                 ; Hill    ; Interval::above_to(0.0, 1.0)          ; Smooth          ; r"\operatorname{sech}";
    Csch     csch       (x)      = elementary::csch      ; Widened ; y => [-y * x.coth()]                                                              ; NonZero(0)                 ; Own     ; Interval::ALL                         ; Smooth          ; r"\operatorname{csch}";
    Coth     coth       (x)      = elementary::coth      ; Widened ; _ => [-x.csch().square()]                                                         ; NonZero(0)                 ; Own     ; Interval::ALL                         ; Smooth          ; r"\coth";
    Asinh    asinh      (x)      = elementary::asinh     ; Widened ; _ => [(x.square() + x.one()).sqrt().recip()]                                      ; Everywhere                 ; Rising  ; Interval::ALL                         ; Smooth          ; r"\operatorname{arsinh}";
    // Two roots, not sqrt(x² − 1): that one is defined below −1, where acosh is not.
    Acosh    acosh      (x)      = elementary::acosh     ; Widened ; _ => [((x - x.one()).sqrt() * (x + x.one()).sqrt()).recip()]                      ; Within(1.0, INFINITY)      ; Rising  ; Interval::NON_NEGATIVE                ; Smooth          ; r"\operatorname{arcosh}";
    Atanh    atanh      (x)      = elementary::atanh     ; Widened ; _ => [(x.one() - x.square()).recip()]                                             ; Between(-1.0, 1.0)         ; Rising  ; Interval::ALL                         ; Smooth          ; r"\operatorname{artanh}";
    Erf      erf        (x)      = elementary::erf       ; Native  ; _ => [x.lit(2) / x.pi().sqrt() * (-x.square()).exp()]                             ; Everywhere                 ; Rising  ; Interval::between(-1.0, 1.0)          ; Smooth          ; r"\operatorname{erf}";
    Erfc     erfc       (x)      = elementary::erfc      ; Widened ; _ => [x.lit(-2) / x.pi().sqrt() * (-x.square()).exp()]                            ; Everywhere                 ; Falling ; Interval::between(0.0, 2.0)           ; Smooth          ; r"\operatorname{erfc}";
    Gamma    gamma      (x)      = elementary::gamma     ; Widened ; y => [y * x.digamma()]                                                            ; Other                      ; Own     ; Interval::ALL                         ; Smooth          ; r"\Gamma";
    Lgamma   lgamma     (x)      = elementary::lgamma    ; Widened ; _ => [x.digamma()]                                                                ; Other                      ; Own     ; Interval::ALL                         ; Smooth          ; r"\log\Gamma";
    Digamma  digamma    (x)      = elementary::digamma   ; Widened ; _ => [x.one().polygamma(x)]                                                       ; Other                      ; Own     ; Interval::ALL                         ; Smooth          ; r"\psi";
    /// The derivative of digamma, `n` times; `n` is a whole number and has no partial.
    Polygamma polygamma (n, x)   = elementary::polygamma ; Widened ; _ => [n.zero(), (n + n.one()).polygamma(x)]                                       ; Other                      ; Own     ; Interval::ALL                         ; Smooth          ; r"\psi";
    Abs      abs        (x)      = M::abs                ; Native  ; _ => [x.sign()]                                                                   ; Everywhere                 ; Bowl    ; Interval::NON_NEGATIVE                ; AtZero(-1., 1.) ; r"\operatorname{abs}";
    Sign     sign       (x)      = elementary::sign      ; Native  ; _ => []                                                                           ; Everywhere                 ; Rising  ; Interval::within(-1.0, 1.0)           ; Jump            ; r"\operatorname{sign}";
    Floor    floor      (x)      = M::floor              ; Native  ; _ => []                                                                           ; Everywhere                 ; Rising  ; Interval::ALL                         ; Jump            ; r"\operatorname{floor}";
    Ceil     ceil       (x)      = M::ceil               ; Native  ; _ => []                                                                           ; Everywhere                 ; Rising  ; Interval::ALL                         ; Jump            ; r"\operatorname{ceil}";
    /// To the nearest whole number, halves away from zero.
    Round    round      (x)      = elementary::round     ; Native  ; _ => []                                                                           ; Everywhere                 ; Rising  ; Interval::ALL                         ; Jump            ; r"\operatorname{round}";
    Min      min        (a, b)   = elementary::min       ; Native  ; _ => [a.if_less_equal(b, a.if_equal(b, a.half(), a.one()), a.zero()), b.if_less_equal(a, b.if_equal(a, b.half(), b.one()), b.zero())] ; Everywhere                 ; Own     ; Interval::ALL                         ; AtTie           ; r"\min";
    Max      max        (a, b)   = elementary::max       ; Native  ; _ => [b.if_less_equal(a, a.if_equal(b, a.half(), a.one()), a.zero()), a.if_less_equal(b, b.if_equal(a, b.half(), b.one()), b.zero())] ; Everywhere                 ; Own     ; Interval::ALL                         ; AtTie           ; r"\max";
    Relu     relu       (x)      = elementary::relu      ; Native  ; _ => [x.zero().if_less(x, x.one(), x.zero())]                                     ; Everywhere                 ; Rising  ; Interval::NON_NEGATIVE                ; AtZero(0., 1.)  ; r"\operatorname{relu}";
    // σ(−x), not 1 − σ(x): that one is 0 from x = 37 on.
    Sigmoid  sigmoid    (x)      = elementary::sigmoid   ; Native  ; y => [y * (-x).sigmoid()]                                                         ; Everywhere                 ; Rising  ; Interval::between(0.0, 1.0)           ; Smooth          ; r"\sigma";
    LogSigmoid log_sigmoid (x)   = elementary::log_sigmoid ; Native  ; _ => [(-x).sigmoid()]                                                           ; Everywhere                 ; Rising  ; Interval::NEGATIVE                    ; Smooth          ; r"\log\sigma";
    /// log(1 + exp(x)), finite for every finite x.
    Softplus softplus   (x)      = elementary::softplus  ; Native  ; _ => [x.sigmoid()]                                                                ; Everywhere                 ; Rising  ; Interval::POSITIVE                    ; Smooth          ; r"\operatorname{softplus}";
    /// log(exp(a) + exp(b)).
    LogAddExp logaddexp (a, b)   = elementary::logaddexp ; Widened ; _ => [(a - b).sigmoid(), (b - a).sigmoid()]                                       ; Everywhere                 ; Own     ; Interval::ALL                         ; Smooth          ; r"\operatorname{logaddexp}";
}

impl Elementwise {
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|op| op.name() == name)
    }

    /// Operand order does not matter.
    pub fn is_commutative(self) -> bool {
        use Elementwise::{Add, Hypot, LogAddExp, Max, Min, Mul};
        matches!(self, Add | Mul | Min | Max | Hypot | LogAddExp)
    }

    /// Ops that introduce themselves between operands (`a + b`), not as `name(a, b)`.
    pub fn is_infix(self) -> bool {
        use Elementwise::{Add, Div, Mul, Neg, Pow, Sub};
        matches!(self, Add | Sub | Mul | Div | Pow | Neg)
    }

    /// `f(−x) = −f(x)`.
    pub fn is_odd(self) -> bool {
        use Elementwise::*;
        matches!(
            self,
            Sin | Sinpi
                | Tan
                | Csc
                | Cot
                | Asin
                | Atan
                | Sinh
                | Tanh
                | Csch
                | Coth
                | Asinh
                | Atanh
                | Erf
                | Cbrt
                | Sign
        )
    }

    /// `f(−x) = f(x)`.
    pub fn is_even(self) -> bool {
        use Elementwise::*;
        matches!(self, Cos | Cospi | Sec | Cosh | Sech | Abs)
    }

    /// The exact value on exact operands, where there is one.
    pub fn fold(self, operands: &[&Number]) -> Option<Number> {
        use Elementwise::*;
        let zero = Number::integer(0);
        let one = Number::integer(1);
        let folded = match (self, operands) {
            (Neg, [x]) => x.negate(),
            (Add, [a, b]) => a.add(b),
            (Sub, [a, b]) => a.sub(b),
            (Mul, [a, b]) => a.mul(b),
            (Div, [a, b]) => a.div(b)?,
            (Pow, [a, b]) => fold_power(a, b)?,
            (Sqrt, [x]) => x.root(2)?,
            (Cbrt, [x]) => x.root(3)?,
            (Abs, [x]) => x.absolute(),
            (Relu, [x]) => {
                if x.is_negative() {
                    zero
                } else {
                    (*x).clone()
                }
            }
            (Sign, [x]) if x.is_zero() => zero,
            (Sign, [x]) => {
                if x.is_negative() {
                    one.negate()
                } else {
                    one
                }
            }
            (Floor, [x]) => x.floor(),
            (Ceil, [x]) => x.negate().floor().negate(),
            (Round, [x]) => {
                let half = Number::ratio(1, 2)?;
                let up = x.absolute().add(&half).floor();
                if x.is_negative() { up.negate() } else { up }
            }
            (Min, [a, b]) => (*a.min(b)).clone(),
            (Max, [a, b]) => (*a.max(b)).clone(),
            (Exp | Exp2 | Cos | Sec | Cosh | Sech, [x]) if x.is_zero() => one,
            (Exp2, [x]) => Number::integer(2).powi(x.to_i64()?)?,
            (Log | Log2 | Log10 | Acos | Acosh, [x]) if x.is_one() => zero,
            (Expm1 | Log1p | Sin | Tan | Asin | Atan | Sinh | Tanh | Asinh | Atanh | Erf, [x])
                if x.is_zero() =>
            {
                zero
            }
            (Sinpi, [x]) => of_half_turns(&x.sub(&Number::ratio(1, 2)?))?,
            (Cospi, [x]) => of_half_turns(x)?,
            (Erfc, [x]) if x.is_zero() => one,
            (Sigmoid, [x]) if x.is_zero() => Number::ratio(1, 2)?,
            _ => return None,
        };
        folded.is_small().then_some(folded)
    }
}

/// cos(π·x) at multiples of a quarter turn.
fn of_half_turns(x: &Number) -> Option<Number> {
    let quarters = x.add(x);
    let turns = quarters.mul(&Number::ratio(1, 4)?).floor();
    let quarters = quarters.sub(&turns.mul(&Number::integer(4))).to_i64()?;
    [1, 0, -1, 0].get(usize::try_from(quarters).ok()?).map(|&value| Number::integer(value))
}

/// `a^b` when it is rational: whole exponents, and roots that come out even.
fn fold_power(a: &Number, b: &Number) -> Option<Number> {
    let (p, q) = b.to_ratio()?;
    // A negative base to a non-integer power is NaN, never a real root.
    if q != 1 && a.is_negative() {
        return None;
    }
    let root = if q == 1 { a.clone() } else { a.root(u32::try_from(q).ok().filter(|&q| q <= 64)?)? };
    root.powi(p)
}

impl Scalar for f64 {
    fn lit(self, value: i64) -> f64 {
        value as f64
    }

    fn if_less(self, other: f64, then: f64, otherwise: f64) -> f64 {
        if self < other { then } else { otherwise }
    }

    fn if_less_equal(self, other: f64, then: f64, otherwise: f64) -> f64 {
        if self <= other { then } else { otherwise }
    }

    fn if_equal(self, other: f64, then: f64, otherwise: f64) -> f64 {
        if self == other { then } else { otherwise }
    }

    fn powi(self, n: i64) -> f64 {
        Elementwise::Pow.value(&mut Plain, &[self, n as f64])
    }
}
