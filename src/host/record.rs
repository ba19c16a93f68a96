//! What the program knows of the files that it wrote: `.tumble/NAME.json` beside each.
//!
//! By its record a file is told from those of the user, which are not replaced unasked. A mark inside the file would
//! not do, since most formats have no room for one; nor would one list for a folder, into which several processes write
//! at a time.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::place::Place;

/// The folder of the records of a folder.
pub(super) const RECORDS: &str = ".tumble";

/// What is locked among them.
const GUARD: &str = "lock";

/// One file that the program wrote.
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    /// The version of the program.
    tumble: String,
    /// Bytes of the file.
    size: u64,
    /// The hash of these, in hexadecimal digits.
    sha256: String,
    /// Size and hash of the file that was there before: whoever is killed between record and file leaves that.
    #[serde(default)]
    before: Option<(u64, String)>,
}

impl Record {
    /// The record of a file that was just written.
    pub(super) fn of(file: &mut File) -> io::Result<Self> {
        let size = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(0))?;
        Ok(Self { tumble: env!("CARGO_PKG_VERSION").to_owned(), size, sha256: hash(file)?, before: None })
    }

    /// The record of the file at `place`, where there is one that can be read.
    pub(super) fn read(place: &Place) -> Option<Self> {
        serde_json::from_reader(io::BufReader::new(home(place).open().ok()?)).ok()
    }

    /// Lets no other process change a file of the folder, nor its record, while the guard is held, where the system
    /// can: between the two, the record of one and the file of another would disown both.
    pub(super) fn guard(place: &Place) -> io::Result<File> {
        place.beside(RECORDS).create_folder()?;
        let guard = place.beside(Path::new(RECORDS).join(GUARD)).create()?;
        let _ = guard.lock();
        Ok(guard)
    }

    /// Keeps the record of what is going to be at `place`.
    pub(super) fn write(mut self, place: &Place, part: &str) -> io::Result<()> {
        self.before = Self::read(place).and_then(|record| record.present(place));
        let home = home(place);
        let part = home.beside(part);
        let text = serde_json::to_string_pretty(&self).expect("texts and a number");
        let written = part.create_new()?.write_all(text.as_bytes()).and_then(|()| part.rename(&home));
        if written.is_err() {
            // Worthless now, whether or not it can be removed.
            let _ = part.remove();
        }
        written
    }

    /// Removes the record of a file that is removed.
    pub(super) fn forget(place: &Place) {
        // Without its file it says nothing.
        let _ = home(place).remove();
    }

    /// Whether the file at `place` still is what was written.
    pub(super) fn describes(&self, place: &Place) -> bool {
        self.present(place).is_some()
    }

    /// Size and hash of the file at `place`, if it is what was written, or what was there before.
    fn present(&self, place: &Place) -> Option<(u64, String)> {
        let mut file = place.open().ok()?;
        let size = file.metadata().ok()?.len();
        let known = self.before.iter().map(|(size, hash)| (*size, hash)).chain([(self.size, &self.sha256)]);
        let fitting: Vec<&String> = known.filter(|(known, _)| *known == size).map(|(_, hash)| hash).collect();
        if fitting.is_empty() {
            return None;
        }
        let found = hash(&mut file).ok()?;
        fitting.contains(&&found).then_some((size, found))
    }
}

/// Where the record of the file at `place` is.
fn home(place: &Place) -> Place {
    let mut name: OsString = place.path.file_name().unwrap_or_default().to_owned();
    name.push(".json");
    place.beside(Path::new(RECORDS).join(name))
}

fn hash(file: &mut File) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            count => hash.update(&buffer[..count]),
        }
    }
}
