//! From text to graph: what is read as what, which words guesses and faults are told in, and that
//! no text makes elaboration slow, deep or panic.

use std::time::{Duration, Instant};

use symdiff::elaborate::{self, Elaborated, Options};
use symdiff::ir::eval::evaluate;
use symdiff::{Error, Function, Limits, Severity, syntax};

fn read_with(text: &str, variables: Option<&[String]>) -> Result<Elaborated, Error> {
    let ast = syntax::parse(text, &Limits::default())?;
    elaborate::elaborate(&ast, &Options { variables, limits: Limits::default() })
}

#[track_caller]
fn read(text: &str) -> Elaborated {
    match read_with(text, None) {
        Ok(read) => read,
        Err(error) => panic!("`{text}` is not read: {error}"),
    }
}

fn values(function: &Function, point: &[f64]) -> Vec<f64> {
    evaluate(function.graph(), function.inputs(), function.outputs(), point)
}

/// The scalars the inputs are made of, then the value at 2, 3, 4, … .
#[track_caller]
fn check_all(text: &str, inputs: &str, expected: &[f64]) {
    let function = read(text).function;
    assert_eq!(function.scalar_names().join(" "), inputs, "for `{text}`");
    let point: Vec<f64> = (0..function.input_size()).map(|i| 2.0 + i as f64).collect();
    let actual = values(&function, &point);
    assert_eq!(actual.len(), expected.len(), "for `{text}`: {actual:?}");
    for (&a, &b) in actual.iter().zip(expected) {
        let close = (a - b).abs() <= 1e-14 * b.abs() || (a.is_nan() && b.is_nan()) || a == b;
        assert!(close, "for `{text}`: {actual:?}, not {expected:?}");
    }
}

#[track_caller]
fn check(text: &str, inputs: &str, expected: f64) {
    check_all(text, inputs, &[expected]);
}

/// All notes: severity, message, hint.
#[track_caller]
fn check_notes(text: &str, expected: &[&str]) {
    let shown = |d: &symdiff::Diagnostic| {
        let hint = d.hint.as_ref().map_or(String::new(), |hint| format!(" ? {hint}"));
        let severity = if d.severity == Severity::Warning { "warning: " } else { "" };
        format!("{severity}{}{hint}", d.message)
    };
    let actual: Vec<String> = read(text).notes.iter().map(shown).collect();
    assert_eq!(actual, expected, "for `{text}`");
}

#[track_caller]
fn check_reading(text: &str, expected: &str) {
    check_notes(text, &[&format!("read `{text}` as `{expected}`")]);
}

/// The message, the text under the caret with its label, further places, and the hint.
fn shown_error(text: &str, error: &Error) -> String {
    let diagnostic = error.diagnostic();
    let mut shown = diagnostic.message.clone();
    let caret = diagnostic.span.map(|span| (span, diagnostic.label.clone()));
    for (span, label) in caret.into_iter().chain(diagnostic.labels.clone()) {
        shown += &format!(" | {}", span.text(text));
        if !label.is_empty() {
            shown += &format!(": {label}");
        }
    }
    if let Some(hint) = &diagnostic.hint {
        shown += &format!(" ? {hint}");
    }
    shown
}

#[track_caller]
fn check_error(text: &str, expected: &str) {
    match read_with(text, None) {
        Ok(_) => panic!("`{text}` is read"),
        Err(error) => assert_eq!(shown_error(text, &error), expected, "for `{text}`"),
    }
}

#[track_caller]
fn check_declared(text: &str, variables: &[&str], expected: Result<f64, &str>) {
    let variables: Vec<String> = variables.iter().map(|v| (*v).to_owned()).collect();
    let actual = read_with(text, Some(&variables)).map(|read| {
        let point: Vec<f64> = (0..read.function.input_size()).map(|i| 2.0 + i as f64).collect();
        values(&read.function, &point)[0]
    });
    let actual = actual.map_err(|error| shown_error(text, &error));
    assert_eq!(actual, expected.map_err(str::to_owned), "for `{text}`");
}

