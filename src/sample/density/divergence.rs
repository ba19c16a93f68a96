//! The divergence of the probability flow, by differences of the score.

use nalgebra::{DMatrix, DVector};

use crate::process::Linear;
use crate::rng::Stream;
use crate::sample::layout::Layout;
use crate::score::Evaluator;
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

/// Length of a difference in units of ℓ_d, the deviation of a driven component given all others, in which a score
/// varies by order one. The formula of fourth order then errs by 1e-4/30 of a fifth derivative, and by 2e-6 of the
/// score's rounding.
const STRIDE: f64 = 0.1;

/// Directions in which the score is differentiated, and buffers for it.
pub(super) struct Probes {
    divergence: Divergence,
    layout: Layout,
    samples: usize,
    /// The directions in whitened driven components, each [driven·copies, samples].
    directions: Vec<Vec<f32>>,
    shifted: Vec<f32>,
    scores: [Vec<f32>; 4],
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
        let scores = [(); 4].map(|()| vec![0.0; size]);
        Self { divergence, layout, samples, directions, shifted: vec![0.0; layout.state * samples], scores }
    }

    /// Rows of results: one in all, or one for each random direction.
    pub(super) fn rows(&self) -> usize {
        match self.divergence {
            Divergence::Exact => 1,
            Divergence::Hutchinson { probes } => probes,
        }
    }

    /// Evaluations of the score for a slope with its divergence.
    pub(super) fn evaluations(&self) -> usize {
        1 + SHIFTS.len() * self.directions.len()
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

/// Where the score is evaluated, in strides, and its weight in the difference formula of fourth order.
const SHIFTS: [(f64, f64); 4] = [(1.0, 8.0), (-1.0, -8.0), (2.0, -1.0), (-2.0, 1.0)];

/// Writes the divergence of f − ½ D ŝ at `state` into `out`, [rows, samples]. `units` are ℓ of all components.
///
/// With Λ = diag ℓ over the driven components, tr(D ∂ŝ) = tr(Λ⁻¹ D ∂ŝ Λ) is the sum over unit vectors w, or the mean
/// over random ones, of wᵀ Λ⁻¹ D (∂ŝ Λ w).
pub(super) fn trace(
    linear: &Linear,
    driven: &[usize],
    units: &DVector<f64>,
    probes: &mut Probes,
    evaluator: &mut dyn Evaluator,
    state: &[f32],
    out: &mut [f32],
) {
    let Layout { copies, .. } = probes.layout;
    let (samples, length) = (probes.samples, copies * probes.samples);
    let size = driven.len();
    let diffusion = linear.diffusion();
    let weights = DMatrix::from_fn(size, size, |p, q| {
        -0.5 * diffusion[(driven[p], driven[q])] / units[driven[p]] / (12.0 * STRIDE)
    });
    let drift = linear.drift.trace() * copies as f64;
    let is_sum = probes.divergence == Divergence::Exact;
    let mut sums = vec![0.0_f64; out.len()];
    for (k, direction) in probes.directions.iter().enumerate() {
        for ((shift, _), score) in SHIFTS.iter().zip(&mut probes.scores) {
            probes.shifted.copy_from_slice(state);
            for (row, &component) in direction.chunks_exact(length).zip(driven) {
                let stride = single(shift * STRIDE * units[component]);
                let shifted = &mut probes.shifted[component * length..][..length];
                shifted.iter_mut().zip(row).for_each(|(z, w)| *z = stride.mul_add(*w, *z));
            }
            evaluator.evaluate(0, samples, &probes.shifted, score);
        }
        let sums = &mut sums[if is_sum { 0 } else { k * samples }..][..samples];
        for (p, row) in direction.chunks_exact(length).enumerate() {
            for (at, &w) in row.iter().enumerate().filter(|(_, w)| **w != 0.0) {
                for q in 0..size {
                    let scores = SHIFTS.iter().zip(&probes.scores);
                    let difference: f64 =
                        scores.map(|((_, weight), score)| weight * f64::from(score[q * length + at])).sum();
                    sums[at % samples] += f64::from(w) * weights[(p, q)] * difference;
                }
            }
        }
    }
    out.iter_mut().zip(sums).for_each(|(out, sum)| *out = single(drift + sum));
}
