//! Moments of samples.

use rhai::plugin::*;
use rhai::{Dynamic, Map};

use super::shared::{estimate, list, pair};
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::natural_argument;
use crate::lang::surroundings::task;
use crate::lang::tensors::tensor_argument;
use crate::measure;
use crate::tensor::Tensor;

#[export_module(manifest)]
pub(super) mod module {
    /// Mean of each coordinate of a sample.
    ///
    /// # Shapes
    /// [n, ..] -> [d], d the number of coordinates of a datum
    ///
    /// # Errors
    /// When values are not finite.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(measure::mean([[1, 2], [3, 6]]), tensor([2, 4]));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn mean(ctx: NativeCallContext, a: Dynamic) -> Outcome<Tensor> {
        list(measure::mean(&tensor_argument(&ctx, "a", &a)?)).raise(&ctx)
    }

    /// Covariance of the coordinates of a sample, or between those of two samples with matching rows, such as the x
    /// and eta of the same states. Divided by n, as `var`.
    ///
    /// # Shapes
    /// [n, d] -> [d, d]; [n, d] and [n, e] -> [d, e]
    ///
    /// # Errors
    /// When the numbers of rows differ, or values are not finite.
    ///
    /// # Example
    /// ```rhai
    /// let x = tensor([[1, 10], [3, 6]]);
    /// assert_eq(measure::covariance(x), tensor([[1, -2], [-2, 4]]));
    /// assert_eq(measure::covariance(x, [5, 9]), tensor([[2], [-4]]));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn covariance(ctx: NativeCallContext, a: Dynamic, b: Dynamic) -> Outcome<Tensor> {
        let (a, b) = pair(&ctx, &a, &b)?;
        Ok(measure::cross_covariance(&a, &b, &task(&ctx)).raise(&ctx)?.into())
    }

    #[rhai_fn(name = "covariance", return_raw)]
    pub fn covariance_of_one(ctx: NativeCallContext, a: Dynamic) -> Outcome<Tensor> {
        let a = tensor_argument(&ctx, "a", &a)?;
        Ok(measure::covariance(&a, &task(&ctx)).raise(&ctx)?.into())
    }

    /// Autocorrelation ⟨x(t) x(t + lag)⟩/⟨x²⟩ of stationary paths, of deviations from the mean of each
    /// coordinate.
    ///
    /// # Shapes
    /// `paths` [times, count, ..] at equal steps, as `s.path("x")` gives
    ///
    /// # Arguments
    /// - `lag`: number of steps, 0 or above
    ///
    /// # Returns
    /// `#{ value, error }`, with the standard error over the paths.
    ///
    /// # Errors
    /// When there are fewer than two paths, no two times are so far apart, a value is not finite, or nothing varies.
    ///
    /// # Example
    /// ```rhai
    /// let p = process::passive(#{ k: 1, T: 1 });
    /// let s = simulate(p, random_normal([500, 1], 1), #{ end: 5, steps: 50, keep: "all" });
    /// let found = measure::autocorrelation(s.path("x"), 10);
    /// assert_near(found.value, exp(-1), 5 * found.error);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn autocorrelation(ctx: NativeCallContext, paths: Dynamic, lag: Dynamic) -> Outcome<Map> {
        let paths = tensor_argument(&ctx, "paths", &paths)?;
        let lag = natural_argument(&ctx, "lag", &lag)?;
        measure::autocorrelation(&paths, lag as usize).map(estimate).raise(&ctx)
    }
}
