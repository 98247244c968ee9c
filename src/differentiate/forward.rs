//! Forward mode.

use super::guarded::Guarded;
use super::{active, is_mark, passes, scan};
use crate::ir::{Builder, Expr, Graph, Id, Op, Structural, reachable};
use rustc_hash::FxHashMap;

/// Forward mode: the tangents ẏ = Σ ∂y/∂x · ẋ of `ys` along the seeds, pairs of a node and its
/// tangent; `None` where `y` does not vary along them.
pub fn jvp(graph: &mut Graph, ys: &[Id], seeds: &[(Id, Id)]) -> Vec<Option<Id>> {
    let wrt: Vec<Id> = seeds.iter().map(|&(x, _)| x).collect();
    let nodes = reachable(graph, ys);
    let active = active(graph, &nodes, &wrt);
    Builder::over(graph, |b| {
        let mut dots: FxHashMap<Id, Guarded<'_>> =
            seeds.iter().map(|&(x, x_dot)| (x, Guarded::tangent(b.expr(x_dot)))).collect();
        for &id in nodes.iter().filter(|id| active[id.index()]) {
            if dots.contains_key(&id) {
                continue;
            }
            if let Some(y_dot) = push_forward(b, id, &dots) {
                dots.insert(id, y_dot);
            }
        }
        ys.iter().map(|y| dots.get(y).map(|dot| dot.clone().finish().id())).collect()
    })
}

/// The tangent of a node, given the tangents of its operands.
fn push_forward<'g>(b: &'g Builder, id: Id, dots: &FxHashMap<Id, Guarded<'g>>) -> Option<Guarded<'g>> {
    let operands = b.read(|g| g.operands(id).to_vec());
    let dot = |i: usize| match b.read(|g| passes(g, id, i)) {
        true => dots.get(&operands[i]),
        false => None,
    };
    let plain = |i: usize| dot(i).map(|dot| dot.clone().finish());
    let exprs: Vec<Expr<'g>> = operands.iter().map(|&x| b.expr(x)).collect();
    let terms = |term: &dyn Fn(usize, &Guarded<'g>) -> Option<Guarded<'g>>| {
        let each = (0..operands.len()).filter_map(|i| term(i, dot(i)?));
        each.reduce(Guarded::plus)
    };
    match b.read(|g| g.op(id)) {
        Op::Elementwise(op) => terms(&|i, x_dot| Some(x_dot.scale(op.partial(i, &exprs, b.expr(id))?))),
        // Only `select` passes anything on: from the branch that is taken.
        Op::Selection(_) if b.read(|g| is_mark(g, id)) => {
            Some(dot(2)?.through_mark(operands[0], operands[2]).settled_at(operands[2]))
        }
        Op::Selection(_) => Guarded::select(operands[0], dot(1), dot(2)),
        Op::Reduce { op, axes } => {
            let slope = op.partial(b, operands[0], id, axes);
            Some(dot(0)?.reshaped(|x_dot| b.sum(slope * x_dot, axes)))
        }
        Op::Contract { batch, over } => terms(&|i, x_dot| {
            Some(x_dot.reshaped(|x_dot| match i {
                0 => b.contract_batched(x_dot, exprs[1], batch, over),
                _ => b.contract_batched(exprs[0], x_dot, batch, over),
            }))
        }),
        Op::Structural(Structural::Iota) => None,
        Op::Structural(Structural::Stack) => {
            let parts = (0..operands.len()).map(|i| plain(i).unwrap_or_else(|| zeros(b, operands[i])));
            Some(Guarded::tangent(b.stack(&parts.collect::<Vec<_>>())))
        }
        Op::Structural(op) => Some(dot(0)?.reshaped(|x_dot| match op {
            Structural::Sum { axes } => b.sum(x_dot, axes),
            Structural::Broadcast { axes } => b.broadcast(x_dot, axes, &b.shape(id)),
            Structural::Reshape => b.reshape(x_dot, &b.shape(id)),
            Structural::Permute { order } => b.permute(x_dot, order),
            Structural::Slice { axis, start, length } => b.slice(x_dot, axis, start, length),
            Structural::Pad { axis, start, length } => b.pad(x_dot, axis, start, length),
            Structural::Window { axis, length, stride } => b.window(x_dot, axis, length, stride),
            Structural::Overlap { axis, stride } => {
                b.overlap(x_dot, axis, stride, b.shape(id).extents()[axis as usize])
            }
            Structural::Gather => b.gather(x_dot, exprs[1]),
            Structural::Scatter { rows } => b.scatter(x_dot, exprs[1], rows),
            Structural::Stack | Structural::Iota => unreachable!("no linear map of one operand"),
        })),
        Op::Scan { .. } => {
            let dots: Vec<Option<Id>> = (0..operands.len()).map(|i| plain(i).map(Expr::id)).collect();
            b.write(|g| scan::tangent(g, id, &dots)).map(|y_dot| Guarded::tangent(b.expr(y_dot)))
        }
        Op::Input(_) | Op::Constant(_) => None,
    }
}

/// Zeros in the shape of a node.
fn zeros(b: &Builder, like: Id) -> Expr<'_> {
    let shape = b.shape(like);
    let axes = ((1u16 << shape.rank()) - 1) as u8;
    b.broadcast(b.integer(0), axes, &shape)
}
