//! The cheapest form of every class, and the way back into the graph.
//!
//! Costs only fall and a node costs more than each of its operands, so the chosen forms have no
//! cycle. Of equally cheap forms the oldest is kept: what the input looked like comes first, and
//! what the search made later in the order of its rules.

use super::super::Purpose;
use super::cost::{self, PARENTHESES, SYMBOL};
use super::egraph::{Class, EGraph, Factors, Node, Terms};
use crate::ir::{Elementwise, Graph, Id, Number, Op};
use smallvec::SmallVec;

/// The best form known of one class.
#[derive(Clone, Copy)]
struct Best {
    cost: u64,
    node: usize,
    is_sum: bool,
}

pub struct Extraction<'e, 'f> {
    egraph: &'e EGraph<'f>,
    purpose: Purpose,
    best: Vec<Option<Best>>,
}

impl<'e, 'f> Extraction<'e, 'f> {
    pub fn new(egraph: &'e EGraph<'f>, purpose: Purpose) -> Self {
        let best = vec![None; egraph.class_count()];
        let mut extraction = Extraction { egraph, purpose, best };
        while extraction.improve() {}
        extraction
    }

    /// One sweep over all nodes; true when a class became cheaper.
    fn improve(&mut self) -> bool {
        let mut improved = false;
        for (i, (node, class)) in self.egraph.nodes().iter().enumerate() {
            let Some(cost) = self.cost(node) else { continue };
            let slot = &mut self.best[class.index()];
            if slot.is_none_or(|best| cost < best.cost) {
                let is_sum = matches!(node, Node::Sum(terms) if terms.len() > 1);
                *slot = Some(Best { cost, node: i, is_sum });
                improved = true;
            }
        }
        improved
    }

    fn best(&self, class: Class) -> Option<Best> {
        self.best[self.egraph.find(class).index()]
    }

    /// An operand, in parentheses if it is a sum.
    fn inside(&self, class: Class) -> Option<u64> {
        let best = self.best(class)?;
        let parentheses = if best.is_sum && self.purpose != Purpose::Compute { PARENTHESES } else { 0 };
        Some(best.cost.saturating_add(parentheses))
    }

    fn op(&self, op: Elementwise) -> u64 {
        cost::of_op(Op::Elementwise(op), self.purpose)
    }

    fn cost(&self, node: &Node) -> Option<u64> {
        // Leaves and numbers cost at least one symbol here, so that costs grow upwards.
        match node {
            Node::Leaf(_) => Some(SYMBOL),
            Node::Number(n) => Some(cost::of_number(n, self.purpose).max(SYMBOL)),
            Node::Sum(terms) => self.cost_of_sum(terms),
            Node::Product(factors) => self.cost_of_product(factors),
            Node::Call(op, operands) => {
                let own = cost::of_op(*op, self.purpose).max(SYMBOL);
                operands.iter().try_fold(own, |sum, &c| Some(sum.saturating_add(self.best(c)?.cost)))
            }
        }
    }

    fn cost_of_sum(&self, terms: &Terms) -> Option<u64> {
        let joints = (terms.len() as u64 - 1) * self.op(Elementwise::Add);
        let all_negative = terms.iter().all(|(_, k)| k.is_negative());
        let mut sum = joints + if all_negative { self.op(Elementwise::Neg) } else { 0 };
        for (class, k) in terms {
            let k = k.absolute();
            let term = if *class == Class::ONE {
                cost::of_number(&k, self.purpose)
            } else if k.is_one() {
                self.best(*class)?.cost
            } else {
                let scale = cost::of_number(&k, self.purpose).saturating_add(self.op(Elementwise::Mul));
                self.inside(*class)?.saturating_add(scale)
            };
            sum = sum.saturating_add(term);
        }
        Some(sum.max(SYMBOL))
    }

    fn cost_of_product(&self, factors: &Factors) -> Option<u64> {
        let below = factors.iter().filter(|(_, n)| *n < 0).count() as u64;
        let above = factors.len() as u64 - below;
        let mut sum = above.saturating_sub(1) * self.op(Elementwise::Mul);
        if below > 0 {
            let one = if above == 0 { SYMBOL } else { 0 };
            sum += self.op(Elementwise::Div) + one + (below - 1) * (self.op(Elementwise::Mul) + SYMBOL);
        }
        for &(class, n) in factors {
            let raised = if n.abs() == 1 { 0 } else { cost::of_power(n, self.purpose) };
            sum = sum.saturating_add(self.inside(class)?).saturating_add(raised);
        }
        Some(sum.saturating_add(u64::from(factors.len() == 1)))
    }

    /// The chosen form of a class as nodes of the graph.
    pub fn build(&self, graph: &mut Graph, root: Class) -> Option<Id> {
        let mut built: Vec<Option<Id>> = vec![None; self.best.len()];
        let mut pending = vec![self.egraph.find(root)];
        while let Some(&class) = pending.last() {
            if built[class.index()].is_some() {
                pending.pop();
                continue;
            }
            let node = &self.egraph.nodes()[self.best(class)?.node].0;
            let find = |c: &Class| self.egraph.find(*c);
            let operands: Vec<Class> = match node {
                Node::Leaf(_) | Node::Number(_) => Vec::new(),
                Node::Sum(terms) => terms.iter().map(|(c, _)| find(c)).collect(),
                Node::Product(factors) => factors.iter().map(|(c, _)| find(c)).collect(),
                Node::Call(_, operands) => operands.iter().map(find).collect(),
            };
            let before = pending.len();
            pending.extend(operands.iter().filter(|c| built[c.index()].is_none()));
            if pending.len() == before {
                pending.pop();
                let of = |c: Class| built[self.egraph.find(c).index()];
                built[class.index()] = Some(build_node(graph, node, of)?);
            }
        }
        built[self.egraph.find(root).index()]
    }
}

fn build_node(graph: &mut Graph, node: &Node, of: impl Fn(Class) -> Option<Id>) -> Option<Id> {
    Some(match node {
        Node::Leaf(id) => *id,
        Node::Number(n) => graph.exact(n.clone()),
        Node::Call(op, operands) => {
            let operands = operands.iter().map(|&c| of(c)).collect::<Option<SmallVec<[Id; 3]>>>()?;
            match op {
                Op::Elementwise(op) => graph.apply(*op, &operands),
                Op::Selection(op) if op.is_bool() => graph.compare(*op, &operands),
                _ => graph.select(operands[0], operands[1], operands[2]),
            }
        }
        Node::Sum(terms) => {
            let mut sum = None;
            for (class, k) in terms {
                let (x, k) = (of(*class)?, graph.exact(k.clone()));
                let term = graph.apply(Elementwise::Mul, &[k, x]);
                sum = Some(sum.map_or(term, |sum| graph.apply(Elementwise::Add, &[sum, term])));
            }
            sum?
        }
        Node::Product(factors) => {
            let mut parts = [graph.exact(Number::integer(1)); 2];
            for &(class, n) in factors {
                let (x, exponent) = (of(class)?, graph.integer(n.abs()));
                let power = graph.apply(Elementwise::Pow, &[x, exponent]);
                let part = &mut parts[usize::from(n < 0)];
                *part = graph.apply(Elementwise::Mul, &[*part, power]);
            }
            match factors.iter().any(|&(_, n)| n < 0) {
                true => graph.apply(Elementwise::Div, &parts),
                false => parts[0],
            }
        }
    })
}
