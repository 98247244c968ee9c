//! Programs (`.sd` files) → [`Model`]: names are resolved once (`collect`, `resolve`), then bodies
//! run over a graph (`machine`), demand by demand, index notation by named axes (`align`,
//! `product`, `ranges`, `index`); the plans of training and data are read (`plan`, `optimize`).
//!
//! What must stay true: nothing is guessed; every shape is known and checked here, before anything
//! runs; operators on plain values obey the rules of formulas ([`super::apply`]), in their words.

mod align;
mod arrays;
mod builder;
mod call;
mod circles;
mod collect;
mod compute;
mod constants;
mod extra;
mod frames;
mod index;
mod library;
mod machine;
mod metrics;
mod model;
mod optimize;
mod place;
mod plan;
mod product;
mod ranges;
mod reduce;
mod remarks;
mod replace;
mod resolve;
mod scan;
mod slots;
mod unit;
mod value;
mod words;

pub use builder::ModelBuilder;
pub use metrics::{Metric, MetricKind};
pub use model::{Clock, Init, Input, MADE_IN_CODE, Model, Noise, Objective, Output, Param, Phase, Sense};
pub use plan::{Batch, ColumnPick, DataPlan, Driver, Missing, OptimizerPlan, Source, TrainPlan};
pub use remarks::moving;
pub use replace::with_values;

use crate::elaborate::apply::not_a_number;
use crate::error::{Diagnostic, Error, Span};
use crate::ir::structural::MAX_RANK;
use crate::ir::{DType, Function, Graph, Id, Symbol};
use crate::limits::Limits;
use crate::syntax::program::{self as tree, FunctionKind};
use machine::{Machine, PROGRAM};
use std::sync::Arc;
use unit::{SlotKind, Unit};
use value::Value;

/// Reads a program for one example.
///
/// # Errors
/// [`Error::is_syntax`] where the text is no program, [`Error::is_name`] for names unknown, defined
/// twice or in a circle, [`Error::is_shape`] where shapes do not fit, [`Error::is_input`] for
/// settings that make no sense, [`Error::is_limit`] where a budget is exceeded. Each with its place.
///
/// ```
/// use symdiff::elaborate::program::{Phase, read_program};
/// use symdiff::Limits;
///
/// let text = "
///     input x[2], y
///     param w[2] = 0.5, b = 0
///     loss = mse(w·x + b, y)
///     train { optimizer = gd(lr = 0.1), steps = 100 }";
/// let model = read_program(text, Phase::Train, &Limits::default())?;
/// assert_eq!(model.params.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["w", "b"]);
/// assert_eq!(model.train.steps, Some(100));
/// # Ok::<(), symdiff::Error>(())
/// ```
pub fn read_program(source: &str, phase: Phase, limits: &Limits) -> Result<Model, Error> {
    let unit = resolved(source, limits)?;
    model_of(&unit, phase, limits).map(|(model, _)| model).map_err(|error| error.in_source(source))
}

/// Reads a program as it is trained, and as it predicts.
///
/// # Errors
/// As [`read_program`].
pub fn read_phases(source: &str, limits: &Limits) -> Result<[Model; 2], Error> {
    let unit = resolved(source, limits)?;
    let of = |phase| model_of(&unit, phase, limits).map_err(|error| error.in_source(source));
    let (train, differs) = of(Phase::Train)?;
    let predict = if differs { of(Phase::Predict)?.0 } else { train.clone() };
    Ok([train, predict])
}

fn resolved(source: &str, limits: &Limits) -> Result<Arc<Unit>, Error> {
    let program = tree::parse(source, limits)?;
    Ok(Arc::new(resolve::resolve(program, false).map_err(|error| error.in_source(source))?))
}

