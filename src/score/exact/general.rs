//! Mixtures whose components differ in covariance.
//!
//! In the eigenvectors of its covariance, S = U diag(λ) Uᵀ, a component is a product over rotated coordinates i, each
//! with its own law over blocks, N(Φ_x (Uᵀμ)_i, Σ + Φ_x λ_i Φ_xᵀ). With L its factor, driven blocks last, and
//! y = L⁻¹(z − mean): the log density is −½|y|² − log det L and the driven part of its gradient is −L_dd^{−ᵀ} y_d. With
//! weights w_j of gradients g_j, whose mean is the score s, that changes by Σ_j w_j (∂g_j + (g_j − s) (g_j − s)·∂z_d).

use nalgebra::{DMatrix, DVector};

use super::super::{Differentiator, Evaluator, Prepared};
use super::lanes::{LANES, load, store};
use super::softmax::{Change, Softmax};
use crate::data::{Covariance, Mixture};
use crate::dispatched;
use crate::error::Result;
use crate::gauss::solve_lower;
use crate::process::{Kernel, Process};
use crate::task::Task;
use crate::vector::{single, singles};

#[derive(Debug, Clone)]
pub(super) struct General {
    dimension: usize,
    components: Vec<Component>,
}

#[derive(Debug, Clone)]
struct Component {
    log_weight: f64,
    /// Uᵀμ, [d].
    mean: DVector<f64>,
    /// λ, [d].
    variances: DVector<f64>,
    /// Uᵀ, [d, d], row-major.
    rotation: Vec<f32>,
}

pub(super) struct PreparedGeneral<'a> {
    law: &'a General,
    /// Blocks in the order of the factors, driven last.
    order: Vec<usize>,
    driven: usize,
    steps: Vec<Vec<Coefficients>>,
}

/// What depends on time, of one component, rounded.
struct Coefficients {
    /// log w − Σ_i log det L_i.
    log_weight: f32,
    /// Means over blocks (in the factors' order) of each rotated coordinate, [d, m].
    means: Vec<f32>,
    /// L_i⁻¹, [d, m, m], row-major.
    whitening: Vec<f32>,
}

impl General {
    pub(super) fn new(mixture: &Mixture) -> Self {
        let d = mixture.dimension();
        let component = |j: usize| {
            let (variances, vectors) = match &mixture.covariance {
                Covariance::Isotropic(variances) => (DVector::from_element(d, variances[j]), DMatrix::identity(d, d)),
                Covariance::Full(matrices) => {
                    let matrix = DMatrix::from_row_slice(d, d, &matrices[j * d * d..(j + 1) * d * d]);
                    let eigen = matrix.symmetric_eigen();
                    (eigen.eigenvalues.map(|v| v.max(0.0)), eigen.eigenvectors)
                }
            };
            let mean = DVector::from_column_slice(&mixture.means[j * d..(j + 1) * d]);
            Component {
                log_weight: mixture.weights[j].ln(),
                mean: vectors.transpose() * mean,
                variances,
                // Column-major storage of U is row-major storage of Uᵀ.
                rotation: singles(&vectors),
            }
        };
        let components = (0..mixture.components()).filter(|&j| mixture.weights[j] > 0.0).map(component).collect();
        Self { dimension: d, components }
    }

    pub(super) fn prepare(&self, process: &Process, times: &[f64], task: &Task) -> Result<PreparedGeneral<'_>> {
        let order = process.undriven_first();
        let steps = task.blocks(times.len(), |i| {
            let kernel = process.kernel(times[i])?.with_density()?;
            Ok(self.components.iter().map(|component| component.coefficients(&kernel, &order)).collect())
        })?;
        Ok(PreparedGeneral { law: self, order, driven: process.driven().len(), steps })
    }
}

