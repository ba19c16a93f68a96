//! The one way to the file system.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Access, Host};
use crate::error::{Error, Result};

/// A file or a folder in a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its path, the folder's with its name.
    pub path: PathBuf,
    /// Whether it is a folder.
    pub is_folder: bool,
}

impl Host {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// [`Error::File`] when the policy does not allow it, and with the folder's nearest name as a hint where the file
    /// does not exist.
    pub fn open(&self, path: &Path) -> Result<BufReader<File>> {
        self.permit(Access::Read, path)?;
        match File::open(path) {
            Ok(file) if file.metadata().is_ok_and(|m| m.is_dir()) => Err(Error::file("read", path, "it is a folder")),
            Ok(file) => Ok(BufReader::new(file)),
            Err(e) => Err(self.explain("read", path, &e)),
        }
    }

    /// Reads a whole file.
    ///
    /// # Errors
    /// As [`Host::open`], and when the file does not fit into memory.
    pub fn read(&self, path: &Path) -> Result<Vec<u8>> {
        let mut file = self.open(path)?;
        let length = file.get_ref().metadata().map_or(0, |metadata| metadata.len());
        self.afford(length as f64, |problem| Error::file("read", path, format!("it {problem}")))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|e| self.explain("read", path, &e))?;
        Ok(bytes)
    }

    /// Reads a whole text file.
    ///
    /// # Errors
    /// As [`Host::read`], and when the file is not UTF-8.
    pub fn read_text(&self, path: &Path) -> Result<String> {
        String::from_utf8(self.read(path)?).map_err(|_| Error::file("read", path, "it is not a UTF-8 text file"))
    }

    /// What is in a folder, files and folders, in the order of their names; names that begin with a dot are left out.
    ///
    /// # Errors
    /// [`Error::File`] when the policy does not allow it, there is no such folder, or it is a file.
    pub fn entries(&self, path: &Path) -> Result<Vec<Entry>> {
        self.permit(Access::Read, path)?;
        if path.is_file() {
            return Err(Error::file("read", path, "it is a file, not a folder"));
        }
        let unreadable = |e: std::io::Error| self.explain("read", path, &e);
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(path).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.')) {
                entries.push(Entry { is_folder: path.is_dir(), path });
            }
        }
        entries.sort();
        Ok(entries)
    }

    /// Whether there is a file of that name that may be read.
    pub fn has_file(&self, path: &Path) -> bool {
        self.allows(Access::Read, path) && path.is_file()
    }

    /// The one name of a file that several may lead to; the name given where there is no such file that may be read.
    pub fn canonical(&self, path: &Path) -> PathBuf {
        let resolved = if self.allows(Access::Read, path) { path.canonicalize().ok() } else { None };
        resolved.unwrap_or_else(|| path.to_owned())
    }

    /// Writes a file whole or not at all: `fill` writes to a neighbour, which then takes the name, and whose bytes are
    /// on the disk before. Of two that write one file at the same time the later one wins.
    ///
    /// # Errors
    /// [`Error::File`] when the policy does not allow it, the folder does not exist or cannot be written to, or what
    /// `fill` returns.
    pub fn write<R>(&self, path: &Path, fill: impl FnOnce(&mut BufWriter<File>) -> Result<R>) -> Result<R> {
        self.permit(Access::Write, path)?;
        let part = part_of(path)?;
        let mut out = BufWriter::new(File::create(&part).map_err(|e| self.explain("write", path, &e))?);
        let result = fill(&mut out);
        let flushed = out.into_inner().map_err(|e| Error::file("write", path, e.error()));
        let outcome = result.and_then(|value| {
            let written = flushed?.sync_all().and_then(|()| std::fs::rename(&part, path));
            written.map_err(|e| self.explain("write", path, &e))?;
            settle(&folder_of(path));
            Ok(value)
        });
        if outcome.is_err() {
            // The part file is worthless now; that removing it may fail too changes nothing.
            let _ = std::fs::remove_file(&part);
        }
        outcome
    }

    /// Writes `bytes` to a file, whole or not at all.
    ///
    /// # Errors
    /// As [`Host::write`].
    pub fn write_bytes(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        self.write(path, |out| out.write_all(bytes).map_err(|e| Error::file("write", path, e)))
    }

    /// Removes a file, if it is there.
    ///
    /// # Errors
    /// [`Error::File`] when the policy does not allow to write it, or the operating system refuses.
    pub fn remove_file(&self, path: &Path) -> Result<()> {
        self.permit(Access::Write, path)?;
        match std::fs::remove_file(path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(self.explain("remove", path, &e)),
            _ => Ok(()),
        }
    }

    /// Refuses early when `path` could not be written: before hours of work, not after.
    ///
    /// # Errors
    /// [`Error::File`] when the policy does not allow it, its folder does not exist or it is itself a folder.
    pub fn check_writable(&self, path: &Path) -> Result<()> {
        self.permit(Access::Write, path)?;
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
    /// [`Error::File`] when the policy does not allow it or the operating system refuses.
    pub fn create_folder(&self, path: &Path) -> Result<()> {
        self.permit(Access::Create, path)?;
        std::fs::create_dir_all(path).map_err(|e| self.explain("create", path, &e))
    }

    fn explain(&self, action: &'static str, path: &Path, error: &std::io::Error) -> Error {
        use std::io::ErrorKind;
        let folder = folder_of(path);
        match error.kind() {
            ErrorKind::NotFound if !folder.is_dir() => missing_folder(action, path, &folder),
            ErrorKind::NotFound => match self.similar_name(path, &folder) {
                Some(name) => Error::file(action, path, "no such file").with_hint(format!("did you mean `{name}`?")),
                None => Error::file(action, path, "no such file"),
            },
            ErrorKind::PermissionDenied => Error::file(action, path, "permission denied"),
            _ => Error::file(action, path, error),
        }
    }

    /// The nearest name in the folder, of what may be read there.
    fn similar_name(&self, path: &Path, folder: &Path) -> Option<String> {
        let wanted = path.file_name()?.to_string_lossy().into_owned();
        let names = std::fs::read_dir(folder)
            .ok()?
            .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
            .filter(|name| self.allows(Access::Read, &path.with_file_name(name)));
        crate::error::nearest(&wanted, names)
    }
}

/// Where a file is written before it takes its name: no other process and no other thread writes there.
fn part_of(path: &Path) -> Result<PathBuf> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut name = path.file_name().ok_or_else(|| Error::file("write", path, "it names no file"))?.to_owned();
    name.push(format!(".{}-{}.part", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
    Ok(path.with_file_name(name))
}

/// Makes the names in a folder outlast a loss of power, where the system can: a file that has its name has it.
fn settle(folder: &Path) {
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
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
