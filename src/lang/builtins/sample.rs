//! Samplers: data from a score, states from data.

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, Map};

use super::score::Score;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Given, Table, Tables, natural_argument, number, number_argument, read};
use crate::lang::surroundings::task;
use crate::lang::tensors::tensor_argument;
use crate::lang::types;
use crate::process::Process;
use crate::sample::{self, FORWARD, FROM, Folder, Forward, KEEP, Keep, PARTS, REVERSE, SAMPLE, STEPS, State};
use crate::settings::Setting;
use crate::task::Device;
use crate::tensor::Tensor;

/// Registers the type and the functions.
pub(super) fn install(engine: &mut Engine, tables: &mut Tables) {
    engine.register_type_with_name::<State>("State");
    engine.register_fn("to_string", |state: &mut State| state.to_string());
    engine.register_fn("to_debug", |state: &mut State| state.to_string());
    let functions = tables.module("", rhai::exported_manifest!(functions), OPTIONS);
    engine.register_global_module(functions.into());
}

#[export_module(manifest)]
mod functions {
    /// Samples from a score: draws from the prior and follows the reverse process to the data.
    ///
    /// The reverse process is `dz = (-f + div D + D score) ds + G dW`, its probability flow
    /// `dz = (-f + div D / 2 + D score / 2) ds`. No method asks for the score at t = 0. By default a linear process is
    /// followed by 50 exponential steps, which are exact for Gaussian data, on the quadratic grid. With a score that
    /// learned from simulated paths, states are held within 15 % of the range of these paths beyond it.
    ///
    /// With `checkpoint: "runs/samples"` every 65,536 samples are written to that folder when they are complete. The
    /// same call with `resume: true` takes what is there, and goes on behind it with the bits of a run that was never
    /// stopped; it may ask for more samples. A part that is damaged is drawn again, with a warning.
    ///
    /// # Shapes
    /// Every block of the result is [count, shape...] with the shape of a datum.
    ///
    /// # Returns
    /// A `State`: `s.x` and the other blocks by name as tensors; `s.nfe`, the evaluations of the score per sample; and
    /// `s.warnings`, with numbers: that the process is too short for the data, the first noise too wide for their
    /// details, or the steps too long. The same seed gives the same bits on any number of threads; scores and methods
    /// that are compared under one seed get the same prior and, step by step, the same noise.
    ///
    /// # Errors
    /// When an option is out of range, the method cannot follow the process, the prior does not exist, or the steps are
    /// so long that the samples run away. When the folder cannot be written, has samples and `resume` is not asked for,
    /// or has those of another score or other options: names what differs.
    ///
    /// # Source
    /// Anderson, Stoch. Proc. Appl. 12, 313 (1982); Song et al., arXiv 2011.13456 (flow, `"pc"`); Karras et al.,
    /// arXiv 2206.00364 (`"heun"`, `"rho"`); Dockhorn, Vahdat, Kreis, arXiv 2112.07068 (`"splitting"`); Zhang and Chen,
    /// arXiv 2204.13902, and Zhang, Tao, Chen, arXiv 2206.05564 (`"exponential"`).
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::diamond(#{ spacing: 0.5, std: 0.04 });
    /// let m = score::exact(process::active(#{ tau: 0.5 }), d);
    /// let s = sample(m, #{ count: 500, steps: 100, method: "em", seed: 2 });
    /// assert(s.eta.shape == [500, 2] && s.nfe == 100);
    /// let s = sample(m, #{ count: 500, steps: 20, order: 2, method: "exponential", keep: [1, 0.5] });
    /// assert(s.path("x").shape == [2, 500, 2]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn sample(ctx: NativeCallContext, score: Score, options: Map) -> Outcome<State> {
        let tables: Table = &[SAMPLE, STEPS, REVERSE, KEEP, PARTS, DEVICE];
        let (count, law, request, folder, task) = read(&ctx, options, tables, |given| {
            let (folder, task) = (Folder::read(given).raise(&ctx)?, task(&ctx).on(Device::read(given)));
            Ok((given.count("count"), sample::prior(given), follow(given, score.score().process())?, folder, task))
        })?;
        let score = score.score();
        let law = law.unwrap_or(score.usual_prior());
        match folder {
            None => sample::sample(score, count, law, &request, &task),
            Some(folder) => sample::sample_in_parts(score, count, law, &request, &folder, &task),
        }
        .raise(&ctx)
    }

