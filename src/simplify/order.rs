//! Canonical order: of factors in a product and of terms in a sum.
//!
//! It looks at names, numbers and structure only, never at ids, so an expression prints the same
//! however it was built. Ties deeper than [`DEPTH`] levels are broken by the content hash.

use crate::ir::{Elementwise, Graph, Id, Number, Op, leaf};
use smallvec::SmallVec;
use std::cmp::Ordering;

/// Levels of structure compared before the content hash decides; keeps comparisons constant-time.
const DEPTH: usize = 6;

/// Names in natural order (`x2` before `x10`), as ranks by symbol.
pub struct Order {
    ranks: Vec<u32>,
}

impl Order {
    pub fn new(graph: &Graph) -> Self {
        let mut symbols: Vec<_> = graph.symbols().collect();
        symbols.sort_by(|&a, &b| natural(graph.symbol_name(a), graph.symbol_name(b)));
        let mut ranks = vec![0; symbols.len()];
        for (rank, symbol) in symbols.iter().enumerate() {
            ranks[symbol.index()] = rank as u32;
        }
        Order { ranks }
    }

    /// The position of a variable (or vector element) among all; `None` for computed nodes.
    pub fn variable(&self, graph: &Graph, id: Id) -> Option<(u32, usize)> {
        match graph.op(id) {
            Op::Input(symbol) => Some((self.ranks[symbol.index()], 0)),
            _ => leaf(graph, id).map(|(symbol, at)| (self.ranks[symbol.index()], at)),
        }
    }

    pub fn compare(&self, graph: &Graph, a: Id, b: Id) -> Ordering {
        self.compare_to_depth(graph, a, b, DEPTH)
    }

    fn compare_to_depth(&self, graph: &Graph, a: Id, b: Id, depth: usize) -> Ordering {
        if a == b {
            return Ordering::Equal;
        }
        if depth == 0 {
            return graph.key(a).cmp(&graph.key(b));
        }
        let by_class = class(graph, a).cmp(&class(graph, b));
        let by_value = || match (graph.constant(a), graph.constant(b)) {
            (Some(x), Some(y)) => x.cmp(y),
            _ => self.variable(graph, a).cmp(&self.variable(graph, b)),
        };
        let by_operands = || {
            let (x, y) = (graph.operands(a), graph.operands(b));
            let pairs = x.iter().zip(y).take(DEPTH);
            let mut each = pairs.map(|(&p, &q)| self.compare_to_depth(graph, p, q, depth - 1));
            each.find(|o| o.is_ne()).unwrap_or_else(|| x.len().cmp(&y.len()))
        };
        by_class.then_with(by_value).then_with(by_operands).then_with(|| graph.key(a).cmp(&graph.key(b)))
    }
}

/// Constants, then variables, then functions in table order, then what needs parentheses.
fn class(graph: &Graph, id: Id) -> (u8, u32) {
    match graph.op(id) {
        Op::Constant(_) => (0, 0),
        Op::Elementwise(Elementwise::Pi) => (1, 0),
        Op::Input(_) => (2, 0),
        Op::Structural(_) if leaf(graph, id).is_some() => (2, 0),
        Op::Elementwise(op @ (Elementwise::Add | Elementwise::Sub)) => (6, op as u32),
        Op::Elementwise(op) => (3, op as u32),
        Op::Structural(_) | Op::Reduce { .. } | Op::Contract { .. } | Op::Scan { .. } => (4, 0),
        Op::Selection(op) => (5, op as u32),
    }
}

/// Letters as written, runs of digits by value.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut x, mut y) = (a.chars().peekable(), b.chars().peekable());
    loop {
        match (x.peek().copied(), y.peek().copied()) {
            (Some(p), Some(q)) if p.is_ascii_digit() && q.is_ascii_digit() => {
                let (m, n) = (digits(&mut x), digits(&mut y));
                let by_value = m.len().cmp(&n.len()).then_with(|| m.cmp(&n));
                if by_value.is_ne() {
                    return by_value;
                }
            }
            (Some(p), Some(q)) if p == q => {
                x.next();
                y.next();
            }
            (p, q) => return p.cmp(&q).then_with(|| a.cmp(b)),
        }
    }
}

/// A run of digits without its leading zeros.
fn digits(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> String {
    let mut run = String::new();
    while let Some(c) = chars.next_if(char::is_ascii_digit) {
        if !(run.is_empty() && c == '0') {
            run.push(c);
        }
    }
    run
}

/// What decides a term's place in a sum: higher degree first, then the variables in order, then
/// the other factors; constants last.
pub struct TermKey {
    pub degree: f64,
    pub variables: SmallVec<[((u32, usize), Number); 2]>,
    pub rest: SmallVec<[Id; 4]>,
}

impl TermKey {
    pub fn compare(&self, other: &Self, order: &Order, graph: &Graph) -> Ordering {
        let is_constant = |k: &Self| k.variables.is_empty() && k.rest.is_empty();
        let by_variables = || {
            let pairs = self.variables.iter().zip(&other.variables);
            let mut each = pairs.map(|(a, b)| a.0.cmp(&b.0).then_with(|| b.1.cmp(&a.1)));
            each.find(|o| o.is_ne()).unwrap_or_else(|| other.variables.len().cmp(&self.variables.len()))
        };
        let by_rest = || {
            let pairs = self.rest.iter().zip(&other.rest);
            let mut each = pairs.map(|(&a, &b)| order.compare(graph, a, b));
            each.find(|o| o.is_ne()).unwrap_or_else(|| self.rest.len().cmp(&other.rest.len()))
        };
        is_constant(self)
            .cmp(&is_constant(other))
            .then_with(|| other.degree.total_cmp(&self.degree))
            .then_with(by_variables)
            .then_with(by_rest)
    }
}

#[cfg(test)]
mod tests {
    use super::natural;

    #[test]
    fn names_sort_as_people_count() {
        let mut names = vec!["x10", "x2", "y", "x", "x02", "a9b", "a10a"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["a9b", "a10a", "x", "x02", "x2", "x10", "y"]);
    }
}
