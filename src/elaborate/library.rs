//! Functions defined in the language itself: one row each, read once, inlined where called.

use super::code::{DefinitionId, Program};
use super::scope::Names;
use super::{notes::Notes, statements};
use crate::ir::Number;
use crate::limits::Limits;
use crate::syntax;
use std::sync::OnceLock;

/// Name, parameters (with the values of the last ones where a call leaves them out), body.
#[rustfmt::skip]
const ROWS: &[(&str, &str, &str)] = &[
//   name           parameters       body
    ("asec",        "x",             "acos(1/x)"),
    ("acsc",        "x",             "asin(1/x)"),
    ("acot",        "x",             "atan(1/x)"),
    ("asech",       "x",             "acosh(1/x)"),
    ("acsch",       "x",             "asinh(1/x)"),
    ("acoth",       "x",             "atanh(1/x)"),
    ("clamp",       "x, lo, hi",     "min(max(x, lo), hi)"),
    ("leaky_relu",  "x, a = 0.01",   "if(x > 0, x, a*x)"),
    ("elu",         "x, a = 1",      "if(x > 0, x, a*expm1(x))"),
    ("gelu",        "x",             "x*erfc(-x/sqrt(2))/2"),
    ("silu",        "x",             "x*sigmoid(x)"),
    ("mish",        "x",             "x*tanh(softplus(x))"),
    ("softsign",    "x",             "x/(1 + abs(x))"),
    ("heaviside",   "x",             "if(x > 0, 1, if(x == 0, 1/2, 0))"),
    ("logit",       "p",             "log(p/(1 - p))"),
    ("hinge",       "x",             "max(0, 1 - x)"),
    ("huber",       "r, d = 1",      "if(abs(r) <= d, r^2/2, d*(abs(r) - d/2))"),
    ("mod",         "x, y",          "x - y*floor(x/y)"),
    ("square",      "x",             "x^2"),
    ("norm",        "v",             "sqrt(v·v)"),
];

/// The names of the library, in order.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ROWS.iter().map(|row| row.0)
}

pub(super) fn find(name: &str) -> Option<DefinitionId> {
    ROWS.iter().position(|row| row.0 == name).map(DefinitionId::new)
}

/// The library as text, with the values of parameters that a call may leave out: programs read it
/// as the beginning of their own.
pub(super) fn definitions() -> String {
    ROWS.iter().map(|row| format!("{}({}) = {}\n", row.0, row.1, row.2)).collect()
}

/// The library, resolved.
pub(super) fn program() -> &'static Program {
    static PROGRAM: OnceLock<Program> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let text: Vec<String> =
            ROWS.iter().map(|row| format!("{}({}) = {}", row.0, plain(row.1), row.2)).collect();
        let limits = Limits::default();
        let ast = syntax::parse(&text.join("\n"), &limits).expect("the library is in the language");
        let mut names = Names::of_library(&ast);
        let mut program = statements::read(&ast, &mut names, &mut Notes::default())
            .expect("the library uses what there is");
        for (definition, row) in program.definitions.iter_mut().zip(ROWS) {
            definition.defaults = defaults(row.1);
        }
        program
    })
}

/// The parameters without their values.
fn plain(params: &str) -> String {
    let name = |param: &str| param.split('=').next().unwrap_or("").trim().to_owned();
    params.split(',').map(name).collect::<Vec<_>>().join(", ")
}

fn defaults(params: &str) -> Vec<Number> {
    let value = |param: &str| Number::from_decimal(param.split_once('=')?.1.trim());
    params.split(',').filter_map(value).collect()
}

/// How a definition of the library is called, for messages.
pub(super) fn signature(id: DefinitionId) -> String {
    format!("{}({})", ROWS[id.index()].0, ROWS[id.index()].1)
}
