//! Where results, notes and faults go, and what the program exits with.
//!
//! Results are buffered to stdout and flushed before anything is said on stderr, so that the two
//! interleave on a terminal as they happened. A closed pipe ends the program quietly.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;

use super::diagnostics::{self, Colour};
use crate::{Diagnostic, Error};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    Success,
    /// The check failed or the run diverged.
    Failed,
    /// The command line makes no sense.
    Usage,
    /// The expression or the data is bad.
    Data,
    /// A file is missing.
    NoInput,
    /// The user broke off.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Success => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Data => 65,
            Exit::NoInput => 66,
            Exit::Interrupted => 130,
        })
    }
}

/// Where a text came from, and which of its lines is the first of the excerpt at hand.
#[derive(Clone, Debug)]
pub struct Origin {
    pub name: String,
    pub line: usize,
}

/// Why a command, or one line of its input, ended early.
#[derive(Debug)]
pub enum Fault {
    /// Something to tell the user.
    Told(Box<Told>),
    /// Results cannot be written, or input cannot be read.
    Io(io::Error),
}

#[derive(Debug)]
pub struct Told {
    diagnostic: Diagnostic,
    /// The text its spans are in.
    source: String,
    origin: Origin,
    exit: Exit,
}

impl Fault {
    /// A fault with no text to point into.
    pub fn plain(exit: Exit, diagnostic: Diagnostic) -> Fault {
        Fault::in_text(exit, diagnostic, "", Origin { name: String::new(), line: 1 })
    }

    /// A fault of the command line.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Fault {
        Fault::plain(Exit::Usage, Diagnostic::error(message).hint(hint))
    }

    /// A fault whose spans are in `source`.
    pub fn in_text(exit: Exit, diagnostic: Diagnostic, source: &str, origin: Origin) -> Fault {
        Fault::Told(Box::new(Told { diagnostic, source: source.to_owned(), origin, exit }))
    }

    /// An error of the library about `source`.
    pub fn of(error: &Error, source: &str, origin: Origin) -> Fault {
        let exit = match error {
            _ if error.is_input() => Exit::Usage,
            _ if error.is_unreadable() => Exit::NoInput,
            _ => Exit::Data,
        };
        Fault::in_text(exit, error.diagnostic().clone(), source, origin)
    }

    /// An error of the library about no text in particular.
    pub fn from_error(error: &Error) -> Fault {
        Fault::of(error, "", Origin { name: String::new(), line: 1 })
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        Fault::Io(error)
    }
}

impl Told {
    /// The fault in one line, for protocols.
    pub fn line(&self) -> String {
        let place = self.diagnostic.span.map(|span| span.position(&self.source));
        match place {
            Some(place) => format!("{place}: {}", self.diagnostic),
            None => self.diagnostic.to_string(),
        }
    }
}

/// The program's two streams.
pub struct Console {
    out: BufWriter<io::Stdout>,
    colour: Colour,
}

impl Console {
    pub fn new() -> Console {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colour = match io::stderr().is_terminal() && !set("NO_COLOR") && !dumb {
            true => Colour::Ansi,
            false => Colour::Plain,
        };
        Console { out: BufWriter::with_capacity(1 << 16, io::stdout()), colour }
    }

    /// Writes one result, which may have several lines.
    pub fn print(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.out.write_all(b"\n")
    }

    /// Writes a diagnostic that is a result, at its place in a text.
    pub fn print_diagnostic(
        &mut self,
        diagnostic: &Diagnostic,
        source: &str,
        origin: &Origin,
    ) -> io::Result<()> {
        let place = diagnostics::Origin { name: &origin.name, line: origin.line };
        self.print(&diagnostics::render(source, place, diagnostic, Colour::Plain))
    }

    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Says something in one line, with its hint, on stderr: `note: read 2x as 2*x`.
    pub fn say(&mut self, mut diagnostic: Diagnostic) -> io::Result<()> {
        diagnostic.span = None;
        diagnostic.labels.clear();
        self.write_error("", &Origin { name: String::new(), line: 1 }, &diagnostic)
    }

    /// Shows a note or warning on stderr, at its place in a text.
    pub fn show(&mut self, diagnostic: &Diagnostic, source: &str, origin: &Origin) -> io::Result<()> {
        self.write_error(source, origin, diagnostic)
    }

    /// Shows a fault on stderr, and says what to exit with.
    pub fn tell(&mut self, told: &Told) -> io::Result<Exit> {
        self.write_error(&told.source, &told.origin, &told.diagnostic)?;
        Ok(told.exit)
    }

    fn write_error(&mut self, source: &str, origin: &Origin, diagnostic: &Diagnostic) -> io::Result<()> {
        self.out.flush()?;
        let place = diagnostics::Origin { name: &origin.name, line: origin.line };
        let text = diagnostics::render(source, place, diagnostic, self.colour);
        // With stderr closed there is nobody left to tell.
        let _ = writeln!(io::stderr().lock(), "{text}");
        Ok(())
    }

    /// Ends a command: tells its fault, flushes, and turns what happened into an exit code.
    pub fn conclude(mut self, result: Result<Exit, Fault>) -> ExitCode {
        let told = match result {
            Ok(exit) => Ok(exit),
            Err(Fault::Told(told)) => self.tell(&told),
            Err(Fault::Io(error)) => Err(error),
        };
        let written = told.and_then(|exit| self.flush().map(|()| exit));
        // What a failed write left in the buffer must not be written again on drop.
        let (_, _) = self.out.into_parts();
        match written {
            Ok(exit) => exit.into(),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            Err(error) => {
                let _ = writeln!(io::stderr().lock(), "error: reading or writing failed: {error}");
                Exit::Failed.into()
            }
        }
    }
}
