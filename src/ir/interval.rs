//! Intervals of real numbers, with arithmetic rounded outward.
//!
//! What must stay true: for real numbers inside the operands, the exact result is inside the
//! result. An end is open where the number itself is not reached: `exp(x)` lies in (0, ∞), so that
//! `1 + exp(x)` is known to exceed 1. Ends that are infinite are always open.

use super::Number;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// Real numbers between two ends.
///
/// ```
/// use symdiff::ir::Interval;
/// let sum = Interval::within(0.0, 1.0) + Interval::above(2.0);
/// assert!(sum.is_above(2.0) && !sum.contains(2.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    low: End,
    high: End,
}

/// One end of an interval.
#[derive(Clone, Copy, Debug, PartialEq)]
struct End {
    at: f64,
    /// The end itself is not inside.
    open: bool,
}

/// Zero has one sign here, so that equal ends are equal.
const fn open(at: f64) -> End {
    End { at: at + 0.0, open: true }
}

const fn closed(at: f64) -> End {
    End { at: at + 0.0, open: !at.is_finite() }
}

/// Where an end lies that cannot be computed exactly.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Low,
    High,
}

/// Products and quotients below this may have lost digits without a trace.
const TINY: f64 = 1e-280;

/// Every elementary function is at most 2 units in the last place off (`docs/accuracy.md`).
const ULPS: f64 = 4.0;

impl Interval {
    pub const ALL: Interval = Interval { low: open(f64::NEG_INFINITY), high: open(f64::INFINITY) };
    pub const EMPTY: Interval = Interval { low: open(f64::INFINITY), high: open(f64::NEG_INFINITY) };
    pub const POSITIVE: Interval = Interval::above(0.0);
    pub const NON_NEGATIVE: Interval = Interval::within(0.0, f64::INFINITY);
    pub const NEGATIVE: Interval = Interval::below(0.0);
    pub const NON_POSITIVE: Interval = Interval::within(f64::NEG_INFINITY, 0.0);

    /// From `low` to `high`, both inside (unless infinite).
    pub const fn within(low: f64, high: f64) -> Interval {
        Interval { low: closed(low), high: closed(high) }
    }

    /// From `low` to `high`, both left out.
    pub const fn between(low: f64, high: f64) -> Interval {
        Interval { low: open(low), high: open(high) }
    }

    pub const fn above(low: f64) -> Interval {
        Interval::between(low, f64::INFINITY)
    }

    pub const fn below(high: f64) -> Interval {
        Interval::between(f64::NEG_INFINITY, high)
    }

    /// From `low`, left out, to `high`, inside.
    pub const fn above_to(low: f64, high: f64) -> Interval {
        Interval { low: open(low), high: closed(high) }
    }

    /// One number; everything for what is none.
    pub fn point(x: f64) -> Interval {
        if x.is_finite() { Interval::within(x, x) } else { Interval::ALL }
    }

    /// The least interval of doubles around an exact number.
    pub fn around(number: &Number) -> Interval {
        let near = number.to_f64();
        match near.is_finite() && Number::from_f64(near).as_ref() == Some(number) {
            true => Interval::point(near),
            false => Interval::within(near.next_down(), near.next_up()),
        }
    }

    pub fn low(self) -> f64 {
        self.low.at
    }

    pub fn high(self) -> f64 {
        self.high.at
    }

    pub fn is_empty(self) -> bool {
        self.low.at > self.high.at || self.low.at == self.high.at && (self.low.open || self.high.open)
    }

    /// The only number inside.
    pub fn only(self) -> Option<f64> {
        (self.low == self.high && !self.low.open).then_some(self.low.at)
    }

    pub fn contains(self, x: f64) -> bool {
        let above = if self.low.open { self.low.at < x } else { self.low.at <= x };
        above && if self.high.open { x < self.high.at } else { x <= self.high.at }
    }

    /// Every number inside exceeds `x`.
    pub fn is_above(self, x: f64) -> bool {
        self.low.at > x || self.low.at == x && self.low.open
    }

    /// Every number inside is less than `x`.
    pub fn is_below(self, x: f64) -> bool {
        self.high.at < x || self.high.at == x && self.high.open
    }

    /// Every number inside is also in `other`.
    pub fn is_in(self, other: Interval) -> bool {
        self.is_empty() || self.meet(other) == self
    }

    /// Every number inside is less than every one in `other`.
    pub fn is_before(self, other: Interval) -> bool {
        self.high.at < other.low.at || self.high.at == other.low.at && (self.high.open || other.low.open)
    }

