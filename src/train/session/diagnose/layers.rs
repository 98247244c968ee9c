//! The gradient of each parameter before and after: layers that get none, or too much; units that are
//! all alike.

use super::Case;
use super::course::Course;
use super::probe::Probe;
use crate::elaborate::program::Init;
use crate::error::{Diagnostic, Error, Span};
use crate::ir::{Op, reachable};
use crate::train::trace::short;
use crate::train::{Cause, Finding};

/// A first layer whose gradient is this part of the largest one gets none.
const VANISHED: f64 = 1e-3;
/// Weights that change the loss by less than this part of it, when they double, do not count.
const DEAF: f64 = 5e-3;
/// Gradients at the start this many times as large as the parameters.
const EXPLODED: f64 = 1e6;
/// Layers apart by this explode as well.
const APART: f64 = 1e3;
/// Layers below which nothing vanishes.
const DEEP: usize = 3;
/// A loss below this is no loss.
const NOTHING: f64 = 1e-9;

/// The numbers of one parameter.
#[derive(Clone, Debug)]
pub struct Layer {
    pub name: String,
    pub span: Span,
    pub shape: Vec<usize>,
    /// Root mean squares of its elements and of its gradient's, before and after.
    pub size: (f64, f64),
    pub gradient: (f64, f64),
    /// Whether it begins at random.
    is_random: bool,
    /// Whether rows, or columns, are all alike after the training.
    alike: bool,
}

impl Layer {
    /// How much of the loss a change of all elements by their own size changes, at the start.
    fn counts(&self, loss: f64) -> f64 {
        let elements = self.shape.iter().product::<usize>() as f64;
        self.gradient.0 * self.size.0 * elements / loss.abs().max(f64::MIN_POSITIVE)
    }
}

fn size(values: &[f64]) -> f64 {
    (values.iter().map(|x| x * x).sum::<f64>() / values.len().max(1) as f64).sqrt()
}

/// The numbers of all parameters.
pub(super) fn measured(probe: &Probe, course: &Course) -> Result<Vec<Layer>, Error> {
    if probe.rows.is_empty() {
        return Ok(Vec::new());
    }
    let [before, after] = probe.gradients(&[&course.start, &course.end])?.try_into().unwrap_or_default();
    let graph = &probe.model.graph;
    let of = |(k, param): (usize, &crate::elaborate::program::Param)| {
        let shape: Vec<usize> = graph.shape(param.node).extents().iter().map(|&d| d as usize).collect();
        Layer {
            name: param.name.clone(),
            span: param.span,
            size: (size(&course.start[k]), size(&course.end[k])),
            gradient: (size(&before[k]), size(&after[k])),
            is_random: param.init.is_random(),
            alike: matches!(param.init, Init::Constant(_)) && is_alike(&course.end[k], &shape),
            shape,
        }
    };
    Ok(probe.model.params.iter().enumerate().map(of).collect())
}

/// Whether the rows of an array of two axes or more are all the same, or the columns of a matrix.
fn is_alike(values: &[f64], shape: &[usize]) -> bool {
    let [rows, rest @ ..] = shape else { return false };
    let width = rest.iter().product::<usize>().max(1);
    if rest.is_empty() || width * rows != values.len() {
        return false;
    }
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-12 * a.abs().max(b.abs());
    let same = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| near(*a, *b));
    let by_rows = *rows > 1 && values.chunks(width).all(|row| same(row, &values[..width]));
    let flat = |row: &[f64]| row.iter().all(|x| near(*x, row[0]));
    let by_columns = rest.len() == 1 && width > 1 && *rows > 1 && values.chunks(width).all(flat);
    by_rows || by_columns
}

pub(super) fn findings(
    case: &Case<'_>,
    probe: &Probe,
    layers: &[Layer],
    course: &Course,
    learnt: bool,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(symmetric(case, probe, layers, course, learnt));
    findings.extend(vanishing(layers, course, learnt));
    findings.extend(exploding(probe, layers, course, learnt));
    findings.extend(zero(layers, course));
    findings
}

fn symmetric(
    case: &Case<'_>,
    probe: &Probe,
    layers: &[Layer],
    course: &Course,
    learnt: bool,
) -> Option<Finding> {
    let graph = &probe.model.graph;
    let is_deep =
        graph.ids().any(|id| matches!(graph.op(id), Op::Elementwise(op) if super::units::is_bent(op)));
    if learnt || course.steps == 0 || course.has_failed() || !is_deep {
        return None;
    }
    let used = reachable(graph, &[probe.model.objective.as_ref()?.node]);
    let layer = layers.iter().zip(&case.program.predict.params).find(|(layer, param)| {
        layer.alike && used.contains(&param.node) && layer.shape.iter().product::<usize>() > 1
    })?;
    let layer = layer.0;
    let message = format!(
        "the units of `{}` begin alike, get the same gradient and stay alike: {} units do the work of one",
        layer.name, layer.shape[0]
    );
    let diagnostic = Diagnostic::error(message).at(layer.span, "all elements begin at one number");
    Some(Finding::fault(
        Cause::Symmetric,
        diagnostic.hint("begin at random: `~ glorot`, or `~ he` before a relu"),
    ))
}

