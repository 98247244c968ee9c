//! Derivatives of a program's objective by whole arrays, as matrix expressions in the program's
//! own names.
//!
//! What must stay true: a value the program defines is simplified, but never taken apart where it
//! is used; in the result its name stands for it.

use crate::derivation::Derivation;
use crate::differentiate::{self, Mode};
use crate::elaborate::program::Model;
use crate::error::{Diagnostic, Error};
use crate::ir::{Elementwise, Function, Graph, Id, Op, Selection, Shape, Symbol};
use crate::simplify::simplified_around;

/// ∂objective/∂x for each named parameter or input, each of the shape of `x`.
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
/// For a name that is no parameter or input, and for a program without objective.
pub fn gradients(model: &Model, wrt: &[String], derivation: &Derivation) -> Result<Function, Error> {
    let objective = model.objective()?.node;
    let names: Vec<&str> = model.values.iter().map(|value| value.name.as_str()).collect();
    let values: Vec<Id> = model.values.iter().map(|value| value.node).collect();
    let symbols: Vec<Symbol> = model.graph.symbols().collect();
    let inputs = wrt.iter().map(|name| input(model, name)).collect::<Result<Vec<Id>, Error>>()?;
    let function = Function::new(model.graph.clone(), symbols, vec![objective]);
    let (function, values) = simplified_around(function, &values, derivation.level, derivation.purpose);
    let function = function.rooted();
    let y = function.outputs()[0];
    let derived = function.derive(|graph| match derivation.mode {
        Mode::Reverse => pulled_back(graph, y, &inputs),
        Mode::Forward => inputs.iter().map(|&x| pushed_forward(graph, y, x)).collect(),
    });
    let (derived, values) = simplified_around(derived, &values, derivation.level, derivation.purpose);
    Ok(named(derived, &names, &values))
}

fn input(model: &Model, name: &str) -> Result<Id, Error> {
    let params = model.params.iter().map(|param| (&param.name, param.node));
    let inputs = model.inputs.iter().map(|input| (&input.name, input.node));
    let found = params.clone().chain(inputs.clone()).find(|(known, _)| *known == name);
    found.map(|(_, node)| node).ok_or_else(|| {
        let known: Vec<&str> = params.chain(inputs).map(|(name, _)| name.as_str()).collect();
        Error::input(
            Diagnostic::error(format!("the program has no parameter or input `{name}`"))
                .hint(format!("it has {}", known.join(", "))),
        )
    })
}

fn pulled_back(graph: &mut Graph, y: Id, inputs: &[Id]) -> Vec<Id> {
    let one = graph.integer(1);
    let bars = differentiate::vjp(graph, &[(y, one)], inputs);
    bars.into_iter().zip(inputs).map(|(bar, &x)| bar.unwrap_or_else(|| zeros(graph, x))).collect()
}

/// The gradient by `x` one element at a time: the tangents along the unit directions.
fn pushed_forward(graph: &mut Graph, y: Id, x: Id) -> Id {
    let shape = graph.shape(x).clone();
    let size = shape.size() as u32;
    let place = graph.iota(size);
    let partials: Vec<Id> = (0..size)
        .map(|i| {
            let at = graph.integer(i64::from(i));
            let (one, zero) = (graph.integer(1), graph.integer(0));
            let here = graph.compare(Selection::Equal, &[place, at]);
            let unit = graph.select(here, one, zero);
            let direction = graph.reshape(unit, &shape);
            differentiate::jvp(graph, &[y], &[(x, direction)])[0].unwrap_or(zero)
        })
        .collect();
    let flat = graph.stack(&partials);
    graph.reshape(flat, &shape)
}

fn zeros(graph: &mut Graph, like: Id) -> Id {
    let (zero, shape) = (graph.integer(0), graph.shape(like).clone());
    graph.broadcast(zero, ((1u16 << shape.rank()) - 1) as u8, &shape)
}

/// The function with the names of values for the values, where one is more than a name already.
fn named(function: Function, names: &[&str], values: &[Id]) -> Function {
    let outputs = function.outputs().to_vec();
    let renamed = function.into_derived(|graph| {
        let mut by: Vec<(Id, Id)> = Vec::new();
        for (&value, &name) in values.iter().zip(names) {
            let is_atom = matches!(graph.op(value), Op::Input(_) | Op::Constant(_));
            if !is_atom && graph.symbol(name).is_none() && by.iter().all(|(known, _)| *known != value) {
                let ty = graph.node(value).ty;
                by.push((value, graph.input_of(name, ty)));
            }
        }
        let slopes: Vec<(Id, Id)> =
            by.iter().filter_map(|&(value, name)| slope(graph, value, name, &by)).collect();
        by.extend(slopes);
        graph.replaced(&outputs, &by)
    });
    let symbols: Vec<Symbol> = renamed.graph().symbols().collect();
    let used = renamed.with_inputs(symbols);
    let inputs = used.used_inputs();
    used.with_inputs(inputs)
}

/// What a textbook writes for the slope of a function whose value has a name: 1 - h² for sech(z)²
/// where h = tanh(z), and h > 0 for z > 0 where h = relu(z) and z has no name.
fn slope(graph: &mut Graph, value: Id, name: Id, named: &[(Id, Id)]) -> Option<(Id, Id)> {
    let Op::Elementwise(op) = graph.op(value) else { return None };
    let z = *graph.operands(value).first()?;
    let constant = |graph: &mut Graph, n: i64, shape: &Shape| {
        let number = graph.integer(n);
        graph.broadcast(number, ((1u16 << shape.rank()) - 1) as u8, shape)
    };
    match op {
        Elementwise::Tanh => {
            let shape = graph.shape(z).clone();
            let (one, two) = (constant(graph, 1, &shape), constant(graph, 2, &shape));
            let sech = graph.apply(Elementwise::Sech, &[z]);
            let (slope, square) =
                (graph.apply(Elementwise::Pow, &[sech, two]), graph.apply(Elementwise::Pow, &[name, two]));
            Some((slope, graph.apply(Elementwise::Sub, &[one, square])))
        }
        Elementwise::Relu if named.iter().all(|(known, _)| *known != z) => {
            let shape = graph.shape(z).clone();
            let zero = constant(graph, 0, &shape);
            let is_active = graph.compare(Selection::Less, &[zero, z]);
            Some((is_active, graph.compare(Selection::Less, &[zero, name])))
        }
        _ => None,
    }
}