#[test]
fn constants_are_what_mathematics_says() {
    use std::f64::consts::{E, PI};
    check("e + pi", "", E + PI);
    check("π", "", PI);
    check("e^x", "x", 2f64.exp());
    check("e**(2*x)", "x", 4f64.exp());
    check("(e)^x", "x", 2f64.exp());
    check("0.1 + 0.2 - 3/10", "", 0.0);
    check("0^0", "", 1.0);
    check("i*tau", "i tau", 6.0);
}

#[test]
fn functions_have_all_their_names() {
    check("log(x) - ln(x)", "x", 0.0);
    check("log(x, y)", "x y", 2f64.ln() / 3f64.ln());
    check("log(8, 2) + log(1000, 10)", "", 6.0);
    check("log₂(8) + log_10(100)", "", 5.0);
    check("arcsin(1) - asin(1) + arctg(x) - atan(x)", "x", 0.0);
    check("sgn(-3) + sign(2)", "", 0.0);
    check("psi(x) - digamma(x)", "x", 0.0);
    check("expit(0) + logistic(0)", "", 1.0);
    check("max(x, y, z) - min(x, y, z) + max([x, y])", "x y z", 5.0);
    check("logsumexp(x, x)", "x", 2.0 + 2f64.ln());
    check("√x + ∛8 + |x - 5|", "x", 2f64.sqrt() + 5.0);
    check("polygamma(1, 1)", "", std::f64::consts::PI.powi(2) / 6.0);
}

#[test]
fn the_library_is_inlined() {
    check("asec(x) + acsc(x)", "x", std::f64::consts::FRAC_PI_2);
    check("acot(1)", "", std::f64::consts::FRAC_PI_4);
    check("clamp(x, 0, 1) + clamp(-x, 0, 1)", "x", 1.0);
    check("leaky_relu(-100) + leaky_relu(-1, 0.5) + leaky_relu(x)", "x", 0.5);
    check("elu(-1, 2)", "", 2.0 * (-1f64).exp_m1());
    check("silu(x) - swish(x) + heaviside(0)", "x", 0.5);
    check("gelu(0) + norm([3, 4])", "", 5.0);
    check("mod(-7, 3) + mod(x, 4)", "x", 4.0);
}

#[test]
fn juxtaposition_is_product_or_application() {
    let (x, y) = (2f64, 3f64);
    check("2x", "x", 4.0);
    check("1/2x", "x", 1.0);
    check("(x+1)(x-1)", "x", 3.0);
    check("sin x cos x", "x", x.sin() * x.cos());
    check("sin 2x", "x", 4f64.sin());
    check("2 sin x / 3", "x", 2.0 * x.sin() / 3.0);
    check("sin (x) y", "x y", x.sin() * y);
    check("sin x y", "x y", 6f64.sin());
    check("sin cos x", "x", x.cos().sin());
    check("sin x cos(x)^2", "x", x.sin() * x.cos().powi(2));
    check("sin (x)^2", "x", x.sin().powi(2));
    check("sin^2(x) + cos² x", "x", 1.0);
    check("log^2 x", "x", x.ln().powi(2));
    check("2*-sin x", "x", -2.0 * x.sin());
    check("√sin x", "x", x.sin().sqrt());
    check("tan^-1(1)", "", std::f64::consts::FRAC_PI_4);
    check("asec^-2(x)", "x", 1.0 / 0.5f64.acos().powi(2));
    check("cos πx", "x", 1.0);
}

#[test]
fn a_variable_before_a_parenthesis_is_a_factor() {
    check("x(x+1)", "x", 6.0);
    check("a(b+c)", "a b c", 14.0);
    check("x(x+1)^2", "x", 18.0);
    check("1/x(y+1)", "x y", 2.0);
    check("-x(y+1)", "x y", -8.0);
    check("a^n(y+1)", "a n y", 40.0);
    check("2^x(y+1)^2", "x y", 64.0);
    check("sin^n(x)", "n x", 3f64.sin().powi(2));
    check("e(x+1)", "x", 3.0 * std::f64::consts::E);
    check("foo + foo(x+1)", "foo x", 10.0);
    check("x*-y(z)", "x y z", -24.0);
}

