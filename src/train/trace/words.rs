//! What happened, and what helps: a table of causes, one row each, first that fits.

use super::follow::Fault;
use crate::elaborate::Origin;
use crate::error::Diagnostic;
use crate::ir::{Elementwise, Op, Precision, Reduction};
use crate::print::number;
use crate::train::{Cause, Finding};

/// What happened in words, and the mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    pub message: String,
    pub hint: String,
    /// Outside the domain, and not merely too large.
    pub is_undefined: bool,
}

/// When a row fits: the operands, and the value that came out.
type When = fn(&[f64], f64) -> bool;

const ABOVE_ZERO: &str =
    "keep its argument above 0: exp or softplus of it, `max(x, 1e-12)`, or a parameter in bounds";

/// Causes of values that are not finite. In the words `{a}` and `{b}` are the operands.
#[rustfmt::skip]
const CAUSES: &[(Elementwise, When, &str, &str)] = &[
    (Elementwise::Log,    |x, _| x[0] == 0.0,  "log of 0 is -inf",          ABOVE_ZERO),
    (Elementwise::Log,    |x, _| x[0] < 0.0,   "log of {a} is undefined",   ABOVE_ZERO),
    (Elementwise::Log2,   |x, _| x[0] <= 0.0,  "log2 of {a} is undefined",  ABOVE_ZERO),
    (Elementwise::Log10,  |x, _| x[0] <= 0.0,  "log10 of {a} is undefined", ABOVE_ZERO),
    (Elementwise::Log1p,  |x, _| x[0] <= -1.0, "log1p of {a} is undefined: 1 + x is not above 0", "keep its argument above -1, or take `log1p(relu(x))`"),
    (Elementwise::Log1mexp, |x, _| x[0] >= 0.0, "log(1 - exp(x)) of {a} is undefined: a probability reached 1", "keep its argument below 0"),
    (Elementwise::Sqrt,   |x, _| x[0] < 0.0,   "sqrt of {a} is undefined",  "keep its argument from falling below 0: `sqrt(max(x, 0))`, a square, or softplus of it"),
    (Elementwise::Div,    |x, _| x[0] == 0.0 && x[1] == 0.0, "0/0 is undefined", "add a small number to the divisor, such as `/(d + 1e-8)`, or treat the case with `if`"),
    (Elementwise::Div,    |x, _| x[1] == 0.0,  "{a}/0: the divisor is 0",   "add a small number to the divisor, such as `/(d + 1e-8)`, or treat the case with `if`"),
    (Elementwise::Div,    |_, _| true,         "{a}/{b} overflows",         "the divisor is nearly 0: add a small number to it"),
    (Elementwise::Exp,    |_, _| true,         "exp of {a} overflows",      "scale its argument (standardize the inputs, smaller weights or rate), bound it with `min(x, 50)`, or work with logarithms: logsumexp, log_softmax, softplus"),
    (Elementwise::Exp2,   |_, _| true,         "exp2 of {a} overflows",     "scale or bound its argument"),
    (Elementwise::Expm1,  |_, _| true,         "expm1 of {a} overflows",    "scale or bound its argument"),
    (Elementwise::Sinh,   |_, _| true,         "sinh of {a} overflows",     "scale or bound its argument"),
    (Elementwise::Cosh,   |_, _| true,         "cosh of {a} overflows",     "scale or bound its argument"),
    (Elementwise::Pow,    |x, y| x[0] < 0.0 && y.is_nan(), "{a}^{b} is undefined: a negative number to a power that is not whole", "take `abs(x)^p`, or keep the base from falling below 0"),
    (Elementwise::Pow,    |x, _| x[0] == 0.0,  "0^{b} is infinite",         "keep the base above 0: `(x + 1e-8)^p`"),
    (Elementwise::Pow,    |_, _| true,         "{a}^{b} overflows",         "scale the base, or bound it"),
    (Elementwise::Asin,   |x, _| x[0].abs() > 1.0, "asin of {a} is undefined: it is not within [-1, 1]", "bound its argument with `clamp(x, -1, 1)`"),
    (Elementwise::Acos,   |x, _| x[0].abs() > 1.0, "acos of {a} is undefined: it is not within [-1, 1]", "bound its argument with `clamp(x, -1, 1)`"),
    (Elementwise::Acosh,  |x, _| x[0] < 1.0,   "acosh of {a} is undefined: it is below 1", "bound its argument with `max(x, 1)`"),
    (Elementwise::Atanh,  |x, _| x[0].abs() >= 1.0, "atanh of {a} is undefined: it is not within (-1, 1)", "keep its argument inside with tanh or `clamp`"),
    (Elementwise::Tan,    |_, _| true,         "tan of {a} is infinite",    "keep its argument from odd multiples of pi/2"),
    (Elementwise::Csch,   |_, _| true,         "csch of {a} is infinite",   "keep its argument from 0"),
    (Elementwise::Coth,   |_, _| true,         "coth of {a} is infinite",   "keep its argument from 0"),
    (Elementwise::Gamma,  |_, _| true,         "gamma of {a} is not finite", "its logarithm, `lgamma`, is finite for large numbers; there are poles at 0, -1, -2, …"),
    (Elementwise::Lgamma, |_, _| true,         "lgamma of {a} is infinite", "there are poles at 0, -1, -2, …"),
    (Elementwise::Mul,    |_, _| true,         "{a}*{b} overflows",         "scale the factors, or add up logarithms instead of multiplying"),
    (Elementwise::Add,    |_, _| true,         "{a} + {b} overflows",       "scale the terms"),
    (Elementwise::Sub,    |_, _| true,         "{a} - {b} overflows",       "scale the terms"),
];

