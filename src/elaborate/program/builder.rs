//! Models made in code: declarations and expressions in Rust, plans of training in text.
//!
//! What must stay true: a model made in code is one like any other; only its text is not all of it.

use super::metrics::{Metric, MetricKind};
use super::model::{Init, Input, Model, Objective, Output, Param, Phase, Sense};
use super::{Parts, Unit, assembled, check_update, remarks, resolve, train_plan};
use crate::elaborate::program::machine::Machine;
use crate::error::{Diagnostic, Error, Span};
use crate::ir::{Builder, Expr, Graph, Id, Op, reachable, text};
use crate::limits::Limits;
use crate::syntax::program as tree;
use std::cell::RefCell;
use std::ops::Deref;
use std::sync::Arc;

/// A model under construction: a [`Builder`] that also knows inputs, parameters and an objective.
///
/// ```
/// use symdiff::elaborate::program::{Init, ModelBuilder};
/// use symdiff::{Limits, Real};
///
/// let m = ModelBuilder::new();
/// let (x, y) = (m.input("x", &[2]), m.input("y", &[]));
/// let w = m.param("w", &[2], Init::Normal { mean: 0.0, std: 1.0 });
/// let b = m.param("b", &[], Init::Constant(0.0));
/// let z = m.value("z", m.contract(w, x, 1) + b);
/// m.minimize(z.softplus() - y * z);
/// let model = m.build("train { optimizer = gd(lr = 0.5), steps = 100 }", &Limits::default())?;
/// assert_eq!(symdiff::gradients(&model, &["b".into()], &symdiff::Derivation::to_read())?.to_string(), "sigmoid(z) - y");
/// # Ok::<(), symdiff::Error>(())
/// ```
#[derive(Default)]
pub struct ModelBuilder {
    builder: Builder,
    declared: RefCell<Declared>,
}

/// Everything as it is by default, which an empty text cannot say.
const NO_SETTINGS: &str = "train { seed = 0 }";

#[derive(Default)]
struct Declared {
    inputs: Vec<(String, Id)>,
    params: Vec<Param>,
    values: Vec<(String, Id)>,
    metrics: Vec<(String, Id)>,
    objectives: Vec<(Sense, Id)>,
    /// The first thing that was wrong, told when the model is built.
    fault: Option<Error>,
}

/// Expressions are made by the builder within.
impl Deref for ModelBuilder {
    type Target = Builder;

    fn deref(&self) -> &Builder {
        &self.builder
    }
}

impl ModelBuilder {
    pub fn new() -> ModelBuilder {
        ModelBuilder::default()
    }

