//! `cargo score`: what symdiff promises, measured and printed as one table.
//!
//! The measurements are those of the tests, which take fewer cases; an oracle is independent of what
//! it judges. Each row takes minutes; what is taken can be chosen:
//!
//! | variable | meaning |
//! |---|---|
//! | `SYMDIFF_SCORE` | `short`: what continuous integration runs, a minute or two in a debug build; `long`: hours |
//! | `SYMDIFF_ROWS` | rows to run, such as `agreement,rules`; all, unless some are named |
//! | `SYMDIFF_SEED` | where random cases begin; 1 |
//! | `SYMDIFF_CASES` | so many cases in every row |

mod rows;
mod table;

use rows::{ROWS, Row};
use std::time::Instant;

/// How many cases a row takes.
#[derive(Clone, Copy)]
enum Length {
    Short,
    Middle,
    Long,
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn number(name: &str) -> Option<usize> {
    variable(name).map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is no number: {value}")))
}

fn length() -> Length {
    match variable("SYMDIFF_SCORE").as_deref() {
        None => Length::Middle,
        Some("short") => Length::Short,
        Some("long") => Length::Long,
        Some(other) => panic!("SYMDIFF_SCORE is `short` or `long`, not `{other}`"),
    }
}

fn wanted() -> Vec<&'static Row> {
    let Some(names) = variable("SYMDIFF_ROWS") else { return ROWS.iter().collect() };
    let row = |name: &str| {
        let known: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
        let found = ROWS.iter().find(|row| row.name == name);
        found.unwrap_or_else(|| panic!("there is no row `{name}`; there are {}", known.join(", ")))
    };
    names.split(',').map(str::trim).map(row).collect()
}

#[test]
#[ignore = "minutes, or hours: `cargo score` runs it"]
fn scoreboard() {
    let (length, seed) = (length(), number("SYMDIFF_SEED").unwrap_or(1) as u64);
    let mut failed = Vec::new();
    println!("\n{}", table::HEAD);
    for row in wanted() {
        let cases = number("SYMDIFF_CASES").unwrap_or(row.cases[length as usize]);
        if cases == 0 {
            println!("{:10} not in the short run", row.name);
            continue;
        }
        let started = Instant::now();
        for (what, tally) in (row.measure)(cases, seed) {
            println!("{}", table::line(row.name, what, &tally));
            if tally.failed > 0 || tally.cases == 0 {
                failed.push(format!("{}: {what}", row.name));
            }
        }
        println!("{}", table::note(cases, seed, started.elapsed()));
    }
    assert!(failed.is_empty(), "not all held: {}", failed.join("; "));
}
