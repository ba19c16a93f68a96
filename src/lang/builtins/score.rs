//! Scores, as scripts hold them.

use std::path::Path;
use std::sync::Arc;

use rhai::plugin::*;
use rhai::{Dynamic, Engine, Map};

use crate::data::Dataset;
use crate::error::Error;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Tables, number_argument, read};
use crate::lang::surroundings::{host, task};
use crate::lang::tensors::tensor_argument;
use crate::nn::{Activation, Mlp};
use crate::process::{Class, Process};
use crate::sample::{self, State};
use crate::score::{self, Basis, Exact, KernelBasis, Learned, SimulatedBasis, Simulation, Subject};
use crate::settings::{Choice, Setting, words};
use crate::task::Task;
use crate::tensor::Tensor;

/// Registers the type and the functions.
pub(super) fn install(engine: &mut Engine, tables: &mut Tables) {
    engine.register_type_with_name::<Score>("Score");
    engine.register_fn("to_string", |score: &mut Score| score.to_string());
    engine.register_fn("to_debug", |score: &mut Score| score.to_string());
    let functions =
        tables.module("score", rhai::exported_manifest!(functions), &[("mlp", &[MLP, Simulation::SETTINGS])]);
    engine.register_static_module("score", functions.into());
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
                write!(f, "learned score of the process {process} for data of shape {shape:?}: {learned}")
            }
        }
    }
}

/// An untrained perceptron on `basis`.
fn perceptron(
    basis: impl Basis,
    hidden: &[usize],
    activation: Activation,
    seed: u64,
    task: &Task,
) -> Result<Score, Error> {
    let network = Mlp::new(basis.subject().inputs(), hidden, basis.subject().outputs(), activation)?;
    Learned::new(Box::new(basis), Arc::new(network), seed, task.host()).map(Score::Learned)
}

/// The score, after a warning where its process does not fit its data.
fn warned(score: Score, task: &Task) -> Result<Score, Error> {
    score::warnings(score.score())?.iter().for_each(|warning| task.warn(warning));
    Ok(score)
}

const MLP: &[Setting] = &[
    Setting::counts("hidden", "widths of the hidden layers").or_numbers(&[128.0, 128.0, 128.0, 128.0]),
    Setting::choice("activation", "what a hidden layer does to its sums", &words(ACTIVATIONS)),
    Setting::seed("seed of the first weights, and of the simulated paths"),
    Setting::flag("simulated", "true to learn from simulated paths although there is a kernel")
        .or_else("only where there is none"),
];

const ACTIVATIONS: &[(Choice, Activation); 3] = &[
    (Choice::new("silu", "z/(1 + exp(-z))"), Activation::Silu),
    (Choice::new("tanh", "tanh z"), Activation::Tanh),
    (Choice::new("relu", "max(z, 0)"), Activation::Relu),
];

