//! THE rule list. Each row: name, what is matched, what replaces it, how far they are equal, and
//! when the rewrite is wanted. The list is text in our own language; the local pass, the e-graph
//! and the tests all read it from here.
//!
//! Letters stand for any expression. A left side is written in canonical form (as it prints).

use super::pattern::Pattern;
use crate::ir::Elementwise;
use std::sync::OnceLock;

/// How far both sides of a rule are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Soundness {
    /// The same bits for all inputs.
    Exactly,
    /// Equal wherever the left side is finite, up to rounding; undefined where it is undefined.
    OverReals,
    /// Equal where the condition holds, and applied only where it is known to.
    Given(&'static str),
}

/// When a rewrite is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// For results a person reads.
    Read,
    /// For results a machine computes: accuracy and range before looks.
    Compute,
    /// For results still on their way to either: only what serves both.
    Both,
}

/// One rewrite.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub name: &'static str,
    pub left: &'static str,
    pub right: &'static str,
    pub soundness: Soundness,
    /// `None`: always wanted.
    pub purpose: Option<Purpose>,
    pub stage: Stage,
}

impl Rule {
    /// Whether results of this purpose want the rewrite at this stage.
    pub fn is_wanted(&self, purpose: Purpose, stage: Stage) -> bool {
        self.purpose.is_none_or(|p| p == purpose) && [Stage::Any, stage].contains(&self.stage)
    }
}

/// Where on the way to a derivative a rewrite is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// Everywhere.
    Any,
    /// In functions that are about to be differentiated only.
    Before,
    /// Not there: what is still to be differentiated is better off as written.
    #[default]
    Last,
}

const fn rule(name: &'static str, left: &'static str, right: &'static str, soundness: Soundness) -> Rule {
    Rule { name, left, right, soundness, purpose: None, stage: Stage::Any }
}

const fn rule_for(
    purpose: Purpose,
    name: &'static str,
    left: &'static str,
    right: &'static str,
    soundness: Soundness,
) -> Rule {
    Rule { name, left, right, soundness, purpose: Some(purpose), stage: Stage::Any }
}

/// For results a machine computes, and only those.
const fn rule_last(
    name: &'static str,
    left: &'static str,
    right: &'static str,
    soundness: Soundness,
) -> Rule {
    Rule { name, left, right, soundness, purpose: Some(Compute), stage: Stage::Last }
}

/// For functions that are about to be differentiated for a machine.
const fn rule_before(
    name: &'static str,
    left: &'static str,
    right: &'static str,
    soundness: Soundness,
) -> Rule {
    Rule { name, left, right, soundness, purpose: Some(Compute), stage: Stage::Before }
}

use Purpose::{Compute, Read};
use Soundness::{Exactly, Given, OverReals};

