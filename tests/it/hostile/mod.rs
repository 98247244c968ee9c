//! Hostile input at the shell: refused in words and in time, within a bound of memory.

pub mod measure;

#[test]
fn hostile_input_is_refused_in_words() {
    measure::measure(usize::MAX, 0).assert_holds();
}
