//! A folder in which a run writes its files in place of where they are, to be compared with these.

use std::io;
use std::path::{Component, Path, PathBuf};

use cap_std::fs::FileType;

use super::access::Access;
use super::place::{Base, Place, Resolved};
use super::provenance::Provenance;
use super::record::Record;
use crate::error::{Error, Result};

/// A folder that takes the files that a run writes, each under its whole path. The run finds there what it wrote, and
/// does not find what an earlier run of the same script with the same arguments wrote elsewhere.
#[derive(Clone)]
pub struct Stage(Base);

impl Stage {
    /// The stage in a new folder below `parent`.
    ///
    /// # Errors
    /// When the folder cannot be created.
    pub fn below(parent: &Path) -> Result<Self> {
        let process = std::process::id();
        let mut paths = (0..).map(|count| parent.join(format!("tumble-replay-{process}-{count}")));
        let mut create = || loop {
            let path = paths.next().expect("numbers do not end");
            match std::fs::create_dir(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                created => return created.and_then(|()| Base::open(&path.canonicalize()?)),
            }
        };
        create().map(Self).map_err(|error| Error::file("create", parent, error))
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    /// Where what a run would write to a path is, which need not be there.
    pub fn path(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(self.staged(&Resolved::of(path)?.path)?.path)
    }

    /// Removes the folder, with all that is in it or only if that is nothing. A thread behind a wall cannot.
    pub fn remove(self, with_all: bool) {
        let remove = if with_all { std::fs::remove_dir_all } else { std::fs::remove_dir };
        // What remains is in the way of nobody.
        let _ = remove(self.folder());
    }

    /// Where the run that `now` describes finds, or writes, what is at `place`.
    pub(super) fn place(&self, access: Access, place: Place, now: Option<&Provenance>) -> io::Result<Place> {
        let staged = self.staged(&place.path)?;
        match access {
            Access::Read if staged.metadata().is_ok() || is_of_run(&place, now) => return Ok(staged),
            Access::Read => return Ok(place),
            Access::Write | Access::Create => {}
        }
        // What exists elsewhere must not look as if it did not.
        if let Some(folder) = place.path.ancestors().take(2).find(|path| path.is_dir()) {
            self.staged(folder)?.create_folder()?;
        }
        Ok(staged)
    }

    /// The names that the run finds in the folder at `place`, where a link is a link.
    pub(super) fn entries(&self, place: &Place, now: Option<&Provenance>) -> io::Result<Vec<(PathBuf, FileType)>> {
        let staged = self.staged(&place.path)?;
        let mut found = if staged.is_folder() { staged.entries()? } else { Vec::new() };
        let others = match place.entries() {
            Err(error) if found.is_empty() => return Err(error),
            others => others.unwrap_or_default(),
        };
        for (name, kind) in others {
            let is_found = found.iter().any(|(known, _)| *known == name);
            let is_hidden = is_found || kind.is_file() && is_of_run(&place.within(&name), now);
            if !is_hidden {
                found.push((name, kind));
            }
        }
        Ok(found)
    }

    /// The staged counterpart of a path.
    fn staged(&self, path: &Path) -> io::Result<Place> {
        let inner: PathBuf = path.components().filter(|part| matches!(part, Component::Normal(_))).collect();
        self.0.place(self.0.path().join(inner))
    }
}

/// Whether the file at `place` was written by the run that `now` describes, or one like it.
fn is_of_run(place: &Place, now: Option<&Provenance>) -> bool {
    let origin = Record::read(place).and_then(|record| record.provenance);
    origin.zip(now).is_some_and(|(origin, now)| origin.is_of_same_run(now))
}
