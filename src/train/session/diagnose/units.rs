//! Units that do nothing: 0 for every example, or at the flat ends of their function.

use super::course::Course;
use super::probe::Probe;
use crate::error::{Diagnostic, Error};
use crate::ir::{Elementwise, Id, Op, reachable};
use crate::train::trace::short;
use crate::train::{Cause, Finding};

/// Elements looked at in all.
const ELEMENTS: usize = 4_000_000;
/// Tanh beyond this has a slope below 2 ‰ of its steepest; sigmoid beyond the same of its ends.
const FLAT: f64 = 0.999;
/// A unit is saturated where it is at most of the examples.
const MOSTLY: f64 = 0.95;
/// A layer fails where that many of its units do.
const MANY: f64 = 0.5;

/// Functions that make layers more than one.
pub(super) fn is_bent(op: Elementwise) -> bool {
    use Elementwise::{Erf, Erfc, Max, Relu, Sigmoid, Softplus, Tanh};
    matches!(op, Relu | Tanh | Sigmoid | Softplus | Max | Erf | Erfc)
}

/// The activations of one place in the text.
struct Units {
    op: Elementwise,
    node: Id,
    /// How many there are, and how many of them do nothing, before and after.
    count: usize,
    idle: (usize, usize),
}

impl Units {
    fn shares(&self) -> (f64, f64) {
        let share = |idle: usize| idle as f64 / self.count.max(1) as f64;
        (share(self.idle.0), share(self.idle.1))
    }
}

pub(super) fn findings(probe: &Probe, course: &Course, learnt: bool) -> Result<Vec<Finding>, Error> {
    let units = measured(probe, course)?;
    Ok(units.iter().filter_map(|units| finding(probe, units, course, learnt)).collect())
}

fn measured(probe: &Probe, course: &Course) -> Result<Vec<Units>, Error> {
    let graph = &probe.anatomy.graph;
    let mut trained = vec![false; graph.len()];
    let is_param = |id: Id| match graph.op(id) {
        Op::Input(symbol) => probe.model.params.iter().any(|p| p.name == graph.symbol_name(symbol)),
        _ => false,
    };
    let mut nodes = Vec::new();
    let mut room = ELEMENTS;
    for id in reachable(graph, &probe.anatomy.outputs) {
        trained[id.index()] = is_param(id) || graph.operands(id).iter().any(|x| trained[x.index()]);
        let kind = match graph.op(id) {
            Op::Elementwise(op @ (Elementwise::Relu | Elementwise::Tanh | Elementwise::Sigmoid)) => op,
            _ => continue,
        };
        let size = graph.shape(id).size() * probe.rows.len();
        if trained[id.index()] && size <= room {
            room -= size;
            nodes.push((id, kind));
        }
    }
    let ids: Vec<Id> = nodes.iter().map(|node| node.0).collect();
    if ids.is_empty() || probe.rows.len() < 2 {
        return Ok(Vec::new());
    }
    let (before, after) = (probe.values(&ids, &course.start)?, probe.values(&ids, &course.end)?);
    let of = |(i, &(node, op)): (usize, &(Id, Elementwise))| {
        let extents: Vec<usize> = graph.shape(node).extents().iter().map(|&d| d as usize).collect();
        let (count, first) = idle(op, &before[i], &extents);
        Units { op, node, count, idle: (first, idle(op, &after[i], &extents).1) }
    };
    Ok(nodes.iter().enumerate().map(of).collect())
}

/// How many units there are, and how many do nothing; of an array of several axes those along its
/// first or its last, whichever shows more.
fn idle(op: Elementwise, values: &[f64], extents: &[usize]) -> (usize, usize) {
    let size = extents.iter().product::<usize>().max(1);
    let rows = values.len() / size;
    let flat = |x: f64| match op {
        Elementwise::Relu => x == 0.0,
        Elementwise::Tanh => x.abs() > FLAT,
        _ => !(1.0 - FLAT..=FLAT).contains(&x),
    };
    let needed = if op == Elementwise::Relu { rows } else { (MOSTLY * rows as f64).ceil() as usize };
    let times = |at: usize| values.iter().skip(at).step_by(size).filter(|x| flat(**x)).count();
    let is_idle: Vec<bool> = (0..size).map(|at| rows > 0 && times(at) >= needed).collect();
    let along = |units: usize, unit_of: &dyn Fn(usize) -> usize| {
        let mut all = vec![true; units];
        is_idle.iter().enumerate().for_each(|(at, idle)| all[unit_of(at)] &= idle);
        (units, all.iter().filter(|idle| **idle).count())
    };
    match extents {
        [] | [_] => along(size, &|at| at),
        [first, .., last] => {
            let inner = size / first;
            let (a, b) = (along(*first, &|at| at / inner), along(*last, &|at| at % last));
            if a.1 * b.0 >= b.1 * a.0 { a } else { b }
        }
    }
}

fn finding(probe: &Probe, units: &Units, course: &Course, learnt: bool) -> Option<Finding> {
    let (before, after) = units.shares();
    let failed = course.has_failed();
    let is_relu = units.op == Elementwise::Relu;
    let share = if failed { before } else { after.max(if is_relu { 0.0 } else { before }) };
    if share == 0.0 || (!is_relu && before < MANY) {
        return None;
    }
    let graph = &probe.anatomy.graph;
    let origin = probe.anatomy.origin(graph, units.node);
    let name = probe.anatomy.name(graph, units.node).map_or(String::new(), |name| format!(" of `{name}`"));
    let idle = (share * units.count as f64).round() as usize;
    let (cause, message, hint) = match is_relu {
        true => (
            Cause::DeadUnits,
            format!(
                "{idle} of {} relu units{name} are 0 for every example, and get no gradient",
                units.count
            ),
            "begin with `~ he` and biases of 0, take a smaller rate, or `leaky_relu`, `elu` or `gelu`, which are never flat",
        ),
        false => (
            Cause::Saturated,
            format!(
                "{idle} of {} {} units{name} are at their flat ends from the start: their slopes are below {}",
                units.count,
                units.op.name(),
                short(2.0 * (1.0 - FLAT))
            ),
            "begin with smaller weights (`~ glorot`), or standardize the inputs",
        ),
    };
    let diagnostic = Diagnostic::error(message).hint(hint);
    let diagnostic = match origin {
        Some(origin) => diagnostic.at(origin.span, "these units"),
        None => diagnostic,
    };
    let grave = !learnt && share >= MANY || is_relu && share == 1.0 && units.count > 1;
    let finding = match grave && !(failed && before < MANY) {
        true => Finding::fault(cause, diagnostic),
        false => Finding::note(cause, diagnostic),
    };
    Some(finding.with("before", before).with("after", after))
}
