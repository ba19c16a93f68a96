//! Mixtures under a process that couples coordinates: every law is over all m·d components of the state at once.
//!
//! Components of the mixture of one covariance S are a group. Its whitening W, WᵀW = (Σ + Φ_x S Φ_xᵀ)⁻¹, is rotated so
//! that the data reach the first d whitened numbers only, W Φ_x = (R, 0). With y = W z, component j
//! of the mixture has
//!
//! ```text
//! log w_j(z) = log w_j + log det W − ½ |y_{≤d} − R μ_j|² + terms without j,     ∇ log N_j = −Wᵀ (y − (R μ_j, 0)),
//! ```
//!
//! where |y_{>d}|² is among the terms without j, even for different S: it is the smallest of (z − Φ_x μ)ᵀ Σ⁻¹ (z − Φ_x
//! μ) over μ, what a variance along Φ_x cannot change. So a component costs d multiply-adds and one
//! exponential, as without coupling; a group costs (m·d)² more.

use nalgebra::{DMatrix, DVector};

use super::super::{Differentiator, Evaluator, Prepared};
use super::lanes::{LANES, load, store};
use super::posterior::{GROUP, posterior_mean, posterior_spread};
use super::softmax::{Change, Softmax};
use crate::data::{Covariance, Mixture};
use crate::dispatched;
use crate::error::Result;
use crate::gauss::solve_lower;
use crate::process::{Kernel, Process};
use crate::task::Task;
use crate::vector::{single, single_rows, singles};

#[derive(Debug, Clone)]
pub(super) struct Coupled {
    /// Number of coordinates d.
    dimension: usize,
    groups: Vec<Group>,
}

/// Components of the same covariance.
#[derive(Debug, Clone)]
struct Group {
    /// F with S = F Fᵀ, [d, d].
    factor: DMatrix<f64>,
    /// log w_j, [K].
    log_weights: Vec<f32>,
    /// μ_j, [K, d], row-major.
    means: Vec<f32>,
}

pub(super) struct PreparedCoupled<'a> {
    law: &'a Coupled,
    driven: &'a [usize],
    /// Number m·d of components of the state.
    size: usize,
    /// Of each time, one per group.
    steps: Vec<Vec<Coefficients>>,
}

/// What depends on time, of one group, rounded.
struct Coefficients {
    /// log det W.
    log_weight: f32,
    /// W, [m·d, m·d], row-major.
    whitening: Vec<f32>,
    /// R, [d, d], row-major.
    response: Vec<f32>,
}

impl Coupled {
    /// Finite data: components without variance.
    pub(super) fn points(dimension: usize, points: &[f32]) -> Self {
        let log_weights = vec![0.0; points.len() / dimension];
        let factor = DMatrix::zeros(dimension, dimension);
        Self { dimension, groups: vec![Group { factor, log_weights, means: points.to_vec() }] }
    }

    pub(super) fn mixture(mixture: &Mixture) -> Self {
        let d = mixture.dimension();
        let covariance = |j: usize| match &mixture.covariance {
            Covariance::Isotropic(variances) => DMatrix::from_diagonal_element(d, d, variances[j]),
            Covariance::Full(matrices) => DMatrix::from_row_slice(d, d, &matrices[j * d * d..(j + 1) * d * d]),
        };
        let mut groups: Vec<(DMatrix<f64>, Group)> = Vec::new();
        for j in (0..mixture.components()).filter(|&j| mixture.weights[j] > 0.0) {
            let own = covariance(j);
            let place = groups.iter().position(|(known, _)| *known == own).unwrap_or_else(|| {
                let group = Group { factor: root(&own), log_weights: Vec::new(), means: Vec::new() };
                groups.push((own, group));
                groups.len() - 1
            });
            let group = &mut groups[place].1;
            group.log_weights.push(single(mixture.weights[j].ln()));
            group.means.extend(singles(&mixture.means[j * d..(j + 1) * d]));
        }
        Self { dimension: d, groups: groups.into_iter().map(|(_, group)| group).collect() }
    }

    pub(super) fn prepare<'a>(
        &'a self,
        process: &'a Process,
        times: &[f64],
        task: &Task,
    ) -> Result<PreparedCoupled<'a>> {
        let steps = task.blocks(times.len(), |i| {
            let kernel = process.kernel(times[i])?.with_density()?;
            Ok(self.groups.iter().map(|group| group.coefficients(&kernel)).collect())
        })?;
        Ok(PreparedCoupled { law: self, driven: process.driven(), size: process.components(), steps })
    }
}

