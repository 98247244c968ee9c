//! What tensor nodes cost, and which of them are worth storing.
//!
//! What must stay true: the choice changes speed only. What has to be stored, because it is no
//! expression of one element, is said here as well: [`is_stored_by_nature`].

use super::view::{View, Views};
use crate::ir::{Elementwise, Graph, Id, Op, Structural};
use rustc_hash::FxHashMap;

/// Costs of an element, in instructions or so: of an elementary function, of a division or root,
/// of a store and of a load.
const FUNCTION: f64 = 40.0;
const DIVISION: f64 = 5.0;
const STORE: f64 = 2.0;
const LOAD: f64 = 1.0;

/// What an element costs more, in the same measure, where storing it makes two passes of one.
const PASS: f64 = 12.0;

/// Contractions of up to so many multiplications become nests; a library call costs as much.
pub(super) const SMALL_PRODUCT: usize = 4096;

/// Sides of products up to so long are narrow, and from so long on long.
pub(super) const NARROW: u64 = 16;
pub(super) const LONG: u64 = 64;

/// True for nodes that are made of more than one element of an operand, or of several operands'.
pub(super) fn is_stored_by_nature(op: Op) -> bool {
    match op {
        Op::Contract { over, .. } => over > 0,
        Op::Reduce { .. } | Op::Scan { .. } => true,
        Op::Structural(op) => matches!(
            op,
            Structural::Sum { .. }
                | Structural::Stack
                | Structural::Scatter { .. }
                | Structural::Overlap { .. }
        ),
        _ => false,
    }
}

/// The extents a reduction takes away.
pub(super) fn reduced_extents(graph: &Graph, id: Id) -> Vec<u32> {
    let x = || graph.shape(graph.operand(id, 0)).extents();
    let of_axes = |axes: u8| {
        let inside = x().iter().enumerate().filter(|(axis, _)| axes >> axis & 1 == 1);
        inside.map(|(_, &extent)| extent).collect()
    };
    match graph.op(id) {
        Op::Structural(Structural::Sum { axes }) | Op::Reduce { axes, .. } => of_axes(axes),
        Op::Contract { over, .. } => x()[x().len() - over as usize..].to_vec(),
        _ => Vec::new(),
    }
}

/// How many points the loops of a stored node have.
pub(super) fn points(graph: &Graph, id: Id) -> usize {
    let inner: usize = reduced_extents(graph, id).iter().map(|&d| d as usize).product();
    match graph.op(id) {
        Op::Structural(Structural::Scatter { .. } | Structural::Overlap { .. }) => {
            graph.shape(graph.operand(id, 0)).size()
        }
        _ => graph.shape(id).size().saturating_mul(inner),
    }
}

/// True for contractions worth a library call.
pub(super) fn is_product(graph: &Graph, id: Id) -> bool {
    let Op::Contract { .. } = graph.op(id) else { return false };
    let inner: usize = reduced_extents(graph, id).iter().map(|&d| d as usize).product();
    inner > 1 && points(graph, id) > SMALL_PRODUCT && !is_narrow(graph, id)
}

/// True for many small products at once, each with two sides that are less than a tile and none that
/// would fill many.
fn is_narrow(graph: &Graph, id: Id) -> bool {
    let Op::Contract { batch, over } = graph.op(id) else { return false };
    let (batch, over) = (batch as usize, over as usize);
    let size = |extents: &[u32]| extents.iter().map(|&d| u64::from(d)).product::<u64>();
    let [a, b] = [0, 1].map(|i| graph.shape(graph.operand(id, i)).extents());
    let sides = [size(&a[batch..a.len() - over]), size(&b[batch..batch + over]), size(&b[batch + over..])];
    let narrow = sides.iter().filter(|&&side| side <= NARROW).count();
    size(&a[..batch]) > 1 && narrow >= 2 && sides.iter().all(|&side| side < LONG)
}

/// Stores what narrow products would compute over and over: their factors.
fn store_factors(graph: &Graph, needed: &[Id], stored: &mut [bool]) {
    for &id in needed.iter().filter(|&&id| matches!(graph.op(id), Op::Contract { .. })) {
        let is_large = points(graph, id) > SMALL_PRODUCT && is_narrow(graph, id);
        for &factor in graph.operands(id).iter().filter(|_| is_large) {
            let x = behind_turns(graph, factor).0;
            if is_pointwise(graph.op(x)) {
                stored[x.index()] = true;
            }
        }
    }
}

/// The nodes that are read as they lie in memory, and that are computed: products read matrices, or
/// views of them, and scans whatever they take.
pub(super) fn read_from_memory(graph: &Graph, needed: &[Id]) -> impl Iterator<Item = Id> {
    let all_of = |id: Id| graph.operands(id).iter().copied();
    let factors = needed.iter().filter(|&&id| is_product(graph, id)).flat_map(move |&id| all_of(id));
    let is_computed =
        |&x: &Id| is_pointwise(graph.op(x)) || matches!(graph.op(x), Op::Structural(Structural::Gather));
    let factors = factors.map(|x| behind_views(graph, x)).filter(is_computed);
    let scans = needed.iter().filter(|&&id| matches!(graph.op(id), Op::Scan { .. }));
    factors.chain(scans.flat_map(move |&id| all_of(id)))
}

/// The node of which a node shows elements in other places.
fn behind_views(graph: &Graph, mut x: Id) -> Id {
    use Structural::{Broadcast, Permute, Reshape, Slice, Window};
    while let Op::Structural(Broadcast { .. } | Permute { .. } | Reshape | Slice { .. } | Window { .. }) =
        graph.op(x)
    {
        x = graph.operand(x, 0);
    }
    x
}

