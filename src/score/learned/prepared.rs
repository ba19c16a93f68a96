//! A learned score at the times for which it was prepared: its network is asked about tiles of samples, several at the
//! same time.

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use crate::nn::{Inference, Shown};
use crate::score::basis::{Balancing, Basis, Rounded, Tile};
use crate::score::{Differentiator, Evaluator, Prepared};

/// A learned score with the weights that it had, prepared for some times.
pub(super) struct Fixed<'a> {
    pub(super) basis: &'a dyn Basis,
    /// The class that the network is told.
    pub(super) class: Option<usize>,
    /// The guidance, where it is more than to be of a class.
    pub(super) guidance: Option<f32>,
    pub(super) inference: Box<dyn Inference>,
    pub(super) frames: Vec<Rounded>,
}

impl Fixed<'_> {
    /// Buffers for up to `width` samples: each lane's from `lane` and a thread's working memory, of `space` numbers,
    /// for tiles of so many.
    fn worker(
        &self,
        width: usize,
        lane: impl Fn(usize) -> Lane,
        space: impl Fn(&dyn Inference, usize) -> usize,
    ) -> Worker<'_> {
        let tile = width.clamp(1, self.inference.tile());
        let lanes = self.inference.lanes().min(width.div_ceil(tile)).max(1);
        Worker {
            shared: self,
            copies: self.basis.subject().copies(),
            lanes: (0..lanes).map(|_| lane(tile)).collect(),
            spaces: Spaces::new(space(self.inference.as_ref(), tile), lanes.min(rayon::current_num_threads())),
            tile,
            balancing: self.basis.balancing(width),
        }
    }

    /// Numbers that the network is shown of a tile, and those that it answers.
    fn sizes(&self, tile: usize) -> [usize; 2] {
        let subject = self.basis.subject();
        [subject.inputs(), subject.outputs()].map(|rows| rows * tile)
    }
}

impl Prepared for Fixed<'_> {
    fn evaluator(&self, width: usize) -> Box<dyn Evaluator + '_> {
        let lane = |tile| {
            let [input, output] = self.sizes(tile).map(|size| vec![0.0; size]);
            let without = self.guidance.map_or(Vec::new(), |_| output.clone());
            Lane { input, output, gradient: Vec::new(), without }
        };
        Box::new(self.worker(width, lane, |inference, tile| inference.space(tile)))
    }

    fn differentiator(&self, width: usize) -> Option<Box<dyn Differentiator + '_>> {
        if self.frames.iter().any(|frame| frame.balance().is_some() || frame.has_angles()) {
            return None;
        }
        let lane = |tile| {
            let [input, output] = self.sizes(tile).map(|size| vec![0.0; size]);
            let gradient = input.clone();
            let without = self.guidance.map_or(Vec::new(), |_| input.clone());
            Lane { input, output, gradient, without }
        };
        Some(Box::new(self.worker(width, lane, |inference, tile| inference.gradient_space(tile))))
    }
}

struct Worker<'a> {
    shared: &'a Fixed<'a>,
    copies: usize,
    /// One for each tile that is evaluated at the same time.
    lanes: Vec<Lane>,
    spaces: Spaces,
    tile: usize,
    balancing: Option<Balancing<'a>>,
}

impl Worker<'_> {
    /// Calls `ask` with all tiles of `count` samples, those of a round at the same time, and then `combine` with each.
    fn rounds(
        &mut self,
        count: usize,
        ask: impl Fn(&mut Lane, &mut [f32], Tile) + Sync,
        mut combine: impl FnMut(&Lane, Tile),
    ) {
        let Self { copies, lanes, spaces, tile: most, .. } = self;
        let (copies, most) = (*copies, *most);
        let tile = |first: usize| Tile { copies, count, first, size: most.min(count - first), most };
        for round in (0..count).step_by(most * lanes.len()) {
            let tiles = (round..count).step_by(most).map(tile);
            let ask = |(lane, tile): (&mut Lane, Tile)| spaces.lend(|space| ask(lane, space, tile));
            // The call of one lane alone goes without the pool.
            match lanes.len() {
                1 => lanes.iter_mut().zip(tiles.clone()).for_each(ask),
                _ => lanes.iter_mut().zip(tiles.clone()).collect::<Vec<_>>().into_par_iter().for_each(ask),
            }
            lanes.iter().zip(tiles).for_each(|(lane, tile)| combine(lane, tile));
        }
    }
}

