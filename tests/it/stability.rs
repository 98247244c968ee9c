//! The rows of `docs/stability.md` on a smaller sample: values and derivatives over all floats.

#[path = "stability/measure.rs"]
pub mod measure;
#[path = "stability/rows.rs"]
mod rows;

#[test]
fn functions_and_their_derivatives_are_right_over_all_floats() {
    measure::measure(40, 0x1234_5678_9ABC_DEF1).assert_holds();
}
