//! The words for faults in names and calls: what is wrong, and how to mend it.

use super::code::{DefinitionId, shorten};
use super::names;
use super::read::Reader;
use super::scope::Names;
use crate::error::{Diagnostic, Error, Span};
use crate::syntax::{Ast, ExprId, INDICES, Statement, Symbol, is_reducer};

/// Names listed in a hint.
const LISTED: usize = 8;

/// Names that other tools have, and what is written here.
#[rustfmt::skip]
const ELSEWHERE: &[(&[&str], &str)] = &[
    (&["diff", "D", "Derivative", "derivative", "derive"],  "a derivative is written `d/dx (…)`"),
    (&["grad", "gradient", "jacobian", "hessian"],          "write the function alone: its derivatives are what is asked for"),
    (&["integrate", "Integral", "integral", "limit"],       "integrals and limits are not read; derivatives are"),
    (&["clip"],                                             "write `clamp(x, low, high)`"),
    (&["factorial"],                                        "a factorial n! is `gamma(n + 1)`"),
    (&["Piecewise", "piecewise", "IfElse", "if_else"],      "a choice is `if(condition, a, b)`"),
];

pub(super) fn empty_vector(span: Span) -> Error {
    Error::shape(
        Diagnostic::error("a vector without elements").at(span, "").hint("write its elements: `[1, 2]`"),
    )
}

pub(super) fn refused(name: &str, why: &str, span: Span) -> Error {
    Error::name(Diagnostic::error(format!("`{name}` has no value here")).at(span, why))
}

pub(super) fn unknown_variable(name: &str, span: Span, names: &Names<'_>) -> Error {
    let diagnostic =
        Diagnostic::error(format!("unknown variable `{}`", shorten(name, 40))).at(span, "not declared");
    Error::name(match names.suggest_variable(name) {
        Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
        None => diagnostic.hint(known_variables(names.variables())),
    })
}

fn known_variables(variables: &[String]) -> String {
    let listed: Vec<String> =
        variables.iter().take(LISTED).map(|v| format!("`{}`", shorten(v, 40))).collect();
    let more = if variables.len() > LISTED { ", …" } else { "" };
    match listed.as_slice() {
        [] => "there are no variables here".to_owned(),
        [one] => format!("the only variable is {one}"),
        _ => format!("the variables are {}{more}", listed.join(", ")),
    }
}

pub(super) fn unknown_function(name: &str, span: Span, names: &mut Names<'_>) -> Error {
    let shown = shorten(name, 40);
    let diagnostic = Diagnostic::error(format!("unknown function `{shown}`"));
    let diagnostic = diagnostic.at(span, "not a function, nor a variable of the expression");
    let near = names.suggest_function(name);
    if let Some((_, hint)) = ELSEWHERE.iter().find(|(names, _)| names.contains(&name)) {
        return Error::name(diagnostic.hint(*hint));
    }
    Error::name(diagnostic.hint(match (product_with_function(name, names), near) {
        (Some((variable, function)), _) => format!("for a product write `{variable}*{function}(…)`"),
        (None, Some(near)) => format!("did you mean `{near}`?"),
        (None, None) => {
            format!("a product is written `{shown}*(…)`; a function is defined by `{shown}(t) = …`")
        }
    }))
}

/// `xsin`: a variable's letter and a function.
fn product_with_function<'n>(name: &'n str, names: &mut Names<'_>) -> Option<(&'n str, &'n str)> {
    let (variable, function) = name.split_at(name.chars().next()?.len_utf8());
    names::builtin(names::canonical(function))?;
    names.segment(variable).map(|_| (variable, function))
}

pub(super) fn not_a_function(name: &str, span: Span, args: usize) -> Error {
    let name = shorten(name, 40);
    let label = if args == 0 { "nothing between the parentheses" } else { "called with several arguments" };
    let hint = format!("a function is defined by `{name}(x, y) = …`");
    Error::name(
        Diagnostic::error(format!("`{name}` is a variable, not a function")).at(span, label).hint(hint),
    )
}

pub(super) fn wrong_arity(
    name: &str,
    signature: &str,
    (least, most): (usize, usize),
    given: usize,
) -> Diagnostic {
    let count = |n: usize| match n {
        0 => "no argument".to_owned(),
        1 => "1 argument".to_owned(),
        n => format!("{n} arguments"),
    };
    let takes = match (least, most) {
        (least, usize::MAX) => format!("at least {}", count(least)),
        (least, most) if least == most => count(least),
        (least, most) => format!("{least} to {most} arguments"),
    };
    let message = format!("`{name}` takes {takes}, and here are {given}");
    let message = if given == 1 { message.replace("here are 1", "here is 1") } else { message };
    Diagnostic::error(message.replace("here are 0", "here is none")).hint(format!("call it as `{signature}`"))
}

pub(super) fn two_inverses(name: &str, span: Span) -> Error {
    Error::name(
        Diagnostic::error(format!("`{name}^-1` could be the inverse function or the reciprocal"))
            .at(span, "")
            .hint(format!("the reciprocal is `1/{name}(…)`")),
    )
}

pub(super) fn too_long_numbers(span: Span, most: u64) -> Error {
    let message = format!("the exponents of all numbers add up to more than {most}");
    Error::limit(
        Diagnostic::error(message)
            .at(span, "one too many")
            .hint("such numbers are far outside of what can be computed"),
    )
}

/// The parameters of a definition; `None` when it has none, not even parentheses.
pub(super) fn parameters(ast: &Ast, id: DefinitionId) -> Option<&[(Symbol, Span)]> {
    match &ast.statements()[id.index()] {
        Statement::Definition { params, .. } => params.as_deref(),
        Statement::Expression(_) => None,
    }
}

pub(super) fn defined_name(ast: &Ast, id: DefinitionId) -> &str {
    match &ast.statements()[id.index()] {
        Statement::Definition { name, .. } => ast.name(*name),
        Statement::Expression(_) => "",
    }
}

impl Reader<'_, '_> {
    /// A function's name where a value should be; `negated` is what was subtracted from it.
    pub(super) fn needs_argument(&self, f: u32, negated: Option<ExprId>) -> Error {
        let (callee, span) = self.bare(f);
        let name = span.text(self.ast.source());
        let behind = self.ast.source().get(span.end as usize..).unwrap_or_default();
        let hint = match (negated, self.signature(callee)) {
            _ if behind.starts_with('[') && is_reducer(name) => INDICES.to_owned(),
            (Some(id), _) => format!("write `{name}(-{})`", shorten(self.ast.text(id), 30)),
            (None, signature) => match signature.split_once('(') {
                Some((_, arguments)) => format!("write `{name}({arguments}`"),
                None => format!("write `{name}(x)`"),
            },
        };
        Error::name(
            Diagnostic::error(format!("`{name}` needs an argument")).at(span, "a function").hint(hint),
        )
    }

    /// `f'`
    pub(super) fn primed_function(&self, f: u32, span: Span) -> Error {
        let (callee, _) = self.bare(f);
        let hint = format!("a derivative is written `d/dx {}`", self.signature(callee));
        Error::name(
            Diagnostic::error("`'` is the transpose, not the derivative")
                .at(span, "of a function")
                .hint(hint),
        )
    }
}
