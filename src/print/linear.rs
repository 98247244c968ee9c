//! Expressions on one line, as the language reads them: what plain text and Unicode share.

use super::form::{Contraction, Form, Leaf, Part, Relation, Scope, Subscript, Times};
use super::layout::{Dialect, INLINE, Layout};
use super::precedence::{Binding, Precedence, binding};
use crate::ir::{Elementwise, Id, Number};

/// The signs a dialect of the language uses.
#[derive(Debug)]
pub struct Linear {
    pub times: &'static str,
    /// Elementwise product of tensors, where `times` would contract them.
    pub elementwise: &'static str,
    pub dot: &'static str,
    pub pi: &'static str,
    pub less_equal: &'static str,
    pub greater_equal: &'static str,
    pub not_equal: &'static str,
    pub transpose: &'static str,
    pub spelling: Spelling,
}

/// Whether roots, bars and raised exponents are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    Ascii,
    Mathematical,
}

impl Dialect for Linear {
    fn parentheses(&self) -> (&'static str, &'static str) {
        ("(", ")")
    }

    fn precedence(&self, scope: &Scope, form: &Form) -> Precedence {
        match form {
            Form::Call(op, parts) if self.is_bare_root(scope, *op, parts) => Precedence::Power,
            Form::Logic(..) | Form::Leaf(_) => Precedence::Atom, // and(a, b), 1e-20
            Form::Contract(Contraction::Outer, ..) | Form::Masked(..) => Precedence::Atom,
            _ => binding(form).own,
        }
    }

    fn lay_out(&self, scope: &Scope, form: Form, out: &mut Layout) {
        let binding = binding(&form);
        match form {
            Form::Leaf(leaf) => out.text(self.leaf(scope, leaf)),
            Form::Sum(terms) => out.sum(terms, &INLINE),
            Form::Negative(part) => {
                out.text("-");
                out.part(part, binding.rest);
            }
            Form::Product(times, factors) => self.product(scope, times, factors, binding, out),
            Form::Quotient(a, b) => infix(a, "/", b, [binding.first, binding.rest], out),
            Form::Contract(Contraction::Outer, a, b) => apply("outer", vec![a, b], out),
            Form::Contract(kind, a, b) => {
                let sign = if kind == Contraction::Vectors { self.dot } else { " @ " };
                infix(a, sign, b, [binding.first, binding.rest], out);
            }
            Form::Power(base, exponent) => self.power(scope, base, exponent, out),
            Form::Call(op, parts) => self.call(scope, op, parts, out),
            Form::Structural(name, parts) => apply(name, parts, out),
            Form::Compare(relation, a, b) => {
                infix(a, self.relation(relation), b, [binding.first, binding.rest], out);
            }
            Form::Logic(op, parts) => apply(op.name(), parts, out),
            Form::Choice(branches, otherwise) => choice(branches, otherwise, out),
            Form::Masked(condition, array) => {
                let [zero, one] = [0, 1].map(|n| Part::Number(Number::integer(n)));
                apply("if", vec![condition, array.unwrap_or(one), zero], out);
            }
            Form::Array(parts, extents) => array(parts, &extents, out),
            Form::Transpose(part) => {
                out.part(part, binding.first);
                out.text(self.transpose);
            }
            Form::Index(part, at) => {
                out.part(part, binding.first);
                out.text(subscripts(&at));
            }
        }
    }
}

impl Linear {
    fn leaf(&self, scope: &Scope, leaf: Leaf) -> String {
        match leaf {
            Leaf::Name(symbol, at) => {
                let at: Vec<Subscript> = at.into_iter().map(Subscript::At).collect();
                format!("{}{}", scope.graph.symbol_name(symbol), subscripts(&at))
            }
            Leaf::Shared(number) => format!("{}{number}", scope.shared.prefix()),
            Leaf::Numeral(numeral) => numeral.text(),
            Leaf::Euler => "e".to_owned(),
            Leaf::Pi => self.pi.to_owned(),
        }
    }

    fn product(&self, scope: &Scope, times: Times, factors: Vec<Part>, binding: Binding, out: &mut Layout) {
        let sign = if times == Times::Scalars { self.times } else { self.elementwise };
        for (i, factor) in factors.into_iter().enumerate() {
            out.text(if i > 0 { sign } else { "" });
            let first = i == 0 && !scope.is_contraction(&factor);
            out.part(factor, if first { binding.first } else { binding.rest });
        }
    }