/// Weights: the arrays of two axes or more that begin at random.
fn weights(layers: &[Layer]) -> Vec<&Layer> {
    layers.iter().filter(|layer| layer.shape.len() >= 2 && layer.is_random).collect()
}

fn vanishing(layers: &[Layer], course: &Course, learnt: bool) -> Option<Finding> {
    let weights = weights(layers);
    let (first, most) = (weights.first()?, weights.iter().map(|layer| layer.gradient.0).fold(0.0, f64::max));
    if weights.len() < DEEP || most == 0.0 || !most.is_finite() || first.gradient.0 == 0.0 {
        return None;
    }
    let is_deaf = !learnt && weights.iter().all(|layer| layer.counts(course.first) < DEAF);
    if is_deaf {
        return Some(deaf(&weights, course));
    }
    let ratio = first.gradient.0 / most;
    if ratio > VANISHED || first.shape.iter().product::<usize>() == 0 {
        return None;
    }
    let message = format!(
        "the gradient vanishes on its way back: that of `{}` is {}, and {} at the last layers, {} times as large",
        first.name,
        short(first.gradient.0),
        short(most),
        short(1.0 / ratio)
    );
    let diagnostic = Diagnostic::error(message).at(first.span, "hardly moves");
    let diagnostic = diagnostic.hint(
        "take relu with `~ he` instead of sigmoid or tanh, `residual` connections or `layernorm` between the layers, or fewer layers",
    );
    let finding = match learnt && !course.has_failed() {
        true => Finding::note(Cause::Vanishing, diagnostic),
        false => Finding::fault(Cause::Vanishing, diagnostic),
    };
    Some(finding.with("first", first.gradient.0).with("largest", most))
}

/// No layer's weights make a difference: what comes in does not reach the output.
fn deaf(weights: &[&Layer], course: &Course) -> Finding {
    let most = weights.iter().map(|layer| layer.counts(course.first)).fold(0.0, f64::max);
    let message = format!(
        "nothing comes through the layers: no weights of them change the loss by more than {} of itself when they double",
        short(most)
    );
    let diagnostic = Diagnostic::error(message).at(weights[0].span, "the first of them");
    let hint = "begin with larger weights, `~ glorot` or `~ he`, or put `residual` connections or `layernorm` between the layers";
    Finding::fault(Cause::Vanishing, diagnostic.hint(hint)).with("most", most)
}

fn exploding(probe: &Probe, layers: &[Layer], course: &Course, learnt: bool) -> Option<Finding> {
    if learnt && !course.has_failed() {
        return None;
    }
    let weights = weights(layers);
    let largest = layers.iter().max_by(|a, b| a.gradient.0.total_cmp(&b.gradient.0))?;
    let least = weights.iter().map(|layer| layer.gradient.0).fold(f64::INFINITY, f64::min);
    let deep = weights.len() >= DEEP && largest.gradient.0 > APART * least.max(1.0);
    let graph = &probe.anatomy.graph;
    let loops =
        reachable(graph, &probe.anatomy.outputs).iter().any(|&id| matches!(graph.op(id), Op::Scan { .. }));
    let huge = largest.gradient.0 > EXPLODED * largest.size.0.max(1e-3);
    if !huge && !deep {
        return None;
    }
    let (cause, what, hint) = match loops {
        true => (
            Cause::ExplodingScan,
            "the gradient explodes on its way back through the steps of the recurrence",
            "begin the recurrent matrix with `~ orthogonal`, scale it below 1, set `clip_norm`, or take `gru` or `lstm`",
        ),
        false if weights.len() >= DEEP => (
            Cause::Exploding,
            "the gradient explodes on its way back through the layers",
            "begin with smaller weights, `~ glorot` or `~ he`, put `layernorm` between the layers, or set `clip_norm`",
        ),
        false => return None,
    };
    let message = format!(
        "{what}: that of `{}` is {} before the first step, for weights of {}",
        largest.name,
        short(largest.gradient.0),
        short(largest.size.0)
    );
    let diagnostic = Diagnostic::error(message).at(largest.span, "the largest gradient").hint(hint);
    Some(Finding::fault(cause, diagnostic).with("gradient", largest.gradient.0).leading())
}

/// Parameters without any gradient, before and after.
fn zero(layers: &[Layer], course: &Course) -> Option<Finding> {
    if course.has_failed() || course.last.abs() < NOTHING {
        return None;
    }
    let still: Vec<&Layer> = layers.iter().filter(|layer| layer.gradient == (0.0, 0.0)).collect();
    let first = still.first()?;
    let names: Vec<String> = still.iter().map(|layer| format!("`{}`", layer.name)).collect();
    let message = format!(
        "the gradient of {} is exactly 0, before and after, while the loss is {}",
        names.join(", "),
        short(course.last)
    );
    let mut diagnostic = Diagnostic::error(message).at(first.span, "stays as it starts");
    for layer in still.iter().skip(1).filter(|layer| layer.span != first.span) {
        diagnostic = diagnostic.and_at(layer.span, "and this");
    }
    let hint =
        "what comes after it is flat: dead units, saturated units, weights of 0, or a branch never taken";
    Some(Finding::fault(Cause::ZeroGradient, diagnostic.hint(hint)))
}
