//! Runs that are killed, stopped, or out of room: no file is ever half a file, and what goes on goes on to
//! the bit.

pub mod measure;

use crate::tally::number;

/// `SYMDIFF_KILLS` and `SYMDIFF_SEED` choose other kills.
#[test]
fn a_killed_run_goes_on_to_the_same_bits() {
    let tally = measure::kills(number("SYMDIFF_KILLS", 10), number("SYMDIFF_SEED", 1) as u64);
    eprintln!("{} checks, {} failed", tally.cases, tally.failed);
    tally.assert_holds();
}

#[test]
fn a_run_that_is_told_to_stop_saves_and_says_so() {
    measure::signals().assert_holds();
}

#[test]
fn two_runs_on_one_file_leave_one_of_theirs() {
    measure::rivals().assert_holds();
}

#[test]
fn a_full_disk_leaves_what_was_there() {
    measure::full_disk().assert_holds();
}

#[test]
fn temporary_files_of_killed_runs_go_with_the_next_save() {
    measure::leftovers().assert_holds();
}
