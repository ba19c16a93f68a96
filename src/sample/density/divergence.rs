//! The divergence of the probability flow, by derivatives of the score.

use nalgebra::{DMatrix, DVector};

use crate::process::Linear;
use crate::rng::Stream;
use crate::sample::layout::Layout;
use crate::score::Differentiator;
use crate::vector::single;

/// How the divergence of the score is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Divergence {
    /// In all directions, one after the other.
    Exact,
    /// In random directions of ±1 (Hutchinson, Commun. Stat. Simul. Comput. 18, 1059 (1989)).
    Hutchinson {
        /// Number of directions.
        probes: usize,
    },
}

/// Directions in which the score is differentiated, and buffers for it.
pub(super) struct Probes {
    divergence: Divergence,
    layout: Layout,
    samples: usize,
    /// The directions in whitened driven components, each [driven·copies, samples].
    directions: Vec<Vec<f32>>,
    weight: Vec<f32>,
    gradient: Vec<f32>,
}

impl Probes {
    pub(super) fn new(divergence: Divergence, stream: &Stream, group: u32, layout: Layout, samples: usize) -> Self {
        let size = layout.score * samples;
        let directions = match divergence {
            Divergence::Exact => (0..layout.score).map(|row| unit(row, samples, size)).collect(),
            Divergence::Hutchinson { probes } => {
                (0..probes).map(|probe| signs(stream, probe as u32, group, size)).collect()
            }
        };
        let [weight, gradient] = [(); 2].map(|()| vec![0.0; size]);
        Self { divergence, layout, samples, directions, weight, gradient }
    }

    /// Rows of results: one in all, or one for each random direction.
    pub(super) fn rows(&self) -> usize {
        match self.divergence {
            Divergence::Exact => 1,
            Divergence::Hutchinson { probes } => probes,
        }
    }

    /// Evaluations of the score and its derivatives for a slope with its divergence.
    pub(super) fn evaluations(&self) -> usize {
        1 + self.directions.len()
    }
}

fn unit(row: usize, samples: usize, size: usize) -> Vec<f32> {
    let mut direction = vec![0.0; size];
    direction[row * samples..(row + 1) * samples].fill(1.0);
    direction
}

fn signs(stream: &Stream, probe: u32, group: u32, size: usize) -> Vec<f32> {
    let mut direction = vec![0.0; size];
    stream.uniforms(probe, group, &mut direction);
    direction.iter_mut().for_each(|value| *value = if *value < 0.5 { -1.0 } else { 1.0 });
    direction
}

/// Writes the divergence of f − ½ D ŝ at `state` into `out`, [rows, samples]. `units` are those of all components in
/// which the score varies by order one.
///
/// With Λ = diag ℓ of these units over the driven components, tr(D ∂ŝ) = tr(Λ⁻¹ D ∂ŝ Λ) is the sum over unit vectors w,
/// or the mean over random ones, of (∂ŝᵀ D Λ⁻¹ w)·Λ w.
pub(super) fn trace(
    linear: &Linear,
    driven: &[usize],
    units: &DVector<f64>,
    probes: &mut Probes,
    score: &mut dyn Differentiator,
    state: &[f32],
    out: &mut [f32],
) {
    let Layout { copies, .. } = probes.layout;
    let (samples, length) = (probes.samples, copies * probes.samples);
    let size = driven.len();
    let diffusion = linear.diffusion();
    let weights =
        DMatrix::from_fn(size, size, |p, q| single(-0.5 * diffusion[(driven[p], driven[q])] / units[driven[p]]));
    let drift = linear.drift.trace() * copies as f64;
    let is_sum = probes.divergence == Divergence::Exact;
    let mut sums = vec![0.0_f64; out.len()];
    let Probes { weight, gradient, .. } = probes;
    for (k, direction) in probes.directions.iter().enumerate() {
        for (q, weight) in weight.chunks_exact_mut(length).enumerate() {
            weight.fill(0.0);
            for (p, row) in direction.chunks_exact(length).enumerate() {
                let factor = weights[(p, q)];
                weight.iter_mut().zip(row).for_each(|(weight, w)| *weight = w.mul_add(factor, *weight));
            }
        }
        score.gradient(0, samples, state, weight, gradient);
        let sums = &mut sums[if is_sum { 0 } else { k * samples }..][..samples];
        for ((row, gradient), &component) in
            direction.chunks_exact(length).zip(gradient.chunks_exact(length)).zip(driven)
        {
            for (at, (&w, &gradient)) in row.iter().zip(gradient).enumerate().filter(|(_, (w, _))| **w != 0.0) {
                sums[at % samples] += units[component] * f64::from(w) * f64::from(gradient);
            }
        }
    }
    out.iter_mut().zip(sums).for_each(|(out, sum)| *out = single(drift + sum));
}
