//! Samplers: data from a score, states from data.

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, Map};

use super::score::Score;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Options, number, number_argument, seed_argument};
use crate::lang::surroundings::task;
use crate::lang::tensors::tensor_argument;
use crate::process::{PriorLaw, Process};
use crate::sample::{
    self, Bound, Divergence, Forward, Grid, Keep, LastStep, Likelihood, LogDensity, Method, Reference, State,
};
use crate::tensor::Tensor;

/// Registers the type and the functions.
pub(super) fn install(engine: &mut Engine) {
    engine.register_type_with_name::<State>("State");
    engine.register_fn("to_string", |state: &mut State| state.to_string());
    engine.register_fn("to_debug", |state: &mut State| state.to_string());
    engine.register_type_with_name::<LogDensity>("LogDensity");
    engine.register_global_module(rhai::exported_module!(functions).into());
}

#[export_module]
mod functions {
    /// Samples from a score: draws from the prior and follows the reverse process to the data.
    ///
    /// The reverse process is `dz = (-f + div D + D score) ds + G dW`, its probability flow
    /// `dz = (-f + div D / 2 + D score / 2) ds`. No method asks for the score at t = 0.
    ///
    /// # Shapes
    /// Every block of the result is [count, shape...] with the shape of a datum.
    ///
    /// # Options
    /// - `count`: number of samples (default 1000)
    /// - `steps`: number of steps (default 200); of no meaning for `"rk45"`
    /// - `method`: `"em"` (default), Euler–Maruyama; `"heun"` on the flow, two evaluations of the score a step, but one in a
    ///   step that ends at t = 0; `"rk45"`, Dormand–Prince 5(4) on the flow with steps by the error, for each 1,024 samples on
    ///   their own, which takes the score at 1e-5 of the horizon for all shorter times; `"splitting"`, exact steps of a
    ///   Gaussian reference around what the score has beyond it; `"exponential"`, exponential Adams–Bashforth on the flow;
    ///   `"pc"`, Euler–Maruyama with Langevin corrections. `"splitting"` and `"exponential"` need a linear process
    /// - `order`: 1, 2 or 3 (default), of `"exponential"`
    /// - `reference` of `"splitting"`: `"data"` (default), Gaussian data of the same mean and variance, which it samples
    ///   exactly if these are the same in all coordinates, or `"stationary"`, the law that the process settles into (for `cld` this is the SSCS of its authors)
    /// - `rtol`, `atol`: tolerated error of a step of `"rk45"`, in parts of the state and besides (default 1e-5 both)
    /// - `corrector_steps`, `snr`: corrections a step of `"pc"` and their signal-to-noise ratio (default 1 and 0.16)
    /// - `grid`: `"uniform"` (default); `"quadratic"`, equal steps in √t, which is finer towards the data; `"log"`, equal
    ///   ratios, from 1e-4 of the start on in one step where it ends at 0; `"rho"`, equal steps in t^(1/rho)
    /// - `rho`: the exponent of the grid `"rho"` (default 7)
    /// - `end`: time at which to stop, from 0 (default) to below the start
    /// - `last`: `"none"` (default), or `"denoise"`: the last step is the drift of the reverse process without noise, whatever
    ///   the method; `"rk45"` puts it behind its end
    /// - `keep`: times to keep, e.g. `[0.5, 0.1, 0]`, or `"all"`: see `s.path("x")` and `s.times`. Of a grid they are the
    ///   nearest of its times
    /// - `prior`: `"matched"`, a Gaussian with the mean of the noised data at the horizon and the
    ///   covariance that they have if every coordinate has the average variance of the data; `"ensemble"`,
    ///   simulated states at the horizon, smoothed, of a score learned from simulated paths; `"stationary"`; or `"usual"` (default),
    ///   the ensemble where there is one, else matched
    /// - `seed`: whole number (default 0)
    ///
    /// # Returns
    /// A `State`: `s.x` and the other blocks by name as tensors, and `s.nfe`, the evaluations of the score per sample.
    /// The same seed gives the same bits on any number of threads.
    ///
    /// # Errors
    /// When an option is out of range, the method cannot follow the process, the prior does not exist, or the steps are so
    /// long that the samples run away.
    ///
    /// # Source
    /// Anderson, Stoch. Proc. Appl. 12, 313 (1982); Song et al., arXiv 2011.13456 (flow, `"pc"`); Karras et al.,
    /// arXiv 2206.00364 (`"heun"`, `"rho"`); Dockhorn, Vahdat, Kreis, arXiv 2112.07068 (`"splitting"`); Zhang and Chen,
    /// arXiv 2204.13902 (`"exponential"`).
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::diamond(#{ spacing: 0.5, std: 0.04 });
    /// let m = score::exact(process::active(#{ tau: 0.5 }), d);
    /// let s = sample(m, #{ count: 500, steps: 100, grid: "quadratic", seed: 2 });
    /// assert(s.eta.shape == [500, 2] && s.nfe == 100);
    /// let s = sample(m, #{ count: 500, steps: 30, method: "exponential", keep: [1, 0.5] });
    /// assert(s.path("x").shape == [2, 500, 2]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn sample(ctx: NativeCallContext, score: Score, options: Map) -> Outcome<State> {
        let mut options = Options::new(&ctx, options);
        let count = options.count_or("count", 1000)?;
        let laws = [
            ("usual", None),
            ("matched", Some(PriorLaw::Matched)),
            ("stationary", Some(PriorLaw::Stationary)),
            ("ensemble", Some(PriorLaw::Ensemble)),
        ];
        let law = options.choice("prior", &laws)?.unwrap_or(score.score().usual_prior());
        let request = reverse_options(&mut options)?;
        options.finish()?;
        sample::sample(score.score(), count, law, &request, &task(&ctx)).raise(&ctx)
    }

