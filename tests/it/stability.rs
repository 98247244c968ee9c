//! The rows of `docs/stability.md` on a smaller sample: values and derivatives over all floats.

#[path = "stability/measure.rs"]
pub mod measure;
#[path = "stability/rows.rs"]
mod rows;

#[test]
fn functions_and_their_derivatives_are_right_over_all_floats() {
    measure::measure(40, 0x1234_5678_9ABC_DEF1).assert_holds();
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
fn a_length_to_any_power_is_divided_by_in_no_time() {
    for text in ["x^2/hypot(x, y)^999999999", "(x/hypot(x, y))^2/hypot(x, y)^999999999"] {
        let function = symdiff::parse(text).unwrap();
        let stable = symdiff::simplify(&function, symdiff::Level::Fast, symdiff::Purpose::Compute);
        assert!(stable.graph().len() < 100, "{text} became {} nodes", stable.graph().len());
    }
}
