//! The one way to the file system: where paths lead, and what is read there.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::Host;
use super::access::Access;
use super::hash::{hash, hash_of};
use super::place::{Place, Resolved};
use super::record::Record;
use crate::error::{Error, Result};

/// Bytes of a file that is hashed before it is read part by part.
pub(super) const LONGEST_HASHED: u64 = 1 << 30;
/// Names of a folder's files that an error lists.
const SHOWN: usize = 4;
/// Bytes of a script that comes from where a size is not known beforehand.
const LONGEST: u64 = 64 << 20;

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
    /// [`Error::File`] when it is not allowed or no regular file, and with the folder's nearest name as a hint where
    /// the file does not exist.
    pub fn open(&self, path: &Path) -> Result<BufReader<File>> {
        let place = self.locate(Access::Read, path)?;
        let noted = place.open().and_then(|mut file| {
            let size = file.metadata()?.len();
            let hash = || match size {
                ..=LONGEST_HASHED => hash(&mut file),
                _ => Ok(format!("not formed of {size} bytes")),
            };
            self.note(path, &place, hash)?;
            file.rewind().map(|()| file)
        });
        noted.map(BufReader::new).map_err(|e| self.unread(path, &place, &e))
    }

    /// Notes that a file is read.
    fn note(&self, path: &Path, place: &Place, hash: impl FnOnce() -> std::io::Result<String>) -> std::io::Result<()> {
        self.journal.read(path, hash, |hash| Record::read(place)?.origin_of(hash))
    }

    /// Reads the text of a module that a script imports.
    ///
    /// # Errors
    /// As [`Host::read_text`].
    pub(crate) fn read_module(&self, path: &Path) -> Result<String> {
        let text = text_of(path, self.whole(path, &self.locate(Access::Read, path)?)?)?;
        self.journal.import(path, &text);
        Ok(text)
    }

    /// Reads a whole file.
    ///
    /// # Errors
    /// As [`Host::open`], and when the file does not fit into memory.
    pub fn read(&self, path: &Path) -> Result<Vec<u8>> {
        let bytes = self.peek(path)?;
        self.take(path, &bytes)?;
        Ok(bytes)
    }

    /// Reads a whole file, of which nothing is used unless [`Host::take`] says so.
    ///
    /// # Errors
    /// As [`Host::read`].
    pub(crate) fn peek(&self, path: &Path) -> Result<Vec<u8>> {
        self.whole(path, &self.locate(Access::Read, path)?)
    }

    /// Reads what stands behind the first `from` bytes of a file that grows, of which nothing is used.
    ///
    /// # Errors
    /// As [`Host::read`].
    pub fn tail(&self, path: &Path, from: u64) -> Result<Vec<u8>> {
        let place = self.locate(Access::Read, path)?;
        let read = place.open().and_then(|mut file| {
            let mut bytes = Vec::new();
            file.seek(SeekFrom::Start(from))?;
            file.read_to_end(&mut bytes).map(|_| bytes)
        });
        read.map_err(|e| self.explain("read", path, &e))
    }

    /// Notes that the `bytes` of a file are used.
    ///
    /// # Errors
    /// [`Error::File`] when reading it is not allowed.
    pub(crate) fn take(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let place = self.locate(Access::Read, path)?;
        self.note(path, &place, || Ok(hash_of(bytes))).map_err(|e| self.explain("read", path, &e))
    }

    fn whole(&self, path: &Path, place: &Place) -> Result<Vec<u8>> {
        let mut file = place.open().map_err(|e| self.unread(path, place, &e))?;
        let length = file.metadata().map_or(0, |metadata| metadata.len());
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
        text_of(path, self.read(path)?)
    }

    /// What is in a folder, files and folders, in the order of their names; names that begin with a dot are left out.
    ///
    /// # Errors
    /// [`Error::File`] when it is not allowed, there is no such folder, or it is a file.
    pub fn entries(&self, path: &Path) -> Result<Vec<Entry>> {
        let place = self.allowed(Access::Read, path)?;
        if place.is_file() {
            return Err(Error::file("read", path, "it is a file, not a folder"));
        }
        let found = match &self.stage {
            Some(stage) => stage.entries(&place, self.provenance().as_ref()),
            None => place.entries(),
        };
        let found = found.map_err(|e| self.explain("read", path, &e))?;
        let visible = found.into_iter().filter(|(name, _)| !name.to_string_lossy().starts_with('.'));
        let mut entries: Vec<Entry> = visible
            .map(|(name, kind)| {
                let path = path.join(name);
                let leads_to_folder = || self.locate(Access::Read, &path).is_ok_and(|place| place.is_folder());
                Entry { is_folder: if kind.is_symlink() { leads_to_folder() } else { kind.is_dir() }, path }
            })
            .collect();
        entries.sort();
        Ok(entries)
    }

    /// What is in a folder, as [`Host::entries`] has it, where results depend on that: one more is noted as a change.
    ///
    /// # Errors
    /// As [`Host::entries`].
    pub fn listing(&self, path: &Path) -> Result<Vec<Entry>> {
        let entries = self.entries(path)?;
        let noted = self.journal.read(&path.join(""), || Ok(hash_of_names(&entries)), |_| None);
        noted.map_err(|e| self.explain("read", path, &e)).map(|()| entries)
    }

    /// Whether there is a file of that name.
    ///
    /// # Errors
    /// [`Error::File`] when reading it is not allowed: that must not look as if there were none.
    pub fn has_file(&self, path: &Path) -> Result<bool> {
        Ok(self.locate(Access::Read, path)?.is_file())
    }

    /// Whether two paths lead to one file.
    pub fn is_same_file(&self, first: &Path, second: &Path) -> bool {
        let place = |path| self.locate(Access::Read, path).map(|place| place.path).ok();
        place(first).is_some_and(|path| place(second) == Some(path))
    }

    /// The one name of a file that several may lead to; the name given where it may not be read.
    pub fn canonical(&self, path: &Path) -> PathBuf {
        self.locate(Access::Read, path).map_or_else(|_| path.to_owned(), |place| place.path)
    }

    /// Where the run finds, or writes, what is at a path, if `access` to it is allowed.
    pub(super) fn locate(&self, access: Access, path: &Path) -> Result<Place> {
        let place = self.allowed(access, path)?;
        match &self.stage {
            Some(stage) => stage
                .place(access, place, self.provenance().as_ref())
                .map_err(|error| Error::file(access.verb(), path, error)),
            None => Ok(place),
        }
    }

    /// The place of a path, if `access` to it is allowed.
    fn allowed(&self, access: Access, path: &Path) -> Result<Place> {
        self.permit(access, path)?;
        let fault = |e| self.explain(access.verb(), path, &e);
        let resolved = Resolved::of(path).map_err(fault)?;
        match &self.permissions {
            Some(permissions) => permissions.place(access, path, resolved),
            None => Place::anywhere(resolved).map_err(fault),
        }
    }

    pub(super) fn explain(&self, action: &'static str, path: &Path, error: &std::io::Error) -> Error {
        use std::io::ErrorKind;
        let folder = folder_of(path);
        match error.kind() {
            ErrorKind::NotFound if !folder.is_dir() => missing_folder(action, path, &folder),
            ErrorKind::NotFound => match self.similar_name(path, &folder) {
                Some(name) => Error::file(action, path, "no such file").with_hint(format!("did you mean `{name}`?")),
                None => Error::file(action, path, "no such file"),
            },
            ErrorKind::PermissionDenied => Error::file(action, path, "permission denied"),
            ErrorKind::NotADirectory => missing_folder(action, path, &folder),
            _ => Error::file(action, path, error),
        }
    }

    /// Why a file is not read; of a folder in the place of one, what is in it.
    fn unread(&self, path: &Path, place: &Place, error: &std::io::Error) -> Error {
        let error = self.explain("read", path, error);
        let Some(Ok(entries)) = place.is_folder().then(|| place.entries()) else { return error };
        let mut names: Vec<_> = entries.into_iter().filter(|(_, kind)| kind.is_file()).map(|(name, _)| name).collect();
        names.sort();
        let shown: Vec<_> = names.iter().take(SHOWN).map(|name| format!("`{}`", name.display())).collect();
        match (shown.join(", "), names.len().saturating_sub(SHOWN)) {
            (_, 0) if names.is_empty() => error.with_hint("there is no file in it"),
            (shown, 0) => error.with_hint(format!("the files in it are {shown}")),
            (shown, more) => error.with_hint(format!("the files in it are {shown} and {more} more")),
        }
    }

    /// The nearest name in the folder, of what may be read there.
    fn similar_name(&self, path: &Path, folder: &Path) -> Option<String> {
        let wanted = path.file_name()?.to_string_lossy().into_owned();
        let found = self.locate(Access::Read, folder).ok()?.entries().ok()?;
        let names = found.into_iter().map(|(name, _)| name.to_string_lossy().into_owned());
        crate::error::nearest(&wanted, names.filter(|name| self.allows(Access::Read, &path.with_file_name(name))))
    }
}

