//! What the e-graph knows beside [`RULES`]: identities of structure, which only a search can use,
//! for each makes an expression larger before another one makes it smaller.
//!
//! Rows are text in our own language, as in the list, and hold in both directions of reading: no
//! side is defined where the other is not. Order and grouping are the e-graph's own business: two
//! terms stand for any two of many, and a last letter for all that is left.

use super::super::rules::{Purpose, RULES, Rule, Soundness, Stage};
use super::rewrite::Rewrite;
use Purpose::Read;
use Soundness::{Exactly, Given, OverReals};
use std::sync::OnceLock;

const fn row(name: &'static str, left: &'static str, right: &'static str, soundness: Soundness) -> Rule {
    Rule { name, left, right, soundness, purpose: None, stage: Stage::Any }
}

/// Rows whose right side has worse derivatives.
const fn row_last(name: &'static str, left: &'static str, right: &'static str, soundness: Soundness) -> Rule {
    Rule { name, left, right, soundness, purpose: None, stage: Stage::Last }
}

/// Rows whose right side computes worse (it cancels, overflows earlier, or rounds an argument that a
/// function magnifies), or takes functions apart that kernels compute whole.
const fn to_read(name: &'static str, left: &'static str, right: &'static str, soundness: Soundness) -> Rule {
    Rule { name, left, right, soundness, purpose: Some(Read), stage: Stage::Any }
}

/// All structural identities.
#[rustfmt::skip]
pub const STRUCTURE: &[Rule] = &[
//       name                     left                                 right                           soundness
    // Distribution. A quotient is a product here: a/c + b/c = (a + b)/c is the first row.
    row("factor-out",             "a*b + a*c",                         "a*(b + c)",                    OverReals),
    to_read("distribute",         "a*(b + c)",                         "a*b + a*c",                    OverReals),
    to_read("common-denominator", "a/b + c/d",                         "(a*d + b*c)/(b*d)",            OverReals),
    // Squares.
    row("square-of-sum",          "x^2 + y^2 + 2*x*y",                 "(x + y)^2",                    OverReals),
    row("square-of-difference",   "x^2 + y^2 - 2*x*y",                 "(x - y)^2",                    OverReals),
    to_read("expand-square",      "(x + y)^2",                         "x^2 + 2*x*y + y^2",            OverReals),
    // The slope of the product, (x + y) + (x - y), cancels.
    row_last("difference-of-squares", "x^2 - y^2",                       "(x - y)*(x + y)",              OverReals),
    to_read("sum-times-difference", "(x - y)*(x + y)",                   "x^2 - y^2",                    OverReals),
    // Exponentials, logarithms and roots.
    row("exp-times",              "exp(x)*exp(y)",                     "exp(x + y)",                   OverReals),
    row("exp-square",             "exp(x)^2",                          "exp(2*x)",                     OverReals),
    row("exp-inverse",            "1/exp(x)",                          "exp(-x)",                      OverReals),
    to_read("log-plus-log",       "log(x) + log(y)",                   "log(x*y)",                     Given("x > 0")),
    to_read("log-minus-log",      "log(x) - log(y)",                   "log(x/y)",                     Given("x > 0")),
    to_read("sqrt-times-sqrt",    "sqrt(x)*sqrt(y)",                   "sqrt(x*y)",                    Given("x > 0")),
    row("sqrt-square",            "sqrt(x)^2",                         "x",                            Given("x >= 0")),
    // Trigonometry: sums of angles, double angles, and back to one function.
    to_read("sin-of-sum",         "sin(x)*cos(y) + cos(x)*sin(y)",     "sin(x + y)",                   OverReals),
    to_read("sin-of-difference",  "sin(x)*cos(y) - cos(x)*sin(y)",     "sin(x - y)",                   OverReals),
    to_read("cos-of-sum",         "cos(x)*cos(y) - sin(x)*sin(y)",     "cos(x + y)",                   OverReals),
    to_read("cos-of-difference",  "cos(x)*cos(y) + sin(x)*sin(y)",     "cos(x - y)",                   OverReals),
    row("sin-of-double",          "sin(x)*cos(x)",                     "sin(2*x)/2",                   OverReals),
    row("cos-of-double",          "cos(x)^2 - sin(x)^2",               "cos(2*x)",                     OverReals),
    row("cos-of-double-by-sin",   "1 - 2*sin(x)^2",                    "cos(2*x)",                     OverReals),
    row("cos-of-double-by-cos",   "2*cos(x)^2 - 1",                    "cos(2*x)",                     OverReals),
    to_read("sin-square",         "sin(x)^2",                          "1 - cos(x)^2",                 OverReals),
    to_read("cos-square",         "cos(x)^2",                          "1 - sin(x)^2",                 OverReals),
    // Hyperbolic functions and sigmoid.
    to_read("sinh-of-sum",        "sinh(x)*cosh(y) + cosh(x)*sinh(y)", "sinh(x + y)",                  OverReals),
    to_read("cosh-of-sum",        "cosh(x)*cosh(y) + sinh(x)*sinh(y)", "cosh(x + y)",                  OverReals),
    to_read("sinh-of-double",     "sinh(x)*cosh(x)",                   "sinh(2*x)/2",                  OverReals),
    row("cosh-of-double",         "cosh(x)^2 + sinh(x)^2",             "cosh(2*x)",                    OverReals),
    to_read("cosh-square",        "cosh(x)^2",                         "1 + sinh(x)^2",                OverReals),
    row("exp-from-hyperbolic",    "cosh(x) + sinh(x)",                 "exp(x)",                       OverReals),
    row("exp-minus-hyperbolic",   "cosh(x) - sinh(x)",                 "exp(-x)",                      OverReals),
    row("sigmoid-complement",     "sigmoid(x) + sigmoid(-x)",          "1",                            OverReals),
    row("tanh-from-sigmoid",      "2*sigmoid(x) - 1",                  "tanh(x/2)",                    OverReals),
    // Larger and smaller.
    row("max-plus-min",           "max(x, y) + min(x, y)",             "x + y",                        Exactly),
    row("max-times-min",          "max(x, y)*min(x, y)",               "x*y",                          Exactly),
    row("max-minus-min",          "max(x, y) - min(x, y)",             "abs(x - y)",                   Exactly),
    row("abs-times-abs",          "abs(x)*abs(y)",                     "abs(x*y)",                     Exactly),
];

/// Both lists, compiled, as far as a purpose wants them at a stage.
pub fn rewrites(purpose: Purpose, stage: Stage) -> impl Iterator<Item = &'static Rewrite> {
    static REWRITES: OnceLock<Vec<(&Rule, Rewrite)>> = OnceLock::new();
    let all = REWRITES.get_or_init(|| {
        let compile = |rule: &'static Rule| {
            (rule, Rewrite::new(rule).unwrap_or_else(|e| panic!("rule {}: {e}", rule.name)))
        };
        // Signs are known of classes, their order is not.
        let is_order = |rule: &&Rule| matches!(rule.soundness, Given(text) if !text.ends_with(" 0"));
        RULES.iter().chain(STRUCTURE).filter(|rule| !is_order(rule)).map(compile).collect()
    });
    all.iter().filter(move |(rule, _)| rule.is_wanted(purpose, stage)).map(|(_, rewrite)| rewrite)
}
