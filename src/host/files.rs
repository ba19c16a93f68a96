//! The one way to the file system.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Host;
use super::access::Access;
use super::hash::{hash, hash_of};
use super::place::{Place, Resolved, only_files};
use super::record::{self, Record};
use crate::error::{Error, Result};

/// How many files were begun by this process.
static PARTS: AtomicU64 = AtomicU64::new(0);
/// What the name of a file that is being written ends in.
const PART: &str = ".part";

/// Bytes of a file that is hashed before it is read part by part.
pub(super) const LONGEST_HASHED: u64 = 1 << 30;
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

/// A file of which more is written as it comes, seen by others at once.
pub(crate) struct Growing {
    /// The first rank alone has it.
    file: Option<File>,
    path: PathBuf,
}

impl Growing {
    /// Adds to the end of the file.
    ///
    /// # Errors
    /// [`Error::File`] when the operating system refuses; a part may be there then.
    pub(crate) fn add(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        file.write_all(bytes).map_err(|e| Error::file("write", &self.path, e))
    }
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
        noted.map(BufReader::new).map_err(|e| self.explain("read", path, &e))
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

    /// Notes that the `bytes` of a file are used.
    ///
    /// # Errors
    /// [`Error::File`] when reading it is not allowed.
    pub(crate) fn take(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let place = self.locate(Access::Read, path)?;
        self.note(path, &place, || Ok(hash_of(bytes))).map_err(|e| self.explain("read", path, &e))
    }

