//! What is measured for stability: one row a function, as its users write it.

#![allow(dead_code, reason = "the page, the tests and the scoreboard use different parts")]

/// What numbers an argument is drawn from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Draw {
    /// All floats: bit patterns, every exponent, zeros, subnormals, the largest, infinities, and the
    /// neighbourhoods of thresholds.
    Any,
    /// Probabilities: 0, 1, and every distance from them.
    Unit,
    /// 0 or 1.
    Class,
    /// All floats above 0.
    Positive,
    /// 2, 3, … 12.
    Whole,
    /// All floats whose square, or cube, is in range.
    Squared,
    Cubed,
    /// Probabilities, from a millionth on.
    Share,
    /// All floats whose exponential is in range.
    Exponent,
    /// From a quarter of that range.
    Middle,
    /// Whole and broken angles: multiples of a quarter.
    Degrees,
}

/// What kind of function a row is, in the order of the page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Activation,
    Loss,
    Written,
}

/// One function.
pub struct Row {
    pub kind: Kind,
    pub text: &'static str,
    pub draws: &'static [Draw],
    /// The bounds on value, first and second derivatives, in ulp.
    pub bounds: [f64; 3],
    /// Why a bound is not the usual one.
    pub note: &'static str,
}

use Draw::{Any, Class, Cubed, Degrees, Exponent, Middle, Positive, Share, Squared, Unit, Whole};
use Kind::{Activation, Loss, Written};

/// What every row without a reason of its own keeps.
const USUAL: [f64; 3] = [4.0, 8.0, 8.0];

/// A row with bounds of its own, and the reason.
const fn bounded(
    kind: Kind,
    text: &'static str,
    draws: &'static [Draw],
    bounds: [f64; 3],
    note: &'static str,
) -> Row {
    Row { kind, text, draws, bounds, note }
}

/// Second derivatives that pass through 0 where an exponential inside is rounded.
const AT_A_ZERO: [f64; 3] = [4.0, 8.0, 4096.0];
const CANCELS: &str = "the second derivative's terms cancel at its zero";

/// Second derivatives of roots of sums with a square.
const SLOPE_OF_ROOT: &str = "the second derivative is 1/r - x^2/r^3, which cancels";

const fn row(kind: Kind, text: &'static str, draws: &'static [Draw]) -> Row {
    Row { kind, text, draws, bounds: USUAL, note: "" }
}