/// The model of a phase, and whether something in it asks which phase it is.
fn model_of(unit: &Arc<Unit>, phase: Phase, limits: &Limits) -> Result<(Model, bool), Error> {
    let mut graph = Graph::new();
    let mut machine = Machine::new(&mut graph, unit, phase, limits);
    let values = values(&mut machine)?;
    let objective = objective(&mut machine, &values)?;
    let metrics = metrics::metrics(&mut machine)?;
    let train = train_plan(&mut machine)?;
    let data = data_plan(&mut machine)?;
    // Demand made them in another order: layers' parameters come where their layers are called.
    let mut made = std::mem::take(&mut machine.made);
    made.inputs.sort_by_key(|input| input.span.start);
    made.params.sort_by(|a, b| a.0.cmp(&b.0));
    let notes = std::mem::take(&mut machine.notes);
    let origins = machine.origins();
    let differs = machine.asks_phase;
    check_memory(&graph, made.params.iter().map(|(_, param)| param), limits)?;
    let parts = Parts {
        graph,
        inputs: made.inputs,
        params: made.params.into_iter().map(|(_, param)| param).collect(),
        noises: made.noises,
        values,
        objective,
        metrics,
    };
    let mut model = assembled(parts.compacted(), (train, data), unit, limits)?;
    model.notes = notes.finish(unit.ast.source());
    model.origins = Arc::new(origins);
    check_update(&model)?;
    remarks::on_model(&mut model)?;
    crate::ir::verify::debug_verify(&model.graph, &roots(&model), "elaborate::program");
    Ok((model, differs))
}

/// Refuses parameters that no memory should hold, before they are made.
fn check_memory<'p>(
    graph: &Graph,
    params: impl Iterator<Item = &'p Param> + Clone,
    limits: &Limits,
) -> Result<(), Error> {
    let bytes = |param: &Param| graph.shape(param.node).size().saturating_mul(size_of::<f64>());
    let needed = params.clone().map(bytes).fold(0, usize::saturating_add);
    let Some(largest) = params.max_by_key(|param| bytes(param)).filter(|_| needed > limits.arena_bytes)
    else {
        return Ok(());
    };
    let message = format!("the parameters have {needed} bytes; at most {} are taken", limits.arena_bytes);
    let label = format!("`{}` is the largest", largest.name);
    let hint = "declare smaller ones, or raise --max-arena-bytes";
    Err(Error::limit(Diagnostic::error(message).at(largest.span, label).hint(hint)))
}

/// What a model computes, from a text or made in code.
struct Parts {
    graph: Graph,
    inputs: Vec<Input>,
    params: Vec<Param>,
    noises: Vec<Noise>,
    values: Vec<Output>,
    objective: Option<Objective>,
    metrics: Vec<Metric>,
}

impl Parts {
    /// The same without the inputs that only stood for something while the program was read.
    fn compacted(mut self) -> Parts {
        let (kept, gone): (Vec<Symbol>, Vec<Symbol>) =
            self.graph.symbols().partition(|&s| !scan::is_placeholder(self.graph.symbol_name(s)));
        if gone.is_empty() {
            return self;
        }
        let graph = std::mem::take(&mut self.graph);
        let nodes: Vec<Id> = self.nodes().into_iter().map(|node| *node).collect();
        let compacted = Function::new(graph, kept, nodes).compacted();
        for (node, &new) in self.nodes().into_iter().zip(compacted.outputs()) {
            *node = new;
        }
        self.graph = compacted.graph().clone();
        self
    }

    /// Every node that is named.
    fn nodes(&mut self) -> Vec<&mut Id> {
        let inputs = self.inputs.iter_mut().map(|input| &mut input.node);
        let params = self.params.iter_mut().map(|param| &mut param.node);
        let noises = self.noises.iter_mut().map(|noise| &mut noise.node);
        let outputs = self.values.iter_mut().map(|output| &mut output.node);
        let outputs = outputs.chain(self.metrics.iter_mut().map(|metric| &mut metric.node));
        let objective = self.objective.iter_mut().map(|objective| &mut objective.node);
        inputs.chain(params).chain(noises).chain(outputs).chain(objective).collect()
    }
}

