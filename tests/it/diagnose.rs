//! What a diagnosis finds: causes named first, places and numbers, and nothing where nothing is wrong.

mod faults;
mod healthy;
mod measure;
mod tables;

use crate::tally;
use faults::{DATA, HELD_OUT, OPERATIONS, SETTINGS, STRUCTURE, UNITS};
use measure::{named_first, no_false_alarm};

#[test]
fn operations_that_fail_are_named_first() {
    named_first(OPERATIONS, 1).assert_holds();
}

#[test]
fn settings_at_fault_are_named_first() {
    named_first(SETTINGS, 1).assert_holds();
}

#[test]
fn data_at_fault_is_named_first() {
    named_first(DATA, 1).assert_holds();
}

#[test]
fn what_a_graph_cannot_do_is_named_first() {
    named_first(STRUCTURE, 1).assert_holds();
}

#[test]
fn units_and_layers_at_fault_are_named_first() {
    named_first(UNITS, 1).assert_holds();
}

#[test]
fn healthy_programs_raise_no_alarm() {
    no_false_alarm(healthy::SMALL, 1).assert_holds();
}

#[test]
fn held_out_faults_are_named_first() {
    named_first(HELD_OUT, 1).assert_holds();
}
