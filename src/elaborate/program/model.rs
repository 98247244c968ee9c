//! What a program elaborates to: one graph for one example, and what is to be done with it.

use super::metrics::Metric;
use super::plan::{DataPlan, TrainPlan};
use super::unit::Unit;
use crate::elaborate::origins::Origins;
use crate::error::{Diagnostic, Error, Span};
use crate::ir::{Graph, Id, Symbol};
use crate::limits::Limits;
use std::sync::Arc;

/// What the identity of a model that is not all text begins with.
pub const MADE_IN_CODE: &str = "# made in code";

/// An elaborated program, written for one example.
#[derive(Clone)]
pub struct Model {
    /// Everything it computes.
    pub graph: Graph,
    /// One row of data: the inputs, in order of declaration.
    pub inputs: Vec<Input>,
    /// What is trained, in order of declaration.
    pub params: Vec<Param>,
    /// Random numbers, drawn anew for each step and example.
    pub noises: Vec<Noise>,
    /// Every definition without parameters, in the order of the text.
    pub values: Vec<Output>,
    /// `loss = …`, or `minimize f` or `maximize f`.
    pub objective: Option<Objective>,
    /// `metric accuracy = …`; truth values count as 0 and 1.
    pub metrics: Vec<Metric>,
    /// `train { … }`, with defaults.
    pub train: TrainPlan,
    /// `data { … }`
    pub data: DataPlan,
    /// Warnings, in the order of the text.
    pub notes: Vec<Diagnostic>,
    /// Where its nodes come from; unknown for a model made in code.
    pub origins: Arc<Origins>,
    pub(super) unit: Arc<Unit>,
    pub(super) limits: Limits,
    /// The graph in words, of a model that was made in code.
    pub(super) made: Option<String>,
}

/// An input of the program.
#[derive(Clone, Debug)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// Its node.
    pub node: Id,
    /// Where it is declared.
    pub span: Span,
}

/// A parameter of the program, or of one of its layers (`dense1.W`).
#[derive(Clone, Debug)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// Its node.
    pub node: Id,
    /// Its value before training.
    pub init: Init,
    /// The least and greatest value of each element, where given.
    pub bounds: Option<(Option<f64>, Option<f64>)>,
    /// Where it is declared, or where its layer is called.
    pub span: Span,
}

/// The value of a parameter before training.
#[derive(Clone, Debug, PartialEq)]
pub enum Init {
    /// All elements alike.
    Constant(f64),
    /// Every element, row-major.
    List(Vec<f64>),
    /// Normally distributed.
    Normal {
        /// The mean.
        mean: f64,
        /// The standard deviation.
        std: f64,
    },
    /// Uniform in `lo..hi`.
    Uniform {
        /// The least value.
        lo: f64,
        /// The greatest value.
        hi: f64,
    },
    /// Uniform in ±√(6/(in + out)): Glorot and Bengio (2010).
    Glorot,
    /// Normal of standard deviation √(2/in): He, Zhang, Ren and Sun (2015).
    He,
    /// Orthonormal columns, or rows where they are fewer: Saxe, McClelland and Ganguli (2013).
    Orthogonal,
}

impl Init {
    /// Whether the values are drawn.
    pub fn is_random(&self) -> bool {
        !matches!(self, Init::Constant(_) | Init::List(_))
    }
}

/// Uniform random numbers in 0..1, of the node's shape.
#[derive(Clone, Debug)]
pub struct Noise {
    /// The input that takes them.
    pub node: Id,
}

/// A named result.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// Its node.
    pub node: Id,
    /// Where it is defined.
    pub span: Span,
}

/// What is minimized or maximized.
#[derive(Clone, Debug)]
pub struct Objective {
    /// Its name: `loss`, or the text after `minimize`.
    pub name: String,
    /// Its node, a number.
    pub node: Id,
    /// Which of both.
    pub sense: Sense,
    /// Where it is defined.
    pub span: Span,
}

/// Which way is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sense {
    /// Look for the least value.
    #[default]
    Minimize,
    /// Look for the greatest value; reported values are the caller's, not their negatives.
    Maximize,
}

/// What the program is elaborated for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// With noise, as in dropout.
    Train,
    /// Without.
    Predict,
}

/// What an optimizer and its schedules are given: numbers of a graph.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// 1 at the first update.
    pub step: Id,
    /// How many are planned in all.
    pub steps: Id,
    /// Passes over the data, from 0.
    pub epoch: Id,
    /// How often the validation loss has stalled.
    pub plateaus: Id,
}

impl Model {
    /// What is minimized or maximized.
    ///
    /// # Errors
    /// For a program that says neither.
    pub fn objective(&self) -> Result<&Objective, Error> {
        self.objective.as_ref().ok_or_else(|| {
            let diagnostic = Diagnostic::error("the program has no objective");
            Error::input(diagnostic.hint("define `loss = …`, or write `minimize …` or `maximize …`"))
        })
    }

    /// Its inputs and then its parameters, as symbols of its graph.
    pub fn symbols(&self) -> Vec<Symbol> {
        let inputs = self.inputs.iter().map(|input| input.node);
        let nodes = inputs.chain(self.params.iter().map(|param| param.node));
        nodes.filter_map(|node| self.graph.input_symbol(node)).collect()
    }

    /// The values it defines, with their names.
    pub fn named_nodes(&self) -> Vec<(String, Id)> {
        self.values.iter().map(|value| (value.name.clone(), value.node)).collect()
    }

    /// The program's text; of a model made in code, its settings.
    pub fn source(&self) -> &str {
        self.unit.ast.source()
    }

    /// What tells this model from another: the program's text; of a model made in code, its
    /// settings and its graph.
    pub fn identity(&self) -> String {
        match &self.made {
            None => self.source().to_owned(),
            Some(graph) => format!("{MADE_IN_CODE}\n{}\n{graph}", self.source()),
        }
    }

    pub(super) fn located(&self, error: Error) -> Error {
        error.in_source(self.source())
    }
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = |params: &[Param]| params.iter().map(|p| p.name.clone()).collect::<Vec<_>>();
        f.debug_struct("Model").field("params", &names(&self.params)).finish_non_exhaustive()
    }
}
