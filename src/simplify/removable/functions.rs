//! Series of the elementwise ops, where all their coefficients are rational.

use super::coefficient::Coefficient;
use super::series::Series;
use crate::ir::Elementwise;
use std::borrow::Cow;

/// The op of series; `None` where it has no Laurent series there, or one with other coefficients.
#[rustfmt::skip]
pub fn apply<T: Coefficient>(op: Elementwise, operands: &[Cow<'_, Series<T>>]) -> Option<Series<T>> {
    use Elementwise as E;
    let x = operands.first()?;
    let y = operands.get(1).unwrap_or(x);
    let (trigonometric, hyperbolic) = (|| x.sine_and_cosine(-1), || x.sine_and_cosine(1));
    match op {
        E::Neg => Some(x.scaled(-1)),
        E::Add => x.add(y),
        E::Sub => x.sub(y),
        E::Mul => x.mul(y),
        E::Div => x.div(y),
        E::Fma => x.mul(y)?.add(operands.get(2)?),
        E::Sqrt => x.power(1, 2),
        E::Cbrt => x.power(1, 3),
        E::Hypot => x.square()?.add(&y.square()?)?.power(1, 2),
        E::Exp => x.exp(),
        E::Expm1 => x.exp()?.plus(-1),
        E::Log => {
            let above = x.plus(-1)?;
            above.integral_of(&x.recip()?)
        }
        E::Log1p => x.integral_of(&x.plus(1)?.recip()?),
        E::Sin => Some(trigonometric()?.0),
        E::Cos => Some(trigonometric()?.1),
        E::Tan => trigonometric().and_then(|(s, c)| s.div(&c)),
        E::Cot => trigonometric().and_then(|(s, c)| c.div(&s)),
        E::Sec => trigonometric()?.1.recip(),
        E::Csc => trigonometric()?.0.recip(),
        E::Sinh => Some(hyperbolic()?.0),
        E::Cosh => Some(hyperbolic()?.1),
        E::Tanh => hyperbolic().and_then(|(s, c)| s.div(&c)),
        E::Coth => hyperbolic().and_then(|(s, c)| c.div(&s)),
        E::Sech => hyperbolic()?.1.recip(),
        E::Csch => hyperbolic()?.0.recip(),
        E::Asin => x.integral_of(&x.square()?.scaled(-1).plus(1)?.power(-1, 2)?),
        E::Atan => x.integral_of(&x.square()?.plus(1)?.recip()?),
        E::Asinh => x.integral_of(&x.square()?.plus(1)?.power(-1, 2)?),
        E::Atanh => x.integral_of(&x.square()?.scaled(-1).plus(1)?.recip()?),
        E::Sigmoid => x.scaled(-1).exp()?.plus(1)?.recip(),
        _ => None,
    }
}
