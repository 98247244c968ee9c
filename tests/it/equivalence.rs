//! Whether two functions mean the same, and what is said about it.

use symdiff::{Equivalence, Limits, assert_equivalent, condition, equivalence, grad, hessian, parse};

#[track_caller]
fn check(a: &str, b: &str, expected: &str) {
    let read = |text: &str| parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    assert_eq!(equivalence(&read(a), &read(b)).to_string(), expected, "{a} and {b}");
}

#[test]
fn forms_that_simplify_alike_are_proved() {
    check("2*x + y", "y + x + x", "equal, proved");
    check("sin(x)^2 + cos(x)^2", "1 + 0*x", "equal, proved");
    check("1/(1 + exp(-x))", "exp(x)/(1 + exp(x))", "equal, proved");
    check("(x + y)^2", "x^2 + 2*x*y + y^2", "equal, proved");
    check("[x*y, x + y]", "[y*x, y + x]", "equal, proved");
    check("x - x", "0", "equal, proved");
}

#[test]
fn what_no_rule_proves_is_compared_at_points() {
    let Equivalence::Numerically { points } =
        equivalence(&parse("gamma(x + 1)").expect("it parses"), &parse("x*gamma(x)").expect("it parses"))
    else {
        panic!("no rule knows that x! = x (x - 1)!");
    };
    assert!(points > 50, "{points}");
}

#[test]
fn a_difference_comes_with_a_point() {
    check("x^2", "x^3", "different: at x = -1 one is 1, the other -1");
    check("log(x^2)", "2*log(x)", "different: at x = -1 one is 0, the other undefined");
    check("x/x", "1", "different: at x = 0 one is undefined, the other 1");
    check("[x, y]", "[x, y + 1]", "different: at x = 0, y = 2 one is 2, the other 3 (output 1)");
    check("x + 1e-9", "x", "different: at x = 0 one is 0.000000001, the other 0");
}

#[test]
fn what_cannot_be_compared_is_undecided() {
    check("[x, y]", "x", "undecided: one has 2 outputs, the other 1");
    check(
        "log(-1 - x^2)",
        "sqrt(-1 - x^4)",
        "undecided: only 0 of 400 points say anything, under 0 assumptions",
    );
}

#[test]
fn assumptions_hold() {
    let (mut f, g) = (parse("sqrt(x^2)").expect("it parses"), parse("x").expect("it parses"));
    assert!(!equivalence(&f, &g).holds());
    condition(&mut f, "x >= 0", &Limits::default()).expect("a condition");
    assert_eq!(equivalence(&f, &g), Equivalence::Proved);
}

#[test]
fn derivatives_are_compared_with_what_a_book_says() {
    let of = |text: &str| parse(text).expect("it parses");
    let check = |f: &str, df: &str| assert_equivalent(&grad(&of(f)).expect("it derives"), &of(df));
    check("atan(x)", "1/(1 + x^2)");
    check("log(x + sqrt(x^2 + 1))", "1/sqrt(1 + x^2)");
    check("x^x", "x^x*(1 + log(x))");
    check("tanh(x)", "1 - tanh(x)^2");
    check("x*y^2", "[y^2, 2*x*y]");
    let h = hessian(&of("x^2*y")).expect("it derives");
    assert_equivalent(&h, &of("[2*y, 2*x, 2*x, 0]"));
}

#[test]
#[should_panic(expected = "different: at x = 0 one is 1, the other 0")]
fn an_assertion_says_where_they_differ() {
    assert_equivalent(&parse("cos(x)").expect("it parses"), &parse("sin(x)").expect("it parses"));
}
