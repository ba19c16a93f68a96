//! The law at the horizon: the Gaussian that a likelihood takes for it, and how far the score is from that.
//!
//! The law of noised data is that of the noise times a function of x̂, the estimate of the data by the state, so that
//! log p_T − log N = δ(x̂) with the Gaussian N of the same moments, and ∇δ = E g with E = Σ⁻¹Φ_x and some g in each
//! state. The driven part of ∇δ is the score less that of N, which gives g, and a line from the mean
//!
//! ```text
//! δ(r) = δ(0) + ∫₀¹ (Eᵀ r)·g(λ r) dλ,     ⟨exp δ⟩_N = 1,
//! ```
//!
//! where r is what the state differs by from the mean: for any score, known in closed form or learned.

use nalgebra::{DMatrix, DVector};

use crate::error::Result;
use crate::gauss::{log_density, precision};
use crate::process::Noised;
use crate::rng::{Purpose, Stream};
use crate::sample::layout::Layout;
use crate::score::{Coordinates, Prepared, Score};
use crate::task::Task;
use crate::vector::single;

/// The law at the horizon of a score.
pub(super) struct Horizon<'a> {
    prepared: Box<dyn Prepared + 'a>,
    layout: Layout,
    driven: &'a [usize],
    /// Mean of the state, [m·copies].
    mean: Vec<f64>,
    /// The factor of each kind of copy, [m, m].
    factors: Vec<DMatrix<f64>>,
    /// The driven rows of the precision of each, [driven, m].
    precisions: Vec<DMatrix<f64>>,
    kinds: std::sync::Arc<[usize]>,
    /// E, [m, k].
    carried: DMatrix<f64>,
    /// What makes g of the driven part of ∇δ, [k, driven].
    inverse: DMatrix<f64>,
    /// δ(0).
    level: f64,
}

/// Nodes and weights of Gauss and Legendre on [0, 1].
const LINE: [(f64, f64); 4] = [
    (0.069_431_844_202_973_71, 0.173_927_422_568_726_93),
    (0.330_009_478_207_571_87, 0.326_072_577_431_273_07),
    (0.669_990_521_792_428_1, 0.326_072_577_431_273_07),
    (0.930_568_155_797_026_3, 0.173_927_422_568_726_93),
];

/// Draws of the Gaussian over which ⟨exp δ⟩ is averaged.
const DRAWS: usize = 128;

impl<'a> Horizon<'a> {
    /// # Errors
    /// When the kernel at the horizon has no density, or interrupted.
    pub(super) fn new(score: &'a dyn Score, task: &Task) -> Result<Self> {
        let (process, moments) = (score.process(), score.moments());
        let layout = Layout::new(process, moments.mean.len())?;
        let (kernel, noised) = (process.kernel(process.horizon())?, Noised::new(process, moments)?);
        let mean = match score.coordinates() {
            Coordinates::Own => kernel.mean(&moments.mean),
            Coordinates::Principal => vec![0.0; layout.state],
        };
        let factors = noised.factors(&kernel);
        let carried = precision(&kernel.cholesky) * kernel.response();
        let driven_part = carried.select_rows(process.driven());
        let least = 1e-9 * driven_part.norm();
        let inverse =
            driven_part.pseudo_inverse(least).unwrap_or_else(|_| DMatrix::zeros(kernel.data, process.driven().len()));
        let mut horizon = Self {
            prepared: score.prepare(&[process.horizon()], task)?,
            layout,
            driven: process.driven(),
            mean,
            precisions: factors.iter().map(|factor| precision(factor).select_rows(process.driven())).collect(),
            factors,
            kinds: noised.kinds().clone(),
            carried,
            inverse,
            level: 0.0,
        };
        let deviations = horizon.deviations(&horizon.draws(), DRAWS);
        let most = deviations.iter().copied().fold(0.0, f64::max);
        let mean = deviations.iter().map(|deviation| (deviation - most).exp()).sum::<f64>() / DRAWS as f64;
        horizon.level = -(most + mean.ln());
        Ok(horizon)
    }

    /// log N of each state, [m·copies, samples].
    pub(super) fn log_densities(&self, state: &[f32], samples: usize) -> Vec<f64> {
        let density =
            |i: usize, c: usize| log_density(&self.factors[self.kinds[c]], self.residual(state, samples, i, c));
        (0..samples).map(|i| (0..self.layout.copies).map(|c| density(i, c)).sum()).collect()
    }

    /// δ of each state, [m·copies, samples].
    pub(super) fn deviations(&self, state: &[f32], samples: usize) -> Vec<f64> {
        let Layout { copies, .. } = self.layout;
        let mut evaluator = self.prepared.evaluator(samples);
        let mut score = vec![0.0; self.layout.score * samples];
        let mut sums = vec![self.level; samples];
        for (place, weight) in LINE {
            let inside = |(row, values): (usize, &[f32])| {
                let mean = self.mean[row];
                values.iter().map(move |z| single(mean + place * (f64::from(*z) - mean))).collect::<Vec<_>>()
            };
            let line: Vec<f32> = state.chunks_exact(samples).enumerate().flat_map(inside).collect();
            evaluator.evaluate(0, samples, &line, &mut score);
            for (i, c) in (0..samples).flat_map(|i| (0..copies).map(move |c| (i, c))) {
                let residual = self.residual(state, samples, i, c);
                let gaussian = -&self.precisions[self.kinds[c]] * (&residual * place);
                let own = DVector::from_fn(self.driven.len(), |k, _| f64::from(score[(k * copies + c) * samples + i]));
                let slope = (self.carried.transpose() * &residual).dot(&(&self.inverse * (own - gaussian)));
                sums[i] += weight * slope;
            }
        }
        sums
    }

    /// What a copy of a state differs by from the mean, \[m\].
    fn residual(&self, state: &[f32], samples: usize, sample: usize, copy: usize) -> DVector<f64> {
        let row = |b: usize| b * self.layout.copies + copy;
        DVector::from_fn(self.carried.nrows(), |b, _| f64::from(state[row(b) * samples + sample]) - self.mean[row(b)])
    }

    /// Draws of N, [m·copies, DRAWS].
    fn draws(&self) -> Vec<f32> {
        let (copies, size) = (self.layout.copies, self.carried.nrows());
        let mut normals = vec![0.0; self.layout.state * DRAWS];
        Stream::new(0, Purpose::Horizon).normals(0, 0, &mut normals);
        let mut states = vec![0.0; normals.len()];
        for (c, b) in (0..copies).flat_map(|c| (0..size).map(move |b| (c, b))) {
            let factor = &self.factors[self.kinds[c]];
            for i in 0..DRAWS {
                let normal = |j: usize| f64::from(normals[(j * copies + c) * DRAWS + i]);
                let spread: f64 = (0..=b).map(|j| factor[(b, j)] * normal(j)).sum();
                let row = b * copies + c;
                states[row * DRAWS + i] = single(self.mean[row] + spread);
            }
        }
        states
    }
}
