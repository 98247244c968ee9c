//! Random expressions of a given size: their text, and their values to about 95 bits.
//!
//! What must stay true: an expression depends on its seed alone. While one is built its values at the
//! points it will be looked at are known, and mostly functions are taken that are defined there and
//! neither vanish nor overflow: chains of random functions are undefined otherwise.

use super::table::{BINARY, UNARY, is_less, whole_power};
use crate::accuracy::twice::Twice;
use crate::samples::Random;
use std::fmt::Write;

pub const NAMES: [&str; 3] = ["x", "y", "z"];

/// Where a function may be looked at.
pub type Point = [f64; 3];

#[derive(Clone, Copy)]
enum Node {
    Variable(usize),
    /// Tenths.
    Number(u32),
    Unary(usize, usize),
    Binary(usize, usize, usize),
    Power(usize, i32),
    /// `if(a < b, c, d)`
    If([usize; 4]),
}

/// An expression in x, y and z; operands stand before their users, and may have several.
pub struct Expression {
    nodes: Vec<Node>,
    /// Values at the points it was built for.
    values: Vec<Vec<Twice>>,
    /// Nodes when written out.
    sizes: Vec<usize>,
    points: Vec<Point>,
}

/// Values in which functions are preferred to stay.
const MODERATE: std::ops::Range<f64> = 1e-3..1e3;
/// Below, the second of two doubles has no digits left.
const SMALLEST: f64 = 1e-250;
/// Functions tried before one is taken as it comes.
const TRIES: usize = 6;

impl Expression {
    /// An expression of about `size` nodes, for the points.
    pub fn random(size: usize, points: &[Point], random: &mut Random) -> Expression {
        let mut e = Expression { nodes: vec![], values: vec![], sizes: vec![], points: points.to_vec() };
        e.grow(size, random);
        e
    }

    /// How many nodes it has.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The subexpression a node makes.
    pub fn part(&self, id: usize) -> Expression {
        Expression {
            nodes: self.nodes[..=id].to_vec(),
            values: self.values[..=id].to_vec(),
            sizes: self.sizes[..=id].to_vec(),
            points: self.points.clone(),
        }
    }

