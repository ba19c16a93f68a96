//! IDX files, the format of MNIST (LeCun, Cortes, Burges): a magic number with the type and the number of axes, their
//! lengths, and the numbers, all with the highest byte first.

use std::io::{BufRead, Read};
use std::path::Path;

use flate2::bufread::GzDecoder;

use super::{Dataset, afford, dataset, take};
use crate::error::{Error, Result};
use crate::task::Task;

/// Magic numbers of unsigned bytes along three axes and along one.
const IMAGES: u32 = 0x0000_0803;
const LABELS: u32 = 0x0000_0801;

impl Dataset {
    /// Images from an IDX file, compressed by gzip or not, [height, width], with their labels from another one.
    ///
    /// # Errors
    /// When a file is missing, is of another kind, truncated, longer than it says, or does not fit into memory; when
    /// there are not as many labels as images.
    pub fn idx(images: &Path, labels: Option<&Path>, task: &Task) -> Result<Self> {
        let (shape, pixels) = read(images, IMAGES, task)?;
        let labels = match labels {
            None => Vec::new(),
            Some(path) => {
                let (counts, labels) = read(path, LABELS, task)?;
                if counts[0] != shape[0] {
                    let problem = format!("it has {} labels for {} of `{}`", counts[0], shape[0], images.display());
                    return Err(Error::file("use", path, problem).with_hint("both files must be of one set"));
                }
                labels.iter().map(u8::to_string).collect()
            }
        };
        dataset(images, &shape, pixels.into_iter().map(f32::from).collect(), labels)
    }
}

/// Lengths of the axes and the bytes of a file that begins with `magic`.
fn read(path: &Path, magic: u32, task: &Task) -> Result<(Vec<usize>, Vec<u8>)> {
    let mut file = task.host().open(path)?;
    let head = file.fill_buf().map_err(|e| Error::file("read", path, e))?;
    let mut reader: Box<dyn Read> = match head {
        [0x1f, 0x8b, ..] => Box::new(GzDecoder::new(file)),
        _ => Box::new(file),
    };
    let head = take(path, &mut reader, 4, "its magic number", task)?;
    check(path, u32::from_be_bytes([head[0], head[1], head[2], head[3]]), magic)?;
    let axes = (magic & 0xff) as usize;
    let lengths = take(path, &mut reader, 4 * axes, "the lengths of its axes", task)?;
    let lengths = lengths.as_chunks::<4>().0.iter().map(|bytes| u32::from_be_bytes(*bytes) as usize);
    let lengths: Vec<usize> = lengths.collect();
    let count: f64 = lengths.iter().map(|length| *length as f64).product();
    if count == 0.0 {
        return Err(Error::file("read", path, format!("it says to have the shape {lengths:?}, so it is empty")));
    }
    afford(path, count, task)?;
    let bytes = take(path, &mut reader, count as usize, "what it says to have", task)?;
    let more = reader.read(&mut [0]).map_err(|e| Error::file("read", path, e))?;
    if more > 0 {
        let problem = format!("it goes on after the {count} bytes that its shape {lengths:?} says");
        return Err(Error::file("read", path, problem).with_hint("it is damaged: fetch it again"));
    }
    Ok((lengths, bytes))
}

fn check(path: &Path, found: u32, wanted: u32) -> Result<()> {
    if found == wanted {
        return Ok(());
    }
    let kind = |magic: u32| match magic {
        IMAGES => Some("images"),
        LABELS => Some("labels"),
        _ => None,
    };
    let (wanted_kind, found_kind) = (kind(wanted).unwrap_or_default(), kind(found));
    let of = found_kind.map_or_else(String::new, |kind| format!(", that of {kind}"));
    let problem = format!("its magic number must be {wanted}, that of {wanted_kind} in bytes, got {found}{of}");
    let error = Error::file("read", path, problem);
    Err(match found_kind {
        Some(_) => error.with_hint("write the images first: dataset::idx(images, labels)"),
        None => error.with_hint("it is no IDX file of unsigned bytes"),
    })
}
