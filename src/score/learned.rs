//! The learned score: a network on a basis.

use std::sync::{Arc, PoisonError, RwLock};

use rayon::prelude::*;

use super::basis::{Balancing, Basis, Rounded, Tile};
use super::{Coordinates, Differentiator, Evaluator, Prepared, Score};
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
        let (told, known) = (network.classes(), basis.subject().classes().len());
        if told != 0 && told != known {
            return Err(Error::argument("network", format!("is told one of {told} classes, the data have {known}")));
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
    /// The class that the network is told.
    fn class(&self) -> Option<usize> {
        self.condition.map(|condition| condition.class)
    }

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

    fn has_density(&self) -> bool {
        self.moments().variances.iter().all(|variance| *variance > 0.0)
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

impl Fixed<'_> {
    /// Buffers for up to `width` samples, each lane's from `lane` for so many.
    fn worker(&self, width: usize, lane: impl Fn(usize) -> Lane) -> Worker<'_> {
        let tile = width.clamp(1, self.inference.tile());
        let lanes = self.inference.lanes().min(width.div_ceil(tile)).max(1);
        Worker {
            shared: self,
            copies: self.model.basis().subject().copies(),
            lanes: (0..lanes).map(|_| lane(tile)).collect(),
            tile,
            balancing: self.model.basis().balancing(width),
        }
    }

    /// Numbers that the network is shown of a tile, and those that it answers.
    fn sizes(&self, tile: usize) -> [usize; 2] {
        let subject = self.model.basis().subject();
        [subject.inputs(), subject.outputs()].map(|rows| rows * tile)
    }
}

impl Prepared for Fixed<'_> {
    fn evaluator(&self, width: usize) -> Box<dyn Evaluator + '_> {
        Box::new(self.worker(width, |tile| {
            let [input, output] = self.sizes(tile).map(|size| vec![0.0; size]);
            let without = self.model.guidance().map_or(Vec::new(), |_| output.clone());
            Lane { space: vec![0.0; self.inference.space(tile)], input, output, gradient: Vec::new(), without }
        }))
    }

    fn differentiator(&self, width: usize) -> Option<Box<dyn Differentiator + '_>> {
        if self.frames.iter().any(|frame| frame.balance().is_some() || frame.has_angles()) {
            return None;
        }
        Some(Box::new(self.worker(width, |tile| {
            let [input, output] = self.sizes(tile).map(|size| vec![0.0; size]);
            let (gradient, space) = (input.clone(), vec![0.0; self.inference.gradient_space(tile)]);
            let without = self.model.guidance().map_or(Vec::new(), |_| input.clone());
            Lane { space, input, output, gradient, without }
        })))
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

impl Worker<'_> {
    /// Calls `ask` with all tiles of `count` samples, those of a round at the same time, and then `combine` with each.
    fn rounds(&mut self, count: usize, ask: impl Fn(&mut Lane, Tile) + Sync, mut combine: impl FnMut(&Lane, Tile)) {
        let Self { copies, lanes, tile: most, .. } = self;
        let (copies, most) = (*copies, *most);
        let tile = |first: usize| Tile { copies, count, first, size: most.min(count - first), most };
        for round in (0..count).step_by(most * lanes.len()) {
            let tiles = (round..count).step_by(most).map(tile);
            let ask = |(lane, tile): (&mut Lane, Tile)| ask(lane, tile);
            // The call of one lane alone goes without the pool.
            match lanes.len() {
                1 => lanes.iter_mut().zip(tiles.clone()).for_each(ask),
                _ => lanes.iter_mut().zip(tiles.clone()).collect::<Vec<_>>().into_par_iter().for_each(ask),
            }
            lanes.iter().zip(tiles).for_each(|(lane, tile)| combine(lane, tile));
        }
    }
}

/// What evaluating a tile takes.
struct Lane {
    space: Vec<f32>,
    /// What the network is shown, [inputs, tile].
    input: Vec<f32>,
    /// The answers or their weights, [driven·copies, tile].
    output: Vec<f32>,
    /// The gradient by the input, where it is asked for.
    gradient: Vec<f32>,
    /// The answers, or the gradient, without a class, where it is guided away from it.
    without: Vec<f32>,
}

impl Lane {
    /// Asks the network about the samples of `tile` among `state`.
    fn ask(&mut self, model: &Learned, inference: &dyn Inference, frame: &Rounded, tile: Tile, state: &[f32]) {
        let (inputs, outputs) = self.used(tile);
        let (input, output) = (&mut self.input[..inputs], &mut self.output[..outputs]);
        frame.normalise(tile, state, input);
        let shown = Shown { count: tile.size, state: input, clock: frame.clock, class: model.class() };
        inference.evaluate(shown, &mut self.space, output);
        if let Some(guidance) = model.guidance() {
            let without = &mut self.without[..outputs];
            inference.evaluate(Shown { class: None, ..shown }, &mut self.space, without);
            guide(guidance, without, output);
        }
    }

    /// Turns what the network was shown and what it answered into the score.
    fn combine(&self, frame: &Rounded, tile: Tile, score: &mut [f32]) {
        let (inputs, outputs) = self.used(tile);
        frame.combine(tile, &self.input[..inputs], &self.output[..outputs], score);
    }