#[test]
fn names_are_taken_apart_only_into_variables() {
    check("3xy + x + y", "x y", 23.0);
    check("xy", "xy", 2.0);
    check("xy + x", "xy x", 5.0);
    check("xy^2 + x + y", "x y", 23.0);
    check("1/xy + x + y", "x y", 5.0 + 1.0 / 6.0);
    check("x1x2 + x1 + x2", "x1 x2", 11.0);
    check("a = 3; ax + x", "x", 8.0);
    check("theta + t + h + e + a", "theta t h a", 14.0 + std::f64::consts::E);
    check("πr^2", "r", 4.0 * std::f64::consts::PI);
    check("f(x, y) = x² + 3xy + y²", "x y", 31.0);
}

#[test]
fn greek_letters_are_variables_until_applied() {
    check("gamma*m", "gamma m", 6.0);
    check("gamma(x)", "x", 1.0);
    check("gamma x", "x", 1.0);
    check("psi^2", "psi", 4.0);
}

#[test]
fn definitions_are_inlined() {
    check("f(x) = x^2; f(3x) + 1", "x", 37.0);
    check("a = 3; a*x", "x", 6.0);
    check("f(x) = a*x; f(2)", "a", 4.0);
    check("g(x) = f(x) + 1; f(x) = x^2; g(2)", "", 5.0);
    check("f() = 3; f() + x", "x", 5.0);
    check("f(x) = x^2; f 3", "", 9.0);
    check("f = x^2; f(x+1)", "x", 12.0);
    check("f(v) = v[0]*v[1]; f([3, 4])", "", 12.0);
    check("sin(x) = x^3; sin(2)", "", 8.0);
    check("f(y, x) = x - y", "y x", 1.0);
    check("b = y; x + b", "y x", 5.0);
    assert_eq!(read("f(x) = x^2").name.as_deref(), Some("f"));
    assert_eq!(read("f(x) = x^2; f(x)").name, None);
}

#[test]
fn heads_of_derivatives_are_passed_on() {
    assert_eq!(read("d²/dx² sin x").derivative, [("x".to_owned(), 2)]);
    assert_eq!(read("∂²/∂x∂y x*y").derivative, [("x".to_owned(), 1), ("y".to_owned(), 1)]);
}

#[test]
fn conditions_choose() {
    check("if(x > 0, x, -x)", "x", 2.0);
    check("where(x >= 3, 1, 2)", "x", 2.0);
    check("if(and(x > 0, not(y > 1)), x, y)", "x y", 3.0);
    check("if(or(x == 0, x != 0), 5, 6)", "x", 5.0);
    check_all("if([x, y] > 2, [x, y], 0)", "x y", &[0.0, 3.0]);
}

#[test]
fn vectors_are_indexed_and_multiplied() {
    check("x[0]*x[1]", "x[0] x[1]", 6.0);
    check("x[0:3]·x[1:4]", "x[0] x[1] x[2] x[3]", 38.0);
    check("m[0, 1]*m[1, 0] + m[1][1]", "m[0] m[1] m[2] m[3]", 17.0);
    check_all("x + x[1]", "x[0] x[1]", &[5.0, 6.0]);
    check_all("[1, 2]*2 + [3, 4]/[1, 2]", "", &[5.0, 6.0]);
    check_all("-[1, 2]^2", "", &[-1.0, -4.0]);
    check_all("[[1, 2], [3, 4]] @ [x, y]", "x y", &[8.0, 18.0]);
    check_all("[[1, 2], [3, 4]] @ [[1], [2]]", "", &[5.0, 11.0]);
    check_all("[x, y] @ [[1, 2], [3, 4]]", "x y", &[11.0, 16.0]);
    check_all("[[1, 2], [3, 4]]'", "", &[1.0, 3.0, 2.0, 4.0]);
    check_all("m = [[1, 2], [3, 4]]; m[1] + m[0, :]", "", &[4.0, 6.0]);
    check_all("m = [[1, 2], [3, 4]]; m[:, 1]", "", &[2.0, 4.0]);
    check_all("v = [1, 2, 3, 4]; v[:2] + v[2:]", "", &[4.0, 6.0]);
    check("2·x + dot([1, 2], [3, 4])", "x", 15.0);
    check("sum([1, 2, 3]) + mean([1, 2, 3]) + sum(x)", "x", 10.0);
    check_all("abs([-1, 2])", "", &[1.0, 2.0]);
}

