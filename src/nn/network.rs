//! What a network is to those who train, evaluate and store it.
//!
//! A [`Network`] describes itself; its parameters stand in a slice elsewhere. What passes read again and again is made
//! of them once, [`Training`] for a step of the optimiser and [`Inference`] for a trained network, and shared by
//! threads; working memory is a slice whose length these say, so that a pass allocates nothing and what it takes is
//! known before.

use std::fmt;
use std::ops::Range;

use candle_core::Tensor;
use serde_json::Value;

use crate::error::Result;
use crate::host::Host;
use crate::rng::Stream;
use crate::task::Team;

/// One tensor of parameters, and where it stands in the parameter vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its values, in row-major order.
    pub place: Range<usize>,
}

/// What a network is shown of some samples of one time, component-major.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// Number of samples.
    pub count: usize,
    /// Their states, [inputs, count].
    pub state: &'a [f32],
    /// What stands for the time.
    pub clock: f32,
    /// The class that they are of, where the network is told one.
    pub class: Option<usize>,
}

/// What a network is shown of some samples, each of a time of its own, and what it should answer; component-major.
#[derive(Debug, Clone, Copy)]
pub struct Samples<'a> {
    /// Number of samples.
    pub count: usize,
    /// Their states, [inputs, count].
    pub state: &'a [f32],
    /// What stands for the time of each, \[count\].
    pub clock: &'a [f32],
    /// 1 for the class of each, where it is told, and 0 for all else, [classes, count].
    pub class: &'a [f32],
    /// Wanted answers, [outputs, count].
    pub target: &'a [f32],
    /// Weight of each squared error, [outputs, count].
    pub weight: &'a [f32],
    /// Where what a network leaves out by chance is drawn; nothing is left out without.
    pub chance: Option<Chance>,
}

/// Random numbers of one chunk of the batch of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chance {
    /// Where they come from.
    pub stream: Stream,
    /// The step.
    pub step: u32,
    /// The chunk.
    pub chunk: u32,
}

impl Chance {
    /// Random numbers of their own for a part of a network.
    pub(super) fn part(self, number: usize) -> Self {
        Self { stream: self.stream.part(number as u32), ..self }
    }
}

/// A function of a noised state and a time with parameters to be learned.
pub trait Network: fmt::Debug + fmt::Display + Send + Sync {
    /// Its kind, as files name it.
    fn kind(&self) -> &'static str;

    /// Its layers as lines of a table, where their number and order are a script's.
    fn table(&self) -> Vec<String> {
        Vec::new()
    }

    /// What, besides its kind and the numbers of inputs and outputs, makes it again.
    fn description(&self) -> Value;

    /// Numbers that it is shown of a sample's state; the time is an input of its own.
    fn inputs(&self) -> usize;

    /// Numbers that it answers.
    fn outputs(&self) -> usize;

    /// Classes of data that it tells apart, if it does.
    fn classes(&self) -> usize {
        0
    }

    /// Whether it leaves out numbers by chance in training.
    fn has_chance(&self) -> bool {
        false
    }

    /// All parameters in the order of their names, which is the order of their places.
    fn named_parameters(&self) -> Vec<Parameter>;

    /// Number of parameters.
    fn parameters(&self) -> usize {
        self.named_parameters().last().map_or(0, |parameter| parameter.place.end)
    }

    /// First parameters, with which it answers zero.
    fn initial(&self, seed: u64) -> Vec<f32>;

    /// Refuses a network that does not fit into memory, before there are any parameters.
    ///
    /// # Errors
    /// When the parameters and all that training keeps of them need more memory than `host` has. Names the option that
    /// makes them so many.
    fn check_memory(&self, host: &Host) -> Result<()>;

    /// Bytes that training on batches of that many samples takes on so many threads.
    fn memory(&self, batch: usize, threads: usize) -> f64;

    /// Samples per chunk of a batch. Fixed, so that threads change no bit; few enough for what a pass keeps of a chunk
    /// to stay in the cache of a core, and enough for products of matrices to run at full speed.
    fn chunk(&self) -> usize;

    /// The network as it is trained on the processor.
    fn training(&self) -> Box<dyn Training>;

    /// The network with these parameters, as it is evaluated on the processor.
    fn inference(&self, parameters: &[f32]) -> Box<dyn Inference>;

    /// The same function as operations of Candle, which defines what all others compute: the answers [count, outputs]
    /// to what is shown, states [count, inputs], clocks [count, 1] and, where it tells any apart, classes
    /// [count, classes], with a tensor for each of the named parameters.
    ///
    /// # Errors
    /// When Candle fails.
    fn candle(&self, parameters: &[Tensor], shown: &[Tensor], chance: Option<Chance>) -> candle_core::Result<Tensor>;
}

/// A network in training: the parameters of a step, as the passes over the chunks of its batch read them.
pub trait Training: Send + Sync {
    /// Items that [`Training::update`] hands to its team.
    fn parts(&self) -> usize;

    /// Takes up the parameters of a step.
    ///
    /// # Errors
    /// When a device fails.
    fn update(&mut self, parameters: &[f32], team: &mut Team<'_>) -> Result<()>;

    /// Numbers of working memory that a pass over a chunk of that many samples needs.
    fn space(&self, count: usize) -> usize;

    /// Returns `scale` · Σ weight · (network(state, clock) − target)² and writes its gradient by the `parameters`,
    /// which are those of the last [`Training::update`], and to `errors` what each sample adds to it. `space` is
    /// working memory, of the length that [`Training::space`] says.
    ///
    /// # Errors
    /// When a device fails.
    fn pass(
        &self,
        parameters: &[f32],
        samples: Samples<'_>,
        scale: f32,
        space: &mut [f32],
        gradient: &mut [f32],
        errors: &mut [f64],
    ) -> Result<f64>;

    /// Whether its passes use threads of their own, which a waiting team would hinder.
    fn has_threads(&self) -> bool {
        false
    }
}

/// A network with fixed parameters, as its evaluation reads them.
pub trait Inference: Send + Sync {
    /// The most samples that should go through together: what they leave on the way stays in the cache of a core.
    fn tile(&self) -> usize;

    /// How many tiles may be evaluated at the same time: more than one where a tile is worth another thread.
    fn lanes(&self) -> usize {
        1
    }

    /// Numbers of working memory that evaluating up to that many samples needs.
    fn space(&self, count: usize) -> usize;

    /// Writes the answers, [outputs, count], to what is shown.
    fn evaluate(&self, shown: Shown<'_>, space: &mut [f32], output: &mut [f32]);

    /// Numbers of working memory that [`Inference::gradient`] for up to that many samples needs.
    fn gradient_space(&self, count: usize) -> usize;

    /// Writes the gradient by the states, [inputs, count], of the sum of all answers to what is shown times `weight`,
    /// [outputs, count].
    fn gradient(&self, shown: Shown<'_>, weight: &[f32], space: &mut [f32], gradient: &mut [f32]);
}
