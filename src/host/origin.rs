//! What the records say of files that the program wrote.

use std::path::Path;

use super::Host;
use super::access::Access;
use super::files::{LONGEST_HASHED, hash_of_names};
use super::hash::hash;
use super::place::names_folder;
use super::record::{self, Record, Written};
use crate::error::Result;

/// What became of the files that a run had read.
#[derive(Debug, Default)]
pub struct Changes {
    /// The names of those that have other bytes.
    pub changed: Vec<String>,
    /// Of those that are not found by their names, as of files given by an absolute path, or are too long to tell.
    pub unknown: Vec<String>,
}

impl Host {
    /// What is known of a file that the program wrote; nothing of others.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) when reading it is not allowed.
    pub fn written(&self, path: &Path) -> Result<Option<Written>> {
        let place = self.locate(Access::Read, path)?;
        Ok(Record::read(&place).map(|record| record.written(&place)))
    }

    /// What the run that wrote a file had read, and has changed since; nothing of a file without a record.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) when reading the file is not allowed.
    pub fn changed_inputs(&self, path: &Path) -> Result<Changes> {
        let place = self.locate(Access::Read, path)?;
        let inputs = Record::read(&place).and_then(|record| record.provenance).map(|provenance| provenance.inputs);
        let mut changes = Changes::default();
        for input in inputs.into_iter().flatten() {
            match self.hash_now(Path::new(&input.name)) {
                Some(now) if now == input.sha256 => {}
                Some(_) => changes.changed.push(input.name),
                None => changes.unknown.push(input.name),
            }
        }
        Ok(changes)
    }

    /// The hash of a file as it is, or of the names in a folder, whose path ends with a separator; nothing of what is
    /// not found, may not be read, or is too long to tell.
    pub(crate) fn hash_now(&self, path: &Path) -> Option<String> {
        if names_folder(path) {
            return self.entries(path).ok().map(|entries| hash_of_names(&entries));
        }
        let mut file = self.locate(Access::Read, path).ok()?.open().ok()?;
        let is_short = file.metadata().is_ok_and(|metadata| metadata.len() <= LONGEST_HASHED);
        if is_short { hash(&mut file).ok() } else { None }
    }

    /// The text of this hash that ran when the file at `path` was written, if it was kept.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) when reading the file is not allowed.
    pub fn kept_script(&self, path: &Path, sha256: &str) -> Result<Option<String>> {
        Ok(record::kept_text(&self.locate(Access::Read, path)?, sha256))
    }
}
