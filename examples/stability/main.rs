//! Measures functions and their derivatives over all floats and writes `docs/stability.md`.
//!
//! `cargo run --release --example stability -- [points] [part of a row's text…]`: so many points a
//! function and format (2000 unless told).

#[path = "../../tests/it/stability/measure.rs"]
mod measure;
#[path = "../../tests/it/stability/rows.rs"]
mod rows;
#[path = "../../tests/it/tally.rs"]
mod tally;

use measure::{Format, Found, Prepared};
use rows::{Kind, ROWS};
use std::fmt::Write;
use symdiff::Level;

const HEAD: &str = "\
# Stability of functions and their derivatives

Written by `cargo run --release --example stability`. Every row is a function as its users write it. Its
value and its first two derivatives, by each argument, are compiled in double and in single precision
and compared with high precision (`src/precise`) at random arguments over *all* floats: every exponent,
zeros, subnormals, the largest numbers, infinities, and the neighbourhoods of thresholds.

- The numbers are the largest errors found, in units of the last place. Not finite where the truth is,
  or finite where the value is undefined, is a failure whatever the bound.
- A result is held to its bound where it is well-conditioned. One that is off by more is *skipped*, and
  counted, where the next argument moves it by more than two units of its last place and the error is at
  most four times that, or where nearly all its digits are lost.
- Below the normal numbers a result is right when it is as small. Derivatives are not looked at where
  the value is undefined or an argument infinite; one that overflows may be NaN. Rows with a narrower
  range of arguments have a note.
- Bounds are 4 for values and 8 for derivatives, unless a row's note says why not.
- `tests/it/stability.rs` holds the same rows on fewer points.

";

fn main() {
    let mut arguments = std::env::args().skip(1).peekable();
    let points = arguments.peek().and_then(|a| a.parse::<usize>().ok());
    if points.is_some() {
        arguments.next();
    }
    let (points, only) = (points.unwrap_or(2000), arguments.collect::<Vec<String>>());
    let (mut page, mut kind, mut failed) = (HEAD.to_owned(), None, 0);
    for row in ROWS.iter().filter(|row| only.is_empty() || only.iter().any(|o| row.text.contains(o))) {
        if kind != Some(row.kind) {
            kind = Some(row.kind);
            page.push_str(head_of(row.kind));
        }
        let prepared = Prepared::new(row, Level::Fast);
        let seed = 0x9E37_79B9_7F4A_7C15;
        let found = [Format::F64, Format::F32].map(|format| prepared.measure(points, format, seed));
        let [f64s, f32s] = found.each_ref().map(shown);
        let skipped: usize = found.iter().flat_map(|found| found.ill).sum();
        let line = format!("| `{}` | {f64s} | {f32s} | {skipped} | {} |", row.text, row.note);
        println!("{line}");
        writeln!(page, "{line}").expect("strings take all");
        for found in &found {
            failed += found.failed;
            found.failures.iter().take(3).for_each(|failure| eprintln!("    {failure}"));
        }
    }
    writeln!(page, "\n{points} points a function and format.").expect("strings take all");
    if only.is_empty() {
        std::fs::write("docs/stability.md", page).expect("the folder `docs` can be written to");
    }
    eprintln!("{failed} failures");
    std::process::exit(i32::from(failed > 0));
}

fn head_of(kind: Kind) -> &'static str {
    const COLUMNS: &str = "\
| function | f64: value | first | second | f32: value | first | second | skipped | note |
|---|---|---|---|---|---|---|---|---|
";
    match kind {
        Kind::Activation => const_format(&["## Activations\n\n", COLUMNS]),
        Kind::Loss => const_format(&["\n## Losses\n\n", COLUMNS]),
        Kind::Written => const_format(&["\n## As written out\n\n", COLUMNS]),
    }
}

fn const_format(parts: &[&str]) -> &'static str {
    Box::leak(parts.concat().into_boxed_str())
}

fn shown(found: &Found) -> String {
    let number =
        |i: usize| if found.compared[i] == 0 { "-".to_owned() } else { format!("{:.2}", found.worst[i]) };
    format!("{} | {} | {}", number(0), number(1), number(2))
}
