//! Graphviz: the graph as it is, operands above their users, inputs as boxes.

use super::{Label, Notation};
use crate::ir::{Function, Graph, Id, Op, reachable};
use std::fmt::Write;

/// A digraph with nodes `n0`, `n1`, … in graph order and outputs `out0`, `out1`, ….
pub fn dot(function: &Function, labels: &[Label]) -> String {
    let (graph, outputs) = (function.graph(), function.outputs());
    let nodes = reachable(graph, outputs);
    let mut number = vec![0usize; nodes.last().map_or(0, |last| last.index() + 1)];
    let mut lines = vec!["digraph symdiff {".to_owned(), "  node [shape=ellipse];".to_owned()];
    for (i, &id) in nodes.iter().enumerate() {
        number[id.index()] = i;
        lines.push(node(graph, id, i));
        let operands = graph.operands(id);
        for (position, operand) in operands.iter().enumerate() {
            // Where order matters the edge says which operand it is.
            let ordered = operands.len() > 1 && !is_commutative(graph.op(id));
            let label = if ordered { format!(" [label=\"{position}\"]") } else { String::new() };
            lines.push(format!("  n{} -> n{i}{label};", number[operand.index()]));
        }
    }
    for (i, id) in outputs.iter().enumerate() {
        let label = labels.get(i).and_then(|label| label.text(Notation::Text));
        let label = label.unwrap_or_else(|| format!("output {i}"));
        lines.push(format!("  out{i} [shape=doubleoctagon, label=\"{}\"];", escaped(&label)));
        lines.push(format!("  n{} -> out{i};", number[id.index()]));
    }
    lines.push("}".to_owned());
    lines.join("\n")
}

fn node(graph: &Graph, id: Id, number: usize) -> String {
    let (label, style) = match graph.op(id) {
        Op::Input(symbol) => (graph.symbol_name(symbol).to_owned(), ", shape=box"),
        Op::Constant(c) => (graph.number(c).to_string(), ", shape=plaintext"),
        Op::Elementwise(op) => (op.name().to_owned(), ""),
        Op::Selection(op) => (op.name().to_owned(), ""),
        Op::Structural(op) => (op.name().to_owned(), ""),
        Op::Reduce { op, .. } => (op.name().to_owned(), ""),
        Op::Scan { output, .. } => (format!("scan {output}"), ""),
        Op::Contract { over, .. } => (format!("contract {over}"), ""),
    };
    let mut label = escaped(&label);
    if !graph.is_scalar(id) {
        // Writing to a string cannot fail.
        let _ = write!(label, "\\n{}", graph.shape(id));
    }
    format!("  n{number} [label=\"{label}\"{style}];")
}

fn is_commutative(op: Op) -> bool {
    matches!(op, Op::Elementwise(op) if op.is_commutative())
}

/// Text between double quotes; line ends and other controls are left out.
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars().filter(|c| !c.is_control()) {
        if matches!(c, '"' | '\\') {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}