/// F with S = F Fᵀ for a symmetric positive S.
fn root(covariance: &DMatrix<f64>) -> DMatrix<f64> {
    let eigen = covariance.clone().symmetric_eigen();
    eigen.eigenvectors * DMatrix::from_diagonal(&eigen.eigenvalues.map(|value| value.max(0.0).sqrt()))
}

impl Group {
    fn coefficients(&self, kernel: &Kernel) -> Coefficients {
        let factor = kernel.with_data_factor(&self.factor).cholesky;
        let (size, d) = (factor.nrows(), kernel.data);
        let unit = |j: usize| DVector::from_fn(size, |i, _| if i == j { 1.0 } else { 0.0 });
        let columns: Vec<_> = (0..size).map(|j| solve_lower(&factor, &unit(j))).collect();
        let mut whitening = DMatrix::from_columns(&columns);
        let mut response = &whitening * kernel.response();
        let rotation = response.clone().qr();
        rotation.q_tr_mul(&mut whitening);
        rotation.q_tr_mul(&mut response);
        let log_weight: f64 = -factor.diagonal().iter().map(|pivot| pivot.ln()).sum::<f64>();
        Coefficients {
            log_weight: single(log_weight),
            whitening: single_rows(&whitening),
            response: single_rows(&response.rows(0, d).upper_triangle()),
        }
    }
}

impl PreparedCoupled<'_> {
    fn worker(&self) -> CoupledEvaluator<'_> {
        let rows = |count: usize| vec![[0.0; LANES]; count];
        CoupledEvaluator {
            prepared: self,
            step: None,
            centres: self.law.groups.iter().map(|group| vec![0.0; group.means.len()]).collect(),
            white: rows(self.size),
            mean: rows(self.law.dimension),
            weights: rows(GROUP),
            gradient: rows(self.driven.len()),
            softmax: Softmax::new(self.driven.len()),
        }
    }
}

impl Prepared for PreparedCoupled<'_> {
    fn evaluator(&self, _width: usize) -> Box<dyn Evaluator + '_> {
        Box::new(self.worker())
    }

    fn differentiator(&self, _width: usize) -> Option<Box<dyn Differentiator + '_>> {
        let rows = |count: usize| vec![[0.0; LANES]; count];
        Some(Box::new(CoupledDifferentiator {
            worker: self.worker(),
            change: Change::new(self.driven.len()),
            moved: rows(self.size),
            along: rows(self.size),
            spread: rows(self.law.dimension),
        }))
    }
}

struct CoupledEvaluator<'a> {
    prepared: &'a PreparedCoupled<'a>,
    /// The time that the centres are of.
    step: Option<usize>,
    /// R μ_j of each group, [K, d].
    centres: Vec<Vec<f32>>,
    /// y of one group, [m·d].
    white: Vec<[f32; LANES]>,
    /// Σ_j w_j R μ_j of one group, [d].
    mean: Vec<[f32; LANES]>,
    /// Log weights of some components.
    weights: Vec<[f32; LANES]>,
    /// The gradient of one group, [driven].
    gradient: Vec<[f32; LANES]>,
    /// The mean of the gradients over groups, [driven].
    softmax: Softmax,
}

impl Evaluator for CoupledEvaluator<'_> {
    fn evaluate(&mut self, step: usize, count: usize, state: &[f32], score: &mut [f32]) {
        self.centre(step);
        for start in (0..count).step_by(LANES) {
            self.lanes(step, count, start, state);
            store(self.softmax.mean(), count, start, score);
        }
    }
}

impl CoupledEvaluator<'_> {
    /// Finds the centres at a time.
    fn centre(&mut self, step: usize) {
        if self.step != Some(step) {
            let groups = self.prepared.law.groups.iter().zip(&self.prepared.steps[step]);
            for ((group, at), centres) in groups.zip(&mut self.centres) {
                respond(&at.response, self.prepared.law.dimension, &group.means, centres);
            }
            self.step = Some(step);
        }
    }

    /// The score of the samples from `start` on, into `softmax`.
    fn lanes(&mut self, step: usize, count: usize, start: usize, state: &[f32]) {
        self.softmax.clear();
        for (number, at) in self.prepared.steps[step].iter().enumerate() {
            let log = self.posterior(number, at, count, start, state);
            let log = self.gradient(at, log);
            self.softmax.add(&log, &self.gradient);
        }
    }

    /// Leaves y and Σ_j w_j R μ_j of a group, and returns the logarithm of the sum of its weights but for log det W.
    fn posterior(
        &mut self,
        number: usize,
        at: &Coefficients,
        count: usize,
        start: usize,
        state: &[f32],
    ) -> [f32; LANES] {
        let law = self.prepared.law;
        let (logs, centres) = (&law.groups[number].log_weights, &self.centres[number]);
        whiten(at, count, start, state, &mut self.white);
        let reached = &self.white[..law.dimension];
        let mut log = [0.0; LANES];
        posterior_mean(logs, centres, 0.5, reached, &mut self.weights, &mut self.mean, &mut log);
        log
    }

    /// Leaves the gradient of the group that has y and the mean, and returns the logarithm of its weight.
    fn gradient(&mut self, at: &Coefficients, log: [f32; LANES]) -> [f32; LANES] {
        gradient(at, self.prepared.driven, &self.mean, &mut self.white, &mut self.gradient);
        log.map(|log| log + at.log_weight)
    }
}

