//! The learned score: a network on a basis.

use std::sync::{Arc, PoisonError, RwLock};

use rayon::prelude::*;

use super::basis::{Balancing, Basis, Rounded, Tile};
use super::{Coordinates, Evaluator, Prepared, Score};
use crate::data::{Moments, Units};
use crate::error::{Error, Result, suggestion};
use crate::host::Host;
use crate::nn::{Inference, Network, Shown, Weights};
use crate::process::{Prior, PriorLaw, Process};
use crate::task::Task;
use crate::vector::single;

/// A score with a network in it. Clones share the weights, so that training one trains all.
#[derive(Debug, Clone)]
pub struct Learned {
    inner: Arc<Inner>,
    condition: Option<Condition>,
}

/// The class whose data a score is of.
#[derive(Debug, Clone, Copy)]
struct Condition {
    class: usize,
    /// w in s + w (s_class − s): 1 for the score of the class, more to go further away from what all data are.
    guidance: f32,
}

#[derive(Debug)]
struct Inner {
    basis: Box<dyn Basis>,
    network: Arc<dyn Network>,
    weights: RwLock<Arc<Weights>>,
}

impl Learned {
    /// `network` on `basis` before training, which is the score that the basis knows.
    ///
    /// # Errors
    /// When the network is not for the numbers that the basis shows and asks for, or does not fit into the memory of
    /// `host`.
    pub fn new(basis: Box<dyn Basis>, network: Arc<dyn Network>, seed: u64, host: &Host) -> Result<Self> {
        Self::with_weights(basis, network, host, |network| Ok(Weights::new(network.initial(seed))))
    }

    /// As [`Learned::new`], with weights from elsewhere.
    pub(super) fn with_weights(
        basis: Box<dyn Basis>,
        network: Arc<dyn Network>,
        host: &Host,
        weights: impl FnOnce(&dyn Network) -> Result<Weights>,
    ) -> Result<Self> {
        let wanted = (basis.subject().inputs(), basis.subject().outputs());
        let given = (network.inputs(), network.outputs());
        if given != wanted {
            let problem = format!("takes and gives {given:?} numbers, the process with these data {wanted:?}");
            return Err(Error::argument("network", problem));
        }
        network.check_memory(host)?;
        let weights = RwLock::new(Arc::new(weights(network.as_ref())?));
        Ok(Self { inner: Arc::new(Inner { basis, network, weights }), condition: None })
    }

    /// The network.
    pub fn network(&self) -> &Arc<dyn Network> {
        &self.inner.network
    }

    /// What the network is shown and what its answer means.
    pub fn basis(&self) -> &dyn Basis {
        self.inner.basis.as_ref()
    }

    /// The weights at present; later training leaves them as they are.
    pub fn weights(&self) -> Arc<Weights> {
        // A thread that panicked while it held the lock has at worst not replaced the weights.
        self.inner.weights.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The score of the data of one class, by its name, for a network that is told classes. With a `guidance` w other
    /// than 1 it is s + w (s_class − s) of the score s without a class (Ho and Salimans, arXiv 2207.12598), which takes
    /// twice as long. It shares the weights.
    ///
    /// # Errors
    /// When the network is told no classes or there is none of that name, and when the guidance is not finite.
    pub fn given(&self, class: &str, guidance: f64) -> Result<Self> {
        if self.network().classes() == 0 {
            let problem = "has a network that is told no classes";
            let hint = "make it from data with labels, with classes: true or a closure |z, t, c| that uses `c`";
            return Err(Error::argument("score", problem).with_hint(hint));
        }
        if !guidance.is_finite() {
            return Err(Error::argument("guidance", format!("must be finite, got {guidance}")));
        }
        let classes = self.basis().subject().classes();
        let unknown = || {
            let words: Vec<_> = classes.iter().map(String::as_str).collect();
            Error::argument("class", format!("{class:?} is none")).with_hint(suggestion(class, &words, "write one of"))
        };
        let class = classes.iter().position(|known| known == class).ok_or_else(unknown)?;
        Ok(Self { condition: Some(Condition { class, guidance: single(guidance) }), ..self.clone() })
    }

    /// Replaces the weights in all clones.
    pub(crate) fn set_weights(&self, weights: Weights) {
        *self.inner.weights.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(weights);
    }
}

impl Learned {
    /// The guidance, where it is more than to be of a class.
    fn guidance(&self) -> Option<f32> {
        self.condition.map(|condition| condition.guidance).filter(|guidance| *guidance != 1.0)
    }
}

impl Score for Learned {
    fn process(&self) -> &Process {
        self.basis().subject().process()
    }

    fn shape(&self) -> &[usize] {
        self.basis().subject().shape()
    }

    fn moments(&self) -> &Moments {
        self.basis().subject().moments()
    }

    fn units(&self) -> Option<&Units> {
        self.basis().subject().units()
    }

    fn is_of_all(&self) -> bool {
        self.condition.is_none()
    }

    fn coordinates(&self) -> Coordinates {
        self.basis().coordinates()
    }

    fn usual_prior(&self) -> PriorLaw {
        self.basis().usual_prior()
    }

    fn prior(&self, law: PriorLaw) -> Result<Prior> {
        self.basis().prior(law)
    }