    /// Every number inside is at most every one in `other`.
    pub fn is_not_after(self, other: Interval) -> bool {
        self.high.at <= other.low.at
    }

    /// What is in both.
    pub fn meet(self, other: Interval) -> Interval {
        let low = if lower(self.low, other.low) { other.low } else { self.low };
        let high = if higher(self.high, other.high) { other.high } else { self.high };
        let met = Interval { low, high };
        if met.is_empty() { Interval::EMPTY } else { met }
    }

    /// The least interval around both.
    pub fn hull(self, other: Interval) -> Interval {
        if self.is_empty() || other.is_empty() {
            return if self.is_empty() { other } else { self };
        }
        let low = if lower(self.low, other.low) { self.low } else { other.low };
        let high = if higher(self.high, other.high) { self.high } else { other.high };
        Interval { low, high }
    }

    fn by_corners(self, other: Interval, of: impl Fn(End, End, Side) -> End) -> Interval {
        if self.is_empty() || other.is_empty() {
            return Interval::EMPTY;
        }
        let mut all = Interval::EMPTY;
        for a in [self.low, self.high] {
            for b in [other.low, other.high] {
                let corner = Interval { low: of(a, b, Side::Low), high: of(a, b, Side::High) };
                let low = if lower(corner.low, all.low) { corner.low } else { all.low };
                let high = if higher(corner.high, all.high) { corner.high } else { all.high };
                all = Interval { low, high };
            }
        }
        all
    }

    pub fn abs(self) -> Interval {
        if self.low.at >= 0.0 {
            return self;
        }
        if self.high.at <= 0.0 {
            return -self;
        }
        let high = if higher(self.high, (-self).high) { self.high } else { (-self).high };
        Interval { low: closed(0.0), high }
    }

    /// The greater one of two numbers.
    pub fn max(self, other: Interval) -> Interval {
        if self.is_empty() || other.is_empty() {
            return Interval::EMPTY;
        }
        let low = if lower(self.low, other.low) { other.low } else { self.low };
        let high = if higher(self.high, other.high) { self.high } else { other.high };
        Interval { low, high }
    }

    pub fn min(self, other: Interval) -> Interval {
        -(-self).max(-other)
    }

    /// Between two values that are a few units in the last place off.
    pub(super) fn computed(low: f64, high: f64) -> Interval {
        if low.is_nan() || high.is_nan() {
            return Interval::ALL;
        }
        Interval { low: closed(beyond(low, Side::Low)), high: closed(beyond(high, Side::High)) }
    }

    /// The values of a function that rises.
    pub(super) fn rising(self, f: impl Fn(f64) -> Computed) -> Interval {
        if self.is_empty() {
            return self;
        }
        Interval { low: value(&f, self.low, Side::Low), high: value(&f, self.high, Side::High) }
    }

    /// The values of a function that falls.
    pub(super) fn falling(self, f: impl Fn(f64) -> Computed) -> Interval {
        if self.is_empty() {
            return self;
        }
        Interval { low: value(&f, self.high, Side::Low), high: value(&f, self.low, Side::High) }
    }

    /// Wider by so much on either side.
    pub(super) fn widened(self, by: f64) -> Interval {
        self + Interval::within(-by, by)
    }
}

impl Neg for Interval {
    type Output = Interval;
    fn neg(self) -> Interval {
        let turned = |end: End| End { at: 0.0 - end.at, ..end };
        Interval { low: turned(self.high), high: turned(self.low) }
    }
}

impl Add for Interval {
    type Output = Interval;
    fn add(self, other: Interval) -> Interval {
        if self.is_empty() || other.is_empty() {
            return Interval::EMPTY;
        }
        let low = sum(self.low, other.low, Side::Low);
        Interval { low, high: sum(self.high, other.high, Side::High) }
    }
}

impl Sub for Interval {
    type Output = Interval;
    fn sub(self, other: Interval) -> Interval {
        self + -other
    }
}

impl Mul for Interval {
    type Output = Interval;
    fn mul(self, other: Interval) -> Interval {
        self.by_corners(other, product)
    }
}

/// Quotients by all numbers of `other` but zero; everything when those have both signs.
impl Div for Interval {
    type Output = Interval;
    fn div(self, other: Interval) -> Interval {
        if self.is_empty() || other.is_empty() || other.only() == Some(0.0) {
            return Interval::EMPTY;
        }
        if other.low.at < 0.0 && other.high.at > 0.0 {
            return if self.only() == Some(0.0) { self } else { Interval::ALL };
        }
        // A zero among the corners is approached from above.
        if other.high.at <= 0.0 {
            return (-self).by_corners(-other, quotient);
        }
        self.by_corners(other, quotient)
    }
}

