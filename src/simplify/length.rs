//! Shares of a length divided by it again: ranges and roundings that collection does not see.
//!
//! With a leg's share `c = y/hypot(x, y)`, `c/h` may overflow where `c²/h` does not: `c/sqrt(h)` never does.
//! And `c/h` is infinite where `c²·s/h²` is 0, at a share `s` of 0. Beside `s`, `k·c² - 1` is
//! `(k-1)·c² - s²`: how far the length is off then moves both terms alike, and does not cancel with them.
//!
//! What must stay true: this is done last, to results. On the way the divisions are one by one, as
//! collection and the rules expect them.

use super::rebuild::Rebuild;
use super::{Simplifier, Task};
use crate::ir::{Elementwise, Graph, Id, Number, Op, Selection, reachable, use_counts};
use rustc_hash::FxHashSet;

/// Factors of one product that are looked at.
const FACTORS: usize = 32;

/// A leg's share of a length, divided by it so many times more.
#[derive(Clone, Copy, PartialEq)]
struct Divided {
    share: Id,
    length: Id,
    times: usize,
}

impl Divided {
    fn of(graph: &Graph, node: Id) -> Option<Divided> {
        let is = |id: Id, op| graph.op(id) == Op::Elementwise(op);
        let length = graph.operands(node).get(1).copied().filter(|&h| is(h, Elementwise::Hypot))?;
        let (mut share, mut times) = (node, 0);
        while is(share, Elementwise::Div) && graph.operand(share, 1) == length {
            let divided = graph.operand(share, 0);
            if graph.operands(length).contains(&divided) {
                return Some(Divided { share, length, times });
            }
            (share, times) = (divided, times + 1);
        }
        None
    }
}

impl Simplifier<'_> {
    /// Divides shares by lengths so that products of them are finite where they should be.
    pub(super) fn even_out(&mut self, task: &mut Task) {
        let results = task.results();
        let nodes = reachable(self.graph, &results);
        if !nodes.iter().any(|&id| self.graph.op(id) == Op::Elementwise(Elementwise::Hypot)) {
            return;
        }
        let uses = use_counts(self.graph, &results);
        let tops = tops(self.graph, &nodes, &uses);
        let mut rebuild = Rebuild::of(self.graph);
        for &id in &nodes {
            let factors = if tops.contains(&id) { factors(self.graph, id, &uses) } else { Vec::new() };
            let made = match self.evened_out(&factors).or_else(|| self.of_shares(&factors)) {
                Some(factors) => {
                    let factors = factors.into_iter().map(|x| rebuild.now(x));
                    let product = factors.reduce(|a, b| self.graph.apply(Elementwise::Mul, &[a, b]));
                    product.unwrap_or(id)
                }
                None => rebuild.remade(self.graph, id),
            };
            rebuild.put(id, made);
        }
        task.rename_results(&rebuild);
    }

    /// The factors of a product in which a share appears squared and divided by its length.
    fn evened_out(&mut self, factors: &[Id]) -> Option<Vec<Id>> {
        let divided: Vec<Option<Divided>> = factors.iter().map(|&x| Divided::of(self.graph, x)).collect();
        let pairs = (0..factors.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
        for (i, j) in pairs {
            let (Some(a), Some(b)) = (divided[i], divided[j]) else { continue };
            if a.share != b.share || a.length != b.length {
                continue;
            }
            let finite = match a.times + b.times {
                1 => {
                    let root = self.graph.apply(Elementwise::Sqrt, &[a.length]);
                    self.graph.apply(Elementwise::Div, &[a.share, root])
                }
                2 if a.times == 1 => {
                    let is_other = |s: &&Divided| s.length == a.length && s.share != a.share && s.times == 0;
                    let other = divided.iter().flatten().find(is_other)?.share;
                    let zero = self.graph.integer(0);
                    let vanishes = self.graph.compare(Selection::Equal, &[other, zero]);
                    self.graph.select(vanishes, a.share, factors[i])
                }
                _ => continue,
            };
            // One before all others and one after, as collection would have them.
            let mut factors = factors.to_vec();
            factors.remove(i);
            factors.remove(j);
            let constants = factors.iter().take_while(|&&x| self.graph.constant(x).is_some()).count();
            factors.insert(constants, finite);
            factors.push(finite);
            return Some(factors);
        }
        None
    }

    /// The factors of a product of a share and `k·c² - 1`, with the other share `c`, written by both.
    fn of_shares(&mut self, factors: &[Id]) -> Option<Vec<Id>> {
        let shares: Vec<Divided> = factors.iter().filter_map(|&x| Divided::of(self.graph, x)).collect();
        for (k, &factor) in factors.iter().enumerate() {
            let Some((times, square, is_less)) = less_one(self.graph, factor) else { continue };
            let Some(c) = Divided::of(self.graph, self.graph.operand(square, 0)).filter(|c| c.times == 0)
            else {
                continue;
            };
            let Some(s) = shares.iter().find(|s| s.length == c.length && s.share != c.share) else {
                continue;
            };
            let fewer = self.graph.exact(times.sub(&Number::integer(1)));
            let two = self.graph.integer(2);
            let left = self.graph.apply(Elementwise::Mul, &[fewer, square]);
            let right = self.graph.apply(Elementwise::Pow, &[s.share, two]);
            let terms = if is_less { [left, right] } else { [right, left] };
            let mut factors = factors.to_vec();
            factors[k] = self.graph.apply(Elementwise::Sub, &terms);
            return Some(factors);
        }
        None
    }
}

