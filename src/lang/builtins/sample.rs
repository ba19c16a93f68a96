//! Samplers: data from a score, states from data.

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, Map};

use super::score::Score;
use crate::lang::engine::task;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Options, number_argument, seed_argument};
use crate::lang::tensors::tensor_argument;
use crate::process::{PriorLaw, Process};
use crate::sample::{self, Grid, LastStep, State};
use crate::tensor::Tensor;

/// Registers the type and the functions.
pub(super) fn install(engine: &mut Engine) {
    engine.register_type_with_name::<State>("State");
    engine.register_fn("to_string", |state: &mut State| state.to_string());
    engine.register_fn("to_debug", |state: &mut State| state.to_string());
    engine.register_global_module(rhai::exported_module!(functions).into());
}

#[export_module]
mod functions {
    /// Samples from a score: draws from the prior and follows the reverse process to the data.
    ///
    /// The reverse process is `dz = (-f + D score) ds + G dW`; Euler–Maruyama asks for the score at the beginning of each
    /// step, never at t = 0.
    ///
    /// # Shapes
    /// Every block of the result is [count, shape...] with the shape of a datum.
    ///
    /// # Options
    /// - `count`: number of samples (default 1000)
    /// - `steps`: number of steps (default 200)
    /// - `method`: `"em"`, Euler–Maruyama
    /// - `grid`: `"uniform"` (default) or `"quadratic"`, equal steps in √t, which is finer towards the data
    /// - `end`: time at which to stop, from 0 (default) to below the horizon
    /// - `last`: `"none"` (default), or `"denoise"`: the last step adds no noise
    /// - `prior`: `"matched"` (default), the mean and covariance of the noised data at the horizon, or `"stationary"`
    /// - `seed`: whole number (default 0)
    ///
    /// # Returns
    /// A `State`: `s.x` and the other blocks by name as tensors, and `s.nfe`, the evaluations of the score per sample.
    /// The same seed gives the same bits on any number of threads.
    ///
    /// # Errors
    /// When an option is out of range, the prior does not exist, or the steps are so long that the samples run away.
    ///
    /// # Source
    /// Anderson, Stoch. Proc. Appl. 12, 313 (1982); Song et al., arXiv 2011.13456.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::diamond(#{ spacing: 0.5, std: 0.04 });
    /// let m = score::exact(process::active(#{ tau: 0.5 }), d);
    /// let s = sample(m, #{ count: 500, steps: 100, grid: "quadratic", seed: 2 });
    /// assert(s.eta.shape == [500, 2] && s.nfe == 100);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn sample(ctx: NativeCallContext, score: Score, options: Map) -> Outcome<State> {
        let mut options = Options::new(&ctx, options);
        options.choice("method", &[("em", ())])?;
        let request = sample::Options {
            count: options.count_or("count", 1000)?,
            steps: options.count_or("steps", 200)?,
            grid: options.choice("grid", &[("uniform", Grid::Uniform), ("quadratic", Grid::Quadratic)])?,
            end: options.number_or("end", 0.0)?,
            last: options.choice("last", &[("none", LastStep::None), ("denoise", LastStep::Denoise)])?,
            prior: options.choice("prior", &[("matched", PriorLaw::Matched), ("stationary", PriorLaw::Stationary)])?,
            seed: options.seed_or(0)?,
        };
        options.finish()?;
        sample::sample(score.score(), &request, &task(&ctx)).raise(&ctx)
    }

    #[rhai_fn(name = "sample", return_raw)]
    pub fn sample_by_default(ctx: NativeCallContext, score: Score) -> Outcome<State> {
        sample(ctx, score, Map::new())
    }

    /// Runs the forward process from data to the horizon, step by step.
    ///
    /// `perturb` gives the same law in one step and without the error of the steps; this is for looking at paths' ends,
    /// and for checking.
    ///
    /// # Shapes
    /// x0 [count, shape...] (or [count], read as [count, 1]) -> every block [count, shape...]
    ///
    /// # Options
    /// - `steps`: number of Euler–Maruyama steps (default 500)
    /// - `seed`: whole number (default 0)
    ///
    /// # Returns
    /// A `State` at the horizon.
    ///
    /// # Errors
    /// When `x0` is empty or not finite.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::diamond(#{ spacing: 0.5, std: 0.04 });
    /// let s = simulate(process::active(), d.sample(1000, 1), #{ steps: 100, seed: 3 });
    /// assert(s.x.shape == [1000, 2]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn simulate(ctx: NativeCallContext, process: Process, x0: Dynamic, options: Map) -> Outcome<State> {
        let x0 = tensor_argument(&ctx, "x0", &x0)?;
        let mut options = Options::new(&ctx, options);
        let steps = options.count_or("steps", 500)?;
        let seed = options.seed_or(0)?;
        options.finish()?;
        sample::simulate(&process, &x0, steps, seed, &task(&ctx)).raise(&ctx)
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

    // Rhai also calls it after `s.x.save(..)` and `s.x[0] = 1`, with the block that was worked on.
    #[rhai_fn(index_set, return_raw)]
    pub fn set_block(ctx: NativeCallContext, state: &mut State, name: &str, values: Dynamic) -> Outcome<()> {
        let values = tensor_argument(&ctx, name, &values)?;
        state.set_block(name, values).raise(&ctx)
    }

    /// Names of the blocks of a state; each is a property of its own, a tensor: `s.x`, `s.eta`.
    #[rhai_fn(get = "blocks", pure)]
    pub fn blocks(state: &mut State) -> Array {
        state.names.iter().map(|name| name.clone().into()).collect()
    }

    /// Evaluations of the score per sample that it took; 0 for states of the forward process.
    #[rhai_fn(get = "nfe", pure)]
    pub fn evaluations(state: &mut State) -> i64 {
        state.evaluations as i64
    }
}