    /// Follows the reverse process from given states, e.g. noised data, to the data.
    ///
    /// # Shapes
    /// Every block of the state and of the result is [count, shape...] with the shape of a datum.
    ///
    /// # Returns
    /// A `State`, as `sample` does. The noise is a function of the seed and of the states and the time it begins from:
    /// the same call gives the same bits, and under one seed it is independent of the noise that made the states and of
    /// other legs of the way.
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
        let (from, request, task) = read(&ctx, options, &[FROM, STEPS, REVERSE, KEEP, DEVICE], |given| {
            let task = task(&ctx).on(Device::read(given));
            Ok((given.number_if_given("from"), follow(given, score.score().process())?, task))
        })?;
        sample::reverse(score.score(), &state, from, &request, &task).raise(&ctx)
    }

    /// Runs the forward process from data, step by step.
    ///
    /// Steps of a linear process are exact, whatever their length and however fast its coefficients change; `perturb`
    /// gives the law at one time in one step. Steps of other processes are Euler–Maruyama, with more than `steps` of
    /// them where coefficients change fast with the time. A score may stand for its process; then data that it has
    /// normalised are taken and given in their own units.
    ///
    /// # Shapes
    /// x0 [count, shape...] (or [count], read as [count, 1]) -> every block [count, shape...]
    ///
    /// # Returns
    /// A `State` at that time. The noise is a function of the seed and of `x0`: the same call gives the same bits, and
    /// a second leg, from the states that a first one reached, has noise of its own under the same seed.
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
        let request =
            read(&ctx, options, &[FORWARD, KEEP], |given| Ok(Forward { keep: keep(given)?, ..Forward::read(given) }))?;
        sample::simulate(&process, &x0, &request, &task(&ctx)).raise(&ctx)
    }

    /// Noises data up to time `t` in one step, by the perturbation kernel. A score may stand for its process; then data
    /// that it has normalised are taken and given in their own units.
    ///
    /// # Shapes
    /// x0 [count, shape...] (or [count], read as [count, 1]) -> every block [count, shape...]
    ///
    /// # Arguments
    /// - `t`: time, 0 or above
    /// - `seed`: whole number; 0 where it is left out
    ///
    /// # Returns
    /// A `State` at time `t`. The noise is a function of `seed`, `x0` and `t`: the same call gives the same bits, and
    /// states at two times are independent given `x0`. Processes that are compared under one seed get the same noise.
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
        let seed = natural_argument(&ctx, "seed", &seed)?;
        sample::perturb(&process, &x0, time, seed, &task(&ctx)).raise(&ctx)
    }

    #[rhai_fn(name = "perturb", return_raw)]
    pub fn perturb_without_seed(ctx: NativeCallContext, process: Process, x0: Dynamic, t: Dynamic) -> Outcome<State> {
        perturb(ctx, process, x0, t, Dynamic::ZERO)
    }

    #[rhai_fn(name = "perturb", return_raw)]
    pub fn perturb_for(ctx: NativeCallContext, score: Score, x0: Dynamic, t: Dynamic, seed: Dynamic) -> Outcome<State> {
        let x0 = tensor_argument(&ctx, "x0", &x0)?;
        let time = number_argument(&ctx, "t", &t)?;
        let seed = natural_argument(&ctx, "seed", &seed)?;
        sample::perturb_for(score.score(), &x0, time, seed, &task(&ctx)).raise(&ctx)
    }

    #[rhai_fn(name = "perturb", return_raw)]
    pub fn perturb_for_without_seed(ctx: NativeCallContext, score: Score, x0: Dynamic, t: Dynamic) -> Outcome<State> {
        perturb_for(ctx, score, x0, t, Dynamic::ZERO)
    }

    #[rhai_fn(name = "simulate", return_raw)]
    pub fn simulate_for(ctx: NativeCallContext, score: Score, x0: Dynamic, options: Map) -> Outcome<State> {
        let x0 = tensor_argument(&ctx, "x0", &x0)?;
        let request =
            read(&ctx, options, &[FORWARD, KEEP], |given| Ok(Forward { keep: keep(given)?, ..Forward::read(given) }))?;
        sample::simulate_for(score.score(), &x0, &request, &task(&ctx)).raise(&ctx)
    }

    #[rhai_fn(index_get, return_raw)]
    pub fn block(ctx: NativeCallContext, state: &mut State, name: &str) -> Outcome<Tensor> {
        state.block(name).cloned().raise(&ctx)
    }

    // Rhai also calls it after `s.x.save(..)` and `s.x[0] = 1`, with the block that was worked on.
    #[rhai_fn(index_set, return_raw)]
    pub fn set_block(ctx: NativeCallContext, state: &mut State, name: &str, values: Dynamic) -> Outcome<()> {
        if types::is_unchanged(&ctx, state, name, &values) {
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
    /// # Arguments
    /// - `name`: the block
    /// - `seed`: whole number, 0 where it is left out; blocks that differ have different orders under one seed
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
        let seed = natural_argument(&ctx, "seed", &seed)?;
        state.shuffle(name, seed).raise(&ctx)
    }

    #[rhai_fn(name = "shuffle", return_raw)]
    pub fn shuffle_without_seed(ctx: NativeCallContext, state: &mut State, name: &str) -> Outcome<State> {
        shuffle(ctx, state, name, Dynamic::ZERO)
    }
}

/// How to follow the reverse process, as `sample` and `reverse` are told.
fn follow(given: &Given, process: &Process) -> Outcome<sample::Options> {
    let usual = sample::Options::read(given, process);
    Ok(sample::Options { steps: given.count_if_given("steps").unwrap_or(usual.steps), keep: keep(given)?, ..usual })
}

fn keep(given: &Given) -> Outcome<Keep> {
    let read = |value: &Dynamic| match value.read_lock::<rhai::ImmutableString>().as_deref() {
        Some(text) => (text == "all").then_some(Keep::All),
        None => value.read_lock::<Array>()?.iter().map(number).collect::<Option<_>>().map(Keep::Times),
    };
    Ok(given.cast("keep", read)?.unwrap_or(Keep::End))
}

const DEVICE: &[Setting] = &[Device::SETTING];

/// The options of the functions of this file.
const OPTIONS: &[(&str, Table)] = &[
    ("sample", &[SAMPLE, STEPS, REVERSE, KEEP, PARTS, DEVICE]),
    ("reverse", &[FROM, STEPS, REVERSE, KEEP, DEVICE]),
    ("simulate", &[FORWARD, KEEP]),
];
