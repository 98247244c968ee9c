//! Presentation MathML: every form is one element, so it can stand under a root or in a fraction.

use super::form::{Contraction, Form, Leaf, Part, Relation, Scope, Sign, Subscript, Times};
use super::layout::{Dialect, Layout, SumSigns};
use super::name::{Name, greek};
use super::number::Numeral;
use super::precedence::{Precedence, binding};
use crate::ir::{Elementwise, Selection};

pub struct Mathml;

/// Invisible times.
const INVISIBLE: &str = "<mo>&#x2062;</mo>";
const SIGNS: SumSigns = SumSigns { leading: "<mo>-</mo>", plus: "<mo>+</mo>", minus: "<mo>-</mo>" };

/// A whole formula, `body` being elements.
pub fn document(body: &str) -> String {
    format!("<math xmlns=\"http://www.w3.org/1998/Math/MathML\"><mrow>{body}</mrow></math>")
}

impl Dialect for Mathml {
    fn parentheses(&self) -> (&'static str, &'static str) {
        ("<mrow><mo>(</mo>", "<mo>)</mo></mrow>")
    }

    fn precedence(&self, _scope: &Scope, form: &Form) -> Precedence {
        match form {
            Form::Call(Elementwise::Exp, _) => Precedence::Power, // e raised to x
            _ => binding(form).own,
        }
    }

    fn lay_out(&self, scope: &Scope, form: Form, out: &mut Layout) {
        let binding = binding(&form);
        match form {
            Form::Leaf(leaf) => out.text(leaf_text(scope, leaf)),
            Form::Sum(terms) => sum(terms, out),
            Form::Negative(part) => row(&["<mo>-</mo>"], vec![part], binding.rest, out),
            // Fractions show their extent, so they need no parentheses.
            Form::Product(Times::Scalars, all) => row(&["", INVISIBLE], all, Precedence::Product, out),
            Form::Product(Times::Elements, all) => row(&["", "<mo>⊙</mo>"], all, Precedence::Product, out),
            Form::Quotient(a, b) => element("mfrac", vec![a, b], out),
            Form::Contract(Contraction::Outer, a, b) => {
                row(&[""], vec![a], binding.rest, out);
                out.text(INVISIBLE);
                out.text("<msup>");
                out.part(b, Precedence::Atom);
                out.text("<mo>⊤</mo></msup>");
            }
            Form::Contract(kind, a, b) => {
                let sign = if kind == Contraction::Vectors { "<mo>·</mo>" } else { INVISIBLE };
                row(&["", sign], vec![a, b], binding.rest, out);
            }
            Form::Power(base, exponent) => {
                out.text("<msup>");
                out.part(base, binding.first);
                out.enclosed("", exponent, "</msup>");
            }
            Form::Call(op, parts) => call(op, parts, out),
            Form::Structural(name, parts) => apply(name, parts, out),
            Form::Compare(relation, a, b) => row(&["", sign(relation)], vec![a, b], binding.rest, out),
            Form::Logic(op, parts) => row(logic(op), parts, binding.rest, out),
            Form::Choice(branches, otherwise) => choice(branches, otherwise, out),
            Form::Masked(condition, array) => {
                if let Some(array) = array {
                    out.part(array, binding.rest);
                    out.text("<mo>⊙</mo>");
                }
                out.enclosed("<msub><mn>1</mn>", condition, "</msub>");
            }
            Form::Array(parts, extents) => array(parts, &extents, out),
            Form::Transpose(part) => {
                out.text("<msup>");
                out.part(part, binding.first);
                out.text("<mo>⊤</mo></msup>");
            }
            Form::Index(part, at) => {
                out.text("<msub>");
                out.part(part, binding.first);
                out.text(format!("<mtext>{}</mtext></msub>", Subscript::list(&at)));
            }
        }
    }
}

fn leaf_text(scope: &Scope, leaf: Leaf) -> String {
    match leaf {
        Leaf::Name(symbol, at) => spelled(&Name::with_index(scope.graph.symbol_name(symbol), &at)),
        Leaf::Shared(number) => {
            format!("<msub><mi>{}</mi><mn>{number}</mn></msub>", scope.shared.prefix())
        }
        Leaf::Numeral(n) => numeral(&n),
        Leaf::Euler => "<mi>e</mi>".to_owned(),
        Leaf::Pi => "<mi>π</mi>".to_owned(),
    }
}

fn numeral(n: &Numeral) -> String {
    match n.exponent {
        0 => format!("<mn>{}</mn>", n.digits),
        exponent => {
            format!("<mrow><mn>{}</mn><mo>·</mo><msup><mn>10</mn><mn>{exponent}</mn></msup></mrow>", n.digits)
        }
    }
}

fn sum(terms: Vec<(Sign, Part)>, out: &mut Layout) {
    out.text("<mrow>");
    out.sum(terms, &SIGNS);
    out.text("</mrow>");
}

