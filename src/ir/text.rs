//! The graph's own text form, one node a line; what is written reads back as the same nodes.
//!
//! ```text
//! %0 = input x : f64[3]
//! %1 = const 1/3 : f64
//! %2 = broadcast %1 axes 0 : f64[3]
//! %3 = mul %0, %2 : f64[3]
//! %4 = slice %3 axis 0 start 1 length 2 : f64[2]
//! outputs %4
//! ```
//!
//! The body of a scan stands before the nodes, each of its lines behind a bar:
//!
//! ```text
//! body @0 steps 5 carries 1 sequences 1
//! | %0 = input h : f64
//! | %1 = input x : f64
//! | %2 = add %0, %1 : f64
//! | outputs %2, %2
//! %0 = input h0 : f64
//! %1 = input xs : f64[5]
//! %2 = scan @0 output 1 %0, %1 : f64[5]
//! outputs %2
//! ```
//!
//! Ids are dense, operands stand before their users, and nothing is folded on the way in.
//! Assumptions and the origin of a function are not part of the text.

use super::structural::{MAX_RANK, source_axis};
use super::{Body, Function, Graph, Id, Op, Structural, Symbol, reachable};
use std::fmt::{self, Write};

pub use super::text_read::read;

/// Why a text is no graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextError {
    /// Counted from 1.
    pub line: usize,
    pub fault: TextFault,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextFault {
    /// Something else was expected here.
    Expected(&'static str),
    UnknownOp(String),
    /// A node that no line above defines.
    UnknownNode(u32),
    /// A node, input or list of outputs that a line above defines.
    DefinedTwice(String),
    /// Operands, parameters and type do not fit the op.
    Unfit(String),
    /// A named budget was exceeded.
    Budget(&'static str),
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        match &self.fault {
            TextFault::Expected(what) => write!(f, "expected {what}"),
            TextFault::UnknownOp(name) => write!(f, "unknown op `{name}`"),
            TextFault::UnknownNode(n) => write!(f, "`%{n}` is not defined above"),
            TextFault::DefinedTwice(name) => write!(f, "`{name}` is defined twice"),
            TextFault::Unfit(fact) => f.write_str(fact),
            TextFault::Budget(what) => write!(f, "too many {what}"),
        }
    }
}

impl std::error::Error for TextError {}

/// The text of a function: its inputs in order, the nodes its outputs need, its outputs.
///
/// ```
/// use symdiff::{Builder, ir::text};
/// let b = Builder::new();
/// let x = b.variable("x");
/// let written = text::write(&b.function(x * x));
/// assert_eq!(written, "%0 = input x : f64\n%1 = mul %0, %0 : f64\noutputs %1\n");
/// assert_eq!(text::write(&text::read(&written)?), written);
/// # Ok::<(), text::TextError>(())
/// ```
pub fn write(function: &Function) -> String {
    write_nodes(function.graph(), function.inputs(), function.outputs())
}

/// The text of the part of a graph that some roots need.
pub fn write_graph(graph: &Graph, roots: &[Id]) -> String {
    write_nodes(graph, &[], roots)
}

fn write_nodes(graph: &Graph, inputs: &[Symbol], outputs: &[Id]) -> String {
    let nodes = reachable(graph, outputs);
    let mut number = vec![0; nodes.last().map_or(0, |last| last.index() + 1)];
    let bodies = bodies(graph, &nodes);
    let mut text = String::new();
    for (n, &body) in bodies.iter().enumerate() {
        let written = graph.body(body).text();
        let (head, lines) = written.split_once('\n').unwrap_or_default();
        let _ = writeln!(text, "body @{n} {head}");
        lines.lines().for_each(|line| text.push_str(&format!("| {line}\n")));
    }
    let mut next = 0;
    let mut line = |op: &str, ty: &dyn fmt::Display, text: &mut String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "%{next} = {op} : {ty}");
        next += 1;
        next - 1
    };
    let mut symbols = vec![None; graph.symbols().len()];
    for &symbol in inputs {
        let ty = graph.type_of(graph.symbol_type(symbol));
        symbols[symbol.index()] = Some(line(&input(graph, symbol), ty, &mut text));
    }
    for id in nodes {
        let declared = match graph.op(id) {
            Op::Input(symbol) => symbols[symbol.index()],
            _ => None,
        };
        number[id.index()] = match declared {
            Some(declared) => declared,
            None => line(&operation(graph, id, &number, &bodies), graph.ty(id), &mut text),
        };
    }
    let list = list(outputs.iter().map(|id| number[id.index()]));
    let gap = if list.is_empty() { "" } else { " " };
    text.push_str(&format!("outputs{gap}{list}\n"));
    text
}

