//! Forward mode.

use super::cotangent::{branch_or_zero, times};
use super::{active, passes, scan};
use crate::ir::{Builder, Expr, Graph, Id, Op, Scalar, Structural, reachable};
use rustc_hash::FxHashMap;

/// Forward mode: the tangents ẏ = Σ ∂y/∂x · ẋ of `ys` along the seeds, pairs of a node and its
/// tangent; `None` where `y` does not vary along them.
pub fn jvp(graph: &mut Graph, ys: &[Id], seeds: &[(Id, Id)]) -> Vec<Option<Id>> {
    let wrt: Vec<Id> = seeds.iter().map(|&(x, _)| x).collect();
    let nodes = reachable(graph, ys);
    let active = active(graph, &nodes, &wrt);
    Builder::over(graph, |b| {
        let mut dots: FxHashMap<Id, Expr<'_>> = seeds.iter().map(|&(x, x_dot)| (x, b.expr(x_dot))).collect();
        for &id in nodes.iter().filter(|id| active[id.index()]) {
            if dots.contains_key(&id) {
                continue;
            }
            if let Some(y_dot) = push_forward(b, id, &dots) {
                dots.insert(id, y_dot);
            }
        }
        ys.iter().map(|y| dots.get(y).map(|e| e.id())).collect()
    })
}

/// The tangent of a node, given the tangents of its operands.
fn push_forward<'g>(b: &'g Builder, id: Id, dots: &FxHashMap<Id, Expr<'g>>) -> Option<Expr<'g>> {
    let operands = b.read(|g| g.operands(id).to_vec());
    let dot = |i: usize| match b.read(|g| passes(g, id, i)) {
        true => dots.get(&operands[i]).copied(),
        false => None,
    };
    let dot_or_zero = |i: usize| dot(i).unwrap_or_else(|| zeros(b, operands[i]));
    let exprs: Vec<Expr<'g>> = operands.iter().map(|&x| b.expr(x)).collect();
    let terms = |term: &dyn Fn(usize, Expr<'g>) -> Option<Expr<'g>>| {
        let each = (0..operands.len()).filter_map(|i| term(i, dot(i)?));
        each.reduce(|sum, t| sum + t)
    };
    match b.read(|g| g.op(id)) {
        Op::Elementwise(op) => terms(&|i, x_dot| Some(along(op.partial(i, &exprs, b.expr(id))?, x_dot))),
        Op::Selection(_) => Some(b.select(exprs[0], dot_or_zero(1), dot_or_zero(2))),
        Op::Reduce { op, axes } => {
            let slope = op.partial(b, operands[0], id, axes);
            Some(b.sum(slope * dot(0)?, axes))
        }
        Op::Contract { batch, over } => terms(&|i, x_dot| match i {
            0 => Some(b.contract_batched(x_dot, exprs[1], batch, over)),
            _ => Some(b.contract_batched(exprs[0], x_dot, batch, over)),
        }),
        Op::Structural(op) => Some(match op {
            Structural::Sum { axes } => b.sum(dot(0)?, axes),
            Structural::Broadcast { axes } => b.broadcast(dot(0)?, axes, &b.shape(id)),
            Structural::Reshape => b.reshape(dot(0)?, &b.shape(id)),
            Structural::Permute { order } => b.permute(dot(0)?, order),
            Structural::Slice { axis, start, length } => b.slice(dot(0)?, axis, start, length),
            Structural::Pad { axis, start, length } => b.pad(dot(0)?, axis, start, length),
            Structural::Stack => b.stack(&(0..operands.len()).map(dot_or_zero).collect::<Vec<_>>()),
            Structural::Window { axis, length, stride } => b.window(dot(0)?, axis, length, stride),
            Structural::Overlap { axis, stride } => {
                b.overlap(dot(0)?, axis, stride, b.shape(id).extents()[axis as usize])
            }
            Structural::Gather => b.gather(dot(0)?, exprs[1]),
            Structural::Scatter { rows } => b.scatter(dot(0)?, exprs[1], rows),
            Structural::Iota => return None,
        }),
        Op::Scan { .. } => {
            let dots: Vec<Option<Id>> = (0..operands.len()).map(|i| dot(i).map(Expr::id)).collect();
            b.write(|g| scan::tangent(g, id, &dots)).map(|y_dot| b.expr(y_dot))
        }
        Op::Input(_) | Op::Constant(_) => None,
    }
}

/// `partial * x_dot`, zero outside the branch of either, whatever the other is there.
fn along<'g>(partial: Expr<'g>, x_dot: Expr<'g>) -> Expr<'g> {
    let b = partial.builder();
    let within = |condition, product| b.select(b.expr(condition), product, x_dot.zero());
    if let Some((condition, slope)) = branch_or_zero(partial) {
        return within(condition, along(slope, x_dot));
    }
    match branch_or_zero(x_dot) {
        Some((condition, tangent)) => within(condition, times(tangent, partial)),
        None => times(x_dot, partial),
    }
}

/// Zeros in the shape of a node.
fn zeros(b: &Builder, like: Id) -> Expr<'_> {
    let shape = b.shape(like);
    let axes = ((1u16 << shape.rank()) - 1) as u8;
    b.broadcast(b.integer(0), axes, &shape)
}
