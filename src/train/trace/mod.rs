//! The first operation that went wrong: a function at a point where it or its gradient is not finite →
//! the operation, its operands with their numbers, its place in the text, the cause in words.
//!
//! `anatomy` has the graph that is computed, with names and places for its nodes; `follow` goes from a
//! result that is not finite to the operation whose operands all were; `slopes` does the same for
//! the gradient; `words` says what happened and what helps; `rows` counts the rows of a table to which
//! it happened.
//!
//! What must stay true: what is looked at is what runs: the stable form, not the text's own. An
//! infinity that does no harm (in a branch not taken, below a fraction bar) is never reported.

mod anatomy;
mod follow;
mod rows;
mod slopes;
mod words;

pub(crate) use anatomy::Anatomy;
pub(crate) use follow::{Fault, first_fault};
pub(crate) use rows::Undefined;
use slopes::is_gradient_finite;
pub(crate) use slopes::{Cotangents, first_slope};
pub(crate) use words::{Words, short};

use crate::elaborate::Origins;
use crate::error::{Diagnostic, Error};
use crate::ir::{Function, Id, Precision};
use crate::train::Finding;

/// What is wrong with a function at a point, its value before its gradient; nothing where both are
/// finite. The point has a number for every scalar of the inputs.
///
/// # Errors
/// Where the point has another number of elements.
///
/// ```
/// use symdiff::train::diagnose_at;
///
/// let text = "sqrt(x) + log(x - y)";
/// let (read, origins) = symdiff::read_located(text.as_bytes(), &symdiff::Limits::default())?;
/// let found = diagnose_at(&read.function, &origins, &[1.0, 3.0])?.expect("log of -2");
/// assert_eq!(found.diagnostic.message, "log of -2 is undefined");
/// assert_eq!(found.diagnostic.span.map(|span| span.text(text)), Some("log(x - y)"));
///
/// let found = diagnose_at(&read.function, &origins, &[0.0, -1.0])?.expect("a vertical tangent");
/// assert_eq!(found.diagnostic.message, "the slope of sqrt at 0 is infinite");
/// # Ok::<(), symdiff::Error>(())
/// ```
pub fn diagnose_at(function: &Function, origins: &Origins, point: &[f64]) -> Result<Option<Finding>, Error> {
    check_length(point, function)?;
    Ok(at_point(function, origins, &[], point))
}

/// A number for every scalar of the inputs.
pub(crate) fn check_length(point: &[f64], function: &Function) -> Result<(), Error> {
    let (length, size) = (point.len(), function.input_size());
    if length == size {
        return Ok(());
    }
    Err(Error::input(Diagnostic::error(format!(
        "the point has {length} numbers, and the inputs take {size}"
    ))))
}

/// The same with names for some nodes.
pub(crate) fn at_point(
    function: &Function,
    origins: &Origins,
    named: &[(String, Id)],
    point: &[f64],
) -> Option<Finding> {
    let mut anatomy = Anatomy::new(function, origins, named);
    in_value(&anatomy, point).or_else(|| {
        if is_gradient_finite(function, point) {
            return None;
        }
        let cotangents = Cotangents::new(&mut anatomy);
        first_slope(&anatomy, &cotangents, point, Precision::F64).map(found)
    })
}

/// What first goes wrong in the value at a point.
fn in_value(anatomy: &Anatomy, point: &[f64]) -> Option<Finding> {
    first_fault(anatomy, point, Precision::F64).map(found)
}

fn found(fault: Fault) -> Finding {
    Words::of(&fault, Precision::F64).finding(&fault)
}
