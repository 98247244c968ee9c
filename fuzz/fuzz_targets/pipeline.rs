//! Random expressions: derived, simplified, compiled, compared, under a coverage-guided fuzzer.
//! The body is shared with the tests: see `tests/it/fuzz`.

#![no_main]

#[allow(dead_code, reason = "each target is one of the bodies")]
#[path = "../../tests/it/fuzz/targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::pipeline(bytes));
