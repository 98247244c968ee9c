//! The `symdiff` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    symdiff::cli::main()
}
