//! Mixtures whose components all have the covariance s² I, s = 0 (points) among them.
//!
//! The noised components then differ in their means only. With Σ the kernel's covariance, P = (Σ + Φ_x s² Φ_xᵀ)⁻¹ and
//! x̂(z) = Φ_xᵀΣ⁻¹z/κ₀, κ₀ = Φ_xᵀΣ⁻¹Φ_x, the estimate of x_0 of smallest variance,
//!
//! ```text
//! log w_j(z) = log w_j − ½ κ |x̂ − μ_j|² + terms without j,     1/κ = 1/κ₀ + s²,
//! score_d    = −[P (z − Φ_x m̄)]_d,                             m̄ = Σ_j w_j(z) μ_j,
//! ```
//!
//! so that a component costs d multiply-adds and one exponential, whatever the number of blocks. Along w the score
//! changes by −[P (w − Φ_x ∂m̄)]_d, ∂m̄ = κ Σ_j w_j(z) (μ_j − m̄) (μ_j − m̄)·x̂(w).

use super::super::{Differentiator, Evaluator, Prepared};
use super::lanes::{LANES, load, store};
use super::posterior::{GROUP, posterior_mean, posterior_spread};
use crate::dispatched;
use crate::error::Result;
use crate::gauss::{precision, solve_lower};
use crate::process::{Kernel, Process};
use crate::task::Task;
use crate::vector::{single, single_rows, singles};

#[derive(Debug, Clone)]
pub(super) struct Shared {
    /// Number of coordinates d.
    dimension: usize,
    /// log w_j of the components with a weight above 0, [K].
    log_weights: Vec<f32>,
    /// μ_j, [K, d], row-major.
    means: Vec<f32>,
    /// The largest of them in size, or the standard deviation if that is larger.
    width: f64,
    variance: f64,
}

/// Data in units of the noise on them that no longer matter to a state.
const FAINT: f64 = 1e-12;

pub(super) struct PreparedShared<'a> {
    law: &'a Shared,
    blocks: usize,
    driven: &'a [usize],
    steps: Vec<Coefficients>,
}

/// What depends on time, rounded.
struct Coefficients {
    /// x̂ = Σ_b estimate_b z_b, [m].
    estimate: Vec<f32>,
    /// ½ κ.
    half_precision: f32,
    /// Φ_x, [m].
    response: Vec<f32>,
    /// The driven rows of P, [driven, m].
    precision: Vec<f32>,
}

impl Shared {
    pub(super) fn new(weights: &[f64], means: Vec<f32>, variance: f64) -> Self {
        let dimension = means.len() / weights.len();
        let kept: Vec<_> = (0..weights.len()).filter(|&j| weights[j] > 0.0).collect();
        let largest = means.iter().fold(0.0, |most, mean| f32::max(most, mean.abs()));
        Self {
            dimension,
            width: f64::from(largest).max(variance.sqrt()),
            log_weights: singles(kept.iter().map(|&j| weights[j].ln())),
            means: kept.iter().flat_map(|&j| &means[j * dimension..(j + 1) * dimension]).copied().collect(),
            variance,
        }
    }

    pub(super) fn prepare<'a>(
        &'a self,
        process: &'a Process,
        times: &[f64],
        task: &Task,
    ) -> Result<PreparedShared<'a>> {
        let driven = process.driven();
        let steps =
            task.blocks(times.len(), |i| Ok(self.coefficients(&process.kernel(times[i])?.with_density()?, driven)))?;
        Ok(PreparedShared { law: self, blocks: process.components(), driven, steps })
    }

    fn coefficients(&self, kernel: &Kernel, driven: &[usize]) -> Coefficients {
        let response = kernel.response().column(0).into_owned();
        let white = solve_lower(&kernel.cholesky, &response);
        let mut information = white.norm_squared();
        let mut estimate = precision(&kernel.cholesky) * &response / information;
        if information.sqrt() * self.width < FAINT {
            // So late that nothing is left of the data: every component is as likely as at the start. The estimate of
            // the datum, of order 1/Φ_x, would be beyond single precision.
            estimate.fill(0.0);
            information = 0.0;
        }
        let inverse = precision(&kernel.with_data_variance(self.variance).cholesky);
        Coefficients {
            half_precision: single(0.5 / (1.0 / information + self.variance)),
            estimate: singles(&estimate),
            response: singles(&response),
            precision: single_rows(&inverse.select_rows(driven)),
        }
    }
}

impl PreparedShared<'_> {
    fn worker(&self) -> SharedEvaluator<'_> {
        let lanes = || vec![[0.0; LANES]; self.law.dimension];
        SharedEvaluator {
            prepared: self,
            estimate: lanes(),
            mean: lanes(),
            log: [0.0; LANES],
            weights: vec![[0.0; LANES]; GROUP],
        }
    }
}

impl Prepared for PreparedShared<'_> {
    fn evaluator(&self, _width: usize) -> Box<dyn Evaluator + '_> {
        Box::new(self.worker())
    }

    fn differentiator(&self, _width: usize) -> Option<Box<dyn Differentiator + '_>> {
        let lanes = |rows: usize| vec![[0.0; LANES]; rows * self.law.dimension];
        Some(Box::new(SharedDifferentiator {
            worker: self.worker(),
            direction: lanes(self.driven.len()),
            along: lanes(1),
            change: lanes(1),
            gradient: lanes(self.driven.len()),
        }))
    }
}

struct SharedEvaluator<'a> {
    prepared: &'a PreparedShared<'a>,
    /// x̂ of the present lanes, [d].
    estimate: Vec<[f32; LANES]>,
    /// m̄ of the present lanes, [d].
    mean: Vec<[f32; LANES]>,
    /// The logarithm of the sum of their weights.
    log: [f32; LANES],
    /// Log weights of the present group of components.
    weights: Vec<[f32; LANES]>,
}

