//! Shared powers, products and quotients opened where part of them meets its inverse, for results
//! that a machine computes: `x^99/x^100` overflows where `1/x` does not, and `u/x` of a shared
//! `u = x*y` is `y`.
//!
//! What must stay true: a quotient is not turned upside down unless its denominator is known not to
//! be 0, and nothing is opened that does not cancel, as it may be 0.

use super::product::{Base, Exponent, Gather, Group};
use super::sum::SEARCHED;
use super::{Purpose, Simplifier};
use crate::ir::{Elementwise, Id, Number, Op};
use smallvec::{SmallVec, smallvec};

/// Whole powers of nodes.
type Parts = SmallVec<[(Id, Number); 4]>;

impl Simplifier<'_> {
    /// Opens what meets inverses of its parts, if they cancel. Powers come first: `x^50/x^49` is `x` before
    /// anything else meets the one or the other.
    pub fn open_inverses(&mut self, gather: &mut Gather) {
        if self.purpose != Purpose::Compute || gather.groups.len() > SEARCHED {
            return;
        }
        let given = gather.groups.len();
        for powers in [true, false] {
            for k in 0..given {
                let group = &gather.groups[k];
                if self.is_power(group) != powers {
                    continue;
                }
                let Some(parts) = self.parts(group).filter(|parts| self.is_opened(gather, parts)) else {
                    continue;
                };
                gather.groups[k].exponents.clear();
                for (base, exponent) in parts {
                    self.push_factor(gather, base, &exponent, false);
                }
            }
        }
        gather.groups.retain(|g| !g.exponents.is_empty());
    }

    fn is_power(&self, group: &Group) -> bool {
        matches!(group.base, Base::Node(node) if self.graph.op(node) == Op::Elementwise(Elementwise::Pow))
    }

    /// Of what a group is made, if it is more than one part.
    fn parts(&self, group: &Group) -> Option<Parts> {
        let (Base::Node(node), [Exponent::Number(times)]) = (group.base, group.exponents.as_slice()) else {
            return None;
        };
        let graph = &*self.graph;
        let mut parts = Parts::new();
        let mut pending: Parts = smallvec![(node, times.clone())];
        while let Some((x, times)) = pending.pop() {
            let operand = |i: usize| graph.operand(x, i);
            match graph.op(x) {
                _ if !times.is_integer() || parts.len() + pending.len() > SEARCHED => return None,
                Op::Elementwise(Elementwise::Pow) => match graph.constant(operand(1)) {
                    Some(n) if n.is_integer() => parts.push((operand(0), n.mul(&times))),
                    _ => parts.push((x, times)),
                },
                Op::Elementwise(Elementwise::Mul) => {
                    pending.extend([(operand(0), times.clone()), (operand(1), times)]);
                }
                Op::Elementwise(Elementwise::Div)
                    if !times.is_negative() || self.facts().is_non_zero(graph, operand(1)) =>
                {
                    let below = times.negate();
                    pending.extend([(operand(0), times), (operand(1), below)]);
                }
                _ => parts.push((x, times)),
            }
        }
        (parts.first()?.0 != node).then_some(parts)
    }

    /// True where some parts meet their inverses and no more than one is left: products of several that were
    /// divided one by one could leave the range.
    fn is_opened(&self, gather: &Gather, parts: &Parts) -> bool {
        let (cancelled, left): (Vec<_>, Vec<_>) = parts.iter().partition(|part| self.cancels(gather, part));
        let is_number = |part: &&&(Id, Number)| self.graph.constant(part.0).is_some();
        !cancelled.is_empty() && left.iter().filter(|part| !is_number(part)).count() <= 1
    }

    /// True where the base of a part has, among what is gathered, a power of the opposite sign that it
    /// cancels.
    fn cancels(&self, gather: &Gather, (base, exponent): &(Id, Number)) -> bool {
        let Some(other) = gather.groups.iter().find(|g| g.base == Base::Node(*base)) else { return false };
        let whole = |e: &Exponent| e.number().filter(|n| n.is_integer()).cloned();
        let Some(mut each) = other.exponents.iter().map(whole).collect::<Option<Vec<_>>>() else {
            return false;
        };
        let sum = |each: &[Number]| each.iter().fold(Number::integer(0), |sum, n| sum.add(n));
        let total = sum(&each);
        each.push(exponent.clone());
        !total.is_zero()
            && total.is_negative() != exponent.is_negative()
            && self.keeps_domain(*base, &each, &sum(&each))
    }
}
