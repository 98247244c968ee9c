//! Reference cases from other people's tables, against values computed at 40 digits and more.

#[path = "cases/measure.rs"]
pub mod measure;

use measure::{Path, all, hard, honest, paths, right};
use symdiff::{Engine, Level, Mode};

fn check(file: &str, mode: Mode, level: Level, engine: Engine) {
    right(file, Path { mode, level, engine }, 1).assert_holds();
}

#[test]
fn physics_is_right_on_every_path() {
    check("feynman", Mode::Reverse, Level::Fast, Engine::Jit);
    check("feynman", Mode::Forward, Level::None, Engine::Interpreter);
}

#[test]
fn functions_are_right_at_extreme_points() {
    check("functable", Mode::Reverse, Level::Fast, Engine::Jit);
    check("functable", Mode::Forward, Level::Full, Engine::Jit);
    check("functable", Mode::Reverse, Level::None, Engine::Jit);
}

#[test]
fn undefined_stays_undefined() {
    for level in [Level::None, Level::Fast, Level::Full] {
        honest(Path { mode: Mode::Reverse, level, engine: Engine::Jit }, 1).assert_holds();
    }
}

#[test]
fn hard_points_lose_fewer_bits_than_plain_arithmetic() {
    let bits = hard(Path { mode: Mode::Reverse, level: Level::Fast, engine: Engine::Jit });
    assert!(bits.value < 8.0 && bits.plain_value > 28.0, "{} bits of value are wrong", bits.value);
    assert!(bits.gradient < 27.0 && bits.plain_gradient > 50.0, "{} of the gradient", bits.gradient);
}

#[test]
fn every_linear_path_is_right_on_a_sample_of_all_files() {
    let linear: Vec<Path> = paths().into_iter().filter(|path| path.level != Level::Full).collect();
    all(&linear, 7).assert_holds();
}
