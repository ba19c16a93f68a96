//! How files are changed: whole or not at all, with a record of what is written, by the first of several ranks.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Host;
use super::access::Access;
use super::files::{folder_of, missing_folder};
use super::place::{Place, names_folder, only_files};
use super::record::{self, Record};
use crate::error::{Error, Result};

/// How many files were begun by this process.
static PARTS: AtomicU64 = AtomicU64::new(0);
/// What the name of a file that is being written ends in.
const PART: &str = ".part";

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
    pub(super) fn changing<T: Serialize + DeserializeOwned>(
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
        if path.file_name().is_none() || names_folder(path) {
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
