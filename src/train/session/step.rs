//! One training step as one function: take the batch, forward, backward, clip, update.
//!
//! What must stay true: inputs and outputs are where [`Layout`] says; a parameter and its states
//! are updated where they are stored; everything is written in the graph, nothing is left to the
//! loop that calls it.

use crate::batch::{Batched, batch};
use crate::differentiate::{jvp, vjp};
use crate::elaborate::program::{Clock, Model, Sense};
use crate::error::Error;
use crate::ir::{DType, Elementwise, Function, Graph, Id, Op, Selection, Shape, Symbol, Type};
use crate::simplify::{Level, Purpose, prepared, simplified};

/// Where things are among the inputs and outputs of a step.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    /// The whole table of each input of the program.
    pub data: Vec<usize>,
    /// The rows of this step, where a step does not take them all.
    pub rows: Option<usize>,
    pub noises: Vec<usize>,
    /// Step, steps, epoch, plateaus.
    pub clock: [usize; 4],
    pub params: Vec<usize>,
    /// Of each parameter, the optimiser's.
    pub states: Vec<Vec<usize>>,
    /// Output: the mean loss before the update.
    pub loss: usize,
    /// Output: the length of the gradient before clipping.
    pub norm: usize,
    /// Output: the learning rate, if the optimiser has one.
    pub rate: Option<usize>,
    /// Outputs: the gradients, where the step does not use them up itself.
    pub gradients: Vec<usize>,
    /// The directions the Hessian is multiplied by, of a function that does that.
    pub directions: Vec<usize>,
    /// Outputs that are stored where inputs are.
    pub in_place: Vec<(usize, usize)>,
}

/// A function under construction, and the inputs it has so far.
struct Inputs {
    symbols: Vec<Symbol>,
}

impl Inputs {
    /// One more input, of a name no other has.
    fn add(&mut self, graph: &mut Graph, name: &str, shape: Shape) -> (usize, Id) {
        let mut name = name.to_owned();
        while graph.symbol(&name).is_some() {
            name.push('\'');
        }
        let ty = graph.type_id(Type::new(DType::F64, shape));
        let node = graph.input_of(&name, ty);
        (self.keep(graph, node), node)
    }

    /// An input that the graph has already.
    fn keep(&mut self, graph: &Graph, node: Id) -> usize {
        if let Op::Input(symbol) = graph.op(node) {
            self.symbols.push(symbol);
        }
        self.symbols.len() - 1
    }
}

fn behind(extent: u32, shape: &Shape) -> Shape {
    Shape::new(std::iter::once(extent).chain(shape.extents().iter().copied()))
}

/// A graph of a model's objective for one example, in its stable form.
pub(super) fn stable(model: &Model, roots: Vec<Id>) -> (Graph, Vec<Id>) {
    let symbols = model.graph.symbols().collect();
    let function = Function::new(model.graph.clone(), symbols, roots);
    let stable = prepared(function, Level::Fast, Purpose::Compute);
    (stable.graph().clone(), stable.outputs().to_vec())
}