/// A model of its parts and the plans of `unit`, its optimizer chosen.
fn assembled(
    parts: Parts,
    (mut train, data): (TrainPlan, DataPlan),
    unit: &Arc<Unit>,
    limits: &Limits,
) -> Result<Model, Error> {
    default_optimizer(&mut train.optimizer, parts.inputs.is_empty());
    train.optimizer.driver = optimize::driver(unit, &train.optimizer);
    plan::check_driver(&train)?;
    check_ranks(&parts)?;
    train.optimizer.states = optimize::states(unit, limits, &train.optimizer)?;
    Ok(Model {
        graph: parts.graph,
        inputs: parts.inputs,
        params: parts.params,
        noises: parts.noises,
        values: parts.values,
        objective: parts.objective,
        metrics: parts.metrics,
        train,
        data,
        notes: Vec::new(),
        origins: Arc::default(),
        unit: Arc::clone(unit),
        limits: limits.clone(),
        made: None,
    })
}

/// One axis is left for the examples of a batch.
fn check_ranks(parts: &Parts) -> Result<(), Error> {
    let is_deep = |id: Id| parts.graph.shape(id).rank() >= MAX_RANK;
    if parts.inputs.is_empty() || !parts.graph.ids().any(is_deep) {
        return Ok(());
    }
    let inputs = parts.inputs.iter().map(|input| (input.node, input.span));
    let params = parts.params.iter().map(|param| (param.node, param.span));
    let values = parts.values.iter().map(|value| (value.node, value.span));
    let named = inputs.chain(params).chain(values).find(|&(node, _)| is_deep(node));
    let diagnostic = Diagnostic::error(format!("an array of {MAX_RANK} axes leaves none for the examples"))
        .hint(format!("{} are the most in a program with inputs", MAX_RANK - 1));
    Err(Error::limit(match named {
        Some((_, span)) => diagnostic.at(span, format!("has {MAX_RANK}")),
        None => diagnostic,
    }))
}

fn roots(model: &Model) -> Vec<Id> {
    let outputs = model.values.iter().map(|output| output.node);
    let outputs = outputs.chain(model.metrics.iter().map(|metric| metric.node));
    outputs.chain(model.objective.iter().map(|o| o.node)).collect()
}

/// All definitions without parameters, in the order of the text.
fn values(machine: &mut Machine<'_, '_>) -> Result<Vec<Output>, Error> {
    let mut values = Vec::new();
    let block = &machine.user.blocks[0];
    for (slot, definition) in block.slots.iter().enumerate() {
        if let SlotKind::Function(function) = definition.kind
            && machine.user.blocks[function].kind == FunctionKind::Optimizer
        {
            continue;
        }
        let value = machine.slot(PROGRAM, slot)?;
        if let (SlotKind::Value(body), false) = (&definition.kind, matches!(value, Value::Function(_))) {
            let span = machine.user.ast.span(body.root);
            let tensor = machine.tensor(&value, span).map_err(|fault| machine.located(*fault))?;
            values.push(Output { name: definition.name.clone(), node: tensor.node, span: definition.span });
        }
    }
    Ok(values)
}

/// A single number; arrays need their mean.
fn number(machine: &Machine<'_, '_>, node: Id, span: Span, what: &str) -> Result<Id, Error> {
    let shape = machine.graph.shape(node);
    if shape.is_scalar() {
        return Ok(node);
    }
    let text = words::quoted(span.text(machine.user.ast.source()));
    let diagnostic = Diagnostic::error(format!("{what} is one number, and this has shape {shape}"));
    Err(Error::shape(diagnostic.at(span, format!("shape {shape}")).hint(format!("write `mean({text})`"))))
}

