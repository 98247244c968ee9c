//! Writing a file so that it is the old one or the new one, never a part.
//!
//! A temporary file beside it, written and synced, is renamed over it, and the folder is synced.
//! What must stay true: on every failure the old file is untouched and the temporary one gone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::encode::{header, write_numbers};
use super::saved::Saved;
use crate::error::{Diagnostic, Error};

/// Temporary names tried before giving up: each is of another run that was killed, or alive.
const ATTEMPTS: u32 = 100;

/// Writes a weights file in place of the one of this name, if there is one.
///
/// Errors: `is_input` for tensors that are not what they say, `is_data` where the file cannot be
/// written; then what was there before is still there.
pub fn save(path: &Path, saved: &Saved) -> Result<(), Error> {
    let header = header(saved)?;
    let write = |out: &mut BufWriter<&File>| {
        out.write_all(&header)?;
        write_numbers(saved, out)
    };
    replace_file(path, write)
}

/// Replaces a file whole or not at all; errors are in words, and `is_data`.
pub(crate) fn replace_file(
    path: &Path,
    write: impl Fn(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<(), Error> {
    replace(path, write).map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
            io::ErrorKind::NotFound => "its folder does not exist".to_owned(),
            io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            io::ErrorKind::StorageFull => "the disk is full".to_owned(),
            io::ErrorKind::FileTooLarge => "it is larger than files may be here".to_owned(),
            _ => error.to_string(),
        };
        let text = format!("cannot save `{}`: {why}", path.display());
        let kept = match fs::symlink_metadata(path) {
            Ok(found) if found.is_file() => "the old file is untouched; save to another place",
            _ => "nothing was written; save to another place",
        };
        Error::data(Diagnostic::error(text).hint(kept))
    })
}

/// Replaces the file at `path` by what `write` writes.
fn replace(path: &Path, write: impl Fn(&mut BufWriter<&File>) -> io::Result<()>) -> io::Result<()> {
    // Through links: the file they lead to is replaced, not the link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let permissions = match fs::metadata(&path) {
        Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Ok(found) if !found.is_file() => return Err(io::Error::other("it is a device, not a file")),
        Ok(found) => Some(found.permissions()),
        Err(_) => None,
    };
    if permissions.as_ref().is_some_and(fs::Permissions::readonly) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let (temporary, file) = Temporary::create(folder, &path)?;
    let mut out = BufWriter::with_capacity(1 << 16, &file);
    write(&mut out)?;
    out.flush()?;
    drop(out);
    if let Some(permissions) = permissions {
        file.set_permissions(permissions)?;
    }
    file.sync_all()?;
    drop(file);
    fs::rename(&temporary.0, &path)?;
    std::mem::forget(temporary); // It is the file now.
    sync_folder(folder)
}

/// A rename lasts when its folder does. Folders cannot be opened everywhere; there, the system
/// keeps renames itself.
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder) {
        Ok(folder) if cfg!(unix) => folder.sync_all(),
        _ => Ok(()),
    }
}

/// A file that is removed when it is dropped.
struct Temporary(PathBuf);

impl Temporary {
    /// A new file beside `path`, hidden, named after it and this process.
    fn create(folder: &Path, path: &Path) -> io::Result<(Temporary, File)> {
        let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?.to_string_lossy();
        for attempt in 0..ATTEMPTS {
            let temporary = folder.join(format!(".{name}.{}-{attempt}.tmp", std::process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&temporary) {
                Ok(file) => return Ok((Temporary(temporary), file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("too many temporary files of killed runs beside it"))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Nothing more can be done where even removing fails.
        let _ = fs::remove_file(&self.0);
    }
}
