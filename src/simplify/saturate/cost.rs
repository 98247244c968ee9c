//! What an expression costs: to a reader, or to a machine. The search looks for less of it.
//!
//! One set of weights serves the graph, where before and after are compared, and the e-graph's
//! nodes, where the smallest form is chosen.

use crate::ir::{Elementwise, Graph, Id, Number, Op, reachable};

use super::super::Purpose;
use super::super::factors::{factors, power, quotient};

/// Parentheses around a sum cost a reader as much as two more symbols: x²·cos(x) + 2·x·sin(x)
/// reads better than x·(x·cos(x) + 2·sin(x)).
pub const PARENTHESES: u64 = 2;

/// The name of a function and its parentheses.
const FUNCTION: u64 = 2;

/// One symbol.
pub const SYMBOL: u64 = 1;

/// The cost of an op by itself.
pub fn of_op(op: Op, purpose: Purpose) -> u64 {
    use Elementwise::*;
    let Op::Elementwise(op) = op else { return SYMBOL };
    if purpose != Purpose::Compute {
        return match op {
            Neg | Add | Sub | Mul | Div | Pow | Pi => SYMBOL,
            _ => FUNCTION,
        };
    }
    // Roughly, in additions.
    match op {
        Pi => 0,
        Neg | Add | Sub | Mul | Fma | Abs | Min | Max | Relu | Sign => 2,
        Floor | Ceil | Round => 4,
        Div | Sqrt => 10,
        Exp | Exp2 | Log | Log2 | Sin | Cos | Sinpi | Cospi | Cbrt | Hypot => 30,
        Gamma | Lgamma | Digamma | Polygamma => 200,
        Pow => 80,
        _ => 40,
    }
}

/// A number: free for a machine, a fraction is two for a reader.
pub fn of_number(n: &Number, purpose: Purpose) -> u64 {
    match purpose {
        Purpose::Compute => 0,
        _ => SYMBOL + u64::from(n.is_negative()) + u64::from(!n.is_integer()),
    }
}

/// A whole power: a raised digit to a reader, a few products to a machine.
pub fn of_power(n: i64, purpose: Purpose) -> u64 {
    match purpose {
        Purpose::Compute => 2 * u64::from(64 - n.unsigned_abs().leading_zeros()),
        _ => SYMBOL,
    }
}

/// How many divisors are multiplied before anything is divided by them.
pub fn multiplied_divisors(graph: &Graph, roots: &[Id]) -> u64 {
    let degree = |divisor: Id| {
        let variable = factors(graph, divisor).into_iter().filter(|&f| graph.constant(f).is_none());
        variable.map(|f| power(graph, f).1.unsigned_abs()).sum::<u64>()
    };
    let divisors = reachable(graph, roots).into_iter().filter_map(|id| quotient(graph, id));
    divisors.map(|(_, divisor)| degree(divisor).saturating_sub(1)).sum()
}

pub fn is_sum(op: Op) -> bool {
    matches!(op, Op::Elementwise(Elementwise::Add | Elementwise::Sub))
}

/// What `root` costs written out as a tree.
pub fn of_tree(graph: &Graph, root: Id, purpose: Purpose) -> u64 {
    let mut costs = vec![0u64; root.index() + 1];
    for id in reachable(graph, &[root]) {
        let below = graph.operands(id).iter().map(|x| costs[x.index()]);
        costs[id.index()] = below.fold(of_node(graph, id, purpose), u64::saturating_add);
    }
    costs[root.index()]
}

/// What all of `roots` cost together, shared nodes once.
pub fn of_graph(graph: &Graph, roots: &[Id], purpose: Purpose) -> u64 {
    reachable(graph, roots).iter().map(|&id| of_node(graph, id, purpose)).fold(0, u64::saturating_add)
}

fn of_node(graph: &Graph, id: Id, purpose: Purpose) -> u64 {
    let op = graph.op(id);
    let elementwise = match op {
        Op::Constant(c) => return of_number(graph.number(c), purpose),
        Op::Input(_) => return if purpose == Purpose::Compute { 0 } else { SYMBOL },
        Op::Elementwise(op) => op,
        _ => return of_op(op, purpose),
    };
    use Elementwise::{Div, Mul, Neg, Pow};
    let parenthesised = match elementwise {
        _ if purpose == Purpose::Compute => 0,
        Neg | Mul | Div | Pow => graph.operands(id).iter().filter(|x| is_sum(graph.op(**x))).count(),
        _ => 0,
    };
    let own = match (elementwise, graph.operands(id).last().and_then(|&x| graph.constant(x))) {
        // The digit counts as the exponent's node, for readers.
        (Pow, Some(n)) if n.is_integer() && purpose == Purpose::Compute => {
            of_power(n.to_i64().unwrap_or(i64::MAX), purpose)
        }
        (Pow, Some(n)) if n.is_integer() => 0,
        _ => of_op(op, purpose),
    };
    own + PARENTHESES * parenthesised as u64
}