    fn whole(&self, path: &Path, place: &Place) -> Result<Vec<u8>> {
        let mut file = place.open().map_err(|e| self.explain("read", path, &e))?;
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

    /// Writes a file whole or not at all: `fill` writes to a neighbour, which then takes the name, and whose bytes are
    /// on the disk before. Of two that write one file at the same time the later one wins.
    ///
    /// # Errors
    /// [`Error::File`] when it is not allowed, the folder does not exist or cannot be written to, or what `fill`
    /// returns.
    pub fn write(&self, path: &Path, fill: impl FnOnce(&mut BufWriter<File>) -> Result<()>) -> Result<()> {
        self.changing("writing", path, || self.fill(&self.writable(path)?, path, false, fill))
    }

    /// Does what changes files, which the first of several ranks does alone.
    fn changing<T: Serialize + DeserializeOwned>(
        &self,
        doing: &str,
        path: &Path,
        change: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        if self.ranks.is_alone() {
            return change();
        }
        self.ranks.first(&format!("{doing} `{}`", path.display()), change)
    }

    /// Writes what is at `place`, which may be written, and to which more may be added if it `grows`.
    fn fill(
        &self,
        place: &Place,
        path: &Path,
        grows: bool,
        fill: impl FnOnce(&mut BufWriter<File>) -> Result<()>,
    ) -> Result<()> {
        let name = part_of(place);
        let part = place.beside(&name);
        let fault = |e| self.explain("write", path, &e);
        let mut out = BufWriter::new(part.create_new().map_err(fault)?);
        let result = fill(&mut out);
        let flushed = out.into_inner().map_err(|e| Error::file("write", path, e.error()));
        let outcome = result.and_then(|()| {
            let mut file = flushed?;
            file.sync_all().map_err(fault)?;
            let mut guard = None;
            if let Some(permissions) = &self.permissions {
                let mut record = Record::of(&mut file, path, self.provenance()).map_err(fault)?;
                record.grows = grows;
                guard = Some(Record::guard(place).map_err(fault)?);
                // Somebody may have changed it while the part was written.
                permissions.check_settled(path, place)?;
                record::keep_texts(place, &name, self.journal.texts()).map_err(fault)?;
                // First the record, which a full disk may refuse: then the file has not changed yet.
                record.write(place, &name).map_err(fault)?;
            }
            drop(file);
            part.rename(place).map_err(fault)?;
            drop(guard);
            place.settle();
            Ok(())
        });
        if outcome.is_err() {
            // The part is worthless now; that removing it may fail too changes nothing.
            let _ = part.remove();
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

    /// Writes `bytes` to a file as [`Host::write_bytes`] does, and keeps it open for what is added later.
    ///
    /// # Errors
    /// As [`Host::write`].
    pub(crate) fn begin(&self, path: &Path, bytes: &[u8]) -> Result<Growing> {
        let mut file = None;
        self.changing("writing", path, || {
            let place = self.writable(path)?;
            self.fill(&place, path, true, |out| out.write_all(bytes).map_err(|e| Error::file("write", path, e)))?;
            file = Some(place.open_end().map_err(|e| self.explain("write", path, &e))?);
            Ok(())
        })?;
        Ok(Growing { file, path: path.to_owned() })
    }

    /// Writes a script that the user of a prompt asked for; no script may write one.
    ///
    /// # Errors
    /// As [`Host::write`].
    pub fn write_script(&self, path: &Path, text: &str) -> Result<()> {
        let place = self.replaceable(path)?;
        self.fill(&place, path, false, |out| out.write_all(text.as_bytes()).map_err(|e| Error::file("write", path, e)))
    }

    /// Removes a file that the program wrote, if it is there.
    ///
    /// # Errors
    /// [`Error::File`] when writing it is not allowed, or the operating system refuses.
    pub fn remove_file(&self, path: &Path) -> Result<()> {
        self.changing("removing", path, || {
            let place = self.writable(path)?;
            Record::forget(&place);
            match place.remove() {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(self.explain("remove", path, &e)),
                _ => Ok(()),
            }
        })
    }

    /// Gives a file that cannot be used another name, which is returned: NAME.damaged, with a number where that is
    /// taken.
    ///
    /// # Errors
    /// [`Error::File`] when writing there is not allowed, or the operating system refuses.
    pub fn set_aside(&self, path: &Path) -> Result<PathBuf> {
        self.changing("renaming", path, || self.rename_aside(path))
    }

    fn rename_aside(&self, path: &Path) -> Result<PathBuf> {
        // The file itself: what a link leads to is not of this folder.
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let place = self.locate(Access::Write, &folder_of(path))?.within(&*name);
        if !place.is_file() {
            return Err(Error::file("write", path, "it is no file of this folder"));
        }
        let names = (1..).map(|count| match count {
            1 => format!("{name}.damaged"),
            _ => format!("{name}.damaged-{count}"),
        });
        let mut free = names.filter(|name| place.beside(name).metadata().is_err());
        let name = free.next().expect("numbers do not end");
        place.rename(&place.beside(&name)).map_err(|e| self.explain("write", path, &e))?;
        Record::forget(&place);
        Ok(path.with_file_name(name))
    }

    /// Removes from a folder what processes left behind that were killed while they wrote files whose names are `own`.
    ///
    /// # Errors
    /// [`Error::File`] when writing there is not allowed, or the operating system refuses.
    pub fn sweep(&self, folder: &Path, own: impl Fn(&str) -> bool) -> Result<()> {
        self.changing("tidying", folder, || {
            let place = self.locate(Access::Write, folder)?;
            let fault = |e| self.explain("write", folder, &e);
            for (name, kind) in place.entries().map_err(fault)? {
                let is_part = name.to_str().and_then(name_of_part).is_some_and(&own);
                if is_part && kind.is_file() {
                    place.within(name).remove().map_err(fault)?;
                }
            }
            Ok(())
        })
    }

    /// Refuses early when `path` could not be written: before hours of work, not after.
    ///
    /// # Errors
    /// [`Error::File`] when it is not allowed, its folder does not exist or there is something that must not be
    /// replaced.
    pub fn check_writable(&self, path: &Path) -> Result<()> {
        match self.writable(path)?.has_folder() {
            true => Ok(()),
            false => Err(missing_folder("write", path, &folder_of(path))),
        }
    }

    /// Creates a folder and those above it, where they do not exist.
    ///
    /// # Errors
    /// [`Error::File`] when it is not allowed or the operating system refuses.
    pub fn create_folder(&self, path: &Path) -> Result<()> {
        self.changing("creating", path, || {
            let created = self.locate(Access::Create, path)?.create_folder();
            created.map_err(|e| self.explain("create", path, &e))
        })
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

    /// The place of a file that a script may write.
    fn writable(&self, path: &Path) -> Result<Place> {
        let place = self.replaceable(path)?;
        if let Some(permissions) = &self.permissions {
            permissions.check_no_script(path, &place)?;
        }
        Ok(place)
    }

    /// The place of a file that may be written, with nothing there that must not be replaced.
    fn replaceable(&self, path: &Path) -> Result<Place> {
        // A separator at the end would be passed over in silence.
        let is_folder =
            path.as_os_str().as_encoded_bytes().last().is_some_and(|end| std::path::is_separator(char::from(*end)));
        if path.file_name().is_none() || is_folder {
            return Err(Error::file("write", path, "it names no file"));
        }
        let place = self.locate(Access::Write, path)?;
        if let Ok(metadata) = place.metadata() {
            only_files(metadata.file_type()).map_err(|e| Error::file("write", path, e))?;
        }
        if let Some(permissions) = &self.permissions {
            permissions.check_replaceable(path, &place)?;
        }
        Ok(place)
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

    /// The nearest name in the folder, of what may be read there.
    fn similar_name(&self, path: &Path, folder: &Path) -> Option<String> {
        let wanted = path.file_name()?.to_string_lossy().into_owned();
        let found = self.locate(Access::Read, folder).ok()?.entries().ok()?;
        let names = found.into_iter().map(|(name, _)| name.to_string_lossy().into_owned());
        crate::error::nearest(&wanted, names.filter(|name| self.allows(Access::Read, &path.with_file_name(name))))
    }
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

/// The name under which a file is written before it takes its own: no file of the user is in the way, and no other
/// process and no other thread writes there.
fn part_of(place: &Place) -> String {
    let name = record::short(place.path.file_name().unwrap_or_default());
    let name = name.to_string_lossy();
    format!("{name}.{}-{}{PART}", std::process::id(), PARTS.fetch_add(1, Ordering::Relaxed))
}

/// The name that a file was to have which [`part_of`] named.
fn name_of_part(part: &str) -> Option<&str> {
    let (name, number) = part.strip_suffix(PART)?.rsplit_once('.')?;
    let (process, count) = number.split_once('-')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(process) && is_number(count)).then_some(name)
}

fn text_of(path: &Path, bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|_| Error::file("read", path, "it is not a UTF-8 text file"))
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn missing_folder(action: &'static str, path: &Path, folder: &Path) -> Error {
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
