//! Observables of lattices: energy, correlations, magnetisation.

use rhai::plugin::*;
use rhai::{Array, Dynamic, Map};

use super::shared::list;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::count_argument;
use crate::lang::surroundings::task;
use crate::lang::tensors::tensor_argument;
use crate::measure;
use crate::tensor::Tensor;

#[export_module(manifest)]
pub(super) mod module {
    /// Structure factor S(k) = ⟨|Σ s(r) e^{−ik·r}|²⟩/N of fields on a square lattice of N = L × L sites with periodic
    /// sides, averaged over directions of k: over the k = 2π(i, j)/L whose ‖(i, j)‖ is nearest to 0, 1, .. L/2.
    ///
    /// The mean of the field is not taken off: S(0) is N⟨m²⟩. The sum of S over all k is N⟨s²⟩.
    ///
    /// # Shapes
    /// `samples` [n, L, L] or [n, L²] row-major: spins, or any numbers
    ///
    /// # Returns
    /// `#{ k, value, error }`, Tensors [L/2 + 1]: the mean wave number of each average, the mean over fields and its
    /// standard error, which is not a number where there is one field.
    ///
    /// # Errors
    /// When lattices are not square, or values are not finite.
    ///
    /// # Example
    /// ```rhai
    /// // Independent numbers have S = 1.
    /// let s = measure::structure_factor(random_normal([500, 16, 16], 1));
    /// assert_eq(s.k.shape, [9]);
    /// assert_near(s.k[1], 1.2 * 2 * PI / 16, 0.1);
    /// assert_near(s.value[4], 1, 5 * s.error[4]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn structure_factor(ctx: NativeCallContext, samples: Dynamic) -> Outcome<Map> {
        let samples = tensor_argument(&ctx, "samples", &samples)?;
        let found = measure::structure_factor(&samples, &task(&ctx)).raise(&ctx)?;
        let columns = [("k", found.wave_numbers), ("value", found.values), ("error", found.errors)];
        let column =
            |(name, numbers): (&str, Vec<f64>)| Ok((name.into(), Dynamic::from(list(Ok(numbers)).raise(&ctx)?)));
        columns.into_iter().map(column).collect()
    }

    /// Energy per spin of each of the lattices, −Σ s s' over the pairs of neighbours, divided by the number of spins.
    ///
    /// # Shapes
    /// [n, size, size], or [n, size²] row-major -> [n]
    ///
    /// # Errors
    /// When lattices are not square, or spins are not 1 or −1.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(measure::ising_energy(ones([3, 8, 8])), tensor([-2, -2, -2]));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn ising_energy(ctx: NativeCallContext, samples: Dynamic) -> Outcome<Tensor> {
        let samples = tensor_argument(&ctx, "samples", &samples)?;
        list(measure::ising_energy(&samples, &task(&ctx))).raise(&ctx)
    }

    /// Mean product of two spins by their distance along an axis: means over positions, both axes and all lattices.
    ///
    /// # Shapes
    /// [n, size, size], or [n, size²] row-major -> [size / 2 + 1], for distances 0, 1, ..
    ///
    /// # Errors
    /// When lattices are not square, or spins are not 1 or −1.
    ///
    /// # Example
    /// ```rhai
    /// let x = dataset::ising(#{ size: 8, temperature: 3, count: 1000 }).sample(1000, 1);
    /// let c = measure::spin_correlation(x);
    /// assert_eq(c[0], 1.0);
    /// assert_near(-2 * c[1], measure::ising_energy(x).mean(), 1e-5);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn spin_correlation(ctx: NativeCallContext, samples: Dynamic) -> Outcome<Tensor> {
        let samples = tensor_argument(&ctx, "samples", &samples)?;
        list(measure::spin_correlation(&samples, &task(&ctx))).raise(&ctx)
    }

    /// Magnetisation of squares of l × l sites, for each l of `sizes`: its absolute value, with means over all
    /// positions, also across the sides, and over all lattices.
    ///
    /// # Shapes
    /// [n, size, size], or [n, size²] row-major -> as many as `sizes`
    ///
    /// # Arguments
    /// - `samples`: lattices of spins 1 and −1
    /// - `sizes`: an array of whole numbers from 1 to the size of the lattices
    ///
    /// # Errors
    /// When lattices are not square, spins are not 1 or −1, or one of `sizes` is none.
    ///
    /// # Source
    /// Behera et al., arXiv 2411.07233, figure 4.
    ///
    /// # Example
    /// ```rhai
    /// let x = dataset::ising(#{ size: 8, temperature: 2, count: 1000 }).sample(1000, 1);
    /// let m = measure::coarse_magnetisation(x, [1, 8]);
    /// assert_eq(m[0], 1.0);
    /// assert_near(m[1], abs(x.mean(1).mean(1)).mean(), 1e-5);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn coarse_magnetisation(ctx: NativeCallContext, samples: Dynamic, sizes: Array) -> Outcome<Tensor> {
        let samples = tensor_argument(&ctx, "samples", &samples)?;
        let sizes = sizes.iter().map(|size| count_argument(&ctx, "sizes", size)).collect::<Outcome<Vec<_>>>()?;
        list(measure::coarse_magnetisation(&samples, &sizes, &task(&ctx))).raise(&ctx)
    }
}