#[test]
fn guesses_are_told() {
    check_reading("2x", "2*x");
    check_reading("3x^4", "3*x^4");
    check_reading("2 sin x / 3", "2*sin(x) / 3");
    check_reading("sin^2(x)", "sin(x)^2");
    check_reading("cos² x", "cos(x)²");
    check_reading("sin^n(x)", "sin(x)^n");
    check_reading("log sin 2x", "log(sin(2*x))");
    check_reading("sin x cos x", "sin(x)*cos(x)");
    check_reading("x(x+1)^2", "x*(x+1)^2");
    check_reading("1/x(y+1)", "1/x*(y+1)");
    check_reading("a^n(y+1)", "a^n*(y+1)");
    check_reading("πr²", "π*r²");
    check_notes("f(x, y) = x² + 3xy + y²", &["read `3xy` as `3*x*y`"]);
    check_notes("1/xy + x + y", &["read `1/xy` as `1/(x*y)`"]);
    check_notes("e^xy + x + y", &["read `e^xy` as `e^(x*y)`"]);
    check_notes("2x + 2x", &["read `2x` as `2*x`"]);
    check_notes(
        "2x + 3x + 4x + 5x + 6x",
        &["read `2x` as `2*x`", "read `3x` as `3*x`", "read `4x` as `4*x` ? 2 more are read in the same way"],
    );
    check_notes("x^2 + sin(x)*y", &[]);
}

#[test]
fn other_choices_are_told() {
    check_notes(
        "sin^-1(x)",
        &[
            "read `sin^-1(x)` as `asin(x)`",
            "`sin^-1` is read as the inverse function, `asin` ? the reciprocal is `1/sin(x)`",
        ],
    );
    check_notes("x[0]*x[1]", &["read `x` as a vector of 2 elements"]);
    check_notes("m[1, 2]", &["read `m` as an array of 2×3 elements"]);
    check_notes("gamma*m", &["read `gamma` as a variable; the function is `gamma(x)`"]);
    check_notes(
        "|[x, y]|",
        &["read `|[x, y]|` element by element ? the length of a vector is `norm([x, y])`"],
    );
    check_notes("a = 3; b = 4; a", &["warning: `b` is defined but not used"]);
    check_notes("sin(x) = x; sin(1)", &["`sin` means what is defined here, not the language's own `sin`"]);
    check_notes("f(x) = a*x", &["`a` is no parameter of `f`; it becomes a further variable"]);
}

#[test]
fn constants_outside_a_domain_are_warned_of() {
    let texts = [
        "log(-1)",
        "log(0)",
        "sqrt(-1)",
        "1/0",
        "0/0",
        "asin(2)",
        "gamma(0)",
        "gamma(-1)",
        "x/0",
        "atanh(1)",
        "0^-1",
    ];
    for text in texts {
        check_notes(text, &[&format!("warning: `{text}` is undefined over the reals")]);
    }
    check_notes(
        "(-8)^(1/3)",
        &["warning: `(-8)^(1/3)` is undefined over the reals ? the real cube root is `cbrt`"],
    );
    check_notes("asec(0)", &["warning: `1/x` is undefined over the reals, in `asec`"]);
    for text in ["log(2)", "gamma(200)", "exp(1000)", "asin(1)", "(-8)^3", "cbrt(-8)", "atan2(0, 0)"] {
        check_notes(text, &[]);
    }
}

