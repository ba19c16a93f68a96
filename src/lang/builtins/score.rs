//! Scores, as scripts hold them.

use std::path::Path;
use std::sync::Arc;

use rhai::plugin::*;
use rhai::{Dynamic, Engine, FnPtr, Map, Module};

use crate::data::Dataset;
use crate::error::Error;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Given, Table, Tables, kind, read};
use crate::lang::surroundings::{host, task};
use crate::lang::tracing::call;
use crate::lang::types;
use crate::nn::graph::{Answer, Shows};
use crate::nn::{Activation, Graph, Mlp, Network};
use crate::process::{Class, Process};
use crate::score::{self, Basis, Exact, KernelBasis, Learned, SimulatedBasis, Simulation, Subject};
use crate::settings::{Choice, Setting, words};
use crate::task::Task;

/// Registers the type and its methods.
pub(super) fn install(engine: &mut Engine) {
    types::register::<Score>(engine, "Score", "a score is made for its process: score::exact(p, d), score::mlp(p, d)");
    engine.register_fn("to_string", |score: &mut Score| score.to_string());
    engine.register_fn("to_debug", |score: &mut Score| score.to_string());
    engine.register_global_module(rhai::exported_module!(methods).into());
}

/// The functions of the module; the standard library adds networks written in the language.
pub(in crate::lang) fn module(tables: &mut Tables) -> Module {
    let options: &[(&'static str, Table)] =
        &[("mlp", &[MLP, LEARNED, Simulation::SETTINGS]), ("network", &[LEARNED, Simulation::SETTINGS])];
    tables.module("score", rhai::exported_manifest!(functions), options)
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

    /// The score itself, for programs that embed the language.
    pub(in crate::lang) fn into_shared(self) -> Arc<dyn score::Score> {
        match self {
            Self::Exact(exact) => exact,
            Self::Learned(learned) => Arc::new(learned),
        }
    }

    /// With its network, if it has one.
    pub(in crate::lang) fn into_learned(self) -> Option<Learned> {
        match self {
            Self::Exact(_) => None,
            Self::Learned(learned) => Some(learned),
        }
    }
}

impl std::fmt::Display for Score {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (process, shape) = (self.score().process().name(), self.score().shape());
        match self {
            Self::Exact(_) => write!(f, "exact score of the process {process} for data of shape {shape:?}"),
            Self::Learned(learned) => {
                write!(f, "learned score of the process {process} for data of shape {shape:?}: {learned}")?;
                learned.network().table().iter().try_for_each(|line| write!(f, "\n  {}", line.trim_end()))
            }
        }
    }
}

/// How what a network answers becomes a score, as options say it.
struct Learning {
    seed: u64,
    /// Where it is learned from simulated paths.
    simulation: Option<Simulation>,
}

impl Learning {
    fn read(ctx: &NativeCallContext, process: &Process, given: &Given) -> Outcome<Self> {
        let seed = given.natural("seed");
        let is_simulated = given.flag_if_given("simulated").unwrap_or(process.class() == Class::Nonlinear);
        let simulation = Simulation { seed, ..Simulation::read(given) };
        let superfluous = Simulation::SETTINGS.iter().find(|setting| given.is_given(setting.name));
        if let Some(setting) = superfluous.filter(|_| !is_simulated) {
            return Err(only_simulated(setting.name)).raise(ctx);
        }
        Ok(Self { seed, simulation: is_simulated.then_some(simulation) })
    }

    /// The untrained score with the network that `make` makes for it, which has the `view` of process and data.
    fn score(
        self,
        ctx: &NativeCallContext,
        process: &Process,
        data: &Dataset,
        view: fn(Subject) -> Subject,
        make: impl FnOnce(&Subject) -> Outcome<Arc<dyn Network>>,
    ) -> Outcome<Score> {
        let task = task(ctx);
        let basis: Box<dyn Basis> = match self.simulation {
            None => {
                Box::new(Subject::of(process, data).and_then(|subject| KernelBasis::new(view(subject))).raise(ctx)?)
            }
            Some(simulation) => Box::new(SimulatedBasis::new(process, data, &simulation, &task).raise(ctx)?),
        };
        if let Some(warning) = score::unlike_angles(process, data.moments()) {
            task.warn(&warning);
        }
        let network = make(basis.subject())?;
        let score = Learned::new(basis, network, self.seed, task.host()).map(Score::Learned);
        score.and_then(|score| warned(score, &task)).raise(ctx)
    }
}

/// The score, after a warning where its process does not fit its data.
fn warned(score: Score, task: &Task) -> Result<Score, Error> {
    score::warnings(score.score())?.iter().for_each(|warning| task.warn(warning));
    Ok(score)
}

const MLP: &[Setting] = &[
    Setting::counts("hidden", "widths of the hidden layers").or_numbers(&[128.0, 128.0, 128.0, 128.0]),
    Setting::choice("activation", "what a hidden layer does to its sums", &words(ACTIVATIONS)),
];

const LEARNED: &[Setting] = &[
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
        if let Some(warning) = score::unlike_angles(&process, data.moments()) {
            task.warn(&warning);
        }
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
        let (hidden, activation, learning) = read(&ctx, options, &[MLP, LEARNED, Simulation::SETTINGS], |given| {
            let activation = given.chosen("activation", ACTIVATIONS);
            Ok((given.counts("hidden"), activation, Learning::read(&ctx, &process, given)?))
        })?;
        learning.score(
            &ctx,
            &process,
            &data,
            |subject| subject,
            |subject| {
                let network = Mlp::new(subject.inputs(), &hidden, subject.outputs(), activation).raise(&ctx)?;
                Ok(Arc::new(network))
            },
        )
    }

    /// A score to be learned by a network that a closure describes.
    ///
    /// The closure runs once, on symbols; what it returns is a graph of layers, which compiled code runs. Loops,
    /// functions and options of the script are free. What the network is shown and what its answer means are as for
    /// `mlp`: `z`, the state normalised to unit variance, and `t`, what stands for the time. Data with two axes are
    /// images, [height, width], with three [channels, height, width]: then `z` has the shape [channels, height, width],
    /// the channels of the first block before those of the second. Else it is a vector, one block behind the other.
    ///
    /// # Arguments
    /// - `process`: the process
    /// - `data`: the data
    /// - `describe`: closure `|z, t, c|` that returns `layer::answer(..)`; `c`, the class where data have labels, may
    /// be   left out
    ///
    /// # Returns
    /// A `Score` that `train` changes in place; `print` shows its layers.
    ///
    /// # Errors
    /// When the closure returns something else or does not use `z`; when shapes do not fit, where they do not; and as
    /// `mlp`.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::diamond();
    /// let m = score::network(process::active(), d, |z, t| {
    ///     let e = layer::silu(layer::dense(layer::embed(t, 16), 32));
    ///     let h = layer::dense(z, 32) + layer::dense(e, 32);
    ///     for i in 0..2 { h += layer::dense(layer::silu(h), 32); }
    ///     layer::answer(layer::silu(h))
    /// }, #{ seed: 1 });
    /// train(m, d, #{ steps: 50, batch: 64 });
    /// assert(m.steps == 50);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn network(
        ctx: NativeCallContext,
        process: Process,
        data: Dataset,
        describe: FnPtr,
        options: Map,
    ) -> Outcome<Score> {
        let tables: &[&'static [Setting]] = &[LEARNED, Simulation::SETTINGS];
        let learning = read(&ctx, options, tables, |given| Learning::read(&ctx, &process, given))?;
        learning.score(&ctx, &process, &data, Subject::as_images, |subject| {
            let (shown, wanted) = subject.views();
            let shows = Shows::new(shown, subject.classes().len()).raise(&ctx)?;
            let class = shows.class.clone().map_or(Dynamic::UNIT, Dynamic::from);
            let (state, time) = (Dynamic::from(shows.state.clone()), Dynamic::from(shows.time.clone()));
            let arguments = [("z", state), ("t", time), ("c", class)];
            let answer = call(&ctx, "describe", &describe, &arguments)?;
            let Some(answer) = answer.read_lock::<Answer>().map(|answer| answer.clone()) else {
                let problem = format!("must return layer::answer(..), got {}", kind(&ctx, &answer));
                let hint = "write |z, t| { let h = layer::silu(layer::dense(layer::concatenate([z, t]), 64)); layer::answer(h) }";
                return Err(Error::argument("describe", problem).with_hint(hint)).raise(&ctx);
            };
            let graph = answer.of(wanted).and_then(|answer| Graph::new(&shows, &answer, wanted.size()));
            let graph = graph.raise(&ctx)?;
            Ok(match graph.perceptron() {
                Some(perceptron) => Arc::new(perceptron),
                None => Arc::new(graph),
            })
        })
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

fn only_simulated(option: &str) -> Error {
    Error::argument(option, "belongs to scores that learn from simulated paths; this one has a kernel")
        .with_hint("add simulated: true")
}
