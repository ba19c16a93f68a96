//! What all chains of a dataset share.

use crate::rng::Stream;
use crate::task::{Meter, Task};

/// One set of chains.
pub(super) struct Run<'a> {
    /// Sites along each side.
    pub(super) size: usize,
    /// In units of J/k_B.
    pub(super) temperature: f64,
    pub(super) sweeps: usize,
    pub(super) stream: Stream,
    pub(super) meter: Meter<'a>,
    pub(super) task: &'a Task,
}

/// 2/ln(1 + √2), below which the infinite lattice is magnetised.
pub(super) const CRITICAL: f64 = 2.269_185_314_213_022;

impl Run<'_> {
    /// Whether chains begin with all spins up or all down, as chance has it, and not with each at random. Below the
    /// critical temperature a lattice at random falls into stripes that live for very long.
    pub(super) fn is_ordered(&self) -> bool {
        self.temperature < CRITICAL
    }
}
