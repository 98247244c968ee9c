//! The first operation that went wrong: a function at a point where it or its gradient is not finite →
//! the operation, its operands with their numbers, its place in the text, the cause in words.
//!
//! `anatomy` has the graph that is computed, with names and places for its nodes; `follow` goes from a
//! result that is not finite to the operation whose operands all were; `slopes` does the same for
//! the gradient; `words` says what happened and what helps.
//!
//! What must stay true: what is looked at is what runs: the stable form, not the text's own. An
//! infinity that does no harm (in a branch not taken, below a fraction bar) is never reported.

mod anatomy;
mod follow;
mod slopes;
mod words;

pub(crate) use anatomy::Anatomy;
pub(crate) use follow::{Fault, first_fault};
pub(crate) use slopes::{Cotangents, first_slope};
pub(crate) use words::{Words, short};

use crate::elaborate::Origins;
use crate::error::Error;
use crate::ir::{Function, Precision};
use crate::train::Finding;

/// What is wrong with a function at a point, its value before its gradient; nothing where both are
/// finite. The point has a number for every scalar of the inputs.
///
/// # Errors
/// Where the point has another number of elements.
///
/// ```
/// use symdiff::elaborate::{Options, elaborate_located};
/// use symdiff::{syntax, train::diagnose_at};
///
/// let ast = syntax::parse("sqrt(x) + log(x - y)", &symdiff::Limits::default())?;
/// let (read, origins) = elaborate_located(&ast, &Options::default())?;
/// let found = diagnose_at(&read.function, &origins, &[1.0, 3.0])?.expect("log of -2");
/// assert_eq!(found.diagnostic.message, "log of -2 is undefined");
/// assert_eq!(found.diagnostic.span.map(|span| span.text(ast.source())), Some("log(x - y)"));
///
/// let found = diagnose_at(&read.function, &origins, &[0.0, -1.0])?.expect("a vertical tangent");
/// assert_eq!(found.diagnostic.message, "the slope of sqrt at 0 is infinite");
/// # Ok::<(), symdiff::Error>(())
/// ```
pub fn diagnose_at(function: &Function, origins: &Origins, point: &[f64]) -> Result<Option<Finding>, Error> {
    crate::engine::check_length("the point", point.len(), function.input_size())?;
    let mut anatomy = Anatomy::new(function, origins, &[]);
    let words = |fault: &Fault| Words::of(fault, Precision::F64).finding(fault);
    if let Some(fault) = first_fault(&anatomy, point, Precision::F64) {
        return Ok(Some(words(&fault)));
    }
    let cotangents = Cotangents::new(&mut anatomy);
    let fault = first_slope(&anatomy, &cotangents, point, Precision::F64);
    Ok(fault.map(|fault| words(&fault)))
}
