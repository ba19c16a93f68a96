//! Claims on files, by which processes keep out of each other's work: one ends with the process that has it, however
//! that ends.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

use super::Host;
use super::access::Access;
use super::place::Place;
use super::record::{RECORDS, short};
use crate::error::Result;

/// Who only looks has the lock for a moment; who wants it asks again.
const ATTEMPTS: usize = 4;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(5);

/// A file that nobody else holds while this lives. Of several ranks the first has it.
pub struct Hold(Option<File>);

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(file) = &self.0 {
            // Whoever is killed leaves its name; that one cannot be removed changes little.
            let _ = file.set_len(0);
        }
    }
}

/// Who held a file last, and has not let go of it in good order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// As it called itself.
    pub name: String,
    /// Whether it still holds the file; otherwise it was ended from outside.
    pub is_alive: bool,
}

impl Host {
    /// Holds a file, which need not exist, nor its folder, as `name`; nothing where somebody else holds it. Where the
    /// system has no locks, everybody does.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) when writing there is not allowed, or the operating system refuses.
    pub fn hold(&self, path: &Path, name: &str) -> Result<Option<Hold>> {
        let mut own = None;
        let is_held = self.changing("holding", path, || {
            own = self.hold_alone(path, name)?;
            Ok(own.is_some())
        })?;
        Ok(is_held.then_some(Hold(own)))
    }

    fn hold_alone(&self, path: &Path, name: &str) -> Result<Option<File>> {
        let place = self.locate(Access::Write, path)?;
        let hold = || -> io::Result<Option<File>> {
            place.beside(RECORDS).create_folder()?;
            let mut file = home(&place).create()?;
            if (0..ATTEMPTS).all(|attempt| is_taken(attempt, file.try_lock())) {
                return Ok(None);
            }
            file.set_len(0)?;
            file.write_all(name.as_bytes())?;
            Ok(Some(file))
        };
        hold().map_err(|error| self.explain("hold", path, &error))
    }

    /// Who holds a file, or held it when it was ended from outside.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) when reading there is not allowed.
    pub fn holder(&self, path: &Path) -> Result<Option<Holder>> {
        let home = home(&self.locate(Access::Read, path)?);
        let look = || -> io::Result<Holder> {
            let mut file = home.open()?;
            let is_alive = matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
            let mut name = String::new();
            file.rewind()?;
            file.read_to_string(&mut name)?;
            Ok(Holder { name, is_alive })
        };
        // Where there is nothing to be read, nobody has been.
        Ok(look().ok().filter(|holder| holder.is_alive || !holder.name.is_empty()))
    }
}

/// Whether somebody else has the lock; waits before the next attempt.
fn is_taken(attempt: usize, lock: std::result::Result<(), TryLockError>) -> bool {
    let is_taken = matches!(lock, Err(TryLockError::WouldBlock));
    if is_taken && attempt + 1 < ATTEMPTS {
        std::thread::sleep(BETWEEN_ATTEMPTS);
    }
    is_taken
}

/// What is locked for a file, among the records beside it.
fn home(place: &Place) -> Place {
    let mut name = short(place.path.file_name().unwrap_or_default());
    name.push(".hold");
    place.beside(Path::new(RECORDS).join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Locks belong to open files, so that two of one process see each other.
    #[test]
    fn a_file_is_held_once() {
        let folder = tempfile::tempdir().unwrap();
        let (host, path) = (Host::default(), folder.path().join("point/result"));
        assert_eq!(host.holder(&path).unwrap(), None);
        let hold = host.hold(&path, "one").unwrap().unwrap();
        assert!(host.hold(&path, "two").unwrap().is_none());
        assert_eq!(host.holder(&path).unwrap(), Some(Holder { name: "one".into(), is_alive: true }));
        assert!(host.hold(&path.with_file_name("other"), "two").unwrap().is_some());
        drop(hold);
        assert_eq!(host.holder(&path).unwrap(), None);
        assert!(host.hold(&path, "two").unwrap().is_some());
    }

    /// What a process leaves behind that is killed: its name, and no lock.
    #[test]
    fn who_was_killed_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let (host, path) = (Host::default(), folder.path().join("point/result"));
        drop(host.hold(&path, "one").unwrap());
        std::fs::write(folder.path().join("point/.tumble/result.hold"), "one").unwrap();
        assert_eq!(host.holder(&path).unwrap(), Some(Holder { name: "one".into(), is_alive: false }));
    }
}
