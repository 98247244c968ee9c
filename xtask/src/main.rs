//! `cargo xtask score`: what symdiff promises, measured and printed as one table.
//!
//! What must stay true: the measurements are those of the tests, which take fewer cases; an oracle
//! is independent of what it judges.

#[path = "../../tests/it/agreement/mod.rs"]
mod agreement;
mod rows;
#[path = "../../tests/it/seeded/mod.rs"]
mod seeded;
mod table;
#[path = "../../tests/it/tally.rs"]
mod tally;

use clap::Parser;
use std::process::ExitCode;
use std::time::Instant;

/// Measures what symdiff promises.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Command {
    /// Run the rows of the scoreboard and print what was counted; exit code 1 where a case failed
    Score {
        /// Take the many cases, for an hour or more, instead of the few, for a minute
        #[arg(long)]
        long: bool,
        /// Where random cases begin
        #[arg(long, value_name = "N", default_value_t = 1)]
        seed: u64,
        /// Take so many cases in every row
        #[arg(long, value_name = "N")]
        cases: Option<usize>,
        /// Rows to run; all, unless some are named
        #[arg(value_name = "ROW", value_parser = rows::names())]
        rows: Vec<String>,
    },
}

fn main() -> ExitCode {
    let Command::Score { long, seed, cases, rows } = Command::parse();
    let mut failed = 0;
    println!("{}", table::HEAD);
    let wanted = |row: &&rows::Row| rows.is_empty() || rows.iter().any(|name| name == row.name);
    for row in rows::ROWS.iter().filter(wanted) {
        let cases = cases.unwrap_or(if long { row.long } else { row.short });
        let started = Instant::now();
        for (what, tally) in (row.measure)(cases, seed) {
            failed += tally.failed;
            println!("{}", table::line(row.name, what, &tally));
        }
        eprintln!("{}: {:.1} s, seed {seed}", row.name, started.elapsed().as_secs_f64());
    }
    ExitCode::from(u8::from(failed > 0))
}
