//! Learning the parameters of a process, as scripts see it.

use rhai::plugin::*;
use rhai::{Engine, Map};

use crate::data::Dataset;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Tables, read};
use crate::lang::surroundings::task;
use crate::physics::{self, Excess, LEARN};
use crate::process::Process;

/// Registers the function.
pub(super) fn install(engine: &mut Engine, tables: &mut Tables) {
    let functions = tables.module("", rhai::exported_manifest!(functions), &[("learn", &[LEARN])]);
    engine.register_global_module(functions.into());
}

#[export_module(manifest)]
mod functions {
    /// Looks for the parameters of a process with which the variational bound on the likelihood of data is best, by its
    /// gradient through the kernel.
    ///
    /// The bound is that of a model with the best denoiser there is, for mixtures, or with the best linear one, for all
    /// other data, which is followed back in `steps` ancestral steps: each one goes to the Gaussian law of the state
    /// before, given the state and the guess of the datum, and the last one to a Gaussian about that guess. By how much
    /// it exceeds the entropy of the data is what prior, steps and last step lose. With a score that is exact and steps
    /// without number only the prior loses anything: then parameters change how the noise is spread over time, and
    /// nothing else. What a sampler of another kind makes of so many steps is not asked: see `best_tau` for that.
    ///
    /// # Returns
    /// `#{ process, parameters, excess, before, slope, iterations, converged, denoiser }`: the process with what was
    /// found, and its `parameters`; the `excess` of the bound over the entropy, in nats per datum, as
    /// `#{ value, error, prior, steps, last }`, the error being that by the draws; the same `before`, without an error;
    /// the largest `slope` that is left, in nats per e-fold of a parameter; and whether the search `converged`, to a
    /// slope of 1e-6. A warning says where it did not, as where the bound has no minimum within a factor of 10,000.
    /// `denoiser` is "exact" or "linear".
    ///
    /// # Errors
    /// When the process is nonlinear, couples coordinates or has angles, its state has no density, a parameter does not
    /// exist or is not above 0, or the data do not vary.
    ///
    /// # Source
    /// Kingma, Salimans, Poole, Ho, arXiv 2107.00630 (the bound); Singhal, Goldstein, Ranganath, arXiv 2302.07261
    /// (parameters of processes with auxiliaries by a bound).
    ///
    /// # Example
    /// ```rhai
    /// // The stationary variance T/k must be that of the data where the prior is the stationary law.
    /// let d = dataset::mixture(#{ means: [[0]], std: 0.5 });
    /// let l = learn(process::passive(#{ horizon: 1 }), d, #{ parameters: ["T"], prior: "stationary", steps: 0 });
    /// assert(l.converged);
    /// assert_near(l.parameters.T, 0.25, 1e-5);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn learn(ctx: NativeCallContext, process: Process, data: Dataset, options: Map) -> Outcome<Map> {
        let found =
            read(&ctx, options, &[LEARN], |given| physics::learn(&process, &data, given, &task(&ctx)).raise(&ctx))?;
        let mut excess = parts(found.excess);
        excess.insert("error".into(), found.error.into());
        let parameters: Map =
            found.process.parameters().iter().map(|(name, value)| (name.as_str().into(), (*value).into())).collect();
        Ok([
            ("converged", found.converged().into()),
            ("denoiser", found.denoiser.into()),
            ("iterations", (found.iterations as i64).into()),
            ("slope", found.slope.into()),
            ("excess", excess.into()),
            ("before", parts(found.before).into()),
            ("parameters", parameters.into()),
            ("process", rhai::Dynamic::from(found.process)),
        ]
        .map(|(name, value)| (name.into(), value))
        .into())
    }
}

fn parts(excess: Excess) -> Map {
    let Excess { prior, steps, last } = excess;
    [("value", excess.total()), ("prior", prior), ("steps", steps), ("last", last)]
        .map(|(name, value)| (name.into(), value.into()))
        .into()
}
