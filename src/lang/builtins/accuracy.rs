//! How accurate samplers are, without sampling noise.

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, INT, Map};

use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Table, Tables, read};
use crate::lang::surroundings::task;
use crate::process::Process;
use crate::sample::{ACCURACY, Accuracy, Options, REVERSE, convergence};

/// Registers the functions.
pub(super) fn install(engine: &mut Engine, tables: &mut Tables) {
    let functions = tables.module("", rhai::exported_manifest!(functions), OPTIONS);
    engine.register_global_module(functions.into());
}

#[export_module(manifest)]
mod functions {
    /// The errors of a sampler on Gaussian data under the exact score, without sampling noise.
    ///
    /// For Gaussian data a sampler with fixed steps is an affine map with additive noise. The sampler itself is asked
    /// for that map, so only rounding to single precision, about 1e-6, is left of chance. `convergence` makes a table
    /// of it.
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
    /// let rows = accuracy(process::active(), #{ method: "em", grid: "uniform", steps: [400, 800] });
    /// assert_near(rows[0].variance / rows[1].variance, 2, 0.1);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn accuracy(ctx: NativeCallContext, process: Process, options: Map) -> Outcome<Array> {
        let (steps, variance, request) = read(&ctx, options, &[ACCURACY, REVERSE], |given| {
            let steps = given.counts_if_given("steps").unwrap_or_default();
            Ok((steps, given.number("variance"), Options::read(given, &process)))
        })?;
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

/// The options of the functions of this file.
const OPTIONS: &[(&str, Table)] = &[("accuracy", &[ACCURACY, REVERSE])];