impl SharedEvaluator<'_> {
    /// Finds x̂ and m̄ of some samples.
    fn posterior(&mut self, at: &Coefficients, count: usize, lanes: std::ops::Range<usize>, state: &[f32]) {
        let law = self.prepared.law;
        estimate(at, law.dimension, count, lanes, state, &mut self.estimate);
        let (logs, means, half) = (&law.log_weights, &law.means, at.half_precision);
        posterior_mean(logs, means, half, &self.estimate, &mut self.weights, &mut self.mean, &mut self.log);
    }
}

impl Evaluator for SharedEvaluator<'_> {
    fn evaluate(&mut self, step: usize, count: usize, state: &[f32], score: &mut [f32]) {
        let at = &self.prepared.steps[step];
        for start in (0..count).step_by(LANES) {
            let lanes = start..count.min(start + LANES);
            self.posterior(at, count, lanes.clone(), state);
            residual(at, self.prepared, count, lanes, state, &self.mean, score);
        }
    }
}

struct SharedDifferentiator<'a> {
    worker: SharedEvaluator<'a>,
    /// w of the present lanes, [driven, d].
    direction: Vec<[f32; LANES]>,
    /// x̂(w), [d].
    along: Vec<[f32; LANES]>,
    /// ∂m̄, [d].
    change: Vec<[f32; LANES]>,
    /// [driven, d].
    gradient: Vec<[f32; LANES]>,
}

impl Differentiator for SharedDifferentiator<'_> {
    /// The derivative by driven components is symmetric, so that this is the change of the score along `weight`.
    fn gradient(&mut self, step: usize, count: usize, state: &[f32], weight: &[f32], gradient: &mut [f32]) {
        let Self { worker, direction, along, change, gradient: out } = self;
        let PreparedShared { law, driven, ref steps, .. } = *worker.prepared;
        let at = &steps[step];
        for start in (0..count).step_by(LANES) {
            worker.posterior(at, count, start..count.min(start + LANES), state);
            load(weight.chunks_exact(count), start, direction);
            estimate_along(at, driven, direction, along);
            let (known, half) = ((&worker.mean[..], &worker.log), at.half_precision);
            posterior_spread(&law.log_weights, &law.means, half, &worker.estimate, known, along, change);
            residual_along(at, driven, direction, change, out);
            store(out, count, start, gradient);
        }
    }
}

dispatched! {
    /// x̂ of a direction in the driven components.
    fn estimate_along(at: &Coefficients, driven: &[usize], direction: &[[f32; LANES]], out: &mut [[f32; LANES]]) {
        let d = out.len();
        out.fill([0.0; LANES]);
        for (direction, &block) in direction.chunks_exact(d).zip(driven) {
            for (out, w) in out.iter_mut().zip(direction) {
                for i in 0..LANES {
                    out[i] = at.estimate[block].mul_add(w[i], out[i]);
                }
            }
        }
    }
}

dispatched! {
    /// −P (w − Φ_x ∂m̄), of `change` ∂m̄/κ.
    fn residual_along(
        at: &Coefficients,
        driven: &[usize],
        direction: &[[f32; LANES]],
        change: &[[f32; LANES]],
        out: &mut [[f32; LANES]],
    ) {
        let (d, blocks) = (change.len(), at.response.len());
        for (k, out) in out.chunks_exact_mut(d).enumerate() {
            let precision = &at.precision[k * blocks..][..blocks];
            let pull: f32 = precision.iter().zip(&at.response).map(|(p, response)| p * response).sum();
            for (c, out) in out.iter_mut().enumerate() {
                for i in 0..LANES {
                    out[i] = pull * (2.0 * at.half_precision * change[c][i]);
                }
                for (j, &block) in driven.iter().enumerate() {
                    let w = &direction[j * d + c];
                    for i in 0..LANES {
                        out[i] = (-precision[block]).mul_add(w[i], out[i]);
                    }
                }
            }
        }
    }
}

dispatched! {
    fn estimate(
        at: &Coefficients,
        dimension: usize,
        count: usize,
        lanes: std::ops::Range<usize>,
        state: &[f32],
        out: &mut [[f32; LANES]],
    ) {
        for (c, out) in out.iter_mut().enumerate() {
            *out = [0.0; LANES];
            for (b, &weight) in at.estimate.iter().enumerate() {
                let row = (b * dimension + c) * count;
                for (out, z) in out.iter_mut().zip(&state[row + lanes.start..row + lanes.end]) {
                    *out = weight.mul_add(*z, *out);
                }
            }
        }
    }
}

dispatched! {
    fn residual(
        at: &Coefficients,
        prepared: &PreparedShared<'_>,
        count: usize,
        lanes: std::ops::Range<usize>,
        state: &[f32],
        mean: &[[f32; LANES]],
        score: &mut [f32],
    ) {
        let d = prepared.law.dimension;
        let blocks = prepared.blocks;
        for c in 0..d {
            for k in 0..prepared.driven.len() {
                let row = (k * d + c) * count;
                let out = &mut score[row + lanes.start..row + lanes.end];
                out.fill(0.0);
                for b in 0..blocks {
                    let (weight, response) = (-at.precision[k * blocks + b], at.response[b]);
                    let row = (b * d + c) * count;
                    for ((out, z), mean) in out.iter_mut().zip(&state[row + lanes.start..row + lanes.end]).zip(&mean[c]) {
                        let difference = (-response).mul_add(*mean, *z);
                        *out = weight.mul_add(difference, *out);
                    }
                }
            }
        }
    }
}
