//! What a noised state tells of the class of its datum, and when classes part.

use rhai::plugin::*;
use rhai::{Dynamic, Map};

use super::shared::{OBSERVE, estimate};
use crate::data::Dataset;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Table, number_argument, read};
use crate::lang::surroundings::task;
use crate::measure::Estimate;
use crate::physics::{self, Classes, Draws};
use crate::process::Process;
use crate::settings::Setting;
use crate::task::Task;

pub(super) const OPTIONS: &[(&str, Table)] = &[
    ("class_information", &[OBSERVE, Draws::SETTINGS]),
    ("bayes_accuracy", &[OBSERVE, Draws::SETTINGS]),
    ("clone_agreement", &[OBSERVE, Draws::SETTINGS]),
    ("speciation_time", &[ASYMPTOTIC]),
];

const ASYMPTOTIC: &[Setting] =
    &[Setting::flag("asymptotic", "true for the formula for late times, which noise without memory obeys exactly")];

#[export_module(manifest)]
pub(super) mod module {
    /// Mutual information of the class of a datum and its noised state, or of the blocks of it that are observed.
    ///
    /// Components of a mixture are its classes; of labelled points, the labels. The probabilities of the classes given
    /// the state are exact; the mean over states is by draws.
    ///
    /// # Arguments
    /// - `t`: time, above 0
    ///
    /// # Returns
    /// `#{ value, error }` in nats, from 0 to the entropy of the classes.
    ///
    /// # Errors
    /// When the process is nonlinear or has angles, there is no such block, or the data have no classes or no law in
    /// closed form.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::mixture(#{ means: [[-1], [1]], std: 0.1 });
    /// let p = process::active(#{ tau: 0.5 });
    /// // The driving noise alone knows nothing of the class; with it, more can be told from x.
    /// assert_near(measure::class_information(p, d, 1, #{ observe: ["eta"] }).value, 0, 1e-12);
    /// let alone = measure::class_information(p, d, 1, #{ observe: ["x"] });
    /// let all = measure::class_information(p, d, 1);
    /// assert(all.value > alone.value + 5 * (all.error + alone.error));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn class_information(
        ctx: NativeCallContext,
        process: Process,
        data: Dataset,
        t: Dynamic,
        options: Map,
    ) -> Outcome<Map> {
        averaged(&ctx, &process, &data, &t, options, Classes::information)
    }

    /// The part of data whose class can be told from their noised state, or from the blocks of it that are observed, by
    /// the best of all guesses: the most probable class.
    ///
    /// # Arguments
    /// - `t`: time, above 0
    ///
    /// # Returns
    /// `#{ value, error }`, from the largest weight of a class to 1.
    ///
    /// # Errors
    /// As `measure::class_information`.
    ///
    /// # Example
    /// ```rhai
    /// // Two points at ±1 under a kernel of mean ±a and variance v: Φ(a/√v).
    /// let p = process::passive(#{ k: 1, T: 1 });
    /// let d = dataset::mixture(#{ means: [[-1], [1]], std: 1e-4 });
    /// let found = measure::bayes_accuracy(p, d, 0.5);
    /// assert_near(found.value, 0.7773, 5 * found.error);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn bayes_accuracy(
        ctx: NativeCallContext,
        process: Process,
        data: Dataset,
        t: Dynamic,
        options: Map,
    ) -> Outcome<Map> {
        averaged(&ctx, &process, &data, &t, options, Classes::accuracy)
    }

    /// The probability that two independent ways back from a noised state end in the same class: 1 where the state
    /// knows its class, and that of two data where it knows nothing.
    ///
    /// # Arguments
    /// - `t`: time, above 0
    ///
    /// # Returns
    /// `#{ value, error }`: the mean over states of the sum of squares of the probabilities of the classes.
    /// `measure::speciation_by_cloning` finds it by sampling.
    ///
    /// # Errors
    /// As `measure::class_information`.
    ///
    /// # Source
    /// Biroli, Bonnaire, de Bortoli, Mézard, arXiv 2402.18491.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::mixture(#{ means: [[-1], [1]], std: 0.1 });
    /// let p = process::passive(#{ horizon: 8 });
    /// assert_near(measure::clone_agreement(p, d, 1e-3).value, 1, 1e-6);
    /// assert_near(measure::clone_agreement(p, d, 8).value, 0.5, 1e-3);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn clone_agreement(
        ctx: NativeCallContext,
        process: Process,
        data: Dataset,
        t: Dynamic,
        options: Map,
    ) -> Outcome<Map> {
        averaged(&ctx, &process, &data, &t, options, Classes::clone_agreement)
    }

    /// The time at which what is widest in the data is as wide as the noise in them, a(t)² Λ = Σ_xx(t) with Λ the
    /// largest eigenvalue of the covariance of the data: about then samples on their way back choose a class.
    ///
    /// The formula for late times is (1/2k) ln(1 + Λ/Σ_xx(∞)); for noise with memory it neglects how that noise grows.
    ///
    /// # Returns
    /// A number.
    ///
    /// # Errors
    /// When the process is nonlinear or has angles, the data do not vary, or are still wider than the noise at the
    /// horizon; the formula, when coefficients depend on the time, coordinates are coupled, the auxiliaries are driven
    /// by the data, or these do not decay.
    ///
    /// # Source
    /// Biroli, Bonnaire, de Bortoli, Mézard, arXiv 2402.18491; Behera et al., arXiv 2411.07233.
    ///
    /// # Example
    /// ```rhai
    /// let p = process::passive(#{ k: 1, T: 1 });
    /// let d = dataset::mixture(#{ means: [[-2], [2]], std: 0.1 });
    /// assert_near(measure::speciation_time(p, d), 0.5 * ln(1 + 4.01), 1e-12);
    /// assert_near(measure::speciation_time(p, d, #{ asymptotic: true }), 0.5 * ln(1 + 4.01), 1e-12);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn speciation_time(ctx: NativeCallContext, process: Process, data: Dataset, options: Map) -> Outcome<f64> {
        let is_asymptotic = read(&ctx, options, &[ASYMPTOTIC], |given| Ok(given.flag("asymptotic")))?;
        match is_asymptotic {
            true => physics::speciation_estimate(&process, &data, &task(&ctx)),
            false => physics::speciation_time(&process, &data, &task(&ctx)),
        }
        .raise(&ctx)
    }
}

/// What `average` finds of the classes of noised data, by the options of all functions here that draw.
fn averaged(
    ctx: &NativeCallContext,
    process: &Process,
    data: &Dataset,
    t: &Dynamic,
    options: Map,
    average: fn(&Classes, Draws, &Task) -> crate::Result<Estimate>,
) -> Outcome<Map> {
    let time = number_argument(ctx, "t", t)?;
    read(ctx, options, &[OBSERVE, Draws::SETTINGS], |given| {
        let found = Classes::new(process, data, time, given.texts_if_given("observe"));
        found.and_then(|classes| average(&classes, Draws::read(given), &task(ctx))).map(estimate).raise(ctx)
    })
}
