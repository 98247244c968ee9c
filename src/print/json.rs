//! JSON: the outputs as text, and the whole graph, one object a node, ids dense and in order.
//!
//! Written by hand: the library has no serialiser, and the order of keys is part of the form.

use super::{Label, Notation, Printed, print};
use crate::ir::structural::{MAX_RANK, source_axis};
use crate::ir::{Function, Graph, Id, Op, Shape, Structural, Symbol, Type, TypeId, reachable};
use std::fmt::Write;

/// `{"schema":1,"inputs":[…],"outputs":[…],"definitions":[…],"nodes":[…]}` on one line.
pub fn json(function: &Function, labels: &[Label]) -> String {
    let (graph, outputs) = (function.graph(), function.outputs());
    let nodes = reachable(graph, outputs);
    let mut number = vec![0usize; nodes.last().map_or(0, |last| last.index() + 1)];
    for (i, id) in nodes.iter().enumerate() {
        number[id.index()] = i;
    }
    let printed = print(graph, outputs, Notation::Text);
    let inputs = array(function.inputs().iter().map(|&symbol| input(graph, symbol)));
    let named = array((0..outputs.len()).map(|i| output(&printed, labels, i, number[outputs[i].index()])));
    let definitions = array(
        printed
            .definitions
            .iter()
            .map(|(name, text)| format!("{{\"name\":{},\"text\":{}}}", quoted(name), quoted(text))),
    );
    let nodes = array(nodes.iter().map(|&id| node(graph, id, &number)));
    format!(
        "{{\"schema\":1,\"inputs\":{inputs},\"outputs\":{named},\"definitions\":{definitions},\"nodes\":{nodes}}}"
    )
}

fn array(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

fn input(graph: &Graph, symbol: Symbol) -> String {
    let shape = shape(graph, graph.symbol_type(symbol));
    format!("{{\"name\":{},\"shape\":{shape}}}", quoted(graph.symbol_name(symbol)))
}

fn output(printed: &Printed, labels: &[Label], i: usize, node: usize) -> String {
    let name = labels.get(i).and_then(|label| label.text(Notation::Text));
    let name = name.map_or("null".to_owned(), |name| quoted(&name));
    format!("{{\"name\":{name},\"text\":{},\"node\":{node}}}", quoted(&printed.outputs[i]))
}

fn shape(graph: &Graph, ty: TypeId) -> String {
    array(graph.type_of(ty).shape.extents().iter().map(u32::to_string))
}

fn node(graph: &Graph, id: Id, number: &[usize]) -> String {
    let args = array(graph.operands(id).iter().map(|x| number[x.index()].to_string()));
    let mut object = format!("{{\"id\":{},\"op\":", number[id.index()]);
    let details = match graph.op(id) {
        Op::Input(symbol) => format!("\"input\",\"name\":{}", quoted(graph.symbol_name(symbol))),
        Op::Constant(c) => format!("\"const\",\"value\":{}", quoted(&graph.number(c).to_string())),
        Op::Elementwise(op) => format!("{},\"args\":{args}", quoted(op.name())),
        Op::Selection(op) => format!("{},\"args\":{args}", quoted(op.name())),
        Op::Structural(op) => {
            let parameters = parameters(op, graph.shape(id).rank());
            format!("{},\"args\":{args}{parameters}", quoted(op.name()))
        }
        Op::Scan { body, output } => {
            let text = quoted(&graph.body(body).text());
            format!("\"scan\",\"args\":{args},\"output\":{output},\"body\":{text}")
        }
        Op::Contract { batch: 0, over } => format!("\"contract\",\"args\":{args},\"over\":{over}"),
        Op::Contract { batch, over } => {
            format!("\"contract\",\"args\":{args},\"over\":{over},\"batch\":{batch}")
        }
        Op::Reduce { op, axes } => {
            format!("\"{}\",\"args\":{args},\"axes\":{}", op.text_name(), axis_list(axes))
        }
    };
    object.push_str(&details);
    let ty = graph.node(id).ty;
    if ty != TypeId::F64 {
        let dtype = Type::new(graph.type_of(ty).dtype, Shape::scalar());
        // Writing to a string cannot fail.
        let _ = write!(object, ",\"type\":\"{dtype}\",\"shape\":{}", shape(graph, ty));
    }
    object.push('}');
    object
}

fn parameters(op: Structural, rank: usize) -> String {
    match op {
        Structural::Sum { axes } | Structural::Broadcast { axes } => {
            format!(",\"axes\":{}", axis_list(axes))
        }
        Structural::Permute { order } => {
            let axes = (0..rank).map(|i| source_axis(order, i).to_string());
            format!(",\"axes\":{}", array(axes))
        }
        Structural::Slice { axis, start, length } | Structural::Pad { axis, start, length } => {
            format!(",\"axis\":{axis},\"start\":{start},\"length\":{length}")
        }
        Structural::Window { axis, length, stride } => {
            format!(",\"axis\":{axis},\"length\":{length},\"stride\":{stride}")
        }
        Structural::Overlap { axis, stride } => format!(",\"axis\":{axis},\"stride\":{stride}"),
        Structural::Scatter { rows } => format!(",\"rows\":{rows}"),
        Structural::Reshape | Structural::Stack | Structural::Gather | Structural::Iota => String::new(),
    }
}

fn axis_list(axes: u8) -> String {
    array((0..MAX_RANK).filter(|i| axes >> i & 1 == 1).map(|i| i.to_string()))
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            c if (c as u32) < 0x20 => {
                // Writing to a string cannot fail.
                let _ = write!(quoted, "\\u{:04x}", c as u32);
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
