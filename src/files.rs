//! The one way to the file system.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Opens a file for reading.
///
/// # Errors
/// [`Error::File`] with the folder's nearest name as a hint where the file does not exist.
pub fn open(path: &Path) -> Result<BufReader<File>> {
    match File::open(path) {
        Ok(file) if file.metadata().is_ok_and(|m| m.is_dir()) => Err(Error::file("read", path, "it is a folder")),
        Ok(file) => Ok(BufReader::new(file)),
        Err(e) => Err(explain("read", path, &e)),
    }
}

/// Reads a whole file.
///
/// # Errors
/// As [`open`].
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes).map_err(|e| explain("read", path, &e))?;
    Ok(bytes)
}

/// Reads a whole text file.
///
/// # Errors
/// As [`open`], and when the file is not UTF-8.
pub fn read_text(path: &Path) -> Result<String> {
    String::from_utf8(read(path)?).map_err(|_| Error::file("read", path, "it is not a UTF-8 text file"))
}

/// Whether there is a file of that name.
pub fn exists(path: &Path) -> bool {
    path.is_file()
}

/// The one name of a file that several may lead to; the name given where there is no such file.
pub fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// Writes a file whole or not at all: `fill` writes to a neighbour, which then takes the name.
///
/// # Errors
/// [`Error::File`] when the folder does not exist or cannot be written to, or what `fill` returns.
pub fn write<R>(path: &Path, fill: impl FnOnce(&mut BufWriter<File>) -> Result<R>) -> Result<R> {
    let mut name = path.file_name().ok_or_else(|| Error::file("write", path, "it names no file"))?.to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let mut out = BufWriter::new(File::create(&part).map_err(|e| explain("write", path, &e))?);
    let result = fill(&mut out);
    let flushed = out.into_inner().map_err(|e| Error::file("write", path, e.error()));
    let outcome = result.and_then(|value| {
        drop(flushed?);
        std::fs::rename(&part, path).map_err(|e| explain("write", path, &e))?;
        Ok(value)
    });
    if outcome.is_err() {
        // The part file is worthless now; that removing it may fail too changes nothing.
        let _ = std::fs::remove_file(&part);
    }
    outcome
}

/// Refuses early when `path` could not be written: before hours of work, not after.
///
/// # Errors
/// [`Error::File`] when its folder does not exist or it is itself a folder.
pub fn check_writable(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Err(Error::file("write", path, "it is a folder"));
    }
    match folder_of(path) {
        folder if folder.is_dir() => Ok(()),
        folder => Err(missing_folder("write", path, &folder)),
    }
}

/// Creates a folder and those above it, where they do not exist.
///
/// # Errors
/// [`Error::File`] when the operating system refuses.
pub fn create_folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|e| explain("create", path, &e))
}

/// Bytes of memory that the system could give to new work without swapping, where it tells (Linux).
pub fn available_memory() -> Option<f64> {
    let text = read_text(Path::new("/proc/meminfo")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok().map(|kibibytes: f64| 1024.0 * kibibytes)
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn missing_folder(action: &'static str, path: &Path, folder: &Path) -> Error {
    Error::file(action, path, format!("the folder `{}` does not exist", folder.display()))
        .with_hint(format!("create it first: mkdir -p {}", folder.display()))
}

fn explain(action: &'static str, path: &Path, error: &std::io::Error) -> Error {
    use std::io::ErrorKind;
    let folder = folder_of(path);
    match error.kind() {
        ErrorKind::NotFound if !folder.is_dir() => missing_folder(action, path, &folder),
        ErrorKind::NotFound => match similar_name(path, &folder) {
            Some(name) => Error::file(action, path, "no such file").with_hint(format!("did you mean `{name}`?")),
            None => Error::file(action, path, "no such file"),
        },
        ErrorKind::PermissionDenied => Error::file(action, path, "permission denied"),
        _ => Error::file(action, path, error),
    }
}

fn similar_name(path: &Path, folder: &Path) -> Option<String> {
    let wanted = path.file_name()?.to_string_lossy().into_owned();
    let names = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()));
    crate::error::nearest(&wanted, names)
}
