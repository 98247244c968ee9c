//! Metrics: numbers worth watching, of one example each or of all together.
//!
//! What must stay true: a metric of one example is one number, whose mean is reported; a metric of
//! all examples together is a pair of what is said and what is so, which only training puts together.

use super::library;
use super::machine::{Machine, PROGRAM};
use super::unit::Ref;
use super::{number, words};
use crate::error::{Diagnostic, Error, Span};
use crate::ir::{DType, Id};
use crate::syntax::program::Body;

/// `metric accuracy = argmax(z) == y`.
#[derive(Clone, Debug)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// Its node: a number, or the pair that `kind` puts together.
    pub node: Id,
    /// How examples are put together.
    pub kind: MetricKind,
    /// Where it is defined.
    pub span: Span,
}

/// What becomes of a metric's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Their mean; truth values count as 0 and 1.
    Mean,
    /// `r2(prediction, y)`: the share of the variance of y that is explained, 1 − Σ(y − p)²/Σ(y − ȳ)².
    RSquared,
    /// `confusion(class, y)`: how many of each class were said to be of which.
    Confusion,
}

/// The library's functions that are metrics of all examples together.
const TOGETHER: &[(&str, MetricKind)] = &[("r2", MetricKind::RSquared), ("confusion", MetricKind::Confusion)];

/// The metrics of the program, in the order of the text.
pub(super) fn metrics(machine: &mut Machine<'_, '_>) -> Result<Vec<Metric>, Error> {
    let mut metrics: Vec<Metric> = Vec::new();
    for (name, span, body) in &machine.user.requests.metrics {
        if let Some(first) = metrics.iter().find(|metric| metric.name == *name) {
            let diagnostic = Diagnostic::error(format!("the metric `{name}` is defined twice"));
            return Err(Error::name(diagnostic.at(*span, "again").and_at(first.span, "first")));
        }
        let tensor = machine.evaluate(PROGRAM, *body)?;
        let place = machine.user.ast.span(body.root);
        let kind = kind(machine, *body);
        let node = match kind {
            MetricKind::Mean => number(machine, tensor.node, place, "a metric")?,
            _ => pair(machine, tensor.node, place)?,
        };
        metrics.push(Metric { name: name.clone(), node, kind, span: *span });
    }
    Ok(metrics)
}

/// Whether the metric is a call of one of the library's.
fn kind(machine: &Machine<'_, '_>, body: Body) -> MetricKind {
    let Some(Ref::Library(slot)) = machine.user.refs.get(&body.root) else { return MetricKind::Mean };
    let name = &library::unit().blocks[0].slots[*slot as usize].name;
    TOGETHER.iter().find(|metric| metric.0 == name).map_or(MetricKind::Mean, |metric| metric.1)
}

/// Two numbers.
fn pair(machine: &Machine<'_, '_>, node: Id, span: Span) -> Result<Id, Error> {
    let shape = machine.graph.shape(node);
    if shape.extents() == [2] && machine.graph.ty(node).dtype != DType::Bool {
        return Ok(node);
    }
    let text = words::quoted(span.text(machine.user.ast.source()));
    let diagnostic = Diagnostic::error(format!("`{text}` compares a number with a number of each example"));
    Err(Error::shape(diagnostic.at(span, "of arrays").hint("compare one element, or an argmax")))
}
