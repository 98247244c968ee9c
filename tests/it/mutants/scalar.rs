//! A number whose arithmetic goes wrong at one place: a seeded fault in whatever is computed with it.
//!
//! Partials are written over any scalar; computed with this one, the operation with a given number
//! is done wrongly in a given way, and all others are done right.

use std::cell::Cell;
use std::ops::{Add, Div, Mul, Neg, Sub};
use symdiff::elementary::Plain;
use symdiff::ir::{Elementwise, Real, Scalar};

#[derive(Clone, Copy, Debug)]
pub struct Faulty(pub f64);

/// What is done wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The first operand stands for the result.
    First,
    /// The result has the other sign.
    Sign,
    /// The op is exchanged for its counterpart: sum for difference, product for quotient.
    Other,
    /// A literal, an exponent or a result is off by one part in a thousand or by one.
    Off,
    /// The branches of a selection are exchanged.
    Exchanged,
    /// `<` for `<=` and the other way round; equal numbers count as different.
    Relation,
}

const CHANGES: [Change; 6] =
    [Change::First, Change::Sign, Change::Other, Change::Off, Change::Exchanged, Change::Relation];

/// Which operation goes wrong: of the partial by operand `.1`, that with number `.0`.
pub type Site = (usize, usize);

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
    static FAULT: Cell<(usize, Change)> = const { Cell::new((usize::MAX, Change::First)) };
    static APPLIES: Cell<bool> = const { Cell::new(false) };
}

/// The change to be made at this operation, if it is the one.
fn change(possible: &[Change]) -> Option<Change> {
    let at = COUNT.replace(COUNT.get() + 1);
    let (site, change) = FAULT.get();
    let applies = at == site && possible.contains(&change);
    if applies {
        APPLIES.set(true);
    }
    applies.then_some(change)
}

/// Partial `i`, with a change at a site.
pub fn partial(op: Elementwise, i: usize, x: &[f64], y: f64, site: Site, change: Change) -> Option<f64> {
    COUNT.set(0);
    FAULT.set((if site.1 == i { site.0 } else { usize::MAX }, change));
    let operands: Vec<Faulty> = x.iter().map(|&v| Faulty(v)).collect();
    op.partial(i, &operands, Faulty(y)).map(|p| p.0)
}

/// Every place and way in which the partials of an op can go wrong.
pub fn sites(op: Elementwise) -> Vec<(Site, Change)> {
    let mut all = Vec::new();
    let x: Vec<f64> = (0..op.arity()).map(|i| 0.3 + i as f64).collect();
    for i in 0..op.arity() {
        partial(op, i, &x, 0.5, (usize::MAX, i), Change::First);
        for at in 0..COUNT.get() {
            for change in CHANGES {
                APPLIES.set(false);
                partial(op, i, &x, 0.5, (at, i), change);
                if APPLIES.get() {
                    all.push(((at, i), change));
                }
            }
        }
    }
    all
}

fn step(op: Elementwise, operands: &[Faulty]) -> Faulty {
    let values: Vec<f64> = operands.iter().map(|v| v.0).collect();
    let right = op.value(&mut Plain, &values);
    Faulty(match change(&[Change::Sign, Change::Off]) {
        Some(Change::Sign) => -right,
        Some(_) => right * 1.001,
        None => right,
    })
}

impl Neg for Faulty {
    type Output = Faulty;
    fn neg(self) -> Faulty {
        Faulty(change(&[Change::First]).map_or(-self.0, |_| self.0))
    }
}

macro_rules! arithmetic {
    ($($trait:ident $name:ident $sign:tt $other:tt;)*) => { $(
        impl $trait for Faulty {
            type Output = Faulty;
            fn $name(self, with: Faulty) -> Faulty {
                Faulty(match change(&[Change::First, Change::Other]) {
                    Some(Change::First) => self.0,
                    Some(_) => self.0 $other with.0,
                    None => self.0 $sign with.0,
                })
            }
        }
    )* };
}

arithmetic! {
    Add add + -;
    Sub sub - +;
    Mul mul * /;
    Div div / *;
}

fn choose(holds: bool, turned: bool, then: Faulty, otherwise: Faulty) -> Faulty {
    let holds = match change(&[Change::Exchanged, Change::Relation]) {
        Some(Change::Exchanged) => !holds,
        Some(_) => turned,
        None => holds,
    };
    if holds { then } else { otherwise }
}

impl Scalar for Faulty {
    fn lit(self, value: i64) -> Faulty {
        Faulty(value as f64 + f64::from(u8::from(change(&[Change::Off]).is_some())))
    }

    fn if_less(self, other: Faulty, then: Faulty, otherwise: Faulty) -> Faulty {
        choose(self.0 < other.0, self.0 <= other.0, then, otherwise)
    }

    fn if_less_equal(self, other: Faulty, then: Faulty, otherwise: Faulty) -> Faulty {
        choose(self.0 <= other.0, self.0 < other.0, then, otherwise)
    }

    fn if_equal(self, other: Faulty, then: Faulty, otherwise: Faulty) -> Faulty {
        choose(self.0 == other.0, false, then, otherwise)
    }

    fn powi(self, n: i64) -> Faulty {
        let n = n + i64::from(change(&[Change::Off]).is_some());
        Faulty(Elementwise::Pow.value(&mut Plain, &[self.0, n as f64]))
    }
}

macro_rules! by_table {
    ($($name:ident $op:ident ($($rest:ident),*);)*) => {
        impl Real for Faulty {
            fn pi(self) -> Faulty {
                step(Elementwise::Pi, &[])
            }
            $(fn $name(self $(, $rest: Faulty)*) -> Faulty {
                step(Elementwise::$op, &[self $(, $rest)*])
            })*
        }
    };
}

by_table! {
    neg Neg (); add Add (b); sub Sub (b); mul Mul (b); div Div (b); fma Fma (b, c); pow Pow (b);
    sqrt Sqrt (); cbrt Cbrt (); hypot Hypot (b); exp Exp (); exp2 Exp2 (); expm1 Expm1 (); log Log ();
    log1p Log1p (); log2 Log2 (); log10 Log10 (); log1mexp Log1mexp (); sin Sin (); cos Cos (); tan Tan ();
    sinpi Sinpi (); cospi Cospi ();
    sec Sec (); csc Csc (); cot Cot (); asin Asin (); acos Acos (); atan Atan (); atan2 Atan2 (b);
    sinh Sinh (); cosh Cosh (); tanh Tanh (); sech Sech (); csch Csch (); coth Coth (); asinh Asinh ();
    acosh Acosh (); atanh Atanh (); erf Erf (); erfc Erfc (); gamma Gamma (); lgamma Lgamma ();
    digamma Digamma (); polygamma Polygamma (b); abs Abs (); sign Sign (); floor Floor (); ceil Ceil ();
    round Round (); min Min (b); max Max (b); relu Relu (); sigmoid Sigmoid (); log_sigmoid LogSigmoid ();
    softplus Softplus (); logaddexp LogAddExp (b);
}
