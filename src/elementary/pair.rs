//! Formulas over a machine, polynomials, and unevaluated sums of two doubles.
//!
//! What must stay true: a [`Pair`] stands for hi + lo exactly; each function says
//! which of its results are exact and which are rounded.
//!
//! Sources: Dekker, "A floating-point technique for extending the available
//! precision" (1971); Muller et al., Handbook of Floating-Point Arithmetic, 2nd
//! ed. (2018), chapters 4 and 14.

use super::machine::Machine;

/// An infix formula as calls of the machine `m`. Every operand is a name, a
/// constant in brackets or a formula in parentheses; nothing has precedence.
///
/// `a * b + c` and its like are **one** rounding, `(a * b) + c` two.
macro_rules! calc {
    ($m:ident, [$c:expr]) => { $m.f($c) };
    ($m:ident, ($($e:tt)+)) => { calc!($m, $($e)+) };
    ($m:ident, $x:ident) => { $x };
    ($m:ident, -$a:tt) => {{ let a = calc!($m, $a); $m.neg(a) }};
    ($m:ident, $a:tt * $b:tt + $c:tt) => {{
        let (a, b, c) = (calc!($m, $a), calc!($m, $b), calc!($m, $c));
        $m.fma(a, b, c)
    }};
    ($m:ident, $a:tt * $b:tt - $c:tt) => {{
        let (a, b, c) = (calc!($m, $a), calc!($m, $b), calc!($m, $c));
        let c = $m.neg(c);
        $m.fma(a, b, c)
    }};
    ($m:ident, $c:tt - $a:tt * $b:tt) => {{
        let (a, b, c) = (calc!($m, $a), calc!($m, $b), calc!($m, $c));
        let a = $m.neg(a);
        $m.fma(a, b, c)
    }};
    ($m:ident, $a:tt + $b:tt) => {{ let (a, b) = (calc!($m, $a), calc!($m, $b)); $m.add(a, b) }};
    ($m:ident, $a:tt - $b:tt) => {{ let (a, b) = (calc!($m, $a), calc!($m, $b)); $m.sub(a, b) }};
    ($m:ident, $a:tt * $b:tt) => {{ let (a, b) = (calc!($m, $a), calc!($m, $b)); $m.mul(a, b) }};
    ($m:ident, $a:tt / $b:tt) => {{ let (a, b) = (calc!($m, $a), calc!($m, $b)); $m.div(a, b) }};
}
pub(super) use calc;

/// hi + lo, unevaluated.
#[derive(Clone, Copy)]
pub(crate) struct Pair<F> {
    pub hi: F,
    pub lo: F,
}

/// c₀ + c₁x + c₂x² + … by Horner's rule, one fma a coefficient.
#[inline(always)]
pub(super) fn polynomial<M: Machine>(m: &mut M, x: M::F, coefficients: &[f64]) -> M::F {
    let (&last, rest) = coefficients.split_last().expect("a polynomial has a coefficient");
    let mut sum = m.f(last);
    for &c in rest.iter().rev() {
        sum = calc!(m, sum * x + [c]);
    }
    sum
}

/// The same by Horner's rule in x² for the even and the odd powers: as many operations but one,
/// of which half wait for the others.
#[inline(always)]
pub(super) fn polynomial_in_two<M: Machine>(m: &mut M, x: M::F, coefficients: &[f64]) -> M::F {
    let square = calc!(m, x * x);
    let parity = |m: &mut M, start: usize| {
        let mut terms = coefficients.iter().skip(start).step_by(2).rev();
        let mut sum = m.f(*terms.next().expect("a polynomial in two has two coefficients"));
        for &c in terms {
            sum = calc!(m, sum * square + [c]);
        }
        sum
    };
    let (even, odd) = (parity(m, 0), parity(m, 1));
    calc!(m, odd * x + even)
}

