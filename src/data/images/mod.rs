//! Images from files: values from 0 to 255 as the files have them; a datum is [height, width] of grey images and
//! [3, height, width] of images in red, green and blue.

mod cifar;
mod folder;
mod idx;

use std::io::Read;
use std::path::Path;

pub use folder::Wanted;

use super::Dataset;
use crate::error::{Error, Result};
use crate::task::Task;
use crate::tensor::Tensor;

/// Bytes that are read between two looks at whether the user asked to stop.
const PIECE: usize = 1 << 20;

/// Bytes of memory that a number of an image takes until it is part of a dataset: read, as a tensor, and in the copy
/// that becomes the dataset.
const BYTES: f64 = 9.0;

/// Images of `shape` as a dataset; errors name the file or folder that they come from.
fn dataset(path: &Path, shape: &[usize], values: Vec<f32>, labels: Vec<String>) -> Result<Dataset> {
    let name = path.file_stem().map_or_else(|| "images".into(), |stem| stem.to_string_lossy());
    Dataset::from_points(&name, &Tensor::new(shape, values)?)?.with_labels(labels)
}

/// Refuses more numbers than fit into memory.
fn afford(path: &Path, numbers: f64, task: &Task) -> Result<()> {
    task.host().afford(BYTES * numbers, |problem| Error::file("read", path, format!("its images {problem}")))
}

/// The next `count` bytes.
///
/// # Errors
/// When the file ends before: "it ends after 12 of 784 bytes of pixels", with `what` for pixels.
fn take(path: &Path, reader: &mut dyn Read, count: usize, what: &str, task: &Task) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(count);
    while bytes.len() < count {
        task.check()?;
        let piece = PIECE.min(count - bytes.len());
        let read = reader.take(piece as u64).read_to_end(&mut bytes);
        match read.map_err(|e| Error::file("read", path, e))? {
            0 => {
                let problem = format!("it ends after {} of {count} bytes of {what}", bytes.len());
                return Err(Error::file("read", path, problem).with_hint("it is truncated: fetch it again"));
            }
            _ => continue,
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
