//! What a step of the optimiser learns from.

use crate::nn::Samples;

/// What all chunks of all batches of a training share.
pub(in crate::train) trait Source {
    /// The chunk of `count` samples that begins with sample `first` of each batch.
    fn feed(&self, first: usize, count: usize) -> Box<dyn Feed + '_>;

    /// A part of the loss of each sample that is known to be noise; the history leaves it out.
    fn baseline(&self) -> f64 {
        0.0
    }

    /// Whether it learns from differences of answers, which must be those of one network.
    fn has_pairs(&self) -> bool {
        false
    }
}

/// One chunk of each batch, on buffers allocated once.
pub(in crate::train) trait Feed: Send + Sync {
    /// Draws the chunk number `chunk` of the batch of `step`.
    fn fill(&mut self, step: u32, chunk: u32);

    /// Fills `out` with the place of the class of each sample of that chunk, of data that have some.
    fn classes(&self, step: u32, chunk: u32, out: &mut [u32]);

    /// What the network is shown and should answer, without classes.
    fn samples(&self) -> Samples<'_>;

    /// The samples that are learned from, which are the first.
    fn learned(&self) -> usize {
        self.samples().count
    }

    /// The time of a sample.
    fn time(&self, sample: usize) -> f64;

    /// The time of the first sample whose input or target is not finite.
    fn broken_time(&self) -> Option<f64> {
        let Samples { count, state, clock, target, .. } = self.samples();
        let broken = |values: &[f32], i: usize| values.iter().skip(i).step_by(count).any(|v| !v.is_finite());
        (0..count).find(|&i| [state, clock, target].iter().any(|values| broken(values, i))).map(|i| self.time(i))
    }
}
