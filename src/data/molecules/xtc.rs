//! Compressed trajectories of GROMACS, by the crate `molly`. Lengths are in nm.

use std::io::{Cursor, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use molly::XTCReader;

use super::cell::Cell;
use super::frame::{Frame, Take};
use crate::error::{Error, Result};

/// Bytes before the positions of a frame.
const HEAD: usize = molly::Header::SIZE;

pub(super) fn read(path: &Path, bytes: Vec<u8>, take: Take<'_>) -> Result<()> {
    let end = bytes.len() as u64;
    let mut reader = XTCReader::new(Cursor::new(bytes));
    let mut at = 0;
    while reader.file.position() < end {
        check_head(path, &reader.file, at)?;
        let mut read = molly::Frame::default();
        // The crate asserts what a damaged file does not keep.
        let result = catch_unwind(AssertUnwindSafe(|| reader.read_frame(&mut read)));
        match result {
            Ok(Ok(())) => {}
            Ok(Err(e)) if e.kind() == ErrorKind::UnexpectedEof => return Err(cut(path, at)),
            Ok(Err(e)) => return Err(Error::file("read", path, format!("frame {at} is damaged: {e}"))),
            Err(_) => return Err(Error::file("read", path, format!("frame {at} is damaged"))),
        }
        let positions = read.coords().map(|position| position.map(f64::from)).collect();
        let cell = Cell::new(read.boxvec_cols_2d().map(|edge| edge.map(f64::from)));
        take(&Frame { positions, cell, atoms: Vec::new() })?;
        at += 1;
    }
    match at {
        0 => Err(Error::file("read", path, "it is empty")),
        _ => Ok(()),
    }
}

fn cut(path: &Path, at: usize) -> Error {
    Error::file("read", path, format!("it ends inside frame {at}")).with_hint("it is truncated: copy it again")
}

/// Refuses what cannot begin a frame.
fn check_head(path: &Path, file: &Cursor<Vec<u8>>, at: usize) -> Result<()> {
    let head = file.get_ref().get(file.position() as usize..).unwrap_or_default();
    let number = |place: usize| head.get(place..place + 4).map(|bytes| [bytes[0], bytes[1], bytes[2], bytes[3]]);
    let [Some(magic), Some(atoms), Some(again)] = [0, 4, HEAD - 4].map(number) else { return Err(cut(path, at)) };
    let magic = i32::from_be_bytes(magic);
    if magic != 1995 && magic != 2023 {
        let problem = format!("frame {at} begins with {magic}, and one of .xtc begins with 1995 or 2023");
        return Err(Error::file("read", path, problem));
    }
    // Each atom takes a bit at least, so a larger number is none.
    if atoms != again || u64::from(u32::from_be_bytes(atoms)) > 8 * head.len() as u64 {
        return Err(Error::file("read", path, format!("frame {at} is damaged: its number of atoms is none")));
    }
    Ok(())
}
