//! What [`Level::Full`](super::Level::Full) adds: simplified roots in, the cheapest equal form that
//! a budgeted search of an e-graph finds out, or the same roots.
//!
//! The [`egraph`] holds all roots at once; [`rows`] and THE list are rules ([`rewrite`]) until
//! nothing new is found or a budget ends; [`extract`] takes the cheapest forms by [`cost`]; the
//! fast pass makes them canonical, and they are kept only where they really cost less. Budgets
//! count nodes and rounds, never time: the same input gives the same output on any machine.

mod cost;
mod egraph;
mod extract;
mod make;
mod matching;
mod pattern;
mod rewrite;
mod rows;

pub use rows::STRUCTURE;

use super::{Facts, Purpose, Simplifier, Stage, Task};
use crate::ir::{DType, Graph, Id, Number, Op, leaf, reachable};
use egraph::{Class, EGraph, Node};
use extract::Extraction;
use rustc_hash::FxHashMap;

/// Reachable nodes above which nothing is searched: such results are not read, and a search that
/// small budgets end at once finds nothing.
const SEARCHED: usize = 500;

/// Rounds of matching every rule against every node. Chains of rewrites longer than this are rare,
/// and the node budget ends most searches earlier.
const ROUNDS: usize = 8;

/// Matches after which no more are looked for: large classes make many of few nodes.
const MATCHES: usize = 10_000;

/// Longest sum or product that another one is spliced into.
const SPLICED: usize = 12;

/// Searches followed by the fast pass, as long as they find something: the pass may expose more.
const SEARCHES: usize = 3;

impl Simplifier<'_> {
    /// The roots in their cheapest form found.
    pub fn saturate(&mut self, roots: Vec<Id>, origin: &mut [Id]) -> Vec<Id> {
        // Results still on their way are searched when they arrive.
        if self.purpose == Purpose::Both {
            return roots;
        }
        let mut roots = roots;
        for _ in 0..SEARCHES {
            let before = roots.clone();
            roots = self.search(before.clone(), origin);
            if roots == before {
                break;
            }
        }
        roots
    }

    fn search(&mut self, before: Vec<Id>, origin: &mut [Id]) -> Vec<Id> {
        let nodes = reachable(self.graph, &before);
        let Some(found) = self.cheapest(&before, &nodes, origin) else { return before };
        let mut task = Task { roots: found, origin: origin.to_vec(), ..Task::default() };
        self.pass(&mut task);
        let mut after = task.roots;
        if self.purpose == Purpose::Compute {
            let cost = |roots: &[Id]| cost::of_graph(self.graph, roots, self.purpose);
            // Divisors multiplied leave the range where the quotient does not.
            let divisors = |roots: &[Id]| cost::multiplied_divisors(self.graph, roots);
            let is_better = cost(&after) < cost(&before) && divisors(&after) <= divisors(&before);
            return if is_better { after } else { before };
        }
        for (after, &before) in after.iter_mut().zip(&before) {
            let cost = |root: Id| cost::of_tree(self.graph, root, self.purpose);
            if cost(*after) >= cost(before) {
                *after = before;
            }
        }
        after
    }

    /// Equal roots, cheapest by the e-graph's account; `None` when nothing is to be searched.
    fn cheapest(&mut self, roots: &[Id], nodes: &[Id], origin: &[Id]) -> Option<Vec<Id>> {
        if nodes.len() > SEARCHED || !nodes.iter().all(|&id| is_searched(self.graph, id)) {
            return None;
        }
        // The domain of the original function proves nothing about the function itself.
        let of_origin = reachable(self.graph, origin);
        let own = roots.iter().any(|r| of_origin.binary_search(r).is_ok() && leaf(self.graph, *r).is_none());
        let facts: Facts = if own { self.given.clone() } else { self.domain.clone() };
        let mut egraph = EGraph::new(&facts, self.graph.clone());
        let seeds = seed(&mut egraph, self.graph, roots);
        egraph.rebuild();
        run(&mut egraph, self.purpose, self.stage);
        if egraph.is_broken() {
            debug_assert!(!egraph.contradicts(), "the e-graph proved two numbers equal");
            return None;
        }
        let extraction = Extraction::new(&egraph, self.purpose);
        seeds.iter().map(|&class| extraction.build(self.graph, class)).collect()
    }
}

/// Scalars computed from scalars, and elements of vectors.
fn is_searched(graph: &Graph, id: Id) -> bool {
    match graph.op(id) {
        Op::Structural(_) => leaf(graph, id).is_some(),
        Op::Reduce { .. } | Op::Contract { .. } => false,
        // The vectors that elements are taken from.
        Op::Input(_) => true,
        _ => graph.is_scalar(id),
    }
}

