//! What the graph alone shows: parameters and inputs that do nothing.

use crate::elaborate::program::{Model, moving};
use crate::error::Diagnostic;
use crate::ir::{Id, reachable};
use crate::train::session::program::Program;
use crate::train::{Cause, Finding};

pub(super) fn findings(program: &Program) -> Vec<Finding> {
    let model = &program.predict;
    let Some(objective) = &model.objective else { return Vec::new() };
    let graph = &model.graph;
    let mut used = vec![false; graph.len()];
    reachable(graph, &[objective.node]).iter().for_each(|id| used[id.index()] = true);
    let moving = moving(graph, objective.node);
    let mut findings = Vec::new();
    for param in &model.params {
        let at = |message: String, label: &str| Diagnostic::error(message).at(param.span, label);
        if !used[param.node.index()] {
            let message = format!("the objective does not use the parameter `{}`", param.name);
            let hint = "use it, or leave it out";
            findings.push(Finding::fault(Cause::Unused, at(message, "declared here").hint(hint)));
        } else if !moving[param.node.index()] {
            let message = format!("no slope of the objective reaches `{}`", param.name);
            let diagnostic = at(message, "stays as it starts").and_at(objective.span, "the objective");
            let hint = "rounding, comparisons, argmax and sign have slope 0: replace them by something smooth, such as sigmoid or softmax";
            findings.push(Finding::fault(Cause::CutOff, diagnostic.hint(hint)));
        }
    }
    let others = reachable(graph, &others(model));
    for input in model.inputs.iter().filter(|input| !used[input.node.index()]) {
        let elsewhere = others.contains(&input.node);
        let message = format!("the objective does not use the input `{}`", input.name);
        let diagnostic = Diagnostic::error(message).at(input.span, "declared here");
        let diagnostic = diagnostic.hint("compare the prediction with it, or leave it out");
        findings.push(match elsewhere && !model.inputs.iter().all(|input| !used[input.node.index()]) {
            true => Finding::note(Cause::Unused, diagnostic),
            false => Finding::fault(Cause::Unused, diagnostic),
        });
    }
    findings
}

/// What else the program computes.
fn others(model: &Model) -> Vec<Id> {
    let metrics = model.metrics.iter().map(|metric| metric.node);
    model.values.iter().map(|value| value.node).chain(metrics).collect()
}