/// The step of a model over a table of `count` examples, `size` of them at a time.
///
/// `stretch` multiplies the way each parameter goes, as a larger learning rate does.
pub(super) fn step(
    model: &Model,
    (count, size): (u32, u32),
    stretch: f64,
) -> Result<(Function, Layout), Error> {
    let objective = model.objective()?;
    let (mut graph, roots) = stable(model, vec![objective.node]);
    let mut inputs = Inputs { symbols: Vec::new() };
    let mut layout = Layout::default();
    let loss = batched_loss(&mut graph, model, roots[0], (count, size), &mut inputs, &mut layout);
    let clock = clock(&mut graph, &mut inputs, &mut layout);

    let params: Vec<Id> =
        model.params.iter().map(|param| graph_input(&mut graph, model, param.node)).collect();
    layout.params = params.iter().map(|&param| inputs.keep(&graph, param)).collect();
    // Who searches himself knows the sense, and needs the value that goes with the gradient.
    let drives = model.train.optimizer.driver.is_some();
    let loss = if drives { penalised(&mut graph, model, &params, loss) } else { loss };
    let uphill = objective.sense == Sense::Maximize && !drives;
    let downhill = if uphill { graph.apply(Elementwise::Neg, &[loss]) } else { loss };
    let gradients = gradients(&mut graph, downhill, &params);
    let gradients = if drives { gradients } else { decayed(&mut graph, model, &params, gradients) };
    let norm = length(&mut graph, &gradients);
    let gradients = if drives { gradients } else { clipped(&mut graph, model, norm, gradients) };

    let mut outputs = Vec::new();
    if drives {
        // The parameters stay as they are; the driver moves them, and keeps its own account.
        layout.states = vec![Vec::new(); params.len()];
        layout.in_place = layout.params.iter().enumerate().map(|(k, &input)| (k, input)).collect();
        outputs.extend(&params);
        layout.gradients = (outputs.len()..outputs.len() + gradients.len()).collect();
        outputs.extend(&gradients);
    } else {
        outputs =
            updates(&mut graph, model, &clock, (&params, &gradients), stretch, &mut inputs, &mut layout)?;
    }
    layout.loss = outputs.len();
    layout.norm = layout.loss + 1;
    outputs.extend([loss, norm]);
    if let Some(rate) = model.learning_rate(&mut graph, &clock)? {
        layout.rate = Some(outputs.len());
        outputs.push(rate);
    }
    Ok((computed(graph, inputs, loss, outputs), layout))
}

/// The Hessian of the mean loss over `count` examples, weight decay included, times a direction.
pub(super) fn hessian_vector(model: &Model, count: u32) -> Result<(Function, Layout), Error> {
    let MeanLoss { mut graph, mut inputs, mut layout, params, loss, gradients } = mean_loss(model, count)?;
    let mut seeds = Vec::new();
    for (param, &w) in model.params.iter().zip(&params) {
        let shape = graph.shape(w).clone();
        let (place, direction) = inputs.add(&mut graph, &format!("direction of {}", param.name), shape);
        layout.directions.push(place);
        seeds.push((w, direction));
    }
    let products = jvp(&mut graph, &gradients, &seeds);
    let outputs: Vec<Id> = params
        .iter()
        .zip(products)
        .map(|(&w, product)| product.unwrap_or_else(|| zeros(&mut graph, w)))
        .collect();
    layout.gradients = (0..outputs.len()).collect();
    Ok((computed(graph, inputs, loss, outputs), layout))
}

/// The gradient of the mean loss over `count` examples, weight decay included.
pub(super) fn mean_gradient(model: &Model, count: u32) -> Result<(Function, Layout), Error> {
    let MeanLoss { graph, inputs, mut layout, loss, gradients, .. } = mean_loss(model, count)?;
    layout.gradients = (0..gradients.len()).collect();
    Ok((computed(graph, inputs, loss, gradients), layout))
}

/// What is computed of a loss, simplified in the light of where that is defined.
fn computed(graph: Graph, inputs: Inputs, loss: Id, outputs: Vec<Id>) -> Function {
    let function = Function::new(graph, inputs.symbols, vec![loss]).into_derived(|_| outputs);
    simplified(function, Level::Fast, Purpose::Compute)
}

/// The gradients of the mean loss over some examples by the parameters, and what they are built in.
struct MeanLoss {
    graph: Graph,
    inputs: Inputs,
    layout: Layout,
    params: Vec<Id>,
    loss: Id,
    gradients: Vec<Id>,
}

/// Over `count` examples, weight decay included.
fn mean_loss(model: &Model, count: u32) -> Result<MeanLoss, Error> {
    let objective = model.objective()?;
    let (mut graph, roots) = stable(model, vec![objective.node]);
    let mut inputs = Inputs { symbols: Vec::new() };
    let mut layout = Layout::default();
    let loss = batched_loss(&mut graph, model, roots[0], (count, count), &mut inputs, &mut layout);
    let params: Vec<Id> =
        model.params.iter().map(|param| graph_input(&mut graph, model, param.node)).collect();
    layout.params = params.iter().map(|&param| inputs.keep(&graph, param)).collect();
    let loss = penalised(&mut graph, model, &params, loss);
    let gradients = gradients(&mut graph, loss, &params);
    Ok(MeanLoss { graph, inputs, layout, params, loss, gradients })
}

