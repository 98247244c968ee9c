//! Reductions over axes that are not linear: extremes, their place, and log Σ exp.
//!
//! What must stay true: a NaN among the elements gives NaN, and an empty reduction does not occur.

use super::structural::without;
use super::{Builder, Expr, Id, Real, Scalar, Selection};

/// What a reduction makes of the elements along its axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reduction {
    /// The greatest; equal ones share its derivative.
    Max,
    /// The least; equal ones share its derivative.
    Min,
    /// log Σ exp, computed from the greatest so that it does not overflow.
    LogSumExp,
    /// The place of the first greatest along one axis; without derivative.
    ArgMax,
}

impl Reduction {
    pub const ALL: &'static [Reduction] =
        &[Reduction::Max, Reduction::Min, Reduction::LogSumExp, Reduction::ArgMax];

    /// The name in the language and in the graph's text form.
    pub fn name(self) -> &'static str {
        match self {
            Reduction::Max => "max",
            Reduction::Min => "min",
            Reduction::LogSumExp => "logsumexp",
            Reduction::ArgMax => "argmax",
        }
    }

    /// The name in the graph's text form, where `max` and `min` are elementwise.
    pub fn text_name(self) -> &'static str {
        match self {
            Reduction::Max => "greatest",
            Reduction::Min => "least",
            other => other.name(),
        }
    }

    pub fn has_partial(self) -> bool {
        self != Reduction::ArgMax
    }

    /// The value for some elements, at least one.
    pub fn value(self, elements: &[f64]) -> f64 {
        let nan = elements.iter().any(|x| x.is_nan());
        let extreme = |better: fn(f64, f64) -> bool| {
            elements.iter().copied().reduce(|a, b| if better(b, a) { b } else { a }).unwrap_or(f64::NAN)
        };
        match self {
            _ if nan => f64::NAN,
            Reduction::Max => extreme(|b, a| b > a),
            Reduction::Min => extreme(|b, a| b < a),
            Reduction::ArgMax => {
                let greatest = extreme(|b, a| b > a);
                elements.iter().position(|&x| x == greatest).map_or(f64::NAN, |at| at as f64)
            }
            Reduction::LogSumExp => {
                let greatest = extreme(|b, a| b > a);
                if greatest.is_infinite() {
                    return greatest;
                }
                let sum: f64 = elements.iter().map(|&x| Real::exp(x - greatest)).sum();
                greatest + Real::log(sum)
            }
        }
    }

    /// ∂y/∂x, element by element in the shape of `x`, where y reduces x over `axes`.
    ///
    /// For log Σ exp it is softmax: exp(x − y). For an extreme it is 1 where x attains it, shared
    /// among equals.
    pub fn partial<'g>(self, b: &'g Builder, x: Id, y: Id, axes: u8) -> Expr<'g> {
        let shape = b.shape(x);
        let (x, y) = (b.expr(x), b.broadcast(b.expr(y), axes, &shape));
        if self == Reduction::LogSumExp {
            return (x - y).exp();
        }
        let attained = b.compare(Selection::Equal, &[x, y]);
        let one = b.select(attained, x.one(), x.zero());
        debug_assert_eq!(b.shape(b.sum(one, axes).id()), without(&shape, axes));
        one / b.broadcast(b.sum(one, axes), axes, &shape)
    }
}
