//! LaTeX for a maths environment with amsmath: fractions, roots, `cases`, `bmatrix`.

use super::form::{Contraction, Form, Leaf, Part, Relation, Scope, Sign, Subscript, Times};
use super::layout::{Dialect, INLINE, Layout};
use super::name::{Name, greek};
use super::number::Numeral;
use super::precedence::{Precedence, binding};
use crate::ir::{Elementwise, Graph, Op, Selection, Symbol};

pub struct Latex;

impl Dialect for Latex {
    fn parentheses(&self) -> (&'static str, &'static str) {
        (r"\left(", r"\right)")
    }

    fn precedence(&self, _scope: &Scope, form: &Form) -> Precedence {
        match form {
            Form::Call(Elementwise::Exp, _) => Precedence::Power, // e^{x}
            _ => binding(form).own,
        }
    }

    fn lay_out(&self, scope: &Scope, form: Form, out: &mut Layout) {
        let binding = binding(&form);
        match form {
            Form::Leaf(leaf) => out.text(leaf_text(scope, leaf)),
            Form::Sum(terms) => out.sum(terms, &INLINE),
            Form::Negative(part) => out.sum(vec![(Sign::Minus, part)], &INLINE),
            Form::Product(times, factors) => product(scope, times, factors, out),
            Form::Quotient(a, b) => {
                out.enclosed(r"\frac{", a, "}");
                out.enclosed("{", b, "}");
            }
            Form::Contract(Contraction::Outer, a, b) => {
                out.part(a, binding.rest);
                out.text(r" \, ");
                out.part(b, Precedence::Atom);
                out.text(r"^{\top}");
            }
            Form::Contract(kind, a, b) => {
                out.part(a, binding.first);
                out.text(if kind == Contraction::Vectors { r" \cdot " } else { r" \, " });
                out.part(b, binding.rest);
            }
            Form::Power(base, exponent) => power(scope, base, exponent, out),
            Form::Call(op, parts) => call(op, parts, out),
            Form::Structural(name, parts) => apply(operator(name), parts, out),
            Form::Compare(relation, a, b) => {
                out.part(a, binding.first);
                out.text(sign(relation));
                out.part(b, binding.rest);
            }
            Form::Logic(op, parts) => logic(op, parts, out),
            Form::Choice(branches, otherwise) => choice(branches, otherwise, out),
            Form::Masked(condition, array) => {
                if let Some(array) = array {
                    let least = if scope.is_contraction(&array) { binding.rest } else { binding.first };
                    out.part(array, least);
                    out.text(r" \odot ");
                }
                out.enclosed(r"\mathbf{1}_{", condition, "}");
            }
            Form::Array(parts, extents) => array(parts, &extents, out),
            Form::Transpose(part) => {
                out.part(part, binding.first);
                out.text(r"^{\top}");
            }
            Form::Index(part, at) => {
                out.text("{");
                out.part(part, binding.first);
                out.text(format!("}}_{{{}}}", Subscript::list(&at)));
            }
        }
    }
}

fn leaf_text(scope: &Scope, leaf: Leaf) -> String {
    match leaf {
        Leaf::Name(symbol, at) if at.is_empty() => symbol_name(scope.graph, symbol),
        Leaf::Name(symbol, at) => {
            spelled(&Name::with_index(scope.graph.symbol_name(symbol), &at), Face::Plain)
        }
        Leaf::Shared(number) => format!("{}_{{{number}}}", scope.shared.prefix()),
        Leaf::Numeral(n) => numeral(&n),
        Leaf::Euler => "e".to_owned(),
        Leaf::Pi => r"\pi".to_owned(),
    }
}

fn numeral(n: &Numeral) -> String {
    match n.exponent {
        0 => n.digits.clone(),
        exponent => format!(r"{} \cdot 10^{{{exponent}}}", n.digits),
    }
}