#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row(Activation, "sigmoid(x)",                       &[Any]),
    row(Activation, "log_sigmoid(x)",                   &[Any]),
    row(Activation, "tanh(x)",                          &[Any]),
    row(Activation, "softplus(x)",                      &[Any]),
    row(Activation, "relu(x)",                          &[Any]),
    row(Activation, "leaky_relu(x)",                    &[Any]),
    row(Activation, "elu(x)",                           &[Any]),
    row(Activation, "1.0507009873554805*if(x > 0, x, 1.6732632423543772*expm1(x))", &[Any]),
    row(Activation, "gelu(x)",                          &[Any]),
    row(Activation, "x*sigmoid(1.702*x)",               &[Any]),
    row(Activation, "x/2*(1 + erf(x/sqrt(2)))",         &[Any]),
    row(Activation, "x/2*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x^3)))", &[Any]),
    row(Activation, "silu(x)",                          &[Any]),
    row(Activation, "mish(x)",                          &[Any]),
    row(Activation, "softsign(x)",                      &[Any]),
    row(Activation, "min(max(x, 0), 6)",                &[Any]),
    row(Activation, "min(max(x/6 + 1/2, 0), 1)",        &[Any]),
    row(Activation, "x*min(max(x/6 + 1/2, 0), 1)",      &[Any]),
    row(Activation, "clamp(x, -1, 1)",                  &[Any]),
    row(Activation, "x - tanh(x)",                      &[Any]),
    row(Activation, "atan(x)",                          &[Any]),
    row(Activation, "x/sqrt(1 + x^2)",                  &[Any]),
    row(Activation, "(sqrt(x^2 + 1) - 1)/2 + x",        &[Any]),
    row(Activation, "exp(-x^2)",                        &[Any]),

    row(Loss, "(p - y)^2",                              &[Any, Any]),
    row(Loss, "abs(p - y)",                             &[Any, Any]),
    row(Loss, "huber(p - y)",                           &[Any, Any]),
    row(Loss, "log(cosh(p - y))",                       &[Any, Any]),
    row(Loss, "-(y*log(p) + (1 - y)*log(1 - p))",       &[Class, Unit]),
    row(Loss, "softplus(z) - y*z",                      &[Any, Class]),
    row(Loss, "-(y*log(sigmoid(z)) + (1 - y)*log(1 - sigmoid(z)))", &[Class, Any]),
    row(Loss, "logsumexp(a, b) - a",                    &[Any, Any]),
    row(Loss, "-log(exp(a)/(exp(a) + exp(b)))",         &[Any, Any]),
    row(Loss, "logsumexp(a, b, c) - b",                 &[Any, Any, Any]),
    bounded(Loss, "if(p > 0, p*log(p/q), 0)", &[Share, Share], USUAL, "p and q not tiny: p/q may overflow where log(p/q) does not"),
    row(Loss, "hinge(z)",                               &[Any]),
    row(Loss, "hinge(z)^2",                             &[Any]),
    row(Loss, "-(1 - p)^2*log(p)",                      &[Unit]),
    row(Loss, "-(1 - sigmoid(z))^2*log(sigmoid(z))", &[Any]),
    row(Loss, "1 - exp(-z^2/2)",                        &[Any]),
    row(Loss, "z^2/(1 + z^2)",                          &[Any]),
    row(Loss, "exp(q) - y*q",                           &[Any, Class]),

    row(Written, "log(1 + exp(x))",                     &[Any]),
    row(Written, "log(1 - exp(x))",                     &[Any]),
    row(Written, "log(sigmoid(x))",                     &[Any]),
    row(Written, "log(1/(1 + exp(-x)))",                &[Any]),
    row(Written, "1/(1 + exp(-x))",                     &[Any]),
    row(Written, "exp(x)/(1 + exp(x))",                 &[Any]),
    row(Written, "(exp(x) - exp(-x))/(exp(x) + exp(-x))", &[Any]),
    row(Written, "1 - tanh(x)^2",                       &[Any]),
    row(Written, "1 - sigmoid(x)",                      &[Any]),
    row(Written, "log(exp(a) + exp(b))",                &[Any, Any]),
    row(Written, "exp(a)/(exp(a) + exp(b))",            &[Any, Any]),
    row(Written, "exp(x) - 1",                          &[Any]),
    row(Written, "log(1 + x)",                          &[Any]),
    bounded(Written, "x/(exp(x) - 1)", &[Exponent], USUAL, "exponentials in range"),
    bounded(Written, "(exp(x) - 1)/x", &[Exponent], USUAL, "exponentials in range"),
    bounded(Written, "log(x)/(x - 1)", &[Any], [4.0, 8.0, 24.0], "as for tanh(x)/x"),
    bounded(Written, "log(1 + x)/x", &[Cubed], [4.0, 8.0, 24.0], "as for tanh(x)/x"),
    row(Written, "(1 - cos(x))/x^2", &[Squared]),
    row(Written, "(1 - cos(x))/x", &[Squared]),
    row(Written, "1/tanh(x) - 1/x",                     &[Any]),
    row(Written, "1/x - 1/sin(x)",                      &[Any]),
    bounded(Written, "(x - sin(x))/x^3", &[Cubed], [4.0, 8.0, 16.0], "x^3 in range; where the second derivative nears its zero at 2*pi no form keeps all digits"),
    row(Written, "cos(x) - 1",                          &[Any]),
    row(Written, "sin(x)/x", &[Any]),
    bounded(Written, "tanh(x)/x", &[Any], [4.0, 8.0, 40.0], "the polynomial of the second derivative magnifies the rounding of its variable"),
    row(Written, "sqrt(x^2 + y^2)",                     &[Any, Any]),
    row(Written, "sqrt(x*x + y*y)",                     &[Any, Any]),
    bounded(Written, "sqrt(x^2 + y^2 + z^2)", &[Squared, Squared, Squared], [4.0, 8.0, f64::INFINITY], "squares in range; the second derivative is 1/r - x^2/r^3, which cancels where y and z are small"),
    row(Written, "x/sqrt(x^2 + y^2)",                   &[Any, Any]),
    row(Written, "sqrt(x^2)",                           &[Any]),
    row(Written, "sqrt(x + 1) - sqrt(x)",               &[Any]),
    row(Written, "sqrt(1 + x^2) - 1",                   &[Any]),
    row(Written, "sqrt(1 + x) - 1",                     &[Any]),
    row(Written, "a^2 - b^2",                           &[Any, Any]),
    bounded(Written, "1/x - 1/(x + 1)", &[Cubed], [4.0, 8.0, f64::INFINITY], "x^3 in range; the second derivative's terms vanish before it"),
    row(Written, "x*log(x)",                            &[Any]),
    bounded(Written, "(1 + x)^n - 1", &[Unit, Whole], [f64::INFINITY, 16.0, 16.0], "1 + x is rounded: expm1(n*log1p(x)) is not the same for x < -1"),
    row(Written, "(1 + x)^3 - 1",                       &[Any]),
    bounded(Written, "sin(a + b) - sin(a)", &[Middle, Middle], [512.0, 16.0, 512.0], "angles of moderate size; near its zeros two products cancel"),
    row(Written, "exp(x) - exp(-x)",                    &[Any]),
    bounded(Written, "exp(a) - exp(b)", &[Exponent, Exponent], USUAL, "exponentials in range"),
    row(Written, "log(x + sqrt(x^2 + 1))",              &[Any]),
    row(Written, "log(x + sqrt(x^2 - 1))",              &[Any]),
    row(Written, "log((1 + x)/(1 - x))/2",              &[Any]),
    bounded(Written, "log(x) - log(y)", &[Positive, Positive], [f64::INFINITY, 8.0, 8.0], "the logarithms are rounded: log(x/y) is not the same for x, y < 0"),
    row(Written, "log(p/(1 - p))",                      &[Unit]),
    row(Written, "a*b*c",                               &[Unit, Unit, Unit]),
    bounded(Written, "x^y", &[Share, Share], [4.0, 8.0, 1024.0], "y - 2 is rounded, and multiplied by log(x)"),
    row(Written, "1 - exp(-x)",                         &[Any]),
    row(Written, "(1 - exp(-x))/(1 + exp(-x))",         &[Any]),
    row(Written, "2/(1 + exp(-2*x)) - 1",               &[Any]),
    row(Written, "(exp(x) + exp(-x))/2",                &[Any]),
    row(Written, "exp(-exp(x))",                        &[Any]),
    row(Written, "1 - exp(-exp(x))",                    &[Any]),
    row(Written, "exp(x - exp(x))",                     &[Any]),
    bounded(Written, "tanh(exp(x))", &[Any], AT_A_ZERO, CANCELS),
    bounded(Written, "tanh(sinh(x))", &[Any], AT_A_ZERO, CANCELS),
    bounded(Written, "sigmoid(exp(x))", &[Any], AT_A_ZERO, CANCELS),
    row(Written, "erf(exp(x))",                         &[Any]),
    row(Written, "atan(exp(x))",                        &[Any]),
    row(Written, "atan(sinh(x))",                       &[Any]),
    row(Written, "atan(tanh(x/2))",                     &[Any]),
    row(Written, "log(tanh(x))",                        &[Any]),
    row(Written, "log(erf(x))",                         &[Any]),
    row(Written, "log(-log(x))",                        &[Any]),
    row(Written, "1/cosh(x)",                           &[Any]),
    bounded(Written, "1/cosh(x)^2", &[Any], [4.0, 8.0, 16.0], "the square doubles the error"),
    row(Written, "1/sinh(x)",                           &[Any]),
    row(Written, "x*exp(-x)",                           &[Any]),
    row(Written, "exp(-x^2/2)/sqrt(2*pi)",              &[Any]),
    row(Written, "log(1 + x^2)",                        &[Any]),
    row(Written, "1/(1 + x^2)",                         &[Any]),
    row(Written, "sin(pi*x)",                           &[Any]),
    row(Written, "cos(pi*x)",                           &[Any]),
    row(Written, "tan(pi*x)",                           &[Any]),
    row(Written, "sin(2*pi*x)",                         &[Any]),
    row(Written, "sin(pi*x/180)",                       &[Degrees]),
    row(Written, "cos(pi*x)",                           &[Degrees]),
    row(Written, "sin(pi*x)",                           &[Share]),
    row(Written, "cos(pi*x/180)",                       &[Degrees]),
    row(Written, "tan(pi*x/180)",                       &[Degrees]),
    bounded(Written, "x/(1 + x^2)", &[Any], [4.0, 8.0, 24.0], "the second derivative's terms cancel by a half"),
    row(Written, "1 - 1/x",                             &[Any]),
    row(Written, "1 - 1/x^2",                           &[Any]),
    row(Written, "asec(x)",                             &[Any]),
    row(Written, "acsc(x)",                             &[Any]),
    bounded(Written, "asech(x)", &[Share], USUAL, "of moderate size: 1/x^2 overflows where x is tiny"),
    row(Written, "acoth(x)",                            &[Any]),
    row(Written, "sqrt(1 - v^2/c^2)",                   &[Share, Share]),
    row(Written, "1/sqrt(1 - v^2/c^2)",                 &[Share, Share]),
    bounded(Written, "x - sqrt(x^2 - 1)", &[Squared], [4.0, 8.0, f64::INFINITY], SLOPE_OF_ROOT),
    bounded(Written, "sqrt(x^2 + 1) - x", &[Any], [4.0, 8.0, f64::INFINITY], SLOPE_OF_ROOT),
    bounded(Written, "(sqrt(b^2 + 4*c) - b)/2", &[Share, Share], [4.0, 8.0, f64::INFINITY], SLOPE_OF_ROOT),
    bounded(Written, "(sqrt(b^2 + 4*c) + b)/2", &[Share, Share], [4.0, 8.0, f64::INFINITY], SLOPE_OF_ROOT),
    bounded(Written, "v*s/(k + s)", &[Share, Share, Share], USUAL, "of moderate size"),
    bounded(Written, "x^3/(k^3 + x^3)", &[Share, Share], [4.0, 8.0, 16.0], "of moderate size; the second derivative's terms cancel by a third"),
];