#[test]
fn names_that_are_not_known_are_refused_with_a_mend() {
    let label = "not a function, nor a variable of the expression";
    check_error(
        "diff(x^2, x)",
        &format!("unknown function `diff` | diff: {label} ? a derivative is written `d/dx (…)`"),
    );
    check_error(
        "clip(x, 0, 1)",
        &format!("unknown function `clip` | clip: {label} ? write `clamp(x, low, high)`"),
    );
    check_error("sine(x)", &format!("unknown function `sine` | sine: {label} ? did you mean `sin`?"));
    check_error("Sin(x)", &format!("unknown function `Sin` | Sin: {label} ? did you mean `sin`?"));
    check_error("gleu(x)", &format!("unknown function `gleu` | gleu: {label} ? did you mean `gelu`?"));
    check_error(
        "area(r)=r^2; aera(x)",
        &format!("unknown function `aera` | aera: {label} ? did you mean `area`?"),
    );
    check_error(
        "x + xsin(x)",
        &format!("unknown function `xsin` | xsin: {label} ? for a product write `x*sin(…)`"),
    );
    check_error(
        "frobnicate(x)",
        &format!(
            "unknown function `frobnicate` | frobnicate: {label} ? \
             a product is written `frobnicate*(…)`; a function is defined by `frobnicate(t) = …`"
        ),
    );
    check_error("inf + 1", "`inf` has no value here | inf: infinity is not a number of the language");
    check_error(
        "x + x(1, 2)",
        "`x` is a variable, not a function | x: called with several arguments ? a function is defined by `x(x, y) = …`",
    );
}

#[test]
fn functions_without_arguments_are_refused_with_a_mend() {
    check_error("sin", "`sin` needs an argument | sin: a function ? write `sin(x)`");
    check_error("sin -x", "`sin` needs an argument | sin: a function ? write `sin(-x)`");
    check_error("2 sin", "`sin` needs an argument | sin: a function ? write `sin(x)`");
    check_error("sin * x", "`sin` needs an argument | sin: a function ? write `sin(x)`");
    check_error("sin^2 + 1", "`sin` needs an argument | sin: a function ? write `sin(x)`");
    check_error("f(x, y) = x; f + 1", "`f` needs an argument | f: a function ? write `f(x, y)`");
    check_error(
        "log^-1(x)",
        "`log^-1` could be the inverse function or the reciprocal | log ? the reciprocal is `1/log(…)`",
    );
    check_error(
        "sin'(x)",
        "`'` is the transpose, not the derivative | sin': of a function ? a derivative is written `d/dx sin(x)`",
    );
}

#[test]
fn wrong_numbers_of_arguments_name_the_right_ones() {
    check_error("sin(x, y)", "`sin` takes 1 argument, and here are 2 | sin ? call it as `sin(x)`");
    check_error("sin()", "`sin` takes 1 argument, and here is none | sin ? call it as `sin(x)`");
    check_error("atan2(x)", "`atan2` takes 2 arguments, and here is 1 | atan2 ? call it as `atan2(y, x)`");
    check_error(
        "clamp(x)",
        "`clamp` takes 3 arguments, and here is 1 | clamp ? call it as `clamp(x, lo, hi)`",
    );
    check_error(
        "elu(x, 1, 2)",
        "`elu` takes 1 to 2 arguments, and here are 3 | elu ? call it as `elu(x, a = 1)`",
    );
    check_error(
        "max()",
        "`max` takes at least 1 argument, and here is none | max ? call it as `max(a, b, …)`",
    );
    check_error("f(x, y) = x*y; f(2)", "`f` takes 2 arguments, and here is 1 | f ? call it as `f(x, y)`");
}

