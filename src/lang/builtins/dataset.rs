//! Datasets: distributions of data that can be drawn from.

use std::path::Path;

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, INT, Map};

use super::io::file_options;
use crate::data::{Covariance, Dataset, Ising, Mixture, NORMALISATIONS, formats};
use crate::error::{Error, suggestion};
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Table, Tables, count_argument, read, seed_argument};
use crate::lang::surroundings::task;
use crate::lang::tensors::Numbers;
use crate::settings::Setting;
use crate::tensor::Tensor;

/// Registers the type and the module `dataset`.
pub(super) fn install(engine: &mut Engine, tables: &mut Tables) {
    engine.register_type_with_name::<Dataset>("Dataset");
    let module = tables.module("dataset", rhai::exported_manifest!(module), OPTIONS);
    engine.register_static_module("dataset", module.into());
    engine.register_global_module(rhai::exported_module!(methods).into());
}

const OPTIONS: &[(&str, Table)] = &[
    ("diamond", &[DIAMOND]),
    ("mixture", &[MIXTURE]),
    ("ising", &[Ising::SETTINGS]),
    ("from_file", &[formats::Options::SETTINGS]),
];

const DIAMOND: &[Setting] = &[
    Setting::number("spacing", "distance between neighbours").above(0.0).or(0.5),
    Setting::number("std", "standard deviation of each Gaussian").above(0.0).or(0.04),
];

const MIXTURE: &[Setting] = &[
    Setting::other("means", "an array or tensor of numbers", "centres of the Gaussians")
        .required("write means: [[-1, 0], [1, 0]], one row per Gaussian"),
    Setting::numbers("weights", "probabilities up to a common factor, 0 or above").or_else("all the same"),
    Setting::other("std", "a number or one for each Gaussian", "standard deviation of every coordinate, above 0")
        .unless(&["covariances"], "std: 0.1 for round Gaussians, covariances: [[[1, 0.5], [0.5, 2]]] for others"),
    Setting::other(
        "covariances",
        "an array or tensor of numbers",
        "covariance matrices, symmetric and positive definite, in place of `std`",
    )
    .or_else(""),
];

#[export_module(manifest)]
mod module {
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

