//! Constants where a function has no value: worth a warning, not an error.

use crate::elementary::Plain;
use crate::ir::{Domain, Elementwise, Graph, Id, Number};

/// True when the op is certainly undefined over the reals on these operands. Only constant
/// operands are looked at.
pub(super) fn is_outside(graph: &Graph, op: Elementwise, operands: &[Id]) -> bool {
    let constant = |i: usize| graph.constant(operands[i]);
    match op.domain() {
        Domain::Everywhere => false,
        Domain::Positive(i) => constant(i).is_some_and(|x| x.is_zero() || x.is_negative()),
        Domain::NonNegative(i) => constant(i).is_some_and(Number::is_negative),
        Domain::NonZero(i) => constant(i).is_some_and(Number::is_zero),
        Domain::Power => match (constant(0), constant(1)) {
            (Some(base), Some(exponent)) if base.is_zero() => exponent.is_negative(),
            (Some(base), Some(exponent)) => base.is_negative() && !exponent.is_integer(),
            _ => false,
        },
        Domain::Within(..) | Domain::Between(..) | Domain::Other => is_undefined_at(graph, op, operands),
    }
}

/// Some other set than one of signs: the value tells. Infinite values for arguments above 1 are
/// overflow (gamma(200)), not poles.
fn is_undefined_at(graph: &Graph, op: Elementwise, operands: &[Id]) -> bool {
    let Some(exact) = operands.iter().map(|&x| graph.constant(x)).collect::<Option<Vec<_>>>() else {
        return false;
    };
    let values: Vec<f64> = exact.iter().map(|x| x.to_f64()).collect();
    let y = op.value(&mut Plain, &values);
    let pole = y.is_infinite() && values.last().is_some_and(|&x| x <= 1.0);
    y.is_nan() || pole
}

/// What may have been meant.
pub(super) fn mend(graph: &Graph, op: Elementwise, operands: &[Id]) -> Option<String> {
    let (base, exponent) = match (op, operands) {
        (Elementwise::Pow, [base, exponent]) => (graph.constant(*base)?, graph.constant(*exponent)?),
        _ => return None,
    };
    let third = exponent.recip()?.to_i64() == Some(3);
    (third && base.is_negative()).then(|| "the real cube root is `cbrt`".to_owned())
}