    fn walls(&self) -> Option<Vec<[f32; 2]>> {
        self.basis().walls()
    }

    fn prepare(&self, times: &[f64], task: &Task) -> Result<Box<dyn Prepared + '_>> {
        let frames = task.blocks(times.len(), |i| Ok(Rounded::new(&self.basis().at(times[i])?)))?;
        let inference = self.network().inference(&self.weights().average);
        Ok(Box::new(Fixed { model: self, inference, frames }))
    }
}

impl std::fmt::Display for Learned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, trained {} steps", self.network(), self.weights().steps)?;
        if let Some(Condition { class, guidance }) = self.condition {
            write!(f, "; of the class {:?}", self.basis().subject().classes()[class])?;
            if guidance != 1.0 {
                write!(f, " with guidance {guidance}")?
            }
        }
        match self.basis().note() {
            Some(note) => write!(f, "; {note}"),
            None => Ok(()),
        }
    }
}

/// A learned score with the weights that it had, prepared for some times.
struct Fixed<'a> {
    model: &'a Learned,
    inference: Box<dyn Inference>,
    frames: Vec<Rounded>,
}

impl Prepared for Fixed<'_> {
    fn evaluator(&self, width: usize) -> Box<dyn Evaluator + '_> {
        let subject = self.model.basis().subject();
        let tile = width.clamp(1, self.inference.tile());
        let lane = || Lane {
            space: vec![0.0; self.inference.space(tile)],
            input: vec![0.0; tile * subject.inputs()],
            output: vec![0.0; tile * subject.outputs()],
            without: vec![0.0; self.model.guidance().map_or(0, |_| tile * subject.outputs())],
        };
        let lanes = self.inference.lanes().min(width.div_ceil(tile)).max(1);
        Box::new(Worker {
            shared: self,
            copies: subject.copies(),
            lanes: (0..lanes).map(|_| lane()).collect(),
            tile,
            balancing: self.model.basis().balancing(width),
        })
    }
}

struct Worker<'a> {
    shared: &'a Fixed<'a>,
    copies: usize,
    /// One for each tile that is evaluated at the same time.
    lanes: Vec<Lane>,
    tile: usize,
    balancing: Option<Balancing<'a>>,
}

/// What evaluating a tile takes.
struct Lane {
    space: Vec<f32>,
    /// [m·copies, tile].
    input: Vec<f32>,
    /// [driven·copies, tile].
    output: Vec<f32>,
    /// The same without a class, where it is guided away from it.
    without: Vec<f32>,
}

impl Lane {
    /// Asks the network about the samples of `tile` among `state`.
    fn ask(&mut self, model: &Learned, inference: &dyn Inference, frame: &Rounded, tile: Tile, state: &[f32]) {
        let (inputs, outputs) = self.used(tile);
        let (input, output) = (&mut self.input[..inputs], &mut self.output[..outputs]);
        frame.normalise(tile, state, input);
        let class = model.condition.map(|condition| condition.class);
        let shown = Shown { count: tile.size, state: input, clock: frame.clock, class };
        inference.evaluate(shown, &mut self.space, output);
        if let Some(guidance) = model.guidance() {
            let without = &mut self.without[..outputs];
            inference.evaluate(Shown { class: None, ..shown }, &mut self.space, without);
            output
                .iter_mut()
                .zip(without)
                .for_each(|(out, without)| *out = guidance.mul_add(*out - *without, *without));
        }
    }

    /// Turns what the network was shown and what it answered into the score.
    fn combine(&self, frame: &Rounded, tile: Tile, score: &mut [f32]) {
        let (inputs, outputs) = self.used(tile);
        frame.combine(tile, &self.input[..inputs], &self.output[..outputs], score);
    }

    /// Numbers of input and output of a tile.
    fn used(&self, tile: Tile) -> (usize, usize) {
        (self.input.len() / tile.most * tile.size, self.output.len() / tile.most * tile.size)
    }
}

impl Evaluator for Worker<'_> {
    fn evaluate(&mut self, step: usize, count: usize, state: &[f32], score: &mut [f32]) {
        let Self { shared, copies, lanes, tile: most, balancing } = self;
        let (copies, most) = (*copies, *most);
        let Fixed { model, inference, frames } = shared;
        let frame = &frames[step];
        let tile = |first: usize| Tile { copies, count, first, size: most.min(count - first), most };
        for round in (0..count).step_by(most * lanes.len()) {
            let tiles = (round..count).step_by(most).map(tile);
            let ask = |(lane, tile): (&mut Lane, Tile)| lane.ask(model, inference.as_ref(), frame, tile, state);
            // The call of one lane alone goes without the pool.
            match lanes.len() {
                1 => lanes.iter_mut().zip(tiles.clone()).for_each(ask),
                _ => lanes.iter_mut().zip(tiles.clone()).collect::<Vec<_>>().into_par_iter().for_each(ask),
            }
            lanes.iter().zip(tiles).for_each(|(lane, tile)| lane.combine(frame, tile, score));
        }
        if let (Some(balancing), Some(balance)) = (balancing, frame.balance()) {
            balancing.add(balance, count, state, score);
        }
    }
}
