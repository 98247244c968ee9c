//! Tangents and cotangents under construction, each with the condition under which it is not zero.
//!
//! A derivative that came through `if(c, a, b)` must vanish where its branch is not taken, even
//! where a factor on its way is infinite: 0·∞ would poison it. So the condition
//! travels beside the value and is applied last, after every multiplication.

use super::Mode;
use crate::ir::{Builder, Expr, Graph, Id, Op, Scalar, Selection};
use smallvec::SmallVec;

/// A truth value required to be true or false.
type Literal = (Id, bool);

/// Longest conjunction carried as literals; longer ones become one node, so that deep nests of
/// `if` stay linear.
const LITERALS: usize = 4;

/// `value` where every literal of `guard` holds, zero elsewhere.
#[derive(Clone)]
pub struct Guarded<'g> {
    /// In the order in which they were met.
    guard: SmallVec<[Literal; 2]>,
    value: Expr<'g>,
    mode: Mode,
    /// Whose mark the last of the guard is.
    marked: Option<Id>,
}

impl<'g> Guarded<'g> {
    pub fn tangent(value: Expr<'g>) -> Self {
        Guarded { guard: SmallVec::new(), value, mode: Mode::Forward, marked: None }
    }

    pub fn cotangent(value: Expr<'g>) -> Self {
        Guarded { guard: SmallVec::new(), value, mode: Mode::Reverse, marked: None }
    }

    fn with(&self, guard: SmallVec<[Literal; 2]>, value: Expr<'g>) -> Self {
        Guarded { guard, value, mode: self.mode, marked: None }
    }

    /// Applies a linear map to the value; the condition stays.
    pub fn map(&self, f: impl FnOnce(Expr<'g>) -> Expr<'g>) -> Self {
        Guarded { value: f(self.value), ..self.clone() }
    }

    /// Applies a linear map that changes the shape. A condition in the old shape is applied before
    /// it; one truth value for all stays.
    pub fn reshaped(&self, f: impl FnOnce(Expr<'g>) -> Expr<'g>) -> Self {
        let b = self.value.builder();
        match self.guard.iter().all(|&(condition, _)| b.read(|g| g.is_scalar(condition))) {
            true => self.map(f),
            false => self.with(SmallVec::new(), f(self.clone().finish())),
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
        guarded.marked = None;
        guarded
    }

    /// `then` where the condition holds, `otherwise` elsewhere; `None` is zero.
    pub fn select(condition: Id, then: Option<&Self>, otherwise: Option<&Self>) -> Option<Self> {
        let (a, b) = match (then, otherwise) {
            (None, None) => return None,
            (Some(a), None) => return Some(a.where_(condition, true)),
            (None, Some(b)) => return Some(b.where_(condition, false)),
            (Some(a), Some(b)) => (a, b),
        };
        let builder = a.value.builder();
        let value = builder.select(builder.expr(condition), a.value, b.value);
        if a.guard == b.guard {
            return Some(Guarded { value, ..a.clone() });
        }
        // Nothing is required of one that has no guard.
        let either = disjunction(builder, [a, b].map(|x| x.guard.as_slice()), condition);
        Some(a.with(SmallVec::from_iter([(either, true)]), value))
    }

    /// Multiplies by a local partial.
    pub fn scale(&self, partial: Expr<'g>) -> Self {
        match branch_or_zero(partial) {
            Some((condition, slope)) => self.where_(condition, true).scale(slope),
            None => self.map(|value| times(value, partial)),
        }
    }

    /// Through `if(y == 0, 0, y)`: what is required of `y` is applied at once when its own slope is known, as
    /// all else is finite there.
    pub fn through_mark(&self, condition: Id, y: Id) -> Self {
        let guarded = self.where_(condition, false);
        let marked = guarded.guard.last().is_some_and(|&(last, _)| last == condition).then_some(y);
        Guarded { marked, ..guarded }
    }

    /// The same, with what a mark of `y` requires applied to the value.
    pub fn settled_at(mut self, y: Id) -> Self {
        if self.marked.take_if(|marked| *marked == y).is_some()
            && let Some((condition, _)) = self.guard.pop()
        {
            let b = self.value.builder();
            self.value = b.select(b.expr(condition), self.value.zero(), self.value);
        }
        self
    }

    /// The plain expression: the value, selected by its condition.
    pub fn finish(self) -> Expr<'g> {
        if self.guard.is_empty() {
            return self.value;
        }
        let b = self.value.builder();
        // A single literal that is negated swaps the branches instead of `not`.
        let zero = self.value.zero();
        let within = |value, &(condition, holds): &Literal| {
            let condition = b.expr(condition);
            if holds { b.select(condition, value, zero) } else { b.select(condition, zero, value) }
        };
        // What is nearest to the outputs comes outermost.
        match self.mode {
            Mode::Forward => self.guard.iter().fold(self.value, within),
            Mode::Reverse => self.guard.iter().rev().fold(self.value, within),
        }
    }

    /// The sum of two, selected by what both require where they agree on it.
    pub fn plus(self, other: Self) -> Self {
        let b = self.value.builder();
        if self.guard == other.guard && self.marked == other.marked {
            return Guarded { value: self.value + other.value, ..self };
        }
        if let Some((condition, holds)) = only_last_differs(&self.guard, &other.guard) {
            let (then, otherwise) = if holds { (self.value, other.value) } else { (other.value, self.value) };
            let mut guard = self.guard.clone();
            guard.pop();
            return self.with(guard, b.select(b.expr(condition), then, otherwise));
        }
        let mut guard = SmallVec::new();
        if !self.guard.is_empty() && !other.guard.is_empty() {
            let (one, two) = (conjunction(b, &self.guard), conjunction(b, &other.guard));
            let either = b.compare(Selection::Or, &[b.expr(one), b.expr(two)]);
            guard.push((either.id(), true));
        }
        self.with(guard, self.clone().finish() + other.finish())
    }
}

/// The condition and slope of a partial that is zero outside its branch.
fn branch_or_zero(partial: Expr<'_>) -> Option<(Id, Expr<'_>)> {
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
fn times<'g>(value: Expr<'g>, partial: Expr<'g>) -> Expr<'g> {
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

/// Where the first holds beside the condition, or the second beside its opposite.
fn disjunction(b: &Builder, [first, second]: [&[Literal]; 2], condition: Id) -> Id {
    let both = |literals: &[Literal], holds| {
        let all: SmallVec<[Literal; 6]> =
            [(condition, holds)].into_iter().chain(literals.iter().copied()).collect();
        conjunction(b, &all)
    };
    // `c`, or else the second, is `c or second`.
    let (one, two) = match (first, second) {
        ([], second) => (condition, conjunction(b, second)),
        (first, []) => (conjunction(b, first), conjunction(b, &[(condition, false)])),
        (first, second) => (both(first, true), both(second, false)),
    };
    b.compare(Selection::Or, &[b.expr(one), b.expr(two)]).id()
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
