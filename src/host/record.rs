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

/// One file that the program wrote.
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    /// The version of the program.
    tumble: String,
    /// Bytes of the file.
    size: u64,
    /// The hash of these, in hexadecimal digits.
    sha256: String,
}

impl Record {
    /// The record of a file that was just written.
    pub(super) fn of(file: &mut File) -> io::Result<Self> {
        let size = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(0))?;
        Ok(Self { tumble: env!("CARGO_PKG_VERSION").to_owned(), size, sha256: hash(file)? })
    }

    /// The record of the file at `place`, where there is one that can be read.
    pub(super) fn read(place: &Place) -> Option<Self> {
        serde_json::from_reader(io::BufReader::new(home(place).open().ok()?)).ok()
    }

    /// Keeps the record of what is going to be at `place`.
    pub(super) fn write(&self, place: &Place, part: &str) -> io::Result<()> {
        let home = home(place);
        let part = home.beside(part);
        place.beside(RECORDS).create_folder()?;
        let text = serde_json::to_string_pretty(self).expect("texts and a number");
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
        let Ok(mut file) = place.open() else { return false };
        file.metadata().is_ok_and(|metadata| metadata.len() == self.size)
            && hash(&mut file).is_ok_and(|hash| hash == self.sha256)
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
