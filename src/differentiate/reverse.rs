//! Reverse mode.

use super::guarded::Guarded;
use super::{active, is_mark, passes, scan};
use crate::ir::structural::pack_order;
use crate::ir::{Builder, Expr, Graph, Id, Op, reachable};
use rustc_hash::{FxHashMap, FxHashSet};

/// Reverse mode: the cotangents x̄ = Σ ȳ · ∂y/∂x over every path from the seeded `y`s down to
/// each `x` of `wrt`; `None` where no path leads. `seeds` pairs outputs with their cotangents.
///
/// One visit per node between the outputs and `wrt`: the gradient costs a constant factor more
/// than the value itself, however many inputs there are.
pub fn vjp(graph: &mut Graph, seeds: &[(Id, Id)], wrt: &[Id]) -> Vec<Option<Id>> {
    let outputs: Vec<Id> = seeds.iter().map(|&(y, _)| y).collect();
    let nodes = reachable(graph, &outputs);
    let active = active(graph, &nodes, wrt);
    let wanted: FxHashSet<Id> = wrt.iter().copied().collect();
    let is_active = |x: Id| active.get(x.index()).copied().unwrap_or(false);
    Builder::over(graph, |b| {
        let mut bars = Cotangents::seed(seeds.iter().map(|&(y, y_bar)| (y, b.expr(y_bar))));
        let mut found: FxHashMap<Id, Expr<'_>> = FxHashMap::default();
        for &id in nodes.iter().rev().filter(|&&id| is_active(id)) {
            let Some(bar) = bars.take(id) else { continue };
            if wanted.contains(&id) {
                found.insert(id, bar.clone().finish());
            }
            let operands = b.read(|g| g.operands(id).to_vec());
            if matches!(b.read(|g| g.op(id)), Op::Scan { .. }) {
                let wanted: Vec<bool> = operands.iter().map(|&x| is_active(x)).collect();
                let bar = bar.finish().id();
                let found = b.write(|g| scan::cotangents(g, id, bar, &wanted));
                for (&x, x_bar) in operands.iter().zip(found) {
                    if let Some(x_bar) = x_bar {
                        bars.accumulate(x, Guarded::cotangent(b.expr(x_bar)));
                    }
                }
                continue;
            }
            for (i, &x) in operands.iter().enumerate() {
                if is_active(x) && b.read(|g| passes(g, id, i)) {
                    bars.accumulate(x, pull_back(b, &bar, id, i, &operands));
                }
            }
        }
        wrt.iter().map(|x| found.get(x).map(|e| e.id())).collect()
    })
}

/// The cotangent of operand `i`, given the cotangent of the node.
fn pull_back<'g>(b: &'g Builder, bar: &Guarded<'g>, id: Id, i: usize, operands: &[Id]) -> Guarded<'g> {
    let exprs: smallvec::SmallVec<[Expr<'g>; 3]> = operands.iter().map(|&x| b.expr(x)).collect();
    match b.read(|g| g.op(id)) {
        Op::Elementwise(op) => match op.partial(i, &exprs, b.expr(id)) {
            Some(partial) => bar.scale(partial).settled_at(id),
            None => bar.map(|value| value * b.integer(0)),
        },
        // Only `select` passes anything on: to the branch that is taken.
        Op::Selection(_) if i == 2 && b.read(|g| is_mark(g, id)) => {
            bar.through_mark(operands[0], operands[2])
        }
        Op::Selection(_) => bar.where_(operands[0], i == 1),
        Op::Structural(op) => bar.reshaped(|value| op.transpose(b, i, value, &exprs)),
        Op::Reduce { op, axes } => {
            let slope = op.partial(b, operands[0], id, axes);
            bar.reshaped(|value| b.broadcast(value, axes, &b.shape(operands[0])) * slope)
        }
        Op::Contract { batch, over } => {
            bar.reshaped(|value| transpose_contraction(b, value, i, &exprs, batch, over))
        }
        Op::Input(_) | Op::Constant(_) | Op::Scan { .. } => bar.clone(),
    }
}

/// For y = a·b over `over` axes: ā = ȳ · bᵀ and b̄ = aᵀ · ȳ, where ᵀ brings the kept axes inside
/// and leaves the leading `batch` axes where they are.
fn transpose_contraction<'g>(
    b: &'g Builder,
    y_bar: Expr<'g>,
    i: usize,
    operands: &[Expr<'g>],
    batch: u8,
    over: u8,
) -> Expr<'g> {
    let other = operands[1 - i];
    let rank = b.shape(other.id()).rank();
    let (paired, over) = (batch as usize, over as usize);
    let kept = (rank - paired - over) as u8;
    if i == 0 {
        let order = (0..paired).chain(paired + over..rank).chain(paired..paired + over);
        b.contract_batched(y_bar, b.permute(other, pack_order(order)), batch, kept)
    } else {
        let order = (0..paired).chain(rank - over..rank).chain(paired..rank - over);
        b.contract_batched(b.permute(other, pack_order(order)), y_bar, batch, kept)
    }
}

/// The cotangents met so far, by node.
struct Cotangents<'g> {
    bars: FxHashMap<Id, Guarded<'g>>,
}

impl<'g> Cotangents<'g> {
    fn seed(seeds: impl IntoIterator<Item = (Id, Expr<'g>)>) -> Self {
        let mut cotangents = Cotangents { bars: FxHashMap::default() };
        for (y, y_bar) in seeds {
            cotangents.accumulate(y, Guarded::cotangent(y_bar));
        }
        cotangents
    }

    fn accumulate(&mut self, x: Id, bar: Guarded<'g>) {
        let sum = match self.bars.remove(&x) {
            Some(before) => before.plus(bar),
            None => bar,
        };
        self.bars.insert(x, sum);
    }

    /// The finished cotangent of a node: all its users have been visited.
    fn take(&mut self, x: Id) -> Option<Guarded<'g>> {
        self.bars.remove(&x)
    }
}
