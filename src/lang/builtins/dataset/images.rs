//! Images from files.

use std::path::Path;

use rhai::Map;
use rhai::plugin::*;

use crate::data::Dataset;
use crate::data::images::Wanted;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Table, read};
use crate::lang::surroundings::task;
use crate::settings::Setting;

pub(super) const OPTIONS: &[(&str, Table)] = &[("cifar10", &[CIFAR]), ("images", &[Wanted::SETTINGS])];

const CIFAR: &[Setting] = &[Setting::flag("test", "true reads the test set, false the training set")];

#[export_module(manifest)]
pub(super) mod module {
    /// Images from an IDX file, the format of MNIST, and their labels from another one. Both may be compressed by gzip.
    ///
    /// `scripts/data/mnist.sh` fetches MNIST.
    ///
    /// # Shapes
    /// A datum is [height, width], with values from 0 to 255 as in the file: `.normalise("whole")` brings them to
    /// mean 0 and variance 1.
    ///
    /// # Arguments
    /// - `images`: the file with images, unsigned bytes along three axes
    /// - `labels`: the file with their labels, unsigned bytes along one axis; may be left out
    ///
    /// # Returns
    /// A `Dataset` of as many points as there are images.
    ///
    /// # Errors
    /// When a file is missing, of another kind, truncated or longer than it says, when the numbers of images and
    /// labels differ, or when the images do not fit into memory.
    ///
    /// # Source
    /// LeCun, Cortes, Burges, The MNIST database.
    ///
    /// # Example
    /// ```rhai
    /// // let d = dataset::idx("train-images-idx3-ubyte", "train-labels-idx1-ubyte").normalise("whole");
    /// assert_fails(|| dataset::idx("no-images-idx3-ubyte"), "no such file");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn idx(ctx: NativeCallContext, images: &str, labels: &str) -> Outcome<Dataset> {
        Dataset::idx(Path::new(images), Some(Path::new(labels)), &task(&ctx)).raise(&ctx)
    }

    #[rhai_fn(name = "idx", return_raw)]
    pub fn idx_without_labels(ctx: NativeCallContext, images: &str) -> Outcome<Dataset> {
        Dataset::idx(Path::new(images), None, &task(&ctx)).raise(&ctx)
    }

    /// CIFAR-10, photographs of ten kinds of things, from a folder with the files of its binary version.
    ///
    /// # Shapes
    /// A datum is [3, 32, 32], red, green and blue, with values from 0 to 255: `.normalise("whole")` brings them to
    /// mean 0 and variance 1.
    ///
    /// # Returns
    /// A `Dataset` of the images of `data_batch_1.bin` to `data_batch_5.bin`, or of `test_batch.bin`, with the names
    /// of what they show as labels: "airplane", .. "truck". A warning says which files are missing or short.
    ///
    /// # Errors
    /// When there is none of these files, one is truncated, or the images do not fit into memory.
    ///
    /// # Source
    /// Krizhevsky, Learning multiple layers of features from tiny images, 2009.
    ///
    /// # Example
    /// ```rhai
    /// // let d = dataset::cifar10("cifar-10-batches-bin").normalise("whole");
    /// assert_fails(|| dataset::cifar10("no/such", #{ test: true }), "does not exist");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn cifar10(ctx: NativeCallContext, folder: &str, options: Map) -> Outcome<Dataset> {
        let is_test = read(&ctx, options, &[CIFAR], |given| Ok(given.flag("test")))?;
        Dataset::cifar10(Path::new(folder), is_test, &task(&ctx)).raise(&ctx)
    }

    /// Pictures from the PNG and JPEG files of a folder, in the order of their names. Where it has folders inside with
    /// the pictures, the names of these are the labels.
    ///
    /// # Shapes
    /// A datum is [height, width] of grey pictures and [3, height, width] of pictures in colour, red, green and blue,
    /// with values from 0, black, to 255 as in the file; those of 16 bits are divided by 257. `.normalise("whole")`
    /// brings them to mean 0 and variance 1. Grey of colours is 0.21 red + 0.72 green + 0.07 blue. Pictures that are
    /// scaled are averaged over what becomes one pixel where they shrink, and interpolated linearly where they grow.
    ///
    /// # Returns
    /// A `Dataset`. A warning counts other files, which are left out, and says where transparency is not looked at.
    ///
    /// # Errors
    /// When the folder has no pictures, a file cannot be decoded, pictures differ in size or in colour and options do
    /// not bring them to one, some have labels and some have not, or they do not fit into memory.
    ///
    /// # Example
    /// ```rhai
    /// // let d = dataset::images("cells", #{ size: [32, 32], gray: true });
    /// assert_fails(|| dataset::images("stdlib", #{ size: [32] }), "must be [height, width]");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn images(ctx: NativeCallContext, folder: &str, options: Map) -> Outcome<Dataset> {
        let wanted = read(&ctx, options, &[Wanted::SETTINGS], |given| Wanted::read(given).raise(&ctx))?;
        Dataset::images(Path::new(folder), &wanted, &task(&ctx)).raise(&ctx)
    }
}
