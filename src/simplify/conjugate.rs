//! A number and a root that is nearly as large: `x - sqrt(x^2 + a)` is `-a/(x + sqrt(x^2 + a))` where `x > 0`,
//! as the roots of quadratic equations are computed. On the other side of 0 two numbers of one sign are added.
//!
//! What must stay true: this is done after all passes, as they know `log(x + sqrt(x^2 - 1))` as it is written; and
//! before a derivative is taken as well as after, as its slope `1 - x/sqrt(x^2 + a)` cancels too.

use super::factors::{is, power};
use super::rebuild::Rebuild;
use super::sum::SEARCHED;
use super::{Simplifier, Task};
use crate::ir::{Elementwise, Graph, Id, Op, Selection, reachable};
use rustc_hash::FxHashSet;
use smallvec::SmallVec;

impl Simplifier<'_> {
    /// Divides by the conjugate where a number and a root cancel.
    pub(super) fn divide_by_conjugates(&mut self, task: &mut Task) {
        let graph = &mut *self.graph;
        let nodes = reachable(graph, &task.results());
        if !nodes.iter().any(|&id| Cancelling::of(graph, id).is_some()) {
            return;
        }
        let chosen: FxHashSet<Id> = nodes.iter().filter_map(|&id| on_one_side(graph, id)).collect();
        let mut rebuild = Rebuild::of(graph);
        for id in nodes {
            let same = rebuild.remade(graph, id);
            let sum = if chosen.contains(&id) { None } else { Cancelling::of(graph, same) };
            rebuild.put(id, sum.map_or(same, |sum| sum.divided(graph, same)));
        }
        task.rename_results(&rebuild);
    }
}

/// What a choice by the sign of a number leaves as it was: one of ours, or the user's.
fn on_one_side(graph: &Graph, node: Id) -> Option<Id> {
    let condition = (graph.op(node) == Op::Selection(Selection::Select)).then(|| graph.operand(node, 0))?;
    let is_zero = |&x: &Id| graph.constant(x).is_some_and(|c| c.is_zero());
    let is_sign = graph.op(condition) == Op::Selection(Selection::Less);
    (is_sign && graph.operands(condition).iter().any(is_zero)).then(|| graph.operand(node, 2))
}

/// Terms of a sum, true where they are subtracted.
type Terms = SmallVec<[(Id, bool); SEARCHED]>;

/// A sum or difference of `x` and the root of `x² + rest`.
struct Cancelling {
    x: Id,
    root: Id,
    form: Form,
    rest: Rest,
}

#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// `x - root`
    Less,
    /// `root - x`
    RootLess,
    /// `x + root`
    And,
}

/// What the square of the root has besides `x²`.
enum Rest {
    Terms(Terms),
    SquareOf(Id),
}

impl Cancelling {
    fn of(graph: &Graph, node: Id) -> Option<Cancelling> {
        let (a, b) = match graph.op(node) {
            Op::Elementwise(Elementwise::Add | Elementwise::Sub) => {
                (graph.operand(node, 0), graph.operand(node, 1))
            }
            _ => return None,
        };
        let is_sum = is(graph, node, Elementwise::Add);
        let forms = if is_sum { [Form::And; 2] } else { [Form::Less, Form::RootLess] };
        let both = [(a, b, forms[0]), (b, a, forms[1])];
        both.into_iter()
            .find_map(|(x, root, form)| Some(Cancelling { x, root, form, rest: Rest::of(graph, x, root)? }))
    }

    /// The sum as a quotient where its terms cancel.
    fn divided(&self, graph: &mut Graph, sum: Id) -> Id {
        let zero = graph.integer(0);
        let order = if self.form == Form::And { [self.x, zero] } else { [zero, self.x] };
        let cancels = graph.compare(Selection::Less, &order);
        // By its size, so that this sum is not taken for one that cancels.
        let size = graph.apply(Elementwise::Abs, &[self.x]);
        let conjugate = graph.apply(Elementwise::Add, &[size, self.root]);
        let quotient = match &self.rest {
            Rest::Terms(terms) => {
                let rest = added(graph, terms);
                graph.apply(Elementwise::Div, &[rest, conjugate])
            }
            // Its square may leave the range.
            &Rest::SquareOf(leg) => {
                let share = graph.apply(Elementwise::Div, &[leg, conjugate]);
                graph.apply(Elementwise::Mul, &[leg, share])
            }
        };
        let value = match self.form {
            Form::Less => graph.apply(Elementwise::Neg, &[quotient]),
            _ => quotient,
        };
        graph.select(cancels, value, sum)
    }
}

impl Rest {
    /// Of a root whose square has that of `x`.
    fn of(graph: &Graph, x: Id, root: Id) -> Option<Rest> {
        let operand = |i: usize| graph.operand(root, i);
        match graph.op(root) {
            // `sqrt(1 + x^2) - 1` has rules of its own.
            _ if graph.constant(x).is_some() => None,
            Op::Elementwise(Elementwise::Hypot) => {
                let other = |i: usize| (operand(i) == x).then(|| operand(1 - i));
                other(0).or_else(|| other(1)).map(Rest::SquareOf)
            }
            Op::Elementwise(Elementwise::Sqrt) => {
                let mut terms = terms(graph, operand(0))?;
                let square =
                    terms.iter().position(|&(term, minus)| !minus && power(graph, term) == (x, 2))?;
                terms.remove(square);
                (!terms.is_empty()).then_some(Rest::Terms(terms))
            }
            _ => None,
        }
    }
}

/// The terms of a sum, if they are few.
fn terms(graph: &Graph, sum: Id) -> Option<Terms> {
    let (mut terms, mut pending) = (Terms::new(), Terms::from_slice(&[(sum, false)]));
    while let Some((id, minus)) = pending.pop() {
        if terms.len() + pending.len() >= SEARCHED {
            return None;
        }
        let operand = |i: usize| graph.operand(id, i);
        match graph.op(id) {
            Op::Elementwise(Elementwise::Add) => pending.extend([(operand(1), minus), (operand(0), minus)]),
            Op::Elementwise(Elementwise::Sub) => pending.extend([(operand(1), !minus), (operand(0), minus)]),
            Op::Elementwise(Elementwise::Neg) => pending.push((operand(0), !minus)),
            _ => terms.push((id, minus)),
        }
    }
    Some(terms)
}

/// Their sum.
fn added(graph: &mut Graph, terms: &Terms) -> Id {
    let signed = |graph: &mut Graph, (id, minus): (Id, bool)| match minus {
        true => graph.apply(Elementwise::Neg, &[id]),
        false => id,
    };
    let first = signed(graph, terms[0]);
    terms[1..].iter().fold(first, |sum, &(id, minus)| {
        let op = if minus { Elementwise::Sub } else { Elementwise::Add };
        graph.apply(op, &[sum, id])
    })
}
