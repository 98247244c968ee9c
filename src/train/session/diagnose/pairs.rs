//! What is compared with what: predictions and targets of the losses in an objective, and whether
//! they can meet.
//!
//! What must stay true: unknown means no. A loss in a form that is not recognised has no pairs, and
//! nothing is said of it.

use super::Case;
use super::course::Course;
use super::probe::Probe;
use crate::elaborate::program::Model;
use crate::error::{Diagnostic, Error, Span};
use crate::ir::{DType, Elementwise, Graph, Id, Op, Structural, reachable};
use crate::train::session::classes::moved;
use crate::train::trace::short;
use crate::train::{Cause, Finding};

/// How a loss compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// By their difference.
    Difference,
    /// A probability with 0 or 1.
    Probability,
    /// A logit with 0 or 1.
    Logit,
    /// Scores of classes with a class, or with probabilities.
    Classes,
    /// A score with −1 or 1.
    Margin,
}

/// Losses of the library.
#[rustfmt::skip]
const LOSSES: &[(&str, Kind)] = &[
    ("mse",           Kind::Difference),
    ("mae",           Kind::Difference),
    ("huber",         Kind::Difference),
    ("bce",           Kind::Probability),
    ("bce_logits",    Kind::Logit),
    ("cross_entropy", Kind::Classes),
    ("hinge",         Kind::Margin),
];

/// What an output can be.
#[rustfmt::skip]
const RANGES: &[(Elementwise, &str, f64, f64)] = &[
    (Elementwise::Sigmoid,  "sigmoid",  0.0,  1.0),
    (Elementwise::Tanh,     "tanh",     -1.0, 1.0),
    (Elementwise::Relu,     "relu",     0.0,  f64::INFINITY),
    (Elementwise::Softplus, "softplus", 0.0,  f64::INFINITY),
    (Elementwise::Exp,      "exp",      0.0,  f64::INFINITY),
];

/// A prediction and what it is to be, in the program's own graph.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub kind: Kind,
    /// The loss, where it is one of the library's.
    name: Option<&'static str>,
    prediction: Id,
    target: Id,
    /// The input the target is, or a part of.
    pub target_input: Option<usize>,
    span: Span,
}

impl Pair {
    pub fn is_difference(&self) -> bool {
        self.kind == Kind::Difference
    }
}

/// A pair with its numbers on some rows.
pub(super) struct Measured {
    pair: Pair,
    /// Entries of one example.
    width: usize,
    before: Vec<f64>,
    after: Vec<f64>,
    target: Vec<f64>,
    target_width: usize,
}

/// What depends on parameters, and what on inputs.
struct Reach {
    params: Vec<bool>,
    inputs: Vec<bool>,
}

impl Reach {
    fn of(model: &Model) -> Reach {
        let graph = &model.graph;
        let (mut params, mut inputs) = (vec![false; graph.len()], vec![false; graph.len()]);
        model.params.iter().for_each(|param| params[param.node.index()] = true);
        model.inputs.iter().for_each(|input| inputs[input.node.index()] = true);
        for id in graph.ids() {
            for x in graph.operands(id) {
                params[id.index()] |= params[x.index()];
                inputs[id.index()] |= inputs[x.index()];
            }
        }
        Reach { params, inputs }
    }

    fn is_prediction(&self, id: Id) -> bool {
        self.params[id.index()]
    }

    fn is_target(&self, id: Id) -> bool {
        self.inputs[id.index()] && !self.params[id.index()]
    }
}

/// The pairs of an objective: those of the library's losses, or else differences written out.
pub(super) fn pairs(model: &Model) -> Vec<Pair> {
    let Some(objective) = &model.objective else { return Vec::new() };
    let (graph, reach) = (&model.graph, Reach::of(model));
    let nodes = reachable(graph, &[objective.node]);
    let within = |id: Id| {
        let origin = model.origins.of(graph, id)?;
        let name = origin.within.as_deref()?;
        LOSSES.iter().find(|row| row.0 == name).map(|row| (row, origin.span))
    };
    let mut found: Vec<Pair> = Vec::new();
    let mut calls: Vec<Span> = Vec::new();
    for &id in &nodes {
        let Some((&(name, kind), span)) = within(id) else { continue };
        if calls.contains(&span) {
            continue;
        }
        calls.push(span);
        let inside = |id: Id| within(id).is_some_and(|w| w.1 == span);
        let arguments: Vec<Id> = nodes
            .iter()
            .filter(|&&id| inside(id))
            .flat_map(|&id| graph.operands(id))
            .copied()
            .filter(|&x| !inside(x) && graph.ty(x).dtype == DType::F64)
            .collect();
        let prediction = arguments.iter().copied().find(|&x| reach.is_prediction(x));
        let target = arguments.iter().copied().find(|&x| reach.is_target(x));
        if let (Some(prediction), Some(target)) = (prediction, target) {
            let target_input = input_of(model, target);
            found.push(Pair { kind, name: Some(name), prediction, target, target_input, span });
        }
    }
    if found.is_empty() {
        found.extend(nodes.iter().filter_map(|&id| difference(model, &reach, id)));
    }
    found
}

