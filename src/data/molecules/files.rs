//! Formats of trajectories, by the ending of the file name.

use std::path::Path;

use super::frame::{Frame, Take};
use super::{gro, gsd, pdb, xtc};
use crate::error::{Error, Result};
use crate::task::Task;

/// Reads the bytes of a file.
type Read = fn(&Path, Vec<u8>, Take<'_>) -> Result<()>;

const FORMATS: &[(&str, Read)] = &[("xtc", xtc::read), ("gro", gro::read), ("pdb", pdb::read), ("gsd", gsd::read)];

/// Hands the frames of a file to `take`, in their order.
pub(super) fn each(path: &Path, task: &Task, take: Take<'_>) -> Result<()> {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let format = FORMATS.iter().find(|(known, _)| ending.as_deref() == Some(*known));
    let Some((_, read)) = format else {
        let problem = Error::file("read", path, "its ending tells no format of trajectories");
        return Err(problem.with_hint("use .xtc, .gro, .pdb or .gsd"));
    };
    read(path, task.host().read(path)?, &mut |frame| {
        task.check()?;
        take(frame)
    })
}

/// The first frame of a file.
pub(super) fn first(path: &Path, task: &Task) -> Result<Frame> {
    let mut first = None;
    each(path, task, &mut |frame| {
        first.get_or_insert_with(|| frame.clone());
        Ok(())
    })?;
    first.ok_or_else(|| Error::file("read", path, "it has no atoms"))
}
