//! Sets of sign facts: what may be known of a number's sign, and how ops carry it.

use crate::ir::{Interval, Number};

/// A set of sign facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Sign(u8);

impl Sign {
    pub const UNKNOWN: Sign = Sign(0);
    pub const NON_NEGATIVE: Sign = Sign(1);
    pub const NON_POSITIVE: Sign = Sign(2);
    pub const NON_ZERO: Sign = Sign(4);
    pub const POSITIVE: Sign = Sign(1 | 4);
    pub const NEGATIVE: Sign = Sign(2 | 4);

    pub fn has(self, facts: Sign) -> bool {
        self.0 & facts.0 == facts.0
    }

    pub fn and(self, facts: Sign) -> Sign {
        Sign(self.0 | facts.0)
    }

    /// What both say.
    pub fn only(self, facts: Sign) -> Sign {
        Sign(self.0 & facts.0)
    }

    /// True of a number of this sign; false of NaN, unless nothing is said.
    pub fn holds_of(self, x: f64) -> bool {
        (!self.has(Sign::NON_NEGATIVE) || x >= 0.0)
            && (!self.has(Sign::NON_POSITIVE) || x <= 0.0)
            && (!self.has(Sign::NON_ZERO) || x < 0.0 || x > 0.0)
    }

    /// The sign of the negated value.
    pub(super) fn flipped(self) -> Sign {
        Sign((self.0 & 1) << 1 | (self.0 & 2) >> 1 | self.0 & 4)
    }

    pub(super) fn of(number: &Number) -> Sign {
        match (number.is_zero(), number.is_negative()) {
            (true, _) => Sign::NON_NEGATIVE.and(Sign::NON_POSITIVE),
            (false, true) => Sign::NEGATIVE,
            (false, false) => Sign::POSITIVE,
        }
    }

    /// The sign of all numbers in an interval that is not empty.
    pub(super) fn of_all(values: Interval) -> Sign {
        let rows = [
            (Interval::NON_NEGATIVE, Sign::NON_NEGATIVE),
            (Interval::NON_POSITIVE, Sign::NON_POSITIVE),
            (Interval::POSITIVE, Sign::POSITIVE),
            (Interval::NEGATIVE, Sign::NEGATIVE),
        ];
        let said = rows.into_iter().filter(|(set, _)| values.is_in(*set));
        said.fold(Sign::UNKNOWN, |all, (_, sign)| all.and(sign))
    }

    /// All numbers of this sign; those that are only not zero are no interval.
    pub(super) fn numbers(self) -> Interval {
        let rows = [
            (Sign::NON_NEGATIVE, Interval::NON_NEGATIVE),
            (Sign::NON_POSITIVE, Interval::NON_POSITIVE),
            (Sign::POSITIVE, Interval::POSITIVE),
            (Sign::NEGATIVE, Interval::NEGATIVE),
        ];
        let said = rows.into_iter().filter(|(sign, _)| self.has(*sign));
        said.fold(Interval::ALL, |all, (_, set)| all.meet(set))
    }

    pub(super) fn times(self, other: Sign) -> Sign {
        let known = |s: Sign| s.has(Sign::NON_NEGATIVE) || s.has(Sign::NON_POSITIVE);
        let mut product = Sign::UNKNOWN;
        if known(self) && known(other) {
            let same = self.has(Sign::NON_NEGATIVE) == other.has(Sign::NON_NEGATIVE);
            product = if same { Sign::NON_NEGATIVE } else { Sign::NON_POSITIVE };
        }
        product.and(Sign(self.0 & other.0 & Sign::NON_ZERO.0))
    }

    pub(super) fn plus(self, other: Sign) -> Sign {
        let shared = self.only(other).only(Sign(3));
        let strict = shared != Sign::UNKNOWN && (self.has(Sign::NON_ZERO) || other.has(Sign::NON_ZERO));
        if strict { shared.and(Sign::NON_ZERO) } else { shared }
    }
}