impl Component {
    fn coefficients(&self, kernel: &Kernel, order: &[usize]) -> Coefficients {
        let blocks = order.len();
        let mut log_weight = self.log_weight;
        let mut means = Vec::with_capacity(self.mean.len() * blocks);
        let mut whitening = Vec::with_capacity(self.mean.len() * blocks * blocks);
        for (i, &variance) in self.variances.iter().enumerate() {
            means.extend(order.iter().map(|&b| kernel.transfer[(b, 0)] * self.mean[i]));
            let factor = kernel.with_data_variance(variance).cholesky_in(order);
            log_weight -= factor.diagonal().iter().map(|pivot| pivot.ln()).sum::<f64>();
            let columns: Vec<_> = (0..blocks)
                .map(|b| solve_lower(&factor, &DVector::from_fn(blocks, |i, _| f64::from(i == b))))
                .collect();
            whitening.extend((0..blocks).flat_map(|row| columns.iter().map(move |column| single(column[row]))));
        }
        Coefficients { log_weight: single(log_weight), means: singles(&means), whitening }
    }
}

impl PreparedGeneral<'_> {
    fn worker(&self) -> GeneralEvaluator<'_> {
        let rows = self.driven * self.law.dimension;
        GeneralEvaluator {
            prepared: self,
            white: vec![[0.0; LANES]; self.order.len()],
            rotated: vec![[0.0; LANES]; rows],
            gradient: vec![[0.0; LANES]; rows],
            softmax: Softmax::new(rows),
        }
    }
}

impl Prepared for PreparedGeneral<'_> {
    fn evaluator(&self, _width: usize) -> Box<dyn Evaluator + '_> {
        Box::new(self.worker())
    }

    fn differentiator(&self, _width: usize) -> Option<Box<dyn Differentiator + '_>> {
        let (d, blocks) = (self.law.dimension, self.order.len());
        Some(Box::new(GeneralDifferentiator {
            worker: self.worker(),
            change: Change::new(self.driven * d),
            moved: vec![[0.0; LANES]; blocks * d],
            origin: vec![0.0; blocks * d],
        }))
    }
}

struct GeneralEvaluator<'a> {
    prepared: &'a PreparedGeneral<'a>,
    /// y of one rotated coordinate, [m].
    white: Vec<[f32; LANES]>,
    /// The gradient of one component in its rotated coordinates, [driven, d].
    rotated: Vec<[f32; LANES]>,
    /// The same in the coordinates of the data, [driven, d].
    gradient: Vec<[f32; LANES]>,
    /// The mean of the gradients over components, [driven, d].
    softmax: Softmax,
}

impl Evaluator for GeneralEvaluator<'_> {
    fn evaluate(&mut self, step: usize, count: usize, state: &[f32], score: &mut [f32]) {
        for start in (0..count).step_by(LANES) {
            self.lanes(step, count, start, state);
            store(self.softmax.mean(), count, start, score);
        }
    }
}

impl GeneralEvaluator<'_> {
    /// The score of the samples from `start` on, into `softmax`.
    fn lanes(&mut self, step: usize, count: usize, start: usize, state: &[f32]) {
        self.softmax.clear();
        for (component, at) in self.prepared.law.components.iter().zip(&self.prepared.steps[step]) {
            let view = View { prepared: self.prepared, component, at, count, start, state };
            let log = self.component(&view);
            self.softmax.add(&log, &self.gradient);
        }
    }

    /// Leaves the gradient of one component and returns its log density.
    fn component(&mut self, view: &View<'_>) -> [f32; LANES] {
        let mut log = [view.at.log_weight; LANES];
        gradient(view, &view.at.means, &mut self.white, &mut self.rotated, &mut log);
        rotate_back(&view.component.rotation, &self.rotated, &mut self.gradient);
        log
    }
}

struct GeneralDifferentiator<'a> {
    worker: GeneralEvaluator<'a>,
    change: Change,
    /// The direction in all components of the state, [m, d].
    moved: Vec<[f32; LANES]>,
    /// Means of a direction, which are 0, [d, m].
    origin: Vec<f32>,
}

