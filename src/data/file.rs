//! Files read whole, within a budget.
//!
//! What must stay true: a file that cannot be opened is `is_unreadable`, one that is too large
//! is refused before it is held, and a folder or an endless device is refused too.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::error::{Diagnostic, Error};

/// How a path is named in messages: the file's own name, for it is what people look for.
pub(crate) fn display_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Opens a file to read it. A pipe that stands among the files is refused: opening it would wait for a
/// writer, perhaps for ever. Those of the shell, `<(…)` and `/dev/stdin`, have theirs already.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    if is_lone_pipe(path) {
        return Err(io::Error::other("it is a pipe, which may never be written; hand it in as /dev/stdin"));
    }
    File::open(path)
}

/// Whether it is a pipe with a name among the files, whose other end may be nobody's.
pub(super) fn is_lone_pipe(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let of_shell = path.starts_with("/dev") || path.starts_with("/proc");
        !of_shell && std::fs::metadata(path).is_ok_and(|found| found.file_type().is_fifo())
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

/// The bytes of the file, at most `most` of them; `what` names the budget in the refusal.
pub(crate) fn read_file(path: &Path, most: usize, what: &str) -> Result<Vec<u8>, Error> {
    let unreadable = |error: io::Error| {
        let why = match error.kind() {
            io::ErrorKind::NotFound => "there is no such file".to_owned(),
            io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
            _ => error.to_string(),
        };
        Error::unreadable(Diagnostic::error(format!("cannot read `{}`: {why}", path.display())))
    };
    let file = open_file(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len();
    if size > most as u64 {
        return Err(too_large(path, most, what));
    }
    let mut bytes = Vec::with_capacity(size as usize);
    file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > most { Err(too_large(path, most, what)) } else { Ok(bytes) }
}

fn too_large(path: &Path, most: usize, what: &str) -> Error {
    let text = format!("`{}` has more than the {most} bytes a {what} may have", path.display());
    Error::limit(Diagnostic::error(text).hint("split the file, or raise the limit"))
}
