//! What a noised state tells of its datum, and what auxiliaries know of the noise.

use rhai::plugin::*;
use rhai::{Dynamic, Map};

use super::shared::{OBSERVE, estimate};
use crate::data::Dataset;
use crate::lang::builtins::score::Score;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Table, number, number_argument, read};
use crate::lang::surroundings::{host, task};
use crate::lang::tensors::{nested_numbers, numbers_argument};
use crate::physics::{self, Draws, Mode};
use crate::process::Process;

pub(super) const OPTIONS: &[(&str, Table)] = &[
    ("fisher", &[OBSERVE]),
    ("fisher_decay", &[OBSERVE]),
    ("fisher_marginal", &[Draws::SETTINGS]),
    ("mode_decay", &[Draws::SETTINGS]),
    ("entropy_production", &[physics::ENTROPY]),
];

#[export_module(manifest)]
pub(super) mod module {
    /// Fisher information of the noised state about the datum: J(t) = mᵀ Σ⁻¹ m, with m how the mean of what is observed
    /// depends on the datum, and Σ its covariance given the datum.
    ///
    /// From `x` alone it is a²/Σ_xx, and whoever sees the driving noise as well knows more.
    ///
    /// # Arguments
    /// - `t`: time, above 0
    ///
    /// # Returns
    /// A number, per coordinate of the datum: 1/(unit of the datum)². Exact to about 14 digits, as the kernel.
    ///
    /// # Errors
    /// When the process is nonlinear or has angles, there is no such block, or no noise has reached one at that time.
    ///
    /// # Source
    /// Behera et al., arXiv 2411.07233.
    ///
    /// # Example
    /// ```rhai
    /// let p = process::passive(#{ k: 1, T: 1 });
    /// assert_near(measure::fisher(p, 0.5), exp(-1) / (1 - exp(-1)), 1e-14);
    /// let p = process::active(#{ tau: 0.5 });
    /// assert(measure::fisher(p, 0.5) > measure::fisher(p, 0.5, #{ observe: ["x"] }));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn fisher(ctx: NativeCallContext, process: Process, t: Dynamic, options: Map) -> Outcome<f64> {
        let (t, observe) = (number_argument(&ctx, "t", &t)?, observe(&ctx, options)?);
        physics::fisher(&process, t, observe.as_deref()).raise(&ctx)
    }

    /// The rate -d ln J/dt at which the Fisher information about the datum is lost: see `measure::fisher`.
    ///
    /// # Arguments
    /// - `t`: time, above 0
    ///
    /// # Returns
    /// A number in 1/time.
    ///
    /// # Errors
    /// As `measure::fisher`, and when nothing is left of the datum.
    ///
    /// # Source
    /// Behera et al., arXiv 2411.07233.
    ///
    /// # Example
    /// ```rhai
    /// // -d/dt ln[a²/Σ] = 2T/Σ for noise without memory.
    /// let p = process::passive(#{ k: 1, T: 1 });
    /// assert_near(measure::fisher_decay(p, 0.5), 2 / (1 - exp(-1)), 1e-12);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn fisher_decay(ctx: NativeCallContext, process: Process, t: Dynamic, options: Map) -> Outcome<f64> {
        let (t, observe) = (number_argument(&ctx, "t", &t)?, observe(&ctx, options)?);
        physics::fisher_decay(&process, t, observe.as_deref()).raise(&ctx)
    }

    /// Mean square of a score over noised data, E |∇ log p_t|² by the blocks that noise drives: the Fisher information
    /// of the noised data about where they are.
    ///
    /// # Arguments
    /// - `t`: time, above 0
    ///
    /// # Returns
    /// `#{ value, error }`, summed over all coordinates of the driven blocks, in 1/(unit of the state)².
    ///
    /// # Errors
    /// When the data have another shape than those of the score, or the score has no value at that time.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::mixture(#{ means: [[0]], std: 1 });
    /// let j = measure::fisher_marginal(score::exact(process::passive(), d), d, 0.5);
    /// assert_near(j.value, 1, 5 * j.error);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn fisher_marginal(
        ctx: NativeCallContext,
        score: Score,
        data: Dataset,
        t: Dynamic,
        options: Map,
    ) -> Outcome<Map> {
        let t = number_argument(&ctx, "t", &t)?;
        let draws = read(&ctx, options, &[Draws::SETTINGS], |given| Ok(Draws::read(given)))?;
        physics::fisher_marginal(score.score(), &data, t, draws, &task(&ctx)).map(estimate).raise(&ctx)
    }

    /// The part of the variance of the noise in the data that the auxiliaries determine: with one auxiliary the squared
    /// correlation Σ_xη²/(Σ_xx Σ_ηη).
    ///
    /// # Arguments
    /// - `t`: time, above 0
    ///
    /// # Returns
    /// A number from 0, as without auxiliaries, to 1.
    ///
    /// # Errors
    /// When the process is nonlinear or has angles, or no noise has reached the data at that time.
    ///
    /// # Example
    /// ```rhai
    /// let p = process::active(#{ tau: 0.5 });
    /// let cov = p.kernel(0.3).cov;
    /// assert_near(measure::noise_explained(p, 0.3), cov[0][1] ** 2 / (cov[0][0] * cov[1][1]), 1e-13);
    /// assert_eq(measure::noise_explained(process::passive(), 0.3), 0.0);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn noise_explained(ctx: NativeCallContext, process: Process, t: Dynamic) -> Outcome<f64> {
        physics::noise_explained(&process, number_argument(&ctx, "t", &t)?).raise(&ctx)
    }

    /// The correlations of the noise between the blocks of a noised state, given the datum.
    ///
    /// # Shapes
    /// [m, m] for m blocks, in the order of `p.state`, times the coordinates where these are coupled.
    ///
    /// # Arguments
    /// - `t`: time, above 0
    ///
    /// # Returns
    /// Nested arrays.
    ///
    /// # Errors
    /// As `measure::noise_explained`.
    ///
    /// # Example
    /// ```rhai
    /// let p = process::active(#{ tau: 0.5 });
    /// let rho = measure::correlation(p, 0.3)[0][1];
    /// assert_near(rho ** 2, measure::noise_explained(p, 0.3), 1e-13);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn correlation(ctx: NativeCallContext, process: Process, t: Dynamic) -> Outcome<Dynamic> {
        let matrix = physics::correlation(&process, number_argument(&ctx, "t", &t)?).raise(&ctx)?;
        // Symmetric, so that columns are rows.
        nested_numbers(&[matrix.nrows(), matrix.ncols()], matrix.as_slice(), &host(&ctx)).raise(&ctx)
    }

    /// Total entropy production of forward paths from data, and the mean of exp(-Δs), which is 1 by the integral
    /// fluctuation theorem: how far it is off says whether score, steps and number of paths are good enough.
    ///
    /// Δs = ln p(z_s) - ln p(z_e) + Σ ln P(step forth)/P(step back): densities by the probability flow of the score,
    /// steps by the exact law of the process. A block that noise reaches only through others can be run back if it is
    /// the integral of a block that is odd, as positions are of velocities; else Δs grows without bound as steps get
    /// finer, as that of an active particle without passive noise does.
    ///
    /// # Returns
    /// `#{ value, error, fluctuation }` in nats, with `fluctuation`, the mean of exp(-Δs), again a `#{ value, error }`.
    /// A warning says where that is not 1 within 5 errors: paths that carry it may be too rare to be drawn.
    ///
    /// # Errors
    /// When the process is not linear or has angles, the data of the score are normalised, and as `simulate` and
    /// `log_likelihood`.
    ///
    /// # Source
    /// Seifert, Phys. Rev. Lett. 95, 040602 (2005).
    ///
    /// # Example
    /// ```rhai
    /// // In equilibrium nothing is produced.
    /// let p = process::passive(#{ k: 1, T: 1 });
    /// let d = dataset::mixture(#{ means: [[0]], std: 1 });
    /// let s = measure::entropy_production(score::exact(p, d), d, #{ end: 1, steps: 10, count: 200 });
    /// assert_near(s.value, 0, 1e-3);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn entropy_production(ctx: NativeCallContext, score: Score, data: Dataset, options: Map) -> Outcome<Map> {
        let found = read(&ctx, options, &[physics::ENTROPY], |given| {
            physics::entropy_production(score.score(), &data, given, &task(&ctx)).raise(&ctx)
        })?;
        let mut result = estimate(found.mean);
        result.insert("fluctuation".into(), estimate(found.fluctuation).into());
        Ok(result)
    }

    /// The modulus of a Fourier mode of the density of the noised data, |E exp(i q·x_t)| =
    /// |P̂_0(a(t) q)| exp(-q² Σ_xx(t)/2): noise with memory lets high modes live longer.
    ///
    /// # Arguments
    /// - `q`: the wave vector, an array of a number for each coordinate of a datum, or a number where there is one; in
    ///   1/(unit of the data), of normalised data of their normalised unit
    /// - `t`: time, 0 or above
    ///
    /// # Returns
    /// A number, exact for mixtures and finite data; for other data, which are drawn, `#{ value, error }`.
    ///
    /// # Errors
    /// When the process is nonlinear or has angles, or `q` has another length than a datum.
    ///
    /// # Source
    /// Behera et al., arXiv 2411.07233, figure A6.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::mixture(#{ means: [[0]], std: 0.5 });
    /// let p = process::passive(#{ k: 1, T: 1 });
    /// let variance = 0.25 * exp(-0.6) + 1 - exp(-0.6);
    /// assert_near(measure::mode_decay(p, d, 2, 0.3), exp(-2 * variance), 1e-14);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn mode_decay(
        ctx: NativeCallContext,
        process: Process,
        data: Dataset,
        q: Dynamic,
        t: Dynamic,
        options: Map,
    ) -> Outcome<Dynamic> {
        let t = number_argument(&ctx, "t", &t)?;
        let wave = match number(&q) {
            Some(_) => vec![number_argument(&ctx, "q", &q)?],
            None => numbers_argument(&ctx, "q", &q)?.values,
        };
        let draws = read(&ctx, options, &[Draws::SETTINGS], |given| Ok(Draws::read(given)))?;
        let mode = physics::mode_decay(&process, &data, &wave, t, draws, &task(&ctx)).raise(&ctx)?;
        Ok(match mode {
            Mode::Exact(value) => value.into(),
            Mode::Estimated(mean) => estimate(mean).into(),
        })
    }
}

fn observe(ctx: &NativeCallContext, options: Map) -> Outcome<Option<Vec<String>>> {
    read(ctx, options, &[OBSERVE], |given| Ok(given.texts_if_given("observe").map(<[String]>::to_vec)))
}
