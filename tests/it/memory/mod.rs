//! Memory of compiled code: within its slices, never writable and executable, given back.

pub mod guard;
pub mod measure;

use crate::tally::number;
use measure::{arenas, cycles, guarded_calls, pages, threads};
use std::process::Command;
use symdiff::jit::wide::Level;
use symdiff::{MapKernel, MapOptions};

/// What this test program allocates can be put at fences.
#[global_allocator]
static ALLOCATOR: guard::Fenced = guard::Fenced;

#[test]
fn kernels_stay_within_their_slices() {
    guarded_calls(1, 1).assert_holds();
}

#[test]
fn programs_stay_within_their_arenas() {
    arenas(1).assert_holds();
}

#[test]
fn programs_stay_within_their_arenas_at_every_width() {
    let program = std::env::current_exe().expect("this program");
    for level in Level::ALL.map(|level| level.bits().to_string()) {
        let mut command = Command::new(&program);
        command.args(["memory::programs_stay_within_their_arenas", "--exact"]).env("SYMDIFF_LEVEL", &level);
        let found = command.output().expect("it runs");
        let text = String::from_utf8_lossy(&found.stdout);
        assert!(found.status.success(), "{level} bits: {:?}\n{text}", found.status);
    }
}

#[test]
fn no_page_is_writable_and_executable() {
    pages(60).assert_holds();
}

/// `SYMDIFF_CYCLES` chooses more of them.
#[test]
fn kernels_that_go_give_their_memory_back() {
    let of_ci = if cfg!(debug_assertions) { 300 } else { 2000 };
    let tally = cycles(number("SYMDIFF_CYCLES", of_ci));
    eprintln!("{} cycles, {} failed, {} {}", tally.cases, tally.failed, tally.worst, tally.at);
    tally.assert_holds();
}

#[test]
fn kernels_run_on_eight_threads_while_others_compile() {
    threads(40).assert_holds();
}

#[test]
fn slices_that_do_not_fit_are_refused() {
    let f = symdiff::parse("x*y + sin(x)").expect("an expression");
    let kernel = symdiff::jit(&f).expect("it compiles");
    let mut out = [0.0; 2];
    for (inputs, outputs) in [(0, 1), (1, 1), (3, 1), (2, 0), (2, 2)] {
        let error = kernel.call(&[1.0; 3][..inputs], &mut out[..outputs]).expect_err("it does not fit");
        assert!(error.is_input(), "{error}");
    }
    assert!(kernel.map(0, &[], &mut []).is_ok());
    assert!(kernel.map(usize::MAX, &[1.0; 2], &mut out[..1]).expect_err("too many rows").is_input());
    assert!(kernel.map(2, &[1.0; 3], &mut out).expect_err("too few numbers").is_input());
    let columns = MapKernel::compile(&f, &MapOptions::default()).expect("it compiles");
    let (x, y) = ([1.0, 2.0], [3.0]);
    let mut z = [0.0; 2];
    assert!(columns.run(&[&x, &y], &mut [&mut z]).expect_err("lengths differ").is_input());
    assert!(columns.run(&[&x], &mut [&mut z]).expect_err("a column is missing").is_input());
    assert!(columns.run(&[&x, &x, &x], &mut [&mut z]).expect_err("a column too many").is_input());
    assert!(columns.run(&[&[1.0f32; 2], &[1.0f32; 2]], &mut [&mut [0f32; 2]]).expect_err("f32").is_input());
    let empty: [f64; 0] = [];
    assert!(columns.run(&[&empty, &empty], &mut [&mut []]).is_ok());
}