impl Differentiator for GeneralDifferentiator<'_> {
    /// The derivative by driven components is symmetric, so that this is the change of the score along `weight`.
    fn gradient(&mut self, step: usize, count: usize, state: &[f32], weight: &[f32], out: &mut [f32]) {
        let Self { worker, change, moved, origin } = self;
        let prepared = worker.prepared;
        let d = prepared.law.dimension;
        let driven = &prepared.order[prepared.order.len() - prepared.driven..];
        for start in (0..count).step_by(LANES) {
            worker.lanes(step, count, start, state);
            change.begin(&mut worker.softmax);
            load(weight.chunks_exact(count), start, &mut change.direction);
            for (rows, &block) in change.direction.chunks_exact(d).zip(driven) {
                moved[block * d..][..d].copy_from_slice(rows);
            }
            for (component, at) in prepared.law.components.iter().zip(&prepared.steps[step]) {
                let view = View { prepared, component, at, count: LANES, start: 0, state: moved.as_flattened() };
                gradient(&view, origin, &mut worker.white, &mut worker.rotated, &mut [0.0; LANES]);
                rotate_back(&component.rotation, &worker.rotated, &mut change.own);
                let log = worker.component(&View { count, start, state, ..view });
                change.add(&log, &worker.gradient);
            }
            store(change.sum(), count, start, out);
        }
    }
}

/// One component and the samples it is evaluated at.
struct View<'a> {
    prepared: &'a PreparedGeneral<'a>,
    component: &'a Component,
    at: &'a Coefficients,
    count: usize,
    start: usize,
    state: &'a [f32],
}

dispatched! {
    /// Log density (added to `log`) and gradient, in its rotated coordinates, of one component.
    fn gradient(
        view: &View<'_>,
        means: &[f32],
        white: &mut [[f32; LANES]],
        rotated: &mut [[f32; LANES]],
        log: &mut [f32; LANES],
    ) {
        let View { prepared, component, at, count, start, state } = view;
        let (d, m, driven) = (prepared.law.dimension, white.len(), prepared.driven);
        let lanes = LANES.min(count - start);
        for i in 0..d {
            let whitening = &at.whitening[i * m * m..(i + 1) * m * m];
            white.fill([0.0; LANES]);
            for (b, &block) in prepared.order.iter().enumerate() {
                let mut rest = [-means[i * m + b]; LANES];
                for c in 0..d {
                    let weight = component.rotation[i * d + c];
                    let row = &state[(block * d + c) * count + start..][..lanes];
                    for (rest, z) in rest.iter_mut().zip(row) {
                        *rest = weight.mul_add(*z, *rest);
                    }
                }
                for (row, white) in white.iter_mut().enumerate().skip(b) {
                    for lane in 0..LANES {
                        white[lane] = whitening[row * m + b].mul_add(rest[lane], white[lane]);
                    }
                }
            }
            for white in white.iter() {
                for lane in 0..LANES {
                    log[lane] = (-0.5 * white[lane]).mul_add(white[lane], log[lane]);
                }
            }
            for k in 0..driven {
                let out = &mut rotated[k * d + i];
                *out = [0.0; LANES];
                for row in m - driven + k..m {
                    let weight = -whitening[row * m + m - driven + k];
                    for lane in 0..LANES {
                        out[lane] = weight.mul_add(white[row][lane], out[lane]);
                    }
                }
            }
        }
    }
}

dispatched! {
    /// The gradient in the coordinates of the data: U times that in the rotated ones.
    fn rotate_back(rotation: &[f32], rotated: &[[f32; LANES]], gradient: &mut [[f32; LANES]]) {
        let d = rotation.len().isqrt();
        for (rotated, gradient) in rotated.chunks_exact(d).zip(gradient.chunks_exact_mut(d)) {
            for (c, gradient) in gradient.iter_mut().enumerate() {
                let mut value = [0.0; LANES];
                for (i, rotated) in rotated.iter().enumerate() {
                    for lane in 0..LANES {
                        value[lane] = rotation[i * d + c].mul_add(rotated[lane], value[lane]);
                    }
                }
                *gradient = value;
            }
        }
    }
}