/// `p - y` of a prediction and an input.
fn difference(model: &Model, reach: &Reach, id: Id) -> Option<Pair> {
    let graph = &model.graph;
    let &[a, b] = graph.operands(id) else { return None };
    let minus = graph.op(id) == Op::Elementwise(Elementwise::Sub);
    let (prediction, target) = match (reach.is_prediction(a), reach.is_prediction(b)) {
        (true, false) if minus => (a, b),
        (false, true) if minus => (b, a),
        _ => return None,
    };
    let target_input = input_of(model, target)?;
    let span = model.origins.of(graph, id)?.span;
    let target_input = Some(target_input);
    Some(Pair { kind: Kind::Difference, name: None, prediction, target, target_input, span })
}

/// The input that a node is, or is a part of.
fn input_of(model: &Model, id: Id) -> Option<usize> {
    let mut id = moved(&model.graph, id);
    while let Op::Structural(Structural::Slice { .. }) = model.graph.op(id) {
        id = moved(&model.graph, model.graph.operand(id, 0));
    }
    model.inputs.iter().position(|input| input.node == id)
}

/// The numbers of pairs before and after the training.
pub(super) fn measured(probe: &Probe, pairs: &[Pair], course: &Course) -> Result<Vec<Measured>, Error> {
    let nodes: Vec<Id> = pairs.iter().flat_map(|pair| [pair.prediction, pair.target]).collect();
    if nodes.is_empty() || probe.rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut before = probe.own_values(&nodes, &course.start)?;
    let after = probe.own_values(&nodes, &course.end)?;
    let graph = &probe.model.graph;
    let all = pairs.iter().zip(after.chunks(2)).enumerate().map(|(i, (pair, after))| Measured {
        width: graph.shape(pair.prediction).size().max(1),
        target_width: graph.shape(pair.target).size().max(1),
        before: std::mem::take(&mut before[2 * i]),
        after: after[0].clone(),
        target: after[1].clone(),
        pair: pair.clone(),
    });
    Ok(all.collect())
}

/// The loss of the best constant prediction, where it is known.
pub(super) fn baseline(measured: &[Measured]) -> Option<f64> {
    let [only] = measured else { return None };
    match (only.pair.name, only.pair.kind) {
        (Some("mse"), _) => Some(only.variance()),
        (Some(_), Kind::Probability | Kind::Logit) => {
            let p = mean(&only.target);
            Some(entropy(&[p, 1.0 - p]))
        }
        (Some(_), Kind::Classes) if only.target_width < only.width => {
            let mut counts: Vec<(u64, f64)> = Vec::new();
            for class in only.target.iter().map(|class| class.to_bits()) {
                match counts.iter_mut().find(|known| known.0 == class) {
                    Some(known) => known.1 += 1.0,
                    None => counts.push((class, 1.0)),
                }
            }
            let total = only.target.len() as f64;
            Some(entropy(&counts.iter().map(|known| known.1 / total).collect::<Vec<f64>>()))
        }
        _ => None,
    }
}