/// The node that a node is a turning of, and the order of its axes there, packed.
pub(super) fn behind_turns(graph: &Graph, x: Id) -> (Id, Option<u32>) {
    match graph.op(x) {
        Op::Structural(Structural::Permute { order }) => (graph.operand(x, 0), Some(order)),
        _ => (x, None),
    }
}

fn own_cost(graph: &Graph, id: Id) -> f64 {
    use Elementwise::*;
    match graph.op(id) {
        Op::Elementwise(Neg | Add | Sub | Mul | Fma | Abs | Floor | Ceil | Pi) => 1.0,
        Op::Elementwise(Sign | Relu | Round) => 2.0,
        Op::Elementwise(Min | Max) => 4.0,
        Op::Elementwise(Div | Sqrt) => DIVISION,
        Op::Elementwise(Pow) => match number(graph, graph.operand(id, 1)) {
            Some(n) if n.abs() <= crate::loops::POWER as f64 => 3.0,
            _ => FUNCTION,
        },
        Op::Elementwise(_) => FUNCTION,
        Op::Selection(_) | Op::Contract { .. } => 1.0,
        _ => 0.0,
    }
}

/// The number a node is everywhere, if it is a constant or one repeated.
fn number(graph: &Graph, id: Id) -> Option<f64> {
    match graph.op(id) {
        Op::Constant(c) => Some(graph.number(c).to_f64()),
        Op::Structural(Structural::Broadcast { .. }) => {
            graph.constant(graph.operand(id, 0)).map(|n| n.to_f64())
        }
        _ => None,
    }
}

/// Stores, of the nodes needed, those that would otherwise be computed several times over.
pub(super) fn store_shared(graph: &Graph, needed: &[Id], stored: &mut [bool]) {
    store_siblings(graph, needed, stored);
    store_factors(graph, needed, stored);
    let mut chain = vec![0.0f64; graph.len()];
    let mut constant = vec![false; graph.len()];
    for &id in needed {
        // What no input reaches is folded.
        let is_leaf = matches!(graph.op(id), Op::Input(_) | Op::Structural(Structural::Iota));
        constant[id.index()] = !is_leaf && graph.operands(id).iter().all(|x| constant[x.index()]);
        if constant[id.index()] {
            continue;
        }
        let operands = graph.operands(id).iter().filter(|x| !stored[x.index()]);
        let below: f64 = operands.map(|x| chain[x.index()]).sum();
        chain[id.index()] = own_cost(graph, id) + below.min(1e6);
    }
    let passes = passes(graph, needed);
    let mut views = vec![Views::default(); graph.len()];
    for &id in needed.iter().rev() {
        let size = graph.shape(id).size() as f64;
        let (cost, times) = (chain[id.index()], views[id.index()].times());
        let computes = matches!(graph.op(id), Op::Elementwise(_) | Op::Selection(_));
        let apart = if views[id.index()].are_neighbours() { PASS } else { 0.0 };
        if computes && size * (cost + STORE + apart) + times * LOAD < times * cost {
            stored[id.index()] = true;
        }
        let seen = match stored[id.index()] {
            true => Views::of(View::root(graph, id, passes[id.index()]), points(graph, id) as f64),
            false => std::mem::take(&mut views[id.index()]),
        };
        for (i, operand) in graph.operands(id).iter().enumerate() {
            views[operand.index()].add(&seen, |view| view.of_operand(graph, id, i));
        }
    }
}

/// How many nodes that are stored by nature lie one behind the other before each: what is equal in
/// this may be computed in one pass.
fn passes(graph: &Graph, needed: &[Id]) -> Vec<u32> {
    let mut passes = vec![0; graph.len()];
    for &id in needed {
        let before = |x: &Id| passes[x.index()] + u32::from(is_stored_by_nature(graph.op(*x)));
        passes[id.index()] = graph.operands(id).iter().map(before).max().unwrap_or(0);
    }
    passes
}

/// Functions of one argument that share most of their work.
fn family(op: Elementwise) -> Option<u8> {
    use Elementwise::*;
    match op {
        Tanh | Sech | Sinh | Cosh => Some(0),
        Sigmoid | LogSigmoid | Softplus => Some(1),
        Sin | Cos => Some(2),
        Sinpi | Cospi => Some(3),
        _ => None,
    }
}

/// Stores functions of a family that meet at one argument or its negative, so that they come to
/// stand in one nest, where the machine finds their common part.
fn store_siblings(graph: &Graph, needed: &[Id], stored: &mut [bool]) {
    let mut met: FxHashMap<(u8, Id), Id> = FxHashMap::default();
    for &id in needed {
        let Op::Elementwise(op) = graph.op(id) else { continue };
        let Some(family) = family(op) else { continue };
        let x = graph.operand(id, 0);
        let unsigned = match graph.op(x) {
            Op::Elementwise(Elementwise::Neg) => graph.operand(x, 0),
            _ => x,
        };
        if let Some(&first) = met.get(&(family, unsigned)) {
            stored[first.index()] = true;
            stored[id.index()] = true;
        }
        met.entry((family, unsigned)).or_insert(id);
    }
}

/// True for nodes of one element computed from elements at the same coordinates.
pub(super) fn is_pointwise(op: Op) -> bool {
    matches!(op, Op::Elementwise(_) | Op::Selection(_))
}
