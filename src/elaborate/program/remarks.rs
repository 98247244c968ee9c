//! Warnings: what is declared and does nothing, and what training cannot move.

use super::model::{Init, Model, Param};
use crate::error::{Diagnostic, Error, Severity, Span};
use crate::ir::{Graph, Id, Op, Selection, Structural, reachable};

/// Warnings of one kind that are told one by one.
const TOLD: usize = 5;

/// Says what looks wrong with a model.
///
/// # Errors
/// Where it is to be trained and nothing says on what.
pub(super) fn on_model(model: &mut Model) -> Result<(), Error> {
    let mut notes = Vec::new();
    let roots: Vec<Id> = super::roots(model);
    let used = flags(&model.graph, &reachable(&model.graph, &roots));
    for input in model.inputs.iter().filter(|input| !used[input.node.index()]) {
        notes.push(unused("input", &input.name, input.span));
    }
    for param in model.params.iter().filter(|param| !used[param.node.index()]) {
        notes.push(unused("parameter", &param.name, param.span));
    }
    notes.extend(model.params.iter().filter_map(outside));
    match &model.objective {
        Some(objective) => {
            let moving = moving(&model.graph, objective.node);
            let stuck = model.params.iter().filter(|p| used[p.node.index()] && !moving[p.node.index()]);
            for param in stuck {
                let message =
                    format!("training cannot move `{}`: no slope of the objective reaches it", param.name);
                let note = Diagnostic::warning(message).at(param.span, "stays as it starts");
                notes.push(note.and_at(objective.span, "the objective"));
            }
        }
        None => missing_objective(model, &mut notes)?,
    }
    let more = notes.len().saturating_sub(TOLD);
    notes.truncate(TOLD);
    if more > 0 {
        notes.push(Diagnostic::note(format!("{more} more warnings like these are left out")));
    }
    model.notes.extend(notes);
    model.notes.sort_by_key(|note| (note.severity != Severity::Warning, note.span.map(|s| s.start)));
    Ok(())
}

fn missing_objective(model: &Model, notes: &mut Vec<Diagnostic>) -> Result<(), Error> {
    let near = model.values.iter().find(|value| crate::suggest::suggest(&value.name, ["loss"]).is_some());
    let hint = match near {
        Some(value) => format!("is `{0}` to be minimized? Call it `loss`, or add `minimize {0}`", value.name),
        None => "define `loss = …`, or ask to `minimize …` or `maximize …`".to_owned(),
    };
    if let Some((span, _)) = model.unit.requests.train.first() {
        let diagnostic =
            Diagnostic::error("nothing says what is to be minimized").at(*span, "trained for what?");
        return Err(Error::name(diagnostic.hint(hint)));
    }
    if let Some(param) = model.params.first() {
        let note =
            Diagnostic::warning("the program has parameters and no objective").at(param.span, "a parameter");
        notes.push(note.hint(hint));
    }
    Ok(())
}

/// A parameter that begins outside its bounds.
fn outside(param: &Param) -> Option<Diagnostic> {
    let (least, most) = param.bounds?;
    let values = match &param.init {
        Init::Constant(value) => std::slice::from_ref(value),
        Init::List(values) => values,
        _ => return None,
    };
    let is_outside = |x: &&f64| least.is_some_and(|least| **x < least) || most.is_some_and(|most| **x > most);
    let first = values.iter().find(is_outside)?;
    let message = format!("`{}` begins at {first}, outside its bounds", param.name);
    Some(Diagnostic::warning(message).at(param.span, "moved to the nearest bound at the first step"))
}

fn unused(what: &str, name: &str, span: Span) -> Diagnostic {
    Diagnostic::warning(format!("the {what} `{name}` is not used")).at(span, "declared here")
}

fn flags(graph: &Graph, ids: &[Id]) -> Vec<bool> {
    let mut flags = vec![false; graph.len()];
    ids.iter().for_each(|id| flags[id.index()] = true);
    flags
}

/// The nodes whose small changes change `root`: whole-number steps and comparisons hide the rest.
pub fn moving(graph: &Graph, root: Id) -> Vec<bool> {
    let mut moving = vec![false; graph.len()];
    moving[root.index()] = true;
    for id in graph.ids().rev() {
        if !moving[id.index()] {
            continue;
        }
        for (i, operand) in graph.operands(id).iter().enumerate() {
            let passes = match graph.op(id) {
                Op::Elementwise(op) => op.has_partial(i),
                Op::Selection(op) => op == Selection::Select && i > 0,
                Op::Structural(Structural::Gather | Structural::Scatter { .. }) => i == 0,
                Op::Reduce { op, .. } => op != crate::ir::Reduction::ArgMax,
                _ => true,
            };
            moving[operand.index()] |= passes;
        }
    }
    moving
}