/// What helps where the value was computed by a function of the library.
#[rustfmt::skip]
const WITHIN: &[(&str, &str)] = &[
    ("bce",   "the prediction left (0, 1), or reached its ends: take `bce_logits(z, y)` of the number before the sigmoid"),
    ("kl",    "both arguments are probabilities: positive, with sum 1; take `softmax` of them"),
    ("logit", "its argument is a probability in (0, 1)"),
    ("std",   "the deviation is that of numbers which are all alike: add a small number to it"),
    ("norm",  "the length is that of a vector of zeros: add a small number, as in `sqrt(sum(x^2) + 1e-12)`"),
    ("layernorm", "the numbers to be normalised are all alike"),
];

impl Words {
    /// The words for a fault.
    pub fn of(fault: &Fault, precision: Precision) -> Words {
        let mut words = match fault.slope {
            Some(_) => slope(fault),
            None => value(fault),
        };
        let within = fault.origin.as_ref().and_then(|origin| origin.within.as_deref());
        if let Some((_, hint)) = within.and_then(|name| WITHIN.iter().find(|row| row.0 == name)) {
            words.hint = (*hint).to_owned();
        }
        if let Some(hint) = of_divisor(fault) {
            words.hint = hint.to_owned();
        }
        if precision == Precision::F32 && !words.is_undefined {
            words.message += " in single precision";
            words.hint += "; or `precision = f64`";
        }
        words
    }

    /// The words at their place.
    pub fn finding(&self, fault: &Fault) -> Finding {
        let cause = if self.is_undefined { Cause::Undefined } else { Cause::Overflow };
        let finding = Finding::fault(cause, self.diagnostic(fault));
        let names = ["a", "b", "c"].into_iter().zip(&fault.operands);
        names.fold(finding, |finding, (name, operand)| finding.with(name, operand.value))
    }

    fn diagnostic(&self, fault: &Fault) -> Diagnostic {
        let mut message = self.message.clone();
        if let [step, ..] = fault.steps.as_slice() {
            message += &format!(", at step {step} of a scan");
        }
        let diagnostic = Diagnostic::error(message).hint(self.hint.clone());
        let Some(Origin { span, within }) = &fault.origin else { return diagnostic };
        let label = match (&fault.name, within) {
            (_, Some(within)) => format!("within `{within}`"),
            (Some(name), None) => format!("in `{name}`"),
            _ => "here".to_owned(),
        };
        let mut diagnostic = diagnostic.at(*span, label);
        for operand in &fault.operands {
            if let (Some(origin), None) = (&operand.origin, within)
                && origin.span != *span
                && origin.within.is_none()
            {
                let text = match &operand.name {
                    Some(name) => format!("`{name}` is {}", short(operand.value)),
                    None => format!("is {}", short(operand.value)),
                };
                diagnostic = diagnostic.and_at(origin.span, text);
            }
        }
        diagnostic
    }
}

