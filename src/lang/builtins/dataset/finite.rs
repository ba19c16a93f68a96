//! Finite data: given, shipped, and read from files.

use std::path::Path;

use rhai::plugin::*;
use rhai::{Array, Dynamic, Map};

use super::coarse::said;
use super::methods::label_argument;
use crate::data::{Dataset, formats};
use crate::error::Error;
use crate::lang::builtins::io::file_options;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Table, kind, read};
use crate::lang::surroundings::task;
use crate::lang::tensors::Numbers;
use crate::settings::Setting;
use crate::tensor::Tensor;

pub(super) const OPTIONS: &[(&str, Table)] = &[("from_array", &[ARRAY]), ("from_file", &[formats::Options::SETTINGS])];

const ARRAY: &[Setting] =
    &[Setting::other("labels", "an array of strings or numbers", "label of each row, in their order").or_else("none")];

#[export_module(manifest)]
pub(super) mod module {
    /// The dihedral angles of alanine dipeptide, a small peptide, in molecular dynamics: 590,000 pairs (phi, psi) in
    /// radians, from -pi to pi, one per picosecond of two trajectories one after the other.
    ///
    /// # Returns
    /// A `Dataset` of points in the plane.
    ///
    /// # Source
    /// Made for this program with OpenMM 8: amber03 with implicit solvent at 300 K; `stdlib/data/README.md` has the
    /// protocol. In explicit water, as in Behera et al., arXiv 2411.07233, the landscape is a relative of it.
    ///
    /// # Example
    /// ```rhai
    /// let angles = dataset::alanine().sample(10_000, 1);
    /// assert(angles.min() >= -PI && angles.max() <= PI);
    /// // Every hundredth has phi above 0.
    /// assert_near((angles.transpose()[0] >= 0).mean(), 0.0099, 0.004);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn alanine(ctx: NativeCallContext) -> Outcome<Dataset> {
        Dataset::alanine(task(&ctx).host()).raise(&ctx)
    }

    /// 1797 handwritten digits as images of 8 × 8 pixels with values from 0 to 16; `labels` has what they show.
    ///
    /// # Returns
    /// A `Dataset` of images [8, 8].
    ///
    /// # Source
    /// E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository (1998),
    /// CC BY 4.0.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::digits();
    /// assert_eq(d.shape, [8, 8]);
    /// assert_eq(d.labels.filter(|label| label == "3").len, 183);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn digits(ctx: NativeCallContext) -> Outcome<Dataset> {
        Dataset::digits(task(&ctx).host()).raise(&ctx)
    }

    /// Finite data from an array or tensor; a draw takes a row at random, with replacement.
    ///
    /// # Shapes
    /// [n, ..]: one datum per row; [n] is n data of one coordinate.
    ///
    /// # Errors
    /// When there are no rows, rows differ in length, values are not finite, or there are not as many labels as rows.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::from_array([[0, 0], [1, 1], [2, 5]]);
    /// assert_eq(d.shape, [2]);
    /// assert_eq(d.mean, [1.0, 2.0]);
    /// let sorts = dataset::from_array([[0, 0], [1, 1], [2, 5]], #{ labels: ["a", "b", "a"] });
    /// assert_eq(sorts.of_class("a").mean, [1.0, 2.5]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn from_array(ctx: NativeCallContext, points: Dynamic, options: Map) -> Outcome<Dataset> {
        let labels = read(&ctx, options, &[ARRAY], |given| match given.other("labels") {
            None => Ok(Vec::new()),
            Some(labels) => labels_argument(&ctx, labels),
        })?;
        let data = match points.read_lock::<Tensor>() {
            Some(tensor) => Dataset::from_points("array", &tensor),
            None => {
                let Numbers { shape, values } = Numbers::read(&ctx, "points", &points)?;
                Dataset::from_values("array", &shape, &values)
            }
        };
        said(&ctx, data.and_then(|data| data.with_labels(labels)).raise(&ctx)?)
    }

    /// Finite data from a .npy or .npz file or a table in text, read as `io::read` does.
    ///
    /// # Shapes
    /// As for `from_array`: one datum per row.
    ///
    /// # Arguments
    /// - `path`: the file
    /// - `options`: a map, or the name of the array in a .npz file that holds several
    ///
    /// # Returns
    /// A `Dataset`; `d.labels` are those of a column that was named as such, `d.columns` the names of the others.
    ///
    /// # Errors
    /// When the file is missing, truncated, ragged or not numeric, or holds values that are not finite or beyond single
    /// precision.
    ///
    /// # Example
    /// ```rhai
    /// // let d = dataset::from_file("angles.npz", "phi_psi");
    /// // let d = dataset::from_file("iris.csv", #{ columns: ["width", "length"], labels: "species" });
    /// assert_fails(|| dataset::from_file("angles.png"), "use .npy, .npz or .csv");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn from_file(ctx: NativeCallContext, path: &str, options: Map) -> Outcome<Dataset> {
        Dataset::from_file(Path::new(path), &file_options(&ctx, options)?, &task(&ctx)).raise(&ctx)
    }

    #[rhai_fn(name = "from_file", return_raw)]
    pub fn from_file_array(ctx: NativeCallContext, path: &str, array: &str) -> Outcome<Dataset> {
        Dataset::from_file(Path::new(path), &formats::Options::of_array(array), &task(&ctx)).raise(&ctx)
    }
}

/// Labels in an array or a vector.
fn labels_argument(ctx: &NativeCallContext, value: &Dynamic) -> Outcome<Vec<String>> {
    if let Some(tensor) = value.read_lock::<Tensor>() {
        return Ok(tensor.values().iter().map(f32::to_string).collect());
    }
    let Some(items) = value.read_lock::<Array>() else {
        let problem = format!("must be an array of strings or numbers, got {}", kind(ctx, value));
        return Err(Error::argument("labels", problem)).raise(ctx);
    };
    items.iter().map(|item| label_argument(ctx, "labels", item)).collect()
}
