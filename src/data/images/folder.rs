//! Folders of pictures, PNG or JPEG; the names of folders inside are the labels.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::imageops::FilterType;
use image::{DynamicImage, ImageReader};

use super::{Dataset, afford, dataset};
use crate::error::{Error, Result};
use crate::host::Entry;
use crate::settings::{Setting, Values};
use crate::task::{Meter, Task};
use crate::vector::single;

/// Pictures that one piece of parallel work reads.
const BLOCK: usize = 16;

/// How pictures are to become data.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wanted {
    /// Height and width that they are brought to; where not given, all must have one size.
    pub size: Option<[usize; 2]>,
    /// Whether they become grey; where not given, they must be all grey or all in colour.
    pub gray: Option<bool>,
}

impl Wanted {
    /// What can be set by name.
    pub const SETTINGS: &'static [Setting] = &[
        Setting::counts("size", "`[height, width]` to which the pictures are scaled").or_else("all must have one size"),
        Setting::flag("gray", "true turns colours into grey, false grey into colours")
            .or_else("as the files are, all of one kind"),
    ];

    /// What `values` of [`Wanted::SETTINGS`] ask for.
    ///
    /// # Errors
    /// When the size is not two numbers.
    pub fn read(values: &Values) -> Result<Self> {
        let size = values.counts_if_given("size").map(|size| match *size {
            [height, width] => Ok([height, width]),
            _ => Err(Error::argument("size", format!("must be [height, width], got {} numbers", size.len()))),
        });
        Ok(Self { size: size.transpose()?, gray: values.flag_if_given("gray") })
    }
}

impl Dataset {
    /// Pictures in a folder, PNG or JPEG, in the order of their names; in folders inside, whose names are the labels.
    /// Warns of files that are neither, which are left out, and of transparency, which is not looked at.
    ///
    /// # Errors
    /// When there are no pictures, or some with labels and some without; when sizes or kinds differ, unless they are
    /// to be brought to one; when a file cannot be decoded, or the memory does not suffice.
    pub fn images(folder: &Path, wanted: &Wanted, task: &Task) -> Result<Self> {
        let (files, labels) = files(folder, task)?;
        let first = Picture::open(&files[0], task)?;
        let gray = wanted.gray.unwrap_or(first.is_gray());
        let size = wanted.size.unwrap_or(first.size());
        let shape = [if gray { vec![] } else { vec![3] }, size.to_vec()].concat();
        let width: usize = shape.iter().product();
        afford(folder, (files.len() * width) as f64, task)?;
        let meter = Meter::new(task, "images", 1, files.len());
        let read = |block: usize| -> Result<(Vec<f32>, bool)> {
            let mut values = Vec::with_capacity(BLOCK.min(files.len()) * width);
            let mut has_alpha = false;
            for file in files.iter().skip(block * BLOCK).take(BLOCK) {
                task.check()?;
                let picture = Picture::open(file, task)?;
                picture.check(file, &first, &files[0], wanted)?;
                has_alpha |= picture.0.color().has_alpha();
                picture.append(gray, size, &mut values);
                meter.count(1)?;
            }
            Ok((values, has_alpha))
        };
        let blocks = task.blocks(files.len().div_ceil(BLOCK), read);
        meter.finish();
        let blocks = blocks?;
        if blocks.iter().any(|(_, has_alpha)| *has_alpha) {
            task.warn(&format!("pictures in `{}` have transparency, which is not looked at", folder.display()));
        }
        let values = blocks.into_iter().flat_map(|(values, _)| values).collect();
        dataset(folder, &[&[files.len()], &shape[..]].concat(), values, labels)
    }
}

