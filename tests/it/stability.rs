//! The rows of `docs/stability.md` on a smaller sample: values and derivatives over all floats.

#[path = "stability/measure.rs"]
pub mod measure;
#[path = "stability/rows.rs"]
mod rows;

use symdiff::Level;

#[test]
fn functions_and_their_derivatives_are_right_over_all_floats() {
    measure::measure(Level::Fast, 40, 0x1234_5678_9ABC_DEF1).assert_holds();
}

#[test]
fn a_search_for_smaller_forms_keeps_them_right() {
    measure::measure(Level::Full, 6, 0x1234_5678_9ABC_DEF1).assert_holds();
    // Their divisors multiplied are infinite, or 0.
    assert_eq!(computed_at(Level::Full, "atan2(y, x)", &[1e6, 1e300])[1], 1e-300);
    let slope = computed_at(Level::Full, "asinh(1/x)", &[1e-300])[1];
    assert!((slope / -1e300 - 1.0).abs() < 1e-15, "{slope:e}");
}

/// Value and slope by the first variable as they are computed.
fn computed(text: &str, point: &[f64]) -> [f64; 2] {
    computed_at(Level::Fast, text, point)
}

fn computed_at(level: Level, text: &str, point: &[f64]) -> [f64; 2] {
    let function = symdiff::parse(text).unwrap();
    let derivation = symdiff::Derivation { level, purpose: symdiff::Purpose::Compute, ..Default::default() };
    let kernel = symdiff::jit(&derivation.up_to(&function, 1).unwrap()).unwrap();
    let mut found = vec![f64::NAN; 1 + point.len()];
    kernel.call(point, &mut found).unwrap();
    [found[0], found[1]]
}

#[test]
fn multiples_of_pi_are_counted_in_half_turns() {
    let check = |text: &str, x: f64, value: f64, slope: f64| {
        let [found, found_slope] = computed(text, &[x]);
        let is_near = |a: f64, b: f64| a == b || ((a - b) / b).abs() < 1e-15;
        assert!(is_near(found, value), "{text} at {x}: {found:e}, not {value:e}");
        assert!(is_near(found_slope, slope), "{text} at {x}: slope {found_slope:e}, not {slope:e}");
    };
    let turn = std::f64::consts::PI / 180.0;
    check("sin(pi*x)", 1.0, 0.0, -std::f64::consts::PI);
    check("sin(pi*x - 3*pi)", 0.5, -1.0, 0.0);
    check("cos(2*pi*x)", 1e22, 1.0, 0.0);
    check("sin(pi*x)", 4503599627370494.5, 1.0, 0.0);
    check("sin(x*pi/180)", 540.0, 0.0, -turn);
    check("sin(-x*pi/180)", 450.0, -1.0, 0.0);
    check("cos(x*pi/180)", 90.0, 0.0, -turn);
    check("cos(x*(pi/180))", -540.0, -1.0, 0.0);
    let tiny = 2f64.powi(-30);
    check("cos(x*pi/180)", 90.0 + tiny, -tiny * turn, -turn);
    check("tan(pi*x/180)", 45.0, 1.0, 2.0 * turn);
    check("sec(pi*x/180)", 60.0, 2.0, 2.0 * 3f64.sqrt() * turn);
    check("csc(pi*x/200)", 1100.0, -1.0, 0.0);
    check("cot(pi*x)", 1e6 + 0.25, 1.0, -2.0 * std::f64::consts::PI);
    check("sin(2*pi*x/3)", 1.5, 0.0, -2.0 * std::f64::consts::PI / 3.0);
    // Not 1.6e16.
    assert!(computed("tan(pi*x)", &[0.5])[0].is_infinite());
}

