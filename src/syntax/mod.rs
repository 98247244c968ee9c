//! Text → AST: characters become tokens (`token`), tokens learn their context (`scan`,
//! `heads`), an LR grammar makes them a tree in an arena (`parse`, `build`, `ast`).
//!
//! Nothing here knows a name's meaning. `sin`, `x` and `foo` are alike; juxtaposition is kept
//! as a flat [`Sequence`](ExprKind::Sequence) for elaboration, which knows the names. What
//! *is* decided here is decided by tokens and blanks alone:
//!
//! | written | read |
//! |---|---|
//! | `f(x)` | a call: the parenthesis touches the name |
//! | `f (x)`, `2(x)`, `sin^2(x)` | a sequence |
//! | `x[0]` | an index: the bracket touches an operand that is not a number |
//! | `x [0]`, `2[0]` | a sequence with a vector |
//! | `√(x)^2` | (√x)², the parenthesis touches the root |
//! | `√x^2`, `-x^2` | √(x²), −(x²): prefixes bind weaker than powers |
//! | `\|` | closing after an operand with a bar open in this bracket, opening otherwise |
//! | `'` | transpose, after an operand |
//! | line end | separates statements, unless a bracket is open or an operator waits for its operand |
//! | `d/dx …` | a derivative, at the head of the last statement only |
//!
//! What is left to elaboration, in short:
//! - a [`Sequence`](ExprKind::Sequence) is read as [`Item`] says; an operand that is a function's
//!   bare name, under signs, roots and a power, takes juxtaposed items to its right;
//! - a [`Call`](ExprKind::Call) of a variable, `x(y + 1)`, is a product; in an exponent,
//!   `a^n(y + 1)` or `sin^n(x)`, the call hangs in the exponent and must be taken apart;
//! - `sin -x` is the difference of `sin` and `x`: a function's bare name as an operand of any
//!   other operator is an error whose mend is `sin(-x)`;
//! - `·` between scalars is a product; a body that is a definition stands for its right side.
//!
//! Programs (`.sd` files) are statements around the same expressions, with pipes, named arguments
//! and index notation besides: see [`program`].
//!
//! Time is linear in the text, and no step recurses, so no text overflows the stack.

mod ast;
mod build;
mod dump;
mod explain;
mod heads;
mod parse;
pub mod program;
mod scan;
mod scan_program;
mod token;

pub use ast::{
    Ast, BinaryOp, Binder, Children, CompareOp, Derivative, Expr, ExprId, ExprKind, Item, Link, List,
    Reducer, RootDegree, Statement, Subscript, Symbol,
};
pub(crate) use explain::{INDICES, is_reducer};
pub use parse::{parse, parse_bytes};