/// `k`, the square `x²`, and whether a node is `k·x² - 1` rather than `1 - k·x²`; k is not 1.
fn less_one(graph: &Graph, node: Id) -> Option<(Number, Id, bool)> {
    let is = |id: Id, op| graph.op(id) == Op::Elementwise(op);
    let is_one = |id: Id| graph.constant(id).is_some_and(Number::is_one);
    if !is(node, Elementwise::Sub) {
        return None;
    }
    let (a, b) = (graph.operand(node, 0), graph.operand(node, 1));
    let (product, is_less) = if is_one(b) { (a, true) } else { (b, false) };
    if !is_less && !is_one(a) || !is(product, Elementwise::Mul) {
        return None;
    }
    let (times, square) = (graph.constant(graph.operand(product, 0))?, graph.operand(product, 1));
    let is_square = is(square, Elementwise::Pow)
        && graph.constant(graph.operand(square, 1)).and_then(Number::to_i64) == Some(2);
    is_square.then(|| (times.clone(), square, is_less))
}

fn is_product(graph: &Graph, id: Id) -> bool {
    graph.op(id) == Op::Elementwise(Elementwise::Mul)
}

/// Products that are not factors of another one alone.
fn tops(graph: &Graph, nodes: &[Id], uses: &[u32]) -> FxHashSet<Id> {
    let mut tops: FxHashSet<Id> = nodes.iter().copied().filter(|&id| is_product(graph, id)).collect();
    for &id in nodes.iter().filter(|&&id| is_product(graph, id)) {
        for x in graph.operands(id).iter().filter(|x| uses[x.index()] < 2) {
            tops.remove(x);
        }
    }
    tops
}

/// The factors of a product, those of products within it that have no other use among them; none, if they
/// are many.
fn factors(graph: &Graph, product: Id, uses: &[u32]) -> Vec<Id> {
    let (mut found, mut pending) = (Vec::new(), vec![product]);
    while let Some(id) = pending.pop() {
        if is_product(graph, id) && (id == product || uses[id.index()] < 2) {
            pending.extend(graph.operands(id).iter().rev());
        } else if found.len() < FACTORS {
            found.push(id);
        } else {
            return Vec::new();
        }
    }
    found
}