fn entropy(parts: &[f64]) -> f64 {
    -parts.iter().filter(|p| **p > 0.0).map(|p| p * p.ln()).sum::<f64>()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

pub(super) fn findings(case: &Case<'_>, measured: &[Measured]) -> Vec<Finding> {
    if case.prepared.split.train.len() < 4 {
        return Vec::new();
    }
    let graph = &case.program.predict.graph;
    let of = |m: &Measured| {
        [m.constant_target(), m.target_range(), m.double_softmax(graph), m.output_range(graph)]
    };
    measured.iter().flat_map(of).flatten().collect()
}

impl Measured {
    fn variance(&self) -> f64 {
        let width = self.target_width;
        let of = |at: usize| {
            let column: Vec<f64> = self.target.iter().skip(at).step_by(width).copied().collect();
            let middle = mean(&column);
            mean(&column.iter().map(|y| (y - middle).powi(2)).collect::<Vec<f64>>())
        };
        (0..width).map(of).sum::<f64>() / width as f64
    }

    fn at(&self, message: String, label: &str) -> Diagnostic {
        Diagnostic::error(message).at(self.pair.span, label)
    }

    fn constant_target(&self) -> Option<Finding> {
        let first = self.target.get(..self.target_width)?;
        if !self.target.chunks(self.target_width).all(|row| row == first) {
            return None;
        }
        let message =
            format!("the target is {} in every example: there is nothing to tell apart", short(first[0]));
        let hint =
            "look whether the column is the one that was meant, and whether the rows are of all classes";
        Some(Finding::fault(Cause::ConstantTarget, self.at(message, "compared here").hint(hint)))
    }

    /// Targets that the loss does not take.
    fn target_range(&self) -> Option<Finding> {
        let (fits, takes, hint): (fn(f64) -> bool, &str, &str) = match self.pair.kind {
            Kind::Probability | Kind::Logit => (
                |y| (0.0..=1.0).contains(&y),
                "0 and 1, or probabilities between them",
                "bring the labels to 0 and 1; more than two classes take `cross_entropy`, numbers take `mse`",
            ),
            Kind::Margin => {
                (|y| y.abs() == 1.0, "-1 and 1", "bring the labels to -1 and 1, such as `2*y - 1`")
            }
            Kind::Classes if self.target_width == self.width && self.width > 1 => (
                |y| (-1e-9..=1.0 + 1e-9).contains(&y),
                "probabilities",
                "the target is a class, or a vector of probabilities with sum 1",
            ),
            _ => return None,
        };
        let outside: Vec<f64> = self.target.iter().copied().filter(|&y| !fits(y)).collect();
        let first = outside.first()?;
        let loss = self.pair.name.unwrap_or("the loss");
        let share = outside.len() * 100 / self.target.len().max(1);
        let message = format!(
            "`{loss}` takes {takes}, and {share} % of the targets are not, such as {}",
            short(*first)
        );
        Some(Finding::fault(Cause::TargetRange, self.at(message, "compared here").hint(hint)))
    }

    /// Probabilities where logits are taken.
    fn double_softmax(&self, graph: &Graph) -> Option<Finding> {
        let sums = |values: &[f64]| {
            values.chunks(self.last(graph)).all(|row| {
                row.iter().all(|p| *p >= 0.0) && (row.iter().sum::<f64>() - 1.0).abs() < 1e-6 && row.len() > 1
            })
        };
        let is_sigmoid = self.op(graph) == Op::Elementwise(Elementwise::Sigmoid);
        let (what, hint) = match self.pair.kind {
            Kind::Classes if sums(&self.before) && sums(&self.after) => (
                "`cross_entropy` takes logits, and is given probabilities: softmax is applied twice",
                "leave the softmax out; `cross_entropy` has its own",
            ),
            Kind::Classes if is_sigmoid => (
                "`cross_entropy` takes logits, and is given a sigmoid of them",
                "leave the sigmoid out; `cross_entropy` has its own softmax",
            ),
            Kind::Logit if is_sigmoid => (
                "`bce_logits` takes a logit, and is given a probability: the sigmoid is applied twice",
                "leave the sigmoid out, or take `bce`",
            ),
            _ => return None,
        };
        Some(Finding::fault(Cause::DoubleSoftmax, self.at(what.to_owned(), "given probabilities").hint(hint)))
    }

    /// Targets that the output's function never reaches.
    fn output_range(&self, graph: &Graph) -> Option<Finding> {
        let op = self.op(graph);
        if op == Op::Elementwise(Elementwise::Relu) && matches!(self.pair.kind, Kind::Classes | Kind::Logit) {
            let message = "the logits are those of a relu, which are never below 0".to_owned();
            let diagnostic = self.at(message, "compared here").hint("leave the relu of the last layer out");
            return Some(Finding::fault(Cause::OutputRange, diagnostic));
        }
        if self.pair.kind != Kind::Difference {
            return None;
        }
        let row = RANGES.iter().find(|row| op == Op::Elementwise(row.0));
        let (name, least, most) = match row {
            Some(&(_, name, least, most)) => (name, least, most),
            None if self.is_softmax(graph) => ("softmax", 0.0, 1.0),
            None => return None,
        };
        let outside = self.target.iter().filter(|y| **y < least || **y > most).count();
        let worst = self.target.iter().copied().fold(0.0, |worst: f64, y| {
            let off = |y: f64| (y - most).max(least - y);
            if off(y) > off(worst) || worst == 0.0 { y } else { worst }
        });
        if outside == 0 {
            return None;
        }
        let (share, limits) = (outside * 100 / self.target.len(), range(least, most));
        let message = format!(
            "the output is a {name}, which stays {limits}, and {share} % of the targets lie outside, such as {}",
            short(worst)
        );
        let hint = format!("leave the {name} of the last layer out, or scale the targets to be {limits}");
        let finding = Finding::fault(Cause::OutputRange, self.at(message, "compared here").hint(hint));
        Some(finding.with("outside", outside as f64).with("target", worst))
    }

    /// The op that makes the prediction.
    fn op(&self, graph: &Graph) -> Op {
        graph.op(moved(graph, self.pair.prediction))
    }

    /// The extent of the prediction's last axis.
    fn last(&self, graph: &Graph) -> usize {
        graph.shape(self.pair.prediction).extents().last().map_or(1, |&n| n as usize).max(1)
    }

    fn is_softmax(&self, graph: &Graph) -> bool {
        let row = self.last(graph);
        let sums =
            |row: &[f64]| row.iter().all(|p| *p >= 0.0) && (row.iter().sum::<f64>() - 1.0).abs() < 1e-6;
        row > 1 && self.before.chunks(row).chain(self.after.chunks(row)).all(sums)
    }
}

fn range(least: f64, most: f64) -> String {
    match (least, most) {
        (least, most) if most.is_infinite() => format!("above {least}"),
        (least, most) => format!("between {least} and {most}"),
    }
}
