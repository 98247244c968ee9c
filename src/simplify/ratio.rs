//! Quotients and products in an order in which nothing overflows on the way to a finite result.
//!
//! What must stay true: only the order of exact factors is chosen, for results that a machine computes;
//! collection takes the same factors apart again and finds the same product.

use super::product::{Base, Exponent, Factor, Factors, is_sum};
use super::sum::SEARCHED;
use super::{Purpose, Simplifier};
use crate::ir::{Elementwise, Id, Number, Op, Selection};

/// Quotients taken out of a product.
#[derive(Default)]
pub(super) struct Ratios {
    single: Vec<Id>,
    pairs: Vec<[Id; 2]>,
}

/// Powers that are multiplied or divided one factor at a time.
const WRITTEN_OUT: std::ops::RangeInclusive<i64> = 2..=4;

/// Divisions that two factors are given one at a time.
const SHARED_OUT: std::ops::RangeInclusive<i64> = 1..=8;

fn whole(exponent: &Exponent) -> Option<i64> {
    exponent.number().and_then(Number::to_i64)
}

fn factor(base: Base, n: i64) -> Factor {
    Factor { base, exponent: Exponent::Number(Number::integer(n)) }
}

impl Simplifier<'_> {
    /// Takes quotients of powers out of `above/below`: a²/b² is (a/b)², where squares of a and b alone
    /// would overflow or vanish.
    pub(super) fn take_ratios(&mut self, above: &mut Factors, below: &mut Factors) -> Ratios {
        let mut ratios = Ratios::default();
        if self.purpose != Purpose::Compute {
            return ratios;
        }
        for divisor in below.iter_mut() {
            for factor in above.iter_mut() {
                let (Base::Node(a), Base::Node(b)) = (factor.base, divisor.base) else { continue };
                let (Some(p), Some(q)) = (whole(&factor.exponent), whole(&divisor.exponent)) else {
                    continue;
                };
                if p == 2 && self.is_share(a, b) && SHARED_OUT.contains(&-q) {
                    ratios.pairs.push(self.shared_out(a, b, -q));
                    (*factor, *divisor) = (self::factor(factor.base, 0), self::factor(divisor.base, 0));
                    continue;
                }
                let is_leg = self.is_leg(a, b);
                let is_part = is_leg || self.is_term(a, b);
                let shared = p.min(-q);
                if shared < 1 || !(is_part || WRITTEN_OUT.contains(&p) && WRITTEN_OUT.contains(&-q)) {
                    continue;
                }
                let ratio = self.graph.apply(Elementwise::Div, &[a, b]);
                let left = -q - shared;
                if is_leg && shared == 2 && SHARED_OUT.contains(&left) {
                    ratios.pairs.push(self.shared_out(ratio, b, left));
                    *divisor = self::factor(divisor.base, 0);
                } else {
                    let shared = Exponent::Number(Number::integer(shared));
                    ratios.single.push(self.power_node(Base::Node(ratio), &shared));
                    *divisor = self::factor(divisor.base, -left);
                }
                *factor = self::factor(factor.base, p - shared);
            }
        }
        let is_left = |f: &mut Factor| whole(&f.exponent) != Some(0);
        above.retain(is_left);
        below.retain(is_left);
        ratios
    }

    pub(super) fn is_leg(&self, leg: Id, length: Id) -> bool {
        self.graph.op(length) == Op::Elementwise(Elementwise::Hypot)
            && self.graph.operands(length).contains(&leg)
    }

    /// Whether the one is a term of the other, a short sum: their quotient is in range where both are.
    fn is_term(&self, term: Id, mut sum: Id) -> bool {
        for _ in 1..SEARCHED {
            if !is_sum(self.graph, sum) {
                break;
            }
            if self.graph.operands(sum).contains(&term) {
                return true;
            }
            sum = self.graph.operand(sum, 0);
        }
        false
    }

    /// Whether the one is a leg over the other.
    fn is_share(&self, share: Id, length: Id) -> bool {
        self.graph.op(share) == Op::Elementwise(Elementwise::Div)
            && matches!(*self.graph.operands(share), [leg, whole] if whole == length && self.is_leg(leg, length))
    }

    /// Whether a node is a leg's share divided by the length once more, or by its root.
    pub(super) fn is_share_over_length(&self, node: Id) -> bool {
        if self.graph.op(node) != Op::Elementwise(Elementwise::Div) {
            return false;
        }
        let (share, divisor) = (self.graph.operand(node, 0), self.graph.operand(node, 1));
        let is_root = self.graph.op(divisor) == Op::Elementwise(Elementwise::Sqrt);
        self.is_share(share, if is_root { self.graph.operand(divisor, 0) } else { divisor })
    }

    /// Two factors whose product is `ratio²/length^divisions`, the divisions shared out among them:
    /// neither vanishes where the product does not, as the square of a short leg's share does.
    fn shared_out(&mut self, ratio: Id, length: Id, divisions: i64) -> [Id; 2] {
        [divisions / 2, divisions - divisions / 2].map(|times| {
            (0..times).fold(ratio, |share, _| self.graph.apply(Elementwise::Div, &[share, length]))
        })
    }

    /// The product times its ratios; of a pair, one factor before all others and one after.
    pub(super) fn times_ratios(&mut self, mut product: Id, ratios: &Ratios) -> Id {
        for &[_, share] in &ratios.pairs {
            product = self.times_unless_one(product, share);
        }
        for &ratio in &ratios.single {
            product = self.times_unless_one(product, ratio);
        }
        for &[share, other] in &ratios.pairs {
            product = match share == other && product == share {
                true => self.power_node(Base::Node(share), &Exponent::Number(Number::integer(2))),
                false => self.graph.apply(Elementwise::Mul, &[product, share]),
            };
        }
        product
    }

    fn times_unless_one(&mut self, product: Id, factor: Id) -> Id {
        let is_one = self.graph.constant(product).is_some_and(Number::is_one);
        if is_one { factor } else { self.graph.apply(Elementwise::Mul, &[product, factor]) }
    }

    /// The factors in an order in which products of some do not overflow where that of all does not;
    /// `None` where any order is as good.
    pub(super) fn in_safe_order(&self, factors: &[Factor]) -> Option<Vec<Factor>> {
        if self.purpose != Purpose::Compute || factors.len() < 2 {
            return None;
        }
        self.vanishing_first(factors).or_else(|| self.squares_around(factors))
    }

    /// Squares of shares of a length, divided by it again, and of the hyperbolic cosecant, which overflow: one
    /// factor before all others and one after, as [`Simplifier::times_ratios`] writes them.
    fn squares_around(&self, factors: &[Factor]) -> Option<Vec<Factor>> {
        let is_over_length = |id: Id| {
            let is_guarded = self.graph.op(id) == Op::Selection(Selection::Select);
            let id = if is_guarded { self.graph.operand(id, 2) } else { id };
            self.graph.op(id) == Op::Elementwise(Elementwise::Div)
                && self.graph.op(self.graph.operand(id, 1)) == Op::Elementwise(Elementwise::Hypot)
        };
        let is_square = |f: &&Factor| {
            let is_csch = |id: Id| self.graph.op(id) == Op::Elementwise(Elementwise::Csch);
            matches!(f.base, Base::Node(id) if is_over_length(id) || is_csch(id) && factors.len() > 1)
                && whole(&f.exponent) == Some(2)
        };
        let single = || factors.iter().filter(is_square).map(|f| factor(f.base, 1));
        single().next()?;
        let others = factors.iter().filter(|f| !is_square(f)).cloned();
        Some(single().chain(others).chain(single()).collect())
    }

    /// The factors with those that vanish far out in front, and powers beside them written out:
    /// x²·exp(−x) as exp(−x)·x·x is 0 where x² overflows, not 0·∞.
    fn vanishing_first(&self, factors: &[Factor]) -> Option<Vec<Factor>> {
        use Elementwise::{Csch, Erfc, Exp, Sech, Sigmoid};
        const VANISHING: [Elementwise; 5] = [Csch, Erfc, Exp, Sech, Sigmoid];
        let vanishes = |f: &Factor| match f.base {
            Base::E => true,
            Base::Node(id) => VANISHING.iter().any(|&op| self.graph.op(id) == Op::Elementwise(op)),
        };
        let written_out = |f: &Factor| whole(&f.exponent).filter(|n| WRITTEN_OUT.contains(n)).unwrap_or(1);
        let others: i64 = factors.iter().filter(|f| !vanishes(f)).map(written_out).sum();
        if others < 2 || !factors.iter().any(vanishes) {
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