/// A hash of the names in a folder.
pub(super) fn hash_of_names(entries: &[Entry]) -> String {
    let name = |entry: &Entry| entry.path.file_name().map(OsStr::to_string_lossy).unwrap_or_default().into_owned();
    hash_of(entries.iter().map(name).collect::<Vec<_>>().join("\n").as_bytes())
}

/// The text of the script that the user of a command named: wherever it is, and from a pipe or a terminal too, for
/// which it waits.
///
/// # Errors
/// As [`Host::read_text`], and when what has no end of its own goes on beyond 64 MiB.
pub fn read_script(path: &Path) -> Result<String> {
    let host = Host::default();
    let has_no_size = std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir());
    if !has_no_size {
        return host.read_text(path);
    }
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes));
    match read.map_err(|e| host.explain("read", path, &e))? {
        length if length as u64 > LONGEST => {
            Err(Error::file("read", path, "it goes on beyond 64 MiB, as no script does"))
        }
        _ => text_of(path, bytes),
    }
}

fn text_of(path: &Path, bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|_| Error::file("read", path, "it is not a UTF-8 text file"))
}

pub(super) fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

pub(super) fn missing_folder(action: &'static str, path: &Path, folder: &Path) -> Error {
    if let Some(file) = folder.ancestors().find(|part| part.is_file()) {
        return Error::file(action, path, format!("`{}` is a file, not a folder", file.display()));
    }
    if folder.starts_with("~") {
        return Error::file(action, path, "the folder `~` does not exist")
            .with_hint("write it out: only shells know `~`");
    }
    Error::file(action, path, format!("the folder `{}` does not exist", folder.display()))
        .with_hint(format!("create it first: mkdir -p {}", folder.display()))
}
