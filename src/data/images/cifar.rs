//! CIFAR-10 in its binary version (Krizhevsky 2009).

use std::path::{Path, PathBuf};

use super::{Dataset, afford, dataset};
use crate::error::{Error, Result};
use crate::task::Task;

/// What the label of each number shows.
const CLASSES: [&str; 10] = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

const SHAPE: [usize; 3] = [3, 32, 32];
const PIXELS: usize = SHAPE[0] * SHAPE[1] * SHAPE[2];
/// Files of the training set, and images in each file.
const BATCHES: usize = 5;
const IMAGES: usize = 10_000;

impl Dataset {
    /// CIFAR-10 from a folder with its binary files, [3, 32, 32] and labels: those of `data_batch_1.bin` to
    /// `data_batch_5.bin`, or of `test_batch.bin`. Warns of missing files, and of files with fewer images than usual.
    ///
    /// # Errors
    /// When there is none of these files, one is no whole number of images, a label is none of the ten, or they do not
    /// fit into memory.
    pub fn cifar10(folder: &Path, is_test: bool, task: &Task) -> Result<Self> {
        let names = match is_test {
            true => vec!["test_batch.bin".to_owned()],
            false => (1..=BATCHES).map(|batch| format!("data_batch_{batch}.bin")).collect(),
        };
        let entries = task.host().listing(folder)?;
        let is_there = |file: &PathBuf| entries.iter().any(|entry| !entry.is_folder && entry.path == *file);
        let (files, missing): (Vec<_>, Vec<_>) = names.iter().map(|name| folder.join(name)).partition(is_there);
        if files.is_empty() {
            let hint = "give the folder with the files of the binary version, cifar-10-batches-bin";
            return Err(Error::file("read", folder, format!("it has no `{}`", names[0])).with_hint(hint));
        }
        if let Some(first) = missing.first() {
            task.warn(&format!(
                "{} of {} files are missing, the first `{}`",
                missing.len(),
                names.len(),
                first.display()
            ));
        }
        afford(folder, (files.len() * IMAGES * PIXELS) as f64, task)?;
        let (mut values, mut labels) = (Vec::new(), Vec::new());
        for file in &files {
            task.check()?;
            append(file, &mut values, &mut labels, task)?;
        }
        let shape = [&[labels.len()], &SHAPE[..]].concat();
        let data = dataset(folder, &shape, values, labels)?;
        Ok(data.named("cifar10"))
    }
}

fn append(path: &Path, values: &mut Vec<f32>, labels: &mut Vec<String>, task: &Task) -> Result<()> {
    let bytes = task.host().read(path)?;
    let (size, rest) = (1 + PIXELS, bytes.len() % (1 + PIXELS));
    if bytes.is_empty() || rest > 0 {
        let problem = format!("its {} bytes are no whole number of images of {size}", bytes.len());
        return Err(Error::file("read", path, problem).with_hint("it is truncated, or no file of the binary version"));
    }
    let count = bytes.len() / size;
    if count != IMAGES {
        task.warn(&format!("`{}` has {count} images where {IMAGES} are usual", path.display()));
    }
    for (row, image) in bytes.chunks_exact(size).enumerate() {
        let Some(class) = CLASSES.get(usize::from(image[0])) else {
            let problem = format!("image {row} has the label {}, and there are 0 to 9", image[0]);
            return Err(Error::file("read", path, problem));
        };
        labels.push((*class).to_owned());
        values.extend(image[1..].iter().map(|&pixel| f32::from(pixel)));
    }
    Ok(())
}