fn objective(machine: &mut Machine<'_, '_>, values: &[Output]) -> Result<Option<Objective>, Error> {
    let unit = machine.user;
    let loss = values.iter().find(|value| value.name == "loss");
    let (name, node, sense, span) = match (unit.requests.objectives.as_slice(), loss) {
        ([], None) => return Ok(None),
        ([], Some(loss)) => (loss.name.clone(), loss.node, Sense::Minimize, loss.span),
        ([(maximize, word, body)], _) => {
            let sense = if *maximize { Sense::Maximize } else { Sense::Minimize };
            let span = unit.ast.span(body.root);
            let node = machine.evaluate(PROGRAM, *body)?.node;
            (words::quoted(span.text(unit.ast.source())), node, sense, word.to(span))
        }
        ([first, second, ..], _) => {
            let diagnostic = Diagnostic::error("a program has one objective").at(second.1, "a second one");
            return Err(Error::syntax(
                diagnostic.and_at(first.1, "the first").hint("add them up, with weights"),
            ));
        }
    };
    let place = match (unit.requests.objectives.as_slice(), loss) {
        ([], Some(loss)) => loss_body(unit, &loss.name),
        _ => span,
    };
    if machine.graph.ty(node).dtype == DType::Bool {
        return Err(Error::shape(not_a_number(unit.ast.source(), place)));
    }
    let node = number(machine, node, place, "an objective")?;
    Ok(Some(Objective { name, node, sense, span }))
}

fn loss_body(unit: &Unit, name: &str) -> Span {
    let slot = unit.blocks[0].slots.iter().find(|slot| slot.name == name);
    match slot.map(|slot| &slot.kind) {
        Some(SlotKind::Value(body)) => unit.ast.span(body.root),
        _ => Span::default(),
    }
}

fn train_plan(machine: &mut Machine<'_, '_>) -> Result<TrainPlan, Error> {
    let unit = machine.user;
    only_one(&unit.requests.train, "train")?;
    let settings = unit.requests.train.first().map_or(&[][..], |(_, settings)| settings);
    plan::train(unit, settings, |body| {
        let tensor = machine.evaluate(PROGRAM, body)?;
        machine.constant(tensor.node).ok_or_else(|| {
            let diagnostic = Diagnostic::error("a setting is a number known beforehand");
            Error::shape(diagnostic.at(unit.ast.span(body.root), "depends on inputs or parameters"))
        })
    })
}

fn data_plan(machine: &mut Machine<'_, '_>) -> Result<DataPlan, Error> {
    let unit = machine.user;
    only_one(&unit.requests.data, "data")?;
    let settings = unit.requests.data.first().map_or(&[][..], |(_, settings)| settings);
    let mut inputs: Vec<(u32, String)> =
        machine.made.inputs.iter().map(|input| (input.span.start, input.name.clone())).collect();
    inputs.sort();
    let inputs: Vec<String> = inputs.into_iter().map(|input| input.1).collect();
    plan::data(unit, settings, &inputs, |body| {
        let tensor = machine.evaluate(PROGRAM, body)?;
        constants::values(machine.graph, tensor.node).ok_or_else(|| {
            let diagnostic = Diagnostic::error("a list of data holds numbers");
            Error::shape(diagnostic.at(unit.ast.span(body.root), "depends on inputs or parameters"))
        })
    })
}

fn only_one(blocks: &[(Span, Vec<tree::Setting>)], word: &str) -> Result<(), Error> {
    match blocks {
        [(first, _), (second, _), ..] => {
            let diagnostic = Diagnostic::error(format!("a second `{word}` block")).at(*second, "again");
            Err(Error::syntax(diagnostic.and_at(*first, "first").hint("put the settings into one")))
        }
        _ => Ok(()),
    }
}

/// Without data the whole problem is known, and a quasi-Newton method is best.
fn default_optimizer(optimizer: &mut OptimizerPlan, without_data: bool) {
    match optimizer.body {
        Some(_) => {}
        None if without_data => optimizer.name = "lbfgs".to_owned(),
        None => optimizer.name = "adam".to_owned(),
    }
}

/// The update is tried on a single number, so that its faults are told before training.
fn check_update(model: &Model) -> Result<(), Error> {
    let mut graph = Graph::new();
    let mut input = |name: &str| graph.input(name);
    let (w, g) = (input("w"), input("g"));
    let clock = Clock {
        step: input("step"),
        steps: input("steps"),
        epoch: input("epoch"),
        plateaus: input("plateaus"),
    };
    let states: Vec<Id> =
        (0..model.train.optimizer.states.len()).map(|i| input(&format!("state{i}"))).collect();
    let plan = &model.train.optimizer;
    optimize::update(&model.unit, &model.limits, plan, &mut graph, &clock, w, g, &states).map(|_| ())
}
