//! What all chains of a dataset share.

use crate::rng::Stream;
use crate::task::{Meter, Task};

/// 2/ln(1 + √2), below which the infinite lattice is magnetised.
pub(super) const CRITICAL: f64 = 2.269_185_314_213_022;

/// How the sweeps by Metropolis that a region needs to reach equilibrium grow with its side at the critical temperature
/// (Nightingale, Blöte, Phys. Rev. Lett. 76, 1996).
const DYNAMIC: f64 = 2.167;

/// Sweeps after which the energy of lattices by clusters is the exact one to a thousandth, at 32 × 32 and every
/// temperature.
pub(super) const ENOUGH_BY_CLUSTERS: usize = 20;

/// Sweeps by Metropolis that bring lattices from their start to equilibrium: enough at 32 × 32 for energies and
/// magnetisations of 4,096 of them to be the exact ones within their errors, at every temperature.
pub(super) fn enough(size: usize, temperature: f64) -> usize {
    // Onsager's correlation length along an axis, infinite at the critical temperature.
    let k = temperature.recip();
    let decay = 2.0 * k + k.tanh().ln();
    let length = if decay > 0.0 { 0.5 / decay } else { -decay.recip() };
    (100.0 + 0.48 * length.min(size as f64).powf(DYNAMIC)).ceil() as usize
}

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

impl Run<'_> {
    /// Whether chains begin with all spins up or all down, as chance has it, and not with each at random. Below the
    /// critical temperature a lattice at random falls into stripes that live for very long.
    pub(super) fn is_ordered(&self) -> bool {
        self.temperature < CRITICAL
    }
}
