//! Scalar Rust functions a machine may call: what is not worth a straight line.
//!
//! What must stay true: the name, arity and value of each is one row of one table.

use super::{Plain, cos, gamma, huge, log_gamma, sin};

/// A pure function of doubles in plain Rust.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Foreign {
    /// Γ(x)
    Gamma,
    /// log |Γ(x)|
    LogGamma,
    /// ψ(x) = Γ′(x)/Γ(x)
    Digamma,
    /// ψ′(x)
    Trigamma,
    /// ψ⁽ⁿ⁾(x), arguments n and x
    Polygamma,
    /// sin x for |x| ≥ 2³² only
    HugeSin,
    /// cos x for |x| ≥ 2³² only
    HugeCos,
    /// tan x for |x| ≥ 2³² only
    HugeTan,
    /// sin x
    Sin,
    /// cos x
    Cos,
}

/// How to call one.
#[derive(Clone, Copy, Debug)]
pub enum Function {
    /// Of one argument.
    Unary(fn(f64) -> f64),
    /// Of two.
    Binary(fn(f64, f64) -> f64),
}

impl Foreign {
    /// Every one, for tables of symbols.
    #[rustfmt::skip]
    pub const ALL: [Foreign; 10] = [
        Foreign::Gamma, Foreign::LogGamma, Foreign::Digamma, Foreign::Trigamma,
        Foreign::Polygamma, Foreign::HugeSin, Foreign::HugeCos, Foreign::HugeTan,
        Foreign::Sin, Foreign::Cos,
    ];

    /// The name, unique and fit for a symbol, and the function.
    #[rustfmt::skip]
    const fn row(self) -> (&'static str, Function) {
        match self {
            Foreign::Gamma     => ("gamma",     Function::Unary(log_gamma::gamma)),
            Foreign::LogGamma  => ("lgamma",    Function::Unary(log_gamma::lgamma)),
            Foreign::Digamma   => ("digamma",   Function::Unary(log_gamma::digamma)),
            Foreign::Trigamma  => ("trigamma",  Function::Unary(log_gamma::trigamma)),
            Foreign::Polygamma => ("polygamma", Function::Binary(gamma::polygamma_value)),
            Foreign::HugeSin   => ("huge_sin",  Function::Unary(huge::sin)),
            Foreign::HugeCos   => ("huge_cos",  Function::Unary(huge::cos)),
            Foreign::HugeTan   => ("huge_tan",  Function::Unary(huge::tan)),
            Foreign::Sin       => ("sin",       Function::Unary(|x| sin(&mut Plain, x))),
            Foreign::Cos       => ("cos",       Function::Unary(|x| cos(&mut Plain, x))),
        }
    }

    /// Its name, unique and fit for a symbol.
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// The function itself, for engines that call it by address.
    pub const fn function(self) -> Function {
        self.row().1
    }

    /// How many arguments it takes.
    pub const fn arity(self) -> usize {
        match self.function() {
            Function::Unary(_) => 1,
            Function::Binary(_) => 2,
        }
    }

    /// Its value.
    ///
    /// # Panics
    /// If `args` is not [`arity`](Self::arity) long, which is a fault of the machine.
    pub fn value(self, args: &[f64]) -> f64 {
        match (self.function(), args) {
            (Function::Unary(f), &[x]) => f(x),
            (Function::Binary(f), &[a, b]) => f(a, b),
            _ => panic!("{} takes {} arguments, not {}", self.name(), self.arity(), args.len()),
        }
    }
}
