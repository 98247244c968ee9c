//! Where the values of an op lie, for operands in given intervals.
//!
//! What must stay true: over the reals, the op's value for operands inside is inside, and an image
//! that is total has one for all of them. Unknown is everything, and not total.

use super::interval::Computed;
use super::{Course, Domain, Elementwise, Interval, Number};
use crate::elementary::Plain;
use std::f64::consts::PI;

/// Values an op takes, and whether it has one for all operands given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Image {
    pub values: Interval,
    pub total: bool,
}

/// Largest angle whose place among the quarters of the circle is trusted.
const TURNS: f64 = 1e6;

/// Where the gamma function is least among positive numbers, rounded down; it is flat there.
const LEAST_GAMMA: f64 = 1.461_632_144_968_362_3;

impl Elementwise {
    /// The values for operands in these intervals.
    ///
    /// ```
    /// use symdiff::ir::{Elementwise, Interval};
    /// let image = Elementwise::Log.image(&[Interval::within(0.0, 1.0)]);
    /// assert!(image.values.contains(-3.0) && !image.values.contains(0.1));
    /// assert!(!image.total);
    /// ```
    pub fn image(self, operands: &[Interval]) -> Image {
        if operands.len() != self.arity() {
            return Image { values: Interval::ALL, total: false };
        }
        let domain = match self.domain() {
            Domain::Positive(0) => Interval::POSITIVE,
            Domain::NonNegative(0) => Interval::NON_NEGATIVE,
            Domain::Within(low, high) => Interval::within(low, high),
            Domain::Between(low, high) => Interval::between(low, high),
            _ => Interval::ALL,
        };
        let first = operands.first().map_or(Interval::ALL, |x| x.meet(domain));
        let compute = |x: f64| self.computed(x);
        let (values, total) = match self.course() {
            Course::Rising => (first.rising(compute), true),
            Course::Falling => (first.falling(compute), true),
            Course::Bowl => (first.abs().rising(compute), true),
            Course::Hill => (first.abs().falling(compute), true),
            Course::Own => self.own_image(operands),
        };
        let inside = operands.first().is_none_or(|x| x.is_in(domain));
        Image { values: values.meet(self.range()), total: total && inside }
    }

    /// The value at one number, and how exact it is.
    fn computed(self, x: f64) -> Computed {
        use Elementwise::{Abs, Ceil, Floor, Neg, Relu, Round, Sign};
        let y = self.value(&mut Plain, &[x]);
        match self {
            Floor | Ceil | Round | Sign => Computed::Step(y),
            Relu if x <= 0.0 => Computed::Step(y),
            Neg | Relu | Abs => Computed::Exact(y),
            _ => match whole(x).and_then(|n| self.fold(&[&n])) {
                Some(exact) if exact.is_integer() && exact.to_f64() == y => Computed::Exact(y),
                _ => Computed::Rounded(y),
            },
        }
    }

    fn own_image(self, x: &[Interval]) -> (Interval, bool) {
        use Elementwise::*;
        match (self, x) {
            (Add, [a, b]) => (*a + *b, true),
            (Sub, [a, b]) => (*a - *b, true),
            (Mul, [a, b]) => (*a * *b, true),
            (Fma, [a, b, c]) => (*a * *b + *c, true),
            (Div, [a, b]) => (*a / *b, !b.contains(0.0)),
            (Pow, [a, b]) => power(*a, *b),
            (Max, [a, b]) => (a.max(*b), true),
            (Min, [a, b]) => (a.min(*b), true),
            (Hypot, [a, b]) => (hypotenuse(*a, *b), true),
            (LogAddExp, [a, b]) => (log_of_sum(*a, *b), true),
            (Atan2, [a, b]) => (self.range(), !(a.contains(0.0) && b.contains(0.0))),
            (Sin, [a]) => (sine(*a), true),
            (Cos, [a]) => (cosine(*a), true),
            (Sinpi, [a]) => (circular(*a, Sinpi, 1.0, 0.5), true),
            (Cospi, [a]) => (circular(*a, Cospi, 1.0, 0.0), true),
            (Tan | Sec, [a]) => self.with_poles(*a, cosine(*a)),
            (Csc | Cot, [a]) => self.with_poles(*a, sine(*a)),
            (Csch | Coth, [a]) => self.around_zero(*a),
            (Gamma | Lgamma, [a]) if a.is_above(0.0) => (self.with_least_value(*a), true),
            (Digamma, [a]) if a.is_above(0.0) => (a.rising(|x| self.computed(x)), true),
            (Pi, []) => (self.range(), true),
            _ => (Interval::ALL, false),
        }
    }

    /// tan and cot run from pole to pole, where `divisor` is zero; sec and csc are its inverses.
    fn with_poles(self, x: Interval, divisor: Interval) -> (Interval, bool) {
        if divisor.contains(0.0) {
            return (Interval::ALL, false);
        }
        let compute = |x: f64| self.computed(x);
        let values = match self {
            Elementwise::Tan => x.rising(compute),
            Elementwise::Cot => x.falling(compute),
            _ => Interval::point(1.0) / divisor,
        };
        (values, true)
    }

    /// The gamma function and its logarithm fall, and from the place of their least value on rise.
    fn with_least_value(self, x: Interval) -> Interval {
        let compute = |x: f64| self.computed(x);
        let falling = x.meet(Interval::within(0.0, LEAST_GAMMA.next_up())).falling(compute);
        let rising = x.meet(Interval::within(LEAST_GAMMA, f64::INFINITY)).rising(compute);
        falling.hull(rising)
    }