/// The gradients by the parameters.
fn gradients(graph: &mut Graph, loss: Id, params: &[Id]) -> Vec<Id> {
    let one = graph.integer(1);
    let bars = vjp(graph, &[(loss, one)], params);
    params.iter().zip(bars).map(|(&w, bar)| bar.unwrap_or_else(|| zeros(graph, w))).collect()
}

/// The parameters and the optimiser's states after the step.
fn updates(
    graph: &mut Graph,
    model: &Model,
    clock: &Clock,
    (params, gradients): (&[Id], &[Id]),
    stretch: f64,
    inputs: &mut Inputs,
    layout: &mut Layout,
) -> Result<Vec<Id>, Error> {
    let mut outputs = Vec::new();
    for (k, (&w, &g)) in params.iter().zip(gradients).enumerate() {
        let states: Vec<(usize, Id)> = model
            .train
            .optimizer
            .states
            .iter()
            .map(|(name, _)| {
                let shape = graph.shape(w).clone();
                inputs.add(graph, &format!("{name} of {}", model.params[k].name), shape)
            })
            .collect();
        let nodes: Vec<Id> = states.iter().map(|state| state.1).collect();
        let (new, updated) = model.update(graph, clock, w, g, &nodes)?;
        let new = stretched(graph, w, new, stretch);
        let new = within(graph, new, model.params[k].bounds);
        layout.in_place.push((outputs.len(), layout.params[k]));
        outputs.push(shaped_like(graph, new, w));
        for ((place, state), updated) in states.iter().zip(updated) {
            layout.in_place.push((outputs.len(), *place));
            outputs.push(shaped_like(graph, updated, *state));
        }
        layout.states.push(states.into_iter().map(|state| state.0).collect());
    }
    Ok(outputs)
}

/// `w` after a way that is `stretch` times as long.
fn stretched(graph: &mut Graph, w: Id, new: Id, stretch: f64) -> Id {
    if stretch == 1.0 {
        return new;
    }
    let new = shaped_like(graph, new, w);
    let way = graph.apply(Elementwise::Sub, &[new, w]);
    let stretch = number(graph, stretch);
    let way = graph.apply(Elementwise::Mul, &[way, stretch]);
    graph.apply(Elementwise::Add, &[w, way])
}

/// The node of a model's input in a graph that has been simplified since.
fn graph_input(graph: &mut Graph, model: &Model, node: Id) -> Id {
    match model.graph.op(node) {
        Op::Input(symbol) => {
            let (name, ty) = (model.graph.symbol_name(symbol), model.graph.ty(node).clone());
            let ty = graph.type_id(ty);
            graph.input_of(name, ty)
        }
        _ => node,
    }
}

/// The mean of the loss over a batch.
fn batched_loss(
    graph: &mut Graph,
    model: &Model,
    loss: Id,
    (count, size): (u32, u32),
    inputs: &mut Inputs,
    layout: &mut Layout,
) -> Id {
    let mut many = Vec::new();
    let mut tables = Vec::new();
    for input in &model.inputs {
        let one = graph_input(graph, model, input.node);
        let shape = behind(count, graph.shape(one));
        let (place, table) = inputs.add(graph, &format!("table of {}", input.name), shape);
        layout.data.push(place);
        tables.push((one, table));
    }
    let rows = (size < count && !tables.is_empty()).then(|| inputs.add(graph, "rows", Shape::new([size])));
    layout.rows = rows.map(|rows| rows.0);
    for (one, table) in tables {
        many.push((one, rows.map_or(table, |(_, rows)| graph.gather(table, rows))));
    }
    for (k, noise) in model.noises.iter().enumerate() {
        let one = graph_input(graph, model, noise.node);
        let shape = behind(size, graph.shape(one));
        let (place, drawn) = inputs.add(graph, &format!("noise {k}"), shape);
        layout.noises.push(place);
        many.push((one, drawn));
    }
    match batch(graph, &[loss], &many, size)[0] {
        Batched::Once(loss) => loss,
        Batched::Each(losses) => {
            let (sum, size) = (graph.sum(losses, 1), graph.integer(i64::from(size)));
            graph.apply(Elementwise::Div, &[sum, size])
        }
    }
}

