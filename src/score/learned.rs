//! The learned score: a network on a basis.

use std::sync::{Arc, PoisonError, RwLock};

use rayon::prelude::*;

use super::basis::{Balancing, Basis, Rounded, Tile};
use super::{Coordinates, Evaluator, Prepared, Score};
use crate::data::{Moments, Units};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::nn::{Inference, Network, Shown, Weights};
use crate::process::{Prior, PriorLaw, Process};
use crate::task::Task;

/// A score with a network in it. Clones share the weights, so that training one trains all.
#[derive(Debug, Clone)]
pub struct Learned(Arc<Inner>);

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
        Ok(Self(Arc::new(Inner { basis, network, weights })))
    }

    /// The network.
    pub fn network(&self) -> &Arc<dyn Network> {
        &self.0.network
    }

    /// What the network is shown and what its answer means.
    pub fn basis(&self) -> &dyn Basis {
        self.0.basis.as_ref()
    }

    /// The weights at present; later training leaves them as they are.
    pub fn weights(&self) -> Arc<Weights> {
        // A thread that panicked while it held the lock has at worst not replaced the weights.
        self.0.weights.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the weights in all clones.
    pub(crate) fn set_weights(&self, weights: Weights) {
        *self.0.weights.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(weights);
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
}

impl Lane {
    /// Asks the network about the samples of `tile` among `state`.
    fn ask(&mut self, inference: &dyn Inference, frame: &Rounded, tile: Tile, state: &[f32]) {
        let (inputs, outputs) = self.used(tile);
        let input = &mut self.input[..inputs];
        frame.normalise(tile, state, input);
        let shown = Shown { count: tile.size, state: input, clock: frame.clock };
        inference.evaluate(shown, &mut self.space, &mut self.output[..outputs]);
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
        let Fixed { inference, frames, .. } = shared;
        let frame = &frames[step];
        let tile = |first: usize| Tile { copies, count, first, size: most.min(count - first), most };
        for round in (0..count).step_by(most * lanes.len()) {
            let tiles = (round..count).step_by(most).map(tile);
            let ask = |(lane, tile): (&mut Lane, Tile)| lane.ask(inference.as_ref(), frame, tile, state);
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
