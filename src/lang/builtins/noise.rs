//! Coloured noise: the part of the module `noise` that computes.

use rhai::plugin::*;
use rhai::{Array, Dynamic, FnPtr, Map, Module};

use crate::error::Error;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Tables, number_argument, read};
use crate::lang::tensors::Numbers;
use crate::process::{Sampled, embed, logarithmic};
use crate::settings::Setting;

/// The functions of the module; the standard library adds those written in the language.
pub(in crate::lang) fn module(tables: &mut Tables) -> Module {
    tables.module("noise", rhai::exported_manifest!(functions), &[("fit", &[FIT])])
}

/// Points at which a closure is asked.
const POINTS: usize = 120;

const FIT: &[Setting] = &[
    Setting::other("correlation", "a closure or numbers", "closure `|t|`, or its values at `times`, all above 0")
        .unless("spectrum", "write correlation: |t| exp(-t) or correlation: values, times: times"),
    Setting::other(
        "spectrum",
        "a closure or numbers",
        "closure `|omega|`, or its values at the angular frequencies `frequencies`, in place of `correlation`",
    )
    .or_else(""),
    Setting::other(
        "times",
        "an array or tensor of numbers",
        "array or tensor, where values of `correlation` are given",
    )
    .or_else(""),
    Setting::other(
        "frequencies",
        "an array or tensor of numbers",
        "array or tensor, where values of `spectrum` are given",
    )
    .or_else(""),
    Setting::number("from", "where a closure is first asked; further on at equal ratios").above(0.0).or(0.01),
    Setting::number("to", "where a closure is last asked").above(0.0).or(10.0),
    Setting::number("tolerance", "largest error that is wanted; fewer processes do for a larger one")
        .above(0.0)
        .or(0.02),
];

#[export_module(manifest)]
mod functions {
    /// A correlation function or spectrum as a sum of few Ornstein–Uhlenbeck processes.
    ///
    /// C(t) = sum of v_i exp(-|t|/tau_i), S(omega) = sum of 2 v_i tau_i/(1 + omega^2 tau_i^2): times tau_i on a
    /// logarithmic grid, variances v_i >= 0 by non-negative least squares, neighbours joined while the error stays
    /// within the tolerance, then all refined together. Errors count relative to the wanted value, or to 1 % of the
    /// largest one where it is below that.
    ///
    /// # Returns
    /// A map: `components`, array of [variance, time], and `error`, the largest error left.
    ///
    /// # Errors
    /// When neither or both of `correlation` and `spectrum` are given, numbers are not finite, or no value is above 0.
    ///
    /// # Source
    /// Lawson, Hanson, "Solving Least Squares Problems" (1974), chapter 23; refinement: Marquardt 1963.
    ///
    /// # Example
    /// ```rhai
    /// let fit = noise::fit(#{ correlation: |t| 3 * exp(-t / 0.5) + exp(-t / 4) });
    /// assert_eq(fit.components.len, 2);
    /// assert_near(fit.components[0][0], 3, 1e-3);
    /// assert_near(fit.components[1][1], 4, 1e-3);
    /// let fit = noise::fit(#{ correlation: |t| 1 / sqrt(t) });
    /// assert(fit.error < 0.02 && fit.components.len <= 6);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn fit(ctx: NativeCallContext, options: Map) -> Outcome<Map> {
        let Request { sampled, wanted, places, range: (from, to), tolerance } = read(&ctx, options, &[FIT], |given| {
            let (times, frequencies) = (given.other("times").cloned(), given.other("frequencies").cloned());
            let (sampled, wanted, places) = match (given.other("correlation"), given.other("spectrum")) {
                (Some(wanted), _) => (Sampled::Correlation, wanted, times),
                (None, spectrum) => (Sampled::Spectrum, spectrum.expect("one of them is given"), frequencies),
            };
            let range = (given.number("from"), given.number("to"));
            Ok(Request { sampled, wanted: wanted.clone(), places, range, tolerance: given.number("tolerance") })
        })?;
        let (places, values) = match wanted.clone().try_cast::<FnPtr>() {
            Some(closure) => {
                let places = logarithmic(from, to, POINTS).raise(&ctx)?;
                let ask = |&place: &f64| {
                    let value = closure.call_raw(&ctx, None, [Dynamic::from_float(place)])?;
                    number_argument(&ctx, "the closure's value", &value)
                };
                let values = places.iter().map(ask).collect::<Outcome<Vec<_>>>()?;
                (places, values)
            }
            None => {
                let Some(places) = places else {
                    let error = Error::argument("times", "or `frequencies` are missing, where the values are given");
                    return Err(error).raise(&ctx);
                };
                (Numbers::read(&ctx, "times", &places)?.values, Numbers::read(&ctx, "values", &wanted)?.values)
            }
        };
        let fit = embed(sampled, &places, &values, tolerance).raise(&ctx)?;
        let pair = |(variance, time): (f64, f64)| Dynamic::from_array(vec![variance.into(), time.into()]);
        let components: Array = fit.components.into_iter().map(pair).collect();
        Ok([("components", components.into()), ("error", fit.error.into())].map(|(n, v)| (n.into(), v)).into())
    }
}

/// What is to be fitted.
struct Request {
    sampled: Sampled,
    /// A closure, or values.
    wanted: Dynamic,
    /// Where values are given.
    places: Option<Dynamic>,
    /// From where to where a closure is asked.
    range: (f64, f64),
    tolerance: f64,
}