    fn power(&self, scope: &Scope, base: Part, exponent: Part, out: &mut Layout) {
        out.part(base, Precedence::Atom);
        match scope.small_integer(&exponent) {
            Some(n) if self.spelling == Spelling::Mathematical => out.text(raised(&n.to_string())),
            _ => {
                out.text("^");
                out.part(exponent, Precedence::Power);
            }
        }
    }

    fn call(&self, scope: &Scope, op: Elementwise, mut parts: Vec<Part>, out: &mut Layout) {
        let mathematical = self.spelling == Spelling::Mathematical;
        match op {
            Elementwise::Abs if mathematical && parts.len() == 1 => out.enclosed("|", parts.remove(0), "|"),
            Elementwise::Sqrt | Elementwise::Cbrt if mathematical => {
                let bare = self.is_bare_root(scope, op, &parts);
                out.text(if op == Elementwise::Sqrt { "√" } else { "∛" });
                out.text(if bare { "" } else { "(" });
                out.list(parts, ", ");
                out.text(if bare { "" } else { ")" });
            }
            _ => apply(op.name(), parts, out),
        }
    }

    /// Roots of a name or numeral need no parentheses, and then bind like a power.
    fn is_bare_root(&self, scope: &Scope, op: Elementwise, parts: &[Part]) -> bool {
        let root = matches!(op, Elementwise::Sqrt | Elementwise::Cbrt);
        let plain = |id: Id| {
            let numeral = scope.constant(id).is_some_and(|n| n.is_integer() && !n.is_negative());
            numeral || scope.is_name(id)
        };
        root && self.spelling == Spelling::Mathematical && matches!(parts, [Part::Node(id)] if plain(*id))
    }

    fn relation(&self, relation: Relation) -> &'static str {
        match relation {
            Relation::Less => " < ",
            Relation::LessEqual => self.less_equal,
            Relation::Greater => " > ",
            Relation::GreaterEqual => self.greater_equal,
            Relation::Equal => " == ",
            Relation::NotEqual => self.not_equal,
        }
    }
}

fn infix(a: Part, sign: &'static str, b: Part, least: [Precedence; 2], out: &mut Layout) {
    out.part(a, least[0]);
    out.text(sign);
    out.part(b, least[1]);
}

fn apply(name: &'static str, parts: Vec<Part>, out: &mut Layout) {
    out.text(name);
    out.text("(");
    out.list(parts, ", ");
    out.text(")");
}

fn choice(branches: Vec<(Part, Part)>, otherwise: Part, out: &mut Layout) {
    let depth = branches.len();
    for (condition, value) in branches {
        out.text("if(");
        out.list(vec![condition, value], ", ");
        out.text(", ");
    }
    out.part(otherwise, Precedence::Lowest);
    out.text(")".repeat(depth));
}

/// Nested brackets: one opens before the first element of every row, and closes after its last.
fn array(parts: Vec<Part>, extents: &[usize], out: &mut Layout) {
    let mut row = 1;
    let rows: Vec<usize> = extents
        .iter()
        .rev()
        .map(|&extent| {
            row *= extent.max(1);
            row
        })
        .collect();
    let edges = |at: usize| rows.iter().filter(|&&row| at.is_multiple_of(row)).count();
    for (i, part) in parts.into_iter().enumerate() {
        out.text(if i > 0 { ", " } else { "" });
        out.text("[".repeat(edges(i)));
        out.part(part, Precedence::Lowest);
        out.text("]".repeat(edges(i + 1)));
    }
}

fn subscripts(at: &[Subscript]) -> String {
    if at.is_empty() { String::new() } else { format!("[{}]", Subscript::list(at)) }
}

/// Digits and signs as superscripts.
pub fn raised(digits: &str) -> String {
    let raise = |c: char| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        // The other superscript digits stand in order from U+2070.
        c => c.to_digit(10).and_then(|d| char::from_u32(0x2070 + d)).unwrap_or(c),
    };
    digits.chars().map(raise).collect()
}
