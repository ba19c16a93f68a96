//! Trajectories of HOOMD-blue, GSD 1 and 2 with the schema "hoomd": positions and boxes, in the unit of the simulation.
//! Read here, since the crate `hoomd-gsd` brings the reader of another format and sixty crates with it.

use std::collections::BTreeMap;
use std::path::Path;

use super::cell::Cell;
use super::frame::{Frame, Take};
use crate::error::{Error, Result};

const MAGIC: u64 = 0x65DF_65DF_65DF_65DF;
/// Bytes of an entry of the index.
const ENTRY: usize = 32;
/// Bytes that the list of names counts in.
const NAME: usize = 64;
/// The type of single precision.
const FLOAT: u8 = 9;

pub(super) fn read(path: &Path, bytes: Vec<u8>, take: Take<'_>) -> Result<()> {
    let file = File { path, bytes };
    if file.long(0)? != MAGIC {
        return Err(Error::file("read", path, "it does not begin as a .gsd file"));
    }
    let names = file.names()?;
    let chunks = file.chunks(&names)?;
    let frames = chunks.keys().map(|(frame, _)| frame + 1).max().unwrap_or(0);
    // What a frame does not have is that of the first.
    let of = |frame: u64, name: &'static str| chunks.get(&(frame, name)).or_else(|| chunks.get(&(0, name)));
    for frame in 0..frames {
        let Some(positions) = of(frame, POSITION) else {
            return Err(Error::file("read", path, format!("frame {frame} has no positions")));
        };
        let positions = file.floats(positions)?;
        let cell = of(frame, BOX).map(|chunk| file.floats(chunk)).transpose()?;
        let edges = |sides: &[f64]| match *sides {
            [x, y, z, xy, xz, yz] => Cell::new([[x, 0.0, 0.0], [xy * y, y, 0.0], [xz * z, yz * z, z]]),
            _ => None,
        };
        let cell = cell.and_then(|sides| edges(&sides));
        take(&Frame { positions: positions.as_chunks().0.to_vec(), cell, atoms: Vec::new() })?;
    }
    match frames {
        0 => Err(Error::file("read", path, "it has no frames")),
        _ => Ok(()),
    }
}

const POSITION: &str = "particles/position";
const BOX: &str = "configuration/box";

struct File<'a> {
    path: &'a Path,
    bytes: Vec<u8>,
}

/// Where numbers of a frame are.
struct Chunk {
    place: u64,
    count: u64,
    kind: u8,
}

impl File<'_> {
    fn slice(&self, place: u64, count: u64) -> Result<&[u8]> {
        let end = place.checked_add(count).and_then(|end| usize::try_from(end).ok());
        let found = end.and_then(|end| self.bytes.get(place as usize..end));
        found.ok_or_else(|| {
            Error::file("read", self.path, format!("it has {} bytes, and points behind them", self.bytes.len()))
                .with_hint("it is truncated: copy it again")
        })
    }

    fn number<const N: usize>(&self, place: u64) -> Result<[u8; N]> {
        Ok(self.slice(place, N as u64)?.try_into().expect("a slice of that length"))
    }

    fn long(&self, place: u64) -> Result<u64> {
        self.number(place).map(u64::from_le_bytes)
    }

    /// The names of chunks, by their numbers.
    fn names(&self) -> Result<Vec<String>> {
        let (place, entries) = (self.long(24)?, self.long(32)?);
        let is_old = u32::from_le_bytes(self.number(44)?) >> 16 < 2;
        let all = self.slice(place, entries.saturating_mul(NAME as u64))?;
        let name = |bytes: &[u8]| {
            String::from_utf8_lossy(bytes.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
        };
        // Of fixed length once, and one behind the other since.
        Ok(if is_old { all.chunks(NAME).map(name).collect() } else { all.split(|byte| *byte == 0).map(name).collect() })
    }

    /// Positions and boxes, by frame and name.
    fn chunks(&self, names: &[String]) -> Result<BTreeMap<(u64, &'static str), Chunk>> {
        let (place, entries) = (self.long(8)?, self.long(16)?);
        let index = self.slice(place, entries.saturating_mul(ENTRY as u64))?;
        let mut chunks = BTreeMap::new();
        for entry in index.as_chunks::<ENTRY>().0 {
            let long = |at: usize| u64::from_le_bytes(entry[at..at + 8].try_into().expect("eight bytes"));
            let (frame, rows, place) = (long(0), long(8), long(16));
            // The rest of the index is free.
            if place == 0 {
                break;
            }
            let columns = u64::from(u32::from_le_bytes([entry[24], entry[25], entry[26], entry[27]]));
            let name = names.get(usize::from(u16::from_le_bytes([entry[28], entry[29]])));
            let known = [POSITION, BOX].into_iter().find(|known| name.is_some_and(|name| name == known));
            if let Some(name) = known {
                chunks.insert((frame, name), Chunk { place, count: rows.saturating_mul(columns), kind: entry[30] });
            }
        }
        Ok(chunks)
    }

    fn floats(&self, chunk: &Chunk) -> Result<Vec<f64>> {
        if chunk.kind != FLOAT {
            let problem =
                format!("its positions or boxes have the type {}, not that of single precision, {FLOAT}", chunk.kind);
            return Err(Error::file("read", self.path, problem));
        }
        let bytes = self.slice(chunk.place, chunk.count.saturating_mul(4))?;
        Ok(bytes.as_chunks::<4>().0.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes))).collect())
    }
}