/// a + b exactly, where |a| ≥ |b|, or a is a multiple of ulp(b), or a = 0 (Dekker).
#[inline(always)]
pub(crate) fn fast_two_sum<M: Machine>(m: &mut M, a: M::F, b: M::F) -> Pair<M::F> {
    let hi = calc!(m, a + b);
    let lo = calc!(m, b - (hi - a));
    Pair { hi, lo }
}

/// a + b exactly (Knuth; Møller).
#[inline(always)]
pub(crate) fn two_sum<M: Machine>(m: &mut M, a: M::F, b: M::F) -> Pair<M::F> {
    let hi = calc!(m, a + b);
    let b_part = calc!(m, hi - a);
    let lo = calc!(m, (a - (hi - b_part)) + (b - b_part));
    Pair { hi, lo }
}

/// a · b exactly, barring underflow of the low part.
#[inline(always)]
pub(crate) fn two_product<M: Machine>(m: &mut M, a: M::F, b: M::F) -> Pair<M::F> {
    let hi = calc!(m, a * b);
    let lo = calc!(m, a * b - hi);
    Pair { hi, lo }
}

/// The same sum with |lo| ≤ ulp(hi)/2.
#[inline(always)]
pub(super) fn normalise<M: Machine>(m: &mut M, x: Pair<M::F>) -> Pair<M::F> {
    fast_two_sum(m, x.hi, x.lo)
}

/// hi + lo, rounded.
#[inline(always)]
pub(super) fn round_pair<M: Machine>(m: &mut M, x: Pair<M::F>) -> M::F {
    m.add(x.hi, x.lo)
}

/// n / d for normalised pairs to about 2⁻¹⁰⁰ by one division and its remainder.
#[inline(always)]
pub(crate) fn divide<M: Machine>(m: &mut M, n: Pair<M::F>, d: Pair<M::F>) -> Pair<M::F> {
    let (n_hi, n_lo, d_hi, d_lo) = (n.hi, n.lo, d.hi, d.lo);
    let reciprocal = calc!(m, [1.0] / d_hi);
    let hi = calc!(m, n_hi * reciprocal);
    let remainder = calc!(m, (n_hi - hi * d_hi) + (n_lo - hi * d_lo));
    let lo = calc!(m, remainder * reciprocal);
    Pair { hi, lo }
}

/// `then` where `mask`, else `otherwise`, both parts.
#[inline(always)]
pub(super) fn select_pair<M: Machine>(
    m: &mut M,
    mask: M::B,
    then: Pair<M::F>,
    otherwise: Pair<M::F>,
) -> Pair<M::F> {
    Pair { hi: m.select(mask, then.hi, otherwise.hi), lo: m.select(mask, then.lo, otherwise.lo) }
}

/// x brought down to `most` where it is above; NaN stays.
#[inline(always)]
pub(super) fn at_most<M: Machine>(m: &mut M, x: M::F, most: f64) -> M::F {
    let most = m.f(most);
    let above = m.lt(most, x);
    m.select(above, most, x)
}

/// x brought up to `least` where it is below; NaN stays.
#[inline(always)]
pub(super) fn at_least<M: Machine>(m: &mut M, x: M::F, least: f64) -> M::F {
    let least = m.f(least);
    let below = m.lt(x, least);
    m.select(below, least, x)
}

/// The integer nearest to x · `factor`, |·| < 2⁵¹ (2²² in single precision), as a number and, in
/// the low bits of the second result, in two's complement.
#[inline(always)]
pub(super) fn nearest_multiple<M: Machine>(m: &mut M, x: M::F, factor: f64) -> (M::F, M::I) {
    let shifter = m.format().shifter();
    let shifted = calc!(m, x * [factor] + [shifter]);
    let k = calc!(m, shifted - [shifter]);
    (k, m.to_bits(shifted))
}

/// Whether either is NaN.
#[inline(always)]
pub(super) fn unordered<M: Machine>(m: &mut M, a: M::F, b: M::F) -> M::B {
    let a = m.ne(a, a);
    let b = m.ne(b, b);
    m.or(a, b)
}
