//! Coloured noise: the part of the module `noise` that computes.

use rhai::plugin::*;
use rhai::{Array, Dynamic, FnPtr, Map, Module};

use crate::error::Error;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Tables, number_argument, read};
use crate::lang::surroundings::task;
use crate::lang::tensors::Numbers;
use crate::process::{Component, Sampled, embed, places};
use crate::settings::{Range, Setting};

/// The functions of the module; the standard library adds those written in the language.
pub(in crate::lang) fn module(tables: &mut Tables) -> Module {
    tables.module("noise", rhai::exported_manifest!(functions), &[("fit", &[FIT])])
}

const FIT: &[Setting] = &[
    Setting::other("correlation", "a closure or numbers", "closure `|t|`, or its values at `times`")
        .unless(&["spectrum", "displacement"], "write correlation: |t| exp(-t) or correlation: values, times: times"),
    Setting::other(
        "spectrum",
        "a closure or numbers",
        "closure `|omega|`, or its values at the angular frequencies `frequencies`, in place of `correlation`",
    )
    .or_else(""),
    Setting::other(
        "displacement",
        "a closure or numbers",
        "closure `|t|` of the mean square displacement <(x(t) - x(0))^2> that the noise alone gives x, or its values at \
         `times`, in place of `correlation`",
    )
    .or_else(""),
    Setting::other(
        "times",
        "an array or tensor of numbers",
        "array or tensor, 2000 at most, where values of `correlation` or `displacement` are given",
    )
    .or_else(""),
    Setting::other(
        "frequencies",
        "an array or tensor of numbers",
        "array or tensor, 2000 at most, where values of `spectrum` are given",
    )
    .or_else(""),
    Setting::number("from", "where a closure is first asked; further on at equal ratios and at equal distances")
        .above(0.0)
        .or(0.01),
    Setting::number("to", "where a closure is last asked").above(0.0).or(10.0),
    Setting::number("tolerance", "largest error; fewer states do for a larger one").above(0.0).or(0.02),
    Setting::number("floor", "values below this part of the largest one count in parts of that; for noisy values")
        .within(Range::from(0.0).below(1.0))
        .or(0.0),
];