/// Factors stand side by side; a dot keeps digits apart, a circled one arrays.
fn product(scope: &Scope, times: Times, factors: Vec<Part>, out: &mut Layout) {
    let mut after_number = true;
    for (i, factor) in factors.into_iter().enumerate() {
        let is_number = times == Times::Scalars || scope.is_number(&factor);
        out.text(match is_number || after_number {
            _ if i == 0 => "",
            false => r" \odot ",
            true if begins_with_digit(scope, &factor) => r" \cdot ",
            true => " ",
        });
        after_number = is_number;
        // Fractions show their extent, so they need no parentheses.
        let whole = times == Times::Elements && scope.is_contraction(&factor);
        out.part(factor, if whole { Precedence::Power } else { Precedence::Product });
    }
}

fn begins_with_digit(scope: &Scope, part: &Part) -> bool {
    match part {
        Part::Number(_) => true,
        Part::Node(id) => match scope.graph.op(*id) {
            Op::Elementwise(Elementwise::Pow) => scope.constant(scope.graph.operand(*id, 0)).is_some(),
            Op::Constant(_) => true,
            _ => false,
        },
        Part::Form(form) => {
            matches!(&**form, Form::Power(Part::Node(id), _) if scope.constant(*id).is_some())
        }
        Part::Body(_) => false,
    }
}

fn power(scope: &Scope, base: Part, exponent: Part, out: &mut Layout) {
    if let Part::Node(id) = base
        && scope.small_integer(&exponent).is_some_and(|n| n > 0)
        && let Form::Call(op, mut parts) = scope.form(Part::Node(id))
        && takes_power(op)
        && parts.len() == 1
    {
        out.enclosed(format!("{}^{{", op.latex()), exponent, "}");
        out.enclosed(r"\left(", parts.remove(0), r"\right)");
        return;
    }
    out.part(base, Precedence::Atom);
    out.enclosed("^{", exponent, "}");
}

/// Functions whose powers are written `\sin^{2}`.
fn takes_power(op: Elementwise) -> bool {
    use Elementwise::*;
    matches!(op, Sin | Cos | Tan | Sec | Csc | Cot | Sinh | Cosh | Tanh | Sech | Csch | Coth | Log)
}

fn call(op: Elementwise, mut parts: Vec<Part>, out: &mut Layout) {
    if parts.len() != 1 {
        return apply(function(op), parts, out);
    }
    let part = parts.remove(0);
    match op {
        Elementwise::Exp => out.enclosed("e^{", part, "}"),
        Elementwise::Sqrt => out.enclosed(r"\sqrt{", part, "}"),
        Elementwise::Cbrt => out.enclosed(r"\sqrt[3]{", part, "}"),
        Elementwise::Abs => out.enclosed(r"\left|", part, r"\right|"),
        Elementwise::Floor => out.enclosed(r"\left\lfloor ", part, r"\right\rfloor"),
        Elementwise::Ceil => out.enclosed(r"\left\lceil ", part, r"\right\rceil"),
        _ => apply(function(op), vec![part], out),
    }
}

fn function(op: Elementwise) -> String {
    match op.latex() {
        name if name.starts_with('\\') => name.to_owned(),
        _ => operator(op.name()),
    }
}

fn operator(name: &str) -> String {
    format!(r"\operatorname{{{}}}", escaped(name))
}

fn apply(name: String, parts: Vec<Part>, out: &mut Layout) {
    out.text(name);
    out.text(r"\left(");
    out.list(parts, ", ");
    out.text(r"\right)");
}

fn sign(relation: Relation) -> &'static str {
    match relation {
        Relation::Less => " < ",
        Relation::LessEqual => r" \leq ",
        Relation::Greater => " > ",
        Relation::GreaterEqual => r" \geq ",
        Relation::Equal => " = ",
        Relation::NotEqual => r" \neq ",
    }
}

fn logic(op: Selection, parts: Vec<Part>, out: &mut Layout) {
    let sign = match op {
        Selection::And => r" \land ",
        Selection::Or => r" \lor ",
        _ => r"\lnot ",
    };
    let unary = parts.len() == 1;
    for (i, part) in parts.into_iter().enumerate() {
        out.text(if i > 0 || unary { sign } else { "" });
        out.part(part, Precedence::Sum);
    }
}

