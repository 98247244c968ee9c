//! Products as people write them: the sign in front, one numerator, one denominator.
//!
//! `1/2*x` is `x/2`, `(-x)*y` is `-x*y`, `y*x^-2` is `y/x^2`. Signs move freely in IEEE
//! arithmetic; bringing a coefficient or a negative power under the bar may round differently.
//! Quotients inside a product stay as they are: `a*(b/c)` may be finite where `a*b/c` is not.

use super::form::{Form, Part, Scope, Sign, Times};
use super::number::{Written, split};
use super::share::{operands, reciprocal};
use super::tensor::has_name;
use crate::ir::{Elementwise, Id, Number, Op};

/// Whether the outermost division is taken apart or stands as one factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quotients {
    Opened,
    Kept,
}

/// Factors above and below the bar, in order of appearance.
#[derive(Debug)]
pub struct Factors {
    sign: Sign,
    over: Vec<Part>,
    under: Vec<Part>,
    /// Denominators of the coefficients.
    divisor: Number,
    times: Times,
    /// Factors above the bar that are no numbers.
    others: usize,
}

/// The factors of `root`, whose own name, if it has one, does not count.
pub fn gather(scope: &Scope, root: Id, quotients: Quotients) -> Factors {
    let mut found = Factors::none(scope, root);
    let mut quotients = quotients;
    let mut work = vec![root];
    while let Some(id) = work.pop() {
        if id != root && (scope.is_name(id) || has_name(scope.graph, id)) {
            found.factor(id);
            continue;
        }
        let of = operands(scope.graph, id);
        match scope.graph.op(id) {
            Op::Constant(c) => found.number(scope.graph.number(c)),
            Op::Elementwise(Elementwise::Neg) => {
                found.sign = found.sign.flip();
                work.push(of[0]);
            }
            Op::Elementwise(Elementwise::Mul) => work.extend([of[1], of[0]]),
            Op::Elementwise(Elementwise::Div)
                if quotients == Quotients::Opened && work.is_empty() && found.others == 0 =>
            {
                quotients = Quotients::Kept;
                found.divide(scope, of[1]);
                work.push(of[0]);
            }
            _ => match reciprocal(scope.graph, id) {
                Some((base, exponent)) => found.under(base, exponent),
                None => found.factor(id),
            },
        }
    }
    found
}

impl Factors {
    fn none(scope: &Scope, root: Id) -> Factors {
        let times = if scope.graph.is_scalar(root) { Times::Scalars } else { Times::Elements };
        let (over, under, divisor) = (Vec::new(), Vec::new(), Number::integer(1));
        Factors { sign: Sign::Plus, over, under, divisor, times, others: 0 }
    }

    fn factor(&mut self, id: Id) {
        self.others += 1;
        self.over.push(Part::Node(id));
    }

    fn number(&mut self, value: &Number) {
        if value.is_negative() {
            self.sign = self.sign.flip();
        }
        let value = value.absolute();
        match Written::of(&value) {
            Written::Numeral(_) => self.over.push(Part::Number(value)),
            Written::Fraction(..) => {
                let (over, under) = split(&value);
                if !over.is_one() {
                    self.over.push(Part::Number(over));
                }
                self.divisor = self.divisor.mul(&under);
            }
        }
    }

    fn under(&mut self, base: Id, exponent: Number) {
        self.under.push(match exponent.is_one() {
            true => Part::Node(base),
            false => Form::Power(Part::Node(base), Part::Number(exponent)).into(),
        });
    }

    /// Divides by a node: by its factors when they are all above their bar.
    fn divide(&mut self, scope: &Scope, id: Id) {
        if !scope.is_name(id) {
            let below = gather(scope, id, Quotients::Kept);
            if below.under.is_empty() && below.divisor.is_one() {
                self.sign = self.sign.times(below.sign);
                self.under.extend(below.over);
                return;
            }
        }
        self.under.push(Part::Node(id));
    }

    /// The sign, and what it stands before.
    pub fn finish(mut self) -> (Sign, Part) {
        if !self.divisor.is_one() {
            match self.under.first_mut() {
                Some(Part::Number(n)) if n.is_integer() => *n = n.mul(&self.divisor),
                _ => self.under.insert(0, Part::Number(self.divisor)),
            }
        }
        let over = joined(self.times, self.over);
        let part = match self.under.is_empty() {
            true => over,
            false => Form::Quotient(over, joined(self.times, self.under)).into(),
        };
        (self.sign, part)
    }
}

fn joined(times: Times, mut factors: Vec<Part>) -> Part {
    match factors.len() {
        0 => Part::Number(Number::integer(1)),
        1 => factors.remove(0),
        _ => Form::Product(times, factors).into(),
    }
}
