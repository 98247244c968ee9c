//! Checks what every pass must keep true. A failure is our bug: it names the node and the fact.

use super::build::contracted;
use super::structural::{MAX_RANK, without};
use super::{DType, Graph, Id, Op, Reduction, Selection, Shape};

/// The first fact the part of the graph under `roots` breaks, in words.
pub fn verify(graph: &Graph, roots: &[Id]) -> Result<(), String> {
    for id in super::reachable(graph, roots) {
        check(graph, id).map_err(|fact| format!("{id} ({:?}): {fact}", graph.op(id)))?;
    }
    Ok(())
}

/// [`verify`], in debug builds only; `pass` is the pass that has just run.
pub fn debug_verify(graph: &Graph, roots: &[Id], pass: &str) {
    if cfg!(debug_assertions)
        && let Err(fact) = verify(graph, roots)
    {
        panic!("after {pass}: {fact}");
    }
}

fn check(graph: &Graph, id: Id) -> Result<(), &'static str> {
    let operands = graph.operands(id);
    if operands.iter().any(|x| *x >= id) {
        return Err("an operand does not come before its user");
    }
    let shapes: Vec<&Shape> = operands.iter().map(|&x| graph.shape(x)).collect();
    let all_alike = shapes.iter().all(|s| *s == graph.shape(id));
    let is = |i: usize, dtype: DType| graph.ty(operands[i]).dtype == dtype;
    let floats = |from: usize| (from..operands.len()).all(|i| is(i, DType::F64));
    match graph.op(id) {
        Op::Input(_) | Op::Constant(_) if !operands.is_empty() => Err("a leaf has operands"),
        Op::Input(symbol) if graph.symbol_type(symbol) != graph.node(id).ty => {
            Err("its type is not the input's")
        }
        Op::Constant(_) if !graph.is_scalar(id) => Err("a constant is a scalar"),
        Op::Input(_) | Op::Constant(_) => Ok(()),
        Op::Elementwise(op) if op.arity() != operands.len() => Err("wrong number of operands"),
        Op::Elementwise(_) if !all_alike => Err("elementwise operands differ in shape"),
        Op::Elementwise(_) if !floats(0) => Err("arithmetic on truth values"),
        Op::Elementwise(_) => Ok(()),
        Op::Selection(op) if op.arity() != operands.len() => Err("wrong number of operands"),
        Op::Selection(_) if !all_alike => Err("selection operands differ in shape"),
        Op::Selection(Selection::Select) if !is(0, DType::Bool) => Err("the condition is not a truth value"),
        Op::Selection(Selection::Select) if !floats(1) => Err("selects truth values"),
        Op::Selection(op) if op.is_bool() != (graph.ty(id).dtype == DType::Bool) => Err("wrong result type"),
        Op::Selection(op) if op.is_comparison() && !floats(0) => Err("compares truth values"),
        Op::Selection(_) => Ok(()),
        Op::Structural(op) if !op.accepts(&shapes, graph.shape(id)) => Err("shapes do not fit the op"),
        Op::Structural(_) => Ok(()),
        Op::Reduce { .. } if operands.len() != 1 || !floats(0) => {
            Err("a reduction is of one array of numbers")
        }
        Op::Reduce { op, axes } => reduction_fits(op, axes, shapes[0], graph.shape(id)),
        Op::Contract { batch, over } => match shapes.as_slice() {
            [a, b] if contracted(a, b, batch, over).as_ref() == Some(graph.shape(id)) => Ok(()),
            [_, _] => Err("contracted axes differ"),
            _ => Err("a contraction has two operands"),
        },
        Op::Scan { body, output } => graph.body(body).check(graph, id, output),
    }
}

fn reduction_fits(op: Reduction, axes: u8, x: &Shape, result: &Shape) -> Result<(), &'static str> {
    let exists = x.rank() <= MAX_RANK && (u16::from(axes) >> x.rank()) == 0 && axes != 0;
    let over = (0..x.rank()).filter(|i| axes >> i & 1 == 1);
    match () {
        () if !exists || without(x, axes) != *result => Err("shapes do not fit the reduction"),
        () if over.map(|i| x.extents()[i]).any(|extent| extent == 0) => Err("a reduction of nothing"),
        () if op == Reduction::ArgMax && axes.count_ones() != 1 => Err("`argmax` is along one axis"),
        () => Ok(()),
    }
}