    /// Nine Gaussians on a 3×3 grid that stands on a corner.
    ///
    /// # Returns
    /// A `Dataset` of points in the plane, with known moments and exact scores.
    ///
    /// # Source
    /// Behera et al., arXiv 2411.07233, figure 2.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::diamond(#{ spacing: 0.5, std: 0.04 });
    /// assert_eq(d.sample(100, 7).shape, [100, 2]);
    /// assert_near(d.variance, 2 * 0.25 / 3 + 0.0016, 1e-12);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn diamond(ctx: NativeCallContext, options: Map) -> Outcome<Dataset> {
        let (spacing, std) =
            read(&ctx, options, &[DIAMOND], |given| Ok((given.number("spacing"), given.number("std"))))?;
        said(&ctx, Dataset::diamond(spacing, std).raise(&ctx)?)
    }

    /// A mixture of Gaussians.
    ///
    /// # Shapes
    /// K Gaussians over d coordinates: `means` [K, d] (or [K] for one coordinate), `weights` [K],
    /// `std` a number or [K], `covariances` [K, d, d].
    ///
    /// # Returns
    /// A `Dataset` of points with known moments and exact scores.
    ///
    /// # Errors
    /// When the numbers of weights, means and covariances differ, or a covariance is not positive definite; the error
    /// names the component.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::mixture(#{ means: [[-1, 0], [1, 0]], weights: [1, 3], std: 0.1 });
    /// assert_eq(d.mean, [0.5, 0.0]);
    /// let e = dataset::mixture(#{ means: [[0, 0]], covariances: [[[1, 0.5], [0.5, 2]]] });
    /// assert_eq(e.variance, 1.5);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn mixture(ctx: NativeCallContext, options: Map) -> Outcome<Dataset> {
        let (weights, means, covariance) = read(&ctx, options, &[MIXTURE], |given| {
            let numbers = |name: &str| given.other(name).map(|value| Numbers::read(&ctx, name, value)).transpose();
            let means = numbers("means")?.expect("they must be given");
            let (components, dimension) = match means.shape[..] {
                [components] => (components, 1),
                [components, dimension] => (components, dimension),
                _ => return Err(shape_problem("means", "one row per Gaussian", &means.shape)).raise(&ctx),
            };
            let weights = given.numbers_if_given("weights").map_or_else(|| vec![1.0; components], <[f64]>::to_vec);
            if weights.len() != components {
                let problem = format!("has {} entries, `means` has {components}", weights.len());
                return Err(Error::argument("weights", problem)).raise(&ctx);
            }
            let covariance = match (numbers("std")?, numbers("covariances")?) {
                (_, Some(matrices)) => full(matrices, components, dimension),
                (std, None) => isotropic(std.expect("one of them is given"), components),
            };
            Ok((weights, means.values, covariance.raise(&ctx)?))
        })?;
        let mixture = Mixture::new(weights, means, covariance).raise(&ctx)?;
        said(&ctx, Dataset::from_mixture("mixture", mixture).raise(&ctx)?)
    }

    /// Five Swiss rolls: one at the origin and one at each of (±0.8, ±0.8).
    ///
    /// # Returns
    /// A `Dataset` of points in the plane.
    ///
    /// # Source
    /// Behera et al., arXiv 2411.07233, figure 3; the roll is scikit-learn's `make_swiss_roll`, times 0.01.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(dataset::swiss_rolls().sample(10, 1).shape, [10, 2]);
    /// ```
    pub fn swiss_rolls() -> Dataset {
        Dataset::swiss_rolls()
    }

    /// Lattices of the two-dimensional Ising model in equilibrium: spins ±1 on a square with periodic sides, energy
    /// −Σ s s' over the pairs of neighbours.
    ///
    /// # Shapes
    /// A datum is [size, size].
    ///
    /// # Returns
    /// A `Dataset` of `count` lattices, each the end of a chain of its own, so they are independent, and as many are
    /// magnetised up as down. A draw takes one of them, with replacement.
    ///
    /// # Errors
    /// When the temperature is not above 0, or the lattices do not fit into memory.
    ///
    /// # Source
    /// Metropolis et al. 1953; Wolff, Phys. Rev. Lett. 62, 361, 1989. The data of Behera et al., arXiv 2411.07233,
    /// figure 4, are `#{ size: 32, count: 10_000, sweeps: 1000 }`.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::ising(#{ size: 16, temperature: 2, count: 1000, seed: 1 });
    /// let x = d.sample(1000, 2);
    /// assert_eq(x.shape, [1000, 16, 16]);
    /// // Onsager's magnetisation of the infinite lattice.
    /// assert_near(abs(x.reshape([1000, 256]).mean(1)).mean(), (1 - sinh(2 / 2) ** -4) ** (1 / 8), 0.02);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn ising(ctx: NativeCallContext, options: Map) -> Outcome<Dataset> {
        let ising = read(&ctx, options, &[Ising::SETTINGS], |given| Ok(Ising::read(given)))?;
        Dataset::ising(&ising, &task(&ctx)).raise(&ctx)
    }

    /// Finite data from an array or tensor; a draw takes a row at random, with replacement.
    ///
    /// # Shapes
    /// [n, ..]: one datum per row; [n] is n data of one coordinate.
    ///
    /// # Errors
    /// When there are no rows, rows differ in length, or values are not finite.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::from_array([[0, 0], [1, 1], [2, 5]]);
    /// assert_eq(d.shape, [2]);
    /// assert_eq(d.mean, [1.0, 2.0]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn from_array(ctx: NativeCallContext, points: Dynamic) -> Outcome<Dataset> {
        let data = match points.read_lock::<Tensor>() {
            Some(tensor) => Dataset::from_points("array", &tensor),
            None => {
                let Numbers { shape, values } = Numbers::read(&ctx, "points", &points)?;
                Dataset::from_values("array", &shape, &values)
            }
        };
        said(&ctx, data.raise(&ctx)?)
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
    /// A `Dataset`; `d.labels` are those of a column that was named as such.
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

#[export_module]
mod methods {
    /// Draws data.
    ///
    /// # Shapes
    /// -> [count, shape of a datum]
    ///
    /// # Arguments
    /// - `count`: number of data, above 0
    /// - `seed`: the same seed gives the same data, and a shorter draw the first of a longer one; two data sets are
    ///   drawn by the same random numbers under one seed, so give each its own where they are combined
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::diamond();
    /// assert_eq(d.sample(10, 7), d.sample(1000, 7)[0..10]);
    /// ```
    #[rhai_fn(return_raw, pure)]
    pub fn sample(ctx: NativeCallContext, data: &mut Dataset, count: Dynamic, seed: Dynamic) -> Outcome<Tensor> {
        let count = count_argument(&ctx, "count", &count)?;
        data.sample(count, seed_argument(&ctx, "seed", &seed)?, &task(&ctx)).raise(&ctx)
    }