fn clock(graph: &mut Graph, inputs: &mut Inputs, layout: &mut Layout) -> Clock {
    let mut nodes = [None; 4];
    for (i, name) in ["step", "steps", "epoch", "plateaus"].into_iter().enumerate() {
        let (place, node) = inputs.add(graph, &format!("clock {name}"), Shape::scalar());
        layout.clock[i] = place;
        nodes[i] = Some(node);
    }
    let [step, steps, epoch, plateaus] = nodes.map(|node| node.expect("each was just made"));
    Clock { step, steps, epoch, plateaus }
}

fn zeros(graph: &mut Graph, like: Id) -> Id {
    let zero = graph.integer(0);
    shaped_like(graph, zero, like)
}

/// `x`, repeated to the shape of another node if it is a number.
fn shaped_like(graph: &mut Graph, x: Id, like: Id) -> Id {
    let shape = graph.shape(like).clone();
    match graph.is_scalar(x) {
        true => graph.broadcast(x, ((1u16 << shape.rank()) - 1) as u8, &shape),
        false => x,
    }
}

/// The objective made worse by l2/2·Σw², whose gradient [`decayed`] adds elsewhere.
fn penalised(graph: &mut Graph, model: &Model, params: &[Id], loss: Id) -> Id {
    let (Some(l2), Ok(objective)) = (model.train.l2, model.objective()) else { return loss };
    let squares = sum_of_squares(graph, params);
    let half = number(graph, if objective.sense == Sense::Maximize { -l2 } else { l2 } / 2.0);
    let penalty = graph.apply(Elementwise::Mul, &[half, squares]);
    graph.apply(Elementwise::Add, &[loss, penalty])
}

/// The gradients with the pull of weight decay.
fn decayed(graph: &mut Graph, model: &Model, params: &[Id], gradients: Vec<Id>) -> Vec<Id> {
    let Some(l2) = model.train.l2 else { return gradients };
    let l2 = number(graph, l2);
    let pulled = params.iter().zip(gradients).map(|(&w, g)| {
        let pull = graph.apply(Elementwise::Mul, &[l2, w]);
        graph.apply(Elementwise::Add, &[g, pull])
    });
    pulled.collect()
}

fn sum_of_squares(graph: &mut Graph, arrays: &[Id]) -> Id {
    let zero = graph.integer(0);
    arrays.iter().fold(zero, |sum, &x| {
        let square = graph.apply(Elementwise::Mul, &[x, x]);
        let axes = ((1u16 << graph.shape(x).rank()) - 1) as u8;
        let total = graph.sum(square, axes);
        graph.apply(Elementwise::Add, &[sum, total])
    })
}

/// The length of all gradients together.
fn length(graph: &mut Graph, gradients: &[Id]) -> Id {
    let squares = sum_of_squares(graph, gradients);
    graph.apply(Elementwise::Sqrt, &[squares])
}

/// The gradients within the bounds on their length, which is `norm`, and on their elements.
fn clipped(graph: &mut Graph, model: &Model, norm: Id, gradients: Vec<Id>) -> Vec<Id> {
    let plan = &model.train;
    let by_norm: Vec<Id> = match plan.clip_norm {
        None => gradients,
        Some(most) => {
            let (most, one) = (number(graph, most), graph.integer(1));
            let longer = graph.compare(Selection::Less, &[most, norm]);
            let ratio = graph.apply(Elementwise::Div, &[most, norm]);
            let factor = graph.select(longer, ratio, one);
            gradients.into_iter().map(|g| graph.apply(Elementwise::Mul, &[g, factor])).collect()
        }
    };
    let bounds = plan.clip_value.map(|most| (Some(-most), Some(most)));
    by_norm.into_iter().map(|g| within(graph, g, bounds)).collect()
}

/// `x` clamped to bounds, where there are any.
fn within(graph: &mut Graph, x: Id, bounds: Option<(Option<f64>, Option<f64>)>) -> Id {
    let Some((least, most)) = bounds else { return x };
    let mut clamped = x;
    for (bound, op) in [(least, Elementwise::Max), (most, Elementwise::Min)] {
        if let Some(bound) = bound {
            let bound = number(graph, bound);
            clamped = graph.apply(op, &[clamped, bound]);
        }
    }
    clamped
}

fn number(graph: &mut Graph, value: f64) -> Id {
    crate::ir::Builder::over(graph, |b| b.constant(value).id())
}