struct CoupledDifferentiator<'a> {
    worker: CoupledEvaluator<'a>,
    change: Change,
    /// The direction in all components of the state, [m·d].
    moved: Vec<[f32; LANES]>,
    /// W times it, [m·d].
    along: Vec<[f32; LANES]>,
    /// How the mean of one group moves, [d].
    spread: Vec<[f32; LANES]>,
}

impl Differentiator for CoupledDifferentiator<'_> {
    /// The derivative by driven components is symmetric, so that this is the change of the score along `weight`.
    fn gradient(&mut self, step: usize, count: usize, state: &[f32], weight: &[f32], out: &mut [f32]) {
        let Self { worker, change, moved, along, spread } = self;
        let PreparedCoupled { law, driven, ref steps, .. } = *worker.prepared;
        worker.centre(step);
        for start in (0..count).step_by(LANES) {
            worker.lanes(step, count, start, state);
            change.begin(&mut worker.softmax);
            load(weight.chunks_exact(count), start, &mut change.direction);
            change.direction.iter().zip(driven).for_each(|(row, &component)| moved[component] = *row);
            for (number, (group, at)) in law.groups.iter().zip(&steps[step]).enumerate() {
                let log = worker.posterior(number, at, count, start, state);
                whiten(at, LANES, 0, moved.as_flattened(), along);
                let (centres, known) = (&worker.centres[number], (&worker.mean[..], &log));
                let (reached, moving) = (&worker.white[..law.dimension], &along[..law.dimension]);
                posterior_spread(&group.log_weights, centres, 0.5, reached, known, moving, spread);
                gradient(at, driven, spread, along, &mut change.own);
                let log = worker.gradient(at, log);
                change.add(&log, &worker.gradient);
            }
            store(change.sum(), count, start, out);
        }
    }
}

/// R μ_j of every component.
fn respond(response: &[f32], dimension: usize, means: &[f32], out: &mut [f32]) {
    for (mean, out) in means.chunks_exact(dimension).zip(out.chunks_exact_mut(dimension)) {
        for (row, out) in response.chunks_exact(dimension).zip(out) {
            *out = row.iter().zip(mean).map(|(r, m)| r * m).sum();
        }
    }
}

dispatched! {
    /// y = W z.
    fn whiten(at: &Coefficients, count: usize, start: usize, state: &[f32], white: &mut [[f32; LANES]]) {
        let size = white.len();
        let lanes = LANES.min(count - start);
        white.fill([0.0; LANES]);
        for b in 0..size {
            let mut own = [0.0; LANES];
            own[..lanes].copy_from_slice(&state[b * count + start..][..lanes]);
            for (row, white) in white.iter_mut().enumerate() {
                let weight = at.whitening[row * size + b];
                for lane in 0..LANES {
                    white[lane] = weight.mul_add(own[lane], white[lane]);
                }
            }
        }
    }
}

dispatched! {
    /// −Wᵀ (y − (mean, 0)) of the driven components.
    fn gradient(
        at: &Coefficients,
        driven: &[usize],
        mean: &[[f32; LANES]],
        white: &mut [[f32; LANES]],
        out: &mut [[f32; LANES]],
    ) {
        let size = white.len();
        for (white, mean) in white.iter_mut().zip(mean) {
            for lane in 0..LANES {
                white[lane] -= mean[lane];
            }
        }
        for (out, &component) in out.iter_mut().zip(driven) {
            *out = [0.0; LANES];
            for (row, white) in white.iter().enumerate() {
                let weight = -at.whitening[row * size + component];
                for lane in 0..LANES {
                    out[lane] = weight.mul_add(white[lane], out[lane]);
                }
            }
        }
    }
}