/// The roots' classes. Nodes are visited in the order they are written, so that classes are
/// numbered alike however the graph was built.
fn seed(egraph: &mut EGraph, graph: &Graph, roots: &[Id]) -> Vec<Class> {
    let mut classes: FxHashMap<Id, Class> = FxHashMap::default();
    for &root in roots {
        let mut pending = vec![root];
        while let Some(&id) = pending.last() {
            if classes.contains_key(&id) {
                pending.pop();
                continue;
            }
            let is_leaf = leaf(graph, id).is_some();
            let operands = if is_leaf { &[] } else { graph.operands(id) };
            let missing: Vec<Id> = operands.iter().copied().filter(|x| !classes.contains_key(x)).collect();
            if !missing.is_empty() {
                pending.extend(missing.into_iter().rev());
                continue;
            }
            let class = match graph.op(id) {
                _ if is_leaf => egraph.leaf(id),
                Op::Constant(c) => egraph.number(graph.number(c)),
                op => {
                    let operands: Vec<Class> = operands.iter().map(|x| classes[x]).collect();
                    egraph.make_call(op, &operands)
                }
            };
            if graph.ty(id).dtype == DType::F64 {
                egraph.seen_as(class, id);
            }
            classes.insert(id, class);
            pending.pop();
        }
    }
    roots.iter().map(|root| classes[root]).collect()
}

/// Rounds of all rules, until nothing is new or a budget ends. Older nodes come first: a search
/// that ends early has tried every rule on what is close to the input.
fn run(egraph: &mut EGraph, purpose: Purpose, stage: Stage) {
    let mut matches = 0;
    for _ in 0..ROUNDS {
        let (unions, classes) = (egraph.unions(), egraph.class_count());
        let nodes = egraph.nodes().to_vec();
        let mut equal: Vec<(Class, Class)> = Vec::new();
        'round: for (node, class) in &nodes {
            equal.extend(splice(egraph, node).into_iter().map(|spliced| (*class, spliced)));
            for rewrite in rows::rewrites(purpose, stage) {
                equal.extend(rewrite.apply(egraph, node, *class));
                if egraph.is_full() || matches + equal.len() > MATCHES {
                    break 'round;
                }
            }
        }
        matches += equal.len();
        for (a, b) in equal {
            egraph.union(a, b);
        }
        egraph.rebuild();
        let nothing_new = (egraph.unions(), egraph.class_count()) == (unions, classes);
        if nothing_new || egraph.is_full() || matches > MATCHES {
            break;
        }
    }
}

/// A sum with a term that is itself a sum, or a product with a factor that is a product, as one.
fn splice(egraph: &mut EGraph, node: &Node) -> Vec<Class> {
    let mut spliced = Vec::new();
    match node {
        Node::Sum(terms) => {
            for (i, (class, k)) in terms.iter().enumerate() {
                let inner: Vec<_> = egraph.members(*class).filter_map(as_sum).cloned().collect();
                for inner in inner.into_iter().filter(|inner| inner.len() + terms.len() <= SPLICED) {
                    let mut all = terms.clone();
                    all.remove(i);
                    all.extend(inner.iter().map(|(c, n)| (*c, n.mul(k))));
                    spliced.push(egraph.make_sum(all));
                }
            }
        }
        Node::Product(factors) => {
            for (i, &(class, n)) in factors.iter().enumerate() {
                let inner: Vec<Node> = egraph.members(class).cloned().collect();
                for inner in inner {
                    let mut all = factors.clone();
                    all.remove(i);
                    let one = Number::integer(1);
                    let coefficient = match inner {
                        // Not (1/x)^-1, which x = 0 makes undefined.
                        Node::Product(inner)
                            if (n > 0 || inner.iter().all(|&(_, m)| m > 0))
                                && inner.len() + factors.len() <= SPLICED =>
                        {
                            all.extend(inner.iter().map(|&(c, m)| (c, m.saturating_mul(n))));
                            Some(one)
                        }
                        Node::Sum(terms) if terms.len() == 1 => {
                            all.push((terms[0].0, n));
                            terms[0].1.powi(n).filter(Number::is_small)
                        }
                        _ => None,
                    };
                    spliced.extend(coefficient.map(|k| egraph.make_product(k, all)));
                }
            }
        }
        _ => {}
    }
    spliced
}

fn as_sum(node: &Node) -> Option<&egraph::Terms> {
    match node {
        Node::Sum(terms) => Some(terms),
        _ => None,
    }
}