#[export_module(manifest)]
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
        let task = task(&ctx);
        Exact::new(&process, &data).and_then(|exact| warned(Score::Exact(Arc::new(exact)), &task)).raise(&ctx)
    }

    /// A score to be learned by a multilayer perceptron.
    ///
    /// The network adds to the exact score of Gaussian data with the data's mean and variance (the *mixed score*), in
    /// units of the noise's own standard deviation: untrained, it *is* that Gaussian score. It is shown the state,
    /// normalised to unit variance at each time, and the logarithm of the time.
    ///
    /// Without a kernel the known part is fitted to simulated paths. Of the score beyond what these reach nothing is
    /// known, so samplers hold every component inside their range, widened by 15 % of its width on either side.
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
        let (hidden, activation, seed, simulation) = read(&ctx, options, &[MLP, Simulation::SETTINGS], |given| {
            let seed = given.natural("seed");
            let is_simulated = given.flag_if_given("simulated").unwrap_or(process.class() == Class::Nonlinear);
            let simulation = Simulation { seed, ..Simulation::read(given) };
            let superfluous = Simulation::SETTINGS.iter().find(|setting| given.is_given(setting.name));
            if let Some(setting) = superfluous.filter(|_| !is_simulated) {
                return Err(only_simulated(setting.name)).raise(&ctx);
            }
            let activation = given.chosen("activation", ACTIVATIONS);
            Ok((given.counts("hidden"), activation, seed, is_simulated.then_some(simulation)))
        })?;
        let task = task(&ctx);
        match simulation {
            None => Subject::of(&process, &data)
                .and_then(KernelBasis::new)
                .and_then(|basis| perceptron(basis, &hidden, activation, seed, &task)),
            Some(simulation) => SimulatedBasis::new(&process, &data, &simulation, &task)
                .and_then(|basis| perceptron(basis, &hidden, activation, seed, &task)),
        }
        .and_then(|score| warned(score, &task))
        .raise(&ctx)
    }

    /// Reads a learned score that `save` wrote, with its process, and checks the process if one is given.
    ///
    /// # Arguments
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

    /// The score at given states: the gradient of log p_t by each driven block of the state.
    ///
    /// # Shapes
    /// x [count, shape...] (or [count], where a datum has one coordinate) -> each block the shape of `x`
    ///
    /// # Arguments
    /// - `x`: a tensor, where the state is the data alone; else all blocks, as a map or a `State`
    /// - `t`: time, above 0 and up to the horizon; a `State` knows its own, which is taken where none is given
    ///
    /// # Returns
    /// A map with a tensor for each block with noise of its own. Where noise reaches only some coordinates of a block,
    /// the others have NaN. For normalised data `x` and the gradients by it are in units of the data. Of a score that
    /// was learned from simulated paths nothing is known where none of them came; such states are warned of.
    ///
    /// # Errors
    /// When `t` is out of range, a block is missing or not one of the process, or the shapes differ from the data's.
    ///
    /// # Example
    /// ```rhai
    /// let m = score::exact(process::passive(), dataset::mixture(#{ means: [[0, 0]], std: 1 }));
    /// let x = tensor([[1, 2], [0.5, 0]]);
    /// assert(is_close(m.at(x, 0.3).x, -x, 1e-5));
    /// let p = process::active();
    /// let s = perturb(p, [[0.0, 0.0]], 0.5, 7);
    /// let m = score::exact(p, dataset::diamond());
    /// assert(m.at(s).keys() == ["eta"] && m.at(#{ x: s.x, eta: s.eta }, 0.5).eta == m.at(s).eta);
    /// ```
    #[rhai_fn(return_raw, pure)]
    pub fn at(ctx: NativeCallContext, score: &mut Score, x: Dynamic, t: Dynamic) -> Outcome<Map> {
        let given = Given::read(&ctx, score, &x, &t)?;
        let blocks = sample::score_at(score.score(), &given.states, given.time, &task(&ctx)).raise(&ctx)?;
        let entry = |(name, slopes): (String, Tensor)| {
            given.back(slopes).raise(&ctx).map(|slopes| (name.into(), Dynamic::from(slopes)))
        };
        blocks.into_iter().map(entry).collect()
    }

    #[rhai_fn(name = "at", return_raw, pure)]
    pub fn at_state(ctx: NativeCallContext, score: &mut Score, x: State) -> Outcome<Map> {
        let time = Dynamic::from_float(x.time);
        at(ctx, score, Dynamic::from(x), time)
    }

    /// The data expected at given states, E[x_0 | z_t]: the mean over all data that may have become them.
    ///
    /// It follows from the score without further calls ("Tweedie"): with z_t = K x_0 + c + noise of precision P, the
    /// score of the whole state is -P (z_t - c - K E[x_0 | z_t]). Where several blocks are driven and a learned score
    /// contradicts itself, the data are those of least squares in units of the noise.
    ///
    /// # Shapes
    /// x [count, shape...] (or [count], where a datum has one coordinate) -> the shape of `x`
    ///
    /// # Arguments
    /// - `x`: a tensor, where the state is the data alone; else all blocks, as a map or a `State`
    /// - `t`: time, above 0 and up to the horizon; a `State` knows its own, which is taken where none is given
    ///
    /// # Returns
    /// A tensor in units of the data.
    ///
    /// # Errors
    /// As `at`, and when the process is not linear.
    ///
    /// # Source
    /// Efron, J. Am. Stat. Assoc. 106, 1602 (2011); for the whole state of any linear process here.
    ///
    /// # Example
    /// ```rhai
    /// // At the time ln(2)/2 half of the variance is noise: dx = -x dt + sqrt(2) dW.
    /// let m = score::exact(process::vp(#{ beta: 2 }), dataset::mixture(#{ means: [[3]], std: 1 }));
    /// let x = tensor([2, 4]);
    /// assert(is_close(m.denoise(x, ln(2) / 2), 3 + sqrt(0.5) * (x - 3 * sqrt(0.5)), 1e-4));
    /// ```
    #[rhai_fn(return_raw, pure)]
    pub fn denoise(ctx: NativeCallContext, score: &mut Score, x: Dynamic, t: Dynamic) -> Outcome<Tensor> {
        let given = Given::read(&ctx, score, &x, &t)?;
        sample::denoise(score.score(), &given.states, given.time, &task(&ctx))
            .and_then(|data| given.back(data))
            .raise(&ctx)
    }

    #[rhai_fn(name = "denoise", return_raw, pure)]
    pub fn denoise_state(ctx: NativeCallContext, score: &mut Score, x: State) -> Outcome<Tensor> {
        let time = Dynamic::from_float(x.time);
        denoise(ctx, score, Dynamic::from(x), time)
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

/// States as a script gives them.
struct Given {
    states: State,
    time: f64,
    /// Whether data of one coordinate came as plain vectors; they go back as such.
    is_vector: bool,
}

impl Given {
    fn read(ctx: &NativeCallContext, score: &Score, x: &Dynamic, t: &Dynamic) -> Outcome<Self> {
        let time = number_argument(ctx, "t", t)?;
        if let Some(state) = x.read_lock::<State>() {
            return Ok(Self { states: state.clone(), time, is_vector: false });
        }
        let blocks = match x.read_lock::<Map>() {
            Some(map) => map
                .iter()
                .map(|(name, value)| Ok((name.to_string(), tensor_argument(ctx, name, value)?)))
                .collect::<Outcome<Vec<_>>>()?,
            None => vec![(score.score().process().blocks()[0].clone(), tensor_argument(ctx, "x", x)?)],
        };
        let is_vector = blocks.iter().all(|(_, tensor)| tensor.rank() == 1);
        Ok(Self { states: sample::states_of(score.score(), blocks, time).raise(ctx)?, time, is_vector })
    }

    fn back(&self, tensor: Tensor) -> Result<Tensor, Error> {
        if self.is_vector { tensor.reshape(&[-1]) } else { Ok(tensor) }
    }
}

fn only_simulated(option: &str) -> Error {
    Error::argument(option, "belongs to scores that learn from simulated paths; this one has a kernel")
        .with_hint("add simulated: true")
}
