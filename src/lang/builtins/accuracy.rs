//! How accurate samplers are, without sampling noise.

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, INT, Map};

use super::sample::reverse_options;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::Options;
use crate::lang::surroundings::task;
use crate::process::Process;
use crate::sample::{Accuracy, convergence};

/// Registers the functions.
pub(super) fn install(engine: &mut Engine) {
    engine.register_global_module(rhai::exported_module!(functions).into());
}

#[export_module]
mod functions {
    /// The errors of a sampler on Gaussian data under the exact score, without sampling noise.
    ///
    /// For Gaussian data a sampler with fixed steps is an affine map with additive noise. The sampler itself is asked
    /// for that map, so only rounding to single precision, about 1e-6, is left of chance. `convergence` makes a table
    /// of it.
    ///
    /// # Options
    /// - `steps`: array of numbers of steps (default `[25, 50, 100, 200, 400]`)
    /// - `variance`: variance of the data, above 0 (default 0.25); their mean is 1
    /// - all options of `sample` but `count`, `prior` and `keep`
    ///
    /// # Returns
    /// An array of maps, one per number of steps (one in all for `"rk45"`): `steps`; `nfe`; `mean`, the largest error
    /// of a mean in standard deviations; `variance`, the error of the data's variance in parts of it; `covariance`, the
    /// largest error of a covariance of two blocks, in their standard deviations.
    ///
    /// # Errors
    /// When the process is nonlinear, and as `sample`.
    ///
    /// # Example
    /// ```rhai
    /// let rows = accuracy(process::active(), #{ method: "em", steps: [400, 800] });
    /// assert_near(rows[0].variance / rows[1].variance, 2, 0.1);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn accuracy(ctx: NativeCallContext, process: Process, options: Map) -> Outcome<Array> {
        let mut options = Options::new(&ctx, options);
        let steps = options.counts("steps")?.unwrap_or_else(|| vec![25, 50, 100, 200, 400]);
        let variance = options.positive_or("variance", 0.25)?;
        let request = reverse_options(&mut options)?;
        options.finish()?;
        let rows = convergence(&process, variance, &request, &steps, &task(&ctx)).raise(&ctx)?;
        Ok(rows.iter().map(|row| Dynamic::from_map(table_row(row))).collect())
    }
}

fn table_row(row: &Accuracy) -> Map {
    [
        ("steps", Dynamic::from_int(row.steps as INT)),
        ("nfe", Dynamic::from_int(row.evaluations as INT)),
        ("mean", row.mean.into()),
        ("variance", row.variance.into()),
        ("covariance", row.covariance.into()),
    ]
    .map(|(name, value)| (name.into(), value))
    .into()
}
