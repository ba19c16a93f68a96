//! What the program knows of the files that it wrote: `.tumble/NAME.json` beside each.
//!
//! By its record a file is told from those of the user, which are not replaced unasked. A mark inside the file would
//! not do, since most formats have no room for one; nor would one list for a folder, into which several processes write
//! at a time.

use std::ffi::{OsStr, OsString};
use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::hash::{hash, hash_of};
use super::place::Place;
use super::provenance::Provenance;
use serde::{Deserialize, Serialize};

/// The folder of the records of a folder.
pub(super) const RECORDS: &str = ".tumble";

/// What is locked among them.
const GUARD: &str = "lock";
/// How long another process is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// One file that the program wrote.
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    /// The version of the program.
    tumble: String,
    /// Bytes of the file.
    size: u64,
    /// The hash of these, in hexadecimal digits.
    sha256: String,
    /// Its name as the script wrote it.
    #[serde(default)]
    pub(super) name: PathBuf,
    /// What ran.
    #[serde(default)]
    pub(super) provenance: Option<Provenance>,
    /// Whether lines were to be added at its end: then it is known by what it begins with.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) grows: bool,
    /// Size and hash of the file that was there before: whoever is killed between record and file leaves that.
    #[serde(default)]
    before: Option<(u64, String)>,
}

/// What is known of a file that the program wrote.
pub struct Written {
    /// Its name as the script wrote it.
    pub name: PathBuf,
    /// Whether it still has the bytes that were written.
    pub is_unchanged: bool,
    /// Where it comes from; records of old versions do not say it.
    pub provenance: Option<Provenance>,
}

impl Record {
    /// The record of a file that was just written as `name`.
    pub(super) fn of(file: &mut File, name: &Path, provenance: Option<Provenance>) -> io::Result<Self> {
        let size = file.seek(SeekFrom::End(0))?;
        file.rewind()?;
        Ok(Self {
            tumble: env!("CARGO_PKG_VERSION").to_owned(),
            size,
            sha256: hash(file)?,
            name: name.to_owned(),
            provenance,
            grows: false,
            before: None,
        })
    }

    /// The record of the file at `place`, where there is one that can be read.
    pub(super) fn read(place: &Place) -> Option<Self> {
        serde_json::from_reader(io::BufReader::new(home(place).open().ok()?)).ok()
    }

    /// Where the file comes from, if it has this `hash` still.
    pub(super) fn origin_of(self, hash: &str) -> Option<Provenance> {
        self.provenance.filter(|_| self.sha256 == hash)
    }

    /// Lets no other process change a file of the folder, nor its record, while the guard is held, where the system
    /// can: between the two, the record of one and the file of another would disown both. Who holds it does so for
    /// moments, unless it is stopped: that is not waited for.
    pub(super) fn guard(place: &Place) -> io::Result<File> {
        place.beside(RECORDS).create_folder().map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => io::Error::other(format!("`{RECORDS}` beside it is no folder")),
            _ => error,
        })?;
        let guard = place.beside(Path::new(RECORDS).join(GUARD)).create()?;
        let start = Instant::now();
        while let Err(TryLockError::WouldBlock) = guard.try_lock() {
            if start.elapsed() > PATIENCE {
                let problem = format!("another process holds `{RECORDS}/{GUARD}` in its folder");
                return Err(io::Error::new(io::ErrorKind::TimedOut, problem));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(guard)
    }

    /// Keeps the record of what is going to be at `place`.
    pub(super) fn write(mut self, place: &Place, part: &str) -> io::Result<()> {
        self.before = Self::read(place).and_then(|record| record.present(place));
        let home = home(place);
        let part = home.beside(part);
        let text = serde_json::to_string_pretty(&self).expect("texts and a number");
        part.replace(&home, text.as_bytes())
    }

    /// Removes the record of a file that is removed.
    pub(super) fn forget(place: &Place) {
        // Without its file it says nothing.
        let _ = home(place).remove();
    }

    /// What it says, of the file at `place`.
    pub(super) fn written(self, place: &Place) -> Written {
        Written { is_unchanged: self.describes(place), name: self.name, provenance: self.provenance }
    }

    /// Whether the file at `place` still is what was written.
    pub(super) fn describes(&self, place: &Place) -> bool {
        self.present(place).is_some()
    }

    /// Size and hash of the file at `place`, if it is what was written, or what was there before.
    fn present(&self, place: &Place) -> Option<(u64, String)> {
        let mut file = place.open().ok()?;
        let size = file.metadata().ok()?.len();
        if self.grows && hash(&mut (&mut file).take(self.size)).ok()? == self.sha256 {
            file.rewind().ok()?;
            return Some((size, hash(&mut file).ok()?));
        }
        file.rewind().ok()?;
        let known = self.before.iter().map(|(size, hash)| (*size, hash)).chain([(self.size, &self.sha256)]);
        let fitting: Vec<&String> = known.filter(|(known, _)| *known == size).map(|(_, hash)| hash).collect();
        if fitting.is_empty() {
            return None;
        }
        let found = hash(&mut file).ok()?;
        fitting.contains(&&found).then_some((size, found))
    }
}

/// The folder, beside the records, of the scripts that wrote the files, each under its hash.
const SCRIPTS: &str = "scripts";

/// Keeps the texts that ran, those that are not kept yet.
pub(super) fn keep_texts(place: &Place, part: &str, texts: Vec<(String, String)>) -> io::Result<()> {
    let folder = place.beside(Path::new(RECORDS).join(SCRIPTS));
    folder.create_folder()?;
    for (hash, text) in texts {
        let kept = folder.within(format!("{hash}.rhai"));
        if kept.metadata().is_err() {
            kept.beside(part).replace(&kept, text.as_bytes())?;
        }
    }
    Ok(())
}

/// The text of this hash, if it is kept with the file at `place` and whole.
pub(super) fn kept_text(place: &Place, sha256: &str) -> Option<String> {
    let is_hash = sha256.len() == 64 && sha256.bytes().all(|digit| digit.is_ascii_hexdigit());
    let folder = place.beside(Path::new(RECORDS).join(SCRIPTS));
    let mut text = String::new();
    is_hash.then(|| folder.within(format!("{sha256}.rhai")))?.open().ok()?.read_to_string(&mut text).ok()?;
    (hash_of(text.as_bytes()) == sha256).then_some(text)
}

/// Where the record of the file at `place` is.
fn home(place: &Place) -> Place {
    let mut name = short(place.path.file_name().unwrap_or_default());
    name.push(".json");
    place.beside(Path::new(RECORDS).join(name))
}

/// A name that leaves room for an ending: of a long one the hash, which no two share.
pub(super) fn short(name: &OsStr) -> OsString {
    /// Bytes; file systems allow 255.
    const LONGEST: usize = 180;
    match name.len() {
        ..=LONGEST => name.to_owned(),
        _ => hash_of(name.as_encoded_bytes()).into(),
    }
}
