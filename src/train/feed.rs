//! What a step of the optimiser learns from.

use crate::nn::kernel::Samples;

/// One chunk of each batch, on buffers allocated once.
pub(super) trait Feed: Send + Sync {
    /// Draws the chunk number `chunk` of the batch of `step`.
    fn fill(&mut self, step: u32, chunk: u32);

    /// What the network is shown and should answer.
    fn samples(&self) -> Samples<'_>;

    /// The time of a sample.
    fn time(&self, sample: usize) -> f64;

    /// The time of the first sample whose input or target is not finite.
    fn broken_time(&self) -> Option<f64> {
        let Samples { count, input, target, .. } = self.samples();
        let broken = |values: &[f32], i: usize| values.iter().skip(i).step_by(count).any(|v| !v.is_finite());
        (0..count).find(|&i| broken(input, i) || broken(target, i)).map(|i| self.time(i))
    }
}
