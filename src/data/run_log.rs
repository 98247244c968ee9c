//! The log of a run: one JSON object a line.
//!
//! What must stay true: a line is written whole or, after a crash, cut off when the run resumes;
//! lines of steps after the resumed one are cut off too, so the log of a resumed run is that of
//! an uninterrupted one.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::file::is_lone_pipe;
use crate::error::{Diagnostic, Error};

/// Bytes of one line; a longer one was not written by us.
const LINE_BYTES: u64 = 1 << 20;

/// A log file that is appended to.
#[derive(Debug)]
pub struct RunLog {
    path: PathBuf,
    file: File,
}

impl RunLog {
    /// Begins a log; an old file of this name is emptied.
    pub fn create(path: &Path) -> Result<RunLog, Error> {
        let file = not_a_pipe(path).and_then(|()| File::create(path)).map_err(|error| fault(path, &error))?;
        Ok(RunLog { path: path.to_owned(), file })
    }

    /// Goes on with a log after so many steps: what is after the last line whose `"step"` is at
    /// most `step` is cut off. Begins one where there is none.
    pub fn resume(path: &Path, step: u64) -> Result<RunLog, Error> {
        let resume = || -> io::Result<File> {
            not_a_pipe(path)?;
            let mut file =
                OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
            let kept = kept_bytes(&mut file, step)?;
            file.set_len(kept)?;
            file.seek(SeekFrom::End(0))?;
            Ok(file)
        };
        let file = resume().map_err(|error| fault(path, &error))?;
        Ok(RunLog { path: path.to_owned(), file })
    }

    /// Writes one line: the fields in this order. A number that is not finite is `null`.
    ///
    /// ```
    /// use symdiff::data::RunLog;
    /// let path = std::env::temp_dir().join(format!("symdiff-log-{}.jsonl", std::process::id()));
    /// let mut log = RunLog::create(&path)?;
    /// log.write(&[("step", 1u64.into()), ("loss", 0.5.into())])?;
    /// assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"step\":1,\"loss\":0.5}\n");
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), symdiff::Error>(())
    /// ```
    pub fn write(&mut self, fields: &[(&str, Value)]) -> Result<(), Error> {
        let fields: Vec<String> =
            fields.iter().map(|(key, value)| format!("{}:{value}", Value::from(*key))).collect();
        // One write: a line is never half in the file while the program lives.
        let line = format!("{{{}}}\n", fields.join(","));
        self.file.write_all(line.as_bytes()).map_err(|error| fault(&self.path, &error))
    }
}

/// Opening a pipe would wait for a reader, and nothing of one can be cut off.
fn not_a_pipe(path: &Path) -> io::Result<()> {
    if is_lone_pipe(path) { Err(io::Error::other("it is a pipe")) } else { Ok(()) }
}

/// How many bytes the lines up to the step have.
fn kept_bytes(file: &mut File, step: u64) -> io::Result<u64> {
    let mut reader = BufReader::new(file);
    let mut kept = 0;
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line)?;
        let of_step = |object: &Map<String, Value>| {
            object.get("step").is_none_or(|s| s.as_u64().is_some_and(|s| s <= step))
        };
        let whole = line.ends_with(b"\n");
        let object = serde_json::from_slice(&line).ok();
        if !whole || !object.as_ref().is_some_and(of_step) {
            return Ok(kept);
        }
        kept += read as u64;
    }
}

fn fault(path: &Path, error: &io::Error) -> Error {
    let text = format!("cannot write the log `{}`: {error}", path.display());
    Error::data(Diagnostic::error(text).hint("name another file with `--log`"))
}
