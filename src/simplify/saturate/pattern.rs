//! Rules read: both sides from text into the e-graph's n-ary form.

use super::super::Sign;
use crate::ir::{Elementwise, Function, Graph, Id, Number, Op};
use crate::{Error, Limits, elaborate};

/// A side of a rule, in the e-graph's form.
#[derive(Clone, Debug, PartialEq)]
pub enum Pattern {
    Letter(usize),
    Number(Number),
    Sum(Vec<(Number, Pattern)>),
    Product(Vec<(Pattern, i64)>),
    Call(Op, Vec<Pattern>),
}

pub fn read(text: &str, variables: Option<&[String]>) -> Result<Function, Error> {
    let ast = crate::syntax::parse(text, &Limits::default())?;
    let options = elaborate::Options { variables, limits: Limits::default() };
    Ok(elaborate::elaborate(&ast, &options)?.function)
}

/// `x > 0` and the like.
pub fn condition(text: &str, names: &[String]) -> Option<(usize, Sign)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [name, relation, "0"] = words.as_slice() else { return None };
    let sign = match *relation {
        ">" => Sign::POSITIVE,
        ">=" => Sign::NON_NEGATIVE,
        "<" => Sign::NEGATIVE,
        "<=" => Sign::NON_POSITIVE,
        "!=" => Sign::NON_ZERO,
        _ => return None,
    };
    Some((names.iter().position(|n| n == name)?, sign))
}

pub fn compile(side: &Function, names: &[String]) -> Result<Pattern, Error> {
    let graph = side.graph();
    let mut compiled: Vec<Pattern> = Vec::new();
    for id in graph.ids() {
        compiled.push(compile_node(graph, id, &compiled, names)?);
    }
    Ok(compiled[side.outputs()[0].index()].clone())
}

fn compile_node(graph: &Graph, id: Id, done: &[Pattern], names: &[String]) -> Result<Pattern, Error> {
    use Elementwise::{Add, Div, Mul, Neg, Pow, Sub};
    let operand = |i: usize| done[graph.operand(id, i).index()].clone();
    let (one, minus) = (Number::integer(1), Number::integer(-1));
    Ok(match graph.op(id) {
        Op::Input(symbol) => {
            let name = graph.symbol_name(symbol);
            Pattern::Letter(names.iter().position(|n| n == name).unwrap_or(0))
        }
        Op::Constant(c) => Pattern::Number(graph.number(c).clone()),
        Op::Elementwise(Neg) => sum_of(vec![(minus, operand(0))]),
        Op::Elementwise(Add) => sum_of(vec![(one.clone(), operand(0)), (one, operand(1))]),
        Op::Elementwise(Sub) => sum_of(vec![(one, operand(0)), (minus, operand(1))]),
        Op::Elementwise(Mul) => product_of(vec![(operand(0), 1), (operand(1), 1)]),
        Op::Elementwise(Div) => product_of(vec![(operand(0), 1), (operand(1), -1)]),
        Op::Elementwise(Pow) => match operand(1) {
            Pattern::Number(n) if n.to_i64().is_some() => {
                product_of(vec![(operand(0), n.to_i64().unwrap_or(1))])
            }
            exponent => Pattern::Call(Op::Elementwise(Pow), vec![operand(0), exponent]),
        },
        op @ (Op::Elementwise(_) | Op::Selection(_)) => {
            Pattern::Call(op, (0..graph.operands(id).len()).map(operand).collect())
        }
        _ => return Err(Error::internal("the rule list", "a side that is not elementwise")),
    })
}

/// Flattened; functions before letters, so that letters are bound by what can be looked up.
fn sum_of(terms: Vec<(Number, Pattern)>) -> Pattern {
    let mut flat: Vec<(Number, Pattern)> = Vec::new();
    for (k, term) in terms {
        match term {
            Pattern::Sum(inner) => flat.extend(inner.into_iter().map(|(c, p)| (c.mul(&k), p))),
            Pattern::Number(n) => flat.push((n.mul(&k), Pattern::Number(Number::integer(1)))),
            other => flat.push((k, other)),
        }
    }
    flat.sort_by_key(|(_, p)| matches!(p, Pattern::Letter(_)));
    Pattern::Sum(flat)
}

fn product_of(factors: Vec<(Pattern, i64)>) -> Pattern {
    let mut coefficient = Number::integer(1);
    let mut flat: Vec<(Pattern, i64)> = Vec::new();
    for (factor, n) in factors {
        match factor {
            Pattern::Product(inner) => flat.extend(inner.into_iter().map(|(p, m)| (p, m * n))),
            Pattern::Number(c) => coefficient = coefficient.mul(&c.powi(n).unwrap_or_else(|| c.clone())),
            Pattern::Sum(inner) if inner.len() == 1 => {
                coefficient = coefficient.mul(&inner[0].0.powi(n).unwrap_or_else(|| inner[0].0.clone()));
                flat.push((inner[0].1.clone(), n));
            }
            other => flat.push((other, n)),
        }
    }
    flat.sort_by_key(|(p, n)| (matches!(p, Pattern::Letter(_)), *n == 1));
    let product = match flat.as_slice() {
        [] => Pattern::Number(Number::integer(1)),
        [(factor, 1)] => factor.clone(),
        _ => Pattern::Product(flat),
    };
    if coefficient.is_one() { product } else { sum_of(vec![(coefficient, product)]) }
}
