//! The `symdiff` program: the shell's end of the library, over its façade only.
//!
//! Results and nothing else go to stdout, notes and diagnostics to stderr. The exit code is 0 when
//! all is well, 1 when a check failed or a run diverged, 2 for a bad command line, 65 for a bad
//! expression or data, 66 for a missing file.

mod accuracy;
mod arguments;
mod assignments;
mod check;
mod columns;
mod console;
mod derive;
mod diagnose;
pub mod diagnostics;
mod differences;
mod emit;
mod evaluate;
mod jsonl;
mod minimize;
mod numbers;
mod objective;
mod program;
mod source;
mod table;
mod verdict;

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, Parser};
use clap_complete::Shell;

use crate::VectorLevel;
use arguments::{Arguments, Command};
use console::{Console, Exit, Fault};

/// Runs the program on the process's arguments and streams.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments::shielded(std::env::args_os())) {
        Ok(arguments) => arguments,
        Err(error) => return refuse(&error),
    };
    let mut console = Console::new();
    if let Err(fault) = level_is_known() {
        return console.conclude(Err(fault));
    }
    let result = match &arguments.command {
        None => derive::run(&arguments.derive, &mut console),
        Some(Command::Eval(arguments)) => evaluate::run(arguments, &mut console),
        Some(Command::Check(arguments)) => check::run(arguments, &mut console),
        Some(Command::Diagnose(arguments)) => diagnose::run(arguments, &mut console),
        Some(Command::Minimize(arguments)) => minimize::run(arguments, &mut console),
        Some(Command::Train(arguments)) => program::train(arguments, &mut console),
        Some(Command::Predict(arguments)) => program::predict(arguments, &mut console),
        Some(Command::Emit(arguments)) => emit::run(arguments, &mut console),
        Some(Command::Completions { shell }) => completions(*shell, &mut console),
    };
    console.conclude(result)
}

/// Whether the environment bounds vectors by a width there is.
fn level_is_known() -> Result<(), Fault> {
    match std::env::var(VectorLevel::VARIABLE) {
        Ok(text) if VectorLevel::from_name(&text).is_none() => {
            let message = format!("{} is `{text}`, which is no width of vectors", VectorLevel::VARIABLE);
            Err(Fault::usage(message, "512, 256 and 128 bits are; without it the widest is taken"))
        }
        _ => Ok(()),
    }
}

/// Shows help and version on stdout with 0, faults on stderr with 2.
fn refuse(error: &clap::Error) -> ExitCode {
    // A second operand is taken for a command: mostly the quotes are missing.
    if let Some(ContextValue::String(second)) = error.get(ContextKind::InvalidSubcommand) {
        let message = format!("`{}` comes after an expression", second.trim());
        let hint = "put the whole expression in quotes, such as symdiff \"sin(x) + 1\"";
        return Console::new().conclude(Err(Fault::usage(message, hint)));
    }
    // A closed pipe is no fault, and there is nobody to tell of another.
    let _ = error.print();
    if error.use_stderr() { Exit::Usage.into() } else { Exit::Success.into() }
}

fn completions(shell: Shell, console: &mut Console) -> Result<Exit, Fault> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "symdiff", &mut script);
    console.print(String::from_utf8_lossy(&script).trim_end())?;
    Ok(Exit::Success)
}
