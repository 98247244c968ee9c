//! Derivatives of a program's objective by whole arrays, as matrix expressions in the program's
//! own names.
//!
//! `stage` differentiates, `names` puts the names of values back.
//!
//! What must stay true: a value the program defines is simplified, but never taken apart where it
//! is used; in the result its name stands for it.

mod names;
mod stage;

pub(crate) use stage::{direction, jacobian, pulled_back};

use crate::derivation::Derivation;
use crate::elaborate::program::Model;
use crate::error::{Diagnostic, Error};
use crate::ir::structural::MAX_RANK;
use crate::ir::{Function, Id, Op};
use crate::simplify::{Purpose, simplified_around};
use crate::suggest::suggest;
use names::named;
use stage::Stage;

/// What is derived of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArrayKind {
    /// For each array its derivative of this order; beyond the first of numbers by numbers only.
    /// That of an array by an array has the axes of the first, then those of the second.
    Partials(u32),
    /// Second derivatives by every two arrays, each pair once.
    Hessian,
    /// The Hessian times directions `v_x`, … of the shapes of the arrays, new inputs.
    HessianProduct,
}

/// Which value of a program is derived, by what, and how often.
#[derive(Clone, Copy, Debug)]
pub struct ArrayRequest<'a> {
    /// A value the program defines; its objective where none is named.
    pub of: Option<&'a str>,
    /// Parameters, inputs, or values the program defines.
    pub wrt: &'a [String],
    pub kind: ArrayKind,
}

/// ∂objective/∂x for each named parameter, input or value, each of the shape of `x`.
///
/// ```
/// let program = "
///     input x[2], y
///     param W[3,2] ~ normal(0, 1), b[3] = 0
///     z = W @ x + b
///     loss = cross_entropy(z, y)
/// ";
/// let model = symdiff::elaborate::program::read_program(
///     program,
///     symdiff::elaborate::program::Phase::Predict,
///     &symdiff::Limits::default(),
/// )?;
/// let names = ["W".to_owned(), "b".to_owned()];
/// let derived = symdiff::gradients(&model, &names, &symdiff::Derivation::to_read())?;
/// assert_eq!(derived.to_string(), "outer(softmax(z) - onehot(y, 3), x)\nsoftmax(z) - onehot(y, 3)");
/// # Ok::<(), symdiff::Error>(())
/// ```
///
/// # Errors
/// For a name the program does not have, and for a program without objective.
pub fn gradients(model: &Model, wrt: &[String], derivation: &Derivation) -> Result<Function, Error> {
    derive_arrays(model, &ArrayRequest { of: None, wrt, kind: ArrayKind::Partials(1) }, derivation)
}

