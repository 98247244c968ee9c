//! Cotangents under construction, each with the condition under which it is not zero.
//!
//! A cotangent that came through `if(c, a, b)` must vanish where its branch is not taken, even
//! where the branch's own derivative is infinite: 0·∞ would poison the gradient. So the condition
//! travels beside the value and is applied last, after every multiplication.

use crate::ir::{Builder, Expr, Graph, Id, Op, Scalar, Selection};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// A truth value required to be true or false.
type Literal = (Id, bool);

/// Longest conjunction carried as literals; longer ones become one node, so that deep nests of
/// `if` stay linear.
const LITERALS: usize = 4;

/// `value` where every literal of `guard` holds, zero elsewhere.
#[derive(Clone)]
pub struct Cotangent<'g> {
    guard: SmallVec<[Literal; 2]>,
    value: Expr<'g>,
}

impl<'g> Cotangent<'g> {
    pub fn new(value: Expr<'g>) -> Self {
        Cotangent { guard: SmallVec::new(), value }
    }

    /// Applies a linear map to the value; the condition stays.
    pub fn map(&self, f: impl FnOnce(Expr<'g>) -> Expr<'g>) -> Self {
        Cotangent { guard: self.guard.clone(), value: f(self.value) }
    }

    /// Applies a linear map that changes the shape. A condition in the old shape is applied before
    /// it; one truth value for all stays.
    pub fn reshaped(&self, f: impl FnOnce(Expr<'g>) -> Expr<'g>) -> Self {
        let b = self.value.builder();
        match self.guard.iter().all(|&(condition, _)| b.read(|g| g.is_scalar(condition))) {
            true => self.map(f),
            false => Cotangent::new(f(self.clone().finish())),
        }
    }

    /// Also requires `condition` to be `holds`.
    pub fn where_(&self, condition: Id, holds: bool) -> Self {
        let mut guarded = self.clone();
        if guarded.guard.contains(&(condition, holds)) {
            return guarded;
        }
        if guarded.guard.len() >= LITERALS {
            let all = conjunction(self.value.builder(), &guarded.guard);
            guarded.guard = SmallVec::from_iter([(all, true)]);
        }
        guarded.guard.push((condition, holds));
        guarded
    }

    /// Multiplies by a local partial.
    pub fn scale(&self, partial: Expr<'g>) -> Self {
        match branch_or_zero(partial) {
            Some((condition, slope)) => self.where_(condition, true).scale(slope),
            None => self.map(|value| times(value, partial)),
        }
    }

    /// The plain expression: the value, selected by its condition.
    pub fn finish(self) -> Expr<'g> {
        if self.guard.is_empty() {
            return self.value;
        }
        let b = self.value.builder();
        // Innermost literal first, so that a single negated one swaps branches instead of `not`.
        let zero = self.value.zero();
        self.guard.iter().rev().fold(self.value, |value, &(condition, holds)| {
            let condition = b.expr(condition);
            if holds { b.select(condition, value, zero) } else { b.select(condition, zero, value) }
        })
    }

    fn plus(self, other: Self) -> Self {
        let b = self.value.builder();
        if self.guard == other.guard {
            return Cotangent { guard: self.guard, value: self.value + other.value };
        }
        if let Some((condition, holds)) = only_last_differs(&self.guard, &other.guard) {
            let mut guard = self.guard;
            guard.pop();
            let (then, otherwise) = if holds { (self.value, other.value) } else { (other.value, self.value) };
            let value = b.select(b.expr(condition), then, otherwise);
            return Cotangent { guard, value };
        }
        let mut guard = SmallVec::new();
        if !self.guard.is_empty() && !other.guard.is_empty() {
            let (one, two) = (conjunction(b, &self.guard), conjunction(b, &other.guard));
            let either = b.compare(Selection::Or, &[b.expr(one), b.expr(two)]);
            guard.push((either.id(), true));
        }
        Cotangent { guard, value: self.finish() + other.finish() }
    }
}

/// The condition and slope of a partial that is zero outside its branch.
pub fn branch_or_zero(partial: Expr<'_>) -> Option<(Id, Expr<'_>)> {
    let b = partial.builder();
    let (condition, then) = b.read(|g: &Graph| match g.op(partial.id()) {
        Op::Selection(Selection::Select) => {
            let otherwise = g.operand(partial.id(), 2);
            let is_zero = g.repeated_constant(otherwise).is_some_and(crate::ir::Number::is_zero);
            is_zero.then(|| (g.operand(partial.id(), 0), g.operand(partial.id(), 1)))
        }
        _ => None,
    })?;
    Some((condition, b.expr(then)))
}

/// `value * partial`, as one division where the partial is a reciprocal.
pub fn times<'g>(value: Expr<'g>, partial: Expr<'g>) -> Expr<'g> {
    use crate::ir::Elementwise::Div;
    let b = value.builder();
    let denominator = b.read(|g| match g.op(partial.id()) {
        Op::Elementwise(Div) if g.constant(g.operand(partial.id(), 0)).is_some_and(|c| c.is_one()) => {
            Some(g.operand(partial.id(), 1))
        }
        _ => None,
    });
    match denominator {
        Some(denominator) => value / b.expr(denominator),
        None => value * partial,
    }
}

/// The literal both end in, with opposite signs, when all others agree: (condition, first's sign).
fn only_last_differs(a: &[Literal], b: &[Literal]) -> Option<Literal> {
    let ((last_a, rest_a), (last_b, rest_b)) = (a.split_last()?, b.split_last()?);
    (rest_a == rest_b && last_a.0 == last_b.0 && last_a.1 != last_b.1).then_some(*last_a)
}

fn conjunction(b: &Builder, literals: &[Literal]) -> Id {
    let plain = |&(condition, holds): &Literal| {
        let condition = b.expr(condition);
        if holds { condition } else { b.compare(Selection::Not, &[condition]) }
    };
    let all = literals.iter().map(plain);
    let both =
        |a: Expr<'_>, c: Expr<'_>| b.expr(b.compare(Selection::And, &[b.expr(a.id()), b.expr(c.id())]).id());
    all.reduce(both).map_or_else(|| b.integer(1).id(), |e| e.id())
}

/// The cotangents met so far, by node.
pub struct Cotangents<'g> {
    bars: FxHashMap<Id, Cotangent<'g>>,
}

impl<'g> Cotangents<'g> {
    pub fn seed(seeds: impl IntoIterator<Item = (Id, Expr<'g>)>) -> Self {
        let mut cotangents = Cotangents { bars: FxHashMap::default() };
        for (y, y_bar) in seeds {
            cotangents.accumulate(y, Cotangent::new(y_bar));
        }
        cotangents
    }

    pub fn accumulate(&mut self, x: Id, bar: Cotangent<'g>) {
        let sum = match self.bars.remove(&x) {
            Some(before) => before.plus(bar),
            None => bar,
        };
        self.bars.insert(x, sum);
    }

    /// The finished cotangent of a node: all its users have been visited.
    pub fn take(&mut self, x: Id) -> Option<Cotangent<'g>> {
        self.bars.remove(&x)
    }
}