#[test]
fn circles_of_definitions_are_shown() {
    let hint = "recursion is not part of the language; write the steps out";
    check_error(
        "f(x) = g(x); g(x) = f(x) + 1; f(2)",
        &format!(
            "these definitions go in a circle: f → g → f | f(x): back to the beginning | f: defined here ? {hint}"
        ),
    );
    check_error(
        "f(x) = f(x-1)",
        &format!("`f` is defined by itself | f(x-1): back to the beginning | f: defined here ? {hint}"),
    );
    check_error(
        "a = a + 1; 2",
        &format!("`a` is defined by itself | a: back to the beginning | a: defined here ? {hint}"),
    );
}

#[test]
fn statements_that_make_no_sense_are_refused() {
    check_error("f(x)=x; f(x)=2; f(1)", "`f` is defined twice | f: defined again | f: first defined here");
    check_error(
        "x^2; x^3",
        "an expression before the last one has no use | x^2: its value is not used | \
         x^3: only this would be computed ? give it a name, as in `a = …; a + 1`, or remove it",
    );
}

#[test]
fn conditions_and_numbers_are_not_mixed() {
    check_error("x > 0", "a condition is not a number | x > 0: true or false ? write `if(x > 0, 1, 0)`");
    check_error(
        "(x > 0) + 1",
        "a condition is not a number | x > 0: true or false ? write `if(x > 0, 1, 0)`",
    );
    check_error(
        "f(x) = x; f(x > 0)",
        "a condition is not a number | x > 0: true or false ? write `if(x > 0, 1, 0)`",
    );
    check_error("if(x, 1, 2)", "a condition was expected | x: this is a number ? compare it: `x != 0`");
}

#[test]
fn shapes_that_do_not_fit_are_named_with_their_places() {
    let hint = "operands must have equal shapes, or one must be a single number";
    check_error(
        "[1, 2] + [1, 2, 3]",
        &format!("the shapes [2] and [3] do not match | [1, 2, 3]: shape [3] | [1, 2]: shape [2] ? {hint}"),
    );
    check_error(
        "clamp([1, 2], 0, [1, 2, 3])",
        &format!(
            "the shapes [2] and [3] do not match, in `clamp` | clamp([1, 2], 0, [1, 2, 3]): in this call ? {hint}"
        ),
    );
    check_error(
        "f(v) = v + [1, 2]; f([1])",
        &format!(
            "the shapes [1] and [2] do not match | [1, 2]: shape [2] | v: shape [1] | f([1]): in this call ? {hint}"
        ),
    );
    check_error(
        "A = [[1, 2], [3, 4], [5, 6]]; A @ [x, y, z]",
        "the shapes [3,2] and [3] do not fit for `@` | [x, y, z]: a vector of 3 | A: a 3×2 matrix ? did you mean `A' @ [x, y, z]`?",
    );
    check_error(
        "2 @ x",
        "`@` is the product of vectors and matrices | x: a number | 2: a number ? for numbers write `*`",
    );
    check_error(
        "[x, [1, 2]]",
        "the elements of a vector must have one shape | [1, 2]: a vector of 2 | x: a number",
    );
    check_error("[]", "a vector without elements | [] ? write its elements: `[1, 2]`");
    check_error(
        "x'",
        "only a matrix has a transpose | x: a number ? `'` is the transpose; a derivative is written `d/dx …`",
    );
    check_error(
        "[1, 2]'",
        "only a matrix has a transpose | [1, 2]: a vector of 2 ? \
         a vector has one axis: `[1, 2]·w` is a product of two, `[[1, 2]]` a matrix of one row",
    );
}

