//! Scans: a program of one step, run over a stretch of the arena of its own, and the copies that
//! bring its inputs there and take its results away.
//!
//! What must stay true: nodes of one body and the same operands are one loop; the step's constants
//! are copied once, entries before each step; a carry is made in the place it is read from.

use super::TensorOptions;
use super::build::build;
use super::fuse::Group;
use super::layout::Home;
use super::program::{BufferId, Repeated, TensorProgram, Transfer, When};
use super::trace::Blocked;
use crate::error::{Diagnostic, Error};
use crate::ir::{Body, Graph, Id, NESTING, Op, ScanBody, ScanResult};
use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;

/// The programs of one step of every body among the nodes.
pub(super) fn bodies(
    graph: &Graph,
    needed: &[Id],
    options: &TensorOptions,
) -> Result<FxHashMap<Body, TensorProgram>, Error> {
    let mut programs = FxHashMap::default();
    for &id in needed {
        let Op::Scan { body, .. } = graph.op(id) else { continue };
        if let Entry::Vacant(place) = programs.entry(body) {
            let scan = graph.body(body);
            if scan.depth() > NESTING {
                let message = format!("more than {NESTING} scans within each other");
                return Err(Error::limit(Diagnostic::error(message)));
            }
            let in_place = (0..scan.carries).map(|i| (i, i)).collect();
            let options = TensorOptions { in_place, ..options.clone() };
            place.insert(build(&scan.function, &options)?);
        }
    }
    Ok(programs)
}

/// True for results of the same loop.
pub(super) fn is_same_loop(graph: &Graph, a: Id, b: Id) -> bool {
    match (graph.op(a), graph.op(b)) {
        (Op::Scan { body: first, .. }, Op::Scan { body: second, .. }) => {
            first == second && graph.operands(a) == graph.operands(b)
        }
        _ => false,
    }
}

/// The loop of a group of results. Its room gets a buffer later.
pub(super) fn repeated(
    graph: &Graph,
    group: &Group,
    stored: &[Option<Home>],
    bodies: &FxHashMap<Body, TensorProgram>,
) -> Result<Repeated, Blocked> {
    let first = group.members[0];
    let Op::Scan { body, .. } = graph.op(first) else { unreachable!("`fuse` made the group of scans") };
    let (scan, program) = (graph.body(body), bodies[&body].clone());
    let mut transfers = Vec::new();
    for (i, &operand) in graph.operands(first).iter().enumerate() {
        // What is copied in is copied row by row.
        let row_major = |home: &Home| home.order.is_none();
        let outer = stored[operand.index()].filter(row_major).ok_or(operand)?.buffer;
        let is_entry = (scan.carries..scan.carries + scan.sequences).contains(&i);
        let when = if is_entry { When::Entry } else { When::First };
        transfers.push(Transfer { when, outer, inner: program.inputs[i] });
    }
    for &id in &group.members {
        let outer = stored[id.index()].expect("members of groups are stored").buffer;
        transfers.push(taken(scan, &program, graph.op(id), outer));
    }
    transfers.retain(|transfer| program.buffers[transfer.inner.index()].size > 0);
    transfers.sort_by_key(|transfer| transfer.when);
    let (steps, backwards) = (scan.steps, scan.backwards);
    Ok(Repeated { program: Box::new(program), room: BufferId(0), steps, backwards, transfers })
}

/// How a result leaves the loop.
fn taken(scan: &ScanBody, program: &TensorProgram, op: Op, outer: BufferId) -> Transfer {
    let Op::Scan { output, .. } = op else { unreachable!("`fuse` made the group of scans") };
    let (when, inner) = match scan.result(output) {
        ScanResult::Before(i) => (When::Before, program.inputs[i]),
        ScanResult::Emitted(j) => (When::Emit, program.outputs[scan.carries + j]),
        ScanResult::Last(i) => (When::Last, program.outputs[i]),
    };
    Transfer { when, outer, inner }
}
