//! The optimizer of a program: its update as nodes of any graph.

use super::call::Arg;
use super::frames::Then;
use super::library;
use super::machine::{LIBRARY, Machine, PROGRAM};
use super::model::{Clock, Model, Phase};
use super::plan::{DRIVERS, Driver, OptimizerPlan};
use super::unit::{FunctionId, Ref, SlotKind, Unit};
use super::value::{Tensor, Value};
use crate::elaborate::suggest::suggest;
use crate::error::{Diagnostic, Error, Span};
use crate::ir::{Graph, Id};
use crate::limits::Limits;
use crate::syntax::program::{Body, FunctionKind};
use crate::syntax::{ExprId, ExprKind};

/// An optimizer with the block its arguments are bound in.
struct Bound {
    env: usize,
    library: bool,
    function: FunctionId,
}

impl Model {
    /// One parameter's update by the program's optimizer: the new parameter and the new states.
    ///
    /// `w`, its gradient `g` and the `states` (as many as `train.optimizer.states`) have one shape,
    /// the numbers of the `clock` have none.
    ///
    /// # Errors
    /// [`Error::is_shape`] where the update does not fit the parameter's shape.
    pub fn update(
        &self,
        graph: &mut Graph,
        clock: &Clock,
        w: Id,
        g: Id,
        states: &[Id],
    ) -> Result<(Id, Vec<Id>), Error> {
        let plan = &self.train.optimizer;
        let made = update(&self.unit, &self.limits, plan, graph, clock, w, g, states);
        made.map_err(|error| self.located(error))
    }

    /// The learning rate at the clock: the optimizer's parameter `lr`, if it has one.
    ///
    /// # Errors
    /// As [`Model::update`].
    pub fn learning_rate(&self, graph: &mut Graph, clock: &Clock) -> Result<Option<Id>, Error> {
        let mut machine = Machine::new(graph, &self.unit, Phase::Train, &self.limits);
        machine.clock = Some(*clock);
        let rate = machine.learning_rate(&self.train.optimizer);
        rate.map_err(|error| self.located(error))
    }
}

#[expect(clippy::too_many_arguments, reason = "an update is all of these")]
pub(super) fn update(
    unit: &Unit,
    limits: &Limits,
    plan: &OptimizerPlan,
    graph: &mut Graph,
    clock: &Clock,
    w: Id,
    g: Id,
    states: &[Id],
) -> Result<(Id, Vec<Id>), Error> {
    let mut machine = Machine::new(graph, unit, Phase::Train, limits);
    machine.clock = Some(*clock);
    let bound = machine.optimizer(plan)?;
    machine.run_update(&bound, w, g, states)
}

/// The driver a plan names, unless the program has an optimizer of that name itself.
pub(super) fn driver(unit: &Unit, plan: &OptimizerPlan) -> Option<Driver> {
    let is_own = unit.blocks[0].slots.iter().any(|slot| slot.name == plan.name);
    DRIVERS.iter().find(|driver| driver.0 == plan.name && !is_own).map(|driver| driver.1)
}

/// The states of an optimizer, with their first values.
pub(super) fn states(
    unit: &Unit,
    limits: &Limits,
    plan: &OptimizerPlan,
) -> Result<Vec<(String, f64)>, Error> {
    let mut graph = Graph::new();
    let one = graph.integer(1);
    let mut machine = Machine::new(&mut graph, unit, Phase::Train, limits);
    machine.clock = Some(Clock { step: one, steps: one, epoch: one, plateaus: one });
    let bound = machine.optimizer(plan)?;
    let block = &machine.unit_of(bound.library).blocks[bound.function];
    let mut states = Vec::new();
    for (slot, definition) in block.slots.iter().enumerate() {
        if !matches!(definition.kind, SlotKind::State(_)) {
            continue;
        }
        let value = machine.slot(bound.env, slot)?;
        let number = match &value {
            Value::Tensor(tensor) => machine.constant(tensor.node),
            _ => None,
        };
        let Some(number) = number else {
            let diagnostic =
                Diagnostic::error(format!("the state `{}` must begin as a number", definition.name));
            return Err(Error::shape(
                diagnostic.at(definition.span, "known beforehand, alike for all elements"),
            ));
        };
        states.push((definition.name.clone(), number));
    }
    Ok(states)
}