fn choice(branches: Vec<(Part, Part)>, otherwise: Part, out: &mut Layout) {
    out.text(r"\begin{cases} ");
    for (condition, value) in branches {
        out.part(value, Precedence::Lowest);
        out.enclosed(r" & \text{if } ", condition, r" \\ ");
    }
    out.enclosed("", otherwise, r" & \text{otherwise} \end{cases}");
}

/// A vector is a column; of a higher rank, the last axis runs along the row.
fn array(parts: Vec<Part>, extents: &[usize], out: &mut Layout) {
    let row = if extents.len() > 1 { extents.last().copied().unwrap_or(1).max(1) } else { 1 };
    out.text(r"\begin{bmatrix} ");
    for (i, part) in parts.into_iter().enumerate() {
        out.text(match i {
            0 => "",
            i if i.is_multiple_of(row) => r" \\ ",
            _ => " & ",
        });
        out.part(part, Precedence::Lowest);
    }
    out.text(r" \end{bmatrix}");
}

/// A variable's name.
pub fn name(name: &str) -> String {
    spelled(&Name::of(name), Face::Plain)
}

/// An input's name: bold for an array.
pub fn symbol_name(graph: &Graph, symbol: Symbol) -> String {
    let is_scalar = graph.type_of(graph.symbol_type(symbol)).shape.is_scalar();
    spelled(&Name::of(graph.symbol_name(symbol)), if is_scalar { Face::Plain } else { Face::Bold })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Face {
    Plain,
    Bold,
}

fn spelled(name: &Name, face: Face) -> String {
    let bold = face == Face::Bold;
    let stem = match greek(&name.stem) {
        Some((spelled, _)) if bold => format!(r"\boldsymbol{{\{spelled}}}"),
        Some((spelled, _)) => format!(r"\{spelled}"),
        None if name.stem.is_empty() => String::new(),
        None if bold => format!(r"\mathbf{{{}}}", escaped(&name.stem)),
        None if name.stem.chars().count() == 1 => escaped(&name.stem),
        None => format!(r"\mathrm{{{}}}", escaped(&name.stem)),
    };
    let based = match name.subscript.as_str() {
        "" => stem,
        subscript => format!("{stem}_{{{}}}", subscript_text(subscript)),
    };
    match name.index.as_str() {
        "" => based,
        index if name.subscript.is_empty() => format!("{based}_{{{index}}}"),
        index => format!("{{{based}}}_{{{index}}}"),
    }
}

fn subscript_text(subscript: &str) -> String {
    match greek(subscript) {
        Some((spelled, _)) => format!(r"\{spelled}"),
        None if subscript.chars().count() == 1 || subscript.chars().all(|c| c.is_ascii_digit()) => {
            escaped(subscript)
        }
        None => format!(r"\mathrm{{{}}}", escaped(subscript)),
    }
}

/// Text with LaTeX's own signs made harmless.
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars() {
        match c {
            '_' | '{' | '}' | '$' | '&' | '#' | '%' => safe.extend(['\\', c]),
            '\\' => safe.push_str(r"\backslash{}"),
            '~' => safe.push_str(r"\sim{}"),
            '^' => safe.push_str(r"\wedge{}"),
            c if c.is_control() => {}
            c => safe.push(c),
        }
    }
    safe
}

/// `\frac{\partial^{2} f}{\partial x \, \partial y}`
pub fn partial(of: &str, order: u32, by: &[(String, u32)]) -> String {
    let power = |order: u32| if order == 1 { String::new() } else { format!("^{{{order}}}") };
    let below: Vec<String> = by
        .iter()
        .map(|(name, n)| {
            // A name with a subscript takes a power as it is: x_{1}^{2}.
            format!(r"\partial {name}{}", power(*n))
        })
        .collect();
    let above = [format!(r"\partial{}", power(order)), of.to_owned()];
    let above = above.join(if of.is_empty() { "" } else { " " });
    format!(r"\frac{{{above}}}{{{}}}", below.join(r" \, "))
}
