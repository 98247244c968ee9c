//! The e-graph: classes of expressions known to be equal, as partial functions.
//!
//! Sums and products are kept n-ary and collected (`∑ kᵢ·cᵢ` with exact coefficients, `∏ cᵢ^nᵢ`
//! with whole exponents), so order and grouping need no rules. Equal nodes share a class
//! (hash-consing), equal operands make equal nodes (congruence, restored by [`EGraph::rebuild`]).
//! Two nodes of a class are defined at the same points and equal there; every method here keeps
//! that: nothing is cancelled or dropped unless it is known to be defined.

use super::super::{Facts, Sign};
use crate::ir::{Elementwise, Graph, Id, Number, Op, TypeId};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// Nodes after which no more are looked for.
pub const NODES: usize = 5_000;

/// Representatives a class remembers: what is known of its sign is looked up on these.
const REPRESENTATIVES: usize = 4;

/// A set of equal expressions. Numbered in order of creation, which follows the structure of the
/// input and not the ids of its nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Class(u32);

impl Class {
    /// The class of the number 1, on which constant terms of sums are coefficients.
    pub const ONE: Class = Class(0);

    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Terms of a sum with their coefficients, by class.
pub type Terms = Vec<(Class, Number)>;

/// Factors of a product with their exponents, by class; a class may come twice, with a positive
/// and with a negative exponent.
pub type Factors = Vec<(Class, i64)>;

/// An expression over classes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// A node of the graph that is not looked into: inputs, elements of vectors.
    Leaf(Id),
    Number(Number),
    Sum(Terms),
    Product(Factors),
    Call(Op, SmallVec<[Class; 3]>),
}

/// What is known of a class.
#[derive(Clone, Default)]
struct Known {
    number: Option<Number>,
    /// The class as a number times an older one, while that is its only form.
    scaled: Option<(Class, Number)>,
    /// The class as a sum of several terms, while that is its only form.
    sum: Option<Terms>,
    representatives: SmallVec<[Id; REPRESENTATIVES]>,
}

pub struct EGraph<'a> {
    facts: &'a Facts,
    /// Holds a node for every class made, for facts to be looked up on.
    scratch: Graph,
    parents: Vec<Class>,
    known: Vec<Known>,
    nodes: Vec<(Node, Class)>,
    interned: FxHashMap<Node, Class>,
    members: Vec<Vec<u32>>,
    unions: usize,
    /// Two numbers met in one class: nothing here can be trusted.
    contradicts: bool,
    /// A number grew past its budget.
    pub(super) outgrown: bool,
}

impl<'a> EGraph<'a> {
    pub fn new(facts: &'a Facts, scratch: Graph) -> Self {
        let mut egraph = EGraph {
            facts,
            scratch,
            parents: Vec::new(),
            known: Vec::new(),
            nodes: Vec::new(),
            interned: FxHashMap::default(),
            members: Vec::new(),
            unions: 0,
            contradicts: false,
            outgrown: false,
        };
        egraph.number(&Number::integer(1));
        egraph
    }

    pub fn is_full(&self) -> bool {
        self.is_broken() || self.nodes.len() > NODES
    }

    /// Whether nothing is to be taken from it.
    pub fn is_broken(&self) -> bool {
        self.contradicts || self.outgrown
    }

    pub fn contradicts(&self) -> bool {
        self.contradicts
    }

    /// Mergers made so far.
    pub fn unions(&self) -> usize {
        self.unions
    }

    /// All nodes with their classes, oldest first. Classes are as of the last rebuild.
    pub fn nodes(&self) -> &[(Node, Class)] {
        &self.nodes
    }

    pub fn class_count(&self) -> usize {
        self.parents.len()
    }

    /// The nodes of a class as of the last rebuild, oldest first.
    pub fn members(&self, class: Class) -> impl Iterator<Item = &Node> {
        let members = self.members.get(self.find(class).index());
        members.into_iter().flatten().map(|&i| &self.nodes[i as usize].0)
    }

    pub fn find(&self, class: Class) -> Class {
        let mut class = class;
        while self.parents[class.index()] != class {
            class = self.parents[class.index()];
        }
        class
    }

    pub fn value(&self, class: Class) -> Option<&Number> {
        self.known[self.find(class).index()].number.as_ref()
    }

    /// The class as a number times another class, while that is its only form.
    pub fn scaled(&self, class: Class) -> Option<(Class, Number)> {
        let (rest, k) = self.known[self.find(class).index()].scaled.clone()?;
        Some((self.find(rest), k))
    }

    /// The class as a sum of several terms, while that is its only form.
    pub fn sum(&self, class: Class) -> Option<&Terms> {
        self.known[self.find(class).index()].sum.as_ref()
    }

    /// True when the sign is known to be so, from any of the class's forms.
    pub fn has_sign(&self, class: Class, sign: Sign) -> bool {
        let known = &self.known[self.find(class).index()];
        let all = |all: Sign, &id: &Id| all.and(self.facts.sign(&self.scratch, id));
        known.representatives.iter().fold(Sign::UNKNOWN, all).has(sign)
    }

    /// True when the class is defined wherever the original function is.
    pub fn is_defined(&self, class: Class) -> bool {
        let known = &self.known[self.find(class).index()];
        known.representatives.iter().any(|&id| self.facts.is_defined(&self.scratch, id))
    }

