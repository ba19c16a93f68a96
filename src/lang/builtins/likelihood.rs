//! Log densities of data under a score.

use rhai::plugin::*;
use rhai::{Dynamic, Engine, Map};

use super::score::Score;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Table, Tables, read};
use crate::lang::surroundings::task;
use crate::lang::tensors::tensor_argument;
use crate::lang::types;
use crate::sample::{self, LIKELIHOOD, Likelihood, LogDensity, State};
use crate::tensor::Tensor;

/// Registers the type and the functions.
pub(super) fn install(engine: &mut Engine, tables: &mut Tables) {
    types::register::<LogDensity>(engine, "LogDensity", "take it out first: let values = l.values;");
    let functions = tables.module("", rhai::exported_manifest!(functions), OPTIONS);
    engine.register_global_module(functions.into());
}

#[export_module(manifest)]
mod functions {
    /// Log densities of data under a score, by the probability flow.
    ///
    /// Without auxiliaries it is log p(x). With them it is a bound on it from below, the mean over draws of the
    /// auxiliaries: `"weighted"`, log mean [p(x, eta)/q(eta)] with their law q at t = 0, becomes exact with the number
    /// of draws; `"mean"`, mean [log p(x, eta) - log q(eta)], does not. The density at the horizon is the prior
    /// `"matched"` of `sample`, which makes an error while the horizon is short; close to t = 0, where the noise is
    /// 1/20 of what is finest in the data, the score stays as it is. Of a `State` it is the log density of data and
    /// auxiliaries together at the time of the state.
    ///
    /// # Shapes
    /// x [count, shape...] (or [count], read as [count, 1]) -> values [count]
    ///
    /// # Returns
    /// A `LogDensity`: `l.values` and `l.errors`, tensors [count] in nats, and `l.nfe`. The errors are what is random,
    /// standard errors by directions or draws, and what is not: by how much the value changes when the flow is followed
    /// with ten times the tolerance from data that are moved by a unit of single precision, and by how much the law of
    /// the score at the horizon differs from the prior. A warning says where one of these is above 0.1 nats. Half of
    /// the variance over random directions is that of all data together, since few directions of one datum can agree by
    /// chance; where all of them have less than 7 degrees of freedom, as a datum with less than 8 `probes`, the error
    /// is not known: NaN. Data that take more than 100,000 steps, as those far between modes that are many hundred
    /// deviations apart, are followed with larger tolerances, which a warning says and their errors include; where no
    /// tolerance is large enough, the error names the row.
    ///
    /// # Errors
    /// When the process is not linear or its data are angles, an auxiliary starts at a fixed value, the data of an
    /// exact score are single points, or those of any score do not vary along some direction, and `x` is not noised,
    /// `x` has another shape than the score's data, or an option is out of range.
    ///
    /// # Source
    /// Song et al., arXiv 2011.13456; Dockhorn, Vahdat, Kreis, arXiv 2112.07068 (`"mean"`); Burda, Grosse,
    /// Salakhutdinov, arXiv 1509.00519 (`"weighted"`).
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::mixture(#{ means: [[0, 0]], std: 1 });
    /// let l = log_likelihood(score::exact(process::passive(), d), [[0.0, 0.0]]);
    /// assert(abs(l.values[0] + ln(2 * PI)) < 1e-3);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn log_likelihood(ctx: NativeCallContext, score: Score, x: Dynamic, options: Map) -> Outcome<LogDensity> {
        let request = read(&ctx, options, &[LIKELIHOOD], |given| Ok(Likelihood::read(given)))?;
        if let Some(state) = x.read_lock::<State>() {
            return sample::log_density(score.score(), &state, &request, &task(&ctx)).raise(&ctx);
        }
        let x = tensor_argument(&ctx, "x", &x)?;
        sample::log_likelihood(score.score(), &x, &request, &task(&ctx)).raise(&ctx)
    }

    /// Log densities in nats, tensor [count].
    #[rhai_fn(get = "values", pure)]
    pub fn values(density: &mut LogDensity) -> Tensor {
        density.values.clone()
    }

    /// Errors of the log densities in nats, tensor [count]; NaN where not known.
    #[rhai_fn(get = "errors", pure)]
    pub fn errors(density: &mut LogDensity) -> Tensor {
        density.errors.clone()
    }

    /// Evaluations of the score and its derivatives per sample and draw that a likelihood took.
    #[rhai_fn(get = "nfe", pure)]
    pub fn density_evaluations(density: &mut LogDensity) -> i64 {
        density.evaluations as i64
    }

    #[rhai_fn(name = "to_string", name = "to_debug", pure)]
    pub fn density_to_string(density: &mut LogDensity) -> String {
        density.to_string()
    }
}

/// The options of the functions of this file.
const OPTIONS: &[(&str, Table)] = &[("log_likelihood", &[LIKELIHOOD])];