#[test]
fn ratios_of_inputs_keep_their_digits_where_they_near_one() {
    let check = |text: &str, point: &[f64], value: f64, slope: f64| {
        let found = computed(text, point);
        for (found, truth) in found.into_iter().zip([value, slope]) {
            let error = ((found - truth) / truth).abs();
            assert!(error < 2e-15, "{text} at {point:?}: {found:e}, not {truth:e}");
        }
    };
    // The truth of these is in the reference cases, at 40 digits.
    check("acos(1/x)", &[1.000001], 0.0014142129730596528, 707.1058973331069);
    check("asin(1/x)", &[-1.000001], -1.569382113821837, -707.1058973331069);
    check("atanh(1/x)", &[1.000001], 7.254329119303181, -499999.75004125835);
    check("acosh(1/x)", &[0.999999], 0.0014142141516494595, -707.1076650608076);
    // With e = 2^-40: 1 - 1/(1 + e)^2 is (2e + e^2)/(1 + e)^2.
    let e = 2f64.powi(-40);
    check("1 - 1/x^2", &[1.0 + e], (2.0 * e + e * e) / (1.0 + e).powi(2), 2.0 / (1.0 + e).powi(3));
    check("1 - 1/x", &[1.0 + e], e / (1.0 + e), (1.0 + e).powi(-2));
    check("2/x - 1", &[2.0 - e], e / (2.0 - e), -2.0 / (2.0 - e).powi(2));
}

#[test]
fn the_smaller_root_of_a_quadratic_equation_keeps_its_digits() {
    let near = |a: f64, b: f64| ((a - b) / b).abs() < 2e-15;
    for (b, c) in [(1e8, 1.0), (1e8, -3.0), (-1e8, 1.0), (-2e7, -5.0), (1e12, 7.0)] {
        let root: f64 = f64::sqrt(b * b - 4.0 * c);
        let (text, sign) =
            if b > 0.0 { ("(-b + sqrt(b^2 - 4*c))/2", 1.0) } else { ("(-b - sqrt(b^2 - 4*c))/2", -1.0) };
        let smaller = -2.0 * c / (b + sign * root);
        let [value, slope] = computed(text, &[b, c]);
        assert!(near(value, smaller), "{text} at {b}, {c}: {value:e}, not {smaller:e}");
        // From x^2 + b*x + c = 0.
        let truth = -smaller / (2.0 * smaller + b);
        assert!(near(slope, truth), "{text} at {b}, {c}: slope {slope:e}, not {truth:e}");
    }
    assert_eq!(computed("x - sqrt(x^2 + y^2)", &[0.0, 2.0]), [-2.0, 1.0]);
    assert_eq!(computed("x - sqrt(x^2 + 1)", &[0.0]), [-1.0, 1.0]);
    assert_eq!(computed("x + sqrt(x^2 + 1)", &[-1e200]), [5e-201, 0.0]);
}

#[test]
fn a_leg_that_is_much_shorter_keeps_its_slopes() {
    let length = symdiff::parse("sqrt(x^2 + y^2)").unwrap();
    let derivation = symdiff::Derivation { purpose: symdiff::Purpose::Compute, ..Default::default() };
    let bend = symdiff::jit(&derivation.up_to(&length, 2).unwrap()).unwrap();
    let mut found = [0.0; 5];
    bend.call(&[1e-270, 1e-100], &mut found).unwrap();
    // By y twice the truth is x²/y³, and the square of x/y is below all numbers.
    assert!((found[4] / 1e-240 - 1.0).abs() < 1e-15, "{:e}", found[4]);
}

#[test]
fn a_quarter_of_a_square_is_in_range_where_the_square_is_not() {
    let function = symdiff::parse("log(1 - exp(x))").unwrap();
    let derivation = symdiff::Derivation { purpose: symdiff::Purpose::Compute, ..Default::default() };
    let bend = symdiff::jit(&derivation.up_to(&function, 2).unwrap()).unwrap();
    let mut found = [0.0; 3];
    bend.call(&[-9.968599511968788e-155], &mut found).unwrap();
    // -1/x^2
    assert!((found[2] / -1.0063098016559775e308 - 1.0).abs() < 1e-15, "{:e}", found[2]);
}

#[test]
fn a_length_to_any_power_is_divided_by_in_no_time() {
    for text in ["x^2/hypot(x, y)^999999999", "(x/hypot(x, y))^2/hypot(x, y)^999999999"] {
        let function = symdiff::parse(text).unwrap();
        let stable = symdiff::simplify(&function, symdiff::Level::Fast, symdiff::Purpose::Compute);
        assert!(stable.graph().len() < 100, "{text} became {} nodes", stable.graph().len());
    }
}