    #[rhai_fn(name = "sample", return_raw)]
    pub fn sample_by_default(ctx: NativeCallContext, score: Score) -> Outcome<State> {
        sample(ctx, score, Map::new())
    }

    /// Follows the reverse process from given states, e.g. noised data, to the data.
    ///
    /// # Shapes
    /// Every block of the state and of the result is [count, shape...] with the shape of a datum.
    ///
    /// # Options
    /// - `from`: time at which to start (default the time at which the state is)
    /// - all options of `sample` but `count` and `prior`
    ///
    /// # Returns
    /// A `State`, as `sample` does.
    ///
    /// # Errors
    /// When the state lacks a block of the process, shapes differ, `from` is not above `end`, and as `sample`.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::diamond(#{ spacing: 0.5, std: 0.04 });
    /// let p = process::active(#{ tau: 0.5 });
    /// let noised = perturb(p, d.sample(200, 1), 0.05, 7);
    /// let s = reverse(score::exact(p, d), noised, #{ steps: 50, method: "heun" });
    /// assert(s.x.shape == [200, 2] && noised.time == 0.05);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn reverse(ctx: NativeCallContext, score: Score, state: State, options: Map) -> Outcome<State> {
        let mut options = Options::new(&ctx, options);
        let from = options.number("from")?;
        let request = reverse_options(&mut options)?;
        options.finish()?;
        sample::reverse(score.score(), &state, from, &request, &task(&ctx)).raise(&ctx)
    }

    #[rhai_fn(name = "reverse", return_raw)]
    pub fn reverse_by_default(ctx: NativeCallContext, score: Score, state: State) -> Outcome<State> {
        reverse(ctx, score, state, Map::new())
    }

    /// Log densities of data under a score, by the probability flow.
    ///
    /// Without auxiliaries it is log p(x). With them it is a bound on it from below, the mean over draws of the auxiliaries:
    /// `"weighted"`, log mean [p(x, eta)/q(eta)] with their law q at t = 0, becomes exact with the number of draws; `"mean"`,
    /// mean [log p(x, eta) - log q(eta)], does not. The density at the horizon is the prior `"matched"` of `sample`, and the
    /// score below 1e-5 of the horizon is the one there: both make an error for data that are narrow or differ in variance
    /// between coordinates, the first one only while the horizon is short. Of a `State` it is the log density of data and auxiliaries together.
    ///
    /// # Shapes
    /// x [count, shape...] (or [count], read as [count, 1]) -> values [count]
    ///
    /// # Options
    /// - `divergence`: `"exact"` (default up to 16 directions, the coordinates of the driven blocks) or `"hutchinson"`
    /// - `probes`: random directions of `"hutchinson"` (default 8)
    /// - `auxiliary_draws`: draws of the auxiliaries (default 16)
    /// - `bound`: `"weighted"` (default where the divergence is exact), or `"mean"` (else: the noise of random directions
    ///   would raise the weighted one)
    /// - `rtol`, `atol`: tolerated error of a step (default 1e-5 both)
    /// - `seed`: seed of directions and draws (default 0)
    ///
    /// # Returns
    /// A `LogDensity`: `l.values` and `l.errors`, tensors [count] in nats; the errors are standard errors by random
    /// directions or draws; and `l.nfe`.
    ///
    /// # Errors
    /// When the process is not linear, an auxiliary starts at a fixed value, `x` has another shape than the score's data, or
    /// an option is out of range.
    ///
    /// # Source
    /// Song et al., arXiv 2011.13456; Dockhorn, Vahdat, Kreis, arXiv 2112.07068 (`"mean"`); Burda, Grosse, Salakhutdinov,
    /// arXiv 1509.00519 (`"weighted"`).
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::mixture(#{ means: [[0, 0]], std: 1 });
    /// let l = log_likelihood(score::exact(process::passive(), d), [[0.0, 0.0]]);
    /// assert(abs(l.values[0] + ln(2 * PI)) < 1e-3);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn log_likelihood(ctx: NativeCallContext, score: Score, x: Dynamic, options: Map) -> Outcome<LogDensity> {
        let mut options = Options::new(&ctx, options);
        let probes = options.count("probes")?;
        let hutchinson = Some(Divergence::Hutchinson { probes: probes.unwrap_or(8) });
        let by_default = if probes.is_some() { hutchinson } else { None };
        let choices = [("", by_default), ("exact", Some(Divergence::Exact)), ("hutchinson", hutchinson)];
        let default = Likelihood::default();
        let request = Likelihood {
            divergence: options.choice("divergence", &choices)?,
            draws: options.count_or("auxiliary_draws", default.draws)?,
            bound: options
                .choice("bound", &[("", None), ("weighted", Some(Bound::Weighted)), ("mean", Some(Bound::Mean))])?,
            relative: options.positive_or("rtol", default.relative)?,
            absolute: options.positive_or("atol", default.absolute)?,
            seed: options.seed_or(default.seed)?,
        };
        options.finish()?;
        if let Some(state) = x.read_lock::<State>() {
            return sample::log_density(score.score(), &state, &request, &task(&ctx)).raise(&ctx);
        }
        let x = tensor_argument(&ctx, "x", &x)?;
        sample::log_likelihood(score.score(), &x, &request, &task(&ctx)).raise(&ctx)
    }

    #[rhai_fn(name = "log_likelihood", return_raw)]
    pub fn log_likelihood_by_default(ctx: NativeCallContext, score: Score, x: Dynamic) -> Outcome<LogDensity> {
        log_likelihood(ctx, score, x, Map::new())
    }

    /// Log densities in nats, tensor [count].
    #[rhai_fn(get = "values", pure)]
    pub fn values(density: &mut LogDensity) -> Tensor {
        density.values.clone()
    }

    /// Standard errors of the log densities in nats, tensor [count]; 0 where nothing is random.
    #[rhai_fn(get = "errors", pure)]
    pub fn errors(density: &mut LogDensity) -> Tensor {
        density.errors.clone()
    }

    /// Evaluations of the score per sample and draw that a likelihood took.
    #[rhai_fn(get = "nfe", pure)]
    pub fn density_evaluations(density: &mut LogDensity) -> i64 {
        density.evaluations as i64
    }

    #[rhai_fn(name = "to_string", name = "to_debug", pure)]
    pub fn density_to_string(density: &mut LogDensity) -> String {
        density.to_string()
    }

    /// Runs the forward process from data, step by step.
    ///
    /// Where there is a kernel, `perturb` gives the same law in one step and without the error of the steps.
    ///
    /// # Shapes
    /// x0 [count, shape...] (or [count], read as [count, 1]) -> every block [count, shape...]
    ///
    /// # Options
    /// - `steps`: number of equal Euler–Maruyama steps (default 500)
    /// - `end`: time at which to stop (default the horizon)
    /// - `keep`: times to keep, e.g. `[0, 0.5]`, or `"all"`: see `s.path("x")` and `s.times`
    /// - `seed`: whole number (default 0)
    ///
    /// # Returns
    /// A `State` at that time; `s.warnings` says if the steps are too long for the process.
    ///
    /// # Errors
    /// When `x0` is empty or not finite, an option is out of range, or the samples run away.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::diamond(#{ spacing: 0.5, std: 0.04 });
    /// let s = simulate(process::active(), d.sample(1000, 1), #{ steps: 100, seed: 3, keep: [0, 1] });
    /// assert(s.x.shape == [1000, 2] && s.times == [0, 1]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn simulate(ctx: NativeCallContext, process: Process, x0: Dynamic, options: Map) -> Outcome<State> {
        let x0 = tensor_argument(&ctx, "x0", &x0)?;
        let mut options = Options::new(&ctx, options);
        let request = Forward {
            steps: options.count_or("steps", 500)?,
            end: options.number("end")?,
            keep: keep(&mut options)?,
            seed: options.seed_or(0)?,
        };
        options.finish()?;
        sample::simulate(&process, &x0, &request, &task(&ctx)).raise(&ctx)
    }

    #[rhai_fn(name = "simulate", return_raw)]
    pub fn simulate_by_default(ctx: NativeCallContext, process: Process, x0: Dynamic) -> Outcome<State> {
        simulate(ctx, process, x0, Map::new())
    }

    /// Noises data up to time `t` in one step, by the perturbation kernel.
    ///
    /// # Shapes
    /// x0 [count, shape...] (or [count], read as [count, 1]) -> every block [count, shape...]
    ///
    /// # Options
    /// - `t`: time, 0 or above
    /// - `seed`: whole number
    ///
    /// # Returns
    /// A `State` at time `t`.
    ///
    /// # Errors
    /// When `x0` is empty or not finite, or `t` negative.
    ///
    /// # Example
    /// ```rhai
    /// let x0 = dataset::diamond(#{ spacing: 0.5, std: 0.04 }).sample(100, 1);
    /// let s = perturb(process::active(), x0, 0.5, 7);
    /// assert(s.blocks == ["x", "eta"] && s.eta.shape == [100, 2]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn perturb(ctx: NativeCallContext, process: Process, x0: Dynamic, t: Dynamic, seed: Dynamic) -> Outcome<State> {
        let x0 = tensor_argument(&ctx, "x0", &x0)?;
        let time = number_argument(&ctx, "t", &t)?;
        let seed = seed_argument(&ctx, "seed", &seed)?;
        sample::perturb(&process, &x0, time, seed, &task(&ctx)).raise(&ctx)
    }

    #[rhai_fn(index_get, return_raw)]
    pub fn block(ctx: NativeCallContext, state: &mut State, name: &str) -> Outcome<Tensor> {
        state.block(name).cloned().raise(&ctx)
    }

    // Rhai also calls it after `s.x.save(..)` and `s.x[0] = 1`, with the block that was worked on, and after
    // `s.times.len()`, with a property that nothing can have changed.
    #[rhai_fn(index_set, return_raw)]
    pub fn set_block(ctx: NativeCallContext, state: &mut State, name: &str, values: Dynamic) -> Outcome<()> {
        let unchanged = match name {
            "blocks" => Some(blocks(state)),
            "times" => Some(times(state)),
            "warnings" => Some(warnings(state)),
            _ => None,
        };
        if unchanged.is_some_and(|own| Dynamic::from_array(own).to_string() == values.to_string()) {
            return Ok(());
        }
        let values = tensor_argument(&ctx, name, &values)?;
        state.set_block(name, values).raise(&ctx)
    }

    /// Names of the blocks of a state; each is a property of its own, a tensor: `s.x`, `s.eta`.
    #[rhai_fn(get = "blocks", pure)]
    pub fn blocks(state: &mut State) -> Array {
        state.names.iter().map(|name| name.clone().into()).collect()
    }

    /// Evaluations of the score per sample that it took, of adaptive steps the most that any took; 0 for states of the
    /// forward process.
    #[rhai_fn(get = "nfe", pure)]
    pub fn evaluations(state: &mut State) -> i64 {
        state.evaluations() as i64
    }

    /// Steps of an adaptive method that were tried and rejected, over all samples.
    #[rhai_fn(get = "rejected", pure)]
    pub fn rejected(state: &mut State) -> i64 {
        state.run.as_ref().map_or(0, |run| run.rejected as i64)
    }

    /// The time of the forward process at which the states are.
    #[rhai_fn(get = "time", pure)]
    pub fn time(state: &mut State) -> f64 {
        state.time
    }

    /// The times that were kept, in the order in which the samples passed them.
    #[rhai_fn(get = "times", pure)]
    pub fn times(state: &mut State) -> Array {
        state.times.iter().map(|&time| time.into()).collect()
    }

    /// What should be known before the states are trusted, e.g. that steps were too long.
    #[rhai_fn(get = "warnings", pure)]
    pub fn warnings(state: &mut State) -> Array {
        state.warnings.iter().map(|warning| warning.clone().into()).collect()
    }

    /// A block of a state at the times that were kept.
    ///
    /// # Returns
    /// A tensor [times, count, shape...]; the times are `s.times`.
    ///
    /// # Errors
    /// When there is no such block, or no times were kept.
    ///
    /// # Example
    /// ```rhai
    /// let s = simulate(process::passive(), [[0.0], [1.0]], #{ steps: 10, keep: "all" });
    /// assert(s.path("x").shape == [11, 2, 1] && s.times.len() == 11);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn path(ctx: NativeCallContext, state: &mut State, name: &str) -> Outcome<Tensor> {
        state.path(name).cloned().raise(&ctx)
    }

    /// The same state with the samples of one block in a random order: what the other blocks know of it is gone.
    ///
    /// # Options
    /// - `name`: the block
    /// - `seed`: whole number
    ///
    /// # Errors
    /// When there is no such block.
    ///
    /// # Example
    /// ```rhai
    /// let s = perturb(process::active(), [[0.0], [1.0], [2.0]], 0.5, 7);
    /// let t = s.shuffle("eta", 1);
    /// assert(t.x == s.x && t.eta.shape == [3, 1]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn shuffle(ctx: NativeCallContext, state: &mut State, name: &str, seed: Dynamic) -> Outcome<State> {
        let seed = seed_argument(&ctx, "seed", &seed)?;
        state.shuffle(name, seed).raise(&ctx)
    }
}