/// All rules. Collection ([`super::sum`], [`super::product`]) does what is not listed: exact
/// arithmetic, like terms, powers of one base, signs.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
//       name                    left                          right                              soundness
    // Inverses of each other.
    rule("log-exp",              "log(exp(x))",                "x",                               OverReals),  // differs @ x = 800: the left is ∞
    rule("exp-log",              "exp(log(x))",                "x",                               Given("x > 0")),
    rule("exp-log-times",        "exp(a*log(x))",              "x^a",                             Given("x > 0")),
    rule("exp2-log2",            "exp2(log2(x))",              "x",                               Given("x > 0")),
    rule("log2-exp2",            "log2(exp2(x))",              "x",                               OverReals),
    rule("log-exp2",             "log(exp2(x))",               "x*log(2)",                        OverReals),  // finite @ x = 2000
    rule("log2-exp",             "log2(exp(x))",               "x/log(2)",                        OverReals),  // finite @ x = 2000
    rule("expm1-log1p",          "expm1(log1p(x))",            "x",                               Given("x >= 0")),
    rule("log1p-expm1",          "log1p(expm1(x))",            "x",                               OverReals),
    rule("log-power",            "log(x^a)",                   "a*log(x)",                        Given("x > 0")),
    rule("log-sqrt",             "log(sqrt(x))",               "log(x)/2",                        OverReals),
    rule("tan-atan",             "tan(atan(x))",               "x",                               OverReals),
    rule("sinh-asinh",           "sinh(asinh(x))",             "x",                               OverReals),
    rule("asinh-sinh",           "asinh(sinh(x))",             "x",                               OverReals),
    rule("atanh-tanh",           "atanh(tanh(x))",             "x",                               OverReals),  // differs @ x = 20: tanh rounds to 1
    rule("cbrt-cube",            "cbrt(x^3)",                  "x",                               OverReals),
    // Absolute values, signs, kinks.
    rule_for(Compute, "root-of-rectified", "sqrt(x + abs(x))",         "if(x < 0, 0, sqrt(2*x))",         OverReals),  // has a slope @ x = -1
    rule_for(Compute, "root-of-nothing", "sqrt(x - abs(x))",           "if(x < 0, sqrt(x), 0)",           OverReals),  // has a slope @ x = 1
    // What is 0 wherever it is defined: its root has no pole.
    rule("sqrt-of-zero",         "sqrt(0*x)",                  "0*x",                             Exactly),
    rule("cbrt-of-zero",         "cbrt(0*x)",                  "0*x",                             Exactly),
    rule("power-of-zero",        "(0*x)^a",                    "0*x",                             Given("a > 0")),
    rule("abs-abs",              "abs(abs(x))",                "abs(x)",                          Exactly),
    rule("abs-positive",         "abs(x)",                     "x",                               Given("x >= 0")),
    rule("abs-negative",         "abs(x)",                     "-x",                              Given("x <= 0")),
    rule("sign-positive",        "sign(x)",                    "1",                               Given("x > 0")),
    rule("sign-negative",        "sign(x)",                    "-1",                              Given("x < 0")),
    rule("sign-sign",            "sign(sign(x))",              "sign(x)",                         Exactly),
    rule("sign-abs",             "sign(x)*abs(x)",             "x",                               Exactly),
    rule("sign-times",           "x*sign(x)",                  "abs(x)",                          Exactly),
    rule("sign-square",          "sign(x)^2",                  "1",                               Given("x != 0")),
    rule("over-abs",             "x/abs(x)",                   "sign(x)",                         Given("x != 0")),
    rule("abs-over",             "abs(x)/x",                   "sign(x)",                         Given("x != 0")),
    rule("relu-positive",        "relu(x)",                    "x",                               Given("x >= 0")),
    rule("relu-negative",        "relu(x)",                    "0",                               Given("x <= 0")),
    rule("relu-relu",            "relu(relu(x))",              "relu(x)",                         Exactly),
    rule("max-same",             "max(x, x)",                  "x",                               Exactly),
    rule("min-same",             "min(x, x)",                  "x",                               Exactly),
    rule("max-first",            "max(x, y)",                  "x",                               Given("x >= y")),
    rule("max-second",           "max(x, y)",                  "y",                               Given("y >= x")),
    rule("min-first",            "min(x, y)",                  "x",                               Given("x <= y")),
    rule("min-second",           "min(x, y)",                  "y",                               Given("y <= x")),
    rule("floor-floor",          "floor(floor(x))",            "floor(x)",                        Exactly),
    rule("ceil-ceil",            "ceil(ceil(x))",              "ceil(x)",                         Exactly),
    rule("round-round",          "round(round(x))",            "round(x)",                        Exactly),
    // Trigonometry.
    rule("pythagoras",           "sin(x)^2 + cos(x)^2",        "1",                               OverReals),
    rule("one-minus-sin",        "1 - sin(x)^2",               "cos(x)^2",                        OverReals),
    rule("one-minus-cos",        "1 - cos(x)^2",               "sin(x)^2",                        OverReals),
    rule("sin-over-cos",         "sin(x)/cos(x)",              "tan(x)",                          OverReals),
    rule("cos-over-sin",         "cos(x)/sin(x)",              "cot(x)",                          OverReals),
    rule("pythagoras-sec",       "tan(x)^2 + 1",               "sec(x)^2",                        OverReals),
    rule("pythagoras-csc",       "cot(x)^2 + 1",               "csc(x)^2",                        OverReals),
    rule("pythagoras-hyperbolic","cosh(x)^2 - sinh(x)^2",      "1",                               OverReals),
    rule("sinh-over-cosh",       "sinh(x)/cosh(x)",            "tanh(x)",                         OverReals),  // finite where the left overflows
    rule("cosh-over-sinh",       "cosh(x)/sinh(x)",            "coth(x)",                         OverReals),
    rule("one-plus-sinh",        "sinh(x)^2 + 1",              "cosh(x)^2",                       OverReals),
    rule("one-minus-tanh",       "1 - tanh(x)^2",              "sech(x)^2",                       OverReals),  // 1.7e-17 @ x = 20, where the left is 0
    rule("cosh-from-exp",        "exp(x) + exp(-x)",           "2*cosh(x)",                       OverReals),
    rule("sinh-from-exp",        "exp(x) - exp(-x)",           "2*sinh(x)",                       OverReals),
    // Stable forms of what people write out.
    rule("softplus",             "log(exp(x) + 1)",            "softplus(x)",                     OverReals),  // finite where the left overflows
    rule("softplus-log1p",       "log1p(exp(x))",              "softplus(x)",                     OverReals),
    rule("logaddexp",            "log(exp(x) + exp(y))",       "logaddexp(x, y)",                 OverReals),
    rule("sigmoid",              "1/(exp(x) + 1)",             "sigmoid(-x)",                     OverReals),
    rule("sigmoid-exp",          "exp(x)*sigmoid(-x)",         "sigmoid(x)",                      OverReals),
    rule("sigmoid-pair",         "sigmoid(x) + sigmoid(-x)",   "1",                               OverReals),
    rule("sigmoid-pair-times",   "a*sigmoid(x) + a*sigmoid(-x)", "a",                            OverReals),
    rule("log-sigmoid",          "log(sigmoid(x))",            "log_sigmoid(x)",                  OverReals),
    rule("log-odds",             "log_sigmoid(x) - log_sigmoid(-x)", "x",                         OverReals),
    rule("log-one-minus-sigmoid","log(1 - sigmoid(x))",        "log_sigmoid(-x)",                 OverReals),  // finite @ x = 40
    rule("log1mexp",             "log(1 - exp(x))",            "log1mexp(x)",                     OverReals),
    rule("log1mexp-log1p",       "log1p(-exp(x))",             "log1mexp(x)",                     OverReals),
    rule("erfc",                 "1 - erf(x)",                 "erfc(x)",                         OverReals),
    rule("erf",                  "1 - erfc(x)",                "erf(x)",                          OverReals),
    rule_for(Compute, "one-minus-sigmoid", "1 - sigmoid(x)",   "sigmoid(-x)",                     OverReals),  // 4e-18 @ x = 40, where the left is 0
    rule_for(Compute, "expm1",   "exp(x) - 1",                 "expm1(x)",                        OverReals),
    rule_for(Compute, "log1p",   "log(x + 1)",                 "log1p(x)",                        OverReals),
    rule_for(Compute, "hypot",   "sqrt(x^2 + y^2)",            "hypot(x, y)",                     OverReals),  // finite @ x = 1e200
    rule_for(Compute, "versine", "1 - cos(x)",                 "2*sin(x/2)^2",                    OverReals),
    rule_for(Compute, "log-expm1", "log(expm1(x))",            "x + log1mexp(-x)",                OverReals),  // finite @ x = 1000
    rule_for(Compute, "log-tanh", "log(tanh(x))",              "log1mexp(-2*x) - softplus(-2*x)", OverReals),  // -8e-18 @ x = 20, where the left is 0
    rule_for(Compute, "log-erf", "log(erf(x))",                "if(x < 1/2, log(2*erf(x)) - log(2), log1p(-erfc(x)))", OverReals),  // -2e-45 @ x = 10, where the left is 0
    rule_for(Compute, "log2-erf", "log2(erf(x))",              "log(erf(x))/log(2)",              OverReals),  // -3e-45 @ x = 10, where the left is 0
    rule_for(Compute, "log2-tanh", "log2(tanh(x))",            "log(tanh(x))/log(2)",             OverReals),  // -1e-17 @ x = 20, where the left is 0
    rule_for(Compute, "logsubexp", "log(abs(exp(x) - exp(y)))", "max(x, y) + log1mexp(-abs(x - y))", OverReals),
    // Differences that cancel, written so that they do not.
    rule_for(Compute, "log1mexp-expm1",  "log(-expm1(x))",             "log1mexp(x)",                        OverReals),
    rule_for(Compute, "softplus-less",   "softplus(x) - x",            "softplus(-x)",                       OverReals),  // 4e-18 @ x = 40, where the left is 0
    rule_for(Compute, "softplus-more",   "softplus(-x) + x",           "softplus(x)",                        OverReals),
    rule_for(Compute, "sigmoid-half",    "sigmoid(x) - 1/2",           "tanh(x/2)/2",                        OverReals),
    rule_for(Compute, "sigmoid-tilt",    "sigmoid(x) - sigmoid(-x)",   "tanh(x/2)",                          OverReals),  // -5e-21 @ x = -1e-20, where the left is 0
    rule_for(Compute, "sigmoid-tilt-times", "a*sigmoid(x) - a*sigmoid(-x)", "a*tanh(x/2)",                     OverReals),
    rule_for(Compute, "sigmoid-curve",   "sigmoid(x)*sigmoid(-x) - sigmoid(x)^2",  "-sigmoid(x)*tanh(x/2)",  OverReals),
    rule_for(Compute, "sigmoid-curve-mirror", "sigmoid(x)*sigmoid(-x) - sigmoid(-x)^2", "sigmoid(-x)*tanh(x/2)", OverReals),
    rule_for(Compute, "expm1-curve",     "exp(x)/expm1(x)^2",          "(csch(x/2)/2)^2",                    OverReals),  // finite @ x = 1000
    rule_for(Compute, "expm1-share",     "exp(x)/expm1(x)",            "-1/expm1(-x)",                       OverReals),
    rule_for(Compute, "expm1-pair",      "expm1(x)*expm1(-x)",         "-4*sinh(x/2)^2",                     OverReals),
    rule_for(Compute, "expm1-sigmoid",   "expm1(x)*sigmoid(-x)",       "tanh(x/2)",                          OverReals),  // finite @ x = 1000
    rule_for(Compute, "expm1-sigmoid-mirror", "expm1(-x)*sigmoid(x)",  "-tanh(x/2)",                         OverReals),
    rule_for(Compute, "one-plus-tanh",   "tanh(x) + 1",                "2*sigmoid(2*x)",                     OverReals),  // 4e-35 @ x = -40, where the left is 0
    rule_for(Compute, "one-less-tanh",   "1 - tanh(x)",                "2*sigmoid(-2*x)",                    OverReals),
    rule_for(Compute, "one-plus-erf",    "erf(x) + 1",                 "erfc(-x)",                           OverReals),  // 2e-45 @ x = -10, where the left is 0
    rule_for(Compute, "sech-from-exp",   "exp(x)/(exp(x)^2 + 1)",      "sech(x)/2",                          OverReals),  // 2e-174 @ x = 400, where the left is 0
    rule_for(Compute, "sech-from-cosh",  "1/cosh(x)",                  "sech(x)",                            OverReals),
    rule_for(Compute, "csch-from-sinh",  "1/sinh(x)",                  "csch(x)",                            OverReals),
    rule_for(Compute, "coth-from-tanh",  "1/tanh(x)",                  "coth(x)",                            OverReals),
    rule_for(Compute, "csch-coth",       "cosh(x)/sinh(x)^2",          "csch(x)*coth(x)",                    OverReals),  // finite @ x = 800, where the left is ∞/∞
    rule_for(Compute, "sech-tanh",       "sinh(x)/cosh(x)^2",          "sech(x)*tanh(x)",                    OverReals),  // finite @ x = 800, where the left is ∞/∞
    rule_for(Compute, "softmax-two",     "exp(x)/(exp(x) + exp(y))",   "sigmoid(x - y)",                     OverReals),  // finite @ x = 1000
    rule_for(Compute, "softmax-three",   "exp(x)/(exp(x) + exp(y) + exp(a))", "sigmoid(x - logaddexp(y, a))", OverReals),
    rule_for(Compute, "logsumexp-three", "log(exp(x) + exp(y) + exp(a))", "logaddexp(logaddexp(x, y), a)",   OverReals),
    rule_for(Compute, "logit-loss",      "logaddexp(x, y) - x",        "softplus(y - x)",                    OverReals),  // 4e-18 @ x = 40, y = 0, where the left is 0
    rule_for(Compute, "logit-loss-first",  "logaddexp(logaddexp(x, y), a) - x", "softplus(logaddexp(y, a) - x)", OverReals),
    rule_for(Compute, "logit-loss-second", "logaddexp(logaddexp(x, y), a) - y", "softplus(logaddexp(x, a) - y)", OverReals),
    rule_for(Compute, "logit-loss-inner",  "logaddexp(logaddexp(logaddexp(x, y), a), b) - x", "softplus(logaddexp(logaddexp(y, a), b) - x)", OverReals),
    rule_for(Compute, "logit-loss-next",   "logaddexp(logaddexp(logaddexp(x, y), a), b) - y", "softplus(logaddexp(logaddexp(x, a), b) - y)", OverReals),
    rule_for(Compute, "logit-loss-third",  "logaddexp(logaddexp(logaddexp(x, y), a), b) - a", "softplus(logaddexp(logaddexp(x, y), b) - a)", OverReals),
    rule_for(Compute, "log-cosh",        "log(cosh(x))",               "if(abs(x) < 1, log1p(2*sinh(x/2)^2), abs(x) + log1p(exp(-2*abs(x))) - log(2))", OverReals),  // finite @ x = 1000
    rule_last("focal-loss",      "log_sigmoid(x)*sigmoid(-x)^2", "log_sigmoid(x)/(exp(x)*(exp(x) + 2) + 1)", OverReals),
    rule_last("exp-difference",  "exp(x) - exp(y)",            "if(x < y, exp(y)*expm1(x - y), -exp(x)*expm1(y - x))", OverReals),
    rule_last("square-difference", "x^2 - y^2",                "(x - y)*(x + y)",                    OverReals),
    rule_for(Compute, "root-difference", "sqrt(x + a) - sqrt(x)",      "a/(sqrt(x + a) + sqrt(x))",          Given("a != 0")),
    rule_for(Compute, "reciprocal-difference", "1/x - 1/(x + 1)",      "1/(x*(x + 1))",                      OverReals),
    rule_last("sine-difference", "sin(x + y) - sin(x)",        "cos(x)*sin(y) - 2*sin(x)*sin(y/2)^2",  OverReals),
    rule_last("cosine-difference", "cos(x + y) - cos(x)",      "-sin(x)*sin(y) - 2*cos(x)*sin(y/2)^2", OverReals),
    rule_for(Compute, "one-less-share",  "1 - x/(x + a)",              "a/(x + a)",                          OverReals),
    rule_for(Compute, "one-less-share-times", "a - a*(x/(x + b))",      "a*(b/(x + b))",                        OverReals),
    rule_for(Compute, "one-less-shifted", "1 - (x + a)/(x + b)",        "(b - a)/(x + b)",                    OverReals),  // 2e-17 @ x = 1e17, a = -1, b = 1, where the left is 0
    rule_for(Compute, "one-less-size",   "1 - x/(abs(x) + a)*sign(x)", "a/(abs(x) + a)",                     OverReals),  // 1e-17 @ x = 1e17, a = 1, where the left is 0
    rule_for(Compute, "softsign-slope",  "1/(abs(x) + 1) - x*sign(x)/(abs(x) + 1)^2", "1/(abs(x) + 1)^2",  OverReals),
    rule_for(Compute, "softsign-shared", "1/(abs(x) + 1) - x/(abs(x) + 1)*sign(x)/(abs(x) + 1)", "1/(abs(x) + 1)^2", OverReals),
    rule_last("log1p-square",    "log1p(x^2)",                 "if(abs(x) < 1e17, 1, 2)*log1p(if(abs(x) < 1e17, x^2, abs(x)))", OverReals),  // finite @ x = 1e200
    rule_last("root-less-one",   "sqrt(x + 1) - 1",            "x/(sqrt(x + 1) + 1)",                OverReals),
    rule_last("square-less-one", "(x + 1)^2 - 1",              "x*(x + 2)",                          OverReals),
    rule_last("cube-less-one",   "(x + 1)^3 - 1",              "x*(x*(x + 3) + 3)",                  OverReals),
    rule_for(Compute, "logit",           "log(x/(1 - x))",             "log(x) - log1p(-x)",                 OverReals),
    // Roots of sums of squares, which overflow only where the root does.
    rule_for(Compute, "hypot-one",       "sqrt(x^2 + 1)",              "hypot(x, 1)",                        OverReals),  // finite @ x = 1e200
    rule_for(Compute, "hypot-slope",     "1/hypot(x, y) - x/hypot(x, y)*(x/hypot(x, y)/hypot(x, y))", "y/hypot(x, y)*(y/hypot(x, y)/hypot(x, y))", OverReals),
    rule_for(Compute, "hypot-slope-mirror", "1/hypot(x, y) - y/hypot(x, y)*(y/hypot(x, y)/hypot(x, y))", "x/hypot(x, y)*(x/hypot(x, y)/hypot(x, y))", OverReals),
    rule_before("hypot-square-first", "hypot(x, y)^2",          "x^2 + y^2",                          OverReals),  // has a slope @ x = y = 0
    rule_last("hypot-less-one",  "hypot(1, x) - 1",            "x*tanh(asinh(x)/2)",                 OverReals),  // 5e-21 @ x = 1e-10, where the left is 0
    rule_for(Compute, "asinh",           "log(x + hypot(1, x))",       "asinh(x)",                           OverReals),  // -17.6 @ x = -2e7, where the left is -inf
    rule_for(Compute, "acosh",           "log(x + sqrt(x^2 - 1))",     "acosh(x)",                           OverReals),
    rule_for(Compute, "atanh",           "log((x + 1)/(1 - x))",       "2*atanh(x)",                         OverReals),
    // Forms a textbook prints.
    rule_for(Read, "sigmoid-mirror", "sigmoid(-x)",            "1 - sigmoid(x)",                  OverReals),
    rule_for(Read, "sigmoid-exp-mirror", "exp(x)*(1 - sigmoid(x))", "sigmoid(x)",                  OverReals),
    rule_for(Read, "sigmoid-exp-rest", "exp(-x)*sigmoid(x)",   "1 - sigmoid(x)",                  OverReals),
    rule_for(Read, "logistic-density", "exp(-x)*sigmoid(x)^2", "sigmoid(x)*(1 - sigmoid(x))",     OverReals),
    rule_for(Read, "logistic-density-mirror", "exp(x)*(1 - sigmoid(x))^2", "sigmoid(x)*(1 - sigmoid(x))", OverReals),
    rule_for(Read, "share-and-rest", "a*sigmoid(x) + a*(1 - sigmoid(x))", "a",                   OverReals),
    rule_for(Read, "hypot-square",   "hypot(x, y)^2",          "x^2 + y^2",                       OverReals),
];

/// The list, parsed, by the op at the root of the left side.
pub struct RuleSet {
    by_root: Vec<Vec<Pattern>>,
}

impl RuleSet {
    pub fn get() -> &'static RuleSet {
        static RULE_SET: OnceLock<RuleSet> = OnceLock::new();
        RULE_SET.get_or_init(|| {
            let mut by_root: Vec<Vec<Pattern>> = Elementwise::ALL.iter().map(|_| Vec::new()).collect();
            for rule in RULES {
                let pattern = Pattern::new(rule).unwrap_or_else(|e| panic!("rule {}: {e}", rule.name));
                by_root[pattern.root as usize].push(pattern);
            }
            RuleSet { by_root }
        })
    }

    /// The rules whose left side has this op at its root, in the order of the list.
    pub fn rooted(&self, root: Elementwise) -> &[Pattern] {
        &self.by_root[root as usize]
    }
}