/// Working memory of the network, which is much of it: lent for the time of a tile, so that there is one for each
/// thread and not for each tile.
struct Spaces {
    size: usize,
    free: Mutex<Vec<Vec<f32>>>,
}

impl Spaces {
    fn new(size: usize, count: usize) -> Self {
        Self { size, free: Mutex::new(vec![vec![0.0; size]; count]) }
    }

    /// Does `work` with one of them.
    fn lend(&self, work: impl FnOnce(&mut [f32])) {
        let free = || self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let lent = free().pop();
        // Another pool of threads may have more of them.
        let mut space = lent.unwrap_or_else(|| vec![0.0; self.size]);
        work(&mut space);
        free().push(space);
    }
}

/// What evaluating a tile takes.
struct Lane {
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
    fn ask(&mut self, fixed: &Fixed<'_>, space: &mut [f32], frame: &Rounded, tile: Tile, state: &[f32]) {
        let Fixed { inference, class, guidance, .. } = fixed;
        let (inputs, outputs) = self.used(tile);
        let (input, output) = (&mut self.input[..inputs], &mut self.output[..outputs]);
        frame.normalise(tile, state, input);
        let shown = Shown { count: tile.size, state: input, clock: frame.clock, class: *class };
        inference.evaluate(shown, space, output);
        if let Some(guidance) = *guidance {
            let without = &mut self.without[..outputs];
            inference.evaluate(Shown { class: None, ..shown }, space, without);
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
        fixed: &Fixed<'_>,
        space: &mut [f32],
        frame: &Rounded,
        tile: Tile,
        [state, weight]: [&[f32]; 2],
    ) {
        let Fixed { inference, class, guidance, .. } = fixed;
        let (inputs, outputs) = self.used(tile);
        let (input, output) = (&mut self.input[..inputs], &mut self.output[..outputs]);
        let gradient = &mut self.gradient[..inputs];
        frame.normalise(tile, state, input);
        frame.weigh(tile, weight, output);
        let shown = Shown { count: tile.size, state: input, clock: frame.clock, class: *class };
        inference.gradient(shown, output, space, gradient);
        if let Some(guidance) = *guidance {
            let without = &mut self.without[..inputs];
            inference.gradient(Shown { class: None, ..shown }, output, space, without);
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
        let fixed = self.shared;
        let frame = &fixed.frames[step];
        self.rounds(
            count,
            |lane, space, tile| lane.ask(fixed, space, frame, tile, state),
            |lane, tile| lane.combine(frame, tile, score),
        );
        if let (Some(balancing), Some(balance)) = (&mut self.balancing, frame.balance()) {
            balancing.add(balance, count, state, score);
        }
    }
}

impl Differentiator for Worker<'_> {
    fn gradient(&mut self, step: usize, count: usize, state: &[f32], weight: &[f32], gradient: &mut [f32]) {
        let fixed = self.shared;
        let (frame, driven) = (&fixed.frames[step], fixed.basis.subject().process().driven());
        self.rounds(
            count,
            |lane, space, tile| lane.differentiate(fixed, space, frame, tile, [state, weight]),
            |lane, tile| frame.gradient(tile, driven, weight, &lane.gradient[..lane.used(tile).0], gradient),
        );
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::data::{Covariance, Dataset, Mixture};
    use crate::host::Host;
    use crate::nn::{Activation, Mlp, Network, Weights};
    use crate::process::fixtures::Active;
    use crate::rng::{Purpose, Stream};
    use crate::score::Basis;
    use crate::score::{KernelBasis, Learned, Score, Subject};
    use crate::task::Task;

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