/// The pictures below a folder and the label of each.
fn files(folder: &Path, task: &Task) -> Result<(Vec<PathBuf>, Vec<String>)> {
    let (mut files, mut labels, mut others) = (Vec::new(), Vec::new(), Vec::new());
    let mut add = |entries: &[Entry], label: Option<&str>, files: &mut Vec<PathBuf>, labels: &mut Vec<String>| {
        for entry in entries.iter().cloned() {
            if !entry.is_folder && is_picture(&entry.path) {
                files.push(entry.path);
                labels.extend(label.map(str::to_owned));
            } else if !entry.is_folder || label.is_some() {
                others.push(entry.path);
            }
        }
    };
    let top = task.host().listing(folder)?;
    add(&top, None, &mut files, &mut labels);
    let bare = files.len();
    for inner in top.iter().filter(|entry| entry.is_folder) {
        let label = inner.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        add(&task.host().listing(&inner.path)?, Some(&label), &mut files, &mut labels);
    }
    if files.is_empty() {
        let hint = "it takes .png, .jpg and .jpeg; folders inside are labels";
        return Err(Error::file("read", folder, "there are no pictures in it").with_hint(hint));
    }
    if bare > 0 && files.len() > bare {
        let problem =
            format!("`{}` has no label, and `{}` has that of its folder", files[0].display(), files[bare].display());
        return Err(Error::file("read", folder, problem).with_hint("put all pictures into folders, or none"));
    }
    if let Some(other) = others.first() {
        let problem = format!("{} of `{}` are left out", others.len(), folder.display());
        task.warn(&format!("{problem}, no pictures in .png or .jpg or too deep: the first is `{}`", other.display()));
    }
    Ok((files, labels))
}

fn is_picture(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    matches!(ending.as_deref(), Some("png" | "jpg" | "jpeg"))
}

/// A picture that was decoded.
struct Picture(DynamicImage);

impl Picture {
    fn open(path: &Path, task: &Task) -> Result<Self> {
        let bytes = task.host().read(path)?;
        let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
        let reader = reader.map_err(|e| Error::file("read", path, e))?;
        reader.decode().map(Self).map_err(|e| Error::file("read", path, e))
    }

    fn is_gray(&self) -> bool {
        !self.0.color().has_color()
    }

    /// Height and width.
    fn size(&self) -> [usize; 2] {
        [self.0.height(), self.0.width()].map(|side| side as usize)
    }

    /// Refuses what differs from the first picture where it is not brought to one kind.
    fn check(&self, path: &Path, first: &Self, first_path: &Path, wanted: &Wanted) -> Result<()> {
        let kind = |is_gray: bool| if is_gray { "grey" } else { "in colour" };
        let ([height, width], [wanted_height, wanted_width]) = (self.size(), first.size());
        if wanted.size.is_none() && self.size() != first.size() {
            let problem = format!(
                "it has {height} × {width} pixels (height × width), and `{}` has {wanted_height} × {wanted_width}",
                first_path.display()
            );
            let hint =
                format!("scale all to one: size: [{wanted_height}, {wanted_width}], or take out what does not belong");
            return Err(Error::file("use", path, problem).with_hint(hint));
        }
        if wanted.gray.is_none() && self.is_gray() != first.is_gray() {
            let (own, other) = (kind(self.is_gray()), kind(first.is_gray()));
            let problem = format!("it is {own}, and `{}` is {other}", first_path.display());
            return Err(Error::file("use", path, problem).with_hint("make all of one kind: gray: true, or false"));
        }
        Ok(())
    }

    /// Appends the values, from 0 to 255, channel by channel.
    fn append(&self, gray: bool, size: [usize; 2], values: &mut Vec<f32>) {
        let [height, width] = size.map(|side| side as u32);
        let scaled = (self.size() != size).then(|| self.0.resize_exact(width, height, FilterType::Triangle));
        let picture = scaled.as_ref().unwrap_or(&self.0);
        let channels = if gray { 1 } else { 3 };
        let numbers: Vec<f32> = match (picture.color().bytes_per_pixel() / picture.color().channel_count(), gray) {
            (1, true) => picture.to_luma8().into_raw().into_iter().map(f32::from).collect(),
            (1, false) => picture.to_rgb8().into_raw().into_iter().map(f32::from).collect(),
            (_, true) => picture.to_luma16().into_raw().into_iter().map(of_two_bytes).collect(),
            (_, false) => picture.to_rgb16().into_raw().into_iter().map(of_two_bytes).collect(),
        };
        values.extend((0..channels).flat_map(|channel| numbers.iter().skip(channel).step_by(channels)));
    }
}

/// A value of 16 bits as one from 0 to 255 with decimals.
fn of_two_bytes(value: u16) -> f32 {
    single(f64::from(value) / 257.0)
}