/// The bodies of scans among the nodes, in order of appearance.
fn bodies(graph: &Graph, nodes: &[Id]) -> Vec<Body> {
    let mut bodies = Vec::new();
    for &id in nodes {
        if let Op::Scan { body, .. } = graph.op(id)
            && !bodies.contains(&body)
        {
            bodies.push(body);
        }
    }
    bodies
}

fn list(numbers: impl Iterator<Item = usize>) -> String {
    numbers.map(|n| format!("%{n}")).collect::<Vec<_>>().join(", ")
}

fn input(graph: &Graph, symbol: Symbol) -> String {
    let name = graph.symbol_name(symbol);
    match is_bare_name(name) {
        true => format!("input {name}"),
        false => format!("input {}", quoted(name)),
    }
}

/// Names that need no quotes.
pub(super) fn is_bare_name(name: &str) -> bool {
    let starts = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    starts && name.chars().all(is_name_char)
}

pub(super) fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn quoted(name: &str) -> String {
    let mut quoted = String::from("\"");
    for c in name.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn operation(graph: &Graph, id: Id, number: &[usize], bodies: &[Body]) -> String {
    let operands = list(graph.operands(id).iter().map(|x| number[x.index()]));
    let name = match graph.op(id) {
        Op::Input(symbol) => return input(graph, symbol),
        Op::Constant(c) => return format!("const {}", graph.number(c)),
        Op::Contract { batch: 0, over } => return format!("contract {operands} over {over}"),
        Op::Contract { batch, over } => return format!("contract {operands} over {over} batch {batch}"),
        Op::Reduce { op, axes } => return format!("{} {operands}{}", op.text_name(), axis_set(axes)),
        Op::Structural(op) => {
            let rank = graph.shape(id).rank();
            let gap = if operands.is_empty() { "" } else { " " };
            return format!("{}{gap}{operands}{}", op.name(), parameters(op, rank));
        }
        Op::Scan { body, output } => {
            let n = bodies.iter().position(|&known| known == body).unwrap_or_default();
            return format!("scan @{n} output {output} {operands}");
        }
        Op::Elementwise(op) => op.name(),
        Op::Selection(op) => op.name(),
    };
    let gap = if operands.is_empty() { "" } else { " " };
    format!("{name}{gap}{operands}")
}

fn parameters(op: Structural, rank: usize) -> String {
    match op {
        Structural::Sum { axes } | Structural::Broadcast { axes } => axis_set(axes),
        Structural::Permute { order } => {
            format!(" order{}", list_of((0..rank).map(|i| source_axis(order, i))))
        }
        Structural::Slice { axis, start, length } | Structural::Pad { axis, start, length } => {
            format!(" axis {axis} start {start} length {length}")
        }
        Structural::Window { axis, length, stride } => {
            format!(" axis {axis} length {length} stride {stride}")
        }
        Structural::Overlap { axis, stride } => format!(" axis {axis} stride {stride}"),
        Structural::Scatter { rows } => format!(" rows {rows}"),
        Structural::Reshape | Structural::Stack | Structural::Gather | Structural::Iota => String::new(),
    }
}

fn axis_set(axes: u8) -> String {
    format!(" axes{}", list_of((0..MAX_RANK).filter(|i| axes >> i & 1 == 1)))
}

fn list_of(axes: impl Iterator<Item = usize>) -> String {
    axes.map(|axis| format!(" {axis}")).collect()
}