    /// Asks for the gradient of the answers that `weight` makes one number of.
    fn differentiate(
        &mut self,
        model: &Learned,
        inference: &dyn Inference,
        frame: &Rounded,
        tile: Tile,
        [state, weight]: [&[f32]; 2],
    ) {
        let (inputs, outputs) = self.used(tile);
        let (input, output) = (&mut self.input[..inputs], &mut self.output[..outputs]);
        let gradient = &mut self.gradient[..inputs];
        frame.normalise(tile, state, input);
        frame.weigh(tile, weight, output);
        let shown = Shown { count: tile.size, state: input, clock: frame.clock, class: model.class() };
        inference.gradient(shown, output, &mut self.space, gradient);
        if let Some(guidance) = model.guidance() {
            let without = &mut self.without[..inputs];
            inference.gradient(Shown { class: None, ..shown }, output, &mut self.space, without);
            guide(guidance, without, gradient);
        }
    }

    /// Numbers of input and output of a tile.
    fn used(&self, tile: Tile) -> (usize, usize) {
        (self.input.len() / tile.most * tile.size, self.output.len() / tile.most * tile.size)
    }
}

/// Makes s + w (s_class − s) of what is known with a class, in its place, and without.
fn guide(guidance: f32, without: &[f32], with: &mut [f32]) {
    with.iter_mut().zip(without).for_each(|(with, without)| *with = guidance.mul_add(*with - without, *without));
}

impl Evaluator for Worker<'_> {
    fn evaluate(&mut self, step: usize, count: usize, state: &[f32], score: &mut [f32]) {
        let Fixed { model, inference, frames } = self.shared;
        let frame = &frames[step];
        self.rounds(
            count,
            |lane, tile| lane.ask(model, inference.as_ref(), frame, tile, state),
            |lane, tile| lane.combine(frame, tile, score),
        );
        if let (Some(balancing), Some(balance)) = (&mut self.balancing, frame.balance()) {
            balancing.add(balance, count, state, score);
        }
    }
}

impl Differentiator for Worker<'_> {
    fn gradient(&mut self, step: usize, count: usize, state: &[f32], weight: &[f32], gradient: &mut [f32]) {
        let Fixed { model, inference, frames } = self.shared;
        let (frame, driven) = (&frames[step], model.basis().subject().process().driven());
        self.rounds(
            count,
            |lane, tile| lane.differentiate(model, inference.as_ref(), frame, tile, [state, weight]),
            |lane, tile| frame.gradient(tile, driven, weight, &lane.gradient[..lane.used(tile).0], gradient),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Covariance, Dataset, Mixture};
    use crate::nn::{Activation, Mlp};
    use crate::process::fixtures::Active;
    use crate::rng::{Purpose, Stream};
    use crate::score::{KernelBasis, Subject};

    fn normals(block: u32, count: usize) -> Vec<f32> {
        let mut values = vec![0.0; count];
        Stream::new(1, Purpose::Script).normals(0, block, &mut values);
        values
    }

    /// With one driven block and with two, beside differences of the score itself.
    #[test]
    fn gradients_are_those_of_the_score() {
        let covariance = Covariance::Full(vec![1.0, 0.5, 0.5, 0.6]);
        let data = Dataset::from_mixture("one", Mixture::new(vec![1.0], vec![0.3, 0.1], covariance).unwrap()).unwrap();
        for passive in [0.0, 0.3] {
            let process = Active { passive, ..Active::default() }.process();
            let basis = KernelBasis::new(Subject::of(&process, &data).unwrap()).unwrap();
            let rows = basis.subject().outputs();
            let network = Arc::new(Mlp::new(4, &[16, 16], rows, Activation::Silu).unwrap());
            let weights = |network: &dyn Network| Ok(Weights::new(normals(3, network.parameters())));
            let model = Learned::with_weights(Box::new(basis), network, &Host::default(), weights).unwrap();
            let prepared = model.prepare(&[0.5], &Task::default()).unwrap();
            let (count, step) = (300, 1e-2);
            let (state, weight) = (normals(4, 4 * count), normals(5, rows * count));
            let mut gradient = vec![f32::NAN; rows * count];
            prepared.differentiator(count).unwrap().gradient(0, count, &state, &weight, &mut gradient);
            let mut evaluator = prepared.evaluator(count);
            let mut sum = |row: usize, by: f32| -> Vec<f32> {
                let (mut state, mut score) = (state.clone(), vec![0.0; rows * count]);
                state[row * count..][..count].iter_mut().for_each(|z| *z += by);
                evaluator.evaluate(0, count, &state, &mut score);
                score.iter_mut().zip(&weight).for_each(|(s, w)| *s *= w);
                (0..count).map(|i| score[i..].iter().step_by(count).sum()).collect()
            };
            for (place, &block) in process.driven().iter().enumerate() {
                for copy in 0..2 {
                    let (right, left) = (sum(2 * block + copy, step), sum(2 * block + copy, -step));
                    for (i, found) in gradient[(2 * place + copy) * count..][..count].iter().enumerate() {
                        let expected = (right[i] - left[i]) / (2.0 * step);
                        let error = (found - expected).abs();
                        assert!(error < 0.02 * (1.0 + expected.abs()), "passive {passive}: {found} not {expected}");
                    }
                }
            }
        }
    }
}
