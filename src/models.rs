//! Programs as functions of their inputs and parameters, and what runs them: value, gradients,
//! tangents, Hessian products over whole arrays.
//!
//! What must stay true: a function's inputs are the program's inputs, then its parameters, in the
//! order of declaration, used or not; directions of tangents come after them.

use crate::Mode;
use crate::derivation::Derivation;
use crate::differentiate;
use crate::elaborate::program::Model;
use crate::engine::Engine;
use crate::error::Error;
use crate::gradients::{ArrayKind, ArrayRequest, derive_arrays, direction, input, jacobian, pulled_back};
pub use crate::ir::Id as Node;
use crate::ir::eval::Interpreter;
use crate::ir::{DType, Function, Graph, Id, Op, Symbol};
use crate::jit::tensor::{TensorKernel, Workspace};
use crate::loops::tensor::TensorOptions;
use crate::simplify::{Level, Purpose, prepared, simplified};

/// An input or parameter of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    pub name: String,
    pub shape: Vec<usize>,
    pub is_param: bool,
}

impl Slot {
    /// How many numbers it takes.
    pub fn size(&self) -> usize {
        self.shape.iter().product()
    }
}

/// The inputs of a program, then its parameters.
pub fn slots(model: &Model) -> Vec<Slot> {
    let slot = |name: &str, node: Id, is_param| {
        let extents = model.graph.shape(node).extents();
        Slot { name: name.to_owned(), shape: extents.iter().map(|&d| d as usize).collect(), is_param }
    };
    let inputs = model.inputs.iter().map(|input| slot(&input.name, input.node, false));
    inputs.chain(model.params.iter().map(|param| slot(&param.name, param.node, true))).collect()
}

/// Some nodes of a program as a function; truth values become 0 and 1.
///
/// ```
/// use symdiff::elaborate::program::{Phase, read_program};
/// use symdiff::{ArrayEvaluator, Engine, Level, Limits};
///
/// let text = "input x[2]\nparam w[2] = 1\nz = w·x\nloss = z^2";
/// let model = read_program(text, Phase::Predict, &Limits::default())?;
/// let nodes: Vec<_> = model.values.iter().map(|value| value.node).collect();
/// let function = symdiff::models::function_of(&model, &nodes);
/// let mut run = ArrayEvaluator::new(&function, Engine::Jit, Level::Fast)?;
/// assert_eq!(run.call(&[1.0, 2.0, 3.0, 4.0])?, [11.0, 121.0]);   // x, then w
/// # Ok::<(), symdiff::Error>(())
/// ```
pub fn function_of(model: &Model, nodes: &[Id]) -> Function {
    let mut graph = model.graph.clone();
    let outputs = nodes.iter().map(|&node| as_number(&mut graph, node)).collect();
    Function::new(graph, model.symbols(), outputs)
}

fn as_number(graph: &mut Graph, node: Id) -> Id {
    match graph.ty(node).dtype {
        DType::Bool => {
            let (one, zero) = (graph.integer(1), graph.integer(0));
            graph.select(node, one, zero)
        }
        _ => node,
    }
}

/// The objective in the form that is differentiated for machines.
fn stable_objective(model: &Model, derivation: &Derivation) -> Result<Function, Error> {
    let function = function_of(model, &[model.objective()?.node]);
    Ok(prepared(function, derivation.level, derivation.purpose).rooted())
}

/// The objective, then its derivatives by the named arrays, each of the array's shape.
///
/// # Errors
/// For a name that is no input or parameter, and for a program without objective.
pub fn value_and_gradients(
    model: &Model,
    wrt: &[String],
    derivation: &Derivation,
) -> Result<Function, Error> {
    let names = wrt.iter().map(|name| input(model, name)).collect::<Result<Vec<Id>, Error>>()?;
    let function = stable_objective(model, derivation)?;
    let y = function.outputs()[0];
    let derived = function.into_derived(|graph| {
        let inputs: Vec<Id> = names.iter().map(|&node| same(graph, model, node)).collect();
        let gradients = match derivation.mode {
            Mode::Reverse => pulled_back(graph, y, &inputs),
            Mode::Forward => inputs.iter().map(|&x| jacobian(graph, y, x, Mode::Forward)).collect(),
        };
        std::iter::once(y).chain(gradients).collect()
    });
    Ok(simplified(derived, derivation.level, derivation.purpose))
}

