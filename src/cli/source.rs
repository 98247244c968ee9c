//! Where expressions come from: an argument, a file, or lines of standard input.
//!
//! What must stay true: no line, however long, is held beyond its budget; a fault in one line
//! of standard input does not stop the rest.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, IsTerminal, Read};
use std::path::Path;

use super::arguments::Source;
use super::console::{Console, Exit, Fault, Origin};
use crate::data;
use crate::{Diagnostic, Elaborated, Error, Limits, read};

/// One expression as it was given.
#[derive(Debug)]
pub struct Text {
    bytes: Vec<u8>,
    origin: Origin,
}

impl Text {
    fn new(bytes: Vec<u8>, name: &str, line: usize) -> Text {
        Text { bytes, origin: Origin { name: name.to_owned(), line } }
    }

    /// Reads it, and says on stderr how guesses were read.
    pub fn read(&self, limits: &Limits, console: &mut Console) -> Result<Elaborated, Fault> {
        let elaborated = read(&self.bytes, None, limits).map_err(|error| self.fault(&error))?;
        for note in &elaborated.notes {
            console.say(note.clone())?;
        }
        Ok(elaborated)
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What diagnostics point into.
    pub fn source(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// An error of the library about this text.
    pub fn fault(&self, error: &Error) -> Fault {
        Fault::of(error, &self.source(), self.origin.clone())
    }
}

/// Runs `act` on every expression of the source.
///
/// With several of them, faults are told as they come, and the exit is that of bad data.
pub fn for_each(
    source: &Source,
    limits: &Limits,
    console: &mut Console,
    act: &mut dyn FnMut(&Text, &mut Console) -> Result<Exit, Fault>,
) -> Result<Exit, Fault> {
    if let Some(path) = &source.file {
        return act(&file(path, limits)?, console);
    }
    match &source.expression {
        Some(expression) if expression != "-" => {
            let bytes = expression.as_encoded_bytes();
            // The blank that `arguments::shielded` put before a minus sign.
            let bytes = if bytes.starts_with(b" -") { &bytes[1..] } else { bytes };
            act(&Text::new(bytes.to_vec(), "<expression>", 1), console)
        }
        None if io::stdin().is_terminal() => {
            let hint = "for example: symdiff \"sin(x^2)\"; `symdiff --help` shows the rest";
            Err(Fault::usage("an expression is missing", hint))
        }
        _ => each_line(limits, console, act),
    }
}

fn each_line(
    limits: &Limits,
    console: &mut Console,
    act: &mut dyn FnMut(&Text, &mut Console) -> Result<Exit, Fault>,
) -> Result<Exit, Fault> {
    let mut worst = Exit::Success;
    let mut lines = Lines::new(io::stdin().lock(), limits.source_bytes);
    while let Some(line) = lines.next()? {
        let first = line.iter().find(|byte| !byte.is_ascii_whitespace());
        if matches!(first, None | Some(b'#')) {
            continue;
        }
        let exit = match act(&Text::new(line, "<stdin>", lines.read), console) {
            Ok(exit) => exit,
            Err(Fault::Told(told)) => console.tell(&told).map(|_| Exit::Data)?,
            Err(fault) => return Err(fault),
        };
        worst = worst.max(exit);
        console.flush()?;
    }
    Ok(worst)
}

fn file(path: &Path, limits: &Limits) -> Result<Text, Fault> {
    Ok(Text::new(file_bytes(path, limits.source_bytes)?, &path.to_string_lossy(), 1))
}

/// The bytes of a file, of which at most one more than `most` is read: enough for the reader to
/// refuse it.
pub fn file_bytes(path: &Path, most: usize) -> Result<Vec<u8>, Fault> {
    let missing = |error: io::Error| {
        let why = match error.kind() {
            io::ErrorKind::NotFound => "there is no such file".to_owned(),
            io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
            io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            _ => error.to_string(),
        };
        Fault::plain(Exit::NoInput, Diagnostic::error(format!("cannot read `{}`: {why}", path.display())))
    };
    let mut bytes = Vec::new();
    data::open_file(path)
        .and_then(|file| file.take(most as u64 + 1).read_to_end(&mut bytes))
        .map_err(missing)?;
    Ok(bytes)
}

/// Lines of a stream, without their ends.
pub struct Lines<R> {
    reader: BufReader<R>,
    most: usize,
    /// How many were read.
    pub read: usize,
}

impl<R: Read> Lines<R> {
    /// Lines of which at most one byte more than `most` is kept, enough to see they are too long.
    pub fn new(reader: R, most: usize) -> Lines<R> {
        Lines { reader: BufReader::with_capacity(1 << 16, reader), most, read: 0 }
    }

    pub fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let mut began = false;
        loop {
            let chunk = match self.reader.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if chunk.is_empty() && !began {
                return Ok(None);
            }
            began = true;
            let end = chunk.iter().position(|&byte| byte == b'\n');
            let length = end.unwrap_or(chunk.len());
            let room = (self.most + 1).saturating_sub(line.len());
            line.extend_from_slice(&chunk[..length.min(room)]);
            let consumed = length + usize::from(end.is_some());
            self.reader.consume(consumed);
            if end.is_some() || consumed == 0 {
                break;
            }
        }
        self.read += 1;
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(Some(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, most: usize, expect: &[&str]) {
        let mut lines = Lines::new(text.as_bytes(), most);
        let mut found = Vec::new();
        while let Some(line) = lines.next().expect("memory can be read") {
            found.push(String::from_utf8(line).expect("ASCII"));
        }
        assert_eq!(found, expect, "{text:?}");
    }

    #[test]
    fn lines_end_at_line_ends_and_at_the_end() {
        check("a\nb\r\n\nc", 9, &["a", "b", "", "c"]);
        check("a\n", 9, &["a"]);
        check("", 9, &[]);
    }

    #[test]
    fn long_lines_are_cut_one_byte_past_the_budget() {
        check("abcdefgh\nxy", 3, &["abcd", "xy"]);
        let long = "x".repeat(1 << 20);
        check(&format!("{long}\ny"), 3, &["xxxx", "y"]);
    }
}