    /// Both are equal from now on; the older class stands for both. Congruence is restored by
    /// [`Self::rebuild`].
    pub fn union(&mut self, a: Class, b: Class) {
        let (a, b) = (self.find(a), self.find(b));
        if a == b {
            return;
        }
        let (old, new) = (a.min(b), a.max(b));
        self.parents[new.index()] = old;
        self.unions += 1;
        let from = std::mem::take(&mut self.known[new.index()]);
        let into = &mut self.known[old.index()];
        self.contradicts |= matches!((&into.number, &from.number), (Some(a), Some(b)) if a != b);
        into.number = into.number.take().or(from.number);
        // Other forms must not be lost behind these; splicing keeps both.
        into.scaled = None;
        into.sum = None;
        let room = REPRESENTATIVES - into.representatives.len();
        into.representatives.extend(from.representatives.into_iter().take(room));
    }

    /// Makes every node again over the classes as they are now, until no two equal nodes stand in
    /// different classes.
    pub fn rebuild(&mut self) {
        loop {
            let before = self.unions;
            self.interned.clear();
            self.members.clear();
            for (node, class) in std::mem::take(&mut self.nodes) {
                let remade = match node {
                    Node::Sum(terms) => self.sum_in(terms, Some(class)),
                    Node::Product(factors) => self.product_in(Number::integer(1), factors, Some(class)),
                    Node::Call(op, operands) => self.call_in(op, &operands, Some(class)),
                    leaf => self.intern(leaf, Some(class)),
                };
                self.union(remade, class);
            }
            if self.unions == before || self.is_broken() {
                break;
            }
        }
        self.members = vec![Vec::new(); self.parents.len()];
        for i in 0..self.nodes.len() {
            let class = self.find(self.nodes[i].1);
            self.nodes[i].1 = class;
            self.members[class.index()].push(i as u32);
        }
    }

    /// The class of a node in canonical form; a new one goes into the class `within`.
    pub fn intern(&mut self, node: Node, within: Option<Class>) -> Class {
        if let Some(&class) = self.interned.get(&node) {
            return self.find(class);
        }
        let class = match within {
            Some(class) => self.find(class),
            None => self.fresh(&node),
        };
        if let Node::Number(n) = &node {
            let known = &mut self.known[class.index()];
            self.outgrown |= !n.is_small();
            self.contradicts |= known.number.as_ref().is_some_and(|m| m != n);
            known.number = Some(n.clone());
        }
        if self.members.len() <= class.index() {
            self.members.resize(class.index() + 1, Vec::new());
        }
        self.members[class.index()].push(self.nodes.len() as u32);
        self.interned.insert(node.clone(), class);
        self.nodes.push((node, class));
        class
    }

    fn fresh(&mut self, node: &Node) -> Class {
        // The node budget keeps the count far below 2³².
        let class = Class(self.parents.len() as u32);
        self.parents.push(class);
        let representatives = SmallVec::from_iter([self.represent(node)]);
        let (mut scaled, mut sum) = (None, None);
        if let Node::Sum(terms) = node {
            match terms.as_slice() {
                [(rest, k)] if !k.is_zero() => scaled = Some((*rest, k.clone())),
                [_] => {}
                _ => sum = Some(terms.clone()),
            }
        }
        self.known.push(Known { number: None, scaled, sum, representatives });
        class
    }

    /// A graph node computing the same, over the representatives of the operands.
    fn represent(&mut self, node: &Node) -> Id {
        let of = |s: &Self, class: Class| s.known[s.find(class).index()].representatives[0];
        match node {
            Node::Leaf(id) => *id,
            Node::Number(n) => self.scratch.exact(n.clone()),
            Node::Call(op, operands) => {
                let operands: SmallVec<[Id; 3]> = operands.iter().map(|&c| of(self, c)).collect();
                match op {
                    Op::Elementwise(op) => self.scratch.apply(*op, &operands),
                    op if is_truth(*op) => self.scratch.intern(*op, &operands, TypeId::BOOL),
                    op => self.scratch.intern(*op, &operands, TypeId::F64),
                }
            }
            Node::Sum(terms) => {
                let zero = self.scratch.integer(0);
                terms.iter().fold(zero, |sum, (class, k)| {
                    let (x, k) = (of(self, *class), self.scratch.exact(k.clone()));
                    let term = self.scratch.apply(Elementwise::Mul, &[k, x]);
                    self.scratch.apply(Elementwise::Add, &[sum, term])
                })
            }
            Node::Product(factors) => {
                let one = self.scratch.integer(1);
                factors.iter().fold(one, |product, &(class, n)| {
                    let (x, n) = (of(self, class), self.scratch.integer(n));
                    let power = self.scratch.apply(Elementwise::Pow, &[x, n]);
                    self.scratch.apply(Elementwise::Mul, &[product, power])
                })
            }
        }
    }

    pub fn leaf(&mut self, id: Id) -> Class {
        self.intern(Node::Leaf(id), None)
    }

    /// Facts were learned on this graph node: the class asks it first.
    pub fn seen_as(&mut self, class: Class, id: Id) {
        let class = self.find(class);
        let known = &mut self.known[class.index()].representatives;
        known.truncate(REPRESENTATIVES - 1);
        if !known.contains(&id) {
            known.insert(0, id);
        }
    }

    pub fn number(&mut self, n: &Number) -> Class {
        self.intern(Node::Number(n.clone()), None)
    }
}

fn is_truth(op: Op) -> bool {
    matches!(op, Op::Selection(s) if s.is_bool())
}
