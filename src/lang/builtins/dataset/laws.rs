//! Laws that are given by a formula or by their temperature.

use rhai::Map;
use rhai::plugin::*;

use super::coarse::said;
use crate::data::{Covariance, Dataset, Ising, Mixture};
use crate::error::Error;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Table, read};
use crate::lang::surroundings::task;
use crate::lang::tensors::Numbers;
use crate::settings::Setting;

pub(super) const OPTIONS: &[(&str, Table)] =
    &[("diamond", &[DIAMOND]), ("mixture", &[MIXTURE]), ("ising", &[Ising::SETTINGS])];

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
pub(super) mod module {
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
