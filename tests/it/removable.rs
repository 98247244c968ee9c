//! Removable singularities and zeros: digits near them, and what happens at them.

use symdiff::{Derivation, Function, Level, Purpose, jit, parse, simplify};

fn compiled(text: &str) -> Function {
    simplify(&parse(text).unwrap(), Level::Fast, Purpose::Compute)
}

/// The derivative of an order, 0 for the value, at a point.
#[track_caller]
fn derivative(text: &str, order: u32, at: &[f64]) -> f64 {
    let derivation = Derivation { purpose: Purpose::Compute, ..Derivation::default() };
    let function = derivation.repeated(&parse(text).unwrap(), order).unwrap();
    let mut found = vec![0.0; function.outputs().len()];
    jit(&function).unwrap().call(at, &mut found).unwrap();
    found[0]
}

#[track_caller]
fn check(text: &str, order: u32, at: &[f64], truth: f64) {
    let found = derivative(text, order, at);
    assert!((found / truth - 1.0).abs() < 1e-15, "{text}, order {order}: {found:e}, not {truth:e}");
}

#[test]
fn what_cancels_beside_a_removable_singularity_keeps_its_digits() {
    // The first terms of the Taylor series are all that counts there.
    let h = 1e-9;
    check("1/tanh(x) - 1/x", 0, &[h], h / 3.0);
    check("(x - sin(x))/x^3", 0, &[h], 1.0 / 6.0);
    check("sin(x)/x", 1, &[h], -h / 3.0);
    check("sin(x)/x", 2, &[h], -1.0 / 3.0);
    check("(1 - cos(x))/x^2", 1, &[h], -h / 12.0);
    check("x/(exp(x) - 1)", 2, &[h], 1.0 / 6.0);
    check("log(1 + x)/x", 1, &[h], -0.5 + 2.0 / 3.0 * h);
    check("1/(x - 3) - 1/sin(x - 3)", 0, &[3.0 + 2_f64.powi(-30)], -2_f64.powi(-30) / 6.0);
    check("asin(x)/x - 1/sqrt(1 - x^2)", 0, &[h], -h * h / 3.0);
    check("cbrt(1 + x)/x - sqrt(1 + x)/x", 0, &[h], -1.0 / 6.0 + h / 72.0);
}

#[test]
fn a_sum_that_cancels_at_a_zero_keeps_its_digits() {
    let h = 1e-9;
    check("log1p(x) - x", 0, &[h], -h * h / 2.0 + h * h * h / 3.0);
    check("log(x) - x + 1", 0, &[1.0 + 2_f64.powi(-30)], -2_f64.powi(-61) + 2_f64.powi(-90) / 3.0);
    check("tan(x) - x", 0, &[h], h * h * h / 3.0);
    check("exp(x) - 1 - x", 0, &[h], h * h / 2.0 + h * h * h / 6.0);
    check("sinh(x) - sin(x)", 0, &[h], h * h * h / 3.0);
    check("log(cos(x))", 0, &[h], -h * h / 2.0);
    check("log(sinh(x)/x)", 0, &[h], h * h / 6.0);
}

#[test]
fn series_reach_as_far_as_terms_cancel() {
    // Slopes a quarter of their terms' size or less, to 20 digits and more (mpmath).
    check("(exp(x) - 1)/x", 1, &[3.0], 4.574563760708371);
    check("log(1 + x)/x", 1, &[1.0], 0.5 - std::f64::consts::LN_2);
    check("log(1 + x)/x", 1, &[-0.5], 4.0 * std::f64::consts::LN_2 - 4.0);
    // Scales are those of the function, not of 1.
    check("1/tanh(1e4*x) - 1/(1e4*x)", 0, &[1e-5], 0.033311132253989613);
    check("1/tanh(x/1e4) - 1e4/x", 0, &[1e3], 0.033311132253989613);
}

#[test]
fn series_end_where_a_function_turns_aside() {
    // As far as it is 0, atan(tan(x)) is x, and half a turn less beyond the pole.
    let u = 1.6 - std::f64::consts::PI;
    check("atan(tan(x)) - sinh(atan(tan(x)))", 0, &[1.6], u - u.sinh());
    let u = std::f64::consts::PI - 1.8;
    check("asin(sin(x)) - sinh(asin(sin(x)))", 0, &[1.8], u - u.sinh());
}

#[test]
fn only_what_holds_on_both_sides_guards() {
    let count = |text: &str| compiled(text).to_string().matches("if(").count();
    assert_eq!(count("if(x < -5, 0, cos(x)/x - sin(x)/x^2)"), 2);
    assert_eq!(count("if(5 < x, 0, cos(x)/x - sin(x)/x^2)"), 2);
    assert_eq!(count("if(and(-1 < x, x < 2), 0, cos(x)/x - sin(x)/x^2)"), 1);
}

#[test]
fn a_divisor_may_be_an_expression_of_its_own() {
    check("cos(x*y)/(x*y) - sin(x*y)/(x*y)^2", 0, &[1e-4, 1e-5], -1e-9 / 3.0);
    check("sin(x*y)/(x*y)", 1, &[1e-4, 1e-5], -1e-9 / 3.0 * 1e-5);
}

#[test]
fn series_have_the_coefficients_of_textbooks() {
    let text = compiled("1/tanh(x) - 1/x").to_string();
    for coefficient in ["+ 1/3)", "- 1/45)", "+ 2/945)", "- 1/4725)"] {
        assert!(text.contains(coefficient), "no {coefficient} in {text}");
    }
}

#[test]
fn the_singularity_itself_stays_undefined() {
    for text in ["(x - sin(x))/x^3", "1/tanh(x) - 1/x", "sin(x)/x"] {
        assert!(derivative(text, 0, &[0.0]).is_nan(), "{text} at 0");
    }
}

#[test]
fn poles_and_what_does_not_cancel_stay_as_they_are() {
    for text in ["cos(x)/x - sin(x)/x^3", "1/x + x", "sin(x)/x", "x/(2 + cos(x)) - x^3/3", "1/(x - 1) - 1/x"]
    {
        assert!(!compiled(text).to_string().contains("if("), "{text}: {}", compiled(text));
    }
}

#[test]
fn a_second_visit_adds_nothing() {
    for text in ["1/tanh(x) - 1/x", "(x - sin(x))/x^3", "log(x)/(x - 1)^2 - 1/(x - 1)"] {
        let once = compiled(text);
        let twice = simplify(&once, Level::Fast, Purpose::Compute);
        for function in [once, twice] {
            assert_eq!(function.to_string().matches("if(").count(), 1, "{function}");
        }
    }
}

#[test]
fn high_powers_and_long_numbers_are_left_alone() {
    let exponents = ["999999999", "-999999999", "64", "1/1000003"];
    let texts = exponents.map(|n| format!("(1e200 + x + 1e-200)^({n}) - cos(x)/x + (1e-300 + x)^({n})/x"));
    texts.iter().for_each(|text| drop(compiled(text)));
}

#[test]
fn readers_are_shown_no_series() {
    let slope = symdiff::Derivation::to_read().gradient(&parse("sin(x)/x").unwrap()).unwrap();
    assert_eq!(slope.to_string(), "cos(x)/x - sin(x)/x^2");
}