impl<'u> Machine<'u, '_> {
    fn learning_rate(&mut self, plan: &OptimizerPlan) -> Result<Option<Id>, Error> {
        let bound = self.optimizer(plan)?;
        let block = &self.unit_of(bound.library).blocks[bound.function];
        let rate = block.slots[..block.parameters].iter().position(|slot| slot.name == "lr");
        let Some(slot) = rate else { return Ok(None) };
        match self.slot(bound.env, slot)? {
            Value::Tensor(tensor) => Ok(Some(tensor.node)),
            _ => Ok(None),
        }
    }

    /// The optimizer of a plan, its arguments bound.
    fn optimizer(&mut self, plan: &OptimizerPlan) -> Result<Bound, Error> {
        let Some(body) = plan.body else { return self.named_optimizer(&plan.name) };
        let unit = self.user;
        let (args, place) = match unit.ast[body.root].kind {
            ExprKind::Name(_) => (Vec::new(), unit.ast.span(body.root)),
            ExprKind::Call { args, .. } => (unit.ast.list(args).to_vec(), unit.ast.callee_span(body.root)),
            _ => return Err(no_optimizer(unit, unit.ast.span(body.root))),
        };
        let Some((library, function)) = self.optimizer_of(body) else {
            return Err(no_optimizer(unit, place));
        };
        let mut bound = Vec::with_capacity(args.len());
        for arg in args {
            bound.push(self.argument(arg)?);
        }
        let parent = if library { LIBRARY } else { PROGRAM };
        let values = self.bind(library, function, bound, place).map_err(|fault| self.located(*fault))?;
        let env = self.env(library, function, Some(parent), String::new());
        for (slot, value) in values.into_iter().enumerate() {
            self.envs[env].slots[slot] = value;
        }
        Ok(Bound { env, library, function })
    }

    fn argument(&mut self, arg: ExprId) -> Result<Arg, Error> {
        let unit = self.user;
        let (name, inner) = match unit.ast[arg].kind {
            ExprKind::Named { name, value } => (Some(unit.ast.name(name).to_owned()), value),
            _ => (None, arg),
        };
        let body = Body { start: unit.first[inner.index()], root: inner };
        let value = self.evaluate(PROGRAM, body)?.into();
        Ok(Arg { name, value, span: unit.ast.span(inner) })
    }

    fn named_optimizer(&mut self, name: &str) -> Result<Bound, Error> {
        let slot = library::find(name).expect("the default optimizer is in the library");
        let SlotKind::Function(function) = library::unit().blocks[0].slots[slot as usize].kind else {
            unreachable!("the default optimizer is one");
        };
        let env = self.env(true, function, Some(LIBRARY), String::new());
        Ok(Bound { env, library: true, function })
    }

    fn optimizer_of(&self, body: Body) -> Option<(bool, FunctionId)> {
        let (library, slot) = match self.user.refs.get(&body.root)? {
            Ref::Library(slot) => (true, *slot),
            Ref::Slot { slot, .. } => (false, *slot),
            _ => return None,
        };
        let unit = self.unit_of(library);
        match unit.blocks[0].slots[slot as usize].kind {
            SlotKind::Function(function) if unit.blocks[function].kind == FunctionKind::Optimizer => {
                Some((library, function))
            }
            _ => None,
        }
    }

    fn run_update(&mut self, bound: &Bound, w: Id, g: Id, states: &[Id]) -> Result<(Id, Vec<Id>), Error> {
        let block = &self.unit_of(bound.library).blocks[bound.function];
        let mut given = states.iter();
        let mut slots = Vec::new();
        for (slot, definition) in block.slots.iter().enumerate() {
            let node = match &definition.kind {
                SlotKind::Given if slot == block.parameters => Some(w),
                SlotKind::Given if slot == block.parameters + 1 => Some(g),
                SlotKind::State(_) => {
                    slots.push(slot);
                    given.next().copied()
                }
                _ => None,
            };
            if let Some(node) = node {
                self.envs[bound.env].slots[slot] = Some(Tensor::plain(node).into());
            }
        }
        let bodies: Vec<Body> = block.sequence.iter().map(|(_, body)| *body).collect();
        let targets = block.sequence.iter().map(|(slot, _)| *slot as usize).collect();
        self.frames.clear();
        let pushed = self.push(bound.env, bodies, Vec::new(), Then::Assign(targets));
        pushed.map_err(|fault| self.located(*fault))?;
        self.drive()?;
        let new_w = self.updated(bound, block.parameters, w)?;
        let new_states = slots.iter().map(|&slot| self.updated(bound, slot, w));
        Ok((new_w, new_states.collect::<Result<_, _>>()?))
    }

    /// What a slot holds after an update; a number stands for all elements.
    fn updated(&mut self, bound: &Bound, slot: usize, w: Id) -> Result<Id, Error> {
        let shape = self.graph.shape(w).clone();
        let definition = &self.unit_of(bound.library).blocks[bound.function].slots[slot];
        let node = match &self.envs[bound.env].slots[slot] {
            Some(Value::Tensor(tensor)) => tensor.node,
            _ => w,
        };
        if self.graph.is_scalar(node) {
            let all = ((1u16 << shape.rank()) - 1) as u8;
            return Ok(self.graph.broadcast(node, all, &shape));
        }
        let found = self.graph.shape(node).clone();
        if found == shape {
            return Ok(node);
        }
        let message =
            format!("`{}` has shape {found} after the update, and the parameter {shape}", definition.name);
        let diagnostic = Diagnostic::error(message);
        Err(Error::shape(if bound.library { diagnostic } else { diagnostic.at(definition.span, "") }))
    }
}

fn no_optimizer(unit: &Unit, place: Span) -> Error {
    let text = place.text(unit.ast.source());
    let own = unit.blocks.iter().filter(|block| block.kind == FunctionKind::Optimizer);
    let mut names: Vec<&str> = own.map(|block| block.name.as_str()).collect();
    names.extend(library::names_of(FunctionKind::Optimizer));
    let diagnostic = Diagnostic::error(format!("unknown optimizer `{}`", super::words::quoted(text)));
    let list = format!("there are {}", names.join(", "));
    Error::name(diagnostic.at(place, "not an optimizer").hint(match suggest(text, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`? {list}"),
        None => list,
    }))
}