#[export_module(manifest)]
mod functions {
    /// A noise with a wanted correlation function, spectrum or mean square displacement: few linear equations in white
    /// noise, whose spectrum is nowhere negative whatever was asked for.
    ///
    /// First as a sum of Ornstein–Uhlenbeck processes, C(t) = sum of v_i exp(-|t|/tau_i), v_i > 0: times on a
    /// logarithmic grid, variances by non-negative least squares, neighbours joined while the error stays within the
    /// tolerance, then all refined together. Where that does not do, as the filter of one white noise with up to 16
    /// states: poles by vector fitting, the stable factor of their spectrum, then all refined together; it comes as a
    /// sum of decays and damped oscillations where each of them is a noise by itself.
    ///
    /// The error at a place counts in parts of the wanted value there, however small that is, so that the error of a
    /// power law is relative. Only where the function passes through zero, or falls faster than any power that is
    /// likely, it counts in parts of what a fall with the power 8 from its neighbours leaves, max |C(t')| min(t/t',
    /// t'/t)^8 over all t', and at least of 1e-8 of the largest value. Between and beyond the places nothing is
    /// promised.
    ///
    /// # Returns
    /// A map: `components`, an array of independent noises for `noise::coloured`, and `error`, the largest error left.
    /// A component is
    /// - \[variance, time\]: v exp(-t/tau),
    /// - \[variance, time, frequency, blend\]: v exp(-t/tau) (cos(omega t) + blend sin(omega t)/(omega tau)), with the
    ///   blend from -1, the velocity of an oscillator in a heat bath, to 1, its position,
    /// - a map of `weights` w, `couplings` a and `damping` g: the sum of w_i z_i of a chain of n states,
    ///   dz_i = (a_i z_{i+1} - a_{i-1} z_{i-1}) dt, of which the last alone is damped by -g z_n dt and driven by
    ///   sqrt(2 g) dW; in its stationary law all z are independent, of variance 1,
    /// - a map of `position`, \[variance, time\]: an Ornstein–Uhlenbeck process whose increments are added to x, with
    ///   the mean square displacement 2 v (1 - exp(-t/tau)); for `displacement` only.
    ///
    /// # Errors
    /// When no noise is found within the tolerance, with the error of the nearest one; when none or several of
    /// `correlation`, `spectrum` and `displacement` are given, numbers are not finite, or no value is above 0.
    ///
    /// # Source
    /// Lawson, Hanson, "Solving Least Squares Problems" (1974), chapter 23; refinement: Marquardt 1963; vector fitting:
    /// Gustavsen, Semlyen, IEEE Trans. Power Delivery 14, 1052 (1999), and in time Grivet-Talocia, IEEE Microw. Wirel.
    /// Compon. Lett. 13, 472 (2003); chain: Schwarz, Z. angew. Math. Phys. 7, 473 (1956).
    ///
    /// # Example
    /// ```rhai
    /// let fit = noise::fit(#{ correlation: |t| 3 * exp(-t / 0.5) + exp(-t / 4) });
    /// assert_eq(fit.components.len, 2);
    /// assert_near(fit.components[0][0], 3, 1e-3);
    /// assert_near(fit.components[1][1], 4, 1e-3);
    /// let fit = noise::fit(#{ correlation: |t| 1 / sqrt(t) });
    /// assert(fit.error < 0.02 && fit.components.len <= 6);
    /// let fit = noise::fit(#{ correlation: |t| exp(-t / 2) * cos(5 * t) });
    /// assert_near(fit.components[0][1], 2, 1e-6);
    /// assert_near(fit.components[0][2], 5, 1e-6);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn fit(ctx: NativeCallContext, options: Map) -> Outcome<Map> {
        let Request { sampled, wanted, places: known, range: (from, to), tolerance, floor } =
            read(&ctx, options, &[FIT], |given| {
                let (times, frequencies) = (given.other("times").cloned(), given.other("frequencies").cloned());
                let functions = [
                    (Sampled::Correlation, given.other("correlation"), &times),
                    (Sampled::Spectrum, given.other("spectrum"), &frequencies),
                    (Sampled::Displacement, given.other("displacement"), &times),
                ];
                let wanted =
                    functions.into_iter().find_map(|(sampled, wanted, places)| Some((sampled, wanted?, places)));
                let (sampled, wanted, places) = wanted.expect("one of them is given");
                Ok(Request {
                    sampled,
                    wanted: wanted.clone(),
                    places: places.clone(),
                    range: (given.number("from"), given.number("to")),
                    tolerance: given.number("tolerance"),
                    floor: given.number("floor"),
                })
            })?;
        let (places, values) = match wanted.clone().try_cast::<FnPtr>() {
            Some(closure) => {
                let places = places(from, to).raise(&ctx)?;
                let ask = |&place: &f64| {
                    let value = closure.call_raw(&ctx, None, [Dynamic::from_float(place)])?;
                    number_argument(&ctx, "the closure's value", &value)
                };
                let values = places.iter().map(ask).collect::<Outcome<Vec<_>>>()?;
                (places, values)
            }
            None => {
                let Some(places) = known else {
                    let error = Error::argument("times", "or `frequencies` are missing, where the values are given");
                    return Err(error).raise(&ctx);
                };
                (Numbers::read(&ctx, "times", &places)?.values, Numbers::read(&ctx, "values", &wanted)?.values)
            }
        };
        let fit = embed(sampled, &places, &values, tolerance, floor, &task(&ctx)).raise(&ctx)?;
        let components: Array = fit.components.iter().map(component).collect();
        Ok([("components", components.into()), ("error", fit.error.into())].map(|(n, v)| (n.into(), v)).into())
    }
}

/// A component as `noise::coloured` reads it.
fn component(component: &Component) -> Dynamic {
    let numbers = |numbers: &[f64]| Dynamic::from_array(numbers.iter().map(|&number| number.into()).collect());
    let map = |entries: Vec<(&str, Dynamic)>| -> Dynamic {
        Dynamic::from_map(entries.into_iter().map(|(name, value)| (name.into(), value)).collect())
    };
    match component {
        &Component::Decay { variance, time } => numbers(&[variance, time]),
        &Component::Oscillation { variance, time, frequency, blend } => numbers(&[variance, time, frequency, blend]),
        &Component::Position { variance, time } => map(vec![("position", numbers(&[variance, time]))]),
        Component::Ladder(ladder) => map(vec![
            ("weights", numbers(&ladder.weights)),
            ("couplings", numbers(&ladder.couplings)),
            ("damping", ladder.damping.into()),
        ]),
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
    floor: f64,
}