    fn push(&mut self, node: Node) -> usize {
        let at = |k: usize| self.value(node, |id| self.values[id][k], &self.points[k]);
        self.values.push((0..self.points.len()).map(at).collect());
        self.sizes.push(1 + operands(node).iter().map(|&id| self.sizes[id]).sum::<usize>());
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Adds a subexpression. As deep as it is large at most, and sizes are small.
    fn grow(&mut self, size: usize, random: &mut Random) -> usize {
        // Now and then something that is there already.
        if size > 2 && !self.nodes.is_empty() && random.below(8) == 0 {
            let id = random.below(self.nodes.len());
            if self.sizes[id] > 1 && self.sizes[id] <= size {
                return id;
            }
        }
        match (size, random.below(20)) {
            (0 | 1, _) => self.leaf(random),
            (2, _) | (_, 0..8) => {
                let a = self.grow(size - 1, random);
                self.one_of(random, |r| match r.below(6) {
                    0 => Node::Power(a, r.below(8) as i32 - 3),
                    _ => Node::Unary(r.below(UNARY.len()), a),
                })
            }
            (5.., 19) => {
                let parts = [1, 2, 3, 4].map(|_| self.grow((size - 1) / 4, random));
                self.push(Node::If(parts))
            }
            _ => {
                let left = 1 + random.below(size - 2);
                let (a, b) = (self.grow(left, random), self.grow(size - 1 - left, random));
                self.one_of(random, |r| match r.below(4) {
                    0 => Node::Binary(r.below(BINARY.len()), a, b),
                    _ => Node::Binary(r.below(4), a, b),
                })
            }
        }
    }

    fn leaf(&mut self, random: &mut Random) -> usize {
        let node = match random.below(4) {
            0 => Node::Number(1 + random.below(99) as u32),
            k => Node::Variable(k - 1),
        };
        self.push(node)
    }

    /// A node whose values are moderate, if one is soon found.
    fn one_of(&mut self, random: &mut Random, draw: impl Fn(&mut Random) -> Node) -> usize {
        let careful = random.below(12) > 0;
        for _ in 0..TRIES {
            let node = draw(random);
            let good = |k: usize| {
                let y = self.value(node, |id| self.values[id][k], &self.points[k]);
                MODERATE.contains(&y.hi.abs())
            };
            if !careful || (0..self.points.len()).all(good) {
                return self.push(node);
            }
        }
        self.push(draw(random))
    }

    fn value(&self, node: Node, of: impl Fn(usize) -> Twice, point: &Point) -> Twice {
        match node {
            Node::Variable(i) => point[i].into(),
            Node::Number(n) => Twice::from(f64::from(n)) / Twice::from(10.0),
            Node::Unary(f, a) => finite(of(a)).map_or(f64::NAN.into(), UNARY[f].value),
            Node::Binary(f, a, b) => (BINARY[f].value)(of(a), of(b)),
            Node::Power(a, n) => whole_power(of(a), n),
            Node::If([a, b, c, d]) => of(if is_less(of(a), of(b)) { c } else { d }),
        }
    }

    /// The value where variables have the given values; `None` where something that counts is
    /// undefined or overflows. What stands in a branch that is not taken does not count.
    pub fn truth(&self, point: &[Twice; 3]) -> Option<Twice> {
        let mut values: Vec<Twice> = Vec::with_capacity(self.nodes.len());
        for &node in &self.nodes {
            values.push(match node {
                Node::Variable(i) => point[i],
                _ => self.value(node, |id| values[id], &[0.0; 3]),
            });
        }
        let mut counts = vec![false; values.len()];
        *counts.last_mut()? = true;
        for id in (0..values.len()).rev() {
            if !counts[id] {
                continue;
            }
            if finite(values[id]).is_none() || self.underflows(id, &values) {
                return None;
            }
            match self.nodes[id] {
                Node::If([a, b, c, d]) => {
                    let taken = if is_less(values[a], values[b]) { c } else { d };
                    [a, b, taken].into_iter().for_each(|id| counts[id] = true);
                }
                node => operands(node).into_iter().for_each(|id| counts[id] = true),
            }
        }
        values.last().copied()
    }

    /// True where digits are lost below the smallest numbers: no differences of them tell anything.
    fn underflows(&self, id: usize, values: &[Twice]) -> bool {
        let y = values[id].hi.abs();
        let vanishes = || match self.nodes[id] {
            Node::Unary(f, _) => UNARY[f].decays,
            Node::Power(a, _) => values[a].hi != 0.0,
            Node::Binary(f, a, b) => {
                ["*", "/", "^"].contains(&BINARY[f].name) && values[a].hi != 0.0 && values[b].hi != 0.0
            }
            _ => false,
        };
        y > 0.0 && y < SMALLEST || y == 0.0 && vanishes()
    }

    /// The expression in symdiff's language.
    pub fn text(&self) -> String {
        self.text_of(&NAMES)
    }

    /// The same of other numbers than x, y and z.
    pub fn text_of(&self, names: &[&str; 3]) -> String {
        let mut texts: Vec<String> = Vec::with_capacity(self.nodes.len());
        for &node in &self.nodes {
            let mut text = String::new();
            let t = &texts;
            match node {
                Node::Variable(i) => text.push_str(names[i]),
                Node::Number(n) => write!(text, "{}.{}", n / 10, n % 10).expect("strings take all"),
                Node::Unary(f, a) => write!(text, "{}({})", UNARY[f].name, t[a]).expect("strings take all"),
                Node::Power(a, n) => write!(text, "(({})^({n}))", t[a]).expect("strings take all"),
                Node::If([a, b, c, d]) => {
                    write!(text, "if({} < {}, {}, {})", t[a], t[b], t[c], t[d]).expect("strings take all");
                }
                Node::Binary(f, a, b) => {
                    let f = &BINARY[f];
                    match f.is_call {
                        true => write!(text, "{}({}, {})", f.name, t[a], t[b]),
                        false => write!(text, "({} {} {})", t[a], f.name, t[b]),
                    }
                    .expect("strings take all");
                }
            }
            texts.push(text);
        }
        texts.pop().unwrap_or_default()
    }
}

fn finite(x: Twice) -> Option<Twice> {
    (x.hi.is_finite() && x.lo.is_finite()).then_some(x)
}

fn operands(node: Node) -> Vec<usize> {
    match node {
        Node::Variable(_) | Node::Number(_) => vec![],
        Node::Unary(_, a) | Node::Power(a, _) => vec![a],
        Node::Binary(_, a, b) => vec![a, b],
        Node::If(parts) => parts.to_vec(),
    }
}