/// The objective's tangent along inputs `v_x`, … added after the others, one for each named array.
///
/// # Errors
/// As [`value_and_gradients`].
pub fn tangent(model: &Model, wrt: &[String], derivation: &Derivation) -> Result<Function, Error> {
    let names = wrt.iter().map(|name| input(model, name)).collect::<Result<Vec<Id>, Error>>()?;
    let function = stable_objective(model, derivation)?;
    let (y, mut inputs) = (function.outputs()[0], function.inputs().to_vec());
    let derived = function.into_derived(|graph| {
        let mut seeds = Vec::new();
        for (&node, name) in names.iter().zip(wrt) {
            let x = same(graph, model, node);
            let x_dot = direction(graph, x, name);
            seeds.push((x, x_dot));
            inputs.extend(graph.input_symbol(x_dot));
        }
        let zero = graph.integer(0);
        vec![differentiate::jvp(graph, &[y], &seeds)[0].unwrap_or(zero)]
    });
    Ok(simplified(derived.with_inputs(inputs), derivation.level, derivation.purpose))
}

/// The Hessian of the objective times inputs `v_x`, … added after the others: for each named
/// array one of its shape, and one output of its shape.
///
/// # Errors
/// As [`value_and_gradients`].
pub fn hessian_product(model: &Model, wrt: &[String], derivation: &Derivation) -> Result<Function, Error> {
    derive_arrays(model, &ArrayRequest { of: None, wrt, kind: ArrayKind::HessianProduct }, derivation)
}

/// The node of a model's input in a graph that has been simplified since.
fn same(graph: &mut Graph, model: &Model, node: Id) -> Id {
    match model.graph.op(node) {
        Op::Input(symbol) => {
            let (name, ty) = (model.graph.symbol_name(symbol), model.graph.ty(node).clone());
            let ty = graph.type_id(ty);
            graph.input_of(name, ty)
        }
        _ => node,
    }
}

/// A function over arrays ready to be called; loops stay loops, however large the arrays.
pub struct ArrayEvaluator {
    program: Running,
    /// The size of each input and output.
    inputs: Vec<usize>,
    outputs: Vec<usize>,
}

enum Running {
    Compiled(Box<TensorKernel>, Workspace),
    Interpreted(Function),
}

impl ArrayEvaluator {
    /// Compiles a function, or prepares it for the reference interpreter.
    ///
    /// # Errors
    /// When the code generator refuses the function.
    pub fn new(function: &Function, engine: Engine, level: Level) -> Result<ArrayEvaluator, Error> {
        let stable = simplified(function.clone(), level, Purpose::Compute);
        let graph = stable.graph();
        let size = |&symbol: &Symbol| graph.type_of(graph.symbol_type(symbol)).shape.size();
        let inputs = stable.inputs().iter().map(size).collect();
        let outputs = stable.outputs().iter().map(|&id| graph.shape(id).size()).collect();
        let program = match engine {
            Engine::Jit => {
                let kernel = TensorKernel::compile(&stable, &TensorOptions::default())?;
                let workspace = kernel.workspace();
                Running::Compiled(Box::new(kernel), workspace)
            }
            Engine::Interpreter => Running::Interpreted(stable),
        };
        Ok(ArrayEvaluator { program, inputs, outputs })
    }

    /// The size of each output.
    pub fn output_sizes(&self) -> &[usize] {
        &self.outputs
    }

    /// The outputs one after another, for inputs one after another, each row-major.
    ///
    /// # Errors
    /// When the inputs have another number of elements in all.
    pub fn call(&mut self, inputs: &[f64]) -> Result<Vec<f64>, Error> {
        crate::engine::check_length("inputs", inputs.len(), self.inputs.iter().sum())?;
        match &mut self.program {
            Running::Compiled(kernel, workspace) => {
                let mut rest = inputs;
                for (i, &size) in self.inputs.iter().enumerate() {
                    let (values, others) = rest.split_at(size);
                    workspace.set(i, values)?;
                    rest = others;
                }
                kernel.run(workspace);
                let mut outputs = vec![0.0; self.outputs.iter().sum()];
                let mut rest = outputs.as_mut_slice();
                for (i, &size) in self.outputs.iter().enumerate() {
                    let (values, others) = rest.split_at_mut(size);
                    workspace.get(i, values)?;
                    rest = others;
                }
                Ok(outputs)
            }
            Running::Interpreted(function) => {
                Ok(Interpreter::new(function.graph(), function.inputs(), function.outputs()).run(inputs))
            }
        }
    }
}
