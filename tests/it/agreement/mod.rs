//! Whatever is written, all the ways through the house agree: random expressions up to 200 nodes,
//! against each other and against values and differences that symdiff did not compute.

mod bound;
mod expression;
pub mod measure;
mod table;

use crate::samples::cases;
use measure::measure;

#[test]
fn random_expressions_agree_on_every_way() {
    let agreement = measure(cases(150), 1);
    for tally in [&agreement.bits, &agreement.modes, &agreement.truths] {
        tally.assert_holds();
    }
    // The comparison must be able to fail: most have digits to compare.
    let (telling, all) = (agreement.telling, agreement.truths.cases);
    assert!(2 * telling > all, "{telling} of {all} comparisons were telling");
}