    /// Odd functions that fall on both sides of a pole at zero.
    fn around_zero(self, x: Interval) -> (Interval, bool) {
        let side = |part: Interval| part.falling(|x| self.computed(x));
        let above = side(x.meet(Interval::POSITIVE));
        let below = -side((-x).meet(Interval::POSITIVE));
        (above.hull(below), !x.contains(0.0))
    }
}

/// A whole number small enough to be looked up exactly.
fn whole(x: f64) -> Option<Number> {
    (x.fract() == 0.0 && x.abs() <= 1e6).then(|| Number::integer(x as i64))
}

fn power(base: Interval, exponent: Interval) -> (Interval, bool) {
    let raise = |a: f64, b: f64| Elementwise::Pow.value(&mut Plain, &[a, b]);
    let Some(n) = exponent.only() else {
        if !base.is_above(0.0) {
            let is_real = base.is_in(Interval::NON_NEGATIVE);
            return (if is_real { Interval::NON_NEGATIVE } else { Interval::ALL }, false);
        }
        let mut all = Interval::EMPTY;
        for b in [exponent.low(), exponent.high()] {
            let rounded = |a: f64| Computed::Rounded(raise(a, b));
            all = all.hull(if b < 0.0 { base.falling(rounded) } else { base.rising(rounded) });
        }
        return (all.meet(Interval::POSITIVE), true);
    };
    if n == 0.0 {
        return (Interval::point(1.0), true);
    }
    let size = n.abs();
    let computed = |a: f64| match whole(a)
        .zip(whole(size))
        .and_then(|(a, n)| Elementwise::Pow.fold(&[&a, &n]))
    {
        Some(exact) if exact.is_integer() && exact.to_f64().abs() < 1e15 => Computed::Exact(exact.to_f64()),
        _ => Computed::Rounded(raise(a, size)),
    };
    let is_whole = n.fract() == 0.0;
    let real = if is_whole { base } else { base.meet(Interval::NON_NEGATIVE) };
    let values = match (is_whole, n % 2.0 == 0.0) {
        (true, true) => real.abs().rising(computed).meet(Interval::NON_NEGATIVE),
        (true, false) => real.rising(computed),
        (false, _) => real.rising(computed).meet(Interval::NON_NEGATIVE),
    };
    if n >= 0.0 {
        return (values, real == base);
    }
    (Interval::point(1.0) / values, real == base && !base.contains(0.0))
}

fn hypotenuse(a: Interval, b: Interval) -> Interval {
    let (a, b) = (a.abs(), b.abs());
    let at = |x: f64, y: f64| Elementwise::Hypot.value(&mut Plain, &[x, y]);
    // No side is longer.
    let longer = Interval::within(a.max(b).low(), f64::INFINITY);
    Interval::computed(at(a.low(), b.low()), at(a.high(), b.high())).meet(longer)
}

/// Above the greater one, and below what the upper ends make.
fn log_of_sum(a: Interval, b: Interval) -> Interval {
    let at = |x: f64, y: f64| Elementwise::LogAddExp.value(&mut Plain, &[x, y]);
    let above = Interval::within(a.max(b).low(), f64::INFINITY);
    Interval::computed(at(a.low(), b.low()), at(a.high(), b.high())).meet(above)
}

fn sine(x: Interval) -> Interval {
    circular(x, Elementwise::Sin, PI, 0.5)
}

fn cosine(x: Interval) -> Interval {
    circular(x, Elementwise::Cos, PI, 0.0)
}

/// A sine shifted so that its extremes lie at `k − shift` half turns, +1 for one parity of k; half a turn
/// is π or 1.
fn circular(x: Interval, op: Elementwise, half_turn: f64, shift: f64) -> Interval {
    let whole_range = Interval::within(-1.0, 1.0);
    let (low, high) = (x.low(), x.high());
    let width = high - low;
    if x.is_empty() || width.is_nan() || width >= half_turn {
        return if x.is_empty() { x } else { whole_range };
    }
    let end = |x: f64| Interval::point(x).rising(|x| op.computed(x));
    let (at_low, at_high) = (end(low), end(high));
    if low.abs().max(high.abs()) > TURNS || width < 1e-3 {
        // No steeper than π to half a turn.
        let rise = (width * (PI / half_turn)).next_up().next_up();
        let near = |values: Interval| values.widened(rise);
        let flat = if width == 0.0 { at_low } else { near(at_low).meet(near(at_high)) };
        return flat.meet(whole_range);
    }
    let piece = |x: f64| (x / half_turn + shift).floor();
    let (first, last) = (piece(low), piece(high));
    let ends = at_low.hull(at_high);
    let extreme = if (last % 2.0 == 0.0) == op.is_even() { 1.0 } else { -1.0 };
    let all = if first == last { ends } else { ends.hull(Interval::point(extreme)) };
    all.meet(whole_range)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::FRAC_PI_2;

    #[test]
    fn the_circle_turns_where_it_should() {
        let x = Interval::within(1.0, 2.0);
        assert!(sine(x).contains(1.0) && sine(x).low() > 0.84);
        assert!(cosine(x).contains(0.0) && cosine(x).high() < 0.55);
        let y = Interval::within(FRAC_PI_2 + 2.0, FRAC_PI_2 + 4.0);
        assert!(sine(y).contains(-1.0) && sine(y).high() < 0.0);
        assert!(cosine(Interval::within(-1.0, 1.0)).contains(1.0));
        let half = Elementwise::Sinpi.image(&[Interval::within(0.25, 0.75)]).values;
        assert!(half.contains(1.0) && half.low() > 0.7);
        let whole = Elementwise::Cospi.image(&[Interval::within(0.75, 1.5)]).values;
        assert!(whole.contains(-1.0) && whole.contains(0.0) && whole.high() < 1e-15);
    }
}
