//! Quotients and products in an order in which nothing overflows on the way to a finite result.
//!
//! What must stay true: only the order of exact factors is chosen, for results that a machine computes;
//! collection takes the same factors apart again and finds the same product.

use super::product::{Base, Exponent, Factor, Factors};
use super::{Purpose, Simplifier};
use crate::ir::{Elementwise, Id, Number, Op};

/// Powers that are multiplied or divided one factor at a time.
const WRITTEN_OUT: std::ops::RangeInclusive<i64> = 2..=4;

fn whole(exponent: &Exponent) -> Option<i64> {
    exponent.number().and_then(Number::to_i64)
}

fn factor(base: Base, n: i64) -> Factor {
    Factor { base, exponent: Exponent::Number(Number::integer(n)) }
}

impl Simplifier<'_> {
    /// Takes quotients of powers out of `above/below`: a²/b² is (a/b)², and x²/hypot(x, y)³ is
    /// (x/hypot(x, y))²/hypot(x, y), where squares of a and b alone would overflow or vanish.
    pub(super) fn take_ratios(&mut self, above: &mut Factors, below: &mut Factors) -> Vec<Id> {
        let mut ratios = Vec::new();
        if self.purpose != Purpose::Compute {
            return ratios;
        }
        for divisor in below.iter_mut() {
            for factor in above.iter_mut() {
                let (Base::Node(a), Base::Node(b)) = (factor.base, divisor.base) else { continue };
                let (Some(p), Some(q)) = (whole(&factor.exponent), whole(&divisor.exponent)) else {
                    continue;
                };
                let is_leg = self.graph.op(b) == Op::Elementwise(Elementwise::Hypot)
                    && self.graph.operands(b).contains(&a);
                let shared = p.min(-q);
                if shared < 1 || !(is_leg || WRITTEN_OUT.contains(&p) && WRITTEN_OUT.contains(&-q)) {
                    continue;
                }
                let ratio = self.graph.apply(Elementwise::Div, &[a, b]);
                ratios.push(self.power_node(Base::Node(ratio), &Exponent::Number(Number::integer(shared))));
                *factor = self::factor(factor.base, p - shared);
                *divisor = self::factor(divisor.base, q + shared);
            }
        }
        let is_left = |f: &mut Factor| whole(&f.exponent) != Some(0);
        above.retain(is_left);
        below.retain(is_left);
        ratios
    }

    /// The factors with those that vanish far out in front, and powers beside them written out:
    /// x²·exp(−x) as exp(−x)·x·x is 0 where x² overflows, not 0·∞.
    pub(super) fn vanishing_first(&self, factors: &[Factor]) -> Option<Vec<Factor>> {
        use Elementwise::{Csch, Erfc, Exp, Sech, Sigmoid};
        const VANISHING: [Elementwise; 5] = [Csch, Erfc, Exp, Sech, Sigmoid];
        let vanishes = |f: &Factor| match f.base {
            Base::E => true,
            Base::Node(id) => VANISHING.iter().any(|&op| self.graph.op(id) == Op::Elementwise(op)),
        };
        let written_out = |f: &Factor| whole(&f.exponent).filter(|n| WRITTEN_OUT.contains(n)).unwrap_or(1);
        let others: i64 = factors.iter().filter(|f| !vanishes(f)).map(written_out).sum();
        if self.purpose != Purpose::Compute || others < 2 || !factors.iter().any(vanishes) {
            return None;
        }
        let (mut first, rest): (Vec<Factor>, Vec<Factor>) = factors.iter().cloned().partition(vanishes);
        for f in rest {
            match written_out(&f) {
                1 => first.push(f),
                n => first.extend((0..n).map(|_| factor(f.base, 1))),
            }
        }
        Some(first)
    }
}