#[test]
fn indices_outside_are_told_the_valid_ones() {
    check_error(
        "v = [1, 2]; v[2]",
        "the index 2 is out of range | 2: the indices are 0 to 1 | v: a vector of 2",
    );
    check_error(
        "v = [1, 2]; v[-1]",
        "the index -1 is out of range | -1: the indices are 0 to 1 | v: a vector of 2 ? the last element has the index 1",
    );
    check_error("v = [1, 2]; v[0.5]", "an index must be a whole number | 0.5: not a whole number");
    check_error(
        "x[y]",
        "an index must be a constant | y: not a constant ? write a whole number, as in `x[0]`",
    );
    check_error(
        "v = [1, 2]; v[1:1]",
        "an empty range | 1: not above the beginning ? `x[1:3]` are the elements 1 and 2",
    );
    check_error("a = 3; a[0]", "`a` is a number and has no elements | a[0]: indexed here | a: a number");
    check_error(
        "v = [1, 2]; v[0, 1]",
        "`v` has 1 axis, and here are 2 subscripts | v[0, 1] | v: a vector of 2",
    );
    check_error(
        "polygamma(x, 1)",
        "the order of `polygamma` must be a whole number from 0 on | x: not a constant whole number ? \
         polygamma(1, x) is the derivative of digamma(x)",
    );
}

#[test]
fn declared_variables_are_all_there_are() {
    check_declared("e + gamma*beta*pi", &["e", "gamma", "beta", "pi"], Ok(62.0));
    check_declared("y - x", &["x", "y", "z"], Ok(1.0));
    check_declared("xy", &["x", "y"], Ok(6.0));
    check_declared("max(x + 1)", &["x", "max"], Ok(9.0));
    check_declared("f(x) = x^2 + y", &["x", "y"], Ok(7.0));
    check_declared(
        "x + z",
        &["x", "y"],
        Err("unknown variable `z` | z: not declared ? the variables are `x`, `y`"),
    );
    check_declared(
        "hieght*2",
        &["height", "width"],
        Err("unknown variable `hieght` | hieght: not declared ? did you mean `height`?"),
    );
    check_declared(
        "x = 3; x",
        &["x"],
        Err("`x` is a variable and cannot be defined | x: declared as a variable"),
    );
    check_declared("x", &["x", "x"], Err("the variable `x` is declared twice"));
    check_declared(
        "f(x + 1)",
        &["x"],
        Err("unknown function `f` | f: not a function, nor a variable of the expression ? \
             a product is written `f*(…)`; a function is defined by `f(t) = …`"),
    );
}

#[test]
fn conditions_become_assumptions() {
    let count = |text: &str| {
        let mut function = read("x*y + log(x)").function;
        elaborate::condition(&mut function, text, &Limits::default()).map(|()| function.assumptions().len())
    };
    let fault = |text: &str| shown_error(text, &count(text).expect_err("it is refused"));
    assert_eq!(count("x > 0").ok(), Some(1));
    assert_eq!(count("x > 0, y != 0").ok(), Some(2));
    assert_eq!(count("x > 0 and y < 1").ok(), Some(2));
    assert_eq!(count("and(x > 0, y < 1)").ok(), Some(1));
    assert_eq!(count("max(x, y) >= 2x").ok(), Some(1));
    assert_eq!(fault("x > 0, z > 0"), "unknown variable `z` | z: not declared ? the variables are `x`, `y`");
    assert_eq!(fault("x"), "this is no condition | x: a number ? a condition compares: `x > 0`, `x != 0`");
    assert_eq!(fault("x = 0"), "a condition was expected, not a definition | x ? equality is written `==`");
    for text in ["", "x >", "x > 0,", "and", "(", ")", ",", "x > 0 and", "é", "é > 0 and ñ < 1"] {
        assert!(count(text).is_err(), "`{text}` is taken");
    }
}

/// Elaborated, or refused with a typed error, in less than this however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(if cfg!(debug_assertions) { 60 } else { 10 });

#[track_caller]
fn timed(text: &str) -> Result<Elaborated, Error> {
    let start = Instant::now();
    let result = read_with(text, None);
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    result
}

fn repeated(count: usize, f: impl Fn(usize) -> String) -> String {
    (0..count).map(f).collect()
}