    /// An input: what the data gives for one example.
    pub fn input(&self, name: &str, extents: &[u32]) -> Expr<'_> {
        let expr = self.declare(name, extents);
        self.declared.borrow_mut().inputs.push((name.to_owned(), expr.id()));
        expr
    }

    /// A parameter: what is trained.
    pub fn param(&self, name: &str, extents: &[u32], init: Init) -> Expr<'_> {
        self.bounded_param(name, extents, init, None)
    }

    /// A parameter each of whose elements stays between two bounds, where they are given.
    pub fn bounded_param(
        &self,
        name: &str,
        extents: &[u32],
        init: Init,
        bounds: Option<(Option<f64>, Option<f64>)>,
    ) -> Expr<'_> {
        let expr = self.declare(name, extents);
        let param = Param { name: name.to_owned(), node: expr.id(), init, bounds, span: Span::default() };
        self.declared.borrow_mut().params.push(param);
        expr
    }

    /// Gives an expression a name, to be predicted or printed by.
    pub fn value<'g>(&'g self, name: &str, value: Expr<'g>) -> Expr<'g> {
        self.declared.borrow_mut().values.push((name.to_owned(), value.id()));
        value
    }

    /// A number worth watching: its mean over the examples is reported.
    pub fn metric(&self, name: &str, value: Expr<'_>) {
        self.declared.borrow_mut().metrics.push((name.to_owned(), value.id()));
    }

    /// The loss of one example.
    pub fn minimize(&self, loss: Expr<'_>) {
        self.declared.borrow_mut().objectives.push((Sense::Minimize, loss.id()));
    }

    /// The gain of one example.
    pub fn maximize(&self, gain: Expr<'_>) {
        self.declared.borrow_mut().objectives.push((Sense::Maximize, gain.id()));
    }

    fn declare(&self, name: &str, extents: &[u32]) -> Expr<'_> {
        let mut fault = None;
        if self.read(|graph| graph.symbol(name).is_some()) {
            fault = Some(format!("`{name}` is declared twice"));
        }
        let size = extents.iter().try_fold(1usize, |size, &n| size.checked_mul(n as usize));
        if size.is_none_or(|size| size > Limits::default().nodes) || extents.len() > 8 {
            fault = Some(format!("`{name}` is too large: extents {extents:?}"));
        }
        if let Some(text) = fault {
            let fault = Error::name(Diagnostic::error(text));
            self.declared.borrow_mut().fault.get_or_insert(fault);
            return self.builder.variable(name);
        }
        self.builder.array(name, extents)
    }

    /// The model; `settings` is a text with a `train { … }` block, and perhaps optimizers of one's own.
    ///
    /// # Errors
    /// For names declared twice, lists of another size than their parameter, an objective or metric
    /// that is no number, none or several objectives, and faults of the settings.
    pub fn build(&self, settings: &str, limits: &Limits) -> Result<Model, Error> {
        let declared = self.declared.borrow();
        if let Some(fault) = &declared.fault {
            return Err(fault.clone());
        }
        let settings = if settings.trim().is_empty() { NO_SETTINGS } else { settings };
        let program = tree::parse(settings, limits)?;
        let unit = resolve::resolve(program, false).map_err(|error| error.in_source(settings))?;
        let unit = Arc::new(unit);
        let model = self.model(&declared, &unit, limits);
        model.map_err(|error| error.in_source(settings))
    }

    fn model(&self, declared: &Declared, unit: &Arc<Unit>, limits: &Limits) -> Result<Model, Error> {
        only_settings(unit)?;
        let mut plans = Graph::new();
        let mut machine = Machine::new(&mut plans, unit, Phase::Train, limits);
        let train = train_plan(&mut machine)?;
        let parts = self.parts(declared)?;
        let roots: Vec<Id> = parts.objective.iter().map(|o| o.node).collect();
        let known = |id: Id| {
            declared.inputs.iter().map(|i| i.1).chain(parts.params.iter().map(|p| p.node)).any(|k| k == id)
        };
        for id in reachable(&parts.graph, &roots) {
            if let (Op::Input(symbol), false) = (parts.graph.op(id), known(id)) {
                let name = parts.graph.symbol_name(symbol);
                let diagnostic = Diagnostic::error(format!("`{name}` is neither an input nor a parameter"));
                return Err(Error::name(diagnostic.hint("declare it with `input` or `param`")));
            }
        }
        let words = text::write_graph(&parts.graph, &roots);
        let mut model = assembled(parts, (train, super::DataPlan::default()), unit, limits)?;
        model.made = Some(words);
        check_update(&model)?;
        remarks::on_model(&mut model)?;
        Ok(model)
    }

    fn parts(&self, declared: &Declared) -> Result<Parts, Error> {
        let graph = self.builder.snapshot();
        let number = |what: &str, node: Id| match graph.is_scalar(node) {
            true => Ok(node),
            false => {
                let text = format!("{what} is one number, and this has shape {}", graph.shape(node));
                Err(Error::shape(Diagnostic::error(text).hint("sum it, or take its mean")))
            }
        };
        let (sense, objective) = match declared.objectives.as_slice() {
            &[(sense, node)] => (sense, number("an objective", node)?),
            [] => {
                return Err(Error::input(
                    Diagnostic::error("the model has no objective").hint("call `minimize` or `maximize`"),
                ));
            }
            _ => {
                return Err(Error::input(
                    Diagnostic::error("the model has several objectives").hint("add them up, with weights"),
                ));
            }
        };
        for (name, node) in &declared.metrics {
            number(&format!("the metric `{name}`"), *node)?;
        }
        for param in &declared.params {
            let size = graph.shape(param.node).size();
            if let Init::List(values) = &param.init
                && values.len() != size
            {
                let text = format!(
                    "`{}` has {size} elements, and {} values to start from",
                    param.name,
                    values.len()
                );
                return Err(Error::shape(Diagnostic::error(text)));
            }
        }
        Ok(Parts {
            objective: Some(Objective {
                name: "loss".to_owned(),
                node: objective,
                sense,
                span: Span::default(),
            }),
            inputs: declared
                .inputs
                .iter()
                .map(|(name, node)| Input { name: name.clone(), node: *node, span: Span::default() })
                .collect(),
            params: declared.params.clone(),
            noises: Vec::new(),
            values: outputs(&declared.values),
            metrics: outputs(&declared.metrics).into_iter().map(mean).collect(),
            graph,
        })
    }
}

fn mean(Output { name, node, span }: Output) -> Metric {
    Metric { name, node, span, kind: MetricKind::Mean }
}

fn outputs(named: &[(String, Id)]) -> Vec<Output> {
    named
        .iter()
        .map(|(name, node)| Output { name: name.clone(), node: *node, span: Span::default() })
        .collect()
}

/// What a model made in code has in Rust is not to be in its settings as well.
fn only_settings(unit: &Unit) -> Result<(), Error> {
    let requests = &unit.requests;
    let data = requests.data.first().map(|(span, _)| *span);
    let objective = requests.objectives.first().map(|(_, span, _)| *span);
    let metric = requests.metrics.first().map(|(_, span, _)| *span);
    let Some(span) = data.or(objective).or(metric) else { return Ok(()) };
    let diagnostic =
        Diagnostic::error("the settings of a model made in code are a `train` block and optimizers");
    Err(Error::input(diagnostic.at(span, "this belongs to a program").hint("declare it in code")))
}
