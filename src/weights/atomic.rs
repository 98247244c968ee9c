//! Writing a file so that it is the old one or the new one, never a part.
//!
//! A temporary file beside it, written and synced, is renamed over it, and the folder is synced.
//! What must stay true: on every failure the old file is untouched and the temporary one gone; those of
//! killed runs go with the next save, and are known by their locks, which died with their owners.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::encode::{header, write_numbers};
use super::saved::Saved;
use crate::error::{Diagnostic, Error};

/// Temporary names tried before giving up: each is of another run that was killed, or alive.
const ATTEMPTS: u32 = 100;

/// What their names end with.
const SUFFIX: &str = ".tmp";

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
    replace(path, write).map_err(|error| in_words(path, &error))
}

/// Whether a file can be saved there: a long run should not find out at its end.
pub(crate) fn check_place(path: &Path) -> Result<(), Error> {
    prepare(path).map(drop).map_err(|error| in_words(path, &error))
}

fn in_words(path: &Path, error: &io::Error) -> Error {
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
}

/// Replaces the file at `path` by what `write` writes.
fn replace(path: &Path, write: impl Fn(&mut BufWriter<&File>) -> io::Result<()>) -> io::Result<()> {
    let (temporary, path, permissions) = prepare(path)?;
    let mut out = BufWriter::with_capacity(1 << 16, &temporary.file);
    write(&mut out)?;
    out.flush()?;
    drop(out);
    if let Some(permissions) = permissions {
        temporary.file.set_permissions(permissions)?;
    }
    temporary.file.sync_all()?;
    // The lock is held until the file has its name: nobody takes it for a leftover.
    fs::rename(&temporary.path, &path)?;
    temporary.keep();
    sync_folder(folder_of(&path))
}

/// A temporary file beside the file to be replaced, whose path and permissions come with it.
fn prepare(path: &Path) -> io::Result<(Temporary, PathBuf, Option<fs::Permissions>)> {
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
    Ok((Temporary::create(folder_of(&path), &path)?, path, permissions))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A rename lasts when its folder does. Folders cannot be opened everywhere; there, the system
/// keeps renames itself.
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder) {
        Ok(folder) if cfg!(unix) => folder.sync_all(),
        _ => Ok(()),
    }
}

/// A locked file that is removed when it is dropped.
struct Temporary {
    path: PathBuf,
    file: File,
    kept: bool,
}

impl Temporary {
    /// A new file beside `path`, hidden, named after it and this process.
    fn create(folder: &Path, path: &Path) -> io::Result<Temporary> {
        let prefix = prefix(path)?;
        remove_leftovers(folder, &prefix);
        for attempt in 0..ATTEMPTS {
            let path = folder.join(format!("{prefix}{}-{attempt}{SUFFIX}", std::process::id()));
            let file = match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            };
            match file.try_lock() {
                // Another that looks for leftovers was between: it has removed this one.
                Err(TryLockError::WouldBlock) => {}
                Ok(()) if !path.exists() => {}
                // File systems without locks lose the removal of leftovers only.
                Ok(()) | Err(TryLockError::Error(_)) => return Ok(Temporary { path, file, kept: false }),
            }
        }
        Err(io::Error::other("too many temporary files of killed runs beside it"))
    }

    /// It has another name now, and stays.
    fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.kept {
            // Nothing more can be done where even removing fails.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// What the names of a file's temporary ones begin with.
fn prefix(path: &Path) -> io::Result<String> {
    // Names are at most 255 bytes long; a character has at most four.
    const LONGEST: usize = 50;
    let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?.to_string_lossy();
    Ok(format!(".{}.", name.chars().take(LONGEST).collect::<String>()))
}

/// Removes temporary files that nobody writes any more.
fn remove_leftovers(folder: &Path, prefix: &str) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let between = name.to_str().and_then(|name| name.strip_prefix(prefix)?.strip_suffix(SUFFIX));
        let ours = between.is_some_and(|text| text.bytes().all(|b| b.is_ascii_digit() || b == b'-'));
        let is_file = || entry.file_type().is_ok_and(|kind| kind.is_file());
        if ours && is_file() && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