#[test]
fn large_texts_are_read() {
    let sum = repeated(100_000, |i| format!("sin(x{i})*{i} + "));
    let read = timed(&(sum + "1")).expect("a sum");
    assert_eq!(read.function.inputs().len(), 100_000);

    let minus = "-".repeat(1_000_000) + "x";
    assert_eq!(values(&timed(&minus).expect("a sign").function, &[2.0]), [2.0]);

    let nested = "gelu(".repeat(9_000) + "x" + &")".repeat(9_000);
    assert!(timed(&nested).is_ok());
    assert!(timed(&("sin ".repeat(200_000) + "x")).is_ok());
    assert!(timed(&"x ".repeat(200_000)).is_ok());
    assert!(timed(&("x(".repeat(9_000) + "x" + &")".repeat(9_000))).is_ok());
    assert!(timed(&("x^".repeat(200_000) + "x")).is_ok());
    assert!(timed(&(vec!["xy"; 100_000].join("+") + "+x+y")).is_ok());
    assert!(timed("9^9^9^9 + x^(10^9)").is_ok());
}

#[test]
fn nested_doubling_stays_linear() {
    let chain = repeated(99_999, |i| format!("f{}(x) = f{i}(x)*f{i}(x); ", i + 1));
    let read = timed(&format!("f0(x) = x; {chain} f99999(x)")).expect("a chain");
    assert!(read.function.graph().len() <= 100_001);
}

#[test]
fn what_would_be_too_large_is_refused() {
    let doubling = repeated(60, |i| format!("f{}(x) = f{i}(2*x) + f{i}(x + 1); ", i + 1));
    let tensor = repeated(8, |i| format!("a{} = [{}]; ", i + 1, vec![format!("a{i}"); 10].join(",")));
    let texts = [
        format!("f0(x) = x; {doubling} f60(x)"),
        "x[4000000000]".to_owned(),
        "max(x[0:3000000])".to_owned(),
        format!("a = [{}]; b = [[{}]]; (a@b)[0, 0]", vec!["[1]"; 3000].join(","), vec!["1"; 3000].join(",")),
        "[".repeat(20) + "1" + &"]".repeat(20),
        format!("a0 = 1; {tensor} sum(a8)"),
        "x".to_owned() + &"[0]".repeat(100_000),
        repeated(9_000, |i| format!("1e{i} + ")) + "1",
    ];
    for text in texts {
        match timed(&text) {
            Ok(_) => panic!("`{}…` is read", &text[..60.min(text.len())]),
            Err(error) => assert!(error.is_limit(), "{error}"),
        }
    }
    let circle = repeated(100_000, |i| format!("a{i} = a{} + 1; ", (i + 1) % 100_000));
    assert!(timed(&(circle + "a0")).is_err_and(|error| error.is_name()));
}

/// A small generator, so that the soup is the same each time.
fn next(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 33) as usize
}

#[test]
fn no_soup_of_tokens_panics() {
    const TOKENS: &[&str] = &[
        "x",
        "y",
        "xy",
        "f",
        "sin",
        "log",
        "gamma",
        "gelu",
        "max",
        "sum",
        "if",
        "e",
        "π",
        "2",
        "0",
        "0.5",
        "(",
        ")",
        "(",
        ")",
        "[",
        "]",
        ",",
        ":",
        "+",
        "-",
        "*",
        "/",
        "^",
        "@",
        "·",
        "'",
        "²",
        "√",
        "|",
        ">",
        "==",
        " ",
        " ",
        "x(",
        "sin(",
        "v[",
        "f(x) = ",
        "; ",
        "a = ",
        "n",
        "polygamma(",
        "^-1",
        "ⁿ",
        "d/dx ",
        "atan2(",
        "[1,2]",
        "[[1,2],[3,4]]",
        "x[1]",
    ];
    let mut state = 0x9E37_79B9_7F4A_7C15;
    for _ in 0..30_000 {
        let length = 1 + next(&mut state) % 12;
        let text: String = (0..length).map(|_| TOKENS[next(&mut state) % TOKENS.len()]).collect();
        if let Ok(read) = read_with(&text, None) {
            let size = read.function.input_size();
            values(&read.function, &vec![0.5; size]);
        }
    }
}