/// `a` reaches further down than `b`.
fn lower(a: End, b: End) -> bool {
    a.at < b.at || a.at == b.at && !a.open && b.open
}

/// `a` reaches further up than `b`.
fn higher(a: End, b: End) -> bool {
    a.at > b.at || a.at == b.at && !a.open && b.open
}

/// The next number outward.
fn outward(at: f64, side: Side) -> f64 {
    match side {
        Side::Low => at.next_down(),
        Side::High => at.next_up(),
    }
}

/// A result that overflowed lies beyond the largest number, and no further.
fn clamped(at: f64, side: Side) -> f64 {
    match side {
        Side::Low => at.min(f64::MAX),
        Side::High => at.max(f64::MIN),
    }
}

fn sum(a: End, b: End, side: Side) -> End {
    let at = a.at + b.at;
    if a.at.is_infinite() || b.at.is_infinite() {
        return open(if a.at.is_infinite() { a.at } else { b.at });
    }
    if at.is_infinite() {
        return closed(clamped(at, side));
    }
    // What rounding took away: zero, or the sum was exact.
    let rest = at - a.at;
    let lost = (a.at - (at - rest)) + (b.at - rest);
    if lost == 0.0 { End { at, open: a.open || b.open } } else { closed(outward(at, side)) }
}

fn product(a: End, b: End, side: Side) -> End {
    // Zero times whatever is zero, also where the other one grows without bound.
    for (zero, other) in [(a, b), (b, a)] {
        if zero.at == 0.0 {
            return End { at: 0.0, open: zero.open && (other.at != 0.0 || other.open) };
        }
    }
    let at = a.at * b.at;
    if a.at.is_infinite() || b.at.is_infinite() {
        return open(at);
    }
    let exact = at.is_finite() && at.abs() > TINY && a.at.mul_add(b.at, -at) == 0.0;
    rounded(at, exact, a.open || b.open, (a.at < 0.0) != (b.at < 0.0), side)
}

fn quotient(a: End, b: End, side: Side) -> End {
    let negative = (a.at < 0.0) != (b.at < 0.0);
    if a.at == 0.0 {
        return End { at: 0.0, open: a.open };
    }
    if b.at.is_infinite() {
        return open(0.0);
    }
    if b.at == 0.0 || a.at.is_infinite() {
        return open(if negative { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    let at = a.at / b.at;
    let exact = at.is_finite() && at.abs() > TINY && a.at.abs() > TINY && at.mul_add(b.at, -a.at) == 0.0;
    rounded(at, exact, a.open || b.open, negative, side)
}

/// A result of known sign that is not zero, rounded outward unless it is exact.
fn rounded(at: f64, exact: bool, is_open: bool, negative: bool, side: Side) -> End {
    if exact {
        return End { at, open: is_open };
    }
    let at = if at.is_infinite() { clamped(at, side) } else { outward(at, side) };
    // Not past zero, which it is not.
    let past = if negative { at >= 0.0 } else { at <= 0.0 };
    if past { open(0.0) } else { closed(at) }
}

/// A function's value as a machine computes it.
#[derive(Clone, Copy)]
pub(super) enum Computed {
    /// A few units in the last place off.
    Rounded(f64),
    /// Exact, by a function that keeps its value nowhere else nearby.
    Exact(f64),
    /// Exact, by a function of steps: its value at an end is also one inside.
    Step(f64),
}

fn value(f: impl Fn(f64) -> Computed, end: End, side: Side) -> End {
    let (at, exact) = match f(end.at) {
        Computed::Step(at) if !at.is_nan() => return closed(at),
        Computed::Step(at) | Computed::Rounded(at) => (at, false),
        Computed::Exact(at) => (at, true),
    };
    if at.is_nan() {
        return open(if side == Side::Low { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    if end.at.is_infinite() {
        // A limit, which is reached nowhere. Whole ones are exact.
        let exact = at.is_infinite() || at.fract() == 0.0;
        return open(if exact { at } else { beyond(at, side) });
    }
    match at.is_infinite() {
        true => closed(clamped(at, side)),
        false if exact => End { at: at + 0.0, open: end.open },
        false => closed(beyond(at, side)),
    }
}

/// A few units in the last place outward.
fn beyond(at: f64, side: Side) -> f64 {
    let by = (ULPS * f64::EPSILON * at.abs()).max(ULPS * 5e-324);
    clamped(if side == Side::Low { at - by } else { at + by }, side)
}