    /// The same data in units of their own: a process noises data of mean 0 and variance 1, whatever they are measured
    /// in.
    ///
    /// A score of normalised data gives samples and likelihoods in the units of the data, and takes states in them; a
    /// saved model carries the units. Auxiliaries stay as the process has them, and so do its parameters: a temperature
    /// of 1 is that of data of variance 1.
    ///
    /// # Arguments
    /// - `way`: `"coordinate"`, every coordinate to mean 0 and variance 1; `"whole"`, one scale for all, to an average
    ///   variance of 1; `"none"`
    ///
    /// # Errors
    /// When the data are normalised already.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::from_array([[100, 0.1], [300, 0.2], [200, 0.4]]).normalise("coordinate");
    /// let m = score::exact(process::passive(), d);
    /// let s = sample(m, #{ count: 300, last: "denoise" });
    /// assert_near(s.x.mean(0)[0], 200, 20);
    /// assert_near(d.mean[0], 200, 1e-9);
    /// ```
    #[rhai_fn(return_raw, pure)]
    pub fn normalise(ctx: NativeCallContext, data: &mut Dataset, way: &str) -> Outcome<Dataset> {
        let words: Vec<_> = NORMALISATIONS.iter().map(|(choice, _)| choice.word).collect();
        let known = NORMALISATIONS.iter().find(|(choice, _)| choice.word == way);
        let unknown =
            || Error::argument("way", format!("{way:?} is none")).with_hint(suggestion(way, &words, "write one of"));
        let (_, way) = known.ok_or_else(unknown).raise(&ctx)?;
        data.normalised(*way).raise(&ctx)
    }

    /// Name of the dataset.
    #[rhai_fn(get = "name", pure)]
    pub fn name(data: &mut Dataset) -> String {
        data.name().to_owned()
    }

    /// Shape of one datum.
    #[rhai_fn(get = "shape", pure)]
    pub fn shape(data: &mut Dataset) -> Array {
        data.shape().iter().map(|&side| Dynamic::from_int(side as INT)).collect()
    }

    /// Label of each point, where the file had a column of them: an array of strings.
    #[rhai_fn(get = "labels", pure)]
    pub fn labels(data: &mut Dataset) -> Array {
        data.labels().iter().map(|label| label.clone().into()).collect()
    }

    /// Mean of each coordinate.
    #[rhai_fn(get = "mean", pure)]
    pub fn mean(data: &mut Dataset) -> Array {
        data.mean().into_iter().map(Dynamic::from_float).collect()
    }

    /// Variance, averaged over the coordinates.
    #[rhai_fn(get = "variance", pure)]
    pub fn variance(data: &mut Dataset) -> f64 {
        data.variance()
    }

    #[rhai_fn(name = "to_string", name = "to_debug", pure)]
    pub fn to_string(data: &mut Dataset) -> String {
        data.to_string()
    }
}

/// The data, with a warning where single precision cannot hold them.
fn said(ctx: &NativeCallContext, data: Dataset) -> Outcome<Dataset> {
    data.coarseness().iter().for_each(|warning| task(ctx).warn(warning));
    Ok(data)
}

fn shape_problem(name: &str, wanted: &str, shape: &[usize]) -> Error {
    Error::argument(name, format!("must have {wanted}, got shape {shape:?}"))
}

fn isotropic(std: Numbers, components: usize) -> crate::Result<Covariance> {
    match std.shape[..] {
        [] => Covariance::from_std(&vec![std.values[0]; components]),
        [count] if count == components => Covariance::from_std(&std.values),
        _ => Err(shape_problem("std", &format!("one number, or one for each of {components} Gaussians"), &std.shape)),
    }
}

fn full(matrices: Numbers, components: usize, dimension: usize) -> crate::Result<Covariance> {
    if matrices.shape == [components, dimension, dimension] {
        return Ok(Covariance::Full(matrices.values));
    }
    let wanted = format!("shape [{components}, {dimension}, {dimension}], a matrix for each Gaussian");
    Err(shape_problem("covariances", &wanted, &matrices.shape))
}
