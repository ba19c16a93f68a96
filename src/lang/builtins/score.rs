//! Scores, as scripts hold them.

use std::path::Path;
use std::sync::Arc;

use rhai::plugin::*;
use rhai::{Engine, Map};

use crate::data::Dataset;
use crate::error::Error;
use crate::lang::engine::{host, task};
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::Options;
use crate::nn::Activation;
use crate::process::{Class, Process};
use crate::score::{self, Exact, Learned, Parametrisation, Simulation};

/// Registers the type and the functions.
pub(super) fn install(engine: &mut Engine) {
    engine.register_type_with_name::<Score>("Score");
    engine.register_fn("to_string", |score: &mut Score| score.to_string());
    engine.register_fn("to_debug", |score: &mut Score| score.to_string());
    engine.register_static_module("score", rhai::exported_module!(functions).into());
    engine.register_global_module(rhai::exported_module!(methods).into());
}

/// A score of any kind; the script's type `Score`.
#[derive(Clone)]
pub(crate) enum Score {
    /// In closed form.
    Exact(Arc<Exact>),
    /// With a network, which `train` changes in place.
    Learned(Learned),
}

impl Score {
    /// The score itself.
    pub(crate) fn score(&self) -> &dyn score::Score {
        match self {
            Self::Exact(exact) => exact.as_ref(),
            Self::Learned(learned) => learned,
        }
    }
}

impl std::fmt::Display for Score {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (process, shape) = (self.score().process().name(), self.score().shape());
        match self {
            Self::Exact(_) => write!(f, "exact score of the process {process} for data of shape {shape:?}"),
            Self::Learned(learned) => {
                let (network, steps) = (learned.network(), learned.weights().steps);
                write!(f, "learned score of the process {process} for data of shape {shape:?}: ")?;
                write!(f, "{network}, trained {steps} steps")?;
                match learned.parametrisation() {
                    Parametrisation::Mixed(_) => Ok(()),
                    Parametrisation::Simulated(simulated) => write!(f, "; {simulated}"),
                }
            }
        }
    }
}