/// Derivatives by whole arrays. For a reader ([`Purpose::Read`]) the names of values stand for
/// them; else the inputs are those of [`crate::models`], and directions after them.
///
/// ```
/// use symdiff::elaborate::program::{Phase, read_program};
/// use symdiff::{ArrayKind, ArrayRequest, Derivation, Limits, derive_arrays};
///
/// let text = "param w[2] = 1\nA = [[1, 2], [3, 4]]\nloss = sum((A @ w)^2)";
/// let model = read_program(text, Phase::Predict, &Limits::default())?;
/// let request = ArrayRequest { of: None, wrt: &["w".to_owned()], kind: ArrayKind::HessianProduct };
/// let product = derive_arrays(&model, &request, &Derivation::to_read())?;
/// assert_eq!(product.to_string(), "2*(A' @ (A @ v_w))");
/// # Ok::<(), symdiff::Error>(())
/// ```
///
/// # Errors
/// For a name the program does not have, for a program without objective where it is asked for,
/// and for a kind that makes no sense of the shapes.
pub fn derive_arrays(
    model: &Model,
    request: &ArrayRequest<'_>,
    derivation: &Derivation,
) -> Result<Function, Error> {
    let y = match request.of {
        Some(name) => place(model, name)?,
        None => model.objective()?.node,
    };
    let wrt = request.wrt.iter().map(|name| place(model, name)).collect::<Result<Vec<Id>, Error>>()?;
    check_shapes(model, request, y, &wrt)?;
    let names: Vec<&str> = model.values.iter().map(|value| value.name.as_str()).collect();
    let values: Vec<Id> = model.values.iter().map(|value| value.node).collect();
    let function = Function::new(model.graph.clone(), model.symbols(), vec![y]);
    // In its stable form a loss may go round a value it was written with.
    let is_input = |&x: &Id| matches!(model.graph.op(x), Op::Input(_));
    let (function, values) = match wrt.iter().all(is_input) {
        true => simplified_around(function, &values, derivation.level, derivation.purpose),
        false => (function, values),
    };
    let mut stage = Stage { function: function.rooted(), values, derivation };
    let y = stage.function.outputs()[0];
    match request.kind {
        ArrayKind::Partials(0) => {}
        ArrayKind::Partials(order) => stage.partials(y, &wrt, order),
        ArrayKind::Hessian => stage.hessian(y, &wrt),
        ArrayKind::HessianProduct => stage.hessian_product(y, &wrt, request.wrt),
    }
    let Stage { function: derived, values, .. } = stage;
    Ok(match derivation.purpose {
        Purpose::Read => named(derived, &names, &values),
        _ => derived,
    })
}

/// Refuses what has no meaning: second derivatives of arrays, orders of arrays.
fn check_shapes(model: &Model, request: &ArrayRequest<'_>, y: Id, wrt: &[Id]) -> Result<(), Error> {
    let is_scalar = |&x: &Id| model.graph.is_scalar(x);
    let refused = |message: String, hint: &str| Err(Error::shape(Diagnostic::error(message).hint(hint)));
    let of = request.of.unwrap_or("the objective");
    if request.kind != ArrayKind::Partials(1) && request.kind != ArrayKind::Partials(0) && !is_scalar(&y) {
        let message = format!("`{of}` is an array; second derivatives are of one number");
        return refused(message, "name a number with --of, or leave --of out for the objective");
    }
    if let ArrayKind::Partials(2..) = request.kind
        && let Some(at) = wrt.iter().position(|x| !is_scalar(x))
    {
        let message = format!("`{}` is an array; its second derivative is a Hessian", request.wrt[at]);
        return refused(message, "ask for --hessian, or for --hvp v: the Hessian times a direction");
    }
    let rank = |x: &Id| model.graph.shape(*x).rank();
    let most = wrt.iter().map(rank).max().unwrap_or(0);
    let axes = match request.kind {
        ArrayKind::Hessian => 2 * most,
        _ => most + rank(&y),
    };
    if axes > MAX_RANK {
        let message = format!("the derivative would have {axes} axes, more than {MAX_RANK}");
        return refused(message, "derive by an array of fewer axes, or ask for --hvp v");
    }
    Ok(())
}

/// The node of a parameter, an input or a value.
fn place(model: &Model, name: &str) -> Result<Id, Error> {
    match model.values.iter().find(|value| value.name == name) {
        Some(value) => Ok(value.node),
        None => input(model, name),
    }
}

pub(crate) fn input(model: &Model, name: &str) -> Result<Id, Error> {
    let params = model.params.iter().map(|param| (&param.name, param.node));
    let inputs = model.inputs.iter().map(|input| (&input.name, input.node));
    let found = params.clone().chain(inputs.clone()).find(|(known, _)| *known == name);
    found.map(|(_, node)| node).ok_or_else(|| {
        let values = model.values.iter().map(|value| value.name.as_str());
        let known =
            || params.clone().chain(inputs.clone()).map(|(name, _)| name.as_str()).chain(values.clone());
        let hint = match suggest(name, known()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has {}", known().collect::<Vec<_>>().join(", ")),
        };
        let message = format!("the program has no parameter, input or value `{name}`");
        Error::input(Diagnostic::error(message).hint(hint))
    })
}