/// What is divided by, where that is 0 and has a name in mathematics.
fn of_divisor(fault: &Fault) -> Option<&'static str> {
    let is_division = fault.op == Op::Elementwise(Elementwise::Div) && fault.slope.is_none();
    let divisor = fault.operands.get(1).filter(|divisor| is_division && divisor.value == 0.0)?;
    let within = divisor.origin.as_ref().and_then(|origin| origin.within.as_deref());
    match (within, fault.made_by.get(1)) {
        (Some("std" | "variance"), _) => Some(
            "the deviation is 0: the numbers are all alike; add a small number to it, or leave the feature out",
        ),
        (Some("norm"), _) | (_, Some(Op::Elementwise(Elementwise::Sqrt))) => Some(
            "the root is that of 0: a vector of zeros, or numbers all alike; add a small number under it",
        ),
        _ => None,
    }
}

fn value(fault: &Fault) -> Words {
    let numbers: Vec<f64> = fault.operands.iter().map(|operand| operand.value).collect();
    let words = |message: String, hint: &str| {
        // What does not overflow is at the end of its domain, or beyond.
        let is_undefined = fault.value.is_nan() || !message.contains("overflow");
        Words { message, hint: hint.to_owned(), is_undefined }
    };
    match fault.op {
        Op::Elementwise(op) => {
            let row = CAUSES.iter().find(|row| row.0 == op && (row.1)(&numbers, fault.value));
            let text = row.map_or_else(
                || format!("{} of {} is {}", op.name(), list(&numbers), number(fault.value)),
                |row| filled(row.2, &numbers),
            );
            words(text, row.map_or("keep its arguments where it is defined", |row| row.3))
        }
        Op::Input(_) => {
            let name = fault.name.as_deref().unwrap_or("an input");
            words(
                format!("`{name}` is {} itself", number(fault.value)),
                "the numbers came in like that: look at the data, or at the update that made them",
            )
        }
        Op::Reduce { op: Reduction::LogSumExp, .. } => {
            words("logsumexp overflows".to_owned(), "its largest term is not finite; scale the terms")
        }
        _ => {
            let largest = numbers.iter().fold(0.0, |most: f64, x| x.abs().max(most));
            words(
                format!("a sum of products overflows: its terms reach {}", short(largest)),
                "scale the inputs, begin with smaller weights, or take a smaller rate",
            )
        }
    }
}

fn slope(fault: &Fault) -> Words {
    let numbers: Vec<f64> = fault.operands.iter().map(|operand| operand.value).collect();
    let at = |i: usize| numbers.get(i).copied().unwrap_or(f64::NAN);
    let i = fault.slope.unwrap_or(0);
    let (text, hint) = match fault.op {
        Op::Elementwise(op) if fault.value.is_finite() => (
            format!("the gradient overflows in {} of {}", op.name(), list(&numbers)),
            "scale the inputs, begin with smaller weights, or set `clip_norm`",
        ),
        Op::Elementwise(Elementwise::Sqrt) => (
            format!("the slope of sqrt at {} is infinite", short(at(0))),
            "add a small number under the root, as in `sqrt(s + 1e-12)`",
        ),
        Op::Elementwise(Elementwise::Pow) => (
            format!("the slope of x^{} at {} is {}", short(at(1)), short(at(0)), words_of(fault.value)),
            "keep the base above 0: `(x + 1e-8)^p`",
        ),
        Op::Elementwise(op) => (
            format!("the slope of {} at {} is {}", op.name(), short(at(i)), words_of(fault.value)),
            "keep its argument from this point, with a small number added or `clamp`",
        ),
        Op::Scan { .. } => (
            "the gradient through the steps of a scan overflows".to_owned(),
            "the recurrence multiplies its state each step: begin its matrix with `orthogonal`, scale it down, or set `clip_norm`",
        ),
        _ => (
            "the gradient overflows".to_owned(),
            "scale the inputs, begin with smaller weights, or set `clip_norm`",
        ),
    };
    Words { message: text, hint: hint.to_owned(), is_undefined: !fault.value.is_finite() }
}

fn words_of(x: f64) -> &'static str {
    if x.is_nan() { "undefined" } else { "infinite" }
}

fn filled(text: &str, numbers: &[f64]) -> String {
    let at = |i: usize| short(numbers.get(i).copied().unwrap_or(f64::NAN));
    text.replace("{a}", &at(0)).replace("{b}", &at(1))
}

fn list(numbers: &[f64]) -> String {
    numbers.iter().map(|&x| short(x)).collect::<Vec<_>>().join(" and ")
}

/// A number to four digits.
pub(crate) fn short(x: f64) -> String {
    number(format!("{x:.3e}").parse().unwrap_or(x))
}