/// The options that `sample` and `reverse` have in common.
pub(super) fn reverse_options(options: &mut Options) -> Outcome<sample::Options> {
    // Only what the method and the grid have is taken, so that the rest is refused by name.
    let names = ["em", "heun", "rk45", "splitting", "exponential", "pc"].map(|name| (name, name));
    let method = match options.choice("method", &names)? {
        "heun" => Method::Heun,
        "rk45" => Method::RungeKutta {
            relative: options.positive_or("rtol", 1e-5)?,
            absolute: options.positive_or("atol", 1e-5)?,
        },
        "splitting" => {
            let references = [("data", Reference::Data), ("stationary", Reference::Stationary)];
            Method::Splitting { reference: options.choice("reference", &references)? }
        }
        "exponential" => Method::Exponential { order: options.count_or("order", 3)? },
        "pc" => Method::PredictorCorrector {
            corrections: options.count_or("corrector_steps", 1)?,
            ratio: options.positive_or("snr", 0.16)?,
        },
        _ => Method::EulerMaruyama,
    };
    let grids = ["uniform", "quadratic", "log", "rho"].map(|name| (name, name));
    let grid = match options.choice("grid", &grids)? {
        "quadratic" => Grid::Quadratic,
        "log" => Grid::Log,
        "rho" => Grid::Rho(options.positive_or("rho", 7.0)?),
        _ => Grid::Uniform,
    };
    Ok(sample::Options {
        method,
        steps: options.count_or("steps", 200)?,
        grid,
        end: options.number_or("end", 0.0)?,
        last: options.choice("last", &[("none", LastStep::None), ("denoise", LastStep::Denoise)])?,
        keep: keep(options)?,
        seed: options.seed_or(0)?,
    })
}

fn keep(options: &mut Options) -> Outcome<Keep> {
    let Some(value) = options.take("keep") else { return Ok(Keep::End) };
    let times = || value.read_lock::<Array>().and_then(|times| times.iter().map(number).collect());
    match (value.read_lock::<rhai::ImmutableString>().as_deref().map(|text| text.as_str()), times()) {
        (Some("all"), _) => Ok(Keep::All),
        (_, Some(times)) => Ok(Keep::Times(times)),
        _ => options.refuse("keep", "an array of times, or \"all\"", &value),
    }
}
