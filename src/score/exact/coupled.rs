//! Mixtures under a process that couples coordinates: every law is over all m·d components of the state at once.
//!
//! Components of the mixture of one covariance S are a group. Its whitening W, WᵀW = (Σ + Φ_x S Φ_xᵀ)⁻¹, is rotated so that the data
//! reach the first d whitened numbers only, W Φ_x = (R, 0). With y = W (z − c), component j of the mixture has
//!
//! ```text
//! log w_j(z) = log w_j + log det W − ½ |y_{≤d} − R μ_j|² + terms without j,     ∇ log N_j = −Wᵀ (y − (R μ_j, 0)),
//! ```
//!
//! where |y_{>d}|² is among the terms without j, even for different S: it is the smallest of (z − c − Φ_x μ)ᵀ Σ⁻¹
//! (z − c − Φ_x μ) over μ, what a variance along Φ_x cannot change. So a component costs d multiply-adds and one exponential, as without coupling; a group costs (m·d)² more.

use nalgebra::{DMatrix, DVector};

use super::super::{Evaluator, Prepared};
use super::evaluation::{LANES, kernel, store};
use super::posterior::{GROUP, posterior_mean};
use crate::data::{Covariance, Mixture};
use crate::dispatched;
use crate::error::Result;
use crate::gauss::solve_lower;
use crate::process::{Kernel, Process};
use crate::task::Task;
use crate::vector::math::exp;

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
    /// c, [m·d].
    offset: Vec<f32>,
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
            group.log_weights.push(mixture.weights[j].ln() as f32);
            group.means.extend(mixture.means[j * d..(j + 1) * d].iter().map(|&mean| mean as f32));
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
            let kernel = kernel(process, times[i])?;
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
        let single = |matrix: DMatrix<f64>| matrix.transpose().iter().map(|&entry| entry as f32).collect();
        Coefficients {
            log_weight: log_weight as f32,
            whitening: single(whitening),
            offset: kernel.offset.iter().map(|&c| c as f32).collect(),
            response: single(response.rows(0, d).upper_triangle()),
        }
    }
}

impl Prepared for PreparedCoupled<'_> {
    fn evaluator(&self, _width: usize) -> Box<dyn Evaluator + '_> {
        let rows = |count: usize| vec![[0.0; LANES]; count];
        Box::new(CoupledEvaluator {
            prepared: self,
            step: None,
            centres: self.law.groups.iter().map(|group| vec![0.0; group.means.len()]).collect(),
            white: rows(self.size),
            mean: rows(self.law.dimension),
            weights: rows(GROUP),
            gradient: rows(self.driven.len()),
            sum: rows(self.driven.len()),
        })
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
    /// Σ_g w_g gradient_g, [driven].
    sum: Vec<[f32; LANES]>,
}

impl Evaluator for CoupledEvaluator<'_> {
    fn evaluate(&mut self, step: usize, count: usize, state: &[f32], score: &mut [f32]) {
        if self.step != Some(step) {
            let groups = self.prepared.law.groups.iter().zip(&self.prepared.steps[step]);
            for ((group, at), centres) in groups.zip(&mut self.centres) {
                respond(&at.response, self.prepared.law.dimension, &group.means, centres);
            }
            self.step = Some(step);
        }
        for start in (0..count).step_by(LANES) {
            self.lanes(step, count, start, state);
            store(&self.sum, count, start, score);
        }
    }
}

impl CoupledEvaluator<'_> {
    /// The score of the samples from `start` on, into `sum`.
    fn lanes(&mut self, step: usize, count: usize, start: usize, state: &[f32]) {
        let PreparedCoupled { law, driven, .. } = self.prepared;
        let mut best = [f32::NEG_INFINITY; LANES];
        let mut total = [0.0; LANES];
        self.sum.fill([0.0; LANES]);
        for ((group, at), centres) in law.groups.iter().zip(&self.prepared.steps[step]).zip(&self.centres) {
            let mut log = [0.0; LANES];
            whiten(at, count, start, state, &mut self.white);
            let reached = &self.white[..law.dimension];
            posterior_mean(&group.log_weights, centres, 0.5, reached, &mut self.weights, &mut self.mean, &mut log);
            log.iter_mut().for_each(|log| *log += at.log_weight);
            gradient(at, driven, &self.mean, &mut self.white, &mut self.gradient);
            accumulate(&self.gradient, &log, &mut best, &mut total, &mut self.sum);
        }
        for sum in &mut self.sum {
            sum.iter_mut().zip(&total).for_each(|(sum, total)| *sum /= total);
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
    /// y = W (z − c).
    fn whiten(at: &Coefficients, count: usize, start: usize, state: &[f32], white: &mut [[f32; LANES]]) {
        let size = white.len();
        let lanes = LANES.min(count - start);
        white.fill([0.0; LANES]);
        for (b, &offset) in at.offset.iter().enumerate() {
            let mut rest = [-offset; LANES];
            for (rest, z) in rest.iter_mut().zip(&state[b * count + start..][..lanes]) {
                *rest += z;
            }
            for (row, white) in white.iter_mut().enumerate() {
                let weight = at.whitening[row * size + b];
                for lane in 0..LANES {
                    white[lane] = weight.mul_add(rest[lane], white[lane]);
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

dispatched! {
    /// Adds a group to a softmax with a running maximum.
    fn accumulate(
        gradient: &[[f32; LANES]],
        log: &[f32; LANES],
        best: &mut [f32; LANES],
        total: &mut [f32; LANES],
        sum: &mut [[f32; LANES]],
    ) {
        let mut shrink = [0.0; LANES];
        let mut share = [0.0; LANES];
        for lane in 0..LANES {
            let top = if log[lane] > best[lane] { log[lane] } else { best[lane] };
            shrink[lane] = exp(best[lane] - top);
            share[lane] = exp(log[lane] - top);
            best[lane] = top;
            total[lane] = total[lane].mul_add(shrink[lane], share[lane]);
        }
        for (sum, gradient) in sum.iter_mut().zip(gradient) {
            for lane in 0..LANES {
                sum[lane] = sum[lane].mul_add(shrink[lane], share[lane] * gradient[lane]);
            }
        }
    }
}