#[export_module]
mod functions {
    /// The score in closed form: of a Gaussian mixture exactly, of finite data as a mixture of points.
    ///
    /// Under a linear process every component of a mixture stays Gaussian, so the score is a softmax over components.
    /// The *empirical* score of finite data is exact for these data and nothing else: it samples the data again.
    ///
    /// # Shapes
    /// The data's: the score of every driven block has the shape of a datum.
    ///
    /// # Returns
    /// A `Score`, for `sample`.
    ///
    /// # Errors
    /// When the data are neither a mixture nor finite, or noise does not reach every block of the process.
    ///
    /// # Source
    /// Behera et al., arXiv 2411.07233, appendix.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::diamond(#{ spacing: 0.5, std: 0.04 });
    /// let s = sample(score::exact(process::active(), d), #{ count: 1000, steps: 100 });
    /// assert(s.x.shape == [1000, 2]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn exact(ctx: NativeCallContext, process: Process, data: Dataset) -> Outcome<Score> {
        Exact::new(&process, &data).map(|exact| Score::Exact(Arc::new(exact))).raise(&ctx)
    }

    /// A score to be learned by a multilayer perceptron.
    ///
    /// The network adds to the exact score of Gaussian data with the data's mean and variance (the *mixed score*), in
    /// units of the noise's own standard deviation: untrained, it *is* that Gaussian score. It is shown the state,
    /// normalised to unit variance at each time, and the logarithm of the time.
    ///
    /// # Options
    /// - `hidden`: widths of the hidden layers (default `[128, 128, 128, 128]`)
    /// - `activation`: `"silu"` (default), `"tanh"` or `"relu"`
    /// - `seed`: seed of the first weights, and of the simulated paths (default 0)
    /// - `simulated`: true to learn from simulated paths although there is a kernel (default: only where there is none)
    /// - `chain_steps`: steps of the simulated paths, equal in √t (default 500)
    /// - `window`: length in time of the windows over which simulated paths are linearised (default: half of the longest over
    ///   which the targets obey the identities of a score, found by simulation)
    ///
    /// # Returns
    /// A `Score` that `train` changes in place; all variables that hold it see the change.
    ///
    /// # Errors
    /// When noise does not reach every block of the process, or a width is out of range.
    ///
    /// # Source
    /// Mixed score: Dockhorn, Vahdat, Kreis, arXiv 2112.07068; for any linear process here.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::diamond();
    /// let m = score::mlp(process::active(), d, #{ hidden: [32, 32], seed: 1 });
    /// train(m, d, #{ steps: 50, batch: 64 });
    /// assert(m.steps == 50);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn mlp(ctx: NativeCallContext, process: Process, data: Dataset, options: Map) -> Outcome<Score> {
        let mut options = Options::new(&ctx, options);
        let hidden = options.counts("hidden")?.unwrap_or_else(|| vec![128; 4]);
        let activations = [("silu", Activation::Silu), ("tanh", Activation::Tanh), ("relu", Activation::Relu)];
        let activation = options.choice("activation", &activations)?;
        let seed = options.seed_or(0)?;
        let simulated = options.flag_or("simulated", process.class() == Class::Nonlinear)?;
        if !simulated {
            options.finish()?;
            let learned = Learned::mlp(&process, data.shape(), data.moments(), &hidden, activation, seed, &host(&ctx));
            return learned.map(Score::Learned).raise(&ctx);
        }
        let default = Simulation::default();
        let steps = options.count_or("chain_steps", default.steps)?;
        let simulation = Simulation { steps, window: options.positive("window")?, seed };
        options.finish()?;
        let task = task(&ctx);
        Learned::simulated(&process, &data, &simulation, &hidden, activation, seed, &task)
            .map(Score::Learned)
            .raise(&ctx)
    }

    #[rhai_fn(name = "mlp", return_raw)]
    pub fn mlp_of_defaults(ctx: NativeCallContext, process: Process, data: Dataset) -> Outcome<Score> {
        mlp(ctx, process, data, Map::new())
    }

    /// Reads a learned score that `save` wrote, with its process, and checks the process if one is given.
    ///
    /// # Options
    /// - `path`: the file
    /// - `process`: the process that the score must have been learned for
    ///
    /// # Returns
    /// A `Score`; training it goes on where it stopped.
    ///
    /// # Errors
    /// When the file is missing, damaged or not a saved score, and when its process is another one than `process`:
    /// names the parameter that differs.
    ///
    /// # Example
    /// ```rhai
    /// // let m = score::load("active.safetensors");
    /// assert_fails(|| score::load("no_such_file.safetensors"), "no such file");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn load(ctx: NativeCallContext, path: &str, process: Process) -> Outcome<Score> {
        Learned::load_for(Path::new(path), &process, &host(&ctx)).map(Score::Learned).raise(&ctx)
    }

    #[rhai_fn(name = "load", return_raw)]
    pub fn load_any(ctx: NativeCallContext, path: &str) -> Outcome<Score> {
        Learned::load(Path::new(path), &host(&ctx)).map(Score::Learned).raise(&ctx)
    }
}

#[export_module]
mod methods {
    /// Writes a learned score to a safetensors file: network, average weights, optimiser, process, moments of the data.
    ///
    /// # Errors
    /// When the folder does not exist, or the score is exact.
    ///
    /// # Example
    /// ```rhai
    /// let m = score::mlp(process::active(), dataset::diamond());
    /// // m.save("active.safetensors");
    /// assert_fails(|| m.save("no_such_folder/active.safetensors"), "does not exist");
    /// ```
    #[rhai_fn(return_raw, pure)]
    pub fn save(ctx: NativeCallContext, score: &mut Score, path: &str) -> Outcome<()> {
        match score {
            Score::Learned(learned) => learned.save(Path::new(path), &host(&ctx)),
            Score::Exact(_) => Err(Error::argument("score", "is exact: there is nothing to save")
                .with_hint("call score::exact again, it takes no time")),
        }
        .raise(&ctx)
    }

    /// The process of a score.
    #[rhai_fn(get = "process", pure)]
    pub fn process(score: &mut Score) -> Process {
        score.score().process().clone()
    }

    /// Steps that a learned score was trained for; 0 for an exact one.
    #[rhai_fn(get = "steps", pure)]
    pub fn steps(score: &mut Score) -> i64 {
        match score {
            Score::Exact(_) => 0,
            Score::Learned(learned) => learned.weights().steps as i64,
        }
    }
}