/// Parts in a row, each after a sign: the first after the first sign, the others after the last.
fn row(signs: &[&'static str], parts: Vec<Part>, least: Precedence, out: &mut Layout) {
    out.text("<mrow>");
    for (i, part) in parts.into_iter().enumerate() {
        out.text(signs.get(i).or(signs.last()).copied().unwrap_or(""));
        out.part(part, least);
    }
    out.text("</mrow>");
}

fn element(tag: &'static str, parts: Vec<Part>, out: &mut Layout) {
    out.text(format!("<{tag}>"));
    out.list(parts, "");
    out.text(format!("</{tag}>"));
}

fn call(op: Elementwise, mut parts: Vec<Part>, out: &mut Layout) {
    let fence = |open: &'static str, close: &'static str, parts: Vec<Part>, out: &mut Layout| {
        out.text(format!("<mrow><mo>{open}</mo>"));
        out.list(parts, "<mo>,</mo>");
        out.text(format!("<mo>{close}</mo></mrow>"));
    };
    match op {
        Elementwise::Exp if parts.len() == 1 => {
            out.enclosed("<msup><mi>e</mi>", parts.remove(0), "</msup>");
        }
        Elementwise::Sqrt => element("msqrt", parts, out),
        Elementwise::Cbrt if parts.len() == 1 => {
            out.enclosed("<mroot>", parts.remove(0), "<mn>3</mn></mroot>");
        }
        Elementwise::Abs => fence("|", "|", parts, out),
        Elementwise::Floor => fence("⌊", "⌋", parts, out),
        Elementwise::Ceil => fence("⌈", "⌉", parts, out),
        _ => apply(op.name(), parts, out),
    }
}

fn apply(name: &str, parts: Vec<Part>, out: &mut Layout) {
    out.text(format!("<mrow><mi>{}</mi><mo>&#x2061;</mo><mrow><mo>(</mo>", escaped(name)));
    out.list(parts, "<mo>,</mo>");
    out.text("<mo>)</mo></mrow></mrow>");
}

fn sign(relation: Relation) -> &'static str {
    match relation {
        Relation::Less => "<mo>&lt;</mo>",
        Relation::LessEqual => "<mo>≤</mo>",
        Relation::Greater => "<mo>&gt;</mo>",
        Relation::GreaterEqual => "<mo>≥</mo>",
        Relation::Equal => "<mo>=</mo>",
        Relation::NotEqual => "<mo>≠</mo>",
    }
}

fn logic(op: Selection) -> &'static [&'static str] {
    match op {
        Selection::And => &["", "<mo>∧</mo>"],
        Selection::Or => &["", "<mo>∨</mo>"],
        _ => &["<mo>¬</mo>"],
    }
}

fn choice(branches: Vec<(Part, Part)>, otherwise: Part, out: &mut Layout) {
    out.text("<mrow><mo>{</mo><mtable>");
    for (condition, value) in branches {
        out.enclosed("<mtr><mtd>", value, "</mtd><mtd><mrow><mtext>if </mtext>");
        out.enclosed("", condition, "</mrow></mtd></mtr>");
    }
    out.enclosed("<mtr><mtd>", otherwise, "</mtd><mtd><mtext>otherwise</mtext></mtd></mtr></mtable></mrow>");
}

/// A vector is a column; of a higher rank, the last axis runs along the row.
fn array(parts: Vec<Part>, extents: &[usize], out: &mut Layout) {
    let row = if extents.len() > 1 { extents.last().copied().unwrap_or(1).max(1) } else { 1 };
    out.text("<mrow><mo>[</mo><mtable>");
    for (i, part) in parts.into_iter().enumerate() {
        out.text(if i.is_multiple_of(row) { "<mtr>" } else { "" });
        out.enclosed("<mtd>", part, "</mtd>");
        out.text(if (i + 1).is_multiple_of(row) { "</mtr>" } else { "" });
    }
    out.text("</mtable><mo>]</mo></mrow>");
}

/// A variable's name.
pub fn name(name: &str) -> String {
    spelled(&Name::of(name))
}

fn spelled(name: &Name) -> String {
    let letter = |text: &str| greek(text).map_or_else(|| escaped(text), |(_, letter)| letter.to_owned());
    let stem = format!("<mi>{}</mi>", letter(&name.stem));
    let below = match (name.subscript.as_str(), name.index.as_str()) {
        ("", "") => return stem,
        (subscript, "") => letter(subscript),
        ("", index) => escaped(index),
        (subscript, index) => format!("{}, {}", letter(subscript), escaped(index)),
    };
    let tag = if below.chars().all(|c| c.is_ascii_digit()) { "mn" } else { "mtext" };
    format!("<msub>{stem}<{tag}>{below}</{tag}></msub>")
}

/// Text with XML's own signs made harmless; characters XML cannot hold are left out.
pub fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => {}
            c => safe.push(c),
        }
    }
    safe
}

/// The fraction of a partial derivative.
pub fn partial(of: &str, order: u32, by: &[(String, u32)]) -> String {
    let raised = |base: &str, order: u32| match order {
        1 => base.to_owned(),
        _ => format!("<msup>{base}<mn>{order}</mn></msup>"),
    };
    let below: String = by.iter().map(|(name, n)| format!("<mo>∂</mo>{}", raised(name, *n))).collect();
    let above = raised("<mo>∂</mo>", order);
    format!("<mfrac><mrow>{above}{of}</mrow><mrow>{below}</mrow></mfrac>")
}
